"""The kernel class; the contract is in kernel.pxd."""

from cpython.buffer cimport PyBuffer_FillInfo
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset
from solvent._core cimport audit
from solvent._core.arena cimport Order, arena_close, arena_find, arena_open
from solvent._core.bare cimport bare_command
from solvent._core.book cimport Book, book_close, book_open, book_price, book_worse
from solvent._core.clientids cimport WINDOW, clients_close, clients_find, clients_open
from solvent._core.control cimport deposit, mark, move_margin, set_leverage, withdraw
from solvent._core.entry cimport Receipt, amend, place, withdraw_order
from solvent._core.ledger cimport (
    FIRST_USER, Instrument, Ledger, Position, Tier, account_new, accounts_reserve, ledger_close, ledger_open,
    wallet_of,
)
from solvent._core.liquidation cimport settle
from solvent._core.margin cimport free_units, hold_units
from solvent._core.records cimport (
    ACCOUNT_EXISTS, ACCOUNT_OPENED, ADVANCE, AMEND, BAD_NAME, BAD_RECORD, BEGIN, CANCEL, DEPOSIT, MARK,
    MOVE_MARGIN, NAME_BYTES, OK, OPEN_ACCOUNT, ORDER, RECORD_BYTES, SEED_FUND, SET_LEVERAGE, TIME_BACKWARDS,
    TOO_MANY_ACCOUNTS, UNKNOWN_COMMAND, WITHDRAW, Command, Event, block_pin, block_unpin, emit, log_drop,
    log_open,
)
from solvent._core.trading cimport order_instrument


# --- Views of events -----------------------------------------------------------------------------------

cdef class EventView:
    """Read-only bytes of consecutive events; pins its block, so that it stays what it was."""

    cdef Event* block
    cdef Event* first
    cdef Py_ssize_t size

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        PyBuffer_FillInfo(buffer, self, self.first, self.size, 1, flags)

    def __dealloc__(self):
        if self.block != NULL:
            block_unpin(self.block)


# --- The kernel ----------------------------------------------------------------------------------------

