"""Result codes, reasons and the exceptions that carry them.

Owns the numbers that answer commands, in one band per floor, and a hint for each. A number is never reused. The compiled core
has the same numbers (a test compares them). Imports nothing of the package.
"""

from enum import IntEnum

__all__ = [
    "Busy", "Code", "EventsDropped", "FeedGap", "Fenced", "HINTS", "Halted", "HistoryGone", "InputError", "InvariantBroken",
    "JournalClosed", "JournalDamaged", "JournalDiverged", "JournalError", "JournalFailed", "JournalForeign", "JournalHeld",
    "JournalVersion", "LogUnavailable", "OutOfRange", "Rejected", "SolventError", "WrongType", "applied", "shown",
]  # fmt: skip


class Code(IntEnum):
    """Tells why a command was refused; OK is 0. 1xx envelope, 2xx names, 3xx fields, 4xx orders, 5xx money, 6xx margin."""

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


HINTS: dict[Code, str] = {
    Code.OK: "accepted",
    Code.UNKNOWN_COMMAND: "the record's type is not a command",
    Code.TIME_BACKWARDS: "time_ns lies before the exchange's clock; send commands in time order",
    Code.BAD_RECORD: (
        "a command has 64 bytes, more with further records (names, extended orders); its header counts the records"
    ),
    Code.NOT_SUPPORTED: ("this field of a further record is reserved; set it to 0"),
    Code.UNKNOWN_ACCOUNT: "open the account first: open_account(name) or deposit(name, ...)",
    Code.UNKNOWN_INSTRUMENT: "the exchange has no such instrument; add it with add_instrument(Instrument(...))",
    Code.UNKNOWN_CURRENCY: "the exchange has no such currency; name it in Exchange(currencies=...)",
    Code.ACCOUNT_EXISTS: "an account with this name is open already",
    Code.BAD_NAME: "a name is 1 to 64 bytes of UTF-8 without control characters, and not in angle brackets",
    Code.TOO_MANY_ACCOUNTS: "the exchange has reached its limit of accounts",
    Code.BAD_SIDE: "side is 'buy' or 'sell'",
    Code.BAD_SIZE: "size is a positive multiple of the lot, at most the highest size; close_position=True takes no size",
    Code.BAD_PRICE: (
        "price is a positive multiple of the tick, at most the instrument's highest price; a mark price is rounded to ticks"
    ),
    Code.BAD_TIF: "tif is 'gtc', 'ioc', 'fok' or 'gtd'",
    Code.BAD_FLAGS: (
        "post_only needs a limit order that may rest; a market order is ioc, fok, or gtd with a trigger; "
        "a Book has no reduce-only; shaped orders need their record"
    ),
    Code.BAD_CLIENT_ID: (
        "client_id is a whole number below 2**63, 0 for none, or a text of 1 to 36 letters, digits and . : / _ -"
    ),
    Code.BAD_TRIGGER: (
        "a stop needs a legal trigger price, a trailing one a distance in ticks or a rate below 1; only a sleeping order's "
        "fixed trigger moves"
    ),
    Code.BAD_EXPIRY: "tif 'gtd' needs an expiry_ns later than the clock; other orders take none",
    Code.BAD_SELF_TRADE: "the self-trade mode is 0 to 4 (docs/reference/orders.md); its group is a whole number from 0",
    Code.BAD_SLIPPAGE: "slippage is a rate above 0 and below 1 with at most nine decimals, for a market order only",
    Code.BAD_TIMEOUT: "a timeout is a whole number of nanoseconds, 0 to switch the timer off; its deadline fits in 63 bits",
    Code.BAD_TAG: "a tag is a whole number below 65,536; a disconnect names one from 1",
    Code.CHILD_TOO_LARGE: "a child is at most as large as what its entry has filled, less what its children have closed",
    Code.TOO_MANY_TIMERS: "the account has as many timers as it may, one for each pair of instrument and tag; switch one off",
    Code.BAD_BRACKET: (
        "an entry that may open, or a position, has a target, a stop, or both; each at legal prices, the stop with a trigger"
    ),
    Code.BAD_SHAPE: "these terms exclude each other, or do not fit the order's kind (docs/reference/orders.md#shapes)",
    Code.UNKNOWN_ORDER: "the account has no live order with this id; the order may have ended, or belong to another account",
    Code.DUPLICATE_CLIENT_ID: "this client_id was used before; order_id of the answer names the earlier order",
    Code.POST_ONLY_WOULD_TAKE: "the order would trade at once; move its price away from the best opposite price",
    Code.FOK_UNFILLED: "the book cannot fill the whole size within the limit price",
    Code.REDUCE_ONLY_WOULD_OPEN: (
        "there is nothing to reduce on this side, or resting reduce-only orders at better prices cover all of it"
    ),
    Code.TOO_MANY_ORDERS: "the limit of live orders is reached, or the position's limit of reduce-only or triggered orders",
    Code.AMEND_NOTHING: "neither size nor price would change",
    Code.AMEND_BELOW_FILLED: "the new size is not above the filled size; cancel the order instead",
    Code.TRIGGER_REACHED: "the watched price has reached the trigger already, and if_reached is 'refuse'",
    Code.NO_REFERENCE: "a trailing stop starts from the price that it watches, and there is no such price yet",
    Code.SIZE_OUT_OF_BOUNDS: (
        "the instrument bounds the sizes of orders of this type (limit, market, trigger); its order_limits have them"
    ),
    Code.NOTIONAL_TOO_SMALL: (
        "size times limit price (else mark) is below the instrument's least notional; only closing orders may be smaller"
    ),
    Code.TOO_MANY_OPEN_ORDERS: "the account has as many live orders in this instrument as it may; cancel one first",
    Code.TOO_MANY_MESSAGES: (
        "the account has sent as many orders and amendments in this window of time as it may; cancels are free"
    ),
    Code.BAD_BATCH: "a batch is 1 to 256 whole commands behind its head, which has records=0 and counts their records",
    Code.NOT_IN_A_BATCH: (
        "a batch takes no batch, no account or instrument to open, no state of a market, no settlement, and no passing of time"
    ),
    Code.OTHER_THAN_BATCH: (
        "the commands of a batch have its time, and its account too, unless it is the host's (account 0xFFFFFFFF)"
    ),
    Code.BAD_AMOUNT: (
        "the amount is a positive multiple of the currency's unit, below 2**62 units; only move_margin takes a negative one"
    ),
    Code.INSUFFICIENT_BALANCE: (
        "the amount exceeds free money: cash less holds, initial margin, losses and backing for another currency"
    ),
    Code.WITHDRAWALS_CLOSED: "the currency has an open deficit; withdrawals wait until it is repaid",
    Code.MONEY_LIMIT: "all deposits of a currency together stay below 2**62 units",
    Code.NO_MARK: "the instrument has no mark price yet; set the mark, index or source price that it comes from",
    Code.PRICE_BAND: (
        "a buy's price may not be above the band around mark (or around its trigger price), a sell's not below it"
    ),
    Code.INSUFFICIENT_MARGIN: "free margin is below initial margin plus open loss to mark plus fee",
    Code.LEVERAGE_ABOVE_TIER: (
        "the tier of the resulting size allows less leverage; lower the leverage or trade a smaller size"
    ),
    Code.POSITION_LIMIT: "position and open orders together would exceed the last tier, or the chosen tier",
    Code.MODE_IN_USE: (
        "the mode changes only while the account is flat here and has no live orders; to change only leverage, leave mode out"
    ),
    Code.NO_ISOLATED_POSITION: "there is no open isolated position whose margin could move",
    Code.BELOW_INITIAL_MARGIN: (
        "the remaining margin would be below initial margin at mark plus the loss of its closing orders"
    ),
    Code.BAD_LEVERAGE: (
        "leverage is at least 1 with at most six decimals; no tier can be chosen where the scheme is 'deduction' or 'factor'"
    ),
    Code.BAD_MODE: "mode is 'isolated' or 'cross'",
    Code.BAD_RATE: "a funding rate lies between -1 and 1 and has at most nine decimals",
    Code.PERIOD_SETTLED: "the period is not above the last settled one; the first period is at least 1",
    Code.PRICE_IS_MODELLED: (
        "the instrument's price model computes this price; set its sources or its index, and let time advance"
    ),
    Code.NOT_TRADING: "the market is halted, cancel-only or settled; its orders may only be cancelled or made smaller",
    Code.NOT_IN_THIS_STATE: (
        "the state of the market takes no such order: before an uncross only limit orders that may rest, when only posting "
        "post-only ones (docs/reference/states.md)"
    ),
    Code.BAD_STATE: (
        "the state is a number of Listing; only an auction has an end, later than the clock, and a state that follows it"
    ),
    Code.CALL_FROZEN: "the call is about to end: until its uncross no resting order is amended or cancelled",
    Code.NOT_RELATED: "money moves only between an account and its sub-accounts, or between two of its sub-accounts",
    Code.INSTRUMENT_EXISTS: "an instrument with this name exists already, be it open, halted or settled; choose another name",
    Code.BAD_INSTRUMENT: (
        "the records describe no instrument that the core can compute with; use add_instrument(Instrument(...))"
    ),
    Code.BAD_SOURCE: "the instrument's index has no constituent with this name or number",
    Code.BAD_LEG: "in hedge mode name the leg, 'long' or 'short'; in one-way mode, and in a Book, name none",
}


