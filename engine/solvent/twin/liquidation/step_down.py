"""Partial liquidation (semantics §3): the candidate is reduced with an order in its owner's name.

Owns size and limit of that order: the lots beyond a tier, those that cure the domain, or a part of the position. Never sells
beyond the bankruptcy price or the limit of the rule set.
"""

from solvent.schema.limits import RATE
from solvent.schema.states import MATCHES
from solvent.schema.words import Ending, Flag, Mode, Partial, Posting, Side, Tif, Verdict
from solvent.twin.account import margin
from solvent.twin.account.ledger import Position
from solvent.twin.base.integers import ceil_div, trunc_div
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


def _cures(state: State, p: Position, lots: int) -> bool:
    """True if closing these lots at mark, with its fee, leaves the domain at R_own and the buffer of the rule set."""
    contract, size, cost = state.contracts[p.instrument], p.size, p.cost
    domain = p.account, contract.currency, p if p.mode == Mode.ISOLATED else None
    fee = valuation.fee_units(valuation.value_of(contract, lots, contract.mark), p.liquidation_fee_ppb)
    left = state.admission.requirement(*domain).equity - fee
    p.size, p.cost = size - (lots if size > 0 else -lots), cost - trunc_div(cost * lots, abs(size))
    asked = state.admission.requirement(*domain).own
    p.size, p.cost = size, cost
    return left >= ceil_div(asked * (RATE + state.rules.cure_buffer_ppb), RATE)


def _curing_lots(state: State, p: Position) -> int:
    """Returns the fewest lots that cure the domain, all where none do: more lots cure no less."""
    low, high = 0, abs(p.size)
    if not _cures(state, p, high):
        return high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _cures(state, p, middle) else (middle, high)
    return high


def _fraction_lots(state: State, p: Position) -> int:
    """Returns a part of the position, which begins the cooldown of its account; all of it in a cooldown, or if it is small."""
    rules, now, cooling = state.rules, state.trading.fees.clock_ns, state.ledger.cooling
    value = valuation.value_at_mark(state.contracts[p.instrument], p)
    if value <= rules.partial_above_units or now < cooling.get(p.account, 0):
        return abs(p.size)
    cooling[p.account] = now + rules.partial_cooldown_ns
    return ceil_div(abs(p.size) * rules.partial_share_ppb, RATE)


def _lots(state: State, p: Position) -> tuple[int, int]:
    """Returns how many lots are offered, and the tier in which what is left shall be; -1 where no tier is aimed at."""
    contract, rules = state.contracts[p.instrument], state.rules
    if rules.partial == Partial.BY_TIERS:
        target = valuation.tier_of(contract, p) - rules.step_tiers
        lots = abs(p.size) - valuation.lots_within(contract, p, target)
    else:
        target, lots = -1, _curing_lots(state, p) if rules.partial == Partial.BY_CURE else _fraction_lots(state, p)
    left = valuation.value_of(contract, abs(p.size) - lots, contract.mark)
    if contract.limits and left < contract.limits.terms.least_notional_units:
        return abs(p.size), -1  # what would be left is less than anybody may order
    return lots, target


def _sell(state: State, p: Position) -> bool:
    """Offers lots of a position. Returns True if the domain is judged again: if any lot filled, or after a part or all."""
    contract = state.contracts[p.instrument]
    if contract.listing not in MATCHES:
        p.stuck = True
        return False
    side, tier = Side.SELL if p.size > 0 else Side.BUY, valuation.tier_of(contract, p) + 1
    limit, (lots, target) = _limit(state, p, side), _lots(state, p)
    t = Ticket(
        p.account, p.instrument, p, side, limit, lots, Tif.IOC, Flag.REDUCE_ONLY,
        fee_reason=Posting.LIQUIDATION_FEE, ending=Ending.UNFILLED, limit=limit, remaining=lots,
    )  # fmt: skip
    state.log.emit_step_down(
        side=side, account=p.account, instrument=p.instrument, leg=p.leg, tier=tier, size_lots=lots, limit_ticks=limit,
        target_tier=target + 1, mark_ticks=contract.mark,
    )  # fmt: skip
    state.trading.accept(t)
    state.trading.execute(t)
    state.trading.rest_or_end(t)
    if state.rules.partial == Partial.BY_FRACTION:
        p.stuck = p.size != 0  # one order at a mark
        return True
    p.stuck = t.remaining == lots
    return not p.stuck


def step_down(state: State, case: Case) -> Outcome:
    """Steps the candidate down. It is stuck until its instrument's next mark without a fill, or once a part was offered."""
    if case.verdict != Verdict.PARTIAL or case.candidate is None:
        return Outcome.GO_ON
    return Outcome.AGAIN if _sell(state, case.candidate) else Outcome.OVER
