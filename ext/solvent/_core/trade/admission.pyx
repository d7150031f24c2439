"""The judgement of fills; the contract is in admission.pxd, the readable twin in twin/trade/admission.py."""

from libc.stdint cimport int32_t, int64_t, uint32_t
from solvent._core.account.ledger cimport (
    Collateral, Effect, Fill, Ledger, Position, Wallet, backs, fill_effect, held_of, wallet_of,
)
from solvent._core.account.margin cimport (
    Requirement, Rules, bankruptcy_cost, collateral_least, collateral_value, cross_requirement, domain_requirement,
    equity_share, free_units, hold_units, initial_units, is_plain, isolated_holds, isolated_requirement, plain_holds, plain_maintenance,
    spare_units, upl,
)
from solvent._core.base.clauses cimport BOOK_8, LIQ_1, MAR_1, MAR_3, MON_1, MON_2, MON_3, MON_6, MON_7, MON_8, SAFE_2, must
from solvent._core.account.domain cimport cross_holds, domain_holds
from solvent._core.base.money cimport INT64_MAX, add, int128, min64, magnitude, max64, saturate, sub
from solvent._core.contract.valuation cimport (
    Held, Instrument, accrued_units, allows, initial_rise, pays, price_paying, tier_at, tier_of, worth,
)
from solvent._core.base.schema cimport BUY, CONTRACTS, NET, POWER, SELL, SLOPE

cdef enum:
    LIFTS_MAX = 64                 # explained in the twin

cdef struct Reading:               # a domain
    int128 equity
    int128 own

cdef struct Readings:              # the readings of every domain that a fill may change
    Reading domain[3]
    int count


# --- A domain as it is, and what it may lose -----------------------------------------------------------

cdef bint endangered(Ledger* l, Rules* rules, uint32_t account, uint32_t currency) noexcept nogil:
    """True if a cross domain is below its threshold, or the domain that the currency's spare balance backs."""
    cdef Collateral* each
    if not cross_holds(l, rules, account, currency):
        return True
    each = backs(l, currency)
    return each != NULL and not cross_holds(l, rules, account, each.of)


cdef int64_t bearable(Ledger* l, Rules* rules, int32_t index) noexcept nogil:
    """Returns the loss that the position's domain can bear before it, or the domain that it backs, is below its threshold."""
    cdef Position* p = &l.positions[index]
    cdef Requirement r
    cdef int128 slack
    cdef int64_t bears
    domain_requirement(l, rules, index, &r)
    slack = r.equity - r.own
    bears = saturate(slack) if slack > 0 else 0
    must(bears >= 0, SAFE_2, &l.log.fault)
    return bears if p.mode else min64(bears, _headroom_units(l, rules, p.account, l.instruments[p.instrument].currency))


cdef int64_t _headroom_units(Ledger* l, Rules* rules, uint32_t account, uint32_t currency) noexcept nogil:
    """Returns the units a spare balance may lose before the domain that it backs is below its threshold. INT64_MAX: no
    bound."""
    cdef Collateral* each = backs(l, currency)
    cdef Requirement r
    if each == NULL:
        return INT64_MAX
    cross_requirement(l, rules, account, each.of, &r)
    return INT64_MAX if r.positions == 0 else _loseable(l, account, each, r.equity - r.own)


cdef int64_t _loseable(Ledger* l, uint32_t account, Collateral* each, int128 slack) noexcept nogil:
    """Returns the units a spare balance may lose before its collateral value falls by more than `slack`. INT64_MAX: no bound."""
    cdef int128 value = <int128>collateral_value(l, account, each, 0) - (slack if slack > 0 else 0)
    must(each.denominator > 0, MON_6, &l.log.fault)
    if value <= 0:
        return INT64_MAX
    return spare_units(l, account, each.currency) - collateral_least(l, each, <int64_t>value)


