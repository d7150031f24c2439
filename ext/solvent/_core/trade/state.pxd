# state: the whole exchange as one struct, and what is on its way through it: tickets, fills, receipts.
#
# Owns: the forms. Who writes what of them: docs/architecture.md.
# Never: does anything.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from solvent._core.market.order_pool cimport Arena, Order, Terms
from solvent._core.market.book cimport Book
from solvent._core.market.client_ids cimport ClientIds
from solvent._core.account.fees cimport Fees
from solvent._core.account.ledger cimport Effect, FillTerms, Ledger, Position, Wallet, parcel_find
from solvent._core.account.margin cimport Rules
from solvent._core.contract.price_model cimport Prices
from solvent._core.base.schema cimport HOUSE_ORDER
from solvent._core.base.event_log cimport EventLog
from solvent._core.market.expiries cimport Timers
from solvent._core.market.triggers cimport Due, Triggers
from solvent._core.contract.valuation cimport Instrument

cdef struct KeptRow:            # of a position and its owner's wallet, before a dry run
    int32_t position
    Position row
    Wallet wallet

cdef struct KeptOrder:
    int32_t slot
    int64_t remaining_lots

cdef struct Rehearsal:         # what a dry run has to put back
    uint64_t run               # its stamp
    bint ended                 # the taker did
    KeptRow* rows
    int32_t row_count
    int32_t row_capacity
    KeptOrder* orders
    int32_t order_count
    int32_t order_capacity

cdef struct FillSide:              # one side of a fill: what it makes of a position
    FillTerms terms
    Effect effect
    bint safe                  # nobody need look at its owner again

cdef struct Deal:              # a fill that both sides bear
    int64_t value_units        # one integer for both
    FillSide maker
    FillSide taker
    bint taker_ends            # it bears no more than this
    uint8_t ending             # why

cdef struct State:
    EventLog log
    Ledger ledger
    Arena arena
    Book* books
    Triggers* triggers         # by instrument
    Prices* prices             # by instrument
    int32_t books_capacity
    int32_t triggers_capacity
    int32_t prices_capacity
    bint modelled              # whether any instrument has a price model
    Due due
    Timers timers
    ClientIds clients
    Rules rules
    Fees fees
    int64_t clock_ns
    uint64_t order_count       # order numbers given so far
    Rehearsal rehearsal
    bint may_cost_others       # the command, or the clock, starts what the fund or winners pay (SAFE-1)
    bint bare                  # a Book alone: one instrument, accounts are mere numbers, no money

cdef struct Receipt:           # what a command is answered with; rows of a batch's answer
    uint64_t order_id
    int64_t filled_lots
    int64_t resting_lots
    int64_t code

cdef struct Ticket:            # an order on its way through the book
    uint64_t order_id
    uint64_t client_id
    int64_t price_ticks        # where its rest would rest
    int64_t limit_ticks        # how far it may trade
    int64_t size_lots
    int64_t remaining_lots
    int64_t open_loss_ticks
    int64_t closing_ticks
    int64_t stp_group
    Terms* terms               # NULL unless the order is an extended one
    Book* book                 # of its instrument
    Instrument* ins
    int32_t slot
    int32_t holder             # position index; a parcel's id for the house; -1 in a Book alone
    uint32_t account
    uint32_t instrument
    uint8_t side
    uint8_t tif
    uint8_t flags
    uint8_t ending             # why what does not trade ends, or 0: it rests
    uint8_t stp_mode
    bint turns                 # its position, which must be closed within closing_ticks first
    bint closes                # against its position: its limit counts on that, so it meets no order of its account
    uint16_t fee_reason        # TAKER_FEE, or LIQUIDATION_FEE for a step-down


cdef inline bint has_owner(Order* order) noexcept nogil:
    """Whether a position stands behind an order; none does in a Book alone, and the house has parcels."""
    return order.holder >= 0 and not order.flags & HOUSE_ORDER


cdef inline uint32_t order_instrument(State* s, int32_t slot) noexcept nogil:
    cdef Order* order = &s.arena.orders[slot]
    if order.flags & HOUSE_ORDER:
        return s.ledger.parcels[parcel_find(&s.ledger, order.holder)].instrument
    return s.ledger.positions[order.holder].instrument if order.holder >= 0 else 0
