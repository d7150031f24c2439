"""Book alone: both kernels against each other and against a naive book, and the book rebuilt from events."""

import itertools
from dataclasses import replace
from random import Random

import pytest

import solvent
import solvent.reference
from solvent import Book, Code, EventType, InputError, Instrument, Tier, Trigger, WrongType
from solvent.records import CommandType, Flag, SelfTrade, Side, Tif, TriggerKind, command, decode, extension, terms_of
from solvent.schema.limits import ORDERS_MAX, SIZE_LOTS_MAX
from solvent.terms.order_words import TRANSITIONS
from solvent.terms.spec import to_records


@pytest.fixture(params=["compiled", "reference"])
def kind(request):
    return solvent.Book if request.param == "compiled" else solvent.reference.Book


class Naive:
    """The shortest honest book: one sorted list. It knows limit orders, IOC, FOK, post-only, cancels, amends and
    that an account does not meet itself."""

    def __init__(self):
        self.resting = []  # [account, side, price, arrival, lots, order id]
        self.arrivals = itertools.count()

    def opposite(self, side):
        sign = 1 if side == Side.BUY else -1
        return sorted((o for o in self.resting if o[1] != side), key=lambda o: (sign * o[2], o[3]))

    def place(self, account, side, price, lots, tif, flags):
        crossing = [o for o in self.opposite(side) if (o[2] <= price if side == Side.BUY else o[2] >= price)]
        if flags & Flag.POST_ONLY and crossing:
            return None
        others = [o for o in crossing if o[0] != account]
        if tif == Tif.FOK and sum(o[4] for o in others) < lots:
            return None
        trades = []
        for order in crossing:
            if lots == 0:
                break
            if order[0] == account:
                self.resting.remove(order)
                continue
            traded = min(lots, order[4])
            trades.append((order[5], order[2], traded))
            order[4] -= traded
            lots -= traded
            if order[4] == 0:
                self.resting.remove(order)
        return trades, lots

    def rest(self, account, side, price, lots, order_id):
        self.resting.append([account, side, price, next(self.arrivals), lots, order_id])


def random_command(random: Random, live: list[tuple[int, int]]) -> bytes:
    kind = random.random()
    account = random.randrange(4)
    if kind < 0.25 and live:
        owner, order_id = random.choice(live)
        if random.random() < 0.4:
            terms = {"size_lots": random.randrange(0, 9), "price_ticks": random.choice([0, random.randrange(90, 111)])}
            return command(CommandType.AMEND, account=owner, order_id=order_id, **terms)
        return command(CommandType.CANCEL, account=owner, order_id=order_id)
    tif = random.choices([Tif.GTC, Tif.IOC, Tif.FOK], [80, 12, 8])[0]
    flags = Flag.POST_ONLY if tif == Tif.GTC and random.random() < 0.1 else 0
    terms = {"side": random.randrange(2), "price_ticks": random.randrange(90, 111), "size_lots": random.randrange(1, 8)}
    return command(CommandType.ORDER, account=account, tif=tif, flags=int(flags), **terms)


@pytest.mark.long
def test_twins_and_a_naive_book_agree(seed):
    """30,000 commands on a crowded book: equal events, equal digests, and the trades of the naive book."""
    for run in range(30):
        random = Random(seed + run)
        books = [solvent.Book(2**12 - 1, max_size_lots=100), solvent.reference.Book(2**12 - 1, max_size_lots=100)]
        naive = Naive()
        live: list[tuple[int, int]] = []
        for n in range(1_000):
            record = random_command(random, live)
            answers = []
            for book in books:
                begin = book._kernel.next_seq
                code = book._kernel.apply(record)
                answers.append((code, bytes(book._kernel.view(begin, book._kernel.next_seq)), book._kernel.last))
            assert answers[0] == answers[1], f"run {run}, command {n}"
            follow(naive, live, list(decode(answers[0][1])), record)
        assert books[0].digest() == books[1].digest()
        for book in books:
            book.check()


