"""The money half of order entry; the contract is in order_margin.pxd."""

from libc.stdint cimport int32_t, int64_t, uint32_t
from solvent._core.trade.admission cimport Trial, bears, bears_loss, closing_price, fit, put_back, try_on
from solvent._core.account.ledger cimport Collateral, Ledger, OpenSide, Position, backs, held_of, related
from solvent._core.account.margin cimport (
    collateral_value, free_units, hold_units, initial_units, opening_lots, opens_safely, side_hold,
)
from solvent._core.market.matching cimport crosses
from solvent._core.base.clauses cimport BOOK_7, BOOK_8, MAR_1, MAR_4, MON_8, must
from solvent._core.base.money cimport clamp, int128, least, magnitude, most, saturate, sub
from solvent._core.trade.preview cimport rehearsal_end, rehearse
from solvent._core.trade.lifecycle cimport closing_lots, fill_at_limit, reduced_before
from solvent._core.trade.state cimport FillSide, State, Ticket
from solvent._core.contract.valuation cimport (
    Held, Instrument, accrued_units, allows, band_edge, initial_rise, loss_of, measure_with, tier_at, value_of, worth,
)
from solvent._core.base.schema cimport (
    BANKRUPTCY_LIMIT, BUY, CONTRACTS, DECREMENT, INSUFFICIENT_MARGIN, INVERSE, LEVERAGE_ABOVE_TIER, NET, NO_INSTRUMENT,
    OK, POSITION_LIMIT, SELL,
)


cdef bint affords(State* s, uint32_t account, uint32_t currency, int128 needed, bint spendable) noexcept nogil:
    """Whether so much may be reserved, or leave a wallet: it is free there, and what it counts elsewhere is not needed."""
    cdef Ledger* l = &s.ledger
    cdef Collateral* each = backs(l, currency)
    cdef int64_t value, left, lost
    if free_units(l, account, currency, spendable) < needed:
        return False
    if spendable and not bears_loss(l, &s.rules, account, currency, needed):
        return False
    if each == NULL:
        return True
    value = collateral_value(l, account, each, 0)
    left = collateral_value(l, account, each, needed)
    must(left <= value or needed < 0, MAR_1, &s.log.fault)
    must(left >= 0, MAR_1, &s.log.fault)
    lost = value - left
    must(lost + left == value, MAR_1, &s.log.fault)
    return value == 0 or free_units(l, account, each.of, False) >= lost


cdef int64_t within_band(State* s, Ticket* t, int64_t around_ticks) noexcept nogil:
    """The price of a ticket, or the edge of the band around another price where it is beyond that."""
    cdef int64_t edge = band_edge(t.ins, around_ticks, t.side, s.rules.price_band_ppb)
    cdef int64_t price = least(t.price_ticks, edge) if t.side == BUY else most(t.price_ticks, edge)
    must(price <= edge if t.side == BUY else price >= edge, BOOK_8, &s.log.fault)
    return price


cdef void limit_to_bankruptcy(State* s, Ticket* t, Position* p) noexcept nogil:
    """An order against the position trades no further than where closing, fee paid, leaves nothing (§6), or too little of what
    its currency backs."""
    cdef int64_t price
    if p.size_lots == 0 or (p.size_lots > 0) == (t.side == BUY):
        return
    t.closes = True
    price = closing_price(&s.ledger, &s.rules, t.holder)
    must(p.size_lots != 0 and closing_lots(p, t.side) > 0, BOOK_7, &s.log.fault)
    if price < t.limit_ticks if t.side == BUY else price > t.limit_ticks:
        price = clamp(price, 0, t.ins.max_price_ticks + 1)   # outside the legal range nothing trades
        if t.remaining_lots > magnitude(p.size_lots):
            t.turns = True      # and what opens goes on to its own limit
            t.closing_ticks = price
        else:
            must(price < t.limit_ticks if t.side == BUY else price > t.limit_ticks, BOOK_8, &s.log.fault)
            t.limit_ticks = price
            t.ending = BANKRUPTCY_LIMIT


