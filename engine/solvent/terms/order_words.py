"""The vocabulary of orders: triggers, words for their numbers, and the table of an order's states.

Owns the translation of an order's words into record fields, the same for Exchange and Book. Owns TRANSITIONS, which
docs/reference/orders.md shows and the tests hold against every event. Never sends anything.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from solvent.schema.codes import InputError, WrongType, shown
from solvent.schema.commands import extension, shape
from solvent.schema.limits import LEVERAGE_PARTS_MAX, LEVERAGE_TIMES_MAX, NAME_BYTES, RATE, SIZE_LOTS_MAX, TAGS_MAX
from solvent.schema.words import EventType, Flag, Leg, Peg, Role, SelfTrade, ShapeFlag, Source, Tif, TriggerFlag, TriggerKind
from solvent.terms.decimals import PPB, Dec, decimal, to_units
from solvent.terms.names import client_number, client_text

TIFS = {"gtc": Tif.GTC, "ioc": Tif.IOC, "fok": Tif.FOK, "gtd": Tif.GTD}
SELF_TRADE = {mode.name.lower(): mode for mode in SelfTrade}
SOURCES = {
    "mark": Source.BY_MARK, "last": Source.BY_LAST, "index": Source.BY_INDEX, "bid": Source.BY_BID, "ask": Source.BY_ASK,
}  # fmt: skip
_LEGS = {"long": Leg.LONG, "short": Leg.SHORT}
_PEGS = {
    "bid": Peg.PEG_BID, "ask": Peg.PEG_ASK, "mid": Peg.PEG_MID, "mid_inwards": Peg.PEG_MID, "mark": Peg.PEG_MARK,
}  # fmt: skip
_REACHED = {"fire": 0, "refuse": TriggerFlag.REFUSE_REACHED}

TRANSITIONS: dict[tuple[str, EventType], str] = {
    ("", EventType.ACCEPTED): "working or dormant",
    ("dormant", EventType.LINKED_TO): "dormant",
    ("dormant", EventType.SHAPED): "dormant",
    ("dormant", EventType.REPLACED): "dormant",
    ("dormant", EventType.TRIGGER_MOVED): "dormant",
    ("dormant", EventType.TRIGGERED): "working",
    ("dormant", EventType.DONE): "done",
    ("working", EventType.LINKED_TO): "dormant",
    ("working", EventType.SHAPED): "working",
    ("working", EventType.TRADE): "working",
    ("working", EventType.REDUCED): "working",
    ("working", EventType.RESTED): "resting",
    ("working", EventType.PARKED): "parked",
    ("working", EventType.DONE): "done",
    ("resting", EventType.TRADE): "resting",
    ("resting", EventType.REDUCED): "resting",
    ("resting", EventType.REFILLED): "resting",
    ("resting", EventType.PARKED): "parked",
    ("resting", EventType.REPLACED): "working",
    ("resting", EventType.DONE): "done",
    ("parked", EventType.PARKED): "parked",
    ("parked", EventType.REPLACED): "working",
    ("parked", EventType.DONE): "done",
}
"""(status, event) -> status. Nothing else happens to an order. An order ACCEPTED with a trigger is dormant."""


def word(table: dict[str, Any], value: object, what: str) -> int:
    """Returns the number behind one of a table's words. Raises InputError for any other."""
    if not isinstance(value, str) or value.lower() not in table:
        raise InputError(f"{what} is one of {', '.join(table)}, not {shown(value)}")
    return int(table[value.lower()])


def leg_of(value: object) -> int:
    """Returns the number of a leg: "long" or "short", or None for the one-way position."""
    return Leg.ONE_WAY if value is None else word(_LEGS, value, "leg")


def leverage_of(value: object) -> tuple[int, int]:
    """Returns a leverage as a fraction in lowest terms. One too fine or too large becomes one that is refused."""
    if isinstance(value, Fraction):
        small = 0 < value.denominator <= LEVERAGE_PARTS_MAX and 0 < value.numerator <= LEVERAGE_TIMES_MAX
        return (value.numerator, value.denominator) if small else (0, 1)
    millionths = fit(to_units(value, Decimal("0.000001"), "leverage"), False)
    return Fraction(millionths, 10**6).as_integer_ratio()


def rate_of(value: object, what: str) -> int:
    """Returns a rate below one as an integer over RATE.

    One that is zero, too fine or too large becomes one that the kernel refuses.
    """
    scaled = to_units(value, PPB, what)
    return scaled if scaled is not None and 0 < scaled < RATE else -1


