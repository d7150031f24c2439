# liquidation_price: the liquidation prices of a position while other marks stay.
#
# Owns: the search over marks. Read twin/account/liquidation_price.py first.
# Never: writes, except an instrument's mark, its index and the fault, which it restores.
# Invariants: between two tier edges equity less requirement rises, then falls, so that bisection is exact.
# Cost: a requirement of the margin domain at each step of two bisections, and at both ends of each tier by notional.

from libc.stdint cimport int32_t, int64_t
from solvent._core.account.ledger cimport Ledger
from solvent._core.account.margin cimport Rules

cdef void liquidation_ticks(Ledger* ledger, Rules* rules, int32_t index, int64_t* found, int64_t* ahead) noexcept nogil
