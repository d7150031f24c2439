"""Published requirements of real venues, driven through both implementations.

Owns what liquidation rules, sections 2-11, print as maintenance and initial margin, with orders too (V19), tier tables and
their deductions, and the prices of Orderly, whose rate rises with the notional. A case's id is the id of that page. Prices,
the vocabulary, and what is left to others: test_published.py; published numbers that do not check: test_published_errors.py.

A venue's margin factor that is no 1 / n (Vega's 0.9 and 0.7) is asked as a maintenance rate: leverage is a whole number here.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

import pytest

from solvent import EventType, InputError, Instrument, Tier
from solvent.terms.tiers import deductions, okex_btc_2019
from test_published import (
    BINANCE,
    X,
    agree,
    balance,
    begin,
    deducting,
    fires,
    flat,
    of,
    trade,
)

FREE = {"settle": "COIN", "maker_fee": 0, "taker_fee": 0, "liquidation_fee": 0}
BTC, ETH = "BTC", "ETH"


# --- Requirements


@dataclass(frozen=True, kw_only=True)
class Need:
    """One position at one mark, and what it asks."""

    id: str
    source: str
    terms: dict
    size: str
    price: str
    leverage: int
    off: str | None = None
    want: dict[str, str]  # a field of the view, or of `measured`


def measured(p, price) -> dict[str, Fraction]:
    value, maintenance, initial = (Fraction(each) for each in (p.value, p.maintenance, p.initial))
    return {
        "value": value, "maintenance": maintenance, "initial": initial, "maintenance rate": maintenance / value,
        "initial rate": initial / value, "coins of maintenance": maintenance / Fraction(price),
        "coins of initial": initial / Fraction(price),
    }  # fmt: skip


def inverse(size: str, mmr: str, leverage: int, decimals: int = 9) -> dict:
    """Contracts of one dollar, and one tier."""
    return {"kind": "inverse", "contract_size": 1, "lot": size, "tick": 1, "settle_decimals": decimals,
            "tiers": flat(size, mmr, leverage), "max_price": 10**5}  # fmt: skip


def linear(size, mmr: str, leverage: int, decimals: int = 6, tick="0.1", **more) -> dict:
    return {"contract_size": 1, "lot": size, "tick": tick, "settle_decimals": decimals, "tiers": flat(size, mmr, leverage),
            "max_price": 10**6} | more  # fmt: skip


def sloped(size: str, maintenance: str, initial: str, curve: str) -> dict:
    """Deribit: both rates rise by the same a contract."""
    return {"contract_size": 1, "lot": size, "tick": 1, "settle_decimals": 6, "tiers": (Tier(size, maintenance, initial),),
            "scheme": "slope", "maintenance_curve": curve, "initial_curve": curve, "max_price": 10**6}  # fmt: skip


def powered(size: str, base: str, initial: str, factor: str) -> dict:
    """Orderly: the rate is max(base, base / initial * factor * notional**0.8)."""
    share = Fraction(base) / Fraction(initial) * Fraction(factor)
    curve = Decimal(share.numerator) / share.denominator
    return {"contract_size": 1, "lot": size, "tick": "0.01", "settle_decimals": 6, "tiers": (Tier(size, base, initial),),
            "scheme": "power", "maintenance_curve": curve, "initial_curve": factor, "max_price": 10**6}  # fmt: skip


BYBIT, DERIBIT, DELTA = "Bybit help", "Deribit docs", "delta-exchange/just-the-docs, trading guide"
VEGA, ORDERLY = "vegaprotocol/specs, 0019-MCAL", "OrderlyNetwork/js-sdk, packages/perp"
HYPERLIQUID = "Hyperliquid docs (uooooo/HyperUX)"
DELTA_TERMS = {
    "kind": "inverse", "contract_size": 1, "tick": "0.01", "settle_decimals": 11, "scheme": "slope", "max_price": 20_000,
    "tiers": (Tier(200_000, "0.00125", "0.0025"),), "maintenance_curve": "0.000000075", "initial_curve": "0.00000015",
}  # fmt: skip
"""Delta above 5 BTC, where its guide asks .5 % + .075 % * (size - 5), in contracts of 1 / 10,000 BTC. Below it is .5 %."""
V18 = [
    ("57500", "1", "0.11", "6325"), ("15900", "1", "0.9", "14310"), ("15900", "1", "0.7", "11130"),
    ("15910", "10", "0.9", "143190"), ("15912", "5", "0.9", "71604"), ("15912", "3", "0.9", "42962"),
    ("15912", "2", "0.9", "28642"), ("145000", "7", "0.9", "913500"),
]  # fmt: skip

NEEDS = [
    Need(id="Y6", source=BYBIT, terms=inverse("12000", "0.005", 50), size="12000", price="8000", leverage=50,
         want={"initial": "0.03"}),
    Need(id="Y7", source=BYBIT, terms=inverse("60000", "0.005", 10), size="60000", price="50000", leverage=10,
         want={"value": "1.2", "initial": "0.12"}),
    Need(id="K1", source="Kraken support", terms=inverse("1000", "0.01", 50), size="1000", price="8000", leverage=50,
         want={"initial": "0.0025", "maintenance": "0.00125", "value": "0.125"}),
    Need(id="B5", source="Binance coin-M support page", size="30000", price="50000", leverage=10,
         terms=inverse("30000", "0.05", 10) | {
             "contract_size": 100, "basis": "notional", "scheme": "deduction", "max_size": 30_000,
             "tiers": (*deducting("0.025", "0.56", 50), Tier(100, "0.05", "0.1", deduction="1.81"))},
         want={"value": "60", "maintenance": "1.19"}),  # 60 * 5 % - 1.81
    Need(id="HL1 40x", source=HYPERLIQUID, terms=linear("1", "0.0125", 40), size="1", price="100000", leverage=40,
         want={"initial rate": "0.025", "maintenance rate": "0.0125"}),
    Need(id="HL1 3x", source=HYPERLIQUID, terms=linear("1", "0.166666666", 3), size="1", price="100000", leverage=3,
         want={"maintenance rate": "0.167"}),
    Need(id="HL2", source=HYPERLIQUID, size="2000", price="100000", leverage=20,
         terms=linear("1", "0.0125", 40) | {
             "basis": "notional", "scheme": "deduction", "max_size": 2_000,
             "tiers": (Tier(150_000_000, "0.0125", "0.025"), Tier(10**9, "0.025", "0.05", deduction="1875000"))},
         want={"value": "200000000", "maintenance": "3125000"}),
    Need(id="V2", source="vega, core/integration", terms=linear("250", "0.25", 4, 0, 1), size="250", price="145", leverage=1,
         off="0", want={"maintenance": "9063"}),  # 9,062.5, rounded up
    Need(id="V13", source=VEGA, terms=linear("1", "0.35", 2), size="1", price="15900", leverage=1,
         want={"maintenance": "5565"}),
    Need(id="V15 long", source=VEGA, terms=linear("1", "0.35", 2), size="1", price="1500", leverage=1,
         want={"maintenance": "525"}),
    Need(id="V16 short", source=VEGA, terms=linear("1", "0.35", 2), size="-1", price="1700", leverage=1,
         want={"maintenance": "595"}),
    *(Need(id=f"V18 {price}*{size}*{rate}", source=VEGA, terms=linear(size, rate, 1), size=size, price=price, leverage=1,
           want={"maintenance": printed}) for price, size, rate, printed in V18),
    Need(id="Deribit BTC 25", source=DERIBIT, terms=sloped("25", "0.01", "0.02", "0.00005"), size="25", price="100000",
         leverage=50, want={"coins of initial": "0.53125", "initial": "53125", "coins of maintenance": "0.28125",
                            "maintenance": "28125"}),
    Need(id="Deribit BTC 350", source=DERIBIT, terms=sloped("350", "0.01", "0.02", "0.00005"), size="350", price="100000",
         leverage=50, want={"coins of initial": "13.125", "initial": "1312500"}),
    # The price of 200 is not printed: it is what makes 4.0125 % of 25 SOL 200.625.
    Need(id="Deribit SOL 25", source=DERIBIT, terms=sloped("25", "0.02", "0.04", "0.000005"), size="25", price="200",
         leverage=25, want={"initial": "200.625", "maintenance": "100.625"}),
    Need(id="Deribit SOL 6,000", source=DERIBIT, terms=sloped("6000", "0.02", "0.04", "0.000005"), size="6000", price="200",
         leverage=25, want={"initial": "84000"}),
    Need(id="Delta 20,000", source=DELTA, terms=inverse("20000", "0.005", 100), size="20000", price="10000", leverage=100,
         want={"maintenance rate": "0.005", "initial rate": "0.01"}),
    # 1.625 %, printed 1.63 %.
    Need(id="Delta 200,000", source=DELTA, terms=DELTA_TERMS, size="200000", price="10000", leverage=100,
         want={"value": "20", "maintenance rate": "0.0163", "initial rate": "0.0325"}, off="0.00005"),
    Need(id="Orderly 259.86", source=ORDERLY, terms=powered("0.2", "0.05", "0.1", "2.512e-7"), size="0.2", price="25986.2",
         leverage=10, want={"maintenance": "259.86"}),
    Need(id="Orderly MMR of 5,197.2", source=ORDERLY, terms=powered("0.2", "0.05", "0.1", "2.512e-7"), size="0.2",
         price="25986", leverage=10, want={"maintenance rate": "0.05"}),
    Need(id="Orderly MMR of 4,915.23", source=ORDERLY, terms=powered("3", "0.05", "0.1", "3.754e-7"), size="3",
         price="1638.41", leverage=10, want={"maintenance rate": "0.05"}),
    Need(id="Orderly MMR of 255,000", source=ORDERLY, terms=powered("10", "0.025", "0.05", "3.517e-7"), size="10",
         price="25500", leverage=10, want={"maintenance rate": "0.025"}),
    # Two rates above their base: a rate here is whole 10**-9, rounded up, and a fifth root has 24 binary digits.
    Need(id="Orderly MMR of 4,500,000", source=ORDERLY, terms=powered("50", "0.006", "0.01", "1e-7"), size="50",
         price="90000", leverage=10, want={"maintenance rate": "0.01261017929"}, off="2e-9"),
    Need(id="Orderly curve of 5,197.2", source=ORDERLY, terms=powered("0.2", "0.000000001", "0.000000002", "2.512e-7"),
         size="0.2", price="25986", leverage=10, want={"maintenance rate": "0.000117924809"}, off="2e-9"),
]  # fmt: skip


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need.id)
def test_requirement(make, need):
    """Cross and rich, so that nothing but the contract decides. Printed digits, each number rounded as printed."""
    ex = begin(make, [Instrument(X, **FREE, **need.terms)])
    size = Decimal(need.size)
    trade(ex, X, 1 if size > 0 else -1, abs(size), need.price, need.leverage, "cross")
    found = measured(ex.position("poor", X), need.price)
    for what, printed in need.want.items():
        agree(found[what], printed, need.off)


CUMS = ("0", "50", "1300", "16300", "266300", "1266300", "2516300", "5016300", "25016300", "100016300")
"""What the tiers of B6 deduct, as printed (bracket gist of highfestiva)."""


def of_value(make, value: int, scheme: str):
    """A long of this value, at 1,000 a contract: its view."""
    terms = Instrument(X, **FREE, contract_size=1, tick=1, tiers=BINANCE, basis="notional", scheme=scheme, max_size=5 * 10**5,
                       max_price=2_000, settle_decimals=2)  # fmt: skip
    ex = begin(make, [terms])
    trade(ex, X, 1, value // 1_000, 1_000, 1, "cross")
    return ex.position("poor", X)


@pytest.mark.parametrize("k", range(10), ids=lambda k: f"B6 tier {k + 1}")
def test_binance_deductions(make, k):
    """At a tier's top its requirement is value * rate less the printed deduction, and one contract on nothing jumps."""
    tier, cum = BINANCE[k], Decimal(CUMS[k])
    assert deductions(BINANCE)[k] == cum
    p = of_value(make, tier.max_contracts, "deduction")
    assert p.tier == k + 1 and p.maintenance == tier.max_contracts * Decimal(tier.maintenance) - cum
    if k < 9:
        above = of_value(make, tier.max_contracts + 1_000, "deduction")
        assert above.tier == k + 2
        assert above.maintenance - p.maintenance == 1_000 * Decimal(BINANCE[k + 1].maintenance)


