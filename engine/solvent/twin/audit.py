"""The invariants of the readable kernel, recomputed from its state, for check()."""

from collections.abc import Iterator
from itertools import chain, pairwise

from solvent.schema.limits import FIRST_USER
from solvent.schema.states import CALLS
from solvent.schema.words import Arm, Leg, Listing, Mode, Purse, Side
from solvent.twin.account import margin
from solvent.twin.account.ledger import OpenSide
from solvent.twin.liquidation.case import State
from solvent.twin.liquidation.verdict import judge
from solvent.twin.market.brackets import stands_for
from solvent.twin.market.triggers import direction, reached


def broken(top: State, clock_ns: int, bare: bool) -> str | None:
    """Returns the first invariant that does not hold, or None. top: the state from which all rooms are seen."""
    for checks in (_books, _bare) if bare else (_books, _money, _orders, _safety):
        for failure in checks(top):
            return failure
    return next(chain(_dormant(top, clock_ns), _brackets(top)), None)


def _books(top: State) -> Iterator[str]:
    for i, book in enumerate(top.trading.books):
        gathers = top.contracts[i].listing in (*CALLS, Listing.HALTED)
        bid = book.touch(Side.SELL, 1)
        if bid and book.touch(Side.BUY, bid) and not gathers:
            yield f"BOOK-1: the book of instrument {i} is crossed"
        for side in (Side.BUY, Side.SELL):
            orders = list(book.orders(side))
            if any(not 0 < order.remaining <= order.size for order in orders):
                yield f"BOOK-6: an order of instrument {i} has a wrong size"
            if any(not order.whole and not 0 <= order.hidden < order.remaining for order in orders):
                yield f"BOOK-6: an iceberg of instrument {i} shows nothing"
            if any(a.price == b.price and a.side != b.side for a, b in pairwise(orders)):
                yield f"BOOK-5: the book of instrument {i} mixes sides"


def _bare(top: State) -> Iterator[str]:
    live = sum(1 for side in (Side.BUY, Side.SELL) for _ in top.trading.books[0].orders(side))
    live += len(top.trading.triggers.dormant[0]) + sum(order.parked for order in top.trading.pegged.values())
    slots = top.trading.slots
    if live != len(top.trading.live) or live != slots.high_water - len(slots.free):
        yield f"BOOK-10: {live} orders in the book, {slots.high_water - len(slots.free)} slots in use"


def _money(top: State) -> Iterator[str]:
    ledger = top.ledger
    for i, members in enumerate(ledger.members):
        total = sum(p.size for p in members) + sum(q.size for q in ledger.parcels if q.instrument == i)
        if total:
            yield f"MON-2: sizes in instrument {i} sum to {total}"
    for currency in range(ledger.currencies):
        ours = [p for i, members in enumerate(ledger.members) if top.contracts[i].currency == currency for p in members]
        parcels = [q for q in ledger.parcels if top.contracts[q.instrument].currency == currency]
        cash = sum(wallets[currency] for wallets in ledger.wallets) + sum(p.margin for p in ours)
        costs = sum(p.cost for p in ours) + sum(q.cost for q in parcels)
        purses = {purse: ledger.wallets[purse][currency] for purse in Purse}
        if cash:
            yield f"MON-1: purses in currency {currency} sum to {cash}"
        if purses[Purse.CLEARING] != -costs:
            yield f"MON-3: clearing {purses[Purse.CLEARING]}, costs {costs}"
        if purses[Purse.FUND] < 0:
            yield f"LIQ-7: the fund of currency {currency} is below zero"
        if purses[Purse.DEFICIT] > 0:
            yield f"LIQ-6: the deficit of currency {currency} is above zero"
        if purses[Purse.HOUSE]:
            yield f"LIQ-10: the house holds cash in currency {currency}"


