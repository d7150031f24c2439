"""`make prove`: every property of the money floor over all inputs, and the mutant that each one kills.

The model is made from the text of the core each time, so a change of the text changes what is proved. First the model is held
against the compiled functions on random numbers and edges. Prints a table, and with --write keeps it in result.json, with the
hash of the text; a test fails when the text has another one. Exit 1 if anything is not proved, or a mutant lives.
"""

import argparse
import ctypes
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from proofs import inquiry as trials
from proofs import models, text
from proofs.meaning import Undefined

RESULT = Path(__file__).parent / "result.json"
AGREE = 20_000  # inputs of each function

HARNESS = """
typedef struct {{ int64_t value; int32_t fault; }} answer;
#define N(x) (((__int128)x##1 << 64) | (unsigned __int128)(uint64_t)x##0)
{functions}
"""


def fingerprint() -> str:
    """The hash of every text that is proved."""
    return hashlib.sha256("\0".join(f"{key}\n{value}" for key, value in sorted(models.texts().items())).encode()).hexdigest()


def compiled(folder: Path) -> ctypes.CDLL:
    """The C of the money floor as a library: each function takes its numbers in halves of 64 bits."""
    parts = []
    for name, function in text.functions_of_c(text.money_text()).items():
        if not name.startswith("solvent_") or name == "solvent_fault":
            continue
        terms = [each for each in function.terms if not each[2]]
        given = ", ".join(f"int64_t a{i}0, int64_t a{i}1" for i in range(len(terms)))
        passed = ", ".join(f"({kind})N(a{i})" for i, (kind, _, _) in enumerate(terms)) + (
            ", &f" if len(terms) < len(function.terms) else ""
        )
        parts.append(
            f"void try_{name}({given}, int64_t *out, int32_t fault) {{ int32_t f = fault; __int128 v = {name}({passed});"
            " out[0] = (int64_t)v; out[1] = (int64_t)(v >> 64); out[2] = f; }"
        )
    source = folder / "money.c"
    source.write_text(text.money_text() + HARNESS.format(functions="\n".join(parts)))
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", str(folder / "money.so"), str(source)], check=True)
    return ctypes.CDLL(str(folder / "money.so"))


def halves(value: int) -> list[ctypes.c_int64]:
    return [ctypes.c_int64(value & 2**64 - 1), ctypes.c_int64(value >> 64)]


def agreement(count: int, seed: int = 1) -> int:
    """Compares the model with the compiled functions; returns how many inputs were compared. Where C promises nothing they
    need not agree, and are not compared."""
    compared, functions, random = 0, models.as_compiled(), Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        library = compiled(Path(folder))
        for name, function in functions.items():
            run = getattr(library, f"try_{name}", None) if name.startswith("solvent_") else None
            if run is None:
                continue
            terms, out = [each for each in function.terms if not each[2]], (ctypes.c_int64 * 3)()
            for _ in range(count):
                inquiry = trials.OfNumbers(functions, random)
                given = [
                    inquiry.number("", 0, 18) if kind == "int" else inquiry.number("", *bounds(kind)) for kind, _, _ in terms
                ]
                if "128" in name and given[1] <= 0:
                    given[1] = abs(given[1]) % 2**127 or 1
                try:
                    said = inquiry.call(name, *given)
                except Undefined:
                    continue
                run(*[half for each in given for half in halves(each)], out, ctypes.c_int32(0))
                found = ((out[1] << 64) | (out[0] & 2**64 - 1), out[2])
                assert found == (said if isinstance(said, tuple) else (said, 0)), (
                    f"{name}{tuple(given)}: {found} is not {said}"
                )
                compared += 1
    return compared


def bounds(kind: str) -> tuple[int, int]:
    bits = text.TYPES[kind]
    return -(1 << bits - 1), (1 << bits - 1) - 1


def judged(prop, timeout_ms: int) -> dict:
    """One row of the table. A mutant is killed where numbers show that the property does not hold, and the solver does not
    prove it of the mutant."""
    from proofs.solver import prove

    begun = time.process_time()
    verdict, queries = prove(prop, models.as_compiled(), timeout_ms)
    row = {"property": prop.name, "says": prop.says, "verdict": verdict, "queries": queries}
    row["seconds"] = round(time.process_time() - begun, 2)
    if prop.place != "lemma":
        wrong = models.functions(models.mutated(prop.place, *prop.mutant))
        found = trials.refute(prop, wrong)
        killed = found is not None and prove(prop, wrong, min(timeout_ms, 5_000))[0] != "proved"
        row |= {"mutant": " ".join(f"{prop.mutant[0]} -> {prop.mutant[1]}".split()), "killed": killed, "by": str(found)}
    return row


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="keep the result in tests/proofs/result.json")
    parser.add_argument("--only", default="", help="properties whose name has this in it")
    parser.add_argument("--timeout", type=float, default=60, help="seconds for one query")
    asked = parser.parse_args()
    try:
        import z3
    except ImportError:
        raise SystemExit("the proofs need z3: pip install 'solvent[prove]'") from None
    from proofs.properties import PROPERTIES

    begun = time.process_time()
    compared = agreement(AGREE)
    print(f"the model agrees with the compiled functions on {compared:,} inputs", flush=True)
    rows = []
    for prop in PROPERTIES:
        if asked.only not in prop.name:
            continue
        row = judged(prop, int(1000 * asked.timeout))
        rows.append(row)
        mark = (
            ""
            if "killed" not in row
            else "  kills: " + row["mutant"]
            if row["killed"]
            else "  THE MUTANT LIVES: " + row["mutant"]
        )
        print(f"{row['property']:46} {row['verdict']:8} {row['seconds']:7.2f} s{mark[:110]}", flush=True)
    fine = all(row["verdict"] == "proved" and row.get("killed", True) for row in rows)
    total = round(time.process_time() - begun, 1)
    print(f"{sum(row['verdict'] == 'proved' for row in rows)} of {len(rows)} proved, "
          f"{sum(row.get('killed', False) for row in rows)} mutants killed, {total} s")  # fmt: skip
    if asked.write and not asked.only:
        told = {"text": fingerprint(), "solver": f"z3 {z3.get_version_string()}", "compared": compared, "seconds": total}
        RESULT.write_text(json.dumps(told | {"rows": rows}, indent=1) + "\n")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
