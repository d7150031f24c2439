"""Terms of calls and bands (solvent.Calls): ties, reference, fee, indications, freeze, range, bands, deferred liquidation.

The worked examples are those of the project's page on market states and auctions (order vocabulary, section 4).
"""

from dataclasses import replace

import pytest

from solvent import Calls, Code, EventType, InputError, Instrument, Tier, Trigger, rules
from solvent.records import Ending, Posting
from support.market_states import gather, of, passed
from support.order_desk import ends, fired, trades

SECOND_NS = 10**9
PLAIN = Instrument("X", contract_size=1, tick=1, max_price=1_000, tiers=[Tier(10**6, "0.005", "0.01")])
WIDE = replace(rules.find("seed"), price_band_ppb=9 * 10**8)


def market(make, state="auction", mark=60, rule=WIDE, **terms):
    ex = make([replace(PLAIN, calls=Calls(**terms))], rules=rule)
    for name in "abcdefgh":
        ex.deposit(name, "USDT", 10**6)
    ex.mark("X", mark)
    ex.set_state("X", state)
    return ex


@pytest.mark.parametrize(("tie", "at"), [("nearest", 0), ("pressure", 1), ("mid", 2)])
@pytest.mark.parametrize(
    ("bids", "asks", "reference", "prices"),
    [
        ([(8, 52), (6, 50), (9, 48)], [(7, 47), (5, 49), (10, 51)], 50, (50, 50, 49)),
        ([(40, 57), (20, 56)], [(20, 52), (30, 53)], 50, (53, 56, 54)),
        ([(15, 79), (10, 78)], [(15, 77), (10, 79)], 84, (79, 79, 78)),
        ([(15, 79), (10, 78)], [(15, 77), (10, 79)], 70, (77, 77, 78)),
        ([(10, 103), (5, 100)], [(10, 98), (4, 103)], 100, (101, 101, 100)),
        ([(20, 62)], [(5, 60), (10, 61)], 61, (61, 62, 61)),
    ],
)
def test_ties(strict_exchange, tie, at, bids, asks, reference, prices):
    ex = market(strict_exchange, tie=tie)
    gather(ex, bids, asks)
    ex.mark("X", reference)
    assert ex.market("X").price == prices[at]
    (uncrossed,) = of(ex.set_state("X", "continuous"), EventType.UNCROSSED)
    assert uncrossed.price_ticks == prices[at]


@pytest.mark.parametrize(("reference", "price"), [("mark", 50), ("last", 47), ("index", 53)])
def test_references(strict_exchange, reference, price):
    ex = market(strict_exchange, reference=reference)
    gather(ex, [(5, 57)], [(5, 43)])
    ex.mark("X", 50)
    assert ex.market("X").price == 50  # without another price the mark decides
    ex.index("X", 53)
    ex.set_last("X", 47)
    assert ex.market("X").price == price


def test_the_maker_fee_for_both_sides(strict_exchange):
    ex = market(strict_exchange, fee="maker")
    gather(ex, [(5, 60)], [(5, 60)])
    fees = {e.posting for e in of(ex.set_state("X", "continuous"), EventType.LEDGER)} & {Posting.MAKER_FEE, Posting.TAKER_FEE}
    assert fees == {Posting.MAKER_FEE}


def test_no_indications(strict_exchange):
    ex = market(strict_exchange, indications=False)
    gather(ex, [(5, 60)], [])
    assert not of(ex.order("b", "X", "sell", 5, price=60), EventType.INDICATED)
    assert ex.market("X").price is None
    assert trades(ex.set_state("X", "continuous"))


def test_a_freeze_before_the_end(strict_exchange):
    """From 60 on nothing that rests is amended or cancelled by its owner; new orders come, and the operator may cancel."""
    ex = market(strict_exchange, freeze_ns=40)
    ex.set_state("X", "auction", ends_ns=100)
    a, b = gather(ex, [(5, 60), (5, 59)], [])
    stop = ex.order("a", "X", "sell", 1, trigger=Trigger.stop(50)).ok()
    ex.advance(59)
    assert ex.amend("a", a.order_id, size=4)
    ex.advance(60)
    assert ex.amend("a", a.order_id, size=3).code == ex.cancel("b", b.order_id).code == Code.CALL_FROZEN
    assert ex.cancel("a", stop.order_id) and ex.order("c", "X", "buy", 1, price=58)
    assert ex.cancel_all("a").events[0].filled_lots == 0
    assert set(ends(ex.cancel_all())) >= {a.order_id, b.order_id}


