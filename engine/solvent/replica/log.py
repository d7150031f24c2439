"""The replicated log as those above it see it, and how its messages follow each other.

Owns the interface that a broker's adapter fills (Log), and the check that a reader makes of each message (Reading). Knows no
broker. The messages are those of a journal's one segment, in order: its header, then its blocks (`store.format`). Claims
stand between them: a map {"claim": name}.

Invariants: every reader sees the same row of messages, and each follows the one before: by place, by writer, by command number
and by chain. Cost: one pass of the checksum over a message.
"""

from collections.abc import Callable
from threading import Lock
from typing import Generic, Protocol, TypeVar

from solvent.replica.fence import Message, Publish, Steps, Writer
from solvent.schema.codes import JournalDamaged
from solvent.store import format

__all__ = ["Log", "Pending", "Reading", "claim_of"]

_T = TypeVar("_T")


class Pending(Generic[_T]):
    """Holds what another thread will answer. Ctrl-C may end a wait for it, which can then begin again.

    No concurrent.futures.Future: an interrupted wait for one may raise RuntimeError.
    """

    def __init__(self) -> None:
        self._answer: Callable[[], _T] | None = None
        self._nothing_yet = Lock()
        self._nothing_yet.acquire()

    def give(self, answer: Callable[[], _T]) -> None:
        """Gives the answer, once: a function that returns or raises it."""
        self._answer = answer
        self._nothing_yet.release()

    def result(self) -> _T:
        """Waits for the answer, and returns or raises it."""
        while self._answer is None:
            self._nothing_yet.acquire()
        return self._answer()


class Log(Protocol):
    """A row of messages that all see alike, and whose end a writer can ask for: all that a broker is needed for."""

    @property
    def name(self) -> str:
        """Returns what messages call it."""

    @property
    def message_bytes_max(self) -> int:
        """Returns how large a message may be."""

    def start(self, steps: Steps) -> Pending[int]:
        """Runs a writer's steps beside the caller: those that were started before are run first."""

    def read(self, after: int, wait_ms: int) -> list[Message]:
        """Returns messages after a place, in order and without a gap. Waits at most wait_ms for the first."""

    def last(self) -> int:
        """Returns the place of the last message, 0 in an empty log."""

    def close(self) -> None:
        """Ends the connection; closing twice does nothing."""


def claim_of(writer: Writer) -> Publish:
    """Returns the message by which a writer claims a log."""
    return writer.claim(format.packed({"claim": writer.name}))


class Reading:
    """Follows a log. place: the last message. writer: who claimed the log last. header: what the exchange is made of.

    chain, sequence: those of the last block.
    """

    def __init__(self, name: str):
        self._name = name
        self.place = self.sequence = self.chain = 0
        self.writer = ""
        self.header: format.Header | None = None

    def take(self, message: Message) -> format.Block | None:
        """Takes the next message, and returns its block if it is one. Raises JournalDamaged if it does not follow."""
        try:
            return self._take(message)
        except format.Damage as damage:
            raise JournalDamaged(f"{self._name}, message {message.place}", damage.at, damage.what) from None

    def _take(self, message: Message) -> format.Block | None:
        data = memoryview(message.data)
        if message.place != self.place + 1:
            raise format.Damage(0, f"it is not the one that follows message {self.place}")
        found = None
        if data and data[0] >> 4 == 8:  # a map
            self.writer = str(format.unpacked(data).get("claim"))
        elif not message.id.startswith(f"{self.writer}-"):
            raise format.Damage(0, f"it is {message.id}, and the log is {self.writer}'s")
        elif self.header is None:
            self.header = format.header_at(data, format.JOURNAL, self._name)
            self.chain = self.header.chain
        else:
            found = format.block_at(data, 0)
            if (found.first, found.previous, found.size) != (self.sequence + 1, self.chain, len(data)):
                raise format.Damage(0, f"it is not the block after command {self.sequence}")
            self.chain, self.sequence = found.chain, found.last
        self.place = message.place
        return found
