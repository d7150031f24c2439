"""Index, mark and funding by models: components, constituents, published premiums and rates.

Of V10 only one of two means and not the payment can be tested: how its other window lies is not on the page. D23 and V14 to
V17 are in test_published_rules.py, what the passing of time does in test_clock.py.
"""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from random import Random
from statistics import median

import pytest

from solvent import Code, EventType, Funding, Index, Instrument, PriceModel, Rejected, Tier
from solvent.records import SourceState
from solvent.schema.limits import CATCH_UP_MAX, FINE
from solvent.twin.contract.price_model import half_even, middle, weighted_median
from solvent.venues import price_model
from support.models import SECOND, TIERS, WIDE, X, build, funded, mark, of, passing, quote, rated, rates, trade

# --- Marks


@pytest.mark.parametrize(
    "components,expected",
    [
        (["index"], "1000"), (["basis_mean"], "1002"), (["basis_ema"], "1002"), (["last"], "1005"),
        (["book"], "1003"), (["fair"], "1000"), (["fair", "basis_mean", "last"], "1002"),
        (["index", "last"], "1002.5"), (["index", "basis_mean", "book", "last"], "1002.5"),
    ],
)  # fmt: skip
def test_each_component_and_medians(make, components, expected):
    """Bid 1001, ask 1003, last 1005 (an outside trade), index 1000: a basis of 2."""
    ex = build(make, PriceModel(components=components, sample_ns=SECOND))
    ex.index(X, 1_000)
    trade(ex, 1_005)
    quote(ex, [(1_001, 5)], [(1_003, 5)])
    ex.advance(SECOND)
    assert mark(ex) == Decimal(expected)


