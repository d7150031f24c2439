"""Requirements, shares and holds; the contract is in margin.pxd."""

from libc.stdint cimport int32_t, int64_t, uint32_t
from solvent._core.account.ledger cimport Collateral, Ledger, OpenSide, Position, Wallet, hedged, held_of, walk_begin, walk_end, wallet_of
from solvent._core.base.clauses cimport LIQ_1, LIQ_3, MAR_1, MAR_3, MON_6, MON_8, is_ceil, must
from solvent._core.base.money cimport (
    COLLATERAL_MAX, RATE, add, ceil128, floor128, int128, min64, magnitude, max64, mul_div_ceil, narrow, saturate, total,
    sub,
)
from solvent._core.contract.valuation cimport (
    Held, Instrument, accrued_units, allows, asked, asked_of, closing_fee, fee_units, initial_of, is_lesser, rate_of, tier_at, tier_of, upl_of,
    worth,
)
from solvent._core.base.schema cimport BUY, BY_FEE, CONTRACTS, IGNORED, SELL

cdef inline int64_t _price(Ledger* ledger, Collateral* each) noexcept nogil:
    """Returns the index, or else the mark; 0 while there is neither."""
    cdef Instrument* ins = &ledger.instruments[each.instrument]
    return ins.index_ticks if ins.index_ticks else ins.mark_ticks


cdef int64_t collateral_value(Ledger* ledger, uint32_t account, Collateral* each, int128 less) noexcept nogil:
    """Returns the value of the spare balance, less `less`, in the other currency; 0 without a price."""
    cdef int128 units = <int128>spare_units(ledger, account, each.currency) - less
    cdef int128 whole, part
    if units <= 0:
        return 0
    units = units * _price(ledger, each)
    whole = floor128(units, each.denominator)
    if whole > floor128(COLLATERAL_MAX, each.numerator):
        return COLLATERAL_MAX
    part = floor128((units - whole * each.denominator) * each.numerator, each.denominator)
    must(units >= whole * each.denominator and units < (whole + 1) * each.denominator, MON_6, &ledger.log.fault)
    must(part >= 0 and part <= each.numerator, MON_6, &ledger.log.fault)
    return min64(COLLATERAL_MAX, saturate(whole * each.numerator + part))


cdef int64_t collateral_least(Ledger* ledger, Collateral* each, int64_t value) noexcept nogil:
    """Returns the smallest balance whose collateral value is at least `value`."""
    if value <= 0:
        return 0
    must(_price(ledger, each) > 0 and each.numerator > 0, MAR_1, &ledger.log.fault)
    must(value <= COLLATERAL_MAX, MAR_1, &ledger.log.fault)
    return saturate(ceil128(<int128>value * each.denominator, <int128>_price(ledger, each) * each.numerator))


cdef int64_t backing(Ledger* ledger, uint32_t account, uint32_t currency) noexcept nogil:
    """Returns the cash of a margin domain plus the collateral value of other currencies."""
    cdef int64_t units = wallet_of(ledger, account, currency).cash_units
    cdef int32_t i
    for i in range(ledger.collateral_count):
        if ledger.collateral[i].of == currency:
            units = add(units, collateral_value(ledger, account, &ledger.collateral[i], 0), &ledger.log.fault)
    return units


cdef int64_t upl(Ledger* ledger, Position* p) noexcept nogil:
    """Returns unrealised profit at mark."""
    return upl_of(&ledger.instruments[p.instrument], p.size_lots, p.cost_units, &ledger.log.fault)


# --- The ratio test (semantics §2) ---------------------------------------------------------------------

cdef int128 _threshold(Rules* rules, Instrument* ins, Held* held, Band* band, int128 equity, int32_t* fault) noexcept nogil:
    cdef int128 cost
    if not rules.fee_at_bankruptcy or is_lesser(ins, held):
        return asked(ins, held, band.tier, band.fee_ppb, fault)
    cost = worth(ins, held.size_lots, ins.mark_ticks, fault) - equity      # the cost at which the domain's equity is zero
    return asked(ins, held, band.tier, 0, fault) + <int128>closing_fee(ins, held.size_lots, cost, band.fee_ppb) * RATE


