"""What a Python user would pick instead, on the same near flow, and what each of them does not do.

python benchmarks/peers.py [--seconds 5] [--write]. --write: to benchmarks/results/peers.json, for the documents.
Peers are no dependency: install the ones to look at by hand (`pip install litebook
lightmatchingengine limit-order-book "order-matching[polars]" nautilus_trader`); those not installed are skipped with a line.
Each is called from Python as its documentation says, message by message; what it lacks is made from what it has (an
IOC is an order whose rest is cancelled, an amendment a cancel and an order), and that work is in its time. One that
does not finish in the seconds given is measured on the messages it got to. Which version is installed depends on the
Python: some of their newest want a newer one than solvent does.
"""

import argparse
import gc
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from time import perf_counter_ns
from typing import Any

import numpy as np

from bench import machine, today
from contenders import book, cut, play_solvent
from flows import Flow, near
from native import HERE
from solvent.records import CommandType, Tif, dtype
from yardstick import Yardstick

Call = tuple[str, tuple[Any, ...]]
RESULT = HERE / "results" / "peers.json"


def calls(records: bytes, yard: Yardstick, live: dict[int, list[int]], number: int) -> tuple[list[Call], int]:
    """The records as calls that need no solvent: orders by number; the yardstick says what traded."""
    out: list[Call] = []
    for i, c in enumerate(np.frombuffer(records, dtype("command")).tolist()):
        kind, side, account, tif, price, size = c[0], c[2], c[3], c[5], c[9], c[10]
        trades = np.frombuffer(yard.last(yard.run(records[64 * i : 64 * i + 64])), dtype("event"))
        fills = [(int(trade["a"]) >> 24, int(trade["d"])) for trade in trades]
        for maker, lots in fills:
            live[maker][2] -= lots
        if kind == CommandType.CANCEL:
            out.append(("cancel", (c[12] >> 24, *live[c[12] >> 24])))
        elif kind == CommandType.AMEND:
            old = live[c[12] >> 24]
            left = old[2] + (size - old[3] if size else 0)
            out.append(("amend", (c[12] >> 24, old[0], price or old[1], left, old[4], c[12], size, price)))
            old[1:4] = price or old[1], left, size or old[3]
        else:
            number += 1
            made = [(maker, *live[maker][:3]) for maker, _ in fills]
            out.append(("ioc" if tif == Tif.IOC else "add", (number, side, price, size, account, made)))
            live[number] = [side, price, size - sum(lots for _, lots in fills), size, account]
    return out, number


class Peer:
    """One library behind four calls; `lots` counts what traded, None where it does not say."""

    name = ""
    lacks = ""
    lots: int | None = 0

    def add(self, no: int, side: int, price: int, size: int, account: int, made: list[Any]) -> None:
        raise NotImplementedError

    def ioc(self, no: int, side: int, price: int, size: int, account: int, made: list[Any]) -> None:
        raise NotImplementedError

    def cancel(self, no: int, side: int, price: int, left: int, *_: int) -> None:
        raise NotImplementedError

    def amend(self, no: int, side: int, price: int, left: int, account: int, *_: int) -> None:
        """Cancel and order again: loses its place where it should keep it."""
        self.cancel(no, side, price, left)
        self.add(no, side, price, left, account, [])


class Solvent(Peer):
    name = "solvent.Book, call by call"
    lacks = "(the same commands in batches: the line above)"

    def __init__(self) -> None:
        self.book: Any = book()
        self.ids: dict[int, int] = {}

    def add(self, no: int, side: int, price: int, size: int, account: int, made: list[Any]) -> None:
        self.ids[no] = self.book.submit(account, side, price, size).order_id

    def ioc(self, no: int, side: int, price: int, size: int, account: int, made: list[Any]) -> None:
        self.lots += self.book.submit(account, side, price, size, Tif.IOC.value).filled_lots

    def cancel(self, no: int, side: int, price: int, left: int, size: int, account: int) -> None:
        self.book.revoke(account, self.ids.pop(no))

    def amend(self, no: int, side: int, price: int, left: int, account: int, *asked: int) -> None:
        _, size, new_price = asked
        self.book.amend(account, self.ids[no], size_lots=size or None, price_ticks=new_price or None)


