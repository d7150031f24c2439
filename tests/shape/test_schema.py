"""The schema is said once: what repeats it is rendered from it, and no list of its names is written a second time by hand."""

import ast
import re

import pytest

from solvent.schema import columns, commands, events, header, layouts, limits, terms, words
from solvent.schema.codes import Code, InputError
from solvent.schema.commands import COMMANDS, Asked, command
from solvent.schema.layouts import COMMAND, COMMAND_FIELDS
from solvent.schema.terms import InstrumentTerms, ModelTerms, RuleTerms
from solvent.schema.words import CommandType
from support.places import ROOT

FACES = {"engine/solvent/api/views.py": ["POSITION"]}  # a PositionView begins as that column list does, in names and decimals
RUN = 5  # so many names of a list in a row are the list again


# --- rendered files


@pytest.mark.parametrize("path", [*header.FILES, *header.SECTIONS])
def test_what_is_rendered_is_as_the_schema_says(path):
    assert (ROOT / path).read_text() == header.rendered()[path], "python -m solvent.schema.header --write"


def test_a_part_that_differs_is_filled_again():
    text = "head\n<!-- rendered: codes -->\nold\n<!-- rendered: end -->\ntail\n"
    assert header.filled(text, "codes", "new\n") == text.replace("old", "new")
    with pytest.raises(ValueError, match="0 parts"):
        header.filled(text, "events", "")


# --- commands


@pytest.mark.parametrize("kind", CommandType)
def test_a_command_reads_what_its_names_say(kind):
    """Each of its names is one field of the record, and comes back as what was said."""
    named = commands.places(COMMANDS[kind])
    assert len(set(named.values())) == len(named) and set(named.values()) <= set(COMMAND_FIELDS)
    said = {name: number for number, name in enumerate(named, 1)} | {"type": int(kind)}
    record = command(kind, **{name: number for name, number in said.items() if name != "type"})
    read = commands.read(COMMAND.unpack(record))
    assert type(read) is COMMANDS[kind]
    assert {name: getattr(read, name) for name in named} == said


def test_a_record_of_no_command_is_read_as_what_all_of_them_say():
    assert type(commands.read(COMMAND.unpack(command(99, time_ns=7)))) is Asked
    with pytest.raises(InputError):
        command(CommandType.MARK, leverage_times=5)


# --- no list twice


def names_of(node: ast.AST) -> list[list[str]]:
    """Lists of names that a piece of Python writes down: literals, keys, fields of classes, parameters, targets.

    Arguments given by name are no list, nor are values by the members of an enum: they say what is meant. Sets have none."""
    if isinstance(node, ast.Tuple | ast.List):
        return [[last_name(each) for each in node.elts]]
    if isinstance(node, ast.Dict):
        return [[last_name(each) for each in node.keys if isinstance(each, ast.Constant)]]
    if isinstance(node, ast.ClassDef):
        return [[last_name(each.target if isinstance(each, ast.AnnAssign) else each.targets[0])
                 for each in node.body if isinstance(each, ast.AnnAssign | ast.Assign)]]  # fmt: skip
    if isinstance(node, ast.FunctionDef | ast.Lambda):
        return [[each.arg for each in (*node.args.args, *node.args.kwonlyargs)]]
    return []


def last_name(node: ast.AST | None) -> str:
    """What an element is called: a string, a name, the last part of a dotted one, or the first of a pair."""
    if isinstance(node, ast.Tuple) and node.elts:
        return last_name(node.elts[0])
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Constant):
        return str(node.value)
    return node.id if isinstance(node, ast.Name) else ""


def lists_of_python(text: str) -> list[list[str]]:
    return [names for node in ast.walk(ast.parse(text)) for names in names_of(node)]


def lists_of_cython(text: str) -> list[list[str]]:
    """Bodies of structs and enums, and names with commas between; what is imported is no list."""
    text = re.sub(r'""".*?"""|#[^\n]*', "", text, flags=re.DOTALL)
    text = re.sub(r"^from [\w.]+ cimport (\([^)]*\)|[^\n]+)", "", text, flags=re.MULTILINE)
    bodies = re.findall(r"^cdef (?:struct|enum|union)[^\n]*:\n((?:    [^\n]*\n|\n)+)", text, flags=re.MULTILINE)
    found = [re.findall(r"^    (?:[\w*]+ )?(\w+)(?: = [^\n]*|\[\w+\])?$", body, flags=re.MULTILINE) for body in bodies]
    for row in re.findall(r'(?:"?[\w.]+"?(?: ?: ?[\w.]+)?,\s*){4,}"?[\w.]+"?', text):
        found.append([re.sub(r'.*\.|"| ?:.*', "", name.strip()) for name in row.split(",")])
    return found


