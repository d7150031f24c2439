"""Every OKX request that was recorded from a real client is answered; every key of the venue's recorded payloads is there."""

import json
import re
from pathlib import Path

import pytest

from support.gateways import NAME, Client, Socket, quoted, venue

SHARED = Path(__file__).parents[4] / "shared/data"
REQUESTS = SHARED / "client_requests.json"
SAMPLES = SHARED / "okx_samples"
pytestmark = pytest.mark.skipif(not REQUESTS.exists(), reason="the recorded requests are not on this machine")


def recorded(method):
    """The recorded requests of REST ("") or of sockets ("WS"), with ids filled in."""
    if not REQUESTS.exists():
        return []
    rows = json.loads(REQUESTS.read_text())["requests"]
    rows = [
        json.loads(re.sub("<16 hex>", f"{i:016x}", json.dumps(row)).replace("<ms>", "1746947000000"))
        for i, row in enumerate(rows)
    ]
    return [
        row for row in rows if row["path"].startswith(("/api/v5/", "/ws/v5/")) and (row["method"] == "WS") == (method == "WS")
    ]


EXPECTED = {  # where it is not "0": calls that name an order which is not there, or that a new account may not make
    "order cost": "51603", "fetch cl": "51603", "fetch order": "51603", "cancel w result": "51603",
    "fetch_order trig": "51603",
    "fetch stop, empty answer": "51603", "cancel stop": "51400", "cancel trailing": "51400", "cancels": "51400",
    "cancels trig": "51400", "cancel cl trig": "51400", "edit": "51503", "amend": "51503", "cancel algo": "51400",
    "cancel": "51400", "close": "51023", "margin": "59300", "Q1 stop isolated hedge": "51000", "hedged close long": "51000",
    "lev iso long": "51000", "fetch stop, 51603": "51603", "oco": "51169",
    "Q3 postonly ro": "51169", "exit ro": "51169", "cost": "51008", "limit": "51169",
}  # fmt: skip
HEDGED = ("Q1 stop isolated hedge", "hedged close long", "lev iso long")


def code_of(answer):
    """The code of the first item, or of the whole."""
    bad = (row["sCode"] for row in answer["data"] if isinstance(row, dict) and row.get("sCode", "0") != "0")
    return next(bad, answer["code"])


@pytest.mark.parametrize(
    "each", recorded(""), ids=lambda each: f"{each['client'].split()[0]} {each['call']} {each['path'][8:]}"
)
def test_a_recorded_request_is_answered_as_the_venue_would(each):
    with venue() as (_, client):
        target = each["path"] + (f"?{each['query']}" if each["query"] else "")
        status, body = client.raw(each["method"], target, each["body"].encode() if each["body"] else None)
    wanted = EXPECTED.get(each["call"], "0")
    if each["call"] == "limit" and "python-okx" not in each["client"]:
        wanted = "0"
    if each["path"].endswith(("orders-algo-pending", "orders-algo-history")):
        wanted = "0"
    assert status == 200 and code_of(json.loads(body)) == wanted, body


@pytest.mark.parametrize("each", [row for row in recorded("") if row["call"] in HEDGED], ids=lambda each: each["call"])
def test_a_recorded_request_of_the_hedge_mode_is_answered_in_it(each):
    with venue() as (_, client):
        assert client.post("account/set-position-mode", {"posMode": "long_short_mode"})["code"] == "0"
        client.order("buy", 2, posSide="long", tdMode="isolated" if "isolated" in each["body"] else "cross")
        answer = client.post(each["path"][8:], json.loads(each["body"]))
    assert code_of(answer) == "0"


WS_PATHS = recorded("WS")


@pytest.mark.parametrize("each", WS_PATHS, ids=lambda each: f"{each['call']} {json.loads(each['body'])['op']}")
def test_a_recorded_frame_is_answered_as_the_venue_would(each):
    asked = json.loads(each["body"])
    with venue() as (gateway, _), Socket(gateway, each["path"].rsplit("/", 1)[1]) as socket:
        if not each["path"].endswith("public") and asked["op"] != "login":
            socket.login()
        answer = socket.ask(asked)
    if "id" in asked:
        assert (answer["id"], answer["op"], answer["code"]) == (asked["id"], asked["op"], "1"), answer  # no such order
        assert {row["sCode"] for row in answer["data"]} <= {"51400", "51503", "51001"}
    else:
        assert answer["event"] == asked["op"], answer
        assert asked["op"] == "login" or answer["arg"] == asked["args"][0]


# --- payloads


def traded():
    """An exchange in which everything has happened once."""
    exchange = quoted()
    with venue(exchange) as (gateway, client):
        client.post("account/set-leverage", {"instId": NAME, "lever": 10, "mgnMode": "isolated", "posSide": "net"})
        client.order("buy", 4, tdMode="isolated")
        client.order("buy", 1, 49_000, tdMode="isolated")
        for price in (47_000, 46_000):
            stop = {
                "instId": NAME,
                "tdMode": "isolated",
                "side": "sell",
                "ordType": "trigger",
                "sz": "1",
                "triggerPx": price,
                "orderPx": -1,
            }
            client.post("trade/order-algo", stop)
        close = {"instId": NAME, "tdMode": "isolated", "side": "sell", "slTriggerPx": "40000", "slOrdPx": "-1"}
        both = close | {"tpTriggerPx": "60000", "tpOrdPx": "-1", "algoClOrdId": "both"}
        client.post("trade/order-algo", both | {"ordType": "oco", "sz": "1"})
        client.post("trade/order-algo", close | {"ordType": "conditional", "closeFraction": "1"})
        attached = [{"slTriggerPx": "40000", "slOrdPx": "-1"}, {"tpTriggerPx": "60000", "tpOrdPx": "-1"}]
        client.order("buy", 1, 47_000, tdMode="isolated", attachAlgoOrds=attached)
        algos = client.get("trade/orders-algo-pending", ordType="trigger")["data"]
        client.post("trade/cancel-algos", [{"instId": NAME, "algoId": algos[0]["algoId"]}])
        gateway.exchange.settle_funding(NAME, "0.0001", period=1)
        other = Client(gateway, **{"OK-ACCESS-KEY": "bob"})
        other.post("account/set-leverage", {"instId": NAME, "lever": 50, "mgnMode": "isolated"})
        other.order("buy", 1, tdMode="isolated")
        gateway.exchange.mark(NAME, 49_000)
        yield gateway, client


