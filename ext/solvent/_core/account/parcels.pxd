# parcels: the positions of the house, each taken over from an account.
#
# Owns: their order by id, their lists by side and instrument, those that the pipeline has to look at, and what closes them.
# Never: decides when one is sold, or at which price.
# Invariants: an open parcel is in the list of its side. A due one is in a ladder. The cost of a slice is floor(cost * lots / size),
# so the last slice has what is left. Closed ones are outweighed by open ones after every command, or there are none.
# Cost: O(1) to take, close or list one; O(log n) to find one by id, or to make it due. The sweep is O(1) a closed parcel.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from solvent._core.account.ledger cimport Ledger, Parcel

cdef int parcels_reserve(Ledger* ledger) noexcept nogil
cdef int32_t parcel_take(Ledger* ledger, int32_t position, int64_t cost_units, int64_t bankruptcy_ticks) noexcept nogil
cdef int32_t parcel_find(Ledger* ledger, int64_t parcel_id) noexcept nogil
cdef int64_t parcel_share(Parcel* parcel, int64_t lots, int32_t* fault) noexcept nogil
cdef void parcel_fill(Ledger* ledger, int32_t index, int64_t lots, int64_t cost_delta, uint16_t change, uint64_t ref) noexcept nogil
cdef void parcel_due(Ledger* ledger, int32_t index, uint8_t due) noexcept nogil
cdef int32_t parcel_next(Ledger* ledger, int32_t* ends) noexcept nogil
cdef void parcels_link(Ledger* ledger) noexcept nogil
cdef void parcels_sweep(Ledger* ledger) noexcept nogil


cdef inline int32_t parcels_left(Ledger* ledger) noexcept nogil:
    """Returns the number of open parcels."""
    return ledger.parcel_count - ledger.closed_parcels


cdef inline void parcels_of(Ledger* ledger, uint32_t instrument, int32_t* ends) noexcept nogil:
    """Begins a way through an instrument's open parcels by id (parcel_next)."""
    ends[0] = ledger.instruments[instrument].first_parcel[0]
    ends[1] = ledger.instruments[instrument].first_parcel[1]
