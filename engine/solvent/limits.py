"""Every capacity and bound, named, with its reason. The core enforces the same numbers."""

RATE = 10**9
"""Rates are integers over this: real funding rates have eight decimals and more."""

MONEY_MAX = 2**62 - 1
"""Highest money amount per account and highest value of a position, in units: sums of two stay in 64 bits."""

ACCOUNTS_MAX = 2**24
"""Accounts, the sixteen named ones of the house included."""

FIRST_USER = 16
"""Account ids below belong to the house: outside, clearing, fees, fund, deficit, residue, house."""

ORDERS_MAX = 2**24
"""Live orders: the low 24 bits of an order id are its slot."""

REDUCE_ONLY_MAX = 1_000
"""Live reduce-only orders of one position: each fill of its owner may look at all of them."""

TRIGGERED_MAX = 1_000
"""Live orders of one position that have a trigger: they reserve nothing, so their number is bounded."""

CLIENT_ID_WINDOW = 65_536
"""Finished orders whose client id is still recognised as a duplicate."""

NAME_BYTES = 64
"""An account name fits one record."""

PRICE_TICKS_MAX = 2**60 - 2
"""The book's trie takes at most ten six-bit floors; a trigger book has one tick more, where nothing is ever seen."""

TRAILING_MAX = 10_000
"""Live trailing orders of one instrument: each new extreme of a watched price looks at all of them."""

BOOK_ITEMS_MAX = 2**24
"""Price levels, and trie nodes, of one book; an order that would need more is refused."""
