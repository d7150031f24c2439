"""REST: what orders do and what the past shows, by plain requests."""

import json

import pytest

from support.gateways import NAME, Client, venue


@pytest.fixture
def at():
    with venue() as (_, client):
        yield client


def test_an_order_lives_and_dies_with_all_its_numbers(at):
    ack = at.order("buy", "1", 49_980, clOrdId="abc1", tag="t")
    assert ack["sCode"] == "0" and ack["clOrdId"] == "abc1"
    row = at.one("trade/order", instId=NAME, clOrdId="abc1")
    assert (row["state"], row["px"], row["sz"], row["accFillSz"], row["fillSz"], row["tag"]) == (
        "live",
        "49980",
        "1",
        "0",
        "0",
        "t",
    )
    assert at.get("trade/orders-pending", instType="SWAP")["data"] == [row]
    assert at.post("trade/amend-order", {"instId": NAME, "ordId": row["ordId"], "newSz": "0.5", "newPx": ""})["code"] == "0"
    assert at.one("trade/order", instId=NAME, ordId=row["ordId"])["sz"] == "0.5"
    assert at.post("trade/cancel-order", {"instId": NAME, "ordId": "", "clOrdId": "abc1"})["data"][0]["sCode"] == "0"
    assert at.one("trade/order", instId=NAME, clOrdId="abc1")["state"] == "canceled"
    assert at.get("trade/orders-history", instType="SWAP", state="canceled")["data"][0]["cancelSource"] == "1"
    again = at.post("trade/cancel-order", {"instId": NAME, "clOrdId": "abc1"})
    assert again["code"] == "1" and again["data"][0]["sCode"] == "51401"


def test_two_fills_of_one_order_each_have_their_own_fee(at):
    ack = at.order("buy", 4)
    row = at.one("trade/order", instId=NAME, ordId=ack["ordId"])
    assert (row["state"], row["avgPx"], row["px"], row["fee"]) == ("filled", "50010.25", "50010.25", "-1.000205")
    fills = at.get("trade/fills", instType="SWAP")["data"]
    assert [(each["fillPx"], each["fillSz"], each["fee"], each["execType"]) for each in fills] == [
        ("50011", "1", "-0.250055", "T"), ("50010", "3", "-0.75015", "T"),
    ]  # fmt: skip
    assert [bill["fee"] for bill in at.get("account/bills", type="2")["data"]] == ["-0.250055", "-0.75015"]
    position = at.one("account/positions", instId=NAME)
    assert (position["pos"], position["avgPx"], position["upl"], position["realizedPnl"]) == (
        "4",
        "50010.25",
        "-0.41",
        "-1.000205",
    )
    maker = Client(at.gateway, **{"OK-ACCESS-KEY": "maker"})
    assert sorted(each["execType"] for each in maker.get("trade/fills")["data"]) == ["M", "M"]


def test_a_repeated_client_id_has_no_second_effect(at):
    first = at.order("buy", 1, clOrdId="once")
    again = at.order("buy", 1, clOrdId="once")
    assert (first["sCode"], again["sCode"], again["ordId"]) == ("0", "51016", "")
    assert at.one("account/positions")["pos"] == "1"
    stop = {"instId": NAME, "tdMode": "cross", "side": "sell", "ordType": "conditional", "sz": "1", "slTriggerPx": "49000",
            "slOrdPx": "-1", "clOrdId": "stop1", "reduceOnly": True}  # fmt: skip
    acks = [at.post("trade/order-algo", stop)["data"][0]["algoId"] for _ in range(2)]
    assert acks[0] == acks[1] and len(at.get("trade/orders-algo-pending", ordType="conditional")["data"]) == 1


