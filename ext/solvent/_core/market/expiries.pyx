"""The heap of expiries; the contract is in expiries.pxd."""

from libc.stdint cimport int32_t
from libc.stdlib cimport free
from solvent._core.market.order_pool cimport OrderPool
from solvent._core.base.pool cimport room


cdef int expiries_reserve(Expiries* expiries) noexcept nogil:
    """Makes room for one more; returns 0 when memory is gone."""
    return room(<void**>&expiries.heap, expiries.count, &expiries.capacity, sizeof(int32_t))


cdef void expiries_close(Expiries* expiries) noexcept nogil:
    free(expiries.heap)


cdef inline bint _sooner(OrderPool* pool, int32_t a, int32_t b) noexcept nogil:
    if pool.terms[a].expiry_ns != pool.terms[b].expiry_ns:
        return pool.terms[a].expiry_ns < pool.terms[b].expiry_ns
    return pool.orders[a].order_id < pool.orders[b].order_id


cdef inline void _put(Expiries* expiries, OrderPool* pool, int32_t at, int32_t slot) noexcept nogil:
    expiries.heap[at] = slot
    pool.terms[slot].timer = at


cdef void _sift(Expiries* expiries, OrderPool* pool, int32_t at, int32_t slot) noexcept nogil:
    """Moves a slot from a free place up or down to its place in the heap."""
    cdef int32_t other
    while at > 0 and _sooner(pool, slot, expiries.heap[(at - 1) >> 1]):
        _put(expiries, pool, at, expiries.heap[(at - 1) >> 1])
        at = (at - 1) >> 1
    while True:
        other = 2 * at + 1
        if other >= expiries.count:
            break
        if other + 1 < expiries.count and _sooner(pool, expiries.heap[other + 1], expiries.heap[other]):
            other += 1
        if not _sooner(pool, expiries.heap[other], slot):
            break
        _put(expiries, pool, at, expiries.heap[other])
        at = other
    _put(expiries, pool, at, slot)


cdef void expiries_add(Expiries* expiries, OrderPool* pool, int32_t slot) noexcept nogil:
    """Adds a slot, after expiries_reserve."""
    expiries.count += 1
    _sift(expiries, pool, expiries.count - 1, slot)


cdef void expiries_remove(Expiries* expiries, OrderPool* pool, int32_t slot) noexcept nogil:
    cdef int32_t at = pool.terms[slot].timer
    cdef int32_t last = expiries.heap[expiries.count - 1]
    pool.terms[slot].timer = -1
    expiries.count -= 1
    if last != slot:
        _sift(expiries, pool, at, last)
