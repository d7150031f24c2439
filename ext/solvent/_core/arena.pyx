"""Slots for live orders; the contract is in arena.pxd."""

from libc.stdint cimport int32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset
from solvent._core.pool cimport resized


cdef int arena_open(Arena* arena, int32_t capacity) noexcept nogil:
    memset(arena, 0, sizeof(Arena))
    arena.orders = <Order*>calloc(capacity, sizeof(Order))
    arena.own = <Links*>calloc(capacity, sizeof(Links))
    arena.free_stack = <int32_t*>calloc(capacity, sizeof(int32_t))
    arena.capacity = capacity
    return arena.orders != NULL and arena.own != NULL and arena.free_stack != NULL


cdef void arena_close(Arena* arena) noexcept nogil:
    free(arena.orders)
    free(arena.own)
    free(arena.free_stack)


cdef int arena_reserve(Arena* arena) noexcept nogil:
    """Makes room for one more order; 0 when the limit or memory is reached. Moves the pools."""
    cdef int32_t capacity = arena.capacity * 2
    if arena.free_count > 0 or arena.high_water < arena.capacity:
        return 1
    if (capacity > SLOTS_MAX or not resized(<void**>&arena.orders, capacity, sizeof(Order))
            or not resized(<void**>&arena.own, capacity, sizeof(Links))
            or not resized(<void**>&arena.free_stack, capacity, sizeof(int32_t))):
        return 0
    arena.capacity = capacity
    return 1


cdef int32_t arena_next(Arena* arena) noexcept nogil:
    """The slot that the next accepted order will take."""
    if arena.free_count > 0:
        return arena.free_stack[arena.free_count - 1]
    return arena.high_water


cdef int32_t arena_take(Arena* arena) noexcept nogil:
    """A slot, after arena_reserve has said that there is one."""
    cdef int32_t slot = arena_next(arena)
    if arena.free_count > 0:
        arena.free_count -= 1
    else:
        arena.high_water += 1
    arena.orders[slot].live = 1
    return slot


cdef void arena_give(Arena* arena, int32_t slot) noexcept nogil:
    arena.orders[slot].live = 0
    arena.orders[slot].order_id = 0
    arena.free_stack[arena.free_count] = slot
    arena.free_count += 1


cdef int32_t arena_find(Arena* arena, uint64_t order_id) noexcept nogil:
    """The slot of a live order, or -1."""
    cdef int32_t slot = <int32_t>(order_id & (SLOTS_MAX - 1))
    if slot < arena.high_water and arena.orders[slot].live and arena.orders[slot].order_id == order_id:
        return slot
    return -1
