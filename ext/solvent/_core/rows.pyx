"""Rows of one account; the contract is in rows.pxd."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from solvent._core.account.ledger cimport Ledger, Position, held_of, position_default, position_find, wallet_of
from solvent._core.account.liquidation_price cimport Ticks, liquidation_ticks
from solvent._core.account.margin cimport (
    Requirement, backing, bankruptcy_in, cross_requirement, free_units, initial_part, initial_units, isolated_requirement, own_part,
    position_value, shares_of, threshold_rates, upl,
)
from solvent._core.base.money cimport int128, max64, saturate
from solvent._core.base.schema cimport CROSS, FULL, ISOLATED, NO_INSTRUMENT, PARTIAL, SAFE
from solvent._core.contract.valuation cimport Held, Instrument, price_paying, tier_of
from solvent._core.trade.state cimport State
from solvent._core.trade.order_margin cimport affords


cdef tuple _FLAT = (0,) * 8             # the figures of a flat position


# --- Positions -----------------------------------------------------------------------------------------

cdef tuple _terms(State* s, Position* p):
    """Returns a position's terms, value and margin; a flat one has them as well."""
    cdef Ledger* l = &s.ledger
    cdef Instrument* ins = &l.instruments[p.instrument]
    cdef Held held = held_of(l, p)
    return (p.instrument, p.leg, p.mode, p.chosen_tier, p.leverage.times, p.leverage.parts, p.hedged, p.size_lots,
            p.cost_units, p.margin_units, held.other_lots, ins.mark_ticks, position_value(l, p), upl(l, p),
            initial_units(l, p), tier_of(ins, &held, &s.log.fault))


cdef void _see(State* s, int32_t index, Seen* seen) noexcept nogil:
    """Reads the domain of an open position, unless the last one read was that."""
    cdef Position* p = &s.ledger.positions[index]
    cdef uint32_t currency = s.ledger.instruments[p.instrument].currency
    if p.mode:
        seen.account = 0
        isolated_requirement(&s.ledger, &s.rules, index, &seen.r)
    elif seen.account != p.account or seen.currency != currency:
        seen.account = p.account
        seen.currency = currency
        cross_requirement(&s.ledger, &s.rules, p.account, currency, &seen.r)
        shares_of(&s.ledger, p.account, currency, &seen.shares)


cdef tuple _standing(State* s, int32_t index, Seen* seen):
    """Returns the figures of an open position: its thresholds, its domain, its liquidation and bankruptcy prices."""
    cdef Ledger* l = &s.ledger
    cdef Position* p = &l.positions[index]
    cdef int64_t full_ppb, own_ppb
    cdef Ticks ticks
    _see(s, index, seen)
    threshold_rates(l, &s.rules, p, &full_ppb, &own_ppb)
    liquidation_ticks(l, &s.rules, index, &seen.r, &ticks)
    return (own_part(l, &s.rules, index), full_ppb, own_ppb, seen.r.equity, seen.r.value, ticks.found, ticks.ahead,
            price_paying(&l.instruments[p.instrument], p.size_lots, bankruptcy_in(l, index, &seen.shares), 0))


cdef tuple _position(State* s, int32_t index, Seen* seen):
    cdef Position* p = &s.ledger.positions[index]
    return _terms(s, p) + (_standing(s, index, seen) if p.size_lots else _FLAT)


cdef tuple position_row(State* s, uint32_t account, uint32_t instrument, uint8_t leg):
    """Returns a position as it is, or as it would begin."""
    cdef int32_t fault = s.log.fault
    cdef int32_t index = position_find(&s.ledger, account, instrument, leg)
    cdef Position blank
    cdef Seen seen
    seen.account = 0
    position_default(&s.ledger, account, instrument, leg, &blank)
    try:
        return _position(s, index, &seen) if index >= 0 else _terms(s, &blank) + _FLAT
    finally:
        s.log.fault = fault


