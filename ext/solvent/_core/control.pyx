"""Money and margin commands; the contract is in control.pxd."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint8_t
from solvent._core.cover cimport reach
from solvent._core.entry cimport check_leg, check_names
from solvent._core.ledger cimport (
    DEFICIT, FIRST_USER, OUTSIDE, Ledger, Position, fund_receives, margin_purse, pay,
    position_default, position_event, position_find, position_new, position_reserve, touch, wallet_of,
    wallet_purse,
)
from solvent._core.margin cimport closing_loss, free_units, hold_units, initial_units, upl
from solvent._core.money cimport add, least
from solvent._core.records cimport (
    BAD_AMOUNT, BAD_LEVERAGE, BAD_MODE, BAD_PRICE, BELOW_INITIAL_MARGIN, BUY, BY_INDEX, BY_MARK, DEPOSITED, FUND_SEEDED,
    INDEXED, INSUFFICIENT_BALANCE, INSUFFICIENT_MARGIN, ISOLATED, LEVERAGE_ABOVE_TIER, MARGIN_MOVED, MARKED, MODE_IN_USE,
    MONEY_LIMIT, NO_ISOLATED_POSITION, OK, SEED_FUND, TOO_MANY_ORDERS, UNKNOWN_ACCOUNT, UNKNOWN_CURRENCY,
    UNKNOWN_INSTRUMENT, WITHDRAWALS_CLOSED, WITHDRAWN, Command, say,
)
from solvent._core.trading cimport State, observe, refresh_hold
from solvent._core.valuation cimport Instrument
from solvent._core.watch cimport watch_mark

cdef extern from *:
    """
    #include <stdint.h>
    #define SOLVENT_MONEY_MAX ((INT64_C(1) << 62) - 1)
    """
    int64_t MONEY_MAX "SOLVENT_MONEY_MAX"


# --- Money commands ------------------------------------------------------------------------------------

cdef int _check_purse(State* s, const Command* c) noexcept nogil:
    if c.type != SEED_FUND and (c.account < FIRST_USER or c.account >= s.ledger.account_count):
        return UNKNOWN_ACCOUNT
    if c.instrument >= s.ledger.currency_count:
        return UNKNOWN_CURRENCY
    if c.amount < 1 or c.amount > MONEY_MAX:
        return BAD_AMOUNT
    return OK


cdef int deposit(State* s, const Command* c) noexcept nogil:
    """DEPOSIT and SEED_FUND."""
    cdef int code = _check_purse(s, c)
    if code != OK:
        return code
    if c.amount > MONEY_MAX + wallet_of(&s.ledger, OUTSIDE, c.instrument).cash_units:
        return MONEY_LIMIT
    if c.type == SEED_FUND:
        fund_receives(&s.ledger, FUND_SEEDED, wallet_purse(OUTSIDE, c.instrument), c.amount, 0)
    else:
        pay(&s.ledger, DEPOSITED, wallet_purse(OUTSIDE, c.instrument), wallet_purse(c.account, c.instrument), c.amount, 0)
        touch(&s.ledger, c.account)
    return OK


cdef int withdraw(State* s, const Command* c) noexcept nogil:
    cdef int code = _check_purse(s, c)
    if code != OK:
        return code
    if wallet_of(&s.ledger, DEFICIT, c.instrument).cash_units != 0:
        return WITHDRAWALS_CLOSED
    if free_units(&s.ledger, c.account, c.instrument, True) < c.amount:
        return INSUFFICIENT_BALANCE
    pay(&s.ledger, WITHDRAWN, wallet_purse(c.account, c.instrument), wallet_purse(OUTSIDE, c.instrument), c.amount, 0)
    touch(&s.ledger, c.account)
    return OK


# --- Margin commands -----------------------------------------------------------------------------------

cdef int _check_position(State* s, const Command* c) noexcept nogil:
    """Names, and the leg (in `side`) that the position mode wants."""
    cdef int code = check_names(s, c)
    return check_leg(s, c, c.side) if code == OK else code


cdef int set_leverage(State* s, const Command* c) noexcept nogil:
    """Mode only while flat and without resting orders; leverage within the tier and the free balance."""
    cdef Ledger* l = &s.ledger
    cdef int code = _check_position(s, c)
    cdef int32_t index
    cdef Position changed
    cdef Instrument* ins
    cdef int64_t needed
    if code != OK:
        return code
    if c.mode > ISOLATED:
        return BAD_MODE
    if c.amount < 1:
        return BAD_LEVERAGE
    ins = &l.instruments[c.instrument]
    index = position_find(l, c.account, c.instrument, c.side)
    if index >= 0:
        changed = l.positions[index]
    else:
        position_default(l, c.instrument, c.side, &changed)
    if c.mode != changed.mode and (changed.size_lots != 0 or changed.first_order >= 0):
        return MODE_IN_USE
    if c.amount > ins.tiers[reach(l, &changed)].max_leverage:
        return LEVERAGE_ABOVE_TIER
    changed.mode = <uint8_t>c.mode
    changed.leverage = c.amount
    needed = hold_units(l, &changed, NULL, BUY) - changed.hold_units
    if index >= 0 and not changed.mode and changed.size_lots != 0:
        needed = needed + initial_units(l, &changed) - initial_units(l, &l.positions[index])
    if needed > 0 and free_units(l, c.account, ins.currency, changed.mode) < needed:
        return INSUFFICIENT_MARGIN
    if index < 0:
        if not position_reserve(l, c.instrument):
            return TOO_MANY_ORDERS
        index = position_new(l, c.account, c.instrument, c.side)
    l.positions[index].mode = changed.mode
    l.positions[index].leverage = changed.leverage
    refresh_hold(s, index)
    position_event(l, index)
    touch(l, c.account)
    return OK


cdef int32_t _row(Ledger* l, const Command* c, uint8_t leg) noexcept nogil:
    """A position, made flat if there is none; after position_reserve."""
    cdef int32_t index = position_find(l, c.account, c.instrument, leg)
    return index if index >= 0 else position_new(l, c.account, c.instrument, leg)


cdef int set_position_mode(State* s, const Command* c) noexcept nogil:
    """One position of an instrument, or a long and a short one held apart; changes only while flat without orders.

    The legs begin with the margin mode and leverage of the one-way position, which keeps its own for later.
    """
    cdef Ledger* l = &s.ledger
    cdef int code = check_names(s, c)
    cdef int32_t rows[3]
    cdef int leg
    cdef bint hedged, used = False
    if code != OK:
        return code
    if c.mode > 1:
        return BAD_MODE
    for leg in range(3):
        rows[leg] = position_find(l, c.account, c.instrument, <uint8_t>leg)
        if rows[leg] >= 0 and (l.positions[rows[leg]].size_lots != 0 or l.positions[rows[leg]].first_order >= 0):
            used = True
    hedged = rows[0] >= 0 and l.positions[rows[0]].hedged
    if hedged != (c.mode == 1) and used:
        return MODE_IN_USE
    for leg in range(3 if c.mode else 1):
        if not position_reserve(l, c.instrument):
            return TOO_MANY_ORDERS
        rows[leg] = _row(l, c, <uint8_t>leg)
    l.positions[rows[0]].hedged = <uint8_t>c.mode
    for leg in range(1, 3 if c.mode and not hedged else 1):
        l.positions[rows[leg]].mode = l.positions[rows[0]].mode
        l.positions[rows[leg]].leverage = l.positions[rows[0]].leverage
        l.positions[rows[leg]].twin = rows[3 - leg]
    for leg in range(3 if c.mode else 1):
        position_event(l, rows[leg])
    return OK


cdef int move_margin(State* s, const Command* c) noexcept nogil:
    cdef Ledger* l = &s.ledger
    cdef int code = _check_position(s, c)
    cdef int32_t index
    cdef Position* p
    cdef uint32_t currency
    if code != OK:
        return code
    if c.amount == 0 or c.amount > MONEY_MAX or c.amount < -MONEY_MAX:
        return BAD_AMOUNT
    index = position_find(l, c.account, c.instrument, c.side)
    if index < 0 or not l.positions[index].mode or l.positions[index].size_lots == 0:
        return NO_ISOLATED_POSITION
    p = &l.positions[index]
    currency = l.instruments[c.instrument].currency
    if c.amount > 0:
        if free_units(l, c.account, currency, True) < c.amount:
            return INSUFFICIENT_BALANCE
    elif p.margin_units + c.amount + least(0, upl(l, p)) < add(initial_units(l, p), closing_loss(l, p), &s.log.fault):
        return BELOW_INITIAL_MARGIN
    pay(l, MARGIN_MOVED, wallet_purse(c.account, currency), margin_purse(l, index), c.amount, 0)
    position_event(l, index)
    touch(l, c.account)
    return OK
