# clear: cancels orders and clears chosen tiers before a position is reduced (semantics §2).
#
# Owns: the choice of orders that a domain loses.
# Never: trades.
# Cost: O(positions and orders of the account).

from solvent._core.liquidation.case cimport Case
from solvent._core.trade.state cimport State

cdef int clear(State* s, Case* c) noexcept nogil
