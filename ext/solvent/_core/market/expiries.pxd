# expiries: the orders with an expiry, as a heap of slots by (expiry, order id).
#
# Owns: the heap and each timed order's place in it. Never: reads a clock; time comes inside commands.
# Invariant: every live order with an expiry is in the heap exactly once, so a cancelled order leaves no entry.
# Cost: O(log timed orders) to add or remove, O(1) to find the first expiry.

from libc.stdint cimport int32_t, int64_t
from solvent._core.market.order_pool cimport Arena

cdef struct Timers:
    int32_t* heap
    int32_t count
    int32_t capacity

cdef int timers_reserve(Timers* timers) noexcept nogil
cdef void timers_close(Timers* timers) noexcept nogil
cdef void timers_add(Timers* timers, Arena* arena, int32_t slot) noexcept nogil
cdef void timers_remove(Timers* timers, Arena* arena, int32_t slot) noexcept nogil


cdef inline int32_t timers_due(Timers* timers, Arena* arena, int64_t now_ns) noexcept nogil:
    """Returns the slot that expires first if it has expired by `now_ns`, else -1."""
    if timers.count == 0 or arena.terms[timers.heap[0]].expiry_ns > now_ns:
        return -1
    return timers.heap[0]
