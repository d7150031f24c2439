"""Exchanges on a replicated log: standbys that are the same, takeover, fences, and deaths of writers and servers."""

import random
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import solvent
from solvent import (
    Fenced,
    HistoryGone,
    InputError,
    Instrument,
    JournalDiverged,
    JournalFailed,
    JournalForeign,
    JournalHeld,
    LogUnavailable,
)
from solvent.records import CommandType, dtype
from solvent.replica.jetstream import JetStream
from solvent.replica.log import Reading
from solvent.replication import Follower
from support.nats_servers import Servers
from support.places import ROOT

SWAP = "BTC-USDT-SWAP"
BEFORE = 3  # commands of log_writer before its first order


@pytest.fixture
def log(one, request):
    """Makes connections to a log of the test's own."""
    made = []

    def connect(**terms):
        made.append(JetStream(one.urls, request.node.name.replace("[", "-").replace("]", ""), **terms))
        return made[-1]

    yield connect
    for each in made:
        each.close()


def caught_up(follower: Follower) -> Follower:
    while follower.behind():
        follower.follow()
    return follower


def begun(log):
    ex = solvent.open(log, [Instrument(SWAP)])
    for name in ("amy", "bob"):
        ex.deposit(name, "USDT", 10_000)
    ex.mark(SWAP, 50_000)
    return ex


def blocks_of(log):
    """All blocks of a log, each checked to follow the one before."""
    reading, found, last = Reading("log"), [], log.last()
    while reading.place < last:
        for message in log.read(reading.place, 1_000):
            found.append(reading.take(message))
    return [each for each in found if each is not None]


def test_a_standby_is_the_same_exchange_and_takes_over(log):
    ex = begun(log())
    follower = Follower(log(), retain=True)
    assert caught_up(follower).sequence == 5 == ex.command_count
    ex.order("bob", SWAP, "sell", 10, price=50_000)
    ex.order("amy", SWAP, "buy", 10, price=50_000)
    ex.add_instrument(Instrument("ETH-USDT-SWAP", settle="USDT"))
    ex.mark("ETH-USDT-SWAP", 3_000)
    refused = ex.order("amy", SWAP, "buy", 1_000_000, price=50_000)
    assert not refused and caught_up(follower).sequence == ex.command_count
    assert follower.exchange.digest() == ex.digest()
    assert follower.exchange.position("amy", SWAP).size == 10
    with pytest.raises(JournalHeld, match="promote"):
        follower.exchange.deposit("amy", "USDT", 1)
    with pytest.raises(JournalHeld):
        follower.exchange.run(np.zeros(1, dtype("command")))
    with pytest.raises(JournalHeld):
        follower.exchange.submit(16, 0, 1, 1)
    new = follower.promote()
    assert new is follower.exchange and new.digest() == ex.digest() and new.journal.sequence == ex.command_count
    assert new.order("amy", "ETH-USDT-SWAP", "buy", 1, price=2_999)
    kept = ex.command_count
    for _ in range(2):
        with pytest.raises(Fenced, match=f"command {kept} is the last one") as error:
            ex.deposit("amy", "USDT", 1)
        assert error.value.durable_sequence == kept
    assert ex.account("amy").cash  # reads go on
    assert caught_up(Follower(log())).exchange.digest() == new.digest()


def test_any_moment_of_a_log_can_be_visited(log):
    """By the writer and by a standby, while both go on."""
    ex = begun(log())
    follower = caught_up(Follower(log()))
    digests = {5: ex.digest()}
    ex.journal.piece_records = 7
    orders = np.zeros(40, dtype("command"))
    orders["type"], orders["records"], orders["account"] = CommandType.ORDER, 1, 16
    orders["price_ticks"], orders["size_lots"] = np.arange(499_000, 499_040), 1
    for end in (45, 85):
        ex.run(orders)
        digests[end] = ex.digest()
    for face in (ex, follower.exchange):
        for moment in (45, 5, 85, 45):
            assert face.at(moment).digest() == digests[moment]
        assert len(face.at(48).open_orders("amy")) == 43
        with pytest.raises(HistoryGone):
            face.at(86)
        assert face.journal.retold().digest() == digests[85]
    assert ex.order("amy", SWAP, "buy", 1, price=49_000) and caught_up(follower).sequence == 86
    assert follower.exchange.digest() == ex.digest() == ex.at(86).digest()


