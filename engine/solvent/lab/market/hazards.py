"""Hazards: liquidations per 1,000 hours with a position open, raw and at equal leverage, with intervals over seeds.

Owns the statistics of runs. Never runs anything, never tells it (report, comparison). At equal leverage each leverage's hazard
weighs as much as its share among the traders, for every behaviour alike (population.LEVERAGES). Seeds are independent worlds,
liquidations of one world are not. So intervals come from leaving out one seed after the other (the jackknife), of
logarithms, by Student's t. Cost: some array operations on a table of behaviours by leverages a seed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import exp, floor, log, log10, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from solvent.lab.market.markets import FIRST_TRADER
from solvent.lab.market.population import CONTROL, LEVERAGES, NAMES
from solvent.lab.market.runner import Outcome

Floats = npt.NDArray[np.float64]
HOUR_NS = 3_600_000_000_000
THOUSAND = 1_000
ENOUGH = 10  # liquidations of the control group, below which a ratio to it says nothing
WEIGHTS = np.array(list(LEVERAGES.values()), dtype=np.float64) / sum(LEVERAGES.values())
NORMAL = 1.959963984540054  # 97.5 % of a normal variable lie below
COLUMNS = ("traders", "traded", "hit", "longs", "shorts", "hours")


@dataclass(frozen=True, slots=True)
class Cells:
    """Counts by behaviour (rows) and leverage (columns): traders, those who traded and were hit, liquidations, hours held."""

    traders: Floats
    traded: Floats
    hit: Floats
    longs: Floats
    shorts: Floats
    hours: Floats

    @property
    def liquidations(self) -> Floats:
        return self.longs + self.shorts

    def plain(self) -> dict[str, Any]:
        """Returns the counts as lists, for JSON."""
        return {name: getattr(self, name).tolist() for name in COLUMNS}


def cells(outcome: Outcome) -> Cells:
    """Returns the counts of a run."""
    crowd, tally = outcome.crowd, outcome.tally
    column = np.searchsorted(np.array(list(LEVERAGES)), crowd.leverage)
    place = crowd.behaviour * len(LEVERAGES) + column

    def summed(amounts: npt.NDArray[Any]) -> Floats:
        found = np.bincount(place, weights=amounts, minlength=len(NAMES) * len(LEVERAGES))
        return found.reshape(len(NAMES), len(LEVERAGES)).astype(np.float64)

    accounts = np.array(tally.liquidations.accounts, dtype=np.int64) - FIRST_TRADER
    longs = np.array(tally.liquidations.longs, dtype=np.bool_)
    traders = (accounts >= 0) & (accounts < len(crowd))
    by_side = [np.bincount(accounts[traders & side], minlength=len(crowd)) for side in (longs, ~longs)]
    return Cells(
        traders=summed(np.ones(len(crowd))),
        traded=summed(tally.traded[FIRST_TRADER : FIRST_TRADER + len(crowd)]),
        hit=summed(by_side[0] + by_side[1] > 0),
        longs=summed(by_side[0]),
        shorts=summed(by_side[1]),
        hours=summed(outcome.held_ns.sum(axis=0)) / HOUR_NS,
    )


def of_plain(found: dict[str, Any]) -> Cells:
    """Returns counts that `plain` gave."""
    return Cells(*(np.array(found[name], dtype=np.float64) for name in COLUMNS))


def pooled(runs: Sequence[Cells]) -> Cells:
    """Returns the sum of the counts of runs."""
    return Cells(*(np.sum([getattr(each, name) for each in runs], axis=0) for name in COLUMNS))


@dataclass(frozen=True, slots=True)
class Estimate:
    """Holds a value with its 95 % interval. value None: it cannot be known. low, high None: there is no interval.

    error: the half-width that it would have.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    error: float | None = None

    def place(self) -> int:
        """Returns the last decimal place that interval or error let be told: 1 for tenths, -1 for tens."""
        half = self.error if self.low is None or self.high is None else (self.high - self.low) / 2
        return 0 if not half or not self.value else -floor(log10(min(half, self.value)))

    def told(self) -> str:
        """Returns the value, and its interval if there is one, with no more digits than that allows."""
        if self.value is None:
            return "-"
        place = self.place()
        value, low, high = (
            None if each is None else f"{round(each, place):,.{max(0, place)}f}" for each in (self.value, self.low, self.high)
        )
        return f"{value} [{low}, {high}]" if low is not None and high is not None else str(value)

    def plain(self) -> dict[str, float] | None:
        """Returns the figures as JSON has them, rounded to one digit more than is printed."""
        if self.value is None:
            return None
        places = self.place() + 1
        found = {"value": self.value, "low": self.low, "high": self.high}
        return {name: round(each, places) for name, each in found.items() if each is not None}


