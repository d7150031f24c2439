"""Published numbers that need a rule of their own: the fee at bankruptcy, accrued funding, factors of the used margin.

Owns Y1 and Bybit's inverse isolated form, V14 to V17, H1 to H3 with their venue's own form, and D23 (liquidation rules,
sections 3, 6, 8.5 and 9), driven through the engine. The vocabulary is that of test_published.py.
"""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from solvent import Code, EventType, Funding, Instrument, PriceModel, Rejected, Tier
from test_published import BARE, X, agree, balance, begin, fires, of, trade

FREE = {"maker_fee": 0, "taker_fee": 0, "liquidation_fee": 0, "settle": "COIN"}
SECOND = 10**9


def test_bybit_keeps_the_fee_of_closing_at_bankruptcy(make):
    """Y1: cross inverse long of 10,000 USD at 8,000 on 0.5: bankrupt at 5,718.57 (with the fee of closing there), liquidated
    at 5,739.08, on ticks of 0.5 at 5,739.50 for the venue, which rounds up: the last tick of ours that is safe.

    Asked are .5 % of the entry value, .00625, and .075 % of what closing at 5,718.57 is worth, .00131.
    """
    rule_set = replace(BARE, fee_isolated_low=True, fee_cross_low=True, fee_at="bankruptcy", funding_cap=False)
    bankrupt = Fraction("1.00075") * 10_000 / (Fraction(10_000, 8_000) + Fraction("0.5"))
    agree(bankrupt, "5718.57")
    asked = Fraction("1.25") * Fraction("0.005") + 10_000 / bankrupt * Fraction("0.00075")
    root = 10_000 / (Fraction("1.25") + Fraction("0.5") - asked)
    agree(root, "5739.08")
    for tick, printed in (("0.01", "5739.08"), ("0.5", "5739")):
        terms = Instrument(
            X, kind="inverse", contract_size=1, tick=tick, lot=100, max_size=10_000, settle_decimals=10, max_price=24_000,
            tiers=[Tier(10_000, "0.005", "0.01")], maintenance_at="entry", **FREE | {"liquidation_fee": "0.00075"},
        )  # fmt: skip
        ex = begin(make, [terms], rule_set)
        trade(ex, X, 1, 10_000, 8_000, 50, "cross")
        balance(ex, "0.5")
        p = ex.position("poor", X)
        agree(Fraction(p.maintenance), str(round(float(asked), 10)), "0.000000001")
        assert p.liquidation_price == Decimal(printed) and root - Fraction(p.liquidation_price) <= Fraction(tick)
        if tick == "0.5":
            assert p.liquidation_price + Decimal(tick) == Decimal("5739.50")
        fires(ex, X, p.liquidation_price, 1)


@pytest.mark.parametrize("extra", ["0", "0.05"])
@pytest.mark.parametrize("leverage", [5, 20])
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("size", [30_000, 100_000], ids=["first tier", "with a deduction"])
def test_bybit_divides_what_was_added_to_an_inverse_position(make, size, side, leverage, extra):
    """Bybit help, UTA pages, inverse isolated: a long's is size (1 + mmr) / (size / E + size / (E L) + extra / (1 + fee) + D),
    a short's with the signs turned.

    It is what keeping the fee of closing at bankruptcy comes to, where the margin is the initial one, the fee of closing at
    its bankruptcy price, E L / (L + 1), and `extra`: what is added moves bankruptcy, and the fee with it.
    """
    rule_set = replace(BARE, fee_isolated_low=True, fee_at="bankruptcy", funding_cap=False)
    fee, entry = Fraction("0.0006"), 50_300
    terms = Instrument(
        X, kind="inverse", contract_size=1, tick="0.5", settle_decimals=12, max_price=200_000, basis="notional",
        max_size=10**6, scheme="deduction", tiers=[Tier(1, "0.005", "0.01"), Tier(20, "0.01", "0.02")],
        **FREE | {"liquidation_fee": "0.0006"},
    )  # fmt: skip
    ex = begin(make, [terms], rule_set)
    trade(ex, X, side, size, entry, leverage, "isolated")
    initial = Fraction(size, entry * leverage)
    closing = fee * size * (leverage + side) / (entry * leverage)  # at bankruptcy by the initial margin alone
    ex.move_margin("poor", X, Decimal(round((closing + Fraction(extra)) * 10**12)) / 10**12)
    mmr, deduction = (Fraction("0.005"), 0) if size == 30_000 else (Fraction("0.01"), Fraction("0.005"))
    added = initial + Fraction(extra) / (1 + side * fee) + deduction
    root = size * (1 + side * mmr) / (Fraction(size, entry) + side * added)
    price = ex.position("poor", X).liquidation_price
    assert 0 < side * (root - Fraction(price)) <= Fraction("0.5")
    fires(ex, X, price, side)


