"""OKX: leverage labels and tiers (O1, O2, O4), the liquidation price of freqtrade (O6, O7), the cap of funding."""

from decimal import Decimal
from fractions import Fraction

import pytest

from solvent import InputError, Instrument, Tier
from solvent.terms.tiers import okex_btc_2019
from support.models import rated
from support.published import FREE, Row, X, begin, check_liquidation, trade
from support.venues import O6

AT_MMR_AND_FEE = [
    Row(**O6, id="O6 5/10/1", side=-1, size="1", entry="10", leverage=5, liquidation="11.87413417771621", off="1e-14"),
    Row(**O6, id="O6 5/10/2", side=-1, size="2", entry="10", leverage=5, liquidation="11.87413417771621", off="1e-14"),
    Row(**O6, id="O6 3/10/1", side=-1, size="1", entry="10", leverage=3, liquidation="13.193482419684678", off="1e-14"),
    Row(**O6, id="O6 5/8/1", side=-1, size="1", entry="8", leverage=5, liquidation="9.499307342172967", off="1e-14"),
    Row(**O6, id="O7 5/10/1", size="1", entry="10", leverage=5, liquidation="8.085708510208207", off="1e-14"),
    Row(**O6, id="O7 3/10/1", size="1", entry="10", leverage=3, liquidation="6.738090425173506", off="1e-14"),
]  # fmt: skip


@pytest.mark.parametrize("row", AT_MMR_AND_FEE, ids=lambda row: row.id)
def test_liquidation_price_with_the_fee(strict_exchange, row):
    """The trigger also keeps the fee of closing."""
    check_liquidation(strict_exchange, row, row.fee)


@pytest.mark.parametrize(
    "initial,printed,allowed", [("0.055", "18.18", 18), ("0.015", "66.66", 66)], ids=["O4 5.5%", "O4 1.5%"]
)
def test_okx_leverage_labels(strict_exchange, initial, printed, allowed):
    """O4: a label is 1 / initial rate, cut; the whole number below it is accepted, the next is not."""
    leverage = 1 / Fraction(initial)
    assert Fraction(printed) <= leverage < Fraction(printed) + Fraction("0.01")
    terms = Instrument(X, **FREE, tiers=[Tier(10, "0.01", initial)])
    ex = begin(strict_exchange, [terms])
    trade(ex, X, 1, 10, 1_000, allowed, "isolated")
    assert ex.position("poor", X).initial == Decimal(ex.position("poor", X).margin)
    with pytest.raises(InputError, match="does not fit"):
        Tier(10, "0.01", initial, allowed + 1)


def test_okx_tiers():
    """O1, O2: the schedules of September 2019 (coin) and January 2020 (USDT), in their third tier."""
    third = okex_btc_2019()[2]
    assert (third.max_contracts, third.maintenance, third.initial, third.max_leverage) == (22_000, "0.015", "0.02", 50)
    assert okex_btc_2019(50_000, 500_000)[2].max_contracts == 1_050_000


def test_funding_of_okx(strict_exchange):
    """clamp(mean((mid - index) / index)) within ±.375 % for BTC; the middle needs no depth."""
    event = rated(strict_exchange, 10_000, [(10_050, 1)], [(10_052, 1)], premium="middle", cap="0.00375")
    assert (event.premium_ppb, event.rate_ppb) == (5_100_000, 3_750_000)
