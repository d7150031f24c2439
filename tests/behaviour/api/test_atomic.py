"""Atomic batches: all of their commands are applied, or none if one would be refused."""

import itertools

import pytest

import solvent
import solvent.reference
from solvent import Code, EventType, InputError, Instrument, Rejected, Trigger
from solvent.records import NOBODY, CommandType, Ending, Tif, command, decode
from solvent.schema.answers import ANSWERS
from solvent.schema.commands import ALONE, batch, records_of
from solvent.schema.limits import BATCH_MAX, BATCH_RECORDS_MAX, MEMBER_RECORDS_MAX
from support.cells import CELLS, C, scene
from support.order_desk import Desk, trades

MODULES = [solvent, solvent.reference]
SPEC = "shared/spec/order-vocabulary.md, 6"  # the source of the worked book
X = Instrument("X", contract_size=1, tick=1, max_price=1_000)


def told(desk: Desk, name: str, who: str, **terms) -> tuple[str, dict]:
    """A call of a desk's face; price and size by the names that it has."""
    if desk.money:
        return name, {"account": who} | ({"instrument": "X"} if name == "order" else {}) | terms
    names = {"price": "price_ticks", "size": "size_lots"}
    return name, {"account": desk.ids[who]} | {names.get(each, each): value for each, value in terms.items()}


@pytest.fixture
def worked(order_desk):
    """SPEC: a bids 8 at 30, b 2 behind it, c offers 5 at 32."""
    order_desk.mark(31)
    bid = order_desk.order("a", "buy", 8, 30, client_id=5).ok()
    order_desk.order("b", "buy", 2, 30).ok()
    order_desk.order("c", "sell", 5, 32).ok()
    return order_desk, bid


def test_the_worked_batch_that_is_refused(worked):
    desk, bid = worked
    before, count, resting = desk.face.digest(), desk.face.command_count, desk.face._kernel.resting(0)
    answer = desk.face.atomic(
        [
            told(desk, "order", "a", side="sell", size=1, price=34),
            told(desk, "cancel", "a", order_id=bid.order_id),
            told(desk, "order", "a", side="buy", size=6, price=32, tif="fok"),
            told(desk, "order", "a", side="sell", size=1, price=35),
        ]
    )
    assert not answer and (answer.code, answer.refused, answer.acks) == (Code.FOK_UNFILLED, 2, [])
    assert desk.face._kernel.resting(0) == resting and desk.face.command_count == count + 1
    assert repr(answer) == "Atomic(FOK_UNFILLED, refused=2)" and "whole size" in answer.hint
    assert desk.face.digest() == before
    *_, begin = desk.face.drain()
    assert (begin.type, begin.code, begin.filled_lots) == (EventType.BEGIN, Code.FOK_UNFILLED, 2)


def test_the_worked_batch_that_is_applied(worked):
    desk, _ = worked
    answer = desk.face.atomic(
        [
            told(desk, "order", "a", side="buy", size=9, price=32, self_trade="allow"),
            told(desk, "order", "a", side="sell", size=2, price=36),
        ],
        account="a" if desk.money else desk.ids["a"],
    )
    assert answer and answer.refused is None and repr(answer) == "Atomic(OK, 2 calls)"
    first, second = answer.acks
    assert (first.filled, first.resting, second.resting) == (5, 4, 2)
    assert trades(first) and not trades(second) and first.seq == answer.seq + 1
    assert [event.type.name for event in second.events] == ["BEGIN", "ACCEPTED", "RESTED"]
    assert desk.depth() == ([(32, 4), (30, 10)], [(36, 2)])


def test_nothing_of_a_refused_batch_is_used_up(worked):
    """The next order has the id, and may have the client id, that it would have had without the batch."""
    desk, _ = worked
    plain = desk.face.fork()
    quote = told(desk, "order", "b", side="buy", size=1, price=29, client_id=77)
    assert desk.face.atomic([quote, told(desk, "cancel", "b", order_id=99)]).code == Code.UNKNOWN_ORDER
    acks = [face.order(**quote[1]) for face in (desk.face, plain)]
    assert acks[0] and acks[0].order_id == acks[1].order_id
    assert desk.face.digest() == plain.digest()


