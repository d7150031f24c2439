# market_state: the state of each market: HALT, SETTLE, expiries.
#
# Owns: the listing of each instrument and the settlement of its positions at one price.
# Never: leaves a position, a parcel or an order in a closed instrument.
# Invariants: all positions settle at the same price without a fee; the rounding of inverse values goes to RESIDUE.
# Cost: O(slots ever used + positions of the instrument), once.

from libc.stdint cimport int64_t, uint32_t
from solvent._core.trade.state cimport State
from solvent._core.base.commands cimport Halt, Settle

cdef int halt(State* s, const Halt* c) noexcept nogil
cdef int settle_instrument(State* s, const Settle* c) noexcept nogil
cdef void close_instrument(State* s, uint32_t instrument, int64_t ticks) noexcept nogil
