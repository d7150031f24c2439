"""Instruments that come, pause, expire and go while the exchange runs."""

from dataclasses import replace
from decimal import Decimal

import pytest

import solvent
import solvent.reference
from solvent import Code, EventType, InputError, PriceModel, Rejected, Tier, Trigger, rules
from solvent.records import CommandType, Ending, Listing, Posting, command, decode
from support.listings import ADDED, BASE, SECOND_NS, N, X, exchange


def trade(ex, name, size, *, price=1_000, who="a", leg=None, by="m"):
    """A purchase of this many contracts, or a sale if it is negative."""
    side, other = ("buy", "sell") if size > 0 else ("sell", "buy")
    ex.order(by, name, other, abs(size), price=price).ok()
    return ex.order(who, name, side, abs(size), price=price, tif="ioc", leg=leg).ok()


def of(events, kind):
    return [e for e in events if e.type == kind]


def history(ex):
    return list(decode(memoryview(ex._kernel.view(1, ex._kernel.next_seq))))


def refused(code, call, *args, **kwargs):
    with pytest.raises(Rejected) as caught:
        call(*args, **kwargs)
    assert caught.value.code == code and caught.value.hint


# --- New instruments


def tell(ex, name, price):
    """A mark, by hand or by the model's constituents."""
    if ex.instruments[-1].prices is None:
        return ex.mark(name, price)
    for source in ("s", "t"):
        ex.source(name, source, price)


def life(ex, instrument):
    """From its addition to its end: trades, a hedge, time and funding, a liquidation, settlement."""
    assert ex.add_instrument(instrument) == 1 and ex.instruments[1] is instrument
    tell(ex, N, 1_000)
    ex.set_position_mode("a", N, "hedge")
    for leg, size in (("long", 10), ("short", -4)):
        trade(ex, N, size, leg=leg)
    ex.deposit("b", "USDT", 200)
    ex.set_leverage("b", N, 20, mode="isolated")
    trade(ex, N, 2, who="b")
    trade(ex, X, 5)
    ex.advance(25 * SECOND_NS)
    if instrument.prices is None:
        ex.settle_funding(N, "0.0001", 1)
    tell(ex, N, 950)
    tell(ex, N, 900)
    assert ex.position("b", N).size == 0 and ex.position("a", N, "long").size > 0
    ex.order("a", N, "buy", 1, price=890, leg="long").ok()
    ex.delist(N)
    assert not ex.open_orders("a", N)
    return ex.digest()


@pytest.mark.parametrize("what", ADDED)
def test_an_instrument_is_added_and_lives_like_any_other(strict_exchange, what):
    life(exchange(strict_exchange, decimals=ADDED[what].settle_decimals), ADDED[what])


@pytest.mark.parametrize("what", ADDED)
def test_both_implementations_have_one_digest(what):
    made = [exchange(module.Exchange, decimals=ADDED[what].settle_decimals) for module in (solvent, solvent.reference)]
    assert made[0].digest() == made[1].digest()
    assert len({life(ex, ADDED[what]) for ex in made}) == 1


def test_what_may_not_be_added(strict_exchange):
    ex = exchange(strict_exchange)
    before = ex.digest()
    refused(Code.INSTRUMENT_EXISTS, ex.add_instrument, BASE)
    refused(Code.UNKNOWN_CURRENCY, ex.add_instrument, replace(BASE, name=N, settle="USDC"))
    with pytest.raises(InputError, match="decimals"):
        ex.add_instrument(replace(BASE, name=N, settle_decimals=7))
    with pytest.raises(solvent.WrongType):
        ex.add_instrument(N)
    assert ex.digest() == before and len(ex.instruments) == 1
    ex.delist(X)
    refused(Code.INSTRUMENT_EXISTS, ex.add_instrument, BASE)  # a name is never free again
    plain = exchange(strict_exchange, rule=replace(rules.find("seed"), net_hedges=False))
    with pytest.raises(InputError, match="nets hedges"):
        plain.add_instrument(replace(BASE, name=N, basis="net"))


def test_an_added_instrument_has_no_price_and_no_positions(strict_exchange):
    ex = exchange(strict_exchange)
    ex.add_instrument(replace(BASE, name=N))
    assert ex.order("a", N, "buy", 1, price=1_000).code == Code.NO_MARK
    refused(Code.NO_MARK, ex.settle_funding, N, "0.01", 1)
    refused(Code.NO_MARK, ex.delist, N)
    assert ex.position("a", N).size == 0 and ex.position("a", N).mark_price is None
    ex.delist(N, 1_000)


# --- Halts


