"""Faults of the market itself: a mark that stands, a liquidation, a deleveraging of one account, when a test wants them.

Owns how each is brought about, by commands that any operator has: marks, deposits, orders of an account of its own. All else
is the exchange's own doing. Each fails if it did not come about.
"""

from collections.abc import Callable
from typing import Any

from solvent.api.views import PositionView
from solvent.lab.market.driver import SECOND_NS, Driver
from solvent.schema.codes import InputError
from solvent.schema.words import EventType
from solvent.terms.decimals import plain
from solvent.testing.asserts import by_owner
from solvent.testing.fault_table import Where, row

__all__ = ["strike"]

VICTIM = "bankrupt"
_FARTHEST = 4  # how many times the price, at most, somebody is ruined at


def _held(exchange: Any, market: Driver, account: str) -> PositionView:
    found: PositionView = exchange.position(account, market.instrument)
    if not found.size:
        raise InputError(f"{account} has no position in {market.instrument}; let it open one first")
    return found


def _forced_liquidation(exchange: Any, market: Driver, account: str) -> None:
    """Moves the mark a tick beyond the liquidation price, and back."""
    held, before = _held(exchange, market, account), exchange.prices(market.instrument).mark
    price = held.liquidation_price
    if price is None:
        raise InputError(f"no mark of {market.instrument} liquidates {account}: it has too much money, or other positions")
    down = held.size > 0
    tick = market.terms.tick_size
    exchange.mark(market.instrument, max(tick, price - tick) if down else price + tick)
    exchange.mark(market.instrument, before)
    left = exchange.position(account, market.instrument).size
    if abs(left) >= abs(held.size):
        raise InputError(f"{account} was not liquidated at {plain(price)}; it holds {plain(left)}")


def _adl(exchange: Any, market: Driver, account: str) -> None:
    """Ruins an account that holds the other side, at a price at which the book is empty and the fund cannot pay."""
    held, before = _held(exchange, market, account), exchange.prices(market.instrument).mark
    lots, settle = abs(held.size), market.terms.settle
    side, sign = ("sell", 1) if held.size > 0 else ("buy", -1)
    worth = lots * market.scenario.contract_size * before
    exchange.deposit(VICTIM, settle, int(worth) + 1)
    exchange.set_leverage(VICTIM, market.instrument, 2, mode="isolated")
    if exchange.order(VICTIM, market.instrument, side, lots).filled != lots:
        raise InputError(f"the book of {market.instrument} has not {plain(lots)} for the account that is to be ruined")
    exchange.cancel_all(market.maker, market.instrument)
    number, done = exchange.account(account).account_id, False
    price, tick = before, market.terms.tick_size
    while not done and tick < price <= _FARTHEST * before:
        price += sign * int(before // (10 * tick)) * tick
        ack = exchange.mark(market.instrument, max(tick, price))
        done = any(event.type == EventType.ADL and event.account == number for event in ack.events)
    exchange.mark(market.instrument, before)
    if not done:
        raise InputError(f"{account} was not deleveraged: others rank before it, or the insurance fund could pay")


_STRIKES: dict[str, Callable[[Any, Driver, str], None]] = {
    "forced_liquidation": _forced_liquidation, "adl": _adl,
}  # fmt: skip


def strike(name: str, market: Driver, account: str = "") -> None:
    """Brings a fault of the market about: "stale_mark", or for an account with a position "forced_liquidation" or "adl".

    The mark is where it was afterwards. If the fault cannot come about, nothing is done, and InputError says why. Rejected
    says that there is no such account.

    >>> from solvent import Exchange
    >>> from solvent.testing import Driver, assert_liquidated, contract, scenario, strike
    >>> ex = Exchange([contract(scenario("quiet"))])
    >>> market = Driver(ex, scenario("quiet"))
    >>> ex.deposit("alice", "USDT", 1_000)
    >>> ack = ex.order("alice", "BTC-USDT-SWAP", "buy", 10)
    >>> strike("forced_liquidation", market, "alice")
    >>> assert_liquidated("alice", on=ex)
    """
    if row(name).where != Where.MARKET:
        raise InputError(f"{name} strikes messages; give it to a gateway: gateway.faults = Faults(seed, [{name!r}], ...)")
    if name == "stale_mark":
        market.hold_mark(row(name).span_ns // SECOND_NS)
        return

    def both(exchange: Any) -> None:
        for each in (exchange.fork(), exchange):  # tried out first
            _STRIKES[name](each, market, account)

    by_owner(market.exchange, both)
    market.requote()
