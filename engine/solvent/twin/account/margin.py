"""Margin of accounts: pure functions over contracts and positions (semantics §2-§6).

Owns the formulas of accounts, in big integers; `valuation` has those of one contract. Never writes. Amounts are units of the
settlement currency, rates are over RATE, sizes are lots. Positions are `Position` rows.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from solvent.schema.limits import RATE
from solvent.schema.terms import RuleTerms
from solvent.schema.words import Basis, Mode, OrderRule, Side
from solvent.twin.account.ledger import OpenSide, Position
from solvent.twin.base.integers import ceil_div
from solvent.twin.contract.valuation import (
    Contract,
    accrued_units,
    allows,
    asked,
    closing_fee,
    factor,
    fee_units,
    initial_of,
    initial_rise,
    is_lesser,
    maintenance,
    rates_of,
    tier_of,
    upl,
    value_at_mark,
    worth,
)

INT64_MAX = 2**63 - 1


@dataclass(slots=True)
class Requirement:
    """The terms of the ratio test for one isolated position or one cross domain."""

    equity: int
    full: int
    own: int
    value: int
    positions: int
    orders: int = 0  # number of positions whose resting orders count


def saturate(n: int) -> int:
    return max(-INT64_MAX - 1, min(INT64_MAX, n))


# --- The ratio test (§2)


def bands(rules: RuleTerms, contract: Contract, p: Position) -> tuple[tuple[int, int], tuple[int, int]]:
    """Returns (tier, fee over RATE) of both thresholds: below `full` the position is taken over, below `own` stepped down."""
    k, fee, isolated = tier_of(contract, p), p.liquidation_fee_ppb, p.mode == Mode.ISOLATED
    if k < rules.step_tiers:
        low = k, fee * (rules.fee_isolated_low if isolated else rules.fee_cross_low)
        return low, low
    full = 0, fee * (rules.fee_isolated_full if isolated else rules.fee_cross_full)
    return full, (k, fee * (rules.fee_isolated_own if isolated else rules.fee_cross_own))


def thresholds(rules: RuleTerms, contract: Contract, p: Position, equity: int) -> tuple[int, int]:
    """Returns (full, own) in units times RATE. `equity` is the equity of the position's domain."""
    low, high = bands(rules, contract, p)
    full = _threshold(rules, contract, p, low, equity)
    return full, full if high == low else max(full, _threshold(rules, contract, p, high, equity))


def _threshold(rules: RuleTerms, contract: Contract, p: Position, band: tuple[int, int], equity: int) -> int:
    k, fee = band
    if not rules.fee_at_bankruptcy or is_lesser(contract, p):
        return asked(contract, p, k, fee)
    cost = worth(contract, p.size, contract.mark) - equity if p.size else 0  # the cost at which the domain's equity is zero
    return asked(contract, p, k) + closing_fee(contract, p.size, cost, fee) * RATE


def requirement(rules: RuleTerms, contracts: list[Contract], base: int, holdings: Iterable[Position]) -> Requirement:
    """Sets equity (base + unrealised profit) against both thresholds, rounded up once per position. Orders count as the rule
    set says."""
    holdings = list(holdings)
    equity = base + sum(upl(contracts[p.instrument], p) for p in holdings)
    r = Requirement(equity, 0, 0, 0, 0)
    for p in holdings:
        contract = contracts[p.instrument]
        full, own = thresholds(rules, contract, p, equity)
        r.full += ceil_div(full, RATE)
        r.own += ceil_div(own, RATE)
        r.value += value_at_mark(contract, p)
        r.positions += p.size != 0
        if rules.orders != OrderRule.IGNORED and p.mode == Mode.CROSS:
            _count_orders(rules, contract, p, r)
    if rules.takeover_parts:
        r.full = ceil_div(r.own * rules.takeover_times, rules.takeover_parts)
    if rules.at_threshold and r.positions:  # a safe domain is then below neither threshold
        r.full, r.own = r.full + 1, r.own + 1
    return r


def _count_orders(rules: RuleTerms, contract: Contract, p: Position, r: Requirement) -> None:
    """Adds resting orders to a cross domain's test: the dearer side's value at its tier's rates, or its fee."""
    values = [opening_value(p, side) for side in Side]
    r.orders += max(values) > 0
    if rules.orders == OrderRule.BY_FEE:
        r.equity -= fee_units(max(values), contract.taker_fee_ppb)
        return
    low, high = (
        max(_order_margin(contract, p, side, value, *band) for side, value in zip(Side, values, strict=True))
        for band in bands(rules, contract, p)
    )
    r.full += low
    r.own += max(low, high)
    r.value += max(values)


def _order_margin(contract: Contract, p: Position, side: int, value: int, k: int, fee_ppb: int) -> int:
    rate, parts = factor(contract, k, rates_of(contract, side == Side.BUY, p.leverage)[k], p.leverage)
    return ceil_div(ceil_div(value * rate, parts) + value * fee_ppb, RATE)


def own_part(rules: RuleTerms, contract: Contract, p: Position, equity: int) -> int:
    """Returns a position's part of R_own, without the unit that the rule set may add to a whole domain."""
    return ceil_div(thresholds(rules, contract, p, equity)[1], RATE)


def threshold_rates(rules: RuleTerms, contract: Contract, p: Position) -> tuple[int, int]:
    """Returns the rates of both thresholds, fees included, before tier deductions and curves."""
    if is_lesser(contract, p):
        return 0, 0
    rates = rates_of(contract, p.size > 0, p.leverage)
    parts = [(*factor(contract, k, rates[k], p.leverage), fee) for k, fee in bands(rules, contract, p)]
    full, own = (ceil_div(rate, over) + fee for rate, over, fee in parts)
    return full, max(full, own)


