"""A liquidation fee that is the taker fee of who is liquidated, by his volume (OKX: liquidation rules, 1.7)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from solvent import Code, EventType, Funding, InputError, Instrument, PriceModel, Tier, rules
from solvent.records import CommandType, Posting, command
from solvent.schema.limits import DAY_NS

X = "X"
SECOND = 10**9
BASE, LOWER = "0.02", "0.005"  # taker fees: of everybody, and of who has traded 20,000
TERMS = {"contract_size": 1, "tick": "0.01", "max_price": 5_000, "maker_fee": 0, "taker_fee": BASE}
OKX = Instrument(X, **TERMS, liquidation_fee="own", fee_tiers=[(20_000, 0, LOWER)], tiers=[Tier(1_000, "0.05", "0.1")])
SAME = rules.find("okx_consistent")


def market(make, instrument=OKX, **terms):
    """a has traded 20,000 on day 0, b next to nothing; it is day 1, and both are long 10 at 1,000."""
    ex = make([instrument], rules=SAME, **terms)
    for name in ("a", "b", "m", "n"):
        ex.deposit(name, "USDT", 10**6)
    (ex.index if instrument.prices else ex.mark)(X, 1_000)
    buy(ex, "a", 20)
    buy(ex, "a", -20)
    ex.advance(DAY_NS)
    return ex


def told(ex, start, kind):
    return [e for e in ex._slice(start, ex._kernel.next_seq) if e.type == kind]


def buy(ex, who, size, mode=None):
    if mode:
        ex.set_leverage(who, X, 10, mode=mode)
    ex.order("m", X, "sell" if size > 0 else "buy", abs(size), price=1_000).ok()
    assert ex.order(who, X, "buy" if size > 0 else "sell", abs(size), price=1_000, tif="ioc").filled == abs(size)


def first_tick_below(rate):
    """1,000 of margin and 10 contracts from 1,000: 10 x - 9,000 < 10 x (.05 + rate)."""
    at = Decimal(9_000) / (Decimal("9.5") - 10 * Decimal(rate))
    return at.quantize(Decimal("0.01"), rounding="ROUND_UP") - Decimal("0.01")


@pytest.mark.parametrize("who,rate", [("a", LOWER), ("b", BASE)])
def test_the_threshold_asks_for_the_own_fee(strict_exchange, who, rate):
    """At the tick before its liquidation price nothing happens, there it does; explain says the rate."""
    ex = market(strict_exchange)
    buy(ex, who, 10, "isolated")
    price = first_tick_below(rate)
    assert ex.position(who, X).liquidation_price == price
    assert ex.explain(who).domains[0].rates == ((Decimal("0.05") + Decimal(rate),) * 2,)
    ex.mark(X, price + Decimal("0.01"))
    assert ex.position(who, X).size == 10
    ex.mark(X, price)
    assert ex.position(who, X).size == 0


def test_a_cross_account_is_asked_its_own_fee_too(strict_exchange):
    ex = market(strict_exchange)
    for who, rate in (("a", LOWER), ("b", BASE)):
        ex.withdraw(who, "USDT", ex.account(who).withdrawable - 3_000)
        buy(ex, who, 10, "cross")
        domain = ex.explain(who).domains[0]
        assert domain.own == 10_000 * (Decimal("0.05") + Decimal(rate))


@pytest.mark.parametrize("how", ["advance", "a refused command", "a deposit"])
def test_a_rate_that_rises_at_midnight_liquidates(strict_exchange, how):
    """The volume of day 0 leaves the thirty days at the turn of day 31: the mark stands where it stood."""
    ex = market(strict_exchange)
    buy(ex, "a", 10, "isolated")
    between = (first_tick_below(LOWER) + first_tick_below(BASE)) / 2
    ex.advance(31 * DAY_NS - 1)
    ex.mark(X, between.quantize(Decimal("0.01")))
    assert ex.position("a", X).size == 10
    if how == "advance":
        ex.advance(31 * DAY_NS)
    elif how == "a refused command":
        record = command(CommandType.CANCEL, time_ns=31 * DAY_NS, account=ex.open_account("z"), order_id=99)
        assert ex._kernel.apply(record) == Code.UNKNOWN_ORDER
    else:
        ex.advance(31 * DAY_NS)
        ex.deposit("b", "USDT", 1)
    assert ex.position("a", X).size == 0


def test_a_rate_that_falls_at_midnight_saves(strict_exchange):
    """b trades 20,000 on day 1; at a mark that would have taken it that day it stands on day 2."""
    for day, size in ((1, 0), (2, 10)):
        ex = market(strict_exchange)
        buy(ex, "b", 20)
        buy(ex, "b", -10)
        buy(ex, "b", -10)
        buy(ex, "b", 10, "isolated")
        ex.advance(day * DAY_NS)
        ex.mark(X, first_tick_below(BASE))
        assert ex.position("b", X).size == size


@pytest.mark.parametrize("who,rate", [("a", LOWER), ("b", BASE)])
def test_a_step_down_pays_the_own_fee(strict_exchange, who, rate):
    """A position of tier 3 is sold back to tier 1 in the book: the fee of what traded is its owner's rate of it."""
    table = [Tier(4, "0.01", "0.1"), Tier(6, "0.03", "0.1"), Tier(100, "0.05", "0.1")]
    ex = market(strict_exchange, replace(OKX, tiers=table))
    buy(ex, who, 10, "isolated")
    price = first_tick_below(rate)
    ex.order("n", X, "buy", 100, price=price).ok()
    start = ex._kernel.next_seq
    ex.mark(X, price)
    assert ex.position(who, X).size == 4
    fees = [e.amount_units for e in told(ex, start, EventType.LEDGER) if e.posting == Posting.LIQUIDATION_FEE]
    assert sum(fees) == 6 * price * Decimal(rate) * 10**6


