# amendment: other terms for a live order.
#
# Owns: the checks and the execution of AMEND, the same for an exchange and a Book alone.
# Never: touches another account's order.
# Cost: as much as a new order.

from solvent._core.trade.state cimport Receipt, State
from solvent._core.base.commands cimport AmendOrder

cdef int amend(State* s, const AmendOrder* c, Receipt* receipt) noexcept nogil
