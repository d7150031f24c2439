"""Halts and settlements; the contract is in market_state.pxd, the readable twin in twin/venue/market_state.py."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from libc.string cimport memcmp
from solvent._core.trade.cancellation cimport BOTH_SIDES, Filter, cancel_selected
from solvent._core.account.ledger cimport (
    FIRST_USER, OFFER, Fill, Ledger, Parcel, pay, position_fill, touch, wallet_of, wallet_purse,
)
from solvent._core.account.parcels cimport parcel_due, parcel_fill, parcel_next, parcels_of
from solvent._core.base.money cimport RATE, add, int128, magnitude
from solvent._core.base.schema cimport (
    AUCTION, BAD_MODE, BAD_PRICE, BAD_STATE, CLEARING, CLOSED, CLOSED_BY_SETTLEMENT, DELISTED, HALTED, NOBODY, NOT_TRADING,
    NO_MARK, OK, ONLY_CANCEL, PRE_OPEN, RESIDUE, SETTLED, TAKER_FEE, TRADING, UNKNOWN_INSTRUMENT, UNWOUND,
)
from solvent._core.trade.watching cimport resume
from solvent._core.trade.holds cimport refresh_hold
from solvent._core.trade.state cimport State
from solvent._core.contract.valuation cimport Instrument, call_reference, in_call, waits, worth
from solvent._core.market.call_price cimport CallPrice
from solvent._core.market.order_pool cimport pool_find
from solvent._core.trade.lifecycle cimport cancel
from solvent._core.trade.uncross cimport end_unseen, enter_state, extend_call, park_pegs, price_now, uncross
from solvent._core.base.emit cimport emit_indicated
from solvent._core.base.commands cimport Halt, SetState, Settle


cdef int _check(State* s, uint32_t instrument) noexcept nogil:
    if instrument >= s.ledger.instrument_count:
        return UNKNOWN_INSTRUMENT
    return NOT_TRADING if s.ledger.instruments[instrument].listing == CLOSED else OK


cdef int halt(State* s, const Halt* c) noexcept nogil:
    """Executes HALT: listing 1 stops new orders, amendments and triggers, 0 admits them again. Prices, funding and liquidation
    go on."""
    cdef int code = _check(s, c.instrument)
    if code != OK:
        return code
    if c.listing > HALTED:
        return BAD_MODE
    _change(s, c.instrument, <uint8_t>c.listing, 0, TRADING)
    return OK


cdef int set_state(State* s, const SetState* c) noexcept nogil:
    """Executes SET_STATE: any state but that of a settled instrument becomes any other."""
    cdef int code = _check(s, c.instrument)
    cdef bint timed = c.ends_ns > s.clock_ns and c.listing == AUCTION and (
        c.then_listing != PRE_OPEN and c.then_listing != AUCTION and c.then_listing != CLOSED)
    if code != OK:
        return code
    if c.listing > ONLY_CANCEL or c.then_listing > ONLY_CANCEL or not (timed or (c.ends_ns == 0 and c.then_listing == 0)):
        return BAD_STATE
    if c.listing == CLOSED:
        return _close(s, c.instrument, c.price_ticks)
    if c.price_ticks != 0:
        return BAD_PRICE
    _change(s, c.instrument, <uint8_t>c.listing, c.ends_ns, c.then_listing)
    return OK


# --- Calls ---------------------------------------------------------------------------------------------

cdef void _change(State* s, uint32_t instrument, uint8_t listing, int64_t ends_ns, uint8_t then) noexcept nogil:
    """Brings a market into another state. A book that is crossed is uncrossed first, unless orders go on gathering."""
    if listing != s.ledger.instruments[instrument].listing and listing != PRE_OPEN and listing != AUCTION:
        uncross(s, instrument)
    _enter_state(s, instrument, listing, ends_ns, then)


cdef void _enter_state(State* s, uint32_t instrument, uint8_t listing, int64_t ends_ns, uint8_t then) noexcept nogil:
    """Enters a state: the house offers what it could not offer before, and triggers wake."""
    cdef Instrument* ins = &s.ledger.instruments[instrument]
    cdef uint8_t before = ins.listing
    cdef bint waited = waits(ins)
    cdef Parcel* parcel
    cdef int32_t ends[2]
    cdef int32_t i
    if listing == PRE_OPEN or listing == AUCTION:
        end_unseen(s, instrument)
        park_pegs(s, instrument)
    enter_state(s, instrument, listing, 0, ends_ns, then)
    parcels_of(&s.ledger, instrument, ends)
    i = parcel_next(&s.ledger, ends)
    while i >= 0:
        parcel = &s.ledger.parcels[i]
        if waits(ins) and parcel.order_id != 0:
            cancel(s, pool_find(&s.pool, parcel.order_id), UNWOUND)
        elif not waits(ins) and parcel.order_id == 0 and (waited or (before == ONLY_CANCEL and listing != ONLY_CANCEL)):
            parcel_due(&s.ledger, i, OFFER)
        i = parcel_next(&s.ledger, ends)
    for i in range(ins.member_count if waited and not waits(ins) else 0):
        if s.ledger.positions[ins.members[i]].size_lots != 0:
            touch(&s.ledger, s.ledger.positions[ins.members[i]].account)
    if listing == TRADING:
        resume(s, instrument)


cdef void _end_call(State* s, uint32_t instrument) noexcept nogil:
    """Ends a call; one whose price is out of range goes on a while, or ends in a halt if it has often enough."""
    cdef Instrument* ins = &s.ledger.instruments[instrument]
    cdef int64_t reference = call_reference(ins)
    cdef CallPrice found
    cdef bint wild
    price_now(s, instrument, &found)
    wild = ins.calls.range_ppb != 0 and found.lots != 0 and (
        <int128>magnitude(found.price_ticks - reference) * RATE > <int128>reference * ins.calls.range_ppb)
    if wild and ins.extensions < ins.calls.most_extensions:
        extend_call(s, instrument)
    elif wild and ins.calls.halts:
        _enter_state(s, instrument, HALTED, 0, TRADING)
    else:
        _change(s, instrument, ins.then_listing, 0, TRADING)


cdef bint end_calls(State* s) noexcept nogil:
    """Ends the calls whose time has come, by their ends, then by instrument. Returns True if there was one."""
    cdef bint ended = False
    cdef uint32_t i, first
    while True:
        first = s.ledger.instrument_count
        for i in range(s.ledger.instrument_count):
            if 0 < s.ledger.instruments[i].ends_ns <= s.clock_ns and (
                    first == s.ledger.instrument_count or s.ledger.instruments[i].ends_ns < s.ledger.instruments[first].ends_ns):
                first = i
        if first == s.ledger.instrument_count:
            return ended
        _end_call(s, first)
        ended = True


cdef void indicate(State* s) noexcept nogil:
    """Tells price, volume and surplus of an uncross now, of every call in which one of them has changed."""
    cdef Instrument* ins
    cdef CallPrice found
    cdef uint32_t i
    for i in range(s.ledger.instrument_count):
        ins = &s.ledger.instruments[i]
        if not in_call(ins) or ins.calls.silent:
            continue
        price_now(s, i, &found)
        if memcmp(&found, &ins.told, sizeof(CallPrice)) != 0:
            ins.told = found
            emit_indicated(
                &s.log, instrument=i, price_ticks=found.price_ticks, size_lots=found.lots, surplus_lots=found.surplus_lots)


# --- Settlements ---------------------------------------------------------------------------------------

cdef int _close(State* s, uint32_t instrument, int64_t price_ticks) noexcept nogil:
    cdef Instrument* ins = &s.ledger.instruments[instrument]
    if price_ticks < 0 or price_ticks > ins.max_price_ticks:
        return BAD_PRICE
    if price_ticks == 0 and ins.mark_ticks == 0:
        return NO_MARK
    close_at(s, instrument, price_ticks if price_ticks else ins.mark_ticks)
    return OK


cdef int close_instrument(State* s, const Settle* c) noexcept nogil:
    """Executes SETTLE: closes an instrument for good at a price, or at its mark if the price is 0."""
    cdef int code = _check(s, c.instrument)
    return _close(s, c.instrument, c.price_ticks) if code == OK else code


cdef void close_at(State* s, uint32_t instrument, int64_t ticks) noexcept nogil:
    """Cancels all orders, oldest first, and closes every position and parcel at one price, without a fee."""
    cdef Ledger* l = &s.ledger
    cdef Instrument* ins = &l.instruments[instrument]
    cdef int32_t* fault = &s.log.fault
    cdef int64_t value, total = 0
    cdef int32_t ends[2]
    cdef int32_t i, index
    cdef uint32_t account
    cdef Filter orders
    cdef Fill terms
    uncross(s, instrument)
    orders.account = NOBODY
    orders.instrument = instrument
    orders.tag = orders.spares = 0      # the house's too
    orders.side = BOTH_SIDES
    orders.keeps_frozen = False
    cancel_selected(s, &orders, DELISTED)
    ins.mark_ticks = ticks
    l.moves += 1
    enter_state(s, instrument, CLOSED, ticks, 0, TRADING)
    for i in range(ins.member_count):
        index = ins.members[i]
        if l.positions[index].size_lots == 0:
            continue
        value = worth(ins, l.positions[index].size_lots, ticks, fault)
        total = add(total, value, fault)
        terms.size_delta = -l.positions[index].size_lots
        terms.cost_delta = -value
        terms.fee_units = 0
        terms.fee_reason = TAKER_FEE
        terms.keep_margin = 0
        terms.deleveraged = 0
        terms.ref = 0
        position_fill(l, index, &terms)
        refresh_hold(s, index)
    parcels_of(l, instrument, ends)
    i = parcel_next(l, ends)
    while i >= 0:
        value = worth(ins, l.parcels[i].size_lots, ticks, fault)
        total = add(total, value, fault)
        parcel_fill(l, i, magnitude(l.parcels[i].size_lots), -value, CLOSED_BY_SETTLEMENT, 0)
        i = parcel_next(l, ends)
    pay(l, SETTLED, wallet_purse(CLEARING, ins.currency), wallet_purse(RESIDUE, ins.currency), -total, 0)
    for i in range(l.collateral_count):     # this price counts as its collateral price from now on
        if l.collateral[i].instrument == instrument:
            for account in range(FIRST_USER, l.account_count):
                if wallet_of(l, account, l.collateral[i].currency).cash_units > 0:
                    touch(l, account)
