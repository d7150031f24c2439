# native: the C face for Cython (docs/howto/c.md); the functions are those of solvent.h.
#
# Rendered from solvent.schema by `python -m solvent.schema.header --write`; never edited by hand.

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "solvent.h" nogil:
    cdef enum:
        SOLVENT_ADVANCE
        SOLVENT_OPEN_ACCOUNT
        SOLVENT_DEPOSIT
        SOLVENT_WITHDRAW
        SOLVENT_SEED_FUND
        SOLVENT_SET_LEVERAGE
        SOLVENT_MOVE_MARGIN
        SOLVENT_MARK
        SOLVENT_FUNDING
        SOLVENT_INDEX
        SOLVENT_SET_POSITION_MODE
        SOLVENT_TRANSFER
        SOLVENT_ADD_INSTRUMENT
        SOLVENT_HALT
        SOLVENT_SETTLE
        SOLVENT_ORDER
        SOLVENT_AMEND
        SOLVENT_CANCEL
        SOLVENT_MASS_CANCEL
        SOLVENT_SOURCE
        SOLVENT_SET_LAST
        SOLVENT_TIMER
        SOLVENT_DISCONNECT
        SOLVENT_BATCH
        SOLVENT_SET_STATE
        SOLVENT_AMEND_TRIGGER
        SOLVENT_ATTACH
        SOLVENT_BEGIN
        SOLVENT_ACCOUNT_OPENED
        SOLVENT_LEDGER
        SOLVENT_POSITION
        SOLVENT_MARKED
        SOLVENT_ACCEPTED
        SOLVENT_RESTED
        SOLVENT_TRADE
        SOLVENT_REDUCED
        SOLVENT_DONE
        SOLVENT_LIQUIDATION
        SOLVENT_STEP_DOWN
        SOLVENT_TAKEOVER
        SOLVENT_PARCEL
        SOLVENT_ADL
        SOLVENT_REPLACED
        SOLVENT_TRIGGERED
        SOLVENT_INDEXED
        SOLVENT_FUNDED
        SOLVENT_NETTED
        SOLVENT_SOURCE_CHANGED
        SOLVENT_RATED
        SOLVENT_INSTRUMENT_ADDED
        SOLVENT_LISTING_CHANGED
        SOLVENT_ACCRUED
        SOLVENT_FEE_CHANGED
        SOLVENT_PASSED
        SOLVENT_LAST_SET
        SOLVENT_CLIENT_ID_NAMED
        SOLVENT_TIMER_SET
        SOLVENT_TIMED_OUT
        SOLVENT_TAGGED
        SOLVENT_LINKED_TO
        SOLVENT_UNCROSSED
        SOLVENT_INDICATED
        SOLVENT_SHAPED
        SOLVENT_TRIGGER_MOVED
        SOLVENT_REFILLED
        SOLVENT_PARKED
        SOLVENT_BUY
        SOLVENT_SELL
        SOLVENT_GTC
        SOLVENT_IOC
        SOLVENT_FOK
        SOLVENT_GTD
        SOLVENT_POST_ONLY
        SOLVENT_REDUCE_ONLY
        SOLVENT_MARKET
        SOLVENT_HOUSE_ORDER
        SOLVENT_SHAPED_ORDER
        SOLVENT_LINKED
        SOLVENT_CLOSE_POSITION
        SOLVENT_SLIDE
        SOLVENT_FILLED
        SOLVENT_CANCELLED
        SOLVENT_AMENDED
        SOLVENT_UNFILLED
        SOLVENT_SELF_TRADE
        SOLVENT_REDUCE_ONLY_CUT
        SOLVENT_BANKRUPTCY_LIMIT
        SOLVENT_LIQUIDATED
        SOLVENT_DELEVERAGED
        SOLVENT_UNWOUND
        SOLVENT_UNCOVERED
        SOLVENT_EXPIRED
        SOLVENT_TRIGGER_REFUSED
        SOLVENT_MASS_CANCELLED
        SOLVENT_DELISTED
        SOLVENT_POSITION_CLOSED
        SOLVENT_TIMEOUT
        SOLVENT_DISCONNECTED
        SOLVENT_SIBLING_FIRED
        SOLVENT_BRACKET_DONE
        SOLVENT_PEG_REFUSED
        SOLVENT_NOT_IN_CALL
        SOLVENT_BY_MARK
        SOLVENT_BY_LAST
        SOLVENT_BY_INDEX
        SOLVENT_BY_BID
        SOLVENT_BY_ASK
        SOLVENT_NO_TRIGGER
        SOLVENT_STOP
        SOLVENT_TAKE_PROFIT
        SOLVENT_TRAIL_TICKS
        SOLVENT_TRAIL_RATE
        SOLVENT_CANCEL_MAKER
        SOLVENT_CANCEL_TAKER
        SOLVENT_CANCEL_BOTH
        SOLVENT_DECREMENT
        SOLVENT_ALLOW
        SOLVENT_OK
        SOLVENT_UNKNOWN_COMMAND
        SOLVENT_TIME_BACKWARDS
        SOLVENT_BAD_RECORD
        SOLVENT_NOT_SUPPORTED
        SOLVENT_UNKNOWN_ACCOUNT
        SOLVENT_UNKNOWN_INSTRUMENT
        SOLVENT_UNKNOWN_CURRENCY
        SOLVENT_ACCOUNT_EXISTS
        SOLVENT_BAD_NAME
        SOLVENT_TOO_MANY_ACCOUNTS
        SOLVENT_INSTRUMENT_EXISTS
        SOLVENT_BAD_INSTRUMENT
        SOLVENT_BAD_SIDE
        SOLVENT_BAD_SIZE
        SOLVENT_BAD_PRICE
        SOLVENT_BAD_TIF
        SOLVENT_BAD_FLAGS
        SOLVENT_BAD_CLIENT_ID
        SOLVENT_BAD_TRIGGER
        SOLVENT_BAD_EXPIRY
        SOLVENT_BAD_SELF_TRADE
        SOLVENT_BAD_SLIPPAGE
        SOLVENT_BAD_TIMEOUT
        SOLVENT_BAD_TAG
        SOLVENT_BAD_BRACKET
        SOLVENT_BAD_SHAPE
        SOLVENT_UNKNOWN_ORDER
        SOLVENT_DUPLICATE_CLIENT_ID
        SOLVENT_POST_ONLY_WOULD_TAKE
        SOLVENT_FOK_UNFILLED
        SOLVENT_REDUCE_ONLY_WOULD_OPEN
        SOLVENT_TOO_MANY_ORDERS
        SOLVENT_AMEND_NOTHING
        SOLVENT_AMEND_BELOW_FILLED
        SOLVENT_TRIGGER_REACHED
        SOLVENT_NO_REFERENCE
        SOLVENT_SIZE_OUT_OF_BOUNDS
        SOLVENT_NOTIONAL_TOO_SMALL
        SOLVENT_TOO_MANY_OPEN_ORDERS
        SOLVENT_TOO_MANY_MESSAGES
        SOLVENT_TOO_MANY_TIMERS
        SOLVENT_CHILD_TOO_LARGE
        SOLVENT_BAD_BATCH
        SOLVENT_NOT_IN_A_BATCH
        SOLVENT_OTHER_THAN_BATCH
        SOLVENT_BAD_AMOUNT
        SOLVENT_INSUFFICIENT_BALANCE
        SOLVENT_WITHDRAWALS_CLOSED
        SOLVENT_MONEY_LIMIT
        SOLVENT_NOT_RELATED
        SOLVENT_NO_MARK
        SOLVENT_PRICE_BAND
        SOLVENT_INSUFFICIENT_MARGIN
        SOLVENT_LEVERAGE_ABOVE_TIER
        SOLVENT_POSITION_LIMIT
        SOLVENT_MODE_IN_USE
        SOLVENT_NO_ISOLATED_POSITION
        SOLVENT_BELOW_INITIAL_MARGIN
        SOLVENT_BAD_LEVERAGE
        SOLVENT_BAD_MODE
        SOLVENT_BAD_RATE
        SOLVENT_PERIOD_SETTLED
        SOLVENT_BAD_LEG
        SOLVENT_PRICE_IS_MODELLED
        SOLVENT_BAD_SOURCE
        SOLVENT_NOT_TRADING
        SOLVENT_NOT_IN_THIS_STATE
        SOLVENT_BAD_STATE
        SOLVENT_CALL_FROZEN
        SOLVENT_NOT_BEGUN
        SOLVENT_HALTED
        SOLVENT_BY_PYTHON
    ctypedef struct solvent_command:
        uint16_t type
        uint8_t records
        uint8_t side
        uint32_t account
        uint32_t instrument
        uint8_t tif
        uint8_t flags
        uint16_t mode
        int64_t time_ns
        int64_t price_ticks
        int64_t size_lots
        uint64_t client_id
        uint64_t order_id
        int64_t amount
    ctypedef struct solvent_event:
        uint16_t type
        uint8_t records
        uint8_t side
        uint32_t account
        uint32_t instrument
        uint16_t code
        uint16_t reason
        uint64_t seq
        int64_t a
        int64_t b
        int64_t c
        int64_t d
        int64_t e
    ctypedef struct solvent_extension:
        int64_t trigger_ticks
        int64_t trail
        int64_t expiry_ns
        int64_t unused_lots
        int64_t unused_ticks
        int64_t slippage_ppb
        int64_t group_id
        uint8_t trigger_source
        uint8_t trigger_kind
        uint8_t unused_word
        uint8_t hedge_side
        uint8_t group_role
        uint8_t trigger_flags
        uint16_t tag
    ctypedef struct solvent_shape:
        int64_t display_lots
        int64_t display_most_lots
        int64_t step_ticks
        int64_t offset_ticks
        int64_t unused_first
        int64_t unused_second
        int64_t unused_third
        uint8_t peg
        uint8_t shape_flags
        uint16_t unused_short
        uint32_t unused_int
    ctypedef struct solvent_exchange:
        pass
    ctypedef struct solvent_answer:
        uint64_t order_id
        int64_t filled_lots
        int64_t resting_lots
        int64_t code
        const solvent_event* events
        int64_t event_records
    int solvent_apply(solvent_exchange* exchange, const void* command, int64_t records, solvent_answer* answer)
    int64_t solvent_time_ns(solvent_exchange* exchange)

cdef extern from "solvent.h":
    int solvent_import() except -1
    solvent_exchange* solvent_begin(object face) except NULL
    int solvent_end(solvent_exchange* exchange)
