"""Dango: the two incidents of June 2026 in which a chain's bankruptcy price failed in the field (loss policies, section 5).

There the equity of a whole account was divided by a part of its position. Small forms for any engine: linear, a lot is a unit
of base, maintenance 5 %, no fees, isolated. A: testnet, 3 June, SOL. B: mainnet, 5 June, ETH.
"""

from dataclasses import replace

import pytest

from solvent import EventType, Instrument, Tier
from solvent.presets.catalogue import KNOWN
from solvent.records import ParcelChange
from solvent.schema.words import AdlPrice

SOL = Instrument(
    "SOL", contract_size=1, tick=1, max_price=10_000, tiers=[Tier(1_000, "0.05", "0.1")], maker_fee=0, taker_fee=0,
    liquidation_fee=0,
)  # fmt: skip
RULES = ("seed", "okx_consistent", "okx", "binance", "bybit", "bitmex", "htx")


def market(make, rule, side, size, margin):
    """The account against another one at 2,000, and a bystander with a position of one lot each way on another contract."""
    ex = make([SOL, replace(SOL, name="ETH")], rules=replace(KNOWN[rule], price_band_ppb=10**9 - 1))
    for name in ("incident", "other", "left", "right", "far"):
        ex.deposit(name, "USDT", 100_000 if name != "incident" else margin)
    for name in ("SOL", "ETH"):
        ex.mark(name, 2_000)
    ex.order("left", "ETH", "buy", 1, price=2_000).ok()
    ex.order("right", "ETH", "sell", 1, price=2_000).ok()
    ex.set_leverage("incident", "SOL", 10, mode="isolated")
    ex.order("other", "SOL", "buy" if side == "sell" else "sell", size, price=2_000).ok()
    assert ex.order("incident", "SOL", side, size, price=2_000).ok().filled == size
    ex.move_margin("incident", "SOL", margin - ex.position("incident", "SOL").margin) if ex.account("incident").cash else None
    assert ex.position("incident", "SOL").margin == margin
    return ex


def others(ex):
    """All that the bystanders have: money, positions and orders."""
    found = {name: ex.account(name) for name in ("left", "right", "far")}
    return [
        (each.wallets, {key: p.size for key, p in each.positions.items()}, ex.open_orders(name))
        for name, each in found.items()
    ]


@pytest.mark.parametrize("rule", RULES)
def test_a_short_beyond_its_margin_and_a_far_ask(strict_exchange, rule):
    """A: short 5 from 2,000 on 1,000, the only ask is 1 at 3,900, mark 2,300. It is taken over at 2,200, the ask stays, and
    with an empty fund the long of 5 is deleveraged; nobody else changes."""
    ex = market(strict_exchange, rule, "sell", 5, 1_000)
    ask = ex.order("far", "SOL", "sell", 1, price=3_900).ok()
    before = others(ex)
    events = ex.mark("SOL", 2_300).events
    (taken,) = [e for e in events if e.type == EventType.TAKEOVER]
    assert (taken.size_lots, taken.cost_units, taken.bankruptcy_ticks) == (-5, -11_000 * 10**6, 2_200)
    (adl,) = [e for e in events if e.type == EventType.ADL]
    at = {AdlPrice.AT_BANKRUPTCY: 2_200, AdlPrice.AT_CAPPED: 2_200, AdlPrice.AT_MARK: 2_300, AdlPrice.AT_PREVIOUS: 2_000}
    price = at[ex.rules.compiled().adl_price]
    assert (ex.account_name(adl.account), adl.closed_lots, adl.share_units) == ("other", 5, -5 * price * 10**6)
    assert ex.account("other").cash == 100_000 + 5 * (price - 2_000) and ex.position("other", "SOL").size == 0
    assert others(ex) == before and [each.order_id for each in ex.open_orders("far")] == [ask.order_id]
    assert (ex.account("incident").equity, ex.fund("USDT"), ex.deficit("USDT")) == (0, 0, min(0, 5 * (2_200 - price)))


@pytest.mark.parametrize("rule", RULES)
def test_a_long_above_zero_in_an_empty_book(strict_exchange, rule):
    """B: long 10 from 2,000 on 2,000, empty book, mark 1,875: equity 750 of 937.5. All is taken over at 1,800 (cost 18,000),
    the house's order rests there, there is no ADL, the counterparty is untouched, and nobody gains more than the equity."""
    ex = market(strict_exchange, rule, "buy", 10, 2_000)
    before, other = others(ex), ex.account("other").positions["SOL"].size
    events = ex.mark("SOL", 1_875).events
    (verdict,) = [e for e in events if e.type == EventType.LIQUIDATION][-1:]
    assert (verdict.equity_units, verdict.own_units) == (750 * 10**6, 937_500_000 + ex.rules.at_threshold)
    (taken,) = [e for e in events if e.type == EventType.TAKEOVER]
    assert (taken.size_lots, taken.cost_units, taken.bankruptcy_ticks) == (10, 18_000 * 10**6, 1_800)
    assert [e.change for e in events if e.type == EventType.PARCEL] == [ParcelChange.TAKEN]
    assert not [e for e in events if e.type == EventType.ADL]
    (house,) = ex.resting("SOL")
    assert (house.side, house.price, house.remaining, house.account) == ("sell", 1_800, 10, "<house>")
    assert others(ex) == before and ex.account("other").positions["SOL"].size == other == -10
    assert ex.account("incident").equity == 0
    for buyer in ("far", "left"):  # whoever buys what the house offers gains the equity that was left, and no unit more
        ex.order(buyer, "SOL", "buy", 5, price=1_800).ok()
    gained = sum(ex.account(name).equity - 100_000 for name in ("far", "left"))
    assert gained == 750 and ex.parcels() == []
