"""Forks and images: what goes on as if nothing had been, what is refused, and what memory does meanwhile."""

import gc
import itertools
from random import Random

import pytest

import solvent
import solvent.reference
from solvent import Book, Busy, Exchange, InputError, Instrument, Trigger
from solvent._core.base import pool
from solvent._core.base.checksum import checksum
from solvent.records import CommandType, EventType, command
from support.generator import Generator
from support.twins import pair

RUN = 1_000  # commands of one drawn shape
ALWAYS_EMPTY = {"ledger.touched", "due.order_ids"}  # between two commands


def stream(seed: int, number: int):
    """(index, record, kernel before it, exchange) of so many drawn commands; the exchange follows."""
    generator = Generator(seed, wide=True)
    ex = pair(generator)[number]
    opening = iter(generator.opening())
    for n in range(RUN):
        record = next(opening, None) or generator.next(ex._kernel)
        ex.venue.coming = generator.candidate
        yield n, record, ex
        if record[0] == CommandType.ADD_INSTRUMENT and ex._kernel.instrument_count > len(generator.instruments):
            generator.added()


def applied(kernel, record: bytes) -> tuple[int, bytes]:
    begin = kernel.next_seq
    code = kernel.apply(record)
    return code, bytes(kernel.view(begin, kernel.next_seq))


