"""The work that a journal needs now and then: a new segment with a snapshot before it, the end of old files; and its past.

Owns when that happens, and which files stay. It never happens within a command: the keeper asks after each call.
Invariants: two snapshots stay, and the one before the oldest segment. A segment goes only when both snapshots are behind it,
one at a time, each synced: no gap is left.
"""

from typing import Any, NamedTuple

from solvent.api.venue import Venue
from solvent.schema.codes import InputError
from solvent.store import snapshot
from solvent.store.archive import Archive
from solvent.store.certify import retold
from solvent.store.files import Disk
from solvent.store.journal import Writer, segment_name, segments, snapshot_name, snapshots
from solvent.store.recovery import Kinds, said_of
from solvent.store.replay import Replay
from solvent.terms.order_words import int_within

SEGMENT_BYTES_LEAST = 2**12
SNAPSHOTS = 2


class Limits(NamedTuple):
    """Says when a segment ends: at a length, and after some commands (0: never). keep: how many segments stay (0: all)."""

    segment_bytes: int = 2**28
    snapshot_every: int = 0
    keep: int = 0

    def check(self) -> "Limits":
        """Returns the limits. Raises InputError for one that cannot be."""
        int_within(self.segment_bytes, "segment_bytes", SEGMENT_BYTES_LEAST, 2**40)
        int_within(self.snapshot_every, "snapshot_every", 0, 2**62)
        int_within(self.keep, "keep", 0, 2**31)
        return self


class Housekeeping:
    """Ends segments of one journal."""

    def __init__(self, disk: Disk, kernel: Any, venue: Venue, wanted: int, limits: Limits, kinds: Kinds):
        if limits.keep and not kinds.snapshots:
            raise InputError("keep needs snapshots, which only the compiled core has; leave it out with the reference")
        self._disk, self._kernel, self._venue, self._wanted = disk, kernel, venue, wanted
        self._limits, self._kinds = limits, kinds
        self._past: tuple[Archive, Replay] | None = None
        self.name = disk.name

    def is_due(self, writer: Writer) -> bool:
        """True if the segment is long enough, or has enough commands."""
        every = self._limits.snapshot_every
        return writer.segment_bytes >= self._limits.segment_bytes or 0 < every <= writer.sequence - writer.first + 1

    def work(self, writer: Writer) -> None:
        """Takes a snapshot, begins a segment after it, and removes what need not stay."""
        if writer.sequence < writer.first:
            return
        said = said_of(self._venue, self._kernel, self._wanted)
        writer.sync(mark_too=True)
        if self._kinds.snapshots:
            try:
                snapshot.save(self._disk, self._kernel, said, writer.sequence, writer.chain)
            except OSError as error:
                raise writer.fail(error) from error
        writer.turn(said)
        try:
            self._remove()
        except OSError as error:
            raise writer.fail(error) from error

    def _remove(self) -> None:
        names = self._disk.names()
        there, taken = segments(names), snapshots(names)
        stay = taken[-SNAPSHOTS:]
        while self._limits.keep and len(there) > self._limits.keep and len(stay) == SNAPSHOTS and there[1] - 1 <= stay[0]:
            self._disk.remove(segment_name(there.pop(0)))
            self._disk.sync()
        for each in taken:
            if each not in stay and each != there[0] - 1:
                self._disk.remove(snapshot_name(each))
                self._disk.sync()

    def retold(self) -> Any:
        """Returns the exchange made anew from all commands, with all events."""
        return retold(Archive(self._disk, self._kinds))

    def at(self, sequence: int) -> Any:
        """Returns the exchange as it was after a command, one of its own."""
        if self._past is None:
            archive = Archive(self._disk, self._kinds)
            self._past = archive, Replay(archive)
        archive, replay = self._past
        if sequence > archive.last:
            archive.refresh()
        return replay.at(sequence)
