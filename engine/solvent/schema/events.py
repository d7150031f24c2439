"""Events: the meaning of each type's fields, and the plain class that answers to their names.

Owns those names, the order in which they are told, and the words for their numbers. Both kernels' emitters are rendered from
here (schema/header.py). Never decides what happens.
"""

from enum import IntEnum, IntFlag
from typing import Any, NamedTuple

from solvent.schema.codes import Code
from solvent.schema.layouts import EVENT_FIELDS, NO_INSTRUMENT, RECORD_BYTES, TERMS, TERMS_FIELDS
from solvent.schema.words import (
    Arm,
    CommandType,
    Ending,
    EventType,
    Flag,
    Leg,
    Listing,
    MarginOf,
    Mode,
    ParcelChange,
    Peg,
    Posting,
    SelfTrade,
    ShapeFlag,
    Side,
    Source,
    SourceState,
    Tif,
    TriggerKind,
    Verdict,
)

__all__ = ["EVENTS", "PAYLOAD", "Said", "terms_of"]


class Said(NamedTuple):
    """Locates one name in an event's record, with the words for its numbers, if it has any."""

    place: str
    words: type[IntEnum] | type[IntFlag] | None = None


def _said(header: str, **named: str | tuple[str, type[IntEnum] | type[IntFlag]]) -> dict[str, Said]:
    """Lists a type's names: fields of the header under their own names, then those with a name of their own."""
    own = {name: Said(name, Side if name == "side" else None) for name in header.split()}
    return own | {name: Said(place) if isinstance(place, str) else Said(*place) for name, place in named.items()}


