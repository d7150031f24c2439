"""The feed: equal to the book at every number on random flows, visible gaps, bounded slow readers; and Arrow tables."""

import doctest
from collections import Counter
from random import Random
from threading import Thread

import numpy as np
import pytest

import solvent
import solvent.reference
from solvent import Book, Busy, EventsDropped, EventType, Exchange, FeedGap, InputError, Instrument, Rejected, WrongType
from solvent.feed import NEEDS, Action, Best, Change, Feed, Increment, OrderChange, Replica, Trade, Trades
from solvent.records import (
    CONTINUED,
    NOBODY,
    CommandType,
    Ending,
    Flag,
    Purse,
    SelfTrade,
    Side,
    Source,
    Tif,
    TriggerKind,
    command,
    dtype,
    extension,
)  # fmt: skip
from support.generator import Generator
from support.places import ROOT

BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture(params=["compiled", "reference"])
def package(request):
    return solvent if request.param == "compiled" else solvent.reference


class Queues:
    """A consumer of l3 in ten lines: an order that is added goes to the back; one without lots is gone."""

    def __init__(self):
        self.seq, self.orders = 0, {}

    def apply(self, message):
        if isinstance(message, solvent.feed.OrderSnapshot):
            self.orders = {order.order_id: order[1:4] for order in message.orders}
        else:
            assert message.seq == self.seq + 1
            for change in message.changes:
                if change.action == Action.ADD:
                    assert change.order_id not in self.orders
                if change.remaining_lots:
                    self.orders[change.order_id] = (change.side, change.price_ticks, change.remaining_lots)
                else:
                    del self.orders[change.order_id]
        self.seq = message.seq

    def rows(self):
        rows = [(order_id, *order) for order_id, order in self.orders.items()]
        return sorted(rows, key=lambda row: (row[1], row[2] if row[1] else -row[2]))


class Witness:
    """All kinds of readers of one instrument, compared with the engine whenever asked."""

    def __init__(self, face, random, instrument=0):
        self.kernel, self.random, self.instrument = face._kernel, random, instrument
        self.feed, self.late_feed = Feed(face, instrument), Feed(face, instrument)
        self.l1, self.l2, self.l3 = (self.feed.subscribe(kind) for kind in ("l1", "l2", "l3"))
        self.slow = self.feed.subscribe("l2", conflate=True, limit=random.choice([1, 2, 10]))
        self.late = self.late_feed.subscribe("l2", limit=10**6)
        [self.first] = self.late
        self.replica, self.slow_replica, self.queues, self.best = Replica(), Replica(), Queues(), None
        self.trades = self.feed.subscribe("trades", limit=10**6)
        self.at = {}
        self.merged = 0

    def compare(self):
        """Depth, queues and best prices are the kernel's; each reader has them."""
        for message in self.l2:
            self.replica.apply(message)
        for message in self.l3:
            self.queues.apply(message)
        self.best = [self.best, *self.l1][-1]
        now = self.feed.snapshot()
        bids, asks = (np.frombuffer(rows, "<i8").reshape(-1, 3) for rows in self.kernel.depth_bytes(self.instrument, 10**6))
        assert (now.bids, now.asks) == (tuple(map(tuple, bids.tolist())), tuple(map(tuple, asks.tolist())))
        resting = [(row[0], row[3], row[4], row[5]) for row in self.kernel.resting(self.instrument)]
        assert [order[:4] for order in self.feed.orders().orders] == resting == self.queues.rows()
        assert self.best[3:] == self.kernel.best(self.instrument) == self.feed.best()[3:]
        assert self.replica.snapshot() == now
        self.at[now.seq] = now
        if self.random.random() < 0.05:
            for message in self.slow:
                self.merged += isinstance(message, Increment) and message.first_seq < message.last_seq
                self.slow_replica.apply(message)
            assert self.slow_replica.snapshot() == now

    def finish(self, traded):
        """A reader that reads everything at the end had, at every number, the book of then; each trade was printed."""
        replica = Replica()
        replica.apply(self.first)
        for message in self.late:
            assert message.first_seq == message.last_seq == replica.seq + 1
            replica.apply(message)
            assert replica.snapshot() == self.at[replica.seq]
        assert replica.seq == self.feed.seq
        trades = list(self.trades)
        assert [trade.number for trade in trades] == list(range(1, len(trades) + 1))
        assert [trade[4:] for trade in trades] == [
            (e.side, e.price_ticks, e.size_lots, e.maker_order_id, e.taker_order_id) for e in traded
        ]


