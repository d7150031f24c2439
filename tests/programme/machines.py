"""Machines of Hypothesis: calls drawn by rules, each answer foretold by a model, a failure shortened (layer 7).

Owns five machines: a book against lists, money against sums, both exchanges against each other and the auditor, a journal on
a disk that dies, readers of the feed. A batch is one seed of each. What fails is kept in tests/programme/examples, and is
tried first from then on.
"""

from collections import Counter
from dataclasses import dataclass
from random import Random

import hypothesis
import hypothesis.strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

import solvent
import solvent.reference
from solvent import Book, FeedGap, Instrument
from solvent.auditor import Auditor
from solvent.codes import Rejected
from solvent.feed import Feed, Replica
from solvent.store.housekeeping import Limits
from support.crashes import Run
from support.kills import drawn
from support.places import ROOT

EXAMPLES = DirectoryBasedExampleDatabase(ROOT / "tests" / "programme" / "examples")
KINDS = (solvent.Exchange, solvent.reference.Exchange)
STEPS = 50  # of one history at most
BUY, SELL = "buy", "sell"
accounts, lots, prices = st.integers(1, 4), st.integers(1, 5), st.integers(96, 105)
sides, tifs = st.sampled_from((BUY, SELL)), st.sampled_from(("gtc", "ioc", "fok"))
names, instruments = st.sampled_from("abcd"), st.sampled_from("XY")
sizes, near = st.integers(1, 300), st.integers(97, 103)
steps: Counter[str] = Counter()


class Machine(RuleBasedStateMachine):
    """One that counts its steps."""

    @invariant()
    def count(self) -> None:
        steps[f"of_{type(self).__name__.lower()}"] += 1


@dataclass
class Resting:
    """An order as the model of a book has it."""

    order_id: int
    account: int
    price: int
    lots: int
    filled: int
    post_only: bool


class Books(Machine):
    """Two books of orders with limits, one compiled and one readable; the model is a list of orders on each side."""

    def __init__(self) -> None:
        super().__init__()
        self.books = [Book(seed=1), solvent.reference.Book(seed=1)]
        self.sides: dict[str, list[Resting]] = {BUY: [], SELL: []}  # the next to trade first

    def asked(self, method: str, *words, **terms) -> solvent.Ack:
        acks = [getattr(book, method)(*words, **terms) for book in self.books]
        assert repr(acks[0]) == repr(acks[1]) and [repr(e) for e in acks[0].events] == [repr(e) for e in acks[1].events]
        return acks[0]

    def drawn(self, data: st.DataObject) -> tuple[str, Resting]:
        return data.draw(st.sampled_from([(side, order) for side in (BUY, SELL) for order in self.sides[side]]))

    def crossing(self, side: str, price: int) -> list[Resting]:
        other = self.sides[SELL if side == BUY else BUY]
        return [order for order in other if (order.price <= price if side == BUY else order.price >= price)]

    def taken(self, account: int, side: str, price: int, size: int) -> int:
        """Trades against the other side; an own order there is cancelled. What was filled."""
        left, other = size, self.sides[SELL if side == BUY else BUY]
        for order in self.crossing(side, price):
            if left and order.account == account:
                other.remove(order)
            elif left:
                traded = min(left, order.lots)
                left, order.lots, order.filled = left - traded, order.lots - traded, order.filled + traded
                if not order.lots:
                    other.remove(order)
        return size - left

    def rest(self, side: str, order: Resting) -> None:
        found = self.sides[side]
        ahead = [each for each in found if (each.price >= order.price if side == BUY else each.price <= order.price)]
        found.insert(len(ahead), order)

    @rule(account=accounts, side=sides, size=lots, price=prices, tif=tifs, post_only=st.booleans())
    def order(self, account: int, side: str, size: int, price: int, tif: str, post_only: bool) -> None:
        post_only, there = post_only and tif == "gtc", self.crossing(side, price)
        others = sum(order.lots for order in there if order.account != account)
        ack = self.asked("order", account, side, size, price_ticks=price, tif=tif, post_only=post_only)
        assert bool(ack) == (not (post_only and there) and not (tif == "fok" and others < size))
        if not ack:
            assert ack.filled == 0
            return
        filled = self.taken(account, side, price, size)
        assert ack.filled == filled and ack.resting == (size - filled if tif == "gtc" else 0)
        if ack.resting:
            self.rest(side, Resting(ack.order_id, account, price, size - filled, filled, post_only))

    @precondition(lambda self: self.sides[BUY] or self.sides[SELL])
    @rule(data=st.data(), price=prices, left=lots)
    def amend(self, data: st.DataObject, price: int, left: int) -> None:
        side, order = self.drawn(data)
        stays, same = price == order.price and left <= order.lots, (price, left) == (order.price, order.lots)
        ack = self.asked("amend", order.account, order.order_id, price_ticks=price, remaining_lots=left)
        assert bool(ack) == (not same and not (order.post_only and self.crossing(side, price)))
        if not ack:
            return
        if not stays:
            self.sides[side].remove(order)
        traded = 0 if stays else self.taken(order.account, side, price, left)
        order.price, order.lots, order.filled = price, left - traded, order.filled + traded
        assert ack.filled == order.filled and ack.resting == order.lots
        if order.lots and not stays:
            self.rest(side, order)

    @precondition(lambda self: self.sides[BUY] or self.sides[SELL])
    @rule(data=st.data(), stranger=st.booleans())
    def cancel(self, data: st.DataObject, stranger: bool) -> None:
        side, order = self.drawn(data)
        assert bool(self.asked("cancel", order.account + stranger, order.order_id)) != stranger
        if not stranger:
            self.sides[side].remove(order)

    @rule(account=st.none() | accounts, side=st.none() | sides)
    def cancel_all(self, account: int | None, side: str | None) -> None:
        gone = 0
        for each in (BUY, SELL) if side is None else (side,):
            kept = [order for order in self.sides[each] if account not in (None, order.account)]
            gone += len(self.sides[each]) - len(kept)
            self.sides[each] = kept
        assert self.asked("cancel_all", account, side=side).filled == gone

    @invariant()
    def same(self) -> None:
        mine = [(o.order_id, o.account, o.price, o.lots) for side in (BUY, SELL) for o in self.sides[side]]
        for book in self.books:
            rows = [(row["order_id"], row["account"], row["price_ticks"], row["remaining_lots"]) for row in book.resting()]
            assert rows == mine
            book.check()
        assert self.books[0].digest() == self.books[1].digest()


