"""Recordings and replays: any moment, forward and backward, is the state that was; what is done there changes nothing here."""

import contextlib
import gc
import time
import weakref

import pytest

import solvent
import solvent.reference
from solvent import Book, Instrument
from solvent.records import CommandType, command
from solvent.store import replay as replay_module
from support.journals import drawn, play, written

NAMES = ("compiled", "reference")


@pytest.fixture(params=NAMES)
def module(request):
    return solvent if request.param == "compiled" else solvent.reference


@pytest.fixture
def close_points(monkeypatch):
    """Points of a replay every 16 commands, at most eight of them."""
    monkeypatch.setattr(replay_module, "POINT_COMMANDS", 16)
    monkeypatch.setattr(replay_module, "POINTS_MAX", 8)


def recorded(kind, seed: int, commands: int):
    """A recorded exchange after drawn commands, and the digest after each."""
    g, _, _ = drawn(seed, commands)
    ex = kind(g.instruments, rules=g.rules, collateral=g.collateral, seed=7)
    recording, digests = ex.record(), [ex.digest()]
    keep = recording.apply

    def apply(record):
        code = keep(record)
        digests.append(ex.digest())
        return code

    recording.apply = apply
    play(ex, seed, commands)
    return ex, recording, digests


def test_every_moment_is_as_it_was(module, close_points, seed):
    ex, recording, digests = recorded(module.Exchange, seed, 200)
    assert (recording.first, recording.last) == (0, 200)
    for moment in (*range(0, 201, 7), 200, 3, 199, 0):
        assert ex.at(moment).digest() == digests[moment]
    replay = recording.replay()
    for moment in (150, 10, 11, 200, 0, 64, 63):
        assert replay.seek(moment).digest() == digests[moment] and replay.sequence == moment
    assert ex.digest() == digests[-1]


def test_a_past_exchange_goes_its_own_way(module):
    ex = module.Exchange([Instrument("BTC-USDT-SWAP")])
    ex.record()
    ex.deposit("alice", "USDT", 100)
    past = ex.at(1)
    past.deposit("alice", "USDT", 5)
    past.deposit("bob", "USDT", 7)
    assert ex.at(2).account("alice").cash == 100 and past.account("alice").cash == 5
    assert ex.at(1).digest() != past.digest() and past.journal is None


def test_a_step_forward_shows_every_event(module):
    book = module.Book()
    recording = book.record()
    for price in range(100, 110):
        book.order(1, "sell", 1, price_ticks=price)
    replay = recording.replay()
    replay.seek(4)
    cursor = replay.exchange.cursor(solvent.EventType.RESTED)
    replay.forward(2)
    replay.seek(9)
    assert [event.price_ticks for event in cursor] == [104, 105, 106, 107, 108]
    assert replay.forward(100).command_count == 10
    with pytest.raises(solvent.HistoryGone, match="moment 11 is not kept; those from 0 to 10 are"):
        replay.seek(11)


def test_a_recording_may_begin_anywhere(module):
    ex = module.Exchange([Instrument("BTC-USDT-SWAP")])
    ex.deposit("alice", "USDT", 100)
    before = ex.digest()
    ex.record()
    ex.deposit("alice", "USDT", 1)
    assert ex.at(2).digest() == before
    with pytest.raises(solvent.HistoryGone):
        ex.at(1)
    with pytest.raises(solvent.InputError, match="kept already"):
        ex.record()
    with pytest.raises(solvent.InputError, match="call record"):
        module.Book().at(0)


def test_every_way_in_is_recorded(module):
    """submit, revoke, run, batch, and calls that are refused."""
    book = module.Book()
    book.record()
    answer = book.submit(1, 1, 101, 5)
    book.revoke(1, answer.order_id)
    book.revoke(1, 99)
    book.run(b"".join(command(CommandType.ORDER, account=2, side=1, price_ticks=7, size_lots=n) for n in (1, 0, 2)))
    book.batch([("cancel", {"account": 1, "order_id": 5})])
    count = book.command_count
    assert count == 7 and book.at(count).digest() == book.digest() and book.at(1).depth() == ([], [(101, 5)])


def test_a_saved_recording_is_a_journal(module, tmp_path, seed):
    ex, recording, digests = recorded(module.Exchange, seed, 150)
    recording.save(tmp_path / "j")
    for other in (solvent, solvent.reference):
        assert other.replay(tmp_path / "j").seek(77).digest() == digests[77]
        with other.open(tmp_path / "j") as again:
            assert again.digest() == ex.digest() and again.instruments == ex.instruments
    with pytest.raises(solvent.InputError, match="not empty"):
        recording.save(tmp_path / "j")


