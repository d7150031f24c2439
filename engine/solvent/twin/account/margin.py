"""What an account needs and what it has: pure functions over contracts and positions (semantics §2-§6).

Owns the formulas of accounts, in big integers; what one contract is worth and asks is `valuation`. Never writes. Amounts
are units of the settlement currency, rates are over RATE, sizes lots. `ledger` below is anything with
positions_of(account) and cash(account, currency); positions are `Position` rows.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from solvent.schema.limits import RATE
from solvent.schema.terms import RuleTerms
from solvent.schema.words import Basis, Mode, OrderRule, Side
from solvent.twin.base.integers import ceil_div
from solvent.twin.contract.valuation import (
    Contract,
    Sized,
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
class OpenSide:
    """Some resting orders of one side: lots, value at limit, loss to mark when accepted."""

    lots: int = 0
    value: int = 0
    loss: int = 0

    def add(self, other: "OpenSide", sign: int = 1) -> "OpenSide":
        return OpenSide(self.lots + sign * other.lots, self.value + sign * other.value, self.loss + sign * other.loss)


class Holding(Sized, Protocol):
    """What the ratio test reads of a position."""

    @property
    def instrument(self) -> int: ...
    @property
    def margin(self) -> int: ...
    @property
    def mode(self) -> int: ...
    @property
    def liquidation_fee_ppb(self) -> int: ...  # its account's
    @property
    def open_sides(self) -> tuple[OpenSide, OpenSide]: ...
    @property
    def reduce(self) -> OpenSide: ...
    @property
    def reduce_side(self) -> int: ...


@dataclass(slots=True)
class Requirement:
    """The terms of the ratio test for one isolated position or one cross domain."""

    equity: int
    full: int
    own: int
    value: int
    positions: int
    orders: int = 0  # positions whose resting orders count


def saturate(n: int) -> int:
    return max(-INT64_MAX - 1, min(INT64_MAX, n))


# --- The ratio test (§2)


def bands(rules: RuleTerms, contract: Contract, p: Holding) -> tuple[tuple[int, int], tuple[int, int]]:
    """(tier, fee over RATE) of both thresholds: below full the position is taken over, below own it is stepped down."""
    k, fee, isolated = tier_of(contract, p), p.liquidation_fee_ppb, p.mode == Mode.ISOLATED
    if k < rules.step_tiers:
        low = k, fee * (rules.fee_isolated_low if isolated else rules.fee_cross_low)
        return low, low
    full = 0, fee * (rules.fee_isolated_full if isolated else rules.fee_cross_full)
    return full, (k, fee * (rules.fee_isolated_own if isolated else rules.fee_cross_own))


def thresholds(rules: RuleTerms, contract: Contract, p: Holding, equity: int) -> tuple[int, int]:
    """(full, own) in units times RATE; equity is that of the position's domain."""
    low, high = bands(rules, contract, p)
    full = _threshold(rules, contract, p, low, equity)
    return full, full if high == low else max(full, _threshold(rules, contract, p, high, equity))


def _threshold(rules: RuleTerms, contract: Contract, p: Holding, band: tuple[int, int], equity: int) -> int:
    k, fee = band
    if not rules.fee_at_bankruptcy or is_lesser(contract, p):
        return asked(contract, p, k, fee)
    cost = worth(contract, p.size, contract.mark) - equity if p.size else 0  # at which the domain's equity is gone
    return asked(contract, p, k) + closing_fee(contract, p.size, cost, fee) * RATE


def requirement(rules: RuleTerms, contracts: list[Contract], base: int, holdings: Iterable[Holding]) -> Requirement:
    """Equity (base + unrealised profit) against both thresholds, one ceil per position; orders as the rule set says."""
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
    if rules.at_threshold and r.positions:  # so that what is safe is never below either
        r.full, r.own = r.full + 1, r.own + 1
    return r


def _count_orders(rules: RuleTerms, contract: Contract, p: Holding, r: Requirement) -> None:
    """What resting orders add to a cross domain's test: the dearer side's value at its tier's rates, or its fee."""
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


def _order_margin(contract: Contract, p: Holding, side: int, value: int, k: int, fee_ppb: int) -> int:
    rate, parts = factor(contract, k, rates_of(contract, side == Side.BUY, p.leverage)[k], p.leverage)
    return ceil_div(ceil_div(value * rate, parts) + value * fee_ppb, RATE)


def own_part(rules: RuleTerms, contract: Contract, p: Holding, equity: int) -> int:
    """Returns a position's part of R_own. What the rule set adds to a whole domain is not in it."""
    return ceil_div(thresholds(rules, contract, p, equity)[1], RATE)


def threshold_rates(rules: RuleTerms, contract: Contract, p: Holding) -> tuple[int, int]:
    """Finds the rates of both thresholds, fees included, before what a tier deducts or a curve adds."""
    if is_lesser(contract, p):
        return 0, 0
    rates = rates_of(contract, p.size > 0, p.leverage)
    parts = [(*factor(contract, k, rates[k], p.leverage), fee) for k, fee in bands(rules, contract, p)]
    full, own = (ceil_div(rate, over) + fee for rate, over, fee in parts)
    return full, max(full, own)


# --- Bankruptcy (§3, §4)


