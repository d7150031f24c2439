"""Worlds that use an exchange: a simulated market, recorded order flow, and sweeps over many of either."""

from solvent.lab.sweeps.pools import RayExecutor
from solvent.lab.sweeps.runs import Failure, Results, RunFailed, grid, sweep

__all__ = ["Failure", "RayExecutor", "Results", "RunFailed", "grid", "sweep"]
