"""A disk in memory that loses, tears, reorders and garbles what was not synced: the Disk of solvent.store.files.

What a process sees is one thing, what the disk holds another. A process that dies leaves what it saw (`after_death`). A loss
of power leaves what was synced, and of the rest whatever the seed draws (`after_power_loss`): each unsynced write is kept,
dropped, torn at any byte or garbled, in any order; each unsynced name is there or not. A sync that fails throws away what it
was to sync, and the process goes on seeing it, as Linux has it.
"""

import errno
from random import Random


class Inode:
    """A file: what a process sees, what is on the disk, and the writes between the two."""

    def __init__(self, seen: bytes = b"", held: bytes = b""):
        self.seen, self.held = bytearray(seen), bytearray(held)
        self.unsynced: list[tuple[int, bytes | None]] = []  # (place, bytes), or (size, None) for a cut

    def copy(self) -> "Inode":
        other = Inode(self.seen, self.held)
        other.unsynced = list(self.unsynced)
        return other

    def change(self, at: int, data: bytes | None) -> None:
        put(self.seen, at, data)
        self.unsynced.append((at, data))

    def sync(self) -> None:
        for at, data in self.unsynced:
            put(self.held, at, data)
        self.unsynced.clear()


def put(content: bytearray, at: int, data: bytes | None) -> None:
    if data is None:
        del content[at:]
    elif data:
        content.extend(bytes(max(0, at - len(content))))
        content[at : at + len(data)] = data


class FakeFile:
    def __init__(self, disk: "FakeDisk", inode: Inode):
        self.disk, self.inode = disk, inode

    def write(self, parts, at: int) -> None:
        data = b"".join(bytes(part) for part in parts)
        short = self.disk.step("write", lambda n: self.inode.change(at, data[:n]), len(data))
        self.inode.change(at, data[: len(data) if short is None else short])
        if short is not None:
            raise OSError(errno.ENOSPC, "No space left on device")

    def sync(self) -> None:
        if self.disk.step("sync") is not None:
            self.inode.unsynced.clear()
            raise OSError(errno.EIO, "Input/output error")
        self.inode.sync()

    def cut(self, size: int) -> None:
        self.disk.step("cut")
        self.inode.change(size, None)

    def close(self) -> None:
        pass


class FakeDisk:
    """watch(kind, half): called before each operation; half() gives the disk as it is in the middle of a write.

    fail: the numbers of operations that fail: a write stops short for want of space, a sync loses what it was to sync.
    """

    name = "a disk that is not there"

    def __init__(self):
        self.seen: dict[str, Inode] = {}
        self.held: dict[str, Inode] = {}
        self.locked = False
        self.watch = None
        self.fail: set[int] = set()
        self.steps = 0
        self.beats: list = []

    def copy(self) -> "FakeDisk":
        other, inodes = FakeDisk(), {}
        for mine, theirs in ((self.seen, other.seen), (self.held, other.held)):
            for name, inode in mine.items():
                theirs[name] = inodes.setdefault(id(inode), inode.copy())
        return other

    def step(self, kind: str, partly=None, size: int = 0) -> int | None:
        """Counts an operation; returns how far it gets if it fails, else None."""
        self.steps += 1
        if self.watch is not None:
            self.watch(kind, self, partly, size)
        return size // 2 if self.steps in self.fail else None

    # --- what dies

    def after_death(self) -> "FakeDisk":
        """What the next process sees."""
        return self.copy()

    def after_power_loss(self, random: Random) -> "FakeDisk":
        """What the machine sees when it has power again."""
        left, mine = FakeDisk(), self.copy()
        names = dict(mine.held)
        if random.random() < 0.7:  # names that were given or taken away since, up to some moment
            for name in set(mine.seen) | set(mine.held):
                if random.random() < 0.5 and name in mine.seen:
                    names[name] = mine.seen[name]
                elif random.random() < 0.5 and name not in mine.seen:
                    names.pop(name, None)
        for name, inode in names.items():
            content = bytearray(inode.held)
            writes = list(inode.unsynced)
            fate = random.choice(("none", "all", "some", "some", "shuffled"))
            if fate == "shuffled":
                random.shuffle(writes)
            for at, data in writes if fate != "none" else ():
                if fate == "all" or data is None:
                    put(content, at, data)
                elif random.random() < 0.5:
                    begin = random.randrange(len(data) + 1)
                    piece = bytearray(data[begin:] if random.random() < 0.3 else data[:begin])
                    if piece and random.random() < 0.2:
                        piece[random.randrange(len(piece))] ^= 1 << random.randrange(8)
                    put(content, at + (begin if len(piece) == len(data) - begin and begin else 0), bytes(piece))
            left.seen[name] = left.held[name] = Inode(content, content)
        return left

    # --- the interface of solvent.store.files.Disk

    def make(self) -> None:
        pass

    def names(self) -> list[str]:
        return sorted(self.seen)

    def read(self, name: str) -> bytes:
        return bytes(self.seen[name].seen)

    def map(self, name: str) -> memoryview:
        return memoryview(self.read(name))

    def open(self, name: str, create: bool = False) -> FakeFile:
        if name not in self.seen:
            if not create:
                raise FileNotFoundError(errno.ENOENT, "No such file", name)
            self.step("create")
            self.seen[name] = Inode()
        return FakeFile(self, self.seen[name])

    def rename(self, old: str, new: str) -> None:
        self.step("rename")
        self.seen[new] = self.seen.pop(old)

    def remove(self, name: str) -> None:
        self.step("remove")
        del self.seen[name]

    def sync(self) -> None:
        if self.step("sync directory") is not None:
            raise OSError(errno.EIO, "Input/output error")
        self.held = dict(self.seen)

    def lock(self) -> bool:
        if self.locked:
            return False
        self.locked = True
        return True

    def unlock(self) -> None:
        self.locked = False

    def repeat(self, every_ms: int, work):
        """The work is done when the test says that time passes."""
        self.beats.append(work)
        return lambda: None

    def pass_time(self) -> None:
        self.beats = [work for work in self.beats if work()]


def with_file(disk: FakeDisk, name: str, content: bytes | None) -> FakeDisk:
    """The same disk with another file in place of one; None takes it away."""
    other = disk.copy()
    if content is None:
        del other.seen[name]
        other.held.pop(name, None)
    else:
        other.seen[name] = other.held[name] = Inode(content, content)
    return other
