"""Events as Python objects, and the read-only memory they come from; the contract is in events.pxd."""

from cpython.buffer cimport PyBuffer_FillInfo
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memset
from solvent._core.records cimport ACCOUNT_OPENED, RECORD_BYTES, Event as Record, block_unpin

cdef enum:
    TYPES_MAX = 64
    FIELDS = 13            # of a record, in order: type, records, side, account, instrument, code, reason, seq, a to e

cdef enum Name:            # what the fields of some type are called
    CODE_NAME
    COMMAND_NAME
    TIME_NS_NAME
    COMMAND_SEQ_NAME
    ORDER_ID_NAME
    FILLED_LOTS_NAME
    RESTING_LOTS_NAME
    PAYER_NAME
    RECEIVER_NAME
    AMOUNT_UNITS_NAME
    PAYER_AFTER_NAME
    RECEIVER_AFTER_NAME
    REF_NAME
    CURRENCY_NAME
    POSTING_NAME
    MARGIN_OF_NAME
    MODE_NAME
    SIZE_LOTS_NAME
    COST_UNITS_NAME
    MARGIN_UNITS_NAME
    LEVERAGE_NAME
    PRICE_TICKS_NAME
    FLAGS_NAME
    TIF_NAME
    CLIENT_ID_NAME
    LIMIT_TICKS_NAME
    REMAINING_LOTS_NAME
    MAKER_ORDER_ID_NAME
    TAKER_ORDER_ID_NAME
    MAKER_NAME
    TAKER_NAME
    CUT_LOTS_NAME
    ENDING_NAME
    CANCELLED_LOTS_NAME
    VERDICT_NAME
    EQUITY_UNITS_NAME
    FULL_UNITS_NAME
    OWN_UNITS_NAME
    VALUE_UNITS_NAME
    TIER_NAME
    TARGET_TIER_NAME
    PARCEL_ID_NAME
    BANKRUPTCY_TICKS_NAME
    CHANGE_NAME
    CLOSED_LOTS_NAME
    GAIN_UNITS_NAME
    ADL_PASS_NAME
    SHARE_UNITS_NAME
    RANK_NAME
    KIND_NAME
    SOURCE_NAME
    TRIGGER_TICKS_NAME
    NAMES

cdef tuple _types = ()
cdef object _payload = {}
cdef tuple _names = ("code", "command", "time_ns", "command_seq", "order_id", "filled_lots", "resting_lots", "payer",
    "receiver", "amount_units", "payer_after", "receiver_after", "ref", "currency", "posting", "margin_of",
    "mode", "size_lots", "cost_units", "margin_units", "leverage", "price_ticks", "flags", "tif",
    "client_id", "limit_ticks", "remaining_lots", "maker_order_id", "taker_order_id", "maker", "taker",
    "cut_lots", "ending", "cancelled_lots", "verdict", "equity_units", "full_units", "own_units",
    "value_units", "tier", "target_tier", "parcel_id", "bankruptcy_ticks", "change", "closed_lots",
    "gain_units", "adl_pass", "share_units", "rank", "kind", "source", "trigger_ticks",)
cdef uint8_t _place[TYPES_MAX][NAMES]      # 0: the type has no such field, else field number + 1


def bind(types, fields, payload):
    """Takes the meaning of the fields from solvent.records: its event types, field names, and PAYLOAD."""
    global _types, _payload
    _payload = payload
    numbered = [None] * TYPES_MAX
    memset(_place, 0, sizeof(_place))
    for kind in types:
        numbered[kind] = kind
        for name, field in payload[kind].items():
            _place[<int>kind][<int>_names.index(name)] = <uint8_t>(<int>fields.index(field) + 1)
    _types = tuple(numbered)


cdef inline int64_t _field(const Record* r, int number) noexcept nogil:
    if number >= 8:
        return (&r.a)[number - 8]
    if number == 2:
        return r.side
    if number == 3:
        return r.account
    if number == 4:
        return r.instrument
    if number == 5:
        return r.code
    return r.reason


