"""No documented figure of performance without the committed result that it comes from (benchmarks/figures.py)."""

import copy
import json

import pytest

import figures
import sizes
from support.places import ROOT


def test_the_documents_say_what_was_measured():
    stale = [str(path) for path in figures.outdated(figures.results())]
    assert not stale, f"run benchmarks/figures.py; these differ from benchmarks/results: {stale}"


def test_no_other_figure_of_performance_is_told():
    assert figures.strays() == []


def test_the_result_is_one_whole_run():
    found = figures.results()
    assert (
        found.keys() == {"bench", "copies", "learner", "peers", "replicated", "sizes", "worlds"}
        and not found["bench"]["quick"]
    )
    run = found["bench"]
    assert run["rounds"] >= 9 and all(len(times) == run["rounds"] for times in run["exchange"]["cases"].values())
    assert {"rows", "latency_ns", "exchange", "machine", "date", "commit"} <= run.keys()


def test_the_picture_is_drawn_from_the_result():
    assert sizes.source().encode() in sizes.PICTURE.read_bytes(), "run benchmarks/sizes.py"


@pytest.mark.parametrize("text", ["0.13 µs", "15 µs a mark", "takes 28 us", "1.4 times the yardstick", "2,5 ms", "23\nns"])
def test_a_figure_is_known_when_it_is_seen(text):
    assert figures.STRAY.search(f"It costs {text}.")


def test_another_result_makes_the_documents_stale():
    """In each of the places a figure is compared at the precision printed."""
    for change in ("near", "mark", "command", "peer"):
        found = copy.deepcopy(figures.results())
        run = found["bench"]
        if change == "near":
            run["rows"][0]["value"] += 0.01
        elif change == "peer":
            found["peers"] = json.loads(json.dumps(found["peers"]).replace("834", "835"))
        else:
            line = {"mark": "a mark, 10,000 cross", "command": "a command, cross"}[change]
            run["exchange"]["cases"][line] = [1.1 * time for time in run["exchange"]["cases"][line]]
        stale = {path.name for path in figures.outdated(found)}
        assert stale == ({"benchmarks.md", "README.md"} if change == "near" else {"benchmarks.md"})


def test_a_sentence_that_is_gone_is_missed():
    with pytest.raises(ValueError, match="does not say"):
        figures.current("README.md", "A book is fast.", figures.results())


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.pyx")), ids=lambda path: path.name)
def test_what_benchmarks_cimport_is_there(path, tmp_path):
    """They are compiled by `make bench` alone; a name that has moved, or a call that has another form, is found here."""
    module = pytest.importorskip("Cython.Compiler.Main", reason="Cython is absent")
    terms = module.CompilationOptions(
        include_path=[str(ROOT / "ext"), str(ROOT / "engine")],
        output_file=str(tmp_path / "translated.c"),
        language_level=3,
        errors_to_stderr=True,
    )
    assert module.compile(str(path), terms).num_errors == 0
