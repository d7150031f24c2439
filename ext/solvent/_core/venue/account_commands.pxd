# account_commands: deposits, withdrawals, leverage, position modes and margin moves.
#
# Owns: the checks of these commands, complete before the first write, and what they write.
# Never: trades or liquidates; it touches accounts, and settle looks at them.
# Cost: O(positions of the account).

from solvent._core.base.records cimport Command
from solvent._core.trade.state cimport State

cdef int deposit(State* s, const Command* c) noexcept nogil
cdef int transfer(State* s, const Command* c) noexcept nogil
cdef int withdraw(State* s, const Command* c) noexcept nogil
cdef int set_leverage(State* s, const Command* c) noexcept nogil
cdef int set_position_mode(State* s, const Command* c) noexcept nogil
cdef int move_margin(State* s, const Command* c) noexcept nogil
