"""The readable twin: the whole core in pure Python, same commands, events and digest, and slower.

`solvent.reference.Exchange` is a drop-in Exchange that runs where nothing compiles. Read margin.py for what
an account needs, liquidation.py for what happens to one that does not have it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solvent.reference.exchange import Exchange as Exchange


def __getattr__(name: str) -> Any:
    if name == "Exchange":
        from solvent.reference.exchange import Exchange

        return Exchange
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
