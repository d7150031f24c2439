# client_ids: the orders behind client ids, within the duplicate window.
#
# Owns: the table (account, client id) -> order. It holds the live orders and the last CLIENT_ID_WINDOW finished ones that had
# a client id, first in first out (semantics §8). Orders without a client id never come here. Owns the texts of those ids that
# have one.
# Never: decides whether an order is live; its caller does. Never lets a sender of ids choose their places: the hash has a
# secret (the seed), and no answer, event or digest depends on it.
# Invariant: an entry names a live order's slot, or a place in the ring of finished ones, and so finds its full key.
# Cost: an entry is 8 bytes (a 32-bit hash, a 32-bit place), so that the table stays in cache. Open addressing with linear
# probing at load <= 1/4: most searches end at their first place, which suits branch prediction. Backward-shift delete; growth
# rehashes. A finished order costs 24 bytes more. The first text takes 36 bytes a slot and a place of the ring; untouched pages
# cost nothing.

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from solvent._core.market.order_pool cimport OrderPool, Order
from solvent._core.base.pool cimport prefetch
from solvent._core.base.schema cimport CLIENT_TEXT_MAX

cdef enum:
    # rendered: limits
    CLIENT_ID_WINDOW = 65536
    # rendered: end

cdef extern from *:
    """
    #include <stdint.h>
    #define SOLVENT_FINISHED 0x80000000u
    /* Returns both halves of the 128-bit product, combined by exclusive or. */
    static inline uint64_t solvent_fold(uint64_t a, uint64_t b) {
        unsigned __int128 product = (unsigned __int128)a * b;
        return (uint64_t)product ^ (uint64_t)(product >> 64); }
    """
    uint64_t fold "solvent_fold"(uint64_t a, uint64_t b) noexcept nogil
    const uint32_t FINISHED_PLACE "SOLVENT_FINISHED"    # places: slot + 1 of a live order, or this | ring index

cdef struct ClientKey:
    uint64_t client_id
    uint64_t order_id
    uint32_t account

cdef struct ClientText:        # zero-padded; 0 first: none
    char letters[CLIENT_TEXT_MAX]

cdef struct ClientIds:
    OrderPool* pool
    uint64_t* table        # hash << 32 | place; 0 is empty
    int64_t capacity
    int64_t room           # the number of ids that fit, live and finished
    int64_t used
    int64_t vacant         # free place for the id of the last failed search
    uint64_t tag           # hash of that id
    uint64_t secret[3]     # from the seed
    ClientKey* finished    # ring; before it is full, an array that grows
    int64_t finished_capacity
    int64_t first
    int64_t count
    ClientText* texts          # of live orders, by slot
    int32_t texts_capacity
    ClientText* finished_texts # by place in the ring; NULL before the first text

cdef int client_ids_open(ClientIds* ids, OrderPool* pool, uint64_t seed) noexcept nogil
cdef void client_ids_close(ClientIds* ids) noexcept nogil
cdef int client_ids_grow(ClientIds* ids) noexcept nogil
cdef bint client_text_room(ClientIds* ids) noexcept nogil
cdef uint64_t client_text_number(const char* padded) noexcept nogil
cdef void client_text_set(ClientIds* ids, int32_t slot, const char* padded) noexcept nogil
cdef void client_text_finish(ClientIds* ids, uint32_t slot, int64_t at) noexcept nogil
cdef const char* client_text_find(ClientIds* ids, uint32_t account, uint64_t client_id) noexcept nogil


cdef inline uint64_t client_ids_hash(ClientIds* ids, uint32_t account, uint64_t client_id) noexcept nogil:
    """Returns 32 bits that nobody can foresee without the secret."""
    return fold(client_id ^ ids.secret[0], account ^ ids.secret[1]) * ids.secret[2] >> 32