def test_batches_say_how_many_failed(at):
    good = {"instId": NAME, "tdMode": "cross", "side": "buy", "ordType": "limit", "sz": "1", "px": "49000"}
    bad = good | {"sz": "0.005"}
    answers = [at.post("trade/batch-orders", items) for items in ([good], [good, bad], [bad, bad])]
    assert [answer["code"] for answer in answers] == ["0", "2", "1"]
    assert [row["sCode"] for row in answers[1]["data"]] == ["0", "51121"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"instId": "NO-SUCH-SWAP"}, "51001"), ({"sz": "1.001"}, "51121"), ({"px": "70000"}, "51006"),
        ({"sz": "5000"}, "51008"), ({"side": "up"}, "51000"), ({"ordType": "iceberg"}, "51000"), ({"px": "abc"}, "51000"),
        ({"posSide": "long"}, "51000"), ({"clOrdId": "a-b"}, "51000"), ({"reduceOnly": True}, "51169"), ({"px": ""}, "50014"),
        ({"sz": ["1"]}, "51000"), ({"tdMode": None}, "51000"),
    ],
)  # fmt: skip
def test_what_is_refused_has_the_code_of_the_venue(at, change, code):
    body = {"instId": NAME, "tdMode": "cross", "side": "buy", "ordType": "limit", "sz": "1", "px": "49000"} | change
    answer = at.post("trade/order", body)
    assert (answer["code"], answer["data"][0]["sCode"]) == ("1", code)
    assert at.get("trade/orders-pending")["data"] == []


def test_missing_null_and_empty_are_alike_and_numbers_are_read_by_their_digits(at):
    body = {
        "instId": NAME,
        "tdMode": "cross",
        "side": "buy",
        "ordType": "limit",
        "ccy": "",
        "attachAlgoOrds": None,
        "posSide": "",
    }
    text = json.dumps(body)[:-1] + ', "sz": 1e-02, "px": 49000.1, "reduceOnly": "", "unknown": [1]}'
    status, data = at.raw("POST", "/api/v5/trade/order", text.encode())
    order = json.loads(data)["data"][0]
    assert status == 200 and order["sCode"] == "0"
    assert at.one("trade/order", instId=NAME, ordId=order["ordId"])["sz"] == "0.01"


def test_unknown_orders_are_51603_and_never_an_empty_list(at):
    assert at.get("trade/order", instId=NAME, ordId="9")["code"] == "51603"
    assert at.get("trade/order-algo", instId=NAME, algoId="9")["code"] == "51603"
    at.order("buy", 1, 49_000, clOrdId="here")
    assert at.get("trade/order", instId="OTHER", clOrdId="here")["code"] == "51603"


def test_a_liquidation_is_seen_everywhere(at):
    assert (
        at.post("account/set-leverage", {"instId": NAME, "lever": 10, "mgnMode": "isolated", "posSide": "net"})["code"] == "0"
    )
    at.order("buy", 4, tdMode="isolated")
    assert at.one("account/positions")["liqPx"] == "45247.8"
    at.gateway.exchange.mark(NAME, 45_000)
    assert at.get("account/positions")["data"] == []
    last = at.get("trade/orders-history", instType="SWAP", category="full_liquidation")["data"]
    assert [(row["state"], row["side"], row["sz"], row["ordType"]) for row in last] == [("filled", "sell", "4", "market")]
    closed = at.one("account/positions-history")
    assert (closed["type"], closed["openAvgPx"], closed["closeTotalPos"]) == ("3", "50010.25", "4")
    assert at.get("public/liquidation-orders", instType="SWAP", state="filled")["data"][0]["details"][0]["side"] == "sell"


def test_funding_and_margin_moves_are_bills(at):
    at.post("account/set-leverage", {"instId": NAME, "lever": "10", "mgnMode": "isolated"})
    at.order("buy", 4, tdMode="isolated")
    for kind in ("add", "reduce"):
        move = {"instId": NAME, "posSide": "net", "type": kind, "amt": 10}
        assert at.post("account/position/margin-balance", move)["code"] == "0"
    at.gateway.exchange.settle_funding(NAME, "0.0001", period=1)
    bills = at.get("account/bills")["data"]
    assert [(bill["type"], bill["subType"], bill["balChg"]) for bill in bills[:3]] == [
        ("8", "173", "-0.2"), ("6", "161", "10"), ("6", "160", "-10"),
    ]  # fmt: skip
    assert at.get("account/bills-archive", type="8", ctType="linear", ccy="USDT", instType="SWAP")["data"] == bills[:1]


