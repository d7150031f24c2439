"""Each row of the table of faults, over a real socket: what the client sees, and what is true at the venue."""

import asyncio
import json
import time
from http.client import RemoteDisconnected
from urllib.error import URLError

import aiohttp
import pytest

from solvent import InputError
from solvent.gateway import Answer, Gateway, Request
from solvent.testing import Faults
from solvent.testing.fault_table import ROWS, Where, row, table
from solvent.testing.faults import DRIFT_MS
from support.gateways import NAME, Client, quoted
from support.places import ROOT

HOUR_NS = 3_600 * 10**9
GONE = (URLError, RemoteDisconnected, ConnectionError)
LIMIT = {"instId": NAME, "tdMode": "cross", "side": "buy", "ordType": "limit", "sz": "1", "px": "49000"}


class Stricken:
    """A gateway with one fault that strikes once, a client, and what is live at the venue."""

    def __init__(self, gateway):
        self.gateway, self.exchange, self.client = gateway, gateway.exchange, Client(gateway)
        self.client.get("account/balance")  # which opens the account

    def strike(self, name, seed=1, **terms):
        terms = {"chance": 1, "most": 1, "clock": lambda: self.gateway._desk.exchange.time_ns} | terms
        self.gateway.faults = Faults(seed, [name], **terms)

    def place(self, route="trade/order", body=LIMIT):
        return self.client.raw("POST", f"/api/v5/{route}", json.dumps(body).encode())

    @property
    def live(self):
        return [str(order.client_id) for order in self.exchange.open_orders("alice")]


@pytest.fixture
def venue():
    exchange = quoted()
    with Gateway(exchange) as gateway:
        yield Stricken(gateway)
    exchange.check()


# --- requests and answers


def test_answered_503(venue):
    venue.strike("answered_503")
    assert venue.place() == (503, b"") and len(venue.live) == 1
    status, body = venue.place()
    assert status == 200 and json.loads(body)["code"] == "0" and len(venue.live) == 2


def test_a_refused_order_is_not_answered_503(venue):
    """The fault is of accepted orders: the venue's own refusal comes through, and the next order is struck."""
    venue.strike("answered_503")
    status, body = venue.place(body=LIMIT | {"sz": "100000"})
    assert status == 200 and json.loads(body)["code"] == "1"
    assert venue.place()[0] == 503


@pytest.mark.parametrize(("name", "count"), [("dropped_before", 0), ("dropped_after", 1)])
def test_dropped(venue, name, count):
    venue.strike(name)
    with pytest.raises(GONE):
        venue.place()
    assert len(venue.live) == count
    assert venue.place()[0] == 200 and len(venue.live) == count + 1


@pytest.mark.parametrize("name", ["slow_1s", pytest.param("slow_5s", marks=pytest.mark.long)])
def test_slow(venue, name):
    venue.strike(name)
    begin = time.monotonic()
    status, body = venue.place()
    waited = time.monotonic() - begin
    assert status == 200 and json.loads(body)["code"] == "0" and len(venue.live) == 1
    assert row(name).wait_ns > int(name[5]) * 10**9 and waited * 1e9 >= row(name).wait_ns


def test_partial_batch(venue):
    venue.strike("partial_batch")
    status, body = venue.place("trade/batch-orders", [LIMIT | {"clOrdId": "a1"}, LIMIT | {"clOrdId": "a2"}])
    answer = json.loads(body)
    assert status == 200 and answer["code"] == "2"
    assert [each["sCode"] == "0" for each in answer["data"]] == [True, False] and answer["data"][1]["sMsg"]
    assert venue.live == ["a1"]


def test_a_batch_of_one_is_not_partial(venue):
    venue.strike("partial_batch")
    assert json.loads(venue.place("trade/batch-orders", [LIMIT])[1])["code"] == "0"


def test_rate_limit(venue):
    venue.strike("rate_limit")
    status, body = venue.place()
    assert status == 429 and json.loads(body)["code"] == "50011" and not venue.live
    assert venue.place()[0] == 200


def test_clock_drift(venue):
    told = int(venue.client.one("public/time")["ts"])
    venue.strike("clock_drift")
    for _ in range(3):
        status, body = venue.place()
        assert status == 401 and json.loads(body)["code"] == "50102" and not venue.live
    assert int(venue.client.one("public/time")["ts"]) == told + DRIFT_MS
    assert venue.place()[0] == 200 and len(venue.live) == 1


