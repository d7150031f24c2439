"""Fixed flows of command records for benchmarks: seeded, the same bytes on every machine."""

from random import Random

from solvent import Exchange, Instrument
from solvent.records import CommandType, Side, Tif, command
from solvent.tiers import Tier

HOME_TICKS = 500_000


def exchange(accounts: int) -> Exchange:
    """A fresh exchange with so many rich accounts and a mark at the flow's home price."""
    ex = Exchange([Instrument("BTC", tiers=[Tier(10**6, "0.005", "0.01")])], retain=False)
    for i in range(accounts):
        ex.deposit(f"a{i}", "USDT", 10**9)
    ex.mark("BTC", "50000")
    return ex


def near_touch(seed: int, commands: int, accounts: int) -> bytes:
    """52 % orders near the touch, 43 % cancels of random live orders, 5 % that cross (IOC).

    The flow is made against a live exchange, so that a cancel names an order that rests at that moment.
    """
    random = Random(seed)
    ex = exchange(accounts)
    kernel = ex._kernel
    records, owners, live = [], {}, []
    for _ in range(commands):
        account = random.randrange(16, 16 + accounts)
        kind = random.random()
        record = b""
        while kind < 0.43 and live and not record:
            at = random.randrange(len(live))
            live[at], live[-1] = live[-1], live[at]
            order_id = live.pop()
            if kernel.find_order(owners[order_id], order_id, 0):
                record = command(CommandType.CANCEL, account=owners[order_id], order_id=order_id)
        if not record:
            side = random.choice((Side.BUY, Side.SELL))
            away = 1 + min(int(random.expovariate(1 / 200)), 20_000)
            tif = Tif.IOC if kind > 0.95 else Tif.GTC
            price = HOME_TICKS + (away if (side == Side.BUY) == (tif == Tif.IOC) else -away)
            terms = {"side": side, "tif": tif, "price_ticks": price, "size_lots": random.randint(1, 5)}
            record = command(CommandType.ORDER, account=account, **terms)
        kernel.apply(record)
        order_id, _, resting = kernel.last
        if resting and record[0] == CommandType.ORDER:
            live.append(order_id)
            owners[order_id] = account
        records.append(record)
    return b"".join(records)
