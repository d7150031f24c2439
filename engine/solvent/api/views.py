"""Frozen views of accounts, positions, orders and depth, and `explain`: every term behind a margin ratio.

Owns nothing: each view is computed from one moment's kernel reads (`moment`) with the formulas of twin/account/margin.py,
so it is right for both kernels. Never writes. Cost: explain bisects two prices per position.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from solvent.api.reading import Moment, Row
from solvent.schema.limits import RATE
from solvent.schema.words import Flag, Kind, Mode, Purse, Side, Source, Tif, Verdict
from solvent.terms.decimals import PPB, from_fraction, from_units, half_even, plain
from solvent.twin.account import margin
from solvent.twin.base.integers import ceil_div
from solvent.twin.contract import valuation
from solvent.twin.contract.valuation import Contract

if TYPE_CHECKING:
    from solvent.api.exchange import Exchange

__all__ = [
    "AccountView", "Depth", "Explanation", "OrderView", "ParcelView", "PositionView", "PriceView", "WalletView",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class WalletView:
    """One currency of an account, in that currency.

    cash: the wallet, isolated margin not included. equity: cash, isolated margins and unrealised profit of
    all positions. margin_balance: cash and unrealised profit of the cross positions. hold: reserved by
    resting orders. free: available for new cross orders. withdrawable: may leave the wallet. collateral: what other
    currencies count here; part of equity, margin_balance and free. initial, maintenance: what all positions ask, cross and
    isolated, at mark (maintenance: R_own, with what resting orders add by rule). margin_ratio: margin_balance / value of the
    cross positions, to nine decimals; effective_leverage: its inverse; None without cross positions, or without equity.
    """

    currency: str
    cash: Decimal
    equity: Decimal
    margin_balance: Decimal
    hold: Decimal
    free: Decimal
    withdrawable: Decimal
    collateral: Decimal
    initial: Decimal
    maintenance: Decimal
    margin_ratio: Decimal | None
    effective_leverage: Decimal | None
    cash_units: int


@dataclass(frozen=True, slots=True)
class PriceView:
    """The prices of an instrument, None before the first. last: of the last trade between users. funding_rate: what the next
    settlement, at next_funding_ns, would charge longs by what is known now; None where rates are handed in."""

    instrument: str
    mark: Decimal | None
    index: Decimal | None
    last: Decimal | None
    funding_rate: Decimal | None
    next_funding_ns: int | None


@dataclass(frozen=True, slots=True)
class PositionView:
    """One position. Prices and money in currency, size in contracts (negative: short), *_units and *_lots raw.

    value, upl: at mark. margin: isolated margin, 0 for cross. maintenance: the requirement below which the
    next step of liquidation happens (R_own). margin_ratio: equity / value of its margin domain, rounded to
    nine decimals, None when flat. entry_price: the price that gives the position its cost, a view only, None when flat.
    liquidation_price: the first tick on the way down (long) or up (short) at which something happens, other
    marks held; None when there is none. Of a cross hedge whose other leg is larger it lies on the other side, and roundings
    may hide a nearer one (docs/arrays.md).
    profit_side_liquidation_price: where something happens although the price goes the position's way: a higher tier asks
    more (whole tiers by notional jump), or a power curve, the other leg or the collateral that it prices lose more than it
    gains; None nearly always. A modelled index is taken to move along with the mark, others are held.
    bankruptcy_price: where the house would offer the position if it took it over now: isolated, the tick that leaves
    nothing of its margin; cross, the one that leaves nothing of its share of the account's equity at these marks, so it
    moves with them and, far from danger, lies anywhere.
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
    leverage: int | Decimal
    chosen_tier: int
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
            cash, hold, free, withdrawable = map(plain, (w.cash, w.hold, w.free, w.withdrawable))
            lines.append(f"  wallet: cash {cash}, holds {hold}, free {free}, withdrawable {withdrawable} {w.currency}")
        for d in self.domains:
            lines += self._told(d)
        if not self.domains:
            lines.append("  no open position")
        return "\n".join(lines)

    def _told(self, d: DomainView) -> Iterator[str]:
        """The lines of a domain."""
        yield f"  {d.title}"
        counted = self.wallets[d.currency].collateral if d.mode == "cross" else Decimal(0)
        base = f"{'margin' if d.mode == 'isolated' else 'cash'} {plain(from_fraction(Fraction(d.base) - Fraction(counted)))}"
        backed = f" + collateral {plain(counted)}" if counted else ""
        yield f"    equity {plain(d.equity)} = {base}{backed} + profit {plain(d.upl)} {d.currency}"
        for p, (full, own) in zip(d.positions, d.rates, strict=True):
            rates = f"threshold {plain(full)}" + (f", step down {plain(own)}" if own > full else "")
            yield (
                f"    {p.instrument}: {p.side} {plain(p.size.copy_abs())} at entry {_price(p.entry_price)}, "
                f"mark {_price(p.mark_price)}, value {plain(p.value)}, tier {p.tier}, {rates}"
            )
            yield f"      liquidation price {_price(p.liquidation_price, 'none')} (other marks held)"
            yield f"      if taken over now, at its bankruptcy price {_price(p.bankruptcy_price)}"
        step = f", step down below {plain(d.own)}" if d.own > d.full else ""
        yield f"    takeover below {plain(d.full)}{step}"
        yield f"    next: {d.next}"


