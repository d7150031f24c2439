"""Published numbers that do not check: what the same inputs really give, driven through both implementations.

Owns liquidation rules, section 13, in its order, each number of it that is a requirement, a price, a rate of funding or a
profit; and what sections 1 and 2 mark as such beside it (O5 is 13-1; B10; O8). Inputs that the page leaves out are those of
the page that it names: freqtrade's docstring, Vega's acceptance criteria, Delta's guide, dYdX's comment.

Without a test. 13-21 (dYdX): a comment of a premium test case, of which neither number nor case is on the page; the premiums
are D20 to D22 (test_dydx.py). Of "further oddities": OceanEx's formula and the funding formulas of some pages (kdj) are
formulas without a number; WhiteBIT's truncated .00317 is test_whitebit.py's, Orderly's 50,256.41 test_orderly.py's.
"""

from decimal import Decimal
from fractions import Fraction

import pytest

from solvent import EventType, Funding, InputError, Instrument, PriceModel, Tier
from support.published import (
    BARE,
    FREE,
    SECOND,
    WITH_FEE,
    Row,
    X,
    agree,
    balance,
    begin,
    closed_form,
    fires,
    flat,
    inverse,
    linear,
    of,
    placed,
    trade,
)
from support.venues import B7, B10, BTC, CAPPED, DELTA_TERMS, K1, O6, PERP, VEGA_FUNDING

# --- OKX


@pytest.mark.parametrize("initial,right", [("0.013", "76.92"), ("0.013333333", "75.00")], ids=["13-1", "at 1.333 %"])
def test_okx_labels_a_rate_with_75x(strict_exchange, initial, right):
    """13-1 (O5): the table labels 1.3 % with 75x. It is 76.92x: 76 is accepted, 77 is not; 75x would be 1.333 %."""
    leverage, allowed = 1 / Fraction(initial), int(Decimal(right))
    assert Fraction(right) <= leverage < Fraction(right) + Fraction("0.01")
    ex = begin(strict_exchange, [Instrument(X, **FREE, tiers=[Tier(10, "0.01", initial)])])
    trade(ex, X, 1, 10, 1_000, allowed, "isolated")
    assert ex.position("poor", X).initial == ex.position("poor", X).margin
    with pytest.raises(InputError, match="does not fit"):
        Tier(10, "0.01", initial, allowed + 1)


# --- freqtrade, docstring of test_get_liquidation_price (tests/exchange/test_exchange.py)

LONG = {"side": 1, "size": "1", "entry": "10"}
SHORT = LONG | {"side": -1}
DOCSTRINGS = [
    # The row and what it really gives; what is printed, and the printed formula, which gives that
    (Row(**B7 | SHORT | {"size": "0.6"}, id="13-2", leverage=5, liquidation="11.897689769"), "12.557755775577558",
     (Fraction("1.6") + Fraction("0.01") + 6) / Fraction("0.606")),
    (Row(**B7 | LONG, id="13-3", leverage=3, liquidation="6.723905724"), "6.717171717171718",
     (6 - Fraction("2.01")) / Fraction("0.594")),
    (Row(**B7 | LONG | {"size": "0.6"}, id="13-4", leverage=5, liquidation="8.063973064"), "7.39057239057239",
     (6 - Fraction("1.61")) / Fraction("0.594")),
    (Row(**O6 | SHORT, id="13-5", leverage=3, liquidation="13.193482420"), "13.476180850346978",
     (10 + Fraction(10, 3)) / Fraction("0.9894")),
    (Row(**O6 | LONG | {"size": "2"}, id="13-6", leverage=5, liquidation="8.085708510"), "7.916089451810806",
     (10 - Fraction(2)) / Fraction("1.0106")),
    (Row(**O6 | LONG | {"entry": "8"}, id="13-7", leverage=5, liquidation="6.468566808"), "6.332871561448645",
     (8 - Fraction("1.6")) / Fraction("1.0106")),
]  # fmt: skip


