"""Conversion: collateral becomes the currency that it backs.

Owns the amounts that the house takes and gives. Never changes an account's equity.
"""

from solvent.schema.words import Posting, Purse
from solvent.twin.account import domain
from solvent.twin.account.ledger import Collateral
from solvent.twin.liquidation.case import State


def convert(state: State, account: int, each: Collateral) -> None:
    """Exchanges the spare part of a balance for its collateral value. The account's own domain in that currency is tested
    again."""
    ledger = state.ledger
    value, units = domain.collateral_value(ledger, account, each), domain.spare_units(ledger, account, each.currency)
    if value:
        ledger.touch(account)
        ledger.pay(Posting.CONVERTED, (account, each.currency), (Purse.CONVERTER, each.currency), units)
        ledger.pay(Posting.CONVERTED, (Purse.CONVERTER, each.of), (account, each.of), value)
