"""The sockets: chains of books, pushes of what happens to an account, subscriptions twice, errors that name themselves."""

from zlib import crc32

import pytest

from support.gateways import NAME, Client, Socket, venue


@pytest.fixture
def at():
    with venue() as (gateway, client):
        yield gateway, client


def apply(book, message):
    """Applies a message of the channel `books`, as a client does, and holds its checksum against the result."""
    row = message["data"][0]
    if message["action"] == "snapshot":
        assert row["prevSeqId"] == -1
        book.clear()
    else:
        assert row["prevSeqId"] == book["seq"]
    book["seq"] = row["seqId"]
    for side in ("bids", "asks"):
        levels = book.setdefault(side, {})
        for px, sz, _, _ in row[side]:
            levels[px] = sz
            if sz == "0":
                del levels[px]
    bids, asks = (
        sorted(book[side].items(), key=lambda each: float(each[0]), reverse=side == "bids") for side in ("bids", "asks")
    )
    text = ":".join(":".join(each) for i in range(25) for each in (*bids[i : i + 1], *asks[i : i + 1]))
    code = crc32(text.encode())
    assert row["checksum"] == (code - 2**32 if code >= 2**31 else code)
    return bids, asks


def test_a_book_chains_from_its_snapshot_on_and_its_checksums_hold(at):
    gateway, client = at
    with Socket(gateway, "public") as socket:
        socket.subscribe("books", instId=NAME)
        book = {}
        apply(book, socket.push())
        for price, side, size in ((50_005, "sell", 1), (49_995, "buy", 2), (50_005, "buy", 3), (50_020, "sell", 1)):
            client.order(side, size, price)
            bids, asks = apply(book, socket.push())
        client.post("trade/cancel-order", {"instId": NAME, "ordId": client.get("trade/orders-pending")["data"][0]["ordId"]})
        bids, asks = apply(book, socket.push())
        rest = client.one("market/books", instId=NAME, sz=400)
    assert [list(each) for each in bids] == [level[:2] for level in rest["bids"]]
    assert [list(each) for each in asks] == [level[:2] for level in rest["asks"]]


def test_a_late_subscriber_gets_the_book_that_the_others_have_and_the_same_chain(at):
    gateway, client = at
    with Socket(gateway, "public") as early, Socket(gateway, "public") as late:
        first, second = {}, {}
        early.subscribe("books", instId=NAME)
        apply(first, early.push())
        client.order("sell", 1, 50_005)
        apply(first, early.push())
        late.subscribe("books", instId=NAME)
        apply(second, late.push())
        client.order("sell", 1, 50_006)
        assert apply(first, early.push()) == apply(second, late.push())


def test_subscribing_twice_is_once_and_unsubscribing_begins_anew(at):
    gateway, client = at
    with Socket(gateway, "public") as socket:
        for _ in range(2):
            assert socket.subscribe("books", instId=NAME)["event"] == "subscribe"
        assert socket.push()["action"] == "snapshot"
        client.order("sell", 1, 50_005)
        assert socket.push()["action"] == "update"
        assert socket.quiet()
        assert socket.ask({"op": "unsubscribe", "args": [{"channel": "books", "instId": NAME}]})["event"] == "unsubscribe"
        client.order("sell", 1, 50_006)
        assert socket.quiet()
        socket.subscribe("books", instId=NAME)
        assert socket.push()["action"] == "snapshot"


def test_an_arg_is_echoed_as_it_was_sent_and_null_is_like_nothing(at):
    gateway, _ = at
    arg = {"channel": "tickers", "instFamily": None, "instId": NAME, "instType": ""}
    with Socket(gateway, "public") as socket:
        answer = socket.ask({"op": "subscribe", "args": [arg], "id": "x7"})
        assert answer["arg"] == arg and list(answer["arg"]) == list(arg) and answer["id"] == "x7"
        assert socket.push()["arg"] == arg
        del arg["instFamily"]
        socket.ask({"op": "subscribe", "args": [arg]})
        assert socket.quiet()


