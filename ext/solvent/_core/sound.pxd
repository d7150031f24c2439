# sound: whether blocks that come from outside are a state that the core can work on.
#
# Owns: the ranges of every index and count of the state.
# Never: says that the state is right; audit and the digest do. It says that reading and writing stay within the blocks.
# Cost: the tests of a block run over memory that was copied just before; the last look walks the books' nodes and live orders.

from libc.stdint cimport int64_t
from solvent._core.trade.state cimport State

cdef bint sound_head(State* s) noexcept nogil
cdef bint sound_whole(State* s) noexcept nogil
cdef bint sound_accounts(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
cdef bint sound_books(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
cdef bint sound_collateral(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
cdef bint sound_past(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
cdef bint sound_instruments(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
cdef bint sound_levels(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
cdef bint sound_limits(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
cdef bint sound_members(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
cdef bint sound_links(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
cdef bint sound_orders(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
cdef bint sound_paces(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
cdef bint sound_parcels(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
cdef bint sound_heads(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
cdef bint sound_items(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
cdef bint sound_brackets(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
cdef bint sound_timers(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
cdef bint sound_parents(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
cdef bint sound_places(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
cdef bint sound_wallets(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
cdef bint sound_positions(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
cdef bint sound_prices(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
cdef bint sound_slots(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
cdef bint sound_terms(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
cdef bint sound_triggers(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil
