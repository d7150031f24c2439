"""The kernel class; the contract is in kernel.pxd."""

cimport cython
from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_FromStringAndSize
from cpython.exc cimport PyErr_CheckSignals
from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.object cimport PyObject_GenericGetAttr
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset
from solvent._core.market.order_pool cimport ORDERS_MAX, Order
from solvent._core.market.book cimport Book, Half, book_peek
from solvent._core.trade.amendment cimport amend, amend_trigger
from solvent._core.trade.attachment cimport attach
from solvent._core.trade.cancellation cimport cancel_many, cancel_one, disconnect, reach_dates, set_timer
from solvent._core.market.client_ids cimport client_ids_ahead, client_ids_open
from solvent._core.venue.account_commands cimport deposit, move_margin, seed_fund, set_leverage, set_position_mode, transfer, withdraw
from solvent._core.trade.placement cimport place
from solvent._core.base.event_view cimport EventView
from solvent._core.account.fees cimport fees_other_day, fees_renew
from solvent._core.account.ledger cimport Collateral, balance, ledger_open
from solvent._core.venue.market_state cimport close_instrument, end_calls, halt, indicate, set_state
from solvent._core.liquidation.pipeline cimport resolve
from solvent._core.base.money cimport INT64_MAX
from solvent._core.base.command_log cimport commands_append
from solvent._core.base.pool cimport prefetch, zeroed
from solvent._core.venue.marks cimport fire_all, fund, index, last, mark, pass_to, resolve_all, source
from solvent._core.batch cimport Batching
from solvent._core.reader cimport IDLE, WORKING
from solvent._core.trade.short_way cimport short_way
from solvent._core.trade.state cimport Receipt, State
from solvent._core.walk cimport state_close
from solvent._core.base.schema cimport (
    ADD_INSTRUMENT, ADVANCE, AMEND, AMEND_TRIGGER, ATTACH, BAD_INSTRUMENT, BAD_RECORD, BATCH, CANCEL, CLOSED, DEPOSIT, DISCONNECT,
    FUNDING, HALT,
    INDEX, MARK, MASS_CANCEL, MOVE_MARGIN, OK, OPEN_ACCOUNT, ORDER, RECORD_BYTES, SEED_FUND, SETTLE, SET_LAST, SET_LEVERAGE,
    SET_POSITION_MODE, SET_STATE, SOURCE, TIMER, TIME_BACKWARDS, TRANSFER, UNKNOWN_COMMAND, WITHDRAW, BracketTerms,
    Command, Event,
)
from solvent._core.base.event_log cimport block_pin, log_open
from solvent._core.base.emit cimport emit_begin, emit_passed
from solvent._core.base.commands cimport CancelOrder, PlaceOrder, Request

import sys


cdef object _ORDER_ID = sys.intern("order_id")
cdef object _ZERO = 0                  # the small int itself: an omitted argument
cdef tuple _codes = tuple(range(1000))  # every result code as a Python int, made before any command

cdef enum:
    # rendered: limits
    RECORDS_MAX = 255
    # rendered: end
    AHEAD = 16             # commands between asking for memory and needing it
    NEARER = 8
    BETWEEN_LOOKS = 255    # commands of a Book between two looks at the time, less one; an exchange looks more often
    BETWEEN_LOOKS_AT_MONEY = 31
    SIGNALS_MS = 50        # longest wait of a signal while a batch runs
    LARGE = 400_000        # levels above which loading nodes ahead pays off


cdef inline void _ahead_in_book(State* s, const Command* far, const Command* near) noexcept nogil:
    """Loads, far ahead, the leaf where an order may rest; nearer, the level."""
    cdef Book* book = &s.books[0]
    cdef Half* half = &book.side[far.side & 1]
    cdef int64_t key = far.price_ticks ^ half.turn
    cdef int32_t leaf
    if 0 <= key < <int64_t>1 << (6 * book.depth):
        leaf = book_peek(book, half, key)
        if leaf >= 0:
            prefetch(&book.bits[leaf])
            prefetch(&book.child[leaf * <int64_t>64 + (key & 63)])
    half = &book.side[near.side & 1]
    key = near.price_ticks ^ half.turn
    if 0 <= key < <int64_t>1 << (6 * book.depth):
        leaf = book_peek(book, half, key)
        if leaf >= 0 and (book.bits[leaf] >> (key & 63)) & 1:
            prefetch(&book.levels[book.child[leaf * <int64_t>64 + (key & 63)]])


