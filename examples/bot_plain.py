"""The bot's client in plain Python: requests that it signs itself, and a socket for book and position.

Owns the connections, the local book and what was pushed last. A gap, a wrong checksum or a lost socket makes it ask anew;
until then it asks by requests. Needs aiohttp for the socket.
"""

import asyncio
import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.client import HTTPConnection, HTTPException
from itertools import zip_longest
from typing import Any
from urllib.parse import urlencode, urlsplit
from zlib import crc32

import aiohttp

from bot import Later, Order, Refused, Stop, Unclear

NAME = "BTC-USDT-SWAP"
LATER = {"50001", "50011", "50026", "50102", "51001"}  # 51001: the instrument is not gone, the venue is
TIMEOUT_S = 3
LOST = (aiohttp.ClientError, asyncio.TimeoutError, OSError)


class Book:
    """A copy of the venue's book. right: it can be believed."""

    def __init__(self) -> None:
        self.sides: dict[str, dict[Decimal, str]] = {"bids": {}, "asks": {}}
        self.texts: dict[Decimal, str] = {}
        self.sequence, self.right = -1, False

    def take(self, action: str, data: dict[str, Any]) -> None:
        """Takes a message; `right` is false after one that does not follow from the last, or does not fit its checksum."""
        if action == "snapshot":
            self.sides, self.right = {"bids": {}, "asks": {}}, True
        elif data["prevSeqId"] != self.sequence:
            self.right = False
            return
        self.sequence = data["seqId"]
        for side, levels in self.sides.items():
            for price, size, *_ in data[side]:
                self.texts[Decimal(price)] = price
                levels[Decimal(price)] = size
                if size == "0":
                    del levels[Decimal(price)]
        self.right = self.right and self.checksum() == data["checksum"]

    def best(self, side: str, count: int) -> list[Decimal]:
        """The best prices of a side."""
        return sorted(self.sides[side], reverse=side == "bids")[:count]

    def checksum(self) -> int:
        """The venue's checksum of the best 25 levels, as a signed number."""
        parts: list[str] = []
        for pair in zip_longest(self.best("bids", 25), self.best("asks", 25)):
            for side, price in zip(("bids", "asks"), pair, strict=True):
                parts += [] if price is None else [self.texts[price], self.sides[side][price]]
        return int.from_bytes(crc32(":".join(parts).encode()).to_bytes(4, "big"), "big", signed=True)


