"""Price models of one instrument: index, mark and funding rate as functions of told prices, the book and time.

Owns the constituents, the samples of the basis, the premiums of the running period and the rates. Never moves money and never
sets a mark: `venue/marks` does. Prices are FINE parts of a tick, rates are over RATE; every quotient is rounded half to even,
once. The book does not change between two commands, so one look serves all sample instants between them.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from solvent.schema.limits import ANNUAL_MAX, FINE, RATE, YEAR_NS
from solvent.schema.terms import ModelTerms
from solvent.schema.words import Component, Kind, Premium, SourceState, Weighting
from solvent.twin.contract.valuation import Contract, value_of


def half_even(n: int, d: int) -> int:
    """Returns n / d for d > 0, rounded to the nearest integer, a half to the even one."""
    quotient, rest = divmod(n, d)
    return quotient + (2 * rest > d or (2 * rest == d and quotient % 2 == 1))


def clamp(n: int, low: int, high: int) -> int:
    return max(low, min(high, n))


def middle(numbers: Iterable[int]) -> int:
    """Returns the median; for an even count the mean of the two middle numbers."""
    ordered = sorted(numbers)
    at = len(ordered) // 2
    return ordered[at] if len(ordered) % 2 else half_even(ordered[at - 1] + ordered[at], 2)


def weighted_median(pairs: list[tuple[int, int]]) -> int:
    """Returns the price at which half of the weight of (price, weight) pairs is reached, or the mean of two if it lies
    between."""
    ordered = sorted(pairs)
    total = sum(weight for _, weight in ordered)
    below = list(accumulate(weight for _, weight in ordered))
    at = next(i for i, weight in enumerate(below) if 2 * weight >= total)
    return half_even(ordered[at][0] + ordered[at + 1][0], 2) if 2 * below[at] == total else ordered[at][0]


@dataclass(slots=True)
class Source:
    price: int = 0
    time_ns: int = 0
    state: int = SourceState.MISSING


@dataclass(slots=True)
class View:
    """The best prices and impact prices of a book at one moment, 0 where there is none."""

    bid: int
    ask: int
    impact_bid: int
    impact_ask: int


class Prices:
    def __init__(self, contract: Contract, model: ModelTerms, clock_ns: int):
        self.contract = contract
        self.model = model
        contract.modelled = True
        contract.funds_at_index = bool(model.at_index)
        self.sources = [Source() for _ in model.sources]
        self.index = 0
        self.external = 0
        self.samples: deque[int] = deque(maxlen=model.window)
        self.annual: deque[int] = deque(maxlen=model.window)  # the basis as a rate a year
        self.ema = 0
        self.ema_seen = False
        self.sampled = clock_ns // model.sample_ns  # number of the last sample instant
        self.premium_sum = 0
        self.premium_weight = 0
        self.premium_count = 0
        self.premiums: deque[int] = deque(maxlen=model.trailing)
        self.period = 1 + (clock_ns // model.interval_ns if model.interval_ns else 0)  # the next period to settle
        self.fixed = False
        self.next_rate = 0  # the fixed rate of that period
        self.expiry_sum = 0  # sum of the index over the window before expiry
        self.expiry_count = 0
        self.rate = 0  # in force: the last rate charged, or the next one if rates are delayed

    # --- the index

    def live(self, now_ns: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]], list[int]]:
        """Returns (price, weight) of the live constituents of the index and of the external set, and the states of all."""
        states = []
        for source in self.sources:
            heard = SourceState.LIVE_SOURCE if source.time_ns + self.model.stale_ns >= now_ns else SourceState.STALE
            states.append(heard if source.price else SourceState.MISSING)
        chosen: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
        for group in (0, 1):
            members = [
                i for i, (_, of) in enumerate(self.model.sources) if of == group and states[i] == SourceState.LIVE_SOURCE
            ]  # fmt: skip
            centre = middle(self.sources[i].price for i in members) if members else 0
            for i in members:
                price = self.sources[i].price
                if len(members) >= 3 and abs(price - centre) * RATE > centre * self.model.outlier_ppb:
                    states[i] = SourceState.WILD
                    if not self.model.clips:
                        continue
                    edge = half_even(centre * self.model.outlier_ppb, RATE)
                    price = clamp(price, centre - edge, centre + edge)
                chosen[group].append((price, self.model.sources[i][0]))
        return chosen[0], chosen[1], [int(state) for state in states]

    def index_of(self, chosen: list[tuple[int, int]]) -> int:
        """Returns the index of the chosen constituents, or the previous index if they are too few."""
        if len(chosen) < self.model.least:
            return self.index
        if self.model.takes_median:
            return weighted_median(chosen)
        return half_even(sum(price * weight for price, weight in chosen), sum(weight for _, weight in chosen))

    def stale_at(self) -> int | None:
        """Returns the time at which the first live constituent becomes stale, or None."""
        heard = (SourceState.LIVE_SOURCE, SourceState.WILD)
        return min((each.time_ns + self.model.stale_ns + 1 for each in self.sources if each.state in heard), default=None)

    # --- samples

    def impact_price(self, levels: Iterable[tuple[int, int]]) -> int:
        """Returns the average price of trading the impact amount, or 0 where the book is too thin for it."""
        contract, amount = self.contract, self.model.impact
        lots = value = 0
        for price, size in levels:
            if contract.kind == Kind.INVERSE:
                rest = min(size, amount - lots)
                lots, value = lots + rest, value + value_of(contract, rest, price)
                if lots == amount:
                    return half_even(amount * contract.units * FINE, value)
            elif value + size * price * contract.units >= amount:
                return half_even(amount * price * FINE, lots * price * contract.units + amount - value)
            else:
                lots, value = lots + size, value + size * price * contract.units
        return 0

    def premium(self, view: View) -> int:
        """Returns the premium of the book, or of the mark, over the index, as a difference of prices."""
        mid, centre = (view.bid + view.ask) * FINE // 2, self.index
        if self.model.premium == Premium.MIDDLE:
            return mid - self.index
        if self.model.premium != Premium.IMPACT and self.contract.mark:
            centre = self.contract.mark * FINE
        if self.model.premium == Premium.MARK_ALONE:
            return centre - self.index
        above = max(0, view.impact_bid - centre) if view.impact_bid else 0
        below = max(0, centre - view.impact_ask) if view.impact_ask else 0
        return above - below + centre - self.index

    def sample(self, until_ns: int, view: View) -> None:
        """Samples the book once for every sample instant up to `until_ns`."""
        first, self.sampled = self.sampled, max(self.sampled, until_ns // self.model.sample_ns)
        n = self.sampled - first
        if self.index and self.contract.expiry_ns:
            self._average(first)
        if n == 0 or not self.index:
            return
        two_sided = bool(view.bid and view.ask)
        if two_sided:
            self._take_basis(n, (view.bid + view.ask) * FINE // 2 - self.index)
            self._take_annual(first, (view.bid + view.ask) * FINE // 2 - self.index)
        if self.model.interval_ns and self._shows(two_sided):
            self._take_premium(n, self.premium(view))

    def _shows(self, two_sided: bool) -> bool:
        """True if the model has the prices that a premium needs."""
        if self.model.premium == Premium.MARK_ALONE:
            return self.contract.mark > 0
        return two_sided or self.model.premium != Premium.MIDDLE

    def _take_basis(self, n: int, basis: int) -> None:
        self.samples.extend([basis] * min(n, self.model.window))
        if not self.ema_seen:
            self.ema, self.ema_seen = basis, True
        for _ in range(n):
            moved = half_even((basis - self.ema) * self.model.alpha_ppb, RATE)
            if moved == 0:
                break
            self.ema += moved

    def _take_annual(self, first: int, basis: int) -> None:
        """Adds the basis as a yearly rate for each instant after `first`, over that instant's time to expiry."""
        rate = clamp(half_even(basis * RATE, self.index), -RATE, RATE)
        wanted = self.model.components & Component.BASIS_ANNUAL
        for instant in range(max(first, self.sampled - self.model.window) + 1, self.sampled + 1) if wanted else ():
            left = self.contract.expiry_ns - instant * self.model.sample_ns
            if left > 0:
                self.annual.append(clamp(half_even(rate * YEAR_NS, left), -ANNUAL_MAX, ANNUAL_MAX))

    def _take_premium(self, n: int, difference: int) -> None:
        bound = self.model.bound_ppb
        premium = clamp(half_even(difference * RATE, self.index), -bound, bound)
        if self.model.trailing:
            self.premiums.extend([premium] * min(n, self.model.trailing))
            self.premium_sum, self.premium_weight = sum(self.premiums), len(self.premiums)
            self.premium_count = self.premium_weight
            return
        n, count = min(n, self.model.interval_ns // self.model.sample_ns + 1), self.premium_count
        self.premium_count += n
        if self.model.weighting == Weighting.INDEX_WEIGHTS:  # the index cancels in the quotient
            self.premium_sum += difference * RATE * n
            self.premium_weight += self.index * n
            return
        weight = n * count + n * (n + 1) // 2 if self.model.weighting == Weighting.LINEAR_WEIGHTS else n
        self.premium_sum += premium * weight
        self.premium_weight += weight

    def forget_premiums(self) -> None:
        """Drops the premiums sampled so far."""
        self.premium_sum = self.premium_weight = self.premium_count = 0
        self.premiums.clear()

    def _average(self, first: int) -> None:
        """Adds the index at the sample instants after `first` that lie in the window before expiry."""
        contract, step = self.contract, self.model.sample_ns
        opens = max(first, (contract.expiry_ns - contract.settle_window_ns) // step)
        n = max(0, min(self.sampled, contract.expiry_ns // step) - opens)
        self.expiry_sum += self.index * n
        self.expiry_count += n

    def settlement_ticks(self) -> int:
        """Returns the settlement price of an expiring contract: the mean index over its window, or the index if none was
        sampled."""
        average = half_even(self.expiry_sum, self.expiry_count) if self.expiry_count else self.index
        return clamp(half_even(average, FINE), 1, self.contract.max_price_ticks)

    # --- funding

    def fix(self) -> tuple[int, int]:
        """Fixes the rate of the period and returns (premium, samples). Later samples belong to the next period.

        A period without a sample has rate zero.
        """
        mean, samples = self._mean(), self.premium_count
        self.next_rate = self._rate()
        if not self.model.trailing:
            self.forget_premiums()
        self.fixed = True
        return mean, samples

    def _mean(self) -> int:
        bound = self.model.bound_ppb
        return clamp(half_even(self.premium_sum, self.premium_weight), -bound, bound) if self.premium_count else 0

    def _rate(self) -> int:
        """Returns the funding rate by the samples so far; 0 without a sample."""
        if not self.premium_count:
            return 0
        model, mean = self.model, self._mean()
        rate = mean + clamp(model.interest_ppb - mean, model.lowest_ppb, model.highest_ppb)
        return clamp(half_even(rate * model.share_up, model.share_down), -model.cap_ppb, model.cap_ppb)

    def accrued(self) -> int:
        """Returns the rate that the next settlement would charge at this moment."""
        if self.model.delayed:
            return self.rate
        return self.next_rate if self.fixed else self._rate()

    def charge(self) -> int:
        """Returns the rate to settle now, and ends the period."""
        rate = self.rate if self.model.delayed else self.next_rate
        self.rate, self.period, self.fixed = self.next_rate, self.period + 1, False
        return rate

    # --- the mark

    def fair(self, left_ns: int) -> int:
        interval = self.model.interval_ns
        return self.index + half_even(self.index * self.rate * left_ns, RATE * interval) if interval else self.index

    def basis(self) -> int:
        return half_even(sum(self.samples), len(self.samples)) if self.samples else 0

    def annual_basis(self, now_ns: int) -> int:
        """Returns the basis for the time left until expiry, by the mean yearly basis."""
        if not self.annual:
            return 0
        mean, left = half_even(sum(self.annual), len(self.annual)), max(0, self.contract.expiry_ns - now_ns)
        return half_even(self.index * half_even(mean * left, YEAR_NS), RATE)

    def mark(self, view: View, left_ns: int, now_ns: int) -> int:
        """Returns the mark in ticks: the median of the model's available components, within the band around the index."""
        if not self.index:
            return 0
        last, wanted = self.contract.last * FINE, self.model.components
        book = middle([view.bid * FINE, view.ask * FINE, last]) if view.bid and view.ask and last else 0
        values = {
            Component.INDEX_PRICE: self.index, Component.FAIR: self.fair(left_ns),
            Component.BASIS_MEAN: self.index + self.basis(), Component.BASIS_EMA: self.index + self.ema,
            Component.LAST: last, Component.BOOK: book, Component.EXTERNAL: self.external,
            Component.BASIS_ANNUAL: self.index + self.annual_basis(now_ns),
        }  # fmt: skip
        found = [value for component, value in values.items() if wanted & component and value > 0]
        fine = middle(found) if found else self.index
        if self.model.band_ppb:
            edge = half_even(self.index * self.model.band_ppb, RATE)
            fine = clamp(fine, self.index - edge, self.index + edge)
        return clamp(half_even(fine, FINE), 1, self.contract.max_price_ticks)

    def state(self) -> list[int]:
        """Returns every number that later prices depend on."""
        out = [self.index, self.external, self.ema, int(self.ema_seen), self.sampled]
        out += [self.premium_sum, self.premium_sum >> 64, self.premium_weight, self.premium_count]
        out += [self.period, int(self.fixed), self.next_rate, self.rate]
        out += [self.expiry_sum, self.expiry_sum >> 64, self.expiry_count]
        for source in self.sources:
            out += [source.price, source.time_ns, source.state]
        return [*out, len(self.samples), *self.samples, len(self.annual), *self.annual, *self.premiums]
