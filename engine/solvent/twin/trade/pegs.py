"""The pass over pegged orders, once the books are at rest.

Owns when pegged orders get another price, and in which order: the oldest first, each once a pass. Never decides the price
(`shapes` does) or whether it is allowed (`placement` does). A pegged order never takes. One whose price stays keeps its place;
another goes to the back of its new price. Cost: each pegged order after each command; the compiled core looks whether a price
has moved first.
"""

from solvent.schema.words import Ending, Listing
from solvent.twin.account.ledger import Position
from solvent.twin.market.book import Order
from solvent.twin.trade.placement import Placement


class Pegs:
    def __init__(self, placement: Placement):
        self.placement = placement
        self.trading = placement.trading

    def pass_over(self) -> bool:
        """Looks at the pegged orders of every instrument where trading is continuous. Returns True if one has moved."""
        moved = False
        for i, contract in enumerate(self.placement.contracts):
            for order in [each for each in self.trading.pegged.values() if each.instrument == i]:
                trades = contract.listing == Listing.TRADING  # an order that trades whole may interrupt the market
                if order.order_id in self.trading.live and trades:  # otherwise an earlier one has ended it
                    moved = self._look_at(order) or moved
        return moved

    def _look_at(self, order: Order) -> bool:
        price = self.placement.shapes.pegged_price(order.instrument, order.side, order.terms)
        if price == order.price:
            return False
        if price:
            self._move_to(order, price)
        else:
            self.trading.leave_book(order)
            self.trading.park(order)
        return True

    def _move_to(self, order: Order, price: int) -> None:
        """Gives a pegged order another price, as an amendment does. It comes to rest without a trade, or ends."""
        p = order.holder if isinstance(order.holder, Position) else None
        t = self.placement.ticket_of(order, order.remaining, price)
        t.waits = True
        standing = self.trading.exposure(order, order.remaining) if p and order.resting else None
        code = self.placement.admit(t, p, standing)
        if order.resting:
            self.trading.leave_book(order)
        if code:
            self.trading.finish(order, Ending.PEG_REFUSED, code)
            return
        order.parked, order.price, order.open_loss = False, t.price, t.open_loss
        self.trading.replaced_event(order)
        self.placement.execute_and_rest(t)
