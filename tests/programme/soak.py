"""`make soak`: a gateway with many clients and faults on, for an hour. Opt-in, on loopback, and it ends by itself.

python tests/programme/soak.py [--minutes 60] [--clients 200] [--seed 1]

One process has the gateway and the market, another one all clients. Three things must hold: the money is whole at each look,
the memory of the gateway does not grow from the second third to the last, and each listening client's book has the venue's
checksum at every sequence, but where a fault struck it.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random
from statistics import mean

import aiohttp

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "examples")]

from bot_plain import LOST, NAME, Book  # noqa: E402 (the path comes first)
from solvent import Exchange, InputError, Rejected  # noqa: E402
from solvent.gateway import Gateway, history  # noqa: E402
from solvent.testing import Driver, Faults, contract, scenario, strike  # noqa: E402
from solvent.testing.fault_table import ROWS, Where  # noqa: E402

WIRE = [each.name for each in ROWS if each.where != Where.MARKET and not each.span_ns]
MARKET = [each.name for each in ROWS if each.where == Where.MARKET]
SCENARIOS = ("whipsaw", "flash_crash", "short_squeeze", "cascade")
LISTENS = 10  # one client of so many keeps a book
ACTS_S = 40  # acts a second, of all clients together
LOOK_S = 10
GROWTH, SLACK_MB = 1.03, 2  # what the memory may be larger
PAST = 30  # orders, fills and bills that are remembered of an account: soon full, so that whatever else grows is seen


# --- the clients


class SoakClient:
    """One client: private channels, orders of all kinds, for some the book; it comes back whatever happens."""

    def __init__(self, number, seed, url, ws_url, pause_s):
        self.name, self.random = f"c{number}", Random(f"{seed}/{number}")
        self.url, self.ws_url, self.listens, self.pause_s = url, ws_url, number % LISTENS == 0, pause_s
        self.book, self.seen, self.orders, self.acts = Book(), Counter(), [], 0

    def take(self, text):
        """Takes a frame; false if the book must be asked for anew."""
        message = json.loads(text) if text != "pong" else {}
        if message.get("event") == "notice":
            raise ConnectionError("closing")
        if message.get("arg", {}).get("channel") == "books" and "data" in message:
            data, news = message["data"][0], self.book.right or message["action"] == "snapshot"
            self.book.take(message["action"], data)
            self.seen["books"] += 1
            if self.book.right or not news:  # or asked for already
                return True
            self.seen["gaps" if data["seqId"] != self.book.sequence else "wrong checksums"] += 1
            return False
        self.seen["pushes"] += "data" in message
        return True

    async def listen(self, session):
        """Listens on both sockets, and connects again when one is lost."""
        login = {"apiKey": self.name, "passphrase": "p", "timestamp": "1", "sign": "s"}
        own = [{"channel": name, "instType": "SWAP"} for name in ("orders", "positions")] + [{"channel": "account"}]
        books = {"channel": "books", "instId": NAME}
        paths = {"private": own} | ({"public": [books]} if self.listens else {})
        await asyncio.gather(*(self.hear(session, path, login, args) for path, args in paths.items()))

    async def hear(self, session, path, login, args):
        while True:
            with suppress(*LOST, ConnectionError):
                async with session.ws_connect(f"{self.ws_url}/{path}", heartbeat=None) as socket:
                    await socket.send_json({"op": "login", "args": [login]})
                    await socket.send_json({"op": "subscribe", "args": args})
                    async for frame in socket:
                        if not self.take(frame.data):
                            for op in ("unsubscribe", "subscribe"):
                                await socket.send_json({"op": op, "args": args})
            self.book = Book() if path == "public" else self.book
            self.seen["lost sockets"] += 1
            await asyncio.sleep(0.2)

    async def ask(self, session, method, path, body=None):
        headers = {
            "OK-ACCESS-KEY": self.name, "OK-ACCESS-PASSPHRASE": "p", "OK-ACCESS-SIGN": "s", "OK-ACCESS-TIMESTAMP": "1",
        }  # fmt: skip
        data = None if body is None else json.dumps(body)
        try:
            async with session.request(method, f"{self.url}/api/v5/{path}", data=data, headers=headers) as answer:
                found = json.loads(await answer.read() or b"{}")
        except (*LOST, ValueError):
            self.seen["no answers"] += 1
            return {}
        self.seen[f"code {found.get('code', 'none')}"] += 1
        if found.get("code") == "50102":  # the clocks differ
            await self.ask(session, "GET", "public/time")
        return found

    async def act(self, session):
        """Places one or two orders, a stop, cancels, or reads."""
        r, self.acts = self.random, self.acts + 1
        place = {"instId": NAME, "tdMode": "cross", "side": r.choice(["buy", "sell"]), "sz": str(r.randint(1, 30))}
        kind = r.choice(["limit", "limit", "market", "batch", "stop", "cancel", "read"])
        if kind == "cancel" and self.orders:
            await self.ask(session, "POST", "trade/cancel-order", {"instId": NAME, "clOrdId": self.orders.pop(0)})
        elif kind in ("limit", "batch"):
            rows = [
                place | {"ordType": "limit", "px": str(r.randrange(42_000, 52_000)), "clOrdId": f"{self.name}x{self.acts}x{i}"}
                for i in range(1 + (kind == "batch"))
            ]
            self.orders = [*self.orders, *(each["clOrdId"] for each in rows)][-5:]
            await self.ask(session, "POST", "trade/batch-orders", rows)
        elif kind == "stop":
            price = {"slTriggerPx": str(r.randrange(42_000, 52_000)), "slTriggerPxType": "mark", "slOrdPx": "-1"}
            terms = {"ordType": "conditional", "reduceOnly": True, "algoClOrdId": f"{self.name}s{self.acts}"}
            await self.ask(session, "POST", "trade/order-algo", place | terms | price)
        elif kind == "market":
            await self.ask(session, "POST", "trade/order", place | {"ordType": "market"})
        else:
            await self.ask(session, "GET", r.choice(["account/positions", "account/balance", "trade/orders-pending"]))

    async def live(self, session):
        """Acts now and then; cancels all it knows of when it has many."""
        while True:
            await asyncio.sleep(self.random.uniform(0, 2 * self.pause_s))
            await self.act(session)


async def load(url, ws_url, count, seed, seconds):
    """Runs all clients for so long; returns what they saw."""
    clients = [SoakClient(number, seed, url, ws_url, count / ACTS_S) for number in range(count)]
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=10)) as session:
        tasks = [asyncio.create_task(run(session)) for each in clients for run in (each.listen, each.live)]
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()  # a client that ended has failed
    return dict(sum((each.seen for each in clients), Counter()))


# --- the venue


def memory_mb():
    """The resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