def test_what_is_no_refusal(worked):
    """A fill in part, an immediate order without a counterparty, an amendment that changes nothing, a trigger whose order is
    refused when it fires."""
    desk, bid = worked
    stop = {"trigger": Trigger.stop(31, by="last", if_reached="fire"), "tif": "fok"}
    answer = desk.face.atomic(
        [
            told(desk, "order", "a", side="buy", size=7, price=32, tif="ioc"),
            told(desk, "order", "b", side="buy", size=7, price=31, tif="ioc"),
            told(desk, "amend", "a", order_id=bid.order_id, size=8),
            told(desk, "order", "b", side="sell", size=999, price=31, **stop),
        ]
    )
    assert answer, answer
    partly, unfilled, nothing, fired = answer.acks
    assert (partly.filled, unfilled.filled, nothing.code) == (5, 0, Code.AMEND_NOTHING)
    assert fired.code == Code.OK


def test_a_liquidation_in_a_batch_happens_as_between_single_commands(exchange_class):
    """The mark may cost others; the orders behind it find what it left (SAFE-1 is audited member by member)."""
    made = solvent.testing.audited(exchange_class, every=1)
    alone, together = (made([X]) for _ in range(2))
    calls = [
        ("mark", {"instrument": "X", "price": 80}),
        ("order", {"account": "c", "instrument": "X", "side": "buy", "size": 3, "price": 80}),
        ("mark", {"instrument": "X", "price": 81}),
    ]
    for ex in (alone, together):
        for name, cash in (("a", 150), ("b", 10_000), ("c", 10_000)):
            ex.deposit(name, "USDT", cash)
        ex.mark("X", 100)
        ex.set_leverage("a", "X", 10, mode="isolated")
        ex.order("b", "X", "sell", 10, price=100).ok()
        ex.order("a", "X", "buy", 10, price=100).ok()
    for name, terms in calls:
        getattr(alone, name)(**terms)
    assert together.atomic(calls)
    assert alone.digest() == together.digest()
    events = [[e for e in ex.drain() if e.type not in (EventType.BEGIN,)] for ex in (alone, together)]
    assert [e.type for e in events[0]] == [e.type for e in events[1]]
    assert EventType.LIQUIDATION in {e.type for e in events[0]}


# --- Forms that no state admits


CANCEL = command(C.CANCEL, account=1, order_id=9)
FORMS = [  # what, members, head's account, code, which
    ("empty", [], NOBODY, Code.BAD_BATCH, 0),
    ("too many", [CANCEL] * (BATCH_MAX + 1), NOBODY, Code.BAD_BATCH, BATCH_MAX),
    ("cut off", [CANCEL, command(C.ORDER, account=1, records=2)], NOBODY, Code.BAD_BATCH, 1),
    ("no records", [CANCEL, command(C.ORDER, records=0)], NOBODY, Code.BAD_BATCH, 1),
    ("many records", [command(C.ORDER, records=7) + bytes(6 * 64)], NOBODY, Code.BAD_BATCH, 0),
    ("nested", [CANCEL, batch([CANCEL])], NOBODY, Code.NOT_IN_A_BATCH, 1),
    ("nested, of one record", [command(C.BATCH)], NOBODY, Code.NOT_IN_A_BATCH, 0),
    *((each.name, [CANCEL, command(each)], NOBODY, Code.NOT_IN_A_BATCH, 1) for each in sorted(ALONE - {C.BATCH})),
    ("another account", [CANCEL, command(C.CANCEL, account=2)], 1, Code.OTHER_THAN_BATCH, 1),
    ("everybody's", [command(C.MASS_CANCEL, account=NOBODY, instrument=0, side=2)], 1, Code.OTHER_THAN_BATCH, 0),
    ("an earlier time", [CANCEL, command(C.CANCEL, account=1, time_ns=-1)], NOBODY, Code.OTHER_THAN_BATCH, 1),
    ("a later time", [command(C.CANCEL, account=1, time_ns=1)], 1, Code.OTHER_THAN_BATCH, 0),
    ("unknown", [command(999)], NOBODY, Code.UNKNOWN_COMMAND, 0),
]


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize(
    ("members", "account", "code", "place"), [each[1:] for each in FORMS], ids=[each[0] for each in FORMS]
)
def test_a_form_is_refused_before_anything_changes(module, members, account, code, place):
    book = module.Book()
    ask = book.order(1, "sell", 5, price_ticks=101)
    before = book.digest()
    assert book._kernel.apply(batch(members, account)) == code
    begin = list(book.drain())[-1]
    assert (begin.type, begin.code, begin.filled_lots, begin.command) == (EventType.BEGIN, code, place, CommandType.BATCH)
    assert book.digest() == before and book.command_count == 2 and book.cancel(1, ask.order_id)


