"""The results of a sweep in a folder: Parquet files that are written whole, and what they belong to.

Owns the folder. Never runs anything. Invariants: a file is there whole or not at all, for it is written under a temporary name
first; a case counts once, however often it is there. Cost: a file every PART_ROWS results; reading takes all of them.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from solvent.schema.codes import InputError

__all__ = ["Folder"]

PART_ROWS = 16
CASE = "case"  # the column that the results are known by
ABOUT = "sweep.json"


class Folder:
    """Keeps rows by case. about: what the results belong to; a folder of something else is refused."""

    def __init__(self, path: Path, about: str):
        try:
            import pyarrow  # noqa: F401
        except ImportError:
            raise InputError("a folder of results needs pyarrow: pip install pyarrow (or the extra arrow)") from None
        self.path, self._rows = path, list[dict[str, Any]]()
        if path.exists() and not path.is_dir():
            raise InputError(f"{path} is a file; results go into a folder")
        path.mkdir(parents=True, exist_ok=True)
        told, said = path.joinpath(ABOUT), json.dumps({"about": about}, indent=2)
        if not told.exists() and any(path.iterdir()):
            raise InputError(f"{path} has files that are no sweep's; give a folder of its own")
        if not told.exists():
            self._write(told, said.encode())
        elif told.read_text() != said:
            raise InputError(f"{path} has results of another sweep: {json.loads(told.read_text())['about']!r}, not {about!r}")

    def _write(self, path: Path, data: bytes) -> None:
        draft = path.with_name(f".{path.name}.draft")
        draft.write_bytes(data)
        draft.replace(path)

    def _parts(self) -> Iterator[Path]:
        yield from sorted(self.path.glob("part-*.parquet"))

    def keys(self) -> set[str]:
        """Returns the cases that are there."""
        from pyarrow import parquet

        return {key for part in self._parts() for key in parquet.read_table(part, columns=[CASE])[CASE].to_pylist()}

    def keep(self, key: str, row: dict[str, Any]) -> None:
        """Takes a row; every PART_ROWS they are written."""
        self._rows.append({CASE: key, **row})
        if len(self._rows) >= PART_ROWS:
            self.flush()

    def flush(self) -> None:
        """Writes what has been kept since the last time."""
        if not self._rows:
            return
        import pyarrow
        from pyarrow import parquet

        name = hashlib.sha256("\n".join(row[CASE] for row in self._rows).encode()).hexdigest()[:16]
        sink = pyarrow.BufferOutputStream()
        parquet.write_table(pyarrow.Table.from_pylist(self._rows), sink)
        self._write(self.path.joinpath(f"part-{name}.parquet"), sink.getvalue().to_pybytes())
        self._rows = []

    def read(self) -> dict[str, dict[str, Any]]:
        """Returns all rows by case."""
        from pyarrow import parquet

        found = {}
        for part in self._parts():
            for row in parquet.read_table(part).to_pylist():
                found[row.pop(CASE)] = row
        return found
