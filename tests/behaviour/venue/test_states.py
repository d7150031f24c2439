"""Every cell of docs/reference/states.md: what each state admits, and what a change does. The source is schema/states.py."""

import pytest

from solvent import Code, EventType, InputError, Instrument, Rejected, Tier, Trigger
from solvent.records import CommandType, Ending, command
from solvent.schema.states import ADMITS, CALLS, COLUMNS, MATCHES, STATES, change
from solvent.schema.words import Listing
from support.order_desk import ends, fired, trades

X = Instrument(
    "X", contract_size=1, tick=1, max_price=1_000,
    tiers=[Tier(10, "0.005", "0.01"), Tier(20, "0.01", "0.02"), Tier(30, "0.02", "0.04"), Tier(10**6, "0.03", "0.06")],
)  # fmt: skip
LIVE = [state for state in STATES if state != "settlement"]
NO_ORDER = {"cancel-only": Code.NOT_TRADING, "halted": Code.NOT_TRADING, "settlement": Code.NOT_TRADING}


def market(make, state, **cash):
    ex = make([X])
    for name in "abcdm":
        ex.deposit(name, "USDT", cash.get(name, 10**6))
    ex.mark("X", 100)
    ex.order("m", "X", "buy", 5, price=98).ok()
    ex.order("m", "X", "sell", 5, price=103).ok()
    if state:
        enter(ex, state)
    return ex


def enter(ex, state):
    return ex.set_state("X", state)


def of(ack, kind):
    return [e for e in ack.events if e.type == kind]


def cell(state, column):
    return ADMITS[STATES[state]][COLUMNS.index(column)]


@pytest.fixture(params=STATES)
def state(request):
    return request.param


# --- Orders


ORDERS = {  # kind: terms, where it is admitted
    "limit": ({"price": 99}, {"continuous", "pre-open", "auction"}),
    "limit that crosses": ({"price": 103}, {"continuous", "pre-open", "auction"}),
    "gtd": ({"price": 99, "tif": "gtd", "expiry_ns": 10**9}, {"continuous", "pre-open", "auction"}),
    "post-only": ({"price": 99, "post_only": True}, {"continuous", "post-only"}),
    "post-only that slides": ({"price": 104, "post_only": "slide"}, {"continuous", "post-only"}),
    "ioc": ({"price": 103, "tif": "ioc"}, {"continuous"}),
    "fok": ({"price": 103, "tif": "fok"}, {"continuous"}),
    "market": ({}, {"continuous"}),
    "stop": ({"trigger": Trigger.stop(102)}, {"continuous", "pre-open", "auction"}),
}


@pytest.mark.parametrize("kind", ORDERS)
def test_new_orders(strict_exchange, state, kind):
    terms, admitted = ORDERS[kind]
    ex = market(strict_exchange, state)
    ack = ex.order("a", "X", "buy", 1, **terms)
    assert ack.code == (Code.OK if state in admitted else NO_ORDER.get(state, Code.NOT_IN_THIS_STATE))
    assert bool(trades(ack)) == (state == "continuous" and kind in ("limit that crosses", "ioc", "fok", "market"))
    if ack and kind == "post-only that slides":
        assert [row.price for row in ex.open_orders("a")] == [102]
    said = cell(state, "new orders")
    assert said == {"continuous": "all", "pre-open": "limit gtc, gtd; stops", "auction": "limit gtc, gtd; stops"}.get(
        state, "post-only (may slide)" if state == "post-only" else "none")  # fmt: skip


def test_a_post_only_order_that_would_cross(strict_exchange):
    ex = market(strict_exchange, "post-only")
    assert ex.order("a", "X", "buy", 1, price=103, post_only=True).code == Code.POST_ONLY_WOULD_TAKE


def test_a_resting_post_only_order_takes_part_in_the_uncross(strict_exchange):
    ex = market(strict_exchange, None)
    bid = ex.order("a", "X", "buy", 1, price=99, post_only=True).ok()
    enter(ex, "auction")
    ask = ex.order("b", "X", "sell", 1, price=99).ok()
    assert ends(enter(ex, "continuous")) == {bid.order_id: Ending.FILLED, ask.order_id: Ending.FILLED}


AMENDMENTS = {"smaller": {"size": 2}, "larger": {"size": 4}, "moved": {"price": 97}, "crossing": {"price": 103}}
YES, SMALLER = {"smaller", "larger", "moved", "crossing"}, {"smaller"}
AMENDED = {"all": YES, "yes": YES, "without crossing": YES - {"crossing"}, "smaller only": SMALLER, "none": set()}


@pytest.mark.parametrize("how", AMENDMENTS)
def test_amendments(strict_exchange, state, how):
    ex = market(strict_exchange, None)
    order = ex.order("a", "X", "buy", 3, price=99).ok()
    enter(ex, state)
    ack = ex.amend("a", order.order_id, **AMENDMENTS[how])
    if state == "settlement":
        assert ack.code == Code.UNKNOWN_ORDER
    else:
        refusal = Code.POST_ONLY_WOULD_TAKE if state == "post-only" else Code.NOT_TRADING
        assert ack.code == (Code.OK if how in AMENDED[cell(state, "amendments")] else refusal)
    assert bool(trades(ack)) == (state == "continuous" and how == "crossing")


