"""All liquidations as records, and cascades: one truth with `why`, every lot and unit told, in time linear in the events."""

import json
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest

from solvent import EventsDropped, EventType, Exchange, InputError, Instrument, OutOfRange, Rejected, Tier, rules
from solvent import open as open_journal
from solvent.app import cli
from solvent.records import Posting, Purse
from solvent.witness.cascade import branching
from solvent.witness.life import Log
from support.drawn import Stream

X = Instrument("X", contract_size=1, tick=1, max_price=10_000, tiers=[Tier(1_000, "0.01", "0.02")])


def fallen(base, recorded=False, instruments=(X,), **terms):
    """Alice is long 5 and carol long 4, both with 20x; bob's bid takes a part of that, the rest is bob's to give up."""
    ex = base(list(instruments), **terms)
    if recorded:
        ex.record()
    for each in ("alice", "bob", "carol"):
        ex.deposit(each, "USDT", 1_000)
    ex.mark("X", 1_000)
    for name, size in (("alice", 5), ("carol", 4)):
        ex.set_leverage(name, "X", 20, mode="isolated")
        ex.order("bob", "X", "sell", size, price=1_000).ok()
        ex.order(name, "X", "buy", size, price=1_000).ok()
    ex.order("alice", "X", "buy", 1, price=900, client_id="late").ok()
    ex.order("bob", "X", "buy", 3, price=952).ok()
    for second, mark in ((60, 970), (120, 948)):
        ex.advance(second * 10**9)
        ex.mark("X", mark)
    return ex


PAGE = """\
1. alice, isolated X at 120 s, command 19: taken over
  set off by: mark
  verdict FULL: equity -10, takeover below 49.77
  cancelled: order 83886080, buy 1 X at 900
  taken over: 250 USDT from alice to <clearing>
  taken over: long 5 X at mark 948, bankruptcy price 950 (parcel 1)
    3 at 952 with bob in the book, 120 s: the fund got 6
    2 at 950 with bob by deleveraging, 120 s: bob forgoes 4 against the mark, the fund got 0
  in all: the fund got 6 USDT, those whom ADL closed forgo 4 USDT against the mark

2. carol, isolated X at 120 s, command 19: taken over
  set off by: mark
  verdict FULL: equity -8, takeover below 39.816
  taken over: 200 USDT from carol to <clearing>
  taken over: long 4 X at mark 948, bankruptcy price 950 (parcel 2)
    4 at 950 with bob by deleveraging, 120 s: bob forgoes 8 against the mark, the fund got 0
  in all: those whom ADL closed forgo 8 USDT against the mark"""
TABLE = """\
X, sizes in contracts, amounts in USDT
tick  time   mark  liquidations  taken  to book  to adl  fund  winners forgo
0     120 s   948             2      9        3       6     6             12
2 liquidations; the fund got 6, whom ADL closed forgo 12 USDT
first ADL 0 ticks, 0 s, 2 liquidations on"""


def test_in_words(exchange_class):
    ex = fallen(exchange_class)
    assert str(ex.liquidations()) == PAGE and str(ex.cascade()) == TABLE
    assert repr(ex.liquidations()) == "Liquidations(2)" and repr(ex.cascade()) == "Cascade(X, 2 liquidations)"
    assert [each["account"] for each in ex.liquidations()] == ["alice", "carol"]
    quiet = exchange_class([X])
    assert str(quiet.liquidations()) == "nobody was liquidated"
    assert quiet.cascade().to_dict() == {
        "instrument": "X", "currency": "USDT", "rows": [], "liquidations": 0, "ticks_to_adl": None, "ns_to_adl": None,
        "liquidations_to_adl": None, "branching_ratio": None, "immigrants": None, "paid_by_fund": "0", "paid_by_adl": "0",
    }  # fmt: skip


def test_in_plain_values(exchange_class):
    ex = fallen(exchange_class)
    told = ex.liquidations().to_dict()
    assert json.loads(json.dumps(told)) == told
    first, second = told["liquidations"]
    assert (first["cause"], first["command"], first["cancelled"][0]["client_id"]) == ("mark", 19, "late")
    assert [(each["counterparty"], each["how"], each["forgone"]) for each in first["taken"][0]["closings"]] == [
        ("bob", "in the book", "0"), ("bob", "by deleveraging", "4")]  # fmt: skip
    assert second["money"] == {
        "fund_got": "0", "fund_paid": "0", "deficit_repaid": "0", "deficit_paid": "0", "fund_covered": "0",
        "deficit_covered": "0", "winners_forgo": "8",
    }  # fmt: skip


