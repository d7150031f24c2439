"""Venues' published tables, loaded and held against the engine: 318 Binance perpetuals, OKX tiers and contracts.

Owns the reading of the recorded tables, which are not in the project; these tests skip where they are absent.
"""

import doctest
import gzip
import json
from decimal import Decimal

import pytest

from solvent import EventType, Exchange, Index, InputError, Instrument, PriceModel, Tier
from solvent.terms.tiers import deductions
from solvent.venues import binance_tiers, okx_instrument, okx_tiers, price_model
from support.places import DATA, ROOT


def read(*parts: str):
    path = DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the recorded table {path.name} is not here")
    data = path.read_bytes()
    return json.loads(gzip.decompress(data) if path.suffix == ".gz" else data, parse_float=Decimal)


def slabs(tiers, value: Decimal) -> Decimal:
    """Each slab at its own rate."""
    total, below = Decimal(0), Decimal(0)
    for tier in tiers:
        top = min(value, Decimal(tier.max_contracts))
        total += max(Decimal(0), top - below) * Decimal(tier.maintenance)
        below = Decimal(tier.max_contracts)
    return total


def test_all_perpetuals_of_binance_in_one_exchange():
    """Ordered, without gaps, continuous: each printed deduction is what the rates make it, to the last digit."""
    tables = {name: binance_tiers(rows) for name, rows in read("tiers", "binance_usdm_tiers_2024-10.json.gz")["tiers"].items()}
    assert len(tables) == 318
    terms = {
        "basis": "notional",
        "scheme": "deduction",
        "contract_size": 1,
        "tick": "0.01",
        "max_price": 1_000,
        "max_size": 10**8,
    }
    ex = Exchange([Instrument(name, tiers=tiers, **terms) for name, tiers in tables.items()])
    assert [each.spec.tiers[-1][1] for each in ex.instruments[:3]] and len(ex.instruments) == 318
    for tiers in tables.values():
        assert [tier.deduction for tier in tiers] == list(deductions(tiers))
        for tier, deducted in zip(tiers, deductions(tiers), strict=True):
            top = Decimal(tier.max_contracts)
            assert top * Decimal(tier.maintenance) - deducted == slabs(tiers, top)


@pytest.mark.parametrize("nth", [0, 60, 120, 200, 317])
def test_requirements_of_a_binance_table(strict_exchange, nth):
    """One position, its mark moved through every bracket: the engine asks what the slabs ask, rounded up."""
    name, rows = sorted(read("tiers", "binance_usdm_tiers_2024-10.json.gz")["tiers"].items())[nth]
    tiers = binance_tiers(rows)
    top = Decimal(tiers[-1].max_contracts)
    terms = {
        "contract_size": 1,
        "tick": 1,
        "max_price": 2 * top,
        "max_size": 2,
        "liquidation_fee": 0,
        "taker_fee": 0,
        "maker_fee": 0,
    }
    ex = strict_exchange([Instrument(name, tiers=tiers, basis="notional", scheme="deduction", **terms)])
    for account in ("long", "short"):
        ex.deposit(account, "USDT", 4 * top)
    ex.mark(name, 1_000)
    ex.order("short", name, "sell", 1, price=1_000).ok()
    assert ex.order("long", name, "buy", 1, price=1_000).filled == 1
    for tier in tiers:
        for value in (Decimal(tier.max_contracts) - 1, Decimal(tier.max_contracts), Decimal(tier.max_contracts) + 1):
            ex.mark(name, value)
            last = tiers[:-1] + (Tier(4 * top, tiers[-1].maintenance, tiers[-1].initial),)  # beyond the last it is the last
            assert ex.position("long", name).maintenance == slabs(last, value).quantize(
                Decimal("0.000001"), rounding="ROUND_CEILING"
            )


def test_tiers_of_okx(strict_exchange):
    """45 tiers of one perpetual, by contracts, the whole position at its tier's rate: it jumps at every top."""
    rows = read("tiers", "okx_0G-USDT-SWAP_tiers_2026-05-28.json")["tiers"]
    tiers = okx_tiers(rows)
    assert len(tiers) == 45 and tiers[2].max_leverage == Decimal("12.5")
    terms = {"contract_size": 1, "tick": "0.001", "max_price": 100, "liquidation_fee": 0, "taker_fee": 0, "maker_fee": 0}
    ex = strict_exchange([Instrument("0G-USDT-SWAP", tiers=tiers, **terms)])
    for account in ("long", "short"):
        ex.deposit(account, "USDT", 10**9)
        ex.set_leverage(account, 0, 1, mode="cross")
    ex.mark(0, 2)
    held = 0
    for row in rows:
        for size in (row["maxSz"], row["maxSz"] + 1):
            if size <= rows[-1]["maxSz"]:
                ex.order("short", 0, "sell", size - held, price=2).ok()
                assert ex.order("long", 0, "buy", size - held, price=2).filled == size - held
                held = size
                rate = next(each["mmr"] for each in rows if size <= each["maxSz"])
                assert ex.position("long", 0).maintenance == 2 * size * Decimal(str(rate))


