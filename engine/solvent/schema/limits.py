"""Every capacity and bound, named, with its reason. The core enforces the same numbers."""

RATE = 10**9
"""Rates are integers over this: real funding rates have eight decimals and more."""

MONEY_MAX = 2**62 - 1
"""Highest money amount per account and highest value of a position, in units: sums of two stay in 64 bits."""

LEVERAGE_PARTS_MAX = 10**6
"""Leverage is a fraction over at most this: 18.18 is 909 fiftieths."""

LEVERAGE_TIMES_MAX = 10**12
"""Its numerator: products with two rates stay in 128 bits."""

COLLATERAL_MAX = 2**54
"""What one balance counts at most in another currency, in its units: many that are converted stay in 64 bits together."""

ACCOUNTS_MAX = 2**24
"""Accounts, the sixteen named ones of the house included."""

FIRST_USER = 16
"""Account ids below belong to the house: outside, clearing, fees, fund, deficit, residue, house, converter."""

INSTRUMENTS_MAX = 4_096
"""Instruments of one exchange: a loop over all of them stays short."""

ORDERS_MAX = 2**24
"""Live orders: the low 24 bits of an order id are its slot."""

SIZE_LOTS_MAX = 2**39 - 1
"""Highest size of an order and of a position: all live orders that there can be stay in 63 bits together, so that no sum of
lots wraps, of a level, a side or a book."""

CURRENCIES_MAX = 2**16
"""Currencies of one exchange: an event carries the number of one in 16 bits."""

REDUCE_ONLY_MAX = 1_000
"""Live reduce-only orders of one position: each fill of its owner may look at all of them."""

TRIGGERED_MAX = 1_000
"""Live orders of one position that have a trigger: they reserve nothing, so their number is bounded."""

CLIENT_ID_WINDOW = 65_536
"""Finished orders whose client id is still recognised as a duplicate."""

RECORDS_MAX = 255
"""Records of one command: what its header can count."""

NAME_BYTES = 64
"""An account name fits one record."""

PRICE_TICKS_MAX = 2**60 - 2
"""The book's trie takes at most ten six-bit floors; a trigger book has one tick more, where nothing is ever seen."""

TRAILING_MAX = 10_000
"""Live trailing orders of one instrument: each new extreme of a watched price looks at all of them."""

MODEL_PRICE_TICKS = 2**28
"""Highest price of an instrument whose mark is modelled: its products in FINE parts of a tick stay in 128 bits."""

DAY_NS = 86_400 * 10**9
"""A day of command time, from midnight UTC if time_ns counts from 1970."""

VOLUME_DAYS = 30
"""Whole days of volume that decide the fees."""

VOLUME_MAX = 2**57
"""Volume of a day that counts, in units: thirty of them stay in 64 bits."""

FINE = 10**6
"""Modelled prices are integers over this, per tick, and are rounded to ticks once, at the end."""

SOURCES_MAX = 32
"""Constituents of one index, both of its sets together."""

WINDOW_MAX = 4_096
"""Samples that a mean of the basis may remember."""

PREMIUMS_MAX = 32_768
"""Samples that a trailing mean of premiums may remember: eight hours of seconds fit."""

PREMIUM_BOUND = 64
"""What a premium is bounded by at most, in times of the index: dYdX's 60 times initial less maintenance rate is below it."""

YEAR_NS = 365 * DAY_NS
"""What an annualised basis is over."""

ANNUAL_MAX = 2**50
"""The highest annualised basis over 10**9, so that a mean stays in 64 bits; of a basis of 3 % in the last second."""

GROUP_MAX = 64
"""Instruments of one tier group: a takeover of all of them looks at each of them for each."""

CATCH_UP_MAX = 256
"""Funding settlements of one instrument that a jump of the clock may pass; the earlier ones are passed over."""

BOOK_ITEMS_MAX = 2**24
"""Price levels, and trie nodes, of one book; an order that would need more is refused."""