OF_SAMPLE = {
    "http_get_account_balance": "account/balance", "http_get_account_positions-history": "account/positions-history:bob",
    "http_get_candlesticks_full": f"market/candles?instId={NAME}",
    "http_get_funding_rate_history": f"public/funding-rate-history?instId={NAME}",
    "http_get_index_price": "market/index-tickers?instId=BTC-USDT",
    "http_get_instruments_swap": "public/instruments?instType=SWAP",
    "http_get_mark_price": "public/mark-price?instType=SWAP", "http_get_order_book": f"market/books?instId={NAME}&sz=3",
    "http_get_orders_algo_history": "trade/orders-algo-history?ordType=trigger&state=canceled",
    "http_get_orders_algo_pending": "trade/orders-algo-pending?ordType=trigger",
    "http_get_orders_algo_pending_attached_oco": "trade/orders-algo-pending?ordType=oco",
    "http_get_orders_algo_pending_close_fraction": "trade/orders-algo-pending?ordType=conditional",
    "http_get_orders_history": "trade/orders-history?instType=SWAP", "http_get_orders_pending": "trade/orders-pending",
    "http_get_orders_pending_with_attached_tp_sl": "trade/orders-pending",
    "http_get_position_tiers": "public/position-tiers?instType=SWAP&tdMode=cross&instFamily=BTC-USDT",
    "http_get_positions": "account/positions", "http_get_trade_fee_response": "account/trade-fee?instType=SWAP",
    "http_get_trades": f"market/trades?instId={NAME}", "http_transaction_detail": "trade/fills",
}  # fmt: skip
NOT_OURS = {"baseMaxLoan", "quoteMaxLoan"}


@pytest.mark.parametrize("name", OF_SAMPLE)
def test_a_recorded_payload_has_no_key_that_ours_lacks(name):
    """Every value has the type that its venue gives it, too."""
    sample = json.loads((SAMPLES / f"{name}.json").read_text())
    theirs = sample.get("data", [sample])[0]
    route, _, who = OF_SAMPLE[name].partition(":")
    for gateway, client in traded():
        asker = Client(gateway, **{"OK-ACCESS-KEY": who}) if who else client
        answer = json.loads(asker.raw("GET", f"/api/v5/{route}")[1])
    ours = answer["data"][0]
    if isinstance(theirs, list):
        assert [type(each) for each in ours] == [type(each) for each in theirs]
        return
    assert not set(theirs) - set(ours)
    assert {key: type(ours[key]) for key in theirs} == {key: type(value) for key, value in theirs.items()}
    for nested in ("details", "attachAlgoOrds"):
        if theirs.get(nested):
            assert not set(theirs[nested][0]) - set(ours[nested][0])


CHANNELS = {
    "ws_account": ("private", {"channel": "account"}), "ws_bbo_tbt": ("public", {"channel": "bbo-tbt", "instId": NAME}),
    "ws_books_snapshot": ("public", {"channel": "books", "instId": NAME}),
    "ws_candle": ("business", {"channel": "candle1D", "instId": NAME}),
    "ws_funding_rate": ("public", {"channel": "funding-rate", "instId": NAME}),
    "ws_instruments": ("public", {"channel": "instruments", "instType": "SWAP"}),
    "ws_orders": ("private", {"channel": "orders", "instType": "SWAP"}),
    "ws_orders_liquidation": ("private", {"channel": "orders", "instType": "SWAP"}),
    "ws_orders_trigger": ("private", {"channel": "orders", "instType": "SWAP"}),
    "ws_orders_algo": ("business", {"channel": "orders-algo", "instType": "SWAP"}),
    "ws_tickers": ("public", {"channel": "tickers", "instId": NAME}), "ws_trades": ("public", {"channel": "trades",
    "instId": NAME}),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANNELS)
def test_a_recorded_push_has_no_key_that_ours_lacks(name):
    theirs = json.loads((SAMPLES / f"{name}.json").read_text())
    path, arg = CHANNELS[name]
    for gateway, client in traded():
        with Socket(gateway, path) as socket:
            if path != "public":
                socket.login()
            socket.ask({"op": "subscribe", "args": [arg]})
            client.order("buy", 1, tdMode="isolated")
            stop = {
                "instId": NAME,
                "tdMode": "isolated",
                "side": "sell",
                "ordType": "trigger",
                "sz": "1",
                "triggerPx": "40000",
            }
            client.post("trade/order-algo", stop)
            ours = socket.push()
    assert ours["arg"] == arg and not set(theirs) - set(ours)
    if isinstance(theirs["data"][0], dict):
        assert not set(theirs["data"][0]) - set(ours["data"][0])
    else:
        assert len(theirs["data"][0]) == len(ours["data"][0])
