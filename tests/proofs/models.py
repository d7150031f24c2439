"""The models: the functions of each text, and of a mutant of it.

Owns which text a property is about, and how the fifth root is taken apart: what comes before its loop, one round, and the
test of a round. All of it is read from the text each time; nothing is written down twice.
"""

import re
from functools import cache

from proofs.text import CORE, Function, constant, cython_text, function_of_cython, functions_of_c, money_text

INLINE = ("min64", "max64", "clamp", "magnitude")


def texts() -> dict[str, str]:
    """Every text that is proved."""
    header, valuation = (CORE / "base/money.pxd").read_text(), (CORE / "contract/valuation.pyx").read_text()
    inline = "\n\n".join(cython_text("base/money.pxd", name).rstrip() + "\n" for name in INLINE)
    bits = re.search(r"ROOT_BITS = \d+", valuation)[0]
    return {
        "money": money_text(), "inline": inline, "names": "\n".join(re.findall(r'(?m)^    \w+ (\w+ "solvent_\w+")', header)),
        "root": bits + "\n" + cython_text("contract/valuation.pyx", "_fifth_root"),
    }  # fmt: skip


def mutated(place: str, was: str, now: str) -> dict[str, str]:
    """The texts with one piece changed, which has to be there."""
    found = texts()
    if found[place].count(was) < 1:
        raise ValueError(f"the text of {place} no longer says {was!r}; choose another mutant")
    return found | {place: found[place].replace(was, now, 1)}


def functions(of: dict[str, str]) -> dict[str, Function]:
    """All functions of the texts."""
    found = dict(functions_of_c(of["money"]))
    for line in of["names"].splitlines():
        alias, name = line.replace('"', "").split()
        if name in found:
            found[alias] = found[name]
    for text in re.split(r"\n\n+(?=cdef)", of["inline"]):
        found[re.search(r"(\w+)\(", text)[1]] = function_of_cython(text)
    bits, _, root = of["root"].partition("\n")
    found["ROOT_BITS"] = constant(int(bits.split("=")[1]))
    return found | parts_of_root(function_of_cython(root))


def parts_of_root(root: Function) -> dict[str, Function]:
    """The fifth root in parts. Its form is checked: declarations, the scaling, one loop over bits, then the scale."""
    kinds = [each[0] for each in root.body]
    at = kinds.index("for")
    if kinds.count("for") != 1 or kinds[at:] != ["for", "setptr", "ret"] or root.body[-1] != ("ret", ("var", "root")):
        raise ValueError("the fifth root has another form; take it apart anew")
    loop, declared = root.body[at], [each for each in root.body[:at] if each[0] == "decl"]
    if loop[1:3] != (
        "bit",
        [("bin", "-", ("var", "ROOT_BITS"), ("num", 1)), ("un", "-", ("num", 1)), ("un", "-", ("num", 1))],
    ):
        raise ValueError("the bits of the fifth root run otherwise")
    first, square, test = loop[3]
    names = [each for each in declared if each[2] in ("square", "trial")]  # in this order
    out = [("setptr", f"out_{name}", ("var", name)) for name in ("n", "shift", "digits")]
    pointers = [("int128", "out_n", True), ("int", "out_shift", True), ("int", "out_digits", True)]
    return {
        "_fifth_root": root,
        "before": Function("int", [*root.terms[:2], *pointers], [*root.body[:at], *out, ("ret", ("num", 0))]),
        "round": Function(
            "int64_t", [root.terms[0], ("int64_t", "root", False), ("int", "bit", False)],
            [*names, first, square, test, ("ret", ("var", "root"))],
        ),
        "test": Function(
            "int", [root.terms[0], ("int64_t", "trial", False)],
            [names[0], square, ("if", test[1], [("ret", ("num", 1))], []), ("ret", ("num", 0))],
        ),
    }  # fmt: skip


@cache
def as_compiled() -> dict[str, Function]:
    return functions(texts())
