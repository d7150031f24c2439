"""Every capacity and bound, named, with its reason. The core enforces the same numbers."""

RATE = 10**9
"""Rates are integers over this: real funding rates have eight decimals and more."""

MONEY_MAX = 2**62 - 1
"""Highest money amount per account and highest value of a position, in units: a sum of two fits in 64 bits."""

LEVERAGE_PARTS_MAX = 10**6
"""Highest denominator of a leverage: 18.18 is 909 / 50."""

LEVERAGE_TIMES_MAX = 10**12
"""Highest numerator of a leverage: products with two rates fit in 128 bits."""

COLLATERAL_MAX = 2**54
"""Highest amount that one balance counts in another currency, in units: the sum of many converted balances fits in 64 bits."""

ACCOUNTS_MAX = 2**24
"""Accounts of one exchange, the sixteen ids of the house included."""

FIRST_USER = 16
"""Account ids below belong to the house: outside, clearing, fees, fund, deficit, residue, house, converter."""

INSTRUMENTS_MAX = 4_096
"""Instruments of one exchange: a loop over all of them stays short."""

ORDERS_MAX = 2**24
"""Live orders: the low 24 bits of an order id are its slot."""

SIZE_LOTS_MAX = 2**39 - 1
"""Highest size of an order and of a position: the sum of all possible live orders fits in 63 bits. No sum of lots wraps,
neither of a level nor of a side nor of a book.
"""

CURRENCIES_MAX = 2**16
"""Currencies of one exchange: an event carries the number of one in 16 bits."""

REDUCE_ONLY_MAX = 1_000
"""Live reduce-only orders of one position: each fill of their owner may look at all of them."""

TRIGGERED_MAX = 1_000
"""Live orders of one position that have a trigger. They reserve nothing, so their number is bounded."""

TAGS_MAX = 2**16 - 1
"""Highest tag of an order: a record carries it in 16 bits."""

TIMERS_MAX = 20
"""Timers of one account: setting one looks at all of them."""

CLIENT_ID_WINDOW = 65_536
"""Finished orders whose client id is still recognised as a duplicate."""

RECORDS_MAX = 255
"""Records of one command: the highest number that its header can hold."""

BATCH_MAX = 256
"""Commands of one batch: all of them are tried on a copy first, within one command."""

MEMBER_RECORDS_MAX = 6
"""Highest number of records of a command of a batch: an order's, with room to come."""

BATCH_RECORDS_MAX = BATCH_MAX * MEMBER_RECORDS_MAX
"""Records behind the head of a batch."""

CLIENT_TEXT_MAX = 36
"""Characters of a client id that is a text; venues have 32 or 36."""

NAME_BYTES = 64
"""Bytes of an account name: one record."""

PRICE_TICKS_MAX = 2**60 - 2
"""Highest price: the book's trie takes at most ten six-bit floors. A trigger book has one more, which no price reaches."""

TRAILING_MAX = 10_000
"""Live trailing orders of one instrument: each new extreme of a watched price looks at all of them."""

MODEL_PRICE_TICKS = 2**28
"""Highest price of an instrument whose mark is modelled: its products in FINE parts of a tick stay in 128 bits."""

DAY_NS = 86_400 * 10**9
"""A day of command time, from midnight UTC if time_ns counts from 1970."""

VOLUME_DAYS = 30
"""Whole days of trading volume that decide the fees."""

VOLUME_MAX = 2**57
"""Highest volume that counts for a day, in units: a sum of thirty days fits in 64 bits."""

FINE = 10**6
"""Parts of a tick in which modelled prices are integers. They are rounded to ticks once, at the end."""

SOURCES_MAX = 32
"""Constituents of one index, both of its sets together."""

WINDOW_MAX = 4_096
"""Samples that a mean of the basis may remember."""

PREMIUMS_MAX = 32_768
"""Samples that a trailing mean of premiums may remember: eight hours of seconds fit."""

PREMIUM_BOUND = 64
"""Highest bound of a premium, in multiples of the index. dYdX's bound, 60 times initial less maintenance rate, is below it."""

YEAR_NS = 365 * DAY_NS
"""The period of an annualised basis."""

ANNUAL_MAX = 2**50
"""Highest annualised basis over 10**9, so that a mean fits in 64 bits: a basis of 3 % in the last second."""

GROUP_MAX = 64
"""Instruments of one tier group: a takeover of all of them looks at each of them for each."""

CATCH_UP_MAX = 256
"""Funding settlements of one instrument that a jump of the clock may catch up; earlier ones are passed over."""

MESSAGES_MAX = 1_000
"""Highest limit of messages a window: a rolling window remembers the time of each of them."""

ALL_OR_NONE_MAX = 1_000
"""Resting orders of one book that trade whole or not at all: every taker may have to pass over each of them."""

PEGGED_MAX = 1_000
"""Live orders of one instrument that keep a distance from a moving price: each move of it looks at all of them."""

PARTS_MAX = 100
"""Peaks of one iceberg: each is a fill of its own."""

BOOK_ITEMS_MAX = 2**24
"""Price levels, and trie nodes, of one book. An order that would need more is refused."""
