"""The residual step (semantics §6): covers a wallet below zero that no position can cover.

Owns the order of payers: collateral, collateral held by orders, the fund, the deficit.
"""

from solvent.schema.words import Ending, Posting
from solvent.twin.liquidation.case import Case, Outcome, State
from solvent.twin.liquidation.collateral import convert


def residual(state: State, case: Case) -> Outcome:
    """Covers a wallet below zero. The account is tested again where collateral was converted."""
    ledger, account, currency = state.ledger, case.account, case.currency
    wallets = ledger.wallets[account]
    for each in ledger.collateral:
        if each.of == currency and wallets[currency] < 0:
            convert(state, account, each)
    for each in ledger.collateral:  # the balance that orders hold is used too, before anybody else pays
        if each.of == currency and wallets[currency] < 0:
            for p in ledger.positions_of(account):
                if state.contracts[p.instrument].currency == each.currency:
                    state.trading.cancel_all(p, Ending.LIQUIDATED)
            convert(state, account, each)
    ledger.fund_pays(Posting.SHORTFALL, (account, currency), currency, max(0, -wallets[currency]))
    return Outcome.OVER
