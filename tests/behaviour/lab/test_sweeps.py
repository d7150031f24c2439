"""Sweeps: each case once, in any executor; resumed, with workers that die, with runs that fail."""

import os
import pickle
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from solvent.codes import InputError, WrongType
from solvent.lab import RunFailed, grid, sweep
from solvent.lab.sweeps.results import PART_ROWS
from solvent.lab.sweeps.runs import failed
from support.worlds import idle, odd_world, slow_world, world

SEEDS = range(12)


def expected(seeds=SEEDS):
    return [{"seed": seed, **world(seed)} for seed in seeds]


@pytest.mark.long
def test_processes_give_what_one_thread_gives_in_the_order_of_the_cases():
    told = []
    found = sweep(world, grid(seed=SEEDS), progress=lambda done, total: told.append((done, total)))
    assert found.rows == expected() and found.done == len(SEEDS) and not found.failures
    assert told == [(i, len(SEEDS)) for i in range(1, len(SEEDS) + 1)]


def test_a_folder_is_resumed_where_it_stopped(tmp_path):
    """Who is stopped in the middle leaves what was done; the next one does the rest, and no case twice."""
    pytest.importorskip("pyarrow")
    many = range(2 * PART_ROWS + 5)

    def stop(done, total):
        if done == PART_ROWS + 3:
            raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(KeyboardInterrupt):
            sweep(world, grid(seed=many), executor=pool, folder=tmp_path / "out", progress=stop)
        again = sweep(world, grid(seed=many), executor=pool, folder=tmp_path / "out")
        assert again.found == PART_ROWS + 3 and again.done == len(many) - again.found
        assert again.rows == expected(many)
        third = sweep(world, grid(seed=many), executor=pool, folder=tmp_path / "out")
        assert third.done == 0 and third.rows == again.rows
    assert not list((tmp_path / "out").glob(".*"))


def test_a_case_that_is_there_twice_counts_once(tmp_path):
    """As after two sweeps into one folder at the same time."""
    pytest.importorskip("pyarrow")
    with ThreadPoolExecutor(1) as pool:
        for name in ("a", "b"):
            sweep(world, grid(seed=range(3)), executor=pool, folder=tmp_path / name)
        part = next((tmp_path / "b").glob("part-*"))
        part.rename(tmp_path / "a" / "part-other.parquet")
        assert sweep(world, grid(seed=range(3)), executor=pool, folder=tmp_path / "a").rows == expected(range(3))


def test_a_folder_of_something_else_is_refused(tmp_path):
    pytest.importorskip("pyarrow")
    with ThreadPoolExecutor(1) as pool:
        sweep(world, grid(seed=[1]), executor=pool, folder=tmp_path / "a", about="rules of May")
        for run, about in ((world, "rules of June"), (idle, "rules of May")):
            with pytest.raises(InputError, match="results of another sweep"):
                sweep(run, grid(seed=[1]), executor=pool, folder=tmp_path / "a", about=about)
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "letter.txt").touch()
        with pytest.raises(InputError, match="no sweep's"):
            sweep(world, grid(seed=[1]), executor=pool, folder=tmp_path / "b")


@pytest.mark.parametrize(
    ("seed", "why"),
    [
        (1, r'the run {"folder": "", "seed": 1} raised ValueError: out of luck'),
        (2, r'"seed": 2} returned \[2\]; a run returns a dict'),
    ],
)
def test_a_run_that_fails_is_named_and_others_go_on_where_asked_to(seed, why):
    with ThreadPoolExecutor(2) as pool:
        with pytest.raises(RunFailed, match=why):
            sweep(odd_world, grid(seed=[0, seed], folder=[""]), executor=pool)
        found = sweep(odd_world, grid(seed=[0, seed, 5], folder=[""]), executor=pool, keep_going=True)
    assert [row["seed"] for row in found.rows] == [0, 5] and [each.case["seed"] for each in found.failures] == [seed]
    error = failed({"seed": 1}, "raised")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) == 'the run {"seed": 1} raised' and again.case == {"seed": 1}


@pytest.mark.long
def test_a_worker_that_dies_costs_nothing_and_who_always_ends_it_is_found(tmp_path):
    """The others of the broken pool are run again, one at a time, until it is known which of them it was."""
    cases = grid(seed=[0, 3, 4, 5, 6, 7], folder=[str(tmp_path)])
    found = sweep(odd_world, cases, keep_going=True)
    assert [(each.case["seed"], each.why) for each in found.failures] == [(3, "ended its worker")]
    assert [{**row, "folder": ""} for row in found.rows] == [
        {"seed": seed, "folder": "", **world(seed)} for seed in (0, 4, 5, 6, 7)
    ]


@pytest.mark.parametrize(
    ("cases", "error"),
    [
        ([{"seed": 1}, {"seed": 1}], InputError), ([{"seed": 1.5}], WrongType), ([3], WrongType), ([{1: 1}], WrongType),
        ([{"seed": None}], WrongType),
    ],
)  # fmt: skip
def test_cases_that_make_no_sense_are_refused(cases, error):
    with pytest.raises(error), ThreadPoolExecutor(1) as pool:
        sweep(world, cases, executor=pool)


def test_a_result_may_not_say_what_its_case_says():
    with ThreadPoolExecutor(1) as pool, pytest.raises(RunFailed, match="returned 'seed', which its case says already"):
        sweep(dict, grid(seed=[1]), executor=pool)


def test_little_time_goes_by_between_runs_and_few_cases_are_under_way():
    """Overhead is at most a twentieth of a run of one second: here of runs of a tenth, half of it each."""
    with ThreadPoolExecutor(4) as pool:
        begin = time.perf_counter()
        sweep(idle, grid(seed=range(80)), executor=pool)
        assert time.perf_counter() - begin < 80 / 4 * 0.15
    waiting = []

    class Counting(ThreadPoolExecutor):
        def submit(self, *args, **kwargs):
            waiting.append(self._work_queue.qsize())
            return super().submit(*args, **kwargs)

    with Counting(1) as pool:
        sweep(world, grid(seed=range(100)), executor=pool, ahead=8)
    assert max(waiting) <= 8


@pytest.mark.long
@pytest.mark.filterwarnings("default")  # of Dask's own
def test_dask_with_a_killed_worker_loses_nothing_and_changes_nothing(tmp_path):
    distributed = pytest.importorskip("distributed", reason="the extra `dask` is absent")
    cases = grid(seed=SEEDS, folder=[str(tmp_path)])
    terms = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**terms) as cluster, distributed.Client(cluster) as client:
        killed = []

        def kill(done, total):
            if done == 3 and not killed:
                victim = {int(path.name.partition("-")[2]) for path in Path(tmp_path).iterdir()}.pop()
                killed.append(victim)
                os.kill(victim, signal.SIGKILL)

        found = sweep(slow_world, cases, executor=client.get_executor(), progress=kill)
    assert killed and [{key: row[key] for key in row if key != "folder"} for row in found.rows] == expected()
