# pool: how everything in the core gets its memory, in one place, where a test can deny it.
#
# Owns: two kinds. Order pools reserve address space once, up to their limit, and touch it lazily: growing
# neither copies nor moves, so no order in a million is slow. The small pools of the ledger double.
# Never: initialises what `resized` adds; a mapped pool is zero where it was never written.
# Cost: a mapped pool costs the pages it has touched (2 MB pages beyond its first megabytes, where the system
# gives them); a doubling pool amortised O(1), one realloc when full.

from libc.stdint cimport int32_t, int64_t

cdef extern from *:
    """
    #ifndef SOLVENT_POOL
    #define SOLVENT_POOL
    #include <stdint.h>
    #include <stddef.h>
    #include <sys/mman.h>
    #ifndef MAP_NORESERVE
    #define MAP_NORESERVE 0
    #endif
    #define SOLVENT_HUGE ((uintptr_t)1 << 21)
    static inline void *solvent_map(size_t bytes) {
        void *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON | MAP_NORESERVE, -1, 0);
        if (block == MAP_FAILED) return NULL;
    #ifdef MADV_HUGEPAGE
        if (bytes > 8 * SOLVENT_HUGE) {  /* the first pages stay small, so that a small exchange stays small */
            uintptr_t from = ((uintptr_t)block + 2 * SOLVENT_HUGE) & ~(SOLVENT_HUGE - 1);
            madvise((void *)from, (uintptr_t)block + bytes - from, MADV_HUGEPAGE);
        }
    #endif
        return block; }
    #define solvent_prefetch(address) __builtin_prefetch(address)
    static inline void solvent_unmap(void *block, size_t bytes) { if (block) munmap(block, bytes); }
    #endif
    """
    void* solvent_new_map "solvent_map"(size_t bytes) noexcept nogil
    void solvent_unmap(void* block, size_t bytes) noexcept nogil
    void prefetch "solvent_prefetch"(const void* address) noexcept nogil    # asks for memory; any address will do

cdef bint denied() noexcept nogil
cdef void* taken(size_t bytes) noexcept nogil                       # as malloc, calloc and realloc; free gives back
cdef void* zeroed(size_t count, size_t size) noexcept nogil
cdef void* moved(void* block, size_t bytes) noexcept nogil


cdef inline void* solvent_map(size_t bytes) noexcept nogil:
    return NULL if denied() else solvent_new_map(bytes)


cdef inline int32_t mapped(void** items, int32_t most, size_t size) noexcept nogil:
    """Reserves zeroed room for `most` items, or for half as many, and so on; how many it is, 0 when not even few."""
    while most > 1024:
        items[0] = solvent_map(<size_t>most * size)
        if items[0] != NULL:
            return most
        most >>= 1
    return 0


cdef inline void unmapped(void* items, int32_t capacity, size_t size) noexcept nogil:
    solvent_unmap(items, <size_t>capacity * size)


cdef inline bint resized(void** items, int64_t capacity, size_t size) noexcept nogil:
    """Makes a pool hold `capacity` items of `size` bytes; False, the pool as it was, when memory is gone."""
    cdef void* block = moved(items[0], <size_t>capacity * size)
    if block == NULL:
        return False
    items[0] = block
    return True


cdef inline bint rooms(void** items, int32_t used, int32_t more, int32_t* capacity, size_t size) noexcept nogil:
    """Makes room for so many more items, at least doubling a full pool; False when memory is gone."""
    cdef int32_t larger = capacity[0] * 2 if capacity[0] else 64
    if used + more <= capacity[0]:
        return True
    while larger < used + more:
        larger *= 2
    if not resized(items, larger, size):
        return False
    capacity[0] = larger
    return True


cdef inline bint room(void** items, int32_t used, int32_t* capacity, size_t size) noexcept nogil:
    return rooms(items, used, 1, capacity, size)