cdef class Kernel:
    """One exchange's state and its only writer. Users meet it through solvent.Exchange.

    instruments: one tuple each (units_per_tick_lot, max_price_ticks, max_size_lots, maker_fee_ppb,
    taker_fee_ppb, liquidation_fee_ppb, default_leverage, currency, tiers) with tiers as tuples (max_lots,
    maintenance_ppb, max_leverage); rules: (price_band_ppb, step_limit_ppb, parcel_limit_ppb, step_tiers,
    six fee flags); config: bytes that stand for all of it in the digest; errors: the exception classes to
    raise when busy and when halted. The values were validated. bare: a Book alone, of which the one instrument
    gives only highest price and size.
    """

    def __cinit__(self, instruments, int currencies, rules, bytes config, errors, bint bare=False):
        cdef uint32_t i
        cdef int k
        cdef Instrument* ins
        self.ids = {}
        self.names = []
        self.config = config
        self.s.bare = bare
        self.busy_error, self.halted_error = errors
        self.ready = False
        if not (log_open(&self.s.log) and arena_open(&self.s.arena, 4096) and clients_open(&self.s.clients)
                and ledger_open(&self.s.ledger, &self.s.log, len(instruments), currencies)):
            raise MemoryError
        self.s.books = <Book*>calloc(len(instruments), sizeof(Book))
        if self.s.books == NULL:
            raise MemoryError
        for i, spec in enumerate(instruments):
            ins = &self.s.ledger.instruments[i]
            (ins.units_per_tick_lot, ins.max_price_ticks, ins.max_size_lots, ins.maker_fee_ppb, ins.taker_fee_ppb,
             ins.liquidation_fee_ppb, ins.default_leverage, ins.currency) = spec[:8]
            ins.tier_count = len(spec[8])
            ins.tiers = <Tier*>calloc(ins.tier_count, sizeof(Tier))
            if ins.tiers == NULL or not book_open(&self.s.books[i], ins.max_price_ticks):
                raise MemoryError
            for k, tier in enumerate(spec[8]):
                ins.tiers[k].max_lots, ins.tiers[k].maintenance_ppb, ins.tiers[k].max_leverage = tier
        (self.s.rules.price_band_ppb, self.s.rules.step_limit_ppb, self.s.rules.parcel_limit_ppb,
         self.s.rules.step_tiers, self.s.rules.fee_isolated_low, self.s.rules.fee_isolated_full,
         self.s.rules.fee_isolated_own, self.s.rules.fee_cross_low, self.s.rules.fee_cross_full,
         self.s.rules.fee_cross_own) = rules
        self.ready = True

    def __dealloc__(self):
        cdef uint32_t i
        if self.s.log.events != NULL:
            block_unpin(self.s.log.events)
        if self.s.books != NULL:
            for i in range(self.s.ledger.instrument_count):
                book_close(&self.s.books[i])
            free(self.s.books)
        arena_close(&self.s.arena)
        clients_close(&self.s.clients)
        ledger_close(&self.s.ledger)

    # --- commands

    cdef int _open_account(self, const Command* c) noexcept with gil:
        """OPEN_ACCOUNT: the name is the command's second record, UTF-8, zero-padded."""
        cdef Event* event
        cdef uint32_t account
        cdef bytes padded, name
        try:
            if c.records != 2:
                return BAD_RECORD
            padded = PyBytes_FromStringAndSize(<char*>c + RECORD_BYTES, NAME_BYTES)
            name = padded.rstrip(b"\0")
            if not name or min(name) < 32:
                return BAD_NAME
            try:
                name.decode()
            except UnicodeDecodeError:
                return BAD_NAME
            if name in self.ids:
                return ACCOUNT_EXISTS
            if not accounts_reserve(&self.s.ledger):
                return TOO_MANY_ACCOUNTS
            account = account_new(&self.s.ledger)
            self.ids[name] = account
            self.names.append(name)
        except MemoryError:
            self.s.log.fault = 2
            return TOO_MANY_ACCOUNTS
        event = emit(&self.s.log, ACCOUNT_OPENED, account, 0)
        event.records = 2
        memcpy(emit(&self.s.log, ACCOUNT_OPENED, account, 0), <char*>padded, NAME_BYTES)
        self.receipt.order_id = account
        return OK

    cdef int _dispatch(self, const Command* c) noexcept nogil:
        if c.records != 1 and c.type != OPEN_ACCOUNT:
            return BAD_RECORD
        if self.s.bare:
            return bare_command(&self.s, c, &self.receipt)
        if c.type == ORDER:
            return place(&self.s, c, &self.receipt)
        if c.type == CANCEL:
            return withdraw_order(&self.s, c, &self.receipt)
        if c.type == AMEND:
            return amend(&self.s, c, &self.receipt)
        if c.type == MARK:
            return mark(&self.s, c)
        if c.type == DEPOSIT or c.type == SEED_FUND:
            return deposit(&self.s, c)
        if c.type == WITHDRAW:
            return withdraw(&self.s, c)
        if c.type == SET_LEVERAGE:
            return set_leverage(&self.s, c)
        if c.type == MOVE_MARGIN:
            return move_margin(&self.s, c)
        if c.type == OPEN_ACCOUNT:
            return self._open_account(c)
        if c.type == ADVANCE:
            return OK
        return UNKNOWN_COMMAND

    cdef int _apply(self, const Command* c) noexcept nogil:
        """One command: BEGIN, the clock, the handler, then settlement of whoever it touched."""
        cdef uint64_t begin = self.s.log.first_seq + <uint64_t>self.s.log.count
        cdef Event* event = emit(&self.s.log, BEGIN, c.account, c.instrument)
        cdef int code = OK
        self.command_seq += 1
        memset(&self.receipt, 0, sizeof(Receipt))
        event.side = c.side
        event.reason = c.type
        event.b = <int64_t>self.command_seq
        if c.time_ns < self.s.clock_ns:
            code = TIME_BACKWARDS
        else:
            self.s.clock_ns = c.time_ns
            code = self._dispatch(c)
            if code == OK:
                settle(&self.s)
        event = &self.s.log.events[begin - self.s.log.first_seq]
        event.code = <uint16_t>code
        event.a = self.s.clock_ns
        event.c = <int64_t>self.receipt.order_id
        event.d = self.receipt.filled_lots
        event.e = self.receipt.resting_lots
        return code

    cdef int _enter(self) except -1:
        cdef int64_t droppable
        if self.busy:
            raise self.busy_error("the exchange is working on another call; one thread at a time")
        if self.s.log.fault:
            raise self.halted_error(f"the exchange halted (fault {self.s.log.fault}); make a new one")
        if self.keep_from > self.s.log.first_seq:
            droppable = self.s.log.count
            if self.keep_from - self.s.log.first_seq < <uint64_t>droppable:
                droppable = <int64_t>(self.keep_from - self.s.log.first_seq)
            if 2 * droppable >= self.s.log.count:
                log_drop(&self.s.log, droppable)
        self.busy = True
        return 0

    cdef int _leave(self) except -1:
        self.busy = False
        if self.s.log.fault:
            raise self.halted_error(
                f"fault {self.s.log.fault} in command {self.command_seq} (1: arithmetic beyond 64 bits, 2: memory gone, "
                "3: an impossible state); the exchange has stopped")
        return 0

    def apply(self, const unsigned char[::1] record not None):
        """Applies one command (64 bytes, 128 for a named one) and returns its result code."""
        cdef Command command[2]
        cdef int code
        if record.shape[0] < RECORD_BYTES or record.shape[0] > 2 * RECORD_BYTES:
            return BAD_RECORD
        memset(&command, 0, sizeof(command))
        memcpy(&command, &record[0], record.shape[0])
        if command[0].records * RECORD_BYTES != record.shape[0]:
            return BAD_RECORD
        self._enter()
        code = self._apply(command)
        self._leave()
        return code

    def run(self, const unsigned char[::1] records not None):
        """Applies many commands without the GIL: (codes as uint16 bytes, order ids as uint64 bytes).

        The loop takes the same path as `apply`. Raises ValueError, before anything is done, when the
        buffer does not divide into whole commands. Another thread that writes to the buffer meanwhile spoils
        what is still to come, no more: each command is copied before it is looked at, and the batch ends
        where a copy no longer fits.
        """
        cdef Py_ssize_t total = records.shape[0] // RECORD_BYTES
        cdef Py_ssize_t i = 0
        cdef Py_ssize_t n = 0
        cdef Py_ssize_t done = 0
        cdef const Command* commands
        cdef Command command[2]
        cdef uint16_t* codes
        cdef uint64_t* order_ids
        if records.shape[0] % RECORD_BYTES:
            raise ValueError("the buffer is not a whole number of 64-byte records")
        if total == 0:
            return b"", b""
        commands = <const Command*>&records[0]
        while i < total:
            if commands[i].records < 1 or commands[i].records > 2:
                raise ValueError(f"record {i} says that it takes {commands[i].records} records")
            i += commands[i].records
            n += 1
        if i != total:
            raise ValueError("the last command is cut off")
        self._enter()
        out_codes = bytearray(n * sizeof(uint16_t))
        out_ids = bytearray(n * sizeof(uint64_t))
        codes = <uint16_t*><char*>out_codes
        order_ids = <uint64_t*><char*>out_ids
        with nogil:
            i = 0
            while done < n and self.s.log.fault == 0:
                command[0] = commands[i]
                if command[0].records == 2 and i + 1 < total:
                    command[1] = commands[i + 1]
                elif command[0].records != 1:
                    break
                codes[done] = <uint16_t>self._apply(command)
                order_ids[done] = self.receipt.order_id
                i += command[0].records
                done += 1
                if i >= total:
                    break
        self._leave()
        return out_codes[:done * sizeof(uint16_t)], out_ids[:done * sizeof(uint64_t)]

    @property
    def last(self):
        """(order id or new account, filled lots, resting lots) of the last command."""
        return self.receipt.order_id, self.receipt.filled_lots, self.receipt.resting_lots

    # --- events

    @property
    def first_seq(self):
        """Sequence number of the oldest event still held."""
        return self.s.log.first_seq

    @property
    def next_seq(self):
        """Sequence number that the next event will get."""
        return self.s.log.first_seq + <uint64_t>self.s.log.count

    def view(self, uint64_t first, uint64_t end):
        """Events first <= seq < end as a read-only buffer that pins its memory. IndexError when dropped."""
        cdef EventView view = EventView.__new__(EventView)
        if first < self.s.log.first_seq or end < first or end > self.next_seq:
            raise IndexError(f"events {first} to {end} are not held (held: {self.first_seq} to {self.next_seq})")
        if self.busy:
            raise self.busy_error("the exchange is working on another call; one thread at a time")
        view.block = self.s.log.events
        view.first = self.s.log.events + (first - self.s.log.first_seq)
        view.size = <Py_ssize_t>((end - first) * RECORD_BYTES)
        block_pin(view.block)
        return view

    # --- reads

    cdef _require_idle(self, uint32_t account=0, uint32_t instrument=0):
        if self.busy:
            raise self.busy_error("the exchange is working on another call; one thread at a time")
        if account >= self.s.ledger.account_count or instrument >= self.s.ledger.instrument_count:
            raise IndexError("no such account or instrument")

    @property
    def clock_ns(self):
        return self.s.clock_ns

    def account_id(self, bytes name):
        """The id behind a name, or None."""
        return self.ids.get(name)

    def account_names(self):
        """All names in order of opening; the first one has id 16."""
        return list(self.names)

    def mark_ticks(self, uint32_t instrument):
        self._require_idle(0, instrument)
        return self.s.ledger.instruments[instrument].mark_ticks

    def wallet(self, uint32_t account, uint32_t currency):
        """(cash, holds, free for orders, spendable)."""
        self._require_idle(account)
        if currency >= self.s.ledger.currency_count:
            raise IndexError("no such currency")
        return (wallet_of(&self.s.ledger, account, currency).cash_units,
                wallet_of(&self.s.ledger, account, currency).hold_units,
                free_units(&self.s.ledger, account, currency, False),
                free_units(&self.s.ledger, account, currency, True))

    def positions(self, uint32_t account):
        """The account's position records by instrument: (instrument, size, cost, margin, leverage, mode,
        stuck, hold, resting reduce-only lots)."""
        cdef int32_t index
        cdef Position* p
        self._require_idle(account)
        index = self.s.ledger.accounts[account].first_position
        rows = []
        while index >= 0:
            p = &self.s.ledger.positions[index]
            rows.append((p.instrument, p.size_lots, p.cost_units, p.margin_units, p.leverage, p.mode, p.stuck,
                         p.hold_units, p.reduce.lots))
            index = p.next
        return rows

    cdef _order_row(self, int32_t slot, uint32_t instrument):
        cdef Order* o = &self.s.arena.orders[slot]
        return (o.order_id, o.account, instrument, o.side, book_price(&self.s.books[instrument], &self.s.arena, slot),
                o.remaining_lots, o.size_lots, o.client_id, o.flags, o.tif, o.open_loss_ticks)

    def orders_of(self, uint32_t account):
        """The account's resting orders by id: (order id, account, instrument, side, price, remaining, size,
        client id, flags, tif, open loss ticks)."""
        cdef int32_t index, slot
        self._require_idle(account)
        index = self.s.ledger.accounts[account].first_position
        rows = []
        while index >= 0:
            slot = self.s.ledger.positions[index].first_order
            while slot >= 0:
                rows.append(self._order_row(slot, self.s.ledger.positions[index].instrument))
                slot = self.s.arena.own[slot].next
            index = self.s.ledger.positions[index].next
        rows.sort()
        return rows

    def find_order(self, uint32_t account, uint64_t order_id, uint64_t client_id):
        """The row of the account's live order, by order id, else by client id; None when there is none."""
        cdef int32_t slot
        self._require_idle()
        if order_id == 0 and client_id != 0:
            order_id = clients_find(&self.s.clients, account, client_id)
        slot = arena_find(&self.s.arena, order_id)
        if slot < 0 or self.s.arena.orders[slot].account != account:
            return None
        return self._order_row(slot, order_instrument(&self.s, slot))

    def resting(self, uint32_t instrument):
        """Every resting order of a book, bids best first and in time order, then asks; rows as orders_of."""
        cdef int side
        cdef int32_t level, slot
        self._require_idle(0, instrument)
        rows = []
        for side in range(2):
            level = self.s.books[instrument].side[side].best
            while level >= 0:
                slot = self.s.books[instrument].levels[level].head
                while slot >= 0:
                    rows.append(self._order_row(slot, instrument))
                    slot = self.s.arena.orders[slot].next
                level = book_worse(&self.s.books[instrument], side, level)
        return rows

    def depth(self, uint32_t instrument, int64_t n):
        """(bids, asks), best first, each a list of (price ticks, lots), at most n levels."""
        cdef int side
        cdef int64_t left
        cdef int32_t level
        self._require_idle(0, instrument)
        result = ([], [])
        for side in range(2):
            level = self.s.books[instrument].side[side].best
            left = n
            while level >= 0 and left > 0:
                result[side].append((self.s.books[instrument].levels[level].price_ticks,
                                     self.s.books[instrument].levels[level].total_lots))
                level = book_worse(&self.s.books[instrument], side, level)
                left -= 1
        return result

    def parcels(self):
        """The house's parcels by id: (id, instrument, size, cost, bankruptcy ticks, order id, origin)."""
        cdef int32_t i
        self._require_idle()
        return [(self.s.ledger.parcels[i].parcel_id, self.s.ledger.parcels[i].instrument, self.s.ledger.parcels[i].size_lots,
                 self.s.ledger.parcels[i].cost_units, self.s.ledger.parcels[i].bankruptcy_ticks,
                 self.s.ledger.parcels[i].order_id, self.s.ledger.parcels[i].origin)
                for i in range(self.s.ledger.parcel_count)]

    @property
    def account_count(self):
        return self.s.ledger.account_count

    def state(self):
        """The canonical bytes of the state (docs/digest.md), as little-endian 64-bit integers."""
        cdef Ledger* l = &self.s.ledger
        cdef uint32_t account, i
        cdef int32_t index
        cdef int64_t k
        self._require_idle()
        out = [self.s.clock_ns, self.s.order_count, l.next_parcel_id, len(self.names)]
        for account in range(l.account_count):
            for i in range(l.currency_count):
                out.append(wallet_of(l, account, i).cash_units)
        for i in range(l.instrument_count):
            out.append(l.instruments[i].mark_ticks)
        for account in range(FIRST_USER, l.account_count):
            for row in self.positions(account):
                out.append(account)
                out.extend(row[:7])
        for i in range(l.instrument_count):
            rows = self.resting(i)
            out.append(len(rows))
            for row in rows:
                out.extend(row)
        rows = self.parcels()
        out.append(len(rows))
        for row in rows:
            out.extend(row)
        out.append(self.s.arena.high_water)
        out.append(self.s.arena.free_count)
        for index in range(self.s.arena.free_count):
            out.append(self.s.arena.free_stack[index])
        out.append(self.s.clients.count)
        for k in range(self.s.clients.count):
            index = <int32_t>((self.s.clients.first + k) & (WINDOW - 1))
            out.append(self.s.clients.finished[index].account)
            out.append(self.s.clients.finished[index].client_id)
            out.append(self.s.clients.finished[index].order_id)
        return self.config + b"".join([name.ljust(NAME_BYTES, b"\0") for name in self.names]) + b"".join(
            [(<object>number & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "little") for number in out])

    def check(self):
        """The invariants, recomputed from the state: None, or the first sum that does not hold, as text."""
        self._require_idle()
        return audit.broken(&self.s)
