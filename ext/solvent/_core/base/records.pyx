"""Event log and the numbers of records.pxd, readable from Python for the layout check."""

from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memmove
from solvent._core.base.pool cimport moved, taken

cdef enum:
    FIRST_CAPACITY = 64

# A block is [header 64 bytes | events]. The header counts owners: the log and each view handed out.
# A block with views is never moved or overwritten; the log leaves it to them and takes a new one.
cdef extern from *:
    """
    #include <stdint.h>
    static inline void solvent_own(void *events) {
        __atomic_add_fetch((int64_t *)((char *)events - 64), 1, __ATOMIC_SEQ_CST); }
    static inline int64_t solvent_disown(void *events) {
        return __atomic_sub_fetch((int64_t *)((char *)events - 64), 1, __ATOMIC_SEQ_CST); }
    static inline int64_t solvent_owners(void *events) {
        return __atomic_load_n((int64_t *)((char *)events - 64), __ATOMIC_SEQ_CST); }
    """
    void solvent_own(void* events) noexcept nogil
    int64_t solvent_disown(void* events) noexcept nogil
    int64_t solvent_owners(void* events) noexcept nogil


cdef Event* _block_new(int64_t capacity) noexcept nogil:
    cdef char* block = <char*>taken(<size_t>(RECORD_BYTES + capacity * RECORD_BYTES))
    if block == NULL:
        return NULL
    (<int64_t*>block)[0] = 1
    return <Event*>(block + RECORD_BYTES)


cdef void block_pin(Event* events) noexcept nogil:
    solvent_own(events)


cdef void block_unpin(Event* events) noexcept nogil:
    if solvent_disown(events) == 0:
        free(<char*>events - RECORD_BYTES)


cdef int log_open(EventLog* log, uint64_t wanted) noexcept nogil:
    log.wanted = wanted
    log.events = _block_new(FIRST_CAPACITY)
    log.first_seq = 1
    log.count = 0
    log.capacity = FIRST_CAPACITY
    log.fault = 0
    return 0 if log.events == NULL else 1


cdef void log_grow(EventLog* log) noexcept nogil:
    """Doubles the block; one that views pin is left to them."""
    cdef int64_t capacity = log.capacity * 2
    cdef Event* events
    cdef char* block
    if solvent_owners(log.events) == 1:
        block = <char*>moved(<char*>log.events - RECORD_BYTES, <size_t>(RECORD_BYTES + capacity * RECORD_BYTES))
        events = <Event*>(block + RECORD_BYTES) if block != NULL else NULL
    else:
        events = _block_new(capacity)
        if events != NULL:
            memcpy(events, log.events, <size_t>(log.count * RECORD_BYTES))
            block_unpin(log.events)
    if events == NULL:
        log.fault = 2
        return
    log.events = events
    log.capacity = capacity


cdef void log_drop(EventLog* log, int64_t n) noexcept nogil:
    """Forgets the first n events, or later, when there is memory to leave a block to its views."""
    cdef Event* events
    if n <= 0:
        return
    if solvent_owners(log.events) > 1:
        events = _block_new(log.capacity)
        if events == NULL:
            return                  # they are held a while longer
        memcpy(events, log.events + n, <size_t>((log.count - n) * RECORD_BYTES))
        block_unpin(log.events)
        log.events = events
    elif n < log.count:
        memmove(log.events, log.events + n, <size_t>((log.count - n) * RECORD_BYTES))
    log.count -= n
    log.first_seq += <uint64_t>n