def test_a_deduction_that_would_jump_is_refused():
    with pytest.raises(InputError, match="16300"):
        Instrument(X, tiers=[*BINANCE[:3], replace(BINANCE[3], deduction="16301")], basis="notional", scheme="deduction",
                   max_size=1)  # fmt: skip


def test_the_two_schemes_of_section_0(make):
    """1,200,000 on B6's table: 13,700 = 200 + 1,000 + 7,500 + 5,000 slab by slab, 30,000 of the whole position."""
    assert of_value(make, 1_200_000, "deduction").maintenance == 13_700
    assert of_value(make, 1_200_000, "whole").maintenance == 30_000


@pytest.mark.parametrize(
    "longs,shorts,net,factor", [(12_000, 30_000, 18_000, "0.125"), (1_200, 2_000, 800, "0.08")], ids=["H1", "H3"]
)
def test_htx_tiers_go_by_the_net(make, longs, shorts, net, factor):
    """HTX support: a hedge's factor is that of its net. A factor is a share of the used margin, here at 10x: a tenth of the
    value. That the net is what is printed shows at the boundary: the tier ends there, and one contract more leaves it."""
    rate = Decimal(factor) / 10
    terms = Instrument(X, **FREE, contract_size="0.01", tick=1, basis="net",
                       tiers=[Tier(net, rate, "0.1"), Tier(10**5, rate * 2, "0.1")])  # fmt: skip
    ex = begin(make, [terms])
    ex.set_position_mode("poor", X, "hedge")
    trade(ex, X, 1, longs, 1_000, 10, "cross", leg="long")
    trade(ex, X, -1, shorts, 1_000, 10, "cross", leg="short")
    for leg in ("long", "short"):
        p = ex.position("poor", X, leg)
        assert (p.tier, p.maintenance) == (1, p.initial * Decimal(factor))
    trade(ex, X, -1, 1, 1_000, 10, "cross", leg="short")
    assert {ex.position("poor", X, leg).tier for leg in ("long", "short")} == {2}


