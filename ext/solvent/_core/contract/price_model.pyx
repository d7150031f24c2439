"""Index, basis, premium, rate and mark of one instrument; the contract is in price_model.pxd."""

from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free
from libc.string cimport memset
from solvent._core.market.peaks cimport shown_ticks
from solvent._core.market.book cimport Book, book_worse
from solvent._core.market.call_price cimport is_crossed
from solvent._core.base.money cimport RATE, clamp, floor128, half_even, int128, min64, magnitude, max64
from solvent._core.base.pool cimport zeroed
from solvent._core.contract.valuation cimport Instrument, in_call, value_of
from solvent._core.base.schema cimport (
    BASIS_ANNUAL, BASIS_EMA, BASIS_MEAN, BOOK, BUY, EXTERNAL, FAIR, IMPACT, INDEX_PRICE, INDEX_WEIGHTS, INVERSE, LAST,
    LINEAR_WEIGHTS, LIVE_SOURCE, MARK_ALONE, MIDDLE, MISSING, SELL, STALE, WILD,
)

cdef enum:
    PARTS = 8          # of a mark

cdef extern from *:
    """
    #include <stdint.h>
    /* rendered: limits */
    #define SOLVENT_YEAR_NS INT64_C(31536000000000000)
    #define SOLVENT_ANNUAL_MAX INT64_C(1125899906842624)
    /* rendered: end */
    """
    int64_t YEAR_NS "SOLVENT_YEAR_NS"
    int64_t ANNUAL_MAX "SOLVENT_ANNUAL_MAX"

cdef int128 NEVER = (<int128>1) << 100


cdef int _ring_open(Ring* ring, int32_t size) except -1:
    ring.size = size
    ring.samples = <int64_t*>zeroed(size + 1, sizeof(int64_t))      # an empty ring has an address too
    if ring.samples == NULL:
        raise MemoryError
    return 0


cdef void _ring_push(Ring* ring, int64_t sample) noexcept nogil:
    if ring.count == ring.size:
        ring.sum -= ring.samples[ring.next]
    else:
        ring.count += 1
    ring.samples[ring.next] = sample
    ring.sum += sample
    ring.next += 1
    if ring.next == ring.size:
        ring.next = 0


cdef void _ring_list(Ring* ring, list out):
    """Appends the samples, oldest first."""
    cdef int32_t at = ring.next if ring.count == ring.size else 0
    cdef int32_t i
    for i in range(ring.count):
        out.append(ring.samples[at])
        at = 0 if at + 1 == ring.size else at + 1


cdef int prices_open(Prices* p, Instrument* ins, model, int64_t clock_ns) except -1:
    """Takes the terms of a model (solvent.schema.terms.ModelTerms); its time begins at the clock."""
    cdef int32_t i = 0
    # rendered: terms
    p.components = model.components
    p.sample_ns = model.sample_ns
    p.window = model.window
    p.alpha_ppb = model.alpha_ppb
    p.band_ppb = model.band_ppb
    p.stale_ns = model.stale_ns
    p.outlier_ppb = model.outlier_ppb
    p.clips = model.clips
    p.least = model.least
    p.takes_median = model.takes_median
    p.interval_ns = model.interval_ns
    p.cutoff_ns = model.cutoff_ns
    p.premium = model.premium
    p.impact = model.impact
    p.weighting = model.weighting
    p.bound_ppb = model.bound_ppb
    p.interest_ppb = model.interest_ppb
    p.lowest_ppb = model.lowest_ppb
    p.highest_ppb = model.highest_ppb
    p.cap_ppb = model.cap_ppb
    p.share_up = model.share_up
    p.share_down = model.share_down
    p.delayed = model.delayed
    p.trailing = model.trailing
    p.at_index = model.at_index
    p.margin_ppb = model.margin_ppb
    # rendered: end
    ins.funds_at_index = p.at_index
    for weight, group in model.sources:
        p.sources[i].weight = weight
        p.sources[i].group = group
        i += 1
    p.source_count = i
    ins.modelled = 1
    p.stale_at = NEVER
    p.sampled = <int64_t>floor128(clock_ns, p.sample_ns)
    p.period = 1
    if p.interval_ns:
        p.period += <int64_t>floor128(clock_ns, p.interval_ns)
    _ring_open(&p.basis, p.window)
    _ring_open(&p.annual, p.window if p.components & BASIS_ANNUAL else 0)
    _ring_open(&p.premiums, p.trailing)
    return 0


