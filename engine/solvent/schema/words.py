"""The words of commands and events, each with its number on the wire.

Owns the numbers; a number is never reused. The compiled core's enums are rendered from these (schema/header.py). Imports
nothing of the package.
"""

from enum import IntEnum, IntFlag

__all__ = [
    "AdlPrice", "AdlRank", "AdlShare", "AdlTrigger", "Arm", "BandEffect", "Basis", "CallTie", "CommandType", "Component",
    "Ending", "EventType", "Flag", "Kind", "Leg", "Listing", "MarginOf", "Mode", "OrderRule", "OrderType", "ParcelChange",
    "Partial", "Peg", "Posting", "Premium", "Purse", "Role", "Scheme", "SelfTrade", "ShapeFlag", "Side", "Source",
    "SourceState", "Step", "Surplus", "Tif", "TriggerFlag", "TriggerKind", "Verdict", "Weighting",
]  # fmt: skip


class CommandType(IntEnum):
    """Numbers the commands."""

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


class EventType(IntEnum):
    """Numbers the events."""

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


class Side(IntEnum):
    """Numbers the sides of an order."""

    BUY = 0
    SELL = 1


class Tif(IntEnum):
    """Numbers the times in force."""

    GTC = 0
    IOC = 1
    FOK = 2
    GTD = 3


class Flag(IntFlag):
    """Has a bit for each yes or no of an order."""

    POST_ONLY = 1
    REDUCE_ONLY = 2
    MARKET = 4
    HOUSE_ORDER = 8
    SHAPED_ORDER = 16  # has a record of shape
    LINKED = 32  # the tag of the second record counts
    CLOSE_POSITION = 64
    SLIDE = 128


class SelfTrade(IntEnum):
    """Decides what becomes of two orders of one owner that meet; the taker's word counts."""

    CANCEL_MAKER = 0
    CANCEL_TAKER = 1
    CANCEL_BOTH = 2
    DECREMENT = 3
    ALLOW = 4


class Source(IntEnum):
    """Names the price that a trigger watches."""

    BY_MARK = 0
    BY_LAST = 1
    BY_INDEX = 2
    BY_BID = 3  # the best prices of the book, of what it shows
    BY_ASK = 4


class TriggerKind(IntEnum):
    """Names the condition that wakes a dormant order."""

    NO_TRIGGER = 0
    STOP = 1
    TAKE_PROFIT = 2
    TRAIL_TICKS = 3
    TRAIL_RATE = 4


class Peg(IntEnum):
    """Names what the price of an order keeps its distance from."""

    NO_PEG = 0
    PEG_BID = 1
    PEG_ASK = 2
    PEG_MID = 3
    PEG_MARK = 4
    PEG_TRIGGER = 5  # its own trigger, which trails


class ShapeFlag(IntFlag):
    """Has a bit for each yes or no of an order's shape."""

    ALL_OR_NONE = 1
    TO_LIMIT = 2  # the rest of a market order rests at its last price
    ONE_LEVEL = 4
    HIDDEN = 8
    INWARDS = 16  # a mid between two ticks is rounded towards the other side


class Arm(IntEnum):
    """Decides for how many lots the children of a bracket stand."""

    AS_FILLED = 0  # for what the entry has filled
    WHEN_COMPLETE = 1  # for nothing until the entry is filled whole
    AT_FIRST_FILL = 2  # for the entry's whole size from its first fill on
    FOLLOWS = 3  # for the position, whatever it is


class Role(IntEnum):
    """Tells whether an order brings a bracket."""

    NO_BRACKET = 0
    BRINGS_BRACKET = 1  # its children are in the record behind its terms and its shape


class OrderType(IntEnum):
    """Names the types of orders for which an instrument bounds the size."""

    LIMIT_ORDER = 0
    MARKET_ORDER = 1
    TRIGGER_ORDER = 2  # as long as it sleeps, limit or market


class TriggerFlag(IntFlag):
    """Has a bit for each yes or no of a trigger."""

    REFUSE_REACHED = 1


class Kind(IntEnum):
    """Decides how a contract is valued."""

    LINEAR = 0
    INVERSE = 1
    QUANTO = 2


class Basis(IntEnum):
    """Decides what the tiers of an instrument measure."""

    CONTRACTS = 0
    NOTIONAL = 1  # value at mark
    ENTRY = 2  # value at entry
    NET = 3  # contracts of both legs of a hedge, netted


class Scheme(IntEnum):
    """Decides how a tier's rate becomes a maintenance margin."""

    WHOLE = 0  # the whole position at its tier's rate
    DEDUCTION = 1  # each slab at its own rate
    SLOPE = 2  # the rate rises with every lot
    POWER = 3  # the rate rises with notional**0.8
    FACTOR = 4  # a share of the initial margin at the position's own leverage


class OrderRule(IntEnum):
    """Decides how resting orders count in the ratio test of a cross domain."""

    IGNORED = 0
    BY_NOTIONAL = 1  # their value is added to the position's
    BY_FEE = 2  # their fee is taken from equity


class AdlRank(IntEnum):
    """Decides who is deleveraged first. The formulas are in semantics §5."""

    BY_ROI_MR = 0  # profit rate times effective leverage; for losers divided by it
    BY_PNL_EFFLEV = 1  # the same, by the position's own bankruptcy price
    BY_BINANCE = 2  # profit over wallet, times maintenance margin over equity
    BY_PNL_LEVERAGE = 3  # profit rate times the leverage that was set
    BY_RETURN = 4  # mark over entry, times effective leverage
    BY_SIDED_RETURN = 5  # the same, with entry over mark for shorts
    BY_ACCOUNT = 6  # by account number alone
    BY_ENTRY = 7  # by entry price: of shorts the highest, of longs the lowest


