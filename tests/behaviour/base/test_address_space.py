"""How much room exchanges take, and pools that move: small ones are small, many fit, and no pointer outlives a growth."""

import subprocess
import sys
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

import solvent
import solvent.reference
from solvent import Book, Exchange, InputError, Instrument, Rejected, Trigger
from solvent.records import CommandType, dtype
from solvent.schema.limits import INSTRUMENTS_MAX
from support.places import ROOT
from support.twins import compare

pool = pytest.importorskip("solvent._core.base.pool")
linux = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")


@pytest.fixture
def restless():
    """Every growth moves a pool, and overwrites what was left."""
    pool.restless(True)
    yield
    pool.restless(False)


@pytest.fixture(scope="module")
def many():
    """One instrument more than there may be."""
    return [Instrument(f"I{i}") for i in range(INSTRUMENTS_MAX + 1)]


# --- Pools that move


@pytest.mark.long
@pytest.mark.parametrize("shape", range(8))
def test_twins_agree_while_every_pool_moves(restless, seed, shape):
    """Each order, level and position asks for room that moves all the others: within liquidations, triggers, amendments."""
    compare(seed * 1_000_003 + 77 * shape, 700, Counter(), 128)


def crowd(kind, accounts):
    """So many positions that go to the house at one mark, each with an order of the house in the book."""
    ex = kind([Instrument("BTC")])
    ex.deposit("maker", "USDT", 10**9)
    ex.seed_fund("USDT", 10**6)
    ex.mark("BTC", 50_000)
    for i in range(accounts):
        ex.deposit(f"a{i}", "USDT", 1_000)
        ex.set_leverage(f"a{i}", "BTC", 50, mode="isolated")
        ex.order("maker", "BTC", "sell", 10, price=50_000 + Decimal(i) / 10).ok()
        ex.order(f"a{i}", "BTC", "buy", 10, price=50_000 + Decimal(i) / 10).ok()
    return ex


@pytest.mark.parametrize("moves", [False, True])
def test_pools_grow_within_one_command(moves):
    """Two hundred takeovers of one mark ask for as many slots and levels while the command is at work."""
    pool.restless(moves)
    try:
        core, twin = crowd(Exchange, 200), crowd(solvent.reference.Exchange, 200)
        for ex in (core, twin):
            ex.mark("BTC", 49_150)
            ex.check()
        assert len(core.parcels()) > 100
        assert core.digest() == twin.digest() and core.events().tobytes() == twin.events().tobytes()
    finally:
        pool.restless(False)


@pytest.mark.parametrize("moves", [False, True])
def test_triggers_that_fire_and_trail_find_room(moves):
    pool.restless(moves)
    try:
        core, twin = Book(), solvent.reference.Book()
        for book in (core, twin):
            book.mark(5_000_000)
            book.index(5_000_000)
            for i in range(150):
                for by in ("mark", "index"):
                    book.order(1, "buy", 1, price_ticks=1 + 7_919 * i, trigger=Trigger.stop(5_100_000 + 4_001 * i, by=by))
                    book.order(
                        2, "sell", 1, price_ticks=9_000_000 + 997 * i, trigger=Trigger.trailing(by=by, distance=1 + i * 5_003)
                    )
            for price in (4_900_000, 5_500_000, 5_000_000, 8_000_000):
                book.mark(price)
                book.index(price)
            book.check()
        assert core.digest() == twin.digest()
    finally:
        pool.restless(False)


def test_a_large_book_grows_through_every_size():
    """From the heap into mappings, and on: the book is that of one which had the room from the first."""
    count = 600_000
    orders = np.zeros(count, dtype("command"))
    orders["type"], orders["records"], orders["account"], orders["size_lots"] = CommandType.ORDER, 1, 1, 1
    orders["side"] = np.arange(count) % 2
    steps = np.arange(count) // 2 * 9_973 % 4_000_003
    orders["price_ticks"] = np.where(orders["side"] == 0, 4_000_004 - steps, 5_000_000 + steps)
    orders["client_id"] = np.arange(count) + 1
    book = Book(log=[])
    assert not book.run(orders).code.any()
    book.check()
    bids, asks = book.depth_arrays(count)
    expected = [np.unique(orders["price_ticks"][orders["side"] == side], return_counts=True) for side in (0, 1)]
    for rows, (prices, lots), turn in ((bids, expected[0], -1), (asks, expected[1], 1)):
        assert (rows[:, 0] == prices[::turn]).all() and (rows[:, 1] == lots[::turn]).all()
    assert book.cancel_all(1).filled == count
    book.check()


# --- How much