@dataclass(frozen=True, slots=True)
class Trigger:
    """Wakes a dormant order. Made by `stop`, `take_profit`, `if_touched` or `trailing`.

    A stop fires when the watched price rises to it (buy) or falls to it (sell), a take-profit the other way round. by: "mark",
    "last" (trades between users), "index", or the best prices that the book shows: "bid", "ask". if_reached: a trigger
    that is reached on arrival fires at once ("fire"), or its order is refused ("refuse", code TRIGGER_REACHED).

    A trigger fires once. Its order then goes the way of a new one, with its id and its time of acceptance. It reserves nothing
    before.

    >>> from solvent import Trigger
    >>> Trigger.stop(49_000, by="last").by
    'last'
    """

    kind: TriggerKind
    price: Dec | None = None
    distance: Dec | None = None
    rate: Dec | None = None
    by: str = "mark"
    if_reached: str = "fire"
    activation: Dec | None = None
    step: Dec | None = None
    limit_offset: Dec | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.kind, TriggerKind):
            raise wrong_type("kind", self.kind, "Trigger.stop(price), .take_profit(price), .trailing(distance=) or (rate=)")
        word(SOURCES, self.by, "by")
        word(_REACHED, self.if_reached, "if_reached")
        for what in ("price", "distance", "rate", "activation", "step", "limit_offset"):
            if getattr(self, what) is not None:
                decimal(getattr(self, what), f"trigger {what}")

    @classmethod
    def stop(cls, price: Dec, *, by: str = "mark", if_reached: str = "fire") -> "Trigger":
        """Makes a trigger that fires when the watched price rises to `price` (buy) or falls to it (sell)."""
        return cls(TriggerKind.STOP, price=price, by=by, if_reached=if_reached)

    @classmethod
    def take_profit(cls, price: Dec, *, by: str = "mark", if_reached: str = "fire") -> "Trigger":
        """Makes a trigger that fires when the watched price falls to `price` (buy) or rises to it (sell)."""
        return cls(TriggerKind.TAKE_PROFIT, price=price, by=by, if_reached=if_reached)

    @classmethod
    def if_touched(cls, price: Dec, *, by: str = "mark", if_reached: str = "fire") -> "Trigger":
        """Makes what `take_profit` makes, by the name that it has for an order that opens: with a limit, limit-if-touched."""
        return cls.take_profit(price, by=by, if_reached=if_reached)

    @classmethod
    def trailing(
        cls, *, distance: Dec | None = None, rate: Dec | None = None, by: str = "mark", activation: Dec | None = None,
        step: Dec | None = None, limit_offset: Dec | None = None,
    ) -> "Trigger":  # fmt: skip
        """Makes a trigger that follows the best price since acceptance.

        distance: in currency (ticks in a Book). rate: a part of the price. activation: it follows from the first watched price
        that reaches this one, on either side. step: it follows in whole steps. limit_offset: the order is a limit order whose
        limit keeps this distance from the trigger, signed: below it if negative. Raises InputError unless a distance or a rate
        is given.

        >>> from solvent import Trigger
        >>> Trigger.trailing(rate="0.01").rate
        '0.01'
        """
        if (distance is None) == (rate is None):
            raise InputError("a trailing stop has a distance or a rate, one of them")
        kind = TriggerKind.TRAIL_RATE if distance is None else TriggerKind.TRAIL_TICKS
        return cls(kind, distance=distance, rate=rate, by=by, activation=activation, step=step, limit_offset=limit_offset)

    def fields(self, ticks: Callable[[object, str], int]) -> dict[str, int]:
        """Returns the fields of the second record; `ticks` turns a price into ticks."""
        fields = {
            "trigger_kind": int(self.kind), "trigger_source": word(SOURCES, self.by, "by"),
            "trigger_flags": word(_REACHED, self.if_reached, "if_reached"),
        }  # fmt: skip
        if self.price is not None:
            fields["trigger_ticks"] = ticks(self.price, "trigger price")
        if self.distance is not None:
            fields["trail"] = ticks(self.distance, "trailing distance")
        if self.rate is not None:
            fields["trail"] = rate_of(self.rate, "trailing rate")
        if self.activation is not None:
            fields["trigger_ticks"] = ticks(self.activation, "activation") or -1
        return fields

    def shape(self, ticks: Callable[[object, str], int]) -> dict[str, int]:
        """Returns the fields of the record of shape."""
        fields = {}
        if self.step is not None:
            fields["step_ticks"] = ticks(self.step, "trailing step") or -1
        if self.limit_offset is not None:
            fields |= {"peg": int(Peg.PEG_TRIGGER), "offset_ticks": signed_ticks(self.limit_offset, "limit_offset", ticks)}
        return fields


