"""Targets and stops: attached to orders, and as pairs of their own, through their whole lives."""

import pytest

import solvent
from solvent import Instrument
from support.gateways import NAME, Client, Socket, quoted, venue

ATTACHED = {"slTriggerPx": "49000", "slOrdPx": "-1", "slTriggerPxType": "mark", "tpTriggerPx": "51000", "tpOrdPx": "-1",
            "tpTriggerPxType": "index", "attachAlgoClOrdId": "guard"}  # fmt: skip
PAIR = {
    "instId": NAME, "tdMode": "cross", "side": "sell", "ordType": "oco", "sz": "1", "tpTriggerPx": "51000", "tpOrdPx": "-1",
    "tpTriggerPxType": "mark", "slTriggerPx": "49000", "slOrdPx": "-1", "slTriggerPxType": "mark", "algoClOrdId": "both",
    "reduceOnly": True, "tag": "t",
}  # fmt: skip


@pytest.fixture
def at():
    with venue() as (_, client):
        yield client


def pending(at, kind="oco"):
    return at.get("trade/orders-algo-pending", ordType=kind)["data"]


def prices(row):
    return [row[name] for name in ("tpTriggerPx", "tpTriggerPxType", "tpOrdPx", "slTriggerPx", "slTriggerPxType", "slOrdPx")]


def test_children_are_on_their_order_until_it_fills_and_then_one_algo_order(at):
    ack = at.order("buy", 2, 49_995, clOrdId="in", attachAlgoOrds=[ATTACHED])
    (item,) = at.one("trade/orders-pending")["attachAlgoOrds"]
    assert prices(item) == ["51000", "index", "-1", "49000", "mark", "-1"]
    assert (item["attachAlgoClOrdId"], item["tpOrdKind"]) == ("guard", "condition")
    assert pending(at) == [] and at.get("trade/order-algo", algoClOrdId="guard")["code"] == "51603"
    assert at.post("trade/cancel-algos", [{"instId": NAME, "algoId": item["attachAlgoId"]}])["data"][0]["sCode"] == "51400"
    at.gateway.exchange.order("maker", NAME, "sell", "0.5", price=49_995)
    (row,) = pending(at)
    assert (row["algoId"], row["algoClOrdId"], row["sz"], row["side"]) == (item["attachAlgoId"], "guard", "0.5", "sell")
    assert prices(row) == prices(item) and row["reduceOnly"] == "true" and row["ordType"] == "oco"
    at.gateway.exchange.order("maker", NAME, "sell", "1.5", price=49_995)
    assert pending(at)[0]["sz"] == "2"
    order = at.one("trade/order", ordId=ack["ordId"], instId=NAME)
    assert (order["state"], order["attachAlgoOrds"], order["attachAlgoClOrdId"]) == ("filled", [item], "guard")


def test_one_that_fires_ends_the_other_and_both_are_one_order_of_the_past(at):
    at.order("buy", 2, attachAlgoOrds=[ATTACHED])
    (row,) = pending(at)
    at.gateway.exchange.mark(NAME, 48_990)
    past = at.get("trade/orders-algo-history", ordType="oco", state="effective")["data"]
    assert [(each["algoId"], each["actualSide"], each["actualSz"]) for each in past] == [(row["algoId"], "sl", "2")]
    assert pending(at) == [] and at.get("account/positions")["data"] == []
    order = at.one("trade/order", instId=NAME, ordId=past[0]["ordId"])
    assert (order["state"], order["algoId"], order["algoClOrdId"], order["source"]) == ("filled", row["algoId"], "guard", "7")
    assert at.one("trade/order", instId=NAME, clOrdId="guard")["ordId"] == order["ordId"] != row["algoId"]
    again = at.post("trade/cancel-algos", [{"instId": NAME, "algoClOrdId": "guard"}])
    assert again["data"][0]["sCode"] == "51402"


