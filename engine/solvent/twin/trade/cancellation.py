"""The end of live orders on request: one, many, a connection's, and those whose date or whose owner's timer is reached.

Owns the checks and the execution of CANCEL, MASS_CANCEL, TIMER and DISCONNECT, and what passing time ends. Never touches
another account's order, except where the operator names no account.
"""

from solvent.schema.codes import Code
from solvent.schema.commands import AmendOrder, AmendTrigger, CancelOrder, Disconnect, MassCancel, SetTimer
from solvent.schema.layouts import NO_INSTRUMENT, NOBODY
from solvent.schema.words import Ending, Flag
from solvent.twin.market.book import Order
from solvent.twin.market.timers import Key, Timer
from solvent.twin.trade.placement import Answer, Placement, refused

BOTH_SIDES = 2
LAST_NS = 2**63 - 1


class Cancellation:
    def __init__(self, placement: Placement):
        self.placement = placement
        self.trading = placement.trading

    def find(self, account: int, order_id: int, client_id: int) -> Order | None:
        """Returns the sender's live order by order id, else by client id."""
        order = self.trading.live.get(order_id or self.trading.clients.get((account, client_id), 0))
        return order if order and order.account == account else None

    def own(self, c: AmendOrder | AmendTrigger | CancelOrder) -> Order | Code:
        """Returns the live order that a command names, or the code that refuses it."""
        if not self.placement.known_account(c.account):
            return Code.UNKNOWN_ACCOUNT
        return self.find(c.account, c.order_id, c.client_id) or Code.UNKNOWN_ORDER

    def frozen(self, order: Order) -> bool:
        """True for an order that rests in a call that is about to end."""
        return order.resting and self.placement.contracts[order.instrument].frozen(self.placement.clock_ns)

    def cancel_one(self, c: CancelOrder) -> Answer:
        order = self.own(c)
        if isinstance(order, Code):
            return refused(order)
        if self.frozen(order):
            return refused(Code.CALL_FROZEN)
        self.trading.cancel(order, Ending.CANCELLED)
        return Code.OK, order.order_id, order.size - order.remaining, 0

    def _unknown(self, account: int, instrument: int = NO_INSTRUMENT) -> Code:
        if account != NOBODY and not self.placement.known_account(account):
            return Code.UNKNOWN_ACCOUNT
        known = instrument in (NO_INSTRUMENT, *range(len(self.placement.contracts)))
        return Code.OK if known else Code.UNKNOWN_INSTRUMENT

    def _cancel_selected(
        self, key: Key, reason: Ending, side: int = BOTH_SIDES, spares: int = 0, keeps_frozen: bool = False
    ) -> int:  # fmt: skip
        """Ends all live orders that match, oldest first. Returns their number. keeps_frozen: those in a call that is about to
        end are passed over."""
        account, instrument, tag = key
        found = [
            order for _, order in sorted(self.trading.live.items())
            if not order.flags & (Flag.HOUSE_ORDER | spares) and account in (NOBODY, order.account)
            and side in (BOTH_SIDES, order.side) and instrument in (NO_INSTRUMENT, order.instrument)
            and tag in (0, order.terms.tag) and not (keeps_frozen and self.frozen(order))
        ]  # fmt: skip
        for order in found:
            self.trading.cancel(order, reason)
        return len(found)

    def cancel_many(self, c: MassCancel) -> Answer:
        """Executes MASS_CANCEL, oldest order first. The answer's filled lots are the number of cancelled orders. An owner's
        orders in a call that is about to end are passed over."""
        if code := self._unknown(c.account, c.instrument):
            return refused(code)
        if c.side > BOTH_SIDES:
            return refused(Code.BAD_SIDE)
        key, owns = Key(c.account, c.instrument, 0), c.account != NOBODY
        return Code.OK, 0, self._cancel_selected(key, Ending.MASS_CANCELLED, c.side, keeps_frozen=owns), 0

    def disconnect(self, c: Disconnect) -> Answer:
        """Executes DISCONNECT, oldest order first. The answer's filled lots are the number of cancelled orders."""
        if code := self._unknown(c.account):
            return refused(code)
        if not c.tag:
            return refused(Code.BAD_TAG)
        return Code.OK, 0, self._cancel_selected(Key(c.account, NO_INSTRUMENT, c.tag), Ending.DISCONNECTED), 0

    # --- time

    def set_timer(self, c: SetTimer) -> Code:
        """Executes TIMER: sets one, sets it anew, or switches it off."""
        if c.account == NOBODY:
            return Code.UNKNOWN_ACCOUNT
        if code := self._unknown(c.account, c.instrument):
            return code
        if c.spares & ~Flag.REDUCE_ONLY:
            return Code.BAD_FLAGS
        if not 0 <= c.timeout_ns <= LAST_NS - max(0, c.time_ns):
            return Code.BAD_TIMEOUT
        timers, key = self.trading.timers, Key(c.account, c.instrument, c.tag)
        if c.timeout_ns and timers.full(key):
            return Code.TOO_MANY_TIMERS
        deadline_ns = c.time_ns + c.timeout_ns if c.timeout_ns else 0
        if c.timeout_ns:
            timers.start(Timer(deadline_ns, key, c.spares))
        else:
            timers.stop(key)
        self.trading.log.emit_timer_set(**key._asdict(), spares=c.spares, deadline_ns=deadline_ns)
        return Code.OK

    def reach(self, now_ns: int) -> None:
        """Works off the dates of orders and the deadlines of timers by their instants; at one instant dates come first."""
        while True:
            order, timer = self.trading.triggers.first_date(), self.trading.timers.first()
            instants = [order.terms.expiry_ns] if order else []
            instants += [timer.deadline_ns] if timer else []
            if not instants or min(instants) > now_ns:
                return
            if order and order.terms.expiry_ns == min(instants):
                self.trading.cancel(order, Ending.EXPIRED)
            elif timer:
                self.trading.timers.stop(timer.key)
                self.trading.log.emit_timed_out(**timer.key._asdict(), deadline_ns=timer.deadline_ns)
                self._cancel_selected(timer.key, Ending.TIMEOUT, spares=timer.spares)
            self.placement.linked.settle()
