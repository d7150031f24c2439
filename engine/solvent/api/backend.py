"""The one switch: the compiled core where there is one, the readable twin where it is asked for.

Owns the choice of the kernel and of the class of its events. Nothing else of the package imports `_core` or `twin`.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from solvent.schema import events
from solvent.schema.events import PAYLOAD, text_of
from solvent.schema.layouts import EVENT, EVENT_FIELDS, RECORD_BYTES, layout
from solvent.schema.words import EventType

__all__ = ["Event", "compiled_kernel", "decode", "readable_kernel"]

if TYPE_CHECKING:
    from solvent.schema.events import Event
else:
    try:
        from solvent._core.base.event_view import Event, bind

        bind(EventType, EVENT_FIELDS, PAYLOAD, text_of)
    except ImportError:
        Event = events.Event


def compiled_kernel() -> Any:
    """The compiled kernel class, whose layouts must be this package's. Raises ImportError with what to do."""
    try:
        from solvent._core import kernel
        from solvent._core.base import schema as compiled
    except ImportError as error:
        raise ImportError(
            "the compiled core is missing; build it (pip install . in the checkout), or say so and use "
            "solvent.reference.Exchange, the slower twin in pure Python"
        ) from error
    if compiled.layout() != {kind: layout(kind) for kind in compiled.layout()}:
        raise ImportError("the compiled core has other record layouts than this package; rebuild it")
    return kernel.Kernel


def readable_kernel() -> Any:
    """The kernel class of the twin."""
    from solvent.twin.kernel import Kernel

    return Kernel


def decode(data: bytes | memoryview) -> Iterator[Event]:
    """Events of consecutive records; the second record of one that takes two is its `extra`."""
    at = 0
    while at < len(data):
        record = EVENT.unpack_from(data, at)
        size = RECORD_BYTES * max(1, record[1])
        yield Event(record, bytes(data[at + RECORD_BYTES : at + size]))
        at += size