cdef class Event:
    """One event. The record's own fields are attributes, and so are the names of its type (docs/records.md).

    record: the thirteen fields of the header and payload. extra: the bytes of a second record, if there is one.
    Raises AttributeError for a name that its type does not have.
    """

    def __init__(self, record, bytes extra=b""):
        cdef Record* r = &self.r
        (r.type, r.records, r.side, r.account, r.instrument, r.code, r.reason, r.seq, r.a, r.b, r.c, r.d, r.e) = record
        self.extra = extra

    cdef int64_t _named(self, int name) except? -1:
        cdef int place = _place[self.r.type & (TYPES_MAX - 1)][name]
        if place == 0:
            raise AttributeError(f"{self.type.name} has no field {_names[name]!r}")
        return _field(&self.r, place - 1)

    @property
    def type(self):
        return _types[self.r.type]

    @property
    def record(self):
        """All thirteen fields."""
        return (self.r.type, self.r.records, self.r.side, self.r.account, self.r.instrument, self.r.code, self.r.reason,
                self.r.seq, self.r.a, self.r.b, self.r.c, self.r.d, self.r.e)

    @property
    def name(self):
        """The name that an ACCOUNT_OPENED carries, "" of any other type."""
        return self.extra.rstrip(b"\0").decode() if self.r.type == ACCOUNT_OPENED else ""

    def __eq__(self, other):
        return isinstance(other, Event) and self.record == other.record and self.extra == (<Event>other).extra

    def __hash__(self):
        return hash(self.record)

    def __repr__(self):
        shown = [f"account={self.r.account}"]
        if self.r.instrument != 0xFFFFFFFF:
            shown.append(f"instrument={self.r.instrument}")
        shown += [f"{each}={getattr(self, each)}" for each in _payload[self.r.type]]
        if self.name:
            shown.append(f"name={self.name!r}")
        return f"{self.type.name}(seq={self.r.seq}, {', '.join(shown)})"

    # --- the record's own fields

    @property
    def side(self):
        return self.r.side

    @property
    def account(self):
        return self.r.account

    @property
    def instrument(self):
        return self.r.instrument

    @property
    def reason(self):
        return self.r.reason

    @property
    def seq(self):
        return self.r.seq

    @property
    def records(self):
        return self.r.records

    @property
    def a(self):
        return self.r.a

    @property
    def b(self):
        return self.r.b

    @property
    def c(self):
        return self.r.c

    @property
    def d(self):
        return self.r.d

    @property
    def e(self):
        return self.r.e

    # --- what they are called, by type

    @property
    def code(self):
        return self.r.code

    @property
    def command(self):
        return self._named(COMMAND_NAME)

    @property
    def time_ns(self):
        return self._named(TIME_NS_NAME)

    @property
    def command_seq(self):
        return self._named(COMMAND_SEQ_NAME)

    @property
    def order_id(self):
        return self._named(ORDER_ID_NAME)

    @property
    def filled_lots(self):
        return self._named(FILLED_LOTS_NAME)

    @property
    def resting_lots(self):
        return self._named(RESTING_LOTS_NAME)

    @property
    def payer(self):
        return self._named(PAYER_NAME)

    @property
    def receiver(self):
        return self._named(RECEIVER_NAME)

    @property
    def amount_units(self):
        return self._named(AMOUNT_UNITS_NAME)

    @property
    def payer_after(self):
        return self._named(PAYER_AFTER_NAME)

    @property
    def receiver_after(self):
        return self._named(RECEIVER_AFTER_NAME)

    @property
    def ref(self):
        return self._named(REF_NAME)

    @property
    def currency(self):
        return self._named(CURRENCY_NAME)

    @property
    def posting(self):
        return self._named(POSTING_NAME)

    @property
    def margin_of(self):
        return self._named(MARGIN_OF_NAME)

    @property
    def mode(self):
        return self._named(MODE_NAME)

    @property
    def size_lots(self):
        return self._named(SIZE_LOTS_NAME)

    @property
    def cost_units(self):
        return self._named(COST_UNITS_NAME)

    @property
    def margin_units(self):
        return self._named(MARGIN_UNITS_NAME)

    @property
    def leverage(self):
        return self._named(LEVERAGE_NAME)

    @property
    def price_ticks(self):
        return self._named(PRICE_TICKS_NAME)

    @property
    def flags(self):
        return self._named(FLAGS_NAME)

    @property
    def tif(self):
        return self._named(TIF_NAME)

    @property
    def client_id(self):
        return self._named(CLIENT_ID_NAME)

    @property
    def limit_ticks(self):
        return self._named(LIMIT_TICKS_NAME)

    @property
    def remaining_lots(self):
        return self._named(REMAINING_LOTS_NAME)

    @property
    def maker_order_id(self):
        return self._named(MAKER_ORDER_ID_NAME)

    @property
    def taker_order_id(self):
        return self._named(TAKER_ORDER_ID_NAME)

    @property
    def maker(self):
        return self._named(MAKER_NAME)

    @property
    def taker(self):
        return self._named(TAKER_NAME)

    @property
    def cut_lots(self):
        return self._named(CUT_LOTS_NAME)

    @property
    def ending(self):
        return self._named(ENDING_NAME)

    @property
    def cancelled_lots(self):
        return self._named(CANCELLED_LOTS_NAME)

    @property
    def verdict(self):
        return self._named(VERDICT_NAME)

    @property
    def equity_units(self):
        return self._named(EQUITY_UNITS_NAME)

    @property
    def full_units(self):
        return self._named(FULL_UNITS_NAME)

    @property
    def own_units(self):
        return self._named(OWN_UNITS_NAME)

    @property
    def value_units(self):
        return self._named(VALUE_UNITS_NAME)

    @property
    def tier(self):
        return self._named(TIER_NAME)

    @property
    def target_tier(self):
        return self._named(TARGET_TIER_NAME)

    @property
    def parcel_id(self):
        return self._named(PARCEL_ID_NAME)

    @property
    def bankruptcy_ticks(self):
        return self._named(BANKRUPTCY_TICKS_NAME)

    @property
    def change(self):
        return self._named(CHANGE_NAME)

    @property
    def closed_lots(self):
        return self._named(CLOSED_LOTS_NAME)

    @property
    def gain_units(self):
        return self._named(GAIN_UNITS_NAME)

    @property
    def adl_pass(self):
        return self._named(ADL_PASS_NAME)

    @property
    def share_units(self):
        return self._named(SHARE_UNITS_NAME)

    @property
    def rank(self):
        return self._named(RANK_NAME)

    @property
    def kind(self):
        return self._named(KIND_NAME)

    @property
    def source(self):
        return self._named(SOURCE_NAME)

    @property
    def trigger_ticks(self):
        return self._named(TRIGGER_TICKS_NAME)


cdef class EventView:
    """Read-only bytes of consecutive events; pins its block, so that it stays what it was. Iterates as Events."""

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        PyBuffer_FillInfo(buffer, self, self.first, self.count * RECORD_BYTES, 1, flags)

    def __dealloc__(self):
        if self.block != NULL:
            block_unpin(self.block)

    def __iter__(self):
        cdef EventIterator iterator = EventIterator.__new__(EventIterator)
        iterator.view = self
        return iterator


cdef class EventIterator:
    """One pass over a view."""

    def __iter__(self):
        return self

    def __next__(self):
        cdef Event event
        if self.at >= self.view.count:
            raise StopIteration
        event = Event.__new__(Event)
        event.r = self.view.first[self.at]
        event.extra = b""
        self.at += 1
        if event.r.records == 2 and self.at < self.view.count:
            event.extra = PyBytes_FromStringAndSize(<char*>&self.view.first[self.at], RECORD_BYTES)
            self.at += 1
        return event
