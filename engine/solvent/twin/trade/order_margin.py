"""What an order may do to its account: bands, bankruptcy, tiers, margin.

Owns the money half of the checks before a trade. Never looks at an account that is not the sender's; is not asked by a
Book alone. A fill is judged again when it comes (`admission`).
"""

from collections import defaultdict

from solvent.schema.codes import Code
from solvent.schema.terms import RuleTerms
from solvent.schema.words import Basis, Ending, Mode, SelfTrade, Side
from solvent.twin.account import margin
from solvent.twin.account.ledger import Fill, Position
from solvent.twin.account.margin import OpenSide
from solvent.twin.contract import valuation
from solvent.twin.trade.lifecycle import Trading
from solvent.twin.trade.preview import rehearsal
from solvent.twin.trade.state import Ticket


class Cover:
    def __init__(self, trading: Trading, rules: RuleTerms):
        self.trading = trading
        self.admission = trading.admission
        self.ledger = trading.ledger
        self.contracts = trading.contracts
        self.rules = rules

    def free_units(self, account: int, currency: int, spendable: bool = False) -> int:
        cash, holds = self.ledger.wallets[account][currency], self.ledger.holds[account][currency]
        cash = cash if spendable else self.ledger.backing(account, currency)
        return margin.free_units(self.contracts, cash, holds, self.ledger.cross_of(account, currency), spendable)

    def affords(self, account: int, currency: int, needed: int, spendable: bool) -> bool:
        """Whether so much may be reserved, or leave a wallet: it is free there, and what it counts elsewhere is not needed."""
        if self.free_units(account, currency, spendable) < needed:
            return False
        if spendable and not self.admission.bears_loss(account, currency, needed):
            return False
        each = self.ledger.backs.get(currency)
        if each is None:
            return True
        value, left = (self.ledger.collateral_value(account, each, less) for less in (0, needed))
        return not value or self.free_units(account, each.of) >= value - left

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
        price = self.admission.closing_price(p)
        if price < t.limit if t.side == Side.BUY else price > t.limit:
            price = max(0, min(self.contracts[t.instrument].max_price_ticks + 1, price))  # outside the legal nothing trades
            if t.remaining > abs(p.size):
                t.closing_limit = price  # and what opens goes on to its own limit
            else:
                t.limit, t.ending = price, Ending.BANKRUPTCY_LIMIT

    def check_margin(self, t: Ticket, p: Position, standing: OpenSide) -> Code:
        """Tier, leverage and initial margin of what the order may open, once it has closed what it closes at once. `standing`:
        what its own earlier terms (an amendment's) contribute already."""
        closing = min(t.remaining, max(0, -p.size if t.side == Side.BUY else p.size))
        if not closing:
            return self._check_opening(t, p, standing, t.remaining)
        with rehearsal(self.trading, t, closing) as closed:
            self.trading.trade_through(closed)
            if closed.ending is not None and closed.traded < closing and t.terms.stp_mode != SelfTrade.DECREMENT:
                return Code.OK  # it cannot rest, and nothing is left that it could open
            return self._check_opening(t, p, standing, t.remaining - closed.traded)

    def _check_opening(self, t: Ticket, p: Position, standing: OpenSide, lots: int) -> Code:
        """The same of so many lots, which rest or trade."""
        others = p.open_sides[t.side].lots - standing.lots
        opens = margin.opening_lots(p, t.side, others + lots)
        if not lots or opens == margin.opening_lots(p, t.side, others):
            return Code.OK
        # Not netted against a position of the other side: a reduce-only order may close that first.
        held = max(0, p.size if t.side == Side.BUY else -p.size)
        if held + others + lots > self.contracts[t.instrument].max_size_lots:
            return Code.POSITION_LIMIT
        if not self._fits(p, self._measure(p, t.side, others + lots)):
            return Code.POSITION_LIMIT
        if not self._allows(p, self._measure(p, t.side, opens)):
            return Code.LEVERAGE_ABOVE_TIER
        sides = p.open_sides
        p.open_sides = p.sides_with(t.side, standing, -1)
        borne = self._bears_opening(t, p, lots)
        p.open_sides = sides
        return Code.OK if borne else Code.INSUFFICIENT_MARGIN

    def _bears_opening(self, t: Ticket, p: Position, lots: int) -> bool:
        """Whether free margin bears so many lots more, resting or filled at the limit, and SAFE-2 holds if they are filled."""
        contract, price = self.contracts[t.instrument], max(1, t.limit)  # a limit below every legal price trades nothing
        value = valuation.value_of(contract, lots, price)
        loss = valuation.loss_of(contract, t.side, lots, price, t.open_loss)
        sides = p.sides_with(t.side, OpenSide(lots, value, loss))
        needed = margin.hold_units(contract, p, sides) - p.hold
        # Accrued funding of all that may open, for no hold has it.
        opens = margin.opening_lots(p, t.side, sides[t.side].lots)
        needed += valuation.accrued_units(contract, opens if t.side == Side.BUY else -opens)
        fill = self.trading.fill_at_limit(t, p, lots)
        needed += self._beyond_hold(t, p, fill)
        if needed >= 0 and not self.affords(p.account, contract.currency, needed, bool(p.mode)):
            return False
        return self.admission.bears(p, fill, None)

    def _beyond_hold(self, t: Ticket, p: Position, fill: Fill) -> int:
        """What a fill at the limit asks that no hold has. Isolated: what lifts the position to R_own. Cross: what its initial
        margin at mark is above that at the limit."""
        contract, lifted = self.contracts[p.instrument], self.admission.fit(p, fill)
        if p.mode == Mode.ISOLATED:
            return lifted

        def initial() -> int:
            return margin.initial_units(contract, p) - valuation.accrued_units(contract, p.size)

        lots, before = abs(fill.size_delta), initial()
        value = valuation.value_of(contract, lots, max(1, t.limit))
        gain = valuation.worth(contract, fill.size_delta, contract.mark) - fill.cost_delta
        gain = max(0, gain) if t.open_loss else gain  # a loss is held; what rounding takes at mark is not
        with self.admission.tried(p, fill):
            rise = initial() - before
        return max(0, rise - gain - valuation.initial_rise(contract, value, p.leverage, lots, (0, 0)))

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