# --- Orderly (packages/perp): the rate rises with the notional; a cross account with another position

ORDERLY_TERMS = {"tick": "0.01", "maker_fee": 0, "liquidation_fee": 0, "settle": "USDC", "scheme": "power", "max_price": 10**6}


@pytest.mark.parametrize(
    "side,printed,root", [(1, "87107.62339", "87106.0756"), (-1, "92765.25186", "92765.5407")], ids=["long", "short"]
)
def test_orderly_liquidation_price(make, side, printed, root):
    """50 at mark 90,000, collateral 200,000, another maintenance margin of 1,800; rate max(0.6 %, 0.6e-7 * notional**0.8).

    The page's two bisections stop at a relative tolerance of 1e-4, which is why the first is 1.5 off the exact root. The
    engine is held to the root, within its tick; a rate there is whole 10**-9, which moves the price by less.
    """
    curve = {"maintenance_curve": "0.00000006", "initial_curve": "0.0000001"}
    terms = [
        Instrument(X, contract_size=1, tiers=[Tier(50, "0.006", "0.01")], taker_fee=0, **curve, **ORDERLY_TERMS),
        Instrument("OTHER", contract_size=1, tiers=[Tier(10, "0.05", "0.1")], taker_fee=0, **ORDERLY_TERMS),
    ]
    ex = begin(make, terms)
    trade(ex, X, side, 50, 90_000, 100, "cross")
    trade(ex, "OTHER", 1, 10, 3_600, 10, "cross")
    balance(ex, 200_000)
    assert ex.position("poor", "OTHER").maintenance == 1_800
    found = ex.position("poor", X).liquidation_price
    assert abs(found - Decimal(root)) <= Decimal("0.01")
    assert abs(Decimal(printed) / Decimal(root) - 1) < Decimal("1e-4")
    assert abs(Decimal(printed) - found) > Decimal("0.2"), "so the print is off by more than a tick"
    fires(ex, X, found, side)