class Money(Machine):
    """Wallets of families without positions; the model is a sum for each."""

    def __init__(self) -> None:
        super().__init__()
        self.faces = [kind([Instrument("X")], currencies={"EUR": 2}, seed=1) for kind in KINDS]
        self.cash: dict[str, Counter[str]] = {}
        self.parent: dict[str, str] = {}

    def asked(self, expected: bool, method: str, *words, **terms) -> None:
        """Both answer as foretold; what is refused leaves the state as it was."""
        for ex in self.faces:
            before = ex.digest()
            try:
                getattr(ex, method)(*words, **terms)
                done = True
            except Rejected:
                done = False
            assert done == expected and (done or ex.digest() == before)

    @rule(name=names, parent=st.none() | names)
    def open(self, name: str, parent: str | None) -> None:
        fine = name not in self.cash and (parent is None or (parent in self.cash and parent not in self.parent))
        self.asked(fine, "open_account", name, parent=parent)
        if fine:
            self.cash[name] = Counter()
            self.parent |= {} if parent is None else {name: parent}

    @rule(name=names, currency=st.sampled_from(("USDT", "EUR")), amount=st.integers(-1, 10**9))
    def deposit(self, name: str, currency: str, amount: int) -> None:
        self.asked(amount > 0, "deposit", name, currency, amount)
        if amount > 0:
            self.cash.setdefault(name, Counter())[currency] += amount

    @rule(name=names, currency=st.sampled_from(("USDT", "EUR")), amount=st.integers(-1, 10**9))
    def withdraw(self, name: str, currency: str, amount: int) -> None:
        fine = name in self.cash and 0 < amount <= self.cash[name][currency]
        self.asked(fine, "withdraw", name, currency, amount)
        if fine:
            self.cash[name][currency] -= amount

    @rule(name=names, to=names, currency=st.sampled_from(("USDT", "EUR")), amount=st.integers(-1, 10**9))
    def transfer(self, name: str, to: str, currency: str, amount: int) -> None:
        there = name in self.cash and to in self.cash and name != to
        related = there and self.parent.get(name, name) == self.parent.get(to, to)
        fine = related and 0 < amount <= self.cash[name][currency]
        self.asked(fine, "transfer", name, to, currency, amount)
        if fine:
            self.cash[name][currency] -= amount
            self.cash[to][currency] += amount

    @invariant()
    def same(self) -> None:
        for ex in self.faces:
            for name, wallets in self.cash.items():
                assert all(view.cash == wallets[currency] for currency, view in ex.account(name).wallets.items())
            ex.check()
        assert self.faces[0].digest() == self.faces[1].digest()


