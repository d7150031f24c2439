"""The way to every liquidation of one account: what its domain had and what was asked, and the crossing to the tick.

Owns readings of margin domains, and the search for a crossing; what then happened is in `cases`. Never asks an exchange for
anything but its terms: events alone are enough. Each LIQUIDATION must say what the rows here say, or InvariantBroken is
raised. Cost: that of `cases`, and one pass over the events that concern the account; a reading costs its domain, a crossing
twenty of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import numpy as np

from solvent.schema.codes import InvariantBroken
from solvent.schema.events import Event
from solvent.schema.layouts import NO_INSTRUMENT
from solvent.schema.words import EventType, Leg
from solvent.witness.cases import Case, Cases, Domain
from solvent.witness.life import Life, Log
from solvent.witness.rows import Audited, Key
from solvent.witness.spendable import hold
from solvent.witness.values import profit

_PRICES = {EventType.MARKED: "mark", EventType.INDEXED: "index"}
_OTHERS = {EventType.LEDGER: "receiver", EventType.TRADE: "maker"}  # the second account that an event names
_OF_EVERYONE = (
    *_PRICES,
    EventType.ACCRUED,
    EventType.LISTING_CHANGED,
    EventType.INSTRUMENT_ADDED,
    EventType.LEDGER,
    EventType.TRADE,
    EventType.ACCOUNT_OPENED,
)
_CAUSES = {
    EventType.MARKED: "mark", EventType.INDEXED: "index", EventType.FUNDED: "funding", EventType.ACCRUED: "funding",
    EventType.FEE_CHANGED: "fee",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """Holds the terms of a margin domain at one moment, in units; marks in ticks, sizes in lots.

    kind: the command's type. cause: "mark", "index", "funding" or "fee", else "command". base: cash or isolated margin.
    accrued: funding that is due and not yet settled, part of what is asked. hold: reserved by resting orders, in a cross
    domain by all of the currency.
    """

    seq: int
    time_ns: int
    command: int
    kind: int
    cause: str
    instrument: int
    marks: dict[int, int]
    sizes: dict[Key, int]
    equity: int
    full: int
    own: int
    base: int
    collateral: int
    profit: int
    accrued: int
    hold: int

    @property
    def slack(self) -> int:
        """Returns equity above R_own; below zero the next step of a liquidation begins."""
        return self.equity - self.own


@dataclass(frozen=True, slots=True)
class Crossing:
    """Tells where a domain went below a threshold, "own" or "full".

    before, after: the last reading at or above it, None if there was none, and the first one below. If a price did it alone:
    healthy_ticks and crossed_ticks, two prices next to each other on the way, with what was left at each, in units, all else
    as it was after that price.
    """

    threshold: str
    before: Reading | None
    after: Reading
    price: str = ""
    instrument: int = NO_INSTRUMENT
    from_ticks: int = 0
    to_ticks: int = 0
    healthy_ticks: int = 0
    healthy_units: int = 0
    crossed_ticks: int = 0
    crossed_units: int = 0


@dataclass(slots=True)
class Episode:
    """Holds a liquidation of the account with the way to it. first, last: the span of events in which its domain is read.
    after: readings since its first verdict, which `judged` tells."""

    case: Case
    watched: frozenset[int]
    first: int
    last: int
    after: int = 0
    judged: bool = False
    path: list[Reading] = field(default_factory=list)
    crossing: Crossing | None = None


class Story:
    """Reads the liquidations of one account out of all events of an exchange. The result is `episodes`."""

    def __init__(self, exchange: Audited, records: "np.ndarray[Any, Any]", account: int, before: int, after: int):
        self._log = Log(records)
        self.account = account
        self._life = Life(exchange, account, self._log.family(account))
        self._spans = before, after
        self._places = self._log.rows_of(account)
        rows, cases = records[self._places], Cases(exchange, self._log).found
        self.episodes = [Episode(case, *self._span(rows, case)) for case in cases if case.account == account]
        self._dirty = False
        self._command = self._time_ns = self._seq = 0
        self._read()

    # --- what to look at

    def _held(self, rows: "np.ndarray[Any, Any]", currency: int) -> frozenset[int]:
        """Returns the instruments of the open cross positions of a currency, with those that price its collateral."""
        exchange = self._life.exchange
        mine = rows[(rows["type"] == EventType.POSITION) & (rows["account"] == self.account)]
        sizes = {
            (instrument, leg): size and not mode
            for instrument, leg, mode, size in zip(
                *(mine[name].tolist() for name in ("instrument", "code", "side", "a")), strict=True
            )
        }
        held = {
            instrument for (instrument, _), size in sizes.items()
            if size and exchange.venue.currency_id(exchange.instruments[instrument].settle) == currency
        }  # fmt: skip
        return frozenset(held | {priced for _, of, priced, *_ in exchange.venue.collateral_terms if of == currency})

    def _span(self, rows: "np.ndarray[Any, Any]", case: Case) -> tuple[frozenset[int], int, int]:
        """Returns the instruments that a liquidation watches, and the first and the last event in which its domain is read:
        so many marks before and after."""
        (currency, key), seq, (before, after) = case.domain, case.verdicts[0].seq, self._spans
        at = int(np.searchsorted(rows["seq"], seq))
        watched = frozenset([key[1]]) if key else self._held(rows[:at], currency)
        marked = np.flatnonzero((rows["type"] == EventType.MARKED) & np.isin(rows["instrument"], list(watched)))
        middle = int(np.searchsorted(marked, at))
        early = marked[max(0, middle - before - 1) : middle]
        late = marked[middle : middle + after]
        first = int(rows["seq"][early[0]]) if len(early) else seq
        return watched, first, int(rows["seq"][late[-1]]) if len(late) else seq

    # --- reading

    def _read(self) -> None:
        """Goes through the events once."""
        try:
            for number, e in self._log.events(self._places):
                if number != self._command:
                    self._end_command()
                    self._command, self._time_ns = number, self._log.times[number - 1]
                    self._life.move_clock(self._time_ns)
                self._seq = e.seq
                self._take(e)
            self._end_command()
        except LookupError as error:
            raise InvariantBroken(f"the events of account {self.account} do not tell its story: {error!r}") from error

    def _take(self, e: Event) -> None:
        kind = e.type
        old = self._price(e) if kind in _PRICES else 0
        mine = e.account == self.account or (kind in _OTHERS and getattr(e, _OTHERS[kind]) == self.account)
        if mine or kind in _OF_EVERYONE:
            self._life.feed(e)
            self._dirty |= mine and kind not in _CAUSES
        if kind == EventType.LIQUIDATION:
            self._judge(e)
        elif kind in _CAUSES:
            self._look(e, old)

    def _end_command(self) -> None:
        """Reads the domains whose account the command changed."""
        for each in self._spanning(self._seq) if self._dirty else ():
            self._enter(each, self._reading(each.case.domain, each.watched, ("command", NO_INSTRUMENT)))
        self._dirty = False

    def _spanning(self, seq: int) -> Iterator[Episode]:
        return (each for each in self.episodes if each.first <= seq <= each.last)

    def _price(self, e: Event) -> int:
        return (self._life.marks if e.type == EventType.MARKED else self._life.indices)[e.instrument]

    def _members(self, domain: Domain) -> list[Key]:
        """Returns the positions of a domain."""
        currency, key = domain
        life = self._life
        return [key] if key else [
            each for each, size in life.sizes.items() if size and not life.modes.get(each) and life.currency[each[1]] ==
            currency
        ]  # fmt: skip

    def _reading(self, domain: Domain, watched: frozenset[int], cause: tuple[str, int]) -> Reading:
        life, (currency, key) = self._life, domain
        equity, full, own = life.terms(key, self.account, currency)
        members = self._members(domain)
        collateral = 0 if key else life._collateral(self.account, currency)
        places = [key] if key else [
            (self.account, i, leg) for i in range(len(life.specs)) for leg in Leg if life.currency[i] == currency
        ]  # fmt: skip
        gained = sum(profit(life.specs[each[1]], life.sizes[each], life.costs[each], life.marks[each[1]]) for each in members)
        at, marks = self._command - 1, {i: life.marks[i] for i in sorted(watched)}
        return Reading(
            self._seq, self._time_ns, self._log.numbers[at], self._log.commands[at], *cause, marks,
            {each: life.sizes[each] for each in sorted(members)}, equity, full, own,
            life.margins[key] if key else life.wallets[self.account, currency], collateral, gained,
            sum(ceil(life.held(each).accrued) for each in members), sum(hold(life, each) for each in places),
        )  # fmt: skip

    def _enter(self, each: Episode, reading: Reading) -> None:
        """Adds a reading to the path: so many before the liquidation, so many after it."""
        before, after = self._spans
        each.path.append(reading)
        if not each.judged and len(each.path) > before:
            del each.path[0]
        each.after += each.judged
        if each.judged and each.after >= after:
            each.last = 0

    # --- the crossing

    def _look(self, e: Event, old: int) -> None:
        """Reads the domains that a price, funding or a fee may have changed."""
        self._seq = e.seq
        for each in self._spanning(e.seq):
            if e.instrument not in each.watched:
                continue
            reading = self._reading(each.case.domain, each.watched, (_CAUSES[e.type], e.instrument))
            if not each.judged:
                self._weigh(each, reading, e, old)
            self._enter(each, reading)

    def _weigh(self, each: Episode, reading: Reading, e: Event, old: int) -> None:
        """Notes a crossing, or that the domain has recovered from one."""
        before = each.path[-1] if each.path else None
        threshold = _crossed(before, reading)
        if reading.slack >= 0:
            each.crossing = None
        elif threshold:
            each.crossing = Crossing(threshold, before, reading, **self._search(each.case.domain, threshold, e, old))

    def _search(self, domain: Domain, threshold: str, e: Event, old: int) -> dict[str, Any]:
        """Finds two prices next to each other between an old and a new one, of which one is healthy and one is not.

        Returns nothing where the price did not do it alone.
        """
        if e.type not in _PRICES or not old:
            return {}
        prices = self._life.marks if e.type == EventType.MARKED else self._life.indices

        def left(ticks: int) -> int:
            prices[e.instrument] = ticks
            equity, full, own = self._life.terms(domain[1], self.account, domain[0])
            return equity - (own if threshold == "own" else full)

        healthy, crossed = old, e.price_ticks
        if left(healthy) >= 0:
            while abs(crossed - healthy) > 1:
                middle = (healthy + crossed) // 2
                healthy, crossed = (middle, crossed) if left(middle) >= 0 else (healthy, middle)
        told: dict[str, Any] = {
            "price": _PRICES[e.type], "instrument": e.instrument, "from_ticks": old, "to_ticks": e.price_ticks,
            "healthy_ticks": healthy, "healthy_units": left(healthy), "crossed_ticks": crossed, "crossed_units": left(crossed),
        }  # fmt: skip
        left(e.price_ticks)
        return told if told["healthy_units"] >= 0 else {}

    def _judge(self, e: Event) -> None:
        """Enters a verdict. The rows here must say the same."""
        key = None if e.instrument == NO_INSTRUMENT else (e.account, e.instrument, e.leg)
        self._seq = e.seq
        wanted = self._command, (e.currency, key)
        each = next(each for each in self.episodes if (each.case.begun, each.case.domain) == wanted)
        reading = self._reading(each.case.domain, each.watched, ("command", NO_INSTRUMENT))
        mine = reading.equity, reading.full, reading.own
        if mine != (e.equity_units, e.full_units, e.own_units):
            raise InvariantBroken(f"LIQ-1: the story of account {self.account} says {mine} at {e!r}")
        if not each.judged:
            before = each.path[-1] if each.path else None
            threshold = _crossed(before, reading)
            if threshold:
                each.crossing = Crossing(threshold, before, reading)
            if before is None or before.slack >= 0:
                self._enter(each, reading)
        each.judged = True


def _crossed(before: Reading | None, now: Reading) -> str:
    """Returns the threshold that a domain has gone below since the last reading, or ""."""
    if now.slack < 0 and (before is None or before.slack >= 0):
        return "own"
    return "full" if before and before.equity >= before.full and now.equity < now.full else ""
