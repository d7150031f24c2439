"""The accounts below R_own after a mark change; the contract is in watch.pxd."""

from libc.stdint cimport int32_t, uint32_t
from solvent._core.ledger cimport Position, touch
from solvent._core.margin cimport Requirement, cross_requirement, isolated_requirement
from solvent._core.trading cimport State
from solvent._core.valuation cimport Instrument


cdef void watch_mark(State* s, uint32_t instrument) noexcept nogil:
    """Touches every account whose position here, or its cross domain, is now below R_own."""
    cdef Instrument* ins = &s.ledger.instruments[instrument]
    cdef Requirement r
    cdef Position* p
    cdef int32_t i
    for i in range(ins.member_count):
        p = &s.ledger.positions[ins.members[i]]
        if p.size_lots == 0:
            continue
        if p.mode:
            isolated_requirement(&s.ledger, &s.rules, ins.members[i], &r)
        else:
            cross_requirement(&s.ledger, &s.rules, p.account, ins.currency, &r)
        if r.equity < r.own:
            touch(&s.ledger, p.account)