def test_market_data_of_a_standby_is_that_of_the_writer(log, seed):
    from solvent.feed.updates import Feed

    ex = solvent.open(log(), [Instrument(SWAP)], retain=True)
    follower = Follower(log())
    feeds = [Feed(each, SWAP) for each in (ex, follower.exchange)]
    heard = [feed.subscribe("l2") for feed in feeds]
    assert [len(list(each)) for each in heard] == [1, 1]  # an empty book
    rng = random.Random(seed)
    for name in ("amy", "bob"):
        ex.deposit(name, "USDT", 10_000)
    ex.mark(SWAP, 50_000)
    for _ in range(200):
        name, side = rng.choice((("amy", "buy"), ("bob", "sell")))
        ex.order(name, SWAP, side, rng.randint(1, 5), price=50_000 + rng.randint(-5, 5))
    caught_up(follower)
    for feed in feeds:
        feed.poll()
    told = [list(each) for each in heard]
    assert told[0] == told[1] and len(told[0]) > 100


def test_reopening_is_taking_over_and_another_exchange_is_refused(log):
    with begun(log()) as ex:
        digest = ex.digest()
    end = log().last()
    with pytest.raises(JournalForeign, match="ETH"):
        solvent.open(log(), [Instrument("ETH")])
    assert log().last() == end, "nothing was written"
    with solvent.open(log()) as ex:
        assert ex.digest() == digest and ex.journal.recovery.replayed == 5
        ex.deposit("amy", "USDT", 1)
    with pytest.raises(solvent.JournalClosed):
        ex.deposit("amy", "USDT", 1)


def test_an_empty_log_wants_instruments(log):
    for ask in (lambda: solvent.open(log()), lambda: Follower(log())):
        with pytest.raises(InputError, match="is empty"):
            ask()
    with pytest.raises(InputError, match="leave these arguments out"):
        solvent.open(log(), [Instrument(SWAP)], sync="none")
    assert log().last() == 0


def test_the_log_is_a_journal(log, tmp_path):
    """Its messages without the claims are the bytes of a segment, which a disk opens."""
    from solvent.store.files import Folder
    from solvent.store.journal import put_mark, segment_name

    ex = begun(log())
    ex.order("amy", SWAP, "buy", 1, price=49_999)
    told, end = [], log().last()
    while len(told) < end:  # a read answers with what is there by then
        told += log().read(len(told), 1_000)
    data = b"".join(each.data for each in told if not each.id.endswith("claim"))
    disk = Folder(tmp_path / "journal")
    disk.make()
    put_mark(disk, 0, 0)
    (tmp_path / "journal" / segment_name(1)).write_bytes(data)
    with solvent.open(tmp_path / "journal") as same:
        assert same.digest() == ex.digest()


def test_a_standby_that_diverges_says_where_and_stops(log):
    ex = begun(log())
    follower = caught_up(Follower(log()))
    ex.journal._writer.append(
        1, 12345, b"", bytes(solvent.records.command(CommandType.ADVANCE, time_ns=1)), ex.journal._writer.place
    )
    ex.journal._writer.settle()
    for _ in range(2):
        with pytest.raises(JournalDiverged, match="after command 5"):
            follower.follow()
    with pytest.raises(JournalDiverged):
        follower.promote()


def test_two_standbys_of_which_the_last_to_claim_writes(log):
    begun(log()).close()
    first, second = Follower(log()), Follower(log())
    one, two = first.promote(), second.promote()
    with pytest.raises(Fenced):
        one.deposit("amy", "USDT", 1)
    two.deposit("amy", "USDT", 1)
    assert two.account("amy").cash == 10_001


def test_interruptions_leave_nothing_out_and_nothing_twice(log, seed):
    """Ctrl-C at any moment of a command: the exchange goes on, and the log has what it has."""
    ex = begun(log())
    rng, interrupted, armed = random.Random(seed), 0, False
    orders = np.zeros(2_000, dtype("command"))
    orders["type"], orders["records"], orders["account"] = CommandType.ORDER, 1, 16
    orders["price_ticks"], orders["size_lots"], orders["tif"] = 499_990, 1, 1
    ex.journal.piece_records = 100

    def interrupt(*_):
        nonlocal armed
        if armed:
            armed = False
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for i in range(150):
            try:
                armed = True
                signal.setitimer(signal.ITIMER_REAL, rng.random() * (0.02 if i % 5 == 0 else 0.002) + 1e-6)
                ex.run(orders) if i % 5 == 0 else ex.deposit("amy", "USDT", 1)
                armed = False
            except KeyboardInterrupt:
                interrupted += 1
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.signal(signal.SIGALRM, before)
    ex.deposit("amy", "USDT", 1)
    assert interrupted > 20
    follower = caught_up(Follower(log()))
    assert follower.sequence == ex.command_count and follower.exchange.digest() == ex.digest()


