"""Frozen views of accounts, positions, orders and depth.

Owns the rendering of a kernel's rows (schema/rows) in decimals and words. Never computes what an account needs or has: each
kernel answers that from its own state. Never writes. Cost: what the rows cost, and the decimals. A field of a position or a
wallet is rendered when it is first read.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from decimal import Decimal
from functools import cache
from typing import Any, Self

from solvent.api.names import client_id_of, name_of
from solvent.api.venue import Venue
from solvent.schema.limits import RATE
from solvent.schema.rows import PositionRow, WalletRow
from solvent.schema.states import STATES
from solvent.schema.words import Flag, Kind, Mode, Purse, Side, Source, Tif
from solvent.terms.decimals import PPB, from_units, half_even
from solvent.terms.instrument import Instrument

__all__ = [
    "AccountView", "BracketView", "Depth", "OrderView", "ParcelView", "PositionView", "PriceView", "WalletView",
]  # fmt: skip


_LEG_NAMES = (None, "long", "short")


def by(renderer: Callable[..., Any]) -> Any:
    """Declares a field by what renders it; the renderer takes what the view is made of."""
    return field(metadata={"by": renderer})


@cache
def _renderers(view: Any, /) -> dict[str, Callable[..., Any]]:
    return {each.name: each.metadata["by"] for each in fields(view)}


class Rendered:
    """Renders a view's fields from a row when they are first read, and keeps them. The row is that of the view's moment."""

    __slots__ = ("_source",)

    @classmethod
    def of(cls, *source: Any) -> Self:
        """Makes a view of what its renderers take: a row, and what stands behind its numbers."""
        made = object.__new__(cls)
        object.__setattr__(made, "_source", source)
        return made

    def __getattr__(self, name: str) -> Any:
        """Renders a field that was not read yet."""
        kind: Any = type(self)
        renderer = _renderers(kind).get(name)
        if renderer is None:
            raise AttributeError(f"{type(self).__name__} has no {name!r}")
        found = renderer(*self._source)
        object.__setattr__(self, name, found)
        return found


@dataclass(frozen=True, slots=True)
class WalletView(Rendered):
    """Shows one currency of an account; amounts are in that currency.

    cash: the wallet without isolated margin. equity: cash, isolated margins and the unrealised profit of all positions.
    margin_balance: cash and the unrealised profit of the cross positions. hold: reserved by resting orders. free: available
    for new cross orders. withdrawable: the most that may leave the wallet. collateral: the worth of other currencies here,
    part of equity, margin_balance and free.

    initial, maintenance: initial margin and maintenance margin of all positions at mark, cross and isolated. maintenance is
    R_own, with what resting orders add by the rule set. margin_ratio: margin_balance / value of the cross positions, to nine
    decimals. effective_leverage: its inverse. Both are None without cross positions; effective_leverage is None without
    equity, too.
    """

    currency: str = by(lambda row, unit, currency: currency)
    cash: Decimal = by(lambda row, unit, currency: from_units(row.cash_units, unit))
    equity: Decimal = by(lambda row, unit, currency: from_units(row.equity_units, unit))
    margin_balance: Decimal = by(lambda row, unit, currency: from_units(row.balance_units, unit))
    hold: Decimal = by(lambda row, unit, currency: from_units(row.hold_units, unit))
    free: Decimal = by(lambda row, unit, currency: from_units(row.free_units, unit))
    withdrawable: Decimal = by(lambda row, unit, currency: from_units(row.withdrawable_units, unit))
    collateral: Decimal = by(lambda row, unit, currency: from_units(row.collateral_units, unit))
    initial: Decimal = by(lambda row, unit, currency: from_units(row.initial_units, unit))
    maintenance: Decimal = by(lambda row, unit, currency: from_units(row.maintenance_units, unit))
    margin_ratio: Decimal | None = by(
        lambda row, unit, currency: ratio(row.cross_equity_units, row.cross_value_units) if row.cross_value_units else None
    )
    effective_leverage: Decimal | None = by(
        lambda row, unit, currency: _effective(row.cross_equity_units, row.cross_value_units)
    )
    cash_units: int = by(lambda row, unit, currency: row.cash_units)


@dataclass(frozen=True, slots=True)
class PriceView:
    """Shows the prices of an instrument; each is None before the first one.

    last: the price of the last trade between users. funding_rate: the rate that the next settlement, at next_funding_ns, would
    charge longs by what is known now; None if rates are handed in.
    """

    instrument: str
    mark: Decimal | None
    index: Decimal | None
    last: Decimal | None
    funding_rate: Decimal | None
    next_funding_ns: int | None


@dataclass(frozen=True, slots=True)
class MarketView:
    """Shows the state of an instrument's market.

    ends_ns: when its auction ends by itself, and then: the state after that; None otherwise. price, size, surplus: what an
    uncross would trade now, and by how many contracts bids exceed asks there; None, 0 and 0 where nothing crosses.
    """

    instrument: str
    state: str
    ends_ns: int | None
    then: str | None
    extensions: int
    price: Decimal | None
    size: Decimal
    surplus: Decimal


@dataclass(frozen=True, slots=True)
class PositionView(Rendered):
    """Shows one position.

    Prices and money are in currency, sizes in contracts (negative: short), fields *_units and *_lots raw.

    value, upl: value and unrealised profit at mark. margin: isolated margin, 0 for cross. initial: initial margin, at least
    ceil(value / leverage); a curve may ask for more. maintenance: maintenance margin with its fees (R_own); below it the next
    step of liquidation begins. margin_ratio: equity / value of its margin domain, to nine decimals, None when flat.
    effective_leverage: the inverse, value / equity of the margin domain; None when flat or without equity. leg: "long" or
    "short" in hedge mode. entry_price: the price that gives the position its cost, for reading only, None when flat.

    liquidation_price: the first tick on the way down (long) or up (short) at which the position is stepped down or taken over.
    Other marks are held. None means that there is no such tick. For a cross hedge whose other leg is larger it lies on the
    other side. Roundings may hide a nearer price (docs/reference/arrays.md). distance_ticks: how far the mark may go before
    liquidation_price, 0 or negative once it is reached. distance: the same as a share of mark. Both are None without a
    liquidation price.

    profit_side_liquidation_price: a liquidation price in the direction of the position's profit, nearly always None. It exists
    where a higher tier asks for more (whole tiers by notional jump). It also exists where a power curve, the other leg or the
    collateral that the instrument prices loses more than the position gains. A modelled index is taken to move with the mark;
    other indices are held.

    bankruptcy_price: the price at which the house would offer the position after a takeover now. Isolated: the tick that
    leaves nothing of its margin. Cross: the tick that leaves nothing of its share of the account's equity at these marks. It
    moves with the marks, and far from danger it may lie anywhere. It is rounded to the safe side and leaves out the closing
    fee. It may be zero, below or above every legal price. None means that no price is bankrupt, or that every price is
    (inverse).
    """

    account: str = by(lambda row, terms, owner: owner)
    instrument: str = by(lambda row, terms, owner: terms.name)
    leg: str | None = by(lambda row, terms, owner: _LEG_NAMES[row.leg])
    mode: str = by(lambda row, terms, owner: Mode(row.mode).name.lower())
    leverage: int | Decimal = by(lambda row, terms, owner: _times(row))
    chosen_tier: int = by(lambda row, terms, owner: row.chosen_tier)
    size: Decimal = by(lambda row, terms, owner: from_units(row.size_lots, terms.lot_size))
    entry_price: Decimal | None = by(
        lambda row, terms, owner: price_of(terms, row.size_lots, row.cost_units) if row.size_lots else None
    )
    mark_price: Decimal | None = by(lambda row, terms, owner: _tick_price(row.mark_ticks, terms))
    value: Decimal = by(lambda row, terms, owner: from_units(row.value_units, terms.unit))
    upl: Decimal = by(lambda row, terms, owner: from_units(row.upl_units, terms.unit))
    margin: Decimal = by(lambda row, terms, owner: from_units(row.margin_units, terms.unit))
    maintenance: Decimal = by(lambda row, terms, owner: from_units(row.own_units, terms.unit))
    margin_ratio: Decimal | None = by(
        lambda row, terms, owner: ratio(row.equity_units, row.domain_value_units) if row.size_lots else None
    )
    tier: int = by(lambda row, terms, owner: row.tier + 1)
    liquidation_price: Decimal | None = by(lambda row, terms, owner: _tick_price(row.liquidation_ticks, terms))
    profit_side_liquidation_price: Decimal | None = by(lambda row, terms, owner: _tick_price(row.profit_side_ticks, terms))
    bankruptcy_price: Decimal | None = by(lambda row, terms, owner: _bankruptcy(row, terms))
    initial: Decimal = by(lambda row, terms, owner: from_units(row.initial_units, terms.unit))
    effective_leverage: Decimal | None = by(lambda row, terms, owner: _effective(row.equity_units, row.domain_value_units))
    distance_ticks: int | None = by(lambda row, terms, owner: _distance_ticks(row))
    distance: Decimal | None = by(lambda row, terms, owner: _distance(row))
    size_lots: int = by(lambda row, terms, owner: row.size_lots)
    cost_units: int = by(lambda row, terms, owner: row.cost_units)
    margin_units: int = by(lambda row, terms, owner: row.margin_units)

    @property
    def side(self) -> str:
        """Returns "long", "short" or "flat"."""
        return "long" if self.size_lots > 0 else "short" if self.size_lots < 0 else "flat"


@dataclass(frozen=True, slots=True)
class AccountView:
    """Shows an account: wallets by currency, and every position ever touched by instrument ("BTC-USDT-SWAP").

    In hedge mode a position's key has its leg, too ("BTC-USDT-SWAP long"). With one currency the fields of its wallet are
    attributes here: view.cash, view.equity, view.free, ...
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
    """Shows a live order.

    size: as accepted or amended, what is filled included (0 for a dormant close-position order). dormant: True while the order
    waits for its trigger: a "stop", "take_profit" or "trailing" one, at trigger_price, by the price named `by`. trigger_price:
    None while it waits for its activation. price: None for a dormant market order. expiry_ns: the end of a gtd order, else
    None. leg: in hedge mode, the order's position. tag: the number of the connection that sent it, 0 if none.
    """

    order_id: int
    client_id: int | str
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
    tag: int


