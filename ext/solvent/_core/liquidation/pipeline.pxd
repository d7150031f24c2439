# pipeline: what happens to accounts below their threshold and to the parcels taken from them.
#
# Owns: the order of events (semantics §2-§5): cancel, step down, take over, book, fund, ADL, deficit.
# Never: moves money by itself (ledger does), or nets parcels silently. Its trades never move the mark. Only a price,
# funding, a settlement or the clock sells a parcel without value at the fund's expense, or deleverages (SAFE-1); after any
# other command it waits for its instrument's next mark.
# Invariant: when settle returns, every touched account is at or above R_own or waits, stuck, for its
# instrument's next mark.
# Cost: O(touched accounts); ADL sorts the holders of the other side.

from solvent._core.trade.lifecycle cimport State

cdef void settle(State* s) noexcept nogil
