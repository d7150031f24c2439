"""The readable kernel's state for readers: the reading half of its kernel, with the compiled Reader's surface.

Owns nothing: the kernel has the rooms and the names. Never writes. `rows` has the rows of one account.
"""

from collections.abc import Iterable
from hashlib import blake2b
from itertools import chain, product

from solvent.schema.layouts import NO_INSTRUMENT, NOBODY, RECORD_BYTES
from solvent.schema.limits import FIRST_USER, NAME_BYTES
from solvent.schema.rows import DomainRow, PositionRow, WalletRow
from solvent.schema.states import CALLS
from solvent.schema.words import AdlPrice, AdlTrigger, Partial, Side
from solvent.twin import audit, rows
from solvent.twin.account import domain, margin
from solvent.twin.account.ledger import Ledger, Position
from solvent.twin.base.emit import Emitter
from solvent.twin.contract.valuation import Contract
from solvent.twin.liquidation.case import State
from solvent.twin.market.book import Order
from solvent.twin.trade.admission import Admission
from solvent.twin.trade.cancellation import Cancellation
from solvent.twin.trade.lifecycle import Trading
from solvent.twin.trade.order_margin import OrderMargin
from solvent.twin.trade.placement import Placement
from solvent.twin.venue.marks import Marks


def _as_bytes(found: Iterable[tuple[int, ...]]) -> bytes:
    """Returns rows of int64, one after the other; a number that does not fit saturates."""
    return b"".join(margin.saturate(n).to_bytes(8, "little", signed=True) for row in found for n in row)


ORDER_WORDS = 23
"""Numbers of an order without a shape."""


