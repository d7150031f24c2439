/* solvent.h: commands in, events out, without the GIL and without a Python object. docs/howto/c.md has an example.

   Rendered from solvent.schema by `python -m solvent.schema.header --write`; never edited by hand. */
#ifndef SOLVENT_H
#define SOLVENT_H
#include <Python.h>
#include <stdint.h>

#define SOLVENT_LAYOUT UINT64_C(0x02227af7721f825d)
#define SOLVENT_VERSION 1

enum {
    SOLVENT_ADVANCE = 1,
    SOLVENT_OPEN_ACCOUNT = 2,
    SOLVENT_DEPOSIT = 3,
    SOLVENT_WITHDRAW = 4,
    SOLVENT_SEED_FUND = 5,
    SOLVENT_SET_LEVERAGE = 6,
    SOLVENT_MOVE_MARGIN = 7,
    SOLVENT_MARK = 8,
    SOLVENT_FUNDING = 9,
    SOLVENT_INDEX = 10,
    SOLVENT_SET_POSITION_MODE = 11,
    SOLVENT_TRANSFER = 12,
    SOLVENT_ADD_INSTRUMENT = 13,
    SOLVENT_HALT = 14,
    SOLVENT_SETTLE = 15,
    SOLVENT_ORDER = 16,
    SOLVENT_AMEND = 17,
    SOLVENT_CANCEL = 18,
    SOLVENT_MASS_CANCEL = 19,
    SOLVENT_SOURCE = 22,
    SOLVENT_SET_LAST = 23,
    SOLVENT_TIMER = 24,
    SOLVENT_DISCONNECT = 25,
    SOLVENT_BATCH = 26,
    SOLVENT_SET_STATE = 29,
    SOLVENT_AMEND_TRIGGER = 28,
    SOLVENT_ATTACH = 30,
    SOLVENT_BEGIN = 1,
    SOLVENT_ACCOUNT_OPENED = 2,
    SOLVENT_LEDGER = 3,
    SOLVENT_POSITION = 4,
    SOLVENT_MARKED = 5,
    SOLVENT_ACCEPTED = 6,
    SOLVENT_RESTED = 7,
    SOLVENT_TRADE = 8,
    SOLVENT_REDUCED = 9,
    SOLVENT_DONE = 10,
    SOLVENT_LIQUIDATION = 11,
    SOLVENT_STEP_DOWN = 12,
    SOLVENT_TAKEOVER = 13,
    SOLVENT_PARCEL = 14,
    SOLVENT_ADL = 15,
    SOLVENT_REPLACED = 16,
    SOLVENT_TRIGGERED = 17,
    SOLVENT_INDEXED = 18,
    SOLVENT_FUNDED = 19,
    SOLVENT_NETTED = 20,
    SOLVENT_SOURCE_CHANGED = 21,
    SOLVENT_RATED = 22,
    SOLVENT_INSTRUMENT_ADDED = 23,
    SOLVENT_LISTING_CHANGED = 24,
    SOLVENT_ACCRUED = 25,
    SOLVENT_FEE_CHANGED = 26,
    SOLVENT_PASSED = 27,
    SOLVENT_LAST_SET = 28,
    SOLVENT_CLIENT_ID_NAMED = 29,
    SOLVENT_TIMER_SET = 30,
    SOLVENT_TIMED_OUT = 31,
    SOLVENT_TAGGED = 32,
    SOLVENT_LINKED_TO = 33,
    SOLVENT_UNCROSSED = 39,
    SOLVENT_INDICATED = 40,
    SOLVENT_SHAPED = 35,
    SOLVENT_TRIGGER_MOVED = 36,
    SOLVENT_REFILLED = 37,
    SOLVENT_PARKED = 38,
    SOLVENT_BUY = 0,
    SOLVENT_SELL = 1,
    SOLVENT_GTC = 0,
    SOLVENT_IOC = 1,
    SOLVENT_FOK = 2,
    SOLVENT_GTD = 3,
    SOLVENT_POST_ONLY = 1,
    SOLVENT_REDUCE_ONLY = 2,
    SOLVENT_MARKET = 4,
    SOLVENT_HOUSE_ORDER = 8,
    SOLVENT_SHAPED_ORDER = 16,
    SOLVENT_LINKED = 32,
    SOLVENT_CLOSE_POSITION = 64,
    SOLVENT_SLIDE = 128,
    SOLVENT_FILLED = 1,
    SOLVENT_CANCELLED = 2,
    SOLVENT_AMENDED = 3,
    SOLVENT_UNFILLED = 4,
    SOLVENT_SELF_TRADE = 5,
    SOLVENT_REDUCE_ONLY_CUT = 6,
    SOLVENT_BANKRUPTCY_LIMIT = 7,
    SOLVENT_LIQUIDATED = 8,
    SOLVENT_DELEVERAGED = 9,
    SOLVENT_UNWOUND = 10,
    SOLVENT_UNCOVERED = 11,
    SOLVENT_EXPIRED = 12,
    SOLVENT_TRIGGER_REFUSED = 13,
    SOLVENT_MASS_CANCELLED = 14,
    SOLVENT_DELISTED = 15,
    SOLVENT_POSITION_CLOSED = 16,
    SOLVENT_TIMEOUT = 17,
    SOLVENT_DISCONNECTED = 18,
    SOLVENT_SIBLING_FIRED = 19,
    SOLVENT_BRACKET_DONE = 20,
    SOLVENT_PEG_REFUSED = 22,
    SOLVENT_NOT_IN_CALL = 23,
    SOLVENT_BY_MARK = 0,
    SOLVENT_BY_LAST = 1,
    SOLVENT_BY_INDEX = 2,
    SOLVENT_BY_BID = 3,
    SOLVENT_BY_ASK = 4,
    SOLVENT_NO_TRIGGER = 0,
    SOLVENT_STOP = 1,
    SOLVENT_TAKE_PROFIT = 2,
    SOLVENT_TRAIL_TICKS = 3,
    SOLVENT_TRAIL_RATE = 4,
    SOLVENT_CANCEL_MAKER = 0,
    SOLVENT_CANCEL_TAKER = 1,
    SOLVENT_CANCEL_BOTH = 2,
    SOLVENT_DECREMENT = 3,
    SOLVENT_ALLOW = 4,
    SOLVENT_OK = 0,
    SOLVENT_UNKNOWN_COMMAND = 100,
    SOLVENT_TIME_BACKWARDS = 101,
    SOLVENT_BAD_RECORD = 102,
    SOLVENT_NOT_SUPPORTED = 103,
    SOLVENT_UNKNOWN_ACCOUNT = 200,
    SOLVENT_UNKNOWN_INSTRUMENT = 201,
    SOLVENT_UNKNOWN_CURRENCY = 202,
    SOLVENT_ACCOUNT_EXISTS = 203,
    SOLVENT_BAD_NAME = 204,
    SOLVENT_TOO_MANY_ACCOUNTS = 205,
    SOLVENT_INSTRUMENT_EXISTS = 206,
    SOLVENT_BAD_INSTRUMENT = 207,
    SOLVENT_BAD_SIDE = 300,
    SOLVENT_BAD_SIZE = 301,
    SOLVENT_BAD_PRICE = 302,
    SOLVENT_BAD_TIF = 303,
    SOLVENT_BAD_FLAGS = 304,
    SOLVENT_BAD_CLIENT_ID = 305,
    SOLVENT_BAD_TRIGGER = 306,
    SOLVENT_BAD_EXPIRY = 307,
    SOLVENT_BAD_SELF_TRADE = 308,
    SOLVENT_BAD_SLIPPAGE = 309,
    SOLVENT_BAD_TIMEOUT = 310,
    SOLVENT_BAD_TAG = 311,
    SOLVENT_BAD_BRACKET = 312,
    SOLVENT_BAD_SHAPE = 314,
    SOLVENT_UNKNOWN_ORDER = 400,
    SOLVENT_DUPLICATE_CLIENT_ID = 401,
    SOLVENT_POST_ONLY_WOULD_TAKE = 402,
    SOLVENT_FOK_UNFILLED = 403,
    SOLVENT_REDUCE_ONLY_WOULD_OPEN = 404,
    SOLVENT_TOO_MANY_ORDERS = 405,
    SOLVENT_AMEND_NOTHING = 406,
    SOLVENT_AMEND_BELOW_FILLED = 407,
    SOLVENT_TRIGGER_REACHED = 408,
    SOLVENT_NO_REFERENCE = 409,
    SOLVENT_SIZE_OUT_OF_BOUNDS = 410,
    SOLVENT_NOTIONAL_TOO_SMALL = 411,
    SOLVENT_TOO_MANY_OPEN_ORDERS = 412,
    SOLVENT_TOO_MANY_MESSAGES = 413,
    SOLVENT_TOO_MANY_TIMERS = 414,
    SOLVENT_CHILD_TOO_LARGE = 415,
    SOLVENT_BAD_BATCH = 430,
    SOLVENT_NOT_IN_A_BATCH = 431,
    SOLVENT_OTHER_THAN_BATCH = 432,
    SOLVENT_BAD_AMOUNT = 500,
    SOLVENT_INSUFFICIENT_BALANCE = 501,
    SOLVENT_WITHDRAWALS_CLOSED = 502,
    SOLVENT_MONEY_LIMIT = 503,
    SOLVENT_NOT_RELATED = 504,
    SOLVENT_NO_MARK = 600,
    SOLVENT_PRICE_BAND = 601,
    SOLVENT_INSUFFICIENT_MARGIN = 602,
    SOLVENT_LEVERAGE_ABOVE_TIER = 603,
    SOLVENT_POSITION_LIMIT = 604,
    SOLVENT_MODE_IN_USE = 605,
    SOLVENT_NO_ISOLATED_POSITION = 606,
    SOLVENT_BELOW_INITIAL_MARGIN = 607,
    SOLVENT_BAD_LEVERAGE = 608,
    SOLVENT_BAD_MODE = 609,
    SOLVENT_BAD_RATE = 610,
    SOLVENT_PERIOD_SETTLED = 611,
    SOLVENT_BAD_LEG = 612,
    SOLVENT_PRICE_IS_MODELLED = 613,
    SOLVENT_BAD_SOURCE = 614,
    SOLVENT_NOT_TRADING = 615,
    SOLVENT_NOT_IN_THIS_STATE = 616,
    SOLVENT_BAD_STATE = 617,
    SOLVENT_CALL_FROZEN = 618,
    SOLVENT_NOT_BEGUN = -1,    /* the exchange is not C's: solvent_begin gives it, and solvent_end takes it back */
    SOLVENT_HALTED = -2,    /* the exchange has halted, perhaps in this command; Python's calls say why */
    SOLVENT_BY_PYTHON = -3,    /* OPEN_ACCOUNT, ADD_INSTRUMENT and BATCH are sent by Python */
};

