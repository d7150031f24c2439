"""Rows of one account (solvent.schema.rows) and of all accounts (schema.columns), from the readable kernel's own state.

Owns nothing. Never writes: a trial on a wallet is undone. Cost: an open position costs a few requirements of its domain, and
the search for its liquidation prices.
"""

from solvent.schema.layouts import NO_INSTRUMENT
from solvent.schema.rows import DomainRow, PositionRow, WalletRow
from solvent.schema.words import Leg, Mode, Verdict
from solvent.twin.account import domain, liquidation_price, margin
from solvent.twin.account.ledger import Position
from solvent.twin.account.margin import Requirement
from solvent.twin.contract import valuation
from solvent.twin.trade.order_margin import OrderMargin

# --- Positions


def position_row(order_margin: OrderMargin, p: Position) -> PositionRow:
    """Returns a position as it is, open or flat."""
    contract = order_margin.contracts[p.instrument]
    row = PositionRow(
        instrument=p.instrument, leg=p.leg, mode=p.mode, leverage=p.leverage.numerator,
        leverage_parts=p.leverage.denominator, chosen_tier=p.chosen_tier, hedged=int(p.hedged), size_lots=p.size,
        cost_units=p.cost, margin_units=p.margin, other_lots=p.other_lots, mark_ticks=contract.mark,
        value_units=valuation.value_at_mark(contract, p), upl_units=valuation.upl(contract, p),
        initial_units=margin.initial_units(contract, p), tier=valuation.tier_of(contract, p),
    )  # fmt: skip
    return _standing(order_margin, p, row) if p.size else row


def _standing(order_margin: OrderMargin, p: Position, row: PositionRow) -> PositionRow:
    """Adds the figures of an open position: its thresholds, its domain, its liquidation and bankruptcy prices."""
    contract, r = order_margin.contracts[p.instrument], order_margin.admission.domain_of(p)
    full_ppb, own_ppb = margin.threshold_rates(order_margin.rules, contract, p)
    found, ahead = liquidation_ticks(order_margin, p)
    return row._replace(
        own_units=margin.own_part(order_margin.rules, contract, p, _equity(order_margin, p)), full_ppb=full_ppb,
        own_ppb=own_ppb,
        equity_units=r.equity, domain_value_units=r.value, liquidation_ticks=found or 0, profit_side_ticks=ahead or 0,
        bankruptcy_ticks=bankruptcy_ticks(order_margin, p),
    )  # fmt: skip


def liquidation_ticks(order_margin: OrderMargin, p: Position) -> tuple[int | None, int | None]:
    """Finds the first ticks at which the domain of a position is below R_own: towards its loss, and away from it."""
    contract = order_margin.contracts[p.instrument]
    slack = liquidation_price.slack_at(contract, lambda: order_margin.admission.domain_of(p))
    cross = order_margin.ledger.cross_of(p.account, contract.currency)
    held = [p] if p.mode == Mode.ISOLATED else [q for q in cross if q.instrument == p.instrument]
    edges = liquidation_price.edges_of(contract, held)
    return liquidation_price.liquidation(slack, edges, contract.mark, p.size, p.other_lots)


def bankruptcy_ticks(order_margin: OrderMargin, p: Position) -> int:
    """Returns the price at which the house would offer a position if it took it over now."""
    contract = order_margin.contracts[p.instrument]
    cost = margin.bankruptcy_cost(contract, p, order_margin.admission.share_of_equity(p))
    return margin.saturate(valuation.price_paying(contract, p.size, cost, 0))


def _equity(order_margin: OrderMargin, p: Position) -> int:
    """Adds up the equity of a position's margin domain, without resting orders."""
    contract = order_margin.contracts[p.instrument]
    if p.mode == Mode.ISOLATED:
        return p.margin + valuation.upl(contract, p)
    cross = order_margin.ledger.cross_of(p.account, contract.currency)
    profit = sum(valuation.upl(order_margin.contracts[each.instrument], each) for each in cross)
    return domain.backing(order_margin.ledger, p.account, contract.currency) + profit


# --- Wallets


def withdrawable(order_margin: OrderMargin, account: int, currency: int) -> int:
    """Finds the largest amount that the check of a withdrawal allows."""
    low, high = 0, max(0, domain.free_units(order_margin.ledger, account, currency, spendable=True))
    if order_margin.affords(account, currency, high, spendable=True):
        return high
    while high - low > 1:
        middle = (low + high) // 2
        afforded = order_margin.affords(account, currency, middle, spendable=True)
        low, high = (middle, high) if afforded else (low, middle)
    return low


