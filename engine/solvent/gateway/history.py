"""History: from the events of an exchange to what its clients ask about the past, and to notices of what is new.

Owns the memories of `records` and `market`, each bounded: an account's flood pushes out only its own past. Never asks the
kernel anything and never decides. Cost: O(1) an event.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from solvent.api.venue import Venue
from solvent.gateway.market import Funded, Market
from solvent.gateway.notes import Note
from solvent.gateway.records import (
    Asked,
    Bill,
    Bracket,
    Category,
    Fill,
    Holding,
    Liquidated,
    Notice,
    Order,
    State,
    Trade,
    What,
)  # fmt: skip
from solvent.schema.events import Event, terms_of
from solvent.schema.layouts import NO_INSTRUMENT
from solvent.schema.limits import FIRST_USER
from solvent.schema.words import Arm, Ending, EventType, Flag, Leg, Mode, Posting, Side
from solvent.terms.decimals import half_even

__all__ = ["MADE_UP", "History"]

MADE_UP = 1 << 62
"""Added to an event's number: the id of an order that no client and no kernel gave, a takeover's or a deleveraging's."""
_PAST = 1_000  # ended orders, fills, bills and closed positions that are remembered of an account
_FEES = (Posting.MAKER_FEE, Posting.TAKER_FEE, Posting.LIQUIDATION_FEE)
_FUNDING = (Posting.FUNDING_PAID, Posting.FUNDING_RECEIVED)
_WITHIN = (Posting.MARGIN_ASSIGNED, Posting.MARGIN_RELEASED)
_UNREAL = 2**62
_Place = tuple[int, int, int]  # account, instrument, leg


def _past() -> deque[Any]:
    return deque(maxlen=_PAST)


