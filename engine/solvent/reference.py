"""Door: the faces of solvent on the readable twin, the whole core in pure Python: same commands, events and digest, slower.

`solvent.reference.Exchange` and `Book` run where nothing compiles. Read twin/contract/valuation.py and twin/account/margin.py
for what an account needs, twin/liquidation for what happens to one that does not have it.
"""

from typing import Any

from solvent.api import backend, book, exchange


class _Reference:
    @classmethod
    def _load_kernel(cls) -> Any:
        return backend.readable_kernel()


class Exchange(_Reference, exchange.Exchange):
    """solvent.Exchange in pure Python: the same face, events and digest; see there."""


class Book(_Reference, book.Book):
    """solvent.Book in pure Python: the same face, events and digest; see there."""
