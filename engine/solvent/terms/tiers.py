"""Position tiers (the seed's "levels"): how much may be held, at which maintenance rate and leverage.

Immutable and validated. What a tier measures (contracts, notional at mark or at entry, the net of a hedge) and how its
rate becomes a requirement (whole position, deduction, slope, power, factor) is the instrument's to say (docs/semantics.md).
Tables here name their source.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from solvent.schema.codes import InputError, shown
from solvent.schema.limits import MONEY_MAX, RATE
from solvent.schema.terms import RateRow, Row
from solvent.schema.words import Leg
from solvent.terms.decimals import PPB, Dec, fraction, from_fraction, from_units, many, to_units


def rate_ppb(value: object, what: str, lowest: int = 0, highest: int = RATE) -> int:
    """A rate between 0 and 1 (or `lowest` and `highest`) as an integer over 10**9.

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
    """One tier: up to `max_contracts`, at `maintenance` and `initial` margin rate.

    max_contracts: its top, in contracts, or in settlement currency where the instrument's tiers go by notional.
    `max_leverage`, with at most two decimals, defaults to floor(1 / initial). deduction: what the venue prints as its
    maintenance amount, in settlement currency (of a table by notional with deductions); it must be what the rates make it.
    Raises InputError unless 0 < maintenance <= initial <= 1 and max_leverage * initial <= 1.
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
        return to_units(self.max_leverage, Decimal("0.01"), "max_leverage") or 0


_SIDES = {None: Leg.ONE_WAY, "long": Leg.LONG, "short": Leg.SHORT}


@dataclass(frozen=True, slots=True)
class Rates:
    """Maintenance rates of an instrument's tiers, one for each, for some of its positions only.

    side: "long" or "short" (None: both; Vega's risk factors). max_leverage: of positions at most at that leverage (None: at
    any; HTX's adjustment factors by tier and leverage). Tops, initial rates and the leverage that is allowed stay the
    tiers'. Raises InputError for what is no rate, side or leverage; the instrument refuses rates that fall, or are above
    their tier's initial rate.

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
        rates = tuple(rate_ppb(each, "maintenance rate") for each in many(self.maintenance, object, "maintenance"))
        return int(_SIDES[self.side]), self.max_leverage or 0, rates


def compile_tiers(tiers: Sequence[Tier], step: Decimal, what: str = "lots") -> tuple[Row, ...]:
    """(top, maintenance_ppb, max_leverage in hundredths, initial_ppb) of each tier; sizes and rates must rise, leverage not.

    step: a lot, or a unit of money. Raises InputError for a table that is empty, unordered, or not in whole steps.
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
    """What each tier deducts so that the requirement is continuous, as if each slab were asked at its own rate:
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
    """Raises InputError when a printed deduction is not what the rates make it: the requirement would jump there."""
    for k, (tier, derived) in enumerate(zip(tiers, deductions(tiers), strict=True), 1):
        if tier.deduction is not None and fraction(tier.deduction, "deduction") != Fraction(derived):
            raise InputError(f"{name}: tier {k} deducts {shown(tier.deduction)}, and {derived} would make it continuous")


def curve_e18(value: object, what: str, per: Fraction) -> int:
    """A coefficient times `per` as an integer over 10**18; it must be exact.

    >>> curve_e18("0.00005", "slope", Fraction(1, 1000))
    50000000000
    """
    exact = fraction(value, what) * per * 10**18
    if exact.denominator != 1:
        raise InputError(f"{what}: {shown(value)} is not a whole number of 10**-18 (a lot, where it is a slope)")
    return int(exact)


_PERMILLE = Decimal("0.001")


def okex_btc_2019(first: int = 2_000, step: int = 10_000, levels: int = 100) -> tuple[Tier, ...]:
    """OKEx BTC coin-margined schedule of September 2019: top first + (k - 1) * step contracts, maintenance
    0.5 % a tier, initial 0.5 % above that (OKEx notice, September 2019). `first` and `step` scale the tops.

    >>> okex_btc_2019()[2]
    Tier(max_contracts=22000, maintenance='0.015', initial='0.02', max_leverage=50, deduction=None)
    """
    return tuple(
        Tier(first + k * step, str(from_units(5 * (k + 1), _PERMILLE)), str(from_units(5 * (k + 2), _PERMILLE)))
        for k in range(levels)
    )