def by_hand(text: str) -> str:
    """A file without its rendered parts."""
    return re.sub(r"rendered: (?!end)\w+( \*/)?\n.*?rendered: end", "", text, flags=re.DOTALL)


# --- no limit twice


def limits_of_cython(text: str) -> list[str]:
    """Limits to which a file of the core gives a number by hand."""
    names = "|".join(header.LIMITS)
    return re.findall(rf"(?:#define SOLVENT_|^ *(?:cdef \w+ )?)({names})(?: =)? +[\w(]", by_hand(text), re.MULTILINE)


@pytest.mark.parametrize("path", list((ROOT / "ext").rglob("*.p[yx][xd]")), ids=lambda path: path.name)
def test_a_limit_is_said_once(path):
    assert str(path.relative_to(ROOT)) in header.FILES or not limits_of_cython(path.read_text())


@pytest.mark.parametrize(
    "planted", ["cdef enum:\n    ORDERS_MAX = 7\n", "    #define SOLVENT_RATE 1000\n", "cdef int64_t MONEY_MAX = 3\n"]
)
def test_a_planted_second_limit_is_found(planted):
    assert limits_of_cython(planted)


def schema_lists() -> dict[str, list[str]]:
    found = {kind: [name for name, _ in fields] for kind, fields in layouts.LAYOUTS.items()}
    found |= {asked.__name__: list(commands.places(asked)) for asked in COMMANDS.values()}
    found |= {f"event {kind.name}": list(said) for kind, said in events.EVENTS.items()}
    found |= {name: [str(each.name) for each in getattr(words, name)] for name in words.__all__}
    found |= {"codes": [each.name for each in Code], "limits": [name for name in vars(limits) if name.isupper()]}
    found |= {name: list(getattr(columns, name).names) for name in ("POSITION", "LIQUIDATION", "ACCOUNT")}
    found |= {kind.__name__: list(terms.names_of(kind)) for kind in (InstrumentTerms, ModelTerms, RuleTerms)}
    return {name: names for name, names in found.items() if len(names) >= RUN}


def repeated(lists: list[list[str]], schema: dict[str, list[str]]) -> list[str]:
    """The schema's lists of which others repeat RUN names in a row, once for each that does."""
    runs: dict[tuple[str, ...], set[str]] = {}
    for name, names in schema.items():
        for at in range(len(names) - RUN + 1):
            runs.setdefault(tuple(names[at : at + RUN]), set()).add(name)
    found = []
    for names in lists:
        hits = [runs[run] for at in range(len(names) - RUN + 1) if (run := tuple(names[at : at + RUN])) in runs]
        found += [min(hit, key=lambda name: (schema[name] != names, name)) for hit in hits[:1]]
    return found


def written() -> dict[str, list[list[str]]]:
    """Every list of names in the package and the core that is written by hand."""
    found = {}
    for path in [*(ROOT / "engine").rglob("*.py"), *(ROOT / "ext").rglob("*.p[yx][xd]")]:
        place = str(path.relative_to(ROOT))
        if place not in header.FILES:
            text = by_hand(path.read_text()) if place in header.SECTIONS else path.read_text()
            found[place] = lists_of_python(text) if path.suffix == ".py" else lists_of_cython(text)
    return found


def test_no_list_of_the_schema_is_written_twice():
    schema = schema_lists()
    twice = {place: names for place, lists in written().items() if (names := repeated(lists, schema))}
    outside = {place: names for place, names in twice.items() if not place.startswith("engine/solvent/schema/")}
    assert outside == FACES
    homes = [name for names in twice.values() for name in names]
    assert sorted(homes) == sorted(set(homes))


@pytest.mark.parametrize(
    "planted",
    [
        'FIELDS = ("price_ticks", "size_lots", "client_id", "order_id", "amount")',
        "def f(time_ns, price_ticks, size_lots, client_id, order_id): ...",
        "class Again:\n    DEPOSITED = 1\n    WITHDRAWN = 2\n    FUND_SEEDED = 3\n    MAKER_FEE = 4\n    TAKER_FEE = 5",
        "x.price_ticks, x.size_lots, x.client_id, x.order_id, x.amount = row",
    ],
)  # fmt: skip
def test_a_planted_second_list_is_found(planted):
    assert repeated(lists_of_python(planted), schema_lists())


@pytest.mark.parametrize(
    "planted",
    [
        "cdef struct Again:\n" + "".join(f"    int64_t {name}\n" for name in COMMAND_FIELDS[-5:]),
        "        (c.price_ticks, c.size_lots, c.client_id, c.order_id,\n         c.amount) = row\n",
        "cdef enum Again:\n" + "".join(f"    {each.name} = {each}\n" for each in words.Posting),
    ],
)  # fmt: skip
def test_a_planted_second_list_in_the_core_is_found(planted):
    assert repeated(lists_of_cython(planted), schema_lists())
