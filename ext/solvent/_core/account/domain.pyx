"""The known slack of margin domains; the contract is in domain.pxd."""

from libc.stdint cimport int32_t, int64_t, uint32_t
from solvent._core.account.ledger cimport Effect, Ledger, Position, Wallet, wallet_of
from solvent._core.account.margin cimport Requirement, Rules, cross_requirement, is_plain, plain_rates
from solvent._core.base.clauses cimport LIQ_1, must
from solvent._core.base.money cimport int128, magnitude
from solvent._core.contract.valuation cimport Instrument, allows, fee_units, tier_at, worth
from solvent._core.base.schema cimport IGNORED


cdef inline int128 _part(Ledger* ledger, Rules* rules, Instrument* ins, Position* p, int64_t size_lots, int64_t cost_units) noexcept nogil:
    """Returns profit less R_own of a plain cross position as it is, or after a fill."""
    cdef int64_t signed = worth(ins, size_lots, ins.mark_ticks, &ledger.log.fault)
    cdef int64_t low, high
    plain_rates(rules, ins, p, magnitude(size_lots), &low, &high)
    return <int128>signed - cost_units - fee_units(magnitude(signed), high, &ledger.log.fault)


cdef bint domain_slack(Ledger* ledger, Rules* rules, uint32_t account, uint32_t currency, int128* slack) noexcept nogil:
    """Adds up profit less R_own of the cross positions. Returns False where one is not plain, or something else counts."""
    cdef int32_t index = ledger.accounts[account].first_position
    cdef Instrument* ins
    cdef Position* p
    slack[0] = 0
    if rules.orders != IGNORED or rules.at_threshold or ledger.collateral_count != 0:
        return False
    while index >= 0:
        p = &ledger.positions[index]
        index = p.next
        ins = &ledger.instruments[p.instrument]
        if p.size_lots == 0 or p.mode or ins.currency != currency:
            continue
        if not is_plain(rules, ins):
            return False
        must(p.account == account, LIQ_1, &ledger.log.fault)
        slack[0] += _part(ledger, rules, ins, p, p.size_lots, p.cost_units)
    return True


cdef bint cross_holds(Ledger* ledger, Rules* rules, uint32_t account, uint32_t currency) noexcept nogil:
    """True if a cross domain is at R_own or above, by its rows as they are."""
    cdef int128 slack
    cdef Requirement r
    if domain_slack(ledger, rules, account, currency, &slack):
        return slack + wallet_of(ledger, account, currency).cash_units >= 0
    cross_requirement(ledger, rules, account, currency, &r)
    return r.equity >= r.own


cdef bint domain_holds(Ledger* ledger, Rules* rules, Position* p, Effect* e) noexcept nogil:
    """True if every domain of a fill is known to be at R_own or above after it, and the leverage is allowed.

    The domains are that of a cross position, or an isolated position and the cross domain of its wallet. Reads an unknown
    slack.
    """
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    cdef Wallet* wallet = wallet_of(ledger, p.account, ins.currency)
    cdef int128 cash = <int128>wallet.cash_units + e.cash_units
    if not is_plain(rules, ins) or (
            e.opened_lots != 0 and not allows(ins, tier_at(ins, magnitude(e.size_lots), p.chosen_tier), p.leverage)):
        return False
    if p.mode and (not e.stands or e.shortfall_units != 0 or cash < 0):
        return False
    if wallet.known_at != ledger.moves:
        if not domain_slack(ledger, rules, p.account, ins.currency, &wallet.slack_units):
            return False
        wallet.known_at = ledger.moves
    e.known = True
    e.slack_units = wallet.slack_units
    if not p.mode:
        e.slack_units -= _part(ledger, rules, ins, p, p.size_lots, p.cost_units)
        e.slack_units += _part(ledger, rules, ins, p, e.size_lots, e.cost_units)
    return e.slack_units + cash >= 0
