"""The hand-written C book of yardstick.c, called through ctypes."""

import ctypes
from typing import TYPE_CHECKING, Any

from native import address, compiled, declare

if TYPE_CHECKING:
    import numpy as np

WINDOW = 2**24
RING = 1 << 14  # 1 MB of events, reused
RECORD = 64


class Yardstick:
    """A fresh C book and its ring of TRADE records.

    flags: "-DSLOT_IN_ID" takes the slot from the order id. ring: how many trades `last` can reach back, a power of two.
    """

    def __init__(self, *flags: str, window: int = WINDOW, ring: int = RING):
        self._c = compiled("yardstick", *flags)
        pointer, integer = ctypes.c_void_p, ctypes.c_int64
        declare(self._c, "yard_new", pointer, integer)
        declare(self._c, "yard_free", None, pointer)
        declare(self._c, "yard_run", integer, pointer, pointer, integer, pointer, integer)
        declare(self._c, "yard_stamp", None, pointer, pointer, integer, pointer, integer, pointer)
        self._book = self._c.yard_new(window)
        self._ring = bytearray(ring * RECORD)
        self._ring_at = address(self._ring)
        self._capacity = ring
        self.trades = 0

    def run(self, records: bytes) -> int:
        """Plays whole records, every id in them alive; returns the number of trades."""
        return self.run_at(address(records), len(records) // RECORD)

    def run_at(self, at: int, records: int) -> int:
        """`run` on records that lie at an address."""
        trades: int = self._c.yard_run(self._book, at, records, self._ring_at, self._capacity)
        self.trades += trades
        return trades

    def stamp(self, records: bytes, clock_alone: bool = False) -> "np.ndarray[Any, Any]":
        """Plays records and returns the nanoseconds of each, one reading of the clock included."""
        import numpy as np

        ns = np.zeros(len(records) // RECORD, np.int64)
        book = None if clock_alone else self._book
        self._c.yard_stamp(book, address(records), len(ns), self._ring_at, self._capacity, ns.ctypes.data)
        return ns

    def last(self, trades: int) -> bytes:
        """The newest trades, at most a ring full, oldest first."""
        assert trades <= self._capacity
        end = self.trades % self._capacity
        first = end - trades
        if first >= 0:
            return bytes(self._ring[first * RECORD : end * RECORD])
        return bytes(self._ring[first * RECORD :] + self._ring[: end * RECORD])

    def close(self) -> None:
        if self._book:
            self._c.yard_free(self._book)
            self._book = None

    def __del__(self) -> None:
        self.close()


def checksum(total: int, events: bytes) -> int:
    """The running checksum, carried on over maker, taker, price and size of the TRADEs among event records."""
    c = compiled("yardstick")
    declare(c, "yard_checksum", ctypes.c_uint64, ctypes.c_uint64, ctypes.c_void_p, ctypes.c_int64)
    return int(c.yard_checksum(total, address(events), len(events) // RECORD)) if events else total
