"""A history that can be visited: any moment of a journal or a recording, forward and backward.

Owns the points from which a visit starts: copies of the exchange (`fork`), laid while it is replayed. Never changes what it
reads.

Cost: a visit copies the nearest point before the moment, and applies the commands between. Points are laid every
POINT_COMMANDS commands while it plays, and while an exchange is recorded. When there are more than POINTS_MAX, every second
one goes.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from solvent.api.base import Face
from solvent.schema.codes import HistoryGone
from solvent.schema.layouts import RECORD_BYTES
from solvent.store.format import Block
from solvent.store.recovery import apply_all, commands_of
from solvent.terms.order_words import int_within

__all__ = ["Chunk", "Replay", "Source"]

POINT_COMMANDS = 2**16
POINTS_MAX = 64


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some commands, one after the other: the number of the first, how many, their records, what instruments they added."""

    first: int
    count: int
    commands: bytes | memoryview
    added: bytes = b""

    @property
    def last(self) -> int:
        """Returns the number of the last command."""
        return self.first + self.count - 1


def part(chunk: "Chunk | Block", first: int, last: int) -> bytes | memoryview:
    """Returns the records of some of the commands of a chunk."""
    if (first, last) == (chunk.first, chunk.last):
        return chunk.commands
    begin, end = first - chunk.first, last - chunk.first + 1
    if len(chunk.commands) == chunk.count * RECORD_BYTES:
        return chunk.commands[begin * RECORD_BYTES : end * RECORD_BYTES]
    at, places = 0, [0]
    for each in commands_of(chunk.commands):
        at += len(each)
        places.append(at)
    return chunk.commands[places[begin] : places[end]]


class Source(Protocol):
    """Gives the commands: a journal or a recording."""

    @property
    def first(self) -> int:
        """Returns the earliest moment: the number of the command before the first one that is kept."""

    @property
    def last(self) -> int:
        """Returns the latest moment."""

    def base(self) -> Face:
        """Returns the exchange at the earliest moment, one of its own."""

    def after(self, sequence: int) -> "Iterator[Chunk] | Iterator[Block]":
        """Yields the chunks from the one with the command after `sequence` on."""


class Replay:
    """Plays a history. `exchange` is the exchange at the present moment; it is not the one that was recorded.

    >>> from solvent import Book
    >>> book = Book()
    >>> recording = book.record()
    >>> ask, bid = book.order(1, "sell", 5, price_ticks=101), book.order(2, "buy", 2, price_ticks=101)
    >>> replay = recording.replay()
    >>> replay.seek(2).depth(), replay.seek(1).depth()
    (([], [(101, 3)]), ([], [(101, 5)]))
    """

    def __init__(self, source: Source):
        self._source = source
        base = source.base()
        self._moments, self._points = [source.first], [base]
        self._distance = POINT_COMMANDS
        self.exchange: Face = base.fork()

    @property
    def first(self) -> int:
        """Returns the earliest moment, as the number of the last command before it."""
        return self._source.first

    @property
    def last(self) -> int:
        """Returns the latest moment."""
        return self._source.last

    @property
    def sequence(self) -> int:
        """Returns the present moment: the number of the last command that was applied."""
        return self.exchange.command_count

    def seek(self, sequence: int) -> Face:
        """Goes to the moment after a command, and returns the exchange there.

        A step forward plays on in the same exchange, so that its cursors see every event. Another way gives another exchange.
        Raises HistoryGone for a moment that is not kept.
        """
        found = self._reachable(sequence)
        near = bisect_right(self._moments, found) - 1
        if not self._moments[near] <= self.sequence <= found:
            self.exchange = self._points[near].fork()
        self._play(self.exchange, found)
        return self.exchange

    def forward(self, commands: int = 1) -> Face:
        """Plays some more commands in the same exchange, and returns it. Stops at the end."""
        self._play(self.exchange, min(self.last, self.sequence + int_within(commands, "commands", 0, 2**63 - 1)))
        return self.exchange

    def at(self, sequence: int) -> Face:
        """Returns the exchange after a command, one of its own. The present moment stays."""
        found = self._reachable(sequence)
        face = self._points[bisect_right(self._moments, found) - 1].fork()
        self._play(face, found)
        return face

    def _reachable(self, sequence: int) -> int:
        if not self.first <= int_within(sequence, "sequence", 0, 2**63 - 1) <= self.last:
            raise HistoryGone(f"moment {sequence} is not kept; those from {self.first} to {self.last} are")
        return sequence

    def _play(self, face: Face, until: int) -> None:
        """Applies commands up to a moment, and lays points on the way."""
        now = face.command_count
        for chunk in self._source.after(now) if now < until else ():
            while now < min(until, chunk.last):
                stop = min(until, chunk.last, now - now % self._distance + self._distance)
                apply_all(face, part(chunk, now + 1, stop), chunk.added)
                now = stop
                if now % self._distance == 0:
                    self.lay(now, face)
            if now >= until:
                return

    @property
    def newest(self) -> int:
        """Returns the moment of the last point."""
        return self._moments[-1]

    def far_from_a_point(self, sequence: int) -> bool:
        """True if a moment lies a whole distance behind the last point."""
        return sequence - self._moments[-1] >= self._distance

    def lay(self, sequence: int, face: Face) -> None:
        """Lays a point where an exchange stands, unless there is one."""
        place = bisect_right(self._moments, sequence)
        if self._moments[place - 1] == sequence:
            return
        self._moments.insert(place, sequence)
        self._points.insert(place, face.fork())
        if len(self._points) > POINTS_MAX:
            self._distance *= 2
            self._moments, self._points = self._moments[::2], self._points[::2]
