"""`explain` in the words of a rule set, and the ranks of deleveraging with their lights, against the readable kernel's own."""

from collections import Counter
from dataclasses import replace

import pytest

import solvent.reference
from solvent import InputError, Instrument, Rejected, Tier, rules
from solvent.records import CommandType, EventType
from solvent.schema.words import AdlRank
from solvent.twin.liquidation.deleverage import _rank
from support.generator import Generator

X = Instrument("X", contract_size=1, tick=1, max_price=10_000, tiers=[Tier(1_000, "0.01", "0.02")])
WORDS = ("roi_mr", "pnl_efflev", "binance", "pnl_leverage", "return", "sided_return", "account", "entry")


def crowd(make, rule="seed", **changes):
    """Alice is long 5 from 1,000 against bob (2) and carol (3); at 970 both have a profit, and bob the thinner margin."""
    ex = make([X], rules=replace(rules.find(rule), **changes))
    for name, money in (("alice", 300), ("bob", 100), ("carol", 1_000)):
        ex.deposit(name, "USDT", money)
    ex.seed_fund("USDT", 7)
    ex.mark("X", 1_000)
    ex.set_leverage("alice", "X", 20, mode="isolated")
    ex.set_leverage("bob", "X", 50)
    for name, size in (("bob", 2), ("carol", 3)):
        ex.order(name, "X", "sell", size, price=1_000).ok()
        ex.order("alice", "X", "buy", size, price=1_000).ok()
    ex.mark("X", 970)
    return ex


PAGE = """\
account alice
  wallet: cash 47.5, holds 0, free 47.5, withdrawable 47.5 USDT
  isolated X, rules seed
    equity 100 = margin 250 + profit -150 USDT
    X: long 5 at entry 1000, mark 970, value 4850, tier 1, threshold 0.0105
      liquidation price 960 (other marks held)
      if taken over now, at its bankruptcy price 950
    takeover below 50.925; equity / requirement 1.963672067
    next: nothing; equity covers both requirements
    after a takeover: offered at the bankruptcy price; once worth nothing at mark, sold while the fund (7 USDT) pays
    ADL: the rest at the bankruptcy price, one after the other by profit over cost, times value over equity
      against X long: first bob, carol"""


def test_a_page(exchange_class):
    assert str(crowd(exchange_class).explain("alice")) == PAGE


def test_who_is_told_is_who_is_closed(exchange_class):
    """The page names who is first; the next mark closes just these, in that order."""
    ex = crowd(exchange_class)
    (domain,) = ex.explain("alice").domains
    assert domain.first_in_line == (("bob", "carol"),)
    events = ex.mark("X", 945).events
    assert [ex.account_name(e.account) for e in events if e.type == EventType.ADL] == ["bob", "carol"]


@pytest.mark.parametrize(("rule", "changes", "words"), [
    ("okx", {}, "the rest at the mark, one after the other by"),
    ("binance", {}, "by profit over wallet, times requirement over equity"),
    ("bitmex", {}, "times its own value over its equity"), ("bybit", {}, "times the leverage set"),
    ("seed", {"adl_share": "minmax"}, "so that the largest part that anybody loses is smallest"),
    ("seed", {"adl_price": "previous"}, "at the mark before the last one"),
    ("seed", {"adl_rank": "return", "adl_winners_first": True}, "mark over entry, times value over equity; who has no profit"),
])  # fmt: skip
def test_the_words_are_those_of_the_rule_set(exchange_class, rule, changes, words):
    (domain,) = crowd(exchange_class, rule, **changes).explain("alice").domains
    assert domain.rules == rule and words in domain.adl


def test_what_is_next(exchange_class):
    """One tier or two, as the rule set steps down; hedges are netted where it nets, in a cross account."""
    for rule, tiers in (("seed", "2 tiers"), ("binance", "1 tier")):
        listed = replace(X, tiers=[Tier(2, "0.005", "0.01"), Tier(4, "0.01", "0.02"), Tier(9, "0.05", "0.06")])
        ex = exchange_class([listed], rules=rule)
        for name in ("alice", "bob"):
            ex.deposit(name, "USDT", 400)
            ex.set_leverage(name, "X", 16)
        ex.mark("X", 1_000)
        ex.order("bob", "X", "sell", 5, price=1_000).ok()
        ex.order("alice", "X", "buy", 5, price=1_000).ok()
        ex.mark("X", 965)  # 5 * 35 = 175 of about 400 are gone; nobody is there to buy
        (domain,) = ex.explain("alice").domains
        assert domain.ratio < 1 and f"then a step down by {tiers} through the book; it found no fill" in domain.next
        assert ("hedges netted" in domain.next) == (rule == "seed")


