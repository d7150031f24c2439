"""What every change runs of the programme: a slice of each layer that has campaigns (tests/programme/layers.py)."""

import pytest

import solvent
import solvent.reference
from programme import damage, exhaustive, fuzz, hostile, machines, probes, relations, streams
from programme.exhaustive import WORDS, play


@pytest.mark.long
def test_every_sequence_of_two_commands():
    assert sum(play(number, 2, both=True) for number in range(len(WORDS) ** 2)) > 1_000


def test_the_vocabulary_is_answered(seed):
    """In sequences drawn at random nearly every word is accepted somewhere: nothing of it is noise."""
    ex = exhaustive.opened(exhaustive.solvent.Exchange)
    accepted = set()
    for number in range(seed, seed + 400):
        ex = exhaustive.opened(exhaustive.solvent.Exchange)
        accepted |= {record for record in exhaustive.sequence(number * 7_919, 5) if ex._kernel.apply(record) == 0}
    assert len(accepted) >= len(WORDS) - 1


FOUND = {169: "the auditor wanted room for an order whose limit its bankruptcy price had cut, which never rests"}
"""Seeds of campaigns that found something, and what."""


@pytest.mark.long
@pytest.mark.parametrize("shape", FOUND)
def test_what_campaigns_found_stays_found(shape):
    assert streams.differential(shape)["commands"] == streams.RUN


@pytest.mark.parametrize("shape", [6245])
def test_what_a_drawn_stream_halted_goes_on(shape):
    """The margin of an isolated position that profits may be below zero, and another lot is bought: an assertion said no."""
    assert len(streams.drawn(shape, 300)) > 100


@pytest.mark.long
def test_a_swarm_of_shapes(seed):
    assert sum((streams.swarm(seed + n, 1_500) for n in range(6)), start=streams.Counter())["trades"] > 100


@pytest.mark.long
def test_machines_that_foretell_each_answer(seed):
    found = machines.machines(seed, 40)
    assert all(found[f"of_{machine.__name__.lower()}"] > 1_500 for machine in machines.MACHINES)
    assert found["trade"] > 20 and found["takeover"] > 2


@pytest.mark.long
def test_damage_is_found_or_costs_an_end(seed):
    found = sum((damage.damage(seed + n) for n in range(10)), start=damage.Counter())
    assert found["damages"] == 1_000 and found["refused"] > 150 and found["cut"] > 50


@pytest.mark.long
def test_a_stream_is_the_same_however_it_is_sent(seed):
    assert streams.determinism(seed, 200)["ways"] == 9


@pytest.mark.long
def test_bytes_that_nobody_meant(seed):
    found = sum((fuzz.fuzz(seed + n) for n in range(8)), start=fuzz.Counter())
    assert found["inputs"] > 30_000 and found["accepted"] > 1_000 and found["refused"] > 5


def test_a_book_that_is_emptied_leaves_nothing(seed):
    assert streams.soak(seed, rounds=8, orders=500)["commands"] == 8_000


@pytest.mark.long
def test_hostile_values_in_every_field():
    found = hostile.play()
    assert found["pairs"] > 12_000 and found["accepted"] < found["pairs"] / 2


@pytest.mark.long
def test_every_rare_state_is_met():
    """In shapes that were chosen for it; a state that none of them meets any more needs another shape (probes.py --choose)."""
    met = sum((probes.stream(shape) for shape in probes.SHAPES), start=probes.Counter())
    missed = set(probes.KNOWN) - set(met)
    assert len(probes.KNOWN) >= 80 and not missed


@pytest.mark.long
@pytest.mark.parametrize("shape", probes.SHAPES)
def test_the_readable_kernel_meets_them_alike(shape):
    generator = probes.shape_of(shape)
    exchanges = [streams.exchange_of(generator, base) for base in (solvent.Exchange, solvent.reference.Exchange)]
    for n, (record, candidate) in enumerate(probes.moments(shape)[1]):
        told = []
        for ex in exchanges:
            ex.venue.coming, begin = candidate, ex._kernel.next_seq
            told.append((ex._kernel.apply(record), bytes(ex._kernel.view(begin, ex._kernel.next_seq))))
        assert told[0] == told[1], f"shape {shape}, command {n}"
    assert exchanges[0].digest() == exchanges[1].digest()


def test_a_rare_state_is_met_again_by_histories_around_it(seed):
    """And what a long run has to meet a hundred times is told when it does not."""
    met = probes.around(seed, 60)
    assert sum(met[name] > 0 for name in probes.NAMES) > 60
    assert "met fewer than" in probes.scarce(met) and not probes.scarce(probes.Counter(dict.fromkeys(probes.NAMES, 100)))


@pytest.mark.long
def test_histories_told_otherwise(seed):
    found = sum((relations.relations(seed + n) for n in range(12)), start=relations.Counter())
    assert found["pairs"] == 36 and found["takers"] > 100 and found["visits"] > 100


def test_another_history_is_noticed():
    """The comparison itself: one more lot, one more command."""
    shift = relations.Shift()
    row = (8, 1, 0, 17, 0, 0, 0, 5, 1, 2, 500_000, 10, 16)
    relations.compared([row], [row], shift, "the same")
    for other in ([(*row[:11], 11, 16)], [row, row]):
        with pytest.raises(AssertionError):
            relations.compared([row], other, shift, "another")
