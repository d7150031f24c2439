"""Bands, floors and rungs; the contract is in guard.pxd, the proof in docs/explanation/danger-index.md."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memset
from solvent._core.account.ledger cimport Ledger, Owner, Position, backs, wallet_of
from solvent._core.account.margin cimport Rules, is_plain, plain_rates, position_value, slack_part
from solvent._core.base.clauses cimport LIQ_1, must
from solvent._core.base.ladder cimport Rung, ladder_add, ladder_close, ladder_reaches, ladder_take
from solvent._core.base.money cimport INT64_MAX, MONEY_MAX, RATE, ceil128, floor128, int128, magnitude, max64
from solvent._core.base.pool cimport resized, rooms
from solvent._core.base.schema cimport BUY, IGNORED, INVERSE, NET, NOTIONAL, POWER, SELL
from solvent._core.contract.valuation cimport Instrument, fee_units, worth

cdef enum:
    TRIES = 16                 # to find a band that costs no more than its share
    POWER_PPB = 122            # of the value: how much less than at both ends a power curve may leave between them


cdef void guards_close(Guards* guards) noexcept nogil:
    cdef uint32_t i
    if guards.beats != NULL:
        for i in range(guards.instruments):
            ladder_close(&guards.beats[i].ends[LOW])
            ladder_close(&guards.beats[i].ends[HIGH])
    free(guards.beats)
    free(guards.items)
    free(guards.guarded)
    memset(guards, 0, sizeof(Guards))


# --- Floors ----------------------------------------------------------------------------------------------

cdef inline bint _short_way(Rules* rules, Instrument* ins, Position* p) noexcept nogil:
    """True if a position's part is its profit less a rate of its value."""
    return is_plain(rules, ins) and p.size_lots != 0 and (p.mode != 0 or rules.orders == IGNORED)


cdef inline bint _part(Ledger* l, Rules* rules, Position* p, int64_t mark_ticks, int128* part) noexcept nogil:
    """Finds a position's part of its domain's slack at a mark. False where it cannot be computed."""
    cdef Instrument* ins = &l.instruments[p.instrument]
    cdef int64_t mark = ins.mark_ticks
    cdef int32_t before = l.log.fault
    cdef int32_t fault = 0
    cdef int64_t signed, low, high
    if _short_way(rules, ins, p):
        signed = worth(ins, p.size_lots, mark_ticks, &fault)
        plain_rates(rules, ins, p, magnitude(p.size_lots), &low, &high)
        part[0] = <int128>signed - p.cost_units - fee_units(magnitude(signed), high, &fault)
        return fault == 0
    l.log.fault = 0
    ins.mark_ticks = mark_ticks         # the rule itself says what it asks there
    part[0] = slack_part(l, rules, p)
    ins.mark_ticks = mark
    fault = l.log.fault
    l.log.fault = before
    must(ins.mark_ticks == mark, LIQ_1, &l.log.fault)
    return fault == 0


cdef inline int64_t _edge(Instrument* ins, int64_t size_lots, int64_t top) noexcept nogil:
    """Returns the mark at the edge of a tier by notional: the last one within it, or the first where values fall."""
    cdef int128 whole = <int128>magnitude(size_lots) * ins.units
    cdef int128 edge
    if ins.kind != INVERSE:
        edge = floor128(top, whole)
    elif size_lots > 0:
        edge = ceil128(whole, top) - 1
    else:
        edge = floor128(whole, <int128>top + 1)
    return <int64_t>edge if edge < INT64_MAX else INT64_MAX


cdef inline bint _lower(Ledger* l, Rules* rules, Position* p, int64_t mark_ticks, int128* least) noexcept nogil:
    """Lowers a bound to the part at one more mark."""
    cdef int128 part
    if not _part(l, rules, p, mark_ticks, &part):
        return False
    if part < least[0]:
        least[0] = part
    must(least[0] <= part, LIQ_1, &l.log.fault)
    return True


