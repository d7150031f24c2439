"""Dormant orders, which of them a price reaches, and which orders have expired.

Owns the dormant orders of each instrument, the timed ones, and the queue of those whose trigger was reached. Never
executes one. An order becomes due at most once, so a cascade inside a command ends. Cost: O(dormant) a price seen.
"""

from collections import deque

from solvent.schema.limits import RATE
from solvent.schema.words import Side, TriggerKind
from solvent.twin.base.integers import ceil_div
from solvent.twin.market.book import Order, Terms


def direction(side: int, kind: int) -> int:
    """0: fires when the price falls to its trigger; 1: when it rises to it."""
    return 0 if (side == Side.SELL) != (kind == TriggerKind.TAKE_PROFIT) else 1


def reached(way: int, trigger: int, price: int) -> bool:
    """Whether a price (0: there is none yet) fires a trigger."""
    return price != 0 and (price <= trigger if way == 0 else price >= trigger)


class Triggers:
    def __init__(self) -> None:
        self.highest: list[int] = []  # legal price of each instrument
        self.dormant: list[dict[int, Order]] = []
        self.timed: dict[int, Order] = {}
        self.due: deque[Order] = deque()

    def enter(self, highest: int) -> None:
        """One more instrument, and its highest legal price."""
        self.highest.append(highest)
        self.dormant.append({})

    def trailing(self, instrument: int) -> int:
        return sum(1 for order in self.dormant[instrument].values() if order.terms.trail)

    def trigger_at(self, instrument: int, side: int, terms: Terms, extreme: int) -> int:
        """Where an order fires; a trailing one by an extreme, rounded away from the price: it fires late, never early."""
        falls = direction(side, terms.kind) == 0
        if not terms.trail:
            return terms.trigger
        if terms.kind != TriggerKind.TRAIL_RATE:
            trigger = extreme - terms.trail if falls else extreme + terms.trail
        elif falls:
            trigger = extreme * (RATE - terms.trail) // RATE
        else:
            trigger = ceil_div(extreme * (RATE + terms.trail), RATE)
        # Beyond the highest legal price nothing is ever seen: such an order waits just there, and below the first tick.
        return max(0, min(self.highest[instrument] + 1, trigger))

    def _trail(self, order: Order, extreme: int) -> None:
        order.terms.extreme = extreme
        order.terms.trigger = self.trigger_at(order.instrument, order.side, order.terms, extreme)

    def add(self, order: Order, reference: int) -> None:
        """Lays an order to sleep; a trailing one starts from the reference price."""
        if order.terms.trail:
            self._trail(order, reference)
        order.dormant = True
        self.dormant[order.instrument][order.order_id] = order

    def remove(self, order: Order) -> None:
        order.dormant = False
        del self.dormant[order.instrument][order.order_id]

    def fire(self, order: Order) -> None:
        """A dormant order's time has come."""
        self.remove(order)
        self.due.append(order)

    def observe(self, instrument: int, source: int, price: int, halted: bool) -> None:
        """A price has been seen: trailing orders follow it, what it reaches becomes due, unless the instrument is halted. Of
        one price, what fires on a fall comes first, nearest trigger first, then by order id."""
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
        """What has expired by now, first expiry first, then by order id."""
        ended = [order for order in self.timed.values() if order.terms.expiry_ns <= now_ns]
        return sorted(ended, key=lambda order: (order.terms.expiry_ns, order.order_id))