def test_as_arrow(exchange_class):
    pa = pytest.importorskip("pyarrow")
    ex = fallen(exchange_class)
    found = ex.liquidations().to_arrow()
    assert found.num_rows == 2 and found.schema.equals(exchange_class([X]).liquidations().to_arrow().schema)
    assert found["account"].to_pylist() == ["alice", "carol"]
    (parcel,) = found["taken"].to_pylist()[0]
    assert (parcel["bankruptcy_price"], parcel["left"]) == (950, 0) and parcel["closings"][1]["forgone"] == Decimal(4)
    assert found["steps"].to_pylist()[0][0]["posting"] == "TAKEN_OVER"
    assert found.schema.field("time_ns").type == pa.int64()
    rows = ex.cascade().to_arrow().to_pylist()
    assert [(row["tick"], row["taken"], row["to_adl"], row["winners_forgo"]) for row in rows] == [(0, 9, 6, 12)]


def test_a_number_too_long_for_arrow_is_refused(exchange_class):
    pytest.importorskip("pyarrow")
    found = fallen(exchange_class).liquidations()
    found.records[0]["money"]["fund_got"] = "1" + 30 * "0"
    with pytest.raises(OutOfRange, match="38 digits"):
        found.to_arrow()


def test_where_the_events_are(exchange_class, tmp_path):
    """Held, or told again by kept commands: a recording, a journal. Otherwise a typed error says what to do."""
    assert str(fallen(exchange_class, recorded=True, retain=False).liquidations()) == PAGE
    assert str(fallen(exchange_class, recorded=True, retain=False).cascade()) == TABLE
    gone = fallen(exchange_class, retain=False)
    for ask in (gone.liquidations, gone.cascade):
        with pytest.raises(EventsDropped, match="retain=True, or keep the commands by record"):
            ask()
    few = fallen(exchange_class, log=set(EventType) - {EventType.PARCEL, EventType.NETTED, EventType.MARKED})
    with pytest.raises(InputError, match="liquidations needs events that are not written; add NETTED, PARCEL to log"):
        few.liquidations()
    with pytest.raises(InputError, match="a cascade needs events that are not written; add NETTED, PARCEL, MARKED to log"):
        few.cascade()


def test_from_a_journal(tmp_path, capsys):
    with open_journal(tmp_path / "j", [X]) as ex:
        fallen(lambda *_, **__: ex)
    with open_journal(tmp_path / "j") as again:
        assert str(again.liquidations()) == PAGE and str(again.cascade()) == TABLE
    assert cli.main(["why", str(tmp_path / "j")]) == 0 and PAGE in capsys.readouterr().out
    assert cli.main(["why", str(tmp_path / "j"), "--json", "-"]) == 0
    assert len(json.loads(capsys.readouterr().out)["liquidations"]) == 2
    assert cli.main(["why", str(tmp_path / "j"), "--html", str(tmp_path / "page")]) == 2


def test_a_cascade_is_of_one_instrument(exchange_class):
    ex = fallen(exchange_class, instruments=[X, replace(X, name="Y")])
    with pytest.raises(InputError, match="name one of X, Y"):
        ex.cascade()
    with pytest.raises(Rejected, match="UNKNOWN_INSTRUMENT"):
        ex.cascade("Z")
    assert str(ex.cascade("X")) == TABLE and ex.cascade(1).rows == []


def test_a_target_without_a_trigger_is_told(exchange_class):
    """A bracket's target sleeps without a trigger until its entry fills, and is taken back with the position."""
    ex = exchange_class([X])
    for each in ("alice", "bob"):
        ex.deposit(each, "USDT", 1_000)
    ex.mark("X", 1_000)
    ex.set_leverage("alice", "X", 20, mode="isolated")
    ex.order("bob", "X", "sell", 3, price=1_000).ok()
    entry = ex.order("alice", "X", "buy", 5, price=1_000, take_profit=1_040, stop_loss=955).ok()
    ex.order("alice", "X", "buy", 1, price=990, take_profit=1_050, stop_loss=951).ok()
    ex.mark("X", 970)
    assert ex.position("alice", "X").size == 3 and entry.resting == 2
    ex.mark("X", 956)
    (told,) = ex.liquidations()
    told_orders = [(each["price"], each["dormant"]) for each in told["cancelled"]]
    dormant = [(None, True), ("1050", True), (None, True)]  # two stops, and the target of the bid that waits
    assert sorted(told_orders, key=str) == sorted([*dormant, ("1040", False), ("990", False), ("1000", False)], key=str)
    assert ex.why("alice").liquidations[0]["cancelled"] == told["cancelled"]


