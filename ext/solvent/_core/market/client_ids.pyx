"""The duplicate window of client ids; the contract is in client_ids.pxd."""

from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memset
from solvent._core.market.order_pool cimport OrderPool
from solvent._core.base.pool cimport resized, zeroed

cdef enum:
    FIRST = 64             # places of a new table


cdef uint64_t _stirred(uint64_t z) noexcept nogil:
    """Returns one step of splitmix64: similar seeds give unlike secrets."""
    z = (z ^ (z >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * <uint64_t>0x94D049BB133111EB
    return z ^ (z >> 31)


cdef int client_ids_open(ClientIds* ids, OrderPool* pool, uint64_t seed) noexcept nogil:
    cdef int i
    memset(ids, 0, sizeof(ClientIds))
    ids.pool = pool
    for i in range(3):
        ids.secret[i] = _stirred(seed + <uint64_t>(i + 1) * <uint64_t>0x9E3779B97F4A7C15) | 1
    return client_ids_grow(ids)


cdef void client_ids_close(ClientIds* ids) noexcept nogil:
    free(ids.table)
    free(ids.finished)


cdef bint _grow_table(ClientIds* ids) noexcept nogil:
    cdef uint64_t* old = ids.table
    cdef int64_t old_capacity = ids.capacity
    cdef int64_t i
    cdef uint64_t* table = <uint64_t*>zeroed(<size_t>(old_capacity * 2 if old_capacity else FIRST), sizeof(uint64_t))
    if table == NULL:
        return False
    ids.table = table
    ids.capacity = old_capacity * 2 if old_capacity else FIRST
    for i in range(old_capacity):
        if old[i] != 0:
            ids.table[client_ids_at(ids, old[i])] = old[i]
    free(old)
    return True


cdef int client_ids_grow(ClientIds* ids) noexcept nogil:
    """Makes room for one more id in the table, and in the ring, because each may finish. Returns 0 when memory is gone."""
    cdef int64_t larger = ids.finished_capacity * 2 if ids.finished_capacity else FIRST
    if 4 * (ids.used + 1) > ids.capacity and not _grow_table(ids):
        return 0
    if ids.used + 1 > ids.finished_capacity and ids.finished_capacity < CLIENT_ID_WINDOW:
        if not resized(<void**>&ids.finished, larger, sizeof(ClientKey)):
            return 0
        memset(&ids.finished[ids.finished_capacity], 0, (larger - ids.finished_capacity) * sizeof(ClientKey))
        ids.finished_capacity = larger
    ids.room = ids.capacity >> 2
    if ids.finished_capacity < CLIENT_ID_WINDOW and ids.finished_capacity < ids.room:
        ids.room = ids.finished_capacity
    return 1