cdef void thresholds(Ledger* ledger, Rules* rules, Position* p, int128 equity, int128* full, int128* own) noexcept nogil:
    """Finds (full, own) of an open position in units times RATE; reads its domain's equity where the rule set needs it."""
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    cdef int32_t* fault = &ledger.log.fault
    cdef Held held = held_of(ledger, p)
    cdef Band low, high
    cdef int tier = tier_of(ins, &held, fault)
    bands(rules, p, tier, &low, &high)
    full[0] = _threshold(rules, ins, &held, &low, equity, fault)
    own[0] = full[0]
    if tier >= rules.step_tiers:
        own[0] = _threshold(rules, ins, &held, &high, equity, fault)
        if own[0] < full[0]:
            own[0] = full[0]
    must(own[0] >= full[0], LIQ_1, fault)
    must(full[0] >= 0, LIQ_1, fault)


cdef inline void _add(Ledger* ledger, Rules* rules, Position* p, int128 equity, Requirement* r) noexcept nogil:
    """Adds a position's profit, thresholds and value; one ceil for each threshold."""
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    cdef int32_t* fault = &ledger.log.fault
    cdef int64_t signed = worth(ins, p.size_lots, ins.mark_ticks, fault)
    cdef int64_t low, high
    cdef int128 full, own, units
    r.equity += signed
    r.equity -= p.cost_units
    r.value += magnitude(signed)
    r.positions += 1 if p.size_lots != 0 else 0
    if is_plain(rules, ins):
        plain_rates(rules, ins, p, magnitude(p.size_lots), &low, &high)
        must((0 <= low) & (low <= high), LIQ_1, fault)
        units = fee_units(magnitude(signed), low, fault)
        r.full += units
        r.own += units if high == low else fee_units(magnitude(signed), high, fault)
        return
    thresholds(ledger, rules, p, equity, &full, &own)
    units = ceil128(full, RATE)
    r.full += units
    r.own += units if own == full else ceil128(own, RATE)


cdef void _add_orders(Ledger* ledger, Rules* rules, Position* p, Requirement* r) noexcept nogil:
    """Adds resting orders to a cross domain's test: the dearer side's value at its tier's rates, or its fee."""
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    cdef int32_t* fault = &ledger.log.fault
    cdef int64_t value = 0
    cdef int64_t lowest = 0
    cdef int64_t highest = 0
    cdef int64_t opening
    cdef Held held = held_of(ledger, p)
    cdef Band full, own
    cdef int side
    bands(rules, p, tier_of(ins, &held, fault), &full, &own)
    for side in range(2):
        opening = _opening_value(ledger, p, side)
        value = max64(value, opening)
        if rules.orders == BY_FEE:
            continue
        lowest = max64(lowest, asked_of(ins, side, opening, full.tier, p.leverage, full.fee_ppb, fault))
        highest = max64(highest, asked_of(ins, side, opening, own.tier, p.leverage, own.fee_ppb, fault))
    r.orders += value > 0
    if rules.orders == BY_FEE:
        r.equity -= fee_units(value, ins.taker_fee_ppb, fault)
        return
    must(value >= 0 and lowest >= 0 and highest >= 0, LIQ_1, fault)
    r.full += lowest
    r.own += max64(lowest, highest)
    r.value += value


cdef inline void _begin(Requirement* r, int64_t base) noexcept nogil:
    r.equity = base
    r.full = 0
    r.own = 0
    r.value = 0
    r.positions = 0
    r.orders = 0


cdef void _changed(Rules* rules, Requirement* r) noexcept nogil:
    """Sets the takeover threshold as a part of R_own. It adds a unit to both if a ratio at a threshold is below it."""
    if rules.takeover_parts:
        r.full = ceil128(r.own * rules.takeover_times, rules.takeover_parts)
    if rules.at_threshold and r.positions:      # a safe domain is then below neither threshold
        r.full += 1
        r.own += 1