_WHO = "account instrument"
_ORDER = "side account instrument"
EVENTS: dict[EventType, dict[str, Said]] = {
    EventType.BEGIN: _said(
        _ORDER, code=("code", Code), command=("reason", CommandType), time_ns="a", command_seq="b", order_id="c",
        filled_lots="d", resting_lots="e",
    ),
    EventType.ACCOUNT_OPENED: _said("account", parent="a"),
    EventType.LEDGER: _said(
        "instrument", payer="account", receiver="a", amount_units="b", payer_after="c", receiver_after="d", ref="e",
        currency="code", posting=("reason", Posting), margin_of=("side", MarginOf),
    ),
    EventType.POSITION: _said(
        _WHO, mode=("side", Mode), size_lots="a", cost_units="b", margin_units="c", leverage="d", leg=("code", Leg),
        leverage_parts="e", chosen_tier="reason",
    ),
    EventType.MARKED: _said("instrument", price_ticks="a", index_fine="b", fair_fine="c", basis_fine="d", ema_fine="e"),
    EventType.ACCEPTED: _said(
        _ORDER, flags=("code", Flag), tif=("reason", Tif), order_id="a", price_ticks="b", size_lots="c", client_id="d",
        limit_ticks="e",
    ),
    EventType.RESTED: _said(_ORDER, order_id="a", price_ticks="b", remaining_lots="c", hidden_lots="d"),
    EventType.TRADE: _said(
        "side instrument", maker_order_id="a", taker_order_id="b", price_ticks="c", size_lots="d", maker="e", taker="account"
    ),
    EventType.REDUCED: _said(_ORDER, order_id="a", cut_lots="b", remaining_lots="c", ending=("reason", Ending)),
    EventType.DONE: _said(
        _ORDER, order_id="a", cancelled_lots="b", filled_lots="c", client_id="d", ending=("reason", Ending),
        code=("code", Code),
    ),
    EventType.LIQUIDATION: _said(
        _WHO, verdict=("reason", Verdict), currency="code", equity_units="a", full_units="b", own_units="c", value_units="d",
        mark_ticks="e", leg=("side", Leg),
    ),
    EventType.STEP_DOWN: _said(
        _ORDER, tier="a", size_lots="b", limit_ticks="c", target_tier="d", mark_ticks="e", leg=("code", Leg)
    ),
    EventType.TAKEOVER: _said(
        _WHO, mode=("side", Mode), parcel_id="a", size_lots="b", cost_units="c", mark_ticks="d", bankruptcy_ticks="e",
        leg=("code", Leg),
    ),
    EventType.PARCEL: _said(
        _WHO, change=("reason", ParcelChange), parcel_id="a", size_lots="b", cost_units="c", closed_lots="d", gain_units="e"
    ),
    EventType.ADL: _said(
        _WHO, adl_pass="reason", parcel_id="a", closed_lots="b", share_units="c", rank="d", mark_ticks="e"
    ),
    EventType.REPLACED: _said(_ORDER, order_id="a", price_ticks="b", remaining_lots="c", size_lots="d"),
    EventType.TRIGGERED: _said(
        _ORDER, kind=("code", TriggerKind), source=("reason", Source), order_id="a", trigger_ticks="b", size_lots="c",
        price_ticks="d", limit_ticks="e",
    ),
    EventType.INDEXED: _said("instrument", price_ticks="a", index_fine="b", sources="c", external_fine="d"),
    EventType.FUNDED: _said(
        "instrument", period="a", rate_ppb="b", collected_units="c", paid_units="d", due_units="e"
    ),
    EventType.NETTED: _said(_WHO, price_ticks="a", size_lots="b", value_units="c"),
    EventType.SOURCE_CHANGED: _said("instrument", source="a", state=("reason", SourceState), price_fine="b"),
    EventType.RATED: _said("instrument", period="a", rate_ppb="b", premium_ppb="c", samples="d"),
    EventType.INSTRUMENT_ADDED: _said("instrument", currency="code"),
    EventType.LISTING_CHANGED: _said(
        "instrument", listing=("reason", Listing), price_ticks="a", ends_ns="b", extensions="c", then_listing=("code", Listing)
    ),
    EventType.ACCRUED: _said("instrument", period="a", rate_ppb="b", asked_ppb="c"),
    EventType.FEE_CHANGED: _said(_WHO, leg=("code", Leg), fee_ppb="a"),
    EventType.PASSED: _said(""),
    EventType.LAST_SET: _said("instrument", price_ticks="a"),
    EventType.CLIENT_ID_NAMED: _said(_WHO, client_id="a"),
    EventType.TIMER_SET: _said(_WHO, tag="code", spares=("reason", Flag), deadline_ns="a"),
    EventType.TIMED_OUT: _said(_WHO, tag="code", deadline_ns="a"),
    EventType.TAGGED: _said(_WHO, tag="code", order_id="a"),
    EventType.LINKED_TO: _said(
        _ORDER, arm=("reason", Arm), leg=("code", Leg), entry_id="a", target_id="b", stop_id="c", size_lots="d"
    ),
    EventType.UNCROSSED: _said("instrument", price_ticks="a", size_lots="b", surplus_lots="c", reference_ticks="d"),
    EventType.INDICATED: _said("instrument", price_ticks="a", size_lots="b", surplus_lots="c"),
    EventType.SHAPED: _said(
        _ORDER, shape_flags=("code", ShapeFlag), peg=("reason", Peg), order_id="a", display_lots="b", display_most_lots="c",
        step_ticks="d", offset_ticks="e",
    ),
    EventType.REFILLED: _said(_ORDER, order_id="a", price_ticks="b", shown_lots="c", hidden_lots="d"),
    EventType.PARKED: _said(_ORDER, order_id="a", remaining_lots="b", size_lots="c"),
    EventType.TRIGGER_MOVED: _said(_ORDER, order_id="a", trigger_ticks="b"),
}  # fmt: skip
"""Each type's names, in the order in which they are told."""

_NAMED = (EventType.ACCOUNT_OPENED, EventType.CLIENT_ID_NAMED)
_OWN = ("account", "instrument", "side")
PAYLOAD: dict[int, dict[str, str]] = {
    kind: {name: each.place for name, each in said.items() if name not in _OWN} for kind, said in EVENTS.items()
}
"""Each type's fields by the names that Event answers to. The fields of the header keep their own names besides."""


