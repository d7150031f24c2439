"""Whom a price finds: exactly those whom a look at everybody finds. A fork begins without guards, so it looks at everybody."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

import solvent
from solvent import Collateral, Instrument, Rates, RuleSet, Tier, rules
from solvent.records import CommandType, EventType, Side, Tif, command, decode
from solvent.terms.tiers import okex_btc_2019
from support.coins import TERMS, X, take
from support.generator import Generator

FIRST, HOME = 16, 50_000  # the first account; a mark in ticks
ACCOUNTS = 60  # of a population, besides the one that trades with all
STIRS = {
    CommandType.MARK, CommandType.INDEX, CommandType.SOURCE, CommandType.FUNDING, CommandType.ADVANCE, CommandType.SETTLE,
}  # fmt: skip
LOTS = [Tier(40, "0.004", "0.008"), Tier(120, "0.006", "0.012"), Tier(10**6, "0.01", "0.02")]
MONEY = [Tier(20_000, "0.004", "0.008"), Tier(60_000, "0.02", "0.04"), Tier(10**9, "0.05", "0.1")]
COINS = [Tier("0.4", "0.004", "0.008"), Tier("1.2", "0.02", "0.04"), Tier(10**6, "0.05", "0.1")]
ONE = [Tier(10**6, "0.005", "0.01")]
LINEAR = {"contract_size": "0.01", "tick": "1", "max_price": "400000", "max_size": "1000000", "tiers": LOTS}
INVERSE = {
    "kind": "inverse", "contract_size": "500", "tick": "1", "max_price": "400000", "max_size": "1000000", "settle": "BTC",
    "settle_decimals": 9,
}  # fmt: skip
NETTED = replace(rules.find("seed"), net_hedges=True)
VENUES: dict[str, tuple[list[dict], RuleSet]] = {
    "whole by contracts": ([LINEAR] * 3, rules.find("seed")),
    "deduction by notional": ([LINEAR | {"tiers": MONEY, "scheme": "deduction", "basis": "notional"}] * 2, rules.find("seed")),
    "whole by notional": ([LINEAR | {"tiers": MONEY, "basis": "notional"}] * 2, rules.find("okx_consistent")),
    "entry": (
        [LINEAR | {"tiers": MONEY, "basis": "entry", "scheme": "deduction", "maintenance_at": "entry"}] * 2,
        rules.find("seed"),
    ),
    "factor": ([LINEAR | {"tiers": MONEY, "scheme": "factor", "basis": "notional"}] * 2, rules.find("seed")),
    "slope": ([LINEAR | {"tiers": ONE, "scheme": "slope", "maintenance_curve": "0.0001", "initial_curve": "0.0003"}], NETTED),
    "power": ([LINEAR | {"tiers": ONE, "scheme": "power", "maintenance_curve": "0.00001", "initial_curve": "0.0002"}], NETTED),
    "inverse": ([INVERSE | {"tiers": LOTS}, INVERSE | {"tiers": COINS, "basis": "notional"}], rules.find("seed")),
    "inverse, a fee at bankruptcy": (
        [INVERSE | {"tiers": COINS, "basis": "notional", "scheme": "deduction", "liquidation_fee": "0.002"}] * 2,
        replace(rules.find("seed"), fee_at="bankruptcy", at_threshold=True, funding_cap=False),
    ),
    "larger leg": ([LINEAR | {"hedge": "larger", "liquidation_fee": "0.001"}] * 2, rules.find("okx_consistent")),
    "nets and groups": ([LINEAR | {"basis": "net", "tier_group": 1}] * 3, NETTED),
    "rates by side, orders count": (
        [LINEAR | {"rates": [Rates(["0.003", "0.005", "0.008"], side="short")]}] * 2,
        replace(rules.find("seed"), orders="notional"),
    ),
}  # fmt: skip


class Population:
    """Accounts with positions against one that has enough, on a venue of one kind of instruments."""

    def __init__(self, listed: list[dict], rule_set: RuleSet, random: Random, backed: bool = False):
        names = [f"I{number}" for number in range(len(listed))]
        instruments = [Instrument(name, **terms) for name, terms in zip(names, listed, strict=True)]
        collateral = [Collateral("ETH", of="USDT", price="I0", haircut="0.1", decimals=4)] if backed else []
        self.ex = solvent.Exchange(instruments, rules=rule_set, collateral=collateral)
        self.random, self.seen, self.backed = random, Counter[str](), backed
        self.count, self.marks, self.period = len(listed), [HOME] * len(listed), 0
        self.unit = 10 ** instruments[0].settle_decimals // (100 if instruments[0].kind == "inverse" else 1)
        for number in range(ACCOUNTS + 1):
            self.ex.deposit(f"a{number}", instruments[0].settle, "0.00001")
        self.tell(command(CommandType.DEPOSIT, account=FIRST, amount=10**9 * self.unit))
        self.tell(command(CommandType.SEED_FUND, amount=10**6 * self.unit))
        for each in range(self.count):
            self.tell(command(CommandType.MARK, instrument=each, price_ticks=HOME))

    def tell(self, record: bytes) -> None:
        """Applies a command, and one that moves prices or pays funding to a fork too."""
        kernel = self.ex._kernel
        other = kernel.fork() if record[0] in STIRS else None
        begin = kernel.next_seq
        code = kernel.apply(record)
        events = bytes(kernel.view(begin, kernel.next_seq))
        if other is not None:
            assert other.apply(record) == code
            assert bytes(other.view(begin, other.next_seq)) == events, "a look at everybody finds others"
            self.seen["compared"] += 1
            self.seen["found"] += sum(event.type == EventType.LIQUIDATION for event in decode(events))

    def trade(self, account: int) -> None:
        """Opens, adds, turns or closes: against an order of the rich account, at the mark."""
        r = self.random
        each = r.randrange(self.count)
        terms = {"instrument": each, "price_ticks": self.marks[each], "size_lots": r.choice([1, 3, 10, 40, 70, 150])}
        side = r.choice(list(Side))
        self.tell(command(CommandType.ORDER, account=FIRST, side=1 - side, tif=Tif.GTC, **terms))
        self.tell(command(CommandType.ORDER, account=account, side=side, tif=Tif.IOC, **terms))
        self.tell(command(CommandType.MASS_CANCEL, account=FIRST, instrument=2**32 - 1, side=2))

    def begin(self) -> None:
        """Money, modes and first positions; who had lost everything comes again."""
        r = self.random
        for account in range(FIRST + 1, FIRST + 1 + ACCOUNTS):
            amount = int(self.unit * 10 ** r.uniform(2.0, 4.5))
            self.tell(command(CommandType.DEPOSIT, account=account, amount=amount))
            if self.backed:
                self.tell(command(CommandType.DEPOSIT, account=account, instrument=1, amount=r.randrange(1, 2_000)))
            for each in range(self.count):
                terms = {"account": account, "instrument": each, "amount": r.choice([10, 25, 50]), "mode": r.random() < 0.3}
                self.tell(command(CommandType.SET_LEVERAGE, **terms))
            for _ in range(3):
                self.trade(account)

    def move(self) -> None:
        """A mark: a step, a crash, a gap; now and then a trade, a payment of funding, a transfer of money."""
        r = self.random
        each, chance = r.randrange(self.count), r.random()
        span = r.uniform(0.02, 0.4) if chance < 0.06 else 0.02 if chance < 0.2 else 0.002
        self.marks[each] = max(100, min(390_000, round(self.marks[each] * (1 + r.uniform(-span, span)))))
        self.tell(command(CommandType.MARK, instrument=each, price_ticks=self.marks[each]))
        account = r.randrange(FIRST + 1, FIRST + 1 + ACCOUNTS)
        if chance > 0.7:
            self.trade(account)
        if chance > 0.95:
            self.period += 1
            self.tell(command(CommandType.FUNDING, instrument=each, order_id=self.period, amount=r.randrange(-(10**7), 10**7)))
            self.tell(command(CommandType.WITHDRAW, account=account, amount=self.unit * r.randrange(1, 300)))


@pytest.mark.long
def test_a_mark_finds_whom_a_look_at_everybody_finds(seed):
    """10,000 liquidations of every scheme: walks, crashes, gaps of 2 to 40 %, funding, trades and transfers between."""
    seen: Counter[str] = Counter()
    for name, (listed, rule_set) in VENUES.items():
        random, found = Random(f"{seed} {name}"), 0
        while found < 10_000 // len(VENUES) + 1:
            world = Population(listed, rule_set, random, backed="settle" not in listed[0] and random.random() < 0.3)
            for _ in range(4):
                world.begin()
                for _ in range(60):
                    world.move()
            world.ex.check()
            assert world.seen["found"], name
            found += world.seen["found"]
            seen += world.seen
        print(name, found)
    assert seen["found"] >= 10_000 and seen["compared"] > 5_000, seen


def test_every_price_of_drawn_venues_finds_whom_a_look_at_everybody_finds(seed):
    """The same for drawn shapes: models, accruals, collateral, legs; and every guard holds after every command."""
    seen: Counter[str] = Counter()
    for shape in range(40):
        generator = Generator(seed * 1_000_003 + shape, wide=shape % 2 == 1)
        terms = {"rules": generator.rules, "collateral": generator.collateral}
        ex = solvent.Exchange(generator.instruments, retain=True, **terms)
        opening = iter(generator.opening())
        for number in range(400):
            record = next(opening, None) or generator.next(ex._kernel)
            ex.venue.coming = generator.candidate
            other = ex._kernel.fork() if record[0] in STIRS else None
            begin = ex._kernel.next_seq
            code = ex._kernel.apply(record)
            if other is not None:
                assert other.apply(record) == code
                same = bytes(other.view(begin, other.next_seq)) == bytes(ex._kernel.view(begin, ex._kernel.next_seq))
                assert same, f"shape {shape}, command {number}"
                seen["compared"] += 1
            if (record[0], code) == (CommandType.ADD_INSTRUMENT, 0):
                generator.added()
            ex.check()
    assert seen["compared"] > 1_000


# --- What a look at those near their thresholds could miss


def test_a_position_that_opens_where_its_currency_backs_another_is_looked_at(exchange_class):
    """C opens when the domain that USDC backs has no guard: what C loses then endangers X, long before its own domain."""
    listed = [Instrument(X, **TERMS), Instrument("C", settle="USDC", **TERMS), Instrument("P", **TERMS)]
    ex = exchange_class(listed, collateral=[Collateral("USDC", of="USDT", price="P", haircut="0.1", decimals=6)])
    for name, dollars, coins in (("bob", 10**6, 10**6), ("alice", 1, 1_000)):
        ex.deposit(name, "USDT", dollars)
        ex.deposit(name, "USDC", coins)
    for name, price in (("P", 1), (X, 1_000), ("C", 1_000)):
        ex.mark(name, price)
    assert take(ex, "C", "buy", 1, 1_000).filled
    ex.mark("C", 1_001)  # both domains have guards now
    assert take(ex, "C", "sell", 1, 1_000).filled
    ex.mark("C", 1_000)
    assert take(ex, X, "buy", 5, 1_000).filled
    ex.mark(X, 1_001)  # USDT asks more than its cash from here on, and has none
    assert take(ex, "C", "buy", 4, 1_000).filled
    ex.mark("C", 1_000)
    other = ex._kernel.fork()
    drop = command(CommandType.MARK, instrument=1, price_ticks=843)
    begin = other.next_seq
    other.apply(drop)
    [found] = [each for each in decode(bytes(other.view(begin, other.next_seq))) if each.type == EventType.LIQUIDATION]
    assert found.currency == 0 and found.account == ex._kernel.account_id(b"alice")
    ex._kernel.apply(drop)
    assert ex._kernel.state() == other.state()
    ex.check()


def test_a_closed_row_whose_orders_count_is_not_looked_at(exchange_class):
    """Its band is every mark: the old one would send the next fall to look at a position that is gone."""
    ex = exchange_class([Instrument(X, **TERMS)], rules=replace(rules.find("seed"), orders="notional"))
    for name, amount in (("bob", 10_000), ("alice", 1_000)):
        ex.deposit(name, "USDT", amount)
    ex.mark(X, 1_000)
    assert take(ex, X, "buy", 5, 1_000).filled
    ex.mark(X, 1_001)
    ex.order("alice", X, "buy", 1, price=500).ok()
    assert take(ex, X, "sell", 5, 1_001).filled
    for price in (1_002, 501, 90_000):
        assert not [each for each in ex.mark(X, price).events if each.type == EventType.LIQUIDATION]
        ex.check()
    assert len(ex.open_orders("alice")) == 1


@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_who_waits_for_the_next_mark_is_free_after_it(exchange_class, mode):
    """Funding leads to a step-down that finds nobody, and after a mark that is safe to one that sells 15 of 45."""
    tiers = okex_btc_2019(first=20, step=10, levels=8)
    ex = exchange_class([Instrument(X, tiers=tiers)], rules=replace(rules.find("seed"), funding_cap=False))
    for name, amount in (("bob", 10**6), ("alice", 1_137)):
        ex.deposit(name, "USDT", amount)
    ex.mark(X, 50_000)
    assert take(ex, X, "buy", 45, 50_000, leverage=20, mode=mode).filled == 45
    ex.mark(X, 48_600)
    found = {each.type for each in ex.settle_funding(X, "0.0032", 1).events}
    assert EventType.STEP_DOWN in found and EventType.TRADE not in found
    assert not [each for each in ex.mark(X, 48_750).events if each.type == EventType.LIQUIDATION]
    ex.order("bob", X, "buy", 60, price=48_700).ok()
    sold = [each.size_lots for each in ex.settle_funding(X, "0.0032", 2).events if each.type == EventType.STEP_DOWN]
    assert sold == [15] and ex.position("alice", X).size == 30


def test_what_moves_the_tier_of_another_row_lowers_its_floor(exchange_class):
    """41 lots of a group are in tier 2: all 39 of I0 ask 0.6 % when one lot of I1 comes to 40."""
    ex = exchange_class([Instrument(name, **LINEAR, basis="net", tier_group=1) for name in ("I0", "I1")], rules=NETTED)
    for name, amount in (("bob", 10**7), ("alice", 5_000)):
        ex.deposit(name, "USDT", amount)
    for name in ("I0", "I1"):
        ex.mark(name, HOME)
    assert take(ex, "I0", "buy", 39, HOME).filled and take(ex, "I1", "buy", 1, HOME).filled
    ex.mark("I0", HOME + 1)
    ex.check()
    assert take(ex, "I1", "buy", 1, HOME).filled
    ex.mark("I0", HOME)
    ex.check()


def test_a_second_position_ends_a_guard_where_the_fee_goes_by_equity(exchange_class):
    """A counted order of I1 fills: what I0 pays at bankruptcy goes by what I1 loses then, at the end of its band too."""
    by_equity = replace(rules.find("seed"), fee_at="bankruptcy", funding_cap=False, fee_cross_low=True, orders="notional")
    listed = [Instrument(name, **LINEAR, liquidation_fee="0.01") for name in ("I0", "I1")]
    ex = exchange_class(listed, rules=by_equity)
    for name, amount in (("bob", 10**7), ("alice", 12_000)):
        ex.deposit(name, "USDT", amount)
    for name in ("I0", "I1"):
        ex.mark(name, HOME)
    assert take(ex, "I0", "buy", 100, HOME).filled
    ex.order("alice", "I1", "buy", 4, price=HOME).ok()
    ex.mark("I0", HOME)
    assert ex.order("bob", "I1", "sell", 4, price=HOME).filled
    ex.mark("I0", HOME)
    ex.mark("I1", 1)
    for price in range(42_000, 41_000, -10):
        assert not [each for each in ex.mark("I0", price).events if each.type == EventType.LIQUIDATION]
        ex.check()
