"""The money half of an order's checks; the contract is in order_margin.pxd."""

from libc.stdint cimport int32_t, int64_t, uint32_t
from solvent._core.trade.admission cimport HOLD_ROUNDING, Trial, bears, bears_loss, closes_surely, closing_price, fit, put_back, try_on
from solvent._core.account.ledger cimport Collateral, Ledger, OpenSide, Position, backs, held_of, related
from solvent._core.account.margin cimport (
    collateral_value, free_units, hold_units, initial_units, opening_lots, opens_safely, side_hold,
)
from solvent._core.market.matching cimport crosses
from solvent._core.market.peaks cimport touch_ticks
from solvent._core.base.clauses cimport BOOK_7, BOOK_8, MAR_1, MAR_4, MON_8, must
from solvent._core.base.money cimport add, clamp, int128, min64, magnitude, max64, saturate, sub
from solvent._core.trade.preview cimport preview_end, preview_execute
from solvent._core.trade.lifecycle cimport closing_lots, fill_at_limit, reduced_before
from solvent._core.trade.state cimport WAITS, FillSide, State, Ticket
from solvent._core.contract.valuation cimport (
    Held, Instrument, accrued_units, allows, band_edge, initial_rise, loss_of, measure_with, tier_at, value_of, worth,
)
from solvent._core.base.schema cimport (
    BANKRUPTCY_LIMIT, BUY, CONTRACTS, DECREMENT, INSUFFICIENT_MARGIN, INVERSE, LEVERAGE_ABOVE_TIER, NET, NO_INSTRUMENT, OK,
    POSITION_LIMIT, SELL, TO_LIMIT,
)


cdef bint affords(State* s, uint32_t account, uint32_t currency, int128 needed, bint spendable) noexcept nogil:
    """True if `needed` units may be reserved, or leave a wallet: they are free there, and their collateral value is not needed
    elsewhere."""
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
    """Returns the ticket's price, or the edge of the band around another price where it lies beyond it."""
    cdef int64_t edge = band_edge(t.ins, around_ticks, t.side, s.rules.price_band_ppb)
    cdef int64_t price = min64(t.price_ticks, edge) if t.side == BUY else max64(t.price_ticks, edge)
    must(price <= edge if t.side == BUY else price >= edge, BOOK_8, &s.log.fault)
    return price


cdef void limit_to_bankruptcy(State* s, Ticket* t, Position* p) noexcept nogil:
    """Limits an order against the position to the price at which closing leaves nothing after its fee (§6). The limit is
    tighter where the domain that the currency backs needs more."""
    cdef int64_t price
    if closing_lots(p, t.side) == 0:
        return
    t.closes = True
    if closes_surely(&s.ledger, &s.rules, t.holder, t.limit_ticks):
        return
    price = closing_price(&s.ledger, &s.rules, t.holder)
    must(p.size_lots != 0 and closing_lots(p, t.side) > 0, BOOK_7, &s.log.fault)
    if price < t.limit_ticks if t.side == BUY else price > t.limit_ticks:
        price = clamp(price, 0, t.ins.max_price_ticks + 1)   # nothing trades outside legal prices
        if t.remaining_lots > magnitude(p.size_lots):
            t.turns = True      # the opening lots trade to the order's own limit
            t.closing_ticks = price
        else:
            must(price < t.limit_ticks if t.side == BUY else price > t.limit_ticks, BOOK_8, &s.log.fault)
            t.limit_ticks = price
            t.ending = BANKRUPTCY_LIMIT


cdef int check_margin(State* s, Ticket* t, Position* p, OpenSide* standing) noexcept nogil:
    """Checks tier, leverage and initial margin of the lots that may open after the immediate closing (MAR-4).

    standing: the contribution of the order's earlier terms, if this is an amendment, or NULL.
    """
    cdef int64_t closing = min64(t.remaining_lots, closing_lots(p, t.side))
    cdef bint tried = closing > 0 and t.way != WAITS and (
        t.turns or t.book.careful or crosses(t.book, t.side, t.limit_ticks))       # otherwise nothing closes at once
    cdef int64_t traded = 0
    cdef int64_t reached
    cdef bint stays
    cdef int code = OK
    if tried:
        traded = preview_execute(s, t, closing, &reached)
    must(0 <= traded <= closing and closing <= t.remaining_lots, MAR_4, &s.log.fault)
    stays = t.ending == 0 and (t.way == WAITS or not t.turns) and not (tried and s.preview.ended)
    if traded == closing or stays or t.stp_mode == DECREMENT:       # otherwise no lot rests, or could open
        code = _check_opening(s, t, p, standing, t.remaining_lots - traded)
    if tried:
        preview_end(s)
    return code


