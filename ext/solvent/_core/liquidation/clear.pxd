# clear: before a position is touched (semantics §2), orders go, and tiers that were chosen.
#
# Owns: which orders of an account stand in a domain's way.
# Never: trades.
# Cost: O(positions and orders of the account).

from solvent._core.liquidation.case cimport Case
from solvent._core.trade.state cimport State

cdef int clear(State* s, Case* c) noexcept nogil
