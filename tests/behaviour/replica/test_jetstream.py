"""The log on real servers: fence and retry as one server and as three answer, reading, and brokers that are away."""

import json
import os
import signal
import subprocess
import sys
import time
from urllib.request import urlopen

import pytest
from nats.js.errors import APIError

from solvent import InputError, JournalDamaged, LogUnavailable
from solvent.replica.fence import Look, Overtaken, Publish, Refused, Stored, Writer
from solvent.replica.jetstream import JetStream
from support.nats_servers import Servers, free_ports


@pytest.fixture
def stream(request) -> str:
    """A stream of the test's own."""
    return request.node.name.replace("[", "-").replace("]", "").replace(" ", "-")


def answers(log: JetStream, *requests):
    """What a broker says to each of some requests."""
    found = []

    def steps():
        for each in requests:
            found.append((yield each))
        return 0

    log.start(steps()).result()
    return found


def store(log: JetStream, writer: Writer, data: bytes | None) -> int:
    """Stores a message of a writer, or its claim, and returns its place."""
    return log.start(writer.settle(writer.claim(b"") if data is None else writer.next(data))).result()


def all_of(log: JetStream, after: int = 0):
    found = []
    while chunk := log.read(after + len(found), 500):
        found += chunk
    return found


@pytest.mark.long
@pytest.mark.parametrize("replicas", [1, 3])
def test_a_repeat_of_a_fenced_write(replicas, stream, request):
    """One replica refuses it (10071), three call it a duplicate; after both the writer knows that it is stored."""
    servers = request.getfixturevalue("one" if replicas == 1 else "three")
    with JetStream(servers.urls, stream, replicas=replicas) as log:
        message = Publish("a-1", b"x", 0)
        again = answers(log, message, message, Look(1), Look(2))
        assert again == [Stored(1), Refused() if replicas == 1 else Stored(1), "a-1", None]
        assert answers(log, Publish("b-1", b"x", 0)) == [Refused()]
        writer = Writer("a")
        assert store(log, writer, b"x") == writer.place == 1  # its answer was lost: it is sent again
        assert store(log, writer, b"y") == 2
        assert [(each.place, each.id, each.data) for each in all_of(log)] == [(1, "a-1", b"x"), (2, "a-2", b"y")]
        other = Writer("b")
        assert store(log, other, None) == 3
        with pytest.raises(Overtaken, match="message 3 is b-claim"):
            store(log, writer, b"z")
        assert store(log, other, b"z") == log.last() == 4


def test_why_one_message_is_under_way(one, stream):
    """Of two, the second would be stored behind the claim that refused the first."""
    with JetStream(one.urls, stream) as log:
        sent = Publish("a-1", b"x", 0), Publish("a-2", b"x", 1)
        assert answers(log, Publish("b-claim", b"", None), *sent) == [Stored(1), Refused(), Stored(2)]


@pytest.mark.long
def test_reading_from_any_place_and_waiting_for_what_comes(one, stream):
    with JetStream(one.urls, stream) as log, JetStream(one.urls, stream) as other:
        writer = Writer("a")
        for i in range(300):
            store(log, writer, bytes([i % 256]) * 4_000)
        assert [each.place for each in all_of(other)] == list(range(1, 301))
        assert [each.place for each in all_of(other, 290)] == list(range(291, 301))
        begun = time.monotonic()
        assert other.read(300, 200) == [] and 0.15 < time.monotonic() - begun < 2
        store(log, writer, b"late")
        assert [each.data for each in other.read(300, 5_000)] == [b"late"]
        assert other.read(0, 0) == [] or other.read(0, 5_000)[0].place == 1  # a wait of nothing is no error


def test_a_large_log_is_read_whole_by_one_who_is_slow(one, stream):
    """More than the server sends ahead: it waits until what it sent was taken."""
    with JetStream(one.urls, stream) as log, JetStream(one.urls, stream) as other:
        writer = Writer("a")
        for _ in range(160):
            store(log, writer, b"x" * 256_000)
        found = len(other.read(0, 2_000))
        time.sleep(0.5)
        while found < 160:
            found += len(other.read(found, 2_000))
        assert other.read(160, 0) == []


def test_a_message_too_large_is_refused_before_it_is_sent(one, stream):
    with JetStream(one.urls, stream) as log:
        with pytest.raises(InputError, match="1047552 bytes"):
            store(log, Writer("a"), b"x" * (log.message_bytes_max + 1))
        assert store(log, Writer("a"), b"x" * log.message_bytes_max) == 1


