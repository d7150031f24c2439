"""Instruments that are added to a running exchange."""

from dataclasses import replace

from solvent import Funding, Index, Instrument, PriceModel, Tier

X, N = "X", "N"
SECOND_NS = 10**9
BASE = Instrument(X, contract_size=1, tick=1, max_price=10_000, tiers=[Tier(1_000, "0.005", "0.01")])
MODEL = PriceModel(components=["index", "last"], sample_ns=SECOND_NS, index=Index(sources={"s": 1, "t": 2}),
                   funding=Funding(interval_ns=10 * SECOND_NS, impact=1_000))  # fmt: skip
SMALL = {"contract_size": 1, "tick": 1, "max_price": 10_000}
ADDED = {
    "linear, whole": Instrument(N, tiers=[Tier(50, "0.005", "0.01"), Tier(1_000, "0.01", "0.02")], **SMALL),
    "inverse, deduction": Instrument(
        N, kind="inverse", settle_decimals=9, basis="notional", scheme="deduction", max_size=10**6, contract_size=1_000,
        tick=1, max_price=10_000, tiers=[Tier(100, "0.005", "0.01"), Tier(10**6, "0.01", "0.02")],
    ),
    "quanto, slope": Instrument(
        N, kind="quanto", scheme="slope", tiers=[Tier(1_000, "0.005", "0.01")], maintenance_curve="0.0001",
        initial_curve="0.0002", fee_tiers=[(1, "0", "0.0004")], **SMALL,
    ),
    "linear, power, modelled": Instrument(
        N, scheme="power", tiers=[Tier(1_000, "0.005", "0.01")], maintenance_curve="0.00001", initial_curve="0.00002",
        prices=MODEL, **SMALL,
    ),
}  # fmt: skip


def exchange(make, *more, decimals=6, rule="seed", **deposits):
    ex = make([replace(BASE, settle_decimals=decimals), *more], rules=rule)
    for name, amount in ({"m": 10**6, "a": 10**5} | deposits).items():
        ex.deposit(name, "USDT", amount)
    ex.mark(X, 1_000)
    return ex
