"""What the formulas need of an exchange at one moment, and the prices at which something happens to a position.

Owns the reading of a kernel into contracts and rows, and the search for liquidation prices, with the formulas of
twin/account/margin.py, so that it is right for both kernels. Never writes. Cost: a requirement of the domain a step.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from solvent.schema.limits import RATE
from solvent.schema.words import Leg, Mode, OrderRule, Side
from solvent.twin.account import liquidation_price as outlook
from solvent.twin.account import margin
from solvent.twin.account.ledger import Collateral
from solvent.twin.account.margin import OpenSide, Requirement
from solvent.twin.base.integers import ceil_div
from solvent.twin.contract import valuation
from solvent.twin.contract.valuation import Contract

if TYPE_CHECKING:
    from solvent.api.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Row:
    """A position record of the kernel, readable by the margin formulas."""

    instrument: int
    leg: int = Leg.ONE_WAY
    size: int = 0
    cost: int = 0
    margin: int = 0
    times: int = 1  # leverage, as a fraction
    parts: int = 1
    chosen_tier: int = 0
    mode: int = Mode.CROSS
    stuck: int = 0
    hedged: int = 0
    hold: int = 0
    buy_lots: int = 0
    buy_value: int = 0
    sell_lots: int = 0
    sell_value: int = 0
    reduce_lots: int = 0
    liquidation_fee_ppb: int = 0
    other: int = 0  # the other leg's size, where both are cross
    kin: int = 0  # the nets of the other instruments of its tier group, added up
    sides: tuple[int, int] = (0, 0)  # lots long and short of its instrument, or tier group, in its margin domain

    @property
    def leverage(self) -> Fraction:
        return Fraction(self.times, self.parts)

    @property
    def open_sides(self) -> tuple[OpenSide, OpenSide]:
        return OpenSide(self.buy_lots, self.buy_value), OpenSide(self.sell_lots, self.sell_value)

    @property
    def reduce(self) -> OpenSide:
        return OpenSide(self.reduce_lots)

    @property
    def reduce_side(self) -> int:
        return Side.SELL if self.size > 0 else Side.BUY


def _contracts(exchange: "Exchange") -> list[Contract]:
    """The contracts with their marks now; made once an exchange, for hundreds of tables take long to read."""
    made = exchange._contracts
    for each in exchange.instruments[len(made) :]:
        coming = Contract.of(each.spec.settled_in(exchange._currency_ids[each.settle]))
        model = each.spec.prices
        coming.modelled = model is not None
        coming.funds_at_index = model is not None and bool(model.at_index)
        made.append(coming)  # complete, whatever interrupts this
    for i, contract in enumerate(made):
        contract.mark, _, contract.index = exchange._kernel.prices(i)
        contract.accrual_ppb = exchange._kernel.accrual_ppb(i)
    return made


def _most(highest: int, fits: Callable[[int], bool]) -> int:
    """The highest number from 0 on that fits."""
    low = 0
    while low < highest:
        middle = (low + highest + 1) // 2
        low, highest = (middle, highest) if fits(middle) else (low, middle - 1)
    return low


class Moment:
    """What the formulas need of an exchange now: contracts with marks, rules, one account's rows and cash."""

    def __init__(self, exchange: "Exchange", account: int):
        kernel = exchange._kernel
        self.exchange = exchange
        self.account = account
        self.contracts = _contracts(exchange)
        self.rules = exchange.rules.compiled()
        rows = [Row(*row) for row in kernel.positions(account)]
        cross = {(row.instrument, row.leg): row.size for row in rows if row.mode == Mode.CROSS}
        self.nets: Counter[int] = Counter()
        for row in rows:
            self.nets[row.instrument] += row.size if row.mode == Mode.CROSS else 0
        self.rows = {(row.instrument, row.leg): self._sides(self._kin(self._hedge(row, cross)), cross) for row in rows}
        self.collateral = [Collateral(*terms) for terms in exchange.collateral_terms]
        self.wallets = [kernel.wallet(account, i) for i in range(len(exchange.currencies))]

    @staticmethod
    def _hedge(row: Row, cross: dict[tuple[int, int], int]) -> Row:
        if not row.leg or row.mode != Mode.CROSS:
            return row
        return replace(row, other=cross.get((row.instrument, Leg.LONG + Leg.SHORT - row.leg), 0))

    def _kin(self, row: Row) -> Row:
        mine = self.contracts[row.instrument]
        if not mine.tier_group or row.mode != Mode.CROSS:
            return row
        others = ((self.contracts[i], net) for i, net in self.nets.items() if i != row.instrument)
        kin = sum(abs(net) for each, net in others if (each.tier_group, each.currency) == (mine.tier_group, mine.currency))
        return replace(row, kin=kin)

    def _sides(self, row: Row, cross: dict[tuple[int, int], int]) -> Row:
        held = [row.size]
        if row.mode == Mode.CROSS:
            mine = self._group(row.instrument)
            held = [size for (i, _), size in cross.items() if self._group(i) == mine]
        return replace(row, sides=(sum(size for size in held if size > 0), -sum(size for size in held if size < 0)))

    def _group(self, instrument: int) -> tuple[int, int]:
        """What an instrument's positions may be hedged with: of one currency and tier group, or itself."""
        contract = self.contracts[instrument]
        return contract.currency, contract.tier_group or -1 - instrument

    def row(self, instrument: int, leg: int) -> Row:
        contract = self.contracts[instrument]
        found = self.rows.get((instrument, leg))
        return found or self._kin(Row(instrument, leg, times=contract.default_leverage))

    def domain(self, row: Row) -> tuple[int, list[Row]]:
        """(margin or cash, positions) of the domain that a position belongs to; with orders where they count."""
        if row.mode == Mode.ISOLATED:
            return row.margin, [row]
        return self.cross_domain(self.contracts[row.instrument].currency)

    def cross_domain(self, currency: int) -> tuple[int, list[Row]]:
        """(cash and what other currencies count, cross positions); with orders where they count."""
        counts = self.rules.orders != OrderRule.IGNORED
        held = (r for r in self.rows.values() if (r.size or counts) and r.mode == Mode.CROSS)
        rows = [r for r in held if self.contracts[r.instrument].currency == currency]
        cash: int = self.wallets[currency][0]
        return cash + sum(self._counted(each) for each in self.collateral if each.of == currency), rows

    def requirement(self, base: int, rows: list[Row]) -> Requirement:
        return margin.requirement(self.rules, self.contracts, base, rows)

    def own(self, row: Row) -> int:
        """A position's part of R_own; what equals it is safe, or by rule (at_threshold) no more."""
        base, rows = self.domain(row)
        equity = base + sum(valuation.upl(self.contracts[each.instrument], each) for each in rows)
        contract = self.contracts[row.instrument]
        return ceil_div(margin.thresholds(self.rules, contract, row, equity)[1], RATE)

    def share(self, row: Row) -> int:
        base, rows = self.domain(row)
        rows = [each for each in rows if each.size]
        return 0 if row.mode else margin.equity_shares(self.contracts, base, list(rows))[rows.index(row)]

    def _counted(self, each: Collateral) -> int:
        """What the spare part of a balance counts as collateral."""
        contract = self.contracts[each.instrument]
        return each.counts(self._spare(each.currency), contract.index or contract.mark)

    def _spare(self, currency: int) -> int:
        """What the contracts of a currency leave of its balance for another's margin."""
        cash, holds, *_ = self.wallets[currency]
        cross = [r for r in self.rows.values() if r.size and r.mode == Mode.CROSS]
        mine = [r for r in cross if self.contracts[r.instrument].currency == currency]
        return margin.spare_units(self.contracts, cash, holds, list(mine))

    def withdrawable(self, currency: int) -> int:
        """What may leave a wallet: what is spendable, and of a currency that backs another what that does not need."""
        most, spare = max(0, int(self.wallets[currency][3])), self._spare(currency)
        base, rows = self.cross_domain(currency)

        def bears(units: int) -> bool:
            r = self.requirement(base - units, rows)
            return r.equity >= r.own

        most = most if bears(most) else _most(most, bears)
        backed = [each for each in self.collateral if each.currency == currency and self._counted(each)]
        return self._not_needed(backed[0], most, spare) if backed else most

    def _not_needed(self, each: Collateral, most: int, spare: int) -> int:
        """What may leave a balance of what is spendable without what the other currency needs."""
        contract, free, value = self.contracts[each.instrument], self.wallets[each.of][2], self._counted(each)
        price = contract.index or contract.mark
        return 0 if free < 0 else _most(most, lambda units: value - each.counts(spare - units, price) <= free)

    def liquidation_ticks(self, row: Row) -> tuple[int | None, int | None]:
        """Where something happens: towards the position's loss, and away from it (twin/account/liquidation_price.py)."""
        contract, (_, rows) = self.contracts[row.instrument], self.domain(row)
        slack = outlook.slack_at(contract, lambda: self.requirement(*self.domain(row)))
        held = [each for each in rows if each.instrument == row.instrument and each.size]
        return outlook.liquidation(slack, outlook.edges_of(contract, held), contract.mark, row.size, row.other)