cdef inline void _end(Rules* rules, Requirement* r) noexcept nogil:
    if rules.ends:
        _changed(rules, r)


cdef void isolated_requirement(Ledger* ledger, Rules* rules, int32_t index, Requirement* r) noexcept nogil:
    cdef Position* p = &ledger.positions[index]
    _begin(r, p.margin_units)
    _add(ledger, rules, p, <int128>p.margin_units + upl(ledger, p) if rules.fee_at_bankruptcy else 0, r)
    _end(rules, r)
    must((r.own >= r.full) & (r.full >= 0), LIQ_1, &ledger.log.fault)


cdef int128 slack_part(Ledger* ledger, Rules* rules, Position* p) noexcept nogil:
    """Returns what a position and its orders add to its domain's slack; with a fee by equity, as the only one in it."""
    cdef Requirement r
    cdef int128 equity = 0
    _begin(&r, 0)
    if p.size_lots != 0:
        if rules.fee_at_bankruptcy:
            equity = p.margin_units if p.mode else wallet_of(
                ledger, p.account, ledger.instruments[p.instrument].currency).cash_units
            equity += upl(ledger, p)
        _add(ledger, rules, p, equity, &r)
    if not p.mode and rules.orders != IGNORED:
        _add_orders(ledger, rules, p, &r)
    return r.equity - r.own


cdef bint isolated_holds(Ledger* ledger, Rules* rules, int32_t index) noexcept nogil:
    """True if an isolated position is at R_own or above: equity >= ceil(own), without the division."""
    cdef Position* p = &ledger.positions[index]
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    cdef int128 equity, full, own
    if is_plain(rules, ins):
        return plain_holds(ledger, rules, ins, p, p.size_lots, p.cost_units, p.margin_units)
    equity = <int128>p.margin_units + worth(ins, p.size_lots, ins.mark_ticks, &ledger.log.fault) - p.cost_units
    if p.size_lots == 0:
        return equity >= 0
    thresholds(ledger, rules, p, equity, &full, &own)
    return (equity - (1 if rules.at_threshold else 0)) * RATE >= own


cdef int128 _equity(Ledger* ledger, uint32_t account, uint32_t currency) noexcept nogil:
    """Returns the equity of a cross domain."""
    cdef int128 equity = backing(ledger, account, currency)
    cdef int32_t index = ledger.accounts[account].first_position
    cdef Position* p
    while index >= 0:
        p = &ledger.positions[index]
        if p.size_lots != 0 and not p.mode and ledger.instruments[p.instrument].currency == currency:
            equity += upl(ledger, p)
        index = p.next
    return equity


cdef void cross_requirement(Ledger* ledger, Rules* rules, uint32_t account, uint32_t currency, Requirement* r) noexcept nogil:
    cdef int32_t index = ledger.accounts[account].first_position
    cdef int128 equity = _equity(ledger, account, currency) if rules.fee_at_bankruptcy else 0
    cdef Position* p
    _begin(r, backing(ledger, account, currency))
    walk_begin(ledger, account)
    while index >= 0:
        p = &ledger.positions[index]
        if not p.mode and ledger.instruments[p.instrument].currency == currency:
            if p.size_lots != 0:
                _add(ledger, rules, p, equity, r)
            if rules.orders != IGNORED:
                _add_orders(ledger, rules, p, r)
        index = p.next
    walk_end(ledger)
    _end(rules, r)
    must((r.own >= r.full) & (r.full >= 0), LIQ_1, &ledger.log.fault)
    must(not rules.fee_at_bankruptcy or r.equity == equity or rules.orders != IGNORED, LIQ_1, &ledger.log.fault)
    must(r.value >= 0 and (r.positions > 0 or r.orders > 0 or r.own == 0), LIQ_1, &ledger.log.fault)