class AdlPrice(IntEnum):
    """Decides at which price a parcel closes against its counterparties."""

    AT_BANKRUPTCY = 0
    AT_MARK = 1
    AT_PREVIOUS = 2  # the mark before the command's
    AT_CAPPED = 3  # bankruptcy price or mark, what is better for the parcel


class AdlShare(IntEnum):
    """Decides how the lots of a parcel are shared among its counterparties."""

    IN_QUEUE = 0  # by rank, each wholly
    PRO_RATA = 1  # by size, largest remainder
    MINMAX = 2  # the greatest part that anybody loses is as small as can be


class AdlTrigger(IntEnum):
    """Decides until when the fund pays for a parcel without value in the book."""

    WHEN_EMPTY = 0  # as long as it has anything
    AT_ONCE = 1  # it does not: what no order takes at the bankruptcy price is deleveraged at once
    BY_DRAWDOWN = 2  # while it is near enough to its highest value of late


class Partial(IntEnum):
    """Decides how many lots an order in its owner's name closes of a position below R_own."""

    BY_TIERS = 0  # those beyond a tier
    BY_CURE = 1  # as few as leave the domain at R_own
    BY_FRACTION = 2  # a part, then all of it for some time


class Surplus(IntEnum):
    """Decides who gets what the book pays for a parcel beyond its cost."""

    TO_FUND = 0
    TO_TRADER = 1  # who was taken over, less the fund's fee


class Component(IntFlag):
    """Names a candidate of which the mark price is the median."""

    INDEX_PRICE = 1
    FAIR = 2
    BASIS_MEAN = 4
    BASIS_EMA = 8
    LAST = 16
    BOOK = 32
    EXTERNAL = 64
    BASIS_ANNUAL = 128


class Premium(IntEnum):
    """Decides which premium a funding rate is made of."""

    IMPACT = 0
    IMPACT_ON_MARK = 1
    MIDDLE = 2
    MARK_ALONE = 3


class Weighting(IntEnum):
    """Decides the weights of the premiums of a period."""

    EQUAL_WEIGHTS = 0
    LINEAR_WEIGHTS = 1
    INDEX_WEIGHTS = 2


class SourceState(IntEnum):
    """Tells how an index treats a constituent."""

    MISSING = 0
    LIVE_SOURCE = 1
    STALE = 2
    WILD = 3


class Listing(IntEnum):
    """Tells the state of an instrument's market (schema.states has what each admits)."""

    TRADING = 0
    HALTED = 1
    CLOSED = 2  # settled for good
    PRE_OPEN = 3
    AUCTION = 4
    ONLY_POST = 5
    ONLY_CANCEL = 6


class CallTie(IntEnum):
    """Decides between prices of an uncross that trade as much and leave as little."""

    PRESSURE = 0  # towards the side that is left over, else the nearest to the reference
    NEAREST = 1  # the nearest to the reference
    MIDWAY = 2  # the middle of all prices of the greatest volume


class BandEffect(IntEnum):
    """Decides what an order does that is priced beyond the band."""

    REFUSE_BEYOND = 0
    SLIDE_BEYOND = 1  # it is priced at the edge
    HALT_BEYOND = 2  # it trades to the edge; if it would trade on, the market halts
    CALL_BEYOND = 3  # likewise, and an auction begins


class Leg(IntEnum):
    """Names a position of an instrument: the only one, or one side of a hedge."""

    ONE_WAY = 0
    LONG = 1
    SHORT = 2


class Mode(IntEnum):
    """Names the margin mode."""

    CROSS = 0
    ISOLATED = 1


class Posting(IntEnum):
    """Tells why money moved (reason of LEDGER)."""

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


class Ending(IntEnum):
    """Tells why an order ended or shrank (reason of DONE and REDUCED)."""

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


class ParcelChange(IntEnum):
    """Tells how a parcel changed (reason of PARCEL)."""

    TAKEN = 1
    FILLED_BY_BOOK = 2
    FILLED_BY_FUND = 3
    CLOSED_BY_ADL = 4
    CLOSED_BY_OPPOSITE = 5
    CLOSED_BY_SETTLEMENT = 6


class Step(IntEnum):
    """Names the steps of a liquidation (a rule set's table)."""

    VERDICT = 1
    CLEAR = 2
    NET = 3
    STEP_DOWN = 4
    TAKE_OVER = 5
    UNWIND = 6
    DELEVERAGE = 7
    RESIDUAL = 8


class Verdict(IntEnum):
    """Tells what the ratio test found (reason of LIQUIDATION)."""

    SAFE = 0
    PARTIAL = 1
    FULL = 2


class Purse(IntEnum):
    """Numbers the accounts of the house (payer and receiver of LEDGER)."""

    OUTSIDE = 0
    CLEARING = 1
    FEES = 2
    FUND = 3
    DEFICIT = 4
    RESIDUE = 5
    HOUSE = 6
    CONVERTER = 7


class MarginOf(IntEnum):
    """Tells which purse of a LEDGER is an isolated margin, and of which leg: the payer's or the receiver's."""

    NO_MARGIN = 0
    PAYER = 1
    RECEIVER = 2
    PAYER_LONG = 5
    RECEIVER_LONG = 6
    PAYER_SHORT = 9
    RECEIVER_SHORT = 10
