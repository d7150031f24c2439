"""Crashes at every write, sync, rename and cut of a run on the fake disk, and what recovery makes of each.

python tests/support/crashes.py --points 100000 [--seed 1]     # states of the disk from which an exchange was recovered

A run of drawn commands is watched: before each operation of the disk, and in the middle of each write, the disk is copied.
From each copy a process that died and several losses of power are drawn; each must recover to the state after a prefix of the
commands that has all that the policy promises. Some are crashed again while they recover.
"""

import argparse
import sys
import time
from random import Random
from typing import NamedTuple

import solvent
import solvent.reference
from solvent.api.venue import Venue
from solvent.records import CommandType
from solvent.store.housekeeping import Limits
from solvent.store.journal import Policy
from solvent.store.opening import Wish, opened
from solvent.store.recovery import Kinds

if __name__ == "__main__":
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parents[1]))

from support.fake_disk import FakeDisk
from support.generator import Generator

COMPILED = Kinds(solvent.Exchange, solvent.Book, True)
REFERENCE = Kinds(solvent.reference.Exchange, solvent.reference.Book, False)


class Moment(NamedTuple):
    """The disk at one moment of a run: what was acknowledged, what was asked of the exchange, what was synced by then."""

    disk: FakeDisk
    acknowledged: int
    asked: int
    synced: int


class Run:
    """A journal written on a fake disk, and the digest after each of its commands."""

    def __init__(self, seed: int, commands: int, policy: str, limits: Limits, kinds: Kinds = COMPILED):
        self.random = Random(seed)
        self.policy, self.limits, self.kinds = Policy(policy), limits, kinds
        self.moments: list[Moment] = []
        self.digests: list[int] = []
        self.acknowledged = self.asked = 0
        self.ex = None
        self.generator = Generator(seed * 1_000_003)
        self.generator.joined = 0.1
        g = self.generator
        self.wish = Wish(Venue(g.instruments, g.rules, g.collateral, None), None, 7, False)
        self.disk = FakeDisk()
        self.disk.watch = self._watch
        self._play(commands)

    def reopen(self, disk: FakeDisk, wish: Wish | None = None) -> solvent.Exchange:
        return opened(disk, wish or Wish(None, None, None, False), self.policy, self.limits, self.kinds)

    def _watch(self, kind: str, disk: FakeDisk, partly, size: int) -> None:
        synced = 0 if self.ex is None or self.ex.journal is None else self.ex.journal.durable_sequence
        self.moments.append(Moment(disk.copy(), self.acknowledged, self.asked, synced))
        if partly is not None and size > 1:
            whole = disk.copy()
            partly(self.random.randrange(1, size))
            self.moments.append(Moment(disk.copy(), self.acknowledged, self.asked, synced))
            disk.seen, disk.held = _rebound(disk, whole)

    def _play(self, commands: int) -> None:
        self.ex = None
        self.ex = ex = self.reopen(self.disk, self.wish)
        self.digests.append(ex.digest())
        opening, waiting = iter(self.generator.opening()), []
        for _ in range(commands):
            told = next(opening, None)
            record = told or self.generator.next(ex._kernel)
            ex.venue.coming = self.generator.candidate
            if (
                not told
                and (len(record) <= 128 or record[0] == CommandType.BATCH)
                and self.random.random() < 0.3
                and record[0] != CommandType.ADD_INSTRUMENT
            ):
                waiting.append(record)  # some go together, as a batch
                if len(waiting) < 4:
                    continue
                self.asked += len(waiting)
                for each in waiting:  # what the digests are taken from goes one by one
                    self._shadow(each)
                ex._keeper.run(memoryview(b"".join(waiting)))
                waiting.clear()
            else:
                self.asked += 1
                self._shadow(record)
                code = ex._keeper.apply(record)
                if record[0] == CommandType.ADD_INSTRUMENT and code == 0:
                    self.generator.added()
            self.acknowledged = ex.command_count
            if self.random.random() < 0.2:
                self.disk.pass_time()
            if self.random.random() < 0.02:
                ex.sync()
        ex.close()
        self.disk.watch = None
        self.moments.append(Moment(self.disk.copy(), self.acknowledged, self.asked, self.acknowledged))

    def _shadow(self, record: bytes) -> None:
        """The same command on an exchange without a journal: the digests by which recoveries are judged."""
        if not hasattr(self, "twin"):
            g = self.generator
            self.twin = self.kinds.exchange(self.wish.venue.instruments, rules=g.rules, collateral=g.collateral, seed=7)
        self.twin.venue.coming = self.generator.candidate
        self.twin._kernel.apply(record)
        self.digests.append(self.twin.digest())


