"""The course of the liquidations of one instrument, from events alone.

Owns what a tick is, and the estimate of how many liquidations one liquidation brings. A tick is a mark of the instrument,
with all that happens until its next mark; ticks are numbered from 0, where its first liquidation is. Never judges: `cases` has
found the liquidations. Cost: O(1) for each mark and each closing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from solvent.schema.words import EventType, ParcelChange
from solvent.witness.cases import NEEDS as NEEDS_OF_CASES
from solvent.witness.cases import Case
from solvent.witness.life import Log

NEEDS = (*NEEDS_OF_CASES, EventType.MARKED)
"""The types of events that a cascade is read from."""
_WHERE = {
    ParcelChange.FILLED_BY_BOOK: "book_lots", ParcelChange.FILLED_BY_FUND: "fund_lots",
    ParcelChange.CLOSED_BY_ADL: "adl_lots", ParcelChange.CLOSED_BY_OPPOSITE: "opposite_lots",
    ParcelChange.CLOSED_BY_SETTLEMENT: "settled_lots",
}  # fmt: skip


@dataclass(slots=True)
class Tick:
    """Holds one tick in which something happened. Lots are those that a takeover or a step-down took from accounts, and those
    of parcels by who closed them. fund, deficit: above zero they got money. forgone: what ADL cost whom it closed, at mark."""

    tick: int
    time_ns: int
    mark_ticks: int
    liquidations: int = 0
    taken_lots: int = 0
    stepped_lots: int = 0
    book_lots: int = 0
    fund_lots: int = 0
    adl_lots: int = 0
    opposite_lots: int = 0
    settled_lots: int = 0
    fund_units: int = 0
    deficit_units: int = 0
    forgone_units: int = 0


class Cascade:
    """Reads the cascade of one instrument. ticks: those in which something happened, in order."""

    def __init__(self, log: Log, found: Iterable[Case], instrument: int):
        records = log.records
        places = np.flatnonzero(log.first & (records["type"] == EventType.MARKED) & (records["instrument"] == instrument))
        self._marks = records[places]
        self._commands = log.command_of(places)
        self._times = log.times
        self._ticks: dict[int, Tick] = {}
        for case in found:
            self._enter(case, instrument)
        self.ticks = [self._ticks[number] for number in sorted(self._ticks)]
        first = self.ticks[0].tick if self.ticks else 0
        for each in self.ticks:
            each.tick -= first

    def _tick(self, seq: int) -> Tick:
        """Returns the tick of an event."""
        number = int(np.searchsorted(self._marks["seq"], seq)) - 1
        if number not in self._ticks:
            time_ns, mark = self._times[self._commands[number] - 1], int(self._marks["a"][number])
            self._ticks[number] = Tick(number, time_ns, mark)
        return self._ticks[number]

    def _enter(self, case: Case, instrument: int) -> None:
        """Adds what a liquidation closed, each part in its tick; one that closed nothing here is none here."""
        taken = [each for each in case.taken if each.event.instrument == instrument]
        trades = [e for e in case.done if e.type == EventType.TRADE and e.instrument == instrument]
        if not taken and not trades:
            return
        self._tick(case.verdicts[0].seq).liquidations += 1
        for e in trades:
            self._tick(e.seq).stepped_lots += e.size_lots
        for each in taken:
            self._tick(each.event.seq).taken_lots += abs(each.event.size_lots)
            for closing in each.closings:
                tick, where = self._tick(closing.event.seq), _WHERE[ParcelChange(closing.event.change)]
                setattr(tick, where, getattr(tick, where) + closing.event.closed_lots)
                tick.fund_units += closing.fund_units
                tick.deficit_units += closing.deficit_units
                tick.forgone_units += closing.forgone_units

    def first_adl(self) -> Tick | None:
        """Returns the first tick with a deleveraging."""
        return next((each for each in self.ticks if each.adl_lots or each.opposite_lots), None)

    def branching(self) -> tuple[Fraction, Fraction] | None:
        """Returns the branching ratio, and the liquidations a tick that nothing before has brought."""
        counts = {each.tick: each.liquidations for each in self.ticks if each.liquidations}
        return branching([counts.get(tick, 0) for tick in range(max(counts, default=-1) + 1)])


def branching(counts: list[int]) -> tuple[Fraction, Fraction] | None:
    """Estimates a branching process with immigration from its counts by tick: (children of each, immigrants a tick).

    Counts follow from those of the tick before as ratio * count + immigrants, by least squares over all pairs of neighbours
    (Klimko and Nelson, 1978). Returns None where the counts before do not vary, so that the two cannot be told apart.

    >>> branching([8, 5, 4, 3, 3])
    (Fraction(3, 7), Fraction(45, 28))
    >>> branching([4, 4, 4, 4]) is None
    True
    """
    before, after = counts[:-1], counts[1:]
    n, total, follow = len(before), sum(before), sum(after)
    spread = n * sum(each * each for each in before) - total * total
    if not spread:
        return None
    ratio = Fraction(n * sum(a * b for a, b in zip(before, after, strict=True)) - total * follow, spread)
    return ratio, Fraction(follow - ratio * total, n)
