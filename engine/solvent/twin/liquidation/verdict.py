"""The ratio test of one margin domain (semantics §2): safe, to step down, or to take over.

Owns the choice of the position to step down. Never changes an account.
"""

from solvent.schema.words import Verdict
from solvent.twin.account import margin
from solvent.twin.account.ledger import Position
from solvent.twin.account.margin import Requirement
from solvent.twin.contract import valuation
from solvent.twin.liquidation.case import Case, Outcome, State


def _candidate(state: State, account: int, currency: int, equity: int) -> Position | None:
    """Returns the cross position to step down: tier >= 3 and the largest own - full, or the largest own where no tier counts;
    ties by instrument and leg."""
    best, heaviest = None, -1
    for p in state.ledger.cross_of(account, currency):
        contract = state.contracts[p.instrument]
        full, own = margin.thresholds(state.rules, contract, p, equity)
        weight = own if state.rules.takeover_parts else own - full
        if valuation.tier_of(contract, p) >= state.rules.step_tiers and weight > heaviest:
            best, heaviest = p, weight
    assert best is None or isinstance(best, Position)
    return best


def is_deferred(state: State, account: int, currency: int, p: Position | None) -> bool:
    """True if a position of a domain is in a market where liquidation waits: so does the whole domain."""
    held = [p] if p else state.ledger.cross_of(account, currency)
    return any(state.contracts[each.instrument].waits for each in held)


def judge(
    state: State, account: int, currency: int, p: Position | None
) -> tuple[Verdict, Requirement, Position | None]:  # fmt: skip
    """Judges one isolated position, or a cross domain if `p` is None. Returns the verdict, its requirement and the
    candidate."""
    r = state.admission.requirement(account, currency, p)
    if r.equity >= r.own or not (r.positions or r.orders) or is_deferred(state, account, currency, p):
        return Verdict.SAFE, r, None
    if r.equity < r.full:
        return Verdict.FULL, r, None
    candidate = p or _candidate(state, account, currency, r.equity)
    if candidate and candidate.stuck:
        return Verdict.SAFE, r, None
    return Verdict.PARTIAL, r, candidate  # without a candidate only orders require more, and they are cancelled


def verdict(state: State, case: Case) -> Outcome:
    """Judges a domain and emits LIQUIDATION, unless it is safe."""
    p = case.position
    case.verdict, r, case.candidate = judge(state, case.account, case.currency, p)
    case.requirement = r
    if case.verdict == Verdict.SAFE:
        return Outcome.OVER
    state.log.emit_liquidation(
        account=case.account, instrument=case.instrument, leg=p.leg if p else 0, verdict=case.verdict,
        currency=case.currency, equity_units=margin.saturate(r.equity), full_units=margin.saturate(r.full),
        own_units=margin.saturate(r.own), value_units=margin.saturate(r.value),
        mark_ticks=state.contracts[p.instrument].mark if p else 0,
    )  # fmt: skip
    return Outcome.GO_ON