# --- Bankruptcy (§3, §4)


def equity_shares(contracts: list[Contract], cash: int, holdings: list[Position]) -> list[int]:
    """Returns floor(E * MM_i / sum MM) for each of some cross positions; left-over units go to the first of the largest MM."""
    needed = [maintenance(contracts[p.instrument], p, tier_of(contracts[p.instrument], p)) for p in holdings]
    equity = cash + sum(upl(contracts[p.instrument], p) for p in holdings)
    shares = [equity * each // sum(needed) for each in needed]
    shares[needed.index(max(needed))] += equity - sum(shares)
    return shares


def bankruptcy_cost(contract: Contract, p: Position, share: int) -> int:
    """Returns the exact signed cost at which a position leaves nothing. `share` is its equity if cross, unused if isolated."""
    if p.mode == Mode.ISOLATED:
        return p.cost - p.margin
    return worth(contract, p.size, contract.mark) - share


# --- Before a trade (§6)


def opening_lots(p: Position, side: int, lots: int) -> int:
    """Returns how many of `lots` on this side would open after closing the position.

    Lots that reduce-only orders may close first are not available for closing.
    """
    closing = -p.size if side == Side.BUY else p.size
    return max(0, lots - max(0, closing - p.reduce.lots))


def _opening_loss(p: Position, side: int, orders: OpenSide) -> int:
    """Returns the share of a side's loss to mark that belongs to the lots that would open."""
    lots = opening_lots(p, side, orders.lots)
    return ceil_div(orders.loss * lots, orders.lots) if lots else 0


def opening_value(p: Position, side: int) -> int:
    """Returns the value, at their limits, of the lots of a side that would open."""
    orders = p.open_sides[side]
    lots = opening_lots(p, side, orders.lots)
    return ceil_div(orders.value * lots, orders.lots) if lots else 0


def closing_loss(p: Position) -> int:
    """Returns the loss against mark of resting orders that close an isolated position; its margin must bear it."""
    side = Side.SELL if p.size > 0 else Side.BUY
    orders = p.open_sides[side]
    return orders.loss - _opening_loss(p, side, orders) + p.reduce.loss


def _side_hold(contract: Contract, p: Position, side: int, orders: OpenSide) -> int:
    held = _opening_loss(p, side, orders)
    if p.mode == Mode.CROSS:
        held = orders.loss + (p.reduce.loss if side == p.reduce_side else 0)
    lots = opening_lots(p, side, orders.lots)
    if lots == 0:
        return held
    value = ceil_div(orders.value * lots, orders.lots)
    # An order that adds to the position counts its notional at entry, so that no mark moves a hold.
    adds = (p.size > 0) == (side == Side.BUY)
    initial = initial_rise(contract, value, p.leverage, lots, (abs(p.size) * adds, abs(p.cost) * adds))
    return initial + held + fee_units(value, contract.taker_fee_ppb)


def hold_units(contract: Contract, p: Position, open_sides: tuple[OpenSide, OpenSide]) -> int:
    """Returns the margin that resting orders reserve: the dearer side's value / leverage, its taker fee and its loss to mark.

    Value and fee are those of the lots that may open. The loss is that of all lots for cross, of the opening lots for
    isolated; an isolated position's own margin bears the rest (`closing_loss`).
    """
    return max(_side_hold(contract, p, side, open_sides[side]) for side in (Side.BUY, Side.SELL))


def initial_units(contract: Contract, p: Position) -> int:
    """Returns initial margin at mark plus accrued funding, and never less than maintenance margin with the fee.

    Maintenance can be higher than initial margin. The mark may have carried the position into a tier that does not allow its
    leverage. Maintenance may go by another value. A table may take more than its highest leverage leaves.
    """
    value = value_at_mark(contract, p)
    initial = initial_of(contract, value, p.leverage, abs(p.size), value) + accrued_units(contract, p.size)
    tier = tier_of(contract, p)
    by_leverage = contract.basis == Basis.CONTRACTS and not contract.at_entry and contract.covers
    if not p.size or (by_leverage and allows(contract, tier, p.leverage)):  # which is the larger one then
        return initial
    return max(initial, maintenance(contract, p, tier, p.liquidation_fee_ppb))


def initial_total(contracts: list[Contract], positions: Iterable[Position]) -> int:
    """Adds up the initial margin of positions of one account and currency. A hedge with `larger_leg` counts its dearer side
    alone."""
    total, hedges = 0, defaultdict[int, list[int]](lambda: [0, 0])
    for p in positions:
        contract = contracts[p.instrument]
        units = initial_units(contract, p)
        if contract.larger_leg and p.mode == Mode.CROSS:
            hedges[contract.tier_group or -1 - p.instrument][p.size < 0] += units
        else:
            total += units
    return total + sum(max(sides) for sides in hedges.values())


def free_units(contracts: list[Contract], cash: int, holds: int, cross: list[Position], spendable: bool) -> int:
    """Returns cash plus unrealised profit of cross positions, less their initial margin and all holds.

    spendable: True for money that leaves the wallet; unrealised profit then does not count.
    """
    profit = sum(upl(contracts[p.instrument], p) for p in cross)
    return saturate(cash + (min(0, profit) if spendable else profit) - initial_total(contracts, cross) - holds)


def spare_units(contracts: list[Contract], cash: int, holds: int, cross: list[Position]) -> int:
    """Returns the part of a balance that may back another currency. Each position keeps the initial margin that its own profit
    does not bear. So closing it costs no more than its loss to mark and its fees."""
    kept = (max(0, initial_units(contracts[p.instrument], p) - upl(contracts[p.instrument], p)) for p in cross)
    return saturate(cash - holds - sum(kept))
