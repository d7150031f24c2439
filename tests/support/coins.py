"""A currency that backs another and bears contracts of its own."""

import itertools

from solvent import Collateral, Instrument, Tier

X, ETH = "X", "ETH-USDT"
TERMS = {
    "contract_size": 1,
    "tick": 1,
    "max_price": 100_000,
    "maker_fee": 0,
    "taker_fee": 0,
    "tiers": [Tier(1_000, "0.01", "0.02")],
}


# --- Of a currency in which contracts settle

BTC, COIN = "BTC-USDT", "BTCUSD"
COINS = [
    Instrument(X, **TERMS),
    Instrument(BTC, **TERMS | {"contract_size": "0.001"}),
    Instrument(COIN, settle="BTC", kind="inverse", settle_decimals=10, **TERMS | {"tiers": [Tier(10**6, "0.01", "0.02")]}),
]
COIN_BACKS = [Collateral("BTC", of="USDT", price=BTC, haircut="0.1", decimals=10)]


def take(ex, name, side, size, price, leverage=10, mode="cross", leg=None):
    if leverage:
        ex.set_leverage("alice", name, leverage, mode=mode)
    ex.order("bob", name, {"buy": "sell", "sell": "buy"}[side], size, price=price, client_id=next(IDS)).ok()
    return ex.order("alice", name, side, size, price=price, tif="ioc")


IDS = itertools.count(1)
