# uncross: a crossed book trades at one price (docs/explanation/semantics.md, section 18).
#
# Owns: the state of each market as it is written down, what counts in an uncross, and the pairs that trade.
# Never: decides when one comes (market_state does), or posts a fill that one of its owners does not bear.
# Invariants: orders that a check would cut leave before the price is found. Both sides of a pair book the same integer.
# Cost: O(orders that cross), each with one judgement before and one at its fills.

from libc.stdint cimport int64_t, uint8_t, uint32_t
from solvent._core.market.call_price cimport CallPrice
from solvent._core.trade.state cimport State

cdef void park_pegs(State* s, uint32_t instrument) noexcept nogil
cdef void end_unseen(State* s, uint32_t instrument) noexcept nogil
cdef void enter_state(State* s, uint32_t instrument, uint8_t listing, int64_t price_ticks, int64_t ends_ns, uint8_t then) noexcept nogil
cdef void extend_call(State* s, uint32_t instrument) noexcept nogil
cdef void price_now(State* s, uint32_t instrument, CallPrice* found) noexcept nogil
cdef void uncross(State* s, uint32_t instrument) noexcept nogil
