"""Marks, indices and the passing of time; the contract is in marks.pxd."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from solvent._core.trade.linked cimport settle
from solvent._core.trade.placement cimport fire_next
from solvent._core.venue.funding cimport pay_funding, pay_rate
from solvent._core.liquidation.pipeline cimport resolve
from solvent._core.venue.market_state cimport close_at
from solvent._core.account.ledger cimport LOOK, NOT_DUE
from solvent._core.account.parcels cimport parcel_due, parcel_next, parcels_of
from libc.string cimport memset
from solvent._core.base.ladder cimport Ladder, Rung, ladder_add, ladder_close, ladder_take
from solvent._core.base.money cimport RATE, clamp, floor128, half_even, int128
from solvent._core.contract.price_model cimport (
    CATCH_UP_MAX, FINE, SOURCES_MAX, Chosen, Prices, View, prices_accrued, prices_basis, prices_charge, prices_fair,
    prices_fix, prices_forget, prices_index, prices_live, prices_mark, prices_sample, prices_settlement, prices_stale,
    prices_view, weighted_median,
)
from solvent._core.base.schema cimport (
    BAD_PRICE, BAD_SOURCE, BY_INDEX, BY_LAST, BY_MARK, CLOSED, NOT_TRADING, OK, PRICE_IS_MODELLED, UNKNOWN_INSTRUMENT,
)
from solvent._core.trade.pegs cimport pass_over_pegs
from solvent._core.trade.watching cimport look, observe
from solvent._core.trade.state cimport Receipt, State
from solvent._core.contract.valuation cimport Instrument
from solvent._core.liquidation.danger cimport watch_accrual, watch_collateral, watch_mark
from solvent._core.base.emit cimport emit_accrued, emit_indexed, emit_last_set, emit_marked, emit_rated, emit_source_changed
from solvent._core.base.commands cimport SettleFunding, TellIndex, TellLast, TellMark, TellSource


cdef inline Prices* _open_model(State* s, uint32_t instrument) noexcept nogil:
    """Returns the model of an instrument that is not closed, or NULL."""
    return NULL if s.ledger.instruments[instrument].listing == CLOSED else _model(s, instrument)


cdef inline Prices* _model(State* s, uint32_t instrument) noexcept nogil:
    """Returns an instrument's price model, or NULL."""
    return &s.prices[instrument] if s.prices[instrument].sample_ns else NULL


cdef void resolve_all(State* s) noexcept nogil:
    """Works off touched accounts and fired orders."""
    cdef Receipt nobody
    nobody.order_id = 0
    if not s.bare:
        resolve(s)
    fire_all(s, &nobody)


cdef void _settle_books(State* s) noexcept nogil:
    """Moves pegged orders, works off what this touched, then shows the best prices of the books at rest."""
    if pass_over_pegs(s) and not s.bare:
        resolve(s)
        settle(s)
    look(s)


cdef void fire_all(State* s, Receipt* receipt) noexcept nogil:
    """Works off brackets, the orders that are due, and those that the best prices wake after the books have come to rest."""
    settle(s)
    if s.looks:
        _settle_books(s)
    while s.due.count and s.log.fault == 0 and fire_next(s, receipt):
        if not s.bare:
            resolve(s)
        settle(s)
        if s.looks:
            _settle_books(s)


# --- Prices --------------------------------------------------------------------------------------------

cdef void _set_mark(State* s, uint32_t instrument, int64_t ticks, int64_t index, int64_t fair, int64_t basis, int64_t ema) noexcept nogil:
    """Sets a mark: frees stuck positions, makes parcels due, finds endangered accounts, and shows it to triggers."""
    cdef Instrument* ins = &s.ledger.instruments[instrument]
    cdef int32_t ends[2]
    cdef int32_t i
    ins.prior_mark_ticks = ins.mark_ticks if ins.mark_ticks else ticks
    ins.mark_ticks = ticks
    s.ledger.moves += 1
    emit_marked(
        &s.log, instrument=instrument, price_ticks=ticks, index_fine=index, fair_fine=fair, basis_fine=basis,
        ema_fine=ema)
    parcels_of(&s.ledger, instrument, ends)
    i = parcel_next(&s.ledger, ends)
    while i >= 0:
        if s.ledger.parcels[i].due == NOT_DUE:
            parcel_due(&s.ledger, i, LOOK)
        i = parcel_next(&s.ledger, ends)
    watch_mark(s, instrument)
    watch_collateral(s, instrument)
    observe(s, instrument, BY_MARK, ticks)


