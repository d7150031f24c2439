"""Checks a money certificate of solvent: python certificate_check.py FILE [JOURNAL]. Needs Python alone, nothing of solvent.

It verifies that the chain of hashes is whole, and that every posting has two sides and leaves the balances that it states. All
purses sum to zero by currency after each, and the balances at the end are all there. With the directory of the journal it
verifies the journal's own chain, and that the certificate ends each block with the journal's digests.

Owns nothing: it reads two formats as their pages describe them (docs/reference/certificate.md, docs/reference/journal.md).
Exit code 0: everything holds; 1: something does not, and the line is told; 2: wrong arguments.
"""

import hashlib
import json
import struct
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

KEYS = {
    "certificate": "kind version currencies chain",
    "posting": "kind seq time_ns why currency from to units from_after to_after",
    "block": "kind command events chain",
    "balance": "kind currency purse units",
    "end": "kind postings balances command",
}
ORDER = ("certificate", "posting", "block", "balance", "end")
Digest = tuple[int, str, str]  # last command, events, chain


def need(holds: bool, what: str) -> None:
    """Raises ValueError unless something holds."""
    if not holds:
        raise ValueError(what)


def payloads(lines: Iterable[bytes]) -> Iterator[tuple[dict[str, Any], str]]:
    """Yields what each line says, and its hash, which must be that of the line over the hash before."""
    last = "0" * 64
    for number, line in enumerate(lines, 1):
        told, _, text = line.partition(b" ")
        need(line.endswith(b"\n") and told == told.lower() and len(told) == 64, f"line {number}: not a hash, a blank and JSON")
        last = hashlib.sha256(last.encode() + text[:-1]).hexdigest()
        need(last == told.decode("latin-1"), f"line {number}: the chain is broken here")
        said = json.loads(text)
        need(list(said) == KEYS.get(said.get("kind"), "").split(), f"line {number}: not the keys of its kind")
        yield said, last


class Books:
    """Holds the balances that the postings lead to."""

    def __init__(self) -> None:
        self.balances: Counter[tuple[str, ...]] = Counter()
        self.sums: Counter[str] = Counter()
        self.purses: set[tuple[str, ...]] = set()
        self.seq = 0
        self.postings = 0

    def post(self, said: dict[str, Any], currencies: dict[str, int]) -> None:
        """Enters both sides of a posting."""
        currency, units = said["currency"], said["units"]
        payer, receiver = ((currency, *said[side]) for side in ("from", "to"))
        need(type(said["from"]) is list and type(said["to"]) is list, "a purse is a list")
        need(type(units) is int and units > 0, "a posting moves a whole number of units above zero")
        need(currency in currencies and payer != receiver, "a posting has two sides, in a currency that there is")
        need(type(said["seq"]) is int and said["seq"] > self.seq, "postings are in order")
        for purse, moved, after in ((payer, -units, said["from_after"]), (receiver, units, said["to_after"])):
            need(type(after) is int and self.balances[purse] + moved == after, f"{purse} has {after} after it")
            self.sums[currency] += after - self.balances[purse]
            self.balances[purse] = after
        need(self.sums[currency] == 0, f"the purses sum to {self.sums[currency]} {currency}")
        self.seq, self.postings = said["seq"], self.postings + 1
        self.purses |= {payer, receiver}


def check(lines: Iterable[bytes]) -> tuple[Books, str, list[Digest], str]:
    """Returns books, the journal's first chain, the digests of its blocks and the hash of the last line. Raises ValueError."""
    books, kind, last, chain = Books(), "", "", ""
    digests: list[Digest] = []
    stated: set[tuple[str, ...]] = set()
    said: dict[str, Any] = {}
    currencies: dict[str, int] = {}
    for each, last in payloads(lines):  # noqa: B007 (the last one is told)
        said = each
        need(kind != "end", "something follows the end")
        before, kind = kind, said["kind"]
        need((before == "") == (kind == "certificate"), "a certificate has one beginning")
        need(kind in ("posting", "block") or before == "" or ORDER.index(kind) >= ORDER.index(before), "lines are in order")
        need(before != "balance" or kind in ("balance", "end"), "balances come last")
        if kind == "certificate":
            need(said["version"] == 1, "this checker knows version 1")
            currencies, chain = said["currencies"], said["chain"]
        elif kind == "posting":
            books.post(said, currencies)
        elif kind == "block":
            need(type(said["command"]) is int and said["command"] > (digests[-1][0] if digests else 0), "blocks are in order")
            digests.append((said["command"], said["events"], said["chain"]))
        elif kind == "balance":
            purse = (said["currency"], *said["purse"])
            need(purse in books.purses and purse not in stated, f"{purse} is stated once")
            need(books.balances[purse] == said["units"], f"{purse} ends at {books.balances[purse]}")
            stated.add(purse)
    need(kind == "end", "the end is missing")
    need((said["postings"], said["balances"]) == (books.postings, len(books.purses)), "the end counts something else")
    need(stated == books.purses, "every purse states its balance")
    need(said["command"] == (digests[-1][0] if digests else 0), "the end names the last block's command")
    return books, chain, digests, last


