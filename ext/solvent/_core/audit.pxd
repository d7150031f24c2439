# audit: the in-engine recomputation of every invariant, for check().
#
# Owns: nothing. Never: writes. Cost: O(state); for tests, users and halts, not for the path of a command.

from solvent._core.trade.state cimport State

cdef object broken(State* s)
