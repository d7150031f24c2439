# deleverage: what is left of a parcel closes against the other side, at the parcel's cost (ADL, semantics §5).
#
# Owns: the ranking and its three passes.
# Never: leaves anything of a parcel, or books another integer on the one side than on the other.
# Cost: sorts the holders of the other side.

from solvent._core.liquidation.case cimport Case
from solvent._core.trade.state cimport State

cdef int deleverage(State* s, Case* c) noexcept nogil
