"""A journal that was cut, flipped, swapped, mixed or taken away is refused by name and byte, and nothing is written."""

from random import Random

import pytest

import solvent
import solvent.reference
from solvent import Instrument
from solvent.api.venue import Venue
from solvent.store import format
from solvent.store.journal import MARK, SLOTS, put_mark, segment_name, segments
from solvent.store.opening import Wish
from solvent.store.recovery import Reading, read
from support.fake_disk import FakeDisk, with_file
from support.journals import NOTHING, reopened, written

COMMANDS = 200


@pytest.fixture(scope="module")
def journal() -> FakeDisk:
    """A journal of two hundred records, closed: some blocks of one command, some of several; its mark is at the end."""
    disk, ex = written(20221108, COMMANDS, batch=20)
    ex.close()
    return disk


def only(disk: FakeDisk) -> str:
    (first,) = segments(disk.names())
    return segment_name(first)


def contents(disk: FakeDisk) -> dict[str, bytes]:
    return {name: disk.read(name) for name in disk.names()}


def commands_read(disk: FakeDisk) -> tuple[bytes, Reading]:
    """What recovery would replay: the same reading, without an exchange."""
    found, taken = Reading(), []
    read(disk, 1, 0, lambda block: taken.append(bytes(block.commands)), found)
    return b"".join(taken), found


def refused(disk: FakeDisk) -> bool:
    """True if the journal is refused by name and place."""
    try:
        commands_read(disk)
    except solvent.JournalDamaged as error:
        assert error.file in (*disk.names(), only(disk), MARK) and error.position >= 0
        return True
    except solvent.JournalVersion:
        return True
    return False


def block_ends(data: bytes) -> list[int]:
    header = format.header_at(data, format.JOURNAL, "")
    return [each.at + each.size for each in format.blocks(memoryview(data), header.size, 1, header.chain)]


# --- Every truncation, every bit


def test_every_truncation_is_refused(journal):
    data = journal.read(only(journal))
    for size in range(len(data)):
        assert refused(with_file(journal, only(journal), data[:size])), f"cut to {size} bytes"


@pytest.mark.long
def test_every_flipped_bit_is_refused(journal):
    """All bits of the header, and one of each byte, by the whole reading; all bits of the blocks by the block that they are in
    and the next one, whose chain would not fit."""
    name = only(journal)
    disk = with_file(journal, name, journal.read(name))
    seen = disk.seen[name].seen
    header = format.header_at(bytes(seen), format.JOURNAL, name)
    for at in range(len(seen)):
        for bit in range(8) if at < header.size else (at % 8,):
            seen[at] ^= 1 << bit
            assert refused(disk), f"bit {bit} of byte {at}"
            seen[at] ^= 1 << bit
    view = memoryview(seen)
    for each in list(format.blocks(view, header.size, 1, header.chain)):
        for at in range(each.at, each.at + each.size):
            for bit in range(8):
                seen[at] ^= 1 << bit
                with pytest.raises(format.Damage):
                    list(format.blocks(view, each.at, each.first, each.previous))
                seen[at] ^= 1 << bit


