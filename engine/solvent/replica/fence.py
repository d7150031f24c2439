"""One writer at a time: what to send to a broker's log, and what to believe of its answers. No I/O, no clock.

Owns a writer's name and the place of its last stored message. `settle` is a generator: it yields requests (Publish, Look,
Pause) and is sent answers (Stored, Refused, an id, None). Another runs it and does the talking: solvent.replica.jetstream with
a server, a test with a model of one.

A log is a row of messages at places 1, 2, 3, ... A claim is appended after whatever is there; its writer is the only one from
then on. A frame asks for the place right after its writer's last message. It is refused where anything else stands there.

Invariants: one message is under way at a time. A row of them would break the fence: when a foreign claim takes the place of
the first, the second finds just the place that it asks for. A refused message is lost only if the one at its place has
another's id: a repeat of a stored message is refused, too. An unanswered one is sent again, the same bytes under the same id;
so a message may be settled twice.

Cost: one message and one answer for a frame; one look more where an answer was lost.
"""

from collections.abc import Generator
from typing import NamedTuple

from solvent.schema.codes import JournalDamaged, SolventError

__all__ = ["Answer", "Look", "Message", "Overtaken", "Pause", "Publish", "Refused", "Request", "Steps", "Stored", "Writer"]


class Publish(NamedTuple):
    """Asks to store a message. id: no two have the same. after: the place that must be the last one; None: any."""

    id: str
    data: bytes
    after: int | None


class Look(NamedTuple):
    """Asks for the id of the message at a place; the answer is None where there is none yet."""

    place: int


class Pause(NamedTuple):
    """Asks to wait before the next try; round counts from 0 within one message."""

    round: int


class Stored(NamedTuple):
    """Answers that the log has the message, at this place. It may have been there before."""

    place: int


class Refused(NamedTuple):
    """Answers that the place asked for is not the next one."""


Request = Publish | Look | Pause
Answer = Stored | Refused | str | None
Steps = Generator[Request, Answer, int]


class Message(NamedTuple):
    """Holds a message as a reader gets it."""

    place: int
    id: str
    data: bytes


class Overtaken(SolventError):
    """Another writer has claimed the log: its message stands where this writer's should."""


class Writer:
    """Decides for one writer. name: a word that no other writer has or ever had.

    place: where its last stored message stands, 0 before it has claimed the log.
    """

    def __init__(self, name: str):
        self.name = name
        self.place = 0

    def claim(self, data: bytes) -> Publish:
        """Returns the message that makes this writer the only one, whoever it was before.

        Once it is stored the writer reads up to its place: everything before it counts.
        """
        return Publish(f"{self.name}-claim", data, None)

    def next(self, data: bytes) -> Publish:
        """Returns the message that follows this writer's last one."""
        return Publish(f"{self.name}-{self.place + 1}", data, self.place)

    def settle(self, message: Publish) -> Steps:
        """Stores a message, sending it as often as it takes. Returns its place.

        Raises Overtaken where another writer has claimed the log, JournalDamaged where answers contradict each other.
        """
        tries = 0
        while True:
            answer = yield message
            if isinstance(answer, Refused) and message.after is not None:
                answer = yield from self._look(message, message.after + 1)
            if isinstance(answer, Stored):
                if message.after not in (None, answer.place - 1):
                    raise JournalDamaged(f"message {answer.place}", 0, f"{message.id} was to stand after {message.after}")
                self.place = answer.place
                return self.place
            yield Pause(tries)
            tries += 1

    def _look(self, message: Publish, place: int) -> Generator[Request, Answer, Stored | None]:
        """Reads what stands at the place that was refused: it may be this very message, and only the answer was lost."""
        found = yield Look(place)
        if found == message.id:
            return Stored(place)
        if isinstance(found, str):
            raise Overtaken(f"message {place} is {found}")
        return None  # what stands there is on its way into the log, or nobody could be asked