cdef int64_t _left_over(Ledger* l, Rules* rules, int32_t index) noexcept nogil:
    """Returns the equity of a cross domain above its requirement without this position."""
    cdef Position* p = &l.positions[index]
    cdef int64_t size = p.size_lots
    cdef int64_t cost = p.cost_units
    cdef Requirement r, rest
    domain_requirement(l, rules, index, &r)
    p.size_lots = p.cost_units = 0
    domain_requirement(l, rules, index, &rest)
    p.size_lots, p.cost_units = size, cost
    must(p.size_lots == size and p.cost_units == cost and size != 0, MON_3, &l.log.fault)
    return max64(0, saturate(r.equity - rest.own))


cdef int64_t _closing_share(Ledger* l, Rules* rules, int32_t index) noexcept nogil:
    """Returns the most that closing this position may lose against mark: its share of the domain's equity.

    If only the larger side of a hedge is margined, it is the equity that the rest does not need. If the currency backs
    another, it is at most the larger of initial margin and profit, plus what the other domain has above R_own.
    """
    cdef Position* p = &l.positions[index]
    cdef Instrument* ins = &l.instruments[p.instrument]
    cdef int64_t share = _left_over(l, rules, index) if ins.larger_leg else equity_share(l, index)
    cdef int64_t headroom = _headroom_units(l, rules, p.account, ins.currency)
    return share if headroom == INT64_MAX else min64(share, saturate(<int128>headroom + max64(initial_units(l, p), upl(l, p))))


cdef bint closes_surely(Ledger* l, Rules* rules, int32_t index, int64_t price_ticks) noexcept nogil:
    """True if closing a position at a price is known to cost no more than it may: without a division, and without a reading
    of the domain if its slack is known.

    A cross domain at R_own or above has the maintenance margin of all its positions, so each one's share of the equity is at
    least its own.
    """
    cdef Position* p = &l.positions[index]
    cdef Instrument* ins = &l.instruments[p.instrument]
    cdef Wallet* wallet
    cdef int64_t signed
    must(p.size_lots != 0, BOOK_8, &l.log.fault)
    if p.mode:
        return pays(ins, p.size_lots, bankruptcy_cost(l, index), ins.taker_fee_ppb, price_ticks)
    wallet = wallet_of(l, p.account, ins.currency)
    if wallet.known_at != l.moves or wallet.slack_units + wallet.cash_units < 0 or not is_plain(rules, ins):
        return False
    signed = worth(ins, p.size_lots, ins.mark_ticks, &l.log.fault)
    return pays(ins, p.size_lots, signed - plain_maintenance(ins, p, magnitude(signed), &l.log.fault), ins.taker_fee_ppb, price_ticks)


cdef int64_t closing_price(Ledger* l, Rules* rules, int32_t index) noexcept nogil:
    """Returns the first tick at which closing a position, taker fee paid, costs no more than it may. Not clamped to legal
    prices."""
    cdef Position* p = &l.positions[index]
    cdef Instrument* ins = &l.instruments[p.instrument]
    cdef int32_t* fault = &l.log.fault
    cdef int64_t cost
    must(p.size_lots != 0, BOOK_8, fault)
    if p.mode:
        cost = bankruptcy_cost(l, index)
    else:
        cost = sub(add(p.cost_units, upl(l, p), fault), _closing_share(l, rules, index), fault)
    return price_paying(ins, p.size_lots, cost, ins.taker_fee_ppb)


# --- A fill ----------------------------------------------------------------------------------------------

cdef void try_on(Ledger* l, int32_t index, Effect* e, bint holds, Trial* before) noexcept nogil:
    """Applies a fill to the rows of a position and its owner's wallet, with the holds of its orders if asked."""
    cdef Position* p = &l.positions[index]
    cdef Wallet* wallet = wallet_of(l, p.account, l.instruments[p.instrument].currency)
    before.size_lots, before.cost_units, before.margin_units = p.size_lots, p.cost_units, p.margin_units
    before.hold_units, before.cash_units, before.wallet_hold_units = p.hold_units, wallet.cash_units, wallet.hold_units
    before.known_at, wallet.known_at = wallet.known_at, 0
    p.size_lots, p.cost_units, p.margin_units = e.size_lots, e.cost_units, e.margin_units
    wallet.cash_units = add(wallet.cash_units, e.cash_units, &l.log.fault)
    if holds:
        p.hold_units = hold_units(l, p, NULL, BUY)
        wallet.hold_units = add(wallet.hold_units, p.hold_units - before.hold_units, &l.log.fault)
    must(wallet.cash_units - e.cash_units == before.cash_units and p.hold_units >= 0, MON_7, &l.log.fault)
    must(wallet.hold_units - p.hold_units == before.wallet_hold_units - before.hold_units, MON_8, &l.log.fault)


