"""A local venue for tests: one instrument with a book, a gateway over it, and plain requests to it."""

import json
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from solvent import Exchange, Instrument
from solvent.gateway import Gateway

NAME = "BTC-USDT-SWAP"
START_NS = 1_764_500_000 * 10**9
HEADERS = {
    "OK-ACCESS-KEY": "alice", "OK-ACCESS-PASSPHRASE": "p", "OK-ACCESS-SIGN": "s",
    "OK-ACCESS-TIMESTAMP": "2026-11-30T18:42:51.123Z",
}  # fmt: skip


def quoted(**terms):
    """Returns an exchange with a market maker's book around 50,000, as a venue has it: lots of 0.01 contracts."""
    exchange = Exchange([Instrument(NAME, lot="0.01", settle_decimals=8)], **terms)
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


@contextmanager
def venue(exchange=None, **terms):
    """Yields a gateway and a client of it; the exchange's sums hold at the end."""
    exchange = exchange or quoted()
    with Gateway(exchange, **terms) as gateway:
        yield gateway, Client(gateway)
    exchange.check()
