# book: the resting orders of one instrument, by price and then by time.
#
# Owns: price levels, their queues, the best prices. A side is a 64-ary bitmap trie over the tick: a node
# has one bit and one child per six bits of price, a leaf's children are levels. Its depth comes from the
# instrument's highest legal tick, so there is no window to re-centre and no cost that depends on what
# else rests in the book.
# Never: knows accounts or money; never releases an order's slot.
# Invariants: no empty level, no empty node but the roots; a level's total is the sum of its orders;
# best bid < best ask between commands.
# Cost: at a level that exists O(1) through a small leaf cache; a new or vanishing level at most `depth`
# nodes (3 to 6). A node is 272 bytes, a level 32.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from solvent._core.arena cimport Arena

cdef enum:
    CACHE = 32             # leaves remembered per side
    NONE = -1

cdef struct Level:
    int64_t price_ticks
    int64_t total_lots
    int32_t head
    int32_t tail
    int32_t count
    int32_t leaf           # the node that holds this level; the next free level once it is gone

cdef struct Node:
    uint64_t bits
    int32_t parent         # the next free node once it is gone
    int32_t spare
    int32_t child[64]

cdef struct Half:
    int32_t root
    int32_t best           # level, or NONE
    int64_t leaf_key[32]
    int32_t leaf_node[32]

cdef struct Book:
    Half side[2]
    Node* nodes
    int32_t nodes_used
    int32_t nodes_capacity
    int32_t nodes_free
    Level* levels
    int32_t levels_used
    int32_t levels_capacity
    int32_t levels_free
    int32_t depth          # how many nodes from root to leaf

cdef int book_open(Book* book, int64_t max_price_ticks) noexcept nogil
cdef void book_close(Book* book) noexcept nogil
cdef int book_reserve(Book* book) noexcept nogil
cdef void book_add(Book* book, Arena* arena, int32_t slot, int side, int64_t price_ticks) noexcept nogil
cdef void book_remove(Book* book, Arena* arena, int32_t slot) noexcept nogil
cdef void book_shrink(Book* book, Arena* arena, int32_t slot, int64_t lots) noexcept nogil
cdef int32_t book_worse(Book* book, int side, int32_t level) noexcept nogil
cdef int64_t book_check(Book* book, Arena* arena) noexcept nogil


cdef inline int64_t book_price(Book* book, Arena* arena, int32_t slot) noexcept nogil:
    return book.levels[arena.orders[slot].level].price_ticks
