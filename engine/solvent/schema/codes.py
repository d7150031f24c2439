"""Result codes, reasons and the exceptions that carry them.

Owns the numbers that commands are answered with, in one band per floor, and what to do about each. Numbers
are never reused. The compiled core holds the same numbers (compared by a test); this module imports nothing
of the package.
"""

from enum import IntEnum

__all__ = [
    "Busy", "Code", "EventsDropped", "FeedGap", "HINTS", "Halted", "InputError", "InvariantBroken", "OutOfRange",
    "Rejected", "SolventError", "WrongType", "applied", "shown",
]  # fmt: skip


class Code(IntEnum):
    """Why a command was refused; OK is 0. 1xx envelope, 2xx names, 3xx fields, 4xx orders, 5xx money, 6xx margin."""

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


HINTS: dict[Code, str] = {
    Code.OK: "accepted",
    Code.UNKNOWN_COMMAND: "the record's type is not a command",
    Code.TIME_BACKWARDS: "time_ns lies before the exchange's clock; send commands in time order",
    Code.BAD_RECORD: "a command is 64 bytes, 128 with a second record (names, extended orders), and its header says how many",
    Code.NOT_SUPPORTED: "a field of the second record is reserved for what is not built (iceberg, peg, OCO): use 0",
    Code.UNKNOWN_ACCOUNT: "open the account first: open_account(name) or deposit(name, ...)",
    Code.UNKNOWN_INSTRUMENT: "the exchange was made without this instrument",
    Code.UNKNOWN_CURRENCY: "the exchange has no such currency; name it in Exchange(currencies=...)",
    Code.ACCOUNT_EXISTS: "an account of this name is open already",
    Code.BAD_NAME: "a name is 1 to 64 bytes of UTF-8 without control characters, and not in angle brackets",
    Code.TOO_MANY_ACCOUNTS: "the limit of accounts is reached",
    Code.BAD_SIDE: "side is 'buy' or 'sell'",
    Code.BAD_SIZE: "size is a positive multiple of the lot, not above the highest; close_position takes none",
    Code.BAD_PRICE: "price is positive, a multiple of the tick (a mark is rounded), not above the instrument's highest price",
    Code.BAD_TIF: "tif is 'gtc', 'ioc', 'fok' or 'gtd'",
    Code.BAD_FLAGS: "post_only is for limits that rest; market is ioc, fok or gtd with trigger; a Book has no reduce-only",
    Code.BAD_CLIENT_ID: "a client id is a whole number below 2**63; 0 is none",
    Code.BAD_TRIGGER: "a stop has a legal trigger price, a trailing stop a distance in ticks or a nine-decimal rate below 1",
    Code.BAD_EXPIRY: "tif gtd goes with an expiry later than the clock, and only with one",
    Code.BAD_SELF_TRADE: "the self-trade mode is 0 to 4 (docs/reference/orders.md), its group a whole number from 0",
    Code.BAD_SLIPPAGE: "slippage is a nine-decimal rate above 0 and below 1, of a market order without a price",
    Code.UNKNOWN_ORDER: "the account has no live order of this id; it may be finished or another account's",
    Code.DUPLICATE_CLIENT_ID: "this client id was used; the answer's order_id is the order it belongs to",
    Code.POST_ONLY_WOULD_TAKE: "the price would trade at once; move it away from the touch",
    Code.FOK_UNFILLED: "the book cannot fill the whole size within the limit",
    Code.REDUCE_ONLY_WOULD_OPEN: "nothing to reduce on this side, or better-priced resting reduce-only orders cover all of it",
    Code.TOO_MANY_ORDERS: "the limit of live orders is reached, or that of reduce-only or triggered orders of a position",
    Code.AMEND_NOTHING: "neither size nor price would change",
    Code.AMEND_BELOW_FILLED: "the new size is not above what is filled; cancel instead",
    Code.TRIGGER_REACHED: "the trigger is reached already and the order asked to be refused then",
    Code.NO_REFERENCE: "a trailing stop starts from the price it watches, and there is none yet",
    Code.BAD_AMOUNT: "the amount is a multiple of 10**-settle_decimals above 0 (signed for move_margin), below 2**62 of them",
    Code.INSUFFICIENT_BALANCE: "more than is free; holds, initial margin, losses and what backs another currency are not",
    Code.WITHDRAWALS_CLOSED: "the currency has an open deficit; withdrawals wait until it is repaid",
    Code.MONEY_LIMIT: "all deposits of a currency stay below 2**62 units",
    Code.NO_MARK: "the instrument has no mark price yet: tell mark, index or source, whichever makes it",
    Code.PRICE_BAND: "buys may not be priced above, sells not below, the band around mark, or around a trigger",
    Code.INSUFFICIENT_MARGIN: "free balance is below initial margin, open loss to mark and fee",
    Code.LEVERAGE_ABOVE_TIER: "the tier of the resulting size allows less leverage; lower it or trade smaller",
    Code.POSITION_LIMIT: "position and open orders would exceed the last tier, or the one that was chosen",
    Code.MODE_IN_USE: "the mode changes only while flat without orders; to change only leverage, name none",
    Code.NO_ISOLATED_POSITION: "there is no open isolated position to move margin of",
    Code.BELOW_INITIAL_MARGIN: "the margin left would not bear initial margin at mark and its closing orders' loss",
    Code.BAD_LEVERAGE: "leverage is 1 or more, in millionths at the finest; tiers that deduct, or are factors, are not chosen",
    Code.BAD_MODE: "mode is 'isolated' or 'cross'",
    Code.BAD_RATE: "a funding rate lies between -1 and 1 and has at most nine decimals",
    Code.PERIOD_SETTLED: "the period is not above the last one that was settled; the first is 1 or more",
    Code.PRICE_IS_MODELLED: "the instrument's model computes this: tell its sources, or else its index, and let time advance",
    Code.NOT_TRADING: "the instrument is halted or was settled; orders in it may only be cancelled or made smaller",
    Code.NOT_RELATED: "money moves between an account and its own sub-accounts, not between strangers",
    Code.INSTRUMENT_EXISTS: "an instrument of this name was added already, open, halted or settled",
    Code.BAD_INSTRUMENT: "the records are no instrument that the core could compute with; use add_instrument(Instrument(...))",
    Code.BAD_SOURCE: "the instrument's index has no constituent of this number",
    Code.BAD_LEG: "in hedge mode name the leg, 'long' or 'short'; in one-way mode, and in a Book, name none",
}