VEGA = {"interval_ns": 8 * SECOND, "premium": "middle", "weights": "equal", "cap": "0.1", "notional": "index"}
ACCRUALS = [
    # id, index, mark, size, linear factor, share of accrued funding, terms, payment a unit, margin of long and short
    ("V14", "1600", 1_590, 1, "0.35", "0.5", {"interest": "0.0001", "clamp": "0.1"}, "0.16", "556.58", "556.5"),
    ("V15", "1600", 1_500, 1, "0.35", "0.5", {"interest": 0, "clamp": (0, "0.05")}, "-20", "525", "535"),
    ("V16", "1600", 1_700, 1, "0.35", "0.5", {"interest": 0, "clamp": ("-0.05", 0)}, "20", "605", "595"),
    ("V17", "1600", 1_590, 10, "0.35", "0.05", {"interest": "0.1", "clamp": (0, "0.05")}, "70", "5600", "5565"),
]


@pytest.mark.parametrize("row", ACCRUALS, ids=lambda row: row[0])
def test_vega_asks_for_accrued_funding(make, row):
    """Vega specs, 0019-MCAL: margin is linear in the mark, plus a share of the funding that accrued, of whoever will pay.

    A payment is f - s + min(cu s, max(cl s, (1 + i) s - f)), f being the mean of the book's middle and s that of the index:
    premium and clamp over the index, paid on the value at the index. V17 prints no share: 5 % of 10 units' 70 are its 35.
    """
    _, index, mark, size, rate, share, terms, payment, of_long, of_short = row
    model = PriceModel(components=["last"], sample_ns=SECOND, funding=Funding(**VEGA, **terms, margin=share))
    traded = Instrument(
        X, contract_size=1, tick="0.1", max_size=100, max_price=5_000, prices=model, **FREE, tiers=[Tier(100, rate, "0.5")]
    )
    ex = begin(make, [traded])
    ex.index(X, index)
    for name, side in (("poor", "buy"), ("rich", "sell")):
        ex.set_leverage(name, X, 1, mode="cross")
        ex.order(name, X, side, size, price=mark).ok()
    ex.order("rich", X, "buy", 1, price=mark - 1).ok()
    ex.order("rich", X, "sell", 1, price=mark + 1).ok()
    ex.advance(SECOND)
    assert ex.position("poor", X).mark_price == mark
    for name, expected in (("poor", of_long), ("rich", of_short)):
        assert ex.position(name, X).maintenance == Decimal(expected)
    if row[0] == "V14":  # interest over the index and back: a premium of -.625 % is undone by the clamp
        agree(Fraction(ex.position("poor", X).maintenance) - Fraction("556.5"), "0.08")
    cash = ex.account("poor").cash
    ex.advance(8 * SECOND)
    [funded] = of(list(ex._iterate(1, ex._kernel.next_seq)), EventType.FUNDED)
    assert Decimal(funded.rate_ppb) * Decimal(index) / 10**9 == Decimal(payment)
    assert cash - ex.account("poor").cash == Decimal(payment) * size


@pytest.mark.parametrize("leverage", [5, 10, 20])
@pytest.mark.parametrize("net,factor", [(18_000, "0.125"), (800, "0.08")], ids=["H1", "H3"])
def test_htx_takes_a_factor_of_the_used_margin(make, net, factor, leverage):
    """HTX support: equity / used margin - factor <= 0 liquidates. Used is value / leverage; a factor of 12.5 % at 10x is
    1.25 % of the value, at 5x 2.5 %."""
    factor = Decimal(factor)
    terms = Instrument(X, **FREE, contract_size="0.01", tick=1, scheme="factor", max_price=10_000,
                       tiers=[Tier(net, factor / 20, "0.05")])  # fmt: skip
    ex = begin(make, [terms], replace(BARE, at_threshold=True))
    trade(ex, X, 1, net, 1_000, leverage, "isolated")
    p = ex.position("poor", X)
    assert p.initial == p.margin == net * 10 / Decimal(leverage)
    assert p.maintenance == p.initial * factor
    share = factor / leverage  # of the value
    root = 1_000 * (1 - 1 / Fraction(leverage)) / (1 - Fraction(share))
    assert root - Fraction(p.liquidation_price) < 1
    fires(ex, X, p.liquidation_price, 1)