@pytest.mark.parametrize("row,printed,formula", DOCSTRINGS, ids=[row.id for row, *_ in DOCSTRINGS])
def test_docstrings_of_freqtrade(strict_exchange, row, printed, formula):
    """13-2: a wallet of 1.6, and of 0.6 at 10 on 5x it is 1.2. 13-3: 2 on 0.6, said of 1 on 3x: 3.33. 13-4: 1.6 for 1.2 again.

    13-5: a short's denominator is 1 + rate, 13-6 and 13-7: a long's 1 - rate; the other sign is printed. freqtrade's own test
    holds its code to the right numbers of 13-2 to 13-5 (B7, B8 of test_binance.py, O6 of test_okx.py).
    """
    agree(formula, printed, "1e-13")
    exact = closed_form(row, Decimal(row.mmr) + Decimal(row.fee))
    agree(exact, row.liquidation)
    ex = placed(strict_exchange, row, WITH_FEE if Decimal(row.fee) else BARE)
    found = ex.position("poor", X).liquidation_price
    assert abs(Fraction(found) - exact) <= row.step
    assert abs(found - Decimal(printed)) > Decimal("0.006"), "millions of ticks from the print"
    fires(ex, X, found, row.side)


# --- Kraken and Binance: held at entry, or at mark


def test_kraken_holds_its_margin_at_mark(strict_exchange):
    """13-8 (K2): the text's maintenance margin of 0.00125, fixed, gives 7,476.64; its 7,481 needs 1 % at mark."""
    row = K1
    fixed = closed_form(row, "0", row.held - Fraction("0.00125"))
    agree(fixed, "7476.64")
    found = placed(strict_exchange, row).position("poor", X).liquidation_price
    agree(Fraction(found), "7481")
    assert found - 4 > fixed


def test_binance_holds_its_margin_at_mark(strict_exchange):
    """B10: 95,500 takes 500 of maintenance margin at entry; at mark, as the venue's own rule has it, it is 95,477.39."""
    row = B10
    assert closed_form(row, "0", row.held - 500) == 95_500
    found = placed(strict_exchange, row).position("poor", X).liquidation_price
    agree(Fraction(found), "95477.39")


# --- Delta


def test_delta_prints_a_tenth_of_a_value(strict_exchange):
    """13-9: "2 BTC" of 200,000 at 10,000. They are 20, and only so is its own rate 1.63 %: 2 BTC, 20,000, ask .5 %."""
    small = inverse("20000", "0.005", 100)
    for size, value, rate, terms in ((200_000, 20, "0.0163", DELTA_TERMS), (20_000, 2, "0.005", small)):
        ex = begin(strict_exchange, [Instrument(X, **FREE, **terms)])
        trade(ex, X, 1, size, 10_000, 100, "cross")
        p = ex.position("poor", X)
        assert p.value == value
        agree(Fraction(p.maintenance) / Fraction(p.value), rate)


def test_delta_prints_a_liquidation_price_100_off(strict_exchange):
    """13-10: "9940.5" of 200,000 at 10,000 on 3.25 %: 9,840.1 with 1.625 % held at entry, 9,842.62 at mark.

    13-11: and the slice's 9,728 lies 1.16 % below that (9,727.2), not "1 %" (9,742.7).
    """
    at_entry = Fraction(200_000) / (20 + Fraction("0.65") - Fraction("0.325"))
    agree(at_entry, "9840.1")
    agree(at_entry / (1 + Fraction("0.0116")), "9727.2", "0.1")
    assert abs(at_entry / (1 + Fraction("0.01")) - 9_728) > 14
    at_mark = Fraction("1.01625") * 200_000 / Fraction("20.65")
    for place, root in (("entry", at_entry), ("mark", at_mark)):
        ex = begin(strict_exchange, [Instrument(X, **FREE, **DELTA_TERMS, maintenance_at=place)])
        trade(ex, X, 1, 200_000, 10_000, 100, "isolated")
        assert ex.position("poor", X).margin == Decimal("0.65")  # what the curve asks, above 1 / 100
        found = ex.position("poor", X).liquidation_price
        assert abs(Fraction(found) - root) <= Fraction("0.01")
        assert found < Decimal("9843") < Decimal("9940.5")
        fires(ex, X, found, 1)


