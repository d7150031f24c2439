"""A snapshot that was cut, flipped or taken from elsewhere is passed over for the commands; without them it is named."""

import pytest

import solvent
from solvent.api.venue import Venue
from solvent.store import snapshot
from solvent.store.journal import Segment, segment_name, segments, snapshot_name, snapshots
from solvent.store.opening import Wish
from solvent.store.recovery import COMPILED, made, restored
from support.fake_disk import FakeDisk, Inode
from support.journals import reopened, written


@pytest.fixture(scope="module")
def kept():
    """A journal of two hundred commands with snapshots, closed, and the digest of its state."""
    disk, ex = written(20221108, 200, batch=20, snapshot_every=60)
    digest = ex.digest()
    ex.close()
    return disk, digest


def spoiled(disk: FakeDisk, name: str, content: bytes) -> FakeDisk:
    other = disk.copy()
    other.seen[name] = other.held[name] = Inode(content, content)
    return other


def test_recovery_begins_with_the_newest_snapshot(kept):
    disk, digest = kept
    ex = reopened(disk.copy())
    newest = snapshots(disk.names())[-1]
    assert ex.journal.recovery.snapshot == newest > 100 and ex.journal.recovery.replayed == 200 - newest
    assert ex.digest() == digest
    ex.check()


def refused(disk: FakeDisk, sequence: int) -> bool:
    try:
        restored(disk, sequence, COMPILED)
    except (solvent.JournalDamaged, solvent.JournalVersion):
        return True
    return False


@pytest.mark.long
@pytest.mark.parametrize("size", ["small", "large"])
def test_every_truncation_and_every_flipped_bit_is_refused(kept, size):
    """A small snapshot: all bits, all lengths. A large one: one bit of each byte, some lengths."""
    disk = little() if size == "small" else kept[0]
    sequence = snapshots(disk.names())[-1]
    name = snapshot_name(sequence)
    data = bytes(disk.read(name))
    other = spoiled(disk, name, data)
    seen = other.seen[name].seen
    for end in range(0, len(data), 1 if size == "small" else 331):
        assert refused(spoiled(disk, name, data[:end]), sequence), f"cut to {end} bytes"
    assert refused(spoiled(disk, name, data + b"\0"), sequence)
    whole = made(Segment(other, sequence + 1).header.said, COMPILED)
    for at in range(len(data)):
        for bit in range(8) if size == "small" else (at % 8,):
            seen[at] ^= 1 << bit
            with pytest.raises((solvent.JournalDamaged, solvent.JournalVersion)):
                snapshot.load(other, whole, sequence, None)
            seen[at] ^= 1 << bit
    snapshot.load(other, whole, sequence, None)
    assert whole.command_count == sequence


def little() -> FakeDisk:
    """A journal with a snapshot of two accounts and an order."""
    disk, ex = FakeDisk(), None
    tiers = [solvent.Tier(10_000, "0.005", "0.01")]
    wish = Wish(Venue([solvent.Instrument("BTC-USDT-SWAP", tiers=tiers)], "seed", (), None), None, 7, False)
    ex = reopened(disk, wish=wish, snapshot_every=6)
    for name in ("alice", "bob"):
        ex.deposit(name, "USDT", 1_000)
    ex.mark("BTC-USDT-SWAP", 40_000)
    ex.order("alice", "BTC-USDT-SWAP", "buy", 1, price=39_000)
    ex.close()
    return disk


def test_a_damaged_snapshot_is_passed_over(kept):
    disk, digest = kept
    taken = snapshots(disk.names())
    other = disk.copy()
    for number, sequence in enumerate(reversed(taken)):
        data = bytearray(other.read(snapshot_name(sequence)))
        data[len(data) // 2] ^= 4
        other = spoiled(other, snapshot_name(sequence), bytes(data))
        ex = reopened(other.copy())
        older = taken[len(taken) - 2 - number] if number + 1 < len(taken) else 0
        assert ex.digest() == digest and ex.journal.recovery.snapshot == older


def test_without_its_commands_a_damaged_snapshot_is_refused():
    disk, ex = written(3, 300, batch=10, snapshot_every=30, keep=2)
    ex.close()
    assert segments(disk.names())[0] > 1
    other = disk.copy()
    for sequence in snapshots(disk.names()):
        other = spoiled(other, snapshot_name(sequence), b"")
    with pytest.raises(solvent.JournalDamaged, match="snapshot"):
        reopened(other)
    missing = disk.copy()
    for sequence in snapshots(disk.names()):
        del missing.seen[snapshot_name(sequence)]
    with pytest.raises(solvent.JournalDamaged, match="no snapshot before these commands"):
        reopened(missing)


def test_a_snapshot_of_another_journal_is_passed_over(kept):
    """The same commands and the same state, and another chain: it is not this journal's."""
    disk, digest = kept
    other, ex = written(20221108, 200, batch=3, snapshot_every=60)
    ex.close()
    mine, theirs = snapshots(disk.names())[-1], snapshots(other.names())[-1]
    mixed = spoiled(disk, snapshot_name(mine), bytes(other.read(snapshot_name(theirs))))
    ex = reopened(mixed)
    assert ex.digest() == digest and ex.journal.recovery.snapshot < mine
    assert segment_name(mine + 1) in mixed.names()
