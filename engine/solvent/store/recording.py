"""A recording: the commands of an exchange in memory, from a moment on.

Owns the commands. Never holds the exchange: a recorded exchange that is dropped is freed at once, and its recording stays.
Cost: 64 bytes a record, and a copy of the state now and then, from which `at` starts.
"""

from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from weakref import ref

from solvent.api.base import Face
from solvent.api.book import Book
from solvent.api.past import Past
from solvent.schema.codes import InputError
from solvent.store import certify, description, format
from solvent.store.files import Disk, Folder
from solvent.store.journal import begin_segment, put, put_mark, segment_name
from solvent.store.keeper import PIECE_RECORDS, Handing, first_of
from solvent.store.recovery import apply_and_sum, said_of
from solvent.store.replay import Chunk, Replay

__all__ = ["Recording"]

BYTES_A_COMMAND = 64  # of the state, for each command since the last point: a copy costs less than they did


class Recording(Handing):
    """Keeps the commands of an exchange or a Book in memory (`exchange.record()`).

    first: the moment when it began, as the number of the last command before it. last: the number of the last command.

    >>> from solvent import Exchange, Instrument
    >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
    >>> recording = ex.record()
    >>> ex.deposit("alice", "USDT", 1_000)
    >>> ex.at(2).account("alice").cash, ex.at(1).account("alice").cash
    (Decimal('1000'), Decimal('0'))
    """

    def __init__(self, face: Face):
        self._kernel = face._kernel
        self._venue = None if isinstance(face, Book) else face.venue  # type: ignore[attr-defined]
        self._base = face.fork()
        self.first = face.command_count
        self._chunks: list[Chunk] = []
        self._taken = self._kernel.recorded
        self._known = 0 if self._venue is None else len(self._venue.instruments)
        self._visits: Replay | None = None
        self._face = ref(face)
        self._kernel.record_commands(True)
        face._keep_by(self)

    def __repr__(self) -> str:
        return f"Recording(first={self.first}, last={self.last})"

    @property
    def last(self) -> int:
        """Returns the number of the last command."""
        return int(self._kernel.command_seq - self._kernel.halted)

    # --- taking

    def _ready(self) -> None:
        pass

    def _hand_over(self) -> None:
        if self._kernel.recorded - self._taken >= PIECE_RECORDS:
            self._take()
            self._lay()

    def _lay(self) -> None:
        """Lays a point to go back to, where the last one is far. The more there is to copy, the farther it may be."""
        face, visits = self._face(), self._replay()
        if face is None or self._kernel.halted or not visits.far_from_a_point(self.last):
            return
        if (self.last - visits.newest) * BYTES_A_COMMAND >= face.memory()["total"] - face.memory()["events"]:
            visits.lay(self.last, face)

    def keep(self) -> None:
        self._hand_over()

    def _take(self) -> None:
        """Makes a chunk of what the kernel has logged."""
        kernel, taken = self._kernel, self._chunks[-1].last if self._chunks else self.first
        count = kernel.command_seq - taken - kernel.halted  # the command that halted it is not whole
        if count <= 0:
            return
        commands, added = first_of(kernel.commands_from(self._taken), count), []
        if self._venue is not None:
            if self._venue.coming is not None:
                self._venue.note(kernel.instrument_count)
            added = [description.plain(each) for each in self._venue.instruments[self._known :]]
            self._known = len(self._venue.instruments)
        self._chunks.append(Chunk(taken + 1, count, commands, format.packed(added) if added else b""))
        self._taken = kernel.recorded
        kernel.forget_commands(self._taken)

    # --- the source of a Replay

    def base(self) -> Face:
        """Returns the exchange when the recording began, one of its own."""
        found: Face = self._base.fork()
        return found

    def after(self, sequence: int) -> Iterator[Chunk]:
        """Yields the commands from the one after `sequence` on, in chunks."""
        self._take()
        place = bisect_right(self._chunks, sequence + 1, key=lambda each: each.first)
        yield from self._chunks[max(0, place - 1) :]

    def replay(self) -> Replay:
        """Returns a Replay of the recording as it is now and will be."""
        return Replay(self)

    def at(self, sequence: int) -> Face:
        """Returns the exchange as it was after a command, one of its own. Raises HistoryGone for another moment."""
        return self._replay().at(sequence)

    def _replay(self) -> Replay:
        if self._visits is None:
            self._visits = Replay(self)
        return self._visits

    def retold(self) -> Face:
        """Returns an exchange made anew from all commands, with all events. Raises EventsDropped if it began later."""
        return certify.retold(self)

    def sync(self) -> None:
        """Does nothing: a recording is in memory."""

    def close(self) -> None:
        """Does nothing: a recording is in memory."""

    # --- to a disk

    def _said(self) -> dict[str, Any]:
        """Returns what the header of a saved recording says."""
        face = self.base()
        return said_of(face if isinstance(face, Book) else face.venue, face._kernel, face._wanted)  # type: ignore[attr-defined]

    def framed(self) -> Iterator[tuple[format.Frame, format.Block]]:
        """Yields each chunk as `save` writes it, with the checksum of its events: as bytes, and as they are read again."""
        face, last = self.base(), 0
        _, chain = format.header(format.JOURNAL, self._said() | {"first": 1}, 0)
        for chunk in self.after(0):
            events, commands = apply_and_sum(face, chunk.commands, chunk.added), bytes(chunk.commands)
            frame = format.block(chunk.first, chunk.count, last, chain, events, chunk.added, commands)
            yield (
                frame,
                format.Block(
                    chunk.first,
                    chunk.count,
                    last,
                    chain,
                    events,
                    chunk.added,
                    memoryview(commands),
                    frame.chain,
                    0,
                    frame.size,
                ),
            )
            chain, last = frame.chain, chunk.last

    def blocks(self) -> Iterator[format.Block]:
        """Yields the blocks of the journal that `save` writes."""
        return (block for _, block in self.framed())

    def certify(self, file: str | Path) -> certify.Certified:
        """Writes a certificate of all money that has moved into a file (docs/howto/certify.md).

        Raises EventsDropped if the recording did not begin with a new exchange, JournalForeign for a Book's.

        >>> import tempfile, pathlib
        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> recording = ex.record()
        >>> ex.deposit("alice", "USDT", 1_000)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     recording.certify(pathlib.Path(folder) / "money").postings
        1
        """
        with Path(file).open("wb") as lines:
            return certify.certify(self, lines.write)

    def save(self, path: str | Path) -> None:
        """Writes the recording as a journal into a directory, which must be new or empty. It is on the disk then.

        solvent.replay reads it, and solvent.open goes on with it if it is an exchange's. Raises InputError for a directory
        that is not empty, or a recording that did not begin with a new exchange.
        """
        self.save_to(Folder(path))

    def save_to(self, disk: Disk) -> None:
        """Writes the recording to a disk."""
        if disk.names():
            raise InputError(f"{disk.name} is not empty; choose a new directory")
        if self.first:
            raise InputError(f"the recording began after command {self.first}; only one of a new exchange can be saved")
        disk.make()
        said = self._said()
        put_mark(disk, 0, 0)
        begin_segment(disk, said, 1, 0)
        parts: list[Any] = [bytes(disk.read(segment_name(1)))]
        last = chain = 0
        for frame, block in self.framed():
            parts += frame.parts
            chain, last = block.chain, block.last
        put(disk, segment_name(1), parts)
        put_mark(disk, last, chain)


Past._record = Recording
