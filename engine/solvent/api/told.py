"""The reads that events answer: statements, the stories of liquidations, cascades.

Owns the sums of statements, and the way to all events: those that are held, or those of the commands that are kept. Never
sends a command. The rooms that render are imported on first use. Cost: one pass over the events, as each room says.
"""

from typing import TYPE_CHECKING

from solvent.api.reads import Acct, Inst, Reads
from solvent.schema.codes import InputError
from solvent.schema.words import Purse
from solvent.terms.order_words import int_within

if TYPE_CHECKING:
    from solvent.api import cascades, liquidations, statements
    from solvent.api import why as stories
    from solvent.witness.sums import Sums


class Told(Reads):
    """Answers questions about the past of an exchange."""

    _sums: "Sums | None" = None  # of statements

    def statement(self, account: Acct) -> "statements.Statement":
        """Returns what an account paid and got since the first event, by reason, and what it traded, as a Statement.

        account: a name or an id; "<fees>", "<fund>" and the other purses of the house have statements, too. The sums are made
        from events. The first call reads all of them, a later one only those since. With retain=False the commands are
        replayed for it if they are kept (`record`, solvent.open), else the first call must come before the first command. From
        then on events are held until the next call.

        Raises Rejected(UNKNOWN_ACCOUNT), EventsDropped if the first events are gone and the commands were not kept, InputError
        if `log` leaves out a type that is needed.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> for name in ("alice", "bob"):
        ...     ex.deposit(name, "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> sold = ex.order("bob", "BTC-USDT-SWAP", "sell", 2, price=50_000)
        >>> bought = ex.order("alice", "BTC-USDT-SWAP", "buy", 2, price=50_000)
        >>> ex.statement("alice").fees, ex.statement("alice").instruments["BTC-USDT-SWAP"].contracts
        (Decimal('0.5'), Decimal('2'))
        >>> ex.statement("bob")
        statement of bob to event 24
          USDT
            deposits  1000
            fees      -0.2
            balance   999.8
            traded    1000 in 1 trade
          BTC-USDT-SWAP
            fees    -0.2
            traded  2 contracts, 1000 in 1 trade
        """
        from solvent.api import statements

        return statements.statement(self.venue, self._kernel, self._totals(), self._purse(account))

    def why(self, account: Acct, *, before: int = 20, after: int = 5) -> "stories.Why":
        """Tells every liquidation of an account: the way to it, the crossing to the tick, and what came of its positions.

        Print the result for a page of text; `to_dict()` gives plain values for JSON, `to_html()` a page with charts. before,
        after: the most readings of each path before and after the liquidation. It is read from all events since the first one.
        With retain=False the commands are replayed for them, if they are kept (`record`, solvent.open).

        Raises Rejected(UNKNOWN_ACCOUNT), EventsDropped if the first events are gone and the commands were not kept, InputError
        if `log` leaves out a type that is needed.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> for name in ("alice", "bob"):
        ...     ex.deposit(name, "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> ex.set_leverage("alice", "BTC-USDT-SWAP", 50, mode="isolated")
        >>> sold = ex.order("bob", "BTC-USDT-SWAP", "sell", 2, price=50_000)
        >>> bought = ex.order("alice", "BTC-USDT-SWAP", "buy", 2, price=50_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 49_200)
        >>> crossing = ex.why("alice").liquidations[0]["crossing"]
        >>> crossing["healthy"], crossing["crossed"], crossing["crossed_slack"]
        ('49271', '49270.9', '-0.001799')
        """
        from solvent.api import why as stories

        known = self._known_account(account)
        return stories.why(self, known, int_within(before, "before", 1, 10_000), int_within(after, "after", 0, 10_000))

    def liquidations(self) -> "liquidations.Liquidations":
        """Tells all liquidations of all accounts, from the first event on, as Liquidations.

        Each is one record with its whole story: when and why, the orders that were cancelled, the steps, what the house took
        at which bankruptcy price, who closed it, and what fund, deficit and winners paid. Print the result for text; `records`
        are plain values, `to_arrow()` is a table. `why(account)` tells the same with the way to it. With retain=False the
        commands are replayed, if they are kept (`record`, solvent.open).

        Raises EventsDropped if the first events are gone and the commands were not kept, InputError if `log` leaves out a type
        that is needed.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> for name in ("alice", "bob"):
        ...     ex.deposit(name, "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> ex.set_leverage("alice", "BTC-USDT-SWAP", 50, mode="isolated")
        >>> sold = ex.order("bob", "BTC-USDT-SWAP", "sell", 2, price=50_000)
        >>> bought = ex.order("alice", "BTC-USDT-SWAP", "buy", 2, price=50_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 48_900)
        >>> print(ex.liquidations())
        1. alice, isolated BTC-USDT-SWAP at 0 s, command 9: taken over
          set off by: mark
          verdict FULL: equity -2, takeover below 5.379
          taken over: 20 USDT from alice to <clearing>
          taken over: long 2 BTC-USDT-SWAP at mark 48900, bankruptcy price 49000 (parcel 1)
            2 at 49000 with bob by deleveraging, 0 s: bob forgoes 2 against the mark, the fund got 0
          in all: those whom ADL closed forgo 2 USDT against the mark
        """
        from solvent.api import liquidations

        return liquidations.liquidations(self)

    def cascade(self, instrument: Inst | None = None) -> "cascades.Cascade":
        """Tells how the liquidations of an instrument followed one another, mark by mark, as a Cascade.

        instrument: name or index; None where there is only one. A row is a mark after which something was liquidated, or a
        parcel was closed, before the next mark. Its columns are the sizes that were taken over and stepped down, what the
        book, the fund and ADL closed, and who paid. Read from all events, as `liquidations` is.

        Raises InputError without a name where there are several instruments, Rejected(UNKNOWN_INSTRUMENT), and EventsDropped
        or InputError as `liquidations` does.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.cascade().rows, ex.cascade().branching_ratio
        ([], None)
        """
        from solvent.api import cascades

        if instrument is None and len(self.instruments) > 1:
            names = ", ".join(each.name for each in self.instruments)
            raise InputError(f"a cascade counts the sizes of one instrument; name one of {names}")
        return cascades.cascade(self, self._known_instrument(0 if instrument is None else instrument))

    def _purse(self, account: Acct) -> int:
        """Returns the number of an account or of a purse of the house, whose name stands in angle brackets."""
        purses = {f"<{each.name.lower()}>": int(each) for each in Purse}
        found = purses.get(account) if isinstance(account, str) else None
        return self._known_account(account) if found is None else found

    def _totals(self) -> "Sums":
        """Returns the sums of all events so far. After an interruption (Ctrl-C) the next call counts anew."""
        from solvent.api import statements
        from solvent.api.telling import check_events
        from solvent.witness.sums import NEEDS

        sums, self._sums, end = self._sums, None, self._kernel.next_seq
        if sums is None or self._counted is None:
            check_events(self, NEEDS, "a statement")
            sums, self._counted = statements.Sums(), 1
            whole = self._with_events()
        else:
            whole = self
        sums.read(whole._iterate(self._counted, end), self.venue)
        self._sums, self._counted = sums, end
        self._release()
        return sums