@dataclass(frozen=True, slots=True)
class BracketView:
    """Shows what joins a target and a stop to their entry, or to their position.

    entry_id, target_id, stop_id: live orders, 0 for none and for one that has ended. arm: "incremental", "complete", "first",
    or "position" for a pair that follows its position.
    """

    entry_id: int
    target_id: int
    stop_id: int
    arm: str


@dataclass(frozen=True, slots=True)
class Depth:
    """Shows aggregated price levels, best first: (price, contracts)."""

    bids: list[tuple[Decimal, Decimal]]
    asks: list[tuple[Decimal, Decimal]]


@dataclass(frozen=True, slots=True)
class ParcelView:
    """Shows a position in the house's hands, a parcel.

    cost: what the house paid for it, signed. origin: the account that was taken over. order_id: the parcel's resting order, 0
    if none.
    """

    parcel_id: int
    instrument: str
    size: Decimal
    cost: Decimal
    bankruptcy_price: Decimal
    order_id: int
    origin: str


# --- Building views -------------------------------------------------------------------------------------

_UNBOUNDED = 2**63 - 1  # the bankruptcy price of what is never bankrupt, or always


def ratio(numerator: int, denominator: int) -> Decimal:
    """Divides for reading, rounded half even to nine decimals."""
    return from_units(half_even(numerator * RATE, denominator), PPB)