def _price(price: Decimal | None, none: str = "None") -> str:
    return none if price is None else plain(price)


_LEG_NAMES = (None, "long", "short")
_PRICES = (
    "entry_price", "liquidation_price", "profit_side_liquidation_price", "bankruptcy_price", "distance_ticks", "distance"
)  # fmt: skip

# --- Building views -------------------------------------------------------------------------------------


def price_view(exchange: "Exchange", index: int) -> PriceView:
    terms = exchange.instruments[index]
    mark, last, spot = (from_units(ticks, terms.tick_size) if ticks else None for ticks in exchange._kernel.prices(index))
    rate, at_ns = exchange._kernel.coming_funding(index) or (None, None)
    return PriceView(terms.name, mark, spot, last, None if rate is None else from_units(rate, PPB), at_ns)


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
    ticks, ahead = moment.liquidation_ticks(row)
    if ticks is not None:
        away = contract.mark - ticks if row.size > 0 else ticks - contract.mark
        away = abs(away) if row.other else away
        found |= {
            "liquidation_price": from_units(ticks, tick), "distance_ticks": away,
            "distance": _ratio(away, contract.mark),
        }  # fmt: skip
    return found | {"profit_side_liquidation_price": None if ahead is None else from_units(ahead, tick)}


def _entry(contract: Contract, row: Row, tick: Decimal) -> Decimal | None:
    """The price at which the position would have exactly its cost."""
    if contract.kind == Kind.INVERSE:
        return _ratio(abs(row.size) * contract.units * Fraction(tick), abs(row.cost)) if row.cost else None
    return _ratio(abs(row.cost) * Fraction(tick), abs(row.size) * contract.units)


def _position(moment: Moment, row: Row) -> PositionView:
    exchange, contract = moment.exchange, moment.contracts[row.instrument]
    terms = exchange.instruments[row.instrument]
    unit, tick = terms.unit, terms.tick_size
    own, ratio, effective, prices = 0, None, None, dict.fromkeys(_PRICES)
    if row.size:
        r = moment.requirement(*moment.domain(row))
        own = moment.own(row)
        ratio = _ratio(r.equity, r.value)
        effective = _ratio(r.value, r.equity) if r.equity > 0 else None
        prices |= _prices(moment, row)
    return PositionView(
        account=exchange.account_name(moment.account), instrument=terms.name, leg=_LEG_NAMES[row.leg],
        mode=Mode(row.mode).name.lower(),
        leverage=row.times if row.parts == 1 else _ratio(row.times, row.parts), chosen_tier=row.chosen_tier,
        size=from_units(row.size, terms.lot_size),
        mark_price=from_units(contract.mark, tick) if contract.mark else None,
        value=from_units(valuation.value_at_mark(contract, row), unit),
        upl=from_units(valuation.upl(contract, row), unit), margin=from_units(row.margin, unit),
        maintenance=from_units(own, unit), margin_ratio=ratio, tier=valuation.tier_of(contract, row) + 1,
        initial=from_units(margin.initial_units(contract, row), unit), effective_leverage=effective,
        size_lots=row.size, cost_units=row.cost, margin_units=row.margin, **prices,
    )  # fmt: skip


def _ratio(numerator: int | Fraction, denominator: int) -> Decimal:
    """A quotient for reading, rounded half even to nine decimals."""
    return from_units(half_even(numerator.numerator * RATE, numerator.denominator * denominator), PPB)