cdef void put_back(Ledger* l, int32_t index, Trial* before) noexcept nogil:
    """Restores the rows as they were before try_on."""
    cdef Position* p = &l.positions[index]
    cdef Wallet* wallet = wallet_of(l, p.account, l.instruments[p.instrument].currency)
    p.size_lots, p.cost_units, p.margin_units = before.size_lots, before.cost_units, before.margin_units
    p.hold_units, wallet.cash_units, wallet.hold_units = before.hold_units, before.cash_units, before.wallet_hold_units
    must(p.size_lots == before.size_lots and p.cost_units == before.cost_units and p.margin_units == before.margin_units, MON_3,
         &l.log.fault)
    must(wallet.cash_units == before.cash_units and wallet.hold_units == before.wallet_hold_units, MON_8, &l.log.fault)
    wallet.known_at = 0 if wallet.known_at else before.known_at      # a slack read in the trial is not valid


cdef void _assign(Effect* e, int64_t units, int32_t* fault) noexcept nogil:
    cdef int128 both = <int128>e.margin_units + e.cash_units
    e.assigned_units = add(e.assigned_units, units, fault)
    e.margin_units = add(e.margin_units, units, fault)
    e.cash_units = sub(e.cash_units, units, fault)
    must(units >= 0 and e.assigned_units >= units, MAR_3, fault)
    must(<int128>e.margin_units + e.cash_units == both, MON_1, fault)


cdef inline int64_t _lacks(Ledger* l, Rules* rules, int32_t index, Effect* e) noexcept nogil:
    """Returns the units that an isolated position lacks to its threshold after a fill, or 0. Its wallet does not matter
    here."""
    cdef Position* p = &l.positions[index]
    cdef Instrument* ins = &l.instruments[p.instrument]
    cdef int64_t size = p.size_lots
    cdef int64_t cost = p.cost_units
    cdef int64_t margin = p.margin_units
    cdef Requirement r
    cdef int64_t lacks = 0
    if is_plain(rules, ins) and plain_holds(l, rules, ins, p, e.size_lots, e.cost_units, e.margin_units):
        return 0
    p.size_lots, p.cost_units, p.margin_units = e.size_lots, e.cost_units, e.margin_units
    if not isolated_holds(l, rules, index):
        isolated_requirement(l, rules, index, &r)
        lacks = saturate(r.own - r.equity)
        must(r.equity + lacks == r.own or lacks == INT64_MAX, LIQ_1, &l.log.fault)
    p.size_lots, p.cost_units, p.margin_units = size, cost, margin
    must(p.size_lots == size and p.cost_units == cost and p.margin_units == margin, MON_3, &l.log.fault)
    must(lacks >= 0, LIQ_1, &l.log.fault)
    return lacks


cdef inline void _keep(Effect* e, int64_t units) noexcept nogil:
    """Keeps so much of the released units in the margin."""
    e.released_units -= units
    e.margin_units += units
    e.cash_units -= units