class PlainClient:
    """Trades by requests and listens on sockets. url, ws_url: where; key, secret, phrase: who."""

    def __init__(self, url: str, ws_url: str, key: str, secret: str, phrase: str):
        self.where, self.ws_url = urlsplit(url), ws_url
        self.key, self.secret, self.phrase = key, secret, phrase
        self.drift = timedelta()
        self.book = Book()
        self.pushed: tuple[Decimal, Decimal] | None = None  # the position that was pushed last
        self.loop = asyncio.new_event_loop()
        self.session: aiohttp.ClientSession | None = None
        self.sockets: list[Any] = []

    # --- requests

    def sign(self, text: str) -> str:
        return b64encode(hmac.digest(self.secret.encode(), text.encode(), "sha256")).decode()

    def request(self, method: str, path: str, body: Any = None, **query: str) -> dict[str, Any]:
        """Sends a request once; returns its answer. Raises Later, or Unclear if an order may have had its effect."""
        target = f"/api/v5/{path}" + (f"?{urlencode(query)}" if query else "")
        text = "" if body is None else json.dumps(body)
        stamp = (datetime.now(UTC) + self.drift).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        headers = {
            "OK-ACCESS-KEY": self.key, "OK-ACCESS-PASSPHRASE": self.phrase, "OK-ACCESS-TIMESTAMP": stamp,
            "OK-ACCESS-SIGN": self.sign(stamp + method + target + text), "Content-Type": "application/json",
        }  # fmt: skip
        unknown = Unclear if method == "POST" else Later
        connection = HTTPConnection(self.where.hostname or "", self.where.port, timeout=TIMEOUT_S)
        try:
            connection.request(method, target, text, headers)
            found: dict[str, Any] = json.loads(connection.getresponse().read())
        except (OSError, HTTPException, ValueError) as error:
            raise unknown(str(error)) from None
        finally:
            connection.close()
        if found["code"] == "50102":
            self.look_at_the_clock()
        if found["code"] in LATER:
            raise (unknown if found["code"] == "50001" else Later)(found["msg"])
        return found

    def look_at_the_clock(self) -> None:
        """Measures how far the venue's clock is ahead."""
        told = int(self.request("GET", "public/time")["data"][0]["ts"])
        self.drift = datetime.fromtimestamp(told / 1_000, UTC) - datetime.now(UTC)

    def place(self, orders: list[Order]) -> None:
        rows = [
            {
                "instId": NAME, "tdMode": "cross", "side": each.side, "ordType": "market", "sz": str(each.size),
                "clOrdId": each.name, "reduceOnly": each.reduce_only,
            }
            for each in orders
        ]  # fmt: skip
        found = self.request("POST", "trade/batch-orders", rows)
        codes = [each["sCode"] for each in found["data"]]
        if not any(code in ("0", "51016") for code in codes):  # 51016: it is there already
            raise Refused(found)

    def known(self, name: str) -> bool:
        return bool(self.request("GET", "trade/order", instId=NAME, clOrdId=name)["code"] == "0")

    def stops(self) -> list[Stop]:
        found = self.request("GET", "trade/orders-algo-pending", ordType="conditional", instId=NAME)
        return [Stop(each["algoId"], Decimal(each["sz"])) for each in found["data"]]

    def place_stop(self, name: str, size: Decimal, price: Decimal) -> None:
        body = {
            "instId": NAME, "tdMode": "cross", "side": "sell", "ordType": "conditional", "sz": str(size), "algoClOrdId": name,
            "reduceOnly": True, "slTriggerPx": str(price), "slTriggerPxType": "mark", "slOrdPx": "-1",
        }  # fmt: skip
        found = self.request("POST", "trade/order-algo", body)
        if found["code"] != "0":
            raise Refused(found)

    def cancel_stop(self, stop: Stop) -> None:
        self.request("POST", "trade/cancel-algos", [{"algoId": stop.number, "instId": NAME}])

    def position(self) -> tuple[Decimal, Decimal]:
        self.listen()
        if self.pushed is not None:
            return self.pushed
        rows = self.request("GET", "account/positions", instId=NAME)["data"]
        held = [(Decimal(each["pos"]), Decimal(each["avgPx"])) for each in rows if Decimal(each["pos"] or 0)]
        return held[0] if held else (Decimal(0), Decimal(0))

    def price(self) -> Decimal:
        self.listen()
        if self.book.right and self.book.sides["bids"]:
            return self.book.best("bids", 1)[0]
        return Decimal(self.request("GET", "market/ticker", instId=NAME)["data"][0]["bidPx"])

    # --- sockets

    def listen(self) -> None:
        """Takes what was pushed since. A lost socket is opened again the next time."""
        try:
            self.loop.run_until_complete(self._listen())
        except LOST:
            self.loop.run_until_complete(self._hang_up())

    async def _listen(self) -> None:
        if not self.sockets:
            await self._connect()
        for socket in self.sockets:
            await socket.send_str("ping")
            while (text := await self._frame(socket)) != "pong":
                self.take(json.loads(text))
            if not self.book.right and socket is self.sockets[0]:
                await self.ask_for_the_book(socket)

    @staticmethod
    async def _frame(socket: Any) -> str:
        message = await socket.receive(timeout=TIMEOUT_S)
        if message.type != aiohttp.WSMsgType.TEXT:
            raise ConnectionError("the socket is closed")
        return str(message.data)

    async def _connect(self) -> None:
        self.session = self.session or aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(sock_connect=TIMEOUT_S))
        patience = aiohttp.ClientWSTimeout(ws_close=TIMEOUT_S)
        for path in ("public", "private"):
            self.sockets.append(await self.session.ws_connect(f"{self.ws_url}/{path}", timeout=patience))
        public, private = self.sockets
        stamp = str(int(datetime.now(UTC).timestamp()))
        login = {"apiKey": self.key, "passphrase": self.phrase, "timestamp": stamp}
        await private.send_json({"op": "login", "args": [login | {"sign": self.sign(f"{stamp}GET/users/self/verify")}]})
        if json.loads(await self._frame(private))["event"] != "login":
            raise ConnectionError("no login")
        await private.send_json({"op": "subscribe", "args": [{"channel": "positions", "instType": "SWAP"}]})
        await public.send_json({"op": "subscribe", "args": [{"channel": "books", "instId": NAME}]})

    async def ask_for_the_book(self, socket: Any) -> None:
        """Subscribes anew, which brings a fresh snapshot."""
        for op in ("unsubscribe", "subscribe"):
            await socket.send_json({"op": op, "args": [{"channel": "books", "instId": NAME}]})

    async def _hang_up(self) -> None:
        lost, self.sockets, self.book, self.pushed = self.sockets, [], Book(), None
        for socket in lost:
            await socket.close()

    def take(self, message: dict[str, Any]) -> None:
        """Takes one message."""
        if message.get("event") == "notice":
            raise ConnectionError("the venue is about to close this socket")
        if "data" not in message:
            return
        if message["arg"]["channel"] == "books":
            self.book.take(message["action"], message["data"][0])
        else:
            self.moved(message["data"])

    def moved(self, rows: list[dict[str, Any]]) -> None:
        """Takes positions that were pushed."""
        for each in rows:
            if each["instId"] == NAME:
                self.pushed = Decimal(each["pos"] or 0), Decimal(each["avgPx"] or 0)

    def close(self) -> None:
        self.loop.run_until_complete(self._hang_up())
        if self.session is not None:
            self.loop.run_until_complete(self.session.close())
        self.loop.close()
