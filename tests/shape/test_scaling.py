"""benchmarks/scaling.py in small: its cases run, and do the same twice. `make bench` measures them."""

import pytest

import scaling


@pytest.mark.parametrize("case", scaling.CASES, ids=lambda case: case.name)
def test_a_case_of_the_benchmark_runs(case):
    """At three sizes, the smallest that say something; the digest of what was done is the same for the same work."""
    small = scaling.Case(case.name, max(2, case.size // 50), case.prepare, case.flat)
    (found,), digest = scaling.measure([small], 2, 1)
    print(f"{case.name}: digest {digest}")
    assert all(time > 0 for time in found[1])
    assert scaling.measure([small], 2, 1)[1] == digest
