"""An instrument with a price model: how it is built, told prices and led through time."""

from dataclasses import replace
from decimal import Decimal

from solvent import EventType, Funding, Instrument, PriceModel, Tier, rules

X, SECOND = "X", 10**9
WIDE = replace(rules.find("seed"), price_band_ppb=10**9 - 1)
TIERS = [Tier(10**6, "0.005", "0.01")]


def build(make, model: PriceModel, rule=WIDE, **terms):
    """A maker and a taker with plenty; 0.001 a contract, tick 0.1, no fees."""
    terms = {"contract_size": "0.001", "tick": "0.1", "max_price": 100_000, "tiers": TIERS} | terms
    ex = make([Instrument(X, prices=model, maker_fee=0, taker_fee=0, **terms)], rules=rule)
    for name in ("maker", "taker"):
        ex.deposit(name, terms.get("settle", "USDT"), 10**6)
    return ex


def quote(ex, bids, asks):
    """Resting orders, as (price, contracts)."""
    for side, levels in (("buy", bids), ("sell", asks)):
        for price, size in levels:
            ex.order("maker", X, side, size, price=price).ok()


def trade_at(ex, price):
    ex.order("maker", X, "sell", 1, price=price, self_trade="allow").ok()
    assert ex.order("taker", X, "buy", 1, price=price, tif="ioc").filled == 1


def mark(ex):
    return Decimal(ex._kernel.mark_ticks(0)) / 10


def of(ack, kind):
    return [e for e in ack.events if e.type == kind]


def passing(ex, time_ns):
    """Events of a command that lets time pass."""
    cursor = ex.cursor()
    ex.advance(time_ns)
    return list(cursor)


# --- Premiums and rates


FAR_ASK = (50_000, 10_000)


def rated(make, index, bids, asks, **terms):
    """The RATED event of one sample of a book over an index."""
    terms = {"interval_ns": SECOND, "impact": 5_000, "weights": "equal", "cap": "0.9", "clamp": 0, "interest": 0} | terms
    ex = build(make, PriceModel(components=["index"], sample_ns=SECOND, funding=Funding(**terms)))
    ex.index(X, index)
    quote(ex, bids, asks)
    (event,) = [e for e in passing(ex, SECOND) if e.type == EventType.RATED]
    return event


def funded(make, rule=WIDE, **terms):
    """A taker long 100 contracts at 1,000 under ten-second funding; the book's middle is 1 % above the index."""
    terms = {"interval_ns": 10 * SECOND, "premium": "middle", "interest": 0, "clamp": 0, "cap": "0.5"} | terms
    ex = build(make, PriceModel(components=["index"], sample_ns=SECOND, funding=Funding(**terms)), rule)
    ex.index(X, 1_000)
    ex.order("maker", X, "sell", 100, price=1_000).ok()
    assert ex.order("taker", X, "buy", 100, price=1_000).filled == 100
    quote(ex, [(1_009, 5)], [(1_011, 5)])
    return ex


def rates(events):
    return [(e.period, e.rate_ppb) for e in events if e.type == EventType.FUNDED]
