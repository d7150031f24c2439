# preview: the effect of an order if it were executed now; for checks of an order, and for who asks.
#
# Owns: the walk of a dry run. The effect of its fills on positions, wallets and reduce-only orders stays on the rows, so that
# each maker is judged as it would be. All of it is put back at the end.
# Never: emits, changes anything for good, or moves an order in the book.
# Cost: that of the fills it walks over, and a copy of each position that they touch.

from libc.stdint cimport int64_t
from solvent._core.base.money cimport int128
from solvent._core.trade.state cimport Preview, State, Ticket

cdef int64_t preview_execute(State* s, Ticket* t, int64_t lots, int64_t* reached_ticks) noexcept nogil
cdef void preview_end(State* s) noexcept nogil
cdef struct Previewed:             # what an order would do
    int64_t filled_lots
    int64_t resting_lots
    int128 value               # the filled lots times their prices in ticks
    int64_t fee_units

cdef bint preview_order(State* s, Ticket* t, Previewed* found) noexcept nogil
cdef int64_t dry_run(State* s, Ticket* t, int64_t* reached_ticks) noexcept nogil
cdef void preview_close(Preview* preview) noexcept nogil
