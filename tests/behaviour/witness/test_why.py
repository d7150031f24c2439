"""Why an account was liquidated: every crossing to the tick, every term as the kernel has it, every closing and payer.

The oracle of a crossing is a replay: the same commands before it, then the mark beside it, on a fresh exchange.
"""

import json
import re
from collections import Counter, defaultdict
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from solvent import Collateral, EventsDropped, EventType, Exchange, InputError, Instrument, Rejected, Tier
from solvent import open as open_journal
from solvent.app import cli
from solvent.records import COMMAND, COMMAND_FIELDS, NO_INSTRUMENT, CommandType, Posting, Purse, Verdict, command
from solvent.schema.rows import DomainRow
from solvent.terms.tiers import okex_btc_2019
from solvent.witness.story import Story
from support.coins import ETH, TERMS
from support.coins import X as COIN_X
from support.drawn import RUN, Stream

X = Instrument("X", contract_size=1, tick=1, max_price=10_000, tiers=[Tier(1_000, "0.01", "0.02")])


def fallen(base, name="alice", recorded=False, **terms):
    """Alice is long 5 with 20x; bob's bid of 3 takes part of what she loses, the rest is bob's to give up."""
    ex = base([X], **terms)
    if recorded:
        ex.record()
    for each in (name, "bob"):
        ex.deposit(each, "USDT", 1_000)
    ex.mark("X", 1_000)
    ex.set_leverage(name, "X", 20, mode="isolated")
    ex.order("bob", "X", "sell", 5, price=1_000).ok()
    ex.order(name, "X", "buy", 5, price=1_000).ok()
    ex.order(name, "X", "buy", 1, price=900, client_id=9).ok()
    ex.order("bob", "X", "buy", 3, price=952).ok()
    ex.advance(60 * 10**9)
    ex.mark("X", 970)
    ex.advance(120 * 10**9)
    ex.mark("X", 948)
    return ex


PAGE = """\
1. alice, isolated X at 120 s, command 14: taken over
  The mark of X went from 970 to 948. At 961 equity was 4.5475 USDT more than R_own; at 960 it was 0.4 USDT less.
  the way, in USDT:
    event  time   by                  mark X  size  equity     own    full   slack   hold
    12     0 s    mark of X             1000     0       0       0       0       0      0
    14     0 s    after set leverage    1000     0       0       0       0       0      0
    27     0 s    after order           1000     5     250    52.5    52.5   197.5      0
    30     0 s    after order           1000     5     250    52.5    52.5   197.5  45.45
    36     60 s   mark of X              970     5     100  50.925  50.925  49.075  45.45
    39     120 s  mark of X              948     5     -10   49.77   49.77  -59.77  45.45
  verdict FULL: equity -10, takeover below 49.77
  cancelled: order 50331649, buy 1 X at 900
  taken over: 250 USDT from alice to <clearing>
  taken over: long 5 X at mark 948, bankruptcy price 950 (parcel 1)
    3 at 952 with bob in the book, 120 s: the fund got 6
    2 at 950 with bob by deleveraging, 120 s: bob forgoes 4 against the mark, the fund got 0
  in all: the fund got 6 USDT, those whom ADL closed forgo 4 USDT against the mark"""


def test_a_liquidation_in_words(exchange_class):
    assert str(fallen(exchange_class).why("alice")) == PAGE
    assert str(fallen(exchange_class).why(16)) == PAGE, "the same events give the same bytes"


