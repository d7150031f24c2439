"""Conversion: what backs a currency becomes that currency.

Owns what the house takes and gives for it. Never leaves an account with another equity than before.
"""

from solvent.schema.words import Posting, Purse
from solvent.twin.account.ledger import Collateral
from solvent.twin.liquidation.case import State


def convert(state: State, account: int, each: Collateral) -> None:
    """The house takes all that is spare of a balance for what it counts, and the account's own domain in it is looked at
    again."""
    ledger = state.ledger
    value, units = ledger.collateral_value(account, each), ledger.spare_units(account, each.currency)
    if value:
        ledger.touch(account)
        ledger.pay(Posting.CONVERTED, (account, each.currency), (Purse.CONVERTER, each.currency), units)
        ledger.pay(Posting.CONVERTED, (Purse.CONVERTER, each.of), (account, each.of), value)
