# pipeline: runs the steps that the rule set names, in its order, on every case.
#
# Owns: the order of cases: parcels first, then accounts, worst first. What is bounded per command is bounded here.
# Never: decides, or moves money; the steps do. Only a price, funding, a settlement or the clock sells a parcel without value
# at the fund's expense, or deleverages (SAFE-1); after any other command it waits for its instrument's next mark.
# Invariant: when settle returns, every touched account is at or above R_own or waits, stuck, for its
# instrument's next mark.
# Cost: O(touched accounts), and what the steps cost.

from solvent._core.trade.state cimport State

cdef void settle_touched(State* s) noexcept nogil


cdef inline void settle(State* s) noexcept nogil:
    """Ends a command: parcels first, then the touched accounts, until nobody is left."""
    if s.ledger.touched_count or s.ledger.parcel_count:
        settle_touched(s)
