"""The auditor's own arithmetic: values, costs and thresholds of contracts, from their constants alone.

Owns nothing and shares no formula with the core or the reference: fractions instead of scaled integers, slabs instead of
deductions, a search instead of a root by digits. Slow, for tests and doubts.
"""

from fractions import Fraction
from math import ceil, floor

from solvent.records import Basis, Kind, Scheme
from solvent.spec import Spec

RATE = 10**9


def fill_value(spec: Spec, lots: int, price: int, house_buys: bool = False) -> int:
    """Semantics §1: linear exact; inverse floored, toward the house where it alone buys."""
    if spec.kind == Kind.INVERSE:
        exact = Fraction(lots * spec.units, price)
        return ceil(exact) if house_buys else floor(exact)
    return lots * price * spec.units


def signed_cost(spec: Spec, buys: bool, value: int) -> int:
    """An inverse long owes coins: its cost is minus its value."""
    return -value if buys == (spec.kind == Kind.INVERSE) else value


def held_value(spec: Spec, size: int, mark: int) -> int:
    """V at mark: inverse rounded against its holder, a long's up, a short's down."""
    if spec.kind == Kind.INVERSE:
        exact = Fraction(abs(size) * spec.units, mark) if size else Fraction(0)
        return ceil(exact) if size > 0 else floor(exact)
    return abs(size) * mark * spec.units


def profit(spec: Spec, size: int, cost: int, mark: int) -> int:
    return signed_cost(spec, size > 0, held_value(spec, size, mark)) - cost


def _root5(n: Fraction) -> Fraction:
    """The fifth root to 24 binary digits, from below, of n = whole * 10**-k: digits as far as 127 bits hold them."""
    low, high = 0, 1 << 26
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**5 <= n else (low, middle)
    return Fraction(low)


def power_rate(spec: Spec, curve: int, value: int) -> int:
    """ceil(curve * notional**0.8) over RATE, notional in whole currency: notional**0.8 is notional over its fifth root."""
    notional = Fraction(value, 10**spec.decimals)
    digits = -(-spec.decimals // 5)
    tens = int(10**digits)
    scale = 1
    while value * (tens**5 // 10**spec.decimals) * (2 * scale) ** 5 < 2**127:
        scale *= 2
    root = _root5(notional * tens**5 * scale**5) / (tens * scale)
    return ceil(notional / root * curve / RATE)


def _measure(spec: Spec, size: int, cost: int, other: int, value: int) -> int:
    if spec.basis == Basis.NOTIONAL:
        return value
    if spec.basis == Basis.ENTRY:
        return abs(cost)
    return abs(size + other) if spec.basis == Basis.NET else abs(size)


def level(spec: Spec, size: int, cost: int, other: int, mark: int) -> int:
    """1-based tier; beyond the last it is the last."""
    measure = _measure(spec, size, cost, other, held_value(spec, size, mark))
    return next((i for i, (top, *_) in enumerate(spec.tiers, 1) if measure <= top), len(spec.tiers))


def required(spec: Spec, size: int, cost: int, other: int, mark: int, tier: int, fee: int) -> int:
    """Units that a tier asks, a fee rate included; slab by slab where the scheme deducts."""
    at_mark = held_value(spec, size, mark)
    value = abs(cost) if spec.at_entry else at_mark
    rate = spec.tiers[tier - 1][1]
    if spec.scheme == Scheme.SLOPE:
        rate = min(RATE, rate + ceil(Fraction(abs(size) * spec.maintenance_curve, RATE)))
    if spec.scheme == Scheme.POWER and value:
        rate = max(rate, min(RATE, power_rate(spec, spec.maintenance_curve, value)))
    if spec.scheme != Scheme.DEDUCTION or tier == 1:
        return ceil(Fraction(value * (rate + fee), RATE))
    measure = max(1, _measure(spec, size, cost, other, at_mark))
    weight, below = 0, 0
    for i, (top, maintenance, *_) in enumerate(spec.tiers[:tier], 1):
        until = measure if i == tier else top
        weight += (until - below) * maintenance
        below = until
    return ceil((Fraction(weight, measure) + fee) * value / RATE)
