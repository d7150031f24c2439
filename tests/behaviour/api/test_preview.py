"""Previews: what they say is what a fork shows, and what then happens; and nothing changes."""

import struct
from collections import Counter
from decimal import Decimal
from random import Random

import pytest

import solvent
import solvent.reference
from solvent import Code, Exchange, InputError, Instrument, Rejected, Trigger, WrongType
from solvent._core.base import pool
from solvent.records import CommandType, EventType, Posting, decode
from solvent.schema.rows import PreviewRow
from support.generator import Generator
from support.twins import pair

RUN = 1_000  # commands of one drawn shape
EACH = 3  # previews beside the one of the command that comes
KINDS = pytest.mark.parametrize("kind", [Exchange, solvent.reference.Exchange], ids=["compiled", "reference"])
TRIED = (
    CommandType.ORDER, CommandType.ORDER, CommandType.ORDER, CommandType.AMEND, CommandType.SET_LEVERAGE,
    CommandType.MOVE_MARGIN, CommandType.MARK, CommandType.WITHDRAW, CommandType.TRANSFER, CommandType.DEPOSIT,
)  # fmt: skip


def on_a_fork(kernel, records: list[bytes], place: tuple[int, int, int], settle: int) -> PreviewRow:
    """What a fork shows that takes the steps: from its answers, its events as objects, and its rows."""
    fork = kernel.fork(True)
    begin, code, answer, account = fork.next_seq, 0, (0, 0, 0), place[0]
    for record in records:
        code = fork.apply(record)
        answer = fork.last
        if code:
            break
    order_id, filled, resting = answer
    lots = value = fee = liquidated = 0
    for event in decode(memoryview(fork.view(begin, fork.next_seq))):
        if event.type == EventType.TRADE and event.taker_order_id == order_id != 0:
            lots, value = lots + event.size_lots, value + event.size_lots * event.price_ticks
        elif event.type == EventType.LEDGER and event.ref == order_id != 0:
            if event.posting in (Posting.MAKER_FEE, Posting.TAKER_FEE):
                fee += event.amount_units * ((event.payer == account) - (event.receiver == account))
        elif event.type == EventType.LIQUIDATION:
            liquidated |= event.account == account
    position = fork.position_row(*place)
    wallet = next(row for row in fork.wallet_rows(account) if row[0] == settle)
    return PreviewRow(code, filled, resting, lots, value, fee, int(liquidated), tuple(position), tuple(wallet))


def varied(random: Random, record: bytes, accounts: int, clock_ns: int) -> bytes:
    """Another order, mostly of now and without an id of its owner: its side, account, size or price may differ."""
    changed = bytearray(record)
    what = random.random()
    if random.random() < 0.9:
        struct.pack_into("<q", changed, 16, clock_ns)
    if random.random() < 0.7:  # no client id, no self-trade terms
        changed[14:16], changed[40:64] = bytes(2), bytes(24)
    if what < 0.3:
        changed[3] ^= 1
    if 0.2 < what < 0.5:
        struct.pack_into("<I", changed, 4, random.randrange(16, max(17, accounts)))
    if what > 0.6:
        size = struct.unpack_from("<q", changed, 32)[0]
        struct.pack_into("<q", changed, 32, max(0, min(2**62, size * random.choice([0, 1, 2, 5]) + random.randrange(3))))
    return bytes(changed)


