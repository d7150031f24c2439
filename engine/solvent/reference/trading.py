"""The path of one order through the book: acceptance, fills, resting, cutting, cancelling.

Owns the slots, the client-id window and the life of an order from ACCEPTED to DONE. Never decides whether
an order is allowed. A maker is settled, and its reduce-only orders cut, before the next maker trades.
"""

from collections import deque
from dataclasses import dataclass
from typing import cast

from solvent.codes import Code
from solvent.limits import CLIENT_ID_WINDOW
from solvent.records import CONTINUED, TERMS, Ending, EventType, Flag, Listing, ParcelChange, Posting, SelfTrade, Side, Source
from solvent.reference import margin, valuation
from solvent.reference.book import PLAIN, Book, Order, Terms, within
from solvent.reference.fees import Fees
from solvent.reference.ledger import Emit, Fill, Ledger, Parcel, Position
from solvent.reference.margin import OpenSide
from solvent.reference.triggers import Triggers
from solvent.reference.valuation import Contract

SLOT_BITS = 24


@dataclass(slots=True)
class Ticket:
    """An order on its way in. price: where its rest would rest; limit: how far it may trade; ending: why
    what does not trade ends, or None if it rests."""

    account: int
    instrument: int
    holder: Position | Parcel | None  # None in a Book alone
    side: int
    price: int
    size: int
    tif: int = 0
    flags: int = 0
    client_id: int = 0
    fee_reason: Posting = Posting.TAKER_FEE
    ending: Ending | None = None
    limit: int = 0
    remaining: int = 0
    open_loss: int = 0
    terms: Terms = PLAIN
    order: Order | None = None
    closes: bool = False  # against its position: its limit counts on that, so it meets no order of its account

    @property
    def house(self) -> bool:
        return bool(self.flags & Flag.HOUSE_ORDER)


class Slots:
    """Slot numbers: last returned first, else the high-water mark (semantics §8)."""

    def __init__(self) -> None:
        self.free: list[int] = []
        self.high_water = 0

    def take(self) -> int:
        if self.free:
            return self.free.pop()
        self.high_water += 1
        return self.high_water - 1