def test_a_stream_with_other_settings_is_refused(one, stream):
    JetStream(one.urls, stream).close()
    with pytest.raises(InputError, match="3 replicas: replicas > 1 not supported in non-clustered mode"):
        JetStream(one.urls, stream, replicas=3)
    with pytest.raises(InputError, match="3 replicas: replicas > 1"):
        JetStream(one.urls, "another", replicas=3)


@pytest.mark.long
def test_a_message_that_is_gone_is_damage(one, stream):
    """A stream is made so that nothing is purged or deleted, and a full one refuses; here an operator lets it forget."""

    async def forget():
        config = (await log._js.stream_info(stream)).config
        config.discard, config.max_msgs = "old", 2
        await log._js.update_stream(config)

    with JetStream(one.urls, stream) as log:
        writer = Writer("a")
        for _ in range(5):
            store(log, writer, b"x")
        for ask in (log._js.purge_stream(stream), log._js.delete_msg(stream, 2)):
            with pytest.raises(APIError, match="not permitted"):
                log._call(lambda ask=ask: ask)
        log._call(forget)
        assert [each.place for each in log.read(3, 2_000)] == [4, 5]
        with pytest.raises(JournalDamaged, match="message 1, byte 0: it is gone; message 4 comes after 0"):
            log.read(0, 2_000)


@pytest.mark.parametrize(("settings", "always"), [("", None), ("sync_interval: always", True)])
def test_what_servers_sync_by_default(tmp_path, settings, always):
    """Every two minutes, long after they have acknowledged: docs/howto/replicate.md says so, and how to change it."""
    (port,) = free_ports(1)
    with Servers(1, tmp_path, settings, f'http: "127.0.0.1:{port}"'):
        told = json.load(urlopen(f"http://127.0.0.1:{port}/jsz"))["config"]
    assert (told["sync_interval"], told.get("sync_always")) == (120 * 10**9, always)


def test_nobody_listens(tmp_path):
    begun = time.monotonic()
    with pytest.raises(LogUnavailable, match="127.0.0.1:1"):
        JetStream("nats://127.0.0.1:1", "x", patience_ms=300)
    assert time.monotonic() - begun < 3


def test_a_closed_log_says_so(one, stream):
    log = JetStream(one.urls, stream)
    log.close()
    log.close()
    with pytest.raises(LogUnavailable, match="closed"):
        log.last()


@pytest.mark.long
def test_a_server_that_is_slow(tmp_path):
    """It hears a message twice and stores it once; who is not patient is told, and finds it stored when asking again."""
    with (
        Servers(1, tmp_path) as servers,
        JetStream(servers.urls, "s") as log,
        JetStream(servers.urls, "s", patience_ms=300) as hasty,
    ):
        log._try_s = 0.3
        writer = Writer("a")
        store(log, writer, None)
        message = writer.next(b"1")
        servers.running[0].send_signal(signal.SIGSTOP)
        os.waitpid(servers.running[0].pid, os.WUNTRACED)  # until it stands still
        with pytest.raises(LogUnavailable):
            hasty.start(writer.settle(message)).result()
        waiting = log.start(writer.settle(message))
        time.sleep(1)  # more than one try
        servers.running[0].send_signal(signal.SIGCONT)
        assert waiting.result() == writer.place == 2 == hasty.start(writer.settle(message)).result()
        assert [each.id for each in all_of(log)] == ["a-claim", "a-2"]


def test_without_the_client_the_extra_is_named():
    script = "import sys; sys.modules['nats'] = None; import solvent.replication"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode and "pip install solvent[nats]" in done.stderr


@pytest.mark.long
def test_a_server_that_dies_and_comes_back(tmp_path):
    """A writer that waits goes on; one that may not wait so long is told; nothing is stored twice."""
    with (
        Servers(1, tmp_path) as servers,
        JetStream(servers.urls, "s") as log,
        JetStream(servers.urls, "s", patience_ms=500) as hasty,
    ):
        writer = Writer("a")
        store(log, writer, None)
        store(log, writer, b"1")
        assert len(log.read(0, 1_000)) == 2
        servers.kill(0)
        busy = time.process_time()
        with pytest.raises(LogUnavailable, match="stream s at nats"):
            store(hasty, Writer("b"), None)
        with pytest.raises(LogUnavailable):
            for _ in range(20):
                assert hasty.read(0, 100) == []
        assert time.process_time() - busy < 0.5, "no busy loop"
        servers.start(0)
        assert store(log, writer, b"2") == 3
        assert [each.data for each in log.read(2, 5_000)] == [b"2"]