class Litebook(Peer):
    name = "litebook"
    lacks = "no IOC, no amend, no accounts, no self-trade test; floats for sizes and prices; text ids; wall clock inside"

    def __init__(self) -> None:
        import litebook

        self.sides = (litebook.OrderType.Buy, litebook.OrderType.Sell)
        self.book = litebook.OrderBook(tick_size=1.0)
        self.ids: dict[int, str] = {}

    def add(self, no: int, side: int, price: int, size: int, account: int, made: list[Any]) -> None:
        order = self.book.create_order(self.sides[side], float(price), float(size))
        self.ids[no] = order.id
        for fill in self.book.add(order):
            self.lots += int(fill.quantity)

    def ioc(self, no: int, side: int, price: int, size: int, account: int, made: list[Any]) -> None:
        self.add(no, side, price, size, account, made)
        self.book.cancel(self.ids[no])

    def cancel(self, no: int, side: int, price: int, left: int, *_: int) -> None:
        self.book.cancel(self.ids.pop(no))


class LightMatchingEngine(Peer):
    name = "lightmatchingengine"
    lacks = "no IOC, no amend, no accounts, no self-trade test; pure Python, every order looks through all prices"

    def __init__(self) -> None:
        from lightmatchingengine.lightmatchingengine import LightMatchingEngine as Engine

        self.engine = Engine()
        self.ids: dict[int, int] = {}

    def add(self, no: int, side: int, price: int, size: int, account: int, made: list[Any]) -> None:
        order, trades = self.engine.add_order("X", price, size, side + 1)
        self.ids[no] = order.order_id
        if trades:
            self.lots += order.cum_qty

    def ioc(self, no: int, side: int, price: int, size: int, account: int, made: list[Any]) -> None:
        order, _ = self.engine.add_order("X", price, size, side + 1)
        self.lots += order.cum_qty
        if order.leaves_qty:
            self.engine.cancel_order(order.order_id, "X")

    def cancel(self, no: int, side: int, price: int, left: int, *_: int) -> None:
        self.engine.cancel_order(self.ids.pop(no), "X")


class LimitOrderBook(Peer):
    name = "limit-order-book"
    lacks = "reports no trade at all; no IOC, no amend, no accounts, no self-trade test; C++ through ctypes"
    lots = None

    def __init__(self) -> None:
        from limit_order_book import LimitOrderBook as LibraryBook

        self.book = LibraryBook()

    def add(self, no: int, side: int, price: int, size: int, account: int, made: list[Any]) -> None:
        (self.book.limit_buy, self.book.limit_sell)[side](no, size, price)

    def ioc(self, no: int, side: int, price: int, size: int, account: int, made: list[Any]) -> None:
        self.add(no, side, price, size, account, made)
        if self.book.has(no):
            self.book.cancel(no)

    def cancel(self, no: int, side: int, price: int, left: int, *_: int) -> None:
        self.book.cancel(no)


class OrderMatching(Peer):
    name = "order-matching"
    lacks = "no IOC, no amend, no self-trade test; floats; datetimes order the queue; looks through all orders for an id"

    def __init__(self) -> None:
        from loguru import logger
        from order_matching import enums, matching_engine, order, orders

        logger.disable("order_matching")
        self.sides = (enums.Side.BUY, enums.Side.SELL)
        self.order, self.orders = order.LimitOrder, orders.Orders
        self.engine = matching_engine.MatchingEngine(seed=1)
        self.time = datetime(2024, 1, 1)
        self.open: dict[int, Any] = {}

    def add(self, no: int, side: int, price: int, size: int, account: int, made: list[Any]) -> None:
        self.time += timedelta(microseconds=1)
        order = self.order(side=self.sides[side], price=float(price), size=float(size), timestamp=self.time,
                           order_id=str(no), trader_id=str(account))  # fmt: skip
        self.open[no] = order
        self.engine.place(self.orders([order]))
        for trade in self.engine.match(self.time):
            self.lots += int(trade.size)

    def ioc(self, no: int, side: int, price: int, size: int, account: int, made: list[Any]) -> None:
        self.add(no, side, price, size, account, made)
        if self.open.pop(no).size:
            self.engine.cancel_order(str(no))

    def cancel(self, no: int, side: int, price: int, left: int, *_: int) -> None:
        self.open.pop(no)
        self.engine.cancel_order(str(no))


