"""Liquidation and bankruptcy prices against their closed forms, driven through the engine to the tick.

Owns an arithmetic of its own: the closed forms in exact fractions, and plain integers where a value is rounded. It shares
no formula with the engine. With q lots of c units, entry E, margin M, deduction D and rate r:

    linear, quanto   M + D + s*q*c*(x - E) = r*q*c*x       x = (s*q*c*E - M - D) / (q*c*(s - r))
    inverse          M + D + s*q*c*(1/E - 1/x) = r*q*c/x   x = q*c*(s + r) / (M + D + s*q*c/E)

Several legs of one instrument add up on both sides; other positions of a cross account are in M (what they gained less
what they ask). r = 0 is bankruptcy, r = f bankruptcy with its fee paid, r = mmr (+ f) the trigger.
"""

from bisect import bisect_left
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

import pytest

from solvent import EventType, Instrument, Tier
from solvent.records import Ending, Verdict
from solvent.terms.decimals import from_units

RATE = 10**9
FEE = 500_000  # taker and liquidation fee
SIGN = {"long": 1, "short": -1}
OPENS = {"long": "buy", "short": "sell"}
CLOSES = {"long": "sell", "short": "buy"}


def up(n) -> int:
    return -((-n) // 1)


# --- An arithmetic of its own


@dataclass(frozen=True)
class Terms:
    """What the formulas read of an instrument. units: of a tick and lot; inverse: of a lot times its price."""

    inverse: bool
    units: int
    decimals: int
    scheme: str
    basis: str
    tops: tuple[int, ...]
    rates: tuple[int, ...]
    curve: Fraction
    fee: int = 0


@dataclass(frozen=True)
class Held:
    """A position: its side as a sign, and its cost signed as its worth is (an inverse long is worth minus its value)."""

    s: int
    lots: int
    cost: int


def worth(t: Terms, h: Held, x: int) -> int:
    """A value is rounded once: an inverse long's up, an inverse short's down."""
    if not t.inverse:
        return h.s * h.lots * t.units * x
    return -up(Fraction(h.lots * t.units, x)) if h.s > 0 else h.lots * t.units // x


def bought(t: Terms, s: int, lots: int, x: int) -> Held:
    """What one trade makes: an inverse value is rounded down, the same for both sides."""
    return Held(s, lots, -s * (lots * t.units // x) if t.inverse else s * lots * t.units * x)


def measure(t: Terms, h: Held, x: int, net: int) -> int:
    return {"contracts": h.lots, "net": abs(net), "notional": abs(worth(t, h, x)), "entry": abs(h.cost)}[t.basis]


def tier(t: Terms, h: Held, x: int, net: int) -> int:
    m = measure(t, h, x, net)
    return next((k for k, top in enumerate(t.tops) if m <= top), len(t.tops) - 1)


def power_ppb(t: Terms, value: int) -> int:
    """The lowest whole rate R with R >= curve * (value in currency)**0.8, by comparing fifth powers."""
    wanted = t.curve**5 * Fraction(value, 10**t.decimals) ** 4
    return bisect_left(range(RATE), True, key=lambda ppb: Fraction(ppb, RATE) ** 5 >= wanted)


def rate(t: Terms, h: Held, x: int, k: int) -> Fraction:
    """Rate of tier k, or of the size where a curve says so, and the fee."""
    ppb = t.rates[k]
    if t.scheme == "slope":
        ppb += up(t.curve * h.lots * RATE)
    if t.scheme == "power":
        ppb = max(ppb, power_ppb(t, abs(worth(t, h, x))))
    return Fraction(ppb + t.fee, RATE)


def slabs(t: Terms, m: int) -> Fraction:
    """Each slab of a measure at its own rate."""
    rows = zip((0, *t.tops), t.tops, t.rates, strict=False)
    return sum((Fraction(ppb, RATE) * (min(m, top) - low) for low, top, ppb in rows if m > low), Fraction(0))


def deduction(t: Terms, k: int) -> Fraction:
    """What tier k asks less than its rate of the whole: at its bottom both are the same."""
    if t.scheme != "deduction" or k == 0:
        return Fraction(0)
    return Fraction(t.rates[k], RATE) * t.tops[k - 1] - slabs(t, t.tops[k - 1])


def need(t: Terms, h: Held, x: int, net: int) -> Fraction:
    """Requirement before rounding. A deduction in contracts or of the entry value goes with the value at x."""
    k, value = tier(t, h, x, net), abs(worth(t, h, x))
    return value * rate(t, h, x, k) - deduction(t, k) * value / measure(t, h, x, net)


def slack(t: Terms, margin: int, legs: list[Held], x: int) -> int:
    net = sum(h.s * h.lots for h in legs)
    return margin + sum(worth(t, h, x) - h.cost for h in legs) - sum(up(need(t, h, x, net)) for h in legs)


def closed_form(t: Terms, margin: int, legs: list[Held], x: int) -> Fraction | None:
    """The price at which equity is the requirement, if tiers and rates are those at x. None: there is no such price."""
    net = sum(h.s * h.lots for h in legs)
    fixed, terms = Fraction(margin - sum(h.cost for h in legs)), Fraction(0)
    for h in legs:
        k = tier(t, h, x, net)
        r, less = rate(t, h, x, k), deduction(t, k)
        if t.basis == "notional":
            fixed += less
        else:
            r -= less / measure(t, h, x, net)
        terms += h.lots * t.units * (h.s + r if t.inverse else h.s - r)
    above, below = (terms, fixed) if t.inverse else (-fixed, terms)
    return above / below if below and above / below > 0 else None


def first_past(x: Fraction, way: int) -> int:
    """The first tick beyond an exact price; at the price itself nothing happens yet."""
    return up(x) - 1 if way < 0 else x // 1 + 1


def edges(t: Terms, legs: list[Held]) -> list[Fraction]:
    """Prices at which a value crosses a tier's top."""
    pairs = [(h.lots * t.units, top) for h in legs for top in t.tops] if t.basis == "notional" else []
    return [Fraction(held, top) if t.inverse else Fraction(top, held) for held, top in pairs]


def threshold(t: Terms, margin: int, legs: list[Held], mark: int, way: int, highest: int) -> int | None:
    """The first tick below (way -1) or above the mark at which equity is below the requirement.

    Between two tier edges the slack is monotone, so that it can only turn at an edge or at the closed form of some
    tier in between. Asserts that the closed form of the tier found tells the tick: exactly where values are exact.
    """
    starts = [mark, *(e // 1 + d for e in edges(t, legs) for d in (-1, 0, 1, 2))]
    found = [closed_form(t, margin, legs, x) for x in starts if 1 <= x <= highest]
    for _ in range(4 if t.scheme == "power" else 0):  # the rate depends on the price: settle both
        found += [closed_form(t, margin, legs, x // 1) for x in found[-1:] if x and x <= 2 * highest]
    near = {x // 1 + d for x in (*edges(t, legs), *found) if x is not None for d in (-2, -1, 0, 1, 2)}
    ticks = sorted((x for x in near if 1 <= x <= highest and (x - mark) * way > 0), reverse=way < 0)
    first = next((x for x in ticks if slack(t, margin, legs, x) < 0), None)
    if first is not None:
        net = sum(h.s * h.lots for h in legs)
        jumped = [tier(t, h, first, net) for h in legs] != [tier(t, h, first - way, net) for h in legs]
        exact = closed_form(t, margin, legs, first)
        off = 0 if exact is None else (first - first_past(exact, way)) * way
        if not jumped:
            assert abs(off) <= (t.inverse or t.scheme == "power")
        elif net * way < 0:  # towards loss the next tier's own price is passed already
            assert off >= 0
    return first


def bankrupt_cost(t: Terms, margin: int, legs: list[Held], x: int, others: tuple[int, int] = (0, 0)) -> int:
    """The cost at which legs[0] leaves nothing: of its own margin, or of its share of equity by maintenance margin.

    others: equity that other instruments' positions add, and their maintenance margin, which is the smaller.
    """
    net, bare = sum(h.s * h.lots for h in legs), replace(t, fee=0)
    needs = [up(need(bare, h, x, net)) for h in legs]
    equity = margin + sum(worth(t, h, x) - h.cost for h in legs) + others[0]
    total = sum(needs) + others[1]
    shares = [equity * each // total for each in (*needs, others[1])]
    left = equity - sum(shares)
    return worth(t, legs[0], x) - shares[0] - (left if needs[0] == max(*needs, others[1]) else 0)


def paying_price(t: Terms, h: Held, cost: int, f: int = 0) -> int | None:
    """The closed form with r = f as a tick on the safe side: long up, short down. None: no such price."""
    r = Fraction(f, RATE)
    above, below = h.lots * t.units * (h.s + r), Fraction(-cost)
    if not t.inverse:
        above, below = Fraction(cost), h.lots * t.units * (h.s - r)
    elif below * h.s <= 0:
        return None
    elif f:  # the value that is paid is whole
        below = Fraction(below // (1 + r) if h.s > 0 else -up(-below / (1 - r)))
        above = Fraction(h.s * h.lots * t.units)
    return up(above / below) if h.s > 0 else above / below // 1


# --- Contracts of each kind, tables of each scheme and basis

MARKETS = {
    "linear": ({"settle": "USDT", "contract_size": "0.01", "tick": "0.1", "settle_decimals": 6}, 1_000, 500_000),
    "inverse": ({"settle": "XBT", "contract_size": "100", "tick": "0.1", "settle_decimals": 8}, 10**11, 500_000),
    "quanto": ({"settle": "XBT", "contract_size": "0.000001", "tick": "0.01", "settle_decimals": 9}, 10, 30_000),
}  # terms, units, entry in ticks
SCHEMES = [
    ("whole", "contracts"), ("whole", "notional"), ("whole", "entry"), ("whole", "net"), ("deduction", "contracts"),
    ("deduction", "notional"), ("deduction", "entry"), ("slope", "contracts"), ("power", "contracts"),
    ("factor", "contracts"), ("factor", "net"),
]  # fmt: skip
TOPS = (100, 300, 600, 1_000)
RATES = (5_000_000, 10_000_000, 15_000_000, 20_000_000)
TABLE = tuple(zip(TOPS, RATES, strict=True))
FACTORED = 40_000_000  # initial rate where tiers are factors: an eighth of it, a quarter, three eighths, a half
POWER = {"linear": "0.0000005", "inverse": "0.01", "quanto": "0.05"}
SLOPE = "0.00002"


def contract(name: str, kind: str, scheme: str, basis: str = "contracts", table=TABLE) -> tuple[Instrument, Terms]:
    """An instrument and its terms. Tiers by money have the tops that those by contracts have at the entry price."""
    words, units, entry = MARKETS[kind]
    unit, money = Decimal(1).scaleb(-words["settle_decimals"]), basis in ("notional", "entry")
    lot = units // entry if kind == "inverse" else units * entry
    curve = {"slope": SLOPE, "power": POWER[kind]}.get(scheme, "0")
    steps = [(top * lot if money else top, ppb) for top, ppb in table]
    if scheme in ("slope", "power"):
        steps = [(1_200 * (lot if money else 1), RATES[0])]
    initial = {ppb: FACTORED if scheme == "factor" else 2 * ppb for _, ppb in steps}
    tiers = [Tier(top * unit if money else top, Decimal(ppb) / RATE, Decimal(initial[ppb]) / RATE) for top, ppb in steps]
    if scheme == "factor":  # of the initial margin at leverage 20
        steps = [(top, ppb * RATE // (20 * FACTORED)) for top, ppb in steps]
    instrument = Instrument(
        name, kind=kind, tiers=tiers, scheme=scheme, basis=basis, maintenance_curve=curve, initial_curve=curve,
        max_price=Decimal(words["tick"]) * entry * 4, max_size=1_200, **words,
    )  # fmt: skip
    tops, ppbs = (tuple(column) for column in zip(*steps, strict=True))
    terms = Terms(kind == "inverse", units, words["settle_decimals"], scheme, basis, tops, ppbs, Fraction(curve))
    assert instrument.spec.units == units
    return instrument, terms


class Desk:
    """An exchange with a rich account and a poor one, whose margin is what the test says."""

    def __init__(
        self, make, *contracts: tuple[Instrument, Terms], rule_set="seed", leverage: int = 20, mode: str = "isolated"
    ):
        self.ex = make([instrument for instrument, _ in contracts], rules=rule_set)
        self.contracts = {instrument.name: (instrument, t) for instrument, t in contracts}
        instrument, self.terms = contracts[0]
        self.unit, self.currency, self.leverage, self.mode = instrument.unit, instrument.settle, leverage, mode
        self.ex.deposit("rich", self.currency, 10**6)
        self.ex.deposit("poor", self.currency, 1)
        self.poor = self.ex.account("poor").account_id
        self.cash_to(10**5 * 10**self.terms.decimals)

    def cash_to(self, units: int) -> None:
        missing = units - self.ex.account("poor").cash_units
        move = self.ex.deposit if missing > 0 else self.ex.withdraw
        if missing:
            move("poor", self.currency, from_units(abs(missing), self.unit))

    def margin_to(self, units: int, name: str = "I", leg: str | None = None) -> None:
        missing = units - self.ex.position("poor", name, leg).margin_units
        self.ex.move_margin("poor", name, from_units(missing, self.unit), leg=leg)

    def mark(self, ticks: int, name: str = "I") -> list:
        return self.ex.mark(name, ticks * self.contracts[name][0].tick_size).events

    def open(self, side: str, lots: int, ticks: int, name: str = "I", leg: str | None = None) -> Held:
        """Trades at mark against the rich account."""
        instrument, t = self.contracts[name]
        self.mark(ticks, name)
        self.ex.set_leverage("poor", name, self.leverage, mode=self.mode, leg=leg)
        price = ticks * instrument.tick_size
        self.ex.order("rich", name, CLOSES[side], lots, price=price).ok()
        assert self.ex.order("poor", name, OPENS[side], lots, price=price, tif="fok", leg=leg).ok().filled == lots
        return bought(t, SIGN[side], lots, ticks)

    def liquidated(self, events: list) -> list:
        return [e for e in events if e.type == EventType.LIQUIDATION and e.account == self.poor]

    def ticks(self, price: Decimal | None, name: str = "I") -> int | None:
        return None if price is None else int(price / self.contracts[name][0].tick_size)


# --- Every kind, side, mode, scheme and tier


MODES = {
    "isolated": "seed", "cross": "seed", "cross, another held": "okx_consistent", "hedge": "seed", "hedge isolated": "seed",
}  # fmt: skip


def build(make, kind: str, scheme: str, basis: str, mode: str, side: str, lots: int) -> tuple[Desk, int, list[Held], tuple]:
    """(desk, margin, legs, others) of one case. The margin has what another position gained less what it asks; others are
    what it asks, to be given back where equity counts alone, and what it asks without a fee."""
    rule_set, entry = MODES[mode], MARKETS[kind][2]
    instrument, t = contract("I", kind, scheme, basis)
    t = replace(t, fee=FEE if rule_set != "seed" or "isolated" in mode else 0)
    other, j = contract("J", kind, "whole")
    desk = Desk(make, (instrument, t), (other, j), rule_set=rule_set, mode="isolated" if "iso" in mode else "cross")
    hedged, legs, others, asked = mode.startswith("hedge"), [], (0, 0), 0
    if hedged:
        desk.ex.set_position_mode("poor", "I", "hedge")
    legs.append(desk.open(side, lots, entry, leg=side if hedged else None))
    value = abs(legs[0].cost)
    margin = value // (12 if hedged else 15) + value // 777
    if hedged:
        twin = "short" if side == "long" else "long"
        legs.append(desk.open(twin, lots // 3, entry + entry // 300, leg=twin))
    if mode == "cross, another held":
        held = desk.open("long", 20, entry - entry // 100, name="J")
        at = entry + entry // 250
        desk.mark(at, "J")
        asked = up(need(replace(j, fee=FEE), held, at, held.lots))
        others = worth(j, held, at) - held.cost, up(need(j, held, at, held.lots))
    if desk.mode == "isolated":
        desk.margin_to(margin, leg=side if hedged else None)
        legs = legs[:1]
    else:
        desk.cash_to(margin)
    return desk, margin + others[0] - asked, legs, (asked, others[1])


@pytest.mark.parametrize("lots", [60, 300, 450, 601])  # within tier 1, at the top of 2, within 3, the first of 4
@pytest.mark.parametrize("side", SIGN)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scheme,basis", SCHEMES)
@pytest.mark.parametrize("kind", MARKETS)
def test_every_formula(make, kind, scheme, basis, mode, side, lots):
    """Liquidation price, profit-side price and bankruptcy price; nothing one tick before, a liquidation at the tick."""
    desk, margin, legs, others = build(make, kind, scheme, basis, mode, side, lots)
    t, s, leg = desk.terms, SIGN[side], side if mode.startswith("hedge") else None
    view = desk.ex.position("poor", "I", leg)
    mark, highest = desk.ticks(view.mark_price), desk.contracts["I"][0].spec.max_price_ticks
    assert view.cost_units == legs[0].cost
    first = threshold(t, margin, legs, mark, -s, highest)
    assert first is not None and desk.ticks(view.liquidation_price) == first
    check_profit_side(desk.ticks(view.profit_side_liquidation_price), t, margin, legs, mark, s, highest)
    cost = bankrupt_cost(t, margin, legs, mark, others)
    assert desk.ticks(view.bankruptcy_price) == paying_price(t, legs[0], cost)
    check_array(desk, view)
    if len(legs) == 1 and others == (0, 0):  # then it is the closed form with all of the margin
        exact = closed_form(replace(t, rates=(0,) * len(t.rates), fee=0, curve=Fraction(0)), margin, legs, mark)
        assert 0 <= (desk.ticks(view.bankruptcy_price) - exact) * s < 1

    assert not desk.liquidated(desk.mark(first + s))
    assert desk.ticks(desk.ex.position("poor", "I", leg).liquidation_price) == first
    events = desk.mark(first)
    event, *_ = desk.liquidated(events)
    more = event.own_units - event.equity_units + slack(t, margin, legs, first)
    if scheme == "power":  # its root has 24 binary digits, rounded down: the rate may be a billionth higher
        assert 0 <= more <= 1 + event.value_units // RATE
    else:
        assert more == 0
    if len(legs) == 1:  # a hedge is netted first
        check_order(desk, event.verdict, events, legs[0], bankrupt_cost(t, margin, legs, first, others))


def check_array(desk: Desk, view) -> None:
    """All positions at once say the same."""
    number = {None: 0, "long": 1, "short": 2}[view.leg]
    columns = ("mark_ticks", "liquidation_ticks", "profit_side_ticks", "bankruptcy_ticks")
    rows = {
        (r["account"], r["instrument"], r["leg"]): [int(r[name]) for name in columns] for r in desk.ex.liquidations_array()
    }
    asked = (view.mark_price, view.liquidation_price, view.profit_side_liquidation_price, view.bankruptcy_price)
    nowhere = (0, 0, 0, 2**63 - 1)
    expected = [none if price is None else desk.ticks(price) for price, none in zip(asked, nowhere, strict=True)]
    assert rows[desk.poor, 0, number] == expected


def check_profit_side(found: int | None, t: Terms, margin: int, legs: list[Held], mark: int, way: int, highest: int) -> None:
    """Where something happens although the price goes the leg's way: at a tier's top, or for good beyond a root of a curve."""
    if t.scheme != "power":
        assert found == threshold(t, margin, legs, mark, way, highest)
        return
    far = (highest - mark) if way > 0 else mark - 1
    past = bisect_left(range(far), True, key=lambda n: slack(t, margin, legs, mark + (n + 1) * way) < 0)
    expected = None if past == far else mark + (past + 1) * way
    if expected is None or found is None:
        assert found is expected
    else:  # the rate may be a billionth higher than by an exact root
        assert abs(found - expected) <= 1 + expected // 10**6


def check_order(desk: Desk, verdict: int, events: list, h: Held, cost: int) -> None:
    """A takeover is offered at the bankruptcy price; a step down by two tiers to where its fee is paid too, within 5 %."""
    if verdict == Verdict.FULL:
        [takeover] = [e for e in events if e.type == EventType.TAKEOVER and e.instrument == 0]
        assert (takeover.cost_units, takeover.bankruptcy_ticks) == (cost, paying_price(desk.terms, h, cost))
        return
    [step] = [e for e in events if e.type == EventType.STEP_DOWN]
    [mark] = [e.price_ticks for e in events if e.type == EventType.MARKED]
    paying, edge = paying_price(desk.terms, h, cost, FEE), Fraction(mark * (20 - h.s), 20)
    assert step.limit_ticks == (max(paying, up(edge)) if h.s > 0 else min(paying, edge // 1))
    t = desk.terms
    a_lot = {"notional": Fraction(t.units, mark) if t.inverse else t.units * mark, "entry": Fraction(abs(h.cost), h.lots)}
    within = t.tops[step.target_tier - 1] / Fraction(a_lot.get(t.basis, 1)) // 1
    assert (step.tier - step.target_tier, step.size_lots) == (2, h.lots - within)


# --- The published base vectors, and the edges of the formulas


VECTORS = [
    ("C1", "linear", "long", ("45000", "45022.5112556278", "45226.1306532663", "45248.8687782805")),
    ("C2", "linear", "short", ("55000", "54972.5137431284", "54726.3681592040", "54699.1546494281")),
    ("C3", "inverse", "long", ("45454.5454", "45477.2727", "45681.8181", "45704.5454")),
    ("C4", "inverse", "short", ("55555.5555", "55527.7777", "55277.7777", "55250")),
    ("C5", "quanto", "long", ("270", None, None, None)),
]  # r = 0, f, mmr, mmr + f
FINE = {
    "linear": ({"contract_size": "0.01", "tick": "0.0000000001", "settle_decimals": 12}, 100, 50_000, 5_000),
    "inverse": ({"contract_size": "100", "tick": "0.001", "settle_decimals": 10}, 1_000, 50_000, Decimal("0.2")),
    "quanto": ({"contract_size": "0.000001", "tick": "0.000001", "settle_decimals": 12}, 1_000, 300, Decimal("0.03")),
}  # terms, lots, entry, margin


@pytest.mark.parametrize("mode", ["isolated", "cross"])
@pytest.mark.parametrize("name,kind,side,printed", VECTORS, ids=[row[0] for row in VECTORS])
def test_vectors(make, name, kind, side, printed, mode):
    """To the last digit printed: cross has no fee in its trigger (seed), isolated has. A closing order pays r = f."""
    words, lots, entry, margin = FINE[kind]
    tiers = [Tier(lots, "0.005", "0.01")]
    instrument = Instrument("I", kind=kind, settle="S", tiers=tiers, max_price=entry + entry // 5, **words)
    units, s, tick = instrument.spec.units, SIGN[side], Fraction(instrument.tick_size)
    t = Terms(kind == "inverse", units, words["settle_decimals"], "whole", "contracts", (lots,), (0,), Fraction(0))
    desk = Desk(make, (instrument, t), leverage=10, mode=mode)
    h, m = desk.open(side, lots, int(entry / tick)), int(margin / instrument.unit)
    if mode == "cross":
        desk.cash_to(m)
    assert mode == "cross" or desk.ex.position("poor", "I").margin == margin
    asked = {"0": (0, 0), "f": (0, FEE), "mmr": (5_000_000, 0), "mmr + f": (5_000_000, FEE)}
    forms = {r: closed_form(replace(t, rates=(ppb,), fee=f), m, [h], 1) for r, (ppb, f) in asked.items()}
    for exact, text in zip(forms.values(), printed, strict=True):
        digits = len(text.partition(".")[2]) if text else 0
        assert text is None or abs(exact * tick - Fraction(text)) < Fraction(1, 10**digits) / (1 if kind == "inverse" else 2)
    view, trigger = desk.ex.position("poor", "I"), forms["mmr + f" if mode == "isolated" else "mmr"]
    bankrupt, paying = (up(forms[r]) if s > 0 else forms[r] // 1 for r in ("0", "f"))
    t = replace(t, rates=(5_000_000,), fee=FEE if mode == "isolated" else 0)
    first = threshold(t, m, [h], desk.ticks(view.mark_price), -s, instrument.spec.max_price_ticks)
    # At 55,250 itself C4 is below: an inverse short's value is rounded down.
    assert first == first_past(trigger, -s) - (name == "C4" and mode == "isolated")
    assert (desk.ticks(view.bankruptcy_price), desk.ticks(view.liquidation_price)) == (bankrupt, first)
    desk.mark(first + s)
    for price in (paying, paying - s):
        desk.ex.order("rich", "I", OPENS[side], 1, price=price * instrument.tick_size).ok()
    ack = desk.ex.order("poor", "I", CLOSES[side], 2, price=(paying - 9 * s) * instrument.tick_size, tif="ioc").ok()
    [done] = [e for e in ack.events if e.type == EventType.DONE and e.order_id == ack.order_id]
    assert (ack.filled, done.ending) == (1, Ending.BANKRUPTCY_LIMIT)
    assert [e.price_ticks for e in ack.events if e.type == EventType.TRADE] == [paying]


@pytest.mark.parametrize("mode", ["isolated", "cross"])
@pytest.mark.parametrize("kind,side", [("linear", "long"), ("quanto", "long"), ("inverse", "short")])
def test_margin_that_covers_the_whole_value_cannot_go_bankrupt(make, kind, side, mode):
    """A linear long's price is zero or less, an inverse short has none; one unit less of margin has one again."""
    instrument, t = contract("I", kind, "whole")
    desk = Desk(make, (instrument, t), mode=mode)
    h = desk.open(side, 60, MARKETS[kind][2])
    value, highest = abs(h.cost), instrument.spec.max_price_ticks
    step = 60 * t.units if not t.inverse else 1
    fee = FEE if mode == "isolated" else 0
    inverse = 60 * t.units, None, None
    for margin, ticks in zip((value - 1, value, value + step), inverse if t.inverse else (1, 0, -1), strict=True):
        (desk.margin_to if mode == "isolated" else desk.cash_to)(margin)
        view = desk.ex.position("poor", "I")
        assert desk.ticks(view.bankruptcy_price) == ticks
        first = threshold(replace(t, fee=fee), margin, [h], MARKETS[kind][2], -h.s, highest)
        assert desk.ticks(view.liquidation_price) == first and (margin < value or first is None)
    assert not desk.liquidated(desk.mark(highest if t.inverse else 1))
    assert desk.ex.position("poor", "I").size_lots == h.s * 60


# --- Tiers


BOUNDARIES = [case for case in SCHEMES if case[0] in ("whole", "deduction")]


def asked_of(desk: Desk, leg: str | None = None) -> tuple[int, int]:
    """(tier, requirement) of the poor account's position, which both kernel and view must tell the same."""
    view = desk.ex.position("poor", "I", leg)
    number = {None: 0, "long": 1, "short": 2}[leg]
    rows = desk.ex.positions_array()
    [own] = [int(r["own_units"]) for r in rows if r["account"] == desk.poor and (leg is None or r["leg"] == number)]
    units = int(view.maintenance / desk.unit)
    assert leg is not None or own == units
    return view.tier, units


@pytest.mark.parametrize("kind", MARKETS)
@pytest.mark.parametrize("scheme,basis", BOUNDARIES)
@pytest.mark.parametrize("k", [0, 1, 2])
def test_tier_boundaries(make, kind, scheme, basis, k):
    """At a tier's top and one lot beyond: the whole at the next rate, or each slab at its own, without a jump."""
    instrument, t = contract("I", kind, scheme, basis)
    desk, top, entry = Desk(make, (instrument, t), mode="cross"), TOPS[k], MARKETS[kind][2]
    h = desk.open("long", top, entry)
    lot, found = abs(h.cost) // top, []
    for tier_now, lots in ((k + 1, top), (k + 2, top + 1)):
        if lots > top:
            desk.open("long", 1, entry)
        value = lots * lot
        asked = value * Fraction(RATES[tier_now - 1], RATE)
        if scheme == "deduction":
            asked = slabs(t, lots) * lot if basis == "contracts" else slabs(t, value)
        assert asked_of(desk) == (tier_now, up(asked))
        found.append(up(asked))
    slab, jump = lot * Fraction(RATES[k + 1], RATE), top * lot * Fraction(RATES[k + 1] - RATES[k], RATE)
    assert abs(found[1] - found[0] - slab - (jump if scheme == "whole" else 0)) <= 1


@pytest.mark.parametrize("kind", MARKETS)
@pytest.mark.parametrize("scheme", ["whole", "deduction"])
@pytest.mark.parametrize("k", [0, 1, 2])
def test_tiers_by_notional_move_with_the_mark(make, kind, scheme, k):
    """A value exactly at a tier's top stands in it; the next tick of more value is in the next tier."""
    instrument, t = contract("I", kind, scheme, "notional")
    desk, entry = Desk(make, (instrument, t), mode="cross"), MARKETS[kind][2]
    h = desk.open("short", TOPS[k], entry)
    found = []
    for expected, mark in ((k + 1, entry), (k + 2, entry + (-1 if t.inverse else 1))):
        desk.mark(mark)
        value = abs(worth(t, h, mark))
        asked = slabs(t, value) if scheme == "deduction" else value * Fraction(RATES[expected - 1], RATE)
        assert asked_of(desk) == (expected, up(asked))
        found.append((value, up(asked)))
    (low, before), (high, after) = found
    jump = low * Fraction(RATES[k + 1] - RATES[k], RATE) if scheme == "whole" else 0
    assert abs(after - before - (high - low) * Fraction(RATES[k + 1], RATE) - jump) <= 1


@pytest.mark.parametrize("kind", MARKETS)
@pytest.mark.parametrize("k", [0, 1, 2])
def test_tiers_by_net_size_take_the_hedge_as_one(make, kind, k):
    """Long top + 30 against short 30 is within the tier, one lot more is not; both legs are asked at that tier's rate."""
    instrument, t = contract("I", kind, "whole", "net")
    desk, entry, lots = Desk(make, (instrument, t), mode="cross"), MARKETS[kind][2], TOPS[k] + 30
    desk.ex.set_position_mode("poor", "I", "hedge")
    desk.open("short", 30, entry, leg="short")
    for expected, more in ((k + 1, lots), (k + 2, 1)):
        desk.open("long", more, entry, leg="long")
        for leg, size in (("long", lots + expected - k - 1), ("short", 30)):
            value = abs(worth(t, Held(SIGN[leg], size, 0), entry))
            asked = up(value * Fraction(RATES[expected - 1], RATE))
            full = up(value * Fraction(RATES[0] + FEE, RATE)) if expected > 2 else 0
            assert asked_of(desk, leg) == (expected, max(asked, full))


@pytest.mark.parametrize("kind,side", [("linear", "long"), ("quanto", "long"), ("inverse", "short")])
@pytest.mark.parametrize("scheme", ["whole", "deduction"])
def test_a_higher_value_alone_may_liquidate_a_winner(make, kind, side, scheme):
    """Whole tiers by notional: 299 of 300 lots, and the next tier asks 10 %. With deductions nothing jumps."""
    entry = MARKETS[kind][2]
    instrument, t = contract("I", kind, scheme, "notional", ((300, 10_000_000), (900, 100_000_000)))
    t = replace(t, fee=FEE)
    desk = Desk(make, (instrument, t), leverage=50)
    h = desk.open(side, 299, entry)
    margin = desk.ex.position("poor", "I").margin_units
    first = threshold(t, margin, [h], entry, h.s, instrument.spec.max_price_ticks)
    assert desk.ticks(desk.ex.position("poor", "I").profit_side_liquidation_price) == first
    if scheme == "deduction":
        assert first is None
        return
    assert tier(t, h, first, 299) == 1 and tier(t, h, first - h.s, 299) == 0
    assert not desk.liquidated(desk.mark(first - h.s))
    [event] = desk.liquidated(desk.mark(first))
    assert event.verdict == Verdict.FULL and desk.ex.position("poor", "I").size == 0
