"""Events as Python objects, and the read-only memory of their records; the contract is in event_view.pxd."""

cimport cython
from cpython.buffer cimport PyBuffer_FillInfo
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.object cimport PyObject_GenericGetAttr
from libc.stdint cimport uint8_t, uint64_t, uintptr_t
from libc.string cimport memset
from solvent._core.base.pool cimport prefetch
from solvent._core.base.schema cimport ACCOUNT_OPENED, CLIENT_ID_NAMED, RECORD_BYTES, Event as Record
from solvent._core.base.event_log cimport block_unpin

import sys

cdef enum:
    TYPES_MAX = 64
    NAMES_MAX = 128
    KEYS_BITS = 11
    KEYS = 1 << KEYS_BITS  # so many places that some multiplier gives each name its own
    TRIES = 200

cdef struct Key:
    void* name             # an interned string that _names keeps alive
    int number

cdef tuple _types = ()     # event types by number
cdef tuple _names = ()     # the names of fields in any type
cdef object _text = repr       # renders an event's repr
cdef Key _keys[KEYS]
cdef uint64_t _multiplier
cdef uint8_t _place[TYPES_MAX][NAMES_MAX]  # 0: the type has no such field, else field number + 1


cdef inline int _key_of(void* name) noexcept:
    return <int>((<uint64_t><uintptr_t>name * _multiplier) >> (64 - KEYS_BITS))


cdef bint _spread(uint64_t multiplier):
    """Enters all names. Returns False if two names have the same place; the second one then takes the next free place."""
    global _multiplier
    cdef int at, number
    cdef bint alone = True
    _multiplier = multiplier
    memset(_keys, 0, sizeof(_keys))
    for number, name in enumerate(_names):
        at = _key_of(<void*>name)
        while _keys[at].name != NULL:
            at = (at + 1) & (KEYS - 1)
            alone = False
        _keys[at].name = <void*>name
        _keys[at].number = number
    return alone


def bind(types, fields, payload, text):
    """Binds the names of solvent.schema: its event types, field names, PAYLOAD, and the function behind an event's repr."""
    global _types, _names, _text
    cdef int number
    cdef uint64_t golden = 0x9E3779B97F4A7C15
    _text = text
    _names = tuple(dict.fromkeys(
        sys.intern(name) for names in (fields[1:], *payload.values()) for name in names))
    if len(_names) > NAMES_MAX:
        raise ValueError("too many names")
    memset(_place, 0, sizeof(_place))
    for number in range(TRIES):
        if _spread(golden * <uint64_t>(2 * number + 1)):
            break
    numbered = [None] * TYPES_MAX
    for kind in types:
        numbered[kind] = kind
        for name, field in ({each: each for each in fields[1:]} | payload[kind]).items():
            _place[<int>kind][<int>_names.index(name)] = <uint8_t>(<int>fields.index(field) + 1)
    _types = tuple(numbered)


cdef object _header_field(const Record* r, int number):
    if number == 1:
        return r.records
    if number == 2:
        return r.side
    if number == 3:
        return r.account
    if number == 4:
        return r.instrument
    if number == 5:
        return r.code
    return r.reason if number == 6 else r.seq


cdef inline object _named(Event event, int number):
    """Returns a field by the number of its name; a function, so that an Event needs no table of methods."""
    cdef int place = _place[event.r.type & (TYPES_MAX - 1)][number]
    if place > 8:
        return (&event.r.a)[place - 9]
    if place == 0 or event.r.type >= TYPES_MAX:
        raise AttributeError(f"an event of type {event.r.type} has no field {_names[number]!r}")
    return _header_field(&event.r, place - 1)


@cython.final
@cython.freelist(64)
cdef class Event:
    """One event. The record's own fields are attributes, and so are the names of its type (docs/reference/records.md).

    record: the thirteen fields of the header and payload. extra: the bytes of a second record, if there is one.
    Raises AttributeError for a name that its type does not have.
    """

    def __init__(self, record, bytes extra=b""):
        cdef Record* r = &self.r
        # rendered: taken
        (r.type, r.records, r.side, r.account, r.instrument, r.code, r.reason, r.seq, r.a, r.b, r.c, r.d, r.e) = record
        # rendered: end
        self.second = extra if extra else None

    def __getattribute__(self, name):
        cdef int at = _key_of(<void*>name)
        while _keys[at].name != NULL:
            if _keys[at].name == <void*>name:
                return _named(self, _keys[at].number)
            at = (at + 1) & (KEYS - 1)
        return PyObject_GenericGetAttr(self, name)

    def __getattr__(self, name):
        """Finds a field whose name is not interned. Raises AttributeError if there is none."""
        if name in _names:
            return _named(self, _names.index(name))
        raise AttributeError(f"an event has no attribute {name!r}")

    @property
    def type(self):
        return _types[self.r.type] if self.r.type < TYPES_MAX else None

    @property
    def record(self):
        """Returns all thirteen fields."""
        cdef Record* r = &self.r
        # rendered: given
        return (r.type, r.records, r.side, r.account, r.instrument, r.code, r.reason, r.seq, r.a, r.b, r.c, r.d, r.e)
        # rendered: end

    @property
    def extra(self):
        """Returns the bytes of a second record, if there is one."""
        return b"" if self.second is None else self.second

    @property
    def name(self):
        """Returns the name in an ACCOUNT_OPENED or a CLIENT_ID_NAMED, or "" for any other type."""
        return self.extra.rstrip(b"\0").decode() if self.r.type == ACCOUNT_OPENED or self.r.type == CLIENT_ID_NAMED else ""

    def __reduce__(self):
        return Event, (self.record, self.extra)

    def __eq__(self, other):
        return isinstance(other, Event) and self.record == other.record and self.extra == other.extra

    def __hash__(self):
        return hash(self.record)

    def __repr__(self):
        return _text(self)


@cython.final
cdef class EventView:
    """Read-only bytes of consecutive events; pins its block, so that they never change. Iterates as Events."""

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        PyBuffer_FillInfo(buffer, self, self.first, self.count * RECORD_BYTES, 1, flags)

    def __dealloc__(self):
        if self.block != NULL:
            block_unpin(self.block)

    def __iter__(self):
        cdef EventIterator iterator = EventIterator.__new__(EventIterator)
        iterator.view = self
        return iterator


@cython.final
cdef class EventIterator:
    """One pass over a view."""

    def __iter__(self):
        return self

    def __next__(self):
        cdef Event event
        if self.view is None or self.at >= self.view.count:
            raise StopIteration
        event = Event.__new__(Event)
        prefetch(&self.view.first[self.at + 8])
        event.r = self.view.first[self.at]
        self.at += 1
        if event.r.records == 2 and self.at < self.view.count:
            event.second = PyBytes_FromStringAndSize(<char*>&self.view.first[self.at], RECORD_BYTES)
            self.at += 1
        return event
