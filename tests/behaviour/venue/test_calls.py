"""Calls and their uncross: the price against every tick, who trades, what does not count, indications, ends by time.

The worked examples are those of the project's page on market states and auctions (order vocabulary, section 4).
"""

from dataclasses import replace
from random import Random

import pytest

from solvent import Code, EventType, Instrument, Tier, Trigger, rules
from solvent.records import Ending, Posting
from support.market_states import gather, of, passed
from support.order_desk import ends, trades

X = Instrument("X", contract_size=1, tick=1, max_price=1_000, tiers=[Tier(10**6, "0.005", "0.01")])
WIDE = replace(rules.find("seed"), price_band_ppb=9 * 10**8)  # a band that refuses none of the examples


def market(make, mark=50, names="abcdefgh", cash=10**6):
    ex = make([X], rules=WIDE)
    for name in names:
        ex.deposit(name, "USDT", cash)
    ex.mark("X", mark)
    ex.set_state("X", "auction")
    return ex


def sizes(events):
    return sum(e.size_lots for e in events if e.type == EventType.TRADE)


def oracle(bids, asks, reference):
    """Price, volume and surplus by trying every tick."""
    if not bids or not asks or max(price for _, price in bids) < min(price for _, price in asks):
        return None
    found = []
    for tick in range(min(price for _, price in asks), max(price for _, price in bids) + 1):
        demand = sum(size for size, price in bids if price >= tick)
        supply = sum(size for size, price in asks if price <= tick)
        found.append((min(demand, supply), demand - supply, tick))
    most = max(volume for volume, *_ in found)
    least = min(abs(surplus) for volume, surplus, _ in found if volume == most)
    ties = [(surplus, tick) for volume, surplus, tick in found if (volume, abs(surplus)) == (most, least)]
    if all(surplus > 0 for surplus, _ in ties):
        price = ties[-1][1]
    elif all(surplus < 0 for surplus, _ in ties):
        price = ties[0][1]
    else:
        price = min(max(reference, ties[0][1]), ties[-1][1])
    return price, most, next(surplus for surplus, tick in ties if tick == price)


# --- The price


@pytest.mark.parametrize(
    ("bids", "asks", "reference", "price", "lots"),
    [
        ([(8, 52), (6, 50), (9, 48)], [(7, 47), (5, 49), (10, 51)], 50, 50, 12),
        ([(40, 57), (20, 56)], [(20, 52), (30, 53)], 50, 56, 50),
        ([(15, 79), (10, 78)], [(15, 77), (10, 79)], 84, 79, 15),
        ([(15, 79), (10, 78)], [(15, 77), (10, 79)], 70, 77, 15),
        ([(10, 103), (5, 100)], [(10, 98), (4, 103)], 100, 101, 10),  # no limit at all: between two of them nothing is left
        ([(5, 60)], [(5, 40)], 45, 45, 5),
        ([(5, 60)], [(5, 40)], 20, 40, 5),
    ],
)
def test_worked_prices(strict_exchange, bids, asks, reference, price, lots):
    ex = market(strict_exchange, mark=60)
    gather(ex, bids, asks)
    ex.mark("X", reference)
    seen = ex.market("X")
    assert (seen.state, seen.price, seen.size) == ("auction", price, lots)
    ack = ex.set_state("X", "continuous")
    (uncrossed,) = of(ack, EventType.UNCROSSED)
    assert (uncrossed.price_ticks, uncrossed.size_lots, uncrossed.reference_ticks) == (price, lots, reference)
    assert {e.price_ticks for e in of(ack, EventType.TRADE)} == {price}
    assert sum(e.size_lots for e in of(ack, EventType.TRADE)) == lots
    assert ex.prices("X").last == price and ex.market("X").price is None


