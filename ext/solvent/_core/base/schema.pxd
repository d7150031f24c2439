# schema: the numbers of every word, and the layouts of the records of 64 bytes.
#
# Rendered from solvent.schema by `python -m solvent.schema.header --write`; never edited by hand.
# Owns: what solvent.schema says, for the compiled core. Never: interprets a record.
# Invariant: the layouts equal solvent.records (compared when the kernel is loaded).

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    RECORD_BYTES = 64
    NAME_BYTES = 64
    CLIENT_TEXT_MAX = 36
    CONTINUED = 0xffff
    NO_INSTRUMENT = 0xffffffff
    NOBODY = 0xffffffff
    SOURCES = 5

cdef struct Command:
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

cdef struct Extension:
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

cdef struct Shape:
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

cdef struct BracketTerms:
    int64_t target_ticks
    int64_t target_trigger_ticks
    int64_t stop_ticks
    int64_t stop_trigger_ticks
    int64_t unused_first
    int64_t unused_second
    int64_t unused_third
    uint8_t target_source
    uint8_t stop_source
    uint8_t arm
    uint8_t unused_byte
    uint32_t unused_int

cdef struct AcceptedTerms:
    uint16_t type
    uint8_t records
    uint8_t trigger_source
    uint8_t trigger_kind
    uint8_t trigger_flags
    uint8_t stp_mode
    uint8_t hedge_side
    int64_t trigger_ticks
    int64_t trail
    int64_t expiry_ns
    int64_t stp_group
    int64_t reference_ticks
    int64_t slippage_ppb
    int64_t spare_too

cdef enum AdlPrice:  # Decides at which price a parcel closes against its counterparties
    AT_BANKRUPTCY = 0
    AT_MARK = 1
    AT_PREVIOUS = 2
    AT_CAPPED = 3

cdef enum AdlRank:  # Decides who is deleveraged first. The formulas are in semantics §5
    BY_ROI_MR = 0
    BY_PNL_EFFLEV = 1
    BY_BINANCE = 2
    BY_PNL_LEVERAGE = 3
    BY_RETURN = 4
    BY_SIDED_RETURN = 5
    BY_ACCOUNT = 6
    BY_ENTRY = 7

cdef enum AdlShare:  # Decides how the lots of a parcel are shared among its counterparties
    IN_QUEUE = 0
    PRO_RATA = 1
    MINMAX = 2

cdef enum AdlTrigger:  # Decides until when the fund pays for a parcel without value in the book
    WHEN_EMPTY = 0
    AT_ONCE = 1
    BY_DRAWDOWN = 2

cdef enum Arm:  # Decides for how many lots the children of a bracket stand
    AS_FILLED = 0
    WHEN_COMPLETE = 1
    AT_FIRST_FILL = 2
    FOLLOWS = 3

cdef enum BandEffect:  # Decides what an order does that is priced beyond the band
    REFUSE_BEYOND = 0
    SLIDE_BEYOND = 1
    HALT_BEYOND = 2
    CALL_BEYOND = 3

cdef enum Basis:  # Decides what the tiers of an instrument measure
    CONTRACTS = 0
    NOTIONAL = 1
    ENTRY = 2
    NET = 3

cdef enum CallTie:  # Decides between prices of an uncross that trade as much and leave as little
    PRESSURE = 0
    NEAREST = 1
    MIDWAY = 2

cdef enum CommandType:  # Numbers the commands
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
    SET_LAST = 23
    TIMER = 24
    DISCONNECT = 25
    BATCH = 26
    SET_STATE = 29
    AMEND_TRIGGER = 28
    ATTACH = 30

cdef enum Component:  # Names a candidate of which the mark price is the median
    INDEX_PRICE = 1
    FAIR = 2
    BASIS_MEAN = 4
    BASIS_EMA = 8
    LAST = 16
    BOOK = 32
    EXTERNAL = 64
    BASIS_ANNUAL = 128

cdef enum Ending:  # Tells why an order ended or shrank (reason of DONE and REDUCED)
    FILLED = 1
    CANCELLED = 2
    AMENDED = 3
    UNFILLED = 4
    SELF_TRADE = 5
    REDUCE_ONLY_CUT = 6
    BANKRUPTCY_LIMIT = 7
    LIQUIDATED = 8
    DELEVERAGED = 9
    UNWOUND = 10
    UNCOVERED = 11
    EXPIRED = 12
    TRIGGER_REFUSED = 13
    MASS_CANCELLED = 14
    DELISTED = 15
    POSITION_CLOSED = 16
    TIMEOUT = 17
    DISCONNECTED = 18
    SIBLING_FIRED = 19
    BRACKET_DONE = 20
    PEG_REFUSED = 22
    NOT_IN_CALL = 23

cdef enum EventType:  # Numbers the events
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
    LAST_SET = 28
    CLIENT_ID_NAMED = 29
    TIMER_SET = 30
    TIMED_OUT = 31
    TAGGED = 32
    LINKED_TO = 33
    UNCROSSED = 39
    INDICATED = 40
    SHAPED = 35
    TRIGGER_MOVED = 36
    REFILLED = 37
    PARKED = 38

cdef enum Flag:  # Has a bit for each yes or no of an order
    POST_ONLY = 1
    REDUCE_ONLY = 2
    MARKET = 4
    HOUSE_ORDER = 8
    SHAPED_ORDER = 16
    LINKED = 32
    CLOSE_POSITION = 64
    SLIDE = 128

