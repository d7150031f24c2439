"""solvent.testing's own assertions: each passes where it should, and fails, with what to read, where it should not."""

import pytest

from solvent import Code, EventType, Instrument, InvariantBroken, Trigger
from solvent.terms.tiers import okex_btc_2019
from solvent.testing import assert_conserved, assert_liquidated, assert_no_duplicate_orders, audited, meant

SWAP = "BTC-USDT-SWAP"
SECOND = 10**9


def crash(base, **terms):
    """Alice is long 30 at 50,000 with a fiftieth as margin, and the mark falls to 49,200: she is taken over there."""
    ex = base([Instrument(SWAP)], seed=1, **terms)
    for name, money in (("maker", 1_000_000), ("alice", 1_000)):
        ex.deposit(name, "USDT", money)
    ex.set_leverage("alice", SWAP, 50, mode="isolated")
    ex.mark(SWAP, 50_000)
    ex.order("maker", SWAP, "sell", 30, price=50_000).ok()
    ex.order("alice", SWAP, "buy", 30, price=50_000).ok()
    ex.order("maker", SWAP, "buy", 50, price=49_100).ok()
    for price in (49_700, 49_200):
        ex.mark(SWAP, price)
    return ex


def test_a_liquidation_is_told_with_its_price(exchange_class):
    ex = crash(exchange_class)
    assert_liquidated("alice", on=ex)
    assert_liquidated("alice", at=49_200, on=ex)
    assert_liquidated("alice", at=("49199.9", 49_300), instrument=SWAP, on=ex)


@pytest.mark.parametrize(
    ("account", "terms", "told"),
    [
        ("maker", {}, "maker was never liquidated"),
        ("alice", {"at": 49_271}, "at other prices than 49271: TAKEOVER of BTC-USDT-SWAP at 49200"),
        ("alice", {"at": (48_000, 49_199)}, "than 48000 to 49199"),
        ("alice", {"at": (49_201, 50_000)}, "than 49201 to 50000"),
        ("alice", {"instrument": "ETH-USDT-SWAP"}, "no liquidation of alice in ETH-USDT-SWAP"),
    ],
)
def test_what_was_not_liquidated_there_is_told(exchange_class, account, terms, told):
    with pytest.raises(AssertionError, match=told):
        assert_liquidated(account, on=crash(exchange_class), **terms)


def test_a_step_down_counts(exchange_class):
    """A large position is closed in part before it is taken over."""
    ex = exchange_class([Instrument(SWAP, tiers=okex_btc_2019(first=200, step=1_000))], seed=1)
    for name, money in (("maker", 10**9), ("alice", 120_000)):
        ex.deposit(name, "USDT", money)
    ex.set_leverage("alice", SWAP, 20, mode="isolated")
    ex.mark(SWAP, 50_000)
    ex.order("maker", SWAP, "sell", 3_200, price=50_000).ok()
    ex.order("alice", SWAP, "buy", 3_200, price=50_000).ok()
    ex.order("maker", SWAP, "buy", 9_000, price=48_900).ok()
    price, kinds = 50_000, set()
    while EventType.STEP_DOWN not in kinds:
        price -= 10
        kinds = {event.type for event in ex.mark(SWAP, price).events}
    assert EventType.TAKEOVER not in kinds
    assert_liquidated("alice", at=price, on=ex)


def test_money_is_conserved(exchange_class):
    assert_conserved(on=crash(exchange_class))
    assert_conserved(on=crash(audited(exchange_class, every=0)))


def test_kept_commands_stand_in_for_dropped_events(exchange_class):
    ex = exchange_class([Instrument(SWAP)], retain=False)
    ex.record()
    ex.deposit("alice", "USDT", 1_000)
    assert_conserved(on=ex)
    assert_no_duplicate_orders(on=ex)
    with pytest.raises(AssertionError, match="never liquidated"):
        assert_liquidated("alice", on=ex)


def test_a_posting_that_is_missing_is_found(exchange_class, monkeypatch):
    """The events without one deposit do not lead to what the exchange says."""
    ex = crash(exchange_class)
    events = list(ex.cursor(begin=1))
    events.remove(next(event for event in events if event.type == EventType.LEDGER))
    monkeypatch.setattr(ex, "cursor", lambda **_: iter(events))
    with pytest.raises(InvariantBroken):
        assert_conserved(on=ex)


def twice(ex, gap_ns=0, between=None, **terms):
    """One order of alice's, something between, and the same order again."""
    ex.order("alice", SWAP, "buy", 1, **terms).ok()
    if between:
        between(ex)
    ex.advance(ex.time_ns + gap_ns)
    ex.order("alice", SWAP, "buy", 1, **terms).ok()


@pytest.fixture
def market(exchange_class):
    ex = exchange_class([Instrument(SWAP)], seed=1)
    for name in ("maker", "alice"):
        ex.deposit(name, "USDT", 1_000_000)
    ex.mark(SWAP, 50_000)
    ex.order("maker", SWAP, "sell", 100, price=50_010).ok()
    return ex


def test_two_live_orders_that_are_alike_are_duplicates(market):
    twice(market, gap_ns=3_600 * SECOND, price=49_000)
    with pytest.raises(AssertionError, match="of alice are alike: .*price 49000, side BUY, size 1"):
        assert_no_duplicate_orders("alice", on=market)
    assert_no_duplicate_orders("maker", on=market)
    with pytest.raises(AssertionError):
        assert_no_duplicate_orders(on=market)


def test_two_stops_that_are_alike_are_duplicates(market):
    market.order("alice", SWAP, "buy", 2).ok()
    for _ in range(2):
        market.order("alice", SWAP, "sell", 2, reduce_only=True, trigger=Trigger.stop(48_000)).ok()
    with pytest.raises(AssertionError, match="trigger 48000"):
        assert_no_duplicate_orders("alice", on=market)


def test_market_orders_that_traded_are_duplicates_for_a_while(market):
    twice(market, gap_ns=10 * SECOND)
    with pytest.raises(AssertionError, match="are alike"):
        assert_no_duplicate_orders("alice", on=market)
    assert_no_duplicate_orders("alice", within_ns=9 * SECOND, on=market)


def test_an_order_that_was_cancelled_unfilled_may_come_again(market):
    twice(market, between=lambda ex: ex.cancel_all("alice"), price=49_000)
    assert_no_duplicate_orders(on=market)


@pytest.mark.parametrize("change", [{"price": 51_001}, {"reduce_only": True}, {"size": 2}, {"side": "buy", "price": 49_000}])
def test_an_order_of_other_terms_is_none(market, change):
    terms = {"side": "sell", "size": 1, "price": 51_000}
    market.order("alice", SWAP, "buy", 3).ok()
    market.order("alice", SWAP, **terms).ok()
    market.order("alice", SWAP, **terms | change).ok()
    assert_no_duplicate_orders("alice", on=market)


def test_the_exchange_of_the_test_is_meant(market):
    with pytest.raises(Exception, match="which exchange"):
        assert_conserved()
    with meant(market):
        assert_conserved()
        assert_no_duplicate_orders()
        with pytest.raises(AssertionError, match="never"):
            assert_liquidated("alice")
    with pytest.raises(Exception, match="which exchange"):
        assert_conserved()
    assert market.order("alice", SWAP, "buy", 1, price=60_000).code == Code.PRICE_BAND
