"""Dialects as the server sees them, and the faults between the two: plain values, no I/O.

Owns the shapes of requests, answers and sessions, and the hooks of a fault. A dialect turns a Request into an Answer, and a
socket's frames into frames; the server moves bytes.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from solvent.gateway.records import Notice

__all__ = ["Answer", "Deed", "Dialect", "Faults", "Request", "Session"]


@dataclass(slots=True)
class Request:
    """Holds a request as it came. target: path and query, raw. client: who signed it, once the dialect has found out."""

    method: str
    path: str
    query: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    client: str = ""


@dataclass(slots=True)
class Answer:
    """Holds what goes back: a status and JSON."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Deed:
    """Says what a fault does to an answer or a push.

    wait_ns: how long it is held back. body: instead of what would be sent. status: the answer's, 0 keeps it. copies: how
    often a push is sent; 0 loses it. hang_up: the connection is closed instead.
    """

    wait_ns: int = 0
    body: bytes | None = None
    status: int = 0
    copies: int = 1
    hang_up: bool = False


class Faults(Protocol):
    """Decides what goes wrong, for each client and channel. None lets things be.

    before: as a request comes, before it has any effect; a Deed with a body answers in the exchange's stead. after: as its
    answer goes, when the effect is there. push: as a message of a channel goes to a client ("" while it has not logged in).
    """

    def before(self, client: str, request: Request) -> Deed | None: ...

    def after(self, client: str, request: Request, answer: Answer) -> Deed | None: ...

    def push(self, client: str, channel: str, message: bytes) -> Deed | None: ...


class Session(Protocol):
    """Speaks on one socket. client: who has logged in, "" before.

    Frames for the client go out by the `send` it was made with.
    """

    client: str

    def receive(self, frame: str) -> None:
        """Takes a frame of the client."""

    def close(self) -> None:
        """Forgets the socket."""


Send = Callable[[str, bytes], None]
"""Sends a message of a channel, "" for an answer."""


class Dialect(Protocol):
    """Speaks a venue's protocol about one desk."""

    def identify(self, request: Request) -> str:
        """Returns who sends a request, "" for nobody, without an effect."""

    def answer(self, request: Request) -> Answer:
        """Does what a request asks for."""

    def session(self, path: str, send: Send) -> Session | None:
        """Opens a socket's session; None where the dialect has no socket."""

    def tell(self, notices: Iterable[Notice]) -> None:
        """Sends what has happened to those who have subscribed to it."""
