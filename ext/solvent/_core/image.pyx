"""Forks and images of a kernel; the contract is in image.pxd."""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_FillInfo, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset, strcmp
from solvent._core.account.ledger cimport FIRST_USER, notes_begin, position_find
from solvent._core.account.parcels cimport parcels_left, parcels_link, parcels_sweep
from solvent._core.base.commands cimport PlaceOrder
from solvent._core.base.checksum cimport Sum, sum_end, sum_open, sum_take
from solvent._core.base.event_log cimport EventLog, log_open
from solvent._core.base.money cimport floor128, int128
from solvent._core.base.pool cimport room, taken, zeroed
from solvent._core.base.schema cimport (
    LEDGER, LIQUIDATION, MAKER_FEE, NAME_BYTES, OK, ORDER, RECORD_BYTES, SOURCES, TAKER_FEE, TRADE, TRADING, Event,
)
from solvent._core.market.book cimport book_rooms
from solvent._core.reader cimport IDLE, PINNED, WORKING
from solvent._core.recorder cimport Recorder
from solvent._core.rows cimport position_row, wallet_row
from solvent._core.sound cimport sound_head, sound_whole
from solvent._core.trade.placement cimport check_names, try_place
from solvent._core.trade.preview cimport Previewed, preview_end, preview_order
from solvent._core.trade.state cimport State, Ticket
from solvent._core.walk cimport NESTED, Block, Walk, room_for, state_close, state_fork, walk

from solvent._core.base.checksum import checksum


cdef tuple _NAMES = ("head", "born", "config", "decimals", "instrument.names", "account.ends", "account.names")
cdef tuple _ITEM_BYTES = (sizeof(Head), 1, 1, 1, NAME_BYTES, sizeof(uint64_t), 1)

cdef enum:
    CHUNK = 1 << 17        # bytes that are summed, copied and looked at while they are in cache

cdef struct Found:         # a block of a state, with the address of its items
    Block block
    const void* items
    void* copy             # of a block that holds pointers

cdef struct Shadow:        # the blocks of a state that is written down
    Found* found
    int32_t count
    int32_t capacity
    bint failed

cdef struct Given:         # a block from outside
    const char* name
    size_t item_bytes
    int64_t count
    Py_buffer buffer

cdef enum Failure:
    NO_FAILURE = 0
    OTHER_BLOCK = 1
    OUT_OF_RANGE = 2
    NO_MEMORY = 3

cdef struct Filling:       # a state that is being made from blocks
    Given* given
    int64_t given_count
    int64_t at
    uint64_t sum
    Failure failure
    const char* wanted     # the name of the block that failed


# --- What commands did ---------------------------------------------------------------------------------

cdef struct Taken:         # what an order took, as the events of a fork tell it
    int64_t lots
    int128 value           # lots times ticks
    int64_t fee_units
    bint liquidated


cdef void taken_of(const EventLog* log, uint32_t account, uint64_t order_id, Taken* sums) noexcept nogil:
    """Sums up the trades and the trading fees of an order."""
    cdef const Event* e
    cdef int64_t i = 0
    memset(sums, 0, sizeof(Taken))
    while i < log.count:
        e = &log.events[i]
        i += e.records
        if e.type == TRADE and order_id and <uint64_t>e.b == order_id:
            sums.lots += e.d
            sums.value += <int128>e.d * e.c
        elif e.type == LEDGER and order_id and (e.reason == TAKER_FEE or e.reason == MAKER_FEE) and <uint64_t>e.e == order_id:
            sums.fee_units += e.b if e.account == account else 0
            sums.fee_units -= e.b if <uint32_t>e.a == account else 0
        elif e.type == LIQUIDATION and e.account == account:
            sums.liquidated = True


