from typing import final

from typing_extensions import Buffer

from solvent._core.base.event_view import EventView
from solvent._core.image import Portable

@final
class Answer:
    code: int
    order_id: int
    filled_lots: int
    resting_lots: int
    def __bool__(self) -> bool: ...

@final
class Kernel(Portable):
    def apply(self, record: Buffer) -> int: ...
    def run(self, records: Buffer) -> bytearray | bytes: ...
    def submit(
        self,
        account: int,
        side: int,
        price_ticks: int,
        size_lots: int,
        tif: int = 0,
        flags: int = 0,
        client_id: int = 0,
        instrument: int = 0,
    ) -> Answer: ...
    def revoke(self, account: int, order_id: int) -> Answer: ...
    @property
    def last(self) -> tuple[int, int, int]: ...
    @property
    def halted(self) -> bool: ...
    @property
    def first_seq(self) -> int: ...
    @property
    def next_seq(self) -> int: ...
    def view(self, first: int, end: int) -> EventView: ...