def test_a_liquidation_in_plain_values(exchange_class):
    (told,) = fallen(exchange_class).why("alice").liquidations
    crossing, (order,), (taken,) = told["crossing"], told["cancelled"], told["taken"]
    assert (crossing["healthy"], crossing["crossed"], crossing["crossed_slack"]) == ("961", "960", "-0.4")
    assert (order["client_id"], order["side"], order["price"], order["dormant"]) == (9, "buy", "900", False)
    assert [(each["counterparty"], each["size"], each["price"]) for each in taken["closings"]] == [
        ("bob", "3", "952"), ("bob", "2", "950")
    ]  # fmt: skip
    assert (taken["left"], told["money"]["fund_got"], told["money"]["fund_paid"]) == ("0", "6", "0")
    whole = fallen(exchange_class).why("alice").to_dict()
    assert json.loads(json.dumps(whole)) == whole and whole["account"] == "alice"


def test_a_client_id_that_is_a_text_is_told(exchange_class):
    ex = fallen(exchange_class)
    ex.deposit("alice", "USDT", 1_000)
    ex.set_leverage("alice", "X", 20, mode="isolated")
    ex.order("bob", "X", "sell", 5, price=948).ok()
    ex.order("alice", "X", "buy", 5, price=948).ok()
    ex.order("alice", "X", "buy", 1, price=850, client_id="my-bid").ok()
    ex.mark("X", 900)
    assert [each["client_id"] for each in ex.why("alice").liquidations[1]["cancelled"]] == ["my-bid"]


def test_deficit_and_residual_are_told(exchange_class):
    """A gap far below the bankruptcy price, no fund: the winner closes at her cost; nobody else pays."""
    ex = exchange_class([X])
    for each, money in (("alice", 300), ("bob", 9_000), ("carol", 9_000)):
        ex.deposit(each, "USDT", money)
    ex.mark("X", 1_000)
    ex.set_leverage("alice", "X", 20, mode="isolated")
    ex.order("carol", "X", "sell", 5, price=1_000).ok()
    ex.order("alice", "X", "buy", 5, price=1_000).ok()
    ex.seed_fund("USDT", 5)
    ex.order("bob", "X", "buy", 3, price=949).ok()
    ex.mark("X", 948)
    (told,) = ex.why("alice").liquidations
    assert [(each["how"], each["fund"]) for each in told["taken"][0]["closings"]] == [
        ("at the fund's expense", "-3"), ("by deleveraging", "0")
    ]  # fmt: skip
    assert told["money"]["fund_paid"] == "3" and "the fund paid 3 USDT" in str(ex.why("alice"))


def test_a_step_down_tells_its_fills(exchange_class):
    ex = exchange_class([Instrument("X", contract_size=1, tick=1, max_price=10**6, tiers=okex_btc_2019())], currencies={})
    for each, money in (("alice", 10**9), ("bob", 10**9)):
        ex.deposit(each, "USDT", money)
    ex.mark("X", 10_000)
    top = int(ex.instruments[0].spec.tiers[2][0])
    ex.set_leverage("alice", "X", 10, mode="isolated")
    ex.order("bob", "X", "sell", top, price=10_000).ok()
    ex.order("alice", "X", "buy", top, price=10_000).ok()
    price = int(ex.position("alice", "X").liquidation_price)
    ex.order("bob", "X", "buy", 50, price=price).ok()
    ex.mark("X", price)
    told = ex.why("alice").liquidations[0]
    assert told["crossing"]["threshold"] == "R_own" and told["crossing"]["crossed"] == str(price)
    assert [each["type"] for each in told["steps"]][:2] == ["STEP_DOWN", "TRADE"]
    assert told["steps"][1]["counterparty"] == "bob" and told["steps"][1]["size"] == "50"
    assert told["outcome"].startswith("stepped down") and "step down from tier 3 to 1" in str(ex.why("alice"))


