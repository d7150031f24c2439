"""Money and margin commands; the contract is in account_commands.pxd."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint8_t
from solvent._core.trade.order_margin cimport affords, fits, reach
from solvent._core.trade.placement cimport check_leg, check_names
from solvent._core.account.ledger cimport (
    FIRST_USER, Ledger, Position, Purse, fund_receives, margin_purse, pay, position_default, position_event, position_find,
    positions_reserve, touch, wallet_of, wallet_purse,
)
from solvent._core.account.margin cimport (
    Requirement, closing_loss, domain_requirement, hold_units, initial_units, isolated_holds, upl,
)
from solvent._core.base.money cimport MONEY_MAX, floor128, int128, min64
from solvent._core.base.schema cimport (
    BAD_AMOUNT, BAD_LEVERAGE, BAD_MODE, BELOW_INITIAL_MARGIN, BUY, DEDUCTION, DEFICIT, DEPOSITED, FACTOR, FUND_SEEDED,
    INSUFFICIENT_BALANCE, INSUFFICIENT_MARGIN, ISOLATED, LEVERAGE_ABOVE_TIER, MARGIN_MOVED, MODE_IN_USE, MONEY_LIMIT,
    NOT_RELATED, NO_ISOLATED_POSITION, OK, OUTSIDE, POSITION_LIMIT, TOO_MANY_ORDERS, TRANSFERRED, UNKNOWN_ACCOUNT,
    UNKNOWN_CURRENCY, UNKNOWN_INSTRUMENT, WITHDRAWALS_CLOSED, WITHDRAWN,
)
from solvent._core.trade.lifecycle cimport position_begin
from solvent._core.trade.holds cimport refresh_hold
from solvent._core.trade.state cimport State
from solvent._core.contract.valuation cimport Instrument, Leverage, allows
from solvent._core.base.commands cimport Deposit, MoveMargin, SeedFund, SetLeverage, SetPositionMode, Transfer, Withdraw

cdef extern from *:
    """
    #include <stdint.h>
    /* rendered: limits */
    #define SOLVENT_LEVERAGE_PARTS_MAX INT64_C(1000000)
    #define SOLVENT_LEVERAGE_TIMES_MAX INT64_C(1000000000000)
    /* rendered: end */
    """
    int64_t LEVERAGE_PARTS_MAX "SOLVENT_LEVERAGE_PARTS_MAX"
    int64_t LEVERAGE_TIMES_MAX "SOLVENT_LEVERAGE_TIMES_MAX"


# --- Money commands ------------------------------------------------------------------------------------

cdef int _check_amount(State* s, uint32_t currency, int64_t amount_units) noexcept nogil:
    if currency >= s.ledger.currency_count:
        return UNKNOWN_CURRENCY
    return BAD_AMOUNT if amount_units < 1 or amount_units > MONEY_MAX else OK


cdef int _check_purse(State* s, uint32_t account, uint32_t currency, int64_t amount_units) noexcept nogil:
    if account < FIRST_USER or account >= s.ledger.account_count:
        return UNKNOWN_ACCOUNT
    return _check_amount(s, currency, amount_units)


cdef inline bint _exceeds(State* s, uint32_t currency, int64_t amount_units) noexcept nogil:
    """True if all deposits, with this one, would exceed the limit of a currency."""
    return amount_units > MONEY_MAX + wallet_of(&s.ledger, OUTSIDE, currency).cash_units


cdef int deposit(State* s, const Deposit* c) noexcept nogil:
    cdef int code = _check_purse(s, c.account, c.currency, c.amount_units)
    if code != OK:
        return code
    if _exceeds(s, c.currency, c.amount_units):
        return MONEY_LIMIT
    pay(&s.ledger, DEPOSITED, wallet_purse(OUTSIDE, c.currency), wallet_purse(c.account, c.currency), c.amount_units, 0)
    touch(&s.ledger, c.account)
    return OK


cdef int seed_fund(State* s, const SeedFund* c) noexcept nogil:
    cdef int code = _check_amount(s, c.currency, c.amount_units)
    if code != OK:
        return code
    if _exceeds(s, c.currency, c.amount_units):
        return MONEY_LIMIT
    fund_receives(&s.ledger, FUND_SEEDED, wallet_purse(OUTSIDE, c.currency), c.amount_units, 0)
    return OK


cdef int withdraw(State* s, const Withdraw* c) noexcept nogil:
    cdef int code = _check_purse(s, c.account, c.currency, c.amount_units)
    if code != OK:
        return code
    if wallet_of(&s.ledger, DEFICIT, c.currency).cash_units != 0:
        return WITHDRAWALS_CLOSED
    if not affords(s, c.account, c.currency, c.amount_units, True):
        return INSUFFICIENT_BALANCE
    pay(&s.ledger, WITHDRAWN, wallet_purse(c.account, c.currency), wallet_purse(OUTSIDE, c.currency), c.amount_units, 0)
    touch(&s.ledger, c.account)
    return OK


cdef int transfer(State* s, const Transfer* c) noexcept nogil:
    """Executes TRANSFER between two accounts of one family (a master and its sub-accounts)."""
    cdef Ledger* l = &s.ledger
    cdef int code = _check_purse(s, c.account, c.currency, c.amount_units)
    cdef uint32_t receiver, family[2]
    if code != OK:
        return code
    if c.receiver < FIRST_USER or c.receiver >= l.account_count:
        return UNKNOWN_ACCOUNT
    receiver = <uint32_t>c.receiver
    family[0] = l.accounts[c.account].parent if l.accounts[c.account].parent else c.account
    family[1] = l.accounts[receiver].parent if l.accounts[receiver].parent else receiver
    if family[0] != family[1] or receiver == c.account:
        return NOT_RELATED
    if not affords(s, c.account, c.currency, c.amount_units, True):
        return INSUFFICIENT_BALANCE
    pay(l, TRANSFERRED, wallet_purse(c.account, c.currency), wallet_purse(receiver, c.currency), c.amount_units, 0)
    touch(l, c.account)
    touch(l, receiver)
    return OK


# --- Margin commands -----------------------------------------------------------------------------------

cdef int _check_position(State* s, uint32_t account, uint32_t instrument, uint8_t leg) noexcept nogil:
    """Checks the names, and the leg against the position mode."""
    cdef int code = check_names(s, account, instrument)
    return check_leg(s, account, instrument, leg) if code == OK else code


cdef bint _endangers(State* s, int32_t index, Position* changed) noexcept nogil:
    """True if the position's domain would be below its threshold: another leverage or tier may require more."""
    cdef Position before = s.ledger.positions[index]
    cdef Requirement r
    s.ledger.positions[index] = changed[0]
    domain_requirement(&s.ledger, &s.rules, index, &r)
    s.ledger.positions[index] = before
    return r.positions > 0 and r.equity < r.own


