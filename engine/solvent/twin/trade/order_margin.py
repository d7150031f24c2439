"""The margin checks of an order before it trades: bands, bankruptcy price, tiers, initial margin.

Owns the money half of the checks before a trade. Never reads an account other than the sender's. A Book alone does not use it.
`admission` judges each fill again.
"""

from collections import defaultdict

from solvent.schema.codes import Code
from solvent.schema.terms import RuleTerms
from solvent.schema.words import Basis, Ending, Mode, SelfTrade, ShapeFlag, Side
from solvent.twin.account import domain, margin
from solvent.twin.account.ledger import Fill, OpenSide, Position
from solvent.twin.contract import valuation
from solvent.twin.trade.lifecycle import Trading
from solvent.twin.trade.preview import preview
from solvent.twin.trade.state import Ticket


class OrderMargin:
    def __init__(self, trading: Trading, rules: RuleTerms):
        self.trading = trading
        self.admission = trading.admission
        self.ledger = trading.ledger
        self.contracts = trading.contracts
        self.rules = rules

    def affords(self, account: int, currency: int, needed: int, spendable: bool) -> bool:
        """True if `needed` units may be reserved, or leave a wallet: they are free there, and their collateral value is not
        needed elsewhere."""
        if domain.free_units(self.ledger, account, currency, spendable) < needed:
            return False
        if spendable and not self.admission.bears_loss(account, currency, needed):
            return False
        each = self.ledger.backs.get(currency)
        if each is None:
            return True
        value, left = (domain.collateral_value(self.ledger, account, each, less) for less in (0, needed))
        return not value or domain.free_units(self.ledger, account, each.of) >= value - left

    def within_band(self, t: Ticket, around: int) -> int:
        """Returns the ticket's price, or the edge of the band around `around` where the price lies beyond it."""
        edge = valuation.band_edge(self.contracts[t.instrument], around, t.side, self.rules.price_band_ppb)
        return min(t.price, edge) if t.side == Side.BUY else max(t.price, edge)

    def limit_to_bankruptcy(self, t: Ticket, p: Position) -> None:
        """Limits an order against the position to the price at which closing leaves nothing after its fee (§6). The limit is
        tighter where the domain that the currency backs needs more."""
        if p.size == 0 or (p.size > 0) == (t.side == Side.BUY):
            return
        t.closes = True
        price = self.admission.closing_price(p)
        if price < t.limit if t.side == Side.BUY else price > t.limit:
            price = max(0, min(self.contracts[t.instrument].max_price_ticks + 1, price))  # nothing trades outside legal prices
            if t.remaining > abs(p.size):
                t.closing_limit = price  # the opening lots trade to the order's own limit
            else:
                t.limit, t.ending = price, Ending.BANKRUPTCY_LIMIT

    def check_margin(self, t: Ticket, p: Position, standing: OpenSide) -> Code:
        """Checks tier, leverage and initial margin of the lots that may open after the immediate closing.

        standing: the contribution of the order's earlier terms, if this is an amendment.
        """
        closing = min(t.remaining, max(0, -p.size if t.side == Side.BUY else p.size))
        if not closing:
            return self._check_opening(t, p, standing, t.remaining)
        with preview(self.trading, t, closing) as closed:
            self.trading.trade_through(closed)
            if closed.ending is not None and closed.traded < closing and t.terms.stp_mode != SelfTrade.DECREMENT:
                return Code.OK  # it cannot rest, and no lot is left that could open
            return self._check_opening(t, p, standing, t.remaining - closed.traded)

    def _check_opening(self, t: Ticket, p: Position, standing: OpenSide, lots: int) -> Code:
        """Checks tier, leverage and initial margin of `lots` that rest or trade."""
        others = p.open_sides[t.side].lots - standing.lots
        opens = margin.opening_lots(p, t.side, others + lots)
        if not lots or opens == margin.opening_lots(p, t.side, others):
            return Code.OK
        # A position on the other side is not netted: a reduce-only order may close it first.
        held = max(0, p.size if t.side == Side.BUY else -p.size)
        if held + others + lots > self.contracts[t.instrument].max_size_lots:
            return Code.POSITION_LIMIT
        if not self._fits(p, self._tier_measure(p, t.side, others + lots)):
            return Code.POSITION_LIMIT
        if not self._allows(p, self._tier_measure(p, t.side, opens)):
            return Code.LEVERAGE_ABOVE_TIER
        sides = p.open_sides
        p.open_sides = p.sides_with(t.side, standing, -1)
        borne = self._bears_opening(t, p, lots)
        p.open_sides = sides
        return Code.OK if borne else Code.INSUFFICIENT_MARGIN

    def _bears_opening(self, t: Ticket, p: Position, lots: int) -> bool:
        """True if free margin covers `lots` more, resting or filled at the limit, and SAFE-2 holds after the fill."""
        contract, price = self.contracts[t.instrument], max(1, t.limit)  # a limit below every legal price trades nothing
        value = valuation.value_of(contract, lots, price)
        loss = valuation.loss_of(contract, t.side, lots, price, t.open_loss)
        sides = p.sides_with(t.side, OpenSide(lots, value, loss))
        needed = margin.hold_units(contract, p, sides) - p.hold
        # Adds the accrued funding of all lots that may open: holds do not contain it.
        opens = margin.opening_lots(p, t.side, sides[t.side].lots)
        needed += valuation.accrued_units(contract, opens if t.side == Side.BUY else -opens)
        fill = self.trading.fill_at_limit(t, p, lots)
        needed += self._beyond_hold(t, p, fill)
        if needed >= 0 and not self.affords(p.account, contract.currency, needed, bool(p.mode)):
            return False
        return self.admission.bears(p, fill, None)

    def _beyond_hold(self, t: Ticket, p: Position, fill: Fill) -> int:
        """Returns the units that a fill at the limit needs and no hold has. Isolated: the lift of the position to R_own.
        Cross: initial margin at mark above that at the limit."""
        contract, lifted = self.contracts[p.instrument], self.admission.fit(p, fill)
        if p.mode == Mode.ISOLATED:
            return lifted

        def initial() -> int:
            return margin.initial_units(contract, p) - valuation.accrued_units(contract, p.size)

        lots, before = abs(fill.size_delta), initial()
        value = valuation.value_of(contract, lots, max(1, t.limit))
        gain = valuation.worth(contract, fill.size_delta, contract.mark) - fill.cost_delta
        gain = max(0, gain) if t.open_loss else gain  # holds contain a loss, but not the rounding at mark
        with self.admission.tried(p, fill):
            rise = initial() - before
        return max(0, rise - gain - valuation.initial_rise(contract, value, p.leverage, lots, (0, 0)))

    def reducible(self, t: Ticket, p: Position) -> int:
        """Returns the lots of the position that a reduce-only order may close. An order that trades at once may close all; one
        that rests, those that better resting ones leave (trading cuts the others)."""
        closing = -p.size if t.side == Side.BUY else p.size
        trades = bool(t.terms.shape_flags & ShapeFlag.TO_LIMIT)
        meets = trades or self.trading.books[t.instrument].touch(t.side, t.price) is not None
        rests = not t.ending and (t.waits or not meets)
        return closing - (self.trading.reduced_before(t, p) if rests and closing > 0 else 0)

    # --- Tiers that orders can reach

    def _group(self, p: Position) -> list[Position]:
        """Returns the positions that share tiers: this one alone, or, by net, the cross positions of its tier group."""
        netted = self.contracts[p.instrument].basis == Basis.NET and p.mode == Mode.CROSS
        return [p, *(q for q in p.group if netted and q is not p and q.mode == Mode.CROSS)]

    def _tier_measure(self, p: Position, side: int, lots: int, orders: bool = True) -> int:
        """Returns the measure in the tiers if `lots` more opened on `side`.

        By net, the larger side of each contract counts, because a hedge may be closed one leg at a time. `orders` adds the
        lots that its other orders could open.
        """
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
        """True if the tier of `measure` allows the leverage of this position and of those that share its tiers."""
        for q in self._company(p):
            contract = self.contracts[q.instrument]
            if not valuation.allows(contract, valuation.tier_at(contract, measure, q.chosen_tier), q.leverage):
                return False
        return True

    def _fits(self, p: Position, measure: int) -> bool:
        """True if `measure` is within the tables, up to a chosen tier, of this position and of those that share its tiers."""
        tables = (
            (self.contracts[q.instrument].tiers, q.chosen_tier or len(self.contracts[q.instrument].tiers))
            for q in self._company(p)
        )
        return all(measure <= tiers[last - 1].top for tiers, last in tables)

    def fits(self, p: Position) -> bool:
        """True if the resting orders cannot lead beyond the last allowed tier."""
        return self._fits(p, max(self._reaches(p)))

    def _company(self, p: Position) -> list[Position]:
        """Returns this position and those that share its tiers and have a size or an order."""
        return [q for q in self._group(p) if q is p or q.size or any(each.lots for each in q.open_sides)]

    def _reaches(self, p: Position) -> list[int]:
        """Returns the measure that the resting orders could reach, by side."""
        return [self._tier_measure(p, side, margin.opening_lots(p, side, p.open_sides[side].lots)) for side in Side]

    def reach(self, p: Position) -> int:
        """Returns the highest tier that the resting orders could reach."""
        return valuation.tier_at(self.contracts[p.instrument], max(self._reaches(p)), p.chosen_tier)
