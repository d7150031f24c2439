"""What an account needs, what it has, and at which price it has nothing left: pure functions (semantics §2-§6).

Owns the formulas, in big integers. Never writes. Amounts are units of the settlement currency, rates are
over RATE, prices ticks, sizes lots. `ledger` below is anything with positions_of(account) and
cash(account, currency); positions are `Position` rows, contracts `Contract` rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from solvent.limits import RATE
from solvent.records import Mode, Side

INT64_MAX = 2**63 - 1


@dataclass(slots=True)
class Contract:
    """An instrument in integers, and its mark (0 before the first)."""

    units: int  # per tick and lot
    max_price_ticks: int
    max_size_lots: int
    maker_fee_ppb: int
    taker_fee_ppb: int
    liquidation_fee_ppb: int
    default_leverage: int
    currency: int
    tiers: tuple[tuple[int, int, int], ...]  # max_lots, maintenance_ppb, max_leverage
    mark: int = 0
    index: int = 0
    last: int = 0  # of the last trade between users
    funding_period: int = 0  # the last one settled


@dataclass(slots=True)
class Rules:
    """A compiled rule set (solvent.rules.RuleSet)."""

    price_band_ppb: int
    step_limit_ppb: int
    parcel_limit_ppb: int
    step_tiers: int
    fee_isolated_low: bool
    fee_isolated_full: bool
    fee_isolated_own: bool
    fee_cross_low: bool
    fee_cross_full: bool
    fee_cross_own: bool
    funding_cap: bool


@dataclass(slots=True)
class OpenSide:
    """Some resting orders of one side: lots, value at limit, loss to mark when accepted."""

    lots: int = 0
    value: int = 0
    loss: int = 0

    def add(self, other: "OpenSide", sign: int = 1) -> "OpenSide":
        return OpenSide(self.lots + sign * other.lots, self.value + sign * other.value, self.loss + sign * other.loss)


class Holding(Protocol):
    """What the ratio test reads of a position."""

    @property
    def instrument(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def cost(self) -> int: ...
    @property
    def margin(self) -> int: ...
    @property
    def leverage(self) -> int: ...
    @property
    def mode(self) -> int: ...


class Ordering(Holding, Protocol):
    """What the checks before a trade read besides: its resting orders."""

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


def ceil_div(n: int, d: int) -> int:
    return -(-n // d)


def trunc_div(n: int, d: int) -> int:
    return n // d if n >= 0 else -(-n // d)


def saturate(n: int) -> int:
    return max(-INT64_MAX - 1, min(INT64_MAX, n))


def tier_of(contract: Contract, lots: int) -> int:
    """0-based tier of so many contracts; beyond the last it is the last."""
    for k, (max_lots, _, _) in enumerate(contract.tiers):
        if abs(lots) <= max_lots:
            return k
    return len(contract.tiers) - 1


def fee_units(value: int, rate_ppb: int) -> int:
    return ceil_div(value * rate_ppb, RATE)


def value_at_mark(contract: Contract, p: Holding) -> int:
    return abs(p.size) * contract.mark * contract.units


def upl(contract: Contract, p: Holding) -> int:
    """Unrealised profit at mark."""
    return p.size * contract.mark * contract.units - p.cost


# --- The ratio test (§2)


def threshold_rates(rules: Rules, contract: Contract, p: Holding) -> tuple[int, int]:
    """(full, own): below full the position is taken over, below own it is stepped down."""
    k = tier_of(contract, p.size)
    fee = contract.liquidation_fee_ppb
    isolated = p.mode == Mode.ISOLATED
    maintenance = contract.tiers[k][1]
    if k < rules.step_tiers:
        low = maintenance + fee * (rules.fee_isolated_low if isolated else rules.fee_cross_low)
        return low, low
    full = contract.tiers[0][1] + fee * (rules.fee_isolated_full if isolated else rules.fee_cross_full)
    own = maintenance + fee * (rules.fee_isolated_own if isolated else rules.fee_cross_own)
    return full, max(full, own)


def requirement(rules: Rules, contracts: list[Contract], base: int, holdings: Iterable[Holding]) -> Requirement:
    """Equity (base + unrealised profit) against both thresholds, one ceil per position."""
    r = Requirement(base, 0, 0, 0, 0)
    for p in holdings:
        contract = contracts[p.instrument]
        full, own = threshold_rates(rules, contract, p)
        value = value_at_mark(contract, p)
        r.equity += upl(contract, p)
        r.full += fee_units(value, full)
        r.own += fee_units(value, own)
        r.value += value
        r.positions += p.size != 0
    return r


# --- Bankruptcy (§3, §4)


def maintenance_units(contract: Contract, p: Holding) -> int:
    return fee_units(value_at_mark(contract, p), contract.tiers[tier_of(contract, p.size)][1])


def equity_shares(contracts: list[Contract], cash: int, holdings: list[Holding]) -> list[int]:
    """Each cross position's floor(E * MM_i / sum MM); left-over units go to the largest MM, the first of equals."""
    needed = [maintenance_units(contracts[p.instrument], p) for p in holdings]
    equity = cash + sum(upl(contracts[p.instrument], p) for p in holdings)
    shares = [equity * each // sum(needed) for each in needed]
    if shares:
        shares[needed.index(max(needed))] += equity - sum(shares)
    return shares


def bankruptcy_cost(contract: Contract, p: Holding, share: int) -> int:
    """The exact signed cost at which a position leaves nothing; `share` of equity for cross, unused for isolated."""
    if p.mode == Mode.ISOLATED:
        return p.cost - p.margin
    return p.size * contract.mark * contract.units - share


def price_paying(contract: Contract, size: int, cost: int, fee_ppb: int) -> int:
    """The first tick, from the bad side, at which closing the whole size pays its cost and a fee. Unclamped."""
    if size > 0:
        return ceil_div(cost * RATE, size * contract.units * (RATE - fee_ppb))
    return (-cost * RATE) // (-size * contract.units * (RATE + fee_ppb))


def legal(contract: Contract, price: int) -> int:
    return max(1, min(contract.max_price_ticks, price))


def band_price(contract: Contract, side: int, band_ppb: int) -> int:
    """The worst legal price of a buy or a sell within a band around mark, rounded inwards."""
    if side == Side.BUY:
        return legal(contract, contract.mark * (RATE + band_ppb) // RATE)
    return legal(contract, ceil_div(contract.mark * (RATE - band_ppb), RATE))


# --- Before a trade (§6)


def opening_lots(p: Ordering, side: int, lots: int) -> int:
    """How many of `lots` on this side go beyond closing the position.

    What reduce-only orders may close first is not theirs to close.
    """
    closing = -p.size if side == Side.BUY else p.size
    return max(0, lots - max(0, closing - p.reduce.lots))


def _opening_loss(p: Ordering, side: int, orders: OpenSide) -> int:
    """The share of a side's loss to mark that belongs to the lots that would open."""
    lots = opening_lots(p, side, orders.lots)
    return ceil_div(orders.loss * lots, orders.lots) if lots else 0


def closing_loss(p: Ordering) -> int:
    """What resting orders that close an isolated position would lose against mark; its margin must bear it."""
    side = Side.SELL if p.size > 0 else Side.BUY
    orders = p.open_sides[side]
    return orders.loss - _opening_loss(p, side, orders) + p.reduce.loss


def _side_hold(contract: Contract, p: Ordering, side: int, orders: OpenSide) -> int:
    held = _opening_loss(p, side, orders)
    if p.mode == Mode.CROSS:
        held = orders.loss + (p.reduce.loss if side == p.reduce_side else 0)
    lots = opening_lots(p, side, orders.lots)
    if lots == 0:
        return held
    value = ceil_div(orders.value * lots, orders.lots)
    return ceil_div(value, p.leverage) + held + fee_units(value, contract.taker_fee_ppb)


def hold_units(contract: Contract, p: Ordering, open_sides: tuple[OpenSide, OpenSide]) -> int:
    """What resting orders reserve: the dearer side's value / leverage + taker fee of what may open, + loss to
    mark: of all lots for cross, of the opening ones for isolated (the others' is the margin's, closing_loss)."""
    return max(_side_hold(contract, p, side, open_sides[side]) for side in (Side.BUY, Side.SELL))


def initial_units(contract: Contract, p: Holding) -> int:
    return ceil_div(value_at_mark(contract, p), p.leverage)


def free_units(contracts: list[Contract], cash: int, holds: int, cross: list[Holding], spendable: bool) -> int:
    """Cash and unrealised profit of cross positions less their initial margin and all holds.

    `spendable`: what may leave the wallet; unrealised profit does not count.
    """
    profit = sum(upl(contracts[p.instrument], p) for p in cross)
    initial = sum(initial_units(contracts[p.instrument], p) for p in cross)
    return saturate(cash + (min(0, profit) if spendable else profit) - initial - holds)


# --- Deleveraging (§5)


def adl_rank(contract: Contract, p: Holding, r: Requirement) -> int:
    """a = profit rate in millionths; times effective leverage for winners, divided by it for losers."""
    if p.cost == 0:
        return 0
    rate = saturate(upl(contract, p) * 10**6 // abs(p.cost))
    if rate > 0:
        return INT64_MAX if r.equity <= 0 else saturate(rate * saturate(r.value) // r.equity)
    return saturate(rate * saturate(r.equity) // r.value)
