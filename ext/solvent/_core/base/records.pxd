# records: the 64-byte commands and events, and the log that events are appended to.
#
# Owns: the layouts (worksheet: docs/records.md), the type, code and reason numbers, the event log.
# Never: interprets a record. Numbers are never reused; gaps are kept for the vocabulary still to come.
# Invariant: the layouts equal solvent.records (compared when the kernel is loaded).
# Cost: an event is one bump of a counter and the stores; growth doubles the block.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    RECORD_BYTES = 64
    NAME_BYTES = 64

cdef struct Command:
    uint16_t type
    uint8_t records        # how many consecutive 64-byte records this command takes
    uint8_t side
    uint32_t account
    uint32_t instrument    # or the currency, for money commands
    uint8_t tif
    uint8_t flags
    uint16_t mode
    int64_t time_ns
    int64_t price_ticks
    int64_t size_lots
    uint64_t client_id
    uint64_t order_id
    int64_t amount

cdef struct Extension:     # the second record of an ORDER
    int64_t trigger_ticks
    int64_t trail
    int64_t expiry_ns
    int64_t display_lots
    int64_t peg_offset_ticks
    int64_t slippage_ppb
    int64_t group_id
    uint8_t trigger_source
    uint8_t trigger_kind
    uint8_t peg
    uint8_t hedge_side
    uint8_t group_role
    uint8_t trigger_flags
    uint16_t spare

cdef struct AcceptedTerms: # the second record of ACCEPTED, of an order that has more terms than the header
    uint16_t type              # CONTINUED: no event's, so that nobody takes it for one
    uint8_t records            # 0
    uint8_t trigger_source
    uint8_t trigger_kind
    uint8_t trigger_flags
    uint8_t stp_mode
    uint8_t hedge_side
    int64_t trigger_ticks
    int64_t trail
    int64_t expiry_ns
    int64_t stp_group
    int64_t reference_ticks    # where a trailing order starts from
    int64_t slippage_ppb
    int64_t spare_too

cdef struct Event:
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

cdef enum CommandType:
    ADVANCE = 1
    OPEN_ACCOUNT = 2
    DEPOSIT = 3
    WITHDRAW = 4
    SEED_FUND = 5
    SET_LEVERAGE = 6
    MOVE_MARGIN = 7
    MARK = 8
    FUNDING = 9
    INDEX = 10
    SET_POSITION_MODE = 11
    TRANSFER = 12
    ADD_INSTRUMENT = 13
    HALT = 14
    SETTLE = 15
    ORDER = 16
    AMEND = 17
    CANCEL = 18
    MASS_CANCEL = 19
    SOURCE = 22

cdef enum:               # side; also an index
    BUY = 0
    SELL = 1

cdef enum Tif:
    GTC = 0
    IOC = 1
    FOK = 2
    GTD = 3

cdef enum Flag:
    POST_ONLY = 1
    REDUCE_ONLY = 2
    MARKET = 4
    HOUSE_ORDER = 8     # internal: never accepted from outside
    CLOSE_POSITION = 64
    SLIDE = 128         # post-only: moved behind the touch instead of refused

cdef enum SelfTrade:    # what becomes of two orders of one owner that meet; the taker's word counts
    CANCEL_MAKER = 0
    CANCEL_TAKER = 1
    CANCEL_BOTH = 2
    DECREMENT = 3
    ALLOW = 4

cdef enum Source:       # which price a trigger watches; also an index
    BY_MARK = 0
    BY_LAST = 1
    BY_INDEX = 2
    SOURCES = 3

cdef enum TriggerKind:
    NO_TRIGGER = 0
    STOP = 1
    TAKE_PROFIT = 2
    TRAIL_TICKS = 3
    TRAIL_RATE = 4

cdef enum TriggerFlag:
    REFUSE_REACHED = 1  # a trigger that is reached on arrival is refused instead of fired

cdef enum Kind:         # how a contract is valued
    LINEAR = 0
    INVERSE = 1
    QUANTO = 2

cdef enum Basis:        # what the tiers of an instrument measure
    CONTRACTS = 0
    NOTIONAL = 1        # value at mark
    ENTRY = 2           # value at entry
    NET = 3             # contracts of both legs of a hedge, netted

