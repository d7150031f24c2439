"""When something happens, by rule set: at a threshold or below it, with the fee of closing at mark or at bankruptcy, with or
without netting of hedges.

Owns the closed forms of those rules; the formulas of positions are those of support/closed_forms.py.
"""

from dataclasses import replace
from fractions import Fraction

import pytest

from solvent import EventType, rules
from solvent.records import Verdict
from support.closed_forms import (
    FEE,
    MARKETS,
    RATE,
    SIGN,
    Desk,
    Held,
    bought,
    closed_form,
    contract,
    slack,
    threshold,
    up,
    worth,
)

SEED = rules.find("seed")
AT_BANKRUPTCY = replace(SEED, fee_at="bankruptcy", funding_cap=False, fee_cross_low=True, fee_cross_own=True)


def held(make, kind, side, mode, rule_set, lots=60):
    """A position on about a fifteenth of its value, its margin, and its terms without a fee."""
    instrument, t = contract("I", kind, "whole")
    desk = Desk(make, (instrument, t), rule_set=rule_set, mode=mode)
    h = desk.open(side, lots, MARKETS[kind][2])
    margin = abs(h.cost) // 15 + 7
    (desk.margin_to if mode == "isolated" else desk.cash_to)(margin)
    return desk, h, margin, t, instrument.spec.max_price_ticks


@pytest.mark.parametrize("side", SIGN)
@pytest.mark.parametrize("mode", ["isolated", "cross"])
@pytest.mark.parametrize("kind", MARKETS)
def test_a_threshold_is_met_or_passed(strict_exchange, kind, mode, side):
    """At the same tick, the margin moved so that equity is what is asked, to the unit: only at_threshold something happens."""
    for met in (False, True):
        desk, h, margin, t, highest = held(strict_exchange, kind, side, mode, replace(SEED, at_threshold=met))
        t = replace(t, fee=FEE if mode == "isolated" else 0)
        mark = MARKETS[kind][2]
        tick = threshold(t, margin, [h], mark, -h.s, highest) + h.s  # the last one that is safe
        margin -= slack(t, margin, [h], tick)
        (desk.margin_to if mode == "isolated" else desk.cash_to)(margin)
        assert slack(t, margin, [h], tick) == 0
        view = desk.ex.position("poor", "I")
        assert desk.ticks(view.liquidation_price) == (tick if met else tick - h.s)
        assert not desk.liquidated(desk.mark(tick + h.s))
        found = desk.liquidated(desk.mark(tick))
        assert bool(found) is met
        if met:
            assert found[0].verdict == Verdict.FULL and found[0].full_units == found[0].equity_units + 1


@pytest.mark.parametrize("side", SIGN)
@pytest.mark.parametrize("mode", ["isolated", "cross"])
@pytest.mark.parametrize("kind", MARKETS)
def test_at_the_full_threshold_itself_a_step_down_is_tried(strict_exchange, kind, mode, side):
    """LIQ-1, found by a planted bug that nobody saw: equity that is the full requirement to the unit, and a unit below it."""
    desk, h, margin, t, highest = held(strict_exchange, kind, side, mode, SEED, 450)
    t = replace(t, fee=FEE if mode == "isolated" else 0)
    tick = threshold(t, margin, [h], MARKETS[kind][2], -h.s, highest)
    event, *_ = desk.liquidated(desk.mark(tick))
    assert event.verdict == Verdict.PARTIAL and event.full_units < event.equity_units
    for less, verdict in ((0, Verdict.PARTIAL), (1, Verdict.FULL)):
        desk, *_ = held(strict_exchange, kind, side, mode, SEED, 450)
        (desk.margin_to if mode == "isolated" else desk.cash_to)(margin - (event.equity_units - event.full_units) - less)
        found, *_ = desk.liquidated(desk.mark(tick))
        assert (found.full_units - found.equity_units, found.verdict) == (less, verdict)


