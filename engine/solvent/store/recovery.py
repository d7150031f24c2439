"""Opening a journal: the only way in, whether it is new, whole or torn. Start-up is recovery.

Owns the order of checks and of writes. Everything is read, checked and replayed before the first write, so that a refusal or a
crash on the way changes nothing. `opening` then writes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from solvent.api.backend import checksum
from solvent.api.base import Face
from solvent.api.book import Book
from solvent.api.exchange import Exchange
from solvent.api.venue import Venue
from solvent.schema.codes import InputError, JournalDamaged, JournalDiverged, JournalForeign
from solvent.schema.commands import records_of
from solvent.schema.layouts import NOBODY, RECORD_BYTES
from solvent.schema.words import EventType
from solvent.store import description, format
from solvent.store.files import Disk
from solvent.store.journal import MARK, SLOTS, Segment, is_ours, segment_name, segments, snapshots
from solvent.store.snapshot import load

ALL_EVENTS = 2**64 - 1


class Kinds(NamedTuple):
    """The classes of an implementation."""

    exchange: type[Exchange]
    book: type[Book]
    snapshots: bool  # whether its kernels have images


COMPILED = Kinds(Exchange, Book, True)


def log_of(wanted: int) -> list[EventType] | None:
    """Returns the argument `log` that gives this set of event types."""
    return None if wanted == ALL_EVENTS else [each for each in EventType if wanted >> each & 1]


def made(said: Mapping[str, Any], kinds: Kinds = COMPILED) -> Face:
    """Makes an exchange or a Book as it was when it was new."""
    terms = {"log": log_of(said["log"]), "seed": said["seed"], "retain": False}
    if said["kind"] == "book":
        return kinds.book(said["max_price_ticks"], max_size_lots=said["max_size_lots"], **terms)
    venue = description.venue_of(said)
    return kinds.exchange(
        venue.instruments, rules=venue.rules, collateral=venue.collateral,
        currencies=dict(zip(venue.currency_names, venue.decimals, strict=True)), **terms,
    )  # fmt: skip


def restored(disk: Disk, sequence: int, kinds: Kinds) -> Face:
    """Returns the exchange of the snapshot after a command. Raises JournalDamaged if it or the segment after it is damaged."""
    header = Segment(disk, sequence + 1).header
    face = made(header.said, kinds)
    load(disk, face, sequence, header.previous)
    name_added(face, header.said["instruments"])
    return face


def name_added(face: Face, told: Iterable[Any]) -> None:
    """Names instruments that a kernel has and its face does not."""
    for each in told:
        venue: Venue = face._venue  # type: ignore[attr-defined]
        instrument = description.terms(each)
        if venue.instrument_id(instrument.name) == NOBODY:
            venue.coming = instrument
            venue.note(face._kernel.instrument_count)


def said_of(made_of: Venue | Book, kernel: Any, wanted: int) -> dict[str, Any]:
    """Describes an exchange or a Book for a header, with the event that comes next."""
    said = description.of_book(made_of) if isinstance(made_of, Book) else description.of_venue(made_of)
    return said | {"log": wanted, "seed": kernel.seed, "next_event": kernel.next_seq, "record_bytes": RECORD_BYTES}


# --- replaying


def commands_of(records: bytes | memoryview) -> Iterator[memoryview]:
    """Yields the commands of a block, each with all its records."""
    view, at = memoryview(records), 0
    while at < len(view):
        size = max(1, records_of(view, at)) * RECORD_BYTES
        yield view[at : at + size]
        at += size


def apply_all(face: Face, commands: bytes | memoryview, added: bytes) -> None:
    """Applies commands as they were applied, and names the instruments that they added."""
    kernel = face._kernel
    try:
        kernel.run(commands)
    except InputError:  # a command of more than two records; nothing was done
        for each in commands_of(commands):
            kernel.apply(bytes(each))
    if added:
        name_added(face, format.unpacked(added))


def apply_and_sum(face: Face, commands: bytes | memoryview, added: bytes) -> int:
    """Applies commands as they were applied, and returns the checksum of their events. Cursors keep what they wait for."""
    kernel = face._kernel
    begin, kept = kernel.next_seq, kernel.keep_from
    kernel.keep_from = min(begin, kept)
    apply_all(face, commands, added)
    kernel.keep_from = kept
    return checksum(0, kernel.view(begin, kernel.next_seq))


def replay(face: Face, block: format.Block) -> None:
    """Applies a block. Raises JournalDiverged unless its events are those that were written."""
    if face.command_count + 1 != block.first:
        raise JournalDiverged(face.command_count, "there are fewer or more commands")
    events = apply_and_sum(face, block.commands, block.added)
    # a block that ends where a kernel halted has no checksum of its events
    if face.command_count != block.last or block.events not in (0, events):
        raise JournalDiverged(block.first - 1, "commands give other events")


# --- reading a directory


@dataclass
class Reading:
    """Tells what was found while a directory was read.

    first, bytes, chain, sequence: where the journal ends. block_chain: the chain of its last block, which the mark has.
    cut_bytes: how many bytes of a torn end lie behind. sure_bytes: how far the last segment is certainly on the disk.
    """

    first: int = 0
    bytes: int = 0
    chain: int = 0
    block_chain: int = 0
    sequence: int = 0
    cut_bytes: int = 0
    sure_bytes: int = 0


def read(
    disk: Disk, begin: int, chain: int, take: Callable[[format.Block], None], found: Reading
) -> None:  # fmt: skip
    """Reads all segments from the one that begins with a command on, and hands every block on.

    Raises JournalDamaged at damage that is not the torn end of the last segment.
    """
    mark = marked(disk)
    names = [each for each in segments(disk.names()) if each >= begin]
    if not names or names[0] != begin:
        raise JournalDamaged(segment_name(begin), 0, "the segment is missing")
    found.sequence, found.chain = begin - 1, chain
    if mark[0] == found.sequence and mark[1] != chain:
        raise JournalDamaged(MARK, 0, "the mark is that of another journal")
    for first in names:
        segment = Segment(disk, first)
        if (first, segment.header.previous) != (found.sequence + 1, found.chain):
            raise JournalDamaged(segment.name, 0, f"the segment does not follow command {found.sequence}")
        found.first, found.bytes, found.chain = first, segment.header.size, segment.header.chain
        found.sure_bytes, found.block_chain = found.bytes, segment.header.previous
        try:
            for block in segment.blocks():
                take(block)
                found.bytes, found.chain, found.sequence = block.at + block.size, block.chain, block.last
                found.block_chain = block.chain
                if block.last == mark[0] and block.chain != mark[1]:
                    raise JournalDamaged(segment.name, block.at, "the mark is that of another block")
                if block.last <= mark[0]:
                    found.sure_bytes = found.bytes
        except format.Damage as damage:
            _judge(segment, damage, found, mark[0], first == names[-1])
    if found.sequence < mark[0]:
        where = segment_name(found.first)
        raise JournalDamaged(where, found.bytes, f"commands up to {mark[0]} were on the disk, and only {found.sequence} are")


def _judge(segment: Segment, damage: format.Damage, found: Reading, durable: int, last: bool) -> None:
    """Decides whether damage is a torn end, which is cut. Raises JournalDamaged if it is not."""
    begins_here = found.sequence + 1
    torn = last and durable < begins_here and not damage.linked
    if not torn or format.follows_durable(segment.data, found.bytes, begins_here):
        raise JournalDamaged(segment.name, damage.at, damage.what) from None
    found.cut_bytes = len(segment.data) - found.bytes


def beginnings(disk: Disk, kinds: Kinds) -> list[int]:
    """Returns the moments from which the commands that follow are there: the beginning, and snapshots; oldest first."""
    names = disk.names()
    there = segments(names)
    taken = [each for each in snapshots(names) if each + 1 in there] if kinds.snapshots else []
    return [0, *taken] if there[0] == 1 else taken


def marked(disk: Disk) -> tuple[int, int]:
    """Returns the durable mark: a command, and its block's chain. Raises JournalDamaged if there is none."""
    found = format.marked(disk.read(MARK), SLOTS) if MARK in disk.names() else None
    if found is None:
        raise JournalDamaged(MARK, 0, "the mark is missing, or both of its slots are damaged")
    return found


def require_ours(disk: Disk) -> list[str]:
    """Returns the names in a directory. Raises JournalForeign if one is not a journal's."""
    names = disk.names()
    for each in names:
        if not is_ours(each):
            raise JournalForeign(
                f"{disk.name} has a file {each!r}, which is no part of a journal; choose a directory of its own"
            )
    return names