def signed_ticks(value: Dec, what: str, ticks: Callable[[object, str], int]) -> int:
    """Returns a distance in ticks. One that is no whole number of ticks, or too far, becomes one that the kernel refuses."""
    number = ticks(abs(decimal(value, what)) if type(value) is not int else abs(value), what)
    return -(2**62) if number < 0 else -number if decimal(value, what) < 0 else number


@dataclass(frozen=True, slots=True)
class Kind:
    """Holds what an order is besides a limit or a market order: an iceberg, hidden, all or none, market to limit, pegged."""

    display_lots: int | None = None  # 0: hidden
    all_or_none: bool = False
    to_limit: bool = False
    levels: int | None = None
    peg: str | None = None
    offset_ticks: int = 0

    def fields(self) -> dict[str, int]:
        """Returns the fields of the record of shape; empty for an order without one."""
        flags = ShapeFlag.ALL_OR_NONE if flag_of(self.all_or_none, "all_or_none") else 0
        flags |= ShapeFlag.TO_LIMIT if flag_of(self.to_limit, "to_limit") else 0
        if self.levels is not None:
            flags |= ShapeFlag.ONE_LEVEL * int_within(self.levels, "levels", 1, 1)
        flags |= ShapeFlag.HIDDEN if self.display_lots == 0 else 0
        flags |= ShapeFlag.INWARDS if isinstance(self.peg, str) and self.peg.lower() == "mid_inwards" else 0
        fields = {"shape_flags": int(flags)} if flags else {}
        fields |= {"peg": word(_PEGS, self.peg, "peg")} if self.peg is not None else {}
        fields |= {"offset_ticks": self.offset_ticks} if self.offset_ticks else {}
        return fields | ({"display_lots": self.display_lots} if self.display_lots else {})


@dataclass(frozen=True, slots=True)
class Terms:
    """Holds the terms that Exchange.order and Book.order share, besides names, side, size and price."""

    tif: str
    post_only: bool | str
    reduce_only: bool
    close_position: bool
    client_id: int | str
    trigger: Trigger | None
    expiry_ns: int | None
    slippage: Dec | None
    self_trade: str
    self_trade_group: int
    leg: str | None = None
    tag: int = 0
    exits: bytes = b""  # the record of its children
    kind: Kind = Kind()

    def flags(self) -> int:
        """Returns the bits of post_only, reduce_only and close_position, and that of a shape."""
        flags = 0
        if isinstance(self.post_only, str):
            word({"slide": 1}, self.post_only, "post_only: True, False, or a word that")
            flags = Flag.POST_ONLY | Flag.SLIDE
        elif flag_of(self.post_only, "post_only"):
            flags = Flag.POST_ONLY
        flags |= Flag.REDUCE_ONLY if flag_of(self.reduce_only, "reduce_only") else 0
        flags |= Flag.SHAPED_ORDER if self._has_shape() else 0
        return flags | (Flag.CLOSE_POSITION if flag_of(self.close_position, "close_position") else 0)

    def _has_shape(self) -> bool:
        trigger = self.trigger
        trails = isinstance(trigger, Trigger) and (trigger.step is not None or trigger.limit_offset is not None)
        return trails or bool(self.kind.fields())

    def needs_price(self) -> bool:
        """True unless the price of a limit order follows from what it is pegged to."""
        trails = isinstance(self.trigger, Trigger) and self.trigger.limit_offset is not None
        return not trails and self.kind.peg is None

    def header(self, market: bool) -> dict[str, int]:
        """Returns the header's fields that these terms decide."""
        tif, tag = word(TIFS, self.tif, "tif"), int_within(self.tag, "tag", 0, TAGS_MAX)
        return {
            "tif": (tif or Tif.IOC) if market and not flag_of(self.kind.to_limit, "to_limit") else tif,
            "flags": self.flags() | (Flag.MARKET if market else 0) | (Flag.LINKED if tag else 0),
            "client_id": client_number_of(self.client_id, 0),
            "stp_mode": word(SELF_TRADE, self.self_trade, "self_trade"),
            "stp_group": int_within(self.self_trade_group, "self_trade_group", 0, 2**63 - 1),
        }  # fmt: skip

    def more(self, ticks: Callable[[object, str], int]) -> bytes:
        """Returns the further records: one for terms that the header lacks, one for a shape, one for its children, one for a
        client id's text."""
        terms = self._second(ticks)
        if self._has_shape():
            fields = self.trigger.shape(ticks) if self.trigger else {}
            terms = (terms or extension()) + shape(**fields | self.kind.fields())
        terms += self.exits
        if not isinstance(self.client_id, str):
            return terms
        text = self.client_id.encode(errors="surrogatepass").ljust(NAME_BYTES, b"\0")  # too long a text has no record
        return (terms or extension()) + (text if len(text) == NAME_BYTES else bytes(NAME_BYTES))

    def _second(self, ticks: Callable[[object, str], int]) -> bytes:
        fields: dict[str, int] = {}
        if self.trigger is not None:
            if not isinstance(self.trigger, Trigger):
                raise wrong_type("trigger", self.trigger, "solvent.Trigger")
            fields |= self.trigger.fields(ticks)
        if self.expiry_ns is not None:
            fields["expiry_ns"] = int_within(self.expiry_ns, "expiry_ns", -(2**63), 2**63 - 1)
        if self.slippage is not None:
            fields["slippage_ppb"] = rate_of(self.slippage, "slippage")
        if self.leg is not None:
            fields["hedge_side"] = leg_of(self.leg)
        if self.tag:
            fields["tag"] = self.tag
        if self.exits:
            fields["group_role"] = Role.BRINGS_BRACKET
        return extension(**fields) if fields else b""