cdef void domain_requirement(Ledger* ledger, Rules* rules, int32_t index, Requirement* r) noexcept nogil:
    """Finds the requirement of a position's margin domain: it alone, or the account's cross positions in its currency."""
    cdef Position* p = &ledger.positions[index]
    if p.mode:
        isolated_requirement(ledger, rules, index, r)
    else:
        cross_requirement(ledger, rules, p.account, ledger.instruments[p.instrument].currency, r)


cdef int128 own_part(Ledger* ledger, Rules* rules, int32_t index) noexcept nogil:
    """Returns an open position's part of R_own, without the unit that the rule set may add to a whole domain."""
    cdef Position* p = &ledger.positions[index]
    cdef int128 equity = 0
    cdef int128 full, own
    if p.mode:
        equity = <int128>p.margin_units + upl(ledger, p)
    elif rules.fee_at_bankruptcy:
        equity = _equity(ledger, p.account, ledger.instruments[p.instrument].currency)
    thresholds(ledger, rules, p, equity, &full, &own)
    return ceil128(own, RATE)


cdef void threshold_rates(Ledger* ledger, Rules* rules, Position* p, int64_t* full, int64_t* own) noexcept nogil:
    """Finds the rates of both thresholds, fees included, before what a tier deducts or a curve adds."""
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    cdef Held held = held_of(ledger, p)
    cdef Band low, high
    full[0] = own[0] = 0
    if is_lesser(ins, &held):
        return
    bands(rules, p, tier_of(ins, &held, &ledger.log.fault), &low, &high)
    full[0] = rate_of(ins, &held, low.tier) + low.fee_ppb
    own[0] = max64(full[0], rate_of(ins, &held, high.tier) + high.fee_ppb)


# --- Bankruptcy (semantics §3, §4) ---------------------------------------------------------------------

cdef int64_t _maintenance(Ledger* ledger, Position* p) noexcept nogil:
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    cdef int32_t* fault = &ledger.log.fault
    cdef Held held
    if ins.plain and ins.accrual_ppb == 0:
        return plain_maintenance(ins, p, position_value(ledger, p), fault)
    held = held_of(ledger, p)
    return narrow(ceil128(asked(ins, &held, tier_of(ins, &held, fault), 0, fault), RATE), fault)


cdef inline bint _shares(Ledger* ledger, Position* p, uint32_t currency) noexcept nogil:
    """True if a position is one of those that share a cross domain's equity."""
    return p.size_lots != 0 and not p.mode and ledger.instruments[p.instrument].currency == currency


cdef void shares_of(Ledger* ledger, uint32_t account, uint32_t currency, Shares* found) noexcept nogil:
    """Divides a cross domain's equity among its positions by their maintenance margin; a single one has all of it."""
    cdef int32_t* fault = &ledger.log.fault
    cdef int32_t index = ledger.accounts[account].first_position
    cdef int64_t needed, largest_needed = -1
    cdef Position* p
    found.equity = backing(ledger, account, currency)
    found.total = found.whole = 0
    found.count = 0
    found.largest = -1
    walk_begin(ledger, account)
    while index >= 0:
        p = &ledger.positions[index]
        if _shares(ledger, p, currency):
            needed = _maintenance(ledger, p)
            must(needed >= 0, LIQ_3, fault)
            found.equity += upl(ledger, p)
            found.total += needed
            found.count += 1
            if needed > largest_needed:
                largest_needed = needed
                found.largest = index
        index = p.next
    found.left_over = found.equity
    if found.count > 1 and found.total > 0:
        found.whole = floor128(found.equity, found.total)   # equity * MM may exceed 128 bits: split off multiples of the total
        index = ledger.accounts[account].first_position
        while index >= 0:
            p = &ledger.positions[index]
            if _shares(ledger, p, currency):
                found.left_over -= _part_of(ledger, p, found)
            index = p.next
        must(found.left_over >= 0 and found.left_over <= ledger.instrument_count * 2, LIQ_3, fault)
    walk_end(ledger)
    must(found.count <= ledger.position_count and (found.count > 0) == (found.largest >= 0), LIQ_3, &ledger.log.fault)