class Reader:
    """The reading half of a kernel."""

    contracts: list[Contract]
    log: Emitter
    ledger: Ledger
    admission: Admission
    trading: Trading
    order_margin: OrderMargin
    placement: Placement
    cancellation: Cancellation
    liquidation: State
    marks: Marks
    names: list[bytes]
    ids: dict[bytes, int]
    config: bytes
    clock_ns: int
    bare: bool

    # --- events

    @property
    def first_seq(self) -> int:
        return self.log.first_seq

    @property
    def next_seq(self) -> int:
        return self.log.next_seq

    def view(self, first: int, end: int) -> bytes:
        """Returns the events first <= seq < end. Raises IndexError when they are dropped."""
        return self.log.view(first, end)

    # --- names and prices

    def account_id(self, name: bytes) -> int | None:
        return self.ids.get(name)

    def account_names(self) -> list[bytes]:
        return list(self.names)

    def account_name(self, account: int) -> bytes:
        """Returns the name of one account."""
        return self.names[account - FIRST_USER]

    @property
    def instrument_count(self) -> int:
        return len(self.contracts)

    @property
    def account_count(self) -> int:
        return len(self.ledger.wallets)

    def mark_ticks(self, instrument: int) -> int:
        return self.contracts[instrument].mark

    def accrual_ppb(self, instrument: int) -> int:
        return self.contracts[instrument].accrual_ppb

    def prices(self, instrument: int) -> tuple[int, int, int]:
        """Returns (mark, last, index) in ticks, 0 where there is none yet."""
        return self.trading.watched(instrument)[:3]

    def market(self, instrument: int) -> tuple[int, ...]:
        """Returns (listing, end of a call, the state after it, its extensions; price, lots and surplus last indicated)."""
        contract = self.contracts[instrument]
        return contract.listing, contract.ends_ns, contract.then_listing, contract.extensions, *contract.told

    def coming_funding(self, instrument: int) -> tuple[int, int] | None:
        """Returns (rate over RATE that the next settlement would charge now, its time), or None without a model."""
        model = self.marks.models[instrument]
        if not model or not model.model.interval_ns:
            return None
        return model.accrued(), model.period * model.model.interval_ns

    def wallet(self, account: int, currency: int) -> tuple[int, int, int, int, int]:
        """Returns (cash, holds, free for orders, spendable, counted collateral)."""
        cash = self.ledger.wallets[account][currency]
        return (
            cash, self.ledger.holds[account][currency], domain.free_units(self.ledger, account, currency, False),
            domain.free_units(self.ledger, account, currency, True), domain.backing(self.ledger, account, currency) - cash,
        )  # fmt: skip

    def positions(self, account: int) -> list[tuple[int, ...]]:
        """Returns the account's positions by instrument and leg.

        Each is (instrument, leg, size, cost, margin, leverage as two numbers, chosen tier, mode, stuck, hedged, hold). Lots
        and value of opening buys and sells, reduce-only lots and the liquidation fee follow.
        """
        return [
            (
                p.instrument, p.leg, p.size, p.cost, p.margin, p.leverage.numerator, p.leverage.denominator,
                p.chosen_tier, p.mode, int(p.stuck), int(p.hedged), p.hold,
                *(number for side in p.open_sides for number in (side.lots, side.value)), p.reduce.lots,
                p.liquidation_fee_ppb,
            )
            for p in self.ledger.positions_of(account)
        ]  # fmt: skip

    # --- all accounts at once; int64 rows whose columns solvent.schema.columns names

    def _open(self) -> list[Position]:
        """Returns every open position, by account, instrument and leg."""
        accounts = range(FIRST_USER, self.account_count)
        return [p for account in accounts for p in self.ledger.positions_of(account) if p.size]

    def positions_bytes(self) -> bytes:
        """Returns every open position."""
        return _as_bytes(rows.position_columns(self.order_margin, p) for p in self._open())

    def liquidations_bytes(self) -> bytes:
        """Returns the liquidation prices of every open position."""
        return _as_bytes(rows.liquidation_columns(self.order_margin, p) for p in self._open())

    def accounts_bytes(self) -> bytes:
        """Returns every account's every currency, in order."""
        places = product(range(FIRST_USER, self.account_count), range(self.ledger.currencies))
        return _as_bytes(rows.account_columns(self.order_margin, *place) for place in places)

    def orders_of(self, account: int) -> list[tuple[int, ...]]:
        row = self.placement.linked.row
        return sorted(row(order) for p in self.ledger.positions_of(account) for order in p.orders)

    def find_order(self, account: int, order_id: int, client_id: int) -> tuple[int, ...] | None:
        order: Order | None = self.cancellation.find(account, order_id, client_id)
        return self.placement.linked.row(order) if order else None

    def client_text(self, account: int, client_id: int) -> bytes | None:
        """Returns the text behind a client id, as long as it is in the window; None for one that is a number."""
        return self.trading.texts.get((account, client_id))

    def resting(self, instrument: int) -> list[tuple[int, ...]]:
        book = self.trading.books[instrument]
        return [order.row() for side in (Side.BUY, Side.SELL) for order in book.orders(side)]

    def dormant(self, instrument: int) -> list[tuple[int, ...]]:
        """Returns every order of an instrument that waits for its trigger or its entry, or is parked, by id."""
        row = self.placement.linked.row
        parked = [each for each in self.trading.pegged.values() if each.parked and each.instrument == instrument]
        return sorted(row(order) for order in (*self.trading.triggers.dormant[instrument].values(), *parked))

    def queue(self, instrument: int, side: int, price: int) -> list[tuple[int, ...]]:
        """Returns the resting orders of a side at one price, the next to trade first."""
        return [order.row() for order in self.trading.books[instrument].queue(side, price)]

    def order_counts(self, account: int, instrument: int) -> tuple[int, int]:
        """Returns the numbers of resting and of dormant or parked orders.

        NOBODY: everyone's, the house's too; NO_INSTRUMENT: in all.
        """
        found = [
            order.dormant or order.parked for order in self.trading.live.values()
            if account in (NOBODY, order.account) and instrument in (NO_INSTRUMENT, order.instrument)
        ]  # fmt: skip
        return found.count(False), found.count(True)

    def best(self, instrument: int) -> tuple[int, int, int, int]:
        """Returns (bid ticks, bid lots, ask ticks, ask lots); zeros for an empty side."""
        bids, asks = self.depth(instrument, 1)
        return (*(bids or [(0, 0)])[0], *(asks or [(0, 0)])[0])

    def depth_bytes(self, instrument: int, n: int) -> tuple[bytes, bytes]:
        """Returns (bids, asks), best first, as int64 rows (price ticks, lots, orders), at most n levels each."""
        sides = []
        for side in (Side.BUY, Side.SELL):
            rows = list(self.trading.books[instrument].shown(side))[:n]
            sides.append(b"".join(number.to_bytes(8, "little") for row in rows for number in row))
        return sides[0], sides[1]

    def memory(self) -> dict[str, int]:
        """Returns the bytes of the events; the compiled core counts its pools too, but here Python keeps the memory."""
        return {"events": len(self.log.events) * RECORD_BYTES, "total": len(self.log.events) * RECORD_BYTES}

    def depth(self, instrument: int, n: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        book = self.trading.books[instrument]
        bids, asks = (list(book.levels(side))[:n] for side in (Side.BUY, Side.SELL))
        return bids, asks

    # --- one account; rows that solvent.schema.rows names

    def position_row(self, account: int, instrument: int, leg: int) -> PositionRow:
        """Returns a position as it is, or as it would begin."""
        return rows.position_row(self.order_margin, self.ledger.blank(account, instrument, leg))

    def position_rows(self, account: int) -> list[PositionRow]:
        """Returns the account's positions by instrument and leg, the flat ones too."""
        return [rows.position_row(self.order_margin, p) for p in self.ledger.positions_of(account)]

    def wallet_rows(self, account: int) -> list[WalletRow]:
        """Returns the account's money, and the margin of its positions, by currency."""
        return [rows.wallet_row(self.order_margin, account, currency) for currency in range(self.ledger.currencies)]

    def domain_rows(self, account: int) -> list[DomainRow]:
        """Returns the ratio tests of the account: its open isolated positions, then the cross domain of each currency."""
        return rows.domain_rows(self.order_margin, account)

    def timers(self) -> list[tuple[int, ...]]:
        """Returns (deadline, account, instrument, tag, spares) of each timer, in the order in which they are due."""
        return self.trading.timers.rows()

    def brackets(self) -> list[tuple[int, ...]]:
        """Returns (entry, target, stop, filled lots, closed lots, most lots, arm) of each bracket, in this order."""
        return sorted(bracket.row() for bracket in self.trading.brackets.all)

    def parcels(self) -> list[tuple[int, ...]]:
        """Returns (id, instrument, size, cost, bankruptcy ticks, order id, origin) of each parcel."""
        return [
            (
                p.parcel_id,
                p.instrument,
                p.size,
                p.cost,
                p.bankruptcy_price,
                p.order.order_id if p.order else 0,
                p.origin,
            )
            for p in self.ledger.parcels
        ]

    def state(self) -> bytes:
        """Returns the canonical bytes of the state (docs/reference/digest.md)."""
        out = [self.clock_ns, self.trading.order_count, self.ledger.next_parcel_id, len(self.names)]
        out += self.ledger.parents[FIRST_USER:]
        if self.admission.rules.partial == Partial.BY_FRACTION:
            out += [self.ledger.cooling.get(account, 0) for account in range(FIRST_USER, self.account_count)]
        if self.admission.rules.adl_trigger == AdlTrigger.BY_DRAWDOWN:
            out += self.ledger.past.state()
        for wallets in self.ledger.wallets:
            out += wallets
        for i in range(len(self.contracts)):
            model = self.marks.models[i]
            out += [
                *self.prices(i),
                self.contracts[i].funding_period,
                self.contracts[i].listing,
                *((self.contracts[i].prior_mark,) if self.admission.rules.adl_price == AdlPrice.AT_PREVIOUS else ()),
                *(self.market(i)[1:] if self.contracts[i].listing in CALLS else ()),
                *(model.state() if model else ()),
            ]
            limits = self.contracts[i].limits
            out += limits.state() if limits else []
        for account in range(FIRST_USER, self.account_count):
            for row in self.positions(account):
                out += [account, *row[:11]]
        for i in range(len(self.contracts)):
            for orders in (self.resting(i), self.dormant(i)):
                out.append(len(orders))
                for words in orders:
                    order = self.trading.live[words[0]]
                    out += words[:-2] if order.shaped else words[:ORDER_WORDS]  # no tag
                    out += words[-1:] if order.terms.follows else ()
        parcels = self.parcels()
        out.append(len(parcels))
        for row in parcels:
            out += row
        out += self.trading.fees.state()
        slots = self.trading.slots
        out += [slots.high_water, len(slots.free), *slots.free, len(self.trading.finished)]
        for finished in self.trading.finished:
            out += finished
        out += self._links()
        names = b"".join(name.ljust(NAME_BYTES, b"\0") for name in self.names)
        return self.config + names + b"".join((n % 2**64).to_bytes(8, "little") for n in out)

    def _links(self) -> list[int]:
        """Returns timers in the order in which they are due, tags by order, and brackets; nothing where there are none."""
        timers = self.timers()
        tags = [(order_id, order.terms.tag) for order_id, order in sorted(self.trading.live.items()) if order.terms.tag]
        brackets = self.brackets()
        joined = [len(brackets), *chain.from_iterable(brackets)] if brackets else []
        if not (timers or tags or joined):
            return []
        return [len(timers), *chain.from_iterable(timers), len(tags), *chain.from_iterable(tags), *joined]

    def digest(self) -> int:
        """Returns the first 8 bytes of BLAKE2b-512 over these bytes."""
        return int.from_bytes(blake2b(self.state()).digest()[:8], "little")

    def check(self) -> str | None:
        """Returns the first invariant that does not hold, as text."""
        return audit.broken(self.liquidation, self.clock_ns, self.bare)
