"""The money half of order entry; the contract is in cover.pxd."""

from libc.stdint cimport int32_t, int64_t, uint32_t
from solvent._core.arena cimport DORMANT, DUE
from solvent._core.ledger cimport Collateral, Ledger, OpenSide, Position, backs, held_of, related
from solvent._core.margin cimport (
    Requirement, bankruptcy_cost, collateral_least, collateral_value, cross_requirement, domain_requirement, equity_share,
    free_units, hold_units, initial_units, opening_lots, spare_units, upl,
)
from solvent._core.matching cimport crosses
from solvent._core.money cimport INT64_MAX, add, clamp, int128, least, most, saturate, sub
from solvent._core.records cimport (
    BANKRUPTCY_LIMIT, BUY, INSUFFICIENT_MARGIN, LEVERAGE_ABOVE_TIER, NET, NO_INSTRUMENT, OK, POSITION_LIMIT, REDUCE_ONLY, SELL,
    UNCOVERED,
)
from solvent._core.trading cimport State, Ticket, cancel, reduced_before
from solvent._core.valuation cimport (
    Held, Instrument, accrued_units, allows, band_edge, initial_rise, loss_of, measure_with, price_paying, tier_at, value_of,
)


cdef bint affords(State* s, uint32_t account, uint32_t currency, int128 needed, bint spendable) noexcept nogil:
    """Whether so much may be reserved, or leave a wallet: it is free there, and what it counts elsewhere is not needed."""
    cdef Ledger* l = &s.ledger
    cdef Collateral* each = backs(l, currency)
    cdef int64_t value, left
    if free_units(l, account, currency, spendable) < needed:
        return False
    if each == NULL:
        return True
    value = collateral_value(l, account, each, 0)
    left = collateral_value(l, account, each, needed)
    return value == 0 or free_units(l, account, each.of, False) >= value - left


cdef bint endangered(State* s, uint32_t account, uint32_t currency) noexcept nogil:
    """Whether a cross domain is below its threshold, or the one that the currency's spare balance backs."""
    cdef Collateral* each
    cdef Requirement r
    cross_requirement(&s.ledger, &s.rules, account, currency, &r)
    if r.equity < r.own:
        return True
    each = backs(&s.ledger, currency)
    if each == NULL:
        return False
    cross_requirement(&s.ledger, &s.rules, account, each.of, &r)
    return r.equity < r.own


cdef int64_t bearable(State* s, int32_t index) noexcept nogil:
    """What the domain of a position may lose before it, or one that it backs, is below its threshold."""
    cdef Ledger* l = &s.ledger
    cdef Position* p = &l.positions[index]
    cdef Requirement r
    cdef int128 slack
    cdef int64_t bears
    domain_requirement(l, &s.rules, index, &r)
    slack = r.equity - r.own
    bears = saturate(slack) if slack > 0 else 0
    return bears if p.mode else least(bears, _room(s, p.account, l.instruments[p.instrument].currency))


cdef int64_t _room(State* s, uint32_t account, uint32_t currency) noexcept nogil:
    """What a spare balance may lose before the domain that it backs is below its threshold; INT64_MAX: all of it, and more."""
    cdef Ledger* l = &s.ledger
    cdef Collateral* each = backs(l, currency)
    cdef Requirement r
    cdef int128 slack, value
    if each == NULL:
        return INT64_MAX
    cross_requirement(l, &s.rules, account, each.of, &r)
    slack = r.equity - r.own
    value = collateral_value(l, account, each, 0)
    value -= slack if slack > 0 else 0
    if r.positions == 0 or value <= 0:
        return INT64_MAX
    return spare_units(l, account, currency) - collateral_least(l, each, <int64_t>value)


cdef int64_t _left_over(State* s, int32_t index) noexcept nogil:
    """The equity of a cross domain above what is asked of it without this position."""
    cdef Position* p = &s.ledger.positions[index]
    cdef int64_t size = p.size_lots
    cdef int64_t cost = p.cost_units
    cdef Requirement r, rest
    domain_requirement(&s.ledger, &s.rules, index, &r)
    p.size_lots = p.cost_units = 0
    domain_requirement(&s.ledger, &s.rules, index, &rest)
    p.size_lots, p.cost_units = size, cost
    return most(0, saturate(r.equity - rest.own))


