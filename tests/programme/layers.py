"""The layers of the programme: what each runs in three tiers, and what it does not cover.

Owns one entry for each layer, by its number in the programme. A layer with a batch has campaigns: `batch` names a function
that takes a seed, returns counts, and raises at the first thing that is wrong. Never runs anything itself.
"""

from collections import Counter
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

UNDER_SANITIZERS = ("-k", "not reference", "tests/behaviour", "tests/attacks", "tests/agreement")
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")


class Layer(NamedTuple):
    """One kind of test."""

    number: int
    name: str
    push: str
    """What `make test` runs of it: files below tests/, or words where it is a command of its own."""
    uncovered: str
    """What it does not show."""
    batch: str = ""
    """module:function of one seed."""
    deep: int = 0
    """Seeds of the batch in `make deep`."""
    command: tuple[str, ...] = ()
    """Words for Python that `make deep` runs besides."""
    seeds: int = 0
    """Seeds that there are, where they end."""
    judge: str = ""
    """module:function of the counts of `make deep`: what is missing in them."""

    def run(self, seed: int) -> Counter[str]:
        function: Callable[[int], Counter[str]] = _named(self.batch)
        return function(seed)

    def missing(self, counts: Counter[str]) -> str:
        return _named(self.judge)(counts) if self.judge else ""


def _named(place: str) -> Any:
    module, name = place.split(":")
    return getattr(import_module(module), name)


LAYERS = [
    Layer(
        1,
        "unit tests, both kernels",
        "behaviour/ attacks/ published/",
        "order is drawn in `make deep` alone",
        command=(*PYTEST, "--shuffle", "1", "tests/behaviour", "tests/attacks"),
    ),
    Layer(
        2,
        "tables with clause codes",
        "published/ shape/test_clauses.py",
        "examples are venues' and tests' own; no scenario files with a clause for each row",
    ),
    Layer(
        3,
        "core against readable kernel",
        "agreement/test_twins.py",
        "what both kernels get wrong alike",
        batch="programme.streams:differential",
        deep=1_500,
    ),
    Layer(
        4,
        "auditor",
        "behind layers 1, 3, 5, 6",
        "what events do not tell",
        command=(*PYTEST, "tests/agreement/test_auditor.py"),
    ),
    Layer(
        5,
        "every short sequence",
        "agreement/test_programme.py",
        "longer sequences, and words outside the vocabulary",
        batch="programme.exhaustive:block",
        deep=40,
        seeds=332,
    ),
    Layer(
        6,
        "swarm of shapes",
        "agreement/test_programme.py",
        "faults of storage: layers 9 to 12",
        batch="programme.streams:swarm",
        deep=500,
    ),
    Layer(
        7,
        "machines of Hypothesis",
        "agreement/test_programme.py",
        "floors without a machine: contract (proofs and closed forms), and the words that no rule says",
        batch="programme.machines:machines",
        deep=100,
    ),
    Layer(
        8,
        "the same stream, told otherwise",
        "agreement/test_programme.py",
        "other versions of Python than the installed one",
        batch="programme.streams:determinism",
        deep=60,
    ),
    Layer(
        9,
        "crashes on a fake disk",
        "behaviour/store/test_crashes.py",
        "what a real disk does that the fake one does not",
        command=("tests/support/crashes.py", "--points", "20000"),
    ),
    Layer(
        10,
        "writers that are killed",
        "behaviour/store/test_processes.py",
        "power that is lost: a killed process keeps its page cache",
        command=("tests/support/kills.py", "--kills", "2000"),
    ),
    Layer(
        11,
        "damaged files",
        "attacks/test_journal.py attacks/test_snapshot.py agreement/test_programme.py",
        "damage of two files at once",
        batch="programme.damage:damage",
        deep=300,
    ),
    Layer(
        12,
        "full disks and bad ones",
        "behaviour/store/test_crashes.py behaviour/store/test_processes.py",
        "disks that are slow, and file systems of their own: they need an administrator",
    ),
    Layer(
        13,
        "journals of earlier builds",
        "agreement/test_journals.py",
        "builds older than the golden journals and the previous commit",
        command=("tests/programme/previous.py",),
    ),
    Layer(
        14,
        "bytes that nobody meant",
        "agreement/test_programme.py",
        "no coverage guides these mutations (layer 15); the inputs of gateways",
        batch="programme.fuzz:fuzz",
        deep=1_500,
    ),
    Layer(
        15,
        "commands that coverage guides",
        "–",
        "images and files: what reads them is fuzzed without guidance (layers 9, 11, 14)",
        batch="programme.guided:guided",
        deep=60,
    ),
    Layer(
        16,
        "hostile values in every field",
        "agreement/test_programme.py behaviour/api/test_odd_values.py",
        "two odd fields at once: layer 14 mutates several",
    ),
    Layer(
        17,
        "bounds of the arithmetic",
        "shape/test_proofs.py shape/test_records.py",
        "that callers heed the fault: layers 3 and 20 look at that",
        command=("tests/proofs/prove.py",),
    ),
    Layer(
        20,
        "sanitizers",
        "–",
        "leaks of Python itself; memory that is read before it is written",
        command=("tests/programme/builds.py", "sanitize", *UNDER_SANITIZERS),
    ),
    Layer(
        21,
        "memory at a fixed population",
        "agreement/test_programme.py behaviour/api/test_dropped.py",
        "days on end; what the allocator keeps",
        batch="programme.streams:soak",
        deep=10,
    ),
    Layer(
        22,
        "lines and branches that are reached",
        "–",
        "paths: a line that is reached is not one that is right",
        command=("tests/programme/lines.py",),
    ),
    Layer(
        23,
        "wrong lines where money moves",
        "agreement/test_twins.py",
        "lines that say nothing of lots or money",
        command=("tests/support/mutate.py",),
    ),
    Layer(
        24,
        "planted bugs",
        "shape/test_programme.py",
        "bugs that are in both kernels alike",
        command=("tests/programme/planted.py",),
    ),
    Layer(
        25,
        "rare states, named",
        "agreement/test_programme.py",
        "states that nobody has named",
        batch="programme.probes:both",
        deep=250,
        judge="programme.probes:scarce",
    ),
    Layer(
        26,
        "histories told otherwise",
        "agreement/test_programme.py agreement/test_symmetry.py",
        "relations hold only where nothing rounds, or the order of numbers stays",
        batch="programme.relations:relations",
        deep=1_000,
    ),
]
BY_NUMBER = {layer.number: layer for layer in LAYERS}
