"""Hyperliquid: partial liquidations by a fifth, the vault below two thirds of maintenance, ADL at the mark before (2026)."""

from solvent.terms.rule_set import RuleSet

HYPERLIQUID = RuleSet(
    name="hyperliquid", source="Hyperliquid docs, liquidations and ADL, read in 2026; announcement of partial liquidations",
    fee_isolated_low=False, fee_isolated_full=False, fee_isolated_own=False, fee_cross_low=False, fee_cross_full=False,
    fee_cross_own=False, funding_cap=False, partial="fraction", partial_share_ppb=200_000_000,
    partial_above_units=100_000 * 10**6, partial_cooldown_ns=30 * 10**9, takeover_times=2, takeover_parts=3,
    adl_rank="return", adl_price="previous", adl_winners_first=True,
    open_points=(
        "the 100,000 USDC above which a fifth is closed are units of a currency with six decimals",
        "not built: shares in the vault; the fund stands for it, and what it makes or loses is the fund's",
        "not established: the rounding of a fifth (here up), the limit of its order (here the bankruptcy price)",
        "not established: the rank of shorts (here mark over entry, as printed); which position of a cross account is first",
        "not established: how much the vault takes before ADL; here ADL begins when the fund is empty",
    ),
)  # fmt: skip
