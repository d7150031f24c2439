"""Progress of a long command, on standard error: a bar with the time left, or a line at every tenth of the way.

Owns that display. A terminal shows the bar of rich (the extra `cli`), or one line that is rewritten without it. Never
writes to standard output. Cost: nothing that a run would feel.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from time import perf_counter
from typing import Protocol


class Shown(Protocol):
    """Tells how far it is: so much of the whole is done, and what is to be said of it."""

    def __call__(self, done: int, words: str) -> None: ...


@contextmanager
def progress(total: int) -> Iterator[Shown]:
    """Shows the way from 0 to total."""
    if sys.stderr.isatty() and find_spec("rich"):
        with _bar(total) as shown:
            yield shown
    else:
        yield _Lines(total)


@contextmanager
def _bar(total: int) -> Iterator[Shown]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=total)

        def show(done: int, words: str) -> None:
            bar.update(task, completed=done, description=words)

        yield show


class _Lines:
    def __init__(self, total: int):
        self.total, self.begin, self.tenth, self.live = total, perf_counter(), -1, sys.stderr.isatty()

    def __call__(self, done: int, words: str) -> None:
        percent = 100 * done // self.total
        if not self.live and percent // 10 == self.tenth:
            return
        self.tenth = percent // 10
        left = (perf_counter() - self.begin) * (self.total - done) / max(1, done)
        line = f"{percent:3} %  {int(left) // 60}:{int(left) % 60:02} left  {words}"
        ending = "\n" if not self.live or done == self.total else ""
        sys.stderr.write(("\r" if self.live else "") + f"{line:96}".rstrip("" if self.live else " ") + ending)
        sys.stderr.flush()
