# shapes: what an order is besides its price and size: how its trigger trails, what the book shows of it, when it may rest.
#
# Owns: the checks of these terms, all before the first write. Owns the turning of a market order into a limit order, and the
# second look at orders that trade whole or not at all.
# Never: shows or hides lots (market/peaks does), or books a fill.
# Invariant: terms that exclude each other never stand in one order.
# Cost: O(1); the second look costs a dry run for each order that trades whole and that the new price reaches.

from libc.stdint cimport int64_t, uint32_t
from solvent._core.base.commands cimport PlaceOrder
from solvent._core.base.schema cimport Extension, Shape
from solvent._core.contract.valuation cimport Instrument
from solvent._core.market.order_pool cimport ExtendedTerms
from solvent._core.trade.state cimport State, Ticket

cdef int check_shape(Instrument* ins, const PlaceOrder* c, const Extension* x, const Shape* h) noexcept nogil
cdef int check_trigger(Instrument* ins, const Extension* x) noexcept nogil
cdef int64_t pegged_ticks(State* s, uint32_t instrument, int side, const ExtendedTerms* terms) noexcept nogil
cdef bint parts_fit(const ExtendedTerms* terms, int64_t size_lots) noexcept nogil
cdef void to_limit(State* s, Ticket* t) noexcept nogil
cdef void try_wholes(State* s, Ticket* t) noexcept nogil
