"""Market data from events alone: best prices, depth, every order, and trades, numbered and with gaps made visible.

Owns its own copy of one instrument's book and the queues of its subscribers. Never asks the engine for its state, never
changes it, and never shows a book in the middle of a command.

Invariants: `seq` counts, without a hole, the commands that touched the book. After applying everything up to a seq, a
subscriber has the book as it was then. The messages that wait for a subscriber are bounded by its `limit` and the size of the
book.

Cost: O(1) an event at a price that exists, O(log levels) at a new one, and one small tuple a change. Only `orders()` sorts all
orders. Messages are built only for subscribers. One thread at a time.
"""

from collections import deque
from collections.abc import Iterator
from enum import IntEnum
from typing import Any, NamedTuple
from weakref import WeakSet

from sortedcontainers import SortedDict

from solvent.api.base import Face
from solvent.api.exchange import Exchange
from solvent.schema.codes import EventsDropped, FeedGap, InputError, shown
from solvent.schema.events import Event
from solvent.schema.words import EventType, Side
from solvent.terms.order_words import any_int, flag_of, int_within, wrong_type

__all__ = [
    "Action", "Best", "Change", "Feed", "Increment", "Level", "NEEDS", "Order", "OrderChange", "OrderIncrement",
    "OrderSnapshot", "Replica", "Snapshot", "Subscription", "Trade", "Trades",
]  # fmt: skip

NEEDS = (
    EventType.BEGIN, EventType.RESTED, EventType.TRADE, EventType.REDUCED, EventType.DONE, EventType.REPLACED,
    EventType.REFILLED, EventType.PARKED,
)  # fmt: skip
"""The event types that a feed reads; a Book or Exchange with a `log` of its own must write these."""
_SIDES = tuple(Side)


class Action(IntEnum):
    """Tells what happened to a resting order."""

    ADD = 1  # it rests now, behind all others at its price
    EXECUTE = 2  # it traded as a maker
    REDUCE = 3  # it lost lots otherwise, and kept its place
    DELETE = 4  # it ended
    REPLACE = 5  # an amendment took it out of its place; an ADD of the same id may follow in the same message


class Level(NamedTuple):
    """Holds one price of one side: all lots there, and in how many orders."""

    price_ticks: int
    lots: int
    orders: int


class Order(NamedTuple):
    """Holds one resting order; position counts from 0, the next one to trade at its price."""

    order_id: int
    side: Side
    price_ticks: int
    remaining_lots: int
    position: int


class Change(NamedTuple):
    """Holds a level as it is now (0 lots: gone) and the lots it had before the message."""

    side: Side
    price_ticks: int
    lots: int
    orders: int
    previous_lots: int


class OrderChange(NamedTuple):
    """Tells what one event did to one resting order: lots came (ADD) or went, and what remains (0: it left the book)."""

    action: Action
    order_id: int
    side: Side
    price_ticks: int
    lots: int
    remaining_lots: int


class Best(NamedTuple):
    """Holds the best prices and all lots there, as of seq; an empty side has zeros. event_seq: the BEGIN of the command."""

    seq: int
    event_seq: int
    time_ns: int
    bid_ticks: int
    bid_lots: int
    ask_ticks: int
    ask_lots: int


class Snapshot(NamedTuple):
    """Holds the depth as of seq, best first. event_seq and time_ns belong to the command that made it so."""

    seq: int
    event_seq: int
    time_ns: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class OrderSnapshot(NamedTuple):
    """Holds every resting order as of seq: bids best first in the order of the queue, then asks."""

    seq: int
    event_seq: int
    time_ns: int
    orders: tuple[Order, ...]


class Increment(NamedTuple):
    """Tells which levels changed from first_seq to last_seq, both included.

    Equal numbers mean one command, else several are merged.

    event_seq and time_ns belong to the last of these commands. changes may be empty: then the depth is as it was, though
    orders in it are not.
    """

    first_seq: int
    last_seq: int
    event_seq: int
    time_ns: int
    changes: tuple[Change, ...]


class OrderIncrement(NamedTuple):
    """Tells what one command did to resting orders, in the order in which it happened; there is at least one change."""

    seq: int
    event_seq: int
    time_ns: int
    changes: tuple[OrderChange, ...]


class Trade(NamedTuple):
    """Reports one trade; side is the aggressor's (the taker's). number counts the feed's trades without a hole."""

    number: int
    seq: int
    event_seq: int
    time_ns: int
    side: Side
    price_ticks: int
    size_lots: int
    maker_order_id: int
    taker_order_id: int


