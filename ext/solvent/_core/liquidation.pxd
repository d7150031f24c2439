# liquidation: what happens to accounts below their threshold and to the parcels taken from them.
#
# Owns: the order of events (semantics §2-§5): cancel, step down, take over, book, fund, ADL, deficit.
# Never: moves money by itself (ledger does), nets parcels silently, or ends a command with a parcel whose
# value is not positive. Its trades never move the mark.
# Invariant: when settle returns, every touched account is at or above R_own or waits, stuck, for its
# instrument's next mark.
# Cost: O(touched accounts); ADL sorts the holders of the other side.

from solvent._core.trading cimport State

cdef void settle(State* s) noexcept nogil
