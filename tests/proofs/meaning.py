"""What the trees mean: with integers, as the machine computes, and with unknowns, for the solver.

Owns the rules of C for the operators that the money floor uses. Every signed result has to fit its type: where it does not,
C promises nothing, and the run records a fault of its own kind ("undefined"). Unknowns are mathematical integers within the
bounds of their type, so the solver reasons about numbers and not about bits. A quotient is an unknown q with a rest r:
n = q * d + r, where r is smaller than d and has the sign of n.
Where C leaves a value open (a product that overflowed, a narrowing that loses bits) the model takes any value of the type:
what is proved of all of them holds for the real one.
"""

from collections.abc import Callable
from typing import Any

from proofs.text import TYPES, Function, Tree


class Undefined(Exception):
    """C promises nothing from here on."""


class Numbers:
    """Integers, as compiled."""

    def __init__(self) -> None:
        self.obligations: list[Any] = []  # of unknowns; numbers that break one raise

    def decide(self, condition: Any) -> bool:
        return bool(condition)

    def fits(self, value: int, bits: int) -> bool:
        return -(1 << bits - 1) <= value < 1 << bits - 1

    def oblige(self, holds: bool, what: str) -> None:
        if not holds:
            raise Undefined(what)

    def narrowed(self, value: int, bits: int) -> int:
        value &= (1 << bits) - 1
        return value - (1 << bits) if value >> bits - 1 else value

    open = narrowed

    def divided(self, n: int, d: int) -> tuple[int, int]:
        if d == 0:
            raise Undefined("division by zero")
        q = abs(n) // abs(d)
        q = q if (n < 0) == (d < 0) else -q
        return q, n - q * d

    def low_bit(self, value: int) -> int:
        return value & 1

    def whether(self, condition: Any, yes: int, no: int) -> int:
        return yes if condition else no

    def known(self, value: Any) -> int:
        return int(value)

    def floor_by(self, value: int, factor: int) -> int:
        return value // factor


