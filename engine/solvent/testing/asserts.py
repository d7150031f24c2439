"""Assertions about an exchange that read well in a test; each tells in its message what there was instead.

Owns which exchange is meant where a test names none: the one that the plugin made for it. Never changes an exchange.
Cost: each reads all events. So the exchange must hold them (retain=True, the default), or have kept its commands.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from solvent.schema.codes import InputError
from solvent.schema.limits import FIRST_USER
from solvent.schema.words import EventType, Flag
from solvent.terms.decimals import Dec, decimal, from_units, plain
from solvent.testing.audited import AuditedKernel
from solvent.witness.auditor import Auditor

__all__ = ["assert_conserved", "assert_liquidated", "assert_no_duplicate_orders", "meant"]

_meant: list[Any] = []


@contextmanager
def meant(exchange: Any) -> Iterator[None]:
    """Makes an exchange the one that assertions mean while the block runs.

    >>> from solvent import Exchange, Instrument
    >>> from solvent.testing import assert_conserved, meant
    >>> with meant(Exchange([Instrument("BTC-USDT-SWAP")])):
    ...     assert_conserved()
    """
    _meant.append(exchange)
    try:
        yield
    finally:
        _meant.remove(exchange)


def by_owner(exchange: Any, work: Callable[[Any], Any]) -> Any:
    """Calls work(exchange), on the thread of the gateway if one owns the exchange."""
    gateway = vars(exchange).get("_gateway")
    return work(exchange) if gateway is None else gateway.do(work)


def _read(on: Any, look: Callable[[Any], Any]) -> Any:
    """Looks at the exchange that is meant."""
    if on is None and not _meant:
        raise InputError("which exchange? Give on=exchange, or ask for the fixture `exchange` or `gateway` in this test")
    return by_owner(_meant[-1] if on is None else on, look)


_OWN = ("order_id", "client_id", "seq", "limit")  # of each order its own; of a market order its price, too, which protects it
_FORCED = (EventType.TAKEOVER, EventType.STEP_DOWN, EventType.NETTED)


def _forced(exchange: Any, account: str | int, instrument: str | None) -> list[tuple[str, Decimal, str]]:
    """Returns (instrument, price, what) of each forced closing of an account."""
    number, found = exchange._known_account(account), []
    for event in exchange._with_events().cursor(begin=1):
        if event.type in _FORCED and event.account == number:
            terms = exchange.instruments[event.instrument]
            ticks = event.price_ticks if event.type == EventType.NETTED else event.mark_ticks
            if instrument in (None, terms.name):
                found.append((terms.name, from_units(ticks, terms.tick_size), event.type.name))
    return found


def assert_liquidated(
    account: str | int, at: Dec | tuple[Dec, Dec] | None = None, *, instrument: str | None = None, on: Any = None
) -> None:
    """Asserts that the house closed a position of an account: took it over, stepped it down, or netted its two legs.

    at: the mark price at which it did, or the lowest and the highest one, in currency. instrument: only this one counts.
    on: the exchange; None means the one of the running test.

    >>> from solvent import Exchange, Instrument
    >>> from solvent.testing import assert_liquidated
    >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
    >>> ex.deposit("alice", "USDT", 1_000)
    >>> assert_liquidated("alice", on=ex)
    Traceback (most recent call last):
    AssertionError: alice was never liquidated...
    """
    __tracebackhide__ = True
    low, high = at if isinstance(at, tuple) else (at, at)
    bounds = None if low is None or high is None else (decimal(low, "at"), decimal(high, "at"))
    found, told = _read(on, lambda exchange: (_forced(exchange, account, instrument), str(exchange.why(account))))
    if not found:
        raise AssertionError(told if instrument is None else f"no liquidation of {account} in {instrument}\n{told}")
    if bounds and not any(bounds[0] <= price <= bounds[1] for _, price, _ in found):
        marks = ", ".join(f"{what} of {name} at {plain(price)}" for name, price, what in found)
        asked = " to ".join(plain(each) for each in dict.fromkeys(bounds))
        raise AssertionError(f"{account} was liquidated at other prices than {asked}: {marks}\n{told}")


def _conserved(exchange: Any) -> None:
    kernel = exchange._kernel
    exchange.check()
    if isinstance(kernel, AuditedKernel):
        return kernel.compare()
    whole = exchange._with_events()
    auditor = Auditor(whole)
    auditor.follow(whole.cursor(begin=1))
    return auditor.compare(exchange)


def assert_conserved(on: Any = None) -> None:
    """Asserts that no unit of money was made or lost, from the first event on.

    The exchange's own check must be silent, and the auditor must come to the same balances from the events alone.
    Raises InvariantBroken, which names the clause. on: the exchange; None means the one of the running test.

    >>> from solvent import Exchange, Instrument
    >>> from solvent.testing import assert_conserved
    >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
    >>> ex.deposit("alice", "USDT", 1_000)
    >>> assert_conserved(on=ex)
    """
    __tracebackhide__ = True
    _read(on, _conserved)


def _duplicates(exchange: Any, account: str | int | None, within_ns: int) -> list[str]:
    only = None if account is None else exchange._known_account(account)
    like: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)  # order ids by terms
    ended: dict[int, tuple[int, int]] = {}  # order id: when it ended, and what it had filled
    found, now_ns = [], 0
    for event in exchange._with_events().cursor(begin=1):
        if event.type == EventType.BEGIN:
            now_ns = event.time_ns
        elif event.type == EventType.DONE:
            ended[event.order_id] = now_ns, event.filled_lots
        elif event.type == EventType.ACCEPTED and event.account >= FIRST_USER and only in (None, event.account):
            terms = exchange.describe(event)
            own = (*_OWN, "price") if event.flags & Flag.MARKET else _OWN
            key = tuple(sorted((name, str(value)) for name, value in terms.items() if name not in own))
            for earlier in like[key]:
                end_ns, filled = ended.get(earlier, (now_ns, 1))  # what is live may have an effect yet
                if filled and now_ns - end_ns <= within_ns:
                    told = ", ".join(f"{name} {value}" for name, value in key if name not in ("account", "type"))
                    found.append(f"orders {earlier} and {event.order_id} of {terms['account']} are alike: {told}")
                    break
            like[key].append(event.order_id)
    return found


def assert_no_duplicate_orders(account: str | int | None = None, *, within_ns: int = 10 * 10**9, on: Any = None) -> None:
    """Asserts that nobody placed an order twice.

    An order is a duplicate if its account has another one of the same terms, which is live, or which traded and ended at most
    within_ns before. Ids are no terms. account: only this one's orders count. on: the exchange; None means the one of the
    running test.

    >>> from solvent import Exchange, Instrument
    >>> from solvent.testing import assert_no_duplicate_orders
    >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
    >>> ex.deposit("alice", "USDT", 1_000)
    >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
    >>> for _ in range(2):
    ...     ack = ex.order("alice", "BTC-USDT-SWAP", "buy", 1, price=49_000)
    >>> assert_no_duplicate_orders("alice", on=ex)
    Traceback (most recent call last):
    AssertionError: orders 16777216 and 33554433 of alice are alike: ...
    """
    __tracebackhide__ = True
    found = _read(on, lambda exchange: _duplicates(exchange, account, within_ns))
    if found:
        raise AssertionError("\n".join(found))
