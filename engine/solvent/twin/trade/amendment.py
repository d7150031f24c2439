"""The amendment of a live order, in an exchange and in a Book alone.

Owns the checks and the execution of AMEND and AMEND_TRIGGER. Never touches another account's order.
"""

from solvent.schema.codes import Code
from solvent.schema.commands import AmendOrder, AmendTrigger
from solvent.schema.words import Arm, Ending, Flag, Listing, OrderType, TriggerFlag
from solvent.twin.account.ledger import Position
from solvent.twin.market.book import Order
from solvent.twin.market.triggers import direction, reached
from solvent.twin.trade.cancellation import Cancellation
from solvent.twin.trade.placement import Answer, refused
from solvent.twin.trade.shapes import parts_fit


class Amendment:
    def __init__(self, cancellation: Cancellation):
        self.own = cancellation.own
        self.frozen = cancellation.frozen
        self.placement = cancellation.placement
        self.trading = cancellation.trading
        self._margin = cancellation.placement.order_margin

    def amend(self, c: AmendOrder) -> Answer:
        """Executes AMEND. A smaller size keeps its place in the queue; any other change takes a new place."""
        order = self.own(c)
        if isinstance(order, Code):
            return refused(order)
        if self.frozen(order):
            return refused(Code.CALL_FROZEN)
        code, size, price = self._check(c, order)
        if code:
            return refused(code)
        if order.is_child and c.size_lots and not self._child_may_have(order, size):
            return refused(Code.CHILD_TOO_LARGE)
        contract = self.placement.contracts[order.instrument]
        limits, clock_ns = contract.limits, self.placement.clock_ns
        if limits is None:
            return self._amend_to(order, size, price)
        kind = OrderType.TRIGGER_ORDER if order.dormant else OrderType.LIMIT_ORDER
        if code := self.placement.check_limits(contract, kind, size, price, order.flags):
            return refused(code)
        if limits.full(c.account, clock_ns):
            return refused(Code.TOO_MANY_MESSAGES)
        answer = self._amend_to(order, size, price)
        if answer[0] == Code.OK:
            limits.count(c.account, clock_ns)
        return answer

    def _amend_to(self, order: Order, size: int, price: int) -> Answer:
        """Gives an order a total size and a price that are legal and new."""
        answer = self._amend_order(order, size, price)
        if answer[0] == Code.OK and order.bracket and order.order_id == order.bracket.target and not order.dormant:
            order.bracket.most = size
        return answer

    def _child_may_have(self, order: Order, size: int) -> bool:
        """True if a child of a total size would close no more than its entry has filled."""
        assert order.bracket
        left = self.placement.linked.left_to_close(order.bracket)
        return order.bracket.arm == Arm.FOLLOWS or size - (order.size - order.remaining) <= left

    def _amend_order(self, order: Order, size: int, price: int) -> Answer:
        if order.dormant:  # a dormant order changes limit and size; it keeps its trigger and its place
            order.size, order.remaining, order.price = size, size, price
            self.trading.replaced_event(order)
            return Code.OK, order.order_id, 0, 0
        if order.parked:
            order.size, order.remaining = size, order.remaining + size - order.size
            self.trading.park(order)
            return Code.OK, order.order_id, size - order.remaining, 0
        if price != order.price or size > order.size:
            return self._replace(order, size - order.size + order.remaining, price)
        self.trading.shrink(order, order.size - size, Ending.AMENDED)
        return Code.OK, order.order_id, order.size - order.remaining, order.remaining

    def _check(self, c: AmendOrder, order: Order) -> tuple[Code, int, int]:
        """Returns (code, total size, price) of an AMEND; a field of 0 keeps the present one."""
        contract = self.placement.contracts[order.instrument]
        size, price = c.size_lots or order.size, c.price_ticks or order.price
        measured_later = order.dormant and order.flags & Flag.CLOSE_POSITION and c.size_lots
        if not 0 <= size <= contract.max_size_lots or measured_later:
            return Code.BAD_SIZE, size, price
        terms = order.terms
        priced = order.dormant and c.price_ticks and (terms.slippage_ppb or terms.peg)  # which exclude a price
        lowest = 0 if order.flags & Flag.MARKET or order.parked else 1
        if not lowest <= price <= contract.max_price_ticks or priced or (c.price_ticks and terms.follows):
            return Code.BAD_PRICE, size, price
        if size < order.size and size <= order.size - order.remaining:
            return Code.AMEND_BELOW_FILLED, size, price
        if (size, price) == (order.size, order.price):
            return Code.AMEND_NOTHING, size, price
        if not parts_fit(order.terms, size):
            return Code.BAD_SHAPE, size, price
        if order.dormant and price != order.price and not self.placement.bare:  # the same test as for a new order
            t = self.placement.ticket_of(order, order.remaining, price)
            if price != self._margin.within_band(t, self.trading.triggers.trigger_of(order)):
                return Code.PRICE_BAND, size, price
        return Code.OK, size, price

    def _check_trigger(self, c: AmendTrigger, order: Order) -> Code:
        """Checks a new trigger like that of a new order."""
        terms, contract = order.terms, self.placement.contracts[order.instrument]
        if not order.dormant or terms.trail or not 1 <= c.trigger_ticks <= contract.max_price_ticks:
            return Code.BAD_TRIGGER
        if c.trigger_ticks == terms.trigger:
            return Code.AMEND_NOTHING
        if terms.trigger_flags & TriggerFlag.REFUSE_REACHED and self._is_reached(order, c.trigger_ticks):
            return Code.TRIGGER_REACHED
        t = self.placement.ticket_of(order, order.remaining, order.price)
        if order.price and not self.placement.bare and order.price != self._margin.within_band(t, c.trigger_ticks):
            return Code.PRICE_BAND
        return Code.OK

    def _is_reached(self, order: Order, trigger: int) -> bool:
        price = self.trading.watched(order.instrument)[order.terms.source]
        return reached(direction(order.side, order.terms.kind), trigger, price)

    def amend_trigger(self, c: AmendTrigger) -> Answer:
        """Executes AMEND_TRIGGER: the order keeps its id and its other terms, and is due at once if the new trigger is
        reached."""
        order = self.own(c)
        if isinstance(order, Code):
            return refused(order)
        if code := self._check_trigger(c, order):
            return refused(code)
        contract = self.placement.contracts[order.instrument]
        if contract.limits:
            if contract.limits.full(c.account, self.placement.clock_ns):
                return refused(Code.TOO_MANY_MESSAGES)
            contract.limits.count(c.account, self.placement.clock_ns)
        order.terms.trigger = c.trigger_ticks
        self.trading.log.emit_trigger_moved(
            side=order.side, account=order.account, instrument=order.instrument, order_id=order.order_id,
            trigger_ticks=c.trigger_ticks,
        )  # fmt: skip
        if self._is_reached(order, c.trigger_ticks) and not order.unarmed and contract.listing == Listing.TRADING:
            self.trading.triggers.fire(order)
        return Code.OK, order.order_id, 0, 0

    def _replace(self, order: Order, remaining: int, price: int) -> Answer:
        t = self.placement.ticket_of(order, remaining, price)
        t.waits = order.terms.follows
        p = order.holder if isinstance(order.holder, Position) else None
        stays = p and order.reduces and price == order.price
        if p and stays and self._margin.reducible(t, p) <= order.remaining:
            return refused(Code.AMEND_NOTHING)  # a larger size would be cut to the present one: the order keeps its place
        code = self.placement.admit(t, p, self.trading.exposure(order, order.remaining) if p else None)
        contract = self.placement.contracts[order.instrument]
        if not code and contract.limits:  # it may have slid to a price at which it is worth less
            code = self.placement.check_limits(contract, OrderType.LIMIT_ORDER, t.size, t.price, t.flags)
        if code:
            return refused(code)
        self.trading.leave_book(order)
        order.size, order.remaining, order.price, order.open_loss = t.size, t.remaining, t.price, t.open_loss
        self.trading.replaced_event(order)
        return self.placement.execute_and_rest(t)
