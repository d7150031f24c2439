"""Damage of a journal's files, and what recovery makes of it (layer 11).

Owns the kinds of damage. Each hits one file of a disk as a crash could have left it, and is found: the journal is refused by
name, with nothing written; or an end is cut that the mark does not vouch for, and the state is that after a prefix. A damaged
snapshot is passed over. tests/attacks/test_journal.py and tests/attacks/test_snapshot.py do every bit of small ones.
"""

from collections import Counter
from random import Random

import solvent
from solvent.store.housekeeping import Limits
from solvent.store.journal import MARK
from solvent.store.recovery import marked
from support.crashes import Moment, Run
from support.fake_disk import FakeDisk, with_file

LIMITS = (Limits(), Limits(segment_bytes=4_096), Limits(segment_bytes=4_096, snapshot_every=9), Limits(snapshot_every=20))


def spoiled(r: Random, data: bytes, others: list[bytes]) -> bytes:
    """One kind of damage: bits, stretches, lengths, or pieces of another file."""
    kind, at, size = r.randrange(8), r.randrange(len(data)), r.choice((1, 8, 64, 512, 4_096))
    piece, out = data[at : at + size], bytearray(data)
    if kind == 0:
        for _ in range(r.choice((1, 1, 2, 16))):
            out[r.randrange(len(out))] ^= 1 << r.randrange(8)
        return bytes(out)
    if kind == 1:
        return data[:at]
    other = r.choice(others)
    there = other[min(at, len(other)) :][: len(piece)] if r.random() < 0.5 else other[r.randrange(len(other)) :][: len(piece)]
    stead = {2: bytes(len(piece)), 3: r.randbytes(len(piece)), 4: b"", 5: piece + piece, 6: piece[::-1], 7: there}[kind]
    return data[:at] + stead + data[at + size :]


def contents(disk: FakeDisk) -> dict[str, bytes]:
    return {name: disk.read(name) for name in disk.names()}


def one(r: Random, run: Run, moment: Moment, strange: list[bytes]) -> str:
    """Damages one file, or takes it away, and recovers. 'refused', 'cut', or 'whole' if nothing is missing."""
    disk = moment.disk.after_death()
    name = r.choice([name for name, data in contents(disk).items() if data])
    least = moment.synced if name == MARK else marked(disk)[0]
    mine = [data for other, data in contents(disk).items() if other != name and data]
    lost = r.random() < 0.03
    content = None if lost else spoiled(r, disk.read(name), mine + strange)
    disk = with_file(disk, name, content)
    before = contents(disk)
    try:
        ex = run.reopen(disk)
    except (solvent.JournalDamaged, solvent.JournalVersion, solvent.JournalForeign, solvent.InputError):
        assert contents(disk) == before, f"a refusal writes to {name}"
        return "refused"
    count = ex.command_count
    assert least <= count <= moment.asked, f"{count} commands are left of {moment.asked}; the mark says {least}; {name}"
    assert ex.digest() == run.digests[count], f"the state after command {count} is another one; {name}"
    return "whole" if count == moment.asked else "cut"


def damage(seed: int, tries: int = 100) -> Counter[str]:
    """One journal at several moments of its life, damaged over and over."""
    r = Random(seed)
    run = Run(seed, r.choice((40, 120)), r.choice(("every", "interval", "none")), r.choice(LIMITS))
    moments = [each for each in run.moments if MARK in each.disk.names()]
    strange = [data for data in contents(Run(seed + 1, 20, "every", LIMITS[0]).disk).values() if data]
    count: Counter[str] = Counter()
    for _ in range(tries):
        moment = moments[-1] if r.random() < 0.5 else r.choice(moments)
        count.update({"damages": 1, one(r, run, moment, strange): 1})
    return count