def layout():
    """{'command' | 'event' | 'extension' | 'terms': {field: (offset, bytes)}} as compiled; solvent.records is held equal."""
    cdef Command c
    cdef Event e
    cdef Extension x
    cdef AcceptedTerms t
    cdef char* c0 = <char*>&c
    cdef char* e0 = <char*>&e
    cdef char* x0 = <char*>&x
    cdef char* t0 = <char*>&t
    return {
        "command": {
            "type": (<char*>&c.type - c0, sizeof(c.type)),
            "records": (<char*>&c.records - c0, sizeof(c.records)),
            "side": (<char*>&c.side - c0, sizeof(c.side)),
            "account": (<char*>&c.account - c0, sizeof(c.account)),
            "instrument": (<char*>&c.instrument - c0, sizeof(c.instrument)),
            "tif": (<char*>&c.tif - c0, sizeof(c.tif)),
            "flags": (<char*>&c.flags - c0, sizeof(c.flags)),
            "mode": (<char*>&c.mode - c0, sizeof(c.mode)),
            "time_ns": (<char*>&c.time_ns - c0, sizeof(c.time_ns)),
            "price_ticks": (<char*>&c.price_ticks - c0, sizeof(c.price_ticks)),
            "size_lots": (<char*>&c.size_lots - c0, sizeof(c.size_lots)),
            "client_id": (<char*>&c.client_id - c0, sizeof(c.client_id)),
            "order_id": (<char*>&c.order_id - c0, sizeof(c.order_id)),
            "amount": (<char*>&c.amount - c0, sizeof(c.amount)),
            "": (0, sizeof(c)),
        },
        "event": {
            "type": (<char*>&e.type - e0, sizeof(e.type)),
            "records": (<char*>&e.records - e0, sizeof(e.records)),
            "side": (<char*>&e.side - e0, sizeof(e.side)),
            "account": (<char*>&e.account - e0, sizeof(e.account)),
            "instrument": (<char*>&e.instrument - e0, sizeof(e.instrument)),
            "code": (<char*>&e.code - e0, sizeof(e.code)),
            "reason": (<char*>&e.reason - e0, sizeof(e.reason)),
            "seq": (<char*>&e.seq - e0, sizeof(e.seq)),
            "a": (<char*>&e.a - e0, sizeof(e.a)),
            "b": (<char*>&e.b - e0, sizeof(e.b)),
            "c": (<char*>&e.c - e0, sizeof(e.c)),
            "d": (<char*>&e.d - e0, sizeof(e.d)),
            "e": (<char*>&e.e - e0, sizeof(e.e)),
            "": (0, sizeof(e)),
        },
        "extension": {
            "trigger_ticks": (<char*>&x.trigger_ticks - x0, sizeof(x.trigger_ticks)),
            "trail": (<char*>&x.trail - x0, sizeof(x.trail)),
            "expiry_ns": (<char*>&x.expiry_ns - x0, sizeof(x.expiry_ns)),
            "display_lots": (<char*>&x.display_lots - x0, sizeof(x.display_lots)),
            "peg_offset_ticks": (<char*>&x.peg_offset_ticks - x0, sizeof(x.peg_offset_ticks)),
            "slippage_ppb": (<char*>&x.slippage_ppb - x0, sizeof(x.slippage_ppb)),
            "group_id": (<char*>&x.group_id - x0, sizeof(x.group_id)),
            "trigger_source": (<char*>&x.trigger_source - x0, sizeof(x.trigger_source)),
            "trigger_kind": (<char*>&x.trigger_kind - x0, sizeof(x.trigger_kind)),
            "peg": (<char*>&x.peg - x0, sizeof(x.peg)),
            "hedge_side": (<char*>&x.hedge_side - x0, sizeof(x.hedge_side)),
            "group_role": (<char*>&x.group_role - x0, sizeof(x.group_role)),
            "trigger_flags": (<char*>&x.trigger_flags - x0, sizeof(x.trigger_flags)),
            "spare": (<char*>&x.spare - x0, sizeof(x.spare)),
            "": (0, sizeof(x)),
        },
        "terms": {
            "type": (<char*>&t.type - t0, sizeof(t.type)),
            "records": (<char*>&t.records - t0, sizeof(t.records)),
            "trigger_source": (<char*>&t.trigger_source - t0, sizeof(t.trigger_source)),
            "trigger_kind": (<char*>&t.trigger_kind - t0, sizeof(t.trigger_kind)),
            "trigger_flags": (<char*>&t.trigger_flags - t0, sizeof(t.trigger_flags)),
            "stp_mode": (<char*>&t.stp_mode - t0, sizeof(t.stp_mode)),
            "hedge_side": (<char*>&t.hedge_side - t0, sizeof(t.hedge_side)),
            "trigger_ticks": (<char*>&t.trigger_ticks - t0, sizeof(t.trigger_ticks)),
            "trail": (<char*>&t.trail - t0, sizeof(t.trail)),
            "expiry_ns": (<char*>&t.expiry_ns - t0, sizeof(t.expiry_ns)),
            "stp_group": (<char*>&t.stp_group - t0, sizeof(t.stp_group)),
            "reference_ticks": (<char*>&t.reference_ticks - t0, sizeof(t.reference_ticks)),
            "slippage_ppb": (<char*>&t.slippage_ppb - t0, sizeof(t.slippage_ppb)),
            "spare_too": (<char*>&t.spare_too - t0, sizeof(t.spare_too)),
            "": (0, sizeof(t)),
        },
    }


