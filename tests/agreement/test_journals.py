"""Journals across kernels, batch sizes, hash seeds and builds: the same commands are one journal, and lead to one state."""

import json
import os
import subprocess
import sys

import pytest

import solvent
import solvent.reference
from solvent.store.archive import Archive
from solvent.store.description import plain
from support.crashes import COMPILED, REFERENCE
from support.journals import reopened, written
from support.places import ROOT

GOLDEN = ROOT / "tests/support/golden"
SEEDS = (1, 2, 3, 5)
WRITER = """
import sys
sys.path.insert(0, "tests")
from support.journals import written
disk, ex = written(int(sys.argv[1]), 120, batch=int(sys.argv[2]))
ex.close()
print(f"{ex.digest():016x}", [disk.read(name).hex() for name in disk.names()])
"""


def told(ex: solvent.Exchange) -> list:
    """All terms of all instruments; a list and a tuple are the same."""
    return [plain(each) for each in ex.instruments]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("writer", "reader"), [(COMPILED, REFERENCE), (REFERENCE, COMPILED)], ids=["core to twin", "twin to core"]
)
def test_either_kernel_reads_what_the_other_wrote(seed, writer, reader):
    disk, ex = written(seed, 250, kinds=writer, batch=10)
    ex.close()
    other = reopened(disk, kinds=reader)
    assert other.digest() == ex.digest() and told(other) == told(ex)
    other.advance(other.time_ns + 1)
    other.close()
    assert reopened(disk, kinds=writer).digest() == other.digest()


@pytest.mark.parametrize("seed", SEEDS)
def test_both_kernels_write_the_same_bytes(seed):
    disks = [written(seed, 200, kinds=kinds, batch=5) for kinds in (COMPILED, REFERENCE)]
    for _, ex in disks:
        ex.close()
    assert disks[0][0].names() == disks[1][0].names()
    for name in disks[0][0].names():
        assert disks[0][0].read(name) == disks[1][0].read(name)


@pytest.mark.parametrize("seed", SEEDS)
def test_batches_change_no_command_and_no_state(seed):
    """Blocks are cut otherwise; the commands, the events and the state are the same."""
    commands, digests = set(), set()
    for batch in (1, 7, 64, 1_024):
        disk, ex = written(seed, 200, batch=batch)
        ex.close()
        again = reopened(disk)
        digests |= {ex.digest(), again.digest()}
        commands.add(b"".join(bytes(each.commands) for each in Archive(disk).after(0)))
    assert len(digests) == len(commands) == 1


@pytest.mark.long
def test_hash_seeds_change_nothing():
    outputs = set()
    for hash_seed in ("0", "1", "77", "4242"):
        command = [sys.executable, "-c", WRITER, "5", "9"]
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True
        )
        outputs.add(done.stdout)
    assert len(outputs) == 1


def test_golden_journals_give_the_digests_that_they_gave():
    """Journals that earlier builds wrote (`python tests/support/golden.py` adds one): read by both kernels, for ever."""
    golden = json.loads((GOLDEN / "digests.json").read_text())
    assert golden
    for name, (count, digest) in golden.items():
        for module in (solvent, solvent.reference):
            replay = module.replay(GOLDEN / name)
            assert replay.last == count and f"{replay.seek(count).digest():016x}" == digest, name


def test_a_drawn_journal_has_instruments_that_were_added():
    """The stream of these tests reaches what is hard: an instrument of the header, and one that a command brought."""
    found = 0
    for seed in (6, 10, 23, 24):
        disk, ex = written(seed, 1_000, batch=10)
        ex.close()
        again = reopened(disk)
        assert told(again) == told(ex)
        found += len(again.instruments) > again.venue.made_with
    assert found
