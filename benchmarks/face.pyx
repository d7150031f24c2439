"""One message at a time through the C face, its events read: what `benchmarks/c_face.py` times."""

from libc.stdint cimport int64_t, uint64_t
from posix.time cimport CLOCK_THREAD_CPUTIME_ID, clock_gettime, timespec
from solvent.native cimport (
    SOLVENT_DONE, SOLVENT_TRADE, solvent_answer, solvent_apply, solvent_begin, solvent_command, solvent_end, solvent_event,
    solvent_exchange, solvent_import,
)

solvent_import()


cdef inline int64_t now() noexcept nogil:
    cdef timespec t
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t)
    return t.tv_sec * 1000000000 + t.tv_nsec


def play(book, const unsigned char[::1] records not None):
    """Applies commands of one record each. Returns the nanoseconds of all of them, and a sum over all that their events say."""
    cdef const solvent_command* at = <const solvent_command*>&records[0]
    cdef const solvent_command* end = at + records.shape[0] // 64
    cdef solvent_exchange* exchange = solvent_begin(book)
    cdef solvent_answer answer
    cdef const solvent_event* event
    cdef uint64_t total = 0
    cdef int64_t begun, i
    with nogil:
        begun = now()
        while at < end:
            total = total * 31 + <uint64_t>solvent_apply(exchange, at, 1, &answer)
            i = 0
            while i < answer.event_records:
                event = &answer.events[i]
                i += event.records
                if event.type == SOLVENT_TRADE or event.type == SOLVENT_DONE:
                    total = total * 31 + <uint64_t>event.c + <uint64_t>event.d
            at += 1
        begun = now() - begun
    solvent_end(exchange)
    return begun, total
