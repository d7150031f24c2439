"""The work that a journal needs now and then: a new segment.

Owns when that happens. Never happens within a command: the keeper asks after each call.
"""

from typing import Any, NamedTuple

from solvent.api.venue import Venue
from solvent.store.files import Disk
from solvent.store.journal import Writer
from solvent.store.recovery import Kinds, said_of
from solvent.terms.order_words import int_within

SEGMENT_BYTES_LEAST = 2**12


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
        self._disk, self._kernel, self._venue, self._wanted = disk, kernel, venue, wanted
        self._limits, self._kinds = limits, kinds
        self.name = disk.name

    def is_due(self, writer: Writer) -> bool:
        """True if the segment is long enough, or has enough commands."""
        every = self._limits.snapshot_every
        return writer.segment_bytes >= self._limits.segment_bytes or 0 < every <= writer.sequence - writer.first + 1

    def work(self, writer: Writer) -> None:
        """Ends the segment."""
        if writer.sequence >= writer.first:
            writer.turn(said_of(self._venue, self._kernel, self._wanted))