def test_one_order_a_push_in_the_order_of_its_fills(at):
    gateway, client = at
    with Socket(gateway, "private") as socket:
        socket.login()
        socket.subscribe("orders", instType="ANY")
        client.order("buy", 7, clOrdId="big")
        pushes = [socket.push()["data"] for _ in range(3)]
        assert [len(rows) for rows in pushes] == [1, 1, 1]
        told = [
            (row["state"], row["fillSz"], row["accFillSz"], row["fillPx"], row["fillFee"], row["execType"])
            for (row,) in pushes
        ]
        assert told == [
            ("partially_filled", "3", "3", "50010", "-0.75015", "T"), ("partially_filled", "3", "6", "50011", "-0.750165",
            "T"),
            ("filled", "1", "7", "50012", "-0.25006", "T"),
        ]  # fmt: skip
        assert len({row["tradeId"] for (row,) in pushes}) == 3 and all(row["px"] for (row,) in pushes)
        client.order("buy", 1, 49_000, clOrdId="rests")
        client.post("trade/cancel-order", {"instId": NAME, "clOrdId": "rests"})
        told = [socket.push()["data"][0] for _ in range(2)]
        assert [(row["state"], row["fillSz"], row["tradeId"]) for row in told] == [("live", "0", ""), ("canceled", "0", "")]
        assert socket.quiet()


def test_fok_and_post_only_that_fail_are_cancelled_orders_with_an_id(at):
    gateway, client = at
    with Socket(gateway, "private") as socket:
        socket.login()
        socket.subscribe("orders", instType="SWAP")
        for kind, price, source in (("fok", 50_000, "13"), ("post_only", 50_010, "31")):
            ack = client.order("buy", 1, price, ordType=kind, clOrdId=f"c{source}")
            row = client.one("trade/order", instId=NAME, ordId=ack["ordId"])
            assert (row["state"], row["cancelSource"], row["clOrdId"]) == ("canceled", source, f"c{source}")
            assert socket.push()["data"][0]["ordId"] == ack["ordId"]
            assert client.order("buy", 1, 49_000, clOrdId=f"c{source}")["sCode"] == "51016"


def test_trading_on_the_socket_with_either_name_of_an_instrument(at):
    gateway, client = at
    item = {"instIdCode": 10458, "tdMode": "cross", "side": "buy", "ordType": "limit", "sz": "1", "px": "49000"}
    with Socket(gateway, "private") as socket:
        assert socket.ask({"id": "1", "op": "order", "args": [item]})["code"] == "60011"
        socket.login()
        placed = socket.ask({"id": "2", "op": "order", "args": [item]})
        assert (placed["id"], placed["op"], placed["code"]) == ("2", "order", "0")
        order = placed["data"][0]["ordId"]
        amended = socket.ask({"id": "3", "op": "amend-order", "args": [{"instId": NAME, "ordId": order, "newSz": "2"}]})
        assert amended["code"] == "0" and client.one("trade/order", instId=NAME, ordId=order)["sz"] == "2"
        bad = item | {"sz": "0.001"}
        assert socket.ask({"id": "4", "op": "batch-orders", "args": [item, bad]})["code"] == "2"
        assert socket.ask({"id": "5", "op": "batch-orders", "args": [bad]})["code"] == "1"
        live = [{"instId": NAME, "ordId": row["ordId"]} for row in client.get("trade/orders-pending")["data"]]
        assert socket.ask({"id": "6", "op": "batch-cancel-orders", "args": live})["code"] == "0"
    assert client.get("trade/orders-pending")["data"] == []


def test_a_liquidation_is_pushed_to_its_owner_and_to_the_public(at):
    gateway, client = at
    client.post("account/set-leverage", {"instId": NAME, "lever": "10", "mgnMode": "isolated"})
    client.order("buy", 4, tdMode="isolated")
    with Socket(gateway, "private") as own, Socket(gateway, "public") as public:
        own.login()
        for channel, more in (
            ("orders", {"instType": "SWAP"}),
            ("positions", {"instType": "ANY"}),
            ("balance_and_position", {}),
        ):
            own.subscribe(channel, **more)
        public.subscribe("liquidation-orders", instType="SWAP")
        for _ in range(2):
            own.push()  # positions, balances as they are
        gateway.exchange.mark(NAME, 45_000)
        found = {}
        for _ in range(3):
            message = own.push()
            found[message["arg"]["channel"]] = message["data"]
        told = public.push()["data"][0]
    assert [row["category"] for row in found["orders"]] == ["full_liquidation"]
    assert [(row["pos"], row["liqPx"]) for row in found["positions"]] == [("0", "")]
    assert found["balance_and_position"][0]["eventType"] == "liquidation"
    assert found["balance_and_position"][0]["posData"][0]["pos"] == "0"
    assert len(told["details"]) == 1 and (told["details"][0]["side"], told["details"][0]["sz"]) == ("sell", "4")