def test_a_liquidation_in_a_batch_has_its_number(exchange_class):
    """The members of a batch are one command; two marks in it may liquidate twice, and each is a record of its own."""
    ex = exchange_class([X])
    for each in ("alice", "bob", "carol"):
        ex.deposit(each, "USDT", 1_000)
    ex.mark("X", 1_000)
    for name, leverage in (("alice", 50), ("carol", 10)):
        ex.set_leverage(name, "X", leverage, mode="isolated")
        ex.order("bob", "X", "sell", 1, price=1_000).ok()
        ex.order(name, "X", "buy", 1, price=1_000).ok()
    assert ex.atomic([("mark", {"instrument": "X", "price": price}) for price in (985, 905)])
    told = ex.liquidations().records
    assert [(each["account"], each["command"]) for each in told] == [("alice", ex.command_count), ("carol", ex.command_count)]
    for each in told:
        whole = ex.why(each["account"]).liquidations[0]
        assert whole["command"] == each["command"] and whole["path"][-1]["command"] <= ex.command_count
    assert [row["tick"] for row in ex.cascade().rows] == [0, 1]


# --- who pays: the cast of loss policies, section 2.4


@pytest.mark.parametrize(("price", "forgone", "fund", "deficit"), [
    ("bankruptcy", 10, 0, 0), ("mark", 0, -3, -7), ("previous", Decimal("2.5"), -3, Decimal("-4.5")), ("capped", 10, 0, 0),
])  # fmt: skip
def test_forgone_fund_and_deficit_are_the_loss(strict_exchange, price, forgone, fund, deficit):
    """A parcel of 50 with cost 460 and value 450, a fund of 3: forgone - fund - deficit = 10 at any price of ADL."""
    terms = replace(X, contract_size="0.001", tick=1, max_price=20_000, taker_fee=0, maker_fee=0, liquidation_fee=0)
    ex = strict_exchange([terms], rules=replace(rules.find("seed"), adl_price=price))
    for name, money in (("winner", 1_000), ("victim", 10)):
        ex.deposit(name, "USDT", money)
    ex.seed_fund("USDT", 3)
    ex.set_leverage("victim", "X", 50, mode="isolated")
    ex.mark("X", 9_400)
    ex.order("winner", "X", "sell", 50, price=9_400).ok()
    ex.order("victim", "X", "buy", 50, price=9_400).ok()
    ex.move_margin("victim", "X", Decimal(10) - ex.position("victim", "X").margin)
    ex.mark("X", 9_300)
    ex.mark("X", 9_050 if price == "previous" else 9_300)  # at 9,050 equity is below zero: it is closed there
    ex.mark("X", 9_000)
    (told,) = ex.liquidations()
    (closing,) = told["taken"][0]["closings"]
    if price == "previous":  # the mark before 9,050 was 9,300: above cost, so the fund gets 5 and the winner forgoes 12.5
        assert (closing["forgone"], closing["fund"], closing["deficit"]) == ("12.5", "5", "0")
        return
    assert [Decimal(closing[name]) for name in ("forgone", "fund", "deficit")] == [forgone, fund, deficit]
    assert forgone - fund - deficit == 10 == Decimal(told["taken"][0]["cost"]) - 450


# --- drawn streams


@pytest.mark.long
def test_all_liquidations_are_those_of_every_account(seed):
    """One truth: the records are those of `why` without the way; lots and units add up to the ledger's and the parcels'."""
    seen: Counter[str] = Counter()
    for run in range(80):
        ex = Stream(seed * 4_001 + run, wide=run % 2 == 1).ex
        found = ex.liquidations().records
        each_account = [told for name in ex._kernel.account_names() for told in ex.why(name.decode()).liquidations]
        own = ("path", "crossing", "number")
        told = [{key: value for key, value in each.items() if key not in own} for each in each_account]
        assert sorted(told, key=lambda each: each["seq"]) == [
            {key: value for key, value in each.items() if key != "number"} for each in found
        ]
        assert [each["number"] for each in found] == list(range(1, len(found) + 1))
        seen["liquidations"] += len(found)
        left = Counter()
        for each in found:
            for parcel in each["taken"]:
                closed = sum(Decimal(closing["size"]) for closing in parcel["closings"])
                assert closed + abs(Decimal(parcel["left"])) == abs(Decimal(parcel["size"]))
                left[parcel["parcel_id"]] += Decimal(parcel["left"])
                seen.update(closing["how"] for closing in parcel["closings"])
        assert {parcel: size for parcel, size in left.items() if size} == {each.parcel_id: each.size for each in ex.parcels()}
        _add_cascades(ex, found, seen)
    print(dict(seen))
    assert seen["liquidations"] > 300 and seen["by deleveraging"] > 20 and seen["at the fund's expense"] > 5
    assert seen["ticks"] > 100 and seen["with a first ADL"] > 10


