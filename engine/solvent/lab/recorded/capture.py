"""Captures: order-by-order recordings of real venues, read into one neutral form.

Owns the file formats and what each of them tells about an order's life. Never knows a book. Never invents an order: messages
have only what the file tells. Cost: one pass over the file; all messages are held in memory.
"""

import csv
import gzip
import io
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum, auto
from pathlib import Path
from typing import Any, NamedTuple

from solvent.api.base import SIDES
from solvent.schema.codes import InputError, shown
from solvent.schema.limits import MONEY_MAX
from solvent.schema.words import Side
from solvent.terms.decimals import from_units, nearest_even, plain, to_units
from solvent.terms.order_words import wrong_type

__all__ = ["FORMATS", "Capture", "Format", "Kind", "Message", "NOT_TOLD", "read"]

ONE = Decimal(1)
NANOSECOND = Decimal("0.000000001")
MILLISECOND_NS = 1_000_000
NOT_TOLD = 0  # an execution whose resting order the capture does not name
GZIP = b"\x1f\x8b"


class Kind(StrEnum):
    """Tells what happened to a resting order. Aggressors have no messages: they show in the executions they cause."""

    ADD = auto()
    REDUCE = auto()
    DELETE = auto()
    EXECUTE = auto()
    HIDDEN = auto()


class Message(NamedTuple):
    """Holds one line of the neutral form. side: the side of the resting order. line: where in the file, to find it again."""

    line: int
    time_ns: int
    kind: Kind
    order: int
    side: Side
    price_ticks: int
    size_lots: int


@dataclass(frozen=True, slots=True)
class Capture:
    """Holds a recording. tick, lot: the worth of one tick and one lot of its messages at the venue."""

    name: str
    format: str
    tick: Decimal
    lot: Decimal
    messages: tuple[Message, ...]


def read(path: str | Path, form: str = "auto") -> Capture:
    """Reads a capture from a CSV file, gzip or plain. form: one of FORMATS, or auto, which goes by the first line.

    Raises InputError with the line that cannot be understood and what should stand there.
    """
    if not isinstance(path, str | Path) or "\0" in str(path):
        raise wrong_type("path", path, "the name of a file")
    rows = csv.reader(io.StringIO(_text(Path(path)), newline=""), skipinitialspace=True)
    name = str(path)
    if not isinstance(form, str) or form != "auto":
        _choice(FORMATS, form, "format")
    found = []
    try:
        first = [each.strip() for each in next(rows, [])]
        form = _recognise(first) if form == "auto" else form
        chosen = FORMATS[form]
        if first != chosen.header:
            found.append(chosen.row(_headless(first, chosen), 1))
        for row in rows:
            if row:
                found.append(chosen.row(_fitting(row, chosen), rows.line_num))
    except (InputError, csv.Error) as error:
        raise InputError(f"{name}, line {max(rows.line_num, 1)}: {error}") from None
    messages = tuple(chosen.finish(each for each in found if each is not None))
    if not messages:
        raise InputError(f"{name}: no messages; a capture needs at least one line below its header")
    return Capture(name, form, chosen.tick, chosen.lot, messages)


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(f"no such file: {shown(str(path))} ({error})") from None
    try:
        return (gzip.decompress(data) if data[:2] == GZIP else data).decode("utf-8-sig")
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{path}: not a CSV or gzip file ({error})") from None


def _recognise(first: list[str]) -> str:
    """Recognises a file. LOBSTER's own files have no header; six numbers give them away."""
    for name, each in FORMATS.items():
        if first == each.header:
            return name
    if len(first) == 6 and first[1] in _LOBSTER_KINDS:
        return "lobster"
    if not any(first):
        raise InputError("the file is empty")
    headers = "; ".join(f"{name}: {','.join(each.header)}" for name, each in FORMATS.items())
    raise InputError(f"the first line is the header of no known format ({headers}); or name one with --format")


def _fitting(row: list[str], form: "Format") -> list[str]:
    if len(row) != len(form.header):
        raise InputError(f"{len(row)} columns instead of {len(form.header)}: {','.join(form.header)}")
    return row


def _headless(row: list[str], form: "Format") -> list[str]:
    if form.row is not _lobster:
        raise InputError(f"the first line must be {','.join(form.header)}")
    return _fitting(row, form)