@pytest.mark.long
def test_a_writer_whose_server_is_gone_halts_and_names_the_last_acknowledged(tmp_path):
    with Servers(1, tmp_path) as servers:
        ex = begun(JetStream(servers.urls, "v", patience_ms=300))
        follower = Follower(JetStream(servers.urls, "v", patience_ms=300))
        caught_up(follower)
        servers.kill(0)
        for _ in range(2):
            with pytest.raises(JournalFailed, match="stream v at nats") as error:
                ex.deposit("amy", "USDT", 1)
            assert error.value.durable_sequence == 5
        with pytest.raises(LogUnavailable):
            for _ in range(20):
                follower.follow(200)
        servers.start(0)
        assert follower.follow(2_000) in (0, 1) and follower.promote().account("amy").cash in (10_000, 10_001)
        ex.close()
        follower.close()


class Writing:
    """support/log_writer.py in a process; said: the last id that it was answered for."""

    def __init__(self, replicas: int, stream: str, urls: list[str]):
        command = [sys.executable, str(ROOT / "tests/support/log_writer.py"), str(replicas), stream, *urls]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.said = -1
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.said = 0 if line == "ready\n" else int(line)

    def await_more(self, count: int) -> None:
        aim, deadline = self.said + count, time.monotonic() + 30
        while self.said < aim:
            assert self.process.poll() is None and time.monotonic() < deadline, self.said
            time.sleep(0.005)

    def kill(self) -> int:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stdout.close()
        return self.said


def require_all(log, acknowledged: int) -> None:
    """Every acknowledged order is in the log once, in order, and at most a batch more."""
    ids = np.concatenate([np.frombuffer(block.commands, dtype("command"))["client_id"] for block in blocks_of(log)])
    ids = ids[ids > 0]
    assert ids.tolist() == list(range(1, len(ids) + 1))
    assert acknowledged <= len(ids)


@pytest.mark.long
def test_kill_9_of_the_writer_again_and_again(one, log, request, seed):
    """Each life goes on where the log ends; a standby follows throughout and takes over at last."""
    rng, follower, said = random.Random(seed), None, 0
    for _ in range(4):
        writing = Writing(1, request.node.name, one.urls)
        writing.await_more(1)
        writing.await_more(rng.randint(1, 2_000))
        follower = follower or Follower(log())
        follower.follow(100)
        said = writing.kill()
        require_all(log(), said)
    new = caught_up(follower).promote()
    assert new.command_count - BEFORE >= said and new.order("amy", SWAP, "buy", 1, price=49_999)


@pytest.mark.long
def test_two_hundred_thousand_commands_a_second_are_replicated_three_ways(three):
    """By the better of two runs; benchmarks/replicated.py measures it on a machine that has nothing else to do."""
    ex = begun(JetStream(three.urls, "fast", replicas=3))
    orders = np.zeros(100_000, dtype("command"))
    orders["type"], orders["records"], orders["account"] = CommandType.ORDER, 1, 16
    orders["price_ticks"], orders["size_lots"], orders["tif"] = 499_990, 1, 1
    seconds = []
    for _ in range(2):
        start = time.monotonic()
        assert not ex.run(orders).code.any()
        seconds.append(time.monotonic() - start)
        assert ex.journal.durable_sequence == ex.command_count
    assert len(orders) / min(seconds) > 200_000
    ex.close()


@pytest.mark.long
def test_kill_9_of_a_server_and_of_the_writer(three):
    """Of three servers the leader dies: the writer waits for the new one. Then the writer dies: a standby takes over."""
    writing = Writing(3, "v", three.urls)
    writing.await_more(1_000)
    follower = Follower(JetStream(three.urls, "v", replicas=3))
    caught_up(follower)
    three.kill(int(follower._log.leader()[1:]))
    writing.await_more(3_000)
    follower.follow()
    said = writing.kill()
    new = follower.promote()
    assert new.command_count - BEFORE >= said
    assert new.order("amy", SWAP, "buy", 1, price=49_999)
    require_all(follower._log, said)
    new.close()


def test_the_package_imports_no_broker():
    script = "import solvent, sys; assert not {'nats', 'asyncio', 'msgpack'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
