"""Limits that an instrument sets on orders: least notional, sizes by type, live orders, messages. Immutable and validated."""

from dataclasses import dataclass
from decimal import Decimal

from solvent.schema.codes import InputError, shown
from solvent.schema.terms import LimitTerms
from solvent.terms.decimals import Dec, to_units
from solvent.terms.order_words import any_int, flag_of

__all__ = ["OrderLimits"]

Bounds = tuple[Dec | None, Dec | None]
_NO_BOUNDS = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLimits:
    """Limits the orders of an instrument, as venues do besides asking for margin.

    least_notional: the least value of an order in the settlement currency, at its limit price, else at mark. limit_size,
    market_size, trigger_size: least and greatest size of an order by its type, in contracts; None bounds nothing. A trigger
    order is any that still sleeps. Orders that only close may be smaller than either least.

    open_orders: live orders, resting and dormant, that an account may have in the instrument. messages: accepted orders and
    amendments of an account in each window of window_ns of command time. Windows begin at multiples of window_ns; rolling: the
    window ends with the present command. Cancels are free, and what is refused does not count.

    >>> from solvent import OrderLimits
    >>> OrderLimits(least_notional=5, market_size=(1, 120), open_orders=200, messages=60, window_ns=2 * 10**9).open_orders
    200
    """

    least_notional: Dec = 0
    limit_size: Bounds = _NO_BOUNDS
    market_size: Bounds = _NO_BOUNDS
    trigger_size: Bounds = _NO_BOUNDS
    open_orders: int = 0
    messages: int = 0
    window_ns: int = 0
    rolling: bool = False

    def __post_init__(self) -> None:
        for name in ("open_orders", "messages", "window_ns"):
            any_int(getattr(self, name), name)
        flag_of(self.rolling, "rolling")
        for name in ("limit_size", "market_size", "trigger_size"):
            bounds = getattr(self, name)
            if not isinstance(bounds, tuple | list) or len(bounds) != 2:
                raise InputError(f"{name} is (least, greatest) in contracts, None for no bound, not {shown(bounds)}")
            object.__setattr__(self, name, tuple(bounds))

    def compiled(self, lot: Decimal, unit: Decimal) -> LimitTerms | None:
        """Returns the limits in lots and units, None if there are none. A number between two of them becomes one that Spec
        refuses."""

        def units(value: Dec | None, step: Decimal, what: str) -> int:
            found = 0 if value is None else to_units(value, step, what)
            return -1 if found is None else found

        sizes = {
            f"{which}_{kind}_lots": units(bound, lot, f"{kind}_size")
            for kind in ("limit", "market", "trigger")
            for which, bound in zip(("least", "most"), getattr(self, f"{kind}_size"), strict=True)
        }
        terms = LimitTerms(
            least_notional_units=units(self.least_notional, unit, "least_notional"), **sizes, most_orders=self.open_orders,
            rate_limit=self.messages, window_ns=self.window_ns, rolling=int(self.rolling),
        )  # fmt: skip
        return None if terms == LimitTerms() else terms
