# arena: the slots in which live orders of all books lie.
#
# Owns: slots, their free stack, the links of each position's own orders. Slots are specified behaviour
# (semantics §8): taken at acceptance, returned at the final event, last in first out, else the high-water mark.
# Never: knows prices or queues; the book links orders through prev and next.
# Invariant: slots in use = live orders; born - freed = live.
# Cost: take and give are O(1). 64 bytes a slot, 8 for the owner's links, 4 for the free stack.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

cdef enum:
    SLOT_BITS = 24
    SLOTS_MAX = 1 << 24
    REDUCE_ONLY_MAX = 1000      # live reduce-only orders of one position: each of its fills may look at all

cdef struct Order:
    uint64_t order_id
    int64_t remaining_lots
    int64_t size_lots           # as accepted or last amended; filled = size - remaining
    uint64_t client_id
    int64_t open_loss_ticks     # loss to mark per lot when it was accepted; part of its hold
    uint32_t account
    int32_t prev                # neighbours in the queue
    int32_t next
    int32_t level
    int32_t holder              # index of the position; the parcel's id for the house; -1 in a Book alone
    uint8_t side
    uint8_t flags
    uint8_t tif
    uint8_t live

cdef struct Links:
    int32_t prev
    int32_t next

cdef struct Arena:
    Order* orders
    Links* own                  # links among the live orders of one position
    int32_t* free_stack
    int32_t free_count
    int32_t high_water
    int32_t capacity

cdef int arena_open(Arena* arena, int32_t capacity) noexcept nogil
cdef void arena_close(Arena* arena) noexcept nogil
cdef int arena_reserve(Arena* arena) noexcept nogil
cdef int32_t arena_take(Arena* arena) noexcept nogil
cdef void arena_give(Arena* arena, int32_t slot) noexcept nogil
cdef int32_t arena_next(Arena* arena) noexcept nogil
cdef int32_t arena_find(Arena* arena, uint64_t order_id) noexcept nogil
