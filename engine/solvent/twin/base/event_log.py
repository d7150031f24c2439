"""The event log: 64 bytes an event, in order, of the wanted types, until dropped.

Owns the sequence numbers. Never knows an event's meaning. Emitters hold the log, and the log holds no emitter, so that a
dropped exchange is freed at once.
"""

from solvent.schema.layouts import EVENT, EVENT_FIELDS
from solvent.schema.words import EventType

_HEADER = EVENT_FIELDS.index("seq") - EVENT_FIELDS.index("side")


class Log:
    def __init__(self, wanted: int):
        self.wanted = wanted
        self.silent = False  # True in a preview: no event is appended
        self.first_seq = 1
        self.events: list[bytes] = []

    def __getstate__(self) -> dict[str, object]:
        """A copy, or a pickle, begins empty at the next event's number."""
        return {**vars(self), "first_seq": self.next_seq, "events": []}

    def append(self, kind: EventType, *fields: int, second: bytes = b"") -> None:
        """Appends one event if its type is wanted: the record's fields from `side` on, without the sequence number, and a
        second record. Only emitters call this."""
        if self.silent or not self.wanted >> kind & 1:
            return
        self.events.append(EVENT.pack(kind, 2 if second else 1, *fields[:_HEADER], self.next_seq, *fields[_HEADER:]))
        if second:
            self.events.append(second)

    @property
    def next_seq(self) -> int:
        return self.first_seq + len(self.events)

    def view(self, first: int, end: int) -> bytes:
        """Returns the events first <= seq < end. Raises IndexError when they are dropped."""
        if first < self.first_seq or end < first or end > self.next_seq:
            raise IndexError(f"events {first} to {end} are not held")
        return b"".join(self.events[first - self.first_seq : end - self.first_seq])

    def drop(self, keep_from: int) -> None:
        """Forgets the events before `keep_from`, once they are half of all."""
        droppable = min(keep_from - self.first_seq, len(self.events))
        if droppable > 0 and 2 * droppable >= len(self.events):
            del self.events[:droppable]
            self.first_seq += droppable
