"""Families of accounts: sub-accounts, transfers, margin passed between positions, and fees by what a family has traded."""

from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest

import solvent
import solvent.reference
from solvent import Code, EventType, InputError, Instrument, Rejected, Tier
from solvent.records import CommandType, Posting, command
from solvent.schema.limits import DAY_NS, MONEY_MAX, VOLUME_MAX

X, Y, Z = "X", "Y", "Z"
BASE = Instrument(X, contract_size=1, tick=1, max_price=10_000, tiers=[Tier(1_000, "0.005", "0.01")])
MARKETS = [BASE, replace(BASE, name=Y), replace(BASE, name=Z, settle="USDC")]
UNIT = Decimal("0.000001")


def exchange(make, markets=MARKETS, **deposits):
    """a with its sub-accounts a1 and a2; b, a stranger; m, who makes."""
    ex = make(markets)
    for name, parent in (("m", None), ("a", None), ("a1", "a"), ("a2", "a"), ("b", None)):
        ex.open_account(name, parent=parent)
    for currency in {each.settle for each in markets}:
        ex.deposit("m", currency, 10**6)
    for name, amount in deposits.items():
        ex.deposit(name, "USDT", amount)
    for each in markets:
        ex.mark(each.name, 1_000)
    return ex


def trade(ex, who, size, *, name=X, price=1_000, by="m", leg=None):
    """A purchase, or a sale if size is negative; what the maker and the taker paid for it."""
    side, other = ("buy", "sell") if size > 0 else ("sell", "buy")
    ex.order(by, name, other, abs(size), price=price).ok()
    ack = ex.order(who, name, side, abs(size), price=price, tif="ioc", leg=leg).ok()
    assert ack.filled == abs(size)
    paid = {}
    for e in ack.events:
        if e.type == EventType.LEDGER and e.posting in (Posting.MAKER_FEE, Posting.TAKER_FEE):
            paid[e.posting] = e.amount_units if e.receiver < 16 else -e.amount_units
    return tuple(Decimal(paid.get(reason, 0)) * UNIT for reason in (Posting.MAKER_FEE, Posting.TAKER_FEE))


def wallet(ex, name, currency="USDT"):
    return ex.account(name).wallets[currency]


def refused(code, call, *args, **kwargs):
    with pytest.raises(Rejected) as caught:
        call(*args, **kwargs)
    assert caught.value.code == code and caught.value.hint


# --- Sub-accounts


def test_a_family_has_two_generations(strict_exchange):
    ex = exchange(strict_exchange)
    opened = [e for e in ex._slice(1, ex._kernel.next_seq) if e.type == EventType.ACCOUNT_OPENED]
    a = ex.account("a").account_id
    assert [e.parent for e in opened] == [0, 0, a, a, 0]
    for parent in ("a1", "nobody", 10**6):
        refused(Code.UNKNOWN_ACCOUNT, ex.open_account, "new", parent=parent)
    refused(Code.ACCOUNT_EXISTS, ex.open_account, "a1", parent="b")
    for parent in (1, 6, 15, 21, 2**24, 2**32 + 17, 2**64 - 1):  # the house, itself, nobody
        record = command(CommandType.OPEN_ACCOUNT, records=2, order_id=parent) + b"new".ljust(64, b"\0")
        assert ex._kernel.apply(record) == Code.UNKNOWN_ACCOUNT
    assert ex.open_account("new", parent="b") == 21


def test_a_sub_account_is_liquidated_alone(strict_exchange):
    """What its master has does not stand for it, nor the other way round."""
    ex = exchange(strict_exchange, a=1_000, a1=15, a2=1_000)
    ex.set_leverage("a1", X, 100, mode="cross")
    trade(ex, "a1", 1)
    trade(ex, "a", 1)
    before = [wallet(ex, name).cash for name in ("a", "a2")]
    ex.order("b", X, "buy", 1, price=994)
    ex.mark(X, 985)
    assert (ex.position("a1", X).size, ex.position("a", X).size) == (0, 1) and wallet(ex, "a1").cash == 0
    assert [wallet(ex, name).cash for name in ("a", "a2")] == before