@pytest.mark.parametrize(
    ("name", "status", "code", "public"), [("maintenance", 503, "50001", "50001"), ("outage_51001", 200, "51001", "0")]
)
def test_outages_last_for_hours_of_the_market(venue, name, status, code, public):
    """A stop that rests at the venue fires all the same."""
    venue.exchange.order("alice", NAME, "buy", 1).ok()
    algo = {"instId": NAME, "tdMode": "cross", "side": "sell", "ordType": "conditional", "sz": "1", "reduceOnly": True}
    answer = venue.client.post("trade/order-algo", algo | {"slTriggerPx": "49500", "slTriggerPxType": "mark", "slOrdPx": "-1"})
    assert answer["code"] == "0", answer
    venue.strike(name)
    begin, span = venue.exchange.time_ns, row(name).span_ns
    assert span >= 2 * HOUR_NS
    for passed in (0, span // 2, span - 1):
        venue.exchange.advance(begin + passed)
        got, body = venue.place()
        assert (got, json.loads(body)["code"]) == (status, code)
        _, body = venue.client.raw("GET", "/api/v5/public/instruments?instType=SWAP", headers={})
        assert json.loads(body)["code"] == public
    venue.exchange.mark(NAME, 49_400)
    assert venue.exchange.position("alice", NAME).size == 0
    venue.exchange.advance(begin + span)
    assert venue.place()[0] == 200


# --- pushes


async def heard(venue, path, args, does, enough):
    """What a client hears that logs in and subscribes, then `does` something at the venue; until enough(messages)."""
    messages = []
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{venue.gateway.ws_url}/{path}") as socket:
        login = {"apiKey": "alice", "passphrase": "p", "timestamp": "1", "sign": "s"}
        await socket.send_json({"op": "login", "args": [login]})
        await socket.receive_json()
        await socket.send_json({"op": "subscribe", "args": args})
        await socket.receive_json()
        await asyncio.to_thread(does)
        while not enough(messages):
            message = await socket.receive(timeout=10)
            if message.type != aiohttp.WSMsgType.TEXT:
                messages.append(None)
                break
            messages.append(json.loads(message.data))
    return messages


def quotes(venue, count):
    for price in range(count):
        venue.exchange.order("maker", NAME, "buy", 1, price=48_000 + price).ok()


BOOKS = [{"channel": "books", "instId": NAME}]


def chained(messages):
    books = [each["data"][0] for each in messages if each and each.get("data")]
    return [after["prevSeqId"] == before["seqId"] for before, after in zip(books, books[1:], strict=False)]


def test_sequence_gap(venue):
    whole = asyncio.run(heard(venue, "public", BOOKS, lambda: quotes(venue, 3), lambda got: len(got) == 4))
    assert chained(whole) == [True, True, True]
    venue.exchange.cancel_all("maker", side="buy")
    venue.strike("sequence_gap")
    got = asyncio.run(heard(venue, "public", BOOKS, lambda: quotes(venue, 3), lambda got: len(got) == 3))
    assert chained(got) == [False, True]


def test_checksum_error(venue):
    right = asyncio.run(heard(venue, "public", BOOKS, lambda: quotes(venue, 2), lambda got: len(got) == 3))
    venue.exchange.cancel_all("maker", side="buy")
    venue.strike("checksum_error")
    for price in range(5):  # the book as it was
        venue.exchange.order("maker", NAME, "buy", 3, price=49_990 - price)
    wrong = asyncio.run(heard(venue, "public", BOOKS, lambda: quotes(venue, 2), lambda got: len(got) == 3))
    sums, bids = (
        [[each["data"][0][name] for each in messages] for messages in (right, wrong)] for name in ("checksum", "bids")
    )
    assert sums[0] == sums[1] and chained(wrong) == [True, True]
    assert [len(each) for each in bids[0][1:]] == [1, 1] and [len(each) for each in bids[1][1:]] == [0, 1]


def test_duplicate_push(venue):
    venue.strike("duplicate_push")
    args = [{"channel": "orders", "instType": "SWAP"}]
    got = asyncio.run(heard(venue, "private", args, lambda: (venue.place(), venue.place()), lambda got: len(got) == 3))
    ids = [each["data"][0]["ordId"] for each in got]
    assert ids[0] == ids[1] != ids[2] and got[0] == got[1] and len(venue.live) == 2


def test_closure_notice(venue):
    venue.strike("closure_notice")
    args = [{"channel": "orders", "instType": "SWAP"}]
    got = asyncio.run(heard(venue, "private", args, lambda: (venue.place(), venue.place()), lambda got: False))
    assert got[0]["event"] == "notice" and got[0]["code"] == "64008" and got[1:] == [None] and len(venue.live) == 2


def test_the_answer_to_an_order_on_a_socket_is_dropped(venue):
    venue.strike("dropped_after")
    orders = [{"op": "order", "id": "7", "args": [LIMIT | {"clOrdId": f"w{number}"}]} for number in range(2)]

    async def place():
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{venue.gateway.ws_url}/private") as socket:
            login = {"apiKey": "alice", "passphrase": "p", "timestamp": "1", "sign": "s"}
            await socket.send_json({"op": "login", "args": [login]})
            await socket.receive_json()
            await socket.send_json(orders[0])
            return await socket.receive(timeout=10)

    assert asyncio.run(place()).type != aiohttp.WSMsgType.TEXT and venue.live == ["w0"]
    assert asyncio.run(place()).json()["data"][0]["sCode"] == "51016", "it is there already"
    assert [each.channel for each in venue.gateway.faults.struck] == [""]


# --- the seed


def struck(seed, order=("a", "b"), **terms):
    """The log of two clients' forty orders each, in an order of clients."""
    faults = Faults(seed, chance="0.2", **terms)
    for client in [*order] * 40:
        request = Request("POST", "/api/v5/trade/order", "", "/api/v5/trade/order", {}, b"{}", client)
        if faults.before(client, request) is None:
            faults.after(client, request, Answer(200, b'{"code":"0","msg":"","data":[]}'))
        faults.push(client, "orders", b"{}")
    return faults.log()


def test_the_same_seed_strikes_the_same_messages_whoever_comes_first(seed):
    assert struck(seed) == struck(seed, ("b", "a")) != struck(seed + 1)
    one = struck(seed, ("a",))
    assert one and one in struck(seed), "another client shifts nothing"


def test_channels_clients_and_bounds(seed):
    lines = [json.loads(line) for line in struck(seed, clients=["b"], channels=["orders"], most=2).splitlines()]
    assert lines and {(each["client"], each["channel"]) for each in lines} == {("b", "orders")}
    counts = {each["fault"]: sum(other["fault"] == each["fault"] for other in lines) for each in lines}
    assert max(counts.values()) == 2
    assert struck(seed, clients=[]) == b"" == struck(seed, channels=["books"])


def test_a_run_gives_the_same_log_twice(seed):
    logs = []
    for _ in range(2):
        with Gateway(quoted()) as gateway:
            stricken = Stricken(gateway)
            gateway.faults = Faults(seed, ["answered_503", "rate_limit", "dropped_before"], chance="0.3")
            for _ in range(20):
                try:
                    stricken.place()
                except GONE:
                    continue
            logs.append(gateway.faults.log())
    assert logs[0] == logs[1] and logs[0].count(b"\n") > 5


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ({"names": ["nothing"]}, "no fault 'nothing'; there are answered_503"),
        ({"names": ["adl"]}, "strikes the market"),
        ({"names": ["maintenance"]}, "give clock="),
        ({"chance": 2}, "from 0 to 1"),
        ({"seed": -1}, "seed"),
    ],
)
def test_wrong_terms_are_told(terms, told):
    with pytest.raises(InputError, match=told):
        Faults(**({"seed": 1} | terms))


# --- the table


def test_the_page_shows_the_table():
    assert table() in (ROOT / "docs/reference/faults.md").read_text(), table()


def test_each_row_has_its_test():
    """By its name, here or among the strikes."""
    text = "".join((ROOT / f"tests/behaviour/testing/test_{name}.py").read_text() for name in ("faults", "strikes"))
    assert not [each.name for each in ROWS if f'"{each.name}"' not in text]
    assert {each.where for each in ROWS} == set(Where)
