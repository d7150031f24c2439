"""The demo's books from events: balances, positions, liquidations, lots, the fund, and the proof that no unit is lost.

Owns a second set of books, kept from events alone. Never asks the exchange. Keeps each balance twice: as the last value that
an event told, and as the sum of all postings. After every step it compares both with each other and with the laws of the
ledger. Cost: a dozen array operations a step.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from solvent.lab.market.draws import Ints
from solvent.schema.layouts import dtype
from solvent.schema.words import EventType, Mode, ParcelChange, Posting, Purse, Side

Events = npt.NDArray[np.void]
_NAME_RECORD = max(EventType)  # types above are the second record of a name


def _sum_by(columns: Ints, amounts: Ints, size: int) -> Ints:
    result = np.zeros(size, dtype=np.int64)
    np.add.at(result, columns, amounts)
    return result


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
    """Records one entry a liquidation: account, leverage and mode at that moment, long or short, whole or part."""

    accounts: list[int] = field(default_factory=list)
    leverages: list[int] = field(default_factory=list)
    modes: list[int] = field(default_factory=list)
    longs: list[bool] = field(default_factory=list)
    partial: list[bool] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)


class Tally:
    """Keeps the books by account id, house purses included, for `accounts` ids."""

    def __init__(self, accounts: int):
        self.accounts = accounts
        self.money = np.zeros(2 * accounts, dtype=np.int64)  # wallets, then isolated margins
        self.summed = np.zeros(2 * accounts, dtype=np.int64)  # the same from the amounts posted
        self.size = np.zeros(accounts, dtype=np.int64)
        self.cost = np.zeros(accounts, dtype=np.int64)
        self.position_margin = np.zeros(accounts, dtype=np.int64)
        self.leverage = np.zeros(accounts, dtype=np.int64)
        self.mode = np.zeros(accounts, dtype=np.int64)
        self.takeovers = np.zeros(accounts, dtype=np.int64)
        self.traded = np.zeros(accounts, dtype=np.bool_)
        self.parcel_size = np.zeros(1_024, dtype=np.int64)
        self.parcel_cost = np.zeros(1_024, dtype=np.int64)
        self.parcel_lots = np.zeros(len(ParcelChange) + 1, dtype=np.int64)
        self.fund = Fund()
        self.liquidations = Liquidations()
        self.counts = np.zeros(_NAME_RECORD + 1, dtype=np.int64)
        self.trades = np.zeros(0, dtype=dtype("event"))  # of the last step
        self.adl_steps: list[int] = []
        self.adl_events = self.checks = self.worst_error = self.step = 0

    @property
    def cash(self) -> Ints:
        return self.money[: self.accounts]

    @property
    def margin(self) -> Ints:
        return self.money[self.accounts :]

    @property
    def fund_units(self) -> int:
        return int(self.money[Purse.FUND])

    def absorb(self, events: Events) -> None:
        """Takes the events of a step, then checks the laws of the ledger."""
        kinds = events["type"]
        events = events[kinds <= _NAME_RECORD]
        kinds = events["type"]
        counted = np.bincount(kinds, minlength=_NAME_RECORD + 1)
        self.counts += counted
        self.trades = events[kinds == EventType.TRADE]
        self.traded[self.trades["account"]] = self.traded[self.trades["e"]] = True
        self._ledger(events[kinds == EventType.LEDGER])
        if counted[EventType.STEP_DOWN] or counted[EventType.TAKEOVER]:
            self._liquidated(events)
        self._positions(events[kinds == EventType.POSITION])
        if counted[EventType.PARCEL]:
            self._parcels(events[kinds == EventType.PARCEL])
        if counted[EventType.ADL]:
            self.adl_events += int(counted[EventType.ADL])
            self.adl_steps.append(self.step)
        self._check()

    def _ledger(self, rows: Events) -> None:
        purse = np.empty(2 * len(rows), dtype=np.int64)
        after = np.empty_like(purse)
        moved = np.empty_like(purse)
        purse[0::2] = rows["account"] + self.accounts * (rows["side"] == 1)
        purse[1::2] = rows["a"] + self.accounts * (rows["side"] == 2)
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
        account = rows["account"]
        self.size[account], self.cost[account], self.position_margin[account] = rows["a"], rows["b"], rows["c"]
        self.leverage[account], self.mode[account] = rows["d"], rows["side"]

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
        accounts = events["account"][chosen]
        log = self.liquidations
        log.accounts += accounts.tolist()
        log.leverages += self.leverage[accounts].tolist()
        log.modes += self.mode[accounts].tolist()
        rows, whole = events[chosen], taken[chosen]
        log.longs += np.where(whole, rows["b"] > 0, rows["side"] == Side.SELL).tolist()  # a step down sells of a long
        log.partial += (~whole).tolist()
        log.steps += [self.step] * len(chosen)

    def _parcels(self, rows: Events) -> None:
        while len(self.parcel_size) <= int(rows["a"].max()):
            self.parcel_size = np.concatenate([self.parcel_size, np.zeros_like(self.parcel_size)])
            self.parcel_cost = np.concatenate([self.parcel_cost, np.zeros_like(self.parcel_cost)])
        self.parcel_size[rows["a"]], self.parcel_cost[rows["a"]] = rows["b"], rows["c"]
        self.parcel_lots += _sum_by(rows["reason"].astype(np.int64), rows["d"], len(self.parcel_lots))

    def _check(self) -> None:
        """Checks that money sums to zero, CLEARING owes what positions cost, longs equal shorts, and both books agree."""
        errors = (
            int(self.money.sum()),
            int(self.cash[Purse.CLEARING] + self.cost.sum() + self.parcel_cost.sum()),
            int(self.size.sum() + self.parcel_size.sum()),
            int(np.abs(self.money - self.summed).max()),
            int(np.abs(self.margin - self.position_margin).max()),
        )
        self.checks += 1
        self.worst_error = max(self.worst_error, *(abs(error) for error in errors))

    # --- what became of it

    @property
    def isolated(self) -> int:
        return sum(mode == Mode.ISOLATED for mode in self.liquidations.modes)

    @property
    def unwound(self) -> dict[str, int]:
        """Returns where the lots that were taken over went; the parts add up to all of them."""
        lots = {change: int(self.parcel_lots[change]) for change in ParcelChange}
        result = {
            "book_lots": lots[ParcelChange.FILLED_BY_BOOK],
            "fund_lots": lots[ParcelChange.FILLED_BY_FUND],
            "adl_lots": lots[ParcelChange.CLOSED_BY_ADL] + lots[ParcelChange.CLOSED_BY_OPPOSITE],
            "open_lots": int(np.abs(self.parcel_size).sum()),
        }
        if sum(result.values()) != lots[ParcelChange.TAKEN]:
            raise AssertionError(f"{lots[ParcelChange.TAKEN]} lots were taken over, but {result}")
        return result

    @property
    def open_interest(self) -> dict[str, int]:
        """Returns the contracts held long and short, the house's parcels included."""
        held = np.concatenate([self.size, self.parcel_size])
        return {"long_lots": int(held[held > 0].sum()), "short_lots": int(-held[held < 0].sum())}
