"""Frozen views of accounts, positions, orders and depth, and `explain`: every term behind a margin ratio.

Owns nothing: each view is computed from one moment's kernel reads with the formulas of reference/margin.py,
so it is right for both kernels. Never writes. Cost: explain bisects two prices per position.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from solvent.codes import Code, Rejected
from solvent.money import from_units
from solvent.records import Flag, Mode, Purse, Side, Source, Tif, Verdict
from solvent.reference import margin
from solvent.reference.margin import Contract, Requirement, Rules

if TYPE_CHECKING:
    from solvent.exchange import Exchange

__all__ = [
    "AccountView", "Depth", "Explanation", "OrderView", "ParcelView", "PositionView", "WalletView",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A position record of the kernel, readable by the margin formulas."""

    instrument: int
    size: int = 0
    cost: int = 0
    margin: int = 0
    leverage: int = 1
    mode: int = Mode.CROSS
    stuck: int = 0
    hold: int = 0
    reduce_lots: int = 0


@dataclass(frozen=True, slots=True)
class WalletView:
    """One currency of an account, in that currency.

    cash: the wallet, isolated margin not included. equity: cash, isolated margins and unrealised profit of
    all positions. margin_balance: cash and unrealised profit of the cross positions. hold: reserved by
    resting orders. free: available for new cross orders. withdrawable: may leave the wallet.
    """

    currency: str
    cash: Decimal
    equity: Decimal
    margin_balance: Decimal
    hold: Decimal
    free: Decimal
    withdrawable: Decimal
    cash_units: int


@dataclass(frozen=True, slots=True)
class PositionView:
    """One position. Prices and money in currency, size in contracts (negative: short), *_units and *_lots raw.

    value, upl: at mark. margin: isolated margin, 0 for cross. maintenance: the requirement below which the
    next step of liquidation happens (R_own). margin_ratio: equity / value of its margin domain, rounded to
    nine decimals, None when flat. entry_price: |cost| / size, a view only, None when flat.
    liquidation_price: the first tick on the way down (long) or up (short) at which something happens, other
    marks held; None when there is none. bankruptcy_price: where the house would offer the position if it
    took it over now: isolated, the tick that leaves nothing of its margin; cross, the one that leaves nothing
    of its share of the account's equity at these marks, so it moves with them and, far from danger, lies
    anywhere. Rounded to the safe side, closing fee not paid; may be zero, below, or above every legal price.
    initial: ceil(value / leverage). effective_leverage: value / equity of its margin domain (the whole of it when
    cross), None when flat or when no equity is left. distance_ticks: how far the mark may go before liquidation_price,
    not above 0 once it is reached; distance: the same as a share of mark; both None where there is no such price.
    """

    account: str
    instrument: str
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
    """An account: wallets by currency and positions by instrument (those ever touched).

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
    order. expiry_ns: of a gtd order, else None.
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


class Moment:
    """What the formulas need of an exchange now: contracts with marks, rules, one account's rows and cash."""

    def __init__(self, exchange: "Exchange", account: int):
        kernel = exchange._kernel
        self.exchange = exchange
        self.account = account
        currencies = list(exchange.currencies)
        self.contracts = [
            Contract(
                s.units_per_tick_lot, s.max_price_ticks, s.max_size_lots, s.maker_fee_ppb, s.taker_fee_ppb,
                s.liquidation_fee_ppb, s.default_leverage, currencies.index(each.settle), s.tiers, kernel.mark_ticks(i),
            )
            for i, each in enumerate(exchange.instruments) for s in (each.spec,)
        ]  # fmt: skip
        self.rules = Rules(*exchange.rules.compiled())  # type: ignore[arg-type]
        self.rows = {row[0]: Row(*row) for row in kernel.positions(account)}
        self.wallets = [kernel.wallet(account, i) for i in range(len(currencies))]

    def row(self, instrument: int) -> Row:
        contract = self.contracts[instrument]
        return self.rows.get(instrument, Row(instrument, leverage=contract.default_leverage))

    def domain(self, row: Row) -> tuple[int, list[Row]]:
        """(margin or cash, positions) of the domain that a position belongs to."""
        if row.mode == Mode.ISOLATED:
            return row.margin, [row]
        currency = self.contracts[row.instrument].currency
        held = (r for r in self.rows.values() if r.size and r.mode == Mode.CROSS)
        return self.wallets[currency][0], [r for r in held if self.contracts[r.instrument].currency == currency]

    def requirement(self, base: int, rows: list[Row]) -> Requirement:
        return margin.requirement(self.rules, self.contracts, base, rows)

    def share(self, row: Row) -> int:
        base, rows = self.domain(row)
        return 0 if row.mode else margin.equity_shares(self.contracts, base, list(rows))[rows.index(row)]

    def liquidation_ticks(self, row: Row) -> int | None:
        """The first tick towards loss at which the domain is below R_own; None if no legal tick is.

        Equity minus requirement only falls towards loss (rates are below one), so bisection is exact.
        """
        contract = self.contracts[row.instrument]
        base, rows = self.domain(row)
        mark = contract.mark

        def below(ticks: int) -> bool:
            contract.mark = ticks
            r = self.requirement(base, rows)
            return r.equity < r.own

        try:
            if row.size > 0:
                return _last(below, 1, contract.max_price_ticks)
            return _first(below, 1, contract.max_price_ticks)
        finally:
            contract.mark = mark


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


# --- Building views -------------------------------------------------------------------------------------


