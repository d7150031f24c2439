"""Which accounts a new price can endanger.

Owns nothing; looks at every position of the instrument, and at every account that its price backs. Never misses one.
"""

from solvent.schema.limits import FIRST_USER
from solvent.schema.words import Mode
from solvent.twin.liquidation.case import State


def watch_mark(state: State, instrument: int) -> None:
    """Touches whose position here, cross domain, or domain that it backs is below its threshold now."""
    currency = state.contracts[instrument].currency
    for p in state.ledger.members[instrument]:
        if p.size and state.admission.endangered(p.account, currency, p if p.mode == Mode.ISOLATED else None):
            state.ledger.touch(p.account)


def watch_collateral(state: State, instrument: int) -> None:
    """Touches whose margin is worth too little now, because this instrument prices what backs it."""
    ledger = state.ledger
    for each in ledger.collateral:
        if each.instrument == instrument:
            for account in range(FIRST_USER, len(ledger.wallets)):
                if ledger.wallets[account][each.currency] > 0 and state.admission.endangered(account, each.of):
                    ledger.touch(account)
