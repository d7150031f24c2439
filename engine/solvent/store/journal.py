"""The journal in a directory: segments of blocks, the mark of what is durable, and when each is written and synced.

Owns the names of the files, the order of writes and syncs, and the policy. Never applies a command. docs/reference/journal.md
has the files; `format` their bytes.

Invariants: a block is on the disk before the mark that names it, and before any block that knows it to be there. A segment
begins only when the one before is on the disk. A write or a sync that failed is never tried again. An exception from outside
(Ctrl-C) leaves the writer as it was before the call: what it was about to write is written by the next one.
"""

import atexit
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple
from weakref import WeakSet, ref

from solvent.schema.codes import InputError, JournalClosed, JournalDamaged, JournalError, JournalFailed, shown
from solvent.store import format
from solvent.store.files import Disk, File
from solvent.terms.order_words import int_within

__all__ = ["POLICIES", "Policy", "Segment", "Writer", "segments", "snapshots"]

POLICIES = ("every", "interval", "none")
MARK, ASIDE = "mark", ".new"
SLOTS = (0, 512)  # where the mark's slots lie: in two sectors, so that a torn write spoils one
MARKS_UNSYNCED = 64  # under "every": marks between two syncs of the mark
WAITING_BYTES = 2**16  # under "none": what may wait in the process
INTERVAL_MS_MAX = 60_000


class Policy(NamedTuple):
    """When blocks are written out and synced."""

    sync: str = "every"
    interval_ms: int = 10

    def check(self) -> "Policy":
        """Returns the policy. Raises InputError for one that cannot be."""
        if not isinstance(self.sync, str) or self.sync not in POLICIES:
            raise InputError(f"sync is one of {', '.join(POLICIES)}, not {shown(self.sync)}")
        int_within(self.interval_ms, "interval_ms", 1, INTERVAL_MS_MAX)
        return self


def segment_name(first: int) -> str:
    """Returns the name of the segment that begins with a command."""
    return f"{first:020d}.journal"


def snapshot_name(sequence: int) -> str:
    """Returns the name of the snapshot after a command."""
    return f"{sequence:020d}.snapshot"


def _numbered(names: list[str], ending: str) -> list[int]:
    return [int(each[:20]) for each in names if each[20:] == ending and each[:20].isascii() and each[:20].isdigit()]


def segments(names: list[str]) -> list[int]:
    """Returns the first commands of the segments in a directory, in order."""
    return _numbered(names, ".journal")


def snapshots(names: list[str]) -> list[int]:
    """Returns the commands after which there are snapshots, in order."""
    return _numbered(names, ".snapshot")


def is_ours(name: str) -> bool:
    """True if a file's name is one that a journal gives."""
    return name == MARK or name.endswith(ASIDE) or bool(segments([name]) or snapshots([name]))


class Segment:
    """A segment as it was read: its header, and its blocks."""

    def __init__(self, disk: Disk, first: int):
        self.name = segment_name(first)
        self.first = first
        self.data = memoryview(disk.read(self.name))
        try:
            self.header = format.header_at(self.data, format.JOURNAL, self.name)
        except format.Damage as damage:
            raise JournalDamaged(self.name, damage.at, damage.what) from None
        if self.header.said.get("first") != first:
            raise JournalDamaged(self.name, 0, "the file does not begin with the command that its name says")

    def blocks(self) -> Iterator[format.Block]:
        """Yields the blocks. Raises format.Damage at the first byte that is no block, or not the next one."""
        return format.blocks(self.data, self.header.size, self.first, self.header.chain)


class Place(NamedTuple):
    """Tells where the commands that were handed over end in a kernel: in its commands, its events, its instruments."""

    records: int
    events: int
    instruments: int


class _State(NamedTuple):
    """Holds what was handed to the writer: replaced as a whole, so that no exception leaves half of it."""

    file: File
    first: int  # command of the segment
    end: int  # of the segment, with what waits
    chain: int
    sequence: int
    place: Place
    waiting: tuple[bytes, ...] = ()  # under "none": not written out yet
    waiting_bytes: int = 0