cdef void _set_index(State* s, uint32_t instrument, int128 fine, int32_t sources) noexcept nogil:
    cdef Instrument* ins = &s.ledger.instruments[instrument]
    cdef Prices* model = _model(s, instrument)
    ins.index_ticks = clamp(half_even(fine, FINE), 1, ins.max_price_ticks)
    if model != NULL:
        model.index = <int64_t>fine
        emit_indexed(
            &s.log, instrument=instrument, price_ticks=ins.index_ticks, index_fine=model.index, sources=sources,
            external_fine=model.external)
    else:                       # without a model ticks are enough
        emit_indexed(
            &s.log, instrument=instrument, price_ticks=ins.index_ticks, index_fine=0, sources=sources, external_fine=0)
    if ins.accrual_ppb and ins.funds_at_index:
        watch_accrual(s, instrument)
    watch_collateral(s, instrument)
    observe(s, instrument, BY_INDEX, ins.index_ticks)


cdef void _reindex(State* s, uint32_t instrument, Prices* model, int64_t now_ns) noexcept nogil:
    """Tests the constituents again for stale and wild ones, and sets the index if it changed."""
    cdef Chosen chosen, external
    cdef uint8_t states[SOURCES_MAX]
    cdef int64_t fine
    cdef int64_t before = model.external
    cdef bint changed = False
    cdef int32_t i
    prices_live(model, now_ns, 0, &chosen, states)
    prices_live(model, now_ns, 1, &external, states)
    for i in range(model.source_count):
        if model.sources[i].state != states[i]:
            model.sources[i].state = states[i]
            changed = True
            emit_source_changed(
                &s.log, instrument=instrument, source=i, state=states[i], price_fine=model.sources[i].price)
    prices_stale(model)
    model.external = weighted_median(&external) if external.count else 0
    fine = prices_index(model, &chosen)
    if fine and (fine != model.index or model.external != before or (changed and chosen.count < model.least)):
        _set_index(s, instrument, fine, chosen.count)


cdef void _accrue(State* s, uint32_t instrument, Prices* model) noexcept nogil:
    """Sets the accrual of funding in margin requirements if it changed, and finds the accounts that it endangers."""
    cdef Instrument* ins = &s.ledger.instruments[instrument]
    cdef int64_t rate = prices_accrued(model)
    cdef int64_t accrual = half_even(<int128>rate * model.margin_ppb, RATE)
    if accrual != ins.accrual_ppb:
        ins.accrual_ppb = accrual
        s.ledger.moves += 1
        emit_accrued(&s.log, instrument=instrument, period=model.period, rate_ppb=rate, asked_ppb=accrual)
        watch_accrual(s, instrument)


cdef void _remark(State* s, uint32_t instrument, Prices* model, int64_t now_ns, bint settling) noexcept nogil:
    """Sets the mark by its model if it changed. At a settlement no time is left in the interval; just after it, all of it."""
    cdef Instrument* ins = &s.ledger.instruments[instrument]
    cdef int64_t left = 0
    cdef int64_t ticks
    cdef View view
    if model.interval_ns and not settling:
        left = model.interval_ns - (now_ns - model.interval_ns * <int64_t>floor128(now_ns, model.interval_ns))
    prices_view(model, ins, &s.books[instrument], &view, &s.log.fault)
    ticks = prices_mark(model, ins, &view, left, now_ns)
    if ticks and ticks != ins.mark_ticks:
        _set_mark(s, instrument, ticks, model.index, prices_fair(model, left), prices_basis(model), model.ema)


# --- Commands ------------------------------------------------------------------------------------------

cdef int _check_price(State* s, uint32_t instrument, int64_t price_ticks) noexcept nogil:
    if instrument >= s.ledger.instrument_count:
        return UNKNOWN_INSTRUMENT
    if s.ledger.instruments[instrument].listing == CLOSED:
        return NOT_TRADING
    if price_ticks < 1 or price_ticks > s.ledger.instruments[instrument].max_price_ticks:
        return BAD_PRICE
    return OK


cdef inline bint _beyond_half(int64_t beyond_fine) noexcept nogil:
    """True if a price has more than half a tick beyond its ticks, in FINE parts."""
    return beyond_fine > FINE >> 1 or beyond_fine < -(FINE >> 1)


