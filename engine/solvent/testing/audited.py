"""Exchanges of both implementations with the auditor behind every command.

Owns when the auditor looks, and what is compared. Never changes what an exchange answers. Raises InvariantBroken at the first
command after which something does not add up.
Cost: O(1) an event, and O(accounts) a command; a comparison reads the whole state.
"""

from typing import Any

from solvent.api.backend import decode
from solvent.api.exchange import Exchange
from solvent.schema.codes import InvariantBroken
from solvent.witness.auditor import Auditor

__all__ = ["AuditedKernel", "audited"]


class AuditedKernel:
    """Applies commands as a kernel does, and shows each one's events to the auditor.

    After each `every` commands all states are compared, too: nobody is below a takeover threshold, the exchange's reads equal
    the auditor's books, and check() is silent. If `every` is not 0, each refused command must leave the state untouched.
    """

    def __init__(self, ex: Exchange, kernel: Any, every: int):
        self.__dict__.update(ex=ex, kernel=kernel, every=every, applied=0, auditor=Auditor(ex))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.kernel, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.kernel, name, value)

    def _audited(self, call: Any, *arguments: Any, **named: Any) -> Any:
        begin = self.kernel.next_seq
        result = call(*arguments, **named)
        self.auditor.follow(decode(memoryview(self.kernel.view(begin, self.kernel.next_seq))))
        return result

    def run(self, records: Any) -> Any:
        """Applies a batch, and audits its events."""
        return self._audited(self.kernel.run, records)

    def submit(self, *terms: int, **named: int) -> Any:
        """Sends an ORDER from integers, and audits its events."""
        return self._audited(self.kernel.submit, *terms, **named)

    def revoke(self, account: int, order_id: int) -> Any:
        """Sends a CANCEL from integers, and audits its events."""
        return self._audited(self.kernel.revoke, account, order_id)

    def apply(self, record: bytes) -> int:
        """Applies a command, audits its events, and compares all states where it is time to."""
        if not self.every:
            return int(self._audited(self.kernel.apply, record))
        before, clock_ns = self.kernel.state(), self.kernel.clock_ns
        code = int(self._audited(self.kernel.apply, record))
        self.__dict__["applied"] += 1
        if self.applied % self.every == 0:
            self.compare()
        if code and self.kernel.clock_ns == clock_ns and self.kernel.state() != before:
            raise InvariantBroken(f"KER-2: a rejected command (code {code}) changed the state")
        return code

    def compare(self) -> None:
        """Compares all states now."""
        self.auditor.check_safety()
        self.auditor.compare(self.ex)
        self.ex.check()


def audited(base: type[Exchange] = Exchange, every: int = 1, made: list[AuditedKernel] | None = None) -> type[Exchange]:
    """Makes a class of exchanges that are audited.

    base: the implementation, solvent.Exchange or solvent.reference.Exchange. every: after how many commands all states are
    compared; 0 leaves it to assert_conserved. made: a list that collects the kernels.

    >>> from solvent import Instrument
    >>> from solvent.testing import audited
    >>> ex = audited()([Instrument("BTC-USDT-SWAP")])
    >>> ex.deposit("alice", "USDT", 1_000)
    >>> ex._kernel.auditor.closes > 0
    True
    """

    class Audited(base):  # type: ignore[misc, valid-type]
        def _make_kernel(self) -> Any:
            kernel = AuditedKernel(self, super()._make_kernel(), every)
            if made is not None:
                made.append(kernel)
            return kernel

    return Audited
