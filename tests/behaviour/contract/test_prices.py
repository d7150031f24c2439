"""Index, mark and funding by models: components, constituents, premiums and rates.

What venues published is in published/, what the passing of time does in venue/test_clock.py.
"""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from random import Random
from statistics import median

import pytest

from solvent import Code, EventType, Funding, Index, PriceModel, Rejected
from solvent.records import SourceState
from solvent.schema.limits import CATCH_UP_MAX, FINE
from solvent.twin.contract.price_model import half_even, middle, weighted_median
from solvent.venues import price_model
from support.models import SECOND, WIDE, X, build, funded, mark, of, passing, quote, rated, rates, trade_at

# --- Marks


@pytest.mark.parametrize(
    "components,expected",
    [
        (["index"], "1000"), (["basis_mean"], "1002"), (["basis_ema"], "1002"), (["last"], "1005"),
        (["book"], "1003"), (["fair"], "1000"), (["fair", "basis_mean", "last"], "1002"),
        (["index", "last"], "1002.5"), (["index", "basis_mean", "book", "last"], "1002.5"),
    ],
)  # fmt: skip
def test_each_component_and_medians(strict_exchange, components, expected):
    """Bid 1001, ask 1003, last 1005 (an outside trade), index 1000: a basis of 2."""
    ex = build(strict_exchange, PriceModel(components=components, sample_ns=SECOND))
    ex.index(X, 1_000)
    trade_at(ex, 1_005)
    quote(ex, [(1_001, 5)], [(1_003, 5)])
    ex.advance(SECOND)
    assert mark(ex) == Decimal(expected)


def test_the_mean_forgets_and_the_average_fades(strict_exchange):
    """A window of two samples: basis 2, then 4, then 6; the moving average takes half of what is new."""
    ex = build(strict_exchange, PriceModel(components=["basis_mean"], sample_ns=SECOND, window=2, alpha="0.5"))
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
def test_the_annualised_basis_of_a_dated_contract(strict_exchange, mid, days, jump):
    """Delta: each sample's basis over the index is one of a year by the time that is left; the mean of 12 x 5 s, over the
    time that is left now, is what the mark is above the index. However long the jumps are, it is that of each instant."""
    expiry = days * DAY
    ex = build(strict_exchange, price_model("delta"), expiry_ns=expiry)
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


def test_an_annualised_basis_in_the_last_instants(strict_exchange):
    """A tenth in the last nanosecond before the expiry is more a year than the bound: it is cut there, and says nothing about
    the mark of that instant, which is the index."""
    ex = build(strict_exchange, PriceModel(components=["basis_annual"], sample_ns=10**6, window=1), expiry_ns=SECOND + 1)
    ex.index(X, 1_000)
    quote(ex, [(1_099, 1)], [(1_101, 1)])
    ex.advance(SECOND - 10**6)
    left = 10**6 + 1
    cut = Fraction(2**50, 10**9) * left / YEAR
    assert 0 < cut < Fraction(1, 10) and abs(Fraction(mark(ex)) - 1_000 * (1 + cut)) <= Fraction("0.050002")
    ex.advance(SECOND)
    assert mark(ex) == 1_000


def test_the_band_around_the_index(strict_exchange):
    ex = build(strict_exchange, PriceModel(components=["last"], sample_ns=SECOND, band="0.01"))
    ex.index(X, 1_000)
    trade_at(ex, 1_100)
    ex.advance(SECOND)
    assert mark(ex) == 1_010


def test_a_mark_is_rounded_half_to_even_once(strict_exchange):
    """1000.05 lies between two ticks and goes to the even one; so does 1000.15."""
    ex = build(strict_exchange, PriceModel(components=["index"]))
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
def test_weights(strict_exchange, method, expected):
    """(1000 + 1010 + 2 * 1020) / 4; half of the weight lies between 1010 and 1020."""
    ex = indexed(strict_exchange, method=method)
    told(ex, a=1_000, b=1_010, c=1_020)
    assert mark(ex) == Decimal(expected)


