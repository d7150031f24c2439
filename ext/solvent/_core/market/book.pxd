# book: the orders of one instrument by price and then by time, either resting, or dormant by trigger price.
#
# Owns: price levels, their queues, the best prices. A side is a 64-ary bitmap trie over the tick. A node has one bit and one
# child per six bits of price; the children of a leaf are levels. The highest legal tick sets its depth. So there is no
# window to re-centre, and no cost depends on the other orders in the book. A side's keys are prices (asks), or prices with all
# bits turned (bids). So the best key is the lowest on either side, and no step depends on the side. The hot half is inline,
# because a call across modules costs as much as a message.
# Never: knows accounts or money; never releases an order's slot.
# Invariants: no empty level, no empty node but the roots; a level's total is the sum of what its orders show. Best bid <
# best ask between commands, but for orders that trade whole or not at all.
# Cost: O(1) at an existing level through a small leaf cache; a new or vanishing level touches at most `depth` nodes (3 to 10).
# A node is 268 bytes, a level 32. Making room is amortised O(1) and may move both.

from libc.stdint cimport int32_t, int64_t, uint64_t
from solvent._core.base.schema cimport HIDDEN, SHAPED_ORDER
from solvent._core.market.order_pool cimport OrderPool, Order

cdef enum:
    CACHE = 64            # leaves remembered per side
    NONE = -1
    # rendered: limits
    BOOK_ITEMS_MAX = 16777216
    # rendered: end

cdef extern from *:
    int lowest_bit "__builtin_ctzll"(unsigned long long) noexcept nogil

cdef struct Level:
    int64_t price_ticks
    int64_t total_lots
    int32_t head
    int32_t tail
    int32_t count
    int32_t leaf           # the node that holds this level; the next free level once it is gone

cdef struct Leaf:
    int64_t key            # level key >> 6, or NONE
    int32_t node

cdef struct Half:
    int64_t turn           # a level's key is its price ^ turn
    int32_t root
    int32_t best           # level, or NONE
    Leaf cache[64]

cdef struct Book:
    Half side[2]
    uint64_t* bits         # by node: one bit for each child
    int32_t* parent        # by node; the next free node once it is gone
    int32_t* child         # by node, 64 each
    int32_t nodes_used
    int32_t nodes_capacity
    int32_t nodes_free
    int32_t nodes_spare    # nodes in the free list
    Level* levels
    int32_t levels_used
    int32_t levels_capacity
    int32_t levels_free
    int32_t levels_spare   # levels in the free list
    int32_t depth          # nodes from root to leaf
    int32_t careful        # orders that do not show all of their lots; a taker then goes with care (peaks)
    int32_t wholes         # of them those that trade whole or not at all
    Book* dark             # hidden orders; opened when first used

cdef int book_open(Book* book, int64_t max_price_ticks) noexcept nogil
cdef void book_close(Book* book) noexcept nogil
cdef bint book_grow(Book* book, int32_t orders) noexcept nogil
cdef int32_t book_worse(Book* book, int side, int32_t level) noexcept nogil
cdef int64_t book_check(Book* book, OrderPool* pool) noexcept nogil


cdef inline bint book_rooms(Book* book, int32_t orders) noexcept nogil:
    """Makes room for `orders` more levels and their paths. Returns False at the limit or when memory is gone. May move
    them."""
    return (book.nodes_used - book.nodes_spare + book.depth * orders < book.nodes_capacity
            and book.levels_used - book.levels_spare + orders < book.levels_capacity) or book_grow(book, orders)


cdef inline bint book_room(Book* book) noexcept nogil:
    return book_rooms(book, 1)


cdef inline int64_t book_price(Book* book, OrderPool* pool, int32_t slot) noexcept nogil:
    if pool.orders[slot].flags & SHAPED_ORDER and pool.terms[slot].shape_flags & HIDDEN:
        return book.dark.levels[pool.orders[slot].level].price_ticks
    return book.levels[pool.orders[slot].level].price_ticks


cdef inline int32_t book_node(Book* book, int32_t parent) noexcept nogil:
    cdef int32_t node = book.nodes_free
    if node != NONE:
        book.nodes_free = book.parent[node]
        book.nodes_spare -= 1
    else:
        node = book.nodes_used
        book.nodes_used += 1
    book.bits[node] = 0
    book.parent[node] = parent
    return node


cdef inline int32_t book_leaf(Book* book, Half* half, int64_t key) noexcept nogil:
    """Returns the leaf of a level key, and creates its path if necessary."""
    cdef Leaf* entry = &half.cache[(key >> 6) & (CACHE - 1)]
    cdef int32_t node, child
    cdef int shift, bit
    if entry.key == key >> 6:
        return entry.node
    node = half.root
    shift = 6 * (book.depth - 1)
    while shift > 0:
        bit = <int>((key >> shift) & 63)
        if (book.bits[node] >> bit) & 1:
            node = book.child[node * <int64_t>64 + bit]
        else:
            child = book_node(book, node)
            book.child[node * <int64_t>64 + bit] = child
            book.bits[node] |= <uint64_t>1 << bit
            node = child
        shift -= 6
    entry.key = key >> 6
    entry.node = node
    return node


