"""The `solvent` command: arguments in, a demo run or a replay, a page, a picture or JSON out. `journals` and `evidence`
read journals.

Owns the command line and nothing else. Writes only JSON to standard output when JSON goes there; progress and errors go to
standard error. Exit code 2 means that the input was wrong, 3 that a journal is damaged, 1 that something else failed.
"""

import argparse
import json
import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from solvent.app import evidence, journals, rule_sets, serve, sweeps
from solvent.app.progress import progress
from solvent.schema.codes import InputError, JournalDamaged, JournalDiverged, SolventError

if TYPE_CHECKING:
    from solvent.lab.market.scenarios import Scenario

MOST_SEEDS = 100_000
STDOUT = "-"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="solvent", description="An exchange for perpetual futures inside a Python process.")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser(
        "demo", help="replay a real crash with leveraged traders",
        description="Replays a real crash with leveraged traders and market makers on one live book. The same arguments "
        "give the same run.",
    )  # fmt: skip
    demo.add_argument(
        "--scenario", default="ftx",
        help="ftx, 2020-03-12, 2024-08-05, one that is made up (flash_crash, whipsaw, ...), or a CSV file (.gz too) of bars: "
        "ts_ms,open,high,low,close,volume (default ftx)",
    )  # fmt: skip
    demo.add_argument("--traders", type=int, default=10_000, help="how many (default 10000)")
    demo.add_argument("--rules", default="seed", help="rule set (`solvent rules list` names them; default seed)")
    demo.add_argument("--fund", default="10000", help="the insurance fund at the start, in USDT (default 10000)")
    demo.add_argument("--seed", type=int, default=1, help="of all random draws (default 1)")
    demo.add_argument(
        "--seeds", type=int, default=1, metavar="N", help="so many seeds from --seed on, with intervals (20 are advised)"
    )
    demo.add_argument("--picture", metavar="FILE", help="draw the run (pip install matplotlib)")
    demo.add_argument("--html", metavar="FILE", help="the same story as one interactive page, which needs no network")
    compare = commands.add_parser(
        "compare", help="one demo's commands under several rule sets, side by side",
        description="Runs a demo under the first rule set and plays its commands again under each of them.",
    )  # fmt: skip
    compare.add_argument(
        "--rules", default="seed,okx,binance,bybit,bitmex,htx", help="names with commas (default all but one)"
    )
    compare.add_argument("--scenario", default="ftx", help="as for the demo (default ftx)")
    compare.add_argument("--traders", type=int, default=2_000, help="how many (default 2000)")
    compare.add_argument("--fund", default="2000", help="the insurance fund at the start, in USDT (default 2000)")
    compare.add_argument("--seed", type=int, default=1, help="of all random draws (default 1)")
    compare.add_argument("--html", metavar="FILE", help="bars side by side on one page, which needs no network and no script")
    replay = commands.add_parser(
        "replay-book", help="replay a venue's recorded orders through a Book",
        description="Sends the orders of a real venue to a Book and counts the recorded trades that it makes by itself.",
    )  # fmt: skip
    replay.add_argument("file", metavar="FILE", help="an order-by-order capture, CSV or CSV.gz (docs/howto/replay.md)")
    replay.add_argument("--format", default="auto", help="neutral, lobster or bitstamp (default: by the first line)")
    for each in (demo, compare, replay):
        each.add_argument("--json", metavar="FILE", help="write the figures as JSON; - is standard output")
    journals.add(commands)
    evidence.add_commands(commands)
    serve.add(commands)
    sweeps.add(commands)
    rule_sets.add(commands)
    return parser


def _scenario(args: argparse.Namespace) -> "Scenario":
    """Returns the market that the arguments describe. Raises InputError."""
    from solvent.lab.market import paths
    from solvent.lab.market.runner import Settings

    if not args.traders >= 1:
        raise InputError(f"--traders {args.traders} is not from 1 on")
    found = replace(paths.find(args.scenario), traders=args.traders, rules=args.rules, fund=args.fund)
    Settings.of(found, args.seed)
    return found


def _check_outputs(args: argparse.Namespace) -> None:
    """Fails before the run if an output is known to fail at its end."""
    picture_file = getattr(args, "picture", None)
    if picture_file is not None:
        from solvent.lab.market import picture

        picture.require()
    html = getattr(args, "html", None)
    for what, file in (("--picture", picture_file), ("--html", html), ("--json", args.json)):
        if file is not None and file != STDOUT:
            folder = Path(file).parent
            if not file or Path(file).is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
                raise InputError(f"{what} {file!r}: no file can be written there")
        elif file == STDOUT and what != "--json":
            raise InputError(f"{what} needs a file name")