def shown(value: object) -> str:
    """Returns a value as a message quotes it: its repr, cut where it is long. A number too long to write becomes its type."""
    try:
        text = repr(value)
    except ValueError:  # more digits than Python writes
        return f"{type(value).__name__} of thousands of digits"
    return text if len(text) <= 200 else f"{text[:200]}..."


class SolventError(Exception):
    """Serves as the base of everything that this package raises on purpose."""

    def __reduce__(self) -> tuple[object, ...]:
        """Pickles and copies the error as what it is, whatever arguments its class takes."""
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[SolventError], args: tuple[object, ...], attributes: dict[str, object]) -> SolventError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error


class InputError(SolventError, ValueError):
    """Refuses input that cannot be understood: no number, an unknown word. The exchange did nothing."""


class WrongType(InputError, TypeError):
    """Refuses a type where money enters: float, bool, None. The exchange did nothing."""


class OutOfRange(InputError, OverflowError):
    """Refuses an integer of `submit` or `revoke` that its field cannot hold. The exchange did nothing."""


class Rejected(SolventError):
    """Refuses a command. `code` tells why, `hint` what to do; nothing changed.

    Control commands raise it. With strict=True order commands do, too; `order_id` then names the earlier order where the code
    is DUPLICATE_CLIENT_ID, else it is 0.

    >>> from solvent import Code
    >>> print(Rejected(Code.UNKNOWN_ACCOUNT))
    UNKNOWN_ACCOUNT: open the account first: open_account(name) or deposit(name, ...)
    """

    def __init__(self, code: Code, hint: str = "", order_id: int = 0):
        self.code = code
        self.hint = hint or HINTS[code]
        self.order_id = order_id
        super().__init__(f"{code.name}: {self.hint}")


