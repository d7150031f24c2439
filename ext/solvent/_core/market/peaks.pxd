# peaks: what a book shows of an order: all of it, a peak that is filled up again, or nothing.
#
# Owns: the lots of an order that stand in its level's total. Owns the second book of hidden orders, which a book has from its
# first one on.
# Never: knows accounts or money.
# Invariants: a level's total is what its orders show. A resting iceberg shows at least one lot. An order that trades whole or
# not at all stands in its queue and shows nothing; a hidden one stands behind all that is shown at its price.
# Cost: O(1), plus the whole-or-nothing orders that are passed over. A book without such orders never comes here.

from libc.stdint cimport int32_t, int64_t, uint32_t
from solvent._core.market.book cimport Book
from solvent._core.market.matching cimport Match
from solvent._core.market.order_pool cimport ExtendedTerms, OrderPool

cdef enum:
    # rendered: limits
    ALL_OR_NONE_MAX = 1000
    # rendered: end

cdef struct Steps:             # a walk over prices, best first; what is shown at a price comes before what is hidden there
    int side
    int32_t shown
    int32_t dark
    Book* book                 # that of `level`
    int32_t level

cdef bint peaks_room(Book* book, int64_t max_price_ticks, const ExtendedTerms* terms) noexcept nogil
cdef void peaks_add(Book* book, OrderPool* pool, int32_t slot, int side, int64_t price_ticks) noexcept nogil
cdef void peaks_remove(Book* book, OrderPool* pool, int32_t slot, int side) noexcept nogil
cdef void peaks_shrink(Book* book, OrderPool* pool, int32_t slot, int64_t lots) noexcept nogil
cdef void peaks_take(Book* book, OrderPool* pool, int side, Match* fill) noexcept nogil
cdef bint peaks_refill(Book* book, OrderPool* pool, int32_t slot, int side, int64_t price_ticks) noexcept nogil
cdef bint peak_used_up(OrderPool* pool, int32_t slot) noexcept nogil
cdef bint gathers(const ExtendedTerms* terms) noexcept nogil
cdef bint follows(const ExtendedTerms* terms) noexcept nogil
cdef bint is_pegged(OrderPool* pool, int32_t slot) noexcept nogil
cdef int64_t unpegged_ticks(Book* book, OrderPool* pool, int side) noexcept nogil
cdef bint is_whole(OrderPool* pool, int32_t slot) noexcept nogil
cdef int64_t hidden_lots(OrderPool* pool, int32_t slot) noexcept nogil
cdef int64_t offered_lots(OrderPool* pool, int32_t slot, int64_t lots) noexcept nogil
cdef int peaks_meet(Book* book, OrderPool* pool, int side, int64_t limit_ticks, int64_t lots, uint32_t taker, int64_t stp_group,
                    int stp_mode, Match* fill) noexcept nogil
cdef int32_t shown_best(Book* book, int side) noexcept nogil
cdef int64_t shown_ticks(Book* book, int side) noexcept nogil
cdef int64_t touch_ticks(Book* book, int side, int64_t limit_ticks) noexcept nogil
cdef void steps_begin(Book* book, int side, Steps* steps) noexcept nogil
cdef bint steps_next(Book* book, Steps* steps) noexcept nogil
