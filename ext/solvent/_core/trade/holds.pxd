# holds: the margin that the resting orders of a position reserve.
#
# Owns: the sums of a position's resting orders, its holds, and their sum in its owner's wallet.
# Never: decides whether a hold is affordable (order_margin does).
# Invariant: a side's sums are those of its resting orders, to the unit; a position's hold is the dearer of both sides.
# Cost: O(1).

from libc.stdint cimport int32_t, int64_t
from solvent._core.account.ledger cimport OpenSide, Position
from solvent._core.base.clauses cimport BOOK_7, LIQ_2, MON_3, MON_8, must
from solvent._core.base.money cimport magnitude
from solvent._core.base.schema cimport BUY, SELL
from solvent._core.market.order_pool cimport Order
from solvent._core.trade.state cimport State, Ticket

cdef int64_t order_price(State* s, int32_t slot) noexcept nogil
cdef void order_exposure(State* s, int32_t slot, OpenSide* exposure) noexcept nogil
cdef void reserve(State* s, Order* order, int64_t price_ticks, int64_t before, int64_t after) noexcept nogil
cdef void reserve_and_hold(State* s, Order* order, int64_t price_ticks, int64_t before, int64_t after, Ticket* t) noexcept nogil
cdef void refresh_hold(State* s, int32_t position) noexcept nogil


cdef inline void check_bare(State* s, Position* p) noexcept nogil:
    """States that a position without orders has no lots in the book and no hold."""
    must(p.first_order < 0 and p.reduce_count == 0 and p.trigger_count == 0, LIQ_2, &s.log.fault)
    must(p.open[BUY].lots == 0 and p.open[SELL].lots == 0 and p.reduce.lots == 0, MON_8, &s.log.fault)
    must(p.hold_units == 0, MON_8, &s.log.fault)


cdef inline void check_reduce(State* s, Position* p) noexcept nogil:
    """States that reduce-only orders are against their position and do not exceed it."""
    must(p.reduce.lots == 0 or (p.size_lots > 0) == (p.reduce_side == SELL), BOOK_7, &s.log.fault)
    must(p.reduce.lots <= magnitude(p.size_lots), BOOK_7, &s.log.fault)


cdef inline void check_same(State* s, Position* p, Position* before) noexcept nogil:
    """States that a trial has left a position as it was."""
    must(p.size_lots == before.size_lots and p.cost_units == before.cost_units, MON_3, &s.log.fault)
    must(p.margin_units == before.margin_units and p.hold_units == before.hold_units, MON_8, &s.log.fault)
