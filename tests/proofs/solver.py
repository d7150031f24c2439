"""The solver's domain: unknown integers, assumptions, and one path through the text at a time.

Owns the translation of the operators into z3 terms, and the walk over all paths: a condition that is not decided by what is
assumed goes both ways, one after the other.
"""

from typing import Any

import z3


class Unknowns:
    """One path: conditions are decided by a script of choices, and noted as assumptions."""

    def __init__(self, script: list[bool], timeout_ms: int = 60_000):
        self.script, self.taken = script, []
        self.assumed: list[Any] = []
        self.obligations: list[tuple[list[Any], Any, str]] = []
        self.quotients: dict[tuple[int, int], tuple[Any, Any]] = {}
        self.count = 0

    def unknown(self, name: str, low: int, high: int) -> Any:
        self.count += 1
        term = z3.Int(f"{name}.{self.count}")
        self.assumed += [term >= low, term <= high]
        return term

    def of_bits(self, name: str, bits: int) -> Any:
        return self.unknown(name, -(1 << bits - 1), (1 << bits - 1) - 1)

    def decide(self, condition: Any) -> bool:
        condition = z3.simplify(condition) if z3.is_expr(condition) else z3.BoolVal(condition)
        if z3.is_true(condition) or z3.is_false(condition):
            return z3.is_true(condition)
        at = len(self.taken)
        choice = self.script[at] if at < len(self.script) else True
        self.taken.append(choice)
        self.assumed.append(condition if choice else z3.Not(condition))
        return choice

    def fits(self, value: Any, bits: int) -> Any:
        return z3.And(value >= -(1 << bits - 1), value < 1 << bits - 1)

    def oblige(self, holds: Any, what: str) -> None:
        self.obligations.append((list(self.assumed), holds, what))
        self.assumed.append(holds if z3.is_expr(holds) else z3.BoolVal(holds))

    def narrowed(self, value: Any, bits: int) -> Any:
        """The value where it fits, else any other of the type: the lowest bits are some number of it."""
        term = self.of_bits("narrow", bits)
        self.assumed.append(z3.Implies(self.fits(value, bits), term == value))
        return term

    def open(self, value: Any, bits: int) -> Any:
        return self.of_bits("open", bits)

    def divided(self, n: Any, d: Any) -> tuple[Any, Any]:
        n, d = (z3.IntVal(each) if isinstance(each, int) else each for each in (n, d))
        key = n.get_id(), d.get_id()
        if key not in self.quotients:
            self.oblige(d != 0, "division by zero")
            self.count += 1
            q, r = z3.Int(f"quotient.{self.count}"), z3.Int(f"rest.{self.count}")
            size = z3.If(d < 0, -d, d)
            self.assumed += [n == q * d + r, z3.If(n >= 0, z3.And(r >= 0, r < size), z3.And(r <= 0, -r < size))]
            self.quotients[key] = q, r, n, d
        return self.quotients[key][:2]

    def low_bit(self, value: Any) -> Any:
        return value % 2

    def whether(self, condition: Any, yes: int, no: int) -> Any:
        return (yes if condition else no) if isinstance(condition, bool) else z3.If(condition, yes, no)

    def known(self, value: Any) -> int:
        return value if isinstance(value, int) else z3.simplify(value).as_long()

    def floor_by(self, value: Any, factor: int) -> Any:
        return value / factor if z3.is_expr(value) else value // factor
