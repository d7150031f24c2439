"""The rows of one account, as its own events and the prices tell them: what lies behind every term of its margin at any
moment.

Owns which events concern one account. Never checks anything: the auditor does. Its numbers are the auditor's (`books`),
because both read them from the same rows. Cost: O(1) an event that concerns it; others are not read at all.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from solvent.schema.columns import second_records
from solvent.schema.events import Event
from solvent.schema.layouts import EVENT, RECORD_BYTES
from solvent.schema.limits import DAY_NS
from solvent.schema.words import EventType, Listing, Purse
from solvent.terms.order_words import TRANSITIONS
from solvent.witness.books import Books
from solvent.witness.rows import Audited, Order
from solvent.witness.values import fill_value

_NOT_NEEDED = (EventType.SOURCE_CHANGED, EventType.RATED, EventType.PASSED, EventType.LAST_SET)
NEEDS = tuple(kind for kind in EventType if kind not in _NOT_NEEDED)
"""The types of events that a life is read from."""

_EVERYONE = (
    EventType.MARKED, EventType.INDEXED, EventType.ACCRUED, EventType.FUNDED, EventType.LISTING_CHANGED,
    EventType.INSTRUMENT_ADDED, EventType.ACCOUNT_OPENED,
)  # fmt: skip

Records = "np.ndarray[Any, Any]"


class Log:
    """Holds the events of an exchange from the first one on, and reads those that concern an account.

    records, first: its records, and which of them begin an event. times, commands, numbers: the clock of each command, in
    nanoseconds, its type and its number. Each member of a batch is a command here, all with one number.
    """

    def __init__(self, records: "np.ndarray[Any, Any]"):
        self.records = records
        self.first = ~second_records(records)  # records that begin an event
        self._begins = np.flatnonzero(self.first & (records["type"] == EventType.BEGIN))
        self.times = records["a"][self._begins].tolist()
        self.commands = records["reason"][self._begins].tolist()
        self.numbers = records["b"][self._begins].tolist()

    def family(self, account: int) -> set[int]:
        """Returns the accounts whose trades count for one volume: a master account and its sub-accounts."""
        opened = self.records[self.first & (self.records["type"] == EventType.ACCOUNT_OPENED)]
        parents = dict(zip(opened["account"].tolist(), opened["a"].tolist(), strict=True))
        master = parents.get(account) or account
        return {master, account} | {each for each, parent in parents.items() if parent == master}

    def rows_of(self, account: int) -> "np.ndarray[Any, Any]":
        """Returns the places of the events that concern an account."""
        r, kinds = self.records, self.records["type"]
        family = list(self.family(account))
        mine = (r["account"] == account) & (kinds != EventType.BEGIN)
        mine |= np.isin(kinds, _EVERYONE)
        mine |= (kinds == EventType.LEDGER) & (r["a"] == account)
        mine |= (kinds == EventType.TRADE) & (np.isin(r["account"], family) | np.isin(r["e"], family))
        return np.flatnonzero(mine & self.first)

    def at(self, place: int) -> Event:
        """Returns the event at a place."""
        size = max(1, int(self.records["records"][place]))
        data = self.records[place : place + size].tobytes()
        return Event(EVENT.unpack_from(data), data[RECORD_BYTES:])

    def command_of(self, places: "np.ndarray[Any, Any]") -> list[int]:
        """Returns which command each place belongs to, from 1 up."""
        return [int(number) for number in np.searchsorted(self._begins, places, side="right")]

    def events(self, places: "np.ndarray[Any, Any]") -> Iterator[tuple[int, Event]]:
        """Yields which command it belongs to, from 1 up, and the event, for each place."""
        for number, place in zip(self.command_of(places), places.tolist(), strict=True):
            yield number, self.at(place)


class Life(Books):
    """Follows one account. Feed it the events that concern the account, in their order."""

    def __init__(self, exchange: Audited, account: int, family: set[int]):
        super().__init__(exchange)
        self.account = account
        self._family_ids = family
        self.client_names: dict[int, str] = {}  # texts behind numbers
        self._stepping: int | None = None  # the leg of a STEP_DOWN until its order is accepted

    def feed(self, e: Event) -> None:
        """Reads one event."""
        handler = getattr(self, f"_on_{e.type.name.lower()}", None)
        if handler:
            handler(e)

    def move_clock(self, time_ns: int) -> None:
        """Moves to the time of a command: volumes count by days."""
        self.day = time_ns // DAY_NS

    def _on_ledger(self, e: Event) -> None:
        side, leg = e.margin_of & 3, e.margin_of >> 2
        for account, after, isolated in ((e.payer, e.payer_after, side == 1), (e.receiver, e.receiver_after, side == 2)):
            if account == self.account and isolated:
                self.margins[account, e.instrument, leg] = after
            elif account == self.account:
                self.wallets[account, e.currency] = after

    def _on_position(self, e: Event) -> None:
        key = e.account, e.instrument, e.leg
        self.sizes[key], self.costs[key], self.margins[key] = e.size_lots, e.cost_units, e.margin_units
        self.modes[key], self.leverages[key] = e.mode, Fraction(e.leverage, e.leverage_parts)
        self.chosen[key] = e.chosen_tier
        self.liquidation_fee(key)

    def _on_fee_changed(self, e: Event) -> None:
        self.rated[e.account, e.instrument, e.leg] = e.fee_ppb

    def _on_client_id_named(self, e: Event) -> None:
        self.client_names[e.client_id] = e.name

    def _on_account_opened(self, e: Event) -> None:
        self.parents[e.account] = e.parent

    # --- prices and instruments

    def _on_marked(self, e: Event) -> None:
        self.marks[e.instrument] = e.price_ticks

    def _on_indexed(self, e: Event) -> None:
        self.indices[e.instrument] = e.price_ticks

    def _on_accrued(self, e: Event) -> None:
        self.accruals[e.instrument] = e.asked_ppb

    def _on_listing_changed(self, e: Event) -> None:
        if e.listing == Listing.CLOSED:
            self.marks[e.instrument] = e.price_ticks

    def _on_instrument_added(self, e: Event) -> None:
        self.listed += 1
        self._enter()

    # --- orders

    def _on_accepted(self, e: Event) -> None:
        order = self.orders[e.order_id] = Order(e, self.marks[e.instrument])
        self.liquidation_fee(order.key)
        if self._stepping is not None:
            order.key = e.account, e.instrument, self._stepping
            self._stepping = None

    def _on_step_down(self, e: Event) -> None:
        self._stepping = e.leg

    def _on_linked_to(self, e: Event) -> None:
        for child in (self.orders[order_id] for order_id in (e.target_id, e.stop_id) if order_id):
            child.status = TRANSITIONS[child.status, e.type]

    def _moved(self, e: Event) -> Order:
        order = self.orders[e.order_id]
        order.status = TRANSITIONS[order.status, e.type]
        return order

    def _on_rested(self, e: Event) -> None:
        self._moved(e).price = e.price_ticks

    def _on_replaced(self, e: Event) -> None:
        order = self._moved(e)
        order.price, order.remaining, order.mark = e.price_ticks, e.remaining_lots, self.marks[e.instrument]

    def _on_parked(self, e: Event) -> None:
        order = self._moved(e)
        order.price, order.remaining = 0, e.remaining_lots

    def _on_triggered(self, e: Event) -> None:
        order = self._moved(e)
        order.remaining, order.mark = e.size_lots, self.marks[e.instrument]

    def _on_reduced(self, e: Event) -> None:
        self._moved(e).remaining = e.remaining_lots

    def _on_done(self, e: Event) -> None:
        self._moved(e)
        del self.orders[e.order_id]

    def _on_trade(self, e: Event) -> None:
        for order_id in (e.maker_order_id, e.taker_order_id):
            if order_id in self.orders:
                self.orders[order_id].remaining -= e.size_lots
        if any(each.fee_tiers for each in self.specs):
            buyer, seller = (e.maker, e.taker) if e.side else (e.taker, e.maker)
            alone = buyer == Purse.HOUSE and seller != Purse.HOUSE
            value = fill_value(self.specs[e.instrument], e.size_lots, e.price_ticks, house_buys=alone)
            for account in (buyer, seller):
                if account in self._family_ids:
                    self.traded[self._family(account, e.instrument)][self.day] += value
