"""Delta: bankruptcy and liquidation prices of an inverse contract whose rate rises with the size, a slice and its rest."""

from decimal import Decimal
from fractions import Fraction

import pytest

from solvent import Instrument
from support.published import (
    FREE,
    INVERSE,
    Need,
    Row,
    X,
    agree,
    begin,
    check_bankruptcy,
    check_liquidation,
    check_requirement,
    closed_form,
    fires,
    inverse,
    placed,
    trade,
)
from support.venues import DELTA_TERMS

DELTA = INVERSE | {"source": "delta-exchange/just-the-docs, trading guide", "entry": "10000"}
AT_MMR = [
    Row(
        **DELTA, id="Delta 20,000", decimals=9, size="20000", leverage=100, mmr="0.005", liquidation="9950",
    ),
]  # fmt: skip


@pytest.mark.parametrize("row", AT_MMR, ids=lambda row: f"{row.id}-{'short' if row.side < 0 else 'long'}")
def test_liquidation_price(strict_exchange, row):
    """The trigger is the tier's rate alone, its deduction taken off where there is one."""
    check_liquidation(strict_exchange, row)


BANKRUPT = [
    Row(**DELTA, id="Delta 20,000", decimals=9, size="20000", leverage=100, bankruptcy="9901"),
    # Its margin: 0.65 BTC less what the slice of 137,389 lost.
    Row(**DELTA, id="Delta rest", decimals=9, size="62611", leverage=30, margin="0.265854", bankruptcy="9593"),
]  # fmt: skip


@pytest.mark.parametrize("row", BANKRUPT, ids=lambda row: row.id)
def test_bankruptcy_price(strict_exchange, row):
    check_bankruptcy(strict_exchange, row)


def test_a_delta_bankruptcy_price_at_the_venues_own_tick(strict_exchange):
    """200,000 at 10,000 on 3.25 %: 9,685.23, printed 9,685.5."""
    row = Row(**DELTA | {"tick": "0.5"}, id="Delta 200,000", decimals=11, size="200000", leverage=33, margin="0.65",
              bankruptcy="9685.23")  # fmt: skip
    agree(closed_form(row, "0"), row.bankruptcy)
    assert placed(strict_exchange, row).position("poor", X).bankruptcy_price == Decimal("9685.5")


GUIDE = DELTA["source"]
NEEDS = [
    Need(id="Delta 20,000", source=GUIDE, terms=inverse("20000", "0.005", 100), size="20000", price="10000", leverage=100,
         want={"maintenance rate": "0.005", "initial rate": "0.01"}),
    # 1.625 %, printed 1.63 %.
    Need(id="Delta 200,000", source=GUIDE, terms=DELTA_TERMS, size="200000", price="10000", leverage=100,
         want={"value": "20", "maintenance rate": "0.0163", "initial rate": "0.0325"}, off="0.00005"),
]  # fmt: skip


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need.id)
def test_requirement(strict_exchange, need):
    check_requirement(strict_exchange, need)


def test_the_slice_of_delta_and_its_rest(strict_exchange):
    """Delta's guide: of 200,000 at 10,000 on .65, mark 9,840, 137,389 go at 9,728; the 62,611 that stay are liquidated at
    9,648 (9,647.7) and bankrupt at 9,593 (9,592.7).

    What stays, on its share of .65, is liquidated 1 % from the mark: 9,741.3 (exactly 1 % are 62,994). The slice's price is
    its rate, 1.1554 %, from the mark: 9,727.6, on ticks of 0.5 up. It loses .384146 (cut), the rest of its share stays.
    """
    terms = Instrument(X, **FREE, **DELTA_TERMS, maintenance_at="entry")
    alone = begin(strict_exchange, [terms])
    trade(alone, X, 1, 137_389, 10_000, 100, "isolated")
    p = alone.position("poor", X)
    rate = Fraction(p.maintenance) / Fraction(p.value)
    agree(rate, "0.0116")
    assert Decimal("9727.5") < 9_840 / (1 + rate) < 9_728
    ex = begin(strict_exchange, [terms])
    trade(ex, X, 1, 200_000, 10_000, 100, "isolated")
    assert ex.position("poor", X).margin == Decimal("0.65")
    ex.mark(X, 9_841)  # at 9,840 it would be all of it
    cash = ex.account("poor").cash
    ex.order("rich", X, "buy", 137_389, price=9_728).ok()
    assert ex.order("poor", X, "sell", 137_389, price=9_728).filled == 137_389
    rest = ex.position("poor", X)
    assert abs(rest.liquidation_price / 9_840 - Decimal("0.99")) < Decimal("0.00003")
    returned = ex.account("poor").cash - cash
    agree(Fraction(rest.margin + returned), "0.265854", "0.000001")
    ex.move_margin("poor", X, returned)
    rest = ex.position("poor", X)
    for found, printed in ((rest.liquidation_price, "9648"), (rest.bankruptcy_price, "9593")):
        agree(Fraction(found), printed)
    fires(ex, X, rest.liquidation_price, 1)
