# trading: where a fill meets money. The path of one order through the book.
#
# Owns: the state of the whole exchange as one struct, the client-id window, and the life of an order from
# acceptance to its final event.
# Never: decides whether an order is allowed (entry does) or whether an account is safe (liquidation does).
# Invariants: an ACCEPTED order ends in exactly one DONE; a maker is settled, and what its fill makes of its
# reduce-only orders is done, before the next maker trades.
# Cost: O(1) a fill, plus the owner's own resting orders where reduce-only ones must be cut.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from solvent._core.arena cimport Arena
from solvent._core.book cimport Book
from solvent._core.clientids cimport ClientIds
from solvent._core.ledger cimport Ledger, OpenSide
from solvent._core.margin cimport Rules
from solvent._core.records cimport Command, EventLog

cdef struct State:
    EventLog log
    Ledger ledger
    Arena arena
    Book* books
    ClientIds clients
    Rules rules
    int64_t clock_ns
    uint64_t order_count       # order numbers given so far
    uint64_t dry_run           # stamp of the last dry run
    bint bare                  # a Book alone: one instrument, accounts are mere numbers, no money

cdef struct Ticket:            # an order on its way through the book
    uint64_t order_id
    uint64_t client_id
    int64_t price_ticks        # where its rest would rest
    int64_t limit_ticks        # how far it may trade
    int64_t size_lots
    int64_t remaining_lots
    int64_t open_loss_ticks
    int32_t slot
    int32_t holder             # position index; a parcel's id for the house; -1 in a Book alone
    uint32_t account
    uint32_t instrument
    uint8_t side
    uint8_t tif
    uint8_t flags
    uint8_t ending             # why what does not trade ends, or 0: it rests
    uint16_t fee_reason        # TAKER_FEE, or LIQUIDATION_FEE for a step-down

cdef void ticket_of_command(const Command* c, int64_t price_ticks, Ticket* t) noexcept nogil
cdef void ticket_of_order(State* s, int32_t slot, int64_t remaining_lots, int64_t price_ticks, Ticket* t) noexcept nogil
cdef uint64_t accept(State* s, Ticket* t) noexcept nogil
cdef void reenter(State* s, Ticket* t) noexcept nogil
cdef void execute(State* s, Ticket* t) noexcept nogil
cdef void conclude(State* s, Ticket* t) noexcept nogil
cdef void cancel(State* s, int32_t slot, uint16_t reason) noexcept nogil
cdef void cancel_all(State* s, int32_t position, uint16_t reason) noexcept nogil
cdef void cut_reduce_only(State* s, int32_t position) noexcept nogil
cdef void unlist(State* s, int32_t slot) noexcept nogil
cdef void shrink(State* s, int32_t slot, int64_t lots, uint16_t reason) noexcept nogil
cdef void refresh_hold(State* s, int32_t position) noexcept nogil
cdef int64_t dry_run(State* s, Ticket* t, int64_t* reached_ticks) noexcept nogil
cdef void order_exposure(State* s, int32_t slot, OpenSide* exposure) noexcept nogil
cdef uint32_t order_instrument(State* s, int32_t slot) noexcept nogil
