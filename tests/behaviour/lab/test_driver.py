"""Scenarios that are made up, and the market that moves along one: prices, book, funding, time, the same each time."""

import pytest

import solvent
from solvent import EventType, Exchange, Funding, Index, InputError, Instrument, PriceModel, Trigger
from solvent.lab.market import paths, scenarios
from solvent.lab.market.driver import FUNDING_NS, Driver, contract
from solvent.testing import assert_conserved, assert_liquidated, audited
from support.places import ROOT

SWAP = "BTC-USDT-SWAP"
CRASH = paths.find("flash_crash")


def market(name="flash_crash", base=Exchange, **terms):
    scenario = paths.find(name)
    return Driver(base([contract(scenario)], seed=1), scenario, **terms)


@pytest.mark.parametrize("name", scenarios.TURNS)
def test_a_scenario_goes_through_its_turning_points(name):
    scenario, (_, turns) = paths.find(name), scenarios.TURNS[name]
    opens = [opened * scenario.tick for _, opened, *_ in scenario.bars] + [scenario.bars[-1][4] * scenario.tick]
    assert [opens[minute] for minute, _ in turns] == [price for _, price in turns]
    assert scenario.bars[0][0] % 86_400_000 == 0 and len(scenario.bars) == turns[-1][0]
    steps = paths.walk(scenario).price_ticks
    assert abs(steps[1:] - steps[:-1]).max() * 200 <= steps.max(), "no step is above 50 basis points"


def test_the_page_tells_of_every_scenario():
    page = (ROOT / "docs/reference/testing.md").read_text()
    for name, (title, _) in scenarios.TURNS.items():
        assert f"| {name} | {title[0].lower()}{title[1:]} |" in page


def test_an_unknown_scenario_tells_all_names():
    with pytest.raises(InputError, match="ftx, .*flash_crash, .*whipsaw"):
        paths.find("flashcrash")


def test_the_same_scenario_gives_the_same_exchange():
    assert len({(made.run(), made.exchange.digest())[1] for made in (market(), market())}) == 1


def test_who_is_too_far_in_is_liquidated_on_the_way_and_money_is_conserved(exchange_class):
    made = market(base=audited(exchange_class, every=0))
    ex = made.exchange
    ex.deposit("alice", "USDT", 1_000)
    ex.set_leverage("alice", SWAP, 10, mode="isolated")
    assert ex.order("alice", SWAP, "buy", 15).filled == 15
    made.run()
    assert made.done and not ex.position("alice", SWAP).size
    assert_liquidated("alice", at=(44_000, 46_000), on=ex)
    assert_conserved(on=ex)


def test_the_book_is_two_sided_around_the_price_and_thinner_while_it_falls():
    made = market()
    first = made.exchange.depth(SWAP)
    made.run(minutes=13)
    then = made.exchange.depth(SWAP)
    for depth in (first, then):
        assert len(depth.bids) == len(depth.asks) == 10
    assert then.bids[0][0] < made.price < then.asks[0][0]
    assert then.asks[0][0] - then.bids[0][0] > 2 * (first.asks[0][0] - first.bids[0][0])
    assert 2 * then.bids[0][1] < first.bids[0][1]


def test_minutes_are_the_market_s_and_the_mark_is_the_path_s():
    made = market()
    begin = made.time_ns
    made.run(minutes=14)
    assert 13 * 60 <= (made.time_ns - begin) / 10**9 <= 14 * 60
    assert made.exchange.prices(SWAP).mark == made.exchange.prices(SWAP).index == made.price
    assert made.run_until(lambda: made.price > 45_000)
    assert not made.run_until(lambda: False) and made.done and not made.step()


def test_the_last_price_follows_and_stops_by_it_fire():
    made = market()
    ex = made.exchange
    ex.deposit("alice", "USDT", 10_000)
    ex.order("alice", SWAP, "buy", 10).ok()
    ex.order("alice", SWAP, "sell", 10, reduce_only=True, trigger=Trigger.stop(49_000, by="last")).ok()
    made.run(minutes=12)
    assert not ex.position("alice", SWAP).size and abs(ex.prices(SWAP).last - made.price) < 200


def test_funding_settles_at_each_eighth_hour_once():
    made = market("slow_bleed", funding="0.0003")
    ex = made.exchange
    ex.deposit("alice", "USDT", 10_000)
    ex.order("alice", SWAP, "buy", 10).ok()
    made.advance(3 * 8 * 3_600)
    assert ex.time_ns % FUNDING_NS < 60 * 10**9
    made.run(minutes=1)
    made.advance(8 * 3_600)
    rates = [event.rate_ppb for event in ex.cursor(EventType.FUNDED, begin=1)]
    assert rates == [300_000] * 4


def test_a_price_model_makes_its_own_mark_and_funding():
    model = PriceModel(
        components=["index"], sample_ns=10**9, window=1,
        index=Index(sources={"one": 1, "two": 1}, stale_ns=10**15), funding=Funding(interval_ns=10**10, cap="0.02"),
    )  # fmt: skip
    made = Driver(Exchange([Instrument(SWAP, prices=model)]), CRASH)
    made.run(minutes=14)
    assert abs(made.exchange.prices(SWAP).mark - made.price) < 500
    assert sum(1 for _ in made.exchange.cursor(EventType.FUNDED, begin=1)) > 60


def test_a_clock_that_is_ahead_carries_the_path_along():
    ex = Exchange([contract(CRASH)])
    ex.advance(2 * 10**18)
    made = Driver(ex, CRASH)
    made.run(minutes=14)
    assert 13 * 60 <= (ex.time_ns - 2 * 10**18) / 10**9 <= 14 * 60


@pytest.mark.parametrize(
    ("terms", "told"), [({"instrument": "ETH"}, "has BTC-USDT-SWAP"), ({"depth": 0}, "depth"), ({"depth": 1.5}, "depth")]
)
def test_wrong_terms_are_told(terms, told):
    with pytest.raises(solvent.SolventError, match=told):
        Driver(Exchange([contract(CRASH)]), CRASH, **terms)