cdef bint _lower_at_edges(Ledger* l, Rules* rules, Position* p, int64_t* ends, int128* least) noexcept nogil:
    """Lowers a bound to the parts on both sides of each edge of a tier within a band."""
    cdef Instrument* ins = &l.instruments[p.instrument]
    cdef int64_t edge, top, here, next
    cdef int32_t k
    for k in range(ins.tier_count - 1):
        top = ins.tiers[k].top
        edge = _edge(ins, p.size_lots, top)
        if ends[LOW] <= edge < ends[HIGH]:
            here = magnitude(worth(ins, p.size_lots, edge, &l.log.fault))
            next = magnitude(worth(ins, p.size_lots, edge + 1, &l.log.fault))
            must(here <= top < next if ins.kind != INVERSE else next <= top < here, LIQ_1, &l.log.fault)
            if not (_lower(l, rules, p, edge, least) and _lower(l, rules, p, edge + 1, least)):
                return False
    must(ends[LOW] <= ends[HIGH] and least[0] < <int128>1 << 100, LIQ_1, &l.log.fault)
    return True


cdef bint slack_least(Ledger* l, Rules* rules, Position* p, int64_t* ends, int64_t* least) noexcept nogil:
    """Finds a lower bound of a position's part over all marks of a band: the ends, and the edges of tiers between.

    False where there is none that fits. Within a tier the part is monotone, or the smaller of two that are; a power curve may
    sag between its ends by what its root is rounded.
    """
    cdef Instrument* ins = &l.instruments[p.instrument]
    cdef int128 found = <int128>1 << 100
    cdef int64_t signed, low, high
    cdef int32_t fault = 0
    must(1 <= ends[LOW] <= ends[HIGH] <= ins.max_price_ticks, LIQ_1, &l.log.fault)
    if _short_way(rules, ins, p):
        plain_rates(rules, ins, p, magnitude(p.size_lots), &low, &high)
        must((0 <= low) & (low <= high), LIQ_1, &l.log.fault)
        if high <= RATE:       # a long's part never falls with the mark, a short's never rises
            if not _part(l, rules, p, ends[LOW] if p.size_lots > 0 else ends[HIGH], &found):
                return False
            least[0] = <int64_t>found if found < MONEY_MAX else MONEY_MAX
            return found >= -MONEY_MAX
    if not (_lower(l, rules, p, ends[LOW], &found) and _lower(l, rules, p, ends[HIGH], &found)):
        return False
    if ins.basis == NOTIONAL and p.size_lots != 0 and not _lower_at_edges(l, rules, p, ends, &found):
        return False
    if ins.scheme == POWER and p.size_lots != 0:
        low = magnitude(worth(ins, p.size_lots, ends[LOW], &fault))
        high = magnitude(worth(ins, p.size_lots, ends[HIGH], &fault))
        found -= ceil128(<int128>max64(low, high) * POWER_PPB, RATE) + 2
    least[0] = <int64_t>found if found < MONEY_MAX else MONEY_MAX
    must(least[0] <= found or found < -MONEY_MAX, LIQ_1, &l.log.fault)
    return fault == 0 and found >= -MONEY_MAX


# --- Bands -----------------------------------------------------------------------------------------------

cdef inline int64_t _reach(Instrument* ins, Position* p, int128 part, int128 spare) noexcept nogil:
    """Returns how many ticks a mark may move before its position's part falls by `spare`: a first guess."""
    cdef int32_t fault = 0
    cdef int64_t signed = worth(ins, p.size_lots, ins.mark_ticks, &fault)
    cdef int128 whole = magnitude(signed)
    cdef int128 ticks
    if p.size_lots < 0 or ins.kind == INVERSE:
        whole += <int128>signed - p.cost_units - part       # what it requires moves with its value
    if ins.kind == INVERSE:
        whole += spare
    ticks = floor128(ins.mark_ticks * spare, whole if whole > 0 else 1)
    return <int64_t>ticks if ticks < INT64_MAX >> 1 else INT64_MAX >> 1


