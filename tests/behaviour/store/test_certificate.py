"""The money certificate: every damage is found by a checker that knows nothing of solvent.

The journal, the recording and a saved recording give the same certificate. The checker is run as a script, too.
"""

import ast
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

import solvent
from solvent import EventsDropped, EventType, InputError, Instrument, JournalDiverged, JournalForeign
from solvent.app import cli
from solvent.records import CommandType, Posting
from solvent.store import certificate_check as checker
from solvent.store.archive import Archive
from solvent.store.certify import certify
from solvent.store.files import Folder
from support.generator import Generator

SHAPE = 5  # a drawn shape with isolated margins, liquidations and funding
X = Instrument("X", contract_size=1, tick=1, max_price=10_000)


def drawn(seed, commands, **terms):
    """A recorded exchange after a drawn stream."""
    generator = Generator(seed)
    ex = solvent.Exchange(generator.instruments, rules=generator.rules, collateral=generator.collateral, **terms)
    recording = ex.record()
    opening = iter(generator.opening())
    for _ in range(commands):
        record = next(opening, None) or generator.next(ex._kernel)
        ex.venue.coming = generator.candidate
        if (recording.apply(record), record[0]) == (0, CommandType.ADD_INSTRUMENT):
            generator.added()
    return ex, recording


def lines_of(source):
    found = []
    made = certify(source, found.append)
    return found, made


@pytest.fixture(scope="module")
def whole():
    """A certificate of at least 500 lines."""
    _, recording = drawn(SHAPE, 2_500)
    lines, _ = lines_of(recording)
    assert len(lines) > 500
    return lines


def damage(lines):
    """What the checker says, None if nothing."""
    try:
        checker.check(lines)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return error
    return None


def rechained(lines):
    """The same texts with hashes that follow each other: what a forger writes."""
    last, found = "0" * 64, []
    for line in lines:
        text = line[65:-1]
        last = hashlib.sha256(last.encode() + text).hexdigest()
        found.append(last.encode() + b" " + text + b"\n")
    return found


# --- what it says


@pytest.mark.parametrize("seed", range(6))
def test_a_certificate_says_all_that_moved(seed):
    """Every LEDGER event is a line, every balance at the end is the kernel's."""
    ex, recording = drawn(seed, 600)
    lines, made = lines_of(recording)
    books, _, digests, last = checker.check(lines)
    postings = list(ex.cursor(EventType.LEDGER, begin=1))
    told = [json.loads(line[65:]) for line in lines]
    said = [each for each in told if each["kind"] == "posting"]
    assert [(each["seq"], each["why"], each["units"]) for each in said] == [
        (e.seq, Posting(e.posting).name, e.amount_units) for e in postings
    ]  # fmt: skip
    assert (made.postings, made.last) == (books.postings, last) == (len(postings), last) and digests
    for each in (each for each in told if each["kind"] == "balance"):
        name, *margin = each["purse"]
        number = ex._purse(name)
        if margin:
            leg = {"": 0, "long": 1, "short": 2}[margin[1] if margin[1:] else ""]
            rows = [row[4] for row in ex._kernel.positions(number) if row[:2] == (ex.venue.instrument_id(margin[0]), leg)]
            assert rows == [each["units"]]
        else:
            assert ex._kernel.wallet(number, ex.venue.currency_id(each["currency"]))[0] == each["units"]


def test_a_journal_and_its_recording_have_one_certificate(tmp_path):
    _, recording = drawn(SHAPE, 400)
    recording.save(tmp_path / "journal")
    lines, _ = lines_of(recording)
    assert lines_of(Archive(Folder(tmp_path / "journal")))[0] == lines
    assert str(recording.certify(tmp_path / "money")).startswith("Certified(postings=")
    assert (tmp_path / "money").read_bytes() == b"".join(lines)


