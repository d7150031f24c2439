# walk: every block of memory that the state consists of, named once. Copying, writing, reading and freeing go by it.
#
# Owns: the list of blocks, and the copy of a state that is made by it (fork).
# Never: knows what a block means (sound does), or a Python object (image does).
# Invariants: a block that holds pointers is visited before those that it points to. Events and the scratch of a dry run are no
# part of the state. tests/shape/test_walk.py finds an array that somebody forgot here.
# Cost: fork is one memcpy of what each block uses.

from libc.stdint cimport int64_t
from solvent._core.trade.state cimport State

cdef enum Memory:
    HEAP = 0                       # malloc and free
    POOL = 1                       # grown and released
    NESTED = 2                     # on the heap; its items hold pointers to further blocks

ctypedef bint (*Sound)(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil

cdef struct Block:
    const char* name
    void** items
    size_t item_bytes
    int64_t count                  # items in use
    int64_t capacity               # items that there is room for
    int kind
    const void* owner              # what the block belongs to, for the test of its items
    Sound sound                    # True if items are within their ranges; NULL: any are

ctypedef void (*Visit)(State* s, Block* block, void* context) noexcept nogil

cdef struct Walk:
    State* s
    Visit visit
    void* context
    bint tight                     # capacities become the counts

cdef void walk(Walk* w) noexcept nogil
cdef void* room_for(Block* block) noexcept nogil
cdef bint state_fork(State* to, const State* source) noexcept nogil
cdef void state_close(State* s) noexcept nogil
