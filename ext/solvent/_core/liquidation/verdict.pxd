# verdict: the ratio test of one margin domain (semantics §2): safe, to step down, or to take over.
#
# Owns: the choice of the position to step down.
# Never: changes an account.
# Cost: O(1) for an isolated position; O(positions of the account) for a cross domain.

from libc.stdint cimport int32_t, uint32_t
from solvent._core.liquidation.case cimport Case
from solvent._core.trade.state cimport State

cdef int judge(State* s, Case* c) noexcept nogil
cdef int verdict(State* s, Case* c) noexcept nogil
cdef bint is_deferred(State* s, uint32_t account, uint32_t currency, int32_t position) noexcept nogil
