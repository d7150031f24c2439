"""Attacks on margin that once came through: each halted an exchange, cost an account that had done nothing wrong, or let a
command through that endangers its own account.

Owns the shortest form of each; the random driver is agreement/test_twins.py.
"""

from dataclasses import replace
from decimal import Decimal

import pytest

from solvent import Code, Collateral, EventType, Funding, InputError, Instrument, PriceModel, Tier
from solvent.records import Verdict
from solvent.rules import find
from support.hedges import of, refused

SECOND, HOUR = 10**9, 3_600 * 10**9
FREE = {"maker_fee": 0, "taker_fee": 0, "liquidation_fee": 0}
BASE = {"contract_size": 1, "tick": 1, "max_price": 10_000} | FREE
WIDE = replace(find("seed"), price_band_ppb=10**9 - 1)
JUMP = [Tier(100, "0.005", "0.01"), Tier(10_000, "0.1", "0.2")]
MONEY = [Tier(100_000, "0.005", "0.01"), Tier(10**7, "0.1", "0.2")]


def exchange(make, instruments, cash, leverage=10, rules=WIDE, mode="cross"):
    ex = make(instruments, rules=rules)
    ex.deposit("m", "USDT", 10**7)
    ex.deposit("a", "USDT", cash)
    for each in instruments:
        ex.mark(each.name, 1_000)
        ex.set_leverage("m", each.name, 1, mode="cross")
        ex.set_leverage("a", each.name, leverage, mode=mode)
    return ex


def trade(ex, name, size, price=1_000, maker="m"):
    """a buys, or sells, and m is there."""
    ex.order(maker, name, "sell" if size > 0 else "buy", abs(size), price=price).ok()
    answer = ex.order("a", name, "buy" if size > 0 else "sell", abs(size), price=price, tif="ioc")
    ex.cancel_all(maker)
    return answer


def accruing(rate, cap=None, margin=1) -> PriceModel:
    """An index is the mark; the interest of an hour is asked of whoever will pay it."""
    terms = {"interval_ns": HOUR, "weights": "equal", "impact": 5_000, "interest": rate, "clamp": rate, "cap": cap or rate}
    return PriceModel(components=["index"], sample_ns=60 * SECOND, funding=Funding(margin=margin, **terms))


def highest(**terms) -> Instrument:
    """Its highest size is worth almost 2**62 units at its highest price."""
    given = BASE | {"max_price": 2**28, "settle_decimals": 0, "tiers": [Tier(2**34 - 1, "0.001", "0.01")]}
    return Instrument("A", **given | terms, prices=accruing("0.99"))


def test_an_order_beyond_every_purse_is_refused(strict_exchange):
    """A hold of 1.49 times 2**62 and accrued funding of .99 times 2**62 are no number of 64 bits; they halted the core."""
    ex = strict_exchange([highest(taker_fee="0.49")], rules=WIDE)
    ex.deposit("a", "USDT", 2**61)
    ex.set_leverage("a", "A", 1, mode="cross")
    ex.index("A", 2**28)
    ex.advance(60 * SECOND)
    assert ex.order("a", "A", "buy", 2**34 - 1, price=2**28).code == Code.INSUFFICIENT_MARGIN


