# expiries: the orders with an expiry, as a heap of slots by (expiry, order id).
#
# Owns: the heap and each timed order's place in it. Never: reads a clock; time comes inside commands.
# Invariant: every live order with an expiry is in the heap exactly once, so a cancelled order leaves no entry.
# Cost: O(log timed orders) to add or remove, O(1) to find the first expiry.

from libc.stdint cimport int32_t, int64_t
from solvent._core.market.order_pool cimport OrderPool

cdef struct Expiries:
    int32_t* heap
    int32_t count
    int32_t capacity

cdef int expiries_reserve(Expiries* expiries) noexcept nogil
cdef void expiries_close(Expiries* expiries) noexcept nogil
cdef void expiries_add(Expiries* expiries, OrderPool* pool, int32_t slot) noexcept nogil
cdef void expiries_remove(Expiries* expiries, OrderPool* pool, int32_t slot) noexcept nogil


cdef inline int32_t expiries_due(Expiries* expiries, OrderPool* pool, int64_t now_ns) noexcept nogil:
    """Returns the slot that expires first if it has expired by `now_ns`, else -1."""
    if expiries.count == 0 or pool.terms[expiries.heap[0]].expiry_ns > now_ns:
        return -1
    return expiries.heap[0]
