"""Netting of hedges; the contract is in net.pxd, the readable twin in twin/liquidation/net.py."""

from libc.stdint cimport int32_t, int64_t
from solvent._core.account.ledger cimport FillTerms, Ledger, Position, held_of, position_fill
from solvent._core.base.clauses cimport LIQ_2, MAR_3, MON_2, must
from solvent._core.base.money cimport least
from solvent._core.contract.valuation cimport Instrument, cost_delta, value_of
from solvent._core.liquidation.case cimport AGAIN, GO_ON, Case
from solvent._core.trade.holds cimport refresh_hold
from solvent._core.trade.state cimport State
from solvent._core.base.schema cimport BUY, SELL, TAKER_FEE
from solvent._core.base.emit cimport emit_netted


cdef void _net_pair(State* s, int32_t long, int32_t short) noexcept nogil:
    """Closes the lots that both legs have against each other."""
    cdef Ledger* l = &s.ledger
    cdef Position* p = &l.positions[long]
    cdef Instrument* ins = &l.instruments[p.instrument]
    cdef int64_t lots = least(p.size_lots, -l.positions[short].size_lots)
    cdef int64_t value = value_of(ins, lots, ins.mark_ticks, False, &s.log.fault)
    cdef int64_t left = p.size_lots + l.positions[short].size_lots
    cdef FillTerms terms
    cdef int side
    must(lots > 0 and p.account == l.positions[short].account and p.instrument == l.positions[short].instrument, LIQ_2, &s.log.fault)
    must(not p.mode and not l.positions[short].mode, MAR_3, &s.log.fault)
    emit_netted(
        &s.log, account=p.account, instrument=p.instrument, price_ticks=ins.mark_ticks, size_lots=lots,
        value_units=value)
    for side in range(SELL, BUY - 1, -1):     # the long leg sells, then the short one buys
        terms.size_delta = -lots if side == SELL else lots
        terms.cost_delta = cost_delta(ins, side, value)
        terms.fee_units = 0
        terms.fee_reason = TAKER_FEE
        terms.keep_margin = 0
        terms.deleveraged = 0
        terms.ref = 0
        position_fill(l, long if side == SELL else short, &terms)
        refresh_hold(s, long if side == SELL else short)
    must(l.positions[long].size_lots == 0 or l.positions[short].size_lots == 0, MON_2, &s.log.fault)
    must(l.positions[long].size_lots + l.positions[short].size_lots == left, MON_2, &s.log.fault)


cdef int net(State* s, Case* c) noexcept nogil:
    """Nets every hedge of a cross domain."""
    cdef Ledger* l = &s.ledger
    cdef int32_t index = l.accounts[c.account].first_position
    cdef Position* p
    cdef int outcome = GO_ON
    if c.position >= 0:
        return GO_ON
    while index >= 0:
        p = &l.positions[index]
        if p.size_lots > 0 and not p.mode and l.instruments[p.instrument].currency == c.currency and held_of(l, p).other_lots < 0:
            _net_pair(s, index, p.twin)
            outcome = AGAIN
        must(p.mode or p.size_lots <= 0 or held_of(l, p).other_lots >= 0 or l.instruments[p.instrument].currency != c.currency,
             LIQ_2, &s.log.fault)
        must(p.account == c.account, LIQ_2, &s.log.fault)
        index = l.positions[index].next
    return outcome
