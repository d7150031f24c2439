# matching: the choice of the resting order that trades next. Header only.
#
# Owns: nothing; it reads the book and takes the traded lots off the maker.
# Never: knows money. Between the two calls the caller tests that both sides bear the fill. It books each fill before the next
# match, because a fill may change the rights of the makers behind it (reduce-only, semantics §8).
# Cost: O(1) a fill.

from libc.stdint cimport int32_t, int64_t, uint32_t
from solvent._core.market.order_pool cimport EXTENDED, OrderPool, Order
from solvent._core.market.book cimport Book, Level, book_remove, book_shrink
from solvent._core.base.schema cimport ALLOW

cdef enum Meeting:
    NOTHING = 0       # no resting order crosses the limit
    MET = 1
    OWN_ORDER = 2     # the next maker belongs to the taker's owner

cdef struct Match:
    int32_t slot
    int64_t price_ticks
    int64_t lots


cdef inline bint crosses(Book* book, int side, int64_t limit_ticks) noexcept nogil:
    """True if an order of this side and limit would meet the best opposite price. BUY is 0, SELL is 1."""
    cdef int32_t best = book.side[1 - side].best
    cdef int64_t turn = -<int64_t>side      # turns all bits of a sell's prices, and so their order
    return best >= 0 and book.levels[best].price_ticks ^ turn <= limit_ticks ^ turn


cdef inline bint same_owner(OrderPool* pool, int32_t slot, uint32_t account, int64_t stp_group) noexcept nogil:
    """True if a resting order has the taker's account, or its self-trade group if it has one."""
    if pool.orders[slot].account == account:
        return True
    return (stp_group != 0 and pool.orders[slot].state & EXTENDED != 0 and pool.terms[slot].stp_group == stp_group)


cdef inline int meet_next(Book* book, OrderPool* pool, int side, int64_t limit_ticks, int64_t lots,
                          uint32_t taker, int64_t stp_group, int stp_mode, Match* fill) noexcept nogil:
    """Finds the oldest order at the best opposite price within the limit, and how many of `lots` it could trade.

    taker: the account whose own orders it must not meet; the house passes an account without orders.
    """
    cdef Level* level
    if not crosses(book, side, limit_ticks):
        return NOTHING
    level = &book.levels[book.side[1 - side].best]
    fill.slot = level.head
    if same_owner(pool, fill.slot, taker, stp_group) and stp_mode != ALLOW:
        return OWN_ORDER
    fill.price_ticks = level.price_ticks
    fill.lots = lots if lots < pool.orders[fill.slot].remaining_lots else pool.orders[fill.slot].remaining_lots
    return MET


cdef inline void take_lots(Book* book, OrderPool* pool, int side, Match* fill) noexcept nogil:
    """Trades with an order that was met: it keeps its place with its remaining lots, or is unlinked when none remain."""
    cdef Order* maker = &pool.orders[fill.slot]
    if fill.lots < maker.remaining_lots:
        book_shrink(book, pool, fill.slot, fill.lots)
    else:
        book_remove(book, pool, fill.slot, 1 - side)
        maker.remaining_lots = 0
