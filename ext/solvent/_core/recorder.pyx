"""The half of a kernel that journals use; the contract is in recorder.pxd."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int64_t
from solvent._core.base.command_log cimport commands_close, commands_forget
from solvent._core.base.pool cimport prefetch
from solvent._core.base.schema cimport RECORD_BYTES, Command
from solvent._core.roster cimport Roster

cdef enum:
    FAR = 64               # records loaded ahead


cdef class Recorder(Roster):
    """The commands that were applied."""

    def __dealloc__(self):
        commands_close(&self.commands)

    cdef Py_ssize_t _whole(self, const Command* commands, Py_ssize_t total) except -1:
        """Returns the number of commands in a buffer. Raises InputError if the last one is not whole."""
        cdef const Command* at = commands
        cdef const Command* end = commands + total
        cdef Py_ssize_t n = 0
        while at < end:  # branches, so that the next command's address does not wait for this one's memory
            prefetch(at + FAR)
            if at.records == 1:
                at += 1
            elif 2 <= at.records <= 4:
                at += at.records
            elif batch_records(at, end - at):
                at += batch_records(at, end - at)
            else:
                raise self.input_error(f"record {at - commands} says that it takes {at.records} records; set its `records` to 1, 2, 3 or 4")
            n += 1
        if at != end:
            raise self.input_error("the last command is cut off")
        return n

    def pieces(self, const unsigned char[::1] records not None, Py_ssize_t least):
        """Returns the offsets in bytes where a buffer of commands may be cut into pieces of `least` records or one more.

        The last offset is the buffer's end. Raises InputError as `run` does.
        """
        cdef Py_ssize_t total = records.shape[0] // RECORD_BYTES
        cdef Py_ssize_t i = 0
        cdef Py_ssize_t cut = least
        cdef const Command* commands
        cdef list found = []
        if records.shape[0] % RECORD_BYTES:
            raise self.input_error("the buffer is not a whole number of 64-byte records")
        if total == 0:
            return found
        commands = <const Command*>&records[0]
        self._whole(commands, total)
        while i < total:
            i += commands[i].records or batch_records(&commands[i], total - i)
            if i >= cut and i < total:
                found.append(i * RECORD_BYTES)
                cut = i + least
        found.append(total * RECORD_BYTES)
        return found

    def record_commands(self, bint on):
        """Switches the log of commands on or off; it keeps its records."""
        self._require_idle()
        self.commands.on = on

    @property
    def recorded(self):
        """Returns how many records of commands were logged so far, those that were forgotten included."""
        return self.commands.first + self.commands.count

    def commands_from(self, int64_t begin):
        """Returns a copy of the records of commands from number `begin` on. Raises IndexError for forgotten ones."""
        self._require_idle()
        if begin < self.commands.first or begin > self.commands.first + self.commands.count:
            raise IndexError(f"records from {begin} on are not held")
        begin -= self.commands.first
        return PyBytes_FromStringAndSize(<char*>self.commands.records + begin * RECORD_BYTES, (self.commands.count - begin) * RECORD_BYTES)

    def forget_commands(self, int64_t until):
        """Forgets the records of commands before number `until`."""
        self._require_idle()
        commands_forget(&self.commands, until)
