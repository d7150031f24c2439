"""Rows of one account: a kernel's answers about positions, wallets and margin domains, in whole numbers.

Owns the names of their numbers, in the order in which both kernels answer them. Never computes: api/views renders rows in
decimals and words. Money is in units of the settlement currency, sizes in lots, prices in ticks, rates over 10**9. Sums over a
domain may need more than 64 bits.
"""

from typing import NamedTuple

__all__ = ["DomainRow", "PositionRow", "PreviewRow", "WalletRow"]


class PositionRow(NamedTuple):
    """Describes a position, open or flat. The fields after `tier` are 0 while the position is flat.

    leverage: a numerator over leverage_parts. chosen_tier: the owner's risk limit, from 1 up; 0: none. hedged: 1 for a one-way
    row whose instrument is held in two legs. other_lots: the other leg in the same margin domain. value, upl, initial: at
    mark. tier: from 0 up. own_units: the position's part of R_own. full_ppb, own_ppb: the rates of both thresholds, fees
    included, before a tier's deduction or a curve's addition. equity, domain_value: sums of its margin domain.

    liquidation, profit_side: the first ticks, towards its loss and away from it, at which its domain is below R_own; 0: none.
    bankruptcy: the price at which the house would offer the position after a takeover now. 2**63 - 1 means that no price is
    bankrupt, or that every price is.
    """

    instrument: int
    leg: int
    mode: int
    chosen_tier: int
    leverage: int
    leverage_parts: int
    hedged: int
    size_lots: int
    cost_units: int
    margin_units: int
    other_lots: int
    mark_ticks: int
    value_units: int
    upl_units: int
    initial_units: int
    tier: int
    own_units: int = 0
    full_ppb: int = 0
    own_ppb: int = 0
    equity_units: int = 0
    domain_value_units: int = 0
    liquidation_ticks: int = 0
    profit_side_ticks: int = 0
    bankruptcy_ticks: int = 0


class WalletRow(NamedTuple):
    """Describes one currency of an account.

    free: available for new cross orders. collateral: the worth of other currencies here. withdrawable: the most that a
    withdrawal may take. equity: cash, collateral, isolated margins and the profit of all positions. balance: equity without
    isolated margins and positions. initial, maintenance: sums over all positions; maintenance is R_own. cross_equity,
    cross_value: the cross domain as the ratio test reads it.
    """

    currency: int
    cash_units: int
    hold_units: int
    free_units: int
    collateral_units: int
    withdrawable_units: int
    equity_units: int
    balance_units: int
    initial_units: int
    maintenance_units: int
    cross_equity_units: int
    cross_value_units: int


class DomainRow(NamedTuple):
    """Describes the ratio test of an open isolated position, or of the cross positions of a currency.

    instrument: NO_INSTRUMENT for a cross domain. base: the isolated margin, or cash and collateral. verdict: the result of a
    test now, at these marks. stuck: a step-down found no fill and waits for the next mark.
    """

    mode: int
    currency: int
    instrument: int
    leg: int
    base_units: int
    equity_units: int
    value_units: int
    full_units: int
    own_units: int
    verdict: int
    stuck: int


class PreviewRow(NamedTuple):
    """Describes what commands would do, one after the other up to the first that is refused.

    code, filled_lots, resting_lots: the answer of the last command. taken_lots: what its order would take from the book;
    taken_value: these lots times their prices in ticks. fee_units: trading fees that the account would pay on that order,
    negative for a rebate. liquidated: 1 if a margin domain of the account would be liquidated. position, wallet: rows of the
    account as it then is.
    """

    code: int
    filled_lots: int
    resting_lots: int
    taken_lots: int
    taken_value: int
    fee_units: int
    liquidated: int
    position: tuple[int, ...]
    wallet: tuple[int, ...]
