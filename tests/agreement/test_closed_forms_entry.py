"""The closed forms for every basis, requirements of the value at entry, every leverage and whole cross domains.

The arithmetic of margin domains is that of support/margin_domains.py.
"""

import pytest

from solvent import InputError, Instrument, Tier
from support.closed_forms import MARKETS, SCHEMES, SIGN
from support.margin_domains import AT_ENTRY, EVERY, MODES, drawn, through

# --- Every kind, side, mode, scheme and basis

AT_MARK = [case for case in EVERY if case not in SCHEMES or case[0] == "factor"]


def test_a_deduction_by_a_value_that_moves_is_refused_at_entry():
    """Its D * |cost| / V asks most somewhere in the middle of a tier; no liquidation price could be told by its ends."""
    with pytest.raises(InputError, match="use basis entry"):
        Instrument("I", scheme="deduction", basis="notional", maintenance_at="entry", max_size=100,
                   tiers=[Tier(10, "0.01", "0.02"), Tier(20, "0.02", "0.04")])  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "scheme,basis,at", [(*case, "mark") for case in AT_MARK] + [(*case, "entry") for case in AT_ENTRY],
)  # fmt: skip
@pytest.mark.parametrize("kind", MARKETS)
def test_every_basis_and_the_margin_of_entry(sweep, seed, kind, scheme, basis, at, mode):
    """Prices, requirements, nothing one tick before, and at the tick a step down or a takeover at the price it has to be."""
    for side in SIGN:
        through(sweep, drawn(seed, kind, scheme, basis, at, mode, side))
