"""The way from an exchange to its past, and to what keeps it: a journal on a disk or a recording in memory.

Owns the way from a face to its keeper. Knows no file and no format: `store`, the floor above, puts itself in here.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Protocol, Self

from solvent.schema.codes import EventsDropped, InputError
from solvent.terms.order_words import int_within


class Keeper(Protocol):
    """Applies commands like a kernel, and keeps them."""

    def apply(self, record: bytes) -> int: ...
    def run(self, data: memoryview) -> bytes: ...
    def submit(self, *terms: int, **named: int) -> Any: ...
    def revoke(self, account: int, order_id: int) -> Any: ...
    def at(self, sequence: int) -> Any: ...
    def retold(self) -> Any: ...
    def sync(self) -> None: ...
    def close(self) -> None: ...


class Past:
    """Goes back to earlier states, where the commands are kept."""

    _keeper: Keeper | None = None
    _record: ClassVar[Callable[[Any], Any]]  # set by the package: the store is above this floor
    _kernel: Any
    submit: Callable[..., Any]
    revoke: Callable[..., Any]

    def _keep_by(self, keeper: Keeper) -> None:
        """Sends all commands through a keeper from now on."""
        self._keeper = keeper
        self.submit = keeper.submit
        self.revoke = keeper.revoke

    def record(self) -> Any:
        """Keeps all commands from now on in memory, and returns the Recording (solvent.store.recording).

        `at` then goes back to any moment since. Raises InputError for an exchange that is recorded or has a journal already.

        >>> from solvent import Book
        >>> book = Book()
        >>> recording = book.record()
        >>> ask = book.order(1, "sell", 5, price_ticks=101)
        >>> bid = book.order(2, "buy", 5, price_ticks=101)
        >>> recording.first, recording.last
        (0, 2)
        """
        if self._keeper is not None:
            raise InputError("the commands of this exchange are kept already; go back with at(sequence)")
        return type(self)._record(self)

    def at(self, sequence: int) -> Self:
        """Returns the exchange as it was after a command, as an exchange of its own: what is done to it changes nothing here.

        sequence: the number of the command (command_count then); 0 is the beginning. The commands must have been kept: by
        `record`, or by the journal of solvent.open. Raises InputError if they were not, HistoryGone for a moment that is not
        kept.

        >>> from solvent import Book
        >>> book = Book()
        >>> recording = book.record()
        >>> ask = book.order(1, "sell", 5, price_ticks=101)
        >>> bid = book.order(2, "buy", 5, price_ticks=101)
        >>> book.at(1).depth(), book.depth()
        (([], [(101, 5)]), ([], []))
        """
        if self._keeper is None:
            raise InputError("the commands were not kept: call record() first, or open the exchange with solvent.open(path)")
        found: Self = self._keeper.at(int_within(sequence, "sequence", 0, 2**63 - 1))
        return found

    def _with_events(self) -> Self:
        """Returns this exchange if it holds all its events; else one that was made anew from its commands, if they are kept.

        Raises EventsDropped if neither is there.
        """
        if self._kernel.first_seq == 1:
            return self
        if self._keeper is None:
            raise EventsDropped(
                "the first events are no longer held: use retain=True, or keep the commands by record() or solvent.open"
            )
        found: Self = self._keeper.retold()
        return found

    @property
    def journal(self) -> Any:
        """Returns what keeps the commands: a Journal, a Recording, or None.

        >>> from solvent import Book
        >>> Book().journal is None
        True
        """
        return self._keeper

    def sync(self) -> None:
        """Returns once all commands so far are on the disk, whatever the policy. Without a journal it does nothing.

        Raises JournalFailed, and the exchange halts, if the disk refuses.

        >>> from solvent import Book
        >>> Book().sync()
        """
        if self._keeper is not None:
            self._keeper.sync()

    def close(self) -> None:
        """Syncs and closes the journal, if there is one; commands then raise JournalClosed. `with` does the same at its end.

        >>> from solvent import Book
        >>> with Book() as book:
        ...     ask = book.order(1, "sell", 5, price_ticks=101)
        """
        if self._keeper is not None:
            self._keeper.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
