"""Accounts that hold both sides apart: the exchange, its trades, and what is asked of events and refusals."""

import pytest

from solvent import Instrument, Rejected, Tier

X = "X"
OPENS = {"long": "buy", "short": "sell"}


def exchange(make, *, hedged=True, a=100_000, rule="seed", **terms):
    """One instrument of 1 USDT a point; m makes, a is hedged."""
    given = {"contract_size": 1, "tick": 1, "max_price": 10_000, "tiers": [Tier(1_000, "0.005", "0.01")]} | terms
    ex = make([Instrument(X, **given)], rules=rule)
    for name, amount in (("m", 10**7), ("a", a)):
        ex.deposit(name, "USDT", amount)
    ex.mark(X, 1_000)
    if hedged:
        ex.set_position_mode("a", X, "hedge")
    return ex


def take(ex, side, size, *, price=1_000, leg=None, who="a"):
    """An order that m's order of the other side fills."""
    ex.order("m", X, {"buy": "sell", "sell": "buy"}[side], size, price=price).ok()
    return ex.order(who, X, side, size, price=price, leg=leg, tif="ioc").ok()


def both(ex, long=10, short=10, mode="cross", leverage=10):
    """Opens both legs at 1,000."""
    for leg, size in (("long", long), ("short", short)):
        ex.set_leverage("a", X, leverage, mode=mode, leg=leg)
        take(ex, OPENS[leg], size, leg=leg)
    return ex


def of(events, kind):
    return [e for e in events if e.type == kind]


def refused(code, call, *args, **kwargs):
    with pytest.raises(Rejected) as caught:
        call(*args, **kwargs)
    assert caught.value.code == code and caught.value.hint
