"""Reads of the state; the contract is in reader.pxd."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from solvent._core cimport audit
from solvent._core.market.order_pool cimport DORMANT, EXTENDED, LIVE, PARKED, Links, Order, ExtendedTerms, pool_find
from solvent._core.market.book cimport Book, Level, book_peek, book_worse
from solvent._core.market.peaks cimport is_pegged, Steps, is_whole, shown_best, steps_begin, steps_next
from solvent._core.market.client_ids cimport ClientKey, client_ids_find, client_text_find
from solvent._core.account.ledger cimport FIRST_USER, Ledger, Parcel, Position, wallet_of
from solvent._core.account.margin cimport backing, free_units
from solvent._core.contract.price_model cimport Prices, prices_accrued
from solvent._core.contract.valuation cimport Instrument
from solvent._core.base.schema cimport CLIENT_TEXT_MAX, NOBODY, NO_INSTRUMENT, RECORD_BYTES, SOURCES
from solvent._core.canonical cimport (
    ORDER_WORDS, SHAPE_WORDS, Writer, bracket_rows, order_words, shape_words, timer_rows, unqueued, write_state,
)
from solvent._core.rows cimport (
    AccountColumns, LiquidationColumns, PositionColumns, Seen, account_columns, domain_rows, liquidation_columns, position_columns,
    position_row, position_rows, wallet_rows,
)
from solvent._core.trade.state cimport order_instrument


cdef uint64_t _book_bytes(Book* book):
    """Returns the bytes of nodes and levels ever used, and of the heads of both sides."""
    return (sizeof(Book) + <uint64_t>book.nodes_used * (64 * sizeof(int32_t) + sizeof(uint64_t) + sizeof(int32_t))
            + <uint64_t>book.levels_used * sizeof(Level))


cdef class Reader:
    """The reading half of a kernel."""

    cdef int _raise_busy(self) except -1:
        raise self.busy_error(
            "the exchange is working on another call; one thread at a time" if self.busy == WORKING else
            "C drives the exchange until it calls solvent_end" if self.busy == NATIVE else
            "a block of the exchange's image is held; release its memoryviews first")

    cdef int _read_names(self) except -1:
        """Makes the names of accounts out of an image, at the first question for one. Raises MemoryError before any change."""
        cdef const uint64_t* ends
        cdef uint64_t at = 0
        cdef Py_ssize_t i
        cdef char* text
        if self.unread_ends is None:
            return 0
        ends = <const uint64_t*>PyBytes_AS_STRING(self.unread_ends)
        text = PyBytes_AS_STRING(self.unread_names)
        ids = {}
        names = []
        for i in range(len(self.unread_ends) >> 3):
            name = PyBytes_FromStringAndSize(text + at, <Py_ssize_t>(ends[i] - at))
            ids[name] = FIRST_USER + i
            names.append(name)
            at = ends[i]
        self.ids, self.names, self.unread_ends, self.unread_names = ids, names, None, None
        return 0

    cdef int _require_idle(self, uint32_t account=0, uint32_t instrument=0) except -1:
        if self.busy:
            self._raise_busy()
        if account >= self.s.ledger.account_count or instrument >= self.s.ledger.instrument_count:
            raise IndexError("no such account or instrument")
        return 0

    @property
    def clock_ns(self):
        return self.s.clock_ns

    @property
    def account_count(self):
        return self.s.ledger.account_count

    @property
    def instrument_count(self):
        return self.s.ledger.instrument_count

    def account_id(self, bytes name):
        """Returns the id of a name, or None."""
        self._read_names()
        return self.ids.get(name)

    def account_names(self):
        """Returns all names in order of opening; the first one has id 16."""
        self._read_names()
        return list(self.names)

    def account_name(self, uint32_t account):
        """Returns the name of one account."""
        self._require_idle(account)
        self._read_names()
        return self.names[account - FIRST_USER]

    def mark_ticks(self, uint32_t instrument):
        self._require_idle(0, instrument)
        return self.s.ledger.instruments[instrument].mark_ticks

    def accrual_ppb(self, uint32_t instrument):
        self._require_idle(0, instrument)
        return self.s.ledger.instruments[instrument].accrual_ppb

    def prices(self, uint32_t instrument):
        """Returns (mark, last, index) in ticks, 0 where there is none yet."""
        self._require_idle(0, instrument)
        return (self.s.ledger.instruments[instrument].mark_ticks, self.s.ledger.instruments[instrument].last_ticks,
                self.s.ledger.instruments[instrument].index_ticks)

    def market(self, uint32_t instrument):
        """Returns (listing, end of a call, the state after it, its extensions; price, lots and surplus last indicated)."""
        cdef Instrument* ins = &self.s.ledger.instruments[instrument]
        self._require_idle(0, instrument)
        return (ins.listing, ins.ends_ns, ins.then_listing, ins.extensions, ins.told.price_ticks, ins.told.lots,
                ins.told.surplus_lots)

    def coming_funding(self, uint32_t instrument):
        """Returns (rate over RATE that the next settlement would charge now, its time), or None without a model."""
        cdef Prices* p = &self.s.prices[instrument]
        self._require_idle(0, instrument)
        if p.sample_ns == 0 or p.interval_ns == 0:
            return None
        return prices_accrued(p), p.period * p.interval_ns

    def wallet(self, uint32_t account, uint32_t currency):
        """Returns (cash, holds, free for orders, spendable, counted collateral)."""
        self._require_idle(account)
        if currency >= self.s.ledger.currency_count:
            raise IndexError("no such currency")
        return (wallet_of(&self.s.ledger, account, currency).cash_units,
                wallet_of(&self.s.ledger, account, currency).hold_units,
                free_units(&self.s.ledger, account, currency, False),
                free_units(&self.s.ledger, account, currency, True),
                backing(&self.s.ledger, account, currency) - wallet_of(&self.s.ledger, account, currency).cash_units)

    def positions(self, uint32_t account):
        """Returns the account's positions by instrument and leg.

        Each is (instrument, leg, size, cost, margin, leverage as two numbers, chosen tier, mode, stuck, hedged, hold). Lots
        and value of opening buys and sells, reduce-only lots and the liquidation fee follow.
        """
        cdef int32_t index
        cdef Position* p
        self._require_idle(account)
        index = self.s.ledger.accounts[account].first_position
        rows = []
        while index >= 0:
            p = &self.s.ledger.positions[index]
            rows.append((p.instrument, p.leg, p.size_lots, p.cost_units, p.margin_units, p.leverage.times, p.leverage.parts,
                         p.chosen_tier, p.mode, p.stuck, p.hedged, p.hold_units, p.open[0].lots, p.open[0].value_units,
                         p.open[1].lots, p.open[1].value_units, p.reduce.lots, p.liquidation_fee_ppb))
            index = p.next
        return rows

    # --- one account; rows that solvent.schema.rows names, whole numbers of any size

    def position_row(self, uint32_t account, uint32_t instrument, uint8_t leg):
        """Returns a position as it is, or as it would begin."""
        self._require_idle(account, instrument)
        return position_row(&self.s, account, instrument, leg)

    def position_rows(self, uint32_t account):
        """Returns the account's positions by instrument and leg, the flat ones too."""
        self._require_idle(account)
        return position_rows(&self.s, account)

    def wallet_rows(self, uint32_t account):
        """Returns the account's money, and the margin of its positions, by currency."""
        self._require_idle(account)
        return wallet_rows(&self.s, account)

    def domain_rows(self, uint32_t account):
        """Returns the ratio tests of the account: its open isolated positions, then the cross domain of each currency."""
        self._require_idle(account)
        return domain_rows(&self.s, account)

    def timers(self):
        """Returns (deadline, account, instrument, tag, spares) of each timer, in the order in which they are due."""
        self._require_idle()
        return timer_rows(&self.s)

    def brackets(self):
        """Returns (entry, target, stop, filled lots, closed lots, most lots, arm) of each bracket, in this order."""
        self._require_idle()
        return bracket_rows(&self.s)

    def parcels(self):
        """Returns the house's parcels by id: (id, instrument, size, cost, bankruptcy ticks, order id, origin)."""
        cdef int32_t i
        cdef Parcel* p
        self._require_idle()
        rows = []
        for i in range(self.s.ledger.parcel_count):
            p = &self.s.ledger.parcels[i]
            if p.size_lots == 0:        # closed, not swept away yet
                continue
            rows.append((p.parcel_id, p.instrument, p.size_lots, p.cost_units, p.bankruptcy_ticks, p.order_id, p.origin))
        return rows

    # --- all accounts at once; int64 rows whose columns solvent.schema.columns names

    def positions_bytes(self):
        """Returns every open position, by account and instrument."""
        return self._of_positions(sizeof(PositionColumns), position_columns)

    def liquidations_bytes(self):
        """Returns the liquidation prices of every open position."""
        return self._of_positions(sizeof(LiquidationColumns), liquidation_columns)

    cdef bytearray _of_positions(self, size_t row_bytes, Columns write):
        cdef Ledger* l = &self.s.ledger
        cdef size_t count = 0
        cdef char* row
        cdef uint32_t account
        cdef int32_t index
        cdef Seen seen
        self._require_idle()
        seen.account = 0
        for index in range(l.position_count):
            count += l.positions[index].size_lots != 0
        block = bytearray(count * row_bytes)
        row = <char*>block
        for account in range(FIRST_USER, l.account_count):
            index = l.accounts[account].first_position
            while index >= 0:
                if l.positions[index].size_lots != 0:
                    write(&self.s, index, &seen, row)
                    row += row_bytes
                index = l.positions[index].next
        return block

    def accounts_bytes(self):
        """Returns every account's every currency, in order."""
        cdef Ledger* l = &self.s.ledger
        cdef AccountColumns* row
        cdef uint32_t account, currency
        self._require_idle()
        block = bytearray((l.account_count - FIRST_USER) * l.currency_count * sizeof(AccountColumns))
        row = <AccountColumns*><char*>block
        for account in range(FIRST_USER, l.account_count):
            for currency in range(l.currency_count):
                account_columns(&self.s, account, currency, row)
                row += 1
        return block

    # --- orders

    cdef tuple _order_row(self, int32_t slot):
        cdef int64_t row[ORDER_WORDS + SHAPE_WORDS]
        cdef int i
        order_words(&self.s, slot, row)
        shape_words(&self.s, slot, row + ORDER_WORDS)
        found = []
        for i in range(ORDER_WORDS + SHAPE_WORDS):
            found.append(row[i])
        found.append(self.s.pool.terms[slot].tag if self.s.pool.orders[slot].state & EXTENDED else 0)
        found.append(self.s.pool.terms[slot].limit_ticks if is_pegged(&self.s.pool, slot) else 0)
        return tuple(found)

    def orders_of(self, uint32_t account):
        """Returns the account's live orders by id, resting and dormant.

        Each is (order id, account, instrument, side, price, remaining, size, client id, flags, tif, open loss ticks, dormant).
        Its terms follow: (trigger, trail, extreme, slippage ppb, expiry, self-trade group, source, kind, trigger flags,
        self-trade mode, leg). Then its shape: (activation, step, offset, peg, shape flags, waits for a rise, peak,
        lots behind it), and its tag.
        """
        cdef int32_t index, slot
        self._require_idle(account)
        index = self.s.ledger.accounts[account].first_position
        rows = []
        while index >= 0:
            slot = self.s.ledger.positions[index].first_order
            while slot >= 0:
                rows.append(self._order_row(slot))
                slot = self.s.pool.own[slot].next
            index = self.s.ledger.positions[index].next
        rows.sort()
        return rows

    def find_order(self, uint32_t account, uint64_t order_id, uint64_t client_id):
        """Returns the row of the account's live order, by order id, else by client id; None when there is none."""
        cdef int32_t slot
        self._require_idle()
        if order_id == 0 and client_id != 0:
            order_id = client_ids_find(&self.s.client_ids, account, client_id)
        slot = pool_find(&self.s.pool, order_id)
        if slot < 0 or self.s.pool.orders[slot].account != account:
            return None
        return self._order_row(slot)

    def client_text(self, uint32_t account, uint64_t client_id):
        """Returns the text behind a client id, as long as it is in the window; None for one that is a number."""
        cdef const char* text
        cdef Py_ssize_t length = 0
        self._require_idle()
        text = client_text_find(&self.s.client_ids, account, client_id)
        if text == NULL:
            return None
        while length < CLIENT_TEXT_MAX and text[length] != 0:
            length += 1
        return text[:length]

    def resting(self, uint32_t instrument):
        """Returns every resting order of a book, bids best first and in time order, then asks; rows as in orders_of."""
        cdef int side
        cdef int32_t slot
        cdef Steps steps
        self._require_idle(0, instrument)
        rows = []
        for side in range(2):
            steps_begin(&self.s.books[instrument], side, &steps)
            while steps_next(&self.s.books[instrument], &steps):
                slot = steps.book.levels[steps.level].head
                while slot >= 0:
                    rows.append(self._order_row(slot))
                    slot = self.s.pool.orders[slot].next
        return rows

    def queue(self, uint32_t instrument, int side, int64_t price_ticks):
        """Returns the resting orders of a side at one price, the next to trade first; rows as in orders_of."""
        cdef Book* book
        self._require_idle(0, instrument)
        book = &self.s.books[instrument]
        if price_ticks < 1 or price_ticks > self.s.ledger.instruments[instrument].max_price_ticks:
            return []
        return self._queue(book, side, price_ticks) + (self._queue(book.dark, side, price_ticks) if book.dark != NULL else [])

    cdef list _queue(self, Book* book, int side, int64_t price_ticks):
        cdef int64_t key = price_ticks ^ book.side[side].turn
        cdef int32_t leaf = book_peek(book, &book.side[side], key)
        cdef int32_t slot
        if leaf < 0 or not (book.bits[leaf] >> (key & 63)) & 1:
            return []
        slot = book.levels[book.child[leaf * <int64_t>64 + (key & 63)]].head
        rows = []
        while slot >= 0:
            rows.append(self._order_row(slot))
            slot = self.s.pool.orders[slot].next
        return rows

    def order_counts(self, uint32_t account, uint32_t instrument):
        """Returns the numbers of resting and of dormant or parked orders. NOBODY: everyone's, the house's too; NO_INSTRUMENT: in all.
        O(slots ever used)."""
        cdef int64_t counts[2]
        cdef int32_t slot
        cdef Order* o
        self._require_idle()
        counts[0] = counts[1] = 0
        for slot in range(self.s.pool.high_water):
            o = &self.s.pool.orders[slot]
            if (o.state & LIVE and (account == NOBODY or o.account == account)
                    and (instrument == NO_INSTRUMENT or order_instrument(&self.s, slot) == instrument)):
                counts[1 if o.state & (DORMANT | PARKED) else 0] += 1
        return counts[0], counts[1]

    cdef list _dormant_rows(self, uint32_t instrument):
        cdef int32_t slot
        if unqueued(&self.s, instrument) == 0:
            return []
        rows = []
        for slot in range(self.s.pool.high_water):
            if self.s.pool.orders[slot].state & (DORMANT | PARKED) and order_instrument(&self.s, slot) == instrument:
                rows.append(self._order_row(slot))
        rows.sort()
        return rows

    def dormant(self, uint32_t instrument):
        """Returns every order of an instrument that waits for its trigger, or is parked, by id; rows as in orders_of. O(slots ever used)."""
        self._require_idle(0, instrument)
        return self._dormant_rows(instrument)

    # --- the book

    def depth(self, uint32_t instrument, int64_t n):
        """Returns (bids, asks), best first, each a list of (price ticks, lots), at most n levels."""
        cdef int side
        cdef int64_t left
        cdef int32_t level
        self._require_idle(0, instrument)
        result = ([], [])
        for side in range(2):
            level = self.s.books[instrument].side[side].best
            left = n
            while level >= 0 and left > 0:
                if self.s.books[instrument].levels[level].total_lots > 0:
                    result[side].append((self.s.books[instrument].levels[level].price_ticks,
                                         self.s.books[instrument].levels[level].total_lots))
                    left -= 1
                level = book_worse(&self.s.books[instrument], side, level)
        return result

    def depth_bytes(self, uint32_t instrument, int64_t n):
        """Returns (bids, asks), best first, as int64 rows (price ticks, lots, orders), at most n levels each."""
        cdef int side
        cdef int64_t i, count
        cdef int32_t level
        cdef int64_t* rows
        cdef Book* book
        self._require_idle(0, instrument)
        book = &self.s.books[instrument]
        sides = []
        for side in range(2):
            count = 0
            level = book.side[side].best
            while level >= 0 and count < n:
                count += book.levels[level].total_lots > 0
                level = book_worse(book, side, level)
            block = bytearray(count * 3 * sizeof(int64_t))
            rows = <int64_t*><char*>block
            level = shown_best(book, side)
            for i in range(count):
                rows[3 * i] = book.levels[level].price_ticks
                rows[3 * i + 1] = book.levels[level].total_lots
                rows[3 * i + 2] = self._shown_orders(book, level)
                level = book_worse(book, side, level)
                while level >= 0 and book.levels[level].total_lots == 0:
                    level = book_worse(book, side, level)
            sides.append(block)
        return sides[0], sides[1]

    cdef int64_t _shown_orders(self, Book* book, int32_t level) noexcept nogil:
        """Returns how many orders of a level show lots."""
        cdef int64_t count = book.levels[level].count
        cdef int32_t slot = book.levels[level].head if book.wholes else -1
        while slot >= 0:
            count -= is_whole(&self.s.pool, slot)
            slot = self.s.pool.orders[slot].next
        return count

    def best(self, uint32_t instrument):
        """Returns (bid ticks, bid lots, ask ticks, ask lots); zeros for an empty side."""
        cdef int32_t bid, ask
        cdef Book* book
        self._require_idle(0, instrument)
        book = &self.s.books[instrument]
        bid = shown_best(book, 0)
        ask = shown_best(book, 1)
        return (book.levels[bid].price_ticks if bid >= 0 else 0, book.levels[bid].total_lots if bid >= 0 else 0,
                book.levels[ask].price_ticks if ask >= 0 else 0, book.levels[ask].total_lots if ask >= 0 else 0)

    def memory(self):
        """Returns the bytes ever used by each pool, and their sum as "total". Reserved memory costs nothing."""
        cdef uint32_t i
        cdef int source
        cdef uint64_t books = 0
        self._require_idle()
        for i in range(self.s.ledger.instrument_count):
            books += _book_bytes(&self.s.books[i])
            if self.s.books[i].dark != NULL:
                books += _book_bytes(self.s.books[i].dark)
            for source in range(SOURCES):
                if self.s.triggers[i].books[source] != NULL:
                    books += _book_bytes(self.s.triggers[i].books[source])
        pools = {
            "orders": self.s.pool.high_water * sizeof(Order),
            "free stack": self.s.pool.high_water * sizeof(int32_t),
            "levels and nodes": books,
            "client ids": self.s.client_ids.capacity * sizeof(uint64_t) + self.s.client_ids.count * sizeof(ClientKey),
            "owners' links": 0 if self.s.bare else self.s.pool.high_water * 2 * sizeof(Links),
            "terms": self.s.pool.terms_high_water * sizeof(ExtendedTerms) + self.s.expiries.capacity * sizeof(int32_t),
            "events": self.s.log.capacity * RECORD_BYTES,
        }
        pools["total"] = sum(pools.values())
        return pools

    # --- the whole

    def state(self):
        """Returns the canonical bytes of the state (docs/reference/digest.md)."""
        cdef list chunks = []
        self._write(lambda chunk: chunks.append(bytes(chunk)))
        return b"".join(chunks)

    def digest(self):
        """Returns the first 8 bytes of BLAKE2b-512 over these bytes, as an int, in bounded memory."""
        from hashlib import blake2b

        hashed = blake2b()
        self._write(hashed.update)
        return int.from_bytes(hashed.digest()[:8], "little")

    cdef int _write(self, take) except -1:
        self._require_idle()
        self._read_names()
        self.busy = WORKING        # `take` is Python code
        try:
            write_state(&self.s, self.config, self.names, Writer(take))
        finally:
            self.busy = IDLE
        return 0

    def check(self):
        """Returns the first invariant that does not hold, as text, or None; recomputed from the state."""
        self._require_idle()
        return audit.broken(&self.s)
