"""The pytest plugin: fixtures, the mark `market`, and what a failed test says about its exchange.

Owns names and life times; `solvent.testing.fixtures` makes the things. It stands beside the package, so that a run without
these fixtures imports nothing of solvent. Works with pytest-xdist: each process makes its own exchanges.
"""

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from solvent.gateway import Gateway
    from solvent.lab.market.driver import Driver
    from solvent.testing.faults import Faults
    from solvent.testing.fixtures import Venue

VENUE = pytest.StashKey["Venue"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options."""
    group = parser.getgroup("solvent", "solvent: exchanges in tests")
    group.addoption("--solvent-seed", type=int, default=1, metavar="N", help="seed of exchanges and faults (default 1)")
    group.addoption("--solvent-journals", metavar="DIR", help="where failed tests leave journals (default: beside tmp_path)")


def pytest_configure(config: pytest.Config) -> None:
    """Names the mark."""
    config.addinivalue_line(
        "markers",
        "market(scenario, **terms): the price path of `market`, `exchange` and `gateway` (solvent.testing.scenario)",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Adds to the report of a failed test where the journal of its exchange is, and which command replays it."""
    report = yield
    venue = item.stash.get(VENUE, None)
    if venue is not None and report.failed and not venue.told:
        report.sections.append(("solvent", venue.left_behind(item.nodeid)))
    return report


@pytest.fixture
def solvent_venue(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Venue"]:
    """The venue of a test, of which the other fixtures are parts."""
    from solvent.testing.fixtures import Venue

    mark, config = request.node.get_closest_marker("market"), request.config
    folder = config.getoption("--solvent-journals") or tmp_path_factory.getbasetemp()
    with Venue(config.getoption("--solvent-seed"), folder, mark and (mark.args, mark.kwargs)) as venue:
        request.node.stash[VENUE] = venue
        yield venue


@pytest.fixture
def exchange(request: pytest.FixtureRequest, solvent_venue: "Venue") -> Any:
    """An exchange with a seed, with the auditor behind every command. Beside `gateway` it is the gateway's."""
    if "gateway" in request.fixturenames:
        request.getfixturevalue("gateway")
    return solvent_venue.exchange


@pytest.fixture
def market(request: pytest.FixtureRequest, solvent_venue: "Venue") -> "Driver":
    """The market that moves along the scenario of the mark (quiet without one): step, run, run_until, advance."""
    request.getfixturevalue("exchange")
    return solvent_venue.market


@pytest.fixture
def gateway(solvent_venue: "Venue") -> "Gateway":
    """A venue on a free port of this machine that speaks OKX V5, over the exchange of the test. Its market is open."""
    return solvent_venue.gateway


@pytest.fixture
def faults(solvent_venue: "Venue") -> "Callable[..., Faults]":
    """Sets what goes wrong at the gateway: faults("dropped_after", chance=1, most=1) (docs/reference/faults.md)."""
    return solvent_venue.faults


@pytest.fixture
def okx_credentials() -> dict[str, str]:
    """The key of a bot, as ccxt names its parts: apiKey, secret, password. Its account is called "bot"."""
    from solvent.testing.fixtures import CREDENTIALS

    return dict(CREDENTIALS)


@pytest.fixture
def ccxt_exchange(gateway: "Gateway") -> Any:
    """ccxt's own client for OKX, pointed at the gateway, with its markets loaded. Its account is called "bot"."""
    from solvent.testing.fixtures import ccxt_client

    return ccxt_client(gateway.url)
