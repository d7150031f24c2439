"""Kraken: one inverse long (K1), and what it gives with the margin of entry (K2)."""

from decimal import Decimal

import pytest

from solvent import Instrument
from support.published import (
    Need,
    Row,
    X,
    balance,
    begin,
    check_bankruptcy,
    check_liquidation,
    check_requirement,
    fires,
    flat,
    inverse,
    trade,
)
from support.venues import K1, KRAKEN

AT_MMR = [
    K1,
]  # fmt: skip


@pytest.mark.parametrize("row", AT_MMR, ids=lambda row: f"{row.id}-{'short' if row.side < 0 else 'long'}")
def test_liquidation_price(strict_exchange, row):
    """The trigger is the tier's rate alone, its deduction taken off where there is one."""
    check_liquidation(strict_exchange, row)


BANKRUPT = [
    Row(**KRAKEN, bankruptcy="7407"),
]  # fmt: skip


@pytest.mark.parametrize("row", BANKRUPT, ids=lambda row: row.id)
def test_bankruptcy_price(strict_exchange, row):
    check_bankruptcy(strict_exchange, row)


NEEDS = [
    Need(id="K1", source="Kraken support", terms=inverse("1000", "0.01", 50), size="1000", price="8000", leverage=50,
         want={"initial": "0.0025", "maintenance": "0.00125", "value": "0.125"}),
]  # fmt: skip


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need.id)
def test_requirement(strict_exchange, need):
    check_requirement(strict_exchange, need)


def test_kraken_with_the_margin_of_entry(strict_exchange):
    """K2: 1,000 contracts at 8,000, balance .01, margin of entry .00125: 7,476.64, not the 7,481 that Kraken prints."""
    traded = Instrument(
        X, kind="inverse", settle="COIN", contract_size=1, tick="0.01", lot=1_000, settle_decimals=10, max_price=24_000,
        tiers=flat(1_000, "0.01", 50), maintenance_at="entry", maker_fee=0, taker_fee=0, liquidation_fee=0,
    )  # fmt: skip
    ex = begin(strict_exchange, [traded])
    trade(ex, X, 1, 1_000, 8_000, 50, "cross")
    balance(ex, "0.01")
    p = ex.position("poor", X)
    assert (p.maintenance, p.liquidation_price) == (Decimal("0.00125"), Decimal("7476.63"))
    fires(ex, X, p.liquidation_price, 1)
