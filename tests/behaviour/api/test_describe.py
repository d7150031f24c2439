"""Events in words and names: the repr of both classes, `describe`, and Arrow tables that can be read again."""

from decimal import Decimal

import pytest

import solvent
from solvent import EventType, Exchange, Index, Instrument, PriceModel, Tier, Trigger
from solvent.api.backend import decode
from solvent.records import Ending, Posting, Purse, Verdict
from solvent.schema.events import EVENTS, Event, word_of
from solvent.schema.layouts import EVENT, NO_INSTRUMENT


@pytest.fixture(scope="module")
def crash():
    """Alice is liquidated, the house takes over, and bob's order fills what it offers."""
    ex = Exchange([Instrument("BTC", tiers=[Tier(1_000, "0.01", "0.02")])])
    ex.seed_fund("USDT", 1_000)
    for name, money in (("alice", 11), ("bob", 10_000)):
        ex.deposit(name, "USDT", money)
    ex.mark("BTC", 50_000)
    ex.set_leverage("alice", "BTC", 50, mode="isolated")
    ex.order("bob", "BTC", "sell", 1, price=50_000)
    ex.order("alice", "BTC", "buy", 1, price=50_000)
    ex.order("bob", "BTC", "buy", 1, price=48_000)
    ex.mark("BTC", 49_400)
    return ex


def events(ex):
    return list(ex.cursor(begin=1))


def of(ex, kind):
    return [each for each in events(ex) if each.type == kind]


@pytest.mark.parametrize("kind", EVENTS)
def test_both_classes_tell_words(kind):
    """Every word of every type, by the plain class and the one in use alike."""
    for name, said in EVENTS[kind].items():
        for word in said.words or ():
            if name == "side":
                continue
            place = ("type", "records", "side", "account", "instrument", "code", "reason", "seq", *"abcde").index(said.place)
            record = [int(kind), 1, *[0] * 11]
            record[place] = int(word)
            text = repr(Event(tuple(record)))
            assert f"{name}={word.name}" in text
            assert repr(solvent.Event(tuple(record))) == text


def test_what_the_issue_asks_for():
    none = (EventType.LIQUIDATION, 1, 1, 17, NO_INSTRUMENT, 0, Verdict.FULL, 5, 0, 0, 0, 0, 0)
    assert "instrument=-" in repr(solvent.Event(none)) and "verdict=FULL" in repr(solvent.Event(none))
    assert "posting=REALISED" in repr(Event((EventType.LEDGER, 1, 0, 1, 0, 0, Posting.REALISED, 5, 2, 3, 4, 5, 6)))
    assert "ending=LIQUIDATED" in repr(Event((EventType.DONE, 1, 0, 17, 0, 0, Ending.LIQUIDATED, 5, 2, 3, 4, 5, 6)))
    assert repr(solvent.Event((60_000, *none[1:]))).startswith("Event(60000, ")
    assert "verdict=9" in repr(Event((EventType.LIQUIDATION, 1, 1, 17, 0, 0, 9, 5, 0, 0, 0, 0, 0)))


def test_flags_are_words_with_the_self_trade_mode():
    flags = EVENTS[EventType.ACCEPTED]["flags"].words
    assert [word_of(flags, number) for number in (0, 3, 4 | 2 << 8)] == ["-", "POST_ONLY|REDUCE_ONLY", "MARKET|CANCEL_BOTH"]


def test_an_event_is_the_same_on_the_twin(crash):
    """The twin's bytes, decoded, tell the same; so does the plain class."""
    seen = events(crash)
    plain = [Event(each.record, each.extra) for each in seen]
    assert [repr(each) for each in seen] == [repr(each) for each in plain] and len(seen) > 30


def test_a_liquidation_in_names_and_decimals(crash):
    (found,) = of(crash, EventType.LIQUIDATION)
    told = crash.describe(found)
    assert (told["account"], told["instrument"], told["currency"]) == ("alice", "BTC", "USDT")
    assert (told["verdict"], told["mark"], told["leg"]) == ("FULL", 49_400, "ONE_WAY")
    assert told["value"] == Decimal("494") and told["equity"] == Decimal(found.equity_units) / 10**6
    (taken,) = of(crash, EventType.TAKEOVER)
    told = crash.describe(taken)
    assert (
        told["mark"] == 49_400
        and told["bankruptcy"] == Decimal(taken.bankruptcy_ticks) / 10
        and told["size"] == 1
        and "size_lots" not in told
    )


def test_a_posting_in_names_and_decimals(crash):
    deposit, *_ = of(crash, EventType.LEDGER)[1:]
    told = crash.describe(deposit)
    assert told["payer"] == "<outside>" and told["receiver"] == "alice" and told["instrument"] is None
    assert (told["amount"], told["receiver_after"], told["payer_after"]) == (11, 11, -1_011)
    assert told["posting"] == "DEPOSITED" and told["margin_of"] == "NO_MARGIN"


def test_a_trade_and_its_command_in_names_and_decimals(crash):
    trade = crash.describe(of(crash, EventType.TRADE)[0])
    assert trade == {
        "type": "TRADE", "seq": trade["seq"], "side": "BUY", "instrument": "BTC", "maker_order_id": trade["maker_order_id"],
        "taker_order_id": trade["taker_order_id"], "price": 50_000, "size": 1, "maker": "bob", "taker": "alice",
    }  # fmt: skip
    begins = [crash.describe(each) for each in of(crash, EventType.BEGIN)]
    assert [each["command"] for each in begins[:3]] == ["SEED_FUND", "OPEN_ACCOUNT", "DEPOSIT"]
    assert begins[0]["currency"] == "USDT" and "account" not in begins[0] and "instrument" not in begins[0]
    assert begins[2]["account"] == "alice" and begins[-1]["instrument"] == "BTC" and begins[-1]["code"] == "OK"


