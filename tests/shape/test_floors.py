"""The floors: what may import what, in Python and in Cython; the same rooms in both kernels; doors that only rename."""

import ast
import re
from pathlib import Path

import pytest

from support.places import CORE, CYTHON, HOME, PYTHON

FLOORS = {  # package: what it may import besides itself. Imports go down: of every line only those above it
    "schema": "",
    "terms": "schema",
    "presets": "schema terms",
    "_core": "",
    "twin": "schema terms",
    "witness": "schema terms",
    "api": "schema terms presets _core twin witness",
    "feed": "schema terms api",
    "store": "schema terms witness api",
    "replica": "schema terms api store",
    "lab": "schema terms presets api witness feed",
    "gateway": "schema terms presets api witness feed store lab",
    "testing": "schema terms api witness store lab gateway",
    "app": "schema terms presets api witness feed store lab gateway testing",
}
KERNEL = ["base", "market", "contract", "account", "trade", "liquidation", "venue"]  # floors of both kernels, lowest first
ROOF = [
    "audit",
    "rows",
    "canonical",
    "reader",
    "roster",
    "recorder",
    "sound",
    "walk",
    "image",
    "batch",
    "kernel",
    "native",
    "named",
    "crowd",
]  # above all of them, lowest first
MODULES = [  # of the core within a floor, lowest first
    "money", "checksum", "clauses", "pool", "ladder", "schema", "commands", "command_log", "event_log", "emit",
    "event_view", "order_pool", "book", "matching", "peaks", "client_ids", "timers", "brackets", "expiries", "triggers",
    "call_price", "order_limits", "valuation", "price_model", "fund_past",
    "ledger", "parcels", "fees", "margin", "domain", "adl_rank",
    "guard", "ranking", "liquidation_price", "admission", "state", "holds", "watching", "extended", "lifecycle", "short_way",
    "uncross", "preview", "order_margin", "shapes", "interruption", "linked", "placement", "cancellation", "amendment",
    "attachment", "pegs", "case", "collateral", "danger", "verdict", "clear", "net", "step_down", "take_over", "unwind",
    "allocation", "deleverage", "residual", "pipeline", "funding", "account_commands", "market_state", "marks", *ROOF,
]  # fmt: skip