# --- Interruptions


def test_a_call_out_of_range_is_extended_twice_and_then_uncrosses(strict_exchange):
    ex = market(strict_exchange, range="0.1", extension_ns=50)
    ex.set_state("X", "auction", ends_ns=100)
    gather(ex, [(5, 80)], [(5, 70)])
    for end, extensions in ((100, 1), (150, 2)):
        (told,) = [e for e in passed(ex, end) if e.type == EventType.LISTING_CHANGED]
        assert (told.ends_ns, told.extensions) == (end + 50, extensions)
        assert ex.market("X").extensions == extensions
    assert EventType.UNCROSSED in {e.type for e in passed(ex, 200)}
    assert ex.market("X").state == "continuous"


def test_a_call_that_comes_into_range_ends_at_its_end(strict_exchange):
    ex = market(strict_exchange, range="0.1", extension_ns=50)
    ex.set_state("X", "auction", ends_ns=100)
    gather(ex, [(5, 80)], [(5, 70)])
    ex.advance(100)
    ex.mark("X", 72)
    assert EventType.UNCROSSED in {e.type for e in passed(ex, 150)}


def test_a_call_that_stays_out_of_range_may_end_in_a_halt_whose_end_uncrosses(strict_exchange):
    ex = market(strict_exchange, range="0.1", extension_ns=50, most_extensions=0, then="halt")
    ex.set_state("X", "auction", ends_ns=100)
    gather(ex, [(5, 80)], [(5, 70)])
    assert EventType.TRADE not in {e.type for e in passed(ex, 100)}
    assert ex.market("X").state == "halted"
    assert sum(size for *_, size in trades(ex.set_state("X", "continuous"))) == 5


# --- Bands: asks 5 at 100, 103 and 106; the top of the band is 104; a purchase of 12 at 106


BANDS = {  # effect: trades, what rests, state, code
    "reject": ([], [], "continuous", Code.PRICE_BAND),
    "slide": ([(100, 5), (103, 5)], [(104, 2)], "continuous", Code.OK),
    "halt": ([(100, 5), (103, 5)], [(106, 2)], "halted", Code.OK),
    "auction": ([(100, 5), (103, 5)], [(106, 2)], "auction", Code.OK),
}


def banded(make, effect, asks=((5, 100), (5, 103), (5, 106))):
    rule = replace(rules.find("seed"), price_band_ppb=4 * 10**7)
    ex = market(make, "continuous", mark=100, rule=rule, band=effect, call_ns=10 if effect == "auction" else 0)
    for size, price in asks:
        ex.order("b", "X", "sell", size, price=price).ok()
    return ex


@pytest.mark.parametrize("effect", BANDS)
def test_an_order_beyond_the_band(strict_exchange, effect):
    traded, rests, state, code = BANDS[effect]
    ex = banded(strict_exchange, effect)
    ack = ex.order("a", "X", "buy", 12, price=106)
    assert ack.code == code
    assert [(price, size) for _, price, size in trades(ack)] == traded
    assert [(row.price, row.remaining) for row in ex.open_orders("a")] == rests
    seen = ex.market("X")
    assert seen.state == state
    if effect == "auction":
        assert (seen.price, seen.size, seen.ends_ns) == (106, 2, 10)
        assert sum(e.size_lots for e in passed(ex, 10) if e.type == EventType.TRADE) == 2
    if effect == "halt":
        assert sum(size for *_, size in trades(ex.set_state("X", "continuous"))) == 2


@pytest.mark.parametrize("effect", ["halt", "auction"])
def test_what_would_not_trade_on_rests_at_the_edge(strict_exchange, effect):
    ex = banded(strict_exchange, effect, asks=((5, 100),))
    ex.order("a", "X", "buy", 12, price=106).ok()
    assert [(row.price, row.remaining) for row in ex.open_orders("a")] == [(104, 7)]
    assert ex.market("X").state == "continuous"