def test_the_end_of_an_order_without_a_fill_ends_its_children_without_a_trace(at):
    at.order("buy", 2, 49_000, clOrdId="in", attachAlgoOrds=[ATTACHED | {"slTriggerPx": "48000"}])
    assert at.post("trade/cancel-order", {"instId": NAME, "clOrdId": "in"})["code"] == "0"
    assert pending(at) == at.get("trade/orders-algo-history", ordType="oco")["data"] == []
    assert [row["clOrdId"] for row in at.get("trade/orders-history")["data"]] == ["in"]
    assert at.order("buy", 1, attachAlgoOrds=[ATTACHED])["sCode"] == "0"  # its name is free again


def test_a_pair_is_placed_once_moved_shortened_and_cancelled(at):
    assert at.post("trade/order-algo", PAIR)["data"][0]["sCode"] == "51169"
    at.order("buy", 2)
    numbers = [at.post("trade/order-algo", PAIR)["data"][0]["algoId"] for _ in range(2)]
    assert numbers[0] == numbers[1] and len(pending(at)) == 1
    move = {"instId": NAME, "algoId": numbers[0], "newTpTriggerPx": "52000", "newSlTriggerPx": "48000", "newSz": "0.5"}
    assert at.post("trade/amend-algos", move)["code"] == "0"
    row = at.one("trade/order-algo", algoClOrdId="both")
    assert (row["tpTriggerPx"], row["slTriggerPx"], row["sz"], row["tag"]) == ("52000", "48000", "0.5", "t")
    assert at.post("trade/amend-algos", move)["data"][0]["sCode"] == "51527"
    bad = move | {"newTpTriggerPx": "53000", "newSz": "3"}
    assert at.post("trade/amend-algos", bad)["data"][0]["sCode"] == "51000"
    assert at.one("trade/order-algo", algoClOrdId="both")["tpTriggerPx"] == "52000", "all or nothing"
    at.gateway.exchange.mark(NAME, 48_500)
    assert at.post("trade/cancel-algos", [{"instId": NAME, "algoId": numbers[0]}])["code"] == "0"
    assert at.one("trade/order-algo", algoClOrdId="both")["state"] == "canceled" and pending(at) == []
    assert at.post("trade/cancel-algos", [{"instId": NAME, "algoId": numbers[0]}])["data"][0]["sCode"] == "51401"
    assert at.one("account/positions")["pos"] == "2"


def test_a_pair_without_a_size_follows_its_position(at):
    at.order("buy", 2)
    body = {name: value for name, value in PAIR.items() if name != "sz"} | {"closeFraction": "1"}
    assert at.post("trade/order-algo", body)["code"] == "0"
    at.order("buy", 1)
    row = pending(at)[0]
    assert (row["sz"], row["closeFraction"]) == ("", "1")
    at.gateway.exchange.mark(NAME, 51_000)
    row = at.one("trade/order-algo", algoClOrdId="both")
    assert (row["actualSide"], row["actualSz"]) == ("tp", "3") and at.get("account/positions")["data"] == []


def test_a_target_without_a_trigger_is_an_order_in_the_book_and_its_stop_an_algo_order(at):
    limit = {"tpOrdKind": "limit", "tpOrdPx": "50500", "slTriggerPx": "49000", "slOrdPx": "-1", "attachAlgoClOrdId": "g"}
    at.order("buy", 2, attachAlgoOrds=[limit])
    (target,) = at.get("trade/orders-pending")["data"]
    (stop,) = pending(at, "conditional")
    assert (target["px"], target["sz"], target["isTpLimit"], target["reduceOnly"]) == ("50500", "2", "true", "true")
    assert target["linkedAlgoOrd"]["algoId"] == stop["algoId"] and stop["linkedOrd"]["ordId"] == target["ordId"]
    assert (stop["algoClOrdId"], stop["tpTriggerPx"], stop["slTriggerPx"]) == ("g", "", "49000")
    bob = Client(at.gateway, **{"OK-ACCESS-KEY": "bob"})
    assert bob.order("buy", 20, 50_500)["sCode"] == "0"
    assert at.one("trade/order", instId=NAME, ordId=target["ordId"])["state"] == "filled"
    assert pending(at, "conditional") == [] and at.get("account/positions")["data"] == []


