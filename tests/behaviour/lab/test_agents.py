"""Agents of a user's own, and the scenarios in which they trade: their life, their draws, what stops a run, what files say."""

import re
import threading
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from solvent import Exchange
from solvent.app.cli import main
from solvent.codes import InputError
from solvent.lab import Agent, AgentFailed, MarketFault, Process, Swarm, find, load, run
from solvent.lab.market import comparison, paths
from solvent.lab.market.driver import Driver, contract

SMALL = replace(find("whipsaw"), traders=40)


class Noted(Agent):
    """Buys in the third step and closes in the tenth; notes how it is called and what it draws."""

    name = "noted"

    def __init__(self):
        self.calls, self.draws, self.held = [], [], []

    def begin(self, desk):
        self.calls.append("begin")
        assert desk.equity() == 1_000

    def step(self, desk):
        self.calls.append("step")
        self.draws.append((desk.draw(1_000), desk.draw(1_000, question=1)))
        if desk.step == 3:
            assert desk.buy(1).ok().filled == 1
            desk.sell(1, desk.mark() * 2 // 1, reduce_only=True)
        if desk.step == 10:
            desk.cancel_all()
            assert desk.close().ok()
        self.held.append(desk.position())

    def end(self, desk):
        self.calls.append("end")
        assert desk.close() is None


class Crowd(Swarm):
    """Fifty traders who go long or short by a coin and close after twenty steps."""

    name, members, leverage = "crowd", 50, 10

    def step(self, desk):
        if desk.step % 20 == 0:
            desk.send(1 - 2 * desk.draws(2))
        if desk.step % 20 == 19:
            desk.send(-desk.size_lots(), np.ones(self.members, dtype=np.bool_))
            assert not desk.size_lots().any()


def test_an_agent_is_called_in_its_order_and_trades():
    agent = Noted()
    made = run(SMALL, 1, [agent])
    steps = len(made.walk)
    assert agent.calls == ["begin", *["step"] * steps, "end"]
    assert [*map(int, agent.held[2:5])] == [0, 1, 1] and agent.held[10] == 0
    fared = made.agents[0]
    assert (fared.name, fared.members, fared.start_units, fared.liquidations) == ("noted", 1, 1_000_000_000, 0)
    assert fared.end_units != fared.start_units and made.tally.worst_error == 0


def test_draws_of_an_agent_are_its_own_and_runs_repeat():
    """Another agent at another desk, or another seed: the first one's draws stay, or all change."""
    alone, first, again, other = Noted(), Noted(), Noted(), Noted()
    digests = [run(SMALL, 1, [alone]).digest, run(SMALL, 1, [first, Crowd()]).digest, run(SMALL, 1, [again]).digest]
    run(SMALL, 2, [other])
    assert alone.draws == first.draws == again.draws and digests[0] == digests[2] != digests[1]
    assert alone.draws != other.draws and len({*alone.draws}) > len(alone.draws) * 9 // 10


def test_a_swarm_trades_as_arrays():
    made = run(SMALL, 1, [Crowd()])
    assert made.agents[0].members == 50 and made.agents[0].start_units == 50 * 10**9
    assert made.agents[0].end_units < made.agents[0].start_units, "fees"
    traders = run(SMALL, 1)
    assert len(made.tally.traded) == len(traders.tally.traded) + 50 and made.tally.traded[-50:].all()


def acting(call):
    """An agent whose step is a function of its desk."""
    kind = type("Acting", (Agent,), {"name": "acting", "patience_s": 1, "step": lambda self, desk: call(desk)})
    return kind()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda desk: 1 // 0, "step raised ZeroDivisionError"), (lambda desk: "buy", "step returned 'buy'"),
        (lambda desk: desk.buy(1.5) and None, "step raised"), (lambda desk: desk.draw(0) and None, "step raised InputError"),
    ],
)  # fmt: skip
def test_an_agent_that_fails_is_named_with_seed_and_step(call, said):
    with pytest.raises(AgentFailed, match=f"agent 'acting', seed 7, step 0: .*{said.removeprefix('step ')}"):
        run(SMALL, 7, [acting(call)])


def test_an_agent_that_does_not_return_is_stopped_even_if_it_catches_all():
    def forever(desk):
        while True:
            try:
                threading.Event().wait(10)
            except Exception:
                continue

    with pytest.raises(AgentFailed, match="did not return within 1 seconds"):
        run(SMALL, 1, [acting(forever)])


@pytest.mark.parametrize(
    "terms", [{"wallet": "-1"}, {"wallet": "x"}, {"leverage": 0}, {"members": 0}, {"wallet": "0.0000001"}]
)
def test_terms_of_an_agent_that_make_no_sense_are_refused(terms):
    with pytest.raises(InputError):
        run(SMALL, 1, [type("Odd", (Agent,), terms)()])
    with pytest.raises(InputError, match="names of their own"):
        run(SMALL, 1, [Noted(), Noted()])


# --- scenarios


def test_a_drawn_path_depends_on_the_seed_alone_and_moves_as_told():
    wild = replace(find("quiet"), process=Process(minutes=2_000, volatility_bp=20, jumps=5, jump_bp=400))
    one, again, other = (paths.drawn(wild, seed).bars for seed in (1, 1, 2))
    assert one == again != other and len(one) == 2_000
    closes = np.array([bar[4] for bar in one], dtype=np.float64)
    moves = np.abs(np.diff(np.log(closes)))
    assert (moves > 0.03).sum() == 5 and np.std(np.diff(np.log(closes))[moves < 0.03]) == pytest.approx(0.002, rel=0.1)


