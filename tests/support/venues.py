"""Terms and rows of venues that more than one test drives: the venue's own, and the misprints.

Owns constants only. A name is the id of liquidation rules' page, or the venue's.
"""

from solvent import Tier
from support.published import FREQTRADE, INVERSE, SECOND, Row, deducting, flat

BTC, ETH = "BTC", "ETH"
BINANCE = tuple(
    Tier(top, mmr, initial)
    for top, mmr, initial in (
        (50_000, "0.004", "0.008"), (250_000, "0.005", "0.01"), (10**6, "0.01", "0.02"), (10**7, "0.025", "0.05"),
        (2 * 10**7, "0.05", "0.1"), (5 * 10**7, "0.1", "0.2"), (10**8, "0.125", "0.25"), (2 * 10**8, "0.15", "0.333333333"),
        (3 * 10**8, "0.25", "0.5"), (5 * 10**8, "0.5", "1"),
    )
)  # fmt: skip
"""Caps and maintenance rates of B6; the initial rates are ours, as the page prints none."""

B7 = {
    "source": FREQTRADE, "tick": "0.000000001", "decimals": 10, "lot": "0.1", "side": -1, "mmr": "0.01", "deduction": "0.01",
    "tiers": deducting("0.01", "0.01", 1_000),
}  # fmt: skip
B8 = B7 | {"side": 1}
O6 = {"source": FREQTRADE, "tick": "0.000000001", "decimals": 10, "lot": "0.1", "mmr": "0.01", "fee": "0.0006"}
KRAKEN = INVERSE | {
    "id": "K1", "source": "Kraken support", "decimals": 10, "size": "1000", "entry": "8000", "leverage": 50, "margin": "0.01",
    "mmr": "0.01",
}  # fmt: skip
K1 = Row(**KRAKEN, liquidation="7481")
# Printed 95,500 with the margin of 500 fixed at entry; this is the same with 0.5 % at mark.
B10 = Row(
    id="B10",
    source="affmiss",
    tick="0.0001",
    decimals=4,
    size="1",
    entry="100000",
    leverage=20,
    mmr="0.005",
    liquidation="95477.39",
)
DELTA_TERMS = {
    "kind": "inverse", "contract_size": 1, "tick": "0.01", "settle_decimals": 11, "scheme": "slope", "max_price": 20_000,
    "tiers": (Tier(200_000, "0.00125", "0.0025"),), "maintenance_curve": "0.000000075", "initial_curve": "0.00000015",
}  # fmt: skip
"""Delta above 5 BTC, where its guide asks .5 % + .075 % * (size - 5), in contracts of 1 / 10,000 BTC. Below it is .5 %."""
PERP = {"tick": 1, "tiers": flat(1_000, "0.1", 10), "maker_fee": 0, "taker_fee": 0, "settle": "USDC"}
CAPPED = {"contract_size": 1, "tick": 1, "settle_decimals": 6, "tiers": flat(100, "0.5", 1), "max_price": 1_000}
VEGA_FUNDING = {"interval_ns": 8 * SECOND, "premium": "middle", "weights": "equal", "cap": "0.1", "notional": "index"}