cdef inline void _ahead(State* s, const Command* far, const Command* near) noexcept nogil:
    """Loads the memory that commands of a batch will need: first a named order's, later its neighbours' and level's.

    It ignores their types (no branch to mispredict; an ORDER names order 0), decides nothing and writes nothing.
    """
    cdef int32_t slot = <int32_t>(near.order_id & (ORDERS_MAX - 1))
    cdef Order* order = &s.pool.orders[slot]
    prefetch(far + AHEAD)
    prefetch(&s.pool.orders[far.order_id & (ORDERS_MAX - 1)])
    if slot < s.pool.high_water:
        prefetch(&s.pool.orders[order.prev])
        prefetch(&s.pool.orders[order.next])
        prefetch(&s.books[0].levels[order.level])
        if s.client_ids.used:
            client_ids_ahead(&s.client_ids, order.account, order.client_id)
            client_ids_ahead(&s.client_ids, far.account, far.client_id)
    if s.books[0].levels_used > LARGE:
        _ahead_in_book(s, far, near)


cdef extern from *:
    """
    #include <time.h>
    #ifndef CLOCK_MONOTONIC_COARSE
    #define CLOCK_MONOTONIC_COARSE CLOCK_MONOTONIC
    #endif
    /* Returns a coarse clock that times the signals that wait. */
    static inline int64_t solvent_milliseconds(void) {
        struct timespec now = {0, 0};
        clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000; }
    /* Reads an int of few digits without a call. */
    static inline int solvent_short(PyObject *v, int64_t *value) {
    #if PY_VERSION_HEX >= 0x030C0000
        if (!PyUnstable_Long_IsCompact((PyLongObject *)v)) return 0;
        *value = PyUnstable_Long_CompactValue((PyLongObject *)v);
    #else
        Py_ssize_t digits = Py_SIZE(v);
        const digit *d = ((PyLongObject *)v)->ob_digit;
        if (digits == 1) *value = d[0];
        else if (digits == 0) *value = 0;
        else if (digits == 2) *value = (int64_t)d[1] << PyLong_SHIFT | d[0];
        else return 0;
    #endif
        return 1; }
    """
    int short_int "solvent_short"(object v, int64_t *value) noexcept
    int64_t milliseconds "solvent_milliseconds"() noexcept nogil


cdef inline int64_t _int(Kernel kernel, object value) except? -1:
    """Returns an exact int: C would take 1.9 as 1 and True as 1."""
    cdef int beyond = 0
    cdef int64_t number
    if type(value) is not int:
        kernel._refuse_type(value)
    if short_int(value, &number):
        return number
    number = PyLong_AsLongLongAndOverflow(value, &beyond)
    if beyond:
        kernel._refuse_range("an int of more than 64 bits", -INT64_MAX - 1, INT64_MAX)
    return number


cdef inline int64_t _within(Kernel kernel, object value, int64_t highest) except? -1:
    cdef int64_t number = _int(kernel, value)
    if number < 0 or number > highest:
        kernel._refuse_range(value, 0, highest)
    return number


cdef inline int _step(Kernel kernel, const Request* c, Receipt* receipt) except -1 nogil:
    """Applies one command, a Book's by the short way if it can."""
    if kernel.commands.on:
        commands_append(&kernel.commands, &c.record, c.record.records)
    kernel.command_seq += 1
    if kernel.s.bare and short_way(&kernel.s, &c.record, kernel.command_seq, receipt):
        return 0
    return kernel._apply_any(c, receipt)


cdef inline bint _may_last(const Request* c) noexcept nogil:
    """True if a command may work long by itself: one that many accounts or orders hear of. Others need not wait for it."""
    return c.record.type in (
        MARK, ADVANCE, SETTLE, FUNDING, INDEX, SOURCE, SET_STATE, HALT, MASS_CANCEL, SET_LAST, DISCONNECT)


@cython.final
@cython.freelist(64)
cdef class Answer:
    """The answer to submit and revoke: code (0: accepted), order_id, filled_lots, resting_lots. Truthy if accepted."""

    def __getattribute__(self, name):
        if name is _ORDER_ID:  # the usual attribute, without the search through the type
            return self.order_id
        return PyObject_GenericGetAttr(self, name)

    def __bool__(self):
        return self.code == OK

    def __repr__(self):
        return f"Answer(code={self.code}, order_id={self.order_id}, filled_lots={self.filled_lots}, resting_lots={self.resting_lots})"


