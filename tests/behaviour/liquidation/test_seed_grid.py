"""The seed's rules as a grid: levels 1 to 6, both modes, to the unit at both thresholds, alone, beside another, hedged.

The oracle is the table of clause 2.6 written out here, in whole numbers: (level, mode) -> what a takeover leaves, and what is
asked before a step down. Everything else is what the events say.
"""

import pytest

from solvent import EventType, Instrument
from solvent.records import Verdict
from solvent.terms.tiers import okex_btc_2019

LEVELS, FEE, RATE = range(1, 7), 500_000, 10**9
SIZES = {level: 5 + 10 * level for level in LEVELS}  # tier 1 holds 20 contracts, each further one ten more
BEGUN, THEN = 50_000, 45_000
UNIT = 10**6 // 100  # a contract is a hundredth, a unit of money a millionth
OTHER = 5  # contracts of the other position, or of the other leg: level 1


def rate(level):
    return 5_000_000 * level


def asked(level, mode, lots, mark, fees=True):
    """(R_full, R_own) of one position of the seed's table, each rounded up once."""
    value = lots * mark * UNIT
    if level <= 2:
        full = own = rate(level) + FEE * (mode == "isolated")
    else:
        full = rate(1) + FEE
        own = max(full, rate(level) + FEE * (mode == "isolated"))
    return -(-full * value // RATE), -(-own * value // RATE)


def market(make):
    terms = {"maker_fee": 0, "taker_fee": 0, "liquidation_fee": "0.0005", "tiers": okex_btc_2019(first=20, step=10, levels=8)}
    ex = make([Instrument(name, **terms) for name in ("I", "J")])
    ex.deposit("rich", "USDT", 10**8)
    for name in ("I", "J"):
        ex.mark(name, BEGUN)
    return ex


def hold(ex, instrument, side, lots, mode, leg=None):
    ex.set_leverage("poor", instrument, 25, mode=mode, leg=leg)
    ex.order("rich", instrument, "buy" if side == "sell" else "sell", lots, price=BEGUN).ok()
    assert ex.order("poor", instrument, side, lots, price=BEGUN, leg=leg).ok().filled == lots


def at(ex, level, mode, company, equity):
    """Makes a long of a level that has so much equity at the mark that comes, with its company; returns the events of it."""
    lots, hedged = SIZES[level], company == "hedged"
    loss = (BEGUN - THEN) * UNIT * (lots - OTHER * (hedged and mode == "cross"))
    ex.deposit("poor", "USDT", str((equity + loss) / 10**6) if mode == "cross" else 10**5)
    if hedged:
        ex.set_position_mode("poor", "I", "hedge")
    hold(ex, "I", "buy", lots, mode, "long" if hedged else None)
    if company == "several":
        hold(ex, "J", "buy", OTHER, mode)
    elif hedged:
        hold(ex, "I", "sell", OTHER, mode, "short")
    if mode == "isolated":
        held = ex.position("poor", "I", "long" if hedged else None).margin_units
        ex.move_margin("poor", "I", str((equity + loss - held) / 10**6), leg="long" if hedged else None)
    return ex.mark("I", THEN).events


def requirement(level, mode, company):
    """(R_full, R_own) of the domain that the long is in."""
    found = asked(level, mode, SIZES[level], THEN)
    if mode == "cross" and company != "alone":
        other = asked(1, mode, OTHER, BEGUN if company == "several" else THEN)
        found = found[0] + other[0], found[1] + other[1]
    return found


@pytest.mark.parametrize("company", ["alone", "several", "hedged"])
@pytest.mark.parametrize("mode", ["isolated", "cross"])
@pytest.mark.parametrize("level", LEVELS)
def test_the_grid(strict_exchange, level, mode, company):
    """One unit below, at, and one above what is asked, and the same around what a takeover leaves."""
    full, own = requirement(level, mode, company)
    assert (full < own) == (level >= 3)
    expected = {own - 1: Verdict.PARTIAL, own: None, own + 1: None}
    if level >= 3:
        expected |= {full - 1: Verdict.FULL, full: Verdict.PARTIAL, full + 1: Verdict.PARTIAL}
    else:
        expected[own - 1] = Verdict.FULL
    for equity, verdict in expected.items():
        ex = market(strict_exchange)
        events = at(ex, level, mode, company, equity)
        verdicts = [e for e in events if e.type == EventType.LIQUIDATION]
        assert [each.verdict for each in verdicts[:1]] == ([] if verdict is None else [verdict]), (equity - own, equity - full)
        if verdicts:
            first = verdicts[0]
            assert (first.equity_units, first.full_units, first.own_units) == (equity, full, own)
        taken = [e for e in events if e.type == EventType.TAKEOVER]
        stepped = [e for e in events if e.type == EventType.STEP_DOWN]
        if verdict == Verdict.PARTIAL and company != "hedged":  # nobody bids: what is stepped down finds no fill
            assert [(e.tier, e.target_tier) for e in stepped] == [(level, level - 2)] and not taken
        if (mode, company) == ("cross", "hedged") and verdict is not None:
            _netted_first(ex, events, level, equity)
        elif verdict == Verdict.FULL:
            _all_is_gone(ex, taken, mode, company)
        if verdict is None:
            assert not taken and not stepped and ex.position("poor", "I", "long" if company == "hedged" else None).size > 0


def _all_is_gone(ex, taken, mode, company):
    """A takeover leaves nothing of its domain, and touches nothing else."""
    left = {"alone": 0, "several": OTHER, "hedged": -OTHER}[company] if mode == "isolated" else 0
    assert sum(each.size for each in ex.account("poor").positions.values()) == left
    if mode == "cross":
        assert ex.account("poor").equity == 0 and taken
    sizes = sorted(e.size_lots for e in taken)
    assert len(sizes) == (2 if mode == "cross" and company == "several" else 1)


def _netted_first(ex, events, level, equity):
    """The common part of the legs is closed at mark, then the rest is judged by its own level, on the same equity."""
    (netted,) = [e for e in events if e.type == EventType.NETTED]
    assert (netted.size_lots, netted.price_ticks) == (OTHER, THEN * 10)
    lots = SIZES[level] - OTHER
    full, own = asked(1 if lots <= 20 else -(-(lots - 10) // 10), "cross", lots, THEN)
    verdicts = [e.verdict for e in events if e.type == EventType.LIQUIDATION]
    taken = [e.size_lots for e in events if e.type == EventType.TAKEOVER]
    assert taken == ([lots] if equity < full else [])
    assert (Verdict.PARTIAL in verdicts[1:]) == (full <= equity < own)
    assert ex.account("poor").equity * 10**6 == (0 if taken else equity)
