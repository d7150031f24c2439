"""The unit for calls from Python: a method of an extension class that takes four integers and does nothing.

binding=False, the cheapest kind of method that Cython makes: the harder unit.
"""

cimport cython
from libc.stdint cimport int64_t


cdef class Empty:
    @cython.binding(False)
    def call(self, int64_t a, int64_t b, int64_t c, int64_t d):
        pass
