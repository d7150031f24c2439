"""Cursors: where a reader of events stands.

Owns the place of one reader. Never holds an event: the exchange keeps those that a living cursor waits for.
"""

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from solvent.api.backend import Event
from solvent.schema.codes import WrongType
from solvent.schema.words import EventType

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Cursor"]


class Held(Protocol):
    """An exchange that holds events for cursors."""

    _kernel: Any
    _cursors: Any

    def _iterate(self, begin: int, end: int) -> Iterator[Event]: ...
    def _array(self, begin: int, end: int) -> "np.ndarray[Any, Any]": ...
    def _release(self) -> None: ...
    def cursor(self, *types: EventType, begin: int | None = None) -> "Cursor": ...


class Cursor:
    """Reads events from where it was made. Each iteration takes the events that came since the last one. Not thread-safe.

    An iteration ends with the events that were there when it began. Events that the loop causes come in the next one.

    types: EventTypes to keep; none keeps all. With retain=False the engine holds events until every living cursor has read
    them.
    """

    def __init__(self, face: "Held", types: tuple[EventType, ...], begin: int):
        self._face = face
        self._types = frozenset(types)
        self.seq = begin

    def __iter__(self) -> Iterator[Event]:
        end = self._face._kernel.next_seq
        events = self._face._iterate(self.seq, end)
        self.seq = end  # only now: what raised Busy can be read later
        self._face._release()
        if not self._types:
            return events
        return (event for event in events if event.type in self._types)

    def array(self) -> "np.ndarray[Any, Any]":
        """Returns the records of all types that came since, as a structured array that shares and pins the engine's memory."""
        end = self._face._kernel.next_seq
        view = self._face._array(self.seq, end)
        self.seq = end
        self._face._release()
        return view

    def __copy__(self) -> "Cursor":
        return self._face.cursor(*self._types, begin=self.seq)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Cursor":
        return copy.copy(self)

    def __reduce__(self) -> NoReturn:
        raise WrongType("a Cursor reads a living exchange; pickle its `seq`, and make another with ex.cursor(begin=seq)")

    def close(self) -> None:
        """Stops holding events. Forgetting the cursor does the same."""
        self._face._cursors.discard(self)
        self._face._release()

    def __del__(self) -> None:
        if hasattr(self, "_face"):
            self._face._release()
