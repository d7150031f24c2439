# order_pool: the slots of the live orders of all books, resting or dormant.
#
# Owns: slots, their free stack, the links of each position's own orders. Slots are specified behaviour (semantics §8): taken
# at acceptance, returned at the final event, last in first out, else the high-water mark.
# Never: knows prices or queues; a book links orders through prev and next.
# Invariant: slots in use = live orders.
# Cost: take and give are O(1); making room is amortised O(1) and may move all orders, so no pointer to one is held there. A
# slot is 64 bytes, and 4 for the free stack. Used links of an owner take 16, used terms of an extended order 112; untouched
# pages cost nothing.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    SLOT_BITS = 24
    # rendered: limits
    ORDERS_MAX = 16777216
    REDUCE_ONLY_MAX = 1000
    TRIGGERED_MAX = 1000
    # rendered: end

cdef enum OrderState:           # bits
    LIVE = 1
    DORMANT = 2                 # waits for its trigger
    EXTENDED = 4                # has ExtendedTerms
    DUE = 8                     # its trigger was reached; it waits for its turn in this command
    UNARMED = 16                # a child that waits for its entry: dormant, but no price wakes it
    PARKED = 32                 # pegged to what is not there: in no queue

cdef struct Order:
    uint64_t order_id
    int64_t remaining_lots
    int64_t size_lots           # as accepted or last amended; filled = size - remaining
    uint64_t client_id
    int64_t open_loss_ticks     # loss to mark per lot at acceptance; part of its hold
    uint32_t account
    int32_t prev                # neighbours in the queue
    int32_t next
    int32_t level
    int32_t holder              # index of the position; the parcel's id for the house; -1 in a Book alone
    uint8_t side
    uint8_t flags
    uint8_t tif
    uint8_t state

cdef struct ExtendedTerms:              # terms that few orders have
    int64_t trigger_ticks       # the price at which it fires now
    int64_t trail               # ticks or rate; 0 for a fixed trigger
    int64_t extreme_ticks       # best price since acceptance or activation, for a trailing order; 0: it waits
    int64_t limit_ticks         # its limit once it fires; 0 for a market order without one
    int64_t activation_ticks    # the watched price from which a trailing order follows; 0: it follows since acceptance
    int64_t step_ticks          # it follows in whole steps; 0: every price
    int64_t offset_ticks        # distance of its price from what it is pegged to, signed
    int64_t display_lots        # the peak of an iceberg; 0: none
    int64_t hidden_lots         # of a resting iceberg: behind its peak
    int64_t slippage_ppb
    int64_t expiry_ns           # GTD; 0 none
    int64_t stp_group
    int32_t timer               # place among the expiries, -1 none
    int32_t trailing            # place among its instrument's trailing orders, -1 none
    int32_t bracket             # place of its bracket, counted from 1; 0 none
    uint8_t source
    uint8_t kind
    uint8_t trigger_flags
    uint8_t stp_mode
    uint8_t leg                # the leg of a hedge that it trades for
    uint8_t peg                # what its price keeps its distance from
    uint8_t shape_flags
    uint8_t rises              # it waits for a rise to its activation, not a fall
    uint16_t tag               # of a connection; 0 none

cdef struct Links:
    int32_t prev
    int32_t next

cdef struct OrderPool:
    Order* orders
    ExtendedTerms* terms                # by slot
    Links* own                  # links among the live orders of one position
    Links* reduce               # links among its reduce-only ones
    int32_t* free_stack
    int32_t free_count
    int32_t high_water
    int32_t terms_high_water    # slots below it may have had terms
    int32_t capacity

cdef bint pool_grow(OrderPool* pool) noexcept nogil
cdef void pool_close(OrderPool* pool) noexcept nogil


cdef inline bint pool_room(OrderPool* pool) noexcept nogil:
    """Makes room for one more order. Returns False at the limit or when memory is gone. May move all orders."""
    return pool.free_count > 0 or pool.high_water < pool.capacity or pool_grow(pool)


cdef inline int32_t pool_take(OrderPool* pool) noexcept nogil:
    """Takes a slot, after pool_room."""
    if pool.free_count > 0:
        pool.free_count -= 1
        return pool.free_stack[pool.free_count]
    pool.high_water += 1
    return pool.high_water - 1


cdef inline void pool_give(OrderPool* pool, int32_t slot) noexcept nogil:
    pool.orders[slot].state = 0
    pool.orders[slot].order_id = 0
    pool.free_stack[pool.free_count] = slot
    pool.free_count += 1


cdef inline int32_t pool_find(OrderPool* pool, uint64_t order_id) noexcept nogil:
    """Returns the slot of a live order, or -1. No live order has the id 0, and a slot given back forgets its own."""
    cdef int32_t slot = <int32_t>(order_id & (ORDERS_MAX - 1))
    if order_id != 0 and slot < pool.high_water and pool.orders[slot].order_id == order_id:
        return slot
    return -1