def test_delta_ranks_its_losers_against_its_formula(strict_exchange):
    """13-12: the guide has account 7 last of the three with losses. By its own score, PnL % over leverage, -7 % on 1.8 is
    -.0389, before the -.05 of 1 (-10 % on 2) and 6 (-20 % on 4): a short of 80 takes all of 7 and 10 of the first of equals.
    """
    mark = 669_600
    losers = {"six": (30, 837_000, 4), "one": (100, 744_000, 2), "seven": (70, 720_000, "1.8")}
    ex = begin(strict_exchange, [Instrument(X, **FREE, contract_size=1, tick=1, tiers=flat(1_000, "0.005", 100))])
    for name, (size, entry, leverage) in losers.items():
        ex.deposit(name, "COIN", 10**8)
        ex.mark(X, entry)
        ex.set_leverage(name, X, 4, mode="isolated")
        ex.order("rich", X, "sell", size, price=entry).ok()
        assert ex.order(name, X, "buy", size, price=entry).filled == size
        wanted = size * mark / Decimal(leverage) + size * (entry - mark)
        ex.move_margin(name, X, wanted - ex.position(name, X).margin)
    trade(ex, X, -1, 80, 662_900, 100, "isolated")
    events = of(ex.mark(X, mark).events, EventType.ADL)
    assert [ex.position(name, X).effective_leverage for name in ("one", "six")] == [2, 4]
    assert [(ex.account_name(e.account), e.closed_lots, e.rank) for e in events] == [
        ("seven", 70, -38_889),
        ("six", 10, -50_000),
    ]


# --- Hyperliquid


def test_the_interest_of_hyperliquid_is_no_simple_one(strict_exchange):
    """13-13: "0.01 % every 8 hours, which is 0.00125 % every hour, or 11.6 % APR". A year of 8,760 such hours is 10.95 %.

    11.57 %, the 11.6, is what they are compounded; but each is paid on the value, which what was paid before does not move.
    """
    hour = 3_600 * SECOND
    funding = Funding(interval_ns=hour, weights="equal", share=(1, 8), interest="0.0001", clamp="0.0005", notional="index")
    model = PriceModel(components=["index"], sample_ns=hour, funding=funding)
    ex = begin(strict_exchange, [Instrument(X, **FREE, **linear("1", "0.0125", 40), prices=model)])
    ex.index(X, 50_000)
    for name, side in (("rich", "sell"), ("poor", "buy")):
        ex.order(name, X, side, 1, price=50_000).ok()
    cash, cursor = ex.account("poor").cash, ex.cursor(EventType.FUNDED)
    ex.advance(24 * hour)
    hourly = [e.rate_ppb for e in cursor]
    assert hourly == [12_500] * 24
    simple = 365 * (cash - ex.account("poor").cash) / 50_000
    assert simple == Decimal("0.1095")
    agree((1 + Fraction(hourly[0], 10**9)) ** 8_760 - 1, "0.116")
    assert round(simple, 3) != Decimal("0.116")


# --- Vega (0019-MCAL, 0012-POSR)


def test_a_slippage_of_10000_percent(strict_exchange):
    """MCAL-211: "15900 x 100 x 1 + 0.1 x 1 x 15900 = 85690". It is 1,591,590, of a rate that no tier may have.

    85,690 is 84,100 + 1,590: the loss of buying back at the book's only offer of 100,000, and the second term.
    """
    factors = Decimal(100) + Decimal("0.1")
    assert 15_900 * factors == 1_591_590
    with pytest.raises(InputError, match="not a rate"):
        Tier(1, factors, factors)
    ex = begin(strict_exchange, [Instrument(X, **FREE, **linear("1", "0.1", 10))])
    trade(ex, X, -1, 1, 15_900, 1, "cross")
    asked = ex.position("poor", X).maintenance
    ex.mark(X, 100_000)
    loss = -ex.position("poor", X).upl
    assert (loss, asked, loss + asked) == (84_100, 1_590, 85_690)


