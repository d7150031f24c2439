"""Auto-deleveraging; the contract is in deleverage.pxd, the readable twin in twin/liquidation/deleverage.py."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, qsort
from solvent._core.base.schema cimport (
    ADL_TOP_UP, AT_BANKRUPTCY, AT_CAPPED, AT_PREVIOUS, CLOSED_BY_ADL, CLOSED_BY_OPPOSITE, DEFICIT, DELEVERAGED,
    HOUSE, MAKER_FEE, UNWOUND,
)
from solvent._core.account.ledger cimport (
    Effect, Fill, Parcel, Position, fill_effect, fill_post, margin_purse, parcel_fill, pay, touch,
    wallet_of, wallet_purse,
)
from solvent._core.account.adl_rank cimport adl_rank
from solvent._core.account.margin cimport Requirement, domain_requirement, upl
from solvent._core.base.clauses cimport LIQ_6, LIQ_8, MON_2, SAFE_1, is_floor, must
from solvent._core.base.money cimport floor128, int128, max64, min64, magnitude, saturate
from solvent._core.base.pool cimport taken
from solvent._core.contract.valuation cimport Instrument, worth
from solvent._core.liquidation.allocation cimport Part, allocate
from solvent._core.liquidation.case cimport OVER, Case
from solvent._core.market.order_pool cimport pool_find
from solvent._core.trade.admission cimport fit
from solvent._core.trade.lifecycle cimport cancel, cancel_all, shrink
from solvent._core.trade.holds cimport refresh_hold
from solvent._core.trade.state cimport State
from solvent._core.base.emit cimport emit_adl

cdef struct Winner:
    int64_t rank
    int32_t position
    uint32_t account
    uint8_t sound              # closing all of it at the parcel's price leaves equity >= 0

cdef struct Offer:             # the price of a parcel's rest
    int64_t cost_units
    int64_t lots


cdef inline int64_t _share(Offer* offer, int64_t lots, int32_t* fault) noexcept nogil:
    """Takes lots of an offer at their share of its cost; the last ones take what is left."""
    cdef int64_t share = <int64_t>floor128(<int128>offer.cost_units * lots, offer.lots)
    must(0 < lots <= offer.lots and is_floor(share, offer.cost_units, lots, offer.lots), LIQ_8, fault)
    offer.cost_units -= share
    offer.lots -= lots
    must(offer.lots > 0 or offer.cost_units == 0, LIQ_8, fault)
    return share


cdef Offer _offer(State* s, Parcel* parcel) noexcept nogil:
    """Returns the rest of a parcel at the price of the rule set: its cost, or its value at a mark."""
    cdef Instrument* ins = &s.ledger.instruments[parcel.instrument]
    cdef Offer offer
    cdef int64_t value
    offer.lots = magnitude(parcel.size_lots)
    offer.cost_units = parcel.cost_units
    if s.rules.adl_price != AT_BANKRUPTCY:
        value = worth(ins, parcel.size_lots, ins.prior_mark_ticks if s.rules.adl_price == AT_PREVIOUS else ins.mark_ticks, &s.log.fault)
        offer.cost_units = max64(value, offer.cost_units) if s.rules.adl_price == AT_CAPPED else value
    must(offer.lots > 0 and ins.prior_mark_ticks > 0, LIQ_8, &s.log.fault)
    return offer


cdef int _by_rank(const void* left, const void* right) noexcept nogil:
    cdef Winner* a = <Winner*>left
    cdef Winner* b = <Winner*>right
    if a.rank != b.rank:
        return -1 if a.rank > b.rank else 1
    return -1 if a.account < b.account else (1 if a.account > b.account else 0)


cdef int32_t _winners(State* s, Parcel* parcel, Offer* offer, Winner* winners) noexcept nogil:
    """Ranks the positions of the other side, each with its right to pass 1."""
    cdef Instrument* ins = &s.ledger.instruments[parcel.instrument]
    cdef int32_t count = 0
    cdef int32_t i
    cdef int128 share, after, profit
    cdef Position* p
    cdef Requirement r
    for i in range(ins.member_count):
        p = &s.ledger.positions[ins.members[i]]
        if p.size_lots == 0 or (p.size_lots > 0) == (parcel.size_lots > 0):
            continue
        domain_requirement(&s.ledger, &s.rules, ins.members[i], &r)
        profit = upl(&s.ledger, p)
        share = floor128(<int128>offer.cost_units * magnitude(p.size_lots), offer.lots)
        after = r.equity - profit - share - p.cost_units
        must(after + share + p.cost_units + profit == r.equity, LIQ_8, &s.log.fault)
        winners[count].rank = adl_rank(&s.ledger, &s.rules, ins.members[i], &r)
        winners[count].position = ins.members[i]
        winners[count].account = p.account
        winners[count].sound = r.equity > 0 and after >= 0 and (profit > 0 or not s.rules.adl_winners_first)
        count += 1
    qsort(winners, count, sizeof(Winner), &_by_rank)
    for i in range(1, count):
        must(winners[i - 1].rank > winners[i].rank or (winners[i - 1].rank == winners[i].rank
             and winners[i - 1].account <= winners[i].account), LIQ_8, &s.log.fault)
    must(count <= ins.member_count, LIQ_8, &s.log.fault)
    return count


cdef void _adl_event(State* s, uint32_t account, Parcel* parcel, int64_t lots, int64_t share, int pass_, int64_t rank) noexcept nogil:
    must(0 < lots <= magnitude(parcel.size_lots), LIQ_8, &s.log.fault)
    must(1 <= pass_ <= 3 and (pass_ == 2) == (account == HOUSE), LIQ_8, &s.log.fault)
    emit_adl(
        &s.log, account=account, instrument=parcel.instrument, adl_pass=pass_, parcel_id=parcel.parcel_id,
        closed_lots=lots, share_units=share, rank=rank,
        mark_ticks=s.ledger.instruments[parcel.instrument].mark_ticks)


cdef void _close_winner(State* s, int32_t index, Offer* offer, Winner* winner, int64_t lots, int pass_) noexcept nogil:
    """Closes lots of a counterparty at their share of the offer, the same integer on both sides."""
    cdef Parcel* parcel = &s.ledger.parcels[index]
    cdef Position* p = &s.ledger.positions[winner.position]
    cdef int64_t share = _share(offer, lots, &s.log.fault)
    cdef uint64_t ref = <uint64_t>parcel.parcel_id
    cdef uint32_t currency = s.ledger.instruments[p.instrument].currency
    cdef Fill terms
    cdef Effect e
    cdef Requirement r
    cdef int64_t held = p.size_lots
    cdef int64_t left = parcel.size_lots
    must(0 < lots <= magnitude(held) and (held > 0) != (left > 0) and s.may_cost_others, LIQ_8, &s.log.fault)
    cancel_all(s, winner.position, DELEVERAGED)
    _adl_event(s, winner.account, parcel, lots, share, pass_, winner.rank)
    terms.size_delta = lots if p.size_lots < 0 else -lots
    terms.cost_delta = share
    terms.fee_units = 0
    terms.fee_reason = MAKER_FEE
    terms.keep_margin = 0
    terms.deleveraged = 1
    terms.ref = ref
    fill_effect(&s.ledger, winner.position, &terms, &e)
    fit(&s.ledger, &s.rules, winner.position, &e)
    fill_post(&s.ledger, winner.position, &terms, &e)
    touch(&s.ledger, winner.account)
    refresh_hold(s, winner.position)
    parcel_fill(&s.ledger, index, lots, -share, CLOSED_BY_ADL, ref)
    must(p.size_lots + parcel.size_lots == held + left, MON_2, &s.log.fault)
    must(magnitude(p.size_lots) == magnitude(held) - lots, LIQ_8, &s.log.fault)
    must(offer.lots == magnitude(parcel.size_lots), LIQ_8, &s.log.fault)
    domain_requirement(&s.ledger, &s.rules, winner.position, &r)
    must(pass_ == 3 or r.equity >= 0, LIQ_8, &s.log.fault)
    if pass_ == 3:
        if r.equity < 0:
            p = &s.ledger.positions[winner.position]
            pay(&s.ledger, ADL_TOP_UP, wallet_purse(DEFICIT, currency),
                margin_purse(&s.ledger, winner.position) if p.mode else wallet_purse(p.account, currency),
                -saturate(r.equity), ref)
        must(wallet_of(&s.ledger, DEFICIT, currency).cash_units <= 0, LIQ_6, &s.log.fault)


cdef void _close_opposite(State* s, int32_t index, int32_t other, Offer* offer) noexcept nogil:
    """Closes a parcel of the other side at this parcel's price (pass 2); the fund bears its loss."""
    cdef Parcel* parcel = &s.ledger.parcels[index]
    cdef Parcel* opposite = &s.ledger.parcels[other]
    cdef int64_t lots = min64(magnitude(parcel.size_lots), magnitude(opposite.size_lots))
    cdef int64_t share = _share(offer, lots, &s.log.fault)
    cdef int32_t slot
    cdef int64_t both = parcel.size_lots + opposite.size_lots
    must(lots > 0 and (opposite.size_lots > 0) != (parcel.size_lots > 0), LIQ_8, &s.log.fault)
    must(0 < lots <= magnitude(parcel.size_lots), LIQ_8, &s.log.fault)
    if opposite.order_id != 0:
        slot = pool_find(&s.pool, opposite.order_id)
        if s.pool.orders[slot].remaining_lots > lots:
            shrink(s, slot, lots, UNWOUND)
        else:
            cancel(s, slot, UNWOUND)
    _adl_event(s, HOUSE, parcel, lots, share, 2, opposite.parcel_id)
    parcel_fill(&s.ledger, index, lots, -share, CLOSED_BY_ADL, <uint64_t>parcel.parcel_id)
    parcel_fill(&s.ledger, other, lots, share, CLOSED_BY_OPPOSITE, <uint64_t>parcel.parcel_id)
    must(parcel.size_lots + opposite.size_lots == both, MON_2, &s.log.fault)
    must(parcel.size_lots == 0 or opposite.size_lots == 0, LIQ_8, &s.log.fault)


