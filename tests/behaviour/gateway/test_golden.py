"""One full record of each object, as it is written: a serializer that drops a key, or writes it otherwise, fails here.

`python tests/behaviour/gateway/test_golden.py` writes the file anew, from tests/ on the path.
"""

import json
from pathlib import Path

from support.gateways import NAME, Client, Socket, quoted, venue

FILE = Path(__file__).with_name("records.json")
ROUTES = {
    "account": "account/balance", "config": "account/config", "position": "account/positions",
    "closed position": "account/positions-history:bob", "leverage": f"account/leverage-info?instId={NAME}&mgnMode=isolated",
    "fee": "account/trade-fee?instType=SWAP", "bill": "account/bills", "order": "trade/orders-pending",
    "past order": "trade/orders-history", "liquidation order": "trade/orders-history:bob", "algo": "trade/orders-algo-pending",
    "past algo": "trade/orders-algo-history", "fill": "trade/fills", "instrument": "public/instruments?instType=SWAP",
    "ticker": f"market/ticker?instId={NAME}", "book": f"market/books?instId={NAME}&sz=2",
    "trade": f"market/trades?instId={NAME}",
    "bar": f"market/candles?instId={NAME}&bar=1H", "mark": "public/mark-price?instType=SWAP",
    "tier": "public/position-tiers?instType=SWAP",
    "index": "market/index-tickers?instId=BTC-USDT", "funding": f"public/funding-rate?instId={NAME}",
    "past funding": f"public/funding-rate-history?instId={NAME}", "open interest": "public/open-interest?instType=SWAP",
    "price limit": f"public/price-limit?instId={NAME}", "liquidation": "public/liquidation-orders?instType=SWAP",
}  # fmt: skip
CHANNELS = {
    "public": [{"channel": each, "instId": NAME} for each in ("books", "bbo-tbt", "books5")],
    "private": [
        {"channel": "orders", "instType": "SWAP"}, {"channel": "positions", "instType": "SWAP"},
        {"channel": "balance_and_position"}
    ],
    "business": [{"channel": "orders-algo", "instType": "SWAP"}],
}  # fmt: skip


def records():
    """Everything once, after the same requests."""
    found = {}
    with venue(quoted()) as (gateway, client), Socket(gateway, "public") as a, Socket(gateway, "private") as b:
        for socket, path in ((a, "public"), (b, "private")):
            if path == "private":
                socket.login()
            for arg in CHANNELS[path]:
                socket.ask({"op": "subscribe", "args": [arg]})
        client.post("account/set-leverage", {"instId": NAME, "lever": 10, "mgnMode": "isolated", "posSide": "net"})
        client.order("buy", 4, tdMode="isolated", clOrdId="in", tag="t")
        client.order("buy", 1, 49_000, tdMode="isolated", clOrdId="rests")
        for i, price in enumerate((47_000, 46_000)):
            stop = {"instId": NAME, "tdMode": "isolated", "side": "sell", "ordType": "conditional", "sz": "1",
            "clOrdId": f"s{i}",
                    "slTriggerPx": str(price), "slOrdPx": "-1", "slTriggerPxType": "mark"}  # fmt: skip
            client.post("trade/order-algo", stop)
        client.post("trade/cancel-algos", [{"instId": NAME, "algoClOrdId": "s1"}])
        gateway.exchange.settle_funding(NAME, "0.0001", period=1)
        bob = Client(gateway, **{"OK-ACCESS-KEY": "bob"})
        bob.post("account/set-leverage", {"instId": NAME, "lever": 50, "mgnMode": "isolated"})
        bob.order("buy", 1, tdMode="isolated")
        gateway.exchange.advance(gateway.exchange.time_ns + 10**9)
        gateway.exchange.mark(NAME, 49_000)
        for name, told in ROUTES.items():
            route, _, who = told.partition(":")
            asker = bob if who else client
            found[name] = json.loads(asker.raw("GET", f"/api/v5/{route}")[1])["data"][0]
        for socket, path in ((a, "public"), (b, "private")):
            assert socket.quiet() in (True, False)
            for push in socket.pushes:
                found.setdefault(f"{path} {push['arg']['channel']} {push.get('action', '')}".strip(), push)
    return found


def test_records_are_written_as_they_were():
    golden = json.loads(FILE.read_text())
    now = records()
    assert list(now) == list(golden)
    for name, record in now.items():
        assert record == golden[name], name


if __name__ == "__main__":
    FILE.write_text(json.dumps(records(), indent=1) + "\n")
