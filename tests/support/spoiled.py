"""Records that are wrong: one field changed, or plain garbage.

Owns what is hostile. Never changes a record's clock to later: every command after it would come too early.
"""

from random import Random

from solvent.records import CommandType
from solvent.schema.layouts import layout

HOSTILE = (0, 1, 2, 15, 255, 2**31 - 1, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1)
FIELDS = [field for name, field in layout("command").items() if name not in ("", "records")]
SECOND = [field for name, field in layout("extension").items() if name]


def spoiled(r: Random, record: bytes, time_ns: int) -> bytes:
    """A record with one wrong field, or with garbage in its place."""
    found = bytearray(record)
    if r.random() < 0.8:
        offset, size = r.choice(FIELDS)
        if record[0] == CommandType.ORDER and len(record) > 64 and r.random() < 0.6:
            offset, size = r.choice(SECOND)
            offset += 64
        value = r.choice([*HOSTILE, r.randrange(2**64)])
        found[offset : offset + size] = (value % 256**size).to_bytes(size, "little")
    else:
        found[3:64] = r.randbytes(61)
        if len(record) > 64 and record[0] == CommandType.ORDER:
            found[64:128] = r.randbytes(64)
    told_ns = min(int.from_bytes(found[16:24], "little", signed=True), time_ns)
    found[16:24] = told_ns.to_bytes(8, "little", signed=True)
    return bytes(found)
