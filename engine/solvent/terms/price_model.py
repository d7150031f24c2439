"""The source of an instrument's prices: its index, the model of its mark, its funding rate. Immutable and validated.

Owns the words and the integers of the models. The kernel computes them (docs/reference/prices.md) from what it was told, from
its own book and from command time. Never holds a price.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from solvent.schema.codes import InputError, WrongType, shown
from solvent.schema.limits import DAY_NS, PREMIUM_BOUND, PREMIUMS_MAX, RATE, SOURCES_MAX, WINDOW_MAX
from solvent.schema.terms import ModelTerms
from solvent.schema.words import Component, Premium, Weighting
from solvent.terms.decimals import Dec, decimal, members_of
from solvent.terms.spec import ALPHA_LEAST
from solvent.terms.tiers import rate_ppb

_COMPONENTS = {each.name.lower().removesuffix("_price"): each for each in Component if each.name}
_PREMIUMS = {each.name.lower().removesuffix("_alone"): each for each in Premium}
_WEIGHTS = {each.name.lower().removesuffix("_weights"): each for each in Weighting}


def _whole(value: object, what: str, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise InputError(f"{what}: {shown(value)} is not a whole number from {low} to {high}")
    return value


def _word(value: object, what: str, *words: str) -> None:
    if not isinstance(value, str) or value not in words:
        raise InputError(f"{what} is one of {', '.join(words)}, not {shown(value)}")


def _flags(words: Sequence[str], table: Mapping[str, int], what: str) -> int:
    found = members_of(words, str, what)
    if not found or not all(each in table for each in found):
        raise InputError(f"{what} is a list of {', '.join(table)}, not {shown(words)}")
    return sum({table[each] for each in found})


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """Describes an index: named constituents, each with a whole weight.

    stale_ns: a constituent without news for longer than this does not count. outlier: a constituent is wild if it is farther
    than this rate from the median of at least three live ones. wild: "drop" leaves it out, "clip" takes it at the edge. least:
    with fewer counting constituents the index keeps its last price (carry). method: "mean" (weighted) or "median" (weighted,
    Hyperliquid's oracle). external: a second set, contracts of other venues. Their weighted median is the mark's component
    "external".

    The event SOURCE_CHANGED tells when a constituent's state changes.

    >>> from solvent import Index
    >>> Index(sources={"spot-a": 2, "spot-b": 1}, outlier="0.03", wild="clip").least
    1
    """

    sources: Mapping[str, int]
    stale_ns: int = 10 * 10**9
    outlier: Dec = "0.05"
    wild: str = "drop"
    least: int = 1
    method: str = "mean"
    external: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.sources, Mapping) or not isinstance(self.external, Mapping):
            raise WrongType("sources and external of an index are weights by name, as {'spot': 1}")
        names = [*self.sources, *self.external]
        members_of(names, str, "names of constituents")
        if not self.sources or len(set(names)) != len(names) or len(names) > SOURCES_MAX:
            raise InputError(f"an index has 1 to {SOURCES_MAX} constituents of different names, not {shown(names)}")
        for name, weight in (*self.sources.items(), *self.external.items()):
            _whole(weight, f"weight of {name}", 1, 2**20)
        _whole(self.stale_ns, "stale_ns", 1, 2**62)
        _whole(self.least, "least", 1, len(self.sources))
        _word(self.wild, "wild", "drop", "clip")
        _word(self.method, "method", "mean", "median")
        if not rate_ppb(self.outlier, "outlier") > 0:
            raise InputError("outlier is a rate above 0")

    def compiled(self, terms: ModelTerms) -> ModelTerms:
        """Returns a model's terms with those of this index."""
        weights = tuple((w, 0) for w in self.sources.values()) + tuple((w, 1) for w in self.external.values())
        return replace(
            terms, sources=weights, stale_ns=self.stale_ns, outlier_ppb=rate_ppb(self.outlier, "outlier"),
            clips=int(self.wild == "clip"), least=self.least, takes_median=int(self.method == "median"),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """Describes how a funding rate is made from premiums, and when it is settled.

    premium: every sample of the mark model takes a premium P of the book over the index, within -bound to bound (dYdX; at most
    64).

    - "impact": (max(0, impact bid - index) - max(0, index - impact ask)) / index.
    - "impact_on_mark": the same around the mark, plus the mark's own premium (BitMEX).
    - "middle": (mid - index) / index (OKX).
    - "mark": (mark - index) / index (Vega).

    impact: the amount that the impact prices trade, in settlement currency, for an inverse contract in contracts. A thinner
    book has no impact price, and its side adds nothing. weights: "equal", "linear" (1 to n: later samples count more) or
    "index" (each sample counts by the index at its time; Vega).

    The rate is

        rate = (mean P + clamp(interest - mean P, -clamp, clamp)) * share, within -cap to cap

    clamp: a rate, or a pair of a lower and an upper bound (Vega). The rate is fixed cutoff_ns before the settlement.
    Settlements are at every whole interval_ns of the clock; later samples count for the next period. trailing: the mean takes
    this many last samples instead, whatever their period (OKX since 2024); weights are equal then. delayed: the rate is
    charged a period later (BitMEX). notional: the rate is paid on the value at "mark" or at "index" (Hyperliquid's oracle).
    margin: the part of accrued funding that maintenance and initial margin ask of whoever will pay it (Vega's margin funding
    factor).

    Sources: liquidation rules, 9, 12.2.

    >>> from solvent import Funding
    >>> Funding(premium="middle", weights="equal", cap="0.00375").cap
    '0.00375'
    """

    interval_ns: int = 8 * 3_600 * 10**9
    premium: str = "impact"
    impact: Dec = 25_000
    weights: str = "linear"
    bound: Dec = 1
    interest: Dec = "0.0001"
    clamp: Dec | tuple[Dec, Dec] = "0.0005"
    share: tuple[int, int] = (1, 1)
    cap: Dec = "0.02"
    cutoff_ns: int = 0
    trailing: int = 0
    delayed: bool = False
    notional: str = "mark"
    margin: Dec = 0

    def __post_init__(self) -> None:
        _whole(self.interval_ns, "interval_ns", 10**9, DAY_NS)
        _whole(self.cutoff_ns, "cutoff_ns", 0, self.interval_ns - 1)
        for word, table in ((self.premium, _PREMIUMS), (self.weights, _WEIGHTS)):
            if not isinstance(word, str) or word not in table:
                raise InputError(f"{shown(word)} is none of {', '.join(table)}")
        if type(self.delayed) is not bool:
            raise InputError(f"delayed is a bool, not {shown(self.delayed)}")
        if not self._bound() or (self.weights == "index" and decimal(self.bound, "bound") != 1):
            raise InputError("a bound of premiums is above 0, and 1 where they are weighted by the index")
        if len(members_of(self.share, int, "share")) != 2:
            raise InputError(f"share is a numerator and a denominator, not {shown(self.share)}")
        for part in self.share:
            _whole(part, "share", 1, 10**6)
        if _whole(self.trailing, "trailing", 0, PREMIUMS_MAX) and self.weights != "equal":
            raise InputError("a trailing mean has equal weights")
        _word(self.notional, "notional", "mark", "index")
        rate_ppb(self.interest, "interest", lowest=-RATE)
        low, high = self._clamps()
        if low > high:
            raise InputError(f"the lower clamp is above the upper one: {shown(self.clamp)}")
        rate_ppb(self.margin, "margin of accrued funding")
        if not 0 < rate_ppb(self.cap, "cap") < RATE:
            raise InputError("cap is a rate above 0 and below 1")

    def _bound(self) -> int:
        return rate_ppb(self.bound, "bound", highest=PREMIUM_BOUND * RATE)

    def _clamps(self) -> tuple[int, int]:
        if isinstance(self.clamp, tuple):
            if len(self.clamp) != 2:
                raise InputError(f"clamp is a rate, or a lower and an upper one, not {shown(self.clamp)}")
            low, high = (rate_ppb(each, "clamp", lowest=-RATE) for each in self.clamp)
            return low, high
        return -rate_ppb(self.clamp, "clamp"), rate_ppb(self.clamp, "clamp")

    def compiled(self, terms: ModelTerms, impact: int) -> ModelTerms:
        """Returns a model's terms with those of this funding. impact: in units, or lots of an inverse contract."""
        low, high = self._clamps()
        return replace(
            terms, interval_ns=self.interval_ns, cutoff_ns=self.cutoff_ns, premium=_PREMIUMS[self.premium], impact=impact,
            weighting=_WEIGHTS[self.weights], bound_ppb=self._bound(),
            interest_ppb=rate_ppb(self.interest, "interest", lowest=-RATE), lowest_ppb=low, highest_ppb=high,
            cap_ppb=rate_ppb(self.cap, "cap"), share_up=self.share[0], share_down=self.share[1],
            delayed=int(self.delayed), trailing=self.trailing, at_index=int(self.notional == "index"),
            margin_ppb=rate_ppb(self.margin, "margin of accrued funding"),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceModel:
    """Describes how an instrument's mark price is computed: the median of its components, the mean if there are two.

    - "index": the index price.
    - "fair": index * (1 + funding rate * time left / interval).
    - "basis_mean", "basis_ema": index + the mean, or the moving average, of mid - index over samples.
    - "basis_annual": index * (1 + mean of the basis a year * time to expiry), for a dated contract.
    - "last": the last trade.
    - "book": the median of bid, ask and last.
    - "external": the weighted median of the index's second set.

    A component without data is left out. Binance: fair, basis_mean, last. BitMEX: fair. OKX: basis_mean. Deribit: basis_ema.
    Delta: basis_annual. Hyperliquid: basis_ema, book, external (liquidation rules, 12.1).

    sample_ns: the book is sampled at every whole sample_ns of the clock. window: samples of the mean. alpha: weight of a new
    sample in the moving average, 2 / (n + 1) for n samples. band: the mark stays within this rate of the index. index: the
    index with its constituents; None: the index is handed in (Exchange.index). funding: None: rates are handed in.

    The mark is computed whenever time advances or an index price comes in. Exchange.mark is then refused.

    >>> from solvent import PriceModel
    >>> PriceModel(components=["basis_ema"], band="0.05").window
    30
    """

    components: Sequence[str] = ("fair", "basis_mean", "last")
    sample_ns: int = 5 * 10**9
    window: int = 30
    alpha: Dec = "0.064516129"
    band: Dec | None = None
    index: Index | None = None
    funding: Funding | None = None

    def __post_init__(self) -> None:
        _flags(self.components, _COMPONENTS, "components")
        if not isinstance(self.index, Index | None) or not isinstance(self.funding, Funding | None):
            raise WrongType(
                f"index is an Index or None, funding a Funding or None, not {shown(self.index)} and {shown(self.funding)}"
            )
        if "external" in self.components and not (self.index and self.index.external):
            raise InputError("the component 'external' needs an index with a second set of sources")
        _whole(self.sample_ns, "sample_ns", 10**6, DAY_NS)
        _whole(self.window, "window", 1, WINDOW_MAX)
        if not rate_ppb(self.alpha, "alpha") >= ALPHA_LEAST:
            raise InputError(f"alpha {shown(self.alpha)} is not a rate from 0.001 to 1")
        if self.band is not None and not 0 < rate_ppb(self.band, "band") < RATE:
            raise InputError("band is a rate above 0 and below 1, or None")
        if self.funding and self.sample_ns > self.funding.interval_ns:
            raise InputError("a funding interval has at least one sample")

    def compiled(self, impact: int) -> ModelTerms:
        """Returns the model as a kernel takes it. impact: in units, or lots of an inverse contract."""
        terms = ModelTerms(
            components=_flags(self.components, _COMPONENTS, "components"), sample_ns=self.sample_ns, window=self.window,
            alpha_ppb=rate_ppb(self.alpha, "alpha"), band_ppb=0 if self.band is None else rate_ppb(self.band, "band"),
        )  # fmt: skip
        terms = self.index.compiled(terms) if self.index else terms
        return self.funding.compiled(terms, impact) if self.funding else terms