cdef bint _is_quick(State* s, const PlaceOrder* c) noexcept nogil:
    """True if a command is an order that a dry run tells all of: no trigger, parcel, collateral or volume can be concerned."""
    if s.bare or s.log.fault or c.type != ORDER or c.records != 1 or c.time_ns != s.clock_ns:
        return False
    if c.client_id or c.stp_mode or c.stp_group or check_names(s, c.account, c.instrument) != OK:
        return False
    if s.fees.counts or parcels_left(&s.ledger) or s.ledger.collateral_count or s.ledger.orders_count:
        return False
    if s.ledger.instruments[c.instrument].limits != NULL or s.ledger.instruments[c.instrument].listing != TRADING:
        return False
    if s.ledger.instruments[c.instrument].calls.beyond_band != 0 or s.books[c.instrument].wholes != 0 or s.looks:
        return False
    return s.triggers[c.instrument].count == 0 and position_find(&s.ledger, c.account, c.instrument, 0) >= 0


# --- Out -----------------------------------------------------------------------------------------------

@cython.final
cdef class Pinned:
    """A block of the state as a read-only buffer. While somebody holds it no command runs."""

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        PyBuffer_FillInfo(buffer, self, <void*>self.items, self.bytes, 1, flags)
        self.owner.pins += 1
        self.owner.busy = PINNED

    def __releasebuffer__(self, Py_buffer* buffer):
        self.owner.pins -= 1
        if self.owner.pins == 0:
            self.owner.busy = IDLE


cdef inline void* _mark(const void* items) noexcept nogil:
    """Returns what stands in an image for an address: whether there is one."""
    return <void*>1 if items != NULL else NULL


cdef void _note(State* s, Block* block, void* context) noexcept nogil:
    """Notes a block of a shadow, whose pointers it replaces by marks; a block that holds pointers is copied first."""
    cdef Shadow* shadow = <Shadow*>context
    cdef Found* found
    cdef void* items = block.items[0]
    block.items[0] = _mark(items)
    if shadow.failed or not room(<void**>&shadow.found, shadow.count, &shadow.capacity, sizeof(Found)):
        shadow.failed = True
        if block.kind == NESTED:
            block.items[0] = NULL
        return
    found = &shadow.found[shadow.count]
    shadow.count += 1
    found.block = block[0]
    found.items = items
    found.copy = NULL
    if block.kind == NESTED and block.count > 0:
        found.copy = taken(<size_t>block.count * block.item_bytes)
        shadow.failed = found.copy == NULL
        if not shadow.failed:
            memcpy(found.copy, items, <size_t>block.count * block.item_bytes)
        block.items[0] = found.copy
    elif block.kind == NESTED:
        block.items[0] = NULL


cdef void _scrub(State* s, const State* source, Shadow* shadow) noexcept nogil:
    """Makes a shadow: the state with marks for pointers, and without events and scratch."""
    cdef Walk w
    cdef int32_t i
    memset(shadow, 0, sizeof(Shadow))
    memcpy(s, source, sizeof(State))
    memset(&s.log, 0, sizeof(s.log))
    memset(&s.preview, 0, sizeof(s.preview))
    s.preview.run = source.preview.run
    memset(&s.guards, 0, sizeof(s.guards))
    notes_begin(&s.ledger)
    s.ledger.log = NULL
    s.ledger.past.clock_ns = NULL
    s.client_ids.pool = NULL
    w.s = s
    w.visit = _note
    w.context = shadow
    w.tight = False
    walk(&w)
    for i in range(shadow.count):
        if shadow.found[i].copy != NULL:
            shadow.found[i].block.items[0] = _mark(shadow.found[i].items)


# --- In ------------------------------------------------------------------------------------------------

cdef void _fail(Filling* f, Failure failure, const char* name) noexcept nogil:
    if f.failure == NO_FAILURE:
        f.failure = failure
        f.wanted = name


cdef inline int64_t _items(Block* block, size_t bytes) noexcept nogil:
    return <int64_t>floor128(<int64_t>bytes, <int64_t>block.item_bytes)


