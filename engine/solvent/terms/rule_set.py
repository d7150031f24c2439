"""RuleSet: the parameters of docs/explanation/semantics.md as validated data. Kernels apply them; nothing here decides."""

from dataclasses import dataclass, fields
from itertools import pairwise

from solvent.schema.codes import InputError, shown
from solvent.schema.limits import RATE
from solvent.schema.terms import RuleTerms, names_of
from solvent.schema.words import AdlPrice, AdlRank, AdlShare, AdlTrigger, OrderRule, Partial, Step, Surplus

_ORDERS = {"ignored": OrderRule.IGNORED, "notional": OrderRule.BY_NOTIONAL, "fee": OrderRule.BY_FEE}
_WORDS: dict[str, dict[str, int]] = {  # a field and its words
    "adl_rank": {each.name[3:].lower(): each for each in AdlRank},
    "adl_price": {each.name[3:].lower(): each for each in AdlPrice},
    "adl_share": {"queue": AdlShare.IN_QUEUE, "pro_rata": AdlShare.PRO_RATA, "minmax": AdlShare.MINMAX},
    "adl_trigger": {"empty": AdlTrigger.WHEN_EMPTY, "always": AdlTrigger.AT_ONCE, "drawdown": AdlTrigger.BY_DRAWDOWN},
    "surplus": {"fund": Surplus.TO_FUND, "trader": Surplus.TO_TRADER},
    "partial": {"tiers": Partial.BY_TIERS, "cure": Partial.BY_CURE, "fraction": Partial.BY_FRACTION},
}
STEPS = tuple(step.name.lower() for step in Step)
"""The steps of a liquidation in their order: those of a margin domain, of a parcel, and of a wallet below zero."""
_OPTIONAL = ("net", "step_down")
_ALL_LOW = 2**31 - 1  # tiers: no table has so many


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """Holds the parameters of docs/explanation/semantics.md: thresholds, steps, bands.

    fee_*: True if the liquidation fee is part of a threshold. Per margin mode there are three: low (tiers 1 to step_tiers),
    and for higher tiers full (takeover) and own (step-down). *_ppb: distances from mark as rates over 10**9. price_band bounds
    users' orders, step_limit bounds step-downs, parcel_limit bounds what the fund pays for.

    funding_cap: a funding charge never carries an account below R_own, so that funding alone liquidates nobody (OKX help
    360053909272). net_hedges: before anything of a cross account is sold, the common part of its two legs in an instrument is
    closed at mark. orders: how resting orders count in the test of a cross account: "ignored", "notional" (the value of the
    dearer side is added to the position's: OKEx 2019) or "fee" (its fee is taken from equity: OKX unified).

    fund_share_ppb: the insurance fund's share of liquidation fees, over 10**9; the rest is an ordinary fee. funding_first: at
    a settlement of a price model, funding is paid before the margin check, else after it. fee_at: the fee in a threshold is
    that of closing at "mark", or at "bankruptcy", where the equity of the domain would be gone (Bybit; not with funding_cap).
    at_threshold: a ratio equal to a threshold counts as below it (OKX unified: "at or below 100 %").

    adl_rank: who is deleveraged first: "roi_mr" (OKX, and the same as BitMEX for isolated positions), "pnl_efflev" (BitMEX),
    "binance", "pnl_leverage" (Bybit), "return" or "sided_return" (Hyperliquid), "account" (by number alone),
    "entry" (the worst entry price: Dango).

    adl_price: the price at which a parcel then closes: "bankruptcy", "mark", "previous" (the mark before the last one) or
    "capped" (bankruptcy price or mark, what is better for the parcel). The fund pays what a parcel then loses, after it the
    deficit. adl_share: the lots that each counterparty loses: "queue" (by rank, each wholly), "pro_rata" (by size, largest
    remainder) or "minmax" (the greatest part that anybody loses is as small as can be). adl_winners_first: positions without a
    profit come in the last pass. adl_trigger: a parcel without value is sold in the book while the fund pays ("empty"), or its
    rest closes against counterparties at once ("always"). With "drawdown" it does so while the fund is drawdown_ppb or more
    below its highest value of the last drawdown_window_ns.

    partial: how many lots are closed in the trader's name below R_own: those beyond a tier ("tiers"), as few as leave the
    domain at R_own and cure_buffer_ppb of it ("cure"), or partial_share_ppb of a position ("fraction"). A fraction is all of
    it where it is worth partial_above_units at most, and for partial_cooldown_ns after an order for a part. With "cure" and
    "fraction" a domain is taken over below takeover_times / takeover_parts of R_own, and each tier asks for its own rate.

    surplus: what the book pays for a parcel beyond its cost is the "fund"'s, or the "trader"'s who was taken over.
    surplus_fee_ppb: the part of a fill's value, over 10**9, that the fund keeps of the trader's surplus, if there is so much.

    steps: the steps for a margin domain below R_own, and for what the house takes from it, in order. A table may leave out net
    (as net_hedges=False does) and step_down. Without step_down every tier is a low one, and a domain below R_own is taken
    over.

    open_points: what the source leaves open, or what of it is not built. It changes nothing, and is part of no digest.

    >>> from solvent import RuleSet
    >>> mine = RuleSet(name="mine", source="my own", fee_cross_low=True, fee_cross_own=True, step_tiers=1)
    >>> mine.orders, mine.nets
    ('ignored', True)
    """

    name: str
    source: str
    # rendered: rules
    price_band_ppb: int = RATE // 20
    step_limit_ppb: int = RATE // 20
    parcel_limit_ppb: int = RATE // 20
    step_tiers: int = 2
    fee_isolated_low: bool = True
    fee_isolated_full: bool = True
    fee_isolated_own: bool = True
    fee_cross_low: bool
    fee_cross_full: bool = True
    fee_cross_own: bool
    funding_cap: bool = True
    net_hedges: bool = True
    fund_share_ppb: int = RATE
    funding_first: bool = True
    at_threshold: bool = False
    adl_winners_first: bool = False
    drawdown_ppb: int = 0
    drawdown_window_ns: int = 0
    surplus_fee_ppb: int = 0
    takeover_times: int = 0
    takeover_parts: int = 0
    cure_buffer_ppb: int = 0
    partial_share_ppb: int = 0
    partial_above_units: int = 0
    partial_cooldown_ns: int = 0
    # rendered: end
    orders: str = "ignored"
    fee_at: str = "mark"
    adl_rank: str = "roi_mr"
    adl_price: str = "bankruptcy"
    adl_share: str = "queue"
    adl_trigger: str = "empty"
    surplus: str = "fund"
    partial: str = "tiers"
    steps: tuple[str, ...] = STEPS
    open_points: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        bands = (self.price_band_ppb, self.step_limit_ppb, self.parcel_limit_ppb)
        if any(type(band) is not int or not 0 <= band < RATE for band in bands):
            raise InputError(f"rule set {self.name}: bands are ints from 0 to below 10**9")
        for each in fields(self):
            if each.type is bool and type(getattr(self, each.name)) is not bool:
                raise InputError(f"rule set {self.name}: {each.name} is a bool, not {shown(getattr(self, each.name))}")
        if not isinstance(self.orders, str) or self.orders not in _ORDERS:
            raise InputError(f"rule set {self.name}: orders count as one of {', '.join(_ORDERS)}, not {shown(self.orders)}")
        for name, known in _WORDS.items():
            said = getattr(self, name)
            if not isinstance(said, str) or said not in known:
                raise InputError(f"rule set {self.name}: {name} is one of {', '.join(known)}, not {shown(said)}")
        if not isinstance(self.fee_at, str) or self.fee_at not in ("mark", "bankruptcy"):
            raise InputError(f"rule set {self.name}: fee_at is 'mark' or 'bankruptcy', not {shown(self.fee_at)}")
        if self.fee_at == "bankruptcy" and self.funding_cap:
            raise InputError(
                f"rule set {self.name}: what funding takes moves the bankruptcy price, so no cap fits; funding_cap=False"
            )
        if type(self.open_points) is not tuple or any(not isinstance(each, str) for each in self.open_points):
            raise InputError(f"rule set {self.name}: open_points is a tuple of sentences, not {shown(self.open_points)}")
        if type(self.fund_share_ppb) is not int or not 0 <= self.fund_share_ppb <= RATE:
            raise InputError(f"rule set {self.name}: the fund's share is an int from 0 to 10**9")
        if type(self.surplus_fee_ppb) is not int or not 0 <= self.surplus_fee_ppb <= RATE:
            raise InputError(f"rule set {self.name}: surplus_fee_ppb is an int from 0 to 10**9")
        if self.surplus_fee_ppb and self.surplus == "fund":
            raise InputError(f"rule set {self.name}: the fund has the whole surplus; a fee of it needs surplus='trader'")
        if type(self.step_tiers) is not int or self.step_tiers < 1:
            raise InputError(f"rule set {self.name}: step_tiers is a whole number from 1 up")
        self._check_steps()
        self._check_partial()
        self._check_trigger()

    def _check_trigger(self) -> None:
        """Refuses numbers of a drawdown that are missing, out of range, or without one."""
        for name, top in (("drawdown_ppb", RATE), ("drawdown_window_ns", 10**18)):
            said, least = getattr(self, name), int(self.adl_trigger == "drawdown")
            if type(said) is not int or not 0 <= said <= top:
                raise InputError(f"rule set {self.name}: {name} is an int from 0 to {top}")
            if (said > 0) != least:
                raise InputError(f"rule set {self.name}: {name} belongs to adl_trigger='drawdown', which needs it above 0")

    def _check_partial(self) -> None:
        """Refuses numbers of a partial closing that are missing, out of range, or of another policy."""
        most = {
            "partial_cooldown_ns": 10**18, "partial_above_units": 10**18, "partial_share_ppb": RATE, "cure_buffer_ppb": RATE,
            "takeover_parts": 10**9, "takeover_times": 10**9,
        }  # fmt: skip
        for name, top in most.items():
            if type(getattr(self, name)) is not int or not 0 <= getattr(self, name) <= top:
                raise InputError(f"rule set {self.name}: {name} is an int from 0 to {top}")
        needed = {
            "tiers": (), "cure": ("takeover_times", "takeover_parts", "cure_buffer_ppb"),
            "fraction": tuple(name for name in most if name != "cure_buffer_ppb"),
        }[self.partial]  # fmt: skip
        for name in most:
            if name not in needed and getattr(self, name):
                raise InputError(f"rule set {self.name}: {name} does nothing with partial={self.partial!r}")
        if self.partial == "tiers":
            return
        if not self.takeover_times < self.takeover_parts:
            raise InputError(f"rule set {self.name}: below R_own means takeover_times below takeover_parts")
        if self.partial == "fraction" and not self.partial_share_ppb:
            raise InputError(f"rule set {self.name}: partial='fraction' needs partial_share_ppb from 1 to 10**9")
        if "step_down" not in self.steps or self.fee_at != "mark":
            raise InputError(f"rule set {self.name}: partial={self.partial!r} needs the step step_down, and fee_at='mark'")

    def _check_steps(self) -> None:
        """Refuses a table that names a step twice, in vain or too early, or lacks one that another needs."""
        if type(self.steps) is not tuple or any(not isinstance(step, str) or step not in STEPS for step in self.steps):
            raise InputError(f"rule set {self.name}: steps is a tuple of {', '.join(STEPS)}, not {shown(self.steps)}")
        for step in STEPS:
            if step not in self.steps and step not in _OPTIONAL:
                raise InputError(f"rule set {self.name}: steps has no {step}; only {' and '.join(_OPTIONAL)} may be left out")
            if self.steps.count(step) > 1:
                raise InputError(f"rule set {self.name}: steps has {step} more than once")
        for first, second in pairwise(self.steps):
            if STEPS.index(first) > STEPS.index(second):
                raise InputError(f"rule set {self.name}: in steps {second} comes before {first}")

    @property
    def nets(self) -> bool:
        """True if hedges are netted: the table has that step, and net_hedges does not leave it out."""
        return self.net_hedges and "net" in self.steps

    @property
    def low_tiers(self) -> int:
        """Returns the number of tiers, from the first one, from which a position is not stepped down."""
        if self.partial != "tiers":
            return 0
        return self.step_tiers if "step_down" in self.steps else _ALL_LOW

    def identity(self) -> tuple[object, ...]:
        """Returns what stands for the rules in a state's digest. The usual table of steps and policies are left out."""
        terms = self.compiled()
        said = tuple(getattr(terms, name) for name in names_of(RuleTerms) if name not in (*RuleTerms.later, "steps"))
        table = () if self.steps == STEPS else (terms.steps,)
        return said + table + tuple((name, int(getattr(terms, name))) for name in RuleTerms.later if getattr(terms, name))

    def compiled(self) -> RuleTerms:
        """Returns the rules as a kernel takes them."""
        same = {name: getattr(self, name) for name in names_of(RuleTerms) if name not in RuleTerms.made}
        same |= {name: known[getattr(self, name)] for name, known in _WORDS.items()}
        return RuleTerms(
            **same, orders=_ORDERS[self.orders], fee_at_bankruptcy=self.fee_at == "bankruptcy", step_tiers=self.low_tiers,
            net_hedges=self.nets, steps=tuple(Step[step.upper()] for step in self.steps if step != "net" or self.nets),
        )  # fmt: skip