@pytest.mark.parametrize(
    "price,rate,right",
    [(57_500, "0.9", 51_750), (57_500, "0.11", 6_325), (15_900, "0.9", 14_310)],
    ids=["as printed", "V18", "MCAL-232"],
)
def test_vega_margin_factors(strict_exchange, price, rate, right):
    """MCAL-232, -233: "57 500 x 1 x 0.9 = 6325". That is 51,750; 6,325 is 57,500 * 0.11 (V18). MCAL-232's own party is short
    at 15,900, of which .9 are 14,310."""
    ex = begin(strict_exchange, [Instrument(X, **FREE, **linear("1", rate, 1))])
    trade(ex, X, -1, 1, price, 1, "cross")
    assert ex.position("poor", X).maintenance == right


def test_what_an_order_moves_at_vega(strict_exchange):
    """MCAL-158: "830 - (300 - 120) = 410". It is 650.

    Long 10 at 30 of what pays at most 100, 20 are sold: 10 at 18, the rest waits at 17 and asks 10 * (100 - 17). To be short
    there is to be long of the rest of the 100, which is a second contract here. Both are held in full, at 1x.
    """
    yes, no = (Instrument(name, **FREE, **CAPPED) for name in ("yes", "no"))
    ex = begin(strict_exchange, [yes, no])
    trade(ex, "yes", 1, 10, 30, 1, "isolated")
    assert ex.position("poor", "yes").margin == 300
    ex.mark("no", 100 - 17)
    ex.set_leverage("poor", "no", 1, mode="isolated")
    free = ex.account("poor").free
    ex.order("rich", "yes", "buy", 10, price=18).ok()
    assert ex.order("poor", "yes", "sell", 10, price=17).filled == 10
    returned = ex.account("poor").free - free
    ex.order("poor", "no", "buy", 10, price=100 - 17).ok()
    held = ex.account("poor").hold
    assert (returned, held) == (300 - 120, 830)
    assert free - ex.account("poor").free == held - returned == 650


def profits(make, opened: int, sold: tuple[int, ...], price: int):
    """A long opened at 100, then sales at this price: after each, the position and what was realised."""
    ex = begin(make, [Instrument(X, **FREE, **CAPPED)])
    trade(ex, X, 1, opened, 100, 1, "cross")
    cash, seen = ex.account("poor").cash, []
    for size in sold:
        ex.order("rich", X, "buy", size, price=price).ok()
        assert ex.order("poor", X, "sell", size, price=price).filled == size
        seen.append((ex.position("poor", X).size, ex.account("poor").cash - cash))
    return ex, seen


@pytest.mark.parametrize("short,seen,upl", [(1, (0, 20), 0), (2, (-1, 20), 60)], ids=["as printed", "POSR-016"])
def test_profits_of_the_network(strict_exchange, short, seen, upl):
    """POSR-016 (V7): the network, long 1 at 100, takes over a short of "1" at 120, and then has -1, 20 and, at 60, 60 more.

    A short of 1 leaves it nothing; of 2 it has what is printed. Its profits are those of any account.
    """
    ex, found = profits(strict_exchange, 1, (short,), 120)
    ex.mark(X, 60)
    assert (found, ex.position("poor", X).upl) == ([seen], upl)


def test_disposals_of_the_network(strict_exchange):
    """POSR-018: 2 at 100, one sold at 90, then one more: "position of 1" both times, -10 and -20. The second leaves none."""
    ex, seen = profits(strict_exchange, 2, (1, 1), 90)
    assert seen == [(1, -10), (0, -20)] and ex.position("poor", X).upl == 0