def book_command(r: Random, ids: list[tuple[int, int]], time_ns: int) -> bytes:
    """Everything that can be asked of a Book, around the price 100."""
    kind = r.random()
    common = {"time_ns": time_ns, "account": r.randrange(4)}
    if kind < 0.06:
        kinds = [CommandType.MARK, CommandType.INDEX, CommandType.ADVANCE]
        return command(r.choice(kinds), time_ns=time_ns, price_ticks=r.randrange(94, 107))
    if kind < 0.07:
        return command(CommandType.MASS_CANCEL, time_ns=time_ns, account=r.choice([NOBODY, 1, 2]), side=r.randrange(3))
    if kind < 0.3 and ids:
        common["account"], common["order_id"] = r.choice(ids[-40:])
        if r.random() < 0.5:
            return command(CommandType.CANCEL, **common)
        return command(CommandType.AMEND, size_lots=r.randrange(9), price_ticks=r.choice([0, r.randrange(94, 107)]), **common)
    tif, flags, price, second = (
        r.choices([Tif.GTC, Tif.IOC, Tif.FOK, Tif.GTD], [60, 10, 8, 20])[0],
        0,
        r.randrange(94, 107),
        {},
    )
    if tif in (Tif.GTC, Tif.GTD):
        flags = r.choices([0, Flag.POST_ONLY, Flag.POST_ONLY | Flag.SLIDE], [80, 10, 10])[0]
    elif r.random() < 0.5:
        flags, price = Flag.MARKET, 0
        second = r.choice([{}, {"slippage_ppb": 10**7}])
    if tif == Tif.GTD:
        second["expiry_ns"] = time_ns + r.randrange(1, 30)
    if r.random() < 0.2:
        trigger = r.choice(list(TriggerKind)[1:])
        second |= {"trigger_kind": trigger, "trigger_source": r.choice(list(Source))}
        second |= (
            {"trigger_ticks": r.randrange(94, 107)}
            if trigger <= TriggerKind.TAKE_PROFIT
            else {"trail": 2 if trigger == TriggerKind.TRAIL_TICKS else 3 * 10**7}
        )
    return command(
        CommandType.ORDER, records=2 if second else 1, side=r.randrange(2), tif=tif, flags=int(flags), price_ticks=price,
        size_lots=r.randrange(1, 8), mode=r.choice(list(SelfTrade)), amount=r.choice([0, 0, 7]), **common,
    ) + (extension(**second) if second else b"")  # fmt: skip


def count(seen: Counter, events) -> None:
    for e in events:
        seen[e.type] += 1
        if e.type == EventType.DONE:
            seen[Ending(e.ending)] += 1
        if e.type == EventType.RESTED and e.account == Purse.HOUSE:
            seen["house order"] += 1


def test_book_at_every_command(package, seed):
    """Random flows of a Book with every kind of order: depth, queues, best prices and trades from events alone."""
    seen: Counter = Counter()
    for run in range(4):
        random = Random(seed + run)
        book = package.Book(2**12 - 1, max_size_lots=100)
        witness, ids, traded, time_ns = Witness(book, random), [], [], 0
        for _ in range(700):
            time_ns += random.random() < 0.5
            record = book_command(random, ids, time_ns)
            if book._kernel.apply(record) == 0 and record[0] == CommandType.ORDER:
                ids.append((int.from_bytes(record[4:8], "little"), book._kernel.last[0]))
            events = list(book.drain())
            count(seen, events)
            traded += [e for e in events if e.type == EventType.TRADE]
            witness.compare()
        witness.finish(traded)
        seen["merged"] += witness.merged
    wanted = [EventType.TRADE, EventType.REDUCED, EventType.REPLACED, EventType.TRIGGERED]
    wanted += [Ending.EXPIRED, Ending.SELF_TRADE, Ending.MASS_CANCELLED, Ending.CANCELLED, "merged"]
    assert not [name for name in wanted if not seen[name]], seen


