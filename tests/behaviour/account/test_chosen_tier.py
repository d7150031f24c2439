"""Risk limits: a tier that the owner of a position chooses to stand in."""

import pytest

from solvent import Code, EventType, InputError, Tier
from support.hedges import exchange, of, refused, take

X = "X"
TABLE = [Tier(10, "0.01", "0.02"), Tier(20, "0.02", "0.04"), Tier(30, "0.03", "0.06"), Tier(40, "0.04", "0.08")]
FREE = {"maker_fee": 0, "taker_fee": 0, "liquidation_fee": 0, "tiers": TABLE}


@pytest.fixture
def ex(strict_exchange):
    ex = exchange(strict_exchange, hedged=False, **FREE)
    ex.set_leverage("m", X, 10, mode="cross")
    return ex


@pytest.mark.parametrize("mode", ["cross", "isolated"])
def test_what_is_asked_there(ex, mode):
    """BitMEX: at a higher risk limit a small position asks what a large one does, and may have no more leverage."""
    refused(Code.LEVERAGE_ABOVE_TIER, ex.set_leverage, "a", X, 20, mode=mode, tier=3)
    ex.set_leverage("a", X, 16, mode=mode, tier=3)
    take(ex, "buy", 5)
    p = ex.position("a", X)
    assert (p.tier, p.chosen_tier, p.maintenance, p.leverage) == (3, 3, 150, 16)
    ex.set_leverage("a", X, 16, mode=mode)
    p = ex.position("a", X)
    assert (p.tier, p.chosen_tier, p.maintenance) == (1, 0, 50)


def test_orders_lead_no_further(ex):
    ex.set_leverage("a", X, 10, mode="cross", tier=2)
    assert ex.order("a", X, "buy", 21, price=1_000).code == Code.POSITION_LIMIT
    ex.order("a", X, "buy", 15, price=1_000).ok()
    assert ex.order("a", X, "buy", 6, price=1_000).code == Code.POSITION_LIMIT
    refused(Code.POSITION_LIMIT, ex.set_leverage, "a", X, 10, mode="cross", tier=1)
    ex.set_leverage("a", X, 10, mode="cross", tier=3)
    ex.order("a", X, "buy", 15, price=1_000).ok()
    ex.set_leverage("a", X, 10, mode="cross")
    ex.order("a", X, "buy", 10, price=1_000).ok()
    assert ex.order("a", X, "buy", 1, price=1_000).code == Code.POSITION_LIMIT  # the table ends


def test_a_choice_that_would_endanger_is_refused(strict_exchange):
    """A margin of 333 1/3 less a loss of 240 bears tier 2's 75.2 of 3,760, and not tier 3's 112.8."""
    ex = exchange(strict_exchange, hedged=False, a=334, **FREE)
    ex.set_leverage("m", X, 10, mode="cross")
    ex.set_leverage("a", X, 12, mode="isolated")
    take(ex, "buy", 4)
    ex.mark(X, 940)
    refused(Code.INSUFFICIENT_MARGIN, ex.set_leverage, "a", X, 12, tier=3, mode="isolated")
    ex.set_leverage("a", X, 12, tier=2, mode="isolated")
    assert ex.position("a", X).maintenance * 100 == 4 * 940 * 2


@pytest.mark.parametrize("mode", ["cross", "isolated"])
def test_a_liquidation_begins_with_giving_it_up(strict_exchange, mode):
    """Where that is enough nothing is sold; where it is not, the position is taken over at its own tier's threshold."""
    ex = exchange(strict_exchange, hedged=False, a=400, **FREE)
    ex.set_leverage("m", X, 10, mode="cross")
    ex.set_leverage("a", X, 10, mode=mode, tier=4)
    take(ex, "buy", 4)
    assert not of(ex.mark(X, 940).events, EventType.LIQUIDATION)  # 160 of 3,760, which ask 150.4
    events = ex.mark(X, 930).events  # 120 of 3,720, which ask 148.8; its own tier 37.2
    assert [(e.verdict, e.own_units) for e in of(events, EventType.LIQUIDATION)] == [(1, 148_800_000)]
    account = ex.account("a").account_id
    assert [e.chosen_tier for e in of(events, EventType.POSITION) if e.account == account] == [0]
    assert ex.position("a", X).size == 4 and ex.position("a", X).chosen_tier == 0
    assert not of(ex.mark(X, 910).events, EventType.LIQUIDATION)
    assert [e.full_units for e in of(ex.mark(X, 909).events, EventType.LIQUIDATION)] == [36_360_000]


def test_where_tiers_deduct_there_is_nothing_to_choose(strict_exchange):
    """Found by a stream of commands: below its own size a tier's deduction is more than its rate, and nothing was asked. By
    an attack: the factor of a higher tier may be the smaller one."""
    factor = exchange(strict_exchange, hedged=False, **FREE, scheme="factor")
    refused(Code.BAD_LEVERAGE, factor.set_leverage, "a", X, 10, tier=2)
    ex = exchange(strict_exchange, hedged=False, **FREE, scheme="deduction")
    refused(Code.BAD_LEVERAGE, ex.set_leverage, "a", X, 10, tier=2)
    ex.set_leverage("a", X, 10, mode="isolated")


@pytest.mark.parametrize("tier", [-1, 1.5, None, "2"])
def test_what_is_no_tier(ex, tier):
    with pytest.raises(InputError):
        ex.set_leverage("a", X, 10, tier=tier, mode="isolated")
    refused(Code.BAD_LEVERAGE, ex.set_leverage, "a", X, 10, tier=5)