cdef void prices_close(Prices* p) noexcept nogil:
    free(p.basis.samples)
    free(p.annual.samples)
    free(p.premiums.samples)


# --- Medians -------------------------------------------------------------------------------------------

cdef void _sort(int64_t* keys, int64_t* values, int32_t count) noexcept nogil:
    """Sorts few numbers, ascending, together with their values; values may be NULL."""
    cdef int32_t i, at
    cdef int64_t key, value
    for i in range(1, count):
        key = keys[i]
        value = values[i] if values != NULL else 0
        at = i
        while at > 0 and keys[at - 1] > key:
            keys[at] = keys[at - 1]
            if values != NULL:
                values[at] = values[at - 1]
            at -= 1
        keys[at] = key
        if values != NULL:
            values[at] = value


cdef int64_t _middle(int64_t* numbers, int32_t count) noexcept nogil:
    """Returns the median; for an even count the mean of the two middle numbers. Sorts them."""
    cdef int32_t at = count >> 1
    _sort(numbers, NULL, count)
    return numbers[at] if count & 1 else half_even(<int128>numbers[at - 1] + numbers[at], 2)


cdef int64_t weighted_median(Chosen* chosen) noexcept nogil:
    """Returns the price at which half of the weight is reached, or the mean of two prices if it lies between them."""
    cdef int64_t total = 0
    cdef int64_t below = 0
    cdef int32_t i
    _sort(chosen.prices, chosen.weights, chosen.count)
    for i in range(chosen.count):
        total += chosen.weights[i]
    for i in range(chosen.count):
        below += chosen.weights[i]
        if 2 * below == total:
            return half_even(<int128>chosen.prices[i] + chosen.prices[i + 1], 2)
        if 2 * below > total:
            return chosen.prices[i]
    return 0


# --- The index -----------------------------------------------------------------------------------------

cdef void prices_live(Prices* p, int64_t now_ns, int group, Chosen* chosen, uint8_t* states) noexcept nogil:
    """Chooses the live constituents of a group, and finds the states of all in it."""
    cdef int64_t sorted[SOURCES_MAX]
    cdef int64_t centre = 0
    cdef int64_t price, edge
    cdef int32_t live = 0
    cdef int32_t i
    cdef Constituent* source
    chosen.count = 0
    for i in range(p.source_count):
        source = &p.sources[i]
        if source.group != group:
            continue
        states[i] = MISSING
        if source.price != 0:
            states[i] = LIVE_SOURCE if <int128>source.time_ns + p.stale_ns >= now_ns else STALE
        if states[i] == LIVE_SOURCE:
            sorted[live] = source.price
            live += 1
    if live:
        centre = _middle(sorted, live)
    for i in range(p.source_count):
        source = &p.sources[i]
        if source.group != group or states[i] != LIVE_SOURCE:
            continue
        price = source.price
        if live >= 3 and <int128>magnitude(price - centre) * RATE > <int128>centre * p.outlier_ppb:
            states[i] = WILD
            if not p.clips:
                continue
            edge = half_even(<int128>centre * p.outlier_ppb, RATE)
            price = clamp(price, centre - edge, centre + edge)
        chosen.prices[chosen.count] = price
        chosen.weights[chosen.count] = source.weight
        chosen.count += 1


cdef void prices_stale(Prices* p) noexcept nogil:
    """Finds the time at which the first live constituent becomes stale."""
    cdef int128 at
    cdef int32_t i
    p.stale_at = NEVER
    for i in range(p.source_count):
        if p.sources[i].state == LIVE_SOURCE or p.sources[i].state == WILD:
            at = <int128>p.sources[i].time_ns + p.stale_ns + 1
            if at < p.stale_at:
                p.stale_at = at


