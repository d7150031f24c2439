"""Heaps of rungs, of four branches: the four children of a rung share a cache line. The contract is in ladder.pxd."""

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free
from libc.string cimport memset
from solvent._core.base.pool cimport room


cdef inline bint _sooner(const Rung* a, const Rung* b) noexcept nogil:
    return a.key < b.key or (a.key == b.key and a.item < b.item)


cdef void ladder_close(Ladder* ladder) noexcept nogil:
    free(ladder.rungs)
    memset(ladder, 0, sizeof(Ladder))


cdef bint ladder_add(Ladder* ladder, int64_t key, int32_t item) noexcept nogil:
    """Adds a rung. Returns False, with nothing added, when memory is gone."""
    cdef int32_t at = ladder.count
    cdef int32_t above
    cdef Rung rung
    if not room(<void**>&ladder.rungs, ladder.count, &ladder.capacity, sizeof(Rung)):
        return False
    ladder.count += 1
    rung.key = key
    rung.item = item
    while at > 0:
        above = (at - 1) >> 2
        if not _sooner(&rung, &ladder.rungs[above]):
            break
        ladder.rungs[at] = ladder.rungs[above]
        at = above
    ladder.rungs[at] = rung
    return True


cdef inline void _sink(Ladder* ladder, int32_t at, Rung rung) noexcept nogil:
    """Puts a rung at a place, or below it where smaller keys come first."""
    cdef int32_t child, least, end
    while True:
        child = (at << 2) + 1
        if child >= ladder.count:
            break
        end = child + 4 if child + 4 < ladder.count else ladder.count
        least = child
        child += 1
        while child < end:
            if _sooner(&ladder.rungs[child], &ladder.rungs[least]):
                least = child
            child += 1
        if not _sooner(&ladder.rungs[least], &rung):
            break
        ladder.rungs[at] = ladder.rungs[least]
        at = least
    ladder.rungs[at] = rung


cdef Rung ladder_take(Ladder* ladder) noexcept nogil:
    """Takes the first rung of a ladder that has one."""
    cdef Rung first = ladder.rungs[0]
    ladder.count -= 1
    if ladder.count > 0:
        _sink(ladder, 0, ladder.rungs[ladder.count])
    return first


cdef void ladder_order(Ladder* ladder) noexcept nogil:
    """Makes a heap of rungs in any order."""
    cdef int32_t at = (ladder.count - 2) >> 2 if ladder.count > 1 else -1
    while at >= 0:
        _sink(ladder, at, ladder.rungs[at])
        at -= 1