def test_an_older_liquidation_is_the_first_message_of_a_new_subscriber(at):
    gateway, client = at
    client.post("account/set-leverage", {"instId": NAME, "lever": "10", "mgnMode": "isolated"})
    client.order("buy", 4, tdMode="isolated")
    gateway.exchange.mark(NAME, 45_000)
    with Socket(gateway, "public") as socket:
        socket.subscribe("liquidation-orders", instType="SWAP")
        assert socket.push()["data"][0]["details"][0]["sz"] == "4"


@pytest.mark.parametrize(
    ("path", "frame", "code"),
    [
        ("public", "{", "60012"), ("public", "[]", "60012"), ("public", '{"op": "fly"}', "60012"), ("public", '{"op": 7}',
        "60012"),
        ("public", '{"op": "subscribe", "args": {}}', "60012"), ("public", '{"op": "subscribe", "args": [7]}', "60012"),
        ("public", '{"op": "subscribe", "args": [{"channel": "no-such"}]}', "60018"),
        ("public", '{"op": "subscribe", "args": [{"channel": "books", "instId": "NO"}]}', "60018"),
        ("public", '{"op": "subscribe", "args": [{"channel": "orders", "instType": "SWAP"}]}', "60018"),
        ("private", '{"op": "subscribe", "args": [{"channel": "orders", "instType": "SWAP"}]}', "60011"),
        ("private", '{"op": "login", "args": [{"apiKey": ""}]}', "60009"), ("private", '{"op": "login"}', "60013"),
        ("public", "[" * 100_000, "60012"), ("public", '{"op": "subscribe", "args": [{"channel": {"a": 1}}]}', "60012"),
    ],
)  # fmt: skip
def test_a_bad_frame_has_the_code_of_the_venue_and_the_socket_goes_on(at, path, frame, code):
    with Socket(at[0], path) as socket:
        answer = socket.ask(frame)
        assert (answer["event"], answer["code"]) == ("error", code)
        assert socket.quiet()


def test_the_past_of_accounts_is_kept_apart(at):
    gateway, client = at
    bob = Client(gateway, **{"OK-ACCESS-KEY": "bob"})
    client.order("buy", 1, 49_000, clOrdId="mine")
    assert bob.get("trade/order", instId=NAME, clOrdId="mine")["code"] == "51603"
    number = client.one("trade/order", instId=NAME, clOrdId="mine")["ordId"]
    assert bob.post("trade/cancel-order", {"instId": NAME, "ordId": number})["data"][0]["sCode"] == "51400"
    assert bob.order("buy", 1, 49_000, clOrdId="mine")["sCode"] == "0"


def test_a_deleveraging_is_pushed_to_who_was_deleveraged(at):
    gateway, client = at
    client.post("account/set-leverage", {"instId": NAME, "lever": "50", "mgnMode": "isolated"})
    client.order("buy", 3, tdMode="isolated")
    gateway.exchange.cancel_all("maker")
    maker = Client(gateway, **{"OK-ACCESS-KEY": "maker"})
    with Socket(gateway, "private") as own:
        own.login("maker")
        own.subscribe("orders", instType="SWAP")
        own.subscribe("balance_and_position")
        own.push()  # as it is
        gateway.exchange.mark(NAME, 48_500)
        found = {}
        for _ in range(2):
            message = own.push()
            found[message["arg"]["channel"]] = message["data"][0]
    order = found["orders"]
    assert (order["category"], order["side"], order["sz"], order["state"]) == ("adl", "buy", "3", "filled")
    assert float(order["fillPnl"]) > 0 and found["balance_and_position"]["eventType"] == "adl"
    assert maker.one("account/positions-history")["type"] == "5" and maker.get("account/positions")["data"] == []
    assert maker.get("account/bills", type="9")["data"][0]["subType"] == "126"
