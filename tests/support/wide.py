"""What the drawn stream asks of orders besides money, where its shape is wide: other commands, and further terms of orders.

Owns these choices; they come from numbers of their own (`generator.more`), so a stream that is not wide is as it was.
"""

from decimal import Decimal
from random import Random

from solvent import OrderLimits
from solvent.records import NO_INSTRUMENT, NOBODY, CommandType, Flag, command, extension
from solvent.schema.layouts import layout
from solvent.schema.words import AdlRank
from support.linked_orders import attached

SHARE = 0.05  # of the commands
TAGS = [0, 1, 1, 2, 2**16 - 1]
_TAG = layout("extension")["tag"][0]


def rare(g, kernel) -> bytes | None:
    """One of the commands that only a wide stream has, or None."""
    r = g.more
    if g.linking and g.linking.random() < SHARE and (pair := attached(g, kernel)):
        return pair
    if r.random() >= SHARE:
        return None
    return r.choice([_last, _last, _timer, _timer, _disconnect])(g, kernel)


def _last(g, kernel) -> bytes:
    return g._mark(kernel, g.more.randrange(len(g.instruments)), CommandType.SET_LAST)


def _account(g) -> int:
    return g.more.randrange(16, 16 + g.accounts)


def _timer(g, _) -> bytes:
    r = g.more
    return command(
        CommandType.TIMER, time_ns=g.time_ns, account=_account(g), tag=r.choice(TAGS), spares=r.choice([0, 0, 0, 2, 1]),
        instrument=r.choice([NO_INSTRUMENT, r.randrange(len(g.instruments))]),
        timeout_ns=r.choice([0, 1, 10**3, 10**6, 10**9, 2**63 - 1]),
    )  # fmt: skip


def _disconnect(g, _) -> bytes:
    return command(
        CommandType.DISCONNECT, time_ns=g.time_ns, account=g.more.choice([_account(g), NOBODY]), tag=g.more.choice(TAGS)
    )  # fmt: skip


def tagged(g, terms: dict[str, int], second: bytes) -> bytes:
    """Gives some orders a tag; `second` is what there is of further terms."""
    if g.more.random() < 0.7:
        return second
    record = bytearray(second or extension())
    record[_TAG : _TAG + 2] = g.more.choice(TAGS).to_bytes(2, "little")
    terms["flags"] |= Flag.LINKED if g.more.random() < 0.9 else 0
    return bytes(record)


def policies(r: Random) -> dict[str, str | bool | int]:
    """Who is deleveraged, at which price, and how much: words of a rule set, the usual ones in half of the draws."""
    if r.random() < 0.5:
        return {}
    return {
        "adl_rank": r.choice([each.name[3:].lower() for each in AdlRank]),
        "adl_price": r.choice(["bankruptcy", "mark", "previous", "capped"]),
        "adl_share": r.choice(["queue", "pro_rata", "minmax"]), "adl_winners_first": r.random() < 0.3,
        **_trigger(r), **_surplus(r), **_partial(r),
    }  # fmt: skip


def _trigger(r: Random) -> dict[str, str | int]:
    """When ADL begins: mostly once the fund is empty."""
    fall = {"drawdown_ppb": r.choice([1, 3 * 10**8, 10**9]), "drawdown_window_ns": r.choice([1, 10**9, 8 * 3_600 * 10**9])}
    return r.choice([{}, {}, {"adl_trigger": "always"}, {"adl_trigger": "drawdown", **fall}])


def _partial(r: Random) -> dict[str, str | int]:
    """How many lots are closed in the trader's name, and when the house takes the rest."""
    below = r.choice([(2, 3), (0, 1), (99, 100)])
    taken = {"takeover_times": below[0], "takeover_parts": below[1]}
    cure = {"partial": "cure", "cure_buffer_ppb": r.choice([0, 10**8]), **taken}
    fraction = {
        "partial": "fraction", "partial_share_ppb": r.choice([2 * 10**8, 10**9]), "partial_above_units": r.choice([0, 10**9]),
        "partial_cooldown_ns": r.choice([0, 10**6, 30 * 10**9]), **taken,
    }  # fmt: skip
    return r.choice([{}, {}, {"fee_at": "mark", **cure}, {"fee_at": "mark", **fraction}])


def _surplus(r: Random) -> dict[str, str | int]:
    """Who gets what the book pays for a parcel beyond its cost; a fee of it that is often too much."""
    return r.choice([{}, {"surplus": "trader"}, {"surplus": "trader", "surplus_fee_ppb": r.choice([1, 10**7, 10**8])}])


def limits(r: Random, kind: str) -> OrderLimits | None:
    """Most instruments limit orders: by value (a contract is worth 500 USDT or 0.01 BTC), size, number."""
    if r.random() < 0.3:
        return None
    worth, messages = Decimal("0.01") if kind == "inverse" else Decimal(500), r.choice([0, 0, 2, 6])
    bounds = [(None, None), (None, None), (2, None), (None, 9)]
    sizes = {f"{each}_size": r.choice(bounds) for each in ("limit", "market", "trigger")}
    return OrderLimits(
        least_notional=worth * r.choice([0, 0, 1, 2, 5]), **sizes, open_orders=r.choice([0, 0, 1, 4]), messages=messages,
        window_ns=r.choice([100, 10**6, 10**9]) if messages else 0, rolling=bool(messages) and r.random() < 0.5,
    )  # fmt: skip
