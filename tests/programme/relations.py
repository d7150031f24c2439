"""Histories told otherwise that must come out the same (layer 26), beside those of tests/agreement/test_symmetry.py.

Owns three tellings of a drawn stream. Idle accounts and an idle instrument come first, so that every number is shifted.
Somebody's orders are placed and cancelled between any two commands. An order that takes is sent in two parts.
"""

import struct
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import solvent
from programme.streams import exchange_of
from solvent.records import NO_INSTRUMENT, NOBODY, CommandType, EventType, Tif, command
from solvent.schema.events import ACCOUNTS, EVENTS
from solvent.schema.layouts import EVENT, EVENT_FIELDS
from solvent.schema.limits import FIRST_USER
from support.generator import Generator

C = CommandType
PLACE = {name: at for at, name in enumerate(EVENT_FIELDS)}
MONEY = {C.DEPOSIT, C.WITHDRAW, C.SEED_FUND, C.TRANSFER, C.ADVANCE, C.OPEN_ACCOUNT}  # what names no instrument
IDLE = 3


class Shift:
    """Numbers of accounts, instruments and orders in another telling."""

    def __init__(self, accounts: int = 0, instruments: int = 0):
        self.accounts, self.instruments = accounts, instruments
        self.orders: dict[int, int] = {}

    def account(self, number: int) -> int:
        return number + self.accounts if FIRST_USER <= number != NOBODY else number

    def instrument(self, number: int) -> int:
        return number + self.instruments if number != NO_INSTRUMENT else number

    def record(self, record: bytes) -> bytes:
        """The command as the other telling has it."""
        kind, data = C(int.from_bytes(record[:2], "little")), bytearray(record)
        account, instrument = struct.unpack_from("<II", record, 4)
        client_id, order_id = struct.unpack_from("<QQ", record, 40)
        if kind in (C.CANCEL, C.AMEND):
            order_id = self.orders.get(order_id, order_id)
        elif kind == C.TRANSFER or (kind == C.OPEN_ACCOUNT and order_id):
            order_id = self.account(order_id)
        if kind == C.MOVE_MARGIN and client_id:
            client_id += self.instruments
        instrument = instrument if kind in MONEY else self.instrument(instrument)
        struct.pack_into("<II", data, 4, self.account(account), instrument)
        struct.pack_into("<QQ", data, 40, client_id, order_id)
        return bytes(data)

    def event(self, row: tuple[int, ...]) -> dict[str, Any]:
        """An event as the other telling has it, without what counts events, commands and orders."""
        said = {name: row[PLACE[each.place]] for name, each in EVENTS[EventType(row[0])].items()}
        for name, number in said.items():
            if name in ACCOUNTS:
                said[name] = self.account(number)
            elif name == "instrument" and row[0] != EventType.LEDGER:
                said[name] = self.instrument(number)
            elif name.endswith("order_id"):
                said[name] = self.orders.get(number, 0) if row[0] != EventType.BEGIN else 0
        return {"type": row[0]} | said | dict.fromkeys(("command_seq", "ref"), 0)


def rows(kernel, begin: int) -> list[tuple[int, ...]]:
    return [row for row in EVENT.iter_unpack(kernel.view(begin, kernel.next_seq)) if row[0] in EventType.__members__.values()]


def compared(ours: list, theirs: list, shift: Shift, what: str) -> None:
    """Notes the numbers of new orders, and compares the events."""
    assert [row[0] for row in ours] == [row[0] for row in theirs], what
    for one, other in zip(ours, theirs, strict=True):
        if one[0] == EventType.ACCEPTED:
            shift.orders[one[PLACE["a"]]] = other[PLACE["a"]]
    told = [shift.event(row) for row in ours]
    same = Shift()
    same.orders = {number: number for number in shift.orders.values()}
    heard = [same.event(row) for row in theirs]
    for one, other in zip(told, heard, strict=True):
        if one["type"] == EventType.BEGIN or one.get("instrument") == NO_INSTRUMENT:
            one["instrument"] = other["instrument"] = one.get("instrument") and 0
        if one["type"] == EventType.LEDGER:
            one["instrument"] = other["instrument"] = 0
        assert one == other, f"{what}: {one} is not {other}"


def shape(seed: int) -> Generator:
    """A shape without garbage, and without instruments that come later: their records hold no numbers to shift."""
    generator = Generator(seed)
    generator.error = generator.listings = 0.0
    return generator


def told(generator: Generator, kernel, count: int) -> Iterator[bytes]:
    opening = iter(generator.opening())
    for _ in range(count):
        yield next(opening, None) or generator.next(kernel)


