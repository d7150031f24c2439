"""HTX: swaps with steps of tiers. A ratio of zero or below, after the adjustment factor of the tier, liquidates."""

from solvent.terms.rule_set import RuleSet

HTX = RuleSet(
    name="htx", source="HTX support, liquidation and ADL of swaps, as stored in 2026", step_tiers=1, at_threshold=True,
    funding_cap=False, fee_isolated_low=False, fee_isolated_full=False, fee_isolated_own=False, fee_cross_low=False,
    fee_cross_full=False, fee_cross_own=False, adl_price="mark",
    open_points=(
        "not established: the fall of the fund in eight hours that begins ADL; here it begins when the fund is empty",
        "not established: who pays the distance of mark and bankruptcy price in ADL; here the fund, then the deficit",
    ),
)  # fmt: skip