class End(NamedTuple):
    """Tells where a journal ends: the first command of its last segment, that segment's length, the last chain and command."""

    first: int
    bytes: int
    chain: int
    sequence: int


class Tail:
    """The end of a log, on a disk or elsewhere: how far commands were handed over, and how far they are sure to stay."""

    _state: Any  # has sequence, chain and place
    _durable: int
    _failed: Exception | None = JournalClosed("the log was never opened")

    @property
    def sequence(self) -> int:
        """Returns the last command that was handed over."""
        return int(self._state.sequence)

    @property
    def chain(self) -> int:
        """Returns the chain of the last block."""
        return int(self._state.chain)

    @property
    def place(self) -> Place:
        """Returns where the handed-over commands end in the kernel's logs."""
        place: Place = self._state.place
        return place

    @property
    def durable_sequence(self) -> int:
        """Returns the last command that is sure to stay: on the disk, or in the log that keeps it."""
        return self._durable

    def require(self) -> None:
        """Raises what ended the log: JournalFailed, Fenced where another one writes, or JournalClosed."""
        if self._failed is not None:
            raise self._failed


class Writer(Tail):
    """Appends blocks to the last segment of a directory that it holds the lock of."""

    _state: _State

    def __init__(self, disk: Disk, policy: Policy, end: "End", place: Place):
        self._disk, self._policy = disk, policy
        self._mark: File = disk.open(MARK, create=True)
        self._state = _State(disk.open(segment_name(end.first)), end.first, end.bytes, end.chain, end.sequence, place)
        self._durable = end.sequence
        self._turning: dict[str, object] | None = None
        self._marks = self._slot = 0
        self._failed: Exception | None = None
        self._syncing = threading.Lock()  # held while a sync or a change of segments is under way
        _OPEN.add(self)
        self._wake = disk.repeat(policy.interval_ms, _beat(ref(self))) if policy.sync == "interval" else None

    def __del__(self) -> None:
        with suppress(JournalError, OSError):
            self.close()

    @property
    def first(self) -> int:
        """Returns the first command of the segment."""
        return self._state.first

    @property
    def segment_bytes(self) -> int:
        """Returns the length of the segment."""
        return self._state.end

    def fail(self, error: OSError) -> JournalFailed:
        """Halts the exchange for good, and returns what its commands raise from now on."""
        self._failed = self._failed or JournalFailed(self._durable, error.strerror or error)
        return self._failed if isinstance(self._failed, JournalFailed) else JournalFailed(self._durable, error)

    def append(self, count: int, events: int, added: bytes, commands: bytes, place: Place) -> None:
        """Hands a block over: writes it out, but under "none". The caller then calls `settle`."""
        self.require()
        self._turn()
        s = self._state
        frame = format.block(s.sequence + 1, count, self._durable, s.chain, events, added, commands)
        following = s._replace(end=s.end + frame.size, chain=frame.chain, sequence=s.sequence + count, place=place)
        if self._policy.sync == "none":
            waiting = following._replace(
                waiting=(*s.waiting, *frame.parts), waiting_bytes=s.waiting_bytes + frame.size
            )  # fmt: skip
            self._state = waiting
            if waiting.waiting_bytes >= WAITING_BYTES:
                self._write_out()
            return
        try:
            s.file.write(frame.parts, s.end)
        except OSError as error:
            raise self.fail(error) from error
        self._state = following

    def _write_out(self) -> None:
        s = self._state
        try:
            s.file.write(s.waiting, s.end - s.waiting_bytes)
        except OSError as error:
            raise self.fail(error) from error
        self._state = s._replace(waiting=(), waiting_bytes=0)

    def write_out(self) -> None:
        """Writes out what waits, so that other readers of the directory see it."""
        self.require()
        if self._state.waiting:
            self._write_out()

    def settle(self) -> None:
        """Returns once what was handed over may be acknowledged under the policy."""
        if self._policy.sync == "every":
            self.sync()
        elif self._wake is not None and self._state.sequence > self._durable:
            self._wake()
            self.require()

    def sync(self, mark_too: bool = False) -> None:
        """Returns once everything that was handed over is on the disk, and marked; with mark_too the mark is there as well."""
        self.require()
        with self._syncing:
            try:
                if self._state.waiting:
                    self._write_out()
                self._sync(mark_too)
            except OSError as error:
                raise self.fail(error) from error

    def _sync(self, mark_too: bool) -> None:
        s = self._state
        if s.sequence > self._durable:
            s.file.sync()
            self._durable = s.sequence
            self._mark.write([format.mark(s.sequence, s.chain)], SLOTS[self._slot])
            self._marks += 1
            mark_too = mark_too or self._marks % MARKS_UNSYNCED == 0 or self._policy.sync != "every"
        if mark_too:
            self._mark.sync()
            self._slot = 1 - self._slot  # the other one stays whole, whatever happens to this one

    def beat(self) -> bool:
        """Syncs what came since the last beat. Returns False once the writer is closed or has failed."""
        if self._failed is None:
            with self._syncing:
                try:
                    if self._failed is None:
                        self._sync(False)
                except OSError as error:
                    self.fail(error)
        return self._failed is None

    def turn(self, said: dict[str, object]) -> None:
        """Begins a new segment, whose header says what is told, once everything before is on the disk."""
        self._turning = said
        self._turn()

    def _turn(self) -> None:
        """Begins the new segment that is wanted, if there is one; an exception from outside may have come between."""
        if self._turning is None:
            return
        if self._state.first <= self._state.sequence:
            self.sync(mark_too=True)
            with self._syncing:
                s = self._state
                try:
                    name, size, chain = begin_segment(self._disk, self._turning, s.sequence + 1, s.chain)
                    file = self._disk.open(name)
                except OSError as error:
                    raise self.fail(error) from error
                self._state = s._replace(file=file, first=s.sequence + 1, end=size, chain=chain)
                s.file.close()
        self._turning = None

    def close(self) -> None:
        """Syncs everything and lets the directory go. Closing twice does nothing."""
        if isinstance(self._failed, JournalClosed):
            return
        try:
            if self._failed is None:
                self.sync(mark_too=True)
        finally:
            self._failed = self._failed or JournalClosed("the journal was closed; solvent.open(path) opens it again")
            if self._wake is not None:
                self._wake()
            self._state.file.close()
            self._mark.close()
            self._disk.unlock()


