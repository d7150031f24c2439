"""`make soak`, for seconds instead of an hour: it runs, and what it judges by is found when it does not hold."""

from collections import Counter
from types import SimpleNamespace

import pytest

from programme.soak import Soak, soak
from solvent.gateway import history

SEEN = {"books": 5, "pushes": 5, "code 0": 5}


@pytest.mark.long
def test_a_short_soak_holds(seed, monkeypatch):
    monkeypatch.setattr(history, "_PAST", history._PAST)  # which a soak bounds, and other tests do not
    assert soak(minutes=0.15, clients=12, seed=seed) == []


@pytest.mark.parametrize(
    ("memory", "seen", "told"),
    [
        ([100, 140, 140, 140, 141, 141], {}, []),
        ([100, 140, 140, 140, 180, 180], {}, ["memory grew from 140 to 180 MB"]),
        ([100] * 6, {"gaps": 3}, ["books differ"]),
        ([100] * 6, {"wrong checksums": 1}, ["books differ"]),
        ([100] * 6, {"gaps": 2}, []),
        ([100] * 6, {"books": 0}, ["nothing of 'books'"]),
    ],
)
def test_what_does_not_hold_is_told(memory, seen, told):
    made = SimpleNamespace(memory=memory, struck=Counter(sequence_gap=2))
    found = Soak.judged(made, SEEN | seen)
    assert len(found) == len(told) and all(each.startswith(start) for each, start in zip(found, told, strict=True))
