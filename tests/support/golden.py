"""Adds the journal of a build to those that every later build must read.

python tests/support/golden.py NAME [--seed 1]     # tests/support/golden/NAME, and its digest

Run it when the format of journals or the events of commands change on purpose, and say so in the commit.
"""

import argparse
import json
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from solvent.store.files import Folder
from support.journals import written

GOLDEN = Path(__file__).parent / "golden"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--commands", type=int, default=300)
    asked = parser.parse_args()
    _, ex = written(asked.seed, asked.commands, disk=Folder(GOLDEN / asked.name), batch=6)
    ex.close()
    table = GOLDEN / "digests.json"
    told = json.loads(table.read_text()) if table.exists() else {}
    told[asked.name] = [ex.command_count, f"{ex.digest():016x}"]
    table.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
