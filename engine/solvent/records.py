"""Command and event records: 64 bytes each, the same layout in the core, the reference and NumPy.

Owns the layouts and the numbers of commands, events and reasons; docs/records.md is the worksheet with the
fields still to come. Never interprets a record. Importing this module does not import NumPy.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Any

from solvent.codes import InputError

if TYPE_CHECKING:
    import numpy as np

RECORD_BYTES = 64
COMMAND = struct.Struct("<HBBIIBBHqqqQQq")
EVENT = struct.Struct("<HBBIIHHQqqqqq")

COMMAND_FIELDS = (
    "type", "records", "side", "account", "instrument", "tif", "flags", "mode",
    "time_ns", "price_ticks", "size_lots", "client_id", "order_id", "amount",
)  # fmt: skip
EVENT_FIELDS = (
    "type", "records", "side", "account", "instrument", "code", "reason", "seq", "a", "b", "c", "d", "e",
)  # fmt: skip
NO_INSTRUMENT = 0xFFFFFFFF


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
    ORDER = 16
    AMEND = 17
    CANCEL = 18


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


class Side(IntEnum):
    BUY = 0
    SELL = 1


class Tif(IntEnum):
    """Time in force."""

    GTC = 0
    IOC = 1
    FOK = 2


class Flag(IntFlag):
    POST_ONLY = 1
    REDUCE_ONLY = 2
    MARKET = 4
    HOUSE_ORDER = 8


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


class ParcelChange(IntEnum):
    """How a parcel changed (reason of PARCEL)."""

    TAKEN = 1
    FILLED_BY_BOOK = 2
    FILLED_BY_FUND = 3
    CLOSED_BY_ADL = 4
    CLOSED_BY_OPPOSITE = 5


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


PAYLOAD: dict[int, dict[str, str]] = {
    EventType.BEGIN: {
        "code": "code", "command": "reason", "time_ns": "a", "command_seq": "b", "order_id": "c",
        "filled_lots": "d", "resting_lots": "e",
    },
    EventType.ACCOUNT_OPENED: {},
    EventType.LEDGER: {
        "payer": "account", "receiver": "a", "amount_units": "b", "payer_after": "c", "receiver_after": "d",
        "ref": "e", "currency": "code", "posting": "reason", "margin_of": "side",
    },
    EventType.POSITION: {
        "mode": "side", "size_lots": "a", "cost_units": "b", "margin_units": "c", "leverage": "d",
    },
    EventType.MARKED: {"price_ticks": "a"},
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
        "order_id": "a", "cancelled_lots": "b", "filled_lots": "c", "client_id": "d", "ending": "reason",
    },
    EventType.LIQUIDATION: {
        "mode": "side", "verdict": "reason", "currency": "code", "equity_units": "a", "full_units": "b",
        "own_units": "c", "value_units": "d",
    },
    EventType.STEP_DOWN: {"tier": "a", "size_lots": "b", "limit_ticks": "c", "target_tier": "d"},
    EventType.TAKEOVER: {
        "mode": "side", "parcel_id": "a", "size_lots": "b", "cost_units": "c", "equity_units": "d",
        "bankruptcy_ticks": "e",
    },
    EventType.PARCEL: {
        "change": "reason", "parcel_id": "a", "size_lots": "b", "cost_units": "c", "closed_lots": "d",
        "gain_units": "e",
    },
    EventType.ADL: {
        "adl_pass": "reason", "parcel_id": "a", "closed_lots": "b", "share_units": "c", "rank": "d",
    },
    EventType.REPLACED: {"order_id": "a", "price_ticks": "b", "remaining_lots": "c", "size_lots": "d"},
}  # fmt: skip
"""What a type's fields mean, by the names that Event answers to."""


class Event:
    """One event. The record's own fields are attributes, and so are the names of its type in PAYLOAD.

    >>> e = Event((8, 1, 0, 17, 0, 0, 0, 5, 1, 2, 500000, 10, 16))
    >>> e.type.name, e.price_ticks, e.maker
    ('TRADE', 500000, 16)
    """

    __slots__ = ("record", "name")

    def __init__(self, record: tuple[int, ...], name: str = ""):
        self.record = record
        self.name = name

    @property
    def type(self) -> EventType:
        return EventType(self.record[0])

    def __getattr__(self, key: str) -> int:
        if key.startswith("__"):
            raise AttributeError(key)
        key = PAYLOAD[self.record[0]].get(key, key)
        try:
            return self.record[EVENT_FIELDS.index(key)]
        except ValueError:
            raise AttributeError(f"{self.type.name} has no field {key!r}") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Event) and self.record == other.record and self.name == other.name

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


def decode(data: bytes | memoryview) -> Iterator[Event]:
    """Events of consecutive records; an ACCOUNT_OPENED takes two, the second is the name."""
    records = EVENT.iter_unpack(data)
    at = 0
    for record in records:
        name = ""
        at += RECORD_BYTES
        if record[0] == EventType.ACCOUNT_OPENED:
            name = bytes(data[at : at + RECORD_BYTES]).rstrip(b"\0").decode()
            next(records)
            at += RECORD_BYTES
        yield Event(record, name)


def command(kind: int, /, **fields: int) -> bytes:
    """One command record; fields not given are zero.

    >>> len(command(CommandType.ADVANCE, time_ns=5))
    64
    """
    fields.setdefault("records", 1)
    return COMMAND.pack(kind, *(fields.get(name, 0) for name in COMMAND_FIELDS[1:]))


_NUMPY = {"H": "<u2", "B": "u1", "I": "<u4", "q": "<i8", "Q": "<u8"}


def layout(kind: str) -> dict[str, tuple[int, int]]:
    """{field: (offset, bytes)} of "command" or "event" as this module has it; "" is the whole record."""
    packed, names = (COMMAND, COMMAND_FIELDS) if kind == "command" else (EVENT, EVENT_FIELDS)
    offset = 0
    fields = {}
    for name, code in zip(names, packed.format[1:], strict=True):
        fields[name] = (offset, struct.calcsize("<" + code))
        offset += fields[name][1]
    return fields | {"": (0, packed.size)}


def dtype(kind: str) -> "np.dtype[Any]":
    """The NumPy dtype of "command" or "event" records. Raises InputError for any other word."""
    import numpy as np

    if kind not in ("command", "event"):
        raise InputError(f'there are "command" and "event" records, not {kind!r}')

    packed, names = (COMMAND, COMMAND_FIELDS) if kind == "command" else (EVENT, EVENT_FIELDS)
    return np.dtype([(name, _NUMPY[code]) for name, code in zip(names, packed.format[1:], strict=True)])
