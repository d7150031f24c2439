"""Command and event records: 64 bytes each, the same layout in the core, the reference and NumPy.

Owns the layouts and the numbers of commands, events and reasons; docs/records.md is the worksheet with the
fields still to come. Never interprets a record. Importing this module does not import NumPy.
"""

import struct
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Any

from solvent.schema.codes import InputError, shown

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "Basis", "COMMAND", "COMMAND_FIELDS", "CONTINUED", "COSTS_OTHERS", "CommandType", "Component", "EVENT",
    "EVENT_FIELDS", "EXTENSION", "EXTENSION_FIELDS", "Ending", "EventType", "Flag", "Kind", "Leg", "Listing",
    "Mode", "NOBODY", "NO_INSTRUMENT", "OrderRule", "PAYLOAD", "ParcelChange", "Posting", "Premium", "Purse",
    "RECORD_BYTES", "Scheme", "SelfTrade", "Side", "Source", "SourceState", "Step", "TERMS", "TERMS_FIELDS", "Tif",
    "TriggerFlag", "TriggerKind", "Verdict", "Weighting", "command", "dtype", "extension", "layout", "terms_of",
]  # fmt: skip

RECORD_BYTES = 64
COMMAND = struct.Struct("<HBBIIBBHqqqQQq")
EVENT = struct.Struct("<HBBIIHHQqqqqq")
EXTENSION = struct.Struct("<qqqqqqqBBBBBBH")
TERMS = struct.Struct("<HBBBBBBqqqqqqq")

COMMAND_FIELDS = (
    "type", "records", "side", "account", "instrument", "tif", "flags", "mode",
    "time_ns", "price_ticks", "size_lots", "client_id", "order_id", "amount",
)  # fmt: skip
EVENT_FIELDS = (
    "type", "records", "side", "account", "instrument", "code", "reason", "seq", "a", "b", "c", "d", "e",
)  # fmt: skip
EXTENSION_FIELDS = (
    "trigger_ticks", "trail", "expiry_ns", "display_lots", "peg_offset_ticks", "slippage_ppb", "group_id",
    "trigger_source", "trigger_kind", "peg", "hedge_side", "group_role", "trigger_flags", "spare",
)  # fmt: skip
TERMS_FIELDS = (
    "type", "records", "trigger_source", "trigger_kind", "trigger_flags", "stp_mode", "hedge_side",
    "trigger_ticks", "trail", "expiry_ns", "stp_group", "reference_ticks", "slippage_ppb", "spare_too",
)  # fmt: skip
CONTINUED = 0xFFFF
NO_INSTRUMENT = 0xFFFFFFFF
NOBODY = 0xFFFFFFFF


class CommandType(IntEnum):
    """What can be asked."""

    ADVANCE = 1
    OPEN_ACCOUNT = 2
    DEPOSIT = 3
    WITHDRAW = 4
    SEED_FUND = 5
    SET_LEVERAGE = 6
    MOVE_MARGIN = 7
    MARK = 8
    FUNDING = 9
    INDEX = 10
    SET_POSITION_MODE = 11
    TRANSFER = 12
    ADD_INSTRUMENT = 13
    HALT = 14
    SETTLE = 15
    ORDER = 16
    AMEND = 17
    CANCEL = 18
    MASS_CANCEL = 19
    SOURCE = 22


COSTS_OTHERS = frozenset({CommandType.MARK, CommandType.INDEX, CommandType.SOURCE, CommandType.FUNDING, CommandType.SETTLE})
"""What may start what the fund or winners pay (SAFE-1)."""


class EventType(IntEnum):
    """What can happen."""

    BEGIN = 1
    ACCOUNT_OPENED = 2
    LEDGER = 3
    POSITION = 4
    MARKED = 5
    ACCEPTED = 6
    RESTED = 7
    TRADE = 8
    REDUCED = 9
    DONE = 10
    LIQUIDATION = 11
    STEP_DOWN = 12
    TAKEOVER = 13
    PARCEL = 14
    ADL = 15
    REPLACED = 16
    TRIGGERED = 17
    INDEXED = 18
    FUNDED = 19
    NETTED = 20
    SOURCE_CHANGED = 21
    RATED = 22
    INSTRUMENT_ADDED = 23
    LISTING_CHANGED = 24
    ACCRUED = 25
    FEE_CHANGED = 26
    PASSED = 27


class Side(IntEnum):
    BUY = 0
    SELL = 1


class Tif(IntEnum):
    """Time in force."""

    GTC = 0
    IOC = 1
    FOK = 2
    GTD = 3


