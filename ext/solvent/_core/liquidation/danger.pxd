# danger: finds the accounts that a price endangers.
#
# Owns: the watch: whom a price wakes, and what is said of whom it finds.
# Never: misses an account that a look at everybody would find, or finds another one. Guards (account/guard) only say who need
# not be looked at; each verdict is exact.
# Cost: O(those who changed since the last watch), a look at each whose band the mark leaves, and a look at each position of the
# instrument that has no guard. A price that values collateral looks at the domains without a guard in the currency that it
# backs; where orders count in the ratio test, at everybody who has some.

from libc.stdint cimport uint32_t
from solvent._core.trade.state cimport State

cdef void watch_collateral(State* s, uint32_t instrument) noexcept nogil
cdef void watch_accrual(State* s, uint32_t instrument) noexcept nogil
cdef void watch_mark(State* s, uint32_t instrument) noexcept nogil
