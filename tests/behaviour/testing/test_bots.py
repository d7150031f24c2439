"""The table of faults finds every bug that is planted in the example bots, and passes the bots as they are."""

from functools import partial

import pytest

pytest.importorskip("ccxt", reason="ccxt is absent (extra `dev`)")

from bot import Bot
from solvent.testing.fault_table import ROWS, Where
from solvent.testing.sweep import trial
from support.planted_bots import ANY, CLIENTS, LISTENING, judge, plain, running

pytestmark = pytest.mark.long
STRIKES = {  # rows that a bot that only asks never meets
    "plain": [each.name for each in ROWS],
    "ccxt": [each.name for each in ROWS if each.where != Where.PUSH],
}


@pytest.mark.parametrize(("client", "fault"), [(client, fault) for client, rows in STRIKES.items() for fault in rows])
def test_a_sound_bot_survives(client, fault):
    outcome = tried(running(Bot, CLIENTS[client]), fault)
    assert outcome, outcome.wrong
    assert outcome.struck, "the fault never came about"


@pytest.mark.parametrize("client", CLIENTS)
def test_it_survives_without_a_fault(client):
    outcome = tried(running(Bot, CLIENTS[client]), None)
    assert outcome and not outcome.struck, outcome.wrong


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("bug", ANY, ids=lambda bug: bug.__name__)
def test_a_bug_is_found(bug, client):
    found(running(bug, CLIENTS[client]), bug.found_by, getattr(bug, "scenario", "whipsaw"))


@pytest.mark.parametrize("bug", LISTENING, ids=lambda bug: bug.__name__)
def test_a_bug_of_listening_is_found(bug):
    found(running(Bot, partial(plain, kind=bug)), bug.found_by)


def tried(make, fault, scenario="whipsaw"):
    return trial(make, fault, judge=judge, within=(0, 20), scenario=scenario)


def found(make, rows, scenario="whipsaw"):
    """Each row that is named finds the bug, and a market without faults does not."""
    without = tried(make, None, scenario)
    assert without, without.wrong
    assert not [name for name in rows if tried(make, name, scenario)]
