"""fork, copy and pickle of exchanges and of what they hand out: they work, or say what to use instead."""

import copy
import gc
import pickle
import weakref

import pytest

import solvent
import solvent.reference
from solvent import Book, Event, EventsDropped, EventType, Exchange, Instrument, Trigger, WrongType

KINDS = pytest.mark.parametrize("kind", [Exchange, solvent.reference.Exchange], ids=["compiled", "reference"])
BOOKS = pytest.mark.parametrize("kind", [Book, solvent.reference.Book], ids=["compiled", "reference"])
WAYS = pytest.mark.parametrize(
    "way", [lambda ex: ex.fork(), copy.copy, copy.deepcopy, lambda ex: pickle.loads(pickle.dumps(ex))],
    ids=["fork", "copy", "deepcopy", "pickle"],
)  # fmt: skip


def exchange(kind, **more):
    ex = kind([Instrument("BTC")], currencies={"EUR": 2}, **more)
    for name in ("ann", "bob"):
        ex.deposit(name, "USDT", 10**6)
    ex.mark("BTC", 50_000)
    ex.add_instrument(Instrument("ETH"))
    ex.mark("ETH", 3_000)
    ex.set_position_mode("bob", "BTC", "hedge")
    ex.order("ann", "BTC", "buy", 5, price=50_000, client_id=5)
    ex.order("bob", "BTC", "sell", 3, price=50_000, leg="short")
    ex.order("ann", "BTC", "sell", 1, trigger=Trigger.stop(49_000))
    return ex


def go_on(ex):
    """What is told of some more commands; the last ones name what came after the start."""
    ex.deposit("eve", "USDT", 10**5)
    acks = [
        ex.order("eve", "BTC", "buy", 1, price=50_001),
        ex.order("bob", "BTC", "sell", 3, price=50_000, leg="short"),
        ex.order("ann", "ETH", "buy", 2, price=3_000),
        ex.amend("ann", client_id=5, price=49_999),
    ]
    ex.mark("BTC", 48_000)
    ex.add_instrument(Instrument("SOL"))
    return [list(ack.events) for ack in acks], ex.digest(), ex.account("ann"), [each.name for each in ex.instruments]


@KINDS
@WAYS
def test_a_copy_of_an_exchange_goes_on(kind, way):
    ex = exchange(kind, retain=True)
    cursor = ex.cursor(EventType.TRADE)
    ex.statement("ann")
    other = way(ex)
    with pytest.raises(EventsDropped):
        other.statement("ann")  # its first events are the original's
    assert type(other) is kind and other.digest() == ex.digest() and other.command_count == ex.command_count
    assert other.seed == ex.seed and other.time_ns == ex.time_ns and other.instruments == ex.instruments
    assert list(other.drain()) == []
    before = ex.digest()
    told = go_on(other)
    assert ex.digest() == before and len(ex.instruments) == 2
    assert go_on(ex) == told
    assert list(other.drain())[0].seq < list(ex.drain())[-1].seq and list(cursor)
    for each in (ex, other):
        each.check()


@BOOKS
@WAYS
def test_a_copy_of_a_book_goes_on(kind, way):
    book = kind(1000, retain=False)
    book.order(1, "sell", 5, price_ticks=101, client_id=1)
    book.order(1, "sell", 5, price_ticks=90, trigger=Trigger.stop(95))
    other = way(book)
    assert other.max_price_ticks == 1000 and other.digest() == book.digest()
    assert other.order(2, "buy", 5, price_ticks=101).filled == 5 and book.depth() == ([], [(101, 5)])
    assert bool(book.submit(2, 0, 101, 5)) and book.digest() == other.digest()
    assert other.submit == other._kernel.submit and other.submit != book.submit


@KINDS
def test_a_fork_and_its_original_are_freed_at_once(kind):
    gc.collect()
    gc.disable()
    try:
        ex = exchange(kind)
        fork = ex.fork()
        told = [weakref.ref(each) for each in (ex, fork)]
        ack, cursor = fork.order("ann", "ETH", "buy", 1, price=10), fork.cursor()
        copied = copy.copy(cursor)
        del ex
        assert told[0]() is None and told[1]() is fork
        del fork, ack, cursor, copied
        assert told[1]() is None
    finally:
        gc.enable()


@KINDS
def test_acks(kind):
    ex = exchange(kind)
    ack = ex.order("ann", "ETH", "buy", 2, price=3_000)
    for each in (copy.copy(ack), copy.deepcopy(ack)):
        assert each.events == ack.events
    came = pickle.loads(pickle.dumps(ack))
    assert repr(came) == repr(ack) and came.seq == ack.seq and bool(came) and came.hint == ack.hint
    with pytest.raises(EventsDropped, match=r"ack\.events"):
        came.events  # noqa: B018


@KINDS
def test_batches_events_and_views(kind):
    ex = exchange(kind)
    ack = ex.order("ann", "ETH", "buy", 2, price=3_000)
    batch = ex.run(b"")
    things = [
        list(ack.events), Event((11, 1, 1, 17, 0, 0, 2, 9, -5, 10, 8, 900, 0), bytes(64)), ex.account("ann"),
        ex.position("bob", "BTC", "short"), ex.prices("BTC"), ex.open_orders("ann"), ex.rules, ex.instruments, ex.parcels(),
    ]  # fmt: skip
    for thing in things:
        for each in (copy.copy(thing), copy.deepcopy(thing), pickle.loads(pickle.dumps(thing))):
            assert each == thing
    for each in (copy.copy(batch), copy.deepcopy(batch), pickle.loads(pickle.dumps(batch))):
        assert len(each) == len(batch) and each.code.tolist() == batch.code.tolist()
    for array in (ex.events(), ex.events(view=True)):
        assert pickle.loads(pickle.dumps(array)).tobytes() == array.tobytes()


@KINDS
def test_cursors(kind):
    ex = exchange(kind, retain=False)
    cursor = ex.cursor(EventType.RESTED)
    ex.order("ann", "ETH", "buy", 1, price=10)
    for each in (copy.copy(cursor), copy.deepcopy(cursor)):
        assert [event.type for event in each] == [EventType.RESTED]
    assert len(list(cursor)) == 1
    with pytest.raises(WrongType, match="begin=seq"):
        pickle.dumps(cursor)
