"""bit.com: the clamp of funding."""

import pytest

from support.models import FAR_ASK, rated


@pytest.mark.parametrize("bid,premium,rate", [(10_001, 100_000, 0), (10_010, 1_000_000, 500_000), (9_000, 0, 0)])
def test_funding_of_bit_com(strict_exchange, bid, premium, rate):
    """max(.05 %, P) + min(-.05 %, P) is the clamp form without interest (liquidation rules, 12.2)."""
    event = rated(strict_exchange, 10_000, [(bid, 10_000)], [FAR_ASK], clamp="0.0005")
    assert (event.premium_ppb, event.rate_ppb) == (premium, rate)
