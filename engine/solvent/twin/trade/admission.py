"""What a margin domain has, what is asked of it, and whether its owner bears a fill (SAFE-1 and SAFE-2, decision 0013).

Owns the judgement of every fill before it is posted, and the answers of a domain that others act on: its requirement, a
position's share of its equity, what it may lose. Never writes for good: a fill is tried on the rows, which are as before
when it has been judged. Invariant: what opens leaves no domain of its owner below R_own, or further below it; what only
closes costs no more than there is. Cost: a judgement reads the domains that the fill touches once.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from solvent.schema.terms import RuleTerms
from solvent.schema.words import Basis, Mode, Side
from solvent.twin.account import margin
from solvent.twin.account.ledger import Effect, Fill, Ledger, Position
from solvent.twin.account.margin import Requirement
from solvent.twin.base.integers import trunc_div
from solvent.twin.contract import valuation

LIFTS_MAX = 64
"""How often a margin is raised to a threshold that rises with it (a short's fee at bankruptcy): by the fee's part each."""


class Admission:
    def __init__(self, ledger: Ledger, rules: RuleTerms):
        self.ledger = ledger
        self.contracts = ledger.contracts
        self.rules = rules

    # --- a domain as it is

    def requirement(self, account: int, currency: int, p: Position | None) -> Requirement:
        """Of one isolated position, or of the cross domain."""
        if p is not None:
            return margin.requirement(self.rules, self.contracts, p.margin, [p])
        cash = self.ledger.backing(account, currency)
        domain = self.ledger.domain_of if self.rules.orders else self.ledger.cross_of
        return margin.requirement(self.rules, self.contracts, cash, domain(account, currency))

    def domain_of(self, p: Position) -> Requirement:
        """Of the domain that a position belongs to."""
        return self.requirement(p.account, self.contracts[p.instrument].currency, p if p.mode == Mode.ISOLATED else None)

    def endangered(self, account: int, currency: int, p: Position | None = None) -> bool:
        """Whether a domain is below its threshold, or the one that the currency's spare balance backs."""
        r = self.requirement(account, currency, p)
        if r.equity < r.own:
            return True
        each = self.ledger.backs.get(currency)
        return each is not None and p is None and self.endangered(account, each.of)

    def share_of_equity(self, p: Position) -> int:
        """E_i of a cross position; 0 for an isolated one, which does not need it."""
        currency = self.contracts[p.instrument].currency
        cross = self.ledger.cross_of(p.account, currency)
        if p not in cross:
            return 0
        return margin.equity_shares(self.contracts, self.ledger.backing(p.account, currency), cross)[cross.index(p)]

    # --- what it may lose

    def bearable(self, p: Position) -> int:
        """What the domain of a position may lose before it, or one that it backs, is below its threshold."""
        r, currency = self.domain_of(p), self.contracts[p.instrument].currency
        elsewhere = None if p.mode == Mode.ISOLATED else self._room(p.account, currency)
        return max(0, r.equity - r.own) if elsewhere is None else min(max(0, r.equity - r.own), elsewhere)

    def _room(self, account: int, currency: int) -> int | None:
        """What a spare balance may lose before the domain that it backs is below its threshold; None: all of it, and more."""
        each = self.ledger.backs.get(currency)
        backed = self.requirement(account, each.of, None) if each else None
        if each is None or backed is None or not backed.positions:
            return None
        contract = self.contracts[each.instrument]
        value = self.ledger.collateral_value(account, each) - max(0, backed.equity - backed.own)
        if value <= 0:
            return None
        return self.ledger.spare_units(account, currency) - each.least_for(value, contract.index or contract.mark)

    def _left_over(self, p: Position) -> int:
        """The equity of a cross domain above what is asked of it without this position."""
        held, equity = (p.size, p.cost), self.domain_of(p).equity
        p.size = p.cost = 0
        own = self.domain_of(p).own
        p.size, p.cost = held
        return max(0, equity - own)

    def _closing_share(self, p: Position) -> int:
        """What closing a cross position may lose to mark: its share of equity, or of a hedge of which one side counts what
        leaves enough for the rest; and no more than its own margin and what the domain that it backs can spare."""
        if p.mode == Mode.ISOLATED:
            return 0
        contract = self.contracts[p.instrument]
        share = self._left_over(p) if contract.larger_leg else self.share_of_equity(p)
        room = self._room(p.account, contract.currency)
        if room is None:
            return share
        return min(share, room + max(margin.initial_units(contract, p), valuation.upl(contract, p)))

    def closing_price(self, p: Position) -> int:
        """The first tick at which closing a position, taker fee paid, costs no more than it may. It need not be legal."""
        contract = self.contracts[p.instrument]
        cost = margin.bankruptcy_cost(contract, p, self._closing_share(p))
        return valuation.price_paying(contract, p.size, cost, contract.taker_fee_ppb)

    def bears_loss(self, account: int, currency: int, units: int) -> bool:
        """Whether a cross domain without so much cash is at R_own or above. Initial margin tells that, but for fees that go by
        what is left, and thresholds that may not be met."""
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
        """The rows of a position and its owner's wallet as if a fill were posted, what its orders reserve then too, if that is
        asked for; as before when that is left."""
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
        """What an isolated position asks of the wallet for the lots that a fill opens: initial margin at its leverage, their
        loss to mark and what funding has accrued on them."""
        contract = self.contracts[p.instrument]
        opened = e.opened if fill.size_delta > 0 else -e.opened
        value = e.cost if e.closed else fill.cost_delta
        held = abs(e.size) - e.opened, abs(e.cost - value)
        asked = valuation.initial_rise(contract, abs(value), p.leverage, e.opened, held)
        asked += max(0, value - valuation.worth(contract, opened, contract.mark))
        return asked + valuation.accrued_units(contract, opened)

    def fit(self, p: Position, fill: Fill) -> int:
        """Says what a fill moves between an isolated margin and the wallet, and answers with how much of it is a lift.

        What opens takes what it asks, as far as the wallet has it; or, if that is more, what lifts the whole position to
        R_own. What closes releases no more than leaves the rest there.
        """
        fill.assigned = fill.kept = 0
        e = self.ledger.effect(p, fill)
        if p.mode != Mode.ISOLATED or e.size == 0:
            return 0
        if e.opened:
            cash = self.ledger.wallets[p.account][self.contracts[p.instrument].currency] + e.cash
            fill.assigned = min(self._asked_units(p, fill, e), max(0, cash))
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
        """(equity, R_own) of every domain that a fill may make worse: the position's own, and those that its wallet is in."""
        currency = self.contracts[p.instrument].currency
        each = self.ledger.backs.get(currency)
        found = [self.domain_of(p)] if p.mode == Mode.ISOLATED else []
        if found and e.cash >= 0:
            return [(found[0].equity, found[0].own)]
        found += [self.requirement(p.account, c, None) for c in ([currency, each.of] if each else [currency])]
        return [(r.equity, r.own) for r in found]

    def bears(self, p: Position, fill: Fill, price: int | None) -> bool:
        """Whether the owner bears a fill, once it was fitted. price: its ticks; None where whoever asks has limited
        it to the closing price."""
        e = self.ledger.effect(p, fill)
        with self.tried(p, fill, holds=e.opened > 0):  # what other orders reserve once it is closed is theirs to find
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
        """Whether the tier of a position allows its leverage. Where tiers go by money a mark decides that, and no fill."""
        contract = self.contracts[p.instrument]
        by_lots = contract.basis in (Basis.CONTRACTS, Basis.NET)
        return not by_lots or valuation.allows(contract, valuation.tier_of(contract, p), p.leverage)

    def _bears_halves(self, p: Position, fill: Fill, closed: int, price: int | None) -> bool:
        """Of a fill that turns a position: whether what closes is borne, and then what opens, which pays the fee."""
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
        """Whether a fill that only closes is at a price at which all of the position could be closed."""
        closing = self.closing_price(p)
        return price >= closing if p.size > 0 else price <= closing

    def borne_lots(self, p: Position, side: int, wanted: int, bears: Callable[[int], bool]) -> int:
        """How many of some lots their owner bears: all, or those that close, or none. (Not the most that he would: so a market
        of k times all sizes and money does what one does.)"""
        closing = min(wanted, max(0, -p.size if side == Side.BUY else p.size))
        return next((lots for lots in (wanted, closing) if lots and bears(lots)), 0)