class Flag(IntFlag):
    POST_ONLY = 1
    REDUCE_ONLY = 2
    MARKET = 4
    HOUSE_ORDER = 8
    CLOSE_POSITION = 64
    SLIDE = 128


class SelfTrade(IntEnum):
    """What becomes of two orders of one owner that meet; the taker's word counts."""

    CANCEL_MAKER = 0
    CANCEL_TAKER = 1
    CANCEL_BOTH = 2
    DECREMENT = 3
    ALLOW = 4


class Source(IntEnum):
    """Which price a trigger watches."""

    BY_MARK = 0
    BY_LAST = 1
    BY_INDEX = 2


class TriggerKind(IntEnum):
    NO_TRIGGER = 0
    STOP = 1
    TAKE_PROFIT = 2
    TRAIL_TICKS = 3
    TRAIL_RATE = 4


class TriggerFlag(IntFlag):
    REFUSE_REACHED = 1


class Kind(IntEnum):
    """How a contract is valued."""

    LINEAR = 0
    INVERSE = 1
    QUANTO = 2


class Basis(IntEnum):
    """What the tiers of an instrument measure."""

    CONTRACTS = 0
    NOTIONAL = 1  # value at mark
    ENTRY = 2  # value at entry
    NET = 3  # contracts of both legs of a hedge, netted


class Scheme(IntEnum):
    """How a tier's rate becomes a requirement."""

    WHOLE = 0  # the whole position at its tier's rate
    DEDUCTION = 1  # each slab at its own rate
    SLOPE = 2  # the rate rises with every lot
    POWER = 3  # the rate rises with notional**0.8
    FACTOR = 4  # a share of the initial margin at the position's own leverage


class OrderRule(IntEnum):
    """How resting orders count in the ratio test of a cross domain."""

    IGNORED = 0
    BY_NOTIONAL = 1  # their value is added to the position's
    BY_FEE = 2  # their fee is taken from equity


class Component(IntFlag):
    """What a mark is the median of."""

    INDEX_PRICE = 1
    FAIR = 2
    BASIS_MEAN = 4
    BASIS_EMA = 8
    LAST = 16
    BOOK = 32
    EXTERNAL = 64
    BASIS_ANNUAL = 128


class Premium(IntEnum):
    """Of what a funding rate is made."""

    IMPACT = 0
    IMPACT_ON_MARK = 1
    MIDDLE = 2
    MARK_ALONE = 3


class Weighting(IntEnum):
    """Of the premiums of a period."""

    EQUAL_WEIGHTS = 0
    LINEAR_WEIGHTS = 1
    INDEX_WEIGHTS = 2


class SourceState(IntEnum):
    """What an index makes of a constituent."""

    MISSING = 0
    LIVE_SOURCE = 1
    STALE = 2
    WILD = 3


class Listing(IntEnum):
    """What may be done in an instrument."""

    TRADING = 0
    HALTED = 1  # no new orders, no amendments
    CLOSED = 2  # settled for good


class Leg(IntEnum):
    """Which position of an instrument: the only one, or a side of a hedge."""

    ONE_WAY = 0
    LONG = 1
    SHORT = 2


class Mode(IntEnum):
    """Margin mode."""

    CROSS = 0
    ISOLATED = 1


class Posting(IntEnum):
    """Why money moved (reason of LEDGER)."""

    DEPOSITED = 1
    WITHDRAWN = 2
    FUND_SEEDED = 3
    MAKER_FEE = 4
    TAKER_FEE = 5
    LIQUIDATION_FEE = 6
    REALISED = 7
    MARGIN_ASSIGNED = 8
    MARGIN_RELEASED = 9
    MARGIN_MOVED = 10
    TAKEN_OVER = 11
    PARCEL_GAIN = 12
    PARCEL_LOSS = 13
    DEFICIT_REPAID = 14
    SHORTFALL = 15
    ADL_TOP_UP = 16
    FUNDING_PAID = 17
    FUNDING_RECEIVED = 18
    TRANSFERRED = 19
    SETTLED = 20
    CONVERTED = 21


class Ending(IntEnum):
    """Why an order ended or shrank (reason of DONE and REDUCED)."""

    FILLED = 1
    CANCELLED = 2
    AMENDED = 3
    UNFILLED = 4
    SELF_TRADE = 5
    REDUCE_ONLY_CUT = 6
    BANKRUPTCY_LIMIT = 7
    LIQUIDATED = 8
    DELEVERAGED = 9
    UNWOUND = 10
    UNCOVERED = 11
    EXPIRED = 12
    TRIGGER_REFUSED = 13
    MASS_CANCELLED = 14
    DELISTED = 15
    POSITION_CLOSED = 16


