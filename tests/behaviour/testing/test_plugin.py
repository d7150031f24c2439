"""The pytest plugin in runs of its own: fixtures, the mark, what a failed test leaves behind, with pytest-xdist or alone."""

import os
import re
import subprocess
import sys

import pytest

import solvent
from support.places import ROOT

ALICE = """
import pytest
from solvent.testing import assert_conserved, assert_liquidated, assert_no_duplicate_orders

SWAP = "BTC-USDT-SWAP"

def go_long(exchange):
    exchange.deposit("alice", "USDT", 1_000)
    exchange.set_leverage("alice", SWAP, 10, mode="isolated")
    assert exchange.order("alice", SWAP, "buy", 15).filled == 15
"""
CRASH = """
@pytest.mark.market("flash_crash")
def test_crash(exchange, market):
    go_long(exchange)
    assert market.run_until(lambda: not exchange.position("alice", SWAP).size)
    assert_liquidated("alice", at=(44_000, 46_000))
    assert_conserved()
    assert_no_duplicate_orders()
"""
FAILS = """
@pytest.mark.market("flash_crash")
def test_that_fails(exchange, market):
    go_long(exchange)
    market.run(minutes=2)
    assert_liquidated("alice")
"""


def ran(folder, text, *options):
    """Runs pytest on a file, in a process and a folder of its own; returns its exit code and what it printed."""
    (folder / "test_bot.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    env = os.environ | {"PYTHONPATH": str(ROOT / "engine"), "PYTEST_ADDOPTS": "", "PYTEST_XDIST_AUTO_NUM_WORKERS": "2"}
    env = {name: value for name, value in env.items() if not name.startswith(("PYTEST_XDIST_WORKER", "PYTEST_CURRENT"))}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "pytest_solvent",
        "-p",
        "no:cacheprovider",
        "--basetemp",
        str(folder / "t"),
    ]
    done = subprocess.run([*command, *options], cwd=folder, env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def journal_of(printed):
    return re.search(r"commands of this test: (\S+)", printed)[1]


@pytest.mark.long
@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_failed_test_names_its_journal_and_the_commands(tmp_path, options):
    code, printed = ran(tmp_path, ALICE + CRASH + FAILS, *options)
    assert code == 1 and "1 failed, 1 passed" in printed, printed
    assert "alice was never liquidated" in printed and printed.count("commands of this test") == 1
    path = journal_of(printed)
    assert path.startswith(str(tmp_path / "t"))
    again = re.search(r"run it again: +(pytest .*)", printed)[1]
    assert again == "pytest test_bot.py::test_that_fails --solvent-seed 1"
    replayed = re.search(r"replay them: +(solvent replay .*)", printed)[1].split()
    said = subprocess.run([sys.executable, "-m", "solvent.app.cli", *replayed[1:]], capture_output=True, text=True, check=True)
    assert "BTC-USDT-SWAP: mark" in said.stdout
    replay = solvent.replay(path)
    assert replay.seek(replay.last).position("alice", "BTC-USDT-SWAP").size == 15


@pytest.mark.long
def test_the_same_test_leaves_the_same_journal(tmp_path):
    runs = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        _, printed = ran(tmp_path / name, ALICE + FAILS, "--solvent-journals", str(tmp_path / "kept"), "--solvent-seed", "7")
        assert "--solvent-seed 7" in printed
        replay = solvent.replay(journal_of(printed))
        runs.append((replay.last, replay.seek(replay.last).digest()))
    assert runs[0] == runs[1]
    assert len(list((tmp_path / "kept").iterdir())) == 2, "the second did not write over the first"


@pytest.mark.long
def test_without_a_mark_the_exchange_is_empty_and_the_market_quiet(tmp_path):
    code, printed = ran(tmp_path, ALICE + """
def test_empty(exchange):
    assert exchange.command_count == 0 and exchange.prices(SWAP).mark is None and exchange.seed == 3

def test_quiet(market, exchange):
    assert market.scenario.name == "quiet" and market.exchange is exchange
    begin = market.time_ns
    market.advance(3_600)
    assert market.time_ns == begin + 3_600 * 10**9

@pytest.mark.market("whipsaw", depth=5, maker="mm")
def test_terms(market, exchange):
    assert exchange.depth(SWAP).bids[0][1] <= 5 and exchange.open_orders("mm")

@pytest.mark.market("whipsaw", depth=5)
def test_a_mark_opens_the_market_by_itself(exchange):
    assert exchange.depth(SWAP).asks
""", "--solvent-seed", "3")  # fmt: skip
    assert code == 0 and "4 passed" in printed, printed


BOT = """
@pytest.mark.market("flash_crash")
def test_a_bot_of_ccxt(ccxt_exchange, market, exchange, gateway, okx_credentials, faults):
    assert okx_credentials["apiKey"] == "bot" and exchange is gateway.exchange and market.exchange is exchange
    faults("answered_503", chance=1, most=1)
    symbol = "BTC/USDT:USDT"
    with pytest.raises(Exception) as seen:
        ccxt_exchange.create_order(symbol, "market", "buy", 100)
    assert type(seen.value).__name__ == "ExchangeNotAvailable"
    assert ccxt_exchange.fetch_position(symbol)["contracts"] == 100 == exchange.position("bot", SWAP).size
    market.run()
    assert_liquidated("bot", at=(40_000, 50_000))
    assert_conserved()
    raise ValueError("to see the journal")
"""


@pytest.mark.long
@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_client_trades_on_the_gateway(tmp_path, options):
    pytest.importorskip("ccxt")
    code, printed = ran(tmp_path, ALICE + BOT + BOT.replace("test_a_bot", "test_another_bot"), *options)
    assert code == 1 and printed.count("E       ValueError: to see the journal") == 2, printed
    replay = solvent.replay(journal_of(printed))
    assert replay.seek(replay.last).position("bot", "BTC-USDT-SWAP").size == 0


@pytest.mark.long
@pytest.mark.parametrize(
    ("mark", "told"),
    [
        ('"flashcrash"', "unknown scenario 'flashcrash': there are ftx"),
        ('"quiet", "ftx"', "the mark is @pytest.mark.market"),
        ('"quiet", depth=0', "depth"),
    ],
)
def test_a_wrong_mark_is_told(tmp_path, mark, told):
    code, printed = ran(tmp_path, ALICE + f"@pytest.mark.market({mark})\ndef test_it(market):\n    pass\n")
    assert code == 1 and told in printed, printed


@pytest.mark.long
def test_money_that_was_made_fails_the_test_at_its_end(tmp_path):
    """A test that looks at nothing: the auditor compares all the same."""
    text = (
        ALICE
        + """
def test_it(exchange):
    exchange.deposit("alice", "USDT", 1_000)
    exchange._kernel.auditor.wallets[16, 0] += 1
"""
    )
    code, printed = ran(tmp_path, text)
    assert code == 1 and "InvariantBroken" in printed and "commands of this test" in printed, printed


@pytest.mark.long
def test_who_does_not_use_it_imports_nothing(tmp_path):
    code, printed = ran(tmp_path, """
import sys
def test_it():
    assert not [name for name in sys.modules if name.split(".")[0] in ("solvent", "numpy", "aiohttp", "ccxt")]
""")  # fmt: skip
    assert code == 0 and "1 passed" in printed, printed
