"""Phemex: one long whose balance holds the fee of closing at bankruptcy."""

from decimal import Decimal

import pytest

from support.published import Row, X, check_closing, check_liquidation, placed

PHEMEX = {
    "id": "Phemex", "source": "Phemex help", "tick": "0.000001", "decimals": 7, "lot": "1", "size": "500", "entry": "0.4",
    "leverage": 5, "margin": "40.096", "fee": "0.0006",
}  # fmt: skip
AT_MMR_AND_FEE = [
    Row(**PHEMEX, mmr="0.01", liquidation="0.3232"),  # the rate of 1 % is not printed: it is what 0.3232 leaves
]  # fmt: skip


@pytest.mark.parametrize("row", AT_MMR_AND_FEE, ids=lambda row: row.id)
def test_liquidation_price_with_the_fee(strict_exchange, row):
    """The trigger also keeps the fee of closing."""
    check_liquidation(strict_exchange, row, row.fee)


CLOSING = [
    Row(**PHEMEX, closing="0.32"),  # a bankruptcy value of 160, as its balance has it: 40 + 160 * 0.06 %
]  # fmt: skip


@pytest.mark.parametrize("row", CLOSING, ids=lambda row: row.id)
def test_bankruptcy_price_that_pays_the_fee(strict_exchange, row):
    check_closing(strict_exchange, row)


def test_the_balance_of_phemex(strict_exchange):
    """40.096 of 500 at 0.4 on 5x: 200 / 5, and .06 % of the 160 that they are worth at their bankruptcy price."""
    row = Row(**PHEMEX | {"margin": None}, mmr="0.01")
    p = placed(strict_exchange, row).position("poor", X)
    assert (p.margin, p.bankruptcy_price) == (40, Decimal("0.32"))
    fee = p.size * p.bankruptcy_price * Decimal(row.fee)
    assert p.margin + fee == Decimal(PHEMEX["margin"]) == Decimal("40.096")