def test_cancels(strict_exchange, state):
    ex = market(strict_exchange, None)
    order = ex.order("a", "X", "buy", 3, price=99).ok()
    ended = ends(enter(ex, state))
    assert (order.order_id in ended) == (cell(state, "cancels") == "all ended")
    assert ex.cancel("a", order.order_id).code == (Code.OK if cell(state, "cancels") == "yes" else Code.UNKNOWN_ORDER)


# --- Triggers, prices, funding


def test_triggers(strict_exchange, state):
    ex = market(strict_exchange, None)
    stop = ex.order("a", "X", "buy", 1, trigger=Trigger.stop(102)).ok()
    ended = ends(enter(ex, state))
    said = cell(state, "triggers")
    assert (stop.order_id in ended) == (said == "ended")
    if said != "ended":
        assert fired(ex.mark("X", 102)) == ([stop.order_id] if said == "fire" else [])


@pytest.mark.parametrize("state", [state for state in LIVE if state != "continuous"])
@pytest.mark.parametrize(("marks", "fires"), [([56], True), ([56, 58], False)])
def test_a_trigger_is_looked_at_by_the_present_price_on_return(strict_exchange, state, marks, fires):
    """Stop sell 57 by mark: 56 and return, it fires; 56, 58 and return, it sleeps on."""
    ex = strict_exchange([X])
    ex.deposit("a", "USDT", 10**6)
    ex.mark("X", 60)
    stop = ex.order("a", "X", "sell", 1, trigger=Trigger.stop(57)).ok()
    enter(ex, state)
    for mark in marks:
        assert not fired(ex.mark("X", mark))
    assert fired(enter(ex, "continuous")) == ([stop.order_id] if fires else [])


@pytest.mark.parametrize("state", CALLS)
def test_a_stop_that_is_reached_when_it_is_placed_waits(strict_exchange, state):
    ex = market(strict_exchange, {number: name for name, number in STATES.items()}[state])
    stop = ex.order("a", "X", "buy", 1, trigger=Trigger.stop(90)).ok()
    assert fired(enter(ex, "continuous")) == [stop.order_id]


def test_marks_and_funding(strict_exchange, state):
    ex = market(strict_exchange, None)
    ex.order("a", "X", "sell", 1, price=98).ok()
    enter(ex, state)
    if cell(state, "mark, funding") == "yes":
        assert of(ex.mark("X", 101), EventType.MARKED) and of(ex.settle_funding("X", "0.001", 1), EventType.FUNDED)
    else:
        for call in (lambda: ex.mark("X", 101), lambda: ex.settle_funding("X", "0.001", 1)):
            with pytest.raises(Rejected, match="NOT_TRADING"):
                call()


# --- Liquidation


def endangered(make, size, cash, *, bids=()):
    """a is long `size` at 100 and has nobody to sell to but these bids of b."""
    ex = make([X])
    for name, amount in (("a", cash), ("b", 10**7), ("m", 10**7)):
        ex.deposit(name, "USDT", amount)
    ex.mark("X", 100)
    ex.set_leverage("a", "X", 16 if size > 20 else 25)
    ex.order("m", "X", "sell", size, price=100).ok()
    ex.order("a", "X", "buy", size, price=100).ok()
    for lots, price in bids:
        ex.order("b", "X", "buy", lots, price=price).ok()
    return ex


@pytest.mark.parametrize("state", LIVE)
def test_takeover_and_the_order_of_the_house(strict_exchange, state):
    """a is taken over at 96. Where nothing matches the parcel's order waits, or is not there."""
    ex = endangered(strict_exchange, 10, 42, bids=[(4, 97)])
    enter(ex, state)
    ack = ex.mark("X", 96)
    assert len(of(ack, EventType.TAKEOVER)) == 1 and cell(state, "takeover") == "yes"
    (parcel,) = of(ack, EventType.TAKEOVER)
    rests, price = of(ack, EventType.RESTED), parcel.bankruptcy_ticks
    said = cell(state, "house's order")
    assert price == 96
    assert bool(trades(ack)) == (said == "trades, rests")
    if said == "none until the state changes":
        assert not rests
        assert bool(trades(enter(ex, "continuous")))
        assert not of(enter(ex, "cancel-only"), EventType.RESTED)
    elif said.startswith("joins"):
        assert [e.price_ticks for e in rests] == [price]
    elif said == "rests without crossing":
        assert [e.price_ticks for e in rests] == [max(price, 98)]
    else:
        assert STATES[state] in MATCHES


@pytest.mark.parametrize("state", LIVE)
def test_step_downs(strict_exchange, state):
    """a stands in a high tier below R_own and above R_full: where nothing matches it is stuck until the next mark."""
    ex = endangered(strict_exchange, 40, 300, bids=[(40, 95)])
    enter(ex, state)
    ack = ex.mark("X", 95)
    assert not of(ack, EventType.TAKEOVER)
    assert bool(trades(ack)) == (cell(state, "step-down") == "trades")
    assert bool(ex._kernel.domain_rows(16)[0][-1]) == (cell(state, "step-down") == "waits for a mark")
    if not trades(ack):
        enter(ex, "continuous")
        assert trades(ex.mark("X", 95))


