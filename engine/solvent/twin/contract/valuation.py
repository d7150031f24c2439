"""Value of a contract at a price, and the margin that its tiers require: pure functions of one instrument, in big integers.

Owns the three kinds of value (linear, inverse, quanto) with their rounding, and the tiers with their basis and scheme. Owns
the prices at which a position leaves nothing. Never knows an account. Amounts are units of the settlement currency, rates are
over RATE, prices are ticks, sizes are lots. A quanto contract is a linear one with a size in settlement currency per point of
price. No function here has a case for it.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, Protocol

from solvent.schema.limits import RATE
from solvent.schema.terms import CallTerms, FeeRow, InstrumentTerms, RateRow, names_of
from solvent.schema.words import Basis, Kind, Leg, Listing, Scheme, Side
from solvent.twin.base.integers import ceil_div
from solvent.twin.contract.order_limits import OrderLimits
from solvent.twin.market.call_price import CallPrice

UNBOUNDED = 2**63 - 1
"""Stands for the bankruptcy price of a position that is bankrupt at every legal price, or at none."""


class Tier(NamedTuple):
    top: int  # lots, or units of value where the basis is a notional
    maintenance_ppb: int
    max_leverage: int  # in hundredths
    initial_ppb: int


@dataclass(slots=True)
class Contract:
    """An instrument in integers, and its prices (0 before the first one)."""

    # rendered: terms
    kind: int
    units: int  # linear: of a tick and lot; inverse: of a lot, times its price in ticks
    decimals: int  # of the settlement currency
    max_price_ticks: int
    max_size_lots: int
    maker_fee_ppb: int
    taker_fee_ppb: int
    liquidation_fee_ppb: int
    default_leverage: int
    basis: int
    scheme: int
    maintenance_curve: int  # a lot (SLOPE), or of notional**0.8 in whole currency (POWER)
    initial_curve: int
    at_entry: int  # maintenance is asked of the value at entry
    expiry_ns: int  # 0: a perpetual
    settle_window_ns: int
    tier_group: int  # of instruments whose nets add up for tiers; 0: none
    larger_leg: int  # of a cross hedge only the larger side is asked for
    own_fee: int  # the liquidation fee is the taker fee of who is liquidated, by his volume
    currency: int
    # rendered: end
    fee_tiers: tuple[FeeRow, ...]
    tiers: tuple[Tier, ...]
    rates: tuple[RateRow, ...]
    listing: int = Listing.TRADING
    mark: int = 0
    prior_mark: int = 0  # the mark before the last one; the first mark itself at first
    index: int = 0
    last: int = 0  # price of the last trade between users
    funding_period: int = 0  # the last period settled
    funds_at_index: bool = False  # True if funding is paid on the value at the index
    ends_ns: int = 0  # when its call ends by itself; 0: never
    then_listing: int = Listing.TRADING  # its state after that
    extensions: int = 0  # of its call
    told: CallPrice = CallPrice()  # the last indication of its call
    modelled: bool = False  # True if a price model computes its marks
    accrual_ppb: int = 0  # rate that accrued funding adds to requirements of longs, or, negative, of shorts

    limits: OrderLimits | None = None  # on orders
    calls: CallTerms = CallTerms()
    covers: bool = False  # True if in every tier maintenance with the fee is at most the initial rate
    maintenance_ppb: tuple[int, ...] = ()  # of the tiers, where no table of a side and a leverage has rates of its own

    @classmethod
    def of(cls, spec: InstrumentTerms) -> "Contract":
        """Returns a contract of these terms, without prices."""
        terms = {name: getattr(spec, name) for name in names_of(InstrumentTerms) if name not in ("prices", "limits", "calls")}
        limits = OrderLimits(spec.limits) if spec.limits else None
        return cls(**terms, limits=limits, calls=spec.calls or CallTerms())

    @property
    def reference(self) -> int:
        """Returns the price that decides an uncross; the mark where it is not there yet."""
        return (self.mark, self.last, self.index)[self.calls.reference] or self.mark

    @property
    def waits(self) -> bool:
        """True if nobody is liquidated here now."""
        return bool(self.calls.deferred) and self.listing != Listing.TRADING

    def frozen(self, now_ns: int) -> bool:
        """True if a call is about to end: its orders stay as they are."""
        return self.calls.freeze_ns > 0 and 0 < self.ends_ns <= now_ns + self.calls.freeze_ns

    def __post_init__(self) -> None:
        self.tiers = tuple(Tier(*tier) for tier in self.tiers)
        self.maintenance_ppb = tuple(tier.maintenance_ppb for tier in self.tiers)
        tables = [self.maintenance_ppb, *(each for *_, each in self.rates)]
        self.covers = self.scheme not in (Scheme.SLOPE, Scheme.POWER) and all(
            rate + self.liquidation_fee_ppb <= tier.initial_ppb
            for table in tables for rate, tier in zip(table, self.tiers, strict=True)
        )  # fmt: skip


class Sized(Protocol):
    """The fields of a position that values and tiers read."""

    @property
    def size(self) -> int: ...
    @property
    def cost(self) -> int: ...
    @property
    def leverage(self) -> Fraction: ...
    @property
    def chosen_tier(self) -> int: ...  # 1-based lower bound of its tier; 0: none
    @property
    def other_lots(self) -> int: ...  # size of the other leg in the same margin domain
    @property
    def sides(self) -> tuple[int, int]: ...  # lots long and short of its instrument or tier group
    @property
    def group_net_lots(self) -> int: ...  # absolute net sizes of the tier group's other instruments, added up


# --- Value (semantics §1)


def value_of(contract: Contract, lots: int, price: int, up: bool = False) -> int:
    """Returns the value of `lots` in a trade: exact if linear; inverse rounded down, or up."""
    if contract.kind != Kind.INVERSE or not lots:  # without lots the price may be 0
        return lots * price * contract.units
    return ceil_div(lots * contract.units, price) if up else lots * contract.units // price


def worth(contract: Contract, size: int, price: int) -> int:
    """Returns the signed value of a position; worth less cost is its profit.

    A linear value is exact. An inverse long is worth minus its value, so that rising prices gain. Its value is rounded once:
    up for a long, down for a short.
    """
    return -size * contract.units // price if contract.kind == Kind.INVERSE else size * price * contract.units


def cost_delta(contract: Contract, side: int, value: int) -> int:
    """Returns the change of the signed cost by a fill of this value."""
    return value if (side == Side.BUY) == (contract.kind != Kind.INVERSE) else -value


def value_at_mark(contract: Contract, p: Sized) -> int:
    return abs(worth(contract, p.size, contract.mark)) if p.size else 0


def funding_value(contract: Contract, size: int) -> int:
    """Returns the value on which funding is paid."""
    return abs(worth(contract, size, contract.index if contract.funds_at_index else contract.mark)) if size else 0


def upl(contract: Contract, p: Sized) -> int:
    """Returns unrealised profit at mark."""
    return worth(contract, p.size, contract.mark) - p.cost if p.size else -p.cost


def loss_of(contract: Contract, side: int, lots: int, price: int, loss_ticks: int) -> int:
    """Returns the immediate loss of lots bought `loss_ticks` above mark, or sold as much below."""
    if not loss_ticks:
        return 0
    sign = 1 if side == Side.BUY else -1
    return cost_delta(contract, side, value_of(contract, lots, price)) - worth(
        contract, sign * lots, price - sign * loss_ticks
    )


def price_paying(contract: Contract, size: int, cost: int, fee_ppb: int) -> int:
    """Returns the first tick, from the bad side, at which closing the whole size pays its cost and a fee.

    These are the closed forms of the bankruptcy price, rounded to the safe side: long up, short down. The result is not
    clamped to legal prices. It is zero or less where a linear long cannot go bankrupt. It is UNBOUNDED where an inverse short
    cannot, or where no price is high enough for an inverse long.
    """
    lots = abs(size)
    if contract.kind != Kind.INVERSE:
        if size > 0:
            return ceil_div(cost * RATE, lots * contract.units * (RATE - fee_ppb))
        return (-cost * RATE) // (lots * contract.units * (RATE + fee_ppb))
    if size > 0:  # `most`: the largest value at which the long can be closed
        most = -cost * RATE // (RATE + fee_ppb)
        return ceil_div(lots * contract.units, most) if most > 0 else UNBOUNDED
    least = ceil_div(cost * RATE, RATE - fee_ppb)
    return lots * contract.units // least if least > 0 else UNBOUNDED


def closing_fee(contract: Contract, size: int, cost: int, fee_ppb: int) -> int:
    """Returns the fee f * V of closing the whole position at the price that leaves exactly nothing. V solves V - f * V = cost
    when selling and V + f * V = -cost when buying."""
    sign = (1 if size > 0 else -1) * (-1 if contract.kind == Kind.INVERSE else 1)
    return ceil_div(max(0, sign * cost) * fee_ppb, RATE - sign * fee_ppb)


# --- Tiers


def fee_units(value: int, rate_ppb: int) -> int:
    return ceil_div(value * rate_ppb, RATE)


def measure_of(contract: Contract, p: Sized) -> int:
    """Returns the position's measure in the tiers: lots, or units of value."""
    if contract.basis == Basis.NOTIONAL:
        return value_at_mark(contract, p)
    if contract.basis == Basis.ENTRY:
        return abs(p.cost)
    return abs(p.size + p.other_lots) + p.group_net_lots if contract.basis == Basis.NET else abs(p.size)


