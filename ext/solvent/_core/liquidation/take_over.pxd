# take_over: the house receives positions at exact cost, and the trader keeps zero for them (semantics §4).
#
# Owns: what is taken, and at which cost.
# Never: sells. The parcels go through unwind next.
# Cost: O(positions of the account).

from solvent._core.liquidation.case cimport Case
from solvent._core.trade.state cimport State

cdef int take_over(State* s, Case* c) noexcept nogil