cdef list position_rows(State* s, uint32_t account):
    """Returns the account's positions by instrument and leg, the flat ones too."""
    cdef int32_t fault = s.log.fault
    cdef int32_t index = s.ledger.accounts[account].first_position
    cdef Seen seen
    seen.account = 0
    found = []
    try:
        while index >= 0:
            found.append(_position(s, index, &seen))
            index = s.ledger.positions[index].next
    finally:
        s.log.fault = fault
    return found


# --- Wallets -------------------------------------------------------------------------------------------

cdef int64_t _withdrawable(State* s, uint32_t account, uint32_t currency) noexcept nogil:
    """Finds the largest amount that the check of a withdrawal allows."""
    cdef int64_t low = 0
    cdef int64_t high = max64(0, free_units(&s.ledger, account, currency, True))
    cdef int64_t middle
    if affords(s, account, currency, high, True):
        return high
    while high - low > 1:
        middle = low + ((high - low) >> 1)
        if affords(s, account, currency, middle, True):
            low = middle
        else:
            high = middle
    return low


cdef tuple _wallet(State* s, uint32_t account, uint32_t currency):
    cdef Ledger* l = &s.ledger
    cdef int64_t cash = wallet_of(l, account, currency).cash_units
    cdef int64_t counted = backing(l, account, currency) - cash
    cdef int128 balance = <int128>cash + counted
    cdef int128 equity = 0
    cdef int128 initial = 0
    cdef int128 maintenance
    cdef int32_t index = l.accounts[account].first_position
    cdef Requirement r, cross
    cdef Position* p
    cross_requirement(l, &s.rules, account, currency, &cross)
    maintenance = cross.own
    while index >= 0:
        p = &l.positions[index]
        if p.size_lots != 0 and l.instruments[p.instrument].currency == currency:
            initial += initial_part(l, p)
            if p.mode:
                isolated_requirement(l, &s.rules, index, &r)
                maintenance += r.own
                equity += <int128>p.margin_units + upl(l, p)
            else:
                balance += upl(l, p)
        index = p.next
    return (currency, cash, wallet_of(l, account, currency).hold_units, free_units(l, account, currency, False), counted,
            _withdrawable(s, account, currency), balance + equity, balance, initial, maintenance, cross.equity, cross.value)


cdef tuple wallet_row(State* s, uint32_t account, uint32_t currency):
    """Returns one currency of an account."""
    cdef int32_t fault = s.log.fault
    try:
        return _wallet(s, account, currency)
    finally:
        s.log.fault = fault


cdef list wallet_rows(State* s, uint32_t account):
    """Returns the account's money, and the margin of its positions, by currency."""
    cdef uint32_t currency
    found = []
    for currency in range(s.ledger.currency_count):
        found.append(wallet_row(s, account, currency))
    return found


# --- Margin domains ------------------------------------------------------------------------------------

cdef int _verdict(Requirement* r) noexcept nogil:
    if r.equity >= r.own:
        return SAFE
    return FULL if r.equity < r.full else PARTIAL


cdef int _stuck(Ledger* l, uint32_t account, uint32_t currency) noexcept nogil:
    """Returns 1 if a step-down of the cross domain found no fill and waits for the next mark."""
    cdef int32_t index = l.accounts[account].first_position
    cdef Position* p
    while index >= 0:
        p = &l.positions[index]
        if p.stuck and not p.mode and l.instruments[p.instrument].currency == currency:
            return 1
        index = p.next
    return 0


cdef tuple _isolated(State* s, int32_t index):
    cdef Position* p = &s.ledger.positions[index]
    cdef Requirement r
    isolated_requirement(&s.ledger, &s.rules, index, &r)
    return (ISOLATED, s.ledger.instruments[p.instrument].currency, p.instrument, p.leg, p.margin_units, r.equity, r.value,
            r.full, r.own, _verdict(&r), p.stuck)


cdef tuple _cross(State* s, uint32_t account, uint32_t currency):
    """Returns the test of a cross domain; None if it has no position, and no order that counts."""
    cdef Requirement r
    cross_requirement(&s.ledger, &s.rules, account, currency, &r)
    if r.positions == 0 and r.orders == 0:
        return None
    return (CROSS, currency, <uint32_t>NO_INSTRUMENT, 0, backing(&s.ledger, account, currency), r.equity, r.value, r.full,
            r.own, _verdict(&r), _stuck(&s.ledger, account, currency))


