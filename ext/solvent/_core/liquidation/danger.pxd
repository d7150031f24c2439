# danger: finds the accounts that a mark change endangers.
#
# Owns: nothing yet; it reads every position of the instrument. The interface is final, the slack-band index of the design
# comes behind it.
# Never: misses an account that a full scan would find. Derived state: not in the digest, not in snapshots.
# Cost: O(positions in the instrument) per mark (a position and its domain; docs/explanation/benchmarks.md); more where its currency backs
# another.

from libc.stdint cimport uint32_t
from solvent._core.trade.state cimport State

cdef void watch_collateral(State* s, uint32_t instrument) noexcept nogil
cdef void watch_mark(State* s, uint32_t instrument) noexcept nogil