PATHS = {
    ("a", "a1"): Code.OK, ("a1", "a"): Code.OK, ("a1", "a2"): Code.OK, ("a", "b"): Code.NOT_RELATED,
    ("a1", "b"): Code.NOT_RELATED, ("b", "a1"): Code.NOT_RELATED, ("a", "a"): Code.NOT_RELATED, ("a1", "a1"): Code.NOT_RELATED,
    ("a", "nobody"): Code.UNKNOWN_ACCOUNT, ("nobody", "a"): Code.UNKNOWN_ACCOUNT, ("a", 3): Code.UNKNOWN_ACCOUNT,
    (3, "a"): Code.UNKNOWN_ACCOUNT, ("a", 2**40): Code.UNKNOWN_ACCOUNT,
}  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_money_moves_within_a_family(strict_exchange, path):
    ex = exchange(strict_exchange, a=100, a1=100, a2=100, b=100)
    if PATHS[path] == Code.OK:
        ex.transfer(*path, "USDT", "30.000001")
        assert [wallet(ex, name).cash for name in path] == [70 - UNIT, 130 + UNIT]
    else:
        refused(PATHS[path], ex.transfer, *path, "USDT", 1)


def test_amounts_of_a_transfer(strict_exchange):
    ex = exchange(strict_exchange, a=100)
    for amount in (0, -1, "0.0000001", 2**62):
        refused(Code.BAD_AMOUNT, ex.transfer, "a", "a1", "USDT", amount)
    refused(Code.UNKNOWN_CURRENCY, ex.transfer, "a", "a1", "EUR", 1)
    refused(Code.INSUFFICIENT_BALANCE, ex.transfer, "a", "a1", "USDC", 1)
    refused(Code.INSUFFICIENT_BALANCE, ex.transfer, "a", "a1", "USDT", "100.000001")
    ex.transfer("a", "a1", "USDT", 100)
    assert wallet(ex, "a").cash == 0
    for receiver in (2**32 + 17, 2**63, 2**64 - 1):  # wider than an account id
        record = command(CommandType.TRANSFER, account=17, order_id=receiver, amount=1)
        assert ex._kernel.apply(record) == Code.UNKNOWN_ACCOUNT


HELD = {
    # what a holds, the mark, what it may then let go of its 1,000: cash less fees, initial margin, holds and open losses
    "nothing": ([], 1_000, "1000"),
    "profit": ([("cross", 5)], 1_100, "447.5"),
    "loss": ([("cross", 5)], 950, "272.5"),
    "isolated": ([("isolated", 5)], 950, "497.5"),
    "an even hedge": ([("cross", 1), ("cross", -1)], 1_500, "699"),
    "more lost than free": ([("cross", 9)], 920, "0"),
}


@pytest.mark.parametrize("what", HELD)
@pytest.mark.parametrize("way", ["transfer", "withdraw"])
def test_what_may_leave_is_what_may_be_withdrawn(strict_exchange, what, way):
    """To the unit, whichever way it goes; open profit may not, an open loss stays behind."""
    held, mark, free = HELD[what]
    ex = exchange(strict_exchange, a=1_000)
    if len(held) == 2:
        ex.set_position_mode("a", X, "hedge")
    for leg, (mode, size) in zip(("long", "short") if len(held) == 2 else (None,), held, strict=False):
        ex.set_leverage("a", X, 10, mode=mode, leg=leg)
        trade(ex, "a", size, leg=leg)
    ex.mark(X, mark)
    path = ("a", "a2") if way == "transfer" else ("a",)
    send = getattr(ex, way)
    refused(Code.INSUFFICIENT_BALANCE, send, *path, "USDT", Decimal(free) + UNIT)
    if Decimal(free):
        send(*path, "USDT", free)
        refused(Code.INSUFFICIENT_BALANCE, send, *path, "USDT", UNIT)
    assert wallet(ex, "a2").cash == (Decimal(free) if way == "transfer" else 0)