def _number(text: str, what: str, low: int = 1, unit: Decimal = ONE) -> int:
    """Returns how many units a column holds, from low."""
    count = to_units(text, unit, what)
    if count is None:
        raise InputError(f"{what} {text} is not a multiple of {unit}")
    if not low <= count <= MONEY_MAX:
        raise InputError(f"{what} {text} is " + (f"below {plain(from_units(low, unit))}" if count < low else "too large"))
    return count


def _choice(table: dict[str, Any], text: str, what: str) -> Any:
    """Returns what a word stands for."""
    if not isinstance(text, str) or text not in table:
        raise InputError(f"{what} is one of {', '.join(table)}, not {shown(text)}")
    return table[text]


# --- the neutral form, and LOBSTER, which is close to it

_KINDS = {each.value: each for each in Kind}
_NAMELESS = (Kind.HIDDEN, Kind.EXECUTE)
_LOBSTER_KINDS = {
    "1": Kind.ADD, "2": Kind.REDUCE, "3": Kind.DELETE, "4": Kind.EXECUTE, "5": Kind.HIDDEN, "6": None, "7": None,
}  # fmt: skip


def _neutral(row: list[str], line: int) -> Message:
    kind = _choice(_KINDS, row[1], "kind")
    return Message(
        line, _number(row[0], "time_ns", 0), kind, _number(row[2], "order", int(kind not in _NAMELESS)),
        Side(_choice(SIDES, row[3], "side")), _number(row[4], "price_ticks"), _number(row[5], "size_lots"),
    )  # fmt: skip


def _lobster(row: list[str], line: int) -> Message | None:
    """Reads a row of LOBSTER.

    Types 6 (auction) and 7 (halt) touch no order of the book. Some copies carry more digits than nanoseconds.
    """
    kind = _choice(_LOBSTER_KINDS, row[1], "type")
    time_ns = nearest_even(row[0], NANOSECOND, "time")
    if time_ns is None or time_ns < 0:
        raise InputError(f"time {row[0]} is no time in seconds")
    if kind is None:
        return None
    return Message(
        line, time_ns, kind, _number(row[2], "order id", int(kind not in _NAMELESS)),
        _choice({"1": Side.BUY, "-1": Side.SELL}, row[5], "direction"), _number(row[4], "price"), _number(row[3], "size"),
    )  # fmt: skip


# --- Bitstamp: an aggressor is shown like any order, both sides shrink, and a trade names neither

_CENT = Decimal("0.01")
_SATOSHI = Decimal("0.00000001")
_WORDS = ("created", "changed", "deleted", "trade")
_NEAR = 12  # a trade and its two fills stand within so many events
_LAST = 2**63  # the rank behind every trade's number


class _Event(NamedTuple):
    line: int
    time_ns: int
    word: str
    order: int
    side: Side
    price_ticks: int
    lots: int


def _bitstamp(row: list[str], line: int) -> _Event:
    word = _choice(dict.fromkeys(_WORDS, row[1]), row[1], "event")
    side = Side.BUY if word == "trade" else _choice({"bid": Side.BUY, "ask": Side.SELL}, row[3], "side")
    return _Event(
        line, _number(row[0], "ts_ms", 0) * MILLISECOND_NS, word, _number(row[2], "id"), side,
        _number(row[4], "price", 1, _CENT), _number(row[5], "amount", 0, _SATOSHI),
    )  # fmt: skip


@dataclass(slots=True, eq=False)
class _Stay:
    """Holds an order at one price. entered: its first event; -1 is before the file. lots: what is left, None while unknown."""

    event: _Event
    entered: int
    lots: int | None
    took: int = 0  # lots it traded as an aggressor


@dataclass(slots=True, eq=False)
class _Fill:
    """Records that a resting order or an aggressor became smaller by trading. lots: None for an order from before the file."""

    at: int
    stay: _Stay
    lots: int | None
    named: bool = False

    def fits(self, trade: _Event) -> bool:
        return not self.named and (self.lots == trade.lots or (self.lots is None and self.at_price(trade)))

    def at_price(self, trade: _Event) -> bool:
        return self.stay.event.price_ticks == trade.price_ticks


