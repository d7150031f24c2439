"""Renders every file that repeats the schema: the core's headers, both kernels' emitters, tables of docs/reference/records.md.

Owns the form of those files, which are committed. tests/test_schema.py compares them with a fresh rendering. Never adds
anything to the schema. `python -m solvent.schema.header --write` writes the files.
"""

import sys
from collections.abc import Callable, Iterable
from dataclasses import fields
from enum import IntEnum, IntFlag
from pathlib import Path

from solvent.schema import c_face, codes, columns, limits, words
from solvent.schema.answers import ANSWERS
from solvent.schema.commands import COMMANDS, Asked, places
from solvent.schema.events import EVENTS
from solvent.schema.layouts import C_TYPES, CONTINUED, LAYOUTS, NO_INSTRUMENT, NOBODY, RECORD_BYTES
from solvent.schema.limits import RATE
from solvent.schema.states import ADMITS, COLUMNS, STATES, change
from solvent.schema.terms import CallTerms, InstrumentTerms, LimitTerms, ModelTerms, RuleTerms, Terms, plain_of
from solvent.schema.words import EventType

ROOT = Path(__file__).parents[3]
CORE = "ext/solvent/_core"
BANNER = "Rendered from solvent.schema by `python -m solvent.schema.header --write`; never edited by hand."
WIDTH = 127
PYTHON_ONLY = {"MarginOf", "Step"}  # steps have the names of events; the core has them in liquidation/case
ENUMS: tuple[type[IntEnum] | type[IntFlag], ...] = (
    *(getattr(words, name) for name in words.__all__ if name not in PYTHON_ONLY), codes.Code
)  # fmt: skip
NUMBERS = {
    "RECORD_BYTES": RECORD_BYTES, "NAME_BYTES": limits.NAME_BYTES, "CLIENT_TEXT_MAX": limits.CLIENT_TEXT_MAX,
    "CONTINUED": CONTINUED, "NO_INSTRUMENT": NO_INSTRUMENT, "NOBODY": NOBODY, "SOURCES": len(words.Source),
}  # fmt: skip
LIMITS = {name: value for name, value in vars(limits).items() if name.isupper()} | {"STEPS_MAX": len(words.Step)}
PLAIN_INTS = (words.Side, words.Purse)  # indices; a named enum is none in Cython
_FROM_SCHEMA = "from solvent._core.base.schema cimport (\n    "
STRUCTS = {
    "Command": "command",
    "Event": "event",
    "Extension": "extension",
    "Shape": "shape",
    "BracketTerms": "bracket",
    "AcceptedTerms": "terms",
}


def wrapped(parts: Iterable[str], first: str, indent: str, end: str = "") -> str:
    """Joins words to lines of at most WIDTH characters: the first line begins with `first`, the others with `indent`."""
    lines, line = [], first
    for part in parts:
        if len(line.rsplit("\n", 1)[-1]) + len(part) + 2 > WIDTH:
            lines.append(line.rstrip())
            line = indent
        line += part + " "
    return "\n".join([*lines, line.rstrip() + end])


def _summary(thing: type) -> str:
    """Returns the first line of a class's own docstring, without its full stop."""
    return (thing.__dict__.get("__doc__") or "").split("\n")[0].rstrip(".")


# --- the compiled core -------------------------------------------------------------------------------------------------


def _names() -> list[str]:
    return [str(each.name) for family in ENUMS for each in family]


def _enum(family: type[IntEnum] | type[IntFlag]) -> str:
    doc = _summary(family)
    name = "" if family in PLAIN_INTS else f" {family.__name__}"
    lines = [f"cdef enum{name}:" + (f"  # {doc}" if doc else "")]
    return "\n".join([*lines, *(f"    {each.name} = {int(each)}" for each in family)])


def schema_pxd() -> str:
    """Numbers and layouts, as the core has them."""
    out = [
        f"# schema: the numbers of every word, and the layouts of the records of 64 bytes.\n#\n# {BANNER}\n"
        "# Owns: what solvent.schema says, for the compiled core. Never: interprets a record.\n"
        "# Invariant: the layouts equal solvent.records (compared when the kernel is loaded).",
        "from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t",
        "cdef enum:\n" + "\n".join(f"    {name} = {number:#x}" if number > 2**15 else f"    {name} = {number}"
                                    for name, number in NUMBERS.items()),
    ]  # fmt: skip
    for name, kind in STRUCTS.items():
        fields = "\n".join(f"    {C_TYPES[code]} {field}" for field, code in LAYOUTS[kind])
        out.append(f"cdef struct {name}:\n{fields}")
    return "\n\n".join([*out, *(_enum(family) for family in ENUMS)]) + "\n"


