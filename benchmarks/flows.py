"""Fixed flows of command records for benchmarks: seeded, the same bytes on every machine.

Flows for a Book are made in C against the yardstick (mix.c), which numbers orders as the engine does: order number
<< 24 | slot, slots last in first out. Buyers and sellers are different accounts, so nobody meets an order of its own.
"""

import ctypes
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from native import address, compiled, declare
from solvent import Exchange, Instrument, Tier
from solvent.records import RECORD_BYTES, CommandType, Side, Tif, command, dtype
from yardstick import WINDOW

if TYPE_CHECKING:
    import numpy as np

HOME_TICKS = 500_000


class Venue(NamedTuple):
    """A fresh exchange: so many rich accounts (16 and up), instruments, all marked at the home price.

    mode: said for every account and instrument; "" leaves what accounts are born with. opened: contracts that every account
    holds in every instrument, long or short in turn, before anything is timed.
    """

    accounts: int = 1_000
    instruments: int = 1
    mode: str = ""
    opened: int = 0

    @property
    def names(self) -> list[str]:
        return [f"I{number}" for number in range(self.instruments)]

    def listed(self) -> list[Instrument]:
        """What the exchange is made of."""
        return [Instrument(name, tiers=[Tier(10**6, "0.005", "0.01")]) for name in self.names]

    def make(self) -> Exchange:
        """The exchange."""
        return self.fill(Exchange(self.listed(), retain=False))

    def fill(self, ex: Exchange) -> Exchange:
        """Opens and funds all accounts."""
        accounts = [f"a{i}" for i in range(self.accounts)]
        for account in accounts:
            ex.deposit(account, "USDT", 10**8)
        for name in self.names:
            ex.mark(name, "50000")
            for account in accounts if self.mode else ():
                ex.set_leverage(account, name, 10, mode=self.mode)
            for account, side in zip(accounts if self.opened else (), ("sell", "buy") * self.accounts, strict=False):
                ex.order(account, name, side, self.opened, price=50_000)
        return ex


def near_touch(seed: int, commands: int, venue: Venue) -> bytes:
    """52 % orders near the touch, 43 % cancels of random live orders, 5 % that cross (IOC).

    The flow is made against a live exchange, so that a cancel names an order that rests at that moment.
    """
    random = Random(seed)
    kernel = venue.make()._kernel
    records, owners, live = [], {}, []
    for _ in range(commands):
        account = random.randrange(16, 16 + venue.accounts)
        kind = random.random()
        record = b""
        while kind < 0.43 and live and not record:
            at = random.randrange(len(live))
            live[at], live[-1] = live[-1], live[at]
            order_id = live.pop()
            if kernel.find_order(owners[order_id], order_id, 0):
                record = command(CommandType.CANCEL, account=owners[order_id], order_id=order_id)
        if not record:
            record = _order(random, account, venue.instruments, crosses=kind > 0.95)
        kernel.apply(record)
        order_id, _, resting = kernel.last
        if resting and record[0] == CommandType.ORDER:
            live.append(order_id)
            owners[order_id] = account
        records.append(record)
    return b"".join(records)


def _order(random: Random, account: int, instruments: int, crosses: bool) -> bytes:
    """An order of one to five lots, 200 ticks from the home price in the mean: on its own side, or an IOC beyond."""
    side = random.choice((Side.BUY, Side.SELL))
    away = 1 + min(int(random.expovariate(1 / 200)), 20_000)
    price = HOME_TICKS + (away if (side == Side.BUY) == crosses else -away)
    terms = {"side": side, "tif": Tif.IOC if crosses else Tif.GTC, "price_ticks": price, "size_lots": random.randint(1, 5)}
    return command(
        CommandType.ORDER, account=account, instrument=random.randrange(instruments) if instruments > 1 else 0, **terms
    )


class Flow(NamedTuple):
    """Command records, all accepted: `warm` prepares the book and is not timed, `main` is.

    resting: how many orders rest after both.
    """

    warm: bytes
    main: bytes
    resting: int = 0


class Shape(ctypes.Structure):
    """Where the orders of a mix go; mix.c says what each number means."""

    _fields_ = [(name, ctypes.c_int64) for name in ("home", "wide", "near", "reach", "wide_percent", "target")]


