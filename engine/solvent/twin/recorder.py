"""The half of a kernel that journals use: the commands that it applied, and where a buffer of commands may be cut.

Owns the log of commands. Never writes the state. ext/solvent/_core/recorder has the contract.
"""

from solvent.schema.commands import records_of
from solvent.schema.layouts import RECORD_BYTES
from solvent.twin.base.command_log import CommandLog
from solvent.twin.reader import Reader


class Recorder(Reader):
    """The commands that were applied."""

    commands: CommandLog
    input_error: type[Exception]

    def divided(self, data: bytes) -> list[bytes]:
        """Returns the commands of a buffer. Raises InputError if one is not whole."""
        if len(data) % RECORD_BYTES:
            raise self.input_error("the buffer is not a whole number of 64-byte records")
        found, at = [], 0
        while at < len(data):
            count = records_of(data, at)
            if not count and 1 <= data[at + 2] <= 4:
                raise self.input_error("the last command is cut off")
            if not count or data[at + 2] > 4:
                raise self.input_error(
                    f"record {at // RECORD_BYTES} says that it takes {data[at + 2]} records; set its `records` to 1, 2, 3 or 4"
                )
            found.append(data[at : at + count * RECORD_BYTES])
            at += len(found[-1])
        return found

    def pieces(self, records: memoryview, least: int) -> list[int]:
        """Returns the offsets in bytes where a buffer of commands may be cut into pieces of `least` records or one more.

        The last offset is the buffer's end. Raises InputError as `run` does.
        """
        found, at, cut = [], 0, least * RECORD_BYTES
        for each in self.divided(bytes(records)):
            at += len(each)
            if at >= cut and at < len(records):
                found.append(at)
                cut = at + least * RECORD_BYTES
        return [*found, at] if at else []

    def record_commands(self, on: bool) -> None:
        """Switches the log of commands on or off; it keeps its records."""
        self.commands.on = on

    @property
    def recorded(self) -> int:
        """Returns how many records of commands were logged so far, those that were forgotten included."""
        return self.commands.end

    def commands_from(self, begin: int) -> bytes:
        """Returns a copy of the records of commands from number `begin` on. Raises IndexError for forgotten ones."""
        return self.commands.since(begin)

    def forget_commands(self, until: int) -> None:
        """Forgets the records of commands before number `until`."""
        self.commands.forget(until)