Statistic = Callable[[Cells], float | None]


def raw(row: int) -> Statistic:
    """Returns the hazard of a behaviour as it is, whatever its leverages."""

    def found(counts: Cells) -> float | None:
        hours = counts.hours[row].sum()
        return float(THOUSAND * counts.liquidations[row].sum() / hours) if hours else None

    return found


def at_equal_leverage(row: int) -> Statistic:
    """Returns the hazard of a behaviour with every leverage at its common weight; None where one was never held."""

    def found(counts: Cells) -> float | None:
        hours = counts.hours[row]
        return float(THOUSAND * (WEIGHTS * counts.liquidations[row] / hours).sum()) if hours.all() else None

    return found


def against_control(row: int, of: Callable[[int], Statistic] = at_equal_leverage) -> Statistic:
    """Returns a hazard as a multiple of the control group's; None where that has too few liquidations to compare with."""

    def found(counts: Cells) -> float | None:
        upper, lower = of(row)(counts), of(CONTROL)(counts)
        enough = counts.liquidations[CONTROL].sum() >= ENOUGH
        return upper / lower if enough and upper is not None and lower else None

    return found


def student(freedom: int) -> float:
    """Returns the 97.5 % point of Student's t, by its expansion around the normal one.

    >>> round(student(19), 3), round(student(4), 2)
    (2.093, 2.78)
    """
    if freedom < 4:
        return {1: 12.706, 2: 4.303, 3: 3.182}[freedom]
    z, n = NORMAL, freedom
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    fourth = (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160
    return z + first / n + second / n**2 + third / n**3 + fourth / n**4


def over_seeds(runs: Sequence[Cells], statistic: Statistic) -> Estimate:
    """Returns a statistic of all runs together, with a 95 % interval from leaving out one seed after the other."""
    whole = statistic(pooled(runs))
    if not whole or len(runs) < 2:
        return Estimate(whole)
    without = [statistic(pooled([*runs[:i], *runs[i + 1 :]])) for i in range(len(runs))]
    if not all(without):
        return Estimate(whole)
    logs = np.log([each for each in without if each])
    n = len(runs)
    spread = sqrt((n - 1) / n * float(((logs - logs.mean()) ** 2).sum()))
    half = student(n - 1) * spread
    return Estimate(whole, exp(log(whole) - half), exp(log(whole) + half))


def of_one(counts: Cells, statistic: Statistic) -> Estimate:
    """Returns a statistic of a single run, with the error that chance alone would leave if each liquidation came by itself.

    That is too small, for a crash brings them together; it bounds the digits that are told.
    """
    value = statistic(counts)
    if not value:
        return Estimate(value)
    variance = 0.0
    for place in zip(*np.nonzero(counts.liquidations), strict=True):
        longs = counts.longs.copy()
        longs[place] += 1
        moved = statistic(replace(counts, longs=longs)) or value
        variance += float(counts.liquidations[place]) * (moved - value) ** 2
    return Estimate(value, error=NORMAL * sqrt(variance))
