"""Journals of a few hundred drawn commands, on a fake disk or a real one."""

from random import Random

import solvent
from solvent.api.venue import Venue
from solvent.records import CommandType
from solvent.store.housekeeping import Limits
from solvent.store.journal import Policy
from solvent.store.opening import Wish, opened
from support.crashes import COMPILED
from support.fake_disk import FakeDisk
from support.generator import Generator

NOTHING = Wish(None, None, None, False)


def reopened(disk, policy: str = "every", kinds=COMPILED, wish: Wish = NOTHING, **limits: int) -> solvent.Exchange:
    """The exchange of a journal on a disk."""
    return opened(disk, wish, Policy(policy), Limits(**limits), kinds)


def written(
    seed: int, commands: int, *, disk=None, policy: str = "every", kinds=COMPILED, batch: int = 1, **limits: int
) -> tuple[FakeDisk, solvent.Exchange]:  # fmt: skip
    """A journal of so many drawn commands, and its exchange, still open. batch: how many go together, where they can."""
    g = Generator(seed)
    disk = FakeDisk() if disk is None else disk
    ex = reopened(disk, policy, kinds, Wish(Venue(g.instruments, g.rules, g.collateral, None), None, 7, False), **limits)
    play(ex, g, commands, batch)
    return disk, ex


def play(ex: solvent.Exchange, g: Generator, commands: int, batch: int = 1) -> None:
    """Sends drawn commands to an exchange, through what keeps them."""
    opening, waiting, random = iter(g.opening()), [], Random(commands)
    for n in range(commands):
        record = next(opening, None) or g.next(ex._kernel)
        ex.venue.coming = g.candidate
        if len(record) > 128 or record[0] == CommandType.ADD_INSTRUMENT:
            if ex._keeper.apply(record) == 0 and record[0] == CommandType.ADD_INSTRUMENT:
                g.added()
            continue
        waiting.append(record)
        if len(waiting) >= random.randint(1, batch) or n == commands - 1:
            if len(waiting) == 1:
                ex._keeper.apply(waiting[0])
            else:
                ex._keeper.run(memoryview(b"".join(waiting)))
            waiting.clear()
    if waiting:
        ex._keeper.run(memoryview(b"".join(waiting)))
