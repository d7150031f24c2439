"""OKX: the unified account's rules (help texts of March 2025). Tiers, fees and limits are terms of an instrument."""

from solvent.terms.rule_set import RuleSet

OKX = RuleSet(
    name="okx", source="OKX help, system liquidation mechanism and ADL, read 6 March 2025", step_tiers=1, at_threshold=True,
    orders="fee", fee_cross_low=True, fee_cross_own=True, adl_price="mark",
    adl_trigger="drawdown", drawdown_ppb=300_000_000, drawdown_window_ns=8 * 3_600 * 10**9,
    open_points=(
        "not established: whether ADL begins when the fund is 30 % below its peak of eight hours, or below that; here it does",
        "not built: the engine's own price policy; a parcel is posted at its bankruptcy price",
        "not established: which position of a cross account is cut first; here the one with the largest requirement",
        "not established: who pays the distance of mark and bankruptcy price in ADL; here the fund, then the deficit",
    ),
)  # fmt: skip
