"""The batches of a drawn stream: members that the stream would send one by one, of the host or of one account.

Owns the choices, from a source of numbers of its own.
"""

from collections.abc import Callable
from random import Random

from solvent.records import NOBODY, CommandType, command
from solvent.schema.commands import ALONE, batch, records_of


def of(account: int, record: bytes) -> bytes:
    return record[:4] + account.to_bytes(4, "little") + record[8:]


def at(time_ns: int, record: bytes) -> bytes:
    return record[:16] + time_ns.to_bytes(8, "little", signed=True) + record[24:]


def drawn_batch(r: Random, time_ns: int, one: Callable[[], bytes]) -> bytes:
    """Mostly few commands that may be members; sometimes one that may not, another time, nothing, or too many."""
    count = r.choice([1, 2, 2, 3, 3, 4, 6, 12, 0, 257] if r.random() < 0.1 else [1, 2, 2, 3, 3, 4, 6, 12])
    if count > 12:
        return batch([command(CommandType.CANCEL, time_ns=time_ns, order_id=1)] * count, NOBODY, time_ns)
    found = [one() for _ in range(count)]
    if r.random() < 0.95:
        found = [each for each in found if each[0] not in ALONE and each[2] <= 6] or found
    if r.random() < 0.97:
        found = [at(time_ns, each) for each in found]
    whose = NOBODY
    if r.random() < 0.4 and found:
        whose = int.from_bytes(found[0][4:8], "little")
        found = [of(whose, each) for each in found] if r.random() < 0.9 else found
    record = bytearray(batch(found, whose, time_ns))
    if r.random() < 0.02:  # members that are cut off
        record[56:64] = r.randrange(len(record) // 64).to_bytes(8, "little")
    if r.random() < 0.02:  # no head
        record[2] = 1
    return bytes(record[: records_of(record) * 64])