cdef Leverage _lowest(int64_t times, int64_t parts) noexcept nogil:
    """Returns a fraction in lowest terms."""
    cdef int64_t a = times
    cdef int64_t b = parts
    cdef Leverage found
    while b:
        a, b = b, a % b
    found.times = <int64_t>floor128(times, a)
    found.parts = <int64_t>floor128(parts, a)
    return found


cdef inline bint _is_lower(Leverage a, Leverage b) noexcept nogil:
    return <int128>a.times * b.parts < <int128>b.times * a.parts


cdef int set_leverage(State* s, const SetLeverage* c) noexcept nogil:
    """Executes SET_LEVERAGE. The mode changes only while flat and without orders; leverage keeps within tier and free
    balance."""
    cdef Ledger* l = &s.ledger
    cdef int code = _check_position(s, c.account, c.instrument, c.leg)
    cdef int32_t index
    cdef Position changed
    cdef Instrument* ins
    cdef Leverage leverage
    cdef int128 needed
    if code != OK:
        return code
    if c.mode > ISOLATED:
        return BAD_MODE
    if (c.leverage_parts > LEVERAGE_PARTS_MAX or c.leverage_times < 1 or c.leverage_times < <int64_t>c.leverage_parts
            or c.leverage_times > LEVERAGE_TIMES_MAX):
        return BAD_LEVERAGE
    leverage = _lowest(c.leverage_times, <int64_t>c.leverage_parts if c.leverage_parts else 1)
    ins = &l.instruments[c.instrument]
    # With DEDUCTION and FACTOR a higher tier may require less margin: no tier can be chosen.
    if c.chosen_tier < 0 or c.chosen_tier > ins.tier_count or (c.chosen_tier and (ins.scheme == DEDUCTION or ins.scheme == FACTOR)):
        return BAD_LEVERAGE
    index = position_find(l, c.account, c.instrument, c.leg)
    if index >= 0:
        changed = l.positions[index]
    else:
        position_default(l, c.account, c.instrument, c.leg, &changed)
    if c.mode != changed.mode and (changed.size_lots != 0 or changed.first_order >= 0):
        return MODE_IN_USE
    changed.mode = <uint8_t>c.mode
    changed.chosen_tier = <int32_t>c.chosen_tier
    if changed.chosen_tier and not fits(l, &changed):
        return POSITION_LIMIT
    if not allows(ins, reach(l, &changed), leverage):
        return LEVERAGE_ABOVE_TIER
    changed.leverage = leverage
    needed = <int128>hold_units(l, &changed, NULL, BUY) - changed.hold_units
    if index >= 0 and not changed.mode and changed.size_lots != 0:
        needed = needed + initial_units(l, &changed) - initial_units(l, &l.positions[index])
    if needed > 0 and not affords(s, c.account, ins.currency, needed, changed.mode):
        return INSUFFICIENT_MARGIN
    if (index >= 0 and (changed.size_lots != 0 or changed.first_order >= 0)
            and (ins.rates_count or (ins.scheme == FACTOR and _is_lower(leverage, l.positions[index].leverage))
                 or changed.chosen_tier > l.positions[index].chosen_tier)
            and _endangers(s, index, &changed)):
        return INSUFFICIENT_MARGIN
    if index < 0:
        if not positions_reserve(l, c.instrument, 1):
            return TOO_MANY_ORDERS
        index = position_begin(s, c.account, c.instrument, c.leg)
    l.positions[index].mode = changed.mode
    l.positions[index].leverage = changed.leverage
    l.positions[index].chosen_tier = changed.chosen_tier
    refresh_hold(s, index)
    position_event(l, index)
    touch(l, c.account)
    return OK


