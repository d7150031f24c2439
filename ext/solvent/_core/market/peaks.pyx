"""Lots that a book shows, and lots that nobody sees; the contract is in peaks.pxd, in the readable twin twin/market/book.py."""

from libc.stdint cimport int32_t, int64_t, uint32_t
from libc.stdlib cimport free
from solvent._core.base.money cimport max64, min64
from solvent._core.base.pool cimport zeroed
from solvent._core.base.schema cimport ALL_OR_NONE, ALLOW, HIDDEN, NO_PEG, PEG_TRIGGER, SHAPED_ORDER
from solvent._core.market.book cimport Book, Level, book_add, book_close, book_open, book_remove, book_room, book_shrink, book_worse
from solvent._core.market.matching cimport MET, NOTHING, OWN_ORDER, Match, same_owner, take_lots
from solvent._core.market.order_pool cimport ExtendedTerms, Order, OrderPool


cdef bint peaks_room(Book* book, int64_t max_price_ticks, const ExtendedTerms* terms) noexcept nogil:
    """Makes room for an order of these terms. Returns False at a limit or when memory is gone."""
    if terms == NULL or terms.shape_flags & (HIDDEN | ALL_OR_NONE) == 0:
        return book_room(book)
    if terms.shape_flags & ALL_OR_NONE:
        return book.wholes < ALL_OR_NONE_MAX and book_room(book)
    if book.dark == NULL:
        book.dark = <Book*>zeroed(1, sizeof(Book))
        if book.dark == NULL or not book_open(book.dark, max_price_ticks):
            if book.dark != NULL:
                book_close(book.dark)
            free(book.dark)
            book.dark = NULL
            return False
    return book_room(book.dark)


cdef bint gathers(const ExtendedTerms* terms) noexcept nogil:
    """True for an order that may stand in a call: neither hidden nor one that trades whole."""
    return terms == NULL or terms.shape_flags & (HIDDEN | ALL_OR_NONE) == 0


cdef bint follows(const ExtendedTerms* terms) noexcept nogil:
    """True for terms that keep the price at a distance from one that moves."""
    return terms != NULL and NO_PEG < terms.peg < PEG_TRIGGER


cdef bint is_pegged(OrderPool* pool, int32_t slot) noexcept nogil:
    return pool.orders[slot].flags & SHAPED_ORDER != 0 and follows(&pool.terms[slot])


cdef bint is_whole(OrderPool* pool, int32_t slot) noexcept nogil:
    """True for an order that trades whole or not at all."""
    return pool.orders[slot].flags & SHAPED_ORDER != 0 and pool.terms[slot].shape_flags & ALL_OR_NONE != 0


cdef int64_t hidden_lots(OrderPool* pool, int32_t slot) noexcept nogil:
    """Returns the lots of a resting order that nobody sees."""
    if not pool.orders[slot].flags & SHAPED_ORDER:
        return 0
    if pool.terms[slot].shape_flags & (HIDDEN | ALL_OR_NONE):
        return pool.orders[slot].remaining_lots
    return pool.terms[slot].hidden_lots


cdef int64_t offered_lots(OrderPool* pool, int32_t slot, int64_t lots) noexcept nogil:
    """Returns how many of `lots` an order would trade now: 0 passes it over."""
    cdef int64_t left = pool.orders[slot].remaining_lots
    if is_whole(pool, slot):
        return left if left <= lots else 0
    if pool.orders[slot].flags & SHAPED_ORDER:
        left -= pool.terms[slot].hidden_lots
    return min64(left, lots)


cdef void peaks_add(Book* book, OrderPool* pool, int32_t slot, int side, int64_t price_ticks) noexcept nogil:
    """Puts a shaped order at the end of its queue, an iceberg with a full peak, after peaks_room."""
    cdef Order* order = &pool.orders[slot]
    cdef ExtendedTerms* terms = &pool.terms[slot]
    if terms.shape_flags & HIDDEN:
        book_add(book.dark, pool, slot, side, price_ticks)
        book.careful += 1
        return
    book_add(book, pool, slot, side, price_ticks)
    if terms.display_lots != 0:
        terms.hidden_lots = max64(0, order.remaining_lots - terms.display_lots)
    if terms.display_lots != 0 or terms.shape_flags & ALL_OR_NONE:
        book.levels[order.level].total_lots -= hidden_lots(pool, slot)
        book.careful += 1
        book.wholes += terms.shape_flags & ALL_OR_NONE != 0


cdef void peaks_remove(Book* book, OrderPool* pool, int32_t slot, int side) noexcept nogil:
    """Unlinks a shaped order with its remaining lots."""
    cdef ExtendedTerms* terms = &pool.terms[slot]
    if terms.shape_flags & HIDDEN:
        book_remove(book.dark, pool, slot, side)
        book.careful -= 1
        return
    if terms.display_lots != 0 or terms.shape_flags & ALL_OR_NONE:
        book.levels[pool.orders[slot].level].total_lots += hidden_lots(pool, slot)
        book.careful -= 1
        book.wholes -= terms.shape_flags & ALL_OR_NONE != 0
        terms.hidden_lots = 0
    book_remove(book, pool, slot, side)


cdef void peaks_shrink(Book* book, OrderPool* pool, int32_t slot, int64_t lots) noexcept nogil:
    """Takes lots off a shaped order, which keeps its place and at least one lot: first those that nobody sees."""
    cdef ExtendedTerms* terms = &pool.terms[slot]
    cdef int64_t unseen = min64(lots, terms.hidden_lots)
    if terms.shape_flags & HIDDEN:
        book_shrink(book.dark, pool, slot, lots)
        return
    if terms.shape_flags & ALL_OR_NONE:
        unseen = lots
    else:
        terms.hidden_lots -= unseen
    pool.orders[slot].remaining_lots -= unseen
    book_shrink(book, pool, slot, lots - unseen)


