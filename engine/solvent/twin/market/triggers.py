"""Dormant orders, their triggers, and the orders that have expired.

Owns the dormant orders of each instrument, the timed orders, and the queue of orders whose trigger was reached. Never executes
an order. An order becomes due at most once, so a cascade inside a command ends. Cost: O(dormant) a price seen.
"""

from collections import deque

from solvent.schema.limits import RATE
from solvent.schema.words import Side, TriggerKind
from solvent.twin.base.integers import ceil_div
from solvent.twin.market.book import ExtendedTerms, Order


def direction(side: int, kind: int) -> int:
    """Returns 0 if the trigger fires on a falling price, 1 on a rising one."""
    return 0 if (side == Side.SELL) != (kind == TriggerKind.TAKE_PROFIT) else 1


def reached(way: int, trigger: int, price: int) -> bool:
    """True if `price` (0: none yet) fires the trigger."""
    return price != 0 and (price <= trigger if way == 0 else price >= trigger)


class Triggers:
    def __init__(self) -> None:
        self.highest: list[int] = []  # legal price of each instrument
        self.dormant: list[dict[int, Order]] = []
        self.timed: dict[int, Order] = {}
        self.due: deque[Order] = deque()

    def enter(self, highest: int) -> None:
        """Adds an instrument with its highest legal price."""
        self.highest.append(highest)
        self.dormant.append({})

    def trailing(self, instrument: int) -> int:
        return sum(1 for order in self.dormant[instrument].values() if order.terms.trail)

    def trigger_at(self, instrument: int, side: int, terms: ExtendedTerms, extreme: int) -> int:
        """Returns the trigger of an order. A trailing trigger follows its extreme, rounded away from the price: it fires late,
        never early."""
        falls = direction(side, terms.kind) == 0
        if not terms.trail:
            return terms.trigger
        if terms.kind != TriggerKind.TRAIL_RATE:
            trigger = extreme - terms.trail if falls else extreme + terms.trail
        elif falls:
            trigger = extreme * (RATE - terms.trail) // RATE
        else:
            trigger = ceil_div(extreme * (RATE + terms.trail), RATE)
        # No price is ever seen beyond the legal ones: such a trigger waits one tick above them, or at 0.
        return max(0, min(self.highest[instrument] + 1, trigger))

    def _trail(self, order: Order, extreme: int) -> None:
        order.terms.extreme = extreme
        order.terms.trigger = self.trigger_at(order.instrument, order.side, order.terms, extreme)

    def add(self, order: Order, reference: int) -> None:
        """Adds a dormant order; a trailing one starts from the reference price."""
        if order.terms.trail:
            self._trail(order, reference)
        order.dormant = True
        self.dormant[order.instrument][order.order_id] = order

    def remove(self, order: Order) -> None:
        order.dormant = False
        del self.dormant[order.instrument][order.order_id]

    def fire(self, order: Order) -> None:
        """Moves a dormant order to the queue of due orders."""
        self.remove(order)
        self.due.append(order)

    def observe(self, instrument: int, source: int, price: int, halted: bool) -> None:
        """Shows a price to the dormant orders. Trailing triggers follow it, and reached orders become due unless the
        trading is not continuous. Orders that fire on a fall come first, then by nearest trigger, then by order id."""
        found = []
        for order in self.dormant[instrument].values():
            terms = order.terms
            if terms.source != source:
                continue
            way = direction(order.side, terms.kind)
            if terms.trail and (price > terms.extreme if way == 0 else price < terms.extreme):
                self._trail(order, price)
            if reached(way, terms.trigger, price) and not halted:
                found.append((way, terms.trigger if way else -terms.trigger, order.order_id, order))
        for *_, order in sorted(found, key=lambda each: each[:3]):
            self.fire(order)

    def expired(self, now_ns: int) -> list[Order]:
        """Returns the orders that have expired by `now_ns`, by expiry, then by order id."""
        ended = [order for order in self.timed.values() if order.terms.expiry_ns <= now_ns]
        return sorted(ended, key=lambda order: (order.terms.expiry_ns, order.order_id))