cdef inline int64_t client_ids_at(ClientIds* ids, uint64_t entry) noexcept nogil:
    """Returns the place of exactly this entry, or the empty place where it would go."""
    cdef int64_t mask = ids.capacity - 1
    cdef int64_t i = <int64_t>(entry >> 32) & mask
    while ids.table[i] != 0 and ids.table[i] != entry:
        i = (i + 1) & mask
    return i


cdef inline int client_ids_reserve(ClientIds* ids) noexcept nogil:
    """Makes room for one more id; returns 0 when memory is gone."""
    return ids.used < ids.room or client_ids_grow(ids)


cdef inline void client_ids_ahead(ClientIds* ids, uint32_t account, uint64_t client_id) noexcept nogil:
    """Starts loading the memory that finding this id, or finishing its order, needs."""
    prefetch(&ids.table[<int64_t>client_ids_hash(ids, account, client_id) & (ids.capacity - 1)])


cdef inline uint64_t client_ids_find(ClientIds* ids, uint32_t account, uint64_t client_id) noexcept nogil:
    """Returns the order id, or 0."""
    cdef uint64_t tag = client_ids_hash(ids, account, client_id)
    cdef int64_t mask = ids.capacity - 1
    cdef int64_t i = <int64_t>tag & mask
    cdef uint32_t place
    cdef ClientKey* key
    cdef Order* order
    while ids.table[i] != 0:
        if ids.table[i] >> 32 == tag:
            place = <uint32_t>ids.table[i]
            if place & FINISHED_PLACE:
                key = &ids.finished[place ^ FINISHED_PLACE]
                if key.client_id == client_id and key.account == account:
                    return key.order_id
            else:
                order = &ids.pool.orders[place - 1]
                if order.client_id == client_id and order.account == account:
                    return order.order_id
        i = (i + 1) & mask
    ids.vacant = i
    ids.tag = tag
    return 0


cdef inline void client_ids_add(ClientIds* ids, uint32_t slot) noexcept nogil:
    """Adds the id of the last failed client_ids_find, after client_ids_reserve."""
    ids.table[ids.vacant] = ids.tag << 32 | (slot + 1)
    ids.used += 1


cdef inline void client_ids_forget(ClientIds* ids, uint64_t entry) noexcept nogil:
    cdef int64_t hole = client_ids_at(ids, entry)
    cdef int64_t mask = ids.capacity - 1
    cdef int64_t i = hole
    ids.used -= 1
    while True:
        i = (i + 1) & mask
        if ids.table[i] == 0:
            break
        if ((i - <int64_t>(ids.table[i] >> 32)) & mask) >= ((i - hole) & mask):
            ids.table[hole] = ids.table[i]
            hole = i
    ids.table[hole] = 0


cdef inline void client_ids_finish(ClientIds* ids, uint32_t slot) noexcept nogil:
    """Moves the id of a final order into the window; a full window forgets its oldest id."""
    cdef Order* order = &ids.pool.orders[slot]
    cdef uint64_t entry = client_ids_hash(ids, order.account, order.client_id) << 32
    cdef int64_t at = (ids.first + ids.count) & (CLIENT_ID_WINDOW - 1)
    cdef ClientKey* key = &ids.finished[at]
    if ids.count == CLIENT_ID_WINDOW:
        client_ids_forget(ids, client_ids_hash(ids, key.account, key.client_id) << 32 | FINISHED_PLACE | <uint64_t>at)
        ids.first = (ids.first + 1) & (CLIENT_ID_WINDOW - 1)
        ids.count -= 1
        client_ids_ahead(ids, ids.finished[(at + 4) & (CLIENT_ID_WINDOW - 1)].account, ids.finished[(at + 4) & (CLIENT_ID_WINDOW - 1)].client_id)
    key.account = order.account
    key.client_id = order.client_id
    key.order_id = order.order_id
    ids.table[client_ids_at(ids, entry | (slot + 1))] = entry | FINISHED_PLACE | <uint64_t>at
    ids.count += 1
    if ids.finished_texts != NULL:
        client_text_finish(ids, slot, at)
