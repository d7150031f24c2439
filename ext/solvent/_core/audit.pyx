"""Invariants of reliability part 3 that can be read off the state; the contract is in audit.pxd."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from solvent._core.market.order_pool cimport DORMANT, EXTENDED, LIVE, PARKED, UNARMED, ExtendedTerms, Order, pool_find
from solvent._core.market.book cimport book_check, book_price
from solvent._core.account.guard cimport ALONE, HIGH, LOW, TOGETHER, Guard, guards_hold, guards_read
from solvent._core.account.ledger cimport FIRST_USER, Ledger, Position, wallet_of
from solvent._core.account.domain cimport domain_slack
from solvent._core.base.money cimport int128
from solvent._core.account.margin cimport (
    Requirement, cross_requirement, domain_requirement, hold_units, isolated_requirement, slack_part,
)
from solvent._core.base.ladder cimport Ladder
from solvent._core.market.peaks cimport Steps, steps_begin, steps_next, touch_ticks
from solvent._core.base.schema cimport BUY, CLEARING, DEFICIT, FUND, HALTED, HOUSE, LONG, REDUCE_ONLY, SELL, SHORT, TRADING
from solvent._core.trade.watching cimport watched_ticks
from solvent._core.trade.state cimport State, order_instrument
from solvent._core.contract.valuation cimport Instrument, in_call, value_of
from solvent._core.liquidation.verdict cimport is_deferred
from solvent._core.market.triggers cimport trigger_direction, trigger_reached, triggers_check


cdef object _money(State* s):
    cdef Ledger* l = &s.ledger
    cdef uint32_t account, currency, instrument
    cdef int32_t i
    sizes = [0] * l.instrument_count
    longs = [0] * l.instrument_count
    costs = [0] * l.currency_count
    cash = [0] * l.currency_count
    for i in range(l.position_count):
        sizes[l.positions[i].instrument] += l.positions[i].size_lots
        if l.positions[i].size_lots > 0:
            longs[l.positions[i].instrument] += l.positions[i].size_lots
        costs[l.instruments[l.positions[i].instrument].currency] += l.positions[i].cost_units
        cash[l.instruments[l.positions[i].instrument].currency] += l.positions[i].margin_units
    for i in range(l.parcel_count):
        sizes[l.parcels[i].instrument] += l.parcels[i].size_lots
        costs[l.instruments[l.parcels[i].instrument].currency] += l.parcels[i].cost_units
    for account in range(l.account_count):
        for currency in range(l.currency_count):
            cash[currency] += wallet_of(l, account, currency).cash_units
    for instrument in range(l.instrument_count):
        if sizes[instrument] != 0:
            return f"MON-2: sizes in instrument {instrument} sum to {sizes[instrument]}"
    for currency in range(l.currency_count):
        if cash[currency] != 0:
            return f"MON-1: purses in currency {currency} sum to {cash[currency]}"
        if wallet_of(l, CLEARING, currency).cash_units != -costs[currency]:
            return f"MON-3: clearing {wallet_of(l, CLEARING, currency).cash_units}, costs {costs[currency]}"
        if wallet_of(l, FUND, currency).cash_units < 0:
            return f"LIQ-7: the fund of currency {currency} is below zero"
        if wallet_of(l, DEFICIT, currency).cash_units > 0:
            return f"LIQ-6: the deficit of currency {currency} is above zero"
        if wallet_of(l, HOUSE, currency).cash_units != 0:
            return f"LIQ-10: the house holds cash in currency {currency}"
    return None


cdef object _orders(State* s):
    """Checks own-order lists, holds and reduce-only sums against the orders in the books."""
    cdef Ledger* l = &s.ledger
    cdef int32_t i, slot
    cdef int64_t lots[2]
    cdef int64_t values[2]
    cdef int64_t reduce_lots, allowed, count, live = 0
    cdef Position* p
    cdef Order* o
    for i in range(l.position_count):
        p = &l.positions[i]
        lots[0] = lots[1] = values[0] = values[1] = reduce_lots = count = 0
        slot = p.first_order
        while slot >= 0:
            o = &s.pool.orders[slot]
            live += 1
            count += 1
            if not o.state & LIVE or o.holder != i or o.account != p.account:
                return f"BOOK-5: slot {slot} is listed by position {i} but not its own"
            if o.state & (DORMANT | PARKED):
                pass               # has no hold until it fires, or has a price
            elif o.flags & REDUCE_ONLY:
                reduce_lots += o.remaining_lots
                if o.side != p.reduce_side:
                    return f"BOOK-7: reduce-only order {o.order_id} is on the wrong side"
            else:
                lots[o.side] += o.remaining_lots
                values[o.side] += value_of(&l.instruments[p.instrument], o.remaining_lots,
                                           book_price(&s.books[p.instrument], &s.pool, slot), False, &s.log.fault)
            slot = s.pool.own[slot].next
        if (lots[0] != p.open[0].lots or lots[1] != p.open[1].lots or values[0] != p.open[0].value_units
                or values[1] != p.open[1].value_units or reduce_lots != p.reduce.lots):
            return f"MON-8: resting orders of position {i} do not add up"
        allowed = p.size_lots if p.reduce_side else -p.size_lots
        if reduce_lots > 0 and reduce_lots > allowed:
            return f"BOOK-7: reduce-only orders of position {i} exceed it"
        if count != p.order_count:
            return f"BOOK-5: position {i} counts {p.order_count} orders and lists {count}"
        if hold_units(l, p, NULL, BUY) != p.hold_units:
            return f"MON-8: the hold of position {i} is {p.hold_units}"
    for i in range(l.parcel_count):
        if l.parcels[i].order_id != 0:
            slot = pool_find(&s.pool, l.parcels[i].order_id)
            if slot < 0 or s.pool.orders[slot].remaining_lots != abs(l.parcels[i].size_lots):
                return f"LIQ-4: the order of parcel {l.parcels[i].parcel_id} does not cover it"
            live += 1
    if live != s.pool.high_water - s.pool.free_count:
        return f"BOOK-10: {live} orders in the books, {s.pool.high_water - s.pool.free_count} slots in use"
    return None


cdef object _safety(State* s):
    """Checks that no account is below R_own unless stuck, no wallet is below zero, and all holds add up."""
    cdef Ledger* l = &s.ledger
    cdef uint32_t account, currency
    cdef int32_t i
    cdef Requirement r
    cdef Position* p
    cdef int128 slack
    cdef bint stuck
    for account in range(FIRST_USER, l.account_count):
        holds = [0] * l.currency_count
        stuck = False
        for currency in range(l.currency_count):
            if wallet_of(l, account, currency).known_at == l.moves and (
                    not domain_slack(l, &s.rules, account, currency, &slack)
                    or slack != wallet_of(l, account, currency).slack_units):
                return f"SAFE-2: what is known of the cross domain of account {account} is not so"
        i = l.accounts[account].first_position
        while i >= 0:
            p = &l.positions[i]
            holds[l.instruments[p.instrument].currency] += p.hold_units
            if p.mode and p.size_lots != 0:
                isolated_requirement(l, &s.rules, i, &r)
                if r.equity < r.own and (r.equity < r.full or not p.stuck) and not is_deferred(s, account, 0, i):
                    return f"LIQ-1: isolated position {i} of account {account} is below its threshold"
            if abs(p.size_lots) > l.instruments[p.instrument].max_size_lots:
                return f"MAR-1: position {i} of account {account} is beyond the last tier"
            if (p.leg == LONG and p.size_lots < 0) or (p.leg == SHORT and p.size_lots > 0) or (p.hedged and p.size_lots != 0):
                return f"MAR-2: position {i} of account {account} is a leg and holds the other side"
            if p.size_lots == 0 and (p.cost_units != 0 or p.margin_units != 0):
                return f"MON-3: flat position {i} of account {account} carries money"
            stuck = stuck or p.stuck
            i = p.next
        for currency in range(l.currency_count):
            cross_requirement(l, &s.rules, account, currency, &r)
            if r.positions and r.equity < r.own and (r.equity < r.full or not stuck) and (
                    not is_deferred(s, account, currency, -1)):
                return f"LIQ-1: the cross positions of account {account} are below their threshold"
            if r.positions == 0 and wallet_of(l, account, currency).cash_units < 0:
                return f"MON-8: the wallet of account {account} is below zero"
            if wallet_of(l, account, currency).hold_units != holds[currency]:
                return f"MON-8: the holds of account {account} do not add up"
    return None


cdef object _bare_orders(State* s):
    cdef int64_t live = s.triggers[0].count
    cdef int32_t slot
    cdef Steps steps
    cdef int side
    for slot in range(s.pool.high_water):
        live += s.pool.orders[slot].state & PARKED != 0
    for side in range(2):
        steps_begin(&s.books[0], side, &steps)
        while steps_next(&s.books[0], &steps):
            live += steps.book.levels[steps.level].count
    if live != s.pool.high_water - s.pool.free_count:
        return f"BOOK-10: {live} orders in the book, {s.pool.high_water - s.pool.free_count} slots in use"
    return None


cdef object _dormant(State* s):
    """Checks dormant orders: each is counted by its instrument and out of reach of its price, where trading is continuous. The expiries
    are a heap."""
    cdef int32_t slot, i
    cdef Instrument* ins
    cdef ExtendedTerms* terms
    counts = [0] * s.ledger.instrument_count
    timed = 0
    for slot in range(s.pool.high_water):
        terms = &s.pool.terms[slot]
        if not s.pool.orders[slot].state & LIVE:
            continue
        if s.pool.orders[slot].state & EXTENDED and terms.expiry_ns != 0:
            timed += 1
            if terms.expiry_ns <= s.clock_ns or s.expiries.heap[terms.timer] != slot:
                return f"ORD-1: order {s.pool.orders[slot].order_id} should have expired"
        if s.pool.orders[slot].state & DORMANT:
            counts[order_instrument(s, slot)] += 1
            ins = &s.ledger.instruments[order_instrument(s, slot)]
            if ins.listing == TRADING and not s.pool.orders[slot].state & UNARMED and (
                    terms.trail == 0 or terms.extreme_ticks) and trigger_reached(
                    trigger_direction(s.pool.orders[slot].side, terms.kind), terms.trigger_ticks,
                    watched_ticks(s, order_instrument(s, slot), terms.source)):
                return f"ORD-4: the trigger of order {s.pool.orders[slot].order_id} is reached and it sleeps"
    for i in range(s.ledger.instrument_count):
        if counts[i] != s.triggers[i].count or triggers_check(&s.triggers[i], &s.pool):
            return f"ORD-4: the dormant orders of instrument {i} are not in order"
    for slot in range(s.expiries.timers.used):
        if s.expiries.timers.items[slot].place >= 0:
            timed += 1
            if s.expiries.timers.items[slot].deadline_ns <= s.clock_ns:
                return f"ORD-1: a timer of account {s.expiries.timers.items[slot].account} is left that is due"
    if timed != s.expiries.count or s.due.count:
        return f"ORD-1: {timed} orders expire or timers run, {s.expiries.count} are timed, {s.due.count} are due"
    return None


cdef bint _is_floor(State* s, int32_t index):
    """True if a band contains the mark, and its floor is at most the position's part at seventeen marks of it."""
    cdef Position* p = &s.ledger.positions[index]
    cdef Guard* guard = &s.guards.items[index]
    cdef Instrument* ins = &s.ledger.instruments[p.instrument]
    cdef int64_t mark = ins.mark_ticks
    cdef bint holds = guard.ends[LOW] <= mark <= guard.ends[HIGH]
    cdef int i
    for i in range(17):
        ins.mark_ticks = guard.ends[LOW] + ((<object>guard.ends[HIGH] - guard.ends[LOW]) * i >> 4)
        holds = holds and slack_part(&s.ledger, &s.rules, p) >= guard.floor_units
    ins.mark_ticks = mark
    return holds


