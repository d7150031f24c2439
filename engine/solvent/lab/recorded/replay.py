"""Replay: a real venue's orders through a Book, and which of the venue's trades the Book makes by itself.

Owns the comparison of one capture with one Book, and the words for each difference. Never tells the Book who trades: it sends
an aggressor of the recorded side, size and worst price, and the Book names the resting orders itself. Uses nothing of the Book
but its public face. Cost: a few microseconds a message.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from enum import StrEnum, auto

from solvent.api.book import Book
from solvent.lab.recorded.capture import NOT_TOLD, Capture, Kind, Message
from solvent.schema.codes import Code, InputError
from solvent.schema.limits import MONEY_MAX, SIZE_LOTS_MAX
from solvent.schema.words import EventType, Side
from solvent.terms.decimals import from_units, plain
from solvent.terms.order_words import wrong_type

__all__ = ["Cause", "Difference", "Outcome", "Replay", "ReplayReport", "replay"]

MAKERS, TAKERS = 1, 2  # two accounts, as a Book lets nobody trade with himself
SHOWN = 20  # differences on the page; the JSON has them all
_WORDS = {Side.BUY: "buy", Side.SELL: "sell"}

Level = tuple[Side, int]
Fill = tuple[int, int]  # order, lots


class Cause(StrEnum):
    """Tells why a recorded execution came out otherwise. Causes are tried from the top; the last one stands for all others."""

    NOT_TOLD = auto()
    BEFORE_WINDOW = auto()
    OUT_OF_SIGHT = auto()
    OUT_OF_SEQUENCE = auto()
    KEPT_OUT = auto()
    MORE_THAN_RESTED = auto()
    SHOWN_LATE = auto()
    BETTER_PRICE_LEFT = auto()
    PASSED_OVER = auto()
    UNEXPLAINED = auto()


MEANING = {
    Cause.NOT_TOLD: "the capture names no resting order",
    Cause.BEFORE_WINDOW: "the order rested before the capture began",
    Cause.OUT_OF_SIGHT: "younger than the capture, but never added: it came below the recorded depth",
    Cause.OUT_OF_SEQUENCE: "the capture adds the order after it has executed it",
    Cause.KEPT_OUT: "the order would have traded on arrival here, and was kept out of the book",
    Cause.MORE_THAN_RESTED: "the capture trades more of the order than was left of it",
    Cause.SHOWN_LATE: "an older order was added after younger ones, and stood behind them here",
    Cause.BETTER_PRICE_LEFT: "a better price rested here; the capture lost its end, or the venue traded through it",
    Cause.PASSED_OVER: "the venue passed over the first order of the queue; the capture does not say why",
    Cause.UNEXPLAINED: "none of these",
}
STEPS = {
    "aggressors": "immediate orders sent, one for all executions of one aggressor",
    "restored": "times the book was put back to the capture after a difference",
    "inferred": "orders never added, put in where their number says",
    "moved": "orders shown late, put before younger ones",
    "kept_out": "orders that would have traded on arrival; they wait until they would not",
    "buried": "orders that a trade proves gone, as it left their better price",
    "ignored": "messages about orders that are not there",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """Shows one aggressor whose trades differ: those only the capture has, and those only the book made."""

    line: int
    cause: Cause
    capture: list[Fill]
    book: list[Fill]


@dataclass(slots=True)
class Outcome:
    """Counts the findings of one pass: executions that came out the same or not, and the steps taken to go on (STEPS)."""

    reproduced: int = 0
    causes: dict[Cause, int] = field(default_factory=lambda: dict.fromkeys(Cause, 0))
    aggressors: int = 0
    restored: int = 0
    inferred: int = 0
    moved: int = 0
    kept_out: int = 0
    buried: int = 0
    ignored: int = 0
    differences: list[Difference] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """Reports a capture through a Book, twice: `recorded` as it stands, `completed` with its older orders in place."""

    name: str
    format: str
    tick: Decimal
    lot: Decimal
    messages: int
    orders: int
    executions: int
    hidden: int
    recorded: Outcome
    completed: Outcome

    def to_json(self) -> str:
        """Returns all figures and all differences, in ticks and lots; tick and lot themselves as text."""
        return json.dumps(asdict(self), indent=2, default=lambda unit: format(unit, "f"))

    def __str__(self) -> str:
        """Returns a page to read."""
        return "\n".join([*self._head(), *self._table(), *self._list()])

    def _head(self) -> Iterator[str]:
        yield f"{self.name} ({self.format}): {self.messages:,} messages, {self.orders:,} orders"
        yield f"{self.executions:,} executions of visible orders; {self.hidden:,} of hidden ones, which no book can show"
        yield ""

    def _table(self) -> Iterator[str]:
        both = (self.recorded, self.completed)

        def line(what: str, counts: list[int], meaning: str) -> str:
            return f"{_words(what):<18}{counts[0]:>12,}{counts[1]:>11,}  {meaning}"

        yield f"{'':<18}{'as recorded':>12}{'completed':>11}"
        yield line("reproduced", [each.reproduced for each in both], "the book names the same order and size")
        for cause, meaning in MEANING.items():
            counts = [each.causes[cause] for each in both]
            if any(counts):
                yield line(cause, counts, meaning)
        yield ""
        for what, meaning in STEPS.items():
            yield line(what, [getattr(each, what) for each in both], meaning)

    def _list(self) -> Iterator[str]:
        found = self.completed.differences
        if found:
            yield "\nDifferences, completed (order x size):"
        for each in found[:SHOWN]:
            capture, book = self._fills(each.capture), self._fills(each.book)
            yield f"  line {each.line}: capture {capture}, book {book} ({_words(each.cause)})"
        if len(found) > SHOWN:
            yield f"  and {len(found) - SHOWN:,} more"

    def _fills(self, fills: list[Fill]) -> str:
        return " + ".join(f"{order} x {plain(from_units(lots, self.lot))}" for order, lots in fills) or "nothing"


@dataclass(slots=True, eq=False)
class _Resting:
    """Holds an order as the capture has it. rank: its age. order_id, total_lots: its own in the Book; 0 while kept out."""

    number: int
    level: Level
    lots: int
    rank: int
    late: bool
    order_id: int = 0
    total_lots: int = 0


class Replay:
    """Makes one pass of a capture through a Book. complete: gives older orders their place, those never added too.

    Venues number orders in time order, so a number is an age. An order that is never added is as large as what the capture
    takes from it. It enters before the first younger order: no time of an execution is used.
    """

    def __init__(self, capture: Capture, complete: bool):
        self.messages = capture.messages
        self.complete = complete
        self.outcome = Outcome()
        highest = max(each.price_ticks for each in self.messages)
        most = min(SIZE_LOTS_MAX, MONEY_MAX // highest)
        for each in self.messages:
            if each.size_lots > most:
                raise InputError(f"{capture.name}, line {each.line}: {each.size_lots} lots are above {most}; use larger lots")
        self.book = Book(highest, max_size_lots=most, retain=False)
        self.resting: dict[int, _Resting] = {}
        self.queues: dict[Level, dict[int, _Resting]] = defaultdict(dict)  # oldest first
        self.outside: dict[int, _Resting] = {}  # resting at the venue, kept out of the Book
        self.numbers: dict[int, int] = {}  # from the Book's order ids
        self.seen: set[int] = set()
        self.youngest = 0
        adds = [each.order for each in self.messages if each.kind is Kind.ADD]
        self.eldest = adds[0] if adds else 0
        self.adds = frozenset(adds)
        self.early: dict[int, int] = defaultdict(int)  # lots taken from orders before they are added
        self.older = self._never_added() if complete else {}

    def run(self) -> Outcome:
        """Sends everything once."""
        self._enter_older_than(self.eldest)
        for sweep in _sweeps(self.messages):
            first = sweep[0]
            if first.kind is Kind.EXECUTE:
                self._execute(sweep)
            elif first.kind is Kind.ADD:
                self._enter_older_than(first.order)
                self._enter(first)
            else:
                self._cut(first)
            if first.kind is not Kind.ADD:
                for order in list(self.outside.values()):
                    self._place(order)
        return self.outcome

    # --- orders come and go

    def _never_added(self) -> dict[int, Message]:
        """Returns what the capture takes from orders that it never adds, oldest first."""
        added: set[int] = set()
        found: dict[int, Message] = {}
        for each in self.messages:
            if each.kind is Kind.ADD:
                added.add(each.order)
            elif each.kind is not Kind.HIDDEN and each.order not in added and not self._comes_later(each.order):
                taken = found[each.order].size_lots if each.order in found else 0
                found[each.order] = each._replace(size_lots=taken + each.size_lots)
        found.pop(NOT_TOLD, None)
        return dict(sorted(found.items()))

    def _comes_later(self, number: int) -> bool:
        """True if the capture has still to add an order that is younger than its beginning."""
        return number in self.adds and number not in self.seen and number > self.eldest

    def _enter_older_than(self, number: int) -> None:
        while self.older and (oldest := next(iter(self.older))) < number:
            self._enter(self.older.pop(oldest))
            self.outcome.inferred += 1

    def _enter(self, message: Message) -> None:
        number = message.order
        lots = message.size_lots - self.early.pop(number, 0)
        if number in self.resting or lots <= 0:
            self.outcome.ignored += 1
            return
        rank = self.youngest if number in self.seen else number  # who comes again is young again
        order = _Resting(number, (message.side, message.price_ticks), lots, rank, rank < self.youngest)
        self.youngest = max(self.youngest, number)
        self.seen.add(number)
        queue = self.queues[order.level]
        jumps = self.complete and bool(queue) and next(reversed(queue.values())).rank > rank
        self.resting[number] = queue[number] = order
        if jumps:
            self._withdraw(order.level)
            self.queues[order.level] = dict(sorted(queue.items(), key=lambda item: item[1].rank))
            self._put_back(order.level)
            self.outcome.moved += 1
        else:
            self._place(order)
        self.outcome.kept_out += number in self.outside

    def _place(self, order: _Resting) -> None:
        """Sends an order that rests at the venue. Keeps it waiting if it would trade: the two books differ there."""
        side, price_ticks = order.level
        ack = self.book.order(MAKERS, _WORDS[side], order.lots, price_ticks=price_ticks, post_only=True)
        if ack.code == Code.POST_ONLY_WOULD_TAKE:
            order.order_id = 0
            self.outside[order.number] = order
            return
        order.order_id, order.total_lots = ack.ok().order_id, order.lots
        self.numbers[order.order_id] = order.number
        self.outside.pop(order.number, None)

    def _take(self, message: Message) -> _Resting | None:
        """Takes the lots of a message from the capture's own order. Returns None if there is no such order."""
        number = message.order
        order = self.resting.get(number)
        if order is None:
            self.older.pop(number, None)
            if self._comes_later(number):
                self.early[number] += message.size_lots
            return None
        order.lots = 0 if message.kind is Kind.DELETE else max(order.lots - message.size_lots, 0)
        if not order.lots:
            del self.resting[number], self.queues[order.level][number]
            self.outside.pop(number, None)
        return order

    def _cut(self, message: Message) -> None:
        """Applies a reduction or a deletion."""
        order = self._take(message)
        if order is None:
            self.outcome.ignored += 1
        elif order.order_id and order.lots:
            order.total_lots -= message.size_lots
            self.book.amend(MAKERS, order.order_id, size_lots=order.total_lots).ok()
        elif order.order_id:
            self.book.cancel(MAKERS, order.order_id).ok()

    # --- trades

    def _execute(self, sweep: list[Message]) -> None:
        """Sends one aggressor: the Book trades first, then the capture is compared."""
        self.outcome.aggressors += 1
        wanted = [(each.order, each.size_lots) for each in sweep]
        made = self._attack(sweep) if sweep[0].order != NOT_TOLD else []
        missed, extra = _differing(wanted, made)
        self.outcome.reproduced += len(wanted) - len(missed)
        if not missed:
            for each in sweep:
                self._take(each)
            return
        cause = self._cause(missed, extra)
        self.outcome.causes[cause] += len(missed)
        self.outcome.differences.append(Difference(sweep[0].line, cause, missed, extra))
        self._restore(sweep, made)
        if cause is not Cause.NOT_TOLD:
            self._bury(sweep)

    def _attack(self, sweep: list[Message]) -> list[Fill]:
        """Sends an immediate order of the recorded size at the recorded worst price; returns whom the Book let trade."""
        side, price_ticks = sweep[-1].side, sweep[-1].price_ticks
        trades = self.book.cursor(EventType.TRADE)
        size_lots = sum(each.size_lots for each in sweep)
        self.book.order(TAKERS, _WORDS[Side(1 - side)], size_lots, price_ticks=price_ticks, tif="ioc").ok()
        made = [(self.numbers[event.maker_order_id], event.size_lots) for event in trades]
        trades.close()
        return made

    def _cause(self, missed: list[Fill], extra: list[Fill]) -> Cause:
        """Returns the first cause that fits. It explains all differences of one aggressor, as the others follow from it."""
        for number, lots in missed:
            if number == NOT_TOLD:
                return Cause.NOT_TOLD
            if self._comes_later(number):
                return Cause.OUT_OF_SEQUENCE
            if number not in self.seen:
                return Cause.BEFORE_WINDOW if number < self.eldest else Cause.OUT_OF_SIGHT
            if number in self.outside:
                return Cause.KEPT_OUT
            if number not in self.resting or lots > self.resting[number].lots:
                return Cause.MORE_THAN_RESTED
        wanted, hit = ([self.resting[number] for number, _ in fills] for fills in (missed, extra))
        if not self.complete and any(each.late for each in wanted + hit):
            return Cause.SHOWN_LATE
        levels = {each.level for each in wanted}
        if hit and hit[0].level not in levels:
            return Cause.BETTER_PRICE_LEFT
        return Cause.PASSED_OVER if hit else Cause.UNEXPLAINED

    def _restore(self, sweep: list[Message], made: list[Fill]) -> None:
        """Makes the levels that either side traded at equal to the capture's."""
        touched = [each.order for each in sweep] + [number for number, _ in made]
        levels = {self.resting[number].level for number in touched if number in self.resting}
        for level in levels:
            self._withdraw(level)
        for each in sweep:
            self._take(each)
        for level in levels:
            self._put_back(level)
        self.outcome.restored += 1

    def _bury(self, sweep: list[Message]) -> None:
        """Drops orders that a trade proves gone.

        A better price would have traded first, a crossing one would have traded before.
        """
        side, away = sweep[0].side, 1 if sweep[0].side == Side.SELL else -1
        for level in list(self.queues):
            better = level[0] == side and (level[1] - sweep[-1].price_ticks) * away < 0
            crossing = level[0] != side and (level[1] - sweep[0].price_ticks) * away >= 0
            if better or crossing:
                self._withdraw(level)
                for number in self.queues.pop(level):
                    del self.resting[number]
                    self.outside.pop(number, None)
                    self.outcome.buried += 1

    def _withdraw(self, level: Level) -> None:
        for order in self.queues[level].values():
            if order.order_id:
                self.book.cancel(MAKERS, order.order_id)  # refused where the Book has traded it away

    def _put_back(self, level: Level) -> None:
        for order in self.queues[level].values():
            self._place(order)


