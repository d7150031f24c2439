"""What must not change when the same history is told otherwise: mirrored, in other units, or in other portions.

Owns a stream of commands drawn from a seed without a look at any exchange, so that it can be told twice: with prices
mirrored, as an inverse contract's in place of a linear one's, or with sizes, contracts and deposits multiplied. And the
accounting of average entries, which says what of a cost a partial close takes along.
"""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest

from solvent import EventType, Instrument, Tier, rules
from solvent.records import PAYLOAD, Purse

WIDE = replace(
    rules.find("seed"), price_band_ppb=10**9 - 1, parcel_limit_ppb=10**9 - 1, step_limit_ppb=10**9 - 1
)  # bands around mark that no price of these streams reaches: they are not symmetric
MIDDLE = 1_000
FLIP = {"buy": "sell", "sell": "buy"}
UNIT = Decimal("0.000001")


def stream(seed: int, count: int, *, accounts: int, sizes: tuple[int, ...], gap: int = 100, prices=range(800, 1_201)) -> list:
    """Marks, orders and cancels, as tuples. Prices are indices into `prices`; a gap is so many of them."""
    r, top = Random(seed), len(prices) - 1
    mark, commands = top // 2, [("mark", prices[top // 2])]
    for _ in range(count):
        kind = r.random()
        if kind < 0.12:
            step = r.randint(-gap, gap) if r.random() < 0.3 else r.randint(-top // 40 - 1, top // 40 + 1)
            mark = min(top * 7 // 8, max(top // 8, mark + step))
            commands.append(("mark", prices[mark]))
        elif kind < 0.22:
            commands.append(("cancel", r.randrange(1, 40)))
        else:
            at = min(top, max(0, mark + r.randint(-top // 25 - 1, top // 25 + 1)))
            terms = {"tif": r.choice(["gtc", "gtc", "gtc", "ioc", "fok"]), "reduce_only": r.random() < 0.1}
            commands.append(
                ("order", f"u{r.randrange(accounts)}", r.choice(["buy", "sell"]), prices[at], r.choice(sizes), terms)
            )
    return commands


def play(ex, commands: list, *, price=lambda p: p, flip: bool = False, times: int = 1):
    """Sends the commands, told anew, and gives the events of each."""
    sent = []
    for name, *rest in commands:
        if name == "mark":
            yield ex.mark("I", price(rest[0])).events
        elif name == "cancel":
            who, order_id = sent[-rest[0]] if len(sent) >= rest[0] else ("u0", 0)
            yield ex.cancel(who, order_id).events
        elif name == "fund":  # the other side pays
            yield ex.settle_funding("I", -Decimal(rest[0]) if flip else rest[0], rest[1]).events
        else:
            who, side, at, size, terms = rest
            ack = ex.order(who, "I", FLIP[side] if flip else side, size * times, price=price(at), **terms)
            sent.append((who, ack.order_id))
            yield ack.events


def opened(
    base, instrument: Instrument, deposits: list, *, rule_set="seed", fund: int = 0, times: int = 1, mark: int = MIDDLE
):
    """An exchange with a mark and accounts u0, u1, ...: (deposit, margin mode, leverage) each."""
    ex = base([instrument], rules=rule_set)
    ex.mark("I", mark)
    for i, (amount, mode, leverage) in enumerate(deposits):
        ex.deposit(f"u{i}", instrument.settle, amount * times)
        ex.set_leverage(f"u{i}", "I", leverage, mode=mode)
    if fund:
        ex.seed_fund(instrument.settle, fund * times)
    return ex


def fields(event) -> dict[str, int]:
    names = ("account", "instrument", "side", "code", "reason", *PAYLOAD[event.type])
    return {name: getattr(event, name) for name in names}


# --- A mirror: sides swapped, prices reflected


class Books:
    """Sizes and costs by POSITION events, and how many reductions of an account could not be divided exactly."""

    def __init__(self):
        self.size, self.cost, self.inexact = Counter(), Counter(), Counter()

    def follow(self, events: list) -> None:
        for e in events:
            if e.type == EventType.POSITION:
                before, now = self.size[e.account], e.size_lots
                closed = abs(before) - (abs(now) if before * now > 0 else 0)
                if closed > 0 and self.cost[e.account] * closed % abs(before):
                    self.inexact[e.account] += 1
                self.size[e.account], self.cost[e.account] = now, e.cost_units


@pytest.mark.long
@pytest.mark.parametrize("most,units", [(3, 2**20 * 3**12), (10**6, 1)], ids=["divides exactly", "rounds"])
def test_linear_mirror(sweep, seed, most, units):
    """Buys become sells and p becomes 2c - p. Trades are the same at mirrored prices, sizes change their sign.

    Values are not mirrored (p and 2c - p differ), so nothing may depend on them: no fees, wide bands, cross accounts far
    from any requirement. Then equity is the same to the unit. A cost is the mirrored one of the same lots, 2c * size *
    units - cost with its sign; a partial close rounds its share towards zero, which the mirror changes: wherever it
    divides, cash is the same to the unit, and each close that does not divide may move one unit.
    """
    tiers = [Tier(most, "0.005", "0.01")]
    instrument = Instrument(
        "I", contract_size=units * UNIT, tick=1, tiers=tiers, maker_fee=0, taker_fee=0, max_price=2 * MIDDLE
    )
    commands = stream(seed, 900, accounts=5, sizes=(1, 2) if most == 3 else (1, 2, 3, 5, 9))
    pair = [opened(sweep, instrument, [(10**11, "cross", 10)] * 5, rule_set=WIDE) for _ in range(2)]
    runs = play(pair[0], commands), play(pair[1], commands, price=lambda p: 2 * MIDDLE - p, flip=True)
    books, mirrored, trades = Books(), Books(), 0
    for ours, theirs in zip(*runs, strict=True):
        books.follow(ours)
        mirrored.follow(theirs)
        assert [e.type for e in ours if e.type != EventType.LEDGER] == [e.type for e in theirs if e.type != EventType.LEDGER]
        for e, other in zip(*([x for x in run if x.type == EventType.TRADE] for run in (ours, theirs)), strict=True):
            same = fields(e) | {"side": 1 - e.side, "price_ticks": 2 * MIDDLE - e.price_ticks}
            assert same == fields(other)
            trades += 1
    assert trades > 30 and (units == 1) == any(books.inexact.values())
    for i in range(5):
        ours, theirs = (ex.account(f"u{i}") for ex in pair)
        account = ours.account_id
        size, cost = books.size[account], books.cost[account]
        drift = theirs.cash_units - ours.cash_units
        assert (mirrored.size[account], theirs.equity) == (-size, ours.equity)
        assert mirrored.cost[account] == cost - 2 * MIDDLE * units * size + drift
        assert abs(drift) <= books.inexact[account] + mirrored.inexact[account]


SQUARE = 2**10 * 3**6 * 5**4 * 7**2 * 11**2  # the square of 1,663,200: many divisors around it
DIVISORS = [d for d in range(1_350_000, 2_100_000) if SQUARE % d == 0]
DUAL_UNITS = 3


def dual(basis: str, maintenance: str, fee: str) -> tuple[Instrument, Instrument]:
    """An inverse contract worth SQUARE * 3 / p units at p, and the linear one worth as much at SQUARE / p."""
    top = 4 * 1_663_200 * DUAL_UNITS * UNIT if basis == "notional" else 4
    words = {
        "settle": "XBT", "tick": 1, "basis": basis, "max_size": 400, "taker_fee": fee, "maker_fee": 0, "max_price": 10**7,
        "tiers": [Tier(top, maintenance, "0.01"), Tier(100 * top, 2 * Decimal(maintenance), "0.02")],
    }  # fmt: skip
    return (
        Instrument("I", kind="inverse", contract_size=SQUARE * DUAL_UNITS * UNIT, **words),
        Instrument("I", kind="linear", contract_size=DUAL_UNITS * UNIT, **words),
    )


def told(event) -> dict[str, int]:
    """What is compared. Limits are left out: a tick between divisors has no counterpart."""
    left_out = {"limit_ticks", "bankruptcy_ticks"} | ({"price_ticks"} if event.type == EventType.ACCEPTED else set())
    left_out |= {"side"} if event.type == EventType.BEGIN else set()  # an order's has one, a mark's is zero
    return {name: value for name, value in fields(event).items() if name not in left_out}


def as_dual(event) -> dict[str, int]:
    """The same as the other contract would tell it: sides swapped, sizes negated, prices reflected."""
    t = told(event)
    if event.type in (EventType.ACCEPTED, EventType.RESTED, EventType.TRADE, EventType.REDUCED, EventType.DONE):
        t["side"] = 1 - event.side
    if event.type in (EventType.POSITION, EventType.TAKEOVER, EventType.PARCEL):
        t["size_lots"] = -event.size_lots
    if event.type in (EventType.MARKED, EventType.RESTED, EventType.TRADE):
        t["price_ticks"] = SQUARE // event.price_ticks
    if t.get("mark_ticks"):  # 0 in events of several instruments
        t["mark_ticks"] = SQUARE // event.mark_ticks
    if event.type == EventType.FUNDED:
        t["rate_ppb"] = -event.rate_ppb
    return t


def dual_commands(seed: int) -> list:
    """A stream on divisors, with a funding now and then."""
    commands = stream(seed, 250, accounts=5, sizes=(1, 2, 3), gap=12, prices=DIVISORS)
    for period in range(1, 10):
        commands.insert(period * 26, ("fund", "0.0007" if period % 2 else "-0.0003", period))
    return commands


@pytest.mark.long
@pytest.mark.parametrize("basis", ["contracts", "notional"])
@pytest.mark.parametrize("maintenance,fee", [("0.005", "0.0005"), ("0.000000001", "0")])
def test_an_inverse_long_is_a_linear_short_at_the_reciprocal(sweep, seed, basis, maintenance, fee):
    """At p an inverse contract is worth c**2 / p; so is a linear one of the other side at the price c**2 / p. On prices
    that divide c**2 every value, fee, margin, requirement, funding, takeover and deleveraging is the same to the unit.

    (Within its own kind an inverse contract has no such mirror: at the reciprocal its short's profit is another.) A parcel
    that rests does so at its bankruptcy price, which no divisor hits: there the two part, and a history ends.
    """
    seen: Counter = Counter()
    deposits = [(2, "isolated", 40), (3, "cross", 40), (4, "isolated", 20), (2, "cross", 50), (10**4, "cross", 10)]
    for n in range(4):
        pair = [opened(sweep, each, deposits, rule_set=WIDE, fund=1, mark=1_663_200) for each in dual(basis, maintenance, fee)]
        commands = dual_commands(seed + n)
        runs = play(pair[0], commands), play(pair[1], commands, price=lambda p: SQUARE // p, flip=True)
        for ours, theirs in zip(*runs, strict=True):
            if any(e.type == EventType.RESTED and e.account == Purse.HOUSE for e in ours):
                break
            assert [as_dual(e) for e in ours] == [told(e) for e in theirs]
            seen.update(e.type for e in ours)
        for j in range(5):
            ours, theirs = (ex.position(f"u{j}", "I") for ex in pair)
            for name in ("margin", "value", "upl", "maintenance", "margin_ratio", "initial", "tier", "cost_units"):
                assert getattr(ours, name) == getattr(theirs, name), name
    assert seen[EventType.TRADE] > 100 and seen[EventType.LIQUIDATION] and seen[EventType.FUNDED]
    assert fee != "0" or seen[EventType.ADL]


# --- Other units: contracts, sizes, prices multiplied


GRAIN = 10_000 * 2**14  # units of a tick and lot: every fee, margin and half of a cost divides
POOR = [(60, "isolated", 20), (90, "cross", 50), (120, "isolated", 50), (150, "cross", 20), (60, "isolated", 50)]
RICH = [(10**6, "cross", 10), (10**6, "isolated", 10)]
MONEY = ("_units", "_after")


def scaled(event, money: int, lots: int) -> dict[str, int]:
    """An event as it must be where amounts and lots are so many times larger."""
    told = fields(event)
    for name in told:
        told[name] *= money if name.endswith(MONEY) else lots if name.endswith("_lots") else 1
    return told


def halves(contract_size: int, lot_factor: int, kind: str) -> Instrument:
    """Positions of at most two portions: a partial close takes half of a cost, which divides here."""
    tiers = [Tier(lot_factor, "0.005", "0.01"), Tier(2 * lot_factor, "0.01", "0.02")]
    return Instrument("I", kind=kind, contract_size=contract_size * GRAIN * UNIT, tick=1, tiers=tiers, max_price=4_000)


@pytest.mark.long
@pytest.mark.parametrize("kind,contract,lots", [("linear", 3, 1), ("linear", 1, 3), ("linear", 5, 7), ("quanto", 7, 5)])
def test_amounts_scale_with_the_contract_or_with_sizes(sweep, seed, kind, contract, lots):
    """k times the contract size, or all sizes and tier tops, and k times all deposits: all amounts k times, all else the
    same, through liquidations, takeovers and deleveraging. Nothing rounds here, so it is exact."""
    seen: Counter = Counter()
    for n in range(4):
        commands = stream(seed + n, 350, accounts=7, sizes=(1, 2), gap=90)
        k, deposits = contract * lots, [(amount * GRAIN // 10**6, *rest) for amount, *rest in POOR + RICH]
        pair = [
            opened(sweep, halves(1, 1, kind), deposits, fund=GRAIN // 10**6),
            opened(sweep, halves(contract, lots, kind), deposits, fund=GRAIN // 10**6, times=k),
        ]
        for one, many in zip(play(pair[0], commands), play(pair[1], commands, times=lots), strict=True):
            assert [e.type for e in one] == [e.type for e in many]
            assert [scaled(e, k, lots) for e in one] == [fields(e) for e in many]
            seen.update(e.type for e in one)
        for j in range(7):
            one, many = (ex.account(f"u{j}") for ex in pair)
            assert (many.cash, many.equity, many.free) == (k * one.cash, k * one.equity, k * one.free)
        assert pair[1].fund("USDT") == k * pair[0].fund("USDT") and pair[1].deficit("USDT") == k * pair[0].deficit("USDT")
    assert all(seen[kind] for kind in (EventType.TRADE, EventType.LIQUIDATION, EventType.TAKEOVER, EventType.ADL)), seen


@pytest.mark.long
@pytest.mark.parametrize("kind", ["linear", "quanto", "inverse"])
@pytest.mark.parametrize("factor", [Decimal("0.01"), Decimal(7)])
def test_prices_in_another_measure_are_the_same_events(sweep, seed, kind, factor):
    """Tick and prices k times, contract size 1 / k (inverse: k times): the same integers, event by event and byte by byte,
    with sizes and fees that round as they like."""
    seen: Counter = Counter()
    for n in range(4):
        commands = stream(seed + n, 250, accounts=7, sizes=(1, 2, 3, 7), gap=90)
        pair = []
        for k in (1, factor):
            size = {"inverse": 10**6 * k}.get(kind, Decimal(7) / k)  # 7 so that k = 7 divides
            tiers = [Tier(6, "0.005", "0.01"), Tier(12, "0.01", "0.02"), Tier(18, "0.015", "0.03"), Tier(40, "0.02", "0.04")]
            each = Instrument("I", kind=kind, contract_size=size, tick=k, tiers=tiers, max_price=4_000 * k, settle_decimals=7)
            amounts = [(amount * 25, mode, min(25, leverage)) for amount, mode, leverage in POOR + RICH]
            pair.append(opened(sweep, each, amounts, fund=10, mark=MIDDLE * k))
        runs = play(pair[0], commands), play(pair[1], commands, price=lambda p: p * factor)
        for one, other in zip(*runs, strict=True):
            seen.update(e.type for e in one)
            assert [e.record for e in one] == [e.record for e in other]
        views = [ex._kernel.view(1, ex._kernel.next_seq) for ex in pair]
        assert bytes(views[0]) == bytes(views[1])
        for j in range(7):
            ours, theirs = (ex.position(f"u{j}", "I") for ex in pair)
            for name in ("entry_price", "liquidation_price", "bankruptcy_price"):
                low, high = getattr(ours, name), getattr(theirs, name)
                tolerance = Decimal("1e-9") * (factor + 1) if name == "entry_price" else 0  # rounded to nine decimals
                assert low == high or abs(low * factor - high) <= tolerance
    assert all(seen[kind] for kind in (EventType.TRADE, EventType.LIQUIDATION, EventType.TAKEOVER, EventType.ADL)), seen


# --- Portions: average entry


def average(units: int, inverse: bool, fills: list[tuple[int, int]]) -> tuple[int, int, int]:
    """(size, cost, realised) after fills of (lots, ticks): a close by x of a size takes trunc(cost * x / size) along."""
    size = cost = realised = 0
    for lots, ticks in fills:
        value = abs(lots) * units // ticks if inverse else abs(lots) * units * ticks
        delta = value if (lots > 0) != inverse else -value
        closed = min(abs(size), abs(lots)) if size * lots < 0 else 0
        paid = int(Fraction(delta * closed, abs(lots)))  # which truncates, as the share does
        share = int(Fraction(cost * closed, abs(size))) if closed else 0
        realised -= paid + share
        size, cost = size + lots, cost - share + delta - paid
    return size, cost, realised


KINDS = {
    "linear": ({"contract_size": "0.000001", "tick": 1}, 1),
    "quanto": ({"contract_size": "0.000003", "tick": 1}, 3),
    "inverse": ({"contract_size": "99.999999", "tick": 1, "max_price": 4_000}, 99_999_999),
}  # terms, units
WORKED = [
    ("linear", [(3, 1_000), (4, 1_008), (-5, 1_010)], (2, 2_010, 28)),  # 7,032 * 5 / 7 = 5,022.9 is 5,022
    ("linear", [(7, 1_001), (-3, 1_000), (-9, 999)], (-5, -4_995, -11)),  # the flip realises what is left, then opens
    ("linear", [(-3, 1_000), (-4, 1_001), (2, 990)], (-5, -5_003, 21)),  # -7,004 * 2 / 7 = -2,001.1 is -2,001
    ("inverse", [(3, 1_000), (4, 1_007), (-5, 1_010)], (2, -199_206, 2_963)),  # -697,218 * 5 / 7 = -498,012.9 is -498,012
    ("inverse", [(-3, 1_000), (8, 990)], (5, -505_050, 3_031)),  # 808,080 for 8, of which 303,030 close 3
]


@pytest.mark.parametrize("kind,fills,expected", WORKED)
def test_average_entry_by_hand(strict_exchange, kind, fills, expected):
    assert average(KINDS[kind][1], kind == "inverse", fills) == expected
    check_average(strict_exchange, kind, "cross", fills)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["cross", "isolated"])
def test_average_entry_of_many_fills(strict_exchange, seed, kind, mode):
    """Opened in portions, closed in portions and turned over, at prices of their own; profit to the unit."""
    r = Random(seed)
    for _ in range(6):
        lots = [r.choice([-1, 1]) * r.choice([1, 2, 3, 5, 7, 11]) for _ in range(25)]
        check_average(strict_exchange, kind, mode, [(each, r.randint(980, 1_020)) for each in lots])


def check_average(make, kind: str, mode: str, fills: list[tuple[int, int]]) -> None:
    """Cost, entry price and what the wallet and the margin have together, after every fill."""
    words, units = KINDS[kind]
    tiers = [Tier(10**4, "0.005", "0.01")]
    instrument = Instrument("I", kind=kind, tiers=tiers, maker_fee=0, taker_fee=0, **{"max_price": 10**6} | words)
    ex = opened(make, instrument, [(10**6, "cross", 10), (10**6, mode, 10)])
    assert instrument.spec.units == units
    for n, (lots, ticks) in enumerate(fills, 1):
        side = "buy" if lots > 0 else "sell"
        ex.order("u0", "I", FLIP[side], abs(lots), price=ticks).ok()
        assert ex.order("u1", "I", side, abs(lots), price=ticks, tif="fok").ok().filled == abs(lots)
        view = ex.position("u1", "I")
        size, cost, realised = average(units, kind == "inverse", fills[:n])
        assert (view.size_lots, view.cost_units) == (size, cost)
        assert ex.account("u1").cash_units + view.margin_units == 10**12 + realised
        if size:
            exact = Fraction(abs(size) * units, abs(cost)) if kind == "inverse" else Fraction(abs(cost), abs(size) * units)
            assert abs(Fraction(view.entry_price) - exact) <= Fraction(1, 2 * 10**9)
        else:
            assert view.entry_price is None and cost == 0
