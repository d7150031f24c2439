"""The end of a replicated log that an exchange writes to: each block is a message, and is acknowledged when the log has it.

Owns the block that is under way. Never applies a command, and never sends a block before the one before it is stored. It
is a `Tail` as `store.journal.Writer` is one, so that `store.keeper.Journal` hands blocks to either.

Invariants: a block is handed over by one assignment. An exception from outside (Ctrl-C) comes before it, and the commands are
handed over with the next ones, or after it, and the block is settled before the next one. Once a block could not be stored,
nothing is sent any more.
Cost: while a block is under way the kernel applies the next piece of a batch.
"""

from typing import NamedTuple

from solvent.replica import fence
from solvent.replica.log import Log, Pending
from solvent.schema.codes import Fenced, InputError, JournalClosed, JournalFailed, SolventError
from solvent.schema.layouts import RECORD_BYTES
from solvent.store import format
from solvent.store.journal import Place, Tail

__all__ = ["Writer", "require_room"]

PIECE_RECORDS = 4_096
LEAST_BYTES = 2**18  # of a message: a piece of a batch in one half, the longest command in the other


def require_room(log: Log) -> None:
    """Raises InputError if a message of a log cannot hold every command."""
    if log.message_bytes_max < LEAST_BYTES:
        raise InputError(
            f"{log.name} takes messages of {log.message_bytes_max} bytes; set its server's max_payload to 256 KiB"
        )


class _State(NamedTuple):
    """Tells how far the log was handed over, and which message is under way."""

    sequence: int
    chain: int
    place: Place
    message: fence.Publish | None = None


class Writer(Tail):
    """Appends blocks to a log that its fence has claimed."""

    _state: _State

    def __init__(self, log: Log, owner: fence.Writer, sequence: int, chain: int, place: Place):
        self._log, self._fence = log, owner
        self._state = _State(sequence, chain, place)
        self._durable = sequence
        self._answer: Pending[int] | None = None
        self._failed: Exception | None = None
        self.piece_records = min(PIECE_RECORDS, log.message_bytes_max // RECORD_BYTES // 2)

    def append(self, count: int, events: int, added: bytes, commands: bytes, place: Place) -> None:
        """Hands a block over and sends it, once the one before is stored. The caller then calls `settle`."""
        self.settle()
        s = self._state
        frame = format.block(s.sequence + 1, count, self._durable, s.chain, events, added, commands)
        message = self._fence.next(b"".join(frame.parts))
        self._state = _State(s.sequence + count, frame.chain, place, message)
        self._send(message)

    def _send(self, message: fence.Publish) -> Pending[int]:
        self._answer = self._log.start(self._fence.settle(message))
        return self._answer

    def settle(self) -> None:
        """Returns once the log has everything that was handed over."""
        self.require()
        s = self._state
        if s.message is None:
            return
        try:
            (self._answer or self._send(s.message)).result()
        except fence.Overtaken as error:
            self._failed = Fenced(self._durable, error)
        except SolventError as error:
            self._failed = JournalFailed(self._durable, error)
        self.require()
        self._answer = None
        self._state = s._replace(message=None)
        self._durable = s.sequence

    def write_out(self) -> None:
        """Settles, so that readers see everything."""
        self.settle()

    def sync(self, mark_too: bool = False) -> None:
        """Settles: the log syncs as it is told to (docs/howto/replicate.md)."""
        self.settle()

    def close(self) -> None:
        """Settles and closes the log. Closing twice does nothing."""
        try:
            if self._failed is None:
                self.settle()
        finally:
            self._failed = self._failed or JournalClosed("the log was closed; solvent.open opens it again")
            self._log.close()