def schema_pyx() -> str:
    """Renders the compiled layouts and numbers, which a test compares."""
    out = [
        f'"""The compiled layouts and numbers, readable from Python; see schema.pxd.\n\n{BANNER}\n"""\n',
        wrapped(
            [f"{name}," for name in sorted([*STRUCTS, *_names()])],
            _FROM_SCHEMA, "    ", "\n)",
        ),
        '\n\ndef layout():\n    """{kind of record: {field: (offset, bytes)}} as compiled."""',
    ]  # fmt: skip
    out += [f"    cdef {name} {kind}" for name, kind in STRUCTS.items()]
    out.append("    return {")
    for kind in STRUCTS.values():
        out.append(f'        "{kind}": {{')
        out += [
            f'            "{name}": (<char*>&{kind}.{name} - <char*>&{kind}, sizeof({kind}.{name})),'
            for name, _ in LAYOUTS[kind]
        ]
        out += [f'            "": (0, sizeof({kind})),', "        },"]
    out += ["    }", '\n\ndef numbers():\n    """{name: number} of every word."""']
    names = [f'"{name}": {name},' for name in _names()]
    out.append(wrapped(names, "    return {\n        ", "        ", "\n    }"))
    return "\n".join(out) + "\n"


def _command_struct(asked: type[Asked]) -> str:
    by_place = {place: name for name, place in places(asked).items()}
    fields = [f"    {C_TYPES[code]} {by_place.get(place, f'unused_{place}')}" for place, code in LAYOUTS["command"]]
    return f"cdef struct {asked.__name__}:  # {_summary(asked)}\n" + "\n".join(fields)


def commands_pxd() -> str:
    """Renders a struct for each command, and the record that is any of them."""
    out = [
        f"# commands: a struct for each command, laid out as its record; its names say what each field is.\n#\n# {BANNER}\n"
        "# Owns: those names (solvent.schema.commands). Never: decides whether a command is allowed.\n"
        "# Invariant: every struct is one record; the kernel looks at its type and hands the right one on.",
        "from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t\n"
        "from solvent._core.base.schema cimport Command, Extension",
        *(_command_struct(asked) for asked in COMMANDS.values()),
    ]
    members = [f"    {asked.__name__} {kind.name.lower()}" for kind, asked in COMMANDS.items()]
    union = ["cdef union Request:  # one record of a command", "    Command record", "    Extension extension", *members]
    return "\n\n".join([*out, "\n".join(union)]) + "\n"


_PARAMETERS = dict(LAYOUTS["event"])
_ARGUMENTS = tuple(name for name, _ in LAYOUTS["event"] if name not in ("type", "records", "seq"))


def _c_emitter(kind: EventType) -> str:
    said = {each.place: name for name, each in EVENTS[kind].items()}
    parameters = ["EventLog* log"] + [f"{C_TYPES[_PARAMETERS[each.place]]} {name}" for name, each in EVENTS[kind].items()]
    head = wrapped(
        [f"{each}," for each in parameters[:-1]] + [parameters[-1]], f"cdef inline Event* emit_{kind.name.lower()}(\n    ",
        "    ", "\n) noexcept nogil:",
    )  # fmt: skip
    values = [said.get(place, "0") for place in _ARGUMENTS]
    calls = [f"{each}," for each in ("log", kind.name, *values[:-1])] + [values[-1]]
    return head + "\n" + wrapped(calls, "    return append(", "        ", ")")


def _record(before: str, after: str) -> Callable[[], str]:
    """Renders all fields of an event record, in parentheses, within a line of Cython."""
    fields = [f"r.{name}," for name, _ in LAYOUTS["event"]]
    return lambda: wrapped([*fields[:-1], fields[-1][:-1]], f"        {before}(", "         ", f"){after}") + "\n"


def emit_pxd() -> str:
    """Renders an emitter for each event."""
    return "\n\n\n".join([
        f"# emit: an emitter for each type of event, whose parameters have the names of its fields.\n#\n# {BANNER}\n"
        "# Owns: which field of the record each name is (solvent.schema.events). Never: knows why something happens.\n"
        "# Each returns the event, for what its caller adds; NULL when nobody wants its type. Cost: that of `append`.\n\n"
        "from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t\n"
        "from solvent._core.base.event_log cimport EventLog, append\n"
        + wrapped([f"{each.name}," for each in EVENTS] + ["Event,"], _FROM_SCHEMA, "    ", "\n)"),
        *(_c_emitter(kind) for kind in EVENTS),
    ]) + "\n"  # fmt: skip


