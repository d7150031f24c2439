"""The trie of price levels and their queues; the contract is in book.pxd."""

from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memset
from solvent._core.arena cimport Arena, Order
from solvent._core.pool cimport room
from solvent._core.records cimport BUY

cdef extern from *:
    int __builtin_ctzll(unsigned long long) noexcept nogil
    int __builtin_clzll(unsigned long long) noexcept nogil


cdef inline int _lowest(uint64_t bits) noexcept nogil:
    return __builtin_ctzll(bits)


cdef inline int _highest(uint64_t bits) noexcept nogil:
    return 63 - __builtin_clzll(bits)


cdef inline int _best_bit(int side, uint64_t bits) noexcept nogil:
    return _highest(bits) if side == BUY else _lowest(bits)


cdef int book_open(Book* book, int64_t max_price_ticks) noexcept nogil:
    cdef int side, i
    memset(book, 0, sizeof(Book))
    book.nodes_free = NONE
    book.levels_free = NONE
    book.depth = 1
    while book.depth < 10 and (max_price_ticks >> (6 * book.depth)) != 0:
        book.depth += 1
    if not book_reserve(book):
        return 0
    for side in range(2):
        book.side[side].best = NONE
        book.side[side].root = _node_new(book, NONE)
        for i in range(CACHE):
            book.side[side].leaf_key[i] = NONE
    return 1


cdef void book_close(Book* book) noexcept nogil:
    free(book.nodes)
    free(book.levels)


cdef int book_reserve(Book* book) noexcept nogil:
    """Makes room for one more level and its path; 0 when memory is gone. May move the pools."""
    cdef int32_t path = book.depth + 1
    return (room(<void**>&book.nodes, book.nodes_used + path, &book.nodes_capacity, sizeof(Node))
            and room(<void**>&book.levels, book.levels_used, &book.levels_capacity, sizeof(Level)))


cdef int32_t _node_new(Book* book, int32_t parent) noexcept nogil:
    cdef int32_t node = book.nodes_free
    if node != NONE:
        book.nodes_free = book.nodes[node].parent
    else:
        node = book.nodes_used
        book.nodes_used += 1
    book.nodes[node].bits = 0
    book.nodes[node].parent = parent
    return node


cdef int32_t _leaf(Book* book, int side, int64_t price_ticks) noexcept nogil:
    """The leaf of a price; its path is made where it does not exist."""
    cdef Half* half = &book.side[side]
    cdef int64_t key = price_ticks >> 6
    cdef int entry = <int>(key & (CACHE - 1))
    cdef int32_t node, child
    cdef int shift, bit
    if half.leaf_key[entry] == key:
        return half.leaf_node[entry]
    node = half.root
    shift = 6 * (book.depth - 1)
    while shift > 0:
        bit = <int>((price_ticks >> shift) & 63)
        if (book.nodes[node].bits >> bit) & 1:
            node = book.nodes[node].child[bit]
        else:
            child = _node_new(book, node)
            book.nodes[node].child[bit] = child
            book.nodes[node].bits |= <uint64_t>1 << bit
            node = child
        shift -= 6
    half.leaf_key[entry] = key
    half.leaf_node[entry] = node
    return node


cdef int32_t _extreme(Book* book, int side, int32_t node, int shift) noexcept nogil:
    """The best level below a node that is not empty."""
    while shift > 0:
        node = book.nodes[node].child[_best_bit(side, book.nodes[node].bits)]
        shift -= 6
    return book.nodes[node].child[_best_bit(side, book.nodes[node].bits)]


cdef int32_t book_worse(Book* book, int side, int32_t level) noexcept nogil:
    """The next level away from the touch, or NONE."""
    cdef int64_t price_ticks = book.levels[level].price_ticks
    cdef int32_t node = book.levels[level].leaf
    cdef uint64_t bits
    cdef int shift = 0
    cdef int bit
    while node != NONE:
        bit = <int>((price_ticks >> shift) & 63)
        bits = book.nodes[node].bits
        if side == BUY:
            bits &= (<uint64_t>1 << bit) - 1
        else:
            bits &= ~(((<uint64_t>1 << bit) - 1) | (<uint64_t>1 << bit))
        if bits != 0:
            node = book.nodes[node].child[_best_bit(side, bits)]
            return node if shift == 0 else _extreme(book, side, node, shift - 6)
        node = book.nodes[node].parent
        shift += 6
    return NONE


