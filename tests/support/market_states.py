"""Changes of a market's state for drawn streams: calls that last a while, with or without an end of their own."""

from random import Random

from solvent.records import CommandType, Listing, command

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