@pytest.mark.parametrize("middle,payment,margin", [(1_590, 70, 5_600), (1_550, 30, 5_580)], ids=["V17", "MCAL-058"])
def test_the_price_of_a_funding_payment(strict_exchange, middle, payment, margin):
    """MCAL-058: "f_twap = 1550, funding_payment = 1590 + 1600 * (0.05 - 1) = 70", margin 5,600. Of 1,550: 30 and 5,580.

    At a mark of 1,590 in both, 10 units and 5 % of what accrued, as in V17 (test_vega.py).
    """
    funding = Funding(**VEGA_FUNDING, interest="0.1", clamp="0.05", margin="0.05")
    terms = Instrument(X, contract_size=1, tick="0.1", max_size=100, max_price=5_000, tiers=[Tier(100, "0.35", "0.5")],
                       prices=PriceModel(components=["last"], sample_ns=SECOND, funding=funding), **FREE)  # fmt: skip
    ex = begin(strict_exchange, [terms])
    ex.index(X, 1_600)
    for name, side in (("rich", "sell"), ("poor", "buy")):
        ex.set_leverage(name, X, 1, mode="cross")
        ex.order(name, X, side, 10, price=1_590).ok()
    ex.order("rich", X, "buy", 1, price=middle - 1).ok()
    ex.order("rich", X, "sell", 1, price=middle + 1).ok()
    ex.advance(SECOND)
    p = ex.position("poor", X)
    assert (p.mark_price, p.maintenance) == (1_590, margin)
    cash = ex.account("poor").cash
    ex.advance(8 * SECOND)
    assert cash - ex.account("poor").cash == 10 * payment
    assert margin == Fraction("0.35") * 15_900 + Fraction("0.05") * 10 * payment


# --- dYdX


@pytest.mark.parametrize("dollars", [1, 1_000_000], ids=["D12", "as commented"])
def test_a_million_quantums_are_a_dollar(strict_exchange, dollars):
    """13-20: "-1,000,000 quote quantums = -$1,000,000" of D12, long 1 BTC with 1 USDC. A quantum is 10**-6: they are -$1.

    It takes 1,000,000 USDC to go bankrupt at -$1,000,000, which are 10**12 quantums.
    """
    terms = Instrument(BTC, contract_size="0.001", **PERP)
    ex = begin(strict_exchange, [terms])
    trade(ex, BTC, 1, 1_000, 50_000, 1, "cross")
    balance(ex, 50_000 + dollars)
    p = ex.position("poor", BTC)
    closing = p.bankruptcy_price * p.size * Decimal("0.001")
    assert (closing, closing / terms.unit) == (-dollars, -dollars * 10**6)


# --- OKEx, 2018


@pytest.mark.parametrize("kind,loss,lacking", [("linear", "9", "8"), ("inverse", "9", "8.9")], ids=["O8", "in coins"])
def test_a_loss_of_a_coin_margin(strict_exchange, kind, loss, lacking):
    """O8: "10 USD of coin margin long at 1, price to 0.1: loss 9, margin 1, overloss 8".

    So of margin in dollars. A coin of margin is worth .1 then: 89 coins are lacking of the 90 that are lost, which are 8.9.
    """
    terms = {"contract_size": 1, "tick": "0.1", "tiers": flat(10, "0.005", 10), "max_price": 100, "settle_decimals": 9}
    ex = begin(strict_exchange, [Instrument(X, kind=kind, **FREE, **terms)])
    trade(ex, X, 1, 10, 1, 10, "isolated")
    p = ex.position("poor", X)
    assert p.margin == 1
    [found] = of(ex.mark(X, "0.1").events, EventType.LIQUIDATION)
    equity = Decimal(found.equity_units).scaleb(-9)
    worth = 1 if kind == "linear" else Decimal("0.1")
    assert ((p.margin - equity) * worth, -equity * worth) == (Decimal(loss), Decimal(lacking))
