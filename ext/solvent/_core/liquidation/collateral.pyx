"""Conversion; the contract is in collateral.pxd, the readable twin in twin/liquidation/collateral.py."""

from libc.stdint cimport int64_t, uint32_t
from solvent._core.base.schema cimport CONVERTED, CONVERTER
from solvent._core.account.ledger cimport Collateral, Ledger, pay, wallet_purse
from solvent._core.account.margin cimport backing, collateral_value, spare_units
from solvent._core.base.clauses cimport MON_7, must
from solvent._core.trade.state cimport State


cdef bint convert(State* s, uint32_t account, Collateral* each) noexcept nogil:
    """The house takes all that is spare of a balance for what it counts; True if anything: the account's own domain in it is
    then to be looked at again."""
    cdef Ledger* l = &s.ledger
    cdef int64_t value = collateral_value(l, account, each, 0)
    cdef int64_t spare = spare_units(l, account, each.currency)
    cdef int64_t counted = backing(l, account, each.of)
    if value == 0:
        return False
    must(value > 0 and spare > 0, MON_7, &s.log.fault)
    pay(l, CONVERTED, wallet_purse(account, each.currency), wallet_purse(CONVERTER, each.currency),
        spare, 0)
    pay(l, CONVERTED, wallet_purse(CONVERTER, each.of), wallet_purse(account, each.of), value, 0)
    must(backing(l, account, each.of) == counted, MON_7, &s.log.fault)
    must(collateral_value(l, account, each, 0) == 0 and spare_units(l, account, each.currency) == 0, MON_7, &s.log.fault)
    return True