def test_a_resting_order_keeps_its_hold(strict_exchange):
    ex = exchange(strict_exchange, a=1_000)
    ack = ex.order("a", X, "buy", 5, price=900).ok()
    hold = 450 + Decimal("2.25")
    refused(Code.INSUFFICIENT_BALANCE, ex.transfer, "a", "a1", "USDT", 1_000 - hold + UNIT)
    ex.transfer("a", "a1", "USDT", 1_000 - hold)
    ex.cancel("a", ack.order_id)
    ex.transfer("a", "a1", "USDT", hold)


def test_a_deficit_closes_withdrawals_and_not_transfers(strict_exchange):
    ex = exchange(strict_exchange, a=1_000, b=105)
    ex.set_leverage("b", X, 100, mode="cross")
    trade(ex, "b", 10)
    ex.delist(X, 900)
    assert ex.deficit("USDT") < 0
    refused(Code.WITHDRAWALS_CLOSED, ex.withdraw, "a", "USDT", 1)
    ex.transfer("a", "a1", "USDT", 1_000)
    assert wallet(ex, "a1").cash == 1_000


# --- Margin passed on


def passing(make, **more):
    """a is long 10 of X and short 10 of Y, isolated at 20x: 500 of margin each; nothing is left in the wallet."""
    ex = exchange(make, a=1_010, **more)
    for name, size in ((X, 10), (Y, -10)):
        ex.set_leverage("a", name, 20, mode="isolated")
        trade(ex, "a", size, name=name)
    return ex


@pytest.mark.parametrize("to", [Y, None])
@pytest.mark.parametrize("added,mark,closing,spare", [
    (0, 1_000, None, 0), (0, 1_020, None, 0), (100, 1_000, None, 100), (100, 990, None, 5), (100, 991, None, "14.5"),
    (100, 1_100, None, 50), (100, 1_000, 995, 50),
])  # fmt: skip
def test_margin_passed_on_is_checked_as_if_it_were_taken_out(strict_exchange, to, added, mark, closing, spare):
    """What is left bears initial margin at mark, the open loss and what resting closing orders lose; profit does not count."""
    ex = passing(strict_exchange)
    if added:
        ex.deposit("a", "USDT", added)
        ex.move_margin("a", X, added)
    ex.mark(X, mark)
    if closing:
        ex.order("a", X, "sell", 10, price=closing).ok()

    def move(amount):
        ex.move_margin("a", X, amount if to else -amount, to=to)

    spare = Decimal(spare)
    refused(Code.BELOW_INITIAL_MARGIN, move, spare + UNIT)
    if spare:
        move(spare)
    assert wallet(ex, "a").cash == (0 if to else spare)
    assert ex.position("a", Y).margin == 500 + (spare if to else 0)
    assert ex.position("a", X).margin == 500 + added - spare


@pytest.mark.parametrize("to,leg,code", [
    (X, None, Code.NO_ISOLATED_POSITION), (Y, None, Code.OK), (Z, None, Code.NO_ISOLATED_POSITION),
    ("W", None, Code.NO_ISOLATED_POSITION), ("V", None, Code.NO_ISOLATED_POSITION), ("nothing", None, Code.UNKNOWN_INSTRUMENT),
    (Y, "long", Code.BAD_LEG),
])  # fmt: skip
def test_where_margin_may_be_passed(strict_exchange, to, leg, code):
    """To another open isolated position of the same currency: not itself, not USDC (Z), flat (W) or cross (V)."""
    markets = [*MARKETS, replace(BASE, name="W"), replace(BASE, name="V")]
    ex = exchange(strict_exchange, markets, a=5_000)
    ex.deposit("a", "USDC", 1_000)
    for name in (X, Y, Z, "V"):
        ex.set_leverage("a", name, 20, mode="cross" if name == "V" else "isolated")
        trade(ex, "a", 10, name=name)
    ex.move_margin("a", X, 50)
    if code == Code.OK:
        ex.move_margin("a", X, 50, to=to)
        assert ex.position("a", to).margin == 550
    else:
        refused(code, ex.move_margin, "a", X, 50, to=to, to_leg=leg)
    refused(Code.BAD_AMOUNT, ex.move_margin, "a", X, -1, to=Y)
    refused(Code.BAD_AMOUNT, ex.move_margin, "a", X, 0, to=Y)


