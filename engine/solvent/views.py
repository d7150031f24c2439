"""Frozen views of accounts, positions, orders and depth, and `explain`: every term behind a margin ratio.

Owns nothing: each view is computed from one moment's kernel reads with the formulas of reference/margin.py,
so it is right for both kernels. Never writes. Cost: explain bisects two prices per position.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from solvent.codes import Code, Rejected
from solvent.limits import RATE
from solvent.money import from_units
from solvent.records import Basis, Flag, Kind, Leg, Mode, OrderRule, Purse, Side, Source, Tif, Verdict
from solvent.reference import margin, valuation
from solvent.reference.margin import OpenSide, Requirement, Rules
from solvent.reference.prices import Model
from solvent.reference.valuation import Contract

if TYPE_CHECKING:
    from solvent.exchange import Exchange

__all__ = [
    "AccountView", "Depth", "Explanation", "OrderView", "ParcelView", "PositionView", "WalletView",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A position record of the kernel, readable by the margin formulas."""

    instrument: int
    leg: int = Leg.ONE_WAY
    size: int = 0
    cost: int = 0
    margin: int = 0
    leverage: int = 1
    mode: int = Mode.CROSS
    stuck: int = 0
    hedged: int = 0
    hold: int = 0
    buy_lots: int = 0
    buy_value: int = 0
    sell_lots: int = 0
    sell_value: int = 0
    reduce_lots: int = 0
    other: int = 0  # the other leg's size, where both are cross
    kin: int = 0  # the nets of the other instruments of its tier group, added up

    @property
    def open_sides(self) -> tuple[OpenSide, OpenSide]:
        return OpenSide(self.buy_lots, self.buy_value), OpenSide(self.sell_lots, self.sell_value)

    @property
    def reduce(self) -> OpenSide:
        return OpenSide(self.reduce_lots)

    @property
    def reduce_side(self) -> int:
        return Side.SELL if self.size > 0 else Side.BUY


@dataclass(frozen=True, slots=True)
class WalletView:
    """One currency of an account, in that currency.

    cash: the wallet, isolated margin not included. equity: cash, isolated margins and unrealised profit of
    all positions. margin_balance: cash and unrealised profit of the cross positions. hold: reserved by
    resting orders. free: available for new cross orders. withdrawable: may leave the wallet. collateral: what other
    currencies count here; part of equity, margin_balance and free.
    """

    currency: str
    cash: Decimal
    equity: Decimal
    margin_balance: Decimal
    hold: Decimal
    free: Decimal
    withdrawable: Decimal
    collateral: Decimal
    cash_units: int


