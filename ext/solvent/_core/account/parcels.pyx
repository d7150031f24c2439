"""The house's parcels; the contract is in parcels.pxd. In the readable twin they are methods of the ledger."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset
from solvent._core.account.ledger cimport (
    LOOK, NOT_DUE, Ledger, Parcel, Position, fund_pays, fund_receives, insurance, pay, position_event, unlisted, wallet_purse,
)
from solvent._core.base.clauses cimport LIQ_10, LIQ_3, LIQ_4, LIQ_6, MON_3, MON_6, is_floor, must
from solvent._core.base.ladder cimport Ladder, ladder_add
from solvent._core.base.money cimport RATE, int128, magnitude, min64, mul_div_floor, sub
from solvent._core.base.pool cimport room
from solvent._core.base.schema cimport CLEARING, FILLED_BY_BOOK, HOUSE, PARCEL_GAIN, PARCEL_LOSS, SURPLUS_RETURNED, TAKEN
from solvent._core.base.emit cimport emit_parcel
from solvent._core.contract.valuation cimport Instrument


cdef int parcels_reserve(Ledger* ledger) noexcept nogil:
    """Makes room for one more parcel; the exchange halts without memory."""
    if not room(<void**>&ledger.parcels, ledger.parcel_count, &ledger.parcel_capacity, sizeof(Parcel)):
        ledger.log.fault = 2
        return 0
    return 1


cdef void _parcel_event(Ledger* ledger, Parcel* parcel, uint16_t change, int64_t lots, int64_t gain) noexcept nogil:
    emit_parcel(
        ledger.log, account=HOUSE, instrument=parcel.instrument, change=change, parcel_id=parcel.parcel_id,
        size_lots=parcel.size_lots, cost_units=parcel.cost_units, closed_lots=lots, gain_units=gain)


cdef void _link(Ledger* ledger, int32_t index) noexcept nogil:
    """Appends the newest parcel to its side of its instrument."""
    cdef Parcel* parcel = &ledger.parcels[index]
    cdef Instrument* ins = &ledger.instruments[parcel.instrument]
    cdef int side = parcel.size_lots < 0
    parcel.next = -1
    parcel.prev = ins.last_parcel[side]
    if parcel.prev >= 0:
        ledger.parcels[parcel.prev].next = index
    else:
        ins.first_parcel[side] = index
    ins.last_parcel[side] = index
    must(parcel.prev < index and parcel.size_lots != 0, LIQ_4, &ledger.log.fault)


cdef void _unlink(Ledger* ledger, int32_t index, int side) noexcept nogil:
    """Takes a parcel that has closed out of its side."""
    cdef Parcel* parcel = &ledger.parcels[index]
    cdef Instrument* ins = &ledger.instruments[parcel.instrument]
    must(parcel.size_lots == 0 and ins.first_parcel[side] >= 0, LIQ_10, &ledger.log.fault)
    if parcel.prev >= 0:
        ledger.parcels[parcel.prev].next = parcel.next
    else:
        ins.first_parcel[side] = parcel.next
    if parcel.next >= 0:
        ledger.parcels[parcel.next].prev = parcel.prev
    else:
        ins.last_parcel[side] = parcel.prev
    ledger.closed_parcels += 1
    must(ledger.closed_parcels <= ledger.parcel_count, LIQ_10, &ledger.log.fault)


cdef void parcel_due(Ledger* ledger, int32_t index, uint8_t due) noexcept nogil:
    """Has the pipeline look at a parcel in this round, or in the next one if its turn is over; the exchange halts without
    memory."""
    cdef Ladder* ladder = &ledger.due.later if index < ledger.due.begun else &ledger.due.now
    must(ledger.parcels[index].size_lots != 0, LIQ_10, &ledger.log.fault)
    if ledger.parcels[index].due == NOT_DUE and not ladder_add(ladder, index, index):
        ledger.log.fault = 2
    ledger.parcels[index].due = due


cdef int32_t parcel_next(Ledger* ledger, int32_t* ends) noexcept nogil:
    """Returns the next of an instrument's parcels by id, -1 behind the last. The one that was returned before may close."""
    cdef int side = ends[0] < 0 or (0 <= ends[1] < ends[0])
    cdef int32_t index = ends[side]
    if index >= 0:
        ends[side] = ledger.parcels[index].next
        must(ledger.parcels[index].size_lots != 0, LIQ_10, &ledger.log.fault)
    return index