@pytest.mark.parametrize("name", ["http_get_instruments_swap.json", "http_get_instruments_futures.json"])
def test_contracts_of_okx(name):
    """Multipliers, ticks, lots and expiries as the venue lists them."""
    payloads = read("okx_samples", name)["data"]
    made = 0
    for payload in payloads:
        inverse = payload["ctType"] == "inverse"
        terms = {"settle_decimals": 9, "max_price": 10**6, "tiers": [Tier(1_000, "0.005", "0.01")]}
        if payload["expTime"]:
            terms["prices"] = PriceModel(components=["index"])
        if inverse:
            terms |= {"settle_decimals": 10}
        each = okx_instrument(payload, **terms)
        assert (each.tick_size, each.lot_size) == (Decimal(payload["tickSz"]), Decimal(payload["lotSz"]))
        assert each.expiry_ns == int(payload["expTime"] or 0) * 10**6
        made += 1
    assert made == len(payloads) > 0


@pytest.mark.parametrize("venue", ["binance", "bitmex", "okx", "deribit", "hyperliquid", "delta"])
def test_price_models_of_venues(strict_exchange, venue):
    """Each gives a mark as soon as it has an index, and a rate at the end of its first interval if it makes rates."""
    index = Index(sources={"spot": 1}, external={"perp": 1}, stale_ns=10**15)
    expiry = 10**15 if venue == "delta" else 0
    ex = strict_exchange([Instrument("X", prices=price_model(venue, index), expiry_ns=expiry)])
    for name in ("spot", "perp"):
        ex.source("X", name, 50_000)
    assert ex.position(ex.open_account("a"), "X").mark_price == 50_000
    ex.deposit("a", "USDT", 10_000)
    ex.order("a", "X", "buy", 5, price=49_990).ok()
    ex.order("a", "X", "sell", 5, price=50_010).ok()
    ex.advance(8 * 3_600 * 10**9)
    rated = [e for e in ex.drain() if e.type == EventType.RATED]
    assert len(rated) == {"hyperliquid": 8, "deribit": 256, "delta": 0}.get(venue, 1)
    assert {e.rate_ppb for e in rated} <= {0, 12_500, 100_000}  # a book around its index: the interest, or none


def test_okx_averages_over_eight_hours_whatever_their_period(strict_exchange):
    """A premium of the first period is still half of the second one's mean, where only four hours gave samples since."""
    ex = strict_exchange([Instrument("X", prices=price_model("okx"), taker_fee=0, maker_fee=0)])
    ex.index("X", 50_000)
    ex.deposit("a", "USDT", 10**6)
    hour = 3_600 * 10**9
    for hours, mid in ((8, 50_050), (12, 50_000)):
        ex.order("a", "X", "buy", 1, price=mid - 10).ok()
        ex.order("a", "X", "sell", 1, price=mid + 10).ok()
        ex.advance(hours * hour)
        ex.cancel_all("a")
    ex.order("a", "X", "buy", 1, price=49_990).ok()
    ex.advance(16 * hour)
    rates = [(e.rate_ppb, e.samples) for e in ex.drain() if e.type == EventType.RATED]
    samples = 8 * 720  # of five seconds; the rate is fixed a minute early, where twelve are still missing
    assert rates == [(10**6, samples - 12), (10**6 // 2, samples)]


def test_tables_that_do_not_fit_are_refused():
    rows = [
        {"floor": 0, "cap": 100, "mmr": "0.01", "max_leverage": 50, "maintenance_deduction": 0},
        {"floor": 100, "cap": 200, "mmr": "0.02", "max_leverage": 25, "maintenance_deduction": 1},
    ]
    terms = {"basis": "notional", "scheme": "deduction", "max_size": 10, "max_price": 1_000}
    assert Instrument("X", tiers=binance_tiers(rows), **terms)
    changes = {
        "begins at 101": {"floor": 101}, "make it continuous": {"maintenance_deduction": 2},
        "rise in size": {"cap": 50}, "rise in": {"mmr": "0.005", "maintenance_deduction": "-0.5"},
    }  # fmt: skip
    for what, change in changes.items():
        with pytest.raises(InputError, match=what):
            Instrument("X", tiers=binance_tiers([rows[0], rows[1] | change]), **terms)
    with pytest.raises(InputError, match="begins at 30"):
        okx_tiers([{"minSz": 0, "maxSz": 20, "mmr": "0.01", "imr": "0.02", "maxLever": 50},
                   {"minSz": 30, "maxSz": 40, "mmr": "0.02", "imr": "0.04", "maxLever": 25}])  # fmt: skip
    with pytest.raises(InputError, match="no linear"):
        okx_instrument({"instId": "BTC-USDT", "ctType": ""})


def test_the_page_of_venues():
    """docs/howto/venues.md: every one of them is said there, in one exchange."""
    assert doctest.testfile(str(ROOT / "docs/howto/venues.md"), module_relative=False) == (0, 32)