class Trades(NamedTuple):
    """Merges trades first_number to last_number into one message: lots by aggressor, and the range of prices."""

    first_number: int
    last_number: int
    seq: int
    event_seq: int
    time_ns: int
    buy_lots: int
    sell_lots: int
    low_ticks: int
    high_ticks: int
    last_ticks: int


class _Levels:
    """Merges increments for a slow reader of the depth: the latest state of each level that changed.

    Drops levels that came and went meanwhile. It never holds more than the book of the reader and the present book.
    """

    def __init__(self, first: Increment):
        self._first, self._last = first.first_seq, first
        self._changes = {change[:2]: change for change in first.changes}

    def add(self, increment: Increment) -> None:
        self._last = increment
        for change in increment.changes:
            before = self._changes.pop(change[:2], change)
            if change.lots or before.previous_lots:
                self._changes[change[:2]] = change._replace(previous_lots=before.previous_lots)

    def message(self) -> Increment:
        return self._last._replace(first_seq=self._first, changes=tuple(self._changes.values()))


class _Tape:
    """Merges trades for a slow reader: how many, how much, and in which range."""

    def __init__(self, first: Trade):
        self._first, self._last = first.number, first
        self._lots = [0, 0]
        self._low = self._high = first.price_ticks
        self.add(first)

    def add(self, trade: Trade) -> None:
        self._last = trade
        self._lots[trade.side] += trade.size_lots
        self._low, self._high = min(self._low, trade.price_ticks), max(self._high, trade.price_ticks)

    def message(self) -> Trades:
        last, (buys, sells) = self._last, self._lots
        return Trades(
            self._first, last.number, last.seq, last.event_seq, last.time_ns, buys, sells, self._low, self._high,
            last.price_ticks,
        )  # fmt: skip


class _Touch:
    """Keeps the latest best prices for a slow reader."""

    def __init__(self, first: Best):
        self._last = first

    def add(self, best: Best) -> None:
        self._last = best

    def message(self) -> Best:
        return self._last


_MERGE: dict[str, Any] = {"l1": _Touch, "l2": _Levels, "l3": None, "trades": _Tape}


class Subscription:
    """Reads a feed; iterating polls the feed and takes the messages that wait. Made by Feed.subscribe.

    The first message of "l1", "l2" and "l3" is the whole book at the first reading (Best, Snapshot, OrderSnapshot); earlier
    messages are not kept. When more than `limit` messages wait, conflate merges them into the last one. Without it all are
    dropped, and the next reading raises FeedGap once; the message after that is the whole book again. Trades have no such
    message: they go on.
    """

    def __init__(self, feed: "Feed", kind: str, conflate: bool, limit: int):
        self._feed, self._kind, self._limit = feed, kind, limit
        self._merge = _MERGE[kind] if conflate else None
        self._queue: deque[Any] = deque()
        self._tail: Any = None
        self._whole = kind != "trades"
        self._lost = 0

    def __len__(self) -> int:
        """Returns how many messages wait since the last poll, the whole book not counted."""
        return len(self._queue) + (self._tail is not None)

    def __iter__(self) -> Iterator[Any]:
        """Yields the messages that wait. Raises FeedGap, once, when some were dropped."""
        self._feed.poll()
        if self._lost:
            lost, self._lost = self._lost, 0
            raise FeedGap(f"{lost} messages of {self._kind} were dropped: more than {self._limit} waited")
        if self._whole:
            yield self.snapshot()
        while self._queue:
            yield self._queue.popleft()
        if self._tail is not None:
            tail, self._tail = self._tail, None
            yield tail.message()

    def snapshot(self) -> Any:
        """Returns the whole book now, and drops all messages that wait. Helps a reader that lost a message.

        Raises InputError for trades.
        """
        if self._kind == "trades":
            raise InputError("trades have no snapshot")
        whole_book = {"l1": self._feed.best, "l2": self._feed.snapshot, "l3": self._feed.orders}[self._kind]()
        self._drop()
        self._whole, self._lost = False, 0
        return whole_book

    def close(self) -> None:
        """Ends the subscription; messages that wait can still be read."""
        if self in self._feed._readers[self._kind]:
            self._feed._readers[self._kind].remove(self)

    def _drop(self) -> None:
        self._queue.clear()
        self._tail = None

    def _push(self, message: Any) -> None:
        if self._lost:
            self._lost += 1
        elif self._whole:
            return
        elif self._tail is not None:
            self._tail.add(message)
        elif len(self._queue) < self._limit:
            self._queue.append(message)
        elif self._merge:
            self._tail = self._merge(self._queue.pop())
            self._tail.add(message)
        else:
            self._lost = len(self._queue) + 1
            self._drop()
            self._whole = self._kind != "trades"