@pytest.mark.parametrize("state", LIVE)
def test_adl_is_by_mark(strict_exchange, state):
    """A mark that leaves a parcel without value deleverages; a change of state does not."""
    ex = endangered(strict_exchange, 10, 42)
    enter(ex, state)
    assert not of(ex.mark("X", 96), EventType.ADL)
    ack = ex.mark("X", 80)
    assert of(ack, EventType.ADL) and cell(state, "ADL") == "by mark" and not ex.parcels()
    assert {e.ending for e in of(ack, EventType.DONE)} == (set() if state == "cancel-only" else {Ending.UNWOUND})


def test_settlement_ends_parcels_and_their_orders(strict_exchange):
    ex = endangered(strict_exchange, 10, 42)
    ex.mark("X", 96)
    assert ex.parcels()
    ack = ex.set_state("X", "settlement", price=97)
    assert not ex.parcels() and [e.ending for e in of(ack, EventType.DONE)] == [Ending.DELISTED]
    assert cell("settlement", "house's order") == cell("settlement", "triggers") == "ended"


# --- Changes


@pytest.mark.parametrize("after", STATES)
def test_changes(strict_exchange, state, after):
    """Every cell of the table of changes: the crossed book, the trigger that was reached, and the parcel without an order."""
    said = change(STATES[state], STATES[after]).split(", ")
    ex = market(strict_exchange, None)
    stop = ex.order("c", "X", "buy", 1, trigger=Trigger.stop(102)).ok()
    crossing = state in ("pre-open", "auction")
    enter(ex, state)
    if crossing:
        ex.order("a", "X", "buy", 2, price=100).ok()
        ex.order("b", "X", "sell", 2, price=99).ok()
    if state not in ("settlement", "continuous"):
        ex.mark("X", 102)
    if said == ["-"]:
        with pytest.raises(Rejected, match="NOT_TRADING"):
            enter(ex, after)
        return
    ack = enter(ex, after)
    assert ex.market("X").state == after
    assert bool(of(ack, EventType.UNCROSSED)) == ("uncross" in said and crossing)
    assert bool(fired(ack)) == ("wake" in said and state != "continuous")
    assert (ends(ack).get(stop.order_id) == Ending.DELISTED) == ("settle" in said)


@pytest.mark.parametrize("after", LIVE)
def test_a_parcel_without_an_order_is_offered_when_only_cancelling_ends(strict_exchange, after):
    ex = endangered(strict_exchange, 10, 42)
    enter(ex, "cancel-only")
    ex.mark("X", 96)
    ack = enter(ex, after)
    assert bool(of(ack, EventType.RESTED)) == ("offer" in change(Listing.ONLY_CANCEL, STATES[after]))


# --- Bad input


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"listing": 7}, Code.BAD_STATE),
        ({"listing": Listing.AUCTION, "ends_ns": 5}, Code.BAD_STATE),
        ({"listing": Listing.AUCTION, "ends_ns": -1}, Code.BAD_STATE),
        ({"listing": Listing.AUCTION, "ends_ns": 9, "then_listing": Listing.PRE_OPEN}, Code.BAD_STATE),
        ({"listing": Listing.AUCTION, "ends_ns": 9, "then_listing": Listing.CLOSED}, Code.BAD_STATE),
        ({"listing": Listing.AUCTION, "ends_ns": 9, "then_listing": 9}, Code.BAD_STATE),
        ({"listing": Listing.AUCTION, "then_listing": Listing.HALTED}, Code.BAD_STATE),
        ({"listing": Listing.PRE_OPEN, "ends_ns": 9}, Code.BAD_STATE),
        ({"listing": Listing.CLOSED, "ends_ns": 9}, Code.BAD_STATE),
        ({"listing": Listing.HALTED, "price_ticks": 9}, Code.BAD_PRICE),
        ({"listing": Listing.CLOSED, "price_ticks": 1_001}, Code.BAD_PRICE),
        ({"listing": Listing.CLOSED, "price_ticks": -1}, Code.BAD_PRICE),
        ({"instrument": 1, "listing": Listing.HALTED}, Code.UNKNOWN_INSTRUMENT),
    ],
)
def test_a_bad_change_is_refused_and_changes_nothing(strict_exchange, fields, code):
    ex = market(strict_exchange, None)
    ex.advance(5)
    assert ex._kernel.apply(command(CommandType.SET_STATE, time_ns=5, **fields)) == code


def test_an_unknown_word_is_an_error(strict_exchange):
    ex = market(strict_exchange, None)
    for state in ("open", 1, None):
        with pytest.raises(InputError, match="state is one of continuous"):
            ex.set_state("X", state)
    with pytest.raises(Rejected, match="NO_MARK"):
        strict_exchange([X]).set_state("X", "settlement")
