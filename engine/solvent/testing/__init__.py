"""For tests of what trades on solvent: audited exchanges, assertions, markets along a scenario, draws for hypothesis."""

from solvent.lab.market.driver import Driver, contract
from solvent.lab.market.paths import find as scenario
from solvent.lab.market.scenarios import Scenario
from solvent.testing.asserts import assert_conserved, assert_liquidated, assert_no_duplicate_orders, meant
from solvent.testing.audited import AuditedKernel, audited

__all__ = [
    "AuditedKernel", "Driver", "Scenario", "assert_conserved", "assert_liquidated", "assert_no_duplicate_orders", "audited",
    "contract", "meant", "scenario",
]  # fmt: skip