def test_a_halted_instrument_takes_no_orders(strict_exchange):
    """Nothing new, dormant ones neither, nothing that would leave its place; cancels, modes and leverage go on."""
    ex = exchange(strict_exchange)
    bid = ex.order("a", X, "buy", 5, price=990).ok()
    sleeping = ex.order("a", X, "buy", 5, price=990, trigger=Trigger.stop(1_500)).ok()
    [event] = of(ex.halt(X) or history(ex), EventType.LISTING_CHANGED)
    assert event.listing == Listing.HALTED
    ex.halt(X)
    for terms in ({"price": 990}, {}, {"price": 990, "trigger": Trigger.stop(1_500)}, {"price": 1_100, "post_only": "slide"}):
        assert ex.order("a", X, "buy", 1, **terms).code == Code.NOT_TRADING
    for size, price in ((6, None), (None, 980), (4, 980)):
        assert ex.amend("a", bid.order_id, size=size, price=price).code == Code.NOT_TRADING
    assert ex.cancel("a", sleeping.order_id) and ex.cancel_all("a").filled == 1
    ex.set_leverage("a", X, 20, mode="isolated")
    ex.set_position_mode("a", X, "hedge")
    ex.halt(X, resume=True)
    assert ex.order("a", X, "buy", 1, price=990, leg="long")


def test_what_does_not_stop_in_a_halt(strict_exchange):
    """Marks, funding and a liquidation, whose house trades with what rests; a trigger is kept and fires on resumption."""
    ex = exchange(strict_exchange, b=300)
    ex.set_leverage("b", X, 20, mode="isolated")
    trade(ex, X, 4, who="b")
    bid = ex.order("a", X, "buy", 3, price=970).ok()
    stop = ex.order("a", X, "sell", 3, price=940, trigger=Trigger.stop(980)).ok()
    ex.halt(X)
    assert of(ex.settle_funding(X, "0.0001", 1).events, EventType.FUNDED)[0].collected_units == 400_000
    events = ex.mark(X, 950).events
    assert not of(events, EventType.TRIGGERED)
    assert [(e.maker_order_id, e.size_lots) for e in of(events, EventType.TRADE)] == [(bid.order_id, 3)]
    assert (ex.position("b", X).size, ex.position("a", X).size) == (0, 3)
    assert of(events, EventType.ADL)  # nobody else may come and buy the fourth
    cursor = ex.cursor(EventType.TRIGGERED, EventType.RESTED)
    ex.halt(X, resume=True)
    assert [(e.type, e.order_id) for e in cursor] == [
        (EventType.TRIGGERED, stop.order_id), (EventType.RESTED, stop.order_id),
    ]  # fmt: skip
    assert ex.order("a", X, "sell", 1, price=950)


def test_the_step_down_of_a_halted_instrument(strict_exchange):
    """It is an order of the liquidated account, and goes on like the house's."""
    ex = strict_exchange(
        [replace(BASE, tiers=[Tier(10, "0.005", "0.01"), Tier(20, "0.01", "0.02"), Tier(30, "0.02", "0.04")])]
    )
    for name, amount in (("m", 10**6), ("a", 2_000)):
        ex.deposit(name, "USDT", amount)
    ex.mark(X, 1_000)
    ex.set_leverage("a", X, 20, mode="cross")
    trade(ex, X, 25)
    ex.order("m", X, "buy", 15, price=931).ok()
    ex.halt(X)
    assert [e.size_lots for e in of(ex.mark(X, 935).events, EventType.STEP_DOWN)] == [15]
    assert ex.position("a", X).size == 10


def test_modes_of_a_listing(strict_exchange):
    ex = exchange(strict_exchange)
    for mode in (2, 3, 65_535):
        assert ex._kernel.apply(command(CommandType.HALT, mode=mode)) == Code.BAD_MODE
    refused(Code.UNKNOWN_INSTRUMENT, ex.halt, "nothing")
    for price in (-1, 0, 10_001, 2**62):
        refused(Code.BAD_PRICE, ex.delist, X, price)


# --- Settlement

PAID = {
    # kind: what a position of size at cost gains at a price, in units
    "linear": lambda size, price, cost: size * price * 10**6 - cost,
    "inverse": lambda size, price, cost: -size * 1_000 * 10**9 // price - cost,
    "quanto": lambda size, price, cost: size * price * 10**6 - cost,
}
KINDS = {
    "linear": replace(BASE, name=N),
    "inverse": replace(BASE, name=N, kind="inverse", settle_decimals=9, contract_size=1_000),
    "quanto": replace(BASE, name=N, kind="quanto"),
}


