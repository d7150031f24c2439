"""Layouts and numbers: the core, this package and NumPy say the same (docs/reference/records.md)."""

import re

import numpy as np
import pytest

from solvent import codes, records
from solvent._core.base import money as core_money
from solvent._core.base import schema as core
from solvent.schema import words
from solvent.schema.header import PYTHON_ONLY
from support.places import ROOT


@pytest.mark.parametrize("kind", ["command", "event", "extension", "terms"])
def test_layouts_are_equal(kind):
    compiled = core.layout()[kind]
    assert compiled == records.layout(kind)
    described = records.dtype(kind)
    assert described.itemsize == records.RECORD_BYTES
    assert {name: (described.fields[name][1], described.fields[name][0].itemsize) for name in described.names} == {
        name: place for name, place in compiled.items() if name
    }


def test_numbers_are_equal():
    ours = {}
    for name in words.__all__:
        ours |= {member.name: int(member) for member in getattr(words, name) if name not in PYTHON_ONLY}
    ours |= {code.name: int(code) for code in codes.Code}
    assert core.numbers() == ours


def test_every_code_has_a_hint_and_a_band():
    assert set(codes.HINTS) == set(codes.Code)
    assert all(code == 0 or 100 <= code < 700 for code in codes.Code)


def test_payload_names_every_used_field():
    for kind, names in records.PAYLOAD.items():
        assert set(names.values()) <= set(records.EVENT_FIELDS), kind
        assert len(set(names.values())) == len(names), kind


def test_the_worksheet_lists_every_field_and_number():
    """docs/reference/records.md is the frozen worksheet; a field or type that it does not name does not exist."""
    page = (ROOT / "docs" / "reference" / "records.md").read_text()
    for kind in ("command", "event", "extension", "terms"):
        for name, (offset, size) in records.layout(kind).items():
            assert not name or f"| `{name}` | {offset} | {size} |" in page, name
    for family in (records.CommandType, records.EventType):
        for member in family:
            assert re.search(rf"\| {int(member)} \| {member.name} ", page), member
    for code in codes.Code:
        assert f"| {int(code)} | {code.name} |" in page, code


def test_rounded_quotients(seed):
    """128-bit products against Python's integers, signs and edges included; beyond 64 bits it faults."""
    rng = np.random.default_rng(seed)
    edges = [0, 1, -1, 2**31, -(2**31), 2**62, -(2**62), 2**63 - 1, -(2**63)]
    numbers = edges + [
        int(n) >> int(s) for n, s in zip(rng.integers(-(2**63), 2**63, 60), rng.integers(0, 63, 60), strict=True)
    ]
    tried = 0
    for a in numbers:
        for b in numbers:
            for c in (1, 2, 3, 10**9, 10**9 - 500_000, 2**62, 2**63 - 1):
                floor, ceil = a * b // c, -(-a * b // c)
                expected = {"floor": floor, "ceil": ceil, "trunc": floor if a * b >= 0 else ceil}
                for rounding, want in expected.items():
                    tried += 1
                    if -(2**63) <= want < 2**63:
                        assert core_money.mul_div(a, b, c, rounding) == want
                    else:
                        with pytest.raises(OverflowError):
                            core_money.mul_div(a, b, c, rounding)
    assert tried > 90_000
    for c in (0, -1):
        with pytest.raises(OverflowError):
            core_money.mul_div(1, 1, c, "floor")