@pytest.mark.parametrize("wild,expected", [("drop", "1000"), ("clip", "1025")])
def test_a_wild_constituent_is_dropped_or_clipped_and_said(strict_exchange, wild, expected):
    """10 % above the median of three: out, or taken at 5 %."""
    ex = indexed(strict_exchange, wild=wild)
    assert told(ex, a=1_000, b=1_000, c=1_100)[2] == "WILD"
    assert mark(ex) == Decimal(expected)
    assert told(ex, c=1_000)[2] == "LIVE_SOURCE"


def test_a_stale_constituent_counts_no_more_and_comes_back(strict_exchange):
    ex = indexed(strict_exchange)
    told(ex, a=1_000, b=1_000, c=1_020)
    ex.advance(3 * SECOND)
    told(ex, a=1_000)
    events = passing(ex, 5 * SECOND + 1)
    assert [(e.source, e.state) for e in events if e.type == EventType.SOURCE_CHANGED] == [(1, 2), (2, 2)]
    assert mark(ex) == 1_000
    assert told(ex, c=1_020) == {2: "LIVE_SOURCE"} and mark(ex) == Decimal("1013.3")


def test_an_index_that_is_carried_is_said(strict_exchange):
    """Fewer than `least` are live: the price stays, and an INDEXED tells with how many; again when it is another number."""
    ex = indexed(strict_exchange, least=2)
    told(ex, a=1_000, b=1_002)
    ex.advance(4 * SECOND)
    told(ex, b=1_002)
    seen = [(e.price_ticks, e.sources) for e in passing(ex, 30 * SECOND) if e.type == EventType.INDEXED]
    assert seen == [(10_010, 1), (10_010, 0)]
    assert [e.sources for e in of(ex.source(X, "a", 1_004), EventType.INDEXED)] == [1]
    assert [(e.price_ticks, e.sources) for e in of(ex.source(X, "b", 1_002), EventType.INDEXED)] == [(10_030, 2)]


def test_an_external_set_without_a_live_member_is_left_out(strict_exchange):
    index = Index(sources={"a": 1}, external={"x": 1, "y": 1}, stale_ns=5 * SECOND)
    ex = build(strict_exchange, PriceModel(components=["index", "external"], index=index))
    for name, price in (("a", 1_000), ("x", 1_010), ("y", 1_030)):
        ex.source(X, name, price)
    assert mark(ex) == 1_010
    for second in (4, 8):
        ex.advance(second * SECOND)
        ex.source(X, "a", 1_000)
    assert mark(ex) == 1_000
    ex.source(X, "y", 1_030)
    assert mark(ex) == 1_015


def test_with_too_few_constituents_the_index_stays(strict_exchange):
    ex = indexed(strict_exchange, least=2)
    told(ex, a=1_000)
    assert mark(ex) == 0
    told(ex, b=1_010)
    assert mark(ex) == 1_005
    ex.advance(5 * SECOND + 1)
    told(ex, a=900)  # alone
    assert mark(ex) == 1_005


def test_what_is_modelled_is_not_handed_in(strict_exchange):
    ex = indexed(strict_exchange)
    for call in (lambda: ex.mark(X, 1), lambda: ex.index(X, 1)):
        with pytest.raises(Rejected) as refused:
            call()
        assert refused.value.code == Code.PRICE_IS_MODELLED
    with pytest.raises(Rejected) as refused:
        ex.source(X, "nobody", 1)
    assert refused.value.code == Code.BAD_SOURCE
    paid = build(strict_exchange, PriceModel(components=["index"], sample_ns=SECOND, funding=Funding(interval_ns=SECOND)))
    with pytest.raises(Rejected) as refused:
        paid.settle_funding(X, "0.0001", 1)
    assert refused.value.code == Code.PRICE_IS_MODELLED


# --- Premiums and rates


@pytest.mark.parametrize("mid,clamp,rate", [
    (1_010, ("-0.004", 0), 6_000_000), (1_010, (0, "0.004"), 10_000_000), (990, ("-0.004", 0), -10_000_000),
    (990, (0, "0.004"), -6_000_000), (990, ("0.001", "0.002"), -8_000_000),
])  # fmt: skip
def test_a_clamp_of_two_bounds(strict_exchange, mid, clamp, rate):
    """A premium of one per cent either way, no interest: what is taken off lies between the lower and the upper bound."""
    event = rated(strict_exchange, 1_000, [(mid - 1, 1)], [(mid + 1, 1)], premium="middle", clamp=clamp)
    assert event.rate_ppb == rate