def test_what_an_exchange_does_not_know_stays_a_number(crash):
    stranger = (EventType.BEGIN, 1, 0, 99, 77, 200, 16, 5, 0, 1, 0, 0, 0)
    told = crash.describe(solvent.Event(stranger))
    assert (told["account"], told["instrument"], told["code"]) == (99, 77, "UNKNOWN_ACCOUNT")


def test_what_is_no_event_is_refused(crash):
    for odd in (None, 5, (8,), b"x" * 64):
        with pytest.raises(solvent.WrongType):
            crash.describe(odd)
    with pytest.raises(solvent.InputError):
        crash.describe(solvent.Event((60_000, *[0] * 12)))
    assert crash.describe(Event(of(crash, EventType.TRADE)[0].record))["taker"] == "alice"


def test_further_terms_and_constituents_have_names():
    model = PriceModel(index=Index(sources={"spot": 1, "other": 1}))
    ex = Exchange([Instrument("M", prices=model), Instrument("P")])
    ex.deposit("ann", "USDT", 1_000)
    sub = ex.open_account("ann.1", parent="ann")
    for name, price in (("spot", 100), ("other", 101)):
        ex.source("M", name, price)
    ex.mark("P", 100)
    ex.order("ann", "P", "buy", 1, trigger=Trigger.stop(120, by="last"), tif="ioc", self_trade="cancel_taker")
    opened = [ex.describe(each) for each in events(ex) if each.type == EventType.ACCOUNT_OPENED]
    assert [(each["account"], each["parent"], each["name"]) for each in opened] == [
        ("ann", None, "ann"),
        ("ann.1", "ann", "ann.1"),
    ]
    assert ex.account_name(sub) == "ann.1"
    changed = [ex.describe(each) for each in events(ex) if each.type == EventType.SOURCE_CHANGED]
    assert [(each["source"], each["state"], each["price"]) for each in changed[:2]] == [
        ("spot", "LIVE_SOURCE", 100), ("other", "LIVE_SOURCE", 101),
    ]  # fmt: skip
    (accepted,) = [ex.describe(each) for each in events(ex) if each.type == EventType.ACCEPTED]
    assert accepted["trigger"] == 120 and accepted["trigger_kind"] == "STOP" and accepted["trigger_source"] == "BY_LAST"
    assert accepted["stp_mode"] == "CANCEL_TAKER" and accepted["flags"] == "MARKET|CANCEL_TAKER" and accepted["tif"] == "IOC"


def test_leverage_is_one_number():
    ex = Exchange([Instrument("P")])
    ex.deposit("ann", "USDT", 1_000)
    ex.set_leverage("ann", "P", "18.18", mode="isolated")
    told = ex.describe(of(ex, EventType.POSITION)[0])
    assert told["leverage"] == Decimal("18.18") and "leverage_parts" not in told


# --- Arrow


@pytest.fixture
def arrow():
    pytest.importorskip("pyarrow", reason="pyarrow is an extra: pip install solvent[arrow]")
    from solvent import arrow

    return arrow


def test_arrow_columns_with_names(arrow, crash):
    for kind in EventType:
        plain, named = arrow.events(crash, kind), arrow.events(crash, kind, names=True)
        assert plain.column_names == named.column_names
        for row, told in zip(plain.to_pylist(), named.to_pylist(), strict=True):
            for name, said in EVENTS[kind].items():
                if said.words:
                    assert told[name] == word_of(said.words, row[name])
    assert arrow.events(crash, EventType.PARCEL, names=True).to_pylist()[0]["account"] == f"<{Purse.HOUSE.name.lower()}>"
    (row,) = arrow.events(crash, EventType.LIQUIDATION, names=True).to_pylist()
    assert (row["account"], row["instrument"], row["currency"], row["verdict"]) == ("alice", "BTC", "USDT", "FULL")
    rows = arrow.trades(crash, names=True).to_pylist()
    assert [(each["maker"], each["taker"]) for each in rows] == [("bob", "alice")]
    assert arrow.events(crash, EventType.LEDGER, names=True).to_pylist()[0]["instrument"] is None
    for source in (crash.events(), solvent.Book()):
        with pytest.raises(solvent.WrongType):
            arrow.trades(source, names=True)


def test_what_arrow_exports_can_be_read_again(arrow, crash):
    """A reader asks for a fresh stream as often as it likes, and each has all rows: DuckDB takes three for one SELECT."""
    import pyarrow as pa

    found = [
        arrow.trades(crash), arrow.events(crash, EventType.LEDGER), arrow.events(crash, EventType.LEDGER, names=True),
        arrow.depth(crash, "BTC"), arrow.positions(crash), arrow.accounts(crash), arrow.liquidations(crash),
        arrow.table({"a": crash.accounts_array()["account"]}),
    ]  # fmt: skip
    assert any(len(each) for each in found)
    for each in found:
        for _ in range(3):
            assert pa.RecordBatchReader.from_stream(each).read_all().equals(each)


def test_decoded_bytes_tell_the_same(crash):
    first = events(crash)[0]
    assert repr(next(decode(EVENT.pack(*first.record)))) == repr(first)
