"""The words of a bracket: a target and a stop, as a user names them.

Owns their translation into the record of a bracket. Never sends anything.
"""

from collections.abc import Callable
from typing import Any

from solvent.schema.codes import InputError
from solvent.schema.commands import bracket
from solvent.schema.words import Arm, TriggerKind
from solvent.terms.decimals import Dec
from solvent.terms.order_words import SOURCES, Trigger, word, wrong_type

ARMS = {"incremental": Arm.AS_FILLED, "complete": Arm.WHEN_COMPLETE, "first": Arm.AT_FIRST_FILL}
Exit = Dec | Trigger | tuple[Trigger, Dec]
"""A price, a trigger, or a trigger with the limit of the order that it wakes."""


def _child(value: Any, what: str, kind: TriggerKind, ticks: Callable[[object, str], int]) -> dict[str, int]:
    """Returns the fields of one child. A price alone is the limit of a target, and the trigger of a stop."""
    name = "target" if kind == TriggerKind.TAKE_PROFIT else "stop"
    if value is None:
        return {}
    trigger, limit = value if isinstance(value, tuple) and len(value) == 2 else (value, None)
    if not isinstance(trigger, Trigger):
        if limit is not None:
            raise wrong_type(what, value, "a price, a Trigger, or a pair of a Trigger and a limit price")
        return {f"{name}_ticks" if name == "target" else f"{name}_trigger_ticks": ticks(trigger, what) or -1}
    if trigger.kind != kind or trigger.if_reached != "fire":
        raise InputError(f"{what} takes a Trigger.{kind.name.lower()}(price, by=...), which fires if it is reached")
    return {
        f"{name}_trigger_ticks": ticks(trigger.price, what) or -1, f"{name}_source": word(SOURCES, trigger.by, "by"),
        f"{name}_ticks": 0 if limit is None else ticks(limit, what) or -1,
    }  # fmt: skip


def exits(take_profit: Exit | None, stop_loss: Exit | None, arm: str, ticks: Callable[[object, str], int]) -> bytes:
    """Returns the record of a bracket, nothing where neither child is named. Raises InputError for an arm alone."""
    armed = word(ARMS, arm, "arm")
    fields = _child(take_profit, "take_profit", TriggerKind.TAKE_PROFIT, ticks)
    fields |= _child(stop_loss, "stop_loss", TriggerKind.STOP, ticks)
    if not fields:
        if armed:
            raise InputError("arm tells when take_profit and stop_loss stand; name one of them")
        return b""
    return bracket(**fields, arm=armed)
