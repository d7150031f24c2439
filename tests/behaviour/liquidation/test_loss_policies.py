"""Who gets a surplus, when ADL begins: the policies of a rule set by the worked numbers of loss policies, section 1.

Their base case is an isolated long of 100 lots from 10,000 with a margin of 80,000; its bankruptcy price is 9,200.
"""

from dataclasses import replace

import pytest

import solvent
from solvent import Instrument, Tier, rules
from solvent.records import EventType, ParcelChange, Posting

X = "X-USDT-SWAP"
BARE = {"maker_fee": 0, "taker_fee": 0, "liquidation_fee": 0}
BIDS = ((60, 9_280), (40, 9_150))
UNIT = 10**6  # of USDT


def usdt(units):
    return f"{units / UNIT:.6f}"


def base_case(strict_exchange, bids=BIDS, fund=0, margin=80_000, **policy):
    """The base case at mark 10,000, before it falls. `short` holds the other side."""
    listed = Instrument(X, tick=1, contract_size="0.000001", max_price=100_000, tiers=[Tier(10**6, "0.02", "0.02")], **BARE)
    ex = strict_exchange([listed], rules=replace(rules.find("seed"), price_band_ppb=10**9 - 1, **policy))
    for name in ("long", "short", "bidder"):
        ex.open_account(name)
        ex.deposit(name, "USDT", usdt(margin) if name == "long" else 10)
        ex.set_leverage(name, X, 50, mode="isolated" if name == "long" else "cross")
    if fund:
        ex.seed_fund("USDT", usdt(fund))
    ex.mark(X, 10_000)
    ex.order("short", X, "sell", 100, price=10_000).ok()
    ex.order("long", X, "buy", 100, price=10_000).ok()
    ex.move_margin("long", X, usdt(margin - 20_000))
    for lots, price in bids:
        ex.order("bidder", X, "buy", lots, price=price).ok()
    return ex


def cash(ex, name):
    return int(ex.account(name).wallets["USDT"].cash * UNIT)


def fund(ex):
    return int(ex.fund("USDT") * UNIT), int(ex.deficit("USDT") * UNIT)


def returned(ack):
    return [e.amount_units for e in ack.events if e.type == EventType.LEDGER and e.posting == Posting.SURPLUS_RETURNED]


@pytest.mark.parametrize(("policy", "his", "its"), [
    ({}, 0, 4_800), ({"surplus": "trader"}, 4_800, 0),
    ({"surplus": "trader", "surplus_fee_ppb": 5 * 10**6}, 2_016, 2_784),
    ({"surplus": "trader", "surplus_fee_ppb": 15 * 10**6}, 0, 4_800),
])  # fmt: skip
def test_the_surplus_of_the_book(strict_exchange, policy, his, its):
    """Section 1.1: 60 lots at 9,280 bring 4,800. Section 1.9: the fund's, the trader's, or a capped fee of 556,800."""
    ex = base_case(strict_exchange, **policy)
    ack = ex.mark(X, 9_300)
    assert (cash(ex, "long"), fund(ex)) == (his, (its, 0))
    assert returned(ack) == ([his] if his else [])
    [gain] = [e.gain_units for e in ack.events if e.type == EventType.PARCEL and e.change == ParcelChange.FILLED_BY_BOOK]
    assert gain == 4_800


def test_a_capped_fee_of_ten_lots(strict_exchange):
    """Section 1.6, dYdX: ten lots at 9,280 are 800 above 92,000; of that min(464, 800) is the fund's and 336 the trader's."""
    ex = base_case(strict_exchange, bids=((10, 9_280),), surplus="trader", surplus_fee_ppb=5 * 10**6)
    ex.mark(X, 9_300)
    assert (cash(ex, "long"), fund(ex)[0]) == (336, 464)


