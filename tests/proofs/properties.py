"""What the money floor promises, as properties over all inputs, each with a mutant of the text that breaks it.

Owns the statements. A property takes an inquiry `q`, draws inputs from it, calls functions of the text and claims. The same
property runs over unknowns, where the solver looks for an exception, and over numbers, where a mutant has to show one.
`q.use` hands the solver an instance of a lemma that is a property of its own (the first two).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

MAX, MIN = 2**63 - 1, -(2**63)
WIDE = 2**126  # bound of the numerators of half_even: "for results that are known to fit"


class Property(NamedTuple):
    name: str
    says: str
    holds: Callable[[Any], None]
    mutant: tuple[str, str]
    """A piece of the text, and what a mutant has in its place."""
    place: str = "money"
    """Which text: "money" (C), "inline" (Cython beside it), "root" (the fifth root)."""


PROPERTIES: list[Property] = []


def prop(says: str, was: str, now: str, place: str = "money"):
    def note(function):
        PROPERTIES.append(Property(function.__name__.replace("_", " "), says, function, (was, now), place))
        return function

    return note


def fits(value):
    return (value >= MIN, value <= MAX)


# --- Lemmas about products, which the solver is told where it needs them


def grows(q, x, y, c):
    """An instance of: of two numbers times the same c >= 0, the larger gives no less."""
    q.use(q.implies(q.all(c >= 0, x >= y), x * c >= y * c))


@prop("c >= 0 and x >= y give x * c >= y * c", "-", "-", place="lemma")
def lemma_products_grow(q):
    x, y, c = q.wide("x"), q.wide("y"), q.wide("c")
    q.assume(c >= 0, x >= y)
    q.claim((x - y) * c >= 0)


# --- Sums, differences, products

EXACT = {"add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b}


def checked(op: str, other: str) -> None:
    exact, name = EXACT[op], f"solvent_{op}"
    builtin, wrong = f"__builtin_{op}_overflow(a, b, &r)", f"__builtin_{other}_overflow(a, b, &r)"

    def is_exact(q):
        a, b = q.int64("a"), q.int64("b")
        result, fault = q.call(name, a, b)
        q.claim(q.implies(fault == 0, result == exact(a, b)), q.implies(fault != 0, result == 0))

    def is_flagged(q):
        a, b = q.int64("a"), q.int64("b")
        _, fault = q.call(name, a, b)
        fine = q.all(*fits(exact(a, b)))
        q.claim(q.implies(fine, fault == 0), q.implies(q.no(fine), fault == 1))

    def keeps_the_first_fault(q):
        a, b, before = q.int64("a"), q.int64("b"), q.number("before", 1, 2**31 - 1)
        _, fault = q.call(name, a, b, fault=before)
        q.claim(fault == before)

    flag = "there is a fault exactly where the result does not fit 64 bits"
    for function, says, was, now in (
        (is_exact, "the result is exact, or 0 with a fault", builtin, wrong),
        (is_flagged, flag, f"({builtin}) {{ solvent_fault(fault);", f"({builtin}) {{"),
        (keeps_the_first_fault, "an earlier fault stays", "if (*fault == 0) *fault = 1", "*fault = 1"),
    ):  # fmt: skip
        PROPERTIES.append(Property(f"{op} {function.__name__.replace('_', ' ')}", says, function, (was, now)))


for pair in (("add", "sub"), ("sub", "add"), ("mul", "add")):
    checked(*pair)


@prop("a + b is b + a, with the same fault", "__builtin_add_overflow(a, b, &r)", "__builtin_sub_overflow(a, b, &r)")
def add_commutes(q):
    a, b = q.int64("a"), q.int64("b")
    q.claim(*q.same(q.call("solvent_add", a, b), q.call("solvent_add", b, a)))


@prop("a * b is b * a, with the same fault", "__builtin_mul_overflow(a, b, &r)", "__builtin_sub_overflow(a, b, &r)")
def mul_commutes(q):
    a, b = q.int64("a"), q.int64("b")
    q.claim(*q.same(q.call("solvent_mul", a, b), q.call("solvent_mul", b, a)))


@prop("what was added comes off again", "__builtin_sub_overflow(a, b, &r)", "__builtin_add_overflow(a, b, &r)")
def sub_undoes_add(q):
    a, b = q.int64("a"), q.int64("b")
    total, fault = q.call("solvent_add", a, b)
    q.assume(fault == 0)
    q.claim(*q.same(q.call("solvent_sub", total, b), (a, 0)))


# --- From 128 bits to 64


@prop("a number that fits stays; another is a fault and 0", "v != (solvent_i128)(int64_t)v", "v == (solvent_i128)(int64_t)v")
def narrow_is_exact_or_a_fault(q):
    v = q.int128("v")
    result, fault = q.call("solvent_narrow", v)
    fine = q.all(*fits(v))
    q.claim(q.implies(fine, q.all(result == v, fault == 0)), q.implies(q.no(fine), q.all(result == 0, fault == 1)))


@prop(
    "a number that fits stays",
    "v < (solvent_i128)INT64_MIN) return INT64_MIN",
    "v < (solvent_i128)INT64_MIN) return INT64_MAX",
)
def saturate_ends_at_the_bounds(q):
    v = q.int128("v")
    result = q.call("solvent_saturate", v)
    q.claim(q.implies(v > MAX, result == MAX), q.implies(v < MIN, result == MIN))


@prop("a number that fits stays", "return (int64_t)v; }\n\n", "return INT64_MAX; }\n\n")
def saturate_keeps_what_fits(q):
    v = q.int128("v")
    q.assume(*fits(v))
    q.claim(q.call("solvent_saturate", v) == v)


@prop(
    "a larger number never gives less",
    "v > (solvent_i128)INT64_MAX) return INT64_MAX",
    "v > (solvent_i128)INT64_MAX) return INT64_MIN",
)
def saturate_is_monotone(q):
    v, w = q.int128("v"), q.int128("w")
    q.assume(v <= w)
    q.claim(q.call("solvent_saturate", v) <= q.call("solvent_saturate", w))


@prop(
    "a sum of three that fits is exact",
    "!__builtin_add_overflow(r, c, &r)) return r",
    "!__builtin_sub_overflow(r, c, &r)) return r",
)
def total_is_exact(q):
    a, b, c = q.int64("a"), q.int64("b"), q.int64("c")
    q.assume(*fits(a + b + c))
    q.claim(q.call("solvent_total", a, b, c) == a + b + c)


@prop("a sum of three beyond 64 bits is the bound", "(solvent_i128)a + b + c", "(solvent_i128)a + b - c")
def total_ends_at_the_bounds(q):
    a, b, c = q.int64("a"), q.int64("b"), q.int64("c")
    found = q.call("solvent_total", a, b, c)
    q.claim(q.implies(a + b + c > MAX, found == MAX), q.implies(a + b + c < MIN, found == MIN))


# --- Quotients of 128 bits


def divided(q):
    n, c = q.int128("n"), q.int128("c")
    q.assume(c > 0)
    return n, c


@prop(
    "q * c <= n < q * c + c",
    "return q - (n % c < 0); }\n    static inline solvent_i128 solvent_ceil128",
    "return q; }\n    static inline solvent_i128 solvent_ceil128",
)
def floor128_rounds_down(q):
    n, c = divided(q)
    found = q.call("solvent_floor128", n, c)
    q.claim(found * c <= n, n - found * c < c)


@prop("q * c - c < n <= q * c", "return q + (n % c > 0); }\n\n", "return q - (n % c < 0); }\n\n")
def ceil128_rounds_up(q):
    n, c = divided(q)
    found = q.call("solvent_ceil128", n, c)
    q.claim(found * c >= n, found * c - n < c)


@prop("the short way of 64 bits gives the same", "return a / b - (a % b < 0)", "return a / b - (a % b <= 0)")
def floor128_is_exact_where_c_divides(q):
    k, c = q.int64("k"), q.int64("c")
    q.assume(c > 0)
    q.claim(q.call("solvent_floor128", k * c, c) == k)


@prop("the short way of 64 bits gives the same", "return a / b + (a % b > 0)", "return a / b + (a % b >= 0)")
def ceil128_is_exact_where_c_divides(q):
    k, c = q.int64("k"), q.int64("c")
    q.assume(c > 0)
    q.claim(q.call("solvent_ceil128", k * c, c) == k)


@prop("ceil - floor is 0 or 1", "return q + (n % c > 0); }\n\n", "return q + 2 * (n % c > 0); }\n\n")
def floor128_and_ceil128_are_neighbours(q):
    n, c = divided(q)
    low, high = q.call("solvent_floor128", n, c), q.call("solvent_ceil128", n, c)
    q.claim(low <= high, high <= low + 1)


@prop("floor(-n) is -ceil(n)", "return a / b + (a % b > 0)", "return a / b + (a % b != 0)")
def floor128_mirrors_ceil128(q):
    n, c = divided(q)
    q.assume(n > -(2**127))
    q.claim(q.call("solvent_floor128", -n, c) == -q.call("solvent_ceil128", n, c))


@prop(
    "a larger numerator never gives less",
    "return q - (n % c < 0); }\n    static inline solvent_i128 solvent_ceil128",
    "return q + (n % c < 0); }\n    static inline solvent_i128 solvent_ceil128",
)
def floor128_is_monotone(q):
    n, c = divided(q)
    m = q.int128("m")
    q.assume(n <= m)
    low, high = q.call("solvent_floor128", n, c), q.call("solvent_floor128", m, c)
    grows(q, low, high + 1, c)
    q.claim(low <= high)


# --- To the nearest


def nearest(q):
    n, d = q.number("n", -WIDE, WIDE), q.number("d", 1, WIDE)
    fine = q.all(n < MAX * d, n > MIN * d)
    q.assume(fine)
    return n, d, q.call("solvent_half_even", n, d)


@prop("twice the distance is at most d", "rest > d - rest ||", "rest < d - rest ||")
def half_even_is_nearest(q):
    n, d, found = nearest(q)
    q.claim(2 * (n - found * d) <= d, 2 * (found * d - n) <= d)


@prop("a half goes to the even one", "&& (q & 1)", "&& !(q & 1)")
def half_even_of_a_half_is_even(q):
    n, d, found = nearest(q)
    q.claim(q.implies(q.any(2 * (n - found * d) == d, 2 * (found * d - n) == d), found % 2 == 0))


@prop("n = k * d gives k", "rest > d - rest ||", "rest >= 0 ||")
def half_even_is_exact_where_d_divides(q):
    k, d = q.number("k", -(2**62), 2**62), q.number("d", 1, 2**63)
    q.claim(q.call("solvent_half_even", k * d, d) == k)


@prop("-n gives the mirrored one, where both fit", "(rest == d - rest && (q & 1))", "rest == d - rest")
def half_even_mirrors(q):
    n, d, found = nearest(q)
    q.assume(found > MIN)
    mirrored = q.call("solvent_half_even", -n, d)
    for one in q.quotients():
        for other in q.quotients():
            grows(q, one + other, 1, d), grows(q, -2, one + other, d)
    q.claim(mirrored == -found)


# --- a * b / c

ROUNDED = {  # (name, what r * c and a * b must satisfy, the exact one does not fit)
    "floor": (lambda r, n, c: (r * c <= n, n - r * c < c), lambda n, c: (n >= (MAX + 1) * c, n < MIN * c)),
    "ceil": (lambda r, n, c: (r * c >= n, r * c - n < c), lambda n, c: (n > MAX * c, n <= (MIN - 1) * c)),
    "trunc": (None, lambda n, c: (n >= (MAX + 1) * c, n <= (MIN - 1) * c)),
}


def parts(q, positive: bool = True):
    a, b, c = q.int64("a"), q.int64("b"), q.int64("c")
    if positive:
        q.assume(c > 0)
    return a, b, c


def rounding(kind: str, direction: tuple[str, str], wide: tuple[str, str]) -> None:
    name, (bounds, beyond) = f"solvent_{kind}", ROUNDED[kind]

    def is_exact(q):
        a, b, c = parts(q)
        result, fault = q.call(name, a, b, c)
        n = a * b
        if bounds:
            q.claim(q.implies(fault == 0, q.all(*bounds(result, n, c))))
        else:
            up = q.all(result * c <= n, n - result * c < c)
            down = q.all(result * c >= n, result * c - n < c)
            q.claim(q.implies(q.all(fault == 0, n >= 0), up), q.implies(q.all(fault == 0, n <= 0), down))

    def is_flagged(q):
        a, b, c = parts(q)
        _, fault = q.call(name, a, b, c)
        too_far = q.any(*beyond(a * b, c))
        for bound in (MAX + 1, MAX, MIN, MIN - 1):
            for each in q.quotients():
                grows(q, each, bound, c)
                grows(q, bound, each, c)
        q.claim(q.implies(too_far, fault == 1), q.implies(q.no(too_far), fault == 0))

    def refuses_what_is_not_positive(q):
        a, b, c = parts(q, positive=False)
        q.assume(c <= 0)
        q.claim(*q.same(q.call(name, a, b, c), (0, 1)))

    def keeps_the_first_fault(q):
        a, b, c = parts(q, positive=False)
        before = q.number("before", 1, 2**31 - 1)
        _, fault = q.call(name, a, b, c, fault=before)
        q.claim(fault == before)

    def does_not_mind_the_order(q):
        a, b, c = parts(q)
        q.claim(*q.same(q.call(name, a, b, c), q.call(name, b, a, c)))

    def of_a_share_never_overflows(q):
        a, b, c = parts(q)
        q.assume(b >= 0, b <= c)
        result, fault = q.call(name, a, b, c)
        grows(q, c, b, a), grows(q, c, b, -a)
        for each in q.quotients():
            grows(q, each, a + 1, c), grows(q, a - 1, each, c), grows(q, each, MAX + 1, c), grows(q, MIN - 1, each, c)
        q.claim(
            fault == 0, q.implies(a >= 0, q.all(result >= 0, result <= a)), q.implies(a <= 0, q.all(result <= 0, result >= a))
        )

    def is_monotone(q):
        a, b, c = parts(q)
        more = q.int64("more")
        q.assume(b >= 0, a <= more)
        (low, fault), (high, other) = q.call(name, a, b, c), q.call(name, more, b, c)
        q.assume(fault == 0, other == 0)
        grows(q, more, a, b), grows(q, low, high + 1, c)
        q.claim(low <= high)

    def of_a_whole_is_the_whole(q):
        a, c = q.int64("a"), q.int64("c")
        q.assume(c > 0)
        q.claim(*q.same(q.call(name, a, c, c), (a, 0)))

    head = f"solvent_{kind}(int64_t a, int64_t b, int64_t c, int32_t *fault) {{\n        int64_t n;\n        "
    zero = "if (c <= 0) { solvent_fault(fault); return 0; }"
    narrow, other = "if (v != (solvent_i128)(int64_t)v) { solvent_fault(fault); return 0; }", zero.replace
    flag = f"there is a fault exactly where the {kind} does not fit 64 bits"
    for function, says, was, now in (
        (is_exact, f"the result is the {kind} of a * b / c", *direction),
        (is_flagged, flag, narrow, narrow.replace("solvent_fault(fault); ", "")),
        (refuses_what_is_not_positive, "c <= 0 is a fault and 0", head + zero, head + other("<=", "<")),
        (keeps_the_first_fault, "an earlier fault stays", "if (*fault == 0) *fault = 1", "*fault = 1"),
        (does_not_mind_the_order, "a and b may be swapped", wide[0], wide[1]),
        (of_a_share_never_overflows, "0 <= b <= c gives no fault and at most a", head + zero, head + other("0)", "b)")),
        (is_monotone, "b >= 0 and a larger a never give less", *direction),
        (of_a_whole_is_the_whole, "a * c / c is a, without a fault", head + zero, head + other("0)", "1)")),
    ):  # fmt: skip
        PROPERTIES.append(Property(f"{kind} {function.__name__.replace('_', ' ')}", says, function, (was, now)))


rounding("floor", ("int64_t q = n / c; return q - (n % c < 0); }", "int64_t q = n / c; return q + (n % c < 0); }"),
         ("solvent_floor128((solvent_i128)a * b, c)", "solvent_floor128((solvent_i128)a * c, c)"))  # fmt: skip
rounding("ceil", ("int64_t q = n / c; return q + (n % c > 0); }", "int64_t q = n / c; return q - (n % c > 0); }"),
         ("solvent_ceil128((solvent_i128)a * b, c)", "solvent_ceil128((solvent_i128)a * c, c)"))  # fmt: skip
rounding("trunc", ("return n / c;", "return n / c + (n % c == 1) - (n % c == 2);"),
         ("narrow((solvent_i128)a * b / c, fault)", "narrow((solvent_i128)a * a / c, fault)"))  # fmt: skip


@prop(
    "floor(-a, b, c) is -ceil(a, b, c)",
    "return solvent_narrow(solvent_ceil128((solvent_i128)a * b, c), fault)",
    "return solvent_narrow(solvent_floor128((solvent_i128)a * b, c), fault)",
)
def floor_mirrors_ceil(q):
    a, b, c = parts(q)
    q.assume(a > MIN)
    (low, fault), (high, other) = q.call("solvent_floor", -a, b, c), q.call("solvent_ceil", a, b, c)
    q.assume(fault == 0, other == 0)
    grows(q, low, -high + 1, c), grows(q, -high, low + 1, c)
    q.claim(low == -high)


@prop("trunc(-a, b, c) is -trunc(a, b, c)", "return n / c;", "return n / c - (n % c < 0);")
def trunc_mirrors_itself(q):
    a, b, c = parts(q)
    q.assume(a > MIN)
    (low, fault), (high, other) = q.call("solvent_trunc", -a, b, c), q.call("solvent_trunc", a, b, c)
    q.assume(fault == 0, other == 0)
    grows(q, low, -high + 1, c), grows(q, -high, low + 1, c)
    q.claim(low == -high)


@prop(
    "ceil - floor is 0 or 1",
    "int64_t q = n / c; return q + (n % c > 0); }",
    "int64_t q = n / c; return q + 2 * (n % c > 0); }",
)
def floor_and_ceil_are_neighbours(q):
    a, b, c = parts(q)
    (low, fault), (high, other) = q.call("solvent_floor", a, b, c), q.call("solvent_ceil", a, b, c)
    q.assume(fault == 0, other == 0)
    grows(q, low, high + 1, c), grows(q, high, low + 2, c)
    q.claim(low <= high, high <= low + 1)


@prop("floor <= trunc <= ceil", "return n / c;", "return n / c + (n % c < 0);")
def trunc_lies_between(q):
    a, b, c = parts(q)
    low, cut, high = (q.call(f"solvent_{kind}", a, b, c) for kind in ("floor", "trunc", "ceil"))
    q.assume(low[1] == 0, cut[1] == 0, high[1] == 0)
    for x, y in ((low[0], cut[0]), (cut[0], high[0])):
        grows(q, x, y + 1, c)
    q.claim(low[0] <= cut[0], cut[0] <= high[0])


@prop("10**n for n from 0 to 18", "p *= 10", "p *= 2")
def power10_is_exact(q):
    for n in range(19):
        q.claim(q.call("solvent_power10", n) == 10**n)


# --- The Cython beside it


@prop(
    "the lesser one, and one of both",
    "a if a < b else b\n\n\ncdef inline int64_t max64",
    "b if a < b else a\n\n\ncdef inline int64_t max64",
    "inline",
)
def min64_is_the_lesser(q):
    a, b = q.int64("a"), q.int64("b")
    found = q.call("min64", a, b)
    q.claim(found <= a, found <= b, q.any(found == a, found == b))


@prop("the greater one, and one of both", "a if a > b else b", "a if a < b else b", "inline")
def max64_is_the_greater(q):
    a, b = q.int64("a"), q.int64("b")
    found = q.call("max64", a, b)
    q.claim(found >= a, found >= b, q.any(found == a, found == b))


@prop(
    "within the bounds, and the value where it lies within",
    "high if value > high else value",
    "high if value > low else value",
    "inline",
)
def clamp_stays_within(q):
    value, low, high = q.int64("value"), q.int64("low"), q.int64("high")
    q.assume(low <= high)
    found = q.call("clamp", value, low, high)
    q.claim(found >= low, found <= high, q.implies(q.all(value >= low, value <= high), found == value))


@prop(
    "never negative, and of the same size; all but the smallest integer",
    "-value if value < 0 else value",
    "-value if value < 1000 else value",
    "inline",
)
def magnitude_has_no_sign(q):
    value = q.int64("value")
    q.assume(value > MIN)
    found = q.call("magnitude", value)
    q.claim(found >= 0, q.any(found == value, found == -value))


# --- The fifth root: the loop of the text, one round for each bit, and what it starts and ends with

ROOT = 26  # bits


@prop(
    "the test of a round is trial**5 <= n",
    "square * square <= floor128(n, trial)",
    "square * square < floor128(n, trial)",
    "root",
)
def fifth_root_tests_the_fifth_power(q):
    n, trial = q.number("n", 0, 2**127 - 1), q.number("trial", 1, 2**ROOT - 1)
    second, fourth = trial * trial, trial * trial * (trial * trial)
    grows(q, 2**ROOT, trial, trial), grows(q, 2**ROOT, trial, 2**ROOT), grows(q, 2 ** (2 * ROOT), second, second)
    grows(q, 2 ** (2 * ROOT), second, 2 ** (2 * ROOT))
    found = q.call("test", n, trial)
    for quotient in q.quotients():
        grows(q, fourth, quotient + 1, trial), grows(q, quotient, fourth, trial)
    q.claim(q.implies(found == 1, fourth * trial <= n), q.implies(found == 0, fourth * trial > n))


@prop("root**5 <= n < (root + 2**(bit + 1))**5 gives the same for the next bit", "root = trial", "root = trial + 1", "root")
def fifth_root_keeps_its_bounds(q):
    for bit in q.each(range(ROOT - 1, -1, -1)):
        n, root = q.number("n", 0, 2**127 - 1), q.number("root", 0, 2**ROOT - 2 ** (bit + 1))
        q.assume(q.fifth(root) <= n, n < q.fifth(root + 2 ** (bit + 1)))
        found = q.round(n, root, bit)
        q.claim(q.fifth(found) <= n, n < q.fifth(found + 2**bit), found >= 0, found <= 2**ROOT - 2**bit)


@prop("n < 2**127 <= (0 + 2**26)**5: the first round begins right", "ROOT_BITS = 26", "ROOT_BITS = 25", "root")
def fifth_root_begins_wide_enough(q):
    n = q.number("n", 0, 2**127 - 1)
    q.claim(n < (2 ** q.bits()) ** 5)


@prop("the scaled notional is as large as fits, by a power of 2**5", "n <= limit >> 5", "n <= limit >> 6", "root")
def fifth_root_scales_by_fifth_powers(q):
    for decimals in q.each(range(19)):
        n = q.number("n", 1, MAX)
        scaled, shift, digits = q.scaled(n, decimals)
        exact = n * 10 ** (5 * digits - decimals)
        q.claim(scaled > (2**127 - 1) // 32, scaled <= 2**127 - 1, scaled == exact * 2 ** (5 * shift), digits * 5 >= decimals)
