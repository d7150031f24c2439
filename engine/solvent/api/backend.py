"""The one switch: the compiled core by default, the readable twin on request.

Owns the choice of the kernel, of the class of its events and of the checksum. Nothing else in the package imports `_core` or
`twin`.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from solvent.schema import events
from solvent.schema.events import PAYLOAD, text_of
from solvent.schema.layouts import EVENT, EVENT_FIELDS, RECORD_BYTES, layout
from solvent.schema.words import EventType

__all__ = ["Event", "c_functions", "checksum", "compiled_crowd", "compiled_kernel", "decode", "quick_for", "readable_kernel"]

if TYPE_CHECKING:
    from solvent.schema.events import Event
else:
    try:
        from solvent._core.base.event_view import Event, bind

        bind(EventType, EVENT_FIELDS, PAYLOAD, text_of)
    except ImportError:
        Event = events.Event

try:
    from solvent._core.base.checksum import checksum
except ImportError:
    from solvent.twin.base.checksum import checksum


def compiled_kernel() -> Any:
    """Returns the compiled kernel class. Raises ImportError, with advice, if it is missing or has other record layouts."""
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


def c_functions() -> Any:
    """Returns the capsule of the C face. Raises ImportError, with advice, if the compiled core is missing."""
    compiled_kernel()
    from solvent._core import native

    return native.functions


def compiled_crowd(face: Any) -> Any:
    """Returns the crowd for worlds that are exchanges like one; None if their kernel is the twin."""
    if f"{type(face._kernel).__module__}.{type(face._kernel).__name__}" != "solvent._core.kernel.Kernel":
        return None
    from solvent._core import crowd

    return crowd.advance


def quick_for(kernel: Any) -> Any:
    """Returns the short way of plain orders to a kernel; None if it has none, as the twin and whatever stands before one."""
    if f"{type(kernel).__module__}.{type(kernel).__name__}" != "solvent._core.kernel.Kernel":
        return None
    from solvent._core.named import quick_order

    return quick_order


def readable_kernel() -> Any:
    """Returns the kernel class of the twin."""
    from solvent.twin.kernel import Kernel

    return Kernel


def decode(data: bytes | memoryview) -> Iterator[Event]:
    """Yields the events of consecutive records. A second record becomes the `extra` of its event."""
    at = 0
    while at < len(data):
        record = EVENT.unpack_from(data, at)
        size = RECORD_BYTES * max(1, record[1])
        yield Event(record, bytes(data[at + RECORD_BYTES : at + size]))
        at += size
