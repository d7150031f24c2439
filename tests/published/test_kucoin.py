"""KuCoin: bankruptcy prices."""

import pytest

from support.published import INVERSE, Row, check_bankruptcy

BANKRUPT = [
    Row(
        id="KuCoin short", source="KuCoin help", tick="0.01", decimals=2, side=-1, size="1", entry="28000", leverage=100,
        bankruptcy="28280",
    ),
    # 27,450.98: the page cuts it.
    Row(**INVERSE, id="KuCoin long", source="KuCoin help", decimals=11, size="1000", entry="28000", leverage=50,
        bankruptcy="27450", off="1"),
]  # fmt: skip


@pytest.mark.parametrize("row", BANKRUPT, ids=lambda row: row.id)
def test_bankruptcy_price(strict_exchange, row):
    check_bankruptcy(strict_exchange, row)
