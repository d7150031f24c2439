# extended: the terms that few orders have: kept while the order lives, told behind its ACCEPTED, dropped when it ends.
#
# Owns: the reading of these terms from an ORDER; their entry, that of an expiry and of a place among pegged orders; the telling
# of terms, shape and parking.
# Never: checks a term, or moves an order.
# Invariants: an order has terms as long as it lives, and stands among the pegged ones exactly then if its price follows another.
# Cost: O(1); the end of a pegged order looks at all of its instrument.

from libc.stdint cimport int32_t, uint32_t
from solvent._core.base.commands cimport PlaceOrder
from solvent._core.base.schema cimport Event, Extension, Shape
from solvent._core.market.order_pool cimport ExtendedTerms
from solvent._core.trade.state cimport State, Ticket

cdef void terms_of(const PlaceOrder* c, const Extension* x, const Shape* h, ExtendedTerms* terms) noexcept nogil
cdef void extend(State* s, Ticket* t) noexcept nogil
cdef void terms_event(State* s, Ticket* t, Event* accepted) noexcept nogil
cdef void shape_event(State* s, Ticket* t) noexcept nogil
cdef void terms_end(State* s, int32_t slot, uint32_t instrument) noexcept nogil
cdef void park(State* s, int32_t slot, uint32_t instrument) noexcept nogil