def _position(moment: Moment, row: Row) -> PositionView:
    exchange, contract = moment.exchange, moment.contracts[row.instrument]
    terms = exchange.instruments[row.instrument]
    unit, tick = terms.unit, terms.tick_size
    own = entry = ratio = liquidation = bankruptcy = effective = ticks = away = None
    if row.size:
        base, rows = moment.domain(row)
        r = moment.requirement(base, rows)
        own_rate = margin.threshold_rates(moment.rules, contract, row)[1]
        own = margin.fee_units(margin.value_at_mark(contract, row), own_rate)
        entry = _ratio(abs(row.cost) * tick, abs(row.size) * contract.units)
        ratio = _ratio(Decimal(r.equity), r.value)
        effective = _ratio(Decimal(r.value), r.equity) if r.equity > 0 else None
        ticks = moment.liquidation_ticks(row)
        if ticks is not None:
            liquidation = from_units(ticks, tick)
            away = contract.mark - ticks if row.size > 0 else ticks - contract.mark
        cost = margin.bankruptcy_cost(contract, row, moment.share(row))
        bankruptcy = from_units(margin.price_paying(contract, row.size, cost, 0), tick)
    return PositionView(
        account=exchange.account_name(moment.account), instrument=terms.name, mode=Mode(row.mode).name.lower(),
        leverage=row.leverage, size=from_units(row.size, terms.lot_size), entry_price=entry,
        mark_price=from_units(contract.mark, tick) if contract.mark else None,
        value=from_units(margin.value_at_mark(contract, row), unit),
        upl=from_units(margin.upl(contract, row), unit), margin=from_units(row.margin, unit),
        maintenance=from_units(own or 0, unit), margin_ratio=ratio, tier=margin.tier_of(contract, row.size) + 1,
        liquidation_price=liquidation, bankruptcy_price=bankruptcy,
        initial=from_units(margin.initial_units(contract, row), unit), effective_leverage=effective,
        distance_ticks=away, distance=None if away is None else _ratio(Decimal(away), contract.mark),
        size_lots=row.size, cost_units=row.cost, margin_units=row.margin,
    )  # fmt: skip


def _ratio(numerator: Decimal, denominator: int) -> Decimal:
    """A quotient for reading, rounded half even to nine decimals."""
    top, bottom = numerator.as_integer_ratio()
    scaled, rest = divmod(top * 10**9, bottom * denominator)
    twice = 2 * rest - bottom * denominator
    return from_units(scaled + (twice > 0 or (twice == 0 and scaled % 2 == 1)), Decimal("1e-9"))


def position_view(exchange: "Exchange", account: int, instrument: int) -> PositionView:
    moment = Moment(exchange, account)
    return _position(moment, moment.row(instrument))


def _wallets(moment: Moment) -> dict[str, WalletView]:
    result = {}
    for i, (currency, unit) in enumerate(moment.exchange.currencies.items()):
        cash, hold, free, spendable = moment.wallets[i]
        rows = [row for row in moment.rows.values() if row.size and moment.contracts[row.instrument].currency == i]
        profits = {row: margin.upl(moment.contracts[row.instrument], row) for row in rows}
        cross = cash + sum(profit for row, profit in profits.items() if not row.mode)
        equity = cross + sum(row.margin + profit for row, profit in profits.items() if row.mode)
        result[currency] = WalletView(
            currency=currency, cash=from_units(cash, unit), equity=from_units(equity, unit),
            margin_balance=from_units(cross, unit), hold=from_units(hold, unit), free=from_units(free, unit),
            withdrawable=from_units(max(0, spendable), unit), cash_units=cash,
        )  # fmt: skip
    return result


def account_view(exchange: "Exchange", account: int) -> AccountView:
    moment = Moment(exchange, account)
    positions = {exchange.instruments[i].name: _position(moment, row) for i, row in moment.rows.items()}
    return AccountView(exchange.account_name(account), account, _wallets(moment), positions)


_TRIGGERS = (None, "stop", "take_profit", "trailing", "trailing")  # by TriggerKind


def order_view(exchange: "Exchange", row: tuple[int, ...]) -> OrderView:
    order_id, account, instrument, side, price, remaining, size, client_id, flags, tif, _, dormant, *terms = row
    trigger, _, _, _, expiry_ns, _, source, kind, *_ = terms
    traded = exchange.instruments[instrument]
    lot, tick = traded.lot_size, traded.tick_size
    return OrderView(
        order_id, client_id, exchange.account_name(account), traded.name, Side(side).name.lower(),
        from_units(price, tick) if price else None, from_units(size, lot), from_units(size - remaining, lot),
        from_units(remaining, lot),
        bool(flags & Flag.POST_ONLY), bool(flags & Flag.REDUCE_ONLY), Tif(tif).name.lower(),
        bool(dormant), _TRIGGERS[kind] if dormant else None, from_units(trigger, tick) if dormant else None,
        Source(source).name[3:].lower() if dormant else None, expiry_ns or None,
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
    ppb = Decimal("1e-9")
    rates = []
    for row in rows:
        full, own = margin.threshold_rates(moment.rules, moment.contracts[row.instrument], row)
        rates.append((from_units(full, ppb), from_units(own, ppb)))
    next_step = _NEXT[verdict].format(tiers=moment.rules.step_tiers, what=what)
    if verdict == Verdict.PARTIAL and any(row.stuck for row in rows):
        next_step += "; it found no fill and waits for the next mark"
    return DomainView(
        title=f"isolated {terms.name}" if isolated else f"cross {terms.settle}",
        mode="isolated" if isolated else "cross", currency=terms.settle,
        base=from_units(base, terms.unit), upl=from_units(r.equity - base, terms.unit),
        equity=from_units(r.equity, terms.unit), value=from_units(r.value, terms.unit),
        full=from_units(r.full, terms.unit), own=from_units(r.own, terms.unit), next=next_step,
        positions=tuple(_position(moment, row) for row in rows), rates=tuple(rates),
    )  # fmt: skip


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
