"""Agents of a user's own: plain classes that trade in a market, one account each, or many at once over NumPy.

Owns the life of an agent and the desk at which it sits: what it may see, ask and send. Never lets a draw depend on other
agents: each is a hash of (seed, agent, question, step). An agent that raises, returns something or does not return ends the
run with an error that names it (AgentFailed). Cost: the agent's own.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from types import FrameType
from typing import Any

import numpy as np

from solvent.lab.market import commands
from solvent.lab.market.draws import Bools, Ints, Purpose, below, draw
from solvent.schema.codes import InputError, SolventError, shown
from solvent.terms.decimals import to_units, unit_of

__all__ = ["Agent", "AgentFailed", "Desk", "Swarm", "SwarmDesk"]

UNIT = unit_of(6)


class AgentFailed(SolventError):
    """An agent raised, returned something, or did not return. The text names agent, seed and step."""


class Agent:
    """A trader of your own. Subclasses define `step`, and `begin` and `end` if they need them.

    name: the name of its account. wallet: what it begins with, in currency. leverage, cross: for its positions.
    patience_s: how long a call of it may take, in seconds (heeded in a main thread, which worker processes have).
    """

    name = "agent"
    wallet = "1000"
    leverage = 5
    cross = True
    patience_s = 60
    members = 1

    def begin(self, desk: Any) -> None:
        """Is called once, before the first step."""

    def step(self, desk: Any) -> None:
        """Is called in every step, when index and mark are told and the makers have quoted, before the other traders act."""
        raise NotImplementedError

    def end(self, desk: Any) -> None:
        """Is called once, after the last step."""


class Swarm(Agent):
    """Many traders of one rule, as arrays: `members` accounts; the desk's figures have a column for each (SwarmDesk)."""

    name = "swarm"
    members = 100


class Desk:
    """The place of an agent in a market. step, time_ns: now. exchange: the exchange itself, for what the desk does not have.

    Prices, sizes and amounts are decimals. instrument: None means the first contract.
    """

    def __init__(self, run: Any, agent: Agent, account: int):
        self._run, self.agent, self.account = run, agent, account
        self.exchange, self.seed, self.where = run.exchange, run.seed, run.where
        self.step, self.time_ns = 0, 0
        self.instruments = [each.name for each in run.contracts]

    def _named(self, instrument: str | None) -> str:
        return self.instruments[0] if instrument is None else instrument

    def mark(self, instrument: str | None = None) -> Decimal:
        """Returns the mark price."""
        return Decimal(self.exchange.prices(self._named(instrument)).mark or 0)

    def depth(self, levels: int = 5, instrument: str | None = None) -> Any:
        """Returns the best levels of the book: bids and asks, each a price and a size."""
        return self.exchange.depth(self._named(instrument), levels)

    def position(self, instrument: str | None = None) -> Decimal:
        """Returns the signed size of the position, 0 if there is none."""
        return Decimal(self.exchange.position(self.account, self._named(instrument)).size)

    def equity(self) -> Decimal:
        """Returns wallet, margins and profit at mark together, in currency."""
        found: Decimal = self.exchange.account(self.account).wallets["USDT"].equity
        return found

    def buy(self, size: Any, price: Any = None, *, instrument: str | None = None, **terms: Any) -> Any:
        """Sends an order: immediate at market without a price. terms: as of Exchange.order. Returns its Ack."""
        return self._order("buy", size, price, instrument, terms)

    def sell(self, size: Any, price: Any = None, *, instrument: str | None = None, **terms: Any) -> Any:
        """Sends an order: immediate at market without a price. terms: as of Exchange.order. Returns its Ack."""
        return self._order("sell", size, price, instrument, terms)

    def _order(self, side: str, size: Any, price: Any, instrument: str | None, terms: dict[str, Any]) -> Any:
        return self.exchange.order(self.account, self._named(instrument), side, size, price=price, **terms)

    def close(self, instrument: str | None = None) -> Any:
        """Closes the position at market; returns the Ack, or None if there is none."""
        held = self.position(instrument)
        if not held:
            return None
        return self._order("sell" if held > 0 else "buy", abs(held), None, instrument, {"reduce_only": True})

    def cancel_all(self, instrument: str | None = None) -> Any:
        """Cancels the agent's orders of a contract."""
        return self.exchange.cancel_all(self.account, self._named(instrument))

    def draw(self, limit: int, question: int = 0) -> int:
        """Returns a number from 0 to limit - 1: a hash of (seed, agent, question, step). Ask different things by question."""
        return int(self._draws(np.array([self.account], dtype=np.int64), limit, question)[0])

    def _draws(self, accounts: Ints, limit: int, question: int) -> Ints:
        if not (isinstance(limit, int) and 1 <= limit < 2**31) or not (isinstance(question, int) and 0 <= question < 2**31):
            raise InputError(
                f"a draw is below a whole number from 1 to 2**31 - 1, of a question from 0 on, not {shown(limit)}"
            )
        return below(draw(self.seed, accounts, Purpose.AGENT + question, self.step), limit)