def _rebound(disk: FakeDisk, whole: FakeDisk):
    """Gives the files of a disk back the content that they have in a copy of it, so that open files stay the same."""
    for name, inode in disk.seen.items():
        inode.seen, inode.unsynced = whole.seen[name].seen, whole.seen[name].unsynced
    return disk.seen, disk.held


class Judge:
    """Recovers from what a crash left, and holds the promises against it."""

    def __init__(self, run: Run, random: Random):
        self.run, self.random = run, random
        self.points = 0
        self.cut = 0

    def least(self, moment: Moment, power: bool) -> int:
        """The least number of commands that must have survived."""
        if self.run.policy.sync == "every":
            return moment.acknowledged
        if self.run.policy.sync == "interval" and not power:
            return moment.acknowledged
        return moment.synced

    def judge(self, disk: FakeDisk, moment: Moment, power: bool, again: int = 2) -> None:
        """Recovers; the result is the state after a prefix. Crashes the recovery itself, too, `again` times deep."""
        least, asked = self.least(moment, power), moment.asked
        self.points += 1
        began, crashes = not disk.names(), []
        if again and self.random.random() < 0.15:
            disk.watch = lambda kind, d, partly, size: crashes.append(d.copy())
        try:
            ex = self.run.reopen(disk)
        except solvent.InputError:
            assert least == 0, "the journal is gone"
            ex = self.run.reopen(disk, self.run.wish)
        disk.watch = None
        count = ex.command_count
        assert least <= count <= asked, f"{count} commands were recovered; acknowledged were {least}, asked {asked}"
        assert ex.digest() == self.run.digests[count], f"the state after command {count} is another one"
        self.cut += ex.journal.recovery.cut_bytes > 0 and not began
        if self.random.random() < 0.1:
            self.go_on(ex, disk, count)
        for each in self.random.sample(crashes, min(3, len(crashes))):
            dark = self.random.random() < 0.7
            after = each.after_power_loss(self.random) if dark else each.after_death()
            self.judge(after, moment, power or dark, again - 1)

    def go_on(self, ex: solvent.Exchange, disk: FakeDisk, count: int) -> None:
        """A recovered exchange goes on, and is recovered again."""
        for _ in range(3):
            ex.advance(ex.time_ns + 1)
        digest = ex.digest()
        ex.close()
        other = self.run.reopen(disk.after_power_loss(self.random))
        assert (other.command_count, other.digest()) == (count + 3, digest)

    def all(self, losses: int) -> None:
        """Judges every moment of the run: a process that dies, and some losses of power."""
        for moment in self.run.moments:
            self.judge(moment.disk.after_death(), moment, False)
            for _ in range(losses):
                self.judge(moment.disk.after_power_loss(self.random), moment, True)


LIMITS = (
    Limits(), Limits(segment_bytes=4_096), Limits(snapshot_every=7), Limits(segment_bytes=4_096, snapshot_every=5, keep=2)
)  # fmt: skip


def campaign(points: int, seed: int, losses: int = 4) -> dict[str, int]:
    """Judges runs by seed, until so many states were recovered from."""
    total = {"points": 0, "runs": 0, "commands": 0, "torn ends cut": 0}
    while total["points"] < points:
        number = seed * 1_000_000 + total["runs"]
        random = Random(number)
        policy, limits = random.choice(("every", "interval", "none")), random.choice(LIMITS)
        run = Run(number, random.choice((40, 80)), policy, limits)
        judge = Judge(run, random)
        try:
            judge.all(losses)
        except Exception:
            print(f"seed {number}, policy {policy}, {limits}", file=sys.stderr)
            raise
        total["points"] += judge.points
        total["runs"] += 1
        total["commands"] += run.asked
        total["torn ends cut"] += judge.cut
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=100_000, help="states of the disk to recover from")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    began = time.monotonic()
    total = campaign(asked.points, asked.seed)
    print(total, f"seed {asked.seed}, {time.monotonic() - began:.0f} s, none failed")


if __name__ == "__main__":
    main()