# --- the readable twin -------------------------------------------------------------------------------------------------


_TWO_RECORDS = (EventType.ACCEPTED, EventType.ACCOUNT_OPENED, EventType.INSTRUMENT_ADDED, EventType.CLIENT_ID_NAMED)


def _python_emitter(kind: EventType) -> str:
    parameters = ["self,", *(["*,"] if EVENTS[kind] else []), *(f"{name}: int," for name in EVENTS[kind])]
    said = {each.place: name for name, each in EVENTS[kind].items()}
    values = [f"EventType.{kind.name},", *(f"{said.get(place, '0')}," for place in _ARGUMENTS)]
    if kind in _TWO_RECORDS:
        parameters.append('second: bytes = b"",')
        values.append("second=second,")
    head = f"    def emit_{kind.name.lower()}(\n        "
    return (
        wrapped(parameters, head, "        ", "\n    ) -> None:  # fmt: skip") + "\n"
        + wrapped(values, "        self.append(\n            ", "            ", "\n        )  # fmt: skip")
    )  # fmt: skip


def emit_py() -> str:
    """Renders the same emitters for the twin's log."""
    head = (
        f'"""An emitter for each type of event, whose parameters have the names of its fields.\n\n{BANNER}\nOwns which field '
        'of the record each name is (solvent.schema.events). Never knows why something happens.\n"""\n\n'
        "from solvent.schema.words import EventType\nfrom solvent.twin.base.event_log import Log\n\n\n"
        'class Emitter(Log):\n    """The log of an exchange, as those who write to it see it."""\n'
    )
    return head + "\n" + "\n\n".join(_python_emitter(kind) for kind in EVENTS) + "\n"


# --- docs/reference/records.md -----------------------------------------------------------------------------------------


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]]) + "\n"


def _command_rows() -> Iterable[tuple[str, ...]]:
    for kind, asked in COMMANDS.items():
        said = [name if name == place else f"{name} = {place}" for name, place in places(asked).items()]
        yield str(int(kind)), kind.name, ", ".join(said[3:]) or "none", " ".join((asked.__doc__ or "").split())


def _event_rows() -> Iterable[tuple[str, ...]]:
    for kind, said in EVENTS.items():
        names = [
            (name if name == each.place else f"{name} = {each.place}") + (f" ({each.words.__name__})" if each.words else "")
            for name, each in said.items()
        ]
        yield str(int(kind)), kind.name, ", ".join(names) or "none"


def commands_table() -> str:
    """Renders the table of commands."""
    return _table(("number", "name", "fields beside `type`, `records`, `time_ns`", "what it asks"), _command_rows())


def events_table() -> str:
    """Renders the table of events."""
    return _table(("number", "name", "what it says"), _event_rows())


def words_table() -> str:
    """Renders the table of words."""
    rows = (
        (family.__name__, _summary(family), ", ".join(f"{int(each)} {each.name}" for each in family))
        for family in ENUMS
        if family not in (words.CommandType, words.EventType, codes.Code)
    )
    return _table(("word", "says", "numbers"), rows)


def codes_table() -> str:
    """Renders the table of codes with their hints."""
    return _table(("number", "name", "what to do"), ((str(int(c)), c.name, codes.HINTS[c]) for c in codes.Code))


def answers_table() -> str:
    """Renders the table of possible codes by command."""
    rows = ((kind.name, ", ".join(code.name for code in sorted(found))) for kind, found in ANSWERS.items())
    return _table(("command", "codes"), rows)


def states_table() -> str:
    """Renders what each state of a market admits."""
    words = {number: name for name, number in STATES.items()}
    return _table(("state", *COLUMNS), ((words[state], *ADMITS[state]) for state in STATES.values()))


def changes_table() -> str:
    """Renders what each change of state does."""
    rows = ((name, *(change(before, after) for after in STATES.values())) for name, before in STATES.items())
    return _table(("from, to", *STATES), rows)


# --- all of it ---------------------------------------------------------------------------------------------------------

# --- terms -------------------------------------------------------------------------------------------------------------


def _plain(kind: type[Terms]) -> list[tuple[str, str, str]]:
    """Returns name, C type and note of every term that is a whole number, the widest first."""
    found = [(each.name, each.metadata["c"], each.metadata["note"]) for each in fields(kind) if "c" in each.metadata]
    return sorted(found, key=lambda each: -int(each[1].strip("uint_")))