cdef inline int64_t _asked(Ledger* l, Position* p, Effect* e) noexcept nogil:
    """Returns the units that an isolated position takes from the wallet for the lots that a fill opens. They are initial
    margin at its leverage, the loss to mark and accrued funding of those lots."""
    cdef Instrument* ins = &l.instruments[p.instrument]
    cdef int32_t* fault = &l.log.fault
    cdef int64_t lots = magnitude(e.opened_lots)
    cdef int64_t asked = initial_rise(ins, magnitude(e.opened_cost), p.leverage, lots, magnitude(e.size_lots) - lots,
                                      magnitude(sub(e.cost_units, e.opened_cost, fault)), fault)
    must(asked >= 0 and lots > 0, MAR_1, fault)
    asked = add(asked, max64(0, sub(e.opened_cost, worth(ins, e.opened_lots, ins.mark_ticks, fault), fault)), fault)
    return add(asked, accrued_units(ins, e.opened_lots, fault), fault)


cdef inline bint _has_room(Ledger* l, int32_t index, Effect* e, int64_t asked) noexcept nogil:
    """True if the wallet is known to have what opening lots ask. Its owner has this position alone; without a curve an order
    holds at most its value, a fee of less than half of it, and its loss."""
    cdef Position* p = &l.positions[index]
    cdef Instrument* ins = &l.instruments[p.instrument]
    cdef Wallet* wallet = wallet_of(l, p.account, ins.currency)
    cdef int128 room = <int128>wallet.cash_units + e.cash_units - asked - wallet.hold_units + p.hold_units
    if e.closed_lots != 0 or l.collateral_count != 0 or l.accounts[p.account].first_position != index or p.next >= 0:
        return False
    if ins.scheme == SLOPE or ins.scheme == POWER:         # the last lots of a whole may ask more than their value
        return False
    room -= 2 * (<int128>p.open[BUY].value_units + p.open[SELL].value_units)
    return room >= <int128>p.open[BUY].loss_units + p.open[SELL].loss_units + HOLD_ROUNDING


cdef int64_t _at_hand(Ledger* l, int32_t index, Effect* e) noexcept nogil:
    """Returns the units that an isolated position may take for opening lots: what is free, or what their order held if that is
    more. So a fill better than its limit takes nothing that other orders need."""
    cdef Position* p = &l.positions[index]
    cdef uint32_t currency = l.instruments[p.instrument].currency
    cdef Collateral* each = backs(l, currency)
    cdef int64_t free, held, cash
    cdef Trial before
    must(e.opened_lots != 0 and e.assigned_units == 0, MAR_3, &l.log.fault)
    try_on(l, index, e, True, &before)
    free = free_units(l, p.account, currency, True)
    if each != NULL:
        free = min64(free, _loseable(l, p.account, each, free_units(l, p.account, each.of, False)))
    held = before.hold_units - p.hold_units
    cash = wallet_of(l, p.account, currency).cash_units
    put_back(l, index, &before)
    must(free <= cash, MAR_1, &l.log.fault)
    return max64(0, min64(cash, max64(free, held)))


cdef int64_t fit(Ledger* l, Rules* rules, int32_t index, Effect* e) noexcept nogil:
    """Sets the transfer between isolated margin and wallet, and returns the part of it that is a lift.

    Opening lots take their initial margin, as far as it is at hand, or more if the whole position must be lifted to R_own.
    Closing lots release no more than leaves the rest at R_own.
    """
    cdef Position* p = &l.positions[index]
    cdef int32_t* fault = &l.log.fault
    cdef int64_t lacks, asked, lifted = 0
    cdef int i
    if not p.mode:
        return 0
    must(e.assigned_units == 0 and not e.tight, MAR_3, fault)
    if e.size_lots == 0:
        e.stands = e.margin_units >= 0
        return 0
    if e.opened_lots != 0:
        asked = _asked(l, p, e)
        e.tight = not _has_room(l, index, e, asked)
        _assign(e, min64(asked, _at_hand(l, index, e)) if e.tight else asked, fault)
    for i in range(LIFTS_MAX):
        lacks = _lacks(l, rules, index, e)
        e.stands = lacks == 0
        if e.opened_lots == 0:
            lacks = min64(lacks, e.released_units)
        if lacks == 0:
            break
        if e.opened_lots != 0:
            lifted = add(lifted, lacks, fault)
            _assign(e, lacks, fault)
        else:
            _keep(e, lacks)
    must(lifted >= 0 and e.assigned_units >= lifted, MAR_3, fault)
    must(e.released_units >= 0, MAR_3, fault)
    return lifted


