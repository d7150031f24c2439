"""Small runs for sweeps, at the top of a module, as other processes need them."""

import os
import signal
import time
from pathlib import Path

from solvent import Exchange, Instrument


def world(seed, size=1):
    """A world of a few commands, which depends on its arguments alone."""
    ex = Exchange([Instrument("BTC")], seed=seed)
    for name in ("maker", "taker"):
        ex.deposit(name, "USDT", 10_000)
    ex.mark("BTC", 50_000 + seed)
    ex.order("maker", "BTC", "sell", size, price=50_000 + seed).ok()
    filled = ex.order("taker", "BTC", "buy", size, price=50_000 + seed).filled
    return {"digest": f"{ex.digest():016x}", "filled": int(filled), "marks": [50_000 + seed]}


def slow_world(seed, folder):
    """The same, a moment later; leaves the number of its process in a folder."""
    Path(folder, f"{seed}-{os.getpid()}").touch()
    time.sleep(0.3)
    return world(seed)


def odd_world(seed, folder=""):
    """Seed 1 raises, 2 returns what is no row, 3 ends its process whenever it is run, 4 does so the first time."""
    if seed == 1:
        raise ValueError("out of luck")
    if seed == 2:
        return [seed]
    if seed == 3 or (seed == 4 and not Path(folder, "died").exists()):
        Path(folder, "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return world(seed)


def idle(seed):
    """A run of a tenth of a second that does nothing."""
    time.sleep(0.1)
    return {"is": seed}
