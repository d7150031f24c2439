"""`solvent serve`: the lines that it prints, its control, who may come in, its journal, and real time."""

import json
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

import solvent
from solvent.app import serve
from support.gateways import NAME

pytestmark = pytest.mark.long


class Served:
    """A venue in a process of its own."""

    def __init__(self, process):
        self.process, self.lines = process, []
        while not self.lines or not self.lines[-1].startswith("  python-okx"):
            line = process.stdout.readline()
            assert line, process.stderr.read()
            self.lines.append(line)
        self.url = re.search(r"at (http\S+)", self.lines[0])[1]
        self.token = re.search(r"X-Solvent-Token: (\S+)'", self.lines[1])[1]

    def ask(self, path, body=None, **headers):
        """Returns (status, JSON)."""
        data = None if body is None else json.dumps(body).encode()
        try:
            with urlopen(Request(self.url + path, data=data, headers=headers), timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except HTTPError as error:
            return error.code, json.loads(error.read())

    def control(self, route, **body):
        """Returns the answer of a control route."""
        return self.ask(f"/control/{route}", body, **{"X-Solvent-Token": self.token})


def heed_interrupts():
    """Lets Ctrl-C through to a process whose tests run in the background of a shell, which ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def served(*arguments):
    command = [sys.executable, "-m", "solvent.app.cli", "serve", "--port", "0", "--seconds", "60", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, preexec_fn=heed_interrupts, text=True, **pipes) as process:  # noqa: PLW1509 one call, no lock
        try:
            yield Served(process)
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=20)
    assert process.returncode == 130


def test_a_market_is_moved_by_who_has_the_token():
    with served("--time", "simulated", "--scenario", "flash_crash") as venue:
        begun = int(venue.ask("/api/v5/public/time")[1]["data"][0]["ts"])
        assert venue.ask("/api/v5/public/time")[1]["data"][0]["ts"] == str(begun)
        status, told = venue.control("time", seconds=14 * 60)
        assert status == 200 and 39_900 < float(told["mark"]) < 40_200
        assert int(venue.ask("/api/v5/public/time")[1]["data"][0]["ts"]) == begun + 14 * 60_000
        assert float(venue.control("shock", percent=-50)[1]["mark"]) < 20_100
        book = venue.ask(f"/api/v5/market/books?instId={NAME}&sz=1")[1]["data"][0]
        assert float(book["asks"][0][0]) < 20_200
        assert venue.control("mark", px="30000.5")[1]["mark"] == "30000.5"
        assert venue.control("fund", key="rich", amt=5)[0] == 200
        assert venue.control("funding", rate="0.0001")[0] == 200
        assert venue.ask(f"/api/v5/public/funding-rate-history?instId={NAME}")[1]["data"][0]["fundingRate"] == "0.0001"
        assert venue.control("fault", names=["maintenance"], seed=3)[0] == 200
        assert venue.control("fault")[1]["faults"] == []


@pytest.mark.parametrize(
    ("route", "body", "status"),
    [
        ("mark", {}, 400), ("mark", {"px": "x"}, 400), ("mark", {"px": True}, 400), ("time", {"seconds": "9"}, 400),
        ("time", {"seconds": -1}, 400), ("shock", {"percent": -100}, 400), ("shock", {"percent": [1]}, 400),
        ("fund", {"key": "<fund>", "amt": 1}, 400), ("fund", {"key": "a", "amt": -1}, 400), ("no-such", {}, 404),
        ("fault", {"names": ["no such"]}, 400), ("funding", {"rate": 2}, 400),
    ],
)  # fmt: skip
def test_control_refuses_what_has_no_sense(venue_once, route, body, status):
    found, answer = venue_once.control(route, **body)
    assert found == status and not answer["ok"] and answer["error"]


@pytest.fixture(scope="module")
def venue_once():
    with served("--time", "simulated") as venue:
        yield venue


def test_nobody_else_moves_a_local_venue(venue_once):
    assert venue_once.ask("/control/mark", {"px": "1"})[0] == 401
    assert venue_once.ask("/control/mark", {"px": "1"}, **{"X-Solvent-Token": "guess"})[0] == 401
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"}):
        assert venue_once.ask("/api/v5/public/time", **headers)[0] == 403
        assert venue_once.ask("/control/mark", {"px": "1"}, **headers, **{"X-Solvent-Token": venue_once.token})[0] == 403
    host = venue_once.url.removeprefix("http://")
    assert venue_once.ask("/api/v5/public/time", Origin=f"http://{host}")[0] == 200


def test_a_journal_goes_on_where_it_was(tmp_path):
    path = str(tmp_path / "log")
    arguments = ("--time", "simulated", "--journal", path)
    keys = {"OK-ACCESS-KEY": "me", "OK-ACCESS-SIGN": "s", "OK-ACCESS-TIMESTAMP": "1", "OK-ACCESS-PASSPHRASE": "p"}
    with served(*arguments) as venue:
        order = {"instId": NAME, "tdMode": "cross", "side": "buy", "ordType": "market", "sz": "1", "clOrdId": "one",
                 "tag": "mine"}  # fmt: skip
        assert venue.ask("/api/v5/trade/order", order, **keys)[1]["code"] == "0"
        before = venue.ask("/api/v5/trade/fills", **keys)[1]["data"]
    with served(*arguments) as venue:
        after = venue.ask("/api/v5/trade/fills", **keys)[1]["data"]
        assert after == before and len(after) == 1
        assert venue.ask("/api/v5/trade/order", order, **keys)[1]["data"][0]["sCode"] == "51016"
    with solvent.open(path) as exchange:
        assert exchange.account("me").positions[NAME].size == 1
        exchange.check()


def test_real_time_is_that_of_the_world_and_the_market_goes_along():
    with served("--scenario", "flash_crash") as venue:
        import time

        told = int(venue.ask("/api/v5/public/time")[1]["data"][0]["ts"])
        assert abs(told - time.time() * 1000) < 5_000
        assert venue.control("time", seconds=1)[0] == 400
        assert float(venue.ask(f"/api/v5/public/mark-price?instType=SWAP&instId={NAME}")[1]["data"][0]["markPx"]) > 49_000
        deadline = time.time() + 10
        while int(venue.ask("/api/v5/public/time")[1]["data"][0]["ts"]) == told:
            assert time.time() < deadline
            time.sleep(0.1)


def test_only_known_keys_enter():
    with served("--time", "simulated", "--key", "me:secret:phrase") as venue:
        keys = {"OK-ACCESS-KEY": "me", "OK-ACCESS-SIGN": "s", "OK-ACCESS-TIMESTAMP": "1", "OK-ACCESS-PASSPHRASE": "phrase"}
        codes = []
        for change in ({}, {"OK-ACCESS-KEY": "you"}, {"OK-ACCESS-PASSPHRASE": "x"}, {"OK-ACCESS-KEY": ""}):
            status, answer = venue.ask("/api/v5/account/balance", **(keys | change))
            codes.append((status, answer["code"]))
        assert codes == [(401, "50113"), (401, "50111"), (401, "50105"), (401, "50103")]


@pytest.mark.parametrize("told", ["a:b", "a::c", "a:b:c:d", ""])
def test_a_key_has_three_parts(told):
    with pytest.raises(solvent.InputError, match="KEY:SECRET:PASS"):
        serve.keys_of([told])
