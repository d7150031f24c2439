# ladder: a heap of rungs, the nearest first; of equal keys the lower item.
#
# Owns: the order of the rungs. A rung is a key and the item that it is for.
# Never: removes a rung but the first, or knows what an item is. A rung that nobody needs any more is ignored when it comes.
# Cost: O(1) to look at the first, O(log n) to add or take one.

from libc.stdint cimport int32_t, int64_t

cdef struct Rung:
    int64_t key
    int32_t item

cdef struct Ladder:
    Rung* rungs
    int32_t count
    int32_t capacity

cdef bint ladder_add(Ladder* ladder, int64_t key, int32_t item) noexcept nogil
cdef Rung ladder_take(Ladder* ladder) noexcept nogil
cdef void ladder_order(Ladder* ladder) noexcept nogil
cdef void ladder_close(Ladder* ladder) noexcept nogil


cdef inline bint ladder_reaches(Ladder* ladder, int64_t level) noexcept nogil:
    """True if the first rung's key is below a level."""
    return ladder.count > 0 and ladder.rungs[0].key < level