def test_margin_passed_on_is_not_seen_by_the_wallet(strict_exchange):
    """Two postings of one amount, by way of a wallet that has nothing itself."""
    ex = passing(strict_exchange)
    ex.deposit("a", "USDT", 200)
    ex.move_margin("a", X, 200)
    begin = ex._kernel.next_seq
    ex.move_margin("a", X, 200, to=Y)
    moved = [e for e in ex._slice(begin, ex._kernel.next_seq) if e.type == EventType.LEDGER]
    assert [(e.posting, e.amount_units, e.instrument) for e in moved] == [
        (Posting.MARGIN_MOVED, 200 * 10**6, 0), (Posting.MARGIN_MOVED, 200 * 10**6, 1),
    ]  # fmt: skip
    assert (ex.position("a", X).margin, ex.position("a", Y).margin, wallet(ex, "a").cash) == (500, 700, 0)


# --- Fees by volume

RATES = [("0.0002", "0.0005"), ("0.0001", "0.0004"), ("-0.0001", "0.0003")]  # below 10,000, below 50,000, from there on
TIERED = replace(BASE, fee_tiers=[(10_000, *RATES[1]), (50_000, *RATES[2])])
TINY = replace(BASE, name="W", contract_size="0.001")  # worth one; it has no fee tiers of its own


def tiered(make, *more):
    ex = exchange(make, [TIERED, *more], a=50_000, a1=50_000, a2=50_000, b=50_000)
    for currency in ex.currencies:
        ex.deposit("a", currency, 50_000)
    return ex


def fresh(ex):
    """A new account with money, which has traded nothing."""
    name = f"fresh{ex._kernel.account_count}"
    for currency in ex.currencies:
        ex.deposit(name, currency, 10_000)
    return name


def tier(ex, who, day=None, name=X):
    """The fee tier of an account, on some day: it takes 1,000 from somebody new."""
    if day is not None:
        ex.advance(day * DAY_NS)
    maker, taker = trade(ex, who, 1, name=name, by=fresh(ex))
    assert maker == Decimal(1_000) * Decimal(RATES[0][0])
    return [1_000 * Decimal(rate) for _, rate in RATES].index(taker)


@pytest.mark.parametrize("sizes,last,reached", [((10,), 1_000, 1), ((5, 5), 999, 0), ((30, 20), 1_000, 2), ((25, 25), 999, 1)])
def test_a_tier_begins_at_its_volume_and_tomorrow(strict_exchange, sizes, last, reached):
    """The last contract at 999 leaves it short. What is traded today counts from midnight on, for maker and taker."""
    ex = tiered(strict_exchange)
    ex.advance(DAY_NS - 1)
    for size in (*sizes[:-1], sizes[-1] - 1):
        assert trade(ex, "a", size, by="b") == tuple(size * 1_000 * Decimal(rate) for rate in RATES[0])
    trade(ex, "a", 1, price=last, by="b")
    assert (tier(ex, "a", 1), tier(ex, "b")) == (reached, reached)


def test_a_family_counts_as_one(strict_exchange):
    """a1 and a2 have traded 5,000 each, with each other or not; a, who did nothing, pays the less for it; b does not."""
    for by in ("m", "a2"):
        ex = tiered(strict_exchange)
        trade(ex, "a1", 5, by=by)
        if by == "m":
            trade(ex, "a2", -5)
        assert [tier(ex, who, 1) for who in ("a", "a1", "a2", "b")] == [1, 1, 1, 0]