cdef enum Scheme:       # how a tier's rate becomes a requirement
    WHOLE = 0
    DEDUCTION = 1
    SLOPE = 2
    POWER = 3
    FACTOR = 4

cdef enum OrderRule:    # how resting orders count in the ratio test of a cross domain
    IGNORED = 0
    BY_NOTIONAL = 1
    BY_FEE = 2

cdef enum Component:    # what a mark is the median of
    INDEX_PRICE = 1
    FAIR = 2
    BASIS_MEAN = 4
    BASIS_EMA = 8
    LAST = 16
    BOOK = 32
    EXTERNAL = 64
    BASIS_ANNUAL = 128

cdef enum Premium:      # of what a funding rate is made
    IMPACT = 0
    IMPACT_ON_MARK = 1
    MIDDLE = 2
    MARK_ALONE = 3

cdef enum Weighting:    # of the premiums of a period
    EQUAL_WEIGHTS = 0
    LINEAR_WEIGHTS = 1
    INDEX_WEIGHTS = 2

cdef enum SourceState:  # what an index makes of a constituent
    MISSING = 0
    LIVE_SOURCE = 1
    STALE = 2
    WILD = 3

cdef enum Listing:      # what may be done in an instrument
    TRADING = 0
    HALTED = 1          # no new orders, no amendments
    CLOSED = 2          # settled for good

cdef enum Leg:          # which position of an instrument
    ONE_WAY = 0
    LONG = 1
    SHORT = 2

cdef enum Mode:
    CROSS = 0
    ISOLATED = 1

cdef enum EventType:
    BEGIN = 1
    ACCOUNT_OPENED = 2
    LEDGER = 3
    POSITION = 4
    MARKED = 5
    ACCEPTED = 6
    RESTED = 7
    TRADE = 8
    REDUCED = 9
    DONE = 10
    LIQUIDATION = 11
    STEP_DOWN = 12
    TAKEOVER = 13
    PARCEL = 14
    ADL = 15
    REPLACED = 16
    TRIGGERED = 17
    INDEXED = 18
    FUNDED = 19
    NETTED = 20
    SOURCE_CHANGED = 21
    RATED = 22
    INSTRUMENT_ADDED = 23
    LISTING_CHANGED = 24
    ACCRUED = 25
    FEE_CHANGED = 26
    PASSED = 27

cdef enum Code:
    OK = 0
    UNKNOWN_COMMAND = 100
    TIME_BACKWARDS = 101
    BAD_RECORD = 102
    NOT_SUPPORTED = 103
    UNKNOWN_ACCOUNT = 200
    UNKNOWN_INSTRUMENT = 201
    UNKNOWN_CURRENCY = 202
    ACCOUNT_EXISTS = 203
    BAD_NAME = 204
    TOO_MANY_ACCOUNTS = 205
    INSTRUMENT_EXISTS = 206
    BAD_INSTRUMENT = 207
    BAD_SIDE = 300
    BAD_SIZE = 301
    BAD_PRICE = 302
    BAD_TIF = 303
    BAD_FLAGS = 304
    BAD_CLIENT_ID = 305
    BAD_TRIGGER = 306
    BAD_EXPIRY = 307
    BAD_SELF_TRADE = 308
    BAD_SLIPPAGE = 309
    UNKNOWN_ORDER = 400
    DUPLICATE_CLIENT_ID = 401
    POST_ONLY_WOULD_TAKE = 402
    FOK_UNFILLED = 403
    REDUCE_ONLY_WOULD_OPEN = 404
    TOO_MANY_ORDERS = 405
    AMEND_NOTHING = 406
    AMEND_BELOW_FILLED = 407
    TRIGGER_REACHED = 408
    NO_REFERENCE = 409
    BAD_AMOUNT = 500
    INSUFFICIENT_BALANCE = 501
    WITHDRAWALS_CLOSED = 502
    MONEY_LIMIT = 503
    NOT_RELATED = 504
    NO_MARK = 600
    PRICE_BAND = 601
    INSUFFICIENT_MARGIN = 602
    LEVERAGE_ABOVE_TIER = 603
    POSITION_LIMIT = 604
    MODE_IN_USE = 605
    NO_ISOLATED_POSITION = 606
    BELOW_INITIAL_MARGIN = 607
    BAD_LEVERAGE = 608
    BAD_MODE = 609
    BAD_RATE = 610
    PERIOD_SETTLED = 611
    BAD_LEG = 612
    PRICE_IS_MODELLED = 613
    BAD_SOURCE = 614
    NOT_TRADING = 615

