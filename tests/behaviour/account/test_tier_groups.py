"""Tiers of nets: both legs of a hedge, and instruments of one tier group whose nets add up.

Owns which positions a tier is asked of, whose leverage must be allowed there, and how a step-down counts them; HTX's own
number (H2) is in published/test_htx.py.
"""

from dataclasses import replace
from decimal import Decimal

import pytest

from solvent import Code, EventType, InputError, Instrument, Tier
from solvent.records import Verdict
from solvent.rules import find
from solvent.terms.spec import from_records, to_records
from support.hedges import of, refused

STAGES = (Tier(100, "0.005", "0.01"), Tier(300, "0.02", "0.04"), Tier(600, "0.05", "0.1"), Tier(10_000, "0.2", "0.25"))
SMALL = (Tier(100, "0.005", "0.01"), Tier(10_000, "0.1", "0.2"))
SIDES = ("buy", "sell")


def traded(name, group=1, **terms) -> Instrument:
    """1 USDT a point and lot, no fees."""
    free = {"maker_fee": 0, "taker_fee": 0, "liquidation_fee": 0}
    given = {"contract_size": 1, "tick": 1, "max_price": 10_000, "basis": "net", "tiers": SMALL} | free | terms
    return Instrument(name, tier_group=group, **given)


def exchange(make, instruments, cash=10**6, rules="seed"):
    ex = make(instruments, rules=rules)
    for currency in ex.currencies:
        ex.deposit("m", currency, 10**9)
        ex.deposit("a", currency, cash)
    for each in instruments:
        ex.mark(each.name, 1_000)
        ex.set_leverage("m", each.name, 1, mode="cross")
    return ex


def take(ex, name, size, leg=None, price=1_000):
    """a buys (a negative size: sells) from m; what came of it."""
    side = SIDES[size < 0]
    ex.order("m", name, SIDES[size > 0], abs(size), price=price).ok()
    answer = ex.order("a", name, side, abs(size), price=price, leg=leg, tif="ioc")
    ex.cancel_all("m")
    return answer


def tiers(ex, *names):
    return [ex.position("a", name).tier for name in names]


@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (-1, -1)])
def test_nets_of_a_group_add_up(strict_exchange, signs):
    """Each instrument's net counts, whatever its side; nobody's against another's. All ask for the tier of the sum."""
    ex = exchange(strict_exchange, [traded("A"), traded("B"), traded("C")])
    for name, sign in zip("AB", signs, strict=True):
        ex.set_leverage("a", name, 5, mode="cross")
        take(ex, name, 50 * sign).ok()
    assert tiers(ex, "A", "B") == [1, 1]
    assert ex.position("a", "A").maintenance == 50_000 * Decimal("0.005")
    ex.set_leverage("a", "C", 5, mode="cross")
    take(ex, "C", 1).ok()
    assert tiers(ex, "A", "B", "C") == [2, 2, 2]
    assert [ex.position("a", name).maintenance for name in "ABC"] == [5_000, 5_000, 100]
    take(ex, "C", -1).ok()
    assert tiers(ex, "A", "B") == [1, 1]


def test_what_does_not_count(strict_exchange):
    """Another group, no group, another currency, an isolated position: each is alone."""
    others = [traded("B", 2), traded("C", 0), traded("D", settle="USDC"), traded("E")]
    ex = exchange(strict_exchange, [traded("A"), *others])
    for name in "ABCDE":
        ex.set_leverage("a", name, 5, mode="isolated" if name == "E" else "cross")
        take(ex, name, 90).ok()
    assert tiers(ex, *"ABCDE") == [1] * 5
    take(ex, "E", 11).ok()
    assert tiers(ex, *"ABCDE") == [1, 1, 1, 1, 2]


@pytest.mark.parametrize("shallow", "AB")
def test_every_leverage_is_allowed_where_the_sum_would_stand(strict_exchange, shallow):
    """An order that would take the group to a tier where its own leverage, or another member's, is too high is refused."""
    ex = exchange(strict_exchange, [traded("A"), traded("B")])
    for name in "AB":
        ex.set_leverage("a", name, 5 if name == shallow else 100, mode="cross")
    take(ex, "A", 60).ok()
    take(ex, "B", 40).ok()
    for name in "AB":
        refused(Code.LEVERAGE_ABOVE_TIER, lambda name=name: take(ex, name, 1).ok())
    take(ex, "A", -1).ok()
    take(ex, "B", -1).ok()
    deep = "AB".replace(shallow, "")
    ex.set_leverage("a", deep, 5, mode="cross")
    take(ex, "A", 10).ok()
    refused(Code.LEVERAGE_ABOVE_TIER, ex.set_leverage, "a", shallow, 6, mode="cross")
    assert tiers(ex, "A", "B") == [2, 2]


