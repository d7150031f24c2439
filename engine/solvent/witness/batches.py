"""KER-4 from events alone: a batch is applied whole, or not at all.

Owns how many members of the batch of now are still to come. Never knows what they do: each is audited like any command.
"""

from solvent.schema.codes import Code
from solvent.schema.commands import ALONE
from solvent.schema.events import Event
from solvent.schema.words import CommandType
from solvent.witness.brackets import Brackets
from solvent.witness.rows import Audited


class Batched(Brackets):
    """Checks that the members of a batch follow it, accepted, under its number and at its time."""

    def __init__(self, exchange: Audited):
        super().__init__(exchange)
        self._number = self._at_ns = 0  # of the last command that is no member
        self._to_come = 0

    def _batch_begin(self, e: Event) -> None:
        if self._to_come:
            self._to_come -= 1
            same = (e.command_seq, e.time_ns) == (self._number, self._at_ns)
            fits = e.code in (Code.OK, Code.AMEND_NOTHING) and e.command not in ALONE
            self._hold(same and fits, e, "the next member of the batch, accepted", "KER-4")
            return
        self._hold(e.command_seq > self._number, e, f"a command after number {self._number}", "KER-4")
        self._number, self._at_ns = e.command_seq, e.time_ns
        self._to_come = e.filled_lots if (e.command, e.code) == (CommandType.BATCH, Code.OK) else 0
        empty = e.command == CommandType.BATCH and not e.code and not self._to_come
        self._hold(not empty, e, "a batch of at least one", "KER-4")
