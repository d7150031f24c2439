"""Who is deleveraged, at which price, and by how much, as a rule set says (semantics §5; loss policies, section 2).

The cast is that of section 2.2 there: a long parcel of 50 lots with cost 460,000 at mark 9,000, and four shorts.
"""

from dataclasses import replace
from itertools import pairwise

import pytest

import solvent
from solvent import Instrument, Tier, rules
from solvent.app import cli
from solvent.presets import catalogue
from solvent.records import EventType, ParcelChange
from solvent.schema.words import AdlPrice, AdlRank, AdlShare
from solvent.twin.liquidation.allocation import allocate

X = "X-USDT-SWAP"
BARE = {"maker_fee": 0, "taker_fee": 0, "liquidation_fee": 0}
CAST = [("one", 40, 10_000, 60_000), ("two", 60, 9_500, 30_000), ("three", 30, 9_300, 3_000), ("four", 25, 8_800, 25_000)]
"""Name, lots sold, entry, and the wallet at the end."""


def cast(strict_exchange, fund=0, last=9_300, preset="seed", **policy):
    """The cast one mark before the parcel. Amounts are in units of 10**-6."""
    tiers = [Tier(10**6, "0.01", "0.01")]
    listed = Instrument(X, tick=1, contract_size="0.000001", max_price=100_000, tiers=tiers, **BARE)
    ex = strict_exchange([listed], rules=replace(rules.find(preset), price_band_ppb=10**9 - 1, **policy))
    for name in ("one", "two", "three", "four", "rich", "victim"):
        ex.open_account(name)
        ex.set_leverage(name, X, 100, mode="isolated" if name == "victim" else "cross")
        ex.deposit(name, "USDT", 1 if name != "victim" else "0.01")
    if fund:
        ex.seed_fund("USDT", f"{fund / 10**6:.6f}")
    for name, lots, entry, _ in (CAST[3], CAST[1], CAST[0], ("victim", -50, 9_400, 0), CAST[2]):
        ex.mark(X, entry)
        ex.order("rich", X, "buy" if lots > 0 else "sell", abs(lots), price=entry).ok()
        ex.order(name, X, "sell" if lots > 0 else "buy", abs(lots), price=entry).ok()
        if name == "victim":
            ex.move_margin(name, X, ex.account(name).wallets["USDT"].withdrawable)
    for name, _, _, wallet in CAST:
        ex.withdraw(name, "USDT", f"{1 - wallet / 10**6:.6f}")
    ex.mark(X, last)
    return ex


def crash(ex, mark=9_000):
    """What the crash closes: (name, lots, units) of each, and the events."""
    ack = ex.mark(X, mark)
    adl = [e for e in ack.events if e.type == EventType.ADL]
    return [(ex.account_name(e.account), e.closed_lots, e.share_units) for e in adl], ack.events


def test_the_cast(strict_exchange):
    ex = cast(strict_exchange)
    assert {name: ex.account(name).wallets["USDT"].cash * 10**6 for name, *_ in CAST} == {c[0]: c[3] for c in CAST}
    closed, _ = crash(ex)
    assert closed == [("three", 30, 276_000), ("two", 20, 184_000)]


@pytest.mark.parametrize(("rank", "first"), [
    ("roi_mr", ["three", "two"]), ("pnl_efflev", ["three", "two"]), ("binance", ["three", "two"]),
    ("return", ["three", "four"]), ("sided_return", ["three", "four"]), ("account", ["one", "two"]),
    ("pnl_leverage", ["one", "two"]), ("entry", ["one", "two"]),
])  # fmt: skip
def test_ranks_of_the_page(strict_exchange, rank, first):
    """Section 2.2: the order of the cast. By hl's rank the loser, four, comes before two of the winners."""
    ex = cast(strict_exchange, adl_rank=rank)
    closed, _ = crash(ex)
    assert [name for name, *_ in closed] == first


@pytest.mark.parametrize(("rank", "numbers"), [
    ("roi_mr", [725_805, 473_679]), ("pnl_efflev", [725_805, 473_679]), ("binance", [675_000, 90_000]),
    ("return", [21_774_172, 11_505_678]), ("sided_return", [23_249_992, 10_999_991]), ("account", [0, 0]),
    ("pnl_leverage", [10_000_000, 5_263_100]), ("entry", [10_000_000_000, 9_500_000_000]),
])  # fmt: skip
def test_numbers_of_the_ranks(strict_exchange, rank, numbers):
    """The table of section 2.2; its maintenance rate is 2 %, here it is 1 %, so the one by Binance is half of it."""
    _, events = crash(cast(strict_exchange, adl_rank=rank))
    assert [e.rank for e in events if e.type == EventType.ADL] == numbers


@pytest.mark.parametrize(("price", "closed", "fund", "deficit"), [
    ("bankruptcy", [("three", 30, 276_000), ("two", 20, 184_000)], 3_000, 0),
    ("mark", [("three", 30, 270_000), ("two", 20, 180_000)], 0, -7_000),
    ("previous", [("three", 30, 279_000), ("two", 20, 186_000)], 8_000, 0),
    ("capped", [("three", 30, 276_000), ("two", 20, 184_000)], 3_000, 0),
])  # fmt: skip
def test_prices(strict_exchange, price, closed, fund, deficit):
    """Section 2.4: at mark nobody forgoes a profit, and fund and deficit pay 10,000; at the mark before they get 5,000."""
    ex = cast(strict_exchange, fund=3_000, adl_price=price)
    found, events = crash(ex)
    assert found == closed
    assert (ex.fund("USDT") * 10**6, ex.deficit("USDT") * 10**6) == (fund, deficit)
    gains = [e.gain_units for e in events if e.type == EventType.PARCEL and e.change == ParcelChange.CLOSED_BY_ADL]
    assert gains == [units - 9_200 * lots for _, lots, units in closed]


