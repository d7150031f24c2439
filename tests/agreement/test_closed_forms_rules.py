"""The closed forms under every rule of a threshold: its fee at mark or at bankruptcy, met or passed, hedges netted or not.

Owns the rule sets and what only they do; the arithmetic of domains is that of support/margin_domains.py.
"""

from dataclasses import replace
from fractions import Fraction
from itertools import product
from random import Random

import pytest

from solvent import rules
from support.closed_forms import MARKETS, SIGN, contract
from support.margin_domains import (
    AT_ENTRY,
    EVERY,
    MODES,
    Case,
    Domain,
    asked_at,
    build,
    doubt,
    drawn,
    explain,
    find,
    happened,
    pay,
    slack,
    threshold,
    through,
    tier_of,
)

SEED, FEES = rules.find("seed"), rules.find("okx_consistent")
RULES = {
    "every fee": FEES,
    "met": replace(SEED, at_threshold=True),
    "at bankruptcy": replace(FEES, fee_at="bankruptcy", funding_cap=False),
    "at bankruptcy, cross from tier 3": replace(SEED, fee_at="bankruptcy", funding_cap=False),
    "at bankruptcy, met": replace(FEES, fee_at="bankruptcy", funding_cap=False, at_threshold=True),
}
MORE = {"linear": 1, "inverse": -1, "quanto": 1}  # where a value grows


def meet(desk, d: Domain, first) -> Domain:
    """Where a threshold is met already: the margin with which the last safe tick would be exactly what is asked."""
    passed = replace(d, law=replace(d.law, met=False))
    mark = desk.marks["I"]
    tick, way = find(passed, first, mark, desk.contracts["I"][0].spec.max_price_ticks)
    if tick is None or tick - way == mark or doubt(d, mark):
        return d
    if any(tier_of(d, p, tick) != tier_of(d, p, tick - way) for p in d.parts):  # a jump meets nothing
        return d
    for _ in range(9):  # a fee at bankruptcy goes with the margin
        passed = replace(passed, margin=passed.margin - slack(passed, tick - way))
    assert slack(passed, tick - way) == 0
    d = replace(d, margin=passed.margin)
    pay(desk, d, first)
    assert slack(d, tick - way) == -1
    return d


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", MARKETS)
def test_every_rule(sweep, seed, kind, rule, mode):
    """Both sides, and five times a scheme and basis at mark or at entry, whichever is drawn."""
    for side, draw in product(SIGN, range(5)):
        r = Random(f"{seed} {kind} {rule} {mode} {side} {draw}")
        at = r.choice(("mark", "entry"))
        scheme, basis = r.choice(EVERY if at == "mark" else AT_ENTRY)
        through(sweep, drawn(seed, kind, scheme, basis, at, mode, side, rule_set=RULES[rule]), meet)


@pytest.mark.long
@pytest.mark.parametrize("scheme,basis", [case for case in EVERY if case[1] != "net"])
@pytest.mark.parametrize("kind", MARKETS)
def test_a_hedge_that_is_not_netted(sweep, seed, kind, scheme, basis):
    """Both legs have shares of equity: the one that asks most beyond a takeover steps down, or both are taken over."""
    for side, rule in product(SIGN, ("seed", "at bankruptcy, met")):
        at = Random(f"{seed} {kind} {scheme} {basis} {side} {rule}").choice(("mark", "entry"))
        at = at if (scheme, basis) in AT_ENTRY else "mark"
        rule_set = replace(RULES.get(rule, SEED), net_hedges=False)
        assert through(sweep, drawn(seed, kind, scheme, basis, at, "hedge", side, rule_set=rule_set), meet) is None


# --- What a higher value alone does


def grown(make, kind: str, side: str, mode: str, mine, rule_set, lots: int, leverage: int):
    """(desk, domain, tick): the first tick of more value at which something happens."""
    case = Case(kind, "", "", "mark", mode, side, rules.find(rule_set), lots, 0, leverage, 1_000, False)
    desk, d, _ = build(make, case, mine)
    return desk, d, threshold(d, MARKETS[kind][2], MORE[kind], desk.contracts["I"][0].spec.max_price_ticks)


@pytest.mark.parametrize("rule", ["seed", *RULES])
@pytest.mark.parametrize("mode", ["isolated", "cross"])
@pytest.mark.parametrize("at", ["mark", "entry"])
@pytest.mark.parametrize("side", SIGN)
@pytest.mark.parametrize("kind", MARKETS)
def test_in_the_next_tier(sweep, kind, side, at, mode, rule):
    """299 of 300 lots, and the next whole tier asks 10 %: of the value at mark, or at entry though that does not grow."""
    instrument, t = contract("I", kind, "whole", "notional", ((300, 10_000_000), (900, 100_000_000)))
    desk, d, tick = grown(sweep, kind, side, mode, asked_at(at, instrument, t), RULES.get(rule, SEED), 299, 50)
    view, gains = desk.ex.position("poor", "I"), MORE[kind] == SIGN[side]
    assert tick is not None and tier_of(d, d.parts[0], tick) == 1
    assert desk.ticks(view.profit_side_liquidation_price if gains else view.liquidation_price) == tick
    explain(d, tick, MORE[kind])
    assert not desk.liquidated(desk.mark(tick - MORE[kind]))
    assert happened(desk, d, desk.mark(tick), tick) is None


@pytest.mark.parametrize("basis", ["contracts", "notional", "entry", "net"])
@pytest.mark.parametrize("rule", ["seed", "met", "at bankruptcy"])
@pytest.mark.parametrize("mode", ["isolated", "cross"])
@pytest.mark.parametrize("kind,side", [("linear", "long"), ("quanto", "long"), ("inverse", "short")])
def test_a_rate_that_grows_faster_than_profit(sweep, kind, side, mode, rule, basis):
    """A power asks V**1.8, 40 % at entry: from where 1.8 * rate is 1 more profit is less safe."""
    instrument, t = contract("I", kind, "power", basis)
    curve = {"linear": "0.0000166", "inverse": "0.345", "quanto": "1.57"}[kind]
    instrument = replace(instrument, maintenance_curve=curve, initial_curve=curve)
    mine = asked_at("mark", instrument, t, curve=Fraction(curve))
    desk, d, tick = grown(sweep, kind, side, mode, mine, RULES.get(rule, SEED), 600, 2)
    way = MORE[kind]
    assert tick is not None
    safe = next(x for x in range(tick - way, tick - 9 * way, -way) if slack(d, x) >= doubt(d, x))
    assert not desk.liquidated(desk.mark(safe))
    assert happened(desk, d, desk.mark(tick), tick) is None