class Venues(Machine):
    """Both exchanges whole: positions, marks, funding, liquidations. Every event is the same, and the auditor follows."""

    def __init__(self) -> None:
        super().__init__()
        terms = {"contract_size": "0.01", "tick": "1", "max_price": 1_000}
        self.faces = [kind([Instrument("X", **terms), Instrument("Y", **terms)], seed=1, retain=True) for kind in KINDS]
        self.auditor = Auditor(self.faces[0])
        self.cursor = self.faces[0].cursor(begin=self.faces[0]._kernel.first_seq)
        for name in "abcd":
            self.asked("deposit", name, "USDT", 12)
        for instrument in "XY":
            self.asked("mark", instrument, 100)
            for name in "abcd":
                self.asked("set_leverage", name, instrument, 50, mode="cross" if name < "c" else "isolated")

    def asked(self, method: str, *words, **terms) -> None:
        said = []
        for ex in self.faces:
            begin = ex._kernel.next_seq
            try:
                answer = repr(getattr(ex, method)(*words, **terms))
            except Rejected as refused:
                answer = str(refused.code)
            said.append((answer, bytes(ex._kernel.view(begin, ex._kernel.next_seq)), ex.digest()))
        assert said[0] == said[1]
        self.auditor.follow(list(self.cursor))

    @rule(maker=names, taker=names, instrument=instruments, side=sides, size=sizes, price=near)
    def trade(self, maker: str, taker: str, instrument: str, side: str, size: int, price: int) -> None:
        self.asked("order", maker, instrument, side, size, price=price)
        self.asked("order", taker, instrument, SELL if side == BUY else BUY, size, price=price, tif="ioc")

    @rule(name=names, instrument=instruments, side=sides, size=sizes, price=near, tif=tifs, reduce_only=st.booleans())
    def order(self, name: str, instrument: str, side: str, size: int, price: int, tif: str, reduce_only: bool) -> None:
        self.asked("order", name, instrument, side, size, price=price, tif=tif, reduce_only=reduce_only)

    @rule(name=names, instrument=instruments, side=st.none() | sides)
    def cancel_all(self, name: str, instrument: str, side: str | None) -> None:
        self.asked("cancel_all", name, instrument, side=side)

    @rule(instrument=instruments, price=st.integers(85, 115))
    def mark(self, instrument: str, price: int) -> None:
        self.asked("mark", instrument, price)

    @rule(name=names, instrument=instruments, leverage=st.integers(1, 100), mode=st.sampled_from(("cross", "isolated", None)))
    def leverage(self, name: str, instrument: str, leverage: int, mode: str | None) -> None:
        self.asked("set_leverage", name, instrument, leverage, mode=mode)

    @rule(name=names, instrument=instruments, amount=st.integers(-5, 5))
    def move(self, name: str, instrument: str, amount: int) -> None:
        self.asked("move_margin", name, instrument, amount)

    @rule(name=names, method=st.sampled_from(("deposit", "withdraw")), amount=st.integers(1, 12))
    def pay(self, name: str, method: str, amount: int) -> None:
        self.asked(method, name, "USDT", amount)

    @rule(after=st.integers(1, 10**10))
    def advance(self, after: int) -> None:
        self.asked("advance", self.faces[0].time_ns + after)

    def teardown(self) -> None:
        steps.update({kind.lower(): self.auditor.counts[kind] for kind in ("TRADE", "LIQUIDATION", "TAKEOVER")})

    @invariant()
    def sound(self) -> None:
        for ex in self.faces:
            ex.check()
        self.auditor.check_safety()
        self.auditor.compare(self.faces[0])