def test_of_two_that_weigh_the_same_the_first_is_stepped_down(strict_exchange):
    """A tie of candidates goes by instrument; found by a planted bug that nobody saw."""
    entry, drop, cash = MARKETS["linear"][2], 30_000, 10**12
    for _ in range(2):
        desk = Desk(
            strict_exchange, contract("I", "linear", "whole"), contract("J", "linear", "whole"), rule_set=SEED, mode="cross"
        )
        for name in "IJ":
            desk.open("long", 450, entry, name=name)
        desk.cash_to(cash)
        assert not desk.liquidated(desk.mark(entry - drop, "I"))
        events = desk.mark(entry - drop, "J")
        [domain] = desk.ex.explain("poor").domains
        cash -= int((domain.equity - domain.own) / desk.unit) + 1  # a unit below what both ask at the same mark
    steps = [e for e in events if e.type == EventType.STEP_DOWN]
    assert desk.liquidated(events)[0].verdict == Verdict.PARTIAL and steps[0].instrument == 0


def bankruptcy_fee(t, h, margin) -> int:
    """What closing costs where the margin and the fee are gone: r = f of the closed forms, its value times f."""
    price = closed_form(replace(t, rates=(0,) * len(t.rates), fee=FEE), margin, [h], 1)
    if price is None:
        return 0
    value = Fraction(h.lots * t.units) / price if t.inverse else h.lots * t.units * price
    return up(value * Fraction(FEE, RATE))


@pytest.mark.parametrize("side", SIGN)
@pytest.mark.parametrize("mode", ["isolated", "cross"])
@pytest.mark.parametrize("kind", MARKETS)
@pytest.mark.parametrize("lots", [60, 300, 450])  # within tier 1, at the top of 2, within 3: a step down
def test_the_fee_at_bankruptcy(strict_exchange, kind, mode, side, lots):
    """A fixed amount that no mark moves: as if there were so much less margin, and no fee in the rate."""
    desk, h, margin, t, highest = held(strict_exchange, kind, side, mode, AT_BANKRUPTCY, lots)
    less = margin - bankruptcy_fee(t, h, margin)
    first = threshold(t, less, [h], MARKETS[kind][2], -h.s, highest)
    assert desk.ticks(desk.ex.position("poor", "I").liquidation_price) == first
    assert not desk.liquidated(desk.mark(first + h.s))
    event, *_ = desk.liquidated(desk.mark(first))
    assert event.own_units - event.equity_units == -slack(t, less, [h], first)
    assert event.verdict == (Verdict.PARTIAL if lots == 450 else Verdict.FULL)


def test_no_fee_where_nothing_can_be_lost(strict_exchange):
    """A long on more than its value never goes bankrupt: closing at zero costs nothing, and only the rate is asked."""
    desk, h, _, t, _ = held(strict_exchange, "linear", "long", "isolated", AT_BANKRUPTCY)
    entry = MARKETS["linear"][2]
    for margin, fee in ((h.cost, 0), (h.cost - 10**6, up(Fraction(10**6 * FEE, RATE - FEE)))):
        desk.margin_to(margin)
        asked = int(desk.ex.position("poor", "I").maintenance / desk.unit)
        assert asked == up(Fraction(worth(t, h, entry) * t.rates[0], RATE)) + fee


