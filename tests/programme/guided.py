"""Commands that coverage guides: mutants of sessions at a core with sanitizers, kept where they reach a new edge (layer 15).

Owns the map of edges, and the corpus of one run. A run is a process of its own, with the build "sanitize". Its input is
written down before it is played, so what ends the process is there: build/sanitize/seed-N. A seed gives the same run again:
Python's hashes and the places of libraries are fixed.
"""

import ctypes
import json
import pickle
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from programme import builds
from programme.fuzz import begun, mutate, whole
from programme.streams import drawn
from support.places import ROOT

LONGEST, STEPS = 48, 20  # commands of an input; inputs between two full checks
ADDR_NO_RANDOMIZE = 0x0040000
TIMES = np.array([0, 1, 2, 4, *([8] * 4), *([16] * 8), *([32] * 16), *([64] * 96), *([128] * 128)], "u1")  # how often: a bit


def bred(r: Random, corpus: list[list[bytes]], session: list[bytes]) -> list[bytes]:
    """A child of one input or two."""
    parts = list(r.choice(corpus))
    for _ in range(r.choice((1, 1, 2, 4))):
        kind, at = r.randrange(7), r.randrange(len(parts))
        if kind < 3:
            parts[at] = mutate(r, parts[at], session)
        elif kind < 5:
            parts[at:at] = [r.choice(session)]
        elif kind == 5 and len(parts) > 1:
            del parts[at]
        else:
            other = r.choice(corpus)
            parts[at:] = other[r.randrange(len(other)) :] or parts[at:]
    return parts[:LONGEST]


def played(ex, parts: list[bytes], r: Random, note: Path) -> list[bytes]:
    """Plays an input, each record made whole or left alone; the records as they were played."""
    kernel, done = ex._kernel, []
    for data in parts:
        done.append(whole(r, data, kernel.clock_ns) if r.random() < 0.9 else data)
        note.write_bytes(b"".join(struct.pack("<I", len(each)) + each for each in done))
        kernel.apply(done[-1])
    return done


def hunt(seed: int, inputs: int, edges: np.ndarray) -> Counter[str]:
    """Inputs to forks of one exchange; those that reach what none did before are bred from. What is kept is checked whole:
    every clause, the digest, and a copy that goes through an image."""
    r, session = Random(seed), drawn(seed, 300)
    ex, note = begun(seed, session, 60), builds.place("sanitize") / f"seed-{seed}"
    corpus, seen, commands = [session[60:80], session[80:100]], np.zeros(builds.EDGES, "u1"), 0
    for n in range(inputs):
        edges[:] = 0
        fork = ex.fork()
        parts = played(fork, bred(r, corpus, session), r, note)
        commands += len(parts)
        new = TIMES[edges] & ~seen
        if new.any():
            seen |= new
            corpus.append(parts)
        if new.any() or n % STEPS == 0:
            fork.check()
            assert pickle.loads(pickle.dumps(fork)).digest() == fork.digest(), (
                f"guided: seed {seed}, input {n}: an image differs"
            )
    note.unlink()
    return Counter(inputs=inputs, commands=commands, kept=len(corpus), edges=int(np.count_nonzero(seen)))


def guided(seed: int, inputs: int = 400) -> Counter[str]:
    """One run in a process of its own. Raises AssertionError with the report of whoever ended it."""
    builds.build("sanitize")
    around = builds.environment("sanitize") | {"PYTHONHASHSEED": "0"}
    fixed = ctypes.CDLL(None).personality
    asked = [sys.executable, __file__, str(seed), str(inputs)]
    done = subprocess.run(
        asked, cwd=ROOT, env=around, capture_output=True, text=True, check=False, preexec_fn=lambda: fixed(ADDR_NO_RANDOMIZE)
    )
    assert done.returncode == 0, f"guided: seed {seed} ended with {done.returncode}:\n{done.stderr[-3_000:]}"
    return Counter(json.loads(done.stdout))


if __name__ == "__main__":
    found = (ctypes.c_ubyte * builds.EDGES).in_dll(ctypes.CDLL(str(builds.recorder())), "solvent_edges")
    print(json.dumps(hunt(int(sys.argv[1]), int(sys.argv[2]), np.ctypeslib.as_array(found))))
