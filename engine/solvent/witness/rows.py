"""The rows of the auditor's books: wallets, positions, orders, fees, as `auditor` enters them from events.

Owns these rows, and everything that can be read from one row by itself. Reads an event only to open an order's row. Cost: O(1)
a row, O(instruments) where a tier group nets.
"""

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol

from solvent.schema.events import Event, terms_of
from solvent.schema.words import Basis, Flag, Leg
from solvent.terms.instrument import Instrument
from solvent.terms.order_words import wrong_type
from solvent.terms.rule_set import RuleSet
from solvent.terms.spec import Spec
from solvent.witness.values import Held, held_value, ratio_up

Key = tuple[int, int, int]  # account, instrument, leg
LEGS = tuple(Leg)


class Audited(Protocol):
    """Names what the witness asks of an exchange: its constants, and in `compare` the reads of its kernel."""

    _kernel: Any

    @property
    def venue(self) -> Any: ...
    @property
    def instruments(self) -> tuple[Instrument, ...]: ...
    @property
    def currencies(self) -> dict[str, Decimal]: ...
    @property
    def rules(self) -> RuleSet: ...


class Order:
    """Holds an order as its ACCEPTED event gave it; `remaining` and `status` follow its later events."""

    __slots__ = (
        "account", "instrument", "side", "price", "remaining", "house", "status", "stp_mode", "group", "key", "reduces",
        "closes", "mark", "tag", "whole", "dark", "display", "hidden", "limit", "peg", "offset", "inwards", "pegged_at",
    )  # fmt: skip

    def __init__(self, e: Event, mark: int):
        terms = terms_of(e)
        self.account, self.instrument, self.side = e.account, e.instrument, e.side
        self.price, self.remaining = e.price_ticks, e.size_lots
        self.house = bool(e.flags & Flag.HOUSE_ORDER)
        self.status = "dormant" if terms["trigger_kind"] else "working"
        self.stp_mode, self.group = e.flags >> 8, terms["stp_group"]
        self.key = e.account, e.instrument, terms["hedge_side"]
        self.reduces, self.closes = bool(e.flags & Flag.REDUCE_ONLY), bool(e.flags & Flag.CLOSE_POSITION)
        self.mark = mark  # when it was accepted, amended or triggered
        self.tag = 0
        self.whole = self.dark = False  # by its SHAPED
        self.display = self.hidden = 0
        self.limit, self.peg, self.offset, self.inwards = e.limit_ticks, 0, 0, False
        self.pegged_at = 0  # the last price that followed from its reference

    @property
    def leads(self) -> bool:
        """True if pegged orders follow it while it is the best of its side."""
        return not (self.peg or self.whole or self.dark)

    def shares_owner(self, other: "Order") -> bool:
        """True if both orders have one account, or one self-trade group."""
        return self.account == other.account or (self.group != 0 and self.group == other.group)