def room_of(make, many=50):
    """Bytes of address space and of memory that one of many takes."""

    def now():
        return [int(n) * 4096 for n in Path("/proc/self/statm").read_text().split()[:2]]

    make()
    before = now()
    kept = [make() for _ in range(many)]
    after = now()
    del kept
    return [(b - a) / many for a, b in zip(before, after, strict=True)]


def with_orders(book):
    for i in range(10):
        book.order(1, "buy", 1, price_ticks=5 + i, client_id=i + 1)
    return book


@linux
def test_a_book_of_few_orders_maps_kilobytes():
    """It reserved 4.7 GiB."""
    space, memory = room_of(lambda: with_orders(Book()))
    assert space < 200_000 and memory < 200_000, (space, memory)


@linux
def test_an_exchange_of_one_instrument_maps_kilobytes():
    def make():
        ex = Exchange([Instrument("BTC")])
        ex.deposit("bob", "USDT", 1_000)
        ex.mark("BTC", 50_000)
        ex.order("bob", "BTC", "buy", 1, price=49_000, trigger=Trigger.stop(51_000)).ok()
        return ex

    space, memory = room_of(make)
    assert space < 300_000 and memory < 300_000, (space, memory)


@linux
def test_what_was_large_is_given_back():
    def large():
        book = Book(log=[])
        orders = np.zeros(300_000, dtype("command"))
        orders["type"], orders["records"], orders["account"], orders["size_lots"] = CommandType.ORDER, 1, 1, 1
        orders["price_ticks"] = np.arange(len(orders)) * 17 + 1
        book.run(orders)

    large()
    space, memory = room_of(large, 5)
    assert space < 4 * 2**20 and memory < 4 * 2**20


LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (2 * 2**30, 2 * 2**30))
"""


def limited(text):
    """Runs a script with two gigabytes of address space."""
    done = subprocess.run([sys.executable, "-c", LIMITED + text], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@linux
def test_ten_thousand_exchanges_fit_in_one_process():
    out = limited(
        "from solvent import Exchange, Instrument\n"
        "btc, kept = Instrument('BTC'), []\n"
        "for i in range(10_000):\n"
        "    kept.append(Exchange([btc]))\n"
        "for ex in kept[::100]:\n"
        "    ex.deposit('bob', 'USDT', 1_000)\n"
        "    ex.mark('BTC', 50_000)\n"
        "    ex.order('bob', 'BTC', 'buy', 1, price=49_000).ok()\n"
        "    ex.check()\n"
        "print(len(kept))\n"
    )
    assert out == "10000\n"


@pytest.mark.long
@linux
def test_every_instrument_there_may_be_fits_with_orders_and_triggers():
    out = limited(
        "from solvent import Exchange, Instrument, Trigger\n"
        "ex = Exchange([Instrument(f'I{i}') for i in range(4096)])\n"
        "for i in range(4096):\n"
        "    ex.deposit(f'a{i}', 'USDT', 100_000)\n"
        "    ex.mark(i, 50_000)\n"
        "    for by in ('mark', 'last', 'index'):\n"
        "        ex.order(f'a{i}', i, 'buy', 1, trigger=Trigger.stop(51_000, by=by)).ok()\n"
        "    ex.order(f'a{i}', i, 'sell', 1, price=50_010).ok()\n"
        "ex.check()\n"
        "print(len(ex.instruments))\n"
    )
    assert out == "4096\n"


@linux
def test_the_readme_runs_in_two_gigabytes():
    limited(
        "import doctest\n"
        "found = doctest.testfile('README.md', module_relative=False, optionflags=doctest.ELLIPSIS)\n"
        "assert found.attempted > 30 and not found.failed, found\n"
    )


@pytest.mark.long
@pytest.mark.parametrize("kind", [Exchange, solvent.reference.Exchange])
def test_too_many_instruments_are_refused_at_construction(many, kind):
    """They were taken, and wrote beyond what the limit protects."""
    with pytest.raises(InputError, match="4096"):
        kind(many)
    ex = kind(many[:-1])
    assert len(ex.instruments) == INSTRUMENTS_MAX
    with pytest.raises(Rejected):
        ex.add_instrument(many[-1])
    assert len(ex.instruments) == INSTRUMENTS_MAX


@pytest.mark.long
def test_instruments_take_linear_time(many):
    """Made together, and added one by one."""

    def spent(count):
        begun = time.process_time()
        ex = Exchange(many[:count])
        middle = time.process_time()
        one = Exchange(many[:1])
        for each in many[1:count]:
            one.add_instrument(each)
        assert len(ex.instruments) == len(one.instruments) == count
        return middle - begun, time.process_time() - middle

    small, large = [min(each) for each in zip(spent(250), spent(250), strict=True)], spent(2_000)
    for few, most in zip(small, large, strict=True):
        assert most < 24 * few + 0.05, (few, most)  # eight times as many
