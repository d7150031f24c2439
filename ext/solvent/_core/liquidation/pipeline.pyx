"""The pipeline; the contract is in pipeline.pxd, the readable twin in twin/liquidation/pipeline.py."""

from libc.stdint cimport int32_t, uint8_t, uint32_t
from libc.stdlib cimport free, qsort
from libc.string cimport memset
from solvent._core.account.ledger cimport OFFER, DueParcels, Ledger, Parcel, balance, order_touched, wallet_of
from solvent._core.account.parcels cimport parcels_left, parcels_sweep
from solvent._core.account.ranking cimport rankings_close
from solvent._core.base.clauses cimport LIQ_1, LIQ_4, LIQ_6, LIQ_10, must
from solvent._core.base.ladder cimport ladder_take
from solvent._core.base.money cimport int128
from solvent._core.base.pool cimport room
from solvent._core.contract.valuation cimport Instrument, waits, worth
from solvent._core.liquidation.case cimport (
    AGAIN, BARE_WALLET, CLEAR, DELEVERAGE, DOMAIN, GO_ON, HELD_PARCEL, NET, OVER, RESIDUAL, STEP_DOWN, TAKE_OVER, UNWIND,
    VERDICT, Case, Step,
)
from solvent._core.liquidation.clear cimport clear
from solvent._core.liquidation.deleverage cimport deleverage
from solvent._core.liquidation.net cimport net
from solvent._core.liquidation.residual cimport residual
from solvent._core.liquidation.step_down cimport step_down
from solvent._core.liquidation.take_over cimport take_over
from solvent._core.liquidation.unwind cimport unwind
from solvent._core.liquidation.verdict cimport judge, verdict
from solvent._core.trade.state cimport State
from solvent._core.base.schema cimport HOUSE, NO_INSTRUMENT, SAFE

cdef struct Entry:             # a step: its concern and its function
    uint8_t concern
    Step act

cdef struct Cases:
    Case* items
    int32_t count
    int32_t capacity

cdef Entry _known[RESIDUAL + 1]


cdef void _know(int number, uint8_t concern, Step act) noexcept nogil:
    _known[number].concern = concern
    _known[number].act = act


_know(VERDICT, DOMAIN, verdict)
_know(CLEAR, DOMAIN, clear)
_know(NET, DOMAIN, net)
_know(STEP_DOWN, DOMAIN, step_down)
_know(TAKE_OVER, DOMAIN, take_over)
_know(UNWIND, HELD_PARCEL, unwind)
_know(DELEVERAGE, HELD_PARCEL, deleverage)
_know(RESIDUAL, BARE_WALLET, residual)


cdef int _pass(State* s, Case* c) noexcept nogil:
    """Runs the steps of a case's concern once, in the order of the table, until one does not go on."""
    cdef Entry* entry
    cdef int outcome
    cdef int32_t i
    for i in range(s.rules.step_count):
        entry = &_known[s.rules.steps[i]]
        if entry.concern == c.concern:
            must(entry.act != NULL, LIQ_1, &s.log.fault)
            outcome = entry.act(s, c)
            must(outcome == GO_ON or outcome == OVER or (outcome == AGAIN and c.concern == DOMAIN), LIQ_1, &s.log.fault)
            if outcome != GO_ON:
                return outcome
    return OVER


cdef void _run(State* s, Case* c) noexcept nogil:
    """Runs a case; a step may start the table again."""
    while s.log.fault == 0 and _pass(s, c) == AGAIN:
        pass


# --- Parcels -------------------------------------------------------------------------------------------

cdef bint _has_value(State* s, Parcel* parcel) noexcept nogil:
    """True if nothing is left of a parcel, or its rest is worth more than its cost, or it waits."""
    cdef Instrument* ins = &s.ledger.instruments[parcel.instrument]
    return waits(ins) or parcel.size_lots == 0 or worth(ins, parcel.size_lots, ins.mark_ticks, &s.log.fault) > parcel.cost_units


cdef void _run_parcel(State* s, int32_t index, bint fresh) noexcept nogil:
    cdef Case c
    memset(&c, 0, sizeof(Case))
    c.concern = HELD_PARCEL
    c.parcel = index
    c.fresh = fresh
    _run(s, &c)
    balance(&s.ledger, s.ledger.parcels[index].instrument)
    must(wallet_of(&s.ledger, HOUSE, s.ledger.instruments[s.ledger.parcels[index].instrument].currency).cash_units == 0, LIQ_10,
         &s.log.fault)
    must(not s.may_cost_others or _has_value(s, &s.ledger.parcels[index]), LIQ_6, &s.log.fault)
    must(s.ledger.parcels[index].size_lots != 0 or s.ledger.parcels[index].order_id == 0, LIQ_10, &s.log.fault)


cdef void _run_due(State* s) noexcept nogil:
    """Runs every parcel whose value may have changed, by id, in rounds until there is none."""
    cdef DueParcels* due = &s.ledger.due
    cdef Parcel* parcel
    cdef int32_t i
    while s.log.fault == 0 and due.now.count + due.later.count > 0:
        if due.now.count == 0:
            due.now, due.later = due.later, due.now
            due.begun = 0
        i = ladder_take(&due.now).item
        parcel = &s.ledger.parcels[i]
        must(i < s.ledger.parcel_count, LIQ_10, &s.log.fault)
        if i >= due.begun and parcel.due and parcel.size_lots != 0:
            due.begun = i + 1
            _run_parcel(s, i, parcel.due == OFFER)
    due.begun = 0
    must(s.log.fault != 0 or due.now.count + due.later.count == 0, LIQ_10, &s.log.fault)


