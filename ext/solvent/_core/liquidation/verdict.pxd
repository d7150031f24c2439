# verdict: the ratio test of one margin domain (semantics §2): safe, to be stepped down, or to be taken over.
#
# Owns: the choice of the position to step down.
# Never: changes an account.
# Cost: O(1) for an isolated position; O(positions of the account) for a cross domain.

from solvent._core.liquidation.case cimport Case
from solvent._core.trade.state cimport State

cdef int judge(State* s, Case* c) noexcept nogil
cdef int verdict(State* s, Case* c) noexcept nogil
