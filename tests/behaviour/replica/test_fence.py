"""The rule of the fence against a model of a broker that loses requests and answers, repeats some late, changes leaders."""

import random

import pytest

from solvent import JournalDamaged
from solvent.replica.fence import Look, Overtaken, Pause, Publish, Refused, Stored, Writer


class Broker:
    """A log as JetStream keeps it: one replica tests the fence before it knows a repeat, several the other way round.

    accepted: what a leader of several has taken in and not yet stored; a new leader may never have seen its end.
    """

    def __init__(self, several: bool, rng: random.Random):
        self.several, self.rng = several, rng
        self.rows: list[str] = []
        self.accepted: list[str] = []
        self.late: list[Publish] = []
        self.remembered: dict[str, int] = {}

    def publish(self, message: Publish) -> Stored | Refused | None:
        known = self.remembered.get(message.id)
        stale = message.after is not None and message.after != len(self.rows) + len(self.accepted)
        if self.several and message.id in self.accepted:
            return None  # "in process"
        if known is not None and (self.several or not stale):
            return Stored(known)
        if stale:
            return Refused()
        self.accepted.append(message.id)
        if not self.several or self.rng.random() < 0.7:
            self.store(len(self.accepted))
            return Stored(len(self.rows))
        return None

    def store(self, count: int) -> None:
        for each in self.accepted[:count]:
            self.rows.append(each)
            self.remembered[each] = len(self.rows)
        del self.accepted[:count]

    def answer(self, request: Publish | Look | Pause) -> Stored | Refused | str | None:
        """One request through a network and a broker that both fail."""
        draw = self.rng.random()
        if isinstance(request, Pause) or draw < 0.1:
            return None
        if isinstance(request, Look):
            return self.rows[request.place - 1] if request.place <= len(self.rows) else None
        if request.after is not None and draw < 0.2:
            self.late.append(request)  # a copy that the network keeps for later
        answer = self.publish(request)
        return None if draw < 0.35 else answer

    def happen(self) -> None:
        """What happens beside the writers."""
        draw = self.rng.random()
        if self.late and draw < 0.2:
            self.publish(self.late.pop(self.rng.randrange(len(self.late))))
        if self.accepted and draw < 0.5:
            self.store(self.rng.randint(1, len(self.accepted)))
        if draw > 0.98:  # a new leader: of what was accepted it knows some
            self.store(self.rng.randint(0, len(self.accepted)))
            self.accepted.clear()
        if draw < 0.01:  # the window of ids is over
            self.remembered = {each: place for each, place in self.remembered.items() if each.endswith("claim")}


class Client:
    """A writer that claims and then appends without end; what it was told."""

    def __init__(self, name: str, broker: Broker):
        self.writer, self.broker = Writer(name), broker
        self.acknowledged: list[int] = []
        self.lost: Overtaken | None = None
        self.steps = self.writer.settle(self.writer.claim(b""))
        self.request = next(self.steps)

    def move(self) -> None:
        try:
            self.request = self.steps.send(self.broker.answer(self.request))
        except StopIteration as done:
            self.acknowledged.append(done.value)
            self.steps = self.writer.settle(self.writer.next(b""))
            self.request = next(self.steps)
        except Overtaken as error:
            self.lost = error


@pytest.mark.parametrize("several", [False, True], ids=["one replica", "several"])
def test_what_was_acknowledged_is_there_once_in_order_and_of_one_writer_at_a_time(several, seed):
    takeovers = refused = 0
    for run in range(60):
        rng = random.Random(f"{seed} {several} {run}")
        broker = Broker(several, rng)
        clients = [Client("w0", broker)]
        for _ in range(1_500):
            broker.happen()
            if rng.random() < 0.004:
                clients.append(Client(f"w{len(clients)}", broker))
            alive = [each for each in clients if each.lost is None]
            if alive:
                rng.choice(alive[-2:]).move()
        broker.store(len(broker.accepted))
        takeovers += len(clients) - 1
        refused += sum(each.lost is not None for each in clients)
        check(broker, clients)
    assert takeovers > 200 and refused > 150


def check(broker: Broker, clients: list[Client]) -> None:
    assert len(set(broker.rows)) == len(broker.rows), "nothing is there twice"
    current, claims = "", []
    for place, each in enumerate(broker.rows, 1):
        name, what = each.split("-")
        if what == "claim":
            current = name
            claims.append(name)
        assert name == current, "only who claimed last writes"
        assert what in ("claim", str(place)), "each at its place"
    for client in clients:
        name = client.writer.name
        places = client.acknowledged
        assert places == list(range(places[0], places[0] + len(places))) if places else True, "no hole"
        assert all(broker.rows[place - 1].startswith(f"{name}-") for place in places)
        if client.lost is not None:
            assert claims.index(name) < len(claims) - 1, "who is told that it lost has lost"


@pytest.mark.parametrize("several", [False, True], ids=["one replica", "several"])
def test_a_repeat_whose_answer_was_lost_is_believed(several):
    """One replica refuses it, so that the writer has to look; several call it stored."""
    broker = Broker(several, random.Random(1))
    writer = Writer("a")
    steps = writer.settle(writer.claim(b""))
    broker.several = False
    assert broker.publish(next(steps)) == Stored(1)
    with pytest.raises(StopIteration):
        steps.send(Stored(1))
    steps = writer.settle(writer.next(b"x"))
    message = next(steps)
    broker.publish(message)
    broker.several = several
    assert steps.send(None) == Pause(0) and steps.send(None) == message
    answer = broker.publish(message)
    assert answer == (Stored(2) if several else Refused())
    with pytest.raises(StopIteration) as done:
        assert steps.send(answer) == Look(2)
        steps.send("a-2")
    assert done.value.value == writer.place == 2


def test_a_foreign_message_at_the_place_ends_the_writer_and_it_is_named():
    writer = Writer("a")
    steps = writer.settle(writer.next(b"x"))
    next(steps)
    assert steps.send(Refused()) == Look(1)
    with pytest.raises(Overtaken, match="message 1 is b-claim"):
        steps.send("b-claim")


def test_nothing_at_the_place_is_no_loss():
    writer = Writer("a")
    steps = writer.settle(writer.next(b"x"))
    message = next(steps)
    assert steps.send(Refused()) == Look(1) and steps.send(None) == Pause(0) and steps.send(None) == message


def test_an_answer_that_names_another_place_is_refused():
    writer = Writer("a")
    steps = writer.settle(writer.next(b"x"))
    next(steps)
    with pytest.raises(JournalDamaged, match="message 7.*a-1 was to stand after 0"):
        steps.send(Stored(7))


def test_a_message_that_an_interruption_left_behind_is_settled_again():
    """The first time it was stored, and nobody was there to hear it."""
    broker, writer = Broker(False, random.Random(1)), Writer("a")
    message = writer.next(b"x")
    left = writer.settle(message)
    assert broker.publish(next(left)) == Stored(1)
    left.close()
    steps = writer.settle(message)
    assert steps.send(None) == message and steps.send(broker.publish(message)) == Look(1)
    with pytest.raises(StopIteration):
        steps.send(broker.rows[0])
    assert writer.place == 1 and broker.rows == ["a-1"] and writer.next(b"y") == Publish("a-2", b"y", 1)
