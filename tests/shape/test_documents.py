"""The pages: they build without a warning and without the network, their code runs, and what they number can be looked up."""

import doctest
import importlib
import importlib.util
import pickle
import re
import subprocess
import sys

import pytest

import solvent
from support.places import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
SOURCES = [path for place in ("engine", "ext", "tests") for path in sorted((ROOT / place).rglob("*.p*")) if path.is_file()]
FAMILIES = "MON|BOOK|ORD|MAR|FUN|LIQ|SAFE|CAL|KER|STO|FED|GAT"
TOOLS = ("sphinx", "myst_parser", "furo")
DOORS = ("records", "codes", "feed", "auditor", "rules", "venues", "arrow", "replication", "testing")
WITHOUT_NETWORK = """
import socket, sys
def refused(*_, **__):
    raise OSError("the pages are built without the network")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refused
from sphinx.cmd.build import main
sys.exit(main(sys.argv[1:]))
"""


def told(paths):
    """The text of all files that can be read."""
    return "\n".join(path.read_text() for path in paths if path.suffix in (".py", ".pyx", ".pxd", ".pyi"))


@pytest.mark.long
@pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in TOOLS), reason="the extra `docs` (sphinx, myst-parser, furo) is absent"
)
def test_the_pages_build_without_a_warning_and_without_the_network(tmp_path):
    terms = ["-b", "html", "-n", "-W", "--keep-going", "-q", "-d", str(tmp_path / "trees"), str(DOCS), str(tmp_path / "html")]
    done = subprocess.run([sys.executable, "-c", WITHOUT_NETWORK, *terms], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "html" / "explanation" / "invariants.html").read_text()
    assert 'id="safe-1"' in page, "the address that InvariantBroken tells"
    assert 'id="sem-2-9"' in (tmp_path / "html" / "explanation" / "semantics.html").read_text()


@pytest.mark.parametrize("path", [path for path in PAGES if ">>> " in path.read_text()], ids=lambda path: path.name)
def test_the_code_of_a_page_runs(path, tmp_path, monkeypatch):
    """In a folder of its own, for some pages write files."""
    monkeypatch.chdir(tmp_path)
    found = doctest.testfile(str(path), module_relative=False, optionflags=doctest.ELLIPSIS | doctest.REPORT_NDIFF)
    assert found.attempted and not found.failed


@pytest.mark.parametrize("folder", ["tutorial", "howto"])
def test_no_code_of_the_lessons_is_left_unrun(folder):
    for path in (DOCS / folder).rglob("*.md"):
        blocks = re.findall(r"```python\n(.*?)```", path.read_text(), re.DOTALL)
        assert all(block.startswith(">>> ") for block in blocks), path.name


def test_every_invariant_that_is_named_has_an_entry():
    named = set(re.findall(rf"\b(?:{FAMILIES})-\d+", told(SOURCES)))
    entries = re.findall(r"^\((\w+-\d+)\)=$", (DOCS / "explanation" / "invariants.md").read_text(), re.MULTILINE)
    assert len(entries) == len(set(entries)) and len(named) > 30
    assert named <= set(entries), named - set(entries)


def test_the_tests_that_check_an_invariant_exist():
    there = {str(path.relative_to(ROOT / "tests")) for path in (ROOT / "tests").rglob("test_*.py")}
    said = set(re.findall(r"`((?:\w+/)*test_\w+\.py)`", (DOCS / "explanation" / "invariants.md").read_text()))
    assert said and said <= there, said - there


def test_every_section_of_the_semantics_that_is_cited_is_there():
    cited = set(re.findall(r"§ ?(\d+)", told(SOURCES)))
    sections = re.findall(
        r"^\(semantics-(\d+)\)=\n## (\d+)\. ", (DOCS / "explanation" / "semantics.md").read_text(), re.MULTILINE
    )
    assert all(anchor == number for anchor, number in sections)
    assert cited and cited <= {number for number, _ in sections}


def test_clauses_are_numbered_without_a_gap():
    """A clause keeps its number: new ones come last in their section."""
    clauses = re.findall(
        r"^\(SEM-(\d+)\.(\d+)\)=\n\*\*(\d+)\.(\d+)\*\* ", (DOCS / "explanation" / "semantics.md").read_text(), re.M
    )
    assert len(clauses) > 200
    last = {}
    for section, number, *shown in clauses:
        assert [section, number] == shown
        assert int(number) == last.get(section, 0) + 1
        last[section] = int(number)


def test_every_public_name_is_in_the_reference():
    pages = "\n".join(path.read_text() for path in (DOCS / "reference").glob("*.md"))
    documented = set(re.findall(r"^\.\. auto\w+:: solvent\.(?:\w+\.)*(\w+)$", pages, re.MULTILINE))
    assert set(solvent.__all__) <= documented, set(solvent.__all__) - documented
    for door in DOORS:
        if door == "arrow" and not importlib.util.find_spec("pyarrow"):
            continue
        module = importlib.import_module(f"solvent.{door}")
        told_of = {
            name for name, value in vars(module).items()
            if not name.startswith("_") and callable(value) and getattr(value, "__module__", "").startswith("solvent")
        } - {"shown"}  # fmt: skip
        assert told_of <= documented, (door, told_of - documented)


def test_the_pages_that_are_named_exist():
    """In code by path, so that whoever follows it arrives; in the README as links."""
    for name in re.findall(r"docs/((?:[\w-]+/)*[\w-]+\.md)", told(SOURCES)):
        assert (DOCS / name).exists(), name
    for name in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / "README.md").read_text()):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("MON-1: purses in currency 0 sum to 3", "#mon-1)"),
        ("auditor: MON-2, MON-4: sizes sum to zero at {0: 1}", "#mon-2)"),
        ("auditor: SAFE-1: this command deleverages nobody at 5", "#safe-1)"),
        ("auditor: every fee is posted at []", None),
        ("the events' own books are off by 3 units", None),
    ],
)
def test_a_broken_invariant_tells_where_it_is_explained(text, page):
    error = solvent.InvariantBroken(text)
    assert str(error).startswith(text) and str(error).endswith(f"docs/explanation/invariants.md{page}" if page else text)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
