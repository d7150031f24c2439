# shapes: what an order is besides its price and size: how its trigger trails, what it keeps its distance from.
#
# Owns: the checks of these terms, all before the first write.
# Never: moves an order or money.
# Invariant: terms that exclude each other never stand in one order.
# Cost: O(1).

from solvent._core.base.commands cimport PlaceOrder
from solvent._core.base.schema cimport Extension, Shape
from solvent._core.contract.valuation cimport Instrument

cdef int check_shape(Instrument* ins, const PlaceOrder* c, const Extension* x, const Shape* h) noexcept nogil
