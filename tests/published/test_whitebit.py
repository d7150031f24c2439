"""WhiteBIT: the weighted average of premiums."""

from solvent import EventType, Funding, PriceModel
from support.models import build, passing
from support.published import SECOND, X


def test_the_average_of_whitebit(strict_exchange):
    """WhiteBIT help, funding rate: premiums of .0001, .004, .008 and -.0001 with weights 1 to 4, a minute each: .00317.

    Without a clamp that is the rate. Impact bids of 10,001, 10,040, 10,080, then an ask of 9,999, of an index of 10,000.
    """
    minute = 60 * SECOND
    funding = Funding(interval_ns=4 * minute, impact=100, weights="linear", clamp=0, interest=0)
    ex = build(strict_exchange, PriceModel(components=["index"], sample_ns=minute, funding=funding))
    ex.index(X, 10_000)
    for k, (side, price) in enumerate((("buy", 10_001), ("buy", 10_040), ("buy", 10_080), ("sell", 9_999)), 1):
        ex.order("maker", X, side, 100, price=price).ok()
        events = passing(ex, k * minute)
        ex.cancel_all("maker")
    (event,) = [e for e in events if e.type == EventType.RATED]
    assert (event.samples, event.premium_ppb, event.rate_ppb) == (4, 3_170_000, 3_170_000)
