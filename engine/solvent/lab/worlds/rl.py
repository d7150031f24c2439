"""A world as a Gymnasium Env for one learner, and as a PettingZoo ParallelEnv for several (extra `rl`).

Owns what a learner sees, asks for and is paid, as floats: nothing of them enters the exchange but whole lots. Never lets a
learner that was liquidated come back. Cost: a step is some hundred lines of Python, and the crowd's.
"""

from collections.abc import Mapping
from functools import cache, partial
from math import isfinite, log
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from solvent.lab.market import commands
from solvent.lab.market.agents import Agent, Desk
from solvent.lab.market.scenarios import Scenario
from solvent.lab.worlds import crowd
from solvent.lab.worlds.many import Worlds
from solvent.schema.codes import Code, InputError, shown
from solvent.schema.words import EventType

try:
    import gymnasium
    import pettingzoo  # type: ignore[import-untyped, unused-ignore]
except ImportError as error:
    raise ImportError("worlds for learners need gymnasium and pettingzoo: pip install 'solvent[rl]'") from error

__all__ = ["MarketEnv", "MarketParallelEnv"]

Floats = npt.NDArray[np.float32]
HIGHEST = np.array([200, 100, 100, 100, 100, 1], dtype=np.float32)
LOWEST = np.array([-200, 0, -100, -100, -100, 0], dtype=np.float32)
WARM = 10  # steps of the traders alone, at first: a book to meet
RUIN = 0.01  # of what a learner began with: less counts as this much, and ends it


class _Seat(Agent):
    """An account whose orders come from a learner."""

    def __init__(self, name: str, wallet: str, leverage: int):
        self.name, self.wallet, self.leverage = name, wallet, min(100, 2 * leverage)

    def step(self, desk: Desk) -> None:
        """Does nothing: the learner asks between the halves of a step."""