cdef int check_margin(State* s, Ticket* t, Position* p, OpenSide* standing) noexcept nogil:
    """Tier, leverage and initial margin of what the order may open, once it has closed what it closes at once (MAR-4).

    `standing`: what the order's own earlier terms contribute already (an amendment), or NULL.
    """
    cdef int64_t closing = least(t.remaining_lots, closing_lots(p, t.side))
    cdef int64_t traded, reached
    cdef bint stays
    cdef int code = OK
    if closing == 0:
        return _check_opening(s, t, p, standing, t.remaining_lots)
    traded = rehearse(s, t, closing, &reached)
    must(0 <= traded <= closing and closing <= t.remaining_lots, MAR_4, &s.log.fault)
    stays = t.ending == 0 and not t.turns and not s.rehearsal.ended
    if traded == closing or stays or t.stp_mode == DECREMENT:       # else nothing of it rests, or could open
        code = _check_opening(s, t, p, standing, t.remaining_lots - traded)
    rehearsal_end(s)
    return code


cdef int _check_opening(State* s, Ticket* t, Position* p, OpenSide* standing, int64_t lots) noexcept nogil:
    """The same of so many lots, which rest or trade."""
    cdef OpenSide before = p.open[t.side]
    cdef int64_t others = p.open[t.side].lots - (standing.lots if standing != NULL else 0)
    cdef int64_t opens = opening_lots(p, t.side, others + lots)
    cdef int64_t held
    cdef bint borne
    if lots == 0 or opens == opening_lots(p, t.side, others):
        return OK
    # Not netted against a position of the other side: a reduce-only order may close that first.
    held = most(0, p.size_lots if t.side == BUY else -p.size_lots)
    if held + others + lots > t.ins.max_size_lots:
        return POSITION_LIMIT
    if t.ins.basis == CONTRACTS:        # its own lots alone decide
        if not _fits(&s.ledger, p, held + others + lots):
            return POSITION_LIMIT
        if not _allowed(&s.ledger, p, held + opens):
            return LEVERAGE_ABOVE_TIER
    elif not _everyone(&s.ledger, p, _measure(&s.ledger, p, t.side, others + lots, True), _fits):
        return POSITION_LIMIT
    elif not _everyone(&s.ledger, p, _measure(&s.ledger, p, t.side, opens, True), _allowed):
        return LEVERAGE_ABOVE_TIER
    if standing != NULL:
        p.open[t.side].lots -= standing.lots
        p.open[t.side].value_units -= standing.value_units
        p.open[t.side].loss_units -= standing.loss_units
    borne = _bears_opening(s, t, p, lots, standing == NULL)
    p.open[t.side] = before
    must((opens > 0) & (others >= 0) & (held >= 0), MAR_1, &s.log.fault)
    return OK if borne else INSUFFICIENT_MARGIN


cdef bint _bears_opening(State* s, Ticket* t, Position* p, int64_t lots, bint adds) noexcept nogil:
    """Whether free margin bears so many lots more, resting or filled at the limit, and SAFE-2 holds if they are filled. adds: to
    all that rests, so that nothing reserves less."""
    cdef int32_t* fault = &s.log.fault
    cdef int64_t price = most(1, t.limit_ticks)      # a limit below every legal price trades nothing
    cdef int64_t opens = opening_lots(p, t.side, p.open[t.side].lots + lots)
    cdef int128 needed
    cdef OpenSide extra
    cdef FillSide half
    extra.lots = lots
    extra.value_units = value_of(t.ins, lots, price, False, fault)
    extra.loss_units = loss_of(t.ins, t.side, lots, price, t.open_loss_ticks, fault)
    needed = most(p.hold_units, side_hold(&s.ledger, p, &extra, t.side)) if adds else hold_units(&s.ledger, p, &extra, t.side)
    must(not adds or needed >= p.hold_units, MAR_1, fault)
    needed -= p.hold_units
    must((extra.value_units | extra.loss_units) >= 0, MON_8, fault)
    # Accrued funding of all that may open, for no hold has it.
    needed += accrued_units(t.ins, opens if t.side == BUY else -opens, fault)
    if needed >= 0 and _adds_plainly(s, t, p, lots):
        return affords(s, t.account, t.ins.currency, needed, p.mode)
    fill_at_limit(s, t, lots, &half)
    needed += _beyond_hold(s, t, p, &half, extra.value_units)
    if needed >= 0 and not affords(s, t.account, t.ins.currency, needed, p.mode):
        return False
    if needed >= 0 and half.effect.closed_lots == 0 and _implied(s, t.ins):
        return True
    return bears(&s.ledger, &s.rules, t.holder, &half.terms, &half.effect, 0, &half.safe)


