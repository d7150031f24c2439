"""The commands `why` and `certify`: a journal in; a story, a page or a certificate out.

Owns their arguments and files. Never writes to a journal. A file that is asked for is written aside and takes its place whole.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from solvent.schema.codes import InputError

STDOUT = "-"


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds both commands to a parser."""
    why = commands.add_parser(
        "why", help="tell why an account was liquidated, or all liquidations",
        description="Replays a journal and tells every liquidation of an account: the way to it, the crossing, who took "
        "what, and who paid (docs/howto/why.md). Without an account it tells those of all, without the way.",
    )  # fmt: skip
    why.add_argument("path", metavar="PATH", help="the directory of a journal")
    why.add_argument("account", metavar="ACCOUNT", nargs="?", help="the name of an account (default all)")
    why.add_argument("--before", type=int, default=20, help="the most readings of a path before a liquidation (default 20)")
    why.add_argument("--after", type=int, default=5, help="the most readings after it (default 5)")
    why.add_argument("--json", metavar="FILE", help="write it as JSON; - is standard output")
    why.add_argument("--html", metavar="FILE", help="write it as one page with charts; - is standard output")
    certify = commands.add_parser(
        "certify", help="write a certificate of all money that moved",
        description="Replays a journal and writes every posting into a chain of hashes that anybody can check without solvent "
        "(docs/howto/certify.md).",
    )  # fmt: skip
    certify.add_argument("path", metavar="PATH", help="the directory of a journal")
    certify.add_argument("file", metavar="FILE", help="the certificate; - is standard output")


def _archive(path: str) -> Any:
    """Returns a journal, read only."""
    from solvent.store.archive import Archive
    from solvent.store.files import Folder

    return Archive(Folder(path))


def _put(file: str, text: str) -> None:
    """Writes a file aside, and then into its place; - is standard output."""
    if file == STDOUT:
        sys.stdout.write(text)
        return
    with _aside(file) as write:
        write(text.encode())


class _aside:
    """Opens a file under another name and renames it at the end, unless something was raised."""

    def __init__(self, file: str):
        self._place = Path(file)
        self._new = self._place.with_name(self._place.name + ".new")

    def __enter__(self) -> Callable[[bytes], object]:
        if self._place.is_dir() or not self._place.parent.is_dir():
            raise InputError(f"{self._place}: no file can be written there")
        self._file = self._new.open("wb")
        return self._file.write

    def __exit__(self, kind: object, *_: object) -> None:
        self._file.close()
        if kind is None:
            self._new.replace(self._place)
        else:
            self._new.unlink()


def tell(args: argparse.Namespace) -> int:
    """Runs `why`."""
    from solvent.store.certify import retold

    if STDOUT == args.json == args.html:
        raise InputError("--json and --html cannot both go to standard output")
    if args.account is None and args.html is not None:
        raise InputError("--html draws the way of one account; name it, or leave --html out")
    ex = retold(_archive(args.path))
    told: Any = ex.liquidations() if args.account is None else ex.why(args.account, before=args.before, after=args.after)
    if STDOUT not in (args.json, args.html):
        print(told)
    if args.json is not None:
        _put(args.json, json.dumps(told.to_dict(), indent=2) + "\n")
    if args.html is not None:
        _put(args.html, told.to_html())
    return 0


def certify(args: argparse.Namespace) -> int:
    """Runs `certify`."""
    from solvent.store import certificate_check
    from solvent.store.certify import certify

    source = _archive(args.path)
    if args.file == STDOUT:
        certify(source, sys.stdout.buffer.write)
        return 0
    with _aside(args.file) as write:
        made = certify(source, write)
    print(f"{made.postings} postings; last hash {made.last}")
    print(f"check it anywhere: python {certificate_check.__file__} {args.file} {args.path}")
    return 0


RUN = {"why": tell, "certify": certify}
