"""An instrument's calls and its band: ties, reference, range, extensions, freeze, effect. Immutable and validated."""

from dataclasses import dataclass

from solvent.schema.terms import CallTerms
from solvent.schema.words import BandEffect, CallTie, Source
from solvent.terms.decimals import Dec
from solvent.terms.order_words import any_int, flag_of, word
from solvent.terms.tiers import rate_ppb

__all__ = ["Calls"]

_TIES = {"pressure": CallTie.PRESSURE, "nearest": CallTie.NEAREST, "mid": CallTie.MIDWAY}
_REFERENCES = {"mark": Source.BY_MARK, "last": Source.BY_LAST, "index": Source.BY_INDEX}
_FEES = {"taker": 0, "maker": 1}
_THEN = {"uncross": 0, "halt": 1}
_EFFECTS = {
    "reject": BandEffect.REFUSE_BEYOND, "slide": BandEffect.SLIDE_BEYOND, "halt": BandEffect.HALT_BEYOND,
    "auction": BandEffect.CALL_BEYOND,
}  # fmt: skip
_LIQUIDATION = {"immediate": 0, "deferred": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Says how an instrument's calls end, what its band does, and whether liquidation waits (docs/reference/states.md).

    tie: how the price of an uncross is chosen among those that trade the most and leave the least: "pressure", "nearest" or
    "mid". reference: "mark", "last" or "index"; without that price yet, the mark. fee: which fee both sides of an uncross pay,
    "taker" or "maker". indications: False tells no price, volume and surplus while a call lasts. freeze_ns: before the end of
    a call no resting order is amended or cancelled.

    range: how far from the reference an auction that ends by itself may uncross, a rate (0: anywhere). Out of range it goes on
    for extension_ns, most_extensions times. then: "uncross" it anyway after that, or "halt".

    band: what an order does whose price is beyond the rule set's band around the mark: "reject", "slide" to the edge, "halt"
    or "auction". The last two trade to the edge. An order that would trade on halts the market or begins an auction of
    call_ns, in which its rest takes part. liquidation: "immediate", or "deferred": outside continuous trading nobody whose
    domain has a position here is liquidated.

    >>> from solvent import Calls
    >>> Calls(tie="nearest", range="0.05", extension_ns=60 * 10**9).most_extensions
    2
    """

    tie: str = "pressure"
    reference: str = "mark"
    fee: str = "taker"
    indications: bool = True
    freeze_ns: int = 0
    range: Dec = 0
    extension_ns: int = 0
    most_extensions: int = 2
    then: str = "uncross"
    band: str = "reject"
    call_ns: int = 0
    liquidation: str = "immediate"

    def __post_init__(self) -> None:
        self.compiled()

    def compiled(self) -> CallTerms | None:
        """Returns the terms in numbers, None if all are the usual ones. Raises InputError for an unknown word."""
        extends = rate_ppb(self.range, "range")
        for name in ("freeze_ns", "extension_ns", "most_extensions", "call_ns"):
            any_int(getattr(self, name), name)
        terms = CallTerms(
            range_ppb=extends, extension_ns=self.extension_ns, freeze_ns=self.freeze_ns, call_ns=self.call_ns,
            most_extensions=self.most_extensions if extends else 0, tie=word(_TIES, self.tie, "tie"),
            reference=word(_REFERENCES, self.reference, "reference"), maker_fees=word(_FEES, self.fee, "fee"),
            silent=int(not flag_of(self.indications, "indications")), halts=word(_THEN, self.then, "then"),
            beyond_band=word(_EFFECTS, self.band, "band"), deferred=word(_LIQUIDATION, self.liquidation, "liquidation"),
        )  # fmt: skip
        return None if terms == CallTerms() else terms


def failures(m: CallTerms | None, latest_ns: int) -> list[str]:
    """Returns what terms of calls may not be; latest_ns: the bound of all times."""
    if m is None:
        return []
    words = {m.maker_fees, m.silent, m.halts, m.deferred}
    checks = {
        "terms of calls say something; without any there are none": m != CallTerms(),
        "words of calls have numbers of their own": m.tie in list(CallTie) and m.reference in _REFERENCES.values()
        and m.beyond_band in list(BandEffect) and words <= {0, 1},
        "the range of a call is a rate below 1, and with it extensions last": 0 <= m.range_ppb < 10**9
        and 0 <= m.most_extensions <= 1_000 and 0 <= m.extension_ns < latest_ns
        and (m.range_ppb > 0) == (m.extension_ns > 0) and (m.range_ppb > 0 or not (m.most_extensions or m.halts)),
        "a freeze has a length from 0": 0 <= m.freeze_ns < latest_ns,
        "an auction that a band begins has a length, and only that": 0 <= m.call_ns < latest_ns
        and (m.call_ns > 0) == (m.beyond_band == BandEffect.CALL_BEYOND),
    }  # fmt: skip
    return [what for what, holds in checks.items() if not holds]
