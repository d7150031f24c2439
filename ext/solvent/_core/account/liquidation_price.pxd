# liquidation_price: where something happens to a position, other marks held.
#
# Owns: the search over marks. The twin to read first is twin/account/liquidation_price.py.
# Never: writes but an instrument's mark, index and the fault, and puts them back.
# Invariants: between two tier edges equity less requirement rises, then falls, so that bisection is exact.
# Cost: a requirement of the margin domain at each step of two bisections, and at both ends of each tier by notional.

from libc.stdint cimport int32_t, int64_t
from solvent._core.account.ledger cimport Ledger
from solvent._core.account.margin cimport Rules

cdef void liquidation_ticks(Ledger* ledger, Rules* rules, int32_t index, int64_t* found, int64_t* ahead) noexcept nogil