@pytest.mark.parametrize("price", ["mark", "index"])
def test_a_price_of_collateral_crosses(exchange_class, price):
    """9 contracts at 1,000 ask 90; an ETH at 89 counts 80.1 beside 10 in cash, one at 88 too little. It is converted."""
    backing = [Collateral("ETH", of="USDT", price=ETH, haircut="0.1")]
    ex = exchange_class([Instrument(COIN_X, **TERMS), Instrument(ETH, **TERMS)], collateral=backing)
    for name, currency, amount in (("bob", "USDT", 10**6), ("alice", "USDT", 10), ("alice", "ETH", 1)):
        ex.deposit(name, currency, amount)
    for instrument in (COIN_X, ETH):
        ex.mark(instrument, 1_000)
    tell = ex.mark if price == "mark" else ex.index
    tell(ETH, 1_000)
    ex.set_leverage("alice", COIN_X, 10, mode="cross")
    ex.order("bob", COIN_X, "sell", 9, price=1_000).ok()
    ex.order("alice", COIN_X, "buy", 9, price=1_000).ok()
    tell(ETH, 100)
    tell(ETH, 70)
    (told,) = ex.why("alice").liquidations
    crossing = told["crossing"]
    assert (told["domain"], crossing["price"], crossing["instrument"]) == ("cross USDT", price, ETH)
    assert (crossing["from"], crossing["healthy"], crossing["crossed"], crossing["to"]) == ("100", "89", "88", "70")
    assert (crossing["healthy_slack"], crossing["crossed_slack"]) == ("0.1", "-0.8")
    assert [(each["posting"], each["amount"], each["currency"]) for each in told["steps"][:2]] == [
        ("CONVERTED", "1", "ETH"), ("CONVERTED", "63", "USDT")
    ]  # fmt: skip


def test_who_was_never_liquidated(exchange_class):
    told = fallen(exchange_class).why("bob")
    assert told.liquidations == [] and str(told).startswith("bob was never liquidated\naccount bob\n")
    assert repr(told) == "Why(bob, 0 liquidations)" and "never liquidated" in told.to_html()


def test_what_cannot_be_told_is_refused(exchange_class):
    ex = fallen(exchange_class, retain=False)
    with pytest.raises(EventsDropped, match="retain=True"):
        ex.why("alice")
    with pytest.raises(Rejected, match="UNKNOWN_ACCOUNT"):
        fallen(exchange_class).why("nobody")
    quiet = exchange_class([X], log=[each for each in EventType if each != EventType.ACCRUED])
    quiet.open_account("alice")
    with pytest.raises(InputError, match="add ACCRUED to log"):
        quiet.why("alice")
    with pytest.raises(InputError):
        fallen(exchange_class).why("alice", before=0)


def test_kept_commands_stand_for_dropped_events(tmp_path):
    """A recording or a journal is replayed, and tells the same to the byte."""
    recorded = fallen(Exchange, retain=False, recorded=True)
    assert str(recorded.why("alice")) == PAGE
    recorded.journal.save(tmp_path / "saved")
    with open_journal(tmp_path / "saved") as opened:
        assert str(opened.why("alice")) == PAGE
        assert opened.why("alice").to_html() == recorded.why("alice").to_html()