cdef int _check_opening(State* s, Ticket* t, Position* p, OpenSide* standing, int64_t lots) noexcept nogil:
    """Checks tier, leverage and initial margin of `lots` that rest or trade."""
    cdef OpenSide* open = &p.open[t.side]
    cdef OpenSide before
    cdef int64_t others = open.lots - (standing.lots if standing != NULL else 0)
    cdef int64_t opens = opening_lots(p, t.side, others + lots)
    cdef int64_t held
    cdef bint borne
    if lots == 0 or opens == 0 or opens == opening_lots(p, t.side, others):
        return OK
    # A position on the other side is not netted: a reduce-only order may close it first.
    held = max64(0, p.size_lots if t.side == BUY else -p.size_lots)
    must(others >= 0 and opens > 0, MAR_1, &s.log.fault)
    if held + others + lots > t.ins.max_size_lots:
        return POSITION_LIMIT
    if t.ins.basis == CONTRACTS:        # its own lots alone decide
        if not _fits(&s.ledger, p, held + others + lots):
            return POSITION_LIMIT
        if not _allowed(&s.ledger, p, held + opens):
            return LEVERAGE_ABOVE_TIER
    elif not _everyone(&s.ledger, p, _tier_measure(&s.ledger, p, t.side, others + lots, True), _fits):
        return POSITION_LIMIT
    elif not _everyone(&s.ledger, p, _tier_measure(&s.ledger, p, t.side, opens, True), _allowed):
        return LEVERAGE_ABOVE_TIER
    if standing != NULL:
        before = open[0]
        open.lots -= standing.lots
        open.value_units -= standing.value_units
        open.loss_units -= standing.loss_units
    borne = _bears_opening(s, t, p, lots, opens, standing == NULL)
    if standing != NULL:
        open[0] = before
    return OK if borne else INSUFFICIENT_MARGIN


cdef inline int64_t _hold_with(State* s, Ticket* t, Position* p, OpenSide* extra) noexcept nogil:
    """Returns the hold of the ticket's side with `extra`. The ticket keeps it for its rest, if no trade can change it."""
    cdef OpenSide* open = &p.open[t.side]
    t.tested.lots = open.lots + extra.lots
    t.tested.value_units = add(open.value_units, extra.value_units, &s.log.fault)
    t.tested.loss_units = add(open.loss_units, extra.loss_units, &s.log.fault)
    must(t.tested.lots >= extra.lots and (t.tested.value_units | t.tested.loss_units) >= 0, MON_8, &s.log.fault)
    t.tested_hold = side_hold(&s.ledger, t.ins, p, &t.tested, t.side)
    must(t.tested_hold >= 0, MAR_1, &s.log.fault)
    if closing_lots(p, t.side) > 0 or p.reduce.loss_units != 0:
        t.tested.lots = 0
    return t.tested_hold


cdef bint _bears_opening(State* s, Ticket* t, Position* p, int64_t lots, int64_t opens, bint adds) noexcept nogil:
    """True if free margin covers `lots` more, resting or filled at the limit, and SAFE-2 holds after the fill.

    opens: how many of a side's lots, these included, may open. adds: True if the order adds to all resting lots, so that no
    hold falls.
    """
    cdef int32_t* fault = &s.log.fault
    cdef int64_t price = max64(1, t.limit_ticks)      # a limit below every legal price trades nothing
    cdef int64_t free
    cdef int128 needed
    cdef OpenSide extra
    extra.lots = lots
    extra.value_units = value_of(t.ins, lots, price, False, fault)
    extra.loss_units = loss_of(t.ins, t.side, lots, price, t.open_loss_ticks, fault)
    must((extra.value_units | extra.loss_units) >= 0, MON_8, fault)
    needed = max64(p.hold_units, _hold_with(s, t, p, &extra)) if adds else hold_units(&s.ledger, p, &extra, t.side)
    must(not adds or needed >= p.hold_units, MAR_1, fault)
    needed -= p.hold_units
    if t.ins.accrual_ppb != 0:      # holds do not contain the accrued funding of the lots that may open
        needed += accrued_units(t.ins, opens if t.side == BUY else -opens, fault)
    if needed >= 0 and _adds_plainly(s, t, p, lots):       # no other currency counts
        free = free_units(&s.ledger, t.account, t.ins.currency, p.mode)
        if free < needed:
            return False
        # Isolated: after the fill, orders of the other side may hold what this side held before.
        if not p.mode or free - needed >= (p.hold_units if p.open[1 - t.side].lots else 0) + HOLD_ROUNDING:
            return True
    return _bears_at_limit(s, t, p, lots, needed, extra.value_units)


