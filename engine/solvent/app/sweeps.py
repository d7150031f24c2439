"""`solvent sweep`: many worlds of a scenario file, on all cores or on a cluster, into a folder.

Owns the arguments and what is printed of the results. Never runs a world itself (lab).
"""

import argparse
import hashlib
import sys
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from solvent.app.progress import progress
from solvent.schema.codes import InputError

if TYPE_CHECKING:
    from solvent.lab.market.scenarios import Scenario

__all__ = ["COMMANDS", "add"]


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to a command line."""
    sweep = commands.add_parser(
        "sweep", help="many worlds of a scenario file",
        description="Runs a scenario (docs/howto/scenarios.md) for every seed and every combination of what its table [sweep] "
        "varies. Results stream to Parquet; a sweep that was stopped goes on where it was.",
    )  # fmt: skip
    sweep.add_argument("file", metavar="FILE", help="the scenario, as TOML")
    sweep.add_argument("--out", metavar="DIR", required=True, help="the folder of the results")
    sweep.add_argument("--dask", metavar="ADDRESS", help="run on a cluster of Dask, at the address of its scheduler")
    sweep.add_argument("--ray", metavar="ADDRESS", help="run on a cluster of Ray; auto finds it")
    sweep.add_argument("--keep-going", action="store_true", help="note a run that fails, and go on with the others")


@contextmanager
def _executor(args: argparse.Namespace) -> Iterator[Executor | None]:
    """Gives the executor that the arguments ask for; None is a process for each core."""
    if args.dask is not None and args.ray is not None:
        raise InputError("--dask and --ray are two clusters; choose one")
    if args.dask is not None:
        try:
            from distributed import Client
        except ImportError:
            raise InputError("--dask needs Dask: pip install distributed (or this package with its extra dask)") from None
        connect: Any = Client
        with connect(args.dask) as client, client.get_executor() as pool:
            yield pool
    elif args.ray is not None:
        from solvent.lab.sweeps.pools import RayExecutor

        with RayExecutor(args.ray) as pool:
            yield pool
    else:
        yield None


def _sweep(args: argparse.Namespace) -> int:
    from solvent.lab.market import comparison
    from solvent.lab.market.runner import Settings
    from solvent.lab.market.scenario_file import load_sweep
    from solvent.lab.sweeps.runs import grid, sweep

    scenario, axes = load_sweep(args.file)
    cases = grid(**axes)
    for case in cases:
        Settings.of(comparison.changed(scenario, case), int(case["seed"]))
    about = hashlib.sha256(repr(scenario).encode()).hexdigest()[:16]
    sys.stderr.write(f"{scenario.title}: {len(cases)} worlds into {args.out}\n")
    with _executor(args) as pool, progress(len(cases)) as shown:
        found = sweep(
            partial(comparison.world, scenario), cases, executor=pool, folder=args.out, about=about,
            keep_going=args.keep_going, progress=lambda done, total: shown(done, f"{done} of {total} worlds"),
        )  # fmt: skip
    for failure in found.failures:
        sys.stderr.write(f"solvent: {failure.why} ({failure.case})\n")
    print("\n\n".join(_told(scenario, found.rows, axes)))
    return 1 if found.failures else 0


def _told(scenario: "Scenario", rows: list[dict[str, Any]], axes: dict[str, list[Any]]) -> Iterator[str]:
    """Yields the comparison of the seeds of each combination."""
    from solvent.lab.market import comparison

    names = [name for name in axes if name != "seed"]
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in names), []).append(row)
    for values, group in groups.items():
        head = ", ".join(f"{name} = {value}" for name, value in zip(names, values, strict=True))
        told = comparison.story(group, comparison.changed(scenario, dict(zip(names, values, strict=True))))
        yield f"{head}\n{told}" if head else told


COMMANDS = {"sweep": _sweep}