def _orders(top: State) -> Iterator[str]:
    live = 0
    for members in top.ledger.members:
        for p in members:
            live += len(p.orders)
            sums = [OpenSide(), OpenSide()]
            resting = [order for order in p.orders if order.resting]  # a dormant order has no hold until it fires
            for order in resting:
                if not order.reduces:
                    sums[order.side] = sums[order.side].add(top.trading.exposure(order, order.remaining))
            reduce = sum(order.remaining for order in resting if order.reduces)
            if tuple(sums) != p.open_sides or reduce != p.reduce.lots:
                yield f"MON-8: resting orders of account {p.account} do not add up"
            if reduce > abs(p.size):
                yield f"BOOK-7: reduce-only orders of account {p.account} exceed the position"
            if margin.hold_units(top.contracts[p.instrument], p, p.open_sides) != p.hold:
                yield f"MON-8: the hold of account {p.account} is {p.hold}"
    for parcel in top.ledger.parcels:
        if parcel.order:
            live += 1
            if parcel.order.remaining != abs(parcel.size):
                yield f"LIQ-4: the order of parcel {parcel.parcel_id} does not cover it"
    slots = top.trading.slots
    if live != len(top.trading.live) or live != slots.high_water - len(slots.free):
        yield f"BOOK-10: {live} orders in the books, {slots.high_water - len(slots.free)} slots in use"


def _dormant(top: State, clock_ns: int) -> Iterator[str]:
    """Yields dormant orders that their price has reached where trading is continuous, and orders left due or expired."""
    triggers = top.trading.triggers
    for i, orders in enumerate(triggers.dormant):
        watched = top.trading.watched(i)
        for order in orders.values():
            price, asleep = watched[order.terms.source], top.contracts[i].listing != Listing.TRADING
            if not (asleep or order.terms.waits or order.unarmed) and reached(
                direction(order.side, order.terms.kind), order.terms.trigger, price
            ):
                yield f"ORD-4: the trigger of order {order.order_id} is reached and it sleeps"
    first, timer = triggers.first_date(), top.trading.timers.first()
    late = first is not None and first.terms.expiry_ns <= clock_ns
    if timer and timer.deadline_ns <= clock_ns:
        yield f"ORD-1: a timer of account {timer.key.account} is left that is due"
    if triggers.due or late:
        yield "ORD-1: orders are left that are due or have expired"


def _brackets(top: State) -> Iterator[str]:
    """Yields brackets whose children could close more than their entry has filled, or stand for nothing any more."""
    live, brackets = top.trading.live, top.trading.brackets
    joined = sum(1 for order in live.values() if order.bracket)
    if brackets.marked or joined != sum(len(each.children) + bool(each.entry) for each in brackets.all):
        yield f"ORD-8: {joined} orders are joined, {len(brackets.marked)} brackets are left to look at"
    for each in brackets.all:
        entry, target = live.get(each.entry), live.get(each.target)
        lots, shown = stands_for(each, entry), target.remaining if target and target.resting else 0
        closed = each.closed + (target.size - target.remaining if target else 0)
        if each.arm != Arm.FOLLOWS and (closed + shown > lots or (lots and closed >= lots)):
            yield f"ORD-8: children of {each.row()} have closed {closed} of {lots} lots and show {shown}"
        if not each.children:
            yield f"ORD-8: the bracket {each.row()} has no child"


def _safety(top: State) -> Iterator[str]:
    ledger = top.ledger
    for account in range(FIRST_USER, len(ledger.wallets)):
        positions = ledger.positions_of(account)
        for p in positions:
            if p.mode == Mode.ISOLATED and p.size and judge(top, account, 0, p)[0]:
                yield f"LIQ-1: the isolated position of account {account} is below its threshold"
            if abs(p.size) > top.contracts[p.instrument].max_size_lots:
                yield f"MAR-1: a position of account {account} is beyond the last tier"
            if (p.leg == Leg.LONG and p.size < 0) or (p.leg == Leg.SHORT and p.size > 0) or (p.hedged and p.size):
                yield f"MAR-2: a leg of account {account} holds the other side"
            if not p.size and (p.cost or p.margin):
                yield f"MON-3: a flat position of account {account} carries money"
        for currency in range(ledger.currencies):
            verdict, r, _ = judge(top, account, currency, None)
            if verdict:
                yield f"LIQ-1: the cross positions of account {account} are below their threshold"
            if not r.positions and ledger.wallets[account][currency] < 0:
                yield f"MON-8: the wallet of account {account} is below zero"
            holds = sum(p.hold for p in positions if top.contracts[p.instrument].currency == currency)
            if ledger.holds[account][currency] != holds:
                yield f"MON-8: the holds of account {account} do not add up"