def test_two_objects_are_two_algo_orders_that_end_each_other(at):
    names = {"sl": "a", "tp": "b"}
    items = [{f"{of}TriggerPx": px, f"{of}OrdPx": "-1", f"{of}TriggerPxType": "mark", "attachAlgoClOrdId": names[of]}
             for of, px in (("sl", "49000"), ("tp", "51000"))]  # fmt: skip
    at.order("buy", 1, attachAlgoOrds=items)
    assert {row["algoClOrdId"] for row in pending(at, "conditional")} == {"a", "b"}
    at.gateway.exchange.mark(NAME, 51_000)
    states = {row["algoClOrdId"]: row["state"] for row in at.get("trade/orders-algo-history", ordType="conditional")["data"]}
    assert states == {"a": "canceled", "b": "effective"}


def test_an_order_and_its_children_are_amended_together_or_not_at_all(at):
    at.order("buy", 2, 49_500, clOrdId="in", attachAlgoOrds=[ATTACHED])
    change = {"instId": NAME, "clOrdId": "in", "newPx": "49600",
              "attachAlgoOrds": [{"attachAlgoClOrdId": "guard", "newSlTriggerPx": "48500"}]}  # fmt: skip
    assert at.post("trade/amend-order", change)["code"] == "0"
    row = at.one("trade/orders-pending")
    assert (row["px"], row["attachAlgoOrds"][0]["slTriggerPx"], row["attachAlgoOrds"][0]["tpTriggerPx"]) == (
        "49600", "48500", "51000",
    )  # fmt: skip
    for wrong in ({"newSlTriggerPx": "-5"}, {"attachAlgoClOrdId": "other", "newSlTriggerPx": "48000"}, "x",
                  {"newSlTriggerPx": "48000", "newSlTriggerPxType": "last"}, {"newSlOrdPx": "48400"}):  # fmt: skip
        body = {"instId": NAME, "clOrdId": "in", "newPx": "49700", "attachAlgoOrds": [wrong]}
        assert at.post("trade/amend-order", body)["data"][0]["sCode"] == "51000", wrong
    assert at.one("trade/orders-pending") == row
    top = {
        "instId": NAME,
        "clOrdId": "in",
        "newTpTriggerPx": "0",
        "newSlTriggerPx": "48400",
        "newPx": "",
        "attachAlgoOrds": "",
    }
    assert at.post("trade/amend-order", top | {"attachAlgoOrds": ""})["code"] == "0"
    at.order("buy", 9)  # takes the book's asks, so that the entry is the best bid
    at.gateway.exchange.order("maker", NAME, "sell", 20, price=49_600)
    (stop,) = pending(at, "oco")
    assert (stop["tpTriggerPx"], stop["slTriggerPx"]) == ("", "48400")


def test_a_trigger_order_brings_children(at):
    wake = {"instId": NAME, "tdMode": "cross", "side": "buy", "ordType": "trigger", "sz": "1", "triggerPx": "50500",
            "orderPx": "-1", "triggerPxType": "mark", "attachAlgoOrds": [ATTACHED]}  # fmt: skip
    number = at.post("trade/order-algo", wake)["data"][0]["algoId"]
    row = at.one("trade/order-algo", algoId=number)
    assert prices(row["attachAlgoOrds"][0]) == ["51000", "index", "-1", "49000", "mark", "-1"] and pending(at) == []
    move = {"instId": NAME, "algoId": number, "attachAlgoOrds": [{"newSlTriggerPx": "48800"}], "newTriggerPx": "50400"}
    assert at.post("trade/amend-algos", move)["code"] == "0"
    at.gateway.exchange.mark(NAME, 50_400)
    assert at.one("trade/order", instId=NAME, ordId=number)["source"] == "6"
    assert (pending(at)[0]["slTriggerPx"], pending(at)[0]["sz"]) == ("48800", "1")