def shown(seed: int, each: int) -> Counter:
    """Previews of one shape, before each command one of it and some of others; how many were compared, and how many asked
    for so little memory that there was no fork."""
    generator, random, compared = Generator(seed), Random(seed), Counter()
    ex = pair(generator)[0]
    kernel = ex._kernel
    opening, orders = iter(generator.opening()), []
    for n in range(RUN):
        record = next(opening, None) or generator.next(kernel)
        ex.venue.coming = generator.candidate
        tried = [[record]] if record[0] in TRIED else []
        if record[0] == CommandType.ORDER:
            orders = [*orders[-20:], record]
        if orders and kernel.account_count > 16:
            tried += [[varied(random, random.choice(orders), kernel.account_count, kernel.clock_ns)] for _ in range(each)]
            tried += [[record, random.choice(orders)]] if record[0] in TRIED else []
        before, seq = (kernel.state(), kernel.next_seq) if tried else (b"", 0)
        for records in tried:
            account, instrument = struct.unpack_from("<II", records[-1], 4)
            account = account if 16 <= account < kernel.account_count else kernel.account_count - 1
            instrument = instrument if instrument < kernel.instrument_count else 0
            place = account, instrument, random.choice([0, 0, 1, 2])
            settle = ex.venue.currency_id(ex.instruments[instrument].settle)
            requests = pool.deny(0)
            said = PreviewRow(*kernel.preview(records, *place))
            compared["all"] += 1
            compared["at once" if pool.deny(0) - requests < 10 else "on a fork", said.code == 0, said.filled_lots > 0] += 1
            assert said == on_a_fork(kernel, records, place, settle), f"shape seed {seed}, command {n}: {records}"
        assert not tried or (kernel.state() == before and kernel.next_seq == seq)
        told = kernel.preview([record], kernel.account_count - 1, 0, 0) if kernel.account_count > 16 else None
        code = kernel.apply(record)
        assert told is None or (told[0], *told[1:3]) == (code, *kernel.last[1:])
        if record[0] == CommandType.ADD_INSTRUMENT and code == 0:
            generator.added()
    assert kernel.check() is None
    return compared


@pytest.mark.long
@pytest.mark.scaled
def test_a_preview_is_what_a_fork_shows(seed, request):
    """As many previews as --commands says, 100,000 by default; --seed moves the shapes."""
    compared, number, total = Counter(), 0, request.config.getoption("--commands")
    while compared["all"] < total:
        compared += shown(seed * 1_000_003 + number, EACH)
        number += 1
    print(f"{number} shapes:", compared)
    for way in ("at once", "on a fork"):
        for filled in (True, False):
            assert total < 50_000 or compared[way, True, filled] > total // 400
        assert total < 50_000 or compared[way, False, False] > total // 50


@pytest.mark.long
def test_both_kernels_show_the_same(seed):
    """The reference is asked what the core is asked, before each of the drawn orders."""
    for i in range(6):
        generator = Generator(seed * 1_000_003 + i)
        exchanges = pair(generator)
        kernels = [ex._kernel for ex in exchanges]
        opening = iter(generator.opening())
        for n in range(200):
            record = next(opening, None) or generator.next(kernels[0])
            for ex in exchanges:
                ex.venue.coming = generator.candidate
            if record[0] in TRIED and kernels[0].account_count > 16 and n % 3 == 0:
                account, instrument = struct.unpack_from("<II", record, 4)
                account = account if 16 <= account < kernels[0].account_count else 16
                place = account, instrument if instrument < kernels[0].instrument_count else 0, n % 2
                core, twin = (PreviewRow(*kernel.preview([record], *place)) for kernel in kernels)
                assert core == twin, f"shape seed {seed * 1_000_003 + i}, command {n}"
            codes = {kernel.apply(record) for kernel in kernels}
            assert len(codes) == 1
            if record[0] == CommandType.ADD_INSTRUMENT and codes == {0}:
                generator.added()


def market(kind, **more):
    ex = kind([Instrument("BTC")], **more)
    for name in ("ann", "bob", "eve"):
        ex.deposit(name, "USDT", 10_000)
    ex.mark("BTC", 50_000)
    ex.order("bob", "BTC", "sell", 2, price=50_000)
    ex.order("bob", "BTC", "sell", 2, price=50_010)
    return ex


