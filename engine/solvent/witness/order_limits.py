"""ORD-6 from events alone: an instrument's limits on orders hold for every order and amendment that is accepted.

Owns the times of the messages that counted. Never knows more than was done: a market order shows the larger of two values, a
closing one the size that was left of it. Cost: O(live orders) an order, where an instrument limits them.
"""

from collections import defaultdict

from solvent.schema.codes import Code, InvariantBroken
from solvent.schema.events import Event, terms_of
from solvent.schema.terms import LimitTerms
from solvent.schema.words import CommandType, Flag, Tif
from solvent.witness.rows import Audited
from solvent.witness.safety import Safety
from solvent.witness.values import fill_value


class Limited(Safety):
    """Checks the limits that instruments set on orders, as far as events tell."""

    def __init__(self, exchange: Audited):
        super().__init__(exchange)
        self._messages: defaultdict[tuple[int, int], list[int]] = defaultdict(list)  # times, by account and instrument
        self._command, self._asked, self._now_ns = 0, 0, 0  # of the present command, if it was accepted: type, order, time

    def _limits_begin(self, e: Event) -> None:
        """Notes a command. An accepted amendment counts for the order's instrument."""
        accepted = e.code == Code.OK
        self._command, self._asked, self._now_ns = (e.command, e.order_id, e.time_ns) if accepted else (0, 0, e.time_ns)
        if self._command == CommandType.AMEND:
            self._count(e, e.account, self.orders[e.order_id].instrument)

    def _count(self, e: Event, account: int, instrument: int) -> None:
        limits = self.specs[instrument].limits
        if limits is None or not limits.rate_limit:
            return
        times = self._messages[account, instrument]
        times.append(self._now_ns)
        if limits.rolling:
            inside = [each for each in times if each > self._now_ns - limits.window_ns]
        else:
            inside = [each for each in times if each // limits.window_ns == self._now_ns // limits.window_ns]
        times[:] = inside
        self._hold(len(inside) <= limits.rate_limit, e, f"{len(inside)} messages in a window of {limits.rate_limit}")

    def _limits_accepted(self, e: Event) -> None:
        """Checks the order of the present command; orders of the house and of step-downs have no limits."""
        limits = self.specs[e.instrument].limits
        if limits is None or self._command != CommandType.ORDER or e.order_id != self._asked:
            return
        self._count(e, e.account, e.instrument)
        sleeps, market = bool(terms_of(e)["trigger_kind"]), bool(e.flags & Flag.MARKET)
        cut = e.limit_ticks != e.price_ticks  # by its bankruptcy price: it trades up to there, and its rest ends
        rests = sleeps or (not market and not cut and e.tif in (Tif.GTC, Tif.GTD))
        live = sum((each.account, each.instrument) == (e.account, e.instrument) for each in self.orders.values())
        self._hold(not rests or not limits.most_orders or live < limits.most_orders, e, f"{live} live orders before it")
        kind = "trigger" if sleeps else "market" if market else "limit"
        if not e.flags & Flag.CLOSE_POSITION:  # which has no size of its own
            self._sized(e, limits, kind, e.price_ticks, bool(e.flags & Flag.REDUCE_ONLY), also_at_mark=market)

    def _limits_replaced(self, e: Event) -> None:
        """Checks an amendment by its total size and its price."""
        limits, order = self.specs[e.instrument].limits, self.orders[e.order_id]
        if limits is None or self._command != CommandType.AMEND or e.order_id != self._asked:
            return
        kind = "trigger" if order.status == "dormant" else "limit"
        if e.size_lots or not order.closes:
            self._sized(e, limits, kind, e.price_ticks, order.reduces, also_at_mark=False)

    def _sized(self, e: Event, limits: LimitTerms, kind: str, price: int, closes: bool, also_at_mark: bool) -> None:
        least, most = getattr(limits, f"least_{kind}_lots"), getattr(limits, f"most_{kind}_lots")
        self._hold(not most or e.size_lots <= most, e, f"a {kind} order has at most {most} lots")
        if closes:
            return
        self._hold(e.size_lots >= least, e, f"a {kind} order has at least {least} lots")
        if not limits.least_notional_units:
            return
        mark = self.marks[e.instrument]
        prices = (price or mark, mark) if also_at_mark else (price or mark,)
        value = max(fill_value(self.specs[e.instrument], e.size_lots, each) for each in prices)
        self._hold(value >= limits.least_notional_units, e, f"{value} units are below the least notional")

    def is_enough(self, instrument: int, lots: int) -> bool:
        """True if so many lots are worth the least notional at mark."""
        spec = self.specs[instrument]
        return spec.limits is None or fill_value(spec, lots, self.marks[instrument]) >= spec.limits.least_notional_units

    @staticmethod
    def _hold(holds: bool, e: object, what: str, clause: str = "ORD-6") -> None:
        if not holds:
            raise InvariantBroken(f"auditor: {clause}: {what} at {e!r}")
