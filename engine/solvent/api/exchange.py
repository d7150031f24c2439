"""Exchange: names and decimals in, commands to a kernel. `operator` has the operator's half, `reads` the answers.

Owns the commands of traders and of their accounts. Never holds or changes a balance: all state is the kernel's, reached by
commands, events and reads. The same class sits on the compiled kernel and on the readable twin (solvent.reference.Exchange).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from solvent.api import backend
from solvent.api.atomic import Asking
from solvent.api.base import ERRORS, SIDES, Ack, ack_of, wanted_types
from solvent.api.client_id_seed import drawn
from solvent.api.operator import Operator
from solvent.api.reads import Acct, Inst
from solvent.api.venue import Venue
from solvent.schema.codes import Code, InputError, Rejected
from solvent.schema.commands import bracket
from solvent.schema.layouts import NO_INSTRUMENT, NOBODY
from solvent.schema.limits import MONEY_MAX, NAME_BYTES, TAGS_MAX
from solvent.schema.words import CommandType, EventType, Mode, Purse
from solvent.terms.collateral import Collateral
from solvent.terms.decimals import Dec, decimal, to_units
from solvent.terms.exits import Exit, exits
from solvent.terms.instrument import Instrument
from solvent.terms.order_words import (
    SELF_TRADE,
    Kind,
    Terms,
    Trigger,
    fit,
    flag_of,
    int_within,
    leg_of,
    leverage_of,
    moved_alone,
    signed_ticks,
    timer_fields,
    total_lots,
    word,
    wrong_type,
)
from solvent.terms.rule_set import RuleSet
from solvent.terms.spec import from_records

if TYPE_CHECKING:
    from solvent.api.previews import Preview

_ARM = "incremental"
_NEAR: Dec = 0
_MODES = {"cross": Mode.CROSS, "isolated": Mode.ISOLATED}
_POSITION_MODES = {"one-way": 0, "hedge": 1}


class Exchange(Operator):
    """Trades perpetual and dated futures: order book, isolated and cross margin, liquidation.

    instruments: Instrument objects; all that settle in one currency have the same settle_decimals. rules: a RuleSet, or the
    name of one (`solvent rules list`). retain: True keeps all events; False drops events that no cursor waits for.
    collateral: currencies that count as margin for others (solvent.Collateral). currencies: further currencies with their
    decimals. Accounts may hold balances in them, and instruments that are added later may settle in them. log: the event types
    that are written (None: all of them). The auditor, feeds and Ack.events see only these. seed: stirs the table of client ids
    (None: the system draws it). No answer depends on the seed. strict: True makes every refused order command raise Rejected
    with its code, where it would answer with a falsy Ack; `run` alone answers with codes.

    Prices are in currency, sizes in contracts, amounts in currency, each an int, str or Decimal. A float, a bool or None
    raises WrongType; text that is no number raises InputError. A refused control command raises Rejected(code, hint); an order
    command answers with an Ack. One thread at a time: a concurrent call raises Busy.

    >>> from solvent import Exchange, Instrument
    >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
    >>> ex.deposit("alice", "USDT", 1_000)
    >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
    >>> ex.order("alice", "BTC-USDT-SWAP", "buy", 3, price=49_900)
    Ack(OK, order_id=16777216, filled=0, resting=3)
    """

    def __init__(
        self, instruments: Iterable[Instrument], *, rules: str | RuleSet = "seed", retain: bool = True,
        log: Iterable[EventType] | None = None, collateral: Iterable[Collateral] = (),
        currencies: Mapping[str, int] | None = None, seed: int | None = None, strict: bool = False,
    ):  # fmt: skip
        self._venue = Venue(instruments, rules, collateral, currencies)
        self._wanted = wanted_types(log)
        self._seed = drawn(seed)
        super().__init__(self._make_kernel(), retain, strict)

    def _make_kernel(self) -> Any:
        v = self._venue
        names = [each.name.encode() for each in v.instruments]
        terms = v.specs, v.decimals, v.rules.compiled(), v.config, ERRORS, False, self._wanted, names, v.collateral_terms
        return self._load_kernel()(*terms, from_records, self._seed)

    def _stand_on(self, kernel: Any, retain: bool) -> None:
        super()._stand_on(kernel, retain)
        self._quick = backend.quick_for(kernel)

    # --- accounts and money

    def open_account(self, name: str, *, parent: Acct | None = None) -> int:
        """Opens an account and returns its id.

        name: 1 to 64 bytes of UTF-8. parent: makes the new account a sub-account of `parent`, which has no parent itself.

        Raises Rejected(ACCOUNT_EXISTS, BAD_NAME, UNKNOWN_ACCOUNT, TOO_MANY_ACCOUNTS).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.open_account("fund"), ex.open_account("fund/desk-1", parent="fund")
        (16, 17)
        """
        if not isinstance(name, str):
            raise wrong_type("name", name, "a str")
        encoded = name.encode(errors="surrogatepass")  # which the kernel refuses
        if len(encoded) > NAME_BYTES or "\0" in name:
            raise Rejected(Code.BAD_NAME)
        of = 0 if parent is None else self._account(parent)
        self._control(CommandType.OPEN_ACCOUNT, encoded.ljust(NAME_BYTES, b"\0"), records=2, parent=of)
        return int(self._kernel.last[0])

    def deposit(self, account: Acct, currency: str, amount: Dec) -> None:
        """Adds `amount` of a currency to an account's wallet. An unknown name opens the account first.

        Raises Rejected(BAD_AMOUNT, MONEY_LIMIT, UNKNOWN_ACCOUNT, UNKNOWN_CURRENCY, BAD_NAME).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.deposit("alice", "USDT", "1000.50")
        >>> ex.account("alice").cash
        Decimal('1000.5')
        """
        currency_id, units = self._amount(currency, amount)
        if isinstance(account, str) and self._account(account) == NOBODY:
            if units <= 0:
                raise Rejected(Code.BAD_AMOUNT)
            if units > MONEY_MAX + self._kernel.wallet(Purse.OUTSIDE, currency_id)[0]:
                raise Rejected(Code.MONEY_LIMIT)
            self.open_account(account)
        self._control(CommandType.DEPOSIT, account=self._account(account), currency=currency_id, amount_units=units)

    def withdraw(self, account: Acct, currency: str, amount: Dec) -> None:
        """Takes `amount` of a currency out of an account's wallet.

        Only withdrawable money may leave: cash less holds, less the initial margin of cross positions, less their open losses.

        Raises Rejected(BAD_AMOUNT, INSUFFICIENT_BALANCE, UNKNOWN_ACCOUNT, UNKNOWN_CURRENCY), and Rejected(WITHDRAWALS_CLOSED)
        while the currency has a deficit.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.deposit("alice", "USDT", 1_000)
        >>> ex.withdraw("alice", "USDT", 400)
        >>> ex.account("alice").withdrawable
        Decimal('600')
        >>> ex.withdraw("alice", "USDT", 601)
        Traceback (most recent call last):
        solvent.schema.codes.Rejected: INSUFFICIENT_BALANCE: ...
        """
        currency_id, units = self._amount(currency, amount)
        self._control(CommandType.WITHDRAW, account=self._account(account), currency=currency_id, amount_units=units)

    def transfer(self, account: Acct, to: Acct, currency: str, amount: Dec) -> None:
        """Moves `amount` of a currency between two accounts of a family: an account and its sub-accounts.

        Only withdrawable money may move. An open deficit of the currency does not stop a transfer.

        Raises Rejected(NOT_RELATED, BAD_AMOUNT, INSUFFICIENT_BALANCE, UNKNOWN_ACCOUNT, UNKNOWN_CURRENCY).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.deposit("fund", "USDT", 1_000)
        >>> desk = ex.open_account("fund/desk-1", parent="fund")
        >>> ex.transfer("fund", desk, "USDT", 300)
        >>> ex.account(desk).cash
        Decimal('300')
        """
        currency_id, units = self._amount(currency, amount)
        receiver = self._account(to)
        self._control(
            CommandType.TRANSFER, account=self._account(account), receiver=receiver, currency=currency_id, amount_units=units
        )  # fmt: skip

    def set_position_mode(self, account: Acct, instrument: Inst, mode: str) -> None:
        """Sets how an account holds an instrument: "one-way", as at first, or "hedge", a long and a short position at once.

        In hedge mode orders, leverage and margin moves name a leg, "long" or "short". An order on the opposite side closes
        that leg and never opens the other. Both legs begin with the margin mode and the leverage of the one-way position.

        Raises Rejected(MODE_IN_USE) unless the account is flat and has no live order in the instrument, and
        Rejected(UNKNOWN_ACCOUNT, UNKNOWN_INSTRUMENT).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.deposit("alice", "USDT", 1_000)
        >>> ex.set_position_mode("alice", "BTC-USDT-SWAP", "hedge")
        >>> ex.position("alice", "BTC-USDT-SWAP", "short").leg
        'short'
        """
        self._control(
            CommandType.SET_POSITION_MODE, account=self._account(account), instrument=self._instrument(instrument),
            hedged=word(_POSITION_MODES, mode, "mode"),
        )  # fmt: skip

    def set_leverage(
        self, account: Acct, instrument: Inst, leverage: Dec | Fraction, *, mode: str | None = None, leg: str | None = None,
        tier: int = 0,
    ) -> None:  # fmt: skip
        """Sets leverage and margin mode of an account's position in one instrument, in hedge mode of one leg.

        leverage: at least 1, with at most six decimals, or a Fraction (a margin factor of 0.9 is Fraction(10, 9)). Initial
        margin is value / leverage. mode: "isolated" or "cross"; None keeps the present mode, which is cross at first. The mode
        changes only while the account is flat and has no live order in the instrument. An open isolated position keeps its
        margin.

        tier: a risk limit, as BitMEX has it. Margin is charged at this tier, or at a higher one that the position reaches.
        Orders that could lead beyond the tier are refused. The default 0 clears it. Schemes "deduction" and
        "factor" refuse a tier. A liquidation begins by clearing it.

        Raises Rejected(BAD_LEVERAGE, BAD_LEG, LEVERAGE_ABOVE_TIER, POSITION_LIMIT, MODE_IN_USE, INSUFFICIENT_MARGIN,
        UNKNOWN_ACCOUNT, UNKNOWN_INSTRUMENT).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.deposit("alice", "USDT", 1_000)
        >>> ex.set_leverage("alice", "BTC-USDT-SWAP", 20, mode="isolated")
        >>> p = ex.position("alice", "BTC-USDT-SWAP")
        >>> p.leverage, p.mode
        (20, 'isolated')
        """
        times, parts = leverage_of(leverage)
        who, where, side = self._account(account), self._instrument(instrument), leg_of(leg)
        self._control(
            CommandType.SET_LEVERAGE, account=who, instrument=where, leg=side, leverage_times=times, leverage_parts=parts,
            mode=self._margin_mode(who, where, side) if mode is None else word(_MODES, mode, "mode"),
            chosen_tier=int_within(tier, "tier", 0, MONEY_MAX),
        )  # fmt: skip

    def _margin_mode(self, account: int, instrument: int, leg: int) -> int:
        """Returns the margin mode that a position has, or would begin with.

        The kernel refuses the command for an unknown name.
        """
        rows = [] if account == NOBODY else self._kernel.positions(account)
        return next((int(row[8]) for row in rows if row[:2] == (instrument, leg)), Mode.CROSS)

    def move_margin(
        self, account: Acct, instrument: Inst, amount: Dec, *, leg: str | None = None, to: Inst | None = None,
        to_leg: str | None = None,
    ) -> None:  # fmt: skip
        """Adds margin from the wallet to an open isolated position; a negative amount takes margin back.

        amount: in the settlement currency. to, to_leg: another open isolated position of the same account. The margin then
        goes from this position to that one instead of from the wallet.

        Raises Rejected(NO_ISOLATED_POSITION, INSUFFICIENT_BALANCE, BELOW_INITIAL_MARGIN, BAD_AMOUNT, BAD_LEG, UNKNOWN_ACCOUNT,
        UNKNOWN_INSTRUMENT).

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> for name in ("alice", "bob"):
        ...     ex.deposit(name, "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> ex.set_leverage("alice", "BTC-USDT-SWAP", 10, mode="isolated")
        >>> sold = ex.order("bob", "BTC-USDT-SWAP", "sell", 1, price=50_000)
        >>> bought = ex.order("alice", "BTC-USDT-SWAP", "buy", 1, price=50_000)
        >>> before = ex.position("alice", "BTC-USDT-SWAP").liquidation_price
        >>> ex.move_margin("alice", "BTC-USDT-SWAP", 25)
        >>> ex.position("alice", "BTC-USDT-SWAP").margin
        Decimal('75')
        >>> ex.position("alice", "BTC-USDT-SWAP").liquidation_price < before
        True
        """
        decimal(amount, "amount")
        index = self._known_instrument(instrument)
        _, units = self._amount(self.instruments[index].settle, amount, signed=True)
        self._control(
            CommandType.MOVE_MARGIN, account=self._account(account), instrument=index, leg=leg_of(leg), amount_units=units,
            next_to_target=0 if to is None else self._known_instrument(to) + 1, target_leg=leg_of(to_leg),
        )  # fmt: skip

    def order(
        self, account: Acct, instrument: Inst, side: str, size: Dec | None = None, *, price: Dec | None = None,
        tif: str = "gtc", post_only: bool | str = False, reduce_only: bool = False, close_position: bool = False,
        client_id: int | str = 0, trigger: Trigger | None = None, expiry_ns: int | None = None, slippage: Dec | None = None,
        self_trade: str = "cancel_maker", self_trade_group: int = 0, leg: str | None = None, market: bool = False,
        display: Dec | None = None, all_or_none: bool = False, to_limit: bool = False, levels: int | None = None,
        peg: str | None = None, offset: Dec = _NEAR, tag: int = 0,
        take_profit: Exit | None = None, stop_loss: Exit | None = None, arm: str = _ARM,
    ) -> Ack:  # fmt: skip
        """Places an order and answers with an Ack.

        side: "buy" or "sell". size: in contracts. price: the limit, in currency. None makes a market order, which never rests.
        The price band protects it, and so does `slippage`, a rate from the best price, if given. market: True makes a market
        order with a price that protects it: it trades no further. tif: "gtc", "ioc", "fok", or "gtd", which ends when the
        clock reaches expiry_ns. post_only: True refuses an order that would trade at once; "slide" moves it behind the touch.

        reduce_only: the order is cut to what is left of the position. close_position: a reduce-only order without a size that
        closes whatever is open, for a dormant order when it fires. client_id: the caller's own id, a number or a text.
        trigger: the order is dormant until it fires (solvent.Trigger). leg: in hedge mode, "long" or "short": the position
        that the order opens (buy long, sell short) or closes. tag: a number of its connection, for `disconnect`.
        self_trade: decides when the order meets one of its own account, or of its self_trade_group if that is not 0. One of
        "cancel_maker", "cancel_taker", "cancel_both", "decrement" (both lose the smaller size) or "allow".
        display: the peak of an iceberg; 0 hides the order. all_or_none: it rests until it can trade whole. to_limit: the rest
        of a market order stays at its last fill's price; levels=1 takes the best price only. peg: "bid", "ask", "mid",
        "mid_inwards" or "mark", from which the price keeps the signed `offset`, no further than `price`. See
        docs/reference/orders.md.

        take_profit, stop_loss: children that close what this order fills, and cancel each other; a price, a Trigger, or a
        pair of a Trigger and a limit. arm: "incremental", "complete" or "first". See docs/reference/orders.md#brackets.

        Raises Rejected only with Exchange(strict=True); else the Ack is falsy and has the code. An accepted market order may
        find nobody: `filled` tells how much traded, the DONE event why the rest ended. Raises InputError or WrongType for what
        cannot be understood, a float or a bool.

        >>> from solvent import Exchange, Instrument, Trigger
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> for name in ("alice", "bob"):
        ...     ex.deposit(name, "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> ex.order("bob", "BTC-USDT-SWAP", "sell", 2, price=50_000)
        Ack(OK, order_id=16777216, filled=0, resting=2)
        >>> ex.order("alice", "BTC-USDT-SWAP", "buy", 3, price=50_000, tif="ioc").filled
        Decimal('2')
        >>> stop = ex.order("alice", "BTC-USDT-SWAP", "sell", trigger=Trigger.stop(49_000), close_position=True)
        """
        plain = take_profit is None and stop_loss is None and arm is _ARM and self._keeper is None
        if plain and peg is None and offset is _NEAR and self._quick is not None:
            told = self._quick(
                self._kernel, self._venue.steps, account, instrument, side, size, price, tif, post_only, reduce_only,
                client_id, close_position, trigger, expiry_ns, slippage, self_trade, self_trade_group, leg, market, display,
                all_or_none, to_limit, levels, tag)  # fmt: skip
            if told is not None:
                ack = ack_of(self, told, self._venue.lots[instrument])  # type: ignore[index]
                return ack.ok() if self._strict else ack
        terms = Terms(
            tif, post_only, reduce_only, close_position, client_id, trigger, expiry_ns, slippage, self_trade, self_trade_group,
            leg, tag, b"", Kind(None, all_or_none, to_limit, levels, peg))  # fmt: skip
        numbers, children = (size, price, display, offset), (take_profit, stop_loss, arm)
        return self._order((account, instrument, side), numbers, market, terms, children)

    def _order(
        self, whose: tuple[Acct, Inst, str], what: tuple[Dec | None, ...], market: bool, terms: Terms,
        legs: tuple[Exit | None, Exit | None, str],
    ) -> Ack:  # fmt: skip
        """Sends an order of any terms. whose: account, instrument, side. what: size, price, peak, offset."""
        (account, instrument, side), (size, price, display, offset) = whose, what
        index = self._instrument(instrument)
        lot, ticks = self._terms(index).lot_size, self._ticks(index)
        if display is not None:
            terms = replace(terms, kind=replace(terms.kind, display_lots=fit(to_units(display, lot, "display"), False)))
        if offset is not _NEAR:
            away = signed_ticks(decimal(offset, "offset"), "offset", ticks)
            terms = replace(terms, kind=replace(terms.kind, offset_ticks=away))
        terms = replace(terms, exits=exits(*legs, ticks))
        if size is None and not flag_of(terms.close_position, "close_position"):
            raise wrong_type("size", size, "a number of contracts, or close_position=True")
        fields = terms.header(market=flag_of(market, "market") or (price is None and terms.needs_price())) | {
            "account": self._account(account), "instrument": index, "side": word(SIDES, side, "side"),
            "price_ticks": 0 if price is None else ticks(price, "price"),
            "size_lots": 0 if size is None else fit(to_units(size, lot, "size"), False),
        }  # fmt: skip
        return self._ask_extended(CommandType.ORDER, lot, terms.more(ticks), fields)

    def _ticks(self, instrument: int) -> Callable[[object, str], int]:
        """Returns what turns a price of an instrument into ticks."""
        tick = self._terms(instrument).tick_size
        return lambda value, what: fit(to_units(value, tick, what), False)

    def oco(
        self, account: Acct, instrument: Inst, side: str, size: Dec | None = None, *, take_profit: Exit | None = None,
        stop_loss: Exit | None = None, leg: str | None = None, tag: int = 0, self_trade: str = "cancel_maker",
        self_trade_group: int = 0,
    ) -> Ack:  # fmt: skip
        """Attaches a target and a stop to a position; the first that fires cancels the other.

        side: theirs, which closes the position. size: for how many contracts they stand; None: for whatever the position has.
        They never close more than it has, and end with it. take_profit, stop_loss: as in `order`; one of them may be left out.
        The other words are those of `order`. The Ack names the target, or the stop where there is no target.

        Its codes include REDUCE_ONLY_WOULD_OPEN, where there is nothing to close, and BAD_BRACKET.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> for name in ("alice", "bob"):
        ...     ex.deposit(name, "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> ack = ex.order("bob", "BTC-USDT-SWAP", "sell", 2, price=50_000)
        >>> ack = ex.order("alice", "BTC-USDT-SWAP", "buy", 2, price=50_000)
        >>> pair = ex.oco("alice", "BTC-USDT-SWAP", "sell", take_profit=51_000, stop_loss=49_000)
        >>> [(each.price, each.trigger_price, each.remaining) for each in ex.open_orders("alice")]
        [(Decimal('51000'), None, Decimal('2')), (None, Decimal('49000'), Decimal('2'))]
        """
        index, where = self._instrument(instrument), leg_of(leg)
        lot, pair = self._terms(index).lot_size, exits(take_profit, stop_loss, "incremental", self._ticks(index))
        lots = 0 if size is None else fit(to_units(size, lot, "size"), False) or -1
        return self._ask_extended(CommandType.ATTACH, lot, pair or bracket(), {
            "account": self._account(account), "instrument": index, "side": word(SIDES, side, "side"), "size_lots": lots,
            "leg": where, "tag": int_within(tag, "tag", 0, TAGS_MAX), "stp_mode": word(SELF_TRADE, self_trade, "self_trade"),
            "stp_group": int_within(self_trade_group, "self_trade_group", 0, 2**63 - 1),
        })  # fmt: skip

    def preview(
        self, account: Acct, instrument: Inst, side: str | None = None, size: Dec | None = None, *, leg: str | None = None,
        leverage: Dec | Fraction | None = None, mode: str | None = None, margin: Dec | None = None, mark: Dec | None = None,
        **terms: Any,
    ) -> "Preview":  # fmt: skip
        """Shows what an order, and other steps before it, would do, and changes nothing.

        mark: a mark price. leverage, mode: as in set_leverage. margin: moved into an isolated position from the wallet, or
        back if negative, as in move_margin. side, size, and any other word of `order`: an order. leg: "long" or "short" in
        hedge mode, for all of these. The steps are tried in this order, up to the first that would be refused.

        The answer always equals what a fork would show that takes the steps. Raises InputError or WrongType as these methods
        do, Rejected(UNKNOWN_ACCOUNT, UNKNOWN_INSTRUMENT), and Busy while another call runs. A plain order costs a dry run,
        anything else a fork.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> for name in ("alice", "bob"):
        ...     ex.deposit(name, "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> ack = ex.order("bob", "BTC-USDT-SWAP", "sell", 2, price=50_000)
        >>> seen = ex.preview("alice", "BTC-USDT-SWAP", "buy", 3, price=50_000, leverage=10)
        >>> seen.code.name, seen.filled, seen.resting, seen.fee, seen.position.liquidation_price < 50_000
        ('OK', Decimal('2'), Decimal('1'), Decimal('0.5'), True)
        >>> ex.preview("alice", "BTC-USDT-SWAP", "buy", 300, price=50_000).code.name
        'INSUFFICIENT_MARGIN'
        """
        from solvent.api.previews import preview_view
        from solvent.schema.rows import PreviewRow

        who, where, side_of = self._known_account(account), self._known_instrument(instrument), leg_of(leg)
        place: dict[str, Any] = {"account": who, "instrument": where, "leg": leg}
        asking = Asking(self._kernel)
        face = self._on(asking)
        if mark is not None:
            face.mark(where, mark)
        if leverage is not None or mode is not None:
            times, parts = self._kernel.position_row(who, where, side_of)[4:6]
            face.set_leverage(**place, leverage=Fraction(times, parts) if leverage is None else leverage, mode=mode)
        if margin is not None:
            face.move_margin(**place, amount=margin)
        if side is not None:
            face.order(**place, side=side, size=size, **terms)
        elif size is not None or terms:
            raise InputError("an order needs a side, 'buy' or 'sell'")
        row = PreviewRow(*self._kernel.preview(asking.records, who, where, side_of))
        return preview_view(self.venue, self._kernel, who, row)

    def amend(
        self, account: Acct, order_id: int | None = None, *, client_id: int | str | None = None,
        size: Dec | None = None, price: Dec | None = None, remaining: Dec | None = None, trigger: Dec | None = None,
    ) -> Ack:  # fmt: skip
        """Changes the total size and the price of a live order, named by order_id or by client_id; or its trigger alone.

        size: in contracts, what is filled included. remaining: what is left to fill, instead. A smaller size keeps the order's
        place in the queue. Any other change sends the order to the back, and it may trade. A reduce-only order that asks for
        more than is left to close at its price keeps its place, and answers AMEND_NOTHING. trigger: the price to which the
        fixed trigger of a dormant order moves; the order is due at once if it is reached.

        Answers with an Ack; its codes include UNKNOWN_ORDER, AMEND_NOTHING, AMEND_BELOW_FILLED and those of an order.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.deposit("alice", "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> ack = ex.order("alice", "BTC-USDT-SWAP", "buy", 3, price=49_900, client_id=7)
        >>> ex.amend("alice", client_id=7, size=2)
        Ack(OK, order_id=16777216, filled=0, resting=2)
        """
        found = self._named(order_id, client_id)
        row = self._find_order(account, **found)
        terms = self._terms(row[2] if row else 0)
        lots = ticks = 0
        if size is not None:
            lots = fit(to_units(size, terms.lot_size, "size"), False) or -1
        if remaining is not None:
            lots = total_lots(row, fit(to_units(remaining, terms.lot_size, "remaining"), False), size)
        if price is not None:
            ticks = fit(to_units(price, terms.tick_size, "price"), False) or -1
        who = self._account(account)
        if trigger is None:
            return self._ask(CommandType.AMEND, terms.lot_size, account=who, size_lots=lots, price_ticks=ticks, **found)
        moved = moved_alone(found | ({"size_lots": lots} if lots else {}) | ({"price_ticks": ticks} if ticks else {}))
        to = fit(to_units(trigger, terms.tick_size, "trigger"), False)
        return self._ask(CommandType.AMEND_TRIGGER, terms.lot_size, account=who, trigger_ticks=to, **moved)

    def cancel(self, account: Acct, order_id: int | None = None, *, client_id: int | str | None = None) -> Ack:
        """Cancels a live order, named by order_id or by the account's client_id.

        Answers with an Ack; its code is UNKNOWN_ORDER when the account has no such live order. Raises InputError unless one of
        the two names is given.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.deposit("alice", "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> ack = ex.order("alice", "BTC-USDT-SWAP", "buy", 3, price=49_900)
        >>> bool(ex.cancel("alice", ack.order_id)), ex.cancel("alice", ack.order_id).code.name
        (True, 'UNKNOWN_ORDER')
        """
        found = self._named(order_id, client_id)
        row = self._find_order(account, **found)
        terms = self._terms(row[2] if row else 0)
        return self._ask(CommandType.CANCEL, terms.lot_size, account=self._account(account), **found)

    def _batch_account(self, account: Acct) -> int:
        return self._known_account(account)

    def _find_order(self, account: Acct, order_id: int = 0, client_id: int = 0) -> tuple[int, ...] | None:
        row: tuple[int, ...] | None = self._kernel.find_order(self._account(account), order_id, client_id)
        return row

    def cancel_all(self, account: Acct | None = None, instrument: Inst | None = None, *, side: str | None = None) -> Ack:
        """Cancels live orders, resting and dormant, oldest first.

        account: None takes the orders of every account. instrument: None takes all instruments. side: "buy", "sell", or None
        for both. `filled` of the Ack counts the cancelled orders.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.deposit("alice", "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> for price in (49_800, 49_900):
        ...     ack = ex.order("alice", "BTC-USDT-SWAP", "buy", 1, price=price)
        >>> ex.cancel_all("alice").filled
        Decimal('2')
        """
        return self._ask(
            CommandType.MASS_CANCEL, Decimal(1),
            account=NOBODY if account is None else min(self._account(account), NOBODY - 1),
            instrument=NO_INSTRUMENT if instrument is None else min(self._instrument(instrument), NO_INSTRUMENT - 1),
            side=2 if side is None else word(SIDES, side, "side"),
        )  # fmt: skip

    def cancel_after(
        self, account: Acct, timeout_ns: int, *, instrument: Inst | None = None, tag: int = 0, spare_reduce_only: bool = False,
    ) -> Ack:  # fmt: skip
        """Sets a timer that cancels the account's live orders once the clock is timeout_ns further. A new call sets it anew.

        timeout_ns: 0 switches the timer off. instrument: None takes all instruments. tag: takes only orders of this tag; 0
        takes any. Each pair of instrument and tag has a timer of its own, at most twenty an account. spare_reduce_only: True
        leaves reduce-only orders alone. A timer fires once, with the first command whose time reaches its deadline, and before
        that command: setting it anew at the deadline is too late. The orders end with TIMEOUT, oldest first.

        Answers with an Ack; its code is UNKNOWN_ACCOUNT, UNKNOWN_INSTRUMENT, BAD_TIMEOUT or TOO_MANY_TIMERS if refused.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.deposit("alice", "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> ack = ex.order("alice", "BTC-USDT-SWAP", "buy", 1, price=49_900)
        >>> ack = ex.cancel_after("alice", 60_000_000_000)
        >>> ex.advance(60_000_000_000)
        >>> ex.open_orders("alice")
        []
        """
        return self._ask(
            CommandType.TIMER, Decimal(1), account=self._account(account),
            instrument=NO_INSTRUMENT if instrument is None else min(self._instrument(instrument), NO_INSTRUMENT - 1),
            **timer_fields(timeout_ns, tag, spare_reduce_only),
        )  # fmt: skip

    def disconnect(self, tag: int, account: Acct | None = None) -> Ack:
        """Cancels the live orders that have a tag, oldest first, as when their connection is lost.

        tag: from 1. account: None takes the orders of every account. `filled` of the Ack counts the cancelled orders, and each
        ends with DISCONNECTED.

        >>> from solvent import Exchange, Instrument
        >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
        >>> ex.deposit("alice", "USDT", 1_000)
        >>> ack = ex.mark("BTC-USDT-SWAP", 50_000)
        >>> ack = ex.order("alice", "BTC-USDT-SWAP", "buy", 1, price=49_900, tag=7)
        >>> ack = ex.order("alice", "BTC-USDT-SWAP", "buy", 1, price=49_800)
        >>> ex.disconnect(7).filled
        Decimal('1')
        """
        return self._ask(
            CommandType.DISCONNECT, Decimal(1), tag=int_within(tag, "tag", 1, TAGS_MAX),
            account=NOBODY if account is None else min(self._account(account), NOBODY - 1),
        )  # fmt: skip
