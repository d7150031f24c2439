# deleverage: the rest of a parcel closes against the other side, at the price of the rule set (ADL, semantics §5).
#
# Owns: the three passes over the ranking (account/ranking).
# Never: leaves a rest of the parcel, or books different integers on both sides.
# Cost: O(holders of the other side) at the first parcel of a command; O(log n) for each counterparty.

from solvent._core.liquidation.case cimport Case
from solvent._core.trade.state cimport State

cdef int deleverage(State* s, Case* c) noexcept nogil