@dataclass(slots=True)
class _Bitstamp:
    """Turns events into messages. Executions move to where their aggressor came; the rest of the aggressor is added there."""

    open: dict[int, _Stay] = field(default_factory=dict)
    stays: list[_Stay] = field(default_factory=list)
    fills: list[_Fill] = field(default_factory=list)
    out: list[tuple[int, int, Message]] = field(default_factory=list)  # at which event, rank there

    def say(self, at: int, rank: int, kind: Kind, where: _Event, order: _Event, lots: int) -> None:
        message = Message(where.line, where.time_ns, kind, order.order, order.side, order.price_ticks, lots)
        self.out.append((at, rank, message))

    def follow(self, at: int, event: _Event) -> None:
        """Reads one event of an order. A changed price is a cancellation and a new order, whatever the amounts."""
        stay = self.open.get(event.order)
        if event.word == "created" or (event.word == "changed" and stay and event.price_ticks != stay.event.price_ticks):
            if stay and stay.lots:
                self.say(at, 0, Kind.DELETE, event, stay.event, stay.lots)
            self.open[event.order] = _Stay(event, at, event.lots)
            self.stays.append(self.open[event.order])
            return
        stay = self.open.setdefault(event.order, stay or _Stay(event, -1, None))
        if event.word == "deleted" and event.lots:
            self.say(at, _LAST, Kind.DELETE, event, stay.event, event.lots)
        elif stay.lots is None or event.lots < stay.lots:
            self.fills.append(_Fill(at, stay, None if stay.lots is None else stay.lots - event.lots))
        stay.lots = event.lots
        if event.word == "deleted":
            del self.open[event.order]

    def settle(self, at: int, trade: _Event, events: list[_Event]) -> None:
        """Finds a trade's two fills. The one at its price rested; of two such, the one that entered first."""
        first, end = (bisect_left(self.fills, edge, key=lambda fill: fill.at) for edge in (at - _NEAR, at + _NEAR))
        near = [fill for fill in self.fills[first:end] if fill.fits(trade)]
        near.sort(key=lambda fill: (fill.at > at, abs(fill.at - at)))  # fills are mostly told before their trade
        pair = [next((fill for fill in near if fill.stay.event.side == side), None) for side in Side]
        both = sorted((fill for fill in pair if fill), key=lambda fill: (not fill.at_price(trade), fill.stay.entered))
        if not both or not both[0].at_price(trade):
            self.say(at, trade.order, Kind.EXECUTE, trade, trade._replace(order=NOT_TOLD), trade.lots)
            return
        for fill in both:
            fill.named = True
        for taker in both[1:]:
            taker.stay.took += trade.lots
        entered = both[1].stay.entered if both[1:] else both[0].at
        where = events[entered]._replace(line=trade.line)
        self.say(entered, trade.order, Kind.EXECUTE, where, both[0].stay.event, trade.lots)

    def messages(self, events: list[_Event]) -> list[Message]:
        for at, event in enumerate(events):
            if event.word != "trade":
                self.follow(at, event)
        for at, event in enumerate(events):
            if event.word == "trade":
                self.settle(at, event, events)
        for fill in self.fills:
            if fill.lots and not fill.named:
                self.say(fill.at, _LAST, Kind.REDUCE, events[fill.at], fill.stay.event, fill.lots)
        for stay in self.stays:
            if stay.event.lots > stay.took:
                self.say(stay.entered, _LAST, Kind.ADD, stay.event, stay.event, stay.event.lots - stay.took)
        return [message for _, _, message in sorted(self.out, key=lambda each: each[:2])]


class Format(NamedTuple):
    """Reads one kind of file: row by row, then all together."""

    header: list[str]
    row: Callable[[list[str], int], Any]
    tick: Decimal
    lot: Decimal
    finish: Callable[[Iterable[Any]], Iterable[Message]] = tuple


FORMATS = {
    "neutral": Format(["time_ns", "kind", "order", "side", "price_ticks", "size_lots"], _neutral, ONE, ONE),
    "lobster": Format(["time_s", "type", "order_id", "size", "price_e4", "direction"], _lobster, Decimal("0.0001"), ONE),
    "bitstamp": Format(
        ["ts_ms", "event", "id", "side", "price", "amount", "exchange_ts_s"], _bitstamp, _CENT, _SATOSHI,
        lambda events: _Bitstamp().messages(list(events)),
    ),
}  # fmt: skip
"""The files that can be read, by the word for --format."""
