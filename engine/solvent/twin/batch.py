"""Batches: several commands as one. ext/solvent/_core/batch has the contract.

Owns the form of a batch. Never applies a command: the kernel hands in how, for a copy of itself and for itself. Cost: a copy
of the whole exchange, and the commands twice.
"""

from collections.abc import Callable

from solvent.schema.codes import Code
from solvent.schema.commands import ALONE, Batch, read
from solvent.schema.layouts import COMMAND, NOBODY, RECORD_BYTES
from solvent.schema.limits import BATCH_MAX, MEMBER_RECORDS_MAX
from solvent.schema.words import CommandType

Member = tuple[int, int, int, Code, int]  # order id, filled lots, resting lots, code, number of its first event


def members_of(head: Batch, data: bytes) -> tuple[list[bytes], Code, int]:
    """Returns the members of a batch; what refuses it whatever the state is, and the member that is to blame."""
    found: list[bytes] = []
    if not data:
        return found, Code.BAD_BATCH, 0
    while data:
        fields = COMMAND.unpack(data[:RECORD_BYTES])
        kind, count = fields[:2]
        full = len(found) == BATCH_MAX
        if full or not 1 <= count <= MEMBER_RECORDS_MAX or count * RECORD_BYTES > len(data):
            return found, Code.NOT_IN_A_BATCH if kind == CommandType.BATCH and not full else Code.BAD_BATCH, len(found)
        if kind in ALONE:
            return found, Code.NOT_IN_A_BATCH, len(found)
        if read(fields).time_ns != head.time_ns or head.account not in (NOBODY, fields[3]):
            return found, Code.OTHER_THAN_BATCH, len(found)
        found.append(data[: count * RECORD_BYTES])
        data = data[count * RECORD_BYTES :]
    return found, Code.OK, len(found)


def apply_members(members: list[bytes], apply: Callable[[bytes], Member]) -> tuple[list[Member], Code]:
    """Applies the members in turn, up to the first that is refused. Returns the answers before it, and its code."""
    done: list[Member] = []
    for each in members:
        answer = apply(each)
        if answer[3] not in (Code.OK, Code.AMEND_NOTHING):
            return done, answer[3]
        done.append(answer)
    return done, Code.OK