@pytest.mark.long
def test_exchange_at_every_command(package, seed):
    """Generated flows of an Exchange with liquidations, a feed for each instrument.

    The events of both kernels are the same (agreement/test_twins.py), so of the reference fewer flows show that its reads are.
    """
    seen: Counter = Counter()
    for run in range(50 if package is solvent else 20):
        generator = Generator(seed * 1_000 + run)
        random = Random(seed + run)
        ex = package.Exchange(generator.instruments, rules=generator.rules)
        witnesses = [Witness(ex, random, i) for i in range(len(generator.instruments))]
        opening, traded = iter(generator.opening()), []
        for _ in range(600):
            ex._kernel.apply(next(opening, None) or generator.next(ex._kernel))
            events = list(ex.drain())
            count(seen, events)
            traded += [e for e in events if e.type == EventType.TRADE]
            for witness in witnesses:
                witness.compare()
        for i, witness in enumerate(witnesses):
            witness.finish([e for e in traded if e.instrument == i])
            seen["merged"] += witness.merged
    wanted = [EventType.TRADE, EventType.REDUCED, EventType.REPLACED, EventType.TRIGGERED, EventType.TAKEOVER]
    wanted += [Ending.LIQUIDATED, Ending.REDUCE_ONLY_CUT, Ending.EXPIRED, "house order", "merged"]
    assert not [name for name in wanted if not seen[name]], seen


def test_messages(package):
    """One command, one message: what each kind says of a trade through two levels of which the second keeps a rest."""
    book = package.Book()
    feed = Feed(book)
    first = book.order(1, "sell", 5, price_ticks=101)
    second = book.order(2, "sell", 5, price_ticks=102)
    readers = {kind: feed.subscribe(kind) for kind in ("l1", "l2", "l3", "trades")}
    assert [len(list(reader)) for reader in readers.values()] == [1, 1, 1, 0]
    book.advance(77)
    ack = book.order(3, "buy", 8, price_ticks=102)
    stamp = (3, ack.seq, 77)
    got = {kind: list(reader) for kind, reader in readers.items()}
    assert got["l1"] == [Best(*stamp, 0, 0, 102, 2)]
    assert got["l2"] == [Increment(3, *stamp, (Change(SELL, 101, 0, 0, 5), Change(SELL, 102, 2, 1, 5)))]
    executed = [(first.order_id, 101, 5, 0), (second.order_id, 102, 3, 2)]
    assert got["l3"][0].changes == tuple(
        OrderChange(Action.EXECUTE, order_id, SELL, price, lots, left) for order_id, price, lots, left in executed
    )
    assert got["trades"] == [
        Trade(i, *stamp, BUY, price, lots, order_id, ack.order_id) for i, (order_id, price, lots, _) in enumerate(executed, 1)
    ]
    book.amend(2, second.order_id, size_lots=9)  # to the back of its queue, with more
    [moved] = readers["l3"]
    assert [(c.action, c.lots, c.remaining_lots) for c in moved.changes] == [(Action.REPLACE, 2, 0), (Action.ADD, 6, 6)]
    assert [c[2:] for c in list(readers["l2"])[0].changes] == [(6, 1, 2)]
    book.order(3, "buy", 2, price_ticks=90, tif="ioc")  # touches nothing: no number
    assert feed.poll() == 4 and not list(readers["l2"])
    list(readers["l1"])
    book.order(3, "sell", 2, price_ticks=110)  # behind the best price
    assert [len(list(readers[kind])) for kind in ("l1", "l2")] == [0, 1]
    late = feed.subscribe("l2")
    book.order(3, "sell", 2, price_ticks=110)
    assert feed.poll() == 6 and len(late) == 0  # the first reading begins with the whole book


