"""Accounts below R_own after a mark change; the contract is in danger.pxd."""

from libc.stdint cimport int32_t, uint32_t
from solvent._core.trade.admission cimport endangered
from solvent._core.account.ledger cimport FIRST_USER, Ledger, Position, backs, touch, wallet_of
from solvent._core.account.domain cimport cross_holds
from solvent._core.account.margin cimport isolated_holds
from solvent._core.base.clauses cimport LIQ_1, must
from solvent._core.trade.state cimport State
from solvent._core.contract.valuation cimport Instrument


cdef void watch_mark(State* s, uint32_t instrument) noexcept nogil:
    """Touches each account whose position here, cross domain, or backed domain is below R_own."""
    cdef Instrument* ins = &s.ledger.instruments[instrument]
    cdef bint below
    cdef bint backing = backs(&s.ledger, ins.currency) != NULL
    cdef Position* p
    cdef int32_t i
    for i in range(ins.member_count):
        p = &s.ledger.positions[ins.members[i]]
        if p.size_lots == 0:
            continue
        if p.mode:
            below = not isolated_holds(&s.ledger, &s.rules, ins.members[i])
        elif backing:
            below = endangered(&s.ledger, &s.rules, p.account, ins.currency)
        else:
            below = not cross_holds(&s.ledger, &s.rules, p.account, ins.currency)
        if below:
            must(p.instrument == instrument, LIQ_1, &s.log.fault)
            touch(&s.ledger, p.account)
            must(s.ledger.accounts[p.account].touched and s.ledger.touched_count > 0, LIQ_1, &s.log.fault)


cdef void watch_collateral(State* s, uint32_t instrument) noexcept nogil:
    """Touches each account whose collateral is priced by this instrument and now leaves its domain below its threshold."""
    cdef Ledger* l = &s.ledger
    cdef uint32_t account
    cdef int32_t i
    for i in range(l.collateral_count):
        if l.collateral[i].instrument == instrument:
            for account in range(FIRST_USER, l.account_count):
                if wallet_of(l, account, l.collateral[i].currency).cash_units > 0 and endangered(l, &s.rules, account, l.collateral[i].of):
                    must(not cross_holds(l, &s.rules, account, l.collateral[i].of) or backs(l, l.collateral[i].of) != NULL, LIQ_1,
                         &s.log.fault)
                    touch(l, account)
                    must(l.accounts[account].touched, LIQ_1, &s.log.fault)
