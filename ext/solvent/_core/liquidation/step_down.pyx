"""Partial liquidation; the contract is in step_down.pxd, the readable twin in twin/liquidation/step_down.py."""

from libc.stdint cimport int32_t, int64_t
from libc.string cimport memset
from solvent._core.account.ledger cimport Position, held_of, note
from solvent._core.account.margin cimport bankruptcy_cost
from solvent._core.base.clauses cimport LIQ_1, LIQ_2, LIQ_3, LIQ_5, MON_2, ORD_3, must
from solvent._core.base.money cimport clamp, min64, magnitude, max64
from solvent._core.contract.valuation cimport Held, Instrument, band_price, lots_within, meets, price_paying, tier_of, value_of
from solvent._core.liquidation.case cimport AGAIN, GO_ON, OVER, Case
from solvent._core.market.book cimport book_room
from solvent._core.market.order_pool cimport pool_room
from solvent._core.trade.lifecycle cimport accept, rest_or_end, execute, ticket_at
from solvent._core.trade.state cimport State, Ticket
from solvent._core.base.schema cimport BUY, IOC, LIQUIDATION_FEE, PARTIAL, REDUCE_ONLY, SELL, UNFILLED
from solvent._core.base.emit cimport emit_step_down


cdef int64_t _limit(State* s, int32_t index, int side) noexcept nogil:
    """Returns the bankruptcy price that pays the fee, no further from mark than the rule set allows, as a legal price."""
    cdef Position* p = &s.ledger.positions[index]
    cdef Instrument* ins = &s.ledger.instruments[p.instrument]
    cdef int64_t paying = price_paying(ins, p.size_lots, bankruptcy_cost(&s.ledger, index), p.liquidation_fee_ppb)
    cdef int64_t edge = band_price(ins, side, s.rules.step_limit_ppb)
    cdef int64_t price = clamp(max64(paying, edge) if side == SELL else min64(paying, edge), 1, ins.max_price_ticks)
    must(1 <= price <= ins.max_price_ticks, LIQ_5, &s.log.fault)
    must(price == ins.max_price_ticks or price >= edge if side == SELL else price == 1 or price <= edge, LIQ_5, &s.log.fault)
    must(price == ins.max_price_ticks or price >= paying if side == SELL else price == 1 or price <= paying, LIQ_3, &s.log.fault)
    return price


cdef bint _sell(State* s, int32_t index) noexcept nogil:
    """Offers the lots beyond the target tier. Returns True if any lot filled."""
    cdef Position* p = &s.ledger.positions[index]
    cdef Instrument* ins = &s.ledger.instruments[p.instrument]
    cdef Held held = held_of(&s.ledger, p)
    cdef int k = tier_of(ins, &held, &s.log.fault)
    cdef int64_t held_lots = magnitude(p.size_lots)
    cdef int target = k + 1 - s.rules.step_tiers
    cdef Ticket t
    if not meets(ins):
        p.stuck = 1
        return False
    memset(&t, 0, sizeof(Ticket))
    t.side = SELL if p.size_lots > 0 else BUY
    t.limit_ticks = _limit(s, index, t.side)
    t.price_ticks = t.limit_ticks
    t.size_lots = held_lots - lots_within(ins, &held, k - s.rules.step_tiers)
    if ins.limits != NULL and value_of(
            ins, held_lots - t.size_lots, ins.mark_ticks, False, &s.log.fault) < ins.limits.least_notional_units:
        t.size_lots = held_lots         # what would be left is less than anybody may order
        target = 0
    t.remaining_lots = t.size_lots
    t.holder = index
    t.account = p.account
    ticket_at(s, &t, p.instrument)
    t.tif = IOC
    t.flags = REDUCE_ONLY
    t.ending = UNFILLED
    t.fee_reason = LIQUIDATION_FEE
    must(k >= s.rules.step_tiers and 0 < t.size_lots <= magnitude(p.size_lots), LIQ_1, &s.log.fault)
    must(p.first_order < 0 and (t.side == SELL) == (p.size_lots > 0), LIQ_2, &s.log.fault)
    if pool_room(&s.pool) and book_room(&s.books[t.instrument]):
        emit_step_down(
            &s.log, side=t.side, account=t.account, instrument=t.instrument, tier=k + 1,
            size_lots=t.size_lots, limit_ticks=t.limit_ticks, target_tier=target,
            mark_ticks=s.ledger.instruments[t.instrument].mark_ticks, leg=p.leg)
        accept(s, &t)
        execute(s, &t)
        rest_or_end(s, &t)
    must(0 <= t.remaining_lots <= t.size_lots, ORD_3, &s.log.fault)
    must(magnitude(p.size_lots) == held_lots - t.size_lots + t.remaining_lots, MON_2, &s.log.fault)
    if t.remaining_lots == t.size_lots:
        s.ledger.positions[index].stuck = 1
        note(&s.ledger, p.account, ins.currency)        # its domain has no guard as long as it waits
        return False
    return True


cdef int step_down(State* s, Case* c) noexcept nogil:
    """Steps the candidate down. A candidate without a fill is stuck until its instrument's next mark."""
    if c.verdict != PARTIAL or c.candidate < 0:
        return GO_ON
    must(c.requirement.equity < c.requirement.own and c.requirement.equity >= c.requirement.full, LIQ_1, &s.log.fault)
    must(not s.ledger.positions[c.candidate].stuck and s.ledger.positions[c.candidate].account == c.account, LIQ_1, &s.log.fault)
    return AGAIN if _sell(s, c.candidate) else OVER
