# matching: which resting order trades next.
#
# Owns: nothing; it reads the book and takes the traded lots off the maker.
# Never: knows money. The caller settles each fill before it asks for the next one, because a fill may
# change what the makers behind it may still do (reduce-only, semantics §8).
# Cost: O(1) a fill.

from libc.stdint cimport int32_t, int64_t, uint32_t
from solvent._core.arena cimport Arena
from solvent._core.book cimport Book

cdef enum Match:
    NOTHING = 0       # no resting order crosses the limit
    TRADED = 1
    OWN_ORDER = 2     # the next maker belongs to the taker itself; nothing was done

cdef struct Fill:
    int32_t slot
    int64_t price_ticks
    int64_t lots

cdef int match_next(Book* book, Arena* arena, int side, int64_t limit_ticks, int64_t lots,
                    uint32_t taker, Fill* fill) noexcept nogil


cdef inline bint crosses(Book* book, int side, int64_t limit_ticks) noexcept nogil:
    """Whether an order of this side and limit would meet the best opposite price. BUY is 0, SELL is 1."""
    cdef int32_t best = book.side[1 - side].best
    if best < 0:
        return False
    if side == 0:
        return book.levels[best].price_ticks <= limit_ticks
    return book.levels[best].price_ticks >= limit_ticks
