"""The C face; the contract is in native.pxd."""

from cpython.pycapsule cimport PyCapsule_New
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdint cimport int64_t, uint64_t
from solvent._core.base.commands cimport Request
from solvent._core.base.schema cimport ADD_INSTRUMENT, BAD_RECORD, BATCH, OPEN_ACCOUNT
from solvent._core.kernel cimport Kernel
from solvent._core.reader cimport IDLE, NATIVE

cdef extern from *:
    # rendered: layout
    """
    #define SOLVENT_FACE_LAYOUT UINT64_C(0x02227af7721f825d)
    #define SOLVENT_FACE_VERSION 1
    """
    # rendered: end
    uint64_t LAYOUT_NUMBER "SOLVENT_FACE_LAYOUT"
    uint64_t VERSION_NUMBER "SOLVENT_FACE_VERSION"


cdef void* _begin(object face) except NULL:
    """Gives the kernel of a face to C."""
    cdef Kernel kernel
    found = getattr(face, "_kernel", None)
    if type(found) is not Kernel:
        raise TypeError(f"C drives a compiled Exchange or Book, not {type(face).__name__}")
    kernel = found
    if face._keeper is not None:
        raise kernel.input_error("the commands of this exchange are kept, and C waits for no disk: send them through Python")
    kernel._lend()
    Py_INCREF(kernel)
    return <void*>kernel


cdef int _end(Kernel kernel) noexcept:
    """Takes it back."""
    if kernel.busy != NATIVE:
        return NOT_BEGUN
    kernel.busy = IDLE
    Py_DECREF(kernel)
    return 0


cdef int _apply(Kernel kernel, const Request* c, int64_t records, Told* told) noexcept nogil:
    """Applies one command."""
    cdef Told unread
    cdef int64_t begin
    if told == NULL:
        told = &unread
    if <void*>kernel == NULL or kernel.busy != NATIVE:
        return NOT_BEGUN
    if kernel.s.log.fault:
        return HALTED
    if c == NULL or records < 1 or records > 6 or c.record.records != records:
        return BAD_RECORD
    if c.record.type == ADD_INSTRUMENT or c.record.type == OPEN_ACCOUNT or c.record.type == BATCH:
        return BY_PYTHON
    kernel._drop()
    begin = kernel.s.log.count
    kernel._apply(c, &told.receipt)
    told.events = kernel.s.log.events + begin
    told.event_records = kernel.s.log.count - begin
    return HALTED if kernel.s.log.fault else <int>told.receipt.code


cdef int64_t _time_ns(Kernel kernel) noexcept nogil:
    return kernel.s.clock_ns


cdef Functions _functions

_functions.layout = LAYOUT_NUMBER
_functions.version = VERSION_NUMBER
_functions.begin = <void*>_begin
_functions.end = <void*>_end
_functions.apply = <void*>_apply
_functions.time_ns = <void*>_time_ns

functions = PyCapsule_New(&_functions, "solvent.native.functions", NULL)
