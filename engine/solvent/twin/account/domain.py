"""Reads a margin domain's money: cash, and the collateral value of other currencies.

Owns nothing; pure functions over the ledger. Never writes. Cost: O(cross positions of the account). The compiled core keeps
the sum of a domain's slack between commands; the twin reads its rows each time.
"""

from solvent.twin.account import margin
from solvent.twin.account.ledger import Collateral, Ledger


def spare_units(ledger: Ledger, account: int, currency: int) -> int:
    """Returns the balance that the contracts of its currency leave free; below zero where they need more."""
    cash, holds = ledger.wallets[account][currency], ledger.holds[account][currency]
    return margin.spare_units(ledger.contracts, cash, holds, ledger.cross_of(account, currency))


def collateral_value(ledger: Ledger, account: int, each: Collateral, less: int = 0) -> int:
    """Returns the value of the spare balance, less `less`, in the other currency; 0 without a price."""
    contract = ledger.contracts[each.instrument]
    return each.counts(spare_units(ledger, account, each.currency) - less, contract.index or contract.mark)


def backing(ledger: Ledger, account: int, currency: int) -> int:
    """Returns the cash of a margin domain plus the collateral value of other currencies."""
    cash = ledger.wallets[account][currency]
    return cash + sum(collateral_value(ledger, account, each) for each in ledger.collateral if each.of == currency)


def free_units(ledger: Ledger, account: int, currency: int, spendable: bool = False) -> int:
    """Returns the money that no position and no order needs. spendable: the part that may leave the wallet."""
    cash, holds = ledger.wallets[account][currency], ledger.holds[account][currency]
    cash = cash if spendable else backing(ledger, account, currency)
    return margin.free_units(ledger.contracts, cash, holds, ledger.cross_of(account, currency), spendable)
