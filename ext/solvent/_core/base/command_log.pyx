"""The log of commands; the contract is in command_log.pxd."""

from libc.stdint cimport int64_t
from libc.string cimport memmove
from solvent._core.base.pool cimport grown, released
from solvent._core.base.schema cimport RECORD_BYTES, Command

cdef enum:
    FIRST_CAPACITY = 1_024


cdef bint commands_room(CommandLog* log, int64_t more) noexcept nogil:
    """Makes room for more records. Returns False, with the log unchanged, when memory is gone."""
    cdef int64_t capacity = log.capacity if log.capacity else FIRST_CAPACITY
    if log.count + more <= log.capacity:
        return True
    while capacity < log.count + more:
        capacity *= 2
    if not grown(<void**>&log.records, capacity, sizeof(Command)):
        return False
    log.capacity = capacity
    return True


cdef void commands_forget(CommandLog* log, int64_t until) noexcept nogil:
    """Forgets the records before number `until`."""
    cdef int64_t n = until - log.first
    if n <= 0:
        return
    if n < log.count:
        memmove(log.records, &log.records[n], <size_t>((log.count - n) * RECORD_BYTES))
    else:
        n = log.count
    log.count -= n
    log.first += n


cdef void commands_close(CommandLog* log) noexcept nogil:
    released(log.records)
