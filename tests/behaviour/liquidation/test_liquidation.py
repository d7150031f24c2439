"""Step-down, takeover, parcels, fund, ADL and deficit (semantics §3-§6), each with worked numbers."""

from dataclasses import replace
from decimal import ROUND_CEILING, Decimal

import pytest

from solvent import EventType, Instrument, Rejected, rules
from solvent.codes import Code
from solvent.records import NO_INSTRUMENT, Ending, ParcelChange, Posting, Purse, Verdict
from solvent.terms.tiers import okex_btc_2019

BTC = "BTC-USDT-SWAP"


def of(events, kind, **fields):
    return [e for e in events if e.type == kind and all(getattr(e, k) == v for k, v in fields.items())]


def market(make, *, fund=0, rules="seed", instruments=1, **terms):
    """An exchange at mark 50,000 with a rich cross account called maker."""
    names = [BTC, "SECOND"][:instruments]
    ex = make([Instrument(name, **terms) for name in names], rules=rules)
    ex.deposit("maker", "USDT", 10**9)
    if fund:
        ex.seed_fund("USDT", fund)
    for name in names:
        ex.mark(name, 50_000)
    return ex


def long(ex, name, size, deposit, leverage, *, mode="isolated", instrument=BTC, side="buy"):
    """Opens a position at mark against the maker."""
    price = ex.position("maker", instrument).mark_price
    if deposit:
        ex.deposit(name, "USDT", deposit)
    ex.set_leverage(name, instrument, leverage, mode=mode)
    ex.order("maker", instrument, "sell" if side == "buy" else "buy", size, price=price).ok()
    ack = ex.order(name, instrument, side, size, price=price, tif="fok")
    assert ack.ok().filled == size


def small(make, **kwargs):
    """Tiers with tops at 20, 30, 40, ... contracts: levels 3 and up are cheap to reach."""
    return market(make, tiers=okex_btc_2019(first=20, step=10, levels=8), **kwargs)


# --- the worked example of semantics §9


def test_worked_example(strict_exchange):
    ex = strict_exchange([Instrument(BTC)])
    ex.deposit("bob", "USDT", 10_000)
    ex.deposit("alice", "USDT", 1_000)
    ex.mark(BTC, 50_000)
    ex.set_leverage("alice", BTC, 50, mode="isolated")
    ex.order("bob", BTC, "sell", 10, price=50_000).ok()
    ex.order("alice", BTC, "buy", 10, price=50_000).ok()
    ex.order("bob", BTC, "buy", 10, price=49_050).ok()
    assert ex.position("alice", BTC).bankruptcy_price == 49_000
    events = ex.mark(BTC, 49_150).events
    [trigger] = of(events, EventType.LIQUIDATION)
    assert (trigger.equity_units, trigger.value_units) == (15_000_000, 4_915_000_000)  # 0.305 %
    [takeover] = of(events, EventType.TAKEOVER)
    assert (takeover.bankruptcy_ticks, takeover.cost_units) == (490_000, 4_900_000_000)
    assert ex.fund("USDT") == 5
    assert ex.account("alice").cash == Decimal("897.5")  # 1,000 less margin 100 and fee 2.5
    assert ex.position("alice", BTC).size == 0


# --- step-down (§3)


