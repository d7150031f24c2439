# native: the C face: functions of solvent.h for code that drives an exchange without the GIL.
#
# Owns: the table of these functions, in a capsule.
# Never: makes a Python object within `apply`, waits for a disk, or runs a handler of a signal.
# Invariants: from `begin` to `end` the exchange is C's, and its Python calls raise Busy. A misuse that can be seen is an answer
# below zero and changes nothing.
# Cost: one call by pointer a command; its events lie where the log has them.

from libc.stdint cimport int64_t, uint64_t
from solvent._core.base.schema cimport Event
from solvent._core.trade.state cimport Receipt

cdef enum:
    # rendered: answers
    NOT_BEGUN = -1
    HALTED = -2
    BY_PYTHON = -3
    # rendered: end

cdef struct Told:                  # solvent_answer
    Receipt receipt
    const Event* events
    int64_t event_records

cdef struct Functions:             # solvent_functions
    uint64_t layout
    uint64_t version
    void* begin
    void* end
    void* apply
    void* time_ns