cdef void _span(Instrument* ins, Position* p, int64_t reach, int64_t far, int64_t* ends) noexcept nogil:
    """Sets a band: `reach` ticks to the side where the position loses, `far` to the other."""
    cdef int64_t down = reach if p.size_lots > 0 else far
    cdef int64_t up = far if p.size_lots > 0 else reach
    ends[LOW] = ins.mark_ticks - down if down < ins.mark_ticks else 1
    ends[HIGH] = ins.mark_ticks + up if up < ins.max_price_ticks - ins.mark_ticks else ins.max_price_ticks


cdef bint _band(Ledger* l, Rules* rules, Position* p, Guard* guard, int128 part, int128 spare) noexcept nogil:
    """Finds a band in which the part of a position falls by no more than `spare`, as wide as it is easily found."""
    cdef Instrument* ins = &l.instruments[p.instrument]
    cdef int64_t reach = _reach(ins, p, part, spare)
    cdef int64_t far = INT64_MAX >> 1
    cdef int i
    if ins.scheme == POWER:
        far = reach
    elif ins.basis == NOTIONAL:      # few edges are looked at
        far = max64(reach, ins.mark_ticks >> 1)
    for i in range(TRIES):
        _span(ins, p, reach, far, guard.ends)
        must(guard.ends[LOW] <= ins.mark_ticks <= guard.ends[HIGH], LIQ_1, &l.log.fault)
        if slack_least(l, rules, p, guard.ends, &guard.floor_units) and guard.floor_units >= part - spare:
            must(guard.floor_units <= part, LIQ_1, &l.log.fault)
            return True
        if far > reach:
            far = reach
        else:
            reach -= (reach >> 2) + 1 if reach > 0 else 0
            far = reach
    _span(ins, p, 0, 0, guard.ends)
    must(guard.ends[LOW] == guard.ends[HIGH] == ins.mark_ticks, LIQ_1, &l.log.fault)
    return slack_least(l, rules, p, guard.ends, &guard.floor_units) and guard.floor_units <= part


cdef bint _rung(Guards* guards, Ledger* l, int32_t index, int side) noexcept nogil:
    """Makes sure that a rung tells when a mark leaves a band at one end. False when memory is gone."""
    cdef Guard* guard = &guards.items[index]
    cdef uint32_t instrument = l.positions[index].instrument
    cdef int64_t mark = l.instruments[instrument].mark_ticks
    cdef int64_t key = guard.ends[side] if side == HIGH else -guard.ends[side]
    must(guard.ends[LOW] <= mark <= guard.ends[HIGH], LIQ_1, &l.log.fault)
    if guard.ends[side] == (l.instruments[instrument].max_price_ticks if side == HIGH else 1):     # no mark is beyond it
        return True
    if guard.rungs[side] <= key:
        return True
    must(key > (mark if side == HIGH else -mark) or guard.ends[side] == mark, LIQ_1, &l.log.fault)
    if not ladder_add(&guards.beats[instrument].ends[side], key, index):
        return False
    guard.rungs[side] = key
    return True


# --- Domains ---------------------------------------------------------------------------------------------

cdef inline uint64_t _place(Ledger* l, Owner who) noexcept nogil:
    return <uint64_t>who.account * l.currency_count + who.currency


cdef inline Owner _owner(Ledger* l, Position* p) noexcept nogil:
    cdef Owner who
    who.account = p.account
    who.currency = l.instruments[p.instrument].currency
    return who


cdef inline bint _asks(Rules* rules, Position* p) noexcept nogil:
    """True if a row adds something to its cross domain."""
    return p.size_lots != 0 or (rules.orders != IGNORED and (p.open[BUY].lots | p.open[SELL].lots) != 0)


cdef inline void _rest(Ledger* l, Position* p, Guard* guard) noexcept nogil:
    """Sets the guard of a row that adds nothing."""
    guard.ends[LOW] = 1
    guard.ends[HIGH] = l.instruments[p.instrument].max_price_ticks
    guard.floor_units = 0
    guard.role = NOWHERE


