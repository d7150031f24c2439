# command_log: the commands that a kernel applied, as they were applied, for whoever writes a journal.
#
# Owns: a block of command records, while it is switched on.
# Never: knows a command's meaning, or reads it. Never asks for memory within a command: room is made before.
# Invariants: the records are those of whole commands, in the order of their numbers, refused ones included.
# Cost: switched off, one branch a command; on, a copy of 64 bytes a record. Growth doubles the block.

from libc.stdint cimport int64_t
from libc.string cimport memcpy
from solvent._core.base.schema cimport RECORD_BYTES, Command

cdef struct CommandLog:
    Command* records
    int64_t first           # records that were taken away before records[0]
    int64_t count
    int64_t capacity
    bint on

cdef bint commands_room(CommandLog* log, int64_t more) noexcept nogil
cdef void commands_forget(CommandLog* log, int64_t until) noexcept nogil
cdef void commands_close(CommandLog* log) noexcept nogil


cdef inline void commands_append(CommandLog* log, const Command* command, int64_t records) noexcept nogil:
    """Appends all records of a command. Room for them was made before it began."""
    memcpy(&log.records[log.count], command, <size_t>records * <size_t>RECORD_BYTES)
    log.count += records
