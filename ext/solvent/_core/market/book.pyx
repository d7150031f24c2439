"""The cold half of the book: its memory, the walk down a side, the check; the contract is in book.pxd."""

from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memset
from solvent._core.base.schema cimport ALL_OR_NONE, SHAPED_ORDER
from solvent._core.market.order_pool cimport DORMANT, LIVE, OrderPool
from solvent._core.base.pool cimport doubled, grown, released

cdef enum:
    FIRST = 16             # nodes and levels: both roots and the path of a first order of any depth


cdef int book_open(Book* book, int64_t max_price_ticks) noexcept nogil:
    cdef int side, i
    memset(book, 0, sizeof(Book))
    book.nodes_free = NONE
    book.levels_free = NONE
    book.depth = 1
    while book.depth < 10 and (max_price_ticks >> (6 * book.depth)) != 0:
        book.depth += 1
    if not book_grow(book, 1):
        return 0
    for side in range(2):
        book.side[side].turn = (<int64_t>1 << (6 * book.depth)) - 1 if side == 0 else 0
        book.side[side].best = NONE
        book.side[side].root = book_node(book, NONE)
        for i in range(CACHE):
            book.side[side].cache[i].key = NONE
    return 1


cdef void book_close(Book* book) noexcept nogil:
    if book.dark != NULL:
        book_close(book.dark)
        free(book.dark)
    released(book.child)
    released(book.bits)
    released(book.parent)
    released(book.levels)


cdef bint book_grow(Book* book, int32_t orders) noexcept nogil:
    """Makes room for `orders` more levels and their paths. Returns False, all unchanged, at the limit or when memory is
    gone."""
    cdef int64_t nodes = book.nodes_used - book.nodes_spare + book.depth * <int64_t>orders + 1
    cdef int64_t levels = book.levels_used - book.levels_spare + <int64_t>orders + 1
    cdef int32_t larger
    if nodes > book.nodes_capacity:
        larger = doubled(book.nodes_capacity, nodes, FIRST, BOOK_ITEMS_MAX)
        if larger == 0 or not (
                grown(<void**>&book.child, larger, 64 * sizeof(int32_t)) and grown(<void**>&book.bits, larger, sizeof(uint64_t))
                and grown(<void**>&book.parent, larger, sizeof(int32_t))):
            return False
        book.nodes_capacity = larger
    if levels > book.levels_capacity:
        larger = doubled(book.levels_capacity, levels, FIRST, BOOK_ITEMS_MAX)
        if larger == 0 or not grown(<void**>&book.levels, larger, sizeof(Level)):
            return False
        book.levels_capacity = larger
    return True


cdef int32_t book_worse(Book* book, int side, int32_t level) noexcept nogil:
    """Returns the next level away from the touch, or NONE."""
    cdef int64_t key = book.levels[level].price_ticks ^ book.side[side].turn
    cdef int32_t node = book.levels[level].leaf
    cdef uint64_t bits
    cdef int shift = 0
    while node != NONE:
        bits = book.bits[node] & (~<uint64_t>1 << ((key >> shift) & 63))
        if bits != 0:
            node = book.child[node * <int64_t>64 + lowest_bit(bits)]
            return node if shift == 0 else book_first(book, node, shift - 6)
        node = book.parent[node]
        shift += 6
    return NONE


cdef int64_t _unseen(OrderPool* pool, int32_t slot) noexcept nogil:
    """Returns the lots of an order that do not stand in its level's total. Hidden ones stand in one of their own."""
    if not pool.orders[slot].flags & SHAPED_ORDER or pool.orders[slot].state & DORMANT:
        return 0
    return pool.orders[slot].remaining_lots if pool.terms[slot].shape_flags & ALL_OR_NONE else pool.terms[slot].hidden_lots


cdef int64_t _check_level(Book* book, OrderPool* pool, int32_t index) noexcept nogil:
    cdef Level* level = &book.levels[index]
    cdef int64_t total = 0
    cdef int64_t count = 0
    cdef int32_t last = NONE
    cdef int32_t slot = level.head
    while slot != NONE:
        if not pool.orders[slot].state & LIVE or pool.orders[slot].prev != last or pool.orders[slot].level != index:
            return 3
        if pool.orders[slot].remaining_lots > pool.orders[slot].size_lots or (
                pool.orders[slot].remaining_lots < 1 and not pool.orders[slot].state & DORMANT):
            return 4
        total += pool.orders[slot].remaining_lots - _unseen(pool, slot)
        count += 1
        last = slot
        slot = pool.orders[slot].next
    return 0 if last == level.tail and total == level.total_lots and count == level.count and count > 0 else 5


cdef int64_t book_check(Book* book, OrderPool* pool) noexcept nogil:
    """Returns 0 when the invariants hold, else the number of the broken one. Does not test for a crossed book."""
    cdef int side
    cdef int32_t index
    cdef int64_t previous, failed
    for side in range(2):
        index = book.side[side].best
        previous = NONE
        if index == NONE and book.bits[book.side[side].root] != 0:
            return 1
        while index != NONE:
            if book.levels[index].price_ticks ^ book.side[side].turn <= previous:
                return 2
            previous = book.levels[index].price_ticks ^ book.side[side].turn
            failed = _check_level(book, pool, index)
            if failed:
                return failed
            index = book_worse(book, side, index)
    return book_check(book.dark, pool) if book.dark != NULL else 0
