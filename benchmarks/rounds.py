"""One build's part in a comparison: a process that plays one round of a line whenever it is told (against.py tells it).

python benchmarks/rounds.py FOLDER CORE, with a build's `engine` first in PYTHONPATH. Reads the name of a line, writes the
nanoseconds of CPU time of each of its parts; "census LINE" answers what the line leads to. FOLDER holds the flows, so that
all builds play the same bytes. It uses of a build only what every revision has: Venue.make and Exchange.run.
"""

import gc
import json
import os
import sys
from itertools import pairwise
from pathlib import Path
from time import thread_time_ns
from typing import NamedTuple

from flows import HOME_TICKS, Venue
from solvent import Exchange
from solvent.records import RECORD_BYTES, CommandType, command

BATCH = 2_048 * RECORD_BYTES
COMMANDS = 200_000
PARTS = 10
RATE_PPB = 1_000  # so small that hundreds of settlements leave everybody rich


class Line(NamedTuple):
    """What is timed: the flow itself, or PARTS times `repeats` marks or settlements on the exchange that the flow left."""

    venue: Venue
    what: str = "flow"
    repeats: int = 0

    @property
    def units(self) -> int:
        """How many commands a round is made of."""
        return self.repeats * PARTS or COMMANDS


LINES = {
    "a command, cross": Line(Venue()),
    "a command, isolated": Line(Venue(mode="isolated")),
    "a command, cross, five positions": Line(Venue(instruments=5, opened=10)),
    "a mark, 1,000 cross": Line(Venue(opened=10), "mark", 20),
    "a mark, 1,000 isolated": Line(Venue(mode="isolated", opened=10), "mark", 20),
    "a mark, 1,000 cross, five positions": Line(Venue(instruments=5, opened=10), "mark", 4),
    "a mark, 10,000 cross": Line(Venue(accounts=10_000, opened=10), "mark", 4),
    "funding, 1,000 cross": Line(Venue(opened=10), "funding", 4),
}


def flow_file(venue: Venue) -> str:
    """Where the flow of a venue lies in the folder."""
    return "-".join(str(part) for part in venue) + ".flow"


class Player:
    """Plays the lines; an exchange on which marks or settlements repeat is kept from round to round."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._kept: dict[str, Exchange] = {}
        self._period = 0

    def _flow(self, venue: Venue) -> list[memoryview]:
        whole = memoryview((self._folder / flow_file(venue)).read_bytes())
        return [whole[at : at + BATCH] for at in range(0, len(whole), BATCH)]

    def _after(self, name: str) -> Exchange:
        """The exchange after the line's flow, made once."""
        if name not in self._kept:
            ex = self._kept[name] = LINES[name].venue.make()
            for batch in self._flow(LINES[name].venue):
                ex.run(batch)
        return self._kept[name]

    def _repeated(self, what: str, repeats: int) -> bytes:
        """Marks that go to and fro by a tick, or settlements that do."""
        if what == "mark":
            marks = [command(CommandType.MARK, price_ticks=HOME_TICKS + number % 2) for number in range(repeats)]
            return b"".join(marks)
        self._period += repeats
        periods = range(self._period - repeats + 1, self._period + 1)
        return b"".join(
            command(CommandType.FUNDING, order_id=period, amount=RATE_PPB if period % 2 else -RATE_PPB) for period in periods
        )

    def round(self, name: str) -> list[int]:
        """Nanoseconds of each part of the line."""
        venue, what, repeats = LINES[name]
        if what == "flow":
            ex, batches = venue.make(), self._flow(venue)
        else:
            ex, batches = self._after(name), [memoryview(self._repeated(what, repeats)) for _ in range(PARTS)]
        gc.collect()
        times = [thread_time_ns()]
        for batch in batches:
            ex.run(batch)
            times.append(thread_time_ns())
        return [end - begin for begin, end in pairwise(times)]

    def census(self, name: str) -> dict[str, int]:
        """What the line's flow leads to: the same in two builds that do the same work."""
        ex, refused = LINES[name].venue.make(), 0
        for batch in self._flow(LINES[name].venue):
            refused += int((ex.run(batch).code != 0).sum())
        ex.check()
        held = ex.positions_array()
        return {"refused": refused, "positions": len(held), "lots": int(abs(held["size_lots"]).sum())}


def main() -> None:
    folder, core = Path(sys.argv[1]), int(sys.argv[2])
    if core >= 0:
        os.sched_setaffinity(0, {core})
    gc.disable()
    player = Player(folder)
    for line in sys.stdin:
        name = line.strip()
        answer = player.census(name[7:]) if name.startswith("census ") else player.round(name)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
