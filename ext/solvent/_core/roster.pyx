"""Names of accounts, and instruments from their specs; the contract is in roster.pxd."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset
from solvent._core.market.book cimport Book, book_close, book_open
from solvent._core.account.ledger cimport (
    FIRST_USER, account_new, accounts_reserve, backs, instrument_close, instrument_reserve,
)
from solvent._core.base.pool cimport room, zeroed
from solvent._core.contract.order_limits cimport OrderLimits
from solvent._core.contract.price_model cimport Prices, prices_close, prices_open
from solvent._core.reader cimport Reader
from solvent._core.base.schema cimport (
    ACCOUNT_EXISTS, BAD_INSTRUMENT, BAD_NAME, BAD_RECORD, INSTRUMENT_EXISTS, NAME_BYTES, NET, OK, RECORD_BYTES,
    TOO_MANY_ACCOUNTS, TO_TRADER, UNKNOWN_ACCOUNT, UNKNOWN_CURRENCY, Event,
)
from solvent._core.base.event_log cimport log_next
from solvent._core.trade.state cimport Receipt
from solvent._core.market.triggers cimport Triggers, triggers_close
from solvent._core.contract.valuation cimport FeeTier, Instrument, Rates, Tier, tiers_derive
from solvent._core.base.emit cimport emit_account_opened, emit_instrument_added
from solvent._core.base.commands cimport Request

from hashlib import blake2b

cdef enum:
    # rendered: capacity
    INSTRUMENTS_MAX = 4096
    # rendered: end


cdef bint _is_account_name(bytes name) except -1:
    """True if `name` obeys the rule of solvent.names.account_name, without Python code."""
    cdef Py_UCS4 each
    cdef str text
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return False
    for each in text:
        if each < 0x20 or 0x7F <= each <= 0x9F:
            return False
    return len(text) > 0 and not (text[0] == "<" and text[len(text) - 1] == ">")


cdef class Roster(Reader):
    """The names behind the numbers."""

    # --- instruments

    cdef int _enter_instrument(self, spec) except -1:
        """Adds an instrument to every room that numbers instruments. Raises MemoryError before any other change."""
        self._build(spec, self.s.clock_ns)
        self._count()
        return 0

    cdef int _build(self, spec, int64_t clock_ns) except -1:
        """Builds an instrument behind the last one, complete, not counted. Raises MemoryError before any other change."""
        cdef int32_t i = <int32_t>self.s.ledger.instrument_count
        if not (instrument_reserve(&self.s.ledger) and room(<void**>&self.s.books, i, &self.s.books_capacity, sizeof(Book))
                and room(<void**>&self.s.triggers, i, &self.s.triggers_capacity, sizeof(Triggers))
                and room(<void**>&self.s.prices, i, &self.s.prices_capacity, sizeof(Prices))):
            raise MemoryError
        memset(&self.s.books[i], 0, sizeof(Book))
        memset(&self.s.triggers[i], 0, sizeof(Triggers))
        memset(&self.s.prices[i], 0, sizeof(Prices))
        try:
            self._fill(spec, clock_ns)
        except:
            self._discard()
            raise
        return 0

    cdef int _fill(self, spec, int64_t clock_ns) except -1:
        cdef uint32_t i = self.s.ledger.instrument_count
        cdef Instrument* ins = &self.s.ledger.instruments[i]
        cdef int k, r
        # rendered: terms
        ins.kind = spec.kind
        ins.units = spec.units
        ins.decimals = spec.decimals
        ins.max_price_ticks = spec.max_price_ticks
        ins.max_size_lots = spec.max_size_lots
        ins.maker_fee_ppb = spec.maker_fee_ppb
        ins.taker_fee_ppb = spec.taker_fee_ppb
        ins.liquidation_fee_ppb = spec.liquidation_fee_ppb
        ins.default_leverage = spec.default_leverage
        ins.basis = spec.basis
        ins.scheme = spec.scheme
        ins.maintenance_curve = spec.maintenance_curve
        ins.initial_curve = spec.initial_curve
        ins.at_entry = spec.at_entry
        ins.expiry_ns = spec.expiry_ns
        ins.settle_window_ns = spec.settle_window_ns
        ins.tier_group = spec.tier_group
        ins.larger_leg = spec.larger_leg
        ins.own_fee = spec.own_fee
        ins.currency = spec.currency
        # rendered: end
        if spec.limits is not None:
            self._fill_limits(ins, spec.limits)
        if spec.calls is not None:
            # rendered: calls
            ins.calls.range_ppb = spec.calls.range_ppb
            ins.calls.extension_ns = spec.calls.extension_ns
            ins.calls.freeze_ns = spec.calls.freeze_ns
            ins.calls.call_ns = spec.calls.call_ns
            ins.calls.most_extensions = spec.calls.most_extensions
            ins.calls.tie = spec.calls.tie
            ins.calls.reference = spec.calls.reference
            ins.calls.maker_fees = spec.calls.maker_fees
            ins.calls.silent = spec.calls.silent
            ins.calls.halts = spec.calls.halts
            ins.calls.beyond_band = spec.calls.beyond_band
            ins.calls.deferred = spec.calls.deferred
            # rendered: end
        tiers, rates, fee_tiers = spec.tiers, spec.rates, spec.fee_tiers
        ins.tier_count = <int32_t>len(tiers)
        ins.rates_count = <int32_t>len(rates)
        ins.tiers = <Tier*>zeroed(ins.tier_count * (1 + ins.rates_count), sizeof(Tier))
        ins.rates = <Rates*>zeroed(ins.rates_count + 1, sizeof(Rates))
        ins.fee_tiers = <FeeTier*>zeroed(len(fee_tiers) + 1, sizeof(FeeTier))
        if ins.tiers == NULL or ins.rates == NULL or ins.fee_tiers == NULL or not book_open(&self.s.books[i], ins.max_price_ticks):
            raise MemoryError
        for k in range(ins.tier_count * (1 + ins.rates_count)):
            ins.tiers[k].top, ins.tiers[k].maintenance_ppb, ins.tiers[k].max_leverage, ins.tiers[k].initial_ppb = tiers[
                k % ins.tier_count]
        for r, (side, most, each) in enumerate(rates):
            ins.rates[r].side, ins.rates[r].most = side, most
            for k in range(ins.tier_count):
                ins.tiers[(1 + r) * ins.tier_count + k].maintenance_ppb = each[k]
        tiers_derive(ins)
        for row in fee_tiers:
            k = ins.fee_tier_count
            ins.fee_tiers[k].volume_units, ins.fee_tiers[k].maker_fee_ppb, ins.fee_tiers[k].taker_fee_ppb = row
            ins.fee_tier_count += 1
        self.s.triggers[i].max_price_ticks = ins.max_price_ticks
        if spec.prices is not None:
            prices_open(&self.s.prices[i], ins, spec.prices, clock_ns)
        return 0

    cdef int _fill_limits(self, Instrument* ins, terms) except -1:
        cdef OrderLimits* limits = <OrderLimits*>zeroed(1, sizeof(OrderLimits))
        if limits == NULL:
            raise MemoryError
        ins.limits = limits
        # rendered: limits
        limits.least_notional_units = terms.least_notional_units
        limits.least_limit_lots = terms.least_limit_lots
        limits.most_limit_lots = terms.most_limit_lots
        limits.least_market_lots = terms.least_market_lots
        limits.most_market_lots = terms.most_market_lots
        limits.least_trigger_lots = terms.least_trigger_lots
        limits.most_trigger_lots = terms.most_trigger_lots
        limits.most_orders = terms.most_orders
        limits.rate_limit = terms.rate_limit
        limits.window_ns = terms.window_ns
        limits.rolling = terms.rolling
        # rendered: end
        return 0

    cdef void _count(self) noexcept nogil:
        """Counts the built instrument."""
        cdef uint32_t i = self.s.ledger.instrument_count
        if self.s.ledger.instruments[i].fee_tier_count:
            self.s.fees.counts = True
        if self.s.prices[i].sample_ns:
            self.s.modelled = True
        self.s.ledger.instrument_count += 1

    cdef void _discard(self) noexcept nogil:
        """Discards the built instrument, or half of one."""
        cdef uint32_t i = self.s.ledger.instrument_count
        instrument_close(&self.s.ledger.instruments[i])
        book_close(&self.s.books[i])
        triggers_close(&self.s.triggers[i])
        prices_close(&self.s.prices[i])

    cdef tuple _decoded(self, const Request* c):
        """Decodes an ADD_INSTRUMENT; None if its records are no instrument. Runs Python code: signal handlers may raise here,
        before any change."""
        data = PyBytes_FromStringAndSize(<char*>c + RECORD_BYTES, (c.record.records - 1) * RECORD_BYTES)
        found = self.from_records(data)
        if found is None:
            return None
        name, currency, spec = found
        return data, name, currency, spec.decimals, spec.adds_up, spec.basis == NET, spec.expiry_ns, spec.settled_in(currency)

    cdef bytes _make_offer(self, const Request* c, tuple decoded):
        """Prepares everything of an ADD_INSTRUMENT that takes memory, and returns the new config. Raises MemoryError before
        any change."""
        cdef bytes config, name
        memset(&self.offer, 0, sizeof(Offer))
        if decoded is None:
            return None
        data, name, currency, decimals, self.offer.adds_up, self.offer.nets, self.offer.expiry_ns, spec = decoded
        self.offer.exists = name in self.instruments
        self.offer.currency = currency if 0 <= currency < self.s.ledger.currency_count else self.s.ledger.currency_count
        self.offer.formed = True
        memcpy(self.offer.name, <char*>name, len(name))
        if (self.offer.exists or self.offer.currency >= self.s.ledger.currency_count or self.decimals[currency] != decimals
                or self.s.ledger.instrument_count >= INSTRUMENTS_MAX):
            return None
        config = blake2b(self.config + data).digest()[:32]
        self.instruments[name] = self.s.ledger.instrument_count
        try:
            self._build(spec, c.record.time_ns)
        except:
            del self.instruments[name]
            raise
        self.offer.made = True
        return config

    cdef int _end_offer(self, tuple decoded, bytes config, bint taken) except -1:
        """Ends an offer after the command's answer."""
        if taken:
            self.config = config
        elif self.offer.made:
            self._discard()
            del self.instruments[decoded[1]]
        memset(&self.offer, 0, sizeof(Offer))
        return 0

    cdef bint _fits(self) noexcept nogil:
        """True if an instrument agrees with the clock, the rules, its currency and the other instruments."""
        if not self.offer.made or (backs(&self.s.ledger, self.offer.currency) != NULL and not self.offer.adds_up):
            return False
        return not (self.offer.expiry_ns and self.offer.expiry_ns <= self.s.clock_ns or (
            self.offer.nets and not self.s.rules.net_hedges))

    cdef int _add_instrument(self, Receipt* receipt) noexcept nogil:
        """Executes ADD_INSTRUMENT: the offered instrument is counted. The answer's order id is the instrument."""
        cdef Event* event
        if not self.offer.formed:
            return BAD_INSTRUMENT
        if self.offer.exists:
            return INSTRUMENT_EXISTS
        if self.offer.currency >= self.s.ledger.currency_count:
            return UNKNOWN_CURRENCY
        if not self._fits():
            return BAD_INSTRUMENT
        receipt.order_id = self.s.ledger.instrument_count
        self._count()
        event = emit_instrument_added(&self.s.log, instrument=receipt.order_id, currency=self.offer.currency)
        if event != NULL:
            event.records = 2
            memcpy(log_next(&self.s.log), self.offer.name, NAME_BYTES)
        return OK

    # --- the rule set

    cdef int _enter_rules(self, rules) except -1:
        """Reads a rule set, and tells the ledger what of it concerns postings."""
        # rendered: rules
        self.s.rules.price_band_ppb = rules.price_band_ppb
        self.s.rules.step_limit_ppb = rules.step_limit_ppb
        self.s.rules.parcel_limit_ppb = rules.parcel_limit_ppb
        self.s.rules.step_tiers = rules.step_tiers
        self.s.rules.fee_isolated_low = rules.fee_isolated_low
        self.s.rules.fee_isolated_full = rules.fee_isolated_full
        self.s.rules.fee_isolated_own = rules.fee_isolated_own
        self.s.rules.fee_cross_low = rules.fee_cross_low
        self.s.rules.fee_cross_full = rules.fee_cross_full
        self.s.rules.fee_cross_own = rules.fee_cross_own
        self.s.rules.funding_cap = rules.funding_cap
        self.s.rules.net_hedges = rules.net_hedges
        self.s.rules.orders = rules.orders
        self.s.rules.fund_share_ppb = rules.fund_share_ppb
        self.s.rules.funding_first = rules.funding_first
        self.s.rules.fee_at_bankruptcy = rules.fee_at_bankruptcy
        self.s.rules.at_threshold = rules.at_threshold
        self.s.rules.adl_rank = rules.adl_rank
        self.s.rules.adl_price = rules.adl_price
        self.s.rules.adl_share = rules.adl_share
        self.s.rules.adl_winners_first = rules.adl_winners_first
        self.s.rules.adl_trigger = rules.adl_trigger
        self.s.rules.drawdown_ppb = rules.drawdown_ppb
        self.s.rules.drawdown_window_ns = rules.drawdown_window_ns
        self.s.rules.surplus = rules.surplus
        self.s.rules.surplus_fee_ppb = rules.surplus_fee_ppb
        self.s.rules.partial = rules.partial
        self.s.rules.takeover_times = rules.takeover_times
        self.s.rules.takeover_parts = rules.takeover_parts
        self.s.rules.cure_buffer_ppb = rules.cure_buffer_ppb
        self.s.rules.partial_share_ppb = rules.partial_share_ppb
        self.s.rules.partial_above_units = rules.partial_above_units
        self.s.rules.partial_cooldown_ns = rules.partial_cooldown_ns
        # rendered: end
        self.s.ledger.fund_share_ppb = self.s.rules.fund_share_ppb
        self.s.rules.ends = self.s.rules.at_threshold or self.s.rules.takeover_parts > 0
        self.s.ledger.past.window_ns = self.s.rules.drawdown_window_ns
        self.s.ledger.past.clock_ns = &self.s.clock_ns
        self.s.ledger.returns_surplus = self.s.rules.surplus == TO_TRADER
        self.s.ledger.surplus_fee_ppb = self.s.rules.surplus_fee_ppb
        for step in rules.steps:
            self.s.rules.steps[self.s.rules.step_count] = step
            self.s.rules.step_count += 1
        self.s.ledger.orders_count = self.s.rules.orders != 0
        return 0

    # --- accounts

    cdef int _open_account(self, const Request* c, Receipt* receipt) except -1 with gil:
        """Executes OPEN_ACCOUNT. No Python code runs here; only Python's own objects are made."""
        try:
            return self._opened(c, receipt)
        except MemoryError:
            return TOO_MANY_ACCOUNTS
        except:
            self.s.log.fault = 3
            raise

    cdef int _opened(self, const Request* c, Receipt* receipt) except -1:
        """Opens an account by the name in the command's second record, UTF-8, zero-padded. Raises MemoryError before any other
        change."""
        cdef Event* event
        cdef uint32_t account
        cdef bytes padded, name
        cdef uint64_t parent = c.open_account.parent
        if c.record.records != 2:
            return BAD_RECORD
        padded = PyBytes_FromStringAndSize(<char*>c + RECORD_BYTES, NAME_BYTES)
        name = padded.rstrip(b"\0")
        if not _is_account_name(name):
            return BAD_NAME
        self._read_names()
        if name in self.ids:
            return ACCOUNT_EXISTS
        if parent != 0 and (parent < FIRST_USER or parent >= self.s.ledger.account_count
                                or self.s.ledger.accounts[parent].parent != 0):
            return UNKNOWN_ACCOUNT
        if not accounts_reserve(&self.s.ledger):
            return TOO_MANY_ACCOUNTS
        self.ids[name] = self.s.ledger.account_count
        try:
            self.names.append(name)
        except:
            del self.ids[name]
            raise
        account = account_new(&self.s.ledger, <uint32_t>parent)
        event = emit_account_opened(&self.s.log, account=account, parent=parent)
        if event != NULL:
            event.records = 2
            memcpy(log_next(&self.s.log), <char*>padded, NAME_BYTES)
        receipt.order_id = account
        return OK
