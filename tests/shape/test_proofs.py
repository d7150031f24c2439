"""What was proved is what is compiled: the texts, the models made from them, and the committed result of `make prove`."""

import json

import pytest

from proofs import inquiry, models, prove, text
from proofs.properties import PROPERTIES

BROKEN = [prop for prop in PROPERTIES if prop.place != "lemma"]


def test_the_result_is_of_this_text():
    """A change of the money floor has to be proved anew: `make prove` writes the result."""
    told = json.loads(prove.RESULT.read_text())
    assert told["text"] == prove.fingerprint(), "the text of the money floor changed: run `make prove`"
    assert [row["property"] for row in told["rows"]] == [prop.name for prop in PROPERTIES]


def test_everything_is_proved_and_every_mutant_killed():
    told = json.loads(prove.RESULT.read_text())
    assert len(told["rows"]) >= 60 and told["seconds"] < 1_200
    assert not [row["property"] for row in told["rows"] if row["verdict"] != "proved" or not row.get("killed", True)]
    assert sum("killed" in row for row in told["rows"]) == len(BROKEN)


def test_every_function_of_the_floor_has_a_property():
    names = {name for name in text.functions_of_c(text.money_text()) if name.startswith("solvent_")} - {"solvent_fault"}
    said = " ".join(prop.name for prop in PROPERTIES)
    for name in [*names, *models.INLINE, "fifth root"]:
        assert name.removeprefix("solvent_").replace("_", " ") in said, name


def test_the_model_is_the_compiled_function():
    """More of it in `make prove`."""
    assert prove.agreement(200) > 2_000


@pytest.mark.parametrize("prop", BROKEN, ids=lambda prop: prop.name)
def test_numbers_break_the_property_of_each_mutant_and_not_of_the_text(prop):
    assert inquiry.refute(prop, models.as_compiled(), trials=100) is None
    assert inquiry.refute(prop, models.functions(models.mutated(prop.place, *prop.mutant))) is not None


@pytest.mark.parametrize("line", ["for (;;) { }", "int64_t r = ~a;", "float x = 1;", "goto out;", 'asm("");'])
def test_text_that_is_not_understood_is_refused(line):
    with pytest.raises(text.Unread):
        text.functions_of_c("static inline int64_t f(int64_t a, int64_t b) { " + line + " return a; }")


def test_another_text_has_another_fingerprint(monkeypatch):
    was = prove.fingerprint()
    changed = models.mutated("root", "root = trial", "root = trial + 1")
    monkeypatch.setattr(models, "texts", lambda: changed)
    assert prove.fingerprint() != was