def price_view(venue: Venue, kernel: Any, index: int) -> PriceView:
    """Renders the prices of an instrument."""
    terms = venue.instruments[index]
    mark, last, spot = (from_units(ticks, terms.tick_size) if ticks else None for ticks in kernel.prices(index))
    rate, at_ns = kernel.coming_funding(index) or (None, None)
    return PriceView(terms.name, mark, spot, last, None if rate is None else from_units(rate, PPB), at_ns)


def market_view(venue: Venue, kernel: Any, index: int) -> MarketView:
    """Renders the state of an instrument's market."""
    terms, words = venue.instruments[index], {number: name for name, number in STATES.items()}
    listing, ends_ns, then, extensions, price, lots, surplus = kernel.market(index)
    return MarketView(
        terms.name, words[listing], ends_ns or None, words[then] if ends_ns else None, extensions,
        from_units(price, terms.tick_size) if price else None, from_units(lots, terms.lot_size),
        from_units(surplus, terms.lot_size),
    )  # fmt: skip


def price_of(terms: Instrument, lots: int, cost_units: int) -> Decimal | None:
    """Returns the price at which so many lots would have exactly a cost."""
    up, down = terms.tick_size.as_integer_ratio()
    cost, worth = abs(cost_units), abs(lots) * terms.spec.units
    if terms.spec.kind == Kind.INVERSE:
        return ratio(worth * up, cost * down) if cost else None
    return ratio(cost * up, worth * down)


def _distance_ticks(row: PositionRow) -> int | None:
    """Returns how far the mark may go before the liquidation price."""
    if not row.liquidation_ticks:
        return None
    away = row.mark_ticks - row.liquidation_ticks if row.size_lots > 0 else row.liquidation_ticks - row.mark_ticks
    return abs(away) if row.other_lots else away


def _distance(row: PositionRow) -> Decimal | None:
    away = _distance_ticks(row)
    return None if away is None else ratio(away, row.mark_ticks)


