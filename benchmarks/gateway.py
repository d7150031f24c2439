"""The gateway beside a bare aiohttp server that answers with as many bytes, in turn, round by round; the best of the rounds
counts.

python benchmarks/gateway.py [--rounds 5] [--seconds 2] [--subscribers 1000] [--gate] [--json FILE]

* order: requests a second over 16 connections, POST trade/order of orders that rest, while 200 private subscribers are silent,
  and the 99th percentile of the time that one takes, at half of the echo's best rate for both.
* books: one change of a book to many subscribers of `books`, against the same bytes sent by aiohttp's send_str to as many
  sockets.
* ccxt: create_order and cancel_order of the real client, against the same client whose requests the echo answers.

Server and load run in processes of their own; with two processors or more, each has one.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import sys
import time
from pathlib import Path
from statistics import median

from aiohttp import ClientSession, TCPConnector, web

NAME = "BTC-USDT-SWAP"
START_NS = 1_764_500_000 * 10**9
CONNECTIONS, SILENT = 16, 200
GATES = {"order": 0.45, "p99": 3.0, "books": 0.5, "ccxt": 1.3}
HEADERS = {"OK-ACCESS-KEY": "load", "OK-ACCESS-PASSPHRASE": "p", "OK-ACCESS-SIGN": "s", "OK-ACCESS-TIMESTAMP": "1"}


def pin(processor: int) -> None:
    """Keeps this process on one processor, if there are several."""
    if hasattr(os, "sched_setaffinity"):
        mine = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {mine[processor % len(mine)]})


# --- servers, each in a process of its own


def open_market(ex):
    """A mark, two accounts, and a book of 400 levels a side."""
    ex.advance(START_NS)
    ex.mark(NAME, 50_000)
    for key in ("load", "maker"):
        ex.deposit(key, "USDT", 10**9)
    for i in range(400):
        ex.order("maker", NAME, "sell", 3, price=50_010 + i)
        ex.order("maker", NAME, "buy", 3, price=49_990 - i)


def serve_gateway(pipe, processor):
    """A gateway whose exchange does what the pipe asks for."""
    pin(processor)
    from solvent import Exchange, Instrument
    from solvent.gateway import Gateway

    ex = Exchange([Instrument(NAME, lot="0.01", settle_decimals=8)], retain=False)
    gateway = Gateway(ex)
    gateway.do(open_market)
    pipe.send(gateway.port)
    changes = 0
    while (asked := pipe.recv()) is not None:
        if asked == "change":
            changes += 1
            gateway.exchange.order("maker", NAME, "buy", 1 + changes % 2, price=49_995)
        elif asked == "clean":
            gateway.exchange.cancel_all("load")
        pipe.send(True)
    gateway.close()


def serve_echo(pipe, processor):
    """A bare aiohttp application: an answer that is given, and sockets that get the bytes that the pipe sends."""
    pin(processor)
    asyncio.run(_echo(pipe))


async def _echo(pipe):
    answer, sockets = {"body": b"{}"}, []

    async def post(request):
        await request.read()
        return web.Response(body=answer["body"], content_type="application/json")

    async def sock(request):
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        sockets.append(socket)
        async for _ in socket:
            pass
        sockets.remove(socket)
        return socket

    app = web.Application()
    app.router.add_route("*", "/ws", sock)
    app.router.add_route("*", "/{tail:.*}", post)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    pipe.send(runner.addresses[0][1])
    while (asked := await asyncio.to_thread(pipe.recv)) is not None:
        if asked[0] == "answer":
            answer["body"] = asked[1]
        else:
            for socket in list(sockets):
                await socket.send_str(asked[1])
        pipe.send(True)
    await runner.cleanup()


class Server:
    """One of both, and the pipe to it."""

    def __init__(self, target):
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=target, args=(theirs, 0), daemon=True)
        self.process.start()
        self.port = self.pipe.recv()
        self.url = f"http://127.0.0.1:{self.port}"

    def ask(self, asked):
        self.pipe.send(asked)
        return self.pipe.recv()

    def close(self):
        self.pipe.send(None)
        self.process.join(10)


# --- the load


def body_of(number):
    """An order that rests."""
    order = {
        "instId": NAME,
        "tdMode": "cross",
        "side": "buy",
        "ordType": "limit",
        "sz": "0.01",
        "px": str(49_000 - number % 500),
    }
    return json.dumps(order | {"clOrdId": f"n{number}"}).encode()


async def _orders(url, seconds, pace, begin):
    """Sends orders; returns (requests a second, 99th percentile in seconds).

    pace: requests a second, 0 for as many as can be.
    """
    times, number, end = [], begin, time.perf_counter() + seconds
    async with ClientSession(connector=TCPConnector(limit=CONNECTIONS), headers=HEADERS) as session:
        due = time.perf_counter()

        async def one_after_another():
            nonlocal number, due
            while time.perf_counter() < end:
                if pace:
                    due += 1 / pace
                    await asyncio.sleep(max(0.0, due - time.perf_counter()))
                number += 1
                begun = time.perf_counter()
                async with session.post(f"{url}/api/v5/trade/order", data=body_of(number)) as answer:
                    data = await answer.read()
                times.append(time.perf_counter() - begun)
                assert b'"sCode":"0"' in data, data

        begun = time.perf_counter()
        await asyncio.gather(*(one_after_another() for _ in range(CONNECTIONS if not pace else 4)))
        took = time.perf_counter() - begun
    return len(times) / took, sorted(times)[len(times) * 99 // 100], number


async def _silent(url, count):
    """Private subscribers that hear nothing."""
    session = ClientSession(connector=TCPConnector(limit=0))
    sockets = []
    for i in range(count):
        socket = await session.ws_connect(f"{url}/ws/v5/private")
        login = {"apiKey": f"silent{i}", "passphrase": "p", "timestamp": "1", "sign": "s"}
        await socket.send_str(json.dumps({"op": "login", "args": [login]}))
        await socket.receive()
        await socket.send_str(json.dumps({"op": "subscribe", "args": [{"channel": "orders", "instType": "ANY"}]}))
        await socket.receive()
        sockets.append(socket)
    return session, sockets


async def orders(gateway, echo, rounds, seconds):
    """Returns requests a second, and p99, of both."""
    sample = json.dumps({"code": "0", "msg": "", "data": [
        {"clOrdId": "n1234", "ordId": "16777216123", "tag": "", "ts": "1764500000000", "sCode": "0", "sMsg": ""}
    ]}, separators=(",", ":")).encode()  # fmt: skip
    echo.ask(("answer", sample))
    session, _ = await _silent(gateway.url, SILENT)
    rates, begin = {"gateway": [], "echo": []}, 0
    for _ in range(rounds):
        for name, server in (("echo", echo), ("gateway", gateway)):
            rate, _, begin = await _orders(server.url, seconds, 0, begin)
            rates[name].append(rate)
            gateway.ask("clean")
    pace, tails = max(rates["gateway"]) / 2, {"gateway": [], "echo": []}
    for _ in range(rounds):
        for name, server in (("echo", echo), ("gateway", gateway)):
            _, tail, begin = await _orders(server.url, seconds, pace, begin)
            tails[name].append(tail)
            gateway.ask("clean")
    await session.close()
    return {name: max(found) for name, found in rates.items()}, {name: min(found) for name, found in tails.items()}


async def _listeners(url, path, count, frame):
    session = ClientSession(connector=TCPConnector(limit=0))
    sockets = [await session.ws_connect(f"{url}{path}") for _ in range(count)]
    for socket in sockets:
        if frame:
            await socket.send_str(frame)
            await socket.receive()
            await socket.receive()
    return session, sockets


async def _heard(server, sockets, asked, times):
    """Messages a second of a change to all sockets, from the asking to the last one that has heard."""
    begun = time.perf_counter()
    for _ in range(times):
        waiting = asyncio.gather(*(socket.receive() for socket in sockets))
        server.pipe.send(asked)
        found = await waiting
        assert server.pipe.recv()
    return len(sockets) * times / (time.perf_counter() - begun), found[0].data


async def books(gateway, echo, rounds, subscribers):
    """Returns messages a second of both."""
    frame = json.dumps({"op": "subscribe", "args": [{"channel": "books", "instId": NAME}]})
    ours, listening = await _listeners(gateway.url, "/ws/v5/public", subscribers, frame)
    theirs, hearing = await _listeners(echo.url, "/ws", subscribers, "")
    _, text = await _heard(gateway, listening, "change", 1)
    rates = {"gateway": [], "echo": []}
    for _ in range(rounds):
        rates["echo"].append((await _heard(echo, hearing, ("push", text), 10))[0])
        rates["gateway"].append((await _heard(gateway, listening, "change", 10))[0])
    await ours.close()
    await theirs.close()
    return {name: max(found) for name, found in rates.items()}


def ccxt_trip(gateway, echo, rounds):
    """Returns the seconds of one create_order of a real client, against the gateway and the echo."""
    import ccxt

    symbol, found = "BTC/USDT:USDT", {"gateway": [], "echo": []}
    clients = {}
    for name, server in (("gateway", gateway), ("echo", echo)):
        x = ccxt.okx({
            "apiKey": "load", "secret": "s", "password": "p", "enableRateLimit": False,
            "urls": {"api": {"rest": gateway.url}}, "options": {"fetchMarkets": {"types": ["swap"]}},
        })  # fmt: skip
        x.load_markets()
        x.urls["api"]["rest"] = server.url
        clients[name] = x
    for _ in range(rounds):
        for name, x in clients.items():
            times = []
            for _ in range(50):
                begun = time.perf_counter()
                x.create_order(symbol, "limit", "buy", 0.01, 48_000)
                times.append(time.perf_counter() - begun)
            found[name].append(median(times))
            gateway.ask("clean")
    return {name: min(times) for name, times in found.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--subscribers", type=int, default=1_000)
    parser.add_argument("--gate", action="store_true", help="fail where a ratio is beyond its limit")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    gateway, echo = Server(serve_gateway), Server(serve_echo)
    pin(1)
    rates, tails = asyncio.run(orders(gateway, echo, args.rounds, args.seconds))
    pushed = asyncio.run(books(gateway, echo, args.rounds, args.subscribers))
    trips = ccxt_trip(gateway, echo, args.rounds)
    ratios = {
        "order": rates["gateway"] / rates["echo"], "p99": tails["gateway"] / tails["echo"],
        "books": pushed["gateway"] / pushed["echo"], "ccxt": trips["gateway"] / trips["echo"],
    }  # fmt: skip
    told = {
        "order": ("requests a second", rates, 1), "p99": ("ms of the slowest hundredth", tails, 1_000),
        "books": ("messages a second", pushed, 1), "ccxt": ("ms of an order", trips, 1_000),
    }  # fmt: skip
    for name, (what, found, scale) in told.items():
        ours, theirs = found["gateway"] * scale, found["echo"] * scale
        print(f"{name:6} {ours:10.2f} {what}, echo {theirs:10.2f}: ratio {ratios[name]:.2f}, limit {GATES[name]}")
    gateway.close()
    echo.close()
    if args.json:
        args.json.write_text(
            json.dumps({"ratios": ratios} | {name: found for name, (_, found, _) in told.items()}, indent=2) + "\n"
        )
    good = all(ratios[name] >= GATES[name] for name in ("order", "books"))
    good = good and all(ratios[name] <= GATES[name] for name in ("p99", "ccxt"))
    sys.exit(0 if good or not args.gate else 1)


if __name__ == "__main__":
    main()
