"""Builds of the core beside the usual one, and the tests on each: `make debug BUILD=sanitize`, layers 15, 20 and 22.

    python tests/programme/builds.py sanitize [words for pytest]

Owns where such a build lies, what a process needs to load it, and which tests say nothing about it. Never the usual build:
setup.py says how each is compiled. What is there already is compiled again only where it changed.
"""

import fcntl
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from support.places import ROOT

EDGES = 1 << 16
SEEN = f"""
static unsigned long before;
unsigned char solvent_edges[{EDGES}];
void __sanitizer_cov_trace_pc(void) {{
    unsigned long here = (unsigned long)__builtin_return_address(0);
    here = (here ^ here >> 16) % {EDGES};
    solvent_edges[here ^ before]++;
    before = here >> 1;
}}
"""
ABOUT_SOURCES = ("style", "package", "documents", "english", "floors", "schema", "tree", "programme")  # tests of shape
ASKED = ("-n", "auto", "--dist", "worksteal", "-p", "no:cacheprovider")


def place(kind: str) -> Path:
    return ROOT / "build" / kind


@cache
def build(kind: str) -> None:
    """Compiles what is not compiled yet; one process at a time."""
    at = place(kind)
    at.mkdir(parents=True, exist_ok=True)
    words = ["-q", "build", "--build-base", str(at), "--build-lib", str(at / "lib"), "--build-temp", str(at / "temp")]
    with (at / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run([sys.executable, "setup.py", *words], cwd=ROOT, env=os.environ | {"SOLVENT_BUILD": kind}, check=True)


@cache
def recorder() -> Path:
    """The library that the sanitized build calls at each block: it counts edges (tests/programme/guided.py)."""
    at = place("sanitize") / "edges.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-x", "c", "-", "-o", str(at)], input=SEEN, text=True, check=True)
    return at


def environment(kind: str) -> dict[str, str]:
    """What a process that loads a build has around it. A report of a sanitizer ends it with a code of its own."""
    found = os.environ | {"PYTHONPATH": f"{place(kind) / 'lib'}{os.pathsep}{ROOT / 'tests'}"}
    if kind == "sanitize":
        asked = [["cc", f"-print-file-name=lib{name}.so"] for name in ("asan", "ubsan")]
        runtimes = [subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip() for words in asked]
        found |= {
            "LD_PRELOAD": " ".join([*runtimes, str(recorder())]), "PYTHONMALLOC": "malloc",
            "ASAN_OPTIONS": "detect_leaks=0:exitcode=99", "UBSAN_OPTIONS": "print_stacktrace=1:exitcode=99",
        }  # fmt: skip
    return found


def tested(audited_exchange: str, words: list[str], begin: tuple[str, ...] = ()) -> bool:
    """Runs tests on a build: all but those that look at sources. True if they pass."""
    left_out = [word for name in ABOUT_SOURCES for word in ("--ignore", f"tests/shape/test_{name}.py")]
    asked = [sys.executable, *begin, "-m", "pytest", *ASKED, *left_out, *(words or ["tests"])]
    return subprocess.run(asked, cwd=ROOT, env=environment(audited_exchange), check=False).returncode == 0


if __name__ == "__main__":
    build(sys.argv[1])
    sys.exit(0 if tested(sys.argv[1], sys.argv[2:]) else 1)