def mix(seed: int, shape: Shape, resting: int, messages: int, fill: Shape | None = None) -> Flow:
    """`resting` adds, then the mix: 50 % adds, 42 % cancels of any live order, 3 % amendments, 5 % IOC that trade.

    fill: where the first adds go, when not as in the mix.
    """
    c = compiled("mix")
    pointer, integer = ctypes.c_void_p, ctypes.c_int64
    declare(c, "mix_new", pointer, integer, ctypes.c_uint64)
    declare(c, "mix_live", integer, pointer)
    declare(c, "mix_free", None, pointer)
    for name in ("mix_fill", "mix_run"):
        declare(c, name, None, pointer, ctypes.POINTER(Shape), pointer, integer)
    made = c.mix_new(WINDOW, seed)
    warm, main = bytearray(resting * RECORD_BYTES), bytearray(messages * RECORD_BYTES)
    c.mix_fill(made, fill or shape, address(warm), resting)
    c.mix_run(made, shape, address(main), messages)
    live = c.mix_live(made)
    c.mix_free(made)
    return Flow(bytes(warm), bytes(main), live)


def near(seed: int = 1, messages: int = 1_000_000, live: int = 25_000) -> Flow:
    """Everything within a thousand ticks of a touch that wanders, 256 away in the mean; steady live orders."""
    return mix(seed, Shape(home=2**23, wide=1, near=1024, reach=100, wide_percent=0, target=live), live, messages)


def with_client_ids(flow: Flow) -> Flow:
    """The same flow with a client id of its own on every order."""
    import numpy as np

    out, given = [], 0
    for part in (flow.warm, flow.main):
        commands = np.frombuffer(part, dtype("command")).copy()
        orders = commands["type"] == CommandType.ORDER
        commands["client_id"][orders] = given + 1 + np.arange(orders.sum())
        given += int(orders.sum())
        out.append(commands.tobytes())
    return Flow(*out, flow.resting)


def deep(seed: int = 2, resting: int = 1_000_000, messages: int = 300_000) -> Flow:
    """So many orders rest over as many ticks; then half the adds go anywhere among them, the others near the touch."""
    anywhere, half = (
        Shape(home=2**23, wide=resting // 2, near=1024, reach=100, wide_percent=percent, target=resting)
        for percent in (100, 50)
    )
    return mix(seed, half, resting, messages, fill=anywhere)


def random_24(seed: int = 3, messages: int = 300_000, live: int = 25_000) -> Flow:
    """Every add at a random one of 2**24 ticks: hardly two orders share a level, or even its neighbourhood."""
    shape = Shape(home=2**23, wide=2**23 - 1, near=1, reach=2**24, wide_percent=100, target=live)
    return mix(seed, shape, live, messages)


def ladder(levels: int, side: Side, first_tick: int) -> "np.ndarray[Any, Any]":
    """One order of one lot at each of so many neighbouring ticks."""
    import numpy as np

    commands = np.zeros(levels, dtype("command"))
    commands["type"], commands["records"], commands["side"] = CommandType.ORDER, 1, side
    commands["account"] = 16 + side + 2 * (np.arange(levels) % 500)
    commands["price_ticks"], commands["size_lots"] = first_tick + np.arange(levels), 1
    return commands


def flip(levels: int = 60_000, messages: int = 200_000) -> Flow:
    """So many levels rest; then one far better price is placed and cancelled, again and again."""
    import numpy as np

    pairs = ladder(messages, Side.BUY, 0)
    pairs["account"], pairs["price_ticks"] = 16, 2**23
    pairs["type"][1::2] = CommandType.CANCEL
    for name in ("side", "price_ticks", "size_lots"):
        pairs[name][1::2] = 0
    pairs["order_id"][1::2] = (levels + 1 + np.arange(messages // 2)) << 24 | levels
    return Flow(ladder(levels, Side.BUY, 100_000).tobytes(), pairs.tobytes(), levels)


def sweep(levels: int = 60_000) -> Flow:
    """So many levels of one order, all taken by one order. It happened once before, so that every pool is warm."""
    asks = ladder(levels, Side.SELL, 2**23)
    taker = command(CommandType.ORDER, records=1, account=16, price_ticks=2**24 - 1, size_lots=levels)
    return Flow(asks.tobytes() + taker + asks.tobytes(), taker)
