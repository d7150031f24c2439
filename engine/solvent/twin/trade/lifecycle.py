"""The path of one order through the book: acceptance, fills, resting, cutting, cancelling.

Owns the slots, the client-id window and the life of an order from ACCEPTED to DONE. Never decides on admission, and posts no
fill that one of its owners does not bear (`admission`). A maker's fill is booked, and its reduce-only orders are cut, before
the next maker trades.
"""

from typing import cast

from solvent.schema.codes import Code
from solvent.schema.layouts import CONTINUED, TERMS
from solvent.schema.limits import CLIENT_ID_WINDOW, NAME_BYTES
from solvent.schema.words import Arm, Ending, Flag, ParcelChange, Posting, SelfTrade, Side, Source
from solvent.twin.account import margin
from solvent.twin.account.ledger import Fill, OpenSide, Parcel, Position
from solvent.twin.contract import valuation
from solvent.twin.contract.valuation import Contract
from solvent.twin.market.book import PLAIN, Order, within
from solvent.twin.market.brackets import stands_for
from solvent.twin.trade.state import Ticket
from solvent.twin.trade.watching import Watching

SLOT_BITS = 24


class Trading(Watching):
    def keep(self, p: Position) -> bool:
        """Enters a blank position with its liquidation fee rate. Returns False if it was entered before."""
        if fresh := self.ledger.keep(p):
            p.liquidation_fee_ppb = self.fees.liquidation_rate(p)
        return fresh

    # --- what resting orders reserve

    def exposure(self, order: Order, lots: int) -> OpenSide:
        """Returns what `lots` of an order add to its side: lots, value, loss to mark."""
        contract = self.contracts[order.instrument]
        value = valuation.value_of(contract, lots, order.price)
        return OpenSide(lots, value, valuation.loss_of(contract, order.side, lots, order.price, order.open_loss))

    def reserve(self, order: Order, before: int, after: int) -> None:
        """Changes the lots of a resting order in its position's sums, to the unit."""
        p = order.holder
        if not isinstance(p, Position):
            return
        change = self.exposure(order, after).add(self.exposure(order, before), -1)
        if order.reduces:
            p.reduce, p.reduce_side = p.reduce.add(change), order.side
        else:
            p.open_sides = p.sides_with(order.side, change)

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
        if t.terms.follows:
            self.pegged[t.order.order_id], self.looks = t.order, True
        if isinstance(t.holder, Position):
            t.holder.orders.append(t.order)
        if t.client_id:
            self.clients[t.account, t.client_id] = t.order.order_id
        if t.text:
            self.texts[t.account, t.client_id] = t.text
            self.log.emit_client_id_named(
                account=t.account, instrument=t.instrument, client_id=t.client_id, second=t.text.ljust(NAME_BYTES, b"\0")
            )
        terms, second = t.terms, b""
        if terms is not PLAIN:
            second = TERMS.pack(
                CONTINUED, 0, terms.source, terms.kind, terms.trigger_flags, terms.stp_mode, terms.leg,
                terms.activation or terms.trigger, terms.trail, terms.expiry_ns, terms.stp_group, terms.extreme,
                terms.slippage_ppb, 0,
            )  # fmt: skip
        self.log.emit_accepted(
            side=t.side, account=t.account, instrument=t.instrument, flags=t.flags | terms.stp_mode << 8, tif=t.tif,
            order_id=t.order.order_id, price_ticks=t.price, size_lots=t.size, client_id=t.client_id,
            limit_ticks=terms.limit if terms.follows else t.limit,
            second=second,
        )  # fmt: skip
        if terms.tag:
            self.log.emit_tagged(account=t.account, instrument=t.instrument, tag=terms.tag, order_id=t.order.order_id)
        if t.flags & Flag.SHAPED_ORDER:
            self.log.emit_shaped(
                side=t.side, account=t.account, instrument=t.instrument, shape_flags=terms.shape_flags, peg=terms.peg,
                order_id=t.order.order_id, display_lots=terms.display, display_most_lots=0, step_ticks=terms.step,
                offset_ticks=terms.offset,
            )  # fmt: skip
        return t.order

    def replaced_event(self, order: Order) -> None:
        self.log.emit_replaced(
            side=order.side, account=order.account, instrument=order.instrument, order_id=order.order_id,
            price_ticks=order.price, remaining_lots=order.remaining, size_lots=order.size,
        )  # fmt: skip

    def finish(self, order: Order, reason: Ending, code: Code = Code.OK) -> None:
        """Emits DONE for an order that is in no queue, and frees it."""
        self.log.emit_done(
            side=order.side, account=order.account, instrument=order.instrument, order_id=order.order_id,
            cancelled_lots=order.remaining, filled_lots=order.size - order.remaining, client_id=order.client_id,
            ending=reason, code=code,
        )  # fmt: skip
        if isinstance(order.holder, Position):
            order.holder.orders.remove(order)
        elif isinstance(order.holder, Parcel):
            order.holder.order = None
        if self.previews:
            return
        if order.client_id:
            if len(self.finished) == CLIENT_ID_WINDOW:
                account, client_id, _ = self.finished.popleft()
                del self.clients[account, client_id]
                self.texts.pop((account, client_id), None)
            self.finished.append((order.account, order.client_id, order.order_id))
        if order.bracket:
            self.brackets.leave(order, order.bracket, reason)
        elif order.reduces and isinstance(order.holder, Position):
            self.brackets.mark_all(order.holder.orders)  # its room is free for a target
        self.triggers.timed.pop(order.order_id, None)
        self.pegged.pop(order.order_id, None)
        del self.live[order.order_id]
        self.slots.free.append(order.order_id & (1 << SLOT_BITS) - 1)

    def leave_book(self, order: Order) -> None:
        """Takes a resting order out of the book and out of its owner's reserve; the order stays alive."""
        self.reserve(order, order.remaining, 0)
        self.books[order.instrument].remove(order)
        order.resting = False
        self._refresh(order)

    def cancel(self, order: Order, reason: Ending) -> None:
        """Ends a live order that is resting, dormant, due or parked."""
        if order.dormant:
            self.triggers.remove(order)
        elif order.resting:
            self.leave_book(order)
        self.finish(order, reason)

    def park(self, order: Order) -> None:
        """Leaves an order that is in no queue without a price, and tells it."""
        order.parked, order.price, order.open_loss = True, 0, 0
        self.log.emit_parked(
            side=order.side, account=order.account, instrument=order.instrument, order_id=order.order_id,
            remaining_lots=order.remaining, size_lots=order.size,
        )  # fmt: skip

    def cancel_all(self, p: Position, reason: Ending) -> None:
        """Ends every order of a position, newest first; none of them is being executed."""
        while p.orders:
            self.cancel(p.orders[-1], reason)

    def shrink(self, order: Order, lots: int, reason: Ending) -> None:
        """Takes lots off a resting order, which keeps its place and at least one lot."""
        self.reserve(order, order.remaining, order.remaining - lots)
        self.books[order.instrument].shrink(order, lots)
        order.size -= lots
        self._refresh(order)
        self.log.emit_reduced(
            side=order.side, account=order.account, instrument=order.instrument, order_id=order.order_id, cut_lots=lots,
            remaining_lots=order.remaining, ending=reason,
        )  # fmt: skip

    @staticmethod
    def _reducing(p: Position) -> list[tuple[int, int, Order]]:
        """Returns a position's resting reduce-only orders with their cutting order: the worst price, then the newest."""
        resting = (order for order in p.orders if order.resting and order.reduces)
        return [(o.price if o.side == Side.SELL else -o.price, o.order_id, o) for o in resting]

    def reduced_before(self, t: Ticket, p: Position) -> int:
        """Returns the lots of resting reduce-only orders that would be cut after this ticket if it rested."""
        newest = self.order_count + 1 << SLOT_BITS
        place = t.price if t.side == Side.SELL else -t.price, t.order.order_id if t.order else newest
        return sum(each[2].remaining for each in self._reducing(p) if each[2] is not t.order and each[:2] < place)

    def cut_reduce_only(self, p: Position) -> None:
        """Cuts reduce-only orders to the position's size: the worst price first, then the newest."""
        excess = p.reduce.lots - max(0, p.size if p.reduce_side == Side.SELL else -p.size)
        queue = sorted(self._reducing(p), key=lambda each: each[:2]) if p.reduce.lots and excess > 0 else []
        while excess > 0:
            *_, worst = queue.pop()
            lots = min(excess, worst.remaining)
            excess -= lots
            if lots == worst.remaining:
                self.cancel(worst, Ending.REDUCE_ONLY_CUT)
            else:
                self.shrink(worst, lots, Ending.REDUCE_ONLY_CUT)

    def _end_with(self, p: Position, held: int) -> None:
        """Ends the orders that wait to close a closed or turned position, newest first: close-position orders, and children
        whose entry has filled."""
        for order in reversed(list(p.orders)):
            waits = order.dormant or order in self.triggers.due
            closes = order.flags & Flag.CLOSE_POSITION or self._stands(order)
            if waits and closes and (order.side == Side.SELL) == (held > 0):
                self.cancel(order, Ending.POSITION_CLOSED)

    def _stands(self, order: Order) -> bool:
        """True for a child that stands for lots of its position."""
        bracket = order.bracket if order.is_child else None
        return bracket is not None and (bracket.arm == Arm.FOLLOWS or stands_for(bracket, self.live.get(bracket.entry)) > 0)

    # --- fills

    def _fee_rate(self, p: Position, contract: Contract, reason: Posting) -> int:
        if reason == Posting.LIQUIDATION_FEE:
            return p.liquidation_fee_ppb
        maker, taker = self.fees.rates(p.account, contract)
        return maker if reason == Posting.MAKER_FEE else taker

    def fill(self, p: Position, side: int, value: int, lots: int, reason: Posting, ref: int) -> Fill:
        """Returns a trade as a fill of a position. `admission` sets the transfer of an isolated position."""
        contract = self.contracts[p.instrument]
        cost = valuation.cost_delta(contract, side, value)
        fee = valuation.fee_units(value, self._fee_rate(p, contract, reason))
        step_down = reason == Posting.LIQUIDATION_FEE
        return Fill(lots if side == Side.BUY else -lots, cost, fee, ref, reason, keep_margin=step_down)

    def fill_at_limit(self, t: Ticket, p: Position, lots: int) -> Fill:
        """Returns the worst fill of `lots` that the order's own limit allows, at the base taker fee, as in every hold."""
        contract = self.contracts[t.instrument]
        value = valuation.value_of(contract, lots, max(1, t.limit))
        cost = valuation.cost_delta(contract, t.side, value)
        fee = valuation.fee_units(value, contract.taker_fee_ppb)
        return Fill(lots if t.side == Side.BUY else -lots, cost, fee, 0, t.fee_reason)

    def _book_user(self, p: Position, side: int, value: int, lots: int, reason: Posting, ref: int) -> None:
        fill = self.fill(p, side, value, lots, reason, ref)
        self.admission.fit(p, fill)
        if not self.previews:
            self.fees.add(p.account, self.contracts[p.instrument], value)
        self.ledger.position_fill(p, fill)

    def _book_house(self, parcel: Parcel, side: int, price: int, value: int, lots: int, ref: int) -> None:
        worse = price != parcel.bankruptcy_price and not within(side, price, parcel.bankruptcy_price)
        change = ParcelChange.FILLED_BY_FUND if worse else ParcelChange.FILLED_BY_BOOK
        cost = valuation.cost_delta(self.contracts[parcel.instrument], side, value)
        self.ledger.parcel_fill(parcel, lots, cost, change, ref)

    def book_fill(self, order: Order, price: int, value: int, lots: int, reason: Posting) -> None:
        if isinstance(order.holder, Position):
            self._book_user(order.holder, order.side, value, lots, reason, order.order_id)
        elif isinstance(order.holder, Parcel):
            self._book_house(order.holder, order.side, price, value, lots, order.order_id)

    @staticmethod
    def held(order: Order) -> int:
        return order.holder.size if isinstance(order.holder, Position) else 0

    def after_fill(self, order: Order, held: int) -> None:
        """Refreshes the orders of a fill's owner. held: the position's size before the fill."""
        if isinstance(order.holder, Position):
            self.refresh_hold(order.holder)
            self.cut_reduce_only(order.holder)
            if self.previews:
                return
            if held and order.holder.size * held <= 0:
                self._end_with(order.holder, held)
            self.brackets.mark_all(order.holder.orders)

    def _is_own(self, t: Ticket, maker: Order) -> bool:
        """True if both orders have one owner, so that self-trade prevention applies."""
        if t.house:
            return False
        if t.terms.stp_mode == SelfTrade.ALLOW:
            return t.closes and maker.account == t.account
        group = t.terms.stp_group
        return maker.account == t.account or (group != 0 and maker.terms.stp_group == group)

    def _self_trade(self, t: Ticket, maker: Order) -> bool:
        """Prevents a self-trade by the taker's mode. Returns False if the taker has ended."""
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
                self.log.emit_reduced(
                    side=t.side, account=t.account, instrument=t.instrument, order_id=taker.order_id, cut_lots=lots,
                    remaining_lots=t.remaining, ending=Ending.SELF_TRADE,
                )  # fmt: skip
        elif mode != SelfTrade.CANCEL_TAKER:
            self.cancel(maker, Ending.SELF_TRADE)
        if ends:
            t.ending = Ending.SELF_TRADE
        return not ends

    def execute(self, t: Ticket) -> None:
        """Trades up to the limit, with self-trade prevention by the ticket's mode.

        Only users' trades set the last price; the house's trades never move it, nor the mark.
        """
        first, last = self.trade_through(t)
        if first and not t.house:
            self.contracts[t.instrument].last = last
            for price in (first, last):
                self.observe(t.instrument, Source.BY_LAST, price)

    def trade_through(self, t: Ticket) -> tuple[int, int]:
        """Trades fill by fill; both sides bear each fill before it is posted (decision 0013). Returns the first and the last
        price between users. In a call nothing trades."""
        book, first, last = self.books[t.instrument], 0, 0
        if t.waits:
            return first, last
        while t.remaining and (met := book.next_maker(t.side, t.limit_now, t.remaining)):
            maker, offered = met
            if self._is_own(t, maker):
                if not self._self_trade(t, maker):
                    break
                continue
            wanted = self._borne_by_maker(t, maker, offered)
            if not wanted:
                continue
            lots = self._borne_by_taker(t, maker, wanted)
            lots = 0 if maker.whole and lots < maker.remaining else lots
            if lots:
                if not maker.flags & Flag.HOUSE_ORDER:
                    first, last = first or maker.price, maker.price
                self._trade(t, maker, lots)
                self.refill(maker)
            if lots < wanted:
                t.ending = Ending.BANKRUPTCY_LIMIT if t.still_closes else Ending.UNCOVERED
                break
        self.end_closing(t)
        return first, last

    def end_closing(self, t: Ticket) -> None:
        """Ends an order that has lots left to close and may not close them at its own limit."""
        if t.remaining and t.closing_limit is not None and t.still_closes and t.ending in (None, Ending.UNFILLED):
            t.ending = Ending.BANKRUPTCY_LIMIT

    def refill(self, order: Order) -> None:
        """Fills up the peak of an iceberg that is used up, behind all others at its price, and tells it."""
        if self.books[order.instrument].refill(order):
            self.log.emit_refilled(
                side=order.side, account=order.account, instrument=order.instrument, order_id=order.order_id,
                price_ticks=order.price, shown_lots=order.shown, hidden_lots=order.hidden,
            )  # fmt: skip

    def _value(self, t: Ticket, maker: Order, lots: int) -> int:
        """Returns one value for both sides. An inverse value is rounded down, or up where only the house buys."""
        taker = cast(Order, t.order)
        buyer, seller = (taker, maker) if t.side == Side.BUY else (maker, taker)
        house_buys = bool(buyer.flags & ~seller.flags & Flag.HOUSE_ORDER)
        return valuation.value_of(self.contracts[t.instrument], lots, maker.price, up=house_buys)

    def _maker_fill(self, t: Ticket, maker: Order, lots: int) -> Fill:
        p = cast(Position, maker.holder)
        fill = self.fill(p, maker.side, self._value(t, maker, lots), lots, Posting.MAKER_FEE, maker.order_id)
        self.admission.fit(p, fill)
        return fill

    def _borne_by_maker(self, t: Ticket, maker: Order, wanted: int) -> int:
        """Returns how many lots may trade with a maker. The lots that its owner does not bear, and those behind, end
        UNCOVERED."""
        p = maker.holder
        if not isinstance(p, Position):
            return wanted

        def bears(lots: int) -> bool:
            self.reserve(maker, maker.remaining, maker.remaining - lots)
            borne = self.admission.bears(p, self._maker_fill(t, maker, lots), maker.price)
            self.reserve(maker, maker.remaining - lots, maker.remaining)
            return borne

        lots = self.admission.borne_lots(p, maker.side, wanted, bears)
        lots = 0 if maker.whole and lots < wanted else lots
        if not lots:
            self.cancel(maker, Ending.UNCOVERED)
        elif lots < wanted:
            self.shrink(maker, maker.remaining - lots, Ending.UNCOVERED)
        return lots

    def _borne_by_taker(self, t: Ticket, maker: Order, wanted: int) -> int:
        """Returns how many lots the taker bears. Its earlier checks leave only roundings and jumps of tiers to find."""
        p = t.holder
        if not isinstance(p, Position):
            return wanted

        def bears(lots: int) -> bool:
            fill = self.fill(p, t.side, self._value(t, maker, lots), lots, t.fee_reason, 0)
            self.admission.fit(p, fill)
            return self.admission.bears(p, fill, None)

        def bears_after_maker(lots: int) -> bool:
            other = cast(Position, maker.holder)
            self.reserve(maker, maker.remaining, maker.remaining - lots)
            with self.admission.tried(other, self._maker_fill(t, maker, lots)):
                borne = bears(lots)
            self.reserve(maker, maker.remaining - lots, maker.remaining)
            return borne

        return self.admission.borne_lots(p, t.side, wanted, bears_after_maker if maker.account == t.account else bears)

    def _trade(self, t: Ticket, maker: Order, lots: int) -> None:
        """Books one fill: the maker first, with its reduce-only orders, then the taker."""
        taker = cast(Order, t.order)
        if lots == maker.remaining:
            self.books[t.instrument].remove(maker)
        maker.remaining -= lots
        t.remaining -= lots
        t.traded, t.reached = t.traded + lots, maker.price
        taker.remaining = t.remaining
        self.log.emit_trade(
            side=t.side, instrument=t.instrument, maker_order_id=maker.order_id, taker_order_id=taker.order_id,
            price_ticks=maker.price, size_lots=lots, maker=maker.account, taker=t.account,
        )  # fmt: skip
        self.reserve(maker, maker.remaining + lots, maker.remaining)
        value, held = self._value(t, maker, lots), (self.held(maker), self.held(taker))
        self.book_fill(maker, maker.price, value, lots, Posting.MAKER_FEE)
        if not maker.remaining:
            self.finish(maker, Ending.FILLED)
        if maker.holder is not taker.holder:  # otherwise the taker's half comes first
            self.after_fill(maker, held[0])
        else:
            self._refresh(maker)
        self.book_fill(taker, maker.price, value, lots, t.fee_reason)
        self.after_fill(taker, held[1])

    def rest_or_end(self, t: Ticket) -> None:
        """Rests or ends the remaining lots of a ticket."""
        order = cast(Order, t.order)
        if not t.remaining:
            self.finish(order, Ending.FILLED)
        elif t.ending:
            self.finish(order, t.ending)
        else:
            order.price = t.price
            self.books[t.instrument].add(order)
            order.resting = True
            self.reserve(order, 0, t.remaining)
            self.log.emit_rested(
                side=t.side, account=t.account, instrument=t.instrument, order_id=order.order_id, price_ticks=t.price,
                remaining_lots=t.remaining, hidden_lots=order.unseen,
            )  # fmt: skip
            if isinstance(t.holder, Position):
                self.refresh_hold(t.holder)
                self.cut_reduce_only(t.holder)
                self._look_at_rest(t, order)
            elif t.holder:
                t.holder.order = order

    def _look_at_rest(self, t: Ticket, order: Order) -> None:
        """Tests an order that came to rest: its hold may be needed by another currency, and it may count in the ratio test."""
        currency = self.contracts[t.instrument].currency
        if not self.ledger.orders_count and currency not in self.ledger.backs:
            return
        if order.resting and self.admission.endangered(t.account, currency):
            self.cancel(order, Ending.UNCOVERED)
        self.ledger.touch(t.account)
