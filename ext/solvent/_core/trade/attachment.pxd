# attachment: ATTACH, a target and a stop for a position, which cancel each other.
#
# Owns: the checks and the execution of this command.
# Never: opens a position, nor touches another account's.
# Cost: O(1), and O(positions of the account) where the instrument limits live orders.

from solvent._core.base.commands cimport AttachPair
from solvent._core.base.schema cimport BracketTerms
from solvent._core.trade.state cimport Receipt, State

cdef int attach(State* s, const AttachPair* c, const BracketTerms* h, Receipt* receipt) noexcept nogil
