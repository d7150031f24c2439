"""Lint, types, stubs and the house rules that a machine can check, as tests."""

import ast
import re
import subprocess
import sys

import pytest

from support.places import CYTHON, HOME, PYTHON, ROOT

EXACT = {  # divide decimals and fractions
    "terms/tiers.py", "presets/published_tables.py", "terms/instrument.py", "terms/collateral.py", "witness/values.py",
    "witness/spendable.py",
    "store/files.py",  # joins paths, and pauses for parts of a second
}  # fmt: skip
EDGES = {  # where the world comes in, each with its reason
    "solvent/replica/jetstream.py": "talks to servers: waits in seconds",
    "solvent/gateway/server.py": "sockets: waits in seconds, and reads the clock for who wants real time",
    "solvent/lab/worlds/rl.py": "what learners see and are paid is floats; whole lots enter the exchange",
    "solvent/gateway/tls.py": "certificates have dates",
}  # fmt: skip


def run(*command: str) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_lint():
    run("ruff", "check", ".")


def test_format():
    run("ruff", "format", "--check", ".")


@pytest.mark.long
def test_types():
    run("mypy")


@pytest.mark.long
def test_stubs_match_the_binaries():
    names = [
        f"solvent._core.{name}"
        for name in ("kernel", "image", "reader", "base.checksum", "base.event_view", "base.schema", "base.money")
    ]
    run("mypy.stubtest", *names,
        "--allowlist", "tests/shape/stubtest.txt", "--ignore-unused-allowlist")  # fmt: skip


@pytest.mark.parametrize("path", PYTHON + CYTHON, ids=lambda path: path.name)
def test_files_open_with_what_they_own(path):
    text = path.read_text()
    if not text.strip():
        return
    lines = text.count("\n")
    assert lines <= 600, f"{lines} lines"
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


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: path.name)
def test_no_ambient_input_and_no_floats_below_the_simulation(path):
    """The engine reads no clock, no randomness, no environment, and has no float."""
    if "market" in path.parts and "lab" in path.parts or "app" in path.parts or str(path.relative_to(HOME.parent)) in EDGES:
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            banned = {"time", "random", "os", "datetime", "uuid", "secrets"} - (
                {"os"} if path.name in ("client_id_seed.py", "files.py") else set()
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


def test_the_makefile_has_at_most_fifteen_commands():
    """Ten, the tiers of the programme of tests (deep, campaign, prove, soak), and clients, which issue 16 asks for by name."""
    text = (ROOT / "Makefile").read_text()
    assert len(re.search(r"\.PHONY: (.*)", text)[1].split()) <= 15


def test_the_readme_asks_for_two_commands():
    text = (ROOT / "README.md").read_text()
    assert "make demo" in text and "make test" in text