# --- ranks


def test_lights_go_by_size(exchange_class):
    """Of 5 contracts short: bob's 2 begin in the first fifth, carol's 3 after two fifths."""
    ex = crowd(exchange_class)
    assert [(each.account, each.size, each.ahead, each.light) for each in ex.ranks("X")] == [
        ("alice", 5, 0, 5), ("bob", -2, 0, 5), ("carol", -3, 2, 3)]  # fmt: skip
    with pytest.raises(Rejected, match="UNKNOWN_INSTRUMENT"):
        ex.ranks("Y")
    assert exchange_class([X]).ranks("X") == []


def test_ten_equal_positions_have_two_of_each_light(exchange_class):
    ex = exchange_class([X])
    ex.deposit("rich", "USDT", 10**6)
    ex.mark("X", 1_000)
    for number in range(10):
        ex.deposit(f"a{number}", "USDT", 1_000 + number)
        ex.order("rich", "X", "buy", 1, price=1_000).ok()
        ex.order(f"a{number}", "X", "sell", 1, price=1_000).ok()
    ex.mark("X", 990)
    shorts = [each for each in ex.ranks("X") if each.size < 0]
    assert [each.light for each in shorts] == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert [each.account for each in shorts] == [f"a{number}" for number in range(10)], "who has least stands first"


def test_a_share_of_a_cross_account_is_refused(exchange_class):
    ex = exchange_class([X, replace(X, name="Y")], rules=replace(rules.find("seed"), adl_rank="pnl_efflev"))
    for name in ("alice", "bob"):
        ex.deposit(name, "USDT", 1_000)
    for name in ("X", "Y"):
        ex.mark(name, 1_000)
        ex.order("bob", name, "sell", 1, price=1_000).ok()
        ex.order("alice", name, "buy", 1, price=1_000).ok()
    with pytest.raises(InputError, match="cross account with several positions"):
        ex.ranks("X")
    assert ex.explain("alice").domains[0].first_in_line == (None, None)


@pytest.mark.long
def test_every_rank_is_the_kernels(seed):
    """At states of drawn streams, for all ranks: position by position what the readable kernel ranks by, in its order."""
    seen: Counter[str] = Counter()
    for shape in range(4 * len(WORDS)):
        word = WORDS[shape % len(WORDS)]
        generator = Generator(seed * 5_003 + shape)
        drawn = replace(generator.rules, adl_rank=word, adl_winners_first=shape % 2 == 0)
        ex = solvent.reference.Exchange(generator.instruments, rules=drawn, collateral=generator.collateral)
        opening = iter(generator.opening())
        for number in range(600):
            record = next(opening, None) or generator.next(ex._kernel)
            ex.venue.coming = generator.candidate
            if (ex._kernel.apply(record), record[0]) == (0, CommandType.ADD_INSTRUMENT):
                generator.added()
            if number % 40 == 39:
                for instrument in range(len(ex.instruments)):
                    _compare(ex, instrument, seen, word)
    print(dict(seen))
    assert (
        all(seen[word] > 20 for word in WORDS)
        and seen["refused"]
        and set(WORDS) == {each.name[3:].lower() for each in AdlRank}
    )


def _compare(ex, instrument, seen, word):
    state = ex._kernel.aftermath.state
    held = [p for p in state.ledger.members[instrument] if p.size]
    try:
        told = ex.ranks(instrument)
    except InputError:
        seen["refused"] += 1
        return
    legs = {None: 0, "long": 1, "short": 2}
    mine = {(ex._kernel.account_id(each.account.encode()), legs[each.leg]): each.rank for each in told}
    assert mine == {(p.account, p.leg): _rank(state, p)[0] for p in held}
    seen[word] += len(held)
    for shorts in (False, True):
        ranks = [each for each in told if (each.size < 0) == shorts]
        assert [each.ahead for each in ranks] == [sum(abs(b.size) for b in ranks[:i]) for i in range(len(ranks))]
