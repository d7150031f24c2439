"""The heap of expiries; the contract is in expiries.pxd."""

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free
from solvent._core.market.order_pool cimport OrderPool
from solvent._core.market.timers cimport timer_before, timers_close
from solvent._core.base.pool cimport room


cdef int expiries_reserve(Expiries* expiries) noexcept nogil:
    """Makes room for one more; returns 0 when memory is gone."""
    return room(<void**>&expiries.heap, expiries.count, &expiries.capacity, sizeof(int32_t))


cdef void expiries_close(Expiries* expiries) noexcept nogil:
    free(expiries.heap)
    timers_close(&expiries.timers)


cdef inline bint _sooner(Expiries* expiries, OrderPool* pool, int32_t a, int32_t b) noexcept nogil:
    cdef int64_t first = expiry_instant(expiries, pool, a)
    cdef int64_t second = expiry_instant(expiries, pool, b)
    if first != second:
        return first < second
    if a < 0 or b < 0:
        return a >= 0 or (b < 0 and timer_before(&expiries.timers.items[~a], &expiries.timers.items[~b]))
    return pool.orders[a].order_id < pool.orders[b].order_id


cdef inline void _put(Expiries* expiries, OrderPool* pool, int32_t at, int32_t item) noexcept nogil:
    expiries.heap[at] = item
    if item >= 0:
        pool.terms[item].timer = at
    else:
        expiries.timers.items[~item].place = at


cdef void _sift(Expiries* expiries, OrderPool* pool, int32_t at, int32_t item) noexcept nogil:
    """Moves an item from a free place up or down to its place in the heap."""
    cdef int32_t other
    while at > 0 and _sooner(expiries, pool, item, expiries.heap[(at - 1) >> 1]):
        _put(expiries, pool, at, expiries.heap[(at - 1) >> 1])
        at = (at - 1) >> 1
    while True:
        other = 2 * at + 1
        if other >= expiries.count:
            break
        if other + 1 < expiries.count and _sooner(expiries, pool, expiries.heap[other + 1], expiries.heap[other]):
            other += 1
        if not _sooner(expiries, pool, expiries.heap[other], item):
            break
        _put(expiries, pool, at, expiries.heap[other])
        at = other
    _put(expiries, pool, at, item)


cdef void expiries_add(Expiries* expiries, OrderPool* pool, int32_t item) noexcept nogil:
    """Adds an item, after expiries_reserve."""
    expiries.count += 1
    _sift(expiries, pool, expiries.count - 1, item)


cdef void expiries_remove(Expiries* expiries, OrderPool* pool, int32_t item) noexcept nogil:
    cdef int32_t* place = &pool.terms[item].timer if item >= 0 else &expiries.timers.items[~item].place
    cdef int32_t at = place[0]
    cdef int32_t last = expiries.heap[expiries.count - 1]
    place[0] = -1
    expiries.count -= 1
    if last != item:
        _sift(expiries, pool, at, last)
