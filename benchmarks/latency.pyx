"""Nanoseconds of each command inside the core: no Python between two commands, one reading of the clock in each figure.

Included: all of Kernel._apply, that is checks, matching, events written, the receipt. Not included: crossing from
Python, and between batches the dropping of events that nobody waits for.
"""

from libc.stdint cimport int64_t
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec
from solvent._core.kernel cimport Kernel
from solvent._core.reader cimport IDLE
from solvent._core.base.commands cimport Request
from solvent._core.trade.state cimport Receipt


cdef inline int64_t now() noexcept nogil:
    cdef timespec t
    clock_gettime(CLOCK_MONOTONIC, &t)
    return t.tv_sec * 1000000000 + t.tv_nsec


def stamp(Kernel kernel, const unsigned char[::1] records not None, int64_t[::1] ns not None, Py_ssize_t batch):
    """Plays one-record commands; ns[i] becomes what command i took."""
    cdef const Request* commands = <const Request*>&records[0]
    cdef Py_ssize_t i = 0
    cdef Py_ssize_t end
    cdef int64_t last, at
    cdef Receipt receipt
    while i < ns.shape[0]:
        end = min(i + batch, ns.shape[0])
        kernel._enter(end - i)
        with nogil:
            last = now()
            while i < end:
                kernel._apply(&commands[i], &receipt)
                at = now()
                ns[i] = at - last
                last = at
                i += 1
        kernel.busy = IDLE
