"""The resting orders of one instrument: a SortedDict from price to a queue, one for each side.

Owns queues and best prices. Never knows accounts' money. Cost: O(log levels) a level, O(queue) to remove.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sortedcontainers import SortedDict

from solvent.schema.words import Flag, Peg, ShapeFlag, Side


@dataclass(slots=True, eq=False)
class ExtendedTerms:
    """Terms that few orders have: a trigger, an expiry, a slippage, self-trade terms, a tag."""

    trigger: int = 0  # the price at which it fires now
    trail: int = 0  # ticks or rate; 0 for a fixed trigger
    extreme: int = 0  # best price since acceptance or activation, for a trailing order; 0: it waits
    slippage_ppb: int = 0
    expiry_ns: int = 0
    stp_group: int = 0
    source: int = 0
    kind: int = 0
    trigger_flags: int = 0
    stp_mode: int = 0
    leg: int = 0  # the leg of a hedge that it trades for
    tag: int = 0  # of a connection; 0: none
    activation: int = 0  # the watched price from which a trailing order follows; 0: it follows since acceptance
    step: int = 0  # it follows in whole steps; 0: every price
    offset: int = 0  # distance of its price from what it is pegged to, signed
    peg: int = 0  # what its price keeps its distance from
    shape_flags: int = 0
    display: int = 0  # the peak of an iceberg; 0: none
    limit: int = 0  # how far a pegged order goes; 0: no limit
    rises: bool = False  # it waits for a rise to its activation, not a fall

    @property
    def waits(self) -> bool:
        """True of a trailing order that waits for its activation."""
        return self.trail != 0 and self.extreme == 0

    @property
    def gathers(self) -> bool:
        """True for an order that may stand in a call: neither hidden nor one that trades whole."""
        return not self.shape_flags & (ShapeFlag.HIDDEN | ShapeFlag.ALL_OR_NONE)

    @property
    def follows(self) -> bool:
        """True for terms that keep the price at a distance from one that moves."""
        return Peg.NO_PEG < self.peg < Peg.PEG_TRIGGER

    def row(self) -> tuple[int, ...]:
        return (
            self.trigger, self.trail, self.extreme, self.slippage_ppb, self.expiry_ns, self.stp_group, self.source,
            self.kind, self.trigger_flags, self.stp_mode, self.leg,
        )  # fmt: skip

    def shape(self) -> tuple[int, ...]:
        return self.activation, self.step, self.offset, self.peg, self.shape_flags, int(self.rises), self.display


PLAIN = ExtendedTerms()


@dataclass(slots=True, eq=False)
class Bracket:
    """entry, target, stop: order ids, 0 for none or for one that has ended. filled: lots for which the children stand by an
    entry that has ended, or that a pair was attached for. closed: lots that ended children have closed. most: the total size
    to which the target was amended, 0 for any."""

    arm: int
    entry: int = 0
    target: int = 0
    stop: int = 0
    filled: int = 0
    closed: int = 0
    most: int = 0
    marked: bool = False

    def row(self) -> tuple[int, ...]:
        return self.entry, self.target, self.stop, self.filled, self.closed, self.most, self.arm

    @property
    def children(self) -> list[int]:
        return [order_id for order_id in (self.target, self.stop) if order_id]


@dataclass(slots=True, eq=False)
class Order:
    """A live order; `holder` is the account's position, the house's parcel, or None in a Book alone."""

    order_id: int
    account: int
    instrument: int
    side: int
    price: int  # of a dormant order: its limit, 0 for a market order
    remaining: int
    size: int
    client_id: int
    flags: int
    tif: int
    open_loss: int
    holder: object
    terms: ExtendedTerms = PLAIN
    resting: bool = False
    dormant: bool = False
    parked: bool = False  # pegged to what is not there: in no queue
    bracket: Bracket | None = None
    unarmed: bool = False  # a child that waits for its entry: dormant, but no price wakes it
    hidden: int = 0  # of a resting iceberg: lots behind its peak
    reduces: bool = field(init=False)  # True for a reduce-only order

    def __post_init__(self) -> None:
        self.reduces = bool(self.flags & Flag.REDUCE_ONLY)

    def row(self) -> tuple[int, ...]:
        return (
            self.order_id, self.account, self.instrument, self.side, self.price, self.remaining, self.size,
            self.client_id, self.flags, self.tif, self.open_loss, int(self.dormant), *self.terms.row(),
            *self.terms.shape(), self.hidden, self.terms.tag, self.terms.limit,
        )  # fmt: skip

    @property
    def is_child(self) -> bool:
        """True for the target and the stop of a bracket, which close; an entry opens."""
        return self.bracket is not None and self.reduces

    @property
    def whole(self) -> bool:
        """True for an order that trades whole or not at all."""
        return bool(self.terms.shape_flags & ShapeFlag.ALL_OR_NONE)

    @property
    def unseen(self) -> int:
        """The lots of a resting order that nobody sees."""
        return self.remaining if self.whole or self.terms.shape_flags & ShapeFlag.HIDDEN else self.hidden

    @property
    def shown(self) -> int:
        return self.remaining - self.unseen

    def offered(self, lots: int) -> int:
        """Returns how many of `lots` it would trade now: 0 passes it over."""
        if self.whole:
            return self.remaining if self.remaining <= lots else 0
        return min(self.remaining - self.hidden, lots)

    @property
    def shaped(self) -> bool:
        """True if it has a shape, or waits for its activation, or did."""
        return bool(self.flags & Flag.SHAPED_ORDER or self.terms.activation)


class Book:
    """Price-time priority. Keys are prices, negated for bids, so that the first is the best.

    At one price hidden orders stand behind all others. An order that trades whole or not at all stands in its place and shows
    nothing; an iceberg shows its peak.
    """

    def __init__(self) -> None:
        self.sides = (SortedDict(), SortedDict())
        self.dark = (SortedDict(), SortedDict())  # hidden orders

    @staticmethod
    def _key(side: int, price: int) -> int:
        return -price if side == Side.BUY else price

    def _home(self, order: Order) -> SortedDict:
        return (self.dark if order.terms.shape_flags & ShapeFlag.HIDDEN else self.sides)[order.side]

    def add(self, order: Order) -> None:
        """Puts an order at the end of its queue, an iceberg with a full peak."""
        if order.terms.display:
            order.hidden = max(0, order.remaining - order.terms.display)
        self._home(order).setdefault(self._key(order.side, order.price), []).append(order)

    def remove(self, order: Order) -> None:
        key, home = self._key(order.side, order.price), self._home(order)
        home[key].remove(order)
        order.hidden = 0
        if not home[key]:
            del home[key]

    def queues(self, side: int) -> Iterator[list[Order]]:
        """Yields the queues of a side, best price first, what is shown before what is hidden."""
        if not self.dark[side]:
            yield from self.sides[side].values()
            return
        for key in sorted({*self.sides[side], *self.dark[side]}):
            yield from (home[key] for home in (self.sides[side], self.dark[side]) if key in home)

    def orders(self, side: int) -> Iterator[Order]:
        """Yields the orders of a side, as they would trade."""
        for queue in self.queues(side):
            yield from queue

    def queue(self, side: int, price: int) -> list[Order]:
        """Returns the orders at one price, the next to trade first."""
        key = self._key(side, price)
        return [*self.sides[side].get(key, []), *self.dark[side].get(key, [])]

    def shown(self, side: int) -> Iterator[tuple[int, int, int]]:
        """Yields (price, lots, orders) of what is shown, best price first."""
        for queue in self.sides[side].values():
            lots = [order.shown for order in queue if order.shown]
            if lots:
                yield queue[0].price, sum(lots), len(lots)

    def levels(self, side: int) -> Iterator[tuple[int, int]]:
        """Yields (price, shown lots), best price first."""
        for price, lots, _ in self.shown(side):
            yield price, lots

    def gathered(self, side: int) -> list[tuple[int, int]]:
        """Returns (price, lots) of a side, best first; icebergs count with all of their lots."""
        return [(queue[0].price, sum(order.remaining for order in queue)) for queue in self.sides[side].values()]

    def first(self, side: int) -> Order | None:
        """Returns the order of a side that trades first."""
        return next(self.orders(side), None)

    def best(self, side: int) -> int | None:
        """Returns the best price that is shown."""
        return next((price for price, _ in self.levels(side)), None)

    def unpegged(self, side: int) -> int | None:
        """Returns the best price at which an order is shown that keeps its distance from nothing."""
        orders = (order for queue in self.sides[side].values() for order in queue)
        return next((order.price for order in orders if order.shown and not order.terms.follows), None)

    @property
    def crossed(self) -> bool:
        """True if the best bid is at or above the best ask, as in a call."""
        bid, ask = self.best(Side.BUY), self.best(Side.SELL)
        return bid is not None and ask is not None and bid >= ask

    def touch(self, side: int, limit: int) -> int | None:
        """Returns the best price at which an order of this side and limit would surely trade, hidden orders included."""
        sure = (order.price for order in self.orders(1 - side) if not order.whole)
        price = next(sure, None)
        return price if price is not None and within(side, price, limit) else None

    def next_maker(self, side: int, limit: int, lots: int) -> tuple[Order, int] | None:
        """Returns the resting order that an order of this side, limit and size would meet first, and how many lots it offers.

        It passes over orders that trade whole and are too large.
        """
        for maker in self.orders(1 - side):
            if not within(side, maker.price, limit):
                return None
            if offered := maker.offered(lots):
                return maker, offered
        return None

    def refill(self, order: Order) -> bool:
        """Fills up the peak of an iceberg that is used up, and sends its order to the end of its queue. False if it is not."""
        if not (order.resting and order.terms.display and order.remaining and order.remaining == order.hidden):
            return False
        self.remove(order)
        self.add(order)
        return True

    def shrink(self, order: Order, lots: int) -> None:
        """Takes lots off an order, which keeps its place and at least one lot: first those that nobody sees."""
        order.hidden -= min(order.hidden, lots)
        order.remaining -= lots


def within(side: int, price: int, limit: int) -> bool:
    """True if a price is no worse than the limit of an order of this side."""
    return price <= limit if side == Side.BUY else price >= limit
