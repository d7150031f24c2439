"""Dormant orders and their triggers; the contract is in triggers.pxd."""

from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.stdlib cimport free, qsort
from solvent._core.market.order_pool cimport DORMANT, DUE, OrderPool, ExtendedTerms
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


cdef inline int _direction(OrderPool* pool, int32_t slot) noexcept nogil:
    return trigger_direction(pool.orders[slot].side, pool.terms[slot].kind)


cdef int64_t trigger_at(ExtendedTerms* terms, int direction, int64_t extreme_ticks, int64_t max_price_ticks) noexcept nogil:
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


cdef void _trail(Triggers* triggers, OrderPool* pool, int32_t slot, int64_t extreme_ticks) noexcept nogil:
    cdef ExtendedTerms* terms = &pool.terms[slot]
    terms.extreme_ticks = extreme_ticks
    terms.trigger_ticks = trigger_at(terms, _direction(pool, slot), extreme_ticks, triggers.max_price_ticks)


cdef inline void _expect(Triggers* triggers, OrderPool* pool, int32_t slot) noexcept nogil:
    """Keeps the price that would be a new extreme for this trailing order, if it is the nearest one."""
    cdef int64_t extreme = pool.terms[slot].extreme_ticks
    cdef int direction = _direction(pool, slot)
    cdef int64_t* nearest = &triggers.nearest[pool.terms[slot].source][direction]
    if nearest[0] == 0 or (extreme < nearest[0] if direction == 0 else extreme > nearest[0]):
        nearest[0] = extreme


cdef void triggers_add(Triggers* triggers, OrderPool* pool, int32_t slot, int64_t reference_ticks) noexcept nogil:
    """Adds a dormant order, after triggers_reserve; a trailing one starts from the reference price."""
    cdef ExtendedTerms* terms = &pool.terms[slot]
    if terms.trail != 0:
        _trail(triggers, pool, slot, reference_ticks)
        _expect(triggers, pool, slot)
        terms.trailing = triggers.trailing_count
        triggers.trailing[triggers.trailing_count] = slot
        triggers.trailing_count += 1
    pool.orders[slot].state |= DORMANT
    book_add(triggers.books[terms.source], pool, slot, _direction(pool, slot), terms.trigger_ticks)
    triggers.count += 1


cdef void triggers_remove(Triggers* triggers, OrderPool* pool, int32_t slot) noexcept nogil:
    """Removes a dormant order, which then is neither dormant nor due."""
    cdef ExtendedTerms* terms = &pool.terms[slot]
    cdef int32_t last
    if terms.trailing >= 0:
        triggers.trailing_count -= 1
        last = triggers.trailing[triggers.trailing_count]
        triggers.trailing[terms.trailing] = last
        pool.terms[last].trailing = terms.trailing
        terms.trailing = -1
    book_remove(triggers.books[terms.source], pool, slot, _direction(pool, slot))
    pool.orders[slot].state &= ~DORMANT
    triggers.count -= 1


cdef int triggers_due(Triggers* triggers, OrderPool* pool, Due* due, int32_t slot) noexcept nogil:
    """Moves a dormant order to the queue of due orders; returns 0 when memory is gone."""
    if not room(<void**>&due.order_ids, due.count, &due.capacity, sizeof(uint64_t)):
        return 0
    triggers_remove(triggers, pool, slot)
    pool.orders[slot].state |= DUE
    due.order_ids[due.count] = pool.orders[slot].order_id
    due.count += 1
    return 1


cdef int _by_id(const void* left, const void* right) noexcept nogil:
    cdef uint64_t a = (<uint64_t*>left)[0]
    cdef uint64_t b = (<uint64_t*>right)[0]
    return -1 if a < b else (1 if a > b else 0)


cdef void _follow(Triggers* triggers, OrderPool* pool, int source, int64_t price_ticks) noexcept nogil:
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
        direction = _direction(pool, slot)
        if pool.terms[slot].source == source and (
                price_ticks > pool.terms[slot].extreme_ticks if direction == 0 else price_ticks < pool.terms[slot].extreme_ticks):
            book_remove(book, pool, slot, direction)
            _trail(triggers, pool, slot, price_ticks)
            book_add(book, pool, slot, direction, pool.terms[slot].trigger_ticks)
        if pool.terms[slot].source == source:
            _expect(triggers, pool, slot)


cdef int _drain_level(Triggers* triggers, OrderPool* pool, Due* due, Book* book, int direction) noexcept nogil:
    """Makes all orders of the nearest trigger price due, by order id, even where trailing orders are queued out of that
    order."""
    cdef int32_t begin = due.count
    cdef int32_t left = book.levels[book.side[direction].best].count
    while left > 0:
        if not triggers_due(triggers, pool, due, book.levels[book.side[direction].best].head):
            return 0
        left -= 1
    qsort(due.order_ids + begin, due.count - begin, sizeof(uint64_t), &_by_id)
    return 1


cdef int triggers_observe(Triggers* triggers, OrderPool* pool, Due* due, int source, int64_t price_ticks, bint halted) noexcept nogil:
    """Shows a price to the dormant orders. Trailing triggers follow it, and reached orders become due unless the instrument is
    halted. Returns 0 when memory is gone."""
    cdef Book* book = triggers.books[source]
    cdef int direction
    if book == NULL:
        return 1
    if triggers.trailing_count > 0:
        _follow(triggers, pool, source, price_ticks)
    if halted:
        return 1
    for direction in range(2):
        while book.side[direction].best >= 0 and trigger_reached(
                direction, book.levels[book.side[direction].best].price_ticks, price_ticks):
            if not _drain_level(triggers, pool, due, book, direction):
                return 0
    return 1


cdef int64_t triggers_check(Triggers* triggers, OrderPool* pool) noexcept nogil:
    """Returns 0 when the dormant books are in order, else the number of the broken invariant."""
    cdef int source
    cdef int64_t failed
    for source in range(SOURCES):
        if triggers.books[source] != NULL:
            failed = book_check(triggers.books[source], pool)
            if failed:
                return failed
    return 0
