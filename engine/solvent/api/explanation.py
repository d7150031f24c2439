"""`explain`: every term behind a margin ratio, and what a liquidation would do next, in the words of the rule set.

Owns these words. Never computes what an account needs or has: the kernel's rows say it, and `ranks` says who is first in line.
Cost: that of the account's rows; with something open, that of the ranks of its instruments.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from solvent.api.names import name_of
from solvent.api.ranks import ranks
from solvent.api.venue import Venue
from solvent.api.views import PositionView, WalletView, position_of, ratio, title, wallets
from solvent.schema.codes import InputError
from solvent.schema.rows import DomainRow, PositionRow
from solvent.schema.words import Mode, Purse, Verdict
from solvent.terms.decimals import PPB, from_fraction, from_units, plain
from solvent.terms.rule_set import RuleSet

__all__ = ["DomainView", "Explanation", "explain"]

FIRST_SHOWN = 3  # accounts in line


@dataclass(frozen=True, slots=True)
class DomainView:
    """Shows the ratio test of one isolated position, or of all cross positions of one currency.

    rules: the name of the rule set. equity: margin or cash, plus unrealised profit. full, own: the requirements R_full
    (takeover below it) and R_own (step-down below it). ratio: equity / R_own, to nine decimals, None where nothing is asked;
    below 1 the next step begins. next: the step that a test now, at these marks, would take. unwinding: what the house does
    with what it takes. adl: how the rest is closed, and by which rank. first_in_line: by position, the accounts that ADL would
    close first, None where ranks are not told
    (`Exchange.ranks`).
    """

    title: str
    mode: str
    currency: str
    base: Decimal
    upl: Decimal
    equity: Decimal
    value: Decimal
    full: Decimal
    own: Decimal
    rules: str
    ratio: Decimal | None
    next: str
    unwinding: str
    adl: str
    first_in_line: tuple[tuple[str, ...] | None, ...]
    positions: tuple[PositionView, ...]
    rates: tuple[tuple[Decimal, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Explains every term of an account's margin; str() is a page to read."""

    account: str
    wallets: dict[str, WalletView]
    domains: tuple[DomainView, ...]

    def __str__(self) -> str:
        lines = [f"account {self.account}"]
        for w in self.wallets.values():
            cash, hold, free, withdrawable = map(plain, (w.cash, w.hold, w.free, w.withdrawable))
            lines.append(f"  wallet: cash {cash}, holds {hold}, free {free}, withdrawable {withdrawable} {w.currency}")
        for d in self.domains:
            lines += self._lines_of(d)
        if not self.domains:
            lines.append("  no open position")
        return "\n".join(lines)

    def _lines_of(self, d: DomainView) -> Iterator[str]:
        """Yields the lines of a domain."""
        yield f"  {d.title}, rules {d.rules}"
        counted = self.wallets[d.currency].collateral if d.mode == "cross" else Decimal(0)
        base = f"{'margin' if d.mode == 'isolated' else 'cash'} {plain(from_fraction(Fraction(d.base) - Fraction(counted)))}"
        backed = f" + collateral {plain(counted)}" if counted else ""
        yield f"    equity {plain(d.equity)} = {base}{backed} + profit {plain(d.upl)} {d.currency}"
        for p, (full, own) in zip(d.positions, d.rates, strict=True):
            rates = f"threshold {plain(full)}" + (f", step down {plain(own)}" if own > full else "")
            yield (
                f"    {p.instrument}: {p.side} {plain(p.size.copy_abs())} at entry {_price(p.entry_price)}, "
                f"mark {_price(p.mark_price)}, value {plain(p.value)}, tier {p.tier}, {rates}"
            )
            yield f"      liquidation price {_price(p.liquidation_price, 'none')} (other marks held)"
            yield f"      if taken over now, at its bankruptcy price {_price(p.bankruptcy_price)}"
        step = f", step down below {plain(d.own)}" if d.own > d.full else ""
        told = "" if d.ratio is None else f"; equity / requirement {plain(d.ratio)}"
        yield f"    takeover below {plain(d.full)}{step}{told}"
        yield f"    next: {d.next}"
        yield f"    after a takeover: {d.unwinding}"
        yield f"    ADL: {d.adl}"
        for p, names in zip(d.positions, d.first_in_line, strict=True):
            if names is not None:
                yield f"      against {p.instrument} {p.side}: first {', '.join(names) or 'nobody'}"


def _price(price: Decimal | None, none: str = "None") -> str:
    return none if price is None else plain(price)


# --- the words of a rule set

_PERCENT = Decimal("0.0000001")  # a rate over 10**9