_OPEN: "WeakSet[Writer]" = WeakSet()


@atexit.register
def _close_all() -> None:
    """Syncs, at the end of the process, what nobody has closed."""
    for each in list(_OPEN):
        each.__del__()


def _beat(writer: "ref[Writer]"):  # type: ignore[no-untyped-def]
    """Returns what syncs the writer as long as somebody holds it."""

    def work() -> bool:
        found = writer()
        return found is not None and found.beat()

    return work


def begin_segment(disk: Disk, said: dict[str, object], first: int, previous: int) -> tuple[str, int, int]:
    """Writes a segment without blocks, aside, and renames it. Returns its name, its length and its chain."""
    name = segment_name(first)
    frame, chain = format.header(format.JOURNAL, said | {"first": first}, previous)
    put(disk, name, [frame])
    return name, len(frame), chain


def put(disk: Disk, name: str, parts: list[bytes | memoryview]) -> None:
    """Writes a file aside, syncs it, gives it its name, and syncs the directory."""
    file = disk.open(name + ASIDE, create=True)
    try:
        file.cut(0)
        file.write(parts, 0)
        file.sync()
    finally:
        file.close()
    disk.rename(name + ASIDE, name)
    disk.sync()


def put_mark(disk: Disk, sequence: int, chain: int) -> None:
    """Writes both slots of the mark, aside."""
    slot = format.mark(sequence, chain)
    put(disk, MARK, [slot.ljust(SLOTS[1], b"\0"), slot])
