"""Funding payments; the contract is in funding.pxd, the readable twin in twin/venue/funding.py."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from solvent._core.trade.admission cimport bearable
from solvent._core.account.ledger cimport (
    Ledger, Position, Purse, fund_moved, fund_receives, margin_purse, pay, position_event, touch, wallet_of, wallet_purse,
)
from solvent._core.base.money cimport RATE, add, min64, magnitude, mul_div_ceil, mul_div_floor
from solvent._core.base.schema cimport (
    BAD_RATE, FUND, FUNDING_PAID, FUNDING_RECEIVED, NO_MARK, OK, PERIOD_SETTLED, RESIDUE, UNKNOWN_INSTRUMENT,
)
from solvent._core.trade.state cimport State
from solvent._core.contract.valuation cimport Instrument, funding_value
from solvent._core.base.emit cimport emit_funded
from solvent._core.base.commands cimport SettleFunding


cdef int64_t _due(State* s, uint32_t instrument, int64_t size_lots, int64_t rate_ppb) noexcept nogil:
    """Returns ceil(value * |rate|), the same for both sides, by the value at mark or at the index."""
    cdef int64_t value = funding_value(&s.ledger.instruments[instrument], size_lots, &s.log.fault)
    return mul_div_ceil(value, magnitude(rate_ppb), RATE, &s.log.fault)


cdef Purse _purse(Ledger* l, int32_t index) noexcept nogil:
    cdef Position* p = &l.positions[index]
    return margin_purse(l, index) if p.mode else wallet_purse(p.account, l.instruments[p.instrument].currency)


cdef int64_t _collect(State* s, uint32_t instrument, int64_t rate_ppb, uint64_t period) noexcept nogil:
    """Collects from each holder of the paying side into RESIDUE. Returns the sum."""
    cdef Ledger* l = &s.ledger
    cdef Instrument* ins = &l.instruments[instrument]
    cdef Purse residue = wallet_purse(RESIDUE, ins.currency)
    cdef int64_t collected = 0
    cdef int64_t charge
    cdef int32_t i, index
    for i in range(ins.member_count):
        index = ins.members[i]
        if l.positions[index].size_lots == 0 or (l.positions[index].size_lots > 0) != (rate_ppb > 0):
            continue
        charge = _due(s, instrument, l.positions[index].size_lots, rate_ppb)
        if s.rules.funding_cap:
            charge = min64(charge, bearable(&s.ledger, &s.rules, index))
        pay(l, FUNDING_PAID, _purse(l, index), residue, charge, period)
        collected = add(collected, charge, &s.log.fault)
        if l.positions[index].mode and charge:
            position_event(l, index)
        touch(l, l.positions[index].account)
    i = ins.first_parcel[rate_ppb < 0]
    while i >= 0:
        charge = min64(_due(s, instrument, l.parcels[i].size_lots, rate_ppb), wallet_of(l, FUND, ins.currency).cash_units)
        pay(l, FUNDING_PAID, wallet_purse(FUND, ins.currency), residue, charge, period)
        fund_moved(l, ins.currency)
        collected = add(collected, charge, &s.log.fault)
        i = l.parcels[i].next
    return collected


cdef int64_t _owed(State* s, uint32_t instrument, int64_t rate_ppb) noexcept nogil:
    """Returns the sum due to the receiving side."""
    cdef Ledger* l = &s.ledger
    cdef Instrument* ins = &l.instruments[instrument]
    cdef int64_t total = 0
    cdef int64_t size
    cdef int32_t i
    for i in range(ins.member_count):
        size = l.positions[ins.members[i]].size_lots
        if size != 0 and (size > 0) != (rate_ppb > 0):
            total = add(total, _due(s, instrument, size, rate_ppb), &s.log.fault)
    i = ins.first_parcel[rate_ppb > 0]
    while i >= 0:
        total = add(total, _due(s, instrument, l.parcels[i].size_lots, rate_ppb), &s.log.fault)
        i = l.parcels[i].next
    return total


cdef int64_t _distribute(State* s, uint32_t instrument, int64_t rate_ppb, uint64_t period, int64_t collected, int64_t total) noexcept nogil:
    """Pays floor(due * collected / total due) to each receiver. Returns the sum paid."""
    cdef Ledger* l = &s.ledger
    cdef Instrument* ins = &l.instruments[instrument]
    cdef Purse residue = wallet_purse(RESIDUE, ins.currency)
    cdef int64_t paid = 0
    cdef int64_t share
    cdef int32_t i, index
    for i in range(ins.member_count):
        index = ins.members[i]
        if l.positions[index].size_lots == 0 or (l.positions[index].size_lots > 0) == (rate_ppb > 0):
            continue
        share = mul_div_floor(_due(s, instrument, l.positions[index].size_lots, rate_ppb), collected, total, &s.log.fault)
        pay(l, FUNDING_RECEIVED, residue, _purse(l, index), share, period)
        paid = add(paid, share, &s.log.fault)
        if l.positions[index].mode and share:
            position_event(l, index)
        touch(l, l.positions[index].account)
    i = ins.first_parcel[rate_ppb > 0]
    while i >= 0:
        share = mul_div_floor(_due(s, instrument, l.parcels[i].size_lots, rate_ppb), collected, total, &s.log.fault)
        fund_receives(l, FUNDING_RECEIVED, residue, share, period)
        paid = add(paid, share, &s.log.fault)
        i = l.parcels[i].next
    return paid


cdef void pay_rate(State* s, uint32_t instrument, int64_t rate_ppb, uint64_t period) noexcept nogil:
    """Collects from each holder of the paying side into RESIDUE, and pays each holder of the other side from there."""
    cdef int64_t collected = 0
    cdef int64_t paid = 0
    cdef int64_t total = 0
    s.ledger.instruments[instrument].funding_period = period
    if rate_ppb != 0:
        total = _owed(s, instrument, rate_ppb)
        collected = _collect(s, instrument, rate_ppb, period)
        if total > 0:
            paid = _distribute(s, instrument, rate_ppb, period, collected, total)
    emit_funded(
        &s.log, instrument=instrument, period=period, rate_ppb=rate_ppb, collected_units=collected, paid_units=paid,
        due_units=total)


cdef int pay_funding(State* s, const SettleFunding* c) noexcept nogil:
    """Executes FUNDING: a rate over RATE (longs pay when it is positive) for a period after the last one."""
    cdef Instrument* ins
    if c.instrument >= s.ledger.instrument_count:
        return UNKNOWN_INSTRUMENT
    ins = &s.ledger.instruments[c.instrument]
    if c.rate_ppb <= -RATE or c.rate_ppb >= RATE:
        return BAD_RATE
    if c.period <= ins.funding_period or c.period >> 63:
        return PERIOD_SETTLED
    if ins.mark_ticks == 0:
        return NO_MARK
    pay_rate(s, c.instrument, c.rate_ppb, c.period)
    return OK
