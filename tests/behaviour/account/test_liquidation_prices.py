"""What views answer of accounts and of prices at which something happens, where equity does not simply rise with the price.

Owns collateral that the position's own instrument prices, power curves far in profit, hedges under whole tiers by notional,
and the account's own numbers. Each price is driven: nothing a tick before it, something at it.
"""

from dataclasses import replace
from decimal import Decimal

import pytest

import solvent
import solvent.reference
from solvent import Code, Collateral, EventType, Index, Instrument, PriceModel, Tier
from solvent.rules import find
from support.hedges import of, refused

WIDE = replace(find("seed"), price_band_ppb=10**9 - 1)
FREE = {"contract_size": 1, "maker_fee": 0, "taker_fee": 0, "liquidation_fee": 0, "settle_decimals": 6}
SIDES = {1: ("buy", "sell"), -1: ("sell", "buy")}
MODELS = {
    "marks": None,
    "index": PriceModel(components=["index"]),
    "constituents": PriceModel(components=["index", "basis_mean"], index=Index(sources={"spot": 1}, stale_ns=10**18)),
}


def begin(make, instrument, collateral=(), **terms):
    ex = make([instrument], collateral=collateral, rules=WIDE, **terms)
    ex.deposit("rich", instrument.settle, 10**9)
    return ex


def tell(ex, price):
    """The mark by whatever sets it; the events."""
    model = ex.instruments[0].prices
    if model is None:
        return ex.mark("X", price).events
    return (ex.source("X", "spot", price) if model.index else ex.index("X", price)).events


def take(ex, side, size, price, leverage, leg=None):
    ex.set_leverage("rich", "X", 1, mode="cross")
    ex.set_leverage("poor", "X", leverage, mode="cross", leg=leg)
    ex.order("rich", "X", SIDES[side][1], size, price=price).ok()
    ex.order("poor", "X", SIDES[side][0], size, price=price, leg=leg, tif="ioc").ok()


def driven(ex, price, came_from):
    """Nothing a tick before this price, something at it."""
    step = ex.instruments[0].tick_size * (1 if came_from > price else -1)
    poor = ex.account("poor").account_id
    rows = [r for r in ex.liquidations_array() if r["account"] == poor]
    assert int(price / abs(step)) in {int(r[name]) for r in rows for name in ("liquidation_ticks", "profit_side_ticks")}
    assert not of(tell(ex, price + step), EventType.LIQUIDATION)
    assert of(tell(ex, price), EventType.LIQUIDATION)


def backed(make, how, coins):
    """Poor has coins, of which nine tenths count, and no cash."""
    instrument = Instrument("X", **FREE, tick="0.1", max_price=20_000, tiers=[Tier(10**5, "0.01", "0.02")], prices=MODELS[how])
    ex = begin(make, instrument, [Collateral("COIN", of="USDT", price="X", haircut="0.1", decimals=8)])
    tell(ex, 3_000)
    ex.deposit("poor", "COIN", coins)
    return ex


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("how", MODELS)
def test_collateral_that_the_instrument_itself_prices(strict_exchange, how, side):
    """Its worth moves with the mark, or with the index that a model moves along: 4.5 p +- 20 (p - 3,000) = 1 % of 20 p."""
    ex = backed(strict_exchange, how, 5)
    take(ex, side, 20, 3_000, 50)
    p = ex.position("poor", "X")
    exact = 3_000 * side * 20 / (Decimal("4.5") + side * 20 - Decimal("0.2"))
    assert abs(p.liquidation_price - exact) <= Decimal("0.1") and p.profit_side_liquidation_price is None
    assert p.distance_ticks == (3_000 - p.liquidation_price) * side * 10
    driven(ex, p.liquidation_price, 3_000)


@pytest.mark.parametrize("how", MODELS)
def test_a_short_that_its_collateral_endangers_from_below(strict_exchange, how):
    """27 coins count, short 20 at 3,000, and 70,000 are owed: 27 p + 20 (3,000 - p) - 70,000 = 1 % of 20 p at 1,470.6. A short
    gains on its way there, and is taken; upwards nothing can happen."""
    ex = backed(strict_exchange, how, 30)
    take(ex, -1, 55, 3_000, 50)
    tell(ex, 5_000)
    ex.order("rich", "X", "sell", 35, price=5_000).ok()
    ex.order("poor", "X", "buy", 35, price=5_000, tif="ioc").ok()
    assert ex.account("poor").wallets["USDT"].cash == -70_000
    p = ex.position("poor", "X")
    assert p.liquidation_price is None and p.distance is None
    assert p.profit_side_liquidation_price == Decimal("1470.5")
    driven(ex, p.profit_side_liquidation_price, 5_000)