cdef inline bint _implied(State* s, Instrument* ins) noexcept nogil:
    """Whether the answer of `bears` is known of a fill that closes nothing: who has the initial margin of every position,
    maintenance and fee included, is above his thresholds where nothing else counts in the test, and no other position's tier
    moves."""
    return not (s.rules.fee_at_bankruptcy or s.rules.at_threshold or s.ledger.orders_count or s.ledger.collateral_count
                or ins.basis == NET or ins.larger_leg)


cdef inline bint _gains(Ticket* t) noexcept nogil:
    """True if initial margin at mark is known to be above that at the limit by less than what a fill there gains."""
    return t.open_loss_ticks == 0 and t.ins.covers and t.ins.basis == CONTRACTS and not t.ins.at_entry and t.ins.kind != INVERSE


cdef inline bint _adds_plainly(State* s, Ticket* t, Position* p, int64_t lots) noexcept nogil:
    """True if the order closes nothing, and a fill at its limit is known to ask no more than its hold."""
    if not _implied(s, t.ins) or (p.size_lots < 0 if t.side == BUY else p.size_lots > 0):
        return False
    if not p.mode:
        return _gains(t)
    return (t.open_loss_ticks == 0 or t.side == BUY) and opens_safely(&s.ledger, &s.rules, p, lots)


cdef inline int64_t _initial(State* s, Position* p) noexcept nogil:
    """Initial margin without accrued funding."""
    return initial_units(&s.ledger, p) - accrued_units(&s.ledger.instruments[p.instrument], p.size_lots, &s.log.fault)


cdef int64_t _beyond_hold(State* s, Ticket* t, Position* p, FillSide* half, int64_t value) noexcept nogil:
    """What a fill at the limit asks that no hold has: isolated, what lifts the position to R_own; cross, initial margin of the
    position at mark."""
    cdef int32_t* fault = &s.log.fault
    cdef int64_t lots = magnitude(half.terms.size_delta)
    cdef int128 rise, gain
    cdef Trial before
    cdef int64_t lifted = fit(&s.ledger, &s.rules, t.holder, &half.effect)
    if p.mode:
        return lifted
    if _gains(t):
        return 0
    gain = sub(worth(t.ins, half.terms.size_delta, t.ins.mark_ticks, fault), half.terms.cost_delta, fault)
    rise = -_initial(s, p)
    try_on(&s.ledger, t.holder, &half.effect, False, &before)
    rise += _initial(s, p)
    put_back(&s.ledger, t.holder, &before)
    must(lots > 0, MAR_1, fault)
    rise -= gain if gain > 0 or t.open_loss_ticks == 0 else 0       # a loss is held; what rounding takes at mark is not
    rise -= initial_rise(t.ins, value, p.leverage, lots, 0, 0, fault)
    return saturate(rise) if rise > 0 else 0


cdef int64_t reducible(State* s, Ticket* t, Position* p) noexcept nogil:
    """How much of the position a reduce-only order may close: all of it where it trades at once, and where it rests what the
    resting ones leave that come first (trading cuts the others)."""
    cdef int64_t closing = -p.size_lots if t.side == BUY else p.size_lots
    must(p.reduce.lots >= 0 and p.account == t.account, BOOK_7, &s.log.fault)
    if t.ending or closing <= 0 or crosses(t.book, t.side, t.price_ticks):
        return closing
    return closing - reduced_before(s, t, p)


# --- Tiers that orders could lead to -------------------------------------------------------------------

cdef inline bint _is(Position* p, Position* other) noexcept nogil:
    """Whether a row is this position; it may be a copy that is about to change."""
    return p.instrument == other.instrument and p.leg == other.leg


cdef inline bint _together(Ledger* ledger, Position* p, Position* other) noexcept nogil:
    """Whether the tiers of another row go with those of this position: by net, the cross ones of its tier group."""
    if ledger.instruments[p.instrument].basis != NET or p.mode or other.mode:
        return False
    return p.instrument == other.instrument or related(ledger, p, other)


