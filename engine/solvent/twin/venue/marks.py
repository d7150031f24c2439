"""Prices and time: MARK, INDEX, SET_LAST and SOURCE, samples, settlements of funding.

Owns the marks and indices of all instruments, and the order of the events of passing time. Never computes a price
(`price_model` does) and never moves money (`funding` does). Only this room moves a mark.
"""

from collections.abc import Callable

from solvent.schema.codes import Code
from solvent.schema.commands import SettleFunding, TellIndex, TellLast, TellMark, TellSource
from solvent.schema.limits import CATCH_UP_MAX, FINE, RATE
from solvent.schema.states import CALLS
from solvent.schema.words import Listing, Side, Source
from solvent.twin.contract.price_model import Prices, View, half_even, weighted_median
from solvent.twin.liquidation.danger import watch_collateral, watch_mark
from solvent.twin.venue.funding import Funding
from solvent.twin.venue.market_state import MarketState


class Marks:
    def __init__(self, funding: Funding, market_state: MarketState, resolve: Callable[[], None]):
        self.market_state = market_state
        self.funding = funding
        self.state = funding.state
        self.trading = funding.state.trading
        self.ledger = funding.ledger
        self.contracts = funding.contracts
        self.log = funding.state.log
        self.models: list[Prices | None] = []  # by instrument
        self.resolve = resolve  # works off touched accounts and fired orders

    # --- commands

    def _check_price(self, c: TellMark | TellIndex | TellLast | TellSource) -> Code:
        if c.instrument >= len(self.contracts):
            return Code.UNKNOWN_INSTRUMENT
        if self.contracts[c.instrument].listing == Listing.CLOSED:
            return Code.NOT_TRADING
        return Code.OK if 1 <= c.price_ticks <= self.contracts[c.instrument].max_price_ticks else Code.BAD_PRICE

    def mark(self, c: TellMark) -> Code:
        """Executes MARK, a mark handed in where no model computes it."""
        if code := self._check_price(c):
            return code
        if self.models[c.instrument]:
            return Code.PRICE_IS_MODELLED
        self._set_mark(c.instrument, c.price_ticks)
        return Code.OK

    def index(self, c: TellIndex) -> Code:
        """Executes INDEX. Triggers and a model's mark use it. beyond_fine: the part of the price beyond its ticks, in FINE
        parts."""
        if code := self._check_price(c):
            return code
        if abs(c.beyond_fine) > FINE // 2:
            return Code.BAD_PRICE
        model = self.models[c.instrument]
        if model and model.sources:
            return Code.PRICE_IS_MODELLED
        self._set_index(c.instrument, c.price_ticks * FINE + c.beyond_fine, 0)
        if model:
            self._remark(c.instrument, model, c.time_ns)
        return Code.OK

    def last(self, c: TellLast) -> Code:
        """Executes SET_LAST, a last price handed in. No model computes one."""
        if code := self._check_price(c):
            return code
        self.contracts[c.instrument].last = c.price_ticks
        self.trading.log.emit_last_set(instrument=c.instrument, price_ticks=c.price_ticks)
        self.trading.observe(c.instrument, Source.BY_LAST, c.price_ticks)
        return Code.OK

    def fund(self, c: SettleFunding) -> Code:
        """Executes FUNDING, a rate handed in where no model computes it."""
        if c.instrument < len(self.contracts):
            model = self.models[c.instrument]
            if self.contracts[c.instrument].listing == Listing.CLOSED:
                return Code.NOT_TRADING
            if model and model.model.interval_ns:
                return Code.PRICE_IS_MODELLED
        return self.funding.pay_funding(c)

    def source(self, c: TellSource) -> Code:
        """Executes SOURCE, the price of constituent `source`; beyond_fine as in INDEX."""
        if code := self._check_price(c):
            return code
        if abs(c.beyond_fine) > FINE // 2:
            return Code.BAD_PRICE
        model = self.models[c.instrument]
        if not model or c.source >= len(model.sources):
            return Code.BAD_SOURCE
        source = model.sources[c.source]
        source.price, source.time_ns = c.price_ticks * FINE + c.beyond_fine, c.time_ns
        self._reindex(c.instrument, model, c.time_ns)
        self._remark(c.instrument, model, c.time_ns)
        return Code.OK

    # --- prices

    def _set_mark(self, instrument: int, ticks: int, index: int = 0, fair: int = 0, basis: int = 0, ema: int = 0) -> None:
        """Sets a mark: frees stuck positions, finds endangered accounts by a full scan, makes parcels due, and shows it to
        triggers."""
        contract = self.contracts[instrument]
        contract.prior_mark, contract.mark = contract.mark or ticks, ticks
        self.log.emit_marked(
            instrument=instrument, price_ticks=ticks, index_fine=index, fair_fine=fair, basis_fine=basis, ema_fine=ema,
        )  # fmt: skip
        for parcel in self.ledger.parcels:
            parcel.due = parcel.due or int(parcel.instrument == instrument)
        for p in self.ledger.members[instrument]:
            p.stuck = False
        watch_mark(self.state, instrument)
        watch_collateral(self.state, instrument)
        self.trading.observe(instrument, Source.BY_MARK, ticks)

    def _set_index(self, instrument: int, fine: int, sources: int) -> None:
        contract, model = self.contracts[instrument], self.models[instrument]
        contract.index = max(1, min(contract.max_price_ticks, half_even(fine, FINE)))
        if model:
            model.index = fine
        terms = (fine, model.external) if model else (0, 0)  # without a model ticks are enough
        self.log.emit_indexed(
            instrument=instrument, price_ticks=contract.index, index_fine=terms[0], sources=sources, external_fine=terms[1],
        )  # fmt: skip
        if contract.accrual_ppb and contract.funds_at_index:
            watch_mark(self.state, instrument)
        watch_collateral(self.state, instrument)
        self.trading.observe(instrument, Source.BY_INDEX, contract.index)

    def _reindex(self, instrument: int, model: Prices, now_ns: int) -> None:
        """Tests the constituents again for stale and wild ones, and sets the index if it changed."""
        chosen, external, states = model.live(now_ns)
        carried = len(chosen) < model.model.least and states != [source.state for source in model.sources]
        for i, (source, state) in enumerate(zip(model.sources, states, strict=True)):
            if source.state != state:
                source.state = state
                self.log.emit_source_changed(instrument=instrument, source=i, state=state, price_fine=source.price)
        before = model.index, model.external
        model.external = weighted_median(external) if external else 0
        fine = model.index_of(chosen)
        if fine and (carried or (fine, model.external) != before):
            self._set_index(instrument, fine, len(chosen))

    def _view(self, instrument: int, model: Prices) -> View:
        """Returns what the book tells a model: nothing where orders gather, or while it is crossed."""
        book = self.trading.books[instrument]
        if self.contracts[instrument].listing in CALLS or book.crossed:
            return View(0, 0, 0, 0)
        return View(
            book.best(Side.BUY) or 0, book.best(Side.SELL) or 0,
            model.impact_price(book.levels(Side.BUY)), model.impact_price(book.levels(Side.SELL)),
        )  # fmt: skip

    def _remark(self, instrument: int, model: Prices, now_ns: int, settling: bool = False) -> None:
        """Sets the mark by its model if it changed. At a settlement no time is left in the interval; just after it, all of
        it."""
        interval = model.model.interval_ns
        left = 0 if settling or not interval else interval - now_ns % interval
        ticks = model.mark(self._view(instrument, model), left, now_ns)
        if ticks and ticks != self.contracts[instrument].mark:
            terms = model.index, model.fair(left), model.basis(), model.ema
            self._set_mark(instrument, ticks, *terms)

    def _accrue(self, instrument: int, model: Prices) -> None:
        """Sets the accrual of funding in margin requirements if it changed, and finds the accounts that it endangers."""
        contract, rate = self.contracts[instrument], model.accrued()
        accrual = half_even(rate * model.model.margin_ppb, RATE)
        if accrual != contract.accrual_ppb:
            contract.accrual_ppb = accrual
            self.log.emit_accrued(instrument=instrument, period=model.period, rate_ppb=rate, asked_ppb=accrual)
            watch_mark(self.state, instrument)

    # --- time

    def pass_to(self, now_ns: int) -> None:
        """Works off the events of passing time for modelled prices, by their instants, then by instrument.

        These are fixed rates, settlements and stale constituents; samples, indices and marks at the new time come last. The
        books do not change meanwhile, except through settlements.
        """
        for i, model in self._open():
            self._catch_up(i, model, now_ns)
        while instants := [(instant, i) for i, model in self._open() if (instant := self._instant(model)) is not None]:
            if min(instants)[0] > now_ns:
                break
            self._reach(*min(instants))
        for i, model in self._open():
            self._look(i, model, now_ns)
            self._remark(i, model, now_ns)
        if any(self.models):
            self.resolve()

    def _open(self) -> list[tuple[int, Prices]]:
        """Returns the models of instruments that are not closed."""
        closed = Listing.CLOSED
        return [(i, model) for i, model in enumerate(self.models) if model and model.contract.listing != closed]

    def _catch_up(self, instrument: int, model: Prices, now_ns: int) -> None:
        """Skips the earlier periods of a very long jump, with their samples and fixed rates."""
        interval = model.model.interval_ns
        if interval and now_ns // interval - model.period >= CATCH_UP_MAX:
            model.period, model.fixed = now_ns // interval - CATCH_UP_MAX + 1, False
            model.sample((model.period - 1) * interval, self._view(instrument, model))
            model.forget_premiums()

    def _instant(self, model: Prices) -> int | None:
        """Returns the next instant of the clock: a rate fixed, a settlement, an expiry, or a stale constituent."""
        instants = (self._funding_instant(model), model.contract.expiry_ns, model.stale_at())
        return min((each for each in instants if each), default=None)

    def _funding_instant(self, model: Prices) -> int:
        """Returns the instant at which a rate is fixed or a period settled next; 0 where rates are handed in."""
        interval = model.model.interval_ns
        return model.period * interval - (model.model.cutoff_ns if interval and not model.fixed else 0)

    def _look(self, instrument: int, model: Prices, now_ns: int) -> None:
        model.sample(now_ns, self._view(instrument, model))
        if model.sources:
            self._reindex(instrument, model, now_ns)
        self._accrue(instrument, model)

    def _reach(self, instant_ns: int, instrument: int) -> None:
        """Works off an instant: the funding of a period first, then an expiry."""
        model = self.models[instrument]
        assert model
        if self._funding_instant(model) == instant_ns:
            if model.fixed:
                self._fund(instrument, model, instant_ns)
            else:
                self._fix(instrument, model, instant_ns)
            return
        self._look(instrument, model, instant_ns)
        if instant_ns == model.contract.expiry_ns:
            self.market_state.close_at(instrument, model.settlement_ticks())
        else:  # a constituent is stale
            self._remark(instrument, model, instant_ns)
        self.resolve()

    def _fix(self, instrument: int, model: Prices, instant_ns: int) -> None:
        model.sample(instant_ns, self._view(instrument, model))
        premium, samples = model.fix()
        if samples:
            self.log.emit_rated(
                instrument=instrument, period=model.period, rate_ppb=model.next_rate, premium_ppb=premium, samples=samples,
            )  # fmt: skip
        self._accrue(instrument, model)
        self.resolve()

    def _fund(self, instrument: int, model: Prices, instant_ns: int) -> None:
        """Settles a period: mark, funding and margin check in the order of the rule set."""
        self._look(instrument, model, instant_ns)
        self._remark(instrument, model, instant_ns, settling=True)
        period, rate = model.period, model.charge()
        if not self.state.rules.funding_first:
            self.resolve()
        self._accrue(instrument, model)  # the accrued margin of this period is free to pay it
        if self.contracts[instrument].mark and period > self.contracts[instrument].funding_period:
            self.funding.pay_rate(instrument, rate, period)
        self.resolve()
