"""Accounts below R_own after a change of a price; the contract is in danger.pxd."""

from libc.stdint cimport int32_t, uint32_t
from solvent._core.account.guard cimport Beat, guards_crossed, guards_drop, guards_hold, guards_read, guards_renew
from solvent._core.account.ledger cimport FIRST_USER, Collateral, Ledger, Position, backs, touch, wallet_of
from solvent._core.account.domain cimport cross_holds
from solvent._core.account.margin cimport isolated_holds
from solvent._core.base.clauses cimport LIQ_1, must
from solvent._core.trade.admission cimport endangered
from solvent._core.trade.state cimport State
from solvent._core.contract.valuation cimport Instrument


cdef enum:
    RENEWALS = 1024            # domains that a mark guards anew, besides a share of those that are listed


cdef bint _is_below(State* s, int32_t index) noexcept nogil:
    """True if an open position's domain is below its threshold, or the domain that its currency backs."""
    cdef Position* p = &s.ledger.positions[index]
    cdef uint32_t currency = s.ledger.instruments[p.instrument].currency
    must(p.size_lots != 0 and index < s.ledger.position_count, LIQ_1, &s.log.fault)
    must(s.ledger.instruments[p.instrument].mark_ticks > 0, LIQ_1, &s.log.fault)
    if p.mode:
        return not isolated_holds(&s.ledger, &s.rules, index)
    return endangered(&s.ledger, &s.rules, p.account, currency)


cdef bint _look(State* s, int32_t index) noexcept nogil:
    """Touches the account of an open position if it is endangered. Returns False then."""
    cdef uint32_t account = s.ledger.positions[index].account
    if not _is_below(s, index):
        return True
    touch(&s.ledger, account)
    must(s.ledger.accounts[account].touched and s.ledger.touched_count > 0, LIQ_1, &s.log.fault)
    must(account >= FIRST_USER, LIQ_1, &s.log.fault)
    must(s.ledger.touched_count <= s.ledger.account_count, LIQ_1, &s.log.fault)
    return False


cdef void _look_and_guard(State* s, int32_t index) noexcept nogil:
    """Looks at a position that is not guarded, or whose guard has ended, and guards it anew if it is safe."""
    if _look(s, index) and s.guards.budget > 0:
        guards_renew(&s.guards, &s.ledger, &s.rules, index)
    else:
        guards_drop(&s.guards, &s.ledger, index)
    must(s.guards.items[index].listed or guards_hold(&s.guards, &s.ledger, index), LIQ_1, &s.log.fault)
    must(s.guards.budget >= 0, LIQ_1, &s.log.fault)


cdef void _look_at_listed(State* s, uint32_t instrument, bint marked) noexcept nogil:
    """Looks at the positions that have no guard; a mark frees those of them that are stuck."""
    cdef Beat* beat = &s.guards.beats[instrument]
    cdef int32_t index = beat.first
    cdef int32_t next
    beat.first = -1
    while index >= 0:
        next = s.guards.items[index].next
        s.guards.items[index].listed = 0
        beat.listed -= 1
        must(s.ledger.positions[index].instrument == instrument, LIQ_1, &s.log.fault)
        if marked:
            s.ledger.positions[index].stuck = 0
        if s.ledger.positions[index].size_lots != 0 and not guards_hold(&s.guards, &s.ledger, index):
            _look_and_guard(s, index)
        index = next
    must(beat.listed >= 0 and (beat.listed == 0) == (beat.first < 0), LIQ_1, &s.log.fault)


cdef void _look_at_all(State* s, uint32_t instrument, bint marked) noexcept nogil:
    """Looks at every position of an instrument: without memory nobody is guarded."""
    cdef Instrument* ins = &s.ledger.instruments[instrument]
    cdef int32_t i
    must(s.guards.count == 0, LIQ_1, &s.log.fault)
    for i in range(ins.member_count):
        must(s.ledger.positions[ins.members[i]].instrument == instrument, LIQ_1, &s.log.fault)
        if marked:
            s.ledger.positions[ins.members[i]].stuck = 0
        if s.ledger.positions[ins.members[i]].size_lots != 0:
            _look(s, ins.members[i])