def test_a_fee_repays_the_deficit_first(strict_exchange):
    """A short that is bankrupt at 12,500 leaves 250,000 for the deficit; then the fee of a surplus goes there."""
    ex = base_case(strict_exchange, adl_price="mark", surplus="trader", surplus_fee_ppb=5 * 10**6, bids=())
    ex.mark(X, 9_100)
    assert fund(ex) == (0, -10_000)
    assert cash(ex, "long") == 0
    ex.deposit("long", "USDT", usdt(80_000))
    ex.mark(X, 10_000)
    ex.order("short", X, "sell", 100, price=10_000).ok()
    ex.order("long", X, "buy", 100, price=10_000).ok()
    ex.move_margin("long", X, usdt(60_000))
    ex.order("bidder", X, "buy", 60, price=9_280).ok()
    ex.mark(X, 9_300)
    assert (cash(ex, "long"), fund(ex)) == (2_016, (0, -7_216))


def test_the_resting_order_returns_a_surplus_in_a_command_of_another(strict_exchange):
    """40 lots rest at 9,200. A buyer who crosses them pays their cost; the trader gets nothing and owes nothing."""
    ex = base_case(strict_exchange, bids=((60, 9_280),), surplus="trader")
    ex.mark(X, 9_300)
    ack = ex.order("bidder", X, "buy", 40, price=9_300)
    ack.ok()
    assert returned(ack) == [] and cash(ex, "long") == 4_800
    assert ex.account("bidder").positions[X].size == 100


@pytest.mark.parametrize(("trigger", "sold", "paid"), [("empty", 40, 2_000), ("always", 0, 0)])
def test_when_the_fund_pays_in_the_book(strict_exchange, trigger, sold, paid):
    """Section 1.1 at mark 9,100: 40 lots at 9,150 cost the fund 2,000. Section 2.1, `always`: they close at 9,200 at once."""
    ex = base_case(strict_exchange, adl_trigger=trigger)
    ex.mark(X, 9_300)
    ack = ex.mark(X, 9_100)
    assert fund(ex) == (4_800 - paid, 0)
    assert sum(e.size_lots for e in ack.events if e.type == EventType.TRADE) == sold
    assert [(e.closed_lots, e.share_units) for e in ack.events if e.type == EventType.ADL] == [(40, 368_000)] * (not sold)


def test_always_begins_with_the_order_at_the_bankruptcy_price(strict_exchange):
    """A long that falls through its bankruptcy price at once is offered there first; 60 of 100 lots find a buyer."""
    ex = base_case(strict_exchange, bids=((60, 9_250), (40, 9_150)), fund=10**6, adl_trigger="always")
    ack = ex.mark(X, 9_100)
    assert [e.size_lots for e in ack.events if e.type == EventType.TRADE] == [60]
    assert [e.closed_lots for e in ack.events if e.type == EventType.ADL] == [40]
    assert fund(ex) == (10**6 + 3_000, 0)


HOURS = 3_600 * 10**9
FALL = {"adl_trigger": "drawdown", "drawdown_ppb": 3 * 10**8, "drawdown_window_ns": 8 * HOURS}


def again(ex, bid, mark):
    """The base case once more, with one bid. Returns the lots that ADL closes; all others trade."""
    ex.mark(X, 10_000)
    ex.deposit("long", "USDT", usdt(80_000))
    ex.order("short", X, "sell", 100, price=10_000).ok()
    ex.order("long", X, "buy", 100, price=10_000).ok()
    ex.move_margin("long", X, usdt(60_000))
    ex.order("bidder", X, "buy", 100, price=bid).ok()
    ack = ex.mark(X, mark)
    closed = sum(e.closed_lots for e in ack.events if e.type == EventType.ADL)
    assert sum(e.size_lots for e in ack.events if e.type == EventType.TRADE) == 100 - closed
    return closed


