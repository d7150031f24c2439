"""Auto-deleveraging; the contract is in deleverage.pxd, the readable twin in twin/liquidation/deleverage.py."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free
from solvent._core.base.schema cimport (
    ADL_TOP_UP, AT_BANKRUPTCY, AT_CAPPED, AT_PREVIOUS, CLOSED_BY_ADL, CLOSED_BY_OPPOSITE, DEFICIT, DELEVERAGED, HOUSE,
    IN_QUEUE, MAKER_FEE, UNWOUND,
)
from solvent._core.account.ledger cimport (
    Effect, Fill, Parcel, Position, fill_effect, fill_post, margin_purse, pay, touch, wallet_of, wallet_purse,
)
from solvent._core.account.parcels cimport parcel_fill
from solvent._core.account.margin cimport Requirement, domain_requirement
from solvent._core.account.ranking cimport Offer, Ranking, Winner, offer_of, ranked, ranking_next, ranking_of
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

cdef struct Rest:              # of a parcel, at the price of the rule set
    int64_t cost_units
    int64_t lots


cdef inline int64_t _share(Rest* rest, int64_t lots, int32_t* fault) noexcept nogil:
    """Takes lots of a rest at their share of its cost; the last ones take what is left."""
    cdef int64_t share = <int64_t>floor128(<int128>rest.cost_units * lots, rest.lots)
    must(0 < lots <= rest.lots and is_floor(share, rest.cost_units, lots, rest.lots), LIQ_8, fault)
    rest.cost_units -= share
    rest.lots -= lots
    must(rest.lots > 0 or rest.cost_units == 0, LIQ_8, fault)
    return share


cdef Rest _rest(State* s, Parcel* parcel) noexcept nogil:
    """Returns the rest of a parcel at the price of the rule set: its cost, or its value at a mark."""
    cdef Instrument* ins = &s.ledger.instruments[parcel.instrument]
    cdef Rest rest
    cdef int64_t value
    rest.lots = magnitude(parcel.size_lots)
    rest.cost_units = parcel.cost_units
    if s.rules.adl_price != AT_BANKRUPTCY:
        value = worth(ins, parcel.size_lots, ins.prior_mark_ticks if s.rules.adl_price == AT_PREVIOUS else ins.mark_ticks, &s.log.fault)
        rest.cost_units = max64(value, rest.cost_units) if s.rules.adl_price == AT_CAPPED else value
    must(rest.lots > 0 and ins.prior_mark_ticks > 0, LIQ_8, &s.log.fault)
    must(rest.cost_units == parcel.cost_units or s.rules.adl_price != AT_BANKRUPTCY, LIQ_8, &s.log.fault)
    must(rest.cost_units >= parcel.cost_units or s.rules.adl_price != AT_CAPPED, LIQ_8, &s.log.fault)
    return rest


cdef void _adl_event(State* s, uint32_t account, Parcel* parcel, int64_t lots, int64_t share, int pass_, int64_t rank) noexcept nogil:
    must(0 < lots <= magnitude(parcel.size_lots), LIQ_8, &s.log.fault)
    must(1 <= pass_ <= 3 and (pass_ == 2) == (account == HOUSE), LIQ_8, &s.log.fault)
    emit_adl(
        &s.log, account=account, instrument=parcel.instrument, adl_pass=pass_, parcel_id=parcel.parcel_id,
        closed_lots=lots, share_units=share, rank=rank,
        mark_ticks=s.ledger.instruments[parcel.instrument].mark_ticks)


cdef void _close_winner(State* s, int32_t index, Rest* rest, Winner* winner, int64_t lots, int pass_) noexcept nogil:
    """Closes lots of a counterparty at their share of the rest, the same integer on both sides."""
    cdef Parcel* parcel = &s.ledger.parcels[index]
    cdef Position* p = &s.ledger.positions[winner.position]
    cdef int64_t share = _share(rest, lots, &s.log.fault)
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
    must(rest.lots == magnitude(parcel.size_lots), LIQ_8, &s.log.fault)
    domain_requirement(&s.ledger, &s.rules, winner.position, &r)
    must(pass_ == 3 or r.equity >= 0, LIQ_8, &s.log.fault)
    if pass_ == 3:
        if r.equity < 0:
            p = &s.ledger.positions[winner.position]
            pay(&s.ledger, ADL_TOP_UP, wallet_purse(DEFICIT, currency),
                margin_purse(&s.ledger, winner.position) if p.mode else wallet_purse(p.account, currency),
                -saturate(r.equity), ref)
        must(wallet_of(&s.ledger, DEFICIT, currency).cash_units <= 0, LIQ_6, &s.log.fault)


cdef void _close_opposite(State* s, int32_t index, int32_t other, Rest* rest) noexcept nogil:
    """Closes a parcel of the other side at this parcel's price (pass 2); the fund bears its loss."""
    cdef Parcel* parcel = &s.ledger.parcels[index]
    cdef Parcel* opposite = &s.ledger.parcels[other]
    cdef int64_t lots = min64(magnitude(parcel.size_lots), magnitude(opposite.size_lots))
    cdef int64_t share = _share(rest, lots, &s.log.fault)
    cdef int32_t slot
    cdef int64_t both = parcel.size_lots + opposite.size_lots
    must(lots > 0 and (opposite.size_lots > 0) != (parcel.size_lots > 0), LIQ_8, &s.log.fault)
    must(rest.lots + lots == magnitude(parcel.size_lots), LIQ_8, &s.log.fault)
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


