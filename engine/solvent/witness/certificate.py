"""The money certificate: every posting as a line, each line hashed over the one before (docs/reference/certificate.md).

Owns the text of the lines, the chain, and the balances that it states at the end. Reads nothing but postings and the ends of
blocks; `store/certify` brings them. The checker (`store/certificate_check.py`) shares no code with it. Cost: O(1) a posting.
"""

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from solvent.schema.events import Event
from solvent.schema.words import Leg, Posting

VERSION = 1

Account = list[str]  # a wallet: its account; an isolated margin: the instrument, too, and of a hedge the leg


class Certificate:
    """Makes the lines of a certificate in turn; each is to be written at once.

    last: the hash of the last line. postings: their number so far.
    """

    def __init__(self) -> None:
        self.last = "0" * 64
        self.postings = 0
        self._balances: dict[tuple[str, ...], int] = {}  # currency, then the purse

    def _line(self, said: dict[str, Any]) -> bytes:
        text = json.dumps(said, separators=(",", ":"))
        self.last = sha256((self.last + text).encode()).hexdigest()
        return f"{self.last} {text}\n".encode()

    def begin(self, decimals: dict[str, int], chain: int) -> bytes:
        """Returns the first line: the currencies with their decimals, and the chain of the journal's header."""
        return self._line({"kind": "certificate", "version": VERSION, "currencies": decimals, "chain": f"{chain:016x}"})

    def post(self, e: Event, time_ns: int, currency: str, purses: tuple[Account, Account]) -> bytes:
        """Returns the line of a LEDGER event."""
        payer, receiver = purses
        self.postings += 1
        self._balances[currency, *payer] = e.payer_after
        self._balances[currency, *receiver] = e.receiver_after
        return self._line({
            "kind": "posting", "seq": e.seq, "time_ns": time_ns, "why": Posting(e.posting).name, "currency": currency,
            "from": payer, "to": receiver, "units": e.amount_units, "from_after": e.payer_after, "to_after": e.receiver_after,
        })  # fmt: skip

    def block(self, command: int, events: int, chain: int) -> bytes:
        """Returns the line that ends a block of the journal: its last command, the checksum of its events, its chain."""
        return self._line({"kind": "block", "command": command, "events": f"{events:016x}", "chain": f"{chain:016x}"})

    def finish(self, command: int) -> Iterator[bytes]:
        """Yields the balance of every purse, and the last line."""
        for (currency, *purse), units in sorted(self._balances.items()):
            yield self._line({"kind": "balance", "currency": currency, "purse": purse, "units": units})
        counts = {"postings": self.postings, "balances": len(self._balances), "command": command}
        yield self._line({"kind": "end"} | counts)


def purses_of(e: Event, names: tuple[str, str], instrument: str) -> tuple[Account, Account]:
    """Returns payer and receiver of a posting. An isolated margin is named by its instrument and leg."""
    margin, leg = e.margin_of & 3, e.margin_of >> 2
    held = [instrument, *([Leg(leg).name.lower()] if leg else [])]
    payer, receiver = [names[0]], [names[1]]
    return (payer + held if margin == 1 else payer), (receiver + held if margin == 2 else receiver)
