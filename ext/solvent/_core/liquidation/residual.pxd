# residual: what no position stands for (semantics §6). A wallet below zero is covered.
#
# Owns: the order in which it is covered: collateral, what orders hold of it, the fund, the deficit.
# Never: lets the fund pay while the owner still has something, held by orders or not.
# Cost: O(positions of the account).

from solvent._core.liquidation.case cimport Case
from solvent._core.trade.state cimport State

cdef int residual(State* s, Case* c) noexcept nogil
