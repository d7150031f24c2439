# clientids: which order a client id belongs to, within the duplicate window.
#
# Owns: the table (account, client id) -> order id of live orders and of the last WINDOW finished ones that
# had a client id, first in first out (semantics §8). Orders without a client id never come here.
# Never: knows whether an order is live; the arena does.
# Cost: open addressing with linear probing at load <= 1/2, backward-shift delete; growth rehashes.

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

cdef enum:
    WINDOW = 65536

cdef struct ClientKey:
    uint64_t client_id
    uint64_t order_id      # 0: the place is empty
    uint32_t account

cdef struct ClientIds:
    ClientKey* table
    int64_t capacity
    int64_t used
    ClientKey* finished    # ring
    int64_t first
    int64_t count

cdef int clients_open(ClientIds* ids) noexcept nogil
cdef void clients_close(ClientIds* ids) noexcept nogil
cdef int clients_reserve(ClientIds* ids) noexcept nogil
cdef uint64_t clients_find(ClientIds* ids, uint32_t account, uint64_t client_id) noexcept nogil
cdef void clients_add(ClientIds* ids, uint32_t account, uint64_t client_id, uint64_t order_id) noexcept nogil
cdef void clients_finish(ClientIds* ids, uint32_t account, uint64_t client_id, uint64_t order_id) noexcept nogil