def test_capped_never_loses_and_never_gains_less_than_the_mark(strict_exchange):
    """A long parcel at a mark above its bankruptcy price closes at mark: here the book is so thin that it rests, and a fall
    below closes it at its cost."""
    ex = cast(strict_exchange, adl_price="capped")
    assert crash(ex, 9_100)[0] == [("three", 30, 276_000), ("two", 20, 184_000)]


@pytest.mark.parametrize(("share", "lots"), [
    ("queue", {"three": 30, "two": 20}),
    ("pro_rata", {"one": 13, "two": 19, "three": 10, "four": 8}),
    ("minmax", {"one": 13, "two": 20, "three": 9, "four": 8}),
])  # fmt: skip
def test_shares(strict_exchange, share, lots):
    """Section 2.3, the allocations of the cast. The slices take their parts of the cost, the last one the rest."""
    ex = cast(strict_exchange, adl_share=share)
    closed, _ = crash(ex)
    assert {name: count for name, count, _ in closed} == lots
    assert sum(units for *_, units in closed) == 460_000
    ranks = [e.rank for e in _ if e.type == EventType.ADL]
    assert all(a >= b for a, b in pairwise(ranks))


def test_winners_first(strict_exchange):
    """Who has no profit comes in the last pass, whatever his rank is."""
    ex = cast(strict_exchange, adl_rank="return", adl_winners_first=True)
    closed, events = crash(ex)
    assert closed == [("three", 30, 276_000), ("two", 20, 184_000)]
    assert {e.adl_pass for e in events if e.type == EventType.ADL} == {1}


def test_allocations_of_the_page():
    """Section 2.3, 5: whole lots tell the smallest greatest part from parts by size."""
    assert allocate(AdlShare.MINMAX, 11, [100, 10, 10], [1, 2, 3]) == [10, 1, 0]
    assert allocate(AdlShare.PRO_RATA, 11, [100, 10, 10], [1, 2, 3]) == [9, 1, 1]
    assert allocate(AdlShare.IN_QUEUE, 11, [5, 10, 10], [1, 2, 3]) == [5, 6, 0]


@pytest.mark.parametrize(("name", "value"), [("adl_rank", "luck"), ("adl_price", 3), ("adl_share", None)])
def test_an_unknown_word_is_refused(name, value):
    with pytest.raises(solvent.InputError, match=name):
        replace(rules.find("seed"), **{name: value})


def test_every_word_has_a_number():
    terms = replace(rules.find("seed"), adl_rank="sided_return", adl_price="capped", adl_share="minmax").compiled()
    assert (terms.adl_rank, terms.adl_price, terms.adl_share) == (AdlRank.BY_SIDED_RETURN, AdlPrice.AT_CAPPED, AdlShare.MINMAX)


# --- the rule sets of venues

PRESETS = {  # what they close of the cast, and at which price a lot
    "seed": (["three", "two"], 9_200), "okx_consistent": (["three", "two"], 9_200), "okx": (["three", "two"], 9_000),
    "binance": (["three", "two"], 9_200), "bybit": (["one", "two"], 9_200), "bitmex": (["three", "two"], 9_200),
    "htx": (["three", "two"], 9_000), "hyperliquid": (["three", "two"], 9_300),
}  # fmt: skip


@pytest.mark.parametrize("name", PRESETS)
def test_the_cast_under_the_rules_of_a_venue(strict_exchange, name):
    """Loss policies, section 3: rank and price of each preset. The auditor sees that no unit is lost."""
    who, price = PRESETS[name]
    closed, _ = crash(cast(strict_exchange, preset=name))
    assert [each for each, *_ in closed] == who
    assert {units // lots for _, lots, units in closed} == {price}


def test_every_rule_set_is_played_and_says_what_it_lacks():
    assert set(PRESETS) == set(catalogue.KNOWN)
    for name, each in catalogue.KNOWN.items():
        assert each.name == name and each.source
        assert each.open_points or name in ("seed", "okx_consistent")


@pytest.mark.parametrize("name", catalogue.LACKS)
def test_a_venue_that_is_not_built_says_what_is_missing(name):
    with pytest.raises(solvent.InputError, match=f"rule set '{name}' is not built: it needs .*; there are seed, "):
        rules.find(name)


def test_open_points_are_sentences_and_change_nothing():
    plain = replace(rules.find("seed"), open_points=("the text is silent on ADL",))
    assert plain.identity() == rules.find("seed").identity()
    with pytest.raises(solvent.InputError, match="open_points is a tuple of sentences"):
        replace(plain, open_points="one")


def test_the_command_line_lists_shows_and_compares(capsys):
    assert cli.main(["rules", "list"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in (*catalogue.KNOWN, *catalogue.LACKS))
    assert cli.main(["rules", "show", "okx"]) == 0
    told = capsys.readouterr().out
    assert "adl_price           mark" in told and "- not established" in told and "price_band          5 %" in told
    assert cli.main(["rules", "diff", "seed", "okx_consistent"]) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["seed", "okx_consistent"], ["fee_cross_low", "no", "yes"], ["fee_cross_own", "no", "yes"],
    ]  # fmt: skip
    assert cli.main(["rules", "diff", "okx", "okx"]) == 0
    assert capsys.readouterr().out == "okx and okx do not differ\n"
    assert cli.main(["rules", "show", "vega"]) == 2