cdef int128 _part_of(Ledger* ledger, Position* p, Shares* shares) noexcept nogil:
    """Returns floor(E * MM_i / sum MM)."""
    cdef int64_t needed = _maintenance(ledger, p)
    cdef int128 over = (shares.equity - shares.whole * shares.total) * needed
    cdef int128 rest = floor128(over, shares.total)
    must(over >= rest * shares.total and over < (rest + 1) * shares.total, MON_6, &ledger.log.fault)
    return shares.whole * needed + rest


cdef int64_t share_in(Ledger* ledger, Shares* shares, int32_t index) noexcept nogil:
    """Returns E_i = floor(E * MM_i / sum MM) of a cross position; left-over units go to the largest MM."""
    cdef int32_t* fault = &ledger.log.fault
    cdef int128 share
    if shares.count == 1:
        return narrow(shares.equity, fault)
    if shares.total <= 0:      # a position requires nothing only if the other side of its hedge requires more
        fault[0] = 3
        return 0
    share = _part_of(ledger, &ledger.positions[index], shares)
    must(shares.count > 1 and shares.largest >= 0, LIQ_3, fault)
    return narrow(share + shares.left_over if index == shares.largest else share, fault)


cdef int64_t equity_share(Ledger* ledger, int32_t index) noexcept nogil:
    """Returns a cross position's share of its domain's equity."""
    cdef Shares shares
    cdef Position* p = &ledger.positions[index]
    shares_of(ledger, p.account, ledger.instruments[p.instrument].currency, &shares)
    must(shares.count > 0, LIQ_3, &ledger.log.fault)
    return share_in(ledger, &shares, index)


cdef int64_t bankruptcy_in(Ledger* ledger, int32_t index, Shares* shares) noexcept nogil:
    """Returns the exact signed cost at which a position leaves nothing; the house takes it over at that cost. shares: those of its
    domain, if it is a cross position."""
    cdef Position* p = &ledger.positions[index]
    cdef int32_t* fault = &ledger.log.fault
    must(p.size_lots != 0, LIQ_3, fault)
    must(p.mode or p.margin_units == 0, MAR_3, fault)
    if p.mode:
        return sub(p.cost_units, p.margin_units, fault)
    return sub(add(p.cost_units, upl(ledger, p), fault), share_in(ledger, shares, index), fault)


cdef int64_t bankruptcy_cost(Ledger* ledger, int32_t index) noexcept nogil:
    """Returns that cost of a position alone."""
    cdef Position* p = &ledger.positions[index]
    cdef Shares shares
    must(p.size_lots != 0, LIQ_3, &ledger.log.fault)
    if not p.mode:
        shares_of(ledger, p.account, ledger.instruments[p.instrument].currency, &shares)
    return bankruptcy_in(ledger, index, &shares)


# --- Before a trade ------------------------------------------------------------------------------------

cdef inline int64_t _share(int64_t units, int64_t lots, int64_t of, int32_t* fault) noexcept nogil:
    """Returns the part of an amount that belongs to some of its lots, rounded up."""
    cdef int64_t part
    must((0 <= lots) & (lots <= of), MON_8, fault)
    if lots == of:
        return units
    part = mul_div_ceil(units, lots, of, fault)
    must(is_ceil(part, units, lots, of), MON_6, fault)
    return part


cdef inline int64_t _opening_loss(Ledger* ledger, OpenSide* open, int64_t lots) noexcept nogil:
    """Returns the share of a side's loss to mark that belongs to the lots that would open."""
    return 0 if lots == 0 or open.loss_units == 0 else _share(open.loss_units, lots, open.lots, &ledger.log.fault)


