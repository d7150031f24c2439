"""Cost of a message against the size of the book, 100 to 1,000,000 resting orders: a table, its figures and a picture.

python benchmarks/sizes.py [--rounds 3] writes benchmarks/results/sizes.json and draws docs/book-size.png of it, which needs
matplotlib and carries the digest of the figures.
"""

import argparse
import gc
import hashlib
import json

from bench import commit, machine, today
from contenders import cut, play_solvent, play_yardstick
from flows import Flow, deep, near
from native import HERE, ROOT

SIZES = [100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000]
MESSAGES = 200_000
PICTURE = ROOT / "docs" / "book-size.png"
RESULT = HERE / "results" / "sizes.json"


def cost(flow: Flow, rounds: int) -> tuple[float, float]:
    """Nanoseconds a message of solvent and of the yardstick, minima of rounds in turn."""
    batches = cut(flow)
    ours, theirs = [], []
    for _ in range(rounds):
        gc.collect()
        ours.append(play_solvent(batches)[0] / MESSAGES)
        theirs.append(play_yardstick(batches) / MESSAGES)
    return min(ours), min(theirs)


def source() -> str:
    """What the picture is drawn from."""
    return hashlib.sha256(RESULT.read_bytes()).hexdigest()


def draw(lines: dict[str, list[float]]) -> None:
    """Writes the picture."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    styles = {"solvent": ("C0", "o"), "yardstick": ("C7", "s")}
    for name, values in lines.items():
        who, where = name.split(", ")
        color, marker = styles[who]
        axes.plot(SIZES, values, marker=marker, color=color, linestyle="-" if where == "near" else "--", label=name)
    axes.set(xscale="log", xlabel="resting orders", ylabel="ns a message", ylim=(0, None))
    axes.set_title("Only TRADE events written", fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(PICTURE, dpi=120, metadata={"Source": source()})
    print(f"drawn: {PICTURE.relative_to(ROOT)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    lines: dict[str, list[float]] = {}
    print(f"{'resting':>10}{'near':>10}{'yardstick':>12}{'deep':>10}{'yardstick':>12}   ns a message")
    gc.disable()
    for size in SIZES:
        pairs = {
            "near": cost(near(live=size, messages=MESSAGES), rounds),
            "deep": cost(deep(resting=size, messages=MESSAGES), rounds),
        }
        for where, pair in pairs.items():
            for who, value in zip(("solvent", "yardstick"), pair, strict=True):
                lines.setdefault(f"{who}, {where}", []).append(value)
        print(f"{size:>10,}" + "".join(f"{a:>10.1f}{b:>12.1f}" for a, b in pairs.values()))
    result = {"date": today(), "commit": commit(), "machine": machine(), "rounds": rounds, "sizes": SIZES, "ns": lines}
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    try:
        draw(lines)
    except ImportError:
        print("no picture: matplotlib is not installed")


if __name__ == "__main__":
    main()