@pytest.mark.parametrize("price", [None, 1_003, 937])
@pytest.mark.parametrize("kind", KINDS)
def test_everybody_is_settled_at_one_price(strict_exchange, kind, price):
    """Cross, isolated and both legs of a hedge; without a fee, to the unit; residue has what inverse values round."""
    instrument = KINDS[kind]
    ex = exchange(strict_exchange, instrument, decimals=instrument.settle_decimals, b=10**5, c=10**5)
    ex.mark(N, 1_000)
    ex.set_leverage("b", N, 10, mode="isolated")
    ex.set_position_mode("c", N, "hedge")
    ex.set_leverage("c", N, 5, leg="short", mode="isolated")
    for who, size, at, leg in (("a", 7, 1_001, None), ("b", -3, 999, None), ("c", 5, 1_007, "long"), ("c", -11, 993, "short")):
        trade(ex, N, size, price=at, who=who, leg=leg)
    ex.mark(N, 1_011)
    ex.order("a", N, "sell", 7, price=1_040).ok()
    ex.order("c", N, "buy", 2, price=900, leg="short", trigger=Trigger.stop(1_200)).ok()
    at, names = price or 1_011, "mabc"
    rows = [(name, p) for name in names for label, p in ex.account(name).positions.items() if label.startswith(N) and p.size]
    assert len(rows) == 5
    gains = dict.fromkeys(names, 0)
    for name, p in rows:
        gains[name] += p.margin_units + PAID[kind](p.size_lots, at, p.cost_units)
    before = {name: ex.account(name).cash_units for name in names}
    ack = ex.delist(N, price)
    assert {name: ex.account(name).cash_units - before[name] for name in names} == gains
    assert all(not ex.position(name, N, p.leg).size_lots for name, p in rows) and not ex.open_orders("a")
    assert [e.ending for e in of(ack.events, EventType.DONE)] == [Ending.DELISTED] * 2
    rest = sum(-p.cost_units - PAID[kind](p.size_lots, at, p.cost_units) for _, p in rows)
    assert ex.residue("USDT") == rest * ex.currencies["USDT"] and 0 <= rest <= (4 if kind == "inverse" else 0)
    paid = [e.amount_units for e in of(ack.events, EventType.LEDGER) if e.posting == Posting.SETTLED]
    assert paid == ([rest] if rest else [])
    assert not {e.posting for e in of(ack.events, EventType.LEDGER)} & {Posting.MAKER_FEE, Posting.TAKER_FEE}


@pytest.mark.parametrize("fund", [0, 30, 1_000])
@pytest.mark.parametrize("mode", ["cross", "isolated"])
def test_the_bankrupt_are_covered_by_the_fund_and_then_by_the_deficit(strict_exchange, mode, fund):
    """A long of 10 at 1,000 with 105 - 5 behind it is settled at 950: 400 are missing; the winner has all of his 500."""
    ex = exchange(strict_exchange, b=105 if mode == "cross" else 1_000)
    if fund:
        ex.seed_fund("USDT", fund)
    ex.set_leverage("b", X, 100, mode=mode)
    trade(ex, X, 10, who="b", by="a")
    cash, paid = ex.account("a").cash, min(fund, 400)
    ex.delist(X, 950)
    assert ex.account("b").cash == (0 if mode == "cross" else 895)
    assert (ex.fund("USDT"), ex.deficit("USDT")) == (fund - paid, paid - 400)
    assert ex.account("a").cash == cash + 500 and ex.account("a").withdrawable > 0
    if paid < 400:
        refused(Code.WITHDRAWALS_CLOSED, ex.withdraw, "a", "USDT", 1)


def test_a_wallet_below_zero_stands_with_what_is_still_open(strict_exchange):
    """Settled in one instrument at a loss of 500, b has a profit of 600 in another: nobody covers anything yet."""
    ex = exchange(strict_exchange, replace(BASE, name=N), b=260)
    ex.mark(N, 1_000)
    for name in (X, N):
        ex.set_leverage("b", name, 100, mode="cross")
        trade(ex, name, 10, who="b")
    ex.mark(N, 1_060)
    assert not of(ex.delist(X, 950).events, EventType.LIQUIDATION)
    assert ex.account("b").cash == -250 and ex.account("b").equity == 350 and ex.deficit("USDT") == 0
    ex.delist(N)
    assert ex.account("b").cash == 350 and ex.deficit("USDT") == 0


@pytest.mark.parametrize("price,gain", [(993, 32), (992, 22), (985, -48)])
def test_a_resting_parcel_is_settled_with_the_fund(strict_exchange, price, gain):
    """b's long of 10 is taken over for 10,000 less 102 of margin; above that the fund gains, below it pays."""
    ex = exchange(strict_exchange, b=1_000)
    ex.seed_fund("USDT", 1_000)
    ex.set_leverage("b", X, 100, mode="isolated")
    trade(ex, X, 10, who="b")
    ex.move_margin("b", X, 2)
    ex.mark(X, 995)
    [parcel] = ex.parcels()
    assert parcel.size == 10 and parcel.cost == 9_898 and parcel.order_id
    fund = ex.fund("USDT")
    ack = ex.delist(X, price)
    assert not ex.parcels() and ex.fund("USDT") - fund == gain and ex.deficit("USDT") == 0
    assert [e.gain_units for e in of(ack.events, EventType.PARCEL)] == [gain * 10**6]


