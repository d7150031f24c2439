"""The draws for hypothesis: both kernels answer a history alike, under the auditor, and histories reach what they should."""

from collections import Counter

import hypothesis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import solvent
import solvent.reference
from solvent import EventType, InputError, Instrument, Rejected
from solvent.testing import assert_conserved, audited
from solvent.testing.strategies import histories, instruments, play

SWAP = Instrument("BTC-USDT-SWAP")
QUIET = {"database": None, "deadline": None, "suppress_health_check": list(HealthCheck)}


def shown(answer):
    """An answer as both kernels must give it."""
    return (answer.code, answer.order_id, answer.filled) if isinstance(answer, solvent.Ack) else str(answer)


@pytest.mark.long
def test_both_kernels_answer_drawn_histories_alike(seed):
    kinds = audited(solvent.Exchange, every=8), audited(solvent.reference.Exchange, every=8)

    @hypothesis.seed(seed)
    @settings(max_examples=40, **QUIET)
    @given(st.data())
    def check(data):
        instrument = data.draw(instruments())
        history = data.draw(histories(instrument))
        made = [kind([instrument]) for kind in kinds]
        first, second = ([shown(answer) for answer in play(ex, history)] for ex in made)
        assert first == second
        assert made[0].digest() == made[1].digest()
        for ex in made:
            assert_conserved(on=ex)

    check()


@pytest.mark.long
def test_the_histories_reach_trades_liquidations_and_refusals(seed):
    seen, answers = Counter(), Counter()

    @hypothesis.seed(seed)
    @settings(max_examples=400, **QUIET)
    @given(histories(SWAP, least=40))
    def look(history):
        ex = solvent.Exchange([SWAP])
        answers.update(type(answer).__name__ for answer in play(ex, history))
        seen.update({event.type for event in ex.cursor(begin=1)})

    look()
    wanted = ("TRADE", "TAKEOVER", "TRIGGERED", "FUNDED", "REPLACED", "ADL")
    missing = [name for name in wanted if not seen[EventType[name]]]
    assert not missing and answers["Rejected"] and answers["Ack"] > answers["Rejected"], (seen, answers)


def test_a_history_prints_as_what_to_type():
    ex = solvent.Exchange([SWAP])
    answers = play(
        ex,
        [
            ("deposit", {"account": "a", "currency": "USDT", "amount": 5}),
            ("withdraw", {"account": "a", "currency": "USDT", "amount": 6}),
        ],
    )
    assert answers[0] is None and isinstance(answers[1], Rejected)
    with pytest.raises(InputError, match="no method 'fly'"):
        play(ex, [("fly", {})])