def test_an_index_that_is_handed_in_is_held(strict_exchange):
    """Without a model index and mark are two prices: the coins count at the index, whatever the mark does."""
    ex = backed(strict_exchange, "marks", 5)
    ex.index("X", 3_000)
    take(ex, 1, 20, 3_000, 50)
    p = ex.position("poor", "X")
    exact = (60_000 - Decimal("4.5") * 3_000) / (20 - Decimal("0.2"))
    assert abs(p.liquidation_price - exact) <= Decimal("0.1")
    driven(ex, p.liquidation_price, 3_000)


@pytest.mark.parametrize("kind,side", [("linear", 1), ("inverse", -1)])
def test_a_power_curve_asks_more_than_a_position_gains(strict_exchange, kind, side):
    """N**1.8 rises faster than the value: far in profit a position is taken all the same, near where its rate is one."""
    terms = {"kind": kind, "settle": "COIN"} if kind == "inverse" else {}
    curve = "0.00015" if kind == "linear" else "0.3"
    instrument = Instrument(
        "X", **FREE | terms | {"settle_decimals": 9 if kind == "inverse" else 6}, scheme="power", maintenance_curve=curve,
        initial_curve=curve, tick=1, lot=100 if kind == "inverse" else 1, max_price=10**5, tiers=[Tier(1_000, "0.05", "0.1")],
    )  # fmt: skip
    ex = begin(strict_exchange, instrument)
    start = 1_000 if kind == "linear" else 50_000
    tell(ex, start)
    ex.deposit("poor", instrument.settle, 10**6)
    take(ex, side, 1 if kind == "linear" else 1_000, start, 5)
    wallet = ex.account("poor").wallets[instrument.settle]
    ex.withdraw("poor", instrument.settle, wallet.withdrawable)
    p = ex.position("poor", "X")
    near, far = p.liquidation_price, p.profit_side_liquidation_price
    assert far is not None and (near is None or (near - start) * side < 0 < (far - start) * side)
    driven(ex, far, start)


@pytest.mark.parametrize(
    "larger,prices,which", [("long", (685, 1_001), 0), ("long", (685, 1_001), 1), ("short", (1_001, None), 0)]
)
def test_both_legs_of_a_hedge_say_where_a_tier_jumps(strict_exchange, larger, prices, which):
    """10 against 5 at 950, tiers of 1 % and above 10,000 of 20 %: from 1,001 on the larger leg asks 2,002. It does so where a
    larger long gains, too, and both legs say it: 1,425 + 5 (p - 950) = 1 % of 15 p is 685.6."""
    table = [Tier(10_000, "0.01", "0.1"), Tier(10**6, "0.2", "0.25")]
    instrument = Instrument("X", **FREE, tick=1, max_price=10_000, basis="notional", max_size=100, tiers=table)
    ex = begin(strict_exchange, instrument)
    tell(ex, 950)
    ex.deposit("poor", "USDT", 10**6)
    ex.set_position_mode("poor", "X", "hedge")
    for leg, side in (("long", 1), ("short", -1)):
        take(ex, side, 10 if leg == larger else 5, 950, 10, leg=leg)
    ex.withdraw("poor", "USDT", ex.account("poor").withdrawable)
    assert ex.account("poor").cash == 1_425
    first, second = (ex.position("poor", "X", leg) for leg in ("long", "short"))
    found = [(view.liquidation_price, view.profit_side_liquidation_price) for view in (first, second)]
    assert found == [prices, prices[::-1] if larger == "long" else prices]
    driven(ex, Decimal(prices[which]), 950)


