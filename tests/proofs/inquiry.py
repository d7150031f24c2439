"""A property over numbers: what an inquiry offers, and the search for numbers that break a property of a mutant.

Owns `refute`. The inquiry over unknowns is in proofs/solver.py; nothing here needs the solver.
"""

from collections.abc import Iterable
from random import Random
from typing import Any

from proofs.meaning import Machine, Numbers, Undefined
from proofs.properties import Property
from proofs.text import Function

EDGES = [0, 1, 2, 3, 5, 7, 10, 1000, 10**9, 2**31 - 1, 2**31, 2**32, 2**53, 10**18, 2**62 - 1, 2**62, 2**63 - 2, 2**63 - 1]


class Refused(Exception):
    """These numbers do not meet the assumptions."""


class Refuted(Exception):
    """These numbers break a claim."""


class Inquiry:
    """What is common: calls of the text."""

    def __init__(self, functions: dict[str, Function], domain: Any):
        self.machine = Machine(functions, domain)
        self.domain = domain

    def call(self, name: str, *given: Any, fault: Any = 0) -> Any:
        """The result, with the fault where the function has one."""
        terms = self.machine.functions[name].terms
        typed: list[Any] = [(value, terms[at][0]) for at, value in enumerate(given)]
        if len(terms) == len(given):
            return self.machine.call(name, typed)[0]
        cell = self.machine.cell(fault)
        result = self.machine.call(name, [*typed, cell])[0]
        return result, self.machine.cells[cell]

    def scaled(self, n: Any, decimals: int) -> tuple[Any, ...]:
        cells = [self.machine.cell(0) for _ in range(3)]
        self.machine.call("before", [(n, "int128"), (decimals, "int32_t"), *cells])
        return tuple(self.machine.cells[each] for each in cells)

    def bits(self) -> int:
        return self.machine.functions["ROOT_BITS"].body[0][1][1]

    def int64(self, name: str) -> Any:
        return self.number(name, -(2**63), 2**63 - 1)

    def int128(self, name: str) -> Any:
        return self.number(name, -(2**127), 2**127 - 1)

    def wide(self, name: str) -> Any:
        return self.number(name, -(2**200), 2**200)

    def same(self, one: tuple, other: tuple) -> list[Any]:
        return [a == b for a, b in zip(one, other, strict=True)]

    def number(self, name: str, low: int, high: int) -> Any:
        raise NotImplementedError


class OfNumbers(Inquiry):
    """One trial with numbers: given ones, or drawn near the edges."""

    def __init__(self, functions: dict[str, Function], random: Random, given: list[int] | None = None):
        super().__init__(functions, Numbers())
        self.random, self.given, self.drawn = random, given, []

    def number(self, name: str, low: int, high: int) -> int:
        r = self.random
        if self.given is not None:
            value = self.given[len(self.drawn)]
        else:
            kind = r.randrange(4)
            value = r.choice(EDGES) * r.choice((1, -1)) + r.choice((-1, 0, 0, 1))
            if kind == 1:
                value = r.randint(-20, 20)
            elif kind == 2:
                value = r.getrandbits(r.randrange(1, max(2, high.bit_length() + 1))) * r.choice((1, -1))
            elif kind == 3:
                value = r.choice((low, high, low + 1, high - 1))
            value = min(high, max(low, value))
        self.drawn.append(value)
        return value

    def each(self, values: Iterable[int]) -> Iterable[int]:
        yield self.random.choice(list(values)) if self.given is None else self.number("each", 0, 0)

    def assume(self, *conditions: bool) -> None:
        if not all(conditions):
            raise Refused

    def claim(self, *conditions: bool) -> None:
        if not all(conditions):
            raise Refuted(self.drawn)

    def use(self, _: bool) -> None: ...

    def quotients(self) -> list[Any]:
        return []

    def fifth(self, x: int) -> int:
        return x**5

    def round(self, n: int, root: int, bit: int) -> int:
        return self.call("round", n, root, bit)

    all = staticmethod(lambda *each: all(each))
    any = staticmethod(lambda *each: any(each))
    no = staticmethod(lambda one: not one)
    implies = staticmethod(lambda one, other: not one or other)


def refute(prop: Property, functions: dict[str, Function], seed: int = 1, trials: int = 50_000) -> list[int] | None:
    """Numbers for which a property of a mutant does not hold."""
    random = Random(seed)
    for _ in range(trials):
        inquiry = OfNumbers(functions, random)
        try:
            prop.holds(inquiry)
        except Refused:
            continue
        except (Refuted, Undefined):
            return inquiry.drawn
    return None
