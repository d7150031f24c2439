"""The placement of orders: checks, then execution at once, or once a trigger fires.

Owns the checks before a trade, complete before the first write. A Book alone takes the same path without the money checks.
Each handler returns (code, order id, filled lots, resting lots).
"""

from dataclasses import replace

from solvent.schema.codes import Code
from solvent.schema.commands import PlaceOrder
from solvent.schema.layouts import (
    BRACKET,
    BRACKET_FIELDS,
    EXTENSION,
    EXTENSION_FIELDS,
    NOBODY,
    RECORD_BYTES,
    SHAPE,
    SHAPE_FIELDS,
)
from solvent.schema.limits import FIRST_USER, PEGGED_MAX, RATE, REDUCE_ONLY_MAX, TRAILING_MAX, TRIGGERED_MAX
from solvent.schema.states import CALLS
from solvent.schema.words import (
    BandEffect,
    Ending,
    Flag,
    Leg,
    Listing,
    OrderType,
    Peg,
    Role,
    SelfTrade,
    ShapeFlag,
    Side,
    Source,
    Tif,
    TriggerFlag,
    TriggerKind,
)
from solvent.terms.names import client_number, client_text
from solvent.twin.account.ledger import OpenSide, Position
from solvent.twin.base.integers import ceil_div
from solvent.twin.contract import valuation
from solvent.twin.contract.valuation import Contract
from solvent.twin.market.book import PLAIN, Bracket, ExtendedTerms, Order
from solvent.twin.market.triggers import direction, reached
from solvent.twin.trade.linked import Linked, count_of
from solvent.twin.trade.order_margin import OrderMargin
from solvent.twin.trade.preview import dry_run
from solvent.twin.trade.shapes import Shapes, check_shape
from solvent.twin.trade.state import Fields, Ticket
from solvent.twin.trade.uncross import Uncross

Answer = tuple[Code, int, int, int]
_STAYS = (Tif.GTC, Tif.GTD)
_FLAGS = Flag.POST_ONLY | Flag.REDUCE_ONLY | Flag.MARKET | Flag.CLOSE_POSITION | Flag.SLIDE | Flag.SHAPED_ORDER


def refused(code: Code, order_id: int = 0) -> Answer:
    return code, order_id, 0, 0


