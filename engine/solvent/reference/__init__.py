"""The readable twin: the whole core in pure Python, same commands, events and digest, and slower.

`solvent.reference.Exchange` and `Book` are drop-in ones that run where nothing compiles. Read margin.py for what
an account needs, liquidation.py for what happens to one that does not have it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solvent.reference.exchange import Book as Book
    from solvent.reference.exchange import Exchange as Exchange


def __getattr__(name: str) -> Any:
    if name in ("Exchange", "Book"):
        from solvent.reference import exchange

        return getattr(exchange, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