cdef int64_t mixed_hold(Ledger* ledger, Instrument* ins, Position* p, OpenSide* open, int side) noexcept nogil:
    """Returns the hold of a side of which a part may close the position."""
    cdef int32_t* fault = &ledger.log.fault
    cdef int64_t lots = opening_lots(p, side, open.lots)
    cdef int64_t held = _opening_loss(ledger, open, lots) if p.mode else open.loss_units
    cdef int64_t adds = (p.size_lots > 0) == (side == BUY)      # 1: it adds to the position
    cdef int64_t value
    if not p.mode and side == p.reduce_side:
        held = add(held, p.reduce.loss_units, fault)
    must(0 <= lots <= open.lots and held >= 0, MON_8, fault)
    if lots == 0:
        return held
    value = _share(open.value_units, lots, open.lots, fault)
    must(0 <= value <= open.value_units, MAR_1, fault)
    return opening_hold(ins, p, lots, value, held, adds, fault)


cdef int64_t _opening_value(Ledger* ledger, Position* p, int side) noexcept nogil:
    """Returns the value, at their limits, of the lots of a side that would open."""
    cdef int64_t lots = opening_lots(p, side, p.open[side].lots)
    return 0 if lots == 0 else _share(p.open[side].value_units, lots, p.open[side].lots, &ledger.log.fault)


cdef int64_t closing_loss(Ledger* ledger, Position* p) noexcept nogil:
    """Returns the loss against mark of resting orders that close an isolated position; its margin must bear it."""
    cdef int side = SELL if p.size_lots > 0 else BUY
    cdef int64_t lots = opening_lots(p, side, p.open[side].lots)
    cdef int64_t loss = sub(p.open[side].loss_units, _opening_loss(ledger, &p.open[side], lots), &ledger.log.fault)
    must(loss >= 0 and p.reduce.loss_units >= 0, MON_8, &ledger.log.fault)
    return add(loss, p.reduce.loss_units, &ledger.log.fault)


cdef inline int64_t _hold_with(Ledger* ledger, Instrument* ins, Position* p, OpenSide* extra, int side) noexcept nogil:
    """Returns the hold of a side with an order that is about to come."""
    cdef OpenSide open
    open.lots = p.open[side].lots + extra.lots
    open.value_units = add(p.open[side].value_units, extra.value_units, &ledger.log.fault)
    open.loss_units = add(p.open[side].loss_units, extra.loss_units, &ledger.log.fault)
    must(open.lots >= extra.lots and (open.value_units | open.loss_units) >= 0, MON_8, &ledger.log.fault)
    return side_hold(ledger, ins, p, &open, side)


cdef int64_t hold_units(Ledger* ledger, Position* p, OpenSide* extra, int side) noexcept nogil:
    """Returns the margin that resting orders reserve: the dearer side's value / leverage, its taker fee and its loss to mark.

    Value and fee are those of the lots that may open. The loss is that of all lots for cross, of the opening lots for
    isolated; an isolated position's own margin bears the rest (`closing_loss`). `extra` adds an order that is about to come on
    `side`; NULL adds none.
    """
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    cdef int64_t other = side_hold(ledger, ins, p, &p.open[1 - side], 1 - side)
    if extra == NULL:
        return max64(side_hold(ledger, ins, p, &p.open[side], side), other)
    return max64(_hold_with(ledger, ins, p, extra, side), other)


cdef int64_t initial_units(Ledger* ledger, Position* p) noexcept nogil:
    """Returns initial margin at mark plus accrued funding, and never less than maintenance margin with the fee (see the
    twin)."""
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    cdef int32_t* fault = &ledger.log.fault
    cdef int64_t value = position_value(ledger, p)
    cdef int64_t initial = initial_of(ins, value, p.leverage, magnitude(p.size_lots), value, fault)
    cdef Held held
    cdef int128 least_asked
    must((value | initial) >= 0, MAR_1, fault)
    initial = add(initial, accrued_units(ins, p.size_lots, fault), fault)
    if p.size_lots == 0:
        return initial
    if ins.covers and ins.basis == CONTRACTS and not ins.at_entry and allows(
            ins, tier_at(ins, magnitude(p.size_lots), p.chosen_tier), p.leverage):
        return initial      # leverage makes it the larger one
    held = held_of(ledger, p)
    least_asked = asked(ins, &held, tier_of(ins, &held, fault), p.liquidation_fee_ppb, fault)
    return max64(initial, narrow(ceil128(least_asked, RATE), fault))


