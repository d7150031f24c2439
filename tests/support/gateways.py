"""A local venue for tests: one instrument with a book, a gateway over it, and plain requests to it."""

import json
from collections import deque
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from websockets.sync.client import connect

from solvent import Exchange, Instrument
from solvent.gateway import Gateway

NAME = "BTC-USDT-SWAP"
START_NS = 1_764_500_000 * 10**9
HEADERS = {
    "OK-ACCESS-KEY": "alice", "OK-ACCESS-PASSPHRASE": "p", "OK-ACCESS-SIGN": "s",
    "OK-ACCESS-TIMESTAMP": "2026-11-30T18:42:51.123Z",
}  # fmt: skip


def quoted(exchange=None, **terms):
    """Returns an exchange with a market maker's book around 50,000, as a venue has it: lots of 0.01 contracts."""
    exchange = exchange or Exchange([Instrument(NAME, lot="0.01", settle_decimals=8)], **terms)
    exchange.advance(START_NS)
    exchange.mark(NAME, 50_000)
    exchange.index(NAME, 50_000)
    exchange.deposit("maker", "USDT", 1_000_000)
    for i in range(5):
        exchange.order("maker", NAME, "sell", 3, price=50_010 + i)
        exchange.order("maker", NAME, "buy", 3, price=49_990 - i)
    return exchange


class Client:
    """Sends plain requests to a gateway."""

    def __init__(self, gateway, **headers):
        self.gateway = gateway
        self.headers = HEADERS | headers

    def raw(self, method, path, body=None, headers=None):
        """Returns (status, bytes) of any request."""
        asked = Request(
            self.gateway.url + path, method=method, data=body, headers=self.headers if headers is None else headers
        )
        try:
            with urlopen(asked, timeout=10) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            return error.code, error.read()

    def get(self, route, **query):
        """Returns the answer of a GET."""
        tail = f"?{urlencode(query)}" if query else ""
        return json.loads(self.raw("GET", f"/api/v5/{route}{tail}")[1])

    def post(self, route, body):
        """Returns the answer of a POST."""
        return json.loads(self.raw("POST", f"/api/v5/{route}", json.dumps(body).encode())[1])

    def one(self, route, **query):
        """Returns the one record of a GET."""
        answer = self.get(route, **query)
        assert answer["code"] == "0" and len(answer["data"]) == 1, answer
        return answer["data"][0]

    def order(self, side, size, price=None, **more):
        """Places an order and returns its acknowledgement."""
        body = {
            "instId": NAME,
            "tdMode": "cross",
            "side": side,
            "sz": str(size),
            "ordType": "market" if price is None else "limit",
        }
        return self.post("trade/order", body | ({} if price is None else {"px": str(price)}) | more)["data"][0]


class Socket:
    """Speaks on one socket of a gateway, "public", "private" or "business"."""

    def __init__(self, gateway, path):
        self._opening = connect(f"{gateway.ws_url}/{path}", max_size=None)
        self.pushes = deque()

    def __enter__(self):
        self._socket = self._opening.__enter__()
        return self

    def __exit__(self, *error):
        self._opening.__exit__(*error)

    def send(self, asked):
        """Sends a frame: text, or what becomes JSON."""
        self._socket.send(asked if isinstance(asked, str) else json.dumps(asked))

    def next(self, timeout=5):
        """Returns the next frame."""
        text = self._socket.recv(timeout=timeout)
        return text if text == "pong" else json.loads(text)

    def ask(self, asked):
        """Sends a frame and returns its answer; pushes before it are kept."""
        self.send(asked)
        while True:
            found = self.next()
            if "data" not in found or "op" in found:
                return found
            self.pushes.append(found)

    def login(self, key="alice"):
        """Logs in."""
        args = {"apiKey": key, "passphrase": "p", "timestamp": "1764500000", "sign": "s"}
        assert self.ask({"op": "login", "args": [args]})["code"] == "0"

    def subscribe(self, channel, **more):
        """Subscribes, and returns the acknowledgement."""
        return self.ask({"op": "subscribe", "args": [{"channel": channel} | more]})

    def push(self):
        """Returns the next push."""
        return self.pushes.popleft() if self.pushes else self.next()

    def quiet(self):
        """True if nothing has come that was not read."""
        self.send("ping")
        while (found := self.next()) != "pong":
            self.pushes.append(found)
        return not self.pushes


@contextmanager
def venue(exchange=None, **terms):
    """Yields a gateway and a client of it; the exchange's sums hold at the end."""
    exchange = exchange or quoted()
    with Gateway(exchange, **terms) as gateway:
        yield gateway, Client(gateway)
    exchange.check()
