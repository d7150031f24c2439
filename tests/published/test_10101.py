"""10101 (get10101/10101, cfd.rs): bankruptcy and liquidation prices of inverse contracts."""

import pytest

from support.published import INVERSE, Row, check_at_entry, check_bankruptcy, entry_id

BANKRUPT = [
    Row(**INVERSE, id="10101 long", source="10101, crates/xxi-node/src/cfd.rs", decimals=11, size="1000", entry="30000",
        leverage=2, bankruptcy="20000"),
    Row(**INVERSE, id="10101 short", source="10101, crates/xxi-node/src/cfd.rs", decimals=11, side=-1, size="1000",
        entry="30000", leverage=2, bankruptcy="60000"),
]  # fmt: skip


@pytest.mark.parametrize("row", BANKRUPT, ids=lambda row: row.id)
def test_bankruptcy_price(strict_exchange, row):
    check_bankruptcy(strict_exchange, row)


# id, source, kind, entry, leverage, maintenance rate, side, printed price, how far the print may be off
AT_ENTRY = [
    ("10101", "get10101/10101, cfd.rs", "inverse", "30000", 2, "0.1", 1, "21428.5714", None),
    ("10101", "get10101/10101, cfd.rs", "inverse", "30000", 2, "0.1", -1, "50000", None),
]  # fmt: skip


@pytest.mark.parametrize("row", AT_ENTRY, ids=entry_id)
def test_liquidation_price_with_the_margin_of_entry(strict_exchange, row):
    check_at_entry(strict_exchange, row)
