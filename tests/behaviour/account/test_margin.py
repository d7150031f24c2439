"""Deposits, leverage, margin moves, the check before a trade, and the views (semantics §6)."""

from decimal import Decimal
from fractions import Fraction

import pytest

from solvent import Code, EventType, InputError, Instrument, Rejected, Tier
from solvent.terms.tiers import okex_btc_2019

BTC = "BTC-USDT-SWAP"


@pytest.fixture
def ex(strict_exchange):
    exchange = strict_exchange([Instrument(BTC)])
    exchange.deposit("maker", "USDT", 10**9)
    exchange.mark(BTC, 50_000)
    return exchange


def refused(code, call, *args, **kwargs):
    with pytest.raises(Rejected) as caught:
        call(*args, **kwargs)
    assert caught.value.code == code and caught.value.hint


def test_initial_margin_open_loss_and_fee_decide(ex):
    """10 contracts at 50,000 and leverage 10: 500 + fee 2.5, to the unit."""
    ex.deposit("a", "USDT", "502.499999")
    assert ex.order("a", BTC, "buy", 10, price=50_000).code == Code.INSUFFICIENT_MARGIN
    ex.deposit("a", "USDT", "0.000001")
    assert ex.order("a", BTC, "buy", 10, price=50_000)
    assert (ex.account("a").hold, ex.account("a").free) == (Decimal("502.5"), 0)
    ex.cancel("a", ex.open_orders("a")[0].order_id)
    assert ex.order("a", BTC, "buy", 10, price=50_001).code == Code.INSUFFICIENT_MARGIN


def test_only_the_dearer_side_is_held(ex):
    ex.deposit("a", "USDT", 1_000)
    ex.order("a", BTC, "buy", 10, price=49_000).ok()
    ex.order("a", BTC, "sell", 10, price=51_000).ok()
    assert ex.account("a").hold == 510 + Decimal("2.55")


def test_pure_reductions_are_never_refused(ex):
    ex.deposit("a", "USDT", "502.5")
    ex.order("maker", BTC, "sell", 10, price=50_000)
    ex.order("a", BTC, "buy", 10, price=50_000).ok()
    assert ex.account("a").free == 0
    assert ex.order("a", BTC, "sell", 10, price=50_500)
    assert ex.order("a", BTC, "sell", 1, price=50_500).code == Code.INSUFFICIENT_MARGIN  # would open


def test_leverage_mode_and_tier(ex):
    ex.deposit("a", "USDT", 10_000)
    refused(Code.BAD_LEVERAGE, ex.set_leverage, "a", BTC, 0)
    refused(Code.LEVERAGE_ABOVE_TIER, ex.set_leverage, "a", BTC, 101, mode="isolated")
    refused(Code.UNKNOWN_ACCOUNT, ex.set_leverage, "nobody", BTC, 10)
    refused(Code.UNKNOWN_INSTRUMENT, ex.set_leverage, "a", "nothing", 10)
    ex.set_leverage("a", BTC, 20, mode="isolated")
    order = ex.order("a", BTC, "buy", 1, price=49_000).ok()
    refused(Code.MODE_IN_USE, ex.set_leverage, "a", BTC, 20, mode="cross")
    ex.cancel("a", order.order_id)
    ex.set_leverage("a", BTC, 20, mode="cross")
    assert ex.position("a", BTC).mode == "cross"


@pytest.mark.parametrize("mode", ["cross", "isolated"])
@pytest.mark.parametrize("held", [False, True])
def test_leverage_alone_keeps_the_mode(ex, mode, held):
    """Whoever only says a number changes no margin mode, flat or not; an account begins as cross."""
    ex.deposit("a", "USDT", 10_000)
    if mode == "isolated":
        ex.set_leverage("a", BTC, 20, mode=mode)
    if held:
        ex.order("maker", BTC, "sell", 10, price=50_000)
        ex.order("a", BTC, "buy", 10, price=50_000).ok()
    ex.set_leverage("a", BTC, 50)
    assert (ex.position("a", BTC).mode, ex.position("a", BTC).leverage) == (mode, 50)
    ex.set_leverage(ex.account("a").account_id, 0, 5)  # by number, too
    assert (ex.position("a", BTC).mode, ex.position("a", BTC).leverage) == (mode, 5)


