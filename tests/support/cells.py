"""Cells of command x result code that a drawn stream rarely meets: one command for each, where accounts 16 and 17 trade.

behaviour/venue/test_answers.py sends them; agreement/test_twins.py leaves them out of what its stream has to reach.
"""

from solvent import Code, Instrument
from solvent.records import NOBODY, CommandType, command
from solvent.schema.answers import ANSWERS
from solvent.schema.commands import batch
from solvent.schema.limits import MONEY_MAX

C = CommandType
NAME = b"a".ljust(64, b"\0")
SECOND = bytes(64)


def scene(exchange_class):
    """Accounts 16 and 17 with money, a mark, a post-only bid of 17's under an ask of 16's, and the clock at 5."""
    exchange = exchange_class([Instrument("I"), Instrument("J")])
    for name in "ab":
        exchange.deposit(name, "USDT", 10_000)
    exchange.mark("I", 50_000)
    exchange.order("a", "I", "sell", 1, price=50_100).ok()
    exchange.order("b", "I", "buy", 1, price=49_900, post_only=True).ok()
    exchange.advance(5)
    return exchange


def two(kind: CommandType, **fields: int) -> bytes:
    return command(kind, records=2, **fields) + SECOND


BID = 2 << 24 | 1
_LONG = (C.OPEN_ACCOUNT, C.ORDER, C.ADD_INSTRUMENT, C.ATTACH)  # may have a second record
CELLS = {
    (C.OPEN_ACCOUNT, Code.ACCOUNT_EXISTS): command(C.OPEN_ACCOUNT, records=2) + NAME,
    (C.OPEN_ACCOUNT, Code.BAD_NAME): command(C.OPEN_ACCOUNT, records=2) + SECOND,
    (C.OPEN_ACCOUNT, Code.BAD_RECORD): command(C.OPEN_ACCOUNT),
    (C.DEPOSIT, Code.MONEY_LIMIT): command(C.DEPOSIT, account=16, amount=MONEY_MAX),
    (C.SEED_FUND, Code.MONEY_LIMIT): command(C.SEED_FUND, amount=MONEY_MAX),
    (C.SEED_FUND, Code.BAD_AMOUNT): command(C.SEED_FUND),
    (C.OPEN_ACCOUNT, Code.UNKNOWN_ACCOUNT): command(C.OPEN_ACCOUNT, records=2, order_id=99) + b"new".ljust(64, b"\0"),
    (C.SETTLE, Code.BAD_PRICE): command(C.SETTLE, price_ticks=-1),
    (C.SETTLE, Code.NO_MARK): command(C.SETTLE, instrument=1),
    (C.HALT, Code.BAD_MODE): command(C.HALT, mode=2),
    (C.MASS_CANCEL, Code.BAD_SIDE): command(C.MASS_CANCEL, account=16, side=3),
    (C.SOURCE, Code.BAD_SOURCE): command(C.SOURCE, price_ticks=1),
    (C.SET_STATE, Code.BAD_STATE): command(C.SET_STATE, listing=9),
    (C.SET_STATE, Code.BAD_PRICE): command(C.SET_STATE, listing=1, price_ticks=1),
    (C.SET_STATE, Code.NO_MARK): command(C.SET_STATE, instrument=1, listing=2),
    (C.SET_LAST, Code.BAD_PRICE): command(C.SET_LAST),
    (C.TIMER, Code.BAD_FLAGS): command(C.TIMER, account=16, spares=4),
    (C.TIMER, Code.BAD_TIMEOUT): command(C.TIMER, account=16, timeout_ns=-1),
    (C.DISCONNECT, Code.BAD_TAG): command(C.DISCONNECT, account=16),
    (C.DISCONNECT, Code.UNKNOWN_ACCOUNT): command(C.DISCONNECT, account=99, tag=1),
    (C.TIMER, Code.UNKNOWN_ACCOUNT): command(C.TIMER, account=NOBODY, timeout_ns=1),
    (C.ORDER, Code.BAD_RECORD): command(C.ORDER, account=16, records=6) + 5 * SECOND,
    (C.ATTACH, Code.BAD_RECORD): command(C.ATTACH, account=16),
    (C.ATTACH, Code.NOT_SUPPORTED): two(C.ATTACH, account=16)[:-1] + b"\1",
    (C.ATTACH, Code.BAD_SIZE): two(C.ATTACH, account=16, size_lots=-1),
    (C.ATTACH, Code.BAD_SIDE): two(C.ATTACH, account=16, side=2),
    (C.ATTACH, Code.BAD_BRACKET): two(C.ATTACH, account=16, side=1),
    (C.ADD_INSTRUMENT, Code.BAD_INSTRUMENT): two(C.ADD_INSTRUMENT),
    (C.ORDER, Code.NO_MARK): command(C.ORDER, account=16, instrument=1, price_ticks=5, size_lots=1),
    (C.FUNDING, Code.NO_MARK): command(C.FUNDING, instrument=1, order_id=1),
    (C.AMEND_TRIGGER, Code.UNKNOWN_ACCOUNT): command(C.AMEND_TRIGGER, account=99, order_id=BID, trigger_ticks=5),
    (C.AMEND, Code.POST_ONLY_WOULD_TAKE): command(C.AMEND, account=17, order_id=BID, price_ticks=501_000),
} | {
    (kind, code): command(kind, **fields)
    for kind in (C.DEPOSIT, C.WITHDRAW, C.TRANSFER)
    for code, fields in (
        (Code.BAD_AMOUNT, {"account": 16}), (Code.UNKNOWN_ACCOUNT, {"account": 99, "amount": 1}),
        (Code.UNKNOWN_CURRENCY, {"account": 16, "instrument": 9, "amount": 1}),
    )
} | {
    (kind, Code.UNKNOWN_INSTRUMENT): (two if kind == C.ATTACH else command)(kind, account=16, instrument=9, price_ticks=1)
    for kind, codes in ANSWERS.items() if Code.UNKNOWN_INSTRUMENT in codes and kind != C.BATCH
} | {(kind, Code.TIME_BACKWARDS): command(kind, time_ns=4) for kind in C} | {
    (C.BATCH, Code.BAD_BATCH): command(C.BATCH, time_ns=5, records=0),
    (C.BATCH, Code.NOT_IN_A_BATCH): batch([command(C.ADVANCE)]),
    (C.BATCH, Code.OTHER_THAN_BATCH): batch([command(C.MARK, price_ticks=1)]),
} | {
    (kind, Code.BAD_RECORD): two(kind, account=16)
    for kind, codes in ANSWERS.items() if Code.BAD_RECORD in codes and kind not in _LONG
}  # fmt: skip
ELSEWHERE = {  # in test_answers.py, test_chosen_tier.py, test_what_is_read_and_told.py, test_timers.py, test_states.py,
    # test_call_terms.py, test_trailing.py, test_shapes.py and test_brackets.py
    (C.ORDER, Code.TOO_MANY_ORDERS), (C.AMEND, Code.POSITION_LIMIT), (C.SET_LEVERAGE, Code.POSITION_LIMIT),
    (C.SET_LAST, Code.NOT_TRADING), (C.TIMER, Code.TOO_MANY_TIMERS), (C.AMEND, Code.CALL_FROZEN),
    (C.CANCEL, Code.CALL_FROZEN), (C.SET_STATE, Code.NOT_TRADING), (C.AMEND_TRIGGER, Code.TRIGGER_REACHED),
    (C.AMEND, Code.BAD_SHAPE), (C.AMEND, Code.CHILD_TOO_LARGE), (C.ORDER, Code.BAD_BRACKET), (C.ATTACH, Code.TOO_MANY_ORDERS),
    (C.ATTACH, Code.NOT_TRADING), (C.ATTACH, Code.NOT_IN_THIS_STATE), (C.ATTACH, Code.TOO_MANY_MESSAGES),
    (C.ATTACH, Code.TOO_MANY_OPEN_ORDERS),
} | {  # in test_atomic.py and agreement/test_batches.py: the codes of all that it may join
    (C.BATCH, code) for code in ANSWERS[C.BATCH]
}  # fmt: skip