cdef bint _bears_at_limit(State* s, Ticket* t, Position* p, int64_t lots, int128 needed, int64_t value) noexcept nogil:
    """True if free margin covers what `lots` need when they rest, `needed`, and when they are filled at the limit."""
    cdef FillSide half
    fill_at_limit(s, t, lots, &half)
    must(half.effect.opened_lots != 0 or half.effect.closed_lots != 0, MAR_1, &s.log.fault)
    must(lots > 0 and value >= 0, MAR_1, &s.log.fault)
    needed += _beyond_hold(s, t, p, &half, value)
    if needed >= 0 and not affords(s, t.account, t.ins.currency, needed, p.mode):
        return False
    if needed >= 0 and half.effect.closed_lots == 0 and _implied(s, t.ins):
        return True
    return bears(&s.ledger, &s.rules, t.holder, &half.terms, &half.effect, 0, &half.safe)


cdef inline bint _implied(State* s, Instrument* ins) noexcept nogil:
    """True if `bears` is known to be true of a fill that closes nothing.

    An owner with the initial margin of every position, maintenance and fee included, is above the thresholds. The conclusion
    needs that nothing else counts, and that no other position's tier moves.
    """
    return not (s.rules.fee_at_bankruptcy or s.rules.at_threshold or s.ledger.orders_count or s.ledger.collateral_count
                or ins.basis == NET or ins.larger_leg)


cdef inline bint _gains(Ticket* t) noexcept nogil:
    """True if initial margin at mark is known to exceed that at the limit by less than a fill there gains."""
    return t.open_loss_ticks == 0 and t.ins.covers and t.ins.basis == CONTRACTS and not t.ins.at_entry and t.ins.kind != INVERSE


cdef inline bint _adds_plainly(State* s, Ticket* t, Position* p, int64_t lots) noexcept nogil:
    """True if the order closes nothing, and a fill at its limit is known to need no more than its hold."""
    if not _implied(s, t.ins) or (p.size_lots < 0 if t.side == BUY else p.size_lots > 0):
        return False
    if not p.mode:
        return _gains(t)
    return (t.open_loss_ticks == 0 or t.side == BUY) and opens_safely(&s.ledger, &s.rules, p, lots)


cdef inline int64_t _initial(State* s, Position* p) noexcept nogil:
    """Returns initial margin without accrued funding."""
    return initial_units(&s.ledger, p) - accrued_units(&s.ledger.instruments[p.instrument], p.size_lots, &s.log.fault)


cdef int64_t _beyond_hold(State* s, Ticket* t, Position* p, FillSide* half, int64_t value) noexcept nogil:
    """Returns the units that a fill at the limit needs and no hold has. Isolated: the lift of the position to R_own. Cross:
    initial margin at mark above that at the limit."""
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
    rise -= gain if gain > 0 or t.open_loss_ticks == 0 else 0       # holds contain a loss, but not the rounding at mark
    rise -= initial_rise(t.ins, value, p.leverage, lots, 0, 0, fault)
    return saturate(rise) if rise > 0 else 0


cdef int64_t reducible(State* s, Ticket* t, Position* p) noexcept nogil:
    """Returns the lots of the position that a reduce-only order may close. An order that trades at once may close all; one
    that rests, those that better resting ones leave (trading cuts the others)."""
    cdef int64_t closing = -p.size_lots if t.side == BUY else p.size_lots
    must(p.reduce.lots >= 0 and p.account == t.account, BOOK_7, &s.log.fault)
    cdef bint trades = t.terms != NULL and t.terms.shape_flags & TO_LIMIT
    if t.ending or closing <= 0 or (t.way != WAITS and (trades or touch_ticks(t.book, t.side, t.price_ticks) != 0)):
        return closing
    return closing - reduced_before(s, t, p)