def test_orders_that_count_ask_at_the_own_fee(strict_exchange):
    """Where resting orders count by notional, one of a flat position asks its owner's rate from its first command on."""
    ex = strict_exchange([OKX], rules=replace(SAME, orders="notional"))
    for name in ("a", "m"):
        ex.deposit(name, "USDT", 10**6)
    ex.mark(X, 1_000)
    buy(ex, "a", 20)
    buy(ex, "a", -20)
    ex.advance(DAY_NS)
    ex.deposit("m", "USDT", 1)
    ex.add_instrument(replace(OKX, name="Y"))
    ex.mark("Y", 1_000)
    buy(ex, "a", 1)
    ex.order("a", "Y", "buy", 10, price=1_000).ok()
    expected = 11_000 * (Decimal("0.05") + Decimal(LOWER))
    assert ex.explain("a").domains[0].own == expected


def test_a_step_down_sells_at_a_price_that_pays_the_own_fee(strict_exchange):
    """Margin 1,000 under 10 contracts from 1,000: bankrupt at 900, and with the fee of closing at 900 / (1 - fee)."""
    table = [Tier(4, "0.01", "0.1"), Tier(6, "0.03", "0.1"), Tier(100, "0.05", "0.1")]
    for who, limit in (("a", 90_453), ("b", 91_837)):
        ex = market(strict_exchange, replace(OKX, tiers=table))
        buy(ex, who, 10, "isolated")
        start = ex._kernel.next_seq
        ex.mark(X, 940)  # 5 % below it is further
        [step] = told(ex, start, EventType.STEP_DOWN)
        assert step.limit_ticks == limit


def test_initial_margin_is_never_below_maintenance_at_the_own_fee(strict_exchange):
    """Where tiers go by money: at ten times .1 is asked, but no less than .095 and the fee."""
    terms = {"basis": "notional", "max_size": 1_000, "tiers": [Tier(10**6, "0.095", "0.1")]}
    ex = market(strict_exchange, replace(OKX, **terms))
    for who, rate in (("a", "0.1"), ("b", "0.115")):
        buy(ex, who, 10, "cross")
        assert ex.position(who, X).initial == 10_000 * Decimal(rate)


def test_what_changes_is_told(strict_exchange):
    """At the turn of day 31, of a and of m, who made for it: once, and of nobody else."""
    ex = market(strict_exchange)
    buy(ex, "a", 10, "cross")
    ex.set_position_mode("n", X, "hedge")
    ex.advance(31 * DAY_NS - 1)
    start = ex._kernel.next_seq
    for time_ns in (31 * DAY_NS, 31 * DAY_NS + 1, 32 * DAY_NS):
        ex.advance(time_ns)
    changed = [(ex.account_name(e.account), e.leg, e.fee_ppb) for e in told(ex, start, EventType.FEE_CHANGED)]
    assert changed == [("m", 0, 20_000_000), ("a", 0, 20_000_000)]


def test_a_family_is_asked_by_its_volume(strict_exchange):
    """The master traded; its sub-account, that did not, is asked the lower fee, until the volume leaves."""
    ex = strict_exchange([OKX], rules=SAME)
    ex.open_account("a")
    ex.open_account("sub", parent="a")
    for name in ("a", "sub", "m"):
        ex.deposit(name, "USDT", 10**6)
    ex.mark(X, 1_000)
    buy(ex, "a", 20)
    buy(ex, "a", -20)
    ex.advance(DAY_NS)
    buy(ex, "sub", 10, "isolated")
    for day, rate in ((1, LOWER), (30, LOWER), (31, BASE)):
        ex.advance(day * DAY_NS)
        assert ex.position("sub", X).liquidation_price == first_tick_below(rate)