class _Table:
    """A world at whose seats learners sit."""

    def __init__(self, scenario: Scenario, names: list[str], leverage: int, wallet: str):
        if type(leverage) is not int or not 1 <= leverage <= 50:
            raise InputError(f"leverage of a learner is a whole number from 1 to 50, not {shown(leverage)}")
        self.scenario, self.leverage, self.wallet = scenario, leverage, wallet
        self.makes = [partial(_Seat, name, wallet, leverage) for name in names]
        self.begin(0)

    def begin(self, seed: int) -> None:
        """Makes the world of a seed, lets its traders make a book, and tells the next index."""
        self.worlds = Worlds(self.scenario, 1, seed, agents=self.makes)
        if self.worlds.steps <= WARM:
            raise InputError(f"a world for learners has more than {WARM} steps, not {self.worlds.steps}")
        self.worlds.run(WARM)
        self.desks = self.worlds._worlds[0].desks
        self.exchange = self.worlds.exchanges[0]
        self.judged = self.exchange.cursor(EventType.LIQUIDATION)
        self.liquidated: set[int] = set()
        self.codes = [Code.OK] * len(self.desks)
        self.equity = [self._equity(each) for each in self.desks]
        self.start = list(self.equity)
        self.mark = self._mark()
        self._tell()

    @property
    def over(self) -> bool:
        """Tells whether the path is at its end."""
        return self.worlds.step == self.worlds.steps

    def _mark(self) -> float:
        return float(self.desks[0].mark())

    def _equity(self, desk: Desk) -> float:
        return float(desk.equity())

    def _tell(self) -> None:
        """Tells the index of the coming step, and notes who was liquidated."""
        if not self.over:
            self.worlds._advance(slice(None), crowd.TELL, self.worlds.step + 1)
        before, self.mark = self.mark, self._mark()
        self.moved = 100 * (self.mark / before - 1)
        self.liquidated |= {event.account for event in self.judged}

    def go(self, actions: Mapping[int, Any]) -> dict[int, float]:
        """Lets learners trade, then the traders, and tells the next index. Returns what each is paid."""
        for at, action in actions.items():
            self._trade(at, action)
        self.worlds.step += 1
        self.worlds._advance(slice(None), crowd.CROWD, self.worlds.step)
        self._tell()
        paid = {}
        for at in actions:
            before, floor = self.equity[at], RUIN * self.start[at]
            self.equity[at] = max(self._equity(self.desks[at]), floor)
            paid[at] = log(self.equity[at] / max(before, floor))
            if self.equity[at] == floor:
                self.liquidated.add(self.desks[at].account)
        return paid

    def _trade(self, at: int, action: Any) -> None:
        """Buys or sells a share of the highest exposure. No order brings a position beyond that exposure."""
        share = np.asarray(action, dtype=np.float64).ravel()
        if share.shape != (1,) or not isfinite(share[0]) or abs(share[0]) > 1:
            raise InputError(f"an action is one share from -1 to 1 of the highest exposure, not {shown(action)}")
        desk, contract = self.desks[at], self.exchange.instruments[0]
        self.codes[at] = Code.OK
        most = self.leverage * max(0, self._equity(desk)) / (self.mark * float(contract.contract_size))
        held, change = int(desk.position()), round(share[0] * most)
        room = max(abs(held), int(most))
        lots = max(-room, min(room, held + change)) - held
        if lots:
            reduces = np.array([held * lots < 0 and abs(lots) <= abs(held)])
            account = np.array([desk.account], dtype=np.int64)
            mark_ticks = int(desk.mark() / contract.tick_size)
            batch = commands.orders(account, np.array([lots], dtype=np.int64), reduces, mark_ticks)
            answer = self.exchange.run(commands.stamped(batch, self.exchange.time_ns, 0))
            self.codes[at] = Code(int(answer.code[0]))

    def seen(self, at: int) -> Floats:
        """Returns what a learner sees."""
        desk = self.desks[at]
        book = desk.depth(1)
        ask = float(book.asks[0][0]) if book.asks else self.mark
        bid = float(book.bids[0][0]) if book.bids else self.mark
        worth = self.mark * float(self.exchange.instruments[0].contract_size)
        seen = [
            float(desk.position()) * worth / max(self.equity[at], RUIN * self.start[at]),
            self.equity[at] / self.start[at],
            self.moved,
            100 * (self.mark - ask) / self.mark,
            100 * (bid - self.mark) / self.mark,
            self.worlds.step / self.worlds.steps,
        ]
        return np.clip(np.array(seen, dtype=np.float32), LOWEST, HIGHEST)

    def told(self, at: int) -> dict[str, Any]:
        """Returns what a learner may know beside: equity in currency, its order's code, whether it was liquidated."""
        return {"equity": self.equity[at], "code": self.codes[at].name, "liquidated": self.out(at)}

    def out(self, at: int) -> bool:
        """Tells whether a learner is out for good."""
        return self.desks[at].account in self.liquidated


class MarketEnv(gymnasium.Env[Floats, Floats]):
    """A market as an environment of Gymnasium: one learner among the traders of a world.

    Observation, six numbers. First: exposure (position at mark over equity, signed), and equity over what it began with. Then
    three in percent: the mark's last move, by how much the best ask is below the mark, and the best bid above it. A side
    without orders counts as at the mark. Last: the part of the path that is over.

    Action, one number from -1 to 1: what to buy (or sell, below 0), as a share of `leverage` times equity; 0 does nothing. No
    order brings a position beyond that exposure. It is immediate or cancelled: within 0.4 % of the mark, or at market where it
    only reduces. Then the traders act, and the mark moves.

    Reward: the change of the logarithm of equity, which counts as a hundredth of the first one at least. terminated: the
    learner lacked margin, and is out for good. truncated: the path is over. info: equity in currency, the code of its last
    order, and whether it was liquidated.
    `reset(seed=)` makes the world of that seed, in which the traders go ten steps alone. wallet: equity at first, in currency.

    >>> from dataclasses import replace
    >>> from solvent.lab import Process, find
    >>> from solvent.lab.worlds.rl import MarketEnv
    >>> env = MarketEnv(replace(find("quiet"), process=Process(minutes=30), traders=10))
    >>> seen, told = env.reset(seed=3)
    >>> told
    {'equity': 1000.0, 'code': 'OK', 'liquidated': False}
    >>> seen, reward, terminated, truncated, told = env.step([0.5])
    >>> bool(seen[0] > 4), terminated, truncated
    (True, False, False)
    """

    metadata = {"render_modes": []}

    def __init__(self, scenario: Scenario, leverage: int = 10, wallet: str = "1000"):
        self._table = _Table(scenario, ["learner"], leverage, wallet)
        self.observation_space, self.action_space = _spaces()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Floats, dict[str, Any]]:
        """Begins the world of a seed; None draws one."""
        super().reset(seed=seed)
        self._table.begin(int(self.np_random.integers(2**31)) if seed is None else seed)
        return self._table.seen(0), self._table.told(0)

    def step(self, action: Any) -> tuple[Floats, float, bool, bool, dict[str, Any]]:
        """Goes one step. Raises InputError for an action that is none, and behind the end."""
        table = self._table
        if table.over or table.out(0):
            raise InputError("this world is over for the learner: call reset")
        paid = table.go({0: action})[0]
        return table.seen(0), paid, table.out(0), table.over and not table.out(0), table.told(0)


