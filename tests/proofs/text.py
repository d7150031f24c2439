"""The text of the money floor as trees: the C of ext/solvent/_core/base/money.pxd, and Cython functions of a few words.

Owns the small part of both languages that this text uses; anything else is refused, so that no word is passed over. Trees are
tuples. Expressions: num, var, bin, un, cast, call, ref, deref, cond. Statements: decl, set, setptr, if, ret, expr, while.
"""

import ast
import re
from typing import Any, NamedTuple

from support.places import CORE

Tree = tuple[Any, ...]
TYPES = {"int64_t": 64, "int32_t": 32, "int": 32, "solvent_i128": 128, "int128": 128, "bint": 32}
LEVELS = ["||", "&&", "|", "^", "&", "== !=", "< > <= >=", "<< >>", "+ -", "* / %"]
LEVEL = {op: level for level, ops in enumerate(LEVELS) for op in ops.split()}
TOKEN = re.compile(r"\s*(?:(\d+)(?:LL|L)?|(\w+)|(\+\+|--|\+=|-=|\*=|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%<>=!&|^(){},;?:]))")


class Function(NamedTuple):
    """A function: what it gives, its parameters as (type, name, is a pointer), its statements."""

    gives: str
    terms: list[tuple[str, str, bool]]
    body: list[Tree]


class Unread(Exception):
    """Text beyond the part of the language that is understood."""


class Reader:
    """Reads C from tokens, by precedence."""

    def __init__(self, text: str):
        self.tokens: list[str] = []
        at = 0
        while text[at:].strip():
            found = TOKEN.match(text, at)
            if not found:
                raise Unread(text[at : at + 60])
            self.tokens.append(found[1] or found[2] or found[3])
            at = found.end()
        self.at = 0

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        if wanted and token != wanted:
            raise Unread(f"{wanted} is not {' '.join(self.tokens[self.at : self.at + 8])}")
        self.at += 1
        return token

    def given(self, token: str) -> bool:
        if self.peek() == token:
            self.at += 1
            return True
        return False

    def expression(self, level: int = 0) -> Tree:
        if level == len(LEVELS):
            return self.unary()
        left = self.expression(level + 1)
        while LEVEL.get(self.peek()) == level:
            left = ("bin", self.take(), left, self.expression(level + 1))
        if level == 0 and self.given("?"):
            yes = self.expression()
            self.take(":")
            return ("cond", left, yes, self.expression())
        return left

    def unary(self) -> Tree:
        token = self.take()
        if token in ("-", "!"):
            return ("un", token, self.unary())
        if token in ("*", "&"):
            return ("deref" if token == "*" else "ref", self.take())
        if token == "(":
            if self.peek() in TYPES:
                kind = self.take()
                self.take(")")
                return ("cast", kind, self.unary())
            inner = self.expression()
            self.take(")")
            return inner
        if token.isdigit():
            return ("num", int(token))
        if not re.fullmatch(r"[A-Za-z_]\w*", token):
            raise Unread(token)
        if self.given("("):
            given = []
            while not self.given(")"):
                given.append(self.expression())
                self.given(",")
            return ("call", token, given)
        if self.given("--"):
            return ("after", token, -1)
        return ("var", token)

    def block(self) -> list[Tree]:
        if not self.given("{"):
            return self.statement()
        found = []
        while not self.given("}"):
            found += self.statement()
        return found

    def statement(self) -> list[Tree]:
        if self.peek() in TYPES:
            kind, found = self.take(), []
            while True:
                name = self.take()
                found.append(("decl", kind, name, self.expression() if self.given("=") else None))
                if not self.given(","):
                    break
            self.take(";")
            return found
        if self.given("if") or self.given("while"):
            word = self.tokens[self.at - 1]
            self.take("(")
            condition = self.expression()
            self.take(")")
            body = self.block()
            return [(word, condition, body, self.block() if self.given("else") else [])]
        if self.given("return"):
            found = [("ret", self.expression())]
        elif self.peek() == "*" and self.peek(2) == "=":
            self.take()
            name = self.take()
            self.take()
            found = [("setptr", name, self.expression())]
        elif self.peek(1) in ("=", "+=", "-=", "*="):
            name, op = self.take(), self.take()
            value = self.expression()
            found = [("set", name, value if op == "=" else ("bin", op[0], ("var", name), value))]
        else:
            found = [("expr", self.expression())]
        self.take(";")
        return found


def money_text() -> str:
    """The C of the money floor, as it is compiled."""
    return re.search(r'"""(.*?)"""', (CORE / "base" / "money.pxd").read_text(), re.DOTALL)[1]