def test_a_short_in_hedge_mode_has_its_own_children(at):
    at.post("account/set-position-mode", {"posMode": "long_short_mode"})
    guard = {"slTriggerPx": "51000", "slOrdPx": "-1", "slTriggerPxType": "mark", "tpTriggerPx": "49000", "tpOrdPx": "48990"}
    at.order("sell", 1, posSide="short", attachAlgoOrds=[guard])
    at.order("buy", 1, posSide="long")
    (row,) = pending(at)
    assert (row["side"], row["posSide"], row["tpOrdPx"], row["slOrdPx"]) == ("buy", "short", "48990", "-1")
    at.gateway.exchange.mark(NAME, 51_000)
    assert [each["posSide"] for each in at.get("account/positions")["data"]] == ["long"]


@pytest.mark.parametrize(
    ("side", "price", "item", "code"),
    [
        ("buy", 49_900, {"tpTriggerPx": "49900"}, "51046"), ("buy", 49_900, {"slTriggerPx": "49900"}, "51047"),
        ("sell", 50_100, {"tpTriggerPx": "50200"}, "51048"), ("sell", 50_100, {"slTriggerPx": "50000"}, "51049"),
        ("buy", None, {"tpTriggerPx": "50010"}, "51050"), ("buy", None, {"slTriggerPx": "50010"}, "51051"),
        ("sell", None, {"tpTriggerPx": "49990"}, "51052"), ("sell", None, {"slTriggerPx": "49990"}, "51053"),
        ("buy", 49_900, {}, "50015"), ("buy", 49_900, {"slTriggerPx": "x"}, "51000"),
        ("buy", 49_900, {"slTriggerPx": "48000", "sz": "0.5"}, "51000"), ("buy", 49_900, {"callbackRatio": "0.01"}, "51000"),
        ("buy", 49_900, {"tpOrdKind": "limit"}, "50014"), ("buy", 49_900, {"slTriggerPx": "48000.05"}, "51000"),
        ("buy", 49_900, {"slTriggerPx": "48000", "attachAlgoClOrdId": "a-b"}, "51000"),
    ],
)  # fmt: skip
def test_what_cannot_be_attached_is_refused_and_changes_nothing(at, side, price, item, code):
    at.get("account/balance")  # which opens the account
    before = at.gateway.exchange.digest()
    assert at.order(side, 1, price, attachAlgoOrds=[item])["sCode"] == code
    assert at.gateway.exchange.open_orders("alice") == [] and (code == "51000" or at.gateway.exchange.digest() == before)


@pytest.mark.parametrize("wrong", ["x", [1], [ATTACHED, ATTACHED], [ATTACHED, {"tpTriggerPx": "52000", "tpOrdPx": "-1"}]])
def test_more_than_a_target_and_a_stop_are_refused(at, wrong):
    assert at.order("buy", 1, 49_900, attachAlgoOrds=wrong)["sCode"] in ("51000", "51068")
    at.order("buy", 1, attachAlgoOrds=[ATTACHED])
    assert at.order("buy", 1, attachAlgoOrds=[ATTACHED])["sCode"] == "51068"
    assert at.order("buy", 1, clOrdId="guard")["sCode"] == "51016"


def test_pushes_tell_of_a_pair_once_and_of_both_ends(at):
    with Socket(at.gateway, "business") as algos, Socket(at.gateway, "private") as orders:
        for socket, channel in ((algos, "orders-algo"), (orders, "orders")):
            socket.login()
            socket.subscribe(channel, instType="SWAP")
        at.order("buy", 1, attachAlgoOrds=[ATTACHED])
        (row,) = algos.push()["data"]
        assert (row["state"], row["ordType"], row["sz"], row["algoClOrdId"]) == ("live", "oco", "1", "guard")
        assert orders.push()["data"][0]["attachAlgoOrds"][0]["attachAlgoId"] == row["algoId"]
        at.gateway.exchange.mark(NAME, 49_000)
        (fired,) = algos.push()["data"]
        assert (fired["state"], fired["actualSide"], fired["algoId"]) == ("effective", "sl", row["algoId"])
        assert (orders.push()["data"][0]["ordId"], algos.quiet()) == (fired["ordId"], True)