cdef inline bint _bounded(Ledger* l, Position* p) noexcept nogil:
    """True if a position may have a guard: nothing but its mark moves its part, and it does not wait for the next mark."""
    return l.instruments[p.instrument].mark_ticks > 0 and l.instruments[p.instrument].accrual_ppb == 0 and not p.stuck


cdef bint _guard_alone(Guards* guards, Ledger* l, Rules* rules, int32_t index) noexcept nogil:
    """Guards an isolated position anew. False if it is below its threshold, or cannot be guarded."""
    cdef Position* p = &l.positions[index]
    cdef Guard* guard = &guards.items[index]
    cdef int128 part, slack
    guard.role = NOWHERE
    if not _bounded(l, p) or not _part(l, rules, p, l.instruments[p.instrument].mark_ticks, &part):
        return False
    slack = <int128>p.margin_units + part - rules.at_threshold
    if slack < 0 or slack > MONEY_MAX or not _band(l, rules, p, guard, part, slack - (slack >> 2)):
        return False
    must(guard.floor_units <= part, LIQ_1, &l.log.fault)
    must(<int128>p.margin_units + guard.floor_units - rules.at_threshold <= slack, LIQ_1, &l.log.fault)
    if <int128>p.margin_units + guard.floor_units < rules.at_threshold:
        return False
    if not (_rung(guards, l, index, LOW) and _rung(guards, l, index, HIGH)):
        return False
    guard.role = ALONE
    return True


cdef bint _slack(Guards* guards, Ledger* l, Rules* rules, Owner who, int128* slack, int128* gross) noexcept nogil:
    """Adds up a cross domain without collateral at its marks, and leaves each part in its guard. False if it has no guard."""
    cdef int32_t index = l.accounts[who.account].first_position
    cdef int32_t open = 0
    cdef Position* p
    cdef int128 part
    slack[0] = <int128>wallet_of(l, who.account, who.currency).cash_units - rules.at_threshold
    gross[0] = 0
    while index >= 0:
        p = &l.positions[index]
        if not p.mode and l.instruments[p.instrument].currency == who.currency:
            p.changed = 0
            if not _asks(rules, p):
                _rest(l, p, &guards.items[index])
            else:
                if not _bounded(l, p) or not _part(l, rules, p, l.instruments[p.instrument].mark_ticks, &part):
                    return False
                if part > MONEY_MAX or part < -MONEY_MAX:
                    return False
                guards.items[index].floor_units = <int64_t>part
                slack[0] += part
                gross[0] += position_value(l, p)
                open += p.size_lots != 0
        must(p.account == who.account, LIQ_1, &l.log.fault)
        index = p.next
    must(gross[0] >= 0 and open >= 0, LIQ_1, &l.log.fault)
    return 0 <= slack[0] <= MONEY_MAX and (not rules.fee_at_bankruptcy or (open <= 1 and l.collateral_count == 0))


cdef bint _guard_together(Guards* guards, Ledger* l, Rules* rules, Owner who) noexcept nogil:
    """Guards a cross domain anew. False if it is below its threshold without collateral, or cannot be guarded."""
    cdef int32_t index = l.accounts[who.account].first_position
    cdef int128 slack, gross, share, spare, least
    cdef Position* p
    cdef Guard* guard
    guards.guarded[_place(l, who)] = 0
    if not _slack(guards, l, rules, who, &slack, &gross):
        return False
    spare = slack - (slack >> 2)
    least = <int128>wallet_of(l, who.account, who.currency).cash_units - rules.at_threshold
    while index >= 0:
        p = &l.positions[index]
        guard = &guards.items[index]
        if not p.mode and l.instruments[p.instrument].currency == who.currency and _asks(rules, p):
            if p.size_lots != 0:
                share = floor128(spare * position_value(l, p), gross if gross > 0 else 1)
                must(0 <= share <= spare, LIQ_1, &l.log.fault)
                if not (_band(l, rules, p, guard, guard.floor_units, share) and _rung(guards, l, index, LOW)
                        and _rung(guards, l, index, HIGH)):
                    return False
            else:
                guard.ends[LOW] = 1
                guard.ends[HIGH] = l.instruments[p.instrument].max_price_ticks
            guard.role = TOGETHER
            least += guard.floor_units
        must(p.account == who.account, LIQ_1, &l.log.fault)
        index = p.next
    must(least <= slack, LIQ_1, &l.log.fault)
    guards.guarded[_place(l, who)] = least >= 0
    return least >= 0


