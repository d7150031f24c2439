# deleverage: the rest of a parcel closes against the other side, at the parcel's cost (ADL, semantics §5).
#
# Owns: the ranking and its three passes.
# Never: leaves a rest of the parcel, or books different integers on both sides.
# Cost: sorts the holders of the other side.

from solvent._core.liquidation.case cimport Case
from solvent._core.trade.state cimport State

cdef int deleverage(State* s, Case* c) noexcept nogil
