"""Position tiers (the seed's "levels"): maximum sizes, each with a maintenance rate and a leverage.

Immutable and validated. The instrument decides what a tier measures: contracts, notional at mark or at entry, or the net of a
hedge. It also decides how the rate becomes a requirement (whole position, deduction, slope, power, factor); see
docs/explanation/semantics.md. Tables here name their source.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache

from solvent.schema.codes import InputError, shown
from solvent.schema.limits import MONEY_MAX, RATE
from solvent.schema.terms import RateRow, Row
from solvent.schema.words import Leg
from solvent.terms.decimals import PPB, Dec, fraction, from_fraction, from_units, members_of, to_units


def rate_ppb(value: object, what: str, lowest: int = 0, highest: int = RATE) -> int:
    """Returns a rate between 0 and 1 (or `lowest` and `highest`) as an integer over 10**9. Raises InputError for others.

    >>> rate_ppb("0.0005", "fee")
    500000
    """
    ppb = to_units(value, PPB, what)
    if ppb is None or not lowest <= ppb <= highest:
        raise InputError(
            f"{what}: {shown(value)} is not a rate from {lowest // RATE} to {highest // RATE} with at most nine decimals"
        )
    return ppb


@dataclass(frozen=True, slots=True)
class Tier:
    """Describes one tier: sizes up to `max_contracts`, a `maintenance` and an `initial` margin rate.

    max_contracts: its top, in contracts, or in settlement currency where the instrument's tiers measure money. max_leverage:
    at most two decimals; defaults to floor(1 / initial). deduction: the venue's printed maintenance amount, in settlement
    currency, for a table by notional with deductions. It must be the one that the rates imply.

    Raises InputError unless 0 < maintenance <= initial <= 1 and max_leverage * initial <= 1.

    >>> from solvent import Tier
    >>> Tier(50_000, "0.004", "0.008").max_leverage
    125
    """

    max_contracts: Dec
    maintenance: Dec
    initial: Dec
    max_leverage: Dec = 0
    deduction: Dec | None = None

    def __post_init__(self) -> None:
        maintenance = rate_ppb(self.maintenance, "maintenance rate")
        initial = rate_ppb(self.initial, "initial rate")
        for what, value in (("tier size", self.max_contracts), ("deduction", self.deduction)):
            if value is not None or what == "tier size":
                fraction(value, what)
        if not 0 < maintenance <= initial:
            raise InputError(
                f"tier: maintenance {shown(self.maintenance)} must be above 0 and not above initial {shown(self.initial)}"
            )
        if fraction(self.max_leverage, "max_leverage") == 0:
            object.__setattr__(self, "max_leverage", RATE // initial)
        if not 100 <= self.leverage_hundredths <= 100 * RATE // initial:
            raise InputError(f"tier: leverage {shown(self.max_leverage)} does not fit the initial rate {shown(self.initial)}")

    @property
    def leverage_hundredths(self) -> int:
        """Returns the highest leverage in hundredths."""
        return to_units(self.max_leverage, Decimal("0.01"), "max_leverage") or 0


_SIDES = {None: Leg.ONE_WAY, "long": Leg.LONG, "short": Leg.SHORT}


@dataclass(frozen=True, slots=True)
class Rates:
    """Replaces the maintenance rates of an instrument's tiers, one for each tier, for some of its positions.

    side: "long" or "short"; None for both (Vega's risk factors). max_leverage: applies to positions at most at this leverage;
    None for any (HTX's adjustment factors by tier and leverage). Tops, initial rates and allowed leverage stay the tiers' own.

    Raises InputError for a bad rate, side or leverage. The instrument refuses rates that fall, or exceed their tier's initial
    rate.

    >>> Rates(["0.03", "0.05"], side="short").compiled()
    (2, 0, (30000000, 50000000))
    """

    maintenance: Sequence[Dec]
    side: str | None = None
    max_leverage: int | None = None

    def __post_init__(self) -> None:
        if self.side is not None and (not isinstance(self.side, str) or self.side not in ("long", "short")):
            raise InputError(f"side is 'long', 'short' or None, not {shown(self.side)}")
        if self.max_leverage is not None and (type(self.max_leverage) is not int or not 1 <= self.max_leverage <= RATE):
            raise InputError(f"max_leverage {shown(self.max_leverage)} is not a whole number from 1, or None")
        if not self.compiled()[2]:
            raise InputError("maintenance is a list of rates, one for each tier")

    def compiled(self) -> RateRow:
        """Returns (side, highest leverage or 0, maintenance rates over 10**9)."""
        rates = tuple(rate_ppb(each, "maintenance rate") for each in members_of(self.maintenance, object, "maintenance"))
        return int(_SIDES[self.side]), self.max_leverage or 0, rates


@lru_cache(64)
def compile_tiers(tiers: tuple[Tier, ...], step: Decimal, what: str = "lots") -> tuple[Row, ...]:
    """Returns (top, maintenance_ppb, max_leverage in hundredths, initial_ppb) of each tier.

    step: a lot, or a unit of money. Raises InputError for a table that is empty or not in whole steps. Sizes and rates must
    rise, leverage must not.
    """
    rows: list[Row] = []
    for tier in tiers:
        top = to_units(tier.max_contracts, step, "tier size")
        if top is None or top < 1:
            raise InputError(f"tier size {shown(tier.max_contracts)} is not a whole number of {what} of {step}")
        maintenance, initial = rate_ppb(tier.maintenance, "maintenance rate"), rate_ppb(tier.initial, "initial rate")
        rows.append((top, maintenance, tier.leverage_hundredths, initial))
    if rows and rows[-1][0] > MONEY_MAX:  # a venue's way to say that the last tier has no end
        rows[-1] = (MONEY_MAX, *rows[-1][1:])
    if not rows:
        raise InputError("an instrument needs at least one tier")
    for here, there in zip(rows, rows[1:], strict=False):
        if there[0] <= here[0] or there[1] < here[1] or there[2] > here[2]:
            raise InputError(f"tiers must rise in size and rate and fall in leverage (at {there[0]} {what})")
    return tuple(rows)


def deductions(tiers: Sequence[Tier]) -> tuple[Decimal, ...]:
    """Returns each tier's deduction, which makes the requirement continuous, as if each slab paid its own rate.

    D_n = D_(n-1) + top_(n-1) * (maintenance_n - maintenance_(n-1)) (Binance: "cum", Bybit: "mm deduction").

    >>> [str(each) for each in deductions([Tier(50_000, "0.004", "0.008"), Tier(250_000, "0.005", "0.01")])]
    ['0', '50']
    """
    found = [Fraction(0)]
    for here, there in zip(tiers, tiers[1:], strict=False):
        rise = fraction(there.maintenance, "maintenance rate") - fraction(here.maintenance, "maintenance rate")
        found.append(found[-1] + fraction(here.max_contracts, "tier size") * rise)
    return tuple(from_fraction(each) for each in found)


def check_deductions(tiers: Sequence[Tier], name: str) -> None:
    """Raises InputError if a printed deduction is not the one that the rates imply: the requirement would jump there."""
    for k, (tier, derived) in enumerate(zip(tiers, deductions(tiers), strict=True), 1):
        if tier.deduction is not None and fraction(tier.deduction, "deduction") != Fraction(derived):
            raise InputError(f"{name}: tier {k} deducts {shown(tier.deduction)}, and {derived} would make it continuous")


def curve_e18(value: object, what: str, per: Fraction) -> int:
    """Returns a coefficient times `per` as an integer over 10**18. Raises InputError if that is not exact.

    >>> curve_e18("0.00005", "slope", Fraction(1, 1000))
    50000000000
    """
    exact = fraction(value, what) * per * 10**18
    if exact.denominator != 1:
        raise InputError(f"{what}: {shown(value)} is not a whole number of 10**-18 (a lot, where it is a slope)")
    return int(exact)


_PERMILLE = Decimal("0.001")


@cache
def okex_btc_2019(first: int = 2_000, step: int = 10_000, levels: int = 100) -> tuple[Tier, ...]:
    """Returns OKEx's schedule for BTC coin-margined contracts of September 2019 (OKEx notice).

    Tier k has the top first + (k - 1) * step contracts, a maintenance rate of 0.5 % * k, and an initial rate 0.5 % above that.
    `first` and `step` scale the tops.

    >>> okex_btc_2019()[2]
    Tier(max_contracts=22000, maintenance='0.015', initial='0.02', max_leverage=50, deduction=None)
    """
    return tuple(
        Tier(first + k * step, str(from_units(5 * (k + 1), _PERMILLE)), str(from_units(5 * (k + 2), _PERMILLE)))
        for k in range(levels)
    )
