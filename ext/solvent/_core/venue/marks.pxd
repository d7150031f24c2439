# marks: what sets prices and what time does to them: MARK, INDEX and SOURCE, samples, settlements of funding.
#
# Owns: the marks and indices of all instruments, and the order in which the passing of time is worked off.
# Never: computes a price itself (prices) or moves money itself (funding). A mark moves only here.
# Invariants: instants in the order of time, then of instruments; the books stand still between two commands, but for what
# settlements do.
# Cost: nothing for instruments without a model; with one a mark when time advances or the index is told something.

from libc.stdint cimport int64_t
from solvent._core.trade.state cimport State
from solvent._core.base.commands cimport SettleFunding, TellIndex, TellMark, TellSource

cdef int mark(State* s, const TellMark* c) noexcept nogil
cdef int index(State* s, const TellIndex* c) noexcept nogil
cdef int source(State* s, const TellSource* c) noexcept nogil
cdef int fund(State* s, const SettleFunding* c) noexcept nogil
cdef void pass_to(State* s, int64_t now_ns) noexcept nogil
cdef void settle_all(State* s) noexcept nogil
