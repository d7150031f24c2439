"""An order that turns a position round needs what remains after closing, as two orders would."""

from itertools import product

import pytest

from solvent import Code, EventType, Instrument, Tier, Trigger
from solvent.records import Ending

X = "X"
OTHER = {"buy": "sell", "sell": "buy"}


def market(make, mode, leverage, side, depth, *, lots=105, spare=0, price=100):
    """a holds lots at a leverage and little more; so much stands on the other side at the mark."""
    ex = make([Instrument(X, contract_size=1, tick="0.1", max_price=1_000, tiers=[Tier(10**6, "0.005", "0.01")])])
    ex.deposit("b", "USDT", 10**7)
    fees = 105 * 100 * 0.0005 * 2 + 2 * 105 * 100 * 0.0005
    ex.deposit("a", "USDT", str(round(lots * 100 / leverage + fees + spare, 6)))
    ex.mark(X, 100)
    ex.set_leverage("a", X, leverage, mode=mode)
    ex.order("b", X, OTHER[side], lots, price=100).ok()
    ex.order("a", X, side, lots, price=100).ok()
    if depth:
        ex.order("b", X, side, depth, price=price).ok()
    return ex


def standing(ex):
    p, view = ex.position("a", X), ex.account("a")
    return p.size, p.cost_units, p.margin, view.cash, view.hold, [(o.remaining, o.price) for o in ex.open_orders("a")]


WAYS = [{"price": 100}, {"price": 100, "tif": "ioc"}, {"price": 100, "tif": "fok"}, {}, {"slippage": "0.01"}]


@pytest.mark.parametrize("mode,side,leverage", list(product(["isolated", "cross"], ["buy", "sell"], [1, 5, 50])))
@pytest.mark.parametrize("terms", WAYS)
def test_one_order_does_what_two_do(strict_exchange, mode, side, leverage, terms):
    """At 5x one got 10 lots of 210, or was refused at full size."""
    one, two = (market(strict_exchange, mode, leverage, side, 250) for _ in range(2))
    for each in (105, 100):
        assert two.order("a", X, OTHER[side], each, **terms).filled == each
    assert one.order("a", X, OTHER[side], 205, **terms).filled == 205
    assert standing(one)[:1] == standing(two)[:1] and abs(standing(one)[0]) == 100
    assert abs(one.account("a").equity - two.account("a").equity) <= 1


@pytest.mark.parametrize("mode,tif", list(product(["isolated", "cross"], ["ioc", "fok", "gtc"])))
def test_what_the_rest_cannot_afford_is_refused_whole(strict_exchange, mode, tif):
    """Closing frees what it frees; 260 lots the other way ask more than that."""
    ex = market(strict_exchange, mode, 5, "buy", 500)
    before = ex.digest()
    assert ex.order("a", X, "sell", 365, price=100, tif=tif).code == Code.INSUFFICIENT_MARGIN
    assert ex.digest() == before
    assert ex.order("a", X, "sell", 105, price=100, tif=tif).filled == 105


def test_a_loss_of_closing_counts_before_what_opens_is_asked_for(strict_exchange):
    """Sold 4 % below mark: 420 lost of 2,100 and some; as many lots cannot be opened."""
    ex = market(strict_exchange, "cross", 5, "buy", 300, price=96)
    assert ex.order("a", X, "sell", 210, price=96, tif="ioc").code == Code.INSUFFICIENT_MARGIN
    assert ex.order("a", X, "sell", 170, price=96, tif="ioc").filled == 170


def test_of_an_order_that_rests_only_what_trades_now_has_closed(strict_exchange):
    """Bids for 50 of 205: 55 would rest to close, 100 to open, and 55 are still held. Of two orders the second is refused."""
    one, two, ioc = (market(strict_exchange, "cross", 5, "buy", 50) for _ in range(3))
    assert one.order("a", X, "sell", 205, price=100).code == Code.INSUFFICIENT_MARGIN
    assert two.order("a", X, "sell", 105, price=100).filled == 50
    assert two.order("a", X, "sell", 100, price=100).code == Code.INSUFFICIENT_MARGIN
    assert ioc.order("a", X, "sell", 205, price=100, tif="ioc").filled == 50
    whole = market(strict_exchange, "cross", 5, "buy", 120)
    ack = whole.order("a", X, "sell", 205, price=100)
    assert (ack.filled, ack.resting) == (120, 85) and whole.position("a", X).size == -15


@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_a_stop_that_turns_a_position(strict_exchange, mode):
    ex = market(strict_exchange, mode, 5, "buy", 0)
    ex.order("a", X, "sell", 205, trigger=Trigger.stop("99.9")).ok()
    ex.order("b", X, "buy", 300, price="99.9").ok()
    events = ex.mark(X, "99.9").events
    assert [e.type for e in events if e.type == EventType.TRADE] and ex.position("a", X).size == -100


def test_with_a_resting_reduce_only_target(strict_exchange):
    """What the target would close is closed by the order itself; the target ends with the position."""
    ex = market(strict_exchange, "cross", 5, "buy", 300)
    target = ex.order("a", X, "sell", 105, price=110, reduce_only=True).ok()
    assert ex.order("a", X, "sell", 205, price=100).filled == 205
    assert ex.position("a", X).size == -100 and target.order_id not in [o.order_id for o in ex.open_orders("a")]


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("terms,code", [({}, Code.OK), ({"tif": "ioc", "self_trade": "decrement"}, Code.INSUFFICIENT_MARGIN)])
def test_what_would_close_where_nothing_is_left_does_not_rest(strict_exchange, side, terms, code):
    """4.5 % from the mark a margin of 2 % is gone: it ends (BANKRUPTCY_LIMIT) or is refused, in both kernels alike."""
    ex = market(strict_exchange, "isolated", 50, side, 0, spare=10_000)
    before = standing(ex)
    limit = "95.5" if side == "buy" else "104.5"
    ack = ex.order("a", X, OTHER[side], 200, price=limit, **terms)
    assert ack.code == code and ack.filled == ack.resting == 0 and standing(ex) == before


@pytest.mark.parametrize("side,price", [("buy", 98), ("sell", 102)])
@pytest.mark.parametrize("terms", [{"all_or_none": True}, {"post_only": True}, {}])
def test_one_that_takes_nothing_ends_where_its_position_may_not_be_closed(strict_exchange, side, price, terms):
    """2 % from the mark a margin of 2 % is gone. Its last lot would open and is covered; the others may not rest there."""
    ex = market(strict_exchange, "isolated", 50, side, 0, spare=5)
    before = standing(ex)
    ack = ex.order("a", X, OTHER[side], 106, price=price, **terms).ok()
    done = [(e.order_id, e.ending, e.cancelled_lots) for e in ack.events if e.type == EventType.DONE]
    assert done == [(ack.order_id, Ending.BANKRUPTCY_LIMIT, 106)] and not ack.resting and standing(ex) == before