def test_all_is_refused_afterwards(strict_exchange):
    """The name stays, and with it an empty instrument in which nothing can be done any more."""
    ex = exchange(strict_exchange, ADDED["linear, power, modelled"])
    trade(ex, X, 3)
    ex.order("a", X, "buy", 1, price=900).ok()
    tell(ex, N, 1_000)
    for name in (X, N):
        ex.delist(name)
        for terms in ({"price": 1_000}, {}, {"price": 1_000, "trigger": Trigger.stop(2_000)}):
            assert ex.order("a", name, "buy", 1, **terms).code == Code.NOT_TRADING
        for call, *rest in (
            (ex.mark, 1_000), (ex.index, 1_000), (ex.settle_funding, "0.001", 9), (ex.halt,), (ex.delist,), (ex.delist, 1_000),
        ):  # fmt: skip
            refused(Code.NOT_TRADING, call, name, *rest)
        refused(Code.NOT_TRADING, ex.halt, name, resume=True)
        assert ex.depth(name) == type(ex.depth(name))([], []) and not ex.open_orders("a", name)
    refused(Code.NOT_TRADING, ex.source, N, "s", 1_000)
    ex.advance(100 * SECOND_NS)
    assert not of(history(ex), EventType.RATED)  # no model works in what is closed


# --- Dated contracts

DATED = replace(
    BASE, name=N, prices=PriceModel(components=["index"], sample_ns=SECOND_NS), expiry_ns=10 * SECOND_NS,
    settle_window_ns=4 * SECOND_NS,
)  # fmt: skip


def closed_at(ex):
    return [e.price_ticks for e in of(history(ex), EventType.LISTING_CHANGED)]


@pytest.mark.parametrize("after", [10, 11, 10**6, 9 * 10**9])
def test_a_dated_contract_is_settled_by_the_clock(strict_exchange, after):
    """At its index, averaged over seconds 7 to 10: 1,000, twice 1,100, and 1,300 once more however far time jumps."""
    ex = exchange(strict_exchange, DATED)
    ex.index(N, 1_000)
    trade(ex, N, 4)
    ex.order("a", N, "sell", 1, price=1_050).ok()
    for second, price in ((7, 1_100), (9, 1_300)):
        ex.advance(second * SECOND_NS)
        ex.index(N, price)
    assert ex.position("a", N).size == 4 and ex.order("a", N, "buy", 1, price=900)
    cash = ex.account("a").cash
    ex.advance(after * SECOND_NS)
    assert closed_at(ex) == [1_125] and ex.account("a").cash == cash + 4 * 125 and not ex.open_orders("a")
    refused(Code.NOT_TRADING, ex.index, N, 1_000)
    assert ex.order("m", N, "buy", 1, price=900).code == Code.NOT_TRADING


def test_a_command_that_passes_the_expiry_comes_too_late(strict_exchange):
    """The settlement is behind its BEGIN, before it; without samples in a window the index is what it was."""
    ex = exchange(strict_exchange, replace(DATED, settle_window_ns=0))
    ex.index(N, 1_000)
    trade(ex, N, 1)
    ex.index(N, 1_017)
    a = ex.account("a").account_id
    record = command(CommandType.ORDER, time_ns=99 * SECOND_NS, account=a, instrument=1, price_ticks=900, size_lots=1)
    assert ex._kernel.apply(record) == Code.NOT_TRADING
    assert closed_at(ex) == [1_017] and ex.position("a", N).size == 0


def test_contracts_expire_in_order_and_while_halted(strict_exchange):
    """A jump over three expiries settles each at its own; one of them is halted, and all are in one account's wallet."""
    dated = [replace(DATED, name=f"D{k}", expiry_ns=k * SECOND_NS, settle_window_ns=0) for k in (3, 1, 2)]
    ex = exchange(strict_exchange, *dated)
    for each in dated:
        ex.index(each.name, 1_000)
        trade(ex, each.name, 1)
        ex.index(each.name, 1_010)
    ex.halt("D1")
    ex.advance(100 * SECOND_NS)
    assert [e.instrument for e in of(history(ex), EventType.LISTING_CHANGED)] == [2, 2, 3, 1]
    assert not [p for p in ex.account("a").positions.values() if p.size]
    assert ex.account("a").equity == 10**5 + 30 - Decimal("1.5")
