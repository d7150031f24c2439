"""Hostile instruments: words overwritten, garbage, terms at every bound; whatever is accepted is traded in, on both kernels.

Owns the attack on ADD_INSTRUMENT and what it found. No byte string stops the process or an exchange.
"""

import struct
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest

import solvent
import solvent.reference
from solvent import Code, EventType, InputError, Instrument, PriceModel, Rates, Tier, rules
from solvent.records import NO_INSTRUMENT, CommandType, Weighting, command, extension
from solvent.schema.limits import (
    DAY_NS,
    FINE,
    MODEL_PRICE_TICKS,
    MONEY_MAX,
    PREMIUM_BOUND,
    PRICE_TICKS_MAX,
    RATE,
    SIZE_LOTS_MAX,
)
from solvent.schema.terms import ModelTerms, names_of
from solvent.terms.spec import Spec, from_records, highest_power_curve, to_records
from support.listings import ADDED, BASE, SECOND_NS, N, exchange

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
        hedged = any(row[0] == 1 and row[10] for row in self.kernels[0].positions(account))
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
        r, sources = self.r, len(spec.prices.sources) if spec.prices else 0
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
        leg, most, parts = r.randrange(3), spec.tiers[0][2], r.choice([1, 3, 100])
        return r.choice([
            lambda: self.send(CommandType.FUNDING, instrument=1, amount=r.choice([1, -(10**6)]), order_id=self.period),
            lambda: self.send(CommandType.SET_LEVERAGE, side=leg, mode=leg & 1, size_lots=r.choice([0, 0, 1, 3]),
                              amount=r.choice([parts, most * parts // 100, most]), order_id=parts, **common),
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
        for _ in range(len(spec.prices.sources) if spec.prices else 1):
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


@pytest.mark.long
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


def test_lengths_of_the_command(strict_exchange):
    """What the header says must be what is there; a bare header is no instrument."""
    kernel = exchange(strict_exchange)._kernel
    data = to_records(N, BASE.spec, 0)
    assert kernel.apply(command(CommandType.ADD_INSTRUMENT)) == Code.BAD_INSTRUMENT
    for records in (0, 1, 2, len(data) // 64, 255):
        assert kernel.apply(command(CommandType.ADD_INSTRUMENT, records=records) + data) == Code.BAD_RECORD


EXTREMES = (*HOSTILE, 2, 3, 4, 5, 10**4, 10**9, 10**9 + 1, 2**16, 2**32, 2**39, -(10**9))
FACTORS = Instrument(N, scheme="factor", tiers=[Tier(50, "0.005", "0.01"), Tier(1_000, "0.01", "0.02")], contract_size=1,
                     tick=1, max_price=10_000, rates=[Rates(["0.004", "0.01"], max_leverage=5)])  # fmt: skip


def bent(r: Random, words: list[int]) -> list[int]:
    """The words of an instrument with a few of them replaced, moved, exchanged, doubled or lost."""
    words = list(words)
    for _ in range(r.choice([1, 1, 1, 2, 4])):
        at, other, way = r.randrange(len(words)), r.randrange(len(words)), r.randrange(8)
        if way < 3:
            words[at] = r.choice(EXTREMES)
        elif way == 3:
            words[at] = max(-(2**63), min(2**63 - 1, words[at] + r.choice([-1, 1, -words[at] // 2, words[at]])))
        elif way == 4:
            words[at], words[other] = words[other], words[at]
        elif way == 5:  # tiers, fees and sources are rows of two to four
            width = r.randrange(2, 5)
            words[at : at + width], words[at + width : at + 2 * width] = (
                words[at + width : at + 2 * width], words[at : at + width],
            )  # fmt: skip
        elif way == 6:
            words[at] = words[other]
        else:
            words[at:at] = words[other : other + 4]
    return words if r.random() < 0.9 else [r.choice(EXTREMES) for _ in words]


def test_any_words_are_answered_alike(seed):
    """Thousands of instruments bent out of shape: both kernels give one code, one state, and no exception of Python's.

    A tier with an initial rate of zero used to divide by it in the reference, where the core answered BAD_INSTRUMENT."""
    r = Random(seed)
    specs = [each.spec for each in (*ADDED.values(), FACTORS, replace(FACTORS, hedge="larger", basis="net", tier_group=1))]
    specs += [spec for spec in (extreme(r) for _ in range(200)) if not refuses(spec)]
    pair, added, answers = Pair(r, 6), 0, set()
    for i in range(6_000):
        spec = r.choice(specs)
        words = bent(r, spec.words(0)) if i % 8 else spec.words(0)
        name = f"N{i}".encode().ljust(64, b"\0")
        data = name + struct.pack(f"<{len(words)}q", *words)
        code = pair.send(CommandType.ADD_INSTRUMENT, (data + bytes(-len(data) % 64))[: 254 * 64])
        assert code in ALLOWED
        answers.add(code)
        added += code == Code.OK
        if added == 20:
            pair.compare()
            pair, added = Pair(r, r.choice([0, 6, 9, 18])), 0
    pair.compare()
    assert answers >= {Code.OK, Code.BAD_INSTRUMENT, Code.UNKNOWN_CURRENCY}


def refuses(spec: Spec) -> bool:
    try:
        spec.check(N)
    except InputError:
        return True
    return False


@pytest.mark.parametrize("what", ["initial", "sample_ns", "top", "units", "max_size_lots", "max_price_ticks"])
def test_a_zero_that_something_is_divided_by(what):
    """Each is refused by its own rule, before anything is computed with it."""
    spec = FACTORS.spec
    if what == "initial":
        spec = replace(spec, tiers=tuple((top, rate, most, 0) for top, rate, most, _ in spec.tiers))
    elif what == "top":
        spec = replace(spec, tiers=((0, *spec.tiers[0][1:]), *spec.tiers[1:]))
    elif what == "sample_ns":
        modelled = ADDED["linear, power, modelled"].spec
        by_index = replace(modelled.prices, sample_ns=0, weighting=Weighting.INDEX_WEIGHTS, bound_ppb=RATE, trailing=0)
        spec = replace(modelled, prices=by_index)
    else:
        spec = replace(spec, **{what: 0})
    data = to_records(N, spec, 0)
    assert refuses(spec) and from_records(data) is None
    for module in (solvent, solvent.reference):
        kernel = module.Exchange([BASE])._kernel
        before = kernel.state()
        assert kernel.apply(command(CommandType.ADD_INSTRUMENT, records=1 + len(data) // 64) + data) == Code.BAD_INSTRUMENT
        assert kernel.state() == before


def extreme(r: Random) -> Spec:
    """Terms at the bounds of Spec.check, and anywhere between them; the worth of the highest size stays below TOGETHER."""
    kind, modelled = r.randrange(3), r.random() < 0.3
    top = r.choice([1, 2, 2**10, 2**24, MODEL_PRICE_TICKS if modelled else PRICE_TICKS_MAX >> 6])
    top = min(top, TOGETHER // 10**4) if kind == 1 else top
    shortest = 10**4 * top if kind == 1 else 1
    room = TOGETHER // (1 if kind == 1 else top)
    units = r.choice([shortest, room, r.randint(shortest, room)])
    lots = min(SIZE_LOTS_MAX, r.choice([room // units, max(1, room // units // 1_000)]))
    worth = lots * units * (1 if kind == 1 else top)
    scheme = r.randrange(5)
    basis = r.randrange(3 if scheme == 1 else 4)
    taker, fee = r.choice([0, 1, 500_000, RATE // 2 - 1]), r.choice([0, 1, 500_000])
    own_fee = int(taker == fee and r.random() < 0.5)
    maker = r.choice([-taker, 0, taker])
    last = lots if basis in (0, 3) else worth
    tops = sorted({r.randint(1, last), last, r.choice([last, MONEY_MAX])})[-1 if scheme in (2, 3) else 0 :]
    rates = sorted(r.choice([1, 2, 5 * 10**6, 10**8, RATE - fee]) for _ in tops)
    rest = [(100, RATE) if scheme == 4 else (100 * RATE // rate, rate) for rate in rates]
    decimals = r.choice([0, 6, 9, 18])
    highest = {2: min(MONEY_MAX, MONEY_MAX * RATE // lots), 3: highest_power_curve(decimals, worth)}.get(scheme, 0)
    expiry = r.choice([0, 1, 5 * SECOND_NS, 2**62 - 1]) if modelled else 0
    pairs = list(zip(rates, (row[-1] for row in rest), strict=True))
    others = [sorted(r.choice([1, *pair]) for pair in pairs) for _ in range(r.randrange(3))]
    curves = sorted(r.choice([0, highest, r.randint(0, highest)]) for _ in range(2))
    return Spec(
        kind=kind, units=units, decimals=decimals, max_price_ticks=top, max_size_lots=lots, maker_fee_ppb=maker,
        taker_fee_ppb=taker, liquidation_fee_ppb=fee, default_leverage=1, basis=basis, scheme=scheme,
        maintenance_curve=curves[0], initial_curve=curves[1], at_entry=r.randrange(2),
        expiry_ns=expiry, settle_window_ns=min(expiry, r.randrange(2)),
        tier_group=r.choice([0, 1, 2**31 - 1]) if basis == 3 else 0,
        fee_tiers=((1, maker, taker), (MONEY_MAX, 0, 0)) if maker > 0 and r.random() < 0.5 else (),
        tiers=tuple((at, rate, *rest) for at, rate, rest in zip(tops, rates, rest, strict=True)),
        rates=tuple((r.randrange(3), r.choice([0, 1, RATE]), tuple(each)) for each in others), larger_leg=r.randrange(2),
        own_fee=own_fee,
        prices=extreme_model(r, units if kind == 1 else 1, expiry > 0) if modelled else None,
    )  # fmt: skip


def extreme_model(r: Random, lots: int, dated: bool) -> ModelTerms:
    sources = tuple((r.choice([1, 2**20]), group) for group in (0, 1) for _ in range(r.choice([0, 1, 16])))
    internal = sum(1 for _, group in sources if not group)
    if not internal:
        sources = ()
    interval = r.choice([0, SECOND_NS, 3 * SECOND_NS + 1, DAY_NS])
    weighting = r.randrange(3)
    drawn = (
        r.randrange(1, 128 if len(sources) > internal else 64) | 128 * (dated and r.randrange(2)),
        r.choice([10**6, SECOND_NS, interval or DAY_NS]),
        r.choice([1, 4_096]), r.choice([10**6, RATE]), r.choice([0, 1, RATE - 1]), sources, r.choice([1, SECOND_NS, 2**62]),
        r.choice([1, RATE]), r.randrange(2), r.choice([1, max(1, internal)]), r.randrange(2), interval,
        r.choice([0, max(0, interval - 1)]), r.randrange(4), r.choice([1, MONEY_MAX // lots]), weighting,
        RATE if weighting == 2 else r.choice([1, PREMIUM_BOUND * RATE]),
        r.choice([-RATE, 0, RATE]), *sorted(r.choice([-RATE, 0, RATE]) for _ in "ab"),
        r.choice([0, RATE - 1]), r.choice([1, 10**6]), r.choice([1, 10**6]),
        r.randrange(2), 0 if weighting else r.choice([0, 1, 32_768]), r.randrange(2), r.choice([0, 1, RATE]),
    )  # fmt: skip
    return ModelTerms(**dict(zip(names_of(ModelTerms), drawn, strict=True)))


@pytest.mark.long
def test_instruments_at_the_bounds(seed):
    """Whatever Spec.check lets in can be traded in: both kernels agree, neither stops."""
    r, valid = Random(seed), 0
    for _ in range(400):
        spec = extreme(r)
        if refuses(spec):
            continue
        valid += 1
        pair = Pair(r, spec.decimals)
        assert pair.send(CommandType.ADD_INSTRUMENT, to_records(N, spec, 0)) == Code.OK
        pair.session(spec, 60)
    assert valid >= 100


# --- What such attacks found


def test_an_index_beyond_the_fixed_point_of_models_is_what_was_told(strict_exchange):
    """Without a model nobody needs more than ticks; in millionths of them this price would leave 64 bits."""
    ex = strict_exchange(
        [Instrument("X", contract_size=1, tick="0.000001", max_price=10**8, tiers=[Tier(1_000, "0.005", "0.01")])]
    )
    ex.mark("X", 10**7)
    (event,) = [e for e in ex.index("X", 10**7).events if e.type == EventType.INDEXED]
    assert (event.price_ticks, event.index_fine) == (10**13, 0) == (ex._kernel.prices(0)[2], 0)


def test_a_flip_whose_limit_lies_below_every_price(strict_exchange):
    """A short that cannot pay the fee of closing at the lowest tick: its order trades nothing and is asked for margin."""
    terms = {"contract_size": 1, "tick": 1, "max_price": 1_000, "settle": "BTC", "settle_decimals": 8}
    fees = {"liquidation_fee": "0.0001", "taker_fee": "0.0075", "maker_fee": "0.0075"}
    ex = strict_exchange([Instrument("X", kind="inverse", tiers=[Tier(1_000, "0.005", "0.01")], **terms, **fees)])
    for name in "ab":
        ex.deposit(name, "BTC", 1_000)
    ex.mark("X", 1)
    ex.set_leverage("a", "X", 100, mode="isolated")
    ex.order("b", "X", "buy", 100, price=1).ok()
    assert ex.order("a", "X", "sell", 100, price=1).filled == 100
    ex.settle_funding("X", "-0.0049", 1)
    assert ex.order("a", "X", "buy", 101, price=1).filled == 0


def test_what_is_added_goes_with_the_clock_and_the_currency(strict_exchange):
    """Records of an instrument that has expired, or counts its currency in other units, are refused by the kernel."""
    ex = strict_exchange([Instrument("X")])
    ex.advance(5)
    model = PriceModel(components=["index"])
    old = Instrument("OLD", prices=model, expiry_ns=5).spec
    for name, spec in (("OLD", old), ("FINER", Instrument("FINER", settle_decimals=9, max_price=70_000).spec)):
        data = to_records(name, spec, 0)
        record = command(CommandType.ADD_INSTRUMENT, records=1 + len(data) // 64, time_ns=5)
        assert ex._kernel.apply(record + data) == Code.BAD_INSTRUMENT


@pytest.mark.parametrize("basis", ["notional", "entry"])
def test_leverage_before_the_first_mark(strict_exchange, basis):
    """Of no lots there need not be a price: this halted an inverse instrument whose tiers measure money."""
    terms = {"contract_size": 100, "tick": "0.5", "settle_decimals": 10, "max_price": 10**6, "max_size": 1_000}
    tiers = [Tier(1_000, "0.005", "0.01")]
    ex = strict_exchange([Instrument("I", kind="inverse", settle="XBT", basis=basis, tiers=tiers, **terms)])
    ex.deposit("a", "XBT", 1)
    ex.set_leverage("a", "I", 10, mode="isolated")
    assert ex.position("a", "I").leverage == 10
