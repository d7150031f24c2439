# recorder: what a journal asks of a kernel: the commands that it applied, and where a buffer of commands may be cut.
#
# Owns: the log of commands as Python sees it.
# Never: writes the state, or the log while a command runs.
# Cost: taking commands copies them once.

from libc.stdint cimport int64_t
from solvent._core.base.command_log cimport CommandLog
from solvent._core.base.commands cimport Batch
from solvent._core.base.schema cimport BATCH, Command
from solvent._core.roster cimport Roster

cdef enum:
    # rendered: limits
    BATCH_RECORDS_MAX = 1536
    # rendered: end


cdef inline int64_t batch_records(const Command* at, int64_t left) noexcept nogil:
    """Returns how many records a batch has, its head and those behind it; 0 if it is none, or has not that many."""
    cdef int64_t behind = (<const Batch*>at).behind
    if left < 1 or at.records != 0 or at.type != BATCH or behind < 0 or behind > BATCH_RECORDS_MAX or behind >= left:
        return 0
    return 1 + behind


cdef class Recorder(Roster):
    cdef CommandLog commands

    cdef Py_ssize_t _whole(self, const Command* commands, Py_ssize_t total) except -1