def test_the_legs_of_a_hedge_are_asked_the_own_fee(strict_exchange):
    ex = market(strict_exchange)
    ex.set_position_mode("a", X, "hedge")
    ex.set_leverage("a", X, 10, mode="isolated", leg="long")
    ex.order("m", X, "sell", 10, price=1_000).ok()
    ex.order("a", X, "buy", 10, price=1_000, leg="long").ok()
    assert ex.position("a", X, leg="long").liquidation_price == first_tick_below(LOWER)


def test_an_order_of_a_flat_position_is_asked_what_the_day_asks(strict_exchange):
    """It rests over midnight; where orders count by notional, its owner's test knows the new rate."""
    ex = strict_exchange([OKX, replace(OKX, name="Y")], rules=replace(SAME, orders="notional"))
    for name in ("a", "m"):
        ex.deposit(name, "USDT", 10**6)
    ex.mark(X, 1_000)
    ex.mark("Y", 1_000)
    buy(ex, "a", 20)
    buy(ex, "a", -19)
    ex.order("a", "Y", "buy", 10, price=1_000).ok()
    for day, rate in ((0, BASE), (1, LOWER), (31, BASE)):
        ex.advance(day * DAY_NS)
        assert ex.explain("a").domains[0].own == 11_000 * (Decimal("0.05") + Decimal(rate))


# --- What time does comes first: prices, funding and expiries up to now, then the rates of the day


@pytest.mark.parametrize("stops", [[], [31 * DAY_NS - 10 * SECOND], [31 * DAY_NS - 1]])
def test_the_new_rate_meets_the_mark_of_now(strict_exchange, stops):
    """Found by review: since half a minute the book stands at 980, but the mark said 960 until the clock moved over midnight.
    However it is cut, the mark is 980 before anybody is asked at the new rate."""
    ex = market(strict_exchange, replace(OKX, prices=PriceModel(components=["basis_mean"], sample_ns=SECOND, window=1)))
    buy(ex, "a", 10, "isolated")

    def quote(middle, time_ns):
        ex.cancel_all("n")
        ex.order("n", X, "buy", 1, price=middle - 1).ok()
        ex.order("n", X, "sell", 1, price=middle + 1).ok()
        ex.advance(time_ns)

    ex.advance(31 * DAY_NS - 60 * SECOND)
    quote(960, 31 * DAY_NS - 30 * SECOND)
    assert ex.position("a", X).mark_price == 960
    quote(980, ex._kernel.clock_ns)
    for time_ns in (*stops, 31 * DAY_NS):
        ex.advance(time_ns)
    assert (ex.position("a", X).mark_price, ex.position("a", X).size) == (980, 10)


@pytest.mark.parametrize("stops", [[], [30 * DAY_NS + DAY_NS // 2]])
def test_what_expires_before_midnight_is_settled_at_the_old_rate(strict_exchange, stops):
    terms = {"expiry_ns": 30 * DAY_NS + DAY_NS // 2, "prices": PriceModel(components=["index"], sample_ns=SECOND)}
    ex = market(strict_exchange, replace(OKX, **terms))
    buy(ex, "a", 10, "isolated")
    cash = ex.account("a").cash
    ex.index(X, 960)
    for time_ns in (*stops, 31 * DAY_NS):
        ex.advance(time_ns)
    assert ex.account("a").cash == cash + 600


@pytest.mark.parametrize("stops", [[], [31 * DAY_NS - 1]])
def test_funding_of_the_day_before_is_paid_at_the_old_rate(strict_exchange, stops):
    """Eight-hour periods at 2 % pay the short, which the new rate would have taken without them."""
    funding = Funding(interval_ns=DAY_NS // 3, premium="mark", weights="equal", interest="0.02", clamp=1, cap="0.02")
    ex = market(strict_exchange, replace(OKX, prices=PriceModel(components=["index"], sample_ns=60 * SECOND, funding=funding)))
    ex.advance(30 * DAY_NS + 1)
    buy(ex, "a", -10, "isolated")
    ex.index(X, 1_030)
    for time_ns in (*stops, 31 * DAY_NS):
        ex.advance(time_ns)
    assert ex.position("a", X).size == -10


def test_without_fee_tiers_it_is_the_taker_fee(strict_exchange):
    ex = market(strict_exchange, replace(OKX, fee_tiers=()))
    buy(ex, "a", 10, "isolated")
    assert ex.position("a", X).liquidation_price == first_tick_below(BASE)


def test_what_it_cannot_be():
    """An instrument as records whose liquidation fee is not the base taker fee and yet its owner's; a word that is none."""
    with pytest.raises(InputError, match="own taker fee"):
        replace(OKX.spec, liquidation_fee_ppb=1).check("X")
    with pytest.raises(InputError, match="own_fee"):
        replace(OKX.spec, own_fee=2).check("X")
    with pytest.raises(InputError, match="liquidation fee"):
        replace(OKX, liquidation_fee="his")
