"""Hyperliquid: liquidation in two stages, margin rates and tiers, hourly funding (HL1 to HL4)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from solvent import EventType, Instrument, Tier
from solvent.records import Verdict
from support.models import FAR_ASK, rated
from support.published import (
    BARE,
    Need,
    Row,
    X,
    balance,
    begin,
    check_liquidation,
    check_requirement,
    linear,
    of,
    trade,
)

HL4 = {
    "id": "HL4", "source": "Hyperliquid docs (uooooo/HyperUX); numbers ours", "tick": "0.0001", "decimals": 4, "size": "1",
    "entry": "50000", "leverage": 40, "margin": "5000", "mode": "cross", "mmr": "0.0125",
}  # fmt: skip
HYPERLIQUID = "Hyperliquid docs (uooooo/HyperUX)"
AT_MMR = [
    Row(**HL4, liquidation="45569.6203"),
    Row(**HL4 | {"side": -1}, liquidation="54320.9877"),
]  # fmt: skip


@pytest.mark.parametrize("row", AT_MMR, ids=lambda row: f"{row.id}-{'short' if row.side < 0 else 'long'}")
def test_liquidation_price(strict_exchange, row):
    """The trigger is the tier's rate alone, its deduction taken off where there is one."""
    check_liquidation(strict_exchange, row)


def test_the_two_stages_of_hyperliquid(strict_exchange):
    """HL4 (ours): the book below the maintenance margin, at 45,569.6203 the vault below two thirds of it, at 45,378.1513.

    Two thirds of 1.25 % are a first tier's rate, which tiers from the second up are taken over at.
    """
    tiers = Tier("0.5", "0.008333333", "0.025"), Tier(1, "0.0125", "0.025")
    terms = Instrument(X, settle="COIN", contract_size=1, tick="0.001", lot="0.5", tiers=tiers, maker_fee=0, taker_fee=0,
                       max_price=10**5)  # fmt: skip
    ex = begin(strict_exchange, [terms], replace(BARE, step_tiers=1, fee_cross_full=False))
    trade(ex, X, 1, 1, 50_000, 40, "cross")
    balance(ex, 5_000)
    assert abs(ex.position("poor", X).liquidation_price - Decimal("45569.6203")) <= Decimal("0.001")
    for mark, verdicts in (("45569.621", []), ("45569.62", [Verdict.PARTIAL]), ("45378.152", [Verdict.PARTIAL]),
                           ("45378.151", [Verdict.FULL])):  # fmt: skip
        events = ex.mark(X, mark).events
        assert [e.verdict for e in of(events, EventType.LIQUIDATION)] == verdicts, mark
        assert bool(of(events, EventType.TAKEOVER)) == (mark == "45378.151")


NEEDS = [
    Need(id="HL1 40x", source=HYPERLIQUID, terms=linear("1", "0.0125", 40), size="1", price="100000", leverage=40,
         want={"initial rate": "0.025", "maintenance rate": "0.0125"}),
    Need(id="HL1 3x", source=HYPERLIQUID, terms=linear("1", "0.166666666", 3), size="1", price="100000", leverage=3,
         want={"maintenance rate": "0.167"}),
    Need(id="HL2", source=HYPERLIQUID, size="2000", price="100000", leverage=20,
         terms=linear("1", "0.0125", 40) | {
             "basis": "notional", "scheme": "deduction", "max_size": 2_000,
             "tiers": (Tier(150_000_000, "0.0125", "0.025"), Tier(10**9, "0.025", "0.05", deduction="1875000"))},
         want={"value": "200000000", "maintenance": "3125000"}),
]  # fmt: skip


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need.id)
def test_requirement(strict_exchange, need):
    check_requirement(strict_exchange, need)


def test_funding_of_hyperliquid(strict_exchange):
    """HL3: impact bid 10,100 over 10,000 is 1 %; .01 + clamp(.0001 - .01, ±.0005) = .95 %, an eighth an hour."""
    terms = {"interest": "0.0001", "clamp": "0.0005", "cap": "0.04"}
    event = rated(strict_exchange, 10_000, [(10_100, 10_000)], [FAR_ASK], share=(1, 8), **terms)
    assert (event.premium_ppb, event.rate_ppb) == (10_000_000, 1_187_500)
