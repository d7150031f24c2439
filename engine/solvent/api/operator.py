"""The operator's half of Exchange: instruments, prices, funding and the insurance fund.

Owns the commands that no trader sends. Never holds or changes a balance: all state is the kernel's.
"""

from solvent.api.base import Ack
from solvent.api.reads import Inst
from solvent.api.told import Told
from solvent.schema.layouts import RECORD_BYTES
from solvent.schema.limits import FINE, RATE
from solvent.schema.states import STATES
from solvent.schema.words import CommandType, Listing
from solvent.terms.decimals import PPB, Dec, nearest_even, to_units
from solvent.terms.instrument import Instrument
from solvent.terms.order_words import fit, flag_of, int_within, word, wrong_type


class Operator(Told):
    """Takes the commands of whoever runs the exchange."""

    def add_instrument(self, instrument: Instrument) -> int:
        """Adds an instrument while the exchange runs, and returns its index. The exchange must have its settlement currency.

        Raises Rejected(INSTRUMENT_EXISTS, UNKNOWN_CURRENCY), and InputError if the currency has other decimals or tiers do not
        fit.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.add_instrument(Instrument("ETH-USDT-SWAP", contract_size="0.1", tick="0.01"))
        1
        """
        data = self.venue.offer(instrument)
        self._control(CommandType.ADD_INSTRUMENT, data, records=1 + len(data) // RECORD_BYTES)
        return len(self.instruments) - 1

    def halt(self, instrument: Inst, *, resume: bool = False) -> None:
        """Stops new orders in an instrument; resume=True lets them in again. Marks, funding and liquidation go on.

        Resting orders may be cancelled or made smaller. A trigger that is reached during a halt is kept. It fires when the
        instrument resumes, if the watched price still reaches it then.

        Raises Rejected(NOT_TRADING) for an instrument that was settled, Rejected(UNKNOWN_INSTRUMENT) for an unknown one.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.deposit("alice", "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> ex.halt("BTC-USDT-SWAP")
        >>> ex.order("alice", "BTC-USDT-SWAP", "buy", 1, price=49_900).code.name
        'NOT_TRADING'
        >>> ex.halt("BTC-USDT-SWAP", resume=True)
        """
        index = self._known_instrument(instrument)
        self._control(
            CommandType.HALT, instrument=index, listing=Listing.TRADING if flag_of(resume, "resume") else Listing.HALTED
        )

    def set_state(
        self, instrument: Inst, state: str, *, price: Dec | None = None, ends_ns: int = 0, then: str = "continuous"
    ) -> Ack:  # fmt: skip
        """Sets the state of an instrument's market; docs/reference/states.md tells what each state admits.

        state: "continuous", "pre-open", "auction", "post-only", "cancel-only", "halted" or "settlement". price: the
        price of a settlement, rounded half to even to ticks (None: the mark price). ends_ns: the time at which an auction ends
        by itself, 0 for one that lasts until another state is set. then: the state that follows that end. A market that leaves
        "pre-open" or "auction" first trades what crosses at one price.

        Raises Rejected(BAD_STATE) for an end that is not later than the clock, or is not of an auction. Raises
        Rejected(NOT_TRADING) for an instrument that was settled, Rejected(BAD_PRICE, NO_MARK) as `delist` does, and
        Rejected(UNKNOWN_INSTRUMENT).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> for name in ("alice", "bob"):
        ...     ex.deposit(name, "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> ack = ex.set_state("BTC-USDT-SWAP", "auction")
        >>> sold = ex.order("bob", "BTC-USDT-SWAP", "sell", 2, price=49_990)
        >>> bought = ex.order("alice", "BTC-USDT-SWAP", "buy", 2, price=50_010)
        >>> ex.market("BTC-USDT-SWAP").price
        Decimal('50000')
        >>> ack = ex.set_state("BTC-USDT-SWAP", "continuous")
        >>> ex.position("alice", "BTC-USDT-SWAP").size
        Decimal('2')
        """
        index = self._known_instrument(instrument)
        terms = self.instruments[index]
        ticks = 0 if price is None else fit(nearest_even(price, terms.tick_size, "price"), False) or -1
        return self._ask(
            CommandType.SET_STATE, terms.lot_size, instrument=index, listing=word(STATES, state, "state"), price_ticks=ticks,
            ends_ns=int_within(ends_ns, "ends_ns", 0, 2**63 - 1), then_listing=word(STATES, then, "then"),
        ).ok()  # fmt: skip

    def delist(self, instrument: Inst, price: Dec | None = None) -> Ack:
        """Closes an instrument for good: its orders end, and every position is settled at `price` (None: at the mark price).

        price: in currency, rounded half to even to ticks.

        Raises Rejected(NO_MARK, BAD_PRICE, UNKNOWN_INSTRUMENT), and Rejected(NOT_TRADING) if the instrument was settled
        already.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.delist("BTC-USDT-SWAP", 50_000)
        Ack(OK, order_id=0, filled=0, resting=0)
        """
        index = self._known_instrument(instrument)
        terms = self.instruments[index]
        ticks = 0 if price is None else fit(nearest_even(price, terms.tick_size, "price"), False) or -1
        return self._ask(CommandType.SETTLE, terms.lot_size, instrument=index, price_ticks=ticks).ok()

    def mark(self, instrument: Inst, price: Dec) -> Ack:
        """Sets the mark price, liquidates every account that it endangers, and fires the triggers that it reaches.

        price: in currency, rounded half to even to ticks.

        Raises Rejected(BAD_PRICE) for a price that is not positive, or above the instrument's highest price. Raises
        Rejected(PRICE_IS_MODELLED) if the instrument has a price model, Rejected(NOT_TRADING) if it was settled, and
        Rejected(UNKNOWN_INSTRUMENT).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ack = ex.mark("BTC-USDT-SWAP", "50000.04")
        >>> ex.prices("BTC-USDT-SWAP").mark
        Decimal('50000')
        """
        return self._set_price(CommandType.MARK, instrument, price, "mark price")

    def index(self, instrument: Inst, price: Dec) -> Ack:
        """Sets the index price. Triggers watch it in ticks, a price model in millionths of a tick.

        Raises Rejected(BAD_PRICE, NOT_TRADING, UNKNOWN_INSTRUMENT) as `mark` does, and Rejected(PRICE_IS_MODELLED) if
        constituents make the index.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ack = ex.index("BTC-USDT-SWAP", "50001.5")
        >>> ex.prices("BTC-USDT-SWAP").index
        Decimal('50001.5')
        """
        return self._set_fine_price(CommandType.INDEX, instrument, price)

    def set_last(self, instrument: Inst, price: Dec) -> Ack:
        """Sets the last price for the triggers that watch it, as after a trade elsewhere.

        The next trade between users moves it on. Price models that have `last` among their components read it, too.

        price: in currency, rounded half to even to ticks. Raises Rejected(BAD_PRICE, NOT_TRADING, UNKNOWN_INSTRUMENT) as
        `mark` does.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ack = ex.set_last("BTC-USDT-SWAP", 50_000)
        >>> ex.prices("BTC-USDT-SWAP").last
        Decimal('50000')
        """
        return self._set_price(CommandType.SET_LAST, instrument, price, "last price")

    def source(self, instrument: Inst, name: str, price: Dec) -> Ack:
        """Reports the price of one constituent of an instrument's index; index and mark price follow.

        docs/reference/prices.md has the formulas.

        name: a name in Index.sources or Index.external. price: in currency, rounded half to even to millionths of a tick.

        Raises Rejected(BAD_SOURCE) for a name that the index does not have, and Rejected(BAD_PRICE, NOT_TRADING,
        UNKNOWN_INSTRUMENT) as `mark` does.

        >>> from solvent import Exchange, Index, Instrument, PriceModel
        >>> model = PriceModel(components=["index"], index=Index(sources={"spot-a": 1, "spot-b": 1}))
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP", prices=model, max_price=100_000)])
        >>> ack = ex.source("BTC-USDT-SWAP", "spot-a", 50_000)
        >>> ack = ex.source("BTC-USDT-SWAP", "spot-b", 50_010)
        >>> ex.prices("BTC-USDT-SWAP").mark
        Decimal('50005')
        """
        model = self.instruments[self._known_instrument(instrument)].prices
        names = [*model.index.sources, *model.index.external] if model and model.index else []
        if not isinstance(name, str):
            raise wrong_type("name", name, "a str")
        number = names.index(name) if name in names else 2**32
        return self._set_fine_price(CommandType.SOURCE, instrument, price, number)

    def settle_funding(self, instrument: Inst, rate: Dec, period: int) -> Ack:
        """Settles funding once: longs pay shorts rate * value at mark; with a negative rate shorts pay longs.

        rate: -1 to 1, at most nine decimals. period: a number above the last settled one. A charge leaves no domain below
        R_own, unless the rule set says otherwise. Receivers share what was collected in proportion to what is due
        (docs/explanation/semantics.md, section 7).

        Raises Rejected(BAD_RATE, PERIOD_SETTLED, NO_MARK, NOT_TRADING, UNKNOWN_INSTRUMENT), and Rejected(PRICE_IS_MODELLED) if
        a price model settles funding.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> for name in ("alice", "bob"):
        ...     ex.deposit(name, "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> sold = ex.order("bob", "BTC-USDT-SWAP", "sell", 2, price=50_000)
        >>> bought = ex.order("alice", "BTC-USDT-SWAP", "buy", 2, price=50_000)
        >>> before = ex.account("bob").cash
        >>> ack = ex.settle_funding("BTC-USDT-SWAP", "0.0001", period=1)
        >>> ex.account("bob").cash - before
        Decimal('0.1')
        """
        index = self._known_instrument(instrument)
        ppb = to_units(rate, PPB, "funding rate")
        return self._ask(
            CommandType.FUNDING, self.instruments[index].lot_size, instrument=index,
            rate_ppb=RATE if ppb is None or abs(ppb) > RATE else ppb, period=int_within(period, "period", 0, 2**63 - 1),
        ).ok()  # fmt: skip

    def seed_fund(self, currency: str, amount: Dec) -> None:
        """Adds `amount` of a currency to the insurance fund. An open deficit is repaid first.

        Raises Rejected(BAD_AMOUNT, MONEY_LIMIT, UNKNOWN_CURRENCY).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.seed_fund("USDT", 50_000)
        >>> ex.fund("USDT")
        Decimal('50000')
        """
        currency_id, units = self._amount(currency, amount)
        self._control(CommandType.SEED_FUND, currency=currency_id, amount_units=units)

    def _set_price(self, kind: CommandType, instrument: Inst, price: Dec, what: str) -> Ack:
        index = self._known_instrument(instrument)
        ticks = nearest_even(price, self.instruments[index].tick_size, what)
        return self._ask(kind, self.instruments[index].lot_size, instrument=index, price_ticks=fit(ticks, False)).ok()

    def _set_fine_price(self, kind: CommandType, instrument: Inst, price: Dec, number: int | None = None) -> Ack:
        """Sends a price that may be finer than a tick: its nearest tick, and the rest in millionths, rounded half to even."""
        index = self._known_instrument(instrument)
        terms = self.instruments[index]
        fine = nearest_even(price, terms.tick_size, "price", FINE)
        ticks, beyond = fit(None, False), 0
        if fine is not None:
            ticks = (fine + FINE // 2) // FINE
            beyond, ticks = fine - ticks * FINE, fit(ticks, False)
        fields = {"price_ticks": ticks, "beyond_fine": beyond} | ({} if number is None else {"source": number})
        return self._ask(kind, terms.lot_size, instrument=index, **fields).ok()