cdef inline int32_t book_peek(Book* book, Half* half, int64_t key) noexcept nogil:
    """Returns the leaf of a level key, or NONE; creates nothing."""
    cdef Leaf* entry = &half.cache[(key >> 6) & (CACHE - 1)]
    cdef int32_t node = half.root
    cdef int shift = 6 * (book.depth - 1)
    if entry.key == key >> 6:
        return entry.node
    while shift > 0:
        if not (book.bits[node] >> ((key >> shift) & 63)) & 1:
            return NONE
        node = book.child[node * <int64_t>64 + ((key >> shift) & 63)]
        shift -= 6
    return node


cdef inline int32_t book_first(Book* book, int32_t node, int shift) noexcept nogil:
    """Returns the best level below a node that is not empty."""
    while shift > 0:
        node = book.child[node * <int64_t>64 + lowest_bit(book.bits[node])]
        shift -= 6
    return book.child[node * <int64_t>64 + lowest_bit(book.bits[node])]


cdef inline void book_add(Book* book, OrderPool* pool, int32_t slot, int side, int64_t price_ticks) noexcept nogil:
    """Puts an order at the end of its level's queue, after book_room."""
    cdef Order* order = &pool.orders[slot]
    cdef Half* half = &book.side[side]
    cdef int64_t key = price_ticks ^ half.turn
    cdef int32_t leaf = book_leaf(book, half, key)
    cdef int bit = <int>(key & 63)
    cdef int32_t index
    cdef Level* level
    if (book.bits[leaf] >> bit) & 1:
        index = book.child[leaf * <int64_t>64 + bit]
        level = &book.levels[index]
        order.prev = level.tail
        pool.orders[level.tail].next = slot
        level.count += 1
        level.total_lots += order.remaining_lots
    else:
        index = book.levels_free
        if index != NONE:
            book.levels_free = book.levels[index].leaf
            book.levels_spare -= 1
        else:
            index = book.levels_used
            book.levels_used += 1
        level = &book.levels[index]
        level.price_ticks = price_ticks
        level.total_lots = order.remaining_lots
        level.head = slot
        level.count = 1
        level.leaf = leaf
        book.bits[leaf] |= <uint64_t>1 << bit
        book.child[leaf * <int64_t>64 + bit] = index
        if half.best == NONE or key < book.levels[half.best].price_ticks ^ half.turn:
            half.best = index
        order.prev = NONE
    order.level = index
    order.next = NONE
    level.tail = slot


cdef inline void book_shrink(Book* book, OrderPool* pool, int32_t slot, int64_t lots) noexcept nogil:
    """Takes lots off an order, which keeps its place and at least one lot."""
    pool.orders[slot].remaining_lots -= lots
    book.levels[pool.orders[slot].level].total_lots -= lots


cdef inline void book_level_gone(Book* book, Half* half, int32_t index) noexcept nogil:
    cdef Level* level = &book.levels[index]
    cdef int64_t key = level.price_ticks ^ half.turn
    cdef int32_t node = level.leaf
    cdef int32_t parent
    cdef int shift = 0
    cdef Leaf* entry
    book.levels_spare += 1
    level.leaf = book.levels_free
    book.levels_free = index
    book.bits[node] &= ~(<uint64_t>1 << (key & 63))
    if book.bits[node] == 0 and node != half.root:
        entry = &half.cache[(key >> 6) & (CACHE - 1)]
        if entry.key == key >> 6:
            entry.key = NONE
        while book.bits[node] == 0 and node != half.root:
            parent = book.parent[node]
            book.parent[node] = book.nodes_free
            book.nodes_free = node
            book.nodes_spare += 1
            node = parent
            shift += 6
            book.bits[node] &= ~(<uint64_t>1 << ((key >> shift) & 63))
    if half.best == index:
        # The level was the best one. The levels below `node` are the best remaining ones, so the lowest bit
        # of this node leads to the new best.
        half.best = NONE if book.bits[node] == 0 else book_first(book, node, shift)


cdef inline void book_remove(Book* book, OrderPool* pool, int32_t slot, int side) noexcept nogil:
    """Unlinks an order with its remaining lots; the caller keeps the slot."""
    cdef Order* order = &pool.orders[slot]
    cdef Level* level = &book.levels[order.level]
    level.count -= 1
    if level.count == 0:
        book_level_gone(book, &book.side[side], order.level)
    else:
        level.total_lots -= order.remaining_lots
        if order.prev == NONE:
            level.head = order.next
        else:
            pool.orders[order.prev].next = order.next
        if order.next == NONE:
            level.tail = order.prev
        else:
            pool.orders[order.next].prev = order.prev
    order.level = NONE
