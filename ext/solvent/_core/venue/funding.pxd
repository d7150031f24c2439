# funding: payments from the holders of one side to those of the other, once a period (semantics §7).
#
# Owns: the amounts due, their cap and their distribution. The rate is handed in; the instrument's mark values the positions.
# Never: settles a period twice; creates or loses a unit: the collected amount is paid out, the remainder stays in RESIDUE.
# Invariants: a payer's charge is at most its due, and with the cap leaves it at R_own or above. The house's parcels settle
# through the insurance fund, which never goes below zero.
# Cost: O(positions of the instrument), for cross accounts times theirs.

from libc.stdint cimport int64_t, uint32_t, uint64_t
from solvent._core.trade.state cimport State
from solvent._core.base.commands cimport SettleFunding

cdef void settle_rate(State* s, uint32_t instrument, int64_t rate_ppb, uint64_t period) noexcept nogil
cdef int settle_funding(State* s, const SettleFunding* c) noexcept nogil