class Machine:
    """Runs functions over a domain: Numbers here, or the solver's (proofs/solver.py)."""

    def __init__(self, functions: dict[str, Function], domain: Any):
        self.functions = functions
        self.domain = domain
        self.cells: list[Any] = []

    def call(self, name: str, given: list[Any]) -> Any:
        """The result of a function; a pointer is a cell of this machine. Wrong types are the caller's."""
        function = self.functions[name]
        names: dict[str, tuple[int, str]] = {}
        for (kind, term, pointer), value in zip(function.terms, given, strict=True):
            names[term] = (value, kind) if pointer else (self.cell(self.converted(value, kind)), kind)
        returned = self.block(function.body, names)
        if returned is None:
            return (0, "int")
        return (self.converted(returned, function.gives), function.gives)

    def cell(self, value: Any) -> int:
        self.cells.append(value)
        return len(self.cells) - 1

    def converted(self, typed: tuple[Any, str], kind: str) -> Any:
        value, given = typed
        if given == "bool":
            return self.domain.whether(value, 1, 0)
        return self.domain.narrowed(value, TYPES[kind]) if TYPES[kind] < TYPES[given] else value

    def block(self, body: list[Tree], names: dict[str, tuple[int, str]]) -> Any:
        for each in body:
            returned = getattr(self, "do_" + each[0])(names, *each[1:])
            if returned is not None:
                return returned
        return None

    # --- statements

    def do_decl(self, names: dict, kind: str, name: str, value: Tree | None) -> None:
        first = (0, kind) if value is None else self.value(value, names)
        names[name] = (self.cell(self.converted(first, kind)), kind)

    def do_set(self, names: dict, name: str, value: Tree) -> None:
        place, kind = names[name]
        self.cells[place] = self.converted(self.value(value, names), kind)

    do_setptr = do_set

    def do_if(self, names: dict, condition: Tree, body: list[Tree], otherwise: list[Tree]) -> Any:
        return self.block(body if self.truth(condition, names) else otherwise, dict(names))

    def do_while(self, names: dict, condition: Tree, body: list[Tree], _: list[Tree]) -> Any:
        while self.truth(condition, names):
            if (returned := self.block(body, dict(names))) is not None:
                return returned
        return None

    def do_for(self, names: dict, name: str, bounds: list[Tree], body: list[Tree]) -> Any:
        for at in range(*(self.domain.known(self.value(each, names)[0]) for each in bounds)):
            self.cells[names[name][0]] = at
            if (returned := self.block(body, dict(names))) is not None:
                return returned
        return None

    def do_ret(self, names: dict, value: Tree) -> Any:
        return self.value(value, names)

    def do_expr(self, names: dict, value: Tree) -> None:
        self.value(value, names)

    # --- expressions: (value, type); a comparison has the type "bool"

    def truth(self, condition: Tree, names: dict) -> bool:
        value, kind = self.value(condition, names)
        return self.domain.decide(value if kind == "bool" else value != 0)

    def value(self, tree: Tree, names: dict) -> tuple[Any, str]:
        return getattr(self, "on_" + tree[0])(names, *tree[1:])

    def on_num(self, names: dict, value: int) -> tuple[Any, str]:
        return value, "int" if value < 2**31 else "int64_t"

    def on_var(self, names: dict, name: str) -> tuple[Any, str]:
        if name not in names:
            return self.call(name, [])
        place, kind = names[name]
        return self.cells[place], kind

    on_deref = on_var

    def on_ref(self, names: dict, name: str) -> tuple[Any, str]:
        return names[name]

    def on_after(self, names: dict, name: str, step: int) -> tuple[Any, str]:
        place, kind = names[name]
        self.cells[place] += step
        return self.cells[place] - step, kind

    def on_cast(self, names: dict, kind: str, inner: Tree) -> tuple[Any, str]:
        return self.converted(self.value(inner, names), kind), kind

    def on_un(self, names: dict, op: str, inner: Tree) -> tuple[Any, str]:
        if op == "!":
            return (not self.truth(inner, names)), "bool"
        return self.checked(lambda one: -one, self.value(inner, names))

    def on_cond(self, names: dict, condition: Tree, yes: Tree, no: Tree) -> tuple[Any, str]:
        return self.value(yes if self.truth(condition, names) else no, names)

    def on_call(self, names: dict, name: str, given: list[Tree]) -> tuple[Any, str]:
        if name.startswith("__builtin_"):
            (a, _), (b, _), (place, kind) = (self.value(each, names) for each in given)
            exact = {"add": a + b, "sub": a - b, "mul": a * b}[name.split("_")[3]]
            fits = self.domain.fits(exact, TYPES[kind])
            fits = self.domain.decide(fits)
            self.cells[place] = exact if fits else self.domain.open(exact, TYPES[kind])
            return not fits, "bool"
        values, terms = [], self.functions[name].terms
        for each, (_, _, pointer) in zip(given, terms, strict=True):
            found = names[each[1]] if pointer else self.value(each, names)
            values.append(found[0] if pointer else found)
        return self.call(name, values)

    def on_bin(self, names: dict, op: str, left: Tree, right: Tree) -> tuple[Any, str]:
        if op in ("&&", "||"):
            first = self.truth(left, names)
            return (first if first == (op == "||") else self.truth(right, names)), "bool"
        a, b = self.value(left, names), self.value(right, names)
        if op in COMPARE:
            return COMPARE[op](self.plain(a), self.plain(b)), "bool"
        if op in ("/", "%"):
            kind = self.common(a, b)
            quotient, rest = self.domain.divided(self.plain(a), self.plain(b))
            self.domain.oblige(self.domain.fits(quotient, TYPES[kind]), "a quotient beyond its type")
            return (quotient if op == "/" else rest), kind
        if op == "&":
            if right != ("num", 1):
                raise Undefined("only the lowest bit is understood")
            return self.domain.low_bit(self.plain(a)), a[1]
        if op in ("<<", ">>"):
            factor = 1 << self.domain.known(self.plain(b))
            if op == "<<":
                return self.checked(lambda one: one * factor, a)
            self.domain.oblige(self.plain(a) >= 0, "a negative number is shifted")
            return self.domain.floor_by(self.plain(a), factor), a[1]
        return self.checked(ARITHMETIC[op], a, b)

    def plain(self, typed: tuple[Any, str]) -> Any:
        return self.domain.whether(typed[0], 1, 0) if typed[1] == "bool" else typed[0]

    def common(self, *typed: tuple[Any, str]) -> str:
        return max((kind if kind != "bool" else "int" for _, kind in typed), key=lambda kind: TYPES[kind])

    def checked(self, operation: Callable[..., Any], *typed: tuple[Any, str]) -> tuple[Any, str]:
        kind = self.common(*typed)
        found = operation(*map(self.plain, typed))
        self.domain.oblige(self.domain.fits(found, TYPES[kind]), f"a result beyond {kind}")
        return found, kind


COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip
ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b}
