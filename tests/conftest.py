"""Shared fixtures: both kernels, the seed of every random test, and an auditor behind every command."""

import pytest

import solvent
import solvent.reference
from solvent.api.exchange import Exchange
from solvent.auditor import Auditor
from solvent.records import decode


def pytest_addoption(parser):
    parser.addoption("--seed", type=int, default=None, help="seed of the random tests (each prints the one it used)")
    parser.addoption("--commands", type=int, default=100_000, help="how many commands the differential test compares")
    parser.addoption("--every", type=int, default=128, help="after how many of them it compares whole states, and all rules")


@pytest.fixture
def seed(request) -> int:
    """The seed of a random test: fixed unless --seed is given; shown when the test fails."""
    given = request.config.getoption("--seed")
    value = 20221108 if given is None else given
    print(f"seed {value} (rerun with --seed {value})")
    return value


class AuditedKernel:
    """A kernel whose every command is followed by the auditor; strictly, also by all comparisons of state.

    Strictly means: nobody below a takeover threshold, the exchange's reads equal to the auditor's books,
    check() silent, and the state untouched by a refused command.
    """

    def __init__(self, ex: Exchange, kernel, strict: bool):
        self.__dict__.update(ex=ex, kernel=kernel, strict=strict, auditor=Auditor(ex))

    def __getattr__(self, name):
        return getattr(self.kernel, name)

    def __setattr__(self, name, value):
        setattr(self.kernel, name, value)

    def _audited(self, call, argument):
        begin = self.kernel.next_seq
        result = call(argument)
        self.auditor.follow(decode(memoryview(self.kernel.view(begin, self.kernel.next_seq))))
        return result

    def run(self, records):
        return self._audited(self.kernel.run, records)

    def apply(self, record) -> int:
        if not self.strict:
            return self._audited(self.kernel.apply, record)
        before, clock_ns = self.kernel.state(), self.kernel.clock_ns
        code = self._audited(self.kernel.apply, record)
        self.auditor.check_safety()
        self.auditor.compare(self.ex)
        self.ex.check()
        if code and self.kernel.clock_ns == clock_ns:
            assert self.kernel.state() == before, "KER-2: a rejected command changes nothing"
        return code


def audited(base: type[Exchange], strict: bool) -> type[Exchange]:
    class Audited(base):
        def _make_kernel(self):
            return AuditedKernel(self, super()._make_kernel(), strict)

    return Audited


@pytest.fixture(params=["compiled", "reference"])
def base(request) -> type[Exchange]:
    """Both implementations: every behaviour test runs on each."""
    return solvent.Exchange if request.param == "compiled" else solvent.reference.Exchange


@pytest.fixture
def kind(base) -> type[Exchange]:
    """The class of either implementation, with the auditor behind every command."""
    return audited(base, strict=False)


@pytest.fixture
def make(base) -> type[Exchange]:
    """The same, and every comparison of state after every command."""
    return audited(base, strict=True)


@pytest.fixture(params=["compiled book", "reference book", "compiled exchange", "reference exchange"])
def desk(request):
    """One vocabulary for orders at a Book and an Exchange of both implementations (desk.py)."""
    yield from at_desk(request.param)


@pytest.fixture(params=["compiled exchange", "reference exchange"])
def xdesk(request):
    """The same, where there are positions."""
    yield from at_desk(request.param)


def at_desk(place):
    from desk import Desk  # which builds on this file

    made = Desk(place)
    yield made
    made.face.check()
