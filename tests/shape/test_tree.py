"""The tree of tests: no test imports another, support, programme and
proofs hold what is run elsewhere too, behaviour/ has the floors of the engine."""

import ast

import pytest

from support.places import HOME, ROOT

TESTS = ROOT / "tests"
FILES = sorted(TESTS.rglob("*.py"))
FORBIDDEN = {"tests", "conftest"} | {path.stem for path in FILES if path.name.startswith("test_")}
FORBIDDEN |= {path.name for path in TESTS.iterdir() if path.is_dir()} - {"support", "programme", "proofs"}


def imported_tests(text: str) -> list[str]:
    """The tests that Python code imports, at its top or inside functions; a relative import is one too."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] in FORBIDDEN]
        elif isinstance(node, ast.ImportFrom) and (node.level or node.module.split(".")[0] in FORBIDDEN):
            found.append("." * node.level + (node.module or ""))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_no_test_is_imported(path):
    """By a test, nor by what tests share."""
    assert not imported_tests(path.read_text())


@pytest.mark.parametrize("line", [
    "from test_hedge import of",
    "def test_it():\n    import test_hedge",
    "from behaviour.account.test_hedge import of",
    "import tests.behaviour.account.test_hedge as other",
    "from .test_hedge import of",
    "from conftest import audited",
])  # fmt: skip
def test_a_planted_import_is_found(line):
    path = TESTS / "behaviour/account/test_chosen_tier.py"
    assert path in FILES and len(imported_tests(path.read_text() + "\n" + line)) == 1


def test_behaviour_has_the_floors_of_the_engine():
    rooms = {path.name for path in HOME.iterdir() if path.is_dir()} | {path.name for path in (HOME / "twin").iterdir()}
    assert {path.relative_to(TESTS / "behaviour").parts[0] for path in (TESTS / "behaviour").rglob("test_*.py")} <= rooms


def test_every_test_is_in_a_room_of_the_tree():
    tests = [path.relative_to(TESTS).parts for path in FILES if path.name.startswith("test_")]
    assert {parts[0] for parts in tests} == {"behaviour", "published", "attacks", "agreement", "shape"}
