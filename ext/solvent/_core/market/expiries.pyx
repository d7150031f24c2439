"""The heap of expiries; the contract is in expiries.pxd."""

from libc.stdint cimport int32_t
from libc.stdlib cimport free
from solvent._core.market.order_pool cimport Arena
from solvent._core.base.pool cimport room


cdef int timers_reserve(Timers* timers) noexcept nogil:
    """Makes room for one more; returns 0 when memory is gone."""
    return room(<void**>&timers.heap, timers.count, &timers.capacity, sizeof(int32_t))


cdef void timers_close(Timers* timers) noexcept nogil:
    free(timers.heap)


cdef inline bint _sooner(Arena* arena, int32_t a, int32_t b) noexcept nogil:
    if arena.terms[a].expiry_ns != arena.terms[b].expiry_ns:
        return arena.terms[a].expiry_ns < arena.terms[b].expiry_ns
    return arena.orders[a].order_id < arena.orders[b].order_id


cdef inline void _put(Timers* timers, Arena* arena, int32_t at, int32_t slot) noexcept nogil:
    timers.heap[at] = slot
    arena.terms[slot].timer = at


cdef void _settle(Timers* timers, Arena* arena, int32_t at, int32_t slot) noexcept nogil:
    """Moves a slot from a free place up or down to its place in the heap."""
    cdef int32_t other
    while at > 0 and _sooner(arena, slot, timers.heap[(at - 1) >> 1]):
        _put(timers, arena, at, timers.heap[(at - 1) >> 1])
        at = (at - 1) >> 1
    while True:
        other = 2 * at + 1
        if other >= timers.count:
            break
        if other + 1 < timers.count and _sooner(arena, timers.heap[other + 1], timers.heap[other]):
            other += 1
        if not _sooner(arena, timers.heap[other], slot):
            break
        _put(timers, arena, at, timers.heap[other])
        at = other
    _put(timers, arena, at, slot)


cdef void timers_add(Timers* timers, Arena* arena, int32_t slot) noexcept nogil:
    """Adds a slot, after timers_reserve."""
    timers.count += 1
    _settle(timers, arena, timers.count - 1, slot)


cdef void timers_remove(Timers* timers, Arena* arena, int32_t slot) noexcept nogil:
    cdef int32_t at = arena.terms[slot].timer
    cdef int32_t last = timers.heap[timers.count - 1]
    arena.terms[slot].timer = -1
    timers.count -= 1
    if last != slot:
        _settle(timers, arena, at, last)
