# holds: what the resting orders of a position reserve.
#
# Owns: the sums of a position's resting orders, its holds, and their sum in its owner's wallet.
# Never: decides whether a hold is affordable (order_margin does).
# Invariant: a side's sums are those of its resting orders, to the unit; a position's hold is the dearer of both sides.
# Cost: O(1).

from libc.stdint cimport int32_t, int64_t
from solvent._core.account.ledger cimport OpenSide
from solvent._core.market.order_pool cimport Order
from solvent._core.trade.state cimport State

cdef int64_t order_price(State* s, int32_t slot) noexcept nogil
cdef void order_exposure(State* s, int32_t slot, OpenSide* exposure) noexcept nogil
cdef void reserve(State* s, Order* order, int64_t price_ticks, int64_t before, int64_t after) noexcept nogil
cdef void refresh_side(State* s, Order* order) noexcept nogil
cdef void refresh_hold(State* s, int32_t position) noexcept nogil
