"""BitMEX: isolated and cross margin with risk limits, which are the tiers of an instrument."""

from solvent.terms.rule_set import RuleSet

BITMEX = RuleSet(
    name="bitmex", source="BitMEX documentation, liquidation and auto-deleveraging, as stored in 2026", step_tiers=1,
    funding_cap=False, net_hedges=False, fee_cross_low=True, fee_cross_own=True, adl_rank="pnl_efflev",
    open_points=(
        "not built: a step to a lower risk limit is filled wholly or not at all; here what fills counts",
        "not established: whether the fee is part of the threshold; here it is, as in the liquidation price they publish",
    ),
)  # fmt: skip