typedef struct {
    uint16_t type;
    uint8_t records;
    uint8_t side;
    uint32_t account;
    uint32_t instrument;
    uint8_t tif;
    uint8_t flags;
    uint16_t mode;
    int64_t time_ns;
    int64_t price_ticks;
    int64_t size_lots;
    uint64_t client_id;
    uint64_t order_id;
    int64_t amount;
} solvent_command;

typedef struct {
    uint16_t type;
    uint8_t records;
    uint8_t side;
    uint32_t account;
    uint32_t instrument;
    uint16_t code;
    uint16_t reason;
    uint64_t seq;
    int64_t a;
    int64_t b;
    int64_t c;
    int64_t d;
    int64_t e;
} solvent_event;

typedef struct {
    int64_t trigger_ticks;
    int64_t trail;
    int64_t expiry_ns;
    int64_t unused_lots;
    int64_t unused_ticks;
    int64_t slippage_ppb;
    int64_t group_id;
    uint8_t trigger_source;
    uint8_t trigger_kind;
    uint8_t unused_word;
    uint8_t hedge_side;
    uint8_t group_role;
    uint8_t trigger_flags;
    uint16_t tag;
} solvent_extension;

typedef struct {
    int64_t display_lots;
    int64_t display_most_lots;
    int64_t step_ticks;
    int64_t offset_ticks;
    int64_t unused_first;
    int64_t unused_second;
    int64_t unused_third;
    uint8_t peg;
    uint8_t shape_flags;
    uint16_t unused_short;
    uint32_t unused_int;
} solvent_shape;