cdef int64_t prices_index(Prices* p, Chosen* chosen) noexcept nogil:
    """Returns the index of the chosen constituents, or the previous index if they are too few."""
    cdef int128 total = 0
    cdef int64_t weight = 0
    cdef int32_t i
    if chosen.count < p.least:
        return p.index
    if p.takes_median:
        return weighted_median(chosen)
    for i in range(chosen.count):
        total += <int128>chosen.prices[i] * chosen.weights[i]
        weight += chosen.weights[i]
    return half_even(total, weight)


# --- Samples -------------------------------------------------------------------------------------------

cdef int64_t _impact_price(Prices* p, Instrument* ins, Book* book, int side, int32_t* fault) noexcept nogil:
    """Returns the average price of trading the impact amount, or 0 where the book is too thin for it."""
    cdef int32_t level = book.side[side].best
    cdef int128 value = 0
    cdef int128 lots = 0
    cdef int128 worth
    cdef int64_t price, rest
    while level >= 0:
        price = book.levels[level].price_ticks
        if ins.kind == INVERSE:
            rest = min64(book.levels[level].total_lots, p.impact - <int64_t>lots)
            lots += rest
            value += value_of(ins, rest, price, False, fault)
            if lots == p.impact:
                return half_even(<int128>p.impact * ins.units * FINE, value)
        else:
            worth = <int128>book.levels[level].total_lots * price * ins.units
            if value + worth >= p.impact:
                return half_even(<int128>p.impact * price * FINE, lots * price * ins.units + p.impact - value)
            lots += book.levels[level].total_lots
            value += worth
        level = book_worse(book, side, level)
    return 0


cdef void prices_view(Prices* p, Instrument* ins, Book* book, View* view, int32_t* fault) noexcept nogil:
    if in_call(ins) or is_crossed(book):       # it tells no price
        memset(view, 0, sizeof(View))
        return
    view.bid = shown_ticks(book, BUY)
    view.ask = shown_ticks(book, SELL)
    view.impact_bid = _impact_price(p, ins, book, BUY, fault)
    view.impact_ask = _impact_price(p, ins, book, SELL, fault)


cdef inline int64_t _mid(View* view) noexcept nogil:
    return (view.bid + view.ask) * (FINE >> 1)


cdef int64_t _premium(Prices* p, Instrument* ins, View* view) noexcept nogil:
    """Returns the premium of the book, or of the mark, over the index, as a difference of prices."""
    cdef int64_t centre = p.index
    cdef int64_t above = 0
    cdef int64_t below = 0
    if p.premium == MIDDLE:
        return _mid(view) - p.index
    if p.premium != IMPACT and ins.mark_ticks:
        centre = ins.mark_ticks * FINE
    if p.premium == MARK_ALONE:
        return centre - p.index
    if view.impact_bid:
        above = max64(0, view.impact_bid - centre)
    if view.impact_ask:
        below = max64(0, centre - view.impact_ask)
    return above - below + centre - p.index


cdef bint _shows(Prices* p, Instrument* ins, bint two_sided) noexcept nogil:
    """True if the model has the prices that a premium needs."""
    if p.premium == MARK_ALONE:
        return ins.mark_ticks > 0
    return two_sided or p.premium != MIDDLE


cdef void _average(Prices* p, Instrument* ins, int64_t until) noexcept nogil:
    """Adds the index at the sample instants up to `until` that lie in the window before expiry."""
    cdef int64_t opens = max64(p.sampled, <int64_t>floor128(ins.expiry_ns - ins.settle_window_ns, p.sample_ns))
    cdef int64_t n = max64(0, min64(until, <int64_t>floor128(ins.expiry_ns, p.sample_ns)) - opens)
    p.expiry_sum += <int128>p.index * n
    p.expiry_count += n


cdef int64_t prices_settlement(Prices* p, Instrument* ins) noexcept nogil:
    """Returns the settlement price of an expiring contract in ticks: the mean index over its window, or the index if none was
    sampled."""
    cdef int64_t average = half_even(p.expiry_sum, p.expiry_count) if p.expiry_count else p.index
    return clamp(half_even(average, FINE), 1, ins.max_price_ticks)