class History:
    """Reads events. `notices` holds what happened since it was last emptied.

    venue: the terms of the exchange, which the one who reads keeps up to date. coming: an account, and what its next orders
    were asked for; each one that is accepted takes the first. noted: the same by command, while the past is read.
    """

    def __init__(self, venue: Venue):
        self.venue = venue
        self.markets: defaultdict[int, Market] = defaultdict(Market)
        self.orders: dict[int, Order] = {}
        self.live: defaultdict[int, dict[int, Order]] = defaultdict(dict)  # by account
        self.ended: defaultdict[int, deque[Order]] = defaultdict(_past)
        self.by_client: dict[tuple[int, str], int] = {}
        self.fills: defaultdict[int, deque[Fill]] = defaultdict(_past)
        self.bills: defaultdict[int, deque[Bill]] = defaultdict(_past)
        self.holdings: dict[_Place, Holding] = {}
        self.closed: defaultdict[int, deque[Holding]] = defaultdict(_past)
        self.cash: defaultdict[tuple[int, int], int] = defaultdict(int)
        self.changed_ns: defaultdict[int, int] = defaultdict(int)  # by account
        self.notices: list[Notice] = []
        self.time_ns = self.command_seq = 0
        self.coming: tuple[int, list[Asked]] = 0, []
        self.noted: Iterator[Note] = iter(())
        self._note: Note | None = None
        self.tags: dict[str, int] = {}  # the exchange's numbers for texts
        self.top_tag = 0
        self._named: dict[int, str] = {}  # client ids of the command, by number
        self._open: list[Fill] = []  # halves of the trade that is being posted
        self._funding: list[Event] = []  # postings until FUNDED says of which instrument
        self._taken = 0  # what a takeover took, until TAKEOVER says from which position
        self._stepping: set[int] = set()  # accounts whose next order is a step-down
        self._touched: dict[int, str] = {}  # accounts of this command whose money moved, and why
        self._moved: dict[_Place, str] = {}
        self._books: set[int] = set()

    def read(self, events: Iterable[Event]) -> None:
        """Reads further events, whole commands of them."""
        for e in events:
            handler = _HANDLERS.get(e.type)
            if handler is not None:
                handler(self, e)
        self._end_command()

    def forget_notices(self) -> list[Notice]:
        """Returns the notices so far and begins anew."""
        found, self.notices = self.notices, []
        return found

    def order_of(self, account: int, order_id: int, client_id: str = "") -> Order | None:
        """Returns an account's order by either name, alive or ended."""
        order = self.orders.get(order_id or self.by_client.get((account, client_id), 0))
        return order if order is not None and order.account == account else None

    # --- commands

    def _begin(self, e: Event) -> None:
        self._end_command()
        self.time_ns, self.command_seq = e.time_ns, e.command_seq
        self._named.clear()
        while self._note is None or self._note[0] < e.command_seq:
            self._note = next(self.noted, None)
            if self._note is None:
                return
        if self._note[0] == e.command_seq:
            self.coming = self._note[1:]

    def _end_command(self) -> None:
        self._close_fills()
        for (account, instrument, leg), reason in self._moved.items():
            self._say(What.POSITION, account, (instrument, leg), reason)
        for account, reason in self._touched.items():
            self.changed_ns[account] = self.time_ns
            self._say(What.ACCOUNT, account, None, reason)
        for instrument in self._books:
            market = self.markets[instrument]
            market.book_seq, market.book_ns = self.command_seq, self.time_ns
            self._say(What.BOOK, instrument)
        self._moved.clear()
        self._touched.clear()
        self._books.clear()
        self._stepping.clear()

    def _say(self, what: What, key: int, body: Any = None, reason: str = "") -> None:
        self.notices.append(Notice(what, key, body, reason))

    # --- orders

    def _client_id(self, e: Event) -> None:
        self._named[e.client_id] = e.name

    def _accepted(self, e: Event) -> None:
        if e.account < FIRST_USER:
            return
        terms = terms_of(e) if e.extra else {}
        leg = terms.get("hedge_side", 0)
        held = self.held(e.account, e.instrument, leg)
        text = self._named.get(e.client_id) or (str(e.client_id) if e.client_id else "")
        category = Category.STEP_DOWN if e.account in self._stepping else Category.NORMAL
        account, coming = self.coming
        asked = coming.pop(0) if coming and account == e.account and category == Category.NORMAL else Asked()
        child = not e.size_lots and not e.flags & Flag.CLOSE_POSITION
        dormant = child or bool(terms.get("trigger_kind"))
        order = Order(
            order_id=e.order_id, account=e.account, instrument=e.instrument, side=e.side, leg=leg, mode=held.mode,
            leverage=held.leverage, price_ticks=e.price_ticks, size_lots=e.size_lots, flags=e.flags & 0xFF, tif=e.tif,
            client_id=text or asked.client_id, created_ns=self.time_ns, updated_ns=self.time_ns,
            state=State.DORMANT if dormant else State.LIVE, trigger_kind=terms.get("trigger_kind", 0),
            trigger_source=terms.get("trigger_source", 0), trigger_ticks=terms.get("trigger_ticks", 0),
            trail=terms.get("trail", 0), self_trade=e.flags >> 8, category=category, asked=asked,
        )  # fmt: skip
        if order.trailing:
            order.activation_ticks, order.trigger_ticks = order.trigger_ticks, 0
        self.orders[e.order_id] = self.live[e.account][e.order_id] = order
        if order.client_id and not asked.second:
            self.by_client[e.account, order.client_id] = e.order_id
        if dormant and not child:
            self._say(What.ALGO, e.account, order.told())

    def _tagged(self, e: Event) -> None:
        order = self.orders.get(e.order_id)
        self.top_tag = max(self.top_tag, e.tag)
        if order is not None and order.asked.tag:
            self.tags[order.asked.tag] = e.tag

    def _linked(self, e: Event) -> None:
        entry = self.orders.get(e.entry_id)
        found = Bracket(e.entry_id, self.orders.get(e.target_id), self.orders.get(e.stop_id), e.arm, e.size_lots)
        for order in found.children:
            order.bracket = found
        if entry is not None:
            entry.bracket = found
        elif not e.entry_id:
            found.stands = True
            self._say_children(found)

    def _say_children(self, bracket: Bracket) -> None:
        """Tells of the children that wait for their triggers."""
        for order in bracket.children:
            if order.triggered and order.state == State.DORMANT:
                self._say(What.ALGO, order.account, order.told())

    def _stand(self, entry: Order) -> None:
        """Tells of the children of an entry that has filled something."""
        bracket = entry.bracket
        if bracket is not None and not entry.child:
            bracket.stands = bracket.stands or bracket.arm != Arm.WHEN_COMPLETE or entry.filled_lots >= entry.size_lots
            if bracket.stands:
                self._say_children(bracket)

    def _rested(self, e: Event) -> None:
        self._books.add(e.instrument)
        order = self.orders.get(e.order_id)
        if order is not None and not order.filled_lots:
            order.price_ticks = e.price_ticks
            self._say(What.ORDER, order.account, order.told())

    def _triggered(self, e: Event) -> None:
        order = self.orders.get(e.order_id)
        if order is not None:
            order.state, order.fired_ns, order.updated_ns = State.LIVE, self.time_ns, self.time_ns
            order.size_lots, order.price_ticks, order.trigger_ticks = e.size_lots, e.price_ticks, e.trigger_ticks
            if order.triggered:
                self._say(What.ALGO, order.account, order.told())

    def _trigger_moved(self, e: Event) -> None:
        order = self.orders.get(e.order_id)
        if order is not None:
            order.trigger_ticks, order.updated_ns = e.trigger_ticks, self.time_ns
            self._amended(order)

    def _replaced(self, e: Event) -> None:
        order = self.orders.get(e.order_id)
        self._books.add(e.instrument)
        if order is not None:
            order.price_ticks, order.size_lots, order.updated_ns = e.price_ticks, e.size_lots, self.time_ns
            self._amended(order)

    def _amended(self, order: Order) -> None:
        """Tells of an order that has another price, size or trigger; of a child that does not stand yet with its entry."""
        if order.child and order.bracket is not None and not order.bracket.stands:
            entry = self.orders.get(order.bracket.entry_id)
            if entry is None:
                return
            order = entry
        self._say(What.ALGO if order.state == State.DORMANT else What.ORDER, order.account, order.told(), "amended")

    def _reduced(self, e: Event) -> None:
        self._close_fills(e.order_id)
        self._books.add(e.instrument)
        order = self.orders.get(e.order_id)
        if order is not None:
            order.size_lots, order.updated_ns = order.filled_lots + e.remaining_lots, self.time_ns
            self._amended(order)

    def _done(self, e: Event) -> None:
        self._close_fills(e.order_id)
        self._books.add(e.instrument)
        order = self.orders.get(e.order_id)
        if order is None:
            return
        dormant, unseen = order.state == State.DORMANT, order.bracket is not None and order.child and not order.bracket.stands
        order.ending, order.code, order.updated_ns = e.ending, e.code, self.time_ns
        filled = e.ending == Ending.FILLED or (order.filled_lots > 0 and order.filled_lots == order.size_lots)
        order.state = State.FILLED if filled else State.CANCELLED
        if unseen:
            self._forget(order)
            return
        if order.state == State.CANCELLED and (order.triggered or not dormant):
            self._say(What.ALGO if dormant else What.ORDER, order.account, order.told())
        self._end(order)

    def _end(self, order: Order) -> None:
        """Moves an order to the past of its account, and forgets the oldest one there."""
        self.live[order.account].pop(order.order_id, None)
        past = self.ended[order.account]
        if len(past) == _PAST:
            self._forget(past[0])
        past.append(order)

    def _forget(self, order: Order) -> None:
        self.live[order.account].pop(order.order_id, None)
        self.orders.pop(order.order_id, None)
        if self.by_client.get((order.account, order.client_id)) == order.order_id:
            del self.by_client[order.account, order.client_id]

    # --- trades

    def enter(self, order: Order) -> None:
        """Enters an order that has ended and that no event tells of."""
        self.orders[order.order_id] = order
        if order.client_id:
            self.by_client[order.account, order.client_id] = order.order_id
        self._end(order)
        self._say(What.ORDER, order.account, order.told())

    def _trade(self, e: Event) -> None:
        self._close_fills()
        self._books.add(e.instrument)
        market = self.markets[e.instrument]
        trade = Trade(e.seq, e.instrument, e.side, e.price_ticks, e.size_lots, self.time_ns)
        market.trades.append(trade)
        market.bars.add(self.time_ns, e.price_ticks, e.size_lots)
        self._say(What.TRADE, e.instrument, trade)
        for order_id, side, maker in ((e.maker_order_id, 1 - e.side, True), (e.taker_order_id, e.side, False)):
            order = self.orders.get(order_id)
            if order is not None:
                self._fill(order, side, (e.seq, e.price_ticks, e.size_lots), maker)

    def _fill(self, order: Order, side: int, traded: tuple[int, int, int], maker: bool) -> None:
        """Enters one half of a trade; its money follows."""
        number, ticks, lots = traded
        order.filled_lots += lots
        order.value += ticks * lots
        order.updated_ns = self.time_ns
        order.state = State.FILLED if order.filled_lots >= order.size_lots > 0 else State.PARTIAL
        order.last = fill = Fill(
            number, order.order_id, order.client_id, order.account, order.instrument, side, order.leg, ticks, lots, maker,
            self.time_ns, bill_id=number, category=order.category, asked=order.asked,
        )  # fmt: skip
        self._open.append(fill)
        self._stand(order)

    def _close_fills(self, order_id: int = 0) -> None:
        """Ends the posting of fills, of one order or of all."""
        for fill in [each for each in self._open if order_id in (0, each.order_id)]:
            self._close_fill(fill)

    def _close_fill(self, fill: Fill) -> None:
        """Ends the posting of a fill: it becomes a bill, and its order a notice."""
        self._open.remove(fill)
        order = self.orders[fill.order_id]
        order.fee_units += fill.fee_units
        order.pnl_units += fill.pnl_units
        self.fills[fill.account].append(fill)
        currency = self._currency(fill.instrument)
        self.bills[fill.account].append(
            Bill(
                bill_id=fill.bill_id, account=fill.account, instrument=fill.instrument, mode=order.mode, leg=fill.leg,
                currency=currency, posting=Posting.REALISED, change_units=fill.pnl_units - fill.fee_units,
                balance_units=self.cash[fill.account, currency], time_ns=self.time_ns, size_lots=fill.size_lots,
                price_ticks=fill.price_ticks, fill=fill,
            )
        )  # fmt: skip
        self._say(What.ORDER, fill.account, order.told(), "filled")

    def _synthetic(self, e: Event, category: Category, side: int, price_ticks: int, lots: int) -> Fill:
        """Makes the order and the fill of what was done to a position without an order: a takeover, a deleveraging."""
        leg = self._leg(e)
        held = self.held(e.account, e.instrument, leg)
        order = Order(
            order_id=MADE_UP + e.seq, account=e.account, instrument=e.instrument, side=side, leg=leg, mode=held.mode,
            leverage=held.leverage, price_ticks=0, size_lots=lots, flags=Flag.MARKET | Flag.REDUCE_ONLY, tif=1, client_id="",
            created_ns=self.time_ns, updated_ns=self.time_ns, state=State.LIVE, category=category,
        )  # fmt: skip
        self.orders[order.order_id] = order
        self._fill(order, side, (e.seq, price_ticks, lots), maker=False)
        self._end(order)
        return self._open[-1]

    def _leg(self, e: Event) -> int:
        """Returns the leg of an event that may not tell it: the one that is open."""
        if e.type == EventType.TAKEOVER:
            return e.leg
        open_legs = [leg for leg in Leg if (held := self.holdings.get((e.account, e.instrument, leg))) and held.size_lots]
        return int(open_legs[0]) if open_legs else 0

    # --- liquidations

    def _step_down(self, e: Event) -> None:
        self._stepping.add(e.account)
        self._liquidated(e, e.side, e.leg, e.limit_ticks, e.size_lots)

    def _takeover(self, e: Event) -> None:
        self._close_fills()
        ticks = e.bankruptcy_ticks if 0 < e.bankruptcy_ticks < _UNREAL else e.mark_ticks
        side, lots = (Side.SELL if e.size_lots > 0 else Side.BUY), abs(e.size_lots)
        fill = self._synthetic(e, Category.TAKEOVER, side, ticks, lots)
        fill.pnl_units, self._taken = self._taken, 0
        self._liquidated(e, side, e.leg, ticks, lots)

    def _liquidated(self, e: Event, side: int, leg: int, ticks: int, lots: int) -> None:
        found = Liquidated(e.seq, e.instrument, side, leg, ticks, lots, self.time_ns)
        self.markets[e.instrument].liquidated.append(found)
        self._say(What.LIQUIDATION, e.instrument, found)

    def _adl(self, e: Event) -> None:
        self._close_fills()
        leg = self._leg(e)
        held = self.held(e.account, e.instrument, leg)
        spec = self.venue.instruments[e.instrument].spec
        ticks = max(1, half_even(abs(e.share_units), e.closed_lots * spec.units)) if not spec.kind else e.mark_ticks
        self._synthetic(e, Category.ADL, Side.SELL if held.size_lots > 0 else Side.BUY, ticks, e.closed_lots)

    # --- money

    def _ledger(self, e: Event) -> None:
        posting, of = e.posting, e.margin_of & 3
        if of != 1:
            self.cash[e.payer, e.currency] = e.payer_after
        if of != 2:
            self.cash[e.receiver, e.currency] = e.receiver_after
        for account, amount in ((e.payer, -e.amount_units), (e.receiver, e.amount_units)):
            if account < FIRST_USER or posting in _WITHIN:
                continue
            self._touched.setdefault(account, _REASONS.get(Posting(posting), "filled"))
            if posting in _FEES or posting == Posting.REALISED:
                self._post_to_fill(e, account, amount)
            elif posting in _FUNDING:
                self._funding.append(e)
            elif posting == Posting.TAKEN_OVER:
                self._taken += amount
            elif posting != Posting.MARGIN_MOVED or amount > 0:
                self._bill(e, account, amount)

    def _post_to_fill(self, e: Event, account: int, amount: int) -> None:
        for fill in self._open:
            if fill.account == account and (fill.order_id == e.ref or fill.category == Category.ADL):
                fill.bill_id = e.seq
                if e.posting == Posting.REALISED:
                    fill.pnl_units += amount
                else:
                    fill.fee_units -= amount
                return
        self._bill(e, account, amount)

    def _bill(self, e: Event, account: int, amount: int, instrument: int | None = None) -> None:
        """Writes a posting down that belongs to no fill. Margin that moves counts by what the position got."""
        where, leg = e.instrument if instrument is None else instrument, e.margin_of >> 2
        held = self.holdings.get((account, where, leg))
        if e.posting == Posting.MARGIN_MOVED and e.margin_of & 3 == 1:
            amount = -amount
        self.bills[account].append(
            Bill(
                bill_id=e.seq, account=account, instrument=where, mode=held.mode if held else Mode.CROSS, leg=leg,
                currency=e.currency, posting=Posting(e.posting), change_units=amount,
                balance_units=self.cash[account, e.currency], time_ns=self.time_ns,
                size_lots=abs(held.size_lots) if held else 0, price_ticks=self._mark_ticks(where) if held else 0,
            )
        )  # fmt: skip

    def _mark_ticks(self, instrument: int) -> int:
        last = self.markets[instrument].mark_bars.last() if instrument != NO_INSTRUMENT else None
        return last.closed if last else 0

    def _funded(self, e: Event) -> None:
        self.markets[e.instrument].funded.append(Funded(e.period, e.rate_ppb, self.time_ns))
        for posting in self._funding:
            paid = posting.posting == Posting.FUNDING_PAID
            account, amount = (posting.payer, -posting.amount_units) if paid else (posting.receiver, posting.amount_units)
            self._bill(posting, account, amount, e.instrument)
            held = self.holdings.get((account, e.instrument, posting.margin_of >> 2))
            if held is not None:
                held.funding_units += amount
        self._funding.clear()
        self._say(What.FUNDING, e.instrument)

    # --- positions

    def held(self, account: int, instrument: int, leg: int) -> Holding:
        """Returns what is known of a position, if only its mode and leverage."""
        held = self.holdings.get((account, instrument, leg))
        if held is None:
            leverage = self.venue.instruments[instrument].spec.default_leverage
            held = self.holdings[account, instrument, leg] = Holding(account, instrument, Mode.CROSS, leg, (leverage, 1))
        return held

    def _position(self, e: Event) -> None:
        if e.account < FIRST_USER:
            return
        held = self.held(e.account, e.instrument, e.leg)
        fill = next((f for f in self._open if (f.account, f.instrument, f.leg) == (e.account, e.instrument, e.leg)), None)
        held.mode, held.leverage, held.margin_units = e.mode, (e.leverage, e.leverage_parts), e.margin_units
        self._moved[e.account, e.instrument, e.leg] = "filled" if fill else self._touched.get(e.account, "")
        if fill is not None:
            held.trade = fill.number
            held.pnl_units += fill.pnl_units
            if fill.category in (Category.NORMAL, Category.ADL):
                held.fee_units += fill.fee_units
            else:
                held.penalty_units += fill.fee_units
            self._touched[e.account] = _LIQUIDATION.get(fill.category, "filled")
        if held.size_lots != e.size_lots:
            self._resize(held, e.size_lots, fill)
        if fill is not None:
            self._close_fill(fill)

    def _resize(self, held: Holding, size: int, fill: Fill | None) -> None:
        """Moves a position to a new size. A closed one goes to the past; one that turned round begins anew."""
        old, ticks = held.size_lots, fill.price_ticks if fill else self._mark_ticks(held.instrument)
        market = self.markets[held.instrument]
        market.open_lots += max(size, 0) - max(old, 0)
        closed = min(abs(old), abs(size - old)) if old and (size - old > 0) != (old > 0) else 0
        held.closed_lots += closed
        held.closed_value += closed * ticks
        held.updated_ns = self.time_ns
        turned = old != 0 and (size == 0 or (size > 0) != (old > 0))
        held.size_lots = size
        if turned:
            held.end = fill.category if fill else Category.NORMAL
            self.closed[held.account].append(replace(held, size_lots=0))
        opened = abs(size) if turned or not old else max(0, abs(size) - abs(old))
        if turned or not old:
            held.opened_ns, held.long, held.most_lots, held.end = self.time_ns, size > 0, abs(size), Category.NORMAL
            held.opened_lots = held.opened_value = held.closed_lots = held.closed_value = 0
            if turned:
                held.fee_units = held.pnl_units = held.funding_units = held.penalty_units = 0
        held.opened_lots += opened
        held.opened_value += opened * ticks
        held.most_lots = max(held.most_lots, abs(size))

    def _currency(self, instrument: int) -> int:
        return self.venue.currency_id(self.venue.instruments[instrument].settle)

    # --- prices and listings

    def _marked(self, e: Event) -> None:
        market = self.markets[e.instrument]
        market.mark_ns = self.time_ns
        market.mark_bars.add(self.time_ns, e.price_ticks)
        self._say(What.MARK, e.instrument)

    def _indexed(self, e: Event) -> None:
        market = self.markets[e.instrument]
        market.index_ns = self.time_ns
        market.index_bars.add(self.time_ns, e.price_ticks)
        self._say(What.INDEX, e.instrument)

    def _last_set(self, e: Event) -> None:
        self.markets[e.instrument].bars.add(self.time_ns, e.price_ticks)
        self._say(What.TRADE, e.instrument)

    def _listed(self, e: Event) -> None:
        if e.type == EventType.INSTRUMENT_ADDED:
            self.markets[e.instrument].listed_ns = self.time_ns
        else:
            self.markets[e.instrument].listing = e.listing
        self._say(What.INSTRUMENT, e.instrument)


