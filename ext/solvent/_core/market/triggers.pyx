"""Dormant orders and their triggers; the contract is in triggers.pxd."""

from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.stdlib cimport free, qsort
from solvent._core.market.order_pool cimport DORMANT, DUE, Arena, Terms
from solvent._core.market.book cimport Book, book_add, book_check, book_close, book_open, book_remove, book_rooms
from solvent._core.base.money cimport RATE, clamp, mul_div_ceil, mul_div_floor
from solvent._core.base.pool cimport room, zeroed
from solvent._core.base.schema cimport SOURCES, TRAIL_RATE


cdef void triggers_close(Triggers* triggers) noexcept nogil:
    cdef int source
    for source in range(SOURCES):
        if triggers.books[source] != NULL:
            book_close(triggers.books[source])
            free(triggers.books[source])
    free(triggers.trailing)


cdef int triggers_reserve(Triggers* triggers, int source, bint trails) noexcept nogil:
    """Makes room for one more dormant order; returns 0 at the limit or when memory is gone."""
    cdef Book* book = triggers.books[source]
    if book == NULL:            # opened at first use
        book = <Book*>zeroed(1, sizeof(Book))
        if book == NULL or not book_open(book, triggers.max_price_ticks + 1):
            if book != NULL:
                book_close(book)
            free(book)
            return 0
        triggers.books[source] = book
    # Trailing orders that share a level now may need one path each at the next extreme.
    if not book_rooms(book, triggers.trailing_count + 1):
        return 0
    return not trails or (triggers.trailing_count < TRAILING_MAX
            and room(<void**>&triggers.trailing, triggers.trailing_count, &triggers.trailing_capacity, sizeof(int32_t)))


cdef inline int _direction(Arena* arena, int32_t slot) noexcept nogil:
    return trigger_direction(arena.orders[slot].side, arena.terms[slot].kind)


cdef int64_t trigger_at(Terms* terms, int direction, int64_t extreme_ticks, int64_t max_price_ticks) noexcept nogil:
    """Returns the trigger of an order. A trailing trigger follows its extreme, rounded away from the price: it fires late,
    never early."""
    cdef int64_t trigger
    cdef int32_t fault = 0          # a rate below RATE of a legal price fits
    if terms.trail == 0:
        return terms.trigger_ticks
    if terms.kind != TRAIL_RATE:
        trigger = extreme_ticks - terms.trail if direction == 0 else extreme_ticks + terms.trail
    elif direction == 0:
        trigger = mul_div_floor(extreme_ticks, RATE - terms.trail, RATE, &fault)
    else:
        trigger = mul_div_ceil(extreme_ticks, RATE + terms.trail, RATE, &fault)
    # No price is ever seen beyond the legal ones: such a trigger waits one tick above them, or at 0.
    return clamp(trigger, 0, max_price_ticks + 1)


cdef void _trail(Triggers* triggers, Arena* arena, int32_t slot, int64_t extreme_ticks) noexcept nogil:
    cdef Terms* terms = &arena.terms[slot]
    terms.extreme_ticks = extreme_ticks
    terms.trigger_ticks = trigger_at(terms, _direction(arena, slot), extreme_ticks, triggers.max_price_ticks)


cdef inline void _expect(Triggers* triggers, Arena* arena, int32_t slot) noexcept nogil:
    """Keeps the price that would be a new extreme for this trailing order, if it is the nearest one."""
    cdef int64_t extreme = arena.terms[slot].extreme_ticks
    cdef int direction = _direction(arena, slot)
    cdef int64_t* nearest = &triggers.nearest[arena.terms[slot].source][direction]
    if nearest[0] == 0 or (extreme < nearest[0] if direction == 0 else extreme > nearest[0]):
        nearest[0] = extreme


cdef void triggers_add(Triggers* triggers, Arena* arena, int32_t slot, int64_t reference_ticks) noexcept nogil:
    """Adds a dormant order, after triggers_reserve; a trailing one starts from the reference price."""
    cdef Terms* terms = &arena.terms[slot]
    if terms.trail != 0:
        _trail(triggers, arena, slot, reference_ticks)
        _expect(triggers, arena, slot)
        terms.trailing = triggers.trailing_count
        triggers.trailing[triggers.trailing_count] = slot
        triggers.trailing_count += 1
    arena.orders[slot].state |= DORMANT
    book_add(triggers.books[terms.source], arena, slot, _direction(arena, slot), terms.trigger_ticks)
    triggers.count += 1


