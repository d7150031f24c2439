"""What the fixtures of the pytest plugin are made of: a venue for one test, and what it leaves behind when the test fails.

Owns the exchange of a test from its first command to the last look. Never knows pytest.
"""

import re
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import Any, Self

from solvent.lab.market import paths
from solvent.lab.market.driver import Driver, contract
from solvent.schema.codes import InputError, SolventError
from solvent.testing.asserts import assert_conserved, meant
from solvent.testing.audited import audited

__all__ = ["Venue"]

QUIET = "quiet"
Mark = tuple[tuple[Any, ...], dict[str, Any]]


class Venue:
    """Holds the audited exchange of one test, and the market on it.

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
        self._meant = meant(self._made)
        self._meant.__enter__()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._meant.__exit__(None, None, None)
        if kind is None and not self.told:
            assert_conserved(on=self.exchange)

    @cached_property
    def market(self) -> Driver:
        """Returns the market, which is open."""
        return Driver(self.exchange, self._scenario, **self._terms)

    def left_behind(self, test: str) -> str:
        """Saves the commands as a journal, and returns what to do with it. test: the name of the test that failed."""
        name = re.sub(r"[^\w.-]+", "-", test).strip("-")[-80:]
        path = next(each for each in self._places(name) if not each.exists())
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._recording.save(path)
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