cdef void _close_opposites(State* s, int32_t index, Offer* offer) noexcept nogil:
    """Closes the other side's parcels, by id (pass 2)."""
    cdef Parcel* parcel = &s.ledger.parcels[index]
    cdef Parcel* opposite
    cdef int32_t i
    for i in range(s.ledger.parcel_count):
        opposite = &s.ledger.parcels[i]
        if parcel.size_lots == 0:
            break
        if (opposite.size_lots != 0 and opposite.instrument == parcel.instrument
                and (opposite.size_lots > 0) != (parcel.size_lots > 0)):
            _close_opposite(s, index, i, offer)


cdef void _close_winners(State* s, int32_t index, Offer* offer, Winner* winners, int32_t count, int pass_) noexcept nogil:
    """Shares the rest among the sound positions (pass 1), or all others (pass 3), and closes them by rank."""
    cdef Part* parts = <Part*>taken((<size_t>count + 1) * sizeof(Part))
    cdef int32_t i
    cdef int32_t taking = 0
    if parts == NULL:
        s.log.fault = 2
        return
    for i in range(count):
        must(s.ledger.positions[winners[i].position].instrument == s.ledger.parcels[index].instrument, LIQ_8, &s.log.fault)
        must(s.ledger.positions[winners[i].position].account == winners[i].account, LIQ_8, &s.log.fault)
        if winners[i].sound == (pass_ == 1):
            parts[taking].size_lots = magnitude(s.ledger.positions[winners[i].position].size_lots)
            parts[taking].account = winners[i].account
            parts[taking].winner = i
            taking += 1
    allocate(s.rules.adl_share, magnitude(s.ledger.parcels[index].size_lots), parts, taking, &s.log.fault)
    for i in range(taking):
        if parts[i].lots > 0 and s.log.fault == 0:
            _close_winner(s, index, offer, &winners[parts[i].winner], parts[i].lots, pass_)
    free(parts)


cdef int deleverage(State* s, Case* c) noexcept nogil:
    """Closes the rest of the parcel: sound winners by rank, opposite parcels by id, then all others by rank."""
    cdef Parcel* parcel = &s.ledger.parcels[c.parcel]
    cdef size_t most = <size_t>s.ledger.instruments[parcel.instrument].member_count + 1
    cdef Winner* winners = <Winner*>taken(most * sizeof(Winner))
    cdef Offer offer = _offer(s, parcel)
    cdef int32_t count
    if winners == NULL:
        s.log.fault = 2
        return OVER
    must(parcel.size_lots != 0 and parcel.order_id == 0, LIQ_6, &s.log.fault)
    must(s.may_cost_others, SAFE_1, &s.log.fault)
    count = _winners(s, parcel, &offer, winners)
    _close_winners(s, c.parcel, &offer, winners, count, 1)
    _close_opposites(s, c.parcel, &offer)
    _close_winners(s, c.parcel, &offer, winners, count, 3)
    free(winners)
    must(parcel.size_lots == 0 and parcel.cost_units == 0, LIQ_8, &s.log.fault)
    return OVER