@pytest.mark.parametrize("effect", ["halt", "auction"])
def test_an_interruption_ends_what_is_hidden_or_trades_whole(strict_exchange, effect):
    """The oldest first, before the state is told; then the book may be uncrossed."""
    ex = banded(strict_exchange, effect)
    iceberg = ex.order("b", "X", "sell", 9, price=107, display=3).ok()
    acks = [
        ex.order("c", "X", "sell", 9, price=106, display=0).ok(),
        ex.order("d", "X", "sell", 99, price=105, all_or_none=True).ok(),
    ]
    ack = ex.order("a", "X", "buy", 12, price=106).ok()
    assert (ack.filled, ack.resting) == (10, 2)
    assert [ends(ack)[each.order_id] for each in acks] == [Ending.NOT_IN_CALL] * 2
    assert {row.order_id: row.remaining for row in ex.open_orders("b")}[iceberg.order_id] == 9
    kinds = [e.type for e in ack.events]
    assert kinds.index(EventType.LISTING_CHANGED) > max(i for i, kind in enumerate(kinds) if kind == EventType.DONE)
    assert ex.market("X").state == ("halted" if effect == "halt" else "auction")
    assert sum(size for *_, size in trades(ex.set_state("X", "continuous"))) == 2


@pytest.mark.parametrize("effect", ["slide", "halt", "auction"])
@pytest.mark.parametrize(
    ("terms", "filled", "rests"),
    [
        ({"display": 0}, 10, [(104, 2)]),
        ({"all_or_none": True}, 0, [(104, 12)]),
        ({"market": True, "to_limit": True}, 10, [(103, 2)]),
    ],
)
def test_what_may_not_stand_in_a_call_moves_to_the_edge(strict_exchange, effect, terms, filled, rests):
    ex = banded(strict_exchange, effect)
    ack = ex.order("a", "X", "buy", 12, price=106, **terms).ok()
    assert (ack.filled, [(row.price, row.remaining) for row in ex.open_orders("a")]) == (filled, rests)
    assert ex.market("X").state == "continuous"


@pytest.mark.parametrize("effect", ["halt", "auction"])
def test_an_iceberg_interrupts_as_a_plain_order_does(strict_exchange, effect):
    """Its rest keeps its price and shows its peak; the uncross has all of it."""
    ex = banded(strict_exchange, effect)
    ack = ex.order("a", "X", "buy", 14, price=106, display=3).ok()
    assert (ack.filled, [(row.price, row.remaining) for row in ex.open_orders("a")]) == (10, [(106, 4)])
    assert ex.market("X").state == ("halted" if effect == "halt" else "auction")
    assert ex.depth("X").bids[0][:2] == (106, 3)
    assert [size for *_, size in trades(ex.set_state("X", "continuous"))] == [3, 1]


@pytest.mark.parametrize("effect", ["slide", "halt", "auction"])
def test_an_amendment_where_only_posting_is_allowed_moves_to_the_edge(strict_exchange, effect):
    ex = banded(strict_exchange, effect, asks=())
    order = ex.order("a", "X", "buy", 5, price=90).ok()
    ex.set_state("X", "post-only")
    ex.amend("a", order.order_id, price=106).ok()
    assert [(row.price, row.remaining) for row in ex.open_orders("a")] == [(104, 5)]


@pytest.mark.parametrize("effect", ["slide", "halt", "auction"])
@pytest.mark.parametrize("tif", ["ioc", "fok"])
def test_an_order_that_never_rests_trades_to_the_edge(strict_exchange, effect, tif):
    """Accepted if and only if the same immediate order on a copy fills all of it."""
    ex = banded(strict_exchange, effect)
    ack = ex.order("a", "X", "buy", 12, price=106, tif=tif)
    if tif == "fok":
        assert ack.code == Code.FOK_UNFILLED and ex.market("X").state == "continuous"
    else:
        assert ack.filled == 10 and ends(ack)[ack.order_id] == Ending.UNFILLED
        assert ex.market("X").state == ("continuous" if effect == "slide" else "halted" if effect == "halt" else "auction")


@pytest.mark.parametrize("effect", ["halt", "auction"])
def test_stops_that_the_trades_reached_wait_for_the_end_of_the_interruption(strict_exchange, effect):
    ex = banded(strict_exchange, effect)
    stop = ex.order("c", "X", "buy", 1, trigger=Trigger.stop(103, by="last")).ok()
    trail = ex.order("c", "X", "buy", 1, trigger=Trigger.trailing(distance=3, by="mark")).ok()
    assert not fired(ex.order("a", "X", "buy", 12, price=106))
    assert {row.order_id for row in ex.open_orders("c")} == {stop.order_id, trail.order_id}
    assert fired(ex.set_state("X", "continuous")) == [stop.order_id]


# --- Liquidation that waits


