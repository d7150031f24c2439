"""The clearing step (semantics §2): cancels orders and clears chosen tiers before a position is reduced.

Owns the choice of orders that a domain loses. Never trades.
"""

from solvent.schema.words import Ending, Mode, OrderRule
from solvent.twin.liquidation.case import Case, Outcome, State


def _cancel_orders(state: State, case: Case) -> bool:
    """Cancels the orders of a domain. Isolated: that position's orders; cross: the account's orders in the domain's currency
    and in the currencies that back it. Returns True if their holds or their margin counted in the ratio test."""
    p, counted = case.position, False
    for each in [p] if p else state.ledger.positions_of(case.account):
        currency = state.contracts[each.instrument].currency
        backed = None if p else state.ledger.backs.get(currency)
        if currency == case.currency or (backed and backed.of == case.currency):
            ignored = currency == case.currency and state.rules.orders == OrderRule.IGNORED
            counted |= bool(each.orders) and p is None and not ignored
            state.trading.cancel_all(each, Ending.LIQUIDATED)
    return counted


def _give_up_tiers(state: State, case: Case) -> bool:
    """Clears the domain's chosen tiers. Returns True if there was one."""
    p, changed = case.position, False
    for each in [p] if p else state.ledger.positions_of(case.account):
        cross = each.mode == Mode.CROSS and state.contracts[each.instrument].currency == case.currency
        if each.chosen_tier and (p or cross):
            each.chosen_tier, changed = 0, True
            state.ledger.position_event(each)
    return changed


def clear(state: State, case: Case) -> Outcome:
    """Cancels orders and clears chosen tiers. The domain is judged again where that may have changed the verdict."""
    changed = _cancel_orders(state, case)
    changed |= _give_up_tiers(state, case)
    if not changed:
        return Outcome.GO_ON
    assert case.requirement
    if not case.requirement.positions:
        state.ledger.touch(case.account)  # only orders required margin; the wallet itself may be below zero
    return Outcome.AGAIN