cdef list domain_rows(State* s, uint32_t account):
    """Returns the ratio tests of the account: its open isolated positions, then the cross domain of each currency."""
    cdef int32_t fault = s.log.fault
    cdef int32_t index = s.ledger.accounts[account].first_position
    cdef uint32_t currency
    found = []
    try:
        while index >= 0:
            if s.ledger.positions[index].size_lots != 0 and s.ledger.positions[index].mode:
                found.append(_isolated(s, index))
            index = s.ledger.positions[index].next
        for currency in range(s.ledger.currency_count):
            row = _cross(s, account, currency)
            if row is not None:
                found.append(row)
    finally:
        s.log.fault = fault
    return found


# --- All accounts at once ------------------------------------------------------------------------------

cdef void position_columns(State* s, int32_t index, Seen* seen, void* to) noexcept nogil:
    cdef PositionColumns* row = <PositionColumns*>to
    cdef Ledger* l = &s.ledger
    cdef Position* p = &l.positions[index]
    _see(s, index, seen)
    row.account = p.account
    row.instrument = p.instrument
    row.leg = p.leg
    row.mode = p.mode
    row.leverage = p.leverage.times
    row.leverage_parts = p.leverage.parts
    row.size_lots = p.size_lots
    row.cost_units = p.cost_units
    row.margin_units = p.margin_units
    row.hold_units = p.hold_units
    row.upl_units = upl(l, p)
    row.value_units = position_value(l, p)
    row.equity_units = saturate(seen.r.equity)
    row.full_units = saturate(seen.r.full)
    row.own_units = saturate(seen.r.own)
    row.initial_units = initial_units(l, p)
    row.domain_value_units = saturate(seen.r.value)


cdef void liquidation_columns(State* s, int32_t index, Seen* seen, void* to) noexcept nogil:
    cdef LiquidationColumns* row = <LiquidationColumns*>to
    cdef Position* p = &s.ledger.positions[index]
    cdef Instrument* ins = &s.ledger.instruments[p.instrument]
    cdef Ticks ticks
    _see(s, index, seen)
    row.account = p.account
    row.instrument = p.instrument
    row.leg = p.leg
    row.mark_ticks = ins.mark_ticks
    liquidation_ticks(&s.ledger, &s.rules, index, &seen.r, &ticks)
    row.liquidation_ticks = ticks.found
    row.profit_side_ticks = ticks.ahead
    row.bankruptcy_ticks = price_paying(ins, p.size_lots, bankruptcy_in(&s.ledger, index, &seen.shares), 0)


cdef void account_columns(State* s, uint32_t account, uint32_t currency, AccountColumns* row) noexcept nogil:
    cdef Ledger* l = &s.ledger
    cdef int32_t index = l.accounts[account].first_position
    cdef int128 margin = 0
    cdef int128 profit = 0
    cdef int128 initial = 0
    cdef Requirement r
    while index >= 0:
        if l.instruments[l.positions[index].instrument].currency == currency:
            margin += l.positions[index].margin_units
            profit += upl(l, &l.positions[index])
            if l.positions[index].size_lots != 0:
                initial += initial_part(l, &l.positions[index])
        index = l.positions[index].next
    cross_requirement(l, &s.rules, account, currency, &r)
    row.account = account
    row.currency = currency
    row.cash_units = wallet_of(l, account, currency).cash_units
    row.hold_units = wallet_of(l, account, currency).hold_units
    row.margin_units = saturate(margin)
    row.upl_units = saturate(profit)
    row.free_units = free_units(l, account, currency, False)
    row.spendable_units = free_units(l, account, currency, True)
    row.equity_units = saturate(r.equity)
    row.full_units = saturate(r.full)
    row.own_units = saturate(r.own)
    row.value_units = saturate(r.value)
    row.collateral_units = backing(l, account, currency) - row.cash_units
    row.initial_units = saturate(initial)