cdef int32_t parcel_take(Ledger* ledger, int32_t position, int64_t cost_units, int64_t bankruptcy_ticks) noexcept nogil:
    """Moves a whole position to the house at an exact cost, after parcels_reserve. The caller has moved its money."""
    cdef Position* p = &ledger.positions[position]
    cdef int32_t index = ledger.parcel_count
    cdef Parcel* parcel = &ledger.parcels[index]
    must(p.size_lots != 0 and index < ledger.parcel_capacity, LIQ_4, &ledger.log.fault)
    must(p.margin_units == 0, LIQ_3, &ledger.log.fault)
    ledger.costs[ledger.instruments[p.instrument].currency] += cost_units - p.cost_units
    memset(parcel, 0, sizeof(Parcel))
    parcel.parcel_id = ledger.next_parcel_id
    parcel.size_lots = p.size_lots
    parcel.cost_units = cost_units
    parcel.bankruptcy_ticks = bankruptcy_ticks
    parcel.instrument = p.instrument
    parcel.origin = p.account
    ledger.next_parcel_id += 1
    ledger.parcel_count += 1
    _link(ledger, index)
    must(parcel.size_lots == p.size_lots and parcel.cost_units == cost_units, LIQ_4, &ledger.log.fault)
    must(parcel.instrument == p.instrument and parcel.order_id == 0, LIQ_4, &ledger.log.fault)
    must(parcel.origin == p.account and parcel.parcel_id == ledger.next_parcel_id - 1, LIQ_4, &ledger.log.fault)
    must(parcel.parcel_id > 0 and (index == 0 or parcel.parcel_id > ledger.parcels[index - 1].parcel_id), LIQ_4, &ledger.log.fault)
    p.size_lots = 0
    p.cost_units = 0
    p.stuck = 0
    must(p.size_lots == 0 and p.cost_units == 0, LIQ_3, &ledger.log.fault)
    position_event(ledger, position)
    _parcel_event(ledger, parcel, TAKEN, magnitude(parcel.size_lots), 0)
    return index


cdef int32_t parcel_find(Ledger* ledger, int64_t parcel_id) noexcept nogil:
    """Returns the index of a parcel by bisection; the parcel exists."""
    cdef int32_t low = 0
    cdef int32_t high = ledger.parcel_count - 1
    cdef int32_t middle
    while low < high:
        middle = (low + high) >> 1
        if ledger.parcels[middle].parcel_id < parcel_id:
            low = middle + 1
        else:
            high = middle
    must(low < ledger.parcel_count and ledger.parcels[low].parcel_id == parcel_id, LIQ_4, &ledger.log.fault)
    return low


cdef int64_t parcel_share(Parcel* parcel, int64_t lots, int32_t* fault) noexcept nogil:
    """Returns the cost share of a slice: floor(cost * lots / size), and all that is left for the last slice."""
    cdef int64_t held = magnitude(parcel.size_lots)
    return parcel.cost_units if lots == held else mul_div_floor(parcel.cost_units, lots, held, fault)


cdef int64_t _kept(Ledger* ledger, Parcel* parcel, uint16_t change, int64_t gain, int64_t value) noexcept nogil:
    """Returns what the fund gets of a gain: all, or its fee where the surplus is the trader's. A resting order gets its price, and
    roundings."""
    cdef int64_t fee
    if not ledger.returns_surplus or change != FILLED_BY_BOOK or parcel.order_id != 0 or gain <= 0:
        return gain
    fee = mul_div_floor(value, ledger.surplus_fee_ppb, RATE, &ledger.log.fault)
    must(is_floor(fee, value, ledger.surplus_fee_ppb, RATE) and fee >= 0, MON_6, &ledger.log.fault)
    return min64(gain, fee)