def c_fields(kind: type[Terms]) -> Callable[[], str]:
    """Renders the terms as fields of a struct."""
    lines = [(f"    {c_type} {name}", note) for name, c_type, note in _plain(kind)]
    return lambda: "".join(f"{line:34} # {note}\n" if note else line + "\n" for line, note in lines)


def c_reading(kind: type[Terms], target: str, source: str) -> Callable[[], str]:
    """Reads the terms of an object by their names into such a struct."""
    return lambda: "".join(f"{target}.{name} = {source}.{name}\n" for name in plain_of(kind))


def c_limits(*names: str) -> Callable[[], str]:
    """Renders limits as members of an enum, which may count the items of an array."""
    return lambda: "".join(f"    {name} = {LIMITS[name]}\n" for name in names)


def c_wide_limits(*names: str) -> Callable[[], str]:
    """Renders limits as macros of 64 bits."""
    return lambda: "".join(f"    #define SOLVENT_{name} INT64_C({LIMITS[name]})\n" for name in names)


def c_columns() -> str:
    """Renders a struct for each kind of row of int64 columns."""
    kinds = (("Position", columns.POSITION), ("Liquidation", columns.LIQUIDATION), ("Account", columns.ACCOUNT))
    rows = {name: [f"    int64_t {column}\n" for column in kind.names or ()] for name, kind in kinds}
    return "\n".join(f"cdef struct {name}Columns:\n{''.join(lines)}" for name, lines in rows.items())


def step_numbers() -> str:
    """Renders the steps of a liquidation as members of an enum."""
    return "".join(f"    {step.name} = {step}\n" for step in words.Step)


def contract_fields() -> str:
    """Renders the terms as fields of the twin's Contract."""
    lines = [(f"    {each.name}: int", each.metadata["note"]) for each in fields(InstrumentTerms) if "c" in each.metadata]
    return "".join(f"{line}  # {note}\n" if note else line + "\n" for line, note in lines)


def rule_fields() -> str:
    """Renders the plain fields of a RuleSet, with their defaults."""
    found = []
    for each in fields(RuleTerms):
        if "needed" not in each.metadata:
            continue
        kind = "bool" if each.type is bool else "int"
        value = "RATE // 20" if each.default == RATE // 20 else "RATE" if each.default == RATE else str(each.default)
        default = "" if each.metadata["needed"] else f" = {value}"
        found += [] if each.name in RuleTerms.words else [f"    {each.name}: {kind}{default}\n"]
    return "".join(found)


