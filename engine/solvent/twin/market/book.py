"""The resting orders of one instrument: a SortedDict from price to a queue, one for each side.

Owns queues and best prices. Never knows accounts' money. Cost: O(log levels) a level, O(queue) to remove.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sortedcontainers import SortedDict

from solvent.schema.words import Flag, Side


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
    rises: bool = False  # it waits for a rise to its activation, not a fall

    @property
    def waits(self) -> bool:
        """True of a trailing order that waits for its activation."""
        return self.trail != 0 and self.extreme == 0

    def row(self) -> tuple[int, ...]:
        return (
            self.trigger, self.trail, self.extreme, self.slippage_ppb, self.expiry_ns, self.stp_group, self.source,
            self.kind, self.trigger_flags, self.stp_mode, self.leg,
        )  # fmt: skip

    def shape(self) -> tuple[int, ...]:
        return self.activation, self.step, self.offset, self.peg, self.shape_flags, int(self.rises)


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
    bracket: Bracket | None = None
    parked: bool = False  # a child that waits for its entry: dormant, but no price wakes it
    reduces: bool = field(init=False)  # True for a reduce-only order

    def __post_init__(self) -> None:
        self.reduces = bool(self.flags & Flag.REDUCE_ONLY)

    def row(self) -> tuple[int, ...]:
        return (
            self.order_id, self.account, self.instrument, self.side, self.price, self.remaining, self.size,
            self.client_id, self.flags, self.tif, self.open_loss, int(self.dormant), *self.terms.row(),
            *self.terms.shape(), self.terms.tag,
        )  # fmt: skip

    @property
    def is_child(self) -> bool:
        """True for the target and the stop of a bracket, which close; an entry opens."""
        return self.bracket is not None and self.reduces

    @property
    def shaped(self) -> bool:
        """True if it has a shape, or waits for its activation, or did."""
        return bool(self.flags & Flag.SHAPED_ORDER or self.terms.activation)


class Book:
    """Price-time priority. Keys are prices, negated for bids, so that the first is the best."""

    def __init__(self) -> None:
        self.sides = (SortedDict(), SortedDict())

    @staticmethod
    def _key(side: int, price: int) -> int:
        return -price if side == Side.BUY else price

    def add(self, order: Order) -> None:
        self.sides[order.side].setdefault(self._key(order.side, order.price), []).append(order)

    def remove(self, order: Order) -> None:
        key = self._key(order.side, order.price)
        queue = self.sides[order.side][key]
        queue.remove(order)
        if not queue:
            del self.sides[order.side][key]

    def orders(self, side: int) -> Iterator[Order]:
        """Yields the orders of a side, best price first, oldest first."""
        for queue in self.sides[side].values():
            yield from queue

    def queue(self, side: int, price: int) -> list[Order]:
        """Returns the orders at one price, the oldest first."""
        return list(self.sides[side].get(self._key(side, price), []))

    def levels(self, side: int) -> Iterator[tuple[int, int]]:
        """Yields (price, total lots), best price first."""
        for queue in self.sides[side].values():
            yield queue[0].price, sum(order.remaining for order in queue)

    def best(self, side: int) -> Order | None:
        return self.sides[side].peekitem(0)[1][0] if self.sides[side] else None

    @property
    def crossed(self) -> bool:
        """True if the best bid is at or above the best ask, as in a call."""
        bid = self.best(Side.BUY)
        return bid is not None and self.crossing(Side.BUY, bid.price) is not None

    def crossing(self, side: int, limit: int) -> Order | None:
        """Returns the resting order that an order of this side and limit would meet first, or None."""
        maker = self.best(1 - side)
        if maker is None or not within(side, maker.price, limit):
            return None
        return maker


def within(side: int, price: int, limit: int) -> bool:
    """True if a price is no worse than the limit of an order of this side."""
    return price <= limit if side == Side.BUY else price >= limit
