# entry: whether an order, an amendment or a cancellation is allowed, and then its way in.
#
# Owns: the checks before a trade, complete before the first write (a rejected command changes nothing).
# Never: looks at a clock or at an account that is not the sender's.
# Cost: O(1) for isolated accounts, O(positions) for cross; a market order also looks at the levels it needs,
# a FOK order at the orders.

from libc.stdint cimport int32_t, int64_t, uint64_t
from solvent._core.ledger cimport Instrument
from solvent._core.records cimport Command
from solvent._core.trading cimport State

cdef struct Receipt:
    uint64_t order_id
    int64_t filled_lots
    int64_t resting_lots

cdef int place(State* s, const Command* c, Receipt* receipt) noexcept nogil
cdef int amend(State* s, const Command* c, Receipt* receipt) noexcept nogil
cdef int withdraw_order(State* s, const Command* c, Receipt* receipt) noexcept nogil
cdef int cancel_own(State* s, const Command* c, Receipt* receipt) noexcept nogil
cdef int shrink_to(State* s, int32_t slot, int64_t size_lots, Receipt* receipt) noexcept nogil
cdef int check_names(State* s, const Command* c) noexcept nogil
cdef int check_terms(Instrument* ins, const Command* c) noexcept nogil
cdef int check_amendment(State* s, const Command* c, int32_t slot, int64_t* price_ticks, int64_t* size_lots) noexcept nogil
cdef int32_t find_own(State* s, const Command* c) noexcept nogil
