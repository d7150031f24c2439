"""The admission of fills: equity and requirement of a margin domain before and after (SAFE-1, SAFE-2, decision 0013).

Owns the judgement of every fill before it is posted. Owns a domain's requirement, a position's share of equity and the loss it
may bear. Never writes for good: a fill is tried on the rows, which are restored. Invariant: an opening fill leaves no domain
of its owner below R_own, or further below it. A closing fill costs no more than the domain has. Cost: a judgement reads the
domains of the fill once.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from solvent.schema.terms import RuleTerms
from solvent.schema.words import Basis, Mode, Side
from solvent.twin.account import domain, margin
from solvent.twin.account.ledger import Collateral, Effect, Fill, Ledger, Position
from solvent.twin.account.margin import Requirement
from solvent.twin.base.integers import trunc_div
from solvent.twin.contract import valuation

LIFTS_MAX = 64
"""Bounds the rounds that raise a margin to a threshold that rises with it (a short's fee at bankruptcy)."""


class Admission:
    def __init__(self, ledger: Ledger, rules: RuleTerms):
        self.ledger = ledger
        self.contracts = ledger.contracts
        self.rules = rules

    # --- a domain as it is

    def requirement(self, account: int, currency: int, p: Position | None) -> Requirement:
        """Returns the requirement of one isolated position, or of the cross domain."""
        if p is not None:
            return margin.requirement(self.rules, self.contracts, p.margin, [p])
        cash = domain.backing(self.ledger, account, currency)
        held = self.ledger.domain_of if self.rules.orders else self.ledger.cross_of
        return margin.requirement(self.rules, self.contracts, cash, held(account, currency))

    def domain_of(self, p: Position) -> Requirement:
        """Returns the requirement of the position's domain."""
        return self.requirement(p.account, self.contracts[p.instrument].currency, p if p.mode == Mode.ISOLATED else None)

    def endangered(self, account: int, currency: int, p: Position | None = None) -> bool:
        """True if a domain is below its threshold, or the domain that the currency's spare balance backs."""
        r = self.requirement(account, currency, p)
        if r.equity < r.own:
            return True
        each = self.ledger.backs.get(currency)
        return each is not None and p is None and self.endangered(account, each.of)

    def share_of_equity(self, p: Position) -> int:
        """Returns E_i of a cross position, 0 for an isolated one, which does not use it."""
        currency = self.contracts[p.instrument].currency
        cross = self.ledger.cross_of(p.account, currency)
        if p not in cross:
            return 0
        return margin.equity_shares(self.contracts, domain.backing(self.ledger, p.account, currency), cross)[cross.index(p)]

    # --- what it may lose

    def bearable(self, p: Position) -> int:
        """Returns the loss that the position's domain can bear before it, or the domain that it backs, is below its
        threshold."""
        r, currency = self.domain_of(p), self.contracts[p.instrument].currency
        elsewhere = None if p.mode == Mode.ISOLATED else self._headroom_units(p.account, currency)
        return max(0, r.equity - r.own) if elsewhere is None else min(max(0, r.equity - r.own), elsewhere)

    def _headroom_units(self, account: int, currency: int) -> int | None:
        """Returns the units a spare balance may lose before the domain that it backs is below its threshold. None: no
        bound."""
        each = self.ledger.backs.get(currency)
        backed = self.requirement(account, each.of, None) if each else None
        if each is None or backed is None or not backed.positions:
            return None
        return self._loseable(account, currency, each, backed.equity - backed.own)

    def _loseable(self, account: int, currency: int, each: Collateral, slack: int) -> int | None:
        """Returns the units a spare balance may lose before its value as collateral falls by over `slack`; None: no bound."""
        contract = self.contracts[each.instrument]
        value = domain.collateral_value(self.ledger, account, each) - max(0, slack)
        if value <= 0:
            return None
        return domain.spare_units(self.ledger, account, currency) - each.least_for(value, contract.index or contract.mark)

    def _left_over(self, p: Position) -> int:
        """Returns the equity of a cross domain above its requirement without this position."""
        held, equity = (p.size, p.cost), self.domain_of(p).equity
        p.size = p.cost = 0
        own = self.domain_of(p).own
        p.size, p.cost = held
        return max(0, equity - own)

    def _closing_share(self, p: Position) -> int:
        """Returns the most that closing this position may lose against mark: its share of the domain's equity.

        If only the larger side of a hedge is margined, it is the equity that the rest does not need. If the currency backs
        another, it is at most the larger of initial margin and profit, plus what the other domain has above R_own.
        """
        if p.mode == Mode.ISOLATED:
            return 0
        contract = self.contracts[p.instrument]
        share = self._left_over(p) if contract.larger_leg else self.share_of_equity(p)
        headroom = self._headroom_units(p.account, contract.currency)
        if headroom is None:
            return share
        return min(share, headroom + max(margin.initial_units(contract, p), valuation.upl(contract, p)))

    def closing_price(self, p: Position) -> int:
        """Returns the first tick at which closing a position, taker fee paid, costs no more than it may. It need not be
        legal."""
        contract = self.contracts[p.instrument]
        cost = margin.bankruptcy_cost(contract, p, self._closing_share(p))
        return valuation.price_paying(contract, p.size, cost, contract.taker_fee_ppb)

    def bears_loss(self, account: int, currency: int, units: int) -> bool:
        """True if a cross domain with `units` less cash is at R_own or above.

        Initial margin already ensures that, except for fees that go by remaining equity, and thresholds that may not be met.
        """
        if not (self.rules.fee_at_bankruptcy or self.rules.at_threshold):
            return True
        wallets = self.ledger.wallets[account]
        wallets[currency] -= units
        r = self.requirement(account, currency, None)
        wallets[currency] += units
        return r.equity >= r.own

    # --- a fill

    @contextmanager
    def tried(self, p: Position, fill: Fill, holds: bool = True) -> Iterator[None]:
        """Applies a fill to the rows of a position and its owner's wallet, with the holds of its orders if `holds`; restores
        them on exit."""
        e, wallets, held_by = self.ledger.effect(p, fill), self.ledger.wallets[p.account], self.ledger.holds[p.account]
        currency, before = self.contracts[p.instrument].currency, (p.size, p.cost, p.margin, p.hold)
        cash, held = wallets[currency], held_by[currency]
        p.size, p.cost, p.margin = e.size, e.cost, e.margin
        wallets[currency] += e.cash
        if holds:
            p.hold = margin.hold_units(self.contracts[p.instrument], p, p.open_sides)
        held_by[currency] += p.hold - before[3]
        try:
            yield
        finally:
            p.size, p.cost, p.margin, p.hold = before
            wallets[currency], held_by[currency] = cash, held

    def _asked_units(self, p: Position, fill: Fill, e: Effect) -> int:
        """Returns the units that an isolated position takes from the wallet for the lots that a fill opens. They are initial
        margin at its leverage, the loss to mark and accrued funding of those lots."""
        contract = self.contracts[p.instrument]
        opened = e.opened if fill.size_delta > 0 else -e.opened
        value = e.cost if e.closed else fill.cost_delta
        held = abs(e.size) - e.opened, abs(e.cost - value)
        asked = valuation.initial_rise(contract, abs(value), p.leverage, e.opened, held)
        asked += max(0, value - valuation.worth(contract, opened, contract.mark))
        return asked + valuation.accrued_units(contract, opened)

    def _at_hand(self, p: Position, fill: Fill) -> int:
        """Returns the units that an isolated position may take for opening lots: what is free, or what their order held if
        that is more. So a fill better than its limit takes nothing that other orders need."""
        currency, held = self.contracts[p.instrument].currency, p.hold
        each = self.ledger.backs.get(currency)
        with self.tried(p, fill):
            free = domain.free_units(self.ledger, p.account, currency, spendable=True)
            if each:
                loseable = self._loseable(p.account, currency, each, domain.free_units(self.ledger, p.account, each.of))
                free = free if loseable is None else min(free, loseable)
            return max(0, min(self.ledger.wallets[p.account][currency], max(free, held - p.hold)))

    def fit(self, p: Position, fill: Fill) -> int:
        """Sets the transfer between isolated margin and wallet in `fill`, and returns the part of it that is a lift.

        Opening lots take their initial margin, as far as it is at hand, or more if the whole position must be lifted to R_own.
        Closing lots release no more than leaves the rest at R_own.
        """
        fill.assigned = fill.kept = 0
        e = self.ledger.effect(p, fill)
        if p.mode != Mode.ISOLATED or e.size == 0:
            return 0
        if e.opened:
            fill.assigned = min(self._asked_units(p, fill, e), self._at_hand(p, fill))
        lifted = 0
        for _ in range(LIFTS_MAX):
            with self.tried(p, fill, holds=False):
                r = self.domain_of(p)
            lacks = r.own - r.equity if e.opened else min(r.own - r.equity, e.released - fill.kept)
            if lacks <= 0:
                break
            if e.opened:
                fill.assigned, lifted = fill.assigned + lacks, lifted + lacks
            else:
                fill.kept += lacks
        return lifted

    def _readings(self, p: Position, e: Effect) -> list[tuple[int, int]]:
        """Returns (equity, R_own) of each domain that a fill may weaken: the position's own, and those that use its wallet."""
        currency = self.contracts[p.instrument].currency
        each = self.ledger.backs.get(currency)
        found = [self.domain_of(p)] if p.mode == Mode.ISOLATED else []
        if found and e.cash >= 0:
            return [(found[0].equity, found[0].own)]
        found += [self.requirement(p.account, c, None) for c in ([currency, each.of] if each else [currency])]
        return [(r.equity, r.own) for r in found]

    def bears(self, p: Position, fill: Fill, price: int | None) -> bool:
        """True if the owner bears a fill after `fit`. price: its ticks, or None if the caller has limited it to the closing
        price."""
        e = self.ledger.effect(p, fill)
        with self.tried(p, fill, holds=e.opened > 0):  # a closing fill ignores the holds of other orders
            after = self._readings(p, e)
            short = fill.assigned > 0 > self.ledger.wallets[p.account][self.contracts[p.instrument].currency]
            slips = e.opened > 0 and not self._allowed(p)
        if e.shortfall or short or (slips and not e.closed):
            return False
        if not slips and all(equity >= own for equity, own in after):
            return True
        if e.closed and e.opened:
            return self._bears_halves(p, fill, e.closed, price)
        before = self._readings(p, e)
        if e.opened:
            return all(a - own >= min(0, b - asked) for (a, own), (b, asked) in zip(after, before, strict=True))
        if not all(a >= min(0, b) for (a, _), (b, _) in zip(after, before, strict=True)):
            return False
        return price is None or self._within_closing_price(p, price)

    def _allowed(self, p: Position) -> bool:
        """True if the position's tier allows its leverage. Tiers by money are not tested: the mark decides them, not a
        fill."""
        contract = self.contracts[p.instrument]
        by_lots = contract.basis in (Basis.CONTRACTS, Basis.NET)
        return not by_lots or valuation.allows(contract, valuation.tier_of(contract, p), p.leverage)

    def _bears_halves(self, p: Position, fill: Fill, closed: int, price: int | None) -> bool:
        """True if the owner bears a fill that turns a position: first the closing half, then the opening half, which pays the
        fee."""
        moved, sign = abs(fill.size_delta), 1 if fill.size_delta > 0 else -1
        paid = trunc_div(fill.cost_delta * closed, moved)
        first = Fill(sign * closed, paid, 0, fill.ref, fill.fee_reason)
        rest = Fill(sign * (moved - closed), fill.cost_delta - paid, fill.fee, fill.ref, fill.fee_reason)
        if not self.bears(p, first, price):
            return False
        with self.tried(p, first):
            self.fit(p, rest)
            return self.bears(p, rest, price)

    def _within_closing_price(self, p: Position, price: int) -> bool:
        """True if the whole position could be closed at the price of a fill that only closes."""
        closing = self.closing_price(p)
        return price >= closing if p.size > 0 else price <= closing

    def borne_lots(self, p: Position, side: int, wanted: int, bears: Callable[[int], bool]) -> int:
        """Returns how many lots the owner bears: all, or those that close, or none.

        It is not the largest number that the owner bears: so a market with k times all sizes and money behaves the same.
        """
        closing = min(wanted, max(0, -p.size if side == Side.BUY else p.size))
        return next((lots for lots in (wanted, closing) if lots and bears(lots)), 0)
