"""Sweeps: one function, many cases, any executor; each case is run once, whatever happens to those who run it.

Owns which cases are still to run, who is to blame when a worker dies, and when a result is believed. Never looks into a
result (results keeps them), never decides a case. Invariants: a result belongs to its case alone, so that running one twice
changes nothing; at most `ahead` cases are under way, so that memory does not grow with the sweep. Cost: little beside a run.
"""

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from solvent.lab.sweeps.pools import OwnPool
from solvent.lab.sweeps.results import Folder
from solvent.schema.codes import InputError, SolventError, WrongType, shown

__all__ = ["Failure", "Results", "RunFailed", "grid", "sweep"]

Case = Mapping[str, int | str | bool]
Row = dict[str, Any]
Run = Callable[..., Mapping[str, Any]]
AHEAD = 256
TRIES = 3  # of a case whose worker died: with others, then alone
DEATHS = ("KilledWorker", "WorkerCrashedError", "NodeDiedError")  # what Dask and Ray call a worker that is gone


class RunFailed(SolventError):
    """A run of a sweep raised, returned what is no row, or ended its worker. `case` says which, `__cause__` why."""

    def __init__(self, told: str, case: Case | None = None):
        super().__init__(told)
        self.case = case or {}


def failed(case: Case, why: str) -> RunFailed:
    """Returns the error of a run that says why it gave nothing."""
    return RunFailed(f"the run {key_of(case)} {why}", case)


@dataclass(frozen=True, slots=True)
class Failure:
    """Names a case that gave no result, and why."""

    case: Case
    why: str


@dataclass(slots=True)
class Results:
    """Holds what a sweep gave. done: cases run now; found: those that the folder had already.

    rows: a row a case, in the order of the cases: what the case says, then what its run returned.
    """

    done: int = 0
    found: int = 0
    failures: list[Failure] = field(default_factory=list)
    kept: dict[str, Row] = field(default_factory=dict)
    folder: Folder | None = None
    keys: list[str] = field(default_factory=list)

    @property
    def rows(self) -> list[Row]:
        kept = self.kept if self.folder is None else self.folder.read()
        return [kept[key] for key in self.keys if key in kept]


def key_of(case: Case) -> str:
    """Returns the text that a case is known by; the order of its words does not count.

    >>> key_of({"seed": 1, "rules": "okx"})
    '{"rules": "okx", "seed": 1}'
    """
    if not isinstance(case, Mapping) or not all(isinstance(name, str) for name in case):
        raise WrongType(f"a case is a dict of arguments by name, not {shown(case)}")
    for name, value in case.items():
        if not isinstance(value, int | str | bool):
            raise WrongType(f"{name} of a case is a whole number, a text or a bool, not {shown(value)}")
    return json.dumps(dict(case), sort_keys=True)


def grid(**axes: Iterable[int | str | bool]) -> list[dict[str, int | str | bool]]:
    """Returns a case for each combination of values.

    >>> from solvent.lab import grid
    >>> grid(rules=["okx", "bybit"], seed=range(2))[1]
    {'rules': 'okx', 'seed': 1}
    """
    return [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]


def sweep(
    run: Run, cases: Sequence[Case], *, executor: Executor | None = None, folder: str | Path | None = None, about: str = "",
    keep_going: bool = False, ahead: int = AHEAD, progress: Callable[[int, int], object] | None = None,
) -> Results:  # fmt: skip
    """Runs `run(**case)` for every case, and returns their results.

    run: a function at the top of a module. It returns a dict of numbers, texts, and lists of them, and depends on its
    arguments alone. executor: any executor of concurrent.futures; None makes a process for each core. folder: results stream
    there as Parquet (the extra `arrow`), and cases that it has are not run again. about: what the run depends on beside its
    case; a folder with another text is refused. keep_going: a run that fails is noted in `failures`, and the others go on.
    ahead: cases under way at most. progress: called with how many are done, and of how many.

    Raises RunFailed, which names the case, and InputError for cases and folders that make no sense.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from solvent.lab import grid, sweep
    >>> def run(seed):
    ...     return {"square": seed * seed}
    ...
    >>> with ThreadPoolExecutor() as pool:
    ...     sweep(run, grid(seed=range(3)), executor=pool).rows
    [{'seed': 0, 'square': 0}, {'seed': 1, 'square': 1}, {'seed': 2, 'square': 4}]
    """
    keys = [key_of(case) for case in cases]
    if len(set(keys)) != len(keys):
        raise InputError("a sweep has the same case twice")
    results = Results(keys=keys)
    if folder is not None:
        results.folder = Folder(Path(folder), f"{_name_of(run)}\n{about}")
        there = results.folder.keys()
        results.found = sum(key in there for key in keys)
        tasks = [_Task(key, case) for key, case in zip(keys, cases, strict=True) if key not in there]
    else:
        tasks = [_Task(key, case) for key, case in zip(keys, cases, strict=True)]
    own = OwnPool() if executor is None else None
    loop = _Loop(run, deque(tasks), results, own or executor, keep_going, min(ahead, own.ahead) if own else ahead)
    try:
        loop.go(lambda: progress(results.found + results.done + len(results.failures), len(keys)) if progress else None)
    finally:
        if results.folder is not None:
            results.folder.flush()
        if own is not None:
            own.shutdown(wait=True, cancel_futures=True)
    return results


