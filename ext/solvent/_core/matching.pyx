"""The crossing step; the contract is in matching.pxd."""

from libc.stdint cimport int32_t, int64_t, uint32_t
from solvent._core.arena cimport Arena, Order
from solvent._core.book cimport Book, Level, book_remove, book_shrink, book_worse
from solvent._core.money cimport least


cdef int match_next(Book* book, Arena* arena, int side, int64_t limit_ticks, int64_t lots,
                    uint32_t taker, Fill* fill) noexcept nogil:
    """Trades up to `lots` with the oldest order at the best opposite price within the limit.

    The maker keeps its place with what remains, or is unlinked with nothing remaining. `taker` is the
    account whose own orders it must not meet; the house passes an account that owns none.
    """
    cdef Level* level
    cdef Order* maker
    if not crosses(book, side, limit_ticks):
        return NOTHING
    level = &book.levels[book.side[1 - side].best]
    maker = &arena.orders[level.head]
    fill.slot = level.head
    if maker.account == taker:
        return OWN_ORDER
    fill.price_ticks = level.price_ticks
    fill.lots = least(lots, maker.remaining_lots)
    if fill.lots < maker.remaining_lots:
        book_shrink(book, arena, fill.slot, fill.lots)
    else:
        book_remove(book, arena, fill.slot)
        maker.remaining_lots = 0
    return TRADED


cdef int64_t worst_price(Book* book, int side, int64_t limit_ticks, int64_t lots) noexcept nogil:
    """The price of the last level that an order of this size needs, or its limit when they do not suffice."""
    cdef int32_t level = book.side[1 - side].best
    while level >= 0:
        if book.levels[level].price_ticks > limit_ticks if side == 0 else book.levels[level].price_ticks < limit_ticks:
            return limit_ticks
        lots -= book.levels[level].total_lots
        if lots <= 0:
            return book.levels[level].price_ticks
        level = book_worse(book, 1 - side, level)
    return limit_ticks
