"""Rates that differ by side and leverage, and hedges of which the larger leg alone is asked for.

Owns Vega's risk factors of either side, HTX's factors by tier and leverage, and Kraken's larger of long and short.
"""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from solvent import Code, EventType, InputError, Instrument, Rates, Tier, rules
from support.hedges import both, exchange, of, refused, take

X = "X"
FREE = {"contract_size": 1, "tick": 1, "max_price": 10_000, "maker_fee": 0, "taker_fee": 0, "liquidation_fee": 0}
TABLE = [Tier(10, "0.01", "0.05"), Tier(100, "0.02", "0.1")]


def begin(make, rule="okx_consistent", **terms):
    return exchange(make, hedged=False, rule=rule, **FREE | {"tiers": TABLE} | terms)


def open_at(ex, side, size, leverage, mode="isolated", who="a"):
    ex.set_leverage("m", X, 1, mode="cross")
    ex.set_leverage(who, X, leverage, mode=mode)
    take(ex, side, size, who=who)
    return ex.position(who, X)


def fires(ex, price, step):
    """Nothing a tick before this price, something at it."""
    assert not of(ex.mark(X, price + step).events, EventType.LIQUIDATION)
    assert of(ex.mark(X, price).events, EventType.LIQUIDATION)


@pytest.mark.parametrize("mode", ["isolated", "cross"])
@pytest.mark.parametrize("side,rate", [("buy", "0.25"), ("sell", "0.35")])
def test_a_side_has_its_own_risk_factor(strict_exchange, side, rate, mode):
    """Vega: maintenance is |position| * mark * the factor of its side. Margin 500: long 500 / .75, short 1,500 / 1.35."""
    terms = {"tiers": [Tier(1_000, "0.25", "0.5")], "rates": [Rates(["0.35"], side="short")]}
    ex = begin(strict_exchange, **terms)
    ex.withdraw("a", "USDT", 100_000 - 500)
    p = open_at(ex, side, 1, 2, mode)
    assert p.maintenance == 1_000 * Decimal(rate)
    s = 1 if side == "buy" else -1
    root = (1_000 * s - 500) / (s - Fraction(rate))
    assert 0 <= (Fraction(p.liquidation_price) - root) * -s < 1
    fires(ex, p.liquidation_price, s)


FACTORS = [Rates(["0.02", "0.05"], max_leverage=5), Rates(["0.03", "0.06"], max_leverage=10)]


CASES = [(5, 10, "0.4"), (6, 10, "0.6"), (10, 11, "0.6"), (11, 10, "0.2"), (5, 100, "0.5")]


