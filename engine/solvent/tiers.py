"""Position tiers (the seed's "levels"): how much may be held, at which maintenance rate and leverage.

Immutable and validated. The maintenance rate applies to the whole position (tier by contracts, OKX and the
seed). Tables here name their source.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from solvent.codes import InputError
from solvent.limits import RATE
from solvent.money import Dec, to_units

_PPB = Decimal(1) / RATE


def rate_ppb(value: object, what: str, lowest: int = 0) -> int:
    """A rate between 0 (or `lowest`) and 1 as an integer over 10**9.

    >>> rate_ppb("0.0005", "fee")
    500000
    """
    ppb = to_units(value, _PPB, what)
    if ppb is None or not lowest <= ppb <= RATE:
        raise InputError(f"{what}: {value} is not a rate from {lowest // RATE} to 1 with at most nine decimals")
    return ppb


@dataclass(frozen=True, slots=True)
class Tier:
    """One tier: up to `max_contracts`, at `maintenance` and `initial` margin rate.

    `max_leverage` defaults to floor(1 / initial). Raises InputError unless 0 < maintenance <= initial <= 1
    and max_leverage * initial <= 1.
    """

    max_contracts: Dec
    maintenance: Dec
    initial: Dec
    max_leverage: int = 0

    def __post_init__(self) -> None:
        maintenance = rate_ppb(self.maintenance, "maintenance rate")
        initial = rate_ppb(self.initial, "initial rate")
        if not 0 < maintenance <= initial:
            raise InputError(f"tier: maintenance {self.maintenance} must be above 0 and not above initial {self.initial}")
        if self.max_leverage == 0:
            object.__setattr__(self, "max_leverage", RATE // initial)
        if type(self.max_leverage) is not int or self.max_leverage < 1 or self.max_leverage * initial > RATE:
            raise InputError(f"tier: leverage {self.max_leverage} does not fit the initial rate {self.initial}")


def compile_tiers(tiers: Sequence[Tier], lot: Decimal) -> tuple[tuple[int, int, int], ...]:
    """(max_lots, maintenance_ppb, max_leverage) of each tier; sizes and rates must rise, leverage not.

    Raises InputError for a table that is empty, unordered, or not in whole lots.
    """
    rows: list[tuple[int, int, int]] = []
    for tier in tiers:
        lots = to_units(tier.max_contracts, lot, "tier size")
        if lots is None or lots < 1:
            raise InputError(f"tier size {tier.max_contracts} is not a whole number of lots of {lot}")
        rows.append((lots, rate_ppb(tier.maintenance, "maintenance rate"), tier.max_leverage))
    if not rows:
        raise InputError("an instrument needs at least one tier")
    for (lots, rate, leverage), (next_lots, next_rate, next_leverage) in zip(rows, rows[1:], strict=False):
        if next_lots <= lots or next_rate < rate or next_leverage > leverage:
            raise InputError(f"tiers must rise in size and rate and fall in leverage (at {next_lots} lots)")
    return tuple(rows)


def okex_btc_2019(first: int = 2_000, step: int = 10_000, levels: int = 100) -> tuple[Tier, ...]:
    """OKEx BTC coin-margined schedule of September 2019: top first + (k - 1) * step contracts, maintenance
    0.5 % a tier, initial 0.5 % above that (OKEx notice, September 2019). `first` and `step` scale the tops.

    >>> okex_btc_2019()[2]
    Tier(max_contracts=22000, maintenance='0.015', initial='0.02', max_leverage=50)
    """
    return tuple(
        Tier(first + k * step, str(Decimal(5 * (k + 1)) / 1000), str(Decimal(5 * (k + 2)) / 1000)) for k in range(levels)
    )