class Nautilus(Peer):
    name = "nautilus_trader OrderBook"
    lacks = "does not match: it keeps a book from a feed, so it was told each maker's fill; trades only in its own backtests"
    lots = None

    def __init__(self) -> None:
        from nautilus_trader.model.book import OrderBook
        from nautilus_trader.model.data import BookOrder
        from nautilus_trader.model.enums import BookType, OrderSide
        from nautilus_trader.model.identifiers import InstrumentId
        from nautilus_trader.model.objects import Price, Quantity

        self.sides = (OrderSide.BUY, OrderSide.SELL)
        self.order = lambda no, side, price, left: BookOrder(
            self.sides[side], Price.from_int(price), Quantity.from_int(left), no
        )
        self.book = OrderBook(InstrumentId.from_str("X.SIM"), BookType.L3_MBO)

    def add(self, no: int, side: int, price: int, size: int, account: int, made: list[Any]) -> None:
        self.book.add(self.order(no, side, price, size), 0)

    def ioc(self, no: int, side: int, price: int, size: int, account: int, made: list[Any]) -> None:
        for maker, maker_side, maker_price, left in made:
            change = self.book.update if left else self.book.delete
            change(self.order(maker, maker_side, maker_price, left), 0)

    def cancel(self, no: int, side: int, price: int, left: int, *_: int) -> None:
        self.book.delete(self.order(no, side, price, left), 0)

    def amend(self, no: int, side: int, price: int, left: int, account: int, *_: int) -> None:
        self.book.update(self.order(no, side, price, left), 0)


PEERS: list[Callable[[], Peer]] = [Solvent, LimitOrderBook, Litebook, LightMatchingEngine, OrderMatching, Nautilus]


def play(peer: Peer, flow: list[Call], seconds: float) -> tuple[int, int]:
    """(messages done, nanoseconds), until the seconds are over."""
    bound = [(getattr(peer, name), arguments) for name, arguments in flow]
    start = perf_counter_ns()
    end = start + int(seconds * 1e9)
    done = 0
    for at in range(0, len(bound), 200):
        for call, arguments in bound[at : at + 200]:
            call(*arguments)
        done = min(at + 200, len(bound))
        if perf_counter_ns() > end:
            break
    return done, perf_counter_ns() - start


def measure(make: Callable[[], Peer], warm: list[Call], main: list[Call], wanted: int, seconds: float) -> str:
    """A cell of the table: nanoseconds a message, and a word when not everything was played or traded alike."""
    peer = make()
    done, took = play(peer, warm, 4 * seconds)
    if done < len(warm):
        return f"{took / done:,.0f} ({done} of the fill)"
    if peer.lots is not None:
        wanted += peer.lots
    done, took = play(peer, main, seconds)
    note = "" if done == len(main) else f" (first {done})"
    if not note and peer.lots is not None and peer.lots != wanted:
        note = f" ({peer.lots} lots traded, not {wanted})"
    return f"{took / done:,.0f}{note}"


def table(flow: Flow, seconds: float) -> dict[str, str]:
    """All peers on one flow."""
    yard, orders = Yardstick(), {}
    warm, number = calls(flow.warm, yard, orders, 0)
    main, _ = calls(flow.main, yard, orders, number)
    lots = sum(arguments[3] - orders[arguments[0]][2] for name, arguments in main if name == "ioc")
    batches = cut(flow)
    took = min(play_solvent(batches)[0] for _ in range(3))
    cells = {"solvent.Book, run in batches": f"{took / len(main):,.0f}"}
    for make in PEERS:
        gc.collect()
        try:
            cells[make.name] = measure(make, warm, main, lots, seconds)
        except ImportError as error:
            cells[make.name] = f"skipped: {error}"
    return cells


def shown(result: dict[str, Any]) -> str:
    """A result as text."""
    lines = []
    for title, cells in result["tables"].items():
        lines.append(title)
        for name, cell in cells.items():
            number, space, note = cell.partition(" ")
            lines.append(f"  {name:30}{number:>12}{space}{note}")
        lines.append("")
    lines.append("none of the peers has margin, liquidation, a replayable log or a digest; and beside that")
    lines += [f"  {make.name:30}{make.lacks}" for make in PEERS[1:]]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    tables = {
        f"near, {live:,} live orders, 50,000 messages, ns a message": table(
            near(seed=5, messages=50_000, live=live), asked.seconds
        )
        for live in (25_000, 1_000)
    }
    result = {"date": today(), "machine": machine(), "tables": tables}
    print(shown(result))
    if asked.write:
        RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
