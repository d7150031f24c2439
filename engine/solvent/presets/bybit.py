"""Bybit: the unified account (texts of 2025). The fee of closing at the bankruptcy price is part of the threshold."""

from solvent.terms.rule_set import RuleSet

BYBIT = RuleSet(
    name="bybit", source="Bybit help and V5 API, ADL alert, December 2025", step_tiers=1, at_threshold=True, funding_cap=False,
    fee_at="bankruptcy", fee_cross_low=True, fee_cross_own=True, adl_rank="pnl_leverage",
    open_points=(
        "not built: ADL begins when a symbol loses 30 % of the fund's peak in eight hours; here when the fund is empty",
        "not built: partial liquidations are filled wholly or not at all; here what fills counts",
        "not established: the exact rank; fees of ADL; a price of ADL at mark where the bankruptcy price is far",
    ),
)  # fmt: skip