class Placement:
    def __init__(self, order_margin: OrderMargin, bare: bool):
        self.order_margin = order_margin
        self.trading = order_margin.trading
        self.ledger = order_margin.ledger
        self.contracts = order_margin.contracts
        self.uncrossing = Uncross(self.trading)
        self.linked = Linked(order_margin)
        self.bare = bare
        self.shapes = Shapes(order_margin, bare)
        self.clock_ns = 0  # the kernel's clock, set before each command

    # --- the form of a command

    def check_leg(self, account: int, instrument: int, leg: int) -> Code:
        """Checks the leg: a hedged instrument needs one, any other takes none, and a Book has none."""
        hedged = not self.bare and self.ledger.is_hedged(account, instrument)
        return Code.OK if leg <= Leg.SHORT and bool(leg) == hedged else Code.BAD_LEG

    def known_account(self, account: int) -> bool:
        """True if an account exists. A Book takes any number except NOBODY."""
        return account != NOBODY if self.bare else FIRST_USER <= account < len(self.ledger.wallets)

    def check_names(self, account: int, instrument: int) -> Code:
        if not self.known_account(account):
            return Code.UNKNOWN_ACCOUNT
        return Code.OK if instrument < len(self.contracts) else Code.UNKNOWN_INSTRUMENT

    def _check_header(self, contract: Contract, c: PlaceOrder, x: Fields | None, h: Fields | None) -> Code:
        """Checks side, time in force, flags, size, price, client id and self-trade terms of an ORDER.

        With a trigger a market order may be good till a date, which no longer applies once it fires. h: a pegged order brings
        no price, and a market order whose rest becomes a limit order may stay.
        """
        market, stays, sleeps = c.flags & Flag.MARKET, c.tif in _STAYS, bool(x and x.trigger_kind)
        priced, becomes_limit = not (h and h.peg), h and h.shape_flags & ShapeFlag.TO_LIMIT
        if c.side > Side.SELL:
            return Code.BAD_SIDE
        if c.tif > Tif.GTD:
            return Code.BAD_TIF
        allowed = int(_FLAGS | Flag.LINKED) if x and x.tag else int(_FLAGS)
        if c.flags & ~allowed or (self.bare and c.flags & (Flag.REDUCE_ONLY | Flag.CLOSE_POSITION)):
            return Code.BAD_FLAGS
        if c.flags & Flag.SHAPED_ORDER and c.records < 3:
            return Code.BAD_FLAGS
        slides_alone = c.flags & (Flag.SLIDE | Flag.POST_ONLY) == Flag.SLIDE
        stays_at_market = market and stays and not (becomes_limit or (sleeps and c.tif == Tif.GTD))
        if stays_at_market or (c.flags & Flag.POST_ONLY and (not stays or market)) or slides_alone:
            return Code.BAD_FLAGS
        if not (c.size_lots == 0 if c.flags & Flag.CLOSE_POSITION else 1 <= c.size_lots <= contract.max_size_lots):
            return Code.BAD_SIZE
        if not (0 if market or not priced else 1) <= c.price_ticks <= contract.max_price_ticks:
            return Code.BAD_PRICE
        if c.client_id >> 63:
            return Code.BAD_CLIENT_ID
        if c.stp_mode > SelfTrade.ALLOW or c.stp_group < 0:
            return Code.BAD_SELF_TRADE
        return Code.OK

    def _check_trigger(self, contract: Contract, x: Fields) -> Code:
        """Checks the trigger: a fixed one has a price, a trailing one a distance, an order without trigger neither."""
        kind = x.trigger_kind
        good = kind <= TriggerKind.TRAIL_RATE and x.trigger_source in list(Source)
        good = good and not x.trigger_flags & ~int(TriggerFlag.REFUSE_REACHED)
        if kind == TriggerKind.NO_TRIGGER:
            good = good and not (x.trigger_ticks or x.trail or x.trigger_source or x.trigger_flags)
        elif kind <= TriggerKind.TAKE_PROFIT:
            good = good and 1 <= x.trigger_ticks <= contract.max_price_ticks and not x.trail
        else:
            highest = contract.max_price_ticks if kind == TriggerKind.TRAIL_TICKS else RATE - 1
            good = good and 1 <= x.trail <= highest and not x.trigger_flags
            good = good and 0 <= x.trigger_ticks <= contract.max_price_ticks  # its activation
        return Code.OK if good else Code.BAD_TRIGGER

    def _check_extension(self, contract: Contract, c: PlaceOrder, x: Fields | None) -> Code:
        """Checks the second record of an ORDER. Reserved fields are refused with NOT_SUPPORTED."""
        if x is None:
            return Code.BAD_EXPIRY if c.tif == Tif.GTD else Code.OK
        unmarked = x.tag and not c.flags & Flag.LINKED
        if x.unused_lots or x.unused_ticks or x.group_id or x.unused_word or x.group_role > Role.BRINGS_BRACKET or unmarked:
            return Code.NOT_SUPPORTED
        if x.expiry_ns <= self.clock_ns if c.tif == Tif.GTD else x.expiry_ns:
            return Code.BAD_EXPIRY
        if x.slippage_ppb and (not 0 < x.slippage_ppb < RATE or not c.flags & Flag.MARKET or c.price_ticks):
            return Code.BAD_SLIPPAGE
        return self._check_trigger(contract, x)

    def _terms(self, c: PlaceOrder, x: Fields | None, h: Fields | None) -> ExtendedTerms:
        if x is None and not c.stp_mode and not c.stp_group:
            return PLAIN
        terms = ExtendedTerms(stp_group=c.stp_group, stp_mode=c.stp_mode)
        if x is None:
            return terms
        terms = replace(
            terms, trigger=0 if x.trail else x.trigger_ticks, trail=x.trail, slippage_ppb=x.slippage_ppb,
            expiry_ns=x.expiry_ns, source=x.trigger_source, kind=x.trigger_kind, trigger_flags=x.trigger_flags,
            leg=x.hedge_side, activation=x.trigger_ticks if x.trail else 0, tag=x.tag,
        )  # fmt: skip
        if h is None:
            return terms
        return replace(
            terms, step=h.step_ticks, offset=h.offset_ticks, peg=h.peg, shape_flags=h.shape_flags, display=h.display_lots,
            limit=c.price_ticks if Peg.NO_PEG < h.peg < Peg.PEG_TRIGGER else 0,
        )  # fmt: skip

    # --- the checks before a trade

    def _market_price(self, t: Ticket) -> int:
        """Returns the limit of a market order: its own protection price, its slippage from the best price, or the edge of the
        legal prices."""
        contract, buys = self.contracts[t.instrument], t.side == Side.BUY
        one_level = t.terms.shape_flags & ShapeFlag.ONE_LEVEL
        edge = contract.max_price_ticks if buys else 1
        if t.price:
            edge = t.price
        elif not self.bare:
            edge = valuation.band_price(contract, t.side, self.order_margin.rules.price_band_ppb)
        best = self.trading.books[t.instrument].best(1 - t.side)
        if one_level and best is not None:
            return min(best, edge) if buys else max(best, edge)
        if not t.terms.slippage_ppb or best is None:
            return edge
        if buys:
            return min(edge, best * (RATE + t.terms.slippage_ppb) // RATE)
        return max(edge, ceil_div(best * (RATE - t.terms.slippage_ppb), RATE))

    def _keep_off_the_touch(self, t: Ticket) -> Code:
        """Refuses a post-only order that would trade, or moves it one tick behind the best price if it may slide."""
        book, buys = self.trading.books[t.instrument], t.side == Side.BUY
        touch = book.touch(t.side, t.price)
        if touch is None:
            return Code.OK
        price = touch - 1 if buys else touch + 1
        if not t.flags & Flag.SLIDE or not 1 <= price <= self.contracts[t.instrument].max_price_ticks:
            return Code.POST_ONLY_WOULD_TAKE
        t.price, t.limit = price, min(t.limit, price) if buys else max(t.limit, price)
        return Code.OK

    def _cut_to_position(self, t: Ticket, p: Position, standing: OpenSide | None) -> Code:
        """Cuts a reduce-only order to the lots that it may close; a close-position order takes all of them."""
        filled = t.size - t.remaining
        lots = self.order_margin.reducible(t, p)
        t.remaining = lots if t.flags & Flag.CLOSE_POSITION and standing is None else min(t.remaining, lots)
        if t.remaining <= 0:
            return Code.REDUCE_ONLY_WOULD_OPEN
        if t.order is None and not t.ending and self._reduce_only(p) >= REDUCE_ONLY_MAX:
            return Code.TOO_MANY_ORDERS  # an order that cannot rest needs no room
        t.size = filled + t.remaining
        return Code.OK

    def _reduce_only(self, p: Position) -> int:
        return sum(1 for order in p.orders if order.reduces)

    def _fit_state(self, t: Ticket, listing: int) -> Code:
        """Checks an order, or an amendment, against a state that is not continuous trading. In a call it meets nobody."""
        if listing in CALLS:
            rests = t.tif in _STAYS and not t.flags & (Flag.MARKET | Flag.POST_ONLY) and t.terms.gathers
            t.waits = True
            return Code.OK if t.order or rests else Code.NOT_IN_THIS_STATE
        if listing != Listing.ONLY_POST:
            return Code.NOT_TRADING
        if t.order is None:
            return Code.OK if t.flags & Flag.POST_ONLY else Code.NOT_IN_THIS_STATE
        crosses = self.trading.books[t.instrument].touch(t.side, t.price) is not None
        return Code.POST_ONLY_WOULD_TAKE if crosses and not t.flags & Flag.SLIDE else Code.OK

    def _beyond_band(self, t: Ticket, contract: Contract) -> Code:
        """Decides on an order that is priced beyond the band. In a call it may be where the band would interrupt trading."""
        effect = contract.calls.beyond_band
        if effect == BandEffect.REFUSE_BEYOND:
            return Code.PRICE_BAND
        edge = self.order_margin.within_band(t, contract.mark)
        rests_at_once = t.flags & Flag.POST_ONLY or not t.terms.gathers or t.terms.shape_flags & ShapeFlag.TO_LIMIT
        interrupts = effect != BandEffect.SLIDE_BEYOND and contract.listing != Listing.ONLY_POST and not rests_at_once
        if t.waits and interrupts:
            return Code.OK
        if interrupts:
            t.edge, t.beyond = edge, t.price
        if not interrupts or t.ending:  # what does not rest needs no cover beyond the edge
            t.price = t.limit = edge
        return Code.OK

    def admit(self, t: Ticket, p: Position | None, standing: OpenSide | None = None) -> Code:
        """Runs all checks of a well-formed ticket, and fixes its price, limit and size.

        standing: the present contribution of an order that is amended. p is None in a Book alone.
        """
        contract, code = self.contracts[t.instrument], Code.OK
        if contract.listing and (code := self._fit_state(t, contract.listing)):
            return code
        if p and not contract.mark:
            return Code.NO_MARK
        slides = bool(t.flags & Flag.SLIDE)
        if slides and (code := self._keep_off_the_touch(t)):
            return code
        if p and t.flags & Flag.REDUCE_ONLY and (code := self._cut_to_position(t, p, standing)):
            return code
        if t.flags & Flag.MARKET:
            t.price = t.limit = self._market_price(t)
        if p:
            if t.price != self.order_margin.within_band(t, contract.mark) and (code := self._beyond_band(t, contract)):
                return code
            self.order_margin.limit_to_bankruptcy(t, p)
        if t.flags & Flag.POST_ONLY and not slides and (code := self._keep_off_the_touch(t)):
            return code
        if t.terms.shape_flags & ShapeFlag.ALL_OR_NONE:
            t.waits = t.waits or dry_run(self.trading, t)[0] > 0
        if p:
            if t.flags & Flag.MARKET:
                unfilled, last = dry_run(self.trading, t)
                t.limit = t.limit if unfilled else last
            t.open_loss = max(0, t.limit - contract.mark if t.side == Side.BUY else contract.mark - t.limit)
            if not t.flags & Flag.REDUCE_ONLY:
                code = self.order_margin.check_margin(t, p, standing or OpenSide())
        if t.edge:
            t.limit = min(t.limit, t.edge) if t.side == Side.BUY else max(t.limit, t.edge)
        if not code and t.tif == Tif.FOK and dry_run(self.trading, t)[0] > 0:
            return Code.FOK_UNFILLED
        if t.flags & Flag.POST_ONLY or contract.listing == Listing.ONLY_POST:
            t.waits = True  # it takes nothing, not even what trades whole
        return code

    # --- the limits of the instrument

    def check_limits(self, contract: Contract, kind: OrderType, size: int, price: int, flags: int) -> Code:
        """Checks an order's size by its type, and its value at its limit, else at the mark. An order that only closes may
        be small."""
        limits, closes = contract.limits, bool(flags & Flag.REDUCE_ONLY)
        if limits is None or not size:  # a close-position order has no size
            return Code.OK
        if not limits.allow(kind, size, closes):
            return Code.SIZE_OUT_OF_BOUNDS
        least, price = limits.terms.least_notional_units, price or contract.mark
        if closes or not least:
            return Code.OK
        if not price:
            return Code.NO_MARK
        return Code.NOTIONAL_TOO_SMALL if valuation.value_of(contract, size, price) < least else Code.OK

    def allows_live(self, contract: Contract, t: Ticket) -> bool:
        """True if an account may have as many orders more in an instrument as a ticket brings."""
        most = contract.limits.terms.most_orders if contract.limits else 0
        live = sum(len(p.orders) for p in self.ledger.positions_of(t.account) if p.instrument == t.instrument)
        return not most or live + t.comes_with < most

    def _keep_limits(self, t: Ticket, c: PlaceOrder) -> Code:
        """Checks an order against its instrument's own limits, as the last check: what passes is accepted, and counts."""
        contract, sleeps, market = self.contracts[t.instrument], bool(t.terms.kind), bool(t.flags & Flag.MARKET)
        limits = contract.limits
        if limits is None:
            return Code.OK
        kind = OrderType.TRIGGER_ORDER if sleeps else OrderType.MARKET_ORDER if market else OrderType.LIMIT_ORDER
        if code := self.check_limits(contract, kind, c.size_lots, t.price if c.price_ticks or not market else 0, t.flags):
            return code
        if (sleeps or not t.ending or t.bracket) and not self.allows_live(contract, t):  # what cannot rest needs no room
            return Code.TOO_MANY_OPEN_ORDERS
        if limits.full(t.account, self.clock_ns):
            return Code.TOO_MANY_MESSAGES
        limits.count(t.account, self.clock_ns)
        return Code.OK

    # --- the way in

    def execute_and_rest(self, t: Ticket) -> Answer:
        """Executes an accepted ticket; its rest rests or ends."""
        assert t.order
        self.trading.execute(t)
        if t.waits and self.contracts[t.instrument].listing not in CALLS:
            self.trading.end_closing(t)
        if t.edge:
            self._rest_beyond(t)
        else:
            if t.terms.shape_flags & ShapeFlag.TO_LIMIT:
                self.shapes.to_limit(t)
            self.trading.rest_or_end(t)
        self.shapes.try_wholes(t)
        resting = t.order.remaining if t.order.order_id in self.trading.live else 0
        return Code.OK, t.order.order_id, t.size - t.remaining, resting

    def _rest_beyond(self, t: Ticket) -> None:
        """Rests or ends an order that was priced beyond the band. If it would trade on beyond the edge its market halts, or an
        auction begins, and its rest keeps its price; otherwise it rests at the edge."""
        contract, order = self.contracts[t.instrument], t.order
        assert order
        meets = self.trading.books[t.instrument].touch(t.side, t.beyond) is not None
        interrupts = meets and t.remaining > 0 and t.ending in (None, Ending.UNFILLED)
        if not interrupts and not t.ending:
            t.price, sign = t.edge, 1 if t.side == Side.BUY else -1
            t.open_loss = order.open_loss = max(0, sign * (t.edge - contract.mark))
        self.trading.rest_or_end(t)
        if interrupts:
            self.uncrossing.end_unseen(t.instrument)
            self.uncrossing.park_pegs(t.instrument)
        if interrupts and contract.calls.beyond_band == BandEffect.HALT_BEYOND:
            self.uncrossing.enter(t.instrument, Listing.HALTED)
        elif interrupts:
            self.uncrossing.enter(t.instrument, Listing.AUCTION, ends_ns=self.clock_ns + contract.calls.call_ns)

    def _check_armed(self, t: Ticket, p: Position | None) -> Code:
        """Checks an order that becomes dormant; all other checks come when it fires."""
        if listing := self.contracts[t.instrument].listing:
            if listing == Listing.ONLY_POST:
                return Code.NOT_IN_THIS_STATE
            if listing not in CALLS:
                return Code.NOT_TRADING
        reference = self.trading.watched(t.instrument)[t.terms.source]
        if t.terms.trail and not reference:
            return Code.NO_REFERENCE
        way = direction(t.side, t.terms.kind)
        if t.terms.trigger_flags & TriggerFlag.REFUSE_REACHED and reached(way, t.terms.trigger, reference):
            return Code.TRIGGER_REACHED
        trigger = self.trading.triggers.first_trigger(t.instrument, t.side, t.terms, reference)
        if t.terms.peg == Peg.PEG_TRIGGER:
            t.price = t.limit = self.trading.triggers.pegged_limit(t.instrument, trigger, t.terms.offset)
        if p and t.price and t.price != self.order_margin.within_band(t, trigger):
            return Code.PRICE_BAND
        if p and sum(1 for order in p.orders if order.terms.kind) >= TRIGGERED_MAX:
            return Code.TOO_MANY_ORDERS
        if p and t.flags & Flag.REDUCE_ONLY and self._reduce_only(p) >= REDUCE_ONLY_MAX:
            return Code.TOO_MANY_ORDERS
        if t.terms.trail and self.trading.triggers.trailing(t.instrument) >= TRAILING_MAX:
            return Code.TOO_MANY_ORDERS
        return Code.OK

    def _arm(self, t: Ticket) -> Answer:
        """Accepts a dormant order. If its trigger is already reached, it is due at once, or when trading is continuous."""
        reference = self.trading.watched(t.instrument)[t.terms.source]
        if t.terms.trail and t.terms.activation in (0, reference):
            t.terms.extreme = reference
        self.trading.looks = self.trading.looks or t.terms.source >= Source.BY_BID
        order = self._accept(t)
        self.trading.triggers.add(order, reference)
        wakes = self.contracts[t.instrument].listing == Listing.TRADING and not t.terms.trail
        if wakes and reached(direction(t.side, t.terms.kind), t.terms.trigger, reference):
            self.trading.triggers.fire(order)
        return Code.OK, order.order_id, 0, 0

    def _check_pegged(self, t: Ticket, p: Position | None) -> Code:
        """Prices a new pegged order and checks it. One without a price is checked when it has one."""
        if self.contracts[t.instrument].listing:
            posting = self.contracts[t.instrument].listing in (*CALLS, Listing.ONLY_POST)
            return Code.NOT_IN_THIS_STATE if posting else Code.NOT_TRADING
        t.waits = True  # it never takes
        t.price = t.limit = self.shapes.pegged_price(t.instrument, t.side, t.terms)
        if t.price:
            return self.admit(t, p)
        return Code.NO_MARK if p and not self.contracts[t.instrument].mark else Code.OK

    def _is_full(self, t: Ticket) -> bool:
        """True if there is no room for one more order that trades whole, or that is pegged."""
        pegged = sum(order.instrument == t.instrument for order in self.trading.pegged.values()) if t.terms.follows else 0
        return self.shapes.is_full(t) or pegged >= PEGGED_MAX

    def place(self, c: PlaceOrder, more: bytes) -> Answer:
        """Executes ORDER: all checks, then acceptance and execution, or sleep until the trigger fires."""
        if code := self.check_names(c.account, c.instrument):
            return refused(code)
        contract = self.contracts[c.instrument]
        x, h, b, rest = _records(c, more)
        if code := self._check_header(contract, c, x, h):
            return refused(code)
        if len(rest) > RECORD_BYTES:
            return refused(Code.BAD_RECORD)
        if code := self._check_extension(contract, c, x) or (check_shape(contract, c, x, h) if x and h else Code.OK):
            return refused(code)
        if x and x.group_role and (code := self._check_bracket(contract, c, x, b)):
            return refused(code)
        text = client_text(rest) if rest else b""
        if text is None or (text and client_number(text) != c.client_id):
            return refused(Code.BAD_CLIENT_ID)
        if c.client_id and (first := self.trading.clients.get((c.account, c.client_id))):
            return refused(Code.DUPLICATE_CLIENT_ID, first)
        leg = x.hedge_side if x else Leg.ONE_WAY
        if code := self.check_leg(c.account, c.instrument, leg):
            return refused(code)
        p = None if self.bare else self.ledger.blank(c.account, c.instrument, leg)
        closes_leg = leg == (Leg.LONG if c.side == Side.SELL else Leg.SHORT)
        flags = c.flags | (Flag.REDUCE_ONLY if c.flags & Flag.CLOSE_POSITION or closes_leg else 0)
        t = Ticket(
            c.account, c.instrument, p, c.side, c.price_ticks, c.size_lots, c.tif, flags, c.client_id,
            limit=c.price_ticks, remaining=c.size_lots, terms=self._terms(c, x, h), text=text, bracket=b,
            comes_with=count_of(b) if b else 0,
        )  # fmt: skip
        t.ending = self._ending(t)
        if flags & Flag.REDUCE_ONLY and t.terms.shape_flags & ShapeFlag.ALL_OR_NONE:
            return refused(Code.BAD_SHAPE)
        fresh = p is not None and self.trading.keep(p)  # the position must be in its domain when that is judged
        if t.terms.follows:
            code = Code.BAD_SHAPE if flags & Flag.REDUCE_ONLY else self._check_pegged(t, p)
        else:
            code = self._check_armed(t, p) if t.terms.kind else self.admit(t, p)
        code = code or (Code.TOO_MANY_ORDERS if self._is_full(t) else Code.OK)
        if code := code or self._check_children(t, p) or self._keep_limits(t, c):
            if p and fresh:
                self.ledger.forget(p)
            return refused(code)
        if t.terms.kind:
            return self._arm(t)
        order = self._accept(t)
        if t.terms.follows and not t.price:
            self.trading.park(order)
            return Code.OK, order.order_id, 0, 0
        return self.execute_and_rest(t)

    def _check_bracket(self, contract: Contract, c: PlaceOrder, x: Fields, b: Fields | None) -> Code:
        """Checks a bracket: its record is there, its entry may open, and its children are well-formed."""
        closes_leg = x.hedge_side == (Leg.LONG if c.side == Side.SELL else Leg.SHORT)
        if b is None:
            return Code.NOT_SUPPORTED
        if self.bare or closes_leg or c.flags & (Flag.REDUCE_ONLY | Flag.CLOSE_POSITION):
            return Code.BAD_BRACKET
        return self.linked.check(contract, 1 - c.side, b)

    def _check_children(self, t: Ticket, p: Position | None) -> Code:
        """Checks that the position may have the children of an order as well."""
        return Code.OK if not (t.bracket and p) or self.linked.has_room(p, t.bracket) else Code.TOO_MANY_ORDERS

    def _accept(self, t: Ticket) -> Order:
        """Accepts an order, and its children behind it."""
        order = self.trading.accept(t)
        if t.bracket:
            bracket = Bracket(t.bracket.arm, entry=order.order_id)
            self.linked.bring(replace(t, side=1 - t.side), t.bracket, bracket)
            order.bracket = bracket
        return order

    @staticmethod
    def _ending(t: Ticket) -> Ending | None:
        """Returns why the rest of a new order ends; None if it may rest."""
        rests = not t.flags & Flag.MARKET or t.terms.shape_flags & ShapeFlag.TO_LIMIT
        return None if t.tif in _STAYS and rests else Ending.UNFILLED

    def fire_next(self) -> Answer | None:
        """Places the next due order like a new one. Returns None when none is due.

        Due orders that ended meanwhile (liquidated, cancelled) are skipped. An order that is not allowed now ends with
        TRIGGER_REFUSED and the code of a new order.
        """
        due = self.trading.triggers.due
        while due and (due[0].order_id not in self.trading.live or self._sleeps_on(due[0])):
            due.popleft()
        if not due:
            return None
        order = due.popleft()
        t = self.ticket_of(order, order.remaining, order.price)
        t.ending = self._ending(t)
        self._slide_into_band(t)
        code = self.admit(t, order.holder if isinstance(order.holder, Position) else None)
        if not code and self.shapes.is_full(t):
            code = Code.TOO_MANY_ORDERS
        if not code:
            order.size, order.remaining, order.open_loss = t.size, t.remaining, t.open_loss
        self.trading.log.emit_triggered(
            side=t.side, account=t.account, instrument=t.instrument, kind=t.terms.kind, source=t.terms.source,
            order_id=order.order_id, trigger_ticks=t.terms.trigger, size_lots=order.size, price_ticks=t.price,
            limit_ticks=t.limit,
        )  # fmt: skip
        if code:
            self.trading.finish(order, Ending.TRIGGER_REFUSED, code)
            return code, order.order_id, 0, 0
        return self.execute_and_rest(t)

    def _sleeps_on(self, order: Order) -> bool:
        """Puts a due order back to sleep if its market has been interrupted meanwhile; a child without lots waits on."""
        if self.contracts[order.instrument].listing == Listing.TRADING:
            return order.is_child and not self.linked.release(order)
        self.trading.triggers.put_back(order)
        return True

    def _slide_into_band(self, t: Ticket) -> None:
        """Moves the limit of a fired order to the edge of the band if the mark has left it behind, and emits REPLACED."""
        mark = self.contracts[t.instrument].mark
        if self.bare or not (mark and t.price):
            return
        price = self.order_margin.within_band(t, mark)
        if price != t.price:
            assert t.order
            t.price = t.limit = t.order.price = price
            self.trading.replaced_event(t.order)

    def ticket_of(self, order: Order, remaining: int, price: int) -> Ticket:
        """Returns a live order as a ticket with other terms, before anything is changed."""
        holder = order.holder if isinstance(order.holder, Position) else None
        size = order.size - order.remaining + remaining
        return Ticket(
            order.account, order.instrument, holder, order.side, price, size, order.tif, order.flags, order.client_id,
            limit=price, remaining=remaining, terms=order.terms, order=order,
        )  # fmt: skip


def _records(c: PlaceOrder, more: bytes) -> tuple[Fields | None, Fields | None, Fields | None, bytes]:
    """Returns the further terms of an order, its shape, its bracket, and what comes behind them."""
    x = Fields(zip(EXTENSION_FIELDS, EXTENSION.unpack(more[:RECORD_BYTES]), strict=True)) if more else None
    h, b, rest = None, None, more[RECORD_BYTES:]
    if c.flags & Flag.SHAPED_ORDER and rest:
        h, rest = Fields(zip(SHAPE_FIELDS, SHAPE.unpack(rest[:RECORD_BYTES]), strict=True)), rest[RECORD_BYTES:]
    if x and x.group_role == Role.BRINGS_BRACKET and rest:
        b, rest = Fields(zip(BRACKET_FIELDS, BRACKET.unpack(rest[:RECORD_BYTES]), strict=True)), rest[RECORD_BYTES:]
    return x, h, b, rest
