# interruption: orders where trading is not continuous, and orders that interrupt it.
#
# Owns: what a state that is not continuous takes, and what an order does that is priced beyond the band.
# Never: checks anything else of an order (placement does), or ends an interruption (market_state does).
# Cost: O(1), and that of the trades up to the edge.

from solvent._core.trade.state cimport State, Ticket

cdef int fit_state(State* s, Ticket* t) noexcept nogil
cdef int beyond_band(State* s, Ticket* t) noexcept nogil
cdef void trade_beyond(State* s, Ticket* t) noexcept nogil
cdef void slide_into_band(State* s, Ticket* t) noexcept nogil