cdef int64_t closing_share(State* s, int32_t index) noexcept nogil:
    """What closing a cross position may lose to mark: its share of equity, or of a hedge of which one side counts what leaves
    enough for the rest; and no more than its own margin and what the domain that it backs can spare."""
    cdef Ledger* l = &s.ledger
    cdef Position* p = &l.positions[index]
    cdef Instrument* ins = &l.instruments[p.instrument]
    cdef int64_t share, room
    if p.mode:
        return 0
    share = _left_over(s, index) if ins.larger_leg else equity_share(l, index)
    room = _room(s, p.account, ins.currency)
    return share if room == INT64_MAX else least(share, saturate(<int128>room + most(initial_units(l, p), upl(l, p))))


cdef int64_t closing_cost(State* s, int32_t index) noexcept nogil:
    """The exact signed cost at which closing a position costs all that it may."""
    cdef Ledger* l = &s.ledger
    cdef Position* p = &l.positions[index]
    cdef int32_t* fault = &s.log.fault
    if p.mode:
        return bankruptcy_cost(l, index)
    return sub(add(p.cost_units, upl(l, p), fault), closing_share(s, index), fault)


cdef int64_t within_band(State* s, Ticket* t, int64_t around_ticks) noexcept nogil:
    """The price of a ticket, or the edge of the band around another price where it is beyond that."""
    cdef int64_t edge = band_edge(t.ins, around_ticks, t.side, s.rules.price_band_ppb)
    return least(t.price_ticks, edge) if t.side == BUY else most(t.price_ticks, edge)


cdef void limit_to_bankruptcy(State* s, Ticket* t, Position* p) noexcept nogil:
    """An order against the position trades no further than where closing, fee paid, leaves nothing (§6), or too little of what
    its currency backs."""
    cdef Instrument* ins = t.ins
    cdef int64_t price
    if t.holder < 0 or p.size_lots == 0 or (p.size_lots > 0) == (t.side == BUY):
        return
    t.closes = True
    price = price_paying(ins, p.size_lots, closing_cost(s, t.holder), ins.taker_fee_ppb)
    if price < t.limit_ticks if t.side == BUY else price > t.limit_ticks:
        t.limit_ticks = clamp(price, 0, ins.max_price_ticks + 1)   # outside the legal range nothing trades
        t.ending = BANKRUPTCY_LIMIT


cdef int check_margin(State* s, Ticket* t, Position* p, OpenSide* standing) noexcept nogil:
    """Tier, leverage and initial margin of what the order may open; pure reductions pass (MAR-4).

    `standing`: what the order's own earlier terms contribute already (an amendment), or NULL.
    """
    cdef Instrument* ins = t.ins
    cdef int32_t* fault = &s.log.fault
    cdef int64_t size, lots, price
    cdef int128 needed
    cdef OpenSide extra
    cdef OpenSide others = p.open[t.side]
    if standing != NULL:
        others.lots -= standing.lots
    lots = opening_lots(p, t.side, others.lots + t.remaining_lots)
    if lots == opening_lots(p, t.side, others.lots):
        return OK
    # Not netted against a position of the other side: a reduce-only order may close that first.
    size = most(0, p.size_lots if t.side == BUY else -p.size_lots)
    if size + others.lots + t.remaining_lots > ins.max_size_lots:
        return POSITION_LIMIT
    if not _everyone(&s.ledger, p, _measure(&s.ledger, p, t.side, others.lots + t.remaining_lots, True), _fits):
        return POSITION_LIMIT
    if not _everyone(&s.ledger, p, _measure(&s.ledger, p, t.side, lots, True), _allowed):
        return LEVERAGE_ABOVE_TIER
    extra.lots = t.remaining_lots
    price = most(1, t.limit_ticks)      # a limit below every legal price trades nothing
    extra.value_units = value_of(ins, t.remaining_lots, price, False, fault)
    extra.loss_units = loss_of(ins, t.side, t.remaining_lots, price, t.open_loss_ticks, fault)
    if standing != NULL:
        extra.lots -= standing.lots
        extra.value_units -= standing.value_units
        extra.loss_units -= standing.loss_units
    # Accrued funding of all that may open, for no hold has it.
    needed = <int128>hold_units(&s.ledger, p, &extra, t.side) - p.hold_units
    needed += accrued_units(ins, lots if t.side == BUY else -lots, fault)
    needed += _at_mark(s, t, p)
    if needed >= 0 and not affords(s, t.account, ins.currency, needed, p.mode):
        return INSUFFICIENT_MARGIN
    return OK


