"""Brackets at work: a target and a stop that close what their entry has filled, or what their position holds (semantics §20).

Owns the checks and the acceptance of these children, their sizes, and the end of a bracket. Never trades: a child that becomes
due is placed like any fired order. Brackets are settled when the books are at rest, so nothing ends in the middle of a fill
but what its position ends. Cost: O(reduce-only orders of a position) a settlement.
"""

from solvent.schema.codes import Code
from solvent.schema.limits import REDUCE_ONLY_MAX, TRIGGERED_MAX
from solvent.schema.words import Arm, Ending, Flag, Listing, Side, Source, Tif, TriggerKind
from solvent.twin.account.ledger import Position
from solvent.twin.contract import valuation
from solvent.twin.contract.valuation import Contract
from solvent.twin.market.book import Bracket, ExtendedTerms, Order
from solvent.twin.market.brackets import stands_for
from solvent.twin.market.triggers import direction, reached
from solvent.twin.trade.order_margin import OrderMargin
from solvent.twin.trade.state import Fields, Ticket

_RESERVED = ("unused_first", "unused_second", "unused_third", "unused_byte", "unused_int")


class Linked:
    def __init__(self, order_margin: OrderMargin):
        self.trading = order_margin.trading
        self.contracts = order_margin.contracts
        self.rules = order_margin.rules

    # --- the way in

    def check(self, contract: Contract, side: int, h: Fields) -> Code:
        """Checks the record of a target and a stop, which close on `side`."""
        highest, target, stop = contract.max_price_ticks, h.target_trigger_ticks, h.stop_trigger_ticks
        if any(h[name] for name in _RESERVED):
            return Code.NOT_SUPPORTED
        prices = (target, stop, h.target_ticks, h.stop_ticks)
        named = (stop or not (h.stop_ticks or h.stop_source)) and (target or not h.target_source)
        known = max(h.target_source, h.stop_source) < len(Source) and h.arm <= Arm.AT_FIRST_FILL
        if not (named and known and any(prices) and all(0 <= price <= highest for price in prices)):
            return Code.BAD_BRACKET
        for trigger, price in ((target, h.target_ticks), (stop, h.stop_ticks)):
            edge = valuation.band_edge(contract, trigger, side, self.rules.price_band_ppb)
            if trigger and price and (price > edge if side == Side.BUY else price < edge):
                return Code.PRICE_BAND
        return Code.OK

    def has_room(self, p: Position, h: Fields) -> bool:
        """True if a position may have the children as well."""
        waiting = sum(1 for order in p.orders if order.terms.kind or order.is_child)
        closing, more = sum(1 for order in p.orders if order.reduces), count_of(h)
        return waiting + more <= TRIGGERED_MAX and closing + more <= REDUCE_ONLY_MAX

    def bring(self, t: Ticket, h: Fields, bracket: Bracket) -> int:
        """Accepts the children of an entry, or of a pair: their ticket has its side, owner and connection. Returns the id of
        the first one."""
        stop = h.stop_trigger_ticks
        target = self._child(t, h.target_ticks, h.target_trigger_ticks, h.target_source, TriggerKind.TAKE_PROFIT)
        protects = self._child(t, h.stop_ticks, stop, h.stop_source, TriggerKind.STOP) if stop else None
        children = [order for order in (target, protects) if order]
        bracket.target, bracket.stop = (order.order_id if order else 0 for order in (target, protects))
        self.trading.brackets.add(bracket, *children)
        self.trading.log.emit_linked_to(
            side=t.side, account=t.account, instrument=t.instrument, arm=bracket.arm, leg=t.terms.leg, entry_id=bracket.entry,
            target_id=bracket.target, stop_id=bracket.stop, size_lots=bracket.filled,
        )  # fmt: skip
        return children[0].order_id

    def _child(self, t: Ticket, price: int, trigger: int, source: int, kind: TriggerKind) -> Order | None:
        """Accepts a child without a size, and lets it wait. One without trigger and price is none."""
        if not (price or trigger):
            return None
        terms = ExtendedTerms(
            trigger=trigger, stp_group=t.terms.stp_group, source=source, kind=kind if trigger else TriggerKind.NO_TRIGGER,
            stp_mode=t.terms.stp_mode, leg=t.terms.leg, tag=t.terms.tag,
        )  # fmt: skip
        flags, tif = Flag.REDUCE_ONLY | (0 if price else Flag.MARKET), Tif.GTC if price else Tif.IOC
        flags |= Flag.LINKED if terms.tag else 0
        child = Ticket(t.account, t.instrument, t.holder, t.side, price, 0, tif, flags, limit=price, terms=terms)
        order = self.trading.accept(child)
        self.trading.triggers.unarm(order)
        self.trading.looks = self.trading.looks or source >= Source.BY_BID
        return order

    # --- sizes

    def _entry(self, bracket: Bracket) -> Order | None:
        return self.trading.live.get(bracket.entry)

    def _closed(self, bracket: Bracket) -> int:
        target = self.trading.live.get(bracket.target)
        return bracket.closed + (target.size - target.remaining if target else 0)

    def left_to_close(self, bracket: Bracket) -> int:
        """Returns the lots for which the children stand and that they have not closed."""
        return stands_for(bracket, self._entry(bracket)) - self._closed(bracket)

    def size_of(self, order: Order) -> int:
        """Returns the lots that a child may close now: what is left of its entry, no more than its position has, nor than it
        was amended to."""
        bracket, p = order.bracket, order.holder
        assert bracket and isinstance(p, Position)
        held = max(0, p.size if order.side == Side.SELL else -p.size)
        lots = held if bracket.arm == Arm.FOLLOWS else min(held, self.left_to_close(bracket))
        if order.order_id == bracket.target and bracket.most:
            return max(0, min(lots, bracket.most - order.size + order.remaining))
        return max(0, min(lots, order.remaining or lots) if self.waits(order) else lots)

    def waits(self, order: Order) -> bool:
        """True for a child that is dormant or due: what it has as its size only bounds it."""
        return order.dormant or order in self.trading.triggers.due

    def row(self, order: Order) -> tuple[int, ...]:
        """Returns an order's row; a dormant child shows the size that it has now."""
        row = order.row()
        if not (order.is_child and order.dormant):
            return row
        lots = self.size_of(order)
        return *row[:5], lots, lots, *row[7:]

    # --- settlement

    def settle(self) -> None:
        """Looks at every bracket that a fill or the end of an order has marked, once the books are at rest."""
        while self.trading.brackets.marked:
            bracket = self.trading.brackets.marked.pop(0)
            bracket.marked = False
            self._settle(bracket)

    def _settle(self, bracket: Bracket) -> None:
        """Ends a bracket, or sets the sizes of its children."""
        entry, live = self._entry(bracket), self.trading.live
        children = [live[order_id] for order_id in bracket.children]
        orders = [*children, *([entry] if entry else [])]
        if self._is_over(bracket, orders):
            for order in orders:
                self.trading.cancel(order, Ending.BRACKET_DONE)
        elif not children:
            self.trading.brackets.remove(bracket, entry)
        else:
            for order in sorted(children, key=self._turn):
                self._resize(order)

    @staticmethod
    def _turn(order: Order) -> int:
        """Returns in which turn a child wakes: one that fires on a fall, one that fires on a rise, one that rests."""
        return direction(order.side, order.terms.kind) if order.terms.kind else 2

    def _is_over(self, bracket: Bracket, orders: list[Order]) -> bool:
        """True if the children have closed all for which they stand, or if nothing is left that they could close."""
        if not orders:
            return False
        p, buys = orders[0].holder, (orders[0].side == Side.BUY) == orders[0].is_child
        assert isinstance(p, Position)
        held = -p.size if buys else p.size
        if bracket.arm == Arm.FOLLOWS:
            return held <= 0
        lots, closed = stands_for(bracket, self._entry(bracket)), self._closed(bracket)
        if closed and (closed >= lots or (held <= 0 and bracket.arm == Arm.AT_FIRST_FILL)):
            return True
        return not bracket.entry and (not lots or held <= 0)

    def _resize(self, order: Order) -> None:
        """Wakes a child that has something to close, and lets a resting target grow."""
        listing, reference = self.contracts[order.instrument].listing, self._reference(order)
        if order.terms.kind:
            if order.unarmed and self.size_of(order):
                order.unarmed = False
                wakes = listing == Listing.TRADING
                if wakes and reached(direction(order.side, order.terms.kind), order.terms.trigger, reference):
                    self.trading.triggers.fire(order)
            return
        lots = self._shown(order)
        if order.unarmed and lots and listing == Listing.TRADING:
            self.trading.triggers.fire(order)
        elif order.resting and lots > order.remaining:
            self._grow(order, lots)

    def _reference(self, order: Order) -> int:
        return self.trading.watched(order.instrument)[order.terms.source]

    def _shown(self, order: Order) -> int:
        """Returns the lots that a target may show: no more than better reduce-only orders leave."""
        p = order.holder
        assert isinstance(p, Position)
        held = p.size if order.side == Side.SELL else -p.size
        t = Ticket(order.account, order.instrument, p, order.side, order.price, 0, order=order)
        return max(0, min(self.size_of(order), held - self.trading.reduced_before(t, p)))

    def _grow(self, order: Order, lots: int) -> None:
        """Takes a resting target to the back of its queue with more lots."""
        p = order.holder
        assert isinstance(p, Position)
        self.trading.leave_book(order)
        order.size, order.remaining = order.size - order.remaining + lots, lots
        mark = self.contracts[order.instrument].mark
        order.open_loss = max(0, order.price - mark if order.side == Side.BUY else mark - order.price)
        self.trading.replaced_event(order)
        self.trading.rest_or_end(
            Ticket(
                order.account,
                order.instrument,
                p,
                order.side,
                order.price,
                order.size,
                order.tif,
                order.flags,
                limit=order.price,
                remaining=lots,
                terms=order.terms,
                order=order,
            )  # fmt: skip
        )

    def release(self, order: Order) -> bool:
        """Gives a due child the size with which it is placed; False if it has none, and waits on. One that fires leaves its
        bracket, whose other orders end before it trades."""
        bracket = order.bracket
        assert bracket
        lots = self.size_of(order) if order.terms.kind else self._shown(order)
        if not (lots or order.terms.kind):
            self.trading.triggers.put_back(order)
            return False
        if not order.terms.kind:
            bracket.most = bracket.most or order.remaining
            order.size = order.remaining = lots
            return True
        order.size = order.remaining = lots
        order.bracket = None
        sibling = bracket.stop if order.order_id == bracket.target else bracket.target
        bracket.target = bracket.stop = 0
        for order_id, reason in ((sibling, Ending.SIBLING_FIRED), (bracket.entry, Ending.BRACKET_DONE)):
            if order_id:
                self.trading.live[order_id].bracket = None
                self.trading.cancel(self.trading.live[order_id], reason)
        self.trading.brackets.remove(bracket, None)
        return True


def count_of(h: Fields) -> int:
    """Returns the number of children that a record names."""
    return bool(h.target_ticks or h.target_trigger_ticks) + bool(h.stop_trigger_ticks)
