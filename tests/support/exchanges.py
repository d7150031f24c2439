"""Exchanges of both implementations with an auditor behind every command."""

from solvent.api.exchange import Exchange
from solvent.auditor import Auditor
from solvent.records import decode


class AuditedKernel:
    """A kernel whose every command is followed by the auditor; strictly, also by all comparisons of state.

    Strictly means: nobody below a takeover threshold, the exchange's reads equal to the auditor's books,
    check() silent, and the state untouched by a refused command.
    """

    def __init__(self, ex: Exchange, kernel, strict: bool):
        self.__dict__.update(ex=ex, kernel=kernel, strict=strict, auditor=Auditor(ex))

    def __getattr__(self, name):
        return getattr(self.kernel, name)

    def __setattr__(self, name, value):
        setattr(self.kernel, name, value)

    def _audited(self, call, argument):
        begin = self.kernel.next_seq
        result = call(argument)
        self.auditor.follow(decode(memoryview(self.kernel.view(begin, self.kernel.next_seq))))
        return result

    def run(self, records):
        return self._audited(self.kernel.run, records)

    def apply(self, record) -> int:
        if not self.strict:
            return self._audited(self.kernel.apply, record)
        before, clock_ns = self.kernel.state(), self.kernel.clock_ns
        code = self._audited(self.kernel.apply, record)
        self.auditor.check_safety()
        self.auditor.compare(self.ex)
        self.ex.check()
        if code and self.kernel.clock_ns == clock_ns:
            assert self.kernel.state() == before, "KER-2: a rejected command changes nothing"
        return code


def audited(base: type[Exchange], strict: bool) -> type[Exchange]:
    class Audited(base):
        def _make_kernel(self):
            return AuditedKernel(self, super()._make_kernel(), strict)

    return Audited
