from collections.abc import Iterable
from typing import Any, Self, final

from typing_extensions import disjoint_base

from solvent._core.recorder import Recorder

Block = tuple[str, int, int, memoryview]

@disjoint_base
class Portable(Recorder):
    keep_from: int
    @property
    def seed(self) -> int: ...
    @property
    def command_seq(self) -> int: ...
    def fork(self, loud: bool = False) -> Self: ...
    def preview(self, records: Iterable[bytes], account: int, instrument: int, leg: int) -> tuple[Any, ...]: ...
    def image(self) -> list[Block]: ...
    def restore(self, blocks: Iterable[tuple[str, int, int, Any]], sum: int | None = None) -> int: ...

@final
class Pinned:
    def __buffer__(self, flags: int, /) -> memoryview: ...