cdef int32_t _row(State* s, uint32_t account, uint32_t instrument, uint8_t leg) noexcept nogil:
    """Returns a position, and begins a flat one if there is none; after positions_reserve."""
    cdef int32_t index = position_find(&s.ledger, account, instrument, leg)
    return index if index >= 0 else position_begin(s, account, instrument, leg)


cdef int set_position_mode(State* s, const SetPositionMode* c) noexcept nogil:
    """Executes SET_POSITION_MODE: one position of an instrument, or a long and a short leg; only while flat and without
    orders.

    The legs begin with the margin mode and leverage of the one-way position, which keeps its own for later.
    """
    cdef Ledger* l = &s.ledger
    cdef int code = check_names(s, c.account, c.instrument)
    cdef int32_t rows[3]
    cdef int leg
    cdef bint hedged, used = False
    if code != OK:
        return code
    if c.hedged > 1:
        return BAD_MODE
    for leg in range(3):
        rows[leg] = position_find(l, c.account, c.instrument, <uint8_t>leg)
        if rows[leg] >= 0 and (l.positions[rows[leg]].size_lots != 0 or l.positions[rows[leg]].first_order >= 0):
            used = True
    hedged = rows[0] >= 0 and l.positions[rows[0]].hedged
    if hedged != (c.hedged == 1) and used:
        return MODE_IN_USE
    if not positions_reserve(l, c.instrument, 3):
        return TOO_MANY_ORDERS
    for leg in range(3 if c.hedged else 1):
        rows[leg] = _row(s, c.account, c.instrument, <uint8_t>leg)
    l.positions[rows[0]].hedged = <uint8_t>c.hedged
    for leg in range(1, 3 if c.hedged and not hedged else 1):
        l.positions[rows[leg]].mode = l.positions[rows[0]].mode
        l.positions[rows[leg]].leverage = l.positions[rows[0]].leverage
        l.positions[rows[leg]].other_leg = rows[3 - leg]
    for leg in range(3 if c.hedged else 1):
        position_event(l, rows[leg])
    return OK