def modules_of(text: str) -> list[str]:
    """The modules of the package that Python code imports: at its top, inside functions and for types alike."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return [name.removeprefix("solvent.") for name in found if name.startswith("solvent.")]


def upward_imports(place: Path, text: str) -> list[str]:
    """Imports that do not go down, of a file at a place below engine/solvent."""
    floor = place.parts[0]
    wrong = [name for name in modules_of(text) if name.split(".")[0] not in {floor, *FLOORS[floor].split()}]
    if floor == "api" and place.name != "backend.py":  # the one switch between kernels
        wrong += [name for name in modules_of(text) if name.split(".")[0] in ("_core", "twin")]
    if floor == "twin":
        mine = KERNEL.index(place.parts[1]) if len(place.parts) > 2 else len(KERNEL)
        rooms = [name.split(".")[1] for name in modules_of(text) if name.startswith("twin.")]
        wrong += [room for room in rooms if room in KERNEL and KERNEL.index(room) > mine]
        wrong += [room for room in rooms if room not in KERNEL and mine < len(KERNEL)]
    return wrong


def upward_cimports(place: Path, text: str) -> list[str]:
    """The same of a Cython file below ext/solvent/_core, for whole floors and within one."""
    wrong = []
    for path, names in re.findall(r"from solvent\._core((?:\.\w+)*) cimport (\([^)]*\)|[^\n]+)", text):
        parts = path.split(".")[1:]
        for module in [parts[-1]] if parts and parts[-1] not in KERNEL else re.findall(r"\w+", names):
            if module != place.stem and MODULES.index(module) >= MODULES.index(place.stem):
                wrong.append(module)
    return wrong


def circles(edges: dict[str, set[str]]) -> list[str]:
    """Modules that import themselves by way of others."""
    reach = {name: set(targets) for name, targets in edges.items()}
    for via in edges:
        for name, targets in reach.items():
            if via in targets:
                reach[name] = targets | reach[via]
    return sorted(name for name, targets in reach.items() if name in targets)


ROOMS = [path for path in PYTHON if HOME in path.parents and path.parent != HOME and "_core" not in path.parts]


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: str(path.relative_to(HOME)))
def test_imports_go_down(path):
    assert not upward_imports(path.relative_to(HOME), path.read_text())


@pytest.mark.parametrize("path", [path for path in CYTHON if path.stem != "__init__"], ids=lambda path: path.name)
def test_cimports_go_down(path):
    assert not upward_cimports(path.relative_to(CORE), path.read_text())


@pytest.mark.parametrize("name", ["market/matching.pxd", "market/book.pyx"])
def test_a_planted_upward_cimport_is_found(name):
    assert CORE / name in CYTHON
    planted = (CORE / name).read_text() + "\nfrom solvent._core.account.ledger cimport Ledger\n"
    assert upward_cimports(Path(name), planted) == ["ledger"]
    assert vain_cimports(planted) == ["Ledger"]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("schema/codes.py", "from solvent.terms.names import readable"),
        ("terms/names.py", "def f():\n    from solvent import api"),
        ("twin/market/book.py", "from solvent.twin.account import ledger"),
        ("feed/updates.py", "import solvent.lab"),
        ("witness/auditor.py", "from solvent.api import backend"),
        ("api/views.py", "from solvent.twin.account import margin"),
        ("api/reads.py", "def f():\n    from solvent._core import kernel"),
    ],
)  # fmt: skip
def test_a_planted_upward_import_is_found(name, line):
    assert len(upward_imports(Path(name), line)) == 1 and not upward_imports(Path(name), (HOME / name).read_text())


def test_no_module_imports_itself_by_way_of_others():
    """Imports inside functions and for types count."""
    within = [path for path in PYTHON if HOME in path.parents]
    names = {".".join(path.relative_to(HOME).with_suffix("").parts) for path in within}
    edges = {}
    for path in within:
        targets = {name if name in names else name.rpartition(".")[0] for name in modules_of(path.read_text())}
        edges[".".join(path.relative_to(HOME).with_suffix("").parts)] = targets & names
    assert not circles(edges)
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == ["a", "b", "c"]


ONE_KERNEL = {  # files that only one kernel needs, each with its reason
    "base/commands": "structs laid over a record; the twin's commands are the schema's own classes",
    "base/event_view": "events as Python objects over the log's memory",
    "base/ladder": "a heap of what the guards wait for", "account/guard": "derived; the twin looks at everybody",
    "account/ranking": "a heap and a tree of winners; the twin sorts them",
    "account/parcels": "keeps the ledger short; methods of it in the twin",
    "base/money": "checked 64-bit arithmetic; Python's ints are exact", "base/integers": "its readable half: roundings",
    "base/pool": "memory", "base/schema": "numbers rendered for C; the twin imports the schema itself",
    "market/client_ids": "a hash table; a dict", "market/expiries": "a heap of slots; a sorted list",
    "market/matching": "inline, so that no call stands between two fills; a method of the book",
    "market/order_pool": "slots and free stack; objects and a list of numbers",
    "base/clauses": "assertions that always run; the twin is held against the auditor and the core",
    "market/peaks": "which lots a level shows; in the twin each order says it itself (market/book)",
    "trade/short_way": "most messages of a Book without a ticket; the twin has the general way only",
    "trade/extended": "keeps lifecycle short; methods of it in the twin",
    "trade/interruption": "keeps placement short; methods of it in the twin",
    "trade/holds": "the half of an order's life that the hot path does not inline; one class in the twin",
}  # fmt: skip


def rooms_of(home: Path, pattern: str) -> set[str]:
    """Floor and name of each file of a kernel."""
    return {"/".join(path.relative_to(home).with_suffix("").parts) for path in home.rglob(pattern)}


def test_both_kernels_have_the_same_floors_and_files():
    twin, core = (
        {name for name in rooms if "__init__" not in name}
        for rooms in (rooms_of(HOME / "twin", "*/*.py"), rooms_of(CORE, "*/*.pxd"))
    )
    assert {name.split("/")[0] for name in twin} == set(KERNEL) == {name.split("/")[0] for name in core}
    assert twin ^ core == set(ONE_KERNEL)


def test_no_import_goes_the_other_way_round_in_the_other_kernel():
    core: dict[str, set[str]] = {}
    for path in CYTHON:
        found = re.findall(r"from solvent\._core(?:\.\w+)*\.(\w+) cimport", path.read_text())
        core.setdefault(path.stem, set()).update(found)
    twin = {
        path.stem: {
            name.split(".")[2] for name in modules_of(path.read_text()) if name.startswith("twin.") and name.count(".") > 1
        }
        for path in (HOME / "twin").rglob("*.py")
    }
    assert not [(a, b) for a, targets in twin.items() for b in targets if a != b and a in core.get(b, ())]
    assert "ledger" in twin["margin"] and "ledger" in core["margin"]


@pytest.mark.parametrize("path", sorted(HOME.glob("*.py")), ids=lambda path: path.name)
def test_a_door_only_renames(path):
    tree = ast.parse(path.read_text())
    if path.name not in ("__init__.py", "reference.py"):
        assert len(path.read_text().splitlines()) <= 20
        assert all(isinstance(node, ast.ImportFrom | ast.Assign | ast.Expr) for node in tree.body)


def vain_cimports(text: str) -> list[str]:
    """Names that a Cython file cimports and does not use; the linter does not read Cython."""
    pattern = re.compile(r"^from [\w.]+ cimport (\([^)]*\)|[^\n]+)", re.MULTILINE)
    rest = re.sub(r"(?m)#[^\n]*$", "", pattern.sub("", text))
    names = [name for names in pattern.findall(text) for name in re.split(r"\w+ as |[\s,()]+", names) if name]
    return [name for name in names if not re.search(rf"\b{name}\b", rest)]


@pytest.mark.parametrize("path", CYTHON, ids=lambda path: path.name)
def test_nothing_is_cimported_in_vain(path):
    assert not vain_cimports(path.read_text())


def test_the_tree_of_the_architecture_names_every_room():
    """A stranger looks for a room there; a floor's files are named, and no file that is gone."""
    tree = re.search(
        r"```\n(engine/solvent/.*?)```", (HOME.parents[1] / "docs/explanation/architecture.md").read_text(), re.DOTALL
    )[1]
    of_core = tree[tree.index("ext/solvent/_core/") :]
    for floor in KERNEL:
        told = re.search(rf"^  {floor}/ +(.*)$", of_core, re.MULTILINE)[1].split()
        assert sorted(told) == sorted({path.stem for path in (CORE / floor).glob("*.pxd")} - {"__init__"}), floor
    assert sorted(re.search(r"\(roof\) +(.*)$", of_core, re.MULTILINE)[1].split()) == sorted(ROOF)
    for room in FLOORS:
        assert f"{room}/ " in tree, room
    for path in [*(HOME / "schema").glob("*.py"), *(HOME / "api").glob("*.py")]:
        assert path.stem == "__init__" or re.search(rf"\b{path.stem}\b", tree), path.stem