# --- the journal


MASK, ODD, FIRST = 2**64 - 1, 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9


def checksum(state: int, data: bytes) -> int:
    """Returns the journal's checksum of bytes, which continues that of what stands before."""

    def step(x: int, word: int) -> int:
        x = (x + word * ODD) & MASK
        return ((x << 31 | x >> 33) & MASK) * FIRST & MASK

    lanes = [FIRST * (i + 1) & MASK for i in range(4)]
    padded = data + bytes(-len(data) % 32)
    for i, word in enumerate(struct.unpack(f"<{len(padded) // 8}Q", padded)):
        lanes[i & 3] = step(lanes[i & 3], word)
    for word in (*lanes, len(data)):
        state = step(state, word)
    return state ^ state >> 32


def digests_of(data: bytes, previous: int, first: int) -> tuple[int, list[Digest]]:
    """Returns the chain of a segment's header and the digests of its blocks, all recomputed. A torn end counts for nothing."""
    version, _, before, _, length = struct.unpack_from(">IBQBI", data, 18)
    end = 36 + length
    chain = int.from_bytes(data[end + 1 : end + 9], "big")
    need(
        data[:17] == b"\x95\xafsolvent journal" and version == 1 and before == previous, "the journal's segments do not follow"
    )
    need(data[end] == 0xCF and checksum(before, data[:end]) == chain, "the journal's header is damaged")
    found, header, at = [], chain, end + 9
    while at + 47 <= len(data):
        _, _, number, _, count, _, _, _, before, _, events, _, added = struct.unpack_from(">BBQBIBQBQBQBI", data, at)
        body = at + 47 + added
        size = int.from_bytes(data[body + 1 : body + 5], "big")
        begin, end = body + 5, body + 5 + size
        told = data[end + 1 : end + 9]
        if len(told) < 8 or data[end] != 0xCF or before != chain or number != first:
            break
        chain = checksum(checksum(before, data[at:begin]), data[begin:end])
        if chain != int.from_bytes(told, "big"):
            break
        found.append((number + count - 1, f"{events:016x}", f"{chain:016x}"))
        first, at = number + count, end + 9
    return header, found


def compare(journal: Path, chain: str, digests: list[Digest]) -> None:
    """Raises ValueError unless the digests are those of a journal, from its first block on."""
    found: list[Digest] = []
    previous = 0
    for segment in sorted(journal.glob("*.journal")):
        header, more = digests_of(segment.read_bytes(), previous, int(segment.name[:20]))
        need(bool(found) or f"{header:016x}" == chain or not digests, "this is another journal")
        found += more
        previous = int(found[-1][2], 16) if found else header
    told = {each[0]: each for each in found}
    for each in digests:
        need(told.get(each[0]) == each, f"the journal has another digest at command {each[0]}")


def main(arguments: list[str]) -> int:
    """Checks a file, against a journal if one is named."""
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        with Path(arguments[0]).open("rb") as file:
            books, chain, digests, last = check(file)
        if len(arguments) == 2:
            compare(Path(arguments[1]), chain, digests)
    except (ValueError, KeyError, TypeError, AttributeError, struct.error, OSError) as error:
        print(f"{arguments[0]}: {error}", file=sys.stderr)
        return 1
    beside = ", as the journal has them" if len(arguments) == 2 else ""
    print(f"whole: {books.postings} postings, {len(books.purses)} purses, {len(digests)} blocks{beside}; last hash {last}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
