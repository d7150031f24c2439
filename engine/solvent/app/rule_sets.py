"""`solvent rules list | show NAME | diff A B`: the rule sets that come with the package, in words.

Owns the text of these commands. Decides nothing: every word is a field of a RuleSet.
"""

import argparse
from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING

from solvent.schema.limits import RATE

if TYPE_CHECKING:
    from solvent.terms.rule_set import RuleSet


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command and its parts to the parser."""
    rules = commands.add_parser("rules", help="list, show or compare the rule sets of venues")
    what = rules.add_subparsers(dest="what", required=True)
    what.add_parser("list", help="every rule set, and what is not built")
    show = what.add_parser("show", help="all parameters of one")
    show.add_argument("name", metavar="NAME")
    diff = what.add_parser("diff", help="the parameters in which two differ")
    diff.add_argument("first", metavar="A")
    diff.add_argument("second", metavar="B")


def _said(value: object, name: str) -> str:
    """Returns a parameter as a person writes it: rates in percent, yes and no."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name.endswith("_ppb") and isinstance(value, int):
        return f"{100 * value / RATE:g} %"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _parameters(rules: "RuleSet") -> Iterator[tuple[str, str]]:
    """Yields name and value of each parameter that decides something."""
    for each in fields(rules):
        if each.name not in ("name", "source", "open_points"):
            yield each.name.removesuffix("_ppb"), _said(getattr(rules, each.name), each.name)


def _list() -> str:
    from solvent.presets.catalogue import KNOWN, LACKS

    width = max(map(len, (*KNOWN, *LACKS))) + 2
    built = [f"{each.name:{width}}{each.source}" for each in KNOWN.values()]
    return "\n".join(
        [*built, "", "Not built, with what is missing:", *(f"{name:{width}}{what}" for name, what in LACKS.items())]
    )


def _show(rules: "RuleSet") -> str:
    lines = [f"{rules.name}: {rules.source}", *(f"  {name:20}{value}" for name, value in _parameters(rules))]
    return "\n".join(lines + [f"  - {point}" for point in rules.open_points])


def _diff(a: "RuleSet", b: "RuleSet") -> str:
    pairs = zip(_parameters(a), _parameters(b), strict=True)
    rows = [(name, first, second) for (name, first), (_, second) in pairs if first != second]
    width = max((len(a.name), *(len(first) for _, first, _ in rows))) + 2
    if not rows:
        return f"{a.name} and {b.name} do not differ"
    head = f"{'':20}{a.name:{width}}{b.name}"
    return "\n".join([head, *(f"{name:20}{first:{width}}{second}" for name, first, second in rows)])


def _rules(args: argparse.Namespace) -> int:
    from solvent.presets.catalogue import find

    if args.what == "list":
        print(_list())
    elif args.what == "show":
        print(_show(find(args.name)))
    else:
        print(_diff(find(args.first), find(args.second)))
    return 0


COMMANDS = {"rules": _rules}
