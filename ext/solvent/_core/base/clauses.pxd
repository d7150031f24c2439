# clauses: invariants where money moves, always tested; a broken clause halts the exchange.
#
# Owns: the numbers of the clauses (a family's hundred and the clause's own number) and the macro that states one.
# Never: repairs anything. The first broken clause is kept, and the kernel halts with it at the end of the command.
# Cost: a comparison and a branch that is not taken.

from libc.stdint cimport int32_t, int64_t
from solvent._core.base.money cimport int128

cdef enum:
    MON_1 = 101    # what is paid in, less what is paid out, is what all purses hold
    MON_2 = 102    # the sizes of an instrument sum to zero, the house included
    MON_3 = 103    # cash less cost sums to zero, exactly
    MON_6 = 106    # what is rounded is off by less than one unit, in the direction that is stated
    MON_7 = 107    # a posting has two sides and a reason, and is what it was computed to be
    MON_8 = 108    # holds equal what open orders require, and are never negative
    BOOK_5 = 205   # an order is listed once by whoever owns it
    BOOK_6 = 206   # what remains of an order is above zero and not above its size
    BOOK_7 = 207   # reduce-only orders never exceed their position
    BOOK_8 = 208   # a trade's price is the maker's, within the taker's limit
    ORD_1 = 301    # an order's state moves only along its table
    ORD_3 = 303    # filled, remaining and cancelled lots are the original ones
    ORD_4 = 304    # a trigger fires once
    ORD_6 = 306    # an instrument's limits on live orders and messages hold
    ORD_8 = 308    # children of a bracket close no more than their entry has filled
    MAR_1 = 401    # an order that is accepted has the initial margin of all that it may open
    MAR_2 = 402    # a leg of a hedge never holds the other side
    MAR_3 = 403    # an isolated loss never reaches beyond its own margin
    MAR_4 = 404    # a pure reduction is never refused for margin
    LIQ_1 = 601    # liquidation starts if and only if equity is below R_own, and takes over only below R_full
    LIQ_2 = 602    # orders are cancelled before positions are touched
    LIQ_3 = 603    # a takeover leaves exactly zero for what is taken
    LIQ_4 = 604    # the house then holds exactly the position, and its order covers it
    LIQ_5 = 605    # unwind orders respect the price guard
    LIQ_6 = 606    # own margin, then the fund, then deleveraging, then the deficit, which is never above zero
    LIQ_7 = 607    # the fund is never below zero
    LIQ_8 = 608    # deleveraging takes by rank, at the bankruptcy price
    LIQ_10 = 610   # a house position that is flat leaves no trace but its result
    KER_4 = 704    # a batch is applied whole, or not at all
    SAFE_1 = 801   # only a price, funding, a settlement or the clock costs others
    SAFE_2 = 802   # a fill costs nobody but its owner

cdef extern from *:
    """
    #ifndef SOLVENT_CLAUSES
    #define SOLVENT_CLAUSES
    #ifdef SOLVENT_SILENT
    #define solvent_must(holds, clause, fault) ((void)0)
    #elif defined SOLVENT_SAYS     /* a build that says where a clause was broken */
    #include <stdio.h>
    #define solvent_must(holds, clause, fault) do { if (!(holds) && *(fault) == 0) { \
        fprintf(stderr, "%s:%d\\n", __FILE__, __LINE__); *(fault) = clause; } } while (0)
    #else
    static inline void solvent_must(int holds, int32_t clause, int32_t *fault) {
        if (__builtin_expect(!holds, 0) && *fault == 0) *fault = clause; }
    #endif
    #endif
    """
    void must "solvent_must"(bint holds, int32_t clause, int32_t* fault) noexcept nogil


cdef inline bint is_floor(int64_t q, int64_t a, int64_t b, int64_t c) noexcept nogil:
    """True if q = floor(a * b / c), c > 0, without a division."""
    cdef int128 rest = <int128>a * b - <int128>q * c
    return rest >= 0 and rest < c


cdef inline bint is_ceil(int64_t q, int64_t a, int64_t b, int64_t c) noexcept nogil:
    """True if q = ceil(a * b / c), c > 0."""
    cdef int128 rest = <int128>q * c - <int128>a * b
    return rest >= 0 and rest < c


cdef inline bint is_trunc(int64_t q, int64_t a, int64_t b, int64_t c) noexcept nogil:
    """True if q is a * b / c, c > 0, cut towards zero."""
    cdef int128 product = <int128>a * b
    cdef int128 rest = product - <int128>q * c
    return rest >= 0 and rest < c if product >= 0 else rest <= 0 and rest > -<int128>c