class Trading:
    def __init__(self, ledger: Ledger, contracts: list[Contract], emit: Emit):
        self.ledger = ledger
        self.contracts = contracts
        self.emit = emit
        self.fees = Fees(ledger)
        self.books: list[Book] = []  # by instrument
        self.slots = Slots()
        self.live: dict[int, Order] = {}
        self.clients: dict[tuple[int, int], int] = {}
        self.finished: deque[tuple[int, int, int]] = deque()
        self.order_count = 0
        self.triggers = Triggers()

    def keep(self, p: Position) -> None:
        """Enters a blank position, with the rate at which it would be liquidated."""
        if self.ledger.keep(p):
            p.liquidation_fee_ppb = self.fees.liquidation_rate(p)

    # --- what resting orders reserve

    def exposure(self, order: Order, lots: int) -> OpenSide:
        """What so many lots of an order add to its side."""
        contract = self.contracts[order.instrument]
        value = valuation.value_of(contract, lots, order.price)
        return OpenSide(lots, value, valuation.loss_of(contract, order.side, lots, order.price, order.open_loss))

    def _reserve(self, order: Order, before: int, after: int) -> None:
        """A resting order has other lots than before; what its position has in the book follows, to the unit."""
        p = order.holder
        if not isinstance(p, Position):
            return
        change = self.exposure(order, after).add(self.exposure(order, before), -1)
        if order.flags & Flag.REDUCE_ONLY:
            p.reduce, p.reduce_side = p.reduce.add(change), order.side
        else:
            sides = list(p.open_sides)
            sides[order.side] = sides[order.side].add(change)
            p.open_sides = (sides[0], sides[1])

    def refresh_hold(self, p: Position) -> None:
        contract = self.contracts[p.instrument]
        hold = margin.hold_units(contract, p, p.open_sides)
        self.ledger.holds[p.account][contract.currency] += hold - p.hold
        p.hold = hold

    def _refresh(self, order: Order) -> None:
        if isinstance(order.holder, Position):
            self.refresh_hold(order.holder)

    # --- the life of an order

    def accept(self, t: Ticket) -> Order:
        slot = self.slots.take()
        self.order_count += 1
        t.order = Order(
            self.order_count << SLOT_BITS | slot, t.account, t.instrument, t.side, t.price, t.remaining, t.size,
            t.client_id, t.flags, t.tif, t.open_loss, t.holder, t.terms,
        )  # fmt: skip
        if t.terms.expiry_ns:
            self.triggers.timed[t.order.order_id] = t.order
        self.live[t.order.order_id] = t.order
        if isinstance(t.holder, Position):
            t.holder.orders.append(t.order)
        if t.client_id:
            self.clients[t.account, t.client_id] = t.order.order_id
        terms, second = t.terms, b""
        if terms is not PLAIN:
            second = TERMS.pack(
                CONTINUED, 0, terms.source, terms.kind, terms.trigger_flags, terms.stp_mode, terms.leg,
                terms.trigger, terms.trail, terms.expiry_ns, terms.stp_group, terms.extreme, terms.slippage_ppb, 0,
            )  # fmt: skip
        self.emit(
            EventType.ACCEPTED, t.account, t.instrument, side=t.side, code=t.flags | terms.stp_mode << 8, reason=t.tif,
            a=t.order.order_id, b=t.price, c=t.size, d=t.client_id, e=t.limit, second=second,
        )  # fmt: skip
        return t.order

    def say_replaced(self, order: Order) -> None:
        self.emit(
            EventType.REPLACED, order.account, order.instrument, side=order.side,
            a=order.order_id, b=order.price, c=order.remaining, d=order.size,
        )  # fmt: skip

    def finish(self, order: Order, reason: Ending, code: Code = Code.OK) -> None:
        """The final event of an order that is in no queue any more."""
        self.emit(
            EventType.DONE, order.account, order.instrument, side=order.side, code=code, reason=reason,
            a=order.order_id, b=order.remaining, c=order.size - order.remaining, d=order.client_id,
        )  # fmt: skip
        if isinstance(order.holder, Position):
            order.holder.orders.remove(order)
        elif isinstance(order.holder, Parcel):
            order.holder.order = None
        if order.client_id:
            if len(self.finished) == CLIENT_ID_WINDOW:
                account, client_id, _ = self.finished.popleft()
                del self.clients[account, client_id]
            self.finished.append((order.account, order.client_id, order.order_id))
        self.triggers.timed.pop(order.order_id, None)
        del self.live[order.order_id]
        self.slots.free.append(order.order_id & (1 << SLOT_BITS) - 1)

    def unlist(self, order: Order) -> None:
        """Takes a resting order out of the book and its owner's reserve; the order stays alive."""
        self._reserve(order, order.remaining, 0)
        self.books[order.instrument].remove(order)
        order.resting = False
        self._refresh(order)

    def cancel(self, order: Order, reason: Ending) -> None:
        """Ends a live order that is not on its way through the book: a resting, dormant or due one."""
        if order.dormant:
            self.triggers.remove(order)
        elif order.resting:
            self.unlist(order)
        self.finish(order, reason)

    def expire(self, now_ns: int) -> None:
        for order in self.triggers.expired(now_ns):
            self.cancel(order, Ending.EXPIRED)

    def observe(self, instrument: int, source: Source, price: int) -> None:
        """A price that triggers may watch."""
        self.triggers.observe(instrument, source, price, halted=self.contracts[instrument].listing == Listing.HALTED)

    def watched(self, instrument: int) -> tuple[int, int, int]:
        """The prices that triggers watch, by source; 0 where there is none yet."""
        contract = self.contracts[instrument]
        return contract.mark, contract.last, contract.index

    def resume(self, instrument: int) -> None:
        """The watched prices are seen again, by source: what was reached in a halt, and is still, becomes due."""
        for source, price in zip(Source, self.watched(instrument), strict=True):
            if price:
                self.observe(instrument, source, price)

    def cancel_all(self, p: Position, reason: Ending) -> None:
        """Ends every order of a position, newest first; none is on its way through the book."""
        while p.orders:
            self.cancel(p.orders[-1], reason)

    def shrink(self, order: Order, lots: int, reason: Ending) -> None:
        """Takes lots off a resting order, which keeps its place and keeps some lots."""
        self._reserve(order, order.remaining, order.remaining - lots)
        order.remaining -= lots
        order.size -= lots
        self._refresh(order)
        self.emit(
            EventType.REDUCED, order.account, order.instrument, side=order.side, reason=reason,
            a=order.order_id, b=lots, c=order.remaining,
        )  # fmt: skip

    @staticmethod
    def _reducing(p: Position) -> list[tuple[int, int, Order]]:
        """A position's resting reduce-only orders, behind what they are cut by: the worst price, then the newest."""
        resting = (order for order in p.orders if order.resting and order.flags & Flag.REDUCE_ONLY)
        return [(o.price if o.side == Side.SELL else -o.price, o.order_id, o) for o in resting]

    def reduced_before(self, t: Ticket, p: Position) -> int:
        """What a position's resting reduce-only orders close that are cut after a ticket's, were it to rest."""
        newest = self.order_count + 1 << SLOT_BITS
        place = t.price if t.side == Side.SELL else -t.price, t.order.order_id if t.order else newest
        return sum(each[2].remaining for each in self._reducing(p) if each[2] is not t.order and each[:2] < place)

    def cut_reduce_only(self, p: Position) -> None:
        """Reduce-only orders never exceed the position: the worst price is cut first, then the newest."""
        while p.reduce.lots:
            excess = p.reduce.lots - max(0, p.size if p.reduce_side == Side.SELL else -p.size)
            if excess <= 0:
                return
            *_, worst = max(self._reducing(p), key=lambda each: each[:2])
            if worst.remaining <= excess:
                self.cancel(worst, Ending.REDUCE_ONLY_CUT)
            else:
                self.shrink(worst, excess, Ending.REDUCE_ONLY_CUT)

    def _end_with(self, p: Position, held: int) -> None:
        """A position is closed, or turned round: the close-position orders that wait for it end, newest first."""
        for order in reversed(list(p.orders)):
            waits = order.dormant or order in self.triggers.due
            if waits and order.flags & Flag.CLOSE_POSITION and (order.side == Side.SELL) == (held > 0):
                self.cancel(order, Ending.POSITION_CLOSED)

    # --- fills

    def _fee_rate(self, p: Position, contract: Contract, reason: Posting) -> int:
        if reason == Posting.LIQUIDATION_FEE:
            return p.liquidation_fee_ppb
        maker, taker = self.fees.rates(p.account, contract)
        return maker if reason == Posting.MAKER_FEE else taker

    def _settle_user(self, p: Position, side: int, value: int, lots: int, reason: Posting, ref: int) -> None:
        contract = self.contracts[p.instrument]
        fee_ppb = self._fee_rate(p, contract, reason)
        self.fees.add(p.account, contract, value)
        cost = valuation.cost_delta(contract, side, value)
        fee = valuation.fee_units(value, fee_ppb)
        step_down = reason == Posting.LIQUIDATION_FEE
        self.ledger.position_fill(p, Fill(lots if side == Side.BUY else -lots, cost, fee, ref, reason, keep_margin=step_down))

    def _settle_house(self, parcel: Parcel, side: int, price: int, value: int, lots: int, ref: int) -> None:
        worse = price != parcel.bankruptcy_price and not within(side, price, parcel.bankruptcy_price)
        change = ParcelChange.FILLED_BY_FUND if worse else ParcelChange.FILLED_BY_BOOK
        cost = valuation.cost_delta(self.contracts[parcel.instrument], side, value)
        self.ledger.parcel_fill(parcel, lots, cost, change, ref)

    def _settle(self, order: Order, price: int, value: int, lots: int, reason: Posting) -> None:
        if isinstance(order.holder, Position):
            self._settle_user(order.holder, order.side, value, lots, reason, order.order_id)
        elif isinstance(order.holder, Parcel):
            self._settle_house(order.holder, order.side, price, value, lots, order.order_id)

    @staticmethod
    def _held(order: Order) -> int:
        return order.holder.size if isinstance(order.holder, Position) else 0

    def _after_fill(self, order: Order, held: int) -> None:
        """What a fill makes of its owner's orders; held is what the position was before."""
        if isinstance(order.holder, Position):
            self.refresh_hold(order.holder)
            self.cut_reduce_only(order.holder)
            if held and order.holder.size * held <= 0:
                self._end_with(order.holder, held)

    def _is_own(self, t: Ticket, maker: Order) -> bool:
        """Whether the taker may not simply trade with this order, for both have one owner."""
        if t.house:
            return False
        if t.terms.stp_mode == SelfTrade.ALLOW:
            return t.closes and maker.account == t.account
        group = t.terms.stp_group
        return maker.account == t.account or (group != 0 and maker.terms.stp_group == group)

    def _self_trade(self, t: Ticket, maker: Order) -> bool:
        """Two orders of one owner meet: what the taker's mode says. False when the taker has ended by it."""
        taker, mode = cast(Order, t.order), t.terms.stp_mode
        lots = min(maker.remaining, t.remaining)
        ends = mode in (SelfTrade.CANCEL_TAKER, SelfTrade.CANCEL_BOTH)
        if mode == SelfTrade.DECREMENT:
            ends = lots == t.remaining
            if lots < maker.remaining:
                self.shrink(maker, lots, Ending.SELF_TRADE)
            else:
                self.cancel(maker, Ending.SELF_TRADE)
            if not ends:
                t.remaining, t.size = t.remaining - lots, t.size - lots
                taker.remaining, taker.size = taker.remaining - lots, taker.size - lots
                self.emit(
                    EventType.REDUCED, t.account, t.instrument, side=t.side, reason=Ending.SELF_TRADE,
                    a=taker.order_id, b=lots, c=t.remaining,
                )  # fmt: skip
        elif mode != SelfTrade.CANCEL_TAKER:
            self.cancel(maker, Ending.SELF_TRADE)
        if ends:
            t.ending = Ending.SELF_TRADE
        return not ends

    def execute(self, t: Ticket) -> None:
        """Trades as far as the limit reaches. What becomes of own orders in the way is the ticket's to say.

        The last price is that of users' trades; the house's never move it (as they never move the mark).
        """
        book, contract = self.books[t.instrument], self.contracts[t.instrument]
        taker = cast(Order, t.order)
        first = last = 0
        while t.remaining and (maker := book.crossing(t.side, t.limit)):
            if self._is_own(t, maker):
                if not self._self_trade(t, maker):
                    break
                continue
            if not maker.flags & Flag.HOUSE_ORDER:
                first, last = first or maker.price, maker.price
            lots = min(t.remaining, maker.remaining)
            if lots == maker.remaining:
                book.remove(maker)
            maker.remaining -= lots
            t.remaining -= lots
            taker.remaining = t.remaining
            self.emit(
                EventType.TRADE, t.account, t.instrument, side=t.side,
                a=maker.order_id, b=taker.order_id, c=maker.price, d=lots, e=maker.account,
            )  # fmt: skip
            self._reserve(maker, maker.remaining + lots, maker.remaining)
            # One value for both sides; an inverse one is floored, but rounded up where the house alone buys.
            buyer, seller = (taker, maker) if t.side == Side.BUY else (maker, taker)
            house_buys = bool(buyer.flags & ~seller.flags & Flag.HOUSE_ORDER)
            value = valuation.value_of(contract, lots, maker.price, up=house_buys)
            held = self._held(maker), self._held(taker)
            self._settle(maker, maker.price, value, lots, Posting.MAKER_FEE)
            if not maker.remaining:
                self.finish(maker, Ending.FILLED)
            if maker.holder is not taker.holder:  # else its position is what it was after the taker's half
                self._after_fill(maker, held[0])
            self._settle(taker, maker.price, value, lots, t.fee_reason)
            self._after_fill(taker, held[1])
        if first and not t.house:
            contract.last = last
            for price in (first, last):
                self.observe(t.instrument, Source.BY_LAST, price)

    def conclude(self, t: Ticket) -> None:
        """What is left of a ticket rests or ends."""
        order = cast(Order, t.order)
        if not t.remaining:
            self.finish(order, Ending.FILLED)
        elif t.ending:
            self.finish(order, t.ending)
        else:
            order.price = t.price
            self.books[t.instrument].add(order)
            order.resting = True
            self._reserve(order, 0, t.remaining)
            self.emit(EventType.RESTED, t.account, t.instrument, side=t.side, a=order.order_id, b=t.price, c=t.remaining)
            if isinstance(t.holder, Position):
                self.refresh_hold(t.holder)
                self.cut_reduce_only(t.holder)
                if self.ledger.orders_count or self.contracts[t.instrument].currency in self.ledger.backs:
                    self.ledger.touch(t.account)
            elif t.holder:
                t.holder.order = order

    def dry_run(self, t: Ticket) -> tuple[int, int]:
        """execute without doing it: (lots that would stay unfilled, last price it would pay).

        Own orders are met as the ticket's self-trade mode says; reduce-only makers count as far as they survive the
        fills before them.
        """
        wanted, reached = t.remaining, t.limit
        filled: dict[int, int] = {}
        for maker in self.books[t.instrument].orders(1 - t.side):
            if wanted <= 0 or not within(t.side, maker.price, t.limit):
                break
            if self._is_own(t, maker):
                if t.terms.stp_mode in (SelfTrade.CANCEL_MAKER, SelfTrade.ALLOW):
                    continue
                break  # the taker ends here, or loses lots that it does not trade
            lots = min(maker.remaining, wanted)
            if isinstance(maker.holder, Position) and maker.holder is not t.holder:  # its own stays as it is
                before = filled.get(id(maker.holder), 0)
                if maker.flags & Flag.REDUCE_ONLY:
                    lots = max(0, min(lots, abs(maker.holder.size) - before))
                filled[id(maker.holder)] = before + lots
            if lots:
                wanted, reached = wanted - lots, maker.price
        return wanted, reached
