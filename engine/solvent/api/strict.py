"""Calls that raise where others answer with a code (strict=True).

Owns the form of that. Never changes what a command does.
"""

from collections.abc import Callable
from typing import Any

from solvent.schema.codes import Code, Rejected


def strictly(call: Callable[..., Any]) -> Callable[..., Any]:
    """Makes a direct call of the kernel raise Rejected where it would answer with a code."""

    def answered(*arguments: Any, **named: Any) -> Any:
        answer = call(*arguments, **named)
        if not answer:
            raise Rejected(Code(answer.code), order_id=answer.order_id)
        return answer

    return answered