def follows(seed: int, number: int, copies) -> None:
    """Each copy answers like the original, byte for byte. copies(ex, blank): new copies at one moment."""
    followers: list = []
    blank = None
    for n, record, ex in stream(seed, number):
        if blank is None:
            blank = [ex._make_kernel() for _ in range(RUN // 125)]
        if n % 125 == 124:
            before = ex._kernel.state()
            followers = [*copies(ex._kernel, blank.pop()), *followers[:3]]
            assert ex._kernel.state() == before
            for follower in followers[:2]:
                assert follower.state() == before and follower.check() is None
                assert follower.next_seq == follower.first_seq == ex._kernel.next_seq
                assert follower.last == ex._kernel.last and follower.command_seq == ex._kernel.command_seq
        told = applied(ex._kernel, record)
        for follower in followers:
            assert applied(follower, record) == told, f"shape seed {seed}, command {n}"
    assert len({follower.state() for follower in followers} | {ex._kernel.state()}) == 1


@pytest.mark.long
def test_copies_go_on_like_the_original(seed):
    """Forks, forks of forks and what is made from images: 40 shapes of the compiled core, 5 followers each; every block of
    memory has something in it at some time."""
    used, seen = set(), set()

    def copies(kernel, fresh):
        image = kernel.image()
        seen.update(name for name, *_ in image)
        used.update(name for name, _, count, _ in image if count)
        fresh.restore(image)
        del image
        return kernel.fork().fork(), fresh

    for i in range(40):
        follows(seed * 1_000_003 + i, 0, copies)
    assert seen - used == ALWAYS_EMPTY and len(seen) > 35


@pytest.mark.long
def test_forks_of_the_reference_go_on_like_the_original(seed):
    for i in range(3):
        follows(seed * 1_000_003 + i, 1, lambda kernel, _: [kernel.fork(), kernel.fork()])


def busy_exchange() -> Exchange:
    ex = Exchange([Instrument("BTC"), Instrument("ETH")], seed=3)
    for name in ("ann", "bob"):
        ex.deposit(name, "USDT", 10**6)
    ex.mark("BTC", 50_000)
    ex.mark("ETH", 3_000)
    ex.order("ann", "BTC", "buy", 5, price=50_000, client_id=5)
    ex.order("bob", "BTC", "sell", 3, price=50_000)
    ex.order("ann", "BTC", "sell", 1, trigger=Trigger.trailing(distance=100), client_id=6)
    ex.order("ann", "ETH", "sell", 1, price=3_100, tif="gtd", expiry_ns=10**9)
    return ex


def plain(image) -> list[tuple[str, int, int, bytes]]:
    return [(name, item_bytes, count, bytes(data)) for name, item_bytes, count, data in image]


def fresh(**more):
    return Exchange([Instrument("BTC"), Instrument("ETH")], **more)._kernel


def test_an_image_has_a_checksum_and_no_addresses():
    """The chain over the data of all blocks; images of equal states have equal bytes, wherever they lie in memory."""
    ex = busy_exchange()
    blocks = plain(ex._kernel.image())
    found = 0
    for *_, data in blocks:
        found = checksum(found, data)
    assert fresh().restore(blocks) == found == fresh().restore(blocks, found)
    assert plain(busy_exchange()._kernel.image()) == blocks
    with pytest.raises(InputError, match="checksum"):
        fresh().restore(blocks, found ^ 1)


def test_no_command_runs_while_an_image_is_held():
    ex = busy_exchange()
    kernel = ex._kernel
    image = kernel.image()
    for call in (lambda: ex.mark("BTC", 50_001), kernel.state, kernel.image, kernel.fork, lambda: ex.account("ann")):
        with pytest.raises(Busy, match="image"):
            call()
    before = plain(image)
    held = next(data for name, _, _, data in image if name == "pool.orders")
    assert held.readonly and held.nbytes
    del image
    with pytest.raises(Busy):
        ex.mark("BTC", 50_001)
    held.release()
    ex.mark("BTC", 50_001)
    assert plain(kernel.image()) != before
    ex.mark("BTC", 50_002)


def test_other_images_are_refused_and_change_nothing():
    ex = busy_exchange()
    blocks = plain(ex._kernel.image())
    target = fresh()
    state = target.state()
    others = {
        "the exchange has applied commands": None,
        "nothing": [],
        "no state": blocks[:7],
        "one block too few": blocks[:-1],
        "one block too many": [*blocks, blocks[-1]],
        "blocks swapped": [*blocks[:8], blocks[9], blocks[8], *blocks[10:]],
        "a cut block": [(n, i, c, d[:-1] if n == "pool.orders" else d) for n, i, c, d in blocks],
        "another count": [(n, i, c + (n == "pool.orders"), d) for n, i, c, d in blocks],
        "another item": [(n, i * 2 if n == "pool.orders" else i, c, d) for n, i, c, d in blocks],
        "no tuple": [list(block) for block in blocks],
        "other instruments": plain(Exchange([Instrument("BTC")])._kernel.image()),
        "another rule set": plain(Exchange([Instrument("BTC"), Instrument("ETH")], rules="okx_consistent")._kernel.image()),
        "a book": plain(Book()._kernel.image()),
        "another layout": [("head", blocks[0][1], 1, bytes([blocks[0][3][0] + 1]) + blocks[0][3][1:]), *blocks[1:]],
        "another log": plain(Exchange([Instrument("BTC"), Instrument("ETH")], log=[EventType.TRADE])._kernel.image()),
        "no names": [(n, i, 0, b"") if n.startswith("account.") else (n, i, c, d) for n, i, c, d in blocks],
    }  # fmt: skip
    for what, image in others.items():
        with pytest.raises(InputError):
            (ex._kernel if image is None else target).restore(blocks if image is None else image)
        assert target.state() == state and target.check() is None, what
    target.restore(blocks)
    assert target.state() == ex._kernel.state()


def test_damaged_images_never_crash(seed):
    """Words of every block replaced, without a checksum: refused, or taken; never a crash, and never half."""
    random = Random(seed)
    blocks = plain(busy_exchange()._kernel.image())
    refused = 0
    for _ in range(4_000):
        at = random.choice([i for i, block in enumerate(blocks) if block[3] and i >= 7])
        name, item_bytes, count, data = blocks[at]
        damaged = bytearray(data)
        place = random.randrange(len(data)) & ~3
        damaged[place : place + 4] = random.choice([b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f", random.randbytes(4)])
        target = fresh()
        try:
            target.restore([*blocks[:at], (name, item_bytes, count, bytes(damaged)), *blocks[at + 1 :]])
        except (InputError, MemoryError):
            refused += 1
    assert refused > 1_000


def test_every_flipped_bit_is_refused_with_a_checksum(seed):
    random = Random(seed)
    blocks = plain(busy_exchange()._kernel.image())
    found = fresh().restore(blocks)
    target = fresh()
    for _ in range(2_000):
        at = random.choice([i for i, block in enumerate(blocks) if block[3]])
        name, item_bytes, count, data = blocks[at]
        bit = random.randrange(8 * len(data))
        damaged = bytearray(data)
        damaged[bit >> 3] ^= 1 << (bit & 7)
        with pytest.raises((InputError, MemoryError)):
            target.restore([*blocks[:at], (name, item_bytes, count, bytes(damaged)), *blocks[at + 1 :]], found)
    assert target.restore(blocks, found) == found


@pytest.mark.parametrize("what", ["fork", "image", "restore"])
def test_without_memory_nothing_happens(what):
    """Each request for memory fails once; the original goes on, and nothing is held."""
    ex = busy_exchange()
    kernel, blocks = ex._kernel, plain(ex._kernel.image())
    state = kernel.state()
    for nth in itertools.count(1):
        target = fresh()
        begun = pool.deny(nth)
        try:
            result = {"fork": kernel.fork, "image": kernel.image, "restore": lambda target=target: target.restore(blocks)}[
                what
            ]()
        except MemoryError:
            assert pool.deny(0) >= begun + nth
            assert kernel.state() == state and kernel.check() is None and target.check() is None
            continue
        pool.deny(0)
        break
    assert nth > 5, result
    del result
    ex.mark("BTC", 50_001)


def test_what_the_reference_says():
    twin = solvent.reference.Exchange([Instrument("BTC")])._kernel
    for call in (twin.image, lambda: twin.restore([])):
        with pytest.raises(InputError, match="journal"):
            call()


def test_restless_pools_do_not_matter(seed):
    """Where pools have no spare room, move at every growth and overwrite what they left, copies do the same."""
    pool.restless(True)
    try:
        ex = busy_exchange()
        restored = fresh()
        restored.restore(ex._kernel.image())
        kernels = [ex._kernel, ex._kernel.fork(), restored]
        random = Random(seed)
        for n in range(600):
            price, size = random.choice([499_000, 500_000, 501_000]), random.randint(1, 3)
            order = {
                "account": random.choice([16, 17]),
                "side": n & 1,
                "price_ticks": price,
                "size_lots": size,
                "client_id": n + 10,
            }
            answers = {tuple(applied(kernel, command(CommandType.ORDER, **order))) for kernel in kernels}
            assert len(answers) == 1
        assert len({kernel.state() for kernel in kernels}) == 1 and kernels[0].state() != busy_exchange()._kernel.state()
    finally:
        pool.restless(False)


def test_what_a_fork_holds_is_its_own():
    """Neither waits for the other, and a dropped one is freed at once."""
    gc.collect()
    gc.disable()
    try:
        ex = busy_exchange()
        fork = ex.fork()
        state = fork._kernel.state()
        del ex
        assert fork._kernel.state() == state
        fork.check()
        fork.order("bob", "BTC", "sell", 1, price=50_000)
        fork.check()
    finally:
        gc.enable()
