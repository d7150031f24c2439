"""The layers of the programme: what each runs in three tiers, and what it does not cover.

Owns one entry for each layer, by its number in the programme. A layer with a batch has campaigns: `batch` names a function
that takes a seed, returns counts, and raises at the first thing that is wrong. Never runs anything itself.
"""

from collections import Counter
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

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

    def run(self, seed: int) -> Counter[str]:
        module, name = self.batch.split(":")
        function: Callable[[int], Counter[str]] = getattr(import_module(module), name)
        return function(seed)


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
        14,
        "bytes that nobody meant",
        "agreement/test_programme.py",
        "no coverage guides the mutations; gateways do not exist",
        batch="programme.fuzz:fuzz",
        deep=1_500,
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
        21,
        "memory at a fixed population",
        "agreement/test_programme.py behaviour/api/test_dropped.py",
        "days on end; what the allocator keeps",
        batch="programme.streams:soak",
        deep=10,
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
        batch="programme.probes:stream",
        deep=3_000,
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
