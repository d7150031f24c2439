"""The ratio test; the contract is in verdict.pxd, the readable twin in twin/liquidation/verdict.py."""

from libc.stdint cimport int32_t, uint32_t
from solvent._core.account.ledger cimport Ledger, Position, Wallet, held_of, wallet_of
from solvent._core.account.margin cimport Requirement, cross_requirement, isolated_holds, isolated_requirement, thresholds
from solvent._core.account.domain cimport cross_holds, domain_slack
from solvent._core.base.clauses cimport LIQ_1, must
from solvent._core.base.money cimport int128, saturate
from solvent._core.contract.valuation cimport Held, tier_of, waits
from solvent._core.liquidation.case cimport GO_ON, OVER, Case
from solvent._core.trade.state cimport State
from solvent._core.base.schema cimport FULL, PARTIAL, SAFE
from solvent._core.base.emit cimport emit_liquidation


cdef bint _steps(State* s, Position* p) noexcept nogil:
    """True if the position is in a tier from which it is stepped down."""
    cdef Held held = held_of(&s.ledger, p)
    return tier_of(&s.ledger.instruments[p.instrument], &held, &s.log.fault) >= s.rules.step_tiers


cdef int32_t _candidate(State* s, uint32_t account, uint32_t currency, int128 equity) noexcept nogil:
    """Returns the cross position to step down: tier >= 3 and the largest own - full, or the largest own where no tier counts;
    ties by instrument and leg."""
    cdef Ledger* l = &s.ledger
    cdef int32_t index = l.accounts[account].first_position
    cdef int32_t best = -1
    cdef int128 full, own, heaviest = -1
    cdef Position* p
    while index >= 0:
        p = &l.positions[index]
        if p.size_lots != 0 and not p.mode and l.instruments[p.instrument].currency == currency and _steps(s, p):
            thresholds(l, &s.rules, p, equity, &full, &own)
            must(own >= full and full >= 0, LIQ_1, &s.log.fault)
            if s.rules.takeover_parts:
                full = 0
            if own - full > heaviest:
                heaviest = own - full
                best = index
        index = p.next
    must((best < 0) == (heaviest < 0), LIQ_1, &s.log.fault)
    return best


cdef inline bint _holds(State* s, Case* c) noexcept nogil:
    """True if a domain is at R_own or above, the short way; states that its known slack is exact."""
    cdef Wallet* wallet = wallet_of(&s.ledger, c.account, c.currency)
    cdef int128 slack
    if c.position >= 0:
        return isolated_holds(&s.ledger, &s.rules, c.position)
    if domain_slack(&s.ledger, &s.rules, c.account, c.currency, &slack):
        must(wallet.known_at != s.ledger.moves or wallet.slack_units == slack, LIQ_1, &s.log.fault)
    return cross_holds(&s.ledger, &s.rules, c.account, c.currency)


cdef bint is_deferred(State* s, uint32_t account, uint32_t currency, int32_t position) noexcept nogil:
    """True if a position of a domain is in a market where liquidation waits: so does the whole domain. position: the isolated
    one, or -1 for a cross domain."""
    cdef int32_t index = s.ledger.accounts[account].first_position if position < 0 else position
    cdef Position* p
    while index >= 0:
        p = &s.ledger.positions[index]
        if p.size_lots != 0 and waits(&s.ledger.instruments[p.instrument]) and (
                index == position or (not p.mode and s.ledger.instruments[p.instrument].currency == currency)):
            return True
        index = p.next if position < 0 else -1
    must(position < 0 or s.ledger.positions[position].account == account, LIQ_1, &s.log.fault)
    must(account < s.ledger.account_count, LIQ_1, &s.log.fault)
    return False


cdef int judge(State* s, Case* c) noexcept nogil:
    """Finds requirement, candidate and verdict of a domain, and returns the verdict."""
    cdef Requirement* r = &c.requirement
    c.candidate = c.position
    if c.position >= 0:
        isolated_requirement(&s.ledger, &s.rules, c.position, r)
    else:
        cross_requirement(&s.ledger, &s.rules, c.account, c.currency, r)
        if r.equity < r.own and r.equity >= r.full:
            c.candidate = _candidate(s, c.account, c.currency, r.equity)
    if r.equity >= r.own or (r.positions == 0 and r.orders == 0):
        c.verdict = SAFE
    elif r.equity < r.full:
        c.verdict = FULL
    elif c.candidate >= 0 and s.ledger.positions[c.candidate].stuck:
        c.verdict = SAFE
    else:
        c.verdict = PARTIAL     # without a candidate only orders require more, and they are cancelled
    if c.verdict != SAFE and is_deferred(s, c.account, c.currency, c.position):
        c.verdict = SAFE
    must(r.full <= r.own and r.full >= 0, LIQ_1, &s.log.fault)
    must(c.verdict == SAFE or r.equity < r.own, LIQ_1, &s.log.fault)
    must(c.verdict == SAFE or not _holds(s, c), LIQ_1, &s.log.fault)
    return c.verdict


cdef bint _may_wait(State* s, Case* c) noexcept nogil:
    """True if a domain below R_own has no position that can be sold now."""
    must(c.requirement.equity < c.requirement.own, LIQ_1, &s.log.fault)
    if c.requirement.positions == 0 and c.requirement.orders == 0:
        return True
    if is_deferred(s, c.account, c.currency, c.position):
        return True
    return c.requirement.equity >= c.requirement.full and c.candidate >= 0 and s.ledger.positions[c.candidate].stuck


cdef int verdict(State* s, Case* c) noexcept nogil:
    """Judges a domain and emits LIQUIDATION, unless it is safe."""
    cdef Requirement* r = &c.requirement
    if judge(s, c) == SAFE:
        must(r.equity >= r.own or _may_wait(s, c), LIQ_1, &s.log.fault)
        return OVER
    must(r.equity < r.own and (c.verdict == FULL) == (r.equity < r.full), LIQ_1, &s.log.fault)
    must(c.candidate < 0 or s.ledger.positions[c.candidate].account == c.account, LIQ_1, &s.log.fault)
    emit_liquidation(
        &s.log, account=c.account, instrument=c.instrument, verdict=c.verdict, currency=c.currency,
        equity_units=saturate(r.equity), full_units=saturate(r.full), own_units=saturate(r.own),
        value_units=saturate(r.value),
        mark_ticks=s.ledger.instruments[c.instrument].mark_ticks if c.position >= 0 else 0, leg=c.leg)
    return GO_ON