cdef bint bears_loss(Ledger* l, Rules* rules, uint32_t account, uint32_t currency, int128 units) noexcept nogil:
    """True if a cross domain with `units` less cash is at R_own or above.

    Initial margin already ensures that, except for fees that go by remaining equity, and thresholds that may not be met.
    """
    cdef Wallet* wallet = wallet_of(l, account, currency)
    cdef int64_t cash = wallet.cash_units
    cdef Requirement r
    if not (rules.fee_at_bankruptcy or rules.at_threshold):
        return True
    wallet.cash_units = saturate(cash - units)
    cross_requirement(l, rules, account, currency, &r)
    wallet.cash_units = cash
    must(wallet.cash_units == cash, MON_7, &l.log.fault)
    return r.equity >= r.own


cdef inline void _reading(Requirement* r, Readings* found) noexcept nogil:
    found.domain[found.count].equity, found.domain[found.count].own = r.equity, r.own
    found.count += 1


cdef void _read(Ledger* l, Rules* rules, int32_t index, Effect* e, Readings* found) noexcept nogil:
    """Reads equity and R_own of each domain that a fill may weaken: the position's own, and those that use its wallet."""
    cdef Position* p = &l.positions[index]
    cdef uint32_t currency = l.instruments[p.instrument].currency
    cdef Collateral* each = backs(l, currency)
    cdef Requirement r
    found.count = 0
    if p.mode:
        isolated_requirement(l, rules, index, &r)
        _reading(&r, found)
        if e.cash_units >= 0:
            return
    cross_requirement(l, rules, p.account, currency, &r)
    _reading(&r, found)
    if each != NULL:
        cross_requirement(l, rules, p.account, each.of, &r)
        _reading(&r, found)


cdef inline bint _sound(Ledger* l, Rules* rules, int32_t index, Effect* e) noexcept nogil:
    """True if none of these domains is below its threshold."""
    cdef Position* p = &l.positions[index]
    cdef uint32_t currency = l.instruments[p.instrument].currency
    cdef Collateral* each
    if p.mode:
        if not e.stands and not isolated_holds(l, rules, index):
            return False
        if e.cash_units >= 0:
            return True
    if not cross_holds(l, rules, p.account, currency):
        return False
    each = backs(l, currency)
    return each == NULL or cross_holds(l, rules, p.account, each.of)


cdef inline bint _moves_holds(Ledger* l, Effect* e) noexcept nogil:
    """True if the holds of the position's orders count in the judgement: for an opening fill whose currency backs another. A
    closing fill ignores the holds of other orders."""
    return l.collateral_count != 0 and e.opened_lots != 0


cdef inline bint _allowed(Ledger* l, Position* p) noexcept nogil:
    """True if the position's tier allows its leverage. Tiers by money are not tested: the mark decides them, not a fill."""
    cdef Instrument* ins = &l.instruments[p.instrument]
    cdef Held held
    if ins.basis == CONTRACTS:
        return allows(ins, tier_at(ins, magnitude(p.size_lots), p.chosen_tier), p.leverage)
    if ins.basis != NET:
        return True
    held = held_of(l, p)
    return allows(ins, tier_of(ins, &held, &l.log.fault), p.leverage)


