# pool: how every pool of the core grows. Header only.
#
# Owns: the doubling. Never: shrinks a pool or initialises what it adds. A pool that moved has new addresses, so
# everything in it is named by index.
# Cost: amortised O(1); one realloc when full.

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport realloc


cdef inline bint resized(void** items, int64_t capacity, size_t size) noexcept nogil:
    """Makes a pool hold `capacity` items of `size` bytes; False, the pool as it was, when memory is gone."""
    cdef void* block = realloc(items[0], <size_t>capacity * size)
    if block == NULL:
        return False
    items[0] = block
    return True


cdef inline bint room(void** items, int32_t used, int32_t* capacity, size_t size) noexcept nogil:
    """Makes room for one more item, doubling a full pool; False when memory is gone."""
    cdef int32_t larger = capacity[0] * 2 if capacity[0] else 64
    if used < capacity[0]:
        return True
    if not resized(items, larger, size):
        return False
    capacity[0] = larger
    return True
