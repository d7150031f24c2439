"""The reading half of Exchange: its venue, its names, views and arrays, each made from a kernel's answer.

Owns the way from a name to a number. Never sends a command. Views are imported on first use, so that the package imports fast.
Cost: as `views`, `rows` and docs/reference/arrays.md say.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from solvent.api.base import SIDES, Face
from solvent.api.describe import described
from solvent.api.names import name_of
from solvent.api.venue import Venue
from solvent.schema.codes import Code, Rejected
from solvent.schema.layouts import NO_INSTRUMENT, NOBODY
from solvent.schema.words import Purse
from solvent.terms.collateral import Collateral
from solvent.terms.decimals import Dec, decimal, to_units
from solvent.terms.exits import ARMS
from solvent.terms.instrument import Instrument
from solvent.terms.order_words import any_int, fit, int_within, leg_of, word, wrong_type
from solvent.terms.rule_set import RuleSet

if TYPE_CHECKING:
    import numpy as np

    from solvent.api import explanation, ranks, views

Acct = str | int
Inst = str | int


class Reads(Face):
    """Answers questions about an exchange."""

    _venue: Venue

    @property
    def venue(self) -> Venue:
        """Returns the terms of the exchange, with the instruments that were added since.

        >>> from solvent import Exchange, Instrument
        >>> Exchange([Instrument("BTC-USDT-SWAP")]).venue.currency_names
        ['USDT']
        """
        if self._venue.coming is not None:
            self._venue.note(self._kernel.instrument_count)
        return self._venue

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Returns all instruments by index, with those that were added since.

        >>> from solvent import Exchange, Instrument
        >>> [each.name for each in Exchange([Instrument("BTC-USDT-SWAP")]).instruments]
        ['BTC-USDT-SWAP']
        """
        return self.venue.instruments

    @property
    def currencies(self) -> dict[str, Decimal]:
        """Returns the smallest unit of each currency by name, in the order of the currencies' numbers.

        >>> from solvent import Exchange, Instrument
        >>> Exchange([Instrument("BTC-USDT-SWAP")]).currencies
        {'USDT': Decimal('0.000001')}
        """
        return self._venue.currencies

    @property
    def rules(self) -> RuleSet:
        """Returns the rule set: its thresholds, steps and bands.

        >>> from solvent import Exchange, Instrument
        >>> Exchange([Instrument("BTC-USDT-SWAP")]).rules.name
        'seed'
        """
        return self._venue.rules

    @property
    def collateral(self) -> list[Collateral]:
        """Returns the currencies that back others, in the order in which a liquidation converts them.

        >>> from solvent import Exchange, Instrument
        >>> Exchange([Instrument("BTC-USDT-SWAP")]).collateral
        []
        """
        return self._venue.collateral

    # --- names and numbers

    def _account(self, account: Acct) -> int:
        if isinstance(account, str):
            found = self._kernel.account_id(account.encode(errors="surrogatepass"))
            return NOBODY if found is None else int(found)
        if type(account) is not int:
            raise wrong_type("account", account, "a name or an id")
        return account if 0 <= account < self._kernel.account_count else NOBODY

    def _instrument(self, instrument: Inst) -> int:
        venue = self.venue
        if isinstance(instrument, str):
            return venue.instrument_id(instrument)
        if type(instrument) is not int:
            raise wrong_type("instrument", instrument, "a name or an index")
        return instrument if 0 <= instrument < len(venue.instruments) else NOBODY

    def _terms(self, index: int) -> Instrument:
        """Returns the instrument behind an id. An unknown id gets any instrument: the kernel refuses the command."""
        return self.instruments[index if index != NOBODY else 0]

    def _known_account(self, account: Acct) -> int:
        index = self._account(account)
        if index == NOBODY:
            raise Rejected(Code.UNKNOWN_ACCOUNT)
        return index

    def _known_instrument(self, instrument: Inst) -> int:
        index = self._instrument(instrument)
        if index == NOBODY:
            raise Rejected(Code.UNKNOWN_INSTRUMENT)
        return index

    def _amount(self, currency: str, amount: Dec, signed: bool = False) -> tuple[int, int]:
        """Returns (currency id, units). An amount that is no whole number of units becomes one that the kernel refuses."""
        decimal(amount, "amount")
        currency_id = self._venue.currency_id(currency)
        return currency_id, fit(to_units(amount, self.currencies[currency], "amount"), signed)

    def account_name(self, account: int) -> str:
        """Returns the name of an account id. The house's own purses are in angle brackets.

        Raises Rejected(UNKNOWN_ACCOUNT).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> alice = ex.open_account("alice")
        >>> ex.account_name(alice), ex.account_name(3)
        ('alice', '<fund>')
        """
        if not 0 <= any_int(account, "account") < self._kernel.account_count:
            raise Rejected(Code.UNKNOWN_ACCOUNT)
        return name_of(self._kernel, account)

    # --- views

    describe = described

    def account(self, account: Acct) -> "views.AccountView":
        """Returns the balances and positions of an account now, as an AccountView in currency and contracts.

        Raises Rejected(UNKNOWN_ACCOUNT).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.deposit("alice", "USDT", 1_000)
        >>> ex.account("alice").equity, ex.account("alice").positions
        (Decimal('1000'), {})
        """
        from solvent.api import views

        return views.account_view(self.venue, self._kernel, self._known_account(account))

    def position(self, account: Acct, instrument: Inst, leg: str | None = None) -> "views.PositionView":
        """Returns one position now, as a PositionView; its size is 0 if nothing is open.

        leg: in hedge mode "long" or "short". Without a leg, hedge mode shows the one-way position. It is flat then, and keeps
        its margin mode and leverage for later.

        Raises Rejected(UNKNOWN_ACCOUNT, UNKNOWN_INSTRUMENT).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> for name in ("alice", "bob"):
        ...     ex.deposit(name, "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> sold = ex.order("bob", "BTC-USDT-SWAP", "sell", 2, price=50_000)
        >>> bought = ex.order("alice", "BTC-USDT-SWAP", "buy", 2, price=50_000)
        >>> p = ex.position("alice", "BTC-USDT-SWAP")
        >>> p.side, p.size, p.value, p.initial
        ('long', Decimal('2'), Decimal('1000'), Decimal('100'))
        """
        from solvent.api import views

        known = self._known_account(account), self._known_instrument(instrument)
        return views.position_view(self.venue, self._kernel, *known, leg_of(leg))

    def prices(self, instrument: Inst) -> "views.PriceView":
        """Returns mark price, index price, last trade and the coming funding rate of an instrument, as a PriceView.

        Raises Rejected(UNKNOWN_INSTRUMENT).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> ex.prices("BTC-USDT-SWAP").mark, ex.prices("BTC-USDT-SWAP").last
        (Decimal('50000'), None)
        """
        from solvent.api import views

        return views.price_view(self.venue, self._kernel, self._known_instrument(instrument))

    def market(self, instrument: Inst) -> "views.MarketView":
        """Returns the state of an instrument's market, and in a call what an uncross would trade now, as a MarketView.

        Raises Rejected(UNKNOWN_INSTRUMENT).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.market("BTC-USDT-SWAP").state
        'continuous'
        """
        from solvent.api import views

        return views.market_view(self.venue, self._kernel, self._known_instrument(instrument))

    def open_orders(self, account: Acct, instrument: Inst | None = None) -> "list[views.OrderView]":
        """Returns an account's live orders by id, resting and dormant, as OrderViews; `instrument` keeps those of one.

        Raises Rejected(UNKNOWN_ACCOUNT, UNKNOWN_INSTRUMENT).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.deposit("alice", "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> ack = ex.order("alice", "BTC-USDT-SWAP", "buy", 3, price=49_900)
        >>> [(each.side, each.price, each.remaining) for each in ex.open_orders("alice")]
        [('buy', Decimal('49900'), Decimal('3'))]
        """
        wanted = None if instrument is None else self._known_instrument(instrument)
        rows = self._kernel.orders_of(self._known_account(account))
        return self._orders(row for row in rows if wanted is None or row[2] == wanted)

    def _orders(self, rows: Iterable[tuple[int, ...]]) -> "list[views.OrderView]":
        from solvent.api import views

        return [views.order_view(self.venue, self._kernel, row) for row in rows]

    def brackets(self, account: Acct) -> "list[views.BracketView]":
        """Returns the brackets of an account's live orders as BracketViews, by their entries.

        Raises Rejected(UNKNOWN_ACCOUNT).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.deposit("alice", "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> ack = ex.order("alice", "BTC-USDT-SWAP", "buy", 3, price=49_900, stop_loss=49_000)
        >>> [(each.entry_id == ack.order_id, each.target_id, each.arm) for each in ex.brackets("alice")]
        [(True, 0, 'incremental')]
        """
        from solvent.api import views

        owned = {row[0] for row in self._kernel.orders_of(self._known_account(account))}
        rows = [row for row in self._kernel.brackets() if owned & {*row[:3]}]
        return [views.BracketView(row[0], row[1], row[2], (*ARMS, "position")[row[6]]) for row in rows]

    def resting(self, instrument: Inst) -> "list[views.OrderView]":
        """Returns every resting order of an instrument as an OrderView: bids best first, each price in time order, then asks.

        The house's orders are among them. Raises Rejected(UNKNOWN_INSTRUMENT).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.deposit("alice", "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> ack = ex.order("alice", "BTC-USDT-SWAP", "buy", 3, price=49_900)
        >>> [(each.account, each.price, each.remaining) for each in ex.resting("BTC-USDT-SWAP")]
        [('alice', Decimal('49900'), Decimal('3'))]
        """
        return self._orders(self._kernel.resting(self._known_instrument(instrument)))

    def dormant(self, instrument: Inst) -> "list[views.OrderView]":
        """Returns every order of an instrument that waits for its trigger as an OrderView, by id.

        Raises Rejected(UNKNOWN_INSTRUMENT).

        >>> from solvent import Exchange, Instrument, Trigger
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.deposit("alice", "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> ack = ex.order("alice", "BTC-USDT-SWAP", "buy", 3, trigger=Trigger.stop(51_000))
        >>> [(each.account, each.trigger_price) for each in ex.dormant("BTC-USDT-SWAP")]
        [('alice', Decimal('51000'))]
        """
        return self._orders(self._kernel.dormant(self._known_instrument(instrument)))

    def queue(self, instrument: Inst, side: str, price: Dec) -> "list[views.OrderView]":
        """Returns the orders that rest at one price of a side as OrderViews, the next to trade first.

        price: in currency; a price between two ticks has no orders. Raises Rejected(UNKNOWN_INSTRUMENT).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> for name in ("alice", "bob"):
        ...     ex.deposit(name, "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> acks = [ex.order(name, "BTC-USDT-SWAP", "buy", 3, price=49_900) for name in ("alice", "bob")]
        >>> [each.account for each in ex.queue("BTC-USDT-SWAP", "buy", 49_900)]
        ['alice', 'bob']
        """
        index = self._known_instrument(instrument)
        ticks = fit(to_units(price, self.instruments[index].tick_size, "price"), False)
        return self._orders(self._kernel.queue(index, word(SIDES, side, "side"), ticks))

    def order_counts(self, account: Acct | None = None, instrument: Inst | None = None) -> tuple[int, int]:
        """Returns how many orders rest, and how many wait for their trigger, of one account or all, in one instrument or all.

        Without an account the house's orders count, too. Raises Rejected(UNKNOWN_ACCOUNT, UNKNOWN_INSTRUMENT).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.deposit("alice", "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> ack = ex.order("alice", "BTC-USDT-SWAP", "buy", 3, price=49_900)
        >>> ex.order_counts("alice")
        (1, 0)
        """
        who = NOBODY if account is None else self._known_account(account)
        where = NO_INSTRUMENT if instrument is None else self._known_instrument(instrument)
        resting, dormant = self._kernel.order_counts(who, where)
        return resting, dormant

    def depth(self, instrument: Inst, n: int = 20) -> "views.Depth":
        """Returns at most n price levels a side, best first, as (price, contracts).

        Raises Rejected(UNKNOWN_INSTRUMENT), and InputError for an n below 0.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.deposit("alice", "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> ack = ex.order("alice", "BTC-USDT-SWAP", "buy", 3, price=49_900)
        >>> ex.depth("BTC-USDT-SWAP")
        Depth(bids=[(Decimal('49900'), Decimal('3'))], asks=[])
        """
        from solvent.api import views

        return views.depth_view(self.venue, self._kernel, self._known_instrument(instrument), int_within(n, "n", 0, 2**62))

    def depth_arrays(self, instrument: Inst, n: int = 20) -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]":
        """Returns (bids, asks), best first: int64 arrays of shape (levels, 3) with price ticks, lots and orders.

        n: the most levels a side. Runs without a Python loop. Raises Rejected(UNKNOWN_INSTRUMENT).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.deposit("alice", "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> ack = ex.order("alice", "BTC-USDT-SWAP", "buy", 3, price=49_900)
        >>> bids, asks = ex.depth_arrays("BTC-USDT-SWAP")
        >>> bids.tolist(), asks.shape
        ([[499000, 3, 1]], (0, 3))
        """
        return self._depth_arrays(self._known_instrument(instrument), int_within(n, "n", 0, 2**62))

    def positions_array(self) -> "np.ndarray[Any, Any]":
        """Returns every open position as a record of schema.columns.POSITION, by account and instrument.

        Runs without a Python loop.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> for name in ("alice", "bob"):
        ...     ex.deposit(name, "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> sold = ex.order("bob", "BTC-USDT-SWAP", "sell", 2, price=50_000)
        >>> bought = ex.order("alice", "BTC-USDT-SWAP", "buy", 2, price=50_000)
        >>> ex.positions_array()["size_lots"].tolist()
        [2, -2]
        """
        import numpy as np

        from solvent.schema.columns import POSITION

        return np.frombuffer(self._kernel.positions_bytes(), POSITION)

    def liquidations_array(self) -> "np.ndarray[Any, Any]":
        """Returns the liquidation prices of every open position, as records of schema.columns.LIQUIDATION.

        The rows are in the order of `positions_array`; prices are in ticks. Runs without a Python loop. Cost: two bisections a
        position; each step computes the requirement of its margin domain.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> for name in ("alice", "bob"):
        ...     ex.deposit(name, "USDT", 200)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> sold = ex.order("bob", "BTC-USDT-SWAP", "sell", 2, price=50_000)
        >>> bought = ex.order("alice", "BTC-USDT-SWAP", "buy", 2, price=50_000)
        >>> ex.liquidations_array()["liquidation_ticks"][0] == ex.position("alice", "BTC-USDT-SWAP").liquidation_price * 10
        True
        """
        import numpy as np

        from solvent.schema.columns import LIQUIDATION

        return np.frombuffer(self._kernel.liquidations_bytes(), LIQUIDATION)

    def accounts_array(self) -> "np.ndarray[Any, Any]":
        """Returns a record of schema.columns.ACCOUNT for every account and currency, in order, without a Python loop.

        Amounts are in units of the currency. The field `currency` is a position in `currencies`.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.deposit("alice", "USDT", 1_000)
        >>> ex.accounts_array()["cash_units"].tolist()
        [1000000000]
        """
        import numpy as np

        from solvent.schema.columns import ACCOUNT

        return np.frombuffer(self._kernel.accounts_bytes(), ACCOUNT)

    def explain(self, account: Acct) -> "explanation.Explanation":
        """Explains every term of an account's margin, its prices, and its next step of liquidation. Print the result.

        Tiers, rates, ratio, liquidation and bankruptcy price are told, what would happen next, and who would be deleveraged,
        in the words of the rule set. Raises Rejected(UNKNOWN_ACCOUNT).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.deposit("alice", "USDT", 1_000)
        >>> print(ex.explain("alice"))
        account alice
          wallet: cash 1000, holds 0, free 1000, withdrawable 1000 USDT
          no open position
        """
        from solvent.api import explanation

        return explanation.explain(self.venue, self._kernel, self._known_account(account))

    def ranks(self, instrument: Inst) -> "list[ranks.RankView]":
        """Returns the open positions of an instrument as RankViews: longs, then shorts, who is deleveraged first at the top.

        Each has the rank of the rule set (`adl_rank`), and a light from 5 to 1 by the contracts of its side ahead of it. The
        ranks are those of the present mark; ADL ranks at the mark that brought it. Cost: a pass over all open positions.

        Raises Rejected(UNKNOWN_INSTRUMENT), and InputError with adl_rank="pnl_efflev" where a cross account holds several
        positions.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> for name in ("alice", "bob", "carol"):
        ...     ex.deposit(name, "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> sold = ex.order("bob", "BTC-USDT-SWAP", "sell", 5, price=50_000)
        >>> acks = [ex.order(name, "BTC-USDT-SWAP", "buy", size, price=50_000) for name, size in (("alice", 2), ("carol", 3))]
        >>> [(each.account, str(each.size), each.light) for each in ex.ranks("BTC-USDT-SWAP")]
        [('alice', '2', 5), ('carol', '3', 3), ('bob', '-5', 5)]
        """
        from solvent.api import ranks

        return ranks.ranks(self.venue, self._kernel, self._known_instrument(instrument))

    def fund(self, currency: str) -> Decimal:
        """Returns the balance of the insurance fund. Raises Rejected(UNKNOWN_CURRENCY).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.fund("USDT")
        Decimal('0')
        """
        from solvent.api import views

        return views.purse_balance(self.venue, self._kernel, Purse.FUND, self._venue.currency_id(currency))

    def deficit(self, currency: str) -> Decimal:
        """Returns the losses that nobody could pay, zero or negative. Raises Rejected(UNKNOWN_CURRENCY).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.deficit("USDT")
        Decimal('0')
        """
        from solvent.api import views

        return views.purse_balance(self.venue, self._kernel, Purse.DEFICIT, self._venue.currency_id(currency))

    def residue(self, currency: str) -> Decimal:
        """Returns the units that divisions among many accounts left over, as in funding. Raises Rejected(UNKNOWN_CURRENCY).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.residue("USDT")
        Decimal('0')
        """
        from solvent.api import views

        return views.purse_balance(self.venue, self._kernel, Purse.RESIDUE, self._venue.currency_id(currency))

    def parcels(self) -> "list[views.ParcelView]":
        """Returns the positions that the house has taken over and not yet closed, by id, as ParcelViews.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> for name in ("alice", "bob"):
        ...     ex.deposit(name, "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> ex.set_leverage("alice", "BTC-USDT-SWAP", 50, mode="isolated")
        >>> sold = ex.order("bob", "BTC-USDT-SWAP", "sell", 2, price=50_000)
        >>> bought = ex.order("alice", "BTC-USDT-SWAP", "buy", 2, price=50_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 49_200)
        >>> [(each.origin, each.size, each.bankruptcy_price) for each in ex.parcels()]
        [('alice', Decimal('2'), Decimal('49000'))]
        """
        from solvent.api import views

        return [views.parcel_view(self.venue, self._kernel, row) for row in self._kernel.parcels()]
