"""The commands that a kernel applied, as they were applied, for whoever writes a journal.

Owns their records while it is switched on. Never reads one. Refused commands are in it, too.
"""

from solvent.schema.layouts import RECORD_BYTES


class CommandLog:
    def __init__(self) -> None:
        self.on = False
        self.first = 0  # records that were forgotten
        self.held = bytearray()

    def __getstate__(self) -> dict[str, object]:
        """A copy of an exchange, or a pickle, keeps no journal."""
        return vars(CommandLog())

    @property
    def end(self) -> int:
        """Returns how many records were logged so far."""
        return self.first + len(self.held) // RECORD_BYTES

    def append(self, record: bytes) -> None:
        """Appends all records of a command."""
        if self.on:
            self.held += record

    def since(self, begin: int) -> bytes:
        """Returns the records from number `begin` on. Raises IndexError for forgotten ones."""
        if not self.first <= begin <= self.end:
            raise IndexError(f"records from {begin} on are not held")
        return bytes(self.held[(begin - self.first) * RECORD_BYTES :])

    def forget(self, until: int) -> None:
        """Forgets the records before number `until`."""
        if until > self.first:
            until = min(until, self.end)
            del self.held[: (until - self.first) * RECORD_BYTES]
            self.first = until
