"""A property over unknowns: assumptions, and one path through the text at a time, which the solver judges.

Owns the translation of the operators into z3 terms, the walk over all paths, and `prove`. A condition that is not decided by
what is assumed goes both ways, one after the other.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import z3

from proofs.inquiry import Inquiry
from proofs.meaning import Numbers
from proofs.properties import Property
from proofs.text import Function

LONG = 24  # decisions; the longest way without a loop has fewer


class Infeasible(Exception):
    """No input takes this path."""


class Unknowns(Numbers):
    """One path: conditions are decided by a script of choices, and noted as assumptions. Known numbers stay numbers."""

    def __init__(self, script: list[int]):
        super().__init__()
        self.script = script
        self.taken: list[tuple[int, int]] = []  # choice, of how many
        self.assumed: list[Any] = []
        self.quotients: dict[tuple[int, int], tuple[Any, ...]] = {}
        self.count = 0

    def unknown(self, name: str, low: int, high: int) -> Any:
        self.count += 1
        term = z3.Int(f"{name}.{self.count}")
        self.assumed += [term >= low, term <= high]
        return term

    def of_bits(self, name: str, bits: int) -> Any:
        return self.unknown(name, -(1 << bits - 1), (1 << bits - 1) - 1)

    def choose(self, count: int) -> int:
        at = len(self.taken)
        choice = self.script[at] if at < len(self.script) else 0
        self.taken.append((choice, count))
        return choice

    def decide(self, condition: Any) -> bool:
        if isinstance(condition, bool):
            return condition
        condition = z3.simplify(condition)
        if z3.is_true(condition) or z3.is_false(condition):
            return z3.is_true(condition)
        choice = self.choose(2)
        self.assumed.append(z3.Not(condition) if choice else condition)
        if len(self.taken) > LONG:  # a loop: nobody goes round where nobody can be
            solver = z3.Solver()
            solver.add(*self.assumed)
            if solver.check() == z3.unsat:
                raise Infeasible
        return not choice

    def fits(self, value: Any, bits: int) -> Any:
        if isinstance(value, int):
            return super().fits(value, bits)
        return z3.And(value >= -(1 << bits - 1), value < 1 << bits - 1)

    def oblige(self, holds: Any, what: str) -> None:
        if isinstance(holds, bool):
            super().oblige(holds, what)
            return
        self.obligations.append((list(self.assumed), holds, what, len(self.taken)))
        self.assumed.append(holds)

    def narrowed(self, value: Any, bits: int) -> Any:
        """The value where it fits, else any other of the type: the lowest bits are some number of it."""
        if isinstance(value, int):
            return super().narrowed(value, bits)
        term = self.of_bits("narrow", bits)
        self.assumed.append(z3.Implies(self.fits(value, bits), term == value))
        return term

    def open(self, value: Any, bits: int) -> Any:
        return self.of_bits("open", bits)

    def divided(self, n: Any, d: Any) -> tuple[Any, Any]:
        if isinstance(n, int) and isinstance(d, int):
            return super().divided(n, d)
        n, d = (z3.IntVal(each) if isinstance(each, int) else each for each in (n, d))
        key = n.get_id(), d.get_id()
        if key not in self.quotients:
            self.oblige(d != 0, "division by zero")
            self.count += 1
            q, r = z3.Int(f"quotient.{self.count}"), z3.Int(f"rest.{self.count}")
            size = z3.If(d < 0, -d, d)
            self.assumed += [n == q * d + r, z3.If(n >= 0, z3.And(r >= 0, r < size), z3.And(r <= 0, -r < size))]
            self.quotients[key] = q, r, n, d  # n and d are kept, so that their ids stay theirs
        return self.quotients[key][0], self.quotients[key][1]

    def low_bit(self, value: Any) -> Any:
        return value % 2

    def whether(self, condition: Any, yes: int, no: int) -> Any:
        return super().whether(condition, yes, no) if isinstance(condition, bool) else z3.If(condition, yes, no)

    def floor_by(self, value: Any, factor: int) -> Any:
        return value / factor if z3.is_expr(value) else value // factor


class OfUnknowns(Inquiry):
    """One path with unknowns; claims are noted with what is assumed so far."""

    power = z3.Function("fifth", z3.IntSort(), z3.IntSort())

    def __init__(self, functions: dict[str, Function], script: list[int]):
        super().__init__(functions, Unknowns(script))
        self.claims: list[tuple[list[Any], Any, str, int]] = []
        self.inputs: list[Any] = []

    def number(self, name: str, low: int, high: int) -> Any:
        self.inputs.append(self.domain.unknown(name, low, high))
        return self.inputs[-1]

    def each(self, values: Iterable[int]) -> Iterable[int]:
        values = list(values)
        yield values[self.domain.choose(len(values))]

    def assume(self, *conditions: Any) -> None:
        self.domain.assumed += conditions

    use = assume

    def claim(self, *conditions: Any) -> None:
        self.claims += [(list(self.domain.assumed), each, "the claim", len(self.domain.taken)) for each in conditions]

    def quotients(self) -> list[Any]:
        return [each[0] for each in self.domain.quotients.values()]

    def fifth(self, x: Any) -> Any:
        return self.power(x)

    def round(self, n: Any, root: Any, bit: int) -> Any:
        """The test of a round is used as `fifth root tests the fifth power` proves it."""
        found = self.call("round", n, root, bit)
        trial = root + 2**bit
        for quotient, _, of, by in self.domain.quotients.values():
            test, proved = trial * trial * (trial * trial) <= quotient, self.power(trial) <= n
            self.use(z3.Implies(z3.And(of == n, by == trial), test == proved))
        return found

    all = staticmethod(z3.And)
    any = staticmethod(z3.Or)
    no = staticmethod(z3.Not)
    implies = staticmethod(z3.Implies)


def paths(prop: Property, functions: dict[str, Function]) -> Iterable[OfUnknowns]:
    """Every way through the text."""
    scripts: list[list[int]] = [[]]
    while scripts:
        script = scripts.pop()
        inquiry = OfUnknowns(functions, script)
        with suppress(Infeasible):
            prop.holds(inquiry)
        taken = inquiry.domain.taken
        for at in range(len(script), len(taken)):
            scripts += [[choice for choice, _ in taken[:at]] + [other] for other in range(1, taken[at][1])]
        yield inquiry


def holds(assumed: list[Any], claim: Any, timeout_ms: int) -> str:
    """Whether a claim follows: "proved", "refuted", or "unknown" when the time is over."""
    solver = z3.Solver()
    solver.set("timeout", timeout_ms)
    solver.add(*assumed, z3.Not(claim) if z3.is_expr(claim) else z3.BoolVal(not claim))
    return {"unsat": "proved", "sat": "refuted"}.get(str(solver.check()), "unknown")


def prove(prop: Property, functions: dict[str, Function], timeout_ms: int = 60_000) -> tuple[str, int]:
    """Whether a property holds for all inputs, undefined behaviour excluded; and how many queries it took."""
    asked = 0
    for inquiry in paths(prop, functions):
        for assumed, claim, what, decided in [*inquiry.domain.obligations, *inquiry.claims]:
            if decided < len(inquiry.domain.script):  # before this path left another one, where it was asked
                continue
            asked += 1
            verdict = holds(assumed, claim, timeout_ms)
            if verdict != "proved":
                return f"{verdict}: {what}, on path {[choice for choice, _ in inquiry.domain.taken]}", asked
    return "proved", asked