cdef void prices_sample(Prices* p, Instrument* ins, int64_t until_ns, View* view) noexcept nogil:
    """Samples the book once for every sample instant up to `until_ns`."""
    cdef int64_t until = <int64_t>floor128(until_ns, p.sample_ns)
    cdef int64_t n = until - p.sampled
    cdef bint two_sided = view.bid != 0 and view.ask != 0
    if n <= 0:
        return
    if p.index != 0 and ins.expiry_ns != 0:
        _average(p, ins, until)
    p.sampled = until
    if p.index == 0:
        return
    if two_sided:
        _take_basis(p, n, _mid(view) - p.index)
        _take_annual(p, ins, min64(n, p.annual.size), _mid(view) - p.index)
    if p.interval_ns and _shows(p, ins, two_sided):
        _take_premium(p, n, _premium(p, ins, view))


cdef void _take_basis(Prices* p, int64_t n, int64_t basis) noexcept nogil:
    cdef int64_t i, moved
    for i in range(min64(n, p.basis.size)):
        _ring_push(&p.basis, basis)
    if not p.ema_seen:
        p.ema = basis
        p.ema_seen = 1
    for i in range(n):
        moved = half_even(<int128>(basis - p.ema) * p.alpha_ppb, RATE)
        if moved == 0:
            break
        p.ema += moved


cdef void _take_annual(Prices* p, Instrument* ins, int64_t n, int64_t basis) noexcept nogil:
    """Adds the basis as a yearly rate for each of the last n instants, over that instant's time to expiry."""
    cdef int64_t rate = clamp(half_even(<int128>basis * RATE, p.index), -RATE, RATE)
    cdef int64_t left = ins.expiry_ns - (p.sampled - n) * p.sample_ns
    cdef int64_t i, annual
    for i in range(n):
        left -= p.sample_ns
        if left <= 0:
            return
        if magnitude(rate) * <int128>YEAR_NS >= <int128>ANNUAL_MAX * left:
            annual = ANNUAL_MAX if rate > 0 else -ANNUAL_MAX
        else:
            annual = half_even(<int128>rate * YEAR_NS, left)
        _ring_push(&p.annual, annual)


cdef void _take_premium(Prices* p, int64_t n, int64_t difference) noexcept nogil:
    cdef int64_t premium = clamp(half_even(<int128>difference * RATE, p.index), -p.bound_ppb, p.bound_ppb)
    cdef int64_t i, weight
    if p.trailing:
        for i in range(min64(n, p.trailing)):
            _ring_push(&p.premiums, premium)
        p.premium_sum = p.premiums.sum
        p.premium_weight = p.premiums.count
        p.premium_count = p.premiums.count
        return
    n = min64(n, <int64_t>floor128(p.interval_ns, p.sample_ns) + 1)
    weight = n
    if p.weighting == INDEX_WEIGHTS:            # the index cancels in the quotient
        p.premium_sum += <int128>difference * RATE * n
        p.premium_weight += p.index * n
        p.premium_count += n
        return
    if p.weighting == LINEAR_WEIGHTS:
        weight = n * p.premium_count + ((n * (n + 1)) >> 1)
    p.premium_sum += <int128>weight * premium
    p.premium_weight += weight
    p.premium_count += n


cdef void prices_forget(Prices* p) noexcept nogil:
    """Drops the premiums sampled so far."""
    p.premium_sum = 0
    p.premium_weight = 0
    p.premium_count = 0
    p.premiums.sum = 0
    p.premiums.count = 0
    p.premiums.next = 0


# --- Funding -------------------------------------------------------------------------------------------

cdef inline int64_t _mean(Prices* p) noexcept nogil:
    return clamp(half_even(p.premium_sum, p.premium_weight), -p.bound_ppb, p.bound_ppb) if p.premium_count else 0


cdef int64_t _rate(Prices* p) noexcept nogil:
    """Returns the funding rate by the samples so far; 0 without a sample."""
    cdef int64_t mean = _mean(p)
    cdef int64_t rate = mean + clamp(p.interest_ppb - mean, p.lowest_ppb, p.highest_ppb)
    if p.premium_count == 0:
        return 0
    return clamp(half_even(<int128>rate * p.share_up, p.share_down), -p.cap_ppb, p.cap_ppb)


cdef int64_t prices_accrued(Prices* p) noexcept nogil:
    """Returns the rate that the next settlement would charge at this moment."""
    if p.delayed:
        return p.rate
    return p.next_rate if p.fixed else _rate(p)


