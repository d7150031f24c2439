"""Between a face and its kernel: hands every applied command to the journal before the face may answer.

Owns the cutting of batches into blocks, and when a segment ends. Never decides about a command. It holds the kernel and the
venue, and neither holds it: a dropped exchange is freed at once.

Invariants: a command that was applied is handed over before the next one begins, whatever exception came between. The command
in which a kernel halts is not handed over: it is not whole.
Cost: a call pays one block; a batch pays one for each 16,384 records, and syncs once.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from solvent.api.backend import checksum
from solvent.api.venue import Venue
from solvent.schema.layouts import RECORD_BYTES
from solvent.store import description, format
from solvent.store.journal import Place, Writer

PIECE_RECORDS = 16_384


class Limits(NamedTuple):
    """When a segment ends: at a length, and after some commands (0: none); how many segments stay (0: all)."""

    segment_bytes: int = 2**28
    snapshot_every: int = 0
    keep: int = 0


class Keeper:
    """Applies commands, and hands them to a writer."""

    def __init__(self, kernel: Any, venue: Venue, writer: Writer, limits: Limits, ended: Callable[[], None]):
        self._kernel, self._venue, self._writer, self._limits = kernel, venue, writer, limits
        self._ended = ended  # what a full segment calls
        self._began = writer.sequence  # the command after which the segment began
        kernel.record_commands(True)

    @property
    def writer(self) -> Writer:
        """Returns the journal's writer."""
        return self._writer

    # --- commands

    def apply(self, record: bytes) -> int:
        """Applies one command, as the kernel does."""
        self._ready()
        code: int = self._kernel.apply(record)
        self.keep()
        return code

    def submit(self, *terms: int, **named: int) -> Any:
        """Sends an ORDER from integers alone, as the kernel does."""
        self._ready()
        answer = self._kernel.submit(*terms, **named)
        self.keep()
        return answer

    def revoke(self, account: int, order_id: int) -> Any:
        """Sends a CANCEL from integers alone, as the kernel does."""
        self._ready()
        answer = self._kernel.revoke(account, order_id)
        self.keep()
        return answer

    def run(self, data: memoryview) -> bytes:
        """Applies many commands, as the kernel does. They are synced together."""
        self._ready()
        answers, begin = [], 0
        try:
            for end in self._kernel.pieces(data, PIECE_RECORDS):
                answers.append(self._kernel.run(data[begin:end]))
                self._hand_over()
                begin = end
        finally:
            self.keep()
        return b"".join(answers)

    # --- the journal

    def _ready(self) -> None:
        """Raises what the writer refuses; hands over what an exception from outside left."""
        self._writer.require()
        if self._kernel.command_seq > self._writer.sequence:
            self.keep()

    def keep(self) -> None:
        """Hands over what was applied, and returns once it may be acknowledged."""
        self._hand_over()
        self._writer.settle()
        l, w = self._limits, self._writer
        if w.segment_bytes >= l.segment_bytes or 0 < l.snapshot_every <= w.sequence - self._began:
            self._ended()
            self._began = w.sequence

    def _hand_over(self) -> None:
        kernel, writer, venue = self._kernel, self._writer, self._venue
        count = kernel.command_seq - writer.sequence - kernel.halted
        if count <= 0:
            return
        place = writer.place
        commands = kernel.commands_from(place.records)
        if kernel.halted:
            commands = _without_last(commands, count)
        if venue.coming is not None:
            venue.note(kernel.instrument_count)
        end = Place(place.records + len(commands) // RECORD_BYTES, kernel.next_seq, len(venue.instruments))
        added = [description.plain(each) for each in venue.instruments[place.instruments :]]
        events = self._events(place.events, end.events)
        writer.append(count, events, format.packed(added) if added else b"", commands, end)
        kernel.forget_commands(end.records)

    def _events(self, begin: int, end: int) -> int:
        """Returns the checksum of events. Those of a command that halted its kernel count with it: they are not whole."""
        return 0 if self._kernel.halted else checksum(0, self._kernel.view(begin, end))


def _without_last(commands: bytes, count: int) -> bytes:
    """Returns the first `count` of the commands."""
    at = 0
    for _ in range(count):
        at += commands[at + 2] * RECORD_BYTES
    return commands[:at]