class Rows:
    """Holds one exchange's money and positions, as far as its events tell."""

    def __init__(self, exchange: Audited):
        if not hasattr(exchange, "venue"):
            raise wrong_type("exchange", exchange, "an Exchange")
        self.exchange = exchange  # its constants
        self.specs: list[Spec] = []
        self.currency: list[int] = []
        self.listed = exchange.venue.made_with  # instruments that there are, by what the events have told so far
        self._enter()
        self.rules = exchange.rules
        self.marks: defaultdict[int, int] = defaultdict(int)
        self.indices: defaultdict[int, int] = defaultdict(int)
        self.wallets: defaultdict[tuple[int, int], int] = defaultdict(int)
        self.margins: defaultdict[Key, int] = defaultdict(int)
        self.sizes: defaultdict[Key, int] = defaultdict(int)
        self.costs: defaultdict[Key, int] = defaultdict(int)
        self.modes: dict[Key, int] = {}
        self.leverages: dict[Key, Fraction] = {}
        self.chosen: defaultdict[Key, int] = defaultdict(int)  # tiers
        self.accruals: defaultdict[int, int] = defaultdict(int)  # of what funding accrued, over 10**9 of value
        self.orders: dict[int, Order] = {}
        self.parents: dict[int, int] = {}
        self.traded: defaultdict[tuple[int, int], defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))  # by day
        self.day = 0
        self.rated: dict[Key, int] = {}  # at which fee a position would be liquidated, where that is its account's own

    def _enter(self) -> None:
        """Adds the constants of newly listed instruments. An exchange knows its newest one when the command is over."""
        for each in self.exchange.instruments[len(self.specs) : self.listed]:
            self.specs.append(each.spec)
            self.currency.append(self.exchange.venue.currency_id(each.settle))

    def _family(self, account: int, instrument: int) -> tuple[int, int]:
        """Returns the account to whose volume a fill counts, the master account, with the currency."""
        return self.parents.get(account) or account, self.currency[instrument]

    def fees(self, account: int, instrument: int) -> tuple[int, int]:
        """Returns (maker, taker) by the volume of the last thirty whole days."""
        spec, days = self.specs[instrument], self.traded[self._family(account, instrument)]
        traded = sum(min(2**57, value) for day, value in days.items() if self.day - 30 <= day < self.day)
        _, *found = [row for row in [(0, spec.maker_fee_ppb, spec.taker_fee_ppb), *spec.fee_tiers] if row[0] <= traded][-1]
        return found[0], found[1]

    def liquidation_fee(self, key: Key) -> int:
        """Returns a position's liquidation fee; a position without a rate of its own begins with its account's present one."""
        spec = self.specs[key[1]]
        if not spec.own_fee:
            return spec.liquidation_fee_ppb
        return self.rated.setdefault(key, self.fees(*key[:2])[1])

    def due(self, instrument: int, size: int, rate: int) -> int:
        """Returns what a settlement at `rate` asks of a position, or owes it, in units rounded up."""
        return ratio_up(self.funding_value(instrument, size) * abs(rate), 10**9)

    def funding_value(self, instrument: int, size: int) -> int:
        """Returns the value on which funding is paid, at mark or at the index."""
        model = self.exchange.instruments[instrument].prices
        at_index = model is not None and model.funding is not None and model.funding.notional == "index"
        return held_value(self.specs[instrument], size, (self.indices if at_index else self.marks)[instrument])

    def held(self, key: Key) -> Held:
        """Returns what tiers and requirements read of a position."""
        size, accrual, spec = self.sizes[key], self.accruals[key[1]], self.specs[key[1]]
        pays = accrual if size > 0 else -accrual
        accrued = pays * self.funding_value(key[1], size) if pays > 0 else 0
        leverage = self.leverages.get(key) or Fraction(spec.default_leverage)
        value = held_value(spec, size, self.marks[key[1]])
        spared = bool(spec.larger_leg and size and self._is_smaller_side(key))
        return Held(spec, size, self.costs[key], value, self._measure(key, value), spared, self.chosen[key], leverage, accrued)

    def _measure(self, key: Key, value: int) -> int:
        """Returns the size that the tiers measure."""
        match self.specs[key[1]].basis:
            case Basis.NOTIONAL:
                return value
            case Basis.ENTRY:
                return abs(self.costs[key])
            case Basis.NET:
                return abs(self.sizes[key] + self._other_leg_lots(key)) + self._group_net_lots(key)
        return abs(self.sizes[key])

    def _is_smaller_side(self, key: Key) -> bool:
        """True if the other side of the hedge is larger, in the instrument or its tier group; cross positions only.

        With equal sides the short is the smaller one.
        """
        account, mine, _ = key
        group, rows = self.specs[mine].tier_group, [key]
        if not self.modes.get(key):
            rows = [
                (account, i, leg) for i, spec in enumerate(self.specs) for leg in LEGS
                if (i == mine or (group and spec.tier_group == group and self.currency[i] == self.currency[mine]))
                and not self.modes.get((account, i, leg))
            ]  # fmt: skip
        net = sum(self.sizes[row] for row in rows)
        return net < 0 if self.sizes[key] > 0 else net >= 0

    def _group_net_lots(self, key: Key) -> int:
        """Returns the nets of the other instruments of a tier group, added up; cross positions only."""
        account, mine, _ = key
        group = self.specs[mine].tier_group
        if not group or self.modes.get(key):
            return 0
        members = (
            i for i, spec in enumerate(self.specs) if spec.tier_group == group and self.currency[i] == self.currency[mine]
        )
        rows = ([(account, i, leg) for leg in LEGS] for i in members if i != mine)
        return sum(abs(sum(self.sizes[row] for row in each if not self.modes.get(row))) for each in rows)

    def _other_leg_lots(self, key: Key) -> int:
        """Returns the other leg of a hedge if both are cross."""
        other_leg = key[0], key[1], Leg.LONG + Leg.SHORT - key[2]
        return 0 if not key[2] or self.modes.get(key) or self.modes.get(other_leg) else self.sizes[other_leg]
