"""Fields of requests and answers: text to values and back.

Owns how a missing field looks (absent, null or "" alike), how a number is read (its own digits, never a float), and how
numbers and times are written. Never knows what a field is for.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, NoReturn, TypeVar
from urllib.parse import parse_qsl

from solvent.gateway.okx.codes import Refusal
from solvent.schema.codes import InputError
from solvent.terms.decimals import decimal, from_units, plain

__all__ = [
    "BODY_MAX", "Fields", "body_of", "flag", "ms", "need", "number", "number_text", "one_of", "page", "query_of", "text",
    "ticks_text", "trimmed_text",
    "units_text", "whole",
]  # fmt: skip

Fields = Mapping[str, Any]
BODY_MAX = 1 << 20
"""The longest body and frame that is read, in bytes."""
_TEXT_MAX = 256
_NESTED_MAX = 8
"""The levels of a body: a batch of orders with orders attached has four, and the texts in them."""
_Row = TypeVar("_Row")


def _refuse(_: str) -> NoReturn:
    raise ValueError


def body_of(data: bytes | str) -> Any:
    """Returns the JSON of a body; its numbers stay text. Raises Refusal(50002) for anything else.

    It refuses deeper nesting than requests have, too: how deep Python itself reads depends on its version.

    >>> body_of(b'[{"sz": 1e-05, "lever": 10, "reduceOnly": true}]')
    [{'sz': '1e-05', 'lever': '10', 'reduceOnly': True}]
    """
    try:
        found = json.loads(data, parse_float=str, parse_int=str, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Refusal("50002") from None
    level = [found]
    for _ in range(_NESTED_MAX):
        level = [inner for each in level if isinstance(each, dict | list) for inner in _inside(each)]
    if level:
        raise Refusal("50002")
    return found


def _inside(each: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return each.values() if isinstance(each, dict) else each


def query_of(query: str) -> dict[str, str]:
    """Returns the parameters of a query; the last one of a name counts."""
    return dict(parse_qsl(query, max_num_fields=100)) if query else {}


def text(fields: Fields, name: str, default: str = "") -> str:
    """Returns a field as text. Raises Refusal(51000) for a list, an object or an endless text."""
    value = fields.get(name)
    if value is None or value == "":
        return default
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str) or len(value) > _TEXT_MAX:
        raise Refusal("51000", name)
    return value


def need(fields: Fields, name: str) -> str:
    """Returns a field that must be there. Raises Refusal(50014)."""
    value = text(fields, name)
    if not value:
        raise Refusal("50014", name)
    return value


def one_of(fields: Fields, name: str, words: Iterable[str], default: str = "") -> str:
    """Returns a field that is one of some words. Raises Refusal(51000)."""
    value = text(fields, name, default)
    if value not in words:
        raise Refusal("51000", name)
    return value


def flag(fields: Fields, name: str) -> bool:
    """Returns a yes or no, however it is written."""
    value = text(fields, name).lower()
    if value not in ("", "true", "false"):
        raise Refusal("51000", name)
    return value == "true"


def number(fields: Fields, name: str) -> Decimal | None:
    """Returns an exact number, None if it is missing. Raises Refusal(51000) for text that is none."""
    value = text(fields, name)
    if not value:
        return None
    try:
        return decimal(value, name)
    except InputError:
        raise Refusal("51000", name) from None


def whole(fields: Fields, name: str, default: int = 0) -> int:
    """Returns a whole number from 0. Raises Refusal(51000)."""
    value = text(fields, name)
    if not value:
        return default
    if not (value.isascii() and value.isdigit() and len(value) <= 19):
        raise Refusal("51000", name)
    return int(value)


def page(fields: Fields, rows: Iterable[_Row], key: Callable[[_Row], int], most: int = 100) -> list[_Row]:
    """Returns a page of rows, which come newest first: older than `after`, newer than `before`, both exclusive.

    A limit that is too large is cut, never refused.
    """
    after, before = whole(fields, "after"), whole(fields, "before")
    limit = min(most, whole(fields, "limit", most)) or most
    found = []
    for row in rows:
        place = key(row)
        if (after and place >= after) or (before and place <= before):
            continue
        found.append(row)
        if len(found) == limit:
            break
    return found


def number_text(value: Decimal | None) -> str:
    """Writes a number, "" for none."""
    return "" if value is None else plain(value)


def trimmed_text(value: Decimal) -> str:
    """Writes a number without zeros at its end.

    >>> trimmed_text(Decimal("20.500")), trimmed_text(Decimal("100"))
    ('20.5', '100')
    """
    found = plain(value)
    return found.rstrip("0").rstrip(".") if "." in found else found


@lru_cache(100_000)
def ticks_text(count: int, step: Decimal) -> str:
    """Writes a number of ticks or lots."""
    return plain(from_units(count, step))


def units_text(count: int, unit: Decimal) -> str:
    """Writes an amount of money."""
    return plain(from_units(count, unit))


def ms(time_ns: int) -> str:
    """Writes a time in milliseconds."""
    return str(time_ns // 1_000_000)
