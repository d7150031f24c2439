"""Worlds that use an exchange: a simulated market, recorded order flow, and sweeps over many of either."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solvent.lab.market.agents import Agent, AgentFailed, Desk, Swarm, SwarmDesk
    from solvent.lab.market.paths import find
    from solvent.lab.market.runner import run
    from solvent.lab.market.scenario_file import load
    from solvent.lab.market.scenarios import MarketFault, Process, Scenario
    from solvent.lab.sweeps.pools import RayExecutor
    from solvent.lab.sweeps.runs import Failure, Results, RunFailed, grid, sweep
    from solvent.lab.worlds.many import Worlds

__all__ = [
    "Agent", "AgentFailed", "Desk", "Failure", "MarketFault", "Process", "RayExecutor", "Results", "RunFailed", "Scenario",
    "Swarm", "SwarmDesk", "Worlds", "find", "grid", "load", "run", "sweep",
]  # fmt: skip

_PLACES = {  # of each name, so that who replays a capture imports no market
    "market.agents": ("Agent", "AgentFailed", "Desk", "Swarm", "SwarmDesk"), "market.paths": ("find",),
    "market.runner": ("run",), "market.scenario_file": ("load",), "market.scenarios": ("MarketFault", "Process", "Scenario"),
    "sweeps.pools": ("RayExecutor",), "sweeps.runs": ("Failure", "Results", "RunFailed", "grid", "sweep"),
    "worlds.many": ("Worlds",),
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Imports a name's file when it is asked for."""
    for place, names in _PLACES.items():
        if name in names:
            return getattr(import_module(f"solvent.lab.{place}"), name)
    raise AttributeError(f"module 'solvent.lab' has no attribute {name!r}")
