"""What callers of a kernel seldom do: records of another length, empty runs, numbers that are none, names twice."""

import pytest

import solvent
import solvent.reference
from solvent import Instrument
from solvent.codes import Code, InputError, Rejected
from solvent.records import CommandType, command


@pytest.fixture(params=["compiled", "reference"])
def ex(request):
    module = solvent if request.param == "compiled" else solvent.reference
    return module.Exchange([Instrument("X")])


@pytest.mark.parametrize("record", [b"", bytes(63), bytes(128), command(CommandType.ADVANCE) + bytes(64)])
def test_a_record_of_another_length_than_it_says_is_refused(ex, record):
    before = ex.digest()
    assert ex._kernel.apply(record) == Code.BAD_RECORD and ex.digest() == before


def test_a_run_of_nothing_does_nothing(ex):
    before = ex.digest()
    assert bytes(ex._kernel.run(memoryview(b""))) == b"" and ex.digest() == before


def test_direct_calls_refuse_what_is_no_number_or_too_large(ex):
    ex.deposit("a", "USDT", 100)
    before = ex.digest()
    for account, client_id in ((16.0, 0), (16, 2**63), (2**40, 0)):
        with pytest.raises(InputError):
            ex._kernel.submit(account, 0, 500_000, 1, client_id=client_id)
    with pytest.raises(InputError):
        ex._kernel.revoke("a", 1)
    assert ex.digest() == before


def test_a_name_that_is_taken_and_a_parent_that_cannot_be_one_are_refused(ex):
    ex.open_account("a")
    ex.open_account("a/b", parent="a")
    before = ex.digest()
    for name, parent, code in (("a", None, "ACCOUNT_EXISTS"), ("c", "a/b", "UNKNOWN_ACCOUNT"), ("c", 99, "UNKNOWN_ACCOUNT")):
        with pytest.raises(Rejected, match=code):
            ex.open_account(name, parent=parent)
    assert ex._kernel.apply(command(CommandType.OPEN_ACCOUNT)) == Code.BAD_RECORD and ex.digest() == before
