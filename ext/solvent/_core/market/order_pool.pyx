"""The memory of the slots; the contract is in order_pool.pxd."""

from libc.stdint cimport int32_t
from solvent._core.base.pool cimport doubled, grown, released

cdef enum:
    FIRST = 32


cdef bint arena_grow(Arena* arena) noexcept nogil:
    """Doubles the slots. Returns False, all unchanged, at the limit or when memory is gone."""
    cdef int32_t larger = doubled(arena.capacity, arena.capacity + 1, FIRST, SLOTS_MAX)
    if larger == 0 or not (
            grown(<void**>&arena.orders, larger, sizeof(Order)) and grown(<void**>&arena.terms, larger, sizeof(Terms))
            and grown(<void**>&arena.own, larger, sizeof(Links)) and grown(<void**>&arena.reduce, larger, sizeof(Links))
            and grown(<void**>&arena.free_stack, larger, sizeof(int32_t))):
        return False
    arena.capacity = larger
    return True


cdef void arena_close(Arena* arena) noexcept nogil:
    released(arena.orders)
    released(arena.terms)
    released(arena.own)
    released(arena.reduce)
    released(arena.free_stack)
