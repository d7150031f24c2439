"""Exchange: names and decimals in, commands to a kernel; what comes back is in `reads`.

Owns the conversion of decimals to integers and what each command says. Never holds or changes a balance: all state is the
kernel's, reached by commands, events and reads. The same class sits on the compiled kernel and on the readable twin
(solvent.reference.Exchange).
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from solvent.api.base import ERRORS, SIDES, Ack, wanted_types
from solvent.api.client_id_seed import drawn
from solvent.api.reads import Acct, Inst, Reads
from solvent.api.venue import Venue
from solvent.schema.codes import Code, Rejected
from solvent.schema.layouts import NO_INSTRUMENT, NOBODY, RECORD_BYTES
from solvent.schema.limits import FINE, MONEY_MAX, NAME_BYTES, RATE
from solvent.schema.words import CommandType, EventType, Listing, Mode, Purse
from solvent.terms.collateral import Collateral
from solvent.terms.decimals import PPB, Dec, decimal, nearest_even, to_units
from solvent.terms.instrument import Instrument
from solvent.terms.order_words import Terms, Trigger, fit, flag_of, leg_of, leverage_of, whole, word, wrong_type
from solvent.terms.rule_set import RuleSet
from solvent.terms.spec import from_records

_MODES = {"cross": Mode.CROSS, "isolated": Mode.ISOLATED}
_POSITION_MODES = {"one-way": 0, "hedge": 1}


class Exchange(Reads):
    """An exchange for perpetual and dated futures: matching, isolated and cross margin, liquidation.

    instruments: Instrument objects; those that settle in one currency share its precision. rules: name of a
    rule set ("seed", "okx_consistent") or a RuleSet. retain: keep all events; False drops those that no
    cursor waits for. collateral: currencies that count as margin for others (solvent.Collateral). currencies: more of them,
    with their decimals, in which accounts may hold balances and instruments that are added later may settle.

    Prices, sizes and amounts are int, str or Decimal in currency and contracts; float, bool and None raise
    WrongType, text that is no number InputError. log: the event types that are written at all (None: every one); the
    auditor, feeds and Ack.events see only those. seed: of the table of client ids, drawn from the system where none is given;
    nothing that anyone sees depends on it. Control commands raise Rejected(code, hint) when refused;
    orders answer with an Ack. One thread at a time: a concurrent call raises Busy.
    """

    def __init__(
        self, instruments: Iterable[Instrument], *, rules: str | RuleSet = "seed", retain: bool = True,
        log: Iterable[EventType] | None = None, collateral: Iterable[Collateral] = (),
        currencies: Mapping[str, int] | None = None, seed: int | None = None,
    ):  # fmt: skip
        self._venue = Venue(instruments, rules, collateral, currencies)
        self._wanted = wanted_types(log)
        self._seed = drawn(seed)
        super().__init__(self._make_kernel(), retain)

    def _make_kernel(self) -> Any:
        v = self._venue
        names = [each.name.encode() for each in v.instruments]
        terms = v.specs, v.decimals, v.rules.compiled(), v.config, ERRORS, False, self._wanted, names, v.collateral_terms
        return self._load_kernel()(*terms, from_records, self._seed)

    # --- commands

    def add_instrument(self, instrument: Instrument) -> int:
        """Adds an instrument while the exchange runs, and returns its index. It settles in a currency that there is.

        Raises Rejected(INSTRUMENT_EXISTS, UNKNOWN_CURRENCY), InputError where its currency has other decimals.
        """
        data = self.venue.offer(instrument)
        self._control(CommandType.ADD_INSTRUMENT, data, records=1 + len(data) // RECORD_BYTES)
        return len(self.instruments) - 1

    def halt(self, instrument: Inst, *, resume: bool = False) -> None:
        """Stops new orders in an instrument, or lets them in again; prices, funding and liquidation go on.

        Resting orders may be cancelled or made smaller. A trigger that is reached is kept: it fires when the instrument
        resumes, if the price that it watches still reaches it then.

        Raises Rejected(NOT_TRADING) for one that was settled.
        """
        index = self._known_instrument(instrument)
        self._control(
            CommandType.HALT, instrument=index, listing=Listing.TRADING if flag_of(resume, "resume") else Listing.HALTED
        )

    def delist(self, instrument: Inst, price: Dec | None = None) -> Ack:
        """Closes an instrument for good: its orders end, every position is settled at a price (None: its mark).

        Raises Rejected(NO_MARK, BAD_PRICE, NOT_TRADING if it was settled already).
        """
        index = self._known_instrument(instrument)
        terms = self.instruments[index]
        ticks = 0 if price is None else fit(nearest_even(price, terms.tick_size, "price"), False) or -1
        return self._ask(CommandType.SETTLE, terms.lot_size, instrument=index, price_ticks=ticks).ok()

    def open_account(self, name: str, *, parent: Acct | None = None) -> int:
        """Opens an account and returns its id; with a parent a sub-account of that one, which may not be one itself.

        Raises Rejected(ACCOUNT_EXISTS, BAD_NAME, UNKNOWN_ACCOUNT).
        """
        if not isinstance(name, str):
            raise wrong_type("name", name, "a str")
        encoded = name.encode(errors="surrogatepass")  # which the kernel refuses
        if len(encoded) > NAME_BYTES or "\0" in name:
            raise Rejected(Code.BAD_NAME)
        of = 0 if parent is None else self._account(parent)
        self._control(CommandType.OPEN_ACCOUNT, encoded.ljust(NAME_BYTES, b"\0"), records=2, parent=of)
        return int(self._kernel.last[0])

    def _amount(self, currency: str, amount: Dec, signed: bool = False) -> tuple[int, int]:
        """(currency id, units); an amount that is no whole number of units becomes one that is refused."""
        decimal(amount, "amount")
        currency_id = self._venue.currency_id(currency)
        return currency_id, fit(to_units(amount, self.currencies[currency], "amount"), signed)

    def deposit(self, account: Acct, currency: str, amount: Dec) -> None:
        """Adds money to a wallet; an unknown name is opened. Raises Rejected(BAD_AMOUNT, MONEY_LIMIT, ...)."""
        currency_id, units = self._amount(currency, amount)
        if isinstance(account, str) and self._account(account) == NOBODY:
            if units <= 0:
                raise Rejected(Code.BAD_AMOUNT)
            if units > MONEY_MAX + self._kernel.wallet(Purse.OUTSIDE, currency_id)[0]:
                raise Rejected(Code.MONEY_LIMIT)
            self.open_account(account)
        self._control(CommandType.DEPOSIT, account=self._account(account), currency=currency_id, amount_units=units)

    def withdraw(self, account: Acct, currency: str, amount: Dec) -> None:
        """Takes free money out: cash less holds, initial margin of cross positions and their open losses.

        Raises Rejected(INSUFFICIENT_BALANCE, WITHDRAWALS_CLOSED while the currency has a deficit, ...).
        """
        currency_id, units = self._amount(currency, amount)
        self._control(CommandType.WITHDRAW, account=self._account(account), currency=currency_id, amount_units=units)

    def transfer(self, account: Acct, to: Acct, currency: str, amount: Dec) -> None:
        """Moves free money between an account and its sub-accounts.

        Raises Rejected(NOT_RELATED, INSUFFICIENT_BALANCE, ...); what may leave is what withdraw would let go.
        """
        currency_id, units = self._amount(currency, amount)
        receiver = self._account(to)
        self._control(
            CommandType.TRANSFER, account=self._account(account), receiver=receiver, currency=currency_id, amount_units=units
        )  # fmt: skip

    def seed_fund(self, currency: str, amount: Dec) -> None:
        """Adds money to the insurance fund; an open deficit is repaid first."""
        currency_id, units = self._amount(currency, amount)
        self._control(CommandType.SEED_FUND, currency=currency_id, amount_units=units)

    def set_position_mode(self, account: Acct, instrument: Inst, mode: str) -> None:
        """Holds one position of an instrument ("one-way", as at first), or a long and a short one apart ("hedge").

        In hedge mode orders, leverage and margin name a leg, "long" or "short"; an order of the other side closes it
        and never opens. The legs begin with the margin mode and leverage of the one-way position. Changes only while
        flat without live orders: raises Rejected(MODE_IN_USE).
        """
        self._control(
            CommandType.SET_POSITION_MODE, account=self._account(account), instrument=self._instrument(instrument),
            hedged=word(_POSITION_MODES, mode, "mode"),
        )  # fmt: skip

    def set_leverage(
        self, account: Acct, instrument: Inst, leverage: Dec | Fraction, *, mode: str | None = None, leg: str | None = None,
        tier: int = 0,
    ) -> None:  # fmt: skip
        """Sets leverage and margin mode ("isolated" or "cross") of one instrument, in hedge mode of one leg.

        leverage: 1 or more, with at most six decimals, or a Fraction (a margin factor of 0.9 is Fraction(10, 9)).

        mode: None keeps the one there is; an account is cross until told otherwise. It changes only while flat without
        live orders. An open isolated position keeps its margin. tier: a risk limit (BitMEX):
        the position asks for that tier from 1 up, or a higher one that it stands in, and its orders may not lead beyond; 0:
        none, each time that it is not said; of tables that deduct, or of factors, always. A liquidation begins with giving it
        up.
        Raises Rejected(BAD_LEVERAGE, LEVERAGE_ABOVE_TIER, POSITION_LIMIT, MODE_IN_USE, INSUFFICIENT_MARGIN).
        """
        times, parts = leverage_of(leverage)
        who, where, side = self._account(account), self._instrument(instrument), leg_of(leg)
        self._control(
            CommandType.SET_LEVERAGE, account=who, instrument=where, leg=side, leverage_times=times, leverage_parts=parts,
            mode=self._margin_mode(who, where, side) if mode is None else word(_MODES, mode, "mode"),
            chosen_tier=whole(tier, "tier", 0, MONEY_MAX),
        )  # fmt: skip

    def _margin_mode(self, account: int, instrument: int, leg: int) -> int:
        """The margin mode of a position, as it is or would begin; of an unknown name any, the kernel refuses the command."""
        rows = [] if account == NOBODY else self._kernel.positions(account)
        return next((int(row[8]) for row in rows if row[:2] == (instrument, leg)), Mode.CROSS)

    def move_margin(
        self, account: Acct, instrument: Inst, amount: Dec, *, leg: str | None = None, to: Inst | None = None,
        to_leg: str | None = None,
    ) -> None:  # fmt: skip
        """Adds margin to an open isolated position from the wallet, or with a negative amount takes it back.

        to: passes it on to another open isolated position of the account instead (of that instrument and leg).

        Raises Rejected(NO_ISOLATED_POSITION, INSUFFICIENT_BALANCE, BELOW_INITIAL_MARGIN, BAD_AMOUNT).
        """
        decimal(amount, "amount")
        index = self._known_instrument(instrument)
        _, units = self._amount(self.instruments[index].settle, amount, signed=True)
        self._control(
            CommandType.MOVE_MARGIN, account=self._account(account), instrument=index, leg=leg_of(leg), amount_units=units,
            next_to_target=0 if to is None else self._known_instrument(to) + 1, target_leg=leg_of(to_leg),
        )  # fmt: skip

    def _price(self, kind: CommandType, instrument: Inst, price: Dec, what: str) -> Ack:
        index = self._known_instrument(instrument)
        ticks = nearest_even(price, self.instruments[index].tick_size, what)
        return self._ask(kind, self.instruments[index].lot_size, instrument=index, price_ticks=fit(ticks, False)).ok()

    def mark(self, instrument: Inst, price: Dec) -> Ack:
        """Sets the mark price (rounded half to even to ticks), liquidates whoever it endangers, fires what it triggers.

        Raises Rejected(BAD_PRICE) for a mark of zero, below, or above the instrument's highest price, and
        Rejected(PRICE_IS_MODELLED) where the instrument has a price model.
        """
        return self._price(CommandType.MARK, instrument, price, "mark price")

    def index(self, instrument: Inst, price: Dec) -> Ack:
        """Sets the index price, which triggers (in ticks) and a price model (in millionths of them) may watch.

        Raises as mark does, and Rejected(PRICE_IS_MODELLED) where the index is made of constituents.
        """
        return self._told(CommandType.INDEX, instrument, price)

    def source(self, instrument: Inst, name: str, price: Dec) -> Ack:
        """Tells what a constituent of an instrument's index trades at; index and mark follow (docs/prices.md).

        Raises Rejected(BAD_SOURCE) for a name that the instrument's price model does not have, BAD_PRICE as mark does.
        """
        model = self.instruments[self._known_instrument(instrument)].prices
        names = [*model.index.sources, *model.index.external] if model and model.index else []
        if not isinstance(name, str):
            raise wrong_type("name", name, "a str")
        number = names.index(name) if name in names else 2**32
        return self._told(CommandType.SOURCE, instrument, price, number)

    def _told(self, kind: CommandType, instrument: Inst, price: Dec, number: int | None = None) -> Ack:
        """A price that may be finer than ticks: a nearest tick, and what is beyond it in millionths (rounded half to even)."""
        index = self._known_instrument(instrument)
        terms = self.instruments[index]
        fine = nearest_even(price, terms.tick_size, "price", FINE)
        ticks, beyond = fit(None, False), 0
        if fine is not None:
            ticks = (fine + FINE // 2) // FINE
            beyond, ticks = fine - ticks * FINE, fit(ticks, False)
        fields = {"price_ticks": ticks, "beyond_fine": beyond} | ({} if number is None else {"source": number})
        return self._ask(kind, terms.lot_size, instrument=index, **fields).ok()

    def settle_funding(self, instrument: Inst, rate: Dec, period: int) -> Ack:
        """Settles funding once: longs pay shorts `rate` of their value at mark, or shorts longs when it is negative.

        period: a number above the last one settled. Charges leave everybody at R_own or above (unless the rule set says
        otherwise); what comes together is shared in proportion to what is due (docs/semantics.md). Raises
        Rejected(BAD_RATE, PERIOD_SETTLED, NO_MARK, UNKNOWN_INSTRUMENT).
        """
        index = self._known_instrument(instrument)
        ppb = to_units(rate, PPB, "funding rate")
        return self._ask(
            CommandType.FUNDING, self.instruments[index].lot_size, instrument=index,
            rate_ppb=RATE if ppb is None or abs(ppb) > RATE else ppb, period=whole(period, "period", 0, 2**63 - 1),
        ).ok()  # fmt: skip

    def order(
        self, account: Acct, instrument: Inst, side: str, size: Dec | None = None, *, price: Dec | None = None,
        tif: str = "gtc", post_only: bool | str = False, reduce_only: bool = False, close_position: bool = False,
        client_id: int = 0, trigger: Trigger | None = None, expiry_ns: int | None = None, slippage: Dec | None = None,
        self_trade: str = "cancel_maker", self_trade_group: int = 0, leg: str | None = None,
    ) -> Ack:  # fmt: skip
        """Places an order.

        side: "buy" or "sell". size: contracts. price: limit in currency; None is a market order, protected by the
        price band, by `slippage` (a rate from the best price) if given, and never resting. tif: "gtc", "ioc", "fok", or
        "gtd", which ends when the clock reaches expiry_ns. post_only: refused if it would trade, or with "slide" moved
        one tick behind the best price instead. reduce_only: cut to what is left of the position. close_position: a
        reduce-only order without a size, for whatever there is to close (of a dormant one: when it fires). client_id:
        the caller's own id, 1 to 2**63 - 1. trigger: the order sleeps until it fires (solvent.Trigger).

        self_trade: what happens when it meets an order of its own account, or of its self_trade_group if that is not 0:
        "cancel_maker", "cancel_taker", "cancel_both", "decrement" (both lose the smaller size) or "allow".
        leg: in hedge mode, "long" or "short": the position that the order opens (buy long, sell short) or closes.

        An accepted immediate or market order may find nobody: the Ack is truthy and `filled` says how much.
        Why the rest ended is in its DONE event.
        """
        index = self._instrument(instrument)
        lot, tick = self._terms(index).lot_size, self._terms(index).tick_size

        def ticks(value: object, what: str) -> int:
            return fit(to_units(value, tick, what), False)

        terms = Terms(
            tif, post_only, reduce_only, close_position, client_id, trigger, expiry_ns, slippage, self_trade, self_trade_group,
            leg,
        )  # fmt: skip
        if size is None and not flag_of(close_position, "close_position"):
            raise wrong_type("size", size, "a number of contracts, or close_position=True")
        fields = terms.header(market=price is None) | {
            "account": self._account(account), "instrument": index, "side": word(SIDES, side, "side"),
            "price_ticks": 0 if price is None else ticks(price, "price"),
            "size_lots": 0 if size is None else fit(to_units(size, lot, "size"), False),
        }  # fmt: skip
        return self._ask_twice(CommandType.ORDER, lot, terms.second(ticks), fields)

    def amend(
        self, account: Acct, order_id: int | None = None, *, client_id: int | None = None,
        size: Dec | None = None, price: Dec | None = None,
    ) -> Ack:  # fmt: skip
        """Changes a resting order's total size (what is filled included) and price.

        A smaller size keeps its place in the queue; anything else goes to the back, and may trade. A reduce-only order that
        asks for more than is left to close at its price keeps its place, too (AMEND_NOTHING).
        """
        found = self._named(order_id, client_id)
        row = self._find_order(account, **found)
        terms = self._terms(row[2] if row else 0)
        lots = ticks = 0
        if size is not None:
            lots = fit(to_units(size, terms.lot_size, "size"), False) or -1
        if price is not None:
            ticks = fit(to_units(price, terms.tick_size, "price"), False) or -1
        fields = {"account": self._account(account), "size_lots": lots, "price_ticks": ticks}
        return self._ask(CommandType.AMEND, terms.lot_size, **fields, **found)

    def cancel(self, account: Acct, order_id: int | None = None, *, client_id: int | None = None) -> Ack:
        """Cancels a resting order by its id or by the account's client id."""
        found = self._named(order_id, client_id)
        row = self._find_order(account, **found)
        terms = self._terms(row[2] if row else 0)
        return self._ask(CommandType.CANCEL, terms.lot_size, account=self._account(account), **found)

    def _find_order(self, account: Acct, order_id: int = 0, client_id: int = 0) -> tuple[int, ...] | None:
        row: tuple[int, ...] | None = self._kernel.find_order(self._account(account), order_id, client_id)
        return row

    def cancel_all(self, account: Acct | None = None, instrument: Inst | None = None, *, side: str | None = None) -> Ack:
        """Cancels all live orders, resting and dormant, of an account or of everyone, in one instrument or all, of one
        side or both, oldest first. `filled` of the Ack counts them, in lots of 1."""
        return self._ask(
            CommandType.MASS_CANCEL, Decimal(1),
            account=NOBODY if account is None else min(self._account(account), NOBODY - 1),
            instrument=NO_INSTRUMENT if instrument is None else min(self._instrument(instrument), NO_INSTRUMENT - 1),
            side=2 if side is None else word(SIDES, side, "side"),
        )  # fmt: skip
