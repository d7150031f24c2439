"""Who is deleveraged first, where many are: the core's heap and tree name whom the sort of the readable twin names."""

from collections import Counter
from random import Random

import pytest

import solvent
import solvent.reference
from solvent import Collateral, Instrument, Tier, rules
from solvent.records import CommandType, EventType, Side, Tif, command, decode, extension

FIRST, HOME, RICH = 16, 50_000, 16  # the first account; a mark in ticks; the account that trades with all
TIERS = [Tier(1_000, "0.004", "0.008"), Tier(10**6, "0.005", "0.01")]


class Pair:
    """One venue on both kernels: each command is applied to both, and their events are equal."""

    def __init__(self, instruments: int, accounts: int, units: int, backed: bool = False):
        listed = [Instrument(f"I{i}", tick=1, contract_size="0.01", tiers=TIERS) for i in range(instruments)]
        collateral = [Collateral("ETH", of="USDT", price="I0", haircut="0.1", decimals=4)] if backed else []
        terms = {"rules": rules.find("seed"), "collateral": collateral, "retain": False}
        self.exchanges = [kind(listed, **terms) for kind in (solvent.Exchange, solvent.reference.Exchange)]
        self.kernels = [ex._kernel for ex in self.exchanges]
        self.accounts = range(FIRST, FIRST + accounts)
        for ex in self.exchanges:
            for account in self.accounts:
                ex.open_account(f"a{account}")
        for account in self.accounts:
            self.tell(CommandType.DEPOSIT, account=account, amount=units if account != RICH else 10**15)
        for instrument in range(instruments):
            self.tell(CommandType.MARK, instrument=instrument, price_ticks=HOME)

    def tell(self, kind: CommandType, leg: int = 0, **terms: int) -> bytes:
        record = command(kind, records=1 + bool(leg), **terms) + (extension(hedge_side=leg) if leg else b"")
        begins = [kernel.next_seq for kernel in self.kernels]
        codes = [kernel.apply(record) for kernel in self.kernels]
        ours, theirs = (bytes(k.view(begin, k.next_seq)) for k, begin in zip(self.kernels, begins, strict=True))
        assert codes == [0, 0]
        assert ours == theirs
        return ours

    def open(self, account: int, side: Side, lots: int, price: int, instrument: int = 0, leg: int = 0) -> None:
        """A position against the rich account."""
        terms = {"instrument": instrument, "price_ticks": price, "size_lots": lots}
        self.tell(CommandType.ORDER, account=RICH, side=1 - side, tif=Tif.GTC, **terms)
        self.tell(CommandType.ORDER, leg, account=account, side=side, tif=Tif.IOC, **terms)

    def mark(self, price: int, instrument: int = 0) -> list:
        return list(decode(self.tell(CommandType.MARK, instrument=instrument, price_ticks=price)))

    def leverage(self, account: int, amount: int, instrument: int = 0, mode: int = 0, leg: int = 0) -> None:
        self.tell(CommandType.SET_LEVERAGE, account=account, instrument=instrument, amount=amount, mode=mode, side=leg)

    def keep(self, account: int, cash: int) -> None:
        """Leaves an account so much cash, or what it may not withdraw."""
        has, _, _, spendable, _ = self.kernels[0].wallet(account, 0)
        self.tell(CommandType.WITHDRAW, account=account, amount=min(has - cash, spendable))


def deleveraged(events: list) -> list:
    return [event for event in events if event.type == EventType.ADL]