def _tick_price(ticks: int, terms: Instrument) -> Decimal | None:
    return from_units(ticks, terms.tick_size) if ticks else None


def _effective(equity: int, value: int) -> Decimal | None:
    return ratio(value, equity) if value and equity > 0 else None


def _bankruptcy(row: PositionRow, terms: Instrument) -> Decimal | None:
    return from_units(row.bankruptcy_ticks, terms.tick_size) if row.size_lots and row.bankruptcy_ticks != _UNBOUNDED else None


def _times(row: PositionRow) -> int | Decimal:
    return row.leverage if row.leverage_parts == 1 else ratio(row.leverage, row.leverage_parts)


def position_of(venue: Venue, owner: str, row: PositionRow) -> PositionView:
    """Shows a row of an account."""
    return PositionView.of(row, venue.instruments[row.instrument], owner)


def position_view(venue: Venue, kernel: Any, account: int, instrument: int, leg: int) -> PositionView:
    """Renders one position of an account."""
    row = PositionRow(*kernel.position_row(account, instrument, leg))
    return position_of(venue, name_of(kernel, account), row)


def wallets(venue: Venue, kernel: Any, account: int) -> dict[str, WalletView]:
    rows = (WalletRow(*row) for row in kernel.wallet_rows(account))
    return {venue.currency_names[row.currency]: wallet_of(venue, row) for row in rows}


def wallet_of(venue: Venue, row: WalletRow) -> WalletView:
    """Shows one currency of an account."""
    return WalletView.of(row, venue.units[row.currency], venue.currency_names[row.currency])


def account_view(venue: Venue, kernel: Any, account: int) -> AccountView:
    """Renders an account with its wallets and positions."""
    owner, rows = name_of(kernel, account), [PositionRow(*row) for row in kernel.position_rows(account)]
    positions = {title(venue, row.instrument, row.leg): position_of(venue, owner, row) for row in rows if not row.hedged}
    return AccountView(owner, account, wallets(venue, kernel, account), positions)


def title(venue: Venue, instrument: int, leg: int) -> str:
    """Returns an instrument's name, and the leg of a hedge."""
    name = venue.instruments[instrument].name
    return f"{name} {_LEG_NAMES[leg]}" if leg else name


_TRIGGERS = (None, "stop", "take_profit", "trailing", "trailing")  # by TriggerKind


def order_view(venue: Venue, kernel: Any, row: tuple[int, ...]) -> OrderView:
    """Renders a row of a live order."""
    order_id, account, instrument, side, price, remaining, size, client_id, flags, tif, _, dormant, *terms = row
    trigger, _, _, _, expiry_ns, _, source, kind, _, _, leg, *_, tag, _ = terms
    traded = venue.instruments[instrument]
    lot, tick = traded.lot_size, traded.tick_size
    return OrderView(
        order_id, client_id_of(kernel, account, client_id), name_of(kernel, account), traded.name, Side(side).name.lower(),
        from_units(price, tick) if price else None, from_units(size, lot), from_units(size - remaining, lot),
        from_units(remaining, lot),
        bool(flags & Flag.POST_ONLY), bool(flags & Flag.REDUCE_ONLY), Tif(tif).name.lower(),
        bool(dormant), _TRIGGERS[kind] if dormant else None, from_units(trigger, tick) if dormant and trigger else None,
        Source(source).name[3:].lower() if dormant else None, expiry_ns or None, _LEG_NAMES[leg], tag,
    )  # fmt: skip


def depth_view(venue: Venue, kernel: Any, instrument: int, n: int) -> Depth:
    """Renders at most n levels a side."""
    terms = venue.instruments[instrument]
    bids, asks = (
        [(from_units(price, terms.tick_size), from_units(lots, terms.lot_size)) for price, lots in side]
        for side in kernel.depth(instrument, n)
    )
    return Depth(bids, asks)


def parcel_view(venue: Venue, kernel: Any, row: tuple[int, ...]) -> ParcelView:
    """Renders a row of a parcel."""
    parcel_id, instrument, size, cost, ticks, order_id, origin = row
    terms = venue.instruments[instrument]
    return ParcelView(
        parcel_id, terms.name, from_units(size, terms.lot_size), from_units(cost, terms.unit),
        from_units(ticks, terms.tick_size), order_id, name_of(kernel, origin),
    )  # fmt: skip


def purse_balance(venue: Venue, kernel: Any, purse: Purse, currency: int) -> Decimal:
    """Returns the balance of a house purse in a currency."""
    return from_units(kernel.wallet(int(purse), currency)[0], venue.units[currency])
