"""The events: 64 bytes each, in order, as far as they are wanted and still held.

Owns the sequence numbers. Never knows what an event means. Whoever emits holds the log and nothing that holds the emitter, so
that an exchange that is dropped is freed at once.
"""

from solvent.schema.layouts import EVENT
from solvent.schema.words import EventType


class Log:
    def __init__(self, wanted: int):
        self.wanted = wanted
        self.silent = False  # what is done now will not have been
        self.first_seq = 1
        self.events: list[bytes] = []

    def append(
        self, kind: EventType, *, account: int = 0, instrument: int = 0, side: int = 0, code: int = 0, reason: int = 0,
        a: int = 0, b: int = 0, c: int = 0, d: int = 0, e: int = 0, second: bytes = b"",
    ) -> None:  # fmt: skip
        """Appends one event, if its type is wanted; the parameters are the record's fields, and a second record. Only emitters
        call this."""
        if self.silent or not self.wanted >> kind & 1:
            return
        records = 2 if second else 1
        self.events.append(EVENT.pack(kind, records, side, account, instrument, code, reason, self.next_seq, a, b, c, d, e))
        if second:
            self.events.append(second)

    @property
    def next_seq(self) -> int:
        return self.first_seq + len(self.events)

    def view(self, first: int, end: int) -> bytes:
        """Events first <= seq < end. IndexError when dropped."""
        if first < self.first_seq or end < first or end > self.next_seq:
            raise IndexError(f"events {first} to {end} are not held")
        return b"".join(self.events[first - self.first_seq : end - self.first_seq])

    def drop(self, keep_from: int) -> None:
        """Forgets what lies before an event, when that is half of all."""
        droppable = min(keep_from - self.first_seq, len(self.events))
        if droppable > 0 and 2 * droppable >= len(self.events):
            del self.events[:droppable]
            self.first_seq += droppable