def position_view(exchange: "Exchange", account: int, instrument: int, leg: int) -> PositionView:
    moment = Moment(exchange, account)
    return _position(moment, moment.row(instrument, leg))


def _wallets(moment: Moment) -> dict[str, WalletView]:
    result = {}
    for i, (currency, unit) in enumerate(moment.exchange.currencies.items()):
        cash, hold, free, _, collateral = moment.wallets[i]
        rows = [row for row in moment.rows.values() if row.size and moment.contracts[row.instrument].currency == i]
        profits = {row: valuation.upl(moment.contracts[row.instrument], row) for row in rows}
        cross = cash + collateral + sum(profit for row, profit in profits.items() if not row.mode)
        equity = cross + sum(row.margin + profit for row, profit in profits.items() if row.mode)
        result[currency] = WalletView(
            currency=currency, cash=from_units(cash, unit), equity=from_units(equity, unit),
            margin_balance=from_units(cross, unit), hold=from_units(hold, unit), free=from_units(free, unit),
            withdrawable=from_units(moment.withdrawable(i), unit), collateral=from_units(collateral, unit), cash_units=cash,
            **_requirements(moment, i, rows, unit),
        )  # fmt: skip
    return result


def _requirements(moment: Moment, currency: int, rows: list[Row], unit: Decimal) -> dict[str, Any]:
    """What the positions of a currency ask, and how the cross ones stand."""
    initial = margin.initial_total(moment.contracts, rows)
    own = sum(moment.requirement(*moment.domain(row)).own for row in rows if row.mode)
    r = moment.requirement(*moment.cross_domain(currency))
    return {
        "initial": from_units(initial, unit), "maintenance": from_units(own + r.own, unit),
        "margin_ratio": _ratio(r.equity, r.value) if r.value else None,
        "effective_leverage": _ratio(r.value, r.equity) if r.value and r.equity > 0 else None,
    }  # fmt: skip


def account_view(exchange: "Exchange", account: int) -> AccountView:
    moment = Moment(exchange, account)
    rows = [row for row in moment.rows.values() if not row.hedged]
    positions = {_title(exchange, row): _position(moment, row) for row in rows}
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


def purse_balance(exchange: "Exchange", purse: Purse, currency: int) -> Decimal:
    unit = list(exchange.currencies.values())[currency]
    return from_units(exchange._kernel.wallet(int(purse), currency)[0], unit)


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
    held = [row for row in rows if row.size]
    rates = tuple(_rates(moment, row) for row in held)
    next_step = _NEXT[verdict].format(tiers=moment.rules.step_tiers, what=what)
    if verdict == Verdict.PARTIAL and any(row.stuck for row in rows):
        next_step += "; it found no fill and waits for the next mark"
    return DomainView(
        title=f"isolated {_title(exchange, rows[0])}" if isolated else f"cross {terms.settle}",
        mode="isolated" if isolated else "cross", currency=terms.settle,
        base=from_units(base, terms.unit), upl=from_units(r.equity - base, terms.unit),
        equity=from_units(r.equity, terms.unit), value=from_units(r.value, terms.unit),
        full=from_units(r.full, terms.unit), own=from_units(r.own, terms.unit), next=next_step,
        positions=tuple(_position(moment, row) for row in held), rates=rates,
    )  # fmt: skip


def _rates(moment: Moment, row: Row) -> tuple[Decimal, Decimal]:
    """The threshold rates of a position, fees included, before what its tier deducts or a curve adds."""
    contract = moment.contracts[row.instrument]
    rates = valuation.rates_of(contract, row.size > 0, row.leverage)
    bands = () if valuation.is_lesser(contract, row) else margin.bands(moment.rules, contract, row)
    parts = [(*valuation.factor(contract, k, rates[k], row.leverage), fee) for k, fee in bands] or [(0, 1, 0)] * 2
    full, own = (ceil_div(rate, over) + fee for rate, over, fee in parts)
    return from_units(full, PPB), from_units(max(full, own), PPB)


def explain(exchange: "Exchange", account: int) -> Explanation:
    moment = Moment(exchange, account)
    domains = [_domain(moment, row.margin, [row]) for row in moment.rows.values() if row.size and row.mode]
    for currency in range(len(moment.wallets)):
        base, rows = moment.cross_domain(currency)
        r = moment.requirement(base, rows)
        if r.positions or r.orders:
            domains.append(_domain(moment, base, rows))
    return Explanation(exchange.account_name(account), _wallets(moment), tuple(domains))
