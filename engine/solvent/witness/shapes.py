"""The books of orders as events tell them: queues, peaks, and which order is the next to trade.

Owns the queues. Never knows money. Cost: O(1) a trade as long as every order shows all of its lots, else a walk to its maker.
"""

from collections.abc import Iterator

from solvent.schema.codes import InvariantBroken
from solvent.schema.events import Event
from solvent.schema.words import Peg, ShapeFlag
from solvent.witness.rows import Audited, Order
from solvent.witness.timers import Timed


class Shaped(Timed):
    """Checks which order trades next, and how many lots it may show."""

    def __init__(self, exchange: Audited):
        super().__init__(exchange)
        self._careful = False  # some order has not shown all of its lots
        self._wholes: set[int] = set()  # orders that trade whole and have traded in this command

    def _is_crossed(self, instrument: int) -> bool:
        """True if bids and asks cross that trade in part, too."""
        if not self._careful:
            return super()._is_crossed(instrument)
        bids, asks = (
            [price for price, each in self._in_turn(instrument, side) if not self.orders[each].whole] for side in (0, 1)
        )
        return bool(bids and asks and bids[0] >= asks[0])

    def _shape(self, e: Event) -> None:
        order = self.orders[e.order_id]
        order.whole, order.dark = bool(e.shape_flags & ShapeFlag.ALL_OR_NONE), bool(e.shape_flags & ShapeFlag.HIDDEN)
        order.display = e.display_lots
        order.peg = e.peg if e.peg < Peg.PEG_TRIGGER else Peg.NO_PEG
        order.offset, order.inwards = e.offset_ticks, bool(e.shape_flags & ShapeFlag.INWARDS)
        self._careful = self._careful or order.whole or order.dark or order.display > 0

    def _followed(self, instrument: int, order: Order) -> int:
        """Returns the price that a pegged order follows, the mark or one that is shown and follows none; 0: there is none."""
        if order.peg == Peg.PEG_MARK:
            return self.marks[instrument]
        shown = (
            (price for price, each in self._in_turn(instrument, side) if self.orders[each].leads) for side in (0, 1)
        )  # fmt: skip
        bid, ask = (next(prices, 0) for prices in shown)
        if order.peg != Peg.PEG_MID:
            return bid if order.peg == Peg.PEG_BID else ask
        return (bid + ask + (order.side != order.inwards)) // 2 if bid and ask else 0

    def _follow(self, e: Event, order: Order) -> None:
        """Checks the new price of a pegged order: no better than its reference, its offset and its limit allow."""
        order.pegged_at, sign = e.price_ticks, -1 if order.side else 1
        reference = self._followed(e.instrument, order)
        best = [sign * (reference + order.offset)] + ([sign * order.limit] if order.limit else [])
        self._holds(reference > 0 and sign * e.price_ticks <= min(best), e, f"ORD-1: a price that follows {reference}")

    def _rest(self, e: Event, order: Order) -> None:
        """Enters an order at the end of its queue. A peak is full, and the rest of an iceberg is behind it."""
        unseen = order.remaining if order.whole or order.dark else 0
        if order.display:
            unseen = order.hidden = max(0, order.remaining - order.display)
        self._holds(unseen == e.hidden_lots, e, f"BOOK-6: nobody sees {unseen} lots of it")
        if order.peg and e.price_ticks != order.pegged_at:
            self._follow(e, order)
        order.price = e.price_ticks
        self.queues[e.instrument, e.side].setdefault(e.price_ticks, []).append(e.order_id)

    def _unrest(self, order_id: int, order: Order) -> None:
        if order.status == "resting":
            queue = self.queues[order.instrument, order.side]
            queue[order.price].remove(order_id)
            if not queue[order.price]:
                del queue[order.price]

    def _refill(self, e: Event, order: Order) -> None:
        """Fills up a peak that is used up, behind all others at its price."""
        self._holds(order.remaining == order.hidden > 0 < order.display, e, "BOOK-6: a peak is used up before it is filled up")
        self._unrest(e.order_id, order)
        self._rest(e, order)
        self._holds(order.remaining - order.hidden == e.shown_lots, e, f"BOOK-6: a peak of {order.display}")

    def _shrink(self, order: Order, lots: int) -> None:
        """Takes lots off an order: first those that nobody sees."""
        order.remaining -= lots
        order.hidden -= min(order.hidden, lots)

    def _in_turn(self, instrument: int, side: int) -> Iterator[tuple[int, int]]:
        """Yields (price, order id) of a side as its orders would trade: at one price the hidden ones last."""
        queues = self.queues[instrument, side]
        for price in sorted(queues, reverse=side == 0):
            for dark in (False, True):
                yield from ((price, each) for each in queues[price] if self.orders[each].dark == dark)

    def _check_maker(self, e: Event, maker: Order, taker: Order) -> None:
        """Checks that this is the best and oldest order, and that it offers these lots."""
        side = 1 - e.side
        if not self._careful:
            queue = self.queues[e.instrument, side]
            best = max(queue) if e.side else min(queue)
            found = best, queue[best][0]
        else:
            found = next(
                (price, each) for price, each in self._in_turn(e.instrument, side)
                if not self.orders[each].whole or self.orders[each].remaining <= taker.remaining
            )  # fmt: skip
        self._holds(not taker.peg, e, "ORD-1: a pegged order never takes")
        self._holds(found == (e.price_ticks, e.maker_order_id), e, "BOOK-8: the best and oldest order")
        self._holds(e.size_lots <= maker.remaining - maker.hidden, e, "BOOK-6: no more than its peak")
        self._holds(not maker.whole or e.size_lots == maker.remaining, e, "BOOK-6: it trades whole or not at all")
        self._wholes |= {
            order_id for order, order_id in ((maker, e.maker_order_id), (taker, e.taker_order_id)) if order.whole
        }  # fmt: skip

    @staticmethod
    def _holds(holds: bool, e: Event, what: str) -> None:
        if not holds:
            raise InvariantBroken(f"auditor: {what} at {e!r}")

    def _close_shapes(self) -> None:
        """Checks that an order that trades whole is gone once it has traded."""
        left = self._wholes & self.orders.keys()
        self._wholes.clear()
        if left:
            raise InvariantBroken(f"auditor: BOOK-6: orders {sorted(left)} trade whole or not at all")
