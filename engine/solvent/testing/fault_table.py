"""The table of faults, as data: what a client sees, and what is true at the venue meanwhile.

Owns the rows and their order. `faults` does what concerns a message, `strikes` what concerns the market. The page
docs/reference/faults.md shows the rows; a test holds them against each other.
"""

from dataclasses import dataclass
from enum import Enum

from solvent.schema.codes import InputError, shown

__all__ = ["ROWS", "Fault", "Where", "row", "table"]

HOUR_NS = 3_600 * 10**9


class Where(Enum):
    """Says at which point of a message's way a fault strikes, and so what can be true at the venue."""

    BEFORE = "request"  # before a request has an effect
    AFTER = "answer"  # when it has had its effect
    PUSH = "push"  # a message of a channel
    MARKET = "market"  # nothing on the wire: the market itself


PLACING = "orders that are placed"
BATCHES = "batches of orders"
SIGNED = "signed requests"
ALL = "all requests"
BOOKS = "books"
PRIVATE = "orders, positions, account"
ANY = "any channel"
BOT = "a client's position"


@dataclass(frozen=True, slots=True)
class Fault:
    """Describes one row.

    on: which messages it may strike. sees: what the client sees. truth: what is true at the venue. wait_ns: how long a message
    is held back. span_ns: for how long of the market's time it goes on once it has struck; 0 strikes one message.
    """

    name: str
    where: Where
    on: str
    sees: str
    truth: str
    wait_ns: int = 0
    span_ns: int = 0


ROWS = (
    Fault("answered_503", Where.AFTER, PLACING, "HTTP 503 without a body", "the order was accepted"),
    Fault("dropped_before", Where.BEFORE, PLACING, "the connection closes without an answer", "nothing happened"),
    Fault("dropped_after", Where.AFTER, PLACING, "the connection closes without an answer", "the order was accepted"),
    Fault("slow_1s", Where.AFTER, PLACING, "success, more than 1 s late", "the order was accepted at once", 1_200_000_000),
    Fault("slow_5s", Where.AFTER, PLACING, "success, more than 5 s late", "the order was accepted at once", 5_200_000_000),
    Fault("partial_batch", Where.BEFORE, BATCHES, "code 2: the last row is refused", "all orders but the last were accepted"),
    Fault("rate_limit", Where.BEFORE, SIGNED, "HTTP 429 with code 50011", "nothing happened"),
    Fault(
        "clock_drift", Where.BEFORE, SIGNED, "code 50102 until the client has asked public/time, which is 45 s ahead",
        "nothing happened",
    ),
    Fault(
        "maintenance", Where.BEFORE, ALL, "HTTP 503 with code 50001, for two hours of the market",
        "prices move on; orders and stops that rest do their work", span_ns=2 * HOUR_NS,
    ),
    Fault(
        "outage_51001", Where.BEFORE, SIGNED, "code 51001, as if the instrument were gone, for three hours of the market",
        "the instrument trades on; orders and stops that rest do their work", span_ns=3 * HOUR_NS,
    ),
    Fault(
        "closure_notice", Where.PUSH, ANY, "event notice with code 64008; the next message closes the connection",
        "orders and positions stay; what would have been pushed happened",
    ),
    Fault("sequence_gap", Where.PUSH, BOOKS, "an update is missing: prevSeqId is not the last seqId", "the book has moved"),
    Fault(
        "checksum_error", Where.PUSH, BOOKS, "an update without one of its levels, which its checksum does not fit",
        "the book is as the checksum says",
    ),
    Fault("duplicate_push", Where.PUSH, PRIVATE, "the same message twice", "it happened once"),
    Fault(
        "stale_mark", Where.MARKET, "mark and index", "the mark stands still while the book moves",
        "margin and triggers go by the mark that stands", span_ns=10 * 60 * 10**9,
    ),
    Fault(
        "forced_liquidation", Where.MARKET, BOT, "its orders are cancelled, an order of category full_liquidation closes it",
        "the mark went beyond its liquidation price for a moment",
    ),
    Fault(
        "adl", Where.MARKET, BOT, "an order of category adl closes its position, with a profit",
        "somebody else is bankrupt, the fund is empty, and it ranks first",
    ),
)  # fmt: skip


def row(name: str) -> Fault:
    """Returns the row of a name. Raises InputError for another one."""
    for each in ROWS:
        if each.name == name:
            return each
    raise InputError(f"no fault {shown(name)}; there are {', '.join(each.name for each in ROWS)}")


def table() -> str:
    """Returns the rows as a table in Markdown."""
    lines = ["| fault | strikes | the client sees | true at the venue |", "|---|---|---|---|"]
    lines += [f"| {each.name} | {each.where.value}: {each.on} | {each.sees} | {each.truth} |" for each in ROWS]
    return "\n".join(lines)
