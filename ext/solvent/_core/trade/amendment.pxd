# amendment: what a sender may do to live orders: amend one, cancel one, cancel many.
#
# Owns: the checks and the way of AMEND, CANCEL and MASS_CANCEL, the same for an exchange and a Book alone.
# Never: touches another account's order, but for a MASS_CANCEL in nobody's name (the operator's).
# Cost: O(1) to cancel one, an amendment as a new order; a mass cancel sorts the orders it ends, and to find
# them looks at the account's own, or, for all accounts and in a Book alone, at every slot ever used.

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from solvent._core.trade.state cimport Receipt, State
from solvent._core.base.commands cimport AmendOrder, CancelOrder, MassCancel

cdef enum:
    BOTH_SIDES = 2

cdef int64_t cancel_selected(State* s, uint32_t account, uint32_t instrument, uint8_t side, uint16_t reason, bint house) noexcept nogil
cdef int amend(State* s, const AmendOrder* c, Receipt* receipt) noexcept nogil
cdef int cancel_one(State* s, const CancelOrder* c, Receipt* receipt) noexcept nogil
cdef int cancel_many(State* s, const MassCancel* c, Receipt* receipt) noexcept nogil
