"""The faces of solvent on the reference kernel."""

from typing import Any

from solvent import book, exchange


class _Reference:
    @classmethod
    def _load_kernel(cls) -> Any:
        from solvent.reference.kernel import Kernel

        return Kernel


class Exchange(_Reference, exchange.Exchange):
    """solvent.Exchange in pure Python: the same face, events and digest; see there."""


class Book(_Reference, book.Book):
    """solvent.Book in pure Python: the same face, events and digest; see there."""
