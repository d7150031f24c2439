"""The past of a replicated log: any moment of it, read again from the log.

Owns the index of the log's blocks. Never writes. A log needs no housekeeping: it has one segment, which its servers keep.
Cost: the first visit reads the whole log; a visit reads the messages from the nearest point on (`store.replay`).
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

from solvent.api.base import Face
from solvent.replica.log import Log, Reading
from solvent.schema.codes import HistoryGone
from solvent.store.certify import retold
from solvent.store.format import Block, block_at
from solvent.store.recovery import Kinds, made
from solvent.store.replay import Replay

__all__ = ["Past"]

_WAIT_MS = 1_000


class Past:
    """A log as a source of commands, and as what a journal asks for now and then."""

    first = 0

    def __init__(self, log: Log, kinds: Kinds):
        self.name = log.name
        self._log, self._kinds = log, kinds
        self._reading = Reading(log.name)
        self._firsts, self._places = array("Q"), array("Q")
        self._replay: Replay | None = None

    def is_due(self, writer: Any) -> bool:
        """Returns False: nothing is ever due."""
        return False

    def at(self, sequence: int) -> Face:
        """Returns the exchange as it was after a command, one of its own. Raises HistoryGone if there is no such moment."""
        if sequence > self.last or self._replay is None:
            self._refresh()
        if self._replay is None:
            self._replay = Replay(self)
        return self._replay.at(sequence)

    def retold(self) -> Face:
        """Returns an exchange made anew from all commands, with all events."""
        self._refresh()
        return retold(self)

    def _refresh(self) -> None:
        """Reads what has come since."""
        end = self._log.last()
        while self._reading.place < end:
            for message in self._log.read(self._reading.place, _WAIT_MS):
                block = self._reading.take(message)
                if block is not None:
                    self._firsts.append(block.first)
                    self._places.append(message.place)

    @property
    def last(self) -> int:
        """Returns the latest moment that was read."""
        return self._reading.sequence

    def base(self) -> Face:
        """Returns the exchange at the beginning."""
        if self._reading.header is None:
            raise HistoryGone(f"{self.name} is empty")
        return made(self._reading.header.said, self._kinds)

    def after(self, sequence: int) -> Iterator[Block]:
        """Yields the blocks from the one with the command after `sequence` on."""
        index = max(0, bisect_right(self._firsts, sequence + 1) - 1)
        while index < len(self._places):
            for message in self._log.read(self._places[index] - 1, _WAIT_MS):
                if index < len(self._places) and message.place == self._places[index]:
                    yield block_at(memoryview(message.data), 0)
                    index += 1

    def blocks(self) -> Iterator[Block]:
        """Yields all blocks that were read."""
        return self.after(0)