def test_a_saved_book_is_replayed(module, tmp_path):
    book = module.Book(1_000, max_size_lots=50)
    recording = book.record()
    book.order(1, "sell", 50, price_ticks=1_000)
    recording.save(tmp_path / "b")
    replay = solvent.replay(tmp_path / "b")
    assert isinstance(replay.exchange, Book) and replay.seek(1).digest() == book.digest()
    with pytest.raises(solvent.JournalForeign, match="recording of a Book"):
        solvent.open(tmp_path / "b")


@pytest.mark.parametrize("kept", ["recorded", "journalled"])
def test_a_dropped_exchange_is_freed_at_once(kept, tmp_path):
    if kept == "recorded":
        ex = solvent.Exchange([Instrument("BTC-USDT-SWAP")])
        ex.record()
    else:
        ex = solvent.open(tmp_path / "j", [Instrument("BTC-USDT-SWAP")], sync="interval")
    ex.deposit("alice", "USDT", 1)
    gc.disable()
    try:
        dead = weakref.ref(ex)
        del ex
        assert dead() is None
        if kept == "journalled":
            for _ in range(1_000):  # the thread that syncs may be at it
                with contextlib.suppress(solvent.JournalHeld):
                    assert solvent.open(tmp_path / "j").command_count == 2
                    break
                time.sleep(0.002)
            else:
                raise AssertionError("nobody has the exchange, and the journal is held")
    finally:
        gc.enable()


def test_a_journal_goes_back_while_it_is_written(close_points, seed):
    """`at` on a journalled exchange, across segments and snapshots, and again after more commands."""
    disk, ex = written(seed, 100, segment_bytes=8_192, batch=3)
    digests = {}
    for _ in range(3):
        for _ in range(20):
            ex.advance(ex.time_ns + 1)
            digests[ex.command_count] = ex.digest()
        for moment, digest in digests.items():
            assert ex.at(moment).digest() == digest
    assert ex.at(0).command_count == 0
    with pytest.raises(solvent.HistoryGone):
        ex.at(ex.command_count + 1)


def test_what_is_not_written_out_is_seen_too(tmp_path):
    with solvent.open(tmp_path / "j", [Instrument("BTC-USDT-SWAP")], sync="none") as ex:
        ex.deposit("alice", "USDT", 5)
        assert ex.at(2).account("alice").cash == 5


def test_older_moments_go_with_their_files(tmp_path):
    ex = solvent.open(tmp_path / "j", [Instrument("BTC-USDT-SWAP")], sync="none", snapshot_every=10, keep=3)
    for n in range(1, 101):
        ex.advance(n)
    oldest = min(int(each.name[:20]) for each in (tmp_path / "j").glob("*.journal")) - 1
    assert oldest >= 60 and ex.at(oldest).time_ns == oldest
    with pytest.raises(solvent.HistoryGone, match=f"those from {oldest} to 100 are"):
        ex.at(oldest - 1)
    digest = ex.digest()
    ex.close()
    again = solvent.open(tmp_path / "j")
    assert again.digest() == digest and again.journal.recovery.snapshot >= 90
    assert solvent.replay(tmp_path / "j").first == oldest
    with pytest.raises(solvent.JournalDamaged, match="no snapshot"):
        solvent.reference.replay(tmp_path / "j")
    with pytest.raises(solvent.InputError, match="keep needs snapshots"):
        solvent.reference.open(tmp_path / "k", [Instrument("BTC-USDT-SWAP")], keep=2)


@pytest.mark.long
def test_a_seek_in_a_million_commands_is_quick(tmp_path):
    """Forward and backward, at most a quarter of a second each once the history was read: the least of three, for this machine
    does other things, too."""
    book = Book(retain=False)
    recording = book.record()
    one = b"".join(
        command(CommandType.ORDER, account=n % 7, side=n % 2, price_ticks=1_000 + 7 * n % 13, size_lots=1 + n % 5)
        for n in range(10_000)
    )  # fmt: skip
    for _ in range(100):
        book.run(one)
    began = time.perf_counter()
    assert book.at(400_123).command_count == 400_123
    assert time.perf_counter() - began < 2, "the points that were laid while it was recorded shorten the first way, too"
    assert len(recording._visits._points) > 5
    replay = recording.replay()
    replay.seek(1_000_000)
    for moment in (999_999, 500_001, 1, 65_535, 777_777):
        times = []
        for _ in range(3):
            replay.seek(0 if moment > 500_000 else 1_000_000)
            began = time.perf_counter()
            assert replay.seek(moment).command_count == moment
            times.append(time.perf_counter() - began)
        assert min(times) < 0.25, f"{min(times):.3f} s to moment {moment}"
