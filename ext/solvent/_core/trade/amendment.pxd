# amendment: commands on live orders: amend one, cancel one, cancel many.
#
# Owns: the checks and the execution of AMEND, AMEND_TRIGGER, CANCEL and MASS_CANCEL, the same for an exchange and a Book alone.
# Never: touches another account's order, except in a MASS_CANCEL by the operator, who names no account.
# Cost: O(1) to cancel one; an amendment costs as much as a new order. A mass cancel sorts the orders that it ends. It visits
# the account's own orders, or, for all accounts and in a Book alone, every slot ever used.

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from solvent._core.trade.state cimport Receipt, State
from solvent._core.base.commands cimport AmendOrder, AmendTrigger, CancelOrder, MassCancel

cdef enum:
    BOTH_SIDES = 2

cdef int64_t cancel_selected(State* s, uint32_t account, uint32_t instrument, uint8_t side, uint16_t reason, bint house) noexcept nogil
cdef void cancel_unseen(State* s, uint32_t instrument) noexcept nogil
cdef int amend(State* s, const AmendOrder* c, Receipt* receipt) noexcept nogil
cdef int amend_trigger(State* s, const AmendTrigger* c, Receipt* receipt) noexcept nogil
cdef int cancel_one(State* s, const CancelOrder* c, Receipt* receipt) noexcept nogil
cdef int cancel_many(State* s, const MassCancel* c, Receipt* receipt) noexcept nogil
