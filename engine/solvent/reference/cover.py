"""What an order of its own may do to its account: bands, bankruptcy, margin, and what other orders rely on.

Owns the money half of the checks before a trade, and the look back after one (decision 0004). Never looks at an
account that is not the sender's; is not asked by a Book alone.
"""

from collections import defaultdict

from solvent.codes import Code
from solvent.records import Basis, Ending, Flag, Mode, Side
from solvent.reference import margin, outlook, valuation
from solvent.reference.ledger import Position
from solvent.reference.margin import OpenSide, Requirement, Rules
from solvent.reference.trading import Ticket, Trading


class Cover:
    def __init__(self, trading: Trading, rules: Rules):
        self.trading = trading
        self.ledger = trading.ledger
        self.contracts = trading.contracts
        self.rules = rules

    def requirement(self, account: int, currency: int, p: Position | None) -> Requirement:
        """Of one isolated position, or of the cross domain."""
        if p is not None:
            return margin.requirement(self.rules, self.contracts, p.margin, [p])
        cash = self.ledger.backing(account, currency)
        domain = self.ledger.domain_of if self.rules.orders else self.ledger.cross_of
        return margin.requirement(self.rules, self.contracts, cash, domain(account, currency))

    def liquidation_ticks(self, p: Position) -> tuple[int | None, int | None]:
        """Where something happens to a position: towards its loss, and away from it."""
        contract, isolated = self.contracts[p.instrument], p if p.mode == Mode.ISOLATED else None
        slack = outlook.slack_at(contract, lambda: self.requirement(p.account, contract.currency, isolated))
        held = (
            [p]
            if isolated
            else [q for q in self.ledger.cross_of(p.account, contract.currency) if q.instrument == p.instrument]
        )
        return outlook.liquidation(slack, outlook.edges_of(contract, held), contract.mark, p.size, p.other)

    def share_of_equity(self, p: Position) -> int:
        """E_i of a cross position; 0 for an isolated one, which does not need it."""
        currency = self.contracts[p.instrument].currency
        cross = self.ledger.cross_of(p.account, currency)
        if p not in cross:
            return 0
        return margin.equity_shares(self.contracts, self.ledger.backing(p.account, currency), cross)[cross.index(p)]

    def closing_share(self, p: Position) -> int:
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

    def _left_over(self, p: Position) -> int:
        """The equity of a cross domain above what is asked of it without this position."""
        currency, held = self.contracts[p.instrument].currency, (p.size, p.cost)
        equity = self.requirement(p.account, currency, None).equity
        p.size = p.cost = 0
        own = self.requirement(p.account, currency, None).own
        p.size, p.cost = held
        return max(0, equity - own)

    def free_units(self, account: int, currency: int, spendable: bool = False) -> int:
        cash, holds = self.ledger.wallets[account][currency], self.ledger.holds[account][currency]
        cash = cash if spendable else self.ledger.backing(account, currency)
        return margin.free_units(self.contracts, cash, holds, self.ledger.cross_of(account, currency), spendable)

    def affords(self, account: int, currency: int, needed: int, spendable: bool) -> bool:
        """Whether so much may be reserved, or leave a wallet: it is free there, and what it counts elsewhere is not needed."""
        if self.free_units(account, currency, spendable) < needed:
            return False
        each = self.ledger.backs.get(currency)
        if each is None:
            return True
        value, left = (self.ledger.collateral_value(account, each, less) for less in (0, needed))
        return not value or self.free_units(account, each.of) >= value - left

    def endangered(self, account: int, currency: int, p: Position | None = None) -> bool:
        """Whether a domain is below its threshold, or the one that the currency's spare balance backs."""
        r = self.requirement(account, currency, p)
        if r.equity < r.own:
            return True
        each = self.ledger.backs.get(currency)
        return each is not None and p is None and self.endangered(account, each.of)

    def bearable(self, p: Position) -> int:
        """What the domain of a position may lose before it, or one that it backs, is below its threshold."""
        currency, isolated = self.contracts[p.instrument].currency, p.mode == Mode.ISOLATED
        r = self.requirement(p.account, currency, p if isolated else None)
        elsewhere = None if isolated else self._room(p.account, currency)
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

    def within_band(self, t: Ticket, around: int) -> int:
        """The price of a ticket, or the edge of the band around another price where it is beyond that."""
        edge = valuation.band_edge(self.contracts[t.instrument], around, t.side, self.rules.price_band_ppb)
        return min(t.price, edge) if t.side == Side.BUY else max(t.price, edge)

    def limit_to_bankruptcy(self, t: Ticket, p: Position) -> None:
        """An order against the position trades no further than where closing, fee paid, leaves nothing (§6), or too little of
        what its currency backs."""
        if p.size == 0 or (p.size > 0) == (t.side == Side.BUY):
            return
        t.closes = True
        contract = self.contracts[t.instrument]
        cost = margin.bankruptcy_cost(contract, p, self.closing_share(p))
        price = valuation.price_paying(contract, p.size, cost, contract.taker_fee_ppb)
        if price < t.limit if t.side == Side.BUY else price > t.limit:
            t.limit = max(0, min(contract.max_price_ticks + 1, price))  # outside the legal range nothing trades
            t.ending = Ending.BANKRUPTCY_LIMIT

    def check_margin(self, t: Ticket, p: Position, standing: OpenSide) -> Code:
        """Tier, leverage and initial margin of what the order may open. `standing`: what its own earlier
        terms (an amendment's) contribute already."""
        contract = self.contracts[t.instrument]
        others = p.open_sides[t.side].lots - standing.lots
        lots = margin.opening_lots(p, t.side, others + t.remaining)
        if lots == margin.opening_lots(p, t.side, others):
            return Code.OK
        # Not netted against a position of the other side: a reduce-only order may close that first.
        held = max(0, p.size if t.side == Side.BUY else -p.size)
        if held + others + t.remaining > contract.max_size_lots:
            return Code.POSITION_LIMIT
        if not self._fits(p, self._measure(p, t.side, others + t.remaining)):
            return Code.POSITION_LIMIT
        if not self._allows(p, self._measure(p, t.side, lots)):
            return Code.LEVERAGE_ABOVE_TIER
        price = max(1, t.limit)  # a limit below every legal price trades nothing
        value = valuation.value_of(contract, t.remaining, price)
        loss = valuation.loss_of(contract, t.side, t.remaining, price, t.open_loss)
        own = OpenSide(t.remaining, value, loss).add(standing, -1)
        sides = list(p.open_sides)
        sides[t.side] = sides[t.side].add(own)
        needed = margin.hold_units(contract, p, (sides[0], sides[1])) - p.hold
        # Accrued funding of all that may open, for no hold has it.
        needed += valuation.accrued_units(contract, lots if t.side == Side.BUY else -lots)
        needed += self._at_mark(t, p, value)
        if needed >= 0 and not self.affords(p.account, contract.currency, needed, bool(p.mode)):
            return Code.INSUFFICIENT_MARGIN
        return Code.OK

    def _at_mark(self, t: Ticket, p: Position, value: int) -> int:
        """What initial margin at mark, which a cross position is asked, is above that at a limit worse than mark."""
        contract = self.contracts[t.instrument]
        if p.mode == Mode.ISOLATED or not t.open_loss:
            return 0
        marked = valuation.value_of(contract, t.remaining, contract.mark, up=True)
        asked = [valuation.initial_rise(contract, each, p.leverage, t.remaining, (0, 0)) for each in (marked, value)]
        return max(0, asked[0] - asked[1])

    def reducible(self, t: Ticket, p: Position) -> int:
        """How much of the position a reduce-only order may close: all of it where it trades at once, and where it rests
        what the resting ones leave that come first (trading cuts the others)."""
        closing = -p.size if t.side == Side.BUY else p.size
        rests = not t.ending and self.trading.books[t.instrument].crossing(t.side, t.price) is None
        return closing - (self.trading.reduced_before(t, p) if rests and closing > 0 else 0)

    # --- Tiers that orders could lead to

    def _group(self, p: Position) -> list[Position]:
        """The positions whose tiers go together: this one alone, or by net the cross ones of its tier group."""
        netted = self.contracts[p.instrument].basis == Basis.NET and p.mode == Mode.CROSS
        return [p, *(q for q in p.group if netted and q is not p and q.mode == Mode.CROSS)]

    def _measure(self, p: Position, side: int, lots: int, orders: bool = True) -> int:
        """How far up the tiers a position could stand if so many lots of a side opened. Of nets each contract's larger
        side counts, with what its other orders could open, or without: a hedge may be closed one leg at a time."""
        contract = self.contracts[p.instrument]
        if contract.basis != Basis.NET:
            return valuation.measure_with(contract, p, side, lots)
        sides: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
        for q in self._group(p):
            for s in (Side.BUY, Side.SELL):
                opens = margin.opening_lots(q, s, q.open_sides[s].lots) if orders else 0
                held = max(0, q.size if s == Side.BUY else -q.size)
                sides[q.instrument][s] += held + (lots if q is p and s == side else opens)
        return sum(max(each) for each in sides.values())

    def _allows(self, p: Position, measure: int) -> bool:
        """Whether the leverage of a position, and of those whose tiers go with it, is allowed there."""
        for q in self._company(p):
            contract = self.contracts[q.instrument]
            if not valuation.allows(contract, valuation.tier_at(contract, measure, q.chosen_tier), q.leverage):
                return False
        return True

    def _fits(self, p: Position, measure: int) -> bool:
        """Whether the tables of a position, and of those whose tiers go with it, have a tier for it, up to a chosen one."""
        tables = (
            (self.contracts[q.instrument].tiers, q.chosen_tier or len(self.contracts[q.instrument].tiers))
            for q in self._company(p)
        )
        return all(measure <= tiers[last - 1].top for tiers, last in tables)

    def fits(self, p: Position) -> bool:
        """Whether the resting orders lead no further than that."""
        return self._fits(p, max(self._reaches(p)))

    def _company(self, p: Position) -> list[Position]:
        """Of the positions whose tiers go together this one, and those that hold or order something."""
        return [q for q in self._group(p) if q is p or q.size or any(each.lots for each in q.open_sides)]

    def _reaches(self, p: Position) -> list[int]:
        """How far the resting orders could lead, by side."""
        return [self._measure(p, side, margin.opening_lots(p, side, p.open_sides[side].lots)) for side in Side]

    def reach(self, p: Position) -> int:
        """The tier that the resting orders could lead to, on the side where it is the higher one."""
        return valuation.tier_at(self.contracts[p.instrument], max(self._reaches(p)), p.chosen_tier)

    def _within_tier(self, p: Position) -> bool:
        """Whether the leverage is allowed wherever the resting orders could lead that goes beyond the position."""
        held = self._measure(p, Side.BUY if p.size > 0 else Side.SELL, 0, orders=False)
        return all(measure <= held or self._allows(p, measure) for measure in self._reaches(p))

    def free_now(self, p: Position) -> list[tuple[int, int]]:
        """(currency, free) where an order for this position may spend: its own, and what that backs."""
        currency = self.contracts[p.instrument].currency
        each = self.ledger.backs.get(currency)
        return [(c, self.free_units(p.account, c)) for c in ([currency, each.of] if each else [currency])]

    def uncover(self, worked: Position, free_before: list[tuple[int, int]]) -> None:
        """After an order of its own an account must still bear its other orders (decision 0004).

        A closing order is never refused for margin, but it may spend what other orders rely on, or close
        what they lean on. Where free is negative then, and lower than before, ordinary orders are cancelled:
        by instrument, newest first, until it is not.
        """
        for currency, free in free_before:
            self._uncover(worked, currency, min(0, free))

    def _uncover(self, worked: Position, currency: int, least: int) -> None:
        """Of one of the currencies; what is wanted elsewhere no order of the worked position's own currency holds either."""
        account, own = worked.account, self.contracts[worked.instrument].currency

        def short() -> bool:
            return self.free_units(account, currency) < least

        if not short() and self._within_tier(worked):
            return
        for p in self.ledger.positions_of(account):
            if self.contracts[p.instrument].currency in (currency, own):
                for order in reversed(list(p.orders)):
                    if not (p.hold and short()) and self._within_tier(p):
                        break
                    if order.resting and (currency != own or not order.flags & Flag.REDUCE_ONLY):
                        self.trading.cancel(order, Ending.UNCOVERED)
