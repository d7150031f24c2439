# liquidation_price: the liquidation prices of a position while other marks stay.
#
# Owns: the search over marks. Read twin/account/liquidation_price.py first.
# Never: writes, except an instrument's mark, its index and the fault, which it restores.
# Invariants: between two tier edges equity less requirement rises, then falls, so that bisection is exact.
# Cost: two bisections, and both ends of each tier by notional. Each step computes the part of the position and its other leg, or
# the whole domain where collateral counts, or fees by equity.

from libc.stdint cimport int32_t, int64_t
from solvent._core.account.ledger cimport Ledger
from solvent._core.account.margin cimport Requirement, Rules

cdef struct Ticks:
    int64_t found              # the price towards loss; 0: none
    int64_t ahead              # towards profit

cdef void liquidation_ticks(Ledger* ledger, Rules* rules, int32_t index, Requirement* r, Ticks* ticks) noexcept nogil