def _name_of(run: Run) -> str:
    """Returns the name of a function, or of the one that a partial completes."""
    function = run.func if isinstance(run, partial) else run
    return f"{function.__module__}.{function.__qualname__}"


@dataclass(slots=True)
class _Task:
    key: str
    case: Case
    tries: int = 0


def _call(run: Run, case: Case, tries: int) -> Row:
    """Runs a case where the worker is. tries: Dask takes equal calls for one, so a second try has to differ."""
    found = run(**case)
    if not isinstance(found, Mapping) or not all(isinstance(name, str) for name in found):
        raise failed(case, f"returned {shown(found)}; a run returns a dict of figures by name")
    if twice := sorted(set(found) & set(case)):
        raise failed(case, f"returned {twice[0]!r}, which its case says already")
    return {**case, **found}


class _Loop:
    """Hands cases out and takes results in. suspects: cases that were under way when a pool broke; they run one at a time."""

    def __init__(self, run: Run, tasks: deque[_Task], results: Results, pool: Any, keep_going: bool, ahead: int):
        self.run, self.tasks, self.results, self.pool, self.keep_going, self.ahead = (
            run,
            tasks,
            results,
            pool,
            keep_going,
            ahead,
        )
        self.running: dict[Future[Row], _Task] = {}
        self.ended: SimpleQueue[Future[Row]] = SimpleQueue()
        self.suspects: deque[_Task] = deque()

    def go(self, told: Callable[[], object]) -> None:
        try:
            while self.tasks or self.suspects or self.running:
                self._fill()
                future = self.ended.get()
                self._end(self.running.pop(future), future)
                told()
        except BaseException:
            for future in self.running:
                future.cancel()
            raise

    def _fill(self) -> None:
        while self.suspects and not self.running:
            self._submit(self.suspects.popleft())
        while not self.suspects and self.tasks and len(self.running) < self.ahead and not self._tried_alone():
            self._submit(self.tasks.popleft())

    def _tried_alone(self) -> bool:
        return isinstance(self.pool, OwnPool) and any(task.tries for task in self.running.values())

    def _submit(self, task: _Task) -> None:
        try:
            future = self.pool.submit(_call, self.run, task.case, task.tries)
        except BrokenExecutor as error:  # a worker died while nobody looked
            future = Future()
            future.set_exception(error)
        self.running[future] = task
        future.add_done_callback(self.ended.put)

    def _end(self, task: _Task, future: Future[Row]) -> None:
        error = future.exception()
        if error is None:
            self._keep(task, future.result())
        elif isinstance(error, BrokenExecutor) and isinstance(self.pool, OwnPool):
            self._broken(task, error)
        elif isinstance(error, BrokenExecutor):
            raise InputError(
                "the executor of the sweep is broken, for a worker ended; results so far are kept, so run the sweep again"
            ) from error
        elif type(error).__name__ in DEATHS and task.tries + 1 < TRIES:
            task.tries += 1
            self._submit(task)
        elif type(error).__name__ in DEATHS:
            self._failed(task, "ended its worker", error)
        elif isinstance(error, RunFailed):
            self._failed(task, str(error).removeprefix(f"the run {task.key} "), error)
        else:
            self._failed(task, f"raised {type(error).__name__}: {error}", error)

    def _broken(self, task: _Task, error: BaseException) -> None:
        """Makes a new pool once all that was under way has come back. A case that breaks it alone, again, is to blame."""
        if not self.running:
            self.pool.renew()
        task.tries += 1
        if task.tries < TRIES:
            self.suspects.append(task)
        else:
            self._failed(task, "ended its worker", error)

    def _keep(self, task: _Task, row: Row) -> None:
        if self.results.folder is None:
            self.results.kept[task.key] = row
        else:
            self.results.folder.keep(task.key, row)
        self.results.done += 1

    def _failed(self, task: _Task, why: str, error: BaseException) -> None:
        if not self.keep_going:
            raise failed(task.case, why) from error
        self.results.failures.append(Failure(task.case, why))