cdef int mark(State* s, const TellMark* c) noexcept nogil:
    """Executes MARK, a mark handed in where no model computes it."""
    cdef int code = _check_price(s, c.instrument, c.price_ticks)
    if code != OK:
        return code
    if _model(s, c.instrument) != NULL:
        return PRICE_IS_MODELLED
    _set_mark(s, c.instrument, c.price_ticks, 0, 0, 0, 0)
    return OK


cdef int index(State* s, const TellIndex* c) noexcept nogil:
    """Executes INDEX. Triggers and a model's mark use it."""
    cdef int code = _check_price(s, c.instrument, c.price_ticks)
    cdef Prices* model
    if code != OK:
        return code
    if _beyond_half(c.beyond_fine):
        return BAD_PRICE
    model = _model(s, c.instrument)
    if model != NULL and model.source_count:
        return PRICE_IS_MODELLED
    _set_index(s, c.instrument, <int128>c.price_ticks * FINE + c.beyond_fine, 0)
    if model != NULL:
        _remark(s, c.instrument, model, c.time_ns, False)
    return OK


cdef int last(State* s, const TellLast* c) noexcept nogil:
    """Executes SET_LAST, a last price handed in. No model computes one."""
    cdef int code = _check_price(s, c.instrument, c.price_ticks)
    if code != OK:
        return code
    s.ledger.instruments[c.instrument].last_ticks = c.price_ticks
    emit_last_set(&s.log, instrument=c.instrument, price_ticks=c.price_ticks)
    observe(s, c.instrument, BY_LAST, c.price_ticks)
    return OK


cdef int fund(State* s, const SettleFunding* c) noexcept nogil:
    """Executes FUNDING, a rate handed in where no model computes it."""
    cdef Prices* model = _model(s, c.instrument) if c.instrument < s.ledger.instrument_count else NULL
    if c.instrument < s.ledger.instrument_count and s.ledger.instruments[c.instrument].listing == CLOSED:
        return NOT_TRADING
    if model != NULL and model.interval_ns:
        return PRICE_IS_MODELLED
    return pay_funding(s, c)


cdef int source(State* s, const TellSource* c) noexcept nogil:
    """Executes SOURCE, the price of constituent `source`."""
    cdef int code = _check_price(s, c.instrument, c.price_ticks)
    cdef Prices* model
    if code != OK:
        return code
    if _beyond_half(c.beyond_fine):
        return BAD_PRICE
    model = _model(s, c.instrument)
    if model == NULL or c.source >= <uint64_t>model.source_count:
        return BAD_SOURCE
    model.sources[c.source].price = c.price_ticks * FINE + c.beyond_fine
    model.sources[c.source].time_ns = c.time_ns
    _reindex(s, c.instrument, model, c.time_ns)
    _remark(s, c.instrument, model, c.time_ns, False)
    return OK


# --- Time ----------------------------------------------------------------------------------------------

cdef void _look(State* s, uint32_t instrument, Prices* model, int64_t now_ns) noexcept nogil:
    """Samples up to a time, then tests for stale constituents."""
    cdef View view
    prices_view(model, &s.ledger.instruments[instrument], &s.books[instrument], &view, &s.log.fault)
    prices_sample(model, &s.ledger.instruments[instrument], now_ns, &view)
    if model.source_count:
        _reindex(s, instrument, model, now_ns)
    _accrue(s, instrument, model)


cdef void _catch_up(State* s, uint32_t instrument, Prices* model, int64_t now_ns) noexcept nogil:
    """Skips the earlier periods of a very long jump, with their samples and fixed rates."""
    cdef View view
    cdef int64_t last
    if model.interval_ns == 0:
        return
    last = <int64_t>floor128(now_ns, model.interval_ns)
    if last - model.period >= CATCH_UP_MAX:
        model.period = last - CATCH_UP_MAX + 1
        model.fixed = 0
        prices_view(model, &s.ledger.instruments[instrument], &s.books[instrument], &view, &s.log.fault)
        prices_sample(model, &s.ledger.instruments[instrument], (model.period - 1) * model.interval_ns, &view)
        prices_forget(model)


cdef inline int128 _funding_instant(Prices* model) noexcept nogil:
    """Returns the instant at which a rate is fixed or a period settled next, perhaps beyond the end of time. 0 where rates are
    handed in."""
    if model.interval_ns == 0:
        return 0
    return <int128>model.period * model.interval_ns - (0 if model.fixed else model.cutoff_ns)