ACCOUNTS = ("account", "payer", "receiver", "maker", "taker", "parent")
"""Names whose numbers are accounts."""
TERM_WORDS: dict[str, type[IntEnum]] = {
    "trigger_source": Source, "trigger_kind": TriggerKind, "stp_mode": SelfTrade, "hedge_side": Leg,
}  # fmt: skip
"""Words for the further terms of an ACCEPTED order."""
_UNITS = ("ticks", "lots", "units", "ppb", "fine")
_UNSAID = {"payer_after": "units", "receiver_after": "units"}


def unit_of(name: str) -> str:
    """Returns what a field counts: ticks, lots, units of a currency, ppb (rates over 10**9), or fine (millionths of a tick).

    Returns "" if the name does not tell.

    >>> unit_of("price_ticks"), unit_of("payer_after"), unit_of("order_id")
    ('ticks', 'units', '')
    """
    last = name.rpartition("_")[2]
    return last if last in _UNITS else _UNSAID.get(name, "")


def word_of(words: type[IntEnum] | type[IntFlag], number: int) -> str:
    """Returns the word for a number: flags joined by strokes, "-" if no flag is set."""
    if words is Flag:  # of ACCEPTED; the upper byte is the self-trade mode
        parts = [each.name or "" for each in Flag if number & each]
        parts += [SelfTrade(number >> 8).name] if 0 < number >> 8 <= max(SelfTrade) else []
        return "|".join(parts) or "-"
    return words(number).name or str(number) if number in words.__members__.values() else str(number)


def _number(name: str, number: int, words: type[IntEnum] | type[IntFlag] | None) -> str:
    """Returns a number as a repr shows it: by its word, if it has one."""
    if name == "instrument" and number == NO_INSTRUMENT:
        return "-"
    return word_of(words, number) if words else str(number)


def text_of(event: Any) -> str:
    """Returns the repr of an event: every name with its word or number."""
    kind = event.record[0]
    if kind not in EVENTS:
        return f"Event{event.record}"
    values = dict(zip(EVENT_FIELDS, event.record, strict=True))
    said = {name: Said(name) for name in ("account", "instrument")} | EVENTS[kind]
    told = [f"{name}={_number(name, values[each.place], each.words)}" for name, each in said.items() if name != "side"]
    told += [f"name={event.name!r}"] if event.name else []
    return f"{EventType(kind).name}(seq={event.record[7]}, {', '.join(told)})"


class Event:
    """Holds one event. The record's own fields are attributes, and so are the names of its type in PAYLOAD.

    `extra` holds the bytes of a second record. The compiled core has the same class, faster; solvent.Event is that one where
    it is built.

    >>> e = Event((8, 1, 0, 17, 0, 0, 0, 5, 1, 2, 500000, 10, 16))
    >>> e.type.name, e.price_ticks, e.maker
    ('TRADE', 500000, 16)
    >>> Event((11, 1, 1, 17, 0, 0, 2, 9, -5, 10, 8, 900, 0))
    LIQUIDATION(seq=9, account=17, instrument=0, verdict=FULL, currency=0, equity_units=-5, full_units=10, own_units=8, \
value_units=900, mark_ticks=0, leg=LONG)
    """

    __slots__ = ("record", "extra")

    def __init__(self, record: tuple[int, ...], extra: bytes = b""):
        self.record = record
        self.extra = extra

    @property
    def type(self) -> EventType:
        """Returns the event's type."""
        return EventType(self.record[0])

    @property
    def name(self) -> str:
        """Returns the name that an ACCOUNT_OPENED or a CLIENT_ID_NAMED carries, "" for other types."""
        return self.extra.rstrip(b"\0").decode() if self.record[0] in _NAMED else ""

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
        return text_of(self)


def is_event(value: object) -> bool:
    """True for an event of either class: what has a record, and the bytes of a second one.

    >>> is_event(Event((27, 1, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0))), is_event(5)
    (True, False)
    """
    return hasattr(type(value), "record") and hasattr(type(value), "extra")


def terms_of(event: Event) -> dict[str, int]:
    """Returns the further terms of an ACCEPTED order by name (docs/reference/records.md); a plain order has only zeros."""
    terms = dict(zip(TERMS_FIELDS, TERMS.unpack(event.extra or bytes(RECORD_BYTES)), strict=True))
    return {name: value for name, value in terms.items() if name not in ("type", "records", "spare_too")}
