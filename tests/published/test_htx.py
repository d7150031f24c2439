"""HTX: factors of the used margin, tiers by the net of a hedge and of several contracts (H1 to H3)."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from solvent import Instrument, Tier
from support.published import (
    BARE,
    FREE,
    X,
    begin,
    fires,
    trade,
)


@pytest.mark.parametrize(
    "longs,shorts,net,factor", [(12_000, 30_000, 18_000, "0.125"), (1_200, 2_000, 800, "0.08")], ids=["H1", "H3"]
)
def test_htx_tiers_go_by_the_net(strict_exchange, longs, shorts, net, factor):
    """HTX support: a hedge's factor is that of its net. A factor is a share of the used margin, here at 10x: a tenth of the
    value. That the net is what is printed shows at the boundary: the tier ends there, and one contract more leaves it."""
    rate = Decimal(factor) / 10
    terms = Instrument(X, **FREE, contract_size="0.01", tick=1, basis="net",
                       tiers=[Tier(net, rate, "0.1"), Tier(10**5, rate * 2, "0.1")])  # fmt: skip
    ex = begin(strict_exchange, [terms])
    ex.set_position_mode("poor", X, "hedge")
    trade(ex, X, 1, longs, 1_000, 10, "cross", leg="long")
    trade(ex, X, -1, shorts, 1_000, 10, "cross", leg="short")
    for leg in ("long", "short"):
        p = ex.position("poor", X, leg)
        assert (p.tier, p.maintenance) == (1, p.initial * Decimal(factor))
    trade(ex, X, -1, 1, 1_000, 10, "cross", leg="short")
    assert {ex.position("poor", X, leg).tier for leg in ("long", "short")} == {2}


@pytest.mark.parametrize("leverage", [5, 10, 20])
@pytest.mark.parametrize("net,factor", [(18_000, "0.125"), (800, "0.08")], ids=["H1", "H3"])
def test_htx_takes_a_factor_of_the_used_margin(strict_exchange, net, factor, leverage):
    """HTX support: equity / used margin - factor <= 0 liquidates. Used is value / leverage; a factor of 12.5 % at 10x is
    1.25 % of the value, at 5x 2.5 %."""
    factor = Decimal(factor)
    terms = Instrument(X, **FREE, contract_size="0.01", tick=1, scheme="factor", max_price=10_000,
                       tiers=[Tier(net, factor / 20, "0.05")])  # fmt: skip
    ex = begin(strict_exchange, [terms], replace(BARE, at_threshold=True))
    trade(ex, X, 1, net, 1_000, leverage, "isolated")
    p = ex.position("poor", X)
    assert p.initial == p.margin == net * 10 / Decimal(leverage)
    assert p.maintenance == p.initial * factor
    share = factor / leverage  # of the value
    root = 1_000 * (1 - 1 / Fraction(leverage)) / (1 - Fraction(share))
    assert root - Fraction(p.liquidation_price) < 1
    fires(ex, X, p.liquidation_price, 1)


@pytest.mark.parametrize("top,tier", [(11_000, 1), (10_999, 2)])
def test_htx_adds_up_the_nets_of_its_contracts(strict_exchange, top, tier):
    """H2: |1,000 - 4,000| + |8,000 - 5,000| + 5,000 = 11,000: three contracts of a coin, whose nets make one tier."""
    terms = {"contract_size": "0.01", "tick": 1, "basis": "net", "tier_group": 1, "max_price": 10_000, "max_size": 10**5}
    table = [Tier(top, "0.01", "0.1"), Tier(10**5, "0.02", "0.1")]
    held = {"week": (1_000, 4_000), "fortnight": (8_000, 5_000), "quarter": (5_000, 0)}
    ex = begin(strict_exchange, [Instrument(name, tiers=table, **terms, **FREE) for name in held])
    for name, (longs, shorts) in held.items():
        ex.set_position_mode("poor", name, "hedge")
        for side, lots, leg in ((1, longs, "long"), (-1, shorts, "short")):
            if lots:
                trade(ex, name, side, lots, 1_000, 10, "cross", leg=leg)
    for name, (_, shorts) in held.items():
        for leg in ("long", "short") if shorts else ("long",):
            assert ex.position("poor", name, leg).tier == tier