cdef bint _is_rung(State* s, int32_t index, int side):
    """True if a rung tells when a mark leaves a band at one end, or no mark can."""
    cdef Guard* guard = &s.guards.items[index]
    cdef uint32_t instrument = s.ledger.positions[index].instrument
    cdef Ladder* ladder = &s.guards.beats[instrument].ends[side]
    cdef int64_t key = guard.ends[side] if side == HIGH else -guard.ends[side]
    cdef int32_t i
    if guard.ends[side] == (s.ledger.instruments[instrument].max_price_ticks if side == HIGH else 1):
        return True
    for i in range(ladder.count):
        if ladder.rungs[i].item == index and ladder.rungs[i].key == guard.rungs[side] <= key:
            return True
    return False


cdef object _least(State* s, int32_t index):
    """Returns the guarantee of a position's domain; None where a row of it does not count."""
    cdef Position* p = &s.ledger.positions[index]
    cdef uint32_t account = p.account
    cdef uint32_t currency = s.ledger.instruments[p.instrument].currency
    if p.mode:
        return p.margin_units + <object>s.guards.items[index].floor_units - s.rules.at_threshold
    least = wallet_of(&s.ledger, account, currency).cash_units - <object>s.rules.at_threshold
    index = s.ledger.accounts[account].first_position
    while index >= 0:
        p = &s.ledger.positions[index]
        if not p.mode and s.ledger.instruments[p.instrument].currency == currency and slack_part(&s.ledger, &s.rules, p) != 0:
            if s.guards.items[index].role != TOGETHER:
                return None
            least += s.guards.items[index].floor_units
        index = p.next
    return least


