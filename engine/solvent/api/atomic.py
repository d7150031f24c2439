"""Atomic batches: several calls that are applied all, or none.

Owns the answer, and the way from calls to the records of a batch. Never decides what is refused: a kernel does. Never asks the
exchange anything that an earlier call of the same batch could change.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Generic, TypeVar

from solvent.schema.codes import HINTS, Code, InputError, Rejected
from solvent.schema.limits import BATCH_MAX

__all__ = ["CALLS", "Asking", "Atomic", "member_calls"]

_Ack = TypeVar("_Ack")
CALLS = (
    "order", "amend", "cancel", "cancel_all", "cancel_after", "disconnect", "set_leverage", "set_position_mode", "move_margin",
    "deposit", "withdraw", "transfer", "seed_fund", "mark", "index", "source", "set_last", "settle_funding",
)  # fmt: skip
"""The calls that a batch takes."""


class Asking:
    """Stands for a kernel in a face whose calls are wanted as records: reads go to the kernel, commands to nobody."""

    last = 0, 0, 0

    def __init__(self, kernel: Any):
        self.kernel = kernel
        self.records: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.kernel, name)

    def apply(self, record: bytes) -> Code:
        """Keeps a record."""
        self.records.append(record)
        return Code.OK


class Atomic(Generic[_Ack]):
    """Answers `atomic`; true if all calls were applied.

    code: OK, or what refuses the batch. refused: the place of the first call that would be refused, from 0; None if all were
    applied. acks: an Ack for each call, in turn; none if the batch was refused. seq: the number of the batch's BEGIN event.
    """

    __slots__ = ("acks", "code", "refused", "seq")

    def __init__(self, code: Code, place: int, acks: list[_Ack], seq: int):
        self.code, self.acks, self.seq = code, acks, seq
        self.refused = place if code else None

    def __bool__(self) -> bool:
        return self.code == Code.OK

    def ok(self) -> "Atomic[_Ack]":
        """Returns the answer itself. Raises Rejected if the batch was refused."""
        if self.code != Code.OK:
            error = Rejected(self.code)
            error.add_note(f"solvent: it refuses call {self.refused} of the batch, so none of its calls was applied")
            raise error
        return self

    @property
    def hint(self) -> str:
        """Returns the meaning of the code, and what to do about it."""
        return HINTS[self.code]

    def __repr__(self) -> str:
        return f"Atomic({self.code.name}, refused={self.refused})" if self.code else f"Atomic(OK, {len(self.acks)} calls)"


def member_calls(
    kernel: Any, on: Callable[[Asking], Any], calls: Sequence[tuple[str, Mapping[str, Any]]]
) -> tuple[list[bytes], list[Decimal]]:
    """Returns the records of calls, and the lot in which each is answered. Raises InputError for a call that needs more than
    one command, or depends on what an earlier one does."""
    if not 1 <= len(calls) <= BATCH_MAX:
        raise InputError(f"an atomic batch has 1 to {BATCH_MAX} calls, not {len(calls)}")
    asking = Asking(kernel)
    face, lots = on(asking), []
    placed: set[tuple[object, object]] = set()
    for name, arguments in calls:
        who = arguments.get("account"), arguments.get("client_id")
        remaining = arguments.get("remaining", arguments.get("remaining_lots"))
        if name == "amend" and (remaining is not None or who in placed):
            raise InputError("within a batch say the size of an amended order, and amend none that the same batch places")
        if name == "set_leverage" and arguments.get("mode") is None:
            raise InputError("within a batch say the mode of a position: an earlier call may change it")
        if name == "order" and arguments.get("client_id"):
            placed.add(who)
        lots.append(getattr(getattr(face, name)(**arguments), "_lot", Decimal(1)))
        if len(asking.records) != len(lots):
            raise InputError(f"{name} would take more than one command; open the account first")
    return asking.records, lots