@pytest.mark.long
def test_thousands_of_ties_go_by_account_and_those_who_are_reduced_go_last():
    """2,000 shorts alike, and longs whose sizes are no multiples of theirs: each parcel leaves somebody with a new rank."""
    pair = Pair(1, 2_060, 10**12)
    shorts, longs = pair.accounts[1:2_001], pair.accounts[2_001:]
    for account in shorts:
        pair.open(account, Side.SELL, 10, HOME)
    for account in longs:
        pair.leverage(account, 50)
        pair.open(account, Side.BUY, 333, HOME)
        pair.keep(account, 333 * HOME * 10_000 // 40)
    for account in shorts:
        pair.keep(account, 10 * HOME * 10_000 // 10)
    named = [event.account for event in deleveraged(pair.mark(HOME * 9 // 10))]
    assert named[:2_000] == list(shorts)
    assert len(named) > 2_000  # those who were left with a part


@pytest.mark.parametrize("backed", [False, True])
def test_ranks_that_change_between_parcels_are_those_of_the_twin(seed, backed):
    """Legs, isolated and cross positions in two instruments, entered at many prices, so that many cannot bear a price."""
    random, seen = Random(f"{seed} {backed}"), Counter[str]()
    for _ in range(3):
        pair = Pair(2, 90, 10**13, backed)
        for account in pair.accounts[1:]:
            if random.random() < 0.4:
                pair.tell(CommandType.SET_POSITION_MODE, account=account, instrument=0, mode=1)
        for each in range(160):
            account = random.choice(pair.accounts[1:])
            instrument = random.randrange(2)
            price = round(HOME * (1 - each / 4_000))
            rows = [row for row in pair.kernels[0].positions(account) if row[0] == 0 and row[10]]
            leg = random.choice([1, 2]) if rows and instrument == 0 else 0
            side = (Side.BUY if leg == 1 else Side.SELL) if leg else random.choice(list(Side))
            pair.mark(price, instrument)
            if not any(row[0] == instrument and row[2] for row in pair.kernels[0].positions(account)):
                pair.leverage(account, random.choice([5, 20, 50]), instrument, random.random() < 0.3, leg)
            pair.open(account, side, random.randrange(1, 30), price, instrument, leg)
        for account in pair.accounts[1:]:
            if backed:
                pair.tell(CommandType.DEPOSIT, account=account, instrument=1, amount=random.randrange(1, 5_000))
            held = sum(abs(row[2]) for row in pair.kernels[0].positions(account) if not row[8])
            pair.keep(account, round(held * HOME * 10_000 * random.uniform(0.03, 0.2)) + 10**9)
        for price in (0.8, 0.7, 1.3):
            for instrument in range(2):
                events = deleveraged(pair.mark(round(HOME * price), instrument))
                seen += Counter(f"pass {event.adl_pass}" for event in events)
                seen["again"] += len(events) - len({event.account for event in events})
    assert seen["pass 1"] > 40 and seen["again"] > 10, seen


def test_who_cannot_bear_a_price_waits_for_the_third_pass(seed):
    """Longs of two instruments are bankrupt by one: the parcels of the other cost more than the mark, and few shorts have
    so much. Each parcel passes them over, and takes the sound ones first."""
    random, seen = Random(seed), Counter[str]()
    for _ in range(4):
        pair = Pair(2, 101, 10**13)
        for account in pair.accounts[1:]:
            for instrument in range(2):
                pair.leverage(account, 50, instrument)
        for account in pair.accounts[1:41]:
            for instrument in range(2):
                pair.open(account, Side.BUY, random.randrange(5, 20), HOME, instrument)
            pair.keep(account, random.randrange(6, 18) * HOME * 500)
        for account in pair.accounts[41:]:
            pair.open(account, Side.SELL, 10, HOME)
            pair.keep(account, random.randrange(21, 300) * HOME * 100)
        events = deleveraged(pair.mark(HOME * 6 // 10, 1))
        seen += Counter(f"pass {event.adl_pass}" for event in events if event.instrument == 0)
        passes = [event.adl_pass for event in events if event.instrument == 0]
        seen["back to the sound"] += sum(last == 3 and this == 1 for last, this in zip(passes, passes[1:], strict=False))
    assert min(seen["pass 1"], seen["pass 3"]) > 20 and seen["back to the sound"] > 0, seen
