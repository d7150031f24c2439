"""Where the project lies, and the recorded data beside it, which may be absent."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
