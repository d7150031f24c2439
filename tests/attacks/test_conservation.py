"""Ways to take money, halt or stall the exchange that a reviewer found; each must stay closed (decisions 0004 and 0013)."""

import threading
from decimal import Decimal

import pytest

from solvent import Busy, Code, EventType, Exchange, InputError, Instrument, Rejected, Tier, WrongType
from solvent.records import CommandType, Ending, ParcelChange, command, dtype
from solvent.schema.limits import REDUCE_ONLY_MAX

BTC = "BTC-USDT-SWAP"


def colluders(make, a, b, *, leverage=100, mode="cross", names=(BTC,), fund=1_000):
    """A is long 10 of the first instrument against B at 50,000; the fund holds what they are after."""
    ex = make([Instrument(name) for name in names])
    ex.seed_fund("USDT", fund)
    ex.deposit("A", "USDT", a)
    ex.deposit("B", "USDT", b)
    for name in names:
        ex.mark(name, 50_000)
        ex.set_leverage("A", name, leverage, mode=mode)
        ex.set_leverage("B", name, 10, mode="cross")
    ex.order("B", names[0], "sell", 10, price=50_000).ok()
    ex.order("A", names[0], "buy", 10, price=50_000).ok()
    return ex


def test_collateral_of_a_resting_closing_order_stays(strict_exchange):
    """A sell far below mark leans on added margin, which may not leave before the order does."""
    ex = colluders(strict_exchange, 2_000, 2_000, mode="isolated")
    ex.move_margin("A", BTC, 1_000)
    ack = ex.order("A", BTC, "sell", 10, price=47_500).ok()
    with pytest.raises(Rejected) as refused:
        ex.move_margin("A", BTC, -1_000)
    assert refused.value.code == Code.BELOW_INITIAL_MARGIN
    ex.cancel("A", ack.order_id).ok()
    ex.move_margin("A", BTC, -1_000)


def test_the_closing_loss_of_a_cross_account_is_held(strict_exchange):
    ex = colluders(strict_exchange, 2_000, 2_000)
    before = ex.account("A").withdrawable
    ex.order("A", BTC, "sell", 10, price=47_500).ok()
    assert ex.account("A").withdrawable == before - 250
    assert ex.order("A", BTC, "sell", 1, price=47_500, reduce_only=True).code == Code.OK


def test_a_flip_must_afford_both_halves(strict_exchange):
    ex = colluders(strict_exchange, 356, 2_000)
    ex.order("B", BTC, "buy", 20, price=47_500).ok()
    assert ex.order("A", BTC, "sell", 20, price=47_500).code == Code.INSUFFICIENT_MARGIN
    assert ex.order("A", BTC, "sell", 10, price=47_500)  # the closing half alone is never refused


def test_a_closing_loss_leaves_its_other_orders_to_be_found(strict_exchange):
    """What a bid relied on was spent by closing elsewhere: it ends when somebody sells into it, the fund keeps its money."""
    ex = colluders(strict_exchange, 364, 3_000, names=("X", "Y"))
    bid = ex.order("A", "Y", "buy", 10, price=52_500).ok()
    ex.order("B", "X", "buy", 10, price=47_500).ok()
    ex.order("A", "X", "sell", 10, price=47_500).ok()
    assert ex.account("A").free < 0 and not ex.order("A", "X", "buy", 1, price=47_500)
    ack = ex.order("B", "Y", "sell", 10, price=52_500).ok()
    assert [e.order_id for e in ack.events if e.type == EventType.DONE and e.ending == Ending.UNCOVERED] == [bid.order_id]
    assert ex.fund("USDT") == 1_000 and ex.account("A").free > 0