def test_what_has_no_certificate_is_refused(tmp_path):
    ex = solvent.Exchange([X])
    ex.deposit("alice", "USDT", 1)
    with pytest.raises(EventsDropped, match="after command 2"):
        ex.record().certify(tmp_path / "late")
    with pytest.raises(JournalForeign, match="Book"):
        solvent.Book().record().certify(tmp_path / "book")
    with pytest.raises(InputError, match="add LEDGER"):
        solvent.Exchange([X], log=[EventType.TRADE]).record().certify(tmp_path / "log")


def test_a_journal_that_leads_elsewhere_is_refused(tmp_path, monkeypatch):
    _, recording = drawn(SHAPE, 100)
    recording.save(tmp_path / "journal")
    archive = Archive(Folder(tmp_path / "journal"))
    monkeypatch.setattr("solvent.store.recovery.checksum", lambda state, data: 1)
    with pytest.raises(JournalDiverged):
        lines_of(archive)


# --- damage


@pytest.mark.long
def test_every_line_that_is_dropped_doubled_or_moved_is_found(whole):
    assert damage(whole) is None
    for i, line in enumerate(whole):
        assert damage(whole[:i] + whole[i + 1 :]), f"line {i + 1} dropped"
        assert damage([*whole[:i], line, *whole[i:]]), f"line {i + 1} doubled"
        if i + 1 < len(whole):
            assert damage([*whole[:i], whole[i + 1], line, *whole[i + 2 :]]), f"lines {i + 1} and {i + 2} swapped"
        assert damage(whole[:i]), f"cut before line {i + 1}"
    assert damage([*whole, whole[-1]]) and damage([])


@pytest.mark.long
def test_every_changed_byte_is_found(whole, seed):
    """A flip in each line, and every byte of some lines of each kind."""
    draw, kinds = Random(seed), set()
    for i, line in enumerate(whole):
        kind = json.loads(line[65:])["kind"]
        places = range(len(line)) if kind not in kinds else [draw.randrange(len(line))]
        kinds.add(kind)
        for at in places:
            changed = bytearray(line)
            changed[at] ^= 1 << draw.randrange(8)
            assert damage([*whole[:i], bytes(changed), *whole[i + 1 :]]), (i, at)
    assert kinds == set(checker.KEYS)


