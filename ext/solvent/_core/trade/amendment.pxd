# amendment: other terms for a live order.
#
# Owns: the checks and the execution of AMEND and AMEND_TRIGGER, the same for an exchange and a Book alone.
# Never: touches another account's order.
# Cost: as much as a new order.

from solvent._core.trade.state cimport Receipt, State
from solvent._core.base.commands cimport AmendOrder, AmendTrigger

cdef int amend(State* s, const AmendOrder* c, Receipt* receipt) noexcept nogil
cdef int amend_trigger(State* s, const AmendTrigger* c, Receipt* receipt) noexcept nogil
