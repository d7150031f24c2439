"""Faults of the market: each comes about on both kernels, leaves the money whole and the mark as it was, or says why not."""

import pytest

from solvent import EventType, InputError, Rejected
from solvent.testing import Driver, assert_conserved, assert_liquidated, audited, contract, scenario, strike

SWAP = "BTC-USDT-SWAP"
QUIET = scenario("quiet")


@pytest.fixture(params=["isolated", "cross"])
def mode(request):
    return request.param


@pytest.fixture(params=["buy", "sell"])
def market(exchange_class, mode, request):
    """Alice holds ten, long or short."""
    made = Driver(audited(exchange_class, every=4)([contract(QUIET)], seed=1), QUIET)
    ex = made.exchange
    ex.deposit("alice", "USDT", 1_000)
    ex.set_leverage("alice", SWAP, 10, mode=mode)
    assert ex.order("alice", SWAP, request.param, 10).filled == 10
    return made


def test_a_liquidation_is_forced(market):
    mark = market.exchange.prices(SWAP).mark
    strike("forced_liquidation", market, "alice")
    assert market.exchange.position("alice", SWAP).size == 0
    assert market.exchange.prices(SWAP).mark == mark
    assert_liquidated("alice", on=market.exchange)
    assert_conserved(on=market.exchange)


def test_a_deleveraging_is_forced_and_pays_a_profit(market):
    ex, mark = market.exchange, market.exchange.prices(SWAP).mark
    strike("adl", market, "alice")
    assert ex.position("alice", SWAP).size == 0 and ex.account("alice").cash > 1_000
    assert ex.prices(SWAP).mark == mark and ex.depth(SWAP).bids and ex.depth(SWAP).asks
    number = ex.account("alice").account_id
    assert [event.closed_lots for event in ex.cursor(EventType.ADL, begin=1) if event.account == number] == [10]
    with pytest.raises(AssertionError, match="never"):
        assert_liquidated("alice", on=ex)
    assert_conserved(on=ex)


def test_the_mark_stands_while_the_book_moves():
    made = Driver(audited(every=0)([contract(scenario("flash_crash"))]), scenario("flash_crash"))
    ex = made.exchange
    made.run(minutes=10)
    mark, bid = ex.prices(SWAP).mark, ex.depth(SWAP).bids[0][0]
    strike("stale_mark", made)
    made.run(minutes=4)
    assert ex.prices(SWAP).mark == mark and ex.depth(SWAP).bids[0][0] < bid * 9 / 10
    made.run(minutes=7)
    assert ex.prices(SWAP).mark == made.price


def test_what_cannot_come_about_says_why(exchange_class):
    made = Driver(audited(exchange_class, every=0)([contract(QUIET)], seed=1), QUIET, depth=1)
    ex = made.exchange
    ex.deposit("alice", "USDT", 1_000_000)
    for name in ("forced_liquidation", "adl"):
        with pytest.raises(InputError, match="alice has no position"):
            strike(name, made, "alice")
    ex.order("alice", SWAP, "buy", 1).ok()
    with pytest.raises(InputError, match="too much money"):
        strike("forced_liquidation", made, "alice")
    for _ in range(30):
        ex.order("alice", SWAP, "buy", 1_000)
        made.step()
    before = ex.digest()
    with pytest.raises(InputError, match="the book of BTC-USDT-SWAP has not"):
        strike("adl", made, "alice")
    assert ex.digest() == before, "it was tried out on a fork"
    with pytest.raises(Rejected, match="UNKNOWN_ACCOUNT"):
        strike("adl", made, "nobody")
    with pytest.raises(InputError, match="give it to a gateway"):
        strike("rate_limit", made, "alice")
    with pytest.raises(InputError, match="no fault 'rate'; there are answered_503"):
        strike("rate", made, "alice")
    assert_conserved(on=ex)