cdef int64_t _at_mark(State* s, Ticket* t, Position* p) noexcept nogil:
    """What initial margin at mark, which a cross position is asked, is above that at a limit worse than mark."""
    cdef int32_t* fault = &s.log.fault
    cdef int64_t lots = t.remaining_lots
    cdef int64_t at_limit
    if p.mode or t.open_loss_ticks == 0:
        return 0
    at_limit = initial_rise(t.ins, value_of(t.ins, lots, most(1, t.limit_ticks), False, fault), p.leverage, lots, 0, 0, fault)
    return most(0, initial_rise(
        t.ins, value_of(t.ins, lots, t.ins.mark_ticks, True, fault), p.leverage, lots, 0, 0, fault) - at_limit)


cdef int64_t reducible(State* s, Ticket* t, Position* p) noexcept nogil:
    """How much of the position a reduce-only order may close: all of it where it trades at once, and where it rests what the
    resting ones leave that come first (trading cuts the others)."""
    cdef int64_t closing = -p.size_lots if t.side == BUY else p.size_lots
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


cdef bint _within_tier(Ledger* ledger, Position* p) noexcept nogil:
    """Whether the leverage is allowed wherever the resting orders could lead that goes beyond the position."""
    cdef int64_t held = _measure(ledger, p, BUY if p.size_lots > 0 else SELL, 0, False)
    cdef int64_t measure
    cdef int side
    for side in range(2):
        measure = _reach(ledger, p, side)
        if measure > held and not _everyone(ledger, p, measure, _allowed):
            return False
    return True


cdef Free free_now(State* s, Ticket* t) noexcept nogil:
    """What an account has free before an order of its own; nothing in a Book alone."""
    cdef Collateral* each
    cdef Free found
    found.own = found.backed = 0
    if s.bare:
        return found
    each = backs(&s.ledger, t.ins.currency)
    found.own = free_units(&s.ledger, t.account, t.ins.currency, False)
    if each != NULL:
        found.backed = free_units(&s.ledger, t.account, each.of, False)
    return found


cdef void uncover(State* s, Ticket* t, Free before) noexcept nogil:
    """After an order of its own an account must still bear its other orders (decision 0004).

    A closing order is never refused for margin, but it may spend what other orders rely on, or close what
    they lean on. Where free is negative then, and lower than before, ordinary orders are cancelled: by
    instrument, newest first, until it is not.
    """
    cdef uint32_t currency = s.ledger.instruments[t.instrument].currency
    cdef Collateral* each = backs(&s.ledger, currency)
    _uncover(s, t, currency, least(0, before.own))
    if each != NULL:
        _uncover(s, t, each.of, least(0, before.backed))


cdef void _uncover(State* s, Ticket* t, uint32_t currency, int64_t least_free) noexcept nogil:
    """Of one of the currencies; what is wanted elsewhere no order of the worked position's own currency holds either."""
    cdef Ledger* l = &s.ledger
    cdef int32_t index = l.accounts[t.account].first_position
    cdef int32_t slot, next
    cdef uint32_t its
    cdef bint short = free_units(l, t.account, currency, False) < least_free
    if not short and _within_tier(l, &l.positions[t.holder]):
        return
    while index >= 0:
        its = l.instruments[l.positions[index].instrument].currency
        slot = l.positions[index].first_order if its == currency or its == t.ins.currency else -1
        while slot >= 0 and ((short and l.positions[index].hold_units > 0) or not _within_tier(l, &l.positions[index])):
            next = s.arena.own[slot].next
            if (currency != t.ins.currency or not s.arena.orders[slot].flags & REDUCE_ONLY) and not s.arena.orders[slot].state & (DORMANT | DUE):
                cancel(s, slot, UNCOVERED)
                short = free_units(l, t.account, currency, False) < least_free
            slot = next
        index = l.positions[index].next