def test_deferred_liquidation(strict_exchange):
    """Outside continuous trading nobody is taken over and the house has no order; on return the mark of then counts."""
    ex = strict_exchange([replace(PLAIN, calls=Calls(liquidation="deferred"))])
    for name, cash in (("a", 101), ("b", 10**6), ("c", 101)):
        ex.deposit(name, "USDT", cash)
    ex.mark("X", 100)
    for name in "ac":
        ex.order("b", "X", "sell", 10, price=100).ok()
        ex.order(name, "X", "buy", 10, price=100).ok()
    ex.set_state("X", "auction")
    assert not of(ex.mark("X", 90), EventType.LIQUIDATION)
    ack = ex.set_state("X", "continuous")
    assert [e.account for e in of(ack, EventType.TAKEOVER)] == [16, 18]
    resting = of(ack, EventType.RESTED)
    assert len(resting) == 2 and not of(ack, EventType.ADL)
    ack = ex.set_state("X", "post-only")
    assert set(ends(ack).values()) == {Ending.UNWOUND}
    assert not of(ex.mark("X", 80), EventType.ADL) and ex.parcels()
    assert len(of(ex.set_state("X", "continuous"), EventType.RESTED)) == 2
    assert of(ex.mark("X", 80), EventType.ADL) and not ex.parcels()


def test_who_recovers_meanwhile_is_not_liquidated(strict_exchange):
    ex = strict_exchange([replace(PLAIN, calls=Calls(liquidation="deferred"))])
    for name, cash in (("a", 101), ("b", 10**6)):
        ex.deposit(name, "USDT", cash)
    ex.mark("X", 100)
    ex.order("b", "X", "sell", 10, price=100).ok()
    ex.order("a", "X", "buy", 10, price=100).ok()
    ex.set_state("X", "halted")
    ex.mark("X", 90)
    ex.mark("X", 99)
    assert not of(ex.set_state("X", "continuous"), EventType.LIQUIDATION)


# --- Bad terms


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"tie": "best"}, "tie is one of pressure, nearest, mid"),
        ({"reference": "bid"}, "reference is one of mark, last, index"),
        ({"fee": "none"}, "fee is one of"),
        ({"band": "stop"}, "band is one of"),
        ({"then": "wait"}, "then is one of"),
        ({"liquidation": "never"}, "liquidation is one of"),
        ({"indications": 1}, "indications"),
        ({"freeze_ns": -1}, "freeze"),
        ({"range": "0.1"}, "range"),
        ({"extension_ns": 5}, "range"),
        ({"range": 1, "extension_ns": 5}, "range"),
        ({"then": "halt"}, "range"),
        ({"band": "auction"}, "auction that a band begins"),
        ({"call_ns": 5}, "auction that a band begins"),
        ({"range": 0.1, "extension_ns": 5}, "float"),
    ],
)
def test_bad_terms(terms, said):
    with pytest.raises(InputError, match=said):
        replace(PLAIN, calls=Calls(**terms))


def test_terms_travel_as_records(strict_exchange):
    """An instrument with such terms may be added to a running exchange."""
    ex = strict_exchange([PLAIN])
    terms = Calls(tie="nearest", freeze_ns=5, band="auction", call_ns=7, range="0.1", extension_ns=3)
    ex.add_instrument(replace(PLAIN, name="Y", calls=terms))
    ex.deposit("a", "USDT", 10**6)
    ex.mark("Y", 100)
    ex.order("a", "Y", "sell", 1, price=107)
    ex.order("a", "Y", "buy", 1, price=108, self_trade="allow")
    assert ex.market("Y").state == "auction" and ex.instruments[1].calls == terms


@pytest.mark.parametrize("ask", [None, 102, 399])
@pytest.mark.parametrize("band", ["slide", "halt", "auction"])
def test_an_amendment_beyond_the_band_outside_trading(strict_exchange, band, ask):
    """In the post-only state an amended order may not cross; where nobody is met it rests at the edge, and nothing halts."""
    terms = {"band": band} | ({"call_ns": SECOND_NS} if band == "auction" else {})
    ex = market(strict_exchange, "continuous", 100, rules.find("seed"), **terms)
    order = ex.order("a", "X", "buy", 5, price=99).ok()
    if ask:
        ex.order("b", "X", "sell", 5, price=ask).ok()
    ex.set_state("X", "post-only")
    ack = ex.amend("a", order.order_id, price=400)
    if ask:
        assert ack.code == Code.POST_ONLY_WOULD_TAKE and ex.market("X").state == "post-only"
    else:
        assert ack.code == Code.OK and not trades(ack)
    ex.check()
