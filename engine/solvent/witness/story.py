"""The story of every liquidation of one account: the way to it, the crossing to the tick, and what became of its positions.

Owns readings of margin domains, the search for a crossing, and which events belong to a liquidation. Never asks an exchange
for anything but its terms: events alone are enough. Each LIQUIDATION must say what the rows here say, or InvariantBroken is
raised. Cost: one pass over the events that concern the account; a reading costs its domain, a crossing twenty of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import numpy as np

from solvent.schema.codes import InvariantBroken
from solvent.schema.events import Event
from solvent.schema.layouts import NO_INSTRUMENT
from solvent.schema.words import Ending, EventType, Leg, ParcelChange, Posting, Purse
from solvent.witness.life import Life, Log
from solvent.witness.rows import Audited, Key
from solvent.witness.spendable import hold
from solvent.witness.values import profit

Domain = tuple[int, Key | None]  # currency, and the position if it is isolated
_PRICES = {EventType.MARKED: "mark", EventType.INDEXED: "index"}
_DONE = (EventType.NETTED, EventType.STEP_DOWN)
_POSTED = (Posting.CONVERTED, Posting.LIQUIDATION_FEE, Posting.DEFICIT_REPAID, Posting.TAKEN_OVER)
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

    cause: "mark", "index", "funding" or "fee", else "command". base: cash or isolated margin. accrued: funding that is due and
    not yet settled, part of what is asked. hold: reserved by resting orders, in a cross domain by all of the currency.
    """

    seq: int
    time_ns: int
    command: int
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
class Closing:
    """Holds a part of a parcel that was closed: its PARCEL event, who took it, and what fund and deficit paid and got."""

    event: Event
    time_ns: int
    counterparty: int
    price_ticks: int  # 0: at the parcel's own cost
    value_units: int  # of a deleveraging
    fund_units: int = 0  # above zero: the fund got it
    deficit_units: int = 0  # above zero: repaid


@dataclass(slots=True)
class Taken:
    """Holds a position that the house took over, and how it was closed."""

    event: Event
    closings: list[Closing] = field(default_factory=list)
    left: Event | None = None  # the last PARCEL event


@dataclass(slots=True)
class Episode:
    """Holds one liquidation of a margin domain, within one command.

    verdicts: LIQUIDATION events in turn. cancelled: (DONE event, limit price, dormant, client id). done: the events of
    netting, step-down and conversion, with the trades and postings of each. after: readings since. fund, deficit: what they
    paid for a wallet below zero.
    """

    domain: Domain
    command: int
    time_ns: int
    watched: frozenset[int]
    first: int
    last: int
    after: int = 0
    path: list[Reading] = field(default_factory=list)
    crossing: Crossing | None = None
    verdicts: list[Event] = field(default_factory=list)
    cancelled: list[tuple[Event, int, bool, int | str]] = field(default_factory=list)
    done: list[Event] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    fund_units: int = 0
    deficit_units: int = 0


