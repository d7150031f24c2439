"""The table of steps of a rule set: which are refused, and what one does that leaves a step out."""

from collections import Counter
from dataclasses import replace

import pytest

import solvent
import solvent.reference
from solvent import InputError, rules
from solvent.auditor import Auditor
from solvent.records import CommandType, EventType, decode
from solvent.schema.terms import RuleTerms, names_of, values_of
from solvent.terms.rule_set import STEPS
from solvent.terms.tiers import okex_btc_2019
from support.generator import Generator
from support.places import ROOT

SEED = rules.find("seed")
KERNELS = [solvent.Exchange, solvent.reference.Exchange]
WITHOUT_NET = tuple(step for step in STEPS if step != "net")
WITHOUT_STEP_DOWN = tuple(step for step in STEPS if step != "step_down")
COMMANDS = 1_000  # of one drawn shape


def swapped(first, second):
    """The usual table with two steps in each other's place."""
    places = {first: second, second: first}
    return tuple(places.get(step, step) for step in STEPS)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (tuple(step for step in STEPS if step != "unwind"), "no unwind; only net and step_down may be left out"),
        (tuple(step for step in STEPS if step != "verdict"), "no verdict"),
        (tuple(step for step in STEPS if step != "clear"), "no clear"),
        (tuple(step for step in STEPS if step != "take_over"), "no take_over"),
        (tuple(step for step in STEPS if step != "deleverage"), "no deleverage"),
        (tuple(step for step in STEPS if step != "residual"), "no residual"),
        ((), "no verdict"),
        (swapped("take_over", "unwind"), "take_over comes before unwind"),
        (swapped("clear", "net"), "clear comes before net"),
        (swapped("net", "step_down"), "net comes before step_down"),
        ((*STEPS, "residual"), "residual more than once"),
        ((*STEPS, "pray"), "not .*pray"),
        ((*STEPS[:-1], 8), "is a tuple of verdict, clear"),
        (list(STEPS), "is a tuple of verdict, clear"),
        ("verdict", "is a tuple of verdict, clear"),
        (None, "is a tuple of verdict, clear"),
    ],
)
def test_a_wrong_table_is_refused_by_name(steps, said):
    with pytest.raises(InputError, match=f"rule set seed: .*steps.*{said}"):
        replace(SEED, steps=steps)


@pytest.mark.parametrize("name", ["seed", "okx_consistent"])
def test_the_presets_have_every_step(name):
    assert rules.find(name).steps == STEPS


def test_the_usual_table_is_not_part_of_a_digest():
    plain = len(names_of(RuleTerms)) - len(RuleTerms.later) - 1
    assert SEED.identity() == values_of(SEED.compiled())[:plain]
    assert replace(SEED, steps=WITHOUT_NET).identity()[plain:] == (replace(SEED, steps=WITHOUT_NET).compiled().steps,)
    assert replace(SEED, adl_share="minmax").identity()[plain:] == (("adl_share", 2),)
    tables = [replace(SEED, steps=steps) for steps in (STEPS, WITHOUT_NET, WITHOUT_STEP_DOWN)]
    assert len({solvent.Exchange([solvent.Instrument("X")], rules=table).digest() for table in tables}) == 3


def test_both_kernels_have_a_file_for_each_step():
    root = ROOT
    core, twin = root / "ext/solvent/_core/liquidation", root / "engine/solvent/twin/liquidation"
    files = {path.stem for path in twin.glob("*.py")}
    assert files == {path.stem for path in core.glob("*.pxd")} and set(STEPS) <= files


def test_tiers_of_the_net_size_need_the_step_net():
    instrument = solvent.Instrument("X", basis="net")
    for table in (replace(SEED, steps=WITHOUT_NET), replace(SEED, net_hedges=False)):
        with pytest.raises(InputError, match="need a rule set that nets hedges"):
            solvent.Exchange([instrument], rules=table)


