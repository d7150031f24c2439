"""The only place that requests memory; the contract is in pool.pxd."""

from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, malloc, realloc

cdef extern from *:
    """
    #include <stdint.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/mman.h>
    #include <unistd.h>
    #define SOLVENT_HEAD 64                     /* holds the block's length; the items then begin at a cache line */
    #define SOLVENT_MAPPED ((size_t)1 << 18)    /* from here on a block is a mapping of its own */
    #define SOLVENT_HUGE ((size_t)1 << 21)

    /* Maps memory; a large mapping has the alignment of `like` within large pages, so that a move splits none. */
    static char *solvent_map(size_t bytes, uintptr_t like) {
        size_t slack = bytes >= 2 * SOLVENT_HUGE ? SOLVENT_HUGE : 0;
        char *block = (char *)mmap(NULL, bytes + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
        if (block == MAP_FAILED) return NULL;
        if (slack) {
            size_t before = (like - (uintptr_t)block) & (SOLVENT_HUGE - 1);
            if (before) munmap(block, before);
            if (slack - before) munmap(block + before + bytes, slack - before);
            block += before;
        }
        return block; }

    static char *solvent_remap(char *old, size_t had, size_t bytes) {
    #ifdef MREMAP_MAYMOVE
        char *place, *block = (char *)mremap(old, had, bytes, 0);
        if (block != MAP_FAILED) return block;
        place = solvent_map(bytes, (uintptr_t)old);
        if (place == NULL) {                    /* no room for both at once */
            block = (char *)mremap(old, had, bytes, MREMAP_MAYMOVE);
            return block == MAP_FAILED ? NULL : block; }
        block = (char *)mremap(old, had, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, place);
        if (block != MAP_FAILED) return block;
        munmap(place, bytes);
        return NULL;
    #else
        char *block = solvent_map(bytes, (uintptr_t)old);
        if (block == NULL) return NULL;
        memcpy(block, old, had);
        munmap(old, had);
        return block;
    #endif
    }

    /* Returns a block of at least `bytes`, never smaller than the old one, with its contents. */
    static char *solvent_larger(char *old, size_t bytes) {
        size_t had = old ? *(size_t *)old : 0;
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        void *block = NULL;
        if (bytes < SOLVENT_MAPPED) {
            if (posix_memalign(&block, SOLVENT_HEAD, bytes) != 0) return NULL;
            memset((char *)block + had, 0, bytes - had);
        } else {
            bytes = (bytes + page - 1) / page * page;
            block = had >= SOLVENT_MAPPED ? solvent_remap(old, had, bytes) : solvent_map(bytes, 0);
            if (block == NULL) return NULL;
    #ifdef MADV_HUGEPAGE
            if (bytes >= 2 * SOLVENT_HUGE) madvise(block, bytes, MADV_HUGEPAGE);    /* all of it: one mapping stays one */
    #endif
        }
        if (had && had < SOLVENT_MAPPED) { memcpy(block, old, had); free(old); }
        *(size_t *)block = bytes;
        return (char *)block; }

    static void *solvent_grown(void *items, size_t bytes) {
        char *block = solvent_larger(items ? (char *)items - SOLVENT_HEAD : NULL, bytes + SOLVENT_HEAD);
        return block ? block + SOLVENT_HEAD : NULL; }

    static void *solvent_copied(void *items, size_t bytes) {
        char *old = (char *)items - SOLVENT_HEAD, *block = (char *)solvent_grown(NULL, bytes);
        size_t had = *(size_t *)old - SOLVENT_HEAD;
        if (block == NULL) return NULL;
        memcpy(block, items, had < bytes ? had : bytes);
        memset(items, 0xA5, had);
        if (had + SOLVENT_HEAD >= SOLVENT_MAPPED) munmap(old, had + SOLVENT_HEAD);
        else free(old);
        return block; }

    static void solvent_released(void *items) {
        char *block = items ? (char *)items - SOLVENT_HEAD : NULL;
        size_t bytes = block ? *(size_t *)block : 0;
        if (bytes >= SOLVENT_MAPPED) munmap(block, bytes);
        else free(block); }
    """
    void* solvent_grown(void* items, size_t bytes) noexcept nogil
    void* solvent_copied(void* items, size_t bytes) noexcept nogil
    void solvent_released(void* items) noexcept nogil

cdef int64_t _until = 0            # requests until one is denied; 0: none is denied
cdef int64_t _requests = 0
cdef bint _restless = False


cdef bint denied() noexcept nogil:
    """True if a test wants this request to fail."""
    global _until, _requests
    _requests += 1
    if _until == 0:
        return False
    _until -= 1
    return _until == 0


def deny(int64_t nth):
    """Makes the nth request for memory from now on fail, once; 0: none. For tests. Returns the number of requests so far."""
    global _until
    _until = nth
    return _requests


def restless(bint wanted):
    """Makes pools take no spare room, move at every growth, and overwrite the memory they left. For tests."""
    global _restless
    _restless = wanted


cdef int32_t doubled(int32_t capacity, int64_t wanted, int32_t first, int32_t most) noexcept nogil:
    """Returns the next capacity of at least `wanted`, or 0 if that is above `most`."""
    cdef int64_t larger = capacity * <int64_t>2 if capacity else first
    if wanted > most:
        return 0
    if _restless:
        return <int32_t>wanted
    while larger < wanted:
        larger *= 2
    return <int32_t>larger if larger < most else most


cdef void* taken(size_t bytes) noexcept nogil:
    return NULL if denied() else malloc(bytes)


cdef void* zeroed(size_t count, size_t size) noexcept nogil:
    return NULL if denied() else calloc(count, size)


cdef void* moved(void* block, size_t bytes) noexcept nogil:
    return NULL if denied() else realloc(block, bytes)


cdef bint grown(void** items, int64_t capacity, size_t size) noexcept nogil:
    """Makes a pool hold `capacity` items of `size` bytes. Returns False, with the pool unchanged, when memory is gone. May
    move it."""
    cdef void* larger = NULL
    if not denied():
        larger = solvent_copied(items[0], capacity * size) if _restless and items[0] != NULL else solvent_grown(items[0], capacity * size)
    if larger == NULL:
        return False
    items[0] = larger
    return True


cdef void released(void* items) noexcept nogil:
    """Releases a pool; NULL is allowed."""
    solvent_released(items)