def test_a_stop_is_placed_moved_fires_and_is_in_the_past(at):
    at.order("buy", 2)
    stop = {"instId": NAME, "tdMode": "cross", "side": "sell", "ordType": "conditional", "sz": "2", "slTriggerPx": "49000",
            "slOrdPx": "-1", "slTriggerPxType": "mark", "algoClOrdId": "s1", "reduceOnly": "true"}  # fmt: skip
    number = at.post("trade/order-algo", stop)["data"][0]["algoId"]
    move = {"instId": NAME, "algoId": number, "newSz": "1.5", "newSlTriggerPx": "49500", "newSlOrdPx": "-1"}
    assert at.post("trade/amend-algos", move)["code"] == "0"
    row = at.one("trade/order-algo", algoClOrdId="s1")
    assert (row["state"], row["sz"], row["slTriggerPx"], row["slOrdPx"]) == ("live", "1.5", "49500", "-1")
    assert at.get("trade/order", instId=NAME, ordId=number)["code"] == "51603"
    at.gateway.exchange.mark(NAME, 49_400)
    row = at.one("trade/order-algo", algoId=number)
    assert (row["state"], row["ordId"], row["actualSide"]) == ("effective", number, "sl")
    assert [
        each["algoId"] for each in at.get("trade/orders-algo-history", ordType="conditional", state="effective")["data"]
    ] == [number]
    order = at.one("trade/order", instId=NAME, ordId=number)
    assert (order["state"], order["accFillSz"], order["algoId"], order["ordType"]) == ("filled", "1.5", number, "market")
    assert at.one("account/positions")["pos"] == "0.5"


@pytest.mark.parametrize(
    ("side", "target", "price", "code"),
    [("sell", "sl", 51_000, "51280"), ("buy", "sl", 49_000, "51278"), ("sell", "tp", 49_000, "51279"), ("buy", "tp", 51_000,
    "51277")],
)  # fmt: skip
def test_a_trigger_on_the_wrong_side_is_refused_by_its_own_code(at, side, target, price, code):
    at.order("buy", 1)
    stop = {"instId": NAME, "tdMode": "cross", "side": side, "ordType": "conditional", "sz": "1",
    f"{target}TriggerPx": str(price),
            f"{target}OrdPx": "-1"}  # fmt: skip
    answer = at.post("trade/order-algo", stop)
    assert (answer["code"], answer["data"][0]["sCode"]) == ("1", code)


def test_a_trigger_order_fires_from_either_side_and_a_trailing_stop_follows(at):
    at.order("buy", "0.01")
    for price in (51_000, 48_000):
        wake = {"instId": NAME, "tdMode": "cross", "side": "buy", "ordType": "trigger", "sz": "1", "triggerPx": str(price),
                "orderPx": "-1", "triggerPxType": "mark"}  # fmt: skip
        assert at.post("trade/order-algo", wake)["code"] == "0"
    trail = {
        "instId": NAME,
        "tdMode": "cross",
        "side": "sell",
        "ordType": "move_order_stop",
        "sz": "0.01",
        "callbackRatio": "0.01",
    }
    assert at.post("trade/order-algo", trail)["code"] == "0"
    assert at.get("trade/orders-algo-pending", ordType="move_order_stop")["data"][0]["callbackRatio"] == "0.01"
    at.gateway.exchange.mark(NAME, 50_900)
    assert len(at.get("trade/orders-algo-pending", ordType="trigger")["data"]) == 2
    at.gateway.exchange.mark(NAME, 51_000)
    assert [row["triggerPx"] for row in at.get("trade/orders-algo-pending", ordType="trigger")["data"]] == ["48000"]


def test_leverage_of_the_other_mode_waits_until_the_mode_is_taken(at):
    at.order("buy", 1)
    assert at.post("account/set-leverage", {"instId": NAME, "lever": "7", "mgnMode": "isolated"})["code"] == "0"
    assert at.one("account/leverage-info", instId=NAME, mgnMode="isolated")["lever"] == "7"
    assert at.one("account/leverage-info", instId=NAME, mgnMode="cross")["lever"] == "10"
    assert at.order("buy", 1, tdMode="isolated")["sCode"] == "51010"
    assert at.post("trade/close-position", {"instId": NAME, "mgnMode": "cross"})["code"] == "0"
    assert at.order("buy", 1, tdMode="isolated")["sCode"] == "0"
    assert (at.one("account/positions")["lever"], at.one("account/positions")["mgnMode"]) == ("7", "isolated")


def test_the_position_mode_is_of_all_instruments_or_none(at):
    at.order("buy", 1)
    assert at.post("account/set-position-mode", {"posMode": "long_short_mode"})["code"] == "59000"
    at.post("trade/close-position", {"instId": NAME, "mgnMode": "cross"})
    assert at.post("account/set-position-mode", {"posMode": "long_short_mode"})["code"] == "0"
    assert at.one("account/config")["posMode"] == "long_short_mode"
    assert at.order("buy", 1)["sCode"] == "51000"
    assert at.order("buy", 1, posSide="long")["sCode"] == "0" and at.order("sell", 2, posSide="short")["sCode"] == "0"
    assert [(row["posSide"], row["pos"]) for row in at.get("account/positions")["data"]] == [("long", "1"), ("short", "2")]