def applied(error: BaseException) -> int | None:
    """Returns how many commands of a batch were applied, each whole, when this exception left `run` or `batch`.

    Those commands are the first ones of the batch. Returns None for an exception that came from elsewhere, or before anything
    was done.
    """
    return getattr(error, "commands_applied", None)


class InvariantBroken(SolventError):
    """Reports a sum that does not hold, found by `check()` or by an auditor.

    The text names the clause, the numbers, and the page that explains the clause.

    >>> print(InvariantBroken("MON-1: purses in currency 0 sum to 3"))
    MON-1: purses in currency 0 sum to 3 (docs/explanation/invariants.md#mon-1)
    """

    def __str__(self) -> str:
        text = super().__str__()
        clause = text.removeprefix("auditor: ").split(":")[0].split(",")[0]
        family, _, number = clause.partition("-")
        known = family.isalpha() and family.isupper() and number.isdigit()
        return f"{text} (docs/explanation/invariants.md#{clause.lower()})" if known else text


class EventsDropped(SolventError):
    """Reports that events are no longer held: retain=False, and no cursor waited for them."""


class FeedGap(SolventError):
    """Reports that a reader of a feed missed messages, or got one that does not follow.

    The reader goes on with a new snapshot.
    """


class Busy(SolventError, RuntimeError):
    """Refuses a second thread, or a re-entrant call, while the exchange works. The exchange did nothing."""