typedef struct solvent_exchange solvent_exchange;

typedef struct {              /* of a command; its events are there until the next one, or solvent_end */
    uint64_t order_id;
    int64_t filled_lots;
    int64_t resting_lots;
    int64_t code;
    const solvent_event *events;
    int64_t event_records;
} solvent_answer;

typedef struct {
    uint64_t layout;
    uint64_t version;
    solvent_exchange *(*begin)(PyObject *face);
    int (*end)(solvent_exchange *exchange);
    int (*apply)(solvent_exchange *exchange, const void *command, int64_t records, solvent_answer *answer);
    int64_t (*time_ns)(solvent_exchange *exchange);
} solvent_functions;

static const solvent_functions *solvent_face;

/* Binds this file to the package. Returns -1 with ImportError set if it was compiled against another one. Holds the GIL. */
static inline int solvent_import(void) {
    PyObject *module = PyImport_ImportModule("solvent.native");
    if (module == NULL) return -1;
    const solvent_functions *found = (const solvent_functions *)PyCapsule_Import("solvent.native.functions", 0);
    Py_DECREF(module);
    if (found == NULL) return -1;
    if (found->layout != SOLVENT_LAYOUT || found->version != SOLVENT_VERSION) {
        PyErr_SetString(PyExc_ImportError, "this module was compiled against another solvent; compile it again");
        return -1;
    }
    solvent_face = found;
    return 0;
}

/* Gives an Exchange or a Book to C: until solvent_end its Python calls raise Busy. Returns NULL with an exception set if
   there is no such exchange, if it is busy or halted, or if its commands are kept. Holds the GIL. */
static inline solvent_exchange *solvent_begin(PyObject *face) { return solvent_face->begin(face); }

/* Gives it back to Python; the pointer is dead then. Holds the GIL. */
static inline int solvent_end(solvent_exchange *exchange) { return solvent_face->end(exchange); }

/* Applies one command of 1 to 6 records. Returns its code, or one of the answers below zero; then nothing was done, but
   by SOLVENT_HALTED. One thread at a time; needs no GIL. answer may be NULL. */
static inline int solvent_apply(solvent_exchange *exchange, const void *command, int64_t records, solvent_answer *answer) {
    return solvent_face->apply(exchange, command, records, answer);
}

/* Returns the clock. */
static inline int64_t solvent_time_ns(solvent_exchange *exchange) { return solvent_face->time_ns(exchange); }
#endif