@pytest.mark.parametrize("touched", [False, True])
@pytest.mark.parametrize("day,expected", [(1, 1), (29, 1), (30, 1), (31, 0), (32, 0), (61, 0), (10_000, 0)])
def test_thirty_whole_days_count(strict_exchange, day, expected, touched):
    """A trade of day 0 counts on days 1 to 30, whether or not something small was traded every day."""
    ex = tiered(strict_exchange, TINY)
    trade(ex, "a", 10)
    for passed in range(1, min(day, 64)) if touched else ():
        ex.advance(passed * DAY_NS)
        trade(ex, "a", 1, name="W")
    assert tier(ex, "a", day) == expected


def test_days_roll_out_one_by_one(strict_exchange):
    """2,500 a day on days 0 to 3: the tier of 10,000 is held from day 4 to day 30 and lost when day 0 leaves."""
    ex = tiered(strict_exchange, TINY)
    for day in range(4):
        ex.advance(day * DAY_NS)
        trade(ex, "a", 2)
        trade(ex, "a", -500 if day % 2 else 500, name="W")
    # What looking adds, 1,000 on day 4 and on day 30, is not enough without what leaves.
    assert [tier(ex, "a", day) for day in (4, 30, 31, 32)] == [1, 1, 0, 0]


def test_rebates_of_makers_by_tier(strict_exchange):
    ex = tiered(strict_exchange)
    for day, rate in ((0, "0.0002"), (1, "0.0001"), (2, "-0.0001")):
        ex.advance(day * DAY_NS)
        assert trade(ex, fresh(ex), 10, by="a") == (10_000 * Decimal(rate), 5)
        if day == 1:
            trade(ex, "b", 30, by="a")


def test_currencies_are_apart_and_instruments_are_not(strict_exchange):
    """Volume in USDT says nothing in USDC; an instrument without fee tiers counts for the one that has them."""
    ex = tiered(strict_exchange, TINY, replace(TIERED, name=Z, settle="USDC"))
    for _ in range(10):
        trade(ex, "a", 1_000, name="W")
        trade(ex, "a", -1_000, name="W")
    assert (tier(ex, "a", 1, name=X), tier(ex, "a", name=Z)) == (1, 0)
    assert tier(ex, "a1") == 1


def test_nothing_counts_before_an_instrument_has_tiers(strict_exchange):
    ex = exchange(strict_exchange, [BASE], a=50_000)
    trade(ex, "a", 20)
    ex.add_instrument(replace(TIERED, name=Y))
    ex.mark(Y, 1_000)
    assert tier(ex, "a", 1, name=Y) == 0
    trade(ex, "a", 9)
    assert tier(ex, "a", 2, name=Y) == 1


def test_a_day_counts_at_most_so_much(strict_exchange):
    """Two contracts are worth 2 * 10**17 units, above 2**57: a day is that, thirty are thirty of it, and nothing halts."""
    most = VOLUME_MAX * UNIT
    tiers = [(most, *RATES[1]), (30 * most, *RATES[2])]
    big = replace(BASE, contract_size=10**8, tiers=[Tier(4, "0.005", "0.01")], fee_tiers=tiers)
    assert VOLUME_MAX < 2 * 10**17 and 30 * VOLUME_MAX <= MONEY_MAX
    ex = strict_exchange([big])
    for name in ("a", "m"):
        ex.deposit(name, "USDT", 10**12)
    ex.mark(X, 1_000)
    seen = []
    for day in range(32):
        ex.advance(day * DAY_NS)
        for size in (2, -2) if day % 2 else (-2, 2):
            _, taker = trade(ex, "a", size)
        seen.append([2 * 10**11 * Decimal(rate) for _, rate in RATES].index(taker))
    assert seen == [0] + [1] * 29 + [2] * 2