def stream(kind, seed, table):
    """The events of a drawn shape under a rule set, and how many of each type; the auditor follows."""
    generator = Generator(seed)
    ex = kind(generator.instruments, rules=table(generator.rules), collateral=generator.collateral, retain=True)
    auditor, kernel = Auditor(ex), ex._kernel
    opening = iter(generator.opening())
    whole, seen = [], Counter()
    for _ in range(COMMANDS):
        record = next(opening, None) or generator.next(kernel)
        ex.venue.coming = generator.candidate
        begin = kernel.next_seq
        code = kernel.apply(record)
        events = bytes(kernel.view(begin, kernel.next_seq))
        decoded = list(decode(events))
        auditor.follow(decoded)
        seen.update(EventType(e.type) for e in decoded)
        whole.append(events)
        if record[0] == CommandType.ADD_INSTRUMENT and code == 0:
            generator.added()
    ex.check()
    auditor.check_safety()
    auditor.compare(ex)
    return whole, seen


def shapes(wanted, count):
    """Seeds of shapes that have something."""
    return [seed for seed in range(20_221_108, 20_222_108) if wanted(Generator(seed))][:count]


HEDGED = shapes(lambda g: g.hedged and g.gap and not any(each.basis == "net" for each in g.instruments), 4)
DEEP = [20221108 * 1_000_003 + i for i in (4, 44, 50)]  # shapes that reach a step-down


def test_a_table_without_net_does_as_net_hedges_off():
    netted = 0
    for seed in HEDGED:
        usual = stream(solvent.Exchange, seed, lambda drawn: replace(drawn, net_hedges=True))
        off = stream(solvent.Exchange, seed, lambda drawn: replace(drawn, net_hedges=False))
        netted += usual[1][EventType.NETTED]
        assert off[1][EventType.NETTED] == 0
        for kind in KERNELS:
            assert stream(kind, seed, lambda drawn: replace(drawn, net_hedges=True, steps=WITHOUT_NET)) == off
    assert netted, "no shape reaches the step"


def test_a_table_without_step_down_takes_over_at_the_threshold():
    stepped = 0
    for seed in DEEP:
        usual = stream(solvent.Exchange, seed, lambda drawn: drawn)
        without = [stream(kind, seed, lambda drawn: replace(drawn, steps=WITHOUT_STEP_DOWN)) for kind in KERNELS]
        assert without[0] == without[1]
        assert without[0] == stream(solvent.Exchange, seed, lambda drawn: replace(drawn, step_tiers=1_000))
        assert without[0][1][EventType.STEP_DOWN] == 0
        stepped += usual[1][EventType.STEP_DOWN]
    assert stepped, "no shape reaches the step"


@pytest.mark.parametrize("steps", [STEPS, WITHOUT_STEP_DOWN], ids=["with", "without"])
def test_without_step_down_a_position_goes_whole(strict_exchange, steps):
    """45 lots in tier 4 at 1.86 %, of which 2.05 % are asked: 15 are sold, or the house takes all of them."""
    tiers = okex_btc_2019(first=20, step=10, levels=8)
    ex = strict_exchange([solvent.Instrument("X", tiers=tiers)], rules=replace(SEED, steps=steps))
    ex.mark("X", 50_000)
    for name, units in (("maker", 10**9), ("whale", 10**5)):
        ex.deposit(name, "USDT", units)
    ex.set_leverage("whale", "X", 20, mode="isolated")
    ex.order("maker", "X", "sell", 45, price=50_000).ok()
    ex.order("whale", "X", "buy", 45, price=50_000).ok()
    ex.order("maker", "X", "buy", 60, price=48_300).ok()
    events = ex.mark("X", 48_400).events
    sold = [e.size_lots for e in events if e.type == EventType.STEP_DOWN]
    taken = [e.size_lots for e in events if e.type == EventType.TAKEOVER]
    assert (sold, taken) == (([15], []) if steps == STEPS else ([], [45]))
    assert ex.position("whale", "X").size == (30 if steps == STEPS else 0)
