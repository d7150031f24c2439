"""Every cell of command x result code that ANSWERS declares: what a drawn stream rarely meets is met here.

The stream of agreement/test_twins.py fills most cells and asserts that no other answer occurs; CELLS of support/cells.py
are the rest.
"""

import re

import pytest

from solvent import Book, Code, Instrument, Tier
from solvent.records import CommandType, Flag, Side, TriggerKind, command, extension
from solvent.schema.answers import ANSWERS, AT_CAPACITY, possible
from solvent.schema.limits import TRAILING_MAX, TRIGGERED_MAX
from support.cells import CELLS, C, scene
from support.places import ROOT


@pytest.fixture
def ex(strict_exchange):
    return scene(strict_exchange)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell[0].name}-{cell[1].name}")
def test_cell(ex, cell):
    record = bytearray(CELLS[cell])
    if cell[1] != Code.TIME_BACKWARDS:
        record[16:24] = (5).to_bytes(8, "little")
    before = ex.digest()
    assert ex._kernel.apply(bytes(record)) == cell[1]
    assert ex.digest() == before


SLEEPS = {"account": 16, "side": Side.SELL, "size_lots": 1, "flags": Flag.MARKET, "tif": 1, "records": 2}


def test_too_many_triggers_of_one_position(strict_exchange):
    """They reserve nothing, so their number is bounded; one that ends makes room, resting or asleep."""
    ex = strict_exchange([Instrument("I")])
    ex.deposit("a", "USDT", 1)
    ex.mark("I", 50_000)
    record = command(C.ORDER, **SLEEPS) + extension(trigger_kind=TriggerKind.STOP, trigger_ticks=5)
    answers = ex.run(record * TRIGGERED_MAX)
    assert not answers.code.any()
    assert ex._kernel.apply(record) == Code.TOO_MANY_ORDERS
    assert ex.cancel("a", int(answers.order_id[0]))
    assert ex._kernel.apply(record) == Code.OK


def test_an_amendment_beyond_the_last_tier(strict_exchange):
    """All resting lots of the side count together."""
    ex = strict_exchange([Instrument("I", tiers=[Tier(100, "0.005", "0.01")])])
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
    page = (ROOT / "docs/reference/records.md").read_text()
    for kind, codes in ANSWERS.items():
        row = re.search(rf"^\| {kind.name} \| (.*) \|$", page, re.MULTILINE)
        assert row and {Code[name] for name in row[1].split(", ")} == codes, kind
