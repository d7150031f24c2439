"""Terms: the integers that kernels get about an instrument, its price model and the rule set. Each field is said once.

Owns names, order, C types and notes of the fields. solvent.terms makes and checks them. The compiled structs and their readers
are rendered from here (schema/header.py). Never sees a decimal, and checks nothing.
"""

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from solvent.schema.limits import RATE

FeeRow = tuple[int, int, int]  # volume in units, maker_fee_ppb, taker_fee_ppb
Row = tuple[int, int, int, int]  # of a tier: top, maintenance_ppb, max_leverage in hundredths, initial_ppb
RateRow = tuple[int, int, tuple[int, ...]]  # side (Leg), highest leverage (0: any), maintenance_ppb of each tier


def term(c_type: str, note: str = "", default: int | bool | None = 0) -> Any:
    """Declares one term: its type in the compiled core, a note, and its default (None: it must be given)."""
    metadata = {"c": c_type, "note": note, "needed": default is None}
    return field(default=0 if default is None else default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentTerms:
    """Describes an instrument in the core's integers. Curves are over 10**18."""

    kind: int = term("uint8_t")
    units: int = term("int64_t", "linear: of a tick and lot; inverse: of a lot, times its price in ticks")
    decimals: int = term("int32_t", "of the settlement currency")
    max_price_ticks: int = term("int64_t")
    max_size_lots: int = term("int64_t")
    maker_fee_ppb: int = term("int64_t")
    taker_fee_ppb: int = term("int64_t")
    liquidation_fee_ppb: int = term("int64_t")
    default_leverage: int = term("int64_t")
    basis: int = term("uint8_t")
    scheme: int = term("uint8_t")
    maintenance_curve: int = term("int64_t", "a lot (SLOPE), or of notional**0.8 in whole currency (POWER)")
    initial_curve: int = term("int64_t")
    at_entry: int = term("uint8_t", "maintenance is asked of the value at entry")
    expiry_ns: int = term("int64_t", "0: a perpetual")
    settle_window_ns: int = term("int64_t")
    tier_group: int = term("int32_t", "of instruments whose nets add up for tiers; 0: none")
    larger_leg: int = term("uint8_t", "of a cross hedge only the larger side is asked for")
    own_fee: int = term("uint8_t", "the liquidation fee is the taker fee of who is liquidated, by his volume")
    fee_tiers: tuple[FeeRow, ...] = ()
    tiers: tuple[Row, ...] = ()
    rates: tuple[RateRow, ...] = ()
    currency: int = term("uint32_t")
    prices: "ModelTerms | None" = None
    limits: "LimitTerms | None" = None
    calls: "CallTerms | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTerms:
    """Describes an instrument's calls and its band. The default of each field is how it is without them."""

    range_ppb: int = term("int64_t", "how far an uncross may be from the reference; 0: as far as it is")
    extension_ns: int = term("int64_t", "by which a call goes on that is out of range")
    freeze_ns: int = term("int64_t", "before the end of a call, in which no order is amended or cancelled")
    call_ns: int = term("int64_t", "of an auction that an order beyond the band begins")
    most_extensions: int = term("int32_t")
    tie: int = term("uint8_t", "CallTie")
    reference: int = term("uint8_t", "Source: the price that decides and from which the range is measured")
    maker_fees: int = term("uint8_t", "both sides of an uncross pay the maker fee, not the taker fee")
    silent: int = term("uint8_t", "no indications")
    halts: int = term("uint8_t", "a call that stays out of range ends in a halt, not in an uncross")
    beyond_band: int = term("uint8_t", "BandEffect")
    deferred: int = term("uint8_t", "outside continuous trading nobody is liquidated")


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitTerms:
    """Describes an instrument's limits on orders. The default of each field switches it off."""

    least_notional_units: int = term("int64_t", "of an order at its limit price, else at mark")
    least_limit_lots: int = term("int64_t")
    most_limit_lots: int = term("int64_t", "0: as large as a position")
    least_market_lots: int = term("int64_t")
    most_market_lots: int = term("int64_t")
    least_trigger_lots: int = term("int64_t")
    most_trigger_lots: int = term("int64_t")
    most_orders: int = term("int32_t", "live orders of an account")
    rate_limit: int = term("int32_t", "messages of an account in a window")
    window_ns: int = term("int64_t")
    rolling: int = term("uint8_t", "the window ends now; else windows begin at its multiples")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTerms:
    """Describes a price model. The default of each field switches its feature off."""

    components: int = term("int32_t")
    sample_ns: int = term("int64_t", "0: no model")
    window: int = term("int32_t", "samples of the mean of the basis")
    alpha_ppb: int = term("int64_t")
    band_ppb: int = term("int64_t")
    sources: tuple[tuple[int, int], ...] = ()  # weight, and 0 for the index or 1 for the external set
    stale_ns: int = term("int64_t", default=1)
    outlier_ppb: int = term("int64_t", default=RATE)
    clips: int = term("uint8_t")
    least: int = term("int32_t", default=1)
    takes_median: int = term("uint8_t")
    interval_ns: int = term("int64_t", "0: funding rates are handed in")
    cutoff_ns: int = term("int64_t")
    premium: int = term("uint8_t")
    impact: int = term("int64_t", "units, or lots of an inverse contract", default=1)
    weighting: int = term("uint8_t")
    bound_ppb: int = term("int64_t", "of a premium", default=RATE)
    interest_ppb: int = term("int64_t")
    lowest_ppb: int = term("int64_t", "of interest less premium")
    highest_ppb: int = term("int64_t")
    cap_ppb: int = term("int64_t")
    share_up: int = term("int64_t", default=1)
    share_down: int = term("int64_t", default=1)
    delayed: int = term("uint8_t")
    trailing: int = term("int32_t", "samples of the mean premium; 0: those of the period")
    at_index: int = term("uint8_t", "funding is paid on the value at the index")
    margin_ppb: int = term("int64_t", "of accrued funding that requirements ask for")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTerms:
    """Describes a rule set. The defaults are those of solvent.rules.RuleSet, whose plain fields are rendered from here."""

    price_band_ppb: int = term("int64_t", "how far through the mark a user's order may be priced", RATE // 20)
    step_limit_ppb: int = term("int64_t", "how far from mark a step-down sells", RATE // 20)
    parcel_limit_ppb: int = term("int64_t", "how far from mark the fund pays for", RATE // 20)
    step_tiers: int = term("int32_t", "tiers a step-down goes back", 2)
    fee_isolated_low: bool = term("uint8_t", "whether the liquidation fee is part of each threshold", True)
    fee_isolated_full: bool = term("uint8_t", "", True)
    fee_isolated_own: bool = term("uint8_t", "", True)
    fee_cross_low: bool = term("uint8_t", "", None)
    fee_cross_full: bool = term("uint8_t", "", True)
    fee_cross_own: bool = term("uint8_t", "", None)
    funding_cap: bool = term("uint8_t", "funding alone never carries anybody below R_own", True)
    net_hedges: bool = term("uint8_t", "what both legs of a cross hedge have in common is closed first", True)
    orders: int = term("uint8_t", "OrderRule: how resting orders count in a cross domain's test")
    fund_share_ppb: int = term("int64_t", "the insurance fund's share of liquidation fees", RATE)
    funding_first: bool = term("uint8_t", "at a modelled settlement funding is paid before the margin check", True)
    fee_at_bankruptcy: bool = term("uint8_t", "the fee in a threshold is that of closing where equity is gone", False)
    at_threshold: bool = term("uint8_t", "a ratio equal to a threshold is below it", False)
    adl_rank: int = term("uint8_t", "AdlRank: who is deleveraged first")
    adl_price: int = term("uint8_t", "AdlPrice: at which price")
    adl_share: int = term("uint8_t", "AdlShare: how many lots of each")
    adl_winners_first: bool = term("uint8_t", "only positions with a profit are in the first pass of ADL", False)
    adl_trigger: int = term("uint8_t", "AdlTrigger: until when the fund pays in the book")
    drawdown_ppb: int = term("int64_t", "how far below its highest value the fund pays for nothing in the book")
    drawdown_window_ns: int = term("int64_t", "how long that value is remembered")
    surplus: int = term("uint8_t", "Surplus: who gets what the book pays beyond a parcel's cost")
    surplus_fee_ppb: int = term("int64_t", "the part of a fill's value that the fund keeps of its surplus")
    partial: int = term("uint8_t", "Partial: how many lots are closed in the trader's name")
    takeover_times: int = term("int64_t", "below this part of R_own a domain is taken over")
    takeover_parts: int = term("int64_t", "0: below the thresholds of tiers")
    cure_buffer_ppb: int = term("int64_t", "how far above R_own a cure goes")
    partial_share_ppb: int = term("int64_t", "of a position, in an order for a part")
    partial_above_units: int = term("int64_t", "of value; a position that is worth no more is closed wholly")
    partial_cooldown_ns: int = term("int64_t", "after an order for a part, in which an account's positions are closed wholly")
    steps: tuple[int, ...] = ()  # of a liquidation, in order (Step)

    words: ClassVar = (
        "orders",
        "fee_at_bankruptcy",
        "adl_rank",
        "adl_price",
        "adl_share",
        "adl_trigger",
        "surplus",
        "partial",
    )
    """A RuleSet has words for these."""
    made: ClassVar = (*words, "step_tiers", "net_hedges", "steps")
    """A RuleSet computes these from its own fields."""
    later: ClassVar = (
        "adl_rank", "adl_price", "adl_share", "adl_winners_first", "partial_cooldown_ns", "partial_above_units",
        "partial_share_ppb", "cure_buffer_ppb", "takeover_parts", "takeover_times", "partial", "surplus_fee_ppb", "surplus",
        "drawdown_window_ns", "drawdown_ppb", "adl_trigger",
    )  # fmt: skip
    """The configuration's digest tells of these only where they are not zero, as before there were any."""


Terms = InstrumentTerms | ModelTerms | LimitTerms | CallTerms | RuleTerms


def names_of(kind: type[Terms]) -> tuple[str, ...]:
    """Returns the names of all terms, in order."""
    return tuple(each.name for each in fields(kind))


def plain_of(kind: type[Terms]) -> tuple[str, ...]:
    """Returns the names of the terms that are one whole number each."""
    return tuple(each.name for each in fields(kind) if "c" in each.metadata)


def values_of(terms: Terms) -> tuple[Any, ...]:
    """Returns all terms in order, those of a price model, of limits and of calls inside those of their instrument.

    The configuration's digest hashes them. An instrument without limits or calls says nothing of them, as before there were
    any.
    """
    named = ((name, getattr(terms, name)) for name in names_of(type(terms)))
    values = (each for name, each in named if name not in ("limits", "calls") or each is not None)
    return tuple(values_of(each) if isinstance(each, ModelTerms | LimitTerms | CallTerms) else each for each in values)


_NONE: Any = dict.fromkeys(plain_of(RuleTerms), 0)
NO_MONEY = RuleTerms(**_NONE)
"""The rules of a Book."""