def _demo(args: argparse.Namespace) -> int:
    if args.seeds != 1:
        return _demo_seeds(args)
    from solvent.lab.market import facts, page, picture, report, runner
    from solvent.lab.market.paths import walks

    scenario = _scenario(args)
    _check_outputs(args)
    sys.stderr.write(f"{scenario.title}: {scenario.traders:,} traders\n")
    with progress(len(walks([scenario, *scenario.beside])[0])) as shown:
        outcome = runner.run(scenario, args.seed, progress=lambda run, step: shown(step + 1, report.now(run, step)))
    if args.json != STDOUT:
        print(f"\n{report.story(outcome)}", flush=True)
    for what, file, write in (("Picture", args.picture, picture.draw), ("Page", args.html, page.write)):
        if file is not None:
            write(outcome, file)
            print(f"\n{what}: {Path(file).resolve()}", file=sys.stderr if args.json == STDOUT else sys.stdout)
    _write_json(args.json, json.dumps(facts.summary(outcome), indent=2))
    return 0


def _demo_seeds(args: argparse.Namespace) -> int:
    from solvent.lab.market import comparison
    from solvent.lab.sweeps.runs import grid, sweep

    scenario = _scenario(args)
    if not 2 <= args.seeds <= MOST_SEEDS or args.seed + args.seeds > 2**63:
        raise InputError(f"--seeds {args.seeds} is not from 1 to {MOST_SEEDS:,}, or leads beyond 2**63 - 1")
    if args.picture is not None or args.html is not None:
        raise InputError("--picture and --html show one seed; leave out --seeds")
    _check_outputs(args)
    sys.stderr.write(f"{scenario.title}: {args.seeds} seeds of {scenario.traders:,} traders\n")
    run, cases = partial(comparison.world, scenario), grid(seed=range(args.seed, args.seed + args.seeds))
    with progress(len(cases)) as shown:
        rows = sweep(run, cases, progress=lambda done, total: shown(done, f"{done} of {total} seeds")).rows
    if args.json != STDOUT:
        print(f"\n{comparison.story(rows, scenario)}", flush=True)
    _write_json(args.json, json.dumps(comparison.summary(rows), indent=2))
    return 0


def _compare(args: argparse.Namespace) -> int:
    from solvent.lab.market import comparison_page, counterfactual
    from solvent.lab.market.runner import Settings
    from solvent.presets import catalogue

    rules = [catalogue.find(name) for name in args.rules.split(",")]
    settings = Settings.of(_scenario(argparse.Namespace(**vars(args) | {"rules": rules[0].name})), args.seed)
    _check_outputs(args)
    found = counterfactual.compare(settings, rules, lambda line: print(line, file=sys.stderr))
    summary, table = counterfactual.summary(settings, found), counterfactual.table(settings, found)
    if args.json != STDOUT:
        print(f"\n{table}", flush=True)
    if args.html is not None:
        comparison_page.write(args.html, summary, table)
        print(f"\nPage: {Path(args.html).resolve()}", file=sys.stderr if args.json == STDOUT else sys.stdout)
    _write_json(args.json, json.dumps(summary, indent=2))
    return 0


def _replay_book(args: argparse.Namespace) -> int:
    from solvent.lab.recorded import capture, replay

    _check_outputs(args)
    report = replay.replay(capture.read(args.file, args.format))
    if args.json != STDOUT:
        print(report, flush=True)
    _write_json(args.json, report.to_json())
    return 0


def _write_json(file: str | None, text: str) -> None:
    if file == STDOUT:
        print(text)
    elif file is not None:
        Path(file).write_text(text + "\n", encoding="utf-8")
        print(f"JSON: {Path(file).resolve()}")


def main(argv: list[str] | None = None) -> int:
    """Runs the command; returns the exit code."""
    try:
        args = _parser().parse_args(argv)
    except SystemExit as end:  # argparse has said why
        return int(end.code or 0)
    try:
        commands = (
            {"demo": _demo, "compare": _compare, "replay-book": _replay_book}
            | journals.COMMANDS
            | evidence.RUN
            | serve.COMMANDS
            | sweeps.COMMANDS
            | rule_sets.COMMANDS
        )
        return commands[args.command](args)
    except InputError as error:
        print(f"solvent: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader has left, as `head` does; what is still buffered must not complain at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (JournalDamaged, JournalDiverged) as error:
        print(f"solvent: {error}", file=sys.stderr)
        return 3
    except (SolventError, OSError, ImportError) as error:
        print(f"solvent: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nsolvent: stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