cdef bint bears(Ledger* l, Rules* rules, int32_t index, Fill* terms, Effect* e, int64_t price_ticks, bint* safe) noexcept nogil:
    """True if the owner bears a fill. price_ticks: 0 if the caller has limited it to the closing price.

    safe: set to True if all of the owner's domains are above their thresholds after it, so that no test is needed again.
    """
    cdef Position* p = &l.positions[index]
    cdef Wallet* wallet = wallet_of(l, p.account, l.instruments[p.instrument].currency)
    cdef Trial trial
    cdef int64_t cash
    cdef bint sound, slips
    if domain_holds(l, rules, p, e):
        safe[0] = add(wallet.cash_units, e.cash_units, &l.log.fault) >= 0
        return True
    if e.stands and e.opened_lots == 0 and e.cash_units >= 0 and e.shortfall_units == 0:     # no other domain can be weaker
        safe[0] = add(wallet.cash_units, e.cash_units, &l.log.fault) >= 0
        return True
    try_on(l, index, e, _moves_holds(l, e), &trial)
    slips = e.opened_lots != 0 and not _allowed(l, p)
    sound = not slips and _sound(l, rules, index, e)
    cash = wallet.cash_units
    put_back(l, index, &trial)
    must(e.shortfall_units >= 0 and e.assigned_units >= 0, MAR_3, &l.log.fault)
    if e.shortfall_units != 0 or (e.assigned_units > 0 and cash < 0) or (slips and e.closed_lots == 0):
        return False
    safe[0] = sound and cash >= 0
    return sound or _bears_below(l, rules, index, terms, e, price_ticks)


cdef bint _bears_below(Ledger* l, Rules* rules, int32_t index, Fill* terms, Effect* e, int64_t price_ticks) noexcept nogil:
    """True if the owner bears a fill that leaves some domain below its threshold."""
    cdef Position* p = &l.positions[index]
    cdef Readings before, after
    cdef Trial trial
    cdef int128 slack
    cdef int i
    if e.closed_lots != 0 and e.opened_lots != 0:
        return _bears_halves(l, rules, index, terms, e, price_ticks)
    try_on(l, index, e, _moves_holds(l, e), &trial)
    _read(l, rules, index, e, &after)
    put_back(l, index, &trial)
    _read(l, rules, index, e, &before)
    must(after.count == before.count and 1 <= after.count <= 3, SAFE_2, &l.log.fault)
    must(e.closed_lots != 0 or e.opened_lots != 0, SAFE_2, &l.log.fault)
    for i in range(after.count):
        if e.opened_lots != 0:
            slack = before.domain[i].equity - before.domain[i].own
            if after.domain[i].equity - after.domain[i].own < (slack if slack < 0 else 0):
                return False
        elif after.domain[i].equity < (before.domain[i].equity if before.domain[i].equity < 0 else 0):
            return False
    if e.opened_lots != 0 or price_ticks == 0:
        return True
    if p.size_lots > 0:
        return price_ticks >= closing_price(l, rules, index)
    return price_ticks <= closing_price(l, rules, index)


cdef bint _bears_halves(Ledger* l, Rules* rules, int32_t index, Fill* terms, Effect* whole, int64_t price_ticks) noexcept nogil:
    """True if the owner bears a fill that turns a position: first the closing half, then the opening half, which pays the
    fee."""
    cdef Fill first = terms[0]
    cdef Fill rest = terms[0]
    cdef Effect e
    cdef Trial before
    cdef bint safe, borne
    first.size_delta = whole.closed_lots if terms.size_delta > 0 else -whole.closed_lots
    first.cost_delta = terms.cost_delta - whole.opened_cost
    first.fee_units = 0
    rest.size_delta = whole.opened_lots
    rest.cost_delta = whole.opened_cost
    must(first.size_delta + rest.size_delta == terms.size_delta, MON_2, &l.log.fault)
    must(first.cost_delta + rest.cost_delta == terms.cost_delta and first.fee_units + rest.fee_units == terms.fee_units, MON_3,
         &l.log.fault)
    fill_effect(l, index, &first, &e)
    must(e.opened_lots == 0 and e.size_lots == 0, MON_2, &l.log.fault)
    if not bears(l, rules, index, &first, &e, price_ticks, &safe):
        return False
    try_on(l, index, &e, l.collateral_count != 0 or l.positions[index].mode, &before)
    fill_effect(l, index, &rest, &e)
    fit(l, rules, index, &e)
    borne = bears(l, rules, index, &rest, &e, price_ticks, &safe)
    put_back(l, index, &before)
    return borne
