"""An arithmetic of its own for liquidation and bankruptcy prices: closed forms in exact fractions, and a desk to drive them.

Plain integers where a value is rounded. It shares no formula with the engine. With q lots of c units, entry E, margin M,
deduction D and rate r:

    linear, quanto   M + D + s*q*c*(x - E) = r*q*c*x       x = (s*q*c*E - M - D) / (q*c*(s - r))
    inverse          M + D + s*q*c*(1/E - 1/x) = r*q*c/x   x = q*c*(s + r) / (M + D + s*q*c/E)

Several legs of one instrument add up on both sides; other positions of a cross account are in M (what they gained less
what they ask). r = 0 is bankruptcy, r = f bankruptcy with its fee paid, r = mmr (+ f) the trigger.
"""

from bisect import bisect_left
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache

from solvent import EventType, Instrument, Tier
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


@cache
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
        self.marks: dict[str, int] = {}  # ticks, as told
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
        if missing:
            self.ex.move_margin("poor", name, from_units(missing, self.unit), leg=leg)

    def mark(self, ticks: int, name: str = "I") -> list:
        self.marks[name] = ticks
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