_REASONS = {
    Posting.DEPOSITED: "deposit", Posting.WITHDRAWN: "withdrawal", Posting.TRANSFERRED: "transferred",
    Posting.FUNDING_PAID: "funding_fee", Posting.FUNDING_RECEIVED: "funding_fee", Posting.MARGIN_MOVED: "set_margin",
    Posting.TAKEN_OVER: "liquidation", Posting.LIQUIDATION_FEE: "liquidation", Posting.SETTLED: "delivered",
}  # fmt: skip
_LIQUIDATION = {Category.TAKEOVER: "liquidation", Category.STEP_DOWN: "liquidation", Category.ADL: "adl"}
_HANDLERS: dict[EventType, Callable[[History, Event], None]] = {
    EventType.BEGIN: History._begin, EventType.CLIENT_ID_NAMED: History._client_id, EventType.ACCEPTED: History._accepted,
    EventType.LINKED_TO: History._linked, EventType.TAGGED: History._tagged,
    EventType.RESTED: History._rested, EventType.TRIGGERED: History._triggered,
    EventType.TRIGGER_MOVED: History._trigger_moved, EventType.REPLACED: History._replaced,
    EventType.REDUCED: History._reduced, EventType.DONE: History._done, EventType.TRADE: History._trade,
    EventType.STEP_DOWN: History._step_down, EventType.TAKEOVER: History._takeover, EventType.ADL: History._adl,
    EventType.LEDGER: History._ledger, EventType.POSITION: History._position, EventType.FUNDED: History._funded,
    EventType.MARKED: History._marked, EventType.INDEXED: History._indexed, EventType.LAST_SET: History._last_set,
    EventType.LISTING_CHANGED: History._listed, EventType.INSTRUMENT_ADDED: History._listed,
}  # fmt: skip
