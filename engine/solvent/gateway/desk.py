"""The desk: one exchange, its history, and what every dialect asks of both.

Owns the way from a request to a command and from its events to the history; the accounts behind keys; margin modes that a
request takes for granted. Never speaks a dialect and never touches a socket or a clock: the time comes from its `clock`. One
thread at a time. Cost: a call of the exchange, and its events once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from solvent.api.base import Ack
from solvent.api.exchange import Exchange
from solvent.gateway.history import MADE_UP, History
from solvent.gateway.notes import Notes
from solvent.gateway.records import Asked, Notice, Order, State
from solvent.schema.codes import Code, InputError, Rejected
from solvent.schema.layouts import NOBODY
from solvent.schema.limits import TAGS_MAX
from solvent.schema.rows import PositionRow
from solvent.schema.words import Ending, Flag, Kind, Leg, Mode, Side, Tif
from solvent.terms.decimals import Dec, fraction, to_units
from solvent.terms.exits import Exit
from solvent.terms.order_words import Trigger

__all__ = ["Desk", "Place", "Placed"]

ACCOUNTS_MAX = 10_000
"""The most accounts that unknown keys open."""
_MODES = {Mode.CROSS: "cross", Mode.ISOLATED: "isolated"}
_LEGS = (None, "long", "short")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Holds an order as a dialect has understood it; the words are those of Exchange.order. mode: "cross" or "isolated".

    asked: what shall be remembered of it. children: the same of its target, then of its stop, as far as it brings them.
    """

    account: int
    instrument: int
    side: str
    size: Dec | None
    mode: str
    price: Dec | None = None
    tif: str = "gtc"
    post_only: bool = False
    reduce_only: bool = False
    close_position: bool = False
    client_id: str = ""
    trigger: Trigger | None = None
    leg: str | None = None
    market: bool = False
    self_trade: str = "cancel_maker"
    take_profit: Exit | None = None
    stop_loss: Exit | None = None
    asked: Asked = Asked()
    children: tuple[Asked, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """Answers a Place: the code, the id of the order (of the first one for a duplicate), and the order if it is known."""

    code: Code
    order_id: int
    order: Order | None


class Desk:
    """Serves one exchange.

    clock: returns the time that has come, in nanoseconds; None leaves time to the exchange's commands. deposit: what an
    account of an unknown key gets, in each currency that contracts settle in.
    """

    def __init__(self, exchange: Exchange, clock: Callable[[], int] | None, deposit: Decimal):
        self.exchange = exchange
        self.clock = clock
        self.deposit = deposit
        self.history = History(exchange.venue)
        self._opened = 0
        self._wishes: dict[tuple[int, int, str, int], Fraction] = {}  # leverage by mode, until the mode is taken
        self._cursor = exchange.cursor()
        self._notes = Notes.beside(exchange._keeper, exchange.command_count)
        self._read_past()

    def _read_past(self) -> None:
        """Reads the events before the desk was made, as far as they are held or can be made again."""
        whole = self.exchange._with_events()
        self.history.noted = self._notes.read() if self._notes is not None else iter(())
        self.history.read(whole._iterate(whole._kernel.first_seq, self._cursor.seq))
        self.history.noted, self.history.coming = iter(()), (0, [])
        self.history.forget_notices()

    def close(self) -> None:
        """Lets go what the desk holds open."""
        if self._notes is not None:
            self._notes.close()

    # --- time and events

    def tick(self) -> None:
        """Moves the exchange's clock to the time that has come."""
        if self.clock is not None and (now := self.clock()) > self.exchange.time_ns:
            self.exchange.advance(now)

    def settle(self) -> list[Notice]:
        """Reads what has happened since, and returns the notices that are new."""
        self.catch_up()
        return self.history.forget_notices()

    def catch_up(self) -> None:
        """Reads what has happened since into the history."""
        _ = self.exchange.venue  # which notes an instrument that was added
        self.history.read(self._cursor)

    # --- accounts

    def account_of(self, name: str) -> int | None:
        """Returns the account of a name, None if there is none."""
        found = self.exchange._account(name)
        return None if found == NOBODY else found

    def open_account(self, name: str) -> int | None:
        """Opens an account with the deposit; None if there are too many. Raises Rejected for a bad name."""
        if self._opened >= ACCOUNTS_MAX:
            return None
        self.tick()
        account = self.exchange.open_account(name)
        self._opened += 1
        for currency in dict.fromkeys(each.settle for each in self.exchange.instruments):
            if self.deposit:
                self.exchange.deposit(account, currency, self.deposit)
        return account

    # --- positions

    def row(self, account: int, instrument: int, leg: int) -> PositionRow:
        """Returns a position as the kernel has it."""
        return PositionRow(*self.exchange._kernel.position_row(account, instrument, leg))

    def terms_of(self, account: int, instrument: int, leg: int) -> tuple[str, Fraction, bool]:
        """Returns margin mode, leverage, and whether the instrument is held in two legs: what is stored, without a price."""
        for row in self.exchange._kernel.positions(account):
            if row[0] == instrument and row[1] == leg:
                return _MODES[Mode(row[8])], Fraction(row[5], row[6]), bool(row[10])
        return "cross", Fraction(self.exchange.instruments[instrument].spec.default_leverage), False

    def hedged(self, account: int, instrument: int) -> bool:
        """True if an account holds an instrument in two legs."""
        return self.terms_of(account, instrument, Leg.ONE_WAY)[2]

    def idle(self, account: int, instrument: int) -> bool:
        """True if an account is flat in an instrument and has no live order there."""
        legs = Leg if self.hedged(account, instrument) else (Leg.ONE_WAY,)
        flat = not any(self.row(account, instrument, leg).size_lots for leg in legs)
        return flat and self.exchange.order_counts(account, instrument) == (0, 0)

    def hedge(self, account: int, hedged: bool) -> None:
        """Sets the position mode of all instruments, or of none. Raises Rejected(MODE_IN_USE)."""
        self.tick()
        turning = [i for i in range(len(self.exchange.instruments)) if self.hedged(account, i) != hedged]
        if not all(self.idle(account, i) for i in turning):
            raise Rejected(Code.MODE_IN_USE)
        for instrument in turning:
            self.exchange.set_position_mode(account, instrument, "hedge" if hedged else "one-way")

    def leverage(self, account: int, instrument: int, mode: str, leg: int) -> Fraction:
        """Returns the leverage that a position has, or would have in a mode."""
        present, leverage, _ = self.terms_of(account, instrument, leg)
        return leverage if present == mode else self._wishes.get((account, instrument, mode, leg), leverage)

    def set_leverage(self, account: int, instrument: int, mode: str, leg: int, leverage: Decimal) -> None:
        """Sets the leverage of a margin mode. It takes effect with the mode where the other one is in use."""
        self.tick()
        present = self.terms_of(account, instrument, leg)[0]
        if present != mode and not self.idle(account, instrument):
            self._wishes[account, instrument, mode, leg] = fraction(leverage, "leverage")
        else:
            asked = None if present == mode else mode
            self.exchange.set_leverage(account, instrument, leverage, mode=asked, leg=_LEGS[leg])

    def _take_mode(self, place: Place) -> None:
        """Gives a position the margin mode that an order takes for granted. Raises Rejected(MODE_IN_USE)."""
        leg = _LEGS.index(place.leg)
        present, leverage, _ = self.terms_of(place.account, place.instrument, leg)
        if present != place.mode:
            key = place.account, place.instrument, place.mode, leg
            leverage = self._wishes.get(key, leverage)
            self.exchange.set_leverage(place.account, place.instrument, leverage, mode=place.mode, leg=place.leg)
            self._wishes.pop(key, None)

    # --- orders

    def place(self, place: Place) -> Placed:
        """Places an order. Raises InputError for words that no order has, Rejected(MODE_IN_USE, BAD_LEG).

        The exchange refuses a fill-or-kill that is not filled, and a post-only that would trade. Venues take such an order in
        and cancel it, so here it has an id and a past, too.
        """
        self.tick()
        known = self.history.order_of(place.account, 0, place.client_id) if place.client_id else None
        if known is not None and (known.order_id >= MADE_UP or known.child):
            return Placed(Code.DUPLICATE_CLIENT_ID, known.order_id, known)
        self._take_mode(place)
        ack = self._ordered(place.account, [place.asked, *place.children], lambda: self.exchange.order(
            place.account, place.instrument, place.side, place.size, price=place.price, tif=place.tif,
            post_only=place.post_only, reduce_only=place.reduce_only, close_position=place.close_position,
            client_id=place.client_id or 0, trigger=place.trigger, leg=place.leg, market=place.market,
            self_trade=place.self_trade, take_profit=place.take_profit, stop_loss=place.stop_loss,
            tag=self.tag(place.asked.tag),
        ))  # fmt: skip
        if ack.code in (Code.POST_ONLY_WOULD_TAKE, Code.FOK_UNFILLED):
            return self._stillborn(place, ack)
        return Placed(ack.code, ack.order_id, self.history.orders.get(ack.order_id))

    def attach(self, place: Place) -> Placed:
        """Joins a target and a stop to a position: `side`, `size` and `leg`, take_profit and stop_loss, and what shall be
        remembered of both. Raises as `place` does."""
        self.tick()
        self._take_mode(place)
        ack = self._ordered(place.account, list(place.children), lambda: self.exchange.oco(
            place.account, place.instrument, place.side, place.size, take_profit=place.take_profit, stop_loss=place.stop_loss,
            leg=place.leg, self_trade=place.self_trade, tag=self.tag(place.children[0].tag),
        ))  # fmt: skip
        return Placed(ack.code, ack.order_id, self.history.orders.get(ack.order_id))

    def tag(self, text: str) -> int:
        """Returns the exchange's number for a tag, the same for all accounts; 0 for none, and once all numbers are given."""
        history = self.history
        if text and text not in history.tags and history.top_tag < TAGS_MAX:
            history.top_tag += 1
            history.tags[text] = history.top_tag
        return history.tags.get(text, 0)

    def _ordered(self, account: int, asked: list[Asked], send: Callable[[], Ack]) -> Ack:
        """Sends a command and notes what its orders were asked for."""
        self.catch_up()
        self.history.coming, number = (account, list(asked)), self.exchange.command_count + 1
        if self._notes is not None:
            self._notes.write(number, account, asked)
        try:
            ack = send()
            self.catch_up()
        except InputError:  # it was no command
            if self._notes is not None:
                self._notes.write(number, account, [])
            raise
        finally:
            self.history.coming = 0, []
        return ack

    def _stillborn(self, place: Place, ack: Ack) -> Placed:
        """Enters an order that ended with its arrival."""
        terms, history = self.exchange.instruments[place.instrument], self.history
        leg = _LEGS.index(place.leg)
        held = history.held(place.account, place.instrument, leg)
        unfilled = ack.code == Code.FOK_UNFILLED
        order = Order(
            order_id=MADE_UP + ack.seq, account=place.account, instrument=place.instrument, side=Side[place.side.upper()],
            leg=leg,
            mode=held.mode, leverage=held.leverage, price_ticks=to_units(place.price or 0, terms.tick_size, "price") or 0,
            size_lots=to_units(place.size or 0, terms.lot_size, "size") or 0,
            flags=(Flag.REDUCE_ONLY if place.reduce_only else 0) | (0 if unfilled else Flag.POST_ONLY),
            tif=Tif.FOK if unfilled else Tif.GTC, client_id=place.client_id, created_ns=history.time_ns,
            updated_ns=history.time_ns, state=State.CANCELLED, ending=Ending.UNFILLED, code=ack.code, asked=place.asked,
        )  # fmt: skip
        history.enter(order)
        return Placed(Code.OK, order.order_id, order)

    def amend(self, account: int, changes: Sequence[Mapping[str, Any]]) -> Code:
        """Changes live orders, all or none: order_id, and size and price or the trigger, as in Exchange.amend. A change with
        nothing but an order_id cancels the order."""
        self.tick()
        calls = [("amend" if len(each) > 1 else "cancel", {"account": account, **each}) for each in changes]
        if len(calls) == 1:
            code: Code = getattr(self.exchange, calls[0][0])(**calls[0][1]).code
        else:
            code = self.exchange.atomic(calls, account=account).code
        self.catch_up()
        return code

    def cancel(self, account: int, order_id: int) -> Code:
        """Cancels a live order."""
        self.tick()
        ack = self.exchange.cancel(account, order_id)
        self.catch_up()
        return ack.code

    def waiting(self, order: Order) -> tuple[int, int]:
        """Returns lots and trigger of an order that waits, as they are now: a child's size goes by what it has to close, a
        trailing trigger by the price."""
        row = self.exchange._kernel.find_order(order.account, order.order_id, 0) if order.state == State.DORMANT else None
        return (row[5], row[12]) if row else (order.size_lots, order.trigger_ticks)

    def cancel_closing(self, account: int, instrument: int, side: str, leg: str | None) -> None:
        """Cancels the live orders that would close a position: those of its leg on a side."""
        self.tick()
        for view in self.exchange.open_orders(account, instrument):
            if view.side == side and view.leg == leg:
                self.exchange.cancel(account, view.order_id)

    def affordable_lots(self, account: int, instrument: int) -> int:
        """Returns how many lots the free money of an account is the initial margin of, at the mark and its leverage."""
        row, terms = self.row(account, instrument, Leg.ONE_WAY), self.exchange.instruments[instrument]
        wallet = self.exchange.account(account).wallets.get(terms.settle)
        if wallet is None or not row.mark_ticks or terms.spec.kind == Kind.INVERSE:
            return 0
        units = max(0, to_units(wallet.free, terms.unit, "free") or 0)
        return min(units * row.leverage // (row.leverage_parts * row.mark_ticks * terms.spec.units), terms.spec.max_size_lots)

    def cancel_after(self, account: int, timeout_ns: int, tag: str) -> int:
        """Cancels the live orders of an account, all or those with a tag, after so long, unless asked again; 0: never.

        Returns when that will be. Raises Rejected(TOO_MANY_TIMERS), InputError once there is no number for another tag."""
        self.tick()
        number = self.tag(tag)
        if tag and not number:
            raise InputError("there are too many tags")
        self.exchange.cancel_after(account, timeout_ns, tag=number).ok()
        self.catch_up()
        return self.exchange.time_ns + timeout_ns if timeout_ns else 0

    def cancel_all(self, account: int, instrument: int) -> None:
        """Cancels all live orders of an account in an instrument."""
        self.tick()
        self.exchange.cancel_all(account, instrument)

    def pending(self) -> bool:
        """True if something has happened that was not told yet."""
        return bool(self.history.notices) or self._cursor.seq != self.exchange._kernel.next_seq
