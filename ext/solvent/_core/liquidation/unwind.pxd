# unwind: the house sells a parcel through the book (semantics §5), at its bankruptcy price or at the fund's expense.
#
# Owns: the orders of the house.
# Never: moves the mark. Only a price, funding, a settlement or the clock makes the fund pay (SAFE-1).
# Cost: O(fills of its orders).

from solvent._core.liquidation.case cimport Case
from solvent._core.trade.state cimport State

cdef int unwind(State* s, Case* c) noexcept nogil