def test_a_queue_that_turns_is_a_number_without_changes_of_depth():
    book = Book()
    feed = Feed(book)
    depth = feed.subscribe("l2")
    own = book.order(1, "buy", 5, price_ticks=90)
    book.order(2, "buy", 5, price_ticks=90)
    list(depth)
    book.amend(1, own.order_id, price_ticks=91)
    book.amend(1, own.order_id, price_ticks=90)
    book.run(command(CommandType.AMEND, account=1, order_id=own.order_id, price_ticks=90, size_lots=6))
    assert [[change[1:] for change in message.changes] for message in depth] == [
        [(90, 5, 1, 10), (91, 5, 1, 0)], [(91, 0, 0, 5), (90, 10, 2, 5)], [(90, 11, 2, 10)],
    ]  # fmt: skip
    assert feed.orders().orders[-1][::4] == (own.order_id, 1)


def test_a_replica_refuses_what_does_not_follow():
    book = Book()
    feed = Feed(book)
    depth = feed.subscribe("l2")
    replica = Replica()
    with pytest.raises(FeedGap, match="before the first snapshot"):
        replica.apply(Increment(1, 1, 1, 0, ()))
    for price in (90, 91, 92, 93):
        book.order(1, "buy", 5, price_ticks=price)
        if price == 90:
            [start] = depth
    one, two, three = depth
    replica.apply(start)
    replica.apply(one)
    before = replica.snapshot()
    with pytest.raises(FeedGap, match="book is at 2, the increment covers 4 to 4"):
        replica.apply(three)
    with pytest.raises(FeedGap, match="not 1 lots at BUY 92"):
        replica.apply(two._replace(changes=(*two.changes, Change(BUY, 92, 5, 1, 1))))
    replica.apply(one)  # known already
    assert replica.snapshot() == before
    book.order(1, "sell", 5, price_ticks=99)
    assert feed.poll() == 5 and len(depth) == 1
    replica.apply(depth.snapshot())
    assert len(depth) == 0
    book.order(1, "buy", 5, price_ticks=94)
    for message in depth:
        replica.apply(message)
    assert replica.snapshot() == feed.snapshot() and replica.seq == 6


@pytest.mark.parametrize("kind", ["l1", "l2", "l3", "trades"])
def test_a_slow_reader_is_told_what_it_lost(kind):
    """Without conflation: nothing waits beyond the limit, FeedGap once, then the whole book, then what follows it."""
    book = Book()
    feed = Feed(book)
    reader = feed.subscribe(kind, limit=3)
    whole = list(reader)
    assert len(whole) == (kind != "trades")

    def trade(times):
        for price in range(100, 100 + times):
            book.order(1, "sell", 2, price_ticks=price)
            book.order(2, "buy", 1, price_ticks=price)
        feed.poll()

    trade(1)
    assert len(list(reader)) == {"trades": 1}.get(kind, 2)
    trade(50)
    assert len(reader) == 0
    with pytest.raises(FeedGap, match="messages of"):
        next(iter(reader))
    rest = list(reader)
    assert len(rest) == (kind != "trades")
    assert not rest or rest[0] == {"l1": feed.best, "l2": feed.snapshot, "l3": feed.orders}[kind]()
    trade(1)
    messages = list(reader)
    assert len(messages) == {"trades": 1}.get(kind, 2)
    assert messages[0][0] == {"trades": 52}.get(kind, 103)  # two commands a trade: numbers 103 and 104


def test_a_conflated_depth_stays_small():
    """Levels that come and go while nobody reads leave nothing behind; what waits says which numbers it covers."""
    book = Book()
    feed = Feed(book)
    depth, replica = feed.subscribe("l2", conflate=True, limit=4), Replica()
    book.order(1, "buy", 3, price_ticks=1)
    gone = book.order(1, "buy", 3, price_ticks=2)
    for message in depth:
        replica.apply(message)
    book.cancel(1, gone.order_id)
    for price in range(3, 5_000):
        ack = book.order(1, "buy", 3, price_ticks=price)
        if price < 4_998:
            book.cancel(1, ack.order_id)
        feed.poll()
        assert len(depth) <= 4
    assert len(depth._tail._changes) < 4
    messages = list(depth)
    assert [message.first_seq for message in messages] == [3, 4, 5, 6]
    assert messages[-1].last_seq == feed.seq == 9_995
    for message in messages:
        replica.apply(message)
    assert replica.snapshot() == feed.snapshot() and len(replica.snapshot().bids) == 3


