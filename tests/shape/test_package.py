"""What is shipped: sdist, wheel, a clean environment outside the checkout, and a light import."""

import fcntl
import os
import subprocess
import sys
import tarfile
import zipfile

import pytest

from support.places import ROOT

EXAMPLE = """
import solvent
from solvent import Exchange, Instrument
from solvent.reference import Exchange as Twin
digests = set()
for kind in (Exchange, Twin):
    ex = kind([Instrument("BTC")])
    ex.deposit("a", "USDT", 1000)
    ex.mark("BTC", 50_000)
    ex.order("a", "BTC", "buy", 1, price=49_000).ok()
    ex.check()
    digests.add(ex.digest())
assert len(digests) == 1
print(solvent.__file__)
"""


def call(*command, **terms):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **terms)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_import_is_light():
    """The fastest of ten fresh processes imports in under 100 ms of processor time, without NumPy."""
    script = (
        "import sys, time; t = time.process_time(); import solvent;"
        "print(time.process_time() - t, 'numpy' in sys.modules, 'sortedcontainers' in sys.modules)"
    )
    runs = [call(sys.executable, "-c", script).split() for _ in range(10)]
    assert {tuple(run[1:]) for run in runs} == {("False", "False")}
    assert min(float(run[0]) for run in runs) < 0.1


def test_without_the_compiled_core_the_twin_works_and_says_why_the_other_does_not(tmp_path):
    """A copy without extension modules: no silent fallback."""
    target = tmp_path / "solvent"
    for path in (ROOT / "engine" / "solvent").rglob("*.py"):
        copy = target / path.relative_to(ROOT / "engine" / "solvent")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text())
    script = (
        "from solvent import Exchange, Instrument\nimport solvent.reference\n"
        "solvent.reference.Exchange([Instrument('BTC')]).deposit('a', 'USDT', 1)\n"
        "try:\n    Exchange([Instrument('BTC')])\nexcept ImportError as error:\n    print(error)\n"
    )
    said = call(sys.executable, "-c", script, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert "solvent.reference.Exchange" in said


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """sdist from the checkout; wheel from the sdist, compiled without optimisation, with all else as it is shipped.

    C that was generated from the same sources is taken as it is.
    """
    base = tmp_path_factory.getbasetemp()
    out = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "dist"
    out.mkdir(exist_ok=True)
    with (out / "lock").open("w") as lock:  # of several processes one builds
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not list(out.glob("*.whl")):
            env = os.environ | {"SOLVENT_BUILD": "quick", "SOLVENT_C_CACHE": str(ROOT / "build" / "cache")}
            call(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, cwd=ROOT, env=env)
    return out


@pytest.mark.long
def test_sdist_and_wheel_carry_what_they_should(dist):
    with tarfile.open(next(dist.glob("*.tar.gz"))) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    for wanted in ("ext/solvent/_core/kernel.pyx", "ext/solvent/_core/kernel.pxd", "LICENSE", "tests/agreement/test_twins.py"):
        assert wanted in names
    with zipfile.ZipFile(next(dist.glob("*.whl"))) as archive:
        names = set(archive.namelist())
    assert {"solvent/_core/kernel.pxd", "solvent/_core/kernel.pyi", "solvent/py.typed"} <= names
    assert any(name.endswith(".csv.gz") for name in names) and "pytest_solvent.py" in names
    assert not [name for name in names if name.endswith((".pyx", ".c")) or name.startswith("tests/")]


@pytest.mark.long
def test_wheel_works_in_a_clean_environment(dist, tmp_path):
    call(sys.executable, "-m", "venv", "--without-pip", tmp_path / "env")
    python = tmp_path / "env" / "bin" / "python"
    call(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", next(dist.glob("*.whl")))
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    where = call(python, "-c", EXAMPLE, cwd=tmp_path, env=env)
    assert str(tmp_path) in where
    assert "usage" in call(python, "-m", "solvent.app.cli", "--help", cwd=tmp_path, env=env)
