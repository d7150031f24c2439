"""Drawn streams that can be played again: the commands of one shape, and the exchange that they made."""

from solvent import Exchange
from solvent.records import CommandType
from support.generator import Generator

RUN = 1_000


class Stream:
    """The commands of one drawn shape with what each offered, and the exchange that they made."""

    def __init__(self, shape, wide=False):
        self.generator = Generator(shape, wide)
        self.records, self.offers = [], []
        self.ex = self.fresh()
        opening = iter(self.generator.opening())
        for _ in range(RUN):
            record = next(opening, None) or self.generator.next(self.ex._kernel)
            self.records.append(record)
            self.offers.append(self.generator.candidate)
            if (self.apply(self.ex, len(self.records) - 1), record[0]) == (0, CommandType.ADD_INSTRUMENT):
                self.generator.added()
        assert self.ex.command_count == RUN

    def fresh(self):
        return Exchange(self.generator.instruments, rules=self.generator.rules, collateral=self.generator.collateral)

    def apply(self, ex, n):
        ex.venue.coming = self.offers[n]
        return ex._kernel.apply(self.records[n])

    def after(self, count):
        ex = self.fresh()
        for n in range(count):
            self.apply(ex, n)
        return ex