cdef object _guards(State* s):
    """Reads who has changed, and checks every guard."""
    cdef int32_t index
    cdef Position* p
    cdef Requirement r
    cdef bint guarded
    if not guards_read(&s.guards, &s.ledger, &s.rules):
        return None
    for index in range(s.ledger.position_count):
        p = &s.ledger.positions[index]
        if p.size_lots == 0:
            continue
        if not guards_hold(&s.guards, &s.ledger, index) and not s.guards.items[index].listed:
            return f"LIQ-1: position {index} has no guard, and no mark looks at it"
        guarded = s.guards.items[index].role == ALONE if p.mode else s.guards.guarded[
            <uint64_t>p.account * s.ledger.currency_count + s.ledger.instruments[p.instrument].currency]
        if not guarded:
            continue
        if not _is_floor(s, index):
            return f"LIQ-1: the floor of position {index} does not hold in its band"
        if not (_is_rung(s, index, LOW) and _is_rung(s, index, HIGH)):
            return f"LIQ-1: no rung tells when a mark leaves the band of position {index}"
        domain_requirement(&s.ledger, &s.rules, index, &r)
        least = _least(s, index)
        if least is None or least < 0 or least > r.equity - r.own:
            return f"LIQ-1: the guarantee of the domain of position {index} is {least}"
    return None


cdef object broken(State* s):
    """Returns the first invariant that does not hold, or None."""
    cdef uint32_t i
    cdef int64_t failed, bid
    cdef Instrument* ins
    for i in range(s.ledger.instrument_count):
        failed = book_check(&s.books[i], &s.pool)
        ins = &s.ledger.instruments[i]
        bid = touch_ticks(&s.books[i], SELL, 1)
        if bid != 0 and touch_ticks(&s.books[i], BUY, bid) != 0 and not in_call(ins) and ins.listing != HALTED:
            failed = 1
        if failed:
            return f"BOOK-{failed}: the book of instrument {i} is not in order"
    if s.bare:
        return _bare_orders(s) or _dormant(s)
    return _money(s) or _orders(s) or _safety(s) or _dormant(s) or _guards(s)
