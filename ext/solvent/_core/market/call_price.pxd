# call_price: the one price at which a crossed book trades (docs/explanation/semantics.md, section 18).
#
# Owns: the rules that choose it: greatest volume, least imbalance, market pressure, reference.
# Never: changes the book.
# Invariant: every legal tick from the lowest ask to the highest bid is a candidate. An iceberg counts with all of its lots.
# Cost: O(levels that cross). It matches levels from the touch outwards; the last two bound the prices of greatest volume.
# It also looks at the orders of these levels where icebergs stand.

from libc.stdint cimport int32_t, int64_t
from solvent._core.market.book cimport Book
from solvent._core.market.order_pool cimport OrderPool
from solvent._core.market.peaks cimport shown_best

cdef struct CallPrice:
    int64_t price_ticks        # 0: the book is not crossed
    int64_t lots               # that trade there
    int64_t surplus_lots       # bids less asks there

cdef void call_price(Book* book, OrderPool* pool, int64_t reference_ticks, int tie, CallPrice* found) noexcept nogil


cdef inline bint is_crossed(Book* book) noexcept nogil:
    """True if the best bid is at or above the best ask, as in a call. BUY is 0, SELL is 1."""
    cdef int32_t bid = book.side[0].best if book.wholes == 0 else shown_best(book, 0)
    cdef int32_t ask = book.side[1].best if book.wholes == 0 else shown_best(book, 1)
    return bid >= 0 and ask >= 0 and book.levels[bid].price_ticks >= book.levels[ask].price_ticks
