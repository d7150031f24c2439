# step_down: partial liquidation (semantics §3). The candidate sells itself back by tiers with an order of its owner.
#
# Owns: size and limit of that order; the stuck flag (a mark clears it).
# Never: sells beyond the bankruptcy price, or the limit of the rule set.
# Cost: O(fills of the order).

from solvent._core.liquidation.case cimport Case
from solvent._core.trade.state cimport State

cdef int step_down(State* s, Case* c) noexcept nogil
