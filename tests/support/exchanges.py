"""Exchanges of both implementations with an auditor behind every command."""

from solvent.api.exchange import Exchange
from solvent.auditor import Auditor
from solvent.records import decode


class AuditedKernel:
    """A kernel whose every command is followed by the auditor; after each `every` commands all states are compared too.

    All compared means: nobody below a takeover threshold, the exchange's reads equal to the auditor's books, check() silent.
    Where states are compared at all, each refused command has to leave the state untouched.
    """

    def __init__(self, ex: Exchange, kernel, every: int):
        self.__dict__.update(ex=ex, kernel=kernel, every=every, applied=0, auditor=Auditor(ex))

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
        if not self.every:
            return self._audited(self.kernel.apply, record)
        before, clock_ns = self.kernel.state(), self.kernel.clock_ns
        code = self._audited(self.kernel.apply, record)
        self.__dict__["applied"] += 1
        if self.applied % self.every == 0:
            self.compare()
        if code and self.kernel.clock_ns == clock_ns:
            assert self.kernel.state() == before, "KER-2: a rejected command changes nothing"
        return code

    def compare(self) -> None:
        self.auditor.check_safety()
        self.auditor.compare(self.ex)
        self.ex.check()


def audited(base: type[Exchange], every: int, made: list[AuditedKernel] | None = None) -> type[Exchange]:
    """The class of exchanges that are compared after each `every` commands (0: never); `made` collects their kernels."""

    class Audited(base):
        def _make_kernel(self):
            kernel = AuditedKernel(self, super()._make_kernel(), every)
            if made is not None:
                made.append(kernel)
            return kernel

    return Audited
