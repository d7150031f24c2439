"""Where the slots' memory comes from; the contract is in arena.pxd."""

from libc.stdint cimport int32_t
from libc.string cimport memset
from solvent._core.pool cimport mapped, solvent_map, unmapped


cdef int arena_open(Arena* arena) noexcept nogil:
    memset(arena, 0, sizeof(Arena))
    arena.capacity = mapped(<void**>&arena.orders, SLOTS_MAX, sizeof(Order))
    arena.terms = <Terms*>solvent_map(arena.capacity * sizeof(Terms))
    arena.own = <Links*>solvent_map(arena.capacity * sizeof(Links))
    arena.reduce = <Links*>solvent_map(arena.capacity * sizeof(Links))
    arena.free_stack = <int32_t*>solvent_map(arena.capacity * sizeof(int32_t))
    return arena.capacity > 0 and arena.terms != NULL and arena.own != NULL and arena.reduce != NULL and arena.free_stack != NULL


cdef void arena_close(Arena* arena) noexcept nogil:
    unmapped(arena.orders, arena.capacity, sizeof(Order))
    unmapped(arena.terms, arena.capacity, sizeof(Terms))
    unmapped(arena.own, arena.capacity, sizeof(Links))
    unmapped(arena.reduce, arena.capacity, sizeof(Links))
    unmapped(arena.free_stack, arena.capacity, sizeof(int32_t))