@pytest.mark.parametrize("side", SIGN)
def test_the_fee_at_bankruptcy_of_two_positions(strict_exchange, side):
    """Of each position at the price at which all equity of the domain is gone (Bybit's wallet form), whatever the other is."""
    (i, t), (j, other) = contract("I", "linear", "whole"), contract("J", "quanto", "whole")
    j = replace(j, settle="USDT", settle_decimals=6, contract_size="0.001")
    desk = Desk(strict_exchange, (i, t), (j, replace(other, units=10)), rule_set=AT_BANKRUPTCY, mode="cross")
    h, g = desk.open(side, 60, MARKETS["linear"][2]), desk.open("long", 50, MARKETS["quanto"][2], name="J")
    desk.mark(MARKETS["quanto"][2] + 300, "J")
    desk.cash_to(abs(h.cost) // 10)
    [domain] = desk.ex.explain("poor").domains
    equity = abs(h.cost) // 10 + 50 * 10 * 300
    assert domain.equity / desk.unit == equity
    asked = 0
    for each, terms, mark in ((h, t, MARKETS["linear"][2]), (g, desk.contracts["J"][1], MARKETS["quanto"][2] + 300)):
        at_mark = worth(terms, each, mark)
        value = each.s * Fraction(at_mark - equity) / (1 - each.s * Fraction(FEE, RATE))
        asked += up(Fraction(abs(at_mark) * terms.rates[0], RATE)) + up(max(Fraction(0), value) * Fraction(FEE, RATE))
    assert domain.own / desk.unit == asked
    assert [e for e in desk.mark(MARKETS["linear"][2]) if e.type == EventType.LIQUIDATION] == []


# --- Hedges


def hedge(make, kind: str, lots: tuple[int, int], ppm: int, leverage=20, net=True) -> tuple[Desk, int, list[Held]]:
    """Cross legs, the short one opened 0.2 % higher; cash is so many millionths of the first leg's value."""
    rule_set = replace(SEED, net_hedges=net)
    desk = Desk(make, contract("I", kind, "whole"), rule_set=rule_set, mode="cross", leverage=leverage)
    desk.ex.set_position_mode("poor", "I", "hedge")
    entry = MARKETS[kind][2]
    legs = [desk.open("long", lots[0], entry, leg="long"), desk.open("short", lots[1], entry + entry // 500, leg="short")]
    margin = abs(legs[0].cost) * ppm // 10**6
    desk.cash_to(margin)
    return desk, margin, legs


@pytest.mark.parametrize("kind", MARKETS)
@pytest.mark.parametrize("lots,ppm,beyond", [((60, 60), 21_000, 0), ((300, 200), 90_000, 0), ((300, 200), 90_000, 6)])
def test_a_hedge_is_netted_first(strict_exchange, kind, lots, ppm, beyond):
    """An even hedge loses nothing, but asks more as its value grows; netted, nothing is left to ask. An uneven one
    survives by it at the tick of its price, and not in a gap of 6 % beyond."""
    even, mark = lots[0] == lots[1], MARKETS[kind][2] * 501 // 500
    desk, margin, legs = hedge(strict_exchange, kind, lots, ppm, leverage=100 if even else 20)
    t = desk.terms
    way = (-1 if t.inverse else 1) if even else -1
    first = threshold(t, margin, legs, mark, way, desk.contracts["I"][0].spec.max_price_ticks)
    assert [desk.ticks(desk.ex.position("poor", "I", leg).liquidation_price) for leg in SIGN] == [first, first]
    assert not desk.liquidated(desk.mark(first - way))
    at = first - first * beyond // 100
    events = desk.mark(at)
    [netted] = [e for e in events if e.type == EventType.NETTED]
    assert (netted.account, netted.price_ticks, netted.size_lots) == (desk.poor, at, lots[1])
    both = abs(bought(t, 1, lots[1], at).cost)
    assert netted.value_units == both
    # What is netted realises its share of each leg's cost; the rest of the long leg keeps the rest of its cost.
    share = abs(legs[0].cost) * lots[1] // lots[0]
    gained = (share if t.inverse else -share) - legs[1].cost
    left = Held(1, lots[0] - lots[1], legs[0].cost - (-share if t.inverse else share))
    survives = even or slack(t, margin + gained, [left], at) >= 0
    assert survives == (beyond == 0) and len(desk.liquidated(events)) == (1 if survives else 2)
    long, short = (desk.ex.position("poor", "I", leg) for leg in SIGN)
    assert short.size == 0 and long.size_lots == (left.lots if survives else 0)
    if survives:
        assert (long.cost_units, desk.ex.account("poor").cash_units) == (left.cost, margin + gained)
    assert [e.size_lots for e in events if e.type == EventType.TAKEOVER] == ([] if survives else [left.lots])


def test_without_netting_both_legs_are_taken_over(strict_exchange):
    desk, margin, legs = hedge(strict_exchange, "linear", (300, 200), 90_000, net=False)
    first = threshold(desk.terms, margin, legs, 501_000, -1, 2_000_000)
    events = desk.mark(first)
    assert not [e for e in events if e.type == EventType.NETTED]
    assert [e.size_lots for e in events if e.type == EventType.TAKEOVER] == [300, -200]
