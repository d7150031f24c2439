"""The duplicate window of client ids; the contract is in clientids.pxd."""

from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memset
from solvent._core.arena cimport Arena
from solvent._core.pool cimport zeroed


cdef uint64_t _stirred(uint64_t z) noexcept nogil:
    """One step of splitmix64: seeds that are alike give secrets that are not."""
    z = (z ^ (z >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * <uint64_t>0x94D049BB133111EB
    return z ^ (z >> 31)


cdef int clients_open(ClientIds* ids, Arena* arena, uint64_t seed) noexcept nogil:
    cdef int i
    memset(ids, 0, sizeof(ClientIds))
    ids.arena = arena
    for i in range(3):
        ids.secret[i] = _stirred(seed + <uint64_t>(i + 1) * <uint64_t>0x9E3779B97F4A7C15) | 1
    ids.capacity = 1024
    ids.table = <uint64_t*>zeroed(<size_t>ids.capacity, sizeof(uint64_t))
    ids.finished = <ClientKey*>zeroed(WINDOW, sizeof(ClientKey))
    return ids.table != NULL and ids.finished != NULL


cdef void clients_close(ClientIds* ids) noexcept nogil:
    free(ids.table)
    free(ids.finished)


cdef int clients_grow(ClientIds* ids) noexcept nogil:
    """Doubles the table; 0 when memory is gone."""
    cdef uint64_t* old = ids.table
    cdef int64_t old_capacity = ids.capacity
    cdef int64_t i
    cdef uint64_t* table
    table = <uint64_t*>zeroed(<size_t>(old_capacity * 2), sizeof(uint64_t))
    if table == NULL:
        return 0
    ids.table = table
    ids.capacity = old_capacity * 2
    for i in range(old_capacity):
        if old[i] != 0:
            ids.table[clients_at(ids, old[i])] = old[i]
    free(old)
    return 1