def follow(naive: Naive, live, events, record: bytes) -> None:
    """The naive book does the same command and must trade the same."""
    begin = events[0]
    trades = [(e.maker_order_id, e.price_ticks, e.size_lots) for e in events if e.type == EventType.TRADE]
    if begin.code:
        assert len(events) == 1
        if begin.command == CommandType.ORDER and begin.code in (Code.POST_ONLY_WOULD_TAKE, Code.FOK_UNFILLED):
            fields = dict(zip(solvent.records.COMMAND_FIELDS, solvent.records.COMMAND.unpack(record), strict=True))
            terms = (fields[name] for name in ("account", "side", "price_ticks", "size_lots", "tif", "flags"))
            assert naive.place(*terms) is None
        return
    if begin.command == CommandType.CANCEL:
        naive.resting = [o for o in naive.resting if o[5] != begin.order_id]
    for e in events:
        if e.type in (EventType.ACCEPTED, EventType.REPLACED):
            naive.resting = [o for o in naive.resting if o[5] != e.order_id]
            lots = e.size_lots if e.type == EventType.ACCEPTED else e.remaining_lots
            tif, flags = (e.tif, e.flags) if e.type == EventType.ACCEPTED else (Tif.GTC, 0)
            did, left = naive.place(e.account, e.side, e.price_ticks, lots, tif, flags)
            assert did == trades
            if left and tif == Tif.GTC:
                naive.rest(e.account, e.side, e.price_ticks, left, e.order_id)
        if e.type == EventType.REDUCED:
            next(o for o in naive.resting if o[5] == e.order_id)[4] -= e.cut_lots
        if e.type == EventType.RESTED:
            live.append((e.account, e.order_id))


def test_book_from_events_alone(kind, seed):
    """A subscriber that applies RESTED, TRADE, REDUCED, REPLACED and DONE has the book at every command."""
    random = Random(seed)
    book = kind(2**12 - 1, max_size_lots=100)
    orders: dict[int, list[int]] = {}
    live: list[tuple[int, int]] = []
    for _ in range(1_500):
        book._kernel.apply(random_command(random, live))
        for e in book.drain():
            if e.type == EventType.RESTED:
                orders[e.order_id] = [e.side, e.price_ticks, e.remaining_lots]
                live.append((e.account, e.order_id))
            elif e.type == EventType.TRADE:
                orders[e.maker_order_id][2] -= e.size_lots
            elif e.type == EventType.REDUCED:
                orders[e.order_id][2] -= e.cut_lots
            elif e.type in (EventType.DONE, EventType.REPLACED):
                orders.pop(e.order_id, None)
        levels: list[dict[int, int]] = [{}, {}]
        for side, price, lots in orders.values():
            levels[side][price] = levels[side].get(price, 0) + lots
        assert book.depth(100) == (sorted(levels[0].items(), reverse=True), sorted(levels[1].items()))


def test_market_orders_and_client_ids(kind):
    book = kind()
    assert book.order(1, "sell", 5, price_ticks=100, client_id=9)
    assert book.order(1, "sell", 5, price_ticks=2**24 - 1)
    assert book.order(2, "buy", 8).filled == 8
    assert book.order(2, "sell", 1).filled == 0
    again = book.order(1, "sell", 5, price_ticks=100, client_id=9)
    assert again.code == Code.DUPLICATE_CLIENT_ID
    assert book.cancel(1, client_id=9).code == Code.UNKNOWN_ORDER
    assert [row["remaining_lots"] for row in book.resting()] == [2]
    book.advance(5)
    assert book.time_ns == 5