def test_reduce_only_orders_come_first_for_what_there_is_to_close(strict_exchange):
    """With all of the position promised to a reduce-only order, an ordinary one opens, and needs margin when it is placed.
    When it trades it takes what the wallet then has: the threshold is far below that."""
    ex = colluders(strict_exchange, 53, 2_000, mode="isolated")
    ex.order("A", BTC, "sell", 10, price=51_000, reduce_only=True).ok()
    assert ex.order("A", BTC, "sell", 10, price=51_000).code == Code.INSUFFICIENT_MARGIN
    ex.cancel("A", ex.open_orders("A")[0].order_id)
    ex.order("A", BTC, "sell", 10, price=51_000).ok()
    ex.order("B", BTC, "buy", 10, price=49_900).ok()
    assert ex.order("A", BTC, "sell", 10, price=49_900, reduce_only=True).filled == 10
    assert ex.account("A").free < 0
    left = ex.account("A").wallets["USDT"].cash
    assert ex.order("B", BTC, "buy", 10, price=51_000).filled == 10
    short = ex.position("A", BTC)
    assert ex.account("A").wallets["USDT"].cash == 0 and short.size == -10
    assert short.margin == left - Decimal("1.02") < short.initial  # the fee comes first


def test_leverage_of_the_tier_cannot_be_slipped(strict_exchange):
    """Plain orders that a reduce-only order turns into opening ones beyond the tier end when they would trade."""
    ex = strict_exchange([Instrument(BTC, tiers=[Tier(20, "0.005", "0.01"), Tier(40, "0.01", "0.02")])])
    for name in ("A", "B"):
        ex.deposit(name, "USDT", 10**6)
    ex.mark(BTC, 50_000)
    ex.set_leverage("A", BTC, 100, mode="isolated")
    ex.order("B", BTC, "sell", 20, price=50_000).ok()
    ex.order("A", BTC, "buy", 20, price=50_000).ok()
    ex.order("A", BTC, "sell", 40, price=51_000).ok()
    ex.order("B", BTC, "buy", 20, price=50_000).ok()
    ex.order("A", BTC, "sell", 20, price=50_000, reduce_only=True).ok()
    ack = ex.order("B", BTC, "buy", 40, price=51_000).ok()
    assert ack.filled == 0 and Ending.UNCOVERED in [e.ending for e in ack.events if e.type == EventType.DONE]


def test_a_bankruptcy_price_above_every_legal_price_goes_to_adl(strict_exchange):
    """Clamped, its order would sell below cost and past the fund into a deficit."""
    ex = strict_exchange(
        [Instrument("A0", max_price=70_000, taker_fee=0, maker_fee=0), Instrument("A1", taker_fee=0, maker_fee=0)]
    )
    for name, amount in (("T", 1_200), ("M", 10**6), ("N", 10**6)):
        ex.deposit(name, "USDT", amount)
    for name in ("A0", "A1"):
        ex.mark(name, 50_000)
        ex.set_leverage("T", name, 10, mode="cross")
    ex.mark("A0", 69_000)
    ex.order("M", "A0", "sell", 5, price=69_000).ok()
    ex.order("T", "A0", "buy", 5, price=69_000).ok()
    ex.order("M", "A1", "buy", 10, price=50_000).ok()
    ex.order("T", "A1", "sell", 10, price=50_000).ok()
    ex.order("N", "A0", "buy", 5, price=70_000).ok()
    events = ex.mark("A1", 100_000).events
    changes = [e.change for e in events if e.type == EventType.PARCEL and e.instrument == 0]
    assert changes == [ParcelChange.TAKEN, ParcelChange.CLOSED_BY_ADL]
    assert ex.deficit("USDT") == 0


def test_three_instruments_at_the_money_limit_do_not_halt(audited_exchange):
    """Cross sums beyond 64 bits are sums, not faults."""
    one = {"tick": 1, "contract_size": 1, "settle_decimals": 0, "tiers": [Tier(2**30, "0.005", "0.01")]}
    ex = audited_exchange([Instrument(f"I{i}", max_price=2**32 - 1, **one) for i in range(3)])
    for name in ("a", "b"):
        ex.deposit(name, "USDT", 2**60)
    for i in range(3):
        ex.mark(i, 2**31)
        for name in ("a", "b"):
            ex.set_leverage(name, i, 100, mode="cross")
        ex.order("a", i, "sell", 2**30, price=2**31).ok()
        assert ex.order("b", i, "buy", 2**30, price=2**31).filled == 2**30
    for i in range(3):
        ex.mark(i, 2**31 + 2**24)
    ex.check()
    assert ex.account("b").equity > 2**60


