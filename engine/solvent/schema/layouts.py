"""Layouts: commands, events and their second records have 64 bytes each, the same in both kernels and in NumPy.

Owns the place of every field; docs/reference/records.md explains its meaning. The compiled structs are rendered from here
(schema/header.py). Never interprets a record. Importing this module does not import NumPy.
"""

import struct
from typing import TYPE_CHECKING, Any

from solvent.schema.codes import InputError, shown

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "BRACKET", "BRACKET_FIELDS",
    "COMMAND", "COMMAND_FIELDS", "CONTINUED", "EVENT", "EVENT_FIELDS", "EXTENSION", "EXTENSION_FIELDS", "NOBODY",
    "NO_INSTRUMENT", "RECORD_BYTES", "SHAPE", "SHAPE_FIELDS", "TERMS", "TERMS_FIELDS", "dtype", "layout",
]  # fmt: skip

RECORD_BYTES = 64
CONTINUED = 0xFFFF
NO_INSTRUMENT = 0xFFFFFFFF
NOBODY = 0xFFFFFFFF

LAYOUTS: dict[str, tuple[tuple[str, str], ...]] = {
    "command": (
        ("type", "H"), ("records", "B"), ("side", "B"), ("account", "I"), ("instrument", "I"), ("tif", "B"), ("flags", "B"),
        ("mode", "H"), ("time_ns", "q"), ("price_ticks", "q"), ("size_lots", "q"), ("client_id", "Q"), ("order_id", "Q"),
        ("amount", "q"),
    ),
    "event": (
        ("type", "H"), ("records", "B"), ("side", "B"), ("account", "I"), ("instrument", "I"), ("code", "H"), ("reason", "H"),
        ("seq", "Q"), ("a", "q"), ("b", "q"), ("c", "q"), ("d", "q"), ("e", "q"),
    ),
    "extension": (
        ("trigger_ticks", "q"), ("trail", "q"), ("expiry_ns", "q"), ("unused_lots", "q"), ("unused_ticks", "q"),
        ("slippage_ppb", "q"), ("group_id", "q"), ("trigger_source", "B"), ("trigger_kind", "B"), ("unused_word", "B"),
        ("hedge_side", "B"), ("group_role", "B"), ("trigger_flags", "B"), ("tag", "H"),
    ),
    "shape": (
        ("display_lots", "q"), ("display_most_lots", "q"), ("step_ticks", "q"), ("offset_ticks", "q"), ("unused_first", "q"),
        ("unused_second", "q"), ("unused_third", "q"), ("peg", "B"), ("shape_flags", "B"), ("unused_short", "H"),
        ("unused_int", "I"),
    ),
    "bracket": (
        ("target_ticks", "q"), ("target_trigger_ticks", "q"), ("stop_ticks", "q"), ("stop_trigger_ticks", "q"),
        ("unused_first", "q"), ("unused_second", "q"), ("unused_third", "q"), ("target_source", "B"), ("stop_source", "B"),
        ("arm", "B"), ("unused_byte", "B"), ("unused_int", "I"),
    ),
    "terms": (
        ("type", "H"), ("records", "B"), ("trigger_source", "B"), ("trigger_kind", "B"), ("trigger_flags", "B"),
        ("stp_mode", "B"), ("hedge_side", "B"), ("trigger_ticks", "q"), ("trail", "q"), ("expiry_ns", "q"), ("stp_group", "q"),
        ("reference_ticks", "q"), ("slippage_ppb", "q"), ("spare_too", "q"),
    ),
}  # fmt: skip
"""The names of each record's fields and their codes (module struct), in order. `extension` is the second record of an ORDER,
`shape` the third one if its flags say so. `bracket` comes behind them if the role says so, and second in an ATTACH. `terms` is
the second record of an ACCEPTED.
"""

C_TYPES = {"H": "uint16_t", "B": "uint8_t", "I": "uint32_t", "q": "int64_t", "Q": "uint64_t"}
_NUMPY = {"H": "<u2", "B": "u1", "I": "<u4", "q": "<i8", "Q": "<u8"}


def _struct(kind: str) -> struct.Struct:
    return struct.Struct("<" + "".join(code for _, code in LAYOUTS[kind]))


def _fields(kind: str) -> tuple[str, ...]:
    return tuple(name for name, _ in LAYOUTS[kind])


COMMAND, EVENT, EXTENSION, TERMS = _struct("command"), _struct("event"), _struct("extension"), _struct("terms")
SHAPE, BRACKET = _struct("shape"), _struct("bracket")
COMMAND_FIELDS, EVENT_FIELDS = _fields("command"), _fields("event")
EXTENSION_FIELDS, TERMS_FIELDS = _fields("extension"), _fields("terms")
SHAPE_FIELDS, BRACKET_FIELDS = _fields("shape"), _fields("bracket")


def layout(kind: str) -> dict[str, tuple[int, int]]:
    """Returns {field: (offset, bytes)} of a kind of record, as this module has it; "" is the whole record."""
    offset = 0
    fields = {}
    for name, code in LAYOUTS[kind]:
        fields[name] = (offset, struct.calcsize("<" + code))
        offset += fields[name][1]
    return fields | {"": (0, offset)}


def dtype(kind: str) -> "np.dtype[Any]":
    """Returns the NumPy dtype of "command", "event", "extension", "shape", "bracket" or "terms" records.

    Raises InputError for any other word.

    >>> dtype("event").itemsize
    64
    """
    import numpy as np

    if not isinstance(kind, str) or kind not in LAYOUTS:
        raise InputError(f"there are {', '.join(LAYOUTS)} records, not {shown(kind)}")
    return np.dtype([(name, _NUMPY[code]) for name, code in LAYOUTS[kind]])