def _add_cascades(ex, found, seen):
    """The rows of all cascades add up to the records, and fund and deficit to the ledger's postings of parcels."""
    sums: Counter[str] = Counter()
    for index, each in enumerate(ex.instruments):
        cascade = ex.cascade(index)
        ticks = [row["tick"] for row in cascade.rows]
        assert ticks == sorted(set(ticks)) and (not ticks or ticks[0] == 0 or not cascade.rows[0]["liquidations"])
        taken = sum(Decimal(row["taken"]) for row in cascade.rows)
        parts = sum(
            Decimal(row[name])
            for row in cascade.rows
            for name in ("to_book", "to_fund", "to_adl", "to_opposite", "to_settlement")
        )
        assert taken == parts + sum(abs(parcel.size) for parcel in ex.parcels() if parcel.instrument == each.name)
        closings = [
            closing for told in found for parcel in told["taken"] if parcel["instrument"].split()[0] == each.name
            for closing in parcel["closings"]
        ]  # fmt: skip
        for name, of_rows in (("fund", "fund"), ("deficit", "deficit"), ("forgone", "winners_forgo")):
            total = sum(Decimal(row[of_rows]) for row in cascade.rows)
            assert total == sum(Decimal(closing[name]) for closing in closings)
            sums[name, each.settle] += total
        assert cascade.paid_by_adl == sum(Decimal(closing["forgone"]) for closing in closings)
        seen["ticks"] += len(ticks)
        seen["with a first ADL"] += cascade.ticks_to_adl is not None
    for purse, name in ((Purse.FUND, "fund"), (Purse.DEFICIT, "deficit")):
        moved: Counter[str] = Counter()
        for e in ex.cursor(EventType.LEDGER, begin=1):
            parcel = e.posting in (Posting.PARCEL_GAIN, Posting.PARCEL_LOSS, Posting.ADL_TOP_UP)
            if parcel or (e.posting == Posting.DEFICIT_REPAID and e.payer == Purse.CLEARING):
                unit = list(ex.currencies)[e.currency]
                moved[unit] += e.amount_units * ((e.receiver == purse) - (e.payer == purse))
        for unit, units in moved.items():
            assert sums[name, unit] == units * ex.currencies[unit]


def test_the_cost_is_linear_in_the_events(monkeypatch):
    """However many accounts are liquidated: an event is read once, and an order's or a name's once more."""
    reads = first = 0
    plain = Log.at

    def counted(self, place):
        nonlocal reads
        reads += 1
        return plain(self, place)

    monkeypatch.setattr(Log, "at", counted)
    for accounts in (20, 40, 80):
        ex = Exchange([replace(X, tiers=[Tier(10**6, "0.01", "0.02")])])
        ex.deposit("bob", "USDT", 10**6)
        ex.mark("X", 1_000)
        for number in range(accounts):
            ex.deposit(f"a{number}", "USDT", 100)
            ex.set_leverage(f"a{number}", "X", 20, mode="isolated")
            ex.order("bob", "X", "sell", 1, price=1_000).ok()
            ex.order(f"a{number}", "X", "buy", 1, price=1_000).ok()
            ex.order(f"a{number}", "X", "buy", 1, price=900 + number % 40).ok()
        ex.mark("X", 950)
        reads = 0
        assert len(ex.liquidations()) == accounts
        first = first or reads
        assert reads <= 2 * len(ex.events()) and abs(reads * 20 - first * accounts) <= reads


# --- the branching ratio


def test_the_estimator_on_worked_counts():
    """The line through (8, 5), (5, 4), (4, 3), (3, 3): means 5 and 15/4, so 6 of 14 less, and 15/4 - 5 * 3/7."""
    assert branching([8, 5, 4, 3, 3]) == (Fraction(3, 7), Fraction(45, 28))
    assert branching([1, 2, 4, 8, 16]) == (2, 0)  # each brings two
    assert branching([10, 7, Fraction(11, 2), Fraction(19, 4)]) == (Fraction(1, 2), 2)  # half of them, and two more
    assert branching([5]) is None and branching([]) is None and branching([3, 3, 3]) is None


def test_the_estimator_finds_what_a_process_was_made_with(seed):
    """A branching process with immigration: each brings 0, 1 or 2 with mean 0.6, and 0 to 4 come by themselves."""
    random = Random(seed)
    counts = [4]
    for _ in range(20_000):
        counts.append(sum(random.choice([0, 0, 1, 1, 1]) for _ in range(counts[-1])) + random.randrange(5))
    ratio, immigrants = branching(counts)
    assert abs(ratio - Fraction(3, 5)) < Fraction(3, 100) and abs(immigrants - 2) < Fraction(2, 10)
    alone = branching([random.randrange(5) for _ in range(20_000)])
    assert abs(alone[0]) < Fraction(3, 100), "who comes by himself was brought by nobody"
