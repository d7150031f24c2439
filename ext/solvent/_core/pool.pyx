"""The one place that asks for memory; the contract is in pool.pxd."""

from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, malloc, realloc

cdef int64_t _until = 0            # requests until one is denied; 0: none will be
cdef int64_t _requests = 0


cdef bint denied() noexcept nogil:
    """Whether a test wants this request to fail."""
    global _until, _requests
    _requests += 1
    if _until == 0:
        return False
    _until -= 1
    return _until == 0


def deny(int64_t nth):
    """For tests: the nth request for memory from now on fails, once; 0: none does. Returns how many were made so far."""
    global _until
    _until = nth
    return _requests


cdef void* taken(size_t bytes) noexcept nogil:
    return NULL if denied() else malloc(bytes)


cdef void* zeroed(size_t count, size_t size) noexcept nogil:
    return NULL if denied() else calloc(count, size)


cdef void* moved(void* block, size_t bytes) noexcept nogil:
    return NULL if denied() else realloc(block, bytes)
