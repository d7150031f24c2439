"""The only file access: one directory, and the files in it.

Owns every call that reads, writes, syncs, renames, removes or locks, and the clock that paces syncs. Knows no format. The
methods of Disk and File are the whole interface: tests put a disk in its place that loses, tears and flips what was not synced
(tests/support/fake_disk.py). Errors are OSError, as the system tells them.
"""

import fcntl
import mmap
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol
from weakref import WeakSet

__all__ = ["Disk", "File", "Folder", "Opened"]


class File(Protocol):
    """An open file."""

    def write(self, parts: Sequence[bytes | memoryview], at: int) -> None:
        """Writes all parts, one behind the other, from byte `at` on."""

    def sync(self) -> None:
        """Returns once everything that was written is on the disk."""

    def cut(self, size: int) -> None:
        """Makes the file end at byte `size`."""

    def close(self) -> None:
        """Closes the file; closing it twice does nothing."""


class Disk(Protocol):
    """A directory."""

    @property
    def name(self) -> str: ...
    def make(self) -> None:
        """Makes the directory if it is missing, and syncs the one that holds it."""

    def names(self) -> list[str]:
        """Returns the names of the files, in order; none for a directory that is missing."""

    def read(self, name: str) -> bytes:
        """Returns the bytes of a file as they are now."""

    def map(self, name: str) -> memoryview:
        """Returns the bytes of a file that nobody changes any more, without reading them."""

    def open(self, name: str, create: bool = False) -> File:
        """Opens a file for writing."""

    def rename(self, old: str, new: str) -> None: ...
    def remove(self, name: str) -> None: ...
    def sync(self) -> None:
        """Returns once all names are on the disk."""

    def lock(self) -> bool:
        """Locks the directory. Returns False if somebody else has it. The lock ends with the process, or by `unlock`."""

    def unlock(self) -> None: ...
    def repeat(self, every_ms: int, work: Callable[[], bool]) -> Callable[[], None]:
        """Calls `work` again and again, every_ms after each wake, until it returns False. Returns what wakes it."""


class Opened:
    """A file of the system."""

    def __init__(self, path: Path, create: bool):
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o644)
        _OF_THIS_PROCESS.add(self)

    def write(self, parts: Sequence[bytes | memoryview], at: int) -> None:
        left = [memoryview(part) for part in parts if len(part)]
        while left:  # a write may be short: before a full disk, or at a limit
            done = os.pwritev(self._fd, left[:64], at)
            at += done
            while left and done >= len(left[0]):
                done -= len(left.pop(0))
            if done:
                left[0] = left[0][done:]

    def sync(self) -> None:
        os.fdatasync(self._fd)

    def cut(self, size: int) -> None:
        os.ftruncate(self._fd, size)

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        if getattr(self, "_fd", -1) >= 0:
            self.close()


class Folder:
    """A directory of the system."""

    def __init__(self, path: str | os.PathLike[str]):
        self._path = Path(path)
        self._lock = -1
        _OF_THIS_PROCESS.add(self)

    @property
    def name(self) -> str:
        """Returns the path, for messages."""
        return str(self._path)

    def make(self) -> None:
        if not self._path.is_dir():
            self._path.mkdir(parents=True, exist_ok=True)
            _sync_directory(self._path.absolute().parent)

    def names(self) -> list[str]:
        return sorted(os.listdir(self._path)) if self._path.exists() else []

    def read(self, name: str) -> bytes:
        return (self._path / name).read_bytes()

    def map(self, name: str) -> memoryview:
        with (self._path / name).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            return memoryview(mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ)) if size else memoryview(b"")

    def open(self, name: str, create: bool = False) -> File:
        return Opened(self._path / name, create)

    def rename(self, old: str, new: str) -> None:
        os.rename(self._path / old, self._path / new)

    def remove(self, name: str) -> None:
        os.unlink(self._path / name)

    def sync(self) -> None:
        _sync_directory(self._path)

    def lock(self) -> bool:
        fd = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        self._lock = fd
        return True

    def unlock(self) -> None:
        fd, self._lock = self._lock, -1
        if fd >= 0:
            os.close(fd)

    def repeat(self, every_ms: int, work: Callable[[], bool]) -> Callable[[], None]:
        awake = threading.Event()
        pause = threading.Event()

        def loop() -> None:
            while awake.wait():
                awake.clear()
                pause.wait(every_ms / 1000)
                if not work():
                    return

        threading.Thread(target=loop, name="solvent journal", daemon=True).start()
        return awake.set


_OF_THIS_PROCESS: "WeakSet[Opened | Folder]" = WeakSet()


def _let_go() -> None:
    """Closes in a forked child what is the parent's: the child must not write into the parent's journal."""
    for each in list(_OF_THIS_PROCESS):
        if isinstance(each, Opened):
            each.close()
        else:
            each.unlock()


os.register_at_fork(after_in_child=_let_go)


def _sync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
