# marks: prices and time: MARK, INDEX, SET_LAST and SOURCE, samples, settlements of funding.
#
# Owns: the marks and indices of all instruments, and the order of the events of passing time.
# Never: computes a price (price_model does) or moves money (funding does). Only this room moves a mark.
# Invariants: instants are in the order of time, then of instruments. The books do not change between two commands, except
# through settlements.
# Cost: nothing for instruments without a model; with one, a mark when time advances or the index changes.

from libc.stdint cimport int64_t
from solvent._core.trade.state cimport Receipt, State
from solvent._core.base.commands cimport SettleFunding, TellIndex, TellLast, TellMark, TellSource

cdef int mark(State* s, const TellMark* c) noexcept nogil
cdef int index(State* s, const TellIndex* c) noexcept nogil
cdef int last(State* s, const TellLast* c) noexcept nogil
cdef int source(State* s, const TellSource* c) noexcept nogil
cdef int fund(State* s, const SettleFunding* c) noexcept nogil
cdef void pass_to(State* s, int64_t now_ns) noexcept nogil
cdef void resolve_all(State* s) noexcept nogil
cdef void fire_all(State* s, Receipt* receipt) noexcept nogil