cdef void _watch(State* s, uint32_t instrument, bint marked) noexcept nogil:
    cdef int32_t index
    must(instrument < s.ledger.instrument_count, LIQ_1, &s.log.fault)
    if not guards_read(&s.guards, &s.ledger, &s.rules):
        _look_at_all(s, instrument, marked)
        return
    s.guards.budget = RENEWALS + (s.guards.beats[instrument].listed >> 3)
    index = guards_crossed(&s.guards, &s.ledger, instrument)
    while index >= 0:
        _look_and_guard(s, index)
        index = guards_crossed(&s.guards, &s.ledger, instrument)
    _look_at_listed(s, instrument, marked)
    must(guards_crossed(&s.guards, &s.ledger, instrument) < 0, LIQ_1, &s.log.fault)
    must(s.guards.count == s.ledger.position_count and s.ledger.notes.count == 0, LIQ_1, &s.log.fault)


cdef void watch_mark(State* s, uint32_t instrument) noexcept nogil:
    """Touches each account whose position here, cross domain, or backed domain is below R_own. Frees stuck positions."""
    must(s.ledger.instruments[instrument].mark_ticks > 0, LIQ_1, &s.log.fault)
    _watch(s, instrument, True)


cdef void watch_accrual(State* s, uint32_t instrument) noexcept nogil:
    """Touches the same accounts after a change of what accrued funding asks. No guard holds across it."""
    cdef Instrument* ins = &s.ledger.instruments[instrument]
    cdef int32_t i
    if guards_read(&s.guards, &s.ledger, &s.rules):
        for i in range(ins.member_count):
            guards_drop(&s.guards, &s.ledger, ins.members[i])
            must(not guards_hold(&s.guards, &s.ledger, ins.members[i]), LIQ_1, &s.log.fault)
    _watch(s, instrument, False)


cdef void _look_at_backed(State* s, uint32_t account, Collateral* each) noexcept nogil:
    """Touches an account that has some of a collateral, if it now leaves its domain below its threshold."""
    cdef Ledger* l = &s.ledger
    if wallet_of(l, account, each.currency).cash_units > 0 and endangered(l, &s.rules, account, each.of):
        must(not cross_holds(l, &s.rules, account, each.of) or backs(l, each.of) != NULL, LIQ_1, &s.log.fault)
        touch(l, account)
        must(l.accounts[account].touched, LIQ_1, &s.log.fault)


cdef bint _is_first(State* s, int32_t index) noexcept nogil:
    """True if a row is the first open one of its cross domain, which is then looked at once."""
    cdef Ledger* l = &s.ledger
    cdef int32_t first = l.accounts[l.positions[index].account].first_position
    must(first >= 0 and index < l.position_count, LIQ_1, &s.log.fault)
    if l.positions[index].mode or l.positions[index].size_lots == 0:
        return False
    while first != index and (l.positions[first].mode or l.positions[first].size_lots == 0
                              or l.instruments[l.positions[first].instrument].currency
                              != l.instruments[l.positions[index].instrument].currency):
        first = l.positions[first].next
        must(first >= 0, LIQ_1, &s.log.fault)
    return first == index


cdef void _look_at_unguarded(State* s, Collateral* each) noexcept nogil:
    """Looks at the domains without a guard in a currency that is backed. A guarded one holds without its collateral."""
    cdef uint32_t i
    cdef int32_t index
    for i in range(s.ledger.instrument_count):
        index = s.guards.beats[i].first if s.ledger.instruments[i].currency == each.of else -1
        while index >= 0:
            must(s.ledger.positions[index].instrument == i and s.guards.items[index].listed, LIQ_1, &s.log.fault)
            if _is_first(s, index):
                _look_at_backed(s, s.ledger.positions[index].account, each)
            index = s.guards.items[index].next


cdef void watch_collateral(State* s, uint32_t instrument) noexcept nogil:
    """Touches each account whose collateral is priced by this instrument and now leaves its domain below its threshold."""
    cdef Ledger* l = &s.ledger
    cdef uint32_t account
    cdef int32_t i
    for i in range(l.collateral_count):
        if l.collateral[i].instrument != instrument:
            continue
        if not l.orders_count and guards_read(&s.guards, l, &s.rules):
            _look_at_unguarded(s, &l.collateral[i])
            continue
        for account in range(FIRST_USER, l.account_count):      # orders alone may ask, or there is no memory for guards
            _look_at_backed(s, account, &l.collateral[i])
