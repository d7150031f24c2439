"""A journal's directory as a source of commands: for a replay, a verdict, or a look. Only reads.

Owns the index of the blocks. Never applies a command but to make the exchange at the earliest moment.
Cost: opening reads every file once and checks all chains; going to a block reads its file.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator

from solvent.api.base import Face
from solvent.schema.codes import JournalDamaged, JournalForeign
from solvent.store.files import Disk
from solvent.store.format import Block, Header, block_at
from solvent.store.journal import Segment, segment_name, segments
from solvent.store.recovery import COMPILED, Kinds, Reading, beginnings, made, read, require_ours, restored

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
        if not segments(require_ours(disk)):
            raise JournalForeign(f"{disk.name} has no journal")
        begins = beginnings(disk, kinds)
        if not begins:
            raise JournalDamaged(segment_name(segments(disk.names())[0]), 0, "no snapshot before these commands is there")
        self.first: int = begins[0]
        self.header: Header = Segment(disk, self.first + 1).header
        self._held: Segment | None = None
        self._index: list[Indexed] = []
        self.reading = Reading()
        self.refresh()

    @property
    def last(self) -> int:
        """Returns the number of the last command."""
        return self.reading.sequence

    def refresh(self) -> None:
        """Reads what has come since; segments that had ended are not read again."""
        self._held, self.reading = None, Reading()
        begin, chain = self.first + 1, self.header.previous
        if self._index:
            begin = self._index.pop().first
            chain = Segment(self._disk, begin).header.previous
        read(self._disk, begin, chain, self._note, self.reading)

    def _note(self, block: Block) -> None:
        if not self._index or self._index[-1].first != self.reading.first:
            self._index.append(Indexed(self.reading.first))
        self._index[-1].firsts.append(block.first)
        self._index[-1].places.append(block.at)

    def after(self, sequence: int) -> Iterator[Block]:
        """Yields the blocks from the one with the command after `sequence` on."""
        place = bisect_right(self._index, sequence + 1, key=lambda each: each.firsts[0])
        for each in self._index[max(0, place - 1) :]:
            data = self._read(each.first)
            for at in each.places[max(0, bisect_right(each.firsts, sequence + 1) - 1) :]:
                yield block_at(data, at)

    def blocks(self) -> Iterator[Block]:
        """Yields all blocks that are kept."""
        return self.after(self.first)

    def _read(self, first: int) -> memoryview:
        """Returns a segment's bytes; the one that was asked for last is held."""
        held = self._held
        if held is None or held.first != first:
            self._held = held = Segment(self._disk, first)
        return held.data

    def base(self) -> Face:
        """Returns the exchange at the earliest moment."""
        return restored(self._disk, self.first, self._kinds) if self.first else made(self.header.said, self._kinds)
