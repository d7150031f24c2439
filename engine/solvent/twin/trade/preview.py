"""Previews an order: executes it and puts everything back.

Owns the copies of what a trade changes: the book of its instrument, and the orders, positions and wallets of everybody in it.
Never changes anything for good, and emits nothing. Cost: O(orders in the book); the compiled core walks the makers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sortedcontainers import SortedDict

from solvent.schema.words import Purse, Side
from solvent.twin.account.ledger import Parcel, Position
from solvent.twin.market.book import Order
from solvent.twin.trade.lifecycle import Trading
from solvent.twin.trade.state import State, Ticket

_POSITION = ("size", "cost", "margin", "stuck", "hold", "open_sides", "reduce", "reduce_side")
_ORDER = ("remaining", "size", "resting", "hidden")
_PARCEL = ("size", "cost", "due", "order")


@contextmanager
def preview(trading: State, t: Ticket, lots: int) -> Iterator[Ticket]:
    """Yields a ticket like `t` for `lots`, to be executed. On exit every change is put back."""
    ledger, book = trading.ledger, trading.books[t.instrument]
    order = t.order or Order(0, t.account, t.instrument, t.side, t.price, t.remaining, t.size, 0, t.flags, t.tif, 0, t.holder)
    orders = [order, *(each for side in Side for each in book.orders(side))]
    holders = {id(each.holder): each.holder for each in orders if each.holder is not None}
    accounts = {*Purse, *(each.account for each in holders.values() if isinstance(each, Position))}
    accounts = {account for account in accounts if account < len(ledger.wallets)}
    kept: list[tuple[object, str, object]] = [(each, name, getattr(each, name)) for each in orders for name in _ORDER]
    for holder in holders.values():
        names = _POSITION if isinstance(holder, Position) else _PARCEL if isinstance(holder, Parcel) else ()
        kept += [(holder, name, getattr(holder, name)) for name in names]
        if isinstance(holder, Position):
            kept.append((holder, "orders", list(holder.orders)))
    sides, dark = (
        tuple(SortedDict({key: list(queue) for key, queue in side.items()}) for side in each)
        for each in (book.sides, book.dark)
    )
    money = [(rows, account, list(rows[account])) for rows in (ledger.wallets, ledger.holds) for account in accounts]
    touched, past = dict(ledger.touched), [replace(each) for each in ledger.past.values]
    trading.previews = trading.log.silent = True
    try:
        yield replace(t, order=order, remaining=lots)
    finally:
        trading.previews = trading.log.silent = False
        for each, name, value in kept:
            setattr(each, name, value)
        for rows, account, values in money:
            rows[account] = values
        book.sides, book.dark, ledger.touched, ledger.past.values = sides, dark, touched, past


def dry_run(trading: Trading, t: Ticket) -> tuple[int, int]:
    """Returns (lots that would stay unfilled, last price it would pay), by a preview."""
    with preview(trading, t, t.remaining) as previewed:
        trading.trade_through(previewed)
        return t.remaining - previewed.traded, previewed.reached or t.limit