_PRICES = {
    "bankruptcy": "at the bankruptcy price", "mark": "at the mark", "previous": "at the mark before the last one",
    "capped": "at the bankruptcy price, or at the mark if that is better for the house",
}  # fmt: skip
_RANKS = {
    "roi_mr": "profit over cost, times value over equity",
    "pnl_efflev": "profit over cost, times its own value over its equity",
    "binance": "profit over wallet, times requirement over equity", "pnl_leverage": "profit over cost, times the leverage set",
    "return": "mark over entry, times value over equity",
    "sided_return": "mark over entry (a short: entry over mark), times value over equity",
    "account": "the number of the account", "entry": "the entry price, the worst first",
}  # fmt: skip
_SHARES = {
    "queue": "one after the other", "pro_rata": "from all in proportion to their sizes,",
    "minmax": "so that the largest part that anybody loses is smallest,",
}  # fmt: skip


def _next(rules: RuleSet, row: DomainRow, what: str) -> str:
    """Returns the step that a test now would take."""
    if row.verdict == Verdict.SAFE:
        return "nothing; equity covers both requirements"
    begin = "orders cancelled" + (", hedges netted" if rules.nets and row.mode == Mode.CROSS else "")
    if row.verdict == Verdict.FULL:
        return f"{begin}, then takeover of {what} at the bankruptcy price"
    part = f"{plain(from_units(rules.partial_share_ppb, _PERCENT))} % of the largest position, or all of it, is sold"
    if rules.partial == "cure":
        part = "as few lots are sold as cover the requirement"
    if rules.partial == "tiers":
        part = f"a step down by {rules.step_tiers} tier{'' if rules.step_tiers == 1 else 's'}"
    waits = "; it found no fill and waits for the next mark" if row.stuck else ""
    return f"{begin}, then {part} through the book{waits}"


def _unwinding(rules: RuleSet, fund: str) -> str:
    """Returns what the house does with what it took."""
    fall = plain(from_units(rules.drawdown_ppb, _PERCENT))
    sold = {
        "empty": f"sold while the fund ({fund}) pays", "always": "closed by ADL at once",
        "drawdown": f"sold while the fund ({fund}) is less than {fall} % below its highest",
    }[rules.adl_trigger]  # fmt: skip
    return f"offered at the bankruptcy price; once worth nothing at mark, {sold}"


def _adl(rules: RuleSet) -> str:
    """Returns how ADL closes what nobody buys."""
    last = "; who has no profit comes last" if rules.adl_winners_first else ""
    return f"the rest {_PRICES[rules.adl_price]}, {_SHARES[rules.adl_share]} by {_RANKS[rules.adl_rank]}{last}"


# --- building


def _first(venue: Venue, kernel: Any, row: PositionRow) -> tuple[str, ...] | None:
    """Returns who would be deleveraged first if a position were the house's."""
    try:
        other = [each for each in ranks(venue, kernel, row.instrument) if (each.size > 0) != (row.size_lots > 0)]
    except InputError:  # a rank that rows do not tell
        return None
    return tuple(each.account for each in other[:FIRST_SHOWN])


def _domain(venue: Venue, kernel: Any, owner: str, row: DomainRow, held: list[PositionRow]) -> DomainView:
    unit, settle, isolated = venue.units[row.currency], venue.currency_names[row.currency], bool(row.mode)
    what = "the position" if isolated else f"all cross positions in {settle}"
    fund = f"{plain(from_units(kernel.wallet(int(Purse.FUND), row.currency)[0], unit))} {settle}"
    return DomainView(
        title=f"isolated {title(venue, row.instrument, row.leg)}" if isolated else f"cross {settle}",
        mode="isolated" if isolated else "cross", currency=settle,
        base=from_units(row.base_units, unit), upl=from_units(row.equity_units - row.base_units, unit),
        equity=from_units(row.equity_units, unit), value=from_units(row.value_units, unit),
        full=from_units(row.full_units, unit), own=from_units(row.own_units, unit), rules=venue.rules.name,
        ratio=ratio(row.equity_units, row.own_units) if row.own_units > 0 else None, next=_next(venue.rules, row, what),
        adl=_adl(venue.rules),
        unwinding=_unwinding(venue.rules, fund),
        first_in_line=tuple(_first(venue, kernel, each) for each in held),
        positions=tuple(position_of(venue, owner, each) for each in held),
        rates=tuple((from_units(each.full_ppb, PPB), from_units(each.own_ppb, PPB)) for each in held),
    )  # fmt: skip


def _held(venue: Venue, rows: list[PositionRow], domain: DomainRow) -> list[PositionRow]:
    """Picks the open positions of a margin domain."""
    if domain.mode == Mode.ISOLATED:
        return [row for row in rows if (row.instrument, row.leg) == (domain.instrument, domain.leg)]
    settle = venue.currency_names[domain.currency]
    cross = (row for row in rows if row.size_lots and row.mode == Mode.CROSS)
    return [row for row in cross if venue.instruments[row.instrument].settle == settle]


def explain(venue: Venue, kernel: Any, account: int) -> Explanation:
    """Renders every term of an account's margin."""
    owner, rows = name_of(kernel, account), [PositionRow(*row) for row in kernel.position_rows(account)]
    domains = [DomainRow(*row) for row in kernel.domain_rows(account)]
    told = tuple(_domain(venue, kernel, owner, each, _held(venue, rows, each)) for each in domains)
    return Explanation(owner, wallets(venue, kernel, account), told)
