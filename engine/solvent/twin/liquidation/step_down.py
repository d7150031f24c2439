"""Partial liquidation (semantics §3): the candidate is reduced by tiers with an order in its owner's name.

Owns size and limit of that order. Never sells beyond the bankruptcy price or the limit of the rule set.
"""

from solvent.schema.states import MATCHES
from solvent.schema.words import Ending, Flag, Posting, Side, Tif, Verdict
from solvent.twin.account import margin
from solvent.twin.account.ledger import Position
from solvent.twin.contract import valuation
from solvent.twin.liquidation.case import Case, Outcome, State
from solvent.twin.trade.state import Ticket


def _limit(state: State, p: Position, side: Side) -> int:
    """Returns the bankruptcy price that pays the fee, no further from mark than the rule set allows, as a legal price."""
    contract = state.contracts[p.instrument]
    cost = margin.bankruptcy_cost(contract, p, state.admission.share_of_equity(p))
    paying = valuation.price_paying(contract, p.size, cost, p.liquidation_fee_ppb)
    edge = valuation.band_price(contract, side, state.rules.step_limit_ppb)
    return valuation.legal(contract, max(paying, edge) if side == Side.SELL else min(paying, edge))


def _sell(state: State, p: Position) -> bool:
    """Offers the lots beyond the target tier. Returns True if any lot filled."""
    contract = state.contracts[p.instrument]
    if contract.listing not in MATCHES:
        p.stuck = True
        return False
    k = valuation.tier_of(contract, p)
    target = k - state.rules.step_tiers
    side = Side.SELL if p.size > 0 else Side.BUY
    limit, lots = _limit(state, p, side), abs(p.size) - valuation.lots_within(contract, p, target)
    if (
        contract.limits
        and valuation.value_of(contract, abs(p.size) - lots, contract.mark) < contract.limits.terms.least_notional_units
    ):
        lots, target = abs(p.size), -1  # what would be left is less than anybody may order
    t = Ticket(
        p.account, p.instrument, p, side, limit, lots, Tif.IOC, Flag.REDUCE_ONLY,
        fee_reason=Posting.LIQUIDATION_FEE, ending=Ending.UNFILLED, limit=limit, remaining=lots,
    )  # fmt: skip
    state.log.emit_step_down(
        side=side, account=p.account, instrument=p.instrument, leg=p.leg, tier=k + 1, size_lots=lots, limit_ticks=limit,
        target_tier=target + 1, mark_ticks=contract.mark,
    )  # fmt: skip
    state.trading.accept(t)
    state.trading.execute(t)
    state.trading.rest_or_end(t)
    p.stuck = t.remaining == lots
    return not p.stuck


def step_down(state: State, case: Case) -> Outcome:
    """Steps the candidate down. A candidate without a fill is stuck until its instrument's next mark."""
    if case.verdict != Verdict.PARTIAL or case.candidate is None:
        return Outcome.GO_ON
    return Outcome.AGAIN if _sell(state, case.candidate) else Outcome.OVER
