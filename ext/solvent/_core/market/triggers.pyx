"""Dormant orders and their triggers; the contract is in triggers.pxd."""

from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.stdlib cimport free, qsort
from solvent._core.market.order_pool cimport DORMANT, DUE, UNARMED, OrderPool, ExtendedTerms
from solvent._core.market.book cimport Book, book_add, book_check, book_close, book_open, book_remove, book_rooms
from solvent._core.base.money cimport RATE, clamp, max64, mul_div_ceil, mul_div_floor
from solvent._core.base.pool cimport room, zeroed
from solvent._core.base.schema cimport BY_BID, NO_TRIGGER, PEG_TRIGGER, SOURCES, TRAIL_RATE


cdef void triggers_close(Triggers* triggers) noexcept nogil:
    cdef int source
    for source in range(SOURCES):
        if triggers.books[source] != NULL:
            book_close(triggers.books[source])
            free(triggers.books[source])
    free(triggers.trailing)
    free(triggers.pegged)


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


cdef int64_t first_trigger(ExtendedTerms* terms, int side, int64_t reference_ticks, int64_t max_price_ticks) noexcept nogil:
    """Returns the trigger of a new order, of one that waits for its activation the one that it will have there."""
    cdef int64_t extreme = terms.activation_ticks if terms.activation_ticks != 0 else reference_ticks
    return trigger_at(terms, trigger_direction(side, terms.kind), extreme, max_price_ticks)


cdef void _trail(Triggers* triggers, OrderPool* pool, int32_t slot, int64_t extreme_ticks) noexcept nogil:
    cdef ExtendedTerms* terms = &pool.terms[slot]
    terms.extreme_ticks = extreme_ticks
    terms.trigger_ticks = trigger_at(terms, _direction(pool, slot), extreme_ticks, triggers.max_price_ticks)
    if terms.peg == PEG_TRIGGER:
        terms.limit_ticks = clamp(terms.trigger_ticks + terms.offset_ticks, 1, triggers.max_price_ticks)


cdef inline void _expect(Triggers* triggers, OrderPool* pool, int32_t slot) noexcept nogil:
    """Keeps the last price that would not move this trailing order, if it is the nearest one."""
    cdef ExtendedTerms* terms = &pool.terms[slot]
    cdef int direction = _direction(pool, slot)
    cdef int64_t still = max64(0, terms.step_ticks - 1)
    cdef int64_t* nearest
    if terms.extreme_ticks == 0:
        direction = 0 if terms.rises else 1
        still = terms.activation_ticks - 1 if direction == 0 else terms.activation_ticks + 1
    else:
        still = terms.extreme_ticks + still if direction == 0 else terms.extreme_ticks - still
    nearest = &triggers.nearest[terms.source][direction]
    if still > 0 and (nearest[0] == 0 or (still < nearest[0] if direction == 0 else still > nearest[0])):
        nearest[0] = still


cdef void triggers_add(Triggers* triggers, OrderPool* pool, int32_t slot, int64_t reference_ticks) noexcept nogil:
    """Adds a dormant order, after triggers_reserve. A trailing one starts from the reference price, or waits for its
    activation, on whichever side that lies."""
    cdef ExtendedTerms* terms = &pool.terms[slot]
    if terms.trail != 0:
        terms.rises = terms.activation_ticks > reference_ticks
        terms.extreme_ticks = 0
        if terms.activation_ticks == 0 or terms.activation_ticks == reference_ticks:
            _trail(triggers, pool, slot, reference_ticks)
        _expect(triggers, pool, slot)
        terms.trailing = triggers.trailing_count
        triggers.trailing[triggers.trailing_count] = slot
        triggers.trailing_count += 1
    pool.orders[slot].state |= DORMANT
    if terms.trail == 0 or terms.extreme_ticks != 0:
        book_add(triggers.books[terms.source], pool, slot, _direction(pool, slot), terms.trigger_ticks)
    triggers.count += 1
    triggers.watches += terms.source >= BY_BID


cdef bint triggers_put_back(Triggers* triggers, OrderPool* pool, int32_t slot) noexcept nogil:
    """Lets a due order sleep on, with its trigger as it is; one without a trigger waits for its entry. Returns False when
    memory is gone."""
    cdef ExtendedTerms* terms = &pool.terms[slot]
    if terms.kind == NO_TRIGGER:
        pool.orders[slot].state &= ~DUE
        triggers_unarm(triggers, pool, slot)
        return True
    if not triggers_reserve(triggers, terms.source, terms.trail != 0):
        return False
    if terms.trail != 0:
        _expect(triggers, pool, slot)
        terms.trailing = triggers.trailing_count
        triggers.trailing[triggers.trailing_count] = slot
        triggers.trailing_count += 1
    pool.orders[slot].state = pool.orders[slot].state & ~DUE | DORMANT
    book_add(triggers.books[terms.source], pool, slot, _direction(pool, slot), terms.trigger_ticks)
    triggers.count += 1
    triggers.watches += terms.source >= BY_BID
    return True


