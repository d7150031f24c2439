# collateral: what backs a currency becomes that currency.
#
# Owns: the conversion by the house.
# Never: leaves an account with another equity than before.
# Cost: O(positions of the account).

from libc.stdint cimport uint32_t
from solvent._core.account.ledger cimport Collateral
from solvent._core.trade.state cimport State

cdef bint convert(State* s, uint32_t account, Collateral* each) noexcept nogil