cdef inline void _list(Guards* guards, Ledger* l, int32_t index) noexcept nogil:
    """Lists an open position."""
    cdef Beat* beat = &guards.beats[l.positions[index].instrument]
    must(l.positions[index].instrument < guards.instruments, LIQ_1, &l.log.fault)
    if not guards.items[index].listed and l.positions[index].size_lots != 0:
        guards.items[index].listed = 1
        guards.items[index].next = beat.first
        beat.first = index
        beat.listed += 1


cdef inline bint _backs(Ledger* l, uint32_t currency, uint32_t of) noexcept nogil:
    return backs(l, currency) != NULL and backs(l, currency).of == of


cdef inline bint _backed_holds(Guards* guards, Ledger* l, Owner who) noexcept nogil:
    """True if a domain's currency backs none, or one that is guarded."""
    if backs(l, who.currency) == NULL:
        return True
    who.currency = backs(l, who.currency).of
    return guards.guarded[_place(l, who)]


cdef void _list_rows(Guards* guards, Ledger* l, Owner who) noexcept nogil:
    """Lists the open cross positions of a currency that backs a domain without a guard: one of them may be new."""
    cdef int32_t index = l.accounts[who.account].first_position
    while index >= 0:
        if not l.positions[index].mode and l.instruments[l.positions[index].instrument].currency == who.currency:
            _list(guards, l, index)
        must(l.positions[index].account == who.account and index < guards.count, LIQ_1, &l.log.fault)
        index = l.positions[index].next
    must(guards.guarded[_place(l, who)], LIQ_1, &l.log.fault)


cdef void _list_domain(Guards* guards, Ledger* l, Owner who) noexcept nogil:
    """Takes a cross domain's guard away and lists its positions; and those of domains whose currency backs it."""
    cdef int32_t index = l.accounts[who.account].first_position
    cdef uint32_t currency
    guards.guarded[_place(l, who)] = 0
    while index >= 0:
        currency = l.instruments[l.positions[index].instrument].currency
        if not l.positions[index].mode and (currency == who.currency or _backs(l, currency, who.currency)):
            _list(guards, l, index)
        must(l.positions[index].account == who.account and index < guards.count, LIQ_1, &l.log.fault)
        index = l.positions[index].next
    must(not guards.guarded[_place(l, who)], LIQ_1, &l.log.fault)


cdef void guards_drop(Guards* guards, Ledger* l, int32_t index) noexcept nogil:
    """Takes the guard of a position's domain away: it is looked at from now on."""
    if l.positions[index].mode:
        guards.items[index].role = NOWHERE
        _list(guards, l, index)
    else:
        _list_domain(guards, l, _owner(l, &l.positions[index]))
    must(guards.items[index].listed or l.positions[index].size_lots == 0, LIQ_1, &l.log.fault)
    must(not guards_hold(guards, l, index), LIQ_1, &l.log.fault)


cdef bint guards_hold(Guards* guards, Ledger* l, int32_t index) noexcept nogil:
    """True if a position's domain is guarded, and the one that its currency backs."""
    cdef Owner who = _owner(l, &l.positions[index])
    if l.positions[index].mode:
        return guards.items[index].role == ALONE
    return guards.guarded[_place(l, who)] and _backed_holds(guards, l, who)


