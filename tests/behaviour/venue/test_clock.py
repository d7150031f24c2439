"""What the passing of time does to modelled prices: samples, rates, settlements, constituents that go stale, expiries.

Owns the claim that it does not matter where the clock stops on its way. What is expected is computed here, in fractions or
by hand. Components and premiums are in contract/test_prices.py.
"""

from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest

from solvent import EventType, Funding, Index, InputError, Instrument, PriceModel, Tier, rules
from solvent.records import Listing, SourceState
from solvent.schema.limits import CATCH_UP_MAX, DAY_NS

X = "X"
S = 10**9
HOUR = 3_600 * S
WIDE = replace(rules.find("seed"), name="wide", price_band_ppb=10**9 - 1)
TERMS = {
    "contract_size": 1, "tick": 1, "tiers": [Tier(10**6, "0.005", "0.01")], "maker_fee": 0, "taker_fee": 0, "max_price": 10**5,
}  # fmt: skip
PLAIN = Funding(interest=0, clamp=0, interval_ns=HOUR, premium="middle", weights="equal", cap="0.5")
"""The rate is the mean of (mid - index) / index."""


def exchange(make, model, rule_set=WIDE, **terms):
    """A maker m and a taker t with plenty."""
    ex = make([Instrument(X, **(TERMS | terms), prices=model)], rules=rule_set)
    for name in ("m", "t"):
        ex.deposit(name, "USDT", 10**9)
    return ex


def quote(ex, bid, ask, size=1_000):
    ex.cancel_all("m")
    for side, price in (("buy", bid), ("sell", ask)):
        if price:
            ex.order("m", X, side, size, price=price).ok()


def trade(ex, price, side="buy", size=1):
    """A trade at this price, whatever was quoted; the quotes are gone."""
    ex.cancel_all("m")
    ex.order("m", X, "sell" if side == "buy" else "buy", size, price=price).ok()
    assert ex.order("t", X, side, size, price=price).filled == size


def mark(ex) -> Decimal | None:
    return ex.position("m", X).mark_price


def found(ex, kind):
    return [event for event in ex._iterate(1, ex._kernel.next_seq) if event.type == kind]


def states(ex):
    return [(e.source, SourceState(e.state).name) for e in found(ex, EventType.SOURCE_CHANGED)]


# --- Where the clock stops


def paths(make, seed, stops):
    """Random quotes, trades, constituents over two days; between them the clock stops or does not. The state at the end."""
    random = Random(seed)
    index = Index(sources={"a": 1, "b": 2, "c": 1}, stale_ns=random.choice([2 * S, 400 * S, 6 * HOUR]))
    model = PriceModel(
        components=["fair", "basis_mean", "basis_ema", "last", "book"], sample_ns=7 * S, index=index,
        funding=Funding(
            cutoff_ns=60 * S, impact=5_000, weights="equal", trailing=random.choice([0, 1_000]),
            premium=random.choice(["impact", "middle"]), margin=random.choice([0, "0.5"]),
            notional=random.choice(["mark", "index"]),
        ),
    )  # fmt: skip
    ex, breaks, clock = exchange(make, model), Random(stops), 0
    for _ in range(12):
        price = random.randrange(9_900, 10_100)
        ex.source(X, random.choice("abc"), price)
        if mark(ex):
            trade(ex, price + random.randrange(-20, 20), random.choice(["buy", "sell"]), random.randrange(1, 9))
            quote(ex, price - random.randrange(1, 30), price + random.randrange(1, 30))
        clock += random.choice([1, 3 * S, 500 * S, 8 * HOUR, 5 * HOUR])
        for stop in sorted(breaks.randrange(ex.time_ns, clock + 1) for _ in range(breaks.randrange(6) if stops else 0)):
            ex.advance(stop)
        ex.advance(clock)
    return ex._kernel.state(), *(found(ex, kind) for kind in (EventType.RATED, EventType.FUNDED, EventType.SOURCE_CHANGED))


@pytest.mark.parametrize("more", range(6))
def test_where_the_clock_stops_does_not_matter(audited_exchange, seed, more):
    """Samples, rates, settlements, constituents, the mark at the end."""
    plain, *others = (paths(audited_exchange, seed + more, stops) for stops in range(4))
    assert plain[1] and plain[2] and plain[3] and all(other[0] == plain[0] for other in others)
    for other in others:
        for mine, his in zip(plain[1:], other[1:], strict=True):
            assert [e.record[8:16] + e.record[24:] for e in mine] == [e.record[8:16] + e.record[24:] for e in his]