def test_bars_are_made_of_minutes_and_have_no_holes(at):
    begun = at.gateway.exchange.time_ns
    at.order("buy", 1)
    at.gateway.exchange.advance(begun + 5 * 60 * 10**9)
    at.order("sell", 2)
    bars = at.get("market/candles", instId=NAME, bar="1m")["data"]
    assert len(bars) == 6 and [bar[5] for bar in bars] == ["2", "0", "0", "0", "0", "1"]
    assert [bar[8] for bar in bars] == ["0", "1", "1", "1", "1", "1"] and bars[2][1:5] == ["50010"] * 4
    (bar,) = at.get("market/candles", instId=NAME, bar="1H")["data"]
    assert bar[1:6] == ["50010", "50010", "49990", "49990", "3"]
    newer = at.get("market/history-candles", instId=NAME, bar="1m", before=bars[3][0], after=bars[0][0])["data"]
    assert newer == bars[1:3]


def test_what_is_available_is_never_above_equity(at):
    at.order("buy", 10)
    at.gateway.exchange.mark(NAME, 55_000)
    detail = at.one("account/balance")["details"][0]
    assert float(detail["availEq"]) <= float(detail["eq"]) and float(detail["upl"]) > 400


def test_money_and_positions_are_told_as_of_one_moment(at):
    at.order("buy", 2)
    risk, money = at.one("account/account-position-risk"), at.one("account/balance")["details"][0]
    assert [(row["instId"], row["pos"], row["posSide"]) for row in risk["posData"]] == [(NAME, "2", "net")]
    assert [(row["ccy"], row["eq"]) for row in risk["balData"]] == [("USDT", money["eq"])]
    assert at.one("account/max-avail-size", instId=NAME, tdMode="cross")["availBuy"] == money["availEq"]
    assert at.get("public/underlying", instType="SWAP")["data"] == [["BTC-USDT"]]
    for route in ("asset/balances", "asset/bills", "asset/deposit-history", "asset/withdrawal-history"):
        assert at.get(route)["data"] == []


def test_orders_are_cancelled_unless_the_client_says_so_again(at):
    at.order("buy", 1, 49_000, clOrdId="a")
    ex = at.gateway.exchange
    begun = ex.time_ns
    assert at.post("trade/cancel-all-after", {"timeOut": 10})["data"][0]["triggerTime"] == str(begun // 10**6 + 10_000)
    ex.advance(begun + 9 * 10**9)
    assert at.post("trade/cancel-all-after", {"timeOut": "10"})["code"] == "0"
    ex.advance(begun + 18 * 10**9)
    assert at.one("trade/order", instId=NAME, clOrdId="a")["state"] == "live"
    ex.advance(begun + 19 * 10**9)
    row = at.one("trade/order", instId=NAME, clOrdId="a")
    assert (row["state"], row["cancelSource"]) == ("canceled", "20")
    assert at.post("trade/cancel-all-after", {"timeOut": 0})["data"][0]["triggerTime"] == "0"
    for name, tag in (("b", "bot"), ("c", "hand"), ("d", "")):
        at.order("buy", 1, 49_000, clOrdId=name, tag=tag)
    stop = {"instId": NAME, "tdMode": "cross", "side": "buy", "ordType": "trigger", "sz": "1", "triggerPx": "60000",
            "orderPx": "-1", "tag": "bot", "algoClOrdId": "e"}  # fmt: skip
    at.post("trade/order-algo", stop)
    assert at.post("trade/cancel-all-after", {"timeOut": 10, "tag": "bot"})["data"][0]["tag"] == "bot"
    ex.advance(begun + 40 * 10**9)
    assert {row["clOrdId"] for row in at.get("trade/orders-pending")["data"]} == {"c", "d"}
    assert at.one("trade/order-algo", algoClOrdId="e")["state"] == "canceled"
    codes = [at.post("trade/cancel-all-after", {"timeOut": 10, "tag": f"t{i}"})["code"] for i in range(21)]
    assert codes == ["0"] * 20 + ["51071"]
    assert [at.post("trade/cancel-all-after", {"timeOut": wrong})["code"] for wrong in (5, 500, "x", "")] == ["51000"] * 4