cdef void triggers_remove(Triggers* triggers, Arena* arena, int32_t slot) noexcept nogil:
    """Removes a dormant order, which then is neither dormant nor due."""
    cdef Terms* terms = &arena.terms[slot]
    cdef int32_t last
    if terms.trailing >= 0:
        triggers.trailing_count -= 1
        last = triggers.trailing[triggers.trailing_count]
        triggers.trailing[terms.trailing] = last
        arena.terms[last].trailing = terms.trailing
        terms.trailing = -1
    book_remove(triggers.books[terms.source], arena, slot, _direction(arena, slot))
    arena.orders[slot].state &= ~DORMANT
    triggers.count -= 1


cdef int triggers_due(Triggers* triggers, Arena* arena, Due* due, int32_t slot) noexcept nogil:
    """Moves a dormant order to the queue of due orders; returns 0 when memory is gone."""
    if not room(<void**>&due.order_ids, due.count, &due.capacity, sizeof(uint64_t)):
        return 0
    triggers_remove(triggers, arena, slot)
    arena.orders[slot].state |= DUE
    due.order_ids[due.count] = arena.orders[slot].order_id
    due.count += 1
    return 1


cdef int _by_id(const void* left, const void* right) noexcept nogil:
    cdef uint64_t a = (<uint64_t*>left)[0]
    cdef uint64_t b = (<uint64_t*>right)[0]
    return -1 if a < b else (1 if a > b else 0)


cdef void _follow(Triggers* triggers, Arena* arena, int source, int64_t price_ticks) noexcept nogil:
    """Moves the trailing orders for which this price is a new extreme."""
    cdef int32_t i, slot
    cdef int direction
    cdef Book* book = triggers.books[source]
    cdef int64_t* nearest = triggers.nearest[source]
    if (nearest[0] == 0 or price_ticks <= nearest[0]) and price_ticks >= nearest[1]:
        return
    nearest[0] = nearest[1] = 0
    for i in range(triggers.trailing_count):
        slot = triggers.trailing[i]
        direction = _direction(arena, slot)
        if arena.terms[slot].source == source and (
                price_ticks > arena.terms[slot].extreme_ticks if direction == 0 else price_ticks < arena.terms[slot].extreme_ticks):
            book_remove(book, arena, slot, direction)
            _trail(triggers, arena, slot, price_ticks)
            book_add(book, arena, slot, direction, arena.terms[slot].trigger_ticks)
        if arena.terms[slot].source == source:
            _expect(triggers, arena, slot)


cdef int _drain_level(Triggers* triggers, Arena* arena, Due* due, Book* book, int direction) noexcept nogil:
    """Makes all orders of the nearest trigger price due, by order id, even where trailing orders are queued out of that
    order."""
    cdef int32_t begin = due.count
    cdef int32_t left = book.levels[book.side[direction].best].count
    while left > 0:
        if not triggers_due(triggers, arena, due, book.levels[book.side[direction].best].head):
            return 0
        left -= 1
    qsort(due.order_ids + begin, due.count - begin, sizeof(uint64_t), &_by_id)
    return 1


cdef int triggers_observe(Triggers* triggers, Arena* arena, Due* due, int source, int64_t price_ticks, bint halted) noexcept nogil:
    """Shows a price to the dormant orders. Trailing triggers follow it, and reached orders become due unless the instrument is
    halted. Returns 0 when memory is gone."""
    cdef Book* book = triggers.books[source]
    cdef int direction
    if book == NULL:
        return 1
    if triggers.trailing_count > 0:
        _follow(triggers, arena, source, price_ticks)
    if halted:
        return 1
    for direction in range(2):
        while book.side[direction].best >= 0 and trigger_reached(
                direction, book.levels[book.side[direction].best].price_ticks, price_ticks):
            if not _drain_level(triggers, arena, due, book, direction):
                return 0
    return 1


cdef int64_t triggers_check(Triggers* triggers, Arena* arena) noexcept nogil:
    """Returns 0 when the dormant books are in order, else the number of the broken invariant."""
    cdef int source
    cdef int64_t failed
    for source in range(SOURCES):
        if triggers.books[source] != NULL:
            failed = book_check(triggers.books[source], arena)
            if failed:
                return failed
    return 0
