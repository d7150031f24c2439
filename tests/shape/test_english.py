"""English that is read once: sentences of docstrings, pages and hints are short, and every public method shows an example.

Owns how prose is cut into sentences. `blocks_of_code` takes the docstrings of a file: those of modules, classes and
functions, and the bare strings behind names. `blocks_of_cython` takes the comment that opens a file and the docstrings, not
the C of an `extern` block. `blocks_of_page` takes a page without code, tables, headings and anchors.
Doctests, and lines that are indented more than the text around them (formulas), are no prose. A blank line or a bullet ends
a block. In a block a sentence ends with ".", "!", "?" or ":" before a space, and `code` in backticks is one word.
"""

import ast
import inspect
import re

import pytest

import solvent
from solvent.schema.answers import ANSWERS
from solvent.schema.codes import HINTS
from solvent.schema.words import CommandType
from support.places import CYTHON, PYTHON, ROOT

LONGEST = 30
ALLOWED: dict[str, int] = {}
"""Offending sentences by file. The list may only shrink: a file with fewer than it says fails, too."""


def blocks(text):
    """Paragraphs and bullets of plain text, without doctests and formulas."""
    lines, in_test = [], False
    for line in inspect.cleandoc(text).splitlines():
        in_test = line.lstrip().startswith(">>>") or (in_test and bool(line.strip()))
        lines.append("" if in_test or line.startswith("    ") else line)
    return [" ".join(block.split()) for block in re.split(r"\n\s*\n|\n(?=[*-] )", "\n".join(lines)) if block.strip()]


def blocks_of_code(text):
    for node in ast.walk(ast.parse(text)):
        for each in getattr(node, "body", None) if isinstance(getattr(node, "body", None), list) else []:
            if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant) and isinstance(each.value.value, str):
                yield from blocks(each.value.value)


def blocks_of_cython(text):
    text = re.sub(r'cdef extern from \*:\s*""".*?"""', "", text, flags=re.DOTALL)
    header = re.match(r"(?:#[^\n]*\n)*", text).group()
    yield from blocks(re.sub(r"(?m)^# ?", "", re.sub(r"(?m)^# (?=(?:Owns|Never|Invariants?|Cost)\b)", "#\n# ", header)))
    for docstring in re.findall(r'^\s*"""(.*?)"""', text, flags=re.DOTALL | re.MULTILINE):
        yield from blocks(docstring)


def blocks_of_page(text):
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    text = re.sub(r"^(?:\||#|\().*$", "\n", text, flags=re.MULTILINE)
    return blocks(re.sub(r"\]\([^)]*\)", "]", text))


def split(block):
    block = re.sub(r"`[^`]+`", "code", block)
    return re.split(r"(?<=[.!?:])\s+", re.sub(r"^(?:[*-] |\*\*\d+\.\d+\*\* )", "", block))


def sentences(path):
    cut = {".md": blocks_of_page, ".py": blocks_of_code}.get(path.suffix, blocks_of_cython)
    return [sentence for block in cut(path.read_text()) for sentence in split(block)]


def offends(sentence):
    return sentence.lower().startswith("of ") or len(sentence.split()) > LONGEST


FILES = [*PYTHON, *CYTHON, *sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]
NAMES = {str(path.relative_to(ROOT)): path for path in FILES}


@pytest.mark.parametrize("name", NAMES)
def test_sentences_are_short_and_begin_with_their_subject(name):
    found = [sentence for sentence in sentences(NAMES[name]) if offends(sentence)]
    assert len(found) <= ALLOWED.get(name, 0), found
    assert len(found) == ALLOWED.get(name, 0), f"better than allowed: set {name} to {len(found)} in ALLOWED"


def is_noun_clause(sentence):
    """True for "What is free", not for a question."""
    return bool(re.match(r"(What|Whatever|Whether|Where|Who|Whoever|How)\b", sentence)) and not sentence.endswith("?")


