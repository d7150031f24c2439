"""The way from an exchange to its journal, if it has one.

Owns the way from a face to its keeper. Knows no file and no format: `store`, the floor above, does.
"""

from collections.abc import Callable
from typing import Any, Protocol, Self


class Keeper(Protocol):
    """Applies commands like a kernel, and keeps them."""

    def apply(self, record: bytes) -> int: ...
    def run(self, data: memoryview) -> bytes: ...
    def submit(self, *terms: int, **named: int) -> Any: ...
    def revoke(self, account: int, order_id: int) -> Any: ...
    def sync(self) -> None: ...
    def close(self) -> None: ...


class Past:
    """Sends commands through what keeps them."""

    _keeper: Keeper | None = None
    _kernel: Any
    submit: Callable[..., Any]
    revoke: Callable[..., Any]

    def _keep_by(self, keeper: Keeper) -> None:
        """Sends all commands through a keeper from now on."""
        self._keeper = keeper
        self.submit = keeper.submit
        self.revoke = keeper.revoke

    @property
    def journal(self) -> Any:
        """Returns what keeps the commands: a Journal, or None.

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
