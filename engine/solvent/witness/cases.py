"""The liquidations of all accounts, out of events alone: what was tested, cancelled, sold, taken over, and who closed it.

Owns which events belong to a liquidation, and whom the house met. Never asks an exchange for anything but its terms, and
judges nothing: `story` holds the verdicts of one account against its rows. One liquidation is one margin domain in one
command; what later commands do to its parcels belongs to it, too. Cost: a few passes over the events without a Python loop,
then O(1) for each event of a liquidation.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from solvent.schema.events import Event
from solvent.schema.layouts import NO_INSTRUMENT
from solvent.schema.words import Ending, EventType, ParcelChange, Posting, Purse
from solvent.terms.order_words import TRANSITIONS
from solvent.witness.life import Log
from solvent.witness.rows import Audited, Key, Order
from solvent.witness.values import held_value, signed_cost

Domain = tuple[int, Key | None]  # currency, and the position if it is isolated
NEEDS = (
    EventType.BEGIN, EventType.LEDGER, EventType.ACCEPTED, EventType.LINKED_TO, EventType.RESTED, EventType.REPLACED,
    EventType.PARKED, EventType.TRIGGERED, EventType.TRADE, EventType.DONE, EventType.LIQUIDATION, EventType.NETTED,
    EventType.STEP_DOWN, EventType.TAKEOVER, EventType.ADL, EventType.PARCEL, EventType.CLIENT_ID_NAMED,
)  # fmt: skip
"""The types of events that liquidations are read from."""

_WHOLE = (EventType.LIQUIDATION, EventType.NETTED, EventType.STEP_DOWN, EventType.TAKEOVER, EventType.PARCEL, EventType.ADL)
_PRICED = (EventType.RESTED, EventType.REPLACED)
_OF_ORDERS = (EventType.ACCEPTED, EventType.TRIGGERED, EventType.PARKED, *_PRICED)
_POSTED = (Posting.CONVERTED, Posting.LIQUIDATION_FEE, Posting.DEFICIT_REPAID, Posting.TAKEN_OVER)


@dataclass(slots=True)
class Closing:
    """Holds a part of a parcel that was closed: its PARCEL event, who took it, and what fund and deficit paid and got."""

    event: Event
    time_ns: int
    counterparty: int
    price_ticks: int  # 0: at the parcel's own cost
    value_units: int  # of a deleveraging
    forgone_units: int  # by whom ADL closed: what closing at mark would have left him more; below zero: less
    fund_units: int = 0  # above zero: the fund got it
    deficit_units: int = 0  # above zero: repaid


@dataclass(slots=True)
class Taken:
    """Holds a position that the house took over, and how it was closed."""

    event: Event
    closings: list[Closing] = field(default_factory=list)
    left: Event | None = None  # the last PARCEL event


@dataclass(slots=True)
class Case:
    """Holds one liquidation of a margin domain, within one command.

    begun: which command it is, members of batches counted. kind: its type. verdicts: LIQUIDATION events in turn. cancelled:
    (DONE event, limit price, dormant, client id). done: the events of netting, step-down and conversion, with the trades and
    postings of each. fund, deficit: what they paid for a wallet below zero.
    """

    account: int
    domain: Domain
    begun: int
    command: int
    kind: int
    time_ns: int
    verdicts: list[Event] = field(default_factory=list)
    cancelled: list[tuple[Event, int, bool, int | str]] = field(default_factory=list)
    done: list[Event] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    fund_units: int = 0
    deficit_units: int = 0

    @property
    def closings(self) -> Iterator[Closing]:
        """Yields all closings of all its parcels."""
        return (closing for taken in self.taken for closing in taken.closings)


class Cases:
    """Reads the liquidations of all accounts out of all events of an exchange. The result is `found`, in their order."""

    def __init__(self, exchange: Audited, log: Log):
        self._exchange, self._log = exchange, log
        self.found: list[Case] = []
        self._begun: dict[tuple[int, Domain], Case] = {}  # in the present command
        self._now: dict[int, Case] = {}  # and of them the last one of each account
        self._parcels: dict[int, Taken] = {}
        self._offers: list[tuple[int, int, int, int]] = []  # of the house until their PARCEL: who, price, value, forgone
        self._paid: list[int] = [0, 0]  # by fund and deficit until then
        self._stepping: dict[int, Case] = {}  # by the order of a step down
        self._command = self._time_ns = 0
        self._orders, self._names = self._read_orders()
        for number, e in log.events(self._places()):
            if number != self._command:
                self._command, self._time_ns, self._begun, self._now = number, log.times[number - 1], {}, {}
            _READ[e.type](self, e)

    # --- what to look at

    def _places(self) -> "np.ndarray[Any, Any]":
        """Returns the places of the events that belong to liquidations, or may."""
        r, log = self._log.records, self._log
        kinds = r["type"]
        chosen = np.isin(kinds, _WHOLE) | self._cancellations()
        trades = kinds == EventType.TRADE
        chosen |= trades & ((r["account"] == Purse.HOUSE) | (r["e"] == Purse.HOUSE))
        purses = Purse.FUND, Purse.DEFICIT
        paid = np.isin(r["account"], purses) | np.isin(r["a"], purses) | np.isin(r["reason"], _POSTED)
        chosen |= (kinds == EventType.LEDGER) & paid
        steps = np.flatnonzero(log.first & (kinds == EventType.STEP_DOWN))
        if len(steps):
            accepted = np.flatnonzero(log.first & (kinds == EventType.ACCEPTED))
            after = np.searchsorted(accepted, steps)
            orders = accepted[after[after < len(accepted)]]
            chosen[orders] = True
            chosen |= trades & np.isin(r["b"], r["a"][orders])
        return np.flatnonzero(chosen & log.first)

    def _cancellations(self) -> "np.ndarray[Any, Any]":
        r = self._log.records
        found: np.ndarray[Any, Any] = (r["type"] == EventType.DONE) & (r["reason"] == Ending.LIQUIDATED) & self._log.first
        return found

    def _read_orders(self) -> tuple[dict[int, Order], dict[tuple[int, int], str]]:
        """Returns the orders that liquidations cancelled, as they were then, and the texts behind client ids."""
        r, ended = self._log.records, self._cancellations()
        orders: dict[int, Order] = {}
        names: dict[tuple[int, int], str] = {}
        if not ended.any():
            return orders, names
        ids = r["a"][ended]
        mine = np.isin(r["type"], _OF_ORDERS) & np.isin(r["a"], ids)
        mine |= (r["type"] == EventType.LINKED_TO) & (np.isin(r["b"], ids) | np.isin(r["c"], ids))
        mine |= (r["type"] == EventType.CLIENT_ID_NAMED) & np.isin(r["account"], r["account"][ended])
        for _, e in self._log.events(np.flatnonzero(mine & self._log.first)):
            if e.type == EventType.CLIENT_ID_NAMED:
                names[e.account, e.client_id] = e.name
            elif e.type == EventType.ACCEPTED:
                orders[e.order_id] = Order(e, 0)
            else:
                moved = (e.target_id, e.stop_id) if e.type == EventType.LINKED_TO else (e.order_id,)
                for order in (orders[order_id] for order_id in moved if order_id in orders):
                    order.status = TRANSITIONS[order.status, e.type]
                    if e.type in _PRICED or e.type == EventType.PARKED:
                        order.price = 0 if e.type == EventType.PARKED else e.price_ticks
        return orders, names

    # --- the account

    def _judged(self, e: Event) -> None:
        """Enters a verdict into a liquidation that has begun in this command, or into a new one."""
        domain = e.currency, None if e.instrument == NO_INSTRUMENT else (e.account, e.instrument, e.leg)
        case = self._begun.get((e.account, domain))
        if case is None:
            at, log = self._command, self._log
            case = Case(e.account, domain, at, log.numbers[at - 1], log.commands[at - 1], self._time_ns)
            self._begun[e.account, domain] = case
            self.found.append(case)
        case.verdicts.append(e)
        self._now[e.account] = case

    def _cancelled(self, e: Event) -> None:
        case, order = self._now.get(e.account), self._orders[e.order_id]
        if case:
            named = self._names.get((e.account, e.client_id), e.client_id)
            case.cancelled.append((e, order.price, order.status == "dormant", named))

    def _done(self, e: Event) -> None:
        case = self._now.get(e.account)
        if case:
            case.done.append(e)

    def _accepted(self, e: Event) -> None:
        case = self._now.get(e.account)
        if case and case.done and case.done[-1].type == EventType.STEP_DOWN:
            self._stepping[e.order_id] = case

    # --- the house

    def _trade(self, e: Event) -> None:
        """Notes who met the house, for the PARCEL that follows; both may be the house. Enters trades of a step down."""
        if e.taker_order_id in self._stepping:
            self._stepping[e.taker_order_id].done.append(e)
        for mine, other in ((e.maker, e.taker), (e.taker, e.maker)):
            if mine == Purse.HOUSE:
                self._offers.append((other, e.price_ticks, 0, 0))

    def _adl(self, e: Event) -> None:
        spec, long = self._exchange.instruments[e.instrument].spec, self._parcels[e.parcel_id].event.size_lots > 0
        lots = e.closed_lots if long else -e.closed_lots
        worth = signed_cost(spec, long, held_value(spec, lots, e.mark_ticks))
        if e.adl_pass == 2:
            self._offers += [(e.account, 0, e.share_units, 0)] * 2
        else:
            self._offers.append((e.account, 0, e.share_units, e.share_units - worth))

    def _takeover(self, e: Event) -> None:
        taken = self._parcels[e.parcel_id] = Taken(e)
        self._now[e.account].taken.append(taken)

    def _parcel(self, e: Event) -> None:
        """Enters how a part of a parcel was closed."""
        mine = self._parcels[e.parcel_id]
        mine.left = e
        if e.change == ParcelChange.TAKEN:
            return
        by_hand = e.change != ParcelChange.CLOSED_BY_SETTLEMENT and self._offers
        offer = self._offers.pop(0) if by_hand else (int(Purse.CLEARING), 0, 0, 0)
        mine.closings.append(Closing(e, self._time_ns, *offer, *self._paid))
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
        elif e.posting == Posting.SHORTFALL and e.receiver in self._now:
            case = self._now[e.receiver]
            case.fund_units -= e.amount_units * (e.payer == Purse.FUND)
            case.deficit_units -= e.amount_units * (e.payer == Purse.DEFICIT)
        elif e.posting in _POSTED:
            liquidated = self._now.get(e.payer) or self._now.get(e.receiver)
            if liquidated:
                liquidated.done.append(e)


_READ = {
    EventType.LIQUIDATION: Cases._judged, EventType.DONE: Cases._cancelled, EventType.NETTED: Cases._done,
    EventType.STEP_DOWN: Cases._done, EventType.ACCEPTED: Cases._accepted, EventType.TRADE: Cases._trade,
    EventType.ADL: Cases._adl, EventType.TAKEOVER: Cases._takeover, EventType.PARCEL: Cases._parcel,
    EventType.LEDGER: Cases._posting,
}  # fmt: skip
