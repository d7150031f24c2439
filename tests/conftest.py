"""Shared fixtures: both kernels, the seed of every random test, and an auditor behind every command."""

import gc
from collections.abc import Iterator

import pytest

import solvent
import solvent.reference
from solvent.auditor import Auditor
from solvent.exchange import Exchange


def pytest_addoption(parser):
    parser.addoption("--seed", type=int, default=None, help="seed of the random tests (each prints the one it used)")
    parser.addoption("--commands", type=int, default=100_000, help="how many commands the differential test compares")


@pytest.fixture
def seed(request) -> int:
    """The seed of a random test: fixed unless --seed is given; shown when the test fails."""
    given = request.config.getoption("--seed")
    value = 20221108 if given is None else given
    print(f"seed {value} (rerun with --seed {value})")
    return value


@pytest.fixture(params=["compiled", "reference"])
def kind(request) -> type[Exchange]:
    """Both implementations: every behaviour test runs on each."""
    return solvent.Exchange if request.param == "compiled" else solvent.reference.Exchange


class Watched:
    """Makes exchanges whose every command is followed by the auditor, check() and a comparison of states."""

    def __init__(self, kind: type[Exchange]):
        self.kind = kind
        self.made: list[tuple[Exchange, Auditor]] = []

    def __call__(self, *args, **kwargs) -> Exchange:
        ex = self.kind(*args, **kwargs)
        auditor = Auditor(ex)
        cursor = ex.cursor()
        apply = ex._send

        def watched(kind, name, fields) -> int:
            before = ex.digest()
            time_moves = fields.get("time_ns", ex.time_ns) > ex.time_ns
            code = apply(kind, name, fields)
            auditor.follow(cursor)
            auditor.check_safety()
            auditor.compare(ex)
            ex.check()
            if code and not time_moves:
                assert ex.digest() == before, "KER-2: a rejected command changes nothing"
            return code

        ex._send = watched
        self.made.append((ex, auditor))
        return ex

    def auditor(self, ex: Exchange) -> Auditor:
        return next(auditor for made, auditor in self.made if made is ex)


@pytest.fixture
def make(kind) -> Iterator[Watched]:
    """Makes audited exchanges of either kind."""
    yield Watched(kind)
    gc.collect()
