# uncross: a crossed book trades at one price (docs/explanation/semantics.md, section 18).
#
# Owns: what counts in it, and the pairs that trade.
# Never: starts one (market_state does), or posts a fill that one of its owners does not bear.
# Invariants: orders that a check would cut leave before the price is found. Both sides of a pair book the same integer.
# Cost: O(orders that cross), each with one judgement before and one at its fills.

from libc.stdint cimport int64_t, uint32_t
from solvent._core.trade.state cimport State

cdef void uncross(State* s, uint32_t instrument, int64_t reference_ticks) noexcept nogil