def test_what_an_account_answers(strict_exchange):
    """Initial and maintenance margin of all positions; ratio and effective leverage of the cross ones."""
    tiers = [Tier(1_000, "0.005", "0.01")]
    ex = strict_exchange(
        [Instrument(name, **FREE, tick=1, max_price=10_000, tiers=tiers) for name in ("X", "Y", "Z")], rules=WIDE
    )
    ex.deposit("rich", "USDT", 10**9)
    ex.deposit("poor", "USDT", 10_000)
    for name, mode, size, leverage in (("X", "cross", 10, 10), ("Y", "cross", 20, 20), ("Z", "isolated", 30, 30)):
        ex.mark(name, 1_000)
        ex.set_leverage("poor", name, leverage, mode=mode)
        ex.set_leverage("rich", name, 1, mode="cross")
        ex.order("rich", name, "sell", size, price=1_000).ok()
        ex.order("poor", name, "buy", size, price=1_000, tif="ioc").ok()
    ex.mark("X", 1_100)
    view = ex.account("poor")
    assert view.initial == 1_100 + 1_000 + 1_000
    assert view.maintenance == (11_000 + 20_000 + 30_000) * Decimal("0.005")
    assert view.margin_balance == 10_000 - 1_000 + 1_000 and view.equity == 11_000
    assert view.margin_ratio == (Decimal(10_000) / 31_000).quantize(Decimal("1e-9"))
    assert view.effective_leverage == Decimal("3.1")
    empty = ex.account("rich").wallets["USDT"]
    assert empty.initial == 10 * 1_100 + 20 * 1_000 + 30 * 1_000
    ex.open_account("new")
    flat = ex.account("new").wallets["USDT"]
    assert (flat.initial, flat.maintenance, flat.margin_ratio, flat.effective_leverage) == (0, 0, None, None)


def test_what_backs_a_position_is_not_withdrawable(strict_exchange):
    """To the unit: what the wallet says may leave does, a unit more does not; explain() names what counts beside the cash."""
    ex = backed(strict_exchange, "marks", 5)
    take(ex, 1, 20, 3_000, 50)
    assert "cash 0 + collateral 13500 + profit 0" in str(ex.explain("poor"))
    coins = ex.account("poor").wallets["COIN"].withdrawable
    assert 0 < coins < 5
    refused(Code.INSUFFICIENT_BALANCE, ex.withdraw, "poor", "COIN", coins + Decimal("0.00000001"))
    ex.withdraw("poor", "COIN", coins)
    assert ex.account("poor").wallets["COIN"].withdrawable == 0


# --- Hedges by brute force: a copy of the exchange is marked at every legal tick

LEGS = {"long": 1, "short": -1}
FINE = {"kind": "inverse", "settle": "COIN", "settle_decimals": 0, "contract_size": 6 * 10**6, "tick": 1, "max_price": 600,
        "maker_fee": 0, "taker_fee": 0, "liquidation_fee": 0, "tiers": [Tier(5_000, "0.01", "0.0125")]}  # fmt: skip
# The worth of a contract is 10**4 units at the highest price, the least that there may be: roundings weigh most.
MONEY = {"basis": "notional", "max_size": 5_000, "tiers": [Tier(3 * 10**5, "0.01", "0.0125"), Tier(10**12, "0.02", "0.05")]}
SHAPES = {
    "equal": (10, 10, {}), "single contracts": (1, 1, {}), "longer": (10, 7, {}), "shorter": (7, 10, {}),
    "flat, what the legs gain they ask": (99, 101, {}), "nearly flat": (49, 50, {}), "the other way": (101, 99, {}),
    "the larger asks": (10, 8, {"hedge": "larger"}), "tiers of money": (10, 10, MONEY),
    "tiers of money, longer": (12, 5, MONEY), "isolated": (10, 10, {"mode": "isolated"}), "only long": (3, 0, {}),
    "only short": (0, 3, {}), "netted": (9, 4, {"basis": "net"}),
}  # fmt: skip


