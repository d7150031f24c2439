"""A journal's directory as a source of commands: for a replay, a verdict, or a look. Only reads.

Owns the index of the blocks. Never applies a command but to make the exchange at the earliest moment.
Cost: opening reads every file once and checks all chains; going to a block reads its file.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

from solvent.api.base import Face
from solvent.schema.codes import JournalForeign
from solvent.store import format
from solvent.store.files import Disk
from solvent.store.journal import Segment, segments
from solvent.store.recovery import COMPILED, Kinds, Reading, made, read, require_ours

__all__ = ["Archive"]


class Indexed:
    """Tells where the blocks of one segment lie."""

    def __init__(self, first: int):
        self.first = first
        self.firsts, self.places = array("Q"), array("Q")


class Archive:
    """A journal on a disk, read only; also one that is being written."""

    def __init__(self, disk: Disk, kinds: Kinds = COMPILED):
        self._disk, self._kinds = disk, kinds
        begins = segments(require_ours(disk))
        if not begins:
            raise JournalForeign(f"{disk.name} has no journal")
        self._begin = begins[0]
        self.header: dict[str, Any] = Segment(disk, self._begin).header.said
        self._held: Segment | None = None
        self._index: list[Indexed] = []
        self.reading = Reading()
        self.refresh()

    @property
    def first(self) -> int:
        """Returns the earliest moment: the last command before the first one that is there."""
        return self._begin - 1

    @property
    def last(self) -> int:
        """Returns the number of the last command."""
        return self.reading.sequence

    def refresh(self) -> None:
        """Reads what there is now."""
        self._index, self._held = [], None
        self.reading = Reading()
        read(self._disk, self._begin, self._chain(), self._note, self.reading)

    def _chain(self) -> int:
        return Segment(self._disk, self._begin).header.previous if self.first else 0

    def _note(self, block: format.Block) -> None:
        if not self._index or self._index[-1].first != self.reading.first:
            self._index.append(Indexed(self.reading.first))
        self._index[-1].firsts.append(block.first)
        self._index[-1].places.append(block.at)

    def blocks(self, sequence: int = 0) -> Iterator[format.Block]:
        """Yields the blocks from the one with the command after `sequence` on."""
        place = bisect_right(self._index, max(sequence, self.first) + 1, key=lambda each: each.firsts[0])
        for number in range(max(0, place - 1), len(self._index)):
            each = self._index[number]
            data = self._read(each.first)
            begin = max(0, bisect_right(each.firsts, sequence + 1) - 1)
            for at in each.places[begin:]:
                yield format.block_at(data, at)

    def _read(self, first: int) -> memoryview:
        """Returns a segment's bytes; the last one that was asked for is held."""
        held = self._held
        if held is None or held.first != first:
            self._held = held = Segment(self._disk, first)
        return held.data

    def base(self) -> Face:
        """Returns the exchange at the earliest moment."""
        return made(self.header, self._kinds)
