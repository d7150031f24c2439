# collateral: what backs a currency becomes that currency.
#
# Owns: the conversion by the house, and what covers a wallet below zero that no position stands for.
# Never: lets the fund pay while the owner still has something, held by orders or not.
# Invariant: a conversion leaves equity as it was.
# Cost: O(positions of the account) each.

from libc.stdint cimport uint32_t
from solvent._core.account.ledger cimport Collateral
from solvent._core.trade.lifecycle cimport State

cdef bint convert(State* s, uint32_t account, Collateral* each) noexcept nogil
cdef bint cover_wallet(State* s, uint32_t account, uint32_t currency) noexcept nogil
