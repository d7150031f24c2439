"""First honest figures: the book alone, the whole exchange, one call from Python, one mark.

`make bench` prints them; time / 200,000 is the time of a command. Batches of 2,048 with retain=False, so that the
event block is reused as it is in a long run. There is no gate here and no rival yet. Each flow's result is compared
between the two, so that nobody makes it fast by changing what it does.
"""

import pytest

from flows import exchange, near_touch
from solvent import Book
from solvent.records import RECORD_BYTES, EventType

COMMANDS = 200_000
ACCOUNTS = 1_000
BATCH = 2_048 * RECORD_BYTES


@pytest.fixture(scope="module")
def flow() -> bytes:
    return near_touch(seed=1, commands=COMMANDS, accounts=ACCOUNTS)


def book() -> Book:
    return Book(retain=False)


def play(face, flow: bytes) -> None:
    for at in range(0, len(flow), BATCH):
        face.run(flow[at : at + BATCH])


def measure(benchmark, make, flow: bytes) -> None:
    made = []

    def fresh():
        made[:] = [make()]
        return (made[0], flow), {}

    benchmark.pedantic(play, setup=fresh, rounds=9, warmup_rounds=1)
    digest, events = played(make, flow)
    print(f"\n{(events['type'] == EventType.TRADE).sum()} trades, {len(events)} events, digest {digest:016x}")
    assert made[0].digest() == digest


def played(make, flow: bytes):
    face = make()
    cursor = face.cursor()
    play(face, flow)
    return face.digest(), cursor.array()


def test_book_alone(benchmark, flow):
    """Book: 200,000 commands and their events, no money."""
    measure(benchmark, book, flow)


def test_whole_exchange(benchmark, flow):
    """The same commands: ledger, margin checks and liquidation tests of touched accounts besides."""
    measure(benchmark, lambda: exchange(ACCOUNTS), flow)
    trades = [
        events[events["type"] == EventType.TRADE]
        for _, events in (played(book, flow), played(lambda: exchange(ACCOUNTS), flow))
    ]
    for field in "abcde":
        assert (trades[0][field] == trades[1][field]).all()


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
    play(ex, flow)
    benchmark(ex.mark, 0, 50_000)
    ex.check()