def measure_with(contract: Contract, p: Sized, side: int, lots: int) -> int:
    """Returns the measure of this position alone after opening `lots` more on `side`. The other leg of a hedge is not
    netted."""
    held = max(0, p.size if side == Side.BUY else -p.size)
    if contract.basis not in (Basis.NOTIONAL, Basis.ENTRY):
        return held + lots
    entered = abs(p.cost) if held and contract.basis == Basis.ENTRY else value_of(contract, held, contract.mark, up=True)
    return entered + value_of(contract, lots, contract.mark, up=True)


def tier_at(contract: Contract, measure: int, chosen: int = 0) -> int:
    """Returns the 0-based tier of a measure, at least the chosen one, at most the last."""
    for k, tier in enumerate(contract.tiers):
        if measure <= tier.top:
            return max(k, chosen - 1)
    return len(contract.tiers) - 1


def allows(contract: Contract, k: int, leverage: Fraction) -> bool:
    """True if tier k allows a leverage."""
    return leverage.numerator * 100 <= contract.tiers[k].max_leverage * leverage.denominator


def tier_of(contract: Contract, p: Sized) -> int:
    return tier_at(contract, measure_of(contract, p), p.chosen_tier)


def lots_within(contract: Contract, p: Sized, k: int) -> int:
    """Returns how many of a position's lots fit into tier k."""
    top = contract.tiers[k].top
    if contract.basis == Basis.NOTIONAL:
        if contract.kind == Kind.INVERSE:
            return top * contract.mark // contract.units
        return top // (contract.mark * contract.units)
    if contract.basis == Basis.ENTRY:
        return top * abs(p.size) // abs(p.cost)
    return max(0, top - p.group_net_lots) if contract.basis == Basis.NET else top