def test_conflated_trades_and_touch():
    book = Book()
    feed = Feed(book)
    tape, touch = feed.subscribe("trades", conflate=True, limit=2), feed.subscribe("l1", conflate=True, limit=1)
    list(touch)
    for side, other, price in (("sell", "buy", 100), ("sell", "buy", 103), ("buy", "sell", 98), ("sell", "buy", 101)):
        book.order(1, side, 7, price_ticks=price)
        ack = book.order(2, other, 7, price_ticks=price)
    one, rest = tape
    assert isinstance(one, Trade) and one.number == 1
    assert rest == Trades(2, 4, feed.seq, ack.seq, 0, 14, 7, 98, 103, 101)
    assert list(touch) == [feed.best()] and feed.best()[3:] == (0, 0, 0, 0)


def test_refusals(package):
    instrument = Instrument("BTC")
    with pytest.raises(InputError, match="add REDUCED to log"):
        Feed(package.Book(log=[each for each in NEEDS if each != EventType.REDUCED]))
    with pytest.raises(InputError, match="add TRADE, DONE to log"):
        kinds = [each for each in EventType if each not in (EventType.TRADE, EventType.DONE)]
        Feed(package.Exchange([instrument], log=kinds))
    with pytest.raises(Rejected, match="UNKNOWN_INSTRUMENT"):
        Feed(package.Exchange([instrument]), "ETH")
    for value in (1, "BTC"):
        with pytest.raises(InputError):
            Feed(package.Book(), value)
    with pytest.raises(WrongType):
        Feed(None)
    book = package.Book(retain=False)
    for _ in range(3):
        book.order(1, "buy", 1, price_ticks=5)
    with pytest.raises(EventsDropped):
        Feed(book)
    feed = Feed(package.Book(log=NEEDS))
    for terms in ({"kind": "l4"}, {"kind": "l2", "limit": 0}, {"kind": "l3", "conflate": True}):
        with pytest.raises(InputError):
            feed.subscribe(**terms)
    for terms in ({"kind": "l2", "limit": 1.0}, {"kind": "l2", "conflate": 1}):
        with pytest.raises(WrongType):
            feed.subscribe(**terms)
    with pytest.raises(InputError):
        feed.subscribe("trades").snapshot()


def test_few_types_and_no_retention_are_enough(package):
    """A feed needs no more than NEEDS, holds the events only until it is polled, and none after close."""
    book = package.Book(retain=False, log=NEEDS)
    feed = Feed(book)
    depth = feed.subscribe("l2")
    for price in range(1, 200):
        book.order(1, "buy", 1, price_ticks=price)
        if price % 10 == 0:
            list(depth)
    assert len(book.events()) < 60
    assert (feed.seq, len(feed.snapshot().bids)) == (190, 199)
    assert len(list(depth)) == 9
    depth.close()
    book.order(1, "buy", 1, price_ticks=1)
    assert not list(depth) and feed.seq == 200
    feed.close()
    for _ in range(100):
        book.order(1, "buy", 1, price_ticks=1)
    assert len(book.events()) < 60


def test_a_feed_made_late_reads_from_the_first_event(package):
    ex = package.Exchange([Instrument("BTC"), Instrument("ETH")])
    ex.deposit("a", "USDT", 10**6)
    for name, price in (("BTC", 50_000), ("ETH", 2_000)):
        ex.mark(name, price)
        ex.order("a", name, "buy", 3, price=price)
    feed = Feed(ex, "ETH")
    assert (feed.poll(), feed.snapshot().bids, feed.instrument) == (1, ((20_000, 3, 1),), 1)


def test_a_cursor_loses_nothing_to_busy():
    """Read while another thread runs a batch: Busy, and afterwards every event is there."""
    book = Book()
    cursor, feed = book.cursor(), Feed(book)
    batch = b"".join(command(CommandType.ORDER, account=1, side=i % 2, price_ticks=9, size_lots=1) for i in range(1_000)) * 300
    thread = Thread(target=book.run, args=(batch,))
    thread.start()
    seqs, busy = [], 0
    while thread.is_alive():
        for read in (lambda: seqs.extend(event.seq for event in cursor), feed.poll):
            try:
                read()
            except Busy:
                busy += 1
    thread.join()
    seqs += [event.seq for event in cursor]
    assert busy and seqs == list(range(1, book._kernel.next_seq))
    assert feed.snapshot().bids == tuple(map(tuple, book.depth_arrays()[0].tolist()))