cdef bint guards_renew(Guards* guards, Ledger* l, Rules* rules, int32_t index) noexcept nogil:
    """Guards the domain of a position, which was looked at, anew; or lists it, if it cannot be guarded. Returns what guards_hold
    says."""
    cdef Position* p = &l.positions[index]
    cdef Owner who = _owner(l, p)
    cdef bint held
    guards.budget -= 1
    must(p.size_lots != 0 and index < guards.count, LIQ_1, &l.log.fault)
    if p.mode:
        held = _guard_alone(guards, l, rules, index)
    else:
        held = _guard_together(guards, l, rules, who)
        if held and backs(l, who.currency) != NULL:
            who.currency = backs(l, who.currency).of
            held = guards.guarded[_place(l, who)] or _guard_together(guards, l, rules, who)
    if not held:
        guards_drop(guards, l, index)
    must(held == guards_hold(guards, l, index), LIQ_1, &l.log.fault)
    return held


# --- The reading -----------------------------------------------------------------------------------------

cdef bint _reserve(Guards* guards, Ledger* l) noexcept nogil:
    """Makes room for every position, wallet and instrument, and lists the new positions. False when memory is gone."""
    cdef uint64_t wallets = <uint64_t>l.account_capacity * l.currency_count
    cdef Guard* guard
    cdef int32_t i
    if guards.wallets < wallets:
        if not resized(<void**>&guards.guarded, <int64_t>wallets, sizeof(uint8_t)):
            return False
        memset(&guards.guarded[guards.wallets], 0, wallets - guards.wallets)
        guards.wallets = wallets
    if guards.instruments < l.instrument_count:
        if not resized(<void**>&guards.beats, l.instrument_count, sizeof(Beat)):
            return False
        memset(&guards.beats[guards.instruments], 0, (l.instrument_count - guards.instruments) * sizeof(Beat))
        for i in range(<int32_t>guards.instruments, <int32_t>l.instrument_count):
            guards.beats[i].first = -1
        guards.instruments = l.instrument_count
    if guards.count < l.position_count:
        if not rooms(<void**>&guards.items, guards.count, l.position_count - guards.count, &guards.capacity, sizeof(Guard)):
            return False
        for i in range(guards.count, l.position_count):
            guard = &guards.items[i]
            memset(guard, 0, sizeof(Guard))
            guard.rungs[LOW] = guard.rungs[HIGH] = INT64_MAX
            _rest(l, &l.positions[i], guard)
            _list(guards, l, i)
        guards.count = l.position_count
    must(guards.count == l.position_count, LIQ_1, &l.log.fault)
    must(guards.instruments >= l.instrument_count and guards.wallets >= wallets, LIQ_1, &l.log.fault)
    return True


cdef void _read_alone(Guards* guards, Ledger* l, Rules* rules, int32_t index) noexcept nogil:
    """Reads an isolated position."""
    cdef Position* p = &l.positions[index]
    cdef Guard* guard = &guards.items[index]
    if p.size_lots == 0:
        _rest(l, p, guard)
    elif guard.role == ALONE:
        if p.stuck or ((p.changed or rules.fee_at_bankruptcy)
                       and not slack_least(l, rules, p, guard.ends, &guard.floor_units)):
            guard.role = NOWHERE
        if guard.role == NOWHERE or <int128>p.margin_units + guard.floor_units < rules.at_threshold:
            if not _guard_alone(guards, l, rules, index):
                _list(guards, l, index)
    else:
        guard.role = NOWHERE
        _list(guards, l, index)
    p.changed = 0
    must(p.size_lots == 0 or guard.role == ALONE or guard.listed, LIQ_1, &l.log.fault)
    must(guard.role == NOWHERE or (guard.role == ALONE and p.margin_units + guard.floor_units >= rules.at_threshold), LIQ_1,
         &l.log.fault)


cdef inline bint _depends(Rules* rules, Instrument* ins) noexcept nogil:
    """True if more than a position's own row sets its part."""
    return rules.orders != IGNORED or rules.fee_at_bankruptcy or ins.basis == NET or ins.tier_group != 0 or ins.larger_leg


