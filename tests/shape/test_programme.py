"""The programme of tests: its layers, the ledger of campaigns, and the pages that are rendered from them."""

from importlib import import_module

import pytest

from programme import ledger, page, planted
from programme.board import BOARD
from programme.layers import BY_NUMBER, LAYERS
from support.places import ROOT


def test_pages_say_what_the_ledger_and_the_result_say():
    stale = [path.name for path in page.outdated()]
    assert not stale, f"run tests/programme/page.py --write; these are stale: {stale}"


def test_a_page_with_another_figure_is_stale(monkeypatch):
    one = {"commit": "0", "layer": 3, "seeds": [0, 0], "counts": {"commands": 7}, "faults": 0, "failures": 0, "seconds": 1.0}
    monkeypatch.setattr(ledger, "lines", lambda: [one])
    assert [path.name for path in page.outdated()] == ["reliability.md"]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_a_layer_names_what_is_there(layer):
    for each in layer.push.split():
        assert "/" not in each or (ROOT / "tests" / each).exists(), each
    if layer.batch:
        module, name = layer.batch.split(":")
        assert callable(getattr(import_module(module), name))
    assert layer.uncovered and len(BY_NUMBER) == len(LAYERS) and (layer.deep or not layer.batch)


def test_lines_of_the_ledger_are_whole():
    """Seeds are used once, every failure is explained, and what a line counts is positive."""
    used: dict[int, int] = {}
    for line in ledger.lines():
        assert tuple(line)[: len(ledger.FIELDS)] == ledger.FIELDS and line["layer"] in BY_NUMBER, line
        first, last = line["seeds"]
        assert used.get(line["layer"], -1) < first <= last, f"seeds are used twice: {line}"
        used[line["layer"]] = last
        assert all(count >= 0 for count in line["counts"].values()) and line["seconds"] >= 0
        assert not line["failures"] or line.get("note"), f"a failure without a note: {line}"


def test_the_ledger_adds_up_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger, "PATH", tmp_path / "ledger.jsonl")
    assert ledger.next_seed(3) == 0
    for first in (0, 10):
        ledger.append(
            {
                "commit": "a",
                "layer": 3,
                "seeds": [first, first + 9],
                "counts": {"commands": 5},
                "faults": 1,
                "failures": 0,
                "seconds": 2.0,
            }
        )
    assert ledger.next_seed(3) == 20 and ledger.next_seed(14) == 0
    assert ledger.totals()[3]["commands"] == 10 and ledger.totals()[3]["seeds"] == 20 and ledger.totals()[3]["seconds"] == 4


@pytest.mark.parametrize("bug", BOARD, ids=lambda bug: bug.name)
def test_a_planted_bug_can_be_planted(bug):
    """In one place, and the file, which is compiled by itself, is another one then; planted.py sees who finds the bug."""
    assert bug.path.endswith(".pyx")
    assert planted.applied(bug) != (ROOT / "ext/solvent/_core" / bug.path).read_text()


def test_every_verdict_is_on_a_bug_of_the_board():
    told = planted.verdicts()
    assert told.keys() <= {bug.name for bug in BOARD}
    assert not [name for name, said in told.items() if said in planted.LIVES], "these bugs live: they want a test"


def test_the_board_is_large_enough():
    assert len({bug.name for bug in BOARD}) == len(BOARD) >= 60 and sum(bug.liquidation for bug in BOARD) >= 20
