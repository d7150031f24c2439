"""The auditor's own arithmetic: values, costs and thresholds of contracts, from their constants alone.

Owns nothing. Shares no formula with the core or the twin: it has fractions instead of scaled integers, slabs instead of
deductions, a search instead of a root by digits. Slow, for tests and doubts.
"""

from fractions import Fraction
from math import ceil
from typing import NamedTuple

from solvent.schema.words import Kind, Leg, Scheme
from solvent.terms.spec import Spec

RATE = 10**9


def ratio_up(n: int | Fraction, d: int) -> int:
    """Divides and rounds up."""
    return -((-n) // d)


def toward_zero(n: int, d: int) -> int:
    """Divides and rounds toward zero."""
    return abs(n) // d * (1 if n >= 0 else -1)


class Held(NamedTuple):
    """Holds what tiers and requirements read of a position, its instrument and its account."""

    spec: Spec
    size: int
    cost: int
    value: int  # at mark
    measure: int  # the size that the tiers measure
    spared: bool  # True for the side of a hedge that needs no margin, because the other side is margined alone
    chosen: int  # tier, 0: none
    leverage: Fraction
    accrued: int  # units that accrued funding asks, over RATE


def fill_value(spec: Spec, lots: int, price: int, house_buys: bool = False) -> int:
    """Returns the value of a fill (semantics §1): linear exact; inverse rounded down, toward the house where it alone buys."""
    if spec.kind == Kind.INVERSE:
        return ratio_up(lots * spec.units, price) if house_buys else lots * spec.units // price
    return lots * price * spec.units


def signed_cost(spec: Spec, buys: bool, value: int) -> int:
    """Returns a value with the sign of its cost. An inverse long owes coins: its cost is minus its value."""
    return -value if buys == (spec.kind == Kind.INVERSE) else value


def held_value(spec: Spec, size: int, mark: int) -> int:
    """Returns V at mark; inverse values are rounded against their holder, a long's up, a short's down."""
    if spec.kind == Kind.INVERSE and size:
        return ratio_up(size * spec.units, mark) if size > 0 else -size * spec.units // mark
    return abs(size) * mark * spec.units


def profit(spec: Spec, size: int, cost: int, mark: int) -> int:
    """Returns the unrealised profit at mark."""
    return signed_cost(spec, size > 0, held_value(spec, size, mark)) - cost


def _root5(n: Fraction) -> Fraction:
    """Returns the fifth root of n from below, to 24 binary digits.

    n is whole * 10**-k, with as many digits as 127 bits hold.
    """
    low, high = 0, 1 << 26
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**5 <= n else (low, middle)
    return Fraction(low)


def power_rate(spec: Spec, curve: int, value: int) -> int:
    """Returns ceil(curve * notional**0.8) over RATE, notional in whole currency.

    Computes notional**0.8 as notional over its fifth root.
    """
    notional = Fraction(value, 10**spec.decimals)
    digits = -(-spec.decimals // 5)
    tens = int(10**digits)
    scale = 1
    while value * (tens**5 // 10**spec.decimals) * (2 * scale) ** 5 < 2**127:
        scale *= 2
    root = _root5(notional * tens**5 * scale**5) / (tens * scale)
    return ceil(notional / root * curve / RATE)


def level(held: Held) -> int:
    """Returns the tier, from 1 up; a size beyond the last tier stands in the last one."""
    last = len(held.spec.tiers)
    return max(held.chosen, next((i for i, tier in enumerate(held.spec.tiers, 1) if held.measure <= tier[0]), last))


def table(held: Held, buys: bool) -> list[int]:
    """Returns the maintenance rates of the tiers, over RATE, for a long (or a buy) or a short."""
    for side, most, rates in held.spec.rates:
        if side != (Leg.SHORT if buys else Leg.LONG) and (most == 0 or held.leverage <= most):
            return list(rates)
    return [tier[1] for tier in held.spec.tiers]


def plain_rate(held: Held, tier: int, buys: bool) -> int | Fraction:
    """Returns a tier's maintenance rate over RATE.

    Scheme FACTOR takes its share of the initial margin at the position's leverage.
    """
    maintenance, initial = table(held, buys)[tier - 1], held.spec.tiers[tier - 1][3]
    if held.spec.scheme == Scheme.FACTOR:
        return Fraction(maintenance, initial) * RATE / held.leverage
    return maintenance


def required(held: Held, tier: int, fee: int) -> int:
    """Returns the units that a tier asks for, with a fee rate and accrued funding; slab by slab where the scheme deducts."""
    spec = held.spec
    if held.spared:
        return 0
    value = abs(held.cost) if spec.at_entry else held.value
    rate = plain_rate(held, tier, held.size > 0)
    if spec.scheme == Scheme.SLOPE:
        rate = min(RATE, rate + ratio_up(abs(held.size) * spec.maintenance_curve, RATE))
    if spec.scheme == Scheme.POWER and value:
        rate = max(rate, min(RATE, power_rate(spec, spec.maintenance_curve, value)))
    if spec.scheme == Scheme.DEDUCTION and tier > 1:
        measure, maintenance = max(1, held.measure), table(held, held.size > 0)
        weight, below = 0, 0
        for i, (top, *_) in enumerate(spec.tiers[:tier], 1):
            until = measure if i == tier else top
            weight += (until - below) * maintenance[i - 1]
            below = until
        rate = Fraction(weight, measure)
    return ratio_up((rate + fee) * value + held.accrued, RATE)


def closing_fee(held: Held, equity: int, fee: int) -> int:
    """Returns the fee of closing at the price where a domain's equity and the fee itself are just gone."""
    if held.spared:
        return 0
    share, worth = Fraction(fee, RATE), signed_cost(held.spec, held.size > 0, held.value)
    left = worth - equity  # what closing has to bring (or, if negative, may take) besides the fee
    value = left / (1 - share) if worth > 0 else -left / (1 + share)
    return ceil(max(Fraction(0), value) * share)