cdef bint _read_together(Guards* guards, Ledger* l, Rules* rules, int32_t index, int128* least) noexcept nogil:
    """Reads a row of a guarded cross domain. False if the domain must be guarded anew."""
    cdef Position* p = &l.positions[index]
    cdef Guard* guard = &guards.items[index]
    cdef bint changed = p.changed or _depends(rules, &l.instruments[p.instrument])
    cdef bint coupled = p.changed and rules.fee_at_bankruptcy       # its fee goes by what the others have
    p.changed = 0
    if not _asks(rules, p):
        _rest(l, p, guard)
        return not coupled
    if p.size_lots == 0:        # its orders alone count, alike at every mark
        guard.ends[LOW] = 1
        guard.ends[HIGH] = l.instruments[p.instrument].max_price_ticks
    if guard.role != TOGETHER or p.stuck or coupled or (changed and not slack_least(l, rules, p, guard.ends, &guard.floor_units)):
        return False
    least[0] += guard.floor_units
    must(guard.role == TOGETHER and not p.mode, LIQ_1, &l.log.fault)
    return True


cdef void _read(Guards* guards, Ledger* l, Rules* rules, Owner who) noexcept nogil:
    """Reads the domains of an account in a currency, which have changed."""
    cdef int32_t index = l.accounts[who.account].first_position
    cdef int128 least = <int128>wallet_of(l, who.account, who.currency).cash_units - rules.at_threshold
    cdef bint holds = True
    cdef Position* p
    while index >= 0:
        p = &l.positions[index]
        if l.instruments[p.instrument].currency != who.currency:
            pass
        elif p.mode:
            _read_alone(guards, l, rules, index)
        else:
            if guards.items[index].role == ALONE:
                guards.items[index].role = NOWHERE
            if guards.guarded[_place(l, who)]:
                holds = _read_together(guards, l, rules, index, &least) and holds
            else:
                p.changed = 0
                _list(guards, l, index)
        must(p.account == who.account and index < guards.count, LIQ_1, &l.log.fault)
        index = p.next
    if guards.guarded[_place(l, who)] and (not holds or least < 0) and not _guard_together(guards, l, rules, who):
        _list_domain(guards, l, who)
    elif guards.guarded[_place(l, who)] and not _backed_holds(guards, l, who):
        _list_rows(guards, l, who)


cdef bint guards_read(Guards* guards, Ledger* l, Rules* rules) noexcept nogil:
    """Reads what has changed since the last reading. False, and nobody is guarded, when memory is gone."""
    cdef int32_t i
    if l.notes.lost:
        guards_close(guards)
        l.notes.lost = False
    l.notes.readings += 1
    if not _reserve(guards, l):
        guards_close(guards)
        l.notes.count = 0
        return False
    for i in range(l.notes.count):
        must(l.notes.owners[i].account < l.account_count and l.notes.owners[i].currency < l.currency_count, LIQ_1, &l.log.fault)
        _read(guards, l, rules, l.notes.owners[i])
    l.notes.count = 0
    must(not l.notes.lost, LIQ_1, &l.log.fault)
    return True


cdef int32_t guards_crossed(Guards* guards, Ledger* l, uint32_t instrument) noexcept nogil:
    """Takes rungs that the mark has crossed, up to the next position whose band it has left. Returns that, or -1."""
    cdef int64_t mark = l.instruments[instrument].mark_ticks
    cdef Guard* guard
    cdef Rung rung
    cdef int side
    for side in range(2):
        while ladder_reaches(&guards.beats[instrument].ends[side], mark if side == HIGH else -mark):
            rung = ladder_take(&guards.beats[instrument].ends[side])
            guard = &guards.items[rung.item]
            must(rung.key < (mark if side == HIGH else -mark) and rung.item < guards.count, LIQ_1, &l.log.fault)
            if guard.rungs[side] != rung.key or l.positions[rung.item].instrument != instrument:
                continue
            guard.rungs[side] = INT64_MAX
            if guard.role == NOWHERE or not (guard.role == ALONE or guards.guarded[_place(l, _owner(l, &l.positions[rung.item]))]):
                continue
            if not guard.ends[LOW] <= mark <= guard.ends[HIGH]:
                return rung.item
            if not _rung(guards, l, rung.item, side):
                return rung.item
    return -1

