"""Journals of a few hundred drawn commands, on a fake disk or a real one."""

from functools import cache
from random import Random

import solvent
from solvent.api.venue import Venue
from solvent.records import RECORD_BYTES, CommandType
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


@cache
def drawn(seed: int, commands: int) -> tuple[Generator, list[bytes], list[solvent.Instrument]]:
    """So many drawn commands, with the instrument that each would add: the same however they are then sent."""
    g = Generator(seed)
    instruments = list(g.instruments)
    ex = solvent.Exchange(instruments, rules=g.rules, collateral=g.collateral, retain=False)
    opening, records, candidates = iter(g.opening()), [], []
    for _ in range(commands):
        records.append(next(opening, None) or g.next(ex._kernel))
        candidates.append(g.candidate)
        ex.venue.coming = g.candidate
        if ex._kernel.apply(records[-1]) == 0 and records[-1][0] == CommandType.ADD_INSTRUMENT:
            g.added()
            assert ex.instruments
    g.instruments = instruments
    return g, records, candidates


def written(
    seed: int, commands: int, *, disk=None, policy: str = "every", kinds=COMPILED, batch: int = 1, **limits: int
) -> tuple[FakeDisk, solvent.Exchange]:  # fmt: skip
    """A journal of so many drawn commands, and its exchange, still open. batch: how many go together, where they can."""
    g, _, _ = drawn(seed, commands)
    disk = FakeDisk() if disk is None else disk
    ex = reopened(disk, policy, kinds, Wish(Venue(g.instruments, g.rules, g.collateral, None), None, 7, False), **limits)
    play(ex, seed, commands, batch)
    return disk, ex


def play(ex: solvent.Exchange, seed: int, commands: int, batch: int = 1) -> None:
    """Sends drawn commands to an exchange, through what keeps them."""
    _, records, candidates = drawn(seed, commands)
    waiting, random = [], Random(commands)

    def send() -> None:
        if len(waiting) == 1:
            ex._keeper.apply(waiting[0])
        elif waiting:
            ex._keeper.run(memoryview(b"".join(waiting)))
        waiting.clear()

    for record, candidate in zip(records, candidates, strict=True):
        if record[0] == CommandType.ADD_INSTRUMENT or len(record) > 2 * RECORD_BYTES:
            send()
            ex.venue.coming = candidate
            ex._keeper.apply(record)
            assert ex.instruments
            continue
        waiting.append(record)
        if len(waiting) >= random.randint(1, batch):
            send()
    send()
