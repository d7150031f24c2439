"""The door to solvent on the readable twin, the whole core in pure Python: same commands, events and digest, slower.

`solvent.reference.Exchange` and `Book` run where nothing compiles. twin/contract/valuation.py and twin/account/margin.py tell
what an account needs. twin/liquidation tells what happens to an account that has less.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solvent.api import backend, book, exchange
from solvent.terms.instrument import Instrument

if TYPE_CHECKING:
    from solvent.store.replay import Replay

__all__ = ["Book", "Exchange", "open", "replay"]


class _Reference:
    @classmethod
    def _load_kernel(cls) -> Any:
        return backend.readable_kernel()


class Exchange(_Reference, exchange.Exchange):
    """Runs solvent.Exchange in pure Python: the same methods, events and digest."""


class Book(_Reference, book.Book):
    """Runs solvent.Book in pure Python: the same methods, events and digest."""


def open(path: str | Path, instruments: Iterable[Instrument] | None = None, **terms: Any) -> exchange.Exchange:
    """Opens a journal on the readable twin. The terms are those of solvent.open; either kernel reads what the other wrote."""
    from solvent.store import opening, recovery

    return opening.open(path, instruments, kinds=recovery.Kinds(Exchange, Book, False), **terms)


def replay(path: str | Path) -> "Replay":
    """Opens a journal on the readable twin, to look at any moment of it (solvent.replay)."""
    from solvent.store import opening, recovery

    return opening.replayed(path, recovery.Kinds(Exchange, Book, False))
