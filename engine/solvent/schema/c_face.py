"""Renders the C face: the header `solvent.h` and what Cython says of it (docs/howto/c.md).

Owns the form of both files. Never adds a word to the schema. The layout's number follows from every field and every word that
they have, so that a build against another layout is refused when it is imported.
"""

from collections.abc import Iterable
from enum import IntEnum, IntFlag
from hashlib import blake2b

from solvent.schema import codes, words
from solvent.schema.layouts import C_TYPES, LAYOUTS

VERSION = 1
"""The number of the functions as a whole; it rises with every change of one."""

STRUCTS = ("command", "event", "extension", "shape")
FAMILIES: tuple[type[IntEnum] | type[IntFlag], ...] = (
    words.CommandType, words.EventType, words.Side, words.Tif, words.Flag, words.Ending, words.Source, words.TriggerKind,
    words.SelfTrade, codes.Code,
)  # fmt: skip
ANSWERS = {
    "NOT_BEGUN": (-1, "the exchange is not C's: solvent_begin gives it, and solvent_end takes it back"),
    "HALTED": (-2, "the exchange has halted, perhaps in this command; Python's calls say why"),
    "BY_PYTHON": (-3, "OPEN_ACCOUNT, ADD_INSTRUMENT and BATCH are sent by Python"),
}
"""The answers of solvent_apply besides the codes, which are zero and above."""


def _words() -> Iterable[tuple[str, int]]:
    for family in FAMILIES:
        for each in family:
            yield f"SOLVENT_{each.name}", int(each)


def layout_number() -> int:
    """Returns a number that changes with every field and word of the face."""
    said = repr([(kind, LAYOUTS[kind]) for kind in STRUCTS]) + repr(list(_words())) + repr(ANSWERS)
    return int.from_bytes(blake2b(said.encode(), digest_size=8).digest(), "little")


def answers() -> str:
    """Renders the answers below zero as members of an enum of the core."""
    return "".join(f"    {name} = {number}\n" for name, (number, _) in ANSWERS.items())


def numbers() -> str:
    """Renders what the core was compiled against."""
    layout = f"#define SOLVENT_FACE_LAYOUT UINT64_C({layout_number():#018x})"
    return f'    """\n    {layout}\n    #define SOLVENT_FACE_VERSION {VERSION}\n    """\n'


def _fields(kind: str, indent: str, end: str) -> str:
    return "".join(f"{indent}{C_TYPES[code]} {name}{end}\n" for name, code in LAYOUTS[kind])


_HEAD = """/* solvent.h: commands in, events out, without the GIL and without a Python object. docs/howto/c.md has an example.

   Rendered from solvent.schema by `python -m solvent.schema.header --write`; never edited by hand. */
#ifndef SOLVENT_H
#define SOLVENT_H
#include <Python.h>
#include <stdint.h>

"""
_FACE = """
typedef struct solvent_exchange solvent_exchange;

typedef struct {              /* of a command; its events are there until the next one, or solvent_end */
    uint64_t order_id;
    int64_t filled_lots;
    int64_t resting_lots;
    int64_t code;
    const solvent_event *events;
    int64_t event_records;
} solvent_answer;

typedef struct {
    uint64_t layout;
    uint64_t version;
    solvent_exchange *(*begin)(PyObject *face);
    int (*end)(solvent_exchange *exchange);
    int (*apply)(solvent_exchange *exchange, const void *command, int64_t records, solvent_answer *answer);
    int64_t (*time_ns)(solvent_exchange *exchange);
} solvent_functions;

static const solvent_functions *solvent_face;

/* Binds this file to the package. Returns -1 with ImportError set if it was compiled against another one. Holds the GIL. */
static inline int solvent_import(void) {
    PyObject *module = PyImport_ImportModule("solvent.native");
    if (module == NULL) return -1;
    const solvent_functions *found = (const solvent_functions *)PyCapsule_Import("solvent.native.functions", 0);
    Py_DECREF(module);
    if (found == NULL) return -1;
    if (found->layout != SOLVENT_LAYOUT || found->version != SOLVENT_VERSION) {
        PyErr_SetString(PyExc_ImportError, "this module was compiled against another solvent; compile it again");
        return -1;
    }
    solvent_face = found;
    return 0;
}

/* Gives an Exchange or a Book to C: until solvent_end its Python calls raise Busy. Returns NULL with an exception set if
   there is no such exchange, if it is busy or halted, or if its commands are kept. Holds the GIL. */
static inline solvent_exchange *solvent_begin(PyObject *face) { return solvent_face->begin(face); }

/* Gives it back to Python; the pointer is dead then. Holds the GIL. */
static inline int solvent_end(solvent_exchange *exchange) { return solvent_face->end(exchange); }

/* Applies one command of 1 to 6 records. Returns its code, or one of the answers below zero; then nothing was done, but
   by SOLVENT_HALTED. One thread at a time; needs no GIL. answer may be NULL. */
static inline int solvent_apply(solvent_exchange *exchange, const void *command, int64_t records, solvent_answer *answer) {
    return solvent_face->apply(exchange, command, records, answer);
}

/* Returns the clock. */
static inline int64_t solvent_time_ns(solvent_exchange *exchange) { return solvent_face->time_ns(exchange); }
#endif
"""


def solvent_h() -> str:
    """Renders the header."""
    out = [_HEAD, f"#define SOLVENT_LAYOUT UINT64_C({layout_number():#018x})\n#define SOLVENT_VERSION {VERSION}\n\nenum {{\n"]
    out += [f"    {name} = {number},\n" for name, number in _words()]
    out += [f"    SOLVENT_{name} = {number},    /* {said} */\n" for name, (number, said) in ANSWERS.items()]
    out.append("};\n")
    for kind in STRUCTS:
        out.append(f"\ntypedef struct {{\n{_fields(kind, '    ', ';')}}} solvent_{kind};\n")
    return "".join(out) + _FACE


def native_pxd() -> str:
    """Renders what `from solvent.native cimport ...` finds."""
    out = [
        "# native: the C face for Cython (docs/howto/c.md); the functions are those of solvent.h.\n#\n"
        "# Rendered from solvent.schema by `python -m solvent.schema.header --write`; never edited by hand.\n\n"
        "from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t\n\n"
        'cdef extern from "solvent.h" nogil:\n    cdef enum:\n'
    ]
    out += [f"        {name}\n" for name, _ in _words()]
    out += [f"        SOLVENT_{name}\n" for name in ANSWERS]
    for kind in STRUCTS:
        out.append(f"    ctypedef struct solvent_{kind}:\n{_fields(kind, '        ', '')}")
    return (
        "".join(out)
        + """    ctypedef struct solvent_exchange:
        pass
    ctypedef struct solvent_answer:
        uint64_t order_id
        int64_t filled_lots
        int64_t resting_lots
        int64_t code
        const solvent_event* events
        int64_t event_records
    int solvent_apply(solvent_exchange* exchange, const void* command, int64_t records, solvent_answer* answer)
    int64_t solvent_time_ns(solvent_exchange* exchange)

cdef extern from "solvent.h":
    int solvent_import() except -1
    solvent_exchange* solvent_begin(object face) except NULL
    int solvent_end(solvent_exchange* exchange)
"""
    )
