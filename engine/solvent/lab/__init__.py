"""Worlds that use an exchange: a simulated market, recorded order flow, and sweeps over many of either."""

from solvent.lab.market.agents import Agent, AgentFailed, Desk, Swarm, SwarmDesk
from solvent.lab.market.paths import find
from solvent.lab.market.runner import run
from solvent.lab.market.scenario_file import load
from solvent.lab.market.scenarios import MarketFault, Process, Scenario
from solvent.lab.sweeps.pools import RayExecutor
from solvent.lab.sweeps.runs import Failure, Results, RunFailed, grid, sweep

__all__ = [
    "Agent", "AgentFailed", "Desk", "Failure", "MarketFault", "Process", "RayExecutor", "Results", "RunFailed", "Scenario",
    "Swarm", "SwarmDesk", "find", "grid", "load", "run", "sweep",
]  # fmt: skip