def wallet_row(order_margin: OrderMargin, account: int, currency: int) -> WalletRow:
    """Returns an account's money in a currency, and the margin of its positions there."""
    ledger, contracts = order_margin.ledger, order_margin.contracts
    cash, backing = ledger.wallets[account][currency], domain.backing(ledger, account, currency)
    held = [p for p in ledger.positions_of(account) if p.size and contracts[p.instrument].currency == currency]
    isolated = [p for p in held if p.mode == Mode.ISOLATED]
    balance = backing + sum(valuation.upl(contracts[p.instrument], p) for p in held if p.mode == Mode.CROSS)
    apart = sum(p.margin + valuation.upl(contracts[p.instrument], p) for p in isolated)
    r = order_margin.admission.requirement(account, currency, None)
    return WalletRow(
        currency=currency, cash_units=cash, hold_units=ledger.holds[account][currency],
        free_units=domain.free_units(ledger, account, currency), collateral_units=backing - cash,
        withdrawable_units=withdrawable(order_margin, account, currency), equity_units=balance + apart, balance_units=balance,
        initial_units=margin.initial_total(contracts, held),
        maintenance_units=r.own + sum(order_margin.admission.domain_of(p).own for p in isolated),
        cross_equity_units=r.equity, cross_value_units=r.value,
    )  # fmt: skip


# --- Margin domains


def domain_rows(order_margin: OrderMargin, account: int) -> list[DomainRow]:
    """Returns the ratio tests of an account: its open isolated positions, then the cross domain of each currency."""
    ledger, contracts = order_margin.ledger, order_margin.contracts
    found = []
    for p in ledger.positions_of(account):
        if p.size and p.mode == Mode.ISOLATED:
            place = Mode.ISOLATED, contracts[p.instrument].currency, p.instrument, p.leg
            found.append(_domain(place, p.margin, order_margin.admission.domain_of(p), [p]))
    for currency in range(ledger.currencies):
        r = order_margin.admission.requirement(account, currency, None)
        if r.positions or r.orders:
            place = Mode.CROSS, currency, NO_INSTRUMENT, Leg.ONE_WAY
            held = [p for p in ledger.domain_of(account, currency) if isinstance(p, Position)]
            found.append(_domain(place, domain.backing(ledger, account, currency), r, held))
    return found


def _domain(place: tuple[int, int, int, int], base: int, r: Requirement, held: list[Position]) -> DomainRow:
    verdict = Verdict.SAFE if r.equity >= r.own else Verdict.FULL if r.equity < r.full else Verdict.PARTIAL
    return DomainRow(*place, base, r.equity, r.value, r.full, r.own, verdict, int(any(p.stuck for p in held)))


# --- All accounts at once


def position_columns(order_margin: OrderMargin, p: Position) -> tuple[int, ...]:
    """Returns an open position; columns: solvent.schema.columns.POSITION."""
    contract, r = order_margin.contracts[p.instrument], order_margin.admission.domain_of(p)
    return (
        p.account, p.instrument, p.leg, p.mode, p.leverage.numerator, p.leverage.denominator, p.size, p.cost, p.margin, p.hold,
        valuation.upl(contract, p), valuation.value_at_mark(contract, p), r.equity, r.full, r.own,
        margin.initial_units(contract, p), r.value,
    )  # fmt: skip


def liquidation_columns(order_margin: OrderMargin, p: Position) -> tuple[int, ...]:
    """Returns the liquidation prices of an open position; columns: solvent.schema.columns.LIQUIDATION."""
    found, ahead = liquidation_ticks(order_margin, p)
    mark = order_margin.contracts[p.instrument].mark
    return p.account, p.instrument, p.leg, mark, found or 0, ahead or 0, bankruptcy_ticks(order_margin, p)


def account_columns(order_margin: OrderMargin, account: int, currency: int) -> tuple[int, ...]:
    """Returns an account's currency; columns: solvent.schema.columns.ACCOUNT."""
    ledger, contracts = order_margin.ledger, order_margin.contracts
    held = [p for p in ledger.positions_of(account) if contracts[p.instrument].currency == currency]
    cash, r = ledger.wallets[account][currency], order_margin.admission.requirement(account, currency, None)
    return (
        account, currency, cash, ledger.holds[account][currency], sum(p.margin for p in held),
        sum(valuation.upl(contracts[p.instrument], p) for p in held), domain.free_units(ledger, account, currency),
        domain.free_units(ledger, account, currency, spendable=True), r.equity, r.full, r.own, r.value,
        domain.backing(ledger, account, currency) - cash, margin.initial_total(contracts, held),
    )  # fmt: skip
