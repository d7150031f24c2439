"""Instruments that come, pause and go while the exchange runs; and hostile ones, which never stop it."""

import struct
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest

import solvent
import solvent.reference
from solvent import Code, EventType, Funding, Index, InputError, Instrument, PriceModel, Rejected, Tier, Trigger, rules
from solvent.instrument import Spec
from solvent.limits import DAY_NS, FINE, MODEL_PRICE_TICKS, MONEY_MAX, PRICE_TICKS_MAX, RATE
from solvent.records import NO_INSTRUMENT, CommandType, Ending, Listing, Posting, command, decode, extension
from solvent.spec import from_records, highest_power_curve, to_records

X, N = "X", "N"
SECOND_NS = 10**9
BASE = Instrument(X, contract_size=1, tick=1, max_price=10_000, tiers=[Tier(1_000, "0.005", "0.01")])
MODEL = PriceModel(components=["index", "last"], sample_ns=SECOND_NS, index=Index(sources={"s": 1, "t": 2}),
                   funding=Funding(interval_ns=10 * SECOND_NS, impact=1_000))  # fmt: skip
SMALL = {"contract_size": 1, "tick": 1, "max_price": 10_000}
ADDED = {
    "linear, whole": Instrument(N, tiers=[Tier(50, "0.005", "0.01"), Tier(1_000, "0.01", "0.02")], **SMALL),
    "inverse, deduction": Instrument(
        N, kind="inverse", settle_decimals=9, basis="notional", scheme="deduction", max_size=10**6, contract_size=1_000,
        tick=1, max_price=10_000, tiers=[Tier(100, "0.005", "0.01"), Tier(10**6, "0.01", "0.02")],
    ),
    "quanto, slope": Instrument(
        N, kind="quanto", scheme="slope", tiers=[Tier(1_000, "0.005", "0.01")], maintenance_curve="0.0001",
        initial_curve="0.0002", fee_tiers=[(1, "0", "0.0004")], **SMALL,
    ),
    "linear, power, modelled": Instrument(
        N, scheme="power", tiers=[Tier(1_000, "0.005", "0.01")], maintenance_curve="0.00001", initial_curve="0.00002",
        prices=MODEL, **SMALL,
    ),
}  # fmt: skip


def exchange(make, *more, decimals=6, rule="seed", **deposits):
    ex = make([replace(BASE, settle_decimals=decimals), *more], rules=rule)
    for name, amount in ({"m": 10**6, "a": 10**5} | deposits).items():
        ex.deposit(name, "USDT", amount)
    ex.mark(X, 1_000)
    return ex


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
    ex.set_leverage("b", N, 20)
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
def test_an_instrument_is_added_and_lives_like_any_other(make, what):
    life(exchange(make, decimals=ADDED[what].settle_decimals), ADDED[what])


@pytest.mark.parametrize("what", ADDED)
def test_both_implementations_have_one_digest(what):
    made = [exchange(module.Exchange, decimals=ADDED[what].settle_decimals) for module in (solvent, solvent.reference)]
    assert made[0].digest() == made[1].digest()
    assert len({life(ex, ADDED[what]) for ex in made}) == 1


def test_what_may_not_be_added(make):
    ex = exchange(make)
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
    plain = exchange(make, rule=replace(rules.find("seed"), net_hedges=False))
    with pytest.raises(InputError, match="nets hedges"):
        plain.add_instrument(replace(BASE, name=N, basis="net"))


def test_an_added_instrument_has_no_price_and_no_positions(make):
    ex = exchange(make)
    ex.add_instrument(replace(BASE, name=N))
    assert ex.order("a", N, "buy", 1, price=1_000).code == Code.NO_MARK
    refused(Code.NO_MARK, ex.settle_funding, N, "0.01", 1)
    refused(Code.NO_MARK, ex.delist, N)
    assert ex.position("a", N).size == 0 and ex.position("a", N).mark_price is None
    ex.delist(N, 1_000)


# --- Hostile instruments

HOSTILE = (0, -1, 1, 2**31, 2**53, 2**62, 2**63 - 1, -(2**63))
ALLOWED = {Code.OK, Code.BAD_INSTRUMENT, Code.UNKNOWN_CURRENCY, Code.INSTRUMENT_EXISTS}
ACCOUNTS = range(16, 20)
TOGETHER = MONEY_MAX >> 6  # no position is worth more, so that all of them and what they gain stay within 2**62


