"""The clearing of orders and chosen tiers; the contract is in clear.pxd, the readable twin in twin/liquidation/clear.py."""

from libc.stdint cimport int32_t, uint32_t
from solvent._core.account.ledger cimport Collateral, Ledger, Position, backs, position_event, touch
from solvent._core.base.clauses cimport LIQ_1, LIQ_2, must
from solvent._core.base.schema cimport IGNORED, LIQUIDATED, SAFE
from solvent._core.liquidation.case cimport AGAIN, GO_ON, Case
from solvent._core.trade.lifecycle cimport cancel_all
from solvent._core.trade.state cimport State


cdef bint _cancel_orders(State* s, Case* c) noexcept nogil:
    """Cancels the orders of a domain. Isolated: that position's orders; cross: the account's orders in the domain's currency
    and in the currencies that back it. Returns True if their holds or their margin counted in the ratio test."""
    cdef Ledger* l = &s.ledger
    cdef int32_t index = c.position if c.position >= 0 else l.accounts[c.account].first_position
    cdef uint32_t currency
    cdef Collateral* backed
    cdef bint counted = False
    while index >= 0:
        currency = l.instruments[l.positions[index].instrument].currency
        backed = backs(l, currency) if c.position < 0 else NULL
        if currency == c.currency or (backed != NULL and backed.of == c.currency):
            counted |= (c.position < 0 and l.positions[index].first_order >= 0
                        and (currency != c.currency or s.rules.orders != IGNORED))
            cancel_all(s, index, LIQUIDATED)
            must(l.positions[index].first_order < 0, LIQ_2, &s.log.fault)
        must(l.positions[index].account == c.account, LIQ_2, &s.log.fault)
        index = -1 if c.position >= 0 else l.positions[index].next
    return counted


cdef bint _give_up_tier(State* s, int32_t index) noexcept nogil:
    """Clears a chosen tier. Returns True if there was one."""
    if s.ledger.positions[index].chosen_tier == 0:
        return False
    must(s.ledger.positions[index].first_order < 0, LIQ_2, &s.log.fault)
    must(s.ledger.positions[index].chosen_tier <= s.ledger.instruments[s.ledger.positions[index].instrument].tier_count, LIQ_2,
         &s.log.fault)
    s.ledger.positions[index].chosen_tier = 0
    position_event(&s.ledger, index)
    return True


cdef bint _give_up_tiers(State* s, Case* c) noexcept nogil:
    """Clears the domain's chosen tiers. Returns True if there was one."""
    cdef Ledger* l = &s.ledger
    cdef int32_t index = l.accounts[c.account].first_position
    cdef bint changed = False
    if c.position >= 0:
        return _give_up_tier(s, c.position)
    while index >= 0:
        if not l.positions[index].mode and l.instruments[l.positions[index].instrument].currency == c.currency:
            changed |= _give_up_tier(s, index)
        index = l.positions[index].next
    return changed


cdef void _check_cleared(State* s, Case* c) noexcept nogil:
    """States that no position of the domain has an order or a chosen tier left."""
    cdef Position* p
    cdef int32_t index = s.ledger.accounts[c.account].first_position
    while index >= 0:
        p = &s.ledger.positions[index]
        if index == c.position or (c.position < 0 and not p.mode and s.ledger.instruments[p.instrument].currency == c.currency):
            must(p.first_order < 0 and p.hold_units == 0, LIQ_2, &s.log.fault)
            must(p.chosen_tier == 0, LIQ_2, &s.log.fault)
        index = p.next


cdef int clear(State* s, Case* c) noexcept nogil:
    """Cancels orders and clears chosen tiers. The domain is judged again where that may have changed the verdict."""
    cdef bint changed
    must(c.verdict != SAFE and c.requirement.equity < c.requirement.own, LIQ_1, &s.log.fault)
    must(c.position < 0 or s.ledger.positions[c.position].account == c.account, LIQ_1, &s.log.fault)
    changed = _cancel_orders(s, c)
    changed |= _give_up_tiers(s, c)
    _check_cleared(s, c)
    if not changed:
        return GO_ON
    if c.requirement.positions == 0:    # only orders required margin; the wallet itself may be below zero
        touch(&s.ledger, c.account)
    return AGAIN
