# recorder: what a journal asks of a kernel: the commands that it applied, and where a buffer of commands may be cut.
#
# Owns: the log of commands as Python sees it.
# Never: writes the state, or the log while a command runs.
# Cost: taking commands copies them once.

from solvent._core.base.command_log cimport CommandLog
from solvent._core.base.schema cimport Command
from solvent._core.roster cimport Roster

cdef class Recorder(Roster):
    cdef CommandLog commands

    cdef Py_ssize_t _whole(self, const Command* commands, Py_ssize_t total) except -1
