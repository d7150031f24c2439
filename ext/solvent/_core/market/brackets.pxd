# brackets: an entry, or a position, with a target and a stop that close it.
#
# Owns: the records that join them, and the queue of those that have to be looked at.
# Never: moves an order. Orders are named by their ids; lots that live orders have filled are read from these, and a record
# keeps those of ended ones.
# Invariant: an order's terms name its bracket by its place, counted from 1. Between two commands no bracket is marked.
# Cost: O(1), and O(reduce-only orders of a position) to mark its brackets. A record has 64 bytes.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from solvent._core.market.order_pool cimport EXTENDED, OrderPool

cdef struct Bracket:
    uint64_t entry_id           # live orders; 0 none, or it has ended
    uint64_t target_id
    uint64_t stop_id
    int64_t filled_lots         # for which the children stand by an entry that has ended, or that a pair was attached for
    int64_t closed_lots         # by children that have ended
    int64_t most_lots           # total size to which the target was amended; 0 any
    int32_t next                # the next marked or free one, counted from 1; 0 none
    uint8_t arm
    uint8_t marked
    uint8_t used

cdef struct Brackets:
    Bracket* items
    int32_t capacity
    int32_t used                # places ever taken
    int32_t count               # brackets that there are
    int32_t free                # places counted from 1; 0 none
    int32_t first
    int32_t last

cdef bint brackets_room(Brackets* brackets) noexcept nogil
cdef int32_t brackets_take(Brackets* brackets) noexcept nogil
cdef void brackets_give(Brackets* brackets, int32_t place) noexcept nogil
cdef void brackets_mark(Brackets* brackets, int32_t place) noexcept nogil
cdef int32_t brackets_next(Brackets* brackets) noexcept nogil
cdef void brackets_mark_all(Brackets* brackets, OrderPool* pool, int32_t first_reduce) noexcept nogil
cdef void brackets_part(Brackets* brackets, OrderPool* pool, int32_t slot, int32_t first_reduce) noexcept nogil
cdef bint child_stands(Brackets* brackets, OrderPool* pool, int32_t slot) noexcept nogil
cdef int64_t stands_for(Brackets* brackets, OrderPool* pool, int32_t place) noexcept nogil


cdef inline int32_t bracket_of(OrderPool* pool, int32_t slot) noexcept nogil:
    """Returns the place of an order's bracket; 0: none."""
    return pool.terms[slot].bracket if pool.orders[slot].state & EXTENDED else 0