# Why a posting was made (LEDGER).
cdef enum Posting:
    DEPOSITED = 1
    WITHDRAWN = 2
    FUND_SEEDED = 3
    MAKER_FEE = 4
    TAKER_FEE = 5
    LIQUIDATION_FEE = 6
    REALISED = 7
    MARGIN_ASSIGNED = 8
    MARGIN_RELEASED = 9
    MARGIN_MOVED = 10
    TAKEN_OVER = 11
    PARCEL_GAIN = 12
    PARCEL_LOSS = 13
    DEFICIT_REPAID = 14
    SHORTFALL = 15
    ADL_TOP_UP = 16
    FUNDING_PAID = 17
    FUNDING_RECEIVED = 18
    TRANSFERRED = 19
    SETTLED = 20
    CONVERTED = 21

# Why an order ended or shrank (DONE, REDUCED).
cdef enum Ending:
    FILLED = 1
    CANCELLED = 2
    AMENDED = 3
    UNFILLED = 4            # the rest of an IOC or market order
    SELF_TRADE = 5
    REDUCE_ONLY_CUT = 6
    BANKRUPTCY_LIMIT = 7
    LIQUIDATED = 8
    DELEVERAGED = 9
    UNWOUND = 10            # the house takes its own order back
    UNCOVERED = 11          # its margin went into another of its owner's orders
    EXPIRED = 12
    TRIGGER_REFUSED = 13    # its trigger fired, and it was not allowed then; code says why
    MASS_CANCELLED = 14
    DELISTED = 15           # its instrument was settled
    POSITION_CLOSED = 16    # a dormant close-position order, and what it was to close is gone

# How a parcel changed (PARCEL).
cdef enum ParcelChange:
    TAKEN = 1
    FILLED_BY_BOOK = 2
    FILLED_BY_FUND = 3
    CLOSED_BY_ADL = 4
    CLOSED_BY_OPPOSITE = 5
    CLOSED_BY_SETTLEMENT = 6

# What kind of requirement failed (LIQUIDATION).
cdef enum Verdict:
    SAFE = 0
    PARTIAL = 1
    FULL = 2

cdef enum:
    NO_INSTRUMENT = 0xFFFFFFFF

cdef enum:
    CONTINUED = 0xFFFF

cdef struct EventLog:
    Event* events           # points behind a small header that counts the views which pin the block
    uint64_t wanted         # bit by event type: which are written at all
    uint64_t first_seq      # seq of events[0]; dense over what is written
    int64_t count
    int64_t capacity
    int32_t fault           # 1: arithmetic left 64 bits, 2: out of memory, 3: an impossible state; the kernel halts
    Event spill             # where events go once memory is gone

cdef int log_open(EventLog* log, uint64_t wanted) noexcept nogil
cdef void log_drop(EventLog* log, int64_t n) noexcept nogil
cdef void block_pin(Event* events) noexcept nogil
cdef void block_unpin(Event* events) noexcept nogil
cdef void log_grow(EventLog* log) noexcept nogil


cdef inline Event* log_next(EventLog* log) noexcept nogil:
    """Room for one more record."""
    if log.count == log.capacity:
        log_grow(log)
        if log.count == log.capacity:
            return &log.spill
    log.count += 1
    return &log.events[log.count - 1]


cdef inline Event* say(EventLog* log, uint16_t type, uint8_t side, uint32_t account, uint32_t instrument, uint16_t code,
                       uint16_t reason, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e) noexcept nogil:
    """Appends an event; the parameters are the record's fields. NULL when nobody wants its type."""
    cdef Event* event
    if not (log.wanted >> type) & 1:
        return NULL
    event = log_next(log)
    event.type = type
    event.records = 1
    event.side = side
    event.account = account
    event.instrument = instrument
    event.code = code
    event.reason = reason
    event.seq = log.first_seq + <uint64_t>log.count - 1
    event.a = a
    event.b = b
    event.c = c
    event.d = d
    event.e = e
    return event
