"""The clauses that the compiled core states where money moves; `make mutate` shows that they bite."""

import re
from pathlib import Path

import pytest

from solvent._core.base.clauses import said

ROOT = Path(__file__).parents[2]
CORE = ROOT / "ext/solvent/_core"
FLOORS = ("contract", "account", "trade", "liquidation")
HEADER = (CORE / "base/clauses.pxd").read_text()
NUMBERS = {name: int(number) for name, number in re.findall(r"^    ([A-Z]+_\d+) = (\d+)", HEADER, re.MULTILINE)}
USED = re.findall(r"\bmust\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*?, ([A-Z]+_\d+),\s+(?:fault|&)", "".join(
    path.read_text() for floor in (*FLOORS, ".") for path in (CORE / floor).glob("*.p[yx][xd]")
))  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS)
def test_a_clause_is_named_as_it_is_numbered(name):
    assert said(NUMBERS[name]) == f"{name.replace('_', '-')} does not hold"


@pytest.mark.parametrize("name", NUMBERS)
def test_a_clause_can_be_looked_up(name):
    """Users meet it in Halted."""
    assert f"### {name.replace('_', '-')}\n" in (ROOT / "docs/explanation/invariants.md").read_text()


def test_other_faults_have_words():
    assert (said(1), said(2)) == ("arithmetic beyond 64 bits", "memory is gone")


def test_every_clause_is_stated_somewhere():
    assert set(USED) == set(NUMBERS)


def statements(floor: str) -> tuple[int, int]:
    """How many functions a floor has, and how many assertions they state."""
    text = "".join(path.read_text() for path in (CORE / floor).glob("*.p[yx][xd]"))
    functions = re.findall(r"^c?p?def (?!struct|enum|extern|union)[^\n=]*\([^)]*\)[^\n(]*:(?: *#[^\n]*)?$", text, re.MULTILINE)
    return len(functions), len(re.findall(r"\bmust\(", text))


@pytest.mark.parametrize(("floor", "least"), [("account", 110), ("trade", 143), ("liquidation", 106)])
def test_money_does_not_move_without_assertions(floor, least):
    """The numbers may only grow."""
    assert statements(floor)[1] >= least


@pytest.mark.parametrize(("floor", "least"), [("account", 0.95), ("trade", 0.94), ("liquidation", 2)])
def test_a_function_states_so_many_assertions(floor, least):
    """On average; two is the aim, and the numbers may only grow."""
    functions, stated = statements(floor)
    assert stated >= least * functions, f"{stated} assertions in {functions} functions"
