"""The third witness: recomputes book, balances, positions and thresholds from the events alone.

Owns the transitions of its plain-integer books (`books`). Shares no formula with the core or the twin. Asks the exchange
nothing but the constants of its instruments and rule set. `feed` raises InvariantBroken at the first event that does not
follow from those before it. `close` raises it at the end of a command if a sum of semantics §1 does not hold. Cost: O(1) an
event, O(accounts) a close; for tests and doubts.
"""

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction

from solvent.schema.codes import InvariantBroken
from solvent.schema.events import Event, is_event
from solvent.schema.layouts import NO_INSTRUMENT
from solvent.schema.limits import DAY_NS, FIRST_USER, RATE
from solvent.schema.words import EventType, Leg, Listing, ParcelChange, Posting, Purse, SelfTrade, Verdict
from solvent.terms.order_words import TRANSITIONS, wrong_type
from solvent.witness.batches import Batched
from solvent.witness.closings import Closings
from solvent.witness.rows import LEGS, Audited, Key, Order
from solvent.witness.safety import Before
from solvent.witness.spendable import spendable
from solvent.witness.values import fill_value, profit, ratio_up, signed_cost, toward_zero

_FEES = {Posting.MAKER_FEE, Posting.TAKER_FEE, Posting.LIQUIDATION_FEE}


