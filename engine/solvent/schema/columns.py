"""All accounts and all positions as NumPy records: what a risk screen or a training loop reads at every step.

Owns the names of the columns (docs/arrays.md), in the order in which both kernels write them. Money in units of the settlement
currency, sizes in lots, every column int64; sums that do not fit saturate. A copy: it stays what it was when it was
taken. Cost: one pass in the core without a Python loop; where something happens to a position is a search of several times a
row's cost; a cross position costs its account's positions.
"""

import numpy as np

__all__ = ["ACCOUNT", "LIQUIDATION", "POSITION"]


def _columns(names: str) -> "np.dtype[np.void]":
    return np.dtype([(name, "<i8") for name in names.split()])


# Of an open position. leg: 0 one-way, 1 long, 2 short. equity, full, own: of its margin domain, which is the position alone
# when isolated (mode 1), all cross positions of its currency otherwise: below `own` a step-down begins, below `full` the
# house takes over. leverage: over leverage_parts (18.18: 909 and 50). initial: of the position, at mark. domain_value: at
# mark, of all positions of the domain.
POSITION = _columns(
    "account instrument leg mode leverage leverage_parts size_lots cost_units margin_units hold_units upl_units value_units "
    "equity_units full_units own_units initial_units domain_value_units"
)

# Of an open position, where something happens to it, other marks held: towards its loss, and away from it; 0: nowhere.
# bankruptcy: where the house would offer it if it took it over now, 2**63 - 1 where no price is bankrupt, or every one is.
LIQUIDATION = _columns("account instrument leg mark_ticks liquidation_ticks profit_side_ticks bankruptcy_ticks")

# Of an account and a currency. margin, upl: of all positions. free: for new orders. spendable: may leave the wallet when it
# is positive. equity, full, own, value: of the cross positions together with the cash and the collateral. collateral: what
# other currencies count here. initial: of all positions.
ACCOUNT = _columns(
    "account currency cash_units hold_units margin_units upl_units free_units spendable_units "
    "equity_units full_units own_units value_units collateral_units initial_units"
)