def numbers():
    """{name: number} of commands, events, codes, postings, endings and the rest, for the comparison with Python."""
    return {
        "ADVANCE": ADVANCE, "OPEN_ACCOUNT": OPEN_ACCOUNT, "DEPOSIT": DEPOSIT, "WITHDRAW": WITHDRAW,
        "SEED_FUND": SEED_FUND, "SET_LEVERAGE": SET_LEVERAGE, "MOVE_MARGIN": MOVE_MARGIN, "MARK": MARK, "FUNDING": FUNDING,
        "INDEX": INDEX, "SET_POSITION_MODE": SET_POSITION_MODE, "ORDER": ORDER, "AMEND": AMEND, "CANCEL": CANCEL, "MASS_CANCEL": MASS_CANCEL, "SOURCE": SOURCE, "BUY": BUY,
        "SELL": SELL, "GTC": GTC, "IOC": IOC, "FOK": FOK, "GTD": GTD, "POST_ONLY": POST_ONLY,
        "REDUCE_ONLY": REDUCE_ONLY, "MARKET": MARKET, "HOUSE_ORDER": HOUSE_ORDER, "CLOSE_POSITION": CLOSE_POSITION,
        "SLIDE": SLIDE, "CANCEL_MAKER": CANCEL_MAKER, "CANCEL_TAKER": CANCEL_TAKER, "CANCEL_BOTH": CANCEL_BOTH,
        "DECREMENT": DECREMENT, "ALLOW": ALLOW, "BY_MARK": BY_MARK, "BY_LAST": BY_LAST, "BY_INDEX": BY_INDEX,
        "NO_TRIGGER": NO_TRIGGER, "STOP": STOP, "TAKE_PROFIT": TAKE_PROFIT, "TRAIL_TICKS": TRAIL_TICKS,
        "TRAIL_RATE": TRAIL_RATE, "REFUSE_REACHED": REFUSE_REACHED, "CROSS": CROSS, "ISOLATED": ISOLATED,
        "LINEAR": LINEAR, "INVERSE": INVERSE, "QUANTO": QUANTO, "CONTRACTS": CONTRACTS, "NOTIONAL": NOTIONAL, "ENTRY": ENTRY,
        "NET": NET, "WHOLE": WHOLE, "DEDUCTION": DEDUCTION, "SLOPE": SLOPE, "POWER": POWER, "FACTOR": FACTOR, "IGNORED": IGNORED,
        "BY_NOTIONAL": BY_NOTIONAL, "BY_FEE": BY_FEE, "ONE_WAY": ONE_WAY, "LONG": LONG, "SHORT": SHORT,
        "INDEX_PRICE": INDEX_PRICE, "FAIR": FAIR, "BASIS_MEAN": BASIS_MEAN, "BASIS_EMA": BASIS_EMA, "LAST": LAST, "BOOK": BOOK,
        "BASIS_ANNUAL": BASIS_ANNUAL, "EXTERNAL": EXTERNAL,
        "IMPACT": IMPACT, "IMPACT_ON_MARK": IMPACT_ON_MARK, "MIDDLE": MIDDLE, "MARK_ALONE": MARK_ALONE, "MISSING": MISSING,
        "EQUAL_WEIGHTS": EQUAL_WEIGHTS, "LINEAR_WEIGHTS": LINEAR_WEIGHTS, "INDEX_WEIGHTS": INDEX_WEIGHTS,
        "LIVE_SOURCE": LIVE_SOURCE, "STALE": STALE, "WILD": WILD, "TRADING": TRADING, "HALTED": HALTED, "CLOSED": CLOSED,
        "TRANSFER": TRANSFER, "ADD_INSTRUMENT": ADD_INSTRUMENT, "HALT": HALT, "SETTLE": SETTLE, "TRANSFERRED": TRANSFERRED,
        "SETTLED": SETTLED, "CONVERTED": CONVERTED, "DELISTED": DELISTED, "POSITION_CLOSED": POSITION_CLOSED, "CLOSED_BY_SETTLEMENT": CLOSED_BY_SETTLEMENT,
        "INSTRUMENT_ADDED": INSTRUMENT_ADDED, "LISTING_CHANGED": LISTING_CHANGED, "INSTRUMENT_EXISTS": INSTRUMENT_EXISTS,
        "BAD_INSTRUMENT": BAD_INSTRUMENT, "NOT_RELATED": NOT_RELATED, "NOT_TRADING": NOT_TRADING,
        "BEGIN": BEGIN, "ACCOUNT_OPENED": ACCOUNT_OPENED, "LEDGER": LEDGER, "POSITION": POSITION, "MARKED": MARKED,
        "ACCEPTED": ACCEPTED, "RESTED": RESTED, "TRADE": TRADE, "REDUCED": REDUCED, "DONE": DONE,
        "LIQUIDATION": LIQUIDATION, "STEP_DOWN": STEP_DOWN, "TAKEOVER": TAKEOVER, "PARCEL": PARCEL, "ADL": ADL,
        "REPLACED": REPLACED, "TRIGGERED": TRIGGERED, "INDEXED": INDEXED, "FUNDED": FUNDED, "NETTED": NETTED, "SOURCE_CHANGED": SOURCE_CHANGED, "RATED": RATED, "ACCRUED": ACCRUED, "FEE_CHANGED": FEE_CHANGED,
        "PASSED": PASSED, "OK": OK,
        "UNKNOWN_COMMAND": UNKNOWN_COMMAND, "TIME_BACKWARDS": TIME_BACKWARDS, "BAD_RECORD": BAD_RECORD,
        "NOT_SUPPORTED": NOT_SUPPORTED, "UNKNOWN_ACCOUNT": UNKNOWN_ACCOUNT, "UNKNOWN_INSTRUMENT": UNKNOWN_INSTRUMENT,
        "UNKNOWN_CURRENCY": UNKNOWN_CURRENCY, "ACCOUNT_EXISTS": ACCOUNT_EXISTS, "BAD_NAME": BAD_NAME,
        "TOO_MANY_ACCOUNTS": TOO_MANY_ACCOUNTS, "BAD_SIDE": BAD_SIDE, "BAD_SIZE": BAD_SIZE, "BAD_PRICE": BAD_PRICE,
        "BAD_TIF": BAD_TIF, "BAD_FLAGS": BAD_FLAGS, "BAD_CLIENT_ID": BAD_CLIENT_ID, "BAD_TRIGGER": BAD_TRIGGER,
        "BAD_EXPIRY": BAD_EXPIRY, "BAD_SELF_TRADE": BAD_SELF_TRADE, "BAD_SLIPPAGE": BAD_SLIPPAGE,
        "UNKNOWN_ORDER": UNKNOWN_ORDER, "DUPLICATE_CLIENT_ID": DUPLICATE_CLIENT_ID,
        "POST_ONLY_WOULD_TAKE": POST_ONLY_WOULD_TAKE, "FOK_UNFILLED": FOK_UNFILLED,
        "REDUCE_ONLY_WOULD_OPEN": REDUCE_ONLY_WOULD_OPEN, "TOO_MANY_ORDERS": TOO_MANY_ORDERS,
        "AMEND_NOTHING": AMEND_NOTHING, "AMEND_BELOW_FILLED": AMEND_BELOW_FILLED, "TRIGGER_REACHED": TRIGGER_REACHED,
        "NO_REFERENCE": NO_REFERENCE, "BAD_AMOUNT": BAD_AMOUNT, "INSUFFICIENT_BALANCE": INSUFFICIENT_BALANCE,
        "WITHDRAWALS_CLOSED": WITHDRAWALS_CLOSED, "MONEY_LIMIT": MONEY_LIMIT, "NO_MARK": NO_MARK,
        "PRICE_BAND": PRICE_BAND, "INSUFFICIENT_MARGIN": INSUFFICIENT_MARGIN,
        "LEVERAGE_ABOVE_TIER": LEVERAGE_ABOVE_TIER, "POSITION_LIMIT": POSITION_LIMIT, "MODE_IN_USE": MODE_IN_USE,
        "NO_ISOLATED_POSITION": NO_ISOLATED_POSITION, "BELOW_INITIAL_MARGIN": BELOW_INITIAL_MARGIN,
        "BAD_LEVERAGE": BAD_LEVERAGE, "BAD_MODE": BAD_MODE, "BAD_RATE": BAD_RATE, "PERIOD_SETTLED": PERIOD_SETTLED, "BAD_LEG": BAD_LEG, "PRICE_IS_MODELLED": PRICE_IS_MODELLED, "BAD_SOURCE": BAD_SOURCE, "DEPOSITED": DEPOSITED, "WITHDRAWN": WITHDRAWN,
        "FUND_SEEDED": FUND_SEEDED, "MAKER_FEE": MAKER_FEE, "TAKER_FEE": TAKER_FEE,
        "LIQUIDATION_FEE": LIQUIDATION_FEE, "REALISED": REALISED, "MARGIN_ASSIGNED": MARGIN_ASSIGNED,
        "MARGIN_RELEASED": MARGIN_RELEASED, "MARGIN_MOVED": MARGIN_MOVED, "TAKEN_OVER": TAKEN_OVER,
        "PARCEL_GAIN": PARCEL_GAIN, "PARCEL_LOSS": PARCEL_LOSS, "DEFICIT_REPAID": DEFICIT_REPAID,
        "SHORTFALL": SHORTFALL, "ADL_TOP_UP": ADL_TOP_UP, "FUNDING_PAID": FUNDING_PAID, "FUNDING_RECEIVED": FUNDING_RECEIVED, "FILLED": FILLED, "CANCELLED": CANCELLED,
        "AMENDED": AMENDED, "UNFILLED": UNFILLED, "SELF_TRADE": SELF_TRADE, "REDUCE_ONLY_CUT": REDUCE_ONLY_CUT,
        "BANKRUPTCY_LIMIT": BANKRUPTCY_LIMIT, "LIQUIDATED": LIQUIDATED, "DELEVERAGED": DELEVERAGED,
        "UNWOUND": UNWOUND, "UNCOVERED": UNCOVERED, "EXPIRED": EXPIRED, "TRIGGER_REFUSED": TRIGGER_REFUSED,
        "MASS_CANCELLED": MASS_CANCELLED, "TAKEN": TAKEN, "FILLED_BY_BOOK": FILLED_BY_BOOK,
        "FILLED_BY_FUND": FILLED_BY_FUND, "CLOSED_BY_ADL": CLOSED_BY_ADL, "CLOSED_BY_OPPOSITE": CLOSED_BY_OPPOSITE,
        "SAFE": SAFE, "PARTIAL": PARTIAL, "FULL": FULL,
    }
