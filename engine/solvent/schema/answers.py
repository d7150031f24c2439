"""The codes that can answer each command: docs/reference/records.md renders this table, and the tests fill it.

Owns ANSWERS. Some test reaches every declared cell, and any other answer is a fault. Never decides anything.
"""

from solvent.schema.codes import Code
from solvent.schema.commands import ALONE
from solvent.schema.words import CommandType

_ANY = {Code.OK, Code.TIME_BACKWARDS}
_SINGLE = _ANY | {Code.BAD_RECORD}
_PURSE = _SINGLE | {Code.UNKNOWN_ACCOUNT, Code.UNKNOWN_CURRENCY, Code.BAD_AMOUNT}
_NAMED = _SINGLE | {Code.UNKNOWN_ACCOUNT, Code.UNKNOWN_INSTRUMENT}
_ALLOWED = {
    Code.POST_ONLY_WOULD_TAKE, Code.PRICE_BAND, Code.INSUFFICIENT_MARGIN, Code.LEVERAGE_ABOVE_TIER, Code.POSITION_LIMIT,
}  # fmt: skip
_LIMITED = {Code.SIZE_OUT_OF_BOUNDS, Code.NOTIONAL_TOO_SMALL, Code.TOO_MANY_MESSAGES}

ANSWERS: dict[CommandType, set[Code]] = {
    CommandType.ADVANCE: _SINGLE,
    CommandType.OPEN_ACCOUNT: _SINGLE | {Code.BAD_NAME, Code.ACCOUNT_EXISTS, Code.UNKNOWN_ACCOUNT},
    CommandType.DEPOSIT: _PURSE | {Code.MONEY_LIMIT},
    CommandType.WITHDRAW: _PURSE | {Code.WITHDRAWALS_CLOSED, Code.INSUFFICIENT_BALANCE},
    CommandType.SEED_FUND: (_PURSE | {Code.MONEY_LIMIT}) - {Code.UNKNOWN_ACCOUNT},
    CommandType.SET_POSITION_MODE: _NAMED | {Code.BAD_MODE, Code.MODE_IN_USE},
    CommandType.SET_LEVERAGE: _NAMED | {
        Code.BAD_LEG, Code.BAD_MODE, Code.BAD_LEVERAGE, Code.MODE_IN_USE, Code.LEVERAGE_ABOVE_TIER, Code.INSUFFICIENT_MARGIN,
        Code.POSITION_LIMIT,
    },
    CommandType.MOVE_MARGIN: _NAMED | {
        Code.BAD_LEG, Code.BAD_AMOUNT, Code.NO_ISOLATED_POSITION, Code.INSUFFICIENT_BALANCE, Code.BELOW_INITIAL_MARGIN,
    },
    CommandType.TRANSFER: _PURSE | {Code.NOT_RELATED, Code.INSUFFICIENT_BALANCE},
    CommandType.ADD_INSTRUMENT: _ANY | {Code.UNKNOWN_CURRENCY, Code.INSTRUMENT_EXISTS, Code.BAD_INSTRUMENT},
    CommandType.HALT: _SINGLE | {Code.UNKNOWN_INSTRUMENT, Code.BAD_MODE, Code.NOT_TRADING},
    CommandType.SETTLE: _SINGLE | {Code.UNKNOWN_INSTRUMENT, Code.BAD_PRICE, Code.NO_MARK, Code.NOT_TRADING},
    CommandType.SET_STATE: _SINGLE | {
        Code.UNKNOWN_INSTRUMENT, Code.BAD_STATE, Code.BAD_PRICE, Code.NO_MARK, Code.NOT_TRADING,
    },
    CommandType.MARK: _SINGLE | {Code.UNKNOWN_INSTRUMENT, Code.BAD_PRICE, Code.PRICE_IS_MODELLED, Code.NOT_TRADING},
    CommandType.FUNDING: _SINGLE | {
        Code.UNKNOWN_INSTRUMENT, Code.BAD_RATE, Code.PERIOD_SETTLED, Code.NO_MARK, Code.PRICE_IS_MODELLED,
        Code.NOT_TRADING,
    },
    CommandType.INDEX: _SINGLE | {Code.UNKNOWN_INSTRUMENT, Code.BAD_PRICE, Code.PRICE_IS_MODELLED, Code.NOT_TRADING},
    CommandType.SET_LAST: _SINGLE | {Code.UNKNOWN_INSTRUMENT, Code.BAD_PRICE, Code.NOT_TRADING},
    CommandType.SOURCE: _SINGLE | {Code.UNKNOWN_INSTRUMENT, Code.BAD_PRICE, Code.BAD_SOURCE, Code.NOT_TRADING},
    CommandType.ORDER: _NAMED | _ALLOWED | {
        Code.NOT_SUPPORTED, Code.BAD_SIDE, Code.BAD_SIZE, Code.BAD_PRICE, Code.BAD_TIF, Code.BAD_FLAGS, Code.BAD_CLIENT_ID,
        Code.BAD_TRIGGER, Code.BAD_EXPIRY, Code.BAD_SELF_TRADE, Code.BAD_SLIPPAGE, Code.DUPLICATE_CLIENT_ID,
        Code.FOK_UNFILLED, Code.REDUCE_ONLY_WOULD_OPEN, Code.TOO_MANY_ORDERS, Code.TRIGGER_REACHED, Code.NO_REFERENCE,
        Code.NO_MARK, Code.BAD_LEG, Code.NOT_TRADING, Code.NOT_IN_THIS_STATE, Code.TOO_MANY_OPEN_ORDERS, Code.BAD_SHAPE,
        Code.BAD_BRACKET,
    } | _LIMITED,
    CommandType.AMEND: _SINGLE | _ALLOWED | {
        Code.UNKNOWN_ACCOUNT, Code.UNKNOWN_ORDER, Code.BAD_SIZE, Code.BAD_PRICE, Code.AMEND_NOTHING, Code.AMEND_BELOW_FILLED,
        Code.NOT_TRADING, Code.BAD_SHAPE, Code.CALL_FROZEN, Code.CHILD_TOO_LARGE,
    } | _LIMITED,
    CommandType.ATTACH: _NAMED | {
        Code.NOT_SUPPORTED, Code.BAD_SIDE, Code.BAD_SIZE, Code.BAD_SELF_TRADE, Code.BAD_TAG, Code.BAD_LEG, Code.BAD_BRACKET,
        Code.PRICE_BAND, Code.NOT_TRADING, Code.NOT_IN_THIS_STATE, Code.REDUCE_ONLY_WOULD_OPEN, Code.TOO_MANY_ORDERS,
        Code.TOO_MANY_OPEN_ORDERS, Code.TOO_MANY_MESSAGES,
    },
    CommandType.AMEND_TRIGGER: _SINGLE | {
        Code.UNKNOWN_ACCOUNT, Code.UNKNOWN_ORDER, Code.BAD_TRIGGER, Code.AMEND_NOTHING, Code.PRICE_BAND, Code.TRIGGER_REACHED,
        Code.TOO_MANY_MESSAGES,
    },
    CommandType.CANCEL: _SINGLE | {Code.UNKNOWN_ACCOUNT, Code.UNKNOWN_ORDER, Code.CALL_FROZEN},
    CommandType.MASS_CANCEL: _NAMED | {Code.BAD_SIDE},
    CommandType.TIMER: _NAMED | {Code.BAD_FLAGS, Code.BAD_TIMEOUT, Code.TOO_MANY_TIMERS},
    CommandType.DISCONNECT: _SINGLE | {Code.UNKNOWN_ACCOUNT, Code.BAD_TAG},
}  # fmt: skip
_ONE_BY_ONE = set().union(*(codes for kind, codes in ANSWERS.items() if kind not in ALONE)) - {Code.AMEND_NOTHING}
ANSWERS[CommandType.BATCH] = _ONE_BY_ONE | {
    Code.BAD_BATCH, Code.NOT_IN_A_BATCH, Code.OTHER_THAN_BATCH, Code.UNKNOWN_COMMAND,
}  # fmt: skip
"""The possible codes by command. An unknown type is answered UNKNOWN_COMMAND (or TIME_BACKWARDS, BAD_RECORD)."""

UNKNOWN = {Code.UNKNOWN_COMMAND, Code.TIME_BACKWARDS, Code.BAD_RECORD}

AT_CAPACITY: set[tuple[CommandType, Code]] = {
    (CommandType.OPEN_ACCOUNT, Code.TOO_MANY_ACCOUNTS),  # 2**24 accounts
    (CommandType.SET_LEVERAGE, Code.TOO_MANY_ORDERS),  # no memory for one more position
    (CommandType.SET_POSITION_MODE, Code.TOO_MANY_ORDERS),
    (CommandType.ADD_INSTRUMENT, Code.TOO_MANY_ORDERS),
    (CommandType.AMEND, Code.TOO_MANY_ORDERS),  # 2**24 price levels or nodes
}
"""Answers that only a full exchange gives; no test fills one."""


def possible(command: int, code: int) -> bool:
    """True if a command may be answered with this code."""
    if command not in list(CommandType):
        return code in UNKNOWN
    kind = CommandType(command)
    return code in ANSWERS[kind] or (kind, Code(code)) in AT_CAPACITY
