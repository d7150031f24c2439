# named: plain orders by name, with decimals, from what a caller gives to what the kernel takes without a step in Python.
#
# Owns: nothing.
# Never: refuses anything. A value that is not plain is left to the face, which knows every word, type and error.
# Invariant: the command is the one that the face would have made of the same values.
# Cost: a look at each argument, one at the name of the account, and the digits of two numbers.

from libc.stdint cimport int64_t

cdef bint exact_count(value, int64_t up, int64_t down, int64_t* count) except -1
