# linked: brackets at work: a target and a stop that close what their entry has filled, or what their position holds.
#
# Owns: the checks and the acceptance of these children, their sizes, and the end of a bracket.
# Never: trades. A child that becomes due is placed like any fired order (placement).
# Invariant: brackets are settled when the books are at rest, so nothing ends in the middle of a fill but what its position
# ends. Children never close more than their entry has filled, nor than their position has.
# Cost: O(reduce-only orders of a position) a settlement.

from libc.stdint cimport int32_t, int64_t, uint64_t
from solvent._core.account.ledger cimport Position
from solvent._core.base.commands cimport PlaceOrder
from solvent._core.base.schema cimport BRINGS_BRACKET, BracketTerms, Extension
from solvent._core.contract.valuation cimport Instrument
from solvent._core.trade.state cimport State, Ticket

cdef int check_bracket(State* s, Instrument* ins, int side, const BracketTerms* h) noexcept nogil
cdef int check_entry(State* s, Instrument* ins, const PlaceOrder* c, const Extension* x, const BracketTerms* b) noexcept nogil
cdef bint has_place(Position* p, const BracketTerms* h) noexcept nogil
cdef bint has_memory(State* s, Ticket* t, const BracketTerms* h, int orders) noexcept nogil
cdef void accept_all(State* s, Ticket* t, const BracketTerms* b) noexcept nogil
cdef uint64_t bring(State* s, Ticket* t, const BracketTerms* h, int32_t place) noexcept nogil
cdef int64_t left_to_close(State* s, int32_t place) noexcept nogil
cdef int64_t size_of(State* s, int32_t slot) noexcept nogil
cdef bint release(State* s, int32_t slot) noexcept nogil
cdef void settle(State* s) noexcept nogil


cdef inline int count_of(const BracketTerms* h) noexcept nogil:
    """Returns the number of children that a record names."""
    return (h.target_ticks != 0 or h.target_trigger_ticks != 0) + (h.stop_trigger_ticks != 0)


cdef inline const BracketTerms* children_of(const PlaceOrder* c, const Extension* x, bint shaped) noexcept nogil:
    """Returns the record of an order's children; NULL: none."""
    if x == NULL or x.group_role != BRINGS_BRACKET or c.records < 3 + shaped:
        return NULL
    return <const BracketTerms*>(x + 1 + shaped)
