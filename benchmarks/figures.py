"""Brings every measured figure in the documents up to date with benchmarks/results.

python benchmarks/figures.py rewrites what differs. tests/shape/test_figures.py fails while something differs, or while a
document has a figure of performance that is not from here. A figure is in one of two places:

* a block of docs/explanation/benchmarks.md, between <!-- figures: NAME --> and <!-- end of figures -->, written whole;
* a sentence elsewhere (SENTENCES), of which only the numbers are written.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bench
import peers
import replicated
from native import HERE, ROOT

PAGE = "docs/explanation/benchmarks.md"
BLOCK = re.compile(r"<!-- figures: (\w+) -->\n(.*?)<!-- end of figures -->", re.DOTALL)
NUMBER = r"[\d][\d.,]*"
SENTENCES = [
    (
        "README.md",
        "{near} times its {yard} ns a message near the best price, and {deep} times its time with a million resting orders",
    ),
    (
        "docs/explanation/decisions/0016-an-image-is-memory.md",
        "takes {fork} ms. With a million of each, an image of {size} MB is written at {write} GB/s and loaded at {load} GB/s, "
        "checksum and look included, and the digest takes {digest} ms",
    ),
    (
        "docs/explanation/decisions/0016-an-image-is-memory.md",
        "takes {preview} µs from a dry run, and {tried} ms on a fork",
    ),
]
"""(file, sentence): each name in braces is a number of `numbers`."""

UNIT = r"(?:ns|µs|us|ms|nanoseconds?|microseconds?|milliseconds?)\b"
STRAY = re.compile(rf"\d[\d.,]*\s*(?:{UNIT}|times\s+(?:the yardstick|as fast|faster|slower))")
"""What looks like a figure of performance."""
READ = ["README.md", "CHANGELOG.md", "setup.py", "docs/**/*.md", "ext/**/*.p*", "engine/**/*.py", "engine/**/*.pyi"]

Results = dict[str, dict[str, Any]]


def results() -> Results:
    """The committed results by name."""
    return {path.stem: json.loads(path.read_text()) for path in (HERE / "results").glob("*.json")}


def numbers(found: Results) -> dict[str, str]:
    """The numbers of the sentences, as they are printed."""
    rows = {row["row"]: row for row in found["bench"]["rows"]}
    near, deep = rows["near, TRADE only : yardstick"], rows["1,000,000 resting : yardstick"]
    return {"near": f"{near['value']:.2f}", "yard": f"{near['ns_other']:.0f}", "deep": f"{deep['value']:.2f}",
            **copied(found["copies"])}  # fmt: skip


def copied(run: dict[str, float]) -> dict[str, str]:
    """The numbers of benchmarks/copies.py."""
    return {"fork": f"{run['fork ms']:.1f}", "size": f"{run['bytes'] / 1e6:.0f}", "write": f"{run['write GB/s']:.1f}",
            "load": f"{run['load GB/s']:.1f}", "digest": f"{run['digest ms']:.0f}",
            "preview": f"{run['preview ms'] * 1_000:.1f}", "tried": f"{run['preview on a fork ms']:.1f}"}  # fmt: skip


def measured_on(result: dict[str, Any]) -> str:
    """When and on what."""
    machine = result["machine"]
    about = f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}, {machine['compiler']}"
    versions = f"Python {machine['python']}, Cython {machine['cython']}, NumPy {machine['numpy']}"
    return f"{result['date']}, a shared virtual machine: {about}, {versions}."


def blocks(found: Results) -> dict[str, str]:
    """What stands between the marks of docs/explanation/benchmarks.md."""
    run, other = found["bench"], found["peers"]
    proof = run["exchange"]["proof"]
    return {
        "book": f"{run['rounds']} rounds, {measured_on(run)}\n\n```\n{bench.shown(run)}\n```\n",
        "peers": f"{measured_on(other)}\n\n```\n{peers.shown(other)}\n```\n",
        "exchange": f"{bench.shown_whole(run)}\n\n{proof['trades']:,} trades in the first flow, the same as a Book makes; "
        f"digest {proof['digest']}.\n",
        "replicated": f"{measured_on(found['replicated'])}\n\n```\n{replicated.shown(found['replicated'])}\n```\n",
    }


def _pattern(sentence: str) -> re.Pattern[str]:
    """A sentence with any numbers, broken into lines anywhere."""
    parts = re.split(r"\{(\w+)\}", sentence)
    texts = [r"\s+".join(re.escape(word) for word in re.split(r"\s+", part)) for part in parts[::2]]
    names = [rf"(?P<{name}>{NUMBER})" for name in parts[1::2]]
    return re.compile("".join(text + name for text, name in zip(texts, [*names, ""], strict=True)))


def current(name: str, text: str, found: Results) -> str:
    """A document's text with the figures of the results. Raises ValueError where a block or sentence is not there."""
    if name == PAGE:
        made = blocks(found)
        if [block[1] for block in BLOCK.finditer(text)] != [*made]:
            raise ValueError(f"{PAGE} has not the blocks {', '.join(made)}")
        text = BLOCK.sub(lambda block: f"<!-- figures: {block[1]} -->\n{made[block[1]]}<!-- end of figures -->", text)
    values = numbers(found)
    for place, sentence in SENTENCES:
        if place != name:
            continue
        match = _pattern(sentence).search(text)
        if match is None:
            raise ValueError(f"{name} does not say: {sentence}")
        for part in sorted(match.groupdict(), key=match.start, reverse=True):
            text = text[: match.start(part)] + values[part] + text[match.end(part) :]
    return text


def documents() -> Iterator[Path]:
    """Every file that may say how fast something is."""
    for pattern in READ:
        yield from sorted(ROOT.glob(pattern))


def outdated(found: Results) -> dict[Path, str]:
    """The files whose figures differ from the results, with what they should be."""
    names = [PAGE, *dict.fromkeys(name for name, _ in SENTENCES)]
    should = {ROOT / name: current(name, (ROOT / name).read_text(), found) for name in names}
    return {path: text for path, text in should.items() if path.read_text() != text}


def strays() -> list[str]:
    """Figures of performance that stand in no block and no sentence."""
    lines = []
    for path in documents():
        name = str(path.relative_to(ROOT))
        text = path.read_text()
        text = BLOCK.sub("", text) if name == PAGE else text
        for place, sentence in SENTENCES:
            text = _pattern(sentence).sub("", text) if place == name else text
        lines += [f"{name}: {match[0]}" for match in STRAY.finditer(text)]
    return lines


def main() -> int:
    for path, text in outdated(results()).items():
        path.write_text(text)
        print(f"written: {path.relative_to(ROOT)}")
    for line in strays():
        print(f"no result stands behind {line}")
    return int(bool(strays()))


if __name__ == "__main__":
    sys.exit(main())