def timer_fields(timeout_ns: object, tag: object, spare_reduce_only: object) -> dict[str, int]:
    """Returns the fields of a TIMER that Exchange and Book share."""
    return {
        "timeout_ns": int_within(timeout_ns, "timeout_ns", -(2**63), 2**63 - 1), "tag": int_within(tag, "tag", 0, TAGS_MAX),
        "spares": Flag.REDUCE_ONLY if flag_of(spare_reduce_only, "spare_reduce_only") else 0,
    }  # fmt: skip


def total_lots(row: tuple[int, ...] | None, remaining_lots: int, size: object) -> int:
    """Returns the total size of an order, by its row, that shall have so many lots left. A size that is none is refused
    later."""
    if size is not None:
        raise InputError("say the total size or what remains, one of them")
    filled = row[6] - row[5] if row else 0
    return filled + remaining_lots if 0 < remaining_lots <= SIZE_LOTS_MAX else -1


def moved_alone(fields: dict[str, int]) -> dict[str, int]:
    """Returns how an order is named whose trigger moves. Raises InputError if its size or price shall change as well."""
    if set(fields) - {"order_id", "client_id"}:
        raise InputError("a trigger moves alone: change size and price in a call of their own")
    return fields


# --- gates for words and integers, used wherever input enters


def client_number_of(value: object, lowest: int) -> int:
    """Returns the number of a client id, an int from `lowest` or a text. A text that none can be becomes one of no order."""
    if not isinstance(value, str):
        return int_within(value, "client_id", lowest, 2**63 - 1)
    text = client_text(value.encode(errors="surrogatepass").ljust(NAME_BYTES, b"\0"))
    return 2**63 if text is None or "\0" in value else client_number(text)


def wrong_type(what: str, value: object, wanted: str = "an int") -> WrongType:
    """Returns the refusal of a type, with the wanted type."""
    return WrongType(f"{what}: {type(value).__name__} {shown(value)} is refused; use {wanted}")


def any_int(value: object, what: str) -> int:
    """Returns an exact int of any size. Raises WrongType for anything else, bool included."""
    if type(value) is not int:
        raise wrong_type(what, value)
    return value


def int_within(value: object, what: str, low: int, high: int) -> int:
    """Returns an exact int from low to high. Raises WrongType or InputError."""
    if not low <= (number := any_int(value, what)) <= high:
        told = number if -(2**64) < number < 2**64 else "of more than 64 bits"
        raise InputError(f"{what} {told} is not from {low} to {high}")
    return number


def fit(number: int | None, signed: bool) -> int:
    """Returns an integer for a record.

    A number that the record or the rules cannot hold becomes 0 or -1, which the kernel refuses.
    """
    if number is None or not -(2**62) < number < 2**62:
        return 0 if signed else -1
    return number


def flag_of(value: object, what: str) -> bool:
    """Returns a bool. Raises WrongType for anything else."""
    if type(value) is not bool:
        raise wrong_type(what, value, "True or False")
    return value
