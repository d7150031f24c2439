"""Every cell of command x result code that ANSWERS declares: what a stream of generated commands rarely meets is met here.

test_twins.py counts the cells that its stream fills and asserts that no other answer occurs; CELLS below are the rest.
Both together fill the table (test_the_table_is_full).
"""

import re
from pathlib import Path

import pytest

from solvent import Book, Code, Instrument, Tier
from solvent.records import CommandType, Flag, Side, TriggerKind, command, extension
from solvent.schema.answers import ANSWERS, AT_CAPACITY, possible
from solvent.schema.limits import MONEY_MAX, TRAILING_MAX, TRIGGERED_MAX

C = CommandType
NAME = b"a".ljust(64, b"\0")
SECOND = bytes(64)


def two(kind: CommandType, **fields: int) -> bytes:
    return command(kind, records=2, **fields) + SECOND


@pytest.fixture
def ex(make):
    """Accounts 16 and 17 with money, a mark, a post-only bid of 17's under an ask of 16's, and the clock at 5."""
    exchange = make([Instrument("I"), Instrument("J")])
    for name in "ab":
        exchange.deposit(name, "USDT", 10_000)
    exchange.mark("I", 50_000)
    exchange.order("a", "I", "sell", 1, price=50_100).ok()
    exchange.order("b", "I", "buy", 1, price=49_900, post_only=True).ok()
    exchange.advance(5)
    return exchange


BID = 2 << 24 | 1
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
    (C.ORDER, Code.BAD_RECORD): command(C.ORDER, account=16, records=3) + 2 * SECOND,
    (C.ADD_INSTRUMENT, Code.BAD_INSTRUMENT): two(C.ADD_INSTRUMENT),
    (C.ORDER, Code.NO_MARK): command(C.ORDER, account=16, instrument=1, price_ticks=5, size_lots=1),
    (C.FUNDING, Code.NO_MARK): command(C.FUNDING, instrument=1, order_id=1),
    (C.AMEND, Code.POST_ONLY_WOULD_TAKE): command(C.AMEND, account=17, order_id=BID, price_ticks=501_000),
} | {
    (kind, code): command(kind, **fields)
    for kind in (C.DEPOSIT, C.WITHDRAW, C.TRANSFER)
    for code, fields in (
        (Code.BAD_AMOUNT, {"account": 16}), (Code.UNKNOWN_ACCOUNT, {"account": 99, "amount": 1}),
        (Code.UNKNOWN_CURRENCY, {"account": 16, "instrument": 9, "amount": 1}),
    )
} | {
    (kind, Code.UNKNOWN_INSTRUMENT): command(kind, account=16, instrument=9, price_ticks=1)
    for kind, codes in ANSWERS.items() if Code.UNKNOWN_INSTRUMENT in codes
} | {(kind, Code.TIME_BACKWARDS): command(kind, time_ns=4) for kind in C} | {
    (kind, Code.BAD_RECORD): two(kind, account=16)
    for kind, codes in ANSWERS.items() if Code.BAD_RECORD in codes and kind not in (C.OPEN_ACCOUNT, C.ORDER, C.ADD_INSTRUMENT)
}  # fmt: skip
ELSEWHERE = {  # below, and in test_chosen_tier.py
    (C.ORDER, Code.TOO_MANY_ORDERS), (C.AMEND, Code.POSITION_LIMIT), (C.SET_LEVERAGE, Code.POSITION_LIMIT),
}  # fmt: skip


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell[0].name}-{cell[1].name}")
def test_cell(ex, cell):
    record = bytearray(CELLS[cell])
    if cell[1] != Code.TIME_BACKWARDS:
        record[16:24] = (5).to_bytes(8, "little")
    before = ex.digest()
    assert ex._kernel.apply(bytes(record)) == cell[1]
    assert ex.digest() == before


SLEEPS = {"account": 16, "side": Side.SELL, "size_lots": 1, "flags": Flag.MARKET, "tif": 1, "records": 2}


def test_too_many_triggers_of_one_position(make):
    """They reserve nothing, so their number is bounded; one that ends makes room, resting or asleep."""
    ex = make([Instrument("I")])
    ex.deposit("a", "USDT", 1)
    ex.mark("I", 50_000)
    record = command(C.ORDER, **SLEEPS) + extension(trigger_kind=TriggerKind.STOP, trigger_ticks=5)
    answers = ex.run(record * TRIGGERED_MAX)
    assert not answers.code.any()
    assert ex._kernel.apply(record) == Code.TOO_MANY_ORDERS
    assert ex.cancel("a", int(answers.order_id[0]))
    assert ex._kernel.apply(record) == Code.OK


def test_an_amendment_beyond_the_last_tier(make):
    """All resting lots of the side count together."""
    ex = make([Instrument("I", tiers=[Tier(100, "0.005", "0.01")])])
    ex.deposit("a", "USDT", 10**6)
    ex.mark("I", 50_000)
    ids = [ex.order("a", "I", "buy", 50, price=49_000).order_id for _ in range(2)]
    before = ex.digest()
    assert ex._kernel.apply(command(C.AMEND, account=16, order_id=ids[1], size_lots=51)) == Code.POSITION_LIMIT
    assert ex.digest() == before


def test_too_many_trailing_orders():
    book = Book(log=())
    book.mark(50_000)
    record = command(C.ORDER, **SLEEPS) + extension(trigger_kind=TriggerKind.TRAIL_TICKS, trail=5)
    answers = book.run(record * TRAILING_MAX)
    assert not answers.code.any()
    assert book._kernel.apply(record) == Code.TOO_MANY_ORDERS
    assert book.cancel(16, int(answers.order_id[0]))
    assert book._kernel.apply(record) == Code.OK
    book.check()


def test_the_table_is_closed():
    """What is not declared is not possible, and capacity's answers are none of a test's."""
    for kind in CommandType:
        for code in Code:
            declared = code in ANSWERS[kind] or (kind, code) in AT_CAPACITY
            assert possible(kind, code) == declared
    assert possible(999, Code.UNKNOWN_COMMAND) and not possible(999, Code.OK)
    assert all(code not in ANSWERS[kind] for kind, code in AT_CAPACITY)


def test_the_page_shows_the_table():
    page = (Path(__file__).parents[1] / "docs" / "reference" / "records.md").read_text()
    for kind, codes in ANSWERS.items():
        row = re.search(rf"^\| {kind.name} \| (.*) \|$", page, re.MULTILINE)
        assert row and {Code[name] for name in row[1].split(", ")} == codes, kind