def test_the_mean_forgets_and_the_average_fades(make):
    """A window of two samples: basis 2, then 4, then 6; the moving average takes half of what is new."""
    ex = build(make, PriceModel(components=["basis_mean"], sample_ns=SECOND, window=2, alpha="0.5"))
    ex.index(X, 1_000)
    seen = []
    for second, middle_price in enumerate((1_002, 1_004, 1_006), 1):
        ex.cancel_all("maker")
        quote(ex, [(middle_price - 1, 5)], [(middle_price + 1, 5)])
        (event,) = [e for e in passing(ex, second * SECOND) if e.type == EventType.MARKED]
        seen.append((event.price_ticks, event.basis_fine // FINE, event.ema_fine // FINE))
    assert seen == [(10_020, 20, 20), (10_030, 30, 30), (10_050, 50, 45)]


YEAR, DAY = 365 * 86_400 * SECOND, 86_400 * SECOND


@pytest.mark.parametrize("mid", [1_010, 990])
@pytest.mark.parametrize("days", [1, 90])
@pytest.mark.parametrize("jump", [5 * SECOND, 60 * SECOND, 600 * SECOND])
def test_the_annualised_basis_of_a_dated_contract(make, mid, days, jump):
    """Delta: each sample's basis over the index is one of a year by the time that is left; the mean of 12 x 5 s, over the
    time that is left now, is what the mark is above the index. However long the jumps are, it is that of each instant."""
    expiry = days * DAY
    ex = build(make, price_model("delta"), expiry_ns=expiry)
    ex.index(X, 1_000)
    assert mark(ex) == 1_000
    quote(ex, [(mid - 1, 1)], [(mid + 1, 1)])
    for stop in range(jump, 1_201 * SECOND, jump):
        ex.advance(stop)
        instants = [k * 5 * SECOND for k in range(1, stop // (5 * SECOND) + 1)][-12:]
        mean = sum(Fraction(mid - 1_000, 1_000) * YEAR / (expiry - instant) for instant in instants) / len(instants)
        exact = 1_000 * (1 + mean * (expiry - stop) / YEAR)
        assert abs(Fraction(mark(ex)) - exact) <= Fraction("0.05") + Fraction("0.000002")
    ex.cancel_all("maker")
    ex.advance(expiry - 3_600 * SECOND)  # nothing is sampled any more: the rate of a year stands, the time runs out
    exact = 1_000 * (1 + mean * 3_600 * SECOND / YEAR)
    assert abs(Fraction(mark(ex)) - exact) <= Fraction("0.050002")
    events = passing(ex, expiry)
    assert [e.price_ticks for e in events if e.type == EventType.LISTING_CHANGED] == [10_000]


def test_an_annualised_basis_in_the_last_instants(make):
    """A tenth in the last nanosecond before the expiry is more a year than the bound: it is cut there, and says nothing about
    the mark of that instant, which is the index."""
    ex = build(make, PriceModel(components=["basis_annual"], sample_ns=10**6, window=1), expiry_ns=SECOND + 1)
    ex.index(X, 1_000)
    quote(ex, [(1_099, 1)], [(1_101, 1)])
    ex.advance(SECOND - 10**6)
    left = 10**6 + 1
    cut = Fraction(2**50, 10**9) * left / YEAR
    assert 0 < cut < Fraction(1, 10) and abs(Fraction(mark(ex)) - 1_000 * (1 + cut)) <= Fraction("0.050002")
    ex.advance(SECOND)
    assert mark(ex) == 1_000


def test_the_band_around_the_index(make):
    ex = build(make, PriceModel(components=["last"], sample_ns=SECOND, band="0.01"))
    ex.index(X, 1_000)
    trade(ex, 1_100)
    ex.advance(SECOND)
    assert mark(ex) == 1_010


def test_a_mark_is_rounded_half_to_even_once(make):
    """1000.05 lies between two ticks and goes to the even one; so does 1000.15."""
    ex = build(make, PriceModel(components=["index"]))
    for index, expected in (("1000.05", "1000.0"), ("1000.15", "1000.2"), ("1000.0500001", "1000.1")):
        ex.index(X, index)
        assert mark(ex) == Decimal(expected)


@pytest.mark.parametrize("numbers", range(40))
def test_medians_and_rounding(seed, numbers):
    r = Random(seed + numbers)
    prices = [r.randrange(-50, 50) for _ in range(r.randrange(1, 9))]
    assert middle(prices) == round(Fraction(median(map(Fraction, prices))))
    pairs = [(price, r.randrange(1, 4)) for price in prices]
    assert weighted_median(pairs) == middle([price for price, weight in pairs for _ in range(weight)])
    n, d = r.randrange(-100, 100), r.randrange(1, 9)
    assert half_even(n, d) == round(Fraction(n, d))


# --- Indices


def indexed(make, **terms):
    sources = terms.pop("sources", {"a": 1, "b": 1, "c": 2})
    index = Index(sources=sources, stale_ns=5 * SECOND, outlier="0.05", **terms)
    return build(make, PriceModel(components=["index"], index=index))


def told(ex, **prices):
    states = {}
    for name, price in prices.items():
        for e in of(ex.source(X, name, price), EventType.SOURCE_CHANGED):
            states[e.source] = SourceState(e.state).name
    return states


@pytest.mark.parametrize("method,expected", [("mean", "1012.5"), ("median", "1015")])
def test_weights(make, method, expected):
    """(1000 + 1010 + 2 * 1020) / 4; half of the weight lies between 1010 and 1020."""
    ex = indexed(make, method=method)
    told(ex, a=1_000, b=1_010, c=1_020)
    assert mark(ex) == Decimal(expected)


@pytest.mark.parametrize("wild,expected", [("drop", "1000"), ("clip", "1025")])
def test_a_wild_constituent_is_dropped_or_clipped_and_said(make, wild, expected):
    """10 % above the median of three: out, or taken at 5 %."""
    ex = indexed(make, wild=wild)
    assert told(ex, a=1_000, b=1_000, c=1_100)[2] == "WILD"
    assert mark(ex) == Decimal(expected)
    assert told(ex, c=1_000)[2] == "LIVE_SOURCE"


def test_a_stale_constituent_counts_no_more_and_comes_back(make):
    ex = indexed(make)
    told(ex, a=1_000, b=1_000, c=1_020)
    ex.advance(3 * SECOND)
    told(ex, a=1_000)
    events = passing(ex, 5 * SECOND + 1)
    assert [(e.source, e.state) for e in events if e.type == EventType.SOURCE_CHANGED] == [(1, 2), (2, 2)]
    assert mark(ex) == 1_000
    assert told(ex, c=1_020) == {2: "LIVE_SOURCE"} and mark(ex) == Decimal("1013.3")


def test_an_index_that_is_carried_is_said(make):
    """Fewer than `least` are live: the price stays, and an INDEXED tells with how many; again when it is another number."""
    ex = indexed(make, least=2)
    told(ex, a=1_000, b=1_002)
    ex.advance(4 * SECOND)
    told(ex, b=1_002)
    seen = [(e.price_ticks, e.sources) for e in passing(ex, 30 * SECOND) if e.type == EventType.INDEXED]
    assert seen == [(10_010, 1), (10_010, 0)]
    assert [e.sources for e in of(ex.source(X, "a", 1_004), EventType.INDEXED)] == [1]
    assert [(e.price_ticks, e.sources) for e in of(ex.source(X, "b", 1_002), EventType.INDEXED)] == [(10_030, 2)]


def test_an_external_set_without_a_live_member_is_left_out(make):
    index = Index(sources={"a": 1}, external={"x": 1, "y": 1}, stale_ns=5 * SECOND)
    ex = build(make, PriceModel(components=["index", "external"], index=index))
    for name, price in (("a", 1_000), ("x", 1_010), ("y", 1_030)):
        ex.source(X, name, price)
    assert mark(ex) == 1_010
    for second in (4, 8):
        ex.advance(second * SECOND)
        ex.source(X, "a", 1_000)
    assert mark(ex) == 1_000
    ex.source(X, "y", 1_030)
    assert mark(ex) == 1_015


def test_with_too_few_constituents_the_index_stays(make):
    ex = indexed(make, least=2)
    told(ex, a=1_000)
    assert mark(ex) == 0
    told(ex, b=1_010)
    assert mark(ex) == 1_005
    ex.advance(5 * SECOND + 1)
    told(ex, a=900)  # alone
    assert mark(ex) == 1_005


def test_what_is_modelled_is_not_handed_in(make):
    ex = indexed(make)
    for call in (lambda: ex.mark(X, 1), lambda: ex.index(X, 1)):
        with pytest.raises(Rejected) as refused:
            call()
        assert refused.value.code == Code.PRICE_IS_MODELLED
    with pytest.raises(Rejected) as refused:
        ex.source(X, "nobody", 1)
    assert refused.value.code == Code.BAD_SOURCE
    paid = build(make, PriceModel(components=["index"], sample_ns=SECOND, funding=Funding(interval_ns=SECOND)))
    with pytest.raises(Rejected) as refused:
        paid.settle_funding(X, "0.0001", 1)
    assert refused.value.code == Code.PRICE_IS_MODELLED


# --- Premiums and rates


FAR_ASK = (50_000, 10_000)


@pytest.mark.parametrize(
    "index,bids,asks,ppm",
    [
        pytest.param("9000", [(9_999, 100), (9_998, 10_000)], [], 110_911, id="D20"),
        pytest.param("10003", [], [(10_001, 100), ("10001.5", 100), (10_002, 10_000)], -129, id="D21"),
        pytest.param("10001.9", [], [(10_001, 10_000)], -89, id="D22-ask"),
        pytest.param("9997.5", [("9999.9", 10_000)], [], 240, id="D22-bid"),
    ],
)
def test_premiums_of_dydx(make, index, bids, asks, ppm):
    """dYdX v4 tests (liquidation rules, 8.5): impact notional 5,000, parts per million truncated toward zero."""
    premium = rated(make, index, bids, asks).premium_ppb
    assert (abs(premium) // 1_000) * (1 if premium > 0 else -1) == ppm


def test_funding_of_hyperliquid(make):
    """HL3: impact bid 10,100 over 10,000 is 1 %; .01 + clamp(.0001 - .01, ±.0005) = .95 %, an eighth an hour."""
    terms = {"interest": "0.0001", "clamp": "0.0005", "cap": "0.04"}
    event = rated(make, 10_000, [(10_100, 10_000)], [FAR_ASK], share=(1, 8), **terms)
    assert (event.premium_ppb, event.rate_ppb) == (10_000_000, 1_187_500)


@pytest.mark.parametrize("bid,premium,rate", [(10_001, 100_000, 0), (10_010, 1_000_000, 500_000), (9_000, 0, 0)])
def test_funding_of_bit_com(make, bid, premium, rate):
    """max(.05 %, P) + min(-.05 %, P) is the clamp form without interest (liquidation rules, 12.2)."""
    event = rated(make, 10_000, [(bid, 10_000)], [FAR_ASK], clamp="0.0005")
    assert (event.premium_ppb, event.rate_ppb) == (premium, rate)


@pytest.mark.parametrize("future,payment", [pytest.param(1_500, -20, id="V15"), pytest.param(1_700, 20, id="V16")])
def test_funding_of_vega(make, future, payment):
    """Vega specs, 0019-MCAL: spot 1,600, clamps of 5 %: f - s and 80 towards zero are paid."""
    event = rated(make, 1_600, [(future - 1, 1)], [(future + 1, 1)], premium="middle", clamp="0.05")
    assert Decimal(event.rate_ppb) * 1_600 / 10**9 == payment


@pytest.mark.parametrize("mid,clamp,rate", [
    (1_010, ("-0.004", 0), 6_000_000), (1_010, (0, "0.004"), 10_000_000), (990, ("-0.004", 0), -10_000_000),
    (990, (0, "0.004"), -6_000_000), (990, ("0.001", "0.002"), -8_000_000),
])  # fmt: skip
def test_a_clamp_of_two_bounds(make, mid, clamp, rate):
    """A premium of one per cent either way, no interest: what is taken off lies between the lower and the upper bound."""
    event = rated(make, 1_000, [(mid - 1, 1)], [(mid + 1, 1)], premium="middle", clamp=clamp)
    assert event.rate_ppb == rate


def test_funding_of_okx(make):
    """clamp(mean((mid - index) / index)) within ±.375 % for BTC; the middle needs no depth."""
    event = rated(make, 10_000, [(10_050, 1)], [(10_052, 1)], premium="middle", cap="0.00375")
    assert (event.premium_ppb, event.rate_ppb) == (5_100_000, 3_750_000)


def test_funding_of_bitmex_is_around_the_mark(make):
    """The book's impact bid is 20 over a mark that the last trade holds 30 over the index of 10,000: .2 % and .3 %."""
    funding = Funding(interval_ns=SECOND, premium="impact_on_mark", impact=5_000, weights="equal", cap="0.9")
    model = PriceModel(components=["last"], sample_ns=SECOND // 2, funding=funding)
    ex = build(make, model)
    ex.index(X, 10_000)
    trade(ex, 10_030)
    ex.advance(1)
    assert mark(ex) == 10_030
    quote(ex, [(10_050, 10_000)], [FAR_ASK])
    (event,) = [e for e in passing(ex, SECOND) if e.type == EventType.RATED]
    assert (event.premium_ppb, event.rate_ppb) == (5_000_000, 4_500_000)


def test_funding_of_bitmex_in_coins(make):
    """M3: 15,000 contracts at 750 are 20 XBT; 0.25 % of them are 0.05, and the move to 800 gains 1.25."""
    ex = make([
        Instrument("XBTUSD", kind="inverse", settle="XBT", contract_size=1, tick="0.5", settle_decimals=10, max_price=2_000,
                   maker_fee=0, taker_fee=0, tiers=[Tier(10**6, "0.005", "0.01")])
    ])  # fmt: skip
    for name in "ab":
        ex.deposit(name, "XBT", 100)
    ex.mark("XBTUSD", 750)
    ex.order("b", "XBTUSD", "sell", 15_000, price=750).ok()
    ex.order("a", "XBTUSD", "buy", 15_000, price=750).ok()
    assert ex.position("a", "XBTUSD").value == 20
    ex.settle_funding("XBTUSD", "0.0025", 1)
    assert ex.account("a").cash == Decimal("99.95")
    ex.mark("XBTUSD", 800)
    assert ex.position("a", "XBTUSD").upl == Decimal("1.25") and ex.account("a").equity == Decimal("101.2")


@pytest.mark.parametrize("clamp,rate,paid", [("0.0025", 2_500_000, "0.05"), ("0.0005", 500_000, "0.01")])
def test_the_rate_of_bitmex(make, clamp, rate, paid):
    """M3: quote and base lend at 1.00 % and .25 % a day, paid every eight hours: (1.00 % - .25 %) / 3 = .25 %, .05 of 20 XBT.

    The example leaves the premium out, and the clamp: that of today, .05 %, would leave .01.
    """
    eight = 8 * 3_600 * SECOND
    interest = (Fraction("0.01") - Fraction("0.0025")) / (24 * 3_600 * SECOND // eight)
    funding = Funding(interval_ns=eight, premium="impact_on_mark", impact=1, weights="equal", clamp=clamp,
                      interest=Decimal(interest.numerator) / interest.denominator)  # fmt: skip
    ex = build(make, PriceModel(components=["index"], sample_ns=eight, funding=funding), kind="inverse", settle="XBT",
               contract_size=1, tick="0.5", settle_decimals=10, max_price=2_000)  # fmt: skip
    ex.index(X, 750)
    ex.order("maker", X, "sell", 15_000, price=750).ok()
    assert ex.order("taker", X, "buy", 15_000, price=750).filled == 15_000
    assert ex.position("taker", X).value == 20
    assert rates(passing(ex, eight)) == [(1, rate)]
    assert 10**6 - ex.account("taker").cash == Decimal(paid) == 20 * Decimal(rate) / 10**9


def test_the_average_of_whitebit(make):
    """WhiteBIT help, funding rate: premiums of .0001, .004, .008 and -.0001 with weights 1 to 4, a minute each: .00317.

    Without a clamp that is the rate. Impact bids of 10,001, 10,040, 10,080, then an ask of 9,999, of an index of 10,000.
    """
    minute = 60 * SECOND
    funding = Funding(interval_ns=4 * minute, impact=100, weights="linear", clamp=0, interest=0)
    ex = build(make, PriceModel(components=["index"], sample_ns=minute, funding=funding))
    ex.index(X, 10_000)
    for k, (side, price) in enumerate((("buy", 10_001), ("buy", 10_040), ("buy", 10_080), ("sell", 9_999)), 1):
        ex.order("maker", X, side, 100, price=price).ok()
        events = passing(ex, k * minute)
        ex.cancel_all("maker")
    (event,) = [e for e in events if e.type == EventType.RATED]
    assert (event.samples, event.premium_ppb, event.rate_ppb) == (4, 3_170_000, 3_170_000)


def test_rates_are_settled_by_the_clock(make):
    """Three periods passed by one jump; each pays 1 % of 100 USDT."""
    ex = funded(make)
    assert rates(passing(ex, 30 * SECOND)) == [(1, 10_000_000), (2, 10_000_000), (3, 10_000_000)]
    assert ex.account("taker").cash == 10**6 - 3


@pytest.mark.parametrize("weights", ["equal", "linear"])
def test_weights_of_samples(make, weights):
    """Six samples of 1 %, four of 0 %: the mean is .6 %; weighted 1 to 10 it is 21 / 55 of 1 %, for late ones count more."""
    ex = funded(make, weights=weights)
    ex.advance(6 * SECOND)
    ex.cancel_all("maker")
    quote(ex, [(999, 5)], [(1_001, 5)])
    (event,) = [e for e in passing(ex, 10 * SECOND) if e.type == EventType.RATED]
    expected = Fraction(21, 55) if weights == "linear" else Fraction(6, 10)
    assert event.rate_ppb == round(expected * 10**7) and event.samples == 10


def test_samples_after_the_cut_off_count_for_the_next_period(make):
    ex = funded(make, cutoff_ns=2 * SECOND)
    assert [e.samples for e in passing(ex, 8 * SECOND) if e.type == EventType.RATED] == [8]
    assert [e.samples for e in passing(ex, 20 * SECOND) if e.type == EventType.RATED] == [10]


def test_a_delayed_rate_is_charged_a_period_later(make):
    assert rates(passing(funded(make, delayed=True), 20 * SECOND)) == [(1, 0), (2, 10_000_000)]


def test_a_period_without_a_sample_has_no_rate(make):
    ex = funded(make, interest="0.0001", clamp="0.5")
    ex.cancel_all("maker")
    assert rates(passing(ex, 10 * SECOND)) == [(1, 0)]


def test_a_jump_settles_no_more_periods_than_documented(make):
    events = passing(funded(make), 10 * SECOND * (CATCH_UP_MAX + 50))
    assert [period for period, _ in rates(events)] == list(range(51, CATCH_UP_MAX + 51))


@pytest.mark.parametrize("first,liquidated", [(True, False), (False, True)])
def test_funding_before_or_after_the_margin_check(make, first, liquidated):
    """The last sample lifts the mark to 1,100: a short has .5 left, .55 is asked, and 1 % of 110 is what it will receive."""
    funding = Funding(interval_ns=10 * SECOND, premium="middle", weights="equal", interest=0, clamp=0, cap="0.5")
    model = PriceModel(components=["basis_mean"], sample_ns=SECOND, window=1, funding=funding)
    ex = build(make, model, replace(WIDE, funding_first=first))
    ex.deposit("short", "USDT", "10.5")
    ex.index(X, 1_000)
    ex.order("short", X, "sell", 100, price=1_000).ok()
    assert ex.order("taker", X, "buy", 100, price=1_000).filled == 100
    quote(ex, [(999, 5)], [(1_001, 5)])
    ex.advance(9 * SECOND)
    ex.cancel_all("maker")
    quote(ex, [(1_099, 500)], [(1_101, 500)])
    events = passing(ex, 10 * SECOND)
    assert rates(events) == [(1, 10_000_000)]
    assert any(e.type == EventType.LIQUIDATION and e.account == 18 for e in events) is liquidated
    assert ex.account("short").equity == (Decimal("1.6") if first else 0)


@pytest.mark.parametrize("window,price", [(0, "1030.0"), (3, "1020.0"), (100, "1005.0")])
def test_a_dated_contract_settles_at_the_average_of_its_index(make, window, price):
    """The index is 1,000 for nine seconds, then 1,010, 1,020, 1,030; it expires at twelve."""
    model = PriceModel(components=["index"], sample_ns=SECOND)
    ex = build(make, model, expiry_ns=12 * SECOND, settle_window_ns=min(window, 12) * SECOND)
    ex.index(X, 1_000)
    trade(ex, 1_000)
    for second, index in ((9, 1_010), (10, 1_020), (11, 1_030)):
        ex.advance(second * SECOND)
        ex.index(X, index)
    (event,) = [e for e in passing(ex, 50 * SECOND) if e.type == EventType.LISTING_CHANGED]
    average = {0: 1_030, 3: 1_020, 100: Decimal(9 * 1_000 + 1_010 + 1_020 + 1_030) / 12}[window]
    assert Decimal(event.price_ticks) / 10 == Decimal(price) == round(Decimal(average), 1)
    assert ex.account("taker").cash - 10**6 == (Decimal(price) - 1_000) / 1_000
    assert ex.order("taker", X, "buy", 1, price=1_000).code == Code.NOT_TRADING


VEGA_INTERNAL = (10, 11, 11, 10, 10, 9, 9, 8, 8, 7)
VEGA_EXTERNAL = (11, 9, 9, 10, 10, 12, 11, 8, 8, 14)


@pytest.mark.parametrize("path,average", [(VEGA_INTERNAL, "9.3"), (VEGA_EXTERNAL, "10.2")], ids=["V9 internal", "V9 external"])
def test_averages_of_vega(make, path, average):
    """Vega specs, 0053-PERP: prices that hold so long, averaged over ten units of time; here as a dated contract's index."""
    model = PriceModel(components=["index"], sample_ns=SECOND)
    ex = build(make, model, expiry_ns=10 * SECOND, settle_window_ns=10 * SECOND)
    for second, price in enumerate(path):
        if second:
            ex.advance(second * SECOND)
        ex.index(X, price)
    (event,) = [e for e in passing(ex, 10 * SECOND) if e.type == EventType.LISTING_CHANGED]
    assert Decimal(event.price_ticks) / 10 == Decimal(average)


@pytest.mark.parametrize("weights,rate", [("index", Fraction(93 - 102, 102)), ("equal", None)])
def test_means_apart_of_vega(make, weights, rate):
    """Of V9's two paths: the mean of the marks over that of the indices, less one; the mean of ratios is another number."""
    funding = Funding(interval_ns=10 * SECOND, premium="mark", weights=weights, interest=0, clamp=0, cap="0.9")
    ex = build(make, PriceModel(components=["last"], sample_ns=SECOND, funding=funding))
    for second, (internal, external) in enumerate(zip(VEGA_INTERNAL, VEGA_EXTERNAL, strict=True)):
        ex.advance(second * SECOND)
        ex.index(X, external)
        trade(ex, internal)
        ex.index(X, external)  # which looks at the mark again
        assert mark(ex) == internal
    (event,) = [e for e in passing(ex, 10 * SECOND) if e.type == EventType.RATED]
    ratios = [Fraction(f - s, s) for f, s in zip(VEGA_INTERNAL, VEGA_EXTERNAL, strict=True)]
    assert abs(Fraction(event.rate_ppb, 10**9) - (rate or sum(ratios) / 10)) <= Fraction(1, 10**9)
    assert event.samples == 10


@pytest.mark.parametrize("bound,rate", [(1, 11_000_000), ("0.03", 6_000_000), ("0.01", 2_000_000)])
def test_each_premium_is_bounded(make, bound, rate):
    """dYdX v4: votes of more than 60 times (initial less maintenance) count as that. Four samples of -1 %, four of 1 % and two
    of 5.5 %, which are 3 % or 1 % within the bound: 11 %, 6 % or 2 % in ten."""
    ex = funded(make, bound=bound, weights="equal")
    ex.cancel_all("maker")
    quote(ex, [(989, 5)], [(991, 5)])
    ex.advance(4 * SECOND)  # -1 %
    ex.cancel_all("maker")
    quote(ex, [(1_009, 5)], [(1_011, 5)])
    ex.advance(8 * SECOND)  # 1 %
    ex.cancel_all("maker")
    quote(ex, [(1_054, 5)], [(1_056, 5)])
    (event,) = [e for e in passing(ex, 10 * SECOND) if e.type == EventType.RATED]  # 5.5 %
    assert event.rate_ppb == rate


@pytest.mark.parametrize("bound,rate", [(30, 250_000_000), ("1.5", 93_750_000), (1, 62_500_000)])
def test_a_premium_may_be_more_than_the_index(make, bound, rate):
    """dYdX v4: with initial 100 % and maintenance 50 % a vote counts up to 30. Ten samples of an index that is a fifth of the
    middle: 400 %, of the mean of which a sixteenth is charged."""
    ex = funded(make, bound=bound, weights="equal", share=(1, 16))
    for name in ("maker", "taker"):
        ex.deposit(name, "USDT", 10**9)
    ex.index(X, 202)
    (event,) = [e for e in passing(ex, 10 * SECOND) if e.type == EventType.RATED]
    assert (event.rate_ppb, event.premium_ppb) == (rate, 16 * rate)


def test_a_window_of_vega(make):
    """V10's 10.25 is the mean of the last eight units of the external series. 9.875 is of no eight units of the internal one
    in a row, so that neither it nor the payment of -.3 follows from what is printed."""
    model = PriceModel(components=["index"], sample_ns=SECOND, window=1)
    ex = build(make, model, tick="0.01", max_price=1_000, expiry_ns=10 * SECOND, settle_window_ns=8 * SECOND)
    for second, price in enumerate(VEGA_EXTERNAL):
        if second:
            ex.advance(second * SECOND)
        ex.index(X, price)
    (event,) = [e for e in passing(ex, 10 * SECOND) if e.type == EventType.LISTING_CHANGED]
    assert event.price_ticks == 1_025
    assert all(sum(VEGA_INTERNAL[at : at + 8]) != 79 for at in range(3))


@pytest.mark.parametrize("cap,rate", [("0.9", -25_000_000), ("0.005", -5_000_000)])
def test_scale_and_bounds_of_vega(make, cap, rate):
    """V11 (Vega specs, 0053-PERP): a scale of 2.5 on -1 % is -2.5 %, and a bound of .5 % holds it."""
    event = rated(make, 10_000, [(9_899, 1)], [(9_901, 1)], premium="middle", share=(5, 2), cap=cap)
    assert (event.premium_ppb, event.rate_ppb) == (-10_000_000, rate)


def test_interest_of_vega(make):
    """V12 (Vega specs, 0053-PERP): 3,000 for half a year at 5 % are 75; who holds two pays 150."""
    funding = Funding(interval_ns=10 * SECOND, premium="middle", interest="0.025", clamp="0.05", cap="0.5")
    ex = build(make, PriceModel(components=["index"], sample_ns=SECOND, funding=funding))
    ex.index(X, 3_000)
    ex.order("maker", X, "sell", 2_000, price=3_000).ok()
    assert ex.order("taker", X, "buy", 2_000, price=3_000).filled == 2_000  # of 0.001
    quote(ex, [(2_999, 5)], [(3_001, 5)])
    assert rates(passing(ex, 10 * SECOND)) == [(1, 25_000_000)]
    assert ex.account("taker").cash == 10**6 - 150


@pytest.mark.parametrize("size,gain", [(20, "0.4"), (2_000, "40")])
def test_marks_to_market_of_vega(make, size, gain):
    """V20 (Vega specs): a move of .02 on 20 is .4, on 2,000 it is 40."""
    ex = make(
        [Instrument(X, contract_size=1, tick="0.01", max_price=1_000, tiers=TIERS, maker_fee=0, taker_fee=0)], rules=WIDE
    )
    for name in ("maker", "taker"):
        ex.deposit(name, "USDT", 10**6)
    ex.mark(X, 100)
    ex.order("maker", X, "sell", size, price=100).ok()
    ex.order("taker", X, "buy", size, price=100).ok()
    ex.mark(X, "100.02")
    assert ex.position("taker", X).upl == Decimal(gain)