def hedge(kind, long, short, mode="cross", *, mark=500, spare=0, **terms):
    """Both legs at 500 of an account that keeps no more than their initial margin and a little, then a mark."""
    ex = kind([Instrument("X", **FINE | terms)], rules=WIDE)
    ex.deposit("rich", "COIN", 10**12)
    ex.deposit("poor", "COIN", 10**9)
    ex.mark("X", 500)
    ex.set_leverage("rich", "X", 1, mode="cross")
    ex.set_position_mode("poor", "X", "hedge")
    for (leg, side), lots in zip(LEGS.items(), (long, short), strict=True):
        ex.set_leverage("poor", "X", 20 if "basis" in terms else 80, mode=mode, leg=leg)
        if lots:
            ex.order("rich", "X", SIDES[side][1], lots, price=500).ok()
            ex.order("poor", "X", SIDES[side][0], lots, price=500, leg=leg, tif="ioc").ok()
    left = ex.account("poor").wallets["COIN"].withdrawable
    ex.withdraw("poor", "COIN", left - spare)
    ex.mark("X", mark)
    return ex


OTHER = Instrument("Y", **FINE | {
    "kind": "quanto", "contract_size": 1, "max_price": 10**7, "tiers": [Tier(1, "0.000000001", "0.01")],
})  # fmt: skip


def close_to(kind, long, short, slack, **terms):
    """The same, and a loss in another contract that leaves the account so many units above R_own at 500."""
    ex = hedge(kind, long, short, spare=10**6, **terms)
    ex.add_instrument(OTHER)
    ex.mark("Y", 10**7)
    ex.order("rich", "Y", "sell", 1, price=10**7).ok()
    ex.order("poor", "Y", "buy", 1, price=10**7).ok()
    row = [row for row in ex.positions_array() if row["account"] == 17][0]
    ex.mark("Y", 10**7 - int(row["equity_units"] - row["own_units"]) + slack)
    return ex


def marked(make_hedge, ticks):
    """By how much the account is below R_own at each of these marks; 0: nothing happens. A new copy wherever something did."""
    ex, found = make_hedge(), []
    for tick in ticks:
        events = [e for e in of(ex.mark("X", tick).events, EventType.LIQUIDATION) if e.account == 17]
        found.append(max((e.own_units - e.equity_units for e in events), default=0))
        if events:
            ex = make_hedge()
        else:
            ex.mark("X", 500)
    return found


@pytest.mark.parametrize("spare", [0, 1, 2, 3, 50, 10**4])
@pytest.mark.parametrize("shape", SHAPES)
def test_prices_of_inverse_hedges_by_brute_force(shape, spare):
    """What is told happens. Nothing happens nearer, but what the roundings of two legs hide: equity that is short by a few
    units (docs/reference/arrays.md); where there is one leg, nothing at all."""
    long, short, terms = SHAPES[shape]

    def copy():
        return hedge(solvent.Exchange, long, short, **terms | {"spare": spare})

    ex = copy()
    rows = ex.liquidations_array()
    twin = hedge(solvent.reference.Exchange, long, short, **terms | {"spare": spare})
    assert rows.tobytes() == twin.liquidations_array().tobytes()
    mine = rows[rows["account"] == ex.account("poor").account_id]
    told = {int(row[name]) for row in mine for name in ("liquidation_ticks", "profit_side_ticks")} - {0}
    assert all(marked(copy, sorted(told))), told
    low = max((tick for tick in told if tick < 500), default=0)
    high = min((tick for tick in told if tick > 500), default=601)
    hidden = marked(copy, range(low + 1, high))
    assert max(hidden) < (10 if long and short and terms.get("mode") != "isolated" else 1)


@pytest.mark.parametrize("slack", range(6))
@pytest.mark.parametrize("long,short", [(99, 101), (101, 99), (49, 50), (10, 10), (1, 1), (198, 202)])
def test_what_the_roundings_of_a_hedge_hide(long, short, slack):
    """Within a few units of R_own a nearer mark may be missed, as the page says, and by no more units than it says: 99 long
    and 101 short, 2 units above, are a unit below at 78 marks, and no price is told."""

    def copy():
        return close_to(solvent.Exchange, long, short, slack)

    rows = copy().liquidations_array()
    assert rows.tobytes() == close_to(solvent.reference.Exchange, long, short, slack).liquidations_array().tobytes()
    mine = rows[(rows["account"] == 17) & (rows["instrument"] == 0)]
    told = {int(row[name]) for row in mine for name in ("liquidation_ticks", "profit_side_ticks")} - {0}
    assert all(marked(copy, sorted(told))), told
    low = max((tick for tick in told if tick < 500), default=0)
    high = min((tick for tick in told if tick > 500), default=601)
    assert max(marked(copy, range(low + 1, high))) < 10
