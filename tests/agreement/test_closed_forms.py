"""Liquidation and bankruptcy prices against the closed forms of support/closed_forms.py, driven through the engine."""

from bisect import bisect_left
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest

from solvent import EventType, Instrument, Tier
from solvent.records import Ending, Verdict
from support.closed_forms import (
    CLOSES,
    FEE,
    MARKETS,
    OPENS,
    RATE,
    RATES,
    SCHEMES,
    SIGN,
    TOPS,
    Desk,
    Held,
    Terms,
    closed_form,
    contract,
    first_past,
    need,
    paying_price,
    slabs,
    slack,
    threshold,
    tier,
    up,
    worth,
)

# --- An arithmetic of its own


def bankrupt_cost(t: Terms, margin: int, legs: list[Held], x: int, others: tuple[int, int] = (0, 0)) -> int:
    """The cost at which legs[0] leaves nothing: of its own margin, or of its share of equity by maintenance margin.

    others: equity that other instruments' positions add, and their maintenance margin, which is the smaller.
    """
    net, bare = sum(h.s * h.lots for h in legs), replace(t, fee=0)
    needs = [up(need(bare, h, x, net)) for h in legs]
    equity = margin + sum(worth(t, h, x) - h.cost for h in legs) + others[0]
    total = sum(needs) + others[1]
    shares = [equity * each // total for each in (*needs, others[1])]
    left = equity - sum(shares)
    return worth(t, legs[0], x) - shares[0] - (left if needs[0] == max(*needs, others[1]) else 0)


# --- Every kind, side, mode, scheme and tier


MODES = {
    "isolated": "seed", "cross": "seed", "cross, another held": "okx_consistent", "hedge": "seed", "hedge isolated": "seed",
}  # fmt: skip


def build(make, kind: str, scheme: str, basis: str, mode: str, side: str, lots: int) -> tuple[Desk, int, list[Held], tuple]:
    """(desk, margin, legs, others) of one case. The margin has what another position gained less what it asks; others are
    what it asks, to be given back where equity counts alone, and what it asks without a fee."""
    rule_set, entry = MODES[mode], MARKETS[kind][2]
    instrument, t = contract("I", kind, scheme, basis)
    t = replace(t, fee=FEE if rule_set != "seed" or "isolated" in mode else 0)
    other, j = contract("J", kind, "whole")
    desk = Desk(make, (instrument, t), (other, j), rule_set=rule_set, mode="isolated" if "iso" in mode else "cross")
    hedged, legs, others, asked = mode.startswith("hedge"), [], (0, 0), 0
    if hedged:
        desk.ex.set_position_mode("poor", "I", "hedge")
    legs.append(desk.open(side, lots, entry, leg=side if hedged else None))
    value = abs(legs[0].cost)
    margin = value // (12 if hedged else 15) + value // 777
    if hedged:
        twin = "short" if side == "long" else "long"
        legs.append(desk.open(twin, lots // 3, entry + entry // 300, leg=twin))
    if mode == "cross, another held":
        held = desk.open("long", 20, entry - entry // 100, name="J")
        at = entry + entry // 250
        desk.mark(at, "J")
        asked = up(need(replace(j, fee=FEE), held, at, held.lots))
        others = worth(j, held, at) - held.cost, up(need(j, held, at, held.lots))
    if desk.mode == "isolated":
        desk.margin_to(margin, leg=side if hedged else None)
        legs = legs[:1]
    else:
        desk.cash_to(margin)
    return desk, margin + others[0] - asked, legs, (asked, others[1])


LOTS = (60, 300, 450, 601)  # within tier 1, at the top of 2, within 3, the first of 4


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scheme,basis", SCHEMES)
@pytest.mark.parametrize("kind", MARKETS)
def test_every_formula(sweep, kind, scheme, basis, mode):
    """Liquidation price, profit-side price and bankruptcy price; nothing one tick before, a liquidation at the tick."""
    for side, lots in product(SIGN, LOTS):
        print(side, lots)
        check_formulas(sweep, kind, scheme, basis, mode, side, lots)


def check_formulas(make, kind: str, scheme: str, basis: str, mode: str, side: str, lots: int) -> None:
    desk, margin, legs, others = build(make, kind, scheme, basis, mode, side, lots)
    t, s, leg = desk.terms, SIGN[side], side if mode.startswith("hedge") else None
    view = desk.ex.position("poor", "I", leg)
    mark, highest = desk.ticks(view.mark_price), desk.contracts["I"][0].spec.max_price_ticks
    assert view.cost_units == legs[0].cost
    first = threshold(t, margin, legs, mark, -s, highest)
    assert first is not None and desk.ticks(view.liquidation_price) == first
    check_profit_side(desk.ticks(view.profit_side_liquidation_price), t, margin, legs, mark, s, highest)
    cost = bankrupt_cost(t, margin, legs, mark, others)
    assert desk.ticks(view.bankruptcy_price) == paying_price(t, legs[0], cost)
    check_array(desk, view)
    if len(legs) == 1 and others == (0, 0):  # then it is the closed form with all of the margin
        exact = closed_form(replace(t, rates=(0,) * len(t.rates), fee=0, curve=Fraction(0)), margin, legs, mark)
        assert 0 <= (desk.ticks(view.bankruptcy_price) - exact) * s < 1

    assert not desk.liquidated(desk.mark(first + s))
    assert desk.ticks(desk.ex.position("poor", "I", leg).liquidation_price) == first
    events = desk.mark(first)
    event, *_ = desk.liquidated(events)
    more = event.own_units - event.equity_units + slack(t, margin, legs, first)
    if scheme == "power":  # its root has 24 binary digits, rounded down: the rate may be a billionth higher
        assert 0 <= more <= 1 + event.value_units // RATE
    else:
        assert more == 0
    if len(legs) == 1:  # a hedge is netted first
        check_order(desk, event.verdict, events, legs[0], bankrupt_cost(t, margin, legs, first, others))


def check_array(desk: Desk, view) -> None:
    """All positions at once say the same."""
    number = {None: 0, "long": 1, "short": 2}[view.leg]
    columns = ("mark_ticks", "liquidation_ticks", "profit_side_ticks", "bankruptcy_ticks")
    rows = {
        (r["account"], r["instrument"], r["leg"]): [int(r[name]) for name in columns] for r in desk.ex.liquidations_array()
    }
    asked = (view.mark_price, view.liquidation_price, view.profit_side_liquidation_price, view.bankruptcy_price)
    nowhere = (0, 0, 0, 2**63 - 1)
    expected = [none if price is None else desk.ticks(price) for price, none in zip(asked, nowhere, strict=True)]
    assert rows[desk.poor, 0, number] == expected


def check_profit_side(found: int | None, t: Terms, margin: int, legs: list[Held], mark: int, way: int, highest: int) -> None:
    """Where something happens although the price goes the leg's way: at a tier's top, or for good beyond a root of a curve."""
    if t.scheme != "power":
        assert found == threshold(t, margin, legs, mark, way, highest)
        return
    far = (highest - mark) if way > 0 else mark - 1
    past = bisect_left(range(far), True, key=lambda n: slack(t, margin, legs, mark + (n + 1) * way) < 0)
    expected = None if past == far else mark + (past + 1) * way
    if expected is None or found is None:
        assert found is expected
    else:  # the rate may be a billionth higher than by an exact root
        assert abs(found - expected) <= 1 + expected // 10**6


def check_order(desk: Desk, verdict: int, events: list, h: Held, cost: int) -> None:
    """A takeover is offered at the bankruptcy price; a step down by two tiers to where its fee is paid too, within 5 %."""
    if verdict == Verdict.FULL:
        [takeover] = [e for e in events if e.type == EventType.TAKEOVER and e.instrument == 0]
        assert (takeover.cost_units, takeover.bankruptcy_ticks) == (cost, paying_price(desk.terms, h, cost))
        return
    [step] = [e for e in events if e.type == EventType.STEP_DOWN]
    [mark] = [e.price_ticks for e in events if e.type == EventType.MARKED]
    paying, edge = paying_price(desk.terms, h, cost, FEE), Fraction(mark * (20 - h.s), 20)
    assert step.limit_ticks == (max(paying, up(edge)) if h.s > 0 else min(paying, edge // 1))
    t = desk.terms
    a_lot = {"notional": Fraction(t.units, mark) if t.inverse else t.units * mark, "entry": Fraction(abs(h.cost), h.lots)}
    within = t.tops[step.target_tier - 1] / Fraction(a_lot.get(t.basis, 1)) // 1
    assert (step.tier - step.target_tier, step.size_lots) == (2, h.lots - within)


# --- The published base vectors, and the edges of the formulas


VECTORS = [
    ("C1", "linear", "long", ("45000", "45022.5112556278", "45226.1306532663", "45248.8687782805")),
    ("C2", "linear", "short", ("55000", "54972.5137431284", "54726.3681592040", "54699.1546494281")),
    ("C3", "inverse", "long", ("45454.5454", "45477.2727", "45681.8181", "45704.5454")),
    ("C4", "inverse", "short", ("55555.5555", "55527.7777", "55277.7777", "55250")),
    ("C5", "quanto", "long", ("270", None, None, None)),
]  # r = 0, f, mmr, mmr + f
FINE = {
    "linear": ({"contract_size": "0.01", "tick": "0.0000000001", "settle_decimals": 12}, 100, 50_000, 5_000),
    "inverse": ({"contract_size": "100", "tick": "0.001", "settle_decimals": 10}, 1_000, 50_000, Decimal("0.2")),
    "quanto": ({"contract_size": "0.000001", "tick": "0.000001", "settle_decimals": 12}, 1_000, 300, Decimal("0.03")),
}  # terms, lots, entry, margin


@pytest.mark.parametrize("mode", ["isolated", "cross"])
@pytest.mark.parametrize("name,kind,side,printed", VECTORS, ids=[row[0] for row in VECTORS])
def test_vectors(strict_exchange, name, kind, side, printed, mode):
    """To the last digit printed: cross has no fee in its trigger (seed), isolated has. A closing order pays r = f."""
    words, lots, entry, margin = FINE[kind]
    tiers = [Tier(lots, "0.005", "0.01")]
    instrument = Instrument("I", kind=kind, settle="S", tiers=tiers, max_price=entry + entry // 5, **words)
    units, s, tick = instrument.spec.units, SIGN[side], Fraction(instrument.tick_size)
    t = Terms(kind == "inverse", units, words["settle_decimals"], "whole", "contracts", (lots,), (0,), Fraction(0))
    desk = Desk(strict_exchange, (instrument, t), leverage=10, mode=mode)
    h, m = desk.open(side, lots, int(entry / tick)), int(margin / instrument.unit)
    if mode == "cross":
        desk.cash_to(m)
    assert mode == "cross" or desk.ex.position("poor", "I").margin == margin
    asked = {"0": (0, 0), "f": (0, FEE), "mmr": (5_000_000, 0), "mmr + f": (5_000_000, FEE)}
    forms = {r: closed_form(replace(t, rates=(ppb,), fee=f), m, [h], 1) for r, (ppb, f) in asked.items()}
    for exact, text in zip(forms.values(), printed, strict=True):
        digits = len(text.partition(".")[2]) if text else 0
        assert text is None or abs(exact * tick - Fraction(text)) < Fraction(1, 10**digits) / (1 if kind == "inverse" else 2)
    view, trigger = desk.ex.position("poor", "I"), forms["mmr + f" if mode == "isolated" else "mmr"]
    bankrupt, paying = (up(forms[r]) if s > 0 else forms[r] // 1 for r in ("0", "f"))
    t = replace(t, rates=(5_000_000,), fee=FEE if mode == "isolated" else 0)
    first = threshold(t, m, [h], desk.ticks(view.mark_price), -s, instrument.spec.max_price_ticks)
    # At 55,250 itself C4 is below: an inverse short's value is rounded down.
    assert first == first_past(trigger, -s) - (name == "C4" and mode == "isolated")
    assert (desk.ticks(view.bankruptcy_price), desk.ticks(view.liquidation_price)) == (bankrupt, first)
    desk.mark(first + s)
    for price in (paying, paying - s):
        desk.ex.order("rich", "I", OPENS[side], 1, price=price * instrument.tick_size).ok()
    ack = desk.ex.order("poor", "I", CLOSES[side], 2, price=(paying - 9 * s) * instrument.tick_size, tif="ioc").ok()
    [done] = [e for e in ack.events if e.type == EventType.DONE and e.order_id == ack.order_id]
    assert (ack.filled, done.ending) == (1, Ending.BANKRUPTCY_LIMIT)
    assert [e.price_ticks for e in ack.events if e.type == EventType.TRADE] == [paying]


@pytest.mark.parametrize("mode", ["isolated", "cross"])
@pytest.mark.parametrize("kind,side", [("linear", "long"), ("quanto", "long"), ("inverse", "short")])
def test_margin_that_covers_the_whole_value_cannot_go_bankrupt(strict_exchange, kind, side, mode):
    """A linear long's price is zero or less, an inverse short has none; one unit less of margin has one again."""
    instrument, t = contract("I", kind, "whole")
    desk = Desk(strict_exchange, (instrument, t), mode=mode)
    h = desk.open(side, 60, MARKETS[kind][2])
    value, highest = abs(h.cost), instrument.spec.max_price_ticks
    step = 60 * t.units if not t.inverse else 1
    fee = FEE if mode == "isolated" else 0
    inverse = 60 * t.units, None, None
    for margin, ticks in zip((value - 1, value, value + step), inverse if t.inverse else (1, 0, -1), strict=True):
        (desk.margin_to if mode == "isolated" else desk.cash_to)(margin)
        view = desk.ex.position("poor", "I")
        assert desk.ticks(view.bankruptcy_price) == ticks
        first = threshold(replace(t, fee=fee), margin, [h], MARKETS[kind][2], -h.s, highest)
        assert desk.ticks(view.liquidation_price) == first and (margin < value or first is None)
    assert not desk.liquidated(desk.mark(highest if t.inverse else 1))
    assert desk.ex.position("poor", "I").size_lots == h.s * 60


# --- Tiers


BOUNDARIES = [case for case in SCHEMES if case[0] in ("whole", "deduction")]


def asked_of(desk: Desk, leg: str | None = None) -> tuple[int, int]:
    """(tier, requirement) of the poor account's position, which both kernel and view must tell the same."""
    view = desk.ex.position("poor", "I", leg)
    number = {None: 0, "long": 1, "short": 2}[leg]
    rows = desk.ex.positions_array()
    [own] = [int(r["own_units"]) for r in rows if r["account"] == desk.poor and (leg is None or r["leg"] == number)]
    units = int(view.maintenance / desk.unit)
    assert leg is not None or own == units
    return view.tier, units


@pytest.mark.parametrize("kind", MARKETS)
@pytest.mark.parametrize("scheme,basis", BOUNDARIES)
@pytest.mark.parametrize("k", [0, 1, 2])
def test_tier_boundaries(sweep, kind, scheme, basis, k):
    """At a tier's top and one lot beyond: the whole at the next rate, or each slab at its own, without a jump."""
    instrument, t = contract("I", kind, scheme, basis)
    desk, top, entry = Desk(sweep, (instrument, t), mode="cross"), TOPS[k], MARKETS[kind][2]
    h = desk.open("long", top, entry)
    lot, found = abs(h.cost) // top, []
    for tier_now, lots in ((k + 1, top), (k + 2, top + 1)):
        if lots > top:
            desk.open("long", 1, entry)
        value = lots * lot
        asked = value * Fraction(RATES[tier_now - 1], RATE)
        if scheme == "deduction":
            asked = slabs(t, lots) * lot if basis == "contracts" else slabs(t, value)
        assert asked_of(desk) == (tier_now, up(asked))
        found.append(up(asked))
    slab, jump = lot * Fraction(RATES[k + 1], RATE), top * lot * Fraction(RATES[k + 1] - RATES[k], RATE)
    assert abs(found[1] - found[0] - slab - (jump if scheme == "whole" else 0)) <= 1


@pytest.mark.parametrize("kind", MARKETS)
@pytest.mark.parametrize("scheme", ["whole", "deduction"])
@pytest.mark.parametrize("k", [0, 1, 2])
def test_tiers_by_notional_move_with_the_mark(strict_exchange, kind, scheme, k):
    """A value exactly at a tier's top stands in it; the next tick of more value is in the next tier."""
    instrument, t = contract("I", kind, scheme, "notional")
    desk, entry = Desk(strict_exchange, (instrument, t), mode="cross"), MARKETS[kind][2]
    h = desk.open("short", TOPS[k], entry)
    found = []
    for expected, mark in ((k + 1, entry), (k + 2, entry + (-1 if t.inverse else 1))):
        desk.mark(mark)
        value = abs(worth(t, h, mark))
        asked = slabs(t, value) if scheme == "deduction" else value * Fraction(RATES[expected - 1], RATE)
        assert asked_of(desk) == (expected, up(asked))
        found.append((value, up(asked)))
    (low, before), (high, after) = found
    jump = low * Fraction(RATES[k + 1] - RATES[k], RATE) if scheme == "whole" else 0
    assert abs(after - before - (high - low) * Fraction(RATES[k + 1], RATE) - jump) <= 1


@pytest.mark.parametrize("kind", MARKETS)
@pytest.mark.parametrize("k", [0, 1, 2])
def test_tiers_by_net_size_take_the_hedge_as_one(strict_exchange, kind, k):
    """Long top + 30 against short 30 is within the tier, one lot more is not; both legs are asked at that tier's rate."""
    instrument, t = contract("I", kind, "whole", "net")
    desk, entry, lots = Desk(strict_exchange, (instrument, t), mode="cross"), MARKETS[kind][2], TOPS[k] + 30
    desk.ex.set_position_mode("poor", "I", "hedge")
    desk.open("short", 30, entry, leg="short")
    for expected, more in ((k + 1, lots), (k + 2, 1)):
        desk.open("long", more, entry, leg="long")
        for leg, size in (("long", lots + expected - k - 1), ("short", 30)):
            value = abs(worth(t, Held(SIGN[leg], size, 0), entry))
            asked = up(value * Fraction(RATES[expected - 1], RATE))
            full = up(value * Fraction(RATES[0] + FEE, RATE)) if expected > 2 else 0
            assert asked_of(desk, leg) == (expected, max(asked, full))


@pytest.mark.parametrize("kind,side", [("linear", "long"), ("quanto", "long"), ("inverse", "short")])
@pytest.mark.parametrize("scheme", ["whole", "deduction"])
def test_a_higher_value_alone_may_liquidate_a_winner(strict_exchange, kind, side, scheme):
    """Whole tiers by notional: 299 of 300 lots, and the next tier asks 10 %. With deductions nothing jumps."""
    entry = MARKETS[kind][2]
    instrument, t = contract("I", kind, scheme, "notional", ((300, 10_000_000), (900, 100_000_000)))
    t = replace(t, fee=FEE)
    desk = Desk(strict_exchange, (instrument, t), leverage=50)
    h = desk.open(side, 299, entry)
    margin = desk.ex.position("poor", "I").margin_units
    first = threshold(t, margin, [h], entry, h.s, instrument.spec.max_price_ticks)
    assert desk.ticks(desk.ex.position("poor", "I").profit_side_liquidation_price) == first
    if scheme == "deduction":
        assert first is None
        return
    assert tier(t, h, first, 299) == 1 and tier(t, h, first - h.s, 299) == 0
    assert not desk.liquidated(desk.mark(first - h.s))
    [event] = desk.liquidated(desk.mark(first))
    assert event.verdict == Verdict.FULL and desk.ex.position("poor", "I").size == 0
