"""The table of client ids: nobody can choose ids that meet in it, and nothing but time depends on its seed."""

import time

import numpy as np
import pytest

import solvent
import solvent.reference
from solvent import Book, Exchange, InputError, Instrument
from solvent.records import CommandType, Event, dtype
from support.generator import Generator

MASK = 2**64 - 1
K1, K2, K3 = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xBF58476D1CE4E5B9


def unseeded(account, client_id):
    """The hash as it was: everybody could compute it."""
    h = (client_id * K1 ^ account * K2) & MASK
    h ^= h >> 29
    return (h * K3 & MASK) >> 32


def meeting(account, count, bits=20):
    """Client ids that the unseeded hash puts in one place of a table of 2**bits."""
    found, low = [], 0
    back1, back3 = pow(K1, -1, 2**64), pow(K3, -1, 2**64)
    while len(found) < count:
        low += 1
        h = (low & 0xFFFFFFFF) | (low * 2654435761 % 2 ** (32 - bits)) << (32 + bits)
        h = h * back3 & MASK
        h ^= h >> 29 ^ h >> 58
        client_id = (h ^ account * K2 & MASK) * back1 & MASK
        if client_id < 2**63:
            found.append(client_id)
    assert all(unseeded(account, each) & (2**bits - 1) == 0 for each in found[:100])
    return found


def batch(ids, account=1):
    orders = np.zeros(len(ids), dtype("command"))
    orders["type"], orders["records"], orders["account"], orders["size_lots"] = CommandType.ORDER, 1, account, 1
    orders["price_ticks"], orders["client_id"] = np.arange(len(ids)) % 1000 + 1, ids
    return orders


def spent(ids, **more):
    """Seconds for orders with these ids, and again to be told that each was used."""
    orders, best = batch(ids), 1e9
    for _ in range(3):
        book = Book(log=[], **more)
        begun = time.process_time()
        book.run(orders)
        assert (book.run(orders).code == 401).all()
        best = min(best, time.process_time() - begun)
    return best


def patterns(count):
    """Ids that an outsider may think of: meeting in the hash without a seed, and of few bits, in steps, in strides."""
    numbers = np.arange(1, count + 1, dtype=np.uint64)
    yield "chosen", meeting(1, count)
    for shift in (8, 16, 20, 32, 40, 46):
        yield f"shifted by {shift}", (numbers << shift) % 2**63
    yield "high bits", numbers | 2**62
    yield "even spread", numbers * 0x5851F42D4C957F2D % 2**63
    yield "against a splitmix", np.array([each * K3 % 2**63 for each in range(1, count + 1)], dtype=np.uint64)


@pytest.mark.parametrize("seed", [None, 0, 2**64 - 1])
def test_chosen_ids_cost_no_more_than_others(seed):
    """They cost 500 times as much."""
    count = 2**16
    usual = spent(np.arange(1, count + 1), seed=seed)
    for name, ids in patterns(count):
        assert spent(ids, seed=seed) < 6 * usual + 0.01, name


def test_chosen_accounts_cost_no_more():
    """A Book takes any account number: an outsider may choose them too, for one client id."""

    def fill(accounts):
        orders = batch(np.ones(len(accounts), np.uint64))
        orders["account"] = accounts
        best = 1e9
        for _ in range(3):
            book = Book(log=[])
            begun = time.process_time()
            book.run(orders)
            best = min(best, time.process_time() - begun)
        return best

    numbers = np.arange(2**16, dtype=np.uint64)
    usual = fill(numbers)
    for shift in (8, 12, 15):
        assert fill(numbers << shift & 0xFFFFFFF0) < 6 * usual + 0.01, shift


def played(kind, seed, shape):
    generator = Generator(shape)
    ex = kind(generator.instruments, rules=generator.rules, collateral=generator.collateral, seed=seed)
    for record in generator.opening():
        ex._kernel.apply(record)
    for _ in range(600):
        ex._kernel.apply(generator.next(ex._kernel))
    ex.check()
    return ex


@pytest.mark.parametrize("shape", range(8))
def test_no_event_no_answer_and_no_digest_depends_on_it(shape):
    first = played(Exchange, 1, shape)
    for other in (
        played(Exchange, 2**63 + 5, shape),
        played(Exchange, None, shape),
        played(solvent.reference.Exchange, 7, shape),
    ):
        assert other.events().tobytes() == first.events().tobytes()
        assert other.digest() == first.digest()


def test_a_book_with_many_ids_is_the_same_whatever_the_seed():
    orders = np.concatenate([batch(np.arange(1, 200_001)), batch(np.arange(150_000, 250_000))])
    cancel = np.zeros(1, dtype("command"))
    cancel["type"], cancel["records"], cancel["account"], cancel["side"] = CommandType.MASS_CANCEL, 1, 1, 2
    digests = set()
    for seed in (0, 1, 12345, 2**64 - 1, None):
        book = Book(log=[], seed=seed)
        answers = [book.run(each) for each in (orders, cancel, orders)]
        digests.add((book.digest(), *(each.code.tobytes() + each.order_id.tobytes() for each in answers)))
        book.check()
    assert len(digests) == 1


def exchange(**more):
    return Exchange([Instrument("BTC")], **more)


def twin(**more):
    return solvent.reference.Exchange([Instrument("BTC")], **more)


@pytest.mark.parametrize("made", [exchange, twin, Book, solvent.reference.Book])
def test_it_is_drawn_or_given_and_kept(made):
    assert made(seed=5).seed == 5 and made(seed=0).seed == 0 and made(seed=2**64 - 1).seed == 2**64 - 1
    assert len({made().seed for _ in range(4)}) == 4
    for wrong in (-1, 2**64, 1.5, "1", True, b"1"):
        with pytest.raises(InputError):
            made(seed=wrong)


def test_no_event_shows_it():
    ex = Exchange([Instrument("BTC")], seed=0x1122334455667788)
    ex.deposit("bob", "USDT", 5)
    assert (0x1122334455667788).to_bytes(8, "little") not in ex.events().tobytes() + ex._kernel.state()
    assert isinstance(ex._slice(1, 2)[0], Event)
