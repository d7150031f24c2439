"""Whether an order, an amendment or a cancellation is allowed, and then its way in.

Owns the checks before a trade, complete before the first write. Each handler returns (code, order id, filled
lots, resting lots).
"""

from solvent.codes import Code
from solvent.limits import FIRST_USER, REDUCE_ONLY_MAX
from solvent.records import Ending, EventType, Flag, Side, Tif
from solvent.reference import margin
from solvent.reference.book import Order
from solvent.reference.ledger import Position
from solvent.reference.margin import Contract, OpenSide, Rules
from solvent.reference.trading import Ticket, Trading

Answer = tuple[Code, int, int, int]


def refused(code: Code, order_id: int = 0) -> Answer:
    return code, order_id, 0, 0


class Command(dict[str, int]):
    """A decoded command record; fields are attributes."""

    def __getattr__(self, name: str) -> int:
        return self[name]


class Entry:
    def __init__(self, trading: Trading, rules: Rules):
        self.trading = trading
        self.ledger = trading.ledger
        self.contracts = trading.contracts
        self.rules = rules

    def check_names(self, c: Command) -> Code:
        if not FIRST_USER <= c.account < len(self.ledger.wallets):
            return Code.UNKNOWN_ACCOUNT
        if c.instrument >= len(self.contracts):
            return Code.UNKNOWN_INSTRUMENT
        return Code.OK

    def check_terms(self, contract: Contract, c: Command) -> Code:
        """Side, time in force, flags, size, price and client id of an ORDER."""
        market = c.flags & Flag.MARKET
        if c.side > Side.SELL:
            return Code.BAD_SIDE
        if c.tif > Tif.FOK:
            return Code.BAD_TIF
        if c.flags & ~int(Flag.POST_ONLY | Flag.REDUCE_ONLY | Flag.MARKET):
            return Code.BAD_FLAGS
        if (market and c.tif == Tif.GTC) or (c.flags & Flag.POST_ONLY and c.tif != Tif.GTC):
            return Code.BAD_FLAGS
        if not 1 <= c.size_lots <= contract.max_size_lots:
            return Code.BAD_SIZE
        if not (0 if market else 1) <= c.price_ticks <= contract.max_price_ticks:
            return Code.BAD_PRICE
        if c.client_id >> 63:
            return Code.BAD_CLIENT_ID
        return Code.OK

    def share_of_equity(self, p: Position) -> int:
        """E_i of a cross position; 0 for an isolated one, which does not need it."""
        currency = self.contracts[p.instrument].currency
        cross = self.ledger.cross_of(p.account, currency)
        if p not in cross:
            return 0
        return margin.equity_shares(self.contracts, self.ledger.wallets[p.account][currency], cross)[cross.index(p)]

    def free_units(self, account: int, currency: int, spendable: bool) -> int:
        cash, holds = self.ledger.wallets[account][currency], self.ledger.holds[account][currency]
        return margin.free_units(self.contracts, cash, holds, self.ledger.cross_of(account, currency), spendable)

    # --- the checks of a priced ticket

    def _limit_to_bankruptcy(self, t: Ticket, p: Position) -> None:
        """An order against the position trades no further than where closing, fee paid, leaves nothing (§6)."""
        if p.size == 0 or (p.size > 0) == (t.side == Side.BUY):
            return
        contract = self.contracts[t.instrument]
        cost = margin.bankruptcy_cost(contract, p, self.share_of_equity(p))
        price = margin.price_paying(contract, p.size, cost, contract.taker_fee_ppb)
        if price < t.limit if t.side == Side.BUY else price > t.limit:
            t.limit = max(0, min(contract.max_price_ticks + 1, price))  # outside the legal range nothing trades
            t.ending = Ending.BANKRUPTCY_LIMIT

    def _check_price(self, t: Ticket, p: Position) -> Code:
        contract, book = self.contracts[t.instrument], self.trading.books[t.instrument]
        edge = margin.band_price(contract, t.side, self.rules.price_band_ppb)
        if t.price > edge if t.side == Side.BUY else t.price < edge:
            return Code.PRICE_BAND
        self._limit_to_bankruptcy(t, p)
        if t.flags & Flag.POST_ONLY and book.crossing(t.side, t.price):
            return Code.POST_ONLY_WOULD_TAKE
        if t.flags & Flag.MARKET:
            unfilled, reached = self.trading.dry_run(t)
            t.limit = t.limit if unfilled else reached
        t.open_loss = max(0, t.limit - contract.mark if t.side == Side.BUY else contract.mark - t.limit)
        return Code.OK

    def _check_margin(self, t: Ticket, p: Position, standing: OpenSide) -> Code:
        """Tier, leverage and initial margin of what the order may open. `standing`: what its own earlier
        terms (an amendment's) contribute already."""
        contract = self.contracts[t.instrument]
        others = p.open_sides[t.side].lots - standing.lots
        lots = margin.opening_lots(p, t.side, others + t.remaining)
        if lots == margin.opening_lots(p, t.side, others):
            return Code.OK
        held = max(0, p.size if t.side == Side.BUY else -p.size)
        lots += held
        # Not netted against a position of the other side: a reduce-only order may close that first.
        if held + others + t.remaining > contract.max_size_lots:
            return Code.POSITION_LIMIT
        if p.leverage > contract.tiers[margin.tier_of(contract, lots)][2]:
            return Code.LEVERAGE_ABOVE_TIER
        own = OpenSide(t.remaining, t.remaining * t.limit * contract.units, t.remaining * t.open_loss * contract.units).add(
            standing, -1
        )
        sides = list(p.open_sides)
        sides[t.side] = sides[t.side].add(own)
        needed = margin.hold_units(contract, p, (sides[0], sides[1])) - p.hold
        if needed > 0 and self.free_units(p.account, contract.currency, bool(p.mode)) < needed:
            return Code.INSUFFICIENT_MARGIN
        return Code.OK

    def _reducible(self, p: Position, side: int) -> int:
        """How much of the position a further reduce-only order of this side may still close."""
        return (-p.size if side == Side.BUY else p.size) - p.reduce.lots

    def _within_tier(self, p: Position) -> bool:
        """Whether the leverage is allowed in the tier that the resting orders could lead to."""
        contract = self.contracts[p.instrument]
        buys = margin.opening_lots(p, Side.BUY, p.open_sides[Side.BUY].lots) + max(0, p.size)
        sells = margin.opening_lots(p, Side.SELL, p.open_sides[Side.SELL].lots) + max(0, -p.size)
        reach = max(buys, sells)
        return reach <= abs(p.size) or p.leverage <= contract.tiers[margin.tier_of(contract, reach)][2]

    def _uncover(self, worked: Position, free_before: int) -> None:
        """After an order of its own an account must still bear its other orders (decision 0004).

        A closing order is never refused for margin, but it may spend what other orders rely on, or close
        what they lean on. Where free is negative then, and lower than before, ordinary orders are cancelled:
        by instrument, newest first, until it is not.
        """
        account, currency = worked.account, self.contracts[worked.instrument].currency

        def short() -> bool:
            return self.free_units(account, currency, spendable=False) < min(0, free_before)

        if not short() and self._within_tier(worked):
            return
        for p in self.ledger.positions_of(account):
            if self.contracts[p.instrument].currency == currency:
                for order in reversed(list(p.orders)):
                    if not (p.hold and short()) and self._within_tier(p):
                        break
                    if not order.flags & Flag.REDUCE_ONLY:
                        self.trading.cancel(order, Ending.UNCOVERED)

    # --- handlers

    def place(self, c: Command) -> Answer:
        """ORDER."""
        if code := self.check_names(c):
            return refused(code)
        contract = self.contracts[c.instrument]
        if code := self.check_terms(contract, c):
            return refused(code)
        first = self.trading.clients.get((c.account, c.client_id)) if c.client_id else None
        if first:
            return refused(Code.DUPLICATE_CLIENT_ID, first)
        if not contract.mark:
            return refused(Code.NO_MARK)
        price = c.price_ticks or margin.band_price(contract, c.side, self.rules.price_band_ppb)
        p = self.ledger.blank(c.account, c.instrument)
        t = Ticket(c.account, c.instrument, p, c.side, price, c.size_lots, c.tif, c.flags, c.client_id, limit=price)
        t.ending = None if c.tif == Tif.GTC else Ending.UNFILLED
        if c.flags & Flag.REDUCE_ONLY:
            t.size = min(t.size, self._reducible(p, t.side))
            if t.size <= 0:
                return refused(Code.REDUCE_ONLY_WOULD_OPEN)
            if sum(order.flags & Flag.REDUCE_ONLY != 0 for order in p.orders) >= REDUCE_ONLY_MAX:
                return refused(Code.TOO_MANY_ORDERS)
        t.remaining = t.size
        code = self._check_price(t, p)
        if not code and not c.flags & Flag.REDUCE_ONLY:
            code = self._check_margin(t, p, OpenSide())
        if not code and c.tif == Tif.FOK and self.trading.dry_run(t)[0] > 0:
            code = Code.FOK_UNFILLED
        if code:
            return refused(code)
        self.ledger.keep(p)
        self.trading.accept(t)
        return self._work(t)

    def _work(self, t: Ticket) -> Answer:
        assert t.order and isinstance(t.holder, Position)
        currency = self.contracts[t.instrument].currency
        free_before = self.free_units(t.account, currency, spendable=False)
        self.trading.execute(t)
        self.trading.conclude(t)
        self._uncover(t.holder, free_before)
        resting = t.order.remaining if t.order.order_id in self.trading.live else 0
        return Code.OK, t.order.order_id, t.size - t.remaining, resting

    def find(self, c: Command) -> Order | None:
        """The sender's live order, by order id, else by client id."""
        order_id = c.order_id or self.trading.clients.get((c.account, c.client_id), 0)
        order = self.trading.live.get(order_id)
        return order if order and order.account == c.account else None

    def cancel(self, c: Command) -> Answer:
        """CANCEL."""
        if not FIRST_USER <= c.account < len(self.ledger.wallets):
            return refused(Code.UNKNOWN_ACCOUNT)
        order = self.find(c)
        if order is None:
            return refused(Code.UNKNOWN_ORDER)
        self.trading.cancel(order, Ending.CANCELLED)
        return Code.OK, order.order_id, order.size - order.remaining, 0

    def amend(self, c: Command) -> Answer:
        """AMEND: a smaller size keeps its place; anything else leaves the queue and comes in again."""
        if not FIRST_USER <= c.account < len(self.ledger.wallets):
            return refused(Code.UNKNOWN_ACCOUNT)
        order = self.find(c)
        if order is None:
            return refused(Code.UNKNOWN_ORDER)
        code, size, price = self.check_amendment(c, order)
        if code:
            return refused(code)
        if price != order.price or size > order.size:
            return self._replace(order, size - order.size + order.remaining, price)
        self.trading.shrink(order, order.size - size, Ending.AMENDED)
        return Code.OK, order.order_id, order.size - order.remaining, order.remaining

    def check_amendment(self, c: Command, order: Order) -> tuple[Code, int, int]:
        """(code, total size, price) that an AMEND asks for, 0 meaning as it is."""
        contract = self.contracts[order.instrument]
        size, price = c.size_lots or order.size, c.price_ticks or order.price
        if not 0 <= size <= contract.max_size_lots:
            return Code.BAD_SIZE, size, price
        if not 1 <= price <= contract.max_price_ticks:
            return Code.BAD_PRICE, size, price
        if size <= order.size - order.remaining:
            return Code.AMEND_BELOW_FILLED, size, price
        if (size, price) == (order.size, order.price):
            return Code.AMEND_NOTHING, size, price
        return Code.OK, size, price

    def _replace(self, order: Order, remaining: int, price: int) -> Answer:
        p = order.holder
        assert isinstance(p, Position)
        filled = order.size - order.remaining
        t = Ticket(order.account, order.instrument, p, order.side, price, 0, flags=order.flags, limit=price, order=order)
        reduce_only = bool(order.flags & Flag.REDUCE_ONLY)
        t.remaining = remaining
        if reduce_only:
            t.remaining = min(remaining, self._reducible(p, t.side) + order.remaining)
        t.size = filled + t.remaining
        code = self._check_price(t, p)
        if not code and not reduce_only:
            code = self._check_margin(t, p, self.trading.exposure(order, order.remaining))
        if code:
            return refused(code)
        self.trading.unlist(order)
        order.size, order.remaining, order.price, order.open_loss = t.size, t.remaining, price, t.open_loss
        self.trading.emit(
            EventType.REPLACED, t.account, t.instrument, side=t.side, a=order.order_id, b=price, c=t.remaining, d=t.size
        )
        return self._work(t)