@pytest.mark.long
def test_above_the_mark_a_flipped_bit_costs_the_torn_end_and_no_more(journal):
    """The mark is in the middle, as after a crash: below it damage is refused, above it only an end is cut, never a hole."""
    name = only(journal)
    data = journal.read(name)
    whole, _ = commands_read(journal)
    header = format.header_at(data, format.JOURNAL, name)
    ends = list(format.blocks(memoryview(data), header.size, 1, header.chain))
    middle = ends[len(ends) // 2]
    # what follows was written before it was synced: no block knows an earlier one to be on the disk
    tail, chain, parts = ends[len(ends) // 2 + 1 :], middle.chain, [data[: middle.at + middle.size]]
    for each in tail:
        frame = format.block(each.first, each.count, middle.last, chain, each.events, each.added, bytes(each.commands))
        parts += frame.parts
        chain = frame.chain
    disk = with_file(journal, name, b"".join(parts))
    put_mark(disk, middle.last, middle.chain)
    seen, cut = disk.seen[name].seen, 0
    assert commands_read(disk)[0] == whole
    for at in range(len(seen)):
        seen[at] ^= 1 << at % 8
        if at < middle.at + middle.size:
            assert refused(disk), f"byte {at}"
        else:
            found, reading = commands_read(disk)
            assert found == whole[: len(found)] and middle.last <= reading.sequence < COMMANDS and reading.cut_bytes
            cut += 1
        seen[at] ^= 1 << at % 8
    assert cut > 1_000


def test_every_flipped_bit_of_the_mark_leaves_the_other_slot(journal):
    data = journal.read(MARK)
    for at in range(len(data)):
        spoiled = bytearray(data)
        spoiled[at] ^= 1 << at % 8
        assert commands_read(with_file(journal, MARK, bytes(spoiled)))[1].sequence == COMMANDS
    spoiled = bytearray(data)
    for slot in SLOTS:
        spoiled[slot + 5] ^= 1
    assert refused(with_file(journal, MARK, bytes(spoiled)))
    assert refused(with_file(journal, MARK, None))


def test_long_damage_is_refused(journal, seed):
    """Bursts, zeroed and repeated stretches, bytes put in and taken out; what lies behind the end is cut off."""
    random, data, whole = Random(seed), journal.read(only(journal)), commands_read(journal)[0]
    for _ in range(2_000):
        at, size = random.randrange(len(data)), random.randrange(1, 600)
        piece = data[at : at + size]
        other = random.choice((bytes(len(piece)), random.randbytes(len(piece)), piece[::-1], b"", piece + piece))
        spoiled = data[:at] + other + data[at + size :]
        disk = with_file(journal, only(journal), spoiled)
        assert spoiled.startswith(data) or refused(disk), f"byte {at}, {size} bytes"
        assert not spoiled.startswith(data) or commands_read(disk)[0] == whole


# --- Blocks and files of others


def test_blocks_that_are_missing_swapped_or_doubled_are_refused(journal):
    data = journal.read(only(journal))
    ends = [format.header_at(data, format.JOURNAL, "").size, *block_ends(data)]
    blocks = [data[begin:end] for begin, end in zip(ends, ends[1:], strict=False)]
    head, random = data[: ends[0]], Random(1)
    for n in range(len(blocks)):
        m = random.randrange(len(blocks))
        swapped = list(blocks)
        swapped[n], swapped[m] = swapped[m], swapped[n]
        for others in (blocks[:n] + blocks[n + 1 :], blocks[: n + 1] + blocks[n:], swapped):
            assert others == blocks or refused(with_file(journal, only(journal), head + b"".join(others)))


def test_a_block_of_another_journal_is_refused(journal):
    """The same commands, a minute later: a header or a block from there does not fit."""
    other, ex = written(5, COMMANDS, batch=20)
    ex.close()
    mine, theirs = journal.read(only(journal)), other.read(only(other))
    mine_ends, their_ends = ([format.header_at(each, format.JOURNAL, "").size, *block_ends(each)] for each in (mine, theirs))
    assert refused(with_file(journal, only(journal), theirs))
    assert refused(with_file(journal, only(journal), theirs[: their_ends[0]] + mine[mine_ends[0] :]))
    assert refused(with_file(journal, only(journal), mine[: mine_ends[3]] + theirs[their_ends[3] : their_ends[4]]))
    assert refused(with_file(journal, MARK, other.read(MARK)))


def test_segments_that_are_missing_or_renamed_are_refused():
    disk, ex = written(7, 150, batch=5, segment_bytes=4_096)
    ex.close()
    names = [segment_name(first) for first in segments(disk.names())]
    assert len(names) > 4 and not refused_many(disk)
    for each in names:
        assert refused_many(with_file(disk, each, None))
    for one, other in zip(names, names[1:], strict=False):
        swapped = with_file(with_file(disk, one, disk.read(other)), other, disk.read(one))
        assert refused_many(swapped)


def refused_many(disk: FakeDisk) -> bool:
    try:
        commands_read(disk)
    except solvent.JournalDamaged:
        return True
    return False


# --- Refused by name, and nothing written


def test_a_refusal_writes_nothing(journal):
    data = journal.read(only(journal))
    newer = bytearray(data)
    newer[1 + len(format.JOURNAL) + 4] = 9
    cases = {
        solvent.JournalDamaged: with_file(journal, only(journal), data[:-1]),
        solvent.JournalVersion: with_file(journal, only(journal), bytes(newer)),
        solvent.JournalForeign: with_file(journal, "letter.txt", b"Dear"),
    }
    for error, disk in cases.items():
        before, steps = contents(disk), disk.steps
        with pytest.raises(error):
            reopened(disk)
        assert contents(disk) == before and disk.steps == steps and not disk.locked


def test_other_terms_than_the_journals_are_refused_by_name():
    mine = Instrument("BTC-USDT-SWAP")
    disk = FakeDisk()
    reopened(disk, wish=Wish(Venue([mine], "seed", (), None), None, 7, False)).close()
    before = contents(disk)
    wishes = {
        "ETH-USDT-SWAP": {"venue": Venue([Instrument("ETH-USDT-SWAP")], "seed", (), None)},
        "BTC-USDT-SWAP has other terms": {"venue": Venue([Instrument("BTC-USDT-SWAP", tick="0.5")], "seed", (), None)},
        "other rules": {"venue": Venue([mine], "okx_consistent", (), None)},
        "other currencies": {"venue": Venue([mine], "seed", (), {"EUR": 2})},
        "another seed": {"seed": 8},
        "other event types": {"log": (solvent.EventType.TRADE,)},
    }
    for text, asked in wishes.items():
        with pytest.raises(solvent.JournalForeign, match=text):
            reopened(disk, wish=NOTHING.__class__(**({"venue": None, "log": None, "seed": None, "retain": False} | asked)))
    assert contents(disk) == before
    same = Instrument("BTC-USDT-SWAP", tick="0.10", contract_size="0.010")
    assert reopened(disk, wish=Wish(Venue([same], "seed", (), None), None, 7, False)).instruments == (mine,)


def test_a_second_opener_is_refused(tmp_path):
    with solvent.open(tmp_path / "j", [Instrument("BTC-USDT-SWAP")]) as ex:
        with pytest.raises(solvent.JournalHeld, match="open already"):
            solvent.open(tmp_path / "j")
        ex.deposit("alice", "USDT", 1)
    assert solvent.open(tmp_path / "j").account("alice").cash == 1


def test_no_journal_is_no_journal(tmp_path):
    with pytest.raises(solvent.InputError, match="give instruments"):
        solvent.open(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