@pytest.mark.parametrize("top,tier", [(11_000, 1), (10_999, 2)])
def test_htx_adds_up_the_nets_of_its_contracts(make, top, tier):
    """H2: |1,000 - 4,000| + |8,000 - 5,000| + 5,000 = 11,000: three contracts of a coin, whose nets make one tier."""
    terms = {"contract_size": "0.01", "tick": 1, "basis": "net", "tier_group": 1, "max_price": 10_000, "max_size": 10**5}
    table = [Tier(top, "0.01", "0.1"), Tier(10**5, "0.02", "0.1")]
    held = {"week": (1_000, 4_000), "fortnight": (8_000, 5_000), "quarter": (5_000, 0)}
    ex = begin(make, [Instrument(name, tiers=table, **terms, **FREE) for name in held])
    for name, (longs, shorts) in held.items():
        ex.set_position_mode("poor", name, "hedge")
        for side, lots, leg in ((1, longs, "long"), (-1, shorts, "short")):
            if lots:
                trade(ex, name, side, lots, 1_000, 10, "cross", leg=leg)
    for name, (_, shorts) in held.items():
        for leg in ("long", "short") if shorts else ("long",):
            assert ex.position("poor", name, leg).tier == tier


INDEX_DELTAS = [
    # rate, in how many parts it is settled, contracts, decimals; exact delta of price 1,000 and what dYdX prints, truncated
    ("1.001999", 2, 1, 4, "1001.999", 1_001),
    ("-1.001999", 2, 1, 4, "-1001.999", -1_001),
    ("-0.5009995", 1, 10**10, 0, "-5009995000000", -5_009_995_000_000),
    ("-0.125249875", 1, 10**6, 0, "-125249875", -125_249_875),
]


@pytest.mark.parametrize("rate,times,lots,decimals,exact,printed", INDEX_DELTAS)
def test_funding_of_dydx(make, rate, times, lots, decimals, exact, printed):
    """D23: delta = rate * price * time / 8 h, truncated to zero: 1,001; -1,001; -5,009,995,000,000; -125,249,875.

    The first two are 100.1999 % of 1,000: a rate of 100 % and more is refused here, so it is settled in two halves, with the
    four decimals that 500.9995 has. The quantums of the others are contracts and units.
    """
    terms = {"contract_size": 1, "tick": 1, "settle_decimals": decimals, "max_price": 20_000, "max_size": 10**10}
    ex = begin(make, [Instrument(X, **terms, **FREE, tiers=[Tier(10**10, "0.005", "0.01")])])
    trade(ex, X, 1, lots, 1_000, 1, "cross")
    cash = ex.account("poor").cash
    if times > 1:
        with pytest.raises(Rejected) as refused:
            ex.settle_funding(X, rate, 1)
        assert refused.value.code == Code.BAD_RATE
    for period in range(times):
        ex.settle_funding(X, Decimal(rate) / times, period + 1)
    paid = cash - ex.account("poor").cash
    assert paid == Decimal(rate) * 1_000 * lots == Decimal(exact) and int(paid) == printed


@pytest.mark.parametrize("rate", ["0.1001999", "-0.1001999"])
def test_what_is_due_is_rounded_up(make, rate):
    """Where dYdX's index is cut, to 100 of these 100.1999, ours takes the next whole unit, and pays it."""
    ex = begin(make, [Instrument(X, contract_size=1, tick=1, settle_decimals=0, max_price=20_000, **FREE,
                                 tiers=[Tier(10, "0.005", "0.01")])])  # fmt: skip
    trade(ex, X, 1, 1, 1_000, 1, "cross")
    cash = ex.account("poor").cash
    ex.settle_funding(X, rate, 1)
    assert abs(cash - ex.account("poor").cash) == 101
