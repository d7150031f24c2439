"""Halts and settlements; the contract is in market_state.pxd, the readable twin in twin/venue/market_state.py."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from solvent._core.trade.amendment cimport BOTH_SIDES, cancel_selected
from solvent._core.account.ledger cimport (
    FIRST_USER, Fill, Ledger, parcel_fill, pay, position_fill, touch, wallet_of, wallet_purse,
)
from solvent._core.base.money cimport add, magnitude
from solvent._core.base.schema cimport (
    BAD_MODE, BAD_PRICE, CLEARING, CLOSED, CLOSED_BY_SETTLEMENT, DELISTED, HALTED, NOBODY, NOT_TRADING, NO_MARK, OK, RESIDUE,
    SETTLED, TAKER_FEE, TRADING, UNKNOWN_INSTRUMENT,
)
from solvent._core.trade.watching cimport resume
from solvent._core.trade.holds cimport refresh_hold
from solvent._core.trade.state cimport State
from solvent._core.contract.valuation cimport Instrument, worth
from solvent._core.base.emit cimport emit_listing_changed
from solvent._core.base.commands cimport Halt, Settle


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
    s.ledger.instruments[c.instrument].listing = <uint8_t>c.listing
    emit_listing_changed(&s.log, instrument=c.instrument, listing=c.listing, price_ticks=0)
    if c.listing == TRADING:
        resume(s, c.instrument)
    return OK


cdef int close_instrument(State* s, const Settle* c) noexcept nogil:
    """Executes SETTLE: closes an instrument for good at a price, or at its mark if the price is 0."""
    cdef int code = _check(s, c.instrument)
    cdef Instrument* ins
    if code != OK:
        return code
    ins = &s.ledger.instruments[c.instrument]
    if c.price_ticks < 0 or c.price_ticks > ins.max_price_ticks:
        return BAD_PRICE
    if c.price_ticks == 0 and ins.mark_ticks == 0:
        return NO_MARK
    close_at(s, c.instrument, c.price_ticks if c.price_ticks else ins.mark_ticks)
    return OK


cdef void close_at(State* s, uint32_t instrument, int64_t ticks) noexcept nogil:
    """Cancels all orders, oldest first, and closes every position and parcel at one price, without a fee."""
    cdef Ledger* l = &s.ledger
    cdef Instrument* ins = &l.instruments[instrument]
    cdef int32_t* fault = &s.log.fault
    cdef int64_t value, total = 0
    cdef int32_t i, index
    cdef uint32_t account
    cdef Fill terms
    cancel_selected(s, NOBODY, instrument, BOTH_SIDES, DELISTED, True)
    ins.listing = CLOSED
    ins.mark_ticks = ticks
    l.moves += 1
    emit_listing_changed(&s.log, instrument=instrument, listing=CLOSED, price_ticks=ticks)
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
    for i in range(l.parcel_count):
        if l.parcels[i].size_lots != 0 and l.parcels[i].instrument == instrument:
            value = worth(ins, l.parcels[i].size_lots, ticks, fault)
            total = add(total, value, fault)
            parcel_fill(l, i, magnitude(l.parcels[i].size_lots), -value, CLOSED_BY_SETTLEMENT, 0)
    pay(l, SETTLED, wallet_purse(CLEARING, ins.currency), wallet_purse(RESIDUE, ins.currency), -total, 0)
    for i in range(l.collateral_count):     # this price counts as its collateral price from now on
        if l.collateral[i].instrument == instrument:
            for account in range(FIRST_USER, l.account_count):
                if wallet_of(l, account, l.collateral[i].currency).cash_units > 0:
                    touch(l, account)
