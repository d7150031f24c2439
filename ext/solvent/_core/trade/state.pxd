# state: the whole exchange as one struct, and the records on their way through it: tickets, fills, receipts.
#
# Owns: the forms. docs/explanation/architecture.md lists their writers.
# Never: does anything.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from solvent._core.market.order_pool cimport OrderPool, Order, ExtendedTerms
from solvent._core.market.book cimport Book
from solvent._core.market.client_ids cimport ClientIds
from solvent._core.account.fees cimport Fees
from solvent._core.account.ledger cimport Effect, Fill, Ledger, OpenSide, Position, Wallet
from solvent._core.account.parcels cimport parcel_find
from solvent._core.account.guard cimport Guards
from solvent._core.account.margin cimport Rules
from solvent._core.account.ranking cimport Rankings
from solvent._core.contract.price_model cimport Prices
from solvent._core.base.money cimport int128
from solvent._core.base.schema cimport HOUSE_ORDER
from solvent._core.base.event_log cimport EventLog
from solvent._core.market.brackets cimport Brackets
from solvent._core.market.expiries cimport Expiries
from solvent._core.market.triggers cimport Due, Triggers
from solvent._core.contract.valuation cimport Instrument

cdef struct KeptRow:            # a position and its owner's wallet before a dry run
    int32_t position
    Position row
    Wallet wallet

cdef struct KeptOrder:
    int32_t slot
    int64_t remaining_lots
    int64_t hidden_lots

cdef struct Preview:         # the copies that a dry run puts back
    uint64_t run               # stamp of the dry run
    bint ended                 # the taker has ended
    int64_t fee_units          # of the taker
    int128 value               # lots that it took, times their prices in ticks
    KeptRow* rows
    int32_t row_count
    int32_t row_capacity
    KeptOrder* orders
    int32_t order_count
    int32_t order_capacity

cdef struct FillSide:              # one side of a fill: its effect on a position
    Fill terms
    Effect effect
    bint safe                  # its owner needs no test

cdef struct Deal:              # a fill that both sides bear
    int64_t value_units        # one integer for both
    FillSide maker
    FillSide taker
    bint taker_ends            # the taker bears no more lots
    uint8_t ending             # reason of that end

cdef struct State:
    EventLog log
    Ledger ledger
    OrderPool pool
    Book* books
    Triggers* triggers         # by instrument
    Prices* prices             # by instrument
    int32_t books_capacity
    int32_t triggers_capacity
    int32_t prices_capacity
    bint modelled              # True if any instrument has a price model
    Due due
    Expiries expiries
    Brackets brackets
    ClientIds client_ids
    Rules rules
    Guards guards              # derived: a copy begins without them
    Rankings rankings          # derived: of the accounts that are worked off now
    Fees fees
    int64_t clock_ns
    uint64_t order_count       # order numbers given so far
    Preview preview
    int32_t calls              # instruments whose orders gather in a call
    bint may_cost_others       # the command, or the clock, may spend the fund or deleverage winners (SAFE-1)
    bint looks                 # some order watches the best prices of a book, or did; in a Book alone: or has had a shape
    bint bare                  # a Book alone: one instrument, accounts are mere numbers, no money

cdef struct Receipt:           # the answer to a command; a row of a batch's answer
    uint64_t order_id
    int64_t filled_lots
    int64_t resting_lots
    int64_t code

cdef enum Way:                 # of an order through the book
    MEETS = 0
    WAITS = 1                  # it comes to rest without a trade: in a call, or as it trades whole or not at all
    BEYOND = 2                 # priced beyond the band, it may interrupt trading

cdef struct Ticket:            # an order on its way through the book
    uint64_t order_id
    uint64_t client_id
    int64_t price_ticks        # the price at which its rest would rest
    int64_t limit_ticks        # how far it may trade
    int64_t size_lots
    int64_t remaining_lots
    int64_t open_loss_ticks
    int64_t closing_ticks
    int64_t stp_group
    int64_t reached_ticks      # its last fill's price; 0: none
    OpenSide tested            # sums of its side with it, whose hold its checks have found; lots 0: unknown
    int64_t tested_hold
    ExtendedTerms* terms               # NULL unless the order is an extended one
    const char* text           # of a new order's client id; read only where there are terms
    Book* book                 # of its instrument
    Instrument* ins
    int32_t slot
    int32_t holder             # position index; a parcel's id for the house; -1 in a Book alone
    uint32_t account
    uint32_t instrument
    uint8_t side
    uint8_t tif
    uint8_t flags
    uint8_t ending             # reason why the untraded rest ends; 0: it rests
    uint8_t stp_mode
    bint turns                 # it turns its position, which must first be closed within closing_ticks
    bint closes                # it closes: its limit relies on that, so it never trades with its own account
    uint8_t way                # Way
    int64_t edge_ticks         # of the band, where it is priced BEYOND
    int64_t beyond_ticks       # its own price then
    uint16_t fee_reason        # TAKER_FEE, or LIQUIDATION_FEE for a step-down


cdef inline bint has_owner(Order* order) noexcept nogil:
    """True if a position owns an order; a Book alone has no owners, and the house has parcels."""
    return order.holder >= 0 and not order.flags & HOUSE_ORDER


cdef inline uint32_t order_instrument(State* s, int32_t slot) noexcept nogil:
    cdef Order* order = &s.pool.orders[slot]
    if order.flags & HOUSE_ORDER:
        return s.ledger.parcels[parcel_find(&s.ledger, order.holder)].instrument
    return s.ledger.positions[order.holder].instrument if order.holder >= 0 else 0
