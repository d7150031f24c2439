"""First honest figures: book and matching alone, the whole exchange, one call from Python, one mark.

`make bench` prints them; commands per second = commands / time. There is no gate here and no rival yet. Each
benchmark checks its result against the other path, so that nobody makes it fast by changing what it does.
"""

import pytest

from flows import exchange, near_touch
from solvent._core import bareflow
from solvent.records import EventType

COMMANDS = 200_000
ACCOUNTS = 1_000


@pytest.fixture(scope="module")
def flow() -> bytes:
    return near_touch(seed=1, commands=COMMANDS, accounts=ACCOUNTS)


def test_book_alone(benchmark, flow):
    """200,000 commands through arena, book and matching: no events, no money."""
    trades, lots, checksum, resting = benchmark(bareflow.drive, flow, 2**24 - 1)
    print(f"\n{trades} trades, {lots} lots, {resting} resting, checksum {checksum:016x}")
    assert trades > COMMANDS // 100


def test_whole_exchange(benchmark, flow):
    """The same commands in one batch: events, ledger, margin checks, liquidation tests of touched accounts."""
    made = []

    def fresh():
        made.append(exchange(ACCOUNTS))
        return (made[-1], made[-1].cursor()), {}

    def run(ex, cursor):
        return ex.run(flow)

    benchmark.pedantic(run, setup=fresh, rounds=7)
    ex = exchange(ACCOUNTS)
    cursor = ex.cursor()
    result = ex.run(flow)
    events = cursor.array()
    trades = events[events["type"] == EventType.TRADE]
    print(f"\n{len(trades)} trades, {len(events)} events, digest {ex.digest():016x}")
    assert not result.code.any() and (made[-1].digest()) == ex.digest()
    assert (len(trades), int(trades["d"].sum())) == bareflow.drive(flow, 2**24 - 1)[:2]


def test_order_and_cancel_from_python(benchmark):
    """One resting order and its cancel through the face, decimals included."""
    ex = exchange(1)

    def pair():
        ex.cancel(16, ex.order(16, 0, "buy", 1, price=49_000).order_id)

    benchmark(pair)
    assert ex.account(16).hold == 0


def test_mark_that_endangers_nobody(benchmark, flow):
    """One mark over about a thousand open positions: today a scan of the instrument's positions."""
    ex = exchange(ACCOUNTS)
    ex.run(flow)
    benchmark(ex.mark, 0, 50_000)
    ex.check()