@cython.final
cdef class Kernel(Batching):
    """One exchange's state and its only writer. Users reach it through solvent.Exchange and solvent.Book.

    instruments and rules: their terms, each read by name (solvent.schema.terms). currencies: their decimals. config: bytes
    that represent all of it in the digest. errors: the exceptions for busy, halted, a wrong type, a number out of range, and a
    batch without whole commands. The values are validated before. bare: True for a Book alone, whose one instrument gives only
    its highest price and size. wanted: one bit for each event type that is written. seed: makes the table of client ids
    unforeseeable; no result depends on it.
    """

    def __cinit__(self, instruments=(), currencies=(), rules=None, bytes config=b"", errors=(), bint bare=False,
                  uint64_t wanted=0xFFFFFFFFFFFFFFFF, names=(), collateral=(), from_records=None, uint64_t seed=0):
        cdef Collateral* each
        if rules is None:       # fork fills it
            self.busy = WORKING
            return
        self.ids = {}
        self.names = []
        self.instruments = {name: number for number, name in enumerate(names)}
        self.from_records = from_records
        self.config = self.born = config
        self.decimals = list(currencies)
        self.s.bare = bare
        self.seed = seed
        self.busy_error, self.halted_error, self.type_error, self.range_error, self.input_error = errors
        if not (log_open(&self.s.log, wanted) and client_ids_open(&self.s.client_ids, &self.s.pool, seed)
                and ledger_open(&self.s.ledger, &self.s.log, len(currencies))):
            raise MemoryError
        for spec in instruments:
            self._enter_instrument(spec)
        self.s.ledger.collateral = <Collateral*>zeroed(len(collateral) + 1, sizeof(Collateral))
        if self.s.ledger.collateral == NULL:
            raise MemoryError
        for terms in collateral:
            each = &self.s.ledger.collateral[self.s.ledger.collateral_count]
            each.currency, each.of, each.instrument, each.numerator, each.denominator = terms
            self.s.ledger.collateral_count += 1
        self._enter_rules(rules)

    def __dealloc__(self):
        state_close(&self.s)

    # --- commands

    cdef int _dispatch(self, const Request* c, Receipt* receipt) except -1 nogil:
        """Passes a command to its handler."""
        cdef uint16_t type = c.record.type
        if type == MARK:
            return mark(&self.s, &c.mark)
        if type == MASS_CANCEL:
            return cancel_many(&self.s, &c.mass_cancel, receipt)
        if type == INDEX:
            return index(&self.s, &c.index)
        if type == SET_LAST:
            return last(&self.s, &c.set_last)
        if type == TIMER:
            return set_timer(&self.s, &c.timer)
        if type == DISCONNECT:
            return disconnect(&self.s, &c.disconnect, receipt)
        if type == AMEND_TRIGGER:
            return amend_trigger(&self.s, &c.amend_trigger, receipt)
        if type == ADVANCE:
            return OK
        if type == BATCH:
            return self._apply_members(c, receipt)
        if self.s.bare:
            return UNKNOWN_COMMAND
        if type == DEPOSIT:
            return deposit(&self.s, &c.deposit)
        if type == SEED_FUND:
            return seed_fund(&self.s, &c.seed_fund)
        if type == WITHDRAW:
            return withdraw(&self.s, &c.withdraw)
        if type == SET_LEVERAGE:
            return set_leverage(&self.s, &c.set_leverage)
        if type == MOVE_MARGIN:
            return move_margin(&self.s, &c.move_margin)
        if type == SET_POSITION_MODE:
            return set_position_mode(&self.s, &c.set_position_mode)
        if type == FUNDING:
            return fund(&self.s, &c.funding)
        if type == TRANSFER:
            return transfer(&self.s, &c.transfer)
        if type == ADD_INSTRUMENT:
            return self._add_instrument(receipt)
        if type == HALT:
            return halt(&self.s, &c.halt)
        if type == SET_STATE:
            return set_state(&self.s, &c.set_state)
        if type == SETTLE:
            return close_instrument(&self.s, &c.settle)
        if type == SOURCE:
            return source(&self.s, &c.source)
        if type == ATTACH:
            return attach(&self.s, &c.attach, <const BracketTerms*>&c[1] if c.record.records == 2 else NULL, receipt)
        if type == OPEN_ACCOUNT:
            return self._open_account(c, receipt)
        return UNKNOWN_COMMAND

    cdef void _end_calls(self) noexcept nogil:
        """Ends the calls whose time has come, and places what a date has made due. They deleverage nobody: that is for a mark."""
        self.s.may_cost_others = False
        if end_calls(&self.s) or self.s.due.count:
            resolve_all(&self.s)

    cdef void _pass_time(self, int64_t before_ns) noexcept nogil:
        """Applies the passing of time to prices, funding and fees. PASSED ends its events, if there are any."""
        cdef int64_t count = self.s.log.count
        self.s.may_cost_others = True
        if self.s.looks:
            resolve_all(&self.s)
        if self.s.modelled:
            pass_to(&self.s, self.s.clock_ns)
        if fees_other_day(&self.s.fees, before_ns, self.s.clock_ns):
            fees_renew(&self.s.fees, &self.s.ledger, self.s.clock_ns)
            resolve_all(&self.s)
        if self.s.log.count > count:
            emit_passed(&self.s.log)

    cdef int _apply(self, const Request* c, Receipt* receipt) except -1 nogil:
        """Applies one command; for a caller that times each."""
        return _step(self, c, receipt)

    cdef int _apply_any(self, const Request* c, Receipt* receipt) except -1 nogil:
        """Applies one command: BEGIN, the clock, the handler, then touched accounts, then fired orders."""
        cdef int64_t begin = self.s.log.count
        cdef int code
        cdef int64_t before_ns = self.s.clock_ns
        cdef Event* event = emit_begin(
            &self.s.log, side=c.record.side, account=c.record.account, instrument=c.record.instrument, code=OK, command=c.record.type, time_ns=0,
            command_seq=0, order_id=0, filled_lots=0, resting_lots=0)
        receipt.order_id = 0
        receipt.filled_lots = 0
        receipt.resting_lots = 0
        if c.record.time_ns < self.s.clock_ns:
            code = TIME_BACKWARDS
        else:
            self.s.clock_ns = c.record.time_ns
            if self.s.expiries.count:
                reach_dates(&self.s)
            if self.s.calls or self.s.due.count:
                self._end_calls()
            if c.record.time_ns > before_ns and (self.s.modelled or self.s.fees.counts or self.s.looks):
                self._pass_time(before_ns)
            self.s.may_cost_others = False
            if c.record.type == ORDER and c.record.records <= 5:
                code = place(&self.s, &c.order, &c[1].extension if c.record.records >= 2 else NULL, receipt)
            elif (c.record.records != 1 and c.record.type != ADD_INSTRUMENT and c.record.type != BATCH
                    and (c.record.records != 2 or c.record.type not in (OPEN_ACCOUNT, ATTACH))):
                code = BAD_RECORD
            elif c.record.type == CANCEL:
                code = cancel_one(&self.s, &c.cancel, receipt)
            elif c.record.type == AMEND:
                code = amend(&self.s, &c.amend, receipt)
            else:
                self.s.may_cost_others = (c.record.type == MARK or c.record.type == INDEX or c.record.type == SOURCE
                                          or c.record.type == FUNDING or c.record.type == SETTLE
                                          or (c.record.type == SET_STATE and c.set_state.listing == CLOSED))
                code = self._dispatch(c, receipt)
            if code == OK:
                if not self.s.bare:
                    resolve(&self.s)
                if self.s.due.count or self.s.looks or self.s.brackets.first:
                    fire_all(&self.s, receipt)
            if self.s.calls:
                indicate(&self.s)
            if c.record.instrument < self.s.ledger.instrument_count and not self.s.bare:
                balance(&self.s.ledger, c.record.instrument)
        receipt.code = code
        if event != NULL and begin < self.s.log.count:      # otherwise it was spilled, and the exchange halts
            event = &self.s.log.events[begin]
            event.code = <uint16_t>code
            event.a = self.s.clock_ns
            event.b = <int64_t>self.command_seq
            event.c = <int64_t>receipt.order_id
            event.d = receipt.filled_lots
            event.e = receipt.resting_lots
        return 0

    cdef int _alone(self, const Request* c) except -1:
        """Applies one command, without the GIL if it may last. Python's memory was all taken before."""
        self._enter(c.record.records)
        try:
            if _may_last(c):
                with nogil:
                    _step(self, c, &self.receipt)
            else:
                _step(self, c, &self.receipt)
        finally:
            self.busy = IDLE
        if self.s.log.fault:
            self._halted()
        return 0

    cdef int _offered(self, const Request* c) except -1:
        """Applies one ADD_INSTRUMENT."""
        cdef tuple decoded = self._decoded(c)
        cdef bytes config
        self._enter(c.record.records)
        try:
            config = self._make_offer(c, decoded)
            self.receipt.code = BAD_INSTRUMENT
            _step(self, c, &self.receipt)
            self._end_offer(decoded, config, self.receipt.code == OK)
        finally:
            self.busy = IDLE
        if self.s.log.fault:
            self._halted()
        return 0

    def apply(self, const unsigned char[::1] record not None):
        """Applies one command (64 bytes, more for one of several records) and returns its result code."""
        cdef Request request[RECORDS_MAX]
        if record.shape[0] >= RECORD_BYTES and record[2] == 0:
            return _codes[self._batch_alone(record)]
        if record.shape[0] < RECORD_BYTES or record[2] * RECORD_BYTES != record.shape[0]:
            return BAD_RECORD
        memset(&request[1], 0, RECORD_BYTES)
        memcpy(&request, &record[0], record.shape[0])
        if request[0].record.type == ADD_INSTRUMENT and not self.s.bare:
            self._offered(request)
        else:
            self._alone(request)
        return _codes[self.receipt.code]

    cdef int _look_for_signals(self) except -1 with gil:
        """Runs the handlers of signals; an exception of theirs ends the batch between two commands."""
        return PyErr_CheckSignals()

    cdef int _run(self, const Command* commands, Py_ssize_t total, Receipt* receipts) except -1 nogil:
        """Runs the loop of `run`; run_count is the number of whole commands applied."""
        cdef Request request[5]
        cdef const Command* at = commands
        cdef const Command* end = commands + total
        cdef int64_t done = 0
        cdef int64_t batch
        cdef int64_t looked = milliseconds()
        cdef int64_t mask = BETWEEN_LOOKS if self.s.bare else BETWEEN_LOOKS_AT_MONEY
        while at < end and self.s.log.fault == 0:
            if self.s.bare and at + AHEAD < end:
                _ahead(&self.s, at + AHEAD, at + NEARER)
            request[0].record = at[0]
            if request[0].record.records == 2 and at + 1 < end:
                request[1].record = at[1]
            elif 3 <= request[0].record.records <= 5 and at + request[0].record.records <= end:
                memcpy(&request[1], at + 1, (request[0].record.records - 1) * RECORD_BYTES)
            elif request[0].record.records != 1:
                self.run_count = done
                batch = self._apply_batch(at, end - at, &receipts[done])
                if batch == 0:
                    break
                at += batch
                done += 1
                continue
            _step(self, request, &receipts[done])
            at += request[0].record.records
            done += 1
            if (done & mask == 0 or _may_last(request)) and milliseconds() - looked > SIGNALS_MS:
                self.run_count = done
                self._look_for_signals()
                looked = milliseconds()
        self.run_count = done
        return 0

    def run(self, const unsigned char[::1] records not None):
        """Applies many commands without the GIL. Returns four 64-bit integers for each: order id, filled lots, resting lots,
        code.

        The loop takes the same path as `apply`. Raises InputError, before any write, when the buffer does not divide into
        whole commands. A thread that writes to the buffer meanwhile can spoil only the commands still to come. Each command is
        copied before it is read, and the batch ends where a copy no longer fits. Handlers of signals run now and then between
        two commands, and at the end.
        """
        cdef Py_ssize_t total = records.shape[0] // RECORD_BYTES
        cdef Py_ssize_t n
        cdef Receipt* receipts
        if records.shape[0] % RECORD_BYTES:
            raise self.input_error("the buffer is not a whole number of 64-byte records")
        if total == 0:
            return b""
        n = self._whole(<const Command*>&records[0], total)
        answers = PyByteArray_FromStringAndSize(NULL, n * <Py_ssize_t>sizeof(Receipt))
        receipts = <Receipt*>PyByteArray_AS_STRING(answers)
        self._enter(total)
        self.run_count = 0
        try:
            with nogil:
                self._run(<const Command*>&records[0], total, receipts)
        finally:
            self.busy = IDLE
            if self.run_count:
                self.receipt = receipts[self.run_count - 1]
        if self.s.log.fault:
            self.run_count -= self.run_count > 0     # the command that halted is not whole
            self._halted()
        PyErr_CheckSignals()
        return answers if self.run_count == n else answers[:self.run_count * sizeof(Receipt)]

    # --- direct calls: integers in, no record in between

    cdef Answer _answer(self, Request* c):
        cdef Answer answer = Answer.__new__(Answer)
        c.record.records = 1
        c.record.time_ns = self.s.clock_ns
        self._alone(c)
        answer.code = <uint16_t>self.receipt.code
        answer.order_id = self.receipt.order_id
        answer.filled_lots = self.receipt.filled_lots
        answer.resting_lots = self.receipt.resting_lots
        return answer

    @cython.binding(False)
    def submit(self, account, side, price_ticks, size_lots, tif=0, flags=0, client_id=0, instrument=0):
        """Sends an ORDER from integers alone, at the clock's time: side 0 buys, 1 sells; tif, flags as in
        docs/reference/records.md.

        Returns an Answer. Raises WrongType for anything but an int, OutOfRange for a number that does not fit its field.
        """
        cdef Request request
        cdef PlaceOrder* c = &request.order
        memset(&request, 0, sizeof(Request))
        c.type = ORDER
        c.account = <uint32_t>_within(self, account, 0xFFFFFFFF)
        c.side = <uint8_t>_within(self, side, 0xFF)
        c.price_ticks = _int(self, price_ticks)
        c.size_lots = _int(self, size_lots)
        if tif is not _ZERO or flags is not _ZERO or client_id is not _ZERO or instrument is not _ZERO:
            c.tif = <uint8_t>_within(self, tif, 0xFF)
            c.flags = <uint8_t>_within(self, flags, 0xFF)
            c.client_id = <uint64_t>_within(self, client_id, INT64_MAX)
            c.instrument = <uint32_t>_within(self, instrument, 0xFFFFFFFF)
        return self._answer(&request)

    @cython.binding(False)
    def revoke(self, account, order_id):
        """Sends a CANCEL from integers alone, at the clock's time. Returns an Answer; raises the same errors as submit."""
        cdef Request request
        cdef CancelOrder* c = &request.cancel
        memset(&request, 0, sizeof(Request))
        c.type = CANCEL
        c.account = <uint32_t>_within(self, account, 0xFFFFFFFF)
        c.order_id = <uint64_t>_within(self, order_id, INT64_MAX)
        return self._answer(&request)

    cdef int _refuse_range(self, value, int64_t lowest, int64_t highest) except -1:
        raise self.range_error(f"{value} is not from {lowest} to {highest}")

    cdef int _refuse_type(self, value) except -1:
        raise self.type_error(f"an int is needed here, not {type(value).__name__}")

    @property
    def halted(self):
        """True if the kernel has halted for good."""
        return self.s.log.fault != 0

    @property
    def last(self):
        """Returns (order id or new account, filled lots, resting lots) of the last command."""
        return self.receipt.order_id, self.receipt.filled_lots, self.receipt.resting_lots

    # --- events

    @property
    def first_seq(self):
        """Returns the sequence number of the oldest event still held."""
        return self.s.log.first_seq

    @property
    def next_seq(self):
        """Returns the sequence number of the next event."""
        return self.s.log.first_seq + <uint64_t>self.s.log.count

    def view(self, uint64_t first, uint64_t end):
        """Returns the events first <= seq < end as a read-only buffer that pins its memory. Raises IndexError when they are
        dropped."""
        cdef EventView view = EventView.__new__(EventView)
        if self.busy:
            self._raise_busy()
        if first < self.s.log.first_seq or end < first or end > self.next_seq:
            raise IndexError(f"events {first} to {end} are not held (held: {self.first_seq} to {self.next_seq})")
        view.block = self.s.log.events
        view.first = self.s.log.events + (first - self.s.log.first_seq)
        view.count = <Py_ssize_t>(end - first)
        block_pin(view.block)
        return view