@pytest.mark.parametrize(("bid", "later_ns", "closed"), [
    (8_900, 0, 100), (8_901, 0, 0), (8_900, 8 * HOURS - 1, 100), (8_900, 8 * HOURS, 0),
])  # fmt: skip
def test_a_drawdown_of_the_fund(strict_exchange, bid, later_ns, closed):
    """Section 2.1, OKX: 30 % within eight hours. 100 lots at 8,900 cost the fund 30,000 of 100,000; at 8,901 100 less."""
    ex = base_case(strict_exchange, bids=((100, bid),), fund=100_000, **FALL)
    ex.advance(1)
    ack = ex.mark(X, 8_900)
    assert fund(ex)[0] == 100_000 - (9_200 - bid) * 100
    assert not [e for e in ack.events if e.type == EventType.ADL]
    ex.advance(1 + later_ns)
    assert again(ex, 8_950, 8_900) == closed


@pytest.mark.parametrize(("seeded", "closed"), [(4_200, 100), (4_201, 0)])
def test_what_a_fund_is_within_a_moment_is_forgotten(strict_exchange, seeded, closed):
    """It gets 4,800 and pays 12,000 at one time. Its highest value is the 10,000 before, so that 7,001 are enough."""
    ex = base_case(strict_exchange, bids=((60, 9_280), (40, 8_900)), fund=10_000, **FALL)
    ex.advance(1)
    ex.mark(X, 8_900)
    assert fund(ex) == (10_000 + 4_800 - 12_000, 0)
    ex.seed_fund("USDT", usdt(seeded))
    assert again(ex, 9_190, 9_100) == closed


@pytest.mark.parametrize("kind", ["linear", "inverse"])
@pytest.mark.parametrize(("victim", "first"), [("buy", "late"), ("sell", "early")])
def test_the_worst_entry_is_deleveraged_first(strict_exchange, kind, victim, first):
    """Section 2.2, `entry`: of shorts the highest entry comes first, of longs the lowest. `early` entered at 9,000."""
    settle = "USDT" if kind == "linear" else "X"
    listed = Instrument(
        X, tick=1, kind=kind, settle=settle, contract_size="0.01" if kind == "linear" else 100, max_price=100_000,
        tiers=[Tier(10**6, "0.01", "0.01")], settle_decimals=6 if kind == "linear" else 8, **BARE,
    )  # fmt: skip
    ex = strict_exchange([listed], rules=replace(rules.find("seed"), price_band_ppb=10**9 - 1, adl_rank="entry"))
    for name in ("early", "late", "rich", "victim"):
        ex.open_account(name)
        ex.deposit(name, settle, 100_000 if kind == "linear" else 100)
        ex.set_leverage(name, X, 100, mode="isolated" if name == "victim" else "cross")
    other = "sell" if victim == "buy" else "buy"
    for name, price, side in (("early", 9_000, other), ("late", 10_000, other), ("victim", 9_500, victim)):
        ex.mark(X, price)
        ex.order("rich", X, "buy" if side == "sell" else "sell", 5, price=price).ok()
        ex.order(name, X, side, 5, price=price).ok()
    events = ex.mark(X, 8_000 if victim == "buy" else 12_000).events
    assert [ex.account_name(e.account) for e in events if e.type == EventType.ADL] == [first]


@pytest.mark.parametrize(("said", "why"), [
    ({"surplus": "me"}, "surplus is one of fund, trader"),
    ({"adl_trigger": True}, "adl_trigger is one of empty, always, drawdown"),
    ({"surplus_fee_ppb": 10**7}, "needs surplus='trader'"), ({"surplus": "trader", "surplus_fee_ppb": -1}, "from 0 to 10"),
    ({"drawdown_ppb": 1}, "belongs to adl_trigger='drawdown'"), (FALL | {"drawdown_window_ns": 0}, "needs it above 0"),
    (FALL | {"drawdown_ppb": 10**9 + 1}, "drawdown_ppb is an int from 0"),
    ({"surplus": "trader", "surplus_fee_ppb": 0.01}, "surplus_fee_ppb is an int"),
])  # fmt: skip
def test_what_is_refused(said, why):
    with pytest.raises(solvent.InputError, match=why):
        replace(rules.find("seed"), **said)