def portfolio(make, held: bool = True):
    """0.2 BTC and -3 ETH, both at mark, on 1,981.66. 5 %, a taker fee of 0.06 %, and curves that do not reach 5 % here."""
    terms = [
        Instrument(name, contract_size=1, lot=lot, tiers=[Tier(size, "0.05", "0.1")], taker_fee="0.0006", **ORDERLY_TERMS,
                   maintenance_curve=Decimal(factor) / 2, initial_curve=factor)
        for name, lot, size, factor in ((BTC, "0.1", 1, "2.512e-7"), (ETH, "1", 10, "3.754e-7"))
    ]  # fmt: skip
    ex = begin(make, terms)
    if held:
        trade(ex, BTC, 1, "0.2", "25986.2", 10, "cross")
        trade(ex, ETH, -1, 3, "1638.41", 10, "cross")
    else:
        ex.mark(BTC, 25_000)
        ex.set_leverage("rich", BTC, 1, mode="cross")
    balance(ex, "1981.66")
    return ex


def test_orderly_margin_ratio(make):
    """505.61 / 10,112.43 = 4.99988628 %: of 5 %, as 259.86 + 245.75 was cut to cents; 505.62 is what they need."""
    agree(Fraction("505.61") / Fraction("10112.43"), "0.0499988628")
    ex = portfolio(make)
    domain = ex.explain("poor").domains[0]
    agree(Fraction(domain.own), "505.62")
    agree(Fraction(domain.own) / Fraction(domain.value), "0.05000")


