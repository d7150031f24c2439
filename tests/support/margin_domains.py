"""An arithmetic of whole margin domains, on the values and tiers of closed_forms.py.

Equity and both thresholds are sums over positions, in exact fractions rounded once each, and a closed form of all of it.
Everything is a + b*y, where y is the price, or one over an inverse contract's price:

    equity       M + sum(W - C)                   W = s*q*c*x, inverse -s*q*c/x
    requirement  V*(r + f) - D*V/measure          V = |W|, or |C| of the entry
    fee at the price at which equity E is gone    f*|W - E| / (1 - f) where closing brings W - E, / (1 + f) where it takes it
"""

from bisect import bisect_left
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from random import Random

from solvent import EventType, rules
from solvent.records import Verdict
from support.closed_forms import (
    FEE,
    MARKETS,
    RATE,
    TOPS,
    Desk,
    Held,
    Terms,
    contract,
    deduction,
    first_past,
    measure,
    paying_price,
    power_ppb,
    tier,
    up,
    worth,
)

F = Fraction(FEE, RATE)
NOWHERE = 2**63 - 1  # a price that no market reaches
LEGS = {None: 0, "long": 1, "short": 2}
power_rate = lru_cache(power_ppb)

# --- Domains


@dataclass(frozen=True)
class Asked(Terms):
    at_entry: bool = False


@dataclass(frozen=True)
class Law:
    """What a rule set says of a margin mode: which thresholds have a fee and which one, and whether to meet one is enough."""

    low: bool
    full: bool
    own: bool
    bankrupt: bool
    met: bool
    nets: bool


@dataclass(frozen=True)
class Part:
    """A position. stays: the mark of an instrument that does not move."""

    t: Asked
    h: Held
    leg: str | None = None
    stays: int = 0

    def at(self, x: int) -> int:
        return self.stays or x


@dataclass(frozen=True)
class Domain:
    """An isolated position or a cross account: margin or cash, and positions by instrument and leg."""

    law: Law
    margin: int
    parts: tuple[Part, ...]

    def net(self, p: Part) -> int:
        return sum(q.h.s * q.h.lots for q in self.parts if q.stays == p.stays)

    @property
    def hedge(self) -> bool:
        return sum(not p.stays for p in self.parts) == 2


def law_of(rule_set, isolated: bool) -> Law:
    r = rules.find(rule_set)
    fees = (r.fee_isolated_low, r.fee_isolated_full, r.fee_isolated_own)
    if not isolated:
        fees = (r.fee_cross_low, r.fee_cross_full, r.fee_cross_own)
    return Law(*fees, r.fee_at == "bankruptcy", r.at_threshold, r.net_hedges and not isolated)


def value(p: Part, x: int) -> int:
    """What is asked of: at mark, or at entry."""
    return abs(p.h.cost) if p.t.at_entry else abs(worth(p.t, p.h, p.at(x)))


def rate(p: Part, x: int, k: int) -> Fraction:
    ppb = p.t.rates[k]
    if p.t.scheme == "slope":
        ppb += up(p.t.curve * p.h.lots * RATE)
    if p.t.scheme == "power":
        ppb = max(ppb, power_rate(p.t, value(p, x)))
    return Fraction(ppb) / RATE


def tier_of(d: Domain, p: Part, x: int) -> int:
    return tier(p.t, p.h, p.at(x), d.net(p))


def asks(d: Domain, p: Part, x: int, k: int) -> Fraction:
    """What tier k asks without a fee."""
    less = deduction(p.t, k) / measure(p.t, p.h, p.at(x), d.net(p))
    return value(p, x) * (rate(p, x, k) - less)


def equity(d: Domain, x: int) -> int:
    return d.margin + sum(worth(p.t, p.h, p.at(x)) - p.h.cost for p in d.parts)


def fee(d: Domain, p: Part, x: int) -> Fraction | int:
    """Of closing at the value that is asked of, or where the equity of the domain and that fee are gone."""
    if not d.law.bankrupt:
        return value(p, x) * F
    brings = worth(p.t, p.h, p.at(x)) > 0
    left = (worth(p.t, p.h, p.at(x)) - equity(d, x)) * (1 if brings else -1)
    return up(max(0, left) * F / (1 - F if brings else 1 + F))