class MarketParallelEnv(pettingzoo.ParallelEnv):  # type: ignore[misc, unused-ignore]
    """A market as a parallel environment of PettingZoo: several learners in one world.

    Observations, actions, rewards and infos are those of MarketEnv, by name of the learner. One that lacks margin is
    terminated, leaves `agents` in the same step, and never comes back in that world. Learners act in the order of
    `possible_agents`.

    >>> from dataclasses import replace
    >>> from solvent.lab import Process, find
    >>> from solvent.lab.worlds.rl import MarketParallelEnv
    >>> env = MarketParallelEnv(replace(find("quiet"), process=Process(minutes=30), traders=10), learners=2)
    >>> seen, told = env.reset(seed=3)
    >>> seen, rewards, terminated, truncated, told = env.step({"learner-0": [0.5], "learner-1": [0]})
    >>> rewards["learner-1"], env.agents
    (0.0, ['learner-0', 'learner-1'])
    """

    metadata = {"render_modes": [], "name": "solvent_market_v0"}

    def __init__(self, scenario: Scenario, learners: int = 2, leverage: int = 10, wallet: str = "1000"):
        if type(learners) is not int or not 1 <= learners <= 1_000:
            raise InputError(f"learners are from 1 to 1,000, not {shown(learners)}")
        self.possible_agents = [f"learner-{each}" for each in range(learners)]
        self.agents: list[str] = []
        self._table, self._seed = _Table(scenario, self.possible_agents, leverage, wallet), 0

    @cache  # noqa: B019
    def observation_space(self, agent: str) -> Any:
        """Returns the space of what a learner sees."""
        return _spaces()[0]

    @cache  # noqa: B019
    def action_space(self, agent: str) -> Any:
        """Returns the space of what a learner asks for."""
        return _spaces()[1]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begins the world of a seed; None is the one after the last."""
        self._seed = self._seed + 1 if seed is None else seed
        self._table.begin(self._seed)
        self.agents = list(self.possible_agents)
        return self._of(self._table.seen), self._of(self._table.told)

    def _of(self, what: Any) -> dict[str, Any]:
        """Returns an answer for each learner that is left."""
        return {name: what(self.possible_agents.index(name)) for name in self.agents}

    def step(
        self, actions: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, float], dict[str, bool], dict[str, bool], dict[str, Any]]:
        """Goes one step. Raises InputError unless there is an action for each learner that is left, and for no other."""
        if set(actions) != set(self.agents):
            raise InputError(f"actions are for {', '.join(self.agents) or 'nobody: call reset'}, not for {', '.join(actions)}")
        if not self.agents:
            return {}, {}, {}, {}, {}
        table = self._table
        paid = table.go({at: actions[name] for at, name in enumerate(self.possible_agents) if name in actions})
        seen, told, out = self._of(table.seen), self._of(table.told), self._of(table.out)
        rewards = cast(dict[str, float], self._of(paid.get))
        over = {name: table.over and not out[name] for name in self.agents}
        self.agents = [name for name in self.agents if not out[name] and not over[name]]
        return seen, rewards, out, over, told


def _spaces() -> tuple[Any, Any]:
    """Returns the spaces of observation and action."""
    return gymnasium.spaces.Box(LOWEST, HIGHEST), gymnasium.spaces.Box(-1, 1, (1,), dtype=np.float32)