@pytest.mark.parametrize(
    "leverage,parts,initial",
    [
        ("18.18", (909, 50), "27502.750276"),
        ("2.50", (5, 2), "200000"),
        (Fraction(10, 9), (10, 9), "450000"),
        (18, (18, 1), None),
    ],
)
def test_leverage_that_is_no_whole_number(strict_exchange, leverage, parts, initial):
    """OKX prints 18.18x for an initial rate of 5.5 %; Vega's margin factor of .9 is a leverage of 10/9."""
    ex = strict_exchange([Instrument(BTC, tiers=[Tier(2_000, "0.01", "0.055", "18.18")])])
    for name in ("a", "b"):
        ex.deposit(name, "USDT", 10**7)
        ex.set_leverage(name, BTC, leverage, mode="isolated")
    ex.mark(BTC, 50_000)
    ex.order("b", BTC, "sell", 1_000, price=50_000).ok()
    ex.order("a", BTC, "buy", 1_000, price=50_000).ok()
    p = ex.position("a", BTC)
    expected = Decimal(initial) if initial else Decimal("27777.777778")
    assert p.margin == p.initial == expected == -(-500_000 * 10**6 * parts[1] // parts[0]) / Decimal(10**6)
    assert abs(p.leverage - Decimal(parts[0]) / parts[1]) < Decimal("1e-9")
    row = ex.positions_array()[0]
    assert (row["leverage"], row["leverage_parts"]) == parts


@pytest.mark.parametrize(
    "leverage,code",
    [
        ("18.19", Code.LEVERAGE_ABOVE_TIER),
        ("18.180001", Code.LEVERAGE_ABOVE_TIER),
        ("0.99", Code.BAD_LEVERAGE),
        (-3, Code.BAD_LEVERAGE),
        ("2.0000001", Code.BAD_LEVERAGE),
        (Fraction(10**6 + 2, 10**6 + 1), Code.BAD_LEVERAGE),
        (10**30, Code.BAD_LEVERAGE),
        (Fraction(10**40, 3), Code.BAD_LEVERAGE),
        ("1e40", Code.BAD_LEVERAGE),
    ],
)
def test_leverage_that_is_refused(strict_exchange, leverage, code):
    ex = strict_exchange([Instrument(BTC, tiers=[Tier(2_000, "0.01", "0.055", "18.18")])])
    ex.open_account("a")
    refused(code, ex.set_leverage, "a", BTC, leverage, mode="isolated")
    with pytest.raises(InputError):
        ex.set_leverage("a", BTC, 2.5, mode="isolated")


def test_a_tier_allows_what_its_initial_rate_does():
    with pytest.raises(InputError):
        Tier(2_000, "0.01", "0.055", "18.19")
    with pytest.raises(InputError):
        Tier(2_000, "0.01", "0.055", "18.181")
    with pytest.raises(InputError):
        Tier(2_000, "0.01", "0.055", 18.18)


def test_leverage_above_the_tier_of_the_resulting_size(ex):
    ex.deposit("a", "USDT", 10**8)
    ex.set_leverage("a", BTC, 100, mode="isolated")
    assert ex.order("a", BTC, "buy", 2_000, price=49_000)
    assert ex.order("a", BTC, "buy", 1, price=49_000).code == Code.LEVERAGE_ABOVE_TIER  # level 2 allows 66
    refused(Code.LEVERAGE_ABOVE_TIER, ex.set_leverage, "maker", BTC, 101, mode="isolated")


def test_position_limit(strict_exchange):
    ex = strict_exchange([Instrument(BTC, tiers=[Tier(10, "0.005", "0.01"), Tier(20, "0.01", "0.02")])])
    ex.deposit("a", "USDT", 10**8)
    ex.mark(BTC, 50_000)
    assert ex.order("a", BTC, "buy", 21, price=49_000).code == Code.BAD_SIZE
    assert ex.order("a", BTC, "buy", 15, price=49_000)
    assert ex.order("a", BTC, "buy", 6, price=49_000).code == Code.POSITION_LIMIT
    assert ex.order("a", BTC, "sell", 20, price=51_000)


def test_reduce_only_orders_cannot_carry_a_position_past_the_limit(strict_exchange):
    """Found by the twins' test: plain sells that lean on a long, which a reduce-only order then closed first."""
    ex = strict_exchange([Instrument(BTC, tiers=[Tier(20, "0.005", "0.01")])])
    for name in ("a", "b"):
        ex.deposit(name, "USDT", 10**8)
    ex.mark(BTC, 50_000)
    ex.order("b", BTC, "sell", 15, price=50_000)
    ex.order("a", BTC, "buy", 15, price=50_000).ok()
    assert ex.order("a", BTC, "sell", 20, price=51_000)
    assert ex.order("a", BTC, "sell", 15, price=51_000).code == Code.POSITION_LIMIT
    ex.order("b", BTC, "buy", 15, price=50_000)
    ex.order("a", BTC, "sell", 15, price=50_000, reduce_only=True).ok()
    ex.order("b", BTC, "buy", 20, price=51_000).ok()
    assert ex.position("a", BTC).size == -20


def test_lower_leverage_needs_the_margin(ex):
    ex.deposit("a", "USDT", 600)
    ex.order("maker", BTC, "sell", 10, price=50_000)
    ex.set_leverage("a", BTC, 10, mode="cross")
    ex.order("a", BTC, "buy", 10, price=50_000).ok()
    refused(Code.INSUFFICIENT_MARGIN, ex.set_leverage, "a", BTC, 5, mode="cross")
    ex.set_leverage("a", BTC, 20, mode="cross")
    assert ex.account("a").free == Decimal("347.5")


def test_margin_moves_between_wallet_and_position(ex):
    ex.deposit("a", "USDT", 1_000)
    ex.set_leverage("a", BTC, 50, mode="isolated")
    refused(Code.NO_ISOLATED_POSITION, ex.move_margin, "a", BTC, 1)
    ex.order("maker", BTC, "sell", 10, price=50_000)
    ex.order("a", BTC, "buy", 10, price=50_000).ok()
    refused(Code.BELOW_INITIAL_MARGIN, ex.move_margin, "a", BTC, "-0.000001")
    refused(Code.INSUFFICIENT_BALANCE, ex.move_margin, "a", BTC, "897.500001")
    refused(Code.BAD_AMOUNT, ex.move_margin, "a", BTC, 0)
    ex.move_margin("a", BTC, 100)
    assert (ex.position("a", BTC).margin, ex.account("a").cash) == (200, Decimal("797.5"))
    assert ex.position("a", BTC).bankruptcy_price == 48_000
    ex.move_margin("a", BTC, -100)
    ex.move_margin("a", BTC, 50)
    ex.mark(BTC, 49_600)  # an open loss of 40 counts against what may leave
    refused(Code.BELOW_INITIAL_MARGIN, ex.move_margin, "a", BTC, -11)


def test_withdrawals_respect_open_losses_and_ignore_open_profit(ex):
    ex.deposit("a", "USDT", 1_000)
    ex.order("maker", BTC, "sell", 10, price=50_000)
    ex.order("a", BTC, "buy", 10, price=50_000).ok()
    ex.mark(BTC, 51_000)
    assert ex.account("a").withdrawable == Decimal("997.5") - 510
    assert ex.account("a").free == Decimal("997.5") - 510 + 100
    ex.mark(BTC, 49_000)
    assert ex.account("a").withdrawable == Decimal("997.5") - 490 - 100
    refused(Code.INSUFFICIENT_BALANCE, ex.withdraw, "a", "USDT", "407.500001")
    ex.withdraw("a", "USDT", "407.5")


def test_isolated_partial_close_releases_its_share(ex):
    """Half of 100 margin and a profit of 5 less a fee of 1.2525 goes to the wallet."""
    ex.deposit("a", "USDT", 1_000)
    ex.set_leverage("a", BTC, 50, mode="isolated")
    ex.order("maker", BTC, "sell", 10, price=50_000)
    ex.order("a", BTC, "buy", 10, price=50_000).ok()
    ex.order("maker", BTC, "buy", 5, price=50_100)
    ex.order("a", BTC, "sell", 5, price=50_100).ok()
    assert ex.account("a").cash == Decimal("897.5") + 50 + 5 - Decimal("1.2525")
    assert ex.position("a", BTC).margin == 50


def test_a_flip_closes_then_opens(ex):
    ex.deposit("a", "USDT", 1_000)
    ex.set_leverage("a", BTC, 50, mode="isolated")
    ex.order("maker", BTC, "sell", 10, price=50_000)
    ex.order("a", BTC, "buy", 10, price=50_000).ok()
    ex.order("maker", BTC, "buy", 15, price=50_000)
    ex.order("a", BTC, "sell", 15, price=50_000).ok()
    position = ex.position("a", BTC)
    assert (position.size, position.margin, position.entry_price) == (-5, 50, 50_000)
    assert ex.account("a").cash == 1_000 - Decimal("2.5") - Decimal("3.75") - 50


def test_two_currencies_are_two_domains(strict_exchange):
    ex = strict_exchange([Instrument("A", settle="USDT"), Instrument("B", settle="USDC", settle_decimals=7)])
    ex.deposit("maker", "USDT", 10**6)
    ex.deposit("maker", "USDC", 10**6)
    ex.deposit("a", "USDT", 600)
    ex.mark("A", 50_000)
    ex.mark("B", 50_000)
    assert ex.order("a", "B", "buy", 1, price=50_000).code == Code.INSUFFICIENT_MARGIN
    ex.deposit("a", "USDC", 600)
    for name in ("A", "B"):
        ex.order("maker", name, "sell", 10, price=50_000)
        ex.order("a", name, "buy", 10, price=50_000).ok()
    ex.seed_fund("USDC", 1_000)
    ex.mark("A", 44_000)
    assert ex.position("a", "A").size == 0 and ex.position("a", "B").size == 10
    assert ex.account("a").wallets["USDC"].cash == Decimal("597.5")


def test_tables_are_validated():
    from solvent import InputError

    for table in (
        [],
        [Tier(10, "0.01", "0.02"), Tier(10, "0.02", "0.04")],
        [Tier(10, "0.02", "0.04"), Tier(20, "0.01", "0.05")],
    ):
        with pytest.raises(InputError):
            Instrument("x", tiers=table)
    for bad in (("0.02", "0.01", 0), ("0", "0.01", 0), ("0.01", "0.02", 51), ("0.01", "1.5", 0)):
        with pytest.raises(InputError):
            Tier(10, *bad)
    with pytest.raises(InputError):
        Instrument("x", tick="0.0000001")
    with pytest.raises(InputError):
        Instrument("x", max_price=10**14)
    assert [tier.max_leverage for tier in okex_btc_2019()[:4]] == [100, 66, 50, 40]


def test_a_maker_rebate_is_rounded_down_and_never_above_the_taker_fee(strict_exchange):
    """3 ppb of 500 is 1.5 units: the maker gets one, the taker pays two at the same rate."""
    ex = strict_exchange([Instrument(BTC, maker_fee="-0.000000003", taker_fee="0.000000003")])
    for name in ("maker", "a"):
        ex.deposit(name, "USDT", 1_000)
        ex.mark(BTC, 50_000)
    ex.order("maker", BTC, "sell", 1, price=50_000)
    ex.order("a", BTC, "buy", 1, price=50_000).ok()
    assert ex.account("maker").cash == Decimal("1000.000001")
    assert ex.account("a").cash == Decimal("999.999998")
    with pytest.raises(InputError, match="rebate"):
        Instrument(BTC, maker_fee="-0.000501", taker_fee="0.0005")


def test_the_rebate_of_a_pure_reduction_of_an_isolated_position_comes_with_its_release(strict_exchange):
    """Sold 10 and bought 5 back at 50,000 and 50x: 50 of the margin, and 0.01 % of 2,500 instead of a fee."""
    ex = strict_exchange([Instrument(BTC, maker_fee="-0.0001")])
    for name in ("maker", "a"):
        ex.deposit(name, "USDT", 1_000)
        ex.mark(BTC, 50_000)
    ex.set_leverage("maker", BTC, 50, mode="isolated")
    ex.order("maker", BTC, "sell", 10, price=50_000)
    ex.order("a", BTC, "buy", 10, price=50_000).ok()
    assert ex.account("maker").cash == 1_000 + Decimal("0.5") - 100
    ex.order("maker", BTC, "buy", 5, price=50_000)
    ex.order("a", BTC, "sell", 5, price=50_000).ok()
    assert ex.account("maker").cash == 900 + Decimal("0.5") + 50 + Decimal("0.25")
    assert ex.position("maker", BTC).margin == 50


def test_distance_and_effective_leverage(strict_exchange):
    """Isolated, 5,000 of value on 100 of margin. One tick before the price nothing happens, at it the position goes."""
    ex = strict_exchange([Instrument(BTC)])
    for name in ("a", "b"):
        ex.deposit(name, "USDT", 10_000)
        ex.mark(BTC, 50_000)
        ex.set_leverage(name, BTC, 50, mode="isolated")
    assert ex.position("a", BTC).effective_leverage is None and ex.position("a", BTC).distance is None
    ex.order("b", BTC, "sell", 10, price=50_000)
    ex.order("a", BTC, "buy", 10, price=50_000).ok()
    for name, toward in (("a", -1), ("b", 1)):
        p = ex.position(name, BTC)
        assert (p.initial, p.effective_leverage) == (100, 50)
        assert p.distance_ticks > 0 and 50_000 + toward * p.distance_ticks * Decimal("0.1") == p.liquidation_price
        assert p.distance == round(p.distance_ticks / Decimal(500_000), 9)
    before = ex.position("a", BTC).distance_ticks
    ex.mark(BTC, ex.position("a", BTC).liquidation_price + Decimal("0.1"))
    p = ex.position("a", BTC)
    assert p.size == 10 and p.distance_ticks == 1 < before and p.effective_leverage > 150
    events = ex.mark(BTC, p.liquidation_price).events
    assert any(e.type == EventType.LIQUIDATION for e in events)


def test_arrays_say_what_the_views_say(strict_exchange):
    """Two currencies, isolated and cross, a resting order; and flat positions are left out."""
    ex = strict_exchange([Instrument("I"), Instrument("J", settle="USDC")])
    for name in "ab":
        for currency in ("USDT", "USDC"):
            ex.deposit(name, currency, 10_000)
    for name in "IJ":
        ex.mark(name, 50_000)
    ex.set_leverage("a", "I", 50, mode="isolated")
    for name in "IJ":
        ex.order("b", name, "sell", 10, price=50_000)
        ex.order("a", name, "buy", 7, price=50_000).ok()
        ex.mark(name, 49_900)
    ex.set_leverage("a", "I", 20, mode="isolated")
    ex.order("b", "I", "buy", 7, price=49_900)
    ex.order("b", "I", "buy", 7, price=49_900)
    rows = ex.positions_array()
    names = ["a", "b"]
    assert [(names[r["account"] - 16], ex.instruments[r["instrument"]].name) for r in rows] == [
        (n, i) for n in names for i in "IJ"
    ]
    for r in rows:
        view = ex.position(names[r["account"] - 16], int(r["instrument"]))
        unit = ex.instruments[r["instrument"]].unit
        assert (r["size_lots"], r["cost_units"], r["margin_units"]) == (view.size_lots, view.cost_units, view.margin_units)
        assert (int(r["upl_units"]) * unit, int(r["value_units"]) * unit) == (view.upl, view.value)
        assert (r["mode"] == 1, r["leverage"]) == (view.mode == "isolated", view.leverage)
        assert int(r["initial_units"]) * unit == view.initial
        assert int(r["domain_value_units"]) / int(r["equity_units"]) == pytest.approx(float(view.effective_leverage))
        assert r["own_units"] >= r["full_units"] > 0 and view.margin_ratio == round(
            Decimal(int(r["equity_units"])) / int(r["value_units"]), 9
        )
    rows = ex.accounts_array()
    assert len(rows) == 4
    for r in rows:
        currency = list(ex.currencies)[r["currency"]]
        view = ex.account(names[r["account"] - 16]).wallets[currency]
        unit = ex.currencies[currency]
        got = [int(r[f"{name}_units"]) * unit for name in ("cash", "hold", "free", "spendable", "equity")]
        assert got == [view.cash, view.hold, view.free, view.withdrawable, view.margin_balance]
        assert int(r["initial_units"]) * unit == view.initial
        assert int(r["cash_units"] + r["margin_units"] + r["upl_units"]) * unit == view.equity


@pytest.mark.parametrize("mode,code", [("cross", Code.INSUFFICIENT_MARGIN), ("isolated", Code.OK)])
def test_a_short_below_mark_is_asked_initial_margin_at_mark(strict_exchange, mode, code):
    """Found by an attack: one sold at 950 at 1x with 1,000, the mark being 1,000, left 50 less than nothing free."""
    terms = {"contract_size": 1, "tick": 1, "tiers": [Tier(10, "0.005", "0.01")], "maker_fee": 0, "taker_fee": 0}
    ex = strict_exchange([Instrument("X", **terms)])
    for name, amount in (("a", 1_000), ("b", 10**6)):
        ex.deposit(name, "USDT", amount)
    ex.mark("X", 1_000)
    ex.set_leverage("a", "X", 1, mode=mode)
    ex.order("b", "X", "buy", 1, price=950).ok()
    assert ex.order("a", "X", "sell", 1, price=950, tif="ioc").code == code
    assert ex.account("a").wallets["USDT"].free >= 0
    ex.deposit("a", "USDT", 50)
    ex.order("b", "X", "buy", 1, price=950).ok()
    if mode == "cross":
        assert ex.order("a", "X", "sell", 1, price=950, tif="ioc").filled == 1
        assert ex.account("a").wallets["USDT"].free == 0
