"""All accounts and all positions as NumPy records: a risk screen or a training loop reads them at every step.

Owns the names of the columns (docs/reference/arrays.md), in the order in which both kernels write them. Money is in units of
the settlement currency, sizes in lots, every column int64. Sums that do not fit saturate. An array is a copy: it stays as it
was taken. Cost: one pass in the core without a Python loop. A liquidation price is a search that costs several rows; a cross
position costs its account's positions.
"""

from typing import Any

import numpy as np

__all__ = ["ACCOUNT", "LIQUIDATION", "POSITION", "second_records"]


def _columns(names: str) -> "np.dtype[np.void]":
    return np.dtype([(name, "<i8") for name in names.split()])


# An open position. leg: 0 one-way, 1 long, 2 short. equity, full, own: sums of its margin domain. That is the position alone
# when isolated (mode 1), else all cross positions of its currency. Below `own` a step-down begins, below `full` the house
# takes over. leverage: a numerator over leverage_parts (18.18: 909 and 50). initial: initial margin at mark. domain_value: the
# value at mark of all positions of the domain.
POSITION = _columns(
    "account instrument leg mode leverage leverage_parts size_lots cost_units margin_units hold_units upl_units value_units "
    "equity_units full_units own_units initial_units domain_value_units"
)

# The liquidation prices of an open position, other marks held: towards its loss, and away from it; 0: there is none.
# bankruptcy: the price at which the house would offer it after a takeover now. 2**63 - 1 means that no price is bankrupt, or
# that every price is.
LIQUIDATION = _columns("account instrument leg mark_ticks liquidation_ticks profit_side_ticks bankruptcy_ticks")

# An account and a currency. margin, upl, initial: sums over all positions. free: available for new orders. spendable: may
# leave the wallet when it is positive. equity, full, own, value: the cross positions with cash and collateral. collateral: the
# worth of other currencies here.
ACCOUNT = _columns(
    "account currency cash_units hold_units margin_units upl_units free_units spendable_units "
    "equity_units full_units own_units value_units collateral_units initial_units"
)


def second_records(records: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """Returns which of the rows of an event log are second records: each follows a header that says 2.

    In a row of such bytes every other is a header.
    """
    second = np.zeros(len(records), bool)
    twos = np.flatnonzero(records["records"] == 2)
    if len(twos):
        fresh = np.diff(twos, prepend=-2) != 1
        start = np.maximum.accumulate(np.where(fresh, twos, 0))
        headers = twos[(twos - start) % 2 == 0]
        second[headers[headers + 1 < len(records)] + 1] = True
    return second