@pytest.mark.parametrize("module", MODULES)
def test_a_head_that_counts_wrongly_is_no_command(module):
    """Nothing is applied, and nothing is counted; in a buffer of commands the whole buffer is refused."""
    book = module.Book()
    whole = batch([CANCEL, CANCEL])
    for behind in (1, 3, -1, BATCH_RECORDS_MAX + 1, 2**63 - 1):
        record = whole[:56] + (behind % 2**64).to_bytes(8, "little") + whole[64:]
        assert book._kernel.apply(record) == Code.BAD_RECORD
        if behind != 1:
            with pytest.raises(InputError):
                book.run(record)
    assert book.command_count == 0
    assert book._kernel.apply(command(C.BATCH)) == Code.BAD_RECORD and book.command_count == 1  # one record, and no head
    assert records_of(whole) == 3 and records_of(whole[:-1]) == 0 == records_of(b"")


@pytest.mark.parametrize("module", MODULES)
def test_as_many_and_as_long_as_may_be(module):
    book = module.Book(10**6)
    order = command(C.ORDER, account=1, price_ticks=5, size_lots=1, records=2) + bytes(64)
    assert book._kernel.apply(batch([order] * BATCH_MAX)) == Code.OK and book.depth() == ([(5, BATCH_MAX)], [])
    longest = command(C.ORDER, account=1, records=MEMBER_RECORDS_MAX) + bytes(64 * (MEMBER_RECORDS_MAX - 1))
    assert book._kernel.apply(batch([longest] * BATCH_MAX)) == Code.BAD_RECORD  # of its first member
    assert book.command_count == 2


# --- Codes


@pytest.fixture
def ex(strict_exchange):
    return scene(strict_exchange)


MEMBERS = [cell for cell in CELLS if cell[0] not in ALONE and cell[1] not in (Code.TIME_BACKWARDS, Code.BAD_RECORD)]


@pytest.mark.parametrize("cell", MEMBERS, ids=lambda cell: f"{cell[0].name}-{cell[1].name}")
def test_a_batch_has_the_code_of_the_first_that_would_be_refused(ex, cell):
    record = bytearray(CELLS[cell])
    record[16:24] = (5).to_bytes(8, "little")
    good = command(C.ORDER, time_ns=5, account=16, side=1, price_ticks=501_500, size_lots=1)
    before = ex.digest()
    assert ex._kernel.apply(batch([good, bytes(record), good], time_ns=5)) == cell[1]
    assert ex._kernel.last == (0, 1, 0) and ex.digest() == before
    assert cell[1] in ANSWERS[C.BATCH]


def test_amend_nothing_refuses_no_batch():
    assert Code.AMEND_NOTHING in ANSWERS[C.AMEND] and Code.AMEND_NOTHING not in ANSWERS[C.BATCH]


def test_an_earlier_batch_is_refused_by_the_clock(ex):
    assert ex._kernel.apply(batch([command(C.MARK, time_ns=4, price_ticks=500_000)], time_ns=4)) == Code.TIME_BACKWARDS