def test_faults_and_depth_are_those_of_the_scenario_in_demo_and_driver():
    """Makers that leave show nothing, a mark that stands does not follow, in both who take the record."""
    faults = MarketFault("makers_leave", 5, 120), MarketFault("mark_stands", 8, 180)
    struck = replace(find("whipsaw"), traders=0, faults=faults)
    calm, made, thin = run(replace(struck, faults=()), 1), run(struck, 1), run(replace(struck, depth_percent=50), 1)
    assert made.commands < calm.commands and thin.digest != made.digest
    ex = Exchange([contract(struck)])
    market = Driver(ex, struck)
    depths, marks = {}, {}
    begin = market.time_ns
    while market.step():
        minute = (market.time_ns - begin) // (60 * 10**9)
        depths.setdefault(minute, len(ex.depth("BTC-USDT-SWAP").bids))
        marks.setdefault(minute, []).append(ex.prices("BTC-USDT-SWAP").mark)
    assert depths[4] == depths[7] == 10 and depths[5] == depths[6] == 0
    assert len({*marks[8], *marks[9], *marks[10]}) == 1 and len({*marks[7], *marks[11]}) > 2


TEXT = """
title = "A thin night"
traders = 60
fund = "500"

[path]
process = "walk"
minutes = 40
jumps = 2

[population]
all_in = 3
control = 1

[funding]
hours = 1

[[faults]]
kind = "makers_leave"
minute = 10
seconds = 60

[sweep]
seeds = [4, 9]
fund = ["0", "5000"]
"""


def test_a_file_says_all_of_a_scenario(tmp_path):
    file = tmp_path / "night.toml"
    file.write_text(TEXT)
    found = load(file)
    assert (found.title, found.traders, found.fund, found.funding_hours) == ("A thin night", 60, "500", 1)
    assert found.process == Process(minutes=40, jumps=2) and found.shares == (("all_in", 3), ("control", 1))
    assert found.faults == (MarketFault("makers_leave", 10, 60),)
    made = run(found, 4)
    assert {*made.crowd.behaviour.tolist()} == {0, 9} and made.settings.fund_units == 500 * 10**6


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("traders = 60", "tradrs = 60", r"no key 'tradrs'; is 'traders' meant\?"),
        ("jumps = 2", "jump = 2", "no key 'jump'"),
        ("traders = 60", 'traders = "60"', "traders is a whole number"),
        ("minutes = 40", "minutes = 1", "minutes of a process"),
        ('"makers_leave"', '"quake"', "faults.kind is one of"), ("seconds = 60", "", r"\[\[faults\]\] lacks seconds"),
        ("[path]", '[path]\nscenario = "ftx"', "one of scenario"), ("seeds = [4, 9]", "seeds = []", "sweep.seeds is empty"),
        ("all_in = 3", "all_in = -3", "shares are weights"), ("all_in = 3", "alin = 3", "shares are weights"),
        ('fund = "500"', "fund = 500.5", "fund is a text in quotes"), ("hours = 1", "hours = 99", "funding_hours"),
        ("title", "title =", "no TOML file"), ('process = "walk"', 'process = "fly"', 'path.process is "walk"'),
    ],
)  # fmt: skip
def test_a_wrong_key_or_value_is_named(before, after, said, tmp_path, capsys):
    file = tmp_path / "night.toml"
    file.write_text(TEXT.replace(before, after, 1))
    assert main(["sweep", str(file), "--out", str(tmp_path / "out")]) == 2
    assert re.search(said, capsys.readouterr().err)


@pytest.mark.long
def test_a_sweep_of_a_file_runs_every_world_and_goes_on_where_it_was(tmp_path, capsys):
    pytest.importorskip("pyarrow")
    file, out = tmp_path / "night.toml", tmp_path / "out"
    file.write_text(TEXT)
    assert main(["sweep", str(file), "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert "fund = 0\nA thin night" in said.out and "2 seeds of 60" in said.out and "100 %" in said.err
    assert main(["sweep", str(file), "--out", str(out)]) == 0
    assert capsys.readouterr().out == said.out and len([*out.glob("part-*")]) == 1
    from pyarrow import parquet

    rows = parquet.read_table(next(out.glob("part-*"))).to_pylist()
    row = next(each for each in rows if each["seed"] == 9 and each["fund"] == "5000")
    assert row["digest"] == comparison.world(load(file), 9, fund="5000")["digest"]
    file.write_text(TEXT.replace("jumps = 2", "jumps = 3"))
    assert main(["sweep", str(file), "--out", str(out)]) == 2
    assert "results of another sweep" in capsys.readouterr().err


def test_an_agent_sees_what_there_is(tmp_path):
    seen = {}

    class Looking(Agent):
        def end(self, desk):
            seen.update(mark=desk.mark(), depth=desk.depth(3), names=desk.instruments, equity=desk.equity())

        def step(self, desk):
            pass

    run(replace(find("quiet"), traders=0), 1, [Looking()])
    assert isinstance(seen["mark"], Decimal) and len(seen["depth"].bids) == 3 and seen["equity"] == 1_000
