"""The search for liquidation prices; the contract is in liquidation_price.pxd."""

from libc.stdint cimport int32_t, int64_t
from solvent._core.account.ledger cimport Ledger, Position
from solvent._core.account.margin cimport Requirement, Rules, domain_requirement, slack_part
from solvent._core.base.clauses cimport LIQ_1, must
from solvent._core.base.money cimport clamp, floor128, int128, magnitude
from solvent._core.contract.valuation cimport Instrument
from solvent._core.base.schema cimport INVERSE, NOTIONAL


cdef struct Search:            # the domain of a position while the mark of its instrument moves
    int32_t index
    int32_t other              # the other leg, which the mark moves too; -1: none
    bint by_parts              # nothing else depends on the mark
    int128 rest                # slack without the parts of both


cdef int128 _parts(Ledger* ledger, Rules* rules, Search* search) noexcept nogil:
    """Adds up what the position and its other leg add to the slack at the instrument's mark."""
    cdef int128 parts = slack_part(ledger, rules, &ledger.positions[search.index])
    if search.other >= 0:
        must(ledger.positions[search.other].instrument == ledger.positions[search.index].instrument, LIQ_1, &ledger.log.fault)
        parts += slack_part(ledger, rules, &ledger.positions[search.other])
    return parts


cdef void _begin(Ledger* ledger, Rules* rules, int32_t index, Requirement* r, Search* search) noexcept nogil:
    """Begins a search. r: the requirement of the position's domain as it is."""
    cdef Position* p = &ledger.positions[index]
    search.index = index
    search.other = p.other_leg if p.other_leg >= 0 and not p.mode and not ledger.positions[p.other_leg].mode else -1
    search.by_parts = (not p.mode and not rules.fee_at_bankruptcy and ledger.collateral_count == 0
                       and (p.leg == 0 or p.other_leg >= 0))
    search.rest = r.equity - r.own - _parts(ledger, rules, search) if search.by_parts else 0
    must(p.size_lots != 0 and search.other != index, LIQ_1, &ledger.log.fault)


cdef bint _below(Ledger* ledger, Rules* rules, Search* search, int64_t ticks) noexcept nogil:
    """True if the position's domain is below R_own at a mark; a modelled index moves by the same number of ticks."""
    cdef Position* p = &ledger.positions[search.index]
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    cdef int64_t mark = ins.mark_ticks
    cdef int64_t at = ins.index_ticks
    cdef int32_t fault = ledger.log.fault
    cdef Requirement r
    cdef bint below
    ins.mark_ticks = ticks
    if ins.modelled and at:
        ins.index_ticks = clamp(at + ticks - mark, 1, ins.max_price_ticks)
    if search.by_parts:
        below = search.rest + _parts(ledger, rules, search) < 0
    else:
        domain_requirement(ledger, rules, search.index, &r)
        below = r.equity < r.own
    ins.mark_ticks = mark
    ins.index_ticks = at
    ledger.log.fault = fault        # a fault at a tried mark is none
    return below


cdef void _nearer(int64_t edge, int64_t start, bint up, int64_t* found) noexcept nogil:
    """True if an edge ends the span: beyond its start going up, at or below it going down."""
    if edge > start and edge < found[0] if up else edge <= start and edge > found[0]:
        found[0] = edge


cdef int64_t _span_end(Ledger* ledger, Position* p, int64_t start, bint up) noexcept nogil:
    """Returns the last tick of the span that begins at `start`; no tier by notional changes up to it."""
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    cdef int64_t edge = ins.max_price_ticks + 1 if up else 1
    cdef Position* leg = p
    cdef int128 at
    cdef int64_t around
    cdef int32_t i, k, step
    for i in range(2 if ins.basis == NOTIONAL else 0):
        if i == 1:
            if p.other_leg < 0 or p.mode or ledger.positions[p.other_leg].mode:
                break
            leg = &ledger.positions[p.other_leg]
        at = <int128>magnitude(leg.size_lots) * ins.units
        for k in range(ins.tier_count if leg.size_lots else 0):
            # The first tick beyond a tier: above the top for linear contracts, at or below it for inverse ones.
            if ins.kind == INVERSE:
                around = <int64_t>floor128(at, ins.tiers[k].top)
                for step in range(-1, 3):
                    _nearer(around + step, start, up, &edge)
            else:
                _nearer(<int64_t>floor128(ins.tiers[k].top, at) + 1, start, up, &edge)
    must(start < edge <= ins.max_price_ticks + 1 if up else 1 <= edge <= start, LIQ_1, &ledger.log.fault)
    return edge - 1 if up else edge


cdef int64_t _crossing(Ledger* ledger, Rules* rules, Search* search, bint up) noexcept nogil:
    """Returns the first tick from the mark, up or down, at which the domain is below R_own; 0 if no legal tick is."""
    cdef Position* p = &ledger.positions[search.index]
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    cdef int64_t step = 1 if up else -1
    cdef int64_t near = ins.mark_ticks + step
    cdef int64_t far, middle
    while 1 <= near <= ins.max_price_ticks:
        far = _span_end(ledger, p, near, up)
        if _below(ledger, rules, search, near):
            return near
        if _below(ledger, rules, search, far):
            while magnitude(far - near) > 1:
                middle = (near + far) >> 1
                if _below(ledger, rules, search, middle):
                    far = middle
                else:
                    near = middle
            must(far == near + step, LIQ_1, &ledger.log.fault)
            must(1 <= far <= ins.max_price_ticks, LIQ_1, &ledger.log.fault)
            return far
        near = far + step
    return 0


cdef void liquidation_ticks(Ledger* ledger, Rules* rules, int32_t index, Requirement* r, Ticks* ticks) noexcept nogil:
    """Finds the liquidation prices towards loss (`found`) and towards profit (`ahead`); 0: none. `found` is the mark itself if
    the domain is below R_own now. If only a move in the position's favour endangers a hedge, that price is `found`, and
    `ahead` is 0. r: the requirement of the position's domain as it is."""
    cdef Position* p = &ledger.positions[index]
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    cdef Search search
    ticks.ahead = 0
    ticks.found = ins.mark_ticks
    if r.equity < r.own:
        return
    _begin(ledger, rules, index, r, &search)
    ticks.found = _crossing(ledger, rules, &search, p.size_lots < 0)
    ticks.ahead = _crossing(ledger, rules, &search, p.size_lots > 0)
    must(ticks.found == 0 or (ticks.found > ins.mark_ticks) == (p.size_lots < 0), LIQ_1, &ledger.log.fault)
    must(ticks.ahead == 0 or (ticks.ahead > ins.mark_ticks) == (p.size_lots > 0), LIQ_1, &ledger.log.fault)
    if ticks.found == 0 and search.other >= 0 and ledger.positions[search.other].size_lots != 0:
        ticks.found = ticks.ahead
        ticks.ahead = 0
