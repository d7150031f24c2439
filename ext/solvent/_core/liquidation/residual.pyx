"""Cover of bare wallets; the contract is in residual.pxd, the readable twin in twin/liquidation/residual.py."""

from libc.stdint cimport int32_t, uint32_t
from solvent._core.account.ledger cimport Ledger, Wallet, fund_pays, wallet_of, wallet_purse
from solvent._core.base.clauses cimport LIQ_2, LIQ_6, must
from solvent._core.base.schema cimport LIQUIDATED, SHORTFALL
from solvent._core.liquidation.case cimport OVER, Case
from solvent._core.liquidation.collateral cimport convert
from solvent._core.trade.lifecycle cimport cancel_all
from solvent._core.trade.state cimport State


cdef void _cancel_currency(State* s, uint32_t account, uint32_t currency) noexcept nogil:
    """Ends all orders of an account in a currency."""
    cdef int32_t index = s.ledger.accounts[account].first_position
    while index >= 0:
        if s.ledger.instruments[s.ledger.positions[index].instrument].currency == currency:
            cancel_all(s, index, LIQUIDATED)
            must(s.ledger.positions[index].first_order < 0, LIQ_2, &s.log.fault)
            must(s.ledger.positions[index].account == account, LIQ_2, &s.log.fault)
        index = s.ledger.positions[index].next


cdef int residual(State* s, Case* c) noexcept nogil:
    """Covers a wallet below zero, and tells whether collateral was converted for it."""
    cdef Ledger* l = &s.ledger
    cdef Wallet* wallet = wallet_of(l, c.account, c.currency)
    cdef int32_t i
    for i in range(l.collateral_count):
        if l.collateral[i].of == c.currency and wallet.cash_units < 0:
            c.converted |= convert(s, c.account, &l.collateral[i])
    for i in range(l.collateral_count):     # what orders hold is there too, before anybody else pays
        if l.collateral[i].of == c.currency and wallet.cash_units < 0:
            _cancel_currency(s, c.account, l.collateral[i].currency)
            c.converted |= convert(s, c.account, &l.collateral[i])
    if wallet.cash_units < 0:
        fund_pays(l, SHORTFALL, wallet_purse(c.account, c.currency), -wallet.cash_units, 0)
    must(wallet.cash_units >= 0, LIQ_6, &s.log.fault)
    must(c.requirement.positions == 0 and wallet.hold_units >= 0, LIQ_6, &s.log.fault)
    return OVER