cdef enum Kind:  # Decides how a contract is valued
    LINEAR = 0
    INVERSE = 1
    QUANTO = 2

cdef enum Leg:  # Names a position of an instrument: the only one, or one side of a hedge
    ONE_WAY = 0
    LONG = 1
    SHORT = 2

cdef enum Listing:  # Tells the state of an instrument's market (schema.states has what each admits)
    TRADING = 0
    HALTED = 1
    CLOSED = 2
    PRE_OPEN = 3
    AUCTION = 4
    ONLY_POST = 5
    ONLY_CANCEL = 6

cdef enum Mode:  # Names the margin mode
    CROSS = 0
    ISOLATED = 1

cdef enum OrderRule:  # Decides how resting orders count in the ratio test of a cross domain
    IGNORED = 0
    BY_NOTIONAL = 1
    BY_FEE = 2

cdef enum OrderType:  # Names the types of orders for which an instrument bounds the size
    LIMIT_ORDER = 0
    MARKET_ORDER = 1
    TRIGGER_ORDER = 2

cdef enum ParcelChange:  # Tells how a parcel changed (reason of PARCEL)
    TAKEN = 1
    FILLED_BY_BOOK = 2
    FILLED_BY_FUND = 3
    CLOSED_BY_ADL = 4
    CLOSED_BY_OPPOSITE = 5
    CLOSED_BY_SETTLEMENT = 6

cdef enum Partial:  # Decides how many lots an order in its owner's name closes of a position below R_own
    BY_TIERS = 0
    BY_CURE = 1
    BY_FRACTION = 2

cdef enum Peg:  # Names what the price of an order keeps its distance from
    NO_PEG = 0
    PEG_BID = 1
    PEG_ASK = 2
    PEG_MID = 3
    PEG_MARK = 4
    PEG_TRIGGER = 5

cdef enum Posting:  # Tells why money moved (reason of LEDGER)
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
    SURPLUS_RETURNED = 22

cdef enum Premium:  # Decides which premium a funding rate is made of
    IMPACT = 0
    IMPACT_ON_MARK = 1
    MIDDLE = 2
    MARK_ALONE = 3

cdef enum:  # Numbers the accounts of the house (payer and receiver of LEDGER)
    OUTSIDE = 0
    CLEARING = 1
    FEES = 2
    FUND = 3
    DEFICIT = 4
    RESIDUE = 5
    HOUSE = 6
    CONVERTER = 7

cdef enum Role:  # Tells whether an order brings a bracket
    NO_BRACKET = 0
    BRINGS_BRACKET = 1

cdef enum Scheme:  # Decides how a tier's rate becomes a maintenance margin
    WHOLE = 0
    DEDUCTION = 1
    SLOPE = 2
    POWER = 3
    FACTOR = 4

cdef enum SelfTrade:  # Decides what becomes of two orders of one owner that meet; the taker's word counts
    CANCEL_MAKER = 0
    CANCEL_TAKER = 1
    CANCEL_BOTH = 2
    DECREMENT = 3
    ALLOW = 4

cdef enum ShapeFlag:  # Has a bit for each yes or no of an order's shape
    ALL_OR_NONE = 1
    TO_LIMIT = 2
    ONE_LEVEL = 4
    HIDDEN = 8
    INWARDS = 16

cdef enum:  # Numbers the sides of an order
    BUY = 0
    SELL = 1

cdef enum Source:  # Names the price that a trigger watches
    BY_MARK = 0
    BY_LAST = 1
    BY_INDEX = 2
    BY_BID = 3
    BY_ASK = 4

cdef enum SourceState:  # Tells how an index treats a constituent
    MISSING = 0
    LIVE_SOURCE = 1
    STALE = 2
    WILD = 3

cdef enum Surplus:  # Decides who gets what the book pays for a parcel beyond its cost
    TO_FUND = 0
    TO_TRADER = 1

cdef enum Tif:  # Numbers the times in force
    GTC = 0
    IOC = 1
    FOK = 2
    GTD = 3

cdef enum TriggerFlag:  # Has a bit for each yes or no of a trigger
    REFUSE_REACHED = 1

cdef enum TriggerKind:  # Names the condition that wakes a dormant order
    NO_TRIGGER = 0
    STOP = 1
    TAKE_PROFIT = 2
    TRAIL_TICKS = 3
    TRAIL_RATE = 4

cdef enum Verdict:  # Tells what the ratio test found (reason of LIQUIDATION)
    SAFE = 0
    PARTIAL = 1
    FULL = 2

cdef enum Weighting:  # Decides the weights of the premiums of a period
    EQUAL_WEIGHTS = 0
    LINEAR_WEIGHTS = 1
    INDEX_WEIGHTS = 2

cdef enum Code:  # Tells why a command was refused; OK is 0. 1xx envelope, 2xx names, 3xx fields, 4xx orders, 5xx money, 6xx margin
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
    BAD_TIMEOUT = 310
    BAD_TAG = 311
    BAD_BRACKET = 312
    BAD_SHAPE = 314
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
    SIZE_OUT_OF_BOUNDS = 410
    NOTIONAL_TOO_SMALL = 411
    TOO_MANY_OPEN_ORDERS = 412
    TOO_MANY_MESSAGES = 413
    TOO_MANY_TIMERS = 414
    CHILD_TOO_LARGE = 415
    BAD_BATCH = 430
    NOT_IN_A_BATCH = 431
    OTHER_THAN_BATCH = 432
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
    NOT_IN_THIS_STATE = 616
    BAD_STATE = 617
    CALL_FROZEN = 618