class Auditor(Batched):
    """Audits one exchange from its first event on.

    >>> from solvent import Exchange, Instrument
    >>> from solvent.auditor import Auditor
    >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
    >>> auditor = Auditor(ex)
    >>> ex.deposit("alice", "USDT", 5)
    >>> auditor.follow(ex.drain())
    >>> auditor.wallets[16, 0]
    5000000
    """

    def __init__(self, exchange: Audited):
        super().__init__(exchange)
        self.parcels: dict[int, list[int]] = {}  # instrument, size, cost
        self.periods: defaultdict[int, int] = defaultdict(int)
        # Paid and received, by account and isolated leg, or -1 for the wallet.
        self._funded: defaultdict[tuple[int, int], tuple[int, int]] = defaultdict(lambda: (0, 0))
        self.counts: defaultdict[str, int] = defaultdict(int)
        self.roundings: defaultdict[int, int] = defaultdict(int)  # that may have left a part of a unit in residue, by currency
        self.closes = 0
        self._seq = 0
        self._fees: list[tuple[int, int, int]] = []  # payer, order id, amount still to be posted (a rebate: negative)
        self._fills: defaultdict[Key, list[tuple[int, int]]] = defaultdict(list)  # until their POSITION
        self._traded: defaultdict[Key, list[Before]] = defaultdict(list)  # likewise, of trades
        self._house_fills: list[tuple[int, int, bool]] = []  # lots, cost delta, of an order that takes: until their PARCEL
        self._stepping = self._stepping_leg = 0
        self._closings = Closings()
        self._another_day = False
        self._taken: list[int] = []
        self._origins: dict[int, int] = {}  # of parcels: who was taken over
        self._returned: list[tuple[int, int]] = []  # to whom, units: of a surplus until its PARCEL
        self._held: dict[Key, int] = {}  # what positions were before this command changed them

    def follow(self, events: Iterable[Event]) -> None:
        """Reads the events of whole commands, and closes the books after each command.

        Raises InvariantBroken at the first event or command that does not add up.
        """
        if not isinstance(events, Iterable):
            raise wrong_type("events", events, "events, as a cursor gives them")
        open_books = False
        for event in events:
            if open_books and is_event(event) and event.type == EventType.BEGIN:
                self.close()
            self.feed(event)
            open_books = True
        if open_books:
            self.close()

    def feed(self, e: Event) -> None:
        """Reads one event. Raises InvariantBroken if it contradicts what went before, or names something unknown."""
        if not is_event(e):
            raise wrong_type("event", e, "an Event")
        self._need(e.seq > self._seq, e, f"sequence after {self._seq}")
        self._seq = e.seq
        self.counts[e.type.name] += 1
        handler = getattr(self, f"_on_{e.type.name.lower()}", None)
        if handler:
            try:
                handler(e)
            except (LookupError, ArithmeticError, ValueError) as error:
                raise InvariantBroken(f"auditor: {e!r} does not follow: {error!r}") from error

    def _need(self, holds: bool, e: object, what: str) -> None:
        if not holds:
            raise InvariantBroken(f"auditor: {what} at {e!r}")

    # --- money

    def _on_ledger(self, e: Event) -> None:
        side, leg = e.margin_of & 3, e.margin_of >> 2
        source: defaultdict[tuple[int, ...], int] = self.margins if side == 1 else self.wallets  # type: ignore[assignment]
        target: defaultdict[tuple[int, ...], int] = self.margins if side == 2 else self.wallets  # type: ignore[assignment]
        payer = (e.payer, e.instrument, leg) if side == 1 else (e.payer, e.currency)
        receiver = (e.receiver, e.instrument, leg) if side == 2 else (e.receiver, e.currency)
        source[payer] -= e.amount_units
        target[receiver] += e.amount_units
        self._need(e.amount_units > 0, e, "MON-7: a posting moves something")
        self._need((source[payer], target[receiver]) == (e.payer_after, e.receiver_after), e, "MON-7: balances after")
        self.counts[Posting(e.posting).name] += 1
        self._safe_ledger(e)
        if e.posting in (Posting.FUNDING_PAID, Posting.FUNDING_RECEIVED) or self._funding_repays(e):
            paid = e.posting == Posting.FUNDING_PAID
            account = e.payer if paid else e.receiver if e.posting == Posting.FUNDING_RECEIVED else Purse.FUND
            who = account, leg if side else -1
            gave, got = self._funded[who]
            self._funded[who] = (gave + e.amount_units, got) if paid else (gave, got + e.amount_units)
        if e.posting == Posting.SURPLUS_RETURNED:
            self._returned.append((e.receiver, e.amount_units))
        if e.payer == Purse.FUND and not e.payer_after:
            self.counts["fund_exhausted"] += 1
        if Purse.DEFICIT in (e.payer, e.receiver):
            self.counts["deficit_postings"] += 1
        if e.posting in _FEES or e.posting == Posting.DEFICIT_REPAID:
            self._settle_fee(e)

    @staticmethod
    def _funding_repays(e: Event) -> bool:
        """True if this posting repays the deficit from a parcel's funding, which comes first."""
        return bool(e.posting == Posting.DEFICIT_REPAID and e.payer == Purse.RESIDUE)

    def _settle_fee(self, e: Event) -> None:
        """Matches a fee with what is owed. It may be split between the deficit and the fund; a rebate may not."""
        for i, (payer, ref, owed) in enumerate(self._fees):
            if (payer, ref) == (e.payer, e.ref) and owed >= e.amount_units:
                self._fees[i] = (payer, ref, owed - e.amount_units)
                return
            if (payer, ref, owed) == (e.receiver, e.ref, -e.amount_units) and e.payer == Purse.FEES:
                self._fees[i] = (payer, ref, 0)
                return
        self._need(e.posting == Posting.DEFICIT_REPAID, e, "a fee that no fill explains")

    def _fill(self, key: Key, size: int, cost: int) -> None:
        """Books a fill (semantics §1): a reduction realises trunc(cost * x / size); the rest opens."""
        held = self.sizes[key]
        self._held.setdefault(key, held)
        if held * size < 0:
            closed = min(abs(held), abs(size))
            self.costs[key] -= toward_zero(self.costs[key] * closed, abs(held))
            self.sizes[key] += closed if held < 0 else -closed
            rest = abs(size) - closed
            cost -= toward_zero(cost * closed, abs(size))
            size = rest if size > 0 else -rest
        self.sizes[key] += size
        self.costs[key] += cost

    def _on_position(self, e: Event) -> None:
        self._need(abs(e.size_lots) <= self.specs[e.instrument].max_size_lots, e, "MAR-1: within the last tier")
        key = e.account, e.instrument, e.leg
        self.modes[key], self.leverages[key] = e.mode, Fraction(e.leverage, e.leverage_parts)
        self.chosen[key] = e.chosen_tier
        self.liquidation_fee(key)  # which it keeps from now on
        if self._fills[key]:
            self._fill(key, *self._fills[key].pop(0))
        size = self.sizes[key]
        self._need(size >= 0 if e.leg == Leg.LONG else e.leg != Leg.SHORT or size <= 0, e, "MAR-2: a leg keeps its side")
        mine = self.sizes[key], self.costs[key], self.margins[key]
        self._need(mine == (e.size_lots, e.cost_units, e.margin_units), e, f"position {mine}")
        if self._traded[key]:
            self._safe_fill(key, self._traded[key].pop(0), e)
            for other, rows in self._traded.items():  # of a trade with oneself the other half comes after this one
                rows[:] = [self._before(other, its.maker, its.lots) for its in rows]

    # --- funding

    def _on_accrued(self, e: Event) -> None:
        self.accruals[e.instrument] = e.asked_ppb

    def _on_begin(self, e: Event) -> None:
        self._batch_begin(e)
        self._safe_begin(e)
        self._funded.clear()
        self._another_day = e.time_ns // DAY_NS > self.day
        self.day = e.time_ns // DAY_NS
        self._enter()  # what the last command added
        self._need(len(self.specs) == self.listed, e, "the terms of what was added are known")
        self._limits_begin(e)
        self._timers_begin(e)

    def _on_passed(self, e: Event) -> None:
        self._safe_passed()

    def _on_funded(self, e: Event) -> None:
        """Checks each charge and share against dues recomputed from the sizes (MON-5, FUN-1, FUN-2).

        The rest stays in residue.
        """
        self._need(e.period > self.periods[e.instrument], e, "FUN-2: a period settles once")
        self.periods[e.instrument] = e.period
        holders = [(key, size) for key, size in self.sizes.items() if key[1] == e.instrument and size]
        parcels = [size for i, size, _ in self.parcels.values() if i == e.instrument]
        sizes = [*parcels, *(size for _, size in holders)]
        self.roundings[self.currency[e.instrument]] += len(sizes)
        owed = sum(self.due(e.instrument, size, e.rate_ppb) for size in sizes if size * e.rate_ppb < 0)
        self._need(owed == e.due_units, e, f"FUN-1: {owed} units are due")
        paid = sum(units for units, _ in self._funded.values())
        received = sum(units for _, units in self._funded.values())
        told = e.collected_units, e.paid_units
        self._need((paid, received) == told and received <= paid, e, "MON-5: what comes in goes out, or is residue")
        for key, size in holders:
            isolated = self.modes.get(key)
            due, (gave, got) = self.due(e.instrument, size, e.rate_ppb), self._funded[key[0], key[2] if isolated else -1]
            hedged = key[2] and not isolated  # its wallet may pay for one leg and then receive for the other
            if size * e.rate_ppb > 0:
                self._need(gave <= due and (hedged or not got), e, f"FUN-1: {key} owes {due}, paid {gave}")
                if self.rules.funding_cap:
                    most = self._bears(key, due, gave - got)  # what it got came after it had paid
                    self._need(gave == most, e, f"FUN-1: {key} could pay {most}, paid {gave}: so funding liquidates nobody")
                self._need(self.rules.funding_cap or gave == due, e, f"FUN-1: {key} owes {due}, paid {gave}")
            else:
                self._need(got == due * paid // max(1, owed), e, f"FUN-1: {key} is due {due}, got {got}")
                self._need(hedged or not gave, e, f"FUN-1: {key} pays nothing, and paid {gave}")
        self._funded.clear()

    def _bears(self, key: Key, due: int, paid: int) -> int:
        """Returns how much of a due a position could pay before a domain of its account is below R_own, or further below."""
        isolated, wallet = self.modes.get(key), (key[0], self.currency[key[1]])
        if isolated:
            equity, _, own = self.terms(key, *wallet)
            return min(due, max(0, equity + paid - own))
        backed = [
            of for source, of, *_ in self.exchange.venue.collateral_terms
            if source == wallet[1] and any(
                self.sizes[key[0], i, leg] and not self.modes.get((key[0], i, leg))
                for i in range(len(self.specs)) if self.currency[i] == of for leg in LEGS
            )
        ]  # fmt: skip
        now = self.wallets[wallet]

        def slacks(charge: int) -> list[int]:
            self.wallets[wallet] = now + paid - charge
            found = [(equity - own) for equity, _, own in (self.terms(None, key[0], each) for each in (wallet[1], *backed))]
            self.wallets[wallet] = now
            return found

        floors = [0, *(min(0, slack) for slack in slacks(0)[1:])]
        low, high, charge = 0, due, due  # most can pay all of it: that comes first, then the middle
        while low < high:
            fits = all(slack >= floor for slack, floor in zip(slacks(charge), floors, strict=True))
            low, high = (charge, high) if fits else (low, charge - 1)
            charge = (low + high + 1) // 2
        return low

    def _on_indexed(self, e: Event) -> None:
        self.indices[e.instrument] = e.price_ticks

    def _on_marked(self, e: Event) -> None:
        self.marks[e.instrument] = e.price_ticks
        self._safe_marked({parcel_id for parcel_id, (instrument, *_) in self.parcels.items() if instrument == e.instrument})

    # --- orders

    def _move(self, order: Order, e: Event) -> None:
        """Moves an order's status along the table only (ORD-1)."""
        self._need((order.status, e.type) in TRANSITIONS, e, f"ORD-1: a {order.status} order")
        order.status = TRANSITIONS[order.status, e.type]

    def _on_accepted(self, e: Event) -> None:
        self._need(e.order_id not in self.orders, e, "ORD-1: a new order id")
        self._limits_accepted(e)
        self.orders[e.order_id] = Order(e, self.marks[e.instrument])
        self.liquidation_fee(self.orders[e.order_id].key)  # which its position keeps from now on
        if self._stepping < 0:  # the order that a STEP_DOWN announced
            self._stepping = e.order_id
            self.orders[e.order_id].key = e.account, e.instrument, self._stepping_leg

    def _on_rested(self, e: Event) -> None:
        order = self.orders[e.order_id]
        self._move(order, e)
        self._need(order.remaining == e.remaining_lots > 0, e, f"BOOK-6: {order.remaining} lots rest")
        self.counts["parcels_rested"] += order.house
        self._bracket_changed(e, order)
        self._rest(e, order)

    def _on_replaced(self, e: Event) -> None:
        order = self.orders[e.order_id]
        self._limits_replaced(e)
        self._bracket_sized(e, e.size_lots)
        self._unrest(e.order_id, order)
        self._move(order, e)
        order.price, order.remaining, order.mark = e.price_ticks, e.remaining_lots, self.marks[e.instrument]

    def _on_triggered(self, e: Event) -> None:
        order = self.orders[e.order_id]
        self._move(order, e)
        order.remaining, order.mark = e.size_lots, self.marks[e.instrument]  # a reduce-only one is measured now
        self._bracket_triggered(e)

    def _on_shaped(self, e: Event) -> None:
        self._move(self.orders[e.order_id], e)
        self._shape(e)

    def _on_refilled(self, e: Event) -> None:
        order = self.orders[e.order_id]
        self._refill(e, order)
        self._move(order, e)

    def _on_parked(self, e: Event) -> None:
        order = self.orders[e.order_id]
        self._unrest(e.order_id, order)
        order.pegged_at = 0
        order.remaining = e.remaining_lots if order.status == "parked" else order.remaining  # an amendment of its size
        self._move(order, e)
        self._need(order.remaining == e.remaining_lots > 0, e, f"ORD-3: {order.remaining} lots are parked")

    def _on_trigger_moved(self, e: Event) -> None:
        self._move(self.orders[e.order_id], e)

    def _on_reduced(self, e: Event) -> None:
        order = self.orders[e.order_id]
        self._move(order, e)
        self._shrink(order, e.cut_lots)
        self._need(order.remaining == e.remaining_lots > 0, e, f"ORD-3: {order.remaining} lots remain")

    def _on_done(self, e: Event) -> None:
        order = self.orders[e.order_id]
        self._timers_done(e, order)
        self._bracket_done(e, order)
        del self.orders[e.order_id]
        self._need(order.remaining == e.cancelled_lots, e, f"ORD-3: {order.remaining} lots are left")
        self._unrest(e.order_id, order)
        self._move(order, e)
        self.counts[f"ending_{e.ending}"] += 1

    def _on_trade(self, e: Event) -> None:
        maker, taker = self.orders[e.maker_order_id], self.orders[e.taker_order_id]
        called = e.instrument in self._uncrossing  # then both rest, and both pay the taker fee
        if called:
            self._call_traded(e)
        else:
            self._meet(e, maker, taker)
        self._move(maker, e)
        self._move(taker, e)
        if not (maker.house or taker.house):
            self._lasts[e.instrument] = e.price_ticks
        spec = self.specs[e.instrument]
        buyer, seller = (maker, taker) if e.side else (taker, maker)
        value = fill_value(spec, e.size_lots, e.price_ticks, house_buys=buyer.house and not seller.house)
        for order, order_id in ((maker, e.maker_order_id), (taker, e.taker_order_id)):
            maker_fee, taker_fee = self.fees(order.account, order.instrument)
            takes, resting = self._takes(e, order is taker), order if called or order is maker else None
            rate = self.liquidation_fee(order.key) if self._stepping == order_id else taker_fee if takes else maker_fee
            order.remaining -= e.size_lots
            self._need(order.remaining >= 0, e, "BOOK-6: no order trades more than it has")
            self._bracket_traded(e, order_id)
            cost = signed_cost(spec, not order.side, value)
            if order.house:
                self._house_fills.append((e.size_lots, cost, order is taker and not called))
            else:
                self._fees.append((order.account, order_id, ratio_up(value * rate, 10**9)))
                if any(each.fee_tiers for each in self.specs):  # before that nothing is counted
                    self.traded[self._family(order.account, order.instrument)][self.day] += value
                self._fills[order.key].append((-e.size_lots if order.side else e.size_lots, cost))
                self._traded[order.key].append(self._before(order.key, resting, e.size_lots))

    def _takes(self, e: Event, is_taker: bool) -> bool:
        """True if an order pays the taker fee for a trade."""
        return not self._calls(e.instrument).maker_fees if e.instrument in self._uncrossing else is_taker

    def _meet(self, e: Event, maker: Order, taker: Order) -> None:
        """Checks whom a taker meets in continuous trading."""
        self._check_maker(e, maker, taker)
        allowed = taker.house or maker.house or taker.stp_mode == SelfTrade.ALLOW
        self._need(allowed or not taker.shares_owner(maker), e, "BOOK-9: no self-trade")

    def _on_fee_changed(self, e: Event) -> None:
        key = e.account, e.instrument, e.leg
        self._need(self._another_day and e.fee_ppb != self.rated[key], e, f"a fee that a day changes, from {self.rated[key]}")
        self._need(e.fee_ppb == self.fees(*key[:2])[1], e, "the taker fee of thirty days' volume")
        self.rated[key] = e.fee_ppb

    def _on_account_opened(self, e: Event) -> None:
        self.parents[e.account] = e.parent

    # --- instruments

    def _on_instrument_added(self, e: Event) -> None:
        self._need(e.instrument == self.listed, e, "instruments are numbered in turn")
        self.listed += 1

    def _on_listing_changed(self, e: Event) -> None:
        """Closes every position and parcel at one price when an instrument settles; no order may be left."""
        super()._on_listing_changed(e)
        if e.listing != Listing.CLOSED:
            return
        self.marks[e.instrument] = e.price_ticks
        left = [order_id for order_id, order in self.orders.items() if order.instrument == e.instrument]
        self._need(not left, e, f"orders {left} are left in a closed instrument")
        spec = self.specs[e.instrument]
        for key, size in self.sizes.items():
            if key[1] == e.instrument and size:
                self.roundings[self.currency[e.instrument]] += 1
                self._fills[key].append((-size, -profit(spec, size, 0, e.price_ticks)))
        for instrument, size, _ in self.parcels.values():
            if instrument == e.instrument:
                self.roundings[self.currency[e.instrument]] += 1
                self._house_fills.append((abs(size), -profit(spec, size, 0, e.price_ticks), False))

    # --- liquidation

    def _on_liquidation(self, e: Event) -> None:
        key = None if e.instrument == NO_INSTRUMENT else (e.account, e.instrument, e.leg)
        self._at_mark(e, self.marks[e.instrument] if key else 0)
        mine = self.terms(key, e.account, e.currency)
        self._need(mine == (e.equity_units, e.full_units, e.own_units), e, f"LIQ-1: terms {mine}")
        equity, full, own = mine
        self._need(not self._defers(key, e.account, e.currency), e, "LIQ-1: a liquidation waits for the market")
        self._need(equity < own, e, "LIQ-1: equity below R_own")
        self._need((equity < full) == (e.verdict == Verdict.FULL), e, "LIQ-1: takeover only below R_full")

    def _on_netted(self, e: Event) -> None:
        """Takes the same lots at the same value from both legs of a hedge."""
        spec = self.specs[e.instrument]
        self._need(e.price_ticks == self.marks[e.instrument], e, "a hedge is netted at mark")
        self._need(e.value_units == fill_value(spec, e.size_lots, e.price_ticks), e, "the value of what is netted")
        for leg, buys in ((Leg.LONG, False), (Leg.SHORT, True)):
            self._need(abs(self.sizes[e.account, e.instrument, leg]) >= e.size_lots, e, "both legs have what is netted")
            lots = e.size_lots if buys else -e.size_lots
            self._fills[e.account, e.instrument, leg].append((lots, signed_cost(spec, buys, e.value_units)))

    def _at_mark(self, e: Event, mark: int) -> None:
        self._need(e.mark_ticks == mark, e, f"LIQ-1: at the mark of {mark} ticks")

    def _on_step_down(self, e: Event) -> None:
        self._at_mark(e, self.marks[e.instrument])
        self._need(e.tier > self.rules.low_tiers, e, "a step down begins at tier 3")
        self._need(
            self._closings.fits(self, e, self._at_ns), e, "LIQ-1: closes what the rule set says, and leaves enough or nothing"
        )
        self._stepping, self._stepping_leg = -1, e.leg

    def _on_takeover(self, e: Event) -> None:
        key = e.account, e.instrument, e.leg
        self._at_mark(e, self.marks[e.instrument])
        self._need(self.sizes[key] == e.size_lots, e, "LIQ-4: the whole position is taken")
        self.parcels[e.parcel_id] = [e.instrument, e.size_lots, e.cost_units]
        self._origins[e.parcel_id] = e.account
        self._held.setdefault(key, self.sizes[key])
        self.sizes[key] = self.costs[key] = 0
        self._taken.append(e.account)

    def _on_adl(self, e: Event) -> None:
        instrument, size, _ = self.parcels[e.parcel_id]
        self._at_mark(e, self.marks[instrument])
        self._safe_adl(e)
        self.counts[f"adl_pass_{e.adl_pass}"] += 1
        self.counts["adl_lots"] += e.closed_lots
        sign = 1 if size > 0 else -1  # the counterparty takes the parcel's side of the trade
        if e.adl_pass != 2:
            held = [(e.account, instrument, leg) for leg in LEGS if self.sizes[e.account, instrument, leg] * size < 0]
            self._fill(held[0], sign * e.closed_lots, e.share_units)
        self._house_fills.append((e.closed_lots, -e.share_units, False))
        if e.adl_pass == 2:
            self._house_fills.append((e.closed_lots, e.share_units, False))

    def _on_parcel(self, e: Event) -> None:
        parcel = self.parcels[e.parcel_id]
        self._safe_parcel(e)
        self.counts[ParcelChange(e.change).name] += e.closed_lots
        if e.change != ParcelChange.TAKEN:
            lots, cost_delta, takes = self._house_fills.pop(0)
            share = parcel[2] * lots // abs(parcel[1])
            self._need(lots == e.closed_lots, e, f"{lots} lots were to be closed")
            self._need(-cost_delta - share == e.gain_units, e, f"LIQ-6: a gain of {-cost_delta - share}")
            self._need(
                self._returned == self._due_back(e, abs(cost_delta) if takes else 0), e, f"LIQ-6: returned {self._returned}"
            )
            self._returned = []
            parcel[1] += lots if parcel[1] < 0 else -lots
            parcel[2] -= share
        self._need(parcel == [e.instrument, e.size_lots, e.cost_units], e, f"parcel {parcel}")
        if parcel[1] == 0:
            del self.parcels[e.parcel_id], self._origins[e.parcel_id]

    def _due_back(self, e: Event, value: int) -> list[tuple[int, int]]:
        """Returns who gets what of a fill's surplus back, as the rule set says. value: the fill's, 0 for a resting order."""
        rules, gain = self.rules, e.gain_units
        if rules.surplus == "fund" or not value or e.change != ParcelChange.FILLED_BY_BOOK or gain <= 0:
            return []
        left = gain - min(gain, value * rules.surplus_fee_ppb // RATE)
        return [(self._origins[e.parcel_id], left)] if left else []

    # --- the end of a command

    def close(self) -> None:
        """Checks all sums of semantics §1, and that no domain is left below a takeover threshold."""
        self.closes += 1
        self._stepping = 0
        self._close_orders()
        self._close_shapes()
        self._close_timers()
        self._close_calls()
        self._need(not any(owed for _, _, owed in self._fees), self._fees, "every fee is posted")
        self._need(not self._house_fills, self._house_fills, "every fill of the house is booked")
        self._need(not any(self._fills.values()), self._fills, "every fill has its POSITION")
        self._fees.clear()
        for account in self._taken:
            open_ = [key for key in self.sizes if key[0] == account and self.sizes[key] == 0 and self.margins[key]]
            self._need(not open_, account, "LIQ-3: what was taken leaves exactly zero")
        self._taken.clear()
        self._safe_close()
        for key, rate in self.rated.items() if self._another_day else ():
            self._need(rate == self.fees(*key[:2])[1], key, f"who is liquidated pays his own fee, not {rate}")
        self._close_sums()

    def _close_orders(self) -> None:
        """Checks that a dormant close-position order ended with its position (ORD-5)."""
        ended = {key: 1 if held > 0 else 0 for key, held in self._held.items() if held and held * self.sizes[key] <= 0}
        for order_id, order in self.orders.items() if ended else ():
            left = order.closes and order.status == "dormant" and ended.get(order.key) == order.side
            self._need(not left, order_id, "ORD-5: it would close the next position")
        self._close_brackets(ended)
        self._held.clear()

    def _close_sums(self) -> None:
        sizes: defaultdict[int, int] = defaultdict(int)
        money: defaultdict[int, int] = defaultdict(int)
        costs: defaultdict[int, int] = defaultdict(int)
        for (_, instrument, _), size in self.sizes.items():
            sizes[instrument] += size
        for (_, instrument, _), cost in self.costs.items():
            costs[self.currency[instrument]] += cost
        for parcel_id, (instrument, size, cost) in self.parcels.items():
            sizes[instrument] += size
            costs[self.currency[instrument]] += cost
            value = profit(self.specs[instrument], size, cost, self.marks[instrument])
            self._safe_parcel_rests(parcel_id, 1 if self._waits(instrument) else value)
        for (_, currency), cash in self.wallets.items():
            money[currency] += cash
        for (_, instrument, _), units in self.margins.items():
            money[self.currency[instrument]] += units
        self._need(not any(sizes.values()), dict(sizes), "MON-2, MON-4: sizes sum to zero, longs are as many as shorts")
        self._need(not any(money.values()), dict(money), "MON-1: purses sum to zero")
        for currency, cost in costs.items():
            self._need(self.wallets[Purse.CLEARING, currency] == -cost, cost, "MON-3: clearing is minus all costs")
            residue, most = self.wallets[Purse.RESIDUE, currency], self.roundings[currency]
            self._need(0 <= residue <= most, residue, f"MON-6: of {most} roundings each left less than a unit")
            self._need(self.wallets[Purse.FUND, currency] >= 0, currency, "LIQ-7: the fund is never below zero")
            self._need(self.wallets[Purse.DEFICIT, currency] <= 0, currency, "the deficit is never above zero")

    def check_safety(self) -> None:
        """Checks that no account is below R_full. Cost: O(accounts)."""
        for key, size in list(self.sizes.items()):
            if size:
                isolated = key if self.modes.get(key) else None
                equity, full, _ = self.terms(isolated, key[0], self.currency[key[1]])
                waits = equity < full and self._defers(isolated, key[0], self.currency[key[1]])
                self._need(equity >= full or waits, key, f"LIQ-1: equity {equity} is below {full}")

    def compare(self, exchange: Audited) -> None:
        """Checks that the exchange's own reads say the same: wallets, positions, parcels, books."""
        if type(exchange) is not type(self.exchange):
            raise wrong_type("exchange", exchange, "the Exchange that is followed")
        kernel = exchange._kernel
        busy = {key[0] for key, size in self.sizes.items() if size} | {order.account for order in self.orders.values()}
        for account in (*Purse, *range(FIRST_USER, kernel.account_count)):
            for currency in range(len(exchange.currencies)):
                cash, _, _, leaves, _ = kernel.wallet(account, currency)
                held = self.wallets[account, currency]
                mine = held, spendable(self, account, currency) if account in busy else held
                if mine != (cash, leaves):
                    self._need(False, (account, currency), f"MON-7, MAR-1: {mine}, not {cash, leaves}")
            for instrument, leg, *row in kernel.positions(account):
                key = account, instrument, leg
                mine3 = [self.sizes[key], self.costs[key], self.margins[key]]
                if mine3 != row[:3]:
                    self._need(False, key, f"position {mine3}, exchange says {row[:3]}")
        self._need(
            {pid: [i, size, cost] for pid, i, size, cost, *_ in kernel.parcels()} == self.parcels,
            self.parcels,
            "parcels",
        )
        for instrument in range(len(self.specs)):
            rows = kernel.resting(instrument)
            mine_rows = [
                (order_id, self.orders[order_id].remaining)
                for side in (0, 1)
                for _, order_id in self._in_turn(instrument, side)
            ]
            self._need([(row[0], row[5]) for row in rows] == mine_rows, instrument, "FED-1: the book from events")