FILES: dict[str, Callable[[], str]] = {
    f"{CORE}/base/schema.pxd": schema_pxd,
    f"{CORE}/base/schema.pyx": schema_pyx,
    f"{CORE}/base/commands.pxd": commands_pxd,
    f"{CORE}/base/emit.pxd": emit_pxd,
    "engine/solvent/twin/base/emit.py": emit_py,
    "engine/solvent/include/solvent.h": c_face.solvent_h,
    "engine/solvent/native.pxd": c_face.native_pxd,
}
"""Whole files."""
SECTIONS: dict[str, dict[str, Callable[[], str]]] = {
    f"{CORE}/contract/valuation.pxd": {
        "terms": c_fields(InstrumentTerms), "calls": c_fields(CallTerms),
    },
    f"{CORE}/contract/price_model.pxd": {
        "limits": c_limits("FINE", "SOURCES_MAX", "CATCH_UP_MAX"), "terms": c_fields(ModelTerms),
    },
    f"{CORE}/contract/price_model.pyx": {
        "limits": c_wide_limits("YEAR_NS", "ANNUAL_MAX"), "terms": c_reading(ModelTerms, "    p", "model"),
    },
    f"{CORE}/account/margin.pxd": {"limits": c_limits("STEPS_MAX"), "terms": c_fields(RuleTerms)},
    f"{CORE}/liquidation/case.pxd": {"steps": step_numbers},
    f"{CORE}/contract/order_limits.pxd": {"limits": c_limits("MESSAGES_MAX"), "terms": c_fields(LimitTerms)},
    f"{CORE}/contract/order_limits.pyx": {"limits": c_limits("ACCOUNTS_MAX")},
    f"{CORE}/recorder.pxd": {"limits": c_limits("BATCH_RECORDS_MAX")},
    f"{CORE}/native.pxd": {"answers": c_face.answers},
    f"{CORE}/native.pyx": {"layout": c_face.numbers},
    f"{CORE}/batch.pxd": {"limits": c_limits("BATCH_MAX", "MEMBER_RECORDS_MAX")},
    f"{CORE}/roster.pyx": {
        "rules": c_reading(RuleTerms, "        self.s.rules", "rules"),
        "capacity": c_limits("INSTRUMENTS_MAX"), "terms": c_reading(InstrumentTerms, "        ins", "spec"),
        "limits": c_reading(LimitTerms, "        limits", "terms"),
        "calls": c_reading(CallTerms, "            ins.calls", "spec.calls"),
    },
    f"{CORE}/kernel.pyx": {"limits": c_limits("RECORDS_MAX")},
    f"{CORE}/base/money.pxd": {"limits": c_wide_limits("RATE", "COLLATERAL_MAX", "MONEY_MAX")},
    f"{CORE}/market/order_pool.pxd": {"limits": c_limits("ORDERS_MAX", "REDUCE_ONLY_MAX", "TRIGGERED_MAX")},
    f"{CORE}/market/client_ids.pxd": {"limits": c_limits("CLIENT_ID_WINDOW")},
    f"{CORE}/market/triggers.pxd": {"limits": c_limits("TRAILING_MAX", "PEGGED_MAX")},
    f"{CORE}/market/timers.pxd": {"limits": c_limits("TIMERS_MAX")},
    f"{CORE}/market/book.pxd": {"limits": c_limits("BOOK_ITEMS_MAX")},
    f"{CORE}/market/peaks.pxd": {"limits": c_limits("ALL_OR_NONE_MAX")},
    f"{CORE}/trade/shapes.pyx": {"limits": c_limits("PARTS_MAX", "ALL_OR_NONE_MAX")},
    f"{CORE}/account/ledger.pxd": {"limits": c_limits("FIRST_USER", "ACCOUNTS_MAX")},
    f"{CORE}/account/fees.pxd": {"limits": c_limits("VOLUME_DAYS")},
    f"{CORE}/account/fees.pyx": {"limits": c_wide_limits("DAY_NS", "VOLUME_MAX")},
    f"{CORE}/venue/account_commands.pyx": {"limits": c_wide_limits("LEVERAGE_PARTS_MAX", "LEVERAGE_TIMES_MAX")},
    f"{CORE}/rows.pxd": {"columns": c_columns},
    f"{CORE}/sound.pyx": {"limits": c_limits("INSTRUMENTS_MAX", "CURRENCIES_MAX")},
    "engine/solvent/twin/contract/valuation.py": {"terms": contract_fields},
    "engine/solvent/terms/rule_set.py": {"rules": rule_fields},
    f"{CORE}/base/event_view.pyx": {"taken": _record("", " = record"), "given": _record("return ", "")},
    "docs/reference/states.md": {"states": states_table, "changes": changes_table},
    "docs/reference/records.md": {
        "commands": commands_table, "events": events_table, "words": words_table, "codes": codes_table,
        "answers": answers_table,
    },
}  # fmt: skip
"""Parts of files, between a line that ends with `rendered: <name>` and one that ends with `rendered: end` (in a comment)."""


def filled(text: str, name: str, content: str) -> str:
    """Returns a file with one of its rendered parts as it should be. Raises ValueError if it has no such part."""
    lines = text.splitlines(keepends=True)
    marks = [i for i, line in enumerate(lines) if line.rstrip(" */->\n").endswith(f"rendered: {name}")]
    if len(marks) != 1:
        raise ValueError(f"there are {len(marks)} parts {name!r}")
    begin = marks[0] + 1
    end = next(i for i in range(begin, len(lines)) if lines[i].rstrip(" */->\n").endswith("rendered: end"))
    return "".join([*lines[:begin], content, *lines[end:]])


def rendered() -> dict[str, str]:
    """Returns {path: text} of every file that repeats the schema, as it should be."""
    found = {path: render() for path, render in FILES.items()}
    for path, parts in SECTIONS.items():
        text = ROOT.joinpath(path).read_text()
        for name, render in parts.items():
            text = filled(text, name, render())
        found[path] = text
    return found


def main(arguments: list[str]) -> int:
    """Writes the files with --write; otherwise names those that differ."""
    stale = [
        path
        for path, text in rendered().items()
        if not ROOT.joinpath(path).exists() or ROOT.joinpath(path).read_text() != text
    ]
    for path in stale:
        if "--write" in arguments:
            ROOT.joinpath(path).write_text(rendered()[path])
        print(path)
    return int(bool(stale) and "--write" not in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
