# ranking: who is deleveraged next, without a sort of everybody (semantics §5).
#
# Owns: for each side of an instrument that loses holders to ADL, the order of its holders while the touched accounts of a
# command are worked off. Each is in the heap of those whom nobody has asked for, or in the tree of those who were.
# Never: decides who bears a loss. An entry only says where to look: rank and reach are computed again from the rows before
# anybody is named. Part of no image and no digest.
# Invariants: after a reading each holder of a made side has an entry with its rank and reach as they are. An entry that is not
# so any more belongs to a holder of which a note told. A holder who bears a price has at least its reach.
# Cost: O(holders) to make a side, O(log n) for the next one, O(positions of those who changed) to read. Nobody is passed over
# twice in vain: who cannot bear a price waits in the tree, which knows how far each of its branches reaches.

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from solvent._core.account.ledger cimport Ledger
from solvent._core.account.margin cimport Rules

cdef struct Winner:
    int64_t rank
    uint32_t account
    int32_t position

cdef struct Node:              # a winner in the tree
    Winner winner
    int64_t reach              # the dearest price that it may bear
    int64_t farthest           # the largest reach of its branch
    uint64_t turn              # no child has a larger one
    int32_t left               # better ranks
    int32_t right

cdef struct Ranking:           # of a side of an instrument
    uint32_t instrument
    bint longs                 # its holders are long
    Winner* heap
    int32_t heap_count
    int32_t heap_capacity
    Node* nodes
    int32_t root
    int32_t node_count
    int32_t node_capacity
    int64_t read               # rows that notes told of
    int64_t outdated           # entries that were found not to be so any more
    Ranking* next

cdef struct Offer:             # the price at which a parcel closes: its cost for its size
    int64_t cost_units
    int64_t lots
    int64_t least              # what a holder must reach
    int32_t after              # the node of the last holder that reaches it and does not bear it; -1: none

cdef struct Rankings:
    Ranking* first
    int32_t seen               # notes read so far
    uint64_t lost              # notes that had no room, at the last reading

cdef void rankings_close(Rankings* rankings) noexcept nogil
cdef Ranking* ranking_of(Rankings* rankings, Ledger* l, Rules* rules, uint32_t instrument, bint longs) noexcept nogil
cdef Offer offer_of(Ledger* l, int64_t cost_units, int64_t lots) noexcept nogil
cdef bint ranking_next(Ranking* ranking, Ledger* l, Rules* rules, Offer* offer, bint sound, Winner* found) noexcept nogil
cdef int32_t ranked(Ledger* l, Rules* rules, uint32_t instrument, bint longs, Offer* offer, bint sound, Winner* found) noexcept nogil
