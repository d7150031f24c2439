"""Takeover; the contract is in take_over.pxd, the readable twin in twin/liquidation/take_over.py."""

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free
from solvent._core.account.ledger cimport Ledger, Position, Purse, margin_purse, pay, touch, wallet_of, wallet_purse
from solvent._core.account.parcels cimport parcel_take, parcels_reserve
from solvent._core.account.margin cimport Shares, bankruptcy_cost, bankruptcy_in, share_in, shares_of, upl
from solvent._core.base.clauses cimport LIQ_1, LIQ_2, LIQ_3, LIQ_4, MON_8, must
from solvent._core.base.money cimport int128
from solvent._core.base.pool cimport taken
from solvent._core.base.schema cimport CLEARING, FULL, TAKEN_OVER
from solvent._core.contract.valuation cimport Instrument, price_paying
from solvent._core.liquidation.case cimport OVER, Case
from solvent._core.liquidation.collateral cimport convert
from solvent._core.trade.holds cimport refresh_hold
from solvent._core.trade.state cimport State
from solvent._core.base.emit cimport emit_takeover

cdef struct Taken:             # a position to take over
    int32_t position
    int64_t cost_units


cdef void _take(State* s, Taken* each) noexcept nogil:
    """Turns one position into a parcel."""
    cdef Ledger* l = &s.ledger
    cdef Position* p = &l.positions[each.position]
    cdef Instrument* ins = &l.instruments[p.instrument]
    cdef int64_t price = price_paying(ins, p.size_lots, each.cost_units, 0)
    must(p.first_order < 0 and p.hold_units == 0, LIQ_2, &s.log.fault)
    must(p.mode or l.positions[each.position].margin_units == 0, LIQ_3, &s.log.fault)
    emit_takeover(
        &s.log, account=p.account, instrument=p.instrument, mode=p.mode, parcel_id=l.next_parcel_id,
        size_lots=p.size_lots, cost_units=each.cost_units, mark_ticks=ins.mark_ticks, bankruptcy_ticks=price,
        leg=p.leg)
    parcel_take(l, each.position, each.cost_units, price)
    must(p.size_lots == 0 and p.cost_units == 0 and p.margin_units == 0, LIQ_3, &s.log.fault)
    must(l.parcels[l.parcel_count - 1].cost_units == each.cost_units and l.parcels[l.parcel_count - 1].origin == p.account,
         LIQ_4, &s.log.fault)
    refresh_hold(s, each.position)


cdef void _take_isolated(State* s, Case* c) noexcept nogil:
    cdef Ledger* l = &s.ledger
    cdef Purse purse = margin_purse(l, c.position)
    cdef Taken each
    if not parcels_reserve(l):
        return
    each.position = c.position
    each.cost_units = bankruptcy_cost(l, c.position)
    must(each.cost_units == l.positions[c.position].cost_units - l.positions[c.position].margin_units, LIQ_3, &s.log.fault)
    must(l.positions[c.position].mode and l.positions[c.position].account == c.account, LIQ_3, &s.log.fault)
    pay(l, TAKEN_OVER, purse, wallet_purse(CLEARING, purse.currency), l.positions[c.position].margin_units, 0)
    _take(s, &each)


cdef int32_t _shares(State* s, Case* c, Taken* found) noexcept nogil:
    """Lists the open cross positions of the domain with their costs, all from the same state. Returns their number."""
    cdef Ledger* l = &s.ledger
    cdef int32_t index = l.accounts[c.account].first_position
    cdef int32_t count = 0
    cdef int64_t share
    cdef int128 whole = 0
    cdef Shares shares
    shares_of(l, c.account, c.currency, &shares)
    while index >= 0:
        if (l.positions[index].size_lots != 0 and not l.positions[index].mode
                and l.instruments[l.positions[index].instrument].currency == c.currency):
            found[count].position = index
            found[count].cost_units = bankruptcy_in(l, index, &shares)
            share = share_in(l, &shares, index)
            must(found[count].cost_units == l.positions[index].cost_units + upl(l, &l.positions[index]) - share,
                 LIQ_3, &s.log.fault)
            whole += share
            count += 1
        index = l.positions[index].next
    must(count == c.requirement.positions, LIQ_4, &s.log.fault)
    must(whole == c.requirement.equity or l.collateral_count != 0 or s.ledger.orders_count, LIQ_3, &s.log.fault)
    return count


cdef int64_t _costs_left(State* s, Case* c) noexcept nogil:
    """Returns the sum of the remaining costs of the domain's positions, which must be zero."""
    cdef int32_t index = s.ledger.accounts[c.account].first_position
    cdef int64_t left = 0
    while index >= 0:
        if not s.ledger.positions[index].mode and s.ledger.instruments[s.ledger.positions[index].instrument].currency == c.currency:
            must(s.ledger.positions[index].size_lots == 0, LIQ_4, &s.log.fault)
            left += s.ledger.positions[index].cost_units
        index = s.ledger.positions[index].next
    return left


cdef void _take_cross(State* s, Case* c) noexcept nogil:
    """Takes all cross positions of a currency, each at its share of the equity, after converting the currency's collateral."""
    cdef Ledger* l = &s.ledger
    cdef Taken* found = <Taken*>taken(<size_t>c.requirement.positions * sizeof(Taken))
    cdef int32_t i, count
    if found == NULL:
        s.log.fault = 2
        return
    for i in range(l.collateral_count):
        if l.collateral[i].of == c.currency and convert(s, c.account, &l.collateral[i]):
            touch(l, c.account)
    count = _shares(s, c, found)
    pay(l, TAKEN_OVER, wallet_purse(c.account, c.currency), wallet_purse(CLEARING, c.currency),
        wallet_of(l, c.account, c.currency).cash_units, 0)
    must(wallet_of(l, c.account, c.currency).cash_units == 0, LIQ_3, &s.log.fault)
    touch(l, c.account)       # the domain that its balance backed is tested
    for i in range(count):
        if parcels_reserve(l):
            _take(s, &found[i])
    free(found)
    must(wallet_of(l, c.account, c.currency).cash_units == -_costs_left(s, c), LIQ_3, &s.log.fault)
    must(wallet_of(l, c.account, c.currency).hold_units >= 0, MON_8, &s.log.fault)


cdef int take_over(State* s, Case* c) noexcept nogil:
    """Takes over the isolated position, or all cross positions of the domain."""
    must(c.verdict == FULL, LIQ_1, &s.log.fault)      # else it was stepped down, or lost the orders that asked for more
    must(c.requirement.equity < c.requirement.full, LIQ_1, &s.log.fault)
    if c.position >= 0:
        _take_isolated(s, c)
    else:
        _take_cross(s, c)
    return OVER
