"""Trading fees by traded volume: maker and taker rates in tiers of 30-day volume.

Owns the volumes by account and currency: the value of fills on each of the last thirty whole days of command time. Today's
volume counts from tomorrow on, and a sub-account's fills count for its master. Owns the liquidation fee of each position whose
contract takes the account's own rate. Never moves money. Counts nothing while no instrument has fee tiers.
"""

from collections import deque
from dataclasses import dataclass, field

from solvent.schema.limits import DAY_NS, VOLUME_DAYS, VOLUME_MAX
from solvent.twin.account.ledger import Ledger, Position
from solvent.twin.contract.valuation import Contract


@dataclass(slots=True)
class Volume:
    day: int = 0
    today: int = 0
    days: deque[int] = field(default_factory=lambda: deque([0] * VOLUME_DAYS, maxlen=VOLUME_DAYS))  # oldest first

    def roll(self, day: int) -> None:
        """Moves today's volume into the whole days, and adds an empty day for each day without a fill."""
        for _ in range(min(day - self.day, VOLUME_DAYS + 1)):
            self.days.append(self.today)
            self.today = 0
        self.day = day


class Fees:
    def __init__(self, ledger: Ledger):
        self.ledger = ledger
        self.volumes: dict[tuple[int, int], Volume] = {}
        self.counts = False  # True once an instrument has fee tiers
        self.clock_ns = 0  # the kernel's clock, set before each command

    def _volume(self, account: int, currency: int) -> Volume:
        volume = self.volumes.setdefault((self.ledger.parents[account] or account, currency), Volume())
        volume.roll(self.clock_ns // DAY_NS)
        return volume

    def rates(self, account: int, contract: Contract) -> tuple[int, int]:
        """Returns (maker, taker) over RATE: the rates of the highest tier that the account's volume reaches."""
        found = contract.maker_fee_ppb, contract.taker_fee_ppb
        if contract.fee_tiers:
            traded = sum(self._volume(account, contract.currency).days)
            for volume, maker, taker in contract.fee_tiers:
                if traded >= volume:
                    found = maker, taker
        return found

    def liquidation_rate(self, p: Position) -> int:
        contract = self.ledger.contracts[p.instrument]
        return self.rates(p.account, contract)[1] if contract.own_fee else contract.liquidation_fee_ppb

    def renew(self) -> None:
        """Renews liquidation fees on a new day. Emits FEE_CHANGED for each position whose rate changed, and touches its
        account."""
        for contract, members in zip(self.ledger.contracts, self.ledger.members, strict=True):
            for p in members if contract.own_fee else []:
                rate = self.liquidation_rate(p)
                if rate != p.liquidation_fee_ppb:
                    p.liquidation_fee_ppb = rate
                    self.ledger.log.emit_fee_changed(account=p.account, instrument=p.instrument, leg=p.leg, fee_ppb=rate)
                    self.ledger.touch(p.account)

    def add(self, account: int, contract: Contract, value: int) -> None:
        """Adds a fill's value to the account's volume of today."""
        if self.counts:
            volume = self._volume(account, contract.currency)
            volume.today = min(VOLUME_MAX, volume.today + value)

    def state(self) -> list[int]:
        """Returns the volumes of every account and currency that has traded: account, currency, day, today, the days oldest
        first. All are of the clock's day: who looked at one since its last trade makes no difference."""
        for volume in self.volumes.values():
            volume.roll(self.clock_ns // DAY_NS)
        rows = [row for row in sorted(self.volumes.items()) if row[1].today or any(row[1].days)]
        return [number for key, v in rows for number in (*key, v.day, v.today, *v.days)]
