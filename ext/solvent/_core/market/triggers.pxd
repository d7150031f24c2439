# triggers: the dormant orders of one instrument, and the queue of those that a price has reached.
#
# Owns: for each watched price (mark, last, index, best bid, best ask) a book of dormant orders by trigger price. Its side 0 fires on a fall, side
# 1 on a rise. Owns the list of trailing orders, and the queue of orders whose trigger was reached.
# Never: executes or checks an order; placement takes due orders off the queue, one at a time.
# Invariants: a dormant order is in exactly one book, a due one in none, and one that waits for its activation only in the list. An order becomes due at most once, so a cascade inside
# a command ends. Due orders are in the order of the prices seen. For one price, orders that fire on a fall come first, then by
# nearest trigger, then by order id.
# Cost: O(1) for a price that reaches nothing; reached orders cost as much as in a book. A new extreme visits every trailing
# order of the instrument (at most TRAILING_MAX).

from libc.stdint cimport int32_t, int64_t, uint64_t
from solvent._core.market.order_pool cimport OrderPool, ExtendedTerms
from solvent._core.market.book cimport Book
from solvent._core.base.schema cimport SELL, TAKE_PROFIT

cdef enum:
    # rendered: limits
    TRAILING_MAX = 10000
    PEGGED_MAX = 1000
    # rendered: end

cdef struct Triggers:
    Book* books[5]             # by source; opened when first used
    int32_t* trailing          # slots, in any order
    int32_t trailing_count
    int32_t trailing_capacity
    int64_t nearest[5][2]      # by source and direction: only a higher (lower) price moves a trailing order; 0: none
    int32_t count              # dormant orders
    uint64_t* pegged           # ids of the orders that keep a distance from a moving price, the oldest first
    int32_t pegged_count
    int32_t pegged_capacity
    int64_t seen[5]            # what their prices follow from, at the last pass that moved none; -1: the last one moved some
    int32_t watches            # the best price of the book: dormant orders by it
    int64_t max_price_ticks

cdef struct Due:
    uint64_t* order_ids
    int32_t first
    int32_t count
    int32_t capacity

cdef void triggers_close(Triggers* triggers) noexcept nogil
cdef int triggers_reserve(Triggers* triggers, int source, bint trails) noexcept nogil
cdef int64_t trigger_at(ExtendedTerms* terms, int direction, int64_t extreme_ticks, int64_t max_price_ticks) noexcept nogil
cdef int64_t first_trigger(ExtendedTerms* terms, int side, int64_t reference_ticks, int64_t max_price_ticks) noexcept nogil
cdef void triggers_add(Triggers* triggers, OrderPool* pool, int32_t slot, int64_t reference_ticks) noexcept nogil
cdef bint triggers_put_back(Triggers* triggers, OrderPool* pool, int32_t slot) noexcept nogil
cdef void triggers_unarm(Triggers* triggers, OrderPool* pool, int32_t slot) noexcept nogil
cdef bint triggers_wake(Triggers* triggers, OrderPool* pool, int32_t slot) noexcept nogil
cdef void triggers_remove(Triggers* triggers, OrderPool* pool, int32_t slot) noexcept nogil
cdef int triggers_observe(Triggers* triggers, OrderPool* pool, Due* due, int source, int64_t price_ticks, bint halted) noexcept nogil
cdef int triggers_due(Triggers* triggers, OrderPool* pool, Due* due, int32_t slot) noexcept nogil
cdef void triggers_move(Triggers* triggers, OrderPool* pool, int32_t slot, int64_t trigger_ticks) noexcept nogil
cdef bint pegged_room(Triggers* triggers) noexcept nogil
cdef void pegged_remove(Triggers* triggers, uint64_t order_id) noexcept nogil
cdef int64_t triggers_check(Triggers* triggers, OrderPool* pool) noexcept nogil


cdef inline int trigger_direction(int side, int kind) noexcept nogil:
    """Returns 0 if the trigger fires on a falling price, 1 on a rising one."""
    return 0 if (side == SELL) != (kind == TAKE_PROFIT) else 1


cdef inline bint trigger_reached(int direction, int64_t trigger_ticks, int64_t price_ticks) noexcept nogil:
    """True if a price (0: none yet) fires the trigger."""
    if price_ticks == 0:
        return False
    return price_ticks <= trigger_ticks if direction == 0 else price_ticks >= trigger_ticks
