"""Ranks of deleveraging; the contract is in adl_rank.pxd, the readable twin in twin/account/adl_rank.py."""

from libc.stdint cimport int32_t, int64_t
from solvent._core.account.ledger cimport Ledger, Position
from solvent._core.account.margin cimport Requirement, Rules, backing, equity_share, upl
from solvent._core.base.clauses cimport LIQ_8, must
from solvent._core.base.money cimport INT64_MAX, floor128, int128, magnitude, max64, saturate
from solvent._core.base.schema cimport (
    BY_ACCOUNT, BY_BINANCE, BY_ENTRY, BY_PNL_EFFLEV, BY_PNL_LEVERAGE, BY_RETURN, BY_SIDED_RETURN, INVERSE,
)
from solvent._core.contract.valuation cimport Instrument, value_at_mark, value_of

cdef enum:
    MILLION = 1000000


cdef inline int64_t _scaled(int64_t rate, int128 times, int128 by, int32_t* fault) noexcept nogil:
    """Returns floor(rate * times / by), saturated; the top where `by` is gone."""
    cdef int128 product = <int128>rate * saturate(times)
    cdef int128 found
    if by <= 0:
        return INT64_MAX
    found = floor128(product, by)
    must(found * by <= product and product < (found + 1) * by, LIQ_8, fault)
    return saturate(found)


cdef inline int64_t _levered(int64_t rate, int128 value, int128 equity, int32_t* fault) noexcept nogil:
    """Returns a profit rate times effective leverage, or divided by it for one who has no profit."""
    return _scaled(rate, value, equity, fault) if rate > 0 else _scaled(rate, equity, value, fault)


cdef int64_t _return(Instrument* ins, Position* p, bint by_side, int32_t* fault) noexcept nogil:
    """Returns mark over entry in millionths; entry over mark for a short if `by_side`. An inverse contract is worth less the
    higher its price is."""
    cdef int64_t mark = value_of(ins, magnitude(p.size_lots), ins.mark_ticks, False, fault)
    cdef int64_t entry = magnitude(p.cost_units)
    cdef bint turned = (ins.kind == INVERSE) != (by_side and p.size_lots < 0)
    must(p.size_lots != 0 and entry > 0, LIQ_8, fault)
    if turned:
        mark, entry = entry, mark
    return saturate(floor128(<int128>mark * MILLION, entry)) if entry > 0 else INT64_MAX


cdef int64_t _entry(Instrument* ins, Position* p, int32_t* fault) noexcept nogil:
    """Returns the cost of a lot in millionths of a unit: more for a worse entry, so below zero for a long."""
    cdef int64_t rate = saturate(floor128(<int128>magnitude(p.cost_units) * MILLION, magnitude(p.size_lots)))
    must(p.size_lots != 0 and rate >= 0, LIQ_8, fault)
    return rate if (p.size_lots < 0) != (ins.kind == INVERSE) else -rate


cdef int64_t _binance(Ledger* ledger, Position* p, Requirement* r) noexcept nogil:
    """Returns profit over the domain's wallet in millionths, times R_own over equity; 0 for a loss."""
    cdef int64_t base = p.margin_units if p.mode else backing(ledger, p.account, ledger.instruments[p.instrument].currency)
    cdef int64_t profit = max64(0, upl(ledger, p))
    cdef int64_t rate = saturate(floor128(<int128>profit * MILLION, max64(1, base)))
    must(rate >= 0 and (rate == 0 or profit > 0), LIQ_8, &ledger.log.fault)
    return _scaled(rate, r.own, r.equity, &ledger.log.fault)


cdef int64_t adl_rank(Ledger* ledger, Rules* rules, int32_t index, Requirement* r) noexcept nogil:
    """Returns the rank of a position; `r` is the requirement of its margin domain."""
    cdef Position* p = &ledger.positions[index]
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    cdef int32_t* fault = &ledger.log.fault
    cdef int64_t cost = magnitude(p.cost_units)
    cdef int128 profit
    cdef int64_t rate
    if cost == 0 or rules.adl_rank == BY_ACCOUNT:
        return 0
    if rules.adl_rank == BY_BINANCE:
        return _binance(ledger, p, r)
    if rules.adl_rank == BY_RETURN or rules.adl_rank == BY_SIDED_RETURN:
        return _scaled(_return(ins, p, rules.adl_rank == BY_SIDED_RETURN, fault), r.value, r.equity, fault)
    if rules.adl_rank == BY_ENTRY:
        return _entry(ins, p, fault)
    profit = upl(ledger, p)
    rate = saturate(floor128(profit * MILLION, cost))
    must((rate >= 0) == (profit >= 0), LIQ_8, fault)
    if rules.adl_rank == BY_PNL_LEVERAGE:
        return saturate(floor128(<int128>rate * p.leverage.times, p.leverage.parts))
    if rules.adl_rank == BY_PNL_EFFLEV:
        return _levered(rate, value_at_mark(ins, p.size_lots, fault), r.equity if p.mode else equity_share(ledger, index), fault)
    return _levered(rate, r.value, r.equity, fault)