@dataclass(frozen=True, slots=True)
class PositionView:
    """One position. Prices and money in currency, size in contracts (negative: short), *_units and *_lots raw.

    value, upl: at mark. margin: isolated margin, 0 for cross. maintenance: the requirement below which the
    next step of liquidation happens (R_own). margin_ratio: equity / value of its margin domain, rounded to
    nine decimals, None when flat. entry_price: the price that gives the position its cost, a view only, None when flat.
    liquidation_price: the first tick on the way down (long) or up (short) at which something happens, other
    marks held; None when there is none. Of a cross hedge whose other leg is larger it lies on the other side.
    profit_side_liquidation_price: where a higher tier alone asks more than there is, although the price goes the
    position's way (whole tiers by notional can jump so); None nearly always. bankruptcy_price: where the house would offer
    the position if it took it over now: isolated, the tick that leaves nothing of its margin; cross, the one that leaves
    nothing of its share of the account's equity at these marks, so it moves with them and, far from danger, lies anywhere.
    Rounded to the safe side, closing fee not paid; may be zero, below, or above every legal price; None where
    no price is bankrupt, or every one is (inverse).
    initial: initial margin, ceil(value / leverage) or more where a curve asks it. leg: "long" or "short" in hedge
    mode. effective_leverage: value / equity of its margin domain (the whole of it when
    cross), None when flat or when no equity is left. distance_ticks: how far the mark may go before liquidation_price,
    not above 0 once it is reached; distance: the same as a share of mark; both None where there is no such price.
    """

    account: str
    instrument: str
    leg: str | None
    mode: str
    leverage: int
    size: Decimal
    entry_price: Decimal | None
    mark_price: Decimal | None
    value: Decimal
    upl: Decimal
    margin: Decimal
    maintenance: Decimal
    margin_ratio: Decimal | None
    tier: int
    liquidation_price: Decimal | None
    profit_side_liquidation_price: Decimal | None
    bankruptcy_price: Decimal | None
    initial: Decimal
    effective_leverage: Decimal | None
    distance_ticks: int | None
    distance: Decimal | None
    size_lots: int
    cost_units: int
    margin_units: int

    @property
    def side(self) -> str:
        return "long" if self.size_lots > 0 else "short" if self.size_lots < 0 else "flat"


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account: wallets by currency and positions by instrument (those ever touched), in hedge mode by instrument and
    leg ("BTC-USDT-SWAP long").

    With one currency its wallet's fields are attributes here too: view.cash, view.equity, view.free, ...
    """

    name: str
    account_id: int
    wallets: dict[str, WalletView]
    positions: dict[str, PositionView]

    def __getattr__(self, key: str) -> Any:
        if key.startswith("_") or key not in WalletView.__slots__ or len(self.wallets) != 1:
            raise AttributeError(f"{key} (an account has one wallet per currency: .wallets)")
        return getattr(next(iter(self.wallets.values())), key)


@dataclass(frozen=True, slots=True)
class OrderView:
    """A live order.

    size: as accepted or amended, filled included (0 of a dormant close-position order). dormant: it waits for its
    trigger, a "stop", "take_profit" or "trailing" one, at trigger_price, watching `by`. price: None of a dormant market
    order. expiry_ns: of a gtd order, else None. leg: in hedge mode, the position it belongs to.
    """

    order_id: int
    client_id: int
    account: str
    instrument: str
    side: str
    price: Decimal | None
    size: Decimal
    filled: Decimal
    remaining: Decimal
    post_only: bool
    reduce_only: bool
    tif: str
    dormant: bool
    trigger: str | None
    trigger_price: Decimal | None
    by: str | None
    expiry_ns: int | None
    leg: str | None


@dataclass(frozen=True, slots=True)
class Depth:
    """Aggregated levels, best first: (price, contracts)."""

    bids: list[tuple[Decimal, Decimal]]
    asks: list[tuple[Decimal, Decimal]]


@dataclass(frozen=True, slots=True)
class ParcelView:
    """A position in the house's hands. order_id: its resting order, 0 if none."""

    parcel_id: int
    instrument: str
    size: Decimal
    cost: Decimal
    bankruptcy_price: Decimal
    order_id: int
    origin: str


