"""The ranks of deleveraging (semantics §5): who loses his position first when a parcel has to close against the other side.

Owns the formulas, in whole numbers; higher ranks come first. Never decides how many lots anybody loses. Equity that is gone
ranks first. An open position has a cost and a value: each lot does, at every price. Cost: O(positions of the account), for
those that ask for a share of equity.
"""

from solvent.schema.terms import RuleTerms
from solvent.schema.words import AdlRank, Kind
from solvent.twin.account.ledger import Ledger, Position
from solvent.twin.account.margin import INT64_MAX, Requirement, saturate
from solvent.twin.contract import valuation
from solvent.twin.contract.valuation import Contract

MILLION = 10**6


def _scaled(rate: int, times: int, by: int) -> int:
    """Returns floor(rate * times / by), saturated; the top where `by` is gone."""
    return INT64_MAX if by <= 0 else saturate(rate * saturate(times) // by)


def _levered(rate: int, value: int, equity: int) -> int:
    """Returns a profit rate times effective leverage, or divided by it for one who has no profit."""
    return _scaled(rate, value, equity) if rate > 0 else _scaled(rate, equity, value)


def _return(contract: Contract, p: Position, by_side: bool) -> int:
    """Returns mark over entry in millionths; entry over mark for a short if `by_side`. An inverse contract is worth less the
    higher its price is."""
    mark, entry = valuation.value_of(contract, abs(p.size), contract.mark), abs(p.cost)
    if contract.kind == Kind.INVERSE:
        mark, entry = entry, mark
    if by_side and p.size < 0:
        mark, entry = entry, mark
    return saturate(mark * MILLION // entry)


def _entry(contract: Contract, p: Position) -> int:
    """Returns the cost of a lot in millionths of a unit: more for a worse entry, so below zero for a long."""
    rate = saturate(abs(p.cost) * MILLION // abs(p.size))
    return rate if (p.size < 0) != (contract.kind == Kind.INVERSE) else -rate


def _binance(ledger: Ledger, contract: Contract, p: Position, r: Requirement, base: int) -> int:
    """Returns profit over the domain's wallet in millionths, times R_own over equity; 0 for a loss."""
    rate = saturate(max(0, valuation.upl(contract, p)) * MILLION // max(1, base))
    return _scaled(rate, r.own, r.equity)


def adl_rank(rules: RuleTerms, ledger: Ledger, p: Position, r: Requirement, base: int, share: int) -> int:
    """Returns the rank of a position whose domain has the requirement `r`. base: the domain's money without profits; share:
    the position's own part of the domain's equity."""
    contract, rank = ledger.contracts[p.instrument], rules.adl_rank
    if rank == AdlRank.BY_ACCOUNT:
        return 0
    if rank == AdlRank.BY_BINANCE:
        return _binance(ledger, contract, p, r, base)
    if rank in (AdlRank.BY_RETURN, AdlRank.BY_SIDED_RETURN):
        rate = _return(contract, p, rank == AdlRank.BY_SIDED_RETURN)
        return _scaled(rate, r.value, r.equity)
    if rank == AdlRank.BY_ENTRY:
        return _entry(contract, p)
    rate = saturate(valuation.upl(contract, p) * MILLION // abs(p.cost))
    if rank == AdlRank.BY_PNL_LEVERAGE:
        return saturate(rate * p.leverage.numerator // p.leverage.denominator)
    if rank == AdlRank.BY_PNL_EFFLEV:
        return _levered(rate, valuation.value_at_mark(contract, p), share)
    return _levered(rate, r.value, r.equity)
