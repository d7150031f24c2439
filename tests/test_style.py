"""Lint, types, stubs and the house rules that a machine can check, as tests."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYTHON = sorted((ROOT / "engine").rglob("*.py"))
CYTHON = sorted((ROOT / "ext").rglob("*.p[yx][xd]"))
FLOORS = {  # package: what it may import besides itself. Imports go down: of every line only those above it
    "schema": "",
    "terms": "schema",
    "presets": "schema terms",
    "_core": "",
    "twin": "schema terms",
    "api": "schema terms presets _core twin",
    "feed": "schema terms api",
    "witness": "schema terms api",
    "lab": "schema terms presets api witness feed",
    "app": "schema terms presets api witness feed lab",
}
KERNEL = ["base", "market", "contract", "account", "trade", "liquidation", "venue"]  # floors of both kernels, lowest first
ROOF = ["audit", "reader", "roster", "kernel"]  # above all of them, lowest first
MODULES = [  # of the core within a floor, lowest first
    "money", "clauses", "pool", "schema", "commands", "event_log", "emit", "event_view", "order_pool", "book",
    "matching", "client_ids", "expiries", "triggers", "valuation", "price_model", "ledger", "fees", "margin", "domain",
    "liquidation_price", "admission", "state", "holds", "lifecycle", "preview", "order_margin", "placement",
    "amendment", "case", "collateral", "danger", "verdict", "clear", "net", "step_down", "take_over", "unwind",
    "deleverage", "residual", "pipeline", "funding", "account_commands", "market_state", "marks", *ROOF,
]  # fmt: skip
EXACT = {  # divide decimals and fractions
    "terms/tiers.py", "presets/published_tables.py", "terms/instrument.py", "terms/collateral.py", "witness/values.py",
    "witness/spendable.py",
}  # fmt: skip
LONG_FILES: dict[str, str] = {}  # each with its reason


def run(*command: str) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_lint():
    run("ruff", "check", ".")


def test_format():
    run("ruff", "format", "--check", ".")


def test_types():
    run("mypy")


def test_stubs_match_the_binaries():
    names = [f"solvent._core.{name}" for name in ("kernel", "reader", "base.event_view", "base.schema", "base.money")]
    run("mypy.stubtest", *names,
        "--allowlist", "tests/stubtest.txt", "--ignore-unused-allowlist")  # fmt: skip


@pytest.mark.parametrize("path", PYTHON + CYTHON, ids=lambda path: path.name)
def test_files_open_with_what_they_own(path):
    text = path.read_text()
    if not text.strip():
        return
    lines = text.count("\n")
    assert lines <= 600 or path.name in LONG_FILES, f"{lines} lines"
    first = text.lstrip().splitlines()[0]
    assert first.startswith(('"""', "#")), "a file opens with what it owns"
    assert not re.search(r"\b(TODO|FIXME|XXX)\b", text)
    if path.suffix == ".pyx":
        assert "cdivision=True" not in text and "overflowcheck" not in text
        assert " // " not in text.replace(" // RECORD_BYTES", ""), "division lives in money"


@pytest.mark.parametrize("path", CYTHON, ids=lambda path: path.name)
def test_no_list_is_comprehended_in_the_core(path):
    """Cython 3.3 gives the item back twice where the list cannot grow: a MemoryError becomes a crash."""
    text = re.sub(r'""".*?"""|#[^\n]*', "", path.read_text(), flags=re.DOTALL)
    assert not re.search(r"\[[^\[\]]*\bfor\b[^\[\]]*\bin\b", text)


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


HOME = ROOT / "engine/solvent"
ROOMS = [path for path in PYTHON if path.parent != HOME and "_core" not in path.parts]
CORE = ROOT / "ext/solvent/_core"


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
        ("feed/updates.py", "import solvent.witness.auditor"),
    ],
)  # fmt: skip
def test_a_planted_upward_import_is_found(name, line):
    assert len(upward_imports(Path(name), line)) == 1 and not upward_imports(Path(name), (HOME / name).read_text())


def test_no_module_imports_itself_by_way_of_others():
    """Imports inside functions and for types count."""
    names = {".".join(path.relative_to(HOME).with_suffix("").parts) for path in PYTHON}
    edges = {}
    for path in PYTHON:
        targets = {name if name in names else name.rpartition(".")[0] for name in modules_of(path.read_text())}
        edges[".".join(path.relative_to(HOME).with_suffix("").parts)] = targets & names
    assert not circles(edges)
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == ["a", "b", "c"]


def test_both_kernels_have_the_same_floors():
    rooms = {path.relative_to(HOME / "twin").parts[0] for path in (HOME / "twin").rglob("*/*.py")}
    assert rooms == set(KERNEL) == {path.relative_to(CORE).parts[0] for path in CORE.rglob("*/*.pyx")}


@pytest.mark.parametrize("path", sorted(HOME.glob("*.py")), ids=lambda path: path.name)
def test_a_door_only_renames(path):
    tree = ast.parse(path.read_text())
    if path.name not in ("__init__.py", "reference.py"):
        assert len(path.read_text().splitlines()) <= 20
        assert all(isinstance(node, ast.ImportFrom | ast.Assign | ast.Expr) for node in tree.body)


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: path.name)
def test_no_ambient_input_and_no_floats_below_the_simulation(path):
    """The engine reads no clock, no randomness, no environment, and has no float."""
    if "market" in path.parts and "lab" in path.parts or "app" in path.parts:
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            banned = {"time", "random", "os", "datetime", "uuid", "secrets"} - (
                {"os"} if path.name == "client_id_seed.py" else set()
            )
            assert not banned & {name.split(".")[0] for name in names}
        if isinstance(node, ast.Constant):
            assert not isinstance(node.value, float), f"a float in line {node.lineno}"
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            assert str(path.relative_to(HOME)) in EXACT, f"a true division in line {node.lineno}"


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: path.name)
def test_functions_are_short(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            body = node.end_lineno - node.body[0].lineno + 1
            assert body <= 50, f"{node.name} has {body} lines"


@pytest.mark.parametrize("path", sorted((ROOT / "docs").rglob("*.md")), ids=lambda path: path.name)
def test_documents_have_one_title(path):
    text = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1


def test_the_makefile_has_at_most_ten_commands():
    text = (ROOT / "Makefile").read_text()
    assert len(re.search(r"\.PHONY: (.*)", text)[1].split()) <= 10


def test_the_readme_asks_for_two_commands():
    text = (ROOT / "README.md").read_text()
    assert "make demo" in text and "make test" in text


def vain_cimports(text: str) -> list[str]:
    """Names that a Cython file cimports and does not use; the linter does not read Cython."""
    pattern = re.compile(r"^from [\w.]+ cimport (\([^)]*\)|[^\n]+)", re.MULTILINE)
    rest = re.sub(r"(?m)#[^\n]*$", "", pattern.sub("", text))
    names = [name for names in pattern.findall(text) for name in re.split(r"\w+ as |[\s,()]+", names) if name]
    return [name for name in names if not re.search(rf"\b{name}\b", rest)]


@pytest.mark.parametrize("path", CYTHON, ids=lambda path: path.name)
def test_nothing_is_cimported_in_vain(path):
    assert not vain_cimports(path.read_text())
