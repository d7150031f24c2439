"""Plain orders by name; the contract is in named.pxd."""

from cpython.dict cimport PyDict_GetItem
from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.object cimport PyObject
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memset
from solvent._core.base.commands cimport PlaceOrder, Request
from solvent._core.base.money cimport floor128, int128
from solvent._core.base.schema cimport BUY, FOK, GTC, IOC, ORDER, POST_ONLY, REDUCE_ONLY, SELL
from solvent._core.kernel cimport Kernel

from decimal import Decimal

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    const char* PyUnicode_1BYTE_DATA "(const char *)PyUnicode_1BYTE_DATA"(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    bytes PyBytes_FromStringAndSize(const char* text, Py_ssize_t size)

cdef enum:
    DIGITS_MAX = 18            # of a number that is read here: it fits in 63 bits

cdef object _Decimal = Decimal
cdef object _ZERO = 0
cdef object _OWN = "cancel_maker"


cdef bint _read(text, int64_t* number, int64_t* scale) noexcept:
    """Reads digits with at most one point between them. Returns False for any other text."""
    cdef const char* at
    cdef Py_ssize_t size, i, digits = 0
    cdef bint behind = False
    if not PyUnicode_IS_COMPACT_ASCII(text):
        return False
    at = PyUnicode_1BYTE_DATA(text)
    size = PyUnicode_GET_LENGTH(text)
    number[0], scale[0] = 0, 1
    for i in range(size):
        if at[i] == c"." and not behind and 0 < i < size - 1:
            behind = True
            continue
        if not c"0" <= at[i] <= c"9" or digits == DIGITS_MAX:
            return False
        number[0] = 10 * number[0] + (at[i] - c"0")
        scale[0] = 10 * scale[0] if behind else 1
        digits += 1
    return digits > 0


cdef bint exact_count(value, int64_t up, int64_t down, int64_t* count) except -1:
    """Finds how many steps of up / down a number is. Returns False unless it is a plain one above zero, and whole in steps."""
    cdef int64_t number, scale = 1
    cdef int128 top, bottom, found
    cdef int beyond = 0
    if type(value) is int:
        number = PyLong_AsLongLongAndOverflow(value, &beyond)
        if beyond:
            return False
    elif type(value) is str:
        if not _read(value, &number, &scale):
            return False
    elif type(value) is not _Decimal or not _read(str(value), &number, &scale):
        return False
    if number <= 0:
        return False
    top, bottom = <int128>number * down, <int128>up * scale
    found = floor128(top, bottom)
    if found * bottom != top or found >= <int128>1 << 60:
        return False
    count[0] = <int64_t>found
    return True


cdef int64_t _account(Kernel kernel, account) except -2:
    """Returns the number of an account, -1 if it is not known here."""
    cdef PyObject* found
    cdef int64_t number
    cdef int beyond = 0
    if type(account) is int:
        number = PyLong_AsLongLongAndOverflow(account, &beyond)
        return number if not beyond and 0 <= number < kernel.s.ledger.account_count else -1
    if type(account) is not str or not PyUnicode_IS_COMPACT_ASCII(account):
        return -1
    kernel._read_names()
    name = PyBytes_FromStringAndSize(PyUnicode_1BYTE_DATA(account), PyUnicode_GET_LENGTH(account))
    found = PyDict_GetItem(kernel.ids, name)
    return -1 if found == NULL else <int64_t><object>found


def quick_order(
    Kernel kernel not None, dict steps not None, account, instrument, side, size, price, tif, post_only, reduce_only, client_id,
    close_position, trigger, expiry_ns, slippage, self_trade, self_trade_group, leg, market, display, all_or_none, to_limit,
    levels, tag
):
    """Sends an ORDER, at the clock's time. Returns (order id, filled lots, resting lots, code, first event, next event), or
    None, with nothing done, where an argument is not plain.

    steps: by the name of an instrument its number, its tick and its lot, each as numerator and denominator.
    """
    cdef Request request
    cdef PlaceOrder* c = &request.order
    cdef PyObject* found
    cdef int64_t who, tick_up, tick_down, lot_up, lot_down
    cdef uint64_t begin
    cdef int beyond = 0
    if (close_position is not False or trigger is not None or expiry_ns is not None or slippage is not None or leg is not None
            or market is not False or display is not None or all_or_none is not False or to_limit is not False
            or levels is not None or tag is not _ZERO or self_trade_group is not _ZERO or self_trade is not _OWN):
        return None
    if type(instrument) is not str or type(side) is not str or type(tif) is not str or type(client_id) is not int:
        return None
    found = PyDict_GetItem(steps, instrument)
    if found == NULL:
        return None
    memset(&request, 0, sizeof(Request))
    c.type = ORDER
    c.records = 1
    c.instrument, tick_up, tick_down, lot_up, lot_down = <tuple>found
    if side == "buy":
        c.side = BUY
    elif side == "sell":
        c.side = SELL
    else:
        return None
    if tif == "gtc":
        c.tif = GTC
    elif tif == "ioc":
        c.tif = IOC
    elif tif == "fok":
        c.tif = FOK
    else:
        return None
    if (post_only is not True and post_only is not False) or (reduce_only is not True and reduce_only is not False):
        return None
    c.flags = (POST_ONLY if post_only is True else 0) | (REDUCE_ONLY if reduce_only is True else 0)
    who = _account(kernel, account)
    c.client_id = <uint64_t>PyLong_AsLongLongAndOverflow(client_id, &beyond)
    if who < 0 or beyond or <int64_t>c.client_id < 0:
        return None
    if not exact_count(price, tick_up, tick_down, &c.price_ticks) or not exact_count(size, lot_up, lot_down, &c.size_lots):
        return None
    c.account = <uint32_t>who
    c.time_ns = kernel.s.clock_ns
    begin = kernel.s.log.first_seq + <uint64_t>kernel.s.log.count
    kernel._alone(&request)
    return (kernel.receipt.order_id, kernel.receipt.filled_lots, kernel.receipt.resting_lots, kernel.receipt.code, begin,
            kernel.s.log.first_seq + <uint64_t>kernel.s.log.count)