cdef int128 _instant(Prices* model, Instrument* ins) noexcept nogil:
    """Returns the next instant of the clock: a rate fixed, a settlement, an expiry, or a stale constituent."""
    cdef int128 instant = model.stale_at
    if model.interval_ns and _funding_instant(model) < instant:
        instant = _funding_instant(model)
    if ins.expiry_ns and ins.expiry_ns < instant:
        instant = ins.expiry_ns
    return instant


cdef void _fix(State* s, uint32_t instrument, Prices* model, int64_t instant_ns) noexcept nogil:
    cdef Instrument* ins = &s.ledger.instruments[instrument]
    cdef int64_t samples, premium
    cdef View view
    prices_view(model, ins, &s.books[instrument], &view, &s.log.fault)
    prices_sample(model, ins, instant_ns, &view)
    samples = model.premium_count
    premium = prices_fix(model)
    if samples:
        emit_rated(
            &s.log, instrument=instrument, period=model.period, rate_ppb=model.next_rate, premium_ppb=premium,
            samples=samples)
    _accrue(s, instrument, model)
    resolve_all(s)


cdef void _fund(State* s, uint32_t instrument, Prices* model, int64_t instant_ns) noexcept nogil:
    """Settles a period: mark, funding and margin check in the order of the rule set."""
    cdef Instrument* ins = &s.ledger.instruments[instrument]
    cdef int64_t period = model.period
    cdef int64_t rate
    _look(s, instrument, model, instant_ns)
    _remark(s, instrument, model, instant_ns, True)
    rate = prices_charge(model)
    if not s.rules.funding_first:
        resolve_all(s)
    _accrue(s, instrument, model)       # the accrued margin of this period is free to pay it
    if ins.mark_ticks and period > <int64_t>ins.funding_period:
        pay_rate(s, instrument, rate, <uint64_t>period)
    resolve_all(s)


cdef void _reach(State* s, uint32_t instrument, Prices* model, int64_t instant_ns) noexcept nogil:
    """Works off an instant: the funding of a period first, then an expiry."""
    cdef Instrument* ins = &s.ledger.instruments[instrument]
    if _funding_instant(model) == instant_ns:
        if model.fixed:
            _fund(s, instrument, model, instant_ns)
        else:
            _fix(s, instrument, model, instant_ns)
        return
    _look(s, instrument, model, instant_ns)
    if instant_ns == ins.expiry_ns:
        close_at(s, instrument, prices_settlement(model, ins))
    else:                       # a constituent is stale
        _remark(s, instrument, model, instant_ns, False)
    resolve_all(s)


cdef void _await(State* s, Ladder* instants, uint32_t instrument, int64_t now_ns) noexcept nogil:
    """Enters an instrument's next instant, unless it is later than now. Only what happens to an instrument moves its own."""
    cdef Prices* model = _open_model(s, instrument)
    cdef int128 instant
    if model == NULL:
        return
    instant = _instant(model, &s.ledger.instruments[instrument])
    if instant <= now_ns and not ladder_add(instants, <int64_t>instant, <int32_t>instrument):
        s.log.fault = 2


cdef void pass_to(State* s, int64_t now_ns) noexcept nogil:
    """Works off the events of passing time for modelled prices, by their instants, then by instrument.

    These are fixed rates, settlements and stale constituents; samples, indices and marks at the new time come last.
    """
    cdef uint32_t i
    cdef Prices* model
    cdef Ladder instants
    cdef Rung first
    memset(&instants, 0, sizeof(Ladder))
    for i in range(s.ledger.instrument_count):
        model = _open_model(s, i)
        if model != NULL:
            _catch_up(s, i, model, now_ns)
            _await(s, &instants, i, now_ns)
    while s.log.fault == 0 and instants.count > 0:
        first = ladder_take(&instants)
        if _open_model(s, first.item) != NULL:
            _reach(s, first.item, &s.prices[first.item], first.key)
            _await(s, &instants, first.item, now_ns)
    ladder_close(&instants)
    for i in range(s.ledger.instrument_count):
        model = _open_model(s, i)
        if model != NULL:
            _look(s, i, model, now_ns)
            _remark(s, i, model, now_ns, False)
    resolve_all(s)
