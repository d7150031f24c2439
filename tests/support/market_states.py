"""Market states in tests: changes of state for drawn streams, how a call is filled, and what it led to."""

from random import Random

from solvent import Calls
from solvent.records import CommandType, Listing, command, decode

STAYS = (Listing.TRADING, Listing.HALTED, Listing.ONLY_POST, Listing.ONLY_CANCEL)


def change_of_state(r: Random, time_ns: int, instrument: int) -> bytes:
    """Mostly into a call or back into continuous trading; now and then for good, or what is refused."""
    listing = r.choice([Listing.TRADING] * 8 + [Listing.AUCTION] * 6 + [Listing.PRE_OPEN] * 3 + [*STAYS, *STAYS, 9])
    terms = {"time_ns": time_ns, "instrument": instrument, "listing": listing}
    if listing == Listing.AUCTION and r.random() < 0.5:
        terms["ends_ns"] = time_ns + r.choice([0, 1, 500, 10**9, 10**9])
        terms["then_listing"] = r.choice([Listing.TRADING, *STAYS])
    if r.random() < 0.02:
        terms |= {"listing": Listing.CLOSED, "price_ticks": r.choice([0, 0, 40_000])}
    if r.random() < 0.02:
        terms["price_ticks"] = r.choice([1, -1])
    return command(CommandType.SET_STATE, **terms)


def drawn_calls(r: Random) -> Calls | None:
    """Terms of calls and of the band; of half of the instruments none."""
    if r.random() < 0.5:
        return None
    extends = r.random() < 0.5
    band = r.choice(["reject", "slide", "halt", "auction", "auction"])
    return Calls(
        tie=r.choice(["pressure", "nearest", "mid"]), reference=r.choice(["mark", "last", "index"]),
        fee=r.choice(["taker", "maker"]), indications=r.random() < 0.8, freeze_ns=r.choice([0, 0, 500, 10**9]),
        range=r.choice(["0.0001", "0.002"]) if extends else 0, extension_ns=r.choice([300, 10**9]) if extends else 0,
        most_extensions=r.choice([0, 1, 2]), then=r.choice(["uncross", "halt"]) if extends else "uncross", band=band,
        call_ns=r.choice([1, 700, 10**9]) if band == "auction" else 0,
        liquidation=r.choice(["immediate", "immediate", "deferred"]),
    )  # fmt: skip


def gather(ex, bids, asks, names="abcdefgh"):
    """Bids and asks as (size, price), each of another account."""
    who = iter(names)
    orders = [ex.order(next(who), "X", "buy", size, price=price).ok() for size, price in bids]
    return orders + [ex.order(next(who), "X", "sell", size, price=price).ok() for size, price in asks]


def of(ack, kind):
    return [e for e in ack.events if e.type == kind]


def passed(ex, time_ns):
    """The events of passing time."""
    begin = ex._kernel.next_seq
    ex.advance(time_ns)
    return list(decode(bytes(ex._kernel.view(begin, ex._kernel.next_seq))))
