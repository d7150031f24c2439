"""A market in which someone might pay for another: its accounts, and what became of orders."""

from solvent import EventType, Instrument, Tier
from solvent.records import Ending

X, Y = "X", "Y"
FREE = {"taker_fee": 0, "maker_fee": 0, "liquidation_fee": 0}
OTHER = {"buy": "sell", "sell": "buy"}


def market(make, *names, fund=10_000, money=None, rule="seed", **terms):
    """Instruments of one coin a contract, tick 0.1, marked 100; b, c and d are rich."""
    each = {"contract_size": 1, "tick": "0.1", "max_price": 1_000, "tiers": [Tier(10**6, "0.005", "0.01")]} | terms
    ex = make([Instrument(name, **each) for name in names or (X,)], rules=rule)
    ex.seed_fund("USDT", fund)
    for name, amount in ({"b": 10**8, "c": 10**8, "d": 10**8} | (money or {})).items():
        ex.deposit(name, "USDT", amount)
    for name in names or (X,):
        ex.mark(name, 100)
    return ex


def endings(ack):
    return [(e.order_id, Ending(e.ending)) for e in ack.events if e.type == EventType.DONE]


def happened(ack, *types):
    return [e.type for e in ack.events if e.type in types]
