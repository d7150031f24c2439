"""Hostile values: every field of every command with every odd number, on both kernels (layer 16).

Owns the table. Each pair is one command at an exchange with positions, orders and money. Both kernels answer with the same
declared code and the same events; what is refused says BEGIN and nothing else. tests/behaviour/api/test_odd_values.py does the
same for the parameters of methods, where odd values are no numbers.
"""

from collections import Counter
from collections.abc import Iterator

import solvent
import solvent.reference
from solvent import Instrument
from solvent.records import CommandType, command, extension, layout
from solvent.schema.answers import possible

C = CommandType
VALUES = sorted({
    sign * (2**power + step) for power in (0, 1, 4, 7, 8, 15, 16, 31, 32, 39, 53, 60, 62, 63, 64)
    for step in (-1, 0, 1) for sign in (1, -1)
})  # fmt: skip
BASE = {
    C.OPEN_ACCOUNT: {"records": 2}, C.DEPOSIT: {"account": 16, "amount": 5}, C.WITHDRAW: {"account": 16, "amount": 5},
    C.SEED_FUND: {"amount": 5}, C.SET_LEVERAGE: {"account": 16, "amount": 10}, C.MOVE_MARGIN: {"account": 17, "amount": 5},
    C.MARK: {"price_ticks": 500_000}, C.FUNDING: {"amount": 10, "order_id": 1}, C.INDEX: {"price_ticks": 500_000},
    C.SET_POSITION_MODE: {"account": 16, "instrument": 1}, C.TRANSFER: {"account": 16, "order_id": 18, "amount": 5},
    C.ORDER: {"account": 16, "price_ticks": 500_000, "size_lots": 1},
    C.AMEND: {"account": 16, "order_id": 2 << 24, "size_lots": 2},
    C.CANCEL: {"account": 16, "order_id": 2 << 24}, C.MASS_CANCEL: {"account": 16, "side": 2},
    C.SOURCE: {"price_ticks": 500_000},
    C.ADD_INSTRUMENT: {"records": 2}, C.HALT: {}, C.SETTLE: {}, C.ADVANCE: {}, C.SET_LAST: {"price_ticks": 500_000},
    C.TIMER: {"account": 16, "timeout_ns": 10**9}, C.DISCONNECT: {"account": 16, "tag": 7},
    C.AMEND_TRIGGER: {"account": 16, "order_id": 2 << 24, "trigger_ticks": 500_000}, C.SET_STATE: {},
    C.ATTACH: {"account": 16, "records": 2, "size_lots": 1},
}  # fmt: skip
ARMED = {"trigger_kind": 1, "trigger_ticks": 510_000, "expiry_ns": 10**9, "hedge_side": 0}


def opened(base):
    """Two who hold positions, one isolated; an order that rests; a sub-account; an index and marks."""
    ex = base([Instrument("X"), Instrument("Y")], currencies={"EUR": 2}, retain=True)
    for name in "ab":
        ex.deposit(name, "USDT", 10_000)
    ex.open_account("a/sub", parent="a")
    for name in "XY":
        ex.mark(name, 50_000)
        ex.index(name, 50_000)
    ex.set_leverage("b", "X", 10, mode="isolated")
    ex.order("a", "X", "buy", 5, price=49_000, client_id=3).ok()
    ex.order("b", "X", "sell", 5, price=49_000).ok()
    ex.order("a", "X", "buy", 5, price=48_000, client_id=4).ok()
    return ex


def pairs() -> Iterator[bytes]:
    """One record for each command, field and value; several numbers are the same in a narrow field, and are sent once."""
    seen = set()
    for (
        kind,
        terms,
    ) in BASE.items():  # a batch has a framing of its own, and tests of its own (tests/agreement/test_batches.py)
        plain = command(kind, **terms) + bytes(64 * (terms.get("records", 1) - 1))
        shapes = [(plain, layout("command"), 0)]
        if kind == C.ORDER:
            armed = command(kind, records=2, **terms) + extension(**ARMED)
            shapes.append((armed, layout("extension"), 64))
        for record, fields, base in shapes:
            for name, (at, size) in fields.items():
                if name in ("", "records", "type"):
                    continue
                for value in VALUES:
                    changed = bytearray(record)
                    changed[base + at : base + at + size] = (value % 256**size).to_bytes(size, "little")
                    if bytes(changed) not in seen:
                        seen.add(bytes(changed))
                        yield bytes(changed)


def play() -> Counter[str]:
    """Every pair on both kernels, each at an exchange on which fewer than a hundred commands were accepted."""
    count, exchanges, accepted = Counter(), [], 0
    for record in pairs():
        if accepted % 100 == 0:
            accepted += 1
            exchanges = [opened(base) for base in (solvent.Exchange, solvent.reference.Exchange)]
        kernels = [ex._kernel for ex in exchanges]
        begins, clock_ns = [kernel.next_seq for kernel in kernels], kernels[0].clock_ns
        codes = [int(kernel.apply(record)) for kernel in kernels]
        told = [bytes(kernel.view(begin, kernel.next_seq)) for kernel, begin in zip(kernels, begins, strict=True)]
        assert codes[0] == codes[1] and told[0] == told[1], f"the kernels differ: {record.hex()}"
        assert possible(int.from_bytes(record[:2], "little"), codes[0]), f"{codes[0]} is no answer: {record.hex()}"
        assert not codes[0] or kernels[0].clock_ns != clock_ns or len(told[0]) == 64, f"refused, and more: {record.hex()}"
        count.update(pairs=1, accepted=codes[0] == 0)
        if codes[0] == 0:
            accepted += 1
            for ex in exchanges:
                ex.check()
            if kernels[0].clock_ns > 10**12:
                accepted = 0
    return count
