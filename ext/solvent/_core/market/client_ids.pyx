"""The duplicate window of client ids; the contract is in client_ids.pxd."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset
from solvent._core.market.order_pool cimport Order, OrderPool
from solvent._core.base.pool cimport grown, released, resized, zeroed
from solvent._core.base.schema cimport CLIENT_TEXT_MAX, NAME_BYTES

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
    free(ids.finished_texts)
    released(ids.texts)


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


# --- Texts -----------------------------------------------------------------------------------------------

cdef bint client_text_room(ClientIds* ids) noexcept nogil:
    """Makes room for a text in every slot that the next order may take, and in the ring. Returns False when memory is gone."""
    if ids.finished_texts == NULL:
        ids.finished_texts = <ClientText*>zeroed(CLIENT_ID_WINDOW, sizeof(ClientText))
        if ids.finished_texts == NULL:
            return False
    if ids.texts_capacity < ids.pool.capacity:
        if not grown(<void**>&ids.texts, ids.pool.capacity, sizeof(ClientText)):
            return False
        ids.texts_capacity = ids.pool.capacity
    return True


cdef inline bint _allowed(char letter) noexcept nogil:
    return (c'a' <= letter <= c'z' or c'A' <= letter <= c'Z' or c'-' <= letter <= c':' or letter == c'_')


cdef uint64_t client_text_number(const char* padded) noexcept nogil:
    """Returns the number that stands for the text in a record, as solvent.terms.names computes it; 0 if it is no text."""
    cdef uint64_t number = <uint64_t>0xCBF29CE484222325
    cdef int length = 0
    cdef int i
    while length < CLIENT_TEXT_MAX and padded[length] != 0:
        if not _allowed(padded[length]):
            return 0
        number = (number ^ <uint64_t>padded[length]) * <uint64_t>0x100000001B3
        length += 1
    for i in range(length, NAME_BYTES):
        if padded[i] != 0:
            return 0
    return (number & ((<uint64_t>1 << 62) - 1)) | <uint64_t>1 << 62 if length else 0


cdef void client_text_set(ClientIds* ids, int32_t slot, const char* padded) noexcept nogil:
    """Keeps the text of a new order, after client_text_room."""
    memcpy(&ids.texts[slot], padded, sizeof(ClientText))


cdef void client_text_finish(ClientIds* ids, uint32_t slot, int64_t at) noexcept nogil:
    """Moves a final order's text to its place in the ring; an order without one leaves no older text there."""
    if slot < <uint32_t>ids.texts_capacity:
        ids.finished_texts[at] = ids.texts[slot]
        memset(&ids.texts[slot], 0, sizeof(ClientText))
    else:
        memset(&ids.finished_texts[at], 0, sizeof(ClientText))


cdef const char* client_text_find(ClientIds* ids, uint32_t account, uint64_t client_id) noexcept nogil:
    """Returns the text of an id in the window, or NULL."""
    cdef uint64_t tag = client_ids_hash(ids, account, client_id)
    cdef int64_t i = <int64_t>tag & (ids.capacity - 1)
    cdef ClientText* text
    cdef ClientKey* key
    cdef Order* order
    cdef uint32_t place
    while ids.finished_texts != NULL and ids.table[i] != 0:
        place = <uint32_t>ids.table[i]
        if place & FINISHED_PLACE:
            key = &ids.finished[place ^ FINISHED_PLACE]
            if key.client_id == client_id and key.account == account:
                text = &ids.finished_texts[place ^ FINISHED_PLACE]
                return text.letters if text.letters[0] else NULL
        else:
            order = &ids.pool.orders[place - 1]
            if order.client_id == client_id and order.account == account:
                text = &ids.texts[place - 1]
                return text.letters if place <= <uint32_t>ids.texts_capacity and text.letters[0] else NULL
        i = (i + 1) & (ids.capacity - 1)
    return NULL
