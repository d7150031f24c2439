# residual: covers a wallet below zero that no position can cover (semantics §6).
#
# Owns: the order of payers: collateral, collateral held by orders, the fund, the deficit.
# Never: lets the fund pay while the owner still has collateral, held by orders or not.
# Cost: O(positions of the account).

from solvent._core.liquidation.case cimport Case
from solvent._core.trade.state cimport State

cdef int residual(State* s, Case* c) noexcept nogil