@pytest.mark.parametrize("leverage,size,factor", CASES)
def test_a_factor_by_tier_and_leverage(strict_exchange, leverage, size, factor):
    """HTX: equity / used margin below the adjustment factor of the tier and the leverage: a share of value / leverage."""
    p = open_at(begin(strict_exchange, scheme="factor", rates=FACTORS), "buy", size, leverage)
    assert p.initial == -(-size * 1_000 * 10**6 // leverage) / Decimal(10**6)
    assert p.maintenance == -(-Fraction(factor) * size * 1_000 * 10**6 // leverage) / Decimal(10**6)


@pytest.mark.parametrize("side,asked", [("buy", "1100"), ("sell", "1900")])
def test_slabs_of_either_side(strict_exchange, side, asked):
    """60 contracts at 1,000, long: 10,000 at 1 % and 50,000 at 2 %; short: 10,000 at 2 % and 50,000 at 3.4 %."""
    ex = begin(strict_exchange, scheme="deduction", rates=[Rates(["0.02", "0.034"], side="short")])
    assert open_at(ex, side, 60, 10).maintenance == Decimal(asked)


def test_the_first_that_fits_counts(strict_exchange):
    rates = [Rates(["0.03", "0.03"], side="long", max_leverage=5), Rates(["0.04", "0.04"])]
    for side, leverage, rate in (("buy", 5, 3), ("buy", 6, 4), ("sell", 5, 4)):
        assert open_at(begin(strict_exchange, rates=rates), side, 1, leverage).maintenance == rate * 10


def test_another_leverage_that_would_endanger_is_refused(strict_exchange):
    """At 5x and less 5 % are asked, above 1 %; an isolated margin of 2 % bears only the latter."""
    ex = begin(strict_exchange, rates=[Rates(["0.05", "0.05"], max_leverage=5)])
    open_at(ex, "buy", 1, 20)
    ex.mark(X, 970)
    refused(Code.INSUFFICIENT_MARGIN, ex.set_leverage, "a", X, 5, mode="isolated")
    ex.set_leverage("a", X, 6, mode="isolated")
    assert ex.position("a", X).size == 1


def test_orders_ask_at_the_rates_of_their_side(strict_exchange):
    """Ten to buy ask 1 %, nine to sell 4 %: the sells are the dearer ones, of 10,000 worth nevertheless."""
    rule = replace(rules.find("okx_consistent"), orders="notional")
    ex = begin(strict_exchange, rule=rule, rates=[Rates(["0.04", "0.04"], side="short")])
    ex.set_leverage("a", X, 10, mode="cross")
    ex.order("a", X, "buy", 10, price=999).ok()
    ex.order("a", X, "sell", 9, price=1_001).ok()
    [row] = [r for r in ex.accounts_array() if r["account"] == ex.account("a").account_id]
    assert (row["full_units"], row["value_units"]) == (9 * 1_001 * 40_000, 9_990 * 10**6)


BAD = [
    ({"rates": [Rates(["0.01"])]}, "one for each tier"),
    ({"rates": [Rates(["0.06", "0.06"])]}, "above its tier's initial"),
    ({"rates": [Rates(["0", "0.01"])]}, "above 0"),
    ({"rates": [Rates(["0.04", "0.03"], side="short")]}, "rising"),
    ({"rates": Rates(["0.01", "0.02"])}, "list of Rates"),
    ({"hedge": "smaller"}, "none of both, larger"),
]


@pytest.mark.parametrize("terms,what", BAD, ids=[what for _, what in BAD])
def test_terms_that_do_not_go_together(terms, what):
    with pytest.raises(InputError, match=what):
        Instrument(X, **FREE, tiers=TABLE, **terms)


@pytest.mark.parametrize("terms", [{"side": "buy"}, {"max_leverage": 0}, {"max_leverage": 2.5}, {"maintenance": []}])
def test_rates_that_are_none(terms):
    with pytest.raises(InputError):
        Rates(**{"maintenance": ["0.01"]} | terms)


# --- The larger leg


def hedged(make, long, short, **terms):
    ex = exchange(make, rule="okx_consistent", **FREE | {"tiers": [Tier(1_000, "0.01", "0.05")], "hedge": "larger"} | terms)
    ex.set_leverage("m", X, 1, mode="cross")
    return both(ex, long, short)


@pytest.mark.parametrize("long,short", [(10, 4), (4, 10), (7, 7)])
def test_only_the_larger_leg_is_asked_for(strict_exchange, long, short):
    ex = hedged(strict_exchange, long, short)
    legs = {leg: ex.position("a", X, leg) for leg in ("long", "short")}
    larger = "long" if long >= short else "short"
    for leg, p in legs.items():
        asks = leg == larger
        assert (p.maintenance, p.initial) == (max(long, short) * 10 if asks else 0, abs(p.size) * 100)
    wallet, most = ex.account("a").wallets["USDT"], max(long, short)
    assert (wallet.maintenance, wallet.initial, wallet.free) == (most * 10, most * 100, 100_000 - most * 100)


def test_the_dearer_side_counts(strict_exchange):
    """Found by chance: initial margin of the side with more lots, at 61x, left an order of the other, at 10x, uncovered."""
    ex = hedged(strict_exchange, 10, 4)
    ex.set_leverage("a", X, 20, mode="cross", leg="long")
    wallet = ex.account("a").wallets["USDT"]
    assert (wallet.initial, wallet.maintenance, wallet.free) == (500, 100, 99_500)
    ex.set_leverage("a", X, 5, mode="cross", leg="short")
    wallet = ex.account("a").wallets["USDT"]
    assert (wallet.initial, wallet.maintenance, wallet.free) == (800, 100, 99_200)


def test_what_is_left_of_a_hedge_is_asked_for(strict_exchange):
    ex = hedged(strict_exchange, 10, 4)
    ex.order("m", X, "buy", 10, price=1_000).ok()
    ex.order("a", X, "sell", 10, price=1_000, leg="long", tif="ioc").ok()
    assert ex.position("a", X, "short").maintenance == 40
    assert ex.account("a").wallets["USDT"].initial == 400


def test_both_legs_are_asked_for_unless_said(strict_exchange):
    ex = hedged(strict_exchange, 10, 4, hedge="both")
    assert ex.account("a").wallets["USDT"].maintenance == 140


def test_isolated_legs_ask_each_for_itself(strict_exchange):
    ex = exchange(strict_exchange, **FREE | {"tiers": [Tier(1_000, "0.01", "0.05")], "hedge": "larger"})
    both(ex, 10, 4, mode="isolated")
    assert ex.position("a", X, "short").maintenance == 40


@pytest.mark.parametrize("sizes,asked", [((10, -4, -5), 10), ((10, -4, -6), 10), ((10, -4, -7), 11), ((-3, -4, 0), 7)])
def test_the_larger_side_of_an_underlying(strict_exchange, sizes, asked):
    """Kraken: the larger of long and short over all contracts of an underlying."""
    terms = FREE | {"tiers": [Tier(1_000, "0.01", "0.05")], "basis": "net", "tier_group": 1, "hedge": "larger"}
    ex = strict_exchange([Instrument(name, **terms) for name in "ABC"])
    for name in ("m", "a"):
        ex.deposit(name, "USDT", 10**6)
    for name, size in zip("ABC", sizes, strict=True):
        ex.mark(name, 1_000)
        for who in ("m", "a"):
            ex.set_leverage(who, name, 10, mode="cross")
        if size:
            sides = ("sell", "buy") if size > 0 else ("buy", "sell")
            ex.order("m", name, sides[0], abs(size), price=1_000).ok()
            ex.order("a", name, sides[1], abs(size), price=1_000).ok()
    wallet = ex.account("a").wallets["USDT"]
    assert (wallet.maintenance, wallet.initial) == (asked * 10, asked * 100)
    assert sum(p.maintenance for p in ex.account("a").positions.values()) == asked * 10


def test_where_a_hedge_of_one_requirement_is_liquidated(strict_exchange):
    """Equity 300 at 1,000 with 10 long and 4 short, 6 net: 300 + 6 (x - 1000) = .01 * 10 x, which is 961.02."""
    ex = hedged(strict_exchange, 10, 4)
    ex.withdraw("a", "USDT", 100_000 - 1_000)
    p = ex.position("a", X, "long")
    root = Fraction(6_000 - 1_000, 6) / (1 - Fraction(1, 60))
    assert 0 <= root - Fraction(p.liquidation_price) < 1
    fires(ex, p.liquidation_price, 1)