cdef void _close_opposites(State* s, int32_t index, Rest* rest) noexcept nogil:
    """Closes the other side's parcels, by id (pass 2)."""
    cdef Parcel* parcel = &s.ledger.parcels[index]
    cdef int32_t* first = &s.ledger.instruments[parcel.instrument].first_parcel[parcel.size_lots > 0]
    while parcel.size_lots != 0 and first[0] >= 0 and s.log.fault == 0:
        must(s.ledger.parcels[first[0]].instrument == parcel.instrument, LIQ_8, &s.log.fault)
        _close_opposite(s, index, first[0], rest)
    must(parcel.size_lots == 0 or first[0] < 0 or s.log.fault != 0, LIQ_8, &s.log.fault)


cdef void _close_in_queue(State* s, int32_t index, Rest* rest, Ranking* ranking, Offer* offer, int pass_) noexcept nogil:
    """Closes the sound positions by rank (pass 1), or all others (pass 3), each wholly until the parcel is gone."""
    cdef Winner last, winner
    cdef int64_t lots
    cdef int32_t count = 0
    while s.ledger.parcels[index].size_lots != 0 and ranking_next(ranking, &s.ledger, &s.rules, offer, pass_ == 1, &winner):
        must(s.ledger.positions[winner.position].instrument == s.ledger.parcels[index].instrument, LIQ_8, &s.log.fault)
        must(s.ledger.positions[winner.position].account == winner.account, LIQ_8, &s.log.fault)
        must(count == 0 or last.rank > winner.rank or (last.rank == winner.rank and last.account < winner.account), LIQ_8, &s.log.fault)
        lots = min64(magnitude(s.ledger.positions[winner.position].size_lots), magnitude(s.ledger.parcels[index].size_lots))
        _close_winner(s, index, rest, &winner, lots, pass_)
        last = winner
        count += 1


cdef void _close_in_parts(State* s, int32_t index, Rest* rest, Offer* offer, int pass_) noexcept nogil:
    """Shares the rest among the sound positions (pass 1), or all others (pass 3), and closes them by rank."""
    cdef Parcel* parcel = &s.ledger.parcels[index]
    cdef size_t most = <size_t>s.ledger.instruments[parcel.instrument].member_count + 1
    cdef Winner* winners = <Winner*>taken(most * sizeof(Winner))
    cdef Part* parts = <Part*>taken(most * sizeof(Part))
    cdef int32_t count, i
    if winners == NULL or parts == NULL:
        s.log.fault = 2
    else:
        count = ranked(&s.ledger, &s.rules, parcel.instrument, parcel.size_lots < 0, offer, pass_ == 1, winners)
        for i in range(count):
            parts[i].size_lots = magnitude(s.ledger.positions[winners[i].position].size_lots)
            parts[i].account = winners[i].account
        must(0 <= count < <int32_t>most and s.rules.adl_share != IN_QUEUE, LIQ_8, &s.log.fault)
        allocate(s.rules.adl_share, magnitude(parcel.size_lots), parts, count, &s.log.fault)
        for i in range(count):
            must(parts[i].account == winners[i].account, LIQ_8, &s.log.fault)
            must(parts[i].lots <= magnitude(s.ledger.positions[winners[i].position].size_lots), LIQ_8, &s.log.fault)
            must(i == 0 or winners[i - 1].rank >= winners[i].rank, LIQ_8, &s.log.fault)
            if parts[i].lots > 0 and s.log.fault == 0:
                _close_winner(s, index, rest, &winners[i], parts[i].lots, pass_)
    free(winners)
    free(parts)


cdef void _close_pass(State* s, int32_t index, Rest* rest, Ranking* ranking, Offer* offer, int pass_) noexcept nogil:
    must(pass_ == 1 or pass_ == 3, LIQ_8, &s.log.fault)
    must(rest.lots == magnitude(s.ledger.parcels[index].size_lots), LIQ_8, &s.log.fault)
    if rest.lots == 0:
        return
    if ranking != NULL:
        _close_in_queue(s, index, rest, ranking, offer, pass_)
    else:
        _close_in_parts(s, index, rest, offer, pass_)


cdef int deleverage(State* s, Case* c) noexcept nogil:
    """Closes the rest of the parcel: sound winners by rank, opposite parcels by id, then all others by rank."""
    cdef Parcel* parcel = &s.ledger.parcels[c.parcel]
    cdef Rest rest = _rest(s, parcel)
    cdef Offer offer = offer_of(&s.ledger, rest.cost_units, rest.lots)
    cdef Ranking* ranking = NULL
    if s.rules.adl_share == IN_QUEUE:
        ranking = ranking_of(&s.rankings, &s.ledger, &s.rules, parcel.instrument, parcel.size_lots < 0)
        if ranking == NULL:
            s.log.fault = 2
            return OVER
    must(parcel.size_lots != 0 and parcel.order_id == 0, LIQ_6, &s.log.fault)
    must(s.may_cost_others, SAFE_1, &s.log.fault)
    _close_pass(s, c.parcel, &rest, ranking, &offer, 1)
    _close_opposites(s, c.parcel, &rest)
    _close_pass(s, c.parcel, &rest, ranking, &offer, 3)
    must(parcel.size_lots == 0 and parcel.cost_units == 0, LIQ_8, &s.log.fault)
    return OVER
