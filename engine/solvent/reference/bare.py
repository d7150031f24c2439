"""Order entry of a Book alone: accounts are numbers that the caller makes up; nothing is reserved or owned.

Owns the checks of an order without money. The way through the book is trading's, the same as an exchange's.
"""

from solvent.codes import Code
from solvent.records import CommandType, Ending, EventType, Flag, Side, Tif
from solvent.reference.book import Order
from solvent.reference.entry import Answer, Command, Entry, refused
from solvent.reference.trading import Ticket

NOBODY = 0xFFFFFFFF


class Bare:
    def __init__(self, entry: Entry):
        self.entry = entry
        self.trading = entry.trading
        self.contract = entry.contracts[0]

    def command(self, c: Command) -> Answer:
        """ORDER, AMEND, CANCEL and ADVANCE; a Book knows no other command."""
        if c.type == CommandType.ADVANCE:
            return refused(Code.OK)
        if c.type not in (CommandType.ORDER, CommandType.AMEND, CommandType.CANCEL):
            return refused(Code.UNKNOWN_COMMAND)
        if c.account == NOBODY:
            return refused(Code.UNKNOWN_ACCOUNT)
        if c.instrument != 0:
            return refused(Code.UNKNOWN_INSTRUMENT)
        if c.type == CommandType.ORDER:
            return self._place(c)
        order = self.entry.find(c)
        if order is None:
            return refused(Code.UNKNOWN_ORDER)
        if c.type == CommandType.AMEND:
            return self._amend(c, order)
        self.trading.cancel(order, Ending.CANCELLED)
        return Code.OK, order.order_id, order.size - order.remaining, 0

    def _work(self, t: Ticket) -> Answer:
        assert t.order
        self.trading.execute(t)
        self.trading.conclude(t)
        return Code.OK, t.order.order_id, t.size - t.remaining, 0 if t.ending else t.remaining

    def _place(self, c: Command) -> Answer:
        if code := self.entry.check_terms(self.contract, c):
            return refused(code)
        if c.flags & Flag.REDUCE_ONLY:
            return refused(Code.BAD_FLAGS)
        if c.client_id and (first := self.trading.clients.get((c.account, c.client_id))):
            return refused(Code.DUPLICATE_CLIENT_ID, first)
        price = c.price_ticks or (self.contract.max_price_ticks if c.side == Side.BUY else 1)
        t = Ticket(c.account, 0, None, c.side, price, c.size_lots, c.tif, c.flags, c.client_id, limit=price)
        t.remaining = t.size
        t.ending = None if c.tif == Tif.GTC else Ending.UNFILLED
        if c.flags & Flag.POST_ONLY and self.trading.books[0].crossing(c.side, price):
            return refused(Code.POST_ONLY_WOULD_TAKE)
        if c.tif == Tif.FOK and self.trading.dry_run(t)[0] > 0:
            return refused(Code.FOK_UNFILLED)
        self.trading.accept(t)
        return self._work(t)

    def _amend(self, c: Command, order: Order) -> Answer:
        code, size, price = self.entry.check_amendment(c, order)
        if code:
            return refused(code)
        if size <= order.size and price == order.price:
            self.trading.shrink(order, order.size - size, Ending.AMENDED)
            return Code.OK, order.order_id, order.size - order.remaining, order.remaining
        if order.flags & Flag.POST_ONLY and self.trading.books[0].crossing(order.side, price):
            return refused(Code.POST_ONLY_WOULD_TAKE)
        t = Ticket(order.account, 0, None, order.side, price, size, flags=order.flags, limit=price, order=order)
        t.remaining = size - order.size + order.remaining
        self.trading.unlist(order)
        order.size, order.remaining, order.price = size, t.remaining, price
        self.trading.emit(EventType.REPLACED, t.account, 0, side=t.side, a=order.order_id, b=price, c=t.remaining, d=size)
        return self._work(t)
