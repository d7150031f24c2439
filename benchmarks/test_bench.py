"""The whole exchange on the flow near the touch, one call through the face, one mark. bench.py has the book alone.

Time / 200,000 is the time of a command; batches of 2,048 with retain=False, so that the event block is reused as it is
in a long run. There is no gate here.
"""

import pytest

from flows import Venue, near_touch
from solvent import Book
from solvent.records import RECORD_BYTES, EventType

COMMANDS = 200_000
VENUE = Venue()
BATCH = 2_048 * RECORD_BYTES


@pytest.fixture(scope="module")
def flow() -> bytes:
    return near_touch(seed=1, commands=COMMANDS, venue=VENUE)


def play(face, flow: bytes) -> None:
    whole = memoryview(flow)
    for at in range(0, len(flow), BATCH):
        face.run(whole[at : at + BATCH])


def test_whole_exchange(benchmark, flow):
    """Ledger, margin checks and liquidation tests of touched accounts on every command; it trades as a Book does."""
    made = []

    def fresh():
        made[:] = [VENUE.make()]
        return (made[0], flow), {}

    benchmark.pedantic(play, setup=fresh, rounds=9, warmup_rounds=1)
    faces = [VENUE.make(), Book(retain=False)]
    cursors = [face.cursor() for face in faces]
    for face in faces:
        play(face, flow)
    assert faces[0].digest() == made[0].digest()
    trades = [events[events["type"] == EventType.TRADE] for events in (cursor.array() for cursor in cursors)]
    for field in "abcde":
        assert (trades[0][field] == trades[1][field]).all()
    print(f"\n{len(trades[0])} trades, digest {faces[0].digest():016x}")


def test_order_and_cancel_through_the_face(benchmark):
    """One resting order and its cancel, names and decimals included; `submit` and `revoke` are in bench.py."""
    ex = Venue(accounts=1).make()

    def pair():
        ex.cancel(16, ex.order(16, 0, "buy", 1, price=49_000).order_id)

    benchmark(pair)
    assert ex.account(16).hold == 0


def test_mark_that_endangers_nobody(benchmark, flow):
    """One mark over about a thousand open positions: today a scan of the instrument's positions."""
    ex = VENUE.make()
    play(ex, flow)
    benchmark(ex.mark, 0, 50_000)
    ex.check()