class Feed:
    """Makes the market data of one instrument of an Exchange or of a Book, from its first event on.

    instrument: name or index; may be left out if there is only one. Prices are in ticks, sizes in lots. The engine holds the
    events for the feed, as for any cursor, until the feed is polled; every reading polls.

    Raises EventsDropped if the first events are no longer held: make the feed before the first command, or use retain=True.
    Raises InputError if the `log` leaves out a type of NEEDS, or if there are several instruments to choose from.

    >>> from solvent import Book
    >>> from solvent.feed import Feed, Replica
    >>> book = Book()
    >>> feed = Feed(book)
    >>> depth = feed.subscribe("l2")
    >>> replica = Replica()
    >>> for size in (5, 2):
    ...     ack = book.order(1, "sell", size, price_ticks=101)
    ...     for message in depth:
    ...         replica.apply(message)
    >>> replica.snapshot().asks
    (Level(price_ticks=101, lots=7, orders=2),)
    """

    def __init__(self, face: Face, instrument: str | int | None = None):
        if not isinstance(face, Face):
            raise wrong_type("face", face, "a Book or an Exchange")
        if instrument is None:
            if isinstance(face, Exchange) and len(face.instruments) > 1:
                raise InputError(f"which instrument? Feed(ex, {shown(face.instruments[0].name)}), for one")
            instrument = 0
        if isinstance(face, Exchange):
            self.instrument = face._known_instrument(instrument)
        else:
            self.instrument = int_within(instrument, "instrument", 0, 0)
        if face._kernel.first_seq > 1:
            raise EventsDropped(
                "the first events are no longer held; make the Feed before the first command, or use retain=True"
            )
        missing = [each.name for each in NEEDS if not face.writes(each)]
        if missing:
            raise InputError(f"a feed needs events that are not written; add {', '.join(missing)} to log (solvent.feed.NEEDS)")
        self.seq = 0
        self._trades = 0  # their number so far
        self._event_seq = self._time_ns = 0  # of the command being read
        self._stamp = (0, 0)  # of the one that made seq
        self._orders: dict[int, tuple[Side, int, int]] = {}  # side, price, shown lots; at one price in the queue's order
        self._hidden: dict[int, int] = {}  # lots of resting orders that nobody sees
        self._levels: tuple[Any, Any] = (SortedDict(), SortedDict())  # by side: price to (lots, orders)
        self._best = (0, 0, 0, 0)  # as last sent
        self._moves: list[OrderChange] = []  # of the command being read
        self._before: dict[tuple[Side, int], tuple[int, int]] = {}  # levels that it touched, as they were
        self._prints: list[Event] = []
        self._readers: dict[str, WeakSet[Subscription]] = {kind: WeakSet() for kind in _MERGE}  # who holds one, holds the feed
        self._cursor = face.cursor(begin=1)

    # --- readers

    def poll(self) -> int:
        """Reads the new events, hands them to the subscribers, and returns seq. Raises Busy while the engine works."""
        for event in self._cursor:
            handler = _HANDLERS.get(event.type)
            if handler is not None:
                handler(self, event)
        self._close_command()
        return self.seq

    def best(self) -> Best:
        """Returns the best prices now.

        >>> from solvent import Book
        >>> from solvent.feed import Feed
        >>> book = Book()
        >>> feed = Feed(book)
        >>> ask = book.order(1, "sell", 5, price_ticks=101)
        >>> feed.best().ask_ticks, feed.best().ask_lots
        (101, 5)
        """
        self.poll()
        return Best(self.seq, *self._stamp, *self._touch())

    def snapshot(self) -> Snapshot:
        """Returns the whole depth now."""
        self.poll()
        bids, asks = ([Level(price, *level) for price, level in side.items()] for side in self._levels)
        return Snapshot(self.seq, *self._stamp, tuple(reversed(bids)), tuple(asks))

    def orders(self) -> OrderSnapshot:
        """Returns every resting order now, in the order of the queues. Cost: sorts all of them."""
        self.poll()
        at: dict[tuple[int, int], int] = {}
        rows = []
        for order_id, (side, price, remaining) in self._orders.items():
            position = at[side, price] = at.get((side, price), -1) + 1
            rows.append(Order(order_id, side, price, remaining, position))
        rows.sort(key=lambda row: (row.side, row.price_ticks if row.side else -row.price_ticks))
        return OrderSnapshot(self.seq, *self._stamp, tuple(rows))

    def subscribe(self, kind: str, *, conflate: bool = False, limit: int = 1_000) -> Subscription:
        """Returns a Subscription from now on.

        kind: "l1" (Best, when it changes), "l2" (Increment, one a seq), "l3" (OrderIncrement, one a seq) or "trades" (Trade).
        limit: how many messages may wait, at least 1. conflate: messages beyond the limit are merged into the last one. "l1"
        keeps the latest Best, "l2" one Increment with each level's latest state, "trades" a Trades. Without conflate, and for
        "l3", the reader gets a FeedGap.

        Raises InputError for other words, and for "l3" with conflate.
        """
        if not isinstance(kind, str) or kind not in _MERGE:
            raise InputError(f"kind is one of {', '.join(_MERGE)}, not {shown(kind)}")
        if flag_of(conflate, "conflate") and _MERGE[kind] is None:
            raise InputError("orders cannot be merged: each has its own place; read l3 without conflate, or l2")
        if any_int(limit, "limit") < 1:
            raise InputError("limit is at least 1")
        self.poll()
        self._best = self._touch()
        subscription = Subscription(self, kind, conflate, limit)
        self._readers[kind].add(subscription)
        return subscription

    def close(self) -> None:
        """Stops reading: the engine holds no more events for it."""
        self._cursor.close()

    # --- one event

    def _on_begin(self, event: Event) -> None:
        self._close_command()
        self._event_seq, self._time_ns = event.seq, event.time_ns

    def _on_rested(self, event: Event) -> None:
        if event.instrument == self.instrument:
            self._show(event, event.remaining_lots - event.hidden_lots)

    def _on_trade(self, event: Event) -> None:
        if event.instrument == self.instrument:
            self._prints.append(event)
            self._take(Action.EXECUTE, event.maker_order_id, event.size_lots)
            self._take(Action.EXECUTE, event.taker_order_id, event.size_lots)  # it rests if this is an uncross

    def _on_refilled(self, event: Event) -> None:
        if event.instrument == self.instrument:
            self._show(event, event.shown_lots)

    def _show(self, event: Event, lots: int) -> None:
        """Adds an order by the lots that the book shows of it. One that shows nothing is not there."""
        side, price = _SIDES[event.side], event.price_ticks
        self._hidden[event.order_id] = event.hidden_lots
        if not event.hidden_lots:
            del self._hidden[event.order_id]
        if lots:
            self._orders[event.order_id] = side, price, lots
            self._move(Action.ADD, event.order_id, side, price, lots, 1, lots)

    def _on_reduced(self, event: Event) -> None:
        """Takes lots off an order: first those that nobody sees."""
        hidden = self._hidden.get(event.order_id, 0)
        if unseen := min(hidden, event.cut_lots):
            self._hidden[event.order_id] = hidden - unseen
        if event.cut_lots > unseen:
            self._take(Action.REDUCE, event.order_id, event.cut_lots - unseen)

    def _on_done(self, event: Event) -> None:
        self._hidden.pop(event.order_id, None)
        self._take(Action.DELETE, event.order_id)

    def _on_replaced(self, event: Event) -> None:
        self._take(Action.REPLACE, event.order_id)

    def _take(self, action: Action, order_id: int, lots: int | None = None) -> None:
        """Takes lots, or all of them, off a resting order.

        Passes over an order that is not in this book: dormant, on its way, or of another instrument.
        """
        order = self._orders.get(order_id)
        if order is None:
            return
        side, price, remaining = order
        lots = remaining if lots is None else lots
        if lots < remaining:
            self._orders[order_id] = side, price, remaining - lots
        else:
            del self._orders[order_id]
        self._move(action, order_id, side, price, -lots, -(lots == remaining), remaining - lots)

    def _move(self, action: Action, order_id: int, side: Side, price: int, lots: int, orders: int, remaining: int) -> None:
        levels = self._levels[side]
        level = levels.get(price, (0, 0))
        self._before.setdefault((side, price), level)
        if level[1] + orders:
            levels[price] = level[0] + lots, level[1] + orders
        else:
            del levels[price]
        self._moves.append(OrderChange(action, order_id, side, price, abs(lots), remaining))

    # --- one command

    def _close_command(self) -> None:
        """Ends a command: if it touched the book it gets its number, and the readers get their messages."""
        if not self._moves:
            return
        self.seq += 1
        self._stamp = self._event_seq, self._time_ns
        if self._readers["l1"] and self._touch() != self._best:
            self._best = self._touch()
            self._send("l1", Best(self.seq, *self._stamp, *self._best))
        if self._readers["l2"]:
            self._send("l2", Increment(self.seq, self.seq, *self._stamp, tuple(self._changes())))
        if self._readers["l3"]:
            self._send("l3", OrderIncrement(self.seq, *self._stamp, tuple(self._moves)))
        for event in self._prints:
            self._trades += 1
            trade = Trade(
                self._trades, self.seq, *self._stamp, _SIDES[event.side], event.price_ticks, event.size_lots,
                event.maker_order_id, event.taker_order_id,
            )  # fmt: skip
            self._send("trades", trade)
        self._moves.clear()
        self._before.clear()
        self._prints.clear()

    def _touch(self) -> tuple[int, int, int, int]:
        bids, asks = self._levels
        bid, (bid_lots, _) = bids.peekitem(-1) if bids else (0, (0, 0))
        ask, (ask_lots, _) = asks.peekitem(0) if asks else (0, (0, 0))
        return bid, bid_lots, ask, ask_lots

    def _changes(self) -> Iterator[Change]:
        for (side, price), before in self._before.items():
            lots, orders = level = self._levels[side].get(price, (0, 0))
            if level != before:
                yield Change(side, price, lots, orders, before[0])

    def _send(self, kind: str, message: Any) -> None:
        for reader in self._readers[kind]:
            reader._push(message)


