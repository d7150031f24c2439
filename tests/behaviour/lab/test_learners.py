"""Worlds for learners: the libraries' own checks, what is seen and paid, and that a liquidated learner is out for good."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from solvent import InputError
from solvent.lab import Process, find
from support.places import ROOT

pytest.importorskip("gymnasium", reason="the extra rl is not installed")
pytest.importorskip("pettingzoo", reason="the extra rl is not installed")

from gymnasium.utils.env_checker import check_env  # noqa: E402
from pettingzoo.test import parallel_api_test, parallel_seed_test  # noqa: E402

from solvent.lab.worlds.rl import MarketEnv, MarketParallelEnv  # noqa: E402

WALK = replace(find("quiet"), process=Process(minutes=60, volatility_bp=20), traders=10)
WILD = replace(find("quiet"), process=Process(minutes=60, volatility_bp=60), traders=20)


def test_gymnasium_checks_the_environment():
    check_env(MarketEnv(WALK), skip_render_check=True)


@pytest.mark.filterwarnings("ignore")
def test_pettingzoo_checks_the_environment():
    parallel_api_test(MarketParallelEnv(WILD, learners=3, leverage=25), num_cycles=200)
    parallel_seed_test(lambda: MarketParallelEnv(WILD, learners=3, leverage=25), num_cycles=100)


def played(env, seed, choose):
    """The sum of rewards, and the last step's answer."""
    seen, _ = env.reset(seed=seed)
    total = 0.0
    while True:
        seen, reward, out, over, told = env.step(choose(seen))
        assert env.observation_space.contains(seen) and isinstance(reward, float)
        total += reward
        if out or over:
            return total, out, over, told


def test_rewards_are_the_change_of_log_equity():
    env = MarketEnv(WALK)
    total, out, over, told = played(env, 3, lambda seen: np.array([0.3], dtype=np.float32))
    assert total == pytest.approx(math.log(told["equity"] / 1_000)) and over and not out
    assert played(env, 3, lambda seen: [0.3])[0] == played(MarketEnv(WALK), 3, lambda seen: [0.3])[0]
    assert played(env, 3, lambda seen: [0])[0] == 0
    env._table.exchange.check()


def test_a_liquidated_learner_is_out_for_good():
    env = MarketEnv(WILD, leverage=25)
    fates = [played(env, seed, lambda seen: [1.0]) for seed in range(8)]
    ruined = [(total, told) for total, out, _, told in fates if out]
    assert ruined and all(told["liquidated"] and total < 0 for total, told in ruined)
    env = MarketParallelEnv(WILD, learners=4, leverage=25)
    left = [departed(env, seed) for seed in range(8)]
    assert any(left) and all(gone <= {"learner-0", "learner-1"} for gone in left)


def departed(env, seed):
    """The learners that were terminated in a world in which two of four buy all the time; none comes back."""
    gone: set[str] = set()
    env.reset(seed=seed)
    while env.agents:
        before = list(env.agents)
        seen, _, out, over, told = env.step({name: [1.0 if name[-1] in "01" else 0.0] for name in env.agents})
        assert set(seen) == set(before) and not gone & set(before)
        gone |= {name for name in before if out[name]}
        assert env.agents == [name for name in before if not out[name] and not over[name]]
        assert all(told[name]["liquidated"] == out[name] for name in before)
    return gone


def test_a_refused_order_says_why():
    """Fifty times its equity are more lots than its tier allows."""
    env = MarketEnv(WALK, leverage=50)
    env.reset(seed=1)
    assert env.step([1])[4]["code"] == "LEVERAGE_ABOVE_TIER" and env.step([0.01])[4]["code"] == "OK"


def test_what_makes_no_sense_is_refused():
    env = MarketEnv(WALK)
    env.reset(seed=1)
    for action in ([math.nan], [1.5], [0, 0], [math.inf]):
        with pytest.raises(InputError, match="an action is one share"):
            env.step(action)
    played(env, 1, lambda seen: [0])
    with pytest.raises(InputError, match="call reset"):
        env.step([0])
    for terms in ({"leverage": 0}, {"leverage": 51}, {"wallet": "-1"}):
        with pytest.raises(InputError, match=r"leverage|wallet"):
            MarketEnv(WALK, **terms)
    with pytest.raises(InputError, match="more than 10 steps"):
        MarketEnv(replace(WALK, process=Process(minutes=10)))
    with pytest.raises(InputError, match="learners are"):
        MarketParallelEnv(WALK, learners=0)
    several = MarketParallelEnv(WALK)
    several.reset(seed=1)
    with pytest.raises(InputError, match="actions are for learner-0, learner-1, not for learner-0"):
        several.step({"learner-0": [0]})


@pytest.mark.long
def test_the_example_learns_what_its_result_says():
    """Its policy beats nothing and a fixed position in worlds of other seeds; the committed result says by how much on 200."""
    import learner

    told = json.loads((ROOT / "benchmarks/results/learner.json").read_text())
    for name in ("flat", "fixed 10x"):
        assert told["unseen"][name]["gain over it"][1] > 0
    assert told["unseen"]["learned"]["liquidated"] < told["unseen"]["fixed 10x"]["liquidated"]
    assert len(told["curve"]) == learner.GENERATIONS and told["curve"][-1]["all"] > told["curve"][0]["all"]
    gains = [learner.played(("learned", told["policy"], seed))[0] for seed in range(2_000_000, 2_000_006)]
    assert np.mean(gains) > 0
    assert learner.played(("flat", None, 1)) == (0.0, False)