cdef void triggers_unarm(Triggers* triggers, OrderPool* pool, int32_t slot) noexcept nogil:
    """Adds a child that waits for its entry: it is counted, and in no book."""
    pool.orders[slot].state |= DORMANT | UNARMED
    triggers.count += 1


cdef bint triggers_wake(Triggers* triggers, OrderPool* pool, int32_t slot) noexcept nogil:
    """Lets a child's trigger watch its price. Returns False, all unchanged, when memory is gone."""
    cdef ExtendedTerms* terms = &pool.terms[slot]
    if not triggers_reserve(triggers, terms.source, False):
        return False
    pool.orders[slot].state &= ~UNARMED
    book_add(triggers.books[terms.source], pool, slot, _direction(pool, slot), terms.trigger_ticks)
    triggers.watches += terms.source >= BY_BID
    return True


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
    if pool.orders[slot].level >= 0:
        book_remove(triggers.books[terms.source], pool, slot, _direction(pool, slot))
    triggers.count -= 1
    triggers.watches -= terms.source >= BY_BID and not pool.orders[slot].state & UNARMED
    pool.orders[slot].state &= ~(DORMANT | UNARMED)


cdef void triggers_move(Triggers* triggers, OrderPool* pool, int32_t slot, int64_t trigger_ticks) noexcept nogil:
    """Gives a dormant order with a fixed trigger another one, after triggers_reserve."""
    cdef ExtendedTerms* terms = &pool.terms[slot]
    if pool.orders[slot].state & UNARMED:
        terms.trigger_ticks = trigger_ticks
        return
    book_remove(triggers.books[terms.source], pool, slot, _direction(pool, slot))
    terms.trigger_ticks = trigger_ticks
    book_add(triggers.books[terms.source], pool, slot, _direction(pool, slot), trigger_ticks)


cdef int triggers_due(Triggers* triggers, OrderPool* pool, Due* due, int32_t slot) noexcept nogil:
    """Moves a dormant order to the queue of due orders; returns 0 when memory is gone."""
    if not room(<void**>&due.order_ids, due.count, &due.capacity, sizeof(uint64_t)):
        return 0
    triggers_remove(triggers, pool, slot)
    pool.orders[slot].state |= DUE
    due.order_ids[due.count] = pool.orders[slot].order_id
    due.count += 1
    return 1


cdef bint pegged_room(Triggers* triggers) noexcept nogil:
    """Makes room for one more pegged order. Returns False at the limit or when memory is gone."""
    return triggers.pegged_count < PEGGED_MAX and room(
        <void**>&triggers.pegged, triggers.pegged_count, &triggers.pegged_capacity, sizeof(uint64_t))


cdef void pegged_remove(Triggers* triggers, uint64_t order_id) noexcept nogil:
    """Forgets a pegged order; the others stay in their order."""
    cdef int32_t i
    cdef int32_t to = 0
    for i in range(triggers.pegged_count):
        triggers.pegged[to] = triggers.pegged[i]
        to += triggers.pegged[i] != order_id
    triggers.pegged_count = to


cdef int _by_id(const void* left, const void* right) noexcept nogil:
    cdef uint64_t a = (<uint64_t*>left)[0]
    cdef uint64_t b = (<uint64_t*>right)[0]
    return -1 if a < b else (1 if a > b else 0)


cdef int64_t _new_extreme(ExtendedTerms* terms, int direction, int64_t price_ticks) noexcept nogil:
    """Returns the extreme of a trailing order after a price: the present one, or one by whole steps better. The price that
    reaches its activation is the first."""
    cdef int64_t step = max64(1, terms.step_ticks)
    cdef int32_t fault = 0          # whole steps between two legal prices fit
    cdef int64_t extreme = terms.extreme_ticks
    if extreme == 0:
        return price_ticks if (price_ticks >= terms.activation_ticks if terms.rises else price_ticks <= terms.activation_ticks) else 0
    if direction == 0:
        return extreme + mul_div_floor(price_ticks - extreme, 1, step, &fault) * step if price_ticks > extreme else extreme
    return extreme - mul_div_floor(extreme - price_ticks, 1, step, &fault) * step if price_ticks < extreme else extreme


cdef void _follow(Triggers* triggers, OrderPool* pool, int source, int64_t price_ticks) noexcept nogil:
    """Moves the trailing orders for which this price is a new extreme, and activates those that it reaches."""
    cdef int32_t i, slot
    cdef int direction
    cdef int64_t extreme
    cdef Book* book = triggers.books[source]
    cdef int64_t* nearest = triggers.nearest[source]
    if (nearest[0] == 0 or price_ticks <= nearest[0]) and price_ticks >= nearest[1]:
        return
    nearest[0] = nearest[1] = 0
    for i in range(triggers.trailing_count):
        slot = triggers.trailing[i]
        if pool.terms[slot].source != source:
            continue
        direction = _direction(pool, slot)
        extreme = _new_extreme(&pool.terms[slot], direction, price_ticks)
        if extreme != pool.terms[slot].extreme_ticks:
            if pool.orders[slot].level >= 0:
                book_remove(book, pool, slot, direction)
            _trail(triggers, pool, slot, extreme)
            book_add(book, pool, slot, direction, pool.terms[slot].trigger_ticks)
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