_HANDLERS = {
    EventType.BEGIN: Feed._on_begin, EventType.RESTED: Feed._on_rested, EventType.TRADE: Feed._on_trade,
    EventType.REDUCED: Feed._on_reduced, EventType.DONE: Feed._on_done, EventType.REPLACED: Feed._on_replaced,
    EventType.REFILLED: Feed._on_refilled, EventType.PARKED: Feed._on_replaced,
}  # fmt: skip


class Replica:
    """Receives "l2": keeps a depth from a Snapshot and the Increments that follow it, and from nothing else.

    Raises FeedGap for an Increment that does not follow, by its numbers or by a level that had other lots before. The replica
    then stays as it was. The remedy is a new Snapshot (Subscription.snapshot).
    """

    def __init__(self) -> None:
        self.seq = self.event_seq = self.time_ns = 0
        self._levels: dict[tuple[Side, int], tuple[int, int]] | None = None

    def apply(self, message: Snapshot | Increment) -> None:
        """Applies one message. Passes over an Increment that the book already has."""
        if isinstance(message, Snapshot):
            sides = ((Side.BUY, message.bids), (Side.SELL, message.asks))
            self._levels = {(side, price): (lots, orders) for side, rows in sides for price, lots, orders in rows}
            self.seq, self.event_seq, self.time_ns = message[:3]
            return
        if not isinstance(message, Increment):
            raise wrong_type("message", message, "a Snapshot or an Increment")
        if self._levels is None:
            raise FeedGap("an increment before the first snapshot")
        if message.last_seq <= self.seq:
            return
        if message.first_seq != self.seq + 1:
            raise FeedGap(f"the book is at {self.seq}, the increment covers {message.first_seq} to {message.last_seq}")
        for side, price, _, _, previous in message.changes:
            if self._levels.get((side, price), (0, 0))[0] != previous:
                raise FeedGap(f"increment {message.first_seq}: not {previous} lots at {side.name} {price}")
        for side, price, lots, orders, _ in message.changes:
            if lots:
                self._levels[side, price] = lots, orders
            else:
                del self._levels[side, price]
        self.seq, self.event_seq, self.time_ns = message[1:4]

    def snapshot(self) -> Snapshot:
        """Returns the received depth. Cost: sorts its levels."""
        rows = sorted((*key, *level) for key, level in (self._levels or {}).items())
        bids = tuple(Level(*row[1:]) for row in reversed(rows) if row[0] == Side.BUY)
        asks = tuple(Level(*row[1:]) for row in rows if row[0] == Side.SELL)
        return Snapshot(self.seq, self.event_seq, self.time_ns, bids, asks)
