"""The records of brackets; the contract is in brackets.pxd, the readable twin in twin/market/brackets.py."""

from libc.stdint cimport int32_t, int64_t
from libc.string cimport memset
from solvent._core.base.pool cimport room
from solvent._core.base.schema cimport AT_FIRST_FILL, FOLLOWS, REDUCE_ONLY, WHEN_COMPLETE
from solvent._core.market.order_pool cimport Order, OrderPool, pool_find


cdef bint brackets_room(Brackets* brackets) noexcept nogil:
    """Makes room for one more. Returns False, all unchanged, when memory is gone."""
    return brackets.free != 0 or room(<void**>&brackets.items, brackets.used, &brackets.capacity, sizeof(Bracket))


cdef int32_t brackets_take(Brackets* brackets) noexcept nogil:
    """Takes the place of a new bracket, after brackets_room."""
    cdef int32_t place = brackets.free
    if place:
        brackets.free = brackets.items[place - 1].next
    else:
        brackets.used += 1
        place = brackets.used
    memset(&brackets.items[place - 1], 0, sizeof(Bracket))
    brackets.items[place - 1].used = True
    brackets.count += 1
    return place


cdef void brackets_give(Brackets* brackets, int32_t place) noexcept nogil:
    """Forgets a bracket that is not marked."""
    memset(&brackets.items[place - 1], 0, sizeof(Bracket))
    brackets.items[place - 1].next = brackets.free
    brackets.free = place
    brackets.count -= 1


cdef void brackets_mark(Brackets* brackets, int32_t place) noexcept nogil:
    """Has a bracket looked at once the books are at rest."""
    cdef Bracket* each = &brackets.items[place - 1]
    if each.marked:
        return
    each.marked = True
    each.next = 0
    if brackets.first == 0:
        brackets.first = place
    else:
        brackets.items[brackets.last - 1].next = place
    brackets.last = place


cdef int32_t brackets_next(Brackets* brackets) noexcept nogil:
    """Takes the first marked bracket; 0: none."""
    cdef int32_t place = brackets.first
    if place:
        brackets.first = brackets.items[place - 1].next
        brackets.items[place - 1].next = 0
        brackets.items[place - 1].marked = False
    return place


cdef void brackets_mark_all(Brackets* brackets, OrderPool* pool, int32_t first_reduce) noexcept nogil:
    """Marks the brackets of a position's children, the newest first."""
    cdef int32_t slot = first_reduce
    while slot >= 0:
        if bracket_of(pool, slot):
            brackets_mark(brackets, bracket_of(pool, slot))
        slot = pool.reduce[slot].next


cdef void _leave(Brackets* brackets, OrderPool* pool, int32_t slot) noexcept nogil:
    """Notes that an order of a bracket has ended. An entry without lots left was filled whole."""
    cdef int32_t place = bracket_of(pool, slot)
    cdef Bracket* each = &brackets.items[place - 1]
    cdef Order* order = &pool.orders[slot]
    cdef int64_t filled = order.size_lots - order.remaining_lots
    if order.order_id == each.entry_id:
        each.entry_id = 0
        each.filled_lots = filled
        if each.arm == AT_FIRST_FILL and filled:
            each.filled_lots = order.size_lots
        elif each.arm == WHEN_COMPLETE and order.remaining_lots:
            each.filled_lots = 0
    elif order.order_id == each.target_id:
        each.target_id = 0
        each.closed_lots += filled
    else:
        each.stop_id = 0
    pool.terms[slot].bracket = 0
    brackets_mark(brackets, place)


cdef void brackets_part(Brackets* brackets, OrderPool* pool, int32_t slot, int32_t first_reduce) noexcept nogil:
    """Notes the end of an order. One of a bracket leaves it; another reduce-only order of a position makes room for its
    targets."""
    if bracket_of(pool, slot):
        _leave(brackets, pool, slot)
    elif pool.orders[slot].flags & REDUCE_ONLY:
        brackets_mark_all(brackets, pool, first_reduce)


cdef bint child_stands(Brackets* brackets, OrderPool* pool, int32_t slot) noexcept nogil:
    """True for a child that stands for lots of its position."""
    cdef int32_t place = bracket_of(pool, slot)
    return place != 0 and (brackets.items[place - 1].arm == FOLLOWS or stands_for(brackets, pool, place) > 0)


cdef int64_t stands_for(Brackets* brackets, OrderPool* pool, int32_t place) noexcept nogil:
    """Returns the lots of the entry for which the children stand. A pair that follows its position has no such number."""
    cdef Bracket* each = &brackets.items[place - 1]
    cdef int32_t slot = pool_find(pool, each.entry_id)
    cdef Order* entry
    if slot < 0:
        return each.filled_lots
    entry = &pool.orders[slot]
    if each.arm == WHEN_COMPLETE:
        return 0
    if entry.remaining_lots < entry.size_lots and each.arm == AT_FIRST_FILL:
        return entry.size_lots
    return entry.size_lots - entry.remaining_lots
