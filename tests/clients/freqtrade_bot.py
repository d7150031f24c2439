"""freqtrade as a whole bot, in live mode: it enters, places its stop on the venue, is liquidated, and goes on."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

URL, WS = sys.argv[1:3]
HOME = Path(os.environ["SOLVENT_BUILD_CLIENT"]) / "bot"
PAIR = "BTC/USDT:USDT"
HEADERS = {"OK-ACCESS-KEY": "key", "OK-ACCESS-SIGN": "s", "OK-ACCESS-TIMESTAMP": "1", "OK-ACCESS-PASSPHRASE": "phrase"}
STRATEGY = """
from freqtrade.strategy import IStrategy


class Always(IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "1m"
    minimal_roi = {"0": 10}
    stoploss = -0.3
    startup_candle_count = 0
    order_types = {
        "entry": "market", "exit": "market", "stoploss": "market", "stoploss_on_exchange": True,
        "stoploss_on_exchange_interval": 5, "stoploss_price_type": "mark",
    }

    def populate_indicators(self, dataframe, metadata):
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        dataframe["enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe

    def leverage(self, **_):
        return 10.0
"""
CONFIG = {
    "max_open_trades": 1, "stake_currency": "USDT", "stake_amount": 100, "tradable_balance_ratio": 0.99, "dry_run": False,
    "trading_mode": "futures", "margin_mode": "isolated", "cancel_open_orders_on_exit": True,
    "entry_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
    "exit_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
    "exchange": {
        "name": "okx", "key": "key", "secret": "secret", "password": "phrase", "enable_ws": False,
        "ccxt_config": {"enableRateLimit": False, "urls": {"api": {"rest": URL, "ws": WS}}}, "pair_whitelist": [PAIR],
    },
    "pairlists": [{"method": "StaticPairList"}], "internals": {"process_throttle_secs": 1}, "bot_name": "bot",
    "initial_state": "running",
}  # fmt: skip


def venue(*words):
    print("!" + " ".join(map(str, words)), flush=True)
    sys.stdin.readline()


def ask(route):
    with urlopen(Request(f"{URL}/api/v5/{route}", headers=HEADERS), timeout=10) as answer:
        return json.loads(answer.read())["data"]


def wait(found, what, bot, log, seconds=120):
    end = time.time() + seconds
    while not (seen := found()):
        assert bot.poll() is None and time.time() < end, f"{what}\n{log.read_text()[-6000:]}"
        time.sleep(0.5)
    return seen


HOME.mkdir(parents=True, exist_ok=True)
for old in HOME.glob("trades.sqlite*"):
    old.unlink()
(HOME / "always.py").write_text(STRATEGY)
(HOME / "config.json").write_text(json.dumps(CONFIG))
command = [
    sys.executable, "-m", "freqtrade", "trade", "-c", str(HOME / "config.json"), "--strategy", "Always", "--strategy-path",
    str(HOME), "--userdir", str(HOME), "--db-url", f"sqlite:///{HOME / 'trades.sqlite'}",
]  # fmt: skip
subprocess.run([sys.executable, "-m", "freqtrade", "create-userdir", "--userdir", str(HOME)], capture_output=True, check=False)
log = HOME / "log"
with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out, cwd=HOME) as bot:
    try:
        (position,) = wait(lambda: ask("account/positions"), "it enters", bot, log)
        assert position["mgnMode"] == "isolated" and position["lever"] == "10"
        stops = wait(lambda: ask("trade/orders-algo-pending?ordType=conditional"), "its stop is on the venue", bot, log)
        assert stops[0]["side"] == "sell" and stops[0]["sz"] == position["pos"]
        venue("mark", float(position["liqPx"]) * 0.98)
        closed = ask("account/positions-history")
        assert closed and closed[0]["type"] == "3" and ask("account/positions") == []
        venue("mark", 50000)
        # It does not look at positions: it finds its stop cancelled, and places another one.
        again = wait(lambda: ask("trade/orders-algo-pending?ordType=conditional"), "it goes on", bot, log)
        assert again[0]["algoId"] != stops[0]["algoId"]
    finally:
        bot.terminate()
        bot.wait(30)