class SwarmDesk(Desk):
    """The place of a swarm: integers by member. cash, margin, profit, equity are in units of 0.000001, sizes in lots."""

    def __init__(self, run: Any, agent: Agent, account: int):
        super().__init__(run, agent, account)
        self.accounts = np.arange(account, account + agent.members, dtype=np.int64)

    def mark_ticks(self, symbol: int = 0) -> int:
        """Returns the mark of a contract by number, in ticks."""
        return int(self._run.outcome.tally.mark_ticks[symbol])

    def size_lots(self, symbol: int = 0) -> Ints:
        """Returns the signed position of each member."""
        found: Ints = self._run.outcome.tally.size[symbol, self.accounts]
        return found

    def cash_units(self) -> Ints:
        """Returns the wallet of each member."""
        found: Ints = self._run.outcome.tally.cash[self.accounts]
        return found

    def profit_units(self, symbol: int = 0) -> Ints:
        """Returns the profit of each member's position at mark."""
        tally = self._run.outcome.tally
        worth = self.mark_ticks(symbol) * int(tally.lot_units[symbol])
        found: Ints = tally.size[symbol, self.accounts] * worth - tally.cost[symbol, self.accounts]
        return found

    def draws(self, limit: int, question: int = 0) -> Ints:
        """Returns a number from 0 to limit - 1 for each member."""
        return self._draws(self.accounts, limit, question)

    def send(self, lots: Ints, reduce_only: Bools | None = None, symbol: int = 0) -> Ints:
        """Sends immediate orders: signed lots by member, 0 for none.

        Opening ones go within 0.4 % of the mark, reducing ones at market.
        Returns the code of each order that was sent, in the order of members.
        """
        wanted = np.asarray(lots)
        reduces = np.zeros(len(self.accounts), dtype=np.bool_) if reduce_only is None else np.asarray(reduce_only)
        if wanted.shape != self.accounts.shape or wanted.dtype.kind != "i" or reduces.shape != wanted.shape:
            raise InputError(
                f"orders of a swarm are whole lots, one for each of {len(self.accounts)} members, not {shown(lots)}"
            )
        who = np.flatnonzero(wanted)
        if not len(who):
            return np.zeros(0, dtype=np.int64)
        batch = commands.orders(self.accounts[who], wanted[who].astype(np.int64), reduces[who], self.mark_ticks(symbol))
        codes: Ints = self._run.sent(commands.stamped(batch, self.time_ns, symbol))
        return codes


class _TooLong(BaseException):
    """Ends a call that takes too long; no `except Exception` of an agent keeps it."""


def _ring(_number: int, _frame: FrameType | None) -> None:
    raise _TooLong


@contextmanager
def _patience(seconds: int) -> Iterator[None]:
    """Lets the block take so long, where that can be watched."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def called(desk: Desk, call: Callable[[Any], object], step: int, time_ns: int) -> None:
    """Calls an agent. Raises AgentFailed if it raises, returns something, or does not return."""
    desk.step, desk.time_ns = step, time_ns
    agent = desk.agent
    where = f"{desk.where}agent {agent.name!r}, seed {desk.seed}, step {step}: {getattr(call, '__name__', 'call')}"
    try:
        with _patience(agent.patience_s):
            found = call(desk)
    except _TooLong:
        raise AgentFailed(f"{where} did not return within {agent.patience_s} seconds") from None
    except Exception as error:
        raise AgentFailed(f"{where} raised {type(error).__name__}: {error}") from error
    if found is not None:
        raise AgentFailed(f"{where} returned {shown(found)}; it returns nothing, orders are sent at the desk")


def units_of(agent: Agent) -> int:
    """Returns the wallet of an agent in units. Raises InputError for terms that make no sense."""
    units = to_units(agent.wallet, UNIT, f"wallet of agent {agent.name!r}")
    if units is None or not 0 < units <= 10**15:
        raise InputError(
            f"agent {agent.name!r}: a wallet is an amount above 0, with at most six decimals, not {shown(agent.wallet)}"
        )
    if not isinstance(agent.members, int) or not 1 <= agent.members <= 10**6:
        raise InputError(f"agent {agent.name!r}: members are from 1 to 1,000,000, not {shown(agent.members)}")
    if not isinstance(agent.leverage, int) or not 1 <= agent.leverage <= 100:
        raise InputError(f"agent {agent.name!r}: a leverage is a whole number from 1 to 100, not {shown(agent.leverage)}")
    return units