# --- Accounts ------------------------------------------------------------------------------------------

cdef void _append(State* s, Cases* cases, Case* c) noexcept nogil:
    if not room(<void**>&cases.items, cases.count, &cases.capacity, sizeof(Case)):
        s.log.fault = 2
        return
    must(c.requirement.equity < c.requirement.own, LIQ_1, &s.log.fault)
    must(c.position < 0 or s.ledger.positions[c.position].account == c.account, LIQ_1, &s.log.fault)
    cases.items[cases.count] = c[0]
    cases.count += 1


cdef bint _cover(State* s, Case* domain) noexcept nogil:
    """Runs a negative wallet without a position. Returns True if its account is to be tested again."""
    cdef Case c = domain[0]
    if c.requirement.positions != 0 or wallet_of(&s.ledger, c.account, c.currency).cash_units >= 0:
        return False
    must(c.position < 0 and c.verdict == SAFE, LIQ_6, &s.log.fault)
    c.concern = BARE_WALLET
    c.converted = False
    _run(s, &c)
    must(wallet_of(&s.ledger, c.account, c.currency).cash_units >= 0, LIQ_6, &s.log.fault)
    return c.converted


cdef void _collect(State* s, Cases* cases) noexcept nogil:
    """Queues every domain of a touched account that needs action, and covers negative wallets without a position. Accounts
    whose collateral was converted stay touched."""
    cdef Ledger* l = &s.ledger
    cdef uint32_t again = 0
    cdef uint32_t i
    cdef Case c
    memset(&c, 0, sizeof(Case))
    order_touched(l)
    for i in range(l.touched_count):
        c.account = l.touched[i]
        must(l.accounts[c.account].touched, LIQ_1, &s.log.fault)
        l.accounts[c.account].touched = 0
        c.position = l.accounts[c.account].first_position
        while c.position >= 0:
            if l.positions[c.position].mode and l.positions[c.position].size_lots != 0 and judge(s, &c) != SAFE:
                c.instrument = l.positions[c.position].instrument
                c.currency = l.instruments[c.instrument].currency
                c.leg = l.positions[c.position].leg
                _append(s, cases, &c)
            c.position = l.positions[c.position].next
        c.instrument = NO_INSTRUMENT
        c.leg = 0
        for c.currency in range(l.currency_count):
            if judge(s, &c) != SAFE:
                _append(s, cases, &c)
            elif _cover(s, &c) and not l.accounts[c.account].touched:
                l.accounts[c.account].touched = 1
                l.touched[again] = c.account
                again += 1
    must(again <= l.touched_count, LIQ_1, &s.log.fault)
    l.touched_count = again


cdef int _by_slack(const void* left, const void* right) noexcept nogil:
    """Orders cases: worst first, then by account, instrument, leg, currency."""
    cdef Case* a = <Case*>left
    cdef Case* b = <Case*>right
    cdef int128 slack = a.requirement.equity - a.requirement.own
    cdef int128 other = b.requirement.equity - b.requirement.own
    if slack != other:
        return -1 if slack < other else 1
    if a.account != b.account:
        return -1 if a.account < b.account else 1
    if a.instrument != b.instrument:
        return -1 if a.instrument < b.instrument else 1
    if a.leg != b.leg:
        return -1 if a.leg < b.leg else 1
    return -1 if a.currency < b.currency else (1 if a.currency > b.currency else 0)


cdef void _run_domain(State* s, Case* c) noexcept nogil:
    """Runs a domain, and then every parcel that the house took from it."""
    cdef int32_t first = s.ledger.parcel_count
    cdef int32_t i
    _run(s, c)
    for i in range(first, s.ledger.parcel_count):
        must(s.ledger.parcels[i].origin == c.account, LIQ_4, &s.log.fault)      # closed already if a fresh sibling was opposite
        _run_parcel(s, i, True)
    must(judge(s, c) == SAFE, LIQ_1, &s.log.fault)


# --- The end of a command ------------------------------------------------------------------------------

cdef void resolve_touched(State* s) noexcept nogil:
    """Works off parcels first, then the touched accounts worst first, round after round until none is left."""
    cdef Cases cases
    cdef int32_t i
    memset(&cases, 0, sizeof(Cases))
    while s.log.fault == 0:
        _run_due(s)
        if s.ledger.touched_count == 0:
            break
        cases.count = 0
        _collect(s, &cases)
        if cases.count > 1:
            qsort(cases.items, cases.count, sizeof(Case), &_by_slack)
        for i in range(1, cases.count):
            must(_by_slack(&cases.items[i - 1], &cases.items[i]) < 0, LIQ_1, &s.log.fault)
        for i in range(cases.count):
            _run_domain(s, &cases.items[i])
    must(s.ledger.touched_count == 0 or s.log.fault != 0, LIQ_1, &s.log.fault)
    free(cases.items)
    rankings_close(&s.rankings)
    if s.ledger.closed_parcels > parcels_left(&s.ledger) and s.log.fault == 0:
        parcels_sweep(&s.ledger)