def fifth_root(n: int, contract: Contract) -> tuple[int, int]:
    """Returns the fifth root of a notional in whole currency as (root, scale): 24 binary digits, rounded down.

    It is the largest root with root**5 <= n * 10**e * 2**(5j) below 2**127, the bound of 128-bit integers.
    """
    digits = -(-contract.decimals // 5)
    n *= 10 ** (5 * digits - contract.decimals)
    shift = 0
    while n << 5 * (shift + 1) < 2**127:
        shift += 1
    target, root = n << 5 * shift, 0
    for bit in reversed(range(26)):
        if (root + 2**bit) ** 5 <= target:
            root += 2**bit
    return root, (1 << shift) * 10**digits


def rate_at(contract: Contract, base_ppb: int, curve: int, lots: int, notional: int) -> int:
    """Returns a rate over RATE, at most one: the tier's rate, plus a rate per lot (SLOPE), or at least curve * notional**0.8
    (POWER)."""
    if contract.scheme == Scheme.SLOPE:
        return min(RATE, base_ppb + ceil_div(lots * curve, RATE))
    if contract.scheme != Scheme.POWER or not notional:
        return base_ppb
    root, scale = fifth_root(notional, contract)
    return max(base_ppb, min(RATE, ceil_div(notional * scale * curve, root * 10**contract.decimals * RATE)))


def rates_of(contract: Contract, long: bool, leverage: Fraction) -> tuple[int, ...]:
    """Returns the maintenance rates of the tiers, over RATE, for a side and a leverage."""
    for side, most, rates in contract.rates:
        if side in (Leg.ONE_WAY, Leg.LONG if long else Leg.SHORT) and leverage <= (most or leverage):
            return rates
    return contract.maintenance_ppb


def deducted(contract: Contract, k: int, rates: tuple[int, ...]) -> int:
    """Returns the deduction of tier k, in the tiers' measure times RATE: D_n = D_(n-1) + top_(n-1) * (rate_n - rate_(n-1))."""
    return sum(contract.tiers[i].top * (rates[i + 1] - rates[i]) for i in range(k))


def accrued(contract: Contract, size: int) -> int:
    """Returns the accrued funding that the position would pay, times RATE; 0 if it would receive."""
    rate = contract.accrual_ppb if size > 0 else -contract.accrual_ppb
    return funding_value(contract, size) * rate if rate > 0 else 0


def accrued_units(contract: Contract, size: int) -> int:
    """Returns the accrued funding in units, rounded up."""
    return ceil_div(accrued(contract, size), RATE)


def factor(contract: Contract, k: int, rate_ppb: int, leverage: Fraction) -> tuple[int, int | Fraction]:
    """Returns a maintenance rate of tier k as a fraction: the rate itself, or its share of the initial margin (FACTOR)."""
    if contract.scheme == Scheme.FACTOR:
        return rate_ppb * RATE, contract.tiers[k].initial_ppb * leverage
    return rate_ppb, 1


def is_lesser(contract: Contract, p: Sized) -> bool:
    """True if a position is on the side of a hedge that needs no margin: the smaller side, or the short if both are equal."""
    if not contract.larger_leg or not p.size:
        return False
    long, short = p.sides
    return long < short if p.size > 0 else short <= long


def asked(contract: Contract, p: Sized, k: int, fee_ppb: int = 0) -> int:
    """Returns the margin that tier k requires, times RATE: value * (rate + fee) less the tier's deduction, plus accrued
    funding."""
    if is_lesser(contract, p):
        return 0
    value = abs(p.cost) if contract.at_entry else value_at_mark(contract, p)
    rates = rates_of(contract, p.size > 0, p.leverage)
    base, parts = factor(contract, k, rates[k], p.leverage)
    if contract.scheme == Scheme.FACTOR:
        return ceil_div(value * base, parts) + value * fee_ppb + accrued(contract, p.size)
    rate = rate_at(contract, base, contract.maintenance_curve, abs(p.size), value)
    if contract.scheme != Scheme.DEDUCTION:
        return value * (rate + fee_ppb) + accrued(contract, p.size)
    measure = max(1, measure_of(contract, p))
    weight = (rate + fee_ppb) * measure - deducted(contract, k, rates)
    return ceil_div(value * weight, measure) + accrued(contract, p.size)


def maintenance(contract: Contract, p: Sized, k: int, fee_ppb: int = 0) -> int:
    """Returns the margin that tier k requires in units, rounded up once."""
    return ceil_div(asked(contract, p, k, fee_ppb), RATE)


def over_leverage(value: int, leverage: Fraction) -> int:
    """Returns value / leverage rounded up."""
    return ceil_div(value * leverage.denominator, leverage.numerator)


def initial_of(contract: Contract, value: int, leverage: Fraction, lots: int, notional: int) -> int:
    """Returns initial margin of a value: by leverage, or by a curve if that is more. `lots` and `notional` are those of the
    whole position. It is never below the tiers' initial rate where tiers bound the leverage."""
    by_leverage = over_leverage(value, leverage)
    if contract.scheme not in (Scheme.SLOPE, Scheme.POWER):
        return by_leverage
    rate = rate_at(contract, contract.tiers[0].initial_ppb, contract.initial_curve, lots, notional)
    return max(by_leverage, fee_units(value, rate))


def initial_rise(contract: Contract, value: int, leverage: Fraction, lots: int, held: tuple[int, int]) -> int:
    """Returns the initial margin of an addition to `held` (lots and their notional). With a curve it is the margin of the
    whole less the margin before, so that many fills need as much as one."""
    by_leverage, (before, notional) = over_leverage(value, leverage), held
    if contract.scheme not in (Scheme.SLOPE, Scheme.POWER):
        return by_leverage
    total = initial_of(contract, notional + value, leverage, before + lots, notional + value)
    return max(by_leverage, total - initial_of(contract, notional, leverage, before, notional))


# --- Prices


def legal(contract: Contract, price: int) -> int:
    return max(1, min(contract.max_price_ticks, price))


def band_price(contract: Contract, side: int, band_ppb: int) -> int:
    """Returns the worst legal price of a buy or a sell within a band around mark, rounded inwards."""
    return band_edge(contract, contract.mark, side, band_ppb)


def band_edge(contract: Contract, price: int, side: int, band_ppb: int) -> int:
    """Returns the worst legal price of a buy or a sell within a band around `price`, rounded inwards."""
    if side == Side.BUY:
        return legal(contract, price * (RATE + band_ppb) // RATE)
    return legal(contract, ceil_div(price * (RATE - band_ppb), RATE))
