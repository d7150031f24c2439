"""Dormant orders, their triggers, and the orders that have expired.

Owns the dormant orders of each instrument, the timed orders, and the queue of orders whose trigger was reached. Never executes
an order. An order becomes due at most once, so a cascade inside a command ends. Cost: O(dormant) a price seen.
"""

from collections import deque

from solvent.schema.limits import RATE
from solvent.schema.words import Peg, Side, Source, TriggerKind
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

    def first_trigger(self, instrument: int, side: int, terms: ExtendedTerms, reference: int) -> int:
        """Returns the trigger of a new order, of one that waits for its activation the one that it will have there."""
        return self.trigger_at(instrument, side, terms, terms.activation or reference)

    def trigger_of(self, order: Order) -> int:
        """Returns the trigger of a dormant order, of one that waits for its activation the one that it will have there."""
        terms = order.terms
        return self.first_trigger(order.instrument, order.side, terms, 0) if terms.waits else terms.trigger

    def pegged_limit(self, instrument: int, trigger: int, offset: int) -> int:
        """Returns the limit that keeps its distance from a trigger."""
        return max(1, min(self.highest[instrument], trigger + offset))

    def _trail(self, order: Order, extreme: int) -> None:
        order.terms.extreme = extreme
        order.terms.trigger = self.trigger_at(order.instrument, order.side, order.terms, extreme)
        if order.terms.peg == Peg.PEG_TRIGGER:
            order.price = self.pegged_limit(order.instrument, order.terms.trigger, order.terms.offset)

    def _new_extreme(self, terms: ExtendedTerms, way: int, price: int) -> int:
        """Returns the extreme of a trailing order after a price: the present one, or one by whole steps better. The price that
        reaches its activation is the first."""
        if terms.waits:
            return price if (price >= terms.activation if terms.rises else price <= terms.activation) else 0
        step, extreme = max(1, terms.step), terms.extreme
        if way == 0:
            return extreme + max(0, price - extreme) // step * step
        return extreme - max(0, extreme - price) // step * step

    def watches(self, instrument: int) -> bool:
        """True if a dormant order watches the best price of its book."""
        return any(order.terms.source >= Source.BY_BID and not order.unarmed for order in self.dormant[instrument].values())

    def add(self, order: Order, reference: int) -> None:
        """Adds a dormant order. A trailing one starts from the reference price, or waits for its activation, on whichever side
        that lies."""
        if order.terms.trail:
            order.terms.rises = order.terms.activation > reference
            if not order.terms.waits:
                self._trail(order, reference)
        order.dormant = True
        self.dormant[order.instrument][order.order_id] = order

    def put_back(self, order: Order) -> None:
        """Lets a due order sleep on, with its trigger as it is. One without a trigger waits for its entry."""
        order.dormant, order.unarmed = True, not order.terms.kind
        self.dormant[order.instrument][order.order_id] = order

    def unarm(self, order: Order) -> None:
        """Adds a child that waits for its entry."""
        order.dormant = order.unarmed = True
        self.dormant[order.instrument][order.order_id] = order

    def remove(self, order: Order) -> None:
        order.dormant = order.unarmed = False
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
            if terms.source != source or order.unarmed:
                continue
            way = direction(order.side, terms.kind)
            if terms.trail and (extreme := self._new_extreme(terms, way, price)) != terms.extreme:
                self._trail(order, extreme)
            if not terms.waits and reached(way, terms.trigger, price) and not halted:
                found.append((way, terms.trigger if way else -terms.trigger, order.order_id, order))
        for *_, order in sorted(found, key=lambda each: each[:3]):
            self.fire(order)

    def first_date(self) -> Order | None:
        """Returns the order that expires first, by expiry, then by order id."""
        return min(self.timed.values(), key=lambda order: (order.terms.expiry_ns, order.order_id), default=None)
