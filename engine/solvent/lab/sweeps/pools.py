"""Executors for sweeps: processes of this machine, and Ray.

Owns the making of pools. Never chooses a case. Dask needs nothing here: `Client.get_executor()` is an executor. Each
process is started afresh (spawn), so that it shares nothing with its parent.
"""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import cpu_count, get_context
from typing import Any

from solvent.schema.codes import InputError

__all__ = ["OwnPool", "RayExecutor"]


class OwnPool(Executor):
    """A process for each core, which can be made anew when one of them has died."""

    def __init__(self, workers: int | None = None):
        self.workers = workers or cpu_count()
        self.ahead = 4 * self.workers
        self._pool = self._new()

    def _new(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self.workers, mp_context=get_context("spawn"))

    def renew(self) -> None:
        """Makes a new pool in place of a broken one."""
        self._pool.shutdown(wait=True)
        self._pool = self._new()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)


class RayExecutor(Executor):
    """Runs calls as tasks of Ray, which has no executor of its own (the extra `ray`).

    address: where a cluster runs; None starts one on this machine. Arguments arrive read-only. A task whose worker dies is run
    again by Ray, four times in all; then its future raises.
    """

    def __init__(self, address: str | None = None, **options: Any):
        try:
            import ray
        except ImportError:
            raise InputError("Ray is absent: pip install ray (or this package with its extra ray)") from None
        self._ray = ray
        self._ours = not ray.is_initialized()
        if self._ours:
            ray.init(address=address, include_dashboard=False, log_to_driver=False, **options)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = self._ray.remote(fn).remote(*args, **kwargs).future()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leaves the cluster, if it was this executor that joined it."""
        if self._ours:
            self._ray.shutdown()