def test_the_command_line_tells_the_same(tmp_path, capsys):
    ex = fallen(Exchange, recorded=True)
    ex.journal.save(tmp_path / "journal")
    told, where = ex.why("alice"), [str(tmp_path / "journal"), "alice"]
    assert cli.main(["why", *where, "--html", str(tmp_path / "page")]) == 0
    assert capsys.readouterr().out == PAGE + "\n" and (tmp_path / "page").read_text() == told.to_html()
    assert cli.main(["why", *where, "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out) == told.to_dict()
    assert cli.main(["why", *where, "--json", "-", "--html", "-"]) == 2
    assert cli.main(["why", str(tmp_path / "journal"), "nobody"]) == 1
    assert "UNKNOWN_ACCOUNT" in capsys.readouterr().err and not list(tmp_path.glob("*.new"))


def test_spans(exchange_class):
    (told,) = fallen(exchange_class).why("alice", before=2, after=0).liquidations
    assert [each["cause"] for each in told["path"]] == ["mark of X", "mark of X"] and told["path"][-1]["slack"] == "-59.77"
    (told,) = fallen(exchange_class).why("alice", before=1, after=0).liquidations
    assert [each["slack"] for each in told["path"]] == ["-59.77"] and told["crossing"]["before"]["slack"] == "49.075"


class Tags(HTMLParser):
    """Opens and closes tags in pairs, and looks at what they name."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], Counter()

    def handle_starttag(self, tag, attributes):
        self.seen[tag] += 1
        assert tag not in ("script", "link", "img", "iframe", "object") and not dict(attributes).keys() & {"src", "href"}
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen[tag] += 1

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", ["alice", "<b>&amp;\"';", "a</svg><script>"])
def test_the_page_stands_alone(name):
    """No network, no script, well-formed, readable on both screens; names of accounts are text and nothing else."""
    page = fallen(Exchange, name).why(name).to_html()
    tags = Tags()
    tags.feed(page)
    assert not tags.open and tags.seen["svg"] == 1 and tags.seen["script"] == 0
    assert "http" not in page and "url(" not in page and "@import" not in page
    assert "prefers-color-scheme: dark" in page and "color-scheme: light dark" in page
    chart = ElementTree.fromstring(re.search(r"<svg.*?</svg>", page, re.DOTALL)[0])
    assert len(chart.findall("polyline")) == 3 and "crossed at 960" in "".join(chart.itertext())
    assert all(float(n) >= 0 for line in chart.findall("polyline") for n in re.findall(r"[-\d.]+", line.get("points")))
    assert page == fallen(Exchange, name).why(name).to_html()


# --- drawn streams ---------------------------------------------------------------------------------------------


def stories(stream):
    records = stream.ex.events(view=True)
    return [Story(stream.ex, records, a, 20, 5) for a in range(16, stream.ex._kernel.account_count)]


def beside(stream, account, episode, ticks):
    """Whether the domain is liquidated if the mark that did it is another one; None if another one is liquidated before it."""
    ex = stream.after(episode.crossing.after.command - 1)
    names = ("type", *COMMAND_FIELDS[1:])
    said = dict(zip(names, COMMAND.unpack(stream.records[ex.command_count]), strict=True))
    kind, begin = said.pop("type"), ex._kernel.next_seq
    assert ex._kernel.apply(command(kind, **said | {"price_ticks": ticks})) == 0
    currency, key = episode.case.domain
    mine = account, currency, *(key[1:] if key else (NO_INSTRUMENT, 0))
    for e in ex.cursor(EventType.LIQUIDATION, begin=begin):
        if (e.account, e.currency, e.instrument, e.leg) != mine:
            return None
        if episode.crossing.threshold == "own" or e.verdict == Verdict.FULL:
            return True
    return False


@pytest.mark.long
def test_every_crossing_is_exact(seed):
    """One tick less is healthy, and one more is not: told by replays of the commands before."""
    seen: Counter[str] = Counter()
    for run in range(120):
        stream = Stream(seed * 1_009 + run)
        for story in stories(stream):
            for each in story.episodes:
                crossing, key = each.crossing, each.case.domain[1]
                seen["liquidations"] += 1
                if not crossing or crossing.price != "mark":
                    seen["not by a mark"] += 1
                    continue
                assert abs(crossing.healthy_ticks - crossing.crossed_ticks) == 1
                assert crossing.healthy_units >= 0 > crossing.crossed_units
                if stream.records[crossing.after.command - 1][0] != CommandType.MARK:
                    seen["by a price model"] += 1
                    continue
                ticks = crossing.healthy_ticks, crossing.crossed_ticks
                healthy, crossed = (beside(stream, story.account, each, each_ticks) for each_ticks in ticks)
                assert healthy in (False, None) and crossed in (True, None), (run, each)
                seen["exact" if (healthy, crossed) == (False, True) else "among others"] += 1
                seen["isolated" if key else "cross"] += 1
                seen["hedge leg"] += bool(key and key[2])
                seen["both legs"] += not key and any(position[2] for position in crossing.after.sizes)
                seen["collateral"] += crossing.after.collateral > 0
                seen["tier group"] += stream.generator.related
    print(dict(seen))
    assert seen["exact"] > 300 and all(
        seen[kind] > 5 for kind in ("isolated", "cross", "hedge leg", "both legs", "collateral", "tier group")
    )


@pytest.mark.long
def test_every_term_is_the_kernels(seed):
    """Readings at the end of commands, on a replay: equity, thresholds and holds as the kernel answers them."""
    compared = 0
    for run in range(40):
        stream = Stream(seed * 2_003 + run)
        readings = defaultdict(list)
        for story in stories(stream):
            for each in story.episodes:
                for reading in each.path:
                    if reading.cause == "command" and reading.seq != each.case.verdicts[0].seq:
                        readings[reading.command].append((story.account, each.case.domain, reading))
        ex = stream.fresh()
        for n in range(RUN):
            stream.apply(ex, n)
            for account, (currency, key), reading in readings[n + 1]:
                rows = [DomainRow(*row) for row in ex._kernel.domain_rows(account)]
                place = key[1:] if key else (NO_INSTRUMENT, 0)
                mine = [row for row in rows if (row.instrument, row.leg, row.currency) == (*place, currency)]
                for row in mine:
                    told = reading.equity, reading.full, reading.own, reading.base + reading.collateral
                    assert told == (row.equity_units, row.full_units, row.own_units, row.base_units)
                    compared += 1
                if not key:
                    (wallet,) = [row for row in ex._kernel.wallet_rows(account) if row[0] == currency]
                    assert (reading.base, reading.hold) == (wallet[1], wallet[2])
    assert compared > 300


@pytest.mark.long
def test_every_lot_and_unit_of_what_was_taken_is_told(seed):
    """Over all stories of a stream: closings add up to what was taken, payers to the postings of fund and deficit."""
    seen: Counter[str] = Counter()
    for run in range(60):
        stream = Stream(seed * 3_001 + run)
        fund = deficit = 0
        for story in stories(stream):
            for each in story.episodes:
                fund, deficit = fund + each.case.fund_units, deficit + each.case.deficit_units
                seen["cancelled"] += len(each.case.cancelled)
                seen.update(e.type.name for e in each.case.done)
                seen.update(Posting(e.posting).name for e in each.case.done if e.type == EventType.LEDGER)
                for taken in each.case.taken:
                    closed = sum(closing.event.closed_lots for closing in taken.closings)
                    assert closed + abs(taken.left.size_lots) == abs(taken.event.size_lots)
                    fund += sum(closing.fund_units for closing in taken.closings)
                    deficit += sum(closing.deficit_units for closing in taken.closings)
                    seen.update(f"change {closing.event.change}" for closing in taken.closings)
        gained = paid = 0
        of_parcels = (Posting.PARCEL_GAIN, Posting.PARCEL_LOSS, Posting.SHORTFALL, Posting.ADL_TOP_UP, Posting.DEFICIT_REPAID)
        for e in stream.ex.cursor(EventType.LEDGER, begin=1):
            if e.posting in of_parcels and (e.posting != Posting.DEFICIT_REPAID or e.payer == Purse.CLEARING):
                sign = 1 if e.receiver in (Purse.FUND, Purse.DEFICIT) else -1
                gained += sign * e.amount_units * (Purse.FUND in (e.payer, e.receiver))
                paid += sign * e.amount_units * (Purse.DEFICIT in (e.payer, e.receiver))
        assert (fund, deficit) == (gained, paid), run
    print(dict(seen))
    wanted = ("cancelled", "STEP_DOWN", "TRADE", "NETTED", "LIQUIDATION_FEE", "change 2", "change 3", "change 4")
    assert all(seen[kind] for kind in wanted)