ESTIMATES = [
    # side, size that is then held, price, fee, as printed, exact as the page gives it
    ("buy", "0.3", "26000", "1.56", "21268.73859649123", "21273.34"),
    ("buy", "0.3", "25000", "1.5", "21250.984210526316", "20922.25"),
    ("sell", "0.1", "25900", "1.554", "9102.173684210526", None),
]


@pytest.mark.parametrize(
    "side,held,price,fee,printed,exact", ESTIMATES, ids=[f"Orderly {each[0]} at {each[2]}" for each in ESTIMATES]
)
def test_orderly_liquidation_price_after_an_order(make, side, held, price, fee, printed, exact):
    """One tenth of a BTC traded on top of the portfolio. The prints leave out what the order itself wins or loses against
    mark, and ask its margin at its own price: shown here; the engine gives the exact one."""
    mark, q, tenth, mmr = Fraction("25986.2"), Fraction(held), Fraction("0.1"), Fraction("0.05")
    ex, s = portfolio(make), 1 if side == "buy" else -1
    ex.order("rich", BTC, "sell" if side == "buy" else "buy", "0.1", price=price).ok()
    ack = ex.order("poor", BTC, side, "0.1", price=price).ok()
    assert ack.filled == Decimal("0.1")
    paid = [e.amount_units for e in of(ack.events, EventType.LEDGER) if e.payer == ex.account("poor").account_id]
    assert int(Decimal(fee) * 10**6) in paid
    left, other = Fraction("1981.66") - Fraction(fee), mmr * 3 * Fraction("1638.41")
    profit = s * tenth * (mark - Fraction(price))
    root = (q * mark - left - profit + other) / (q * (1 - mmr))
    if exact:
        agree(root, exact)
    without = (q * mark - left + other + mmr * s * tenth * (Fraction(price) - mark)) / (q * (1 - mmr))
    agree(without, printed, "1e-11")  # a double's last digits
    found = ex.position("poor", BTC).liquidation_price
    assert abs(Fraction(found) - root) <= Fraction("0.01") < abs(Fraction(printed) - root)
    fires(ex, BTC, found, 1)


def test_orderly_liquidation_price_of_a_first_order(make):
    """No positions, 1,981.66, buy 0.1 at 25,000, fee 1.5: 5,472."""
    ex = portfolio(make, held=False)
    ex.order("rich", BTC, "sell", "0.1", price=25_000).ok()
    assert ex.order("poor", BTC, "buy", "0.1", price=25_000).filled == Decimal("0.1")
    assert ex.account("poor").cash == Decimal("1980.16")
    found = ex.position("poor", BTC).liquidation_price
    assert abs(found - 5_472) <= Decimal("0.01")
    fires(ex, BTC, found, 1)


