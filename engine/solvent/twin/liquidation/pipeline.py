"""The liquidation pipeline (semantics §2-§5): runs the steps that the rule set names, in its order, on every case.

Owns the order of cases: parcels first, then accounts, worst first. Never decides and never moves money: the steps do. Bounds
the work per command. Only a price, funding, a settlement or the clock starts ADL, or sells a worthless parcel at the fund's
expense (SAFE-1). After any other command such a parcel waits for its instrument's next mark.
"""

from collections.abc import Callable

from solvent.schema.words import Mode, Step, Verdict
from solvent.twin.account.ledger import Due
from solvent.twin.liquidation.case import Case, Concern, Outcome, State
from solvent.twin.liquidation.clear import clear
from solvent.twin.liquidation.deleverage import deleverage
from solvent.twin.liquidation.net import net
from solvent.twin.liquidation.residual import residual
from solvent.twin.liquidation.step_down import step_down
from solvent.twin.liquidation.take_over import take_over
from solvent.twin.liquidation.unwind import unwind
from solvent.twin.liquidation.verdict import judge, verdict

STEPS: dict[int, tuple[Concern, Callable[[State, Case], Outcome]]] = {  # step -> its concern and its function
    Step.VERDICT: (Concern.DOMAIN, verdict),
    Step.CLEAR: (Concern.DOMAIN, clear),
    Step.NET: (Concern.DOMAIN, net),
    Step.STEP_DOWN: (Concern.DOMAIN, step_down),
    Step.TAKE_OVER: (Concern.DOMAIN, take_over),
    Step.UNWIND: (Concern.PARCEL, unwind),
    Step.DELEVERAGE: (Concern.PARCEL, deleverage),
    Step.RESIDUAL: (Concern.WALLET, residual),
}


def run(state: State, case: Case) -> None:
    """Runs the steps of a case's concern in the order of the table. A step may start the table again."""
    steps = [step for concern, step in map(STEPS.__getitem__, state.rules.steps) if concern == case.concern]
    outcome = Outcome.AGAIN
    while outcome == Outcome.AGAIN:
        outcome = next(said for said in (step(state, case) for step in steps) if said != Outcome.GO_ON)  # the last one ends


def _collect(state: State) -> list[Case]:
    """Returns all domains of the touched accounts that need action, worst first. Covers negative wallets without a
    position."""
    cases, ledger = [], state.ledger
    touched, ledger.touched = ledger.touched, {}
    for account in sorted(touched):
        for p in ledger.positions_of(account):
            if p.mode == Mode.ISOLATED and p.size:
                found, r, _ = judge(state, account, 0, p)
                if found != Verdict.SAFE:
                    cases.append(Case(Concern.DOMAIN, account, state.contracts[p.instrument].currency, p, requirement=r))
        for currency in range(ledger.currencies):
            found, r, _ = judge(state, account, currency, None)
            if found != Verdict.SAFE:
                cases.append(Case(Concern.DOMAIN, account, currency, requirement=r))
            elif not r.positions and ledger.wallets[account][currency] < 0:
                run(state, Case(Concern.WALLET, account, currency))
    return sorted(cases, key=lambda case: case.order)


def resolve(state: State) -> None:
    """Works off parcels first, then the touched accounts worst first, round after round until none is left."""
    ledger = state.ledger
    while True:
        while any(parcel.due and parcel.size for parcel in ledger.parcels):
            for parcel in ledger.parcels:
                if parcel.due and parcel.size:
                    run(state, Case(Concern.PARCEL, parcel=parcel, fresh=parcel.due == Due.OFFER))
        if not ledger.touched:
            break
        for case in _collect(state):
            first = len(ledger.parcels)
            run(state, case)
            for parcel in ledger.parcels[first:]:
                run(state, Case(Concern.PARCEL, parcel=parcel, fresh=True))
    ledger.parcels = [parcel for parcel in ledger.parcels if parcel.size]
