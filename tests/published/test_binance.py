"""Binance: prices of cross and isolated positions, tiers and their deductions (B1 to B8, B10); freqtrade for B7 and B8."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from solvent import EventType, InputError, Instrument, Tier
from solvent.terms.tiers import deductions
from support.published import (
    FREE,
    Need,
    Row,
    X,
    agree,
    balance,
    begin,
    check_at_entry,
    check_liquidation,
    check_requirement,
    closed_form,
    deducting,
    entry_id,
    fires,
    inverse,
    of,
    trade,
)
from support.venues import B7, B8, B10, BINANCE

BINANCE_SUPPORT = "Binance support pages"
AT_MMR = [
    Row(
        id="B1", source=BINANCE_SUPPORT, tick="0.0001", decimals=7, lot="0.001", size="3683.979", entry="1456.84", leverage=5,
        margin="1535443.01", mmr="0.1", deduction="135365", tiers=deducting("0.1", "135365", 10**8), liquidation="1114.78",
    ),
    Row(
        id="B2", source=BINANCE_SUPPORT, tick="0.001", decimals=6, lot="0.001", size="109.488", entry="32481.98", leverage=20,
        margin="1535443.01", mmr="0.025", deduction="16300", tiers=BINANCE, liquidation="18778.73",
    ),
    Row(**B7, id="B7 5/10/1", size="1", entry="10", leverage=5, liquidation="11.89108910891089"),
    # Its constant is 3e-11 off the exact 13.211221122112212.
    Row(**B7, id="B7 3/10/1", size="1", entry="10", leverage=3, liquidation="13.211221122079207", off="4e-11"),
    # A double, cut after sixteen digits.
    Row(**B7, id="B7 5/8/1", size="1", entry="8", leverage=5, liquidation="9.514851485148514", off="1e-15"),
    Row(**B7, id="B7 5/10/0.6", size="0.6", entry="10", leverage=5, liquidation="11.897689768976898"),
    # Doubles; a wallet of 10 / 3 and of 8 / 5 in the second and third.
    Row(**B8, id="B8 5/10/1", size="1", entry="10", leverage=5, liquidation="8.070707070707071", off="1e-15"),
    Row(**B8, id="B8 3/10/1", size="1", entry="10", leverage=3, liquidation="6.723905723905723", off="1e-15"),
    Row(**B8, id="B8 5/8/1", size="1", entry="8", leverage=5, liquidation="6.454545454545454", off="1e-15"),
    Row(**B8, id="B8 5/10/0.6", size="0.6", entry="10", leverage=5, liquidation="8.063973063973064", off="1e-15"),
    B10,
]  # fmt: skip


@pytest.mark.parametrize("row", AT_MMR, ids=lambda row: f"{row.id}-{'short' if row.side < 0 else 'long'}")
def test_liquidation_price(strict_exchange, row):
    """The trigger is the tier's rate alone, its deduction taken off where there is one."""
    check_liquidation(strict_exchange, row)


# id, source, kind, entry, leverage, maintenance rate, side, printed price, how far the print may be off
AT_ENTRY = [
    ("B10", "affmiss", "linear", "100000", 20, "0.005", 1, "95500", None),
]  # fmt: skip


@pytest.mark.parametrize("row", AT_ENTRY, ids=entry_id)
def test_liquidation_price_with_the_margin_of_entry(strict_exchange, row):
    check_at_entry(strict_exchange, row)


BINANCE_CROSS = {"B1": "1153.26", "B2": "26316.89"}


