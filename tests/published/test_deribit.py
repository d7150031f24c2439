"""Deribit: requirements that rise with the size."""

import pytest

from support.published import Need, check_requirement, sloped

DERIBIT = "Deribit docs"
NEEDS = [
    Need(id="Deribit BTC 25", source=DERIBIT, terms=sloped("25", "0.01", "0.02", "0.00005"), size="25", price="100000",
         leverage=50, want={"coins of initial": "0.53125", "initial": "53125", "coins of maintenance": "0.28125",
                            "maintenance": "28125"}),
    Need(id="Deribit BTC 350", source=DERIBIT, terms=sloped("350", "0.01", "0.02", "0.00005"), size="350", price="100000",
         leverage=50, want={"coins of initial": "13.125", "initial": "1312500"}),
    # The price of 200 is not printed: it is what makes 4.0125 % of 25 SOL 200.625.
    Need(id="Deribit SOL 25", source=DERIBIT, terms=sloped("25", "0.02", "0.04", "0.000005"), size="25", price="200",
         leverage=25, want={"initial": "200.625", "maintenance": "100.625"}),
    Need(id="Deribit SOL 6,000", source=DERIBIT, terms=sloped("6000", "0.02", "0.04", "0.000005"), size="6000", price="200",
         leverage=25, want={"initial": "84000"}),
]  # fmt: skip


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need.id)
def test_requirement(strict_exchange, need):
    check_requirement(strict_exchange, need)
