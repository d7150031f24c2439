"""Finds the accounts that a new price endangers.

Owns nothing. Reads every position of the instrument, and every account that its price backs. Never misses an endangered
account.
"""

from solvent.schema.limits import FIRST_USER
from solvent.schema.words import Mode
from solvent.twin.liquidation.case import State


def watch_mark(state: State, instrument: int) -> None:
    """Touches each account whose position here, cross domain, or backed domain is below its threshold."""
    currency = state.contracts[instrument].currency
    for p in state.ledger.members[instrument]:
        if p.size and state.admission.endangered(p.account, currency, p if p.mode == Mode.ISOLATED else None):
            state.ledger.touch(p.account)


def watch_collateral(state: State, instrument: int) -> None:
    """Touches each account whose collateral is priced by this instrument and now leaves its domain below its threshold."""
    ledger = state.ledger
    for each in ledger.collateral:
        if each.instrument == instrument:
            for account in range(FIRST_USER, len(ledger.wallets)):
                if ledger.wallets[account][each.currency] > 0 and state.admission.endangered(account, each.of):
                    ledger.touch(account)
