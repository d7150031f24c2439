# preview: what an order would do if it were executed now.
#
# Owns: the walk of a dry run. What the fills make of positions, wallets and reduce-only orders is left on the rows, so that
# each maker is judged as it would be, and put back at the end.
# Never: says anything, changes anything for good, or moves an order in the book.
# Cost: that of the fills it walks over, and a copy of each position that they touch.

from libc.stdint cimport int64_t
from solvent._core.trade.state cimport Rehearsal, State, Ticket

cdef int64_t rehearse(State* s, Ticket* t, int64_t lots, int64_t* reached_ticks) noexcept nogil
cdef void rehearsal_end(State* s) noexcept nogil
cdef int64_t dry_run(State* s, Ticket* t, int64_t* reached_ticks) noexcept nogil
cdef void rehearsal_close(Rehearsal* rehearsal) noexcept nogil
