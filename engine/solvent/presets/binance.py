"""Binance: liquidation and ADL of USDT contracts (texts of 2019). Brackets with their amounts are terms of an instrument."""

from solvent.terms.rule_set import RuleSet

BINANCE = RuleSet(
    name="binance", source="Binance support, liquidation protocols and ADL, texts of 2019", step_tiers=1, funding_cap=False,
    net_hedges=False, fee_isolated_low=False, fee_isolated_full=False, fee_isolated_own=False, fee_cross_low=False,
    fee_cross_full=False, fee_cross_own=False, adl_rank="binance",
    open_points=(
        "not established: today's formula of the rank; this is that of 2019",
        "not established: the ratio below which no bracket is stepped down; here maintenance at the rate of bracket 1",
    ),
)  # fmt: skip
