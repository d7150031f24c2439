"""The auditor on exchanges that grow: attached before, between or after what is added, looking after every command or once.

Owns the moments at which an auditor may look. What it recomputes is the same whenever it does.
"""

from dataclasses import replace

import pytest

from solvent import Instrument, InvariantBroken, Tier
from solvent.auditor import Auditor
from solvent.records import CommandType, command
from solvent.terms.spec import to_records
from solvent.testing import audited

SMALL = {"contract_size": 1, "tick": 1, "max_price": 10_000, "tiers": [Tier(1_000, "0.005", "0.01")]}
FIRST = Instrument("A", **SMALL)
ADDED = [
    Instrument("B", **SMALL, fee_tiers=[(2_000, "0.0001", "0.0004")]),
    Instrument("C", settle="XBT", settle_decimals=9, kind="inverse", **SMALL),
    Instrument("D", liquidation_fee="own", **SMALL, fee_tiers=[(10**6, "0", "0.0001")]),
]
MODES = {"m": "cross", "a": "isolated"}
STEPS = len(ADDED) + 1


def step(ex, k):
    """Adds the k-th instrument (0: none), and trades in all that there are: openings, a liquidation, funding."""
    if k:
        assert ex.add_instrument(ADDED[k - 1]) == k
    for each in ex.instruments:
        ex.mark(each.name, 1_000)
        for name, side in (("m", "sell"), ("a", "buy")):
            ex.set_leverage(name, each.name, 50 if name == "a" else 1, mode=MODES[name])
            ex.order(name, each.name, side, 10, price=1_000).ok()
    newest = ex.instruments[-1].name
    ex.settle_funding(newest, "0.0001", k + 1)
    ex.advance(ex.time_ns + 86_400 * 10**9)
    ex.mark(newest, 975)


def grown(base, look):
    ex = base([FIRST], currencies={"XBT": 9})
    for currency in ("USDT", "XBT"):
        ex.deposit("m", currency, 10**6)
        ex.deposit("a", currency, 10_000)
        ex.seed_fund(currency, 100)
    look(ex)
    for k in range(STEPS):
        step(ex, k)
        look(ex)
    ex.delist("B", 990)
    return ex


@pytest.mark.parametrize("attached", range(STEPS + 1))
def test_an_auditor_attached_at_any_time(exchange_class, attached):
    """Its first look is at the first event, however many instruments were added before it was made or have been since."""
    made, looks = [], []

    def look(ex):
        if len(looks) == attached:
            made.append(Auditor(ex))
        looks.append(ex.time_ns)

    ex = grown(exchange_class, look)
    (auditor,) = made
    auditor.follow(ex.cursor(begin=1))
    auditor.check_safety()
    auditor.compare(ex)
    assert len(auditor.specs) == len(ADDED) + 1 and auditor.counts["LIQUIDATION"] >= 2


@pytest.mark.parametrize("every", [1, 2, 3])
def test_an_auditor_that_looks_now_and_then(exchange_class, every):
    """Between two of its looks one or several instruments are added, and traded in."""
    made, looks = [], []

    def look(ex):
        if not made:
            made.append(Auditor(ex))
        if len(looks) % every == 0:
            made[0].follow(ex.drain())
            made[0].compare(ex)
        looks.append(ex.time_ns)

    ex = grown(exchange_class, look)
    made[0].follow(ex.drain())
    made[0].compare(ex)
    made[0].check_safety()


def test_volume_counts_from_when_fees_have_tiers(exchange_class):
    """What is traded before the first instrument with fee tiers is added counts for nobody; the auditor knows it later."""
    ex = exchange_class([FIRST])
    for name in "ma":
        ex.deposit(name, "USDT", 10**6)
    step(ex, 0)
    ex.add_instrument(ADDED[0])
    for _ in range(2):
        ex.advance(ex.time_ns + 86_400 * 10**9)
        ex.mark("B", 1_000)
        ex.order("m", "B", "sell", 10, price=1_000).ok()
        ex.order("a", "B", "buy", 10, price=1_000).ok()
    auditor = Auditor(ex)
    auditor.follow(ex.drain())
    auditor.compare(ex)
    assert sum(sum(days.values()) for days in auditor.traded.values()) == 2 * 2 * 10_000 * 10**6


def test_terms_that_nobody_can_tell(exchange_class):
    """An instrument that came as a record, past the face, is named as what it is."""
    ex = exchange_class([FIRST])
    auditor = Auditor(ex)
    data = to_records("R", replace(FIRST, name="R").spec, 0)
    assert ex._kernel.apply(command(CommandType.ADD_INSTRUMENT, records=1 + len(data) // 64) + data) == 0
    ex.deposit("a", "USDT", 1)
    with pytest.raises(InvariantBroken, match="the terms of what was added are known"):
        auditor.follow(ex.drain())


def test_a_sweep_is_compared_after_each_eighth_command(exchange_class):
    """What the fixture `sweep` does."""
    made, looked = [], []
    ex = audited(exchange_class, every=8, made=made)([Instrument("X")])
    [kernel] = made
    kernel.auditor.compare = lambda _: looked.append(kernel.applied)
    for n in range(20):
        ex.advance(n + 1)
    assert looked == [8, 16]