def test_bad_input(kind):
    book = kind(1_000, max_size_lots=10)
    before = book.digest()
    for size, price in ((0, 5), (-1, 5), (11, 5), (2**62, 5)):
        assert book.order(1, "buy", size, price_ticks=price).code == Code.BAD_SIZE
    for price in (0, -1, 1_001, 2**62):
        assert book.order(1, "buy", 1, price_ticks=price).code == Code.BAD_PRICE
    assert book.amend(1, 77, size_lots=1).code == Code.UNKNOWN_ORDER
    for value in (1.5, "1", None, True):
        with pytest.raises(WrongType):
            book.order(1, "buy", value, price_ticks=5)
        with pytest.raises(WrongType):
            book.order(value, "buy", 1, price_ticks=5)
    for call in (
        lambda: book.order(-1, "buy", 1),
        lambda: book.order(2**32 - 1, "buy", 1),
        lambda: book.order(1, "up", 1),
        lambda: book.cancel(1),
        lambda: kind(0),
        lambda: kind(2**40, max_size_lots=2**40),
    ):
        with pytest.raises(InputError):
            call()
    for kind_id in CommandType:
        record = command(kind_id, account=1, instrument=1, amount=5)
        assert book._kernel.apply(record) in (
            0, Code.UNKNOWN_COMMAND, Code.UNKNOWN_INSTRUMENT, Code.UNKNOWN_ORDER, Code.BAD_RECORD, Code.BAD_PRICE,
            Code.BAD_TAG,
        )  # fmt: skip
    assert book._kernel.apply(command(CommandType.ORDER, flags=Flag.REDUCE_ONLY, size_lots=1, price_ticks=1)) == Code.BAD_FLAGS
    assert book.digest() == before


def alphabet(time_ns: int) -> list[bytes]:
    """Twenty commands around two prices and two accounts: each term of an order once, and what ends orders."""

    def order(account: int, side: int, price: int, lots: int = 2, **fields: int) -> bytes:
        return command(
            CommandType.ORDER, time_ns=time_ns, account=account, side=side, price_ticks=price, size_lots=lots, **fields
        )  # fmt: skip

    def extended(record: bytes, **fields: int) -> bytes:
        return record[:2] + b"\2" + record[3:] + extension(**fields)

    market = {"tif": Tif.IOC, "flags": Flag.MARKET}
    plain = [order(account, side, price) for account, side, price in itertools.product((1, 2), (0, 1), (10, 11))]
    return [
        *plain,
        order(3, 0, 11, 3, tif=Tif.IOC),
        order(3, 1, 10, 3, tif=Tif.FOK),
        order(1, 0, 11, flags=Flag.POST_ONLY | Flag.SLIDE),
        order(1, 0, 11, 3, mode=SelfTrade.DECREMENT),
        extended(order(2, 1, 0, **market), trigger_kind=TriggerKind.STOP, trigger_source=1, trigger_ticks=10),
        extended(order(2, 0, 10), trigger_kind=TriggerKind.TAKE_PROFIT, trigger_source=1, trigger_ticks=10),
        extended(order(1, 1, 0, **market), trigger_kind=TriggerKind.TRAIL_TICKS, trigger_source=1, trail=1),
        extended(order(1, 1, 11, tif=Tif.GTD), expiry_ns=1),
        command(CommandType.ADVANCE, time_ns=1),
        command(CommandType.CANCEL, time_ns=time_ns, account=1, order_id=1 << 24),
        command(CommandType.AMEND, time_ns=time_ns, account=1, order_id=1 << 24, price_ticks=11, size_lots=3),
        command(CommandType.MASS_CANCEL, time_ns=time_ns, account=1, side=2),
    ]


MOVED_BY = {EventType.TRADE: ("maker_order_id", "taker_order_id"), EventType.BEGIN: (), EventType.MARKED: ()}
CUT_BY = {EventType.TRADE: "size_lots", EventType.REDUCED: "cut_lots", EventType.DONE: "cancelled_lots"}


def follow_orders(events) -> None:
    """ORD-1 and ORD-3: every status moves along the table, and filled + remaining + cancelled is what was accepted."""
    status: dict[int, str] = {}
    left: dict[int, int] = {}
    for e in events:
        kind = e.type
        if kind == EventType.ACCEPTED:
            assert e.order_id not in status
            status[e.order_id] = "dormant" if terms_of(e)["trigger_kind"] else "working"
            left[e.order_id] = e.size_lots
            continue
        lots = CUT_BY.get(kind)
        for name in MOVED_BY.get(kind, ("order_id",)):
            order_id = getattr(e, name)
            status[order_id] = TRANSITIONS[status[order_id], kind]
            if kind == EventType.REPLACED:
                left[order_id] = e.remaining_lots
            elif lots:
                left[order_id] -= getattr(e, lots)
            assert left[order_id] >= 0 and (kind != EventType.DONE or left[order_id] == 0)
    assert "working" not in status.values()


