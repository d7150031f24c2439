"""A venue for one test, of which the fixtures of the pytest plugin are parts, and what it leaves behind when the test fails.

Owns the exchange of a test from its first command to the last look. Never knows pytest.
"""

import re
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Self

from solvent.lab.market import paths
from solvent.lab.market.driver import Driver, contract
from solvent.schema.codes import InputError, SolventError
from solvent.testing.asserts import assert_conserved, by_owner, meant
from solvent.testing.audited import audited
from solvent.testing.faults import Faults

if TYPE_CHECKING:
    from solvent.gateway import Gateway

__all__ = ["CREDENTIALS", "Venue", "ccxt_client"]

CREDENTIALS = {"apiKey": "bot", "secret": "secret", "password": "password"}
"""A bot's key, as ccxt names its parts; its account on the exchange has the name of the key."""

QUIET = "quiet"
Mark = tuple[tuple[Any, ...], dict[str, Any]]


class Venue:
    """Holds the audited exchange of one test, the market on it, and its gateway if somebody asks for that.

    seed: seeds the exchange and its faults. folder: takes a journal if the test fails. mark: the arguments of the mark
    `market`: the name of a scenario, and terms of Driver. Without a mark the exchange is empty until `market` is asked for.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Venue(1, folder, (("flash_crash",), {})) as venue:
    ...     venue.market.run(minutes=1)
    ...     venue.exchange.prices("BTC-USDT-SWAP").mark > 49_900
    True
    """

    def __init__(self, seed: int, folder: str | Path, mark: Mark | None = None):
        names, self._terms = mark or ((), {})
        if len(names) > 1 or not all(isinstance(name, str) for name in names):
            raise InputError(f"the mark is @pytest.mark.market('flash_crash'), with terms of Driver by name; not {names}")
        self.seed, self._folder = seed, Path(folder)
        self._scenario = paths.find(*names or (QUIET,))
        self._made = audited(every=0)([contract(self._scenario)], seed=seed)
        self._recording = self._made.record()
        self.told = ""
        self.exchange: Any = self._made
        if mark is not None:
            _ = self.market

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        self._stack.enter_context(meant(self._made))
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._stack.close()
        self.exchange = self._made
        if kind is None and not self.told:
            assert_conserved(on=self.exchange)

    @cached_property
    def market(self) -> Driver:
        """Returns the market, which is open."""
        return Driver(self.exchange, self._scenario, **self._terms)

    @cached_property
    def gateway(self) -> "Gateway":
        """Returns the gateway, which then owns the exchange. Its market is open."""
        from solvent.gateway import Gateway

        market = self.market
        made = self._stack.enter_context(Gateway(self._made))
        self.exchange = market.exchange = made.exchange
        self._stack.enter_context(meant(self.exchange))
        return made

    def faults(self, *names: str, **terms: Any) -> Faults:
        """Sets what goes wrong at the gateway from now on: rows of the table, and terms of Faults."""
        found = Faults(self.seed, names or None, clock=lambda: self.market.time_ns, **terms)
        self.gateway.faults = found
        return found

    def left_behind(self, test: str) -> str:
        """Saves the commands as a journal, and returns what to do with it. test: the name of the test that failed."""
        name = re.sub(r"[^\w.-]+", "-", test).strip("-")[-80:]
        path = next(each for each in self._places(name) if not each.exists())
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            by_owner(self.exchange, lambda _: self._recording.save(path))
        except (SolventError, OSError) as error:
            self.told = f"the commands of this test could not be saved in {path}: {error}"
            return self.told
        count = self._recording.last
        self.told = (
            f"the {count:,} commands of this test: {path}\n"
            f"replay them:    solvent replay {quote(str(path))}\n"
            f"list the last:  solvent inspect --from {max(1, count - 19)} {quote(str(path))}\n"
            f"run it again:   pytest {quote(test)} --solvent-seed {self.seed}"
        )
        return self.told

    def _places(self, name: str) -> Any:
        yield self._folder.joinpath(f"solvent-{name}")
        number = 2
        while True:
            yield self._folder.joinpath(f"solvent-{name}-{number}")
            number += 1


def ccxt_client(url: str, **terms: Any) -> Any:
    """Returns ccxt's client for OKX, pointed at a gateway, with its markets loaded. terms: go into its configuration.

    Raises ImportError without ccxt.
    """
    try:
        import ccxt
    except ImportError as error:
        raise ImportError("the fixture ccxt_exchange needs ccxt: pip install ccxt") from error
    where = {"urls": {"api": {"rest": url}}, "enableRateLimit": False, "options": {"fetchMarkets": {"types": ["swap"]}}}
    client = ccxt.okx(CREDENTIALS | where | terms)
    client.load_markets()
    return client