cdef void _fill(State* s, Block* block, void* context) noexcept nogil:
    """Replaces a mark by memory with the items of the next given block; after a failure by nothing."""
    cdef Filling* f = <Filling*>context
    cdef Given* given
    cdef Sum sum
    cdef size_t bytes, at = 0, piece, chunk
    cdef int64_t first = 0
    block.items[0] = NULL
    if f.failure != NO_FAILURE:
        return
    given = &f.given[f.at]
    if (f.at == f.given_count or strcmp(given.name, block.name) != 0 or given.item_bytes != block.item_bytes
            or given.count != block.count or block.count < 0
            or <size_t>given.buffer.len != <size_t>block.count * block.item_bytes):
        _fail(f, OTHER_BLOCK, block.name)
        return
    f.at += 1
    sum_open(&sum)
    if block.capacity > 0:
        block.items[0] = room_for(block)
        if block.items[0] == NULL:
            _fail(f, NO_MEMORY, block.name)
            return
    bytes = given.buffer.len
    chunk = 32 * block.item_bytes
    while chunk < CHUNK:
        chunk *= 2
    while at < bytes:
        piece = chunk if bytes - at > chunk else bytes - at
        sum_take(&sum, <char*>given.buffer.buf + at, piece)
        memcpy(<char*>block.items[0] + at, <char*>given.buffer.buf + at, piece)
        if block.sound != NULL and not block.sound(s, block.owner, <char*>block.items[0] + at, first, _items(block, piece)):
            _fail(f, OUT_OF_RANGE, block.name)
        first += _items(block, piece)
        at += piece
    f.sum = sum_end(&sum, f.sum)


cdef bint _reserved(State* s) noexcept nogil:
    """Makes the room that trailing orders keep for their next triggers. Returns False when memory is gone."""
    cdef uint32_t i
    cdef int source
    for i in range(s.ledger.instrument_count):
        for source in range(SOURCES):
            if s.triggers[i].books[source] != NULL and not book_rooms(
                    s.triggers[i].books[source], s.triggers[i].trailing_count + 1):
                return False
    return True


cdef bint _make(State* s, Filling* f, uint64_t wanted) noexcept nogil:
    """Makes a state from its head and the given blocks. Returns False, with nothing held, if they are none."""
    cdef Walk w
    memset(&s.log, 0, sizeof(s.log))
    s.preview.rows = NULL
    s.preview.orders = NULL
    s.preview.row_count = s.preview.row_capacity = s.preview.order_count = s.preview.order_capacity = 0
    memset(&s.guards, 0, sizeof(s.guards))
    notes_begin(&s.ledger)
    s.ledger.log = &s.log
    s.ledger.past.clock_ns = &s.clock_ns
    s.client_ids.pool = &s.pool
    w.s = s
    w.visit = _fill
    w.context = f
    w.tight = True
    if not sound_head(s):
        _fail(f, OUT_OF_RANGE, "state")
        return False
    walk(&w)
    if f.at != f.given_count:
        _fail(f, OTHER_BLOCK, "end")
    if f.failure == NO_FAILURE and not sound_whole(s):
        _fail(f, OUT_OF_RANGE, "state")
    if f.failure == NO_FAILURE and not (_reserved(s) and log_open(&s.log, wanted)):
        _fail(f, NO_MEMORY, "state")
    if f.failure != NO_FAILURE:
        state_close(s)
    else:
        parcels_link(&s.ledger)
    return f.failure == NO_FAILURE