class Pair:
    """Both kernels with the same rules and accounts; every command must have the same answer and events."""

    def __init__(self, r: Random, decimals: int):
        # What is added counts its currency as those do that are there: one unit a tick and lot, in whatever precision.
        base = replace(BASE, settle_decimals=decimals, contract_size=Decimal(1).scaleb(-decimals))
        drawn = {"orders": r.choice(["ignored", "notional", "fee"]), "funding_cap": r.random() < 0.5}
        rule = replace(rules.find(r.choice(["seed", "okx_consistent"])), **drawn)
        self.r, self.now, self.period = r, 0, 0
        self.kernels = [module.Exchange([base], rules=rule)._kernel for module in (solvent, solvent.reference)]
        for i in ACCOUNTS:
            name = f"a{i}".encode().ljust(64, b"\0")
            self.send(CommandType.OPEN_ACCOUNT, name, order_id=16 if i == 18 else 0)
            self.send(CommandType.DEPOSIT, account=i, amount=r.choice([MONEY_MAX // 8, 10**9]))

    def send(self, kind, second=b"", **fields) -> Code:
        record = command(kind, records=1 + len(second) // 64, time_ns=self.now, **fields) + second
        begins = [kernel.next_seq for kernel in self.kernels]
        codes = [kernel.apply(record) for kernel in self.kernels]
        events = [bytes(kernel.view(begin, kernel.next_seq)) for kernel, begin in zip(self.kernels, begins, strict=True)]
        assert codes[0] == codes[1] and events[0] == events[1], f"{CommandType(kind).name} {record.hex()}"
        return Code(codes[0])

    def compare(self):
        core, twin = self.kernels
        assert core.state() == twin.state() and core.accounts_bytes() == twin.accounts_bytes()
        assert core.positions_bytes() == twin.positions_bytes() and core.check() is twin.check() is None

    # --- a session

    def price(self, spec: Spec) -> int:
        """Near the mark, or anywhere that is legal."""
        mark, r = self.kernels[0].mark_ticks(1), self.r
        if not mark or r.random() < 0.1:
            mark = r.choice([spec.max_price_ticks, r.randint(1, spec.max_price_ticks), max(1, spec.max_price_ticks // 1_000)])
        mark += r.choice([-1, 1]) * r.choice([0, 0, 1, mark // 1_000, mark // 20])
        return max(1, min(spec.max_price_ticks, mark))

    def order(self, spec: Spec) -> Code:
        r, account, side = self.r, self.r.choice(ACCOUNTS), self.r.randrange(2)
        hedged = any(row[0] == 1 and row[8] for row in self.kernels[0].positions(account))
        leg = r.choice([1, 2]) if hedged else 0
        price, flags = self.price(spec), r.choice([0, 0, 0, 2, 4])
        most = max(1, min(spec.max_size_lots, TOGETHER // (spec.units * (1 if spec.kind == 1 else spec.max_price_ticks))))
        terms: dict[str, int] = {"hedge_side": leg}
        if r.random() < 0.1:
            terms |= {"trigger_kind": r.choice([1, 2]), "trigger_ticks": self.price(spec), "trigger_source": r.randrange(3)}
        return self.send(
            CommandType.ORDER, extension(**terms), account=account, instrument=1, side=side, flags=flags,
            tif=1 if flags & 4 else r.choice([0, 0, 1, 2]), price_ticks=0 if flags & 4 else price, mode=r.randrange(5),
            size_lots=r.choice([1, most, most // 2 + 1, r.randint(1, most)]),
        )  # fmt: skip

    def tell(self, spec: Spec) -> Code:
        r, sources = self.r, len(spec.prices[5]) if spec.prices else 0
        kind = CommandType.SOURCE if sources else CommandType.INDEX if spec.prices else CommandType.MARK
        kind = CommandType.INDEX if r.random() < 0.1 else kind
        fields = {"order_id": r.randrange(sources + 1), "amount": r.choice([0, 1, -FINE // 2, FINE // 2])}
        return self.send(kind, instrument=1, price_ticks=self.price(spec), **(fields if kind == CommandType.SOURCE else {}))

    def other(self, spec: Spec) -> Code:
        r, account = self.r, self.r.choice(ACCOUNTS)
        self.period += 1
        common = {"account": account, "instrument": 1}
        rows = self.kernels[0].orders_of(account)
        amend = {"order_id": r.choice(rows)[0] if rows else 0, "size_lots": r.randint(1, 9), "price_ticks": self.price(spec)}
        leg, most = r.randrange(3), spec.tiers[0][2]
        return r.choice([
            lambda: self.send(CommandType.FUNDING, instrument=1, amount=r.choice([1, -(10**6)]), order_id=self.period),
            lambda: self.send(CommandType.SET_LEVERAGE, side=leg, mode=leg & 1, amount=r.choice([1, most]), **common),
            lambda: self.send(CommandType.SET_POSITION_MODE, mode=r.randrange(2), **common),
            lambda: self.send(CommandType.MOVE_MARGIN, side=leg, amount=r.choice([-1, 1]) * 10 ** r.randrange(12), **common),
            lambda: self.send(CommandType.AMEND, account=account, **amend),
            lambda: self.send(CommandType.MASS_CANCEL, account=account, instrument=NO_INSTRUMENT, side=2),
            lambda: self.send(CommandType.WITHDRAW, account=account, amount=10 ** r.randrange(18)),
        ])()  # fmt: skip

    def session(self, spec: Spec, commands: int):
        """Trading in instrument 1, to its end."""
        r = self.r
        for account in ACCOUNTS[:2]:
            self.send(CommandType.SET_POSITION_MODE, account=account, instrument=1, mode=r.randrange(2))
        for _ in range(len(spec.prices[5]) if spec.prices else 1):
            self.tell(spec)
        for _ in range(commands):
            if r.random() < 0.1:
                self.now = min(2**63 - 1, self.now + r.choice([1, SECOND_NS, DAY_NS, r.choice([1, 2**60])]))
            r.choices([self.order, self.tell, self.other], [5, 2, 2])[0](spec)
        self.compare()
        self.send(CommandType.SETTLE, instrument=1, price_ticks=r.choice([0, self.price(spec)]))
        self.compare()


def attack(r: Random, data: bytes, commands=12):
    """Sends an instrument in whatever shape; one that is accepted is traded in. The answer."""
    found = from_records(data)
    pair = Pair(r, found[2].decimals if found else 6)
    code = pair.send(CommandType.ADD_INSTRUMENT, data)
    assert code in ALLOWED
    if code == Code.OK:
        pair.session(found[2], commands)
    else:
        pair.compare()
    return code


@pytest.mark.parametrize("what", ADDED)
def test_every_word_of_an_instrument_overwritten(seed, what):
    """No crash, no halt, one answer; what is accepted can be traded in."""
    r = Random(seed)
    data = to_records(N, ADDED[what].spec, 0)
    answers = [attack(r, data, 60)]
    for at in range(0, len(data), 8):
        for value in HOSTILE:
            answers.append(attack(r, data[:at] + struct.pack("<q", value) + data[at + 8 :]))
    assert answers[0] == Code.OK and {Code.OK, Code.BAD_INSTRUMENT, Code.UNKNOWN_CURRENCY} <= set(answers)


def test_random_bytes_are_no_instrument(seed):
    """Any number of records; garbage, or a valid one cut, prolonged, shifted or with single bytes changed."""
    r = Random(seed)
    for _ in range(400):
        data = to_records(N, r.choice(list(ADDED.values())).spec, 0)
        way, at = r.randrange(5), r.randrange(len(data))
        if way == 0:
            data = r.randbytes(64 * r.choice([0, 1, 2, 20, 254]))
        elif way == 1:
            data = data[: at // 64 * 64]
        elif way == 2:
            data += bytes(64 * r.randrange(1, 254 - len(data) // 64))
        elif way == 3:
            data = data[:64] + data[64 + 8 :] + bytes(8)
        else:
            data = data[:at] + r.randbytes(1) + data[at + 1 :]
        attack(r, data)


def test_lengths_of_the_command(make):
    """What the header says must be what is there; a bare header is no instrument."""
    kernel = exchange(make)._kernel
    data = to_records(N, BASE.spec, 0)
    assert kernel.apply(command(CommandType.ADD_INSTRUMENT)) == Code.BAD_INSTRUMENT
    for records in (0, 1, 2, len(data) // 64, 255):
        assert kernel.apply(command(CommandType.ADD_INSTRUMENT, records=records) + data) == Code.BAD_RECORD


def extreme(r: Random) -> Spec:
    """Terms at the bounds of Spec.check, and anywhere between them; the worth of the highest size stays below TOGETHER."""
    kind, modelled = r.randrange(3), r.random() < 0.3
    top = r.choice([1, 2, 2**10, 2**24, MODEL_PRICE_TICKS if modelled else PRICE_TICKS_MAX >> 6])
    top = min(top, TOGETHER // 10**4) if kind == 1 else top
    shortest = 10**4 * top if kind == 1 else 1
    room = TOGETHER // (1 if kind == 1 else top)
    units = r.choice([shortest, room, r.randint(shortest, room)])
    lots = r.choice([room // units, max(1, room // units // 1_000)])
    worth = lots * units * (1 if kind == 1 else top)
    scheme = r.randrange(4)
    basis = r.randrange(3 if scheme == 1 else 4)
    taker, fee = r.choice([0, 1, 500_000, RATE // 2 - 1]), r.choice([0, 1, 500_000])
    maker = r.choice([-taker, 0, taker])
    last = lots if basis in (0, 3) else worth
    tops = sorted({r.randint(1, last), last, r.choice([last, MONEY_MAX])})[scheme // 2 * -1 :]
    rates = sorted(r.choice([1, 2, 5 * 10**6, 10**8, RATE - fee]) for _ in tops)
    decimals = r.choice([0, 6, 9, 18])
    highest = {2: min(MONEY_MAX, MONEY_MAX * RATE // lots), 3: highest_power_curve(decimals, worth)}.get(scheme, 0)
    expiry = r.choice([0, 1, 5 * SECOND_NS, 2**62 - 1]) if modelled else 0
    curves = sorted(r.choice([0, highest, r.randint(0, highest)]) for _ in range(2))
    return Spec(
        kind=kind, units=units, decimals=decimals, max_price_ticks=top, max_size_lots=lots, maker_fee_ppb=maker,
        taker_fee_ppb=taker, liquidation_fee_ppb=fee, default_leverage=1, basis=basis, scheme=scheme,
        maintenance_curve=curves[0], initial_curve=curves[1], at_entry=r.randrange(2),
        expiry_ns=expiry, settle_window_ns=min(expiry, r.randrange(2)),
        fee_tiers=((1, maker, taker), (MONEY_MAX, 0, 0)) if maker > 0 and r.random() < 0.5 else (),
        tiers=tuple((at, rate, RATE // rate, rate) for at, rate in zip(tops, rates, strict=True)),
        prices=extreme_model(r, units if kind == 1 else 1) if modelled else None,
    )  # fmt: skip


def extreme_model(r: Random, lots: int) -> tuple:
    sources = tuple((r.choice([1, 2**20]), group) for group in (0, 1) for _ in range(r.choice([0, 1, 16])))
    internal = sum(1 for _, group in sources if not group)
    if not internal:
        sources = ()
    interval = r.choice([0, SECOND_NS, 3 * SECOND_NS + 1, DAY_NS])
    return (
        r.randrange(1, 128 if len(sources) > internal else 64), r.choice([10**6, SECOND_NS, interval or DAY_NS]),
        r.choice([1, 4_096]), r.choice([10**6, RATE]), r.choice([0, 1, RATE - 1]), sources, r.choice([1, SECOND_NS, 2**62]),
        r.choice([1, RATE]), r.randrange(2), r.choice([1, max(1, internal)]), r.randrange(2), interval,
        r.choice([0, max(0, interval - 1)]), r.randrange(3), r.choice([1, MONEY_MAX // lots]), r.randrange(2),
        r.choice([-RATE, 0, RATE]), r.choice([0, RATE]), r.choice([0, RATE - 1]), r.choice([1, 10**6]), r.choice([1, 10**6]),
        r.randrange(2),
    )  # fmt: skip


def test_instruments_at_the_bounds(seed):
    """Whatever Spec.check lets in can be traded in: both kernels agree, neither stops."""
    r, valid = Random(seed), 0
    for _ in range(400):
        spec = extreme(r)
        try:
            spec.check(N)
        except InputError:
            continue
        valid += 1
        pair = Pair(r, spec.decimals)
        assert pair.send(CommandType.ADD_INSTRUMENT, to_records(N, spec, 0)) == Code.OK
        pair.session(spec, 60)
    assert valid >= 100


# --- Halts


def test_a_halted_instrument_takes_no_orders(make):
    """Nothing new, dormant ones neither, nothing that would leave its place; cancels, modes and leverage go on."""
    ex = exchange(make)
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
    ex.set_leverage("a", X, 20)
    ex.set_position_mode("a", X, "hedge")
    ex.halt(X, resume=True)
    assert ex.order("a", X, "buy", 1, price=990, leg="long")


def test_what_does_not_stop_in_a_halt(make):
    """Marks, funding and a liquidation, whose house trades with what rests; a trigger fires, and is refused."""
    ex = exchange(make, b=300)
    ex.set_leverage("b", X, 20)
    trade(ex, X, 4, who="b")
    bid = ex.order("a", X, "buy", 3, price=970).ok()
    stop = ex.order("a", X, "sell", 3, price=900, trigger=Trigger.stop(980)).ok()
    ex.halt(X)
    assert of(ex.settle_funding(X, "0.0001", 1).events, EventType.FUNDED)[0].collected_units == 400_000
    events = ex.mark(X, 950).events
    assert [(e.order_id, e.code) for e in of(events, EventType.DONE) if e.ending == Ending.TRIGGER_REFUSED] == [
        (stop.order_id, Code.NOT_TRADING)
    ]
    assert [(e.maker_order_id, e.size_lots) for e in of(events, EventType.TRADE)] == [(bid.order_id, 3)]
    assert (ex.position("b", X).size, ex.position("a", X).size) == (0, 3)
    assert of(events, EventType.ADL)  # nobody else may come and buy the fourth
    ex.halt(X, resume=True)
    assert ex.order("a", X, "sell", 1, price=950)


def test_the_step_down_of_a_halted_instrument(make):
    """It is an order of the liquidated account, and goes on like the house's."""
    ex = make([replace(BASE, tiers=[Tier(10, "0.005", "0.01"), Tier(20, "0.01", "0.02"), Tier(30, "0.02", "0.04")])])
    for name, amount in (("m", 10**6), ("a", 2_000)):
        ex.deposit(name, "USDT", amount)
    ex.mark(X, 1_000)
    ex.set_leverage("a", X, 20, mode="cross")
    trade(ex, X, 25)
    ex.order("m", X, "buy", 15, price=931).ok()
    ex.halt(X)
    assert [e.size_lots for e in of(ex.mark(X, 935).events, EventType.STEP_DOWN)] == [15]
    assert ex.position("a", X).size == 10


def test_modes_of_a_listing(make):
    ex = exchange(make)
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
def test_everybody_is_settled_at_one_price(make, kind, price):
    """Cross, isolated and both legs of a hedge; without a fee, to the unit; residue has what inverse values round."""
    instrument = KINDS[kind]
    ex = exchange(make, instrument, decimals=instrument.settle_decimals, b=10**5, c=10**5)
    ex.mark(N, 1_000)
    ex.set_leverage("b", N, 10)
    ex.set_position_mode("c", N, "hedge")
    ex.set_leverage("c", N, 5, leg="short")
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
def test_the_bankrupt_are_covered_by_the_fund_and_then_by_the_deficit(make, mode, fund):
    """A long of 10 at 1,000 with 105 - 5 behind it is settled at 950: 400 are missing; the winner has all of his 500."""
    ex = exchange(make, b=105 if mode == "cross" else 1_000)
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


def test_a_wallet_below_zero_stands_with_what_is_still_open(make):
    """Settled in one instrument at a loss of 500, b has a profit of 600 in another: nobody covers anything yet."""
    ex = exchange(make, replace(BASE, name=N), b=260)
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
def test_a_resting_parcel_is_settled_with_the_fund(make, price, gain):
    """b's long of 10 is taken over for 10,000 less 102 of margin; above that the fund gains, below it pays."""
    ex = exchange(make, b=1_000)
    ex.seed_fund("USDT", 1_000)
    ex.set_leverage("b", X, 100)
    trade(ex, X, 10, who="b")
    ex.move_margin("b", X, 2)
    ex.mark(X, 995)
    [parcel] = ex.parcels()
    assert parcel.size == 10 and parcel.cost == 9_898 and parcel.order_id
    fund = ex.fund("USDT")
    ack = ex.delist(X, price)
    assert not ex.parcels() and ex.fund("USDT") - fund == gain and ex.deficit("USDT") == 0
    assert [e.gain_units for e in of(ack.events, EventType.PARCEL)] == [gain * 10**6]


def test_all_is_refused_afterwards(make):
    """The name stays, and with it an empty instrument in which nothing can be done any more."""
    ex = exchange(make, ADDED["linear, power, modelled"])
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
def test_a_dated_contract_is_settled_by_the_clock(make, after):
    """At its index, averaged over seconds 7 to 10: 1,000, twice 1,100, and 1,300 once more however far time jumps."""
    ex = exchange(make, DATED)
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


def test_a_command_that_passes_the_expiry_comes_too_late(make):
    """The settlement is behind its BEGIN, before it; without samples in a window the index is what it was."""
    ex = exchange(make, replace(DATED, settle_window_ns=0))
    ex.index(N, 1_000)
    trade(ex, N, 1)
    ex.index(N, 1_017)
    a = ex.account("a").account_id
    record = command(CommandType.ORDER, time_ns=99 * SECOND_NS, account=a, instrument=1, price_ticks=900, size_lots=1)
    assert ex._kernel.apply(record) == Code.NOT_TRADING
    assert closed_at(ex) == [1_017] and ex.position("a", N).size == 0


def test_contracts_expire_in_order_and_while_halted(make):
    """A jump over three expiries settles each at its own; one of them is halted, and all are in one account's wallet."""
    dated = [replace(DATED, name=f"D{k}", expiry_ns=k * SECOND_NS, settle_window_ns=0) for k in (3, 1, 2)]
    ex = exchange(make, *dated)
    for each in dated:
        ex.index(each.name, 1_000)
        trade(ex, each.name, 1)
        ex.index(each.name, 1_010)
    ex.halt("D1")
    ex.advance(100 * SECOND_NS)
    assert [e.instrument for e in of(history(ex), EventType.LISTING_CHANGED)] == [2, 2, 3, 1]
    assert not [p for p in ex.account("a").positions.values() if p.size]
    assert ex.account("a").equity == 10**5 + 30 - Decimal("1.5")


# --- What such attacks found


def test_an_index_beyond_the_fixed_point_of_models_is_what_was_told(make):
    """Without a model nobody needs more than ticks; in millionths of them this price would leave 64 bits."""
    ex = make([Instrument("X", contract_size=1, tick="0.000001", max_price=10**8, tiers=[Tier(1_000, "0.005", "0.01")])])
    ex.mark("X", 10**7)
    (event,) = [e for e in ex.index("X", 10**7).events if e.type == EventType.INDEXED]
    assert (event.price_ticks, event.index_fine) == (10**13, 0) == (ex._kernel.prices(0)[2], 0)


def test_a_flip_whose_limit_lies_below_every_price(make):
    """A short that cannot pay the fee of closing at the lowest tick: its order trades nothing and is asked for margin."""
    terms = {"contract_size": 1, "tick": 1, "max_price": 1_000, "settle": "BTC", "settle_decimals": 8}
    fees = {"liquidation_fee": "0.0001", "taker_fee": "0.0075", "maker_fee": "0.0075"}
    ex = make([Instrument("X", kind="inverse", tiers=[Tier(1_000, "0.005", "0.01")], **terms, **fees)])
    for name in "ab":
        ex.deposit(name, "BTC", 1_000)
    ex.mark("X", 1)
    ex.set_leverage("a", "X", 100)
    ex.order("b", "X", "buy", 100, price=1).ok()
    assert ex.order("a", "X", "sell", 100, price=1).filled == 100
    ex.settle_funding("X", "-0.0049", 1)
    assert ex.order("a", "X", "buy", 101, price=1).filled == 0


def test_what_is_added_goes_with_the_clock_and_the_currency(make):
    """Records of an instrument that has expired, or counts its currency in other units, are refused by the kernel."""
    ex = make([Instrument("X")])
    ex.advance(5)
    model = PriceModel(components=["index"])
    old = Instrument("OLD", prices=model, expiry_ns=5).spec
    for name, spec in (("OLD", old), ("FINER", Instrument("FINER", settle_decimals=9, max_price=70_000).spec)):
        data = to_records(name, spec, 0)
        record = command(CommandType.ADD_INSTRUMENT, records=1 + len(data) // 64, time_ns=5)
        assert ex._kernel.apply(record + data) == Code.BAD_INSTRUMENT
