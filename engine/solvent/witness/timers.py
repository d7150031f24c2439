"""ORD-7 from events alone: a timer ends the orders that it is set for, at its deadline, and so does a disconnect; no others.

Owns the timers that are set, and what such an end still has to take. Cost: O(live orders) a timer that fires.
"""

from solvent.schema.events import Event
from solvent.schema.layouts import NO_INSTRUMENT, NOBODY
from solvent.schema.words import CommandType, Ending, Flag
from solvent.witness.calls import Called
from solvent.witness.rows import Audited, Order

_TAKEN = {Ending.TIMEOUT, Ending.DISCONNECTED}


class Timed(Called):
    """Checks timers and disconnects."""

    def __init__(self, exchange: Audited):
        super().__init__(exchange)
        self.timers: dict[tuple[int, int, int], tuple[int, int]] = {}  # account, instrument, tag: deadline, spared flags
        self._taking: list[int] = []  # orders that a timer or a disconnect has still to end, oldest first
        self._sender = self._lost = 0  # of a DISCONNECT, if it is the present command: its account, the tag

    def _timers_begin(self, e: Event) -> None:
        self._sender, self._lost = e.account, 0

    def _matching(self, key: tuple[int, int, int], spares: int) -> list[int]:
        account, instrument, tag = key

        def taken(order: Order) -> bool:
            spared = order.house or (spares & Flag.REDUCE_ONLY and order.reduces)
            return not spared and (
                account in (NOBODY, order.account) and instrument in (NO_INSTRUMENT, order.instrument)
                and tag in (0, order.tag)
            )  # fmt: skip

        return sorted(order_id for order_id, order in self.orders.items() if taken(order))

    def _on_tagged(self, e: Event) -> None:
        self._hold(e.tag > 0 and self.orders[e.order_id].account == e.account, e, "the owner's order has a tag", "ORD-7")
        self.orders[e.order_id].tag = e.tag

    def _on_timer_set(self, e: Event) -> None:
        key = e.account, e.instrument, e.tag
        self._hold(not e.deadline_ns or e.deadline_ns > self._now_ns, e, "a deadline to come", "ORD-7")
        self.timers.pop(key, None)
        if e.deadline_ns:
            self.timers[key] = e.deadline_ns, e.spares

    def _on_timed_out(self, e: Event) -> None:
        key = e.account, e.instrument, e.tag
        first = min((deadline, *key) for key, (deadline, _) in self.timers.items())
        self._hold(first == (e.deadline_ns, *key) and e.deadline_ns <= self._now_ns, e, f"the first timer is {first}", "ORD-7")
        self._hold(not self._taking, e, f"orders {self._taking} are left by the last one", "ORD-7")
        self._taking = self._matching(key, self.timers.pop(key)[1])

    def _timers_done(self, e: Event, order: Order) -> None:
        """Checks that a timer or a disconnect ends the orders that it has to, and in their order. Called before they go."""
        if e.ending == Ending.DISCONNECTED and not self._lost:
            self._hold(self._command == CommandType.DISCONNECT and order.tag > 0, e, "a tag that was disconnected", "ORD-7")
            self._lost = order.tag
            self._taking = self._matching((self._sender, NO_INSTRUMENT, order.tag), 0)
        if e.ending in _TAKEN:
            self._hold(self._taking[:1] == [e.order_id], e, f"orders {self._taking} were to end first", "ORD-7")
            self._taking.pop(0)

    def _close_timers(self) -> None:
        late = [key for key, (deadline, _) in self.timers.items() if deadline <= self._now_ns]
        self._hold(not late, late, "a timer is left beyond its deadline", "ORD-7")
        self._hold(not self._taking, self._taking, "a timer or a disconnect has left orders", "ORD-7")
