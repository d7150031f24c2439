"""Many worlds in one process: each is the world alone, compiled or readable; what agents of a user's own may spoil."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from solvent import Exchange, InputError, reference
from solvent.lab import Agent, AgentFailed, MarketFault, Process, Swarm, Worlds, find
from solvent.lab.market import paths
from solvent.schema.limits import FINE

STEPS = 120
WALK = replace(find("quiet"), process=Process(minutes=STEPS, volatility_bp=25, jumps=4), traders=10)


def digests(worlds: Worlds) -> list[int]:
    return [each.digest() for each in worlds.exchanges]


def grown(n, seed, scenario=WALK, steps=STEPS, **terms):
    worlds = Worlds(scenario, n, seed, **terms)
    worlds.run(steps)
    return worlds


def test_a_world_among_others_is_the_world_alone():
    many = grown(6, 1)
    assert len(set(digests(many))) == 6
    for number in range(6):
        alone = grown(1, 1 + number)
        assert digests(alone) == [many.exchanges[number].digest()]
        assert (alone.rows == many.rows[number]).all()
    for each in many.exchanges:
        each.check()


def test_steps_in_pieces_are_the_same_steps():
    pieces = Worlds(WALK, 3)
    for steps in (0, 1, 7, 50, STEPS - 58):
        pieces.run(steps)
    assert digests(pieces) == digests(grown(3, 1)) and pieces.step == pieces.steps == STEPS


@pytest.mark.parametrize(
    "scenario",
    [
        WALK,
        replace(find("flash_crash"), traders=7, faults=(MarketFault("mark_stands", 3, 300),)),
        replace(find("ftx"), beside=(), traders=5, rules="bybit"),
    ],
    ids=["walk", "crash", "ftx"],
)
def test_the_compiled_crowd_is_the_readable_one(scenario, seed):
    """On both kernels: the twin's traders are Python, the core's are compiled; states and counts agree."""
    steps = min(40, Worlds(scenario, 1).steps)
    compiled, readable = (grown(2, seed, scenario, steps, exchange=kind) for kind in (Exchange, reference.Exchange))
    assert digests(compiled) == digests(readable), f"seed {seed}"
    assert (compiled.rows == readable.rows).all(), f"seed {seed}"
    assert compiled.counts()["orders"] > 0


def test_the_crowd_acts_and_is_liquidated():
    """Thirty percent of the looks send an order or a cancellation, five trade, marks move, and accounts are liquidated."""
    worlds = Worlds(replace(WALK, traders=10), 60)
    seen = np.zeros((STEPS, 60), dtype=np.int64)
    for step in range(STEPS):
        worlds.run(1)
        seen[step] = [each._kernel.mark_ticks(0) for each in worlds.exchanges]
    counts = worlds.counts()
    assert counts["looks"] == 60 * 10 * STEPS
    assert counts["orders"] + counts["cancels"] >= counts["looks"] * 3 // 10
    assert counts["trades"] * 20 >= counts["looks"] and counts["refusals"] * 5 < counts["orders"]
    assert (np.diff(seen, axis=0) != 0).mean() > 0.99
    assert counts["liquidations"] > 10 and counts["deleveraged"] > 0
    assert f"{counts['liquidations']:,} liquidations" in repr(worlds)


def test_the_price_of_a_world_is_the_path_that_its_seed_draws():
    worlds = grown(2, 5)
    for number, each in enumerate(worlds.exchanges):
        closes = [bar[4] for bar in paths.drawn(WALK, 5 + number).bars]
        assert worlds.rows[number, 2] // FINE == closes[-1]
        assert each._kernel.prices(0)[2] == closes[-1]


def test_others_run_while_worlds_go():
    """The GIL is free: another thread counts on."""
    worlds, count, done = Worlds(replace(WALK, traders=400), 4), [0], threading.Event()

    def counting():
        while not done.is_set():
            count[0] += 1

    other = threading.Thread(target=counting)
    other.start()
    try:
        begun, before = time.perf_counter(), count[0]
        worlds.run(STEPS)
        took, counted = time.perf_counter() - begun, count[0] - before
    finally:
        done.set()
        other.join()
    assert counted > took * 1_000, (counted, took)


class Buyer(Agent):
    """Buys one contract at each tenth step."""

    name, wallet, leverage = "buyer", "5000", 10

    def begin(self, desk):
        self.calls = ["begin"]

    def step(self, desk):
        self.calls.append("step")
        if desk.step % 10 == 0:
            desk.buy(1)

    def end(self, desk):
        self.calls.append("end")
        Buyer.last = self.calls


def test_agents_of_a_users_own_trade_in_each_world():
    many = grown(3, 1, agents=[Buyer])
    assert many.agents == 11 and Buyer.last == ["begin", *["step"] * STEPS, "end"]
    assert digests(grown(1, 3, agents=[Buyer])) == [many.exchanges[2].digest()]
    assert digests(many) != digests(grown(3, 1))
    assert any(each.position("buyer", each.instruments[0].name).size for each in many.exchanges)


class Raises(Agent):
    def step(self, desk):
        if desk.seed == 2 and desk.step == 5:
            raise KeyError("no such idea")


class Garbage(Raises):
    def step(self, desk):
        return 7 if desk.seed == 2 and desk.step == 5 else None


class Endless(Raises):
    patience_s = 1

    def step(self, desk):
        while desk.seed == 2 and desk.step == 5:
            pass


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Raises, "step raised KeyError: 'no such idea'"),
        (Garbage, "step returned 7"),
        (Endless, "step did not return within 1"),
    ],
)
def test_an_agent_that_fails_is_named_with_its_world(kind, said):
    where = "world 1, agent 'agent', seed 2, step 5: "
    if threading.current_thread() is not threading.main_thread() and kind is Endless:
        pytest.skip("patience is heeded in a main thread")
    with pytest.raises(AgentFailed, match=where + said):
        grown(3, 1, steps=20, agents=[kind])
    worlds = grown(3, 1, steps=20, agents=[kind], go_on=True)
    assert list(worlds.failures) == [1] and where + said in str(worlds.failures[1])
    assert worlds.rows[:, 3].tolist() == [20, 5, 20]
    worlds.run(20)
    assert worlds.rows[:, 3].tolist() == [40, 5, 40]


@pytest.mark.parametrize(
    ("change", "n", "said"),
    [
        ({}, 0, "from 1 to 1,000,000 worlds, not 0"),
        ({}, True, "not True"),
        ({"traders": 0}, 1, "from 1 to 100,000, not 0"),
        ({"rules": "none"}, 1, "none"),
        ({"shares": (("all_in", 1),)}, 1, "behaviours"),
        ({"depth_percent": 50}, 1, "no makers"),
        ({"beside": (find("quiet"),)}, 1, "one contract"),
        ({"faults": (MarketFault("makers_leave", 1, 1),)}, 1, "no makers"),
        ({"process": Process(minutes=1)}, 1, "minutes"),
    ],
)
def test_a_scenario_that_worlds_cannot_have_is_refused(change, n, said):
    with pytest.raises(InputError, match=said):
        Worlds(replace(WALK, **change), n)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(InputError, match="of a Scenario"):
        Worlds("quiet", 1)
    with pytest.raises(InputError, match="below 2"):
        Worlds(WALK, 2, 2**63 - 1)
    with pytest.raises(InputError, match="plain agents"):
        Worlds(WALK, 1, agents=[Swarm])
    worlds = grown(2, 1)
    for steps in (1, -1, 1.5):
        with pytest.raises(InputError, match="120 steps, of which 120 are gone"):
            worlds.run(steps)


def test_the_core_refuses_what_does_not_fit():
    from solvent._core.crowd import advance

    worlds = Worlds(WALK, 2)
    given = [worlds.exchanges, worlds.rows, worlds._packed, worlds._prices, worlds._times_ns, 3, 1]
    wrong = {0: worlds.exchanges[:1], 1: worlds.rows[:1], 2: worlds._packed[:3], 6: STEPS + 1}
    for at, value in wrong.items():
        with pytest.raises(ValueError, match="do not fit"):
            advance(*given[:at], value, *given[at + 1 :])
    with pytest.raises(ValueError, match="do not fit"):
        advance([Exchange(list(worlds.exchanges[0].instruments))] * 2, *given[1:])
    with pytest.raises(TypeError, match="compiled Exchange"):
        advance([None, None], *given[1:])
