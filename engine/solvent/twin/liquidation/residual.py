"""What nobody's position stands for (semantics §6): a wallet below zero is covered.

Owns the order in which it is covered: collateral, what orders hold of it, the fund, the deficit.
"""

from solvent.schema.words import Ending, Posting
from solvent.twin.liquidation.case import Case, Outcome, State
from solvent.twin.liquidation.collateral import convert


def residual(state: State, case: Case) -> Outcome:
    """Covers a wallet below zero; the account is looked at again where collateral was converted."""
    ledger, account, currency = state.ledger, case.account, case.currency
    wallets = ledger.wallets[account]
    for each in ledger.collateral:
        if each.of == currency and wallets[currency] < 0:
            convert(state, account, each)
    for each in ledger.collateral:  # what orders hold is there too, before anybody else pays
        if each.of == currency and wallets[currency] < 0:
            for p in ledger.positions_of(account):
                if state.contracts[p.instrument].currency == each.currency:
                    state.trading.cancel_all(p, Ending.LIQUIDATED)
            convert(state, account, each)
    ledger.fund_pays(Posting.SHORTFALL, (account, currency), currency, max(0, -wallets[currency]))
    return Outcome.OVER