def test_orderly_isolated_liquidation_price_with_funding(make):
    """2,000 on 2 at 50,000, funding of .0002 a unit due, base 2.5 %: (2,000 - 100,000 - .0004) / (2 * .025 - 2) = 50,256.41.

    Right, and at the page's own price of 50,000 the position is gone: 2 % is below 2.5 %. It cannot be opened so, as 4 % are
    asked; here funding takes the margin down to 2,000 less the .0004, at a higher mark.
    """
    terms = Instrument(X, contract_size=1, tiers=[Tier(2, "0.025", "0.04")], taker_fee=0, maintenance_curve="0.0000000625",
                       initial_curve="0.0000001", **ORDERLY_TERMS)  # fmt: skip
    ex = begin(make, [terms])
    trade(ex, X, 1, 2, 50_000, 25, "isolated")
    ex.move_margin("poor", X, "0.0121")
    ex.mark(X, 62_500)
    ex.settle_funding(X, "0.0160001", 1)  # of 125,000: 2,000.0125
    p = ex.position("poor", X)
    assert p.margin == Decimal("2000") - Decimal("0.0004")
    root = (p.margin - 100_000) / (2 * Decimal("0.025") - 2)
    agree(Fraction(root), "50256.41")
    assert 0 <= root - p.liquidation_price <= Decimal("0.01") and p.liquidation_price > 50_000
    fires(ex, X, p.liquidation_price, 1)


# --- Vega, fully collateralised (0019-MCAL-154 to 158): a capped future pays at most 100, so a short at 30 puts down 70

CAPPED = {"contract_size": 1, "tick": 1, "settle_decimals": 6, "tiers": flat(100, "0.5", 1), "max_price": 1_000}


def test_an_order_margin_of_vega(make):
    """V19: an order to buy 10 at 30 asks 300, all of its value."""
    ex = begin(make, [Instrument(X, **FREE, **CAPPED)])
    ex.mark(X, 50)
    ex.set_leverage("poor", X, 1, mode="isolated")
    ex.order("poor", X, "buy", 10, price=30).ok()
    assert ex.account("poor").hold == 300


@pytest.mark.parametrize("side,opened,both", [(-1, 1_100, 1_180), (1, 700, 1_180)], ids=["V19", "sides swapped"])
def test_order_margins_of_vega(make, side, opened, both):
    """V19: 10 * 70 + 5 * 80 = 1,100; 700 + max(400, 480) = 1,180; 700 + 120 = 820 when the position is closed.

    It is short 10 with an order to sell 5 (at 30 and 20 below a cap of 100: 70 and 80 here) and bids for 30 at 16. The other
    way round the 5 would close and hold nothing: 700, not 1,100. There the first bids to trade (10 at 18) close and are free;
    here a side's closing lots are not the first but any, so what closes is said to be reduce-only. It gains 12 each.
    """
    ex = begin(make, [Instrument(X, **FREE, **CAPPED)])
    trade(ex, X, side, 10, 70, 1, "isolated")

    def asked():
        return ex.position("poor", X).margin + ex.account("poor").hold

    assert asked() == 700
    ex.order("poor", X, "sell", 5, price=80).ok()
    assert asked() == opened
    if side < 0:
        ex.order("poor", X, "buy", 10, price=58, reduce_only=True).ok()
        assert asked() == opened
    ex.order("poor", X, "buy", 30, price=16).ok()
    assert asked() == both
    if side < 0:
        cash = ex.account("poor").cash
        assert ex.order("rich", X, "sell", 10, price=58).filled == 10
        assert ex.account("poor").cash - cash == 820 and asked() == 480


# --- OKX


@pytest.mark.parametrize(
    "initial,printed,allowed", [("0.055", "18.18", 18), ("0.015", "66.66", 66)], ids=["O4 5.5%", "O4 1.5%"]
)
def test_okx_leverage_labels(make, initial, printed, allowed):
    """O4: a label is 1 / initial rate, cut; the whole number below it is accepted, the next is not."""
    leverage = 1 / Fraction(initial)
    assert Fraction(printed) <= leverage < Fraction(printed) + Fraction("0.01")
    terms = Instrument(X, **FREE, tiers=[Tier(10, "0.01", initial)])
    ex = begin(make, [terms])
    trade(ex, X, 1, 10, 1_000, allowed, "isolated")
    assert ex.position("poor", X).initial == Decimal(ex.position("poor", X).margin)
    with pytest.raises(InputError, match="does not fit"):
        Tier(10, "0.01", initial, allowed + 1)


def test_okx_tiers():
    """O1, O2: the schedules of September 2019 (coin) and January 2020 (USDT), in their third tier."""
    third = okex_btc_2019()[2]
    assert (third.max_contracts, third.maintenance, third.initial, third.max_leverage) == (22_000, "0.015", "0.02", 50)
    assert okex_btc_2019(50_000, 500_000)[2].max_contracts == 1_050_000