cdef int64_t _hedge_initial(Ledger* ledger, Position* p) noexcept nogil:
    """Returns the dearer side's initial margin of a cross position's hedge, for the first of its rows; 0 for the others."""
    cdef int32_t index = ledger.accounts[p.account].first_position
    cdef int64_t sides[2]
    cdef Position* other
    cdef bint first = True
    sides[0] = sides[1] = 0
    while index >= 0:
        other = &ledger.positions[index]
        if other == p or (other.size_lots != 0 and hedged(ledger, p, other) and ledger.instruments[other.instrument].larger_leg):
            if first and other != p:
                return 0
            first = False
            sides[other.size_lots < 0] = add(sides[other.size_lots < 0], initial_units(ledger, other), &ledger.log.fault)
        index = other.next
    must(sides[0] >= 0 and sides[1] >= 0, MAR_1, &ledger.log.fault)
    return max64(sides[0], sides[1])


cdef int64_t initial_part(Ledger* ledger, Position* p) noexcept nogil:
    """Returns a position's part of its account's initial margin. With `larger_leg` the first row of a hedge has all of it."""
    if ledger.instruments[p.instrument].larger_leg and not p.mode:
        return _hedge_initial(ledger, p)
    return initial_units(ledger, p)


cdef int64_t free_units(Ledger* ledger, uint32_t account, uint32_t currency, bint spendable) noexcept nogil:
    """Returns cash plus unrealised profit of the cross positions, less their initial margin and all holds.

    spendable: True for money that leaves the wallet (withdrawals, isolated margin); unrealised profit then does not count.
    """
    cdef Wallet* wallet = wallet_of(ledger, account, currency)
    cdef int64_t base = wallet.cash_units if spendable or ledger.collateral_count == 0 else backing(ledger, account, currency)
    cdef int128 profit = 0
    cdef int128 initial = 0
    cdef int32_t index = ledger.accounts[account].first_position
    cdef bint any = False
    cdef Position* p
    walk_begin(ledger, account)
    while index >= 0:
        p = &ledger.positions[index]
        if p.size_lots != 0 and not p.mode and ledger.instruments[p.instrument].currency == currency:
            profit += upl(ledger, p)
            initial += initial_part(ledger, p)
            any = True
        index = p.next
    walk_end(ledger)
    must(wallet.hold_units >= 0, MAR_1, &ledger.log.fault)
    if not any:
        return total(base, -wallet.hold_units, 0)
    must(initial >= 0, MAR_1, &ledger.log.fault)
    if spendable and profit > 0:
        profit = 0
    return saturate(profit + base - initial - wallet.hold_units)


cdef int64_t spare_units(Ledger* ledger, uint32_t account, uint32_t currency) noexcept nogil:
    """Returns the part of a balance that may back another currency. Each position keeps the initial margin that its own profit
    does not bear. So closing it costs no more than its loss to mark and its fees."""
    cdef Wallet* wallet = wallet_of(ledger, account, currency)
    cdef int128 spare = <int128>wallet.cash_units - wallet.hold_units
    cdef int32_t index = ledger.accounts[account].first_position
    cdef int128 kept
    cdef Position* p
    walk_begin(ledger, account)
    while index >= 0:
        p = &ledger.positions[index]
        if p.size_lots != 0 and not p.mode and ledger.instruments[p.instrument].currency == currency:
            kept = <int128>initial_units(ledger, p) - upl(ledger, p)
            spare -= kept if kept > 0 else 0
        index = p.next
    walk_end(ledger)
    must(spare <= wallet.cash_units and wallet.hold_units >= 0, MON_8, &ledger.log.fault)
    return saturate(spare)
