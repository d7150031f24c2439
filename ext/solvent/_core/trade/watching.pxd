# watching: which prices triggers watch, and when they see them.
#
# Owns: the showing of prices to triggers: marks, indices and trades as they arise, the best prices of a book at rest.
# Never: makes a price, or places an order that became due (placement does).
# Cost: O(1) a price that reaches nothing. While some order watches a best price, a look at each instrument after a command.

from libc.stdint cimport int64_t, uint32_t
from solvent._core.trade.state cimport State

cdef void observe(State* s, uint32_t instrument, int source, int64_t price_ticks) noexcept nogil
cdef int64_t watched_ticks(State* s, uint32_t instrument, int source) noexcept nogil
cdef void look(State* s) noexcept nogil
cdef void resume(State* s, uint32_t instrument) noexcept nogil
