# pool: the memory of the core, in one place, where a test can deny it.
#
# Owns: three kinds of memory. Blocks of the heap serve small or short-lived data. Doubling arrays of the heap (`room`) serve
# the ledger. Pools (`grown`) serve orders and books: small pools lie on the heap, those from 256 KB on are mappings of their
# own. A mapping grows in place, or moves as page tables, not as bytes.
# Never: holds more than twice the requested memory, so that many small exchanges fit into one process. Never keeps an address:
# making room may move a pool. So room is made before a command's first write, or between two orders of the house, when nobody
# holds a pointer into a pool.
# Invariants: unwritten memory of a pool is zero; a pool that fails to grow is unchanged.
# Cost: growing is amortised O(1); a pool of n bytes has moved at most 256 KB by copying. Pages are touched as they are used,
# in pieces of 2 MB where a pool is large and the system has such pages.

from libc.stdint cimport int32_t, int64_t

cdef extern from *:
    """
    #define solvent_prefetch(address) __builtin_prefetch(address)
    """
    void prefetch "solvent_prefetch"(const void* address) noexcept nogil    # starts loading memory; any address is allowed


cdef void* taken(size_t bytes) noexcept nogil                       # like malloc, calloc and realloc; free releases
cdef void* zeroed(size_t count, size_t size) noexcept nogil
cdef void* moved(void* block, size_t bytes) noexcept nogil
cdef bint grown(void** items, int64_t capacity, size_t size) noexcept nogil
cdef void released(void* items) noexcept nogil
cdef int32_t doubled(int32_t capacity, int64_t wanted, int32_t first, int32_t most) noexcept nogil


cdef inline bint resized(void** items, int64_t capacity, size_t size) noexcept nogil:
    """Makes an array hold `capacity` items of `size` bytes. Returns False, with the array unchanged, when memory is gone."""
    cdef void* block = moved(items[0], <size_t>capacity * size)
    if block == NULL:
        return False
    items[0] = block
    return True


cdef inline bint rooms(void** items, int32_t used, int32_t more, int32_t* capacity, size_t size) noexcept nogil:
    """Makes room for `more` items. Returns False when memory is gone. May move the array."""
    cdef int32_t larger
    if used + more <= capacity[0]:
        return True
    larger = doubled(capacity[0], used + <int64_t>more, 4, 0x7FFFFFFF)
    if larger == 0 or not resized(items, larger, size):
        return False
    capacity[0] = larger
    return True


cdef inline bint room(void** items, int32_t used, int32_t* capacity, size_t size) noexcept nogil:
    return rooms(items, used, 1, capacity, size)