@pytest.mark.parametrize("books", [pytest.param(1_500, marks=pytest.mark.long)])
def test_random_books_against_every_tick(audited_exchange, seed, books):
    """Price, volume, surplus, and what each order traded: the shorter side all, the longer one by price and time."""
    r = Random(seed)
    books = books if audited_exchange.__mro__[1].__module__ != "solvent.reference" else books // 5
    names = [f"a{i}" for i in range(12)]
    ex = market(audited_exchange, names=names, cash=10**9)
    plain = tilted = between = 0
    for _ in range(books):
        reference = r.randint(20, 80)
        width = min(r.choice([2, 6, 25]), reference * 8 // 10)
        ex.mark("X", reference)
        drawn = [
            [(r.randint(1, r.choice([3, 12])), reference + r.randint(-width, width)) for _ in range(r.randint(0, 6))]
            for _ in range(2)
        ]
        orders = gather(ex, *drawn, names=names)
        wanted = oracle(*drawn, reference)
        ack = ex.set_state("X", "continuous")
        told = [(e.price_ticks, e.size_lots, e.surplus_lots) for e in of(ack, EventType.UNCROSSED)]
        assert told == ([wanted] if wanted else []), (drawn, reference)
        filled = {order.order_id: 0 for order in orders}
        for e in of(ack, EventType.TRADE):
            filled[e.maker_order_id] += e.size_lots
            filled[e.taker_order_id] += e.size_lots
        if wanted:
            price, lots, surplus = wanted
            plain, tilted = plain + (not surplus), tilted + bool(surplus)
            between += price not in {each for side in drawn for _, each in side}
            for side, sign, first in ((0, -1, 0), (1, 1, len(drawn[0]))):
                left = lots
                for i in sorted(range(len(drawn[side])), key=lambda i: (sign * drawn[side][i][1], i)):
                    share = min(left, drawn[side][i][0])
                    assert filled[orders[first + i].order_id] == share, (drawn, reference)
                    left -= share
                assert left == 0
        ex.cancel_all()
        ex.set_state("X", "auction")
    assert min(plain, tilted, between) > books // 50


# --- Who trades


def test_the_longer_side_waits_and_both_sides_pay_the_taker_fee(strict_exchange):
    ex = market(strict_exchange)
    first, second, ask = gather(ex, [(6, 52), (6, 52)], [(8, 49)])
    ack = ex.set_state("X", "continuous")
    assert trades(ack) == [(first.order_id, 52, 6), (second.order_id, 52, 2)]
    assert ends(ack) == {first.order_id: Ending.FILLED, ask.order_id: Ending.FILLED}
    fees = [e for e in of(ack, EventType.LEDGER) if e.posting in (Posting.MAKER_FEE, Posting.TAKER_FEE)]
    assert len(fees) == 4 and {e.posting for e in fees} == {Posting.TAKER_FEE}
    assert [(row.price, row.remaining) for row in ex.open_orders("b")] == [(52, 4)]


def test_an_account_may_trade_with_itself(strict_exchange):
    ex = market(strict_exchange)
    ex.order("a", "X", "buy", 5, price=52)
    ex.order("a", "X", "sell", 5, price=49)
    ack = ex.set_state("X", "continuous")
    assert sum(size for *_, size in trades(ack)) == 5
    assert ex.position("a", "X").size == 0


def test_what_is_reduced_counts_by_the_room_that_better_orders_leave(strict_exchange):
    """Long 9: an ordinary sell takes 5 of it, so a reduce-only 8 counts 4; the volume is 15 and not 19."""
    ex = strict_exchange([X])
    for name in "abcd":
        ex.deposit(name, "USDT", 10**6)
    ex.mark("X", 61)
    ex.order("d", "X", "sell", 9, price=61)
    ex.order("a", "X", "buy", 9, price=61)
    ex.set_state("X", "auction")
    ex.order("b", "X", "buy", 20, price=62)
    plain = ex.order("a", "X", "sell", 5, price=60)
    reduces = ex.order("a", "X", "sell", 8, price=61, reduce_only=True)
    other = ex.order("c", "X", "sell", 6, price=61)
    ack = ex.set_state("X", "continuous")
    (uncrossed,) = of(ack, EventType.UNCROSSED)
    assert (uncrossed.price_ticks, uncrossed.size_lots) == (62, 15)
    sold = {order.order_id: 0 for order in (plain, reduces, other)}
    for e in of(ack, EventType.TRADE):
        sold[max(e.maker_order_id, e.taker_order_id)] += e.size_lots
    assert list(sold.values()) == [5, 4, 6]
    assert ex.position("a", "X").size == 0


def test_what_its_owner_does_not_bear_leaves_before_the_price_is_found(strict_exchange):
    """A bid is covered when it is placed, and no longer after its owner's loss elsewhere: it does not make the price."""
    ex = strict_exchange([X, Instrument("Y", contract_size=1, tick=1, max_price=1_000, tiers=[Tier(10**6, "0.005", "0.01")])])
    for name, cash in (("a", 90), ("b", 10**6), ("c", 10**6)):
        ex.deposit(name, "USDT", cash)
    for name in "XY":
        ex.mark(name, 100)
    ex.set_leverage("a", "X", 100)
    ex.set_leverage("a", "Y", 50)
    ex.order("c", "Y", "sell", 1, price=100)
    ex.order("a", "Y", "buy", 1, price=100)
    ex.set_state("X", "auction")
    poor = ex.order("a", "X", "buy", 12, price=105).ok()
    ex.order("b", "X", "buy", 5, price=102)
    ex.order("c", "X", "sell", 5, price=99)
    assert ex.market("X").price == 105
    ex.mark("Y", 75)
    ack = ex.set_state("X", "continuous")
    assert ends(ack)[poor.order_id] == Ending.UNCOVERED
    (uncrossed,) = of(ack, EventType.UNCROSSED)
    assert (uncrossed.price_ticks, uncrossed.size_lots) == (100, 5)


def test_the_uncross_fires_stops_after_it(strict_exchange):
    ex = market(strict_exchange, mark=50)
    stop = ex.order("c", "X", "buy", 1, trigger=Trigger.stop(51, by="last")).ok()
    gather(ex, [(5, 52)], [(4, 51), (3, 52)], names="def")
    assert not of(ex.mark("X", 51), EventType.TRIGGERED)
    ack = ex.set_state("X", "continuous")
    kinds = [e.type for e in ack.events]
    (fired,) = of(ack, EventType.TRIGGERED)
    assert fired.order_id == stop.order_id
    assert kinds.index(EventType.UNCROSSED) < kinds.index(EventType.LISTING_CHANGED) < kinds.index(EventType.TRIGGERED)


# --- Indications, ends


def test_an_indication_comes_once_a_command_and_only_when_it_changes(strict_exchange):
    ex = market(strict_exchange)
    assert not of(ex.order("a", "X", "buy", 5, price=50), EventType.INDICATED)
    (told,) = of(ex.order("b", "X", "sell", 3, price=49), EventType.INDICATED)
    assert (told.price_ticks, told.size_lots, told.surplus_lots) == (50, 3, 2)
    assert not of(ex.order("c", "X", "buy", 9, price=40), EventType.INDICATED)
    assert EventType.INDICATED not in {e.type for e in passed(ex, 5)}
    ask = ex.open_orders("b")[0]
    (told,) = of(ex.cancel("b", ask.order_id), EventType.INDICATED)
    assert (told.price_ticks, told.size_lots, told.surplus_lots) == (0, 0, 0)


def test_a_call_ends_by_itself_at_its_time(strict_exchange):
    ex = market(strict_exchange)
    ex.set_state("X", "auction", ends_ns=100, then="halted")
    gather(ex, [(5, 51)], [(5, 50)])
    assert sizes(passed(ex, 99)) == 0
    assert sizes(passed(ex, 100)) == 5
    assert ex.market("X").state == "halted"
    assert ex.order("a", "X", "buy", 1, price=50).code == Code.NOT_TRADING


def test_an_order_that_ends_at_the_same_instant_ends_first(strict_exchange):
    ex = market(strict_exchange)
    ex.set_state("X", "auction", ends_ns=100)
    ex.order("a", "X", "buy", 5, price=51, tif="gtd", expiry_ns=100)
    ex.order("b", "X", "sell", 5, price=50)
    assert sizes(passed(ex, 100)) == 0


def test_a_takeover_joins_the_call_and_a_mark_takes_its_order_out(strict_exchange):
    """The house offers the parcel at its bankruptcy price. The uncross fills it there or better and deleverages nobody."""
    ex = strict_exchange([X])
    for name, cash in (("a", 101), ("b", 10**6), ("c", 10**6)):
        ex.deposit(name, "USDT", cash)
    ex.seed_fund("USDT", 1_000)
    ex.mark("X", 100)
    ex.order("b", "X", "sell", 10, price=100)
    ex.order("a", "X", "buy", 10, price=100)
    ex.set_state("X", "auction")
    ack = ex.mark("X", 90)
    taken = of(ack, EventType.TAKEOVER)
    assert taken and of(ack, EventType.RESTED)
    ex.order("c", "X", "buy", 10, price=94)
    assert ex.market("X").size == 10
    ack = ex.set_state("X", "continuous")
    assert trades(ack) and not of(ack, EventType.ADL) and not ex.parcels()


# --- Copies and previews


def test_a_preview_in_a_call_rests_and_does_not_trade(strict_exchange):
    ex = market(strict_exchange)
    gather(ex, [(5, 52)], [])
    gather(ex, [], [(1, 53)], names="b")  # a position's row, as a quick preview wants it
    seen = ex.preview("b", "X", "sell", 3, price=50)
    assert (seen.code, seen.filled, seen.resting) == (Code.OK, 0, 3)


def test_a_fork_goes_on_with_the_call(strict_exchange):
    ex = market(strict_exchange)
    ex.set_state("X", "auction", ends_ns=100)
    gather(ex, [(5, 52)], [(3, 50)])
    fork = ex.fork()
    assert fork.market("X") == ex.market("X")
    assert sizes(passed(fork, 100)) == sizes(passed(ex, 100)) == 3
    assert fork.digest() == ex.digest()
