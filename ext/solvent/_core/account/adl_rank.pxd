# adl_rank: who loses his position first when a parcel has to close against the other side (semantics §5).
#
# Owns: nothing; the formulas of the ranks, in whole numbers. Read twin/account/adl_rank.py first.
# Never: decides how many lots anybody loses. Equity that is gone ranks first.
# Invariant: a rank is the same integer in both kernels, saturated to 64 bits.
# Cost: O(1) beside the requirement that it is given; O(positions of the account) for the one that asks for a share of equity.

from libc.stdint cimport int32_t, int64_t
from solvent._core.account.ledger cimport Ledger
from solvent._core.account.margin cimport Requirement, Rules

cdef int64_t adl_rank(Ledger* ledger, Rules* rules, int32_t index, Requirement* r) noexcept nogil