cdef bint _can_spare(State* s, Position* p, int64_t amount) noexcept nogil:
    """True if an isolated margin less `amount` still bears initial margin and the loss of closing orders."""
    cdef Ledger* l = &s.ledger
    cdef int64_t left = p.margin_units - amount + min64(0, upl(l, p))
    cdef bint holds
    p.margin_units -= amount
    holds = isolated_holds(l, &s.rules, <int32_t>(p - l.positions))
    p.margin_units += amount
    return holds and left >= <int128>initial_units(l, p) + closing_loss(l, p)


cdef void _move(State* s, int32_t index, int64_t amount) noexcept nogil:
    """Moves units from the wallet into a position's margin; a negative amount moves them back."""
    cdef Ledger* l = &s.ledger
    cdef Purse margin = margin_purse(l, index)
    pay(l, MARGIN_MOVED, wallet_purse(margin.account, margin.currency), margin, amount, 0)
    position_event(l, index)
    touch(l, margin.account)


cdef int _pass_margin(State* s, const MoveMargin* c, int32_t index) noexcept nogil:
    """Moves margin from one isolated position to another through the wallet."""
    cdef Ledger* l = &s.ledger
    cdef uint32_t instrument = <uint32_t>(c.next_to_target - 1)
    cdef int32_t target
    cdef int code
    if c.next_to_target - 1 >= l.instrument_count:
        return UNKNOWN_INSTRUMENT
    code = _check_position(s, c.account, instrument, c.target_leg)
    if code != OK:
        return code
    target = position_find(l, c.account, instrument, c.target_leg)
    if (target < 0 or target == index or l.instruments[instrument].currency != l.instruments[c.instrument].currency
            or not l.positions[target].mode or l.positions[target].size_lots == 0):
        return NO_ISOLATED_POSITION
    if not _can_spare(s, &l.positions[index], c.amount_units):
        return BELOW_INITIAL_MARGIN
    _move(s, index, -c.amount_units)
    _move(s, target, c.amount_units)
    return OK


cdef int move_margin(State* s, const MoveMargin* c) noexcept nogil:
    """Executes MOVE_MARGIN between wallet and position, or from this position to another."""
    cdef Ledger* l = &s.ledger
    cdef int code = _check_position(s, c.account, c.instrument, c.leg)
    cdef int32_t index
    if code != OK:
        return code
    if (c.amount_units == 0 or c.amount_units > MONEY_MAX or c.amount_units < -MONEY_MAX
            or (c.next_to_target != 0 and c.amount_units < 0)):
        return BAD_AMOUNT
    index = position_find(l, c.account, c.instrument, c.leg)
    if index < 0 or not l.positions[index].mode or l.positions[index].size_lots == 0:
        return NO_ISOLATED_POSITION
    if c.next_to_target != 0:
        return _pass_margin(s, c, index)
    if c.amount_units < 0:
        if not _can_spare(s, &l.positions[index], -c.amount_units):
            return BELOW_INITIAL_MARGIN
    elif not affords(s, c.account, l.instruments[c.instrument].currency, c.amount_units, True):
        return INSUFFICIENT_BALANCE
    _move(s, index, c.amount_units)
    return OK