def test_reduce_only_orders_are_limited(audited_exchange):
    """Each fill of their owner may look at all of them."""
    ex = audited_exchange([Instrument(BTC)])
    for name in ("a", "b"):
        ex.deposit(name, "USDT", 10**7)
    ex.mark(BTC, 50_000)
    ex.order("b", BTC, "sell", 1_500, price=50_000)
    ex.order("a", BTC, "buy", 1_500, price=50_000).ok()
    acks = [ex.order("a", BTC, "sell", 1, price=51_000, reduce_only=True) for _ in range(REDUCE_ONLY_MAX + 1)]
    assert all(acks[:-1]) and acks[-1].code == Code.TOO_MANY_ORDERS
    ex.order("b", BTC, "buy", 1_490, price=50_000)
    ex.order("a", BTC, "sell", 1_490, price=50_000).ok()
    assert len(ex.open_orders("a")) == 10


def test_equal_digests_mean_equal_futures(audited_exchange):
    """Orders end in the order of their ids, however they came to rest."""
    digests = []
    for amended in (False, True):
        ex = audited_exchange([Instrument(BTC)])
        for name in ("a", "b"):
            ex.deposit(name, "USDT", 1_000)
        ex.mark(BTC, 50_000)
        ex.set_leverage("a", BTC, 50, mode="isolated")
        ex.order("b", BTC, "sell", 1, price=50_000)
        ex.order("a", BTC, "buy", 1, price=50_000).ok()
        first = ex.order("a", BTC, "sell", 5, price=52_300 if amended else 51_000).ok()
        ex.order("a", BTC, "sell", 5, price=52_000).ok()
        if amended:
            ex.amend("a", first.order_id, price=51_000).ok()
        before = ex.digest()
        ex.mark(BTC, 49_000)
        digests.append((before, ex.digest()))
    assert digests[0] == digests[1]


def test_a_market_order_looks_past_its_owner(strict_exchange):
    ex = strict_exchange([Instrument(BTC)])
    for name in ("a", "b"):
        ex.deposit(name, "USDT", 10**5)
    ex.mark(BTC, 50_000)
    ex.order("a", BTC, "sell", 10, price=50_000)
    ex.order("b", BTC, "sell", 10, price=50_010)
    assert ex.order("a", BTC, "buy", 10).filled == 10


def test_a_buffer_that_changes_under_a_batch():
    """Another thread turns a checked record into nonsense while the batch runs: it ends there, nothing breaks."""
    ex = Exchange([Instrument(BTC)], retain=False)
    total = 400_000
    buffer = bytearray(command(CommandType.ADVANCE) * total)

    over = threading.Event()

    def spoil():
        while not over.is_set():
            try:
                ex.digest()
            except Busy:
                break
        for k in range(total - 1000, total):
            buffer[64 * k + 2] = 0

    spoiler = threading.Thread(target=spoil)
    spoiler.start()
    result = ex.run(buffer)
    assert len(result) <= total and not result.code.any()
    if ex._kernel.command_seq == total:  # the batch was over first: let the other thread find it busy
        ex.run(command(CommandType.ADVANCE) * total)
    over.set()
    spoiler.join()
    ex.check()


def test_names_and_numbers_at_the_face(audited_exchange):
    ex = audited_exchange([Instrument(BTC)])
    before = ex.digest()
    for name in ("a\0", "\0", "\ud800", "a\n", "x" * 65):
        with pytest.raises(Rejected) as refused:
            ex.deposit(name, "USDT", 5)
        assert refused.value.code == Code.BAD_NAME
        assert ex.order(name, BTC, "buy", 1, price=1).code == Code.UNKNOWN_ACCOUNT
    for call in (
        lambda: ex.advance(10**5000),
        lambda: ex.depth(BTC, 10**5000),
        lambda: ex.order("a", BTC, "buy", 1, price=1, client_id=10**5000),
        lambda: ex.deposit("a", [], 1),
        lambda: ex.cursor("TRADE"),
        lambda: ex.run([1]),
        lambda: ex.run(ex.events()),
        lambda: dtype("foo"),
        lambda: audited_exchange(Instrument(BTC)),
    ):
        with pytest.raises(InputError):
            call()
    with pytest.raises(Rejected) as refused:
        ex.deposit("new", "USDT", 2**62 // 10**6 + 1)
    assert refused.value.code in (Code.MONEY_LIMIT, Code.BAD_AMOUNT)
    assert ex.digest() == before
    with pytest.raises(WrongType):
        ex.cursor(8)