def test_rates_are_settled_by_the_clock(strict_exchange):
    """Three periods passed by one jump; each pays 1 % of 100 USDT."""
    ex = funded(strict_exchange)
    assert rates(passing(ex, 30 * SECOND)) == [(1, 10_000_000), (2, 10_000_000), (3, 10_000_000)]
    assert ex.account("taker").cash == 10**6 - 3


@pytest.mark.parametrize("weights", ["equal", "linear"])
def test_weights_of_samples(strict_exchange, weights):
    """Six samples of 1 %, four of 0 %: the mean is .6 %; weighted 1 to 10 it is 21 / 55 of 1 %, for late ones count more."""
    ex = funded(strict_exchange, weights=weights)
    ex.advance(6 * SECOND)
    ex.cancel_all("maker")
    quote(ex, [(999, 5)], [(1_001, 5)])
    (event,) = [e for e in passing(ex, 10 * SECOND) if e.type == EventType.RATED]
    expected = Fraction(21, 55) if weights == "linear" else Fraction(6, 10)
    assert event.rate_ppb == round(expected * 10**7) and event.samples == 10


def test_samples_after_the_cut_off_count_for_the_next_period(strict_exchange):
    ex = funded(strict_exchange, cutoff_ns=2 * SECOND)
    assert [e.samples for e in passing(ex, 8 * SECOND) if e.type == EventType.RATED] == [8]
    assert [e.samples for e in passing(ex, 20 * SECOND) if e.type == EventType.RATED] == [10]


def test_a_delayed_rate_is_charged_a_period_later(strict_exchange):
    assert rates(passing(funded(strict_exchange, delayed=True), 20 * SECOND)) == [(1, 0), (2, 10_000_000)]


def test_a_period_without_a_sample_has_no_rate(strict_exchange):
    ex = funded(strict_exchange, interest="0.0001", clamp="0.5")
    ex.cancel_all("maker")
    assert rates(passing(ex, 10 * SECOND)) == [(1, 0)]


def test_a_jump_settles_no_more_periods_than_documented(strict_exchange):
    events = passing(funded(strict_exchange), 10 * SECOND * (CATCH_UP_MAX + 50))
    assert [period for period, _ in rates(events)] == list(range(51, CATCH_UP_MAX + 51))


@pytest.mark.parametrize("first,liquidated", [(True, False), (False, True)])
def test_funding_before_or_after_the_margin_check(strict_exchange, first, liquidated):
    """The last sample lifts the mark to 1,100: a short has .5 left, .55 is asked, and 1 % of 110 is what it will receive."""
    funding = Funding(interval_ns=10 * SECOND, premium="middle", weights="equal", interest=0, clamp=0, cap="0.5")
    model = PriceModel(components=["basis_mean"], sample_ns=SECOND, window=1, funding=funding)
    ex = build(strict_exchange, model, replace(WIDE, funding_first=first))
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
def test_a_dated_contract_settles_at_the_average_of_its_index(strict_exchange, window, price):
    """The index is 1,000 for nine seconds, then 1,010, 1,020, 1,030; it expires at twelve."""
    model = PriceModel(components=["index"], sample_ns=SECOND)
    ex = build(strict_exchange, model, expiry_ns=12 * SECOND, settle_window_ns=min(window, 12) * SECOND)
    ex.index(X, 1_000)
    trade_at(ex, 1_000)
    for second, index in ((9, 1_010), (10, 1_020), (11, 1_030)):
        ex.advance(second * SECOND)
        ex.index(X, index)
    (event,) = [e for e in passing(ex, 50 * SECOND) if e.type == EventType.LISTING_CHANGED]
    average = {0: 1_030, 3: 1_020, 100: Decimal(9 * 1_000 + 1_010 + 1_020 + 1_030) / 12}[window]
    assert Decimal(event.price_ticks) / 10 == Decimal(price) == round(Decimal(average), 1)
    assert ex.account("taker").cash - 10**6 == (Decimal(price) - 1_000) / 1_000
    assert ex.order("taker", X, "buy", 1, price=1_000).code == Code.NOT_TRADING
