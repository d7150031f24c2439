"""Rows of one account: how a kernel answers what a position, a wallet and a margin domain are, in whole numbers.

Owns the names of their numbers, in the order in which both kernels answer them. Never computes: api/views renders rows in
decimals and words. Money in units of the settlement currency, sizes in lots, prices in ticks, rates over 10**9. Sums over
a domain may need more than 64 bits.
"""

from typing import NamedTuple

__all__ = ["DomainRow", "PositionRow", "WalletRow"]


class PositionRow(NamedTuple):
    """A position, open or flat. What follows `tier` is 0 while it is flat.

    leverage: over leverage_parts. chosen_tier: by its owner, from 1 up; 0: none. hedged: of a one-way row whose instrument
    is held in two legs. other_lots: the other leg in the same margin domain. value, upl, initial: at mark. tier: from 0 up.
    own_units: its part of R_own. full_ppb, own_ppb: the rates of both thresholds, fees included, before what a tier deducts
    or a curve adds. equity, domain_value: of its margin domain. liquidation, profit_side: the first ticks towards its loss,
    and away from it, at which its domain is below R_own; 0: none. bankruptcy: where the house would offer it if it took it
    over now, 2**63 - 1 where no price is bankrupt, or every one is.
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
    """One currency of an account.

    free: for new cross orders. collateral: what other currencies count here. withdrawable: the most that a withdrawal may
    take. equity: cash, collateral, isolated margins and the profit of all positions. balance: the same without what is
    isolated. initial, maintenance: of all positions; maintenance is R_own. cross_equity, cross_value: of the cross domain as
    the ratio test reads them.
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
    """The ratio test of an open isolated position, or of what is cross in a currency (then instrument is NO_INSTRUMENT).

    base: the margin, or cash and collateral. verdict: what would happen at these marks if it were tested now. stuck: a
    step-down found no fill and waits for the next mark.
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