cdef class Portable(Recorder):
    """A kernel's state as one thing."""

    def fork(self, bint loud=False):
        """Returns a copy that goes on by itself. Its log begins empty, at the next event's number. Raises MemoryError.

        loud: True writes all types of event, whatever the original writes.
        """
        cdef Portable other
        self._require_idle()
        self.busy = WORKING
        try:
            other = self._copied()
        finally:
            self.busy = IDLE
        if loud:
            other.s.log.wanted = 0xFFFFFFFFFFFFFFFF
        return other

    cdef Portable _copied(self):
        """Returns a copy. The caller has made sure that nobody else works on the state."""
        cdef Portable other = type(self).__new__(type(self))
        cdef bint made = False
        self._read_names()
        other.ids, other.names, other.instruments = dict(self.ids), list(self.names), dict(self.instruments)
        other.decimals, other.from_records = self.decimals, self.from_records
        other.config, other.born = self.config, self.born
        other.busy_error, other.halted_error, other.type_error = self.busy_error, self.halted_error, self.type_error
        other.range_error, other.input_error = self.range_error, self.input_error
        other.receipt, other.command_seq, other.seed, other.keep_from = (
            self.receipt, self.command_seq, self.seed, self.keep_from)
        with nogil:
            made = state_fork(&other.s, &self.s)
        if not made:
            raise MemoryError
        other.busy = IDLE
        return other

    def preview(self, records, uint32_t account, uint32_t instrument, uint8_t leg):
        """Returns what commands would do, one after the other up to the first that is refused: solvent.schema.rows.PreviewRow.

        records: the bytes of each command. account, instrument, leg: whose rows are shown.
        """
        cdef Portable other
        cdef Taken sums
        cdef int code = OK
        self._require_idle(account, instrument)
        if len(records) == 1 and leg == 0 and len(records[0]) == RECORD_BYTES:
            found = self._quick(records[0], account, instrument)
            if found is not None:
                return found
        other = self.fork(True)
        other.receipt.filled_lots = other.receipt.resting_lots = 0
        other.receipt.order_id = 0
        for record in records:
            code = other.apply(record)
            if code:
                break
        taken_of(&other.s.log, account, other.receipt.order_id, &sums)
        return (code, other.receipt.filled_lots, other.receipt.resting_lots, sums.lots, sums.value, sums.fee_units,
                sums.liquidated, position_row(&other.s, account, instrument, leg),
                wallet_row(&other.s, account, other.s.ledger.instruments[instrument].currency))

    cdef tuple _quick(self, const unsigned char[::1] record, uint32_t account, uint32_t instrument):
        """Answers `preview` from a dry run where nobody but the two sides of the fills can be concerned, else None."""
        cdef State* s = &self.s
        cdef PlaceOrder order
        cdef Previewed seen
        cdef Ticket t
        cdef int32_t fault = s.log.fault
        cdef int code
        cdef bint whole
        memcpy(&order, &record[0], sizeof(PlaceOrder))
        if not _is_quick(s, &order) or order.account != account or order.instrument != instrument:
            return None
        s.may_cost_others = False
        memset(&seen, 0, sizeof(Previewed))
        code = try_place(s, &order, &t)
        whole = code != OK or preview_order(s, &t, &seen)
        found = None
        try:
            if whole and s.log.fault == fault:
                found = (code, seen.filled_lots, seen.resting_lots, seen.filled_lots, seen.value, seen.fee_units, 0,
                         position_row(s, account, instrument, 0),
                         wallet_row(s, account, s.ledger.instruments[instrument].currency))
        finally:
            preview_end(s)
            s.log.fault = fault
        return found

    def image(self):
        """Returns the state as a list of blocks: (name, bytes of an item, items, read-only memory).

        Large blocks are the state's own memory: no command runs while one of them is held (Busy). `restore` takes the list.
        Raises Halted for a kernel that has halted in the middle of a command.
        """
        self._require_idle()
        if self.s.log.fault:
            raise self.halted_error("the exchange halted within a command; an image needs a whole state")
        return self._python_blocks() + self._state_blocks()

    cdef list _python_blocks(self):
        cdef Head head
        cdef Py_ssize_t i = 0, count
        cdef bytes name, block
        cdef uint64_t end = 0
        cdef uint64_t* ends
        self._read_names()
        count = len(self.names)
        block = PyBytes_FromStringAndSize(NULL, count * <Py_ssize_t>sizeof(uint64_t))
        memset(&head, 0, sizeof(Head))
        head.layout, head.state_bytes, head.bare, head.wanted = LAYOUT, sizeof(State), self.s.bare, self.s.log.wanted
        head.seed, head.command_seq, head.receipt = self.seed, self.command_seq, self.receipt
        head.next_seq = self.s.log.first_seq + <uint64_t>self.s.log.count
        ends = <uint64_t*>PyBytes_AS_STRING(block)
        for name in self.names:
            end += len(name)
            ends[i] = end
            i += 1
        listed = b""
        for name in self.instruments:
            listed += name.ljust(NAME_BYTES, b"\0")
        data = (PyBytes_FromStringAndSize(<char*>&head, sizeof(Head)), self.born, self.config, bytes(self.decimals), listed,
                block, b"".join(self.names))
        counts = 1, len(self.born), len(self.config), len(self.decimals), len(self.instruments), count, end
        blocks = []
        for i in range(len(data)):
            blocks.append((_NAMES[i], _ITEM_BYTES[i], counts[i], memoryview(data[i])))
        return blocks

    cdef list _state_blocks(self):
        cdef Shadow shadow
        cdef Found* found
        cdef Pinned pinned
        cdef int32_t i
        cdef State* s = <State*>zeroed(1, sizeof(State))
        cdef list blocks = []
        if s == NULL:
            raise MemoryError
        parcels_sweep(&self.s.ledger)
        _scrub(s, &self.s, &shadow)
        try:
            if shadow.failed:
                raise MemoryError
            blocks.append(("state", sizeof(State), 1, memoryview(PyBytes_FromStringAndSize(<char*>s, sizeof(State)))))
            for i in range(shadow.count):
                found = &shadow.found[i]
                if found.block.count == 0:
                    data = b""
                elif found.copy != NULL:
                    data = PyBytes_FromStringAndSize(<char*>found.copy, found.block.count * <Py_ssize_t>found.block.item_bytes)
                else:
                    pinned = Pinned.__new__(Pinned)
                    pinned.owner, pinned.items = self, found.items
                    pinned.bytes = found.block.count * <Py_ssize_t>found.block.item_bytes
                    data = pinned
                blocks.append((found.block.name.decode(), found.block.item_bytes, found.block.count, memoryview(data)))
        finally:
            for i in range(shadow.count):
                free(shadow.found[i].copy)
            free(shadow.found)
            free(s)
        return blocks

    cdef int _refuse_image(self, str why) except -1:
        raise self.input_error(f"this is no image that fits: {why}; nothing was changed")

    cdef int _check_head(self, const Head* head, list given) except -1:
        """Refuses the image of another build or exchange."""
        if head.layout != LAYOUT or head.state_bytes != sizeof(State):
            self._refuse_image(f"its layout is {head.layout}, and this build has {LAYOUT}")
        if head.bare != <uint64_t>self.s.bare or given[1] != self.born or given[3] != bytes(self.decimals):
            self._refuse_image("it is of an exchange with other instruments, currencies or rules")
        if head.wanted != self.s.log.wanted:
            self._refuse_image("its exchange writes other event types (argument log)")
        return 0

    cdef dict _check_names(self, list given):
        """Refuses names of accounts that do not fit together. Returns the names of instruments."""
        cdef bytes listed = given[4], block = given[5], text = given[6]
        cdef const uint64_t* ends = <const uint64_t*>PyBytes_AS_STRING(block)
        cdef uint64_t at = 0
        cdef int64_t i
        for i in range(len(block) >> 3):
            if ends[i] <= at or ends[i] > <uint64_t>len(text) or ends[i] - at > NAME_BYTES:
                self._refuse_image("the names of accounts do not fit together")
            at = ends[i]
        if at != <uint64_t>len(text):
            self._refuse_image("the names of accounts do not fit together")
        instruments = {}
        for i in range(len(listed) >> 6):
            instruments[listed[NAME_BYTES * i:NAME_BYTES * (i + 1)].rstrip(b"\0")] = i
        return instruments

    cdef tuple _taken_apart(self, blocks):
        """Returns the data of the first blocks, which are Python's, the other blocks, and the checksum so far."""
        cdef list all_blocks = list(blocks)
        cdef list given = []
        cdef uint64_t found = 0
        for i in range(len(all_blocks)):
            block = all_blocks[i]
            if type(block) is not tuple or len(block) != 4 or type(block[0]) is not str:
                self._refuse_image(f"block {i} is not (name, bytes of an item, items, data)")
            if i < len(_NAMES):
                given.append(bytes(block[3]))
                if block[:2] != (_NAMES[i], _ITEM_BYTES[i]) or len(given[i]) != block[1] * block[2]:
                    self._refuse_image(f"block {i} is not {_NAMES[i]!r}")
                found = checksum(found, given[i])
        if len(all_blocks) <= len(_NAMES) or all_blocks[len(_NAMES)][0] != "state":
            self._refuse_image("it has no state")
        return given, all_blocks[len(_NAMES):], found

    cdef int _filled(self, State* s, list blocks, uint64_t* found) except -1:
        """Makes a state from blocks. Holds nothing afterwards but the state, if all went well."""
        cdef Filling f
        cdef Py_ssize_t i, held = 0
        cdef bint made = False
        cdef list names = []
        memset(&f, 0, sizeof(Filling))
        f.given = <Given*>zeroed(len(blocks), sizeof(Given))
        if f.given == NULL:
            raise MemoryError
        try:
            for i in range(len(blocks)):
                name, f.given[i].item_bytes, f.given[i].count, data = blocks[i]
                names.append(name.encode())
                f.given[i].name = PyBytes_AS_STRING(names[i])
                PyObject_GetBuffer(data, &f.given[i].buffer, PyBUF_SIMPLE)
                held += 1
            if f.given[0].buffer.len != sizeof(State):
                self._refuse_image("its state has another size")
            memcpy(s, f.given[0].buffer.buf, sizeof(State))
            f.sum = checksum(found[0], blocks[0][3])
            f.given_count, f.at = len(blocks), 1
            with nogil:
                made = _make(s, &f, self.s.log.wanted)
            found[0] = f.sum
        finally:
            for i in range(held):
                PyBuffer_Release(&f.given[i].buffer)
            free(f.given)
        if f.failure == NO_MEMORY:
            raise MemoryError
        if not made:
            self._refuse_image(f"block {f.wanted.decode()!r} " + (
                "is out of range" if f.failure == OUT_OF_RANGE else f"is wanted as block {f.at + len(_NAMES)}, and is not there"))
        return 0

    def restore(self, blocks, sum=None):
        """Fills this kernel, which has not seen a command yet, with an image, and returns the image's checksum.

        The checksum is that of the data of all blocks, each after the one before, from 0 on. sum: what it has to be; None: it
        is not compared. Raises the error for input, and changes nothing, for blocks that are no image of an exchange with
        these terms, made by a build with this layout; MemoryError.
        """
        cdef State* s
        cdef Head head
        cdef uint64_t found
        if self.busy:
            self._raise_busy()
        if self.command_seq:
            raise self.input_error("only a new exchange is filled from an image; this one has applied commands")
        given, blocks, found = self._taken_apart(blocks)
        memcpy(&head, PyBytes_AS_STRING(given[0]), sizeof(Head))
        self._check_head(&head, given)
        instruments = self._check_names(given)
        s = <State*>zeroed(1, sizeof(State))
        if s == NULL:
            raise MemoryError
        self.busy = WORKING
        try:
            self._filled(s, blocks, &found)
            if (s.bare != self.s.bare or s.ledger.account_count != <uint32_t>(FIRST_USER + (len(<bytes>given[5]) >> 3))
                    or len(instruments) != (0 if s.bare else s.ledger.instrument_count) or (sum is not None and sum != found)):
                state_close(s)
                self._refuse_image("its checksum is another" if sum is not None and sum != found else "its names are too many or too few")
            state_close(&self.s)
            memcpy(&self.s, s, sizeof(State))
        finally:
            free(s)
            self.busy = IDLE
        self.s.ledger.log, self.s.client_ids.pool = &self.s.log, &self.s.pool
        self.s.ledger.past.clock_ns = &self.s.clock_ns
        self.s.log.first_seq = head.next_seq
        self.seed, self.command_seq, self.receipt = head.seed, head.command_seq, head.receipt
        self.ids, self.names, self.unread_ends, self.unread_names = None, None, given[5], given[6]
        self.instruments, self.config = instruments, given[2]
        return found

    def __reduce__(self):
        blocks = []
        for name, item_bytes, count, data in self.image():
            blocks.append((name, item_bytes, count, bytes(data)))
        errors = self.busy_error, self.halted_error, self.type_error, self.range_error, self.input_error
        return _revived, (type(self), errors, self.from_records, self.born, tuple(self.decimals), bool(self.s.bare),
                          self.s.log.wanted, self.keep_from, blocks)


def _revived(kind, errors, from_records, bytes born, decimals, bint bare, uint64_t wanted, uint64_t keep_from, blocks):
    """Returns a kernel from a pickle."""
    cdef Portable made = kind.__new__(kind)
    made.busy_error, made.halted_error, made.type_error, made.range_error, made.input_error = errors
    made.from_records, made.born, made.decimals = from_records, born, list(decimals)
    made.s.bare, made.s.log.wanted, made.keep_from = bare, wanted, keep_from
    made.busy = IDLE
    made.restore(blocks)
    return made