cdef void peaks_take(Book* book, OrderPool* pool, int side, Match* fill) noexcept nogil:
    """Trades with an order that was met: it keeps its place with its remaining lots, or is unlinked when none remain."""
    cdef Order* maker = &pool.orders[fill.slot]
    if not maker.flags & SHAPED_ORDER:
        take_lots(book, pool, side, fill)
    elif fill.lots == maker.remaining_lots:
        peaks_remove(book, pool, fill.slot, 1 - side)
        maker.remaining_lots = 0
    else:
        book_shrink(book.dark if pool.terms[fill.slot].shape_flags & HIDDEN else book, pool, fill.slot, fill.lots)


cdef bint peak_used_up(OrderPool* pool, int32_t slot) noexcept nogil:
    """True of an iceberg that shows nothing any more."""
    cdef Order* order = &pool.orders[slot]
    return (order.flags & SHAPED_ORDER != 0 and pool.terms[slot].display_lots != 0 and order.remaining_lots > 0
            and order.remaining_lots == pool.terms[slot].hidden_lots)


cdef bint peaks_refill(Book* book, OrderPool* pool, int32_t slot, int side, int64_t price_ticks) noexcept nogil:
    """Fills up a peak that is used up, and sends its order to the end of its queue. Returns False if it is not."""
    if not peak_used_up(pool, slot):
        return False
    peaks_remove(book, pool, slot, side)
    peaks_add(book, pool, slot, side, price_ticks)
    return True


cdef int32_t shown_best(Book* book, int side) noexcept nogil:
    """Returns the best level that shows lots, or NONE."""
    cdef int32_t level = book.side[side].best
    while level >= 0 and book.levels[level].total_lots == 0:
        level = book_worse(book, side, level)
    return level


cdef int64_t shown_ticks(Book* book, int side) noexcept nogil:
    """Returns the best price that is shown on a side; 0: none."""
    cdef int32_t level = shown_best(book, side)
    return book.levels[level].price_ticks if level >= 0 else 0


cdef int64_t unpegged_ticks(Book* book, OrderPool* pool, int side) noexcept nogil:
    """Returns the best price at which an order is shown that keeps its distance from nothing; 0: none."""
    cdef int32_t level = shown_best(book, side)
    cdef int32_t slot
    while level >= 0:
        slot = book.levels[level].head
        while slot >= 0:
            if not is_pegged(pool, slot) and not is_whole(pool, slot):
                return book.levels[level].price_ticks
            slot = pool.orders[slot].next
        level = book_worse(book, side, level)
    return 0


cdef int64_t touch_ticks(Book* book, int side, int64_t limit_ticks) noexcept nogil:
    """Returns the best price at which an order of this side and limit would surely trade, hidden orders included; 0: none."""
    cdef int64_t turn = -<int64_t>side
    cdef int64_t best = shown_ticks(book, 1 - side)
    cdef int32_t level = book.dark.side[1 - side].best if book.dark != NULL else -1
    if level >= 0 and (best == 0 or book.dark.levels[level].price_ticks ^ turn < best ^ turn):
        best = book.dark.levels[level].price_ticks
    return best if best != 0 and best ^ turn <= limit_ticks ^ turn else 0


cdef void steps_begin(Book* book, int side, Steps* steps) noexcept nogil:
    steps.side = side
    steps.shown = book.side[side].best
    steps.dark = book.dark.side[side].best if book.dark != NULL else -1


cdef bint steps_next(Book* book, Steps* steps) noexcept nogil:
    """Goes to the next price, or from what is shown there to what is hidden. Returns False at the end."""
    cdef int64_t turn = book.side[steps.side].turn
    if steps.shown < 0 and steps.dark < 0:
        return False
    if steps.dark < 0 or steps.shown >= 0 and (
            book.levels[steps.shown].price_ticks ^ turn <= book.dark.levels[steps.dark].price_ticks ^ turn):
        steps.book, steps.level = book, steps.shown
        steps.shown = book_worse(book, steps.side, steps.shown)
    else:
        steps.book, steps.level = book.dark, steps.dark
        steps.dark = book_worse(book.dark, steps.side, steps.dark)
    return True


cdef int peaks_meet(Book* book, OrderPool* pool, int side, int64_t limit_ticks, int64_t lots, uint32_t taker, int64_t stp_group,
                    int stp_mode, Match* fill) noexcept nogil:
    """Finds the order that trades next within the limit, as meet_next does where all is shown. It passes over orders that
    trade whole and are too large."""
    cdef int64_t turn = -<int64_t>side
    cdef Steps steps
    cdef Level* level
    steps_begin(book, 1 - side, &steps)
    while steps_next(book, &steps):
        level = &steps.book.levels[steps.level]
        if level.price_ticks ^ turn > limit_ticks ^ turn:
            return NOTHING
        fill.slot = level.head
        while fill.slot >= 0:
            fill.lots = offered_lots(pool, fill.slot, lots)
            if fill.lots > 0:
                fill.price_ticks = level.price_ticks
                if same_owner(pool, fill.slot, taker, stp_group) and stp_mode != ALLOW:
                    return OWN_ORDER
                return MET
            fill.slot = pool.orders[fill.slot].next
    return NOTHING
