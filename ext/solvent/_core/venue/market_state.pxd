# market_state: the state of each market: HALT, SETTLE, SET_STATE, expiries, calls that end.
#
# Owns: the listing of each instrument, its calls with their indications, and the settlement of its positions at one price.
# Never: leaves a position, a parcel or an order in a closed instrument.
# Invariants: all positions settle at the same price without a fee; the rounding of inverse values goes to RESIDUE.
# Cost: a settlement O(slots ever used + positions of the instrument), once. While orders gather, O(instruments) a command,
# and O(levels that cross) for each that gathers.

from libc.stdint cimport int64_t, uint32_t
from solvent._core.trade.state cimport State
from solvent._core.base.commands cimport Halt, SetState, Settle

cdef int halt(State* s, const Halt* c) noexcept nogil
cdef int set_state(State* s, const SetState* c) noexcept nogil
cdef bint end_calls(State* s) noexcept nogil
cdef void indicate(State* s) noexcept nogil
cdef int close_instrument(State* s, const Settle* c) noexcept nogil
cdef void close_at(State* s, uint32_t instrument, int64_t ticks) noexcept nogil