@KINDS
@pytest.mark.parametrize("log", [None, []], ids=["all events", "no events"])
def test_an_order(kind, log):
    ex = market(kind, log=log)
    digest, count = ex.digest(), ex.command_count
    seen = ex.preview("ann", "BTC", "buy", 5, price=50_010, leverage=20)
    assert (ex.digest(), ex.command_count) == (digest, count)
    ex.set_leverage("ann", "BTC", 20)
    before = ex.account("ann").cash
    ack = ex.order("ann", "BTC", "buy", 5, price=50_010)
    assert bool(seen) and (seen.filled, seen.resting) == (ack.filled, ack.resting) == (4, 1)
    assert seen.average_price == 50_005 and seen.fee == before - ex.account("ann").cash > 0
    assert seen.position == ex.position("ann", "BTC") and seen.wallet == ex.account("ann").wallets["USDT"]
    assert seen.hint and not seen.liquidated


@KINDS
def test_what_would_be_refused(kind):
    ex = market(kind)
    seen = ex.preview("ann", "BTC", "buy", 10_000, price=50_000)
    assert not seen and seen.code == Code.INSUFFICIENT_MARGIN and seen.position.size == seen.filled == 0
    assert seen.average_price is None and seen.fee == 0 and seen.wallet == ex.account("ann").wallets["USDT"]
    assert ex.preview("ann", "BTC", margin=5).code == Code.NO_ISOLATED_POSITION
    assert ex.preview("ann", "BTC", leverage=10_000).code == Code.LEVERAGE_ABOVE_TIER
    first = ex.preview("ann", "BTC", "buy", 1, price=50_000, leverage=10_000)
    assert (first.code, first.filled) == (Code.LEVERAGE_ABOVE_TIER, 0)


@KINDS
def test_margin_leverage_and_mark(kind):
    ex = market(kind)
    ex.set_leverage("ann", "BTC", 50, mode="isolated")
    ex.order("ann", "BTC", "buy", 4, price=50_010)
    now = ex.position("ann", "BTC")
    more = ex.preview("ann", "BTC", margin=50)
    assert more.position.margin == now.margin + 50 and more.position.liquidation_price < now.liquidation_price
    assert ex.preview("ann", "BTC", margin=Decimal("-0.01")).code == Code.BELOW_INITIAL_MARGIN
    assert ex.preview("ann", "BTC", mode="cross").code == Code.MODE_IN_USE
    lower = ex.preview("ann", "BTC", leverage=10)
    assert lower.position.leverage == 10 and lower.position.initial > now.initial
    down = ex.preview("ann", "BTC", mark=49_500)
    assert down.position.upl < now.upl and not down.liquidated
    gone = ex.preview("ann", "BTC", mark=48_000)
    assert gone.liquidated and gone.position.size < now.size and ex.position("ann", "BTC") == now
    fork = ex.fork()
    fork.mark("BTC", 48_000)
    assert gone.position == fork.position("ann", "BTC") and gone.wallet == fork.account("ann").wallets["USDT"]


@KINDS
def test_a_hedge_and_a_trigger(kind):
    ex = market(kind)
    ex.set_position_mode("eve", "BTC", "hedge")
    seen = ex.preview("eve", "BTC", "buy", 1, price=50_000, leg="long", leverage=5)
    assert (seen.position.leg, seen.position.size, seen.position.leverage) == ("long", 1, 5)
    dormant = ex.preview("eve", "BTC", "buy", 1, leg="long", trigger=Trigger.stop(51_000))
    assert bool(dormant) and dormant.filled == 0 and dormant.position.size == 0


@KINDS
def test_bad_words_are_refused_as_by_the_calls_themselves(kind):
    ex = market(kind)
    for error, arguments in (
        (WrongType, {"side": "buy", "size": 1.5}), (InputError, {"side": "by", "size": 1}), (InputError, {"size": 1}),
        (InputError, {"price": 5}), (WrongType, {"mark": 1.5}), (InputError, {"leverage": "x"}), (InputError, {"leg": "up"}),
        (TypeError, {"side": "buy", "size": 1, "prize": 5}),
    ):  # fmt: skip
        with pytest.raises(error):
            ex.preview("ann", "BTC", **arguments)
    for who, where in (("nobody", "BTC"), ("ann", "DOGE")):
        with pytest.raises(Rejected):
            ex.preview(who, where, "buy", 1)
