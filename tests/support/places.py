"""Where the project lies, its sources, and the recorded data beside it, which may be absent."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME, CORE = ROOT / "engine/solvent", ROOT / "ext/solvent/_core"
PYTHON = sorted((ROOT / "engine").rglob("*.py"))
CYTHON = sorted((ROOT / "ext").rglob("*.p[yx][xd]"))
DATA = ROOT.parent / "shared" / "data"
