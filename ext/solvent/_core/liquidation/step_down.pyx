"""Partial liquidation; the contract is in step_down.pxd, the readable twin in twin/liquidation/step_down.py."""

from libc.stdint cimport int32_t, int64_t
from libc.string cimport memset
from solvent._core.account.ledger cimport Account, Position, held_of, note
from solvent._core.account.margin cimport Requirement, bankruptcy_cost, domain_requirement
from solvent._core.base.clauses cimport LIQ_1, LIQ_2, LIQ_3, LIQ_5, MON_2, ORD_3, must
from solvent._core.base.money cimport RATE, ceil128, clamp, int128, min64, magnitude, max64, mul_div_trunc
from solvent._core.contract.valuation cimport (
    Held, Instrument, band_price, fee_units, lots_within, meets, price_paying, tier_of, value_at_mark, value_of,
)
from solvent._core.liquidation.case cimport AGAIN, GO_ON, OVER, Case
from solvent._core.market.book cimport book_room
from solvent._core.market.order_pool cimport pool_room
from solvent._core.trade.lifecycle cimport accept, rest_or_end, execute, ticket_at
from solvent._core.trade.state cimport State, Ticket
from solvent._core.base.schema cimport BUY, BY_CURE, BY_FRACTION, BY_TIERS, IOC, LIQUIDATION_FEE, PARTIAL, REDUCE_ONLY, SELL, UNFILLED
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


cdef void _requirement(State* s, Position* p, int32_t index, Requirement* r) noexcept nogil:
    must(p.size_lots != 0 or p.cost_units == 0, LIQ_1, &s.log.fault)
    domain_requirement(&s.ledger, &s.rules, index, r)


cdef bint _cures(State* s, int32_t index, int64_t lots) noexcept nogil:
    """True if closing these lots at mark, with its fee, leaves the domain at R_own and the buffer of the rule set."""
    cdef Position* p = &s.ledger.positions[index]
    cdef Instrument* ins = &s.ledger.instruments[p.instrument]
    cdef int32_t* fault = &s.log.fault
    cdef int64_t size = p.size_lots
    cdef int64_t cost = p.cost_units
    cdef Requirement now, then
    _requirement(s, p, index, &now)
    now.equity -= fee_units(value_of(ins, lots, ins.mark_ticks, False, fault), p.liquidation_fee_ppb, fault)
    p.size_lots = size - lots if size > 0 else size + lots
    p.cost_units = cost - mul_div_trunc(cost, lots, magnitude(size), fault)
    _requirement(s, p, index, &then)
    p.size_lots = size
    p.cost_units = cost
    must(0 < lots <= magnitude(size) and then.own >= 0, LIQ_1, fault)
    return now.equity >= ceil128(then.own * (RATE + s.rules.cure_buffer_ppb), RATE)


cdef int64_t _curing_lots(State* s, int32_t index) noexcept nogil:
    """Returns the fewest lots that cure the domain, all where none do: more lots cure no less."""
    cdef int64_t low = 0
    cdef int64_t high = magnitude(s.ledger.positions[index].size_lots)
    cdef int64_t middle
    must(high > 0 and s.rules.cure_buffer_ppb >= 0, LIQ_1, &s.log.fault)
    if not _cures(s, index, high):
        return high
    while high - low > 1:
        middle = low + ((high - low) >> 1)
        if _cures(s, index, middle):
            high = middle
        else:
            low = middle
    must(_cures(s, index, high) and (high == 1 or not _cures(s, index, high - 1)), LIQ_1, &s.log.fault)
    return high


cdef int64_t _fraction_lots(State* s, int32_t index) noexcept nogil:
    """Returns a part of the position, which begins the cooldown of its account; all of it in a cooldown, or if it is small."""
    cdef Position* p = &s.ledger.positions[index]
    cdef Account* account = &s.ledger.accounts[p.account]
    cdef int64_t held = magnitude(p.size_lots)
    cdef int64_t value = value_at_mark(&s.ledger.instruments[p.instrument], p.size_lots, &s.log.fault)
    must(0 < s.rules.partial_share_ppb <= RATE, LIQ_1, &s.log.fault)
    must(held > 0 and account.cooling_ns >= 0, LIQ_1, &s.log.fault)
    if value <= s.rules.partial_above_units or s.clock_ns < account.cooling_ns:
        return held
    account.cooling_ns = s.clock_ns + s.rules.partial_cooldown_ns
    must(account.cooling_ns >= s.clock_ns, LIQ_1, &s.log.fault)
    return <int64_t>ceil128(<int128>held * s.rules.partial_share_ppb, RATE)


cdef int64_t _lots(State* s, int32_t index, Held* held, int* target) noexcept nogil:
    """Returns how many lots are offered, and sets the tier, from 1, in which what is left shall be; 0 where none is aimed at."""
    cdef Position* p = &s.ledger.positions[index]
    cdef Instrument* ins = &s.ledger.instruments[p.instrument]
    cdef int64_t all = magnitude(p.size_lots)
    cdef int64_t lots
    cdef int tier = tier_of(ins, held, &s.log.fault)
    must(tier >= s.rules.step_tiers, LIQ_1, &s.log.fault)
    target[0] = 0
    if s.rules.partial == BY_TIERS:
        target[0] = tier + 1 - s.rules.step_tiers
        lots = all - lots_within(ins, held, tier - s.rules.step_tiers)
    else:
        lots = _curing_lots(s, index) if s.rules.partial == BY_CURE else _fraction_lots(s, index)
    must(0 < lots <= all, LIQ_1, &s.log.fault)
    if ins.limits != NULL and value_of(
            ins, all - lots, ins.mark_ticks, False, &s.log.fault) < ins.limits.least_notional_units:
        target[0] = 0                   # what would be left is less than anybody may order
        return all
    return lots


cdef bint _sell(State* s, int32_t index) noexcept nogil:
    """Offers lots of a position. Returns True if the domain is judged again: if any lot filled, or after a part or all."""
    cdef Position* p = &s.ledger.positions[index]
    cdef Instrument* ins = &s.ledger.instruments[p.instrument]
    cdef Held held = held_of(&s.ledger, p)
    cdef int k = tier_of(ins, &held, &s.log.fault)
    cdef int64_t held_lots = magnitude(p.size_lots)
    cdef bint once = s.rules.partial == BY_FRACTION     # one order at a mark
    cdef int target
    cdef Ticket t
    if not meets(ins):
        p.stuck = 1
        return False
    memset(&t, 0, sizeof(Ticket))
    t.side = SELL if p.size_lots > 0 else BUY
    t.limit_ticks = _limit(s, index, t.side)
    t.price_ticks = t.limit_ticks
    t.size_lots = _lots(s, index, &held, &target)
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
    if t.remaining_lots == t.size_lots or (once and s.ledger.positions[index].size_lots != 0):
        s.ledger.positions[index].stuck = 1
        note(&s.ledger, s.ledger.positions[index].account, t.ins.currency)      # its domain has no guard as long as it waits
        return once
    return True


cdef int step_down(State* s, Case* c) noexcept nogil:
    """Steps the candidate down. It is stuck until its instrument's next mark without a fill, or once a part was offered."""
    if c.verdict != PARTIAL or c.candidate < 0:
        return GO_ON
    must(c.requirement.equity < c.requirement.own and c.requirement.equity >= c.requirement.full, LIQ_1, &s.log.fault)
    must(not s.ledger.positions[c.candidate].stuck and s.ledger.positions[c.candidate].account == c.account, LIQ_1, &s.log.fault)
    return AGAIN if _sell(s, c.candidate) else OVER