def test_a_flat_member_does_not_stand_in_the_way(strict_exchange):
    """Who holds nothing of an instrument and has no order there may keep any leverage; it is asked when he orders."""
    ex = exchange(strict_exchange, [traded("A"), traded("B")])
    ex.set_leverage("a", "A", 5, mode="cross")
    ex.set_leverage("a", "B", 100, mode="cross")
    take(ex, "A", 101).ok()
    refused(Code.LEVERAGE_ABOVE_TIER, lambda: take(ex, "B", -1).ok())
    ex.set_leverage("a", "B", 5, mode="cross")
    take(ex, "B", -1).ok()


@pytest.mark.parametrize("rests", [(0, 0), (0, 1), (1, 1)])
def test_resting_orders_count_by_the_larger_side(strict_exchange, rests):
    """Orders that rest in another instrument count as if they had traded: its larger side."""
    ex = exchange(strict_exchange, [traded("A"), traded("B")])
    for name in "AB":
        ex.set_leverage("a", name, 100, mode="cross")
    for side in rests:
        ex.order("a", "B", SIDES[side], 30, price=(900, 1_100)[side]).ok()
    larger = max(rests.count(0), rests.count(1)) * 30
    refused(Code.LEVERAGE_ABOVE_TIER, lambda: ex.order("a", "A", "buy", 101 - larger, price=900).ok())
    ex.order("a", "A", "buy", 100 - larger, price=900).ok()


@pytest.mark.parametrize("first", ["long", "short"])
def test_the_leverage_of_the_other_leg_is_asked_too(strict_exchange, first):
    """Netted tiers of a hedge: the second leg took the first one beyond the tier of its leverage. It is refused now."""
    ex = exchange(strict_exchange, [traded("A", 0)])
    second = "short" if first == "long" else "long"
    sign = 1 if first == "long" else -1
    ex.set_position_mode("a", "A", "hedge")
    ex.set_leverage("a", "A", 100, mode="cross", leg=first)
    ex.set_leverage("a", "A", 5, mode="cross", leg=second)
    take(ex, "A", 100 * sign, leg=first).ok()
    refused(Code.LEVERAGE_ABOVE_TIER, lambda: take(ex, "A", -101 * sign, leg=second).ok())
    take(ex, "A", -100 * sign, leg=second).ok()
    assert ex.position("a", "A", first).tier == 1


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("kin", [(0, 40), (20, -30), (99, 0), (-50, 50), (100, 160)])
def test_a_step_down_leaves_what_the_tier_below_has_room_for(strict_exchange, side, kin):
    """The heaviest position goes down by two tiers: it keeps what the other nets of its group leave of tier 1, or nothing."""
    rules = replace(find("seed"), price_band_ppb=10**9 - 1)
    ex = exchange(strict_exchange, [traded(name, tiers=STAGES) for name in "ABC"], rules=rules)
    rest = sum(abs(net) for net in kin)
    size = 560 - rest
    for name, lots in zip("ABC", (size * side, *kin), strict=True):
        ex.set_leverage("a", name, 10, mode="cross")
        if lots:
            take(ex, name, lots).ok()
    assert tiers(ex, "A") == [3]
    ex.withdraw("a", "USDT", ex.account("a").withdrawable)
    assert ex.account("a").equity == 56_000
    mark = 1_000 - side * (36_000 // size)  # of which about 20,000 are left; asked are about 26,000
    ex.order("m", "A", SIDES[side < 0], 1_000, price=mark).ok()
    events = ex.mark("A", mark).events
    [judged], [step] = of(events, EventType.LIQUIDATION), of(events, EventType.STEP_DOWN)
    left = max(0, 100 - rest)
    assert judged.verdict == Verdict.PARTIAL
    assert (step.tier, step.target_tier, step.size_lots) == (3, 1, size - left)
    assert ex.position("a", "A").size == side * left


def test_groups_of_instruments_that_are_added(strict_exchange):
    """An instrument may join a group while the exchange runs; its record says so."""
    late = traded("B")
    assert from_records(to_records("B", late.spec, 0))[2].tier_group == 1
    ex = exchange(strict_exchange, [traded("A")])
    ex.set_leverage("a", "A", 5, mode="cross")
    take(ex, "A", 60).ok()
    ex.add_instrument(late)
    ex.mark("B", 1_000)
    ex.set_leverage("m", "B", 1, mode="cross")
    ex.set_leverage("a", "B", 5, mode="cross")
    take(ex, "B", -41).ok()
    assert tiers(ex, "A", "B") == [2, 2]
    ex.delist("B")
    assert tiers(ex, "A") == [1]


@pytest.mark.parametrize(
    "terms", [{"tier_group": -1}, {"tier_group": 2**31}, {"tier_group": True}, {"tier_group": 1.0}, {"basis": "contracts"},
              {"max_size": 2**39, "tick": "0.000001", "max_price": 1}]
)  # fmt: skip
def test_what_is_no_group(terms):
    with pytest.raises(InputError):
        Instrument("A", **{"contract_size": 1, "tick": 1, "basis": "net", "tiers": SMALL, "tier_group": 1} | terms)
