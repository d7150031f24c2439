"""Conversion of collateral; the contract is in collateral.pxd."""

from libc.stdint cimport int32_t, int64_t, uint32_t
from solvent._core.account.ledger cimport Collateral, Ledger, fund_pays, pay, wallet_of, wallet_purse
from solvent._core.account.margin cimport collateral_value, spare_units
from solvent._core.trade.lifecycle cimport State, cancel_all
from solvent._core.base.schema cimport CONVERTED, CONVERTER, LIQUIDATED, SHORTFALL


cdef bint convert(State* s, uint32_t account, Collateral* each) noexcept nogil:
    """The house takes all that is spare of a balance for what it counts, so that equity stays; if so its own contracts' domain
    is to be looked at again."""
    cdef Ledger* l = &s.ledger
    cdef int64_t value = collateral_value(l, account, each, 0)
    if value == 0:
        return False
    pay(l, CONVERTED, wallet_purse(account, each.currency), wallet_purse(CONVERTER, each.currency),
        spare_units(l, account, each.currency), 0)
    pay(l, CONVERTED, wallet_purse(CONVERTER, each.of), wallet_purse(account, each.of), value, 0)
    return True


cdef void _cancel_currency(State* s, uint32_t account, uint32_t currency) noexcept nogil:
    """Ends all orders of an account in a currency."""
    cdef int32_t index = s.ledger.accounts[account].first_position
    while index >= 0:
        if s.ledger.instruments[s.ledger.positions[index].instrument].currency == currency:
            cancel_all(s, index, LIQUIDATED)
        index = s.ledger.positions[index].next


cdef bint cover_wallet(State* s, uint32_t account, uint32_t currency) noexcept nogil:
    """A wallet below zero with no cross position to stand for it: collateral, fund, deficit (semantics §6); whether
    collateral was converted."""
    cdef Ledger* l = &s.ledger
    cdef bint converted = False
    cdef int32_t i
    if wallet_of(l, account, currency).cash_units >= 0:
        return False
    for i in range(l.collateral_count):
        if l.collateral[i].of == currency and wallet_of(l, account, currency).cash_units < 0:
            converted |= convert(s, account, &l.collateral[i])
    for i in range(l.collateral_count):     # what orders hold is there too, before anybody else pays
        if l.collateral[i].of == currency and wallet_of(l, account, currency).cash_units < 0:
            _cancel_currency(s, account, l.collateral[i].currency)
            converted |= convert(s, account, &l.collateral[i])
    if wallet_of(l, account, currency).cash_units < 0:
        fund_pays(l, SHORTFALL, wallet_purse(account, currency), -wallet_of(l, account, currency).cash_units, 0)
    return converted