@pytest.mark.parametrize("name", NAMES)
def test_no_sentence_begins_with_a_noun_clause(name):
    """The field's noun says it sooner: "Returns the free margin", not "What is free"."""
    assert not [sentence for sentence in sentences(NAMES[name]) if is_noun_clause(sentence)]


def test_a_planted_noun_clause_is_found():
    page = "# What it is\n\nWhat is free? A sum. What is left goes to the fund. Where it goes, nobody asks.\n"
    found = [is_noun_clause(part) for block in blocks_of_page(page) for part in split(block)]
    assert found == [False, False, True, True]


def test_only_files_that_offend_are_allowed_to():
    assert set(ALLOWED) <= set(NAMES) and all(ALLOWED.values())


def test_a_planted_sentence_is_found():
    long = "Words " + "and words " * LONGEST + "end."
    code = f'"""Says it.\n\nOf a thing the size.\n\n>>> Of\nOf\n"""\n\nA = 1\n"""{long}"""\n\n\ndef f():\n    "Returns."\n'
    found = [part for block in blocks_of_code(code) for part in split(block)]
    assert [offends(part) for part in found] == [False, True, True, False]
    page = f"# Of\n\n```\nOf code\n```\n\n| Of | table |\n\nSays it. Of a thing.\n\n* {long}\n"
    assert [offends(part) for block in blocks_of_page(page) for part in split(block)] == [False, True, True]


@pytest.mark.parametrize("code", HINTS, ids=lambda code: code.name)
def test_hints_are_short(code):
    assert len(HINTS[code].split()) <= LONGEST


FACE = [
    (face, name)
    for face in (solvent.Exchange, solvent.Book)
    for name, value in inspect.getmembers(face)
    if not name.startswith("_") and (callable(value) or isinstance(value, property))
]


@pytest.mark.parametrize(("face", "name"), FACE, ids=[f"{face.__name__}.{name}" for face, name in FACE])
def test_every_public_method_shows_an_example(face, name):
    """Those that are inherited, and properties, too; pytest runs the examples (--doctest-modules)."""
    text = inspect.getdoc(inspect.getattr_static(face, name)) or ""
    assert "\n>>> " in text and text.splitlines()[0].endswith((".", ":")), text


def test_the_face_is_not_forgotten():
    assert {"order", "mark", "describe", "fund", "seed"} <= {name for face, name in FACE if face is solvent.Exchange}


CONTROLS = {
    "add_instrument": CommandType.ADD_INSTRUMENT, "halt": CommandType.HALT, "delist": CommandType.SETTLE,
    "set_state": CommandType.SET_STATE,
    "mark": CommandType.MARK, "index": CommandType.INDEX, "source": CommandType.SOURCE,
    "settle_funding": CommandType.FUNDING, "seed_fund": CommandType.SEED_FUND, "open_account": CommandType.OPEN_ACCOUNT,
    "deposit": CommandType.DEPOSIT, "withdraw": CommandType.WITHDRAW, "transfer": CommandType.TRANSFER,
    "set_position_mode": CommandType.SET_POSITION_MODE, "set_leverage": CommandType.SET_LEVERAGE,
    "move_margin": CommandType.MOVE_MARGIN,
}  # fmt: skip
RECORDS_ONLY = {"OK", "TIME_BACKWARDS", "BAD_RECORD", "BAD_MODE", "BAD_INSTRUMENT"}
"""Answers to records that no method of the face makes: it raises InputError before."""
FURTHER = {"open_account": {"TOO_MANY_ACCOUNTS"}, "deposit": {"BAD_NAME"}}
"""Answers of a full exchange, and of the account that a deposit opens."""


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_method_names_every_refusal(name):
    text = inspect.getdoc(getattr(solvent.Exchange, name))
    told = set(re.findall(r"[A-Z_]{2,}", " ".join(re.findall(r"Rejected\(([A-Z_,\s]+)\)", text))))
    assert told == {code.name for code in ANSWERS[CONTROLS[name]]} - RECORDS_ONLY | FURTHER.get(name, set())
