"""Between a face and its kernel: hands every applied command to the journal before the face may answer.

Owns the cutting of batches into blocks, and when a segment ends. Never decides about a command. It holds the kernel and the
venue, and neither holds it: a dropped exchange is freed at once.

Invariants: a command that was applied is handed over before the next one begins, whatever exception came between. The command
in which a kernel halts is not handed over: it is not whole.
Cost: a call pays one block; a batch pays one for each 16,384 records, and syncs once.
"""

from typing import Any

from solvent.api.backend import checksum
from solvent.schema.commands import records_of
from solvent.schema.layouts import RECORD_BYTES
from solvent.store import description, format
from solvent.store.journal import Place

__all__ = ["Handing", "Journal", "first_of"]


PIECE_RECORDS = 16_384  # of a batch in a block


class Handing:
    """Applies commands as a kernel does, and hands them over after each call. Subclasses say to whom."""

    _kernel: Any
    piece_records = PIECE_RECORDS

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
        """Applies many commands, as the kernel does, and keeps them together."""
        self._ready()
        answers, begin = [], 0
        try:
            for end in self._kernel.pieces(data, self.piece_records):
                answers.append(self._kernel.run(data[begin:end]))
                self._hand_over()
                begin = end
        finally:
            self.keep()
        return b"".join(answers)

    def _ready(self) -> None:
        """Raises what forbids a command now; hands over what an exception from outside left."""
        raise NotImplementedError

    def _hand_over(self) -> None:
        """Takes what was applied."""
        raise NotImplementedError

    def keep(self) -> None:
        """Takes what was applied, and returns once it may be acknowledged."""
        raise NotImplementedError


class Journal(Handing):
    """The journal of an exchange that solvent.open returned (`exchange.journal`).

    path: its directory. sequence: the last command that was applied. durable_sequence: the last one that is certainly on the
    disk. recovery: what opening it found.
    """

    def __init__(self, face: Any, writer: Any, housekeeping: Any, recovery: Any):
        self._kernel, self._writer = face._kernel, writer
        self._venue = face.venue
        self._housekeeping = housekeeping
        self.path = housekeeping.name
        self.recovery = recovery
        self._kernel.record_commands(True)

    def __repr__(self) -> str:
        return f"Journal({self.path!r}, sequence={self.sequence}, durable_sequence={self.durable_sequence})"

    @property
    def sequence(self) -> int:
        """Returns the number of the last command."""
        return int(self._writer.sequence)

    @property
    def durable_sequence(self) -> int:
        """Returns the last command that is certainly on the disk."""
        return int(self._writer.durable_sequence)

    def _ready(self) -> None:
        self._writer.require()
        if self._kernel.command_seq > self._writer.sequence:
            self.keep()

    def keep(self) -> None:
        self._hand_over()
        self._writer.settle()
        if self._housekeeping.is_due(self._writer):
            self._housekeeping.work(self._writer)

    def _hand_over(self) -> None:
        kernel, writer, venue = self._kernel, self._writer, self._venue
        count = kernel.command_seq - writer.sequence - kernel.halted
        if count <= 0:
            return
        place = writer.place
        commands = first_of(kernel.commands_from(place.records), count)
        if venue.coming is not None:
            venue.note(kernel.instrument_count)
        end = Place(place.records + len(commands) // RECORD_BYTES, kernel.next_seq, len(venue.instruments))
        added = [description.plain(each) for each in venue.instruments[place.instruments :]]
        # the events of a command that halted the kernel are not whole, so the block has no checksum of events
        events = 0 if kernel.halted else checksum(0, kernel.view(place.events, end.events))
        writer.append(count, events, format.packed(added) if added else b"", commands, end)
        kernel.forget_commands(end.records)

    def at(self, sequence: int) -> Any:
        """Returns the exchange as it was after a command, one of its own. Raises HistoryGone for a moment that is not kept."""
        if self._kernel.command_seq > self._writer.sequence:
            self.keep()
        self._writer.write_out()
        return self._housekeeping.at(sequence)

    def retold(self) -> Any:
        """Returns an exchange made anew from all commands, with all events. Raises EventsDropped if the first are gone."""
        if self._kernel.command_seq > self._writer.sequence:
            self.keep()
        self._writer.write_out()
        return self._housekeeping.retold()

    def sync(self) -> None:
        """Returns once all commands so far are on the disk."""
        self._ready()
        self._writer.sync(mark_too=True)

    def close(self) -> None:
        """Syncs and closes the journal. Closing twice does nothing."""
        self._writer.close()


def first_of(commands: bytes, count: int) -> bytes:
    """Returns the first `count` commands of some that may have one more: the one in which the kernel halted."""
    if len(commands) == count * RECORD_BYTES:
        return commands
    at = 0
    for _ in range(count):
        at += records_of(commands, at) * RECORD_BYTES
    return commands[:at]