# --- Time


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("size", [1, 0])
def test_time_passes_once_and_first_whatever_becomes_of_the_batch(module, size):
    """An order that ends by the time of a batch ends before its first member, also when the batch is refused."""
    book = module.Book()
    bid = book.order(1, "buy", 5, price_ticks=99, tif="gtd", expiry_ns=7)
    list(book.drain())
    sells = [command(C.ORDER, time_ns=9, account=2, side=1, price_ticks=99, size_lots=each, tif=Tif.IOC) for each in (1, size)]
    book._kernel.apply(batch(sells, time_ns=9))
    events = list(book.drain())
    begins = [n for n, event in enumerate(events) if event.type == EventType.BEGIN]
    done = next(n for n, event in enumerate(events) if event.type == EventType.DONE and event.order_id == bid.order_id)
    assert (begins[0], done, events[done].ending, book.time_ns) == (0, 1, Ending.EXPIRED, 9)
    assert begins[1:] == ([] if not size else begins[1:]) and len(begins) == (3 if size else 1)
    assert {event.command_seq for event in events if event.type == EventType.BEGIN} == {2}


# --- The face


BID = ("order", {"account": 1, "side": "buy", "size_lots": 1, "price_ticks": 5, "client_id": 7})


@pytest.mark.parametrize("module", MODULES)
def test_strict_raises_the_code_and_names_the_call(module):
    book = module.Book(strict=True)
    with pytest.raises(Rejected) as refusal:
        book.atomic(
            [
                ("order", {"account": 1, "side": "buy", "size_lots": 1, "price_ticks": 5}),
                ("cancel", {"account": 1, "order_id": 9}),
            ]
        )
    assert refusal.value.code == Code.UNKNOWN_ORDER and "call 1 of the batch" in refusal.value.__notes__[0]
    assert book.depth() == ([], [])


BAD = [
    ([], "1 to 256"),
    ([("cancel", {"account": 1, "order_id": 9})] * 257, "1 to 256"),
    ([("advance", {"time_ns": 5})], "a batch takes order"),
    ([("order", {"account": 1})], "order needs"),
    (["cancel"], "a call is"),
    ([("amend", {"account": 1, "order_id": 9, "remaining_lots": 5})], "say the size"),
    ([BID, ("amend", {"account": 1, "client_id": 7, "size_lots": 2})], "amend none"),
]


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize(("calls", "says"), BAD, ids=lambda each: str(each)[:30])
def test_calls_that_cannot_be_understood(module, calls, says):
    book = module.Book()
    with pytest.raises(InputError, match=says):
        book.atomic(calls)
    assert book.command_count == 0


def test_an_exchange_takes_what_traders_and_the_host_may_join(ex):
    answer = ex.atomic(
        [
            ("deposit", {"account": "a", "currency": "USDT", "amount": 5}),
            ("set_leverage", {"account": "a", "instrument": "J", "leverage": 7, "mode": "isolated"}),
            ("mark", {"instrument": "J", "price": 70}),
            ("order", {"account": "a", "instrument": "J", "side": "buy", "size": 1, "price": 69, "client_id": "bid-1"}),
            ("cancel", {"account": "a", "client_id": "bid-1"}),
            ("cancel_after", {"account": "b", "timeout_ns": 5}),
            ("seed_fund", {"currency": "USDT", "amount": 5}),
        ]
    )
    assert answer and [ack.code for ack in answer.acks] == [Code.OK] * 7
    assert ex.position("a", "J").leverage == 7 and ex.open_orders("a") and ex.prices("J").mark == 70
    with pytest.raises(InputError, match="more than one command"):
        ex.atomic([("deposit", {"account": "new", "currency": "USDT", "amount": 5})])
    with pytest.raises(InputError, match="say the mode"):
        ex.atomic([("set_leverage", {"account": "a", "instrument": "J", "leverage": 7})])
    with pytest.raises(Rejected, match="UNKNOWN_ACCOUNT"):
        ex.atomic([("cancel_all", {"account": "a"})], account="new")
    assert ex.atomic([("mark", {"instrument": "J", "price": 71})], account="a").code == Code.OTHER_THAN_BATCH


