"""What a script shares with the test that runs it."""

import sys

URL, WS = sys.argv[1:3]
NAME, SYMBOL = "BTC-USDT-SWAP", "BTC/USDT:USDT"


def venue(*words):
    """Asks the test for something, and waits until it is done."""
    print("!" + " ".join(map(str, words)), flush=True)
    sys.stdin.readline()


def credentials(**more):
    """Options of a ccxt client."""
    urls = {"api": {"rest": URL, "ws": WS}}
    return {
        "apiKey": "key", "secret": "secret", "password": "phrase", "urls": urls, "enableRateLimit": False,
        "options": {"fetchMarkets": {"types": ["swap"]}},
    } | more  # fmt: skip