class Halted(SolventError, RuntimeError):
    """Reports that the core met an impossible state and stopped for good.

    A clause of docs/explanation/invariants.md is broken, arithmetic went beyond 64 bits, or memory is gone. The text tells
    which, and in which command.
    """


class JournalError(SolventError):
    """Serves as the base of what opening, reading and writing a journal raises."""


class JournalHeld(JournalError):
    """Refuses a journal that another exchange, of this process or another one, has open. Nothing was written."""


class JournalForeign(JournalError):
    """Refuses a journal of another exchange: other instruments, rules, currencies, or files that are no journal. Nothing was
    written.
    """


class JournalVersion(JournalError):
    """Refuses a journal that a newer version of this package wrote. Nothing was written."""


class JournalDamaged(JournalError):
    """Refuses a journal of which a part that was durable is missing, moved or changed. Nothing was written.

    file: its name. position: the byte where the damage was found.
    """

    def __init__(self, file: str, position: int, what: str):
        self.file, self.position = file, position
        super().__init__(f"{file}, byte {position}: {what}")


class JournalDiverged(JournalError):
    """Reports that replayed commands gave other events, or another state, than those that the journal tells of.

    sequence: the last command up to which everything agreed. Nothing was written. Read the journal with the version that wrote
    it (`solvent inspect`).
    """

    def __init__(self, sequence: int, what: str):
        self.sequence = sequence
        super().__init__(f"after command {sequence} {what} than the journal says; read it with the version that wrote it")


class JournalFailed(JournalError, Halted):
    """Reports that a journal could not be written or synced: the exchange has halted for good. solvent.open recovers.

    durable_sequence: the last command that is certainly on the disk; commands after it were not acknowledged.
    """

    def __init__(self, durable_sequence: int, what: object):
        self.durable_sequence = durable_sequence
        super().__init__(
            f"the journal could not be written ({what}); the exchange has halted; command {durable_sequence} is the last one "
            "that is certainly on the disk; solvent.open(path) recovers it"
        )


class JournalClosed(JournalError, Halted):
    """Refuses a command to an exchange whose journal was closed. solvent.open(path) opens it again."""


class HistoryGone(JournalError):
    """Reports that a moment lies before the oldest one of a history, or after the newest one."""


class LogUnavailable(JournalError):
    """Reports that a replicated log did not answer in time. Nothing was done."""


class Fenced(JournalError, Halted):
    """Ends the writer of a replicated log: another one has claimed it. The exchange has halted for good; read its log anew.

    durable_sequence: the last command of this writer that was acknowledged. A later one may be in the log, too.
    """

    def __init__(self, durable_sequence: int, what: object):
        self.durable_sequence = durable_sequence
        super().__init__(
            f"another writer has claimed the log ({what}); this exchange has halted; command {durable_sequence} is the last "
            "one that it acknowledged"
        )
