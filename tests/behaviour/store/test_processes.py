"""Processes that end, die, fork or fill the disk with a journal open."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

import solvent
from solvent import Instrument
from support.kills import Writers

ENDS = """
import sys, solvent
ex = solvent.open(sys.argv[1], [solvent.Instrument("BTC-USDT-SWAP")], sync=sys.argv[2])
for n in range(1, 8):
    ex.advance(n)
{}
"""


@pytest.mark.long
@pytest.mark.parametrize("batch", range(3))
def test_killed_writers_lose_nothing_that_was_acknowledged(batch, seed, tmp_path):
    """Dozens of real kills, of all policies; tests/support/kills.py goes on to thousands."""
    writers = Writers(seed + batch, tmp_path)
    for _ in range(2):
        writers.directory(12)
    assert writers.kills == 24 and writers.without_answer < 20


@pytest.mark.parametrize("ending", ["", "del ex", "sys.exit(3)", "raise KeyError", "ex.close()"])
@pytest.mark.parametrize("policy", ["interval", "none"])
def test_a_process_that_ends_leaves_everything(tmp_path, policy, ending):
    command = [sys.executable, "-c", ENDS.format(ending), str(tmp_path / "j"), policy]
    subprocess.run(command, check=False, capture_output=True)
    with solvent.open(tmp_path / "j") as ex:
        assert ex.command_count == 7 and ex.journal.recovery.cut_bytes == 0


def test_a_forked_child_does_not_write_to_its_parents_journal(tmp_path):
    ex = solvent.open(tmp_path / "j", [Instrument("BTC-USDT-SWAP")])
    ex.advance(1)
    child = os.fork()
    if not child:
        try:
            ex.advance(2)
        except solvent.JournalFailed:
            os._exit(7)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    ex.advance(3)
    with pytest.raises(solvent.JournalHeld):
        solvent.open(tmp_path / "j")
    ex.close()
    assert solvent.open(tmp_path / "j").time_ns == 3


def test_a_limit_of_the_file_size_is_a_clean_halt(tmp_path):
    """A real short write: the system takes a part of the block, and then refuses."""
    ex = solvent.open(tmp_path / "j", [Instrument("BTC-USDT-SWAP")])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    size = next((tmp_path / "j").glob("*.journal")).stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 1_040, limits[1]))
    try:
        with pytest.raises(solvent.JournalFailed, match=r"File too large.*command \d+ is the last"):
            for n in range(1, 100):
                ex.advance(n)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    durable = ex.journal.durable_sequence
    assert 5 < durable < 99 and ex.command_count == durable + 1
    ex.close()
    with solvent.open(tmp_path / "j") as again:
        assert again.command_count == durable and again.journal.recovery.cut_bytes > 0
        again.advance(1_000)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_the_device_that_is_always_full(tmp_path):
    ex = solvent.open(tmp_path / "j", [Instrument("BTC-USDT-SWAP")])
    ex.advance(1)
    file = ex.journal._writer._state.file
    full = os.open("/dev/full", os.O_RDWR)
    os.dup2(full, file._fd)
    os.close(full)
    with pytest.raises(solvent.JournalFailed, match="No space left on device"):
        ex.advance(2)
    ex.close()
    assert solvent.open(tmp_path / "j").time_ns == 1


def test_an_interrupt_between_the_command_and_its_block_loses_nothing(tmp_path, seed):
    """Ctrl-C falls anywhere between the kernel and the answer: what was applied is handed over by the next call, once."""
    random = Random(seed)
    ex = solvent.open(tmp_path / "j", [Instrument("BTC-USDT-SWAP")], snapshot_every=9)
    interrupts = 0

    def interrupting(frame, event, arg):
        nonlocal left
        left -= 1
        if left == 0:
            sys.settrace(None)
            raise KeyboardInterrupt
        return interrupting

    for n in range(1, 400):
        left = random.randrange(1, 60)
        sys.settrace(interrupting)
        try:
            ex.advance(n)
        except KeyboardInterrupt:
            interrupts += 1
        finally:
            sys.settrace(None)
    assert interrupts > 100
    ex.advance(1_000)
    count, digest = ex.command_count, ex.digest()
    ex.close()
    with solvent.open(tmp_path / "j") as again:
        assert (again.command_count, again.digest()) == (count, digest)
    assert solvent.replay(tmp_path / "j").seek(count // 2).command_count == count // 2
