"""For tests of what trades on solvent: audited exchanges, assertions, markets along a scenario, draws for hypothesis."""

from solvent.lab.market.driver import Driver, contract
from solvent.lab.market.paths import find as scenario
from solvent.lab.market.scenarios import Scenario
from solvent.testing.asserts import assert_conserved, assert_liquidated, assert_no_duplicate_orders, meant
from solvent.testing.audited import AuditedKernel, audited
from solvent.testing.fault_table import Fault
from solvent.testing.faults import Faults, Struck
from solvent.testing.strikes import strike
from solvent.testing.sweep import Outcome, sweep, trial

__all__ = [
    "AuditedKernel", "Driver", "Fault", "Faults", "Outcome", "Scenario", "Struck", "assert_conserved", "assert_liquidated",
    "assert_no_duplicate_orders", "audited", "contract", "meant", "scenario", "strike", "sweep", "trial",
]  # fmt: skip