def test_margin_that_would_never_do_is_not_moved(strict_exchange):
    """Initial margin with accrued funding and what a closing order may lose: almost three times 2**62, once too much."""
    ex = strict_exchange([highest()])
    ex.deposit("m", "USDT", 753 * 2**62 // 1_000)
    ex.deposit("a", "USDT", 245 * 2**62 // 1_000)
    ex.set_leverage("a", "A", 100, mode="isolated")
    ex.index("A", 2**26)
    trade(ex, "A", 2**34 - 1, 2**26).ok()
    ex.move_margin("a", "A", int(ex.account("a").withdrawable))
    ex.set_leverage("a", "A", 1, mode="isolated")
    ex.index("A", 2**28)
    ex.advance(60 * SECOND)
    ex.order("a", "A", "sell", 2**34 - 1, price=int(2**28 * Decimal("0.96"))).ok()
    refused(Code.BELOW_INITIAL_MARGIN, ex.move_margin, "a", "A", -1)


def test_orders_that_alone_ask_for_more_are_cancelled(strict_exchange):
    """A flat member of a tier group is in a high tier of its own table by the group's net; its order asks that tier's rate.
    Nobody could be stepped down, and nothing happened below R_own."""
    steep = [Tier(10, "0.01", "0.02"), Tier(20, "0.05", "0.1"), Tier(10_000, "0.1", "0.2")]
    terms = BASE | {"basis": "net", "tier_group": 1}
    members = [Instrument("A", **terms, tiers=steep), Instrument("B", **terms, tiers=[Tier(10_000, "0.01", "0.2")])]
    ex = exchange(strict_exchange, members, 40_000, leverage=5, rules=replace(WIDE, orders="notional"))
    trade(ex, "B", 100).ok()
    ex.order("a", "A", "buy", 50, price=1_000).ok()
    price = ex.position("a", "B").liquidation_price
    assert not of(ex.mark("B", price + 1).events, EventType.LIQUIDATION) and ex.open_orders("a")
    [judged] = of(ex.mark("B", price).events, EventType.LIQUIDATION)
    assert judged.verdict == Verdict.PARTIAL and not ex.open_orders("a")
    assert ex.position("a", "B").size == 100


@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_a_factor_at_lower_leverage_is_asked_before(strict_exchange, mode):
    """Half of the initial margin: at 5x twice as much as at 10x. Where that is more than there is, leverage stays."""
    terms = BASE | {"scheme": "factor", "maintenance_at": "entry", "tiers": [Tier(10_000, "0.05", "0.1")]}
    ex = exchange(strict_exchange, [Instrument("A", **terms)], 11_000, mode=mode)
    trade(ex, "A", 100).ok()
    ex.mark("A", 955)
    refused(Code.INSUFFICIENT_MARGIN, ex.set_leverage, "a", "A", 5, mode=mode)
    assert ex.position("a", "A").size == 100 and ex.position("a", "A").leverage == 10
    ex.deposit("a", "USDT", 20_000)
    if mode == "isolated":
        ex.move_margin("a", "A", 10_000)
    ex.set_leverage("a", "A", 5, mode=mode)
    assert ex.position("a", "A").maintenance == 10_000


def test_an_opening_order_needs_free_margin_even_where_the_hold_stays(strict_exchange):
    """A dearer order of the other side is held for already; with nothing free another one may not open on its account."""
    tiers = [Tier(10_000, "0.05", "0.1")]
    ex = exchange(strict_exchange, [Instrument(name, **BASE, tiers=tiers) for name in "AC"], 20_200)
    trade(ex, "C", 100).ok()
    ex.order("a", "A", "buy", 101, price=999).ok()
    ex.mark("C", 900)
    assert ex.account("a").free < 0
    assert trade(ex, "A", -100).code == Code.INSUFFICIENT_MARGIN
    ex.mark("C", 1_000)
    trade(ex, "A", -100).ok()


def beyond_its_tier(make, mode="cross", cash=50_000):
    """A short of 100 at 100x whose value a mark has carried into the tier of 10 %."""
    terms = {"tiers": MONEY, "basis": "notional", "max_size": 10_000}
    members = [Instrument("A", **BASE, **terms), Instrument("B", **BASE, tiers=[Tier(10_000, "0.005", "0.01")])]
    ex = exchange(make, members, cash, leverage=100, mode=mode)
    trade(ex, "A", -100).ok()
    if mode == "isolated":
        ex.move_margin("a", "A", 30_000)
    ex.mark("A", 1_001)
    assert ex.position("a", "A").initial == ex.position("a", "A").maintenance == 10_010
    return ex


def test_what_a_tier_asks_is_not_free(strict_exchange):
    """Its leverage alone asks 1,001. What maintenance asks cannot be withdrawn, moved out, or used by another order."""
    ex = beyond_its_tier(strict_exchange)
    assert ex.account("a").free == ex.account("a").withdrawable == 50_000 - 100 - 10_010
    assert trade(ex, "B", 4_000).code == Code.INSUFFICIENT_MARGIN
    ex.withdraw("a", "USDT", ex.account("a").withdrawable)
    assert ex.position("a", "A").size == -100
    ex = beyond_its_tier(strict_exchange, "isolated")
    refused(Code.BELOW_INITIAL_MARGIN, ex.move_margin, "a", "A", -29_000)
    ex.move_margin("a", "A", 10_110 - ex.position("a", "A").margin)
    assert ex.position("a", "A").size == -100


def test_maintenance_of_the_entry_value_is_not_free(strict_exchange):
    """Long 100 from 1,000 at 10x, maintenance 9 % of 100,000: at 800 initial margin of the value is 8,000, and 9,000 stay."""
    terms = {"tiers": [Tier(10_000, "0.09", "0.1")], "maintenance_at": "entry"}
    ex = exchange(strict_exchange, [Instrument("A", **BASE, **terms)], 100_000)
    trade(ex, "A", 100).ok()
    ex.mark("A", 800)
    assert ex.account("a").withdrawable == 100_000 - 20_000 - 9_000
    ex.withdraw("a", "USDT", 71_000)
    assert ex.position("a", "A").size == 100


@pytest.mark.parametrize("mode", ["cross", "isolated"])
def test_orders_that_rest_are_asked_for_accrued_funding_together(strict_exchange, mode):
    """1 % of 10,000 accrues; each order asks a hundred for its margin and a hundred for each lot that could open with it."""
    terms = BASE | {"max_price": 10**5, "tiers": [Tier(10**6, "0.005", "0.01")], "prices": accruing("0.01", "0.02")}
    ex = strict_exchange([Instrument("A", **terms)], rules=WIDE)
    ex.deposit("m", "USDT", 10**7)
    ex.deposit("a", "USDT", 2_000)
    ex.index("A", 10_000)
    ex.advance(60 * SECOND)
    ex.set_leverage("a", "A", 100, mode=mode)
    codes = [ex.order("a", "A", "buy", 1, price=10_000).code for _ in range(12)]
    assert codes == [Code.OK] * 10 + [Code.INSUFFICIENT_MARGIN] * 2
    answer = ex.order("m", "A", "sell", 100, price=10_000, tif="ioc")
    assert answer.filled == 10 and not of(answer.events, EventType.LIQUIDATION)
    assert ex.position("a", "A").size == 10


@pytest.mark.parametrize("margin", [0, "0.5", 1])
def test_what_was_set_aside_for_funding_pays_it(strict_exchange, margin):
    """155 with 100 due and 50 asked: the cap leaves 50, and never the reserve besides, which was for this very charge."""
    model = accruing("0.01", "0.02", margin)
    ex = strict_exchange(
        [Instrument("A", **BASE | {"max_price": 10**5}, tiers=[Tier(10**6, "0.005", "0.01")], prices=model)], rules=WIDE
    )
    ex.deposit("m", "USDT", 10**7)
    ex.deposit("a", "USDT", 260)
    ex.set_leverage("a", "A", 100, mode="cross")
    ex.index("A", 10_000)
    trade(ex, "A", 1, 10_000).ok()
    ex.withdraw("a", "USDT", 105)
    ex.advance(HOUR)
    assert ex.account("a").cash == 55 and ex.position("a", "A").size == 1


def test_an_amendment_that_frees_margin_cancels_nothing(strict_exchange):
    """What was free before is measured before the order leaves the book."""
    tiers = [Tier(10_000, "0.05", "0.1")]
    ex = exchange(strict_exchange, [Instrument(name, **BASE, tiers=tiers) for name in "AC"], 20_200)
    trade(ex, "C", 100).ok()
    first = ex.order("a", "A", "buy", 100, price=1_000).ok()
    ex.order("a", "A", "buy", 1, price=900).ok()
    ex.mark("C", 900)
    before = ex.account("a").free
    answer = ex.amend("a", first.order_id, price=950).ok()
    assert not of(answer.events, EventType.DONE) and len(ex.open_orders("a")) == 2
    assert before < ex.account("a").free < 0


@pytest.mark.parametrize("pieces", [1, 10, 100])
@pytest.mark.parametrize("scheme,curve", [("slope", "0.00001"), ("power", "0.000001")])
def test_many_fills_take_the_margin_of_one(strict_exchange, scheme, curve, pieces):
    """A curve raises the rate of all that is held: each fill of an isolated position takes what the whole asks more."""
    terms = BASE | {"scheme": scheme, "maintenance_curve": Decimal(curve) / 2, "initial_curve": curve, "max_size": 1_000}
    ex = exchange(
        strict_exchange, [Instrument("A", **terms, tiers=[Tier(1_000, "0.005", "0.01")])], 10**6, 100, mode="isolated"
    )
    for _ in range(pieces):
        trade(ex, "A", 1_000 // pieces).ok()
    p = ex.position("a", "A")
    assert p.size == 1_000 and p.margin >= p.initial > p.maintenance
    assert p.margin - p.initial <= Decimal(pieces) / 10**6


def test_a_factor_and_accrued_funding_leave_something_of_the_value():
    """99 % of the initial margin at 1x, and half of the value accrued: no position could be held."""
    terms = BASE | {"max_price": 10**5, "scheme": "factor", "tiers": [Tier(10**6, "0.099", "0.1")]}
    with pytest.raises(InputError, match="something of the value"):
        Instrument("A", **terms, prices=accruing("0.5"))


def test_a_haircut_leaves_something():
    """A haircut of one divided by nothing and ended the process."""
    with pytest.raises(InputError, match="below 1"):
        Collateral("COIN", of="USDT", price="A", haircut=1)


@pytest.mark.parametrize("mode,before", [("cross", None), ("isolated", "cross"), ("cross", "isolated")])
def test_a_flat_instrument_may_have_any_leverage(strict_exchange, mode, before):
    """Another position of the account is stuck below R_own; a factor that holds and orders nothing asks nothing. The twins
    disagreed, and by the margin mode that was."""
    tiers = [Tier(10, "0.01", "0.02"), Tier(20, "0.02", "0.04"), Tier(1_000, "0.1", "0.2")]
    factor = Instrument("B", **BASE, scheme="factor", tiers=[Tier(1_000, "0.05", "0.1")])
    ex = exchange(strict_exchange, [Instrument("A", **BASE, tiers=tiers)], 12_000, leverage=5)
    ex.add_instrument(factor)
    ex.mark("B", 1_000)
    trade(ex, "A", 30).ok()
    if before:
        ex.set_leverage("a", "B", 9, mode=before)
    ex.mark("A", 660)
    assert ex.explain("a").domains[0].equity < ex.explain("a").domains[0].own
    ex.set_leverage("a", "B", 2, mode=mode)
    assert ex.position("a", "B").leverage == 2


def test_a_hold_beyond_every_purse_is_refused(strict_exchange):
    """An inverse contract at its bound, a band as wide as can be: value, loss and fee of an order at one tick are no number of
    64 bits."""
    terms = {"kind": "inverse", "settle": "COIN", "contract_size": 1, "tick": 1, "max_price": 10_000, "settle_decimals": 8}
    lots = 2**62 // 10**8 - 1
    ex = strict_exchange(
        [Instrument("A", **terms, taker_fee="0.49", liquidation_fee=0, tiers=[Tier(lots, "0.01", "0.5")])], rules=WIDE
    )
    ex.deposit("a", "COIN", 1)
    ex.set_leverage("a", "A", 1, mode="cross")
    ex.mark("A", 10_000)
    assert ex.order("a", "A", "sell", lots, price=1).code == Code.INSUFFICIENT_MARGIN


@pytest.mark.parametrize("rule", ["notional", "fee"])
def test_a_hedge_is_not_netted_for_what_an_order_asks(strict_exchange, rule):
    """Cancelling the order is enough, so nothing else happens."""
    rules = replace(WIDE, orders=rule)
    terms = BASE | ({"taker_fee": "0.01", "maker_fee": 0} if rule == "fee" else {})
    members = [Instrument(name, **terms, tiers=[Tier(1_000, "0.05", "0.06")]) for name in "XY"]
    ex = strict_exchange(members, rules=rules)
    ex.deposit("m", "USDT", 10**7)
    ex.deposit("a", "USDT", 30_000)
    for name in "XY":
        ex.mark(name, 1_000)
    ex.set_position_mode("a", "X", "hedge")
    for leg, side, size in (("long", "buy", 100), ("short", "sell", 50)):
        ex.set_leverage("a", "X", 15, mode="cross", leg=leg)
        ex.order("a", "X", side, size, price=1_000, leg=leg).ok()
        ex.order("m", "X", "sell" if side == "buy" else "buy", size, price=1_000, tif="ioc").ok()
    ex.set_leverage("a", "Y", 15, mode="cross")
    ex.order("a", "Y", "buy", 150, price=1_000).ok()
    price, events = 1_000, []
    while not of(events, EventType.LIQUIDATION):
        price -= 1
        events = ex.mark("X", price).events
    assert not of(events, EventType.NETTED) and not ex.open_orders("a")
    assert [ex.position("a", "X", leg).size for leg in ("long", "short")] == [100, -50]


def test_a_printed_deduction_needs_tiers_of_money():
    """Binance's table without basis="notional" was taken for contracts."""
    tiers = [Tier(50_000, "0.004", "0.008", deduction=0), Tier(250_000, "0.005", "0.01", deduction=50)]
    with pytest.raises(InputError, match="basis='notional'"):
        Instrument("A", **BASE, scheme="deduction", tiers=tiers)


def group(*tables, names="ABC"):
    return [
        Instrument(name, **BASE, tiers=table, basis="net", tier_group=1) for name, table in zip(names, tables, strict=False)
    ]


def test_leverage_is_asked_in_the_margin_mode_that_is_named(strict_exchange):
    """Isolated stands alone, cross stands with its group; the mode that was does not count. Nor does a view of a member that
    was never touched."""
    ex = exchange(strict_exchange, group(JUMP, JUMP), 10**6, leverage=5)
    ex.add_instrument(group(JUMP, names="C")[0])
    trade(ex, "A", 200).ok()
    assert ex.position("a", "C").tier == 2
    ex.set_leverage("a", "B", 100, mode="isolated")
    assert ex.position("a", "B").tier == 1
    refused(Code.LEVERAGE_ABOVE_TIER, ex.set_leverage, "a", "B", 100, mode="cross")
    ex.set_leverage("a", "B", 5, mode="cross")


def test_every_table_of_a_group_has_room(strict_exchange):
    """A's table ends at 200: what would carry A beyond it is refused, in whatever member it is ordered."""
    ex = exchange(strict_exchange, group([Tier(100, "0.05", "0.1"), Tier(200, "0.1", "0.2")], JUMP), 10**6, leverage=5)
    ex.deposit("n", "USDT", 10**7)
    ex.set_leverage("n", "B", 1, mode="cross")
    trade(ex, "A", 100).ok()
    assert trade(ex, "B", 101, maker="n").code == Code.POSITION_LIMIT
    trade(ex, "B", 100, maker="n").ok()


def test_groups_are_of_one_lot_and_few(strict_exchange):
    """Nets of different lots do not add up; a takeover looks at each member for each."""
    other = Instrument("B", **BASE | {"lot": "0.01"}, tiers=JUMP, basis="net", tier_group=1)
    with pytest.raises(InputError, match="one lot size"):
        strict_exchange([*group(JUMP), other])
    ex = strict_exchange(group(JUMP))
    with pytest.raises(InputError, match="one lot size"):
        ex.add_instrument(other)
    with pytest.raises(InputError, match="at most 64"):
        strict_exchange([replace(other, name=f"I{n}", lot=1) for n in range(65)])
