"""Spare money of accounts, from the auditor's books: cash less losses, initial margins and holds of resting orders.

Owns nothing. Shares no formula with the core or the twin. Cost: O(orders) an answer; for tests and doubts.
"""

from collections import defaultdict
from fractions import Fraction
from math import ceil

from solvent.schema.words import Scheme
from solvent.terms.spec import Spec
from solvent.witness.rows import LEGS, Key, Order, Rows
from solvent.witness.values import (
    RATE,
    fill_value,
    level,
    power_rate,
    profit,
    ratio_up,
    required,
    signed_cost,
)


def spare(books: Rows, account: int, currency: int) -> int:
    """Returns the part of a balance that the contracts of its currency leave to count elsewhere.

    A position keeps the part of its initial margin that its own profit does not cover.
    """
    left = books.wallets[account, currency]
    for key in ((account, i, leg) for i in range(len(books.specs)) for leg in LEGS if books.currency[i] == currency):
        left -= hold(books, key)
        if books.sizes[key] and not books.modes.get(key):
            gained = profit(books.specs[key[1]], books.sizes[key], books.costs[key], books.marks[key[1]])
            left -= max(0, initial(books, key) - gained)
    return left


def spendable(books: Rows, account: int, currency: int) -> int:
    """Returns what could be withdrawn of a currency as far as its own contracts go; negative if they need more."""
    lost, held, asked = 0, 0, defaultdict[int | Key, list[int]](lambda: [0, 0])
    reserved = {o.key for o in books.orders.values() if o.key[0] == account and o.status == "resting" and not o.house}
    for key in ((account, i, leg) for i in range(len(books.specs)) for leg in LEGS if books.currency[i] == currency):
        if key in reserved:
            held += hold(books, key)
        if books.sizes.get(key) and not books.modes.get(key):
            lost += profit(books.specs[key[1]], books.sizes[key], books.costs[key], books.marks[key[1]])
            asked[_hedge(books, key)][books.sizes[key] < 0] += initial(books, key)
    dearer = sum(max(sides) if isinstance(hedge, int) else sum(sides) for hedge, sides in asked.items())
    return books.wallets[account, currency] + min(0, lost) - dearer - held


def _hedge(books: Rows, key: Key) -> int | Key:
    """Returns the hedge of a position: a number if only the dearer side counts, else the position itself."""
    spec = books.specs[key[1]]
    return (spec.tier_group or -1 - key[1]) if spec.larger_leg else key


def initial(books: Rows, key: Key) -> int:
    """Returns the initial margin of a position at mark with accrued funding; at least maintenance margin with the fee."""
    held = books.held(key)
    found = _initial(held.spec, held.value, held.leverage, abs(held.size), held.value) + ratio_up(held.accrued, RATE)
    return max(found, required(held, level(held), books.liquidation_fee(key)))


def _initial(spec: Spec, value: int, leverage: Fraction, lots: int, notional: int) -> int:
    rate = spec.tiers[0][3]
    if spec.scheme == Scheme.SLOPE:
        rate = min(RATE, rate + ceil(Fraction(lots * spec.initial_curve, RATE)))
    elif spec.scheme == Scheme.POWER and notional:
        rate = max(rate, min(RATE, power_rate(spec, spec.initial_curve, notional)))
    elif spec.scheme != Scheme.POWER:
        rate = 0
    return max(ceil(value / leverage), ratio_up(value * rate, RATE))


def hold(books: Rows, key: Key) -> int:
    """Returns what the resting orders of a position reserve: the dearer side's hold."""
    orders = [o for o in books.orders.values() if o.key == key and o.status == "resting" and not o.house]
    return max(_side(books, key, orders, side) for side in (0, 1)) if orders else 0


def _side(books: Rows, key: Key, orders: list[Order], side: int) -> int:
    spec, size, cross = books.specs[key[1]], books.sizes[key], not books.modes.get(key)
    mine = [o for o in orders if o.side == side and not o.reduces]
    lots, reserved = sum(o.remaining for o in mine), sum(o.remaining for o in orders if o.reduces)
    opens = max(0, lots - max(0, (size if side else -size) - reserved))
    loss = sum(_lost(spec, o) for o in mine)
    if cross:
        loss += sum(_lost(spec, o) for o in orders if o.reduces and o.side == side)
    else:
        loss = ratio_up(loss * opens, lots) if lots else 0
    if not opens:
        return loss
    value = ratio_up(sum(fill_value(spec, o.remaining, o.price) for o in mine) * opens, lots)
    adds = size if (size > 0) == (side == 0) else 0
    leverage, notional = books.held(key).leverage, abs(books.costs[key]) if adds else 0
    rise = _initial(spec, notional + value, leverage, abs(adds) + opens, notional + value)
    rise -= _initial(spec, notional, leverage, abs(adds), notional)
    if spec.scheme not in (Scheme.SLOPE, Scheme.POWER):
        rise = 0
    return loss + max(ceil(value / leverage), rise) + ratio_up(value * spec.taker_fee_ppb, RATE)


def _lost(spec: Spec, order: Order) -> int:
    """Returns what an order would have lost at once when it was accepted."""
    buys = order.side == 0
    if order.price <= order.mark if buys else order.price >= order.mark:
        return 0
    lots = order.remaining if buys else -order.remaining
    return signed_cost(spec, buys, fill_value(spec, order.remaining, order.price)) - profit(spec, lots, 0, order.mark)