FORGERIES = {
    "units": 1, "from_after": 1, "to_after": -1, "seq": -10**9, "balances": 1, "postings": -1, "version": 1, "command": -10**9,
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_a_number_with_a_chain_that_follows_is_found(whole, name):
    """Whoever writes all hashes anew still has to make the money add up."""
    found = 0
    for i, line in enumerate(whole):
        said = json.loads(line[65:])
        if name in said and found < 200:
            said[name] += FORGERIES[name]
            text = json.dumps(said, separators=(",", ":")).encode()
            assert damage(rechained([*whole[:i], line[:65] + text + b"\n", *whole[i + 1 :]])), (i, name)
            found += 1
    assert found


@pytest.mark.parametrize("kind", ["posting", "balance", "certificate", "end"])
def test_a_line_that_is_left_out_with_a_chain_that_follows_is_found(whole, kind):
    places = [i for i, line in enumerate(whole) if json.loads(line[65:])["kind"] == kind]
    assert damage(rechained(whole)) is None
    for i in places[:: max(1, len(places) // 50)]:
        assert damage(rechained([*whole[:i], *whole[i + 1 :]])), (i, kind)
        assert damage(rechained([*whole[:i], whole[i], *whole[i:]])), (i, kind)


# --- against the journal


@pytest.fixture
def kept(tmp_path):
    """A journal of several segments, and its certificate."""
    generator = Generator(SHAPE)
    terms = {"rules": generator.rules, "collateral": generator.collateral}
    with solvent.open(tmp_path / "journal", generator.instruments, **terms, sync="none", segment_bytes=2**14) as ex:
        opening = iter(generator.opening())
        for _ in range(500):
            record = next(opening, None) or generator.next(ex._kernel)
            ex.venue.coming = generator.candidate
            if (ex.journal.apply(record), record[0]) == (0, CommandType.ADD_INSTRUMENT):
                generator.added()
    assert cli.main(["certify", str(tmp_path / "journal"), str(tmp_path / "money")]) == 0
    assert len(list((tmp_path / "journal").glob("*.journal"))) > 2
    return tmp_path


def checked(folder, *arguments):
    """The checker as a script, with nothing of solvent in its way."""
    script = Path(checker.__file__)
    names = [str(folder / each) for each in arguments]
    done = subprocess.run([sys.executable, "-I", str(script), *names], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_script_says_that_it_is_whole(kept):
    for arguments in (["money"], ["money", "journal"]):
        code, text = checked(kept, *arguments)
        assert code == 0 and text.startswith("whole: "), text
    assert checked(kept)[0] == 2 and checked(kept, "nothing")[0] == 1


def test_a_certificate_of_another_journal_is_found(kept, tmp_path):
    other = solvent.Exchange([X])
    recording = other.record()
    other.deposit("alice", "USDT", 5)
    recording.save(tmp_path / "other")
    recording.certify(tmp_path / "others")
    assert checked(kept, "others", "other")[0] == 0
    code, text = checked(kept, "money", "other")
    assert code == 1 and "another" in text
    assert checked(kept, "others", "journal")[0] == 1


def test_damage_of_the_journal_is_found(kept, seed):
    """A flip of any bit of a segment's blocks, and of its header."""
    draw = Random(seed)
    for segment in sorted((kept / "journal").glob("*.journal")):
        data = segment.read_bytes()
        for at in [*(draw.randrange(len(data)) for _ in range(6)), 0, 20, len(data) - 2]:
            changed = bytearray(data)
            changed[at] ^= 1 << draw.randrange(8)
            segment.write_bytes(changed)
            assert checked(kept, "money", "journal")[0] == 1, (segment.name, at)
        segment.write_bytes(data)
    assert checked(kept, "money", "journal")[0] == 0


@pytest.mark.parametrize("field", ["events", "chain"])
def test_a_digest_that_is_not_the_journals_is_found(kept, field):
    lines = (kept / "money").read_bytes().splitlines(keepends=True)
    places = [i for i, line in enumerate(lines) if b'"kind":"block"' in line]
    said = json.loads(lines[places[3]][65:])
    said[field] = f"{int(said[field], 16) ^ 1:016x}"
    lines[places[3]] = b"0" * 64 + b" " + json.dumps(said, separators=(",", ":")).encode() + b"\n"
    (kept / "forged").write_bytes(b"".join(rechained(lines)))
    assert checked(kept, "forged")[0] == 0
    code, text = checked(kept, "forged", "journal")
    assert code == 1 and "another digest" in text


def test_the_checker_is_short_and_stands_alone():
    text = Path(checker.__file__).read_text()
    assert len(text.splitlines()) < 200
    for node in ast.walk(ast.parse(text)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", "")]
        if isinstance(node, ast.Import | ast.ImportFrom):
            assert all(name.split(".")[0] in sys.stdlib_module_names for name in names)


# --- the command line


def test_the_command_line_writes_whole_files_or_none(kept, capsysbinary):
    assert cli.main(["certify", str(kept / "journal"), "-"]) == 0
    assert capsysbinary.readouterr().out == (kept / "money").read_bytes()
    assert cli.main(["certify", str(kept / "nothing"), str(kept / "new")]) == 1
    assert cli.main(["certify", str(kept / "journal"), str(kept / "no" / "new")]) == 2
    assert cli.main(["certify", str(kept / "journal"), str(kept)]) == 2
    segment = min((kept / "journal").glob("*.journal"))
    segment.write_bytes(segment.read_bytes()[:-70])
    assert cli.main(["certify", str(kept / "journal"), str(kept / "money")]) == 3
    assert checked(kept, "money")[0] == 0 and not list(kept.glob("*.new"))