class Soak:
    """The gateway, its market, and what is looked at."""

    def __init__(self, clients, seed):
        self.random, self.seed, self.clients = Random(seed), seed, clients
        path, history._PAST = scenario(SCENARIOS[0]), PAST
        self.exchange = Exchange([contract(path)], seed=seed, retain=False)
        self.gateway = Gateway(self.exchange)
        self.market = Driver(self.gateway.exchange, path, depth=2_000)
        self.gateway.faults = Faults(seed, WIRE, chance="0.002", clock=lambda: self.market.time_ns)
        self.struck, self.memory, self.turn = Counter(), [], 0

    def step(self):
        """Moves the market a step, to the next path at the end of one; sometimes it strikes somebody."""
        if not self.market.step():
            self.turn += 1
            path = scenario(SCENARIOS[self.turn % len(SCENARIOS)])
            self.market = Driver(self.gateway.exchange, path, depth=2_000)
        if self.random.random() < 0.02:
            name, who = self.random.choice(MARKET), f"c{self.random.randrange(self.clients)}"
            with suppress(InputError, Rejected):  # who has no position, too much money, or has not come yet
                strike(name, self.market, who)
                self.struck[name] += 1

    def look(self):
        """Checks the money, notes the memory, and gives more to who has none."""
        self.gateway.do(lambda exchange: exchange.check())
        self.memory.append(memory_mb())
        log = self.gateway.faults.struck
        self.struck.update(each.fault for each in log)
        log.clear()
        for number in range(self.clients):
            with suppress(Exception):  # who has not come yet
                if self.gateway.exchange.account(f"c{number}").cash < 1_000:
                    self.gateway.exchange.deposit(f"c{number}", "USDT", 10_000)

    def judged(self, seen):
        """What does not hold."""
        third = len(self.memory) // 3
        before, after = mean(self.memory[third : 2 * third] or [0]), mean(self.memory[2 * third :])
        wrong = []
        if third and after > GROWTH * before + SLACK_MB:
            wrong.append(f"memory grew from {before:.0f} to {after:.0f} MB")
        if seen.get("wrong checksums", 0) > self.struck["checksum_error"] or seen.get("gaps", 0) > self.struck["sequence_gap"]:
            wrong.append("books differ from the venue's where no fault struck")
        return [*wrong, *(f"nothing of {name!r} was seen" for name in ("books", "pushes", "code 0") if not seen.get(name))]


def soak(minutes, clients, seed):
    """Runs the soak; returns what was wrong."""
    made, end = Soak(clients, seed), time.monotonic() + 60 * minutes
    terms = [made.gateway.url, made.gateway.ws_url, str(clients), str(seed), str(60 * minutes)]
    child = subprocess.Popen([sys.executable, __file__, "--load", *terms], stdout=subprocess.PIPE, text=True)
    looked = time.monotonic()
    try:
        while time.monotonic() < end and child.poll() is None:
            made.step()
            if time.monotonic() - looked > LOOK_S:
                looked = time.monotonic()
                made.look()
            time.sleep(0.25)
        out, _ = child.communicate(timeout=60)
    finally:
        child.kill()
    made.look()
    commands = made.gateway.exchange.command_count
    made.gateway.close()
    made.exchange.check()
    seen = json.loads(out) if child.returncode == 0 else {}
    print(f"seed {seed}, {clients} clients, {minutes} minutes: {commands:,} commands, paths {made.turn + 1}")
    print("memory in MB:", " ".join(f"{each:.0f}" for each in made.memory[:: max(1, len(made.memory) // 12)]))
    print("struck:", dict(sorted(made.struck.items())))
    print("clients saw:", dict(sorted(seen.items())))
    return made.judged(seen) if child.returncode == 0 else [f"the clients ended with code {child.returncode}"]


def main():
    if sys.argv[1:2] == ["--load"]:
        url, ws_url, count, seed, seconds = sys.argv[2:]
        print(json.dumps(asyncio.run(load(url, ws_url, int(count), int(seed), float(seconds)))))
        return 0
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    wrong = soak(**vars(parser.parse_args()))
    print("\n".join(wrong) or "all of it held")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