def replay(capture: Capture) -> ReplayReport:
    """Runs a capture twice, as recorded and completed. Raises WrongType for anything else."""
    if not isinstance(capture, Capture):
        raise wrong_type("capture", capture, "what solvent.capture.read gives")
    counts = Counter(each.kind for each in capture.messages)
    recorded, completed = (Replay(capture, complete).run() for complete in (False, True))
    return ReplayReport(
        capture.name, capture.format, capture.tick, capture.lot, len(capture.messages), counts[Kind.ADD],
        counts[Kind.EXECUTE], counts[Kind.HIDDEN], recorded, completed,
    )  # fmt: skip


def _words(name: str) -> str:
    return name.replace("_", " ")


def _sweeps(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """Yields every message by itself, but the executions of one aggressor together. Hidden ones touch no visible order."""
    sweep: list[Message] = []
    for each in messages:
        if each.kind is Kind.HIDDEN:
            continue
        if sweep and not _continues(sweep, each):
            yield sweep
            sweep = []
        sweep.append(each)
    if sweep:
        yield sweep


def _continues(sweep: list[Message], message: Message) -> bool:
    """True for the same time and side, never back to a better price, and no order twice: an aggressor takes it once."""
    last = sweep[-1]
    return (
        message.kind is last.kind is Kind.EXECUTE
        and (message.time_ns, message.side) == (last.time_ns, last.side)
        and (message.price_ticks - last.price_ticks) * (1 if message.side == Side.SELL else -1) >= 0
        and NOT_TOLD not in (message.order, last.order)
        and all(message.order != each.order for each in sweep)
    )


def _differing(wanted: list[Fill], made: list[Fill]) -> tuple[list[Fill], list[Fill]]:
    """Returns what is only in one of the two, compared in order."""
    missed, extra, at = [], [], 0
    for each in wanted:
        if each in made[at:]:
            found = made.index(each, at)
            extra += made[at:found]
            at = found + 1
        else:
            missed.append(each)
    return missed, extra + made[at:]
