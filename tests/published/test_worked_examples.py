"""The worked examples of liquidation rules, section 0: C1 to C5, positions of ours for its closed forms."""

import pytest

from support.published import INVERSE, Row, X, check_bankruptcy, check_closing, check_liquidation, placed

C = {"source": "closed forms of section 0, ours", "leverage": 10}
LONG_C = C | {"c": "0.01", "tick": "0.000001", "decimals": 8, "size": "100", "entry": "50000", "mmr": "0.005"}
COIN_C = C | INVERSE | {"c": "100", "decimals": 9, "size": "1000", "entry": "50000", "margin": "0.2", "mmr": "0.005"}
AT_MMR = [
    Row(**LONG_C, id="C1", liquidation="45226.1306532663"),
    Row(**LONG_C, id="C2", side=-1, liquidation="54726.3681592040"),
    Row(**COIN_C, id="C3", liquidation="45681.8181", off="0.0001"),  # the page cuts a period: 45,681.8181...
    Row(**COIN_C, id="C4", side=-1, liquidation="55277.7777", off="0.0001"),
]  # fmt: skip


@pytest.mark.parametrize("row", AT_MMR, ids=lambda row: f"{row.id}-{'short' if row.side < 0 else 'long'}")
def test_liquidation_price(strict_exchange, row):
    """The trigger is the tier's rate alone, its deduction taken off where there is one."""
    check_liquidation(strict_exchange, row)


AT_MMR_AND_FEE = [
    Row(**LONG_C, id="C1", fee="0.0005", liquidation="45248.8687782805"),
    Row(**LONG_C, id="C2", fee="0.0005", side=-1, liquidation="54699.1546494281"),
    Row(**COIN_C, id="C3", fee="0.0005", liquidation="45704.5454", off="0.0001"),
    Row(**COIN_C, id="C4", fee="0.0005", side=-1, liquidation="55250"),
]  # fmt: skip


@pytest.mark.parametrize("row", AT_MMR_AND_FEE, ids=lambda row: row.id)
def test_liquidation_price_with_the_fee(strict_exchange, row):
    """The trigger also keeps the fee of closing."""
    check_liquidation(strict_exchange, row, row.fee)


BANKRUPT = [
    Row(**LONG_C, id="C1", bankruptcy="45000"),
    Row(**LONG_C, id="C2", side=-1, bankruptcy="55000"),
    Row(**COIN_C, id="C3", bankruptcy="45454.5454", off="0.0001"),
    Row(**COIN_C, id="C4", side=-1, bankruptcy="55555.5555", off="0.0001"),
    Row(
        **C | {"leverage": 10}, id="C5", kind="quanto", c="0.000001", tick="0.01", decimals=8, size="1000", entry="300",
        margin="0.03", bankruptcy="270",
    ),
]  # fmt: skip


@pytest.mark.parametrize("row", BANKRUPT, ids=lambda row: row.id)
def test_bankruptcy_price(strict_exchange, row):
    check_bankruptcy(strict_exchange, row)


CLOSING = [
    Row(**LONG_C, id="C1", fee="0.0005", closing="45022.5112556278"),
    Row(**LONG_C, id="C2", fee="0.0005", side=-1, closing="54972.5137431284"),
    Row(**COIN_C, id="C3", fee="0.0005", closing="45477.2727", off="0.0001"),
    Row(**COIN_C, id="C4", fee="0.0005", side=-1, closing="55527.7777", off="0.0001"),
]  # fmt: skip


@pytest.mark.parametrize("row", CLOSING, ids=lambda row: row.id)
def test_bankruptcy_price_that_pays_the_fee(strict_exchange, row):
    check_closing(strict_exchange, row)


def test_an_inverse_short_at_1x_is_never_bankrupt(strict_exchange):
    """An edge of section 0: its margin is its value, the denominator zero."""
    row = Row(**COIN_C | {"leverage": 1, "margin": None}, id="edge", side=-1)
    p = placed(strict_exchange, row).position("poor", X)
    assert p.bankruptcy_price is None and p.liquidation_price is None