cdef inline void _count(Position* p, bint orders, int64_t* sides) noexcept nogil:
    """What a position could come to on either side."""
    sides[BUY] += most(0, p.size_lots) + (opening_lots(p, BUY, p.open[BUY].lots) if orders else 0)
    sides[SELL] += most(0, -p.size_lots) + (opening_lots(p, SELL, p.open[SELL].lots) if orders else 0)


cdef int64_t _measure(Ledger* ledger, Position* p, int side, int64_t lots, bint orders) noexcept nogil:
    """How far up the tiers a position could stand if so many lots of a side opened. Of nets each contract's larger side
    counts, with what its other orders could open, or without: a hedge may be closed one leg at a time."""
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    cdef int32_t index = ledger.accounts[p.account].first_position
    cdef uint32_t instrument = NO_INSTRUMENT
    cdef int64_t total = 0
    cdef int64_t own[2]
    cdef int64_t kin[2]
    cdef Held held
    cdef Position* other
    if ins.basis != NET:
        held = held_of(ledger, p)
        return measure_with(ins, &held, side, lots, &ledger.log.fault)
    own[BUY] = own[SELL] = kin[BUY] = kin[SELL] = 0
    _count(p, orders, own)
    own[side] = most(0, p.size_lots if side == BUY else -p.size_lots) + lots
    while index >= 0:
        other = &ledger.positions[index]
        if _together(ledger, p, other) and not _is(p, other):
            if other.instrument == p.instrument:
                _count(other, orders, own)
            else:
                if other.instrument != instrument:      # they come by instrument
                    total += most(kin[BUY], kin[SELL])
                    kin[BUY] = kin[SELL] = 0
                    instrument = other.instrument
                _count(other, orders, kin)
        index = other.next
    must(own[BUY] >= 0 and own[SELL] >= 0 and own[side] >= lots, MAR_1, &ledger.log.fault)
    must(kin[BUY] >= 0 and kin[SELL] >= 0 and total >= 0, MAR_1, &ledger.log.fault)
    return total + most(kin[BUY], kin[SELL]) + most(own[BUY], own[SELL])


ctypedef bint (*Test)(Ledger* ledger, Position* p, int64_t measure) noexcept nogil


cdef bint _allowed(Ledger* ledger, Position* p, int64_t measure) noexcept nogil:
    """Whether a position's leverage is allowed there."""
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    return allows(ins, tier_at(ins, measure, p.chosen_tier), p.leverage)


cdef bint _fits(Ledger* ledger, Position* p, int64_t measure) noexcept nogil:
    """Whether its table has a tier for it, up to a chosen one."""
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    return measure <= ins.tiers[(p.chosen_tier if p.chosen_tier else ins.tier_count) - 1].top


cdef bint _everyone(Ledger* ledger, Position* p, int64_t measure, Test test) noexcept nogil:
    """Whether a test holds of a position, and of those whose tiers go with it and that hold or order something."""
    cdef int32_t index = ledger.accounts[p.account].first_position
    cdef Position* other
    if not test(ledger, p, measure):
        return False
    if ledger.instruments[p.instrument].basis != NET:
        return True
    while index >= 0:
        other = &ledger.positions[index]
        if (_together(ledger, p, other) and not _is(p, other)
                and (other.size_lots != 0 or other.open[BUY].lots or other.open[SELL].lots)
                and not test(ledger, other, measure)):
            return False
        index = other.next
    return True


cdef int64_t _reach(Ledger* ledger, Position* p, int side) noexcept nogil:
    """How far the resting orders of a side could lead."""
    return _measure(ledger, p, side, opening_lots(p, side, p.open[side].lots), True)


cdef int reach(Ledger* ledger, Position* p) noexcept nogil:
    """The tier that the resting orders could lead to, on the side where it is the higher one."""
    return tier_at(&ledger.instruments[p.instrument], most(_reach(ledger, p, BUY), _reach(ledger, p, SELL)), p.chosen_tier)


cdef bint fits(Ledger* ledger, Position* p) noexcept nogil:
    """Whether the resting orders lead no further than a tier that there is, or that was chosen."""
    return _everyone(ledger, p, most(_reach(ledger, p, BUY), _reach(ledger, p, SELL)), _fits)