def shifted(seed: int, commands: int = 300) -> Counter[str]:
    """The same stream after three idle accounts and beside an idle instrument."""
    generator, other = shape(seed), shape(seed)
    like = {"settle": other.instruments[0].settle, "settle_decimals": other.decimals, "max_price": 1_000, "max_size": 10}
    idle = solvent.Instrument("IDLE", tiers=[solvent.Tier(10, "0.01", "0.02")], **like)
    other.instruments.insert(0, idle)
    pair = [exchange_of(generator)._kernel, exchange_of(other)._kernel]
    for n in range(IDLE):
        pair[1].apply(command(C.OPEN_ACCOUNT, records=2) + f"idle {n}".encode().ljust(64, b"\0"))
    shift = Shift(IDLE, 1)
    for n, record in enumerate(told(generator, pair[0], commands)):
        begins = [kernel.next_seq for kernel in pair]
        codes = [pair[0].apply(record), pair[1].apply(shift.record(record))]
        what = f"shifted: seed {seed}, command {n}"
        assert codes[0] == codes[1], what
        compared(rows(pair[0], begins[0]), rows(pair[1], begins[1]), shift, what)
    return Counter(pairs=1, commands=2 * commands)


def visited(seed: int, commands: int = 300) -> Counter[str]:
    """The same stream while somebody places orders that meet nobody, and takes them back at once."""
    generator, r = shape(seed), Random(seed)
    pair, visits = [exchange_of(shape(seed))._kernel for _ in range(2)], 0
    opening = [command(C.OPEN_ACCOUNT, records=2) + b"visitor".ljust(64, b"\0")]
    opening += [command(C.DEPOSIT, account=FIRST_USER, instrument=0, amount=10**15)]
    shift = Shift()
    for kernel in pair:
        for record in opening:
            assert kernel.apply(record) == 0
    own = Shift(1)  # the generator counts its accounts from the first one
    for n, record in enumerate(map(own.record, told(generator, Watched(pair[0]), commands))):
        if r.random() < 0.5:
            visits += visit(pair[1], r, len(generator.instruments))
        begins = [kernel.next_seq for kernel in pair]
        codes = [pair[0].apply(record), pair[1].apply(shift.record(record))]
        what = f"visited: seed {seed}, command {n}"
        assert codes[0] == codes[1], what
        compared(rows(pair[0], begins[0]), rows(pair[1], begins[1]), shift, what)
    return Counter(pairs=1, commands=2 * commands, visits=visits)


class Watched:
    """What a generator reads of a kernel in which its accounts are one number higher."""

    def __init__(self, kernel):
        self.kernel = kernel

    def __getattr__(self, name):
        return getattr(self.kernel, name)

    def positions(self, account: int):
        return self.kernel.positions(account + 1)

    def orders_of(self, account: int):
        return self.kernel.orders_of(account + 1)


def visit(kernel, r: Random, instruments: int) -> int:
    """An order far from everything, and its end. 1 if it was accepted."""
    instrument, side = r.randrange(instruments), r.randrange(2)
    mark = kernel.mark_ticks(instrument)
    price = mark * (96 if side == 0 else 104) // 100
    terms = {"time_ns": kernel.clock_ns, "account": FIRST_USER, "instrument": instrument}
    code = kernel.apply(command(C.ORDER, side=side, price_ticks=price, size_lots=1, flags=1, **terms))
    kernel.apply(command(C.MASS_CANCEL, side=2, **terms))
    return int(code == 0)


def parted(seed: int, orders: int = 400) -> Counter[str]:
    """A book whose takers come whole, and one whose takers come in parts: the same lots change hands at the same prices."""
    r, books = Random(seed), [solvent.Book(retain=True) for _ in range(2)]
    kernels, taken = [book._kernel for book in books], 0
    for n in range(orders):
        side, price, lots = r.randrange(2), r.randrange(95, 106), r.randrange(1, 9)
        takes = r.random() < 0.4
        begins = [kernel.next_seq for kernel in kernels]
        first = r.randrange(1, lots) if takes and lots > 1 else 0
        for kernel, parts in zip(kernels, ([lots], [first, lots - first]), strict=True):
            for each in parts if takes else [lots]:
                if each:
                    terms = {"account": 1 + n % 7, "side": side, "price_ticks": price, "size_lots": each}
                    kernel.apply(command(C.ORDER, tif=Tif.IOC if takes else Tif.GTC, mode=4, **terms))
        trades = [merged(rows(kernel, begin)) for kernel, begin in zip(kernels, begins, strict=True)]
        assert trades[0] == trades[1], f"parted: seed {seed}, order {n}: {trades}"
        taken += bool(trades[0])
    assert books[0].depth() == books[1].depth(), f"parted: seed {seed}"
    return Counter(pairs=1, commands=2 * orders, takers=taken)


def merged(found: list) -> list[tuple[int, int, int]]:
    """Trades as maker account, price and lots; neighbours with one maker's order are one."""
    trades: list[list[int]] = []
    orders: list[int] = []
    for row in found:
        if row[0] != EventType.TRADE:
            continue
        if orders and orders[-1] == row[8]:
            trades[-1][2] += row[11]
        else:
            trades.append([row[12], row[10], row[11]])
            orders.append(row[8])
    return [tuple(each) for each in trades]


def relations(seed: int) -> Counter[str]:
    """A batch: one pair of each telling."""
    return shifted(seed) + visited(seed) + parted(seed)
