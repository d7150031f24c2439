"""Crashes of a run on the fake disk: at every write, sync, rename and cut; and disks that lie, fail and fill up."""

import errno
from random import Random

import pytest

import solvent
from solvent.api.venue import Venue
from solvent.store.housekeeping import Limits
from solvent.store.opening import Wish
from support.crashes import LIMITS, REFERENCE, Judge, Run
from support.fake_disk import FakeDisk, FakeFile
from support.journals import reopened

POLICIES = ("every", "interval", "none")


@pytest.mark.long
@pytest.mark.parametrize("limits", LIMITS, ids=["one segment", "short segments", "snapshots", "few files"])
@pytest.mark.parametrize("policy", POLICIES)
def test_a_crash_at_any_operation_leaves_a_prefix_with_all_that_the_policy_promises(policy, limits, seed):
    run = Run(seed % 1_000, 40, policy, limits)
    judge = Judge(run, Random(seed))
    judge.all(losses=3)
    assert judge.points > (60 if policy == "none" else 250)


def test_the_reference_recovers_the_same_way(seed):
    judge = Judge(Run(seed % 1_000, 25, "every", Limits(), REFERENCE), Random(seed))
    judge.all(losses=1)


def test_the_judge_finds_a_disk_that_lies(seed, monkeypatch):
    """A sync that does nothing: a loss of power then costs what was acknowledged, and the judge has to see it."""
    monkeypatch.setattr(FakeFile, "sync", lambda self: self.disk.step("sync"))
    with pytest.raises((AssertionError, solvent.JournalError)):
        Judge(Run(seed % 1_000, 40, "every", Limits()), Random(seed)).all(losses=3)


def test_the_judge_finds_an_answer_before_the_sync(seed, monkeypatch):
    """A writer that acknowledges under "every" as it does under "none"."""
    monkeypatch.setattr("solvent.store.journal.Writer.settle", lambda self: None)
    with pytest.raises(AssertionError, match="were recovered"):
        Judge(Run(seed % 1_000, 40, "every", Limits()), Random(seed)).all(losses=3)


# --- A disk that fails


def failing_runs(policy: str):
    """A run for each operation of a journal, in which that operation fails; the exchange, its disk, what was acknowledged."""
    healthy = FakeDisk()
    ex = reopened_new(healthy, policy)
    for n in range(1, 18):
        ex.advance(n)
    ex.close()
    begun = FakeDisk()
    reopened_new(begun, policy).close()
    for step in range(begun.steps, healthy.steps + 1):
        disk = FakeDisk()
        disk.fail = {step}
        ex = reopened_new(disk, policy)
        acknowledged = 0
        try:
            while ex.command_count < 40:
                ex.advance(ex.time_ns + 1)
                acknowledged = ex.command_count
                disk.pass_time()
        except solvent.JournalFailed as error:
            yield ex, disk, acknowledged, error


def reopened_new(disk: FakeDisk, policy: str) -> solvent.Exchange:
    wish = Wish(Venue([solvent.Instrument("BTC-USDT-SWAP")], "seed", (), None), None, 7, False)
    return reopened(disk, policy, wish=wish, segment_bytes=4_096)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_write_or_a_sync_that_fails_halts_the_exchange_for_good(policy):
    """Each operation fails in turn. Nothing is tried again; the exchange names the last durable command; opening recovers."""
    halted = 0
    for ex, disk, acknowledged, error in failing_runs(policy):
        halted += 1
        steps, count = disk.steps, ex.command_count
        assert error.durable_sequence <= count and f"command {error.durable_sequence} is the last" in str(error)
        if policy == "every":  # what was synced, but could not be marked, is not acknowledged
            assert acknowledged <= error.durable_sequence <= acknowledged + 1
        calls = (ex.advance, 2**62), (ex.run, b""), (ex.submit, 16, 0, 1, 1), (ex.revoke, 16, 1), (ex.sync,)
        for call, *arguments in calls:
            with pytest.raises(solvent.JournalFailed):
                call(*arguments)
        assert disk.steps == steps and ex.command_count == count, "nothing was tried again, and no command was applied"
        ex.close()
        random = Random(disk.steps)
        for after, least in ((disk.after_death(), acknowledged if policy != "none" else error.durable_sequence),
                             (disk.after_power_loss(random), error.durable_sequence)):  # fmt: skip
            other = reopened(after, policy, segment_bytes=4_096)
            assert least <= other.command_count <= count
            other.advance(other.time_ns + 1)
            digest, again = other.digest(), reopened(after.after_power_loss(random), policy, segment_bytes=4_096)
            assert again.command_count < other.command_count or again.digest() == digest
    assert halted > 20


def test_after_a_failed_sync_what_seems_to_be_there_is_written_again():
    """The system took the pages for written. A recovery that believed it would lose them, and what came after, to a loss of
    power."""
    seen = 0
    for _, disk, acknowledged, error in failing_runs("every"):
        if "Input/output" not in str(error):
            continue
        seen += 1
        ex = reopened(disk.after_death(), segment_bytes=4_096)
        count = ex.command_count
        assert acknowledged <= count
        ex.advance(ex.time_ns + 1)
        after = ex.journal._writer._disk.after_power_loss(Random(1))
        assert reopened(after, segment_bytes=4_096).command_count == count + 1
    assert seen > 5


def test_a_full_disk_is_named(monkeypatch):
    def full(self, parts, at):
        raise OSError(errno.ENOSPC, "No space left on device")

    ex = reopened_new(FakeDisk(), "every")
    ex.advance(1)
    monkeypatch.setattr(FakeFile, "write", full)
    with pytest.raises(solvent.JournalFailed, match=r"No space left on device.*command 1 is the last"):
        ex.advance(2)
    with pytest.raises(solvent.JournalFailed):
        ex.advance(3)
    assert ex.command_count == 2  # the second one was applied, and never acknowledged
