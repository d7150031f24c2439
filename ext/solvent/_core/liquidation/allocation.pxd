# allocation: the lots of a parcel that each counterparty loses (semantics §5).
#
# Owns: nothing; the rules that share lots among counterparties of known sizes. Read twin/liquidation/allocation.py first.
# Never: ranks anybody, moves money.
# Invariants: all lots are placed, or all that the counterparties hold. Nobody loses more than he has. The order of the parts
# stays.
# Cost: O(n log n) for n counterparties; O(n) in a queue.

from libc.stdint cimport int32_t, int64_t, uint32_t
from solvent._core.base.money cimport int128

cdef struct Part:              # of a parcel: a counterparty
    int64_t size_lots          # that it holds
    int64_t lots               # that it loses
    int128 rest                # of its part by size, rounded down
    uint32_t account
    int32_t place              # in the order of rank

cdef void allocate(int rule, int64_t lots, Part* parts, int32_t count, int32_t* fault) noexcept nogil
