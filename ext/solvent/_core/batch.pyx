"""Batches; the contract is in batch.pxd."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int64_t, uint64_t
from solvent._core.base.clauses cimport KER_4, must
from solvent._core.base.command_log cimport commands_append, commands_room
from solvent._core.base.commands cimport Request
from solvent._core.base.event_log cimport log_drop
from solvent._core.base.schema cimport (
    ADD_INSTRUMENT, ADVANCE, AMEND_NOTHING, BAD_BATCH, BAD_RECORD, BATCH, HALT, NOBODY, NOT_IN_A_BATCH, OK, OPEN_ACCOUNT,
    OTHER_THAN_BATCH, RECORD_BYTES, SETTLE, SET_STATE, TOO_MANY_ORDERS, Command,
)
from solvent._core.image cimport Portable
from solvent._core.reader cimport IDLE, NATIVE, WORKING
from solvent._core.recorder cimport batch_records
from solvent._core.trade.state cimport Receipt

from solvent._core.base.clauses import said


cdef inline bint _alone(int type) noexcept nogil:
    """True if no batch takes commands of a type: solvent.schema.commands.ALONE."""
    return (type == ADVANCE or type == OPEN_ACCOUNT or type == ADD_INSTRUMENT or type == HALT or type == SETTLE
            or type == SET_STATE or type == BATCH)


cdef int _wrong_form(const Request* c, int64_t records, int64_t* place) noexcept nogil:
    """Returns what refuses a batch whatever the state is, and the member that is to blame for it, or OK."""
    cdef const Request* end = c + records
    cdef const Request* at = c + 1
    place[0] = 0
    if at == end:
        return BAD_BATCH
    while at < end:
        if place[0] == BATCH_MAX or not 1 <= at.record.records <= MEMBER_RECORDS_MAX or at.record.records > end - at:
            return BAD_BATCH if at.record.type != BATCH or place[0] == BATCH_MAX else NOT_IN_A_BATCH
        if _alone(at.record.type):
            return NOT_IN_A_BATCH
        if at.record.time_ns != c.record.time_ns or (c.batch.account != NOBODY and at.record.account != c.batch.account):
            return OTHER_THAN_BATCH
        at += at.record.records
        place[0] += 1
    return OK


cdef class Batching(Portable):
    """The half of a kernel that applies batches."""

    cdef int _apply_any(self, const Request* c, Receipt* receipt) except -1 nogil:
        """Applies one command: the kernel's own."""
        return 0

    cdef void _drop(self) noexcept nogil:
        """Drops events that nobody waits for, once they are half of those held."""
        cdef int64_t droppable
        if self.s.log.count and self.keep_from > self.s.log.first_seq:
            droppable = self.s.log.count
            if self.keep_from - self.s.log.first_seq < <uint64_t>droppable:
                droppable = <int64_t>(self.keep_from - self.s.log.first_seq)
            if 2 * droppable >= self.s.log.count:
                log_drop(&self.s.log, droppable)

    cdef int _lend(self) except -1:
        """Gives the exchange to C. Raises what refuses that."""
        self._enter(0)
        self.busy = NATIVE
        return 0

    cdef int _enter(self, int64_t records) except -1:
        """Begins commands of so many records in all. Raises what refuses them."""
        if self.busy:
            self._raise_busy()
        if self.s.log.fault:
            raise self.halted_error(f"the exchange halted ({said(self.s.log.fault)}); make a new one")
        self._drop()
        if self.commands.on and not commands_room(&self.commands, records):
            raise MemoryError
        self.busy = WORKING
        return 0

    cdef int _halted(self) except -1:
        raise self.halted_error(
            f"command {self.command_seq} met a state that must not be: {said(self.s.log.fault)}; the exchange has stopped")

    cdef int _judge(self, const Request* c, int64_t records) except -1:
        """Finds what refuses a batch. Raises MemoryError if there is no room for the copy; nothing was done then."""
        cdef Batching copy
        cdef Receipt receipt
        self.refused_code = _wrong_form(c, records, &self.refused_at)
        if self.refused_code != OK or c.record.time_ns < self.s.clock_ns:
            return 0
        copy = self._copied()
        copy.trying = True
        copy.s.log.wanted = 0
        with nogil:
            copy._apply_any(c, &receipt)
        if copy.s.log.fault == 2:
            raise MemoryError
        if copy.s.log.fault == 0:       # otherwise the state meets what its copy met, and halts
            self.refused_code, self.refused_at = receipt.code, receipt.filled_lots
        return 0

    cdef int64_t _apply_batch(self, const Command* at, int64_t left, Receipt* receipt) except -1 with gil:
        """Applies a batch and returns its number of records, 0 if there is none. Handlers of signals run before it."""
        cdef int64_t records = batch_records(at, left)
        cdef bytes copied
        cdef const Request* c
        if records == 0:
            return 0
        copied = PyBytes_FromStringAndSize(<const char*>at, records * RECORD_BYTES)
        c = <const Request*>PyBytes_AS_STRING(copied)
        if batch_records(&c.record, records) != records:
            return 0
        PyErr_CheckSignals()
        self._judge(c, records)
        self.member_count = 0
        with nogil:
            if self.commands.on:
                commands_append(&self.commands, &c.record, records)
            self.command_seq += 1
            self._apply_any(c, receipt)
        return records

    cdef int _apply_members(self, const Request* c, Receipt* receipt) except -1 nogil:
        """Executes BATCH: its members in turn, the copy's up to the first that is refused. filled_lots counts them."""
        cdef const Request* at = c + 1
        cdef const Request* end = at + c.batch.behind
        cdef Member* member
        cdef int64_t done = 0
        if c.record.records != 0:
            return BAD_RECORD
        if not self.trying and self.refused_code != OK:
            receipt.filled_lots = self.refused_at
            return self.refused_code
        while at < end and self.s.log.fault == 0:
            member = &self.answers[done]
            member.begin = self.s.log.first_seq + <uint64_t>self.s.log.count
            self._apply_any(at, &member.receipt)
            if member.receipt.code != OK and member.receipt.code != AMEND_NOTHING:
                must(self.trying or member.receipt.code == TOO_MANY_ORDERS, KER_4, &self.s.log.fault)
                if not self.trying and self.s.log.fault == 0:
                    self.s.log.fault = 2        # the copy had the memory that is gone now
                receipt.filled_lots = done
                return <int>member.receipt.code
            at += at.record.records
            done += 1
        self.member_count = receipt.filled_lots = done
        return OK

    cdef int _batch_alone(self, const unsigned char[::1] record) except -1:
        """Applies one batch and returns its code."""
        cdef int64_t records = record.shape[0] // RECORD_BYTES
        if records * RECORD_BYTES != record.shape[0] or batch_records(<const Command*>&record[0], records) != records:
            return BAD_RECORD
        self._enter(records)
        try:
            self._apply_batch(<const Command*>&record[0], records, &self.receipt)
        finally:
            self.busy = IDLE
        if self.s.log.fault:
            self._halted()
        return <int>self.receipt.code

    @property
    def members(self):
        """Returns (order id, filled lots, resting lots, code, number of its first event) of each member of the last batch
        that was applied."""
        cdef Member* m
        cdef list found = []
        for i in range(self.member_count):
            m = &self.answers[i]
            found.append((m.receipt.order_id, m.receipt.filled_lots, m.receipt.resting_lots, m.receipt.code, m.begin))
        return found
