# expiries: the orders with an expiry and the timers, as a heap by instant; at one instant orders come first, by id, then timers.
#
# Owns: the heap, and the place there of each timed order and each timer. An item is an order's slot, or ~ the index of a timer.
# Never: reads a clock; time comes inside commands.
# Invariant: every live order with an expiry, and every timer, is in the heap exactly once; what has ended leaves no item.
# Cost: O(log items) to add or remove, O(1) to find the first one.

from libc.stdint cimport int32_t, int64_t
from solvent._core.market.order_pool cimport OrderPool
from solvent._core.market.timers cimport Timers

cdef struct Expiries:
    int32_t* heap
    int32_t count
    int32_t capacity
    Timers timers

cdef int expiries_reserve(Expiries* expiries) noexcept nogil
cdef void expiries_close(Expiries* expiries) noexcept nogil
cdef void expiries_add(Expiries* expiries, OrderPool* pool, int32_t item) noexcept nogil
cdef void expiries_remove(Expiries* expiries, OrderPool* pool, int32_t item) noexcept nogil


cdef inline int64_t expiry_instant(const Expiries* expiries, const OrderPool* pool, int32_t item) noexcept nogil:
    return pool.terms[item].expiry_ns if item >= 0 else expiries.timers.items[~item].deadline_ns


cdef inline bint expiries_due(const Expiries* expiries, const OrderPool* pool, int64_t now_ns) noexcept nogil:
    """True if the first item's instant is reached by `now_ns`."""
    return expiries.count > 0 and expiry_instant(expiries, pool, expiries.heap[0]) <= now_ns