class Story:
    """Reads the liquidations of one account out of all events of an exchange. The result is `episodes`."""

    def __init__(self, exchange: Audited, records: "np.ndarray[Any, Any]", account: int, before: int, after: int):
        self._log = Log(records)
        self.account = account
        self._life = Life(exchange, account, self._log.family(account))
        self._spans = before, after
        self.commands = self._log.commands  # their types
        self._places = self._log.rows_of(account)
        self.episodes = self._plan(records)
        self._now: Episode | None = None  # whose verdict was the last one, within its command
        self._parcels: dict[int, Taken] = {}
        self._offers: list[tuple[int, int, int]] = []  # of the house until their PARCEL: counterparty, price, value
        self._paid: list[int] = [0, 0]  # by fund and deficit until then
        self._dirty = False
        self._stepping = 0  # the order of a step down
        self._begun = self._log.first_seq(account)  # from where all events of the house are among those that are read
        self._command = self._time_ns = self._seq = 0
        self._read()

    # --- what to look at

    def _plan(self, records: "np.ndarray[Any, Any]") -> list[Episode]:
        """Finds the liquidations, and for each the span of events in which its domain is read."""
        chosen = records[self._places]
        numbers = self._log.command_of(self._places)
        found: dict[tuple[int, Domain], Episode] = {}
        for i in np.flatnonzero((chosen["type"] == EventType.LIQUIDATION) & (chosen["account"] == self.account)).tolist():
            e = self._log.at(int(self._places[i]))
            key = None if e.instrument == NO_INSTRUMENT else (e.account, e.instrument, e.leg)
            domain = e.currency, key
            if (numbers[i], domain) not in found:
                watched = frozenset([key[1]]) if key else self._held(chosen[:i], e.currency)
                first, last = self._span(chosen, i, watched)
                time_ns = self._log.times[numbers[i] - 1]
                found[numbers[i], domain] = Episode(domain, numbers[i], time_ns, watched, first, last)
        return list(found.values())

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

    def _span(self, rows: "np.ndarray[Any, Any]", at: int, watched: frozenset[int]) -> tuple[int, int]:
        """Returns the first and the last event in which a domain is read: so many marks before and after."""
        before, after = self._spans
        marked = np.flatnonzero((rows["type"] == EventType.MARKED) & np.isin(rows["instrument"], list(watched)))
        middle = int(np.searchsorted(marked, at))
        early = marked[max(0, middle - before - 1) : middle]
        late = marked[middle : middle + after]
        first = int(rows["seq"][early[0]]) if len(early) else int(rows["seq"][at])
        last = int(rows["seq"][late[-1]]) if len(late) else int(rows["seq"][at])
        return first, last

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
        order = self._life.orders.get(e.order_id) if kind == EventType.DONE else None
        old = self._price(e) if kind in _PRICES else 0
        mine = e.account == self.account or (kind in _OTHERS and getattr(e, _OTHERS[kind]) == self.account)
        if mine or kind in _OF_EVERYONE:
            self._life.feed(e)
            self._dirty |= mine and kind not in _CAUSES
        if kind == EventType.LIQUIDATION:
            self._judge(e)
        elif kind in _CAUSES:
            self._look(e, old)
        elif self._now and order and e.ending == Ending.LIQUIDATED:
            named = self._life.client_names.get(e.client_id, e.client_id)
            self._now.cancelled.append((e, order.price, order.status == "dormant", named))
        elif self._now and e.account == self.account and kind in _DONE:
            self._now.done.append(e)
        elif kind == EventType.ACCEPTED and self._now and self._now.done and self._now.done[-1].type == EventType.STEP_DOWN:
            self._stepping = e.order_id
        elif kind in _HOUSE and e.seq > self._begun:
            _HOUSE[kind](self, e)

    def _end_command(self) -> None:
        """Reads the domains whose account the command changed."""
        for each in self._spanning(self._seq) if self._dirty else ():
            self._enter(each, self._reading(each.domain, each.watched, ("command", NO_INSTRUMENT)))
        self._dirty, self._now = False, None

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
        return Reading(
            self._seq, self._time_ns, self._command, *cause, {i: life.marks[i] for i in sorted(watched)},
            {each: life.sizes[each] for each in sorted(members)}, equity, full, own,
            life.margins[key] if key else life.wallets[self.account, currency], collateral, gained,
            sum(ceil(life.held(each).accrued) for each in members), sum(hold(life, each) for each in places),
        )  # fmt: skip

    def _enter(self, each: Episode, reading: Reading) -> None:
        """Adds a reading to the path: so many before the liquidation, so many after it."""
        before, after = self._spans
        each.path.append(reading)
        if not each.verdicts and len(each.path) > before:
            del each.path[0]
        each.after += bool(each.verdicts)
        if each.verdicts and each.after >= after:
            each.last = 0

    # --- the crossing

    def _look(self, e: Event, old: int) -> None:
        """Reads the domains that a price, funding or a fee may have changed."""
        self._seq = e.seq
        for each in self._spanning(e.seq):
            if e.instrument not in each.watched:
                continue
            reading = self._reading(each.domain, each.watched, (_CAUSES[e.type], e.instrument))
            if not each.verdicts:
                self._weigh(each, reading, e, old)
            self._enter(each, reading)

    def _weigh(self, each: Episode, reading: Reading, e: Event, old: int) -> None:
        """Notes a crossing, or that the domain has recovered from one."""
        before = each.path[-1] if each.path else None
        threshold = _crossed(before, reading)
        if reading.slack >= 0:
            each.crossing = None
        elif threshold:
            each.crossing = Crossing(threshold, before, reading, **self._search(each.domain, threshold, e, old))

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
        each = next(each for each in self.episodes if (each.command, each.domain) == (self._command, (e.currency, key)))
        reading = self._reading(each.domain, each.watched, ("command", NO_INSTRUMENT))
        mine = reading.equity, reading.full, reading.own
        if mine != (e.equity_units, e.full_units, e.own_units):
            raise InvariantBroken(f"LIQ-1: the story of account {self.account} says {mine} at {e!r}")
        if not each.verdicts:
            before = each.path[-1] if each.path else None
            threshold = _crossed(before, reading)
            if threshold:
                each.crossing = Crossing(threshold, before, reading)
            if before is None or before.slack >= 0:
                self._enter(each, reading)
        each.verdicts.append(e)
        self._now = each

    # --- the house

    def _trade(self, e: Event) -> None:
        """Notes who met the house, for the PARCEL that follows; both may be the house. Enters trades of a step down."""
        if self._now and e.taker_order_id == self._stepping:
            self._now.done.append(e)
        for mine, other in ((e.maker, e.taker), (e.taker, e.maker)):
            if mine == Purse.HOUSE:
                self._offers.append((other, e.price_ticks, 0))

    def _adl(self, e: Event) -> None:
        offer = e.account, 0, e.share_units
        self._offers += [offer, offer] if e.adl_pass == 2 else [offer]

    def _takeover(self, e: Event) -> None:
        if self._now:
            self._parcels[e.parcel_id] = Taken(e)
            self._now.taken.append(self._parcels[e.parcel_id])

    def _parcel(self, e: Event) -> None:
        """Enters how a part of a parcel was closed."""
        mine = self._parcels.get(e.parcel_id)
        if mine:
            mine.left = e
        if e.change == ParcelChange.TAKEN:
            return
        by_hand = e.change != ParcelChange.CLOSED_BY_SETTLEMENT and self._offers
        counterparty, price, value = self._offers.pop(0) if by_hand else (int(Purse.CLEARING), 0, 0)
        if mine:
            mine.closings.append(Closing(e, self._time_ns, counterparty, price, value, *self._paid))
        self._paid = [0, 0]

    def _posting(self, e: Event) -> None:
        """Enters what fund and deficit pay and get for a parcel, a winner without equity, or a wallet below zero."""
        if e.posting in (Posting.PARCEL_GAIN, Posting.PARCEL_LOSS) or (e.posting, e.payer) == (
            Posting.DEFICIT_REPAID, Purse.CLEARING,
        ):  # fmt: skip
            sign = 1 if e.payer == Purse.CLEARING else -1
            self._paid[Purse.DEFICIT in (e.payer, e.receiver)] += sign * e.amount_units
        elif e.posting == Posting.ADL_TOP_UP and self._offers:
            self._paid[1] -= e.amount_units
        elif e.posting == Posting.ADL_TOP_UP and e.ref in self._parcels:
            self._parcels[e.ref].closings[-1].deficit_units -= e.amount_units
        elif self._now and e.posting == Posting.SHORTFALL and e.receiver == self.account:
            self._now.fund_units -= e.amount_units * (e.payer == Purse.FUND)
            self._now.deficit_units -= e.amount_units * (e.payer == Purse.DEFICIT)
        elif self._now and self.account in (e.payer, e.receiver) and e.posting in _POSTED:
            self._now.done.append(e)


_HOUSE = {
    EventType.TRADE: Story._trade, EventType.ADL: Story._adl, EventType.TAKEOVER: Story._takeover,
    EventType.PARCEL: Story._parcel, EventType.LEDGER: Story._posting,
}  # fmt: skip


def _crossed(before: Reading | None, now: Reading) -> str:
    """Returns the threshold that a domain has gone below since the last reading, or ""."""
    if now.slack < 0 and (before is None or before.slack >= 0):
        return "own"
    return "full" if before and before.equity >= before.full and now.equity < now.full else ""
