"""Writers that are killed: a process with a journal gets SIGKILL at a drawn instant, the next one recovers, and so on.

python tests/support/kills.py --kills 10000 [--seed 1] [--ledger FILE]     # the ledger is appended to, and gone on with

A child opens the journal of a directory, tells what it recovered, sends commands and tells each answer. It is killed while
it makes the journal, recovers, writes, syncs, takes a snapshot or ends a file, as the instant falls. The next child must
recover at least what was acknowledged, and exactly the state after that many commands. Each command is drawn from its number
alone, so the parent knows every state.
"""

import argparse
import json
import os
import select
import shutil
import signal
import struct
import sys
import tempfile
import time
from pathlib import Path
from random import Random

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import solvent
from solvent.records import CommandType, command
from solvent.schema.limits import FIRST_USER
from solvent.store.format import block
from solvent.store.journal import WAITING_BYTES

HELLO, ANSWER = struct.Struct("<QQ"), struct.Struct("<Q")
ACCOUNTS = 6
POLICIES = ("every", "interval", "none")
SHAPES = ({}, {"segment_bytes": 4_096}, {"snapshot_every": 40}, {"segment_bytes": 8_192, "keep": 2})
MOST_WAITING = WAITING_BYTES // block(1, 1, 0, 0, 0, b"", bytes(64)).size + 1


def drawn(seed: int, number: int) -> bytes:
    """The command with a number: the same whenever it is asked for."""
    r = Random(seed * 1_000_003 + number)
    if number <= ACCOUNTS:
        return command(CommandType.OPEN_ACCOUNT, records=2) + f"a{number}".encode().ljust(64, b"\0")
    account = FIRST_USER + r.randrange(ACCOUNTS)
    if number <= 2 * ACCOUNTS:
        return command(CommandType.DEPOSIT, account=account, amount=r.randrange(10**8, 10**9))
    if number == 2 * ACCOUNTS + 1 or r.random() < 0.1:
        return command(CommandType.MARK, price_ticks=500_000 + r.randrange(-9_000, 9_000))
    if r.random() < 0.1:
        return command(CommandType.MASS_CANCEL, account=account, instrument=0, side=2)
    price = 500_000 + r.randrange(-3_000, 3_000)
    return command(
        CommandType.ORDER, account=account, side=r.randrange(2), price_ticks=price, size_lots=r.randrange(1, 40),
        client_id=number,
    )  # fmt: skip


def instruments() -> list[solvent.Instrument]:
    return [solvent.Instrument("BTC-USDT-SWAP")]


def write(folder: str, seed: int, policy: str, shape: dict[str, int], out: int) -> None:
    """The child: opens, tells, writes until it is killed."""
    try:
        ex = solvent.open(folder, sync=policy, interval_ms=2, **shape)
    except solvent.InputError:
        ex = solvent.open(folder, instruments(), seed=7, sync=policy, interval_ms=2, **shape)
    os.write(out, HELLO.pack(ex.command_count, ex.digest()))
    r, number = Random(seed + ex.command_count), ex.command_count
    while True:
        together = r.choice((1, 1, 1, 8, 60))
        records = [drawn(seed, number + 1 + n) for n in range(together)]
        if together == 1:
            ex._keeper.apply(records[0])
        else:
            ex.run(b"".join(records))
        number += together
        os.write(out, ANSWER.pack(number))


class Writers:
    """One directory after the other, each with writers that are killed."""

    def __init__(self, seed: int, place: Path):
        self.random, self.place = Random(seed), place
        self.kills = self.directories = self.commands = self.without_answer = 0

    def directory(self, kills: int) -> None:
        """So many writers, one after the other, in a new directory."""
        r = self.random
        seed, policy, shape = r.randrange(2**31), r.choice(POLICIES), r.choice(SHAPES)
        folder = self.place / f"{self.directories}"
        shadow, acknowledged = solvent.Exchange(instruments(), seed=7, retain=False), 0
        at = f"seed {seed}, {policy}, {shape}"
        for _ in range(kills):
            hello, answered = self.life(str(folder), seed, policy, shape)
            if hello is None:
                self.without_answer += 1
                continue
            count, digest = hello
            least = acknowledged if policy != "none" else acknowledged - MOST_WAITING
            assert count >= least, f"{at}: {count} recovered, {acknowledged} acknowledged"
            if count < shadow.command_count:
                shadow = solvent.Exchange(instruments(), seed=7, retain=False)
            while shadow.command_count < count:
                shadow._kernel.apply(drawn(seed, shadow.command_count + 1))
            assert digest == shadow.digest(), f"{at}: the state after command {count} is another one"
            acknowledged = max(answered, count)
        self.commands += acknowledged
        self.directories += 1
        shutil.rmtree(folder, ignore_errors=True)

    def life(self, folder: str, seed: int, policy: str, shape: dict[str, int]) -> tuple[tuple[int, int] | None, int]:
        """One writer from its start to its death: what it recovered, if it came so far, and the last answer it told."""
        read_end, write_end = os.pipe()
        child = os.fork()
        if not child:
            try:
                os.close(read_end)
                write(folder, seed, policy, shape, write_end)
            except BaseException as error:
                os.write(2, f"{type(error).__name__}: {error}\n".encode())
                os._exit(3)
        os.close(write_end)
        told = bytearray()
        wanted = HELLO.size if self.random.random() < 0.85 else 0  # some are killed while they recover
        while len(told) < wanted and select.select([read_end], [], [], 10)[0]:
            got = os.read(read_end, 65_536)
            if not got:
                break
            told += got
        time.sleep(self.random.choice((0, 0.0005, 0.002, 0.01, 0.05)) * self.random.random())
        os.kill(child, signal.SIGKILL)
        while got := os.read(read_end, 65_536):
            told += got
        os.close(read_end)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), f"the writer ended by itself: seed {seed}, {policy}, {shape}, {folder}"
        self.kills += 1
        if len(told) < HELLO.size:
            return None, 0
        answers = (len(told) - HELLO.size) // ANSWER.size
        last = ANSWER.unpack_from(told, HELLO.size + (answers - 1) * ANSWER.size)[0] if answers else 0
        return HELLO.unpack_from(told), last


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1, help="of the first batch; the ledger's next one is gone on with")
    parser.add_argument("--ledger", type=Path, help="a file of JSON lines, one for each batch of a thousand")
    asked = parser.parse_args()
    done = (
        [json.loads(line) for line in asked.ledger.read_text().splitlines()] if asked.ledger and asked.ledger.exists() else []
    )
    kills, seed = sum(each["kills"] for each in done), asked.seed + len(done)
    while kills < asked.kills:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            writers = Writers(seed, Path(folder))
            while writers.kills < min(1_000, asked.kills - kills):
                writers.directory(25)
        kills += writers.kills
        line = {
            "kind": "kills", "seed": seed, "kills": writers.kills, "directories": writers.directories,
            "commands": writers.commands, "killed before the first answer": writers.without_answer, "failures": 0,
            "seconds": round(time.monotonic() - began),
        }  # fmt: skip
        print(json.dumps(line), f"{kills:,} in all", flush=True)
        if asked.ledger:
            with asked.ledger.open("a") as file:
                file.write(json.dumps(line) + "\n")
        seed += 1


if __name__ == "__main__":
    main()