class ParcelChange(IntEnum):
    """How a parcel changed (reason of PARCEL)."""

    TAKEN = 1
    FILLED_BY_BOOK = 2
    FILLED_BY_FUND = 3
    CLOSED_BY_ADL = 4
    CLOSED_BY_OPPOSITE = 5
    CLOSED_BY_SETTLEMENT = 6


class Step(IntEnum):
    """The steps of a liquidation (a rule set's table)."""

    VERDICT = 1
    CLEAR = 2
    NET = 3
    STEP_DOWN = 4
    TAKE_OVER = 5
    UNWIND = 6
    DELEVERAGE = 7
    RESIDUAL = 8


class Verdict(IntEnum):
    """What the ratio test found (reason of LIQUIDATION)."""

    SAFE = 0
    PARTIAL = 1
    FULL = 2


class Purse(IntEnum):
    """Account ids of the house (payer and receiver of LEDGER)."""

    OUTSIDE = 0
    CLEARING = 1
    FEES = 2
    FUND = 3
    DEFICIT = 4
    RESIDUE = 5
    HOUSE = 6
    CONVERTER = 7


PAYLOAD: dict[int, dict[str, str]] = {
    EventType.BEGIN: {
        "code": "code", "command": "reason", "time_ns": "a", "command_seq": "b", "order_id": "c",
        "filled_lots": "d", "resting_lots": "e",
    },
    EventType.ACCOUNT_OPENED: {"parent": "a"},
    EventType.LEDGER: {
        "payer": "account", "receiver": "a", "amount_units": "b", "payer_after": "c", "receiver_after": "d",
        "ref": "e", "currency": "code", "posting": "reason", "margin_of": "side",
    },
    EventType.POSITION: {
        "mode": "side", "size_lots": "a", "cost_units": "b", "margin_units": "c", "leverage": "d", "leg": "code",
        "leverage_parts": "e", "chosen_tier": "reason",
    },
    EventType.MARKED: {"price_ticks": "a", "index_fine": "b", "fair_fine": "c", "basis_fine": "d", "ema_fine": "e"},
    EventType.ACCEPTED: {
        "flags": "code", "tif": "reason", "order_id": "a", "price_ticks": "b", "size_lots": "c",
        "client_id": "d", "limit_ticks": "e",
    },
    EventType.RESTED: {"order_id": "a", "price_ticks": "b", "remaining_lots": "c"},
    EventType.TRADE: {
        "maker_order_id": "a", "taker_order_id": "b", "price_ticks": "c", "size_lots": "d", "maker": "e",
        "taker": "account",
    },
    EventType.REDUCED: {"order_id": "a", "cut_lots": "b", "remaining_lots": "c", "ending": "reason"},
    EventType.DONE: {
        "order_id": "a", "cancelled_lots": "b", "filled_lots": "c", "client_id": "d", "ending": "reason", "code": "code",
    },
    EventType.LIQUIDATION: {
        "mode": "side", "verdict": "reason", "currency": "code", "equity_units": "a", "full_units": "b",
        "own_units": "c", "value_units": "d", "leg": "e",
    },
    EventType.STEP_DOWN: {"tier": "a", "size_lots": "b", "limit_ticks": "c", "target_tier": "d", "leg": "e"},
    EventType.TAKEOVER: {
        "mode": "side", "parcel_id": "a", "size_lots": "b", "cost_units": "c", "equity_units": "d",
        "bankruptcy_ticks": "e", "leg": "code",
    },
    EventType.PARCEL: {
        "change": "reason", "parcel_id": "a", "size_lots": "b", "cost_units": "c", "closed_lots": "d",
        "gain_units": "e",
    },
    EventType.ADL: {
        "adl_pass": "reason", "parcel_id": "a", "closed_lots": "b", "share_units": "c", "rank": "d",
    },
    EventType.REPLACED: {"order_id": "a", "price_ticks": "b", "remaining_lots": "c", "size_lots": "d"},
    EventType.TRIGGERED: {
        "kind": "code", "source": "reason", "order_id": "a", "trigger_ticks": "b", "size_lots": "c", "price_ticks": "d",
        "limit_ticks": "e",
    },
    EventType.INDEXED: {"price_ticks": "a", "index_fine": "b", "sources": "c", "external_fine": "d"},
    EventType.FUNDED: {
        "period": "a", "rate_ppb": "b", "collected_units": "c", "paid_units": "d", "due_units": "e",
    },
    EventType.NETTED: {"price_ticks": "a", "size_lots": "b", "value_units": "c"},
    EventType.SOURCE_CHANGED: {"source": "a", "state": "reason", "price_fine": "b"},
    EventType.ACCRUED: {"period": "a", "rate_ppb": "b", "asked_ppb": "c"},
    EventType.FEE_CHANGED: {"leg": "code", "fee_ppb": "a"},
    EventType.PASSED: {},
    EventType.RATED: {"period": "a", "rate_ppb": "b", "premium_ppb": "c", "samples": "d"},
    EventType.INSTRUMENT_ADDED: {},
    EventType.LISTING_CHANGED: {"listing": "reason", "price_ticks": "a"},
}  # fmt: skip
"""What a type's fields mean, by the names that Event answers to."""