# --- Tiers that orders can reach -----------------------------------------------------------------------

cdef inline bint _is(Position* p, Position* other) noexcept nogil:
    """True if a row is this position, which may be a copy that is about to change."""
    return p.instrument == other.instrument and p.leg == other.leg


cdef inline bint _together(Ledger* ledger, Position* p, Position* other) noexcept nogil:
    """True if another row shares this position's tiers: by net, the cross positions of its tier group."""
    if ledger.instruments[p.instrument].basis != NET or p.mode or other.mode:
        return False
    return p.instrument == other.instrument or related(ledger, p, other)


cdef inline void _count(Position* p, bint orders, int64_t* sides) noexcept nogil:
    """Counts the lots that a position could reach on either side."""
    sides[BUY] += max64(0, p.size_lots) + (opening_lots(p, BUY, p.open[BUY].lots) if orders else 0)
    sides[SELL] += max64(0, -p.size_lots) + (opening_lots(p, SELL, p.open[SELL].lots) if orders else 0)


cdef int64_t _tier_measure(Ledger* ledger, Position* p, int side, int64_t lots, bint orders) noexcept nogil:
    """Returns the measure in the tiers if `lots` more opened on `side`.

    By net, the larger side of each contract counts, because a hedge may be closed one leg at a time. `orders` adds the lots
    that its other orders could open.
    """
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    cdef int32_t index = ledger.accounts[p.account].first_position
    cdef uint32_t instrument = NO_INSTRUMENT
    cdef int64_t total = 0
    cdef int64_t own[2]
    cdef int64_t group_net[2]
    cdef Held held
    cdef Position* other
    if ins.basis != NET:
        held = held_of(ledger, p)
        return measure_with(ins, &held, side, lots, &ledger.log.fault)
    own[BUY] = own[SELL] = group_net[BUY] = group_net[SELL] = 0
    _count(p, orders, own)
    own[side] = max64(0, p.size_lots if side == BUY else -p.size_lots) + lots
    while index >= 0:
        other = &ledger.positions[index]
        if _together(ledger, p, other) and not _is(p, other):
            if other.instrument == p.instrument:
                _count(other, orders, own)
            else:
                if other.instrument != instrument:      # the rows are sorted by instrument
                    total += max64(group_net[BUY], group_net[SELL])
                    group_net[BUY] = group_net[SELL] = 0
                    instrument = other.instrument
                _count(other, orders, group_net)
        index = other.next
    must(own[BUY] >= 0 and own[SELL] >= 0 and own[side] >= lots, MAR_1, &ledger.log.fault)
    must(group_net[BUY] >= 0 and group_net[SELL] >= 0 and total >= 0, MAR_1, &ledger.log.fault)
    return total + max64(group_net[BUY], group_net[SELL]) + max64(own[BUY], own[SELL])


ctypedef bint (*Test)(Ledger* ledger, Position* p, int64_t measure) noexcept nogil


cdef bint _allowed(Ledger* ledger, Position* p, int64_t measure) noexcept nogil:
    """True if the tier of `measure` allows a position's leverage."""
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    return allows(ins, tier_at(ins, measure, p.chosen_tier), p.leverage)


cdef bint _fits(Ledger* ledger, Position* p, int64_t measure) noexcept nogil:
    """True if `measure` is within a position's table, up to a chosen tier."""
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    return measure <= ins.tiers[(p.chosen_tier if p.chosen_tier else ins.tier_count) - 1].top


cdef bint _everyone(Ledger* ledger, Position* p, int64_t measure, Test test) noexcept nogil:
    """True if a test holds for a position, and for those that share its tiers and have a size or an order."""
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
    """Returns the measure that the resting orders of a side could reach."""
    return _tier_measure(ledger, p, side, opening_lots(p, side, p.open[side].lots), True)


cdef int reach(Ledger* ledger, Position* p) noexcept nogil:
    """Returns the highest tier that the resting orders could reach."""
    return tier_at(&ledger.instruments[p.instrument], max64(_reach(ledger, p, BUY), _reach(ledger, p, SELL)), p.chosen_tier)


cdef bint fits(Ledger* ledger, Position* p) noexcept nogil:
    """True if the resting orders cannot lead beyond the last allowed tier."""
    return _everyone(ledger, p, max64(_reach(ledger, p, BUY), _reach(ledger, p, SELL)), _fits)
