"""The demo's books from events: balances, positions, liquidations, parcels, the fund, and the proof that no unit is lost.

Owns a second set of books, kept from events alone. Never asks the exchange. Keeps each balance twice: as the last value that
an event told, and as the sum of all postings. After every step it compares both with each other and with the laws of the
ledger. Cost: a dozen array operations a step.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from solvent.lab.market.draws import Ints
from solvent.schema.layouts import RECORD_BYTES, dtype
from solvent.schema.words import EventType, MarginOf, Mode, ParcelChange, Posting, Purse, Side

Events = npt.NDArray[np.void]
EVENT = dtype("event")
_BYTES = np.dtype((np.void, RECORD_BYTES))
_NONE = np.zeros(0, dtype=EVENT)
_OF_PARCELS = 2  # the pass of ADL that closes parcels of the other side
_NAME_RECORD = max(EventType)  # types above are the second record of a name


@dataclass(slots=True)
class Fund:
    """Tracks the insurance fund, in units."""

    start: int = 0
    gained: int = 0
    paid: int = 0
    low: int = 0
    peak: int = 0


@dataclass(slots=True)
class Liquidations:
    """Records one entry a liquidation: account, contract, leverage and mode at that moment, long or short, whole or part."""

    accounts: list[int] = field(default_factory=list)
    symbols: list[int] = field(default_factory=list)
    leverages: list[int] = field(default_factory=list)
    modes: list[int] = field(default_factory=list)
    longs: list[bool] = field(default_factory=list)
    partial: list[bool] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Funding:
    """Records one entry a settlement: step, contract, rate over 10**9, units paid by one side to the other."""

    steps: list[int] = field(default_factory=list)
    symbols: list[int] = field(default_factory=list)
    rates_ppb: list[int] = field(default_factory=list)
    paid_units: list[int] = field(default_factory=list)


class Parcels:
    """Tracks the parcels of the house by number, and where their lots and their worth at the bankruptcy price went."""

    def __init__(self, symbols: int):
        self.size: dict[int, int] = {}
        self.cost: dict[int, int] = {}
        self.symbol: dict[int, int] = {}
        self.lots = np.zeros((len(ParcelChange) + 1, symbols), dtype=np.int64)
        self.units = np.zeros(len(ParcelChange) + 1, dtype=np.int64)

    def absorb(self, rows: Events) -> None:
        for kind, symbol, number, size, cost, closed in rows[["reason", "instrument", "a", "b", "c", "d"]].tolist():
            self.lots[kind, symbol] += closed
            self.units[kind] += abs(cost - self.cost.get(number, 0))
            self.symbol[number] = symbol
            for column, value in ((self.size, size), (self.cost, cost)):
                column[number] = value
                if not value:
                    del column[number]

    def open_lots(self, symbol: int) -> int:
        return sum(abs(size) for number, size in self.size.items() if self.symbol[number] == symbol)


class Tally:
    """Keeps the books by account id, house purses included, for `accounts` ids and `symbols` contracts.

    Positions are columns by account, a row a contract. first: the account of the first trader.
    """

    def __init__(self, accounts: int, symbols: int, first: int):
        self.accounts, self.symbols, self.first = accounts, symbols, first
        self.money = np.zeros((1 + symbols) * accounts, dtype=np.int64)  # wallets, then isolated margins by contract
        self.summed = np.zeros_like(self.money)  # the same from the amounts posted
        shape = (symbols, accounts)
        self.size, self.cost, self.position_margin, self.leverage, self.mode = (np.zeros(shape, np.int64) for _ in range(5))
        self.takeovers = np.zeros(accounts, dtype=np.int64)
        self.traded = np.zeros(accounts, dtype=np.bool_)
        self.deleveraged_lots = np.zeros(shape, dtype=np.int64)
        self.deleveraged_units = np.zeros(accounts, dtype=np.int64)  # at mark
        self.deleveraged_acts = np.zeros(accounts, dtype=np.int64)
        self.forgone_units = 0  # what closing at mark would have left them more
        self.parcels = Parcels(symbols)
        self.mark_ticks = np.zeros(symbols, dtype=np.int64)
        self.fund = Fund()
        self.liquidations = Liquidations()
        self.funding = Funding()
        self.counts = np.zeros(_NAME_RECORD + 1, dtype=np.int64)
        self.lot_units = np.ones(symbols, dtype=np.int64)  # what a lot is worth at a price of one tick
        self.adl_steps: list[int] = []
        self.checks = self.worst_error = 0
        self.begin(0)

    def begin(self, step: int) -> None:
        """Begins a step."""
        self.step = step
        self._trades: list[Events] = []

    @property
    def trades(self) -> Events:
        """Returns the trades of this step."""
        return np.concatenate([each.view(_BYTES) for each in self._trades]).view(EVENT) if self._trades else _NONE

    @property
    def adl_events(self) -> int:
        return int(self.counts[EventType.ADL])

    @property
    def cash(self) -> Ints:
        return self.money[: self.accounts]

    @property
    def margin(self) -> Ints:
        """Returns the isolated margins, a row a contract."""
        return self.money[self.accounts :].reshape(self.symbols, self.accounts)

    @property
    def fund_units(self) -> int:
        return int(self.money[Purse.FUND])

    def absorb(self, events: Events) -> list[int]:
        """Takes the events of a batch. Returns the traders' orders that ended in it."""
        kinds = np.ascontiguousarray(events["type"])
        if (kinds > _NAME_RECORD).any():
            events, kinds = events[kinds <= _NAME_RECORD], kinds[kinds <= _NAME_RECORD]
        counted = np.bincount(kinds, minlength=_NAME_RECORD + 1)
        self.counts += counted
        trades = events[kinds == EventType.TRADE]
        self._trades.append(trades)
        self.traded[trades["account"]] = self.traded[trades["e"]] = True
        self._ledger(events[kinds == EventType.LEDGER])
        marked = events[kinds == EventType.MARKED]
        self.mark_ticks[marked["instrument"]] = marked["a"]
        if counted[EventType.STEP_DOWN] or counted[EventType.TAKEOVER]:
            self._liquidated(events)
        self._positions(events[kinds == EventType.POSITION])
        for kind, take in ((EventType.PARCEL, self.parcels.absorb), (EventType.ADL, self._deleveraged)):
            if counted[kind]:
                take(events[kinds == kind])
        if counted[EventType.FUNDED]:
            self._funded(events[kinds == EventType.FUNDED])
        done = events[kinds == EventType.DONE]
        ended: list[int] = done["a"][done["account"] >= self.first].tolist()
        return ended

    def _ledger(self, rows: Events) -> None:
        purse = np.empty(2 * len(rows), dtype=np.int64)
        after = np.empty_like(purse)
        moved = np.empty_like(purse)
        block = self.accounts * (1 + rows["instrument"].astype(np.int64))
        purse[0::2] = rows["account"] + block * (rows["side"] == MarginOf.PAYER)
        purse[1::2] = rows["a"] + block * (rows["side"] == MarginOf.RECEIVER)
        after[0::2], after[1::2] = rows["c"], rows["d"]
        moved[0::2], moved[1::2] = -rows["b"], rows["b"]
        self.money[purse] = after  # of several the last one stays
        np.add.at(self.summed, purse, moved)
        balances = after[purse == Purse.FUND]
        if len(balances) == 0:
            return
        flows = moved[purse == Purse.FUND]
        seeded = int(rows["b"][rows["reason"] == Posting.FUND_SEEDED].sum())
        self.fund.start += seeded
        self.fund.gained += int(flows[flows > 0].sum()) - seeded
        self.fund.paid -= int(flows[flows < 0].sum())
        self.fund.peak = max(self.fund.peak, int(balances.max()))
        self.fund.low = int(balances[-1]) if seeded else min(self.fund.low, int(balances.min()))

    def _positions(self, rows: Events) -> None:
        at = rows["instrument"], rows["account"]
        self.size[at], self.cost[at], self.position_margin[at] = rows["a"], rows["b"], rows["c"]
        self.leverage[at], self.mode[at] = rows["d"], rows["side"]

    def _funded(self, rows: Events) -> None:
        log = self.funding
        log.steps += [self.step] * len(rows)
        log.symbols += rows["instrument"].tolist()
        log.rates_ppb += rows["b"].tolist()
        log.paid_units += rows["c"].tolist()

    def _deleveraged(self, rows: Events) -> None:
        symbol, account = rows["instrument"], rows["account"]
        np.add.at(self.deleveraged_lots, (symbol, account), rows["b"])
        np.add.at(self.deleveraged_units, account, rows["b"] * rows["e"] * self.lot_units[symbol])
        np.add.at(self.deleveraged_acts, account, 1)
        users = rows["reason"] != _OF_PARCELS
        worth = np.sign(rows["c"]) * rows["b"] * rows["e"] * self.lot_units[symbol]
        self.forgone_units += int((rows["c"] - worth)[users].sum())
        self.adl_steps.append(self.step)

    def _liquidated(self, events: Events) -> None:
        """Collects takeovers, and the step-downs after which a trade follows at once."""
        kinds = events["type"]
        taken = kinds == EventType.TAKEOVER
        stepped = np.flatnonzero(kinds == EventType.STEP_DOWN)
        trading = np.flatnonzero(kinds == EventType.TRADE)
        next_trade = np.append(trading, len(events))[np.searchsorted(trading, stepped)]
        filled = stepped[next_trade == stepped + 2]  # STEP_DOWN, ACCEPTED, TRADE
        np.add.at(self.takeovers, events["account"][taken], 1)
        chosen = np.sort(np.concatenate([np.flatnonzero(taken), filled]))
        accounts, symbols = events["account"][chosen], events["instrument"][chosen]
        log = self.liquidations
        log.accounts += accounts.tolist()
        log.symbols += symbols.tolist()
        log.leverages += self.leverage[symbols, accounts].tolist()
        log.modes += self.mode[symbols, accounts].tolist()
        rows, whole = events[chosen], taken[chosen]
        log.longs += np.where(whole, rows["b"] > 0, rows["side"] == Side.SELL).tolist()  # a step down sells of a long
        log.partial += (~whole).tolist()
        log.steps += [self.step] * len(chosen)

    def check(self) -> None:
        """Checks that money sums to zero, CLEARING owes what positions cost, longs equal shorts, and both books agree."""
        errors = (
            int(self.money.sum()),
            int(self.cash[Purse.CLEARING] + self.cost.sum() + sum(self.parcels.cost.values())),
            *(self.size.sum(axis=1) + self._offered()).tolist(),
            int(np.abs(self.money - self.summed).max()),
            int(np.abs(self.margin - self.position_margin).max()),
        )
        self.checks += 1
        self.worst_error = max(self.worst_error, *(abs(error) for error in errors))

    # --- what became of it

    @property
    def isolated(self) -> int:
        return sum(mode == Mode.ISOLATED for mode in self.liquidations.modes)

    def _offered(self) -> Ints:
        """Returns the signed lots of all parcels by contract."""
        result = np.zeros(self.symbols, dtype=np.int64)
        for number, size in self.parcels.size.items():
            result[self.parcels.symbol[number]] += size
        return result

    @property
    def unwound(self) -> dict[str, tuple[list[int], int]]:
        """Returns where the lots that were taken over went, by contract, and their worth in units at the bankruptcy price.

        The parts add up to all of them.
        """
        lots, units = self.parcels.lots, self.parcels.units
        book, fund, adl = ParcelChange.FILLED_BY_BOOK, ParcelChange.FILLED_BY_FUND, ParcelChange.CLOSED_BY_ADL
        opposite = ParcelChange.CLOSED_BY_OPPOSITE
        open_lots = [self.parcels.open_lots(symbol) for symbol in range(self.symbols)]
        result = {
            "book": (lots[book].tolist(), int(units[book])),
            "fund": (lots[fund].tolist(), int(units[fund])),
            "adl": ((lots[adl] + lots[opposite]).tolist(), int(units[adl] + units[opposite])),
            "open": (open_lots, sum(map(abs, self.parcels.cost.values()))),
        }
        taken = (lots[ParcelChange.TAKEN].tolist(), int(units[ParcelChange.TAKEN]))
        found = [sum(each) for each in zip(*(part for part, _ in result.values()), strict=True)]
        if found != taken[0] or sum(worth for _, worth in result.values()) != taken[1]:
            raise AssertionError(f"{taken} was taken over, but {result}")
        return result

    @property
    def open_interest(self) -> list[dict[str, int]]:
        """Returns the contracts held long and short by contract, the house's parcels included."""
        result = []
        for symbol, size in enumerate(self.size):
            offered = [lots for number, lots in self.parcels.size.items() if self.parcels.symbol[number] == symbol]
            held = np.concatenate([size, np.array(offered, dtype=np.int64)])
            result.append({"long_lots": int(held[held > 0].sum()), "short_lots": int(-held[held < 0].sum())})
        return result
