"""Why an account was liquidated, in names and decimals: as text, as plain values, as a page.

Owns the rendering of the way in `witness/story`; `telling` renders the rest. Never finds anything out itself. Everything is
told once, in `to_dict`; text and page are made from that. Cost: that of the story.
"""

from typing import Any

from solvent.api import why_page, why_words
from solvent.api.names import name_of
from solvent.api.telling import Teller, check_events
from solvent.witness.life import NEEDS
from solvent.witness.story import Crossing, Episode, Reading, Story

__all__ = ["Why", "why"]


class Why:
    """Tells every liquidation of an account; str() is a page to read.

    account: its name. liquidations: a dict each, with plain values for JSON: amounts, prices and sizes as text in currency and
    contracts, times in nanoseconds (docs/reference/why.md). now: the account's margin as `explain` tells it.

    >>> from solvent import Exchange, Instrument
    >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
    >>> ex.deposit("alice", "USDT", 1_000)
    >>> ex.why("alice").liquidations
    []
    """

    __slots__ = ("account", "liquidations", "now")

    def __init__(self, account: str, liquidations: list[dict[str, Any]], now: str):
        self.account = account
        self.liquidations = liquidations
        self.now = now

    def to_dict(self) -> dict[str, Any]:
        """Returns everything as plain values for JSON."""
        return {"account": self.account, "liquidations": self.liquidations, "now": self.now}

    def to_html(self) -> str:
        """Returns one page of HTML with charts that needs no network and no script."""
        return why_page.page(self.to_dict())

    def __repr__(self) -> str:
        count = len(self.liquidations)
        return f"Why({self.account}, {count} liquidation{'' if count == 1 else 's'})"

    def __str__(self) -> str:
        if not self.liquidations:
            return f"{self.account} was never liquidated\n{self.now}"
        return "\n\n".join("\n".join(why_words.lines(self.account, each)) for each in self.liquidations)


def why(exchange: Any, account: int, before: int, after: int) -> Why:
    """Reads and renders the liquidations of an account."""
    check_events(exchange, NEEDS, "why")
    exchange = exchange._with_events()
    story = Story(exchange, exchange.events(view=True), account, before, after)
    teller = _Way(exchange.venue, exchange._kernel)
    told = [teller.episode(number, each) for number, each in enumerate(story.episodes, 1)]
    return Why(name_of(exchange._kernel, account), told, str(exchange.explain(account)))


class _Way(Teller):
    """Renders a story: a liquidation with the way to it."""

    def episode(self, number: int, each: Episode) -> dict[str, Any]:
        """Returns a liquidation as plain values."""
        currency = each.case.domain[0]
        return self.case(number, each.case) | {
            "path": [self._reading(reading, currency) for reading in each.path],
            "crossing": self._crossing(each.crossing, currency) if each.crossing else None,
        }

    def _reading(self, r: Reading, currency: int) -> dict[str, Any]:
        amounts = {
            "equity": r.equity, "full": r.full, "own": r.own, "slack": r.slack, "base": r.base, "profit": r.profit,
            "collateral": r.collateral, "accrued": r.accrued, "hold": r.hold,
        }  # fmt: skip
        return {
            "seq": r.seq, "time_ns": r.time_ns, "command": r.command, "cause": self._cause(r),
            "marks": {self._venue.instruments[i].name: self._ticks(i, ticks) for i, ticks in r.marks.items()},
            "sizes": {self._place(*key[1:]): self._lots(key[1], lots) for key, lots in r.sizes.items()},
        } | {name: self._money(units, currency) for name, units in amounts.items()}  # fmt: skip

    def _cause(self, r: Reading) -> str:
        if r.cause == "command":
            return "after " + self._command_word(r.kind)
        return f"{r.cause} of {self._venue.instruments[r.instrument].name}"

    def _crossing(self, c: Crossing, currency: int) -> dict[str, Any]:
        told = {
            "threshold": "R_own" if c.threshold == "own" else "R_full",
            "before": self._reading(c.before, currency) if c.before else None, "after": self._reading(c.after, currency),
            "price": c.price or None,
        }  # fmt: skip
        if not c.price:
            return told
        return told | {
            "instrument": self._venue.instruments[c.instrument].name,
            "from": self._ticks(c.instrument, c.from_ticks), "to": self._ticks(c.instrument, c.to_ticks),
            "healthy": self._ticks(c.instrument, c.healthy_ticks), "healthy_slack": self._money(c.healthy_units, currency),
            "crossed": self._ticks(c.instrument, c.crossed_ticks), "crossed_slack": self._money(c.crossed_units, currency),
        }  # fmt: skip
