# admission: the judgement of fills by their owners' margin domains (SAFE-1, SAFE-2, decisions/0013).
#
# Owns: the judgement of every fill before it is posted, and the figures of a domain for others.
# Never: writes for good; a fill is tried on the rows, which are restored.
# Invariants: an opening fill leaves no domain of its owner below R_own, or further below it. A closing fill costs no more than
# the domain has.
# Cost: a judgement is O(1) where the slack of the domains is known (domain); else it reads them once.

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from solvent._core.account.ledger cimport Effect, Fill, Ledger
from solvent._core.account.margin cimport Rules
from solvent._core.base.money cimport int128

cdef enum:
    HOLD_ROUNDING = 8              # more units than the roundings of one hold

cdef struct Trial:                 # the rows before a fill was tried on them
    int64_t size_lots
    int64_t cost_units
    int64_t margin_units
    int64_t hold_units
    int64_t cash_units
    int64_t wallet_hold_units
    uint64_t known_at

cdef bint endangered(Ledger* l, Rules* rules, uint32_t account, uint32_t currency) noexcept nogil
cdef int64_t bearable(Ledger* l, Rules* rules, int32_t index) noexcept nogil
cdef bint closes_surely(Ledger* l, Rules* rules, int32_t index, int64_t price_ticks) noexcept nogil
cdef int64_t closing_price(Ledger* l, Rules* rules, int32_t index) noexcept nogil
cdef void try_on(Ledger* l, int32_t index, Effect* e, bint holds, Trial* before) noexcept nogil
cdef void put_back(Ledger* l, int32_t index, Trial* before) noexcept nogil
cdef int64_t fit(Ledger* l, Rules* rules, int32_t index, Effect* e) noexcept nogil
cdef bint bears_loss(Ledger* l, Rules* rules, uint32_t account, uint32_t currency, int128 units) noexcept nogil
cdef bint bears(Ledger* l, Rules* rules, int32_t index, Fill* terms, Effect* e, int64_t price_ticks, bint* safe) noexcept nogil
