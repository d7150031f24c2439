"""Draws for hypothesis: instruments, and calls on an exchange that come near to what traders and operators do.

Owns what is likely. Never calls an exchange but in `play`. A call is a pair (method, arguments), as `Exchange.batch` has it: a
failing history prints as what to type. Needs hypothesis.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from solvent.schema.codes import InputError, Rejected
from solvent.terms.instrument import Instrument
from solvent.terms.order_words import Trigger
from solvent.terms.tiers import Tier, okex_btc_2019

__all__ = ["Call", "calls", "histories", "instruments", "opening", "orders", "play", "prices", "sizes"]

Call = tuple[str, dict[str, Any]]
"""A method of Exchange by name, and its arguments."""

ACCOUNTS = ("maker", "alice", "bob", "carol")
MIDDLE = 50_000
_FAR = 5  # prices lie within 1/5 of the middle
_TIERS = (
    okex_btc_2019(first=40, step=60, levels=6),
    okex_btc_2019(first=3, step=5, levels=6),
    [Tier(500, "0.005", "0.01", 100)],
)


def prices(instrument: Instrument, middle: int = MIDDLE) -> st.SearchStrategy[Decimal]:
    """Draws a price on the tick, within a fifth of the middle."""
    ticks = int(middle // instrument.tick_size)
    return st.integers(ticks - ticks // _FAR, ticks + ticks // _FAR).map(lambda count: count * instrument.tick_size)


def sizes(instrument: Instrument, most: int = 30) -> st.SearchStrategy[Decimal]:
    """Draws a size of 1 to `most` lots, in contracts."""
    return st.integers(1, most).map(lambda lots: lots * instrument.lot_size)


@st.composite
def instruments(draw: st.DrawFn, name: str = "BTC-USDT-SWAP") -> Instrument:
    """Draws a linear contract: tick, tiers, and fees with or without a rebate for makers."""
    return Instrument(
        name, tick=draw(st.sampled_from(["0.1", "1", "10"])), tiers=draw(st.sampled_from(_TIERS)),
        maker_fee=draw(st.sampled_from(["0.0002", "0", "-0.0001"])), taker_fee=draw(st.sampled_from(["0.0005", "0.0002"])),
        liquidation_fee=draw(st.sampled_from([None, "0.0005", "own"])),
    )  # fmt: skip


def _triggers(instrument: Instrument) -> st.SearchStrategy[Trigger]:
    terms = {"price": prices(instrument), "by": st.sampled_from(["mark", "last", "index"])}
    return st.builds(Trigger.stop, **terms) | st.builds(Trigger.take_profit, **terms)


def orders(instrument: Instrument, accounts: Sequence[str] = ACCOUNTS) -> st.SearchStrategy[Call]:
    """Draws a call of `order`: limit and market orders, all times in force, reduce-only, stops, some with a client id."""
    any_order = {
        "account": st.sampled_from(accounts), "instrument": st.just(instrument.name), "size": sizes(instrument),
        "side": st.sampled_from(["buy", "sell"]), "reduce_only": st.sampled_from([False] * 5 + [True]),
    }  # fmt: skip
    limit = any_order | {"price": prices(instrument), "tif": st.sampled_from(["gtc", "gtc", "gtc", "ioc", "fok"])}
    kinds = [limit, limit, limit | {"client_id": st.integers(1, 8)}, limit | {"trigger": _triggers(instrument)}, any_order]
    return st.one_of([st.tuples(st.just("order"), st.fixed_dictionaries(kind)) for kind in kinds])


def _others(instrument: Instrument, accounts: Sequence[str]) -> dict[str, dict[str, st.SearchStrategy[Any]]]:
    """Returns what is drawn for each call but `order`."""
    who, money = {"account": st.sampled_from(accounts)}, {"amount": st.integers(1, 2_000)}
    where, settle = {"instrument": st.just(instrument.name)}, {"currency": st.just(instrument.settle)}
    price, named = {"price": prices(instrument)}, {"client_id": st.integers(1, 8)}
    leverage = {"leverage": st.sampled_from([2, 10, 50, 100]), "mode": st.sampled_from(["cross", "isolated"])}
    rate = st.integers(-75, 75).map(lambda basis_points: Decimal(basis_points).scaleb(-4))
    return {
        "mark": where | price,
        "index": where | price,
        "cancel": who | named,
        "cancel_all": who | {"side": st.sampled_from([None, "buy", "sell"])},
        "amend": who | named | price | {"size": sizes(instrument)},
        "set_leverage": who | where | leverage,
        "move_margin": who | where | {"amount": st.integers(-500, 500)},
        "deposit": who | settle | money,
        "withdraw": who | settle | money,
        "seed_fund": settle | money,
        "settle_funding": where | {"rate": rate, "period": st.integers(1, 10**6)},
    }


def calls(instrument: Instrument, accounts: Sequence[str] = ACCOUNTS) -> st.SearchStrategy[Call]:
    """Draws a call: mostly orders, then marks, cancels, leverage, margin, money and funding."""
    drawn: dict[str, st.SearchStrategy[Call]] = {
        name: st.tuples(st.just(name), st.fixed_dictionaries(terms)) for name, terms in _others(instrument, accounts).items()
    }
    likely = ["order"] * 14 + ["mark"] * 6
    drawn["order"] = orders(instrument, accounts)
    return st.sampled_from(likely + list(drawn)).flatmap(drawn.__getitem__)


def opening(instrument: Instrument, accounts: Sequence[str] = ACCOUNTS, money: int = 1_000) -> list[Call]:
    """Returns the calls that a market begins with: deposits (the first account's is a hundred times as large), and a mark."""
    shares = [100 * money] + [money] * (len(accounts) - 1)
    found: list[Call] = [
        ("deposit", {"account": name, "currency": instrument.settle, "amount": amount})
        for name, amount in zip(accounts, shares, strict=True)
    ]
    return [*found, ("mark", {"instrument": instrument.name, "price": MIDDLE})]


def histories(
    instrument: Instrument, accounts: Sequence[str] = ACCOUNTS, *, least: int = 0, most: int = 60
) -> st.SearchStrategy[list[Call]]:
    """Draws `opening` and between `least` and `most` calls after it.

    >>> from hypothesis import HealthCheck, given, settings
    >>> from solvent import Instrument
    >>> from solvent.testing import assert_conserved, audited
    >>> from solvent.testing.strategies import histories, play
    >>> swap = Instrument("BTC-USDT-SWAP")
    >>> @settings(max_examples=5, database=None, suppress_health_check=list(HealthCheck), deadline=None)
    ... @given(histories(swap, most=10))
    ... def test(history):
    ...     ex = audited()([swap])
    ...     play(ex, history)
    ...     assert_conserved(on=ex)
    >>> test()
    """
    drawn = st.lists(calls(instrument, accounts), min_size=least, max_size=most)
    return drawn.map(lambda more: opening(instrument, accounts) + more)


def play(exchange: Any, history: Iterable[Call]) -> list[Any]:
    """Makes the calls in turn; returns what each returned, or the Rejected that it raised."""
    answers: list[Any] = []
    for name, terms in history:
        if name.startswith("_") or not hasattr(exchange, name):
            raise InputError(f"an exchange has no method {name!r}")
        try:
            answers.append(getattr(exchange, name)(**terms))
        except Rejected as refusal:
            answers.append(refusal)
    return answers