def functions_of_c(text: str) -> dict[str, Function]:
    """All functions; macros with arguments are put in, those without become functions of none."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    found = {"INT64_MAX": constant(2**63 - 1), "INT64_MIN": constant(-(2**63))}
    macros = re.findall(r"(?m)^\s*#define (\w+)\((\w+), (\w+)\) (.*)$", text)
    text = re.sub(r"(?m)^\s*(#|typedef).*$", "", text)
    for name, one, two, body in macros:
        put = lambda m, b=body, o=one, t=two: re.sub(rf"\b({o}|{t})\b", lambda x: m[1] if x[1] == o else m[2], b)  # noqa: E731
        text = re.sub(rf"\b{name}\((\w+), (\w+)\)", lambda m, put=put: f"({put(m)})", text)
    reader = Reader(text)
    while reader.peek():
        reader.take("static")
        reader.take("inline")
        gives, name, terms = reader.take(), reader.take(), []
        reader.take("(")
        while not reader.given(")"):
            kind, pointer = reader.take(), reader.given("*")
            terms.append((kind, reader.take(), pointer))
            reader.given(",")
        found[name] = Function(gives, terms, reader.block())
    return found


def constant(value: int) -> Function:
    return Function("int64_t", [], [("ret", ("num", value))])


# --- Cython


def cython_text(path: str, name: str) -> str:
    """One function of a Cython file, without its docstring."""
    text = (CORE / path).read_text()
    found = re.search(rf"(?ms)^cdef (?:inline )?[\w*]+ {name}\(.*?(?=^\S|\Z)", text)
    if not found:
        raise Unread(f"no {name} in {path}")
    return re.sub(r'\s*""".*?"""', "", found[0], count=1, flags=re.DOTALL)


def function_of_cython(text: str) -> Function:
    """A function of plain statements; declarations become those of C, casts a call."""
    gives, name, terms = re.match(r"cdef (?:inline )?(\w+) (\w+)\((.*?)\) noexcept nogil:", text).groups()
    body = re.sub(r"<(int128|int64_t|int)>\s*(\w+\([^()]*\)|\w+)", r"CAST_\1(\2)", text.partition("nogil:\n")[2])
    body = re.sub(r"(?m)^(\s+)cdef (\w+) (\w+)( = )?", lambda m: f"{m[1]}{m[3]}: {m[2]}{m[4] or ''}", body)
    tree = ast.parse("def f():\n" + body).body[0]
    parsed = [(each.split()[0].rstrip("*"), each.split()[-1], "*" in each) for each in terms.split(", ")]
    return Function(gives, parsed, [each for node in tree.body for each in _statement(node)])


OPS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.LShift: "<<", ast.RShift: ">>", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">",
       ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}  # fmt: skip


def _statement(node: ast.stmt) -> list[Tree]:
    match node:
        case ast.AnnAssign(ast.Name(name), ast.Name(kind), value):
            return [("decl", kind, name, _expression(value) if value else None)]
        case ast.Assign([ast.Name(name)], value):
            return [("set", name, _expression(value))]
        case ast.Assign([ast.Subscript(ast.Name(name), ast.Constant(0))], value):
            return [("setptr", name, _expression(value))]
        case ast.AugAssign(ast.Name(name), op, value):
            return [("set", name, ("bin", OPS[type(op)], ("var", name), _expression(value)))]
        case ast.If(test, body, orelse):
            parts = [[each for node in part for each in _statement(node)] for part in (body, orelse)]
            return [("if", _expression(test), *parts)]
        case ast.While(test, body, []):
            return [("while", _expression(test), [each for node in body for each in _statement(node)], [])]
        case ast.For(ast.Name(name), ast.Call(ast.Name("range"), [start, stop, step]), body, []):
            return [("for", name, [_expression(each) for each in (start, stop, step)],
                     [each for node in body for each in _statement(node)])]  # fmt: skip
        case ast.Return(value) if value:
            return [("ret", _expression(value))]
    raise Unread(ast.dump(node))


def _expression(node: ast.expr) -> Tree:
    match node:
        case ast.Constant(int(value)):
            return ("num", value)
        case ast.Name(name):
            return ("var", name)
        case ast.BinOp(left, op, right) if type(op) in OPS:
            return ("bin", OPS[type(op)], _expression(left), _expression(right))
        case ast.Compare(left, [op], [right]) if type(op) in OPS:
            return ("bin", OPS[type(op)], _expression(left), _expression(right))
        case ast.UnaryOp(ast.USub(), operand):
            return ("un", "-", _expression(operand))
        case ast.IfExp(test, yes, no):
            return ("cond", _expression(test), _expression(yes), _expression(no))
        case ast.Call(ast.Name(name), given) if name.startswith("CAST_"):
            return ("cast", name.removeprefix("CAST_"), _expression(given[0]))
        case ast.Call(ast.Name(name), given):
            return ("call", name, [_expression(each) for each in given])
    raise Unread(ast.dump(node))