def equity_shares(contracts: list[Contract], cash: int, holdings: list[Holding]) -> list[int]:
    """Each cross position's floor(E * MM_i / sum MM); left-over units go to the largest MM, the first of equals."""
    needed = [maintenance(contracts[p.instrument], p, tier_of(contracts[p.instrument], p)) for p in holdings]
    equity = cash + sum(upl(contracts[p.instrument], p) for p in holdings)
    shares = [equity * each // sum(needed) for each in needed]
    if shares:
        shares[needed.index(max(needed))] += equity - sum(shares)
    return shares


def bankruptcy_cost(contract: Contract, p: Holding, share: int) -> int:
    """The exact signed cost at which a position leaves nothing; `share` of equity for cross, unused for isolated."""
    if p.mode == Mode.ISOLATED:
        return p.cost - p.margin
    return worth(contract, p.size, contract.mark) - share


# --- Before a trade (§6)


def opening_lots(p: Holding, side: int, lots: int) -> int:
    """How many of `lots` on this side go beyond closing the position.

    What reduce-only orders may close first is not theirs to close.
    """
    closing = -p.size if side == Side.BUY else p.size
    return max(0, lots - max(0, closing - p.reduce.lots))


def _opening_loss(p: Holding, side: int, orders: OpenSide) -> int:
    """The share of a side's loss to mark that belongs to the lots that would open."""
    lots = opening_lots(p, side, orders.lots)
    return ceil_div(orders.loss * lots, orders.lots) if lots else 0


def opening_value(p: Holding, side: int) -> int:
    """The value at their limits of the lots of a side that would open."""
    orders = p.open_sides[side]
    lots = opening_lots(p, side, orders.lots)
    return ceil_div(orders.value * lots, orders.lots) if lots else 0


def closing_loss(p: Holding) -> int:
    """What resting orders that close an isolated position would lose against mark; its margin must bear it."""
    side = Side.SELL if p.size > 0 else Side.BUY
    orders = p.open_sides[side]
    return orders.loss - _opening_loss(p, side, orders) + p.reduce.loss


def _side_hold(contract: Contract, p: Holding, side: int, orders: OpenSide) -> int:
    held = _opening_loss(p, side, orders)
    if p.mode == Mode.CROSS:
        held = orders.loss + (p.reduce.loss if side == p.reduce_side else 0)
    lots = opening_lots(p, side, orders.lots)
    if lots == 0:
        return held
    value = ceil_div(orders.value * lots, orders.lots)
    adds = (p.size > 0) == (side == Side.BUY)  # to what is held; its notional is at entry, so that no mark moves a hold
    initial = initial_rise(contract, value, p.leverage, lots, (abs(p.size) * adds, abs(p.cost) * adds))
    return initial + held + fee_units(value, contract.taker_fee_ppb)


def hold_units(contract: Contract, p: Holding, open_sides: tuple[OpenSide, OpenSide]) -> int:
    """What resting orders reserve: the dearer side's value / leverage + taker fee of what may open, + loss to
    mark: of all lots for cross, of the opening ones for isolated (the others' is the margin's, closing_loss)."""
    return max(_side_hold(contract, p, side, open_sides[side]) for side in (Side.BUY, Side.SELL))


def initial_units(contract: Contract, p: Holding) -> int:
    """Initial margin at mark, and what accrued funding asks. Never less than maintenance with the fee: a mark
    can carry a position to another tier than its leverage was allowed for, maintenance may be of another value, and a table
    may ask more than its highest leverage leaves."""
    value = value_at_mark(contract, p)
    initial = initial_of(contract, value, p.leverage, abs(p.size), value) + accrued_units(contract, p.size)
    tier = tier_of(contract, p)
    by_leverage = contract.basis == Basis.CONTRACTS and not contract.at_entry and contract.covers
    if not p.size or (by_leverage and allows(contract, tier, p.leverage)):  # which is the larger one then
        return initial
    return max(initial, maintenance(contract, p, tier, p.liquidation_fee_ppb))


def initial_total(contracts: list[Contract], positions: Iterable[Holding]) -> int:
    """Of positions of an account and currency; of hedges of which only the larger side counts, what the dearer side asks."""
    total, hedges = 0, defaultdict[int, list[int]](lambda: [0, 0])
    for p in positions:
        contract = contracts[p.instrument]
        units = initial_units(contract, p)
        if contract.larger_leg and p.mode == Mode.CROSS:
            hedges[contract.tier_group or -1 - p.instrument][p.size < 0] += units
        else:
            total += units
    return total + sum(max(sides) for sides in hedges.values())


def free_units(contracts: list[Contract], cash: int, holds: int, cross: list[Holding], spendable: bool) -> int:
    """Cash and unrealised profit of cross positions less their initial margin and all holds.

    `spendable`: what may leave the wallet; unrealised profit does not count.
    """
    profit = sum(upl(contracts[p.instrument], p) for p in cross)
    return saturate(cash + (min(0, profit) if spendable else profit) - initial_total(contracts, cross) - holds)


def spare_units(contracts: list[Contract], cash: int, holds: int, cross: list[Holding]) -> int:
    """What the contracts of a currency leave of a balance in it for another currency's margin: each position keeps what its
    own profit does not bear of its initial margin. So closing one costs no more than it loses to mark and fees."""
    kept = (max(0, initial_units(contracts[p.instrument], p) - upl(contracts[p.instrument], p)) for p in cross)
    return saturate(cash - holds - sum(kept))


# --- Deleveraging (§5)


def adl_rank(contract: Contract, p: Holding, r: Requirement) -> int:
    """a = profit rate in millionths; times effective leverage for winners, divided by it for losers."""
    if p.cost == 0:
        return 0
    rate = saturate(upl(contract, p) * 10**6 // abs(p.cost))
    if rate > 0:
        return INT64_MAX if r.equity <= 0 else saturate(rate * saturate(r.value) // r.equity)
    return saturate(rate * saturate(r.equity) // r.value)