@pytest.mark.parametrize("module", MODULES)
def test_answers_need_no_events(module):
    book = module.Book(log=())
    ask = {"account": 1, "side": "sell", "size_lots": 5, "price_ticks": 101}
    answer = book.atomic([("order", ask), ("order", ask | {"side": "buy", "account": 2, "size_lots": 2})])
    assert [int(ack.filled) for ack in answer.acks] == [0, 2] and not answer.acks[0].events


@pytest.mark.parametrize("module", MODULES)
def test_a_fork_shows_what_a_batch_would_do(module):
    book = module.Book()
    calls = [("order", {"account": 1, "side": "sell", "size_lots": 5, "price_ticks": 101})]
    before = book.digest()
    other = book.fork()
    assert other.atomic(calls) and book.digest() == before != other.digest()
    assert book.atomic(calls) and book.digest() == other.digest()


# --- Among other commands, and kept


def mixed(n: int) -> bytes:
    """Orders one by one, and in batches, of which every third is refused."""
    found = []
    for i in range(n):
        order = command(C.ORDER, account=1 + i % 3, side=i % 2, price_ticks=100 + i % 5, size_lots=1 + i % 4)
        bad = command(C.CANCEL, account=1, order_id=1)
        found.append([order, batch([order, order]), batch([order, order, bad])][i % 3])
    return b"".join(found)


@pytest.mark.parametrize("module", MODULES)
def test_a_run_of_commands_has_a_row_for_a_batch(module):
    book, single = module.Book(), module.Book()
    data, at = mixed(30), 0
    answers = book.run(data)
    while at < len(data):
        size = 64 * records_of(data, at)
        single._kernel.apply(data[at : at + size])
        at += size
    assert len(answers) == 30 == book.command_count
    assert answers.code[:3].tolist() == [0, 0, Code.UNKNOWN_ORDER] and answers.filled_lots[1:3].tolist() == [2, 2]
    assert book.digest() == single.digest() and book.events().tobytes() == single.events().tobytes()


@pytest.mark.parametrize("module", MODULES)
def test_a_buffer_is_never_cut_inside_a_batch(module):
    data, kernel = memoryview(mixed(60)), module.Book()._kernel
    for least in (1, 2, 3, 7):
        ends = kernel.pieces(data, least)
        assert ends[-1] == len(data)
        for begin, end in itertools.pairwise([0, *ends]):
            kernel.pieces(data[begin:end], 1)  # raises unless these are whole commands
            assert (end - begin) // 64 >= least or end == len(data)


@pytest.mark.parametrize("module", MODULES)
def test_no_moment_lies_inside_a_batch(module, tmp_path):
    """A journal and a recording count a batch as one command."""
    with module.open(tmp_path / "j", [X]) as ex:
        ex.deposit("a", "USDT", 10**6)
        ex.mark("X", 100)
        count = ex.command_count
        order = {"account": "a", "instrument": "X", "side": "buy", "size": 1, "price": 99}
        assert ex.atomic([("order", order), ("order", order)])
        assert not ex.atomic([("order", order), ("cancel", {"account": "a", "order_id": 1})])
        assert ex.command_count == count + 2
        sizes = [len(ex.at(moment).open_orders("a")) for moment in range(count, count + 3)]
        digest = ex.digest()
    assert sizes == [0, 2, 2]
    again = module.open(tmp_path / "j")
    assert again.digest() == digest and again.command_count == count + 2
    again.close()


def test_the_events_of_a_batch_are_those_of_its_commands(ex):
    """But for the BEGIN before them, and numbers."""
    plain = ex.fork()
    members = [
        command(C.ORDER, time_ns=5, account=16, side=side, price_ticks=price, size_lots=2)
        for side, price in ((0, 499_000), (1, 499_000), (0, 501_000))
    ]
    begins = [face._kernel.next_seq for face in (ex, plain)]
    ex._kernel.apply(batch(members, 16, 5))
    for each in members:
        plain._kernel.apply(each)
    told = [
        [each.record[1:7] + each.record[8:] for each in decode(bytes(face._kernel.view(begin, face._kernel.next_seq)))
         if each.type != EventType.BEGIN]
        for face, begin in zip((ex, plain), begins, strict=True)
    ]  # fmt: skip
    assert len(told[0]) > 5 and told[0] == told[1]
