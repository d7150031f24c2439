"""Before a position is touched (semantics §2): orders go, and tiers that were chosen.

Owns which orders of an account stand in a domain's way. Never trades.
"""

from solvent.schema.words import Ending, Mode, OrderRule
from solvent.twin.liquidation.case import Case, Outcome, State


def _cancel_orders(state: State, case: Case) -> bool:
    """Isolated: that position's orders; cross: all of the account's in that currency and in those that back it. True if what
    they held or asked for counted in the test."""
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
    """Gives up the domain's chosen tiers; True if there was one."""
    p, changed = case.position, False
    for each in [p] if p else state.ledger.positions_of(case.account):
        cross = each.mode == Mode.CROSS and state.contracts[each.instrument].currency == case.currency
        if each.chosen_tier and (p or cross):
            each.chosen_tier, changed = 0, True
            state.ledger.position_event(each)
    return changed


def clear(state: State, case: Case) -> Outcome:
    """Cancels orders and gives up chosen tiers. Where that may have changed the verdict, the domain is judged again."""
    changed = _cancel_orders(state, case)
    changed |= _give_up_tiers(state, case)
    if not changed:
        return Outcome.GO_ON
    assert case.requirement
    if not case.requirement.positions:
        state.ledger.touch(case.account)  # only orders asked for more; the bare wallet may be below zero
    return Outcome.AGAIN