def test_a_conditional_order_of_two_triggers_performs_the_stop_as_on_the_venue(at):
    at.order("buy", 1)
    at.post("trade/order-algo", PAIR | {"ordType": "conditional"})
    (row,) = pending(at, "conditional")
    assert (row["slTriggerPx"], row["tpTriggerPx"]) == ("49000", "")


def test_a_trailing_stop_shows_from_where_it_follows_and_where_it_is(at):
    at.order("buy", 1)
    trail = {"instId": NAME, "tdMode": "cross", "side": "sell", "ordType": "move_order_stop", "sz": "1",
             "callbackSpread": "100", "activePx": "50020", "reduceOnly": "true"}  # fmt: skip
    assert at.post("trade/order-algo", trail)["code"] == "0"
    (row,) = pending(at, "move_order_stop")
    assert (row["activePx"], row["moveTriggerPx"]) == ("50020", "")
    at.gateway.exchange.set_last(NAME, 50_030)
    (row,) = pending(at, "move_order_stop")
    assert (row["activePx"], row["moveTriggerPx"]) == ("50020", "49930")


def test_the_self_trade_mode_of_an_order_is_told(at):
    at.order("buy", 1, 49_000, stpMode="cancel_both")
    assert at.one("trade/orders-pending")["stpMode"] == "cancel_both"


@pytest.mark.parametrize("end", ["whole", "torn", "ahead", "gone"])
def test_a_journal_keeps_what_clients_said(tmp_path, end):
    path, said = str(tmp_path / "log"), tmp_path / "log.asked"
    terms = {"rules": "okx_consistent", "retain": False}
    with solvent.open(path, [Instrument(NAME, lot="0.01", settle_decimals=8)], **terms) as exchange:
        quoted(exchange)
        with venue(exchange) as (_, client):
            client.order("buy", 1, tag="mine", attachAlgoOrds=[ATTACHED])
            client.order("buy", 1, 49_000, ordType="fok", tag="x", clOrdId="void")
            client.post("trade/order-algo", PAIR)
            assert client.order("buy", "1.0001")["sCode"] == "51121"
            wanted = [client.get(f"trade/{route}")["data"] for route in ("orders-algo-pending", "fills", "orders-history")]
    lines = said.read_bytes()
    if end == "torn":
        said.write_bytes(lines + b'[999, 16, [["limit", "t')
    elif end == "ahead":
        said.write_bytes(lines + b'[9999, 16, [["limit", "lost", "", "", false]]]\n')
    elif end == "gone":
        said.unlink()
    contracts = [Instrument(NAME, lot="0.01", settle_decimals=8)]
    with solvent.open(path, contracts, **terms) as exchange, venue(exchange) as (gateway, client):
        found = [client.get(f"trade/{route}")["data"] for route in ("orders-algo-pending", "fills", "orders-history")]
        again = client.post("trade/order-algo", PAIR)["data"][0]
        client.post("trade/cancel-all-after", {"timeOut": "10", "tag": "t"})
        gateway.exchange.advance(gateway.exchange.time_ns + 10**10)
        left = {row["algoClOrdId"] for row in pending(client)}
    if end == "gone":
        assert [row["tag"] for row in found[1]] == [""] and {row["ordType"] for row in found[0]} == {"oco"}
        return
    assert left == {"guard"}, "the pair's tag is known, too"
    void = [row for row in wanted[2] if row["clOrdId"] == "void"]
    assert found == [wanted[0], wanted[1], [row for row in wanted[2] if row not in void]]
    assert again["algoId"] == next(row["algoId"] for row in wanted[0] if row["algoClOrdId"] == "both")
    assert said.read_bytes().startswith(lines) and b"lost" not in said.read_bytes()


def test_a_gateway_made_later_knows_the_pairs_of_the_past():
    exchange = quoted()
    with venue(exchange) as (_, client):
        client.order("buy", 1, attachAlgoOrds=[ATTACHED])
        (before,) = pending(client)
    with venue(exchange) as (_, client):
        (row,) = pending(client)
        assert prices(row) == prices(before) and (row["algoId"], row["ordType"]) == (before["algoId"], "oco")