cdef int64_t prices_fix(Prices* p) noexcept nogil:
    """Fixes the rate of the period and returns its mean premium. Later samples belong to the next period.

    A period without a sample has rate zero.
    """
    cdef int64_t mean = _mean(p)
    p.next_rate = _rate(p)
    if not p.trailing:
        prices_forget(p)
    p.fixed = 1
    return mean


cdef int64_t prices_charge(Prices* p) noexcept nogil:
    """Returns the rate to settle now, and ends the period."""
    cdef int64_t rate = p.rate if p.delayed else p.next_rate
    p.rate = p.next_rate
    p.period += 1
    p.fixed = 0
    return rate


# --- The mark ------------------------------------------------------------------------------------------

cdef int64_t prices_fair(Prices* p, int64_t left_ns) noexcept nogil:
    if p.interval_ns == 0:
        return p.index
    return p.index + half_even(<int128>p.index * p.rate * left_ns, <int128>p.interval_ns * RATE)


cdef int64_t prices_basis(Prices* p) noexcept nogil:
    return half_even(p.basis.sum, p.basis.count) if p.basis.count else 0


cdef int64_t _annual_basis(Prices* p, Instrument* ins, int64_t now_ns) noexcept nogil:
    """Returns the basis for the time left until expiry, by the mean yearly basis."""
    cdef int64_t left = max64(0, ins.expiry_ns - now_ns)
    if p.annual.count == 0:
        return 0
    return half_even(<int128>p.index * half_even(<int128>half_even(p.annual.sum, p.annual.count) * left, YEAR_NS), RATE)


cdef inline void _add(int64_t* parts, int32_t* count, bint wanted, int64_t value) noexcept nogil:
    if wanted and value > 0:
        parts[count[0]] = value
        count[0] += 1


cdef int64_t prices_mark(Prices* p, Instrument* ins, View* view, int64_t left_ns, int64_t now_ns) noexcept nogil:
    """Returns the mark in ticks: the median of the model's available components, within the band around the index; 0: none
    yet."""
    cdef int64_t parts[PARTS]
    cdef int64_t three[3]
    cdef int64_t last = ins.last_ticks * FINE
    cdef int64_t book = 0
    cdef int64_t fine, edge
    cdef int32_t count = 0
    if p.index == 0:
        return 0
    if view.bid and view.ask and last:
        three[0], three[1], three[2] = view.bid * FINE, view.ask * FINE, last
        book = _middle(three, 3)
    _add(parts, &count, p.components & INDEX_PRICE, p.index)
    _add(parts, &count, p.components & FAIR, prices_fair(p, left_ns))
    _add(parts, &count, p.components & BASIS_MEAN, p.index + prices_basis(p))
    _add(parts, &count, p.components & BASIS_EMA, p.index + p.ema)
    _add(parts, &count, p.components & LAST, last)
    _add(parts, &count, p.components & BOOK, book)
    _add(parts, &count, p.components & EXTERNAL, p.external)
    _add(parts, &count, p.components & BASIS_ANNUAL, p.index + _annual_basis(p, ins, now_ns))
    fine = _middle(parts, count) if count else p.index
    if p.band_ppb:
        edge = half_even(<int128>p.index * p.band_ppb, RATE)
        fine = clamp(fine, p.index - edge, p.index + edge)
    return clamp(half_even(fine, FINE), 1, ins.max_price_ticks)


cdef list prices_state(Prices* p):
    """Returns every number that later prices depend on."""
    cdef int32_t i
    cdef int64_t high = <int64_t>(p.premium_sum >> 64)
    out = [p.index, p.external, p.ema, p.ema_seen, p.sampled, <int64_t>p.premium_sum, high, p.premium_weight, p.premium_count,
           p.period, p.fixed, p.next_rate, p.rate, <int64_t>p.expiry_sum, <int64_t>(p.expiry_sum >> 64), p.expiry_count]
    for i in range(p.source_count):
        out.extend((p.sources[i].price, p.sources[i].time_ns, p.sources[i].state))
    out.append(p.basis.count)
    _ring_list(&p.basis, out)
    out.append(p.annual.count)
    _ring_list(&p.annual, out)
    _ring_list(&p.premiums, out)
    return out
