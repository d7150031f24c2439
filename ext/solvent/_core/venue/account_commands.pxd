# account_commands: deposits, withdrawals, leverage, position modes and margin moves.
#
# Owns: the checks of these commands, complete before the first write, and their writes.
# Never: trades or liquidates; it touches accounts, and the pipeline tests them.
# Cost: O(positions of the account).

from solvent._core.trade.state cimport State
from solvent._core.base.commands cimport Deposit, MoveMargin, SeedFund, SetLeverage, SetPositionMode, Transfer, Withdraw

cdef int deposit(State* s, const Deposit* c) noexcept nogil
cdef int transfer(State* s, const Transfer* c) noexcept nogil
cdef int seed_fund(State* s, const SeedFund* c) noexcept nogil
cdef int withdraw(State* s, const Withdraw* c) noexcept nogil
cdef int set_leverage(State* s, const SetLeverage* c) noexcept nogil
cdef int set_position_mode(State* s, const SetPositionMode* c) noexcept nogil
cdef int move_margin(State* s, const MoveMargin* c) noexcept nogil
