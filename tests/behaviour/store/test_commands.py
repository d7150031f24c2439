"""`solvent verify`, `replay` and `inspect`: what they print, and their exit codes. None writes anything."""

import re

import pytest

import solvent
from solvent import Book, Instrument
from solvent.app.cli import main


@pytest.fixture
def journal(tmp_path):
    with solvent.open(tmp_path / "j", [Instrument("BTC-USDT-SWAP")], snapshot_every=4) as ex:
        for name in ("alice", "bob"):
            ex.deposit(name, "USDT", 1_000)
        ex.mark("BTC-USDT-SWAP", 50_000)
        ex.order("bob", "BTC-USDT-SWAP", "sell", 2, price=50_000)
        ex.order("alice", "BTC-USDT-SWAP", "buy", 1, price=50_000)
        ex.add_instrument(Instrument("ETH-USDT-SWAP", tick="0.01"))
        ex.cancel("alice", 99)
        digest = ex.digest()
    return tmp_path / "j", digest


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def run(capsys, *words):
    code = main([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_sound_journal_is_verified(journal, capsys):
    folder, digest = journal
    before = contents(folder)
    code, out, _ = run(capsys, "verify", folder)
    assert code == 0 and f"commands 1 to 9, 2 snapshots, digest {digest:016x}" in out and "up to command 9" in out
    assert contents(folder) == before


def test_a_journal_that_is_open_may_be_read(tmp_path, capsys):
    with solvent.open(tmp_path / "j", [Instrument("BTC-USDT-SWAP")]) as ex:
        ex.deposit("alice", "USDT", 5)
        assert run(capsys, "verify", tmp_path / "j")[0] == 0


@pytest.mark.parametrize("ending", [".journal", ".snapshot"])
def test_damage_is_told_with_its_place_and_code_3(journal, capsys, ending):
    folder, _ = journal
    path = sorted(folder.glob(f"*{ending}"))[0]
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    before = contents(folder)
    code, out, err = run(capsys, "verify", folder)
    assert code == 3 and not out and re.search(rf"{path.name}, byte \d+: ", err)
    assert contents(folder) == before


def test_other_events_are_told_with_code_3(journal, capsys, monkeypatch):
    """A build that computes otherwise: here the checksum of a block's events is another one."""
    monkeypatch.setattr("solvent.store.recovery.checksum", lambda state, data: 5)
    code, _, err = run(capsys, "verify", journal[0])
    assert code == 3 and "commands give other events than the journal says" in err


def test_a_moment_is_shown(journal, capsys):
    code, out, _ = run(capsys, "replay", journal[0], "--to", 6)
    assert code == 0 and "after command 6 of 9" in out and "BTC-USDT-SWAP: mark 50000, ask 2 at 50000" in out
    code, out, _ = run(capsys, "replay", journal[0])
    assert code == 0 and f"digest {journal[1]:016x}" in out and "ask 1 at 50000" in out and "ETH-USDT-SWAP: mark none" in out
    assert run(capsys, "replay", journal[0], "--to", 99)[0] == 1


def test_commands_are_listed_in_names_and_decimals(journal, capsys):
    code, out, _ = run(capsys, "inspect", journal[0])
    assert code == 0
    assert "7  ORDER account alice instrument BTC-USDT-SWAP side buy price 50000 size 1  -> OK" in out
    assert "9  CANCEL account alice order_id 99  -> UNKNOWN_ORDER" in out
    code, out, _ = run(capsys, "inspect", journal[0], "--from", 7, "--count", 1, "--events")
    assert "TRADE" in out and "maker bob taker alice" in out and "ORDER account bob" not in out
    assert run(capsys, "inspect", journal[0], "--from", 0)[0] == 2


def test_a_recording_of_a_book_is_listed_too(tmp_path, capsys):
    book = Book()
    recording = book.record()
    book.order(1, "sell", 5, price_ticks=101)
    recording.save(tmp_path / "b")
    code, out, _ = run(capsys, "inspect", tmp_path / "b", "--events")
    assert code == 0 and "price_ticks 101" in out and "RESTED" in out
    assert run(capsys, "verify", tmp_path / "b")[0] == 0
    code, out, _ = run(capsys, "replay", tmp_path / "b")
    assert code == 0 and "ask 5 at 101 ticks" in out


def test_what_is_no_journal_is_refused(tmp_path, capsys):
    (tmp_path / "letter").write_text("Dear")
    for words in (("verify", tmp_path), ("replay", tmp_path / "none"), ("inspect", tmp_path)):
        assert run(capsys, *words)[0] == 1
    assert run(capsys, "verify")[0] == 2