cdef void book_add(Book* book, Arena* arena, int32_t slot, int side, int64_t price_ticks) noexcept nogil:
    """Puts an order at the end of its level's queue. book_reserve was called before."""
    cdef Order* order = &arena.orders[slot]
    cdef int32_t leaf = _leaf(book, side, price_ticks)
    cdef int bit = <int>(price_ticks & 63)
    cdef Half* half = &book.side[side]
    cdef int32_t index
    cdef Level* level
    if (book.nodes[leaf].bits >> bit) & 1:
        index = book.nodes[leaf].child[bit]
        level = &book.levels[index]
    else:
        index = book.levels_free
        if index != NONE:
            book.levels_free = book.levels[index].leaf
        else:
            index = book.levels_used
            book.levels_used += 1
        level = &book.levels[index]
        level.price_ticks = price_ticks
        level.total_lots = 0
        level.head = NONE
        level.tail = NONE
        level.count = 0
        level.leaf = leaf
        book.nodes[leaf].bits |= <uint64_t>1 << bit
        book.nodes[leaf].child[bit] = index
        if half.best == NONE:
            half.best = index
        elif side == BUY:
            if price_ticks > book.levels[half.best].price_ticks:
                half.best = index
        elif price_ticks < book.levels[half.best].price_ticks:
            half.best = index
    order.level = index
    order.prev = level.tail
    order.next = NONE
    if level.tail == NONE:
        level.head = slot
    else:
        arena.orders[level.tail].next = slot
    level.tail = slot
    level.count += 1
    level.total_lots += order.remaining_lots


cdef void book_shrink(Book* book, Arena* arena, int32_t slot, int64_t lots) noexcept nogil:
    """Takes lots off a resting order, which keeps its place; some must remain."""
    arena.orders[slot].remaining_lots -= lots
    book.levels[arena.orders[slot].level].total_lots -= lots


cdef void book_remove(Book* book, Arena* arena, int32_t slot) noexcept nogil:
    """Unlinks an order with whatever remains of it; the slot stays the caller's."""
    cdef Order* order = &arena.orders[slot]
    cdef Level* level = &book.levels[order.level]
    if order.prev == NONE:
        level.head = order.next
    else:
        arena.orders[order.prev].next = order.next
    if order.next == NONE:
        level.tail = order.prev
    else:
        arena.orders[order.next].prev = order.prev
    level.total_lots -= order.remaining_lots
    level.count -= 1
    if level.count == 0:
        _level_gone(book, order.side, order.level)
    order.level = NONE


cdef void _level_gone(Book* book, int side, int32_t index) noexcept nogil:
    cdef Half* half = &book.side[side]
    cdef Level* level = &book.levels[index]
    cdef int64_t price_ticks = level.price_ticks
    cdef int32_t node = level.leaf
    cdef int32_t parent
    cdef int shift = 0
    cdef int entry = <int>((price_ticks >> 6) & (CACHE - 1))
    level.leaf = book.levels_free
    book.levels_free = index
    book.nodes[node].bits &= ~(<uint64_t>1 << (price_ticks & 63))
    if book.nodes[node].bits == 0 and half.leaf_key[entry] == price_ticks >> 6:
        half.leaf_key[entry] = NONE
    while book.nodes[node].bits == 0 and node != half.root:
        parent = book.nodes[node].parent
        book.nodes[node].parent = book.nodes_free
        book.nodes_free = node
        node = parent
        shift += 6
        book.nodes[node].bits &= ~(<uint64_t>1 << ((price_ticks >> shift) & 63))
    if half.best == index:
        if book.nodes[node].bits == 0:
            half.best = NONE
        else:
            # The level was the best one, so all that is left below `node` is worse than it, and
            # what is left elsewhere is worse still: the best bit of this node leads to the new best.
            half.best = _extreme(book, side, node, shift)


cdef int64_t book_check(Book* book, Arena* arena) noexcept nogil:
    """0 when the invariants hold, else the number of the one that does not."""
    cdef int side
    cdef int32_t index, slot, last
    cdef int64_t total, count
    cdef int64_t previous
    cdef Level* level
    for side in range(2):
        index = book.side[side].best
        previous = -1
        if index == NONE and book.nodes[book.side[side].root].bits != 0:
            return 1
        while index != NONE:
            level = &book.levels[index]
            if previous >= 0 and (level.price_ticks >= previous if side == BUY else level.price_ticks <= previous):
                return 2
            previous = level.price_ticks
            total = 0
            count = 0
            last = NONE
            slot = level.head
            while slot != NONE:
                if (not arena.orders[slot].live or arena.orders[slot].prev != last
                        or arena.orders[slot].level != index or arena.orders[slot].side != side):
                    return 3
                if (arena.orders[slot].remaining_lots <= 0
                        or arena.orders[slot].remaining_lots > arena.orders[slot].size_lots):
                    return 4
                total += arena.orders[slot].remaining_lots
                count += 1
                last = slot
                slot = arena.orders[slot].next
            if last != level.tail or total != level.total_lots or count != level.count or count == 0:
                return 5
            index = book_worse(book, side, index)
    if book.side[0].best != NONE and book.side[1].best != NONE:
        if book.levels[book.side[0].best].price_ticks >= book.levels[book.side[1].best].price_ticks:
            return 6
    return 0