class Journals(Machine):
    """A journal on a disk in memory: what was acknowledged is there after a death, what was synced after a loss of power."""

    def __init__(self) -> None:
        super().__init__()
        self.run = Run(1, 0, "interval", Limits(segment_bytes=4_096, snapshot_every=7))
        self.disk, self.random = self.run.disk, Random(1)
        self.ex = self.run.reopen(self.disk)
        self.plain = self.ex.fork()
        self.digests = [self.ex.digest()]

    @rule(count=st.integers(1, 6), together=st.booleans())
    def write(self, count: int, together: bool) -> None:
        begin = len(self.digests)
        records = [drawn(1, begin + n) for n in range(count)]
        for each in records:
            self.plain._kernel.apply(each)
            self.digests.append(self.plain.digest())
        if together:
            self.ex._keeper.run(memoryview(b"".join(records)))
        else:
            for each in records:
                self.ex._keeper.apply(each)

    @rule()
    def sync(self) -> None:
        self.ex.sync()

    @rule()
    def wait(self) -> None:
        self.disk.pass_time()

    @rule(kind=st.sampled_from(("close", "death", "power")), seed=st.integers(0, 2**32))
    def end(self, kind: str, seed: int) -> None:
        """The process ends, and another one recovers."""
        least = self.ex.journal.durable_sequence if kind == "power" else len(self.digests) - 1
        if kind == "close":
            self.ex.close()
        self.disk = self.disk.after_power_loss(Random(seed)) if kind == "power" else self.disk.after_death()
        self.ex = self.run.reopen(self.disk)
        count = self.ex.command_count
        assert least <= count < len(self.digests) and self.ex.digest() == self.digests[count]
        del self.digests[count + 1 :]
        self.plain = self.ex.fork()

    @invariant()
    def same(self) -> None:
        assert self.ex.digest() == self.digests[-1] and self.ex.command_count == len(self.digests) - 1


class Feeds(Machine):
    """A reader of the depth who sees every message, one who reads late, and one who misses some and is told."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Book(seed=1)
        self.feed = Feed(self.book)
        self.readers = [self.feed.subscribe("l2", limit=10**6), self.feed.subscribe("l2", conflate=True, limit=2)]
        self.replicas = [Replica(), Replica()]
        self.broken = Replica()

    @rule(account=accounts, side=sides, size=lots, price=prices, tif=tifs)
    def order(self, account: int, side: str, size: int, price: int, tif: str) -> None:
        self.book.order(account, side, size, price_ticks=price, tif=tif)

    @rule(account=accounts)
    def cancel_all(self, account: int) -> None:
        self.book.cancel_all(account)

    @rule(which=st.integers(0, 1))
    def read(self, which: int) -> None:
        for message in self.readers[which]:
            self.replicas[which].apply(message)
        now = self.feed.snapshot()
        assert self.replicas[which].snapshot()[3:] == now[3:]
        bids, asks = self.book.depth(1_000)
        assert [[row[:2] for row in side] for side in now[3:5]] == [bids, asks]

    @rule()
    def miss(self) -> None:
        """A reader who drops the first of several messages is told of the gap by the next one."""
        late = self.feed.subscribe("l2", limit=10**6)
        for price in (96, 97):
            self.book.order(1, BUY, 1, price_ticks=price)
        first, *more = late
        self.broken.apply(first)
        if len(more) > 1:
            try:
                self.broken.apply(more[1])
            except FeedGap:
                return
            raise AssertionError("a gap was not seen")


MACHINES = (Books, Money, Venues, Journals, Feeds)


def machines(seed: int, histories: int = 12) -> Counter[str]:
    """Some histories of each machine, drawn from one seed."""
    terms = hypothesis.settings(
        max_examples=histories, stateful_step_count=STEPS, deadline=None, database=EXAMPLES, print_blob=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    before = Counter(steps)
    for machine in MACHINES:
        seeded = hypothesis.seed(seed)(type(machine.__name__, (machine,), {}))
        run_state_machine_as_test(seeded, settings=terms)
    done = steps - before
    return Counter(steps=sum(done[name] for name in done if name.startswith("of_"))) + done