def test_level_4_steps_to_2_and_is_then_taken_over(strict_exchange):
    """22,001 contracts at 0.56 % close 10,001, end at 0.985 % of level 2 and are taken over: 0.985 < 1.05."""
    ex = market(strict_exchange)
    long(ex, "whale", 22_001, 10**7, 10)
    margin = ex.position("whale", BTC).margin_units
    loss = 22_001 * (500_000 - 452_500) * 1_000
    wanted = 22_001 * 452_500 * 1_000 * 56 // 10_000
    ex.move_margin("whale", BTC, Decimal(wanted + loss - margin) / 10**6)
    ex.order("maker", BTC, "buy", 30_000, price=45_250).ok()
    events = ex.mark(BTC, 45_250).events
    first, second = of(events, EventType.LIQUIDATION)
    assert (first.verdict, second.verdict) == (Verdict.PARTIAL, Verdict.FULL)
    [step] = of(events, EventType.STEP_DOWN)
    assert (step.tier, step.target_tier, step.size_lots) == (4, 2, 10_001)
    assert round(second.equity_units / second.value_units, 5) == 0.00985
    [fee] = of(events, EventType.LEDGER, posting=Posting.LIQUIDATION_FEE)
    assert fee.amount_units == -(-10_001 * 452_500 * 1_000 * 5 // 10_000) and fee.receiver == Purse.FUND
    [takeover] = of(events, EventType.TAKEOVER)
    assert takeover.size_lots == 12_000


def test_step_down_without_liquidity_waits_for_the_next_mark(strict_exchange):
    ex = small(strict_exchange)
    long(ex, "whale", 45, 10**5, 20)  # level 4: own threshold 2.05 %
    ex.mark(BTC, 48_400)
    events = ex.mark(BTC, 48_400).events
    assert of(events, EventType.STEP_DOWN) and not of(events, EventType.TRADE)
    assert [e.ending for e in of(events, EventType.DONE)] == [Ending.UNFILLED]
    assert "waits for the next mark" in str(ex.explain("whale"))
    ex.order("maker", BTC, "buy", 60, price=48_300).ok()
    assert ex.position("whale", BTC).size == 45  # nothing before the mark
    events = ex.mark(BTC, 48_400).events
    assert sum(e.size_lots for e in of(events, EventType.TRADE)) == 15
    assert ex.position("whale", BTC).size == 30


def test_step_down_is_priced_at_the_fee_paying_bankruptcy_price(strict_exchange):
    """Long 45 at 50,000 with margin 1,125: p * 0.45 * (1 - 0.0005) = 22,500 - 1,125, rounded up."""
    ex = small(strict_exchange)
    long(ex, "whale", 45, 10**5, 20)
    events = ex.mark(BTC, 48_400).events
    [step] = of(events, EventType.STEP_DOWN)
    exact = Decimal(22_500 - 1_125) / (Decimal("0.45") * (1 - Decimal("0.0005")))
    assert step.limit_ticks == (exact * 10).to_integral_value(ROUND_CEILING)


def test_cross_steps_down_the_position_with_the_largest_gain(strict_exchange):
    """20,700 * (2 % - 0.55 %) against 15,750 * (1.5 % - 0.55 %): SECOND, from level 4 to the top of 2."""
    ex = small(strict_exchange, instruments=2)
    long(ex, "whale", 35, 4_100, 10, mode="cross")
    long(ex, "whale", 45, 0, 10, mode="cross", instrument="SECOND")
    ex.order("maker", "SECOND", "buy", 60, price=45_990).ok()
    ex.mark(BTC, 45_000)
    events = ex.mark("SECOND", 46_000).events
    assert [(e.instrument, e.size_lots) for e in of(events, EventType.STEP_DOWN)] == [(1, 15)]
    assert (ex.position("whale", BTC).size, ex.position("whale", "SECOND").size) == (35, 30)


# --- takeover and parcels (§4, §5)


def test_parcel_rests_at_the_bankruptcy_price_and_is_filled_there(strict_exchange):
    ex = market(strict_exchange)
    long(ex, "alice", 10, 1_000, 50)
    events = ex.mark(BTC, 49_200).events
    [rest] = of(events, EventType.RESTED, account=Purse.HOUSE)
    assert (rest.price_ticks, rest.remaining_lots) == (490_000, 10)
    [parcel] = ex.parcels()
    assert (parcel.size, parcel.cost, parcel.origin) == (10, 4_900, "alice")
    ack = ex.order("maker", BTC, "buy", 4, price=49_100)
    assert ack.filled == 4
    assert ex.fund("USDT") == 0  # exactly at cost: nothing gained, nothing lost
    assert ex.parcels()[0].size == 6


def test_resting_parcel_under_water_is_sold_down_to_the_empty_fund(strict_exchange):
    """Six contracts of cost 2,940 with a fund of 60: (2,940 - 60) / 0.06 = 48,000 is as low as it goes."""
    ex = market(strict_exchange, fund=60)
    long(ex, "alice", 6, 1_000, 50)
    ex.mark(BTC, 49_200)
    ex.order("maker", BTC, "buy", 2, price=48_500).ok()
    ex.order("maker", BTC, "buy", 2, price=47_999).ok()
    events = ex.mark(BTC, 48_990).events
    assert of(events, EventType.DONE, account=Purse.HOUSE)[0].ending == Ending.UNWOUND
    accepted = of(events, EventType.ACCEPTED, account=Purse.HOUSE)
    assert [e.limit_ticks for e in accepted] == [480_000]
    [fill] = of(events, EventType.TRADE)
    assert (fill.price_ticks, fill.size_lots) == (485_000, 2)
    [by_fund] = of(events, EventType.PARCEL, change=ParcelChange.FILLED_BY_FUND)
    assert by_fund.gain_units == -10_000_000  # 0.02 * (49,000 - 48,500)
    adl = of(events, EventType.ADL)
    assert sum(e.closed_lots for e in adl) == 4 and not ex.parcels()
    assert ex.fund("USDT") == 50


def test_takeover_beyond_bankruptcy_goes_to_adl_in_the_same_command(strict_exchange):
    """No bids and no fund: the winner closes at 49,000 although the mark is 48,000."""
    ex = market(strict_exchange)
    long(ex, "alice", 10, 1_000, 50)
    ex.deposit("winner", "USDT", 1_000)
    long(ex, "winner", 10, 0, 50, side="sell")  # takes the maker's place as the most profitable short
    cash = ex.account("winner").cash
    events = ex.mark(BTC, 48_000).events
    [adl] = of(events, EventType.ADL)
    assert (adl.adl_pass, adl.closed_lots, adl.share_units) == (1, 10, 4_900_000_000)
    assert ex.account_name(adl.account) == "winner"
    assert ex.account("winner").cash == cash + 100 + 100  # margin back, and (50,000 - 49,000) * 0.1
    assert ex.position("winner", BTC).mark_price == 48_000  # its trades moved no mark


def test_cross_takeover_leaves_exactly_zero_and_shares_by_maintenance(strict_exchange):
    ex = market(strict_exchange, instruments=2, fund=1_000)
    long(ex, "poor", 10, 520, 20, mode="cross")
    long(ex, "poor", 20, 0, 40, mode="cross", instrument="SECOND", side="sell")
    events = ex.mark(BTC, 45_500).events
    takeovers = of(events, EventType.TAKEOVER)
    assert [e.instrument for e in takeovers] == [0, 1]
    [trigger] = of(events, EventType.LIQUIDATION)
    assert [e.mark_ticks for e in takeovers] == [455_000, 500_000]
    values = [10 * 455_000 * 1_000, 20 * 500_000 * 1_000]
    needs = [-(-value * 5 // 1_000) for value in values]
    shares = [trigger.equity_units * need // sum(needs) for need in needs]
    shares[1] += trigger.equity_units - sum(shares)
    assert [e.cost_units for e in takeovers] == [values[0] - shares[0], -values[1] - shares[1]]
    assert ex.account("poor").equity == 0


def test_cross_takeover_leaves_isolated_positions_alone(strict_exchange):
    ex = market(strict_exchange, instruments=2)
    long(ex, "poor", 10, 300, 50)
    long(ex, "poor", 10, 0, 30, mode="cross", instrument="SECOND")
    events = ex.mark("SECOND", 48_100).events
    assert [e.instrument for e in of(events, EventType.TAKEOVER)] == [1]
    assert ex.position("poor", BTC).size == 10 and ex.position("poor", BTC).margin == 100


def test_orders_are_cancelled_before_positions_are_touched(strict_exchange):
    ex = market(strict_exchange)
    long(ex, "alice", 10, 2_000, 50)
    ex.order("alice", BTC, "sell", 5, price=51_000).ok()
    ex.order("alice", BTC, "buy", 5, price=48_000).ok()
    events = ex.mark(BTC, 49_200).events
    ended = [i for i, e in enumerate(events) if e.type == EventType.DONE and e.ending == Ending.LIQUIDATED]
    taken = [i for i, e in enumerate(events) if e.type == EventType.TAKEOVER]
    assert len(ended) == 2 and max(ended) < min(taken)
    assert ex.account("alice").hold == 0


def test_who_closed_keeps_no_orders_that_ask_more_than_is_left(strict_exchange):
    """Where orders count, one that asks 7.5 of a wallet with less: there is no position, and the orders go."""
    ex = market(strict_exchange, instruments=2, rules=replace(rules.find("seed"), orders="notional"))
    long(ex, "a", 10, 155, 50, mode="cross")
    ex.set_leverage("a", "SECOND", 50, mode="cross")
    ex.order("a", "SECOND", "buy", 3, price=49_900).ok()
    ex.mark(BTC, 49_000)
    ex.order("maker", BTC, "buy", 10, price=48_550).ok()
    ack = ex.order("a", BTC, "sell", 10, price=48_550)
    assert ack.ok().filled == 10
    [found] = of(ack.events, EventType.LIQUIDATION)
    assert (found.instrument, found.verdict) == (NO_INSTRUMENT, Verdict.FULL)
    assert 0 <= found.equity_units < found.own_units and not of(ack.events, EventType.TAKEOVER)
    assert of(ack.events, EventType.DONE, ending=Ending.LIQUIDATED) and not ex.open_orders("a")
    assert ex.account("a").cash * 10**6 == found.equity_units


def test_worst_account_goes_first(strict_exchange):
    """Both are due at once; the smaller slack (equity - R_own) takes the only bid."""
    ex = market(strict_exchange, fund=100)
    long(ex, "a", 10, 1_000, 50)
    long(ex, "b", 10, 1_000, 60)
    ex.order("maker", BTC, "buy", 10, price=49_180).ok()
    events = ex.mark(BTC, 49_190).events
    assert [ex.account_name(e.account) for e in of(events, EventType.TAKEOVER)] == ["b", "a"]


# --- ADL passes and the deficit (§5)


def ruined_pair(make, fund=0, mode="isolated", lots=3):
    """A short of BTC whose owner is ruined by SECOND: its parcel is priced far below mark. Who is long may have more lots."""
    ex = market(make, instruments=2, fund=fund)
    ex.deposit("ruined", "USDT", 200)
    ex.deposit("long", "USDT", 100)
    ex.set_leverage("ruined", BTC, 20, mode="cross")
    ex.set_leverage("ruined", "SECOND", 20, mode="cross")
    ex.set_leverage("long", BTC, 50, mode=mode)
    ex.order("ruined", BTC, "sell", 3, price=50_000).ok()
    ex.order("maker", BTC, "sell", 7, price=50_000).ok()
    ex.order("long", BTC, "buy", lots, price=50_000).ok()
    ex.cancel_all("maker")
    ex.order("maker", "SECOND", "sell", 3, price=50_000).ok()
    ex.order("ruined", "SECOND", "buy", 3, price=50_000).ok()
    return ex


def test_pass_2_closes_an_opposite_parcel_and_the_deficit_carries_the_loss(strict_exchange):
    ex = ruined_pair(strict_exchange)
    assert ex.mark(BTC, 49_200) and ex.parcels()[0].size == 3
    events = ex.mark("SECOND", 30_000).events
    assert [e.adl_pass for e in of(events, EventType.ADL, instrument=0)] == [2]
    assert of(events, EventType.PARCEL, change=ParcelChange.CLOSED_BY_OPPOSITE)[0].gain_units < 0
    assert ex.deficit("USDT") < 0 and not ex.parcels()
    with pytest.raises(Rejected) as refused:
        ex.withdraw("maker", "USDT", 1)
    assert refused.value.code == Code.WITHDRAWALS_CLOSED
    owed = -ex.deficit("USDT")
    ex.seed_fund("USDT", owed + 1)
    assert (ex.deficit("USDT"), ex.fund("USDT")) == (0, 1)
    ex.withdraw("maker", "USDT", 1)


def test_an_opposite_parcel_that_is_larger_keeps_the_rest_and_its_order(strict_exchange):
    ex = ruined_pair(strict_exchange, lots=5)
    ex.mark(BTC, 49_200)
    [resting] = ex.parcels()
    [(price, size)] = ex.depth(BTC).asks
    assert (resting.size, size) == (5, 5)
    events = ex.mark("SECOND", 30_000).events
    assert [(e.adl_pass, e.closed_lots) for e in of(events, EventType.ADL, instrument=0)] == [(2, 3)]
    [left] = ex.parcels()
    assert (left.parcel_id, left.order_id, left.size) == (resting.parcel_id, resting.order_id, 2)
    assert ex.depth(BTC).asks == [(price, 2)]


def test_pass_3_tops_up_a_wallet_too(strict_exchange):
    """Half of what ruined lacks, 400 and fees, comes with its short: who is long loses 99.25 and 150 or so more."""
    ex = ruined_pair(strict_exchange, mode="cross")
    events = ex.mark("SECOND", 30_000).events
    assert [e.adl_pass for e in of(events, EventType.ADL, instrument=0)] == [3]
    [top_up] = of(events, EventType.LEDGER, posting=Posting.ADL_TOP_UP)
    [loss] = [e for e in of(events, EventType.LEDGER, posting=Posting.REALISED) if ex.account_name(e.payer) == "long"]
    assert top_up.amount_units == loss.amount_units - 99_250_000 > 0
    assert ex.account("long").cash == 0 and ex.deficit("USDT") == -Decimal(top_up.amount_units) / 10**6


def test_pass_3_tops_up_from_the_deficit(strict_exchange):
    ex = ruined_pair(strict_exchange)
    events = ex.mark("SECOND", 30_000).events
    assert [e.adl_pass for e in of(events, EventType.ADL, instrument=0)] == [3]
    [top_up] = of(events, EventType.LEDGER, posting=Posting.ADL_TOP_UP)
    assert ex.deficit("USDT") == -Decimal(top_up.amount_units) / 10**6
    position = ex.position("long", BTC)
    assert position.size == 0 and position.margin == 0
    assert ex.account("long").cash == Decimal("99.25") - 30  # only its margin is lost


def test_adl_goes_by_rank_then_account(strict_exchange):
    """Same entry: more leverage ranks higher; the same leverage goes by account id."""
    ex = market(strict_exchange)
    for name, leverage in (("w1", 10), ("w2", 50), ("w3", 50)):
        long(ex, name, 2, 1_000, leverage, side="sell")
    long(ex, "loser", 5, 1_000, 50)
    events = ex.mark(BTC, 48_900).events
    closed = [(ex.account_name(e.account), e.closed_lots) for e in of(events, EventType.ADL)]
    assert closed == [("w2", 2), ("w3", 2), ("w1", 1)]


def test_rank_of_the_rules_page():
    """Short 1 at 10,000 with margin 1,000 at mark 8,000: 0.2 / 0.375 = 0.53333 (liquidation rules 1.11)."""
    from solvent.twin.account import margin
    from solvent.twin.account.adl_rank import adl_rank
    from solvent.twin.account.ledger import Ledger
    from solvent.twin.base.emit import Emitter
    from solvent.twin.contract.valuation import Contract

    contract = Contract.of(Instrument("X", tick=1, contract_size="0.000001").spec)
    contract.mark = 8_000

    class Short:
        instrument, size, cost, margin, leverage, mode, other_lots = 0, -1, -10_000, 1_000, 10, 1, 0

    requirement = margin.Requirement(3_000, 0, 0, 8_000, 1)
    terms = rules.find("seed").compiled()
    assert adl_rank(terms, Ledger([contract], 1, terms, (), Emitter(0)), Short, requirement, 1_000, 3_000) == 533_333


# --- keeping accounts from going negative by themselves (§6)


def test_closing_taker_order_stops_at_the_fee_paying_bankruptcy_price(strict_exchange):
    ex = market(strict_exchange)
    long(ex, "alice", 10, 1_000, 100)  # margin 50: bankrupt at 49,500, fee included at 49,524.8
    ex.order("maker", BTC, "buy", 3, price=49_600).ok()
    ex.order("maker", BTC, "buy", 7, price=49_520).ok()
    ack = ex.order("alice", BTC, "sell", 10, price=49_000)
    assert ack.filled == 3 and ack.resting == 0
    assert of(ack.events, EventType.DONE, account=17)[-1].ending == Ending.BANKRUPTCY_LIMIT
    assert ex.account("alice").cash > 0 and ex.fund("USDT") == 0


def test_opening_away_from_mark_locks_the_open_loss(strict_exchange):
    """Buying 10 at 51,000 with mark 50,000 and leverage 50: margin 102 + open loss 100."""
    ex = market(strict_exchange)
    ex.deposit("alice", "USDT", 1_000)
    ex.set_leverage("alice", BTC, 50, mode="isolated")
    ex.order("maker", BTC, "sell", 10, price=51_000).ok()
    ex.order("alice", BTC, "buy", 10, price=51_000).ok()
    assert ex.position("alice", BTC).margin == 202
    assert ex.position("alice", BTC).upl == -100


def test_isolated_loss_never_reaches_the_wallet(strict_exchange):
    ex = market(strict_exchange)
    long(ex, "alice", 10, 1_000, 50)
    cash = ex.account("alice").cash
    ex.mark(BTC, 40_000)
    assert ex.account("alice").cash == cash and ex.position("alice", BTC).size == 0


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("mode", ["isolated", "cross"])
@pytest.mark.parametrize("leverage", [3, 20, 75])
def test_liquidation_price_is_exact(strict_exchange, side, mode, leverage):
    """At one tick before it nothing happens; at it, liquidation does."""
    ex = market(strict_exchange, fund=10**6)
    long(ex, "a", 10, 2_000 if mode == "isolated" else 1_800, leverage, mode=mode, side=side)
    price = ex.position("a", BTC).liquidation_price
    safe = price + (Decimal("0.1") if side == "buy" else -Decimal("0.1"))
    assert not of(ex.mark(BTC, safe).events, EventType.LIQUIDATION)
    assert of(ex.mark(BTC, price).events, EventType.LIQUIDATION)