def thresholds(d: Domain, p: Part, x: int) -> tuple[Fraction, Fraction]:
    """(full, own) before rounding: from tier 3 the first one asks for a takeover, its own for a step down."""
    k, costs, law = tier_of(d, p, x), fee(d, p, x), d.law
    if k < 2:
        low = asks(d, p, x, k) + costs * law.low
        return low, low
    full = asks(d, p, x, 0) + costs * law.full
    return full, max(full, asks(d, p, x, k) + costs * law.own)


def asked(d: Domain, x: int) -> tuple[int, int]:
    pairs = [thresholds(d, p, x) for p in d.parts]
    return tuple(sum(up(each) for each in column) + d.law.met for column in zip(*pairs, strict=True))


def slack(d: Domain, x: int) -> int:
    return equity(d, x) - asked(d, x)[1]


def doubt(d: Domain, x: int) -> int:
    """Of a power the root is told to 24 binary digits, so that a rate may be so much higher."""
    return sum(1 + up(value(p, x) * (Fraction(1, RATE) + rate(p, x, 0) / 2**23)) for p in d.parts if p.t.scheme == "power")


def shares(d: Domain, x: int) -> list[int]:
    """Equity by maintenance margin without fees; what is left over goes to the largest."""
    needs = [up(asks(d, p, x, tier_of(d, p, x))) for p in d.parts]
    found = [equity(d, x) * each // sum(needs) for each in needs]
    found[needs.index(max(needs))] += equity(d, x) - sum(found)
    return found


def closed_form(d: Domain, x: int) -> Fraction | None:
    """The price at which equity is what is asked, if tiers and rates are those at x. None: there is no such price."""
    lines = [
        (worth(p.t, p.h, p.stays), 0) if p.stays else (0, p.h.s * p.h.lots * p.t.units * (-1 if p.t.inverse else 1))
        for p in d.parts
    ]
    e0, e1 = d.margin + sum(w0 - p.h.cost for p, (w0, _) in zip(d.parts, lines, strict=True)), sum(w1 for _, w1 in lines)
    a, b = Fraction(e0 - d.law.met), Fraction(e1)
    for p, (w0, w1) in zip(d.parts, lines, strict=True):
        k, sign = tier_of(d, p, x), 1 if w0 + w1 > 0 else -1
        r, less = rate(p, x, k), deduction(p.t, k)
        f = F * (d.law.own if k > 1 else d.law.low)
        if d.law.bankrupt:
            g = sign * f / (1 - sign * f) * (fee(d, p, x) > 0)
            a, b, f = a - g * (w0 - e0), b - g * (w1 - e1), Fraction(0)
        if p.t.at_entry:
            a -= asks(d, p, x, k) + value(p, x) * f
            continue
        if p.t.basis == "notional":
            a += less
        else:
            r -= less / measure(p.t, p.h, p.at(x), d.net(p))
        a, b = a - sign * w0 * (r + f), b - sign * w1 * (r + f)
    y = -a / b if b else 0
    return None if y <= 0 else 1 / y if d.parts[0].t.inverse else y


def stops(d: Domain, mark: int, way: int, highest: int) -> list[int]:
    """Ticks between which no tier changes, from the mark on: the last one in a tier and the first one beyond."""
    moving = [(p, p.h.lots * p.t.units) for p in d.parts if p.t.basis == "notional" and not p.stays]
    edges = [Fraction(held, top) if p.t.inverse else Fraction(top, held) for p, held in moving for top in p.t.tops]
    near = {e // 1 + step for e in edges for step in (-1, 0, 1, 2)} | {1, highest}
    return [mark, *sorted((x for x in near if 1 <= x <= highest and (x - mark) * way > 0), reverse=way < 0)]


def threshold(d: Domain, mark: int, way: int, highest: int) -> int | None:
    """The first tick on a way at which equity is below what is asked: between two tier edges once below is ever below."""
    for near, far in pairwise(stops(d, mark, way, highest)):
        if slack(d, far) < 0:
            ticks = range(near + way, far + way, way)
            return ticks[bisect_left(ticks, True, key=lambda x: slack(d, x) < 0)]
    return None


def explain(d: Domain, first: int, way: int) -> None:
    """The closed form tells that tick, within what is rounded: nothing where one requirement of an exact value is."""
    before = first - way
    after, bent = ([(tier_of(d, p, x), d.law.bankrupt and fee(d, p, x) > 0) for p in d.parts] for x in (first, before))
    if after != bent:  # a tier's edge; towards loss its own price is passed already
        exact = closed_form(d, first)
        assert exact is None or equity(d, first) >= equity(d, before) or (first - first_past(exact, way)) * way >= 0
        return
    rounded = len(d.parts) * (1 + d.law.bankrupt + d.parts[0].t.inverse) - (not d.parts[0].t.inverse)
    told = [closed_form(replace(d, margin=d.margin - n), x) for n in (0, rounded) for x in (first, before)]
    ticks = [first_past(x, way) for x in told if x is not None]
    assert ticks and min(ticks) <= first <= max(ticks)


# --- A position through the engine


@dataclass(frozen=True)
class Case:
    kind: str
    scheme: str
    basis: str
    at: str
    mode: str
    side: str
    rules: rules.RuleSet
    lots: int
    twin: int
    leverage: int
    extra: int  # millionths of the value, beyond what must be there
    jump: bool  # past the price at which a hedge is netted


def drawn(seed: int, *key, rule_set="seed") -> Case:
    """A size in any tier, at its edges or within, a hedge of less or more, a leverage, a margin; key: what is not drawn."""
    kind, scheme, basis, at, mode, side = key
    r = Random(f"{seed} {key} {rule_set}")
    k = r.randrange(4)
    low = TOPS[k - 1] + 1 if k else 50
    lots = r.choice((low, min(TOPS[k], 750), r.randint(low, min(TOPS[k], 750))))
    twin = min(900, lots * r.choice((2, 3, 4, 10)) // 6)
    leverage = r.choice((10, 20, 25) if mode == "hedge" else (1, 2, 3, 7, 10, 20, 25))
    case = Case(*key, rules.find(rule_set), lots, twin, leverage, r.randint(4_000, 90_000), r.random() < 0.5)
    print(case)
    return case


def terms(case: Case, name: str, scheme: str, basis: str):
    """An instrument and its terms; of factors at the leverage of the case."""
    instrument, t = contract(name, case.kind, scheme, basis)
    rates = tuple(Fraction(ppb * 20, case.leverage) for ppb in t.rates) if scheme == "factor" else t.rates
    return asked_at(case.at, instrument, t, rates=rates)


def asked_at(at: str, instrument, t: Terms, **other) -> tuple:
    """An instrument and its terms, that ask of the value at mark or at entry."""
    return replace(instrument, maintenance_at=at), Asked(**asdict(t) | other, at_entry=at == "entry")


def build(make, case: Case, mine=None) -> tuple[Desk, Domain, Part]:
    """(desk, domain, first leg): a position, its hedge or one of another instrument, and a margin near what must be there."""
    entry, isolated, hedged = MARKETS[case.kind][2], "isolated" in case.mode, case.mode.startswith("hedge")
    mine, other = mine or terms(case, "I", case.scheme, case.basis), terms(case, "J", "whole", "contracts")
    mode = "isolated" if isolated else "cross"
    desk = Desk(make, mine, other, rule_set=case.rules, leverage=case.leverage, mode=mode)
    for name in ("rich", "poor"):
        desk.ex.deposit(name, desk.currency, 10**7)
    if hedged:
        desk.ex.set_position_mode("poor", "I", "hedge")
    leg, twin = (case.side, "short" if case.side == "long" else "long") if hedged else (None, None)
    first = Part(mine[1], desk.open(case.side, case.lots, entry, leg=leg), leg)
    parts, mark = [first], entry
    if hedged:
        mark += entry // 300
        parts.append(Part(mine[1], desk.open(twin, case.twin, mark, leg=twin), twin))
    if case.mode == "cross, another held":
        desk.open("long", 20, entry - entry // 100, name="J")
        at = entry + entry // 250
        desk.mark(at, "J")
        cost = desk.ex.position("poor", "J").cost_units
        parts.append(Part(other[1], Held(1, 20, cost), stays=at))
    parts = parts[:1] if isolated else sorted(parts, key=lambda p: (p.stays, LEGS[p.leg]))
    values = [abs(worth(p.t, p.h, p.at(mark))) for p in parts]
    lost = sum(p.h.cost - worth(p.t, p.h, p.at(mark)) for p in parts)
    least = max(abs(first.h.cost), values[0]) if isolated else sum(values)
    margin = up(Fraction(least, case.leverage)) + len(parts) + max(0, lost) + values[0] * case.extra // 10**6
    domain = Domain(law_of(case.rules, isolated), margin, tuple(parts))
    pay(desk, domain, first)
    return desk, domain, first


def pay(desk: Desk, d: Domain, first: Part) -> None:
    """Margin or cash as the domain has it."""
    if desk.mode == "cross":
        desk.cash_to(d.margin)
    else:
        desk.margin_to(d.margin, leg=first.leg)


def find(d: Domain, first: Part, mark: int, highest: int) -> tuple[int | None, int]:
    """(tick, way): towards loss, or the other way where a larger leg loses there."""
    way = -first.h.s
    tick = threshold(d, mark, way, highest)
    if tick is None and d.hedge:
        way = -way
        tick = threshold(d, mark, way, highest)
    return tick, way


def views(desk: Desk, d: Domain, first: Part, mark: int, tick: int | None, way: int) -> int | None:
    """What is shown at a mark: costs, tiers, requirements, prices. Gives the liquidation price (a power may be a tick off)."""
    found = [desk.ex.position("poor", "J" if p.stays else "I", p.leg) for p in d.parts]
    wide, shown = doubt(d, mark), desk.ticks(found[d.parts.index(first)].liquidation_price)
    if shown != tick:
        assert first.t.scheme == "power" and shown is not None and slack(d, shown) <= doubt(d, shown)
        assert slack(d, shown - way) >= 0
    for p, seen, share in zip(d.parts, found, shares(d, mark), strict=True):
        assert desk.ticks(seen.mark_price, seen.instrument) == p.at(mark)
        assert (seen.cost_units, seen.tier) == (p.h.cost, tier_of(d, p, mark) + 1)
        assert 0 <= int(seen.maintenance / desk.unit) - up(thresholds(d, p, mark)[1]) <= wide
        if p.stays or wide == 0 or len(d.parts) == 1:
            cost = worth(p.t, p.h, p.at(mark)) - share
            assert wide and p.stays or desk.ticks(seen.bankruptcy_price) == paying_price(p.t, p.h, cost)
    return shown


def walk(desk: Desk, d: Domain, first: Part, mark: int, jump: bool = False) -> tuple[Domain | None, int]:
    """To the tick before and the tick itself; gives what a netted hedge leaves, else None, and the last mark."""
    highest = desk.contracts["I"][0].spec.max_price_ticks
    tick, way = find(d, first, mark, highest)
    if tick is not None:
        explain(d, tick, way)
    shown = views(desk, d, first, mark, tick, way)
    if shown is None:
        return None, mark
    assert not desk.liquidated(desk.mark(shown - way))
    assert views(desk, d, first, shown - way, tick, way) == shown
    if jump and d.hedge and d.law.nets:
        left = netted(d, shown)
        beyond = threshold(left, shown, -left.parts[0].h.s, highest) if slack(left, shown) >= 0 else None
        if beyond is not None and (beyond - shown) * way > 0:
            shown = min(highest, max(1, beyond + way))
    return happened(desk, d, desk.mark(shown), shown), shown


def netted(d: Domain, x: int) -> Domain:
    """What both legs have in common closed at x: each keeps the rest of its cost, and cash has what was realised."""
    lots = min(p.h.lots for p in d.parts)
    cash, left = d.margin, []
    for p in d.parts:
        brings = 1 if p.h.cost > 0 else -1
        share = brings * (abs(p.h.cost) * lots // p.h.lots)
        paid = lots * p.t.units // x if p.t.inverse else lots * p.t.units * x
        cash += brings * paid - share
        left.append(replace(p, h=Held(p.h.s, p.h.lots - lots, p.h.cost - share)))
    return replace(d, margin=cash, parts=tuple(p for p in left if p.h.lots))


def agree(event, d: Domain, x: int) -> None:
    """The ratio test as it was: equity, both thresholds, what follows."""
    full, own = asked(d, x)
    assert event.equity_units == equity(d, x)
    assert 0 <= event.full_units - full <= doubt(d, x) and 0 <= event.own_units - own <= doubt(d, x)
    assert event.value_units == sum(abs(worth(p.t, p.h, p.at(x))) for p in d.parts)
    assert event.verdict == (Verdict.FULL if event.equity_units < event.full_units else Verdict.PARTIAL)
    assert event.equity_units < event.own_units


def happened(desk: Desk, d: Domain, events: list, x: int) -> Domain | None:
    """A hedge is netted first; where that is not enough, or there is none, a step down or a takeover to the unit."""
    event, *more = desk.liquidated(events)
    agree(event, d, x)
    nettings = [e for e in events if e.type == EventType.NETTED]
    steps, takeovers = ([e for e in events if e.type == kind] for kind in (EventType.STEP_DOWN, EventType.TAKEOVER))
    assert len(nettings) == (d.hedge and d.law.nets)
    if nettings:
        lots = min(p.h.lots for p in d.parts)
        assert (nettings[0].price_ticks, nettings[0].size_lots, nettings[0].account) == (x, lots, desk.poor)
        d = netted(d, x)
        if slack(d, x) >= doubt(d, x):
            assert not more and not steps and not takeovers
            assert desk.ex.account("poor").cash_units == d.margin
            return d
        event, *more = more
        agree(event, d, x)
    assert not more
    if event.verdict == Verdict.FULL:
        assert not steps
        taken_over(desk, d, takeovers, x)
    else:
        assert not takeovers
        stepped_down(desk, d, steps, x)
    return None


def taken_over(desk: Desk, d: Domain, takeovers: list, x: int) -> None:
    """Every position of the domain at what leaves nothing of its share of equity."""
    assert [(e.instrument, e.leg, e.size_lots) for e in takeovers] == [
        (int(p.stays > 0), LEGS[p.leg], p.h.s * p.h.lots) for p in d.parts
    ]
    for e, p, share in zip(takeovers, d.parts, shares(d, x), strict=True):
        cost, price = worth(p.t, p.h, p.at(x)) - share, paying_price(p.t, p.h, e.cost_units)
        off = abs(equity(d, x)) // 2**20 + 1 if len(d.parts) > 1 and doubt(d, x) else 0
        assert abs(e.cost_units - cost) <= off and e.bankruptcy_ticks == (NOWHERE if price is None else price)
        assert e.mark_ticks == p.at(x)
    assert desk.ex.position("poor", "I", d.parts[0].leg).size == 0


def stepped_down(desk: Desk, d: Domain, steps: list, x: int) -> None:
    """Whichever above tier 2 asks most beyond a takeover goes down by two tiers, to where its fee is paid, within 5 %."""
    apart = [own - full if tier_of(d, p, x) > 1 else -1 for p in d.parts for full, own in [thresholds(d, p, x)]]
    i = apart.index(max(apart))
    p, k, [step] = d.parts[i], tier_of(d, d.parts[i], x), steps
    cost = worth(p.t, p.h, p.at(x)) - shares(d, x)[i]
    paying, edge = paying_price(p.t, p.h, cost, FEE), Fraction(x * (20 - p.h.s), 20)
    paying = NOWHERE if paying is None else paying
    limit = max(paying, up(edge)) if p.h.s > 0 else min(paying, edge // 1)
    a_lot = {"notional": Fraction(p.t.units, x) if p.t.inverse else p.t.units * x, "entry": Fraction(abs(p.h.cost), p.h.lots)}
    within = p.t.tops[k - 2] / Fraction(a_lot.get(p.t.basis, 1)) // 1
    assert (step.leg, step.tier, step.target_tier) == (LEGS[p.leg], k + 1, k - 1)
    legal = max(1, min(desk.contracts["I"][0].spec.max_price_ticks, limit))
    assert (step.size_lots, step.limit_ticks) == (p.h.lots - within, legal)


def through(make, case: Case, meet=None) -> Domain | None:
    """A case to its end; a hedge that was netted goes on as what is left of it. meet: how a threshold is met exactly."""
    desk, d, first = build(make, case)
    d = meet(desk, d, first) if meet and d.law.met else d
    mark = desk.marks["I"]
    assert slack(d, mark) >= 0
    if case.basis == "notional" and len(d.parts) == 1 and case.scheme != "power":
        ahead = threshold(d, mark, first.h.s, desk.contracts["I"][0].spec.max_price_ticks)
        assert desk.ticks(desk.ex.position("poor", "I", first.leg).profit_side_liquidation_price) == ahead
    left, mark = walk(desk, d, first, mark, case.jump)
    if left and left.parts:
        rest, mark = walk(desk, left, left.parts[0], mark)
        assert rest is None
    return left


# --- Every kind, side, mode, scheme and basis


MODES = ("isolated", "cross", "cross, another held", "hedge", "hedge isolated")
EVERY = [
    (scheme, basis) for scheme in ("whole", "deduction", "slope", "power", "factor")
    for basis in ("contracts", "notional", "entry", "net") if (scheme, basis) != ("deduction", "net")
]  # fmt: skip
AT_ENTRY = [case for case in EVERY if case != ("deduction", "notional")]  # which is refused