@pytest.mark.long
def test_sequences_of_four():
    """All 160,000 sequences of four commands of the alphabet keep the BOOK- and ORD- invariants."""
    before, after = alphabet(0), alphabet(1)
    advance = before.index(command(CommandType.ADVANCE, time_ns=1))
    for sequence in itertools.product(range(len(before)), repeat=4):
        late = sequence.index(advance) if advance in sequence else 4
        book = Book(2**6 - 1, max_size_lots=10)
        book._kernel.run(b"".join([(before if i < late else after)[n] for i, n in enumerate(sequence)]))
        assert book._kernel.check() is None, sequence
        follow_orders(book.drain())


def test_the_largest_sizes_of_a_level_add_up(kind):
    """Orders of the highest size that there is at one price: the sum is exact; all that there can be stay in 63 bits."""
    assert ORDERS_MAX * SIZE_LOTS_MAX < 2**63
    book = kind(4, max_size_lots=SIZE_LOTS_MAX)
    for side, price in (("buy", 1), ("sell", 4)):
        for account in range(600):
            book.order(account, side, SIZE_LOTS_MAX, price_ticks=price).ok()
            book.order(account, side, SIZE_LOTS_MAX, price_ticks=price, trigger=Trigger.stop(3 if side == "buy" else 1)).ok()
    total = 600 * SIZE_LOTS_MAX
    assert book.depth() == ([(1, total)], [(4, total)])
    assert [rows.tolist() for rows in book.depth_arrays()] == [[[1, total, 600]], [[4, total, 600]]]
    assert book.order(1_000, "buy", SIZE_LOTS_MAX, price_ticks=4, tif="fok").filled == SIZE_LOTS_MAX
    assert book.order(1_000, "buy", SIZE_LOTS_MAX + 1, price_ticks=4).code == Code.BAD_SIZE
    book.check()


@pytest.mark.parametrize("most", [SIZE_LOTS_MAX + 1, 2**60, 2**62 - 1])
def test_sizes_whose_sums_could_wrap_are_refused(most, exchange_class, kind):
    """Three orders of 2**62 - 1 lots at one level once showed a negative depth, and check() was silent."""
    with pytest.raises(InputError):
        kind(1, max_size_lots=most)
    terms = {"contract_size": 1, "tick": 1, "settle_decimals": 0, "max_price": 1, "maker_fee": 0, "taker_fee": 0}
    with pytest.raises(InputError, match="max_size is not a number of lots"):
        Instrument("X", max_size=most, tiers=[Tier(most, "0.01", "0.02")], **terms)
    with pytest.raises(InputError, match="max_size is not a number of lots"):
        Instrument("X", tiers=[Tier(most, "0.01", "0.02")], **terms)
    least = Instrument("X", tiers=[Tier(1, "0.01", "0.02")], **terms)
    ex = exchange_class([least])
    data = to_records("Y", replace(least.spec, max_size_lots=most), 0)
    record = command(CommandType.ADD_INSTRUMENT, records=1 + len(data) // 64) + data
    assert ex._kernel.apply(record) == Code.BAD_INSTRUMENT


def test_the_largest_sizes_of_an_exchange_add_up(exchange_class):
    """Positions, open orders and depth of the highest size: exact, and every sum is found again by check()."""
    terms = {"contract_size": 1, "tick": 1, "settle_decimals": 0, "max_price": 3, "maker_fee": 0, "taker_fee": 0}
    ex = exchange_class([Instrument("X", tiers=[Tier(SIZE_LOTS_MAX, "0.01", "0.02")], **terms)])
    for i in range(100):
        ex.deposit(f"a{i}", "USDT", 2**50)
    ex.mark("X", 2)
    for i in range(100):
        ex.order(f"a{i}", "X", "buy" if i % 2 else "sell", SIZE_LOTS_MAX, price=2).ok()
        ex.order(f"a{i}", "X", "sell", SIZE_LOTS_MAX, price=2, post_only="slide")
    assert all(abs(ex.position(f"a{i}", "X").size_lots) <= SIZE_LOTS_MAX for i in range(100))
    ex.check()
    depth = ex.depth("X")
    assert sum(lots for _, lots in (*depth.bids, *depth.asks)) == sum(
        order.remaining for i in range(100) for order in ex.open_orders(f"a{i}")
    )
