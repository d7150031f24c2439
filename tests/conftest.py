"""Shared fixtures: both kernels, the seed of every random test, and an auditor behind every command."""

import gc
from importlib.util import find_spec
from random import Random

import pytest

import solvent
import solvent.reference
from solvent.api.exchange import Exchange
from solvent.testing import AuditedKernel, audited
from support.order_desk import Desk

collect_ignore = ["clients"]  # scripts that tests start, each in a process of its own
if not find_spec("z3"):
    collect_ignore.append("proofs/solver.py")  # `make prove` installs the solver (extra `prove`)


def pytest_addoption(parser):
    parser.addoption("--seed", type=int, default=None, help="seed of the random tests (each prints the one it used)")
    parser.addoption("--commands", type=int, default=100_000, help="how many commands the differential test compares")
    parser.addoption("--every", type=int, default=128, help="after how many of them it compares whole states, and all rules")

    parser.addoption("--shuffle", type=int, default=None, help="seed of an order of the tests: none may lean on another")


def pytest_collection_modifyitems(config, items):
    """Long tests run first: the last ones to end are short, so that no process waits for another."""
    if config.getoption("--shuffle") is not None:
        Random(config.getoption("--shuffle")).shuffle(items)
        return
    items.sort(key=lambda item: [item.get_closest_marker(name) is None for name in ("scaled", "long")])


def pytest_collection_finish():
    """What was collected stays to the end: the garbage collector need not look at it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def seed(request) -> int:
    """The seed of a random test: fixed unless --seed is given; shown when the test fails."""
    given = request.config.getoption("--seed")
    value = 20221108 if given is None else given
    print(f"seed {value} (rerun with --seed {value})")
    return value


@pytest.fixture(params=["compiled", "reference"])
def exchange_class(request) -> type[Exchange]:
    """Both implementations: every behaviour test runs on each."""
    return solvent.Exchange if request.param == "compiled" else solvent.reference.Exchange


@pytest.fixture
def audited_exchange(exchange_class) -> type[Exchange]:
    """The class of either implementation, with the auditor behind every command."""
    return audited(exchange_class, every=0)


@pytest.fixture
def strict_exchange(exchange_class) -> type[Exchange]:
    """The same, and every comparison of state after every command."""
    return audited(exchange_class, every=1)


@pytest.fixture
def sweep(exchange_class):
    """The same for thousands of tests alike, and for streams: states are compared after each eighth command and the last."""
    made: list[AuditedKernel] = []
    yield audited(exchange_class, every=8, made=made)
    for kernel in made:
        kernel.compare()


@pytest.fixture(params=["compiled book", "reference book", "compiled exchange", "reference exchange"])
def order_desk(request):
    """One vocabulary for orders at a Book and an Exchange of both implementations (support/order_desk.py)."""
    yield from at_desk(request.param)


@pytest.fixture(params=["compiled exchange", "reference exchange"])
def exchange_desk(request):
    """The same, where there are positions."""
    yield from at_desk(request.param)


def at_desk(place):
    made = Desk(place)
    yield made
    made.face.check()
