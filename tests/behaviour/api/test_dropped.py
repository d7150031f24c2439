"""An exchange that nobody holds any more is freed at once, with all its memory: nothing waits for the garbage collector."""

import gc
import weakref
from pathlib import Path

import pytest

import solvent
import solvent.reference
from solvent import Book, EventType, Exchange, Instrument, Trigger
from solvent.auditor import Auditor
from solvent.feed import Feed
from support.generator import Generator

KINDS = [Exchange, solvent.reference.Exchange]
BOOKS = [Book, solvent.reference.Book]


@pytest.fixture(autouse=True)
def collector_is_off():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def exchange(kind, **more):
    """With orders, triggers, hedges, positions, and what they name each other by."""
    ex = kind([Instrument("BTC"), Instrument("ETH")], **more)
    for name in ("ann", "bob", "eve"):
        ex.deposit(name, "USDT", 10**6)
    for name in ("BTC", "ETH"):
        ex.mark(name, 50_000)
        ex.set_position_mode("bob", name, "hedge")
        ex.order("ann", name, "buy", 5, price=50_000)
        ex.order("bob", name, "sell", 3, price=50_000, leg="short")
        ex.order("ann", name, "sell", 1, trigger=Trigger.stop(49_000))
        ex.order("ann", name, "sell", 1, price=50_400, reduce_only=True, client_id=5)
    return ex


def liquidated(kind):
    """With parcels that the house works through the book."""
    ex = kind([Instrument("BTC")])
    ex.deposit("bob", "USDT", 10_000)
    ex.deposit("alice", "USDT", 1_000)
    ex.mark("BTC", 50_000)
    ex.set_leverage("alice", "BTC", 50, mode="isolated")
    ex.order("bob", "BTC", "sell", 10, price=50_000)
    ex.order("alice", "BTC", "buy", 10, price=50_000)
    ex.mark("BTC", 49_150)
    assert ex.parcels()
    return ex


def book(kind):
    made = kind()
    made.order(1, "buy", 1, price_ticks=5, client_id=1)
    made.order(2, "sell", 7, price_ticks=5)
    made.order(1, "sell", 1, price_ticks=9, trigger=Trigger.stop(3))
    return made


def iterated(ex):
    for _ in ex.drain():
        pass
    return ex


def stopped(ex):
    """A call that raised has left no frame that holds it."""
    with pytest.raises(solvent.InputError):
        ex.order("ann", "BTC", "buy", 1.5, price=50_000)
    return ex


MADE = {
    "as it is": exchange,
    "with parcels": liquidated,
    "with retain=False": lambda kind: exchange(kind, retain=False),
    "drained": lambda kind: iterated(exchange(kind)),
    "refused": lambda kind: stopped(exchange(kind)),
    "with one more instrument": lambda kind: (ex := exchange(kind), ex.add_instrument(Instrument("XRP")))[0],
    "looked at": lambda kind: (ex := exchange(kind), ex.explain("bob"), ex.account("ann"), ex.events(), ex.digest())[0],
    "checked": lambda kind: (ex := exchange(kind), ex.check())[0],
    "with a batch": lambda kind: (ex := exchange(kind), ex.batch([("cancel_all", {"account": "ann"})]))[0],
}


def gone(make):
    """Whether what was made is freed as soon as it is dropped, and nothing of it is left to the collector."""
    made = make()
    held = weakref.ref(made)
    inner = weakref.ref(made._kernel) if type(made._kernel).__module__.startswith("solvent.reference") else held
    del made
    return held() is None and inner() is None


@pytest.mark.parametrize("kind", KINDS, ids=["compiled", "reference"])
@pytest.mark.parametrize("name", MADE)
def test_a_dropped_exchange_is_freed_at_once(kind, name):
    assert gone(lambda: MADE[name](kind))


@pytest.mark.parametrize("kind", BOOKS, ids=["compiled", "reference"])
def test_a_dropped_book_is_freed_at_once(kind):
    assert gone(lambda: book(kind))


@pytest.mark.parametrize("kind", KINDS, ids=["compiled", "reference"])
@pytest.mark.parametrize("shape", range(6))
def test_after_any_commands_too(kind, shape, seed):
    def make():
        generator = Generator(seed + shape)
        ex = kind(generator.instruments, rules=generator.rules, collateral=generator.collateral)
        for record in generator.opening():
            ex._kernel.apply(record)
        for _ in range(200):
            ex._kernel.apply(generator.next(ex._kernel))
        return ex

    assert gone(make)


@pytest.mark.parametrize("kind", KINDS, ids=["compiled", "reference"])
def test_readers_hold_it_and_let_it_go(kind):
    """A cursor, a feed, an auditor, an answer hold the exchange that they read; dropped, they take it along."""
    for reads in (
        lambda ex: ex.cursor(EventType.TRADE),
        lambda ex: [list(each) for each in [ex.cursor(begin=1)]] and ex.cursor(),
        lambda ex: Feed(ex, "BTC"),
        lambda ex: Feed(ex, "BTC").subscribe("l2"),
        Auditor,
        lambda ex: ex.order("ann", "BTC", "buy", 1, price=40_000),
        lambda ex: iter(ex.cursor(begin=1)),
    ):
        ex = exchange(kind)
        held, reader = weakref.ref(ex), reads(ex)
        del ex
        del reader
        assert held() is None, reads


@pytest.mark.parametrize("kind", KINDS, ids=["compiled", "reference"])
def test_events_outlive_it(kind):
    ex = exchange(kind)
    events, view = ex.events(view=True), ex._slice(1, 20)
    copy = events.tobytes()
    del ex
    assert events.tobytes() == copy and len(view) > 5


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
@pytest.mark.parametrize("kind", KINDS, ids=["compiled", "reference"])
def test_two_hundred_dropped_ones_leave_no_memory(kind):
    def make():
        ex = exchange(kind)
        for i in range(200):
            ex.order("eve", "BTC", "buy", 1, price=40_000 + i)

    for _ in range(20):
        make()
    before = resident()
    for _ in range(200 if kind is Exchange else 40):
        make()
    assert resident() - before < 8 * 2**20
