"""The ratio test on its thresholds (semantics §2): every mode, level, rule set and number of positions, at
R - 1, R and R + 1, for both thresholds. Expected requirements are computed here, in plain integers."""

from decimal import Decimal

import pytest

from solvent import EventType, Instrument
from solvent.records import Verdict
from solvent.terms.decimals import from_units
from solvent.terms.tiers import okex_btc_2019

TIERS = okex_btc_2019(first=20, step=100, levels=8)
TOPS = [20 + 100 * k for k in range(8)]
UNIT = 1_000  # per tick and lot
OPEN, MARK = 500_000, 400_000  # ticks
FEE = 500_000


def rates(level: int, mode: str, rules: str) -> tuple[int, int]:
    """(full, own) over 10**9, from the table of semantics §2."""
    mmr = 5_000_000 * level
    with_fee = mode == "isolated" or rules == "okx_consistent"
    if level <= 2:
        rate = mmr + (FEE if with_fee else 0)
        return rate, rate
    full = 5_000_000 + FEE
    return full, max(full, mmr + (FEE if with_fee else 0))


def ceil_rate(value: int, rate: int) -> int:
    return -(-value * rate // 10**9)


def build(make, rules: str, mode: str, sizes: list[int]):
    """One account, long `sizes` contracts in as many instruments at 50,000, against a rich short."""
    ex = make([Instrument(f"I{i}", tiers=TIERS) for i in range(len(sizes))], rules=rules)
    ex.deposit("rich", "USDT", 10**9)
    ex.deposit("poor", "USDT", 10**8)
    for i, size in enumerate(sizes):
        ex.mark(i, 50_000)
        ex.set_leverage("poor", i, 10, mode=mode)
        ex.set_leverage("rich", i, 10, mode="cross")
        ex.order("rich", i, "sell", size, price=50_000).ok()
        assert ex.order("poor", i, "buy", size, price=50_000).filled == size
    return ex


def equity_to(ex, mode: str, target: int, sizes: list[int]) -> None:
    """Moves the equity that the account will have at MARK to `target` units."""
    if mode == "cross":
        at_mark = sum(size * (MARK - OPEN) * UNIT for size in sizes)
        ex.withdraw("poor", "USDT", units(ex.account("poor").cash_units + at_mark - target))
    else:
        at_mark = sizes[0] * (MARK - OPEN) * UNIT
        ex.move_margin("poor", 0, units(target - at_mark - ex.position("poor", 0).margin_units))


def units(n: int) -> Decimal:
    return from_units(n, Decimal("0.000001"))


CASES = [
    (mode, level, count, rules)
    for mode in ("isolated", "cross")
    for level in range(1, 7)
    for count in (1, 2)
    for rules in ("seed", "okx_consistent")
]


@pytest.mark.parametrize("mode,level,count,rules", CASES)
def test_thresholds(strict_exchange, mode, level, count, rules):
    """Strict `<`: at the threshold nothing happens; one unit below, its step does."""
    sizes = [TOPS[level - 1], 7][:count]
    levels = [level, 1][:count]
    if mode == "isolated":
        tested, tested_levels = sizes[:1], levels[:1]
    else:
        tested, tested_levels = sizes, levels
    needs = [0, 0]
    for size, each in zip(tested, tested_levels, strict=True):
        for i, rate in enumerate(rates(each, mode, rules)):
            needs[i] += ceil_rate(size * MARK * UNIT, rate)
    full, own = needs
    expected = {full - 1: Verdict.FULL, own: None, own + 1: None}
    if own > full:
        expected |= {full: Verdict.PARTIAL, full + 1: Verdict.PARTIAL, own - 1: Verdict.PARTIAL}
    for target, verdict in expected.items():
        ex = build(strict_exchange, rules, mode, sizes)
        equity_to(ex, mode, target, sizes)
        for i in reversed(range(count)):
            events = ex.mark(i, MARK // 10).events
        found = [e for e in events if e.type == EventType.LIQUIDATION and e.account == 17]
        if mode == "isolated" and count == 2:
            found = [e for e in found if e.instrument == 0]
        assert [e.verdict for e in found] == ([] if verdict is None else [verdict]), (target, full, own)
        if verdict:
            assert (found[0].equity_units, found[0].full_units, found[0].own_units) == (target, full, own)


@pytest.mark.parametrize("rules", ["seed", "okx_consistent"])
def test_level_boundary_moves_the_takeover_threshold(strict_exchange, rules):
    """From 12,000 to 12,001 contracts the takeover threshold falls from 1.05 % to 0.55 % (rules 1.3)."""
    full = [rates(level, "isolated", rules)[0] for level in (2, 3)]
    assert full == [10_500_000, 5_500_000]
    ex = strict_exchange([Instrument("BTC")], rules=rules)
    ex.deposit("a", "USDT", 10**9)
    ex.deposit("b", "USDT", 10**9)
    ex.mark("BTC", 50_000)
    for size, want in ((12_000, "0.0105"), (1, "0.0055")):
        ex.set_leverage("b", "BTC", 10, mode="isolated")
        ex.order("a", "BTC", "sell", size, price=50_000)
        ex.order("b", "BTC", "buy", size, price=50_000)
        assert str(ex.explain("b").domains[0].rates[0][0]) == want
