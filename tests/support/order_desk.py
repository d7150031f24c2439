"""The desk at which docs/reference/orders.md is tested: one vocabulary for Book and Exchange of both implementations."""

import solvent
import solvent.reference
from solvent import Code, EventType, Instrument, Tier
from solvent.records import Ending
from solvent.testing import audited

X = Instrument("X", contract_size=1, tick=1, max_price=1_000, tiers=[Tier(10**6, "0.005", "0.01")])


class Desk:
    """One vocabulary for both: names a to d, prices and sizes as ints, order numbers for what came of them."""

    def __init__(self, place: str):
        module = solvent.reference if "reference" in place else solvent
        self.money = "exchange" in place
        if self.money:
            self.face = audited(module.Exchange, every=1)([X])
            for name in "abcd":
                self.face.deposit(name, "USDT", 10**7)
        else:
            self.face = module.Book(1_000)
        self.ids = {name: 16 + i for i, name in enumerate("abcd")}
        self.mark(100)

    def order(self, who, side, size, price=None, **terms):
        if self.money:
            return self.face.order(who, "X", side, size, price=price, **terms)
        return self.face.order(self.ids[who], side, size, price_ticks=price, **terms)

    def _on(self, name, who, *args, price=None, size=None, **terms):
        if price is not None:
            terms["price" if self.money else "price_ticks"] = price
        if size is not None:
            terms["size" if self.money else "size_lots"] = size
        return getattr(self.face, name)(who if self.money else self.ids[who], *args, **terms)

    def amend(self, who, ack, **terms):
        return self._on("amend", who, ack.order_id, **terms)

    def cancel(self, who, ack):
        return self._on("cancel", who, ack.order_id)

    def mark(self, price):
        return self.face.mark("X", price) if self.money else self.face.mark(price)

    def index(self, price):
        return self.face.index("X", price) if self.money else self.face.index(price)

    def last(self, price):
        """d sells one lot to c at this price; needs a book that is empty there."""
        self.order("d", "sell", 1, price, self_trade_group=999).ok()
        return self.order("c", "buy", 1, price, tif="ioc")

    def see(self, source, price):
        return getattr(self, source)(price)

    def depth(self):
        bids, asks = self.face._kernel.depth(0, 100)
        return list(bids), list(asks)

    def resting(self, ack):
        """Lots of this order that rest."""
        return {row[0]: row[5] for row in self.face._kernel.resting(0)}.get(ack.order_id, 0)

    def dormant(self):
        return [row[0] for row in self.face._kernel.dormant(0)]

    def trigger_of(self, ack):
        return {row[0]: row[12] for row in self.face._kernel.dormant(0)}[ack.order_id]


def trades(ack):
    return [(e.maker_order_id, e.price_ticks, e.size_lots) for e in ack.events if e.type == EventType.TRADE]


def ends(ack):
    """{order id: why it ended} in this command."""
    return {e.order_id: Ending(e.ending) for e in ack.events if e.type == EventType.DONE}


def codes(ack):
    """{order id: the code with which its trigger was refused}"""
    done = [e for e in ack.events if e.type == EventType.DONE and e.ending == Ending.TRIGGER_REFUSED]
    return {e.order_id: Code(e.code) for e in done}


def fired(ack):
    return [e.order_id for e in ack.events if e.type == EventType.TRIGGERED]


def lots_cut(ack, order):
    return [e.cut_lots for e in ack.events if e.type == EventType.REDUCED and e.order_id == order.order_id]


def hold(desk, who, side, size, price=100):
    """who gets a position against d."""
    desk.order("d", "sell" if side == "buy" else "buy", size, price)
    assert desk.order(who, side, size, price).filled == size