def test_a_constituent_is_stale_from_its_instant_on(strict_exchange):
    """Of an hour sampled every second, ten are of an index of 10,050 and the rest of 10,000, in one jump."""
    index = Index(sources={"a": 1, "b": 1}, stale_ns=10 * S)
    ex = exchange(strict_exchange, PriceModel(components=["index"], sample_ns=S, index=index, funding=PLAIN))
    ex.source(X, "b", 10_100)
    ex.source(X, "a", 10_000)
    quote(ex, 10_000, 10_100)
    for second in range(5, HOUR // S, 5):  # b is heard of no more
        ex.advance(second * S)
        ex.source(X, "a", 10_000)
    ex.advance(HOUR)
    assert states(ex)[2:] == [(1, "STALE")]
    [rated] = found(ex, EventType.RATED)
    assert (rated.samples, rated.premium_ppb) == (3_600, round(3_590 * 5_000_000 / 3_600))


def test_a_stale_constituent_moves_mark_and_positions(strict_exchange):
    """Nobody speaks; of one that was told later the index remains, and whoever that ruins is gone at that instant."""
    index = Index(sources={"a": 3, "b": 1}, stale_ns=10 * S)
    ex = exchange(strict_exchange, PriceModel(components=["index"], index=index))
    ex.deposit("long", "USDT", 150)
    ex.set_leverage("long", X, 100, mode="isolated")
    ex.source(X, "a", 10_000)
    trade(ex, 10_000)
    ex.order("m", X, "sell", 1, price=10_000).ok()
    assert ex.order("long", X, "buy", 1, price=10_000).filled == 1
    ex.advance(5 * S)
    ex.source(X, "b", 9_940)
    assert mark(ex) == 9_985
    ex.advance(10 * S)
    assert ex.position("long", X).size == 1
    ex.advance(HOUR)
    assert (mark(ex), ex.position("long", X).size) == (9_940, 0)
    [event] = found(ex, EventType.LIQUIDATION)
    assert [e.price_ticks for e in found(ex, EventType.MARKED)] == [10_000, 9_985, 9_940] and event.equity_units == 40 * 10**6


# --- Settlements


@pytest.mark.parametrize("periods", [1, 3, CATCH_UP_MAX, CATCH_UP_MAX + 1, CATCH_UP_MAX + 44])
def test_settlements_passed_by_one_jump(audited_exchange, periods):
    """Each is charged with its own period, up to so many; the earliest ones are passed over."""
    ex = exchange(audited_exchange, PriceModel(components=["index"], sample_ns=600 * S, funding=PLAIN))
    ex.index(X, 10_000)
    trade(ex, 10_000)
    quote(ex, 10_009, 10_011)
    ex.advance(periods * HOUR)
    first = max(1, periods - CATCH_UP_MAX + 1)
    assert [event.period for event in found(ex, EventType.FUNDED)] == list(range(first, periods + 1))
    assert {event.samples for event in found(ex, EventType.RATED)} == {6}
    assert 10**9 - ex.account("t").cash == 10 * (periods - first + 1)
    assert ex.residue("USDT") == 0


def test_what_is_passed_over_leaves_no_samples(strict_exchange):
    """Half an hour at 0.1 %, a rate that is fixed, then no premium at all and 300 hours at once: no rate is left of it."""
    ex = exchange(
        strict_exchange, PriceModel(components=["index"], sample_ns=600 * S, funding=replace(PLAIN, cutoff_ns=1_800 * S))
    )
    ex.index(X, 10_000)
    trade(ex, 10_000)
    quote(ex, 10_009, 10_011)
    ex.advance(HOUR - 1)
    quote(ex, 9_999, 10_001)
    ex.advance(300 * HOUR)
    assert {event.rate_ppb for event in found(ex, EventType.FUNDED)} == {0}
    kept = found(ex, EventType.RATED)[1:]
    assert (kept[0].period, kept[0].samples, kept[1].samples) == (300 - CATCH_UP_MAX + 1, 3, 6)


@pytest.mark.parametrize("interval, cutoff", [(HOUR, 0), (3 * HOUR, HOUR), (DAY_NS, 60 * S)])
def test_settlements_are_at_whole_intervals_of_the_clock(strict_exchange, interval, cutoff):
    ex = exchange(
        strict_exchange, PriceModel(components=["index"], funding=replace(PLAIN, interval_ns=interval, cutoff_ns=cutoff))
    )
    ex.index(X, 10_000)
    quote(ex, 10_009, 10_011)
    ex.advance(interval - 1)
    assert len(found(ex, EventType.RATED)) == (cutoff > 0) and not found(ex, EventType.FUNDED)
    ex.advance(interval)
    assert [event.period for event in found(ex, EventType.FUNDED)] == [1] and len(found(ex, EventType.RATED)) == 1


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("capped", [True, False])
@pytest.mark.parametrize("book", [9_900, 10_100])
def test_whether_funding_or_the_margin_check_comes_first(strict_exchange, first, capped, book):
    """A long of 10,000, margin 100. The settlement carries the mark 1 % down, and 1 % is his to receive: too late, if he was
    looked at before. Where he pays 1 % at an unmoved mark, the order does not matter: with the cap he stays, else he goes."""
    component = "basis_mean" if book < 10_000 else "index"
    model = PriceModel(components=[component], window=1, sample_ns=HOUR, funding=replace(PLAIN, cap="0.01"))
    ex = exchange(strict_exchange, model, replace(WIDE, funding_first=first, funding_cap=capped))
    ex.index(X, 10_000)
    ex.deposit("a", "USDT", 100)
    ex.set_leverage("a", X, 100, mode="isolated")
    ex.order("m", X, "sell", 1, price=10_000).ok()
    assert ex.order("a", X, "buy", 1, price=10_000).filled == 1
    quote(ex, book - 10, book + 10)
    ex.advance(HOUR)
    survives = first if book < 10_000 else capped
    assert mark(ex) == min(book, 10_000) and abs(found(ex, EventType.FUNDED)[0].rate_ppb) == 10_000_000
    assert (ex.position("a", X).size == 1) is survives
    assert bool(found(ex, EventType.TAKEOVER)) is not survives


def test_an_instrument_begins_with_the_clock(strict_exchange):
    """One that is added after a hundred hours owes nothing for them: its first sample and settlement are the next ones."""
    ex = exchange(strict_exchange, None)
    ex.advance(100 * HOUR)
    ex.add_instrument(Instrument("LATE", **TERMS, prices=PriceModel(components=["index"], sample_ns=600 * S, funding=PLAIN)))
    ex.index("LATE", 10_000)
    for name, side, price in (("m", "sell", 10_000), ("t", "buy", 10_000), ("m", "buy", 10_009), ("m", "sell", 10_011)):
        ex.order(name, "LATE", side, 1, price=price).ok()
    ex.advance(100 * HOUR + 1)
    assert not found(ex, EventType.FUNDED) and ex.account("t").cash == 10**9
    ex.advance(101 * HOUR)
    [rated], [funded] = found(ex, EventType.RATED), found(ex, EventType.FUNDED)
    assert (rated.samples, funded.period, funded.collected_units) == (6, 101, 10 * 10**6)


@pytest.mark.parametrize("bid, ask, premium", [(10_010, 0, 10**6), (0, 9_980, -2 * 10**6), (0, 0, 0), (9_990, 10_010, 0)])
def test_an_impact_premium_needs_no_second_side(strict_exchange, bid, ask, premium):
    """A side that is not there adds nothing; the middle of one side is none, and its period has no rate."""
    funding = replace(PLAIN, premium="impact", impact=5_000)
    for each, expected in ((funding, [(premium, 6)]), (PLAIN, [(0, 6)] if bid and ask else [])):
        ex = exchange(strict_exchange, PriceModel(components=["index"], sample_ns=600 * S, funding=each))
        ex.index(X, 10_000)
        quote(ex, bid, ask)
        ex.advance(HOUR)
        assert [(e.premium_ppb, e.samples) for e in found(ex, EventType.RATED)] == expected
        assert [e.rate_ppb for e in found(ex, EventType.FUNDED)] == [sum(rate for rate, _ in expected)]


def test_a_trailing_mean_passes_over_settlements(strict_exchange):
    """The last eight of six samples an hour (OKX since March 2024): 0.1 %, then 0.2 %, then 0.4 %."""
    ex = exchange(strict_exchange, PriceModel(components=["index"], sample_ns=600 * S, funding=replace(PLAIN, trailing=8)))
    ex.index(X, 10_000)
    for hour, middle in enumerate((10_010, 10_020, 10_040), 1):
        quote(ex, middle - 1, middle + 1)
        ex.advance(hour * HOUR)
    assert [(e.rate_ppb, e.samples) for e in found(ex, EventType.RATED)] == [
        (10**6, 6), (2 * 10**6 * 6 // 8 + 10**6 * 2 // 8, 8), (4 * 10**6 * 6 // 8 + 2 * 10**6 * 2 // 8, 8),
    ]  # fmt: skip


@pytest.mark.parametrize("notional, paid", [("mark", 102), ("index", 100)])
def test_funding_at_the_index(strict_exchange, notional, paid):
    """Hyperliquid pays on the oracle's value: 1 % of 10,000 while the mark, the last trade, is 10,200."""
    ex = exchange(strict_exchange, PriceModel(components=["last"], funding=replace(PLAIN, notional=notional)))
    ex.index(X, 10_000)
    trade(ex, 10_200)
    quote(ex, 10_099, 10_101)
    ex.advance(1)
    before = ex.account("t").cash
    ex.advance(HOUR)
    assert mark(ex) == 10_200 and before - ex.account("t").cash == paid


# --- Accrued funding in requirements


def accruing(make, share="0.5", rule_set=WIDE, **terms):
    """A long and a short of 10,000 each, 60 of their own; the book is 1 % above the index from the second hour on."""
    funding = replace(PLAIN, margin=share, **terms)
    ex = exchange(make, PriceModel(components=["index"], sample_ns=600 * S, funding=funding), rule_set)
    ex.index(X, 10_000)
    for name, side in (("long", "buy"), ("short", "sell")):
        ex.deposit(name, "USDT", 100)
        ex.set_leverage(name, X, 100, mode="isolated")
        ex.order("m", X, "sell" if side == "buy" else "buy", 1, price=10_000).ok()
        assert ex.order(name, X, side, 1, price=10_000).filled == 1
    quote(ex, 9_999, 10_001)
    ex.advance(HOUR)
    return ex


def test_accrued_funding_is_asked_of_its_payer(strict_exchange):
    """Six samples at 0, one at 1 %: half of it counts, of longs alone; settled, it is gone. Rates fall back to nothing."""
    ex = accruing(strict_exchange)
    before = ex.position("long", X)
    assert (before.maintenance, before.initial) == (50, 100)
    quote(ex, 10_099, 10_101)
    ex.advance(HOUR + 600 * S)
    [event] = found(ex, EventType.ACCRUED)
    assert (event.period, event.rate_ppb, event.asked_ppb) == (2, 10**7, 5 * 10**6)
    ahead = [(ex.position(name, X).maintenance, ex.position(name, X).initial) for name in ("long", "short")]
    assert ahead == [(100, 150), (50, 100)]
    assert ex.position("long", X).size == 1  # at its threshold, to the unit
    quote(ex, 9_899, 9_901)
    ex.advance(HOUR + 1_800 * S)  # two samples more at -1 %: a third of 1 % the other way
    event = found(ex, EventType.ACCRUED)[-1]
    assert (event.rate_ppb, event.asked_ppb) == (-3_333_333, -1_666_666)
    assert [ex.position(name, X).maintenance for name in ("long", "short")] == [50, Decimal("66.66666")]
    quote(ex, 9_999, 10_001)
    ex.advance(2 * HOUR)
    assert [ex.position(name, X).maintenance for name in ("long", "short")] == [50, 50]


def test_accrued_funding_alone_liquidates(strict_exchange):
    """No mark moves: with a little more than half of it the long is below, and is taken over between two settlements."""
    ex = accruing(strict_exchange, share="0.500001")
    quote(ex, 10_099, 10_101)
    ex.advance(HOUR + 600 * S)
    [event] = found(ex, EventType.LIQUIDATION)
    assert (event.equity_units, event.own_units) == (100 * 10**6, 100 * 10**6 + 100)
    assert ex.position("long", X).size == 0 and ex.position("short", X).size == -1


def test_an_order_brings_what_funding_accrued_asks(strict_exchange):
    """Opening a long at 1 % asks another 50 beside its initial margin: 149.99 is too little."""
    ex = accruing(strict_exchange)
    quote(ex, 10_099, 10_101)
    ex.advance(HOUR + 600 * S)
    for mode in ("cross", "isolated"):
        ex.deposit(mode, "USDT", "149.99")
        ex.set_leverage(mode, X, 100, mode=mode)
        quote(ex, 9_000, 10_000, 1)
        assert ex.order(mode, X, "buy", 1, price=10_000, tif="ioc").code.name == "INSUFFICIENT_MARGIN"
        ex.deposit(mode, "USDT", "0.01")
        assert ex.order(mode, X, "buy", 1, price=10_000, tif="ioc").filled == 1
        assert ex.position(mode, X).margin == (150 if mode == "isolated" else 0)


@pytest.mark.parametrize("notional, asked", [("mark", 60), ("index", 50)])
def test_accrued_funding_follows_its_price(strict_exchange, notional, asked):
    """The last trade is 20 % above the index: what is asked is of the value that will be paid on."""
    funding = replace(PLAIN, margin="0.5", notional=notional)
    ex = exchange(strict_exchange, PriceModel(components=["last"], sample_ns=600 * S, funding=funding))
    ex.index(X, 10_000)
    trade(ex, 12_000)
    quote(ex, 10_099, 10_101)
    ex.advance(600 * S)
    assert ex.position("t", X).maintenance == 60 + asked
    if notional == "index":
        ex.index(X, 9_000)
        assert ex.position("t", X).maintenance == 60 + 45


# --- Dated contracts


def test_funding_due_at_the_expiry_is_paid_before_it(strict_exchange):
    ex = exchange(strict_exchange, PriceModel(components=["index"], funding=PLAIN), expiry_ns=HOUR, settle_window_ns=S)
    ex.index(X, 10_000)
    trade(ex, 10_000)
    quote(ex, 10_009, 10_011)
    ex.advance(3 * HOUR)
    [funded], [closed] = found(ex, EventType.FUNDED), found(ex, EventType.LISTING_CHANGED)
    assert closed.listing == Listing.CLOSED and funded.seq < closed.seq and closed.price_ticks == 10_000
    assert ex.account("t").cash == 10**9 - 10 and ex.open_orders("m") == []


# --- Words


@pytest.mark.parametrize(
    "make_it",
    [lambda: Index(sources={}), lambda: Index(sources={"a": 0}), lambda: Index(sources={"a": 1}, external={"a": 1}),
     lambda: Index(sources={"a": 1}, wild="keep"), lambda: Index(sources={"a": 1}, least=2),
     lambda: Index(sources={f"s{i}": 1 for i in range(33)}), lambda: Index(sources={"a": 1}, outlier=0),
     lambda: Funding(premium="last"), lambda: Funding(weights="none"), lambda: Funding(cap=0), lambda: Funding(cap=1),
     lambda: Funding(cutoff_ns=8 * HOUR), lambda: Funding(share=(0, 1)), lambda: Funding(interval_ns=1),
     lambda: Funding(trailing=1), lambda: Funding(trailing=32_769, weights="equal"), lambda: Funding(notional="last"),
     lambda: Funding(clamp=("0.1", "-0.1")), lambda: Funding(clamp=("0.1",)), lambda: Funding(clamp=("-1.1", 0)),
     lambda: Funding(margin="1.1"), lambda: Funding(margin="-0.1"),
     lambda: Instrument(X, **TERMS, prices=PriceModel(funding=Funding(margin=1, cap="0.999"))),
     lambda: PriceModel(components=[]), lambda: PriceModel(components=["mid"]), lambda: PriceModel(components="index"),
     lambda: Instrument(X, **TERMS, prices=PriceModel(components=["basis_annual"])),
     lambda: PriceModel(components=["external"]), lambda: PriceModel(band=1), lambda: PriceModel(alpha=0),
     lambda: PriceModel(sample_ns=2 * HOUR, funding=PLAIN), lambda: PriceModel(window=0),
     lambda: Instrument(X, **TERMS, expiry_ns=1), lambda: Instrument(X, max_price=2**29, tick=1, prices=PriceModel()),
     lambda: replace(WIDE, fee_at="entry"), lambda: replace(WIDE, fee_at="bankruptcy")],
)  # fmt: skip
def test_words_that_do_not_fit(make_it):
    with pytest.raises(InputError):
        make_it()
