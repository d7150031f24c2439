"""Behaviour as it was: the bytes of every event of drawn streams and of a demo, as hashes taken once.

A change of structure changes no hash. A commit that replaces a hash says why behaviour changed.
"""

import hashlib

import pytest

import solvent
from solvent import rules
from solvent.lab.market import paths, runner
from solvent.lab.market.population import UNITS
from solvent.lab.market.tally import Tally
from solvent.records import CommandType
from support.generator import Generator

RUN = 1_000  # commands of one drawn shape
COMMANDS = 100_000
STREAMS = {20221108: "210d9dd47a5b726e", 1: "cc98b5829e609e9a", 2: "ee10c94982867894"}  # by seed
DEMOS = {
    "ftx": ("67aa7a600da3c056", "d4cd0c7d60f77412"),
    "2020-03-12": ("c689d60f6a617882", "a2d8155cf96cb1da"),
}  # by scenario: the last state's digest, the hash of the events


def stream(seed: int, commands: int) -> str:
    """The hash of all events of so many commands, in runs of one shape each, and of each run's last state."""
    whole = hashlib.sha256()
    for run in range(commands // RUN):
        generator = Generator(seed * 1_000_003 + run)
        terms = {"rules": generator.rules, "collateral": generator.collateral, "retain": True}
        ex = solvent.Exchange(generator.instruments, **terms)
        opening = iter(generator.opening())
        for _ in range(RUN):
            record = next(opening, None) or generator.next(ex._kernel)
            ex.venue.coming = generator.candidate
            begin = ex._kernel.next_seq
            code = ex._kernel.apply(record)
            whole.update(ex._kernel.view(begin, ex._kernel.next_seq))
            if record[0] == CommandType.ADD_INSTRUMENT and code == 0:
                generator.added()
        whole.update(ex._kernel.state())
    return whole.hexdigest()[:16]


@pytest.mark.parametrize("seed", STREAMS)
def test_a_stream_is_as_it_was(seed):
    assert stream(seed, COMMANDS) == STREAMS[seed]


@pytest.mark.parametrize("scenario", DEMOS)
def test_a_demo_is_as_it_was(scenario, monkeypatch):
    whole, absorb = hashlib.sha256(), Tally.absorb

    def listen(tally, events):
        whole.update(events.tobytes())
        return absorb(tally, events)

    monkeypatch.setattr(Tally, "absorb", listen)
    outcome = runner.simulate(runner.Settings(paths.find(scenario), 500, rules.find("seed"), UNITS, 1))
    assert (f"{outcome.digest:016x}", whole.hexdigest()[:16]) == DEMOS[scenario]