def test_the_page_is_right():
    assert doctest.testfile(str(ROOT / "docs/reference/feed.md"), module_relative=False).failed == 0


# --- Arrow


@pytest.fixture
def arrow():
    pytest.importorskip("pyarrow", reason="pyarrow is an extra: pip install solvent[arrow]")
    from solvent import arrow

    return arrow


def test_arrow_tables_are_the_events(arrow, seed):
    """Every type's table has the events that iteration gives, in spite of second records that look like headers."""
    generator = Generator(seed)
    ex = Exchange(generator.instruments, rules=generator.rules)
    opening = iter(generator.opening())
    for _ in range(400):
        ex._kernel.apply(next(opening, None) or generator.next(ex._kernel))
    events, begin = list(ex.drain()), 0
    times = {}
    for e in events:
        begin = e.time_ns if e.type == EventType.BEGIN else begin
        times[e.seq] = begin
    for kind in EventType:
        rows = arrow.events(ex, kind).to_pylist()
        chosen = [e for e in events if e.type == kind]
        assert [row["seq"] for row in rows] == [e.seq for e in chosen]
        assert all(row["time_ns"] == times[row["seq"]] for row in rows)
        assert all(getattr(e, name) == value for e, row in zip(chosen, rows, strict=True) for name, value in row.items()
                   if name != "time_ns")  # fmt: skip
    assert arrow.trades(ex).equals(arrow.trades(ex.events()))
    depth = arrow.depth(ex, 0)
    bids, asks = ex.depth_arrays(0, 10**6)
    assert depth["side"].to_pylist() == [0] * len(bids) + [1] * len(asks)
    assert depth["price_ticks"].to_pylist() == [*bids[:, 0], *asks[:, 0]]


def test_arrow_tables_of_positions_and_accounts(arrow, strict_exchange):
    """The columns of the arrays, a row each."""
    ex = strict_exchange([Instrument("X")])
    for name in "ab":
        ex.deposit(name, "USDT", 10_000)
    ex.mark("X", 50_000)
    ex.order("a", "X", "sell", 3, price=50_000).ok()
    ex.order("b", "X", "buy", 3, price=50_000).ok()
    pairs = [(getattr(arrow, what)(ex), getattr(ex, f"{what}_array")()) for what in ("positions", "liquidations", "accounts")]
    for rows, array in pairs:
        assert rows.column_names == list(array.dtype.names) and len(rows) == 2
        assert [tuple(row.values()) for row in rows.to_pylist()] == [row.item() for row in array]


def test_arrow_second_records_are_no_events(arrow):
    """Neither to a mask by type, whatever a trigger price may look like, nor to the tables."""
    book = Book(2**20, max_size_lots=10)
    forged = int(EventType.TRADE) | 2 << 16
    for kind in (TriggerKind.STOP, TriggerKind.TAKE_PROFIT):
        second = extension(trigger_kind=kind, trigger_ticks=forged)
        book.run(command(CommandType.ORDER, records=2, account=1, price_ticks=9, size_lots=1) + second)
    book.order(1, "buy", 1, price_ticks=9)
    rows = book.events(view=True)
    assert not (rows["type"] == EventType.TRADE).any() and (rows["type"] == CONTINUED).sum() == 2
    assert len(arrow.trades(book)) == 0 and len(arrow.events(book, EventType.ACCEPTED)) == 3


def test_arrow_shares_columns_and_refuses_other_records(arrow):
    column = np.arange(5)
    shared = arrow.table({"a": column})["a"].chunk(0).buffers()[1]
    assert shared.address == column.ctypes.data
    with pytest.raises(InputError):
        arrow.trades(np.zeros(3, dtype("command")))
    with pytest.raises(WrongType):
        arrow.events(Book(), 8)
    with pytest.raises(InputError):
        arrow.depth(Book(), 1)