def test_the_end_of_time(strict_exchange):
    """The last day that a clock can show, 106,751 days after the first; and a volume that was there long before."""
    ex = tiered(strict_exchange)
    trade(ex, "a", 50)
    last = 2**63 - 1
    ex.advance(last - DAY_NS)
    assert tier(ex, "a") == 0
    trade(ex, "a", 9)
    ex.advance(last)
    assert tier(ex, "a") == 1
    with pytest.raises((Rejected, InputError)):
        ex.advance(last + 1)


def test_volumes_against_a_model(strict_exchange, seed):
    """Random trades of a family and others on random days, against a table of what each traded on which day."""
    r, ex = Random(seed), tiered(strict_exchange, TINY)
    traded: dict[str, dict[int, int]] = {"a": {}, "b": {}, "m": {}}
    day, seen = 0, set()
    for _ in range(250):
        day += r.choice([0, 0, 0, 1, 1, 3, 29, 30, 31])
        ex.advance(max(ex._kernel.clock_ns, day * DAY_NS + r.choice([0, 1, DAY_NS - 1])))
        who, size = r.choice(["a", "a1", "a2", "b"]), r.choice([1, 4, 9, 15])
        held = ex.position(who, X).size
        ranks = []
        for name in (who[0], "m"):
            past = sum(value for at, value in traded[name].items() if day - 30 <= at < day)
            ranks.append(2 if past >= 50_000 else 1 if past >= 10_000 else 0)
            traded[name][day] = traded[name].get(day, 0) + size * 1_000
        paid = trade(ex, who, -size if held > 0 else size)
        assert paid == (size * 1_000 * Decimal(RATES[ranks[1]][0]), size * 1_000 * Decimal(RATES[ranks[0]][1]))
        seen |= {tuple(ranks)}
    assert len(seen) >= 4


def test_volumes_are_in_the_digest(seed):
    """Both implementations count alike, and an account that has traded is not as if it had not."""
    digests = []
    for module in (solvent, solvent.reference):
        r, ex, found = Random(seed), tiered(module.Exchange, TINY), []
        for _ in range(60):
            ex.advance(ex._kernel.clock_ns + r.choice([1, DAY_NS, 31 * DAY_NS]))
            trade(ex, r.choice(["a", "a1", "b"]), r.choice([-2, 3]), name=r.choice([X, "W"]))
            found.append(ex.digest())
        digests.append(found)
    assert digests[0] == digests[1]


WRONG = {
    "volumes fall": [(10, "0.0001", "0.0004"), (5, "0.0001", "0.0003")],
    "volumes stay": [(10, "0.0001", "0.0004"), (10, "0.0001", "0.0003")],
    "a volume of nothing": [(0, "0.0001", "0.0004")],
    "a maker fee rises": [(10, "0.0003", "0.0004")],
    "a taker fee rises": [(10, "0.0002", "0.0006")],
    "a rebate above the lowest taker fee": [(10, "-0.0004", "0.0004"), (20, "-0.0004", "0.0003")],
    "a volume beyond all money": [(2**62, "0.0001", "0.0004")],
    "a rate that is too fine": [(10, "0.0000000001", "0.0004")],
}


@pytest.mark.parametrize("what", WRONG)
def test_tables_that_are_none(what):
    with pytest.raises(InputError):
        replace(BASE, fee_tiers=WRONG[what])


def test_who_looks_at_a_volume_changes_nothing(strict_exchange):
    """KER-2, found by bytes that nobody meant: a refused order read a volume of days ago, and the digest was another one."""
    ex = tiered(strict_exchange, replace(TIERED, name="Y", liquidation_fee="own"))
    ex.mark("Y", 1_000)
    trade(ex, "a", 1)
    trade(ex, "a", -1)
    for days in (1, 29, 31, 40):
        ex.advance(days * DAY_NS)
        before = ex.digest()
        assert ex.order("a", "Y", "sell", 10**6, price=1_000).code and ex.digest() == before
