"""The whole exchange in bench.py: the lines of rounds.py, a call through the face, and that it trades as a Book does.

The gates of these lines are ratios to an earlier build, which against.py takes (make bench). Time is CPU time of the thread.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from time import thread_time_ns
from typing import Any

from flows import Venue, near_touch
from rounds import BATCH, COMMANDS, LINES, Player, flow_file
from solvent import Book
from solvent.records import EventType

PAIRS = 2_000
FACE = "an order and its cancel by Exchange.order and .cancel"


def face_pair() -> float:
    """Nanoseconds of one resting order and its cancel, names and decimals included."""
    ex = Venue(accounts=1).make()
    start = thread_time_ns()
    for _ in range(PAIRS):
        ex.cancel("a0", ex.order("a0", "I0", "buy", 1, price=49_000).order_id)
    took = thread_time_ns() - start
    assert ex.account("a0").hold == 0
    return took / PAIRS


def trades_as_a_book(flow: bytes) -> dict[str, Any]:
    """Plays the flow on an exchange and on a Book: the same trades, or the run stops."""
    faces = [Venue().make(), Book(retain=False)]
    cursors = [face.cursor() for face in faces]
    for face in faces:
        for at in range(0, len(flow), BATCH):
            face.run(memoryview(flow)[at : at + BATCH])
    mine, book = (events[events["type"] == EventType.TRADE] for events in (cursor.array() for cursor in cursors))
    for field in "abcde":
        assert (mine[field] == book[field]).all(), "an exchange and a Book trade differently"
    return {"trades": len(mine), "digest": f"{faces[0].digest():016x}"}


def measure(rounds: int) -> dict[str, Any]:
    """Every line in every round, and what each flow leads to."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        for venue in {line.venue for line in LINES.values()}:
            (folder / flow_file(venue)).write_bytes(near_touch(seed=1, commands=COMMANDS, venue=venue))
        player = Player(folder)
        times: dict[str, list[float]] = {FACE: []} | {name: [] for name in LINES}
        for _ in range(rounds):
            times[FACE].append(face_pair())
            for name, line in LINES.items():
                times[name].append(sum(player.round(name)) / line.units)
        ends = {name: player.census(name) for name in LINES}
        proof = trades_as_a_book((folder / flow_file(Venue())).read_bytes())
    return {"proof": proof, "ends": ends, "cases": times}
