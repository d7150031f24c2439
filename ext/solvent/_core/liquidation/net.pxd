# net: what both legs of a cross hedge have in common is closed at mark, before anything is sold (semantics §2).
#
# Owns: the netting of a hedge.
# Never: takes a fee, or changes equity by more than rounding.
# Cost: O(positions of the account).

from solvent._core.liquidation.case cimport Case
from solvent._core.trade.state cimport State

cdef int net(State* s, Case* c) noexcept nogil