def shown(value: object) -> str:
    """A value as a message quotes it: its repr, cut where it is long; of a number too long to be written its type."""
    try:
        text = repr(value)
    except ValueError:  # more digits than Python writes
        return f"{type(value).__name__} of thousands of digits"
    return text if len(text) <= 200 else f"{text[:200]}..."


class SolventError(Exception):
    """Base of everything this package raises on purpose."""

    def __reduce__(self) -> tuple[object, ...]:
        """Pickles and copies as what it is, whatever its class was made from."""
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[SolventError], args: tuple[object, ...], attributes: dict[str, object]) -> SolventError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error


class InputError(SolventError, ValueError):
    """Input that cannot be understood at all (no number, unknown word). Nothing was done."""


class WrongType(InputError, TypeError):
    """A type that is refused where money enters: float, bool, None."""


class OutOfRange(InputError, OverflowError):
    """An integer of `submit` or `revoke` that its field cannot hold. Nothing was done."""


class Rejected(SolventError):
    """A control command was refused. `code` says why, `hint` what to do; nothing changed."""

    def __init__(self, code: Code, hint: str = ""):
        self.code = code
        self.hint = hint or HINTS[code]
        super().__init__(f"{code.name}: {self.hint}")


def applied(error: BaseException) -> int | None:
    """How many commands of a batch had been applied, each whole, when this exception left `run` or `batch`: a prefix of the
    batch. None for an exception that came from elsewhere, or before anything was done."""
    return getattr(error, "commands_applied", None)


class InvariantBroken(SolventError):
    """`check()`, or an auditor, found a sum that does not hold. The text names the clause, the numbers, and the page that
    explains the clause.

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
    """The events asked for are no longer held (retain=False and nobody had a cursor on them)."""


class FeedGap(SolventError):
    """A reader of a feed missed messages, or was given one that does not follow. It goes on with a new snapshot."""


class Busy(SolventError, RuntimeError):
    """A second thread, or a re-entrant call, met an exchange that is working. Nothing was done."""


class Halted(SolventError, RuntimeError):
    """The core met a state it must not be in and stopped for good: a clause of docs/explanation/invariants.md is
    broken, arithmetic went beyond 64 bits, or memory is gone. The text says which, and in which command."""