@dataclass(frozen=True, slots=True)
class DomainView:
    """The ratio test of one isolated position or of the cross positions of one currency.

    equity: margin or cash, plus unrealised profit. full, own: the requirements R_full and R_own. next: what
    would happen at these marks if the account were tested now.
    """

    title: str
    mode: str
    currency: str
    base: Decimal
    upl: Decimal
    equity: Decimal
    value: Decimal
    full: Decimal
    own: Decimal
    next: str
    positions: tuple[PositionView, ...]
    rates: tuple[tuple[Decimal, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every term of an account's margin; str() is a page to read."""

    account: str
    wallets: dict[str, WalletView]
    domains: tuple[DomainView, ...]

    def __str__(self) -> str:
        lines = [f"account {self.account}"]
        for w in self.wallets.values():
            lines.append(f"  wallet: cash {w.cash}, holds {w.hold}, free {w.free}, withdrawable {w.withdrawable} {w.currency}")
        for d in self.domains:
            lines.append(f"  {d.title}")
            base = "margin" if d.mode == "isolated" else "cash"
            lines.append(f"    equity {d.equity} = {base} {d.base} + profit {d.upl} {d.currency}")
            for p, (full, own) in zip(d.positions, d.rates, strict=True):
                rates = f"threshold {full}" + (f", step down {own}" if own > full else "")
                lines.append(
                    f"    {p.instrument}: {p.side} {abs(p.size)} at entry {p.entry_price}, mark {p.mark_price}, "
                    f"value {p.value}, tier {p.tier}, {rates}"
                )
                lines.append(f"      liquidation price {p.liquidation_price or 'none'} (other marks held)")
                lines.append(f"      if taken over now, at its bankruptcy price {p.bankruptcy_price}")
            step = f", step down below {d.own}" if d.own > d.full else ""
            lines.append(f"    takeover below {d.full}{step}")
            lines.append(f"    next: {d.next}")
        if not self.domains:
            lines.append("  no open position")
        return "\n".join(lines)


# --- Reading one moment ---------------------------------------------------------------------------------


def _contracts(exchange: "Exchange") -> list[Contract]:
    """The contracts with their marks now; made once an exchange, for hundreds of tables take long to read."""
    made = exchange._contracts
    for each in exchange.instruments[len(made) :]:
        terms = each.spec.compiled(exchange._currency_ids[each.settle])
        made.append(Contract(*terms[:-1]))  # type: ignore[arg-type]
        model = each.spec.prices
        made[-1].funds_at_index = model is not None and bool(Model(*model).at_index)
    for i, contract in enumerate(made):
        contract.mark, _, contract.index = exchange._kernel.prices(i)
        contract.accrual_ppb = exchange._kernel.accrual_ppb(i)
    return made


class Moment:
    """What the formulas need of an exchange now: contracts with marks, rules, one account's rows and cash."""

    def __init__(self, exchange: "Exchange", account: int):
        kernel = exchange._kernel
        self.exchange = exchange
        self.account = account
        self.contracts = _contracts(exchange)
        self.rules = Rules(*exchange.rules.compiled())  # type: ignore[arg-type]
        rows = [Row(*row) for row in kernel.positions(account)]
        cross = {(row.instrument, row.leg): row.size for row in rows if row.leg and row.mode == Mode.CROSS}
        nets: Counter[int] = Counter()
        for row in rows:
            nets[row.instrument] += row.size if row.mode == Mode.CROSS else 0
        self.rows = {(row.instrument, row.leg): self._kin(self._hedge(row, cross), nets) for row in rows}
        self.wallets = [kernel.wallet(account, i) for i in range(len(exchange.currencies))]

    @staticmethod
    def _hedge(row: Row, cross: dict[tuple[int, int], int]) -> Row:
        if not row.leg or row.mode != Mode.CROSS:
            return row
        return replace(row, other=cross.get((row.instrument, Leg.LONG + Leg.SHORT - row.leg), 0))

    def _kin(self, row: Row, nets: Counter[int]) -> Row:
        mine = self.contracts[row.instrument]
        if not mine.tier_group or row.mode != Mode.CROSS:
            return row
        others = ((self.contracts[i], net) for i, net in nets.items() if i != row.instrument)
        kin = sum(abs(net) for each, net in others if (each.tier_group, each.currency) == (mine.tier_group, mine.currency))
        return replace(row, kin=kin)

    def row(self, instrument: int, leg: int) -> Row:
        contract = self.contracts[instrument]
        return self.rows.get((instrument, leg), Row(instrument, leg, leverage=contract.default_leverage))

    def domain(self, row: Row) -> tuple[int, list[Row]]:
        """(margin or cash, positions) of the domain that a position belongs to; with orders where they count."""
        if row.mode == Mode.ISOLATED:
            return row.margin, [row]
        currency, counts = self.contracts[row.instrument].currency, self.rules.orders != OrderRule.IGNORED
        held = (r for r in self.rows.values() if (r.size or counts) and r.mode == Mode.CROSS)
        cash, _, _, _, collateral = self.wallets[currency]
        return cash + collateral, [r for r in held if self.contracts[r.instrument].currency == currency]

    def requirement(self, base: int, rows: list[Row]) -> Requirement:
        return margin.requirement(self.rules, self.contracts, base, rows)

    def share(self, row: Row) -> int:
        base, rows = self.domain(row)
        rows = [each for each in rows if each.size]
        return 0 if row.mode else margin.equity_shares(self.contracts, base, list(rows))[rows.index(row)]

    def _slack(self, row: Row) -> Callable[[int], int]:
        """Equity less R_own of a position's domain, by the mark of its instrument."""
        contract = self.contracts[row.instrument]
        base, rows = self.domain(row)

        def slack(ticks: int) -> int:
            mark, contract.mark = contract.mark, ticks
            try:
                r = self.requirement(base, rows)
            finally:
                contract.mark = mark
            return r.equity - r.own

        return slack

    def _edges(self, row: Row) -> list[int]:
        """The marks, and the highest and lowest, between which no tier of this instrument's positions changes."""
        contract = self.contracts[row.instrument]
        edges = {1, contract.max_price_ticks + 1, contract.mark, contract.mark + 1}
        held = [each for each in self.domain(row)[1] if each.instrument == row.instrument and each.size]
        for each in held if contract.basis == Basis.NOTIONAL else []:
            inverse = contract.kind == Kind.INVERSE
            for tier in contract.tiers:
                # The first tick of a larger value: beyond the top linear, at or below it inverse.
                at = abs(each.size) * contract.units
                edges |= {at // tier.top + step for step in (-1, 0, 1, 2)} if inverse else {tier.top // at + 1}
        return sorted(edge for edge in edges if 1 <= edge <= contract.max_price_ticks + 1)

    def crossing_ticks(self, row: Row, up: bool) -> int | None:
        """The first tick from the mark, up or down, at which the domain is below R_own; None if no legal tick is.

        Between two edges equity less requirement is monotone (rates are below one), so that bisection is exact.
        """
        slack, mark = self._slack(row), self.contracts[row.instrument].mark
        edges = self._edges(row)
        spans = [(low, high - 1) for low, high in pairwise(edges)]
        spans = [span for span in spans if (span[0] > mark if up else span[1] < mark)]
        for low, high in spans if up else reversed(spans):
            near, far = (low, high) if up else (high, low)
            if slack(near) < 0:
                return near
            if slack(far) < 0:
                below: Callable[[int], bool] = lambda ticks: slack(ticks) < 0  # noqa: E731
                return _first(below, low, high) if up else _last(below, low, high)
        return None

    def liquidation_ticks(self, row: Row) -> int | None:
        """The first tick at which something happens: towards loss, or away from it where only that way endangers (a hedge
        whose other leg is larger). The mark itself when it is below R_own already."""
        if self._slack(row)(self.contracts[row.instrument].mark) < 0:
            return self.contracts[row.instrument].mark
        found = self.crossing_ticks(row, up=row.size < 0)
        if found is None and row.other * row.size < 0:
            found = self.crossing_ticks(row, up=row.size > 0)
        return found


def _first(holds: Callable[[int], bool], low: int, high: int) -> int | None:
    """The lowest integer at which a condition that stays true once true holds."""
    if not holds(high):
        return None
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _last(holds: Callable[[int], bool], low: int, high: int) -> int | None:
    """The highest integer at which a condition that stays false once false holds."""
    found = _first(lambda mirrored: holds(low + high - mirrored), low, high)
    return None if found is None else low + high - found


_LEG_NAMES = (None, "long", "short")
_PRICES = (
    "entry_price", "liquidation_price", "profit_side_liquidation_price", "bankruptcy_price", "distance_ticks", "distance"
)  # fmt: skip

# --- Building views -------------------------------------------------------------------------------------


def _prices(moment: Moment, row: Row) -> dict[str, Decimal | int | None]:
    """The prices of an open position, and how far they are."""
    exchange, contract = moment.exchange, moment.contracts[row.instrument]
    tick = exchange.instruments[row.instrument].tick_size
    cost = valuation.price_paying(
        contract, row.size, margin.bankruptcy_cost(contract, row, moment.share(row)), 0
    )  # fmt: skip
    found: dict[str, Decimal | int | None] = {
        "entry_price": _entry(contract, row, tick),
        "bankruptcy_price": None if cost == valuation.UNBOUNDED else from_units(cost, tick),
    }
    ticks = moment.liquidation_ticks(row)
    ahead = moment.crossing_ticks(row, up=row.size > 0) if contract.basis == Basis.NOTIONAL and not row.other else None
    if ticks is not None:
        away = contract.mark - ticks if row.size > 0 else ticks - contract.mark
        away = abs(away) if row.other else away
        found |= {
            "liquidation_price": from_units(ticks, tick), "distance_ticks": away,
            "distance": _ratio(Decimal(away), contract.mark),
        }  # fmt: skip
    return found | {"profit_side_liquidation_price": None if ahead is None else from_units(ahead, tick)}


def _entry(contract: Contract, row: Row, tick: Decimal) -> Decimal | None:
    """The price at which the position would have exactly its cost."""
    if contract.kind == Kind.INVERSE:
        return _ratio(abs(row.size) * contract.units * tick, abs(row.cost)) if row.cost else None
    return _ratio(abs(row.cost) * tick, abs(row.size) * contract.units)


def _position(moment: Moment, row: Row) -> PositionView:
    exchange, contract = moment.exchange, moment.contracts[row.instrument]
    terms = exchange.instruments[row.instrument]
    unit, tick = terms.unit, terms.tick_size
    own, ratio, effective, prices = 0, None, None, dict.fromkeys(_PRICES)
    if row.size:
        r = moment.requirement(*moment.domain(row))
        own = valuation.ceil_div(margin.thresholds(moment.rules, contract, row, r.equity)[1], RATE)
        ratio = _ratio(Decimal(r.equity), r.value)
        effective = _ratio(Decimal(r.value), r.equity) if r.equity > 0 else None
        prices |= _prices(moment, row)
    return PositionView(
        account=exchange.account_name(moment.account), instrument=terms.name, leg=_LEG_NAMES[row.leg],
        mode=Mode(row.mode).name.lower(),
        leverage=row.leverage, size=from_units(row.size, terms.lot_size),
        mark_price=from_units(contract.mark, tick) if contract.mark else None,
        value=from_units(valuation.value_at_mark(contract, row), unit),
        upl=from_units(valuation.upl(contract, row), unit), margin=from_units(row.margin, unit),
        maintenance=from_units(own, unit), margin_ratio=ratio, tier=valuation.tier_of(contract, row) + 1,
        initial=from_units(margin.initial_units(contract, row), unit), effective_leverage=effective,
        size_lots=row.size, cost_units=row.cost, margin_units=row.margin, **prices,
    )  # fmt: skip


def _ratio(numerator: Decimal, denominator: int) -> Decimal:
    """A quotient for reading, rounded half even to nine decimals."""
    top, bottom = numerator.as_integer_ratio()
    scaled, rest = divmod(top * 10**9, bottom * denominator)
    twice = 2 * rest - bottom * denominator
    return from_units(scaled + (twice > 0 or (twice == 0 and scaled % 2 == 1)), Decimal("1e-9"))


def position_view(exchange: "Exchange", account: int, instrument: int, leg: int) -> PositionView:
    moment = Moment(exchange, account)
    return _position(moment, moment.row(instrument, leg))


def _wallets(moment: Moment) -> dict[str, WalletView]:
    result = {}
    for i, (currency, unit) in enumerate(moment.exchange.currencies.items()):
        cash, hold, free, spendable, collateral = moment.wallets[i]
        rows = [row for row in moment.rows.values() if row.size and moment.contracts[row.instrument].currency == i]
        profits = {row: valuation.upl(moment.contracts[row.instrument], row) for row in rows}
        cross = cash + collateral + sum(profit for row, profit in profits.items() if not row.mode)
        equity = cross + sum(row.margin + profit for row, profit in profits.items() if row.mode)
        result[currency] = WalletView(
            currency=currency, cash=from_units(cash, unit), equity=from_units(equity, unit),
            margin_balance=from_units(cross, unit), hold=from_units(hold, unit), free=from_units(free, unit),
            withdrawable=from_units(max(0, spendable), unit), collateral=from_units(collateral, unit), cash_units=cash,
        )  # fmt: skip
    return result


def account_view(exchange: "Exchange", account: int) -> AccountView:
    moment = Moment(exchange, account)
    shown = {key: row for key, row in moment.rows.items() if not row.hedged}
    positions = {_title(exchange, row): _position(moment, row) for row in shown.values()}
    return AccountView(exchange.account_name(account), account, _wallets(moment), positions)


def _title(exchange: "Exchange", row: Row) -> str:
    """An instrument's name, and the leg of a hedge."""
    name, leg = exchange.instruments[row.instrument].name, _LEG_NAMES[row.leg]
    return f"{name} {leg}" if leg else name


_TRIGGERS = (None, "stop", "take_profit", "trailing", "trailing")  # by TriggerKind


def order_view(exchange: "Exchange", row: tuple[int, ...]) -> OrderView:
    order_id, account, instrument, side, price, remaining, size, client_id, flags, tif, _, dormant, *terms = row
    trigger, _, _, _, expiry_ns, _, source, kind, _, _, leg = terms
    traded = exchange.instruments[instrument]
    lot, tick = traded.lot_size, traded.tick_size
    return OrderView(
        order_id, client_id, exchange.account_name(account), traded.name, Side(side).name.lower(),
        from_units(price, tick) if price else None, from_units(size, lot), from_units(size - remaining, lot),
        from_units(remaining, lot),
        bool(flags & Flag.POST_ONLY), bool(flags & Flag.REDUCE_ONLY), Tif(tif).name.lower(),
        bool(dormant), _TRIGGERS[kind] if dormant else None, from_units(trigger, tick) if dormant else None,
        Source(source).name[3:].lower() if dormant else None, expiry_ns or None, _LEG_NAMES[leg],
    )  # fmt: skip


def depth_view(exchange: "Exchange", instrument: int, n: int) -> Depth:
    terms = exchange.instruments[instrument]
    bids, asks = (
        [(from_units(price, terms.tick_size), from_units(lots, terms.lot_size)) for price, lots in side]
        for side in exchange._kernel.depth(instrument, n)
    )
    return Depth(bids, asks)


def parcel_view(exchange: "Exchange", row: tuple[int, ...]) -> ParcelView:
    parcel_id, instrument, size, cost, ticks, order_id, origin = row
    terms = exchange.instruments[instrument]
    return ParcelView(
        parcel_id, terms.name, from_units(size, terms.lot_size), from_units(cost, terms.unit),
        from_units(ticks, terms.tick_size), order_id, exchange.account_name(origin),
    )  # fmt: skip


def purse_balance(exchange: "Exchange", purse: Purse, currency: str) -> Decimal:
    if currency not in exchange.currencies:
        raise Rejected(Code.UNKNOWN_CURRENCY)
    index = list(exchange.currencies).index(currency)
    return from_units(exchange._kernel.wallet(int(purse), index)[0], exchange.currencies[currency])


# --- Explaining -----------------------------------------------------------------------------------------

_NEXT = {
    Verdict.SAFE: "nothing; equity covers both requirements",
    Verdict.PARTIAL: "orders cancelled, then a step down by {tiers} tiers through the book",
    Verdict.FULL: "orders cancelled, then takeover of {what} at the bankruptcy price",
}


def _domain(moment: Moment, base: int, rows: list[Row]) -> DomainView:
    exchange = moment.exchange
    terms = exchange.instruments[rows[0].instrument]
    isolated = bool(rows[0].mode)
    r = moment.requirement(base, rows)
    verdict = Verdict.SAFE if r.equity >= r.own else Verdict.FULL if r.equity < r.full else Verdict.PARTIAL
    what = "the position" if isolated else f"all cross positions in {terms.settle}"
    rates = tuple(_rates(moment, row) for row in rows)
    next_step = _NEXT[verdict].format(tiers=moment.rules.step_tiers, what=what)
    if verdict == Verdict.PARTIAL and any(row.stuck for row in rows):
        next_step += "; it found no fill and waits for the next mark"
    return DomainView(
        title=f"isolated {_title(exchange, rows[0])}" if isolated else f"cross {terms.settle}",
        mode="isolated" if isolated else "cross", currency=terms.settle,
        base=from_units(base, terms.unit), upl=from_units(r.equity - base, terms.unit),
        equity=from_units(r.equity, terms.unit), value=from_units(r.value, terms.unit),
        full=from_units(r.full, terms.unit), own=from_units(r.own, terms.unit), next=next_step,
        positions=tuple(_position(moment, row) for row in rows), rates=rates,
    )  # fmt: skip


def _rates(moment: Moment, row: Row) -> tuple[Decimal, Decimal]:
    """The threshold rates of a position, fees included, before what its tier deducts or a curve adds."""
    contract = moment.contracts[row.instrument]
    full, own = (contract.tiers[k].maintenance_ppb + fee for k, fee in margin.bands(moment.rules, contract, row))
    return from_units(full, Decimal("1e-9")), from_units(max(full, own), Decimal("1e-9"))


def explain(exchange: "Exchange", account: int) -> Explanation:
    moment = Moment(exchange, account)
    open_rows = [row for row in moment.rows.values() if row.size]
    domains = [_domain(moment, row.margin, [row]) for row in open_rows if row.mode]
    seen: set[int] = set()
    for row in open_rows:
        currency = moment.contracts[row.instrument].currency
        if not row.mode and currency not in seen:
            seen.add(currency)
            domains.append(_domain(moment, *moment.domain(row)))
    return Explanation(exchange.account_name(account), _wallets(moment), tuple(domains))