class Event:
    """One event. The record's own fields are attributes, and so are the names of its type in PAYLOAD.

    `extra` holds the bytes of a second record. The compiled core has the same class, faster; solvent.Event is that one
    where it is built.

    >>> e = Event((8, 1, 0, 17, 0, 0, 0, 5, 1, 2, 500000, 10, 16))
    >>> e.type.name, e.price_ticks, e.maker
    ('TRADE', 500000, 16)
    """

    __slots__ = ("record", "extra")

    def __init__(self, record: tuple[int, ...], extra: bytes = b""):
        self.record = record
        self.extra = extra

    @property
    def type(self) -> EventType:
        return EventType(self.record[0])

    @property
    def name(self) -> str:
        """The name that an ACCOUNT_OPENED carries."""
        return self.extra.rstrip(b"\0").decode() if self.record[0] == EventType.ACCOUNT_OPENED else ""

    def __getattr__(self, key: str) -> int:
        if key.startswith("__"):
            raise AttributeError(key)
        key = PAYLOAD[self.record[0]].get(key, key)
        try:
            return self.record[EVENT_FIELDS.index(key)]
        except ValueError:
            raise AttributeError(f"{self.type.name} has no field {key!r}") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Event) and self.record == other.record and self.extra == other.extra

    def __hash__(self) -> int:
        return hash(self.record)

    def __repr__(self) -> str:
        shown = [f"account={self.account}"]
        if self.instrument != NO_INSTRUMENT:
            shown.append(f"instrument={self.instrument}")
        shown += [f"{name}={self.__getattr__(name)}" for name in PAYLOAD[self.type]]
        if self.name:
            shown.append(f"name={self.name!r}")
        return f"{self.type.name}(seq={self.seq}, {', '.join(shown)})"


def terms_of(event: Event) -> dict[str, int]:
    """The further terms of an ACCEPTED order by name (docs/records.md); all zero for a plain one."""
    terms = dict(zip(TERMS_FIELDS, TERMS.unpack(event.extra or bytes(RECORD_BYTES)), strict=True))
    return {name: value for name, value in terms.items() if name not in ("type", "records", "spare", "spare_too")}


def command(kind: int, /, **fields: int) -> bytes:
    """One command record; fields not given are zero.

    >>> len(command(CommandType.ADVANCE, time_ns=5))
    64
    """
    fields.setdefault("records", 1)
    return COMMAND.pack(kind, *(fields.get(name, 0) for name in COMMAND_FIELDS[1:]))


def extension(**fields: int) -> bytes:
    """The second record of an ORDER that needs more terms; its header's `records` is 2 then."""
    return EXTENSION.pack(*(fields.get(name, 0) for name in EXTENSION_FIELDS))


_NUMPY = {"H": "<u2", "B": "u1", "I": "<u4", "q": "<i8", "Q": "<u8"}
_RECORDS = {
    "command": (COMMAND, COMMAND_FIELDS), "event": (EVENT, EVENT_FIELDS), "extension": (EXTENSION, EXTENSION_FIELDS),
    "terms": (TERMS, TERMS_FIELDS),
}  # fmt: skip


def layout(kind: str) -> dict[str, tuple[int, int]]:
    """{field: (offset, bytes)} of a kind of record as this module has it; "" is the whole record."""
    packed, names = _RECORDS[kind]
    offset = 0
    fields = {}
    for name, code in zip(names, packed.format[1:], strict=True):
        fields[name] = (offset, struct.calcsize("<" + code))
        offset += fields[name][1]
    return fields | {"": (0, packed.size)}


def dtype(kind: str) -> "np.dtype[Any]":
    """The NumPy dtype of "command", "event", "extension" or "terms" records. Raises InputError for any other word."""
    import numpy as np

    if not isinstance(kind, str) or kind not in _RECORDS:
        raise InputError(f"there are {', '.join(_RECORDS)} records, not {shown(kind)}")
    packed, names = _RECORDS[kind]
    return np.dtype([(name, _NUMPY[code]) for name, code in zip(names, packed.format[1:], strict=True)])
