"""The duplicate window of client ids; the contract is in clientids.pxd."""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset


cdef int clients_open(ClientIds* ids) noexcept nogil:
    memset(ids, 0, sizeof(ClientIds))
    ids.capacity = 1024
    ids.table = <ClientKey*>calloc(<size_t>ids.capacity, sizeof(ClientKey))
    ids.finished = <ClientKey*>calloc(WINDOW, sizeof(ClientKey))
    return ids.table != NULL and ids.finished != NULL


cdef void clients_close(ClientIds* ids) noexcept nogil:
    free(ids.table)
    free(ids.finished)


cdef int64_t _home(ClientIds* ids, uint32_t account, uint64_t client_id) noexcept nogil:
    cdef uint64_t h = client_id * <uint64_t>0x9E3779B97F4A7C15 ^ <uint64_t>account * <uint64_t>0xC2B2AE3D27D4EB4F
    h ^= h >> 29
    h *= <uint64_t>0xBF58476D1CE4E5B9
    h ^= h >> 32
    return <int64_t>(h & <uint64_t>(ids.capacity - 1))


cdef int64_t _place(ClientIds* ids, uint32_t account, uint64_t client_id) noexcept nogil:
    """Where the key is, or the empty place where it would go."""
    cdef int64_t i = _home(ids, account, client_id)
    while ids.table[i].order_id != 0:
        if ids.table[i].client_id == client_id and ids.table[i].account == account:
            return i
        i = (i + 1) & (ids.capacity - 1)
    return i


cdef int clients_reserve(ClientIds* ids) noexcept nogil:
    """Makes room for one more id; 0 when memory is gone."""
    cdef ClientKey* old = ids.table
    cdef int64_t old_capacity = ids.capacity
    cdef int64_t i
    cdef ClientKey* table
    if 2 * (ids.used + 1) <= ids.capacity:
        return 1
    table = <ClientKey*>calloc(<size_t>(old_capacity * 2), sizeof(ClientKey))
    if table == NULL:
        return 0
    ids.table = table
    ids.capacity = old_capacity * 2
    for i in range(old_capacity):
        if old[i].order_id != 0:
            ids.table[_place(ids, old[i].account, old[i].client_id)] = old[i]
    free(old)
    return 1


cdef uint64_t clients_find(ClientIds* ids, uint32_t account, uint64_t client_id) noexcept nogil:
    """The order id, or 0."""
    return ids.table[_place(ids, account, client_id)].order_id


cdef void clients_add(ClientIds* ids, uint32_t account, uint64_t client_id, uint64_t order_id) noexcept nogil:
    cdef ClientKey* key = &ids.table[_place(ids, account, client_id)]
    key.client_id = client_id
    key.account = account
    key.order_id = order_id
    ids.used += 1


cdef void _remove(ClientIds* ids, ClientKey* key) noexcept nogil:
    cdef int64_t hole = _place(ids, key.account, key.client_id)
    cdef int64_t mask = ids.capacity - 1
    cdef int64_t i = hole
    cdef int64_t home
    ids.used -= 1
    while True:
        i = (i + 1) & mask
        if ids.table[i].order_id == 0:
            break
        home = _home(ids, ids.table[i].account, ids.table[i].client_id)
        if ((i - home) & mask) >= ((i - hole) & mask):
            ids.table[hole] = ids.table[i]
            hole = i
    ids.table[hole].order_id = 0


cdef void clients_finish(ClientIds* ids, uint32_t account, uint64_t client_id, uint64_t order_id) noexcept nogil:
    """The order is final: its id enters the window, the oldest of a full window is forgotten."""
    cdef ClientKey* key
    if ids.count == WINDOW:
        _remove(ids, &ids.finished[ids.first])
        ids.first = (ids.first + 1) & (WINDOW - 1)
        ids.count -= 1
    key = &ids.finished[(ids.first + ids.count) & (WINDOW - 1)]
    key.account = account
    key.client_id = client_id
    key.order_id = order_id
    ids.count += 1
