"""The door to solvent on the readable twin, the whole core in pure Python: same commands, events and digest, slower.

`solvent.reference.Exchange` and `Book` run where nothing compiles. twin/contract/valuation.py and twin/account/margin.py tell
what an account needs. twin/liquidation tells what happens to an account that has less.
"""

from typing import Any

from solvent.api import backend, book, exchange


class _Reference:
    @classmethod
    def _load_kernel(cls) -> Any:
        return backend.readable_kernel()


class Exchange(_Reference, exchange.Exchange):
    """Runs solvent.Exchange in pure Python: the same methods, events and digest."""


class Book(_Reference, book.Book):
    """Runs solvent.Book in pure Python: the same methods, events and digest."""
