"""A scenario from a TOML file, and what a sweep over it varies.

Owns the keys of the file (docs/howto/scenarios.md). Never runs anything. A key that is not known is refused with the nearest
one that is, so that no setting is lost to a typing error.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from solvent.lab.market import paths
from solvent.lab.market.scenarios import FAULTS, MarketFault, Process, Scenario, made_up
from solvent.schema.codes import InputError, shown

__all__ = ["load", "load_sweep"]

PLAIN = ("rules", "fund", "traders", "depth_percent")
TOP = ("title", *PLAIN, "path", "contracts", "population", "funding", "faults", "sweep")
VARIED = ("seeds", *PLAIN)
Table = Mapping[str, Any]


def load(file: str | Path) -> Scenario:
    """Returns the scenario of a TOML file. Raises InputError, which names the file and the key.

    A path that the file names is looked for beside it.
    """
    return load_sweep(file)[0]


def load_sweep(file: str | Path) -> tuple[Scenario, dict[str, list[Any]]]:
    """Returns the scenario of a TOML file, and the values of each field that its table [sweep] varies, `seed` among them."""
    path = Path(file)
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: no TOML file ({error})") from None
    try:
        _known(found, "the file", TOP)
        return _scenario(found, path), _axes(_table(found, "sweep"))
    except InputError as error:
        raise InputError(f"{file}: {error}") from None


def _known(found: Table, where: str, keys: tuple[str, ...]) -> None:
    for key in found:
        if key not in keys:
            near = get_close_matches(key, keys, 1)
            raise InputError(
                f"{where} has no key {key!r}; " + (f"is {near[0]!r} meant?" if near else f"it has {', '.join(keys)}")
            )


def _table(found: Table, name: str) -> Table:
    table = found.get(name, {})
    if not isinstance(table, dict):
        raise InputError(f"{name} is a table: [{name}], and its keys below it")
    return table


def _of(kind: type, value: Any, what: str) -> Any:
    if type(value) is not kind:
        word = {int: "a whole number", str: "a text in quotes", list: "a list"}[kind]
        raise InputError(f"{what} is {word}, not {shown(value)}")
    return value


def _path(table: Table, file: Path) -> Scenario:
    kinds = {each.name: type(each.default) for each in fields(Process)}
    _known(table, "[path]", ("scenario", "file", "process", *kinds))
    ways = [key for key in ("scenario", "file", "process") if key in table]
    if len(ways) != 1:
        raise InputError('[path] has one of scenario (a name), file (of bars) and process ("walk")')
    value = _of(str, table[ways[0]], f"path.{ways[0]}")
    if ways[0] != "process":
        _known(table, f"[path] with {ways[0]}", (ways[0],))
        return paths.find(value if ways[0] == "scenario" else str(file.parent.joinpath(value)))
    if value != "walk":
        raise InputError(f'path.process is "walk", not {shown(value)}')
    process = Process(**{key: _of(kinds[key], each, f"path.{key}") for key, each in table.items() if key != "process"})
    paths.checked(process)
    return replace(made_up("quiet"), name="walk", title="A random walk", process=process)


def _scenario(found: Table, file: Path) -> Scenario:
    scenario = _path(_table(found, "path") or {"scenario": "ftx"}, file)
    kinds = {each: type(getattr(scenario, each)) for each in (*PLAIN, "title")}
    changes = {key: _of(kind, found[key], key) for key, kind in kinds.items() if key in found}
    if "contracts" in found:
        changes["beside"] = _beside(_of(list, found["contracts"], "contracts"), scenario)
    population = _table(found, "population")
    changes["shares"] = tuple((name, _of(int, weight, f"population.{name}")) for name, weight in population.items())
    funding = _table(found, "funding")
    _known(funding, "[funding]", ("hours", "cap"))
    for key, kind in (("hours", int), ("cap", str)):
        if key in funding:
            changes[f"funding_{key}"] = _of(kind, funding[key], f"funding.{key}")
    changes["faults"] = tuple(_fault(each) for each in _of(list, found.get("faults", []), "faults"))
    return replace(scenario, **changes)


def _beside(names: list[Any], scenario: Scenario) -> tuple[Scenario, ...]:
    there = {each.contract: each for each in (scenario, *scenario.beside)}
    if not names or names[0] != scenario.contract or any(not isinstance(each, str) or each not in there for each in names):
        raise InputError(f"contracts are {scenario.contract!r} and some of {', '.join(there)}, not {shown(names)}")
    return tuple(there[name] for name in names[1:])


def _fault(found: Any) -> MarketFault:
    if not isinstance(found, dict):
        raise InputError("faults are tables: [[faults]] with kind, minute, seconds")
    _known(found, "[[faults]]", ("kind", "minute", "seconds"))
    if lacking := {"kind", "minute", "seconds"} - set(found):
        raise InputError(f"[[faults]] lacks {sorted(lacking)[0]}")
    if found["kind"] not in FAULTS:
        raise InputError(f"faults.kind is one of {', '.join(FAULTS)}, not {shown(found['kind'])}")
    return MarketFault(found["kind"], *(_of(int, found[key], f"faults.{key}") for key in ("minute", "seconds")))


def _axes(table: Table) -> dict[str, list[Any]]:
    _known(table, "[sweep]", VARIED)
    seeds = table.get("seeds", 20)
    axes = {"seed": list(range(1, seeds + 1)) if type(seeds) is int else _of(list, seeds, "sweep.seeds")}
    for key in PLAIN:
        if key in table:
            axes[key] = _of(list, table[key], f"sweep.{key}")
    for key, values in axes.items():
        if not values:
            raise InputError(f"sweep.{'seeds' if key == 'seed' else key} is empty")
    return axes
