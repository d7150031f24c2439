"""One writer at a time: what to send to a broker's log, and what to believe of its answers. No I/O, no clock.

Owns the writer's name, the place of its last stored message, and the message whose fate is not known yet. `claim` and
`append` are generators: they yield requests (Publish, Look, Pause) and are sent answers (Stored, Refused, an id, None).
Another runs them and does the talking: solvent.replica.jetstream with a server, a test with a model of one.

A log is a row of messages at places 1, 2, 3, ... A claim is appended after whatever is there; its writer is the only one from
then on. A frame asks for the place right after its writer's last message. It is refused where anything else stands there.

Invariants: one message is under way at a time. A row of them would break the fence: when a foreign claim takes the place of
the first, the second finds just the place that it asks for. A refused message is lost only if the one at its place has
another's id: a repeat of a stored message is refused, too. An unanswered one is sent again, the same bytes under the same id.

Cost: one message and one answer for a frame; one look more where an answer was lost.
"""

from collections.abc import Generator
from typing import NamedTuple

from solvent.schema.codes import Fenced, LogDamaged

__all__ = ["Answer", "Look", "Message", "Pause", "Publish", "Refused", "Request", "Stored", "Writer"]


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


class Writer:
    """Decides for one writer. name: a word that no other writer has or ever had.

    place: where its last stored message stands, 0 before it has claimed the log.
    """

    def __init__(self, name: str):
        self.name = name
        self.place = 0
        self._waiting: Publish | None = None

    def claim(self, data: bytes) -> Steps:
        """Makes this writer the only one, whoever it was before. Returns the place of the claim.

        The caller then reads up to that place: what was stored before it counts.
        """
        self._waiting = Publish(f"{self.name}-claim", data, None)
        return (yield from self.settle())

    def append(self, data: bytes) -> Steps:
        """Stores a message right after this writer's last one. Returns its place.

        Raises Fenced where another writer has claimed the log, LogDamaged where the broker's answers contradict each other.
        """
        if self._waiting is not None:
            yield from self.settle()
        self._waiting = Publish(f"{self.name}-{self.place + 1}", data, self.place)
        return (yield from self.settle())

    def settle(self) -> Steps:
        """Learns the fate of the message under way, sending it again as often as it takes. Returns the last stored place."""
        message, tries = self._waiting, 0
        while message is not None:
            answer = yield message
            if isinstance(answer, Refused) and message.after is not None:
                answer = yield from self._look(message, message.after + 1)
            if isinstance(answer, Stored):
                if message.after not in (None, answer.place - 1):
                    raise LogDamaged(f"the log has {message.id} at place {answer.place}, not after {message.after}")
                self.place, self._waiting = answer.place, None
                break
            yield Pause(tries)
            tries += 1
        return self.place

    def _look(self, message: Publish, place: int) -> Generator[Request, Answer, Stored | None]:
        """Reads what stands at the place that was refused: it may be this very message, and only the answer was lost."""
        found = yield Look(place)
        if found == message.id:
            return Stored(place)
        if isinstance(found, str):
            raise Fenced(f"place {place} of the log is {found}: another writer took over after place {self.place}")
        return None  # what stands there is on its way into the log, or nobody could be asked