@pytest.mark.parametrize("moved", BINANCE_CROSS, ids=["B3", "B4"])
def test_binance_cross_liquidation_price(strict_exchange, moved):
    """B1's and B2's positions on one wallet (Binance support pages): each, with the other held at its mark.

    The other's profit and maintenance margin are what section 0 takes into M'.
    """
    rows = {row.id: replace(row, mode="cross") for row in AT_MMR if row.id in BINANCE_CROSS}
    marks = {"B1": "1335.18", "B2": "31967.27"}
    rows["B1"] = replace(rows["B1"], decimals=7)
    rows["B2"] = replace(rows["B2"], decimals=7)
    held = next(each for each in rows if each != moved)
    row, other = rows[moved], rows[held]
    ex = begin(strict_exchange, [each.instrument(each.id) for each in rows.values()])
    for each in rows.values():
        trade(ex, each.id, 1, each.size, each.entry, each.leverage, "cross")
    balance(ex, row.margin)
    ex.mark(held, marks[held])
    value = Fraction(other.size) * Fraction(marks[held])
    needed = value * Fraction(other.mmr) - Fraction(other.deduction)
    assert abs(Fraction(ex.position("poor", held).maintenance) - needed) <= Fraction(1, 10**7)  # a unit
    margin = Fraction(row.margin) + value - Fraction(other.size) * Fraction(other.entry) - needed
    exact = closed_form(row, row.mmr, margin)
    agree(exact, BINANCE_CROSS[moved])
    found = ex.position("poor", moved).liquidation_price
    assert abs(Fraction(found) - exact) <= row.step
    taken = of(fires(ex, moved, found, 1), EventType.TAKEOVER)
    assert len(taken) == 2, "both, as they share one account"


NEEDS = [
    Need(id="B5", source="Binance coin-M support page", size="30000", price="50000", leverage=10,
         terms=inverse("30000", "0.05", 10) | {
             "contract_size": 100, "basis": "notional", "scheme": "deduction", "max_size": 30_000,
             "tiers": (*deducting("0.025", "0.56", 50), Tier(100, "0.05", "0.1", deduction="1.81"))},
         want={"value": "60", "maintenance": "1.19"}),  # 60 * 5 % - 1.81
]  # fmt: skip


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need.id)
def test_requirement(strict_exchange, need):
    check_requirement(strict_exchange, need)


CUMS = ("0", "50", "1300", "16300", "266300", "1266300", "2516300", "5016300", "25016300", "100016300")
"""What the tiers of B6 deduct, as printed (bracket gist of highfestiva)."""


def of_value(make, value: int, scheme: str):
    """A long of this value, at 1,000 a contract: its view."""
    terms = Instrument(X, **FREE, contract_size=1, tick=1, tiers=BINANCE, basis="notional", scheme=scheme, max_size=5 * 10**5,
                       max_price=2_000, settle_decimals=2)  # fmt: skip
    ex = begin(make, [terms])
    trade(ex, X, 1, value // 1_000, 1_000, 1, "cross")
    return ex.position("poor", X)


@pytest.mark.parametrize("k", range(10), ids=lambda k: f"B6 tier {k + 1}")
def test_binance_deductions(strict_exchange, k):
    """At a tier's top its requirement is value * rate less the printed deduction, and one contract on nothing jumps."""
    tier, cum = BINANCE[k], Decimal(CUMS[k])
    assert deductions(BINANCE)[k] == cum
    p = of_value(strict_exchange, tier.max_contracts, "deduction")
    assert p.tier == k + 1 and p.maintenance == tier.max_contracts * Decimal(tier.maintenance) - cum
    if k < 9:
        above = of_value(strict_exchange, tier.max_contracts + 1_000, "deduction")
        assert above.tier == k + 2
        assert above.maintenance - p.maintenance == 1_000 * Decimal(BINANCE[k + 1].maintenance)


def test_a_deduction_that_would_jump_is_refused():
    with pytest.raises(InputError, match="16300"):
        Instrument(X, tiers=[*BINANCE[:3], replace(BINANCE[3], deduction="16301")], basis="notional", scheme="deduction",
                   max_size=1)  # fmt: skip


def test_the_two_schemes_of_section_0(strict_exchange):
    """1,200,000 on B6's table: 13,700 = 200 + 1,000 + 7,500 + 5,000 slab by slab, 30,000 of the whole position."""
    assert of_value(strict_exchange, 1_200_000, "deduction").maintenance == 13_700
    assert of_value(strict_exchange, 1_200_000, "whole").maintenance == 30_000