cdef void parcel_fill(Ledger* ledger, int32_t index, int64_t lots, int64_t cost_delta, uint16_t change, uint64_t ref) noexcept nogil:
    """Closes `lots` of a parcel. The fill value minus the cost share goes to the fund, or comes from it. The rule set may give
    the trader a part of what the book pays beyond it."""
    cdef Parcel* parcel = &ledger.parcels[index]
    cdef int32_t* fault = &ledger.log.fault
    cdef uint32_t currency = ledger.instruments[parcel.instrument].currency
    cdef int64_t share = parcel_share(parcel, lots, fault)
    cdef int64_t gain = sub(-cost_delta, share, fault)
    cdef int64_t kept = _kept(ledger, parcel, change, gain, magnitude(cost_delta))
    cdef int64_t held = parcel.size_lots
    cdef int128 insured = insurance(ledger, currency) + kept
    must(0 < lots <= magnitude(held), LIQ_4, fault)
    must(is_floor(share, parcel.cost_units, lots, magnitude(held)), MON_6, fault)
    must(share + gain == -cost_delta, MON_3, fault)
    parcel.size_lots += lots if parcel.size_lots < 0 else -lots
    parcel.cost_units -= share
    if parcel.size_lots == 0:
        parcel.due = NOT_DUE
        _unlink(ledger, index, held < 0)
    else:
        parcel_due(ledger, index, LOOK)
    ledger.costs[currency] -= share
    ledger.instruments[parcel.instrument].net_lots += parcel.size_lots - held
    must(magnitude(parcel.size_lots) == magnitude(held) - lots, LIQ_4, fault)
    must(parcel.size_lots != 0 or parcel.cost_units == 0, LIQ_10, fault)
    if gain > 0:
        fund_receives(ledger, PARCEL_GAIN, wallet_purse(CLEARING, currency), kept, ref)
        pay(ledger, SURPLUS_RETURNED, wallet_purse(CLEARING, currency), wallet_purse(parcel.origin, currency), gain - kept, ref)
    elif gain < 0:
        fund_pays(ledger, PARCEL_LOSS, wallet_purse(CLEARING, currency), -gain, ref)
    must(insurance(ledger, currency) == insured, LIQ_6, fault)
    _parcel_event(ledger, parcel, change, lots, gain)


cdef void parcels_link(Ledger* ledger) noexcept nogil:
    """Makes the lists of parcels anew."""
    cdef uint32_t instrument
    cdef int32_t i
    ledger.closed_parcels = 0
    for instrument in range(ledger.instrument_count):
        unlisted(&ledger.instruments[instrument])
    for i in range(ledger.parcel_count):
        _link(ledger, i)
    must(ledger.closed_parcels == 0, LIQ_10, &ledger.log.fault)


cdef void parcels_sweep(Ledger* ledger) noexcept nogil:
    """Removes the closed parcels. None is due."""
    cdef int32_t kept = 0
    cdef int32_t i
    must(ledger.due.now.count == 0 and ledger.due.later.count == 0, LIQ_10, &ledger.log.fault)
    if ledger.closed_parcels == 0:
        return
    for i in range(ledger.parcel_count):
        if ledger.parcels[i].size_lots != 0:
            if kept != i:
                ledger.parcels[kept] = ledger.parcels[i]
            kept += 1
        else:
            must(ledger.parcels[i].cost_units == 0, LIQ_10, &ledger.log.fault)
            must(ledger.parcels[i].order_id == 0, LIQ_10, &ledger.log.fault)
    must(kept == parcels_left(ledger), LIQ_10, &ledger.log.fault)
    ledger.parcel_count = kept
    parcels_link(ledger)
