"""The crossing step; the contract is in matching.pxd."""

from libc.stdint cimport int64_t, uint32_t
from solvent._core.arena cimport Arena, Order
from solvent._core.book cimport Book, Level, book_remove, book_shrink
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
